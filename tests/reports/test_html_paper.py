"""The HTML page on paper, as pdftotext reads it: nothing is cut silently, and it is short."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace
from playwright.sync_api import Page

from auditor.model import Outcome
from auditor.reports.comparison import COMPARISONS
from auditor.reports.html import MOST_PRINTED, PLAIN_FINDINGS
from tests.builders.browser import OpenReport
from tests.builders.command import run
from tests.builders.html_page import RESULT
from tests.builders.paper import sheets
from tests.builders.sample_histories import with_history
from tests.builders.sample_results import HOSTILE, sample_result
from tests.builders.slow import mostly_slow
from tests.reports.comparison.test_html import compared

pytestmark = pytest.mark.usefixtures("pdftotext")
with_and_without_scripts = pytest.mark.parametrize("scripts", mostly_slow([True, False], 2))


def squeezed(text: str) -> str:
    """Names break at the end of a line, so blanks do not count."""
    return "".join(text.split())


def said(page: Page, folder: Path) -> str:
    return squeezed("".join(sheets(page, folder)))


@with_and_without_scripts
def test_the_demo_takes_four_sheets(open_report: OpenReport, tmp_path: Path, scripts: bool) -> None:
    assert run(["demo"], tmp_path).returncode == 0
    text = (tmp_path / "audit-report" / "report.html").read_text("utf-8")
    printed = sheets(open_report(text, scripts=scripts), tmp_path)
    assert len(printed) <= 4
    for number, sheet in enumerate(printed, 1):
        assert f"Page {number} of {len(printed)}" in sheet


@pytest.mark.slow
@with_and_without_scripts
def test_two_hundred_rules_with_a_history_take_twelve(
    open_report: OpenReport, tmp_path: Path, scripts: bool
) -> None:
    result = with_history(sample_result(250, 200), 8)
    printed = sheets(open_report(result, scripts=scripts), tmp_path)
    assert len(printed) <= 12
    # No heading stands alone at the foot of a sheet.
    below = {"By control": "iso27001", "Findings": "no-broken-connections", "Trend": "The numbers"}
    for title, first in below.items():
        (sheet,) = (each for each in printed if f"{title} " in each and "Judged" not in each[:60])
        assert first in sheet.partition(title)[2], title
    dates = {f"{since:%Y-%m-%d}" for since in map(result.history.since, result.findings) if since}
    assert any(f"open since {date}" in sheet for sheet in printed[-3:] for date in dates)


@pytest.mark.slow
@with_and_without_scripts
def test_two_hundred_rules_take_twelve(
    open_report: OpenReport, tmp_path: Path, scripts: bool
) -> None:
    result = sample_result(400, 200)
    printed = sheets(open_report(result, scripts=scripts), tmp_path)
    assert len(printed) <= 12
    # Each sheet with rules has the heads of the columns.
    first, last = (
        next(n for n, sheet in enumerate(printed) if title in sheet)
        for title in ("Rules in force", "About this run")
    )
    assert last - first >= 3
    for sheet in printed[first:last]:
        assert "Expects fail error waived known skip pass" in sheet
    whole = squeezed("".join(printed[first:]))
    for checks in result.checks:
        idle = "applied to nothing" if checks.rule in result.idle_rules else ""
        assert squeezed(f"{checks.rule.title} {idle} {checks.rule.id}") in whole


@with_and_without_scripts
def test_what_is_cut_is_said(open_report: OpenReport, tmp_path: Path, scripts: bool) -> None:
    result = sample_result(1000, 12, outcome=Outcome.VIOLATIONS)
    text = said(open_report(result, scripts=scripts), tmp_path)
    every = f"{len(result.findings):,}"
    for sentence in (
        (f"The first {MOST_PRINTED} of {every} findings selected; the report itself holds all",)
        if scripts
        else (
            f"The first {PLAIN_FINDINGS} of {every} findings",
            f"On paper: the first {MOST_PRINTED}",
        )
    ):
        assert squeezed(sentence) in text
    # The rules after the fifth are folded on screen; here each is a line, and that is said.
    assert "morerulewithsomethingtodo" in text or "moreruleswithsomethingtodo" in text
    assert squeezed("On paper each of these is one line") in text
    for checks in result.checks:
        assert squeezed(checks.rule.id) in text
    # Of a rule's connections the worst are named, and the others counted.
    assert "more" in text.partition("Findings")[0]


@with_and_without_scripts
def test_few_findings_are_all_there(open_report: OpenReport, tmp_path: Path, scripts: bool) -> None:
    result = sample_result(30, 6)
    text = said(open_report(result, scripts=scripts), tmp_path)
    assert "Onpaper:thefirst" not in text
    for finding in result.findings:
        assert squeezed(finding.message) in text


def test_no_condition_is_cut(open_report: OpenReport, tmp_path: Path) -> None:
    (first, *rest) = RESULT.checks
    services = ", ".join(f"service_{n}" for n in range(120))
    long = replace(first.rule, applies_when=f"service is one of {services} or the_last")
    page = open_report(replace(RESULT, checks=(replace(first, rule=long), *rest)))
    assert squeezed(f"when {long.applies_when}") in said(page, tmp_path)


@pytest.mark.parametrize("paper", mostly_slow(["A4", "Letter", "A5"], 3))
def test_hostile_and_long_names_stay_on_the_sheet(
    open_report: OpenReport, tmp_path: Path, paper: str
) -> None:
    page = open_report(sample_result(60, hostile=True, complete=False))
    page.emulate_media(media="print")
    # As wide as the sheet without its margins of 10 mm.
    page.set_viewport_size({"width": {"A4": 718, "Letter": 740, "A5": 483}[paper], "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert squeezed(HOSTILE[0]) in squeezed("".join(sheets(page, tmp_path, paper)))


def test_a_comparison_leaves_out_nothing_unsaid(open_report: OpenReport, tmp_path: Path) -> None:
    comparison = compared(150)
    page = open_report("".join(COMPARISONS["html"].render(comparison)))
    text = said(page, tmp_path)
    # What asks for nothing is folded, and each fold says so: nothing of it is on paper.
    opened = page.locator("details.kind[open]").evaluate_all("all => all.map(k => k.dataset.kind)")
    folded = {change.change.value for change in comparison.changes} - set(opened)
    assert text.count(squeezed("Folded on paper: open the page to see them.")) == len(folded) > 2
    told = {squeezed(c.message) for c in comparison.changes if c.change.value in opened}
    silent = {squeezed(c.message) for c in comparison.changes if c.change.value in folded}
    assert all(message in text for message in told)
    assert not any(message in text for message in silent - told)
    assert "moretheJSONdocumentliststhemall" in text.replace(";", "")
