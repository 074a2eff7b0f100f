"""Text for people: safe to show, cut where it is long, counted as one counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.text import listed, nearest, one_line, plural, printable, shortened


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("Zürich 試験", "Zürich 試験"),
        ("\x1b[31m", "\\x1b[31m"),
        ("a\nb\tc", "a\\x0ab\\x09c"),
        ("\u202eevil", "\\u202eevil"),
        ("\u2028", "\\u2028"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("\xff\x85", "ÿ\\x85"),
    ],
)
def test_what_cannot_be_printed_is_an_escape(text: str, shown: str):
    assert printable(text) == shown


@given(st.text(alphabet=st.characters()))
def test_whatever_comes_is_printable_and_what_is_printable_stays(text: str):
    assert printable(text).isprintable()
    assert printable(printable(text)) == printable(text)


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [("abcd", 4, "abcd"), ("abcde", 4, "abc…"), ("", 4, ""), ("ab", 1, "…"), ("a", 1, "a")],
)
def test_a_cut_text_is_as_long_as_the_limit(text: str, limit: int, shown: str):
    assert shortened(text, limit) == shown


def test_two_hundred_characters_are_shown_and_one_more_is_cut():
    assert shortened("x" * 200) == "x" * 200
    assert shortened("x" * 201) == "x" * 199 + "…"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("  a \n b\t\tc  ", "a b c"),
        ("a\x1bb", "a\\x1bb"),
        ("", ""),
        ("x" * 5_000_000, "x" * 199 + "…"),
    ],
    ids=["blanks", "an escape", "nothing", "megabytes"],
)
def test_one_line_is_one_short_line(text: str, shown: str):
    assert one_line(text) == shown


@pytest.mark.parametrize(
    ("words", "said"),
    [([], ""), (["a"], "a"), (["a", "b"], "a or b"), (["a", "b", "c"], "a, b or c")],
)
def test_a_list_is_said_as_people_do(words: list[str], said: str):
    assert listed(words) == said
    assert listed(iter(words), "and") == said.replace(" or ", " and ")


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 rules"), (1, "1 rule"), (2, "2 rules"), (999, "999 rules"), (1200, "1,200 rules")],
)
def test_one_is_one_and_all_else_is_many(count: int, said: str):
    assert plural(count, "rule") == said


def test_a_plural_of_its_own():
    assert plural(1, "policy", "policies") == "1 policy"
    assert plural(2, "policy", "policies") == "2 policies"


def test_the_nearest_word_or_none():
    assert nearest("pasued", ["paused", "schema"]) == "paused"
    assert nearest("zzz", ["paused", "schema"]) == ""
    assert nearest("paused", []) == ""
