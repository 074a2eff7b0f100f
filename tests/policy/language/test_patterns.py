"""Matching a pattern takes time in proportion to the text."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import re2

from auditor.policy.language.patterns import PatternError, glob, pattern
from tests.builders.judged import checks_of, loaded, one_rule


def test_a_quadratic_pattern_on_a_megabyte_is_no_trouble(tmp_path: Path) -> None:
    for operator, text in (
        ("regex_search", "(a+)+$"),
        ("regex_fullmatch", "(a|aa)+"),
        ("regex_search", "(.*)(.*)(.*)[^a]x"),
        ("glob", "*a*a*a*b"),
    ):
        rules = loaded(tmp_path, one_rule(f"assert: {{schema: {{{operator}: '{text}'}}}}"))
        record = {"id": "c", "schema": "a" * 1_000_000 + "!"}
        assert checks_of(rules.ruleset, [record])["rule"].total == 1


def test_a_lone_surrogate_is_judged_and_is_no_question_mark(tmp_path: Path) -> None:
    rules = loaded(tmp_path, one_rule("assert: {schema: {regex_fullmatch: '[a-z?]+'}}")).ruleset
    assert checks_of(rules, ['{"id":"c","schema":"ab\\ud800"}'])["rule"].verdicts == b"\1"


@pytest.mark.parametrize(
    ("text", "fits", "not_fits"),
    [
        ("*", ["", "a", "a\nb", "/"], []),
        ("sync-*", ["sync-", "sync-a-b"], ["sync", "a-sync-", "SYNC-a"]),
        ("a?c", ["abc", "a/c", "a\nc"], ["ac", "abbc"]),
        ("[ab]x", ["ax", "bx"], ["x", "cx", "abx"]),
        ("[!a]x", ["bx"], ["ax"]),
        ("a.c", ["a.c"], ["abc"]),
        ("a[", ["a["], ["a"]),
        ("", [""], ["a"]),
    ],
)
def test_a_glob_fits_the_whole_text_and_case_counts(text, fits, not_fits):
    matches = glob(text)
    assert [matches(value) for value in [*fits, *not_fits]] == (
        [True] * len(fits) + [False] * len(not_fits)
    )


@pytest.mark.parametrize(
    ("text", "whole", "value", "fits"),
    [
        ("b", False, "abc", True),
        ("b", True, "abc", False),
        ("a.c", True, "abc", True),
        ("a.c", True, "a\nc", False),
        ("^b", False, "a\nb", False),
        ("(?i)B", False, "abc", True),
        ("B", False, "abc", False),
        ("", True, "", True),
        ("", True, "a", False),
        ("^$", False, "", True),
        ("é", False, "café", True),
        ("\ufffd", False, "\ud800", True),
    ],
)
def test_a_pattern_is_found_in_a_text_or_is_all_of_it(text, whole, value, fits):
    assert pattern(text, whole=whole)(value) is fits


@pytest.mark.parametrize("text", ["(", "a{2,1}", "(?=a)", r"(a)\1", "[z-a]", "*", "(?P<n>"])
def test_what_the_engine_does_not_read_says_why(text: str):
    with pytest.raises(PatternError) as caught:
        pattern(text, whole=False)
    assert str(caught.value)


def test_an_automaton_that_grows_too_large_changes_no_answer():
    """The fast way gives up without a word; then the exact one is asked."""
    wide = pattern("(?:a|b)*a(?:a|b){60}", whole=False)
    text = "ab" * 5000
    assert wide(text)
    assert not pattern("(?:a|b)*c(?:a|b){60}", whole=False)(text)


# -- either engine --------------------------------------------------------------------------------


#: One that Python's engine could match in more than one way, and is not asked.
TWO_WAYS = "(a|aa)+b|c"


@pytest.fixture(params=["RE2", "our own"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Which engine matches: RE2, or ours on a system for which RE2 is not built."""
    if request.param != "RE2":
        monkeypatch.setitem(sys.modules, "re2", None)
    return str(request.param)


@pytest.mark.parametrize(
    ("whole", "fits"), [(True, [True, False, False]), (False, [True, True, False])]
)
def test_whichever_engine_matches_the_whole_is_the_whole(
    engine: str, *, whole: bool, fits: list[bool]
) -> None:
    matches = pattern(TWO_WAYS, whole=whole)
    assert [matches(value) for value in ("aab", "aabc", "a")] == fits, engine


def test_whichever_engine_reads_what_it_refuses_is_said_by_it_alone(
    engine: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(PatternError, match=r"missing \)|parenthesis|\) is missing") as caught:
        pattern("(é", whole=False)
    assert "not a regular" not in str(caught.value)
    assert not str(caught.value).startswith("b'")
    assert capfd.readouterr() == ("", ""), engine


class _Spent:
    """A set of patterns that gives up, as one does whose automaton grows too large."""

    def Add(self, _text: str) -> int:  # noqa: N802  # as RE2 calls it
        return 0

    def Compile(self) -> None:  # noqa: N802
        """Compile nothing."""

    def Match(self, _text: bytes) -> list[int]:  # noqa: N802
        return []


@pytest.mark.parametrize(
    ("whole", "fits"), [(True, [True, False, False]), (False, [True, True, False])]
)
def test_where_the_fast_way_gives_up_the_exact_one_decides(
    monkeypatch: pytest.MonkeyPatch, *, whole: bool, fits: list[bool]
) -> None:
    """A set that finds not even what is in every text has said nothing."""
    spent = SimpleNamespace(
        SearchSet=lambda _options: _Spent(), FullMatchSet=lambda _options: _Spent()
    )
    engine = SimpleNamespace(Options=re2.Options, compile=re2.compile, error=re2.error, Set=spent)
    monkeypatch.setitem(sys.modules, "re2", engine)
    matches = pattern(TWO_WAYS, whole=whole)
    assert [matches(value) for value in ("aab", "aabc", "a")] == fits


def test_where_the_fast_way_answers_the_slow_one_is_not_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = SimpleNamespace(
        Options=re2.Options, compile=lambda *_: SimpleNamespace(search=None), error=re2.error,
        Set=re2.Set,
    )  # fmt: skip
    monkeypatch.setitem(sys.modules, "re2", engine)
    matches = pattern(TWO_WAYS, whole=False)
    assert [matches(value) for value in ("aab", "a")] == [True, False]


def test_a_pattern_that_matches_in_one_way_alone_needs_no_engine_but_pythons(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "re2", SimpleNamespace())
    matches = pattern("^a+b", whole=False)
    assert [matches(value) for value in ("aab", "baab")] == [True, False]
