"""Conditions as a tree, and what they come to on a record.

This is the plain reading of the language: three-valued (Kleene) truth, where None is *could not
be evaluated*. The judge runs a compiled form of the same tree (``compile.py``); a law in the tests
holds that the two agree, and this one explains the findings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any

import msgspec

from auditor.clock import parse_time_of_day, parse_timestamp
from auditor.fields import Kind
from auditor.json_values import MISSING

if TYPE_CHECKING:
    from auditor.model import Position
    from auditor.policy.operators import Operator

Truth = bool | None
#: Gives the value at a path of the record, or of the item, that is looked at.
Get = Callable[[str], Any]
#: Where a condition on the items of an array, or on a length, finds the thing itself.
ITSELF = ""


class Reading(Enum):
    """How a value is read before an operator sees it."""

    # By identity, as for ``Kind``: Enum's own is Python's.
    __hash__ = object.__hash__

    PLAIN = "plain"
    TIMESTAMP = "timestamp"
    TIME_OF_DAY = "time of day"

    def __call__(self, value: Any) -> Any:
        """Return ``value`` as this reading has it; None for one that is not readable so."""
        return READERS[self](value)


def _timestamp(value: Any) -> datetime | None:
    return parse_timestamp(value) if type(value) is str else None


def _time_of_day(value: Any) -> int | None:
    return parse_time_of_day(value) if type(value) is str else None


#: What each reading does with a value.
READERS: Mapping[Reading, Callable[[Any], Any]] = {
    Reading.PLAIN: lambda value: value,
    Reading.TIMESTAMP: _timestamp,
    Reading.TIME_OF_DAY: _time_of_day,
}


class Now(msgspec.Struct, frozen=True):
    """A moment relative to the run's ``now``; known when the run is."""

    offset: timedelta

    def at(self, now: datetime) -> datetime:
        """Return the moment, or the first or last there is where the calendar ends before it."""
        try:
            return now + self.offset
        except OverflowError:
            first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
            return last if self.offset > timedelta(0) else first


class Literal(msgspec.Struct, frozen=True):
    """An operand that stands in the policy.

    ``value`` is prepared for the operator (a tuple, a compiled pattern, a duration), ``text`` is
    what a person wrote.
    """

    value: Any
    text: str

    def at(self, now: datetime) -> Any:
        """Return the value as of ``now``."""
        return self.value.at(now) if isinstance(self.value, Now) else self.value


class FieldOperand(msgspec.Struct, frozen=True):
    """An operand that is another field of the same record, ``times`` a ``unit`` for durations."""

    path: str
    reading: Reading
    text: str
    times: float = 1.0
    unit: str = ""


class Nested(msgspec.Struct, frozen=True):
    """An operand that is a condition: on each item of an array, or on a number.

    ``count`` is the condition that the number of matching items must meet (``count_items``).
    """

    condition: Condition
    text: str
    count: Condition | None = None


class Test(msgspec.Struct, frozen=True):
    """One operator on one path. ``kind`` is the field's documented type."""

    path: str
    operator: Operator
    operand: Literal | FieldOperand | Nested
    position: Position
    reading: Reading = Reading.PLAIN
    kind: Kind = Kind.ANY

    def takes(self, value: Any) -> bool:
        """Whether ``value``, read as ``reading``, can be asked about."""
        return self.operator.accepts(self.kind).admits(value)

    __test__ = False  # the name is the language's own; pytest need not collect it


class All(msgspec.Struct, frozen=True):
    """Every part must hold."""

    parts: tuple[Condition, ...]


class AnyOf(msgspec.Struct, frozen=True):
    """At least one part must hold."""

    parts: tuple[Condition, ...]


class Not(msgspec.Struct, frozen=True):
    """The part must not hold."""

    part: Condition


Condition = All | AnyOf | Not | Test


