"""Locks that end with their process, and systems that have none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from auditor.output import locks
from auditor.output.locks import try_lock, wait_for_lock

WITHOUT = """
import sys
sys.modules["fcntl"] = None
from auditor.output.locks import try_lock, wait_for_lock
assert try_lock(0) is None and wait_for_lock(0, 0.0) is None
from auditor.cli.main import main
main(sys.argv[1:])
"""


def opened(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT)


def test_a_lock_is_one_runs_until_it_is_given_up(tmp_path: Path):
    ours, theirs = opened(tmp_path / "a"), opened(tmp_path / "a")
    lock = try_lock(ours)
    assert lock is not None
    with pytest.raises(BlockingIOError):
        try_lock(theirs)
    with pytest.raises(BlockingIOError, match="another run has been writing there for a long time"):
        wait_for_lock(theirs, 0.0)
    os.close(lock)
    os.close(ours)
    again = wait_for_lock(theirs, 0.0)
    assert again is not None
    os.close(again)
    os.close(theirs)


def test_whoever_waits_gets_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    ours, theirs = opened(tmp_path / "a"), opened(tmp_path / "a")
    lock = try_lock(ours)
    assert lock is not None
    held = [lock, ours]
    # The other run ends while this one waits.
    monkeypatch.setattr(locks.time, "sleep", lambda _: [os.close(held.pop()) for _ in range(2)])
    again = wait_for_lock(theirs, 60.0)
    assert again is not None
    assert held == []
    os.close(again)
    os.close(theirs)


def test_a_file_system_without_locks_gives_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    def refused(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(locks.fcntl, "flock", refused)
    descriptor = opened(tmp_path / "a")
    assert try_lock(descriptor) is None
    os.close(descriptor)


def test_a_system_without_locks_runs_all_the_same(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, "schema", "-o", str(tmp_path / "schema.json")],
        capture_output=True, text=True, timeout=60, check=False,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "schema.json").stat().st_size
