"""What all formats say about a run, read by the readers that pipelines use."""

from __future__ import annotations

import csv
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

from auditor.reports import REPORTS
from auditor.reports.writer import ReportWriter, parse_destination
from tests.builders.command import outcome_in


def writer_to(folder: Path) -> ReportWriter:
    """Return a writer of every format into ``folder``."""
    return ReportWriter([parse_destination(name, folder) for name in REPORTS], "0")


def said_by_all(folder: Path) -> str:
    """Return the outcome that every report in ``folder`` says; fail where two disagree.

    It is ``placeholder`` where three of them are known to be, and all say inconclusive.
    """
    said = outcome_in(folder)
    others = {
        "sarif": _sarif(folder / "report.sarif"),
        "markdown": _markdown(folder / "report.md"),
        "csv": _csv(folder / "report.csv"),
        "github": _github(folder / "annotations.txt"),
        "gitlab": _gitlab(folder / "gl-code-quality-report.json", said),
    }
    told = "inconclusive" if said == "placeholder" else said
    assert set(others.values()) == {told}, (said, others)
    return said


def texts_of(folder: Path) -> dict[str, str]:
    """Return every file in ``folder`` as text, hidden ones too."""
    return {
        path.name: path.read_text(encoding="utf-8", errors="surrogateescape")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def ids_in_junit(folder: Path) -> set[str]:
    """Return the ids of every connection that the JUnit report has a testcase of."""
    cases = ET.parse(folder / "junit.xml").getroot().iter("testcase")
    return {m[1] for case in cases if (m := re.search(r"\(([^()]*)\)$", case.get("name", "")))}


def _sarif(path: Path) -> str:
    (run,) = json.loads(path.read_bytes())["runs"]
    (invocation,) = run["invocations"]
    if not invocation["executionSuccessful"]:
        return "inconclusive"
    failing = [r for r in run["results"] if r.get("kind", "fail") == "fail"]
    return "violations" if failing else "passed"


def _markdown(path: Path) -> str:
    heading = path.read_text(encoding="utf-8").splitlines()[0]
    return _word(heading)


def _csv(path: Path) -> str:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["type"] == "run"]
    (row,) = rows
    return row["verdict"]


def _github(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if "the run did not finish" in text:
        assert text.startswith("::error ")
        return "inconclusive"
    (line,) = [line for line in text.splitlines() if "outcome: " in line]
    found = re.search(r"outcome: (\w+)", line)
    assert found
    assert line.startswith("::notice" if found[1] == "passed" else "::error")
    return found[1]


def _gitlab(path: Path, said: str) -> str:
    issues = json.loads(path.read_bytes())
    if any(issue["check_name"] == "inconclusive" for issue in issues):
        assert any(issue["severity"] == "blocker" for issue in issues)
        return "inconclusive"
    # This format has no place for an outcome: it is a list of what is wrong.
    return "violations" if issues else "passed" if said == "passed" else "an empty list"


def _word(text: str) -> str:
    words = [w for w in ("passed", "violations", "inconclusive") if w in text.lower()]
    assert len(words) == 1, text
    return words[0]
