"""``fivetran-auditor fetch``: save a listing as a snapshot.

It saves a whole listing or nothing: if the walk does not end cleanly, an existing snapshot of that
name stays as it was, and the exit code is 3.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Unpack

import click

from auditor.cli.config.command import Configurable, account_of, config_file, keys_of
from auditor.cli.options.shared import (
    ApiOptions,
    allow_empty_option,
    api_options,
    api_source,
    lists_of,
)
from auditor.cli.terminal.streams import Terminal
from auditor.clock import apart
from auditor.errors import Interrupted, SourceError
from auditor.output.inputs import Inputs
from auditor.output.target import Target
from auditor.text import listed, plural

if TYPE_CHECKING:
    from auditor.decoding.listed import Listed
    from auditor.model import SourceInfo
    from auditor.sources.saved.snapshot_file import SnapshotHeader, SnapshotWriter
    from auditor.sources.stream import End, Event, Page

#: A larger difference between clocks than a slow network explains.
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
    help="File to write, - for standard output; compressed if it ends in .gz.  "
    "[default: connections-TIME.ndjson.gz; the account's name with --account]",
)
@click.pass_context
def command(
    context: click.Context,
    /,
    *,
    output: str | None,
    allow_empty: bool,
    timeout: float,
    **api: Unpack[ApiOptions],
) -> int:
    """Save every connection that the API lists, for `audit --snapshot`.

    A snapshot holds whole records, including config, in which Fivetran masks the secrets. Only you
    can read the file: keep it private. It is saved whole or not at all. It also holds the groups'
    names and the account; add more lists of the account with --with.
    """
    from auditor.decoding.kept_rows import kept_rows
    from auditor.decoding.records import WholeRecords
    from auditor.facts.gathered import ALWAYS
    from auditor.sources.background import in_background
    from auditor.sources.saved.snapshot_file import SnapshotWriter

    terminal: Terminal = context.obj

    asked = lists_of(api["lists"])
    decoder = WholeRecords(kept_rows(dict.fromkeys((*ALWAYS, *asked))))
    source = api_source(api, keys_of(context))
    started = datetime.now(UTC)
    account = account_of(context)
    what = "connections" if account is None else account.name
    target = Target.named(output or f"{what}-{started:%Y%m%dT%H%M%SZ}.ndjson.gz")
    inputs = Inputs()
    inputs.add("--config", config_file(context))
    inputs.refuse(f"--output {target}", target, "snapshot")
    header = _header(source.info, started)
    with SnapshotWriter(target, header, terminal.scrubber.text) as writer:
        events = in_background(source.events(decoder), source=source, timeout=timeout)
        saving = _Saving(writer, source.info, terminal, decoder.lists, asked)
        try:
            end, count = saving.read(events)
            _check_whole(end, count, allow_empty=allow_empty)
        except SourceError as error:
            raise SourceError(f"{error}; nothing was saved to {target}") from error
        except Interrupted as interruption:
            interruption.add_note(f"nothing was saved to {target}")
            raise
        writer.finish(walks=end.walks, completeness=end.completeness)
    # A snapshot on standard output has the stream to itself.
    aside = target.is_stdout
    saved = f"Saved {plural(count, 'connection')} from {source.info.location} to {target}"
    terminal.say(f"{saved} ({end.completeness.value}).", to_err=aside)
    if asked:
        rows = [f"{plural(n, 'row')} of {name}" for name, n in sorted(saving.lists.items())]
        terminal.say(f"Also saved: {listed(rows, 'and')}.", to_err=aside)
    terminal.say("It holds whole records, config included: keep it private.", to_err=aside)
    return 0


class _Saving:
    """A listing on its way into a snapshot: lists first, then records as they come."""

    def __init__(
        self,
        writer: SnapshotWriter,
        info: SourceInfo,
        terminal: Terminal,
        wanted: Collection[str],
        asked: Collection[str],
    ) -> None:
        self._writer = writer
        self._info = info
        self._terminal = terminal
        self._wanted = set(wanted)
        self._asked = asked
        self._lists: dict[str, list[Any]] = {}
        #: Pages that came before the last list did.
        self._kept: list[Page] = []
        self._count = self._pages = 0

    @property
    def lists(self) -> dict[str, int]:
        """How many rows of each list were saved, by its name."""
        return {name: len(rows) for name, rows in self._lists.items()}

    def read(self, events: Iterator[Event]) -> tuple[End, int]:
        """Write every page; return the listing's end and how many connections it has.

        Raises SourceError if the listing has no end or holds anything that is not a connection, or
        if a requested list cannot be read.
        """
        from auditor.decoding.listed import Listed
        from auditor.sources.stream import End, Page, Restart

        for event in events:
            if isinstance(event, Restart):
                _warn(self._terminal, f"the walk starts again: {event.reason}")
                self._count, self._pages, self._kept = 0, 0, []
            elif isinstance(event, Listed):
                self._take_list(event)
            elif isinstance(event, Page):
                self._kept.append(event)
            elif isinstance(event, End):
                self._write()
                for warning in event.warnings:
                    _warn(self._terminal, warning)
                self._terminal.end_progress()
                return event, self._count
            if not self._wanted:
                self._write()
        raise SourceError("the listing stopped without its end; run again")

    def _take_list(self, found: Listed) -> None:
        from auditor.fields import FACT_LISTS

        self._wanted.discard(found.name)
        resource = FACT_LISTS[found.name].resource
        wrong = found.problem or "; ".join(found.doubts[:1])
        if wrong and found.name in self._asked:
            raise SourceError(f"{resource}: {wrong}")
        if wrong:
            _warn(self._terminal, f"{resource} are not saved: {wrong}")
        else:
            self._lists[resource] = found.rows

    def _write(self) -> None:
        kept, self._kept = self._kept, []
        for page in kept:
            late = apart(page.as_of, datetime.now(UTC)) if page.as_of else ""
            if problems := [*page.problems, *filter(None, [late])]:
                raise SourceError("; ".join(problems))
            for warning in page.warnings:
                _warn(self._terminal, warning)
            if not self._pages:
                self._writer.restart(_header(self._info, _time_of(page.as_of, self._terminal)))
                for resource, rows in sorted(self._lists.items()):
                    self._writer.add_list(resource, rows)
            self._writer.add(page.records)
            self._count, self._pages = self._count + len(page.records), self._pages + 1
            pages, count = plural(self._pages, "page"), plural(self._count, "connection")
            self._terminal.progress(f"{pages}, {count}")


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
    """Return when a walk began: by our clock, or by the server's if ours is wrong."""
    now = datetime.now(UTC)
    if server is None or abs(server - now) <= _SKEW:
        return now
    _warn(
        terminal,
        f"this machine's clock differs from the server's by {abs(server - now)}; the snapshot "
        "carries the server's time",
    )
    return server


def _warn(terminal: Terminal, message: str) -> None:
    terminal.say(f"warning: {message}", to_err=True)
