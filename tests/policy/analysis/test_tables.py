"""The tables cover every record: what they call impossible never occurs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from auditor.decoding.records import Shape
from auditor.errors import PolicyError
from auditor.policy.analysis.claims import conditions_of
from auditor.policy.analysis.domains import key_of
from auditor.policy.analysis.tables import Space, possible_truths
from auditor.policy.language.conditions import evaluate, evaluate_test, reach
from auditor.policy.language.conditions import tests_in as each_test_of
from auditor.policy.language.rules import PolicyRule, Ruleset
from auditor.policy.loading.load import load_policies
from tests.builders.judged import NOW, written
from tests.builders.slow import tries
from tests.builders.strategies import conditions, records

_LAW = settings(
    max_examples=tries(60),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def _loaded(folder: Path, *asserted: Any) -> list[PolicyRule]:
    body = [{"id": f"r{n}", "severity": "low", "assert": a} for n, a in enumerate(asserted)]
    try:
        rules = load_policies(written(folder, json.dumps({"policy": "p", "rules": body}))).rules
    except PolicyError:
        assume(False)  # a test that decides nothing does not load
        raise
    return [rule for rule in rules if isinstance(rule, PolicyRule)]


@_LAW
@given(st.lists(conditions(), min_size=1, max_size=3), st.lists(records(), min_size=1, max_size=6))
def test_every_record_is_a_row(tmp_path: Path, asserted: list[Any], texts: list[str]) -> None:
    _is_a_row(_loaded(tmp_path, *asserted), texts)


_STATUSES = ("PASSED", "FAILED", "SKIPPED")
_ON_ITEMS = st.one_of(
    st.fixed_dictionaries({"status": st.lists(st.sampled_from(_STATUSES), min_size=1, max_size=2)}),
    st.fixed_dictionaries({"status": st.fixed_dictionaries({"exists": st.booleans()})}),
    st.fixed_dictionaries({"title": st.sampled_from(("a", "ab"))}),
    st.just({"title": {"starts_with": "a"}}),
    st.just({"not": {"status": "FAILED"}}),
)
_OF_ITEMS = st.builds(
    lambda which, condition: {"setup_tests": {which: condition}},
    st.sampled_from(("any_item", "all_items", "none_items")),
    _ON_ITEMS,
)
_DAYS = st.lists(st.sampled_from(("MONDAY", "TUESDAY", "SUNDAY")), min_size=1, max_size=2)
_OF_DAYS = st.builds(
    lambda which, days: {"schedule.days_of_week": {which: days[0] if which in _ONE else days}},
    st.sampled_from(("contains", "any_item", "contains_any", "contains_all", "subset_of")),
    _DAYS,
)
_ONE = ("contains", "any_item")
_INSIDE = st.builds(
    lambda path, test: {path: test},
    st.sampled_from(("config", "config.a", "config.a.b", "status", "status.tasks")),
    st.one_of(
        st.fixed_dictionaries({"exists": st.booleans()}),
        st.fixed_dictionaries({"is_empty": st.booleans()}),
    ),
)
_ITEM = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from((*_STATUSES, None, 1)),
        "title": st.sampled_from(("a", "ab", "b", None)),
    },
)
_NESTED_RECORD = st.fixed_dictionaries(
    {"id": st.just("c")},
    optional={
        "setup_tests": st.lists(_ITEM | st.just("x"), max_size=3) | st.none(),
        "schedule": st.fixed_dictionaries(
            {"days_of_week": st.lists(st.sampled_from(("MONDAY", "SUNDAY", 1, None)), max_size=3)}
        ),
        "config": st.sampled_from((None, {}, "x", {"a": 1}, {"a": {}}, {"a": {"b": 1}}, {"c": 1})),
        "status": st.sampled_from((None, {}, 5, {"tasks": []}, {"tasks": [{"code": "x"}]})),
    },
)


@given(
    st.lists(_OF_ITEMS | _INSIDE | _OF_DAYS, min_size=2, max_size=4),
    st.lists(_NESTED_RECORD, min_size=1, max_size=6),
)
@_LAW
def test_every_record_is_a_row_where_tests_are_of_one_array_or_of_what_is_inside(
    tmp_path: Path, asserted: list[Any], made: list[dict[str, Any]]
) -> None:
    _is_a_row(_loaded(tmp_path, *asserted), [json.dumps(record) for record in made])


def _is_a_row(rules: list[PolicyRule], texts: list[str]) -> None:
    space = Space(c for rule in rules for c in conditions_of(rule))
    table = space.table(*(rule.assertion for rule in rules))
    assume(table is not None)
    assert table is not None
    items = Shape(*Ruleset(tuple(rules), ()).reads()).array(f"[{','.join(texts)}]".encode())
    for item in items:
        rows = table.every
        for rule in rules:
            for test in each_test_of(rule.assertion):
                truth = evaluate_test(test, lambda path, item=item: reach(item, path), NOW)
                found = table.rows(test)
                rows &= {True: found.yes, False: found.no}.get(
                    truth, table.every & ~(found.yes | found.no)
                )
        assert rows
        for rule in rules:
            truth = evaluate(rule.assertion, lambda path, item=item: reach(item, path), NOW)
            found = table.rows(rule.assertion)
            assert rows & {True: found.yes, False: found.no}.get(
                truth, table.every & ~(found.yes | found.no)
            )


def test_a_test_holds_and_fails_on_rows_of_its_own(tmp_path: Path) -> None:
    (rule,) = _loaded(tmp_path, {"paused": True, "sync_frequency": {"gte": 60}})
    table = Space([rule.assertion]).table(rule.assertion)
    assert table is not None
    for test in each_test_of(rule.assertion):
        rows = table.rows(test)
        assert rows.yes
        assert rows.no
        assert not rows.yes & rows.no
        assert table.every & ~(rows.yes | rows.no)
    both = table.rows(rule.assertion)
    assert both.yes.bit_count() < both.no.bit_count()
    assert table.is_box(both.yes)
    assert not table.is_box(both.no)


def test_projections_are_what_each_path_can_hold(tmp_path: Path) -> None:
    (rule,) = _loaded(tmp_path, {"paused": True, "sync_frequency": {"gte": 60}})
    space = Space([rule.assertion])
    table = space.table(rule.assertion)
    assert table is not None
    held = table.projections(table.rows(rule.assertion).yes)
    for test in each_test_of(rule.assertion):
        domain, split = space.of(test.path, key_of(test))
        assert held[test.path] == split.yes
        assert domain.splits[key_of(test)] is split


@pytest.mark.parametrize(
    ("condition", "truths"),
    [
        ({"paused": True}, {True, False, None}),
        ({"all": [{"paused": True}, {"paused": False}]}, {False, None}),
        ({"any": [{"paused": True}, {"paused": False}]}, {True, None}),
    ],
)
def test_possible_truths(tmp_path: Path, condition: Any, truths: set[Any]) -> None:
    (rule,) = _loaded(tmp_path, condition)
    assert set(possible_truths(rule.assertion)) == truths


def test_choices_are_samples_of_the_rows_asked_for(tmp_path: Path) -> None:
    (rule,) = _loaded(tmp_path, {"sync_frequency": {"gte": 60}})
    table = Space([rule.assertion]).table(rule.assertion)
    assert table is not None
    found = list(table.choices(table.rows(rule.assertion).yes, 5))
    assert found
    assert all(value >= 60 for ((_, value),) in found)
    assert list(table.choices(0, 5)) == []
