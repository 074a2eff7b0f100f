"""A comparison as JSON: every change, and how many there are by rule, group and connection.

The document is versioned and described by ``comparison.schema.json``, beside this module. A
change takes one line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from auditor.clock import iso
from auditor.model import Connection, Verdict
from auditor.past.compare import Changed, Comparison, ComparisonOutcome, Fate, Tally
from auditor.past.earlier import EarlierReport
from auditor.reports.facts import UNFINISHED
from auditor.reports.json_text import json_lines, json_text

#: Grows by a minor step when something is added, by a major one when something changes.
SCHEMA_VERSION = "1.2"
MARK = r'\A\{\n"schema_version": .*\n"kind": "comparison",\n"tool": \{"name":"fivetran-auditor"'
_Object = dict[str, Any]
_NONE = dict.fromkeys(Fate, 0)


def render(comparison: Comparison) -> Iterator[str]:
    """Yield the document of ``comparison``."""
    head = _head(
        version=comparison.later.version,
        answer=comparison.answer,
        fail_on=comparison.fail_on.label if comparison.fail_on else None,
        reasons=comparison.reasons,
        old=_side(comparison.earlier),
        new=_side(comparison.later),
        counts=comparison.counts,
        connections={"added": comparison.connections_added, "gone": comparison.connections_gone},
        rules={
            "added": comparison.rules_added,
            "gone": comparison.rules_gone,
            "changed": comparison.rules_changed,
        },
    )
    lists = {
        "by_rule": map(_tally, comparison.by_rule),
        "by_group": map(_tally, comparison.by_group),
        "by_connection": map(_tally, comparison.by_connection),
        "changes": map(_changed, comparison.changes),
    }
    yield from _document(head, lists)


def placeholder(version: str) -> str:
    """Return a document, of the same schema, that says nothing was compared."""
    head = _head(
        version=version,
        answer=ComparisonOutcome.INCONCLUSIVE,
        fail_on=None,
        reasons=(UNFINISHED,),
        old=None,
        new=None,
        counts=_NONE,
        connections={"added": 0, "gone": 0},
        rules={"added": (), "gone": (), "changed": ()},
    )
    lists = dict.fromkeys(("by_rule", "by_group", "by_connection", "changes"), ())
    return "".join(_document(head, lists))


def _head(
    *,
    version: str,
    answer: ComparisonOutcome,
    fail_on: str | None,
    reasons: tuple[str, ...],
    counts: Mapping[Fate, int],
    **rest: object,
) -> _Object:
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "comparison",
        "tool": {"name": "fivetran-auditor", "version": version},
        "answer": answer.value,
        "exit_code": answer.exit_code,
        "fail_on": fail_on,
        "reasons": reasons,
        "counts": {change.value: count for change, count in counts.items()},
        **rest,
    }


def _document(head: _Object, lists: Mapping[str, Iterable[_Object]]) -> Iterator[str]:
    opening = "{\n"
    for name, value in head.items():
        yield f"{opening}{json_text(name)}: {json_text(value)}"
        opening = ",\n"
    for name, items in lists.items():
        yield f",\n{json_text(name)}: ["
        yield from json_lines(items)
        yield "]"
    yield "\n}\n"


def _side(report: EarlierReport) -> _Object:
    source = report.source
    return {
        "name": report.name,
        "version": report.version,
        "judged_at": iso(report.judged_at) if report.judged_at is not None else None,
        "source": {
            "kind": source.kind,
            "location": source.location,
            "base_url": source.base_url,
            "filters": [{"name": name, "value": value} for name, value in source.filters],
        },
        "outcome": report.outcome.value,
        "reasons": report.reasons,
        "left_out": report.left_out,
        "policies": [
            {"name": p.name, "title": p.title, "file": p.file, "sha256": p.sha256}
            for p in report.policies
        ],
        "connections": len(report.connections),
        "rules": len(report.rules),
    }


def _tally(tally: Tally) -> _Object:
    counts = {change.value: tally.counts[change] for change in Fate if change in tally.counts}
    return {"name": tally.name, "label": tally.label, "counts": counts}


def _changed(changed: Changed) -> _Object:
    return {
        "change": changed.change.value,
        "rule": changed.rule,
        "title": changed.title,
        "severity": changed.severity.label,
        "before": _label(changed.before),
        "after": _label(changed.after),
        "connections": [_identity(connection) for connection in changed.connections],
        "group": changed.group,
        "message": changed.message,
        "note": changed.note,
    }


def _label(verdict: Verdict | None) -> str | None:
    return verdict.label if verdict is not None else None


def _identity(connection: Connection) -> _Object:
    return {
        "id": connection.id,
        "service": connection.service,
        "schema": connection.schema,
        "group_id": connection.group_id,
    }
