"""The result of a run: what was judged and found, as reports show it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from auditor.gate import Bar
from auditor.model import (
    Account,
    Connections,
    FactsInfo,
    Findings,
    Gate,
    Listing,
    PlanScope,
    Result,
    RuleChecks,
    RuleReasons,
    SourceInfo,
    group_label,
)
from auditor.policy.judging.judge import Judge, Judgement, PlanMode
from auditor.policy.judging.scrub import scrubbed_findings
from auditor.run.scrub import SENTENCE, scrubbed, scrubbed_column, sentences
from auditor.run.setup import Setup
from auditor.run.walk import Walk
from auditor.sources import Listed
from auditor.text import one_line, plural, printable
from auditor.version import __version__

if TYPE_CHECKING:
    from auditor.acceptance.apply import Accepted


class Judged(msgspec.Struct, frozen=True):
    """The result of a run. ``accepted`` is None for a run without waivers or a baseline.

    ``strays`` name the user's own facts whose rows match no connection.
    """

    listing: Listing
    info: SourceInfo
    connections: Connections
    judgement: Judgement
    checks: tuple[RuleChecks, ...]
    scope: PlanScope | None
    accepted: Accepted | None
    strays: tuple[str, ...] = ()


def connections_of(run: Setup, walk: Walk) -> Connections:
    """Return the connections of a walk as reports show them."""
    tidy = partial(scrubbed_column, scrubber=run.options.scrubber, missing=run.plan.missing)
    names = run.plan.names(run.facts.group_names).items()
    return dataclasses.replace(
        walk.connections(tidy),
        group_names={run.clean(name): run.clean(text) for name, text in names},
        dimensions=run.plan.columns(walk.dimensions, len(walk.ids)),
    )


def judge_before(
    run: Setup,
    listing: Listing,
    records: list[Any],
    lists: Sequence[Listed],
    accounts: Sequence[str] | None,
) -> tuple[Judgement, Sequence[str]]:
    """Return the judgement of the account as it was before a plan, and the ids of ``records``.

    With several ``accounts``, one for each record, each is judged by itself.
    """
    mode = PlanMode(accounts=accounts) if accounts is not None else None
    judge = Judge(run.ruleset, run.shape, run.clock.settle(None), run.clean, mode)
    run.facts.with_lists(lists).join(records)
    judge.take(records)
    return judge.outcome(partial(run.is_whole, listing)), run.shape.ids(records)


def strays_of(run: Setup, walk: Walk) -> Iterator[str]:
    """Yield the user's own facts whose rows match nothing in the whole account.

    If a key is misspelt in all rows, the rules on them would be idle, and look like a pass. Facts
    keyed by a field of which the run keeps no column are not checked.
    """
    if run.plan or run.info.filters:
        return
    names = run.facts.group_names
    columns: dict[str, Sequence[str]] = {
        "id": walk.ids,
        "schema": walk.schemas,
        "service": walk.services,
        "group_id": walk.group_ids,
        "group.name": [names[each] for each in set(walk.group_ids) if each in names],
    }
    for name in run.shape.own:
        own = run.ruleset.facts[name]
        keys = columns.get(own.key)
        if own.rows and keys and not own.has_row_of(dict.fromkeys(keys)):
            yield (
                f"no connection has a row of {name} ({plural(len(own.rows), 'row')} of"
                f" {printable(own.origin)}): none has its {own.key} for a key; correct the keys"
            )


def info_of(run: Setup) -> SourceInfo:
    """Return what reports say about the source, with the account that it named."""
    account = run.facts.account
    shown = account and Account(run.clean(account.id), run.clean(account.name))
    return replace(run.info, account=shown)


def bar_of(run: Setup) -> Bar:
    """Return what the gate lets through."""
    options = run.options
    return Bar(
        options.fail_on,
        strict=options.strict,
        allow_empty=options.allow_empty,
        limits=options.limits,
        doubts=tuple(run.clock.doubts()),
    )


def result_of(run: Setup, judged: Judged, gate: Gate) -> Result:
    """Return the result with the answer of ``gate``."""
    options, ruleset, accepted = run.options, run.ruleset, judged.accepted
    notes = (*options.notes, *ruleset.notes, *run.plan.notes(judged.scope))
    return Result(
        version=__version__,
        judged_at=run.clock.settle(None),
        source=judged.info,
        taken_at=run.clock.taken_at,
        listing=judged.listing,
        policies=ruleset.policies,
        connections=judged.connections,
        checks=judged.checks,
        gate=gate,
        describe=_Describe(run, judged),
        # Needed by every part that reports are split into.
        reason=cache(partial(_reasons, replace(judged.judgement, found=(), described=()))),
        clock_note=run.clock.note,
        left_out=(*_narrowed(run.info, judged.connections), *ruleset.left_out),
        narrowed_by=(
            *(f"{name}={value}" for name, value in run.info.filters),
            *filter(None, [ruleset.selected_by]),
        ),
        warnings=(
            *ruleset.warnings,
            *run.clock.warnings,
            *sentences(run.facts.warnings(), options.scrubber),
            *sentences(judged.strays, options.scrubber),
            *judged.judgement.undocumented.sentences(judged.connections, run.clean),
            *(accepted.warnings if accepted else ()),
        ),
        accepted=accepted.accepted if accepted else (),
        waivers=accepted.waivers if accepted else (),
        baseline=accepted.baseline if accepted else None,
        notes=sentences(notes, options.scrubber),
        plan=judged.scope,
        pipeline=options.pipeline,
        checkout=options.checkout,
        docs_url=options.docs_url,
        facts=tuple(_facts(run)),
    )


class _Describe:
    """Describes the findings of a run when somebody asks for them, once.

    It then lets go of the values that they were made from, which take more memory than they do.
    """

    def __init__(self, run: Setup, judged: Judged) -> None:
        self._connections = judged.connections
        self._judgement: Judgement | None = judged.judgement
        self._run = run
        self._found = Findings((), judged.connections)

    def __call__(self) -> Findings:
        if self._judgement is not None:
            plan, scrubber = self._run.plan, self._run.options.scrubber
            found = self._judgement.findings(self._connections)
            found = plan.with_resources(found, self._run.clean)
            self._found = scrubbed_findings(found, scrubber)
            self._judgement = None
        return self._found


def _reasons(judgement: Judgement) -> Mapping[str, RuleReasons]:
    """Return why each finding got its verdict, once all have been described."""
    from auditor.policy.judging.reasons import reasons_of  # noqa: PLC0415  # for pages only

    return reasons_of(judgement)


def _narrowed(info: SourceInfo, connections: Connections) -> Iterator[str]:
    for name, value in info.filters:
        shown = one_line(value)
        if name == "group_id":
            label = group_label(shown, connections.group_names.get(value, ""))
            yield f"only connections of the group {label} were listed"
        else:
            called = "the name" if name == "schema" else name
            yield f"only connections with {called} {shown} were listed"


def _facts(run: Setup) -> Iterator[FactsInfo]:
    """Yield where the facts of the run came from; the user's own files come last."""
    for info in (*run.facts.infos(), *(own.info for own in run.ruleset.facts.values())):
        problem = scrubbed(info.problem, run.options.scrubber, SENTENCE)
        yield replace(info, problem=problem)
