"""Measurements are the command's own: its seconds, its memory, its failure."""

from __future__ import annotations

import sys

import pytest

from bench.measuring import measured


def test_a_command_looks_no_larger_than_it_is():
    held = b"x" * (200 << 20)
    small = measured({"small": [sys.executable, "-c", "pass"]}, 1, warm=False)["small"]
    large = [sys.executable, "-c", "x = b'x' * (100 << 20)"]
    assert small.memory < 60
    assert measured({"large": large}, 1, warm=False)["large"].memory > 100
    assert len(held) == 200 << 20


def test_each_command_runs_in_turn_and_once_more_to_warm_up(tmp_path):
    note = "import sys; open(sys.argv[1], 'a').write(sys.argv[2])"
    commands = {
        name: [sys.executable, "-c", note, str(tmp_path / "ran"), name] for name in ("a", "b")
    }
    measured(commands, 2)
    assert (tmp_path / "ran").read_text() == "ababab"


def test_what_fails_is_not_measured():
    with pytest.raises(RuntimeError, match="exit 3"):
        measured({"ill": [sys.executable, "-c", "raise SystemExit(3)"]}, 1)
