"""Reading a file that a person named, whatever it turns out to be."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from auditor.files import open_file, read_file
from tests.builders.command import shell
from tests.builders.listed import HOUSE


def test_a_file_is_read_as_far_as_is_wanted(tmp_path: Path):
    (tmp_path / "a").write_bytes(b"0123456789" * 300_000)
    assert read_file(tmp_path / "a", 10) == b"0123456789"
    assert read_file(str(tmp_path / "a"), 1 << 30) == b"0123456789" * 300_000
    with pytest.raises(IsADirectoryError):
        read_file(tmp_path, 10)
    with pytest.raises(FileNotFoundError):
        read_file(tmp_path / "none", 10)
    assert read_file("/dev/null", 10) == b""


def test_a_fifo_is_read_to_its_end_and_given_up_where_nobody_writes(tmp_path: Path):
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(TimeoutError, match="nobody writes to it"):
        read_file(tmp_path / "fifo", 10, patience=0.0)
    writer = threading.Thread(target=lambda: (tmp_path / "fifo").write_bytes(b"a" * 200_000))
    writer.start()
    assert read_file(tmp_path / "fifo", 1 << 20) == b"a" * 200_000
    writer.join()


def test_a_policy_may_come_out_of_a_process(tmp_path: Path):
    (tmp_path / "house.yaml").write_text(HOUSE)
    (tmp_path / "w.yaml").write_text(
        "waivers:\n  - {rule: sync-floor, connections: all, reason: x, owner: me,\n"
        "     expires: 2030-01-01}\n"
    )
    done = shell("auditor validate house.yaml --waivers <(cat w.yaml)", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "1 waiver" in done.stdout


def test_what_is_opened_waits_for_its_writer_and_then_for_its_words(tmp_path: Path):
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(TimeoutError, match="nobody writes to it"):
        open_file(tmp_path / "fifo", patience=0.0)
    writer = threading.Thread(target=lambda: (tmp_path / "fifo").write_bytes(b"a" * 200_000))
    writer.start()
    with open_file(tmp_path / "fifo") as file:
        assert file.read() == b"a" * 200_000
    writer.join()
    (tmp_path / "a").write_bytes(b"b")
    with open_file(tmp_path / "a") as file:
        assert file.read() == b"b"
