"""The schemas that editors check our files by: four, each its own, each a schema."""

from __future__ import annotations

import json

import click
import pytest
from jsonschema import Draft202012Validator

from auditor.cli.config.schemas import SCHEMAS, schema_text
from tests.builders.configured import configurable

#: The words among these that each of them knows.
WORDS = {
    "policy": {"override"},
    "tests": {"tests"},
    "waivers": {"waivers"},
    "config": {"fail_on", "waivers"},
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_each_is_a_schema_of_its_own(name: str):
    context = click.Context(configurable("audit"))
    text = schema_text(name, context)
    schema = json.loads(text)
    Draft202012Validator.check_schema(schema)
    assert schema["properties"].keys() & set.union(*WORDS.values()) == WORDS[name]
    assert text == schema_text(name, context)
