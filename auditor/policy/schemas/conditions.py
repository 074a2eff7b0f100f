"""The JSON Schema of conditions, derived from the operators and the catalogue of fields.

A condition is described once for each place it can be in: a record, the items of each documented
array, the items of an array that nobody documents. With ``extra_fields`` a place is *free*:
undocumented paths may be named. For a record the schema says which fields an operand may be; for
items of arrays any path will do. Editors need it simple: beside a ``$ref`` there are only
descriptions, and an operand is one ``anyOf``; otherwise what they complete has no colon.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

from auditor.fields import FIELDS, Exposure, Field, Kind, item_of
from auditor.policy.language.operators import (
    OF_A_LIST,
    OF_A_VALUE,
    OPERATORS,
    OperandForm,
    Operator,
)
from auditor.policy.loading.condition_parser import COMBINERS, NAMED
from auditor.policy.loading.field_operands import kinds_of_other
from auditor.policy.loading.scope import GROUP_NUMBER, NUMBER
from auditor.policy.schemas.operands import (
    END,
    KIND_NAMES,
    Definitions,
    OperandSchemas,
    Schema,
    name_of,
)

_NUMBERS = (NUMBER.field, GROUP_NUMBER.field)
_THROUGH_ARRAY: Schema = {"pattern": r"\[\]"}
_COMBINED = {
    "all": "Every one of these conditions holds.",
    "any": "At least one of these conditions holds.",
    "not": "The one test in here does not hold.",
}


class Context(msgspec.Struct, frozen=True):
    """The place of a condition: the fields it can name, by their path from there.

    ``item`` is the array's item itself, None for a record. ``free`` says that other paths may be
    named too.
    """

    name: str
    fields: Mapping[str, Field]
    item: Field | None = None
    free: bool = False


class ConditionSchemas:
    """Describes conditions and their parts, in ``definitions``."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._operands = OperandSchemas(definitions)
        documented = [path for path in FIELDS if "[]" not in path]
        self._definitions.put("documented", {"enum": documented})

    def condition(self, *, extra: bool) -> Schema:
        """Return a condition on a record; with ``extra`` it may name undocumented paths."""
        return self._condition(_record(extra=extra))

    def number(self) -> Schema:
        """Return the tests of a number, such as how many items there are."""
        return self._test(NUMBER.field, Context("number", {}))

    def group_number(self) -> Schema:
        """Return the tests of what is counted or measured of a group."""
        return self._test(GROUP_NUMBER.field, _record(extra=False))

    # -- conditions -------------------------------------------------------------------------

    def _condition(self, context: Context) -> Schema:
        return self._definitions.made(
            f"condition.{context.name}", lambda: self._conditions(context)
        )

    def _conditions(self, context: Context) -> Schema:
        fields = {
            path: self._test(field, context) | {"description": field.doc}
            for path, field in context.fields.items()
        }
        words = {word: self._combined(word, context) for word in COMBINERS}
        if context.item is None:
            doc = "A condition that conditions: has a name for."
            words[NAMED] = {"description": doc, "type": "string"}
        if context.item is not None:
            itself = "The item itself, if it is not an object."
            words["item"] = self._test(context.item, context) | {"description": itself}
        anything = self._test(_anything(""), context)
        condition: Schema = {
            "title": "Condition",
            "description": "Field paths and their tests; all of them must hold.",
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"minLength": 1, "not": _THROUGH_ARRAY},
            "properties": fields | words,
            "additionalProperties": anything if context.free else False,
        }
        below = {f"^{re.escape(field.path)}\\.": anything for field in _open(context)}
        if below:
            condition["patternProperties"] = below
        if context.item is None and not context.free:
            condition["allOf"] = [self._known_operands(context)]
        return condition

    def _known_operands(self, context: Context) -> Schema:
        """Return what is said about operands that are fields: all of them are documented."""
        names = [name for name, operator in OPERATORS.items() if kinds_of_other(operator, Kind.ANY)]
        # Said twice, lest an editor offer them all where only some fit.
        documented = {"not": {"not": {"$ref": "#/$defs/documented"}}}
        known = {"properties": {"field": {"anyOf": [documented, _below(context)]}}}
        tests = known | {"patternProperties": {f"^(?:{'|'.join(names)}){END}": known}}
        return {"patternProperties": {"": self._definitions.put("known_operands", tests)}}

    def _combined(self, word: str, context: Context) -> Schema:
        condition = self._condition(context)
        if word != "not":
            listed = {"type": "array", "minItems": 1, "items": condition}
            return {"description": _COMBINED[word], **listed}
        several = {f"^(?!(?:{'|'.join(COMBINERS)}){END})": {"maxProperties": 1}}
        return {
            "description": _COMBINED[word],
            "type": "object",
            "allOf": [condition],
            "maxProperties": 1,
            "patternProperties": several,
        }

    def _items(self, array: Field, context: Context) -> Schema:
        """Return a condition on the items of ``array``: on their fields, or on themselves."""
        inner = _items_of(array, context)
        return self._definitions.made(f"items.{inner.name}", lambda: self._item_conditions(inner))

    def _item_conditions(self, context: Context) -> Schema:
        assert context.item is not None
        condition = self._condition(context)
        if context.free:
            # An operator's name means the operator, even where any field may be named.
            operators = {"enum": sorted(OPERATORS)}
            condition = {"allOf": [condition], "propertyNames": {"not": operators}}
        return {"anyOf": [condition, self._test(context.item, context)]}

    # -- tests ------------------------------------------------------------------------------

    def _test(self, field: Field, context: Context) -> Schema:
        around = "" if context.item is None else ".of_item"
        name = f"test.{_profile(field)}{around}"
        return self._definitions.made(name, lambda: self._tests(field, context))

    def _tests(self, field: Field, context: Context) -> Schema:
        fitting = {
            name: operator
            for name, operator in OPERATORS.items()
            if operator.fits(field)
            and (field.exposure is not Exposure.SECRET or operator.presence_only)
            and (field not in _NUMBERS or not operator.presence_only)
        }
        tests = {
            "title": "operators",
            "type": "object",
            "minProperties": 1,
            "properties": {
                name: self._operator(operator, field, context) for name, operator in fitting.items()
            },
            "additionalProperties": False,
        }
        is_valued = OF_A_VALUE.name in fitting
        values = self._operand(OF_A_VALUE, field, context) if is_valued else []
        is_listed = OF_A_LIST.name in fitting
        lists = _one_or_none(self._operands.literal(OF_A_LIST, field)) if is_listed else []
        # If all branches fail, an editor explains the first, or one with a known key.
        any_key = {"patternProperties": {"": True}}
        return {
            "title": f"{field.kind.value[0].upper()}{field.kind.value[1:]}",
            "anyOf": [*values[:1], tests | {"allOf": [any_key]}, *values[1:], *lists],
        }

    def _operator(self, operator: Operator, field: Field, context: Context) -> Schema:
        """Return an operator's operand, with the operator's description for an editor."""
        doc = f"{operator.doc} Takes {operator.operand}.".replace("`", "")
        operands = {"anyOf": self._operand(operator, field, context)}
        return self._definitions.shared(
            {"title": operator.name, "description": doc} | operands,
            operator.name,
            f"{operator.name}.{_profile(field)}",
            f"{operator.name}.{_profile(field)}.of_item",
        )

    def _operand(self, operator: Operator, field: Field, context: Context) -> list[Schema]:
        if operator.form is OperandForm.LENGTH:
            return [self.number()]
        if operator.form is OperandForm.CONDITION:
            return [self._items(field, context)]
        if operator.form is OperandForm.COUNT:
            return [self._count(field, context)]
        literal = self._operands.literal(operator, field)
        if operator.form is OperandForm.SCHEMA:
            return _one_or_none(literal)
        several = literal is not None and operator.takes_alternatives
        lists = [self._operands.alternatives(literal)] if several and literal else []
        return [*_one_or_none(literal), *lists, self._named(operator, field, context)]

    def _named(self, operator: Operator, field: Field, context: Context) -> Schema:
        """Return what names the operand: a variable or, if allowed, another field."""
        wanted = kinds_of_other(operator, field.kind)
        if field is GROUP_NUMBER.field:
            wanted -= {Kind.ARRAY}  # of a group there is one number, and no list of them
        if wanted <= {Kind.ANY} or (context.item is None and not context.fields):
            return self._operands.variable()
        known = wanted - {Kind.ANY}
        what = KIND_NAMES[next(iter(known))] if len(known) == 1 else "single"
        what = what if context.item is None else "item"
        path = self._definitions.made(f"path.{what}", lambda: _path(context, wanted))
        is_duration = operator.form is OperandForm.DURATION
        if is_duration:
            return self._operands.multiple(path, of_item=context.item is not None)
        return self._operands.other(path)

    def _count(self, array: Field, context: Context) -> Schema:
        items, number = self._items(array, context), self.number()
        counted: Schema = {
            "type": "object",
            "required": ["where", "is"],
            "properties": {
                "where": {"description": "Which items count.", "anyOf": [items]},
                "is": {"description": "How many there are.", "anyOf": [number]},
            },
            "additionalProperties": False,
        }
        return self._definitions.put(f"count.{name_of(items)}", counted)


