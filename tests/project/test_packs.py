"""The shipped packs: whole, honest about their examples, and right about two whole accounts."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.decoding.records import Shape
from auditor.model import Connection, Position, RuleChecks, Severity, Verdict
from auditor.policy.judging.judge import Judge, Judgement
from auditor.policy.loading.documents import pack_names
from auditor.policy.loading.examples import HEALTHY, Example, Given
from auditor.policy.loading.load import Loaded, load
from auditor.policy.rules import GroupRule, PolicyRule
from auditor.policy.testing.examples_run import gaps, judged, run_examples
from auditor.policy.testing.files import run_test_file, test_files_beside
from auditor.resources import resource_folder
from auditor.sandbox import details
from auditor.sandbox.estate import Estate, build_estate

PACKS = ["baseline", "cost", "governance", "reliability", "security"]
#: Judges a Terraform plan; of an account it has nothing to say.
OF_A_CHANGE = "terraform"
MOMENTS = [datetime(2026, 3, 4, 5, 6, tzinfo=UTC), datetime(2026, 11, 22, 0, 3, tzinfo=UTC)]


@cache
def packs() -> Loaded:
    return load(PACKS, strict=True)


def judge(loaded: Loaded, estate: Estate) -> Judgement:
    shape = Shape(*loaded.ruleset.reads())
    judge = Judge(loaded.ruleset, shape, estate.now, lambda text: text)
    # What an answer about one connection has and a listing has not (set-up tests) is judged too.
    answers = (details.connection(estate, record) for record in estate.records)
    judge.take([shape.convert(answer) for answer in answers])
    return judge.outcome(lambda _rule: True)


def with_verdict(checks: tuple[RuleChecks, ...], verdict: Verdict) -> dict[str, int]:
    return {c.rule.id: c.count(verdict) for c in checks if c.count(verdict)}


RULES = [entry.rule for entry in packs().ruleset.rules]
each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)


def test_these_are_the_packs():
    assert pack_names() == sorted([*PACKS, OF_A_CHANGE])


def test_they_load_together_without_a_warning():
    assert packs().warnings == ()
    assert packs().ruleset.left_out == ()
    assert len(RULES) >= 40


@pytest.mark.parametrize("name", [*PACKS, OF_A_CHANGE])
def test_each_loads_by_itself(name):
    assert load([name], strict=True).ruleset.policies[0].name == name


@pytest.mark.parametrize("now", MOMENTS)
@pytest.mark.parametrize(("count", "seed"), [(0, 1), (1, 1), (60, 3), (250, 7), (250, 8)])
def test_nothing_is_found_in_a_healthy_account(count, seed, now):
    estate = build_estate(count, seed, healthy=True, now=now)
    checks = judge(packs(), estate).checks()
    assert with_verdict(checks, Verdict.FAIL) == {}
    assert with_verdict(checks, Verdict.ERROR) == {}


@pytest.mark.parametrize("now", MOMENTS)
@pytest.mark.parametrize(("count", "seed"), [(60, 3), (60, 4), (250, 7), (250, 8)])
def test_every_rule_finds_something_in_a_violating_account(count, seed, now):
    checks = judge(packs(), build_estate(count, seed, now=now)).checks()
    assert with_verdict(checks, Verdict.FAIL).keys() == {rule.id for rule in RULES}
    assert with_verdict(checks, Verdict.ERROR) == {}


@given(
    st.sampled_from([60, 61, 90, 250]),
    st.integers(0, 2**32),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  # bounds, made aware
)
@settings(max_examples=25, deadline=None)
def test_whatever_the_account_and_the_hour(count, seed, now):
    healthy = judge(packs(), build_estate(count, seed, healthy=True, now=now)).checks()
    assert with_verdict(healthy, Verdict.FAIL) | with_verdict(healthy, Verdict.ERROR) == {}
    spoilt = judge(packs(), build_estate(count, seed, now=now)).checks()
    assert with_verdict(spoilt, Verdict.FAIL).keys() == {rule.id for rule in RULES}
    assert with_verdict(spoilt, Verdict.ERROR) == {}


def test_no_two_rules_ask_the_same():
    asked = Counter((rule.per, rule.applies_when, rule.expects) for rule in RULES)
    assert [question for question, times in asked.items() if times > 1] == []


def test_the_sample_record_is_healthy_by_every_rule():
    given = Given((HEALTHY,), "the healthy record")
    example = Example(Position("here", 1, 1), given, Verdict.PASS)
    for entry in packs().ruleset.rules:
        if isinstance(entry, PolicyRule):
            (outcome,) = judged(entry, [example])
            assert outcome.got in {Verdict.PASS, Verdict.SKIP}, entry.rule.id


def test_no_rule_is_idle_in_a_violating_account():
    for checks in judge(packs(), build_estate(250, now=MOMENTS[0])).checks():
        assert checks.count(Verdict.SKIP) < checks.total


def test_findings_say_something_in_every_rule():
    estate = build_estate(250, now=MOMENTS[0])
    connections = [_connection(record) for record in estate.records]
    findings = list(judge(packs(), estate).findings(connections))
    assert len(findings) > 100
    for finding in findings:
        assert finding.message
        assert "missing" not in finding.message, finding.message
        assert "{" not in finding.message, finding.message
        assert finding.evidence


def test_every_example_passes():
    outcomes = [
        outcome for name in PACKS for outcome in run_examples(load([name])) if not outcome.passed
    ]
    assert [(str(o.position), o.got.label) for o in outcomes] == []


def test_every_rule_fails_passes_and_skips_in_an_example():
    outcomes = list(run_examples(packs()))
    for name in PACKS:
        for path in test_files_beside(resource_folder("policies") / f"{name}.yaml"):
            outcomes += run_test_file(path)
    assert all(outcome.passed for outcome in outcomes)
    assert list(gaps(packs(), outcomes)) == []


@each_rule
def test_a_rule_says_what_it_wants_why_and_how(rule):
    assert 8 <= len(rule.title) <= 70
    assert not rule.title.endswith(".")
    for text in (rule.why, rule.fix):
        assert text.endswith(".")
        assert 30 <= len(text) <= 220
        assert text[0].isupper()
    assert rule.why != rule.fix
    assert rule.tags


@each_rule
def test_controls_are_written_as_their_frameworks_write_them(rule):
    controls = dict(rule.controls)
    assert controls.keys() <= {"soc2", "iso27001"}
    assert all(c.startswith(("CC", "A1.", "PI1.", "C1.")) for c in controls.get("soc2", ()))
    assert all(c.startswith(("A.5.", "A.8.")) for c in controls.get("iso27001", ()))


def test_messages_name_the_connection_or_the_group():
    for entry in packs().ruleset.rules:
        assert entry.message is not None, entry.rule.id
        if not isinstance(entry, GroupRule):
            assert "schema" in entry.message.paths, entry.rule.id


def test_severities_are_spread_sensibly():
    spread = Counter(rule.severity for rule in RULES)
    assert 1 <= spread[Severity.CRITICAL] <= 3
    assert spread[Severity.CRITICAL] < spread[Severity.HIGH] < spread[Severity.LOW]
    assert spread[Severity.LOW] + spread[Severity.MEDIUM] > len(RULES) / 2


def test_titles_and_messages_are_each_rules_own():
    titles = [rule.title for rule in RULES]
    whys = [rule.why for rule in RULES]
    assert len(set(titles)) == len(titles)
    assert len(set(whys)) == len(whys)


@pytest.mark.parametrize(
    "missing",
    [
        "networking_method",
        "private_link_id",
        "proxy_agent_id",
        "setup_tests",
        "service_version",
        "connected_by",
        "succeeded_at",
        "failed_at",
        "data_delay_sensitivity",
        "data_delay_threshold",
        "destination_schema_names",
        "destination_configuration",
        "hybrid_deployment_agent_id",
        "daily_sync_time",
        "schedule",
        "config",
        "sync_frequency",
    ],
)
@pytest.mark.parametrize("absent", [True, False], ids=["missing", "null"])
def test_a_field_that_the_api_may_leave_out_is_never_an_error(missing, absent):
    estate = build_estate(60, healthy=True, now=MOMENTS[0])
    for record in estate.records:
        record[missing] = None
        if absent:
            del record[missing]
    checks = judge(packs(), estate).checks()
    assert with_verdict(checks, Verdict.ERROR) == {}


def _connection(record):
    return Connection(record["id"], record["service"], record["schema"], record["group_id"])
