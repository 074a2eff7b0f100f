"""What the sandbox's API says: pages, cursors that lead on, and what it refuses."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.sandbox.answers import (
    InvalidInputError,
    cursor_to,
    error,
    limit_of,
    skip_of,
    success,
    written_page,
)


@given(st.integers(1, 9_999_999_999))
def test_a_cursor_leads_to_where_it_was_made_for(skip: int):
    cursor = cursor_to(skip)
    assert skip_of(cursor) == skip
    assert "=" not in cursor
    assert cursor.isascii()


@pytest.mark.parametrize(
    "cursor", ["", "x", "eyJza2lwIjowfQ", "eyJza2lwIjotMX0", "é", "eyJza2lwIjoxfQ==x", "bnVsbA"]
)
def test_any_other_cursor_is_refused(cursor: str):
    with pytest.raises(InvalidInputError, match="Invalid cursor"):
        skip_of(cursor)


def test_without_a_cursor_or_a_limit_it_begins_with_a_hundred():
    assert (skip_of(None), limit_of(None)) == (0, 100)


@pytest.mark.parametrize(("text", "limit"), [("1", 1), ("1000", 1000), ("0999", 999)])
def test_a_limit_is_one_to_a_thousand(text: str, limit: int):
    assert limit_of(text) == limit


@pytest.mark.parametrize("text", ["0", "1001", "-1", "1.5", "", "many", "00001", "\u0661"])
def test_any_other_limit_is_refused(text: str):
    with pytest.raises(InvalidInputError, match="from 1 to 1000"):
        limit_of(text)


def test_a_page_holds_its_items_and_a_cursor_unless_it_is_the_last():
    items = [b'{"id":"a"}', b'{"id":"b"}']
    page = json.loads(written_page(items, 2).body)
    assert page["code"] == "Success"
    assert page["data"]["items"] == [{"id": "a"}, {"id": "b"}]
    assert skip_of(page["data"]["next_cursor"]) == 2
    assert json.loads(written_page([], None).body)["data"] == {"items": []}


def test_a_success_and_an_error_are_shaped_as_the_api_writes_them():
    assert json.loads(success(b"[1]").body).keys() == {"code", "message", "data"}
    refused = error(404, "NotFound", 'a "quoted" message', ("Retry-After", "2"))
    assert (refused.status, refused.headers) == (404, (("Retry-After", "2"),))
    assert json.loads(refused.body) == {"code": "NotFound", "message": 'a "quoted" message'}
