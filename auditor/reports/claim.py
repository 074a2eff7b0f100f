"""What a run may claim: the one source of every format's words.

A sentence that claims more than was judged makes a green that was not earned. So it says what was
judged (everything, what one walk listed, a saved file of unknown completeness, a selection),
whether any check was made, and what failed without gating.
"""

from __future__ import annotations

from typing import NamedTuple

from auditor.model import (
    NOT_READ,
    Completeness,
    Finding,
    Outcome,
    Part,
    PlanScope,
    Result,
    Verdict,
)
from auditor.text import plural

#: The heading of each outcome.
HEADINGS = {
    Outcome.PASSED: "Passed",
    Outcome.VIOLATIONS: "Violations",
    Outcome.INCONCLUSIVE: "Inconclusive",
}
#: What was judged, by how complete the listing is; none of them claims the whole account.
_JUDGED = {
    Completeness.ONE_PAGE: "Everything that was listed was judged",
    Completeness.VERIFIED: "Everything that was listed was judged",
    Completeness.SNAPSHOT: "Everything in the snapshot was judged",
    Completeness.ONE_WALK: "Everything that one walk over several pages listed was judged",
    Completeness.PLAN: "Everything in the plan was judged",
    Completeness.UNKNOWN: "Everything that was saved was judged; whether more exists is unknown",
    Completeness.INCOMPLETE: "Not everything was listed",
}
#: What is known about a listing of which nothing was judged.
_LISTED = {
    Completeness.ONE_WALK: "; one walk over several pages may not have listed everything",
    Completeness.UNKNOWN: "; whether more exists than was saved is unknown",
}
#: How violations that do not gate are called.
_ACCEPTED = {Verdict.FAIL: "allowed", Verdict.WAIVED: "waived", Verdict.KNOWN: "known"}
_NOT_A_PASS = "Not everything could be judged: do not read this as a pass."


class Claim(NamedTuple):
    """What a run may claim: a heading, a sentence, and what to say in place of findings.

    ``unmade`` says that no check was made at all.
    """

    heading: str
    sentence: str
    no_findings: str
    unmade: bool


def claim(result: Result) -> Claim:
    """Return what ``result`` may claim, in plain sentences that end with a full stop."""
    outcome = result.gate.outcome
    made = result.total - result.counts[Verdict.SKIP]
    if outcome is Outcome.INCONCLUSIVE:
        sentence = _NOT_A_PASS if made else f"No check was made. {_NOT_A_PASS}"
    elif outcome is Outcome.VIOLATIONS:
        failed = f"{result.counts[Verdict.FAIL]:,} of {plural(result.total, 'check')} failed"
        sentence = f"{failed}. {_judged(result)}."
    elif not made and result.plan is not None and result.plan.nothing:
        sentence = f"{_judged(result)}. No check was made."
    elif not made:
        sentence = f"{_unmade(result)}. {_unjudged(result)}."
    else:
        sentence = f"{_judged(result)}. {_outcome_in_words(result)}."
    if result.part is not None:
        sentence += f" {part_in_words(result.part, len(result.connections))}."
    return Claim(HEADINGS[outcome], sentence, _no_findings(result, made), not made)


def part_in_words(part: Part, connections: int) -> str:
    """Return which part of a run a report is about, and the whole run's outcome."""
    name, whole = part.dimension, part.whole
    which = f"with {name} {part.value}" if part.value else f"without {name}"
    if part.value == NOT_READ:
        which = f"whose {name} could not be read"
    of = f"{connections:,} of {plural(part.listed, 'connection')}, those {which}"
    answer = f"{HEADINGS[whole.outcome].lower()} (exit {whole.exit_code})"
    return f"This part has {of}; the whole run's outcome is {answer}"


def is_open(finding: Finding, result: Result) -> bool:
    """Whether a finding closes the gate: an error, or a failure that counts.

    What is waived, known, below ``--fail-on`` or within ``--max`` does not; no format may show it
    as an open alert.
    """
    if finding.verdict is Verdict.ERROR:
        return True
    return finding.verdict is Verdict.FAIL and finding.rule.severity in result.gating


def let_through(finding: Finding, result: Result) -> str:
    """Return why a failure does not gate: ``allowed: …``; "" for any other finding."""
    gate, severity = result.gate, finding.rule.severity
    if finding.verdict is not Verdict.FAIL or severity in result.gating:
        return ""
    limits = dict(gate.limits)
    if severity in limits:
        return f"allowed: within --max {severity.label}={limits[severity]}"
    return f"allowed: below --fail-on {gate.fail_on.label if gate.fail_on else 'none'}"


def _judged(result: Result) -> str:
    judged = _JUDGED[result.listing.completeness]
    if result.plan is not None:
        judged = _planned(result, result.plan)
    elif not result.listing.connections:
        judged = "No connection was listed"
    elif result.part is not None:
        # A part claims nothing about the rest of the run.
        judged = f"Of this part, {judged[0].lower()}{judged[1:]}"
    return f"{judged}{_narrowed(result)}"


def _unjudged(result: Result) -> str:
    """Return the sentence for a run in which no check was made: nothing was judged."""
    if not result.listing.connections:
        return _judged(result)
    listed = plural(result.listing.connections, "connection")
    doubt = _LISTED.get(result.listing.completeness, "") if result.plan is None else ""
    return f"Nothing was judged of {listed}{doubt}{_narrowed(result)}"


def _narrowed(result: Result) -> str:
    # What makes a part has a sentence of its own.
    filters = len(result.source.filters) - (result.part is not None)
    chosen = filters or result.left_out
    return "; not a full run: something was left out" if chosen else ""


def _planned(result: Result, plan: PlanScope) -> str:
    """Return what was judged of a plan, and what the plan left open."""
    if plan.nothing:
        return f"{plan.nothing[0].upper()}{plan.nothing[1:]}"
    judged = "Everything in the plan was judged"
    if plan.over:
        judged = f"{_JUDGED[result.listing.completeness]}, with the plan laid over it"
    missing = result.not_in_plan
    if missing:
        rest, were = ("rests", "was") if missing == 1 else ("rest", "were")
        judged += (
            f"; {plural(missing, 'check')} {rest} on what is not in the plan, and {were} not made"
        )
    unknown = result.left_unknown
    if unknown:
        rest, were = ("rests", "was") if unknown == 1 else ("rest", "were")
        judged += (
            f"; {plural(unknown, 'check')} {rest} on what is unknown until applied, and {were}"
            " skipped"
        )
    return judged


def _unmade(result: Result) -> str:
    idle = result.total and not (result.not_in_plan or result.left_unknown)
    return "No rule applied to anything: no check was made" if idle else "No check was made"


def _outcome_in_words(result: Result) -> str:
    """Return how the checks of a passed run came out."""
    failed = sum(result.counts[verdict] for verdict in _ACCEPTED)
    if not failed:
        return "Nothing failed"
    violations = plural(failed, "violation")
    return f"{violations} and none of them gates: {accepted_in_words(result)}"


def accepted_in_words(result: Result) -> str:
    """Return how many violations of a passed run were accepted, and how."""
    counts = {how: result.counts[verdict] for verdict, how in _ACCEPTED.items()}
    return ", ".join(f"{count:,} {how}" for how, count in counts.items() if count)


def _no_findings(result: Result, made: int) -> str:
    if not made:
        return f"There are none: {_unmade(result)[0].lower()}{_unmade(result)[1:]}."
    return "There are none: every check that was made passed."
