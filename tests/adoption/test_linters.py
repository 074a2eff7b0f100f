"""What zizmor and the published schemas say about the files that services read."""

from __future__ import annotations

import re
from collections.abc import Iterator
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


@pytest.mark.parametrize("folder", ["", "team"])
def test_the_starter_s_jobs_fit_and_zizmor_finds_nothing_in_them(tmp_path: Path, folder: str):
    services = ("--github", "--gitlab", "--azure", "--pre-commit", "--terraform")
    (tmp_path / ".git").mkdir()
    assert run(["init", f"./{folder}", *services], tmp_path).returncode == 0
    of = f"-{folder}" if folder else ""
    jobs = [f"{name}{of}" for name in ("audit", "plan")]
    workflows = [tmp_path / f".github/workflows/fivetran-{job}.yml" for job in jobs]
    _fits("github-workflows", *workflows)
    for job in jobs:
        _fits("gitlab-ci", tmp_path / f".gitlab-ci.fivetran-{job}.yml")
    _fits("azure-pipelines", tmp_path / f"azure-pipelines.fivetran-audit{of}.yml")
    for name in ("prek", "pre-commit"):
        done = use(name, "validate-config", tmp_path / ".pre-commit-config.yaml")
        assert done.returncode == 0, done.stdout + done.stderr
    done = use("zizmor", "--offline", "--persona", "pedantic", *workflows)
    assert done.returncode == 0, done.stdout


def _workflows() -> Iterator[tuple[str, str]]:
    """Yield the workflows on the project's pages, with the page's name."""
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        text = page.read_text(encoding="utf-8")
        for body in re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            if "runs-on:" in body:
                # What the project itself publishes has no commit before it is published.
                yield page.stem, re.sub(r"(OWNER/[\w-]+)@\S+", rf"\1@{'0' * 40} # v0.1.0", body)


def test_the_workflows_of_the_pages_fit_and_zizmor_finds_nothing_in_them(tmp_path: Path):
    made = []
    for number, (page, body) in enumerate(_workflows()):
        path = tmp_path / ".github/workflows" / f"{page}-{number}.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body)
        made.append(path)
    assert len(made) > 3
    _fits("github-workflows", *made)
    done = use("zizmor", "--offline", *made)
    assert done.returncode == 0, done.stdout
