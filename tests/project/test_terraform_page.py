"""The tutorial on Terraform is run as it stands, on a plan that Terraform made."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.builders.command import run
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


def test_the_jobs_of_the_page_gate_on_the_plan():
    jobs = [
        block
        for block in re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
        if "terraform show -json" in block
    ]
    assert len(jobs) == 3  # GitHub, GitLab, Atlantis
    for job in jobs:
        assert "--terraform-plan -" in job
        assert "plan.json" not in job  # no secret is left in a file
