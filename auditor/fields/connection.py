"""The fields of a connection, as Fivetran documents them.

From Fivetran's REST documentation and OpenAPI files of 2026-06 to 2026-09, and from records of
the live API.
"""

from __future__ import annotations

from auditor.clock import WEEKDAYS
from auditor.fields.kinds import Exposure, Field, Kind

_S, _I, _B, _T, _O, _A = (
    Kind.STRING,
    Kind.INTEGER,
    Kind.BOOLEAN,
    Kind.TIMESTAMP,
    Kind.OBJECT,
    Kind.ARRAY,
)
_HIDDEN, _SECRET = Exposure.HIDDEN, Exposure.SECRET

#: Fields that name a connection. They are always decoded, always shown, and never guessed at.
IDENTITY = ("id", "service", "schema", "group_id")


def _notices(path: str, doc: str) -> tuple[Field, ...]:
    return (
        Field(path, _A, doc),
        Field(f"{path}[].code", _S, "The notice's code, such as reconnect."),
        Field(f"{path}[].message", _S, "The notice's text.", exposure=_HIDDEN),
        Field(f"{path}[].details", Kind.ANY, "More text, or an object.", exposure=_HIDDEN),
    )


#: Below it is a Terraform plan's say of a connection; a listing has none of it.
PLAN = "plan"
#: Below it is what a plan sets of a connection's schemas; a listing has none of it.
SCHEMA_CONFIG = "schema_config"
#: Below it are a connection's own fields once more, as they were before the plan.
BEFORE = f"{PLAN}.before"

