"""The operators: one entry each in a closed table.

An entry says what an operator means (``holds``, on values it takes), the types it takes, what may
be written as its operand, and how it reads in English. ``source`` is the same meaning as a Python
expression for the compiler, where one is worth having; a law in the tests holds that the two agree.

To add an operator: a function in ``meanings.py``, an entry in the table, an example in the docs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import Enum
from types import MappingProxyType
from typing import Any

import msgspec

from auditor.clock import UNITS_BY_NAME, longest_gap
from auditor.decoding.json_values import MISSING
from auditor.fields import Kind, find
from auditor.policy.language import semantics as means
from auditor.policy.language.operands import FieldOperand, Reading
from auditor.policy.language.truth import Truth
from auditor.policy.language.values import Takes, is_number, is_present, is_scalar


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


_TEXTUAL = frozenset({Kind.STRING, Kind.ANY})
_TEXT_LIKE = _TEXTUAL | {Kind.TIME_OF_DAY}
_SCALAR = frozenset({Kind.STRING, Kind.INTEGER, Kind.BOOLEAN, Kind.TIME_OF_DAY, Kind.ANY})
_ORDERED = frozenset({Kind.INTEGER, Kind.TIME_OF_DAY, Kind.ANY})
_TIMES = frozenset({Kind.TIMESTAMP, Kind.ANY})
_ARRAYS = frozenset({Kind.ARRAY, Kind.ANY})
_SIZED = frozenset({Kind.STRING, Kind.ARRAY, Kind.OBJECT, Kind.ANY})
_SEVERAL = frozenset({Takes.SCALARS, Takes.TEXT_OR_ARRAY, Takes.SIZED, Takes.PRESENT})
_OF_KIND: Mapping[Kind, Takes] = {
    Kind.STRING: Takes.TEXT,
    Kind.INTEGER: Takes.NUMBERS,
    Kind.BOOLEAN: Takes.BOOLEANS,
    Kind.OBJECT: Takes.OBJECT,
    Kind.ARRAY: Takes.ARRAY,
}


class Operator(msgspec.Struct, frozen=True):
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

    def from_field(self, other: Any, operand: FieldOperand, days: Any = MISSING) -> Any:
        """Return the value of a field as an operand; MISSING where it cannot be one.

        ``days`` is what stands at the operand's ``days``.
        """
        if self.form is OperandForm.DURATION:
            gap = _gap(days)
            if not is_number(other) or other < 0 or gap is None:
                return MISSING
            try:
                return other * operand.times * UNITS_BY_NAME[operand.unit] + gap
            except OverflowError:
                return MISSING
        if self.form in {OperandForm.SCALARS, OperandForm.NEEDLES}:
            return tuple(other) if type(other) is list else MISSING
        if self.form is OperandForm.MOMENT:
            return other if isinstance(other, datetime) else MISSING
        if self.form is OperandForm.TEXT:
            return other if type(other) is str else MISSING
        return other if is_scalar(other) else MISSING


def _gap(days: Any) -> timedelta | None:
    if not is_present(days):
        return timedelta(0)
    return longest_gap(days) if type(days) is list else None


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
            means.exists,
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
            means.is_empty,
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
            means.equals,
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
            means.not_equals,
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
            means.compare(lambda a, b: a > b),
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
            means.compare(lambda a, b: a >= b),
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
            means.compare(lambda a, b: a < b),
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
            means.compare(lambda a, b: a <= b),
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
            means.is_in,
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
            means.is_not_in,
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
            means.contains,
            "contains {}",
        ),
        Operator(
            "contains_any",
            "membership",
            "At least one of these parts or items.",
            takes.TEXT_OR_ARRAY,
            _TEXTUAL | _ARRAYS,
            form.NEEDLES,
            means.contains_any,
            "contains {}",
        ),
        Operator(
            "contains_all",
            "membership",
            "All of these parts or items.",
            takes.TEXT_OR_ARRAY,
            _TEXTUAL | _ARRAYS,
            form.NEEDLES,
            means.contains_all,
            "contains all of {}",
        ),
        Operator(
            "subset_of",
            "membership",
            "Every item of the array is one of these.",
            takes.ARRAY,
            _ARRAYS,
            form.SCALARS,
            means.subset_of,
            "holds only {}",
        ),
        Operator(
            "starts_with",
            "text",
            "The text starts so.",
            text,
            _TEXTUAL,
            form.TEXT,
            means.on_text(str.startswith),
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
            means.on_text(str.endswith),
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
            means.on_text(lambda value, matches: matches(value)),
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
            means.on_text(lambda value, matches: matches(value)),
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
            means.on_text(lambda value, matches: matches(value)),
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
            means.on_text(lambda value, other: value.casefold() == other.casefold()),
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
            means.length,
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
            means.json_schema,
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
            means.before,
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
            means.after,
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
            means.older_than,
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
            means.newer_than,
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
            means.any_item,
            "has an item {}",
        ),
        Operator(
            "all_items",
            "items",
            "Every item meets the condition; so does an empty array.",
            takes.ARRAY,
            _ARRAYS,
            form.CONDITION,
            means.all_items,
            "has only items {}",
        ),
        Operator(
            "none_items",
            "items",
            "No item meets the condition; nor does any of an empty array.",
            takes.ARRAY,
            _ARRAYS,
            form.CONDITION,
            means.none_items,
            "has no item {}",
        ),
        Operator(
            "count_items",
            "items",
            "The number of items that meet a condition.",
            takes.ARRAY,
            _ARRAYS,
            form.COUNT,
            means.count_items,
            "has a number of items {}",
        ),
    )


#: Every operator by its name.
OPERATORS: Mapping[str, Operator] = MappingProxyType({o.name: o for o in _operators()})

#: Operators that look at times, and read their field as one.
READING: Mapping[OperandForm, Reading] = MappingProxyType(
    {OperandForm.MOMENT: Reading.TIMESTAMP, OperandForm.DURATION: Reading.TIMESTAMP}
)
