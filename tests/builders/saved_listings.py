"""Saved listings for the tests of snapshots: how they are made, and how they are read back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from auditor.decoding.records import Decoder, Shape, WholeRecords
from auditor.model import Completeness
from auditor.output.target import Target
from auditor.sources.saved.snapshot_file import SnapshotHeader, SnapshotWriter
from auditor.sources.saved.source import SnapshotSource
from auditor.sources.stream import End, Page

if TYPE_CHECKING:
    from pathlib import Path

TAKEN_AT = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
HEADER = SnapshotHeader(TAKEN_AT, "https://api.fivetran.com", (("group_id", "g1"),), "0.1.0")


@dataclass(frozen=True)
class Read:
    """What a source yielded: records, problems of pages and of the end, and the end itself."""

    records: list[Any]
    problems: tuple[str, ...]
    end: End
    pages: list[Page]

    @property
    def ids(self) -> list[str]:
        return [r["id"] if isinstance(r, dict) else r.id for r in self.records]

    @property
    def complete(self) -> bool:
        return not self.problems and self.end.completeness is not Completeness.INCOMPLETE


def read(path: Path | str, decoder: Decoder | None = None) -> Read:
    """Read a saved listing to its end; whole records unless a decoder is given."""
    events = list(SnapshotSource(str(path)).events(decoder or WholeRecords()))
    pages = [event for event in events if isinstance(event, Page)]
    end = events[-1]
    assert isinstance(end, End)
    assert len(events) == len(pages) + 1
    return Read(
        [record for page in pages for record in page.records],
        tuple(problem for page in pages for problem in page.problems) + end.problems,
        end,
        pages,
    )


def read_ids(path: Path | str) -> Read:
    """Read a saved listing as an audit does, with nothing decoded but what it needs."""
    return read(path, Shape([]))


def record(number: int, **fields: Any) -> dict[str, Any]:
    """Return a small record; brackets, quotes and braces in it would mislead a naive splitter."""
    return {
        "id": f"c{number}",
        "service": "postgres",
        "schema": 'a "},{" b',
        "group_id": "g1",
        "setup_tests": [{"id": "}"}, {"id": "]"}],
        **fields,
    }


def records(count: int, start: int = 0) -> list[dict[str, Any]]:
    return [record(number) for number in range(start, start + count)]


def answer(items: list[Any], cursor: object = None, **more: Any) -> dict[str, Any]:
    """Return an answer of the list endpoint as the API gives it."""
    data = {"items": items} | ({} if cursor is None else {"next_cursor": cursor})
    return {"code": "Success", "message": "ok", "data": data, **more}


def lines(values: list[Any]) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


def save(path: Path, listing: list[dict[str, Any]], **end: Any) -> Path:
    """Write a snapshot of our own."""
    with SnapshotWriter(Target.named(path), HEADER) as writer:
        writer.add(listing)
        writer.finish(**({"walks": 1, "completeness": Completeness.ONE_PAGE} | end))
    return path
