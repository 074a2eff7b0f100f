"""Matching without RE2: the automaton gives RE2's answers, and no pattern can hang it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from random import Random

import pytest
import re2

from auditor.policy.language import patterns
from auditor.policy.language.automaton import Automaton
from auditor.policy.language.re2_syntax import PatternSyntaxError
from tests.builders.patterns import REAL, made_up, texts, written


def by_re2(pattern: str, text: str) -> tuple[bool, bool]:
    options = re2.Options()
    options.log_errors = False
    compiled = re2.compile(pattern, options)
    return compiled.search(text) is not None, compiled.fullmatch(text) is not None


def by_us(pattern: str, text: str) -> tuple[bool, bool]:
    return (
        Automaton(pattern, whole=False).matches(text),
        Automaton(pattern, whole=True).matches(text),
    )


def differences(seed: int, count: int) -> Iterator[tuple[str, str]]:
    """Yield each made-up pattern on which the two do not agree, with a text that shows it."""
    random = Random(seed)
    options = re2.Options()
    options.log_errors = False
    for _ in range(count):
        pattern = made_up(random)
        try:
            theirs = re2.compile(pattern, options)
        except re2.error:
            theirs = None
        try:
            part, whole = Automaton(pattern, whole=False), Automaton(pattern, whole=True)
        except PatternSyntaxError as error:
            if theirs is not None and "google-re2" not in str(error):
                yield pattern, str(error)
            continue
        if theirs is None:
            yield pattern, "RE2 refuses it"
            continue
        for text in texts(random, 8):
            told = (theirs.search(text) is not None, theirs.fullmatch(text) is not None)
            if told != (part.matches(text), whole.matches(text)):
                yield pattern, text


def test_it_agrees_with_re2_on_patterns_made_up():
    assert list(differences(1, 3_000)) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 7))
def test_it_agrees_with_re2_on_a_hundred_thousand(seed: int):
    assert list(differences(seed, 20_000)) == []


def test_it_agrees_with_re2_on_every_pattern_of_the_suite():
    random = Random(1)
    seen = sorted(written())
    assert len(seen) >= 15
    for pattern in seen:
        for text in [*REAL, *texts(random, 50)]:
            try:
                told = by_re2(pattern, text)
            except re2.error:
                with pytest.raises(PatternSyntaxError):
                    by_us(pattern, text)
                break
            assert by_us(pattern, text) == told, (pattern, text)


@pytest.mark.parametrize(
    "pattern",
    [
        *("(?=a)b", "(?<!a)b", r"(a)\1", "(a{1000}){1000}", "((a{10}){10}){11}", "(", "a)", "[a"),
        *("a**", "*a", "a{2}{3}", "a{1001}", "a{3,2}", r"\Z", r"\é", "\\", "[z-a]", "[[:no:]]"),
        *("(?i", "(?-)", "(?P<a b>c)", "(?P<n", r"\x{110000}", r"\x4", r"[\b]", r"[a-\d]"),
    ],
)
def test_what_re2_refuses_is_refused(pattern: str):
    with pytest.raises(re2.error):
        by_re2(pattern, "")
    with pytest.raises(PatternSyntaxError):
        by_us(pattern, "")


@pytest.mark.parametrize(
    "pattern",
    [
        *(
            r"\Q*+",
            r"[]-a]",
            r"[^^]",
            "a{",
            "a{,3}",
            "a{1,01}",
            "()",
            "|",
            "(|a)*",
            "(?:a*)*",
            "^*",
        ),
        *(
            r"(?i)[^k]",
            r"(?i)\W",
            r"(?i)[[:upper:]]",
            r"(?i)\x{212a}",
            "(?i)ß",
            "(?i)\u03c3",
            "(?s).",
        ),
        *("(?m)^b$", "a$", r"a\z", "(?<é>a)", "(?P<n>a)(?P<n>b)", r"a(?i)*", r"\08", r"\0", r"\18"),
    ],
)
def test_what_is_seldom_written_means_the_same(pattern: str):
    texts = [
        "",
        "a",
        "b",
        "K",
        "k",
        "\u212a",
        "s",
        "\u017f",
        "ß",
        "ẞ",
        "Σ",
        "ς",
        "\u03c3",
        "\n",
        "a\n",
        "a\nb",
    ]
    texts += ["*+", "]", "-", "^", "a{", "a{,3}", "ab", "aa", "é", "\0", "\x008", "_", "\x01"]
    try:
        by_re2(pattern, "")
    except re2.error:
        with pytest.raises(PatternSyntaxError):
            by_us(pattern, "")
        return
    for text in texts:
        assert by_us(pattern, text) == by_re2(pattern, text), (pattern, text)


def test_case_is_folded_as_re2_folds_it():
    options = re2.Options()
    options.log_errors = False
    # Letters that have stood in Unicode for long.
    for point in (*range(ord("A"), 0x530), *range(0x1E00, 0x2000), 0x2126, 0x212A, 0x212B):
        letter = chr(point)
        if not letter.isalpha():
            continue
        near = {letter.lower(), letter.upper(), letter.title(), letter.casefold()}
        theirs = re2.compile(f"(?i){letter}", options)
        ours = Automaton(f"(?i){letter}", whole=True)
        for other in (text for text in near if len(text) == 1):
            assert ours.matches(other) == (theirs.fullmatch(other) is not None), (letter, other)


def test_unicode_classes_are_refused_and_say_what_is_missing():
    for pattern in (r"\pL", r"\p{Greek}", r"[\PN]", r"\C"):
        with pytest.raises(PatternSyntaxError, match="google-re2, which is not installed"):
            by_us(pattern, "")


# -- it cannot hang -----------------------------------------------------------------------------


def _moves(pattern: str, text: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return how often a set of places was worked out while ``text`` was matched."""
    made = 0
    plain = Automaton._reached

    def counted(self: Automaton, *arguments: int) -> set[int]:
        nonlocal made
        made += 1
        return plain(self, *arguments)

    automaton = Automaton(pattern, whole=True)
    monkeypatch.setattr(Automaton, "_reached", counted)
    automaton.matches(text)
    monkeypatch.undo()
    return made


