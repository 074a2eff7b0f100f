"""The JSON Schema (2020-12) of a test file, ``NAME.test.yaml``, for editors.

What a schema cannot know is left to the reader: the rules and variables of the policy, and the
fields that only it or its facts declare.
"""

from __future__ import annotations

from auditor.fields import FIELDS
from auditor.policy.loading.examples import CASE_KEYS, FILE_KEYS, TOLD, VERDICTS
from auditor.policy.schemas.operands import Schema
from auditor.policy.schemas.policy import given_fields

ID = "urn:fivetran-auditor:tests:1"
_TEXT: Schema = {"type": "string", "pattern": r"\S"}
_VALUE: Schema = {"type": ["string", "number", "boolean", "null"]}
_RECORD: Schema = {"$ref": "#/$defs/record"}
_UNTOLD = [label for label, verdict in VERDICTS.items() if verdict not in TOLD]


def schema_of_tests() -> Schema:
    """Return the schema as plain values, the same on every call."""
    keys = {
        "policy": {
            "description": "The policy that is tested: a file, by its path from here, or a pack."
            " Left out, it is the policy of the same name.",
            **_TEXT,
        },
        "tests": {
            "description": "Records, and the verdict that each rule must give.",
            "type": "array",
            "minItems": 1,
            "items": {"$ref": "#/$defs/test"},
        },
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ID,
        "title": "Tests of a policy",
        "description": "Tests of several rules, as fivetran-auditor test runs them.",
        "type": "object",
        "required": ["tests"],
        "properties": {key: keys[key] for key in FILE_KEYS},
        "additionalProperties": False,
        "$defs": {"record": {"type": "object", "properties": given_fields("")}, "test": _test()},
    }


def _test() -> Schema:
    keys = {
        "name": {"description": "The test's name; no other has it.", **_TEXT},
        "given": {
            "description": "Changes to the healthy record; a list makes several records.",
            "anyOf": [_RECORD, {"type": "array", "items": _RECORD}],
        },
        "without": {
            "description": "Fields that are left out.",
            "type": "array",
            "items": {"anyOf": [{"enum": [p for p in FIELDS if "[]" not in p]}, _TEXT]},
        },
        "record": {
            "description": "A whole record, or several, in place of given and without.",
            "anyOf": [_RECORD, {"type": "array", "minItems": 1, "items": _RECORD}],
        },
        "vars": {
            "description": "Values of the policy's variables, as --var sets them.",
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {"anyOf": [_VALUE, {"type": "array", "items": _VALUE}]},
        },
        "now": {
            "description": "The time at which the test is judged.",
            "type": "string",
            "examples": ["2026-01-31T12:00:00Z"],
        },
        "expect": {
            "description": "Each rule by its id, with its verdict.",
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {"enum": list(VERDICTS)},
        },
        "message": {"description": "What the finding must say, word for word.", "type": "string"},
    }
    all_pass: Schema = {"additionalProperties": {"enum": _UNTOLD}}
    return {
        "title": "Test",
        "type": "object",
        "required": ["expect"],
        "properties": {key: keys[key] for key in CASE_KEYS},
        "additionalProperties": False,
        "allOf": [
            {
                "if": {"required": ["record"]},
                "then": {"not": {"anyOf": [{"required": ["given"]}, {"required": ["without"]}]}},
            },
            {
                "if": {"required": ["message"]},
                "then": {"properties": {"expect": {"not": all_pass}}},
            },
        ],
    }
