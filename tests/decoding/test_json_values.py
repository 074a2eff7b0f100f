"""JSON read strictly: what is refused, whether a retry may help, and what is not a value."""

from __future__ import annotations

import math
import sys
from typing import Any

import msgspec
import pytest

from auditor.decoding.json_values import (
    CONCEALED,
    MISSING,
    Astray,
    Opaque,
    UndecodableError,
    Unread,
    kind_of,
    parse,
    utf8,
)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (MISSING, "missing"),
        (None, "null"),
        (False, "a boolean"),
        (0, "a number"),
        (1.5, "a number"),
        ("", "text"),
        ([], "an array"),
        ({}, "an object"),
        (Opaque(), "an object"),
        (CONCEALED, "an object"),
    ],
)
def test_a_value_is_called_by_its_kind(value: object, kind: str):
    assert kind_of(value) == kind


def test_a_credential_shows_nothing_of_itself():
    assert repr(CONCEALED) == str(CONCEALED) == "[redacted]"


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": [1, 2.5, true, null, "\xc3\xa9"]}', {"a": [1, 2.5, True, None, "é"]}),
        (b'"\\ud800"', "\ud800"),
        (b" 1 ", 1),
        (b"-0", 0),
        (b"1e3", 1000.0),
        (str(2**64).encode(), 2**64),
    ],
)
def test_what_is_json_is_its_value(body: bytes, value: Any):
    assert parse(body) == value


@pytest.mark.parametrize(
    "body", [b"1e999", b"-1e999", b"1" + b"0" * 309, b"-" + b"9" * 10_000], ids=lambda b: b[:6]
)
def test_what_no_float_holds_is_told_from_every_number(body: bytes):
    assert parse(body) == math.inf
    assert parse(b"[%b]" % body, out_of_range=-1.0) == [-1.0]


def test_the_largest_number_is_one():
    most = b"1.7976931348623157e308"
    assert parse(most, out_of_range=-1.0) == float(most)
    assert parse(b"1" + b"0" * 308, out_of_range=-1.0) == 10**308


@pytest.mark.parametrize(
    ("body", "said", "transient"),
    [
        (b"", "not JSON: Expecting value at byte 0", True),
        (b'{"a": 1', "not JSON: Expecting ',' delimiter at byte 7", True),
        (b'{"a": "b', "not JSON: Unterminated string starting at byte 6", True),
        ('["é" x]'.encode(), "at byte 6", True),
        (b"<html>", "not JSON", True),
        (b"[NaN]", "NaN is not JSON", False),
        (b"[-Infinity]", "-Infinity is not JSON", False),
        (b"[" * 100_000, "nested too deeply to be read", False),
    ],
    ids=["nothing", "cut", "cut text", "after two bytes", "a page", "NaN", "infinity", "nested"],
)
def test_what_is_not_json_says_where_and_whether_to_ask_again(
    body: bytes, said: str, transient: bool
):
    with pytest.raises(UndecodableError) as caught:
        parse(body)
    assert said in str(caught.value)
    assert caught.value.transient is transient


@pytest.mark.parametrize(
    ("body", "read"), [(b"a", b"a"), (b"\xef\xbb\xbfa", b"a"), ("é".encode(), "é".encode())]
)
def test_utf_8_is_taken_without_its_mark(body: bytes, read: bytes):
    assert utf8(body) == read


@pytest.mark.parametrize(
    ("body", "at"), [(b"ab\xff", 2), ("a".encode("utf-16"), 0), (b"\xed\xa0\x80", 0)]
)
def test_what_is_not_utf_8_says_where(body: bytes, at: int):
    with pytest.raises(UndecodableError, match=f"not UTF-8 at byte {at}") as caught:
        utf8(body)
    assert not caught.value.transient


def test_a_hook_makes_what_it_likes_of_an_object():
    assert parse(b'{"a": {"b": 1, "b": 2}}', hook=len) == 1
    assert parse(b'{"b": 1, "b": 2}', hook=list) == [("b", 1), ("b", 2)]
    assert MISSING is msgspec.UNSET


def test_the_largest_number_that_a_float_holds_is_read():
    largest = int(sys.float_info.max)
    for number in (largest, -largest):
        assert parse(str(number).encode()) == number
    for number in (largest + 1, -largest - 1):
        assert parse(str(number).encode()) == math.inf


def test_what_could_not_be_read_says_why():
    assert kind_of(Unread("why")) == "not read (why)"
    assert kind_of(Astray("x is text")) == "not to be read: x is text, not an object"
