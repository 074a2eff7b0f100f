"""From YAML nodes to conditions, with everything that can be checked when a policy loads.

Paths are checked against the catalogue of fields, literals against their field's type, and
nothing vacuous gets through: a rule that could never fire, or never fail, is an error here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

from auditor.fields import FIELDS, Exposure, Field, Kind, children, find
from auditor.policy.conditions import (
    ITSELF,
    All,
    AnyOf,
    Condition,
    FieldOperand,
    Literal,
    Nested,
    Not,
    Reading,
    Test,
    joined,
)
from auditor.policy.nodes import Mapping as MappingNode
from auditor.policy.nodes import Node, Scalar, Sequence
from auditor.policy.operands import Literals
from auditor.policy.operators import OPERATORS, READING, OperandForm, Operator
from auditor.policy.problems import Problems
from auditor.policy.suggest import AMBIGUOUS_PATTERNS, FOREIGN_OPERATORS, nearest
from auditor.text import one_line

_COMBINERS = ("all", "any", "not")
_ORDERED_FORMS = {OperandForm.SCALAR, OperandForm.SCALARS, OperandForm.ORDERED}
#: What may be compared with another field: everything but conditions, patterns and shapes.
_FIELD_FORMS = _ORDERED_FORMS | {
    OperandForm.NEEDLE,
    OperandForm.NEEDLES,
    OperandForm.TEXT,
    OperandForm.MOMENT,
    OperandForm.DURATION,
}
_NUMBER = Field(ITSELF, Kind.INTEGER, "A number of items or characters.")


@dataclass(frozen=True, slots=True)
class Scope:
    """What a file's conditions may name: variables, and fields that no documentation knows yet."""

    vars: Mapping[str, Node] = field(default_factory=dict)
    extra_fields: frozenset[str] = frozenset()

    def find(self, path: str) -> Field | None:
        """Return the field at ``path``, as documented or as the policy declares it."""
        known = find(path)
        if known is not None:
            return known
        top = next((p for p in self.extra_fields if path == p or path.startswith(f"{p}.")), None)
        return Field(path, Kind.ANY, "", open=True, exposure=Exposure.HIDDEN) if top else None


