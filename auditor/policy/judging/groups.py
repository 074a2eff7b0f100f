"""Judging groups of connections: ``unique``, ``count``, ``share`` and aggregates.

A rule's groups take records one by one and are judged when the listing has ended. Memory grows with
the number of members and distinct keys, never with the records' size.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from math import inf
from typing import Any

import msgspec

from auditor.decoding.gaps import Gap
from auditor.decoding.json_values import MISSING, kind_of
from auditor.model import Verdict
from auditor.policy.language.aggregates import Bounds, Moves
from auditor.policy.language.conditions import ITSELF, All, Condition, Test, evaluate
from auditor.policy.language.operands import FieldOperand, Literal
from auditor.policy.language.rules import GroupRule, Measured
from auditor.policy.language.truth import Truth
from auditor.policy.language.values import is_number, is_scalar
from auditor.text import plural

#: The values that name a group, or that are compared in it.
Key = tuple[Any, ...]
#: Conditions on numbers need no time.
_NO_TIME = datetime.max.replace(tzinfo=UTC)
#: The wording for groups that may have more connections than were listed.
_UNSEEN = "{} as far as listed"


class GroupOutcome(msgspec.Struct, frozen=True):
    """One check of a ``per`` rule: the group, the verdict, the members it is about, and why.

    ``key`` is None for records in no group, because they lack the value that would name it.
    """

    key: Key | None
    verdict: Verdict
    members: tuple[int, ...]
    field: str
    actual: str
    values: tuple[tuple[str, Any], ...] = ()
    note: str = ""
    advice: str = ""
    #: With several accounts, the group's account.
    account: str = ""
    #: Skipped because a plan does not show the whole group.
    unseen: bool = False
    #: What was counted or measured in the group.
    number: float | None = None
    #: The fields that the number is compared with, and their values.
    beside: tuple[tuple[str, Any], ...] = ()
    #: Whether a connection of the account meets the rule's ``unless``, if there is one.
    excused: Truth = None
    #: Whether the rule's ``groups`` selects this group.
    chosen: Truth = True
    #: Every connection of the group, if they are kept.
    everyone: tuple[int, ...] = ()

    @property
    def about(self) -> tuple[int, ...]:
        """The connections that the check is about: those it found, else the whole group."""
        found = self.verdict is not Verdict.PASS and self.verdict is not Verdict.SKIP
        return self.members if self.everyone and found and self.members else self.everyone


class _Group(msgspec.Struct):
    total: int = 0
    members: array[int] = msgspec.field(default_factory=lambda: array("L"))
    unsure: array[int] = msgspec.field(default_factory=lambda: array("L"))
    #: The values at the rule's ``common`` paths, and whether they select this group.
    common: Key = ()
    chosen: Truth = True
    #: The first connection, and one with a different bound: its place, the path, both values.
    first: int = 0
    other: tuple[int, str, Any, Any] | None = None
    #: Each member's number, and the members that have none.
    numbers: list[float] = msgspec.field(default_factory=list)
    numberless: array[int] = msgspec.field(default_factory=lambda: array("L"))
    #: Every connection of the group, if they are kept.
    everyone: array[int] = msgspec.field(default_factory=lambda: array("L"))
    #: The first member with each value, or all of them once there are several.
    seen: dict[Key, int | list[int]] = msgspec.field(default_factory=dict)


class GroupsPart(msgspec.Struct, frozen=True):
    """The groups of some of a listing's records, and those in none, its records counted from 0."""

    groups: Mapping[Key, _Group]
    keyless: Mapping[tuple[str, str], array[int]]


#: Stand-ins for values that cannot be keys themselves.
_NO_SCALARS = frozenset({bool, Gap})


class _Boolean(msgspec.Struct, frozen=True):
    """A boolean in a key: True == 1 in Python, but not in the JSON the API sends."""

    value: bool


class _OfAccount(msgspec.Struct, frozen=True):
    """The account of a group, if there are several accounts."""

    name: str


