"""What a Terraform plan changes about a run: where records come from, what gates, what reports say.

A run without a plan asks the same questions, and hears that nothing changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec.structs import replace

from auditor.fields import BEFORE, PLAN
from auditor.model import Findings, PlanScope
from auditor.redaction.fields import Scrubber
from auditor.run.scrub import SENTENCE, SHOWN, first, scrubbed, sentences
from auditor.sources import Listed, Source
from auditor.text import plural

if TYPE_CHECKING:
    from auditor.facts.dimensions import Dimensions
    from auditor.policy.judging.change import PlanJudgement
    from auditor.policy.judging.judge import Judgement, PlanMode
    from auditor.sources.plan.source import PlanSource

_T = TypeVar("_T")
#: What a source with a plan calls itself.
_KIND = "terraform-plan"
_NOT_LISTED = "(missing)"
_NOT_KNOWN = "(not known)"
#: Judges the account as it was before the plan, from its records, its other lists and, if there are
#: several accounts, the account of each record.
JudgeBefore = Callable[
    [list[Any], Sequence[Listed], "Sequence[str] | None"], "tuple[Judgement, Sequence[str]]"
]


class RunPlan:
    """The plan of a run, if ``source`` is one."""

    def __init__(self, source: Source, scrubber: Scrubber) -> None:
        self._source = _plan_of(source)
        self._kind = source.info.kind
        self._scrubber = scrubber

    def __bool__(self) -> bool:
        """Whether there is a plan."""
        return self._source is not None

    @property
    def alone(self) -> bool:
        """Whether there is a plan without an account under it: much of the account is unknown."""
        return self._source is not None and self._source.alone

    @property
    def live(self) -> bool:
        """Whether the account is listed by its API, alone or under a plan."""
        return self._kind == "api" or (self._source is not None and self._source.live)

    @property
    def saved(self) -> bool:
        """Whether the account was listed earlier, and saved; a plan by itself lists none."""
        return not self.live and not self.alone

    @property
    def origin(self) -> str:
        """The kind of source that other lists come from."""
        if self.alone:
            return PLAN
        return "api" if self.live else self._kind

    @property
    def missing(self) -> str:
        """What reports show for an identity that is missing."""
        return _NOT_LISTED if self._source is None else _NOT_KNOWN

    def reads(self, reads: frozenset[str]) -> frozenset[str]:
        """Return what to read of each record for rules that read ``reads``."""
        if self._source is None:
            return reads
        # What the plan does not say about the time before it is read from the account.
        return reads | {path.removeprefix(f"{BEFORE}.") for path in reads} | {"sync_frequency"}

    def mode(self, *, skip_unknown: bool) -> PlanMode | None:
        """Return how to judge the plan's records; None without a plan."""
        plan = self._source
        if plan is None:
            return None
        from auditor.policy.judging.change import mode_of  # noqa: PLC0415  # for plans only

        return mode_of(
            plan.placed,
            plan.accounts,
            partial=plan.alone,
            skip_unknown=skip_unknown,
            veiled=plan.veiled,
        )

    def columns(self, dimensions: Dimensions, seen: int) -> Mapping[str, list[str]]:
        """Return what reports show beside each connection's identity, without sensitive values.

        ``seen`` is how many connections were judged.
        """
        plan = self._source
        if plan is None:
            return dimensions.columns
        from auditor.policy.judging.change import veil  # noqa: PLC0415  # for plans only

        return veil(
            dimensions.columns,
            dimensions.paths,
            _before(plan.placed, seen),
            _before(plan.veiled, seen),
        )

    def names(self, groups: Mapping[str, str]) -> Mapping[str, str]:
        """Return the names of groups by id, without those that the plan marks as sensitive."""
        if self._source is None:
            return groups
        hidden = self._source.unnamed_groups
        return {id_: name for id_, name in groups.items() if id_ not in hidden}

    def change(
        self, found: Judgement, ids: Sequence[str], judge_before: JudgeBefore
    ) -> PlanJudgement | None:
        """Return ``found`` as the gate judges a change; None without a plan.

        ``ids`` are the connections that were judged. If a deadline left some out, nobody knows what
        the plan fixes, so the result does not say.
        """
        plan = self._source
        if plan is None:
            return None
        from auditor.policy.judging.change import changed  # noqa: PLC0415  # for plans only

        before = None if plan.alone else judge_before(plan.before, plan.lists, plan.accounts_before)
        seen = len(ids)
        change = changed(found, ids, _before(plan.placed, seen), before, _before(plan.rows, seen))
        return change if seen == plan.count else replace(change, mended=(), improved=())

    def scope(self, change: PlanJudgement | None) -> PlanScope | None:
        """Return what the run covers; None without a plan."""
        plan = self._source
        if change is None:
            return None
        assert plan is not None
        return PlanScope(
            nothing=plan.nothing,
            touched=len(plan.estate.touched),
            over=scrubbed(plan.over, self._scrubber, SENTENCE),
            saved=self.saved,
            mended=sentences(change.mended, self._scrubber),
            improved=sentences(change.improved, self._scrubber),
        )

    def notes(self, scope: PlanScope | None) -> Iterator[str]:
        """Yield what every report says about the plan."""
        if scope is None:
            return
        assert self._source is not None
        yield from self._source.notes()
        if scope.mended:
            shown = "; ".join(first(scope.mended, "fixed violation")[:SHOWN])
            yield f"fixed by this change: {plural(len(scope.mended), 'violation')} ({shown})"
        for text in scope.improved:
            yield f"improved by this change: {text}"

    def with_resources(self, findings: Findings, clean: Callable[[str], str]) -> Findings:
        """Return ``findings`` with their connections' resources, and what to change in them."""
        plan, ids = self._source, findings.connections.ids
        if plan is None:
            return findings
        from auditor.policy.judging.change import with_resources  # noqa: PLC0415  # for plans only

        found = with_resources(
            findings,
            {ids[place]: each for place, each in _before(plan.placed, len(ids)).items()},
            {ids[place]: each for place, each in _before(plan.rows, len(ids)).items()},
            clean,
            plan.locate,
        )
        return Findings.of(found, findings.connections)


def _before(by_place: Mapping[int, _T], end: int) -> dict[int, _T]:
    """Return what is at places before ``end``: a deadline may leave the others unjudged."""
    return {place: each for place, each in by_place.items() if place < end}


def _plan_of(source: Source) -> PlanSource | None:
    """Return ``source`` if it is a plan."""
    if source.info.kind != _KIND:
        return None
    from auditor.sources.plan.source import PlanSource  # noqa: PLC0415  # for plans only

    return source if isinstance(source, PlanSource) else None
