"""Classes of values that tests cannot tell apart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from auditor.decoding.json_values import MISSING
from auditor.policy.analysis.domains import Whatever, condition_key, domain, key_of
from auditor.policy.language.conditions import Condition
from auditor.policy.language.conditions import tests_in as each_test_of
from auditor.policy.language.rules import PolicyRule
from auditor.policy.loading.load import load_policies
from tests.builders.judged import written


def _condition(folder: Path, condition: Any) -> Condition:
    body = [{"id": "a", "severity": "low", "assert": condition}]
    (rule,) = load_policies(written(folder, json.dumps({"policy": "p", "rules": body}))).rules
    assert isinstance(rule, PolicyRule)
    return rule.assertion


def _all(_condition: Condition) -> tuple[bool | None, ...]:
    return (True, False, None)


def test_a_value_between_each_two_that_are_named(tmp_path: Path) -> None:
    tests = list(each_test_of(_condition(tmp_path, {"sync_frequency": {"gte": 5, "lt": 60}})))
    found = domain("sync_frequency", tests, _all).samples
    numbers = [n for n in found if type(n) in {int, float} and n != float("inf")]
    assert numbers == [4, 5, 32, 60, 61]
    assert MISSING in found
    assert None in found


def test_a_text_that_nobody_has_written_is_among_them(tmp_path: Path) -> None:
    (test,) = each_test_of(_condition(tmp_path, {"schedule_type": ["auto", "manual"]}))
    found = domain("schedule_type", [test], _all)
    (other,) = (s for s in found.samples if isinstance(s, Whatever) and isinstance(s.like, str))
    split = found.splits[key_of(test)]
    assert split.no == 1 << found.samples.index(other) | 1 << found.samples.index("")
    assert split.yes.bit_count() == 2
    assert not split.open


@pytest.mark.parametrize(
    ("test", "size"),
    [
        ({"schema": {"starts_with": ["a", "ab"]}}, 3),
        ({"schema": {"ends_with": "a"}}, 2),
        ({"schema": {"equals_ignore_case": ["A", "a"]}}, 2),
        ({"schema": {"regex_search": "x"}}, 3),
        ({"schema": {"length": {"gte": 4}}}, 5),
        ({"succeeded_at": {"before": "2026-01-31T00:00:00Z"}}, 8),
        ({"setup_tests": {"any_item": {"status": "FAILED"}}}, 7),
    ],
)
def test_what_a_value_is_asked_is_a_variable_of_its_own(
    tmp_path: Path, test: Any, size: int
) -> None:
    (found,) = each_test_of(_condition(tmp_path, test))
    split = domain(found.path, [found], _all).splits[key_of(found)]
    assert split.open
    assert split.aspect is not None
    assert len(split.aspect.samples) == size


def test_times_of_the_calendar_and_of_the_run_are_apart(tmp_path: Path) -> None:
    condition = {"created_at": {"before": "2026-01-31T00:00:00Z", "older_than": "7d"}}
    tests = list(each_test_of(_condition(tmp_path, condition)))
    splits = domain("created_at", tests, _all).splits
    first, second = (splits[key_of(test)].aspect for test in tests)
    assert first is not None
    assert second is not None
    assert first.name != second.name


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ({"paused": True}, {"paused": {"equals": True}}, True),
        ({"config.a": 1}, {"config.a": True}, False),
        ({"config.a": 1}, {"config.b": 1}, False),
        ({"schema": {"glob": "a*"}}, {"schema": {"glob": "a*"}}, True),
        ({"schema": {"glob": "a*"}}, {"schema": {"glob": ["a*", "b*"]}}, False),
        ({"schema": {"regex_search": "a"}}, {"schema": {"regex_fullmatch": "a"}}, False),
        ({"not": {"paused": True}}, {"not": {"paused": True}}, True),
        ({"any": [{"paused": True}]}, {"all": [{"paused": True}]}, False),
        ({"setup_tests": {"any_item": {"status": "A"}}},) * 2 + (True,),
    ],
)
def test_equal_conditions_have_one_key(tmp_path: Path, one: Any, other: Any, alike: bool) -> None:
    first = condition_key(_condition(tmp_path, one))
    assert (first == condition_key(_condition(tmp_path, other))) is alike
