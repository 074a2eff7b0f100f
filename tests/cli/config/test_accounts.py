"""Several accounts in one file: each is judged by itself, and the worst of them is the answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor.sandbox.estate import build_estate
from auditor.sandbox.server import Sandbox
from tests.builders.command import KEYS, outcome_in, run

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
    assert page.count("✓ passed, exit 0") == 2
    links = re.findall(r'href="([^"]+)"', page)
    assert {"production/report.html", "staging/junit.xml"} <= set(links)
    assert [link for link in links if not (folder / "audit-report" / link).is_file()] == []
    assert "did not finish" not in page
    assert "2 accounts:" in done.stdout


def test_the_worst_is_the_answer_and_stops_no_other(folder: Path):
    for change, code, word in (
        ({"STAGING_SECRET": "another-secret"}, 3, "? inconclusive, exit 3"),
        ({"STAGING_KEY": ""}, 2, "! not judged, exit 2"),
    ):
        done = run(["audit", "--all-accounts"], folder, {**ENV, **change})
        assert done.returncode == code
        page = (folder / "audit-report/index.html").read_text()
        assert word in page
        assert "✓ passed, exit 0" in page
        assert outcome_in(folder / "audit-report" / "production") == "passed"
        # What it came to before is gone.
        left = outcome_in(folder / "audit-report" / "staging")
        assert left == ("inconclusive" if code == 3 else "placeholder")


def test_an_option_on_the_command_line_holds_for_all(folder: Path):
    done = run(["audit", "--all-accounts", "-p", "baseline", "--fail-on", "low", "-q"], folder, ENV)
    assert done.returncode == 1
    assert "VIOLATIONS" in done.stdout
    page = (folder / "audit-report/index.html").read_text()
    assert page.count("✗ violations, exit 1") == 2


def test_the_key_of_one_is_never_asked_of_another(folder: Path):
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
        (["--account", "staging", "--terraform-plan", "x"], "--terraform-plan is of one account"),
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
    assert re.findall(r'href="([^"]+)"', page) == [
        "production/report.json",
        "staging/report.json",
    ]


def test_an_account_by_itself_outdates_the_page_over_all(folder: Path):
    assert run(["audit", "--all-accounts"], folder, ENV).returncode == 0
    assert run(["audit", "--account", "staging"], folder, ENV).returncode == 0
    page = (folder / "audit-report/index.html").read_text()
    assert "passed" not in page
    assert "did not finish" in page


def test_one_that_cannot_be_reached_stops_no_other(folder: Path, addresses: tuple[str, str]):
    with Sandbox(build_estate(1, 1)) as gone:
        dead = gone.url
    path = folder / "auditor.yaml"
    path.write_text(path.read_text().replace(addresses[0], dead))
    done = run(["audit", "--all-accounts"], folder, ENV)
    assert done.returncode == 3
    assert outcome_in(folder / "audit-report/production") == "inconclusive"
    assert outcome_in(folder / "audit-report/staging") == "passed"


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


def test_a_place_for_a_report_in_the_file_is_no_account_s(folder: Path):
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
    assert len(texts) == 7
    assert not [t for t in [*texts, done.stdout, done.stderr] if env["STAGING_SECRET"] in t]