# -- places ---------------------------------------------------------------------------------------


def _record(*, extra: bool) -> Context:
    fields = {path: field for path, field in FIELDS.items() if "[]" not in path}
    return Context("record.extra" if extra else "record", fields, free=extra)


def _items_of(array: Field, context: Context) -> Context:
    """Return the place of ``array``'s items; ``context`` is that of the array."""
    base = f"{array.path}[]"
    if array.kind is Kind.ANY:
        return Context("any_array", {}, item=_anything(base), free=True)
    below = {
        path.removeprefix(f"{base}."): field
        for path, field in FIELDS.items()
        if path.startswith(f"{base}.")
    }
    extra = context.name.endswith(".extra")
    name = f"{array.path}.extra" if extra else array.path
    return Context(name, below, item=item_of(array.path), free=extra)


def _open(context: Context) -> Iterator[Field]:
    return (field for field in context.fields.values() if field.open)


def _anything(path: str) -> Field:
    return Field(path, Kind.ANY, "Any value.", open=True)


# -- pieces ---------------------------------------------------------------------------------------


def _profile(field: Field) -> str:
    """Return what distinguishes the tests of a field from those of others."""
    if field.exposure is Exposure.SECRET:
        return "secret"
    if field in _NUMBERS:
        return "how_many" if field is NUMBER.field else "of_a_group"
    if field.values or field.kind is Kind.ARRAY:
        return field.path
    if field.joined and field.kind is Kind.OBJECT:
        return "fact"
    return KIND_NAMES[field.kind]


def _path(context: Context, wanted: frozenset[Kind]) -> Schema:
    """Return the path of a field of one of the ``wanted`` kinds, or of an undocumented one."""
    if context.item is not None:
        return {"title": "Field path", "type": "string", "minLength": 1, "not": _THROUGH_ARRAY}
    fitting = [
        path
        for path, field in context.fields.items()
        if field.kind in wanted and field.exposure is not Exposure.SECRET
    ]
    unlike = {"anyOf": [_THROUGH_ARRAY, {"$ref": "#/$defs/documented"}]}
    other = {"type": "string", "minLength": 1, "not": unlike}
    return {"title": "Field path", "anyOf": [{"enum": fitting}, other]}


def _below(context: Context) -> Schema:
    names = "|".join(re.escape(field.path) for field in _open(context))
    return {"type": "string", "pattern": rf"^(?:{names})\."}


def _one_or_none(schema: Schema | None) -> list[Schema]:
    return [] if schema is None else [schema]
