"""What a source yields.

A source is a stream of events: pages, perhaps a restart, and one end. A stream that stops without
its ``End``, or with a SourceError, was not complete, whatever came before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

import msgspec

from auditor.decoding.listed import Listed
from auditor.decoding.records import Decoder
from auditor.model import Completeness, Connections, SourceInfo


class Page(msgspec.Struct, frozen=True):
    """Records in the order they were listed, each with an id of its own.

    ``problems`` name items that are not connections: the rest is judged, the run inconclusive.
    ``as_of`` is the time at the source: the server's clock, or when a snapshot was taken.
    ``taken`` are the times at which what it holds was saved, None for one that is not known; none
    of what is listed now.
    ``identities`` name records that do not name themselves, as in a plan. ``is_answer`` is False
    for a piece of a file without pages.
    """

    records: list[Any]
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    as_of: datetime | None = None
    identities: Connections | None = None
    is_answer: bool = True
    taken: tuple[datetime | None, ...] = ()


class Restart(msgspec.Struct, frozen=True):
    """The listing moved under the walk: forget every page so far, a new walk begins."""

    reason: str


class End(msgspec.Struct, frozen=True):
    """The listing's end was seen. ``problems`` make the run inconclusive anyway."""

    completeness: Completeness
    walks: int = 1
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


Event = Page | Restart | End | Listed


class Source(Protocol):
    """Where records come from."""

    @property
    def info(self) -> SourceInfo:
        """What reports say about the source; its location contains no credential."""

    @property
    def live(self) -> bool:
        """Whether pages have to be waited for, at most until a deadline."""

    def events(self, decoder: Decoder) -> Iterator[Event]:
        """Yield the listing. Raises SourceError if it cannot go on."""


def more_time(info: SourceInfo | None) -> str:
    """Return what helps against a deadline; only the API's listing by itself can be narrowed."""
    narrows = info is None or info.kind == "api"
    return "raise --timeout" + ", or narrow the listing with --group" * narrows


class InFiles(Protocol):
    """A listing in files, while they are read."""

    @property
    def pages(self) -> list[Any] | None:
        """The pages that were read, without their records; None if there was anything else."""

    def halves(self) -> tuple[Sequence[str], Sequence[str]]:
        """Return the files to read here, and those that a second process may read meanwhile."""

    def events(self, files: Iterable[str]) -> Iterator[Event]:
        """Yield what ``files`` hold, without an end. Raises SourceError if it cannot go on."""

    def join(self, pages: list[Any], ids: list[str]) -> bool:
        """Add ``pages`` that were read elsewhere, with their ``ids``, if all of these are new."""

    def end(self) -> End:
        """Return the end of the listing, with everything that is wrong with it as a whole."""


@runtime_checkable
class Divisible(Protocol):
    """A source whose listing may be read in two halves."""

    def listing(self, decoder: Decoder) -> InFiles:
        """Return the listing, before it is read. Raises SourceError if it has no file."""


@runtime_checkable
class FieldReader(Protocol):
    """A source that reads fields of the records itself, whatever rules read."""

    @property
    def reads(self) -> frozenset[str]:
        """The paths of these fields."""


@runtime_checkable
class Asking(Protocol):
    """A source that asks a server."""

    @property
    def waiting(self) -> str:
        """What it asks for now, and why the last attempts failed; "" if it asks for nothing."""


@runtime_checkable
class Eager(Protocol):
    """A source that can be asked for its first page before it is read."""

    def begin(self) -> None:
        """Ask for the first page now; the next call of ``events`` waits for it."""
