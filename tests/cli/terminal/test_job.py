"""What audit adds to a CI job's pages by itself: once, and its loss is not a lost report."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.builders.command import run
from tests.reports.test_github import commands
from tests.test_ci import GITHUB, GITLAB

POLICY = """policy: house
rules:
  - {id: unpaused, severity: high, assert: {paused: false}}
"""
RECORD = '[{"id": "a", "service": "s3", "schema": "orders", "group_id": "g", "paused": true}]'
AUDIT = ["audit", "--snapshot", "one.json", "-p", "./house.yaml"]
QUALITY = "gl-code-quality-report.json"


@pytest.fixture
def house(tmp_path: Path) -> Path:
    (tmp_path / "house.yaml").write_text(POLICY)
    (tmp_path / "one.json").write_text(RECORD)
    (tmp_path / "summary").write_text("# before\n")
    return tmp_path


def github(folder: Path) -> dict[str, str]:
    return {**GITHUB, "GITHUB_STEP_SUMMARY": str(folder / "summary"), "CI": "true"}


def test_github_shows_a_summary_and_annotations(house: Path) -> None:
    done = run(AUDIT, house, github(house))
    assert done.returncode == 1
    summary = (house / "summary").read_text()
    assert summary.startswith("# before\n## ")
    assert "unpaused" in summary
    assert "https://github.com/acme/pipelines/actions/runs/17" in summary
    first, found = commands(done.stderr)
    assert first.text.startswith("violations: ")
    assert (found.name, found.properties["file"]) == ("error", "house.yaml")
    assert "::" not in done.stdout
    assert "VIOLATIONS  exit 1" in done.stdout
    run(AUDIT, house, github(house))
    assert (house / "summary").read_text().count("## ❌ Fivetran audit") == 2


@pytest.mark.parametrize(
    ("more", "summaries", "annotated"),
    [
        (["--no-ci"], 0, 0),
        (["--report", "markdown"], 0, 1),
        (["--report", "github=-"], 1, 0),
        (["--report", "github=-", "--report", "markdown"], 0, 0),
        (["--report", "csv=-", "-q"], 1, 1),
    ],
)
def test_nothing_is_shown_twice(
    more: list[str], summaries: int, annotated: int, house: Path
) -> None:
    done = run([*AUDIT, *more], house, github(house))
    assert done.returncode == 1
    assert (house / "summary").read_text().count("## ❌ Fivetran audit") == summaries
    lines = [line for line in done.stderr.splitlines() if line.startswith("::")]
    assert bool(lines) is bool(annotated)


def test_no_ci_can_be_set_in_the_file_and_the_environment(house: Path) -> None:
    (house / "auditor.yaml").write_text("no_ci: true\n")
    assert "::" not in run(AUDIT, house, github(house)).stderr
    (house / "auditor.yaml").unlink()
    env = {**github(house), "FIVETRAN_AUDITOR_NO_CI": "true"}
    assert "::" not in run(AUDIT, house, env).stderr
    assert (house / "summary").read_text() == "# before\n"


def test_a_page_that_cannot_be_written_is_reported_and_changes_no_code(house: Path) -> None:
    env = {**github(house), "GITHUB_STEP_SUMMARY": str(house / "no" / "such" / "folder")}
    done = run(AUDIT, house, env)
    assert done.returncode == 1
    assert "the step summary could not be written: " in done.stderr
    full = run(AUDIT, house, {**env, "GITHUB_STEP_SUMMARY": "/dev/full"})
    assert (full.returncode, "no space is left" in full.stderr) == (1, True)


def test_a_page_that_nobody_reads_is_not_waited_for(house: Path) -> None:
    os.mkfifo(house / "pipe")
    done = run(AUDIT, house, {**github(house), "GITHUB_STEP_SUMMARY": str(house / "pipe")})
    assert done.returncode == 1
    assert "the step summary could not be written: no process reads from it" in done.stderr


@pytest.mark.parametrize(("size", "shown"), [(1 << 19, True), ((1 << 20) - 100, False)])
def test_a_page_keeps_what_others_wrote(house: Path, size: int, shown: bool) -> None:
    """GitHub shows nothing of a summary of more than 1 MiB."""
    (house / "summary").write_bytes(b"x" * size)
    done = run(AUDIT, house, github(house))
    assert done.returncode == 1
    assert ((house / "summary").stat().st_size > size) is shown
    assert ("longer than the 1 MiB that GitHub shows" in done.stderr) is not shown


def test_gitlab_gets_its_code_quality_file_with_the_other_reports(house: Path) -> None:
    for more, there in (
        ([], True),
        (["--no-ci"], False),
        (["--report", f"gitlab=q/{QUALITY}"], False),
        (["--report", "lines=-"], False),
    ):
        (house / "audit-report" / QUALITY).unlink(missing_ok=True)
        done = run([*AUDIT, *more], house, GITLAB)
        assert done.returncode == 1, done.stderr
        path = house / "audit-report" / QUALITY
        assert path.exists() is there
        if there:
            assert [issue["check_name"] for issue in json.loads(path.read_text())] == ["unpaused"]
    assert json.loads((house / "q" / QUALITY).read_text())


def test_outside_of_ci_nothing_is_shown(house: Path) -> None:
    done = run(AUDIT, house, {"GITHUB_STEP_SUMMARY": str(house / "summary")})
    assert done.stderr == ""
    assert (house / "summary").read_text() == "# before\n"
