"""The examples beside a rule, as they are written; ``testing/examples_run.py`` runs them.

``given`` is laid over one documented healthy record: dotted paths are allowed, objects are merged
deeply, lists are replaced, null is null; ``without`` leaves fields out. A rule with ``per`` takes a
list of such records. The time is always ``NOW``, unless a test file says otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import msgspec

from auditor.facts.columns import ColumnType, WrongValueError
from auditor.fields import FIELDS, Field, find, item_of
from auditor.model import Position, Verdict
from auditor.policy.loading.nodes import MappingNode, Node, ScalarNode, SequenceNode, plain_value
from auditor.policy.loading.problems import Problems
from auditor.redaction.fields import REDACTED, looks_secret
from auditor.suggest import nearest
from auditor.text import listed, one_line, printable, shortened

#: The time at which examples are judged.
NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)

#: A healthy connection, as the API lists it: the record that ``given`` is laid over.
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
    "connected_by": "_fivetran_system",
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
    # Facts: what other lists say about it.
    "group": {"id": "sample_group", "name": "Production", "created_at": "2024-06-01T09:00:00Z"},
    "destination": {
        "id": "sample_group",
        "group_id": "sample_group",
        "service": "snowflake",
        "region": "AWS_EU_WEST_1",
        "time_zone_offset": "0",
        "setup_status": "CONNECTED",
        "networking_method": "PrivateLink",
    },
    "owner": {
        "id": "svc_terraform",
        "email": "terraform@example.com",
        "role": "Account Administrator",
        "verified": True,
        "active": True,
        "logged_in_at": "2026-01-14T08:00:00Z",
        "created_at": "2024-06-01T09:00:00Z",
    },
    "role": {
        "name": "Account Administrator",
        "is_custom": False,
        "is_deprecated": False,
        "replacement_role_name": None,
        "scope": ["ACCOUNT"],
    },
    "connector_type": {
        "id": "postgres",
        "name": "PostgreSQL",
        "type": "Database",
        "connector_class": "standard",
        "service_status": "general_availability",
        "supported_features": [{"id": "PRIVATE_NETWORKING"}, {"id": "COLUMN_HASHING"}],
    },
    "private_link": {
        "id": "sample_private_link",
        "name": "orders",
        "region": "AWS_EU_WEST_1",
        "service": "SOURCE_AWS",
        "cloud_provider": "AWS",
        "state": "OK",
        "created_at": "2024-06-01T09:00:00Z",
        "created_by": "svc_terraform",
    },
    "external_logging": {"id": "sample_group", "service": "cloudwatch", "enabled": True},
    "webhooks": [
        {
            "id": "sample_webhook",
            "type": "group",
            "group_id": "sample_group",
            "url": "https://alerts.example.com/fivetran",
            "events": ["sync_end", "connection_failure"],
            "active": True,
            "created_at": "2024-06-01T09:00:00Z",
            "created_by": "svc_terraform",
        }
    ],
    "transformations": [
        {
            "id": "sample_transformation",
            "type": "QUICKSTART",
            "group_id": "sample_group",
            "status": "SUCCEEDED",
            "paused": False,
            "created_at": "2024-06-01T09:00:00Z",
            "last_ended_at": "2026-01-15T11:45:00Z",
        }
    ],
    "account": {"id": "sample_account", "name": "Sample"},
}

#: The keys of a test beside a rule.
KEYS = ("given", "without", "expect", "message")
#: The keys of a test file, and of a test in one.
FILE_KEYS = ("policy", "tests")
CASE_KEYS = ("name", "given", "without", "record", "vars", "now", "expect", "message")
_SHOWN = 300
VERDICTS = {v.label: v for v in (Verdict.PASS, Verdict.FAIL, Verdict.SKIP, Verdict.ERROR)}
TOLD = (Verdict.FAIL, Verdict.ERROR)
#: Returns the field that a path names, or None.
Find = Callable[[str], Field | None]


class Known(msgspec.Struct, frozen=True):
    """What an example may name: the fields that ``find`` knows.

    ``columns`` are those of the user's own facts, by path. A value of another type is a valid test
    if the API may send it, but no row of facts can have it.
    """

    find: Find = find
    columns: Mapping[str, ColumnType] = MappingProxyType({})


class Given(msgspec.Struct, frozen=True):
    """The records of an example, and what was written to make them, on one line."""

    records: tuple[Mapping[str, Any], ...]
    text: str


class Example(msgspec.Struct, frozen=True):
    """One example: the records it is judged on, and the verdict (and message) it expects.

    If a rule has several verdicts, on groups or on several records, the expected one is the most
    serious. ``name`` is empty beside a rule, where the position is enough. ``begins`` is where its
    test begins, if that is elsewhere; ``varied`` means that it has variables of its own. ``now`` is
    the time it is judged as of.
    """

    position: Position
    given: Given
    expect: Verdict
    message: str | None = None
    name: str = ""
    begins: Position | None = None
    varied: bool = False
    now: datetime = NOW

    @property
    def records(self) -> tuple[Mapping[str, Any], ...]:
        """The records that are judged."""
        return self.given.records


_DOCUMENTED = Known()


def read_examples(
    node: Node | None, problems: Problems, *, grouped: bool, known: Known = _DOCUMENTED
) -> tuple[Example, ...]:
    """Return the examples under ``tests``, recording what is wrong with the others.

    ``known`` is what ``given`` and ``without`` may name.
    """
    if node is None:
        return ()
    if not isinstance(node, SequenceNode):
        problems.add(node.position, "tests: takes a list", "write - {given: {…}, expect: fail}")
        return ()
    found = (_example(item, problems, known, grouped=grouped) for item in node.items)
    return tuple(example for example in found if example is not None)


def laid_over(given: Mapping[str, Any], without: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the healthy record with ``given`` laid over it and ``without`` left out.

    What neither touches is the healthy record's own, and not to be changed.
    """
    record: dict[str, Any] = dict(HEALTHY)
    _merge(record, given)
    for path in without:
        *above, last = path.split(".")
        holder: Any = record
        for step in above:
            held = holder.get(step)
            if not isinstance(held, dict):
                break
            holder[step] = holder = dict(held)
        else:
            holder.pop(last, None)
    return record