class Groups:
    """The groups of one rule, while a listing is read.

    With ``placed`` each group's connections are kept.
    """

    def __init__(self, rule: GroupRule, now: datetime, *, placed: bool) -> None:
        self.rule = rule
        self._placed = placed
        self._now = now
        self._common = rule.common
        self._budgets = rule.budgets
        self._groups: dict[Key, _Group] = {} if rule.keys else {(): _Group()}
        self._keyless: dict[tuple[str, str], array[int]] = {}

    def take(
        self,
        index: int,
        key: Key,
        member: Truth,
        values: Key,
        common: Key = (),
        account: str = "",
    ) -> None:
        """Take the record at ``index``: its group's key, whether it is a member, its values.

        ``common`` are the values at the rule's ``common`` paths, the same for all of its group.

        Connections of different accounts are never in one group.
        """
        for path, value in zip(self.rule.keys, key, strict=True):
            if not is_scalar(value) and not (type(value) is Gap and value.identity):
                self._keyless.setdefault((path, _kind(value)), array("L")).append(index)
                return
        key = distinct(key)
        if account:
            key = (_OfAccount(account), *key)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = _Group()
        if not group.total:
            group.first, group.common, group.chosen = index, common, self._is_chosen(common)
        elif common:
            self._compare(group, index, common)
        group.total += 1
        if self._placed:
            group.everyone.append(index)
        if member is None:
            group.unsure.append(index)
        elif member:
            self._add_member(group, index, values)

    def part(self) -> GroupsPart:
        """Return what was taken, for others to join."""
        return GroupsPart(self._groups, self._keyless)

    def join(self, part: GroupsPart, start: int) -> None:
        """Add what others, of the same rule, have taken of the records from ``start`` on."""
        for key, more in part.groups.items():
            group = self._groups.setdefault(key, _Group())
            if more.total:
                self._join(group, more, start)
        for held, at in part.keyless.items():
            self._keyless.setdefault(held, array("L")).extend(_moved(at, start))

    def _join(self, group: _Group, more: _Group, start: int) -> None:
        """Add what others have taken of a group."""
        if not group.total:
            group.first, group.common, group.chosen = more.first + start, more.common, more.chosen
        elif more.common:
            self._compare(group, more.first + start, more.common)
        if group.other is None and more.other is not None:
            index, path, one, other = more.other
            group.other = index + start, path, one, other
        group.total += more.total
        group.members.extend(_moved(more.members, start))
        group.unsure.extend(_moved(more.unsure, start))
        group.numbers += more.numbers
        group.numberless.extend(_moved(more.numberless, start))
        group.everyone.extend(_moved(more.everyone, start))
        for value, at in more.seen.items():
            found = [
                *_positions(group.seen.get(value, [])),
                *(index + start for index in _positions(at)),
            ]
            group.seen[value] = found if len(found) > 1 else found[0]

    def found(self, *, whole: bool) -> dict[str, Truth]:
        """Return for each account ("" if there is just one) whether it has a member at all.

        It is asked of a rule whose groups are the accounts.
        """
        return {
            key[0].name if key else "": True
            if group.members
            else None
            if group.unsure or not whole
            else False
            for key, group in self._groups.items()
        }

    def outcomes(self, *, whole: bool) -> Iterator[GroupOutcome]:
        """Yield every check: groups in the order they appeared, then records in none.

        ``whole`` means that every connection of every group was seen; if not, only what no further
        connection could change is a verdict.
        """
        for key, group in self._groups.items():
            if not key and len(self._groups) > 1:
                continue  # Every connection is in its account's group.
            account = key[0].name if key and type(key[0]) is _OfAccount else ""
            everyone = tuple(group.everyone)
            for outcome in self._of_group(_values(key[1:] if account else key), group, whole=whole):
                yield (
                    msgspec.structs.replace(outcome, account=account, everyone=everyone)
                    if account or everyone
                    else outcome
                )
        for (path, held), at in self._keyless.items():
            members = tuple(at)
            everyone = members if self._placed else ()
            yield GroupOutcome(None, Verdict.ERROR, members, path, held, everyone=everyone)

    def _is_chosen(self, common: Key) -> Truth:
        if self.rule.chosen is None:
            return True
        held = dict(zip(self._common, common, strict=True))

        def get(path: str) -> Any:
            return held.get(path, MISSING)

        return evaluate(self.rule.chosen, get, self._now)

    def _compare(self, group: _Group, index: int, common: Key) -> None:
        """Note a connection whose bound differs from that of the group's first."""
        for path, one, other in zip(self._common, group.common, common, strict=True):
            if group.other is not None or path not in self._budgets:
                continue
            if distinct((one,)) != distinct((other,)):
                group.other = index, path, one, other

    def _of_group(self, named: Key, group: _Group, *, whole: bool) -> Iterator[GroupOutcome]:
        if group.chosen is False:
            actual = "not among those that groups: chooses"
            yield GroupOutcome(named, Verdict.SKIP, (), "group", actual, chosen=False)
        elif group.chosen is None:
            yield self._uncertain(named)
        elif self.rule.unique:
            yield from self._unique(named, group, whole=whole)
        elif group.unsure:
            yield self._undecided(named, group)
        elif self._budgets:
            yield self._budgeted(named, group, whole=whole)
        else:
            yield self._measured(named, group, self.rule.number, whole=whole)

    def _add_member(self, group: _Group, index: int, unique: Key) -> None:
        if self.rule.measured is not None:
            self._measure(group, index, unique[0])
            return
        if not self.rule.unique:
            group.members.append(index)
            return
        if not all(map(is_scalar, unique)):
            group.unsure.append(index)
            return
        unique = distinct(unique)
        first = group.seen.get(unique)
        if first is None:
            group.seen[unique] = index
        elif isinstance(first, int):
            group.seen[unique] = [first, index]
        else:
            first.append(index)

    @staticmethod
    def _measure(group: _Group, index: int, value: Any) -> None:
        if is_number(value):
            group.members.append(index)
            group.numbers.append(value)
        else:
            group.numberless.append(index)

    def _uncertain(self, key: Key) -> GroupOutcome:
        name = ", ".join(self._common)
        advice = (
            f"whether the rule is about this group is not known: ask for {name} with exists in"
            " groups:, or for what is there"
        )
        actual = "not what groups: can be asked of"
        return GroupOutcome(key, Verdict.ERROR, (), name, actual, advice=advice, chosen=None)

    def _undecided(self, key: Key, group: _Group) -> GroupOutcome:
        count = plural(len(group.unsure), "connection")
        return GroupOutcome(
            key,
            Verdict.ERROR,
            tuple(group.unsure),
            ", ".join(self.rule.unique) or "membership",
            f"not known for {count}",
        )

    def _unique(self, key: Key, group: _Group, *, whole: bool) -> Iterator[GroupOutcome]:
        name = ", ".join(self.rule.unique)
        doubled = [(value, at) for value, at in group.seen.items() if isinstance(at, list)]
        for value, members in doubled:
            values = tuple(zip(self.rule.unique, _values(value), strict=True))
            actual = f"shared by {plural(len(members), 'connection')}"
            yield GroupOutcome(key, Verdict.FAIL, tuple(members), name, actual, values)
        if group.unsure:
            yield self._undecided(key, group)
        if doubled or group.unsure:
            return
        if not whole:
            yield GroupOutcome(key, Verdict.ERROR, (), name, _UNSEEN.format("unique"))
        elif not group.seen:
            yield GroupOutcome(key, Verdict.SKIP, (), name, "no connection to compare")
        else:
            yield GroupOutcome(key, Verdict.PASS, (), name, "unique")

    def _budgeted(self, key: Key, group: _Group, *, whole: bool) -> GroupOutcome:
        """Return the outcome for a number that is compared with fields of the group."""
        if group.other is not None:
            index, path, *values = group.other
            first, other = (_digits(v) if is_number(v) else _kind(v) for v in values)
            actual = f"{first} of one connection and {other} of another"
            advice = f"a group has one bound: give all its connections the same {path}"
            both = group.first, index
            return GroupOutcome(key, Verdict.ERROR, both, path, actual, advice=advice)
        held = dict(zip(self._common, group.common, strict=False))
        beside = tuple((path, held.get(path, MISSING)) for path in self._budgets)
        outcome = self._measured(key, group, with_budgets(self.rule, beside), whole=whole)
        outcome = msgspec.structs.replace(outcome, beside=beside)
        if outcome.verdict is not Verdict.ERROR or outcome.number is None:
            return outcome  # It has a verdict, or lacks more than a bound.
        for path, value in beside:
            reason = _no_bound(self.rule.domain, value)
            if reason:
                advice = (
                    f"{path} is no bound for this group: add a row or a default for it, or judge"
                    f" only groups that have one, with groups: {{{path}: {{exists: true}}}}"
                )
                return msgspec.structs.replace(outcome, field=path, actual=reason, advice=advice)
        return outcome

    def _measured(
        self, key: Key, group: _Group, asked: Condition | None, *, whole: bool
    ) -> GroupOutcome:
        members = len(group.members)
        assert asked is not None
        if self.rule.measured is not None:
            return self._aggregated(key, group, self.rule.measured, asked, whole=whole)
        if self.rule.share is not None:
            if not group.total:
                return _empty(key, self.rule.counted, whole=whole)
            share = members / group.total
            truth = on_number(asked, share) if whole else None
            if not members and truth is True:
                return _empty(key, self.rule.counted, whole=True)
            actual = f"{share:.1%} ({members:,} of {group.total:,})"
            actual = actual if whole else _UNSEEN.format(actual)
            members_at = tuple(group.members)
            return GroupOutcome(key, _verdict(truth), members_at, "share", actual, number=share)
        truth = on_number(asked, members)
        if not whole and not _is_settled(asked, members, Moves.UP):
            truth = None
        actual = f"{members:,}" if whole else _UNSEEN.format(f"{members:,}")
        members_at = tuple(group.members)
        return GroupOutcome(key, _verdict(truth), members_at, "count", actual, number=members)

    def _aggregated(
        self, key: Key, group: _Group, measured: Measured, asked: Condition, *, whole: bool
    ) -> GroupOutcome:
        aggregate = measured.aggregate
        if group.numberless:
            count = plural(len(group.numberless), "connection")
            advice = (
                f"these connections have no number there: mend it, or leave them out in the rule's"
                f" when, those that lack it with {measured.path}: {{exists: true}}"
            )
            missing = tuple(group.numberless)
            actual = f"no number for {count}"
            return GroupOutcome(key, Verdict.ERROR, missing, measured.path, actual, advice=advice)
        if not group.numbers and aggregate.of_none is None:
            return _empty(key, measured.name, whole=whole)
        try:
            number = aggregate.of(group.numbers)
        except OverflowError:
            number = inf
        truth = on_number(asked, number)
        if not whole and not _is_settled(asked, number, aggregate.moves):
            truth = None
        decisive = tuple(group.members)
        if aggregate.extreme:
            pairs = zip(group.members, group.numbers, strict=True)
            decisive = tuple(member for member, held in pairs if held == number)
        actual = _digits(number) if whole else _UNSEEN.format(_digits(number))
        return GroupOutcome(key, _verdict(truth), decisive, measured.name, actual, number=number)


