"""Checks of a planned record without a verdict: what they lack, and what that means.

A test of a field that is *unknown until applied* could go either way; one of a field that is *not
in the plan* has no result, whatever anyone writes. If the unknown could still decide a check, it is
an error that says what to write; if the check would even then depend on what no plan has, it does
not apply to a plan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from enum import Enum, auto
from itertools import product
from typing import Any

from auditor.decoding.gaps import NOT_IN_PLAN, Gap, Lack, gaps_in
from auditor.decoding.json_values import MISSING
from auditor.policy.language.conditions import (
    All,
    AnyOf,
    Condition,
    Named,
    Not,
    Test,
    evaluate_test,
)
from auditor.policy.language.operands import FieldOperand
from auditor.policy.language.rules import GroupRule, PolicyRule


class Want(Enum):
    """Why a check has no verdict."""

    ERROR = "it could not be evaluated, even apart from what the plan leaves open"
    UNKNOWN = "a field is unknown until applied"
    NOT_IN_PLAN = "a field is not in the plan"


class _Truth(Enum):
    TRUE = auto()
    FALSE = auto()
    NOT_IN_PLAN = auto()
    ERROR = auto()


_Truths = frozenset[_Truth]
_EITHER = frozenset({_Truth.TRUE, _Truth.FALSE})
_SURE = {True: frozenset({_Truth.TRUE}), False: frozenset({_Truth.FALSE})}
_NOT = {_Truth.TRUE: _Truth.FALSE, _Truth.FALSE: _Truth.TRUE}


def want_of(rule: PolicyRule, get: Callable[[str], Any], now: datetime) -> Want:
    """Return why a check of ``rule`` on what ``get`` reads has no verdict."""
    outcomes = _outcomes(rule, get, now)
    if outcomes & _EITHER:
        return Want.UNKNOWN
    return Want.NOT_IN_PLAN if outcomes == {_Truth.NOT_IN_PLAN} else Want.ERROR


def needs(rule: PolicyRule, lacks: Callable[[str], bool], now: datetime) -> bool:
    """Whether a check of ``rule`` can be an error because of the paths that a record lacks."""
    return _Truth.ERROR in _outcomes(rule, lambda path: MISSING if lacks(path) else _OPEN, now)


class PlanAnswer(Enum):
    """What a plan can tell about a rule, whatever the plan says."""

    ALL = "a plan can tell"
    SOME = "a plan can tell if the rest decides"
    NOTHING = "no plan can tell"
    GROUPS = "only with --over: a plan does not show whole groups"


def plan_answer(entry: PolicyRule | GroupRule, now: datetime) -> tuple[PlanAnswer, tuple[str, ...]]:
    """Return what a plan can tell about a rule, and the paths it reads that no plan has."""
    if isinstance(entry, GroupRule):
        return PlanAnswer.GROUPS, ()
    missing = tuple(path for path in entry.rule.reads if _is_in_no_plan(path))

    def get(path: str) -> Gap:
        return NOT_IN_PLAN if _is_in_no_plan(path) else _OPEN

    if not missing:
        return PlanAnswer.ALL, ()
    want = want_of(entry, get, now)
    return (PlanAnswer.SOME if want is Want.UNKNOWN else PlanAnswer.NOTHING), missing


_OPEN = Gap(Lack.UNKNOWN, Lack.UNKNOWN.value)


def _is_in_no_plan(path: str) -> bool:
    from auditor.sources.plan.connections import IN_NO_PLAN  # noqa: PLC0415  # for plans only

    return path.partition(".")[0] in IN_NO_PLAN


def _outcomes(rule: PolicyRule, get: Callable[[str], Any], now: datetime) -> set[_Truth]:
    """Return the possible results of the assertion of ``rule``, or the error of its ``when``."""
    applies = _truths(rule.when, get, now) if rule.when is not None else _SURE[True]
    outcomes = set(applies) - _EITHER
    if _Truth.TRUE in applies:
        outcomes |= _truths(rule.assertion, get, now)
    return outcomes


def _truths(condition: Condition, get: Callable[[str], Any], now: datetime) -> _Truths:
    """Return every truth that ``condition`` may have once the unknown is known."""
    match condition:
        case All(parts):
            return _joined((_truths(p, get, now) for p in parts), _Truth.FALSE, _Truth.TRUE)
        case AnyOf(parts):
            return _joined((_truths(p, get, now) for p in parts), _Truth.TRUE, _Truth.FALSE)
        case Not(part):
            return frozenset(_NOT.get(truth, truth) for truth in _truths(part, get, now))
        case Named(_, part):
            return _truths(part, get, now)
        case Test():
            return _of_test(condition, get, now)


def _joined(parts: Iterable[_Truths], settles: _Truth, empty: _Truth) -> _Truths:
    """Return the possible truths of several parts together; one that ``settles`` decides."""
    found: _Truths = frozenset({empty})
    for part in parts:
        found = frozenset(_pair(a, b, settles) for a, b in product(found, part))
    return found


def _pair(one: _Truth, other: _Truth, settles: _Truth) -> _Truth:
    if settles in (one, other):
        return settles
    # Where neither decides, both are true (or both false) but for what cannot be evaluated.
    return max(one, other, key=lambda truth: truth.value)


def _of_test(test: Test, get: Callable[[str], Any], now: datetime) -> _Truths:
    truth = evaluate_test(test, get, now)
    if truth is not None:
        return _SURE[truth]
    open_fields: list[Gap] = gaps_in(get(test.path))
    if isinstance(test.operand, FieldOperand):
        other = get(test.operand.path)
        if MISSING in (get(test.path), other):
            return frozenset({_Truth.ERROR})
        open_fields += gaps_in(other)
    if not open_fields:
        return frozenset({_Truth.ERROR})
    if any(gap.lack is Lack.NOT_IN_PLAN for gap in open_fields):
        return frozenset({_Truth.NOT_IN_PLAN})
    return _EITHER
