"""The JSON Schema of operands: values, lists, variables, other fields.

Each is a definition with a descriptive name, so that a test refers to a few of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from auditor.fields import Field, Kind, item_of
from auditor.policy.language.operators import OperandForm, Operator
from auditor.policy.loading.field_operands import DAYS, UNIT_NAMES

Schema = dict[str, Any]

#: The end of a text. Python's ``$`` alone would allow a line break after it.
END = r"$(?!\n)"
_DURATION = "[0-9]{1,6}[smhdw]"
_TIMESTAMP = (
    "(?!0000)[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
    "[Tt ](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:[.][0-9]+)?"
    "(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9])"
)
_CONTROL = {"pattern": "[\\u0000-\\u001f\\u007f]"}
#: Operands that are text in some form.
_TEXTS: Mapping[OperandForm, Schema] = {
    OperandForm.GLOB: {
        "not": {"anyOf": [_CONTROL, {"pattern": rf"^\*+{END}"}]},
        "minLength": 1,
        "examples": ["*_prod"],
        "errorMessage": "A text that does not match everything, without control characters.",
    },
    OperandForm.PATTERN: {
        "not": _CONTROL,
        "minLength": 1,
        "examples": ["^[a-z_]+$"],
        "errorMessage": "A pattern without control characters: quote it with single quotes.",
    },
    OperandForm.MOMENT: {
        "pattern": rf"^(?:now(?:[+-]{_DURATION})?|{_TIMESTAMP}){END}",
        "examples": ["now", "now+6h", "now-30d", "2026-01-31T00:00:00Z"],
        "patternErrorMessage": "A timestamp with its zone, now, now+6h or now-30d.",
    },
    OperandForm.DURATION: {
        "pattern": rf"^(?!0+[a-z]){_DURATION}{END}",
        "examples": ["90m", "36h", "7d", "2w"],
        "patternErrorMessage": "A duration above 0: 90m, 36h, 7d or 2w.",
    },
}
_TYPES: Mapping[Kind, Schema] = {
    Kind.STRING: {"title": "text", "type": "string"},
    Kind.INTEGER: {"title": "a number", "type": "number"},
    Kind.BOOLEAN: {"title": "true or false", "type": "boolean"},
    Kind.TIME_OF_DAY: {
        "title": "a time of day",
        "type": "string",
        "pattern": rf"^(?:[01][0-9]|2[0-3]):[0-5][0-9](?::00)?{END}",
        "examples": ["02:00"],
        "patternErrorMessage": "A time of day: HH:MM, such as 02:00.",
    },
    Kind.ANY: {"title": "a value", "type": ["string", "number", "boolean"]},
}
#: The names of field types in definitions.
KIND_NAMES: Mapping[Kind, str] = {
    Kind.STRING: "text",
    Kind.INTEGER: "number",
    Kind.BOOLEAN: "boolean",
    Kind.TIMESTAMP: "timestamp",
    Kind.TIME_OF_DAY: "time_of_day",
    Kind.OBJECT: "object",
    Kind.ARRAY: "array",
    Kind.ANY: "any",
}


class Definitions:
    """A schema's ``$defs``: ``found`` holds them by name."""

    def __init__(self) -> None:
        self.found: dict[str, Schema] = {}

    def put(self, name: str, schema: Schema) -> Schema:
        """Return a reference to the definition ``name``, which is ``schema``."""
        return self.made(name, lambda: schema)

    def made(self, name: str, make: Callable[[], Schema]) -> Schema:
        """Return a reference to the definition ``name``, which is made when first needed."""
        if name not in self.found:
            self.found[name] = {}  # It may refer to itself.
            self.found[name] = make()
        return {"$ref": f"#/$defs/{name}"}

    def shared(self, schema: Schema, *names: str) -> Schema:
        """Return a reference to ``schema`` under the first of ``names`` that is free or is it."""
        for name in names:
            if self.found.setdefault(name, schema) == schema:
                return {"$ref": f"#/$defs/{name}"}
        raise ValueError(f"{names[-1]} stands for two definitions")


def name_of(reference: Schema) -> str:
    """Return the name of the definition that ``reference`` refers to."""
    return str(reference["$ref"]).removeprefix("#/$defs/")