class ConditionReader:
    """Reads the conditions of one file."""

    def __init__(self, scope: Scope, problems: Problems) -> None:
        self._scope = scope
        self._problems = problems
        self._literals = Literals(problems)

    def condition(self, node: Node, base: str = "") -> Condition | None:
        """Return the condition at ``node``; None when a problem was noted in its place.

        ``base`` is the path of the array whose items are looked at, as ``setup_tests[]``.
        """
        if not isinstance(node, MappingNode):
            self._problems.add(
                node.position,
                "a condition is a mapping of field paths to tests",
                "write field: value, or combine conditions under all: or any:",
            )
            return None
        if not node.entries:
            self._problems.add(
                node.position, "an empty condition holds for everything", "say what must hold"
            )
            return None
        parts = [self._entry(key, value, base) for key, value in node]
        return _all(parts)

    def number(self, node: Node) -> Condition | None:
        """Return the tests of a number at ``node``, such as a count of connections."""
        return self._tests(ITSELF, _NUMBER, node)

    def path(self, key: Scalar, base: str = "") -> Field | None:
        """Return the field that ``key`` names; None when a problem was noted."""
        full = joined(base, key.text)
        found = self._scope.find(full)
        if "[]" in key.text:
            array = full.partition("[]")[0]
            self._through_array(key, array)
            return None
        if found is None:
            self._unknown_path(key, full, base)
            return None
        return found

    def resolved(self, node: Node) -> Node | None:
        """Return what a node stands for: itself, or the variable it names."""
        name = _named(node, "var")
        if name is None:
            return node
        value = self._scope.vars.get(name.text)
        if value is None:
            hint = nearest(name.text, self._scope.vars) or "declare it under vars:"
            self._problems.add(name.position, f"no variable is called {one_line(name.text)}", hint)
            return None
        return dataclasses.replace(value, position=node.position)

    # -- conditions -------------------------------------------------------------------------

    def _entry(self, key: Scalar, value: Node, base: str) -> Condition | None:
        if key.text in _COMBINERS and not self._scope.find(joined(base, key.text)):
            return self._combined(key, value, base)
        if key.text == "item" and base and not find(f"{base}.item"):
            itself = self._scope.find(base) or Field(base, Kind.ANY, "")
            return self._tests(ITSELF, itself, value)
        found = self.path(key, base)
        return self._tests(key.text, found, value) if found else None

    def _combined(self, key: Scalar, value: Node, base: str) -> Condition | None:
        if key.text == "not":
            return self._negated(value, base)
        if not isinstance(value, Sequence) or not value.items:
            held = "an empty list holds nothing" if isinstance(value, Sequence) else "not a list"
            self._problems.add(
                value.position,
                f"{key.text}: takes a list of conditions; this is {held}",
                "write one condition a line, each after a dash",
            )
            return None
        parts = [self.condition(item, base) for item in value.items]
        if key.text == "all":
            return _all(parts)
        known = tuple(part for part in parts if part is not None)
        return AnyOf(known) if len(known) == len(parts) else None

    def _negated(self, value: Node, base: str) -> Condition | None:
        part = self.condition(value, base)
        if part is None:
            return None
        if isinstance(part, All):
            self._problems.add(
                value.position,
                "not: takes exactly one test; whether several are denied together or each on its"
                " own would be a guess",
                "write not: once for each, or not: {any: […]} or not: {all: […]}",
            )
            return None
        return Not(part)

    def _tests(self, path: str, found: Field, node: Node) -> Condition | None:
        value = self.resolved(node)
        if value is None:
            return None
        if isinstance(value, Scalar):
            return self._test(path, found, OPERATORS["equals"], value)
        if isinstance(value, Sequence):
            return self._test(path, found, OPERATORS["in"], value)
        if _named(value, "field") is not None or value.get("times") is not None:
            return self._test(path, found, OPERATORS["equals"], value)
        if not value.entries:
            self._problems.add(
                value.position, "an empty test holds for everything", "name an operator"
            )
            return None
        return _all([self._operator(path, found, key, operand) for key, operand in value])

    def _operator(self, path: str, found: Field, key: Scalar, operand: Node) -> Condition | None:
        operator = OPERATORS.get(key.text)
        if operator is None:
            self._unknown_operator(key, operand, found)
            return None
        return self._test(path, found, operator, operand, key)

    # -- tests ------------------------------------------------------------------------------

    def _test(
        self, path: str, found: Field, operator: Operator, node: Node, key: Scalar | None = None
    ) -> Condition | None:
        position = key.position if key else node.position
        if not self._fits(found, operator, node):
            return None
        value = self.resolved(node)
        if value is None:
            return None
        operand: Literal | FieldOperand | Nested | None
        if operator.form is OperandForm.LENGTH:
            counted = self._tests(ITSELF, _NUMBER, value)
            operand = Nested(counted, "") if counted else None
        elif operator.form is OperandForm.CONDITION:
            operand = self._items(found, value)
        elif operator.form is OperandForm.COUNT:
            operand = self._counted(found, value)
        elif (named := self._field_operand(value, operator)) is not None:
            operand = named
        else:
            operand = self._literals.operand(operator, found, value)
        if operand is None:
            return None
        reading = READING.get(operator.form, Reading.PLAIN)
        if found.kind is Kind.TIME_OF_DAY and operator.form in _ORDERED_FORMS:
            reading = Reading.TIME_OF_DAY
        return Test(path, operator, operand, position, reading)

    def _fits(self, found: Field, operator: Operator, node: Node) -> bool:
        if found.exposure is Exposure.SECRET and operator.name != "exists":
            self._problems.add(
                node.position,
                f"{found.path} is a live credential: only exists can be asked of it",
                "write exists: true or exists: false",
            )
            return False
        if found.kind in operator.kinds:
            return True
        self._problems.add(node.position, *_misfit(found, operator, node))
        return False

    def _items(self, found: Field, node: Node) -> Nested | None:
        base = f"{found.path}[]"
        if isinstance(node, MappingNode) and not _is_operators(node, base, self._scope):
            condition = self.condition(node, base)
        else:
            itself = self._scope.find(base) or Field(base, Kind.ANY, "", open=True)
            condition = self._tests(ITSELF, itself, node)
        return Nested(condition, "") if condition else None

    def _counted(self, found: Field, node: Node) -> Nested | None:
        where = node.get("where") if isinstance(node, MappingNode) else None
        bound = node.get("is") if isinstance(node, MappingNode) else None
        if where is None or bound is None or len(getattr(node, "entries", ())) != 2:
            self._problems.add(
                node.position,
                "count_items takes where: and is:",
                "write {where: {status: FAILED}, is: {lte: 2}}",
            )
            return None
        items, count = self._items(found, where), self._tests(ITSELF, _NUMBER, bound)
        return Nested(items.condition, "", count) if items and count else None

    def _field_operand(self, node: Node, operator: Operator) -> FieldOperand | None:
        """Return the operand that another field is; None where the node is no such operand."""
        if not isinstance(node, MappingNode) or operator.form not in _FIELD_FORMS:
            return None
        keys = {key.text: value for key, value in node}
        name = keys.get("field")
        if not isinstance(name, Scalar) or not keys.keys() <= {"field", "times", "unit"}:
            return None
        other = self.path(name)
        if other is None:
            return None
        if operator.form is OperandForm.DURATION:
            return self._multiple(name, other, keys, node)
        if len(keys) > 1:
            self._problems.add(node.position, "times: and unit: go with older_than and newer_than")
        reading = READING.get(operator.form, Reading.PLAIN)
        if other.kind is Kind.TIME_OF_DAY and operator.form in _ORDERED_FORMS:
            reading = Reading.TIME_OF_DAY
        return FieldOperand(name.text, reading, name.text)

    def _multiple(
        self, name: Scalar, other: Field, keys: Mapping[str, Node], node: Node
    ) -> FieldOperand | None:
        times, unit = keys.get("times"), keys.get("unit")
        number = times.value if isinstance(times, Scalar) else 1 if times is None else None
        if not isinstance(number, int | float) or isinstance(number, bool) or number <= 0:
            at = times or node
            self._problems.add(at.position, "times: takes a number above 0", "write times: 3")
            return None
        if not isinstance(unit, Scalar) or unit.text not in UNIT_NAMES:
            at = unit or node
            self._problems.add(
                at.position,
                "a duration from a field needs its unit",
                f"write unit: with one of {', '.join(UNIT_NAMES)}",
            )
            return None
        if other.kind not in {Kind.INTEGER, Kind.ANY}:
            self._problems.add(name.position, f"{name.text} is {other.kind.value}, not a number")
            return None
        factor = "" if number == 1 else f"{number:g} times "
        text = f"{factor}{name.text} ({unit.text})"
        return FieldOperand(name.text, Reading.PLAIN, text, float(number), unit.text)

    # -- what is wrong ----------------------------------------------------------------------

    def _unknown_operator(self, key: Scalar, operand: Node, found: Field) -> None:
        if key.text.lower() in AMBIGUOUS_PATTERNS:
            self._problems.add(
                key.position,
                f"{one_line(key.text)} anchors in some tools and not in others",
                "write regex_search (anywhere in the text) or regex_fullmatch (all of it)",
            )
            return
        if _lost_space(operand) and (fixed := _spaced(key.text)):
            self._problems.add(key.position, "a space is missing after the colon", f"write {fixed}")
            return
        if key.text in _COMBINERS:
            self._problems.add(
                key.position,
                f"{key.text}: combines conditions, not the tests of one field",
                f"put it before the field: {key.text}: [{{{found.path or 'field'}: …}}]",
            )
            return
        below = joined(found.path, key.text)
        if found.kind is Kind.OBJECT and (self._scope.find(below) or found.open):
            hint = f"write the path in one: {below}"
        elif found.kind is Kind.ARRAY and self._scope.find(f"{found.path}[].{key.text}"):
            hint = f"say of which items: any_item: {{{key.text}: …}}, all_items or none_items"
        else:
            hint = nearest(key.text, OPERATORS, FOREIGN_OPERATORS)
            hint = hint or f"the operators: {', '.join(OPERATORS)}"
        self._problems.add(key.position, f"no operator is called {one_line(key.text)}", hint)

    def _unknown_path(self, key: Scalar, full: str, base: str) -> None:
        if fixed := _spaced(key.text):
            self._problems.add(key.position, "a space is missing after the colon", f"write {fixed}")
            return
        array = _array_above(full)
        if array and array != base.removesuffix("[]"):
            self._through_array(key, array)
            return
        if key.text in OPERATORS or key.text.lower() in FOREIGN_OPERATORS:
            hint = "an operator stands below a field: field: {operator: value}"
        else:
            parent = full.rpartition(".")[0]
            near = [f.path.removeprefix(f"{base}.") for f in children(parent)]
            everywhere = [p for p in FIELDS if "[]" not in p] if not base else near
            hint = nearest(key.text, everywhere) or nearest(key.text, near)
            hint = hint or "if the API has it by now, name it under extra_fields:"
        self._problems.add(key.position, f"no field is called {one_line(full)}", hint)

    def _through_array(self, key: Scalar, array: str) -> None:
        rest = joined("", key.text.rpartition(array.rpartition(".")[2])[2]).strip("[].")
        inner = f"{{{rest}: …}}" if rest else "…"
        self._problems.add(
            key.position,
            f"{array} is an array: it has to be said of which items {one_line(rest or 'this')}"
            " is meant",
            f"write {array}: {{any_item: {inner}}}, or all_items, none_items",
        )


