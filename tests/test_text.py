"""Text from elsewhere, made safe to show: nothing unseen, nothing that a log would obey."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.text import broken_commands, is_plain, one_line, printable, shortened

#: Default_Ignorable_Code_Point (DerivedCoreProperties.txt), and the blank of Braille.
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
