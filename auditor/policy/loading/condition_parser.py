"""From YAML nodes to conditions, with everything that can be checked when a policy loads.

Paths are checked against the catalogue of fields, literals against their field's type, and nothing
vacuous gets through: a rule that can never apply, or never fail, is an error here.
"""

from __future__ import annotations

from msgspec import structs

from auditor.fields import FIELDS, Exposure, Field, item_of
from auditor.policy.language.aggregates import COUNT, Bounds
from auditor.policy.language.conditions import (
    ITSELF,
    All,
    AnyOf,
    Condition,
    Named,
    Nested,
    Not,
    Test,
    joined,
    tests_in,
)
from auditor.policy.language.operands import FieldOperand, Literal
from auditor.policy.language.operators import (
    OF_A_LIST,
    OF_A_VALUE,
    OPERATORS,
    OperandForm,
    Operator,
)
from auditor.policy.loading.bounds import check_contradictions, check_domain
from auditor.policy.loading.field_operands import FieldOperands, is_field_operand, reading_of
from auditor.policy.loading.hints import Advice
from auditor.policy.loading.literals import Literals
from auditor.policy.loading.nodes import MappingNode, Node, ScalarNode, SequenceNode
from auditor.policy.loading.problems import Problems
from auditor.policy.loading.scope import GROUP_NUMBER, NUMBER, Scope, Subject, named
from auditor.suggest import nearest
from auditor.text import one_line

COMBINERS = ("all", "any", "not")
#: The word before the name of a condition.
NAMED = "condition"
_COUNT_KEYS = {"where", "is"}


