"""From a finding to a test: it holds the verdict, and shows nothing that is masked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from auditor.errors import PolicyError, UsageError
from auditor.model import Verdict
from auditor.policy.loading.load import Loaded, load
from auditor.policy.testing.examples_run import Trial
from auditor.policy.testing.files import run_test_file
from auditor.policy.testing.recorded import Verdicts, recorded
from tests.builders.judged import NOW, one_rule, written
from tests.builders.slow import tries
from tests.builders.strategies import conditions, records

_QUICK = settings(
    max_examples=tries(60),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
SECRET = "hunter2-of-the-database"


def printed(
    house: Loaded, listing: Sequence[Any], now: datetime = NOW, verdict: Verdict | None = None
) -> list[str]:
    """Return the test that holds what the one rule says of ``listing``."""
    (entry,) = house.ruleset.rules
    trial = Trial(entry, house.ruleset.facts)
    judgement, seen = trial.judged(listing, now)
    held = Verdicts(verdict or trial.verdict_of(judgement), now, (tuple(seen),), "a test: of one")
    return list(recorded(entry, house.ruleset.facts, held))


def passes(folder: Path, lines: Sequence[str]) -> bool:
    """Whether what was printed, put in a file beside the policy, passes."""
    path = folder / "policy.test.yaml"
    path.write_text("\n".join(lines))
    (outcome,) = run_test_file(path)
    return outcome.passed


@_QUICK
@given(
    st.none() | conditions(),
    conditions(),
    records(),
    st.sampled_from((NOW, datetime(2030, 6, 1, 7, 30, 5, 999, UTC))),
)
def test_what_is_printed_passes(
    tmp_path: Path,
    when: dict[str, Any] | None,
    assertion: dict[str, Any],
    record: str,
    now: datetime,
) -> None:
    rule = {"id": "rule", "severity": "low", "assert": assertion}
    rule |= {} if when is None else {"when": when}
    try:
        house = load([written(tmp_path, json.dumps({"policy": "p", "rules": [rule]}))])
    except PolicyError:
        assume(False)
    try:
        lines = printed(house, [json.loads(record)], now)
    except UsageError as error:
        # Only what no file can say, or what is masked and was not found another value for.
        told = str(error)
        assert any(word in told for word in ("which reports do not show", "test cannot hold that"))
        return
    assert passes(tmp_path, lines)


def test_only_what_the_rule_reads_is_printed(tmp_path: Path) -> None:
    body = (
        "when: {service: postgres}\nassert: {sync_frequency: {gte: 15}, status.tasks: {length: 0}}"
    )
    house = load([written(tmp_path, one_rule(body))])
    record = {
        "id": "c",
        "service": "postgres",
        "sync_frequency": 5,
        "paused": True,
        "status": {"tasks": [], "setup_state": "connected"},
    }
    lines = printed(house, [record])
    assert lines == [
        "tests:",
        '  - name: "a test: of one"',
        "    record:",
        "      service: postgres",
        "      sync_frequency: 5",
        "      status: {tasks: []}",
        "    expect: {rule: fail}",
    ]
    assert passes(tmp_path, lines)


@pytest.mark.parametrize(
    ("body", "config"),
    [
        ("assert: {config.host: {exists: true}}", {"host": SECRET}),
        ("assert: {config.host: {ends_with: database}}", {"host": SECRET}),
        ("assert: {config.host: {ends_with: .internal}}", {"host": SECRET}),
        ("assert: {config.port: {between: [5432, 5440]}}", {"port": 5433}),
        (
            "assert: {config.tls: true, config.host: {starts_with: h}}",
            {"tls": True, "host": SECRET},
        ),
        ("assert: {config: {exists: true}}", {"host": SECRET}),
        ("assert: {config.host: {gte: 5}}", {"host": SECRET}),
        ("when: {config.host: {contains: hunter}}\nassert: {paused: false}", {"host": SECRET}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_masked_value_is_replaced_by_one_with_the_same_verdict(
    tmp_path: Path, body: str, config: dict[str, Any]
) -> None:
    house = load([written(tmp_path, one_rule(body))])
    lines = printed(house, [{"id": "c", "paused": False, "config": config}])
    assert SECRET not in "\n".join(lines)
    assert "5433" not in "\n".join(lines)
    assert passes(tmp_path, lines)


def test_what_rests_on_a_masked_item_cannot_be_printed(tmp_path: Path) -> None:
    body = f"assert: {{setup_tests: {{none_items: {{message: {SECRET}}}}}}}"
    house = load([written(tmp_path, one_rule(body))])
    listing = [{"id": "c", "setup_tests": [{"message": SECRET}]}]
    with pytest.raises(
        UsageError, match=r"rests on setup_tests\[\]\.message, which reports do not"
    ):
        printed(house, listing)
    revealed = one_rule(body, head="reveal: ['setup_tests[].message']\n")
    lines = printed(load([written(tmp_path, revealed)]), listing)
    assert passes(tmp_path, lines)


def test_a_live_credential_is_not_there_to_be_printed(tmp_path: Path) -> None:
    house = load([written(tmp_path, one_rule("assert: {connect_card.token: {exists: false}}"))])
    lines = printed(house, [{"id": "c", "connect_card": {"token": SECRET}}])
    assert SECRET not in "\n".join(lines)
    assert passes(tmp_path, lines)


def test_facts_are_printed_with_the_record(tmp_path: Path) -> None:
    head = "facts: {tiers: {key: schema, columns: {tier: integer}, rows: {orders: 3}}}\n"
    house = load([written(tmp_path, one_rule("assert: {tiers.tier: {lte: 2}}", head=head))])
    lines = printed(house, [{"id": "c", "schema": "orders"}])
    assert "      tiers: {tier: 3}" in lines
    assert passes(tmp_path, lines)
    owner = load([written(tmp_path, one_rule("assert: {owner.active: true}"))])
    lines = printed(owner, [{"id": "c", "owner": {"active": False, "email": "a@example.com"}}])
    assert "      owner: {active: false}" in lines
    assert passes(tmp_path, lines)


def test_a_rule_that_asks_for_the_time_gets_it(tmp_path: Path) -> None:
    house = load([written(tmp_path, one_rule("assert: {succeeded_at: {newer_than: 1d}}"))])
    now = datetime(2030, 6, 1, 7, 30, 5, 999, UTC)
    lines = printed(house, [{"id": "c", "succeeded_at": "2030-06-01T00:00:00Z"}], now)
    assert "    now: 2030-06-01T07:30:05Z" in lines
    assert "    expect: {rule: pass}" in lines
    assert passes(tmp_path, lines)


def test_texts_are_written_as_what_they_are(tmp_path: Path) -> None:
    house = load([written(tmp_path, one_rule("assert: {schema: {starts_with: x}}"))])
    for text in ("true", "No", "12", "2026-01-01", "a: b", "{", "é\u202e", "##vso[x]", "", "::x::"):
        lines = printed(house, [{"id": "c", "schema": text}])
        assert all(line.isascii() and "##" not in line and "::" not in line for line in lines)
        assert passes(tmp_path, lines)


def test_a_group_takes_as_few_records_as_hold_it(tmp_path: Path) -> None:
    house = load([written(tmp_path, one_rule("per: group_id\nassert: {count: {lte: 1}}"))])
    (entry,) = house.ruleset.rules
    trial = Trial(entry)
    listing = [{"id": f"c{n}", "group_id": "g"} for n in range(3)]
    _, seen = trial.judged(listing)
    choices = (tuple(seen[:1]), tuple(seen[:2]), tuple(seen))
    lines = list(recorded(entry, {}, Verdicts(Verdict.FAIL, NOW, choices, "few")))
    assert lines.count("      - {group_id: g}") == 2
    assert passes(tmp_path, lines)
    many = (tuple(seen) * 100,)
    with pytest.raises(UsageError, match="it takes the 300 connections of its group"):
        list(recorded(entry, {}, Verdicts(Verdict.FAIL, NOW, many, "many")))
    with pytest.raises(UsageError, match="depends on more than its records"):
        list(recorded(entry, {}, Verdicts(Verdict.ERROR, NOW, choices, "unseen")))


def test_what_is_not_a_sound_surrogate_cannot_be_written(tmp_path: Path) -> None:
    house = load([written(tmp_path, one_rule("assert: {service_version: {gte: 1}}"))])
    with pytest.raises(UsageError, match="number out of range"):
        printed(house, [{"id": "c", "service_version": 10**400}])


def test_half_a_character_cannot_be_written_and_a_whole_one_can(tmp_path: Path) -> None:
    house = load([written(tmp_path, one_rule("assert: {schedule.cron: {exists: true}}"))])
    with pytest.raises(UsageError, match=r"schedule.cron has half a character: a test cannot hold"):
        printed(house, [{"id": "c", "schedule": {"cron": "a\ud800"}}])
    for whole in ("\U0001f600", "\\ud83d\\ude00", "\\\U0001f600\U0001f601"):
        assert passes(tmp_path, printed(house, [{"id": "c", "schedule": {"cron": whole}}]))
