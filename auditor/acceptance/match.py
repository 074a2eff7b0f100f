"""Accepting: which violations a waiver covers, and which a baseline knows.

Both change a check's verdict from fail to waived or known, in the counts and in the findings.
Nothing else is ever changed: an error stays an error, whatever waiver covers it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import msgspec

from auditor.acceptance.baseline import Baseline, Remembered
from auditor.acceptance.waivers import SELECTOR_PATHS, Selector, Waiver
from auditor.model import (
    RAISED,
    BaselineUse,
    Connections,
    Ended,
    Unjudged,
    Verdict,
    WaiverUse,
)
from auditor.past.compare import is_unsettled
from auditor.policy.judging.evidence import SENSITIVE
from auditor.policy.judging.judge import Decision, Judgement, Violation
from auditor.policy.language.conditions import evaluate, reach
from auditor.redaction.fields import REDACTED

_STILL = frozenset({Verdict.FAIL, Verdict.KNOWN})


class Watch:
    """Sees every record, and remembers for which of them each waiver's ``while`` holds."""

    def __init__(self, waivers: Sequence[Waiver], now: datetime) -> None:
        self._conditions = [(n, w, w.accepts) for n, w in enumerate(waivers) if w.accepts]
        self._now = now
        self._count = 0
        #: By a waiver's number: the positions, in the listing, of the connections for which it
        #: holds.
        self.holds: dict[int, set[int]] = {number: set() for number, *_ in self._conditions}

    def take(self, records: Sequence[Any], identities: Connections) -> None:
        """Check one page of records, whose ``identities`` are as they were listed."""
        indexes = _Indexes(identities)
        for number, waiver, accepts in self._conditions:
            self.holds[number].update(
                self._count + index
                for index in indexes.of(waiver)
                if evaluate(accepts, partial(reach, records[index]), self._now) is True
            )
        self._count += len(records)

    def join(self, holds: Mapping[int, set[int]], count: int) -> None:
        """Add what another watch saw of the ``count`` records that follow."""
        for number, positions in holds.items():
            self.holds[number].update(self._count + index for index in positions)
        self._count += count


def waive(
    outcome: Judgement,
    connections: Connections,
    waivers: Sequence[Waiver],
    holds: Mapping[int, set[int]],
    today: datetime,
    clean: Callable[[str], str] = str,
) -> tuple[Judgement, tuple[WaiverUse, ...]]:
    """Return ``outcome`` with every violation that a waiver covers waived.

    ``connections`` are the identities as they were listed, ``holds`` is what a ``Watch`` saw, and
    ``today`` is the time of a real clock. ``clean`` removes credentials from a note.
    """
    indexes = _Indexes(connections)
    tallies = [
        _Tally(waiver, clean(waiver.note), waiver.is_expired(today), holds.get(number))
        for number, waiver in enumerate(waivers)
    ]
    candidates = _Candidates(tallies, outcome.order, indexes)

    def decide(violation: Violation) -> Decision:
        found, void = "", ""
        for tally in candidates.of(violation):
            why = tally.judge(violation, indexes)
            if why is None:
                continue
            if not why and not found:
                tally.covered += 1
                found = tally.note
            void = void or why
        return (Verdict.WAIVED, found) if found else (Verdict.FAIL, void)

    waived = outcome.reconsidered(decide)
    return waived, tuple(tally.use(clean) for tally in tallies)


def know(
    outcome: Judgement,
    connections: Connections,
    baseline: Baseline,
    *,
    whole: bool,
    clean: Callable[[str], str] = str,
) -> tuple[Judgement, BaselineUse]:
    """Return ``outcome`` with every violation that the baseline knows known.

    ``connections`` are the identities as reports show them, which is how the baseline has them.
    ``whole`` says that a connection that was not listed no longer exists. ``clean`` removes
    credentials from a name.
    """
    reason = f"known from {baseline.title}"
    counts = {"known": 0, "raised": 0, "new": 0}

    def decide(violation: Violation) -> Decision:
        earlier = _remembered(violation, connections, baseline)
        if any(found.severity >= violation.rule.severity for found in earlier):
            counts["known"] += 1
            return Verdict.KNOWN, reason
        counts["raised" if earlier else "new"] += 1
        return (
            Verdict.FAIL,
            f"{RAISED} {baseline.title}: its rule was less severe then" if earlier else "",
        )

    changed = outcome.reconsidered(decide)
    fates = list(_fates(changed, connections, baseline, whole=whole))
    became = Counter(fate for fate, *_ in fates)
    unjudged = tuple(_unjudged(iter(fates), baseline, clean))
    if baseline.waived is not None:
        fates += _fates(changed, connections, baseline.waived, whole=whole)
    ended = tuple(_ended(iter(fates), baseline, clean))
    gone = sum(each.gone for each in ended)
    assert baseline.report.judged_at is not None
    return changed, BaselineUse(
        file=baseline.report.name,
        judged_at=baseline.report.judged_at,
        **counts,
        fixed=len(ended) - gone,
        waived=became["waived"],
        untold=became["untold"],
        gone=gone,
        ended=ended,
        unjudged=unjudged,
    )


