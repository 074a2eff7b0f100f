"""What the HTML page says of each rule that has something to do: how much, where, since when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from typing import NamedTuple
from urllib.parse import quote

import msgspec

from auditor.model import Connection, Finding, Result, Severity, Verdict
from auditor.text import plural

#: So many connections and groups are named.
_MOST_CHIPS, _MOST_GROUPS = 6, 3
_OPEN = (Verdict.FAIL, Verdict.ERROR)
#: A connection with one finding of a severity is worse than one with several of the next.
_WEIGHT = {severity: 10 ** (3 * severity) for severity in Severity}


class Chip(NamedTuple):
    """A connection by name, and the fragment that opens its finding."""

    name: str
    href: str


class Card(NamedTuple):
    """A rule's line, as ``4 of 247 connections · 1 new · oldest 77 days · payments, finance``."""

    line: str
    chips: tuple[Chip, ...]
    more: int


class _OpenFindings(msgspec.Struct):
    """The findings of a rule that are open."""

    findings: list[Finding] = msgspec.field(default_factory=list)
    new: int = 0


def cards(result: Result, fresh: Collection[int] | None) -> dict[str, Card]:
    """Return the card of each rule that failed or could not be evaluated, by its id.

    ``fresh`` are the places of the findings that are new, None where nothing tells them apart.
    """
    places = frozenset(fresh or ())
    of_rule: dict[str, _OpenFindings] = {}
    badness: Counter[str] = Counter()
    for place, finding in enumerate(result.findings):
        if finding.verdict in _OPEN:
            rule = of_rule.setdefault(finding.rule.id, _OpenFindings())
            rule.findings.append(finding)
            rule.new += place in places
            for connection in finding.connections:
                badness[connection.id] += _WEIGHT[finding.rule.severity]
    told = fresh is not None
    return {name: _card(result, each, badness, told=told) for name, each in of_rule.items()}


def affected(result: Result) -> int:
    """Return how many connections a failed check names."""
    failed = (f for f in result.findings if f.verdict is Verdict.FAIL)
    return len({connection.id for f in failed for connection in f.connections})


def finding_id(finding: Finding) -> str:
    """Return the name of a finding that outlives the report; ``data.js`` makes the same."""
    first = finding.connections[0].id if finding.connections else ""
    key = f"@{finding.group}/" if finding.group else ""
    return f"{finding.rule.id}/{key}{first}"


def _card(result: Result, rule: _OpenFindings, badness: Counter[str], *, told: bool) -> Card:
    named: dict[str, tuple[Connection, Finding]] = {}
    for finding in rule.findings:
        for connection in finding.connections:
            named.setdefault(connection.id, (connection, finding))
    worst = sorted(named.values(), key=lambda pair: -badness[pair[0].id])
    everything = len(result.connections)
    parts = [
        f"{len(named):,} of {plural(everything, 'connection')}" if named else "",
        (f"{rule.new:,} new" if rule.new else "none new") if told else "",
        _oldest(result, rule.findings),
        _groups(connection.group_name or connection.group_id for connection, _ in named.values()),
    ]
    chips = tuple(
        Chip(connection.schema or connection.id, f"#finding={quote(finding_id(finding), safe='')}")
        for connection, finding in worst[:_MOST_CHIPS]
    )
    return Card(" · ".join(filter(None, parts)), chips, len(named) - len(chips))


def _oldest(result: Result, findings: Iterable[Finding]) -> str:
    if result.history is None:
        return ""
    since = [time for f in findings if (time := result.history.since(f)) is not None]
    days = (result.judged_at - min(since)).days if since else 0
    return f"oldest {plural(days, 'day')}" if days > 0 else ""


def _groups(names: Iterable[str]) -> str:
    counts = Counter(names)
    listed = ", ".join(name for name, _ in counts.most_common(_MOST_GROUPS))
    more = len(counts) - _MOST_GROUPS
    return f"{listed} and {plural(more, 'more group')}" if more > 0 else listed
