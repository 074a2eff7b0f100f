"""Regular expressions and globs that match in time linear in their input.

The engine is RE2: it has no backtracking, so no pattern and no value can hang a run. What it
lacks (look-around, back-references) is refused when the policy loads.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import translate

import re2

Matches = Callable[[str], bool]


class PatternError(ValueError):
    """The pattern is none that the engine reads; the message says why."""


def pattern(text: str, *, whole: bool) -> Matches:
    """Return the function that says whether a value matches ``text``, RE2's syntax.

    ``whole`` wants the entire value to match, else any part of it. Raises PatternError.
    """
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
        except UnicodeEncodeError:  # a lone surrogate has no UTF-8
            text = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
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


def _reason(error: re2.error) -> str:
    argument = error.args[0] if error.args else "not a regular expression"
    return argument.decode("utf-8", "replace") if isinstance(argument, bytes) else str(argument)
