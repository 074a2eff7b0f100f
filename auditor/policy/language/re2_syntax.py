r"""RE2's syntax, read without RE2: from a pattern's text to a tree.

It is what https://github.com/google/re2/wiki/Syntax describes for patterns in UTF-8, as RE2 reads
them by default, but for two things that are refused: ``\p{…}``, which would need RE2's edition of
Unicode, and ``\C``, half a character. Whether a repetition is greedy, and what a group captures,
says nothing about whether a text matches, and is forgotten.
"""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple, TypeAlias
from unicodedata import category

LAST = sys.maxunicode
_MOST_REPEATS = 1000
#: How deeply groups may be nested; RE2 allows more, but nobody writes that.
_DEEPEST = 100

Ranges: TypeAlias = tuple[tuple[int, int], ...]


class PatternSyntaxError(ValueError):
    """The pattern cannot be read; the message says why."""


class Chars(NamedTuple):
    """One character out of ``ranges``: sorted, disjoint pairs of code points, both included."""

    ranges: Ranges


class Assertion(NamedTuple):
    """A spot between characters: ``text-start``, ``text-end``, ``line-start``, ``line-end``,
    ``word-boundary``, ``not-word-boundary``."""  # noqa: D205, D209  # a list of names

    kind: str


class Sequence(NamedTuple):
    """One after another; empty, it is the empty text."""

    items: tuple[Node, ...]


class Choice(NamedTuple):
    """Any one of them."""

    items: tuple[Node, ...]


class Repeat(NamedTuple):
    """Repeated; ``most`` is None if there is no limit. ``counted`` if written with braces."""

    item: Node
    least: int
    most: int | None
    counted: bool


Node: TypeAlias = Chars | Assertion | Sequence | Choice | Repeat


# -- sets of characters ---------------------------------------------------------------------------


def joined(pairs: Iterable[tuple[int, int]]) -> Ranges:
    """Return ``pairs`` sorted, with adjacent ones merged."""
    made: list[tuple[int, int]] = []
    for low, high in sorted(pairs):
        if made and low <= made[-1][1] + 1:
            made[-1] = (made[-1][0], max(made[-1][1], high))
        else:
            made.append((low, high))
    return tuple(made)


def negated(ranges: Ranges) -> Ranges:
    """Return all code points outside of ``ranges``."""
    made, start = [], 0
    for low, high in ranges:
        if start < low:
            made.append((start, low - 1))
        start = high + 1
    if start <= LAST:
        made.append((start, LAST))
    return tuple(made)


def holds(ranges: Ranges, point: int) -> bool:
    """Whether a code point is in ``ranges``."""
    at = bisect_right(ranges, (point, LAST))
    return at > 0 and point <= ranges[at - 1][1]


@lru_cache(maxsize=1)
def _families() -> dict[int, tuple[int, ...]]:
    """Return, for each letter, those equal to it but for case: Unicode's simple folding."""
    by_key: dict[str, list[str]] = {}
    for letter in map(chr, range(0x1E944)):  # no letter beyond has another case
        key = letter.casefold()
        if key == letter:
            continue
        # Where folding makes several letters of one, its small form stands for it.
        if len(key) != 1:
            key = letter.lower()
        if len(key) == 1:
            by_key.setdefault(key, []).append(letter)
    families = (
        tuple(sorted({*map(ord, letters), *map(ord, key if key.casefold() == key else "")}))
        for key, letters in by_key.items()
    )
    return {point: family for family in families if len(family) > 1 for point in family}


def _folded(ranges: Ranges) -> Ranges:
    more = [
        (other, other)
        for point, family in _families().items()
        if holds(ranges, point)
        for other in family
    ]
    return joined([*ranges, *more])


def _points(text: str) -> Ranges:
    return joined((ord(char), ord(char)) for char in text)