def read_given(
    node: MappingNode,
    problems: Problems,
    *,
    grouped: bool | None = None,
    known: Known = _DOCUMENTED,
) -> Given | None:
    """Return the records that ``given`` and ``without`` make; None if a problem was recorded.

    ``grouped`` means that a list of records is expected, False a single one, None either.
    """
    return given_of(
        node.get("given"), node.get("without"), node, problems, grouped=grouped, known=known
    )


def given_of(
    given: Node | None,
    leave: Node | None,
    node: Node,
    problems: Problems,
    *,
    grouped: bool | None = None,
    known: Known = _DOCUMENTED,
) -> Given | None:
    """Return the records that the nodes ``given`` and ``without``, below ``node``, make."""
    without: Any = plain_value(leave) if leave is not None else []
    if not isinstance(without, list) or not all(isinstance(path, str) for path in without):
        at = leave or node
        problems.add(at.position, "without: takes a list of paths", "such as [daily_sync_time]")
        return None
    values: Any = plain_value(given) if given is not None else [{}] if grouped else {}
    is_list = isinstance(values, list)
    several = values if is_list else [values]
    if (grouped is not None and is_list is not grouped) or not all(map(_is_object, several)):
        wanted = "a list of records" if grouped else "the fields of one record"
        problems.add((given or node).position, f"given: takes {wanted}")
        return None
    if not _are_known(given, leave, problems, known):
        return None
    records = [laid_over(value, tuple(without)) for value in several]
    for number, (record, value) in enumerate(zip(records, several, strict=True), 1):
        if is_list and "id" not in value and "id" in record:
            record["id"] = f"{HEALTHY['id']}_{number}"
    message = in_words(values) if values else ""
    if without:
        message = f"{message} without {listed(without, 'and')}".strip()
    return Given(tuple(records), message or "the healthy record")


def verdict_of(node: Node | None, at: Node, problems: Problems) -> Verdict | None:
    """Return the verdict that ``node`` names; None if a problem was recorded, if only at ``at``."""
    verdict = VERDICTS.get(node.text) if isinstance(node, ScalarNode) else None
    if verdict is None:
        hint = f"write {listed(VERDICTS)}"
        problems.add((node or at).position, "a test expects a verdict", hint)
    return verdict


def message_of(
    node: MappingNode, expects: tuple[Verdict, ...], problems: Problems
) -> tuple[str | None, bool]:
    """Return the message that a test expects, and whether it is free of problems."""
    wanted = node.get("message")
    if wanted is None:
        return None, True
    if not isinstance(wanted, ScalarNode) or not isinstance(wanted.value, str):
        problems.add(wanted.position, "message: takes a text", "quote it")
        return None, False
    if not any(verdict in TOLD for verdict in expects):
        problems.add(
            wanted.position, "only a fail or an error has a message", "remove message: here"
        )
        return None, False
    return wanted.value, True


def in_words(values: Any) -> str:
    """Return plain values as one line of YAML: ``{sync_frequency: 5, paused: true}``.

    A record saved from the live API may contain a live credential: none is shown.
    """
    return shortened(printable(_flow(values)), _SHOWN)


