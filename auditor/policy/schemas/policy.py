"""The JSON Schema (2020-12) of a policy file: completion, hover and diagnostics in an editor.

It is derived from the tables that the loader reads, so that the two say the same: what the schema
refuses the loader refuses, and the reverse, but for what a schema cannot know:

- names: undeclared variables and what they hold, ids that stand twice or that ``override`` names
  in vain, packs and files that are not there, paths that ``extra_fields`` and ``reveal`` list;
- texts: YAML's own rules (duplicate keys, anchors, size), a text that is cut at a ``#``, what a
  message names, a pattern that is none or matches everything, days that a month does not have,
  times more than a century from now;
- the rest: a ``json_schema`` that is none, a field compared with itself, no rule left enabled,
  what ``{field: PATH}`` names on items of arrays, what is below an item's ``details``.

It keeps to keywords that editors without 2020-12 know as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from auditor.facts.columns import COLUMN_TYPES
from auditor.fields import FIELDS, Exposure, Field, Kind
from auditor.model import Severity
from auditor.policy.language.aggregates import AGGREGATES
from auditor.policy.language.rules import ACCOUNT
from auditor.policy.loading.documents import POLICY_KEYS, pack_names
from auditor.policy.loading.examples import KEYS as TEST_KEYS
from auditor.policy.loading.examples import TOLD, VERDICTS
from auditor.policy.loading.facts import FACTS_KEYS, MATCHES
from auditor.policy.loading.resolve import OVERRIDE_KEYS
from auditor.policy.loading.rule_parser import GROUP_ASSERTIONS, RULE_KEYS
from auditor.policy.schemas.conditions import ConditionSchemas
from auditor.policy.schemas.operands import END, Definitions, Schema

#: How long a line of the document may be before it is broken.
_WIDTH = 160
ID = "urn:fivetran-auditor:policy:1"

_TEXT: Schema = {
    "type": "string",
    "pattern": r"\S",
    "patternErrorMessage": "Say something, or leave it out.",
}
_TERM: Schema = {
    "type": "string",
    "pattern": rf"^(?!0+[a-z])[0-9]{{1,6}}[smhdw]{END}",
    "patternErrorMessage": "A duration above 0: 90d or 26w.",
    "examples": ["90d"],
}
_TEXTS: Schema = {"type": "array", "items": _TEXT}
#: Kinds of fields that have several values, and so cannot name a group.
_MANY = frozenset({Kind.OBJECT, Kind.ARRAY})
_NAMES: Schema = {"type": "array", "items": {"type": "string"}}
_VALUE: Schema = {"type": ["string", "number", "boolean"]}
_OPEN = tuple(field.path for field in FIELDS.values() if field.open)
_BELOW_OPEN: Schema = {
    "description": "A path below an open object, such as config.host.",
    "type": "string",
    "pattern": rf"^(?:{'|'.join(map(re.escape, _OPEN))})(?:\[\])?\.",
}
_THROUGH_ARRAY: Schema = {"pattern": r"\[\]"}


def policy_schema() -> Schema:
    """Return the schema as plain values, equal on every call."""
    definitions = Definitions()
    conditions = ConditionSchemas(definitions)
    rules = _rules(conditions, extra=False) | _rules(conditions, extra=True)
    keys = _policy_keys()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ID,
        "title": "Policy",
        "description": "Rules for Fivetran connections, as fivetran-auditor reads them.",
        "type": "object",
        "required": ["policy"],
        "properties": {key: keys[key] for key in POLICY_KEYS},
        "additionalProperties": False,
        "allOf": [
            {"if": _holds("extends"), "else": _holds("rules")},
            {
                "if": {"anyOf": [_holds("extra_fields"), {"required": ["facts"]}, _EXTENDS_FILE]},
                "then": _listed(conditions.condition(extra=True), extra=True),
                "else": _listed(conditions.condition(extra=False), extra=False),
            },
        ],
        "$defs": dict(sorted((definitions.found | rules | _shared()).items())),
    }


def as_text(schema: Schema) -> str:
    """Return ``schema`` as a JSON document for people: short values are on one line."""
    return f"{_pretty(schema, 0)}\n"


def _pretty(value: Any, depth: int) -> str:
    line = json.dumps(value, ensure_ascii=False)
    is_plain = not isinstance(value, dict) and not (isinstance(value, list) and "{" in line)
    if is_plain or len(line) + depth <= _WIDTH:
        return line
    if isinstance(value, dict):
        start, end = "{}"
        parts = [f"{json.dumps(key)}: {_pretty(held, depth + 1)}" for key, held in value.items()]
    else:
        start, end = "[]"
        parts = [_pretty(held, depth + 1) for held in value]
    indent = "\n" + " " * depth
    between = f",{indent} "
    return f"{start}{indent} {between.join(parts)}{indent}{end}"


# -- a policy -------------------------------------------------------------------------------------


def _policy_keys() -> Mapping[str, Schema]:
    return {
        "policy": {"description": "The policy's name.", "type": "string", "minLength": 1},
        "title": {"description": "What the policy is about.", "type": "string", "minLength": 1},
        "description": {"description": "More about it.", "type": "string", "minLength": 1},
        "extends": {
            "description": "Packs and files (paths relative to this one) whose rules apply too.",
            "type": "array",
            "items": {"anyOf": [{"enum": pack_names()}, _FILE]},
        },
        "override": {
            "description": "What to change of extended rules, by their id.",
            "type": "object",
            "additionalProperties": _ref("override"),
        },
        "vars": {
            "description": "Values by name, for {var: NAME}; --var and extending files set them.",
            "type": "object",
            "additionalProperties": {"anyOf": [_VALUE, {"type": "array", "items": _VALUE}]},
        },
        "conditions": {
            "description": "Conditions by name, for condition: NAME; extending files set them.",
            "type": "object",
            "propertyNames": {
                "pattern": rf"^[A-Za-z0-9][A-Za-z0-9_-]*{END}",
                "patternErrorMessage": "Letters, digits, - and _, such as in_production.",
            },
        },
        "reveal": {
            "description": "Hidden paths whose values reports may show.",
            "type": "array",
        },
        "extra_fields": {
            "description": "Paths that the API has and no documentation names yet.",
            **_NAMES,
        },
        "facts": _facts(),
        "max_waiver": {
            "description": "How far from now a waiver of these rules, and extended ones, may end.",
            **_TERM,
        },
        "rules": {
            "description": "The rules of this file.",
            "type": "array",
        },
    }


def _facts() -> Schema:
    """Return the user's own facts: where their rows are, and what is in them."""
    name = {"pattern": rf"^[A-Za-z_][A-Za-z0-9_-]*{END}"}
    value = {"type": ["string", "number", "boolean", "null"]}
    row = {"anyOf": [value, {"type": "object", "additionalProperties": value}]}
    text = {"type": "string", "minLength": 1}
    keys = {
        "file": {"description": "A CSV, JSON or NDJSON file, by its path from this one.", **text},
        "rows": {
            "description": "Rows in place, by their key.",
            "type": "object",
            "minProperties": 1,
        }
        | {"additionalProperties": row},
        "key": {
            "description": "The field whose value finds the row; the column has the same name.",
            "anyOf": [
                text,
                {
                    "type": "object",
                    "required": ["field", "column"],
                    "properties": {"field": text, "column": text},
                    "additionalProperties": False,
                },
            ],
        },
        "match": {
            "description": "Whether keys match exactly or as globs; of globs the last match wins.",
            "enum": list(MATCHES),
        },
        "columns": {
            "description": "The columns that rules may read, each with its type.",
            "type": "object",
            "minProperties": 1,
            "propertyNames": name,
            "additionalProperties": {"enum": list(COLUMN_TYPES)},
        },
        "default": {"description": "The row of a key that none has.", **row},
        "optional": {
            "description": "No rows yet: --facts or a policy that extends this one may bring them.",
            "const": True,
        },
    }
    fact = {
        "title": "Facts",
        "type": "object",
        "required": ["key", "columns"],
        "properties": {key: keys[key] for key in FACTS_KEYS},
        "additionalProperties": False,
        "not": {
            "anyOf": [
                {"required": pair}
                for pair in (["file", "rows"], ["file", "optional"], ["rows", "optional"])
            ]
        },
    }
    return {
        "description": "Rows of your own that say more of a connection, by the name rules use.",
        "type": "object",
        "propertyNames": name,
        "additionalProperties": fact,
    }


