"""The operators: one row each in a closed table.

A row says what an operator means (``holds``, on values it takes), the types it takes, what may be
written as its operand, and how it reads in English. Whatever another module needs to know about an
operator is an attribute of its row: only this module names operators.

To add an operator: a function in ``semantics.py``, a row here, an example in the docs.
"""

from __future__ import annotations

import operator as compared
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import Enum
from types import MappingProxyType
from typing import Any

import msgspec

from auditor.clock import UNITS_BY_NAME, longest_gap
from auditor.decoding.json_values import MISSING
from auditor.fields import Field, Kind, find
from auditor.policy.language import semantics as means
from auditor.policy.language.operands import FieldOperand, Reading
from auditor.policy.language.semantics import Interval, Quantifier
from auditor.policy.language.truth import Truth
from auditor.policy.language.values import Span, Takes, is_number, is_present, is_scalar


class OperandForm(Enum):
    """What may be written after an operator's name."""

    BOOLEAN = "true or false"
    SCALAR = "a value of the field's type"
    SCALARS = "a list of values of the field's type"
    ORDERED = "a number, or a time of day"
    NEEDLE = "a text, or an item of the array"
    NEEDLES = "a list of texts or items"
    RANGE = "the lowest and the highest value, [low, high]"
    TEXT = "a text"
    GLOB = "a text with * and ?"
    PATTERN = "a regular expression in RE2 syntax"
    LENGTH = "a number, or tests of a number"
    MOMENT = "a timestamp, now, now+6h or now-30d"
    DURATION = "a duration such as 90m, 36h, 7d or 2w"
    CONDITION = "a condition on an item"
    COUNT = "where: a condition on an item, is: a number or tests of a number"
    SCHEMA = "a JSON Schema"


class TextPart(Enum):
    """The part of a text that is compared, letter by letter, with the operand."""

    START = "how it starts"
    END = "how it ends"
    ALL = "all of it, whatever the case"


#: Forms for which a list means any of its values.
_ALTERNATIVES = frozenset({OperandForm.TEXT, OperandForm.GLOB, OperandForm.PATTERN})
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


class Phrase(msgspec.Struct, frozen=True):
    """Words that follow a field's name, and their contrary."""

    said: str
    denied: str


