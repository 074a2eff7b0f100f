"""The gate: from what was listed and judged to the answer a pipeline acts on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

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
#: Why a listing is not enough for --strict.
_DOUBTFUL = {
    Completeness.UNKNOWN: "whether the listing is complete is unknown",
    Completeness.ONE_WALK: "one walk over several pages may not have listed everything; fetch it"
    " with --verify-listing",
}


class Bar(msgspec.Struct, frozen=True):
    """What the gate lets through: ``fail_on`` is the least severity that counts, None for none.

    ``limits`` are how many violations of a severity are allowed; they outrank ``fail_on``.
    ``doubts`` are sentences that say why the listing may not show the account as it is.
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

    ``plan`` is the scope of a Terraform plan, None for a run without one.
    """
    before, after = (
        list(_unlisted(listing, bar, plan)),
        list(_too_little_judged(listing, checks, bar, plan)),
    )
    unsettled = [*before, *_unevaluated(checks), *after]
    violated = list(_violated(checks, bar))
    limits = tuple(sorted(bar.limits.items(), reverse=True))
    if unsettled:
        reasons, doubts = (*unsettled, *violated), (*before, *after)
        return Gate(Outcome.INCONCLUSIVE, INCONCLUSIVE, bar.fail_on, reasons, limits, doubts)
    if violated:
        return Gate(Outcome.VIOLATIONS, VIOLATIONS, bar.fail_on, tuple(violated), limits)
    reasons = tuple(_satisfied(listing, checks, bar, plan))
    return Gate(Outcome.PASSED, CLEAN, bar.fail_on, reasons, limits)


def decide_part(
    whole: Gate,
    gating: Collection[Severity],
    checks: Sequence[RuleChecks],
    connections: int,
    doubts: Iterable[str] = (),
) -> Gate:
    """Return the answer on the part of a run's connections that ``checks`` are of.

    ``whole`` is the answer on all of them, and ``gating`` the severities that it does not let
    through: what is too much for an account is too much in each of its parts. What leaves the whole
    run undecided also leaves the part undecided, and so do ``doubts`` of its own.
    """
    # A severity that gates has used up its allowance.
    limits = {severity: 0 if severity in gating else most for severity, most in whole.limits}
    bar = Bar(whole.fail_on, limits=limits)
    unsettled = [*whole.doubts, *doubts, *_unevaluated(checks)]
    violated = list(_violated(checks, bar, part=True))
    outcome, code = Outcome.PASSED, CLEAN
    reasons = [*unsettled, *violated]
    if unsettled:
        outcome, code = Outcome.INCONCLUSIVE, INCONCLUSIVE
    elif violated:
        outcome, code = Outcome.VIOLATIONS, VIOLATIONS
    else:
        reasons += _judged(connections, checks)
        reasons += _let_through(checks, bar)
    left = tuple(limits.items())
    return Gate(outcome, code, whole.fail_on, tuple(reasons), left, whole.doubts)


def _unlisted(listing: Listing, bar: Bar, plan: PlanScope | None) -> Iterator[str]:
    """Yield why the listing is not, or may not be, all there is."""
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


def _unevaluated(checks: Sequence[RuleChecks]) -> Iterator[str]:
    """Yield how many checks could not be evaluated, if any."""
    errors = sum(rule.count(Verdict.ERROR) for rule in checks)
    if errors:
        at = listed([r.rule.id for r in checks if r.count(Verdict.ERROR)][:3], "and")
        yield f"{plural(errors, 'check')} could not be evaluated ({at})"


def _too_little_judged(
    listing: Listing, checks: Sequence[RuleChecks], bar: Bar, plan: PlanScope | None
) -> Iterator[str]:
    """Yield why too little was judged."""
    if plan is not None:
        yield from _not_planned(checks, bar, plan)
    if bar.strict and not (plan is not None and plan.nothing):
        idle = [
            rule.rule.id
            for rule in checks
            if rule.count(Verdict.SKIP) == rule.total
            and not (rule.not_in_plan or rule.left_unknown or rule.rule.may_be_idle)
        ]
        if idle:
            names = listed(idle, "and")
            yield f"--strict: {plural(len(idle), 'rule')} applied to nothing ({names})"
        if listing.completeness in _DOUBTFUL:
            yield f"--strict: {_DOUBTFUL[listing.completeness]}"


def _not_planned(checks: Sequence[RuleChecks], bar: Bar, plan: PlanScope) -> Iterator[str]:
    """Yield why a plan shows too little."""
    unplanned = sum(rule.not_in_plan for rule in checks)
    if bar.strict and unplanned:
        rest = "rests" if unplanned == 1 else "rest"
        yield f"--strict: {plural(unplanned, 'check')} {rest} on what is not in the plan"
    unknown = sum(rule.left_unknown for rule in checks)
    if bar.strict and unknown:
        rest = "rests" if unknown == 1 else "rest"
        yield f"--strict: {plural(unknown, 'check')} {rest} on what is unknown until applied"
    applied = sum(rule.total - rule.count(Verdict.SKIP) for rule in checks)
    if not plan.touched or applied:
        return
    if unplanned:
        yield "the plan has nothing that the rules read, so nothing was judged; add --over"
    elif unknown:
        yield (
            "all that the rules read is unknown until applied, so nothing was judged; leave out"
            " --on-unknown to see what to write"
        )


def _violated(checks: Sequence[RuleChecks], bar: Bar, *, part: bool = False) -> Iterator[str]:
    """Yield how many violations count, by severity.

    A ``part`` of a run names no limit: the whole run has passed it.
    """
    for severity in sorted(Severity, reverse=True):
        failing = [r for r in checks if r.rule.severity is severity and r.count(Verdict.FAIL)]
        total, most = sum(rule.count(Verdict.FAIL) for rule in failing), bar.allows(severity)
        if most is not None and total > most:
            limited = severity in bar.limits and not part
            limit = f", over --max {severity.label}={most}" if limited else ""
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
    applied = sum(rule.total - rule.count(Verdict.SKIP) for rule in checks)
    if plan is None or not applied:
        yield from _judged(listing.connections, checks)
    else:
        yield from _planned(listing, checks, plan)
    yield from _let_through(checks, bar)


def _judged(connections: int, checks: Sequence[RuleChecks]) -> Iterator[str]:
    if sum(rule.total - rule.count(Verdict.SKIP) for rule in checks):
        yield f"{plural(connections, 'connection')} judged by {_rules(checks)}"
    else:
        # Nobody judged what was listed: a count of both would read as if someone had.
        rules = plural(len(checks), "rule")
        yield f"none of {rules} applied to {plural(connections, 'connection')}"


def _rules(checks: Sequence[RuleChecks]) -> str:
    """Return how many rules applied to anything, and of how many if there are more."""
    applied = sum(rule.count(Verdict.SKIP) < rule.total for rule in checks)
    return f"{applied:,} of " * (applied < len(checks)) + plural(len(checks), "rule")


def _let_through(checks: Sequence[RuleChecks], bar: Bar) -> Iterator[str]:
    """Yield what failed but is allowed, below the bar, waived or known."""
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
    """Yield what a pass over a plan rests on: what the plan shows, and no more."""
    changed = plural(plan.touched, "connection")
    if plan.over:
        yield (
            f"{plural(listing.connections, 'connection')} judged by {_rules(checks)},"
            f" as the plan would leave them; it touches {changed}"
        )
    else:
        yield (
            f"what the plan says of {plural(listing.connections, 'connection')} was judged by"
            f" {_rules(checks)}; it touches {changed}"
        )
    unplanned = sum(rule.not_in_plan for rule in checks)
    unknown = sum(rule.left_unknown for rule in checks)
    if unplanned:
        yield f"{plural(unplanned, 'check')} not made: what they read is not in the plan"
    if unknown:
        yield f"{plural(unknown, 'check')} skipped by --on-unknown: unknown until applied"
