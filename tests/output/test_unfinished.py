"""Files that are not whole yet; how kills leave them is in ``proofs/test_crash_safety.py``."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from auditor.output.unfinished import begin, clear


@pytest.mark.parametrize("mode", [0o644, 0o600])
def test_it_takes_its_name_in_one_step(tmp_path: Path, mode: int):
    new = begin(tmp_path, "part", mode)
    assert new.path.name.startswith(".fivetran-auditor-")
    assert new.path.suffix == ".part"
    os.write(new.descriptor, b"whole")
    os.close(new.descriptor)
    clear(tmp_path)  # it is somebody's
    new.take(tmp_path / "a")
    new.end()
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"whole"
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == mode & ~_umask()


def test_what_is_left_over_goes(tmp_path: Path):
    (tmp_path / ".fivetran-auditor-0123456789ab.tmp").touch()
    others = [".fivetran-auditor-0123456789ab.tmp.bak", ".fivetran-auditor-0123456789ab.txt"]
    for name in (*others, ".fivetran-auditor-0123456789ab.part"):
        (tmp_path / name).touch()
    clear(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == others
    clear(tmp_path / "none")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
