"""Writing the auditor's own snapshot: whole, private, or not at all."""

from __future__ import annotations

import errno
import gzip
import json
import signal
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from auditor.decoding.listed import Listed
from auditor.errors import ReportError, SourceError
from auditor.facts.shape import shape_of
from auditor.model import Completeness
from auditor.output.draft import Draft
from auditor.output.target import Target
from auditor.sources.saved.snapshot_file import (
    ClosingLine,
    SnapshotHeader,
    SnapshotWriter,
    parse_closing,
    parse_header,
)
from auditor.sources.saved.source import SnapshotSource
from tests.builders.saved_listings import (
    HEADER,
    TAKEN_AT,
    read,
    read_ids,
    records,
    save,
)


def test_a_snapshot_is_private_and_written_whole_or_not_at_all(tmp_path: Path):
    path = tmp_path / "s.ndjson"
    with SnapshotWriter(Target(path), HEADER) as writer:
        writer.add(records(2))
        assert not path.exists()
        writer.finish(walks=1, completeness=Completeness.ONE_PAGE)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def _interrupted_write(path: Path) -> None:
    with SnapshotWriter(Target(path), HEADER) as writer:
        writer.add(records(5))
        raise KeyboardInterrupt


@pytest.mark.parametrize("name", ["s.ndjson", "s.ndjson.gz"])
def test_an_unfinished_snapshot_leaves_the_older_one(tmp_path: Path, name: str):
    path = save(tmp_path / name, records(1))
    before = path.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        _interrupted_write(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["s.ndjson", "s.ndjson.gz"])
def test_a_restart_forgets_what_was_written(tmp_path: Path, name: str):
    path = tmp_path / name
    with SnapshotWriter(Target(path), HEADER) as writer:
        writer.add(records(5000))
        writer.restart(replace(HEADER, taken_at=TAKEN_AT + timedelta(minutes=1)))
        writer.add(records(2, start=7))
        writer.finish(walks=2, completeness=Completeness.VERIFIED)
    found = read(path)
    assert found.ids == ["c7", "c8"]
    assert found.complete
    assert found.pages[0].as_of == TAKEN_AT + timedelta(minutes=1)


def test_the_same_listing_gives_the_same_bytes(tmp_path: Path):
    one, other = (save(tmp_path / name, records(9)).read_bytes() for name in ("a.gz", "b.gz"))
    assert one == other
    assert gzip.decompress(one).count(b"\n") == 11


def test_a_link_is_followed(tmp_path: Path):
    (tmp_path / "real").mkdir()
    link = tmp_path / "latest.ndjson"
    link.symlink_to(tmp_path / "real" / "s.ndjson")
    save(link, records(1))
    assert link.is_symlink()
    assert read(tmp_path / "real" / "s.ndjson").ids == ["c0"]


def test_what_cannot_be_written_is_said_before_anything_is_fetched(tmp_path: Path):
    (tmp_path / "none").touch()
    for path in (tmp_path / "none" / "s.ndjson", tmp_path):
        with pytest.raises(ReportError, match=r"s\.ndjson: a part|a folder is in"):
            SnapshotWriter(Target(path), HEADER)


def test_a_full_disk_is_a_report_error(tmp_path: Path):
    with (
        Path("/dev/full").open("wb") as full,
        SnapshotWriter(Target(None, full.fileno()), HEADER) as writer,
        pytest.raises(ReportError, match=r"/dev/fd/\d+: no space is left"),
    ):
        writer.finish(walks=1, completeness=Completeness.ONE_PAGE)


def test_a_stream_gets_the_snapshot_when_it_is_whole(tmp_path: Path):
    path = tmp_path / "s"
    with (
        path.open("wb") as stream,
        SnapshotWriter(Target(None, stream.fileno()), HEADER) as writer,
    ):
        writer.add(records(2))
        assert path.stat().st_size == 0
        writer.finish(walks=1, completeness=Completeness.ONE_PAGE)
    assert read(path).complete


KILLED = """
import sys, time
from pathlib import Path
from tests.builders.saved_listings import HEADER, records
from auditor.output.target import Target
from auditor.sources.saved.snapshot_file import SnapshotWriter
with SnapshotWriter(Target.named(sys.argv[1]), HEADER) as writer:
    writer.add(records(5000))
    print("writing", flush=True)
    time.sleep(60)
"""


def test_kill_leaves_nothing_under_the_name_and_the_next_one_clears_up(tmp_path: Path):
    path = tmp_path / "s.ndjson"
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, cwd=root
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"writing\n"
        # What is being written is not the next one's to remove.
        save(tmp_path / "other.ndjson", records(1))
        (left,) = tmp_path.glob(".*.part")
        child.send_signal(signal.SIGKILL)
    assert list(tmp_path.glob(".*.part")) == [left]
    assert stat.S_IMODE(left.stat().st_mode) == 0o600
    assert not path.exists()
    save(path, records(1))
    assert not left.exists()