class _Tally(msgspec.Struct):
    """A waiver while it is applied. ``holds`` is None for one without a ``while``."""

    waiver: Waiver
    note: str
    expired: bool
    holds: set[int] | None
    means: set[int] | None = None
    matched: int = 0
    void: int = 0
    covered: int = 0

    def indexes(self, indexes: _Indexes) -> set[int]:
        """Return the positions of the connections that the waiver covers."""
        if self.means is None:
            self.means = indexes.of(self.waiver)
        return self.means

    def use(self, clean: Callable[[str], str]) -> WaiverUse:
        """Return the waiver with what became of it."""
        waiver = self.waiver
        return WaiverUse(
            rule=clean(waiver.rule),
            position=waiver.position,
            reason=clean(waiver.reason),
            owner=clean(waiver.owner),
            expires=waiver.expires,
            accepts=clean(waiver.while_true),
            expired=self.expired,
            matched=self.matched,
            void=self.void,
            covered=self.covered,
        )

    def judge(self, violation: Violation, indexes: _Indexes) -> str | None:
        """Return None for a violation that the waiver does not concern, "" for one that it covers.

        Else return why it does not hold; what it is for is counted.
        """
        members = violation.members
        if members:
            if not self.indexes(indexes).issuperset(members):
                return None
        elif not all(_names(selector, violation.key) for selector in self.waiver.connections):
            return None
        self.matched += 1
        if self.expired:
            return f"its waiver has expired, it held {self.waiver.until}"
        # If a finding lists no connection, there is no value that the waiver accepts.
        if self.holds is not None and not (members and self.holds.issuperset(members)):
            self.void += 1
            return "its waiver is void: the value that it accepts is no longer there"
        return ""


class _Candidates:
    """The waivers that may cover a violation, in their file's order."""

    def __init__(self, tallies: Sequence[_Tally], rules: Iterable[str], indexes: _Indexes) -> None:
        self._tallies = tallies
        self._indexes = indexes
        self._of_rule: dict[str, tuple[int, ...]] = defaultdict(tuple)
        for number, tally in enumerate(tallies):
            for name in tally.waiver.fits(rules):
                self._of_rule[name] += (number,)
        #: By the waivers for a rule: those of them that match each connection.
        self._at: dict[tuple[int, ...], dict[int, list[_Tally]]] = {}

    def of(self, violation: Violation) -> Sequence[_Tally]:
        """Return the waivers for the rule that match the first connection, if any."""
        numbers = self._of_rule.get(violation.rule.id, ())
        if not violation.members:
            return [self._tallies[number] for number in numbers]
        if numbers not in self._at:
            at = self._at[numbers] = defaultdict(list)
            for number in numbers:
                for index in self._tallies[number].indexes(self._indexes):
                    at[index].append(self._tallies[number])
        return self._at[numbers].get(violation.members[0], ())


class _Indexes(msgspec.Struct):
    """Finds the positions, in a listing, of the connections that a waiver matches."""

    connections: Connections
    _columns: dict[str, dict[str, list[int]]] = msgspec.field(default_factory=dict)

    def of(self, waiver: Waiver) -> set[int]:
        """Return the positions of the connections that match all selectors of ``waiver``."""
        if not waiver.connections:
            return set(range(len(self.connections)))
        return set.intersection(*map(self._selected, waiver.connections))

    def _selected(self, selector: Selector) -> set[int]:
        column = self._column(selector.name)
        values: Iterable[str] = column if selector.globs else selector.exact & column.keys()
        return {index for value in selector.chosen(values) for index in column[value]}

    def _column(self, name: str) -> dict[str, list[int]]:
        if name not in self._columns:
            values = {
                "id": self.connections.ids,
                "schema": self.connections.schemas,
                "service": self.connections.services,
                "group": self.connections.group_ids,
                "address": self.connections.addresses,
            }[name]
            column = self._columns[name] = defaultdict(list)
            for index, value in enumerate(values):
                if value:  # no selector names a missing value
                    column[value].append(index)
        return self._columns[name]


def _names(selector: Selector, key: Mapping[str, str]) -> bool:
    """Whether ``selector`` names a group, which lists no connection."""
    return bool(selector.chosen(filter(None, (key.get(SELECTOR_PATHS[selector.name]),))))


def _remembered(
    violation: Violation, connections: Connections, baseline: Baseline
) -> tuple[Remembered, ...]:
    """Return the findings of the baseline that ``violation`` is one of."""
    ids = frozenset(connections.ids[index] for index in violation.members)
    if violation.rule.per:
        if not ids and _is_lossy(violation):
            return ()
        found = baseline.grouped.get((violation.rule.id, violation.group), ())
        return tuple(earlier for earlier in found if ids <= earlier.connections)
    (name,) = ids
    if name.endswith("…"):
        return ()
    single = baseline.single.get((violation.rule.id, name))
    return (single,) if single is not None else ()


