"""Aggregates: the number made of several, and the bounds within which it can still change."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.policy.language.aggregates import AGGREGATES, Aggregate, Moves
from tests.builders.judged import loaded, one_rule, problems_of

NUMBERS = st.lists(
    st.integers(-(10**6), 10**6) | st.floats(-1e6, 1e6, allow_nan=False), min_size=1, max_size=6
)
ROWS = list(AGGREGATES.values())


def test_the_table_is_what_the_language_says() -> None:
    assert list(AGGREGATES) == ["sum", "min", "max"]
    assert {row.name: row.of([3, 1.5, 2]) for row in ROWS} == {"sum": 6.5, "min": 1.5, "max": 3}


def test_whole_numbers_add_up_exactly_and_others_without_drift() -> None:
    assert AGGREGATES["sum"].of([2**53, 1, 1]) == 2**53 + 2
    assert AGGREGATES["sum"].of([0.1] * 10) == 1
    assert AGGREGATES["sum"].of([1, *[0.1] * 10]) == 2
    with pytest.raises(OverflowError):
        AGGREGATES["sum"].of([1e308, 1e308])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@given(numbers=NUMBERS, data=st.data())
def test_the_order_of_the_members_changes_nothing(
    row: Aggregate, numbers: list[float], data: st.DataObject
) -> None:
    assert row.of(data.draw(st.permutations(numbers))) == row.of(numbers)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@given(numbers=NUMBERS, further=NUMBERS)
def test_further_members_move_it_only_where_the_table_says(
    row: Aggregate, numbers: list[float], further: list[float]
) -> None:
    before, after = row.of(numbers), row.of([*numbers, *further])
    assert row.moves is not Moves.UP or after >= before
    assert row.moves is not Moves.DOWN or after <= before


@pytest.mark.parametrize("row", [row for row in ROWS if row.extreme], ids=lambda row: row.name)
@given(numbers=NUMBERS)
def test_an_extreme_is_held_by_a_member(row: Aggregate, numbers: list[float]) -> None:
    assert row.of(numbers) in numbers


def test_none_add_up_to_nothing_and_have_no_least_or_most() -> None:
    assert {row.name: row.of_none for row in ROWS} == {"sum": 0, "min": None, "max": None}


def test_which_are_held_by_single_members() -> None:
    assert {row.name: row.extreme for row in ROWS} == {"sum": False, "min": True, "max": True}


def test_a_share_is_asked_for_between_none_and_all(tmp_path: Path) -> None:
    for bound in ("0.01", "0.5", "0.99"):
        assert loaded(tmp_path, one_rule(f"per: group_id\nassert: {{share: {{lte: {bound}}}}}"))
    for bound in ("1.5", "-0.5"):
        asked = one_rule(f"per: group_id\nassert: {{share: {{lte: {bound}}}}}")
        (problem,) = problems_of(tmp_path, asked)
        assert "between 0 and 1" in f"{problem.message} {problem.hint}"
