"""What a condition got wrong, and what to write instead."""

from __future__ import annotations

from collections.abc import Mapping

from auditor.fields import FACT_LISTS, FIELDS, Field, Kind, can_be_named, children
from auditor.policy.language.conditions import joined
from auditor.policy.language.operators import (
    FOREIGN_OPERATORS,
    OF_A_LIST,
    OF_A_VALUE,
    OPERATORS,
    Operator,
)
from auditor.policy.loading.nodes import MappingNode, Node, ScalarNode, SequenceNode
from auditor.policy.loading.problems import Problems
from auditor.policy.loading.scope import Scope
from auditor.suggest import (
    AMBIGUOUS_PATTERNS,
    CONTRARY_FIELDS,
    FOREIGN_FIELDS,
    FOREIGN_JOINS,
    VALUES_OF,
    denied,
    nearest,
)
from auditor.text import one_line


class Advice:
    """Records problems with the names in one file's conditions."""

    def __init__(self, scope: Scope, problems: Problems) -> None:
        self._scope = scope
        self._problems = problems

    def unknown_operator(
        self, key: ScalarNode, operand: Node, found: Field, combiners: tuple[str, ...]
    ) -> None:
        """Record that ``key`` is not an operator, and what was likely meant."""
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
        if key.text in combiners:
            self._problems.add(
                key.position,
                f"{key.text}: combines conditions, not the tests of one field",
                f"put it before the field: {_before(key.text, found.path or 'field')}",
            )
            return
        below = joined(found.path, key.text)
        if key.text in FIELDS and not found.path.startswith(key.text):
            hint = f"it is a field: put it beside {found.path or 'this'}, not below it"
        elif key.text in _OPERAND_KEYS:
            hint = _OPERAND_KEYS[key.text]
        elif key.text in _OPERATOR_KEYS:
            hint = "the operator is the key: {equals: …}, {gte: …}"
        elif (contrary := denied(key.text, OPERATORS, FOREIGN_OPERATORS)) and (
            key.text.lower() not in FOREIGN_OPERATORS
        ):
            hint = f"write not: {{{found.path or 'field'}: {{{contrary}: …}}}}"
        elif fact := _fact_below(found.path, key.text):
            hint = f"write the path as one key, before the operator: {fact}"
        elif found.kind is Kind.OBJECT and (self._scope.find(below) or found.open):
            hint = f"write the path as one key: {below}"
        elif found.kind is Kind.ARRAY and self._scope.find(f"{found.path}[].{key.text}"):
            hint = f"say which items: any_item: {{{key.text}: …}}, all_items or none_items"
        else:
            hint = nearest(key.text, OPERATORS, FOREIGN_OPERATORS)
            hint = hint or f"the operators: {', '.join(OPERATORS)}"
        self._problems.add(key.position, f"no operator is called {one_line(key.text)}", hint)

    def no_operand(self, operator: Operator, node: MappingNode) -> None:
        """Record that a mapping in place of a value names neither a variable nor a field."""
        wrong = next((key for key, _ in node if key.text not in _OPERAND_KEYS), None)
        if wrong is None:
            message = f"{operator.name}: takes {operator.operand}, {{var: NAME}} or {{field: PATH}}"
            self._problems.add(node.position, message)
            return
        message = f"{operator.name}: {one_line(wrong.text) or 'nothing'} names no value"
        hint = nearest(wrong.text, ("var", "field"))
        self._problems.add(wrong.position, message, hint)

    def unknown_path(self, key: ScalarNode, full: str, base: str) -> None:
        """Record that ``key`` is not a field, and what was likely meant."""
        if fixed := _spaced(key.text):
            self._problems.add(key.position, "a space is missing after the colon", f"write {fixed}")
            return
        array = _array_above(full)
        if array and array != base.removesuffix("[]"):
            self.through_array(key, array)
            return
        word = key.text.lower()
        if not base and word in FOREIGN_JOINS:
            self._problems.add(
                key.position,
                f"no field is called {one_line(full)}, and no keyword combines conditions that way",
                f"write {FOREIGN_JOINS[word]}",
            )
            return
        if not can_be_named(full):
            hint = "a path cannot contain quotes, backslashes or control characters"
        elif not base and word in CONTRARY_FIELDS:
            hint = f"write {CONTRARY_FIELDS[word]}"
        elif not base and FOREIGN_FIELDS.get(word) in FIELDS:
            hint = f"did you mean {FOREIGN_FIELDS[word]}?"
        elif key.text in OPERATORS or (
            key.text.lower() in FOREIGN_OPERATORS and key.text.lower() not in FIELDS
        ):
            hint = "an operator goes below a field: field: {operator: value}"
        else:
            parent = full.rpartition(".")[0]
            near = [f.path.removeprefix(f"{base}.") for f in children(parent)]
            documented = (path for path in FIELDS if "[]" not in path)
            top = [*documented, *self._scope.facts, *sorted(self._scope.extra_fields)]
            everywhere = top if not base else near
            hint = nearest(key.text, everywhere) or nearest(key.text, near)
            hint = hint or "if the API has it now, declare it under extra_fields:"
        self._problems.add(key.position, f"no field is called {one_line(full) or 'nothing'}", hint)

    def through_array(self, key: ScalarNode, array: str) -> None:
        """Record that ``key`` goes through an array without a quantifier."""
        rest = joined("", key.text.rpartition(array.rpartition(".")[2])[2]).strip("[].")
        inner = f"{{{rest}: …}}" if rest else "…"
        self._problems.add(
            key.position,
            f"{array} is an array: say which of its items {one_line(rest or 'this')} is about",
            f"write {array}: {{any_item: {inner}}}, or all_items, none_items",
        )

    def misfit(self, found: Field, operator: Operator, node: Node) -> None:
        """Record that ``operator`` cannot be used on ``found``, and what can."""
        self._problems.add(node.position, *_misfit(found, operator, node))


