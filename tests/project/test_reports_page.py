"""docs/reports.md against the code: its table, its bounds, its JSON, its jq lines."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from auditor.model import Verdict
from auditor.reports import REPORTS, github, junit, markdown, sarif
from auditor.reports.json import LETTERS
from tests.builders.sample_results import sample_result

PAGE = (Path(__file__).parents[2] / "docs" / "reports.md").read_text(encoding="utf-8")
JQ_LINES = re.findall(r"^jq (-\w) '(.*)' report\.json$", PAGE, re.MULTILINE)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a report in which each line of the page finds something."""
    path = tmp_path_factory.mktemp("page") / "report.json"
    text = "".join(REPORTS["json"].render(sample_result(60, 10)))
    path.write_text(text.replace('"fresh"', '"data-fresh"'), encoding="utf-8")
    return path


def test_the_table_is_the_table() -> None:
    rows = re.findall(r"^\| `--report (\w+)` \| `([^`]+)` \|", PAGE, re.MULTILINE)
    assert rows == [(entry.name, entry.filename) for entry in REPORTS.values()]


def test_the_bounds_are_the_bounds() -> None:
    assert github.MOST == 10
    for said in (
        f"the {sarif.MOST_RESULTS:,} severest findings",
        f"{markdown.LONGEST:,} characters",
        "the run and ten findings of each kind",
        f"more than {junit.MOST_PASSES:,} of a rule become one",
        "--report junit:split=5000",
    ):
        assert said in PAGE, said


def fitting(example: Any, whole: Any, where: str = "") -> None:
    """Hold that what the page's example has, the report has too, of the same type."""
    if isinstance(example, dict):
        for key, value in example.items():
            assert key in whole, f"{where}.{key}"
            fitting(value, whole[key], f"{where}.{key}")
    elif isinstance(example, list):
        for value in example[:1]:
            fitting(value, whole[0], f"{where}[0]") if whole else None
    else:
        assert type(example) is type(whole), where


def test_the_json_is_like_the_report(report: Path) -> None:
    (example,) = re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    whole = json.loads(report.read_bytes())
    shortened = json.loads(example)
    fitting(shortened, whole)
    assert shortened["schema_version"] == whole["schema_version"]


def test_the_letters_are_the_letters() -> None:
    told = re.search(r"in their order: ([\w, ]+)\.", " ".join(PAGE.split()))
    assert told
    assert told[1].split(", ") == [verdict.label for verdict in Verdict]
    assert f".value == {ord(LETTERS[Verdict.PASS])}" in PAGE


def test_the_lines_of_jq_are_found() -> None:
    assert len(JQ_LINES) == PAGE.count("\njq ") == 8


@pytest.mark.parametrize("program", [program for _, program in JQ_LINES])
def test_a_line_of_jq_names_what_the_report_has(program: str, report: Path) -> None:
    whole = json.loads(report.read_bytes())
    finding = whole["findings"][0]
    places = [
        whole, whole["rules"][0], finding, finding["connections"][0], finding["evidence"][0],
    ]  # fmt: skip
    for path in re.findall(r"(?<![\w)$])\.([a-z_]+(?:\.[a-z_]+)*)", program):
        names = path.split(".")
        if names not in (["key"], ["value"]):
            assert any(_has(place, names) for place in places), path


@pytest.mark.parametrize(("flag", "program"), JQ_LINES)
def test_a_line_of_jq_finds_something(flag: str, program: str, report: Path) -> None:
    jq = shutil.which("jq")
    if jq is None:
        assert not os.environ.get("CI"), "jq is not installed"
        pytest.skip("NOT TRIED: jq is not installed")
    done = subprocess.run([jq, flag, program, report], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    if flag == "-r":
        assert not re.search(r"^null\b|\tnull$", done.stdout, re.MULTILINE)


def _has(place: Any, names: list[str]) -> bool:
    for name in names:
        if not isinstance(place, dict) or name not in place:
            return False
        place = place[name]
    return True
