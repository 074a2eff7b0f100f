"""Values as JSON text, an item a line, for the reports that are JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

import msgspec

#: Characters that are worth a write of their own.
_ENOUGH = 1 << 17
_encode = msgspec.json.Encoder().encode


def json_text(value: object) -> str:
    """Return ``value`` as compact JSON, not limited to ASCII."""
    try:
        return _encode(value).decode()
    except UnicodeEncodeError:
        # Only the standard library passes lone surrogates on; the writer replaces them.
        plain = msgspec.to_builtins(value)
        return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def json_lines(items: Iterable[object]) -> Iterator[str]:
    """Yield what stands inside an array: an item a line, many small ones at a time."""
    between, batch, size = "\n", [], 0
    for item in items:
        text = json_text(item)
        batch.append(text)
        size += len(text)
        if size >= _ENOUGH:
            yield between + ",\n".join(batch)
            between, batch, size = ",\n", [], 0
    if batch:
        yield between + ",\n".join(batch)
