"""What the HTML page says about each rule with something to do: how much, where, since when."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from heapq import nlargest
from itertools import chain
from typing import NamedTuple
from urllib.parse import quote

from auditor.model import Finding, Findings, Result, Rule, Severity, Verdict, places_of
from auditor.text import plural

#: How many connections and groups are named.
_MOST_CHIPS, _MOST_GROUPS = 6, 3
_OPEN = (Verdict.FAIL, Verdict.ERROR)
#: A connection with one finding of a severity ranks before one with several of the next.
_WEIGHT = {severity: 10 ** (3 * severity) for severity in Severity}


class Chip(NamedTuple):
    """A connection by name, and the fragment that opens its finding."""

    name: str
    href: str


class Card(NamedTuple):
    """A rule's line: ``4 of 247 connections · 1 new · oldest 77 days · payments, finance``."""

    line: str
    chips: tuple[Chip, ...]
    more: int


class _Unsettled(NamedTuple):
    """A rule with something to do, and where the connections are that its findings name.

    A connection may be in several groups, and is here once for each; ``group_findings`` are the
    findings about groups, each after the places of its connections.
    """

    rule: Rule
    places: Sequence[int]
    group_findings: Sequence[tuple[Sequence[int], Finding]]


def cards(result: Result, fresh: Collection[int] | None) -> dict[str, Card]:
    """Return the card of each rule that failed or could not be evaluated, by its id.

    ``fresh`` are the positions of the findings that are new, None if that is not known.
    """
    unsettled = [each for each in _unsettled(result) if each.places or each.group_findings]
    badness = [0] * len(result.connections)
    for each in unsettled:
        weight = _WEIGHT[each.rule.severity]
        for place in each.places:
            badness[place] += weight
    new = None if fresh is None else _by_rule(result, fresh)
    oldest = _oldest(result)
    groups = result.connections.groups  # Two of one name are two.
    return {each.rule.id: _card(result, each, badness, new, oldest, groups) for each in unsettled}


def _by_rule(result: Result, positions: Collection[int]) -> Counter[str]:
    """Return how many of the findings at ``positions`` each rule has, by its id."""
    rule_of = [each.rule.id for each in result.findings.by_rule for _ in each.says]
    return Counter(rule_of[position] for position in positions)


def affected(result: Result) -> int:
    """Return how many connections the failed checks name."""
    failed = set(chain.from_iterable(c.places({Verdict.FAIL}) for c in result.checks))
    for each in result.findings.by_rule:
        if each.rule.per:
            for places, says in zip(each.about, each.says, strict=True):
                if each.statements[says].verdict is Verdict.FAIL:
                    failed.update(places_of(places))
    return len(failed)


def _unsettled(result: Result) -> Iterator[_Unsettled]:
    of_rule: dict[str, list[tuple[Sequence[int], Finding]]] = defaultdict(list)
    for places, finding in _about_groups(result).placed():
        if finding.verdict in _OPEN:
            of_rule[finding.rule.id].append((places, finding))
    for checks in result.checks:
        findings = of_rule[checks.rule.id]
        members = [place for places, _ in findings for place in places]
        yield _Unsettled(checks.rule, members or checks.places(_OPEN), findings)


def _about_groups(result: Result) -> Findings:
    found = result.findings
    of_groups = [each for each in found.by_rule if each.rule.per]
    return Findings(tuple(of_groups), found.connections)


def finding_id(finding: Finding) -> str:
    """Return a name for a finding that outlives the report; ``data.js`` makes the same."""
    first = finding.connections[0].id if finding.connections else ""
    key = f"@{finding.group}/" if finding.group else ""
    return f"{finding.rule.id}/{key}{first}"


def _card(
    result: Result,
    each: _Unsettled,
    badness: Sequence[int],
    new: Counter[str] | None,
    oldest: Mapping[str, datetime],
    groups: Sequence[str],
) -> Card:
    rule, connections = each.rule, result.connections
    named = list(dict.fromkeys(each.places))
    everything = len(connections)
    parts = [
        f"{len(named):,} of {plural(everything, 'connection')}" if named else "",
        (f"{new[rule.id]:,} new" if new[rule.id] else "none new") if new is not None else "",
        _age(oldest.get(rule.id), result.judged_at),
        _groups(groups[place] for place in named),
    ]
    first: dict[int, str] = {}
    for places, finding in each.group_findings:
        for place in places:
            first.setdefault(place, finding_id(finding))
    chips = []
    for place in nlargest(_MOST_CHIPS, named, key=badness.__getitem__):
        name = connections.ids[place]
        about = first.get(place, f"{rule.id}/{name}")
        shown = connections.schemas[place] or name
        chips.append(Chip(shown, f"#finding={quote(about, safe='')}"))
    return Card(" · ".join(filter(None, parts)), tuple(chips), len(named) - len(chips))


def _oldest(result: Result) -> dict[str, datetime]:
    """Return since when each rule has had an open finding, as far as the history knows."""
    oldest: dict[str, datetime] = {}
    if result.history is not None:
        for finding in result.findings:
            since = result.history.since(finding) if finding.verdict in _OPEN else None
            if since is not None:
                oldest[finding.rule.id] = min(since, oldest.get(finding.rule.id, since))
    return oldest


def _age(since: datetime | None, now: datetime) -> str:
    days = (now - since).days if since is not None else 0
    return f"oldest {plural(days, 'day')}" if days > 0 else ""


def _groups(names: Iterable[str]) -> str:
    counts = Counter(names)
    listed = ", ".join(name for name, _ in counts.most_common(_MOST_GROUPS))
    more = len(counts) - _MOST_GROUPS
    return f"{listed} and {plural(more, 'more group')}" if more > 0 else listed
