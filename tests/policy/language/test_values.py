"""Values in the language: which are numbers, which are equal, which an operator takes."""

from __future__ import annotations

import math
import sys
from datetime import UTC, datetime
from typing import Any

import pytest

from auditor.decoding.gaps import NOT_IN_PLAN
from auditor.decoding.json_values import CONCEALED, MISSING, Astray, Opaque, Unread
from auditor.policy.language.values import (
    Span,
    Takes,
    is_finite,
    is_number,
    is_present,
    is_scalar,
    same,
)

MOST = sys.float_info.max
HUGE = 10**400
#: A value of every type that a record may hold, by its kinds.
VALUES: dict[str, Any] = {
    "nothing": MISSING,
    "null": None,
    "true": True,
    "zero": 0,
    "number": 1.5,
    "largest": MOST,
    "infinite": math.inf,
    "huge": HUGE,
    "text": "x",
    "empty": "",
    "list": [1],
    "object": {"a": 1},
    "credential": CONCEALED,
    "opaque": Opaque(),
}
#: What is in place of a value that nobody knows, not even whether it exists.
UNKNOWN = [NOT_IN_PLAN, Unread("403"), Astray("config is text")]


@pytest.mark.parametrize("name", VALUES)
def test_which_are_numbers_scalars_and_there_at_all(name: str):
    value = VALUES[name]
    number = name in {"zero", "number", "largest"}
    assert is_number(value) is number
    assert is_scalar(value) is (number or name in {"true", "text", "empty"})
    assert is_present(value) is (name not in {"nothing", "null"})


@pytest.mark.parametrize(
    ("takes", "names"),
    [
        (Takes.SCALARS, "true zero number largest text empty"),
        (Takes.NUMBERS, "zero number largest"),
        (Takes.TEXT, "text empty"),
        (Takes.TEXT_OR_ARRAY, "text empty list"),
        (Takes.ARRAY, "list"),
        (Takes.OBJECT, "object"),
        (Takes.SIZED, "text empty list object"),
        (Takes.BOOLEANS, "true"),
        (Takes.ANYTHING, " ".join(VALUES)),
        (Takes.PRESENT, " ".join(n for n in VALUES if n not in {"nothing", "null"})),
        (Takes.MOMENTS, ""),
    ],
)
def test_what_an_operator_can_be_asked_about(takes: Takes, names: str):
    assert {name for name, value in VALUES.items() if takes.admits(value)} == set(names.split())
    assert Takes.MOMENTS.admits(datetime.now(UTC))
    assert not any(takes.admits(value) for value in UNKNOWN)


@pytest.mark.parametrize(
    ("value", "other", "truth"),
    [
        (1, 1.0, True),
        (1, 2, False),
        (0, -0.0, True),
        ("a", "a", True),
        ("a", "A", False),
        (True, True, True),
        (True, False, False),
        # Another type is no answer, and no equality either.
        (True, 1, None),
        (0, False, None),
        ("1", 1, None),
        (1, None, None),
        (None, None, None),
        (MISSING, MISSING, None),
        ([1], [1], None),
        ({}, {}, None),
        (HUGE, HUGE, None),
        (math.inf, math.inf, None),
        (HUGE, 1, None),
        (2**53 + 1, float(2**53), False),
    ],
)
def test_two_scalars_of_one_type_are_the_same_or_not(value: Any, other: Any, truth: bool | None):
    assert same(value, other) is truth
    assert same(other, value) is truth


@pytest.mark.parametrize(
    ("value", "finite"),
    [
        (1, True),
        (HUGE, False),
        ([1, "x", None, True], True),
        ([[{"a": [1, {"b": math.inf}]}]], False),
        ({"a": {"b": -HUGE}}, False),
        ({"1e999": "1e999"}, True),
    ],
    ids=["a number", "a huge one", "a list", "deep", "below zero", "text"],
)
def test_every_number_in_it_is_one_that_a_float_holds(value: Any, finite: bool):
    assert is_finite(value) is finite


def test_the_least_and_the_most_of_all_are_numbers():
    assert is_number(MOST)
    assert is_number(-MOST)
    assert not is_number(-math.inf)


@pytest.mark.parametrize(
    ("least", "most", "held", "not_held"),
    [
        (2, 4, (2, 3, 4), (1.9, 4.1, -3)),
        (3, 3, (3,), (2.9, 3.1)),
        # Over midnight, as times of day go: from ten to six.
        (1320, 360, (1320, 1439, 0, 360), (361, 720, 1319)),
    ],
)
def test_a_span_holds_both_its_ends(
    least: float, most: float, held: tuple[float, ...], not_held: tuple[float, ...]
):
    span = Span(least, most)
    assert span.is_wrapped is (least > most)
    assert [number for number in held if not span(number)] == []
    assert [number for number in not_held if span(number)] == []
