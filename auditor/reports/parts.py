"""A run split by a dimension: a report of its own for each team, tier or region.

A part is a result like any other, of the connections with one value of the dimension, so every
format renders it as it does a whole run. It says which part it is, and the whole run's outcome;
its own answer rests on its own checks, and is no better than the listing they rest on.

A check of a group is in the part of every connection that it is about: those that its finding
names, else all connections of the group. A finding that names none, about a group whose connections
nobody knows, is in every part.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from auditor.gate import decide_part
from auditor.model import (
    NOT_READ,
    Described,
    Findings,
    GroupCheck,
    Part,
    Result,
    RuleChecks,
    RuleFindings,
    places_of,
)
from auditor.text import plural

#: Each part is a file: a dimension with more values, such as an id, is no way to split a report.
MOST_PARTS = 1000


def parts(result: Result, dimension: str) -> Iterator[tuple[str, Result]]:
    """Yield each value of ``dimension`` with its part of ``result``, sorted.

    The part without a value comes last. ``dimension`` is one of the result's, which has no plan.
    """
    column = result.connections.dimensions[dimension]
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, value in enumerate(column):
        places[value].append(place)
    findings = _findings(result, column)
    none = Findings((), result.connections)
    groups = [_groups(checks, column) for checks in result.checks]
    unread = len(places.get(NOT_READ, ()))
    for value in sorted(places, key=lambda text: (not text, text)):
        own = places[value]
        of_groups = [by_value.get(value, ()) for by_value in groups]
        checks = tuple(map(_checks_in_part, result.checks, [own] * len(groups), of_groups))
        part = Part(dimension, value, len(column), own, result.gate)
        yield value, _part(result, part, checks, findings.get(value, none), unread)


def count(result: Result, dimension: str) -> int:
    """Return how many parts ``dimension`` makes of a report on ``result``."""
    return len(set(result.connections.dimensions[dimension]))


def _part(
    result: Result,
    part: Part,
    checks: tuple[RuleChecks, ...],
    findings: Findings,
    unread: int,
) -> Result:
    narrowing = f"dimension.{part.dimension}", part.value or "(none)"
    doubts = list(_doubts(part, unread))
    source = replace(result.source, filters=(*result.source.filters, narrowing))
    return replace(
        result,
        source=source,
        narrowed_by=(*result.narrowed_by, "=".join(narrowing)),
        listing=replace(result.listing, connections=len(part.places)),
        connections=result.connections.chosen(part.places),
        checks=checks,
        gate=decide_part(result.gate, result.gating, checks, len(part.places), doubts),
        describe=Described(findings),
        # Acceptance and changes are counted for the whole run.
        accepted=(),
        waivers=(),
        baseline=None,
        history=None,
        part=part,
    )


def _doubts(part: Part, unread: int) -> Iterator[str]:
    """Yield why the part may lack connections of its own, or have others'."""
    if not unread:
        return
    of = plural(unread, "connection")
    if part.value == NOT_READ:
        yield f"{part.dimension} of {of} could not be read: which part they belong to is not known"
    else:
        yield f"{part.dimension} of {of} could not be read: some may belong to this part"


def _checks_in_part(
    checks: RuleChecks, places: Sequence[int], groups: Sequence[GroupCheck]
) -> RuleChecks:
    """Return a rule's checks that belong to a part: of its connections, or of ``groups``."""
    if checks.rule.per:
        return replace(checks, groups=tuple(groups))
    return replace(checks, verdicts=bytes([checks.verdicts[place] for place in places]))


def _groups(checks: RuleChecks, column: Sequence[str]) -> Mapping[str, list[GroupCheck]]:
    """Return the checks of groups by the values of their parts."""
    found: dict[str, list[GroupCheck]] = {}
    for check in checks.groups:
        about = {column[place] for place in check.about} if check.about else set(column)
        for value in about:
            found.setdefault(value, []).append(check)
    return found


def _findings(result: Result, column: Sequence[str]) -> Mapping[str, Findings]:
    """Return the findings by the values of their parts, in their order."""
    # Two groups may be shown alike, when a name is cut: a finding then belongs to both.
    about: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for checks in result.checks:
        for check in checks.groups:
            values = (column[place] for place in check.about) if check.about else column
            about[checks.rule.id, check.group].update(values)
    found: defaultdict[str, list[RuleFindings]] = defaultdict(list)
    for each in result.findings.by_rule:
        rows: defaultdict[str, list[int]] = defaultdict(list)
        for row, (places, says) in enumerate(zip(each.about, each.says, strict=True)):
            of = {column[place] for place in places_of(places)}
            of = of or about.get((each.rule.id, each.statements[says].group)) or set(column)
            for value in of:
                rows[value].append(row)
        for value, own in rows.items():
            found[value].append(each.chosen(own))
    return {value: Findings(tuple(by_rule), result.connections) for value, by_rule in found.items()}
