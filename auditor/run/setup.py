"""What a run needs before its first page: what to read of each record, and what judges it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from functools import partial

import msgspec
from msgspec.structs import replace

from auditor.decoding.records import Shape
from auditor.facts.dimensions import SHOWN_WITH, Dimensions
from auditor.facts.gathered import ALWAYS, GatheredFacts, names_shown
from auditor.facts.shape import facts_read, shape_of
from auditor.model import Listing, Rule, SourceInfo
from auditor.policy import Ruleset
from auditor.policy.judging.evidence import shown
from auditor.policy.judging.judge import Judge
from auditor.policy.judging.scrub import scrubbed_rules
from auditor.policy.language.conditions import reach
from auditor.run.clock import RunClock
from auditor.run.options import Options
from auditor.run.plan import RunPlan
from auditor.run.scrub import scrubbed
from auditor.sources import FieldReader, Source


class Setup(msgspec.Struct, frozen=True):
    """A run before its first page.

    ``ruleset`` and ``info`` hold no credentials. ``shape`` is what records are decoded into,
    ``facts`` are joined to them, and ``dimensions`` are what reports show of each connection.
    """

    ruleset: Ruleset
    options: Options
    info: SourceInfo
    plan: RunPlan
    clock: RunClock
    shape: Shape
    facts: GatheredFacts
    dimensions: Dimensions

    def judge(self, as_of: datetime | None) -> Judge:
        """Return a judge of one walk whose first page has the time ``as_of``."""
        mode = self.plan.mode(skip_unknown=self.options.skip_unknown)
        now, placed = self.clock.settle(as_of), self.options.parts
        return Judge(self.ruleset, self.shape, now, self.clean, mode, placed=placed)

    def is_whole(self, listing: Listing, rule: Rule) -> bool:
        """Whether every connection of every group of ``rule`` was seen."""
        filters = {name for name, _ in self.info.filters}
        if filters == {"group_id"} and "group_id" in rule.per:
            filters = set()
        return listing.complete and not filters and not self.plan.alone

    def clean(self, text: str) -> str:
        """Return a value as reports may show it."""
        return scrubbed(text, self.options.scrubber)


def set_up(source: Source, ruleset: Ruleset, options: Options) -> Setup:
    """Return what a run over ``source`` needs."""
    plan = RunPlan(source, options.scrubber)
    reads, whole = ruleset.reads()
    if options.waivers is not None:
        more, more_whole = options.waivers.reads()
        reads, whole = reads | more, whole | more_whole
    reads = plan.reads(reads)
    if isinstance(source, FieldReader):
        reads |= source.reads
    also = (*ALWAYS, *options.lists)
    own = ruleset.facts
    dimensions = _dimensions(facts_read(reads | whole, own), options.dimensions)
    reads |= frozenset(dimensions.values())
    shape = shape_of(reads | names_shown(also), whole, own, also=also)
    clean = partial(scrubbed, scrubber=options.scrubber)
    # Values from the user's own files may be shown: that is what they are for.
    reveal = frozenset(field.path for each in own.values() for field in each.fields())
    return Setup(
        ruleset=scrubbed_rules(ruleset, options.scrubber),
        options=options,
        info=_without_credentials(source.info, options),
        plan=plan,
        clock=RunClock(options, live=plan.live, saved=plan.saved),
        shape=shape,
        facts=GatheredFacts(
            shape,
            facts_read(reads | whole, own),
            plan.origin,
            [own[name].table(shape) for name, shape in shape.own.items()],
        ),
        dimensions=Dimensions(
            dimensions, shape, lambda path, value: shown(path, value, reveal, clean), reach
        ),
    )


def _dimensions(read: Collection[str], given: Mapping[str, str]) -> dict[str, str]:
    """Return the paths that reports show of connections: some that rules read, and ``given``."""
    return {name: path for fact, (name, path) in SHOWN_WITH.items() if fact in read} | dict(given)


def _without_credentials(info: SourceInfo, options: Options) -> SourceInfo:
    clean = options.scrubber.text
    filters = tuple((name, clean(value)) for name, value in info.filters)
    return replace(
        info,
        location=clean(info.location),
        filters=filters,
        again=tuple(map(clean, (*info.again, *options.again))),
    )
