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

#: The private ways to a database, each with how often it is taken. By Fivetran's OpenAPI file of
#: 2026-07: the values of ``connection_type`` in the settings of a service.
WAYS: Mapping[str, int] = MappingProxyType({"SshTunnel": 45, "PrivateLink": 35, "ProxyAgent": 20})
_EVERY_WAY = tuple(WAYS)


@dataclass(frozen=True, slots=True)
class Service:
    """One service: its id, its name, the type Fivetran files it under, its settings.

    ``weight`` is how often it occurs against the others. ``ways`` are the private ones among the
    values of ``networking_method`` that it can be reached by, and in a healthy estate is.
    ``table`` services load one table, and are named ``schema.table``.
    """

    id: str
    name: str
    kind: str
    weight: int
    config: Mapping[str, Any] = field(default_factory=dict)
    ways: tuple[str, ...] = ()
    table: bool = False

    def settings(self, names: Mapping[str, str]) -> dict[str, Any]:
        """Return a fresh ``config``, with ``names`` filled in."""
        return {
            key: value.format_map(names)
            if isinstance(value, str)
            else [item.format_map(names) for item in value]
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
    return Service(id_, name, "Database", weight, config, _EVERY_WAY)


def _application(id_: str, name: str, kind: str, weight: int, **config: Any) -> Service:
    return Service(id_, name, kind, weight, {"schema": "{schema}", **config})


def _files(id_: str, name: str, weight: int, ways: tuple[str, ...] = (), **config: Any) -> Service:
    config = {"schema": "{schema}", "table": "{table}", **config}
    return Service(id_, name, "File", weight, config, ways, table=True)


def _events(id_: str, name: str, weight: int, ways: tuple[str, ...] = (), **config: Any) -> Service:
    return Service(id_, name, "Events", weight, {"schema": "{schema}", **config}, ways)


#: A MongoDB names all members of its replica set: it has ``hosts`` and no ``host``.
MONGO = Service(
    "mongo",
    "MongoDB",
    "Database",
    3,
    {
        "hosts": (
            "{team}-{number}-a.db.example.com:27017",
            "{team}-{number}-b.db.example.com:27017",
        ),
        "user": "fivetran_reader",
        "password": MASKED,
        "schema_prefix": "{schema}",
        "always_encrypted": True,
        "packing_mode": "UseUnpackedModeOnly",
    },
    _EVERY_WAY,
)

#: Code of the company's own. ``config.package_id`` names a package of the Connector SDK.
CONNECTOR_SDK = Service(
    "connector_sdk",
    "Connector SDK",
    "Function",
    2,
    {"schema": "{schema}", "python_version": "3.12", "secrets_list": MASKED},
)

SERVICES: tuple[Service, ...] = (
    _database("postgres", "PostgreSQL", 12, 5432, "WAL_PGOUTPUT"),
    _application(
        "salesforce", "Salesforce", "Sales", 9, is_sandbox=False, domain="{team}.my.salesforce.com"
    ),
    _database("mysql", "MySQL", 9, 3306, "BINLOG"),
    _application("hubspot", "HubSpot", "Marketing", 4, auth_type="OAuth"),
    _database("sql_server", "SQL Server", 7, 1433, "NATIVE_UPDATE"),
    _files(
        "s3",
        "Amazon S3",
        4,
        ("PrivateLink",),
        bucket="example-{team}-landing",
        file_type="parquet",
        role_arn=MASKED,
    ),
    _database("postgres_rds", "Amazon RDS for PostgreSQL", 5, 5432, "XMIN"),
    _application("zendesk", "Zendesk Support", "Support", 3, domain="{team}-example.zendesk.com"),
    _database("aurora", "Amazon Aurora MySQL", 4, 3306, "BINLOG"),
    _files("google_sheets", "Google Sheets", 5, sheet_id="example-{number}", named_range="{table}"),
    _application("stripe", "Stripe", "Finance", 4, secret_key=MASKED),
    _database("oracle", "Oracle", 3, 1521, "TELEPORT"),
    _application("jira", "Jira", "Engineering", 4, host="example.atlassian.net", api_token=MASKED),
    _events(
        "apache_kafka",
        "Apache Kafka",
        3,
        _EVERY_WAY,
        servers=("kafka-1.example.com:9093", "kafka-2.example.com:9093"),
        sync_type="Packed",
        security_protocol="TLS",
        client_cert_key=MASKED,
    ),
    _application("google_ads", "Google Ads", "Marketing", 4, customer_id="000-000-{number}"),
    _application("facebook_ads", "Facebook Ads", "Marketing", 3, sync_mode="AllAccounts"),
    MONGO,
    _files(
        "sftp",
        "SFTP",
        2,
        ("SshTunnel", "ProxyAgent"),
        host="sftp.example.com",
        user="fivetran",
        private_key=MASKED,
    ),
    _application(
        "netsuite_suiteanalytics", "NetSuite SuiteAnalytics", "Finance", 3, token_secret=MASKED
    ),
    _application("shopify", "Shopify", "Sales", 3, shop="{team}-example"),
    _events("webhooks", "Webhooks", 2, sync_format="Unpacked"),
    _application("github", "GitHub", "Engineering", 2, sync_mode="AllRepositories", pat=MASKED),
    _application(
        "workday",
        "Workday",
        "HumanResources",
        2,
        tenant="example",
        username="fivetran",
        password=MASKED,
    ),
    _database("sql_server_rds", "Amazon RDS for SQL Server", 2, 1433, "TELEPORT"),
    _application(
        "servicenow", "ServiceNow", "Support", 2, instance="example", client_secret=MASKED
    ),
    _files("gcs", "Google Cloud Storage", 2, bucket="example-{team}", file_type="csv"),
    _application(
        "google_analytics_4", "Google Analytics 4", "Marketing", 3, accounts=("example-{team}",)
    ),
    _application(
        "marketo", "Marketo", "Marketing", 2, rest_url="https://example.mktorest.com", secret=MASKED
    ),
    _events("segment", "Segment", 2, sync_type="S3", bucket="example-{team}"),
    _application("linkedin_ads", "LinkedIn Ads", "Marketing", 2, sync_mode="AllAccounts"),
    _database("maria", "MariaDB", 2, 3306, "BINLOG"),
    _application("intercom", "Intercom", "Support", 2, auth_type="OAuth"),
    _application("klaviyo", "Klaviyo", "Marketing", 2, api_key=MASKED),
    _application("greenhouse", "Greenhouse", "HumanResources", 1, api_key=MASKED),
    _application("zuora", "Zuora", "Finance", 1, subdomain="rest.zuora.com", client_secret=MASKED),
    CONNECTOR_SDK,
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
        ("PrivateLink",),
    ),
)

