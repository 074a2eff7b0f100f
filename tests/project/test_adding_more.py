"""CONTRIBUTING's examples of operators, facts, a source and a command, run as written."""

from __future__ import annotations

import ast
import importlib
import json
import pkgutil
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

import pytest

import auditor
from auditor.cli import main
from auditor.cli.terminal.streams import Terminal
from auditor.model import Completeness, Outcome, Verdict
from auditor.policy.language import operators
from auditor.policy.language.conditions import evaluate, reach
from auditor.policy.language.operators import OPERATORS, Operator
from auditor.policy.language.rules import PolicyRule
from auditor.policy.schemas.policy import policy_schema
from auditor.run import audit
from tests.builders.account_server import AccountServer
from tests.builders.command import KEYS, untraced
from tests.builders.judged import (
    NOW,
    findings_of,
    loaded,
    one_rule,
    outcome_of,
    problems_of,
    verdict_of,
)
from tests.builders.sources import syntax_trees

PACKAGE = Path(auditor.__file__).parent
PAGE = (PACKAGE.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
#: Where words that are names of operators too mean something else.
OTHER_WORDS = {
    "reports/comparison/json.py": {"before", "after"},
    # What stands before a place in a text.
    "policy/language/automaton.py": {"before"},
    # How a key of facts is matched.
    "policy/loading/facts.py": {"glob"},
    # A keyword of JSON Schema.
    "policy/loading/literals.py": {"contains"},
    "policy/schemas/operands.py": {"contains"},
    "policy/schemas/policy.py": {"contains"},
}


def _blocks(section: str, following: str) -> list[str]:
    part = PAGE.split(f"**{section}.**", 1)[1].split(following, 1)[0]
    return re.findall(r"^```python\n(.*?)^```$", part, re.MULTILINE | re.DOTALL)


# -- operators ------------------------------------------------------------------------------------


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> dict[str, Operator]:
    """Put the rows of the page into the table, wherever the table was imported."""
    rows = [eval(block, vars(operators)) for block in _blocks("Operator", "**Field.**")]
    assert [row.family for row in rows] == ["text", "comparison", "items"]
    found = {row.name: row for row in rows}
    assert not found.keys() & OPERATORS.keys()
    table = MappingProxyType({**OPERATORS, **found})
    for module in pkgutil.walk_packages([str(PACKAGE)], "auditor."):
        if module.name.startswith("auditor.policy"):
            importlib.import_module(module.name)
    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").startswith("auditor.") and (
            getattr(module, "OPERATORS", None) is OPERATORS
        ):
            monkeypatch.setattr(module, "OPERATORS", table)
    return found


#: A test, and records for which it holds, fails, and cannot be judged.
ADDED: dict[str, tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "has_word": (
        "schema: {has_word: ads}",
        {"schema": "raw_ads"},
        {"schema": "raw_adsense"},
        {"schema": None},
    ),
    "at_least_twice": (
        "sync_frequency: {at_least_twice: 30}",
        {"sync_frequency": 60},
        {"sync_frequency": 59},
        {"sync_frequency": "60"},
    ),
    "not_all_items": (
        "setup_tests: {not_all_items: {status: PASSED}}",
        {"setup_tests": [{"status": "PASSED"}, {"status": "FAILED"}]},
        {"setup_tests": []},
        {"setup_tests": [{"status": "PASSED"}, {}]},
    ),
}


@pytest.mark.parametrize("name", sorted(ADDED))
def test_an_added_operator_is_judged_described_and_denied(
    name: str, added: dict[str, Operator], tmp_path: Path
) -> None:
    body, *records = ADDED[name]
    ruleset = loaded(tmp_path, one_rule(f"assert: {{{body}}}")).ruleset
    (entry,) = ruleset.rules
    assert isinstance(entry, PolicyRule)
    for record, verdict in zip(records, (Verdict.PASS, Verdict.FAIL, Verdict.ERROR), strict=True):
        assert verdict_of(ruleset, record) is verdict

        def get(path: str, record: dict[str, Any] = record) -> Any:
            return reach(record, path)

        plain = evaluate(entry.assertion, get, NOW)
        assert plain is {Verdict.PASS: True, Verdict.FAIL: False}.get(verdict)
    (finding,) = findings_of(ruleset, records[1:2])
    said = added[name].phrase.said.partition("{}")[0].strip()
    assert said.removeprefix("is ").removeprefix("has ") in finding.evidence[0].expected
    denied = loaded(tmp_path, one_rule(f"assert: {{not: {{{body}}}}}")).ruleset
    assert verdict_of(denied, records[0]) is Verdict.FAIL
    assert added[name].phrase.denied.partition("{}")[0].strip() in denied.rules[0].rule.expects


def test_an_added_operator_is_suggested_and_in_the_schema(
    added: dict[str, Operator], tmp_path: Path
) -> None:
    for name, (body, *_) in ADDED.items():
        (problem,) = problems_of(tmp_path, one_rule(f"assert: {{{body.replace(name, name[:-1])}}}"))
        assert problem.hint == f"did you mean {name}?"
        assert f'"title": "{name}"' in str(policy_schema()).replace("'", '"')


