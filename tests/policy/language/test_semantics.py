"""What each operator means, asked of the functions themselves: units, bounds, what is no answer.

The cases of every operator through a policy are in ``test_operators.py``.
"""

from __future__ import annotations

import operator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from auditor.clock import UNITS_BY_NAME
from auditor.decoding.json_values import MISSING, Unread
from auditor.model import Verdict
from auditor.policy.language import semantics
from auditor.policy.language.values import Span
from tests.builders.judged import NOW, loaded, one_rule, verdict_of

YES, NO, UNSURE = True, False, None
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("age", "older"),
    [
        (timedelta(days=7), NO),
        (timedelta(days=7, microseconds=1), YES),
        (timedelta(0), NO),
        (timedelta(minutes=-5), NO),
        (timedelta(minutes=-5, microseconds=-1), UNSURE),
        (timedelta(days=-400), UNSURE),
    ],
)
def test_an_age_is_longer_or_not_and_the_future_has_none(age: timedelta, older: bool | None):
    week = timedelta(days=7)
    assert semantics.older_than(NOW - age, week, NOW) is older
    newer = None if older is None else not older
    assert semantics.newer_than(NOW - age, week, NOW) is newer


@pytest.mark.parametrize(
    ("duration", "hours"), [("1d", 24), ("2w", 336), ("90m", 1.5), ("36h", 36), ("3600s", 1)]
)
@pytest.mark.parametrize("name", ["older_than", "newer_than"])
def test_a_duration_of_a_policy_is_as_long_as_it_says(tmp_path, name, duration, hours):
    rules = loaded(tmp_path, one_rule(f"assert: {{succeeded_at: {{{name}: {duration}}}}}")).ruleset
    for minutes, older in ((-1, False), (1, True)):
        moment = NOW - timedelta(hours=hours, minutes=minutes)
        verdict = verdict_of(rules, {"succeeded_at": moment.isoformat()})
        assert verdict is (Verdict.PASS if older == (name == "older_than") else Verdict.FAIL)


@pytest.mark.parametrize("unit", UNITS_BY_NAME)
@pytest.mark.parametrize("times", [1, 3, 0.5])
def test_a_duration_from_a_field_has_the_unit_it_names(tmp_path, unit: str, times: float):
    body = (
        "assert:\n  succeeded_at:\n"
        f"    older_than: {{field: sync_frequency, times: {times}, unit: {unit}}}"
    )
    rules = loaded(tmp_path, one_rule(body)).ruleset
    age = 10 * times * UNITS_BY_NAME[unit]
    for more, verdict in ((-0.1, Verdict.FAIL), (0.1, Verdict.PASS)):
        moment = NOW - age - timedelta(seconds=more)
        record = {"succeeded_at": moment.isoformat(), "sync_frequency": 10}
        assert verdict_of(rules, record) is verdict, (unit, more)


@pytest.mark.parametrize("name", ["before", "after", "older_than", "newer_than"])
def test_times_with_zones_are_compared_as_moments(tmp_path, name: str):
    operand = "7d" if "than" in name else "2026-01-08T12:00:00+00:00"
    rules = loaded(tmp_path, one_rule(f"assert: {{succeeded_at: {{{name}: {operand!r}}}}}")).ruleset
    # An hour later than the bound, as clocks east and west of it show that.
    moments = ("2026-01-08T13:00:00Z", "2026-01-08T18:00:00+05:00", "2026-01-08T04:00:00-09:00")
    expected = Verdict.PASS if name in {"after", "newer_than"} else Verdict.FAIL
    assert [verdict_of(rules, {"succeeded_at": text}) for text in moments] == [expected] * 3


@pytest.mark.parametrize(
    ("truths", "count", "answer"),
    [
        ([YES, YES, NO], 2, YES),
        ([YES, NO, NO], 2, NO),
        ([YES, UNSURE, NO], 2, UNSURE),
        ([YES, YES, UNSURE], 2, UNSURE),
        ([UNSURE, UNSURE, UNSURE], 4, NO),
        ([UNSURE, UNSURE, UNSURE], 2, UNSURE),
        ([], 0, YES),
    ],
)
def test_a_count_of_items_is_sure_where_the_unsure_change_nothing(truths, count, answer):
    exactly = lambda number: number == count  # noqa: E731
    judge = iter(truths).__next__
    operand = (lambda _item: judge(), exactly)
    assert semantics.count_items([0] * len(truths), operand, NOW) is answer


@pytest.mark.parametrize(
    ("settled_by", "comes_to", "truths", "answer"),
    [
        (True, True, [NO, UNSURE, YES], YES),
        (True, True, [NO, UNSURE], UNSURE),
        (True, True, [NO], NO),
        (False, False, [UNSURE, NO], NO),
        (False, False, [YES, UNSURE], UNSURE),
        (False, False, [], YES),
        (True, False, [UNSURE, YES], NO),
        (True, False, [NO, UNSURE], UNSURE),
        (True, False, [], YES),
    ],
)
def test_an_item_that_is_not_known_leaves_open_what_no_other_settles(
    settled_by: bool, comes_to: bool, truths: list[bool | None], answer: bool | None
):
    test = semantics.quantified(semantics.Quantifier(settled_by, comes_to))
    judge = iter(truths).__next__
    assert test([0] * len(truths), (lambda _item: judge(),), NOW) is answer


