"""Conditions as a tree, and their results on a record.

This is the plain reading of the language: three-valued (Kleene) truth, where None is *could not be
evaluated*. The judge runs a compiled form of the same tree (``judging/compiler.py``); a law in the
tests checks that the two agree. This one explains the findings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import msgspec

from auditor.decoding.gaps import below, gaps_in
from auditor.decoding.json_values import MISSING
from auditor.fields import Kind
from auditor.model import Position
from auditor.policy.language.operands import FieldOperand, Literal, Reading
from auditor.policy.language.operators import Operator
from auditor.policy.language.truth import Truth, all_of, any_of, negated

#: Returns the value at a path of the record, or of the item, in question.
Get = Callable[[str], Any]
#: The path of the item or number itself, in a condition on an array's items or on a length.
ITSELF = ""


class Nested(msgspec.Struct, frozen=True):
    """An operand that is a condition: on each item of an array, or on a number.

    ``count`` is the condition that the number of matching items must meet (``count_items``).
    """

    condition: Condition
    text: str
    count: Condition | None = None


class Test(msgspec.Struct, frozen=True):
    """One operator on one path. ``kind`` is the field's documented type.

    ``varies`` means that its operand is or contains a variable, so that it may be another one.
    """

    path: str
    operator: Operator
    operand: Literal | FieldOperand | Nested
    position: Position
    reading: Reading = Reading.PLAIN
    kind: Kind = Kind.ANY
    varies: bool = False

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


class Named(msgspec.Struct, frozen=True):
    """A condition that a policy has a name for."""

    name: str
    part: Condition


Condition = All | AnyOf | Not | Named | Test


def evaluate(condition: Condition, get: Get, now: datetime) -> Truth:
    """Return the result of ``condition`` on the record that ``get`` reads, as of ``now``."""
    match condition:
        case All(parts):
            return all_of(evaluate(part, get, now) for part in parts)
        case AnyOf(parts):
            return any_of(evaluate(part, get, now) for part in parts)
        case Not(part):
            return negated(evaluate(part, get, now))
        case Named(_, part):
            return evaluate(part, get, now)
        case Test():
            return evaluate_test(condition, get, now)


def evaluate_test(test: Test, get: Get, now: datetime) -> Truth:
    """Return the result of one test; a value that the operator does not accept is an error."""
    value = get(test.path)
    if test.operator.whole and gaps_in(value):
        return None
    if test.reading is not Reading.PLAIN:
        value = test.reading(value)
    if not test.takes(value):
        return None
    operand = test.operand
    if isinstance(operand, FieldOperand):
        other = operand.reading(get(operand.path))
        days = get(operand.days) if operand.days else MISSING
        return test.operator.holds(value, test.operator.from_field(other, operand, days), now)
    if isinstance(operand, Nested):
        return test.operator.holds(value, _nested(operand, now), now)
    return test.operator.holds(value, operand.at(now), now)


def tests_in(condition: Condition) -> Iterator[Test]:
    """Yield every test of ``condition``, in order; not those within nested conditions."""
    match condition:
        case All(parts) | AnyOf(parts):
            for part in parts:
                yield from tests_in(part)
        case Not(part) | Named(_, part):
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
            if test.operand.days:
                yield test.operand.days, True
        elif isinstance(test.operand, Nested) and test.operator.of_items:
            yield from reads(test.operand.condition, f"{path}[]")


def joined(base: str, path: str) -> str:
    """Return ``path`` below ``base``; either may be empty."""
    return f"{base}.{path}" if base and path else base or path


def reach(value: Any, path: str) -> Any:
    """Return what is at ``path`` below a decoded ``value``: a struct, a dict or a scalar."""
    if path == ITSELF:
        return value
    above = "the item"
    for step in path.split("."):
        if isinstance(value, dict):
            value = value.get(step, MISSING)
        elif (attribute := _attributes(type(value)).get(step)) is not None:
            value = getattr(value, attribute)
        else:
            return below(above, value)
        above = step if above == "the item" else f"{above}.{step}"
    return value


def _attributes(kind: type) -> dict[str, str]:
    """Return the attribute for each JSON key of a struct type; empty for other types."""
    fields = getattr(kind, "__struct_fields__", ())
    return dict(zip(getattr(kind, "__struct_encode_fields__", ()), fields, strict=True))


def _nested(operand: Nested, now: datetime) -> tuple[Callable[[Any], Truth], ...]:
    """Return the functions that judge one item and, for ``count_items``, the count."""

    def judge(condition: Condition) -> Callable[[Any], Truth]:
        return lambda item: evaluate(condition, lambda path: reach(item, path), now)

    if operand.count is None:
        return (judge(operand.condition),)
    return judge(operand.condition), judge(operand.count)
