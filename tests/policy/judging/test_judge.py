"""The judge: every rule on every record, page by page, however many there are of each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from auditor.model import Connection, Severity, Verdict
from auditor.policy.language.rules import Ruleset
from tests.builders.judged import (
    checks_of,
    findings_of,
    loaded,
    one_rule,
    outcome_of,
    verdict_of,
)

#: More than a byte counts.
MANY = 300


def many_rules(folder: Path, number: int = MANY) -> Ruleset:
    """Return rules of which ``rule-N`` finds records whose frequency is N."""
    text = "".join(
        f"  - {{id: rule-{n}, severity: {('low', 'medium', 'high', 'critical')[n % 4]},"
        f" assert: {{sync_frequency: {{not_equals: {n}}}}}}}\n"
        for n in range(number)
    )
    return loaded(folder, f"policy: p\nrules:\n{text}").ruleset


@pytest.mark.parametrize("wrong", [0, 1, 254, 255, 256, 257, 299])
def test_more_rules_than_a_byte_counts(tmp_path: Path, wrong: int):
    rules = many_rules(tmp_path)
    records = [{"sync_frequency": MANY}, {"sync_frequency": wrong}, {}]
    checks = checks_of(rules, records)
    assert len(checks) == MANY
    failed = [(name, n) for name, c in checks.items() for n in range(3) if c.verdicts[n] == 1]
    assert failed == [(f"rule-{wrong}", 1)]
    assert all(c.verdicts[2] == Verdict.ERROR for c in checks.values())
    (finding,) = [f for f in findings_of(rules, records) if f.verdict is Verdict.FAIL]
    assert (finding.rule.id, finding.connections[0].id) == (f"rule-{wrong}", "c1")
    assert finding.evidence[0].actual == str(wrong)


@pytest.mark.parametrize("pages", [(), (1,), (3, 0, 200), (256,), (255, 1, 1)], ids=str)
def test_more_records_than_a_byte_counts_in_any_pages(tmp_path: Path, pages: tuple[int, ...]):
    rules = many_rules(tmp_path, 2)
    records = [{"sync_frequency": 1 if n in {0, 255, 256, 511} else 7} for n in range(512)]
    checks = checks_of(rules, records, pages=pages)["rule-1"]
    assert [n for n, v in enumerate(checks.verdicts) if v] == [0, 255, 256, 511]
    found = findings_of(rules, records, pages=pages)
    assert [f.connections[0].id for f in found] == ["c0", "c255", "c256", "c511"]


def test_findings_stand_severest_first_then_by_policy_then_as_listed(tmp_path: Path):
    rules = loaded(
        tmp_path,
        "policy: p\nrules:\n"
        "  - {id: a, severity: low, assert: {paused: false}}\n"
        "  - {id: b, severity: critical, assert: {paused: false}}\n"
        "  - {id: c, severity: medium, per: account, when: {paused: true}, assert:"
        " {count: {lte: 1}}}\n"
        "  - {id: d, severity: critical, assert: {schema: x}}\n",
    ).ruleset
    records = [{"paused": True, "schema": "x"}, {"paused": True, "schema": "y"}]
    found = [(f.rule.id, [c.id for c in f.connections]) for f in findings_of(rules, records)]
    assert found == [
        ("b", ["c0"]), ("b", ["c1"]), ("d", ["c1"]), ("c", ["c0", "c1"]), ("a", ["c0"]),
        ("a", ["c1"]),
    ]  # fmt: skip
    assert [c.rule.id for c in outcome_of(rules, records).checks()] == ["a", "b", "c", "d"]


def test_what_is_reconsidered_is_asked_of_violations_alone(tmp_path: Path):
    rules = many_rules(tmp_path, 4)
    records = [{"sync_frequency": n} for n in (0, 3, 9)] + [{"sync_frequency": None}]
    outcome = outcome_of(rules, records)
    asked = []

    def decide(violation):
        asked.append((violation.rule.id, violation.members))
        return (Verdict.WAIVED, "why") if violation.rule.severity is Severity.LOW else (1, "")

    changed = outcome.reconsidered(decide)
    assert asked == [("rule-0", (0,)), ("rule-3", (1,))]
    by_rule = {c.rule.id: c.verdicts for c in changed.checks()}
    assert by_rule["rule-0"] == bytes([Verdict.WAIVED, 0, 0, Verdict.ERROR])
    assert by_rule["rule-3"] == bytes([0, Verdict.FAIL, 0, Verdict.ERROR])
    assert outcome.checks()[0].verdicts[0] == Verdict.FAIL


def test_no_rule_and_no_record_come_to_nothing(tmp_path: Path):
    assert checks_of(many_rules(tmp_path, 1), [])["rule-0"].total == 0
    rules = loaded(tmp_path, "policy: p\nrules:\n  - {id: g, severity: low, per: account, assert:"
                   " {count: {gte: 1}}}\n").ruleset  # fmt: skip
    (group,) = checks_of(rules, [])["g"].groups
    assert (group.group, group.verdict) == ("account", Verdict.FAIL)


# -- below what is no object ----------------------------------------------------------------------

ODD: list[Any] = ["text", 5, 0, True, False, [], [1], [{"host": "x"}], ""]


@pytest.mark.parametrize("config", ODD)
@pytest.mark.parametrize(
    "asked",
    [
        "assert: {config.host: {exists: false}}",
        "assert: {config.host: {exists: true}}",
        "assert: {not: {config.host: {exists: true}}}",
        "when: {config.host: {exists: true}}\nassert: {paused: false}",
        "assert: {config.a.b.c: {exists: false}}",
    ],
)
def test_below_another_type_nobody_can_say(tmp_path: Path, config: Any, asked: str) -> None:
    ruleset = loaded(tmp_path, one_rule(asked)).ruleset
    assert verdict_of(ruleset, {"config": config, "paused": False}) is Verdict.ERROR


@pytest.mark.parametrize(
    "record", [{}, {"config": None}, {"config": {}}, {"config": {"host": None}}]
)
def test_below_null_and_nothing_there_is_nothing(tmp_path: Path, record: dict[str, Any]) -> None:
    ruleset = loaded(tmp_path, one_rule("assert: {config.host: {exists: false}}")).ruleset
    assert verdict_of(ruleset, record) is Verdict.PASS


@pytest.mark.parametrize(
    ("items", "verdict"),
    [
        ([{"status": "PASSED"}], Verdict.FAIL),
        ([{}], Verdict.PASS),
        ([None], Verdict.PASS),
        (["text"], Verdict.ERROR),
        ([{}, 7], Verdict.ERROR),
        ([{"status": "PASSED"}, "text"], Verdict.FAIL),
    ],
)
def test_an_item_of_another_type_is_an_error(
    tmp_path: Path, items: list[Any], verdict: Verdict
) -> None:
    asked = "assert: {setup_tests: {all_items: {status: {exists: false}}}}"
    ruleset = loaded(tmp_path, one_rule(asked)).ruleset
    assert verdict_of(ruleset, {"setup_tests": items}) is verdict


def test_the_finding_says_what_stands_there_instead(tmp_path: Path) -> None:
    ruleset = loaded(tmp_path, one_rule("assert: {config.host: {exists: false}}")).ruleset
    outcome = outcome_of(ruleset, [{"config": "text"}])
    (finding,) = outcome.findings([Connection("a", "s", "t", "g")])
    assert "config is text, not an object" in finding.message
