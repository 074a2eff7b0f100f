"""Which policies are loaded where nobody named any."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.builders.command import run


@pytest.mark.parametrize("kind", ["file", "dangling"])
def test_policies_that_are_no_folder_are_not_replaced_by_a_pack(folder: Path, kind: str):
    if kind == "file":
        (folder / "policies").write_text("")
    else:
        (folder / "policies").symlink_to("gone")
    done = run(["audit", "--snapshot", "saved.json"], folder)
    assert done.returncode == 2
    assert "./policies is no folder of policies" in done.stderr
