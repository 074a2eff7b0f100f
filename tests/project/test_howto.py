"""The scripts of the how-to pages do what the pages say."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import sys
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from auditor.reports.accounts import AccountOutcome, Accounts, JudgedAccount
from auditor.reports.accounts_json import render
from auditor.sandbox.estate import build_estate
from auditor.sandbox.server import Sandbox
from tests.builders.command import KEYS, run, shell
from tests.builders.pages import on_path

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def _jq() -> None:
    if shutil.which("jq") is None:
        if os.environ.get("CI"):
            pytest.fail("jq is not installed")
        pytest.skip("NOT TRIED: jq is not installed")


def block(page: str, language: str) -> str:
    """Return the first block of a page in a language."""
    pattern = rf"^```{language}\n(.*?)^```$"
    found = re.search(pattern, (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def script(page: str) -> str:
    """Return the first script on a page."""
    return block(page, "sh")


@pytest.mark.usefixtures("_jq")
@pytest.mark.parametrize(("healthy", "code"), [(True, 0), (False, 1)])
def test_a_channel_is_told_of_what_is_not_green(tmp_path: Path, healthy: bool, code: int):
    path = on_path(tmp_path, curl=f'printf "%s\\n" "$@" > {tmp_path}/sent')
    with Sandbox(build_estate(60, 7, healthy=healthy)) as sandbox:
        env = {
            **KEYS,
            "FIVETRAN_AUDITOR_BASE_URL": sandbox.url,
            "PATH": path,
            "SLACK_WEBHOOK": "https://hooks.example/1",
        }
        done = shell(f"set -eu\n{script('slack.md')}", tmp_path, env)
    assert done.returncode == code, done.stderr
    assert (tmp_path / "sent").exists() == (code != 0)
    told = json.loads((tmp_path / "audit-report/slack.json").read_text())["text"]
    assert told.startswith(f"Fivetran audit: {'passed' if healthy else 'violations'}. ")
    if code:
        assert "https://hooks.example/1" in (tmp_path / "sent").read_text().splitlines()


@pytest.mark.usefixtures("_jq")
def test_findings_are_listed_for_who_owns_them(tmp_path: Path):
    with Sandbox(build_estate(60, 7)) as sandbox:
        assert run(["audit", "--base-url", sandbox.url], tmp_path, KEYS).returncode == 1
    done = shell(f"set -eu\n{script('owners.md')}", tmp_path)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    report = json.loads((tmp_path / "audit-report/report.json").read_text())
    failed = [entry for entry in report["findings"] if entry["verdict"] == "fail"]
    assert [row[0] for row in rows] == [entry["rule"] for entry in failed]
    assert {len(row) for row in rows} == {3}


def test_several_accounts_are_audited_as_the_page_says(tmp_path: Path):
    page = (DOCS / "accounts.md").read_text()
    (tmp_path / "policies").mkdir()
    rule = "{id: r, severity: critical, assert: {schema: {not_equals: nowhere}}}"
    (tmp_path / "policies/p.yaml").write_text(f"policy: p\nrules: [{rule}]\n")
    (tmp_path / "production-waivers.yaml").write_text("waivers: []\n")
    blocks = re.findall(r"^```console\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    one, all_, *others = [line.split()[1:] for text in blocks for line in text.splitlines()]
    key, secret = KEYS.values()
    env = {
        f"{name}_FIVETRAN_{kind}": value
        for name in ("PRODUCTION", "STAGING")
        for kind, value in (("KEY", key), ("SECRET", secret))
    }
    with Sandbox(build_estate(20, 7)) as sandbox, Sandbox(build_estate(20, 8)) as other:
        config = block("accounts.md", "yaml")
        for name, url in (("PRODUCTION", sandbox.url), ("STAGING", other.url)):
            keys = f"secret_from: {name}_FIVETRAN_SECRET\n"
            config = config.replace(keys, f"{keys}    base_url: {url}\n")
        (tmp_path / "auditor.yaml").write_text(config)
        done = run(one, tmp_path, env)
        assert (done.returncode, done.stderr) == (0, "")
        assert [path.name for path in (tmp_path / "audit-report").iterdir()] == ["production"]
        done = run(all_, tmp_path, env)
        assert (done.returncode, done.stderr) == (0, "")
        made = sorted(path.name for path in (tmp_path / "audit-report").iterdir())
        assert made == ["accounts.json", "index.html", "production", "staging"]
        assert [words[0] for words in others] == ["fetch", "audit", "validate"]
        for words in others:
            done = run(words, tmp_path, env)
            assert (done.returncode, done.stderr) == (0, "")


def test_the_summary_over_accounts_is_as_the_page_shows_it():
    shown = json.loads(block("accounts.md", "json"))
    schema = files("auditor.reports").joinpath("accounts.schema.json").read_text("utf-8")
    jsonschema.Draft202012Validator(json.loads(schema)).validate(shown)
    first, other = shown["accounts"]
    told = [name for name in JudgedAccount.__struct_fields__ if name in first]
    judged = JudgedAccount(**{name: first[name] for name in told})
    outcomes = (
        AccountOutcome("production", 3, judged, "", (("json", "production/report.json"),)),
        AccountOutcome("staging", 2, None, other["answer"], (("json", "staging/report.json"),)),
    )
    assert json.loads("".join(render(Accounts(outcomes, "1.0.0")))) == shown


# -- a warehouse query as facts -----------------------------------------------------------------

#: Stands in for the warehouse and its client: SQLite, which lacks one function and two options.
WAREHOUSE = """
import csv, sqlite3, sys
base = sqlite3.connect(":memory:")
base.execute("attach ':memory:' as fivetran_metadata")
base.create_function("date_trunc", 2, lambda _, day: day[:8] + "01")
base.executescript(open("warehouse.sql").read())
asked = dict(zip(sys.argv[1:], sys.argv[2:]))
answer = base.execute(open(asked["--file"]).read())
with open(asked["--output"], "w", newline="") as file:
    out = csv.writer(file)
    out.writerow(column[0] for column in answer.description)
    out.writerows(answer)
