"""The auditor's own snapshot: NDJSON with a header line and a closing line; and its writer.

::

    {"fivetran_auditor_snapshot":2,"taken_at":"…Z","base_url":"…","filters":{…},"tool":"…"}
    {"list":"users","rows":[…]}                                     a further list, one per line
    {"id":"…", …}                                                           a record per line
    {"end":true,"connections":1,"walks":1,"completeness":"one_page","sha256":"…"}

The hash is over all bytes before the closing line, uncompressed. A file without a closing line
that agrees with the rest of it is no complete listing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import msgspec

from auditor.clock import iso, parse_timestamp
from auditor.errors import ReportError
from auditor.model import Completeness
from auditor.output.disk import explain
from auditor.output.draft import Draft
from auditor.output.target import Target
from auditor.text import printable

MARK: Final = "fivetran_auditor_snapshot"
VERSION: Final = 2
#: Version 1 had no lists.
_READ: Final = frozenset({1, 2})
_LIST = b'{"list":'
_T = TypeVar("_T")
_CLOSING_KEYS = {"end", "connections", "walks", "completeness", "sha256"}


class SnapshotHeader(msgspec.Struct, frozen=True):
    """The first line: when and where the listing was taken, and the filters the API applied."""

    taken_at: datetime
    base_url: str
    filters: tuple[tuple[str, str], ...] = ()
    tool: str = ""
    version: int = VERSION

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
    """The last line: what a whole file contains."""

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
    """Return what the first line says, an object. Raises ValueError with what is wrong with it."""
    try:
        header = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError("its first line is cut or damaged") from error
    if type(header.get(MARK)) is not int:
        raise ValueError("its first line is damaged")
    if header[MARK] not in _READ:
        raise ValueError(
            f"it is a snapshot of version {header[MARK]}, and this release reads versions up to "
            f"{VERSION}: use the release that wrote it, or fetch again"
        )
    taken_at = header.get("taken_at")
    moment = parse_timestamp(taken_at) if isinstance(taken_at, str) else None
    filters = header.get("filters")
    base_url, tool = header.get("base_url", ""), header.get("tool", "")
    if moment is None or not isinstance(filters, dict) or not _are_texts(filters.values()):
        raise ValueError('its first line is damaged: "taken_at" or "filters" cannot be read')
    if not _are_texts((base_url, tool)):
        raise ValueError('its first line is damaged: "base_url" or "tool" is not text')
    return SnapshotHeader(
        taken_at=moment,
        base_url=base_url,
        filters=tuple((printable(k), printable(v)) for k, v in filters.items()),
        tool=tool,
        version=header[MARK],
    )


def parse_list(line: bytes) -> tuple[str, list[Any]] | None:
    """Return the name and the rows of the list in a line; None for another line.

    Raises ValueError for a line that begins like one and is not.
    """
    if not line.startswith(_LIST):
        return None
    held = json.loads(line)
    name, rows = held.get("list"), held.get("rows")
    if not isinstance(name, str) or not isinstance(rows, list):
        raise ValueError("a list in it is damaged")
    return name, rows


def _are_texts(values: Iterable[object]) -> bool:
    return all(isinstance(value, str) for value in values)


def parse_closing(line: bytes) -> ClosingLine | None:
    """Return what the last line says, or None if it is not a closing line."""
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
    """Writes a snapshot whole or not at all: see ``Draft``.

    ``clean`` keeps credentials out of it. Every failure to write is a ReportError.
    """

    def __init__(
        self,
        target: Target,
        header: SnapshotHeader,
        clean: Callable[[str], str] = str,
    ) -> None:
        self._target = target
        self._clean = clean
        self._draft = self._attempt(lambda: Draft(target))
        try:
            self.restart(header)
        except BaseException:
            self._draft.discard()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._draft.discard()

    def restart(self, header: SnapshotHeader) -> None:
        """Begin the file again: the listing moved, and a new walk starts from nothing."""
        self._hash = sha256()
        self._connections = 0
        self._attempt(self._draft.restart)
        self._write(header.line())

    def add(self, records: list[Mapping[str, Any]]) -> None:
        """Write records, one per line."""
        self._connections += len(records)
        self._write(self._clean(b"".join(map(_line, records)).decode("ascii")).encode("ascii"))

    def add_list(self, name: str, rows: list[Any]) -> None:
        """Write another list, before any record."""
        line = _line({"list": name, "rows": rows}).decode("ascii")
        self._write(self._clean(line).encode("ascii"))

    def finish(self, *, walks: int, completeness: Completeness) -> None:
        """Close the snapshot and put it in its place."""
        closing = ClosingLine(self._connections, walks, completeness, self._hash.hexdigest())
        self._write(closing.line())
        self._attempt(self._draft.deliver)

    def _write(self, data: bytes) -> None:
        self._hash.update(data)
        self._attempt(lambda: self._draft.write(data))

    def _attempt(self, action: Callable[[], _T]) -> _T:
        try:
            return action()
        except (OSError, ValueError) as error:
            elsewhere = "name another file with --output"
            if isinstance(error, OSError):
                why = explain(error, elsewhere)
            else:
                why = f"{error}; {elsewhere}"
            raise ReportError(f"cannot write the snapshot {self._target}: {why}") from error


def _line(value: Mapping[str, Any]) -> bytes:
    # ASCII only: lone surrogates survive, and no reader takes U+2028 for the end of a line.
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.encode("ascii") + b"\n"
