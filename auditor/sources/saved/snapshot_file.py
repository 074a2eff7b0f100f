"""The auditor's own snapshot: NDJSON with a header line and a closing line; and its writer.

::

    {"fivetran_auditor_snapshot":1,"taken_at":"…Z","base_url":"…","filters":{…},"tool":"…"}
    {"id":"…", …}                                                            a record per line
    {"end":true,"connections":1,"walks":1,"completeness":"one_page","sha256":"…"}

The hash is over all bytes before the closing line, uncompressed. A file without a closing line
that agrees with the rest of it is no complete listing.
"""

from __future__ import annotations

import errno
import gzip
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self, cast

import msgspec

from auditor.clock import iso, parse_timestamp
from auditor.errors import ReportError
from auditor.model import Completeness
from auditor.output.unfinished import Unfinished, begin, clear
from auditor.text import printable

MARK: Final = "fivetran_auditor_snapshot"
VERSION: Final = 1
_COPIED = 1 << 20
_PRIVATE = 0o600
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_CLOSING_KEYS = {"end", "connections", "walks", "completeness", "sha256"}


class SnapshotHeader(msgspec.Struct, frozen=True):
    """The first line: when and where the listing was taken, and the filters the API applied."""

    taken_at: datetime
    base_url: str
    filters: tuple[tuple[str, str], ...] = ()
    tool: str = ""

    def line(self) -> bytes:
        """Return the header as the file holds it, with its line feed."""
        return _line(
            {
                MARK: VERSION,
                "taken_at": iso(self.taken_at),
                "base_url": self.base_url,
                "filters": dict(self.filters),
                "tool": self.tool,
            }
        )


class ClosingLine(msgspec.Struct, frozen=True):
    """The last line: what the file holds when it is whole."""

    connections: int
    walks: int
    completeness: Completeness
    sha256: str

    def line(self) -> bytes:
        """Return the closing line as the file holds it, with its line feed."""
        return _line(
            {
                "end": True,
                "connections": self.connections,
                "walks": self.walks,
                "completeness": self.completeness.name.lower(),
                "sha256": self.sha256,
            }
        )


def parse_header(line: bytes) -> SnapshotHeader:
    """Return what the first line says. Raises ValueError with what is wrong with it."""
    try:
        header = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError("its first line is cut or damaged") from error
    if not isinstance(header, dict) or type(header.get(MARK)) is not int:
        raise ValueError("its first line is damaged")
    if header[MARK] != VERSION:
        raise ValueError(
            f"it is a snapshot of version {header[MARK]}, and this release reads version "
            f"{VERSION}: use the release that wrote it, or fetch again"
        )
    taken_at = header.get("taken_at")
    moment = parse_timestamp(taken_at) if isinstance(taken_at, str) else None
    filters = header.get("filters")
    base_url, tool = header.get("base_url", ""), header.get("tool", "")
    if moment is None or not isinstance(filters, dict) or not _are_texts(filters.values()):
        raise ValueError('its first line is damaged: "taken_at" or "filters" cannot be read')
    if not _are_texts((base_url, tool)):
        raise ValueError('its first line is damaged: "base_url" or "tool" is no text')
    return SnapshotHeader(
        taken_at=moment,
        base_url=base_url,
        filters=tuple((printable(k), printable(v)) for k, v in sorted(filters.items())),
        tool=tool,
    )


def _are_texts(values: Iterable[object]) -> bool:
    return all(isinstance(value, str) for value in values)


def parse_closing(line: bytes) -> ClosingLine | None:
    """Return what the last line says, or None when it is no closing line."""
    try:
        closing = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(closing, dict) or closing.keys() != _CLOSING_KEYS:
        return None
    count, walks, word, digest = (
        closing[key] for key in ("connections", "walks", "completeness", "sha256")
    )
    known = {c.name.lower(): c for c in Completeness}
    if closing["end"] is not True or type(count) is not int or type(walks) is not int:
        return None
    if not isinstance(word, str) or word not in known or not isinstance(digest, str):
        return None
    return ClosingLine(count, walks, known[word], digest)


