"""The validator of ``json_schema``: duplicates, by JSON's own equality."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from auditor.policy.loading.json_schema import Validator

UNIQUE = {"uniqueItems": True}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.0, 1.0, "", "a"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=4,
)


@pytest.mark.parametrize(
    ("items", "unique"),
    [
        ([1, 1.0], False),
        ([1, True], True),
        ([0, False, None, "", [], {}], True),
        ([{"a": 1, "b": 2}, {"b": 2, "a": 1.0}], False),
        ([{"a": [1]}, {"a": [True]}], True),
        ([[], {}], True),
        ([[1, 2], [2, 1]], True),
        ([], True),
    ],
)
def test_what_is_there_twice(items: list[Any], unique: bool):
    assert Validator(UNIQUE).is_valid(items) is unique
    assert Validator({"uniqueItems": False}).is_valid(items)


@given(st.lists(VALUES, max_size=4))
def test_it_says_what_the_reference_says(items: list[Any]):
    assert Validator(UNIQUE).is_valid(items) is Draft202012Validator(UNIQUE).is_valid(items)


def test_what_is_not_an_array_has_no_items():
    assert Validator(UNIQUE).is_valid("aa")
