"""A folder that runs add to, one at a time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from auditor.output.journal import LOCK, open_journal


def test_lines_are_added_and_files_replaced(tmp_path: Path):
    with open_journal(tmp_path / "new" / "kept") as journal:
        journal.prepare("lines")
        journal.append("lines", b"one\n")
        journal.append("lines", b"two\n")
        journal.replace("open", ["a", "b"])
        assert journal.read("lines") == b"one\ntwo\n"
        assert journal.read("open") == b"ab"
        with pytest.raises(FileNotFoundError):
            journal.read("none")
    assert {p.name for p in journal.path.iterdir()} == {"lines", "open", LOCK}


def test_a_torn_line_ends_before_the_next_begins(tmp_path: Path):
    (tmp_path / "lines").write_bytes(b"one\ntw")
    with open_journal(tmp_path) as journal:
        journal.append("lines", b"three\n")
    assert (tmp_path / "lines").read_bytes() == b"one\ntw\nthree\n"


def test_a_line_that_does_not_fit_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "lines").write_bytes(b"one\n")
    write = os.write
    with open_journal(tmp_path) as journal:
        monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:2]))
        with pytest.raises(OSError, match="the disk is full"):
            journal.append("lines", b"two\n")
        monkeypatch.undo()
    assert (tmp_path / "lines").read_bytes() == b"one\n"


def test_one_run_at_a_time(tmp_path: Path):
    with open_journal(tmp_path), pytest.raises(BlockingIOError, match="another run"):  # noqa: SIM117
        with open_journal(tmp_path, patience=0.0):
            raise AssertionError("two runs at once")
    with open_journal(tmp_path, patience=0.0):
        pass


@pytest.mark.parametrize("kind", ["fifo", "folder", "device"])
@pytest.mark.parametrize("name", ["lines", "open", LOCK])
def test_what_is_not_a_file_is_reported_and_not_waited_for(tmp_path: Path, kind: str, name: str):
    path = tmp_path / name
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/null")
    with pytest.raises(OSError, match="is not a file"):  # noqa: PT012, SIM117
        with open_journal(tmp_path) as journal:
            journal.prepare("lines")
            journal.read("open")


def test_where_nothing_can_be_locked_a_journal_is_kept_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auditor.output.locks._HAVE_LOCKS", False)
    with open_journal(tmp_path / "kept"):
        pass
    assert (tmp_path / "kept" / LOCK).is_file()
