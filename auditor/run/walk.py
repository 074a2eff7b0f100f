"""What one walk through a listing has brought: judged records, and the connections' identities."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from auditor.facts.dimensions import Dimensions
from auditor.model import Connections
from auditor.policy.judging.judge import Judge, JudgedPart
from auditor.sources import Page

if TYPE_CHECKING:
    from auditor.acceptance.match import Watch


class Wanted(msgspec.Struct, frozen=True):
    """Which records a walk keeps: those of connections with this id, name or address, or all."""

    name: str
    whole: bool


class WalkPart(msgspec.Struct, frozen=True):
    """A part of a walk that a second process has read and judged: what ``Walk`` has of it.

    ``pages`` and ``pieces`` are counts, ``columns`` the identities, ``holds`` what a ``Watch`` saw.
    """

    pages: int
    pieces: int
    problems: list[str]
    warnings: list[str]
    columns: tuple[list[str], ...]
    dimensions: Mapping[str, list[str]]
    judged: JudgedPart
    holds: Mapping[int, set[int]]

    @property
    def ids(self) -> list[str]:
        """The ids of the connections."""
        return self.columns[0]


class Walk(msgspec.Struct):
    """One walk so far. ``judge`` is None until the first page, ``watch`` if nothing is waived.

    ``pages`` counts answers of the API, ``pieces`` what the source yielded. ``kept`` are the
    records that somebody looks for, by their place in the listing.
    """

    dimensions: Dimensions
    wanted: Wanted | None = None
    judge: Judge | None = None
    watch: Watch | None = None
    pages: int = 0
    pieces: int = 0
    ids: list[str] = msgspec.field(default_factory=list)
    services: list[str] = msgspec.field(default_factory=list)
    schemas: list[str] = msgspec.field(default_factory=list)
    group_ids: list[str] = msgspec.field(default_factory=list)
    addresses: list[str] = msgspec.field(default_factory=list)
    problems: list[str] = msgspec.field(default_factory=list)
    warnings: list[str] = msgspec.field(default_factory=list)
    kept: dict[int, Any] = msgspec.field(default_factory=dict)
    #: One string per distinct service and group, however many connections have it.
    _known: dict[str, str] = msgspec.field(default_factory=dict)

    def take(self, page: Page) -> None:
        """Judge some of a page, with its facts joined, and keep the identities."""
        assert self.judge is not None
        self.dimensions.take(page.records)
        self.judge.take(page.records)
        self.problems += page.problems
        self.warnings += page.warnings
        self._identify(page)
        records: list[Any] = page.records
        start = len(self.ids) - len(records)
        if self.watch is not None:
            columns = (self.ids, self.services, self.schemas, self.group_ids, self.addresses)
            ids, services, schemas, groups, addresses = (column[start:] for column in columns)
            self.watch.take(records, Connections(ids, services, schemas, groups, addresses))
        if self.wanted is not None:
            for at, record in enumerate(records, start):
                if self.wanted.whole or self.is_called(at, self.wanted.name):
                    self.kept[at] = record

    @property
    def _columns(self) -> tuple[list[str], ...]:
        """The identities, but for the addresses, which records of a plan alone have."""
        return self.ids, self.services, self.schemas, self.group_ids

    def part(self) -> WalkPart:
        """Return what this walk, of a page at least, has brought, for another to join."""
        assert self.judge is not None
        return WalkPart(
            self.pages,
            self.pieces,
            self.problems,
            self.warnings,
            self._columns,
            self.dimensions.columns,
            self.judge.part(),
            self.watch.holds if self.watch is not None else {},
        )

    def join(self, part: WalkPart) -> None:
        """Add a part that follows what this walk has seen."""
        assert self.judge is not None
        if self.watch is not None:
            self.watch.join(part.holds, len(part.ids))
        self.judge.join(part.judged)
        self.dimensions.join(part.dimensions)
        for column, more in zip(self._columns, part.columns, strict=True):
            column.extend(more)
        self.pages += part.pages
        self.pieces += part.pieces
        self.problems += part.problems
        self.warnings += part.warnings

    def _identify(self, page: Page) -> None:
        named = page.identities
        if named is not None:
            self.ids += named.ids
            self.schemas += named.schemas
            self.services += named.services
            self.group_ids += named.group_ids
            self.addresses += named.addresses
            return
        known = self._known.setdefault
        records: list[Any] = page.records
        self.ids += [record.id for record in records]
        self.schemas += _texts([record.schema for record in records])
        self.services += [known(s, s) for s in _texts([r.service for r in records])]
        self.group_ids += [known(g, g) for g in _texts([r.group_id for r in records])]

    def is_called(self, index: int, name: str) -> bool:
        """Whether ``name`` is the id, the name or the address of the connection at ``index``."""
        names = {self.ids[index], self.schemas[index], *self.addresses[index : index + 1]}
        return name in names - {""}

    def connections(self, tidy: Callable[[list[str]], Sequence[str]] = list) -> Connections:
        """Return the identities, with each column as ``tidy`` makes it."""
        return Connections(
            tidy(self.ids),
            tidy(self.services),
            tidy(self.schemas),
            tidy(self.group_ids),
            tuple(self.addresses),
        )


def _texts(values: list[Any]) -> list[str]:
    """Return identities as text, "" if a record has none: no waiver can name that one."""
    return [value if type(value) is str else "" for value in values]
