"""Splitting saved JSON into pieces small enough to decode, without parsing it first.

A file of 200 MB is read a block at a time. Pieces end where a value ends at the top level. That is
guessed cheaply and proved by decoding: if ``[`` + piece + ``]`` is valid JSON, no string and no
bracket is open at its end. If a guess fails, one scan of the block for strings and brackets
decides, so malformed input costs a scan and never a search.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from auditor.decoding.json_values import UndecodableError
from auditor.sources.saved.input import Input

_TOKEN = re.compile(
    # A string, even a cut one (possessive: a scan never goes back); an opener; a closer.
    rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|([\[{])|([\]}])',
    re.DOTALL,
)
_COMMA = re.compile(rb"\s*,\s*(?=[^\s\]])")
_FIRST_KEY = re.compile(rb'\s*\{\s*("(?:[^"\\]|\\.){0,200}"\s*:)')
_PLACE = re.compile(r" at byte \d+$")
#: Where a cut is guessed: records are a few kB each, so a window at the end holds several.
_WINDOW = 1 << 16
_GUESSES = 2

Decode = Callable[[bytes], list[Any]]


def first_key(text: bytes) -> bytes:
    """Return the first key of the object that ``text`` begins with, quotes and colon included."""
    match = _FIRST_KEY.match(text)
    return match[1] if match else b""


def array_batches(source: Input, decode: Decode) -> Iterator[list[Any]]:
    """Yield the items of a JSON array, a block's worth at a time.

    ``source`` is positioned after the opening bracket; ``decode`` takes a whole array and raises
    UndecodableError. Raises UndecodableError if the array is malformed, cut or followed by
    something, or has an item of more than 64 MiB.
    """
    buffer, done = b"", 1
    while block := source.read(len(buffer)):
        buffer += block
        try:
            items, rest = _whole_items(buffer, decode)
        except UndecodableError as error:
            raise _placed(error, done) from error
        if items:
            yield items
        done += len(buffer) - len(rest)
        buffer = rest
        _bound(buffer, source)
    if not buffer.rstrip().endswith(b"]"):
        raise _refused("the array is cut: its closing bracket is missing")
    try:
        yield decode(b"[" + buffer)
    except UndecodableError as error:
        raise _placed(error, done) from error


def objects(source: Input, *, in_array: bool) -> Iterator[bytes]:
    """Yield JSON objects one by one as bytes, each cut where it ends.

    They follow each other with or without blanks between them; with ``in_array`` they are the items
    of an array, and ``source`` is positioned after its opening bracket. Raises UndecodableError.
    """
    gap = _Gap(in_array)
    buffer = b""
    while block := source.read(len(buffer)):
        buffer += block
        spans, stop = _spans(buffer)
        done = 0
        for start, end in spans:
            gap.check(buffer[done:start])
            yield buffer[start:end]
            done = end
        if stop is not None:
            gap.close(buffer[done:stop])
            _nothing_follows(buffer[stop + 1 :], source)
            return
        buffer = buffer[done:]
        _bound(buffer, source)
    if buffer.strip() or in_array:
        raise _refused("not JSON: it is cut, or a bracket is missing")


def line_blocks(source: Input) -> Iterator[tuple[list[bytes], bool]]:
    """Yield lines, a block's worth at a time, and whether the last one has its line feed.

    Raises UndecodableError for a line of more than 64 MiB.
    """
    rest = b""
    while block := source.read():
        head, line_feed, tail = block.rpartition(b"\n")
        if not line_feed:
            rest += tail
            _bound(rest, source)
            continue
        yield (rest + head).split(b"\n"), True
        rest = tail
    if rest:
        yield [rest], False


class _Gap:
    """What may be between two objects: blanks, and inside an array one comma."""

    def __init__(self, in_array: bool) -> None:
        self._in_array = in_array
        self._expected = b""

    def check(self, gap: bytes) -> None:
        if gap.strip() != self._expected:
            raise _refused("not JSON: there is something between two objects")
        self._expected = b"," if self._in_array else b""

    def close(self, gap: bytes) -> None:
        if gap.strip() or not self._in_array:
            raise _refused("not JSON: a bracket that closes nothing")


def _whole_items(buffer: bytes, decode: Decode) -> tuple[list[Any], bytes]:
    """Decode the items that are whole in ``buffer`` and followed by another; return the rest too.

    Without such an item, or if the array ends in this block, the rest is all of it.
    """
    for end, following in _guesses(buffer):
        with suppress(UndecodableError):
            return decode(b"[" + buffer[:end] + b"]"), buffer[following:]
    spans, stop = _spans(buffer)
    if stop is not None:
        if buffer[stop + 1 :].strip():
            raise _something_follows()
        return [], buffer
    for _, end in reversed(spans):
        comma = _COMMA.match(buffer, end)
        if comma:
            return decode(b"[" + buffer[:end] + b"]"), buffer[comma.end() :]
    return [], buffer


def _guesses(buffer: bytes) -> list[tuple[int, int]]:
    """Return where an item may end and the next one begin, likeliest first.

    Items of one array nearly always begin with the same key.
    """
    key = first_key(buffer)
    if not key:
        return []
    pattern = re.compile(rb"\}\s*,\s*(?=\{\s*" + re.escape(key) + rb")")
    found = [(m.start() + 1, m.end()) for m in pattern.finditer(buffer, len(buffer) - _WINDOW)]
    return found[: -_GUESSES - 1 : -1]


def _spans(buffer: bytes) -> tuple[list[tuple[int, int]], int | None]:
    """Return the whole objects and arrays at the top level, and the first unmatched closer."""
    spans: list[tuple[int, int]] = []
    depth = 0
    for token in _TOKEN.finditer(buffer):
        kind = token.lastindex
        if kind == 1:
            if depth == 0:
                start = token.start()
            depth += 1
        elif kind == 2:
            depth -= 1
            if depth < 0:
                return spans, token.start()
            if depth == 0:
                spans.append((start, token.end()))
    return spans, None


def _bound(buffer: bytes, source: Input) -> None:
    if len(buffer) > source.largest:
        limit = f"{source.largest / 2**20:g} MiB"
        raise _refused(f"one value takes more than {limit}")


def _nothing_follows(rest: bytes, source: Input) -> None:
    while not rest.strip():
        rest = source.read()
        if not rest:
            return
    raise _something_follows()


def _placed(error: UndecodableError, done: int) -> UndecodableError:
    """Return the error with its position in the file; the decoder counts from its piece."""
    message = _PLACE.sub("", str(error))
    return UndecodableError(f"{message}, after byte {done:,}", transient=error.transient)


def _something_follows() -> UndecodableError:
    return _refused("not JSON: something follows the array")


def _refused(message: str) -> UndecodableError:
    """Return the error for a file that is read again in vain."""
    return UndecodableError(message, transient=False)
