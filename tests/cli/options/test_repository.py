"""Policies and defaults: found here or above, up to the root of the repository."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from auditor.cli.options.repository import upward
from auditor.errors import UsageError
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


def test_upward_ends_at_the_root_of_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    inner = tmp_path / "house" / "deep" / "down"
    inner.mkdir(parents=True)
    (tmp_path / "wanted").touch()
    monkeypatch.chdir(inner)
    assert upward("wanted") is None
    (tmp_path / "house" / ".git").mkdir()
    assert upward("wanted") is None
    (tmp_path / "house" / "wanted").touch()
    assert upward("wanted") == Path("../../wanted")
    (inner / "wanted").symlink_to("nowhere")
    assert upward("wanted") == Path("wanted")


def test_a_repository_within_a_repository_is_one_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / ".git").mkdir()
    (tmp_path / "wanted").touch()
    # A submodule and a work tree have a file of this name.
    (inner / ".git").touch()
    monkeypatch.chdir(inner)
    assert upward("wanted") is None


def test_a_working_folder_that_is_gone_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(UsageError, match="the working folder no longer exists"):
        upward("wanted")


# -- as a host names files -------------------------------------------------------------------------


def test_a_host_finds_the_files_of_a_folder_in_its_repository(tmp_path: Path) -> None:
    """A monorepo: the working folder is below the root, a policy beside it and one above."""
    (tmp_path / ".git").mkdir()
    shared, here = tmp_path / "shared" / "house.yaml", tmp_path / "services" / "data"
    here.mkdir(parents=True)
    shared.parent.mkdir()
    rule = "rules:\n  - {id: RULE, severity: high, assert: {paused: false}}\n"
    shared.write_text(f"policy: house\n{rule.replace('RULE', 'above')}")
    (here / "own.yaml").write_text(f"policy: own\n{rule.replace('RULE', 'beside')}")
    record = {"id": "a", "service": "s3", "schema": "x", "group_id": "g", "paused": True}
    (here / "one.json").write_text(json.dumps([record]))
    words = ["audit", "--snapshot", "one.json", "-p", "./own.yaml", "-p", "../../shared/house.yaml"]
    formats = ("sarif", "gitlab", "github", "json")
    done = run([*words, *(w for f in formats for w in ("--report", f))], here)
    assert done.returncode == 1, done.stderr
    folder, wanted = here / "audit-report", {"services/data/own.yaml", "shared/house.yaml"}
    (log,) = json.loads((folder / "report.sarif").read_text())["runs"]
    places = [result["locations"][0]["physicalLocation"] for result in log["results"]]
    assert {place["artifactLocation"]["uri"] for place in places} == wanted
    issues = json.loads((folder / "gl-code-quality-report.json").read_text())
    assert {issue["location"]["path"] for issue in issues} == wanted
    commands = (folder / "annotations.txt").read_text()
    assert set(re.findall(r"[ ,]file=([^,]+),", commands)) == wanted
    assert str(tmp_path) not in (folder / "report.json").read_text()
    (here / "own.yaml").write_text("policy: own\nrules: 3\n")
    done = run(["validate", "./own.yaml", "--report", "github=-"], here)
    assert done.returncode == 2
    assert set(re.findall(r"[ ,]file=([^,]+),", done.stdout)) == {"services/data/own.yaml"}
