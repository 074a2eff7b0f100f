"""The waivers and the baseline of a run: checked before it, applied to what it found."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from auditor.model import Completeness, Connections, Listing
from auditor.policy import Ruleset
from auditor.policy.judging.judge import Judgement
from auditor.run.options import Options
from auditor.run.scrub import SENTENCE, scrubbed
from auditor.run.setup import Setup
from auditor.run.walk import Walk
from auditor.sources import Source

if TYPE_CHECKING:
    from auditor.acceptance.apply import Accepted


def check_exceptions(source: Source, ruleset: Ruleset, options: Options) -> None:
    """Raise UsageError for a baseline of another account, PolicyError for waivers not allowed."""
    if options.baseline is not None:
        options.baseline.check_source(source.info)
    if options.waivers is not None:
        from auditor.acceptance.waivers import (  # noqa: PLC0415  # for runs with waivers only
            check_terms,
        )

        check_terms(options.waivers, (entry.rule for entry in ruleset.rules), options.clock())


def accepted_of(
    run: Setup, walk: Walk, found: Judgement, listing: Listing, connections: Connections
) -> Accepted | None:
    """Return ``found`` with what waivers cover and a baseline knows; None for a run without any.

    Raises UsageError for a baseline of another account, which only its connections may show.
    """
    options = run.options
    if options.waivers is None and options.baseline is None:
        return None
    from auditor.acceptance.apply import (  # noqa: PLC0415  # for runs with exceptions only
        Observed,
        accept,
    )

    unfiltered = listing.complete and not run.info.filters
    if options.baseline is not None and unfiltered and walk.ids and not run.plan:
        options.baseline.check_connections(frozenset(connections.ids))
    known = listing.completeness is not Completeness.UNKNOWN
    seen = Observed(
        listed=walk.connections(),
        shown=connections,
        holds=walk.watch.holds if walk.watch is not None else {},
        today=run.clock.today,
        whole=unfiltered and known and not run.plan.alone,
        clean=partial(scrubbed, scrubber=options.scrubber, limit=SENTENCE),
    )
    return accept(found, options.waivers, options.baseline, seen, run.ruleset)