class SnapshotWriter:
    """Writes a snapshot; it stands under its name only when it is whole.

    Until ``finish`` it is a temporary file beside its destination (mode 0600), and leaving the
    ``with`` block without ``finish`` removes it: a snapshot that stood there before stays. With
    a file ``descriptor`` (standard output, a pipe) ``finish`` writes the whole snapshot there.
    Every failure to write is a ReportError.
    """

    def __init__(
        self, path: Path, header: SnapshotHeader, *, descriptor: int | None = None
    ) -> None:
        self._name = "standard output" if str(path) == "-" else printable(str(path))
        self._descriptor = descriptor
        self._target = path.resolve()
        if descriptor is None and self._target.exists() and not self._target.is_file():
            raise ReportError(f"{self._name}: it is not a file; name one for the snapshot")
        self._zipped = descriptor is None and path.name.endswith(".gz")
        self._temporary: Unfinished | None = None
        try:
            self._file = self._open_temporary()
        except (OSError, ValueError) as error:
            raise self._failed(error) from error
        self._out: BinaryIO = self._file
        try:
            self.restart(header)
        except BaseException:
            self._discard()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._discard()

    def restart(self, header: SnapshotHeader) -> None:
        """Begin the file again: the listing moved, and a new walk starts from nothing."""
        self._hash = sha256()
        self._connections = 0
        self._attempt(self._begin)
        self._write(header.line())

    def add(self, records: list[Mapping[str, Any]]) -> None:
        """Write records, one a line."""
        self._connections += len(records)
        self._write(b"".join(map(_line, records)))

    def finish(self, *, walks: int, completeness: Completeness) -> None:
        """Close the snapshot and put it in its place."""
        closing = ClosingLine(self._connections, walks, completeness, self._hash.hexdigest())
        self._write(closing.line())
        self._attempt(self._deliver)

    # -- the file ---------------------------------------------------------------------------

    def _open_temporary(self) -> BinaryIO:
        if self._descriptor is not None:
            return cast(BinaryIO, tempfile.TemporaryFile())  # closed by _discard
        clear(self._target.parent)
        self._temporary = begin(self._target.parent, "part", _PRIVATE)
        return os.fdopen(self._temporary.descriptor, "wb")

    def _begin(self) -> None:
        if self._zipped and self._out is not self._file:
            self._out.close()  # or it would write its last bytes when it is collected
        self._file.seek(0)
        self._file.truncate()
        if self._zipped:
            # No name and no time inside: the same listing gives the same bytes.
            zipped = gzip.GzipFile("", "wb", compresslevel=6, fileobj=self._file, mtime=0)
            self._out = cast(BinaryIO, zipped)

    def _write(self, data: bytes) -> None:
        self._hash.update(data)
        self._attempt(lambda: self._out.write(data))

    def _deliver(self) -> None:
        if self._zipped:
            self._out.close()
        self._file.flush()
        if self._descriptor is not None:
            self._file.seek(0)
            while block := self._file.read(_COPIED):
                _write_all(self._descriptor, block)
        elif self._temporary is not None:
            os.fsync(self._file.fileno())
            self._temporary.take(self._target)

    def _discard(self) -> None:
        # What cannot be flushed now is thrown away in any case.
        for part in (self._out, self._file):
            with suppress(OSError):
                part.close()
        if self._temporary is not None:
            self._temporary.end()

    def _attempt(self, action: Callable[[], object]) -> None:
        try:
            action()
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: Exception) -> ReportError:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        full = isinstance(error, OSError) and error.errno in _FULL
        todo = f"{'free some space there, or ' * full}name another place with --output"
        return ReportError(
            f"{self._name}: the snapshot cannot be written: {reason or error}; {todo}"
        )


def _line(value: Mapping[str, Any]) -> bytes:
    # ASCII only: lone surrogates survive, and no reader takes U+2028 for the end of a line.
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text.encode("ascii") + b"\n"


def _write_all(descriptor: int, block: bytes) -> None:
    """Write past Python's buffers: what they cannot get rid of would fail again at the exit."""
    rest = memoryview(block)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
