"""What is surely wrong with rules on groups: with one by itself, or with two on the same groups.

Two rules are compared if their groups and members are the same: they then count or measure one
number, and a count is whole. Rules with ``unique`` need not have the same groups: a value shared
within a part of a group is shared within the whole.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from itertools import pairwise

from auditor.errors import Problem
from auditor.policy.analysis.domains import NOW, condition_key
from auditor.policy.language.conditions import Condition, evaluate, tests_in
from auditor.policy.language.operands import Literal
from auditor.policy.language.rules import GroupRule
from auditor.policy.language.truth import Truth
from auditor.policy.language.values import Span, is_number
from auditor.text import listed

#: The field that names a connection: no two have the same.
_OWN = "id"


def of_one(rule: GroupRule) -> Iterator[Problem]:
    """Yield what is wrong with one rule: it can never fail, or a part of it decides nothing."""
    name = rule.rule.id
    if rule.unique and _OWN in (*rule.unique, *rule.keys):
        yield _problem(rule, f"{name} can never fail: no two connections have the same {_OWN}")
    elif again := [path for path in rule.unique if path in rule.keys]:
        message = f"{name}: {listed(again, 'and')} decides nothing in its unique"
        yield _problem(rule, message, "all connections of a group have the same value: remove it")
    if rule.when is not None or rule.budgets:
        return
    if rule.share is not None:
        yield from _constant_result(
            rule, rule.share, [1.0], "every connection counts, and the share is 1"
        )
    elif rule.count is not None and rule.keys:
        numbers = [n for n in _numbers(rule.count, whole=True) if n >= 1]
        yield from _constant_result(
            rule, rule.count, numbers, "a group has at least one connection"
        )


def of_two(rules: Sequence[GroupRule]) -> Iterator[Problem]:
    """Yield what is wrong with two of ``rules``: they contradict, or one implies the other."""
    alike: dict[Hashable, list[GroupRule]] = {}
    for rule in rules:
        alike.setdefault(_groups(rule), []).append(rule)
    for several in alike.values():
        for number, rule in enumerate(several):
            for other in several[:number]:
                if not (rule.rule.position.in_pack and other.rule.position.in_pack):
                    yield from _of_pair(rule, other)


def _constant_result(
    rule: GroupRule, condition: Condition, numbers: Sequence[float], since: str
) -> Iterator[Problem]:
    truths = {_holds(condition, number) for number in numbers}
    if truths == {True}:
        message = f"{rule.rule.id} can never fail: without a when, {since}"
        yield _problem(rule, message, "write a when that says which connections count")
    elif truths == {False}:
        message = f"{rule.rule.id} fails for every group: without a when, {since}"
        yield _problem(rule, message, "write a when that says which connections count")


def _groups(rule: GroupRule) -> Hashable:
    """Return what rules on the same groups, members and number have in common."""
    conditions = (rule.when, rule.unless, rule.chosen)
    measured = rule.measured
    return (
        # A condition on groups reads what the groups of one rule have in common.
        frozenset(rule.keys) if not rule.unique or rule.chosen is not None else None,
        tuple(condition_key(c) if c is not None else None for c in conditions),
        rule.count is not None,
        rule.share is not None,
        (measured.aggregate.name, measured.path) if measured is not None else None,
    )


def _of_pair(late: GroupRule, early: GroupRule) -> Iterator[Problem]:
    strong, weak = late, early
    for strong, weak in ((early, late), (late, early)):
        if weak.rule.severity > strong.rule.severity:
            continue
        told_apart = {*weak.keys, *weak.unique}
        if strong.unique and told_apart >= {*strong.keys, *strong.unique}:
            yield _implied(weak, strong, "")
            return
    first, second = _number_of(late), _number_of(early)
    if first is None or second is None:
        return
    name = late.measured.name if late.measured is not None else "share" if late.share else "count"
    whole = late.count is not None
    numbers = sorted({*_numbers(first, whole=whole), *_numbers(second, whole=whole)})
    if late.share is not None:
        numbers = [n for n in numbers if 0 <= n <= 1]
    truths = {n: (_holds(first, n), _holds(second, n)) for n in numbers}
    if not all(any(pair[side] for pair in truths.values()) for side in (0, 1)):
        return  # One of them alone never holds, which is reported.
    if (True, True) not in truths.values():
        message = (
            f"no group can satisfy {late.rule.id} and {early.rule.id}, at {early.rule.position}"
        )
        example = next((n for n, pair in truths.items() if True in pair), numbers[0])
        yield _problem(late, message, f"a group whose {name} is {example:g} fails one")
        return
    for strong, weak, side in ((early, late, 0), (late, early, 1)):
        fails = [n for n, pair in truths.items() if pair[side] is False]
        covered = all(truths[n][1 - side] is False for n in fails)
        if fails and covered and weak.rule.severity <= strong.rule.severity:
            yield _implied(weak, strong, f"a group whose {name} is {fails[0]:g} fails both")
            return


def _implied(weak: GroupRule, strong: GroupRule, hint: str) -> Problem:
    message = (
        f"{weak.rule.id} is redundant: every group that fails it also fails {strong.rule.id},"
        f" at {strong.rule.position}, as well"
    )
    return _problem(weak, message, hint)


def _number_of(rule: GroupRule) -> Condition | None:
    """Return what the rule's number has to be; None where that is another thing for each group."""
    return rule.number if not rule.budgets else None


def _holds(condition: Condition, number: float) -> Truth:
    return evaluate(condition, lambda _path: number, NOW)


def _numbers(condition: Condition, *, whole: bool) -> list[float]:
    """Return numbers for every case of ``condition``: its bounds, and those between.

    With ``whole`` they are counts.
    """
    ends = {0.0, 1.0}
    for test in tests_in(condition):
        value = test.operand.value if isinstance(test.operand, Literal) else None
        if isinstance(value, Span):
            value = (value.least, value.most)
        ends |= {
            float(n) for n in (value if isinstance(value, tuple) else (value,)) if is_number(n)
        }
    if whole:
        near = {math.floor(end) + step for end in ends for step in (-1, 0, 1, 2)}
        return sorted(float(n) for n in near if n >= 0)
    ordered = sorted(ends)
    between = [(low + high) / 2 for low, high in pairwise(ordered)]
    return sorted({*ordered, *between, ordered[0] - 1, ordered[-1] + 1})


def _problem(rule: GroupRule, message: str, hint: str = "") -> Problem:
    condition = _number_of(rule)
    tests = tests_in(condition) if condition is not None else ()
    position = min((test.position for test in tests), default=rule.rule.position)
    return Problem(position, message, hint, warning=True)
