"""What each operator means, as a function of a value it takes, its operand, and ``now``.

A function returns None if it cannot be evaluated: the operand is missing, or of another type. An
operand that is a condition is a tuple of functions that judge an item, or a number.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from auditor.clock import FUTURE_TOLERANCE
from auditor.decoding.json_values import MISSING, Unread
from auditor.policy.language.truth import Truth, all_of, any_of
from auditor.policy.language.values import is_finite, is_number, is_present, same


class Interval(msgspec.Struct, frozen=True):
    """Where something can hold: from ``least`` to ``most``, None for no end.

    ``above`` and ``below`` say that the end itself is outside. The ends are numbers, moments, or
    durations where an age is compared.
    """

    least: Any = None
    most: Any = None
    above: bool = False
    below: bool = False


class Quantifier(msgspec.Struct, frozen=True):
    """How the items of an array settle a test: one that comes to ``settled_by`` ends it.

    The test then comes to ``comes_to``, and to the contrary when no item has settled it.
    """

    settled_by: bool
    comes_to: bool

    @property
    def wants(self) -> bool:
        """The result that an item needs for the test to hold."""
        return self.settled_by is self.comes_to


def exists(value: Any, operand: bool, _now: datetime) -> Truth:
    """Whether the value is there and not null or, with False, is not."""
    return is_present(value) is operand


def is_empty(value: Any, operand: bool, _now: datetime) -> Truth:
    """Whether the text, array or object is empty or, with False, is not."""
    least, most = _sizes(value)
    return None if least == 0 < most else (most == 0) is operand


def _sizes(value: Any) -> tuple[int, int]:
    """Return the fewest and the most items the value may hold: an unread one may not be its own."""
    most = len(value)
    unread = sum(type(item) is Unread for item in value) if type(value) is list else 0
    return most - unread, most


def equals(value: Any, operand: Any, _now: datetime) -> Truth:
    """Whether the value is this one, of the same type."""
    return same(value, operand)


def not_equals(value: Any, operand: Any, now: datetime) -> Truth:
    """Whether the value is another one, of the same type."""
    truth = equals(value, operand, now)
    return None if truth is None else not truth


def compare(holds: Callable[[Any, Any], bool]) -> Callable[[Any, Any, datetime], Truth]:
    """Return a comparison of two numbers; an error if the other is not one."""

    def compare(value: Any, operand: Any, _now: datetime) -> Truth:
        return bool(holds(value, operand)) if is_number(operand) else None

    return compare


def between(value: float, operand: Any, _now: datetime) -> Truth:
    """Whether the number is in the span."""
    return None if operand is MISSING else bool(operand(value))


def is_in(value: Any, operand: Any, _now: datetime) -> Truth:
    """Whether the value is one of these; an error if none is of its type."""
    if operand is MISSING:
        return None
    truths = [same(value, other) for other in operand]
    if True in truths:
        return True
    return False if False in truths else None


def is_not_in(value: Any, operand: Any, now: datetime) -> Truth:
    """Whether the value is not one of these; an error if none is of its type."""
    truth = is_in(value, operand, now)
    return None if truth is None else not truth


def contains(value: Any, operand: Any, _now: datetime) -> Truth:
    """Whether the text has this part, or the array this item; an error for "", in every text."""
    if type(value) is str:
        return operand in value if type(operand) is str and operand else None
    if operand is MISSING:
        return None
    return any_of(same(item, operand) for item in value)


def contains_any(value: Any, operand: Any, now: datetime) -> Truth:
    """Whether at least one of these is contained."""
    if operand is MISSING:
        return None
    return any_of(contains(value, needle, now) for needle in operand)


def contains_all(value: Any, operand: Any, now: datetime) -> Truth:
    """Whether all of these are contained."""
    if operand is MISSING:
        return None
    return all_of(contains(value, needle, now) for needle in operand)


def subset_of(value: Any, operand: Any, now: datetime) -> Truth:
    """Whether every item of the array is one of these."""
    return None if operand is MISSING else all_of(is_in(item, operand, now) for item in value)


def on_text(holds: Callable[[str, Any], bool]) -> Callable[[Any, Any, datetime], Truth]:
    """Return a test of a text; an error if its operand is missing. Any of several will do."""

    def test(value: str, operand: Any, _now: datetime) -> Truth:
        if operand is MISSING:
            return None
        if type(operand) is tuple:
            return any(holds(value, alternative) for alternative in operand)
        return holds(value, operand)

    return test


def length(value: Any, operand: Any, _now: datetime) -> Truth:
    """Whether the number of characters, items or keys is as wanted; an error if it is unsure."""
    (judge,) = operand
    least, most = _sizes(value)
    outcomes = {judge(size) for size in range(least, most + 1)}
    return outcomes.pop() if len(outcomes) == 1 else None


def before(value: datetime, operand: Any, _now: datetime) -> Truth:
    """Whether the time is earlier."""
    return None if operand is MISSING else value < operand


def after(value: datetime, operand: Any, _now: datetime) -> Truth:
    """Whether the time is later."""
    return None if operand is MISSING else value > operand


def older_than(value: datetime, operand: Any, now: datetime) -> Truth:
    """Whether the time is longer ago; an error for one in the future, some minutes apart."""
    if operand is MISSING:
        return None
    age: timedelta = now - value
    return None if age < -FUTURE_TOLERANCE else bool(age > operand)


def newer_than(value: datetime, operand: Any, now: datetime) -> Truth:
    """Whether the time is not longer ago; an error for one in the future, some minutes apart."""
    truth = older_than(value, operand, now)
    return None if truth is None else not truth


def quantified(by: Quantifier) -> Callable[[Any, Any, datetime], Truth]:
    """Return a test of an array's items: each is judged, until one settles it."""

    def test(value: list[Any], operand: Any, _now: datetime) -> Truth:
        (judge,) = operand
        truths = [judge(item) for item in value]
        if by.settled_by in truths:
            return by.comes_to
        return None if None in truths else not by.comes_to

    return test


def count_items(value: list[Any], operand: Any, _now: datetime) -> Truth:
    """Whether as many items meet the condition as wanted, whatever the undecided ones would add."""
    judge, count = operand
    truths = [judge(item) for item in value]
    certain, unsure = truths.count(True), truths.count(None)
    outcomes = {count(number) for number in range(certain, certain + unsure + 1)}
    return outcomes.pop() if len(outcomes) == 1 else None


def json_schema(value: Any, operand: Any, _now: datetime) -> Truth:
    """Whether the value is valid against the schema."""
    if not is_finite(value):
        return None
    try:
        return bool(operand.is_valid(value))
    except RecursionError:  # Nested more deeply than the validator can follow.
        return None