#: What a file extends may declare facts, which no editor sees here.
_EXTENDS_FILE: Schema = {
    "required": ["extends"],
    "properties": {"extends": {"type": "array", "contains": {"pattern": rf"/|\.ya?ml{END}"}}},
}
_FILE: Schema = {
    "description": "A file.",
    "type": "string",
    "pattern": rf"/|\.ya?ml{END}",
    "patternErrorMessage": f"A pack ({', '.join(pack_names())}) or the path of a .yaml file.",
}


def _listed(condition: Schema, *, extra: bool) -> Schema:
    """Return the keys that name fields; ``condition`` is one on a connection."""
    secret = {"enum": [path for path, field in FIELDS.items() if _is_secret(field)]}
    revealed = [path for path, field in FIELDS.items() if not _is_secret(field)]
    anything = {"type": "string", "not": secret}
    reveal = {"anyOf": [{"enum": revealed}, anything if extra else _BELOW_OPEN]}
    rule = _ref(_called("rule", extra))
    lists = {
        "reveal": {"type": "array", "items": reveal},
        "rules": {"type": "array", "items": rule},
        "conditions": {"type": "object", "additionalProperties": condition},
    }
    return {"properties": lists}


def _holds(key: str) -> Schema:
    return {"required": [key], "properties": {key: {"type": "array", "minItems": 1}}}


