"""What a value of a record is to the language: a number, a scalar, something present."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum
from typing import Any

import msgspec

from auditor.decoding.gaps import LACKS
from auditor.decoding.json_values import MISSING
from auditor.policy.language.truth import Truth

#: The largest number a float can be, in either direction.
LARGEST = sys.float_info.max
_NUMERIC = frozenset({int, float})


class Takes(Enum):
    """The values that an operator can be asked about; any other makes the check an error.

    What is in place of a value that nobody knows is never one of them.
    """

    ANYTHING = "anything, even nothing"
    SCALARS = "text, numbers, booleans"
    NUMBERS = "numbers"
    TEXT = "text"
    TEXT_OR_ARRAY = "text or an array"
    ARRAY = "an array"
    OBJECT = "an object"
    SIZED = "text, an array or an object"
    BOOLEANS = "true or false"
    PRESENT = "any value but null"
    MOMENTS = "times"

    def admits(self, value: Any) -> bool:
        """Whether ``value`` is one of these."""
        return _ADMITS[self](value)


def is_number(value: Any) -> bool:
    """Whether ``value`` is a number that a float can hold."""
    # True == 1 in Python, but not in the JSON the API sends; what no float holds (1e999, or an
    # integer of hundreds of digits) is not a number to compute with.
    return type(value) in _NUMERIC and -LARGEST <= value <= LARGEST


def is_scalar(value: Any) -> bool:
    """Whether ``value`` is a text, a boolean or a number that a float can hold."""
    return type(value) is str or type(value) is bool or is_number(value)


def is_finite(value: Any) -> bool:
    """Whether every number in a JSON value is one that a float can hold."""
    waiting = [value]
    while waiting:
        held = waiting.pop()
        if type(held) in _NUMERIC and not is_number(held):
            return False
        if type(held) is dict:
            waiting.extend(held.values())
        elif type(held) is list:
            waiting.extend(held)
    return True


def is_present(value: Any) -> bool:
    """Whether there is a value at all: not missing and not null."""
    return value is not MISSING and value is not None


_ADMITS: Mapping[Takes, Callable[[Any], bool]] = {
    Takes.ANYTHING: lambda value: type(value) not in LACKS,
    Takes.SCALARS: is_scalar,
    Takes.NUMBERS: is_number,
    Takes.TEXT: lambda value: type(value) is str,
    Takes.TEXT_OR_ARRAY: lambda value: type(value) in {str, list},
    Takes.ARRAY: lambda value: type(value) is list,
    Takes.OBJECT: lambda value: type(value) is dict,
    Takes.SIZED: lambda value: type(value) in {str, list, dict},
    Takes.BOOLEANS: lambda value: type(value) is bool,
    Takes.PRESENT: lambda value: is_present(value) and type(value) not in LACKS,
    Takes.MOMENTS: lambda value: isinstance(value, datetime),
}


class Span(msgspec.Struct, frozen=True):
    """The numbers from ``least`` to ``most``, both included.

    With times of day, ``least`` may be the later one: the span then crosses midnight.
    """

    least: float
    most: float

    @property
    def is_wrapped(self) -> bool:
        """Whether it crosses midnight."""
        return self.least > self.most

    def __call__(self, number: float) -> bool:
        """Whether ``number`` is in it."""
        if self.is_wrapped:
            return number >= self.least or number <= self.most
        return self.least <= number <= self.most


def same(value: Any, other: Any) -> Truth:
    """Whether two scalars are equal; an error if their types differ. 1 equals 1.0."""
    if type(value) is type(other):
        return bool(value == other) if is_scalar(value) and is_scalar(other) else None
    return bool(value == other) if is_number(value) and is_number(other) else None
