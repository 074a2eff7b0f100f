"""The tests cannot harm their machine, whatever the code under test does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    "change",
    [
        lambda mine: Path("/dev/an-auditors-test").write_text("x"),
        lambda mine: Path("/dev/an-auditors-test").mkdir(),
        lambda mine: Path("/dev/an-auditors-test").symlink_to(mine),
        lambda mine: mine.replace("/dev/an-auditors-test"),
        lambda mine: Path("/dev/an-auditors-test").unlink(missing_ok=True),
    ],
)
def test_no_test_makes_replaces_or_removes_a_device(
    change: Callable[[Path], object], tmp_path: Path
) -> None:
    mine = tmp_path / "mine"
    mine.write_text("x")
    with pytest.raises(AssertionError, match="changes what is in /dev"):
        change(mine)
    assert not Path("/dev/an-auditors-test").exists()
    assert mine.exists()


def test_a_device_is_written_to_all_the_same() -> None:
    assert Path("/dev/null").write_text("x") == 1
