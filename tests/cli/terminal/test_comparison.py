"""A comparison on a terminal: every count, worst first, the result last, text stays text."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from msgspec.structs import replace

from auditor.cli.terminal.comparison import answer, summary
from auditor.cli.terminal.layout import Layout, cells
from auditor.cli.terminal.streams import Terminal
from auditor.model import Severity
from auditor.past.compare import WORSE, Comparison, ComparisonOutcome, Fate, compare
from auditor.past.earlier import report_of
from tests.builders.sample_results import sample_result

STYLE = re.compile(r"\x1b\[[0-9;]*m")


def compared(*, hostile: bool = False, **options: Any) -> Comparison:
    old, new = (
        report_of(sample_result(60, 9, seed=seed, hostile=hostile), f"{seed}.json")
        for seed in (1, 2)
    )
    return compare(old, new, **options)


def told(comparison: Comparison, **options: Any) -> list[str]:
    return [STYLE.sub("", line) for line in summary(comparison, [], **options)]


def test_every_kind_of_change_is_counted():
    comparison = compared()
    lines = told(comparison)
    found = {
        change: int(match[1].replace(",", ""))
        for change in Fate
        for line in lines
        if (match := re.match(rf" *([\d,]+)  {change.value} ", line))
    }
    always = {Fate.NEW, Fate.UNCHANGED, Fate.FIXED}
    assert found == {c: n for c, n in comparison.counts.items() if n or c in always}


@pytest.mark.parametrize(
    ("outcome", "word", "code"),
    [("held", "NOT WORSE", 0), ("worse", "WORSE", 1), ("inconclusive", "INCONCLUSIVE", 3)],
)
def test_the_answer_is_the_last_line(outcome: str, word: str, code: int):
    comparison = compared(fail_on=None if outcome == "held" else Severity.LOW)
    conclusive = "violations" if outcome != "inconclusive" else "inconclusive"
    sides = {
        side: replace(report, outcome=type(report.outcome)(conclusive), reasons=("why",))
        for side, report in (("earlier", comparison.earlier), ("later", comparison.later))
    }
    comparison = replace(comparison, **sides)
    assert comparison.answer is ComparisonOutcome[outcome.upper()]
    last = told(comparison)[-1]
    assert last.startswith(f"{word}  exit {code}: ")
    assert STYLE.sub("", answer(comparison)) == last


def test_a_lost_report_outranks_the_answer():
    line = STYLE.sub("", answer(compared(), lost=4))
    assert line.startswith("NOT REPORTED  exit 4: a report could not be written (the answer it")


def test_what_only_one_run_lists_is_not_called_gone():
    """A newer run that was narrowed does not list what is still there."""
    several = replace(compared(), connections_added=2, connections_gone=73)
    assert any("connections: 2 only in new, 73 only in old" in line for line in told(several))


def test_ten_of_each_are_reported_and_the_others_counted():
    comparison = compared()
    told_changes = [c for c in comparison.changes if c.change in WORSE or c.change is Fate.UNJUDGED]
    assert len(told_changes) > 10
    brief, verbose = told(comparison), told(comparison, verbose=True)
    more = len(told_changes) - 10
    assert f"  and {more} more change{'s' if more > 1 else ''}: use -v, or a report" in brief
    assert not [line for line in verbose if "use -v" in line]
    for changed in told_changes:
        start = f"  {changed.change.value:<9} {changed.severity.label} {changed.rule}, "
        assert any(line.startswith(start) for line in verbose)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_changes_fit_the_terminal(width: int):
    lines = told(compared(), verbose=True, layout=Layout(width))
    changes = [line for line in lines if re.match(r"  (new|again|raised|unjudged) ", line)]
    assert changes
    assert max(map(cells, changes)) <= width


@pytest.mark.parametrize("width", [None, 60, 80])
def test_groups_and_connections_are_called_by_their_names(width: int | None):
    found = compared()
    changes = tuple(
        replace(
            changed,
            connections=tuple(
                replace(each, group_name=f"Team {each.group_id}") for each in changed.connections
            ),
        )
        for changed in found.changes
    )
    lines = told(replace(found, changes=changes), verbose=True, layout=Layout(width))
    group = changes[0].connections[0]
    if width is None:
        assert any(line.startswith(f"  {group.group} ") for line in lines)
        called = f"{group.service}/{group.schema} ({group.id})"
        assert any(line.startswith(f"  {called} ") for line in lines)
    # A narrow window cuts the middle of a name, and no number.
    rows = [line for line in lines if re.match(r"  (Team |.*conn_\d+\) ).* [\d-]+$", line)]
    assert len(rows) > 20
    kinds = len([c for c in Fate if any(c is each.change for each in changes)])
    assert width is None or max(map(cells, rows)) <= max(width, 2 + 24 + 11 * kinds)


def test_nothing_hostile_comes_alive():
    out = io.StringIO()
    terminal = Terminal(out, io.StringIO())
    for line in summary(compared(hostile=True), [], verbose=True):
        terminal.say(line)
    written = STYLE.sub("", out.getvalue())
    assert "connection" in written
    for line in written.splitlines():
        assert line.isprintable()
        assert "##[" not in line
        assert not re.match(r"\s*::", line)
