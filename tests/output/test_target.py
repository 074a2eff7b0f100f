"""Where output goes, as the user wrote it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from auditor.output.target import Target, identities


@pytest.mark.parametrize(
    ("name", "target", "said"),
    [
        (None, Target(None, 1), "standard output"),
        ("-", Target(None, 1), "standard output"),
        ("/dev/stdout", Target(None, 1), "standard output"),
        ("/dev/fd/1", Target(None, 1), "standard output"),
        ("/proc/self/fd/1", Target(None, 1), "standard output"),
        ("/dev/stderr", Target(None, 2), "standard error"),
        ("/dev/fd/63", Target(None, 63), "/dev/fd/63"),
        ("/dev/fd/x", Target(Path("/dev/fd/x")), "/dev/fd/x"),
        ("a/b\x1b", Target(Path("a/b\x1b")), "a/b\\x1b"),
        (Path("a"), Target(Path("a")), "a"),
    ],
)
def test_a_name_says_where(name: str | Path | None, target: Target, said: str):
    assert Target.named(name) == target
    assert str(target) == said
    assert target.is_stdout is (said == "standard output")


def test_what_is_gone_once_written_is_a_stream(tmp_path: Path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("fifo")
    (tmp_path / "round").symlink_to("round")
    for name, stream in (("fifo", True), ("link", True), ("file", False), ("none", False)):
        assert Target(tmp_path / name).is_stream is stream, name
    assert not Target(tmp_path).is_stream
    assert Target(Path("/dev/null")).is_stream
    assert Target(None, 7).is_stream
    with pytest.raises(OSError, match="symbolic links"):
        assert Target(tmp_path / "round").is_stream


def test_two_names_of_one_file_share_an_identity(tmp_path: Path):
    file = tmp_path / "file"
    file.touch()
    os.link(file, tmp_path / "hard")
    (tmp_path / "soft").symlink_to("file")
    (tmp_path / "other").touch()
    for name in ("file", "hard", "soft", "x/../file"):
        assert identities(file) & identities(tmp_path / name), name
    assert not identities(file) & identities(tmp_path / "other")
    assert identities(tmp_path / "new") & identities(tmp_path / "x" / ".." / "new")
    with file.open() as stream:
        assert identities(file) & identities(stream.fileno())
    assert identities(Path("/dev/null"))
    assert not identities(Path("a\0b"))
    assert not identities(999)
