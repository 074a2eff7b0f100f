"""The recipes of docs/facts.md, run as written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from auditor.fields import FACT_LISTS
from auditor.policy.loading.load import load
from tests.builders.account_server import ACCOUNT, AccountServer, connection
from tests.builders.facts import judged, labels

PAGE = (Path(__file__).parents[2] / "docs" / "facts.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def block(language: str, holds: str) -> str:
    (found,) = [body for name, body in BLOCKS if name == language and holds in body]
    return str(found)


def test_ownership_by_name(tmp_path: Path):
    (tmp_path / "owners.csv").write_text(block("csv", "schema,team"))
    own = "facts:\n  owners: {file: owners.csv, key: schema, match: glob, columns: {team: text}}\n"
    rules = "  - {id: r, severity: low, assert: {owners.team: finance}}\n"
    names = ["orders", "finance_gl", "finance_sandbox"]
    connections = [connection(name) for name in names]
    with AccountServer({**ACCOUNT, "/v1/connections": connections}) as server:
        result = judged(tmp_path, rules, server, own)
    assert labels(result, "r") == ["fail", "pass", "fail"]


def test_budgets_per_group(tmp_path: Path):
    (tmp_path / "budgets.csv").write_text("name,mar\nProd,100\nDev,10\n")
    (tmp_path / "mar.csv").write_text("schema,rows\none,99\ntwo,11\n")
    facts, _, rules = block("text", "within-budget").partition("rules:\n")
    with AccountServer(ACCOUNT) as server:
        result = judged(tmp_path, rules, server, facts)
    assert labels(result, "within-budget") == ["pass", "fail", "skip", "skip"]


def test_limits_of_connections_per_group(tmp_path: Path):
    rows = block("csv", "name,connections").replace("Production,120", "Prod,1")
    (tmp_path / "limits.csv").write_text(rows.replace("Sandbox,10", "Dev,2"))
    facts, _, rules = block("text", "connections-within-limits").partition("rules:\n")
    with AccountServer(ACCOUNT) as server:
        result = judged(tmp_path, rules, server, facts)
    (checks,) = [c for c in result.checks if c.rule.id == "connections-within-limits"]
    assert sorted(each.verdict.label for each in checks.groups) == ["fail", "pass", "skip"]


@pytest.mark.parametrize("name", ["people", "tiers", "fresh-by-tier"])
def test_policies_of_the_page_judge(tmp_path: Path, name: str):
    path = tmp_path / "policy.yaml"
    path.write_text(block("yaml", f"policy: {name}\n"))
    assert load([str(path)]).ruleset.rules


def test_the_table_of_lists_is_that_of_the_code():

    rows = re.findall(
        r"^\| `(\w+)` \| `(/v1/\S+)` \| (?:`(\S+)`)? ?\| `(\S+)` \|$", PAGE, re.MULTILINE
    )
    table = [(f.name, f.path, f.key, f.resource) for f in FACT_LISTS.values()]
    assert sorted(rows) == sorted(table)