class ConditionReader:
    """Reads the conditions of one file."""

    def __init__(self, scope: Scope, problems: Problems) -> None:
        self._scope = scope
        self._problems = problems
        self._advice = Advice(scope, problems)
        self._literals = Literals(problems, self.resolved)
        self._fields = FieldOperands(problems, self.path, self.resolved)

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
        return _all([self._entry(key, value, base) for key, value in node])

    def number(self, node: Node, domain: Bounds | None = None) -> Condition | None:
        """Return the tests of a number at ``node``.

        With ``domain`` it is a group's, and those are the numbers it can be; else it is a count of
        items or characters.
        """
        found = self._tests(NUMBER if domain is None else GROUP_NUMBER, node)
        if found is not None:
            check_domain(tests_in(found), domain or COUNT, self._problems)
        return found

    def path(self, key: ScalarNode, base: str = "") -> Field | None:
        """Return the field that ``key`` names; None when a problem was noted."""
        full = joined(base, key.text)
        if "[]" in key.text:
            self._advice.through_array(key, full.partition("[]")[0])
            return None
        found = self._scope.find(full) if key.text else None
        if found is None:
            self._advice.unknown_path(key, full, base)
        return found

    def resolved(self, node: Node) -> Node | None:
        """Return what a node stands for: itself, or the variable it names."""
        name = named(node, "var")
        if name is None:
            return node
        value = self._scope.vars.get(name.text)
        if value is None:
            hint = nearest(name.text, self._scope.vars) or "declare it under vars:"
            self._problems.add(name.position, f"no variable is called {one_line(name.text)}", hint)
            return None
        return structs.replace(value, position=node.position)

    # -- conditions -------------------------------------------------------------------------

    def _entry(self, key: ScalarNode, value: Node, base: str) -> Condition | None:
        # Below an open object any name could be a field: the language's own words come first.
        if key.text in COMBINERS:
            return self._combined(key, value, base)
        if key.text == NAMED:
            return self._named(value, base)
        if key.text == "item" and base and f"{base}.item" not in FIELDS:
            return self._tests(self._item_subject(base), value)
        found = self.path(key, base)
        return self._tests(Subject(key.text, found, base), value) if found else None

    def _named(self, value: Node, base: str) -> Condition | None:
        """Return the named condition that ``value`` names."""
        if base:
            hint = "write what must hold of the item"
            message = f"{NAMED}: names a condition on a connection, and this is one on an item"
        elif not isinstance(value, ScalarNode) or not isinstance(value.value, str):
            hint = (
                "combine several with all: or any:, such as any: [{condition: a}, {condition: b}]"
            )
            message = f"{NAMED}: takes the name of one condition"
        elif self._scope.conditions is None:
            message, hint = "no named condition is declared here", "declare it under conditions:"
        else:
            part = self._scope.conditions.find(value)
            return Named(one_line(value.text), part) if part is not None else None
        self._problems.add(value.position, message, hint)
        return None

    def _item_subject(self, base: str) -> Subject:
        """Return the item of an array as what a test is about."""
        return Subject(ITSELF, item_of(base.removesuffix("[]")), base)

    def _combined(self, key: ScalarNode, value: Node, base: str) -> Condition | None:
        if key.text == "not":
            return self._negated(value, base)
        if not isinstance(value, SequenceNode) or not value.items:
            held = "an empty list" if isinstance(value, SequenceNode) else "no list"
            self._problems.add(
                value.position,
                f"{key.text}: takes a list of conditions; this is {held}",
                "write one condition per line, each after a dash",
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
        if isinstance(part, All) and not _is_one_group(value):
            self._problems.add(
                value.position,
                "not: takes exactly one test; with several it is unclear whether they are denied"
                " together or one by one",
                "write not: once for each, or not: {any: […]} or not: {all: […]}",
            )
            return None
        return Not(part)

    # -- tests ------------------------------------------------------------------------------

    def _tests(self, subject: Subject, node: Node) -> Condition | None:
        value = self.resolved(node)
        if value is None:
            return None
        if isinstance(value, ScalarNode | SequenceNode):
            meant = OF_A_VALUE if isinstance(value, ScalarNode) else OF_A_LIST
            return self._test(subject, meant, value, varies=named(node, "var") is not None)
        if is_field_operand(value, OF_A_VALUE):
            return self._test(subject, OF_A_VALUE, value)
        if not value.entries:
            self._problems.add(
                value.position, "an empty test holds for everything", "name an operator"
            )
            return None
        found = _all([self._operator(subject, key, operand) for key, operand in value])
        if found is not None:
            check_contradictions(tests_in(found), self._problems)
        return found

    def _operator(self, subject: Subject, key: ScalarNode, operand: Node) -> Condition | None:
        operator = OPERATORS.get(key.text)
        if operator is None:
            self._advice.unknown_operator(key, operand, subject.field, COMBINERS)
            return None
        return self._test(subject, operator, operand, key)

    def _test(
        self,
        subject: Subject,
        operator: Operator,
        node: Node,
        key: ScalarNode | None = None,
        *,
        varies: bool = False,
    ) -> Condition | None:
        if not self._fits(subject, operator, node):
            return None
        value = self.resolved(node)
        # Written out, equals is literal, whatever characters it has.
        meant = key is not None and operator is OF_A_VALUE
        operand = None
        if value is not None:
            operand = self._operand(subject, operator, value, meant=meant)
        if operand is None:
            return None
        position = key.position if key else node.position
        if isinstance(operand, FieldOperand):
            reading = reading_of(operator, subject.field, self._operand_field(operand, subject))
        else:
            reading = reading_of(operator, subject.field)
        varies = varies or _varies(node)
        return Test(subject.path, operator, operand, position, reading, subject.field.kind, varies)

    def _operand_field(self, operand: FieldOperand, subject: Subject) -> Field:
        found = self._scope.find(joined(subject.base, operand.path))
        assert found is not None
        return found

    def _operand(
        self, subject: Subject, operator: Operator, value: Node, *, meant: bool
    ) -> Literal | FieldOperand | Nested | None:
        if operator.form is OperandForm.LENGTH:
            counted = self.number(value)
            return Nested(counted, "") if counted else None
        if operator.form is OperandForm.CONDITION:
            return self._items(subject, value)
        if operator.form is OperandForm.COUNT:
            return self._counted(subject, value)
        if isinstance(value, MappingNode) and is_field_operand(value, operator):
            return self._fields.operand(operator, subject, value)
        if isinstance(value, MappingNode) and operator.form is not OperandForm.SCHEMA:
            self._advice.no_operand(operator, value)
            return None
        return self._literals.operand(operator, subject.field, value, meant=meant)

    def _fits(self, subject: Subject, operator: Operator, node: Node) -> bool:
        found = subject.field
        if subject.is_number and operator.presence_only:
            message = "a count always has a value, so this decides nothing"
            self._problems.add(node.position, message, "write a comparison, such as gte: 1")
            return False
        if found.exposure is Exposure.SECRET and not operator.presence_only:
            self._problems.add(
                node.position,
                f"{found.path} is a live credential: only exists can test it",
                "write exists: true or exists: false",
            )
            return False
        if operator.fits(found):
            return True
        self._advice.misfit(found, operator, node)
        return False

    def _items(self, subject: Subject, node: Node) -> Nested | None:
        base = f"{joined(subject.base, subject.path)}[]"
        if isinstance(node, MappingNode) and not self._is_of_item(node, base):
            condition = self.condition(node, base)
        else:
            condition = self._tests(self._item_subject(base), node)
        return Nested(condition, "") if condition else None

    def _is_of_item(self, node: MappingNode, base: str) -> bool:
        """Whether a mapping tests the item itself with operators, rather than its fields."""
        return named(node, "var") is not None or any(
            key.text in OPERATORS and joined(base, key.text) not in FIELDS for key, _ in node
        )

    def _counted(self, subject: Subject, node: Node) -> Nested | None:
        keys = {key.text: value for key, value in node} if isinstance(node, MappingNode) else {}
        if keys.keys() != _COUNT_KEYS:
            self._problems.add(
                node.position,
                "count_items takes where: and is:",
                "write {where: {status: FAILED}, is: {lte: 2}}",
            )
            return None
        items, count = self._items(subject, keys["where"]), self.number(keys["is"])
        return Nested(items.condition, "", count) if items and count else None


def _all(parts: list[Condition | None]) -> Condition | None:
    """Join parts that were read; None when one of them was not. Nested joins become one."""
    flat: list[Condition] = []
    for part in parts:
        if part is None:
            return None
        flat.extend(part.parts if isinstance(part, All) else (part,))
    return flat[0] if len(flat) == 1 else All(tuple(flat))


def _varies(node: Node) -> bool:
    """Whether an operand is a variable, or a list that contains one."""
    items = node.items if isinstance(node, SequenceNode) else (node,)
    return any(named(item, "var") is not None for item in items)


def _is_one_group(node: Node) -> bool:
    """Whether ``node`` is ``{all: […]}``, which says itself that its parts belong together."""
    return isinstance(node, MappingNode) and [key.text for key, _ in node] == ["all"]
