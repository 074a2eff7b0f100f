"""The CSV report: one row per finding, and no cell a formula."""

from __future__ import annotations

import csv
import dataclasses
import io

import pytest
from msgspec.structs import replace

from auditor.model import Outcome, PlanScope, Result
from auditor.reports import REPORTS
from auditor.reports.csv import COLUMNS, PLANNED, _is_formula, placeholder, render
from tests.builders.sample_results import narrowed, sample_result


def rows(text: str) -> list[dict[str, str]]:
    # Excel takes the text for UTF-8 by this; others pass over it.
    assert text.startswith("\ufeff")
    table = list(csv.reader(io.StringIO(text[1:], newline=""), strict=True))
    assert tuple(table[0]) == COLUMNS
    assert {len(row) for row in table} == {len(COLUMNS)}
    return [dict(zip(COLUMNS, row, strict=True)) for row in table[1:]]


def report(result: Result) -> list[dict[str, str]]:
    return rows("".join(render(result)))


@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("hostile", [False, True])
def test_a_row_a_finding_after_the_run(outcome: Outcome, hostile: bool) -> None:
    result = sample_result(700, 10, outcome=outcome, hostile=hostile)
    run, *findings = report(result)
    assert (run["type"], run["verdict"]) == ("run", outcome.value)
    assert [row["verdict"] for row in findings] == [f.verdict.label for f in result.findings]
    assert {row["type"] for row in findings} == {"finding"}


def test_the_run_says_what_it_rests_on() -> None:
    result = narrowed(sample_result())
    run = report(result)[0]
    for said in (result.policies[0].sha256, "analytics_prod", result.left_out[1], "version=1.0.0"):
        assert said in run["note"]


def test_the_placeholder_has_one_row() -> None:
    (row,) = rows(placeholder("1.2.3"))
    assert row["verdict"] == "inconclusive"


def test_no_cell_is_a_formula() -> None:
    for row in report(sample_result(300, 10, hostile=True)):
        for cell in row.values():
            assert not cell.startswith(tuple("=+-@\t\r\n\0"))
    cells = {cell for row in report(sample_result(300, 10, hostile=True)) for cell in row.values()}
    assert "'=HYPERLINK('http://example.invalid','x')" in cells


def test_numbers_stay_numbers() -> None:
    assert all(row["line"].isdecimal() for row in report(sample_result())[1:])


def test_all_lines_end_in_the_same_way() -> None:
    assert "\r" not in "".join(render(sample_result(hostile=True)))


@pytest.mark.parametrize("before", ["", " ", "\u3000", "\t", " \t "])
@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\uff1d"])
def test_a_blank_before_a_formula_makes_it_no_text(before: str, sign: str) -> None:
    assert _is_formula(f"{before}{sign}1+1")
    assert not _is_formula(f"a{before}{sign}")
    assert not _is_formula(before.strip(" \u3000\t"))


@pytest.mark.parametrize("hostile", [False, True])
def test_with_semicolons_it_says_the_same(hostile: bool) -> None:
    result = sample_result(60, 10, hostile=hostile)
    text = "".join(REPORTS["csv"].render(result, "semicolon"))
    assert text.startswith("\ufefftype;verdict;")
    assert REPORTS["csv"].begins(text.encode()[:4096])
    table = list(csv.reader(io.StringIO(text[1:], newline=""), delimiter=";", strict=True))
    assert [dict(zip(COLUMNS, row, strict=True)) for row in table[1:]] == report(result)


def test_a_finding_on_several_connections_names_them_all_and_none_as_its_own() -> None:
    result = sample_result(300)
    several = [f for f in result.findings if len(f.connections) > 1]
    assert several
    told = dict(zip(result.findings, report(result)[1:], strict=True))
    for finding in result.findings:
        row, members = told[finding], finding.connections
        alone = members[0] if len(members) == 1 else None
        assert row["connection_id"].removeprefix("'") == (alone.id if alone else "")
        assert all(member.id in row["connections"] for member in members if alone is None)


def test_a_dimension_that_is_called_as_a_column_says_that_it_is_one() -> None:
    result = sample_result(3, 1)
    names = {"title": "t", "team": "u"}
    columns = {name: (sign,) * len(result.connections) for name, sign in names.items()}
    shown = dataclasses.replace(result.connections, dimensions=columns)
    text = "".join(render(replace(result, connections=shown)))
    heading = next(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert heading == [*COLUMNS, "dimension.title", "team"]
    # Of a plan there are more columns, and so more names that a dimension may have.
    shown = dataclasses.replace(shown, dimensions={"title": columns["title"], "action": ("t",) * 3})
    planned = replace(result, connections=shown, plan=PlanScope(touched=1))
    heading = next(csv.reader(io.StringIO("".join(render(planned)).removeprefix("\ufeff"))))
    assert heading == [*COLUMNS, *PLANNED, "dimension.title", "dimension.action"]
