"""A long file that is kept only if it is finished."""

from __future__ import annotations

import gzip
import os
import stat
import threading
from pathlib import Path

import pytest

from auditor.output.draft import Draft
from auditor.output.target import Target


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", ["a", "a.gz"])
def test_a_draft_is_private_whole_and_started_afresh(tmp_path: Path, name: str):
    path = tmp_path / "new" / name
    with Draft(Target(path)) as draft:
        draft.restart()
        draft.write(b"first" * 1000)
        draft.restart()
        draft.write(b"second")
        assert not path.exists()
        draft.deliver()
    data = path.read_bytes()
    assert (gzip.decompress(data) if name.endswith(".gz") else data) == b"second"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert files(path.parent) == [name]


@pytest.mark.parametrize(
    ("name", "zipped"), [("a.gz", True), ("a.ndjson.gz", True), ("a.gz.old", False), ("gz", False)]
)
def test_a_name_that_ends_in_gz_is_compressed_and_no_other(tmp_path: Path, name: str, zipped: bool):
    path = tmp_path / name
    with Draft(Target(path)) as draft:
        draft.restart()
        draft.write(b"held")
        draft.deliver()
    assert path.read_bytes().startswith(b"\x1f\x8b") is zipped


def test_what_is_not_delivered_leaves_what_was_there(tmp_path: Path):
    (tmp_path / "a").write_text("before")
    with Draft(Target(tmp_path / "a")) as draft:
        draft.write(b"after")
    assert (tmp_path / "a").read_text() == "before"
    assert files(tmp_path) == ["a"]


def test_a_stream_gets_it_at_the_end(tmp_path: Path):
    fifo = tmp_path / "a.gz"
    os.mkfifo(fifo)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(fifo.read_bytes()))
    reader.start()
    with Draft(Target(fifo)) as draft:
        draft.restart()
        draft.write(b"0123456789" * 100_000)
        draft.deliver()
    reader.join()
    assert read == [b"0123456789" * 100_000]
    assert fifo.is_fifo()
    ours, theirs = os.pipe()
    with Draft(Target(None, theirs)) as draft:
        draft.write(b"ab")
        draft.deliver()
    assert os.read(ours, 9) == b"ab"
    os.close(ours)
    os.close(theirs)


def test_a_folder_in_the_way_is_reported(tmp_path: Path):
    with pytest.raises(IsADirectoryError):
        Draft(Target(tmp_path))
