"""The GitHub Action: its steps run under bash, with inputs as GitHub gives them."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor.sandbox.estate import build_estate
from auditor.sandbox.server import Sandbox
from tests.adoption.github import ROOT, Run, Runner
from tests.builders.command import KEYS
from tests.builders.slow import mostly_slow
from tests.project.test_docs import command

ACTION = ROOT / "action.yml"
DECLARED: dict[str, Any] = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
STEPS = DECLARED["runs"]["steps"]
BROKEN = 'policy: p\nrules: [{id: r, severity: high, assert: {paused: "no"}}]\n'
NEVER_PAUSED = (
    "policy: p\nrules: [{id: r, severity: high, assert: {schema: {not_equals: nowhere}}}]\n"
)


@pytest.fixture(scope="module")
def account() -> Iterator[str]:
    """Serve an account with violations; yield its address."""
    with Sandbox(build_estate(40, 7)) as sandbox:
        yield sandbox.url


class Job:
    """A job's folders, in which the action is already installed."""

    def __init__(self, place: Path, account: str) -> None:
        self.workspace, self.temp, self.account = place / "a b", place / "temp", account
        self.workspace.mkdir()
        house = self.temp / "fivetran-auditor" / "bin"
        house.mkdir(parents=True)
        # A link would not find the packages of the environment.
        (house / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        (house / "python").chmod(0o755)

    def run(self, given: dict[str, str] | None = None, **env: str) -> Run:
        runner = Runner(ACTION, self.workspace, self.temp)
        env = {**KEYS, "FIVETRAN_AUDITOR_BASE_URL": self.account, "NO_COLOR": "1", **env}
        return runner.run(given or {}, env, leave_out="Install")

    def write(self, name: str, text: str) -> None:
        path = self.workspace / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@pytest.fixture
def job(tmp_path: Path, account: str) -> Job:
    return Job(tmp_path, account)


# -- what it says of itself ---------------------------------------------------------------------


def test_no_script_contains_an_expression():
    for step in STEPS:
        assert "${{" not in step.get("run", "")


def test_every_input_is_read_and_described():
    read = set(re.findall(r"\$\{\{ .*?inputs\.([\w-]+)", ACTION.read_text()))
    read |= set(re.findall(r"if: .*inputs\.([\w-]+)", ACTION.read_text()))
    assert read == set(DECLARED["inputs"])
    assert all(entry["description"] for entry in DECLARED["inputs"].values())
    assert not [name for name in DECLARED["inputs"] if "key" in name or "secret" in name]


def test_every_input_of_an_option_is_one():
    options = {opt.lstrip("-") for param in command("audit").params for opt in param.opts}
    own = {"options", "working-directory", "summary", "annotations", "sarif", "artifact"}
    assert set(DECLARED["inputs"]) - own <= options


def test_the_page_tells_of_every_input_and_gives_no_other():
    pages = [ROOT / "docs/ci.md", ROOT / "docs/monorepo.md"]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    table = text.partition("| input | |")[2].partition("\n\n")[0]
    named = {name for row in table.splitlines() for name in re.findall(r"`([a-z-]+)`", row)}
    assert set(DECLARED["inputs"]) <= named
    for given in re.findall(r"fivetran-auditor@v\S+\n +with:\n((?: {8,}\S.*\n)+)", text):
        assert set(re.findall(r"^ +([a-z-]+):", given, re.MULTILINE)) - {"env"} <= {
            *DECLARED["inputs"]
        }


def test_what_others_made_is_pinned_by_its_hash():
    used = [step["uses"] for step in STEPS if "uses" in step]
    assert len(used) == 3
    assert [name for name in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", name)] == []


# -- what it answers ----------------------------------------------------------------------------


def test_violations_fail_the_last_step_and_the_reports_are_kept(job: Job):
    done = job.run({"policy": "baseline"})
    assert done.code == 1
    assert done.outputs == {
        "exit-code": "1",
        "outcome": "violations",
        "report": "./audit-report",
    }
    document = json.loads((job.workspace / "audit-report/report.json").read_text())
    assert document["gate"]["outcome"] == "violations"
    assert (job.workspace / "audit-report/report.html").is_file()
    assert (job.workspace / "audit-report/junit.xml").is_file()
    kept = done.used["actions/upload-artifact"]
    assert (kept["name"], kept["path"]) == ("fivetran-audit", "./audit-report")
    assert "github/codeql-action/upload-sarif" not in done.used
    assert "violation" in done.summary
    assert "::error" in done.log or "::warning" in done.log


def test_a_pass_passes(job: Job):
    job.write("policies/p.yaml", NEVER_PAUSED)
    done = job.run({"sarif": "true"})
    assert (done.code, done.outputs["outcome"]) == (0, "passed")
    sarif = Path(done.used["github/codeql-action/upload-sarif"]["sarif_file"])
    assert json.loads(sarif.read_text())["version"] == "2.1.0"


def test_an_inconclusive_run_uploads_no_sarif_and_keeps_its_reports(job: Job):
    done = job.run({"sarif": "true"}, FIVETRAN_API_SECRET="wrong-secret")
    assert (done.code, done.outputs["outcome"]) == (3, "inconclusive")
    assert "github/codeql-action/upload-sarif" not in done.used
    assert "actions/upload-artifact" in done.used
    assert "nconclusive" in done.summary


def test_a_policy_that_does_not_load_is_not_run_and_shows_no_older_pass(job: Job):
    job.write("policies/p.yaml", NEVER_PAUSED)
    assert job.run({"sarif": "true"}).code == 0
    job.write("policies/p.yaml", BROKEN)
    done = job.run({"sarif": "true"})
    assert (done.code, done.outputs["outcome"]) == (2, "not-run")
    assert done.outputs["report"] == ""
    assert set(done.used) == {"actions/setup-python"}
    assert "not-run" in done.summary
    assert "passed" not in done.summary.lower()


def test_a_step_that_dies_is_not_a_pass(job: Job):
    (job.temp / "fivetran-auditor" / "bin" / "python").write_text("#!/bin/sh\nkill -9 $PPID\n")
    done = job.run()
    assert done.code not in (0, 1, 2, 3)
    assert done.outputs["exit-code"] == ""


def test_the_inputs_reach_the_command(job: Job):
    job.write("other/policies/p.yaml", BROKEN)
    floor = NEVER_PAUSED.replace("rules", "vars: {floor: here}\nrules")
    job.write("other/mine.yaml", floor.replace("nowhere", "{var: floor}"))
    job.write("other/defaults.yaml", "strict: true\nverify_listing: true\n")
    done = job.run(
        {
            "working-directory": "other",
            "policy": "  ./mine.yaml  \r\n\r\n\tcost\n",
            "var": "floor=nowhere\n",
            "config": "defaults.yaml",
            "strict": "false",
            "fail-on": "none",
            "max": "low=999\nmedium=999",
            "skip": "ad-*",
            "timeout": "60",
            "output-dir": "kept here",
            "report": "json\ncsv=all of it.csv",
            "options": "--page-size=10\n-v\n",
            "summary": "false",
            "annotations": "false",
            "artifact": "",
        }
    )
    assert (done.code, done.outputs["report"]) == (0, "other/kept here"), done.log
    document = json.loads((job.workspace / "other/kept here/report.json").read_text())
    assert {"p", "cost"} <= {entry["name"] for entry in document["policies"]}
    assert (job.workspace / "other" / "all of it.csv").is_file()
    assert done.summary == ""
    assert set(done.used) == {"actions/setup-python"}
    assert "::" not in done.log


def test_a_folder_elsewhere_is_where_it_is(job: Job, tmp_path: Path):
    done = job.run({"policy": "baseline", "output-dir": str(tmp_path / "elsewhere")})
    assert done.outputs["report"] == str(tmp_path / "elsewhere")
    assert (tmp_path / "elsewhere" / "report.json").is_file()


# -- hostile inputs -----------------------------------------------------------------------------

ONE_LINE = [
    "waivers", "baseline", "fail-on", "group", "schema", "snapshot", "timeout", "config",
    "account", "output-dir", "working-directory", "strict", "summary", "sarif", "all-accounts",
]  # fmt: skip
LINES = ["policy", "var", "max", "only", "skip", "tag", "report", "options"]
HOSTILE = [
    "$(touch pwned)",
    "`touch pwned`",
    '"; touch pwned; "',
    "'; touch pwned; '",
    "a\ntouch pwned\n",
    "x || touch pwned",
    "--help",
    "-v",
    "*",
    "$HOME ~ ${FIVETRAN_API_SECRET}",
    "${{ secrets.FIVETRAN_API_SECRET }}",
    "a\nexit-code=0",
    "a\r\noutcome=passed\r\nexit-code=0",
    "a\n::add-mask::x\n::set-output name=exit-code::0",
    "::stop-commands::x",
    "\x1b]0;title\x07",
    "\N{RIGHT-TO-LEFT OVERRIDE} \N{FULLWIDTH SEMICOLON} é",
    "",
    "   ",
    "-",
    "--",
    "-h",
    "--show-config",
    "--report=json=-",
    "a\N{LINE SEPARATOR}touch pwned\N{PARAGRAPH SEPARATOR}exit-code=0",
    "%0Aexit-code=0%0A::error::x",
    "\\",
    "!(x)",
    "{a,b}",
    "<(touch pwned)",
    "&touch pwned&",
    "x" * 5000,
]


def _holds(job: Job, name: str, value: str) -> None:
    done = job.run({"policy": "baseline", name: value})
    told = (name, value, done.log)
    assert list(job.workspace.parent.rglob("pwned")) == [], told
    assert done.outputs["exit-code"] in {"0", "1", "2", "3", "4"}, told
    # Neither the answer nor the step's end can be talked into a pass.
    assert done.outputs["exit-code"] != "0", told
    assert str(done.code) == done.outputs["exit-code"], told
    assert KEYS["FIVETRAN_API_SECRET"] not in done.log + done.summary, told
    commands = re.findall(r"^\s*::([\w-]+)", done.log, re.MULTILINE)
    assert set(commands) <= {"error", "warning", "notice", "group", "endgroup"}, told


@pytest.mark.slow
@pytest.mark.parametrize("name", [*ONE_LINE, *LINES])
def test_every_hostile_input_is_a_value_and_nothing_else(job: Job, name: str):
    for value in HOSTILE:
        _holds(job, name, value)


def test_a_hostile_input_is_a_value_and_nothing_else(job: Job):
    for name, value in [*zip([*LINES, *ONE_LINE], cycle(HOSTILE), strict=False)][::6]:
        _holds(job, name, value)


@pytest.mark.parametrize("option", ["--help", "-h", "-qh", "--show-config"])
@pytest.mark.parametrize("all_", mostly_slow(["true", "false"], 2))
def test_an_option_that_leaves_nothing_to_judge_is_not_a_pass(job: Job, option: str, all_: str):
    job.write("audit-report/accounts.json", "of an older run")
    done = job.run({"policy": "baseline", "options": option, "all-accounts": all_})
    assert (done.code, done.outputs["outcome"]) == (2, "not-run")
    assert "the options left no audit to make" in done.log


@pytest.mark.parametrize("name", ["working-directory", "output-dir"])
@pytest.mark.parametrize("value", ["", "*", "a?", "[a]", "!a", "~/a"])
def test_a_folder_is_one_and_no_pattern(job: Job, name: str, value: str):
    (job.workspace / "a").mkdir()
    done = job.run({"policy": "baseline", name: value})
    assert (done.code, done.outputs["report"]) == (2, "")
    assert set(done.used) == {"actions/setup-python"}
    assert f"::the input {name} is no folder" in done.log


def test_the_parent_folder_is_refused(job: Job, tmp_path: Path):
    done = job.run({"policy": "baseline", "working-directory": "-"}, OLDPWD=str(tmp_path))
    assert (done.code, done.outputs["outcome"]) == (2, "not-run")


ACCOUNTS = """accounts:
  one: {key_from: ONE_KEY, secret_from: ONE_SECRET, policy: [./p.yaml]}
  other: {key_from: OTHER_KEY, secret_from: OTHER_SECRET, policy: [baseline]}
"""


def test_one_account_of_several_and_all_of_them(job: Job):
    job.write("auditor.yaml", ACCOUNTS)
    job.write("p.yaml", NEVER_PAUSED)
    key, secret = KEYS.values()
    env = {"ONE_KEY": key, "ONE_SECRET": secret, "OTHER_KEY": key, "OTHER_SECRET": secret}
    done = job.run({"account": "one", "sarif": "true"}, **env)
    assert (done.code, done.outputs["outcome"]) == (0, "passed"), done.log
    assert "github/codeql-action/upload-sarif" in done.used
    assert (job.workspace / "audit-report/one/report.json").is_file()
    done = job.run({"all-accounts": "true"}, **env)
    assert (done.code, done.outputs["outcome"]) == (1, "violations"), done.log
    told = json.loads((job.workspace / "audit-report/accounts.json").read_text())
    assert [each["outcome"] for each in told["accounts"]] == ["passed", "violations"]
    assert "violations (exit 1)" in done.summary
    assert "::" not in done.log
    assert done.used["actions/upload-artifact"]["path"] == "./audit-report"
    done = job.run({"all-accounts": "true"}, **{**env, "ONE_SECRET": "wrong-secret"})
    assert (done.code, done.outputs["outcome"]) == (3, "inconclusive")
    done = job.run({"all-accounts": "true", "sarif": "true"}, **env)
    assert (done.code, "sarif is of one account" in done.log) == (2, True)
    done = job.run({"account": "one", "all-accounts": "true"}, **env)
    assert done.code == 2


@pytest.mark.parametrize("name", ["json.py", "auditor/__init__.py", "sitecustomize.py"])
def test_what_lies_in_the_working_folder_is_not_imported(job: Job, name: str):
    job.write(name, "raise SystemExit(0)\n")
    assert job.run({"policy": "baseline"}, PYTHONPATH=str(job.workspace)).code == 1


def test_a_word_that_is_neither_true_nor_false_is_refused(job: Job):
    for name in (
        "strict", "summary", "annotations", "sarif", "allow-empty", "verify-listing",
        "all-accounts",
    ):  # fmt: skip
        done = job.run({"policy": "baseline", name: "yes"})
        assert (done.code, done.outputs["outcome"]) == (2, "not-run")
        assert f"::error title=fivetran-auditor::the input {name} is true or false" in done.log
