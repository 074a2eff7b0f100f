"""Patterns that Python's engine matches: RE2's answers, and no text makes it backtrack."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
import re2

from auditor.policy.language import patterns
from auditor.policy.language.re2_syntax import PatternSyntaxError, parse
from auditor.policy.language.unambiguous import matcher
from tests.builders.patterns import REAL, made_up, texts, written


def taken(pattern: str, *, whole: bool = True) -> bool:
    return matcher(parse(pattern), whole=whole) is not None


@pytest.mark.parametrize(
    "pattern",
    [
        *("", "abc", "[a-z]+", "[a-z]+(_[a-z]+)*", "(dev|test|prod)_.*", "a{2,5}", "(ab){3,}c"),
        *("^abc$", r"\Aabc\z", "x(y|)z", "(a|b)*c", "((a{2,3}b){1,4}c)?d", "(?i)prod_.+", "a??"),
        *("(^){0}a", "é+[^é]", "a{0,99}", "a{100}", "(a{60})*", "(a{60})+"),
        *("(ab?)*c", "(ab){2}a", "(a?b)+", "[d-f]|[a-c]", "[ac]|[bd]"),
    ],
)
def test_what_leaves_one_way_is_taken(pattern: str):
    assert taken(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        *("(a*)*", "(a+)+", "(a|a)*b", "(a|aa)+", "(x+x+)+y", "a*a", "(.*)(.*)", ".*_prod"),
        *("(ab|ac)", "(a?)*", "(a?|b?)", "((a*)|(b*))", "(a{1,2}){2}", "(a{1,2})+", "(a*){3}"),
        *("(a|b*)*", "a?a?a?aaa", "(?:a?){3}", "[a-m]|[m-z]", "(?i)k|\u212a", "a{100}a"),
        *("ab?b", "x(y|)y", "a{101,}", "[m-z]|[a-m]", "[ax]|[xz]", r"[^\x00-\x{10ffff}]"),
        *(r"a\b", "a$b", "a^", "(?m)^a", "(?m)a$"),
    ],
)
def test_what_leaves_two_is_not(pattern: str):
    assert not taken(pattern)


@pytest.mark.parametrize(
    ("pattern", "is_taken"), [("^a+", True), ("^a+$", True), ("a+", False), ("a+$", False)]
)
def test_where_a_part_is_enough_it_has_to_begin_the_text(pattern: str, is_taken: bool):
    assert taken(pattern, whole=False) is is_taken


def test_a_class_takes_its_own_characters_alone():
    match = matcher(parse("[ac-e_]"), whole=True)
    assert match is not None
    taken = {point for point in range(0x250) if match(chr(point))}
    assert taken == set(map(ord, "acde_"))


def differences(seed: int, count: int) -> Iterator[tuple[str, str]]:
    """Yield each made-up pattern on which the two do not agree, with a text that shows it."""
    random, options, asked = Random(seed), re2.Options(), 0
    options.log_errors = False
    for _ in range(count):
        pattern = made_up(random)
        try:
            tree = parse(pattern)
        except PatternSyntaxError:
            continue
        theirs = re2.compile(pattern, options)
        for whole in (True, False):
            match = patterns._by_python(pattern, whole=whole)
            if match is None:
                continue
            assert matcher(tree, whole=whole) is not None
            asked += 1
            said = theirs.fullmatch if whole else theirs.search
            for text in texts(random, 8):
                if match(text) != (said(text) is not None):
                    yield pattern, text
    assert asked > count / 4


def test_it_agrees_with_re2_on_patterns_made_up():
    assert list(differences(1, 3_000)) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 7))
def test_it_agrees_with_re2_on_a_hundred_thousand(seed: int):
    assert list(differences(seed, 20_000)) == []


def test_it_agrees_with_re2_on_every_pattern_of_the_suite():
    random, asked = Random(1), 0
    for pattern in sorted(written()):
        match = patterns._by_python(pattern, whole=True)
        if match is None:
            continue
        asked += 1
        exact = re2.compile(pattern).fullmatch
        for text in [*REAL, *texts(random, 50)]:
            assert match(text) == (exact(text) is not None), (pattern, text)
    assert asked >= 10


def test_no_text_makes_it_go_back():
    """Whatever is taken ends on long texts of its own letters that almost match."""
    random, seen = Random(5), 0
    while seen < 100:
        pattern = made_up(random)
        try:
            match = matcher(parse(pattern), whole=True)
        except PatternSyntaxError:
            continue
        if match is None or not set("*+") & set(pattern):
            continue
        seen += 1
        letters = [char for char in pattern if char.isalnum()] or ["a"]
        match("".join(random.choices(letters, k=20_000)) + "\0")
        match(random.choice(letters) * 20_000 + "\0")


@pytest.mark.parametrize(("text", "fits"), [("\ud800", True), ("\ud83d\ude00", True), ("a", False)])
def test_half_a_character_is_what_re2_takes_it_for(text: str, fits: bool):
    assert patterns.pattern("[\ufffd😀]", whole=True)(text) is fits
    assert patterns.pattern("[^a]", whole=True)(text) is fits
    assert patterns.pattern("[a-z]", whole=True)(text) is not fits
