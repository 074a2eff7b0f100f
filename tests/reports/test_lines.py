"""One line per finding: complete, alone on its line, and found by its first word."""

from __future__ import annotations

import pytest

from auditor.model import Outcome, Verdict
from auditor.reports.claim import let_through
from auditor.reports.lines import placeholder, render
from tests.builders.sample_histories import with_history
from tests.builders.sample_results import sample_result


@pytest.mark.parametrize("hostile", [False, True])
@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_line_per_finding_and_one_of_the_run(outcome: Outcome, hostile: bool) -> None:
    result = sample_result(300, 10, outcome=outcome, hostile=hostile)
    text = "".join(render(result))
    head, *lines = text.splitlines()
    assert text.count("\n") == len(result.findings) + 1
    assert head.startswith(f"{outcome.value}: ")
    for line, finding in zip(lines, result.findings, strict=True):
        assert line.isprintable()
        severity = finding.rule.severity.label
        word = (
            severity if finding.verdict is Verdict.FAIL else f"{finding.verdict.label} {severity}"
        )
        assert line.startswith(f"{word} {finding.rule.id} ")
        if hostile:  # whose words look like ours
            continue
        assert finding.message in line
        assert all(c.id in line for c in finding.connections[:1] if not finding.group)
        accepted = finding.verdict in {Verdict.WAIVED, Verdict.KNOWN}
        assert accepted is (f" [{finding.verdict.label}" in line)
        assert bool(let_through(finding, result)) is (" [allowed: " in line)


def test_since_when_is_reported_where_it_is_known() -> None:
    result = with_history(sample_result(60, 6), 3)
    history = result.history
    assert history is not None
    lines = "".join(render(result)).splitlines()[1:]
    dated = [f" (since {s:%Y-%m-%d})" if (s := history.since(f)) else "" for f in result.findings]
    assert any(dated)
    for line, tail in zip(lines, dated, strict=True):
        assert line.endswith(tail)


def test_the_placeholder_is_inconclusive() -> None:
    assert placeholder("1.2.3").startswith("inconclusive: ")
    assert "1.2.3" in placeholder("1.2.3")