@pytest.mark.parametrize(
    "pattern", ["(a*)*b", "(a|a)*b", "(a|aa)+b", "(x+x+)+y", "a?" * 25 + "a" * 25, "(.*)(.*)(.*)b"]
)
def test_what_hangs_others_is_worked_out_once_a_state(
    pattern: str, monkeypatch: pytest.MonkeyPatch
):
    assert _moves(pattern, "a" * 5_000, monkeypatch) < 100


def test_a_pattern_of_many_states_is_bounded_in_memory_and_right():
    automaton = Automaton("(?s)(x|y)*x(x|y){300}", whole=True)
    random = Random(3)
    text = "".join(random.choices("xy", k=3_000))
    assert automaton.matches(text) == (text[-301] == "x")
    assert sum(len(state.places) + 1 for state in automaton._states.values()) < 250_000
    # What was kept before is gone, and the answers are the same.
    assert automaton.matches(text[:-1]) == (text[-302] == "x")


def test_a_pattern_as_large_as_is_allowed_is_matched():
    large = "a{1000}" * 10
    assert Automaton(large, whole=True).matches("a" * 10_000)
    for more in ("a", r"\b", "|a"):
        with pytest.raises(PatternSyntaxError, match="too large"):
            Automaton(large + more, whole=True)


@pytest.mark.parametrize("pattern", ["[a-z]{1000}" * 20, "(" * 500 + "a" + ")" * 500])
def test_a_pattern_that_is_too_large_is_refused(pattern: str):
    with pytest.raises(PatternSyntaxError, match=r"too (large|deeply)"):
        by_us(pattern, "a")


# -- in the product -----------------------------------------------------------------------------


def test_a_rule_s_pattern_is_read_without_re2(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "re2", None)
    matches = patterns.pattern("[a-zé]+$", whole=False)
    assert matches("schemé")
    assert not matches("SchemA")
    assert patterns.pattern(".*b", whole=True)("a\ud800b")
    with pytest.raises(patterns.PatternError, match="invalid perl operator"):
        patterns.pattern("(?=a)", whole=True)
