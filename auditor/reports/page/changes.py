"""What the HTML page says about a run compared with an earlier one: new, ended, trends.

The earlier one is the baseline or, without one, the run before in the history.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from msgspec.structs import replace

from auditor.model import Ended, History, Result, Rule, Unjudged, Verdict
from auditor.reports.facts import unjudged
from auditor.text import plural

#: How many findings of a rule are named: of those that have ended, and of those that this run did
#: not judge. What ended at once, as of a rule that was loosened, leaves room for other rules.
MOST_NAMED = 40
#: The size of a rule's sparkline.
_WIDTH, _HEIGHT = 72, 20


class EndedRule(NamedTuple):
    """The findings of a rule that have ended: all are counted, ``shown`` are named."""

    rule: Rule
    fixed: int
    gone: int
    shown: tuple[Ended, ...]


class UnjudgedRule(NamedTuple):
    """The findings of a rule that this run did not judge: all are counted, ``shown`` are named.

    ``rule`` is None where the rule is not in force any more.
    """

    id: str
    rule: Rule | None
    total: int
    shown: tuple[Unjudged, ...]


class Changes(NamedTuple):
    """What has changed since ``since``: the baseline, or the run before.

    ``raised`` counts violations of rules made more severe, ``still_open`` findings that were there
    before, ``waived`` those of them that are waived now, and ``untold`` those that this run did not
    judge, by rule in ``unjudged``.
    """

    since: str
    new: int
    raised: int
    fixed: int
    gone: int
    still_open: int
    waived: int
    untold: int
    ended: tuple[EndedRule, ...]
    unjudged: tuple[UnjudgedRule, ...]


def changes(result: Result, fresh: Sequence[int] | None) -> Changes | None:
    """Return what has changed, None if there is nothing to compare with.

    ``fresh`` are the positions of the findings that are new.
    """
    use, history = result.baseline, result.history
    if use is not None:
        return Changes(
            f"the baseline of {use.judged_at:%Y-%m-%d}",
            use.new,
            use.raised,
            use.fixed,
            use.gone,
            use.known,
            use.waived,
            use.untold,
            _by_rule(result, use.ended),
            _lost(result, use.unjudged),
        )
    if fresh is None or history is None:
        return None
    gone = sum(each.gone for each in history.ended)
    lost = unjudged(result)
    return Changes(
        f"the run before, of {history.runs[-2].judged_at:%Y-%m-%d}",
        len(fresh),
        0,
        len(history.ended) - gone,
        gone,
        sum(finding.verdict is Verdict.FAIL for finding in result.findings) - len(fresh),
        0,
        len(lost),
        _by_rule(result, history.ended),
        _lost(result, lost),
    )


def _by_rule(result: Result, ended: Sequence[Ended]) -> tuple[EndedRule, ...]:
    """Return what has ended, by rule: severest rules first, fixed before gone."""
    rules = {rule.id: rule for rule in result.rules}
    order = {rule.id: (-rule.severity, number) for number, rule in enumerate(result.rules)}
    judged = [each for each in ended if each.rule in rules]
    judged.sort(key=lambda each: (order[each.rule], each.gone))
    found = []
    for rule, group in groupby(judged, key=attrgetter("rule")):
        all_ = tuple(group)
        gone = sum(each.gone for each in all_)
        found.append(EndedRule(rules[rule], len(all_) - gone, gone, all_[:MOST_NAMED]))
    return tuple(found)


def _lost(result: Result, lost: Sequence[Unjudged]) -> tuple[UnjudgedRule, ...]:
    """Return what dropped out of sight, by rule: as rules stand, those not in force at the end."""
    rules = {rule.id: rule for rule in result.rules}
    order = {name: number for number, name in enumerate(rules)}
    ordered = sorted(lost, key=lambda each: (order.get(each.rule, len(order)), each.rule))
    listed = frozenset(result.connections.ids)
    found = []
    for name, group in groupby(ordered, key=attrgetter("rule")):
        all_ = tuple(group)
        # An id leads to a connection's sheet: one that was not listed has none.
        named = all_[:MOST_NAMED]
        shown = tuple(each if each.id in listed else replace(each, id="") for each in named)
        found.append(UnjudgedRule(name, rules.get(name), len(all_), shown))
    return tuple(found)


class Spark(NamedTuple):
    """A rule's failures run by run, as a picture and its description.

    ``lines`` are points of SVG polylines, with a gap where the rule was not judged.
    """

    lines: tuple[str, ...]
    last: tuple[float, float]
    words: str


def sparks(history: History | None, rules: Sequence[Rule]) -> dict[str, Spark]:
    """Return the line of each rule that two or more comparable runs have judged, by its id."""
    if history is None:
        return {}
    runs = [run for run in history.runs if run.filters == history.runs[-1].filters]
    counts = {rule.id: [(run.by_rule or {}).get(rule.id) for run in runs] for rule in rules}
    return {
        name: _spark(column)
        for name, column in counts.items()
        if column[-1] is not None and sum(count is not None for count in column) > 1
    }


def _spark(counts: Sequence[int | None]) -> Spark:
    known = [count for count in counts if count is not None]
    top = max(1, *known)
    if min(known) == top:
        top *= 2  # At the top, a level line would look like one under the text above it.
    step, scale = (_WIDTH - 4) / (len(counts) - 1), (_HEIGHT - 4) / top
    points = [
        None if count is None else (round(2 + n * step, 1), round(_HEIGHT - 2 - scale * count, 1))
        for n, count in enumerate(counts)
    ]
    lines = [
        " ".join(f"{x},{y}" for x, y in filter(None, stretch))
        for judged, stretch in groupby(points, key=lambda point: point is not None)
        if judged
    ]
    first, last = known[0], known[-1]
    moved = "as many as in" if first == last else f"{first:,} in"
    words = (
        f"{last:,} fail now, {moved} the first of {plural(len(known), 'run')}; "
        f"lowest {min(known):,}, highest {max(known):,}"
    )
    end = points[-1]
    assert end is not None
    return Spark(tuple(lines), end, words)
