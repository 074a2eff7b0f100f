"""Matching in time linear in the text, without RE2, for systems that have no build of it.

A tree of ``re2_syntax`` becomes a machine whose states are sets of places in the pattern. Which set
follows which character is computed once and cached, up to a bound; beyond it, at worst, a character
costs as many steps as the pattern is long. Matching never goes back in the text.
"""

from __future__ import annotations

from collections.abc import Callable

from auditor.policy.language.re2_syntax import (
    WORD,
    Assertion,
    Chars,
    Choice,
    Node,
    PatternSyntaxError,
    Ranges,
    Repeat,
    Sequence,
    holds,
    parse,
)

#: A pattern with more places than this is refused. RE2's own bound is some eight times higher.
_MOST_PLACES = 10_000
#: The most places in all cached states of a pattern: some megabytes.
_MOST_KEPT = 200_000

# What can be next to a position: an edge of the text, a line end, a letter, anything else.
_EDGE, _NEWLINE, _LETTER, _OTHER = range(4)
_ENDS = (_EDGE, _NEWLINE)
_HOLDS: dict[str, Callable[[int, int], bool]] = {
    "text-start": lambda before, _: before == _EDGE,
    "text-end": lambda _, after: after == _EDGE,
    "line-start": lambda before, _: before in _ENDS,
    "line-end": lambda _, after: after in _ENDS,
    "word-boundary": lambda before, after: (before == _LETTER) != (after == _LETTER),
    "not-word-boundary": lambda before, after: (before == _LETTER) == (after == _LETTER),
}


class _State(dict[str, "_State"]):
    """A set of places, what comes before it, and where each character leads from it."""

    __slots__ = ("before", "ends", "places")

    def __init__(self, places: frozenset[int], before: int) -> None:
        self.places, self.before = places, before
        self.ends: bool | None = None

    __hash__ = object.__hash__  # type: ignore[assignment]


class Automaton:
    """A pattern, ready to match: the entire text if ``whole``, otherwise any part of it.

    Raises PatternSyntaxError for a pattern that cannot be read or is too large.
    """

    def __init__(self, text: str, *, whole: bool) -> None:
        self._whole = whole
        # A place is a set of characters and the place after it; a spot that has to hold and the
        # place after it; or a choice of places. Place 0 is the end.
        self._chars: dict[int, tuple[Ranges, int]] = {}
        self._spots: dict[int, tuple[Callable[[int, int], bool], int]] = {}
        self._forks: dict[int, tuple[int, ...]] = {}
        self._count = 0
        self._first = self._build(parse(text), 0)
        self._states: dict[tuple[frozenset[int], int], _State] = {}
        self._kept = 0
        self._found = _State(frozenset(), _OTHER)
        self._lost = _State(frozenset(), _OTHER)
        self._start = self._state(frozenset({self._first}), _EDGE)
        # RE2 looks at bytes: within a character no word begins or ends.
        inside = self._reached(_State(frozenset({self._first}), _OTHER), _OTHER)
        self._holds_inside = not whole and 0 in inside

    def matches(self, text: str) -> bool:
        """Whether ``text`` matches."""
        if self._holds_inside and not text.isascii():
            return True
        state, found, lost = self._start, self._found, self._lost
        for char in text:
            try:
                state = state[char]
            except KeyError:
                state = self._move(state, char)
            if state is found:
                return True
            if state is lost:
                return False
        if state.ends is None:
            state.ends = 0 in self._reached(state, _EDGE)
        return state.ends

    # -- building -----------------------------------------------------------------------------

    def _place(self) -> int:
        if self._count >= _MOST_PLACES:
            raise PatternSyntaxError("pattern too large")
        self._count += 1
        return self._count

    def _build(self, node: Node, after: int) -> int:
        """Return the place where ``node`` begins when ``after`` follows it."""
        if isinstance(node, Chars):
            place = self._place()
            self._chars[place] = (node.ranges, after)
            return place
        if isinstance(node, Assertion):
            place = self._place()
            self._spots[place] = (_HOLDS[node.kind], after)
            return place
        if isinstance(node, Sequence):
            for item in reversed(node.items):
                after = self._build(item, after)
            return after
        if isinstance(node, Choice):
            place = self._place()
            self._forks[place] = tuple(self._build(item, after) for item in node.items)
            return place
        return self._repeated(node, after)

    def _repeated(self, node: Repeat, after: int) -> int:
        if node.most is None:
            loop = self._place()
            self._forks[loop] = (self._build(node.item, loop), after)
            after = loop
        else:
            skip = after
            for _ in range(node.most - node.least):
                place = self._place()
                self._forks[place] = (self._build(node.item, after), skip)
                after = place
        for _ in range(node.least):
            after = self._build(node.item, after)
        return after

    # -- moving -------------------------------------------------------------------------------

    def _state(self, places: frozenset[int], before: int) -> _State:
        found = self._states.get((places, before))
        if found is None:
            found = self._states[places, before] = _State(places, before)
        return found

    def _move(self, state: _State, char: str) -> _State:
        """Return where ``char`` leads from ``state``, and cache it."""
        point = ord(char)
        after = _NEWLINE if point == 10 else _LETTER if holds(WORD, point) else _OTHER
        reached = self._reached(state, after)
        if not self._whole and 0 in reached:
            to = self._found
        else:
            chars = self._chars
            places = {
                chars[place][1]
                for place in reached
                if place in chars and holds(chars[place][0], point)
            }
            if not self._whole:
                places.add(self._first)
            to = self._state(frozenset(places), after) if places else self._lost
        self._kept += 1 + len(to.places)
        if self._kept > _MOST_KEPT:
            self._forget()
            return to
        state[char] = to
        return to

    def _forget(self) -> None:
        """Empty the cache; a match in progress goes on with the states that it has."""
        for state in self._states.values():
            state.clear()
        self._states = {(self._start.places, self._start.before): self._start}
        self._kept = 0

    def _reached(self, state: _State, after: int) -> set[int]:
        """Return the places that ``state`` stands for when ``after`` follows."""
        reached: set[int] = set()
        open_ = list(state.places)
        while open_:
            place = open_.pop()
            if place in reached:
                continue
            reached.add(place)
            if place in self._forks:
                open_.extend(self._forks[place])
            elif place in self._spots:
                holds_here, following = self._spots[place]
                if holds_here(state.before, after):
                    open_.append(following)
        return reached
