"""Several accounts in one file: each is judged by itself, and the worst outcome counts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from auditor.sandbox.estate import build_estate
from auditor.sandbox.server import Sandbox
from tests.builders.command import KEYS, outcome_in, run
from tests.builders.plans import PLANS

SCHEMA = json.loads(files("auditor.reports").joinpath("accounts.schema.json").read_text("utf-8"))
RULE = "policy: p\nrules: [{id: r, severity: high, assert: {schema: {not_equals: nowhere}}}]\n"
FILE = """policy: [./policies]
accounts:
  production:
    key_from: PRODUCTION_KEY
    secret_from: PRODUCTION_SECRET
    base_url: {one}
  staging:
    key_from: STAGING_KEY
    secret_from: STAGING_SECRET
    base_url: {other}
    policy: [baseline]
    fail_on: none
"""
ENV = {
    "PRODUCTION_KEY": KEYS["FIVETRAN_API_KEY"],
    "PRODUCTION_SECRET": KEYS["FIVETRAN_API_SECRET"],
    "STAGING_KEY": KEYS["FIVETRAN_API_KEY"],
    "STAGING_SECRET": KEYS["FIVETRAN_API_SECRET"],
}


@pytest.fixture(scope="module")
def addresses() -> Iterator[tuple[str, str]]:
    """Serve two accounts; yield their addresses."""
    with Sandbox(build_estate(20, 7)) as one, Sandbox(build_estate(30, 8)) as other:
        yield one.url, other.url


@pytest.fixture
def folder(tmp_path: Path, addresses: tuple[str, str]) -> Path:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies/p.yaml").write_text(RULE)
    one, other = addresses
    (tmp_path / "auditor.yaml").write_text(FILE.format(one=one, other=other))
    return tmp_path


def in_all(folder: Path) -> dict[str, Any]:
    """Return the summary over all accounts, which its schema takes."""
    found: dict[str, Any] = json.loads((folder / "audit-report/accounts.json").read_text())
    jsonschema.Draft202012Validator(SCHEMA).validate(found)
    return found


def report(folder: Path, name: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(
        (folder / "audit-report" / name / "report.json").read_text()
    )
    return found


def test_an_account_is_audited_by_its_key_and_what_it_sets(folder: Path):
    done = run(["audit", "--account", "staging"], folder, ENV)
    assert (done.returncode, done.stderr) == (0, "")
    text = json.dumps(report(folder, "staging"))
    assert '"connections": 30' in text
    assert "the account staging of auditor.yaml" in text
    assert "auditor.yaml sets policy, base_url and fail_on" in text
    assert not (folder / "audit-report" / "report.json").exists()


def test_all_are_audited_each_into_a_folder_of_its_own(folder: Path):
    done = run(["audit", "--all-accounts"], folder, ENV)
    assert (done.returncode, done.stderr) == (0, "")
    for name, count in (("production", 20), ("staging", 30)):
        assert outcome_in(folder / "audit-report" / name) == "passed"
        assert f'"connections": {count}' in json.dumps(report(folder, name))
    page = (folder / "audit-report/index.html").read_text()
    assert page.count("<span>passed, exit 0</span>") == 2
    assert page.count("<small>everything that was listed was judged") == 2
    assert '<p class="lead">All 2 accounts were judged.</p>' in page
    links = re.findall(r'<a href="([^"#]+)"', page)
    assert {"production/report.html", "staging/junit.xml"} <= set(links)
    assert [link for link in links if not (folder / "audit-report" / link).is_file()] == []
    assert "did not finish" not in page
    assert "2 accounts:" in done.stdout
    told = in_all(folder)
    assert (told["finished"], told["outcome"], told["exit_code"]) == (True, "passed", 0)
    assert [each["name"] for each in told["accounts"]] == ["production", "staging"]
    for each in told["accounts"]:
        own = json.loads((folder / "audit-report" / each["reports"][2]["path"]).read_text())
        assert each["counts"] == {k: n for k, n in own["counts"].items() if k != "checks"}
        assert each["connections"] == own["listing"]["connections"]
        assert each["reasons"] == own["gate"]["reasons"]
        assert each["answer"].startswith("PASSED  exit 0: ")
        assert each["judged_at"] == own["judged_at"]
        assert each["answer"].startswith(f"{own['gate']['outcome'].upper()}  exit ")
        assert sum(each["violations"].values()) == own["counts"]["fail"]
        assert [r["format"] for r in each["reports"]] == ["html", "junit", "json"]


def test_the_worst_is_the_answer_and_stops_no_other(folder: Path):
    for change, code, word in (
        ({"STAGING_SECRET": "another-secret"}, 3, "inconclusive, exit 3"),
        ({"STAGING_KEY": ""}, 2, "not judged, exit 2"),
    ):
        done = run(["audit", "--all-accounts"], folder, {**ENV, **change})
        assert done.returncode == code
        page = (folder / "audit-report/index.html").read_text()
        assert f"<span>{word}</span>" in page
        assert "<span>passed, exit 0</span>" in page
        assert "\x1b" not in page
        first, other = in_all(folder)["accounts"]
        assert (first["exit_code"], first["counts"]["fail"]) == (0, 0)
        assert (other["exit_code"], in_all(folder)["exit_code"]) == (code, code)
        if code == 2:
            assert other["counts"] is None
            assert "STAGING_KEY is not set" in other["answer"]
            assert "STAGING_KEY is not set" in page
        assert outcome_in(folder / "audit-report" / "production") == "passed"
        # What it came to before is gone.
        left = outcome_in(folder / "audit-report" / "staging")
        assert left == ("inconclusive" if code == 3 else "placeholder")


def test_an_option_on_the_command_line_holds_for_all(folder: Path):
    done = run(["audit", "--all-accounts", "-p", "baseline", "--fail-on", "low", "-q"], folder, ENV)
    assert done.returncode == 1
    assert "VIOLATIONS" in done.stdout
    page = (folder / "audit-report/index.html").read_text()
    assert page.count("<span>violations, exit 1</span>") == 2


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (RULE, "PRODUCTION_SECRET is not set; PRODUCTION_KEY is: set both"),
        (
            "policy: p\nrules: [{id: r, severity: hgh, assert: {schema: x}, wy: z}]\n",
            "policies/p.yaml:2:27: hgh is not a severity (did you mean high?); and 1 more problem",
        ),
    ],
)
def test_an_account_that_is_not_judged_has_its_reason_everywhere(
    folder: Path, rule: str, reason: str
):
    (folder / "policies/p.yaml").write_text(rule)
    env = {name: value for name, value in ENV.items() if name != "PRODUCTION_SECRET"}
    done = run(["audit", "--all-accounts", "-q"], folder, env)
    assert done.returncode == 2
    production, staging = in_all(folder)["accounts"]
    assert (production["outcome"], production["answer"]) == ("not judged", reason)
    assert production["reasons"] == [reason]
    assert f"\n  production: {reason}\n" in done.stdout
    assert f"<small>{escape(reason)}<" in (folder / "audit-report/index.html").read_text()
    assert staging["outcome"] == "passed"


def test_one_account_never_gets_the_key_of_another(folder: Path):
    # The usual variables are not a way around the account's own.
    done = run(["audit", "--account", "production"], folder, KEYS)
    assert done.returncode == 2
    assert "no credentials: set PRODUCTION_KEY and PRODUCTION_SECRET" in done.stderr
    assert "FIVETRAN_API_KEY" not in done.stderr


def test_no_account_s_credentials_are_shown(folder: Path):
    canary = "canaryCANARY0123456789"
    (folder / "policies/p.yaml").write_text(RULE.replace("nowhere", canary))
    env = {**ENV, "STAGING_SECRET": canary}
    done = run(["audit", "--account", "production", "-v", "--report", "json"], folder, env)
    text = done.stdout + done.stderr + json.dumps(report(folder, "production"))
    assert done.returncode == 0
    assert canary not in text


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--account", "prodction"], "there is no such account (did you mean production?)"),
        (["--account", "production", "--all-accounts"], "use only one of them"),
        (["--all-accounts", "--snapshot", "x.ndjson"], "--snapshot is of one account"),
        (["--all-accounts", "--terraform-plan", "x"], "--terraform-plan is of one account"),
        (
            ["--all-accounts", "--report", "json=x.json"],
            "every account would write it to the same path",
        ),
        (["--all-accounts", "--report", "json=-"], "every account would write it to the same path"),
        (["--all-accounts", "--config", "/dev/null"], "write accounts: into auditor.yaml"),
        (["--account", "production", "--config", "/dev/null"], "write accounts: into auditor.yaml"),
    ],
)
def test_what_cannot_be_meant_is_refused(folder: Path, arguments: list[str], told: str):
    done = run(["audit", *arguments], folder, ENV)
    assert (done.returncode, told in done.stderr) == (2, True), done.stderr
    assert not (folder / "audit-report").exists()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("  production:", "  Production:", "Production is not a valid account name"),
        ("  production:", "  ../up:", "../up is not a valid account name"),
        ("  production:", f"  {'p' * 64}:", "at most 63 small letters, digits, - and _"),
        ("    key_from: PRODUCTION_KEY\n", "", "production has no key_from"),
        ("PRODUCTION_KEY", "aB3dE5fG7hJ9kL1m", "takes the name of a variable"),
        ("STAGING_KEY", "PRODUCTION_KEY", "PRODUCTION_KEY is already used by another account"),
        ("    fail_on: none", "    fail_on: nothing", "fail_on"),
        ("    fail_on: none", "    fail_onn: none", "there is no option fail_onn"),
        ("    fail_on: none", "    output_dir: x", "staging cannot set output_dir"),
        ("    fail_on: none", "    snapshot: x", "staging cannot set snapshot"),
        ("    fail_on: none", "    api_key: x", "a credential does not belong in this file"),
    ],
)
def test_an_account_is_read_as_strictly_as_the_rest(folder: Path, old: str, new: str, told: str):
    path = folder / "auditor.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    done = run(["audit", "--all-accounts"], folder, ENV)
    assert (done.returncode, told in done.stderr) == (2, True), done.stderr
    assert "aB3dE5fG7hJ9kL1m" not in done.stderr


def test_a_command_line_that_cannot_be_read_leaves_no_older_pass(folder: Path):
    assert run(["audit", "--all-accounts"], folder, ENV).returncode == 0
    assert run(["audit", "--all-accounts", "--strct"], folder, ENV).returncode == 2
    assert "did not finish" in (folder / "audit-report/index.html").read_text()
    assert in_all(folder)["finished"] is False
    for name in ("production", "staging"):
        assert outcome_in(folder / "audit-report" / name) == "placeholder"
    assert run(["audit", "--account", "staging"], folder, ENV).returncode == 0
    assert run(["audit", "--account", "staging", "--strct"], folder, ENV).returncode == 2
    assert outcome_in(folder / "audit-report" / "staging") == "placeholder"


@pytest.mark.parametrize("wrong", [["--snapshot", "x"], ["--account", "staging"]])
def test_what_is_refused_leaves_no_older_pass(folder: Path, wrong: list[str]):
    assert run(["audit", "--all-accounts"], folder, ENV).returncode == 0
    assert run(["audit", "--all-accounts", *wrong], folder, ENV).returncode == 2
    assert "did not finish" in (folder / "audit-report/index.html").read_text()
    for name in ("production", "staging"):
        assert outcome_in(folder / "audit-report" / name) == "placeholder"


def test_a_snapshot_beside_an_account_leaves_no_older_pass(folder: Path):
    assert run(["audit", "--account", "staging"], folder, ENV).returncode == 0
    assert run(["audit", "--account", "staging", "--snapshot", "x"], folder, ENV).returncode == 2
    assert outcome_in(folder / "audit-report/staging") == "placeholder"


# -- what stands where --------------------------------------------------------------------------


def test_the_page_links_no_report_that_the_run_did_not_write(folder: Path):
    own = folder / "audit-report/production"
    own.mkdir(parents=True)
    (own / "report.sarif").write_text("of an older run")
    assert run(["audit", "--all-accounts", "--report", "json"], folder, ENV).returncode == 0
    page = (folder / "audit-report/index.html").read_text()
    assert re.findall(r'<a href="([^"#]+)"', page) == [
        "production/report.json",
        "staging/report.json",
    ]


@pytest.mark.parametrize(
    ("own", "code", "where"),
    [
        ("", 3, "doubts"),
        ("    policy: [baseline]\n", 0, "warnings"),
        ("    group: {group}\n", 0, ""),
    ],
)
def test_one_key_for_two_accounts_is_no_pass_for_both(
    folder: Path, addresses: tuple[str, str], own: str, code: int, where: str
):
    """One account was listed twice then, and the other one never."""
    text = FILE.format(one=addresses[0], other=addresses[0]).replace(
        "    policy: [baseline]\n", own
    )
    group = build_estate(20, 7).records[0]["group_id"]
    (folder / "auditor.yaml").write_text(text.replace("{group}", group))
    done = run(["audit", "--all-accounts"], folder, ENV)
    assert done.returncode == code, done.stdout
    found = in_all(folder)
    assert [each["exit_code"] for each in found["accounts"]] == [0, 0]
    assert found["exit_code"] == code
    told = {name: found[name] for name in ("doubts", "warnings")}
    assert [name for name, texts in told.items() if texts] == [where] * bool(where)
    page = (folder / "audit-report/index.html").read_text()
    for texts in told.values():
        for said in texts:
            assert said.startswith("production and staging listed the same account, ")
            assert said.endswith("(quiet_meridian): check the key of staging")
            assert said in done.stdout
            assert said in page


def test_an_account_by_itself_outdates_the_page_over_all(folder: Path):
    assert run(["audit", "--all-accounts"], folder, ENV).returncode == 0
    assert run(["audit", "--account", "staging"], folder, ENV).returncode == 0
    page = (folder / "audit-report/index.html").read_text()
    assert "exit 0" not in page
    assert "did not finish" in page
    assert in_all(folder) | {"tool": {}} == {
        "schema_version": "1.0",
        "kind": "accounts",
        "tool": {},
        "finished": False,
        "outcome": "inconclusive",
        "exit_code": 3,
        "doubts": [],
        "warnings": [],
        "accounts": [],
    }


def test_one_that_cannot_be_reached_stops_no_other(folder: Path, addresses: tuple[str, str]):
    with Sandbox(build_estate(1, 1)) as gone:
        dead = gone.url
    path = folder / "auditor.yaml"
    path.write_text(path.read_text().replace(addresses[0], dead))
    done = run(["audit", "--all-accounts"], folder, ENV)
    assert done.returncode == 3
    assert outcome_in(folder / "audit-report/production") == "inconclusive"
    assert outcome_in(folder / "audit-report/staging") == "passed"
    told = in_all(folder)
    assert [each["outcome"] for each in told["accounts"]] == ["inconclusive", "passed"]
    assert (told["outcome"], told["exit_code"]) == ("inconclusive", 3)
    assert told["accounts"][0]["connections"] == 0


def test_a_page_is_written_over_nothing_that_the_run_reads(folder: Path):
    (folder / "audit-report").mkdir()
    waivers = folder / "audit-report/index.html"
    waivers.write_text("waivers: []\n")
    words = ["audit", "--all-accounts", "--waivers", "audit-report/index.html"]
    done = run(words, folder, ENV)
    assert (done.returncode, waivers.read_text()) == (2, "waivers: []\n"), done.stderr


def test_links_lead_no_two_accounts_to_one_folder(folder: Path):
    (folder / "audit-report/production").mkdir(parents=True)
    (folder / "audit-report/staging").symlink_to("production")
    done = run(["audit", "--all-accounts"], folder, ENV)
    assert (done.returncode, "remove the link" in done.stderr) == (2, True)
    assert list((folder / "audit-report/production").iterdir()) == []


def test_a_report_path_in_the_file_is_refused_for_an_account(folder: Path):
    path = folder / "auditor.yaml"
    text = path.read_text()
    for more in ("report: [json=all.json]\n" + text, text + "    report: [json=all.json]\n"):
        path.write_text(more)
        for words in (["--account", "staging"], ["--all-accounts"]):
            done = run(["audit", *words], folder, ENV)
            assert (done.returncode, "to the same path" in done.stderr) == (2, True), done.stderr
    assert not (folder / "all.json").exists()
    # Who names the account and the place in one breath means it.
    done = run(["audit", "--account", "staging", "--report", "json=all.json"], folder, ENV)
    assert (done.returncode, (folder / "all.json").is_file()) == (0, True)


def test_each_has_a_history_of_its_own(folder: Path):
    assert run(["audit", "--all-accounts", "--history", "past"], folder, ENV).returncode == 0
    made = sorted(path.name for path in (folder / "past").iterdir())
    assert made == ["production", "staging"]


def test_no_account_s_credentials_are_in_the_reports_of_another_or_on_the_page(folder: Path):
    env = {**ENV, "STAGING_SECRET": "canaryCANARY0123456789"}
    (folder / "policies/p.yaml").write_text(RULE.replace("nowhere", env["STAGING_SECRET"]))
    done = run(["audit", "--all-accounts", "-v"], folder, env)
    assert done.returncode == 3
    texts = [p.read_text() for p in (folder / "audit-report").rglob("*") if p.is_file()]
    assert len(texts) == 8
    assert not [t for t in [*texts, done.stdout, done.stderr] if env["STAGING_SECRET"] in t]


# -- the other commands -------------------------------------------------------------------------


def test_an_account_is_fetched_by_its_key_from_its_address(folder: Path):
    done = run(["fetch", "--account", "staging"], folder, ENV)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Saved 30 connections" in done.stdout
    (saved,) = folder.glob("*.ndjson.gz")
    assert saved.name.startswith("staging-")
    # What was saved of an account is judged by its policies, and told among its reports.
    done = run(["audit", "--account", "staging", "--snapshot", saved.name], folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert '"connections": 30' in json.dumps(report(folder, "staging"))
    assert "no-pause-after-trial" in json.dumps(report(folder, "staging"))


@pytest.mark.parametrize(
    "command",
    [
        ["fetch"],
        ["explain", "r", "{}", "-p", "./policies"],
        ["test", "-p", "./policies", "--record", "{}", "r"],
    ],
    ids=lambda words: words[0],
)
def test_whatever_asks_the_account_asks_the_one_that_is_chosen(folder: Path, command: list[str]):
    name = str(build_estate(30, 8).records[0]["id"])
    words = [word.format(name) for word in command]
    done = run([*words, "--account", "staging"], folder, ENV)
    assert (done.returncode, done.stderr) == (0, "")
    # Of no account is no key, and what can be done is said.
    done = run(words, folder, ENV)
    assert done.returncode == 2
    assert "or name an account with --account: production or staging" in done.stderr
    # Where one cannot be reached, nothing is made up.
    done = run([*words, "--account", "staging"], folder, {**ENV, "STAGING_SECRET": "other"})
    assert done.returncode == 3
    done = run([*words, "--account", "prodction"], folder, ENV)
    assert (done.returncode, "did you mean production?" in done.stderr) == (2, True)


def test_a_plan_is_laid_over_the_account_that_is_chosen(folder: Path):
    estate = build_estate(30, 8)
    text = (PLANS / "v2.json").read_text().replace('"g1"', f'"{estate.records[0]["group_id"]}"')
    (folder / "plan.json").write_text(text)
    plan = ["--terraform-plan", "plan.json", "--over", "live"]
    words = ["audit", "--account", "staging", *plan, "--report", "json"]
    done = run(words, folder, ENV)
    assert done.returncode in {0, 1}, done.stderr
    held: Any = report(folder, "staging")
    known = {str(record["id"]) for record in estate.records}
    assert known <= set(held["connections"]["id"])
    assert len(held["connections"]["id"]) > 30
    assert run(words, folder, {**ENV, "STAGING_SECRET": "other"}).returncode == 3
    assert run(words, folder, KEYS).returncode == 2


def test_one_key_is_asked_for_one_account_of_a_plan(folder: Path):
    plan = ["--terraform-plan", str(PLANS / "accounts.json")]
    over = [word for name in ("fivetran", "fivetran.eu") for word in ("--over", f"{name}=live")]
    done = run(["audit", *plan, *over], folder, KEYS)
    assert (done.returncode, "one API key reads one account" in done.stderr) == (2, True)


@pytest.mark.parametrize("command", ["validate", "try", "waive", "compare", "explain", "test"])
def test_every_command_takes_the_settings_of_an_account(folder: Path, command: str):
    done = run(
        [command, "--account", "staging", "--show-config", *_NEEDED.get(command, ())], folder
    )
    assert (done.returncode, done.stderr) == (0, "")
    wanted = "fail_on: none" if command == "compare" else "policy: [baseline]"
    line = next(line for line in done.stdout.splitlines() if line.startswith(wanted))
    assert "auditor.yaml:" in line


_NEEDED = {
    "try": ["r"],
    "waive": ["r", "x", "--owner", "o", "--reason", "r", "--expires", "90d"],
}


def test_a_waiver_goes_to_the_file_of_its_account(folder: Path):
    path = folder / "auditor.yaml"
    path.write_text(path.read_text() + "    waivers: staging-waivers.yaml\n")
    told = ["--owner", "o", "--reason", "because", "--expires", "90d"]
    done = run(["waive", "--account", "staging", "setup-connected", "c1", *told], folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "setup-connected" in (folder / "staging-waivers.yaml").read_text()