def _shared() -> dict[str, Schema]:
    enabled: Schema = {
        "enabled": {"description": "false: the rule is not judged.", "type": "boolean"},
        "reason": {"description": "Why it is disabled; reports say it.", "type": "string"},
    }
    overridable = {key: _ref(f"rule.{key}") for key in _shown_keys()} | enabled
    return {
        **{f"rule.{key}": schema for key, schema in _shown_keys().items()},
        "override": {
            "title": "Override",
            "description": "What replaces the rule's own; never its when or assert.",
            "type": "object",
            "minProperties": 1,
            "properties": {key: overridable[key] for key in OVERRIDE_KEYS},
            "additionalProperties": False,
        },
    }


# -- a rule ---------------------------------------------------------------------------------------


def _shown_keys() -> dict[str, Schema]:
    """Return the keys of a rule that reports show."""
    return {
        "id": {
            "description": "The rule's name: letters, digits, - and _; unique in all files.",
            "type": "string",
            "pattern": rf"^[A-Za-z0-9][A-Za-z0-9_-]*{END}",
            "patternErrorMessage": "Letters, digits, - and _, such as sync-frequency-bounds.",
        },
        "title": {"description": "The rule in a few words.", **_TEXT},
        "severity": {
            "title": "Severity",
            "description": "How much a violation matters; --fail-on compares it.",
            "enum": [severity.label for severity in Severity],
        },
        "message": {
            "description": "The message of a violation; {field.path} and {var.name} are filled in.",
            "examples": ["{schema} syncs every {sync_frequency} minutes"],
            **_TEXT,
        },
        "why": {"description": "Why it matters.", **_TEXT},
        "fix": {"description": "What to do about a violation.", **_TEXT},
        "tags": {"description": "Words to choose rules by, with --tag.", **_TEXTS},
        "controls": {
            "description": "Controls of a framework that the rule is evidence for.",
            "type": "object",
            "additionalProperties": _TEXTS,
            "examples": [{"soc2": ["CC6.1"]}],
        },
        "may_be_idle": {
            "description": "true: nothing may be there to judge, and --strict lets it be.",
            "type": "boolean",
        },
        "waivable": {
            "description": "false: no waiver may be for this rule.",
            "type": "boolean",
        },
        "max_waiver": {
            "description": "How far from now a waiver of this rule may end.",
            **_TERM,
        },
    }


