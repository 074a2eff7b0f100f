"""The JSON Schema (2020-12) of a waiver file, for editors.

Its conditions are those of the policy schema. What a schema cannot check is left to the loader:
days that a month does not have, texts that are cut at a ``#``, and the like.
"""

from __future__ import annotations

from auditor.acceptance.waivers import ALL, FILE_KEYS, REQUIRED_KEYS, SELECTOR_PATHS, WAIVER_KEYS
from auditor.policy.schemas.conditions import ConditionSchemas
from auditor.policy.schemas.operands import Definitions, Schema

ID = "urn:fivetran-auditor:waivers:1"
_TEXT: Schema = {"type": "string", "pattern": r"\S"}
#: A selector's values: an empty text selects nothing.
_CHOICE: Schema = {"type": "string", "minLength": 1}
_CHOSEN = {
    "id": "The connection's id.",
    "schema": "The connection's name: its schema in the destination.",
    "service": "The connector's service, such as postgres.",
    "group": "The id of the connection's group.",
    "address": "Its address in a Terraform plan, such as fivetran_connector.orders.",
}


def waivers_schema() -> Schema:
    """Return the schema as plain values, the same on every call."""
    definitions = Definitions()
    conditions = ConditionSchemas(definitions)
    waiver = {extra: _waiver(conditions.condition(extra=extra)) for extra in (False, True)}
    keys = {
        # With nothing below it, the last waiver was removed.
        "waivers": {"description": "The exceptions.", "type": ["array", "null"]},
        "extra_fields": {
            "description": "Fields that conditions name and no documentation has yet.",
            "type": "array",
            "items": _TEXT,
        },
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ID,
        "title": "Waivers",
        "description": "Accepted exceptions, as fivetran-auditor reads them.",
        "type": "object",
        "required": ["waivers"],
        "properties": {key: keys[key] for key in FILE_KEYS},
        "additionalProperties": False,
        "if": {"required": ["extra_fields"]},
        "then": {"properties": {"waivers": {"items": waiver[True]}}},
        "else": {"properties": {"waivers": {"items": waiver[False]}}},
        "$defs": dict(sorted(definitions.found.items())),
    }


def _waiver(condition: Schema) -> Schema:
    keys = {
        "rule": {**_TEXT, "description": "A rule's id, or a glob of ids."},
        "connections": _connections(),
        "reason": {**_TEXT, "description": "Why the exception is accepted."},
        "owner": {**_TEXT, "description": "Who answers for it."},
        "expires": {
            "description": "The last day (UTC), such as 2027-06-30, or a moment with its zone.",
            "type": "string",
            "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ].+)?$",
        },
        "while": {"description": "What is accepted; void where it does not hold.", **condition},
    }
    return {
        "type": "object",
        "required": list(REQUIRED_KEYS),
        "properties": {key: keys[key] for key in WAIVER_KEYS},
        "additionalProperties": False,
    }


def _connections() -> Schema:
    choice = {"anyOf": [_CHOICE, {"type": "array", "items": _CHOICE, "minItems": 1}]}
    named = {name: {"description": _CHOSEN[name], **choice} for name in SELECTOR_PATHS}
    return {
        "description": "Which ones: all that is given must match, exactly or as a glob with *.",
        "anyOf": [
            {"const": ALL, "description": "Every connection."},
            {
                "type": "object",
                "minProperties": 1,
                "properties": named,
                "additionalProperties": False,
            },
        ],
    }