class OperandSchemas:
    """Describes operands, each in ``definitions``."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions

    def literal(self, operator: Operator, field: Field) -> Schema | None:
        """Return what may be written for ``operator`` on ``field``; None if nothing may."""
        item = item_of(field.path) if field.kind is Kind.ARRAY else field
        form = operator.form
        if form is OperandForm.BOOLEAN:
            return self._put("boolean", _TYPES[Kind.BOOLEAN])
        if form is OperandForm.SCALAR:
            return self._value(field)
        if form is OperandForm.SCALARS:
            return self._choice(self._value(item))
        if form is OperandForm.ORDERED and field.kind is Kind.ANY:
            return self._put("number", _TYPES[Kind.INTEGER])
        if form is OperandForm.ORDERED:
            return self._value(field)
        if form is OperandForm.RANGE:
            ends = Field(field.path, Kind.INTEGER, "") if field.kind is Kind.ANY else field
            return self._range(self._value(ends))
        if form in {OperandForm.NEEDLE, OperandForm.NEEDLES}:
            needle = self._some_text() if field.kind is Kind.STRING else self._value(item)
            return needle if form is OperandForm.NEEDLE else self._list(needle)
        if form is OperandForm.TEXT:
            return self._some_text()
        if form is OperandForm.SCHEMA:
            return self._json_schema()
        return self._put(
            f"a_{form.name.lower()}", {"title": form.value, "type": "string"} | _TEXTS[form]
        )

    def alternatives(self, literal: Schema) -> Schema:
        """Return a list of several literals, any of which will do."""
        return self._listed(literal)

    def variable(self) -> Schema:
        """Return ``{var: NAME}``."""
        name = {"type": "string", "description": "The variable's name."}
        doc = "The value of a variable that vars: declares."
        return self._put("variable", _mapping("a variable", doc, {"var": name}, "var"))

    def other(self, path: Schema) -> Schema:
        """Return a variable or ``{field: PATH}``, in which ``path`` describes the paths."""
        doc = "The value of another field of the same connection, or of the same item."
        schema = _mapping("another field", doc, {"field": path}, "field")
        named = {"title": "a name", "anyOf": [self.variable(), schema]}
        return self._put(f"{name_of(path).removeprefix('path.')}.field", named)

    def multiple(self, path: Schema, *, of_item: bool) -> Schema:
        """Return a variable or ``{field: PATH, times: NUMBER, unit: UNIT, days: PATH}``."""
        number = {"type": "number", "exclusiveMinimum": 0}
        units = {"enum": list(UNIT_NAMES)}
        variable = self.variable()
        keys = {
            "field": path,
            "times": {"description": "How many times it.", "anyOf": [number, variable]},
            "unit": {"description": "What the field counts.", "anyOf": [units, variable]},
        }
        if not of_item:
            keys["days"] = {
                "description": "The only days it happens on: the gap between them comes on top.",
                "anyOf": [{"enum": list(DAYS)}, variable],
            }
        doc = "The value of another field, as a duration."
        schema = _mapping("another field", doc, keys, "field", "unit")
        named = {"title": "a name", "anyOf": [self.variable(), schema]}
        return self._put(f"{name_of(path).removeprefix('path.')}.duration", named)

    # -- values -----------------------------------------------------------------------------

    def _value(self, field: Field) -> Schema | None:
        """Return a literal of the field's type, its documented values first; None without one."""
        if field.values:
            return self._put(f"value.{field.path}", _documented_value(field))
        return (
            self._put(KIND_NAMES[field.kind], _TYPES[field.kind]) if field.kind in _TYPES else None
        )

    def _some_text(self) -> Schema:
        return self._put("some_text", {"title": "text", "type": "string", "minLength": 1})

    def _range(self, end: Schema | None) -> Schema | None:
        if end is None:
            return None
        items = {"anyOf": [end, self.variable()]}
        title = "the least and the most"
        ends: Schema = {"title": title, "type": "array", "items": items}
        ends |= {"minItems": 1, "maxItems": 2}
        return self._put(f"range_of.{name_of(end)}", ends)

    def _list(self, item: Schema | None) -> Schema | None:
        return None if item is None else self._listed(item)

    def _listed(self, item: Schema) -> Schema:
        items = {"anyOf": [item, self.variable()]}
        schema = {"title": "a list", "type": "array", "minItems": 1, "items": items}
        return self._put(f"list_of.{name_of(item)}", schema)

    def _choice(self, item: Schema | None) -> Schema | None:
        """Return a list of values to choose from: both booleans would leave no choice."""
        listed = self._list(item)
        if item is None or listed is None or name_of(item) not in {"boolean", "any"}:
            return listed
        either = [{"contains": {"const": value}} for value in (True, False)]
        both = {"type": "array", "items": {"type": "boolean"}, "allOf": either}
        doc = "the only values are true and false: write exists: true."
        choice = {"type": "array", "allOf": [listed], "not": both, "errorMessage": doc}
        return self._put(f"choice_of.{name_of(item)}", choice)

    def _json_schema(self) -> Schema:
        inner = {"$ref": "#/$defs/json_schema.part"}
        refused = {"enum": ["$ref", "$dynamicRef", "pattern", "patternProperties"]}
        part = {"propertyNames": {"not": refused}, "additionalProperties": inner, "items": inner}
        self._put("json_schema.part", part)
        variable = {"required": ["var"], "maxProperties": 1}
        whole = {"type": "object", "minProperties": 1, "allOf": [inner], "not": variable}
        return self._put("json_schema.whole", whole)

    def _put(self, name: str, schema: Schema) -> Schema:
        return self._definitions.put(name, schema)


def _mapping(title: str, doc: str, keys: Mapping[str, Schema], *required: str) -> Schema:
    return {
        "title": title,
        "description": doc,
        "type": "object",
        "required": list(required),
        "properties": dict(keys),
        "additionalProperties": False,
    }


def _documented_value(field: Field) -> Schema:
    """Return a value of ``field``: a documented one, or one that no documentation knows yet.

    One that differs from a documented value only by case is neither. The two exclude each other, so
    that an editor can say which of them a value is.
    """
    known: Schema = {"title": "a documented value", "enum": list(field.values)}
    if field.kind is Kind.STRING:
        same = "|".join(_ignoring_case(str(value)) for value in field.values)
        refused: Schema = {"pattern": f"^(?:{same}){END}"}
    else:
        refused = {"enum": known["enum"]}
    other = {"title": "another value", "type": _TYPES[field.kind]["type"], "not": refused}
    return {"anyOf": [known, other]}


def _ignoring_case(text: str) -> str:
    return "".join(f"[{c.lower()}{c.upper()}]" if c.isalpha() else re.escape(c) for c in text)