def _merge(record: dict[str, Any], given: Mapping[str, Any]) -> None:
    for path, value in given.items():
        *above, last = path.split(".")
        holder = record
        for step in above:
            held = holder.get(step)
            holder[step] = holder = dict(held) if isinstance(held, dict) else {}
        if isinstance(value, dict) and isinstance(holder.get(last), dict):
            holder[last] = dict(holder[last])
            _merge(holder[last], value)
        else:
            holder[last] = value


def _example(node: Node, problems: Problems, known: Known, *, grouped: bool) -> Example | None:
    if not isinstance(node, MappingNode):
        problems.add(node.position, "a test is a mapping", "write {given: {…}, expect: fail}")
        return None
    for key, _ in node:
        if key.text not in KEYS:
            unknown = f"a test has no key {one_line(key.text)}"
            problems.add(key.position, unknown, nearest(key.text, KEYS))
            return None
    verdict = verdict_of(node.get("expect"), node, problems)
    given = read_given(node, problems, grouped=grouped, known=known)
    if verdict is None or given is None:
        return None
    message, sound = message_of(node, (verdict,), problems)
    return Example(node.position, given, verdict, message) if sound else None


def check_record(node: Node, problems: Problems, known: Known) -> bool:
    """Whether a whole record has the user's own facts in valid form; records what is wrong.

    The rest of it is left alone: it is what the API sends.
    """
    records = node.items if isinstance(node, SequenceNode) else (node,)
    names = {path.partition(".")[0] for path in known.columns}
    sound = True
    for record in records:
        for key, value in record if isinstance(record, MappingNode) else ():
            if key.text in names:
                own = MappingNode(record.position, ((key, value),))
                sound = _are_known(own, None, problems, known) and sound
    return sound


def _are_known(given: Node | None, leave: Node | None, problems: Problems, known: Known) -> bool:
    """Whether every named field exists: a test of a misspelt one would test nothing."""
    paths = list(_paths(given, known.find))
    named = (*((path, key.text, key.position) for path, key, _ in paths), *_items(leave))
    unknown = [(path, at) for path, key, at in named if "[]" in key or not known.find(path)]
    for path, position in unknown:
        above, items, _ = path.rpartition("[].")
        within = f"{above}{items}"
        problem = f"no field of the items of {above}" if within else "no field"
        names = [*FIELDS, *known.columns]
        choice = [p for p in names if p.rpartition("[].")[0] == above and not p.endswith("[]")]
        message = f"{problem} is called {one_line(path.removeprefix(within))}"
        hint = nearest(path.removeprefix(within), [p.removeprefix(within) for p in choice])
        problems.add(position, message, hint)
    wrong = [path for path, _, value in paths if not _fits(path, value, problems, known)]
    return not unknown and not wrong


def _fits(path: str, node: Node, problems: Problems, known: Known) -> bool:
    """Whether a row of the user's own facts could have this value; an absent one has null."""
    own = {column.partition(".")[0] for column in known.columns}
    if path in own:
        problem = f"{path} has columns" if not isinstance(node, MappingNode) else ""
        own_columns = [c.partition(".")[2] for c in known.columns if _is_column_of(c, path)]
        hint = f"write {{{listed(own_columns)}: …}}"
    elif path in known.columns:
        column = known.columns[path]
        problem, hint = _refused(path, column, node), f"its column is of type {column.name}"
    else:
        return True
    if problem and not (isinstance(node, ScalarNode) and node.value is None):
        problems.add(node.position, problem, hint)
        return False
    return True


def _is_column_of(column: str, facts: str) -> bool:
    return column.partition(".")[0] == facts


def _refused(path: str, column: ColumnType, node: Node) -> str:
    """Return why no row can have this value, "" if one can."""
    try:
        column.typed(plain_value(node))
    except WrongValueError as error:
        return f"{path} takes {error}"
    return ""


def _paths(node: Node | None, find: Find, base: str = "") -> Iterator[tuple[str, ScalarNode, Node]]:
    """Yield each field that ``node`` sets, its key as written, and its value.

    What is below an unknown field, or in undocumented items, is left alone.
    """
    if isinstance(node, SequenceNode):
        if base and not item_of(base).open:
            base = f"{base}[]"
        elif base:
            return
        for item in node.items:
            yield from _paths(item, find, base)
    elif isinstance(node, MappingNode):
        for key, value in node:
            path = f"{base}.{key.text}" if base else key.text
            yield path, key, value
            documented = find(path)
            if documented is not None and not documented.open:
                yield from _paths(value, find, path)


def _items(node: Node | None) -> Iterator[tuple[str, str, Position]]:
    for item in node.items if isinstance(node, SequenceNode) else ():
        if isinstance(item, ScalarNode):
            yield item.text, item.text, item.position


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_flow(item)}' for key, item in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    if isinstance(value, str) and looks_secret(value):
        return REDACTED
    return json.dumps(value, ensure_ascii=False)
