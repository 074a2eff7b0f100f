"""The gate: from what was listed and judged to the answer a pipeline acts on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from auditor.model import (
    Completeness,
    Gate,
    Listing,
    Outcome,
    PlanScope,
    RuleChecks,
    Severity,
    Verdict,
    allowed,
)
from auditor.text import listed, plural

CLEAN, VIOLATIONS, INCONCLUSIVE = 0, 1, 3


class Bar(msgspec.Struct, frozen=True):
    """What the gate lets through: ``fail_on`` is the least severity that counts, None for none.

    ``limits`` are the violations that are allowed of a severity; they outrank ``fail_on``.
    ``doubts`` are sentences that say why what was listed is not the account as it has to be.
    """

    fail_on: Severity | None = Severity.LOW
    strict: bool = False
    allow_empty: bool = False
    limits: Mapping[Severity, int] = msgspec.field(default_factory=dict)
    doubts: tuple[str, ...] = ()

    def allows(self, severity: Severity) -> int | None:
        """Return how many violations of ``severity`` pass; None for any number."""
        return allowed(severity, self.fail_on, self.limits)


def decide(
    listing: Listing, checks: Sequence[RuleChecks], bar: Bar, plan: PlanScope | None = None
) -> Gate:
    """Return the gate's answer: inconclusive outranks violations, which outrank a pass.

    ``plan`` is what a Terraform plan speaks of, None for a run without one.
    """
    unsettled = list(_unsettled(listing, checks, bar, plan))
    violated = list(_violated(checks, bar))
    limits = tuple(sorted(bar.limits.items(), reverse=True))
    if unsettled:
        reasons = (*unsettled, *violated)
        return Gate(Outcome.INCONCLUSIVE, INCONCLUSIVE, bar.fail_on, reasons, limits)
    if violated:
        return Gate(Outcome.VIOLATIONS, VIOLATIONS, bar.fail_on, tuple(violated), limits)
    reasons = tuple(_satisfied(listing, checks, bar, plan))
    return Gate(Outcome.PASSED, CLEAN, bar.fail_on, reasons, limits)


def _unsettled(
    listing: Listing, checks: Sequence[RuleChecks], bar: Bar, plan: PlanScope | None
) -> Iterator[str]:
    """Yield why nothing can be said for certain."""
    for problem in listing.problems:
        yield problem if plan is not None else f"the listing is incomplete: {problem}"
    if listing.completeness is Completeness.INCOMPLETE and not listing.problems:
        yield "the listing is incomplete"
    yield from bar.doubts
    nothing_seen = listing.complete and not listing.connections
    if nothing_seen and not bar.allow_empty and plan is None:
        yield (
            "no connection was listed, so nothing was judged: check the key's permissions and the"
            " filters, or pass --allow-empty if there are none"
        )
    errors = sum(rule.count(Verdict.ERROR) for rule in checks)
    if errors:
        at = listed([r.rule.id for r in checks if r.count(Verdict.ERROR)][:3], "and")
        yield f"{plural(errors, 'check')} could not be evaluated ({at})"
    if plan is not None:
        yield from _not_planned(checks, bar, plan)
    if bar.strict and not (plan is not None and plan.nothing):
        idle = [
            rule.rule.id
            for rule in checks
            if rule.count(Verdict.SKIP) == rule.total
            and not (rule.not_in_plan or rule.rule.may_be_idle)
        ]
        if idle:
            names = listed(idle, "and")
            yield f"--strict: {plural(len(idle), 'rule')} applied to nothing ({names})"
        if listing.completeness is Completeness.UNKNOWN:
            yield "--strict: whether the listing is complete is unknown"


def _not_planned(checks: Sequence[RuleChecks], bar: Bar, plan: PlanScope) -> Iterator[str]:
    """Yield why a plan tells too little."""
    unplanned = sum(rule.not_in_plan for rule in checks)
    if bar.strict and unplanned:
        rest = "rests" if unplanned == 1 else "rest"
        yield f"--strict: {plural(unplanned, 'check')} {rest} on what is not in the plan"
    applied = sum(rule.total - rule.count(Verdict.SKIP) for rule in checks)
    if plan.touched and unplanned and not applied:
        yield "the plan holds nothing that the rules read, so nothing was judged; add --over"


def _violated(checks: Sequence[RuleChecks], bar: Bar) -> Iterator[str]:
    """Yield how many violations count, by severity."""
    for severity in sorted(Severity, reverse=True):
        failing = [r for r in checks if r.rule.severity is severity and r.count(Verdict.FAIL)]
        total, most = sum(rule.count(Verdict.FAIL) for rule in failing), bar.allows(severity)
        if most is not None and total > most:
            limit = f", over --max {severity.label}={most}" if severity in bar.limits else ""
            rules = plural(len(failing), "rule")
            yield f"{plural(total, f'{severity.label} violation')} of {rules}{limit}"


def _satisfied(
    listing: Listing, checks: Sequence[RuleChecks], bar: Bar, plan: PlanScope | None
) -> Iterator[str]:
    """Yield what a pass rests on."""
    if plan is not None and plan.nothing:
        yield plan.nothing
        return
    if not listing.connections and plan is None:
        yield "no connection was listed, which --allow-empty accepts"
        return
    if not sum(rule.total - rule.count(Verdict.SKIP) for rule in checks):
        # What was listed was judged by nobody: a count of both would read as if it had been.
        rules = plural(len(checks), "rule")
        yield f"none of {rules} applied to {plural(listing.connections, 'connection')}"
    elif plan is None:
        yield f"{plural(listing.connections, 'connection')} judged by {plural(len(checks), 'rule')}"
    else:
        yield from _planned(listing, checks, plan)
    below = 0
    for severity in sorted(Severity, reverse=True):
        failed = sum(r.count(Verdict.FAIL) for r in checks if r.rule.severity is severity)
        if severity not in bar.limits:
            below += failed
        elif failed:
            limit = f"--max {severity.label}={bar.limits[severity]}"
            yield f"{plural(failed, f'{severity.label} violation')} allowed by {limit}"
    if below:
        least = bar.fail_on.label if bar.fail_on else "none"
        yield f"{plural(below, 'violation')} below the bar (--fail-on {least})"
    for verdict in (Verdict.WAIVED, Verdict.KNOWN):
        if count := sum(rule.count(verdict) for rule in checks):
            yield f"{plural(count, 'violation')} {verdict.label}"


def _planned(listing: Listing, checks: Sequence[RuleChecks], plan: PlanScope) -> Iterator[str]:
    """Yield what a pass over a plan rests on: what it holds, and no more."""
    judged = [rule for rule in checks if rule.count(Verdict.SKIP) < rule.total]
    changed = plural(plan.touched, "connection")
    if plan.over:
        yield (
            f"{plural(listing.connections, 'connection')} judged by {plural(len(checks), 'rule')},"
            f" as the plan would leave them; it touches {changed}"
        )
    else:
        yield (
            f"what the plan holds of {plural(listing.connections, 'connection')} was judged by"
            f" {len(judged):,} of {plural(len(checks), 'rule')}; it touches {changed}"
        )
    unplanned = sum(rule.not_in_plan for rule in checks)
    unknown = sum(rule.left_unknown for rule in checks)
    if unplanned:
        yield f"{plural(unplanned, 'check')} not made: what they read is not in the plan"
    if unknown:
        yield f"{plural(unknown, 'check')} skipped by --on-unknown: unknown until applied"