UNIT_NAMES = ("seconds", "minutes", "hours", "days", "weeks")


def _all(parts: list[Condition | None]) -> Condition | None:
    """Join parts that were read; None when one of them was not. Nested joins become one."""
    flat: list[Condition] = []
    for part in parts:
        if part is None:
            return None
        flat.extend(part.parts if isinstance(part, All) else (part,))
    return flat[0] if len(flat) == 1 else All(tuple(flat))


def _named(node: Node, word: str) -> Scalar | None:
    """Return NAME of a node that is just ``{word: NAME}``."""
    if isinstance(node, MappingNode) and len(node.entries) == 1:
        ((key, value),) = node.entries
        if key.text == word and isinstance(value, Scalar):
            return value
    return None


def _is_operators(node: MappingNode, base: str, scope: Scope) -> bool:
    """Whether a mapping tests the item itself with operators, rather than its fields."""
    return any(
        key.text in OPERATORS and scope.find(joined(base, key.text)) is None for key, _ in node
    )


def _lost_space(operand: Node) -> bool:
    return isinstance(operand, Scalar) and operand.plain and operand.text == ""


def _spaced(text: str) -> str:
    """Return ``gte: 15`` for ``gte:15``; "" where no colon stands in the key."""
    name, colon, value = text.partition(":")
    return f"{name}: {value.strip()}" if colon and name and value else ""


