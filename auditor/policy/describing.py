"""From what a check left behind to a finding that people can act on.

A finding's values pass three gates before they are text: what the field's exposure allows, what
looks like a secret, and the caller's ``clean`` (credentials, control characters, length).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from auditor.model import Evidence
from auditor.policy.conditions import (
    All,
    AnyOf,
    Condition,
    FieldOperand,
    Nested,
    Not,
    Reading,
    Test,
    evaluate,
    joined,
    reach,
    tests_in,
)
from auditor.policy.english import wanted
from auditor.policy.operators import Takes, is_number
from auditor.policy.rules import PolicyRule
from auditor.records import CONCEALED, MISSING, kind_of
from auditor.redact import guarded
from auditor.text import plural, printable

_ITEMS_SHOWN = 3
_WANTED_TYPE = {
    Takes.SCALARS: "a text, number or boolean",
    Takes.NUMBERS: "a number",
    Takes.TEXT: "text",
    Takes.TEXT_OR_ARRAY: "text or an array",
    Takes.ARRAY: "an array",
    Takes.OBJECT: "an object",
    Takes.BOOLEANS: "true or false",
    Takes.SIZED: "a text, an array or an object",
    Takes.PRESENT: "a value",
    Takes.MOMENTS: "a time",
}


#: The evidence of a check, and a message.
Told = tuple[tuple[Evidence, ...], str]


@dataclass(frozen=True, slots=True)
class Describer:
    """Describes the findings of one rule, as of ``now``; ``clean`` makes any text showable."""

    entry: PolicyRule
    now: datetime
    clean: Callable[[str], str]
    #: What was told of values that came before: most violations of a rule look alike.
    known: dict[tuple[Any, ...], Told] = field(default_factory=dict)

    def describe(self, values: tuple[Any, ...]) -> tuple[tuple[Evidence, ...], str]:
        """Return what decided a check that read ``values``, and the message.

        A check that could not be judged gets a message of its own: the rule's describes a
        violation, and none was seen.
        """
        # True == 1 == 1.0 in Python, so that a value alone is no key.
        deciding = tuple((type(v), v) for v in values[: len(self.entry.rule.reads)])
        try:
            known = self.known.get(deciding)
        except TypeError:  # arrays and objects differ from record to record
            evidence, message = self._decided(values)
        else:
            evidence, message = known or self.known.setdefault(deciding, self._decided(values))
        if message or self.entry.message is None:
            return evidence, message
        read = dict(zip(self.entry.reads, values, strict=True))
        return evidence, printable(self.entry.message.filled(lambda p: self.shown(p, read[p])))

    def _decided(self, values: tuple[Any, ...]) -> Told:
        """Return the evidence and its message, "" where the rule's own says it better."""
        get = _getter(dict(zip(self.entry.reads, values, strict=True)))
        failed, condition = True, self.entry.assertion
        if self.entry.when is not None and evaluate(self.entry.when, get, self.now) is None:
            failed, condition = False, self.entry.when
        elif evaluate(condition, get, self.now) is None:
            failed = False
        evidence = tuple(_unique(self._evidence(condition, get, failed=failed)))
        if failed and self.entry.message is not None:
            return evidence, ""
        told = "; ".join(_clause(e) for e in evidence)
        return evidence, told if failed else f"cannot be judged: {told}"

    def shown(self, path: str, value: Any) -> str:
        """Return ``value``, which stands at ``path``, as a report may show it."""
        return shown(path, value, self.entry.reveal, self.clean)

    def _evidence(
        self,
        condition: Condition,
        get: Callable[[str], Any],
        *,
        failed: bool,
        negated: bool = False,
    ) -> Iterator[Evidence]:
        """Yield the tests that made ``condition`` false, or with ``failed`` unset an error."""
        blamed = negated if failed else None
        match condition:
            case All(parts) | AnyOf(parts):
                for part in parts:
                    if evaluate(part, get, self.now) is blamed:
                        yield from self._evidence(part, get, failed=failed, negated=negated)
            case Not(part):
                yield from self._evidence(part, get, failed=failed, negated=not negated)
            case Test():
                yield self._of_test(condition, get, failed=failed, negated=negated)

    def _of_test(
        self, test: Test, get: Callable[[str], Any], *, failed: bool, negated: bool
    ) -> Evidence:
        value, expected = get(test.path), wanted(test, negated=negated)
        actual = self.shown(test.path, value)
        operand = test.operand
        if isinstance(operand, FieldOperand):
            other = self.shown(operand.path, get(operand.path))
            expected = f"{expected} ({operand.path} is {other})"
        if not failed and test.reading is Reading.PLAIN and not test.takes(value):
            if value is not MISSING and value is not None:
                actual = f"{actual} ({kind_of(value)})"
                expected = (
                    f"{_WANTED_TYPE.get(test.operator.accepts(test.kind), 'a value')}, {expected}"
                )
        elif not failed and test.reading is not Reading.PLAIN and type(value) is str:
            read = test.reading(value)
            why = f"no {test.reading.value} that can be read" if read is None else "in the future"
            actual = f"{actual} ({why})"
        elif isinstance(operand, Nested) and test.operator.of_items and type(value) is list:
            actual = self._items(test, operand, value)
        elif isinstance(operand, Nested) and hasattr(value, "__len__"):
            actual = f"of length {len(value)}"
        return Evidence(test.path, actual, expected)

    def _items(self, test: Test, operand: Nested, items: list[Any]) -> str:
        """Return the items that decided a test of an array: each one's values and its number."""
        if not items:
            return "empty"
        wants = test.operator.name in {"any_item", "all_items"}
        told: list[str] = []
        for number, item in enumerate(items, 1):
            if evaluate(operand.condition, partial(reach, item), self.now) is not wants:
                told.append(f"{self._item(test, operand, item)} (item {number})")
        more = len(told) - _ITEMS_SHOWN
        shown = ", ".join(told[:_ITEMS_SHOWN]) + (f" and {more} more" if more > 0 else "")
        return f"{shown} of {len(items)}" if told else plural(len(items), "item")

    def _item(self, test: Test, operand: Nested, item: Any) -> str:
        values = []
        for part in tests_in(operand.condition):
            full = joined(f"{test.path}[]", part.path)
            value = self.shown(full, reach(item, part.path))
            values.append(f"{part.path} {value}".strip())
        return " ".join(dict.fromkeys(values))


def shown(path: str, value: Any, reveal: frozenset[str], clean: Callable[[str], str]) -> str:
    """Return ``value``, which stands at ``path``, as a report may show it."""
    if value is MISSING:
        return "missing"
    if value is None:
        return "null"
    if value == "":
        return '""'
    return clean(guarded(path, _text(value), reveal))


def _clause(evidence: Evidence) -> str:
    return f"{evidence.field} is {evidence.actual}, expected {evidence.expected}"


def _getter(read: Mapping[str, Any]) -> Callable[[str], Any]:
    def get(path: str) -> Any:
        return read.get(path, MISSING)

    return get


def _unique(evidence: Iterator[Evidence]) -> list[Evidence]:
    return list(dict.fromkeys(evidence))


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value) if is_number(value) else "a number out of range"
    if isinstance(value, list):
        scalars = all(isinstance(item, str | int | float | bool) for item in value)
        return ", ".join(map(_text, value)) or "empty" if scalars else plural(len(value), "item")
    return str(CONCEALED) if value is CONCEALED else "an object"
