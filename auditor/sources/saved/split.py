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
_PLACE = re.compile(r" at byte (\d+)$")
#: Where a cut is guessed: records are a few kB each, so a window at the end holds several.
_WINDOW = 1 << 16
_GUESSES = 2

Decode = Callable[[bytes], list[Any]]


def first_key(text: bytes) -> bytes:
    """Return the first key of the object that ``text`` begins with, quotes and colon included."""
    match = _FIRST_KEY.match(text)
    return match[1] if match else b""


def array_batches(source: Input, decode: Decode, at: int = 1) -> Iterator[list[Any]]:
    """Yield the items of a JSON array, a block's worth at a time.

    ``source`` is positioned at the byte ``at``, after the opening bracket; ``decode`` takes a whole
    array and raises UndecodableError. Raises UndecodableError if the array is malformed, cut or
    followed by something, or has an item of more than 64 MiB.
    """
    buffer, done = b"", at
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


def objects(source: Input, *, in_array: bool, at: int = 0) -> Iterator[bytes]:
    """Yield JSON objects one by one as bytes, each cut where it ends.

    They follow each other with or without blanks between them; with ``in_array`` they are the items
    of an array, and ``source`` is positioned after its opening bracket, at the byte ``at``. Raises
    UndecodableError.
    """
    gap = _Gap(in_array)
    buffer = b""
    while block := source.read(len(buffer)):
        buffer += block
        spans, stop = _spans(buffer)
        done = 0
        for start, end in spans:
            gap.check(buffer[done:start], at + done)
            yield buffer[start:end]
            done = end
        if stop is not None:
            gap.close(buffer[done:stop], at + done)
            _nothing_follows(buffer[stop + 1 :], source, at + stop + 1)
            return
        buffer = buffer[done:]
        at += done
        _bound(buffer, source)
    gap.end(buffer, at)


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
    """What may be between two objects: blanks, and inside an array one comma.

    Each piece of text is at a byte ``at`` of the file.
    """

    def __init__(self, in_array: bool) -> None:
        self._in_array = in_array
        self._expected = b""
        self._odd = "an item is no object" if in_array else "something follows that is no object"

    def check(self, gap: bytes, at: int) -> None:
        """Refuse what is no gap between two objects."""
        if gap.strip() != self._expected:
            text = self._unexpected(gap)
            what = "there is something" if text else "a comma is missing"
            raise _refused_at(f"{what} between two objects", at + len(gap) - len(text))
        self._expected = b"," if self._in_array else b""

    def close(self, gap: bytes, at: int) -> None:
        """Refuse what is no gap before the closing bracket, or a bracket outside an array."""
        text = self._unexpected(gap)
        if gap.strip() or not self._in_array:
            bare = "a comma has no item behind it" if gap.strip() else "a bracket closes nothing"
            raise _refused_at(self._odd if text else bare, at + len(gap) - len(text))

    def end(self, rest: bytes, at: int) -> None:
        """Refuse what is left at the end of the file, and an array that is still open."""
        text = self._unexpected(rest)
        if text and text[0] not in b"[{":
            raise _refused_at(self._odd, at + len(rest) - len(text))
        if text or self._in_array:
            raise _refused("not JSON: it is cut, or a bracket is missing")

    def _unexpected(self, gap: bytes) -> bytes:
        return gap.lstrip().removeprefix(self._expected).lstrip()


def _whole_items(buffer: bytes, decode: Decode) -> tuple[list[Any], bytes]:
    """Decode the items that are whole in ``buffer`` and followed by another; return the rest too.

    Without such an item, or if the array ends in this block, the rest is all of it.
    """
    for end, following in _guesses(buffer):
        with suppress(UndecodableError):
            return decode(b"[" + buffer[:end] + b"]"), buffer[following:]
    spans, stop = _spans(buffer)
    if stop is not None:
        # As in the decoder's errors, the opening bracket is at byte 0.
        _nothing_in(buffer[stop + 1 :], stop + 2)
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


def _nothing_follows(rest: bytes, source: Input, at: int) -> None:
    while rest:
        _nothing_in(rest, at)
        at += len(rest)
        rest = source.read()


def _nothing_in(rest: bytes, at: int) -> None:
    """Refuse ``rest``, which is at the byte ``at``, behind an array, unless it is blank."""
    text = rest.lstrip()
    if text:
        raise _refused(
            f"not JSON: something follows the array at byte {at + len(rest) - len(text)}"
        )


def _placed(error: UndecodableError, done: int) -> UndecodableError:
    """Return the error with its position in the file.

    The decoder counts from its piece, whose opening bracket stands for the byte before ``done``.
    """
    found = _PLACE.search(str(error))
    if found is None:
        return UndecodableError(f"{error}, after byte {done:,}", transient=error.transient)
    place = f" at byte {done - 1 + int(found[1])}"
    return UndecodableError(_PLACE.sub(place, str(error)), transient=error.transient)


def _refused_at(what: str, at: int) -> UndecodableError:
    return _refused(f"not JSON: {what} at byte {at}")


def _refused(message: str) -> UndecodableError:
    """Return the error for a file that is read again in vain."""
    return UndecodableError(message, transient=False)
