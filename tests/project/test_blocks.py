"""Every block of every page is run by a test, or stands here with the reason why it is not.

Most commands are run here: those of one page in one folder, in their order, against the sandbox.
What a page shows below a command is what it prints. A block that a page gains is in no row of the
table and fails; so does a row whose block is gone.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
import yaml

from auditor.policy.loading.load import load_policies
from auditor.sandbox.estate import SandboxEstate, build_estate
from auditor.sandbox.server import Sandbox
from tests.builders.command import KEYS, environment, run
from tests.builders.pages import fits, on_path
from tests.builders.slow import mostly_slow
from tests.project.test_docs import CURRENT, ROOT
from website.reference import commands as commands_page
from website.rules import pages as rule_pages


class Block(NamedTuple):
    """A fenced block: its page, its line, its language and its text."""

    page: str
    line: int
    language: str
    text: str


class Run(NamedTuple):
    """Commands that are run here.

    ``codes`` are what they end with, the last one again and again; ``healthy`` is whether the
    account is. ``files`` are written before. ``alone`` says that no address is set, and ``fresh``
    that the folder holds nothing.
    """

    codes: tuple[int, ...] = (0,)
    healthy: bool = True
    files: Mapping[str, str] = MappingProxyType({})
    alone: bool = False
    fresh: bool = False


class Job(NamedTuple):
    """A job of a CI service, whose scripts are run here: it is a gate."""


class Saved(NamedTuple):
    """A file that the page's next commands read."""

    name: str


class Rules(NamedTuple):
    """Rules, or parts of one, that load: ``{}`` stands for the block, or for each entry in it."""

    policy: str
    each: bool = False


class Left(NamedTuple):
    """What no test runs, and why."""

    why: str


Fate = Run | Job | Saved | Rules | Left | str

_TEST = "tests/project/test_"
LINTED = (
    "tests/adoption/test_linters.py::"
    "test_the_workflows_of_the_pages_fit_and_zizmor_finds_nothing_in_them"
)
INPUTS = "tests/adoption/test_action.py::test_the_page_tells_of_every_input_and_gives_no_other"
TUTORIAL = f"{_TEST}tutorial.py::test_the_tutorial_does_what_it_says"
TERRAFORM = f"{_TEST}terraform_page.py::test_the_commands_of_the_page_do_what_it_says"
JOBS = f"{_TEST}terraform_page.py::test_the_jobs_of_the_page_gate_on_the_plan"
VERDICTS = f"{_TEST}verdicts_page.py::test_explain_prints_what_the_page_shows"
ACCOUNTS = f"{_TEST}howto.py::test_several_accounts_are_audited_as_the_page_says"
WAREHOUSE = f"{_TEST}howto.py::test_usage_from_the_warehouse_is_checked_against_budgets"
LIBRARY = f"{_TEST}blocks.py::test_the_examples_of_the_library_run"
MONOREPO = f"{_TEST}blocks.py::test_a_team_is_audited_by_its_own_and_the_company_s_policies"
ORCHESTRATORS = "tests/runs/test_orchestrators.py::test_the_example_is_the_gate"
ADDED = f"{_TEST}adding_more.py::test_an_added_operator_is_judged_described_and_denied"
WITHOUT_RE2 = (
    "tests/adoption/test_installs.py::test_the_page_names_what_to_install_without_google_re2"
)
WHEELHOUSE = "tests/adoption/test_installs.py::test_from_a_wheelhouse_without_a_network"
IMAGE = "tests/adoption/test_image.py::"
TEMPLATES = "tests/adoption/test_templates.py::"
PICTURE = Left("a picture of folders")
MAKE = Left("make takes minutes and CI runs it; that each target exists is tested")
RULES = Rules("policy: p\nrules:\n{}")
_RULE = "policy: p\nrules:\n  - id: r\n    severity: low\n"
CONDITIONS = Rules(_RULE + "    assert:\n      {}", each=True)

