"""Three-valued truth, compared with Kleene's tables one by one, through policies."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from auditor.policy.language.truth import Truth, all_of, any_of, negated
from tests.builders.truths import TESTS, TRUTHS, VERDICT, verdict_on_record

AND = {
    (True, True): True, (True, False): False, (True, None): None,
    (False, True): False, (False, False): False, (False, None): False,
    (None, True): None, (None, False): False, (None, None): None,
}  # fmt: skip
OR = {
    (True, True): True, (True, False): True, (True, None): True,
    (False, True): True, (False, False): False, (False, None): None,
    (None, True): True, (None, False): None, (None, None): None,
}  # fmt: skip
NOT = {True: False, False: True, None: None}


@pytest.mark.parametrize("pair", AND)
def test_all(tmp_path: Path, pair: tuple[Truth, Truth]) -> None:
    a, b = pair
    assert all_of(pair) is AND[pair]
    listed = f"{{all: [{{{TESTS[a]}}}, {{{TESTS[b]}}}]}}"
    assert verdict_on_record(tmp_path, listed) is VERDICT[AND[pair]]


@pytest.mark.parametrize("pair", OR)
def test_any(tmp_path: Path, pair: tuple[Truth, Truth]) -> None:
    a, b = pair
    assert any_of(pair) is OR[pair]
    assert (
        verdict_on_record(tmp_path, f"{{any: [{{{TESTS[a]}}}, {{{TESTS[b]}}}]}}")
        is VERDICT[OR[pair]]
    )


@pytest.mark.parametrize("truth", TRUTHS)
def test_not(tmp_path: Path, truth: Truth) -> None:
    assert negated(truth) is NOT[truth]
    assert verdict_on_record(tmp_path, f"{{not: {{{TESTS[truth]}}}}}") is VERDICT[NOT[truth]]


@pytest.mark.parametrize("triple", list(product(TRUTHS, repeat=3)))
def test_three_parts_are_two_and_one(triple: tuple[Truth, Truth, Truth]) -> None:
    a, b, c = triple
    assert all_of(triple) is AND[AND[a, b], c]
    assert any_of(triple) is OR[OR[a, b], c]
