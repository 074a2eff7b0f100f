"""Values as JSON text, an item a line, for the reports that are JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

import msgspec

_CHUNK = 500
_encode = msgspec.json.Encoder().encode


def json_text(value: object) -> str:
    """Return ``value`` as compact JSON, not limited to ASCII."""
    try:
        return _encode(value).decode()
    except UnicodeEncodeError:
        # Only the standard library passes lone surrogates on; the writer replaces them.
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def json_lines(items: Iterable[object]) -> Iterator[str]:
    """Yield what stands inside an array: an item a line, some hundred at a time."""
    between, batch = "\n", []
    for item in items:
        batch.append(json_text(item))
        if len(batch) == _CHUNK:
            yield between + ",\n".join(batch)
            between, batch = ",\n", []
    if batch:
        yield between + ",\n".join(batch)
