"""CONTRIBUTING's example of a new format, taken from the page and run."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from auditor.model import Outcome
from auditor.reports import REPORTS, Format
from auditor.reports.writer import Destination, ReportWriter, parse_destination
from tests.builders.sample_results import sample_result

PAGE = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text(encoding="utf-8")


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> dict[str, Format]:
    """Return the table with the example's line in it, its module in place."""
    section = PAGE.split("**Report format.**", 1)[1].split("**Source.**", 1)[0]
    code, line = re.findall(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    entry: Format = eval(line, {"Format": Format})
    module = ModuleType(f"auditor.reports.{entry.name}")
    exec(compile(code, "CONTRIBUTING.md", "exec"), module.__dict__)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    assert module.__doc__
    assert entry.name not in REPORTS
    assert entry.filename not in {known.filename for known in REPORTS.values()}
    return {**REPORTS, entry.name: entry}


@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("hostile", [False, True])
def test_the_example_reports(
    outcome: Outcome, hostile: bool, added: dict[str, Format], tmp_path: Path
) -> None:
    result = sample_result(60, 8, outcome=outcome, hostile=hostile)
    destination = parse_destination("words", tmp_path, added)
    assert destination == Destination("words", tmp_path / "words.txt")
    writer = ReportWriter([destination], "1.0", added)
    writer.prepare()
    assert "inconclusive" in (tmp_path / "words.txt").read_text()
    (path,) = writer.write(result)
    first, *lines = path.read_text(encoding="utf-8").splitlines()
    assert first == outcome.value
    assert len(lines) == len(result.findings)
    for line, finding in zip(lines, result.findings, strict=True):
        assert line.startswith(f"{finding.rule.severity.label} {finding.rule.id} ")


def test_the_example_has_what_every_format_has(added: dict[str, Format]) -> None:
    for name in ("words", "csv"):
        entry = added[name]
        assert "1.2.3" in entry.placeholder("1.2.3")
        assert all(isinstance(piece, str) for piece in entry.render(sample_result()))
