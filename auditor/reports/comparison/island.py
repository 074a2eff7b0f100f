"""The data inside the page of a comparison: a row per change, in the columns of a report's page.

The page's scripts read both. Where a report has verdicts, a comparison has changes: ``words``, each
with the verdict whose look it takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from auditor.model import Connection, Connections, Finding, Findings, Position, Rule, Verdict
from auditor.past.compare import MEANINGS, WORSE, Changed, Comparison, Fate
from auditor.past.earlier import EarlierRule
from auditor.reports.links import dashboard_of, is_web, page_of
from auditor.reports.page.island import connection_columns, row_columns, written

_NOWHERE = Position("", 0, 0)
#: The number for a missing verdict: the run did not make the check.
_NOT_CHECKED = 255


def island(comparison: Comparison, looks: Mapping[Fate, str]) -> Iterator[str]:
    """Yield the JSON text of the changes, their rules and their connections, in pieces."""
    return written(_columns(comparison, looks))


def _columns(comparison: Comparison, looks: Mapping[Fate, str]) -> Iterator[tuple[str, object]]:
    order = {change: number for number, change in enumerate(Fate)}
    changes = comparison.changes
    yield "mode", "comparison"
    yield "words", [change.value for change in Fate]
    yield "looks", {change.value: looks[change] for change in Fate}
    yield "meanings", {change.value: MEANINGS[change] for change in Fate}
    yield "open", [change.value for change in Fate if _is_open(change)]
    rules = _rules(comparison)
    counts = {tally.name: tally.counts for tally in comparison.by_rule}
    yield (
        "rules",
        [_rule(rule, [counts[name].get(c, 0) for c in Fate]) for name, rule in rules.items()],
    )
    yield "dashboard", dashboard_of(comparison.later.source.base_url)
    yield "verdicts", [""] * len(rules)
    yield "groupChecks", [[] for _ in rules]
    connections = _connections(comparison)
    yield from connection_columns(connections)
    number_of = {name: number for number, name in enumerate(rules)}
    yield "rule", [number_of[each.rule] for each in changes]
    yield "verdict", [order[each.change] for each in changes]
    yield "before", [_verdict(each.before) for each in changes]
    yield "after", [_verdict(each.after) for each in changes]
    shown = {name: _shown(rule) for name, rule in rules.items()}
    rows = [_row(each, shown[each.rule]) for each in changes]
    yield from row_columns(Findings.of(rows, connections))


def _is_open(change: Fate) -> bool:
    """Whether a change calls for action: it got worse, or nobody knows."""
    return change in WORSE or change is Fate.UNJUDGED


def _verdict(verdict: Verdict | None) -> int:
    return _NOT_CHECKED if verdict is None else int(verdict)


def _rules(comparison: Comparison) -> dict[str, EarlierRule]:
    """Return the rules that have changes, as in the newer run if it has them."""
    runs = comparison.earlier, comparison.later
    known = {rule.id: rule for run in runs for rule in run.rules}
    changed = {
        each.rule: EarlierRule(each.rule, each.title, each.severity, each.per, b"", ())
        for each in comparison.changes
    }
    return {name: known.get(name, rule) for name, rule in changed.items()}


def _rule(rule: EarlierRule, counts: Sequence[int]) -> dict[str, object]:
    return {
        "id": rule.id,
        "title": rule.title,
        "severity": int(rule.severity),
        "policy": rule.policy,
        "position": rule.position,
        "expects": rule.expects,
        "appliesWhen": rule.applies_when,
        "why": rule.why,
        "fix": rule.fix,
        "docs": rule.url if is_web(rule.url) else "",
        "tags": rule.tags,
        "controls": rule.controls,
        "per": rule.per,
        "skip": "",
        "page": page_of(_shown(rule)),
        "counts": counts,
    }


def _shown(rule: EarlierRule) -> Rule:
    return Rule(
        id=rule.id,
        title=rule.title,
        severity=rule.severity,
        policy=rule.policy,
        position=_NOWHERE,
        expects=rule.expects,
        reads=rule.reads,
    )


def _row(changed: Changed, rule: Rule) -> Finding:
    """Return a change as a row, like that of a finding."""
    return Finding(
        rule=rule,
        verdict=Verdict.FAIL,
        connections=changed.connections,
        evidence=changed.evidence,
        message=changed.message,
        group=changed.group,
        note=changed.note,
    )


def _connections(comparison: Comparison) -> Connections:
    """Return the connections that changes are about, as in the newer run if it has them."""
    found: dict[str, Connection] = {}
    for changed in comparison.changes:
        for connection in changed.connections:
            found.setdefault(connection.id, connection)
    every = tuple(found.values())
    runs = (comparison.earlier.connections, comparison.later.connections)
    return Connections(
        [each.id for each in every],
        [each.service for each in every],
        [each.schema for each in every],
        [each.group_id for each in every],
        group_names={each.group_id: each.group_name for each in every if each.group_name},
        dimensions=_dimensions(runs, found),
    )


def _dimensions(
    runs: Sequence[Connections], found: Mapping[str, Connection]
) -> dict[str, list[str]]:
    """Return the dimensions of both runs for the connections ``found``; the newer run's win."""
    held: dict[str, dict[str, str]] = {}
    for connections in runs:
        for name, values in connections.dimensions.items():
            held.setdefault(name, {}).update(zip(connections.ids, values, strict=True))
    return {name: [column.get(each, "") for each in found] for name, column in held.items()}
