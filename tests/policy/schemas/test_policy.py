"""The JSON Schema of a policy says what the loader says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from jsonschema import Draft202012Validator

from auditor.fields import FIELDS
from auditor.model import Severity
from auditor.policy.language.operators import OPERATORS
from auditor.policy.loading import nodes
from auditor.policy.loading.documents import POLICY_KEYS, pack_names
from auditor.policy.loading.resolve import OVERRIDE_KEYS
from auditor.policy.loading.rule_parser import RULE_KEYS
from auditor.policy.schemas.policy import as_text, policy_schema
from auditor.resources import resource_folder
from tests.builders.policy_documents import faulty_policies, policies
from tests.builders.schema_and_loader import (
    RULE,
    SCHEMA,
    VALIDATOR,
    read,
    refused_by_both,
    said,
)
from tests.builders.slow import tries

# The same policies at every run; what a fresh lot of them finds, the slow tests tell.
_FIXED = settings(derandomize=True)

#: What the loader says of things that a schema cannot know: see the module's docstring.
UNKNOWABLE = re.compile(
    r"no condition is called|refers to itself"
    r"|no variable is called|already exists at|no rule to override|no such file"
    r"|no field that a message can show|is unmatched in the message|is cut at the #"
    r"|not a pattern that|matches every text|over 100 years|takes a timestamp, a field"
    r"|not a JSON Schema|is compared with itself|every rule is disabled|sets .* too"
    r"|connections of a group may differ|is hidden in reports|: \S+ is more than "
    r"|nothing reads the variable|holds of none|holds of every one|can never both hold"
    r"|values of unlike types cannot be compared|no documented value of|has no capital letters"
    r"|is not a keyword that decides|is compared letter by letter|no field is called config\.host"
)


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    references = re.findall(r'"\$ref": "#/\$defs/([^"]+)"', json.dumps(SCHEMA))
    assert set(references) == set(SCHEMA["$defs"])


def test_its_text_is_small_and_the_same_every_time() -> None:
    text = as_text(policy_schema())
    assert json.loads(text) == SCHEMA
    assert text == as_text(SCHEMA)
    assert len(text) < 440_000
    assert "://" not in text.replace(SCHEMA["$schema"], "")


@pytest.mark.parametrize("name", pack_names())
def test_every_pack_is_valid(name: str) -> None:
    data = (resource_folder("policies") / f"{name}.yaml").read_bytes()
    root, _ = nodes.parse(data, name)
    assert not list(VALIDATOR.iter_errors(nodes.plain_value(root)))


def test_whatever_the_loader_knows_is_reported() -> None:
    definitions = SCHEMA["$defs"]
    assert tuple(SCHEMA["properties"]) == POLICY_KEYS
    assert tuple(definitions["rule"]["properties"]) == RULE_KEYS
    assert tuple(definitions["override"]["properties"]) == OVERRIDE_KEYS
    assert definitions["rule.severity"]["enum"] == [severity.label for severity in Severity]
    named = definitions["condition.record"]["properties"]
    for path, field in FIELDS.items():
        if "[]" not in path:
            assert named[path]["description"] == field.doc
    told = {schema.get("title"): schema.get("description", "") for schema in definitions.values()}
    for operator in OPERATORS.values():
        assert operator.doc.replace("`", "") in told[operator.name]


def test_every_key_of_the_language_is_described() -> None:
    definitions = SCHEMA["$defs"]
    for name in ("rule", "condition.record", "condition.setup_tests", "test.number", "test.any"):
        schema = definitions[name]
        mapping = next((b for b in schema.get("anyOf", ()) if "properties" in b), schema)
        for key, held in mapping["properties"].items():
            told = definitions[held["$ref"].removeprefix("#/$defs/")] if "$ref" in held else {}
            assert (told | held).get("description"), f"{name}: {key}"


@given(value=policies())
@settings(_FIXED, max_examples=tries(50))
def test_it_accepts_what_loads(value: Any, folder: Path) -> None:
    _accepts(value, folder)


@pytest.mark.slow
@given(value=policies())
@settings(max_examples=200)
def test_it_accepts_whatever_loads(value: Any, folder: Path) -> None:
    _accepts(value, folder)


def _accepts(value: Any, folder: Path) -> None:
    """Assert that a well-formed policy is accepted, whatever it means."""
    problems, refused = said(value, folder)
    assert all(UNKNOWABLE.search(problem) for problem in problems), problems
    assert not refused, refused


@given(value=faulty_policies())
@settings(_FIXED, max_examples=tries(100))
def test_it_refuses_what_does_not_load(value: Any, folder: Path) -> None:
    _refuses(value, folder)


@pytest.mark.slow
@given(value=faulty_policies())
@settings(max_examples=500)
def test_it_refuses_whatever_does_not_load(value: Any, folder: Path) -> None:
    _refuses(value, folder)


def _refuses(value: Any, folder: Path) -> None:
    problems, refused = said(value, folder)
    assume(problems or refused)  # where neither ever objects, hypothesis fails
    if refused:
        assert problems, refused
    elif _is_knowable(value) and any(not UNKNOWABLE.search(problem) for problem in problems):
        pytest.fail(f"only the loader refuses this: {problems}")


def _is_knowable(value: Any) -> bool:
    """Whether no name in a policy stands for something that a schema cannot look up."""
    text = json.dumps(value)
    if re.search(r'_items?".*"field"', text):
        return False
    return not any(word in text for word in ('"var"', '"extra_fields"', '"details"'))


GROUP = "{id: a, severity: low, per: group_id, assert: {count: 1}}"
OVERRIDE = "extends: [baseline]\noverride: {auto-schedule:"
FAULTY_POLICIES = {
    "nothing": "",
    "no rule": "rules: []",
    "rules that are none": "rules:",
    "a key that is none": f"rule: [{RULE}]",
    "a title of nothing": f'title: ""\nrules: [{RULE}]',
    "a description in a list": f"description: [x]\nrules: [{RULE}]",
    "a pack that is none": "extends: [baselin]",
    "a pack in no list": "extends: baseline",
    "an override that is empty": f"{OVERRIDE} {{}}}}",
    "an override of a condition": f"{OVERRIDE} {{when: {{paused: true}}}}}}",
    "an override in words": f"{OVERRIDE} {{enabled: maybe}}}}",
    "a variable of nothing": f"vars: {{x: }}\nrules: [{RULE}]",
    "a variable that is a mapping": f"vars: {{x: {{gte: 1}}}}\nrules: [{RULE}]",
    "a secret revealed": f"reveal: [connect_card.token]\nrules: [{RULE}]",
    "a field revealed that is none": f"reveal: [nothing]\nrules: [{RULE}]",
}
#: What is laid over a sound rule; null takes a key away.
FAULTY_KEYS = {
    "no id": "{id: null}",
    "no severity": "{severity: null}",
    "no assert": "{assert: null}",
    "an id with a space": "{id: a b}",
    "an id that is a number": "{id: 5}",
    "a severity of another case": "{severity: Low}",
    "a key that is none": "{name: x}",
    "a tag that is a number": "{tags: [5]}",
    "controls in a list": "{controls: [x]}",
    "a message that is empty": '{message: " "}',
    "a message in braces": "{message: {schema}}",
    "a why of nothing": '{why: ""}',
    "a when that is a list": "{when: [x]}",
    "per nothing": "{per: [], assert: {count: 1}}",
    "per an object": "{per: status, assert: {count: 1}}",
    "per a secret": "{per: connect_card.token, assert: {count: 1}}",
    "per account and more": "{per: [account, id], assert: {count: 1}}",
    "per with a condition": "{per: id}",
    "unique nothing": "{per: id, assert: {unique: []}}",
    "unique in an array": "{per: id, assert: {unique: setup_tests}}",
    "two of a group's words": "{per: id, assert: {count: 1, share: 1}}",
    "a count that exists": "{per: id, assert: {count: {exists: true}}}",
}
FAULTY_TESTS = {
    "no verdict": "{given: {paused: true}}",
    "a verdict that is none": "{expect: maybe}",
    "a key that is none": "{expect: pass, when: {paused: true}}",
    "a field that is none": "{given: {pausd: true}, expect: fail}",
    "a field inside that is none": "{given: {status: {state: x}}, expect: fail}",
    "a field of an item": '{given: {"setup_tests[].status": x}, expect: fail}',
    "a field of a text": "{given: {schema: {x: 1}}, expect: fail}",
    "a list of records": "{given: [{paused: true}], expect: fail}",
    "left out in no list": "{without: paused, expect: error}",
    "left out, a field that is none": "{without: [pausd], expect: error}",
    "a message of a pass": "{expect: pass, message: fine}",
}


@pytest.mark.parametrize("text", FAULTY_POLICIES.values(), ids=FAULTY_POLICIES)
def test_neither_takes_a_faulty_policy(text: str, folder: Path) -> None:
    refused_by_both(read(f"policy: x\n{text}"), folder)


@pytest.mark.parametrize("text", FAULTY_KEYS.values(), ids=FAULTY_KEYS)
def test_neither_takes_a_faulty_rule(text: str, folder: Path) -> None:
    rule = {key: held for key, held in (read(RULE) | read(text)).items() if held is not None}
    refused_by_both({"policy": "x", "rules": [rule]}, folder)


@pytest.mark.parametrize("text", FAULTY_TESTS.values(), ids=FAULTY_TESTS)
def test_neither_takes_a_faulty_test(text: str, folder: Path) -> None:
    rule = read(RULE) | {"tests": [read(text)]}
    refused_by_both({"policy": "x", "rules": [rule]}, folder)


def test_a_group_takes_a_list_of_records(folder: Path) -> None:
    test = {"given": {"paused": True}, "expect": "pass"}
    refused_by_both({"policy": "x", "rules": [read(GROUP) | {"tests": [test]}]}, folder)
    listed = test | {"given": [{"paused": True}]}
    both = said({"policy": "x", "rules": [read(GROUP) | {"tests": [listed]}]}, folder)
    assert both == ([], [])


# -- the command ----------------------------------------------------------------------------
