"""The operators: one entry each in a closed table.

An entry says what an operator means (``holds``, on values it takes), the types it takes, what may
be written as its operand, and how it reads in English. ``source`` is the same meaning as a Python
expression for the compiler, where one is worth having; a law in the tests holds that the two agree.

To add an operator: a function, a line in ``_OPERATORS``, an example in ``docs/policy-language.md``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from types import MappingProxyType
from typing import Any

from auditor.clock import FUTURE_TOLERANCE, UNITS_BY_NAME
from auditor.fields import Kind, find
from auditor.policy.conditions import FieldOperand, Reading, Truth, all_of, any_of
from auditor.records import MISSING


class Takes(Enum):
    """The values an operator can be asked about; any other is an error of the check."""

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


class OperandForm(Enum):
    """What may be written after an operator's name."""

    BOOLEAN = "true or false"
    SCALAR = "a value of the field's type"
    SCALARS = "a list of values of the field's type"
    ORDERED = "a number, or a time of day"
    NEEDLE = "a text, or an item of the array"
    NEEDLES = "a list of texts or items"
    TEXT = "a text"
    GLOB = "a text with * and ?"
    PATTERN = "a regular expression in RE2 syntax"
    LENGTH = "a number, or tests of a number"
    MOMENT = "a timestamp, now, now+6h or now-30d"
    DURATION = "a duration such as 90m, 36h, 7d or 2w"
    CONDITION = "a condition on an item"
    COUNT = "where: a condition on an item, is: a number or tests of a number"
    SCHEMA = "a JSON Schema"


