"""Choosing tests: by an expression over their names, as pytest's ``-k``, or by a line of a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase

from auditor.errors import UsageError
from auditor.model import Position
from auditor.policy.testing.examples_run import ExampleOutcome
from auditor.text import one_line

#: Whether an outcome is chosen.
Choose = Callable[[ExampleOutcome], bool]
_Fits = Callable[[Sequence[str]], bool]
_TOKEN = re.compile(r"\s*(\(|\)|[^\s()]+)")
_WORDS = frozenset({"and", "or", "not"})
_SIGNS = frozenset("()")


def by_expression(text: str) -> Choose:
    """Return a function that chooses tests by their rule, their name and their file.

    A word matches whatever contains it, in any case, or matches it as a glob; ``and``, ``or``,
    ``not`` and brackets combine words. Raises UsageError for what is not an expression.
    """
    tokens = _TOKEN.findall(text)
    if not any(token in _WORDS or token in _SIGNS for token in tokens):
        fits = _word(text)
    else:
        fits = _Expression(text, tokens).read()
    return lambda outcome: fits((outcome.rule.id, outcome.example.name, outcome.position.file))


def by_line(
    outcomes: Iterable[ExampleOutcome], line: int, rules: Iterable[Position] = ()
) -> list[ExampleOutcome]:
    """Return the tests, all of one file, that ``line`` is in: one, or all of a rule.

    ``rules`` are the positions of that file's rules: one without a test has none.
    """
    found = list(outcomes)
    starts: dict[Position, list[ExampleOutcome]] = {position: [] for position in rules}
    for outcome in found:
        begins = outcome.example.begins or outcome.position
        starts.setdefault(begins, []).append(outcome)
        if outcome.rule.position.file == outcome.position.file:
            starts.setdefault(outcome.rule.position, []).append(outcome)
    before = [start for start in starts if start.line <= line]
    return starts[max(before)] if before else []


class _Expression:
    """Reads words with ``and``, ``or``, ``not`` and brackets; ``not`` binds first, ``or`` last."""

    def __init__(self, text: str, tokens: Sequence[str]) -> None:
        self._text = text
        self._tokens = [*tokens, ""]
        self._at = 0

    def read(self) -> _Fits:
        fits = self._disjunction()
        if self._tokens[self._at]:
            raise self._wrong("and, or, or the end")
        return fits

    def _disjunction(self) -> _Fits:
        parts = [self._conjunction()]
        while self._takes("or"):
            parts.append(self._conjunction())
        return lambda names: any(part(names) for part in parts)

    def _conjunction(self) -> _Fits:
        parts = [self._term()]
        while self._takes("and"):
            parts.append(self._term())
        return lambda names: all(part(names) for part in parts)

    def _term(self) -> _Fits:
        if self._takes("not"):
            part = self._term()
            return lambda names: not part(names)
        if self._takes("("):
            inner = self._disjunction()
            if not self._takes(")"):
                raise self._wrong("a closing bracket")
            return inner
        token = self._tokens[self._at]
        if not token or token in _WORDS or token in _SIGNS:
            raise self._wrong("a word, not or an opening bracket")
        self._at += 1
        return _word(token)

    def _takes(self, word: str) -> bool:
        found = self._tokens[self._at] == word
        self._at += found
        return found

    def _wrong(self, wanted: str) -> UsageError:
        token = self._tokens[self._at]
        where = f"at {one_line(token)}" if token else "at its end"
        return UsageError(f"-k {one_line(self._text)}: {where} {wanted} is wanted")


def _word(text: str) -> _Fits:
    low = text.lower()
    return lambda names: any(low in n.lower() or fnmatchcase(n.lower(), low) for n in names)
