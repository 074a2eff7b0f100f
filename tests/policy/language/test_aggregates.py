"""What a group's members come to: a sum, a least, a most."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from auditor.policy.language.aggregates import AGGREGATES, Moves

NUMBERS = st.lists(st.integers() | st.floats(-1e300, 1e300), min_size=1)


@given(NUMBERS, st.randoms(use_true_random=False))
def test_the_order_of_the_members_changes_nothing(numbers: list[float], random) -> None:
    mixed = list(numbers)
    random.shuffle(mixed)
    for aggregate in AGGREGATES.values():
        assert aggregate.of(mixed) == aggregate.of(numbers), aggregate.name


@given(NUMBERS, st.integers() | st.floats(-1e300, 1e300))
def test_further_members_move_it_as_its_row_says(numbers: list[float], further: float) -> None:
    for aggregate in AGGREGATES.values():
        before, after = aggregate.of(numbers), aggregate.of([*numbers, further])
        if aggregate.moves is Moves.UP:
            assert after >= before
        elif aggregate.moves is Moves.DOWN:
            assert after <= before


def test_a_sum_of_whole_numbers_is_exact_and_of_none_is_0() -> None:
    total = AGGREGATES["sum"]
    assert total.of([2**60, 1, -(2**60)]) == 1
    assert type(total.of([1, 2])) is int
    assert total.of([0.1] * 10) == 1.0 == math.fsum([0.1] * 10)
    assert total.of_none == 0


def test_what_single_members_hold_is_one_of_them() -> None:
    for aggregate in AGGREGATES.values():
        assert (aggregate.of([3, 1, 2]) in {1, 3}) is aggregate.extreme
        assert (aggregate.of_none is None) is aggregate.extreme