"""


def filled(names: dict[str, str], rows: dict[str, int]) -> str:
    """Return a warehouse that has connections by their ids, and what each used this month."""
    lines = [
        f"create table fivetran_metadata.{table} ({columns});"
        for table, columns in {
            "connection": "connection_id, connection_name, destination_id, _fivetran_deleted",
            "incremental_mar": "connection_name, destination_id, free_type, measured_date,"
            " incremental_rows",
        }.items()
    ]
    for id_, name in names.items():
        lines.append(f"insert into connection values ('{id_}', '{name}', 'd', false);")
        for free, day, count in (
            ("PAID", "current_date", rows.get(id_, 0)),
            ("PAID", "'2020-01-31'", 90_000_000),
            ("FREE_RESYNC", "current_date", 90_000_000),
        ):
            values = f"'{name}', 'd', '{free}', {day}, {count}"
            lines.append(f"insert into incremental_mar values ({values});")
    lines.append("insert into connection values ('gone', 'gone', 'd', true);")
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("used", "unseen", "code"),
    [(1_000_000, 0, 0), (1_000_001, 0, 1), (0, 1, 3)],
    ids=["within", "above", "not seen"],
)
def test_usage_from_the_warehouse_is_checked_against_budgets(
    tmp_path: Path, used: int, unseen: int, code: int
):
    page = "warehouse.md"
    estate = build_estate(20, 7)
    names = {str(each["id"]): str(each["schema"]) for each in estate.records}
    first = next(id_ for id_, name in names.items() if not name.startswith("core_"))
    (tmp_path / "budgets.yaml").write_text(block(page, "yaml"))
    (tmp_path / "mar.sql").write_text(block(page, "sql"))
    seen = dict(list(names.items())[unseen:])
    (tmp_path / "warehouse.sql").write_text(filled(seen, {first: used}))
    (tmp_path / "warehouse.py").write_text(WAREHOUSE)
    with Sandbox(estate) as sandbox:
        env = {
            **KEYS,
            "FIVETRAN_AUDITOR_BASE_URL": sandbox.url,
            "WAREHOUSE": "anything",
            "PATH": on_path(tmp_path, psql=f'exec {shlex.quote(sys.executable)} warehouse.py "$@"'),
        }
        done = shell(script(page), tmp_path, env)
    assert done.returncode == code, done.stdout + done.stderr
    rows = (tmp_path / "mar.csv").read_text().splitlines()
    assert len(rows) == 1 + len(seen)
    assert f"{first},{used}" in rows or unseen
    report = json.loads((tmp_path / "audit-report/report.json").read_text())
    told = {f["rule"]: f["connections"][0]["id"] for f in report["findings"] if not f["group"]}
    assert told == ({"within-budget": first} if code else {})