#: What a record of ``GET /v1/connections`` holds.
CONNECTION_FIELDS: tuple[Field, ...] = (
    Field("id", _S, "The connection's unique id.", always=True),
    # All 773 services of Fivetran's OpenAPI definition (2026-07) are in small letters.
    Field(
        "service",
        _S,
        "The source's type, such as postgres or salesforce.",
        always=True,
        lower=True,
    ),
    Field("schema", _S, "The connection's name, and its schema in the destination.", always=True),
    Field("group_id", _S, "The group the connection belongs to.", always=True),
    Field("paused", _B, "Whether the connection is paused.", always=True),
    Field("pause_after_trial", _B, "Whether it pauses when its trial ends.", always=True),
    Field(
        "sync_frequency",
        _I,
        "Minutes between syncs; null where the schedule has no single cadence.",
        values=(1, 5, 15, 30, 60, 120, 180, 360, 480, 720, 1440),
    ),
    Field(
        "schedule_type",
        _S,
        "auto: Fivetran schedules syncs; manual: only the API starts them.",
        values=("auto", "manual"),
        always=True,
    ),
    Field("schedule", _O, "The schedule in full (since 2026-09)."),
    Field(
        "schedule.schedule_type",
        _S,
        "The kind of schedule.",
        values=("INTERVAL", "TIME_OF_DAY", "CRON", "MANUAL"),
    ),
    Field("schedule.interval", _I, "Minutes between syncs, of an INTERVAL schedule."),
    Field("schedule.time_of_day", Kind.TIME_OF_DAY, "The time of a TIME_OF_DAY schedule."),
    Field("schedule.days_of_week", _A, "The days of a schedule, such as MONDAY."),
    Field(
        "schedule.days_of_week[]",
        _S,
        "A day of the week.",
        values=WEEKDAYS,
    ),
    Field("schedule.cron", _S, "The expression of a CRON schedule.", free=True),
    Field(
        "daily_sync_time",
        Kind.TIME_OF_DAY,
        "HH:MM in UTC, when a daily sync starts; only with sync_frequency 1440 and when set.",
    ),
    Field("status", _O, "The connection's health.", always=True),
    Field(
        "status.setup_state",
        _S,
        "Whether the set-up is finished and works.",
        values=("incomplete", "connected", "broken"),
    ),
    Field(
        "status.sync_state",
        _S,
        "What the connection is doing.",
        values=("scheduled", "syncing", "paused", "rescheduled"),
    ),
    Field(
        "status.update_state",
        _S,
        "Whether the data is as fresh as it should be.",
        values=("on_schedule", "delayed"),
    ),
    Field(
        "status.schema_status",
        _S,
        "Whether the schema waits for someone; only services with column masking.",
        values=("ready", "blocked_on_capture", "blocked_on_customer"),
    ),
    Field("status.is_historical_sync", _B, "Whether a historical sync is under way."),
    Field("status.rescheduled_for", _T, "When a rescheduled sync will run."),
    *_notices("status.tasks", "What someone has to do before the connection works."),
    *_notices("status.warnings", "What someone should look at."),
    Field(
        "config",
        _O,
        "The service's own settings; Fivetran masks the secrets in it.",
        open=True,
        exposure=_HIDDEN,
    ),
    Field("service_version", _I, "The version of the service's connector."),
    Field("connected_by", _S, "The user who set it up, or _fivetran_system."),
    Field("created_at", _T, "When the connection was made.", always=True),
    Field("succeeded_at", _T, "When a sync last succeeded; null before the first."),
    Field("failed_at", _T, "When a sync last failed; null if none did."),
    Field(
        "data_delay_sensitivity",
        _S,
        "How soon a delay raises an alert.",
        values=("LOW", "NORMAL", "HIGH", "CUSTOM", "SYNC_FREQUENCY"),
    ),
    Field("data_delay_threshold", _I, "Minutes of delay before an alert, with CUSTOM."),
    Field("data_checks", _B, "Whether loaded data is validated (since 2026-10)."),
    Field("setup_tests", _A, "The results of the set-up tests."),
    Field("setup_tests[].title", _S, "The test's name."),
    Field(
        "setup_tests[].status",
        _S,
        "How the test ended.",
        values=("PASSED", "SKIPPED", "WARNING", "FAILED", "JOB_FAILED"),
    ),
    Field("setup_tests[].message", _S, "What the test said.", exposure=_HIDDEN),
    Field("setup_tests[].details", Kind.ANY, "More of it.", exposure=_HIDDEN),
    Field(
        "networking_method",
        _S,
        "The network path to the source.",
        values=(
            "Directly",
            "SshTunnel",
            "PrivateLink",
            "UnmanagedPrivateLink",
            "ProxyAgent",
            "UnmanagedProxyAgent",
            "Unknown",
        ),
    ),
    Field("private_link_id", _S, "The private link in use."),
    Field("proxy_agent_id", _S, "The proxy agent in use."),
    Field(
        "hybrid_deployment_agent_id",
        _S,
        "The hybrid deployment agent; null inherits the destination's.",
    ),
    Field(
        "source_sync_details",
        _O,
        "What the source says of its syncs.",
        open=True,
        exposure=_HIDDEN,
    ),
    Field("connect_card", _O, "A link for finishing the set-up.", exposure=_SECRET),
    Field("connect_card.token", _S, "A live token.", exposure=_SECRET),
    Field("connect_card.uri", _S, "A link that embeds the token.", exposure=_SECRET),
    Field("connect_card_config", _O, "How the connect card behaves."),
    Field("connect_card_config.redirect_uri", _S, "Where it leads to.", free=True),
    Field("connect_card_config.hide_setup_guide", _B, "Whether it hides the guide."),
    Field("connect_card_config.all_fields", _B, "Whether it asks for every field."),
    Field("destination_configuration", _O, "The connection's settings in its destination."),
    Field("destination_configuration.virtual_warehouse", _S, "The Snowflake warehouse."),
    Field(
        "destination_schema_names",
        _S,
        "How tables and columns are named.",
        values=("FIVETRAN_NAMING", "SOURCE_NAMING"),
    ),
    Field("external_secrets_manager_id", _S, "The secrets manager in use."),
    Field(
        "external_secrets_keys_config",
        _O,
        "Which secrets it holds.",
        open=True,
        exposure=_HIDDEN,
    ),
    Field(SCHEMA_CONFIG, _O, "What is synced from the source; only in a Terraform plan."),
    Field(
        f"{SCHEMA_CONFIG}.schema_change_handling",
        _S,
        "What becomes of schemas, tables and columns that are new in the source.",
        values=("ALLOW_ALL", "ALLOW_COLUMNS", "BLOCK_ALL"),
    ),
    Field(f"{SCHEMA_CONFIG}.tables", _A, "The tables that the configuration names."),
    Field(f"{SCHEMA_CONFIG}.tables[].schema", _S, "The table's schema in the source."),
    Field(f"{SCHEMA_CONFIG}.tables[].name", _S, "The table's name in the source."),
    Field(f"{SCHEMA_CONFIG}.tables[].enabled", _B, "Whether it is synced."),
    Field(
        f"{SCHEMA_CONFIG}.tables[].sync_mode",
        _S,
        "How it is kept.",
        values=("SOFT_DELETE", "HISTORY", "LIVE"),
    ),
    Field(f"{SCHEMA_CONFIG}.columns", _A, "The columns that the configuration names."),
    Field(f"{SCHEMA_CONFIG}.columns[].schema", _S, "The schema of the column's table."),
    Field(f"{SCHEMA_CONFIG}.columns[].table", _S, "The column's table."),
    Field(f"{SCHEMA_CONFIG}.columns[].name", _S, "The column's name in the source."),
    Field(f"{SCHEMA_CONFIG}.columns[].enabled", _B, "Whether it is synced."),
    Field(f"{SCHEMA_CONFIG}.columns[].hashed", _B, "Whether its values are hashed."),
    Field(PLAN, _O, "What a Terraform plan does to the connection; only in a plan."),
    Field(
        f"{PLAN}.action",
        _S,
        "What it does.",
        values=("create", "update", "replace", "delete", "forget", "no-op"),
    ),
    Field(f"{PLAN}.address", _S, "The resource's address, such as fivetran_connector.orders."),
    Field(f"{PLAN}.changed", _A, "The fields that it changes."),
    Field(f"{PLAN}.changed[]", _S, "A field's path."),
    Field(f"{PLAN}.replace_reason", _A, "The attributes that force a replacement."),
    Field(f"{PLAN}.replace_reason[]", _S, "An attribute, or the plan's own word."),
    Field(f"{PLAN}.times_faster", _I, "How many times as often it syncs as before."),
    Field(f"{PLAN}.secrets_in_clear", _A, "The settings that hold a secret as plain text."),
    Field(f"{PLAN}.secrets_in_clear[]", _S, "A setting's path, such as config.password."),
    Field(BEFORE, _O, "The connection's fields as they were before the plan.", open=True),
)
