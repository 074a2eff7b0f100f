"""The policy's schema means the same under draft 7, which some editors still use."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
import yaml

from auditor.acceptance.schema import waivers_schema
from auditor.policy.loading.documents import pack_names
from auditor.policy.schemas.policy import as_text, policy_schema
from auditor.policy.schemas.tests import schema_of_tests
from auditor.resources import resource_folder

#: What says nothing of whether a document fits.
TELLING = {"title", "description", "examples", "default", "$comment", "$schema", "$id", "$defs"}
EDITORS = {"errorMessage", "patternErrorMessage", "defaultSnippets", "markdownDescription"}
#: What draft 7 has, with the meaning of 2020-12.
SHARED = {
    "type", "enum", "const", "properties", "patternProperties", "additionalProperties", "required",
    "propertyNames", "minProperties", "maxProperties", "items", "minItems", "maxItems", "contains",
    "uniqueItems", "pattern", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum",
    "exclusiveMaximum", "multipleOf", "allOf", "anyOf", "oneOf", "not", "if", "then", "else",
    "$ref",
}  # fmt: skip
#: Keywords that hold schemas by names of their own.
NAMED = {"properties", "patternProperties", "$defs"}
FORMS = {"policy": policy_schema, "tests": schema_of_tests, "waivers": waivers_schema}


def schemas(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every schema in ``node``."""
    if isinstance(node, list):
        for item in node:
            yield from schemas(item)
    elif isinstance(node, dict):
        yield node
        for key, held in node.items():
            if key in NAMED:
                for one in held.values():
                    yield from schemas(one)
            elif key in SHARED - {"enum", "const", "required", "type"}:
                yield from schemas(held)


@pytest.fixture(params=sorted(FORMS))
def schema(request: pytest.FixtureRequest) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(as_text(FORMS[request.param]()))
    return made


def test_every_keyword_is_one_of_both_drafts(schema: dict[str, Any]):
    used = {key for node in schemas(schema) for key in node}
    assert used - TELLING - EDITORS <= SHARED


def test_a_reference_has_no_siblings(schema: dict[str, Any]):
    # Draft 7 does not look at what does.
    referring = [node for node in schemas(schema) if "$ref" in node]
    assert referring
    assert [node for node in referring if set(node) - {"$ref"} - TELLING - EDITORS] == []


def test_items_are_one_schema(schema: dict[str, Any]):
    # A list of them is another keyword in 2020-12.
    assert [n for n in schemas(schema) if isinstance(n.get("items"), list)] == []


def _draft_7() -> jsonschema.Draft7Validator:
    made = json.loads(as_text(policy_schema()))
    return jsonschema.Draft7Validator(
        {**made, "$schema": "http://json-schema.org/draft-07/schema#"}
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", pack_names())
def test_a_reader_of_draft_7_takes_a_pack(name: str):
    text = (resource_folder("policies") / f"{name}.yaml").read_text(encoding="utf-8")
    assert _draft_7().is_valid(yaml.safe_load(text))


def test_a_reader_of_draft_7_refuses_what_is_wrong():
    validator = _draft_7()
    rule = {"id": "r", "severity": "low", "assert": {"paused": False}}
    assert validator.is_valid({"policy": "p", "rules": [rule]})
    for wrong in ({"severity": "lo"}, {"assert": {"pausd": False}}, {"sverity": "low"}):
        assert not validator.is_valid({"policy": "p", "rules": [{**rule, **wrong}]}), wrong
