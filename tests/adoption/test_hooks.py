"""The pre-commit hooks, run by prek and by pre-commit in a scratch repository."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.adoption.github import ROOT
from tests.adoption.tools import tracked, use
from tests.builders.command import environment

pytestmark = pytest.mark.slow

POLICY = """policy: p
rules:
  - id: r
    severity: low
    assert: {paused: false}
    tests: [{given: {paused: true}, expect: fail}, {given: {paused: false}, expect: pass}]
"""
WAIVER = """waivers:
  - {rule: r, connections: {schema: s}, reason: it moves, owner: o@example.com, expires: 2099-01-01}
"""
TESTS = "tests:\n  - {name: t, given: {paused: true}, expect: {r: fail}}\n"


def _git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=n", "-c", "user.email=n@example.com"]
    done = subprocess.run(
        ["git", *who, *words], cwd=folder, env=environment(), capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    return done.stdout.strip()


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository with the tree as it is, for others to take hooks from."""
    place = tmp_path_factory.mktemp("hooks")
    for path in tracked():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, place / path)
    _git(place, "init", "--quiet")
    _git(place, "add", "--all")
    _git(place, "commit", "--quiet", "--no-verify", "--message", "as it is")
    return place


@pytest.fixture(params=["prek", "pre-commit"])
def repository(request: pytest.FixtureRequest, hooks: Path, tmp_path: Path) -> tuple[str, Path]:
    """Return the tool, and a repository of a user's that takes both hooks."""
    place = tmp_path / "of a user"
    (place / "policies/finance").mkdir(parents=True)
    config = f"""repos:
  - repo: {hooks}
    rev: {_git(hooks, "rev-parse", "HEAD")}
    hooks: [{{id: fivetran-auditor-validate}}, {{id: fivetran-auditor-test}}]
"""
    for name, text in {
        ".pre-commit-config.yaml": config,
        "policies/p.yaml": POLICY,
        "policies/p.test.yaml": TESTS,
        "policies/finance/ledger.yml": POLICY.replace("policy: p", "policy: q").replace(
            "id: r", "id: s"
        ),
        "waivers.yaml": WAIVER,
        "compose.yaml": "services: {}\n",
    }.items():
        (place / name).write_text(text)
    _git(place, "init", "--quiet")
    _git(place, "add", "--all")
    return request.param, place


def _run(name: str, place: Path, home: Path) -> tuple[int, str]:
    env = {"HOME": str(home), "PRE_COMMIT_HOME": str(home / name), "PREK_HOME": str(home / name)}
    done = use(name, "run", "--all-files", folder=place, env=env)
    return done.returncode, done.stdout + done.stderr


def test_the_hooks_pass_what_is_right_and_name_what_is_wrong(
    repository: tuple[str, Path], tmp_path_factory: pytest.TempPathFactory
):
    name, place = repository
    home = tmp_path_factory.mktemp("home")
    code, told = _run(name, place, home)
    assert code == 0, told
    assert told.count("Passed") == 2, told
    for path, old, new, said in (
        ("policies/p.yaml", "paused: false}\n", "pausd: false}\n", "policies/p.yaml:5:14: error"),
        ("policies/p.test.yaml", "r: fail", "q: fail", "policies/p.test.yaml:2:"),
        ("policies/finance/ledger.yml", "low", "lo", "policies/finance/ledger.yml:4:15: error"),
        ("waivers.yaml", "owner", "ownr", "waivers.yaml:2:"),
        ("policies/p.test.yaml", "r: fail", "r: pass", "wanted false"),
    ):
        text = (place / path).read_text()
        assert old in text
        (place / path).write_text(text.replace(old, new))
        _git(place, "add", "--all")
        code, told = _run(name, place, home)
        assert code == 1, (path, told)
        assert said in told
        (place / path).write_text(text)
