"""The JSON Schema of a test file says what the reader says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from auditor.errors import PolicyError
from auditor.policy.loading import nodes
from auditor.policy.loading.documents import pack_names
from auditor.policy.schemas.tests import schema_of_tests
from auditor.policy.testing.files import run_test_file
from auditor.resources import resource_folder

POLICY = """\
policy: house
vars: {floor: 15}
extra_fields: [brand_new]
rules:
  - {id: often, severity: low, assert: {sync_frequency: {gte: {var: floor}}}}
  - {id: new, severity: low, assert: {brand_new: {exists: true}}}
"""


def document(text: str) -> Any:
    root, _ = nodes.parse(text.encode(), "house.test.yaml")
    return nodes.plain_value(root)


@pytest.fixture(name="schema", scope="module")
def _schema() -> Draft202012Validator:
    schema = schema_of_tests()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def read(folder: Path, text: str) -> None:
    """Read ``text`` as a test file. Raises PolicyError."""
    (folder / "house.yaml").write_text(POLICY)
    path = folder / "house.test.yaml"
    path.write_text(text)
    run_test_file(path)


@pytest.mark.parametrize(
    "test",
    [
        "{given: {sync_frequency: 5}, expect: {often: fail}}",
        "{name: a, given: {status.setup_state: broken, brand_new: 1}, expect: {new: pass}}",
        "{given: [{}, {paused: true}], without: [daily_sync_time, brand_new], expect: {new: fail}}",
        "{record: {id: a, sync_frequency: 60}, expect: {often: pass, new: fail}}",
        "{record: [{id: a}, {id: b, anything: 1}], now: 2026-01-31T12:00:00Z, expect: {new: fail}}",
        "{vars: {floor: 5}, expect: {often: pass}}",
        "{expect: {often: pass, new: fail}, message: brand_new is missing}",
    ],
)
def test_the_schema_takes_what_the_reader_does(
    test: str, schema: Draft202012Validator, tmp_path: Path
):
    text = f"policy: house.yaml\ntests:\n  - {test}\n"
    read(tmp_path, text)
    assert not list(schema.iter_errors(document(text)))


@pytest.mark.parametrize(
    "text",
    [
        "tests: []",
        "policy: house.yaml",
        "policy: 7\ntests: [{expect: {often: pass}}]",
        "rules: []\ntests: [{expect: {often: pass}}]",
        "- 7",
        *(
            f"tests: [{test}]"
            for test in (
                "7",
                "{given: {}}",
                "{expect: pass}",
                "{expect: {}}",
                "{expect: {often: passes}}",
                "{name: 7, expect: {often: pass}}",
                '{name: " ", expect: {often: pass}}',
                "{expected: {often: pass}}",
                "{given: 7, expect: {often: pass}}",
                "{without: often, expect: {often: pass}}",
                "{record: 7, expect: {often: pass}}",
                "{record: [], expect: {often: pass}}",
                "{record: {id: a}, given: {}, expect: {often: pass}}",
                "{record: {id: a}, without: [paused], expect: {often: pass}}",
                "{vars: {}, expect: {often: pass}}",
                "{vars: {floor: {a: 1}}, expect: {often: pass}}",
                "{now: [], expect: {often: pass}}",
                "{expect: {often: pass}, message: hm}",
                "{expect: {often: pass, new: skip}, message: hm}",
                "{expect: {often: fail}, message: 7}",
            )
        ),
    ],
)
def test_the_schema_refuses_what_the_reader_does(
    text: str, schema: Draft202012Validator, tmp_path: Path
):
    with pytest.raises(PolicyError):
        read(tmp_path, text)
    assert list(schema.iter_errors(document(text)))


def test_the_packs_tests_are_taken(schema: Draft202012Validator):
    files = list(resource_folder("policies").glob("*.test.yaml"))
    assert len(files) > 2
    assert len(files) <= len(pack_names())
    for file in files:
        assert not list(schema.iter_errors(document(file.read_text(encoding="utf-8"))))
