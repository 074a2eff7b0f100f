"""Text in columns: widths as a terminal draws them, cuts and folds that fit.

``width`` is a terminal's columns, or None for a log: there nothing is cut or folded, so that
whoever searches a log finds what the reports say.
"""

from __future__ import annotations

import os
import textwrap
import unicodedata
from typing import TextIO

_WIDE = ("W", "F")


def columns_of(stream: TextIO | None) -> int | None:
    """Return the columns of the terminal that ``stream`` writes to; None where it is none."""
    if stream is None:
        return None
    try:
        return os.get_terminal_size(stream.fileno()).columns or None
    except (OSError, ValueError):
        return None


def cells(text: str) -> int:
    """Return the columns ``text`` takes: two a wide character, none a combining one."""
    if text.isascii():
        return len(text)
    return sum(map(_cell, text))


def padded(text: str, width: int) -> str:
    """Return ``text`` with blanks behind it, at least ``width`` columns wide."""
    return text + " " * (width - cells(text))


def cut(text: str, width: int | None) -> str:
    """Return what fits ``width`` columns of ``text``, its end replaced by an ellipsis."""
    if width is None or cells(text) <= width:
        return text
    return f"{_fitting(text, width - 1)}…" if width > 0 else ""


def middle_cut(text: str, width: int | None) -> str:
    """Return what fits ``width`` columns of ``text``, its middle replaced by an ellipsis.

    A path or an id is told apart by its end as much as by its start.
    """
    if width is None or cells(text) <= width:
        return text
    if width < 1:
        return ""
    tail = _fitting(text[::-1], width // 2)[::-1]
    return f"{_fitting(text, width - 1 - cells(tail))}…{tail}"


def folded(text: str, width: int | None, indent: int) -> list[str]:
    """Return ``text`` as lines that fit behind ``indent`` columns."""
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
