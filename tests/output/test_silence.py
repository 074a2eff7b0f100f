"""Streams to nowhere: they discard everything, and nothing fails."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from auditor.output.silence import let_go, silence_stderr


def test_a_broken_pipe_that_is_let_go_is_written_to_without_an_error() -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as stream:
        os.close(reader)
        stream.write("told")
        with pytest.raises(BrokenPipeError):
            stream.flush()
        let_go(stream)
        stream.write("more")
        stream.flush()


def test_a_stream_that_is_closed_already_is_let_go_of(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w") as stream:
        pass
    let_go(stream)


def test_nobody_hears_standard_error_once_it_is_silenced(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", sys.stderr)
    silence_stderr()
    with sys.stderr:
        print("lost, ü", file=sys.stderr)
    assert capfd.readouterr().err == ""
