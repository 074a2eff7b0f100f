"""A run: records through rules into a result.

Data flows one way: a source yields pages, the judge judges them, waivers and a baseline accept some
of the findings, and what is left is a result for reports to show and a gate to answer for. A
listing that did not end, a check that could not be evaluated, or nothing to judge at all make a run
inconclusive, never a pass.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec.structs import replace

from auditor.errors import UsageError
from auditor.gate import decide
from auditor.model import Connection, Result, Rule
from auditor.policy import Ruleset
from auditor.policy.judging.judge import Judgement
from auditor.run.acceptance import accepted_of, check_exceptions
from auditor.run.clock import CLOCK_TOLERANCE
from auditor.run.options import DEFAULT_TIMEOUT, Options, Progress
from auditor.run.reader import Reader, SecondHalf
from auditor.run.result import (
    Judged,
    bar_of,
    connections_of,
    info_of,
    judge_before,
    result_of,
    strays_of,
)
from auditor.run.setup import Setup, set_up
from auditor.run.walk import Walk, Wanted
from auditor.sources import Divisible, Event, Source

if TYPE_CHECKING:
    from auditor.policy.judging.tree import Explained

__all__ = [
    "CLOCK_TOLERANCE",
    "DEFAULT_TIMEOUT",
    "Look",
    "Options",
    "Progress",
    "Seen",
    "audit",
    "look",
]


class Seen(msgspec.Struct, frozen=True):
    """A connection that was looked up: its place in the listing, and its record as rules saw it.

    ``why`` explains, for each rule in order, why the rule gave its verdict.
    """

    at: int
    connection: Connection
    record: Any
    why: tuple[tuple[Rule, tuple[Explained, ...]], ...]


class Look(msgspec.Struct, frozen=True):
    """A run, and what it saw of the connections that were looked up.

    ``records`` are those that were kept, by their place in the listing.
    """

    result: Result
    seen: tuple[Seen, ...]
    records: Mapping[int, Any]


def audit(
    source: Source,
    ruleset: Ruleset,
    options: Options | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Result:
    """Judge every connection that ``source`` lists by the rules of ``ruleset``.

    A source that fails does not raise: the result says that the run is inconclusive and why, and
    shows what was judged until then. Raises UsageError for a ruleset without rules, and for a
    baseline of another account; PolicyError for waivers that the policies do not allow.
    """
    return _run(source, ruleset, options or Options(), on_progress).result


def look(
    source: Source,
    ruleset: Ruleset,
    wanted: str,
    options: Options | None = None,
    *,
    whole: bool = False,
) -> Look:
    """Judge as ``audit`` does with ``parts``, and keep the connections that ``wanted`` names.

    That is an id, a name (``schema``), or the address of a plan's resource. With ``whole`` the
    records of all connections are kept. Raises as ``audit`` does.
    """
    from auditor.policy.judging.tree import (  # noqa: PLC0415  # for whoever asks why only
        explained,
    )

    options = replace(options or Options(), parts=True)
    run = _run(source, ruleset, options, wanted=Wanted(wanted, whole))
    seen = [
        Seen(
            at,
            run.result.connections[at],
            record,
            tuple(
                (entry.rule, tuple(explained(run.judgement, entry, at, record)))
                for entry in run.ruleset.rules
            ),
        )
        for at, record in run.walk.kept.items()
        if run.walk.is_called(at, wanted)
    ]
    return Look(run.result, tuple(seen), run.walk.kept)


class _Run(NamedTuple):
    """A run that is over. ``ruleset`` holds no credentials."""

    result: Result
    ruleset: Ruleset
    judgement: Judgement
    walk: Walk


def _run(
    source: Source,
    ruleset: Ruleset,
    options: Options,
    on_progress: Callable[[Progress], None] | None = None,
    wanted: Wanted | None = None,
) -> _Run:
    """Run from the source to the result."""
    if not isinstance(ruleset, Ruleset) or not ruleset.rules:
        raise UsageError("there is no rule to judge by; load_policies returns some")
    check_exceptions(source, ruleset, options)
    run = set_up(source, ruleset, options)

    # Source -> pages -> judge.
    deadline = time.monotonic() + options.timeout if source.live else math.inf
    reader = Reader(run, deadline, on_progress, wanted)
    with closing(_events(source, run, wanted)) as events:
        reader.read(events)
    walk, listing = reader.walk, reader.listing()
    judge = walk.judge or run.judge(None)
    connections = connections_of(run, walk)
    judgement = judge.outcome(partial(run.is_whole, listing))
    change = run.plan.change(judgement, walk.ids, partial(judge_before, run, listing))
    judgement = change.outcome if change else judgement

    # Judge -> acceptance.
    info = info_of(run)
    if options.baseline is not None:
        options.baseline.check_source(info)
    accepted = accepted_of(run, walk, judgement, listing, connections)
    judgement = accepted.outcome if accepted else judgement

    # Acceptance -> gate -> result; the caller makes reports of it.
    scope, checks = run.plan.scope(change), judgement.checks()
    gate = decide(listing, checks, bar_of(run), scope)
    strays = tuple(strays_of(run, walk)) if listing.complete else ()
    judged = Judged(listing, info, connections, judgement, checks, scope, accepted, strays)
    return _Run(result_of(run, judged, gate), run.ruleset, judgement, walk)


def _events(
    source: Source, run: Setup, wanted: Wanted | None
) -> Generator[Event | SecondHalf, None, None]:
    """Yield the events of a source; those of a live one are waited for in the background."""
    if source.live:
        from auditor.sources.background import in_background  # noqa: PLC0415  # for a wait only

        events, limit = source.events(run.shape), run.options.timeout
        yield from in_background(events, source=source, timeout=limit)
    elif isinstance(source, Divisible) and wanted is None:
        from auditor.run.halves import in_halves  # noqa: PLC0415  # for what is saved only

        yield from in_halves(source, run)
    else:
        yield from source.events(run.shape)
