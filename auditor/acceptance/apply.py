"""The exceptions of a run: waivers and a baseline, applied and reported.

Everything that was accepted, and every waiver that has ended, ends soon or matches nothing, becomes
a sentence that all reports show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from auditor.acceptance.baseline import Baseline
from auditor.acceptance.match import know, waive
from auditor.acceptance.waivers import Waiver, Waivers, rule_problem
from auditor.model import BaselineUse, Connections, Verdict, WaiverUse
from auditor.policy.judging.judge import Judgement
from auditor.policy.language.rules import Ruleset
from auditor.text import listed, plural

#: How many days before its end every report names a waiver.
SOON = timedelta(days=14)


class Observed(msgspec.Struct, frozen=True):
    """What a run saw.

    ``listed`` are the identities as they were listed, ``shown`` as reports show them. ``holds`` is
    what a ``Watch`` saw, ``today`` the time of a real clock. ``whole`` means that nothing was left
    unseen. ``clean`` removes credentials from a text.
    """

    listed: Connections
    shown: Connections
    holds: dict[int, set[int]]
    today: datetime
    whole: bool
    clean: Callable[[str], str] = str


class Accepted(msgspec.Struct, frozen=True):
    """An outcome in which violations are accepted, and the sentences that say so."""

    outcome: Judgement
    accepted: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    waivers: tuple[WaiverUse, ...] = ()
    baseline: BaselineUse | None = None


def accept(
    outcome: Judgement,
    waivers: Waivers | None,
    baseline: Baseline | None,
    seen: Observed,
    ruleset: Ruleset,
) -> Accepted:
    """Return ``outcome`` with what is accepted: by waivers first, because they have an end."""
    notes: list[str] = []
    warnings: list[str] = []
    uses: tuple[WaiverUse, ...] = ()
    known: BaselineUse | None = None
    if waivers is not None:
        outcome, uses = waive(
            outcome, seen.listed, waivers.entries, seen.holds, seen.today, seen.clean
        )
        notes.append(_waived(waivers, uses))
        warnings += (str(problem) for problem in waivers.warnings)
        warnings += _of_waivers(waivers.entries, uses, seen, ruleset)
    if baseline is not None:
        outcome, known = know(outcome, seen.shown, baseline, whole=seen.whole, clean=seen.clean)
        notes.append(_known(baseline, known))
        warnings += _of_baseline(baseline, known, outcome)
    return Accepted(
        outcome, tuple(map(seen.clean, notes)), tuple(map(seen.clean, warnings)), uses, known
    )


def _waived(waivers: Waivers, uses: Sequence[WaiverUse]) -> str:
    in_force = sum(not use.expired for use in uses)
    covered = sum(use.covered for use in uses)
    file = waivers.file
    return (
        f"{plural(covered, 'violation')} waived by {file.file} ({in_force:,} of"
        f" {plural(len(uses), 'waiver')} in force, sha256:{file.sha256})"
    )


def _of_waivers(
    waivers: Sequence[Waiver], uses: Sequence[WaiverUse], seen: Observed, ruleset: Ruleset
) -> Iterator[str]:
    """Yield what people need to know of waivers: ended, ending soon, void, or matching nothing."""
    ids = [entry.rule.id for entry in ruleset.rules]
    today = seen.today.astimezone(UTC).date()
    for waiver, use in zip(waivers, uses, strict=True):
        if use.expired:
            count = plural(use.matched, "violation") if use.matched else "nothing"
            yield f"{waiver.title} has expired (it held {waiver.until}); it covered {count} here"
        elif waiver.expires.date() - today <= SOON:
            yield f"{waiver.title} ends soon: it holds {waiver.until}"
        if use.void:
            of = plural(use.void, "violation")
            yield f"{waiver.title} is void for {of}: no longer {waiver.while_true}"
        wrong = rule_problem(waiver, [*ids, *ruleset.unselected], ruleset.disabled)
        if wrong:
            yield f"{waiver.title} matches nothing: {wrong}"
        elif not use.matched and seen.whole and waiver.fits(ids):
            why = _named_by_name(waiver, seen.shown) or "remove it if the violation is fixed"
            yield f"{waiver.title} matches nothing: {why}"


def _named_by_name(waiver: Waiver, shown: Connections) -> str:
    """Return what to write if ``waiver`` has a group's name, as reports show it; else ""."""
    called = {name: group for group, name in shown.group_names.items()}
    written = {text for s in waiver.connections if s.name == "group" for text in s.exact}
    name = min(written & (called.keys() - shown.group_names.keys()), default="")
    return f"{name} is the name of a group; group takes its id, {called[name]}" if name else ""


def _known(baseline: Baseline, use: BaselineUse) -> str:
    notes = [f"{use.new:,} new", f"{use.fixed:,} fixed"]
    notes += [f"{use.gone:,} gone"] if use.gone else []
    notes += [f"{use.raised:,} of rules made more severe since"] if use.raised else []
    notes += [f"{use.waived:,} waived now"] if use.waived else []
    notes += [f"{use.untold:,} not judged by this run"] if use.untold else []
    return f"{plural(use.known, 'violation')} known from {baseline.title}; {', '.join(notes)}"


def _of_baseline(baseline: Baseline, use: BaselineUse, outcome: Judgement) -> Iterator[str]:
    if use.raised:
        violations = plural(use.raised, "violation")
        yield f"counted again: {violations} of the baseline; the rule has become more severe"
    now = {
        checks.rule.id: checks.rule for checks in outcome.checks() if checks.count(Verdict.KNOWN)
    }
    then = baseline.report.rules
    changed = [r.id for r in then if r.id in now and r.was_changed(now[r.id])]
    if changed:
        were = "rule was" if len(changed) == 1 else "rules were"
        yield (
            f"{len(changed):,} {were} changed since the baseline ({listed(changed[:3], 'and')}):"
            " what is known may be another violation than was accepted; take a new baseline"
        )