def _moved(positions: array[int], start: int) -> array[int]:
    """Return positions that were counted from 0, counted from ``-start``."""
    return array("L", map(start.__add__, positions))


def _positions(at: int | list[int]) -> list[int]:
    return [at] if isinstance(at, int) else at


def distinct(key: Key) -> Key:
    """Return ``key`` so that it equals only keys with the same JSON values."""
    if not _NO_SCALARS.intersection(map(type, key)):
        return key
    return tuple(map(_distinct_value, key))


def _distinct_value(value: Any) -> Any:
    if type(value) is Gap:
        return msgspec.structs.replace(value, reason=value.identity)
    return _Boolean(value) if type(value) is bool else value


def _values(key: Key) -> Key:
    return tuple(value.value if isinstance(value, _Boolean) else value for value in key)


def on_number(condition: Condition, number: float) -> Truth:
    """Return the truth of the tests of a group's number; None where a bound is not known."""
    return evaluate(condition, lambda path: number if path == ITSELF else MISSING, _NO_TIME)


def with_budgets(rule: GroupRule, beside: tuple[tuple[str, Any], ...]) -> Condition | None:
    """Return the tests of one group's number, with each field replaced by its value.

    A field whose value cannot be a bound stays: a test of it cannot be evaluated.
    """
    known = {path: value for path, value in beside if not _no_bound(rule.domain, value)}
    return _filled(rule.number, known) if rule.number is not None else None


