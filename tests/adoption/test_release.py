"""A release: missing pieces are named, and it can be built without publishing it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor.version import __version__
from tests.adoption.github import ROOT
from tests.adoption.tools import tracked, use
from tests.builders.command import environment

CHECK = ROOT / ".ci" / "release_check.py"
WORKFLOW: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())


def check(root: Path, *options: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, CHECK, "--root", root, *options],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def _git(folder: Path, *words: str) -> None:
    who = ["-c", "user.name=n", "-c", "user.email=n@example.com"]
    subprocess.run(["git", *who, *words], cwd=folder, env=environment(), check=True)


@pytest.fixture
def ready(releasable: Path, tmp_path: Path) -> Path:
    """Return a copy of the tree from which a release can be made, to do with as one likes."""
    return shutil.copytree(releasable, tmp_path / "tree")


@pytest.fixture(scope="module")
def releasable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a tree from which a release can be made: this one, with an owner and a section."""
    tmp_path = tmp_path_factory.mktemp("releasable")
    for path in tracked():
        if path.parts[0] in {"tests", "bench", "reports", "policies"} or path.suffix == ".png":
            continue
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, tmp_path / path)
        if path.suffix in {".md", ".toml", ".yml", ".cff", ".groovy"}:
            text = (tmp_path / path).read_text(encoding="utf-8")
            text = re.sub(r"\bOWNER(?=[/.])", "somebody", text)
            if path.name == "CHANGELOG.md":
                section = f"## [{__version__}] - 2026-01-31\n\n- Everything.\n"
                text = re.sub(r"## \[Unreleased\].*", section, text, flags=re.DOTALL)
            (tmp_path / path).write_text(text, encoding="utf-8")
    _git(tmp_path, "init", "--quiet")
    _git(tmp_path, "add", "--all")
    _git(tmp_path, "commit", "--quiet", "--message", "ready")
    return tmp_path


def test_nothing_is_missing_where_nothing_is(ready: Path):
    told = f"{__version__} can be released: git tag v{__version__} && git push origin v"
    assert check(ready) == (0, f"{told}{__version__}\n")
    assert check(ready, "--tag", f"v{__version__}")[0] == 0
    assert check(ready, "--notes") == (0, "- Everything.\n")


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("auditor/version.py", __version__, "next", "next is no version"),
        ("auditor/version.py", __version__, "9.9.9", "CITATION.cff: 0.1.0, and this is 9.9.9"),
        ("CITATION.cff", "version: ", "verzion: ", "the version is not where it was"),
        ("templates/fivetran-audit/template.yml", __version__, "0.0.9", "template.yml: 0.0.9"),
        (
            "integrations/azure/fivetran-audit.yml",
            f"default: {__version__}",
            "default: 1",
            "1, and",
        ),
        ("CHANGELOG.md", "- Everything.", "", "no section"),
        ("CHANGELOG.md", " - 2026-01-31", "", "has no date"),
        (
            "CHANGELOG.md",
            "## [",
            "## [Unreleased]\n\n- More.\n\n## [",
            "under [Unreleased] belongs",
        ),
        ("pyproject.toml", "somebody/", "OWNER/", "urls.Homepage still says OWNER"),
        ("docs/monorepo.md", "somebody/", "OWNER/", "docs/monorepo.md still says OWNER"),
        (
            "action.yml",
            "@a26af69be951a213d495a4c3e4e4022e16d87065",
            "@v5",
            "setup-python@v5 is not",
        ),
    ],
)
def test_what_is_missing_is_said(ready: Path, name: str, old: str, new: str, told: str):
    path = ready / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    code, said = check(ready)
    assert code == 1
    assert told in said
    assert "not committed" in said


def test_a_tag_of_another_version_is_refused(ready: Path):
    code, said = check(ready, "--tag", "v9.9.9")
    assert (code, said) == (1, f"missing: the tag v9.9.9 is not of this version: v{__version__}\n")


# -- the workflow -------------------------------------------------------------------------------


def test_a_job_may_do_what_it_needs_and_no_more():
    assert WORKFLOW["permissions"] == {}
    allowed = {name: set(job["permissions"]) for name, job in WORKFLOW["jobs"].items()}
    assert allowed["build"] == {"contents"}
    assert WORKFLOW["jobs"]["build"]["permissions"]["contents"] == "read"
    # Who publishes to PyPI has no checkout, and so runs nothing of the tree.
    assert allowed["pypi"] == {"id-token"}
    assert [step["uses"].split("@")[0] for step in WORKFLOW["jobs"]["pypi"]["steps"]] == [
        "actions/download-artifact",
        "pypa/gh-action-pypi-publish",
    ]


def test_no_script_contains_an_expression_and_only_the_workflow_has_secrets():
    text = (ROOT / ".github/workflows/release.yml").read_text()
    scripts = [step.get("run", "") for job in WORKFLOW["jobs"].values() for step in job["steps"]]
    assert [script for script in scripts if "${{" in script] == []
    assert set(re.findall(r"secrets\.(\w+)", text)) == {"GITHUB_TOKEN"}


def test_the_make_targets_that_the_workflow_calls_are_there():
    made = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    scripts = [step.get("run", "") for job in WORKFLOW["jobs"].values() for step in job["steps"]]
    called = set(re.findall(r"\bmake ([a-z-]+)", "\n".join(scripts)))
    assert called
    assert called <= made


# -- what is built ------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_sbom_names_every_release_that_is_installed(tmp_path: Path):
    made = []
    for number in range(2):
        path = tmp_path / f"{number}.json"
        done = use(
            "cyclonedx-py", "requirements", ROOT / "requirements/run.txt", "--pyproject",
            ROOT / "pyproject.toml", "--output-reproducible", "--validate", "--output-file", path,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        made.append(path.read_bytes())
    assert made[0] == made[1]
    document = json.loads(made[0])
    assert document["bomFormat"] == "CycloneDX"
    assert document["metadata"]["component"]["name"] == "fivetran-auditor"
    locked = set(
        re.findall(
            r"^([a-z0-9-]+)==([^\s;]+)", (ROOT / "requirements/run.txt").read_text(), re.MULTILINE
        )
    )
    assert {(part["name"], part["version"]) for part in document["components"]} == locked
    assert all(part["externalReferences"][0]["hashes"] for part in document["components"])
