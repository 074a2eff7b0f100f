"""Examples: the healthy record, the changes to it, and mistakes in writing them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.errors import PolicyError
from auditor.policy.loading.examples import HEALTHY, NOW, laid_over
from tests.builders.examples import FREQUENT, beside
from tests.builders.slow import tries


@pytest.mark.parametrize(
    ("test", "told"),
    [
        ("{given: {sync_frequncy: 5}, expect: fail}", "10:18: no field is called sync_frequncy"),
        ("{given: {status: {setup: x}}, expect: fail}", "10:27: no field is called status.setup"),
        ("{without: [pausd], expect: fail}", "10:20: no field is called pausd"),
        (
            "{given: {setup_tests: [{statsu: FAILED}]}, expect: fail}",
            "10:33: no field of the items of setup_tests is called statsu",
        ),
        ("{given: {paused: true}, expect: failed}", "10:41: a test expects a verdict"),
        ("{given: {paused: true}}", "10:9: a test expects a verdict"),
        ("{given: [{}], expect: fail}", "10:17: given: takes the fields of one record"),
        ("{gven: {}, expect: fail}", "10:10: a test has no key gven (did you mean given?)"),
        ("{expect: pass, message: hm}", "10:33: only a fail or an error has a message"),
        ("{expect: fail, message: 5}", "10:33: message: takes a text"),
        ("{without: paused, expect: fail}", "10:19: without: takes a list of paths"),
        ("fail", "10:9: a test is a mapping"),
    ],
)
def test_what_is_wrong_with_an_example_is_said_with_its_place(folder, test, told):
    with pytest.raises(PolicyError) as caught:
        beside(folder, FREQUENT, test)
    assert f"house.yaml:{told}" in str(caught.value)


paths = st.sampled_from(["paused", "status.setup_state", "status.tasks", "config.host", "config"])


values = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers())


@given(st.dictionaries(paths, values, max_size=4), st.lists(paths, max_size=3))
@settings(max_examples=tries(200), deadline=None)
def test_what_is_given_is_there_and_what_is_left_out_is_not(given_fields, without):
    before = repr(HEALTHY)
    record = laid_over(given_fields, tuple(without))
    assert repr(HEALTHY) == before
    overwritten = {"config.host"} if "config" in given_fields else set()
    for path, value in given_fields.items():
        gone = path in without or any(path.startswith(f"{left}.") for left in without)
        if not gone and path not in overwritten and path != "config":
            assert _at(record, path) == value
    for path in without:
        assert _at(record, path) == "nothing"


def test_objects_are_merged_and_lists_replaced():
    record = laid_over({"status": {"setup_state": "broken"}, "setup_tests": [{"title": "one"}]})
    assert record["status"]["sync_state"] == "scheduled"
    assert record["setup_tests"] == [{"title": "one"}]


def test_the_clock_of_examples_is_fixed():
    assert NOW.isoformat() == "2026-01-15T12:00:00+00:00"


def _at(record: object, path: str) -> object:
    for step in path.split("."):
        if not isinstance(record, dict) or step not in record:
            return "nothing"
        record = record[step]
    return record
