"""The connector types: what ``GET /v1/metadata/connector-types`` lists.

Every service of an estate is one, and so are the services that companies make lists of: databases,
advertising platforms, file stores, ledgers. Ids are those of Fivetran's OpenAPI file of 2026-07,
and so is what ``PRIVATE_NETWORKING`` means here: the settings of such a service know a private way.
The type of a warehouse that is read from is not documented; ``Warehouse`` is likely.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from auditor.sandbox.services import BETA, BY_ID, SUNSET

_BY_TYPE: Mapping[str, str] = MappingProxyType(
    {
        "Database": """
            aurora aurora_postgres aveva_pi azure_cosmos_for_mongo azure_postgres azure_sql_db
            azure_sql_managed_db cockroachdb convex cosmos db2i_hva db2i_sap_hva db2luw db2z
            documentdb dynamodb elastic_cloud epic_clarity es_self_hosted firebase
            google_cloud_mysql
            google_cloud_postgresql google_cloud_sqlserver heroku_postgres magento_mysql
            magento_mysql_rds maria maria_azure maria_rds mongo mongo_sharded mysql mysql_azure
            mysql_rds opendistro opensearch oracle oracle_ebs oracle_hva oracle_rac oracle_rds
            oracle_sap_hva oracle_sap_hva_netweaver planetscale postgres postgres_rds sap_hana_db
            singlestore_source sql_server sql_server_hva sql_server_rds sql_server_sap_ecc_hva
        """,
        "Warehouse": "bigquery_db databricks_db snowflake_db",
        "File": """
            azure_blob_storage box dropbox email ftp gcs google_drive google_sheets one_drive s3
            s3_compatible_storage sftp share_point
        """,
        "Events": """
            apache_kafka aws_msk azure_event_hub azure_service_bus confluent_cloud heroku_kafka
            kinesis segment snowplow webhooks
        """,
        "Function": "aws_lambda azure_function connector_sdk google_cloud_function",
        "Log": "fivetran_log",
        "Marketing": """
            adform adroll amazon_ads amazon_dsp apple_search_ads bingads brave_ads braze criteo
            double_click_campaign_manager facebook_ads google_ads google_analytics
            google_analytics_4 google_display_and_video_360 google_search_ads_360 hubspot iterable
            klaviyo line_ads linkedin_ads mailchimp marketo outbrain pinterest_ads quora_ads
            reddit_ads snapchat_ads spotify_ads taboola the_trade_desk tiktok_ads twitter_ads
            yahoo_dsp
        """,
        "Finance": """
            adyen braintree brex chargebee_product_catalog_2 coupa freshbooks
            netsuite_suiteanalytics paypal quickbooks ramp recurly sage_intacct stripe
            workday_financial_management xero zuora
        """,
        "HumanResources": """
            adp_workforce_now ashby bamboohr greenhouse hibob lever namely paylocity personio
            rippling sap_success_factors ukg_pro workable workday workday_hcm
        """,
        "Sales": "attio close copper gongio outreach pipedrive salesforce shopify square",
        "Support": "freshdesk gladly helpscout intercom kustomer servicenow zendesk",
        "Engineering": "github gitlab jira launchdarkly linear pagerduty sentry",
        "Productivity": "airtable asana clickup monday notion smartsheet",
        "Security": "auth0 aws_cloudtrail okta onetrust snyk",
        "BITool": "looker_source mode tableau_source",
    }
)
#: Databases and warehouses whose settings have no private path, and the others that do.
_PUBLIC_ONLY = frozenset(
    {"convex", "cosmos", "databricks_db", "firebase", "planetscale", "singlestore_source"}
)
_PRIVATE_TOO = frozenset({"apache_kafka", "aws_lambda", "s3", "sftp"})
_NOT_GENERAL: Mapping[str, str] = MappingProxyType(
    {
        SUNSET.id: "sunset",
        BETA.id: "beta",
        "brave_ads": "private_preview",
        "aveva_pi": "beta",
        "line_ads": "development",
    }
)
_LITE = frozenset({"brave_ads", "gladly", "line_ads", "quora_ads", "spotify_ads"})


def connector_types() -> Iterator[dict[str, Any]]:
    """Yield every connector type, by id, with the fields and the words of Fivetran's spec."""
    kinds = {id_: kind for kind, ids in _BY_TYPE.items() for id_ in ids.split()}
    for id_, kind in sorted(kinds.items()):
        name = BY_ID[id_].name if id_ in BY_ID else id_.replace("_", " ").title()
        row: dict[str, Any] = {
            "id": id_,
            "name": name,
            "type": kind,
            "description": f"{name} is a source of the sandbox.",
            "icon_url": f"https://fivetran.com/integrations/{id_}/resources/icon.svg",
            "link_to_docs": f"https://fivetran.com/docs/connectors/{id_}",
            "connector_class": "lite" if id_ in _LITE else "standard",
            "supported_features": [{"id": feature} for feature in _features(id_, kind)],
            "service_status": _NOT_GENERAL.get(id_, "general_availability"),
        }
        # Both are optional, and both are left out of many types.
        if id_ in _NOT_GENERAL or kind in ("Database", "Finance"):
            row["service_status_updated_at"] = "2026-03-02"
        if kind not in ("File", "Events", "Function"):
            row["link_to_erd"] = f"https://example.com/erd/{id_}"
        yield row


def _features(id_: str, kind: str) -> Iterator[str]:
    yield from ("API_CONFIGURABLE", "RE_SYNC")
    source = kind in ("Database", "Warehouse")
    if source or kind in ("Finance", "Sales"):
        yield from ("CAPTURE_DELETES", "DATA_BLOCKING", "COLUMN_HASHING", "HISTORY")
    if (source and id_ not in _PUBLIC_ONLY) or id_ in _PRIVATE_TOO:
        yield "PRIVATE_NETWORKING"
    if source:
        yield "ROW_FILTERING"
