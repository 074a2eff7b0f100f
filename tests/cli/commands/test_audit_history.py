"""``audit --history``: what it writes, and what happens if it cannot."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.builders.command import file_limit, outcome_in, run, shell
from tests.builders.listed import HOUSE, record


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    (tmp_path / "house.yaml").write_text(HOUSE)
    answer = {"code": "Success", "data": {"items": [record("a")], "next_cursor": None}}
    (tmp_path / "listing.json").write_text(json.dumps(answer))
    return tmp_path


AUDIT = ("audit", "-p", "house.yaml", "--snapshot", "listing.json", "-o", "out")


def test_a_run_is_recorded_and_reported(folder: Path):
    done = run([*AUDIT, "--history", "kept"], folder)
    assert done.returncode == 0, done.stderr
    assert "0 violations in the first run of this history." in done.stdout
    (line,) = (folder / "kept" / "history.ndjson").read_text().splitlines()
    assert json.loads(line)["outcome"] == "passed"


def test_an_inconclusive_run_is_kept_too(folder: Path):
    (folder / "listing.json").write_text('{"code": "Success", "data": {"items": []}}')
    assert run([*AUDIT, "--history", "kept"], folder).returncode == 3
    (line,) = (folder / "kept" / "history.ndjson").read_text().splitlines()
    assert json.loads(line)["outcome"] == "inconclusive"


def test_a_history_that_cannot_be_is_found_before_anything_is_judged(folder: Path):
    (folder / "taken").write_text("")
    done = run([*AUDIT, "--history", "taken"], folder)
    assert done.returncode == 4
    assert "cannot keep the history in taken" in done.stderr
    assert outcome_in(folder / "out") == "placeholder"


def test_a_history_that_is_lost_costs_no_report(folder: Path):
    # The file may not grow any more; it is found when the run has been judged.
    (folder / "kept").mkdir()
    (folder / "kept" / "history.ndjson").write_bytes(b"\n" * 2000 * 1024)
    done = shell(f"{file_limit(2000)}; auditor {' '.join(AUDIT)} --history kept", folder)
    assert done.returncode == 4, done.stdout
    assert "cannot keep the history in kept: the file is larger than a limit allows" in done.stderr
    assert outcome_in(folder / "out") == "passed"


def test_a_device_in_its_place_is_refused(folder: Path):
    (folder / "kept").mkdir()
    (folder / "kept" / "history.ndjson").symlink_to("/dev/null")
    done = run([*AUDIT, "--history", "kept"], folder)
    assert done.returncode == 4
    assert "history.ndjson is not a file" in done.stderr


def test_an_empty_name_is_refused(folder: Path):
    done = run([*AUDIT, "--history", ""], folder)
    assert done.returncode == 2
    assert "--history" in done.stderr