def _rules(conditions: ConditionSchemas, *, extra: bool) -> dict[str, Schema]:
    """Return the schema of a rule, and of what only a rule refers to, by name."""
    condition = conditions.condition(extra=extra)
    keys = {key: _ref(f"rule.{key}") for key in _shown_keys()} | {
        "per": {
            "description": "Judge groups of connections: those that share these values.",
            "anyOf": [{"enum": [ACCOUNT]}, _keys(extra), {"const": [ACCOUNT]}],
        },
        "groups": {
            "description": "With per: which groups are judged; the others are skipped.",
            **condition,
        },
        "when": {
            "description": "Which connections the rule is about; the others are skipped.",
            **condition,
        },
        "unless": {
            "description": "With per: no group is judged where any connection meets this.",
            **condition,
        },
        "assert": {"description": "What must hold.", "type": "object"},
        "tests": {
            "description": "Records, and the verdict that each must get.",
            "type": "array",
        },
    }
    record = _ref(_called("given", extra))
    several = {"type": "array", "items": record}
    group = {"properties": {"assert": _grouped(conditions, extra), "tests": _tests(several, extra)}}
    single = {"properties": {"assert": condition, "tests": _tests(record, extra)}}
    snippet = {
        "label": "a rule",
        "description": "A rule with its reason and its tests.",
        "body": {
            "id": "${1:a-short-name}",
            "severity": "${2:medium}",
            "assert": {"${3:pause_after_trial}": "${4:false}"},
            "why": "$5",
            "fix": "$6",
        },
    }
    rule: Schema = {
        "title": "Rule",
        "defaultSnippets": [snippet],
        "type": "object",
        "required": ["id", "severity", "assert"],
        "properties": {key: keys[key] for key in RULE_KEYS},
        "additionalProperties": False,
        "if": {"required": ["per"]},
        "then": group,
        "else": single | {"not": {"anyOf": [{"required": ["unless"]}, {"required": ["groups"]}]}},
    }
    return {
        _called("rule", extra): rule,
        _called("key", extra): _key(extra),
        **_given(extra=extra),
    }


def _grouped(conditions: ConditionSchemas, extra: bool) -> Schema:
    number = conditions.group_number()
    asserted = {
        "unique": {"description": "No two members share these values.", "anyOf": [_keys(extra)]},
        "count": {"description": "How many members there are.", "anyOf": [number]},
        "share": {"description": "Members over all of the group, 0 to 1.", "anyOf": [number]},
    }
    asserted |= {
        name: {"description": row.doc, "anyOf": [_measured(number, extra=extra)]}
        for name, row in AGGREGATES.items()
    }
    return {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "properties": {name: asserted[name] for name in GROUP_ASSERTIONS},
        "additionalProperties": False,
    }


def _measured(number: Schema, *, extra: bool) -> Schema:
    """Return a field that holds a number, and the tests of the aggregate."""
    numbers = {
        path: number | {"description": field.doc}
        for path, field in FIELDS.items()
        if "[]" not in path and field.kind is Kind.INTEGER and field.exposure is Exposure.SHOWN
    }
    others = {_BELOW_OPEN["pattern"]: number}
    known = {"type": "object", "minProperties": 1, "maxProperties": 1, "properties": numbers}
    known |= {"patternProperties": others, "propertyNames": {"not": _THROUGH_ARRAY}}
    if not extra:
        return known | {"additionalProperties": False}
    refused = {"anyOf": [_THROUGH_ARRAY, {"enum": _no_numbers()}]}
    return known | {"additionalProperties": number, "propertyNames": {"not": refused}}


