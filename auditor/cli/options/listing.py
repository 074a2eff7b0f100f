"""Options of commands that look up one connection in a listing, and the look-up itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from auditor.cli.options import completion
from auditor.cli.options.shared import ApiOptions, Keys, api_options, api_source, given, lists_of
from auditor.cli.terminal.streams import Terminal
from auditor.errors import SourceError, UsageError, about
from auditor.text import listed, nearest, one_line, plural

if TYPE_CHECKING:
    from auditor.acceptance.waivers import Waivers
    from auditor.model import Connections
    from auditor.policy.language.rules import Ruleset
    from auditor.run import Look, Seen
    from auditor.sources import Source

_F = TypeVar("_F", bound=Callable[..., Any])
_NAMED = 5

snapshot_option = click.option(
    "--snapshot",
    metavar="FILE",
    shell_complete=completion.files,
    help="Where CONNECTION is: a snapshot, saved API responses, one record, - for stdin."
    "  [default: the live account]",
)


def listing_options(command: _F) -> _F:
    """Add the options that say where a connection is listed."""
    return snapshot_option(api_options(command))


def listing_of(context: click.Context, snapshot: str | None, api: ApiOptions, keys: Keys) -> Source:
    """Return the listing that the options name. Raises UsageError for those that do not fit."""
    if snapshot is None:
        return api_source(api, keys)
    return saved_listing(
        snapshot, given(context, {*ApiOptions.__annotations__, "timeout"}, "snapshot")
    )


def saved_listing(path: str, misplaced: list[str]) -> Source:
    """Return the saved listing at ``path``; ``misplaced`` are options that do not apply to it.

    Raises UsageError for one of those, and for a path that does not exist.
    """
    if misplaced:
        raise UsageError(f"{listed(misplaced, 'and')} cannot narrow or reach a --snapshot")
    from auditor.sources.saved.source import SnapshotSource, check_path

    with about("snapshot"):
        check_path(path)
    return SnapshotSource(path)


def typed(context: click.Context, names: set[str]) -> list[str]:
    """Return those of the options, by their parameters, that are on the command line."""
    return [
        max(parameter.opts, key=len)
        for parameter in context.command.params
        if parameter.name in names
        and context.get_parameter_source(str(parameter.name)) is ParameterSource.COMMANDLINE
    ]


def seen_in(
    source: Source,
    ruleset: Ruleset,
    name: str,
    terminal: Terminal,
    *,
    now: datetime | None = None,
    timeout: float,
    lists: Iterable[str] = (),
    skip_unknown: bool = False,
    waivers: Waivers | None = None,
    whole: bool = False,
) -> tuple[Look, Seen]:
    """Return a run over ``source``, and the one connection in it that ``name`` names.

    Raises UsageError if a whole listing has none, or several; SourceError if the listing broke off
    before it was seen.
    """
    from auditor.run import Options, look

    options = Options(
        now=now,
        timeout=timeout,
        scrubber=terminal.scrubber,
        lists=lists_of(lists),
        skip_unknown=skip_unknown,
        waivers=waivers,
    )
    found = look(source, ruleset, name, options, whole=whole)
    by_id = [seen for seen in found.seen if seen.connection.id == name]
    named = by_id or found.seen
    listing = found.result.listing
    if not named:
        # Imported here: hardly any run comes to this.
        from auditor.sources.plan.source import PlanSource

        if isinstance(source, PlanSource) and source.ends(name):
            raise UsageError(
                f"the plan ends {one_line(name)}, so only rules on the change itself judge it:"
                " those that read plan.*, such as plan.action"
            )
        if listing.problems or not listing.complete:
            why = "; ".join(listing.problems) or "the listing is incomplete"
            raise SourceError(f"no connection {one_line(name)} was seen, and {why}")
        raise UsageError(_unknown(name, found.result.connections))
    ids = list(dict.fromkeys(seen.connection.id for seen in named))
    if len(ids) > 1:
        shown = [
            f"{seen.connection.id} ({seen.connection.service}, in {seen.connection.group})"
            for seen in named[:_NAMED]
        ]
        more = [f"{len(named) - _NAMED:,} more"] if len(named) > _NAMED else []
        raise UsageError(
            f"{one_line(name)} is the name of {plural(len(ids), 'connection')}; give an id:"
            f" {listed([*shown, *more])}"
        )
    return found, named[0]


def _unknown(name: str, connections: Connections) -> str:
    known = dict.fromkeys((*connections.ids, *connections.schemas, *connections.addresses))
    # A large account has many similar names, and comparing with all of them is slow.
    near = nearest(name, list(known)[:50_000])
    hint = f"did you mean {one_line(near)}?" if near else "give an id, or a connection's name"
    count = plural(len(connections), "connection")
    return f"no connection is called {one_line(name)}, of {count} ({hint})"
