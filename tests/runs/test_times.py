"""Times: to the second where people read them, whole where machines do."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from auditor.model import Completeness
from auditor.output.target import Target
from auditor.sources.saved.snapshot_file import SnapshotHeader, SnapshotWriter
from tests.builders.command import run
from tests.builders.saved_listings import record

AS_OF = datetime(2026, 1, 31, 12, 0, 5, 123456, UTC)
HOUSE = "policy: house\nrules:\n  - {id: running, severity: low, assert: {paused: false}}\n"
FRACTION = re.compile(r"\d\d:\d\d\.\d+")


@pytest.mark.parametrize("now", [(), ("--now", "2026-01-31T12:00:05.123456Z")], ids=["own", "now"])
def test_people_read_seconds_and_machines_the_whole_time(tmp_path: Path, now: tuple[str, ...]):
    (tmp_path / "house.yaml").write_text(HOUSE)
    with SnapshotWriter(Target(tmp_path / "s.ndjson"), SnapshotHeader(AS_OF, "")) as writer:
        writer.add([record(1, paused=True)])
        writer.finish(walks=1, completeness=Completeness.ONE_PAGE)
    audit = ["audit", "-p", "./house.yaml", "--snapshot", "s.ndjson", *now]
    formats = [word for name in ("html", "markdown", "json") for word in ("--report", name)]
    assert run([*audit, "-o", "old"], tmp_path).returncode == 1
    done = run([*audit, *formats, "-o", "new", "--baseline", "old/report.json"], tmp_path)
    assert done.returncode == 0, done.stdout
    page = (tmp_path / "new" / "report.html").read_text()
    # What people see of the page is neither in a script nor in an attribute.
    seen = re.sub(r"<script.*?</script>|<[^>]*>", " ", page, flags=re.DOTALL)
    for text in (done.stdout, (tmp_path / "new" / "report.md").read_text(), seen):
        assert "12:00:05" in text
        assert FRACTION.findall(text) == []
    document = json.loads((tmp_path / "new" / "report.json").read_text())
    assert document["judged_at"] == "2026-01-31T12:00:05.123456Z"

    compare = ["compare", "old/report.json", "new/report.json", "-o", "c"]
    compared = run([*compare, "--report", "markdown", "--report", "json"], tmp_path)
    assert compared.returncode == 0, compared.stderr
    for text in (compared.stdout, (tmp_path / "c" / "comparison.md").read_text()):
        assert "12:00:05" in text
        assert FRACTION.findall(text) == []
    assert "12:00:05.123456Z" in (tmp_path / "c" / "comparison.json").read_text()
