"""The command as the tests fork it is the command as a shell starts it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.builders.command import COMMAND, environment, run
from tests.builders.forked import run_forked
from tests.builders.listed import HOUSE


@pytest.mark.parametrize(
    "words",
    [
        "--version",
        "--help",
        "audit --help",
        "audit --bogus",
        "validate house.yaml",
        "validate nowhere.yaml",
        "validate -",
        "schema policy",
        "test house.yaml",
        "explain -p house.yaml",
        "audit -p house.yaml --snapshot - --report json=- --now 2026-01-31T12:00:00Z",
        "audit -p house.yaml --snapshot nowhere -o out",
    ],
)
def test_a_fork_is_as_a_start(words: str, tmp_path: Path) -> None:
    seen = []
    for name in ("forked", "started"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "house.yaml").write_text(HOUSE)
        env = environment({"COLUMNS": "70", "TZ": "Asia/Tokyo"})
        given = b'{"code": "Success", "data": {"items": []}}'
        if name == "forked":
            code, out, err = run_forked(words.split(), folder, env, given, 60)
        else:
            done = subprocess.run(
                [*COMMAND, *words.split()],
                cwd=folder,
                env=env,
                input=given,
                capture_output=True,
                check=False,
            )
            code, out, err = done.returncode, done.stdout, done.stderr
        made = sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
        seen.append((code, _timeless(out), _timeless(err), made))
    assert seen[0] == seen[1]


def _timeless(told: bytes) -> str:
    lines = told.decode().splitlines()
    return "\n".join(line for line in lines if "_at" not in line and "seconds" not in line)


def test_a_fork_has_the_mask_of_who_asks(tmp_path: Path) -> None:
    (tmp_path / "house.yaml").write_text(HOUSE)
    before = os.umask(0o077)
    try:
        run(["validate", "house.yaml", "--report", "sarif=out.sarif"], tmp_path)
    finally:
        os.umask(before)
    assert (tmp_path / "out.sarif").stat().st_mode & 0o777 == 0o600


def test_one_that_does_not_end_is_killed(tmp_path: Path) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        run_forked(["sandbox", "--port", "0"], tmp_path, environment(), b"", 1)


def test_a_command_that_reads_nothing_is_given_all_the_same(tmp_path: Path) -> None:
    code, out, _ = run_forked(["--version"], tmp_path, environment(), b"x" * 1_000_000, 60)
    assert (code, out[:16]) == (0, b"fivetran-auditor")
