"""A run in brief: the worst rules, their first findings, what has changed.

The terminal, a comment and a chat message have room for a few lines; this module chooses them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from auditor.model import (
    BaselineUse,
    Finding,
    History,
    Outcome,
    PastRun,
    Result,
    RuleChecks,
    Verdict,
)
from auditor.reports.claim import HEADINGS, claim
from auditor.reports.facts import beside, unjudged, where_in_words
from auditor.reports.links import rule_page
from auditor.text import one_line, plural, shortened

#: What fits in a message.
_RULES = 5
_FINDINGS = 3
_SENTENCE = 500
_REASONS = 3
_REASON = 250
_NAME = 80
_TITLE = 120
_WHERE = 120
_SAID = 160

_WAITING = (Verdict.FAIL, Verdict.ERROR)
_MARKS = {Outcome.PASSED: "✅", Outcome.VIOLATIONS: "❌", Outcome.INCONCLUSIVE: "⚠️"}


class BriefFinding(NamedTuple):
    """One finding in a message: where it is, what was found, and the connection's address or ""."""

    where: str
    said: str
    finding: Finding


class BriefRule(NamedTuple):
    """One rule in a message, with its first findings and how many more there are.

    ``page`` is the address of the rule's own page, "" if it has none.
    """

    severity: str
    rule: str
    title: str
    counts: str
    findings: tuple[BriefFinding, ...]
    more: int
    page: str


class Brief(NamedTuple):
    """A run in a few bounded, single-line texts; ``more`` counts failed rules not shown."""

    heading: str
    sentence: str
    reasons: tuple[str, ...]
    changes: str
    rules: tuple[BriefRule, ...]
    more: int


def brief(result: Result) -> Brief:
    """Return what a message says of ``result``; every text in it is bounded and one line long."""
    failing = worst(result)
    named = first_findings(result, failing[:_RULES], _FINDINGS)
    reasons = [one_line(reason, _REASON) for reason in result.gate.reasons[:_REASONS]]
    if more := len(result.gate.reasons) - len(reasons):
        reasons.append(f"and {plural(more, 'more reason')}")
    return Brief(
        heading=f"{_MARKS[result.gate.outcome]} Fivetran audit: {verdict_in_words(result)}",
        sentence=shortened(claim(result).sentence, _SENTENCE),
        reasons=tuple(reasons),
        changes=changes_in_words(result),
        rules=tuple(_rule(result, c, named[c.rule.id]) for c in failing[:_RULES]),
        more=len(failing[_RULES:]),
    )


def verdict_in_words(result: Result) -> str:
    """Return the outcome as a word; with violations, also how many connections have some."""
    word = HEADINGS[result.gate.outcome].lower()
    if result.gate.outcome is not Outcome.VIOLATIONS:
        return word
    affected = {
        connection.id
        for finding in result.findings
        if finding.verdict is Verdict.FAIL
        for connection in finding.connections
    }
    of = f"{len(affected):,} of {plural(len(result.connections), 'connection')}"
    return f"{word} in {of}"


def worst(result: Result) -> list[RuleChecks]:
    """Return the rules that failed or erred, severest and most frequent first."""
    return sorted(
        (c for c in result.checks if c.count(Verdict.FAIL) or c.count(Verdict.ERROR)),
        key=lambda c: (-c.rule.severity, -c.count(Verdict.FAIL), -c.count(Verdict.ERROR)),
    )


def first_findings(
    result: Result, shown: Sequence[RuleChecks], most: int | None
) -> dict[str, list[Finding]]:
    """Return the first findings of each rule by its id: at most ``most``, failures first."""
    found: dict[str, list[Finding]] = {checks.rule.id: [] for checks in shown}
    for verdict in _WAITING:
        for finding in result.findings:
            of_rule = found.get(finding.rule.id)
            if finding.verdict is not verdict or of_rule is None:
                continue
            if most is None or len(of_rule) < most:
                of_rule.append(finding)
    return found


def waiting(checks: RuleChecks, shown: Sequence[Finding]) -> int:
    """Return how many failed or erred checks of a rule are not shown."""
    count = sum(checks.count(verdict) for verdict in _WAITING)
    return count - (len({f.group for f in shown}) if checks.groups else len(shown))


def counts_of(checks: RuleChecks) -> str:
    """Return ``5 failed``, ``2 errors``, or both."""
    failed, errors = checks.count(Verdict.FAIL), checks.count(Verdict.ERROR)
    parts = [f"{failed:,} failed" if failed else "", plural(errors, "error") if errors else ""]
    return ", ".join(filter(None, parts))


def changes_in_words(result: Result) -> str:
    """Return what is new and what was fixed since the baseline, or the run before; else ""."""
    if result.baseline is not None:
        return _since_baseline(result.baseline)
    if result.history is None or len(result.history.runs) < 2:
        return ""
    return _since_run_before(result, result.history)


def _since_baseline(use: BaselineUse) -> str:
    gone = f", {use.gone:,} gone" if use.gone else ""
    untold = f", {use.untold:,} no longer judged," if use.untold else ""
    return (
        f"{use.new:,} new, {use.fixed:,} fixed{gone}, {use.known:,} known{untold} "
        f"since the baseline of {use.judged_at:%Y-%m-%d}"
    )


def _since_run_before(result: Result, history: History) -> str:
    *_, before, last = history.runs
    failed = (each for each in result.findings if each.verdict is Verdict.FAIL)
    gone, untold = sum(each.gone for each in history.ended), len(unjudged(result))
    said = [
        f"{sum(map(history.is_new, failed)):,} new",
        f"{len(history.ended) - gone:,} fixed",
        f"{gone:,} gone" if gone else "",
        f"{untold:,} no longer judged" if untold else "",
        _now_and_before(last, before),
        f"since the run of {before.judged_at:%Y-%m-%d}",
    ]
    return ", ".join(filter(None, said))


def _now_and_before(last: PastRun, before: PastRun) -> str:
    compared = last.beside(before)
    if compared is None:
        # Of other connections or other rules: the two numbers say nothing about each other.
        return f"{plural(last.total, 'violation')} now"
    rules = compared.rules
    by = "" if rules is None else f" by the {plural(rules, 'rule')} that both judged"
    return f"{compared.now:,} violations now and {compared.then:,} before{by}"


def _rule(result: Result, checks: RuleChecks, findings: Sequence[Finding]) -> BriefRule:
    rule = checks.rule
    shown = tuple(
        BriefFinding(
            one_line(where_in_words(finding), _WHERE) or "the account",
            one_line(beside(finding), _SAID) or finding.verdict.label,
            finding,
        )
        for finding in findings
    )
    return BriefRule(
        rule.severity.label,
        shortened(rule.id, _NAME),
        one_line(rule.title, _TITLE),
        counts_of(checks),
        shown,
        waiting(checks, findings),
        rule_page(result, rule),
    )