_DIGIT: Ranges = ((48, 57),)
_UPPER: Ranges = ((65, 90),)
_LOWER: Ranges = ((97, 122),)
_ALPHA = _UPPER + _LOWER
WORD = joined([*_DIGIT, *_ALPHA, *_points("_")])
_PERL = {"d": _DIGIT, "s": _points("\t\n\f\r "), "w": WORD}
_POSIX = {
    "alnum": joined([*_DIGIT, *_ALPHA]),
    "alpha": _ALPHA,
    "ascii": ((0, 127),),
    "blank": _points("\t "),
    "cntrl": ((0, 31), (127, 127)),
    "digit": _DIGIT,
    "graph": ((33, 126),),
    "lower": _LOWER,
    "print": ((32, 126),),
    "punct": ((33, 47), (58, 64), (91, 96), (123, 126)),
    "space": _points("\t\n\v\f\r "),
    "upper": _UPPER,
    "word": WORD,
    "xdigit": ((48, 57), (65, 70), (97, 102)),
}
_NEWLINE = ((10, 10),)
_ESCAPES = {"n": 10, "r": 13, "t": 9, "a": 7, "f": 12, "v": 11}
_HEX = "0123456789abcdefABCDEF"
#: What a group's name is made of, as categories of Unicode.
_NAMED = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nl", "Mn", "Mc", "Nd", "Pc"})


# -- reading --------------------------------------------------------------------------------------


class _Flags(NamedTuple):
    fold: bool = False
    lines: bool = False
    dot_all: bool = False


class _OpenGroup:
    """A group that is still open: its alternatives, its current sequence, its flags."""

    __slots__ = ("choices", "flags", "items")

    def __init__(self, flags: _Flags) -> None:
        self.choices: list[Node] = []
        self.items: list[Node] = []
        #: The flags outside, which apply again after it.
        self.flags = flags

    def whole(self) -> Node:
        last = Sequence(tuple(self.items))
        return Choice((*self.choices, last)) if self.choices else last


