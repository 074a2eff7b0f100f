"""The JSON Schema of a waiver file says what the reader says."""

from __future__ import annotations

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from auditor.acceptance.schema import waivers_schema
from auditor.policy.loading import nodes
from tests.builders.listed import (
    waiver,
    waivers_in,
)
from tests.builders.waiver_mistakes import PROBLEMS

#: What a schema cannot know, or a document no longer shows.
LOADERS = {"twice", "cut", "not YAML", "no such day", "no zone", "out of range"}
LOADERS |= {"everything as a glob", "everything in a list", "while of a variable"}
LOADERS |= {"while of a variable in a list"}


def document(text: str) -> object:
    root, _ = nodes.parse(text.encode(), "waivers.yaml")
    return nodes.plain_value(root)


@pytest.fixture(name="schema", scope="module")
def _schema() -> Draft202012Validator:
    schema = waivers_schema()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.parametrize("case", sorted(PROBLEMS.keys() - LOADERS))
def test_the_schema_refuses_what_the_reader_does(case: str, schema: Draft202012Validator):
    assert list(schema.iter_errors(document(PROBLEMS[case][0])))


@pytest.mark.parametrize(
    "text",
    [
        waiver(),
        waiver(connections="all", **{"while": "{sync_frequency: {lte: 5}, paused: false}"}),
        waiver(connections='{id: [a, "b*"], group: g}', expires="2026-12-31T10:00:00+02:00"),
        waiver(**{"while": "{new: 1}"}) + "extra_fields: [new]\n",
        waiver(**{"while": "{schema: {equals: {field: group_id}}}"}),
        "waivers: []\n",
        "waivers:\n",
    ],
)
def test_the_schema_takes_what_the_reader_does(
    text: str, schema: Draft202012Validator, tmp_path: Path
):
    waivers_in(tmp_path, text)
    assert not list(schema.iter_errors(document(text)))