_RULED = """policy: house
rules:
  - id: {}
    severity: low
    when: {{sync_frequency: {{{}}}}}
    assert: {{sync_frequency: {{{}}}}}
"""
_EXAMPLES = """\
    tests:
      - {given: {sync_frequency: 5}, expect: fail}
      - {given: {sync_frequency: 60}, expect: pass}
      - {given: {sync_frequency: null}, expect: skip}
"""
_FLOOR = _RULED.format("sync-floor", "exists: true", "gte: 15") + _EXAMPLES
_HOUSE = _FLOOR.replace("rules:", "extends: [baseline]\nrules:")
_PAUSED = [
    {
        "id": "quick_fox",
        "service": "s3",
        "schema": "orders",
        "group_id": "prod",
        "paused": True,
        "created_at": "2026-01-01T00:00:00Z",
    }
]

#: What becomes of each block, by its page and how its text begins. A block that begins with
#: ``policy:`` is loaded by ``test_docs``, and one of Python in CONTRIBUTING by what it adds.
TABLE: Mapping[str, Mapping[str, Fate]] = {
    "CONTRIBUTING.md": {
        "make test ": MAKE,
        "make lock ": MAKE,
        "policies/": PICTURE,
        "tests/builders/": PICTURE,
        "Operator(": ADDED,
        "FactList(": (
            f"{_TEST}adding_more.py::test_an_added_list_of_facts_is_fetched_joined_and_known"
        ),
        '"""The words': f"{_TEST}adding_a_format.py::test_the_example_reports",
        "Format(": f"{_TEST}adding_a_format.py::test_the_example_reports",
        '"""Records': f"{_TEST}adding_more.py::test_the_added_source_is_judged",
        '"""The policies': f"{_TEST}adding_more.py::test_the_added_command_runs",
        '{"packs"': f"{_TEST}adding_more.py::test_the_added_command_runs",
    },
    "README.md": {
        "$ fivetran-auditor audit": Run((1,), healthy=False),
        "make demo": "tests/adoption/test_installs.py::test_a_checkout_shows_the_demo",
        "pip install": Run(),
        "policy: house": Saved("policies/house.yaml"),
        "fivetran-auditor validate": Run((0, 0, 0, 1)),
        "fivetran-auditor waive": Run((0, 1)),
        "on:": Job(),
        "fivetran-audit:": Job(),
    },
    "docs/accounts.md": {
        "fail_on:": ACCOUNTS,
        "fivetran-auditor": ACCOUNTS,
        "{": f"{_TEST}howto.py::test_the_summary_over_accounts_is_as_the_page_shows_it",
    },
    "docs/analysis.md": {
        "$ fivetran-auditor validate house": Run(
            files={"house.yaml": _RULED.format("slow-and-fast", "exists: true, gte: 60", "lt: 30")}
        ),
        "$ fivetran-auditor validate network": Run(
            files={
                "network.yaml": "policy: network\nrules:\n  - id: private-path\n    severity: low\n"
                "    when: {service: postgres}\n    assert: {networking_method: PrivateLink}\n"
            }
        ),
    },
    "docs/ci.md": {
        'name: fivetran-audit\non:\n  schedule: [{cron: "17 5 * * *"}]\njobs:': LINTED,
        'name: fivetran-audit\non:\n  schedule: [{cron: "17 5 * * *"}]\n  pull_request': Job(),
        "include:": f"{TEMPLATES}test_the_component_takes_what_it_says",
        "fivetran-audit:": Job(),
        "fivetranAudit(": f"{TEMPLATES}test_the_jenkins_step_passes_stops_and_keeps_the_reports",
        "stage(": Job(),
        "resources:": f"{TEMPLATES}test_the_azure_template_takes_what_it_says",
        "- script:": Job(),
        "repos:": "tests/adoption/test_hooks.py::"
        "test_the_hooks_pass_what_is_right_and_name_what_is_wrong",
        "fivetran-auditor fetch": Run(),
    },
    "docs/comparing.md": {
        "$ fivetran-auditor compare": Run(),
        "$ git worktree": Run(),
        "fivetran-auditor compare": Run(),
        "$ fivetran-auditor audit": Run(),
    },
    "docs/configuration.md": {
        "# auditor.yaml": Saved("auditor.yaml"),
        "fivetran-auditor init": Run(fresh=True),
        "fail_on:": Saved("auditor.yaml"),
        "$ FIVETRAN_AUDITOR_PAGE_SIZE": Run(alone=True),
        "eval": "tests/cli/options/test_completion.py::test_it_offers",
    },
    "docs/exceptions.md": {
        "# audit --waivers": Saved("waivers.yaml"),
        "fivetran-auditor waive": Run(),
        "fivetran-auditor audit": Run((1, 0, 0), healthy=False),
    },
    "docs/facts.md": {
        "schema,": f"{_TEST}facts_recipes.py::test_ownership_by_name",
        "name,": f"{_TEST}facts_recipes.py::test_limits_of_connections_per_group",
        "facts:": f"{_TEST}facts_recipes.py::test_budgets_per_group",
    },
    "docs/image.md": {
        "podman run --rm --read-only --user": f"{IMAGE}"
        "test_it_audits_the_sandbox_as_any_user_with_a_read_only_root",
        "image/build": f"{IMAGE}test_the_same_tree_gives_the_same_image",
        "dpkg": f"{IMAGE}test_the_page_says_what_is_in_it",
        "podman run --rm --read-only --volume": f"{IMAGE}"
        "test_a_company_s_certificate_is_mounted_and_trusted",
    },
    "docs/index.md": {"pipx": Run(), "export": Run()},
    "docs/library.md": {
        "import os\n\nfrom auditor": LIBRARY,
        "from auditor": LIBRARY,
        "if not result": LIBRARY,
        "import os\n\nfrom airflow": ORCHESTRATORS,
        "import os\n\nimport dagster": ORCHESTRATORS,
    },
    "docs/listing.md": {"fivetran-auditor fetch": Run()},
    "docs/monorepo.md": {
        "finance/fivetran": PICTURE,
        "# finance/fivetran/auditor.yaml": MONOREPO,
        "strategy:": INPUTS,
    },
    "docs/network.md": {
        "export": "tests/sources/api/test_transport_tls.py::"
        "test_a_certificate_that_the_environment_trusts",
        "fivetran-auditor fetch": Run(),
    },
    "docs/owners.md": {
        "jq": f"{_TEST}howto.py::test_findings_are_listed_for_who_owns_them",
        "/policies": Left("CODEOWNERS is read by the services alone"),
    },
    "docs/packs.md": {
        "policy: house\nextends: [baseline, cost]": f"{_TEST}blocks.py::"
        "test_facts_take_the_place_of_a_pack_s",
    },
    "docs/performance.md": {"make bench": MAKE},
    "docs/policy-language.md": {
        "  - id: ": RULES,
        "assert:\n  any:": Rules(
            "policy: p\nrules:\n  - id: r\n    severity: low\n    {}", each=True
        ),
        "conditions:": Rules("policy: p\n{}"),
        "when: {sync_frequency": Rules(_RULE + "    {}", each=True),
        "schema: {glob": CONDITIONS,
        "succeeded_at: {newer_than": CONDITIONS,
        "setup_tests:": CONDITIONS,
        "    tests:": Rules(
            _RULE + "    when: {sync_frequency: {exists: true}}\n"
            "    assert: {sync_frequency: {gte: 15}}\n{}"
        ),
        "tests:": Saved("baseline.test.yaml"),
        "reveal:": Rules("{}" + _RULE + "    assert: {paused: false}\n"),
    },
    "docs/reports.md": {
        "fivetran-auditor audit ": Run(),
        "audit-report/report.md": f"{_TEST}blocks.py::test_parts_of_a_report_are_called_as_shown",
        "violations: 1 of 1": f"{_TEST}blocks.py::test_a_line_of_a_finding_is_as_the_page_shows",
        "{": f"{_TEST}reports_page.py::test_the_json_is_like_the_report",
        "# the gate": f"{_TEST}reports_page.py::test_a_line_of_jq_finds_something",
    },
    "docs/sandbox.md": {
        "fivetran-auditor sandbox": "tests/cli/commands/test_sandbox.py::"
        "test_the_lines_it_prints_work_and_a_signal_ends_it",
    },
    "docs/slack.md": {
        "code=0": f"{_TEST}howto.py::test_a_channel_is_told_of_what_is_not_green",
        "curl": Run(),
        "jq": Run(),
    },
    "docs/supported.md": {
        "pip install --no-deps": WITHOUT_RE2,
        "pip download": WHEELHOUSE,
        "pip install --no-index": WHEELHOUSE,
    },
    "docs/terraform.md": {
        "$ terraform plan": Left(
            "needs Terraform and an account; tests/terraform/make.py made the plans in this way"
        ),
        "$ fivetran-auditor": TERRAFORM,
        "name: terraform": JOBS,
        "# fivetran-auditor: waive": f"{_TEST}terraform_page.py::test_a_comment_of_the_page_waives",
        "gate:": JOBS,
        "workflows:": JOBS,
    },
    "docs/testing.md": {
        "$ fivetran-auditor test house.yaml": Run(
            (1,),
            files={
                "house.yaml": _FLOOR.replace("sync-floor", "floor").replace(
                    "{sync_frequency: {ex", "{schedule_type: auto, sync_frequency: {ex"
                )
            },
        ),
        "fivetran-auditor test policies/ --require": Run(),
        "fivetran-auditor test -k": Run(
            files={"policies/house.yaml": _HOUSE.replace("    tests:", "\n" * 34 + "    tests:")}
        ),
        "$ fivetran-auditor test ./policies/house.yaml": f"{_TEST}testing_page.py::"
        "test_record_prints_what_the_page_shows",
    },
    "docs/tutorial.md": {
        "pip install": TUTORIAL,
        "export": TUTORIAL,
        "$ fivetran-auditor": TUTORIAL,
        "  - id: money": TUTORIAL,
        "    when:": TUTORIAL,
    },
    "docs/verdicts.md": {"{": VERDICTS, "$ fivetran-auditor": VERDICTS},
    "docs/warehouse.md": {"select": WAREHOUSE, "set -eu": WAREHOUSE},
}


