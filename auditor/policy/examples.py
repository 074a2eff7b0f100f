"""The examples that stand beside a rule: read, and run.

``given`` is laid over one documented healthy record: dotted paths are allowed, objects are merged
deeply, lists are replaced, null is null; ``without`` leaves fields out. A rule with ``per`` takes
a list of such records. The clock stands still at ``NOW``.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from auditor.model import Position, Verdict
from auditor.policy.nodes import Mapping as MappingNode
from auditor.policy.nodes import Node, Scalar, Sequence, plain_value
from auditor.policy.problems import Problems
from auditor.policy.suggest import nearest
from auditor.text import listed, one_line

#: The time at which examples are judged.
NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)

#: A healthy connection, as the API lists it: what ``given`` is laid over.
HEALTHY: Mapping[str, Any] = {
    "id": "sample_connection",
    "service": "postgres",
    "schema": "orders",
    "group_id": "sample_group",
    "paused": False,
    "pause_after_trial": False,
    "sync_frequency": 60,
    "schedule_type": "auto",
    "status": {
        "setup_state": "connected",
        "sync_state": "scheduled",
        "update_state": "on_schedule",
        "is_historical_sync": False,
        "rescheduled_for": None,
        "tasks": [],
        "warnings": [],
    },
    "config": {"host": "db.example.com", "port": 5432, "database": "orders"},
    "service_version": 3,
    "connected_by": "service_account",
    "created_at": "2025-01-15T09:00:00Z",
    "succeeded_at": "2026-01-15T11:40:00Z",
    "failed_at": None,
    "data_delay_sensitivity": "NORMAL",
    "data_delay_threshold": 0,
    "setup_tests": [
        {"title": "Connecting to host", "status": "PASSED", "message": "", "details": ""},
        {"title": "Validating certificate", "status": "PASSED", "message": "", "details": ""},
    ],
    "networking_method": "PrivateLink",
    "private_link_id": "sample_private_link",
    "proxy_agent_id": None,
    "hybrid_deployment_agent_id": None,
    "destination_schema_names": "FIVETRAN_NAMING",
}

_KEYS = ("given", "without", "expect", "message")
_EXPECTED = {v.label: v for v in (Verdict.PASS, Verdict.FAIL, Verdict.SKIP, Verdict.ERROR)}


@dataclass(frozen=True, slots=True)
class Example:
    """One example: the records it is judged on, and the verdict (and message) it expects.

    Of a ``per`` rule the expected verdict is that of at least one group.
    """

    position: Position
    records: tuple[Mapping[str, Any], ...]
    expect: Verdict
    message: str | None = None


def read_examples(node: Node | None, problems: Problems, *, grouped: bool) -> tuple[Example, ...]:
    """Return the examples under ``tests``, noting what is wrong with the others."""
    if node is None:
        return ()
    if not isinstance(node, Sequence):
        problems.add(node.position, "tests: takes a list", "as - {given: {…}, expect: fail}")
        return ()
    found = (_example(item, problems, grouped=grouped) for item in node.items)
    return tuple(example for example in found if example is not None)


def laid_over(given: Mapping[str, Any], without: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the healthy record with ``given`` laid over it and ``without`` left out."""
    record = copy.deepcopy(dict(HEALTHY))
    _merge(record, given)
    for path in without:
        *above, last = path.split(".")
        holder: Any = record
        for step in above:
            holder = holder.get(step) if isinstance(holder, dict) else None
        if isinstance(holder, dict):
            holder.pop(last, None)
    return record


def _merge(record: dict[str, Any], given: Mapping[str, Any]) -> None:
    for path, value in given.items():
        *above, last = path.split(".")
        holder = record
        for step in above:
            if not isinstance(holder.get(step), dict):
                holder[step] = {}
            holder = holder[step]
        if isinstance(value, dict) and isinstance(holder.get(last), dict):
            _merge(holder[last], value)
        else:
            holder[last] = value


def _example(node: Node, problems: Problems, *, grouped: bool) -> Example | None:
    if not isinstance(node, MappingNode):
        problems.add(node.position, "a test is a mapping", "as {given: {…}, expect: fail}")
        return None
    for key, _ in node:
        if key.text not in _KEYS:
            told = f"a test has no key {one_line(key.text)}"
            problems.add(key.position, told, nearest(key.text, _KEYS))
            return None
    expect, given = node.get("expect"), node.get("given")
    verdict = _EXPECTED.get(expect.text) if isinstance(expect, Scalar) else None
    if verdict is None:
        at = expect or node
        problems.add(at.position, "a test expects a verdict", f"expect: {listed(_EXPECTED)}")
        return None
    records = _records(given, node, problems, grouped=grouped)
    if records is None:
        return None
    wanted = node.get("message")
    text = wanted.text if isinstance(wanted, Scalar) else None
    return Example(node.position, records, verdict, text)


def _records(
    given: Node | None, node: MappingNode, problems: Problems, *, grouped: bool
) -> tuple[Mapping[str, Any], ...] | None:
    without = plain_value(leave) if (leave := node.get("without")) is not None else []
    if not isinstance(without, list) or not all(isinstance(path, str) for path in without):
        problems.add(node.position, "without: takes a list of paths", "as [daily_sync_time]")
        return None
    values: Any = plain_value(given) if given is not None else {}
    several = values if isinstance(values, list) and grouped else [values]
    if isinstance(values, list) is not grouped or not all(isinstance(v, dict) for v in several):
        wanted = "a list of records" if grouped else "the fields of one record"
        problems.add((given or node).position, f"given: takes {wanted}")
        return None
    records = [laid_over(value, tuple(without)) for value in several]
    for number, (record, value) in enumerate(zip(records, several, strict=True), 1):
        if grouped and "id" not in value:
            record["id"] = f"sample_connection_{number}"
    return tuple(records)