@pytest.mark.parametrize("settled_by", [True, False])
@pytest.mark.parametrize("comes_to", [True, False])
def test_one_item_makes_the_test_hold_where_it_comes_to_what_is_wanted(
    settled_by: bool, comes_to: bool
):
    by = semantics.Quantifier(settled_by, comes_to)
    test = semantics.quantified(by)
    assert test([0], (lambda _item: by.wants,), NOW) is True
    assert test([0], (lambda _item: not by.wants,), NOW) is False


#: An item of a list that may not belong to it: a row of a fact that could not be placed.
DOUBTFUL = Unread("whose it is")


@pytest.mark.parametrize(
    ("function", "value", "operand", "truth"),
    [
        (semantics.is_in, 1, (1.0, 2), YES),
        (semantics.is_in, "x", (1, "y"), NO),
        (semantics.is_in, "x", (1, 2), UNSURE),
        (semantics.is_not_in, "x", (1, 2), UNSURE),
        (semantics.is_not_in, "x", (1, "y"), YES),
        (semantics.contains, "abc", "b", YES),
        (semantics.contains, "abc", 1, UNSURE),
        (semantics.contains, [1, "a"], "a", YES),
        (semantics.contains, [1], "a", UNSURE),
        (semantics.contains, [], "a", NO),
        (semantics.contains_any, "abc", ("x", "c"), YES),
        (semantics.contains_all, "abc", ("a", "x"), NO),
        (semantics.subset_of, [], ("a",), YES),
        (semantics.subset_of, ["a", "b"], ("a",), NO),
        (semantics.subset_of, ["a", 1], ("a",), UNSURE),
        (semantics.is_empty, "", True, YES),
        (semantics.is_empty, {"a": 1}, False, YES),
        (semantics.is_empty, [DOUBTFUL], True, UNSURE),
        (semantics.is_empty, [DOUBTFUL], False, UNSURE),
        (semantics.is_empty, ["a", DOUBTFUL], True, NO),
        (semantics.is_empty, ["a", DOUBTFUL, DOUBTFUL], False, YES),
        (semantics.length, ["a", DOUBTFUL], (lambda size: size <= 2,), YES),
        (semantics.length, ["a", DOUBTFUL], (lambda size: size >= 3,), NO),
        (semantics.length, ["a", DOUBTFUL], (lambda size: size == 1,), UNSURE),
        (semantics.length, ["a", DOUBTFUL], (lambda size: size == 2,), UNSURE),
        # One more would settle it otherwise, though none and both come to the same.
        (semantics.length, ["a", DOUBTFUL, DOUBTFUL], (lambda size: size != 2,), UNSURE),
        (semantics.exists, None, False, YES),
        (semantics.exists, MISSING, True, NO),
        (semantics.exists, "", True, YES),
        (semantics.not_equals, "1", 1, UNSURE),
        (semantics.not_equals, 1, 2, YES),
        (semantics.between, 15, Span(15, 60), YES),
        (semantics.between, 61, Span(15, 60), NO),
        (semantics.before, NOW, NOW + HOUR, YES),
        (semantics.before, NOW, NOW, NO),
        (semantics.before, NOW, NOW - HOUR, NO),
        (semantics.after, NOW, NOW - HOUR, YES),
        (semantics.after, NOW, NOW, NO),
        (semantics.after, NOW, NOW + HOUR, NO),
        (semantics.on_text(str.startswith), "raw_x", "raw_", YES),
        (semantics.on_text(str.startswith), "raw_x", ("stg_", "raw_"), YES),
        (semantics.on_text(str.startswith), "raw_x", ("stg_", "int_"), NO),
        (semantics.compare(operator.ge), 15, 15, YES),
        (semantics.compare(operator.gt), 15, 15, NO),
        (semantics.compare(operator.lt), 15, "16", UNSURE),
        (semantics.compare(operator.lt), 15, True, UNSURE),
    ],
)
def test_what_holds_what_does_not_and_what_is_no_answer(
    function: Any, value: Any, operand: Any, truth: bool | None
):
    assert function(value, operand, NOW) is truth


@pytest.mark.parametrize(
    "function",
    [
        semantics.is_in, semantics.contains_any, semantics.contains_all, semantics.subset_of,
        semantics.between, semantics.before, semantics.after, semantics.older_than,
        semantics.newer_than, semantics.on_text(str.startswith), semantics.contains,
    ],
)  # fmt: skip
def test_a_missing_operand_is_no_answer(function: Any):
    value: Any = datetime(2026, 1, 1, tzinfo=UTC) if "than" in function.__name__ else []
    assert function(value, MISSING, NOW) is None
