"""The data that travels inside the HTML report: one JSON object of columns.

A hundred thousand connections with their findings are a few megabytes as columns of numbers that
point into tables of distinct texts, and a browser parses them in a blink; as table rows they would
be tens of megabytes of markup. ``reports/templates/data.js`` reads them.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

import msgspec

from auditor.clock import iso
from auditor.model import (
    RAISED,
    Connections,
    Evidence,
    Finding,
    Findings,
    History,
    Places,
    Position,
    Result,
    RuleChecks,
    RuleFindings,
    Statement,
    Verdict,
)
from auditor.reports.facts import unjudged
from auditor.reports.links import dashboard, page_of, rule_page
from auditor.reports.page.reasons import reason_columns
from auditor.text import printable

_Key = TypeVar("_Key")

# Marks for a connection's id, its schema and a field's value inside a message, so that equal
# messages are written once. Text in a result is printable, so it contains none of them.
_ID, _SCHEMA, _ACTUAL = "\x01", "\x02", "\x03"
_SHORTEST_MARKED = 3

#: Characters that could end a script element or a script's string, as JSON escapes.
_ESCAPES = {
    "<": "\\u003c",
    ">": "\\u003e",
    "&": "\\u0026",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
}


def island(result: Result) -> Iterator[str]:
    """Yield the JSON text of a result's rules, connections, checks and findings, in pieces."""
    return written(_columns(result))


def written(columns: Iterable[tuple[str, object]]) -> Iterator[str]:
    """Yield named columns as the text of one JSON object, in pieces.

    The text is safe inside a ``<script type="application/json">``.
    """
    opening = "{"
    for name, column in columns:
        yield f'{opening}"{name}":'
        yield _escaped(msgspec.json.encode(column).decode())
        opening = ","
    yield "}"


def _columns(result: Result) -> Iterator[tuple[str, object]]:
    yield "rules", [_rule(c, rule_page(result, c.rule)) for c in result.checks]
    yield "dashboard", dashboard(result)
    yield "again", _judged_again(result)
    yield "verdicts", [b64encode(checks.verdicts).decode() for checks in result.checks]
    yield (
        "groupChecks",
        [[[check.group, int(check.verdict)] for check in c.groups] for c in result.checks],
    )
    yield from connection_columns(result.connections)
    number_of_rule = {rule.id: number for number, rule in enumerate(result.rules)}
    by_rule = result.findings.by_rule
    yield "rule", [n for each in by_rule for n in [number_of_rule[each.rule.id]] * len(each)]
    yield "verdict", "".join(letter for each in by_rule for letter in each.each(_verdict))
    yield from row_columns(result.findings)
    yield from reason_columns(result)
    if result.plan is not None:
        yield (
            "terraform",
            {str(n): _planned(f) for n, f in enumerate(result.findings) if f.resources},
        )
    if result.history is not None:
        yield from _open_since(result.history, result.findings)
    newly = new_findings(result)
    if newly is not None:
        yield "fresh", newly
    yield "ended", list(_ended(result))
    yield "unjudged", list(_unjudged(result))


def _judged_again(result: Result) -> Sequence[str]:
    """Return the words that reach what was judged, and the time where what is saved has another.

    What a name of a file hides is shown in the command too, which then finds no such file.
    """
    shown = [printable(word) for word in result.source.again]
    plan = result.plan
    live = result.source.kind == "api" if plan is None else plan.over and not plan.saved
    if not shown or live or result.judged_at == result.taken_at:
        return shown
    return [*shown, "--now", iso(result.judged_at)]


def _ended(result: Result) -> Iterator[tuple[int, int, str]]:
    """Yield what was fixed on connections that are still there: rule, connection, since when."""
    known = result.baseline or result.history
    if known is None:
        return
    number_of_rule = {rule.id: number for number, rule in enumerate(result.rules)}
    place_of = result.connections.places()
    for each in known.ended:
        if each.rule in number_of_rule and each.id in place_of:
            since = iso(each.since) if each.since is not None else ""
            yield number_of_rule[each.rule], place_of[each.id], since


def _unjudged(result: Result) -> Iterator[tuple[str, int]]:
    """Yield earlier findings of which nothing can be told: a rule's id, a connection's place."""
    earlier = unjudged(result)
    place_of = result.connections.places() if earlier else {}
    for each in earlier:
        if each.id in place_of:
            yield each.rule, place_of[each.id]


def new_findings(result: Result) -> list[int] | None:
    """Return the positions of the findings that are new, None if that is not known.

    With a baseline those are the violations that it does not know; with an earlier run in the
    history, those first seen in this run.
    """
    failed = result.findings.where(lambda said: said.verdict is Verdict.FAIL)
    if result.baseline is not None:
        return [position for position, said in failed if not said.note.startswith(RAISED)]
    history = result.history
    if history is None or len(history.runs) < 2:
        return None
    findings = enumerate(result.findings)
    return [n for n, f in findings if f.verdict is Verdict.FAIL and history.is_new(f)]


def _rule(checks: RuleChecks, docs: str) -> dict[str, object]:
    rule = checks.rule
    return {
        "id": rule.id,
        "title": rule.title,
        "severity": int(rule.severity),
        "policy": rule.policy,
        "position": str(rule.position),
        "expects": rule.expects,
        "appliesWhen": rule.applies_when,
        "why": rule.why,
        "fix": rule.fix,
        "docs": docs,
        "tags": rule.tags,
        "controls": rule.controls,
        "per": rule.per,
        "skip": checks.skip_reason,
        "page": page_of(rule),
        "counts": [checks.count(verdict) for verdict in Verdict],
    }


