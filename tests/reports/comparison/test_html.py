"""The page of a comparison: for everyone, hostile text stays text, long ones fit."""

from __future__ import annotations

import csv
import re
from functools import cache

import pytest
from msgspec.structs import replace
from playwright.sync_api import expect

from auditor.model import Outcome
from auditor.past.compare import Comparison, Fate, compare
from auditor.past.earlier import report_of
from auditor.reports.comparison import COMPARISONS
from auditor.reports.comparison.html import MOST_CHANGES
from auditor.reports.markdown import LONGEST
from tests.builders.browser import OpenReport
from tests.builders.html_page import axe, chip, column, status
from tests.builders.sample_results import sample_result
from tests.builders.slow import mostly_slow


@cache
def compared(connections: int = 150, *, hostile: bool = False) -> Comparison:
    """Return a comparison of two made-up runs over the same connections, with every change."""
    kind = Outcome.INCONCLUSIVE
    old, new = (
        sample_result(connections, 9, seed=seed, outcome=kind, hostile=hostile) for seed in (1, 2)
    )
    return compare(report_of(old, "old.json"), report_of(new, "new.json"))


def page_of(comparison: Comparison) -> str:
    return "".join(COMPARISONS["html"].render(comparison))


def test_the_sample_has_nearly_everything():
    missing = {change for change, count in compared().counts.items() if not count}
    assert missing == {Fate.RAISED, Fate.GONE}  # both runs listed the same


@pytest.mark.parametrize(("width", "dark"), mostly_slow([(1280, False), (380, True)], 2))
def test_it_is_for_everyone(open_report: OpenReport, dark: bool, width: int) -> None:
    comparison = compared(40)
    page = open_report(page_of(comparison), dark=dark, width=width)
    assert page.locator("h1").inner_text() == "Inconclusive"
    assert status(page) == f"{len(comparison.changes)} changes"
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator(".rows .row").first.click()
    # Where a page links to no other, axe takes every link off the screen for a skip link.
    assert [each for each in axe(page, "#sheet") if each[0] != "skip-link"] == []


@pytest.mark.parametrize(("change", "word"), [("new", '"is "'), ("fixed", '"was "')])
def test_a_fixed_finding_counts_as_fixed(open_report: OpenReport, change: str, word: str) -> None:
    page = open_report(page_of(compared(150)), f"#change={change}")
    told = page.locator(".rows .seen .was").evaluate_all(
        "all => all.map((each) => getComputedStyle(each, '::before').content)"
    )
    assert set(told) == {word}


def test_without_scripts_every_change_is_there(open_report: OpenReport) -> None:
    comparison = compared(40)
    page = open_report(page_of(comparison), scripts=False)
    for folded in page.locator("details.kind").all():
        folded.locator("summary").click()
    shown = page.locator("details.kind tbody tr").count()
    assert shown == len(comparison.changes)


def test_changes_are_filtered_opened_and_exported_as_findings_are(open_report: OpenReport) -> None:
    comparison = compared()
    page = open_report(page_of(comparison))
    chip(page, "new").click()
    new = comparison.counts[Fate.NEW]
    assert status(page) == f"{new} of {len(comparison.changes)} changes"
    assert page.url.endswith("#change=new")
    assert set(column(page, "verdict")) == {"new"}
    with page.expect_download() as saved:
        page.get_by_role("button", name="Export CSV").click()
    rows = list(csv.DictReader(saved.value.path().read_text("utf-8-sig").splitlines()))
    assert len(rows) == new
    assert {(row["Change"], row["After"]) for row in rows} == {("new", "fail")}
    page.locator(".rows .row").first.click()
    sheet = page.get_by_role("dialog")
    expect(sheet).to_contain_text(f"1 of {new}")
    expect(sheet).to_contain_text("New: a violation that was not found before. Before: ")
    expect(sheet.get_by_role("heading", name="How to fix it")).to_be_visible()
    expect(sheet.get_by_role("button", name="Copy as waiver")).to_be_visible()
    sheet.locator(".facts-list a").first.click()
    expect(sheet).to_contain_text(re.compile(r"\d+ changes?Change"))


def test_a_number_of_the_overview_leads_to_its_changes(open_report: OpenReport) -> None:
    comparison = compared()
    page = open_report(page_of(comparison))
    page.locator(".tile a[href='#change=fixed']").click()
    expect(page.locator("#findings-title")).to_be_focused()
    fixed = comparison.counts[Fate.FIXED]
    assert status(page) == f"{fixed} of {len(comparison.changes)} changes"
    page.get_by_label("Search").fill("change:unjudged,again is:odd")
    page.get_by_label("Group by").select_option("rule")
    assert page.locator(".rows .group").count() == 0


def test_paper_has_what_is_selected_and_says_what_is_folded(open_report: OpenReport) -> None:
    page = open_report(page_of(compared()), "#change=fixed,new")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    kinds = page.locator("details.kind[open]")
    assert {kind.get_attribute("data-kind") for kind in kinds.all()} == {"fixed", "new"}
    folded = page.locator("details.kind:not([open]) summary").first
    said = folded.evaluate("summary => getComputedStyle(summary, '::after').content")
    assert said == '"Folded on paper: open the page to see them."'


def test_a_run_that_did_not_finish_has_a_page_too(open_report: OpenReport) -> None:
    comparison = compared(40)
    sides = (replace(run, judged_at=None) for run in (comparison.earlier, comparison.later))
    old, new = sides
    page = open_report(page_of(replace(comparison, earlier=old, later=new)))
    assert status(page) == f"{len(comparison.changes)} changes"


def test_hostile_text_stays_text(open_report: OpenReport) -> None:
    page = open_report(page_of(compared(hostile=True)))
    page.locator(".rows .row").first.click()
    assert page.evaluate("window.pwned") is None
    assert page.locator("script").count() == 2


def test_a_large_one_is_cut_and_says_so() -> None:
    large = compared(4000)
    text = page_of(large)
    fixed = large.counts[Fate.FIXED]
    assert fixed > MOST_CHANGES
    assert f"The first {MOST_CHANGES:,} of {fixed:,}" in text
    markdown = "".join(COMPARISONS["markdown"].render(large))
    assert len(markdown) <= LONGEST
    assert "shown, worst first; the JSON document lists them all" in markdown


@pytest.mark.parametrize("name", list(COMPARISONS))
def test_equal_comparisons_give_equal_text(name: str) -> None:
    texts = {"".join(COMPARISONS[name].render(compared())) for _ in range(2)}
    compared.cache_clear()
    assert texts == {"".join(COMPARISONS[name].render(compared()))}


def test_a_group_is_told_by_its_name_and_its_id_once() -> None:
    comparison = replace(compared(40))
    tallies = tuple(replace(each, label=f"Sales ({each.name})") for each in comparison.by_group)
    comparison.__dict__["by_group"] = tallies
    text = page_of(comparison)
    for tally in tallies:
        assert f"<code>{tally.name}</code><small>Sales</small>" in text
