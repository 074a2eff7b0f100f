"""Regular expressions and globs that match in time linear in their input.

No pattern and no value can hang a run. The syntax is RE2's, which has no backtracking; what it
lacks (look-around, back-references) is refused when the policy loads. Python's own engine takes the
patterns in which it never goes back, at half the price. RE2 takes the others. Where there is no
build of it, an automaton of our own takes its place. Laws in the tests check that both give RE2's
answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import translate
from typing import Any

Matches = Callable[[str], bool]


class PatternError(ValueError):
    """A pattern that the engine cannot read; the message says why."""


def pattern(text: str, *, whole: bool) -> Matches:
    """Return a function that says whether a value matches ``text``, in RE2's syntax.

    With ``whole`` the entire value has to match, otherwise any part of it. Raises PatternError.
    """
    return _by_python(text, whole=whole) or _by_re2(text, whole=whole)


def _by_python(text: str, *, whole: bool) -> Matches | None:
    # For policies with patterns only.
    from auditor.policy.language.re2_syntax import PatternSyntaxError, parse  # noqa: PLC0415
    from auditor.policy.language.unambiguous import matcher  # noqa: PLC0415

    try:
        match = matcher(parse(text), whole=whole)
    except PatternSyntaxError:
        return None  # RE2 says why, or knows better
    if match is None:
        return None
    return lambda value: match(value if value.isascii() else _sound(value)) is not None


def _by_automaton(text: str, *, whole: bool) -> Matches:
    from auditor.policy.language.automaton import Automaton  # noqa: PLC0415
    from auditor.policy.language.re2_syntax import PatternSyntaxError  # noqa: PLC0415

    try:
        matched = Automaton(text, whole=whole).matches
    except PatternSyntaxError as error:
        raise PatternError(str(error)) from error
    return lambda value: matched(_sound(value))


def _by_re2(text: str, *, whole: bool) -> Matches:
    try:
        import re2  # noqa: PLC0415  # for what no other engine takes
    except ImportError:  # no wheel of google-re2 for this system
        return _by_automaton(text, whole=whole)
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
    """Return a function that says whether a whole value matches the glob ``text``.

    ``*`` is any text, ``?`` any character, ``[ab]`` one of these; case counts. The translation
    holds each ``*`` atomic, so that matching never backtracks over what it has passed.
    """
    match = re.compile(translate(text)).match
    return lambda value: match(value) is not None


def _sound(value: str) -> str:
    """Return ``value`` with U+FFFD for each lone surrogate, which UTF-8 cannot encode."""
    if value.isascii():
        return value
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _reason(error: Any) -> str:
    argument = error.args[0] if error.args else "not a regular expression"
    return argument.decode("utf-8", "replace") if isinstance(argument, bytes) else str(argument)