def _filled(condition: Condition, known: Mapping[str, Any]) -> Condition:
    match condition:
        case All(parts):
            return All(tuple([_filled(part, known) for part in parts]))
        case Test(operand=FieldOperand(path=path)) if path in known:
            literal = Literal(known[path], _digits(known[path]))
            return msgspec.structs.replace(condition, operand=literal)
    return condition


def _no_bound(domain: Bounds, value: Any) -> str:
    """Return why ``value`` cannot bound a number of ``domain``; "" where it can."""
    if not is_number(value):
        return _kind(value)
    if domain.least <= value <= domain.most:
        return ""
    return f"{_digits(value)}, and {domain.what} is {domain.range}"


def _kind(value: Any) -> str:
    """Return what a value is that names no group, or is no number."""
    return str(value.reason) if type(value) is Gap else kind_of(value)


def _empty(key: Key, name: str, *, whole: bool) -> GroupOutcome:
    verdict = Verdict.SKIP if whole else Verdict.ERROR
    return GroupOutcome(
        key, verdict, (), name, "no member" if whole else _UNSEEN.format("no member")
    )


def _digits(number: float) -> str:
    """Return a number as reports show it, with the digits of its float."""
    return f"{number:,}" if type(number) is int else f"{number:,.15g}"


def _is_settled(condition: Condition, number: float, moves: Moves) -> bool:
    """Whether no further member could change the result of ``condition`` on the number."""
    if moves is Moves.EITHER:
        return False
    parts = condition.parts if isinstance(condition, All) else (condition,)
    settled = []
    for part in parts:
        if not isinstance(part, Test):
            return False
        bound, operand = part.operator.bound, part.operand
        if bound is None or not isinstance(operand, Literal):
            return False
        holds, within = on_number(part, number), bound(operand.value)
        ahead = within.most if moves is Moves.UP else within.least
        if holds is False and ahead is not None:
            past = number >= ahead if moves is Moves.UP else number <= ahead
            if past:
                return True
        settled.append(holds is True and ahead is None)
    return all(settled)


def _verdict(truth: Truth) -> Verdict:
    if truth is None:
        return Verdict.ERROR
    return Verdict.PASS if truth else Verdict.FAIL
