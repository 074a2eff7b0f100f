"""The short summary: worst first, counted, bounded."""

from __future__ import annotations

from datetime import datetime

import pytest
from msgspec.structs import replace

from auditor.model import (
    BaselineUse,
    GroupCheck,
    History,
    Outcome,
    PastRun,
    RuleChecks,
    Severity,
    Verdict,
)
from auditor.reports.brief import (
    brief,
    changes_in_words,
    counts_of,
    first_findings,
    verdict_in_words,
    waiting,
    worst,
)
from tests.builders.sample_histories import with_history
from tests.builders.sample_results import JUDGED_AT, sample_result

OPEN = (Verdict.FAIL, Verdict.ERROR)


@pytest.mark.parametrize("outcome", list(Outcome))
def test_the_verdict_is_a_word_with_how_many_connections_it_is_about(outcome: Outcome) -> None:
    result = sample_result(300, 10, outcome=outcome)
    said = verdict_in_words(result)
    assert said.startswith(outcome.value)
    if outcome is Outcome.VIOLATIONS:
        failed = {c.id for f in result.findings if f.verdict is Verdict.FAIL for c in f.connections}
        assert said == f"violations in {len(failed)} of 300 connections"
    else:
        assert said == outcome.value


def test_what_is_reported_and_what_is_not_add_up() -> None:
    result = sample_result(600, 30)
    told = brief(result)
    failing = worst(result)
    assert len(told.rules) + told.more == len(failing)
    assert [rule.rule for rule in told.rules] == [c.rule.id for c in failing[: len(told.rules)]]
    for rule, checks in zip(told.rules, failing, strict=False):
        open_checks = sum(checks.count(verdict) for verdict in OPEN)
        groups = {f.finding.group for f in rule.findings} if checks.groups else rule.findings
        assert len(groups) + rule.more == open_checks
        assert rule.counts == counts_of(checks)


def test_failures_come_before_errors_and_none_is_reported_twice() -> None:
    result = sample_result(600, 10)
    failing = worst(result)
    every = first_findings(result, failing, None)
    for checks in failing:
        verdicts = [finding.verdict for finding in every[checks.rule.id]]
        assert verdicts == sorted(verdicts)
        assert waiting(checks, every[checks.rule.id]) == 0
        first = first_findings(result, [checks], 2)[checks.rule.id]
        assert first == every[checks.rule.id][:2]


def test_many_reasons_are_counted() -> None:
    result = sample_result()
    gate = replace(result.gate, reasons=tuple(f"reason {n}" for n in range(9)))
    assert brief(replace(result, gate=gate)).reasons[-2:] == ("reason 2", "and 6 more reasons")


def test_changes_are_those_since_the_baseline_or_the_run_before() -> None:
    result = sample_result(60, 6)
    assert changes_in_words(result) == ""
    assert changes_in_words(with_history(result, 1)) == ""
    use = BaselineUse("b.json", JUDGED_AT, known=4, raised=0, new=3, fixed=2, waived=0, untold=0)
    said = "3 new, 2 fixed, 4 known since the baseline of 2026-03-14"
    assert changes_in_words(replace(result, baseline=use)) == said
    lost = changes_in_words(replace(result, baseline=replace(use, untold=5)))
    assert "4 known, 5 no longer judged, since the baseline" in lost
    kept = with_history(result, 3)
    assert kept.history is not None
    first, before, last = kept.history.runs
    text = changes_in_words(kept)
    beside = last.beside(before)
    assert beside is not None
    assert f"{beside.now:,} violations now and {beside.then:,} before, since" in text
    assert f"since the run of {before.judged_at:%Y-%m-%d}" in text

    # The numbers of other rules are not those of these.
    def told(before: PastRun) -> str:
        history = History((first, before, last), kept.history.open_since if kept.history else {})
        return changes_in_words(replace(kept, history=history))

    assert before.by_rule is not None
    assert last.by_rule is not None
    rule, count = max(before.by_rule.items(), key=lambda item: item[1])
    assert count
    more = told(replace(before, by_rule={**before.by_rule, "another": 999}))
    assert f"{beside.then:,} before by the {len(last.by_rule)} rules that both judged" in more
    one = told(replace(before, by_rule={rule: count}))
    assert f"{last.by_rule[rule]:,} violations now and {count:,} before by the 1 rule that" in one
    elsewhere = told(replace(before, filters=("group_id=a",)))
    assert f"{last.total:,} violations now, since" in elsewhere


def test_the_worst_rule_is_the_severest_then_by_failures_then_by_errors() -> None:
    result = sample_result()
    checks = result.checks[0]

    def made(name: str, severity: Severity, failed: int, errors: int) -> RuleChecks:
        verdicts = bytes([Verdict.FAIL] * failed + [Verdict.ERROR] * errors)
        return RuleChecks(replace(checks.rule, id=name, severity=severity, per=()), verdicts)

    rules = [
        made("d", Severity.HIGH, 0, 9),
        made("c", Severity.HIGH, 2, 0),
        made("a", Severity.CRITICAL, 0, 1),
        made("b", Severity.HIGH, 2, 1),
        made("e", Severity.LOW, 99, 99),
        made("none", Severity.CRITICAL, 0, 0),
    ]
    assert [c.rule.id for c in worst(replace(result, checks=tuple(rules)))] == list("abcde")


def test_of_a_group_with_several_findings_the_check_is_reported_once() -> None:
    """Two duplicates in one group that look the same are one failed check."""
    rule = replace(sample_result().checks[0].rule, per=("group_id",))
    groups = tuple(GroupCheck(name, Verdict.FAIL) for name in ("g", "h", "i"))
    found = replace(sample_result().findings[0], rule=rule, group="g")
    checks = RuleChecks(rule, b"", groups)
    assert waiting(checks, [found, found]) == 2
    assert waiting(checks, [found, replace(found, group="h")]) == 1
    alone = RuleChecks(replace(rule, per=()), bytes([Verdict.FAIL] * 3))
    assert waiting(alone, [found, found]) == 1


def test_only_a_violation_is_new_and_an_error_is_not() -> None:
    result = with_history(sample_result(300, 10), 3)
    assert result.history is not None
    now = result.history.runs[-1].judged_at
    since: dict[str, dict[str, datetime]] = {}
    for finding in result.findings:
        name = finding.group if finding.rule.per else finding.connections[0].id
        since.setdefault(finding.rule.id, {})[name] = now
    result = replace(result, history=History(result.history.runs, since))
    failed = [f for f in result.findings if f.verdict is Verdict.FAIL]
    assert len(failed) < len(result.findings)
    assert changes_in_words(result).startswith(f"{len(failed):,} new, ")