def _found() -> Iterator[Block]:
    for page in CURRENT:
        text = page.read_text(encoding="utf-8")
        for found in re.finditer(r"^```([\w-]*)[^\n]*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            line = text.count("\n", 0, found.start()) + 1
            yield Block(page.relative_to(ROOT).as_posix(), line, found[1], found[2])


BLOCKS = list(_found())


def rows(block: Block) -> list[str]:
    """Return how the text begins in each row that is the block's."""
    return [start for start in TABLE.get(block.page, {}) if block.text.startswith(start)]


def loaded_elsewhere(block: Block) -> bool:
    return block.language == "yaml" and bool(re.match(r"(#.*\n)*policy:", block.text))


# -- the table -------------------------------------------------------------------------------------


def test_every_block_has_one_row_and_every_row_a_block():
    for block in BLOCKS:
        found = rows(block)
        assert len(found) == 1 or (not found and loaded_elsewhere(block)), (block[:3], found)
    used = {(block.page, start) for block in BLOCKS for start in rows(block)}
    known = {(page, start) for page, own in TABLE.items() for start in own}
    assert known - used == set()


def test_the_tests_of_the_table_exist():
    named = {fate for own in TABLE.values() for fate in own.values() if isinstance(fate, str)}
    for test in named:
        path, _, name = test.partition("::")
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        there = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert name in there, test


# -- commands, in the order of their page ----------------------------------------------------------


@cache
def account(*, healthy: bool) -> SandboxEstate:
    return build_estate(250, 7, healthy=healthy)


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Yield each command of a block, with what is shown below it."""
    text = re.sub(r"\\\n\s*", "", text)
    if "$ " in text[:2]:
        yield from re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", text, re.MULTILINE)
    else:
        yield from ((line, "") for line in text.splitlines())


def scene(folder: Path) -> dict[str, str]:
    """Make a repository with policies and reports; return what the environment holds beside."""
    for words in (["init", "--quiet", "--bare", "origin"], ["init", "--quiet", "-b", "main"]):
        _git(folder, *words)
    (folder / "policies").mkdir()
    (folder / "policies/house.yaml").write_text(_HOUSE)
    (folder / "deploy").write_text("#!/bin/sh\n")
    (folder / "deploy").chmod(0o755)
    _git(folder, "add", "policies", "deploy")
    _git(folder, "commit", "--quiet", "-m", "Policies")
    _git(folder, "remote", "add", "origin", "./origin")
    _git(folder, "push", "--quiet", "origin", "main")
    sends = 'for word; do case $word in @*) test -s "${word#@}" || exit 1;; esac; done'
    return {
        **KEYS,
        "NO_COLOR": "1",
        "PATH": on_path(folder, pip="exit 0", pipx="exit 0", curl=sends),
        "SLACK_WEBHOOK": "https://hooks.example/1",
        "TEAMS_WEBHOOK": "https://hooks.example/2",
        "GITHUB_OUTPUT": str(folder / "bin/output"),
        "GITHUB_STEP_SUMMARY": str(folder / "bin/summary"),
        "FIVETRAN_USR": KEYS["FIVETRAN_API_KEY"],
        "FIVETRAN_PSW": KEYS["FIVETRAN_API_SECRET"],
    }


def _git(folder: Path, *words: str) -> None:
    named = {"NAME": "x", "EMAIL": "x@example.com"}
    who = {f"GIT_{role}_{k}": v for role in ("AUTHOR", "COMMITTER") for k, v in named.items()}
    subprocess.run(["git", *words], cwd=folder, env=environment(who), check=True)


def bash(script: str, folder: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a script as CI services do."""
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env=environment(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


RUN = {
    page: [(block, fate) for block, fate in both if isinstance(fate, Run | Saved)]
    for page, own in TABLE.items()
    for both in [[(b, own[s]) for b in BLOCKS if b.page == page for s in rows(b)]]
}


@pytest.mark.parametrize("page", [page for page, own in RUN.items() if own])
def test_the_commands_of_a_page_do_what_it_shows(page: str, tmp_path: Path):
    with ExitStack() as stack:
        env = scene(tmp_path)
        served = {
            healthy: stack.enter_context(Sandbox(account(healthy=healthy))).url
            for healthy in {fate.healthy for _, fate in RUN[page] if isinstance(fate, Run)}
        }
        _reports(tmp_path, page, next(iter(served.values()), ""))
        for block, fate in RUN[page]:
            if isinstance(fate, Saved):
                (tmp_path / fate.name).write_text(block.text)
                continue
            for name, text in fate.files.items():
                (tmp_path / name).write_text(text)
            folder = tmp_path / "fresh" if fate.fresh else tmp_path
            folder.mkdir(exist_ok=True)
            where = {} if fate.alone else {"FIVETRAN_AUDITOR_BASE_URL": served[fate.healthy]}
            codes = [*fate.codes]
            for command, shown in commands(block.text):
                if re.match(r"jq\b", command) and _lacks("jq"):
                    continue
                done = bash(_real(command), folder, {**env, **where})
                told = done.stdout + done.stderr
                code = codes.pop(0) if len(codes) > 1 else codes[0]
                assert done.returncode == code, f"{page}: {command}\n{told}"
                assert not shown or fits(told, shown), f"{page}: {command}\n{told}"


def _reports(folder: Path, page: str, url: str) -> None:
    """Make what a page takes for granted: an earlier run, with every format that it names."""
    if page not in {"docs/comparing.md", "docs/slack.md"}:
        return
    formats = [word for name in ("html", "junit", "json", "teams") for word in ("--report", name)]
    done = run(["audit", "--base-url", url, *formats], folder, KEYS)
    assert done.returncode == 0, done.stderr
    shutil.copy(folder / "audit-report/report.json", folder / "last-week.json")


def _real(command: str) -> str:
    """Return the command with credentials in the place of what the reader fills in."""
    for name, value in KEYS.items():
        command = command.replace(f"{name}=…", f"{name}={value}")
    return command


def _lacks(program: str) -> bool:
    lacks = shutil.which(program) is None
    assert not (lacks and os.environ.get("CI")), f"{program} is not installed"
    return lacks


# -- jobs of CI services ---------------------------------------------------------------------------

GATES = [
    block for block in BLOCKS for start in rows(block) if isinstance(TABLE[block.page][start], Job)
]


def scripts(block: Block) -> Iterator[tuple[str, bool]]:
    """Yield each script of a job, and whether it runs whatever came before."""
    if block.language == "groovy":
        yield from ((text, False) for text in re.findall(r"sh '''(.*?)'''", block.text, re.DOTALL))
        return
    job: Any = yaml.safe_load(block.text)
    if isinstance(job, list):  # Azure
        yield from ((step["script"], False) for step in job if "script" in step)
    elif "jobs" in job:  # GitHub; YAML 1.1 takes its key on: for true
        for each in job["jobs"].values():
            for step in each["steps"]:
                if "run" in step:
                    yield step["run"], "always()" in step.get("if", "")
    else:
        for each in job.values():  # GitLab
            yield from ((line, False) for line in each["script"])


@pytest.mark.parametrize("healthy", [True, False])
@pytest.mark.parametrize(
    "block", mostly_slow(GATES, len(GATES)), ids=lambda block: f"{block.page}:{block.line}"
)
def test_a_job_of_a_page_is_a_gate(block: Block, healthy: bool, tmp_path: Path):
    ends = []
    with Sandbox(account(healthy=healthy)) as sandbox:
        env = {**scene(tmp_path), "FIVETRAN_AUDITOR_BASE_URL": sandbox.url}
        for script, always in scripts(block):
            if always or not any(ends):
                done = bash(script, tmp_path, env)
                ends.append(done.returncode)
    assert len(ends) > 0
    assert max(ends) == (0 if healthy else 1), done.stdout + done.stderr
    assert ends.count(1) == (0 if healthy else 1)
    assert (tmp_path / "audit-report/junit.xml").is_file()
    if block.language != "groovy" and "GITHUB_STEP_SUMMARY" in block.text:
        assert "Fivetran" in (tmp_path / "bin/summary").read_text()


# -- parts of policies -----------------------------------------------------------------------------

PARTS = [
    pytest.param(block, fate, id=f"{block.page}:{block.line}")
    for block in BLOCKS
    for start in rows(block)
    for fate in [TABLE[block.page][start]]
    if isinstance(fate, Rules)
]


@pytest.mark.parametrize(("block", "fate"), PARTS)
def test_a_part_of_a_policy_loads_and_passes_its_tests(block: Block, fate: Rules, tmp_path: Path):
    entries = re.findall(r"^\S.*\n(?:[ \t]+.*\n)*", block.text, re.MULTILINE)
    for number, entry in enumerate(entries if fate.each else [block.text]):
        before = fate.policy.partition("{}")[0].rpartition("\n")[2]
        text = entry.replace("\n", f"\n{before}") if fate.each else entry
        if entry.startswith("when:"):
            text += f"\n{before}assert: {{paused: false}}\n"
        path = tmp_path / f"p{number}.yaml"
        policy = fate.policy.replace("{}", text)
        if "{var: scratch}" in policy:
            policy = policy.replace("rules:", "vars: {scratch: [x]}\nrules:")
        path.write_text(policy)
        assert load_policies(str(path)).rules
        if re.search("^ +tests:", entry, re.MULTILINE):
            assert run(["test", str(path)], tmp_path).returncode == 0


def test_a_file_of_tests_passes_beside_the_pack_that_has_its_rules(tmp_path: Path):
    page = "docs/policy-language.md"
    (text,) = [b.text for b in BLOCKS if b.page == page and rows(b) == ["tests:"]]
    (tmp_path / "our.test.yaml").write_text(f"policy: baseline\n{text}")
    done = run(["test", "./our.test.yaml"], tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


# -- pages with tests of their own -----------------------------------------------------------------


def test_the_examples_of_the_library_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    page = "docs/library.md"
    texts = [b.text for b in BLOCKS if b.page == page and rows(b) and _fate(b) == LIBRARY]
    assert len(texts) == 3
    monkeypatch.chdir(tmp_path)
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies/house.yaml").write_text("policy: house\nextends: [baseline]\n")
    known: dict[str, Any] = {}
    with Sandbox(account(healthy=False)) as sandbox:
        saved = ["fetch", "-o", "connections.ndjson.gz", "--base-url", sandbox.url]
        assert run(saved, tmp_path, KEYS).returncode == 0
        for text in texts[:2]:
            exec(text.replace("https://api.fivetran.com", sandbox.url), known)
    assert "setup-connected" in capsys.readouterr().out
    assert (tmp_path / "audit-report/report.json").is_file()
    with pytest.raises(RuntimeError, match="critical violations"):
        exec(texts[2], known)


def _fate(block: Block) -> Fate:
    (start,) = rows(block)
    return TABLE[block.page][start]


def test_a_team_is_audited_by_its_own_and_the_company_s_policies(tmp_path: Path):
    (block,) = [b for b in BLOCKS if b.page == "docs/monorepo.md" and _fate(b) == MONOREPO]
    estate = account(healthy=True)
    group = str(estate.records[0]["group_id"])
    own = tmp_path / "finance/fivetran"
    for folder in (own / "policies", tmp_path / "shared/fivetran", own / "deep"):
        folder.mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    (own / "auditor.yaml").write_text(block.text.replace("finance_warehouse", group))
    (own / "waivers.yaml").write_text("waivers: []\n")
    for path, name in ((own / "policies", "team"), (tmp_path / "shared/fivetran", "company")):
        rule = f"{{id: {name}, severity: low, assert: {{schema: {{not_equals: x}}}}}}"
        (path / f"{name}.yaml").write_text(f"policy: {name}\nrules: [{rule}]\n")
    with Sandbox(estate) as sandbox:
        for folder in (own, own / "deep"):
            done = run(["audit", "--base-url", sandbox.url], folder, KEYS)
            assert done.returncode == 0, done.stderr
    report = json.loads((own / "audit-report/report.json").read_text())
    assert {rule["id"] for rule in report["rules"]} == {"team", "company"}
    assert set(report["connections"]["group_id"]) == {group}


def test_facts_take_the_place_of_a_pack_s(tmp_path: Path):
    (block,) = [b for b in BLOCKS if b.page == "docs/packs.md" and rows(b)]
    (tmp_path / "house.yaml").write_text(block.text)
    (tmp_path / "mar.csv").write_text("id,rows\nquick_fox,5\n")
    (tmp_path / "budgets.csv").write_text("name,rows\nProduction,9\n")
    done = run(["validate", "house.yaml"], tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_parts_of_a_report_are_called_as_shown(tmp_path: Path):
    (block,) = [b for b in BLOCKS if b.text.startswith("audit-report/report.md\n")]
    teams = {"a": "finance", "b": "Sales & Ops"}
    rows_ = "".join(f"{name},{team}\n" for name, team in teams.items())
    (tmp_path / "tiers.csv").write_text(f"schema,team\n{rows_}")
    (tmp_path / "p.yaml").write_text(
        "policy: p\nfacts:\n  tiers: {file: tiers.csv, key: schema, columns: {team: text}}\n"
        "rules: [{id: r, severity: low, assert: {tiers.team: {exists: true}}}]\n"
    )
    records = [{**_PAUSED[0], "id": name, "schema": name} for name in "abc"]
    (tmp_path / "saved.json").write_text(json.dumps(records))
    words = "-p ./p.yaml --snapshot saved.json --dimensions team=tiers.team".split()
    done = run(["audit", *words, "--report", "markdown:split=team"], tmp_path)
    assert done.returncode == 1, done.stderr
    made = {path.relative_to(tmp_path).as_posix() for path in (tmp_path / "audit-report").iterdir()}
    assert made == {line.split()[0] for line in block.text.splitlines()}


def test_a_line_of_a_finding_is_as_the_page_shows(tmp_path: Path):
    (block,) = [b for b in BLOCKS if b.text.startswith("violations: 1 of 1")]
    (tmp_path / "saved.json").write_text(json.dumps(_PAUSED))
    (tmp_path / "p.yaml").write_text(
        "policy: p\nrules:\n  - id: unpaused\n    severity: high\n    assert: {paused: false}\n"
        '    message: "{schema} is paused"\n'
    )
    words = ["audit", "-p", "./p.yaml", "--snapshot", "saved.json", "--history", "past", "-q"]
    for day in ("12", "28"):
        time = f"2026-09-{day}T12:00:00Z"
        done = run([*words, "--now", time, "--report", "lines=-"], tmp_path)
        assert done.returncode == 1, done.stderr
    assert fits(done.stdout, block.text), done.stdout


# -- pages that are made from the code -------------------------------------------------------------


def _blocks_of(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_what_the_page_of_a_rule_says_to_write_disables_it(tmp_path: Path):
    made = {name: text for name, text in rule_pages().items() if not name.endswith("index.md")}
    assert len(made) > 50
    overrides: dict[str, str] = {}
    for name, text in made.items():
        written, override = _blocks_of(text, "yaml")
        id_ = Path(name).stem
        (pack,) = re.findall(r"^\| pack \| \[([\w-]+)\]", text, re.MULTILINE)
        source = (ROOT / "policies" / f"{pack}.yaml").read_text(encoding="utf-8")
        lines = [line.strip() for line in written.splitlines()]
        assert "\n".join(lines) in "\n".join(line.strip() for line in source.splitlines()), name
        assert lines[0] == f"- id: {id_}"
        own = overrides.setdefault(pack, "override:\n")
        overrides[pack] = own + override.removeprefix("override:\n")
    for pack, override in overrides.items():
        path = tmp_path / f"{pack}.yaml"
        rule = "{id: x, severity: low, assert: {paused: false}}"
        path.write_text(f"policy: x\nextends: [{pack}]\n{override}rules: [{rule}]\n")
        assert [entry.rule.id for entry in load_policies(str(path)).rules] == ["x"], pack


def test_what_the_help_of_a_command_says_to_type_can_be_typed(tmp_path: Path):
    shown = [text for text in _blocks_of(commands_page(), "text") if text.startswith(" ")]
    lines = [line.split() for text in shown for line in text.splitlines()]
    typed = [words[1:] for words in lines if words[0] == "fivetran-auditor"]
    assert typed
    for words in typed:
        done = run(words, tmp_path)
        assert done.returncode == 0, done.stderr
    # The other lines are of a policy and of an editor's settings.
    schema = json.loads((tmp_path / "policies/policy.schema.json").read_text())
    assert schema["title"]
    settings = [" ".join(words) for words in lines if words[0].startswith("{")]
    for text in settings:
        assert json.loads(text) == {
            "yaml.schemas": {"./policies/policy.schema.json": "policies/*.yaml"}
        }
