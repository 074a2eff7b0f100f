"""Text of a run as reports may show it: no credentials, one line, a length that fits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from auditor.redaction.fields import Scrubber
from auditor.text import is_plain, plural, printable, shortened

#: The most characters shown of a value, and of a sentence.
VALUE, SENTENCE = 200, 1000
#: How many problems or warnings of a listing are listed singly.
SHOWN = 50


def scrubbed(text: str, scrubber: Scrubber, limit: int = VALUE) -> str:
    """Return ``text`` without credentials and control characters, cut to ``limit``."""
    return shortened(printable(scrubber.text(text)), limit)


def sentences(texts: Iterable[str], scrubber: Scrubber) -> tuple[str, ...]:
    """Return sentences as reports may show them."""
    return tuple(scrubbed(text, scrubber, SENTENCE) for text in texts)


def scrubbed_column(column: Sequence[str], scrubber: Scrubber, missing: str) -> Sequence[str]:
    """Return a column of identities as reports may show it, with ``missing`` for "".

    The column is checked as a whole first, because hardly any has something to remove.
    """
    if "" in column:
        column = [value or missing for value in column]
    joined = " ".join(column)
    short = max(map(len, column), default=0) <= VALUE
    if short and is_plain(joined) and not scrubber.touches(joined):
        return column
    return [scrubbed(value, scrubber) for value in column]


def first(texts: Sequence[str], noun: str) -> list[str]:
    """Return the first of ``texts``, and how many more there are: a whole page may be wrong."""
    rest = len(texts) - SHOWN
    return [*texts[:SHOWN], f"and {plural(rest, f'more {noun}')}"] if rest > 0 else [*texts]
