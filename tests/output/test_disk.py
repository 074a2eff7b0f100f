"""Bytes on their way out, in this process: whole files, streams of every kind, plain reasons."""

from __future__ import annotations

import errno
import io
import os
import select
import stat
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from auditor.output.disk import (
    _opened,
    encoded,
    explain,
    head_of,
    replace_file,
    write_descriptor,
    write_pipe,
    write_stdout,
)

BIG = "0123456789abcdef" * 65_536


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def descriptors() -> int:
    """Return how many files this process has open."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


# -- reasons --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "/secret/path"),
            "no space is left there; free some, or choose another folder with --output-dir",
        ),
        (
            OSError(errno.EIO, "Input/output error", "/secret/path"),
            "Input/output error; choose another folder with --output-dir",
        ),
        (OSError("only words"), "only words; choose another folder with --output-dir"),
    ],
)
def test_a_reason_is_ours_or_the_systems_and_names_no_path(error: OSError, said: str) -> None:
    assert explain(error) == said


# -- text -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("", b""),
        ("\u00e9\U0001f600", b"\xc3\xa9\xf0\x9f\x98\x80"),
        ("a\ud800b", b"a\xef\xbf\xbdb"),
        ("a\udfffb\ud83d\ude00", b"a\xef\xbf\xbdb\xf0\x9f\x98\x80"),
    ],
)
def test_text_is_utf_8_whatever_it_holds(text: str, data: bytes) -> None:
    assert b"".join(encoded(["<", text, ">"])) == b"<" + data + b">"


# -- files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("umask", [0o022, 0o002, 0o077])
def test_a_new_file_is_whole_and_for_whom_the_umask_says(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        replace_file(tmp_path / "new", ["a\n", "b\n"])
    finally:
        os.umask(before)
    assert (tmp_path / "new").read_bytes() == b"a\nb\n"
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o666 & ~umask
    assert files(tmp_path) == ["new"]


def test_what_stood_there_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "there"
    target.write_text("old")
    target.chmod(0o600)
    seen: list[tuple[str, list[str]]] = []

    def chunks() -> Iterator[str]:
        yield "new"
        beside = [name for name in files(tmp_path) if name != "there"]
        seen.append((target.read_text(), beside))

    replace_file(target, chunks())
    ((text, (beside,)),) = seen
    assert text == "old"
    assert beside.startswith(".fivetran-auditor-")
    assert beside.endswith(".tmp")
    assert len(beside) == len(".fivetran-auditor-.tmp") + 12
    assert target.read_text() == "new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert files(tmp_path) == ["there"]


def test_a_file_is_on_the_disk_before_it_takes_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[str, int, bool]] = []

    def fsync(descriptor: int) -> None:
        status = os.fstat(descriptor)
        kind = "folder" if stat.S_ISDIR(status.st_mode) else "file"
        synced.append((kind, status.st_size, (tmp_path / "new").exists()))

    monkeypatch.setattr(os, "fsync", fsync)
    replace_file(tmp_path / "new", [BIG])
    (file, folder) = synced
    assert file == ("file", len(BIG), False)
    assert folder[::2] == ("folder", True)


def test_a_folder_that_cannot_be_synced_is_not_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fsync(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(os, "fsync", fsync)
    before = descriptors()
    replace_file(tmp_path / "new", ["a"])
    assert (tmp_path / "new").read_text() == "a"
    assert descriptors() == before, "a descriptor was left open"


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    def chunks() -> Iterator[str]:
        yield "half"
        raise KeyError("a bug")

    (tmp_path / "there").write_text("old")
    for name in ("there", "new"):
        with pytest.raises(KeyError):
            replace_file(tmp_path / name, chunks())
    assert files(tmp_path) == ["there"]
    assert (tmp_path / "there").read_text() == "old"


def test_a_folder_in_the_way_is_reported_before_anything_is_made(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError) as caught:
        replace_file(tmp_path / "folder", iter(()))
    assert caught.value.errno == errno.EISDIR
    assert files(tmp_path) == ["folder"]


def test_the_first_bytes_say_who_wrote_a_file(tmp_path: Path) -> None:
    file = tmp_path / "file"
    for blanks, ours in ((0, True), (4092, True), (4093, False), (5000, False)):
        file.write_bytes(b" " * blanks + b"mark")
        assert (b"mark" in head_of(file)) is ours
    assert head_of(tmp_path) == b""
    assert head_of(tmp_path / "nothing") == b""


# -- pipes ----------------------------------------------------------------------------------------


def test_a_fifo_is_written_and_closed(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(fifo.read_text()))
    before = descriptors()
    reader.start()
    write_pipe(fifo, ["a", BIG, "b"])
    reader.join()
    assert read == [f"a{BIG}b"]
    assert descriptors() == before
    assert stat.S_ISFIFO(fifo.stat().st_mode)


def test_a_pipe_that_breaks_is_closed_too() -> None:
    before = descriptors()
    with pytest.raises(OSError, match="No space left"):
        write_pipe(Path("/dev/full"), ["a"])
    assert descriptors() == before


# -- standard output ------------------------------------------------------------------------------


def test_standard_output_is_written_past_its_buffer_and_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    read: list[str] = []
    waits: list[object] = []
    really = select.select

    def reading() -> None:
        with os.fdopen(ours, encoding="utf-8") as stream:
            read.append(stream.read())

    reader = threading.Thread(target=reading)

    def waiting(*descriptors: Any) -> object:
        # Nobody reads before the pipe is full.
        if not waits:
            reader.start()
        waits.append(descriptors)
        return really(*descriptors)

    monkeypatch.setattr(select, "select", waiting)
    with os.fdopen(theirs, "w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        stream.write("what was said before ")
        write_stdout(["a", BIG, "\ud800"])
        monkeypatch.undo()
    reader.join()
    assert read == [f"what was said before a{BIG}\ufffd"]
    assert set(map(repr, waits)) == {repr(([], [theirs], [], None))}


def test_a_stream_of_text_alone_is_written_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stream(io.StringIO):
        flushed = ""

        def flush(self) -> None:
            self.flushed = self.getvalue()

    monkeypatch.setattr(sys, "stdout", Stream("before"))
    sys.stdout.seek(0, io.SEEK_END)
    write_stdout(["a", "\ud800"])
    assert sys.stdout.flushed == "beforea\ufffd"  # type: ignore[attr-defined]  # ours


def test_a_standard_output_that_is_closed_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = io.StringIO()
    closed.close()
    for stream in (None, closed):
        monkeypatch.setattr(sys, "stdout", stream)
        with pytest.raises(OSError, match=f"Errno {errno.EBADF}") as caught:
            write_stdout(())
        assert explain(caught.value) == "it is closed; write to a file instead"


# -- on the way to the disk -----------------------------------------------------------------------


def test_a_large_file_is_sent_off_while_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, ...]] = []
    written: list[int] = []

    def advise(descriptor: int, *how: int) -> None:
        asked.append(how)
        written.append(os.fstat(descriptor).st_size)
        raise OSError(errno.EOPNOTSUPP, "this file system takes no advice")

    monkeypatch.setattr(os, "posix_fadvise", advise)
    half = "x" * (1 << 19)
    replace_file(tmp_path / "report", [half] * 9)
    assert (tmp_path / "report").read_text() == half * 9
    # More than a megabyte after the other.
    assert asked == [(0, 0, os.POSIX_FADV_DONTNEED)] * 3
    assert written == [3 << 19, 6 << 19, 9 << 19]


def test_a_system_that_takes_no_advice_writes_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "posix_fadvise")
    replace_file(tmp_path / "report", ["x" * (3 << 20)])
    assert (tmp_path / "report").stat().st_size == 3 << 20


def test_a_stalled_reader_is_not_waited_for_for_ever() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    try:
        with pytest.raises(TimeoutError):
            write_descriptor(writing, [BIG.encode()], stalled=0.01)
    finally:
        os.close(reading)
        os.close(writing)


def test_a_pipe_that_nobody_reads_is_not_opened_for_ever(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match=os.strerror(errno.ENXIO)):
        _opened(tmp_path / "pipe", 0.01)
    with pytest.raises(FileNotFoundError):
        _opened(tmp_path / "gone", 1)
