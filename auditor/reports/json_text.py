"""Values as JSON text, one item per line, for the reports that are JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec

_ENCODER = msgspec.json.Encoder()


def json_text(value: object) -> str:
    """Return ``value`` as compact JSON, not limited to ASCII."""
    try:
        return _ENCODER.encode(value).decode()
    except UnicodeEncodeError:
        # Only the standard library lets lone surrogates through; the writer replaces them.
        plain = msgspec.to_builtins(value)
        return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def json_lines(items: Iterable[object], *, at_once: int = 64) -> Iterator[str]:
    """Yield the inside of an array: one item per line, ``at_once`` of them at a time."""
    waiting, between = iter(items), "\n"
    while batch := list(islice(waiting, at_once)):
        yield between + _lines(batch)
        between = ",\n"


def _lines(batch: list[object]) -> str:
    try:
        # A line contains no line feed: JSON escapes them.
        return _ENCODER.encode_lines(batch)[:-1].replace(b"\n", b",\n").decode()
    except UnicodeEncodeError:
        return ",\n".join(map(json_text, batch))