def test_an_added_ordering_settles_a_count_of_what_was_not_listed_whole(
    added: dict[str, Operator], tmp_path: Path
) -> None:
    assert added["at_least_twice"].bound is not None
    for least, verdict in ((1, Verdict.PASS), (2, Verdict.ERROR)):
        body = f"per: account\nassert: {{count: {{at_least_twice: {least}}}}}"
        ruleset = loaded(tmp_path, one_rule(body)).ruleset
        (checks,) = outcome_of(ruleset, [{}, {}, {}], whole=False).checks()
        assert checks.groups[0].verdict is verdict


def test_no_other_module_names_an_operator() -> None:
    """What a module asks of an operator is an attribute of its row, so a new row is enough."""
    named = []
    for path, tree in syntax_trees().items():
        where = path.relative_to(PACKAGE).as_posix()
        if where == "policy/language/operators.py":
            continue
        if where.startswith("policy/") or where in OTHER_WORDS:
            words = OPERATORS.keys() - OTHER_WORDS.get(where, set())
            named += [
                f"{where}:{node.lineno} {node.value}"
                for node in ast.walk(tree)
                if isinstance(node, ast.Constant) and node.value in words
            ]
        named += [
            f"{where}:{node.lineno} compares a name"
            for node in ast.walk(tree)
            if isinstance(node, ast.Compare)
            and any(
                isinstance(side, ast.Attribute)
                and side.attr == "name"
                and "operator" in ast.unparse(side.value)
                for side in (node.left, *node.comparators)
            )
        ]
    assert named == []


# -- a list of facts ------------------------------------------------------------------------------

BUDGETS = """policy: house
rules:
  - {id: within, severity: low, assert: {budget.rows_per_month: {lte: 100}}}
"""


def test_an_added_list_of_facts_is_fetched_joined_and_known(tmp_path: Path) -> None:
    (row,) = _blocks("List of facts", "**Report format.**")
    # A process of its own, in a copy with that row: the tables are made when it starts.
    shutil.copytree(PACKAGE, tmp_path / "auditor", ignore=shutil.ignore_patterns("__pycache__"))
    for shared in ("policies", "reports"):
        shutil.copytree(PACKAGE.parent / shared, tmp_path / shared)
    table = tmp_path / "auditor" / "fields" / "facts.py"
    text, end = table.read_text(encoding="utf-8"), "\n)\n\n#: Every list by the name"
    assert text.count(end) == 1
    table.write_text(text.replace(end, f"\n{row.rstrip()},{end}"), encoding="utf-8")
    (tmp_path / "house.yaml").write_text(BUDGETS)
    (tmp_path / "wrong.yaml").write_text(BUDGETS.replace("per_month", "per_moth"))

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "auditor", *words]
        env = untraced(KEYS)
        return subprocess.run(
            command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=False
        )

    connection = {"service": "s", "schema": "n", "paused": False}
    lists = {
        "/v1/connections": [
            {**connection, "id": f"c{n}", "group_id": group} for n, group in enumerate("ab")
        ],
        "/v1/budgets": [
            {"id": "1", "group_id": "a", "rows_per_month": 100},
            {"id": "2", "group_id": "b", "rows_per_month": 101},
        ],
    }
    with AccountServer(lists) as server:
        done = run("audit", "-p", "./house.yaml", "--base-url", server.url, "--report", "json=-")
        fetched = run("fetch", "--with", "budgets", "--base-url", server.url, "-o", "saved.ndjson")
    assert done.returncode == 1, done.stderr
    (finding,) = json.loads(done.stdout)["findings"]
    assert finding["connections"][0]["id"] == "c1"
    assert finding["evidence"][0]["actual"] == "101"
    assert fetched.returncode == 0, fetched.stderr
    assert '"rows_per_month":101' in (tmp_path / "saved.ndjson").read_text()
    assert "did you mean budget.rows_per_month" in run("validate", "./wrong.yaml").stdout
    assert "budget.rows_per_month" in run("schema").stdout


# -- a source -------------------------------------------------------------------------------------


def test_the_added_source_is_judged(tmp_path: Path) -> None:
    (code,) = _blocks("Source", "**Command.**")
    module = ModuleType("auditor.sources.held")
    exec(compile(code, "CONTRIBUTING.md", "exec"), module.__dict__)
    assert module.__doc__
    record = '{"id": "c1", "service": "s", "schema": "n", "group_id": "g", "paused": true}'
    ruleset = loaded(tmp_path, one_rule("assert: {paused: false}")).ruleset
    result = audit(module.HeldSource(f'[{record}, {{"service": "s"}}]'.encode()), ruleset)
    assert [finding.connections[0].id for finding in result.findings] == ["c1"]
    assert result.listing.completeness is Completeness.UNKNOWN
    assert result.gate.outcome is Outcome.INCONCLUSIVE


# -- a command ------------------------------------------------------------------------------------


def test_the_added_command_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, line = _blocks("Command", "## Dependencies")
    ((name, said),) = ast.literal_eval(line).items()
    assert name not in main.COMMANDS
    module = ModuleType(f"auditor.cli.commands.{name}")
    exec(compile(code, "CONTRIBUTING.md", "exec"), module.__dict__)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(main, "COMMANDS", MappingProxyType({**main.COMMANDS, name: said}))
    wanted = (([name], "baseline"), (["--help"], said), ([name, "-h"], "one per line"))
    for arguments, expected in wanted:
        assert main._run(arguments, Terminal.from_environment()) == 0
        assert expected in capsys.readouterr().out
