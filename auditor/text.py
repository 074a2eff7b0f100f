"""Text from elsewhere, made safe to show.

A record's strings may hold terminal escapes, bidirectional controls, lone surrogates. They are
escaped once, where values enter a result, so that no report has to think of them.
"""

from __future__ import annotations

from collections.abc import Iterable

#: Longer values are cut; a reader needs the start, and a 10 MB string would drown the report.
SHOWN = 200


def printable(text: str) -> str:
    r"""Return ``text`` with every unprintable character as an escape: ``\x1b``, ``\u202e``.

    Control characters, bidirectional and other format characters, line and paragraph
    separators, private-use and unassigned code points and lone surrogates are unprintable.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escape(c) for c in text)


def shortened(text: str, limit: int = SHOWN) -> str:
    """Return at most ``limit`` characters of ``text``, with an ellipsis for what was cut."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def one_line(text: str, limit: int = SHOWN) -> str:
    """Return ``text`` printable, on one line, without runs of blanks, and short."""
    return shortened(printable(" ".join(text[: limit * 4].split())), limit)


def listed(words: Iterable[str], conjunction: str = "or") -> str:
    """Return ``a, b or c``."""
    *first, last = list(words) or [""]
    return f"{', '.join(first)} {conjunction} {last}" if first else last


def nearest(word: str, words: Iterable[str]) -> str:
    """Return the one of ``words`` that is most like ``word``; "" where none is much like it."""
    from difflib import get_close_matches  # noqa: PLC0415  # only for a mistake

    return next(iter(get_close_matches(word, words, n=1)), "")


def plural(count: int, noun: str, form: str = "") -> str:
    """Return ``1 rule``, ``1,200 rules``; ``form`` is a plural that takes more than an s."""
    return f"{count:,} {noun if count == 1 else form or noun + 's'}"


def _escape(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
