"""The same input gives the same bytes, in every time zone and with every hash seed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from auditor.reports import REPORTS
from auditor.sandbox.estate import build_estate
from tests.cli.running import run

_PLACES = [
    {"TZ": "UTC", "PYTHONHASHSEED": "0"},
    {"TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "1"},
    {"TZ": "America/St_Johns", "PYTHONHASHSEED": "4294967295", "LANG": "C"},
    {"TZ": "<+0545>-5:45", "PYTHONHASHSEED": "random", "PYTHONOPTIMIZE": "1"},
]


@pytest.mark.parametrize("now", ["2026-01-15T12:00:00Z", "2026-03-29T01:30:00Z"])
def test_reports_are_the_same_bytes_everywhere(now: str, tmp_path: Path) -> None:
    (tmp_path / "saved.json").write_text(
        json.dumps(list(build_estate(40).records)), encoding="utf-8"
    )
    reports = [f"--report={name}" for name in REPORTS]
    seen = []
    for number, place in enumerate(_PLACES):
        folder = f"out{number}"
        arguments = ["audit", "-p", "baseline", "-p", "security", "--snapshot", "saved.json"]
        done = run([*arguments, "--now", now, "-o", folder, *reports], tmp_path, place)
        assert done.returncode in {1, 3}, done.stderr
        files = {p.name: p.read_bytes() for p in sorted((tmp_path / folder).iterdir())}
        assert len(files) == len(REPORTS)
        seen.append((done.stdout.replace(folder, "out"), files))
    for said, files in seen[1:]:
        assert said == seen[0][0]
        for name, content in files.items():
            assert content == seen[0][1][name], name