def all_of(truths: Iterable[Truth]) -> Truth:
    """Kleene's conjunction: false wins over error, error over true; true over nothing."""
    outcome: Truth = True
    for truth in truths:
        if truth is False:
            return False
        if truth is None:
            outcome = None
    return outcome


def any_of(truths: Iterable[Truth]) -> Truth:
    """Kleene's disjunction: true wins over error, error over false; false over nothing."""
    outcome: Truth = False
    for truth in truths:
        if truth is True:
            return True
        if truth is None:
            outcome = None
    return outcome


def negated(truth: Truth) -> Truth:
    """Kleene's negation: the negation of an error is an error."""
    return None if truth is None else not truth


def evaluate(condition: Condition, get: Get, now: datetime) -> Truth:
    """Return what ``condition`` comes to on the record that ``get`` reads, as of ``now``."""
    match condition:
        case All(parts):
            return all_of(evaluate(part, get, now) for part in parts)
        case AnyOf(parts):
            return any_of(evaluate(part, get, now) for part in parts)
        case Not(part):
            return negated(evaluate(part, get, now))
        case Test():
            return evaluate_test(condition, get, now)


def evaluate_test(test: Test, get: Get, now: datetime) -> Truth:
    """Return what one test comes to; a value that the operator does not accept is an error."""
    value = get(test.path)
    if test.reading is not Reading.PLAIN:
        value = test.reading(value)
    if not test.takes(value):
        return None
    operand = test.operand
    if isinstance(operand, FieldOperand):
        other = operand.reading(get(operand.path))
        return test.operator.holds(value, test.operator.from_field(other, operand), now)
    if isinstance(operand, Nested):
        return test.operator.holds(value, _nested(operand, now), now)
    return test.operator.holds(value, operand.at(now), now)


def tests_in(condition: Condition) -> Iterator[Test]:
    """Yield every test of ``condition``, in order; not those inside nested conditions."""
    match condition:
        case All(parts) | AnyOf(parts):
            for part in parts:
                yield from tests_in(part)
        case Not(part):
            yield from tests_in(part)
        case Test():
            yield condition


def reads(condition: Condition, base: str = "") -> Iterator[tuple[str, bool]]:
    """Yield each path that ``condition`` reads, and whether it needs the value whole.

    Paths inside a nested condition come with the array before them: ``setup_tests[].status``.
    """
    for test in tests_in(condition):
        path = joined(base, test.path)
        yield path, test.operator.needs_whole(path)
        if isinstance(test.operand, FieldOperand):
            yield joined(base, test.operand.path), False
        elif isinstance(test.operand, Nested) and test.operator.of_items:
            yield from reads(test.operand.condition, f"{path}[]")


def joined(base: str, path: str) -> str:
    """Return ``path`` below ``base``; either may be empty."""
    return f"{base}.{path}" if base and path else base or path


def reach(value: Any, path: str) -> Any:
    """Return what stands at ``path`` below a decoded ``value``: a struct, a dict or a scalar."""
    if path == ITSELF:
        return value
    for step in path.split("."):
        if isinstance(value, dict):
            value = value.get(step, MISSING)
        elif (attribute := _attributes(type(value)).get(step)) is not None:
            value = getattr(value, attribute)
        else:
            return MISSING
    return value


def _attributes(kind: type) -> dict[str, str]:
    """Return the attribute that holds each JSON key of a struct type; empty for other types."""
    fields = getattr(kind, "__struct_fields__", ())
    return dict(zip(getattr(kind, "__struct_encode_fields__", ()), fields, strict=True))


def _nested(operand: Nested, now: datetime) -> tuple[Callable[[Any], Truth], ...]:
    """Return the functions that judge one item and, for ``count_items``, the count."""

    def judge(condition: Condition) -> Callable[[Any], Truth]:
        return lambda item: evaluate(condition, lambda path: reach(item, path), now)

    if operand.count is None:
        return (judge(operand.condition),)
    return judge(operand.condition), judge(operand.count)
