"""Policies and defaults: found here or above, up to the root of the repository."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.builders.command import run
from tests.builders.configured import configure, in_force


@pytest.fixture(params=["folder", "file"])
def repository(folder: Path, request: pytest.FixtureRequest) -> Path:
    """Return a repository, a worktree's or a clone, with a policy, a snapshot, and a folder."""
    if request.param == "folder":
        (folder / ".git").mkdir()
    else:
        (folder / ".git").write_text("gitdir: elsewhere")
    (folder / "policies").mkdir()
    (folder / "house.yaml").rename(folder / "policies" / "house.yaml")
    (folder / "deep" / "deeper").mkdir(parents=True)
    return folder


def test_policies_and_defaults_are_looked_for_up_to_the_root_of_the_repository(repository: Path):
    configure(repository, "snapshot: saved.json\nfail_on: none\n")
    for below in (".", "deep", "deep/deeper", "policies"):
        done = run(["audit", "-q"], repository / below)
        assert done.returncode == 0, done.stderr
        assert "house.yaml)" in done.stdout
        assert "auditor.yaml sets " in done.stdout
        assert "fail_on" in done.stdout
        report = json.loads((repository / below / "audit-report" / "report.json").read_bytes())
        assert [p["name"] for p in report["policies"]] == ["house"]
        (note,) = report["notes"]
        assert "auditor.yaml sets " in note


def test_nothing_is_looked_for_above_the_repository_or_without_one(folder: Path):
    (folder / "policies").mkdir()
    (folder / "house.yaml").rename(folder / "policies" / "house.yaml")
    configure(folder, "fail_on: none\n")
    for name in ("plain", "clone"):
        (folder / name).mkdir()
    (folder / "clone" / ".git").mkdir()
    for name in ("plain", "clone"):
        found = in_force(folder / name)
        assert found["policy: [baseline]"] == "default"
        assert found["fail_on: low"] == "default"


def test_the_nearest_file_counts(repository: Path):
    configure(repository, "fail_on: none\n")
    configure(repository / "deep", "fail_on: high\n")
    assert in_force(repository / "deep" / "deeper")["fail_on: high"] == "../auditor.yaml:1"
