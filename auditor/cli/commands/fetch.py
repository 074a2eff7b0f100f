"""``fivetran-auditor fetch``: save a listing as a snapshot.

What is saved is a whole listing or nothing: when the walk does not come to a clean end, a
snapshot that stood under the name before stays as it was, and the exit code is 3.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click

from auditor.cli.config.command import Configurable
from auditor.cli.options.shared import ApiOptions, allow_empty_option, api_options, api_source
from auditor.cli.terminal.streams import Terminal
from auditor.clock import apart
from auditor.errors import Interrupted, ReportError, SourceError
from auditor.text import plural, printable

if TYPE_CHECKING:
    from auditor.model import SourceInfo
    from auditor.sources.saved.snapshot_file import SnapshotHeader, SnapshotWriter
    from auditor.sources.stream import End, Event

_STDOUT = ("-", "/dev/stdout", "/dev/fd/1")
#: Clocks that differ by more than this are not told apart by a slow network.
_SKEW = timedelta(seconds=300)


@click.command(
    name="fetch",
    cls=Configurable,
    keys={"output": None},
    short_help="Save a listing as a snapshot.",
)
@api_options
@allow_empty_option
@click.option(
    "-o",
    "--output",
    metavar="PATH",
    help="Where to, - for standard output; compressed if it ends in .gz.  "
    "[default: connections-TIME.ndjson.gz]",
)
@click.pass_obj
def command(
    terminal: Terminal,
    /,
    *,
    output: str | None,
    allow_empty: bool,
    timeout: float,
    **api: Unpack[ApiOptions],
) -> int:
    """Save every connection that the API lists, for `audit --snapshot`.

    A snapshot holds whole records, config included (Fivetran masks the secrets in it), and is
    readable by you alone: keep it private. It is saved whole or not at all.
    """
    from auditor.decoding.records import WholeRecords
    from auditor.sources.ahead import read_ahead

    source = api_source(api)
    started = datetime.now(UTC)
    path = output or f"connections-{started:%Y%m%dT%H%M%SZ}.ndjson.gz"
    with _writer(path, _header(source.info, started)) as writer:
        events = read_ahead(source.events(WholeRecords()), source=source, timeout=timeout)
        try:
            end, count = _save(events, writer, source.info, terminal)
            _check_whole(end, count, allow_empty=allow_empty)
        except SourceError as error:
            raise SourceError(f"{error}; nothing was saved to {_name(path)}") from error
        except Interrupted as interruption:
            interruption.add_note(f"nothing was saved to {_name(path)}")
            raise
        writer.finish(walks=end.walks, completeness=end.completeness)
    # A snapshot on standard output has it to itself.
    aside = path in _STDOUT
    saved = f"Saved {plural(count, 'connection')} from {source.info.location} to {_name(path)}"
    terminal.say(f"{saved} ({end.completeness.value}).", to_err=aside)
    terminal.say("It holds whole records, config included: keep it private.", to_err=aside)
    return 0


def _save(
    events: Iterator[Event], writer: SnapshotWriter, info: SourceInfo, terminal: Terminal
) -> tuple[End, int]:
    """Write every page; return the listing's end and how many connections it has.

    Raises SourceError where the listing has no end, or anything that is no connection.
    """
    from auditor.sources.stream import Page, Restart

    count, pages = 0, 0
    for event in events:
        if isinstance(event, Restart):
            _warn(terminal, f"the walk begins anew: {event.reason}")
            count, pages = 0, 0
        elif isinstance(event, Page):
            late = apart(event.as_of, datetime.now(UTC)) if event.as_of else ""
            if problems := [*event.problems, *filter(None, [late])]:
                raise SourceError("; ".join(problems))
            for warning in event.warnings:
                _warn(terminal, warning)
            if not pages:
                writer.restart(_header(info, _time_of(event.as_of, terminal)))
            writer.add(event.records)
            count, pages = count + len(event.records), pages + 1
            terminal.progress(f"{plural(pages, 'page')}, {plural(count, 'connection')}")
        else:
            for warning in event.warnings:
                _warn(terminal, warning)
            terminal.end_progress()
            return event, count
    raise SourceError("the listing stopped without its end; run again")


def _check_whole(end: End, count: int, *, allow_empty: bool) -> None:
    if end.problems:
        raise SourceError("; ".join(end.problems))
    if not count and not allow_empty:
        raise SourceError(
            "the API lists no connections; check --group, --schema and what the API key may see, "
            "or use --allow-empty"
        )


def _header(info: SourceInfo, taken_at: datetime) -> SnapshotHeader:
    from auditor.sources.saved.snapshot_file import SnapshotHeader
    from auditor.version import __version__

    return SnapshotHeader(taken_at, info.location, info.filters, __version__)


def _time_of(server: datetime | None, terminal: Terminal) -> datetime:
    """Return when a walk began: by our clock, or the server's where ours is wrong."""
    now = datetime.now(UTC)
    if server is None or abs(server - now) <= _SKEW:
        return now
    _warn(
        terminal,
        f"this machine's clock differs from the server's by {abs(server - now)}; the snapshot "
        "carries the server's time",
    )
    return server


@contextmanager
def _writer(path: str, header: SnapshotHeader) -> Iterator[SnapshotWriter]:
    """Open the snapshot before anything is fetched. Raises ReportError."""
    from auditor.sources.saved.snapshot_file import SnapshotWriter

    descriptor, opened = _descriptor(path)
    try:
        with SnapshotWriter(Path(path), header, descriptor=descriptor) as writer:
            yield writer
    finally:
        if opened and descriptor is not None:
            os.close(descriptor)


def _descriptor(path: str) -> tuple[int | None, bool]:
    """Return where to write what cannot be replaced, and whether it was opened here."""
    try:
        if path in _STDOUT:
            if sys.stdout is None or sys.stdout.closed:
                raise ReportError("standard output is closed; name a file with --output")
            return sys.stdout.fileno(), False
        place = Path(path)
        if place.exists() and not place.is_file() and not place.is_dir():
            return os.open(place, os.O_WRONLY), True
    except (OSError, ValueError, io.UnsupportedOperation) as error:
        raise ReportError(f"{_name(path)}: the snapshot cannot be written: {error}") from error
    return None, False


def _warn(terminal: Terminal, message: str) -> None:
    terminal.say(f"warning: {message}", to_err=True)


def _name(path: str) -> str:
    return "standard output" if path in _STDOUT else printable(path)