def _dimension(name: str, column: Sequence[str]) -> dict[str, object]:
    values, value_of = _distinct(column)
    return {"name": name, "values": values, "of": value_of}


def connection_columns(connections: Connections) -> Iterator[tuple[str, object]]:
    """Yield a column for each property of a connection, and the tables the columns point into."""
    yield "ids", connections.ids
    yield "schemas", connections.schemas
    services, service_of = _distinct(connections.services)
    yield "services", services
    yield "serviceOf", service_of
    groups, group_of = _distinct(connections.groups)
    yield "groups", groups
    yield "groupOf", group_of
    ids = dict(zip(connections.groups, connections.group_ids, strict=True))
    yield "groupIds", [ids[name] for name in groups]
    yield "dimensions", [_dimension(*each) for each in connections.dimensions.items()]


def _verdict(said: Statement) -> str:
    return str(int(said.verdict))


def row_columns(findings: Findings) -> Iterator[tuple[str, object]]:
    """Yield a column for each property of a row, and the tables the columns point into."""
    connection: list[Places] = []
    evidence: list[int | list[int]] = []
    messages: list[int] = []
    notes: list[int] = []
    group: dict[str, str] = {}
    advice: dict[str, int] = {}
    evidence_number: dict[tuple[str, str, str], int] = {}
    message_number: dict[str, int] = {}
    note_number: dict[str, int] = {"": 0}
    advice_number: dict[str, int] = {}
    for each in findings.by_rule:
        evidence += each.each(
            lambda said: _one_or_list([_entry(evidence_number, e) for e in said.evidence])
        )
        notes += each.each(lambda said: _numbered(note_number, said.note))
        connection += each.about
        messages += _messages(each, findings.connections, message_number)
    for position, said in findings.where(lambda said: bool(said.advice)):
        advice[str(position)] = _numbered(advice_number, said.advice)
    for position, said in findings.where(lambda said: bool(said.group)):
        group[str(position)] = said.group
    yield "connection", connection
    yield "evidence", evidence
    yield "message", messages
    yield "note", notes
    yield "advice", advice
    yield "advices", list(advice_number)
    yield "group", group
    fields, field_of = _distinct(field for field, _, _ in evidence_number)
    yield "fields", fields
    yield "fieldOf", field_of
    yield "actual", [actual for _, actual, _ in evidence_number]
    expected, expected_of = _distinct(wanted for _, _, wanted in evidence_number)
    yield "expected", expected
    yield "expectedOf", expected_of
    yield "messages", list(message_number)
    yield "notes", list(note_number)


def _messages(
    findings: RuleFindings, connections: Connections, number_of: dict[str, int]
) -> Iterator[int]:
    """Yield the number of each finding's message; one that names no connection is made once."""
    known: dict[int, int] = {}
    for row, says in enumerate(findings.says):
        number = known.get(says)
        if number is None:
            template = _template(findings.finding(row, connections))
            number = _numbered(number_of, template)
            if _ID not in template and _SCHEMA not in template:
                known[says] = number
        yield number


def _planned(finding: Finding) -> list[tuple[str, ...]]:
    """Return a row for each attribute: resource, action, what to change, before, after, line."""
    rows: list[tuple[str, ...]] = []
    for resource in finding.resources:
        about = resource.address, resource.action
        rows += [
            (*about, f"{a.address}: {a.name}", a.before, a.after, _line(a.position))
            for a in resource.attributes
        ] or [(*about, "", "", "", _line(resource.position))]
    return rows


def _line(position: Position | None) -> str:
    return f"{position.file}:{position.line}" if position is not None else ""


def _open_since(history: History, findings: Iterable[Finding]) -> Iterator[tuple[str, object]]:
    """Yield the times at which findings were first seen, and which of them each finding has."""
    times = (history.since(finding) for finding in findings)
    sinces, since_of = _distinct(iso(time) if time is not None else "" for time in times)
    yield "sinces", sinces
    yield "since", since_of


def _template(finding: Finding) -> str:
    """Return the message with marks for what differs from connection to connection.

    Marks are put back in one pass, so it does not matter which text a mark replaced.
    """
    message = finding.message
    first = finding.connections[0] if finding.connections else None
    if first and len(first.id) >= _SHORTEST_MARKED:
        message = message.replace(first.id, _ID)
    if first and len(first.schema) >= _SHORTEST_MARKED:
        message = message.replace(first.schema, _SCHEMA)
    if finding.evidence and len(finding.evidence[0].actual) >= _SHORTEST_MARKED:
        message = message.replace(finding.evidence[0].actual, _ACTUAL)
    return message


def _entry(numbers: dict[tuple[str, str, str], int], evidence: Evidence) -> int:
    return _numbered(numbers, (evidence.field, evidence.actual, evidence.expected))


def _numbered(numbers: dict[_Key, int], key: _Key) -> int:
    """Return the number of ``key``, the next free one when it is new."""
    return numbers.setdefault(key, len(numbers))


def _distinct(texts: Iterable[str]) -> tuple[Sequence[str], Sequence[int]]:
    """Return the distinct texts in order of first appearance, and the number of each text."""
    texts = list(texts)
    distinct = list(dict.fromkeys(texts))
    numbers = {text: number for number, text in enumerate(distinct)}
    return distinct, list(map(numbers.__getitem__, texts))


def _one_or_list(numbers: list[int]) -> int | list[int]:
    return numbers[0] if len(numbers) == 1 else numbers


def _escaped(json: str) -> str:
    for character, escape in _ESCAPES.items():
        json = json.replace(character, escape)
    return json
