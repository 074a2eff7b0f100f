"""The tutorial on Terraform, run as written, on a plan that Terraform made."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.builders.account_server import AccountServer, connection
from tests.builders.command import COMMAND, environment, run
from tests.builders.plans import PLANS, plan_file

PAGE = (Path(__file__).parents[2] / "docs" / "terraform.md").read_text(encoding="utf-8")
CONFIG = PLANS.parent / "configs" / "walk" / "after" / "main.tf"
#: What is typed, and what is shown below it.
RUNS = [
    (words, [line for line in shown.splitlines() if line])
    for block in re.findall(r"^```console\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    for words, shown in re.findall(
        r"^\$ fivetran-auditor (audit .*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE
    )
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(plan_file("walk"), tmp_path / "plan.json")
    shutil.copy(CONFIG, tmp_path / "main.tf")
    (tmp_path / "account.ndjson").write_text(
        "\n".join(
            f'{{"id": "{name}", "service": "s", "schema": "x{n}", "group_id": "g_prod"}}'
            for n, name in enumerate(
                ("orders_5153", "crm_f8d2", "legacy_a005", "sheets_budget_4566")
            )
        )
        + "\n"
    )
    return tmp_path


def test_there_is_something_to_run():
    assert len(RUNS) == 3
    assert any(shown for _, shown in RUNS)


@pytest.mark.parametrize(("words", "shown"), RUNS, ids=[str(n) for n in range(len(RUNS))])
def test_the_commands_of_the_page_do_what_it_says(folder: Path, words: str, shown: list[str]):
    done = run(words.split(), folder)
    # Over a made-up account of bare records some checks cannot be made.
    assert done.returncode == (3 if "--over" in words else 1), done.stderr
    for line in shown:
        assert line in done.stdout.splitlines()


def test_a_comment_of_the_page_waives(folder: Path):
    (block,) = re.findall(r"^```hcl\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    comment, resource, _ = block.split("\n")
    file = folder / "main.tf"
    assert resource in file.read_text()
    file.write_text(file.read_text().replace(resource, f"{comment}\n{resource}"))
    words = "--terraform-plan plan.json --terraform-dir . -p baseline --report json".split()
    for waived in (True, False):
        done = run(["audit", *words], folder)
        told = json.loads((folder / "audit-report/report.json").read_text())
        assert done.returncode == 1, done.stderr
        assert [each["owner"] for each in told["waivers"]] == ["data-team"] * waived
        assert told["counts"]["waived"] == (1 if waived else 0)
        shutil.copy(CONFIG, file)


JOBS = [
    block
    for block in re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    if "terraform show -json" in block
]
POLICY = """\
policy: house
rules:
  - {id: floor, severity: medium, when: {schedule_type: auto}, assert: {sync_frequency: {gte: 15}}}
"""


def _scripts(job: str) -> tuple[list[str], list[str]]:
    """Return what a job runs until its gate answers, and what it runs whatever the answer was."""
    found = yaml.safe_load(job)
    if "jobs" in found:  # GitHub Actions
        steps = [step for step in found["jobs"]["plan"]["steps"] if "run" in step]
        always = [step["run"] for step in steps if "always()" in step.get("if", "")]
        return [step["run"] for step in steps if step["run"] not in always], always
    if "workflows" in found:  # Atlantis
        steps = found["workflows"]["default"]["plan"]["steps"]
        assert steps[:2] == ["init", "plan"]
        return [step["run"] for step in steps[2:]], []
    assert set(found) == {"gate"}
    return found["gate"]["script"], []


def _tools(folder: Path, plan: str) -> Path:
    """Put what a job calls where it is found: terraform shows a plan, gh keeps what it is given."""
    tools = folder / "tools"
    tools.mkdir()
    for name, script in {
        "terraform": f'[ "$1" = show ] || exit 0\ncat {shlex.quote(str(plan_file(plan)))}',
        "fivetran-auditor": f'exec {shlex.join(COMMAND)} "$@"',
        "gh": 'cp "$5" comment.md',
        "pip": '[ "$*" = "install fivetran-auditor" ]',
    }.items():
        (tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (tools / name).chmod(0o755)
    return tools


@pytest.mark.parametrize(("plan", "answer"), [("walk", 1), ("small-noop", 0), ("small-target", 3)])
@pytest.mark.parametrize("number", range(3))
def test_the_jobs_of_the_page_gate_on_the_plan(folder: Path, number: int, plan: str, answer: int):
    """Each is run as written, with a terraform that has planned already."""
    job = JOBS[number]
    assert "plan.json" not in job  # no secret is left in a file
    (folder / "policies").mkdir()
    (folder / "policies" / "house.yaml").write_text(POLICY)
    tools = _tools(folder, plan)
    with AccountServer({"/v1/connections": _account(plan)}) as server:
        env = environment(
            {
                "PATH": f"{tools}:/usr/bin:/bin",
                "PLANFILE": "tfplan",
                "NUMBER": "7",
                "FIVETRAN_APIKEY": "key",
                "FIVETRAN_APISECRET": "secret",
                "FIVETRAN_AUDITOR_BASE_URL": server.url,
            }
        )
        until, always = _scripts(job)
        codes, said = [], ""
        for script in (*until, *always):
            done = subprocess.run(
                ["bash", "-e", "-c", script],
                cwd=folder,
                env=env,
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )
            codes.append(done.returncode)
            said += done.stdout + done.stderr
    last = len(until) - 1
    assert codes == [answer if n == last else 0 for n in range(len(codes))], said
    written = {path.name for path in folder.rglob("*") if path.is_file()}
    found = yaml.safe_load(job)
    if "gate" in found:
        reports = found["gate"]["artifacts"]["reports"].values()
        assert {Path(report).name for report in reports} <= written
    if plan == "walk":
        comment = folder / "comment.md"
        told = comment.read_text() if comment.exists() else said
        assert "fivetran_connector_schedule.orders: sync_frequency" in told
    assert "hunter2" not in said + "".join(
        path.read_text() for path in folder.rglob("*") if path.is_file()
    )


def _account(plan: str) -> list[dict[str, object]]:
    names = ("orders_5153", "crm_f8d2", "legacy_a005", "sheets_budget_4566")
    names = names if plan == "walk" else ("a_0adc", "b_4f84")
    return [
        connection(name, schedule_type="auto", networking_method="PrivateLink") for name in names
    ]
