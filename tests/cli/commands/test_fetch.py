"""``fetch`` as a process against the sandbox: a whole snapshot or none, and the exit code."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from auditor.model import Completeness
from auditor.sandbox.estate import build_estate
from auditor.sandbox.server import Sandbox
from auditor.sources.saved.source import SnapshotSource
from tests.builders.command import environment
from tests.builders.saved_listings import read, records, save


def asking(sandbox: Sandbox | None) -> dict[str, str]:
    if sandbox is None:
        return environment()
    return environment({"FIVETRAN_API_KEY": sandbox.key, "FIVETRAN_API_SECRET": sandbox.secret})


def command(sandbox: Sandbox, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "auditor", "fetch", "--base-url", sandbox.url, *arguments]


def fetch(
    folder: Path, sandbox: Sandbox, *arguments: str, known: bool = True
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        command(sandbox, *arguments),
        cwd=folder,
        env=asking(sandbox if known else None),
        capture_output=True,
        timeout=60,
        check=False,
    )


def serving(count: int = 30, **more: object) -> Sandbox:
    return Sandbox(build_estate(count, 7), **more)  # type: ignore[arg-type]  # options by name


def test_a_listing_is_saved_whole_private_and_without_tokens(tmp_path: Path):
    path = tmp_path / "s.ndjson"
    with serving() as sandbox:
        done = fetch(tmp_path, sandbox, "-o", "s.ndjson")
        assert (done.returncode, done.stderr) == (0, b"")
        assert b"30 connections" in done.stdout
        assert b"keep it private" in done.stdout
        assert SnapshotSource(str(path)).info.filters == ()
        assert sandbox.secret.encode() not in path.read_bytes()
    found = read(path)
    assert len(found.records) == 30
    assert found.end.completeness is Completeness.SNAPSHOT
    assert all("config" in record for record in found.records)
    assert b"eyJ" not in path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_without_a_name_it_takes_the_time_and_is_compressed(tmp_path: Path):
    with serving() as sandbox:
        assert fetch(tmp_path, sandbox).returncode == 0
    (path,) = tmp_path.iterdir()
    assert path.match("connections-*T*Z.ndjson.gz")
    assert path.read_bytes().startswith(b"\x1f\x8b")
    assert read(path).complete


def test_pages_make_one_walk_and_verifying_makes_it_sure(tmp_path: Path):
    with serving() as sandbox:
        assert fetch(tmp_path, sandbox, "--page-size", "7", "-o", "one").returncode == 0
        verified = fetch(tmp_path, sandbox, "--page-size", "7", "--verify-listing", "-o", "two")
    assert verified.returncode == 0
    assert b"starts again" in verified.stderr
    one, two = read(tmp_path / "one"), read(tmp_path / "two")
    assert one.end.completeness is Completeness.ONE_WALK
    assert two.end.completeness is Completeness.SNAPSHOT
    assert one.ids == two.ids
    assert len(two.ids) == 30


def test_filters_travel_with_the_snapshot(tmp_path: Path):
    with serving() as sandbox:
        group = build_estate(30, 7).records[0]["group_id"]
        assert fetch(tmp_path, sandbox, "--group", group, "-o", "s").returncode == 0
    assert SnapshotSource(str(tmp_path / "s")).info.filters == (("group_id", group),)
    assert {record["group_id"] for record in read(tmp_path / "s").records} == {group}


def test_standard_output_gets_the_snapshot_and_nothing_else(tmp_path: Path):
    with serving() as sandbox:
        done = fetch(tmp_path, sandbox, "-o", "-")
    (tmp_path / "s").write_bytes(done.stdout)
    assert done.returncode == 0
    assert read(tmp_path / "s").complete
    assert b"keep it private" in done.stderr


@pytest.mark.parametrize("fault", ["cursor-loop", "duplicate-id", "expired-key"])
def test_a_listing_that_is_not_whole_is_not_saved_and_the_older_one_stays(
    tmp_path: Path, fault: str
):
    older = save(tmp_path / "s.ndjson", records(1)).read_bytes()
    with serving(fault=fault) as sandbox:
        done = fetch(tmp_path, sandbox, "-o", "s.ndjson")
        assert sandbox.secret.encode() not in done.stderr
    assert done.returncode == 3
    assert b"nothing was saved to s.ndjson" in done.stderr
    assert (tmp_path / "s.ndjson").read_bytes() == older
    assert [path.name for path in tmp_path.iterdir()] == ["s.ndjson"]


def test_a_listing_that_fails_sends_nothing_to_standard_output(tmp_path: Path):
    with serving(fault="cursor-loop") as sandbox:
        done = fetch(tmp_path, sandbox, "-o", "-")
    assert (done.returncode, done.stdout) == (3, b"")


def test_no_connections_are_a_question(tmp_path: Path):
    with serving(0) as sandbox:
        assert fetch(tmp_path, sandbox, "-o", "s").returncode == 3
        assert not (tmp_path / "s").exists()
        assert fetch(tmp_path, sandbox, "-o", "s", "--allow-empty").returncode == 0
    assert read(tmp_path / "s").records == []


def test_what_cannot_be_written_is_found_before_anything_is_asked(tmp_path: Path):
    with serving() as sandbox:
        (tmp_path / "none").touch()
        for path in ("none/s.ndjson", "."):
            done = fetch(tmp_path, sandbox, "-o", path)
            assert done.returncode == 4
            assert b"Traceback" not in done.stderr
        assert sandbox.requests == ()


@pytest.mark.parametrize("more", [["--group", ""], ["--page-size", "0"], ["--no-such"]])
def test_wrong_usage_is_2(tmp_path: Path, more: list[str]):
    with serving() as sandbox:
        assert fetch(tmp_path, sandbox, *more).returncode == 2
        assert fetch(tmp_path, sandbox, known=False).returncode == 2
        assert sandbox.requests == ()
    assert list(tmp_path.iterdir()) == []


def test_a_full_device_is_4(tmp_path: Path):
    with serving() as sandbox, Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command(sandbox, "-o", "-"),
            env=asking(sandbox),
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    assert done.returncode == 4
    assert b"no space is left there" in done.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_clears_what_is_half_written(tmp_path: Path, number: signal.Signals, code: int):
    with (
        serving(latency=0.5) as sandbox,
        subprocess.Popen(
            command(sandbox, "-o", "s", "--page-size", "1"),
            cwd=tmp_path,
            env=asking(sandbox),
            stderr=subprocess.PIPE,
        ) as child,
    ):
        while len(sandbox.requests) < 2:
            assert child.poll() is None
            time.sleep(0.01)
        assert any(path.name.endswith(".part") for path in tmp_path.iterdir())
        child.send_signal(number)
        _, told = child.communicate(timeout=60)
    assert child.returncode == code
    assert b"Traceback" not in told
    assert b"nothing was saved to s" in told
    assert list(tmp_path.iterdir()) == []
