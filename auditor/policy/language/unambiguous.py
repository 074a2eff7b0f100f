"""Patterns that Python's own engine matches in time linear in the text, and faster than RE2's.

That engine goes back and tries another way wherever a match fails. In most patterns that people
write the next character leaves one way only: ``[a-z]+(_[a-z]+)*`` is one. Such a pattern is called
deterministic, and to go back in it fails at once (Brüggemann-Klein and Wood, *One-Unambiguous
Regular Languages*, 1998). Two places of a pattern that begin alike, or two ways from one place to
another, as in ``(a*)*``, are ambiguous, and are RE2's to match.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from auditor.policy.language.re2_syntax import (
    Assertion,
    Chars,
    Choice,
    Node,
    Ranges,
    Repeat,
    Sequence,
)

#: Places of a pattern, each of its repetitions counted: to compare them pair by pair is cheap.
_MOST_PLACES = 100

#: Says whether a text matches; what it returns is true or false, not True or False.
Match = Callable[[str], object]


def matcher(tree: Node, *, whole: bool) -> Match | None:
    """Return what matches ``tree`` by Python's engine, None for a pattern that might go back.

    ``whole`` wants the entire text to match, else any part of it. No text may have a lone
    surrogate, of which RE2 knows nothing.
    """
    items = list(tree.items) if isinstance(tree, Sequence) else [tree]
    begins, ends = whole, whole
    while items and items[0] == Assertion("text-start"):
        begins = bool(items.pop(0))
    while items and items[-1] == Assertion("text-end"):
        ends = bool(items.pop())
    if not begins:  # where it begins is a choice of its own
        return None
    places = _Places()
    try:
        places.of(Sequence(tuple(items)))
    except _AmbiguousError:
        return None
    compiled = re.compile("".join(map(_written, items)), re.DOTALL)
    return compiled.fullmatch if ends else compiled.match


class _AmbiguousError(Exception):
    """A character may have two places in the pattern or none, or a place be reached in two ways."""


class _Part(NamedTuple):
    """A part of a pattern: whether nothing matches it, and the places it begins and ends with."""

    empty: bool
    first: frozenset[int]
    last: frozenset[int]


class _Places:
    """The places of a pattern where a character stands, and which follow which."""

    def __init__(self) -> None:
        self._chars: list[Ranges] = []
        self._following: list[frozenset[int]] = []

    def of(self, node: Node) -> _Part:
        """Add the places of ``node``. Raises _AmbiguousError."""
        match node:
            case Chars(ranges):
                return self._place(ranges)
            case Sequence(items):
                return self._sequence(items)
            case Choice(items):
                return self._choice(items)
            case Repeat(item, least, most):
                return self._repeated(item, least, most)
            case Assertion():
                raise _AmbiguousError

    def _place(self, ranges: Ranges) -> _Part:
        number = len(self._chars)
        if number == _MOST_PLACES or not ranges:
            raise _AmbiguousError
        self._chars.append(ranges)
        self._following.append(frozenset())
        return _Part(False, frozenset({number}), frozenset({number}))

    def _sequence(self, items: tuple[Node, ...]) -> _Part:
        whole = _Part(True, frozenset(), frozenset())
        for item in items:
            whole = self._joined(whole, self.of(item))
        return whole

    def _joined(self, before: _Part, after: _Part) -> _Part:
        self._follow(before.last, after.first)
        return _Part(
            before.empty and after.empty,
            self._disjoint(before.first, after.first) if before.empty else before.first,
            before.last | after.last if after.empty else after.last,
        )

    def _choice(self, items: tuple[Node, ...]) -> _Part:
        parts = [self.of(item) for item in items]
        if sum(part.empty for part in parts) > 1:
            raise _AmbiguousError
        first: frozenset[int] = frozenset()
        for part in parts:
            first = self._disjoint(first, part.first)
        last = frozenset[int]().union(*(part.last for part in parts))
        return _Part(any(part.empty for part in parts), first, last)

    def _repeated(self, item: Node, least: int, most: int | None) -> _Part:
        """Add an item as often as it is repeated: ``a{1,3}`` as ``a(a(a)?)?``, the last ``a*``."""
        parts = (
            [self._repeated_item(item) for _ in range(most or max(least, 1))] if most != 0 else []
        )
        whole = _Part(True, frozenset(), frozenset())
        if most is None:
            self._follow(parts[-1].last, parts[-1].first)
        for number, part in reversed([*enumerate(parts)]):
            whole = self._joined(part, whole)
            if number >= least:
                whole = whole._replace(empty=True)
        return whole

    def _repeated_item(self, item: Node) -> _Part:
        """Add an item that is repeated. Of what matches nothing, no number is the right one."""
        part = self.of(item)
        if part.empty:
            raise _AmbiguousError
        return part

    def _follow(self, places: frozenset[int], first: frozenset[int]) -> None:
        for place in places:
            self._following[place] = self._disjoint(self._following[place], first)

    def _disjoint(self, some: frozenset[int], others: frozenset[int]) -> frozenset[int]:
        """Return places that one may go on to: no two of them take the same character."""
        for one in some:
            for other in others:
                if _touch(self._chars[one], self._chars[other]):
                    raise _AmbiguousError
        return some | others


def _touch(some: Ranges, others: Ranges) -> bool:
    return any(a <= d and c <= b for a, b in some for c, d in others)


# -- as Python writes it --------------------------------------------------------------------------


def _written(node: Node) -> str:
    """Return a part of the tree in the syntax of ``re``, of which nothing is left to its flags."""
    assert not isinstance(node, Assertion)  # such a pattern has been refused
    match node:
        case Chars(ranges):
            return _class(ranges)
        case Sequence(items):
            return f"(?:{''.join(map(_written, items))})"
        case Choice(items):
            return f"(?:{'|'.join(map(_written, items))})"
        case Repeat(_, _, 0):
            return ""
        case Repeat(item, least, most):
            return f"(?:{_written(item)}){{{least},{'' if most is None else most}}}"


def _class(ranges: Ranges) -> str:
    return "[" + "".join(f"{_char(low)}-{_char(high)}" for low, high in ranges) + "]"


def _char(point: int) -> str:
    return f"\\U{point:08x}"