def parse(text: str) -> Node:
    """Return the tree of the pattern ``text``. Raises PatternSyntaxError."""
    return _Parser(text).read()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._flags = _Flags()
        self._groups = [_OpenGroup(self._flags)]

    def read(self) -> Node:
        """Return the tree of the whole text."""
        repeated = ""  # the operator that stands right before
        while self._at < len(self._text):
            start, char = self._at, self._text[self._at]
            operator = self._repetition(char)
            if operator is not None:
                if repeated:
                    wrong = repeated + self._text[start : self._at]
                    raise PatternSyntaxError(f"bad repetition operator: {wrong}")
                repeated = self._text[start : self._at]
                self._repeat(*operator, repeated)
                continue
            repeated = ""
            self._read_token(char)
        if len(self._groups) > 1:
            raise PatternSyntaxError("missing ): " + self._text)
        return self._groups[0].whole()

    def _read_token(self, char: str) -> None:
        """Read anything but a repetition or the end."""
        if char == "(":
            self._open()
        elif char == ")":
            self._close()
        elif char == "|":
            self._at += 1
            group = self._groups[-1]
            group.choices.append(Sequence(tuple(group.items)))
            group.items = []
        elif char == "[":
            self._push(self._class())
        elif char == "\\":
            self._escape()
        else:
            self._at += 1
            if char == "^":
                self._push(Assertion("line-start" if self._flags.lines else "text-start"))
            elif char == "$":
                self._push(Assertion("line-end" if self._flags.lines else "text-end"))
            elif char == ".":
                self._push(Chars(((0, LAST),) if self._flags.dot_all else negated(_NEWLINE)))
            else:
                self._literal(ord(char))

    # groups

    def _open(self) -> None:
        if len(self._groups) > _DEEPEST:
            raise PatternSyntaxError("groups are nested too deeply")
        outside = self._flags
        if not self._text.startswith("(?", self._at):
            self._at += 1
        elif self._text.startswith("(?P<", self._at):
            self._named(3)
        elif self._is_named():
            self._named(2)
        elif not self._set_flags():
            return
        self._groups.append(_OpenGroup(outside))

    def _is_named(self) -> bool:
        looks_back = self._text.startswith(("(?<=", "(?<!"), self._at)
        return self._text.startswith("(?<", self._at) and not looks_back

    def _named(self, skipped: int) -> None:
        start = self._at
        self._at += skipped + 1
        end = self._text.find(">", self._at)
        if end < 0:
            raise PatternSyntaxError("invalid named capture group: " + self._text[start:])
        name = self._text[self._at : end]
        if not name or not all(category(char) in _NAMED for char in name):
            raise PatternSyntaxError("invalid named capture group: " + self._text[start : end + 1])
        self._at = end + 1

    def _set_flags(self) -> bool:
        """Read ``(?flags)`` or ``(?flags:``; return whether a group begins."""
        start = self._at
        self._at += 2
        known = {"i": "fold", "m": "lines", "s": "dot_all"}
        value, seen, flags = True, False, self._flags
        while self._at < len(self._text):
            char = self._text[self._at]
            self._at += 1
            if char in known:
                flags = flags._replace(**{known[char]: value})
                seen = True
            elif char == "U":
                seen = True
            elif char == "-" and value:
                value, seen = False, False
            elif char in ":)" and (value or seen):
                self._flags = flags
                return char == ":"
            else:
                raise PatternSyntaxError("invalid perl operator: " + self._text[start : self._at])
        raise PatternSyntaxError("missing ): " + self._text)

    def _close(self) -> None:
        if len(self._groups) == 1:
            raise PatternSyntaxError("unexpected ): " + self._text)
        self._at += 1
        closed = self._groups.pop()
        self._flags = closed.flags
        self._push(closed.whole())

    def _push(self, node: Node) -> None:
        self._groups[-1].items.append(node)

    def _literal(self, point: int) -> None:
        ranges: Ranges = ((point, point),)
        self._push(Chars(_folded(ranges) if self._flags.fold else ranges))

    # repetitions

    def _repetition(self, char: str) -> tuple[int, int | None, bool] | None:
        """Read a repetition, if there is one: at least, at most, whether it is counted."""
        if char in "*+?":
            self._at += 1
            found: tuple[int, int | None, bool] = (
                int(char == "+"),
                1 if char == "?" else None,
                False,
            )
        elif char == "{" and (counts := self._counts()) is not None:
            found = (*counts, True)
        else:
            return None
        if self._text.startswith("?", self._at):  # not greedy
            self._at += 1
        return found

    def _counts(self) -> tuple[int, int | None] | None:
        """Read ``{n}``, ``{n,}`` or ``{n,m}``; anything else is text."""
        end = self._text.find("}", self._at)
        least, comma, most = self._text[self._at + 1 : max(end, 0)].partition(",")
        if end < 0 or not _is_count(least) or (most and not _is_count(most)):
            return None
        self._at = end + 1
        if not comma:
            return int(least), int(least)
        return int(least), int(most) if most else None

    def _repeat(self, least: int, most: int | None, counted: bool, operator: str) -> None:
        items = self._groups[-1].items
        if not items:
            raise PatternSyntaxError("no argument for repetition operator: " + operator)
        too_many = least > _MOST_REPEATS or (most is not None and most > _MOST_REPEATS)
        if too_many or (most is not None and most < least):
            raise PatternSyntaxError("invalid repetition size: " + operator)
        node = Repeat(items.pop(), least, most, counted)
        if (
            counted
            and (least >= 2 or (most or 0) >= 2)
            and not _repeats_at_most(node, _MOST_REPEATS)
        ):
            raise PatternSyntaxError("invalid repetition size: " + operator)
        items.append(node)

    # escapes and classes

    def _escape(self) -> None:
        following = self._text[self._at + 1 : self._at + 2]
        if following == "Q":
            end = self._text.find("\\E", self._at + 2)
            stop = len(self._text) if end < 0 else end
            for char in self._text[self._at + 2 : stop]:
                self._literal(ord(char))
            self._at = min(stop + 2, len(self._text))
            return
        spots = {
            "A": "text-start",
            "z": "text-end",
            "b": "word-boundary",
            "B": "not-word-boundary",
        }
        if following in spots and following:
            self._at += 2
            self._push(Assertion(spots[following]))
            return
        if (ranges := self._perl()) is not None:
            self._push(Chars(ranges))
            return
        self._literal(self._escaped())

    def _perl(self) -> Ranges | None:
        r"""Read ``\d`` and its like, if one is here."""
        following = self._text[self._at + 1 : self._at + 2]
        if following in ("p", "P", "C"):
            raise PatternSyntaxError(
                f"\\{following} needs the package google-re2, which is not installed"
            )
        ranges = _PERL.get(following.lower())
        if ranges is None:
            return None
        self._at += 2
        if self._flags.fold:
            ranges = _folded(ranges)
        return negated(ranges) if following.isupper() else ranges

    def _escaped(self) -> int:
        """Read an escape that stands for one character, and return it."""
        start = self._at
        self._at += 1
        if self._at == len(self._text):
            raise PatternSyntaxError("trailing \\ at end of regexp: " + self._text)
        char = self._text[self._at]
        self._at += 1
        if char in "01234567":
            return self._octal(char, start)
        if char == "x":
            return self._hexadecimal(start)
        if char in _ESCAPES:
            return _ESCAPES[char]
        if char.isascii() and not char.isalnum():
            return ord(char)
        raise PatternSyntaxError("invalid escape sequence: " + self._text[start : self._at])

    def _octal(self, first: str, start: int) -> int:
        digits = first
        while len(digits) < 3 and self._text[self._at : self._at + 1] in tuple("01234567"):
            digits += self._text[self._at]
            self._at += 1
        if first != "0" and len(digits) == 1:  # a back-reference
            raise PatternSyntaxError("invalid escape sequence: " + self._text[start : self._at])
        return int(digits, 8)

    def _hexadecimal(self, start: int) -> int:
        if self._text.startswith("{", self._at):
            end = self._text.find("}", self._at)
            digits = self._text[self._at + 1 : max(end, 0)]
            self._at = end + 1 if end > 0 else len(self._text)
        else:
            digits = self._text[self._at : self._at + 2]
            self._at += 2
            if len(digits) < 2:
                digits = ""
        if not digits or digits.strip(_HEX) or int(digits, 16) > LAST:
            raise PatternSyntaxError("invalid escape sequence: " + self._text[start : self._at])
        return int(digits, 16)

    def _class(self) -> Chars:
        """Read ``[…]``."""
        start = self._at
        self._at += 1
        inverted = self._text.startswith("^", self._at)
        self._at += inverted
        pairs: list[tuple[int, int]] = []
        first = True
        while first or not self._text.startswith("]", self._at):
            if self._at >= len(self._text):
                raise PatternSyntaxError("missing ]: " + self._text[start:])
            pairs.extend(self._class_item(start))
            first = False
        self._at += 1
        ranges = joined(pairs)
        return Chars(negated(ranges) if inverted else ranges)

    def _class_item(self, start: int) -> Iterator[tuple[int, int]]:
        if (
            self._text.startswith("[:", self._at)
            and (end := self._text.find(":]", self._at + 2)) > 0
        ):
            name = self._text[self._at + 2 : end]
            ranges = _POSIX.get(name.removeprefix("^"))
            if ranges is None:
                wrong = self._text[self._at : end + 2]
                raise PatternSyntaxError("invalid character class range: " + wrong)
            self._at = end + 2
            if self._flags.fold:
                ranges = _folded(ranges)
            yield from negated(ranges) if name.startswith("^") else ranges
            return
        if self._text.startswith("\\", self._at) and (perl := self._perl()) is not None:
            yield from perl
            return
        begun = self._at
        low = high = self._class_char(start)
        rest = self._text[self._at : self._at + 2]
        if rest[:1] == "-" and len(rest) == 2 and rest[1] != "]":
            self._at += 1
            high = self._class_char(start)
        if high < low:
            raise PatternSyntaxError(
                "invalid character class range: " + self._text[begun : self._at]
            )
        found: Ranges = ((low, high),)
        yield from _folded(found) if self._flags.fold else found

    def _class_char(self, start: int) -> int:
        if self._at >= len(self._text):
            raise PatternSyntaxError("missing ]: " + self._text[start:])
        if self._text[self._at] == "\\":
            return self._escaped()
        self._at += 1
        return ord(self._text[self._at - 1])


def _is_count(text: str) -> bool:
    """Whether ``text`` is a count: digits without a leading zero."""
    return text.isascii() and text.isdigit() and (text == "0" or text[0] != "0")


def _repeats_at_most(node: Node, left: int) -> bool:
    """Whether nested counted repetitions come to at most ``left`` in all."""
    if isinstance(node, Repeat):
        times = node.most if node.most is not None else node.least
        left = left // times if node.counted and times > 0 else left
        return left > 0 and _repeats_at_most(node.item, left)
    if isinstance(node, Sequence | Choice):
        return all(_repeats_at_most(item, left) for item in node.items)
    return left > 0