def _array_above(path: str) -> str:
    """Return the documented array that ``path`` goes through without saying which items."""
    steps = path.replace("[]", "").split(".")
    for length in range(1, len(steps)):
        above = FIELDS.get(".".join(steps[:length]))
        if above is not None and above.kind is Kind.ARRAY:
            return above.path
    return ""


def _misfit(found: Field, operator: Operator, node: Node) -> tuple[str, str]:
    """Say why an operator cannot be used on a field, and what to use."""
    path = found.path or "this"
    message = f"{operator.name} cannot be asked of {path}: it is {found.kind.value}"
    if found.kind is Kind.ARRAY and operator.name in {"equals", "in"}:
        written = "a list" if isinstance(node, Sequence) else "a value"
        return (
            f"{path} is an array; it cannot be {written}",
            "write contains, contains_all, subset_of, or any_item: for an item",
        )
    if found.kind is Kind.OBJECT:
        inner = next((f.path for f in children(found.path)), f"{path}.KEY")
        return message, f"test what is in it, as {inner}, or exists, is_empty, length"
    return message, _INSTEAD.get(found.kind, "")


_INSTEAD: Mapping[Kind, str] = {
    Kind.TIMESTAMP: "write before, after, older_than or newer_than",
    Kind.STRING: "write equals, in, glob, regex_search or regex_fullmatch",
    Kind.INTEGER: "write equals, in, gt, gte, lt or lte",
    Kind.BOOLEAN: "write true or false",
    Kind.ARRAY: "write any_item, all_items, none_items, count_items, contains or length",
    Kind.TIME_OF_DAY: "write equals, in, gt, gte, lt or lte with a time such as 02:00",
}
