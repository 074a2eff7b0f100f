"""What only the made-up company knows, judged by the rules that need it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor import audit
from auditor.model import Result, Verdict
from auditor.policy.loading.load import load
from auditor.sandbox.company import files
from auditor.sandbox.estate import SandboxEstate, build_estate
from auditor.sandbox.server import Sandbox
from auditor.sources.api.account import Credentials
from auditor.sources.api.client import HttpOptions
from auditor.sources.api.walk import FivetranSource
from tests.builders.slow import tries

#: The flaws that each rule on the company's own facts finds.
FINDS = {
    "sync-floors-hold": {"one-minute-sync", "five-minute-sync", "eager-advertising"},
    "mar-budgets-hold": {"over-budget"},
    "data-stays-in-its-region": {"region-mismatch"},
}


def judged(folder: Path, estate: SandboxEstate) -> Result:
    for name, text in files(estate.facts):
        (folder / name).write_text(text, encoding="utf-8")
    facts = {name: str(folder / f"{name}.csv") for name in estate.facts}
    ruleset = load(["cost", "account"], facts=facts, strict=True).ruleset
    with Sandbox(estate) as sandbox:
        key = Credentials(sandbox.key, sandbox.secret)
        return audit(FivetranSource(sandbox.url, key, options=HttpOptions(attempts=1)), ruleset)


def having(result: Result, verdict: Verdict) -> dict[str, set[str]]:
    ids = result.connections.ids
    return {
        checks.rule.id: {
            id_ for id_, byte in zip(ids, checks.verdicts, strict=True) if byte == verdict
        }
        for checks in result.checks
        if checks.rule.id in FINDS
    }


def test_rules_on_the_companys_facts_find_their_flaws_and_nothing_else(tmp_path: Path):
    estate = build_estate(250)
    result = judged(tmp_path, estate)
    # A flaw of a destination is one of every connection in its group.
    expected = {
        rule: {
            record["id"]
            for record in estate.records
            for flaw in flaws
            if {record["id"], record["group_id"]} & set(estate.flaws[flaw])
        }
        for rule, flaws in FINDS.items()
    }
    assert having(result, Verdict.FAIL) == expected
    assert all(expected.values())
    assert not any(having(result, Verdict.ERROR).values())
    # Nothing is idle, and no row goes unused.
    assert all(having(result, Verdict.PASS).values())
    assert [note for note in result.notes if "no rows" in note] == []
    assert {info.name for info in result.facts if info.sha256} == set(estate.facts)


@pytest.mark.parametrize("count", [1, 12, 250])
def test_a_healthy_account_keeps_to_them(tmp_path: Path, count: int):
    result = judged(tmp_path, build_estate(count, healthy=True))
    assert not any(having(result, Verdict.FAIL).values())
    assert not any(having(result, Verdict.ERROR).values())
    assert all(having(result, Verdict.PASS).values())


@given(st.integers(0, 200), st.integers(0, 2**32))
@settings(max_examples=tries(20), deadline=None)
def test_the_same_seed_makes_the_same_files(count: int, seed: int):
    first, second = (dict(files(build_estate(count, seed).facts)) for _ in range(2))
    assert first == second
    assert all(text.isascii() and '"' not in text for text in first.values())
