"""Regular expressions and globs that match in time linear in their input.

The engine is RE2: it has no backtracking, so no pattern and no value can hang a run. What it
lacks (look-around, back-references) is refused when the policy loads. Where there is no build of
it, an automaton of our own takes its place, which a law in the tests holds to RE2's answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import translate

try:
    import re2
except ImportError:  # no wheel of google-re2 for this system
    re2 = None

Matches = Callable[[str], bool]


class PatternError(ValueError):
    """The pattern is none that the engine reads; the message says why."""


def pattern(text: str, *, whole: bool) -> Matches:
    """Return the function that says whether a value matches ``text``, RE2's syntax.

    ``whole`` wants the entire value to match, else any part of it. Raises PatternError.
    """
    return _by_automaton(text, whole=whole) if re2 is None else _by_re2(text, whole=whole)


def _by_automaton(text: str, *, whole: bool) -> Matches:
    # Most systems need neither.
    from auditor.policy.language.automaton import Automaton  # noqa: PLC0415
    from auditor.policy.language.re2_syntax import PatternSyntaxError  # noqa: PLC0415

    try:
        matched = Automaton(text, whole=whole).matches
    except PatternSyntaxError as error:
        raise PatternError(str(error)) from error
    return lambda value: matched(_sound(value))


def _by_re2(text: str, *, whole: bool) -> Matches:
    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(text, options)
        both = (re2.Set.FullMatchSet if whole else re2.Set.SearchSet)(options)
        wanted = both.Add(text)
        both.Add("(?s:.*)")
        both.Compile()
    except re2.error as error:
        raise PatternError(_reason(error)) from error
    matched = both.Match
    exact = compiled.fullmatch if whole else compiled.search

    def matches(value: str) -> bool:
        try:
            text = value.encode()
        except UnicodeEncodeError:
            text = _sound(value).encode()
        # A set is five times faster than the binding's match objects, but gives up silently when
        # its automaton grows too large. Then it does not even find what is in every text.
        found = matched(text)
        return wanted in found if found else exact(text) is not None

    return matches


def glob(text: str) -> Matches:
    """Return the function that says whether a whole value matches the glob ``text``.

    ``*`` is any text, ``?`` any character, ``[ab]`` one of these; case counts. The translation
    holds each ``*`` atomic, so that matching never backtracks over what it has passed.
    """
    match = re.compile(translate(text)).match
    return lambda value: match(value) is not None


def _sound(value: str) -> str:
    """Return ``value`` with U+FFFD for each lone surrogate, which has no UTF-8."""
    if value.isascii():
        return value
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _reason(error: re2.error) -> str:
    argument = error.args[0] if error.args else "not a regular expression"
    return argument.decode("utf-8", "replace") if isinstance(argument, bytes) else str(argument)