def _is_lossy(violation: Violation) -> bool:
    """Whether another group may be shown by the same name: a secret, a cut or a comma in it.

    A finding that lists connections is identified by them; one without has only its name. What a
    plan marks as sensitive is numbered there, as it is met.
    """
    shown = violation.group
    return any(word in shown for word in (REDACTED, SENSITIVE, "…")) or any(
        ", " in value for value in violation.key.values()
    )


#: The word for a finding that no longer exists.
_ENDED = frozenset({"fixed", "gone"})
#: What became of a finding of the baseline, its rule, and its connection's id or its group.
_Fates = Iterator[tuple[str, str, str, bool]]


def _fates(
    outcome: Judgement, connections: Connections, baseline: Baseline, *, whole: bool
) -> _Fates:
    """Yield what became of each baseline finding: still, fixed, gone, waived or not judged.

    With it comes its rule, its connection's id or its group, and whether that is a group.
    """
    missing = "gone" if whole else "untold"
    indexes = {name: index for index, name in enumerate(connections.ids)}
    checks = {entry.rule.id: entry for entry in outcome.checks()}
    for rule_id, name in baseline.single:
        entry = checks.get(rule_id)
        if entry is None or entry.rule.per:
            fate = "untold"
        elif name not in indexes:
            fate = missing
        else:
            fate = _fate({Verdict(entry.verdicts[indexes[name]])})
        yield fate, rule_id, name, False
    groups_now = _Groups(outcome, connections, missing, indexes.keys())
    for (rule_id, group), findings in baseline.grouped.items():
        for finding in findings:
            fate = groups_now.fate(rule_id, group, finding.connections)
            # Connections that were not listed may still exist, and may be the ones that were found.
            unseen = fate == "fixed" and not whole and not finding.connections <= indexes.keys()
            yield "untold" if unseen else fate, rule_id, group, True


class _Groups:
    """What a run says about groups: the verdicts of those it checked, and what is undecided."""

    def __init__(
        self, outcome: Judgement, connections: Connections, missing: str, listed: Collection[str]
    ) -> None:
        self._missing, self._listed = missing, listed
        self._checked: dict[str, dict[str, set[Verdict]]] = {}
        self._unsettled: dict[str, set[str]] = {}
        for entry in outcome.checks():
            if entry.rule.per:
                checked = self._checked[entry.rule.id] = defaultdict(set)
                for check in entry.groups:
                    checked[check.group].add(check.verdict)
        self._errors = {
            rule: {group for group, verdicts in checked.items() if Verdict.ERROR in verdicts}
            for rule, checked in self._checked.items()
        }
        for rule, outcomes in outcome.groups:
            errors = (each for each in outcomes if each.verdict is Verdict.ERROR)
            self._unsettled[rule.rule.id] = {
                connections.ids[number] for each in errors for number in each.members
            }

    def fate(self, rule_id: str, group: str, ids: frozenset[str]) -> str:
        """Return what became of a finding about ``group`` and the connections ``ids``."""
        checked = self._checked.get(rule_id)
        if checked is None:
            return "untold"
        if group in checked:
            return _fate(checked[group])
        if is_unsettled(group, ids, self._errors[rule_id], self._unsettled.get(rule_id, ())):
            return "untold"
        return self._missing if ids.isdisjoint(self._listed) else "fixed"


def _ended(fates: _Fates, baseline: Baseline, clean: Callable[[str], str]) -> Iterator[Ended]:
    """Yield those of the baseline's findings that no longer exist."""
    named = _naming(baseline, clean)
    for fate, rule, name, is_group in fates:
        if fate in _ENDED:
            yield Ended(rule, *named(name, is_group), gone=fate == "gone")


def _unjudged(fates: _Fates, baseline: Baseline, clean: Callable[[str], str]) -> Iterator[Unjudged]:
    """Yield the baseline's findings that this run did not judge."""
    named = _naming(baseline, clean)
    for fate, rule, name, is_group in fates:
        if fate == "untold":
            yield Unjudged(rule, *named(name, is_group))


def _naming(
    baseline: Baseline, clean: Callable[[str], str]
) -> Callable[[str, bool], tuple[str, str]]:
    """Return what gives the name that people know, and the id, "" for a group."""
    columns = baseline.report.connections
    schemas = dict(zip(columns.ids, columns.schemas, strict=True))

    def named(name: str, is_group: bool) -> tuple[str, str]:
        return (clean(name), "") if is_group else (clean(schemas.get(name) or name), clean(name))

    return named


def _fate(verdicts: set[Verdict]) -> str:
    if verdicts & _STILL:
        return "still"
    if Verdict.WAIVED in verdicts:
        return "waived"
    return "untold" if Verdict.ERROR in verdicts else "fixed"
