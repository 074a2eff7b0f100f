"""What zizmor and the published schemas say of the files that services read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.adoption.github import ROOT
from tests.adoption.tools import use
from tests.builders.command import run

pytestmark = pytest.mark.slow

GITLAB = "templates/fivetran-audit/template.yml"


def _fits(schema: str, *paths: Path) -> None:
    # Some of them hold patterns that are none to a strict reader.
    how = ("--regex-variant", "nonunicode", "--builtin-schema")
    done = use("check-jsonschema", *how, f"vendor.{schema}", *paths)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_action_fits_its_schema():
    _fits("github-actions", ROOT / "action.yml")


def test_the_component_fits_its_schema(tmp_path: Path):
    jobs = tmp_path / "jobs.yml"
    jobs.write_text((ROOT / GITLAB).read_text().split("\n---\n")[1])
    _fits("gitlab-ci", jobs)


def test_the_template_fits_its_schema():
    _fits("azure-pipelines", ROOT / "integrations/azure/fivetran-audit.yml")


@pytest.mark.parametrize("name", ["prek", "pre-commit"])
def test_the_hooks_are_a_manifest(name: str):
    done = use(name, "validate-manifest", ROOT / ".pre-commit-hooks.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_zizmor_finds_nothing():
    paths = [ROOT / "action.yml"]
    if (ROOT / ".github/workflows").is_dir():
        paths.append(ROOT / ".github/workflows")
    done = use("zizmor", "--offline", "--persona", "pedantic", *paths)
    assert done.returncode == 0, done.stdout


def test_the_starter_s_jobs_fit_and_zizmor_finds_nothing_in_them(tmp_path: Path):
    services = ("--github", "--gitlab", "--azure", "--pre-commit")
    assert run(["init", *services], tmp_path).returncode == 0
    workflow = tmp_path / ".github/workflows/fivetran-audit.yml"
    _fits("github-workflows", workflow)
    _fits("gitlab-ci", tmp_path / ".gitlab-ci.fivetran-audit.yml")
    _fits("azure-pipelines", tmp_path / "azure-pipelines.fivetran-audit.yml")
    for name in ("prek", "pre-commit"):
        done = use(name, "validate-config", tmp_path / ".pre-commit-config.yaml")
        assert done.returncode == 0, done.stdout + done.stderr
    done = use("zizmor", "--offline", workflow)
    assert done.returncode == 0, done.stdout
