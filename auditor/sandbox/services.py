"""The services an estate is made of, with the settings each of them shows in ``config``.

Names and settings follow Fivetran's connector documentation; the API masks secrets as ``******``.
In a setting, ``{team}``, ``{schema}``, ``{table}`` and ``{number}`` stand for the connection's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

MASKED = "******"


@dataclass(frozen=True, slots=True)
class Service:
    """One service: its id, its name, the class Fivetran files it under, its settings.

    ``weight`` is how often it occurs against the others. ``private`` services are reached over a
    private network in a healthy estate. ``table`` services load one table, and are named
    ``schema.table``.
    """

    id: str
    name: str
    kind: str
    weight: int
    config: Mapping[str, Any] = field(default_factory=dict)
    private: bool = False
    table: bool = False

    def settings(self, names: Mapping[str, str]) -> dict[str, Any]:
        """Return a fresh ``config``, with ``names`` filled in."""
        return {
            key: value.format_map(names)
            if isinstance(value, str)
            else list(value)
            if isinstance(value, tuple)
            else value
            for key, value in self.config.items()
        }


def _database(id_: str, name: str, weight: int, port: int, method: str) -> Service:
    config = {
        "host": "{team}-{number}.db.example.com",
        "port": port,
        "user": "fivetran_reader",
        "password": MASKED,
        "database": "{team}",
        "update_method": method,
        "schema_prefix": "{schema}",
        "always_encrypted": True,
        "is_single_table_mode": False,
    }
    return Service(id_, name, "Database", weight, config, private=True)


def _application(id_: str, name: str, weight: int, **config: Any) -> Service:
    return Service(id_, name, "Application", weight, {"schema": "{schema}", **config})


def _files(id_: str, name: str, weight: int, **config: Any) -> Service:
    config = {"schema": "{schema}", "table": "{table}", **config}
    return Service(id_, name, "File", weight, config, table=True)


def _events(id_: str, name: str, weight: int, *, private: bool, **config: Any) -> Service:
    return Service(id_, name, "Event", weight, {"schema": "{schema}", **config}, private)


SERVICES: tuple[Service, ...] = (
    _database("postgres", "PostgreSQL", 12, 5432, "WAL_PGOUTPUT"),
    _application(
        "salesforce", "Salesforce", 9, is_sandbox=False, domain="{team}.my.salesforce.com"
    ),
    _database("mysql", "MySQL", 9, 3306, "BINLOG"),
    _application("hubspot", "HubSpot", 4, auth_type="OAuth"),
    _database("sql_server", "SQL Server", 7, 1433, "NATIVE_UPDATE"),
    _files("s3", "Amazon S3", 4, bucket="example-{team}-landing", file_type="parquet", role=MASKED),
    _database("postgres_rds", "Amazon RDS for PostgreSQL", 5, 5432, "XMIN"),
    _application("zendesk", "Zendesk Support", 3, domain="{team}-example.zendesk.com"),
    _database("aurora", "Amazon Aurora MySQL", 4, 3306, "BINLOG"),
    _files("google_sheets", "Google Sheets", 5, sheet_id="example-{number}", named_range="{table}"),
    _application("stripe", "Stripe", 4, secret_key=MASKED),
    _database("oracle", "Oracle", 3, 1521, "TELEPORT"),
    _application("jira", "Jira", 4, host="example.atlassian.net", api_token=MASKED),
    _events(
        "apache_kafka",
        "Apache Kafka",
        3,
        private=True,
        servers=("kafka-1.example.com:9093", "kafka-2.example.com:9093"),
        sync_type="Packed",
        security_protocol="TLS",
        client_cert_key=MASKED,
    ),
    _application("google_ads", "Google Ads", 4, customer_id="000-000-{number}"),
    _application("facebook_ads", "Facebook Ads", 3, sync_mode="AllAccounts"),
    _database("mongo", "MongoDB", 3, 27017, "CHANGE_STREAMS"),
    _files("sftp", "SFTP", 2, host="sftp.example.com", user="fivetran", private_key=MASKED),
    _application("netsuite_suiteanalytics", "NetSuite SuiteAnalytics", 3, token_secret=MASKED),
    _application("shopify", "Shopify", 3, shop="{team}-example"),
    _events("webhooks", "Webhooks", 2, private=False, sync_format="Unpacked"),
    _application("github", "GitHub", 2, sync_mode="AllRepositories", pat=MASKED),
    _application("workday", "Workday", 2, tenant="example", username="fivetran", password=MASKED),
    _database("sql_server_rds", "Amazon RDS for SQL Server", 2, 1433, "TELEPORT"),
    _application("servicenow", "ServiceNow", 2, instance="example", client_secret=MASKED),
    _files("gcs", "Google Cloud Storage", 2, bucket="example-{team}", file_type="csv"),
    _application("google_analytics_4", "Google Analytics 4", 3, accounts=("example-{team}",)),
    _application("marketo", "Marketo", 2, rest_url="https://example.mktorest.com", secret=MASKED),
    _events("segment", "Segment", 2, private=False, sync_type="S3", bucket="example-{team}"),
    _application("linkedin_ads", "LinkedIn Ads", 2, sync_mode="AllAccounts"),
    _database("maria", "MariaDB", 2, 3306, "BINLOG"),
    _application("intercom", "Intercom", 2, auth_type="OAuth"),
    _application("klaviyo", "Klaviyo", 2, api_key=MASKED),
    _application("greenhouse", "Greenhouse", 1, api_key=MASKED),
    _application("zuora", "Zuora", 1, subdomain="rest.zuora.com", client_secret=MASKED),
    Service(
        "aws_lambda",
        "AWS Lambda",
        "Function",
        1,
        {
            "schema": "{schema}",
            "region": "eu-west-1",
            "function": "export_{team}",
            "role_arn": MASKED,
            "secrets": MASKED,
        },
    ),
)

#: The platform connection that every group of a healthy estate has.
PLATFORM = Service(
    "fivetran_log",
    "Fivetran Platform",
    "Fivetran",
    0,
    {"schema": "{schema}", "is_account_level_connector": False},
)

#: A service that Fivetran has announced the end of.
SUNSET = _application(
    "google_analytics", "Google Analytics (Universal)", 0, sync_mode="AllAccounts"
)

#: Services that a healthy estate does without. Companies ban the first: what somebody drops there
#: has passed no check. The second is an advertising platform, which people connect by themselves.
DROP_BOX = _application("dropbox", "Dropbox", 0, folder_path="/exports")
TIKTOK = _application("tiktok_ads", "TikTok Ads", 0, sync_mode="AllAccounts")

BY_ID: Mapping[str, Service] = MappingProxyType(
    {service.id: service for service in (*SERVICES, PLATFORM, SUNSET, DROP_BOX, TIKTOK)}
)
#: What the books are closed with: in a healthy estate its delays raise alerts early.
STRIPE = BY_ID["stripe"]
LEDGERS = frozenset({STRIPE.id, "netsuite_suiteanalytics", "zuora"})
#: Advertising platforms, which restate whole days: in a healthy estate they sync rarely.
ADVERTISING = frozenset({"google_ads", "facebook_ads", "linkedin_ads", TIKTOK.id})
DATABASES = frozenset(service.id for service in SERVICES if service.kind == "Database")