def test_a_snapshot_that_cannot_be_begun_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def begun(draft: Draft) -> None:
        raise OSError(errno.ENOSPC, "no space is left on device")

    monkeypatch.setattr(Draft, "restart", begun)
    with pytest.raises(ReportError, match="free some, or name another file"):
        SnapshotWriter(Target(tmp_path / "s.ndjson"), HEADER)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "change",
    [
        {"end": 1}, {"end": False}, {"end": "true"}, {"connections": True}, {"connections": "2"},
        {"walks": 1.0}, {"completeness": ["one_page"]}, {"completeness": "whole"},
        {"completeness": "ONE_PAGE"}, {"sha256": None}, {"more": 1},
    ],
)  # fmt: skip
def test_a_closing_line_is_as_we_write_it_or_none(change: dict[str, object]):
    line = ClosingLine(2, 1, Completeness.ONE_PAGE, "0" * 64).line()
    assert parse_closing(line) == ClosingLine(2, 1, Completeness.ONE_PAGE, "0" * 64)
    assert parse_closing(json.dumps({**json.loads(line), **change}).encode()) is None
    fewer = {name: value for name, value in json.loads(line).items() if name != "walks"}
    assert parse_closing(json.dumps(fewer).encode()) is None


@pytest.mark.parametrize("line", [b"[1]", b"7", b'"end"', b"null", b"", b"{", b"[" * 100_000])
def test_what_is_no_object_is_no_closing_line(line: bytes):
    assert parse_closing(line) is None


def test_a_header_is_read_as_it_was_written():
    several = (("group_id", "g1"), ("schema", "b"), ("a", "c"))
    header = SnapshotHeader(TAKEN_AT, "https://api.fivetran.com", several, "0.1.0")
    assert parse_header(header.line()) == header
    bare = b'{"fivetran_auditor_snapshot":1,"taken_at":"2026-01-31T12:00:00Z","filters":{}}'
    assert parse_header(bare) == SnapshotHeader(TAKEN_AT, "", version=1)


@pytest.mark.parametrize("version", [True, 1.0, "2", [2], None])
def test_a_version_is_a_whole_number(version: object):
    said = {**json.loads(HEADER.line()), "fivetran_auditor_snapshot": version}
    with pytest.raises(ValueError, match=r"its first line is damaged$"):
        parse_header(json.dumps(said).encode())


def test_what_is_no_number_in_json_is_not_written(tmp_path: Path):
    with (
        SnapshotWriter(Target(tmp_path / "s.ndjson"), HEADER) as writer,
        pytest.raises(ValueError, match="not JSON compliant"),
    ):
        writer.add([{"id": "a", "x": float("nan")}])


def test_lists_are_written_before_the_records_and_read_back_without_secrets(tmp_path: Path):
    path = tmp_path / "s.ndjson"
    with SnapshotWriter(
        Target(path), HEADER, lambda text: text.replace("hunter2", "***")
    ) as writer:
        writer.add_list("groups", [{"id": "g1", "name": "Prod hunter2 \u2028"}])
        writer.add_list("webhooks", [])
        writer.add(records(2))
        writer.finish(walks=1, completeness=Completeness.ONE_PAGE)
    lines = path.read_bytes().splitlines()
    assert [json.loads(line) for line in lines[1:3]] == [
        {"list": "groups", "rows": [{"id": "g1", "name": "Prod *** \u2028"}]},
        {"list": "webhooks", "rows": []},
    ]
    events = list(SnapshotSource(path).events(shape_of(["group.name"])))
    (groups,) = [event for event in events if isinstance(event, Listed)]
    assert (groups.name, [row.name for row in groups.rows]) == ("group", ["Prod *** \u2028"])
    assert (read_ids(path).ids, read_ids(path).problems) == (["c0", "c1"], ())


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"list":5,"rows":[]}', "a list in it is damaged"),
        ('{"list":"groups","rows":{}}', "a list in it is damaged"),
        ('{"list":"groups"}', "a list in it is damaged"),
        ('{"list":"groups","rows":[', "Expecting value"),
    ],
)
def test_a_list_that_is_damaged_ends_the_run(tmp_path: Path, line: str, why: str):
    path = tmp_path / "s.ndjson"
    path.write_bytes(HEADER.line() + f"{line}\n".encode() + b'{"id":"c0"}\n')
    with pytest.raises(SourceError, match=f"a list in the snapshot is damaged: {why}"):
        read_ids(path)
