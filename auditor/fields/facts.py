"""The API's lists that say more about a connection, as Fivetran documents them.

A row of this table is all that another list takes: its endpoint, which field of a connection (or of
another fact) names its row, and what a row holds. Fields are from Fivetran's REST documentation and
its OpenAPI file of 2026-07.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec
from msgspec.structs import replace

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


class FactList(msgspec.Struct, frozen=True):
    """One list of the API, and how its rows are found for a connection.

    ``name`` begins the paths of its fields, ``resource`` is what ``--with`` and messages call the
    list, ``path`` where the API has it. ``key`` is the field of a connection, or of another fact,
    that names a row, and ``column`` the field of the row that has the same value; both are empty
    for what the account has one of. ``identity`` is the field that tells rows apart. With
    ``several`` a connection has an array of rows, and those that ``shared`` says (a field and its
    value) belong to every connection. ``spelled`` are fields that the API calls by another name.

    A row without its ``column`` may still say where it belongs: ``through`` is another fact and the
    field that names a row of that one, which has the column; ``members`` is an array of the ids of
    the connections that it is for, and of no other. ``row`` is what one row is called, where the
    list's name does not say it.
    """

    name: str
    resource: str
    path: str
    key: str
    column: str
    fields: tuple[Field, ...]
    identity: str = "id"
    several: bool = False
    shared: tuple[str, str] | None = None
    spelled: tuple[tuple[str, str], ...] = ()
    through: tuple[str, str] | None = None
    members: str = ""
    row: str = ""

    @property
    def noun(self) -> str:
        """What one row of it is called."""
        return self.row or self.resource.replace("-", " ").removesuffix("s")

    @property
    def single(self) -> bool:
        """Whether the account has exactly one of it, and the API no list."""
        return not self.key


def _fields(name: str, doc: str, *fields: Field, several: bool = False) -> tuple[Field, ...]:
    """Return the fields of a row below ``name``, after the fact itself."""
    below = f"{name}[]." if several else f"{name}."
    return (
        Field(name, _A if several else _O, doc, joined=True),
        *(replace(field, path=below + field.path, joined=True) for field in fields),
    )


_LISTS = (
    FactList(
        "group",
        "groups",
        "/v1/groups",
        "group_id",
        "id",
        _fields(
            "group",
            "The connection's group.",
            Field("id", _S, "The group's id.", always=True),
            Field("name", _S, "The group's name, which is the destination's.", always=True),
            Field("created_at", _T, "When the group was made.", always=True),
        ),
    ),
    FactList(
        "destination",
        "destinations",
        "/v1/destinations",
        "group_id",
        "group_id",
        _fields(
            "destination",
            "The destination of the connection's group.",
            Field("id", _S, "The destination's id, which is its group's.", always=True),
            Field("group_id", _S, "The group that it belongs to.", always=True),
            Field("service", _S, "Its type, such as snowflake or big_query.", always=True),
            Field("region", _S, "Where data is processed, such as AWS_EU_WEST_1.", always=True),
            Field("time_zone_offset", _S, "Hours from UTC, as text.", always=True),
            Field(
                "setup_status",
                _S,
                "Whether the set-up is finished and works.",
                values=("INCOMPLETE", "CONNECTED", "BROKEN"),
                always=True,
            ),
            Field("daylight_saving_time_enabled", _B, "Whether it follows summer time."),
            Field(
                "networking_method",
                _S,
                "The network path to the destination.",
                values=("Directly", "SshTunnel", "PrivateLink", "ProxyAgent"),
            ),
            Field("private_link_id", _S, "The private link in use."),
            Field("proxy_agent_id", _S, "The proxy agent in use."),
            Field("hybrid_deployment_agent_id", _S, "The hybrid deployment agent in use."),
            Field("local_processing_agent_id", _S, "The agent's earlier name."),
            Field("external_secrets_manager_id", _S, "The secrets manager in use."),
        ),
    ),
    FactList(
        "owner",
        "users",
        "/v1/users",
        "connected_by",
        "id",
        _fields(
            "owner",
            "The user who set the connection up.",
            Field("id", _S, "The user's id.", always=True),
            Field("email", _S, "The address that the user logs in with.", always=True),
            Field("given_name", _S, "The first name."),
            Field("family_name", _S, "The last name."),
            Field("role", _S, "The role in the account, such as Account Administrator."),
            Field("verified", _B, "Whether the address was confirmed.", always=True),
            Field("invited", _B, "Whether the user was invited and has not come yet."),
            Field("active", _B, "Whether the user may log in.", always=True),
            Field("logged_in_at", _T, "When the user last logged in; null if never."),
            Field("created_at", _T, "When the user was added.", always=True),
            Field("phone", _S, "The telephone number.", exposure=_HIDDEN),
            Field("picture", _S, "A link to a picture.", exposure=_HIDDEN),
        ),
    ),
    FactList(
        "role",
        "roles",
        "/v1/roles",
        "owner.role",
        "name",
        _fields(
            "role",
            "The role of the user who set the connection up.",
            Field("name", _S, "The role's name.", always=True),
            Field("description", _S, "What it allows."),
            Field("is_custom", _B, "Whether the account made it itself.", always=True),
            Field("is_deprecated", _B, "Whether Fivetran is taking it away.", always=True),
            Field("replacement_role_name", _S, "The role that takes its place."),
            Field("scope", _A, "What it is given for."),
            Field(
                "scope[]",
                _S,
                "A thing that it is given for.",
                values=("ACCOUNT", "DESTINATION", "CONNECTOR", "TEAM"),
            ),
        ),
        identity="name",
    ),
    FactList(
        "connector_type",
        "connector-types",
        "/v1/metadata/connector-types",
        "service",
        "id",
        _fields(
            "connector_type",
            "What Fivetran says of the connection's service.",
            Field("id", _S, "The service, such as postgres.", always=True),
            Field("name", _S, "Its name for people.", always=True),
            Field("type", _S, "Its category, such as Database or Finance.", always=True),
            Field("description", _S, "What it is."),
            Field("icon_url", _S, "A link to its icon."),
            Field("icons", _A, "Links to its icons."),
            Field("icons[]", _S, "A link to an icon."),
            Field("link_to_docs", _S, "A link to its documentation."),
            Field("link_to_erd", _S, "A link to a picture of its tables."),
            Field(
                "connector_class",
                _S,
                "How it is built.",
                values=("standard", "lite"),
            ),
            Field(
                "service_status",
                _S,
                "How ripe it is, or that it is being taken away.",
                values=(
                    "general_availability",
                    "beta",
                    "private_preview",
                    "sunset",
                    "development",
                ),
            ),
            Field("service_status_updated_at", _T, "Since when."),
            Field("supported_features", _A, "What it can do."),
            Field(
                "supported_features[].id",
                _S,
                "A feature, such as PRIVATE_NETWORKING.",
                values=(
                    "API_CONFIGURABLE",
                    "AUTHORIZATION_VIA_API",
                    "CAPTURE_DELETES",
                    "COLUMN_HASHING",
                    "CUSTOM_DATA",
                    "DATA_BLOCKING",
                    "FIVETRAN_DATA_MODELS",
                    "HISTORY",
                    "PRIORITY_FIRST_SYNC",
                    "PRIVATE_NETWORKING",
                    "RE_SYNC",
                    "ROW_FILTERING",
                ),
            ),
            Field("supported_features[].notes", _S, "What to know of it."),
        ),
    ),
    FactList(
        "private_link",
        "private-links",
        "/v1/private-links",
        "private_link_id",
        "id",
        _fields(
            "private_link",
            "The private link that the connection uses.",
            Field("id", _S, "The link's id.", always=True),
            Field("name", _S, "Its name.", always=True),
            Field("region", _S, "Where it is.", always=True),
            Field("service", _S, "What it leads to.", always=True),
            Field("cloud_provider", _S, "Whose cloud it is in.", always=True),
            Field(
                "state",
                _S,
                "Whether it works.",
                values=("CREATING", "UPDATING", "DESTROYING", "OK", "FAIL"),
                always=True,
            ),
            Field("state_summary", _S, "Why.", exposure=_HIDDEN),
            Field("resource_upstream_status", _S, "What its cloud says of it."),
            Field("host", _S, "The host at its other end.", exposure=_HIDDEN),
            Field("account_id", _S, "The account that it belongs to."),
            Field("created_at", _T, "When it was made.", always=True),
            Field("created_by", _S, "The user who made it.", always=True),
        ),
    ),
    FactList(
        "proxy_agent",
        "proxy",
        "/v1/proxy",
        "proxy_agent_id",
        "id",
        _fields(
            "proxy_agent",
            "The proxy agent that the connection uses.",
            Field("id", _S, "The agent's id."),
            Field("display_name", _S, "Its name."),
            Field("region", _S, "Where it is."),
            Field("version", _S, "Its version."),
            Field(
                "status",
                _S,
                "Whether it can be reached.",
                values=("NOT_FOUND", "CONNECTED", "NOT_CONNECTED"),
            ),
            Field("connector_count", _I, "How many connections use it."),
            Field("destination_count", _I, "How many destinations use it."),
            Field("registered_at", _T, "When it was registered."),
            Field("created_by", _S, "The user who registered it."),
            Field("account_id", _S, "The account that it belongs to."),
        ),
        row="proxy agent",
    ),
    FactList(
        "hybrid_agent",
        "hybrid-deployment-agents",
        "/v1/hybrid-deployment-agents",
        "hybrid_deployment_agent_id",
        "id",
        _fields(
            "hybrid_agent",
            "The hybrid deployment agent that the connection names itself.",
            Field("id", _S, "The agent's id.", always=True),
            Field("display_name", _S, "Its name.", always=True),
            Field("group_id", _S, "The group that it works for.", always=True),
            Field("version", _S, "Its version."),
            Field("enabled", _B, "Whether it may be used."),
            Field("online", _B, "Whether it answers."),
            Field("deployment_type", _S, "What it runs on, such as DOCKER."),
            Field("registered_at", _T, "When it was registered."),
            Field("updated_at", _T, "When it was last changed."),
            Field("last_used_at", _T, "When it last ran a sync."),
            Field("created_by", _S, "The user who registered it."),
            Field("usage", _A, "The connections that run on it."),
            Field("usage[].connection_id", _S, "A connection's id."),
            Field("usage[].schema", _S, "Its name."),
            Field("usage[].service", _S, "Its service."),
        ),
    ),
    FactList(
        "external_logging",
        "external-logging",
        "/v1/external-logging",
        "group_id",
        "id",
        _fields(
            "external_logging",
            "Where the logs of the connection's group are sent.",
            Field("id", _S, "The id, which is the group's.", always=True),
            Field("service", _S, "What they are sent to.", always=True),
            Field("enabled", _B, "Whether they are sent.", always=True),
            Field("status", _O, "Whether that works."),
            Field("status.setup_state", _S, "Whether it is set up, such as connected."),
            Field("status.tasks", _A, "What someone has to do before it works."),
            Field("status.tasks[].code", _S, "The task's code."),
            Field("status.tasks[].message", _S, "The task's text.", exposure=_HIDDEN),
            Field("status.tasks[].details", Kind.ANY, "More text.", exposure=_HIDDEN),
        ),
        row="log service",
    ),
    FactList(
        "webhooks",
        "webhooks",
        "/v1/webhooks",
        "group_id",
        "group_id",
        _fields(
            "webhooks",
            "The webhooks of the connection's group, and those of the whole account.",
            Field("id", _S, "The webhook's id.", always=True),
            Field("type", _S, "Whom it is for.", values=("group", "account"), always=True),
            Field("group_id", _S, "Its group; none for one of the account."),
            # Whoever knows it can post to it: many a service puts a token into the path.
            Field("url", _S, "Where events are sent.", always=True, exposure=_HIDDEN),
            Field("events", _A, "The events that are sent.", always=True),
            Field("events[]", _S, "An event, such as sync_end."),
            Field("active", _B, "Whether events are sent.", always=True),
            Field("secret", _S, "What signs the events.", exposure=_SECRET),
            Field("created_at", _T, "When it was made.", always=True),
            Field("created_by", _S, "The user who made it.", always=True),
            several=True,
        ),
        several=True,
        shared=("type", "account"),
    ),
    FactList(
        "transformations",
        "transformations",
        "/v1/transformations",
        "group_id",
        "group_id",
        _fields(
            "transformations",
            "The dbt transformations of the connection's group; of Quickstart, those that name it.",
            Field("id", _S, "The transformation's id.", always=True),
            Field("type", _S, "What it runs.", values=("DBT_CORE", "QUICKSTART"), always=True),
            Field("group_id", _S, "The group, where it is listed."),
            Field(
                "status",
                _S,
                "How it last went, or what it is doing.",
                values=(
                    "NEW",
                    "SCHEDULING",
                    "RUNNING",
                    "TERMINATING",
                    "SUCCEEDED",
                    "FAILED",
                    "BLOCKED",
                    "CANCELED",
                    "PARTIALLY_SUCCEEDED",
                ),
                always=True,
            ),
            Field("schedule", _O, "When it runs."),
            Field("schedule.schedule_type", _S, "The kind of schedule, such as INTEGRATED."),
            Field("schedule.interval", _I, "Minutes between runs."),
            Field("schedule.time_of_day", Kind.TIME_OF_DAY, "The time of a daily run."),
            Field("schedule.days_of_week", _A, "The days that it runs on."),
            Field("schedule.days_of_week[]", _S, "A day of the week."),
            Field("schedule.cron", _A, "Its expressions."),
            Field("schedule.cron[]", _S, "An expression."),
            Field("schedule.smart_syncing", _B, "Whether it runs only where data is new."),
            Field("schedule.connection_ids", _A, "The connections whose syncs start it."),
            Field("schedule.connection_ids[]", _S, "A connection's id."),
            Field("schedule.transformation_ids", _A, "The transformations whose ends start it."),
            Field("schedule.transformation_ids[]", _S, "A transformation's id."),
            Field("transformation_config", _O, "What it is made of."),
            Field("transformation_config.project_id", _S, "Its dbt project."),
            Field("transformation_config.name", _S, "Its name."),
            Field("transformation_config.package_name", _S, "Its Quickstart package."),
            Field("transformation_config.upgrade_available", _B, "Whether a newer one is there."),
            Field("transformation_config.connection_ids", _A, "The connections that it works on."),
            Field("transformation_config.connection_ids[]", _S, "A connection's id."),
            Field("paused", _B, "Whether it is paused.", always=True),
            Field("created_at", _T, "When it was made.", always=True),
            Field("created_by_id", _S, "The user who made it."),
            Field("last_started_at", _T, "When it last started."),
            Field("last_ended_at", _T, "When it last ended."),
            Field("output_model_names", _A, "The models that it makes."),
            Field("output_model_names[]", _S, "A model."),
            several=True,
        ),
        several=True,
        through=("transformation_projects", "transformation_config.project_id"),
        members="transformation_config.connection_ids",
    ),
    FactList(
        "transformation_projects",
        "transformation-projects",
        "/v1/transformation-projects",
        "group_id",
        "group_id",
        _fields(
            "transformation_projects",
            "The dbt projects of the connection's group.",
            Field("id", _S, "The project's id.", always=True),
            Field("type", _S, "What it runs, such as DBT_CORE.", always=True),
            Field("group_id", _S, "The group that it belongs to.", always=True),
            Field("created_at", _T, "When it was made.", always=True),
            Field("created_by_id", _S, "The user or the system key that made it."),
            several=True,
        ),
        several=True,
    ),
    FactList(
        "account",
        "account",
        "/v1/account/info",
        "",
        "",
        _fields(
            "account",
            "The account that is judged.",
            Field("id", _S, "The account's id.", always=True),
            Field("name", _S, "Its name."),
            Field("user_id", _S, "The user whose key asks."),
            Field("system_key_id", _S, "The system key that asks."),
        ),
        spelled=(("id", "account_id"), ("name", "account_name")),
    ),
)

#: Every list by the name that its facts begin with.
FACT_LISTS: Mapping[str, FactList] = MappingProxyType({each.name: each for each in _LISTS})