def _no_numbers() -> list[str]:
    return [
        path
        for path, field in FIELDS.items()
        if field.kind not in {Kind.INTEGER, Kind.ANY} or field.exposure is not Exposure.SHOWN
    ]


def _keys(extra: bool) -> Schema:
    key = _ref(_called("key", extra))
    return {"anyOf": [key, {"type": "array", "minItems": 1, "items": key}]}


def _key(extra: bool) -> Schema:
    """Return a path that can name a group: it holds one value, and reports may show it."""
    shown = [
        path
        for path, field in FIELDS.items()
        if "[]" not in path and field.kind not in _MANY and field.exposure is Exposure.SHOWN
    ]
    others = _BELOW_OPEN | {"not": _THROUGH_ARRAY}
    if extra:
        refused = {"anyOf": [_THROUGH_ARRAY, _ref("documented")]}
        others = {"type": "string", "minLength": 1, "not": refused}
    return {"title": "Key", "anyOf": [{"enum": shown}, others]}


# -- the tests beside a rule ----------------------------------------------------------------------


def _tests(given: Schema, extra: bool) -> Schema:
    keys = {
        "given": {"description": "Changes to the healthy record.", "anyOf": [given]},
        "without": {
            "description": "Fields that are left out.",
            "type": "array",
            "items": _ref(_called("path", extra)),
        },
        "expect": {"description": "The verdict.", "enum": list(VERDICTS)},
        "message": {"description": "What the finding must say, word for word.", "type": "string"},
    }
    test = {
        "title": "Test",
        "type": "object",
        "required": ["expect"],
        "properties": {key: keys[key] for key in TEST_KEYS},
        "additionalProperties": False,
        "if": {"required": ["message"]},
        "then": {"properties": {"expect": {"enum": [verdict.label for verdict in TOLD]}}},
    }
    return {"type": "array", "items": test}


def _given(*, extra: bool) -> dict[str, Schema]:
    """Return the records that tests are given, and the paths they leave out, by name."""
    below = _BELOW_OPEN | {"not": _THROUGH_ARRAY}
    if extra:
        anything = {"type": "string", "minLength": 1, "not": _THROUGH_ARRAY}
        return {
            "path.extra": {"anyOf": [_ref("documented"), anything]},
            "given.extra": {"allOf": [_ref("given.fields")], "propertyNames": anything},
        }
    known = {"anyOf": [_ref("documented"), below]}
    inside = {
        path: {"propertyNames": {"enum": list(given_fields(f"{path}."))}}
        for path, field in FIELDS.items()
        if _is_closed(field)
    }
    whole = {"allOf": [_ref("given.fields")], "propertyNames": known, "properties": inside}
    fields = {"type": "object", "properties": given_fields("")}
    return {"path": known, "given": whole, "given.fields": fields}


def given_fields(above: str) -> Schema:
    """Return the fields of the record below ``above``.

    Values may be of any type: a test may ask what a wrong one leads to.
    """
    return {
        path.removeprefix(above): _given_value(field)
        for path, field in FIELDS.items()
        if path.startswith(above) and "[]" not in path
    }


def _given_value(field: Field) -> Schema:
    described: Schema = {"description": field.doc}
    if field.values or field.kind is Kind.BOOLEAN:
        described["examples"] = list(field.values) or [True, False]
    if _is_closed(field):
        described["properties"] = given_fields(f"{field.path}.")
    elif not field.open:
        described["maxProperties"] = 0
    return described


def _is_closed(field: Field) -> bool:
    return field.kind is Kind.OBJECT and not field.open


def _is_secret(field: Field) -> bool:
    return field.exposure is Exposure.SECRET


def _called(name: str, extra: bool) -> str:
    return f"{name}.extra" if extra else name


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}
