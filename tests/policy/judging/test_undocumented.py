"""Values that no documentation names: each is told once, with how many connections have it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.decoding.records import Shape
from auditor.fields import FIELDS
from auditor.policy import Ruleset, load_policies
from auditor.policy.judging.judge import Judge, PlanMode
from auditor.policy.judging.undocumented import Undocumented, watched
from tests.builders.judged import NOW, named, outcome_of, written

RULES = """\
policy: house
rules:
  - id: state
    severity: high
    when: {schedule.days_of_week: {is_empty: false}}
    assert: {status.setup_state: {not_equals: broken}}
  - {id: floor, severity: low, assert: {sync_frequency: {gte: 15}}}
  - {id: tests, severity: low, assert: {setup_tests: {none_items: {status: FAILED}}}}
  - id: state-again
    severity: low
    assert: {any: [{status.setup_state: connected}, {paused: true}]}
  - {id: many, severity: low, per: networking_method, assert: {count: {lte: 2}}}
"""
PATHS = [
    "networking_method",
    "schedule.days_of_week[]",
    "setup_tests[].status",
    "status.setup_state",
    "sync_frequency",
]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Ruleset:
    return load_policies(written(tmp_path_factory.mktemp("house"), RULES))


def _told(rules: Ruleset, records: Sequence[dict[str, Any]], **options: Any) -> list[str]:
    found = outcome_of(rules, records, **options).undocumented
    names = named(*(f"c{n}" for n in range(len(records))))
    return list(found.sentences(names, lambda text: f"<{text}>"))


def test_the_fields_are_those_that_a_rule_reads_and_whose_values_are_documented(
    house: Ruleset,
) -> None:
    found = {each.field.path: each.rules for each in watched(house)}
    assert list(found) == PATHS
    assert found["status.setup_state"] == ("state", "state-again")
    assert found["schedule.days_of_week[]"] == ("state",)
    assert found["networking_method"] == ("many",)
    assert all(FIELDS[path].values for path in found)


def test_what_a_plan_s_own_words_are_is_known(tmp_path: Path) -> None:
    assertion = "{plan.action: {not_equals: delete}}"
    rule = f"policy: p\nrules:\n  - {{id: r, severity: low, assert: {assertion}}}\n"
    assert watched(load_policies(written(tmp_path, rule))) == ()


def test_each_value_is_told_once_with_how_many_have_it_and_the_first(house: Ruleset) -> None:
    records: list[dict[str, Any]] = [
        {"status": {"setup_state": "connected"}, "sync_frequency": 15},
        {"status": {"setup_state": "Broken"}, "sync_frequency": 45},
        {"status": {"setup_state": "Broken"}, "setup_tests": [{"status": "Odd"}] * 2},
        {"setup_tests": [{"status": "FAILED"}, {"status": "Odd"}], "sync_frequency": True},
        {"schedule": {"days_of_week": ["MONDAY", "monday"]}, "networking_method": ""},
        {"status": "Broken", "setup_tests": "Odd", "sync_frequency": "45"},
        {"status": {"setup_state": ["Broken"]}, "setup_tests": ["Odd", None, {}]},
    ]
    said = "that value is not documented, and a rule that only names bad ones lets it pass; "
    both = "state and state-again"
    assert _told(house, records) == [
        f"networking_method is empty on 1 connection, such as s4: {said}many reads it",
        f"schedule.days_of_week[] is <monday> on 1 connection, such as s4: {said}state reads it",
        f"setup_tests[].status is <Odd> on 2 connections, such as s2: {said}tests reads it",
        f"status.setup_state is <Broken> on 2 connections, such as s1: {said}{both} read it",
        f"sync_frequency is <45> on 1 connection, such as s1: {said}floor reads it",
    ]
    assert _told(house, records[:1]) == []


def test_of_many_readers_some_are_named(tmp_path: Path) -> None:
    lines = "".join(
        f"  - {{id: r{n}, severity: low, assert: {{schedule_type: auto, paused: {{exists: true}},"
        f" sync_frequency: {{gte: {n}}}}}}}\n"
        for n in range(1, 6)
    )
    rules = load_policies(written(tmp_path, f"policy: p\nrules:\n{lines}"))
    (said,) = _told(rules, [{"schedule_type": "odd"}])
    assert said.endswith("; r1, r2, r3 and 2 more read it")


def test_some_are_told_and_the_others_counted(house: Ruleset) -> None:
    records = [{"sync_frequency": number} for number in range(10_000, 11_500)]
    told = _told(house, records[:20])
    assert len(told) == 20
    assert all("is not documented" in each for each in told)
    assert _told(house, records[:23])[20:] == ["3 more values are not documented"]
    assert _told(house, records)[20:] == ["at least 980 more values are not documented"]
    # What is known already is counted still.
    assert "on 2 connections" in _told(house, [*records, records[0]])[0]


def test_what_a_plan_hides_is_not_told(house: Ruleset) -> None:
    shape = Shape(*house.reads())
    hidden = {0: frozenset({"status"}), 2: frozenset({"sync_frequency"})}
    judge = Judge(house, shape, NOW, str, PlanMode(hidden=hidden))
    judge.take(shape.array(b"[%b]" % b",".join([b'{"status":{"setup_state":"Odd"}}'] * 3)))
    seen = judge.outcome(lambda _rule: True).undocumented.seen
    assert seen == {(PATHS.index("status.setup_state"), "Odd"): (2, 1, 2)}


@given(
    st.lists(st.sampled_from(["connected", "Odd", "odd", "", "broken", 7]), max_size=12), st.data()
)
def test_parts_come_to_the_same_as_the_whole(
    house: Ruleset, states: list[object], data: st.DataObject
) -> None:
    """Counted plainly, page by page, and joined."""
    records = [{"status": {"setup_state": state}} for state in states]
    number = PATHS.index("status.setup_state")
    known = FIELDS["status.setup_state"].values
    at = {s: [n for n, each in enumerate(states) if each == s] for s in states}
    plain = {
        (number, state): (len(places), places[0], places[-1])
        for state, places in at.items()
        if isinstance(state, str) and state not in known
    }
    cut = data.draw(st.integers(0, len(states)))
    assert outcome_of(house, records, pages=[cut]).undocumented.seen == plain
    first, second = outcome_of(house, records[:cut]), outcome_of(house, records[cut:])
    joined = Undocumented(first.undocumented.watched)
    joined.join(first.undocumented.seen, 0)
    joined.join(second.undocumented.seen, cut)
    assert joined.seen == plain
