"""Every endpoint of the sandbox, in two closed tables.

An endpoint's name is its path below ``/v1/``, with ``{id}`` for what is there: ``groups``,
``groups/{id}``. Statuses, paging and filters are those of Fivetran's OpenAPI file of 2026-07;
paths below ``/v1/connectors`` are the older names of those below ``/v1/connections``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from auditor.sandbox import details

if TYPE_CHECKING:
    from auditor.sandbox.estate import SandboxEstate

Row = dict[str, Any]

CONNECTIONS = "connections"
#: Answered from indexes of the connections, and so by the API itself.
OF_CONNECTIONS = (
    CONNECTIONS,
    "connections/{id}",
    "connections/{id}/schemas",
    "groups/{id}/connections",
    "proxy/{id}/connections",
)
#: One object each, and no list.
OBJECTS = ("account/info", "external-logging/account")
_OLD_STEM = re.compile(r"(?:groups/[^/]+/)?(connectors)(?=/|\Z)")


def _as_listed(_estate: SandboxEstate, row: Row) -> Row:
    return row


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A list: its rows, the filters it takes, and how one of its rows is answered.

    ``filters`` maps a parameter to the field that it has to equal. ``noun`` names a row where
    none is found, after which ``code`` is the error's. Without ``single`` no row is asked for
    by its id.
    """

    name: str
    rows: Callable[[SandboxEstate], Sequence[Row]]
    noun: str
    filters: Mapping[str, str] = field(default_factory=dict)
    code: str = "NotFound"
    single: bool = True
    detail: Callable[[SandboxEstate, Row], Row] = _as_listed


LISTINGS: tuple[Endpoint, ...] = (
    Endpoint("groups", lambda e: e.groups, "Group", code="NotFound_Group"),
    Endpoint(
        "destinations", lambda e: e.lists.destinations, "Destination", detail=details.destination
    ),
    Endpoint("users", lambda e: e.lists.users, "User", {"active": "active"}),
    Endpoint("roles", lambda e: e.lists.roles, "Role", single=False),
    Endpoint("teams", lambda e: e.lists.teams, "Team"),
    Endpoint("metadata/connector-types", lambda e: e.connector_types, "Connector type"),
    Endpoint("webhooks", lambda e: e.lists.webhooks, "Webhook"),
    Endpoint(
        "external-logging", lambda e: e.lists.external_logging, "Log service", detail=details.tested
    ),
    Endpoint("private-links", lambda e: e.lists.private_links, "Private Link"),
    Endpoint("proxy", lambda e: e.lists.proxy_agents, "Proxy Agent"),
    Endpoint(
        "hybrid-deployment-agents",
        lambda e: e.lists.hybrid_agents,
        "Hybrid Deployment Agent",
        {"groupId": "group_id"},
    ),
    Endpoint(
        "transformations",
        lambda e: e.lists.transformations,
        "Transformation",
        {"group_id": "group_id", "project_id": "transformation_config.project_id", "type": "type"},
    ),
    Endpoint(
        "transformation-projects",
        lambda e: e.lists.transformation_projects,
        "Transformation Project",
        detail=details.project,
    ),
    Endpoint("system-keys", lambda e: e.lists.system_keys, "System key"),
    Endpoint("external-secrets-managers", lambda e: e.lists.secrets_managers, "Secrets manager"),
    Endpoint("connector-sdk/packages", lambda e: e.lists.packages, "Package"),
)

#: The endpoints that answer with a list, and those that answer with one object.
LIST_NAMES = (
    CONNECTIONS,
    "groups/{id}/connections",
    "proxy/{id}/connections",
    *(listing.name for listing in LISTINGS),
)
OBJECT_NAMES = (
    "connections/{id}",
    "connections/{id}/schemas",
    *(f"{listing.name}/{{id}}" for listing in LISTINGS if listing.single),
    *OBJECTS,
)
#: Whole paths first: ``external-logging/account`` is no log service of the id ``account``.
NAMES = tuple(sorted((*LIST_NAMES, *OBJECT_NAMES), key=lambda name: ("{" in name, name)))
_PATTERNS = tuple(
    (name, re.compile(re.escape(name).replace(r"\{id\}", "([^/]+)"))) for name in NAMES
)


def find(path: str) -> tuple[str, str] | None:
    """Return the name of the endpoint at ``path`` and the id in it ("" if none), or None."""
    if not path.startswith("/v1/"):
        return None
    rest = path.removeprefix("/v1/")
    if old := _OLD_STEM.match(rest):
        rest = f"{rest[: old.start(1)]}{CONNECTIONS}{rest[old.end(1) :]}"
    for name, pattern in _PATTERNS:
        if match := pattern.fullmatch(rest):
            return name, match[1] if match.groups() else ""
    return None
