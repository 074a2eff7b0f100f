"""Cloud Custodian's value filters, by themselves: what a filter lets through is a violation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from c7n.filters.core import ValueFilter

from bench.answer import answer
from bench.peers.records import records


def _value(key: str, op: str, value: object, **more: str) -> dict[str, Any]:
    return {"type": "value", "key": key, "op": op, "value": value, **more}


#: For each rule, groups of filters: it is violated where all filters of a group let through.
_VIOLATED = {
    "R1": ([_value("sync_frequency", "lt", 15)], [_value("sync_frequency", "gt", 1440)]),
    "R2": ([_value("pause_after_trial", "ne", False)],),
    "R3": ([_value("schedule_type", "ne", "auto")],),
    "R4": ([_value("status.setup_state", "ne", "connected")],),
    # There is no "not a match"; a pattern may look ahead.
    "R5": ([_value("schema", "regex-case", r"(?![a-z][a-z0-9_]*(\.[a-z0-9_]+)?$)")],),
    "R6": (
        [
            _value("service", "in", ["postgres", "mysql", "sql_server"]),
            _value("networking_method", "not-in", ["PrivateLink", "SshTunnel"]),
        ],
    ),
    "R7": ([_value("sync_frequency", "eq", 1440), _value("daily_sync_time", "eq", None)],),
    "R8": (
        [_value("succeeded_at", "lte", "2025-12-01T00:00:00Z", value_type="date")],
        [_value("succeeded_at", "eq", None)],
    ),
    "R9": ([_value("length(setup_tests[?status=='FAILED'])", "gt", 0)],),
    "R10": ([_value("length(status.warnings)", "gt", 0)],),
}


def judge() -> Iterator[tuple[str, str]]:
    """Yield each violation."""
    made = {
        rule: [[ValueFilter(data).validate() for data in group] for group in groups]
        for rule, groups in _VIOLATED.items()
    }
    for groups in made.values():
        for one in (one for group in groups for one in group):
            one.annotate = False
    for record in records():
        for rule, groups in made.items():
            if any(all(one(record) for one in group) for group in groups):
                yield rule, record["id"]


if __name__ == "__main__":
    answer(judge())
