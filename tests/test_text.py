"""Text for people: safe to show, cut where it is long, with plurals that fit."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.text import (
    broken_commands,
    is_plain,
    listed,
    nearest,
    one_line,
    plural,
    printable,
    shortened,
)


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


IGNORABLE = [
    *(0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFEFF, 0xFFA0),
    *range(0x180B, 0x1810),
    *range(0x200B, 0x2010),
    *range(0x202A, 0x202F),
    *range(0x2060, 0x2070),
    *range(0xFE00, 0xFE10),
    *range(0xFFF0, 0xFFF9),
    *range(0x1BCA0, 0x1BCA4),
    *range(0x1D173, 0x1D17B),
    *range(0xE0000, 0xE1000),
]


COMMANDS = ["##vso[task.complete]", "##VSO[x]", "##teamcity[x]", "##TeamCity[x]", "##[error]x"]


def test_what_is_drawn_as_nothing_is_shown():
    for code in IGNORABLE:
        shown = printable(f"a{chr(code)}b")
        assert re.fullmatch(r"a\\[xuU][0-9a-f]+b", shown), hex(code)
        assert not is_plain(chr(code))


def test_what_is_drawn_stays():
    text = "Größe 東京 e\u0301 नि 👍 ﬁ ½"
    assert printable(text) == text
    assert is_plain(text)


@given(st.text())
def test_what_was_made_printable_is(text: str):
    shown = printable(text)
    assert shown.isprintable()
    assert is_plain(shown)
    assert printable(shown) == shown
    assert is_plain(text) is (shown == text)
    assert not any(unicodedata.category(c) == "Cf" for c in shown)


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_of_a_ci_server_is_left(command: str):
    word = command.partition("[")[0]
    assert printable(f"a {command}") == f"a {word} [{command.partition('[')[2]}"


def broken(text: str, size: int, *, whole_lines: bool = True) -> str:
    pieces = [text[n : n + size] for n in range(0, len(text), size)]
    return "".join(broken_commands(pieces, whole_lines=whole_lines))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_a_command_is_broken_wherever_a_piece_ends(size: int):
    text = "::error::a\n  ::set-env name=x::y\na ::b\n##vso[x] ##[y] ##teamcity[z]\n#\n##\n:\n"
    assert broken(text, size) == (
        ": :error::a\n  : :set-env name=x::y\na ::b\n##vso [x] ## [y] ##teamcity [z]\n#\n##\n:\n"
    )
    assert broken(text, size, whole_lines=False) == (
        "::error::a\n  ::set-env name=x::y\na ::b\n##vso [x] ## [y] ##teamcity [z]\n#\n##\n:\n"
    )


@given(st.text("#:[ \nvsoateamcity", max_size=60), st.integers(1, 9))
def test_pieces_make_no_difference(text: str, size: int):
    whole = broken(text, len(text) + 1)
    assert broken(text, size) == whole
    assert not re.search(r"##(?:vso|teamcity)?\[|(?m:^[^\S\n]*::)", whole)


def test_what_is_cut_says_so():
    assert one_line("a" * 300).endswith("…")
    assert one_line(" " * 790 + "SandboxNotAKey00", 200) == "SandboxNot…"
    assert one_line("a  b\n c") == "a b c"
    assert shortened("abc", 2) == "a…"


def test_two_hashes_alone_are_no_command_and_a_line_of_its_own_is_one_unless_said():
    assert is_plain("a ## b")
    assert "".join(broken_commands(["::error::x"])) == ": :error::x"
