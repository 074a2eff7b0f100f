"""Which fields a connection may lack, and which rules come to an error without them."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.model import Verdict
from auditor.policy.analysis.absences import absences
from auditor.policy.analysis.claims import verdict_on
from auditor.policy.analysis.domains import NOW
from auditor.policy.language.conditions import reach
from auditor.policy.language.rules import PolicyRule
from auditor.policy.loading.load import load_policies
from tests.builders.judged import written

#: Every field that a list has to name, so that only what a rule asks for can be missing.
RECORD = {
    "id": "c",
    "service": "postgres",
    "schema": "s",
    "group_id": "g",
    "paused": False,
    "pause_after_trial": False,
    "schedule_type": "auto",
    "created_at": "2025-01-01T00:00:00Z",
    "status": {"setup_state": "connected"},
}
OWNER = {"id": "u", "email": "u@example.com", "verified": True, "active": True}
#: A rule, and the fields without which it is an error.
_RULES = [
    ("assert: {networking_method: PrivateLink}", ["networking_method"]),
    ("assert: {networking_method: {exists: true, equals: PrivateLink}}", []),
    ("assert: {any: [{networking_method: {exists: false}}, {networking_method: a}]}", []),
    ("when: {networking_method: {exists: true}}, assert: {networking_method: a}", []),
    ("when: {networking_method: a}, assert: {paused: false}", ["networking_method"]),
    ("when: {service: x}, assert: {daily_sync_time: '14:00'}", ["daily_sync_time"]),
    ("assert: {not: {networking_method: a}}", ["networking_method"]),
    ("assert: {any: [{service: x}, {networking_method: a}]}", ["networking_method"]),
    ("assert: {config.host: {ends_with: .internal}}", ["config.host"]),
    ("assert: {succeeded_at: {after: {field: failed_at}}}", ["succeeded_at", "failed_at"]),
    ("assert: {created_at: {before: {field: succeeded_at}}}", ["succeeded_at"]),
    ("assert: {owner.active: true}", ["owner.active"]),
    ("when: {owner: {exists: true}}, assert: {owner.active: true}", []),
    ("when: {owner: {exists: true}}, assert: {owner.phone: a}", ["owner.phone"]),
    ("assert: {schema: {starts_with: a}, paused: false}", []),
    ("assert: {status.setup_state: connected}", []),
]


def _rule(folder: Path, rule: str) -> PolicyRule:
    text = f"policy: p\nrules:\n  - {{id: a, severity: low, {rule}}}\n"
    found = load_policies(written(folder, text)).rules[0]
    assert isinstance(found, PolicyRule)
    return found


@pytest.mark.parametrize(("rule", "paths"), _RULES)
def test_a_field_is_reported_where_a_check_needs_it(
    rule: str, paths: list[str], tmp_path: Path
) -> None:
    found = absences([_rule(tmp_path, rule)], NOW)
    assert [absence.path for absence in found] == paths
    assert all(name == "a" and at.line == 3 for absence in found for name, at in absence.rules)


@pytest.mark.parametrize(("rule", "paths"), _RULES)
def test_a_reported_absence_occurs_in_a_record(rule: str, paths: list[str], tmp_path: Path) -> None:
    """A record with only the required fields: an error for each reported field."""
    record = {**RECORD, "owner": OWNER} if "owner.phone" in rule else RECORD
    record = record | {"service": "x"} if "when: {service" in rule else record
    verdict = verdict_on(_rule(tmp_path, rule), lambda path: reach(record, path))
    assert (verdict is Verdict.ERROR) is bool(paths)


def test_rules_are_gathered_by_field(tmp_path: Path) -> None:
    rules = [
        _rule(tmp_path, "assert: {networking_method: a}"),
        _rule(tmp_path, "when: {networking_method: b}, assert: {paused: true}"),
    ]
    assert [len(absence.rules) for absence in absences(rules, NOW)] == [2]


def test_a_packs_rules_and_those_on_groups_are_left_out(tmp_path: Path) -> None:
    assert absences(load_policies("baseline", "security").rules, NOW) == []
    text = (
        "policy: p\nrules:\n  - id: a\n    severity: low\n    per: [group_id]\n"
        "    when: {networking_method: a}\n    assert: {count: {lte: 2}}\n"
    )
    assert absences(load_policies(written(tmp_path, text)).rules, NOW) == []
