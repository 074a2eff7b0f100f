"""What live accounts hold and no documentation has: words, types, nulls and fields.

Each was recorded by somebody, or is described in a change log or a bug report: an open enum has a
new word, a number comes as text, an object stands where text should. ``undocumented``, the fault,
puts them on rows of a list in turn; a healthy estate has none of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

#: One row in this many is odd.
EVERY = 3

#: Changes by the last word of an endpoint's name: a dotted path, and the value that is there.
ODDITIES: Mapping[str, Sequence[tuple[str, Any]]] = MappingProxyType(
    {
        "connections": (
            ("status.setup_state", "disconnected"),
            ("networking_method", "UnmanagedPrivateLink"),
            ("sync_frequency", "360"),
            ("status.sync_state", "throttled"),
            ("status.schema_status", "BLOCKED_ON_REVIEW"),
            ("sync_frequency", 0),
            ("status.tasks", [{"code": "reconnect", "message": None, "details": {}}]),
            ("data_delay_sensitivity", "low"),
            ("schedule_type", "orchestrated"),
            ("config", None),
            ("connected_by", None),
            ("status.setup_state", "BROKEN"),
            ("data_delay_threshold", None),
            ("daily_sync_time", "14:00:00"),
        ),
        "destinations": (
            ("setup_status", "connected"),
            ("region", "AWS_EU_SOUTH_3"),
            ("networking_method", None),
            ("time_zone_offset", -5),
        ),
        "users": (
            ("role", None),
            ("logged_in_at", None),
            ("active", "true"),
            ("email", ""),
        ),
        "connector-types": (
            ("service_status", "deprecated"),
            ("supported_features", None),
            ("type", "Artificial Intelligence"),
            ("connector_class", None),
        ),
        "webhooks": (("events", None), ("active", 1), ("type", "team")),
        "external-logging": (("status", None), ("enabled", None)),
        "private-links": (("state", "DEGRADED"), ("region", None)),
        "proxy": (("status", "DEGRADED"), ("connector_count", "3"), ("version", None)),
        "hybrid-deployment-agents": (("online", None), ("usage", None), ("version", 4)),
        "transformations": (("status", "SKIPPED"), ("paused", None)),
    }
)
_ELSEWHERE: Sequence[tuple[str, Any]] = (("created_at", None), ("name", None))


def odd(endpoint: str, number: int, row: dict[str, Any]) -> dict[str, Any]:
    """Return ``row``, the ``number``-th of a list, changed if it is its turn.

    Every changed row also has a field that nobody has documented.
    """
    turn, off = divmod(number, EVERY)
    if off:
        return row
    changes = ODDITIES.get(endpoint.rpartition("/")[2], _ELSEWHERE)
    path, value = changes[turn % len(changes)]
    parent, _, key = path.rpartition(".")
    holder = row.get(parent) if parent else row
    if isinstance(holder, dict):
        holder[key] = value
    return row | {"since_last_release": {"undocumented": True}}