#: The platform connection that every group of a healthy estate has.
PLATFORM = Service(
    "fivetran_log",
    "Fivetran Platform",
    "Log",
    0,
    {"schema": "{schema}", "is_account_level_connector": False},
)

#: A service whose end Fivetran has announced, and one that is not yet generally available.
SUNSET = _application(
    "google_analytics",
    "Google Analytics (Universal)",
    "Marketing",
    0,
    sync_mode="AllAccounts",
)
BETA = _application("attio", "Attio", "Sales", 0, auth_type="OAuth")

#: Services that a healthy estate does without. Companies ban the first: what somebody drops there
#: has passed no check. The second is an advertising platform, which people connect by themselves.
DROP_BOX = _application("dropbox", "Dropbox", "File", 0, folder_path="/exports")
TIKTOK = _application("tiktok_ads", "TikTok Ads", "Marketing", 0, sync_mode="AllAccounts")

BY_ID: Mapping[str, Service] = MappingProxyType(
    {service.id: service for service in (*SERVICES, PLATFORM, SUNSET, BETA, DROP_BOX, TIKTOK)}
)
#: What the books are closed with: in a healthy estate its delays raise alerts early.
STRIPE = BY_ID["stripe"]
LEDGERS = frozenset({STRIPE.id, "netsuite_suiteanalytics", "zuora"})
#: Advertising platforms, which restate whole days: in a healthy estate they sync rarely.
ADVERTISING = frozenset({"google_ads", "facebook_ads", "linkedin_ads", TIKTOK.id})
DATABASES = frozenset(service.id for service in SERVICES if service.kind == "Database")
