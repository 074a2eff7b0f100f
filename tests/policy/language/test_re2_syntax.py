"""RE2's syntax, read without RE2: taken and refused as RE2 does, and the trees by hand.

That the automaton made of it matches as RE2 does is held in ``test_automaton.py``.
"""

from __future__ import annotations

import pytest
import re2

from auditor.policy.language.re2_syntax import (
    LAST,
    Assertion,
    Chars,
    Choice,
    PatternSyntaxError,
    Repeat,
    Sequence,
    holds,
    joined,
    negated,
    parse,
)

A, B = Chars(((97, 97),)), Chars(((98, 98),))
EMPTY = Sequence(())


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", EMPTY),
        ("ab", Sequence((A, B))),
        ("a|b", Choice((Sequence((A,)), Sequence((B,))))),
        ("a*", Sequence((Repeat(A, 0, None, counted=False),))),
        ("a{2,3}?", Sequence((Repeat(A, 2, 3, counted=True),))),
        ("a{,3}", Sequence((A, *(Chars(((ord(c), ord(c)),)) for c in "{,3}")))),
        ("(?:a)|", Choice((Sequence((Sequence((A,)),)), EMPTY))),
        ("^$", Sequence((Assertion("text-start"), Assertion("text-end")))),
        ("(?m:^)", Sequence((Sequence((Assertion("line-start"),)),))),
        ("[a-b]", Sequence((Chars(((97, 98),)),))),
        ("[^a]", Sequence((Chars(((0, 96), (98, LAST))),))),
        (r"\Q*\E", Sequence((Chars(((42, 42),)),))),
        (r"\x{61}", Sequence((A,))),
        (r"\141", Sequence((A,))),
    ],
)
def test_a_pattern_is_this_tree(text: str, tree: object):
    assert parse(text) == tree


@pytest.mark.parametrize(
    "text",
    [
        "(", ")", "(?", "(?P<", "(?P<>a)", "(?<a", "*", "a**", "a{1001}", "a{3,2}", "[", "[a",
        "[z-a]", "[[:nope:]]", "\\", r"\8", r"\k", r"\x{110000}", r"\xg1", "(?=a)", "(?<=a)",
        "(?z)", "(?i-)", "(a{500}){3}", "|*", "x{2}{3}",
    ],
)  # fmt: skip
def test_what_re2_refuses_is_refused(text: str):
    options = re2.Options()
    options.log_errors = False
    with pytest.raises(re2.error):
        re2.compile(text, options)
    with pytest.raises(PatternSyntaxError):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "a{", "a{x}", "a{1", "]", "}", "[]a]", "[a-]", "[^]]", "(?i)a", "(?i:a)b", "(?P<n>a)",
        "(?<n>a)", "a??", "()", "a||b", r"\Qab", r"\pN"[:0], "[[:^alpha:]]", r"[\d\W]", "(?s-m:.)",
    ],
)  # fmt: skip
def test_what_re2_takes_is_taken(text: str):
    re2.compile(text)
    parse(text)


@pytest.mark.parametrize("text", [r"\pN", r"\p{Greek}", r"\PL", r"\C"])
def test_what_needs_re2_says_so(text: str):
    with pytest.raises(PatternSyntaxError, match="needs the package google-re2"):
        parse(text)


def test_sets_of_characters():
    assert joined([(5, 7), (1, 2), (3, 3), (6, 9)]) == ((1, 3), (5, 9))
    assert negated(()) == ((0, LAST),)
    assert negated(((0, LAST),)) == ()
    assert negated(negated(((3, 5), (9, 9)))) == ((3, 5), (9, 9))
    ranges = ((3, 5), (9, 9))
    assert [n for n in range(12) if holds(ranges, n)] == [3, 4, 5, 9]