_FIELD_HINT = "another field is {field: PATH}; a duration {field: PATH, times: 3, unit: minutes}"
_OPERAND_KEYS = {
    **dict.fromkeys(("field", "times", "unit"), _FIELD_HINT),
    "var": "a variable is written alone: {var: NAME}",
}


#: How Custodian and other tools name an operator's parts.
_OPERATOR_KEYS = frozenset({"op", "operator"})


def _before(word: str, path: str) -> str:
    """Return how a word that combines conditions is written before a field."""
    inner = f"{{{path}: …}}"
    return f"{word}: {inner}" if word == "not" else f"{word}: [{inner}, …]"


def _fact_below(path: str, name: str) -> str:
    """Return the field of a fact for which ``path`` is the key, such as owner.email."""
    found = (f"{fact.name}.{name}" for fact in FACT_LISTS.values() if fact.key == path)
    return next((full for full in found if full in FIELDS), "")


def _lost_space(operand: Node) -> bool:
    return isinstance(operand, ScalarNode) and operand.plain and operand.text == ""


def _spaced(text: str) -> str:
    """Return ``gte: 15`` for ``gte:15``; "" if there is no colon in the key."""
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
    """Return why an operator cannot be used on a field, and what to use."""
    path = found.path or "this"
    if found.joined and found.kind in operator.kinds:
        message = f"{operator.name} cannot test {path}: only a fact's fields are read"
        return message, "test its fields, or exists"
    message = f"{operator.name} cannot test {path}: it is {found.kind.value}"
    if found.kind is Kind.ARRAY and (operator is OF_A_VALUE or operator is OF_A_LIST):
        written = "a list" if isinstance(node, SequenceNode) else "a value"
        return (
            f"{path} is an array; it cannot be {written}",
            "write contains, contains_all, subset_of, or any_item: for an item",
        )
    if isinstance(node, ScalarNode) and node.value is None and operator is OF_A_VALUE:
        return f"{path} never equals null", f"write {path}: {{exists: false}}"
    if found.kind is Kind.OBJECT and operator is OF_A_VALUE and path in VALUES_OF:
        return message, f"did you mean {VALUES_OF[path]}?"
    if found.kind is Kind.OBJECT:
        inner = next((f.path for f in children(found.path)), f"{path}.KEY")
        return message, f"test what is in it, such as {inner}, or exists, is_empty, length"
    return message, _INSTEAD.get(found.kind, "")


_INSTEAD: Mapping[Kind, str] = {
    Kind.TIMESTAMP: "write before, after, older_than or newer_than",
    Kind.STRING: "write equals, in, glob, regex_search or regex_fullmatch",
    Kind.INTEGER: "write equals, in, gt, gte, lt or lte",
    Kind.BOOLEAN: "write true or false",
    Kind.ARRAY: "write any_item, all_items, none_items, count_items, contains or length",
    Kind.TIME_OF_DAY: "write equals, in, gt, gte, lt or lte with a time such as 02:00",
}
