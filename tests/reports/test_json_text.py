"""JSON with one item per line, whatever the text and the batch."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.reports.json_text import json_lines, json_text

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(VALUES)
def test_a_value_is_one_line_that_is_read_back(value: object):
    text = json_text(value)
    assert json.loads(text) == value
    assert "\n" not in text


@given(st.lists(VALUES, max_size=9), st.integers(1, 4))
def test_items_are_a_line_each_however_many_are_written_at_once(items: list[object], size: int):
    text = "".join(json_lines(items, at_once=size))
    assert json.loads(f"[{text}]") == items
    assert text.count("\n") == len(items)


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "é\u2028", "\x00"])
def test_a_lone_surrogate_spoils_no_neighbour(text: str):
    items = ["é", {"a": text}, "z"]
    written = "".join(json_lines(items, at_once=3))
    assert json.loads(f"[{written}]") == items
    assert '"é"' in written


def test_nothing_is_nothing():
    assert list(json_lines([])) == []
