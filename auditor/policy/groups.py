"""Judging groups of connections: ``unique``, ``count`` and ``share``.

A rule's groups are fed record by record and judged when the listing has ended. What is kept grows
with the number of members and distinct keys, never with the records themselves.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from auditor.model import Verdict
from auditor.policy.conditions import ITSELF, All, Condition, Test, Truth, evaluate
from auditor.policy.rules import GroupRule
from auditor.records import kind_of
from auditor.text import plural

#: A key that no group can have: what made it so is told in the finding.
Key = tuple[Any, ...]
#: Conditions on numbers ask for no time.
_GROWS = frozenset({"gt", "gte"})
_SHRINKS = frozenset({"lt", "lte"})


@dataclass(frozen=True, slots=True)
class GroupOutcome:
    """One check of a ``per`` rule: the group, the verdict, the members it is about, and why."""

    key: Key
    verdict: Verdict
    members: tuple[int, ...]
    field: str
    actual: str
    values: tuple[tuple[str, Any], ...] = ()


@dataclass(slots=True)
class _Group:
    total: int = 0
    members: array[int] = field(default_factory=lambda: array("L"))
    unsure: array[int] = field(default_factory=lambda: array("L"))
    #: The first member with each value, or all of them once there are several.
    seen: dict[Key, int | list[int]] = field(default_factory=dict)


class Groups:
    """The groups of one rule, while a listing is read."""

    def __init__(self, rule: GroupRule) -> None:
        self.rule = rule
        self._groups: dict[Key, _Group] = {} if rule.keys else {(): _Group()}
        self._keyless: list[tuple[int, str]] = []

    def take(self, index: int, key: Key, member: Truth, unique: Key) -> None:
        """Take the record at ``index``: its group's key, whether it is a member, its values."""
        for path, value in zip(self.rule.keys, key, strict=True):
            if type(value) not in {str, int, bool}:
                self._keyless.append((index, f"{path} is {kind_of(value)}"))
                return
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = _Group()
        group.total += 1
        if member is None:
            group.unsure.append(index)
        elif member:
            self._admit(group, index, unique)

    def outcomes(self, *, whole: bool) -> Iterator[GroupOutcome]:
        """Yield every check: groups in the order they were met, then records without a key.

        ``whole`` says that every connection of every group was seen; if not, only what no
        further connection could change is a verdict.
        """
        for key, group in self._groups.items():
            if group.unsure:
                yield self._undecided(key, group)
            elif self.rule.unique:
                yield from self._unique(key, group, whole=whole)
            else:
                yield self._measured(key, group, whole=whole)
        for index, reason in self._keyless:
            yield GroupOutcome((), Verdict.ERROR, (index,), self.rule.keys[0], reason)

    def _admit(self, group: _Group, index: int, unique: Key) -> None:
        group.members.append(index)
        if not self.rule.unique:
            return
        if any(type(value) not in {str, int, bool, float} for value in unique):
            group.unsure.append(index)
            return
        first = group.seen.get(unique)
        if first is None:
            group.seen[unique] = index
        elif isinstance(first, int):
            group.seen[unique] = [first, index]
        else:
            first.append(index)

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
            values = tuple(zip(self.rule.unique, value, strict=True))
            told = f"shared by {plural(len(members), 'connection')}"
            yield GroupOutcome(key, Verdict.FAIL, tuple(members), name, told, values)
        if doubled:
            return
        if not whole:
            yield GroupOutcome(key, Verdict.ERROR, (), name, "unique as far as was seen")
        elif not group.members:
            yield GroupOutcome(key, Verdict.SKIP, (), name, "no connection to compare")
        else:
            yield GroupOutcome(key, Verdict.PASS, (), name, "unique")

    def _measured(self, key: Key, group: _Group, *, whole: bool) -> GroupOutcome:
        members = len(group.members)
        if self.rule.share is not None:
            if not members:
                verdict = Verdict.SKIP if whole else Verdict.ERROR
                return GroupOutcome(key, verdict, (), "share", "no member")
            share = members / group.total
            truth = _on_number(self.rule.share, share) if whole else None
            told = f"{share:.1%} ({members} of {group.total})"
            return GroupOutcome(key, _verdict(truth), tuple(group.members), "share", told)
        assert self.rule.count is not None
        truth = _on_number(self.rule.count, members)
        if not whole and not _is_settled(self.rule.count, members):
            truth = None
        told = str(members) if whole else f"{members} as far as was seen"
        return GroupOutcome(key, _verdict(truth), tuple(group.members), "count", told)


def _on_number(condition: Condition, number: float) -> Truth:
    from datetime import UTC, datetime  # noqa: PLC0415  # a number asks for no time

    return evaluate(condition, lambda _path: number, datetime.max.replace(tzinfo=UTC))


def _is_settled(condition: Condition, members: int) -> bool:
    """Whether no further member could change what ``condition`` says of the count."""
    parts = condition.parts if isinstance(condition, All) else (condition,)
    settled = []
    for part in parts:
        if not isinstance(part, Test) or part.path != ITSELF:
            return False
        holds = _on_number(part, members)
        if holds is False and part.operator.name in _SHRINKS:
            return True
        settled.append(holds is True and part.operator.name in _GROWS)
    return all(settled)


def _verdict(truth: Truth) -> Verdict:
    if truth is None:
        return Verdict.ERROR
    return Verdict.PASS if truth else Verdict.FAIL
