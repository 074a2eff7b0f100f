"""Operands that are another field of the same record, or of the same item."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from auditor.clock import WEEKDAYS
from auditor.fields import FIELDS, Exposure, Field, Kind
from auditor.policy.language.operands import FieldOperand, Reading
from auditor.policy.language.operators import READING, OperandForm, Operator
from auditor.policy.loading.nodes import MappingNode, Node, ScalarNode
from auditor.policy.loading.problems import Problems
from auditor.policy.loading.scope import NUMBER, Subject
from auditor.suggest import nearest
from auditor.text import listed, one_line

#: The paths of fields that hold days of the week.
DAYS = tuple(p.removesuffix("[]") for p, field in FIELDS.items() if field.values == WEEKDAYS)
UNIT_NAMES = ("seconds", "minutes", "hours", "days", "weeks")

_KEYS = ("field", "times", "unit", "days")
_COMPARED = frozenset({OperandForm.SCALAR, OperandForm.SCALARS, OperandForm.ORDERED})
_READ = _COMPARED | {OperandForm.RANGE}
#: What may be compared with another field: everything but conditions, patterns and shapes.
_FORMS = _COMPARED | {
    OperandForm.NEEDLE,
    OperandForm.NEEDLES,
    OperandForm.TEXT,
    OperandForm.MOMENT,
    OperandForm.DURATION,
}
_ARRAYS = frozenset({OperandForm.SCALARS, OperandForm.NEEDLES})
_SINGLE = frozenset({Kind.STRING, Kind.INTEGER, Kind.BOOLEAN, Kind.TIME_OF_DAY})


def reading_of(operator: Operator, *fields: Field) -> Reading:
    """Return how the values of ``fields`` are read before ``operator`` compares them."""
    if operator.form in _READ and any(f.kind is Kind.TIME_OF_DAY for f in fields):
        return Reading.TIME_OF_DAY
    return READING.get(operator.form, Reading.PLAIN)


def is_field_operand(node: Node, operator: Operator) -> bool:
    """Whether ``node`` is ``{field: PATH}``, with or without what makes it a duration."""
    if not isinstance(node, MappingNode) or operator.form not in _FORMS:
        return False
    return node.get("field") is not None


class FieldOperands:
    """Reads the operands of one file's conditions that are fields."""

    def __init__(
        self,
        problems: Problems,
        path: Callable[[ScalarNode, str], Field | None],
        resolved: Callable[[Node], Node | None],
    ) -> None:
        self._problems = problems
        self._path = path
        self._resolved = resolved

    def operand(
        self, operator: Operator, subject: Subject, node: MappingNode
    ) -> FieldOperand | None:
        """Return the operand at ``node``; None when a problem was noted in its place."""
        keys = {key.text: value for key, value in node}
        name = keys["field"]
        if not isinstance(name, ScalarNode) or not isinstance(name.value, str):
            self._problems.add(
                name.position, "field: takes a path", "write {field: sync_frequency}"
            )
            return None
        for key, _ in node:
            if key.text not in _KEYS:
                message = f"a field to compare with has no key {one_line(key.text)}"
                self._problems.add(key.position, message, nearest(key.text, _KEYS))
                return None
        if subject is NUMBER or (subject.is_number and operator.form in _ARRAYS):
            self._problems.add(node.position, "a count is compared with a number", "")
            return None
        other = self._path(name, subject.base)
        if other is None or not self._fits(operator, subject, name, other):
            return None
        if operator.form is OperandForm.DURATION:
            return self._multiple(name, keys, node, subject)
        if len(keys) > 1:
            hint = "write {field: PATH} alone"
            message = "times:, unit: and days: belong to older_than and newer_than"
            self._problems.add(node.position, message, hint)
            return None
        return FieldOperand(name.text, reading_of(operator, subject.field, other), name.text)

    def _fits(self, operator: Operator, subject: Subject, name: ScalarNode, other: Field) -> bool:
        """Whether the two can be compared at all; records a problem if not."""
        kind = subject.field.kind
        if other.exposure is Exposure.SECRET:
            message, hint = f"{name.text} is a live credential: only exists can test it", ""
        elif name.text == subject.path and operator.form is not OperandForm.DURATION:
            message, hint = f"{name.text} is compared with itself", "name another field"
        elif other.kind in (wanted := kinds_of_other(operator, kind)):
            return True
        else:
            message = f"{name.text} is {other.kind.value}"
            hint = f"{operator.name} needs {listed(sorted(k.value for k in wanted - {Kind.ANY}))}"
        self._problems.add(name.position, message, hint)
        return False

    def _multiple(
        self, name: ScalarNode, keys: Mapping[str, Node], node: Node, subject: Subject
    ) -> FieldOperand | None:
        times = self._resolved(keys["times"]) if "times" in keys else None
        unit = self._resolved(keys["unit"]) if "unit" in keys else None
        days = self._resolved(keys["days"]) if "days" in keys else None
        number = times.value if isinstance(times, ScalarNode) else None if "times" in keys else 1
        if not isinstance(number, int | float) or isinstance(number, bool) or number <= 0:
            at = keys.get("times", node)
            self._problems.add(at.position, "times: takes a number above 0", "write times: 3")
            return None
        if not isinstance(unit, ScalarNode) or unit.text not in UNIT_NAMES:
            at = keys.get("unit", node)
            self._problems.add(
                at.position,
                "a duration from a field needs its unit",
                f"write unit: with one of {', '.join(UNIT_NAMES)}",
            )
            return None
        if "days" in keys and not (isinstance(days, ScalarNode) and days.text in DAYS):
            message = "days: takes the path of days of the week"
            self._problems.add(keys["days"].position, message, f"write days: {listed(DAYS)}")
            return None
        if isinstance(days, ScalarNode) and subject.base:
            message = f"{days.text} is the connection's, not the item's"
            self._problems.add(days.position, message, "leave days: out")
            return None
        factor = "" if number == 1 else f"{number:g} times "
        text = f"{factor}{name.text} in {unit.text}"
        if not isinstance(days, ScalarNode):
            return FieldOperand(name.text, Reading.PLAIN, text, number, unit.text)
        text = f"{text} beyond the longest gap in {days.text}"
        return FieldOperand(name.text, Reading.PLAIN, text, number, unit.text, days.text)


def kinds_of_other(operator: Operator, kind: Kind) -> frozenset[Kind]:
    """Return the kinds of field that ``operator`` may compare with a field of ``kind``.

    Empty where the operator takes no other field.
    """
    form = operator.form
    if form not in _FORMS:
        return frozenset()
    if form is OperandForm.MOMENT:
        return frozenset({Kind.TIMESTAMP, Kind.ANY})
    if form is OperandForm.DURATION:
        return frozenset({Kind.INTEGER, Kind.ANY})
    if form in _ARRAYS:
        return frozenset({Kind.ARRAY, Kind.ANY})
    if kind is Kind.ANY:
        return _SINGLE | {Kind.ANY}
    if kind is Kind.ARRAY:
        return _SINGLE | {Kind.ANY}
    return frozenset({kind, Kind.ANY})