class Operator(msgspec.Struct, frozen=True, kw_only=True):
    """One operator.

    ``holds(value, operand, now)`` is called with a value that ``takes_values`` admits; None means
    that it could not be evaluated. ``kinds`` are the field types a policy may use it on. ``source``
    is the same meaning as a Python expression over ``{value}`` and ``{operand}``, for the compiler,
    if one is worth having; a law in the tests checks that the two agree.

    ``phrase`` is its English, with ``{}`` for the operand; ``phrase_of_field`` and
    ``phrase_of_one`` replace it if the operand is a field, or a list of one value. ``expected`` is
    what a report shows as expected, if that is not the phrase. ``joins`` is the word between the
    values of a list; ``plural`` means that the phrase is about several items.

    ``presence_only`` asks whether there is a value and not what it is; ``identity`` holds of the
    operand alone, and reads as a bare value. ``whole`` needs all that an object or array holds,
    ``whole_text`` has a pattern match a text from end to end. ``quantifier`` is set where single
    items settle the test; ``settled_by_each`` says how they do where each is asked whether it is
    one of the values that the operand names. ``each`` is the operator that has to hold of every
    value of its list. ``bound(operand)`` is set where it compares numbers,
    moments or ages: it holds within the interval alone, and everywhere in it. ``excludes`` holds
    of what is not in a list.

    ``part`` is set where a part of a text is compared with the operand. ``near`` are the operators
    that a slip of the pen would put in its place; they take the same operand.

    ``elsewhere`` are the names that other tools have for it, ``denied_elsewhere`` those that they
    have for it with ``false`` as its operand.
    """

    name: str
    family: str
    doc: str
    takes_values: Takes
    kinds: frozenset[Kind]
    form: OperandForm
    holds: Callable[[Any, Any, datetime], Truth]
    phrase: Phrase
    source: str = ""
    phrase_of_field: Phrase | None = None
    phrase_of_one: Phrase | None = None
    expected: Phrase | None = None
    joins: str = "or"
    plural: bool = False
    presence_only: bool = False
    identity: bool = False
    whole: bool = False
    whole_text: bool = False
    excludes: bool = False
    quantifier: Quantifier | None = None
    settled_by_each: Quantifier | None = None
    each: str = ""
    bound: Callable[[Any], Interval] | None = None
    part: TextPart | None = None
    near: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    denied_elsewhere: tuple[str, ...] = ()

    @property
    def of_items(self) -> bool:
        """Whether its operand is a condition on an array's items."""
        return self.form in {OperandForm.CONDITION, OperandForm.COUNT}

    @property
    def takes_alternatives(self) -> bool:
        """Whether its operand may be a list, any of which will do."""
        return self.form in _ALTERNATIVES

    @property
    def operand(self) -> str:
        """What may be written after its name, in words."""
        return (
            f"{self.form.value}, or a list of alternatives"
            if self.takes_alternatives
            else self.form.value
        )

    def needs_whole(self, path: str) -> bool:
        """Whether the value at ``path`` has to be decoded with all its contents.

        The size of a documented text or array is known without them.
        """
        documented = find(path)
        sized = documented is not None and documented.kind in {Kind.STRING, Kind.ARRAY}
        return self.whole and (self.form is OperandForm.SCHEMA or not sized)

    def fits(self, field: Field) -> bool:
        """Whether a policy may use it on ``field``; of a fact only named fields are decoded."""
        sized = field.kind in {Kind.STRING, Kind.ARRAY} and self.form is not OperandForm.SCHEMA
        return field.kind in self.kinds and not (field.joined and self.whole and not sized)

    def accepts(self, kind: Kind) -> Takes:
        """Return the values that it accepts for a field documented as ``kind``.

        If an operator takes several types, a field has one of them: another would be a wrong type.
        """
        if self.takes_values is Takes.PRESENT and kind is Kind.TIME_OF_DAY:
            return Takes.TEXT
        if self.takes_values in _SEVERAL:
            return _OF_KIND.get(kind, self.takes_values)
        return self.takes_values

    def from_field(self, other: Any, operand: FieldOperand, days: Any = MISSING) -> Any:
        """Return the value of a field as an operand; MISSING if it cannot be one.

        ``days`` is the value at the operand's ``days``.
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
            # Every text starts and ends with "": an empty cell would let everything pass.
            decides = type(other) is str and (other != "" or self.part is TextPart.ALL)
            return other if decides else MISSING
        return other if is_scalar(other) else MISSING


def _gap(days: Any) -> timedelta | None:
    if not is_present(days):
        return timedelta(0)
    return longest_gap(days) if type(days) is list else None


def _above(limit: Any) -> Interval:
    return Interval(least=limit, above=True)


def _from(limit: Any) -> Interval:
    return Interval(least=limit)


def _below(limit: Any) -> Interval:
    return Interval(most=limit, below=True)


def _up_to(limit: Any) -> Interval:
    return Interval(most=limit)


def _within(span: Span) -> Interval:
    return Interval() if span.is_wrapped else Interval(least=span.least, most=span.most)


_SOME = Quantifier(settled_by=True, comes_to=True)
_EVERY = Quantifier(settled_by=False, comes_to=False)
_NO = Quantifier(settled_by=True, comes_to=False)
_MATCHES = means.on_text(lambda value, matches: matches(value))

_PRESENCE = (
    Operator(
        name="exists",
        family="presence",
        doc="The field is present and not null (`true`), or absent or null (`false`).",
        takes_values=Takes.ANYTHING,
        kinds=frozenset(Kind),
        form=OperandForm.BOOLEAN,
        holds=means.exists,
        phrase=Phrase("is set", "is not set"),
        source="({value} is not MISSING and {value} is not None) is {operand}",
        expected=Phrase("a value", "no value"),
        presence_only=True,
        elsewhere=("present", "defined", "not_null", "truthy", "is_defined", "required", "exist"),
        denied_elsewhere=(
            "absent",
            "undefined",
            "is_null",
            "not_exists",
            "falsy",
            "null",
            "is_not_defined",
        ),
    ),
    Operator(
        name="is_empty",
        family="presence",
        doc="The text, array or object is empty.",
        takes_values=Takes.SIZED,
        kinds=_SIZED,
        form=OperandForm.BOOLEAN,
        holds=means.is_empty,
        phrase=Phrase("is empty", "is not empty"),
        whole=True,
        elsewhere=("empty", "isempty"),
        denied_elsewhere=("not_empty", "nonempty"),
    ),
)

_COMPARISON = (
    Operator(
        name="equals",
        family="comparison",
        doc="The value is this one.",
        takes_values=Takes.SCALARS,
        kinds=_SCALAR,
        form=OperandForm.SCALAR,
        holds=means.equals,
        phrase=Phrase("is {}", "is not {}"),
        near=("not_equals",),
        source="{value} == {operand}",
        phrase_of_field=Phrase("is the same as {}", "is not the same as {}"),
        identity=True,
        elsewhere=("eq", "equal", "is", "is_equal_to", "==", "value", "const", "equals_to"),
    ),
    Operator(
        name="not_equals",
        family="comparison",
        doc="The value is another one, of the same type.",
        takes_values=Takes.SCALARS,
        kinds=_SCALAR,
        form=OperandForm.SCALAR,
        holds=means.not_equals,
        phrase=Phrase("is not {}", "is {}"),
        near=("equals",),
        source="{value} != {operand}",
        phrase_of_field=Phrase("is not the same as {}", "is the same as {}"),
        elsewhere=("ne", "neq", "not_equal", "is_not", "!=", "notequals"),
    ),
    Operator(
        name="gt",
        family="comparison",
        doc="More than.",
        takes_values=Takes.NUMBERS,
        kinds=_ORDERED,
        form=OperandForm.ORDERED,
        holds=means.compare(compared.gt),
        phrase=Phrase("is more than {}", "is not more than {}"),
        near=("gte",),
        source="{value} > {operand}",
        bound=_above,
        elsewhere=("greater_than", "more_than", "above", ">", "exclusiveMinimum"),
    ),
    Operator(
        name="gte",
        family="comparison",
        doc="At least.",
        takes_values=Takes.NUMBERS,
        kinds=_ORDERED,
        form=OperandForm.ORDERED,
        holds=means.compare(compared.ge),
        phrase=Phrase("is at least {}", "is not at least {}"),
        near=("gt",),
        source="{value} >= {operand}",
        bound=_from,
        elsewhere=(
            "ge",
            "min",
            "minimum",
            "at_least",
            ">=",
            "greater_than_or_equal",
            "greaterthanorequals",
        ),
    ),
    Operator(
        name="lt",
        family="comparison",
        doc="Less than.",
        takes_values=Takes.NUMBERS,
        kinds=_ORDERED,
        form=OperandForm.ORDERED,
        holds=means.compare(compared.lt),
        phrase=Phrase("is less than {}", "is not less than {}"),
        near=("lte",),
        source="{value} < {operand}",
        bound=_below,
        elsewhere=("less_than", "below", "<", "exclusiveMaximum"),
    ),
    Operator(
        name="lte",
        family="comparison",
        doc="At most.",
        takes_values=Takes.NUMBERS,
        kinds=_ORDERED,
        form=OperandForm.ORDERED,
        holds=means.compare(compared.le),
        phrase=Phrase("is at most {}", "is not at most {}"),
        near=("lt",),
        source="{value} <= {operand}",
        bound=_up_to,
        elsewhere=(
            "le",
            "max",
            "maximum",
            "at_most",
            "<=",
            "less_than_or_equal",
            "lessthanorequals",
        ),
    ),
    Operator(
        name="between",
        family="comparison",
        doc="From the first to the second, both included; times of day may cross midnight.",
        takes_values=Takes.NUMBERS,
        kinds=_ORDERED,
        form=OperandForm.RANGE,
        holds=means.between,
        phrase=Phrase("is between {}", "is not between {}"),
        source="{operand}({value})",
        joins="and",
        bound=_within,
        elsewhere=("range", "in_range", "inclusive", "is_between"),
    ),
)

_MEMBERSHIP = (
    Operator(
        name="in",
        family="membership",
        doc="One of these values.",
        takes_values=Takes.SCALARS,
        kinds=_SCALAR,
        form=OperandForm.SCALARS,
        holds=means.is_in,
        phrase=Phrase("is {}", "is not {}"),
        near=("not_in",),
        source="{value} in {operand}",
        elsewhere=("within", "one_of", "any_of", "oneof", "enum", "enumeration", "anyin", "is_in"),
    ),
    Operator(
        name="not_in",
        family="membership",
        doc="None of these values.",
        takes_values=Takes.SCALARS,
        kinds=_SCALAR,
        form=OperandForm.SCALARS,
        holds=means.is_not_in,
        phrase=Phrase("is none of {}", "is one of {}"),
        near=("in",),
        source="{value} not in {operand}",
        excludes=True,
        phrase_of_one=Phrase("is not {}", "is {}"),
        elsewhere=("ni", "notin", "none_of", "anynotin", "not_within"),
    ),
    Operator(
        name="contains",
        family="membership",
        doc="The text contains this part, or the array this item.",
        takes_values=Takes.TEXT_OR_ARRAY,
        kinds=_TEXTUAL | _ARRAYS,
        form=OperandForm.NEEDLE,
        holds=means.contains,
        phrase=Phrase("contains {}", "does not contain {}"),
        settled_by_each=Quantifier(settled_by=True, comes_to=True),
        elsewhere=("includes", "has", "intersect", "contain"),
    ),
    Operator(
        name="contains_any",
        family="membership",
        doc="At least one of these parts or items.",
        takes_values=Takes.TEXT_OR_ARRAY,
        kinds=_TEXTUAL | _ARRAYS,
        form=OperandForm.NEEDLES,
        holds=means.contains_any,
        phrase=Phrase("contains {}", "does not contain {}"),
        settled_by_each=Quantifier(settled_by=True, comes_to=True),
        near=("contains_all",),
        elsewhere=("intersects", "anyof"),
    ),
    Operator(
        name="contains_all",
        family="membership",
        doc="All of these parts or items.",
        takes_values=Takes.TEXT_OR_ARRAY,
        kinds=_TEXTUAL | _ARRAYS,
        form=OperandForm.NEEDLES,
        holds=means.contains_all,
        phrase=Phrase("contains all of {}", "does not contain all of {}"),
        each="contains",
        near=("contains_any",),
        joins="and",
    ),
    Operator(
        name="subset_of",
        family="membership",
        doc="Every item of the array is one of these.",
        takes_values=Takes.ARRAY,
        kinds=_ARRAYS,
        form=OperandForm.SCALARS,
        holds=means.subset_of,
        phrase=Phrase("holds only {}", "holds more than {}"),
        settled_by_each=Quantifier(settled_by=False, comes_to=False),
        joins="and",
        elsewhere=("all_in", "allin", "is_subset", "subset", "difference"),
    ),
)

_TEXT = (
    Operator(
        name="starts_with",
        family="text",
        doc="The text starts with this.",
        takes_values=Takes.TEXT,
        kinds=_TEXTUAL,
        form=OperandForm.TEXT,
        holds=means.on_text(str.startswith),
        phrase=Phrase("starts with {}", "does not start with {}"),
        near=("ends_with",),
        part=TextPart.START,
        source="{value}.startswith({operand})",
        elsewhere=("startswith", "prefix", "starting_with", "begins_with"),
    ),
    Operator(
        name="ends_with",
        family="text",
        doc="The text ends with this.",
        takes_values=Takes.TEXT,
        kinds=_TEXTUAL,
        form=OperandForm.TEXT,
        holds=means.on_text(str.endswith),
        phrase=Phrase("ends with {}", "does not end with {}"),
        near=("starts_with",),
        part=TextPart.END,
        source="{value}.endswith({operand})",
        elsewhere=("endswith", "suffix", "ending_with"),
    ),
    Operator(
        name="glob",
        family="text",
        doc="The whole text matches; `*` is any text, `?` any character.",
        takes_values=Takes.TEXT,
        kinds=_TEXT_LIKE,
        form=OperandForm.GLOB,
        holds=_MATCHES,
        phrase=Phrase("matches {}", "does not match {}"),
        source="{operand}({value})",
        elsewhere=("wildcard", "like", "fnmatch"),
    ),
    Operator(
        name="regex_search",
        family="text",
        doc="The pattern matches somewhere in the text.",
        takes_values=Takes.TEXT,
        kinds=_TEXT_LIKE,
        form=OperandForm.PATTERN,
        holds=_MATCHES,
        phrase=Phrase("matches {} somewhere", "does not match {} somewhere"),
        source="{operand}({value})",
    ),
    Operator(
        name="regex_fullmatch",
        family="text",
        doc="The pattern matches the whole text.",
        takes_values=Takes.TEXT,
        kinds=_TEXT_LIKE,
        form=OperandForm.PATTERN,
        holds=_MATCHES,
        phrase=Phrase("matches {} as a whole", "does not match {} as a whole"),
        source="{operand}({value})",
        whole_text=True,
    ),
    Operator(
        name="equals_ignore_case",
        family="text",
        doc="The text is this one, ignoring case.",
        takes_values=Takes.TEXT,
        kinds=_TEXTUAL,
        form=OperandForm.TEXT,
        holds=means.on_text(lambda value, other: value.casefold() == other.casefold()),
        phrase=Phrase("is {}, ignoring case", "is not {}, ignoring case"),
        part=TextPart.ALL,
        source="{value}.casefold() == {operand}.casefold()",
        elsewhere=("iequals", "equals_icase", "casefold"),
    ),
)

_SHAPE = (
    Operator(
        name="length",
        family="shape",
        doc="The number of characters, items or keys.",
        takes_values=Takes.SIZED,
        kinds=_SIZED,
        form=OperandForm.LENGTH,
        holds=means.length,
        phrase=Phrase("has a length of {}", "does not have a length of {}"),
        whole=True,
        elsewhere=("size", "len", "minlength", "maxlength", "min_length"),
    ),
    Operator(
        name="json_schema",
        family="shape",
        doc="The value is valid against a JSON Schema (2020-12).",
        takes_values=Takes.PRESENT,
        kinds=frozenset(Kind) - {Kind.TIMESTAMP},
        form=OperandForm.SCHEMA,
        holds=means.json_schema,
        phrase=Phrase("is valid against its schema", "is not valid against its schema"),
        whole=True,
        elsewhere=("schema", "jsonschema"),
    ),
)

_TIME = (
    Operator(
        name="before",
        family="time",
        doc="Earlier than a time, a field or `now`.",
        takes_values=Takes.MOMENTS,
        kinds=_TIMES,
        form=OperandForm.MOMENT,
        holds=means.before,
        phrase=Phrase("is before {}", "is not before {}"),
        near=("after",),
        source="{value} < {operand}",
        bound=_below,
    ),
    Operator(
        name="after",
        family="time",
        doc="Later than a time, a field or `now`.",
        takes_values=Takes.MOMENTS,
        kinds=_TIMES,
        form=OperandForm.MOMENT,
        holds=means.after,
        phrase=Phrase("is after {}", "is not after {}"),
        near=("before",),
        source="{value} > {operand}",
        bound=_above,
    ),
    Operator(
        name="older_than",
        family="time",
        doc="Longer ago than a duration.",
        takes_values=Takes.MOMENTS,
        kinds=_TIMES,
        form=OperandForm.DURATION,
        holds=means.older_than,
        phrase=Phrase("is older than {}", "is not older than {}"),
        near=("newer_than",),
        source="NOW - {value} > {operand}",
        bound=_above,
        elsewhere=("age", "older", "days_ago", "expired"),
    ),
    Operator(
        name="newer_than",
        family="time",
        doc="No longer ago than a duration.",
        takes_values=Takes.MOMENTS,
        kinds=_TIMES,
        form=OperandForm.DURATION,
        holds=means.newer_than,
        phrase=Phrase("is not older than {}", "is older than {}"),
        near=("older_than",),
        source="NOW - {value} <= {operand}",
        bound=_up_to,
        elsewhere=("newer", "since", "younger_than", "recent"),
    ),
)

_ITEMS = (
    Operator(
        name="any_item",
        family="items",
        doc="At least one item meets the condition.",
        takes_values=Takes.ARRAY,
        kinds=_ARRAYS,
        form=OperandForm.CONDITION,
        holds=means.quantified(_SOME),
        phrase=Phrase("has an item {}", "has no item {}"),
        near=("all_items",),
        quantifier=_SOME,
        elsewhere=("some", "any_element", "exists_item", "list_item"),
    ),
    Operator(
        name="all_items",
        family="items",
        doc="Every item meets the condition; also true of an empty array.",
        takes_values=Takes.ARRAY,
        kinds=_ARRAYS,
        form=OperandForm.CONDITION,
        holds=means.quantified(_EVERY),
        phrase=Phrase("has only items {}", "has not only items {}"),
        near=("any_item",),
        plural=True,
        quantifier=_EVERY,
        elsewhere=("every", "each", "foreach", "for_all", "all_element"),
    ),
    Operator(
        name="none_items",
        family="items",
        doc="No item meets the condition; also true of an empty array.",
        takes_values=Takes.ARRAY,
        kinds=_ARRAYS,
        form=OperandForm.CONDITION,
        holds=means.quantified(_NO),
        phrase=Phrase("has no item {}", "has an item {}"),
        near=("any_item",),
        quantifier=_NO,
        elsewhere=("no_item", "none", "not_any_item"),
    ),
    Operator(
        name="count_items",
        family="items",
        doc="The number of items that meet a condition.",
        takes_values=Takes.ARRAY,
        kinds=_ARRAYS,
        form=OperandForm.COUNT,
        holds=means.count_items,
        phrase=Phrase("has {}", "does not have {}"),
    ),
)

#: Every operator by its name.
OPERATORS: Mapping[str, Operator] = MappingProxyType(
    {
        row.name: row
        for row in (*_PRESENCE, *_COMPARISON, *_MEMBERSHIP, *_TEXT, *_SHAPE, *_TIME, *_ITEMS)
    }
)

#: The operators that a bare value and a bare list after a field stand for.
OF_A_VALUE, OF_A_LIST = OPERATORS["equals"], OPERATORS["in"]
#: The operators for several parts or items, for a hint where one is not enough.
OF_SEVERAL = (OPERATORS["contains_any"], OPERATORS["contains_all"])

#: Names of operators in other tools, and what to write here.
FOREIGN_OPERATORS: Mapping[str, str] = MappingProxyType(
    {name: row.name for row in OPERATORS.values() for name in row.elsewhere}
    | {name: f"{row.name}: false" for row in OPERATORS.values() for name in row.denied_elsewhere}
)

#: Operators that look at times, and read their field as one.
READING: Mapping[OperandForm, Reading] = MappingProxyType(
    {OperandForm.MOMENT: Reading.TIMESTAMP, OperandForm.DURATION: Reading.TIMESTAMP}
)
