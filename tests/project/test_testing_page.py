"""The page about tests shows what the command prints."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

from tests.builders.command import run

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "testing.md"
RECORD = {
    "id": "warm_lake",
    "service": "postgres",
    "schema": "orders",
    "group_id": "keen_maple",
    "schedule_type": "auto",
    "sync_frequency": 5,
    "paused": False,
}
HOUSE = """\
policy: house
rules:
  - id: sync-frequency-bounds
    severity: medium
    when: {schedule_type: auto, sync_frequency: {exists: true}}
    assert: {sync_frequency: {gte: 15, lte: 1440}}
"""


def test_record_prints_what_the_page_shows(tmp_path: Path) -> None:
    section = PAGE.read_text(encoding="utf-8").partition("## From a finding to a test")[2]
    pattern = r"^```console\n\$ fivetran-auditor (.*?)\n(.*?)^```$"
    block = re.search(pattern, section, re.MULTILINE | re.DOTALL)
    assert block is not None
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "house.yaml").write_text(HOUSE)
    (tmp_path / "listing.json").write_text(json.dumps([RECORD]))
    done = run([*shlex.split(block[1]), "--now", "2026-11-28T12:00:00Z"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == block[2]
    (tmp_path / "policies" / "house.test.yaml").write_text(done.stdout)
    assert run(["test"], tmp_path).returncode == 0
