"""Files that are not whole yet: another run's stay, a dead run's go."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from auditor.output import unfinished
from auditor.output.unfinished import begin, clear


def test_what_another_run_is_writing_is_not_cleared_up(tmp_path: Path) -> None:
    left = begin(tmp_path)
    os.close(left.descriptor)
    clear(tmp_path)
    assert left.path.exists()
    # As at the end of its process.
    os.close(left.lock or 0)
    (tmp_path / ".fivetran-auditor-notes.tmp").touch()
    (tmp_path / ".fivetran-auditor-0123456789ab.tmp").mkdir()
    (tmp_path / ".fivetran-auditor-ba9876543210.tmp").symlink_to(tmp_path / "elsewhere")
    clear(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".fivetran-auditor-0123456789ab.tmp",
        ".fivetran-auditor-ba9876543210.tmp",
        ".fivetran-auditor-notes.tmp",
    ]


def test_a_file_that_was_cleared_up_before_it_was_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = unfinished.try_lock  # type: ignore[attr-defined]  # as it is used there
    found: list[Path] = []

    def late(descriptor: int) -> int | None:
        monkeypatch.setattr(unfinished, "try_lock", lock)
        found.extend(tmp_path.iterdir())
        clear(tmp_path)
        return lock(descriptor)

    monkeypatch.setattr(unfinished, "try_lock", late)
    new = begin(tmp_path)
    os.close(new.descriptor)
    assert [path.exists() for path in found] == [False]
    assert list(tmp_path.iterdir()) == [new.path]
    new.end()
    assert list(tmp_path.iterdir()) == []
