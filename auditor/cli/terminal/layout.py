"""Text in columns: widths as a terminal draws them, cuts and folds that fit.

``width`` is a terminal's columns, or None for a log: there nothing is cut or folded, so that a
search of the log finds what the reports say.
"""

from __future__ import annotations

import os
import textwrap
import unicodedata
from collections.abc import Callable, Iterator
from typing import NamedTuple, TextIO

_WIDE = ("W", "F")
#: The columns that a row's label takes, and everything before its text.
_LABEL = 9
INDENT = _LABEL + 3


class Layout(NamedTuple):
    """The room that text has.

    ``width`` and ``height`` are those of a terminal, None for a log: there nothing is cut or
    folded. ``clean`` removes the run's credentials from a text. It does so before the text is cut
    or folded: a credential split over two lines would not be found.
    """

    width: int | None = None
    height: int | None = None
    clean: Callable[[str], str] = str

    @classmethod
    def of(cls, stream: TextIO | None, clean: Callable[[str], str] = str) -> Layout:
        """Return the room of the terminal behind ``stream``, or that of a log."""
        if stream is None:
            return cls(clean=clean)
        try:
            size = os.get_terminal_size(stream.fileno())
        except (OSError, ValueError):
            return cls(clean=clean)
        return cls(size.columns or None, size.lines or None, clean)

    def beside(self, taken: int) -> int | None:
        """Return how many columns are left beside ``taken`` ones."""
        return None if self.width is None else self.width - taken

    def cut(self, text: str, room: int | None) -> str:
        """Return ``cut`` of the clean text."""
        return cut(self.clean(text), room)

    def middle_cut(self, text: str, room: int | None) -> str:
        """Return ``middle_cut`` of the clean text."""
        return middle_cut(self.clean(text), room)

    def folded(self, text: str, indent: int) -> list[str]:
        """Return ``folded`` of the clean text."""
        return folded(self.clean(text), self.width, indent)

    def row(self, label: str, text: str, draw: Callable[[str], str] = str) -> Iterator[str]:
        """Yield a labelled text; ``draw`` gives the label its style."""
        first, *rest = self.folded(text, INDENT)
        # Blanks are not styled: after a style they would not count as a line's indentation.
        head = f"{label:<{_LABEL}}"
        yield f"  {draw(head) if label else head} {first}"
        for line in rest:
            yield f"{' ' * INDENT}{line}"


def cells(text: str) -> int:
    """Return the columns that ``text`` takes: two per wide character, none per combining one."""
    if text.isascii():
        return len(text)
    return sum(map(_cell, text))


def padded(text: str, width: int) -> str:
    """Return ``text`` with blanks behind it, at least ``width`` columns wide."""
    return text + " " * (width - cells(text))


def cut(text: str, width: int | None) -> str:
    """Return as much of ``text`` as fits in ``width`` columns, its end replaced by an ellipsis."""
    if width is None or cells(text) <= width:
        return text
    return f"{_fitting(text, width - 1)}…" if width > 0 else ""


def middle_cut(text: str, width: int | None) -> str:
    """Return as much of ``text`` as fits in ``width`` columns, its middle replaced by an ellipsis.

    A path or an id is distinguished by its end as much as by its start.
    """
    if width is None or cells(text) <= width:
        return text
    if width < 1:
        return ""
    tail = _fitting(text[::-1], width // 2)[::-1]
    return f"{_fitting(text, width - 1 - cells(tail))}…{tail}"


def folded(text: str, width: int | None, indent: int) -> list[str]:
    """Return ``text`` as lines that fit after ``indent`` columns."""
    if width is None:
        return [text]
    return textwrap.wrap(text, max(width - indent, 20), break_on_hyphens=False) or [""]


def _fitting(text: str, width: int) -> str:
    taken = 0
    for position, character in enumerate(text):
        taken += _cell(character)
        if taken > width:
            return text[:position]
    return text


def _cell(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in _WIDE else 1
