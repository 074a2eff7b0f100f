"""The bytes of a saved listing: a file or standard input, read forward, and decompressed."""

from __future__ import annotations

import gzip
import os
import stat
import sys
import zlib
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, Self, cast

from auditor.errors import SourceError
from auditor.files import open_file
from auditor.text import printable

#: Bytes read at a time: some 600 records, so that a block of a large file is judged like a page.
BLOCK = 1 << 20
#: The most blocks that are read in one go: a page of the API is no more.
_AT_ONCE = 4
#: A page of the API, a record or a line larger than this is refused (as over the network).
LARGEST = 64 << 20
_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Input:
    """One input, read ``block`` bytes at a time. Its first block is known before it is read.

    The first one may have another size, ``first``. ``largest`` bounds what has to be held at once:
    a page, a record, a line. Raises SourceError, with the input's name, if it cannot be read.
    """

    def __init__(
        self,
        name: str,
        file: BinaryIO,
        *,
        block: int = BLOCK,
        first: int = 0,
        largest: int = LARGEST,
    ) -> None:
        self.name = name
        self.block = block
        self.largest = largest
        self._file = file
        self._stream: _Readable = file
        start = self._next(first or block)
        if start.startswith(_GZIP):
            self._stream = cast(
                _Readable, gzip.GzipFile(fileobj=cast(BinaryIO, _Again(start, file)))
            )
            start = self._next(block)
        if start.startswith(_UTF16):
            raise SourceError(f"{name}: it is UTF-16 text; save it as UTF-8")
        #: The beginning, without a byte order mark.
        self.start = self._ahead = start.removeprefix(_BOM)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, unless it is standard input."""
        if not _is_stdin(self._file):
            self._file.close()

    def read(self, size: int = 0) -> bytes:
        """Return the next bytes, about a block or ``size`` if that is more; b"" at the end."""
        if self._ahead:
            block, self._ahead = self._ahead, b""
            return block
        return self._next(max(self.block, size))

    def look_for(self, mark: bytes) -> None:
        """Extend ``start`` to the first ``mark``, the end of the input, or ``largest``."""
        if mark in self.start:
            return
        blocks, size = [], 0
        while size <= self.largest and (block := self.read()):
            blocks.append(block)
            size += len(block)
            if mark in block:
                break
        self.start = self._ahead = b"".join(blocks)

    def has_more(self) -> bool:
        """Whether anything follows ``start``, before anything is read."""
        behind = self._next(self.block)
        self._ahead += behind
        return bool(behind)

    def read_document(self) -> bytes:
        """Return all that is left or, if that is more than ``largest``, just over that much."""
        blocks, size = [], 0
        while size <= self.largest and (block := self.read(4 * self.block)):
            blocks.append(block)
            size += len(block)
        return b"".join(blocks)

    def give_back(self, unread: bytes) -> None:
        """Let the next read return ``unread``, which was read before, and then go on."""
        self._ahead = unread + self._ahead

    def _next(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise SourceError(
                f"{self.name}: the gzip data is cut or damaged ({error}); fetch or copy it again"
            ) from error
        except OSError as error:
            raise unreadable(self.name, error) from error


class _Again:
    """A file whose first bytes were already read."""

    def __init__(self, first: bytes, file: BinaryIO) -> None:
        self._first = first
        self._file = file

    def read(self, size: int) -> bytes:
        if self._first:
            taken, self._first = self._first[:size], self._first[size:]
            return taken
        return self._file.read(size)


def open_input(path: str, *, block: int = BLOCK) -> Input:
    """Open a file, or standard input for ``-``. Raises SourceError."""
    name = input_name(path)
    if path == "-":
        if sys.stdin is None:
            raise SourceError("standard input is closed; name a file instead of -")
        return Input(name, sys.stdin.buffer, block=block)
    try:
        file = open_file(path)
    except (OSError, ValueError) as error:
        raise unreadable(name, error) from error
    try:
        size = os.fstat(file.fileno()).st_size
        return Input(name, file, block=block, first=size if size <= _AT_ONCE * block else 0)
    except BaseException:
        file.close()
        raise


def input_name(path: str) -> str:
    """Return the name that messages use for ``path``."""
    return "standard input" if path == "-" else printable(path)


def is_regular(path: str) -> bool:
    """Whether ``path`` is a file that can be opened twice; a pipe cannot."""
    try:
        return path != "-" and stat.S_ISREG(Path(path).stat().st_mode)
    except (OSError, ValueError):
        return False


def unreadable(name: str, error: Exception) -> SourceError:
    """Return the error for a file that cannot be opened or read."""
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return SourceError(f"{name}: it cannot be read: {reason or error}")


def _is_stdin(file: BinaryIO) -> bool:
    return sys.stdin is not None and file is sys.stdin.buffer
