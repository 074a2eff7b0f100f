"""The recipes on the language page: each is judged, and can pass, fail and skip as it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from auditor.model import Verdict
from tests.builders.account_server import ACCOUNT, AccountServer
from tests.builders.facts import judged
from tests.builders.judged import checks_of, loaded

PAGE = Path(__file__).parents[2] / "docs" / "policy-language.md"
P, F, E, S = Verdict.PASS, Verdict.FAIL, Verdict.ERROR, Verdict.SKIP
LOG = {"service": "fivetran_log"}
SETUP = "setup_tests"

#: Of each rule: what records come to, in their order; of a rule with per, what its group does.
CASES: dict[str, list[tuple[list[dict[str, Any]], Verdict]]] = {
    "sensible-frequency": [
        ([{"schedule_type": "auto", "sync_frequency": 15}], P),
        ([{"schedule_type": "auto", "sync_frequency": 5}], F),
        ([{"schedule_type": "manual", "sync_frequency": 5}], S),
    ],
    "schema-names": [([{"schema": "stg_x"}], P), ([{"schema": "x"}], F), ([{}], E)],
    "no-leftovers": [([{"schema": "raw"}], P), ([{"schema": "x_old"}], F), ([{}], E)],
    "private-ways": [
        ([{"service": "mysql", "networking_method": "PrivateLink"}], P),
        ([{"service": "mysql", "networking_method": "Directly"}], F),
        ([{"service": "s3"}], S),
    ],
    "fresh": [
        ([{"paused": False, "succeeded_at": "2026-01-01T00:00:00Z"}], F),
        ([{"paused": False, "succeeded_at": None}], F),
        ([{"paused": True}], S),
    ],
    "at-night": [
        ([{"daily_sync_time": "23:00"}], P),
        ([{"daily_sync_time": "05:00"}], P),
        ([{"daily_sync_time": "05:01"}], F),
        ([{}], S),
    ],
    "set-up-well": [
        ([{SETUP: [{"status": "PASSED"}]}], P),
        ([{SETUP: [{"status": "FAILED"}]}], F),
        ([{SETUP: [{}]}], E),
        ([{}], S),
    ],
    "production-is-fast": [
        ([{"schema": "prod_a", "sync_frequency": 60}], P),
        ([{"schema": "prod_a", "sync_frequency": 61}], F),
        ([{"schema": "a", "sync_frequency": 61}], S),
    ],
    "the-rest-may-be-slow": [
        ([{"schema": "a", "sync_frequency": 360}], P),
        ([{"schema": "a", "sync_frequency": 60}], F),
        ([{"schema": "prod_a", "sync_frequency": 60}], S),
    ],
    "one-log-in-production": [
        ([{"group_id": "prod_a", **LOG}], P),
        ([{"group_id": "prod_a", "service": "s3"}], F),
        ([{"group_id": "test", "service": "s3"}], S),
    ],
}


def _recipes() -> dict[str, str]:
    """Return the policy that each recipe is, by the ids of its rules."""
    section = PAGE.read_text(encoding="utf-8").split("## Ten recipes")[1].split("\n## ")[0]
    found = {}
    for text in re.findall(r"```yaml\n(.*?)```", section, re.DOTALL):
        policy = text if text.startswith("policy:") else f"policy: p\nrules:\n{text}"
        found |= dict.fromkeys(re.findall(r"- id: (\S+)", text), policy)
    return found


RECIPES = _recipes()
#: Those that read what only an account says.
OF_AN_ACCOUNT = ("within-budget",)


def test_there_are_ten_and_each_is_judged() -> None:
    assert len(set(RECIPES.values())) == 10
    assert [name for name in RECIPES if name not in OF_AN_ACCOUNT] == list(CASES)


@pytest.mark.parametrize("name", CASES)
def test_a_recipe_says_what_it_is_for(name: str, tmp_path: Path) -> None:
    rules = loaded(tmp_path, RECIPES[name]).ruleset
    for records, verdict in CASES[name]:
        whole = [{"id": f"c{number}", "service": "s3", **r} for number, r in enumerate(records)]
        checks = checks_of(rules, whole)[name]
        told = [group.verdict for group in checks.groups] or [Verdict(v) for v in checks.verdicts]
        assert told == [verdict], records


def test_a_budget_for_each_group_is_that_of_its_row_or_the_default(tmp_path: Path) -> None:
    policy = RECIPES["within-budget"].replace("Production: 120", "Prod: 1")
    facts, _, rules = policy.replace("Sandbox: 10", "Dev: 2").partition("rules:\n")
    own = facts.partition("\n")[2]
    with AccountServer(ACCOUNT) as server:
        result = judged(tmp_path, rules, server, own)
    (checks,) = [c for c in result.checks if c.rule.id == "within-budget"]
    assert sorted(each.verdict.label for each in checks.groups) == ["fail", "pass", "pass"]
