"""What ``audit`` and ``demo`` share: reports, history and summary, and the code that outranks."""

from __future__ import annotations

import gc
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from auditor.cli.terminal.conclusion import Reporting, audit_and_report
from auditor.cli.terminal.streams import Terminal
from auditor.past.history_folder import HistoryFolder
from auditor.policy import Ruleset
from auditor.reports.writer import ReportWriter, parse_destination
from auditor.run import Options
from tests.builders.listed import TODAY, Listed, record


@pytest.fixture(autouse=True)
def _thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


def concluded(
    house: Ruleset, folder: Path, *records: dict[str, Any], report: str = "json", **telling: Any
) -> tuple[int, str, str]:
    """Return the exit code, and what was written to the two streams."""
    out, err = io.StringIO(), io.StringIO()
    writer = ReportWriter([parse_destination(report, folder)], "9.9")
    options = Options(clock=lambda: TODAY)
    terminal = Terminal(out, err)
    _, code = audit_and_report(
        Listed(list(records)), house, options, writer, Reporting(terminal, **telling)
    )
    return code, out.getvalue(), err.getvalue()


@pytest.mark.parametrize(
    ("held", "code", "word"),
    [(60, 0, "PASSED"), (5, 1, "VIOLATIONS"), ("x", 3, "INCONCLUSIVE")],
)
@pytest.mark.parametrize("quiet", [False, True])
def test_the_code_the_report_and_the_last_line_agree(
    house: Ruleset, tmp_path: Path, held: object, code: int, word: str, quiet: bool
):
    found, out, err = concluded(house, tmp_path, record("a", sync_frequency=held), quiet=quiet)
    assert (found, err) == (code, "")
    assert out.splitlines()[-1].startswith(f"{word}  exit {code}: ")
    assert (len(out.splitlines()) == 1) is quiet
    document = json.loads((tmp_path / "report.json").read_bytes())
    assert document["gate"]["exit_code"] == code


@pytest.mark.parametrize("lost", ["report", "history"])
def test_what_is_lost_outranks_what_was_found_and_costs_nothing_else(
    house: Ruleset, tmp_path: Path, lost: str
):
    (tmp_path / "taken").write_text("")
    (tmp_path / "folder").mkdir()
    history = HistoryFolder(tmp_path / ("taken" if lost == "history" else "h"))
    report = f"json={tmp_path}/{'folder' if lost == 'report' else 'r.json'}"
    code, out, err = concluded(house, tmp_path, record("a"), report=report, history=history)
    assert code == 4
    assert out.splitlines()[-1].startswith("NOT REPORTED  exit 4: ")
    assert err.count("error: ") == 1
    if lost == "history":
        assert json.loads((tmp_path / "r.json").read_bytes())["gate"]["outcome"] == "passed"
    else:
        assert len((tmp_path / "h" / "history.ndjson").read_bytes().splitlines()) == 1


def test_a_history_reaches_the_reports(house: Ruleset, tmp_path: Path):
    history = HistoryFolder(tmp_path / "h")
    for _ in range(2):
        concluded(house, tmp_path, record("a", paused=True), history=history)
    document = json.loads((tmp_path / "report.json").read_bytes())
    assert len(document["history"]["runs"]) == 2