#: The largest number there is, in either direction.
LARGEST = sys.float_info.max
_NUMERIC = frozenset({int, float})
_TEXTUAL = frozenset({Kind.STRING, Kind.ANY})
_TEXT_LIKE = _TEXTUAL | {Kind.TIME_OF_DAY}
_SCALAR = frozenset({Kind.STRING, Kind.INTEGER, Kind.BOOLEAN, Kind.TIME_OF_DAY, Kind.ANY})
_ORDERED = frozenset({Kind.INTEGER, Kind.TIME_OF_DAY, Kind.ANY})
_TIMES = frozenset({Kind.TIMESTAMP, Kind.ANY})
_ARRAYS = frozenset({Kind.ARRAY, Kind.ANY})
_SIZED = frozenset({Kind.STRING, Kind.ARRAY, Kind.OBJECT, Kind.ANY})


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator.

    ``holds(value, operand, now)`` is called with a value that ``takes`` lets through; None means
    that it could not be evaluated. ``kinds`` are the field types a policy may use it on.
    ``source`` is a Python expression over ``{value}`` and ``{operand}``, true as ``holds`` is.
    ``phrase`` reads after a field's name. ``whole`` needs all that an object or array holds.
    """

    name: str
    family: str
    doc: str
    takes_values: Takes
    kinds: frozenset[Kind]
    form: OperandForm
    holds: Callable[[Any, Any, datetime], Truth]
    phrase: str
    source: str = ""
    whole: bool = False

    @property
    def of_items(self) -> bool:
        """Whether its operand is a condition on the items of an array."""
        return self.form in {OperandForm.CONDITION, OperandForm.COUNT}

    def needs_whole(self, path: str) -> bool:
        """Whether what stands at ``path`` has to be decoded with all it holds.

        The size of a documented text or array is known without its contents.
        """
        documented = find(path)
        sized = documented is not None and documented.kind in {Kind.STRING, Kind.ARRAY}
        return self.whole and (self.form is OperandForm.SCHEMA or not sized)

    def accepts(self, kind: Kind) -> Takes:
        """Return the values that can be asked about of a field that is documented as ``kind``.

        Where an operator takes several types, a field has one: another would be a wrong type.
        """
        if self.takes_values is Takes.PRESENT and kind is Kind.TIME_OF_DAY:
            return Takes.TEXT
        if self.takes_values in _SEVERAL:
            return _OF_KIND.get(kind, self.takes_values)
        return self.takes_values

    def from_field(self, other: Any, operand: FieldOperand) -> Any:
        """Return the value of a field as an operand; MISSING where it cannot be one."""
        if self.form is OperandForm.DURATION:
            if not is_number(other) or other < 0:
                return MISSING
            try:
                return other * operand.times * UNITS_BY_NAME[operand.unit]
            except OverflowError:
                return MISSING
        if self.form in {OperandForm.SCALARS, OperandForm.NEEDLES}:
            return tuple(other) if type(other) is list else MISSING
        if self.form is OperandForm.MOMENT:
            return other if isinstance(other, datetime) else MISSING
        if self.form is OperandForm.TEXT:
            return other if type(other) is str else MISSING
        return other if is_scalar(other) else MISSING


def is_number(value: Any) -> bool:
    """Whether ``value`` is a number that a float holds."""
    # True == 1 in Python, but not in the JSON the API sends; what no float holds (1e999, or an
    # integer of hundreds of digits) is no number to reckon with.
    return type(value) in _NUMERIC and -LARGEST <= value <= LARGEST


def is_scalar(value: Any) -> bool:
    """Whether ``value`` is a text, a boolean or a number that a float holds."""
    return type(value) is str or type(value) is bool or is_number(value)


def _is_finite(value: Any) -> bool:
    """Whether every number in a JSON value is one that a float holds."""
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


def _is_present(value: Any) -> bool:
    return value is not MISSING and value is not None


_ADMITS: Mapping[Takes, Callable[[Any], bool]] = {
    Takes.ANYTHING: lambda value: True,  # noqa: ARG005  # whatever it is
    Takes.SCALARS: is_scalar,
    Takes.NUMBERS: is_number,
    Takes.TEXT: lambda value: type(value) is str,
    Takes.TEXT_OR_ARRAY: lambda value: type(value) in {str, list},
    Takes.ARRAY: lambda value: type(value) is list,
    Takes.OBJECT: lambda value: type(value) is dict,
    Takes.SIZED: lambda value: type(value) in {str, list, dict},
    Takes.BOOLEANS: lambda value: type(value) is bool,
    Takes.PRESENT: _is_present,
    Takes.MOMENTS: lambda value: isinstance(value, datetime),
}
_SEVERAL = frozenset({Takes.SCALARS, Takes.TEXT_OR_ARRAY, Takes.SIZED, Takes.PRESENT})
_OF_KIND: Mapping[Kind, Takes] = {
    Kind.STRING: Takes.TEXT,
    Kind.INTEGER: Takes.NUMBERS,
    Kind.BOOLEAN: Takes.BOOLEANS,
    Kind.OBJECT: Takes.OBJECT,
    Kind.ARRAY: Takes.ARRAY,
}


def same(value: Any, other: Any) -> Truth:
    """Whether two scalars are equal; an error where their types differ. 1 equals 1.0."""
    if type(value) is type(other):
        return bool(value == other) if is_scalar(value) else None
    return bool(value == other) if is_number(value) and is_number(other) else None


def _exists(value: Any, operand: bool, _now: datetime) -> Truth:
    return _is_present(value) is operand


def _is_empty(value: Any, operand: bool, _now: datetime) -> Truth:
    return (len(value) == 0) is operand


def _equals(value: Any, operand: Any, _now: datetime) -> Truth:
    return same(value, operand)


def _not_equals(value: Any, operand: Any, now: datetime) -> Truth:
    truth = _equals(value, operand, now)
    return None if truth is None else not truth


def _compare(holds: Callable[[Any, Any], bool]) -> Callable[[Any, Any, datetime], Truth]:
    def compare(value: Any, operand: Any, _now: datetime) -> Truth:
        return bool(holds(value, operand)) if is_number(operand) else None

    return compare


def _in(value: Any, operand: Any, _now: datetime) -> Truth:
    # A value is judged against the literals of its own type; where there is none, an error.
    if operand is MISSING:
        return None
    truths = [same(value, other) for other in operand]
    if True in truths:
        return True
    return False if False in truths else None


def _not_in(value: Any, operand: Any, now: datetime) -> Truth:
    truth = _in(value, operand, now)
    return None if truth is None else not truth


def _contains(value: Any, operand: Any, _now: datetime) -> Truth:
    if type(value) is str:
        return operand in value if type(operand) is str else None
    if operand is MISSING:
        return None
    return any_of(same(item, operand) for item in value)


def _contains_any(value: Any, operand: Any, now: datetime) -> Truth:
    if operand is MISSING:
        return None
    return any_of(_contains(value, needle, now) for needle in operand)


def _contains_all(value: Any, operand: Any, now: datetime) -> Truth:
    if operand is MISSING:
        return None
    return all_of(_contains(value, needle, now) for needle in operand)


def _subset_of(value: Any, operand: Any, now: datetime) -> Truth:
    return None if operand is MISSING else all_of(_in(item, operand, now) for item in value)


def _on_text(holds: Callable[[str, Any], bool]) -> Callable[[Any, Any, datetime], Truth]:
    def test(value: str, operand: Any, _now: datetime) -> Truth:
        return None if operand is MISSING else holds(value, operand)

    return test


def _length(value: Any, operand: Any, _now: datetime) -> Truth:
    (judge,) = operand
    truth: Truth = judge(len(value))
    return truth


def _before(value: datetime, operand: Any, _now: datetime) -> Truth:
    return None if operand is MISSING else value < operand


def _after(value: datetime, operand: Any, _now: datetime) -> Truth:
    return None if operand is MISSING else value > operand


def _older_than(value: datetime, operand: Any, now: datetime) -> Truth:
    if operand is MISSING:
        return None
    age: timedelta = now - value
    return None if age < -FUTURE_TOLERANCE else bool(age > operand)


def _newer_than(value: datetime, operand: Any, now: datetime) -> Truth:
    truth = _older_than(value, operand, now)
    return None if truth is None else not truth


def _any_item(value: list[Any], operand: Any, _now: datetime) -> Truth:
    (judge,) = operand
    return any_of(judge(item) for item in value)


def _all_items(value: list[Any], operand: Any, _now: datetime) -> Truth:
    (judge,) = operand
    return all_of(judge(item) for item in value)


def _none_items(value: list[Any], operand: Any, now: datetime) -> Truth:
    truth = _any_item(value, operand, now)
    return None if truth is None else not truth


def _count_items(value: list[Any], operand: Any, _now: datetime) -> Truth:
    judge, count = operand
    truths = [judge(item) for item in value]
    certain, unsure = truths.count(True), truths.count(None)
    outcomes = {count(number) for number in range(certain, certain + unsure + 1)}
    return outcomes.pop() if len(outcomes) == 1 else None


def _json_schema(value: Any, operand: Any, _now: datetime) -> Truth:
    if not _is_finite(value):
        return None
    try:
        return bool(operand.is_valid(value))
    except (ArithmeticError, RecursionError):  # past what the validator can reckon with
        return None


def _operators() -> tuple[Operator, ...]:
    takes, form = Takes, OperandForm
    scalars, numbers, text = takes.SCALARS, takes.NUMBERS, takes.TEXT
    return (
        Operator(
            "exists",
            "presence",
            "The field is there and not null (`true`), or not (`false`).",
            takes.ANYTHING,
            frozenset(Kind),
            form.BOOLEAN,
            _exists,
            "is set",
            "({value} is not MISSING and {value} is not None) is {operand}",
        ),
        Operator(
            "is_empty",
            "presence",
            "The text, array or object holds nothing.",
            takes.SIZED,
            _SIZED,
            form.BOOLEAN,
            _is_empty,
            "is empty",
            "(not {value}) is {operand}",
            whole=True,
        ),
        Operator(
            "equals",
            "comparison",
            "The value is this one.",
            scalars,
            _SCALAR,
            form.SCALAR,
            _equals,
            "is {}",
            "{value} == {operand}",
        ),
        Operator(
            "not_equals",
            "comparison",
            "The value is another one, of the same type.",
            scalars,
            _SCALAR,
            form.SCALAR,
            _not_equals,
            "is not {}",
            "{value} != {operand}",
        ),
        Operator(
            "gt",
            "comparison",
            "More than.",
            numbers,
            _ORDERED,
            form.ORDERED,
            _compare(lambda a, b: a > b),
            "is more than {}",
            "{value} > {operand}",
        ),
        Operator(
            "gte",
            "comparison",
            "At least.",
            numbers,
            _ORDERED,
            form.ORDERED,
            _compare(lambda a, b: a >= b),
            "is at least {}",
            "{value} >= {operand}",
        ),
        Operator(
            "lt",
            "comparison",
            "Less than.",
            numbers,
            _ORDERED,
            form.ORDERED,
            _compare(lambda a, b: a < b),
            "is less than {}",
            "{value} < {operand}",
        ),
        Operator(
            "lte",
            "comparison",
            "At most.",
            numbers,
            _ORDERED,
            form.ORDERED,
            _compare(lambda a, b: a <= b),
            "is at most {}",
            "{value} <= {operand}",
        ),
        Operator(
            "in",
            "membership",
            "One of these values.",
            scalars,
            _SCALAR,
            form.SCALARS,
            _in,
            "is {}",
            "{value} in {operand}",
        ),
        Operator(
            "not_in",
            "membership",
            "None of these values.",
            scalars,
            _SCALAR,
            form.SCALARS,
            _not_in,
            "is none of {}",
            "{value} not in {operand}",
        ),
        Operator(
            "contains",
            "membership",
            "The text has this part, or the array this item.",
            takes.TEXT_OR_ARRAY,
            _TEXTUAL | _ARRAYS,
            form.NEEDLE,
            _contains,
            "contains {}",
        ),
        Operator(
            "contains_any",
            "membership",
            "At least one of these parts or items.",
            takes.TEXT_OR_ARRAY,
            _TEXTUAL | _ARRAYS,
            form.NEEDLES,
            _contains_any,
            "contains {}",
        ),
        Operator(
            "contains_all",
            "membership",
            "All of these parts or items.",
            takes.TEXT_OR_ARRAY,
            _TEXTUAL | _ARRAYS,
            form.NEEDLES,
            _contains_all,
            "contains all of {}",
        ),
        Operator(
            "subset_of",
            "membership",
            "Every item of the array is one of these.",
            takes.ARRAY,
            _ARRAYS,
            form.SCALARS,
            _subset_of,
            "holds only {}",
        ),
        Operator(
            "starts_with",
            "text",
            "The text starts so.",
            text,
            _TEXTUAL,
            form.TEXT,
            _on_text(str.startswith),
            "starts with {}",
            "{value}.startswith({operand})",
        ),
        Operator(
            "ends_with",
            "text",
            "The text ends so.",
            text,
            _TEXTUAL,
            form.TEXT,
            _on_text(str.endswith),
            "ends with {}",
            "{value}.endswith({operand})",
        ),
        Operator(
            "glob",
            "text",
            "The whole text matches; `*` is any text, `?` any character.",
            text,
            _TEXT_LIKE,
            form.GLOB,
            _on_text(lambda value, matches: matches(value)),
            "matches {}",
            "{operand}({value})",
        ),
        Operator(
            "regex_search",
            "text",
            "The pattern matches somewhere in the text.",
            text,
            _TEXT_LIKE,
            form.PATTERN,
            _on_text(lambda value, matches: matches(value)),
            "matches {} somewhere",
            "{operand}({value})",
        ),
        Operator(
            "regex_fullmatch",
            "text",
            "The pattern matches the whole text.",
            text,
            _TEXT_LIKE,
            form.PATTERN,
            _on_text(lambda value, matches: matches(value)),
            "matches {} as a whole",
            "{operand}({value})",
        ),
        Operator(
            "equals_ignore_case",
            "text",
            "The text is this one, whatever the case.",
            text,
            _TEXTUAL,
            form.TEXT,
            _on_text(lambda value, other: value.casefold() == other.casefold()),
            "is {}, whatever the case",
            "{value}.casefold() == {operand}.casefold()",
        ),
        Operator(
            "length",
            "shape",
            "The number of characters, items or keys.",
            takes.SIZED,
            _SIZED,
            form.LENGTH,
            _length,
            "has a length of {}",
            whole=True,
        ),
        Operator(
            "json_schema",
            "shape",
            "The value is valid against a JSON Schema (2020-12).",
            takes.PRESENT,
            frozenset(Kind) - {Kind.TIMESTAMP},
            form.SCHEMA,
            _json_schema,
            "is valid against its schema",
            whole=True,
        ),
        Operator(
            "before",
            "time",
            "Earlier than a time, a field or `now`.",
            takes.MOMENTS,
            _TIMES,
            form.MOMENT,
            _before,
            "is before {}",
            "{value} < {operand}",
        ),
        Operator(
            "after",
            "time",
            "Later than a time, a field or `now`.",
            takes.MOMENTS,
            _TIMES,
            form.MOMENT,
            _after,
            "is after {}",
            "{value} > {operand}",
        ),
        Operator(
            "older_than",
            "time",
            "Longer ago than a duration.",
            takes.MOMENTS,
            _TIMES,
            form.DURATION,
            _older_than,
            "is older than {}",
            "NOW - {value} > {operand}",
        ),
        Operator(
            "newer_than",
            "time",
            "Not longer ago than a duration.",
            takes.MOMENTS,
            _TIMES,
            form.DURATION,
            _newer_than,
            "is not older than {}",
            "NOW - {value} <= {operand}",
        ),
        Operator(
            "any_item",
            "items",
            "At least one item meets the condition.",
            takes.ARRAY,
            _ARRAYS,
            form.CONDITION,
            _any_item,
            "has an item {}",
        ),
        Operator(
            "all_items",
            "items",
            "Every item meets the condition; so does an empty array.",
            takes.ARRAY,
            _ARRAYS,
            form.CONDITION,
            _all_items,
            "has only items {}",
        ),
        Operator(
            "none_items",
            "items",
            "No item meets the condition; nor does any of an empty array.",
            takes.ARRAY,
            _ARRAYS,
            form.CONDITION,
            _none_items,
            "has no item {}",
        ),
        Operator(
            "count_items",
            "items",
            "The number of items that meet a condition.",
            takes.ARRAY,
            _ARRAYS,
            form.COUNT,
            _count_items,
            "has a number of items {}",
        ),
    )


#: Every operator by its name.
OPERATORS: Mapping[str, Operator] = MappingProxyType({o.name: o for o in _operators()})

#: Operators that look at times, and read their field as one.
READING: Mapping[OperandForm, Reading] = MappingProxyType(
    {OperandForm.MOMENT: Reading.TIMESTAMP, OperandForm.DURATION: Reading.TIMESTAMP}
)
