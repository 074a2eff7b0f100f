"""The table of rules in the HTML report: it sorts, folds and is searched; rates beside counts."""

from __future__ import annotations

from msgspec.structs import replace
from playwright.sync_api import Page, expect

from auditor.model import Verdict
from tests.builders.browser import OpenReport
from tests.builders.html_page import RESULT, axe
from tests.builders.sample_results import sample_result

MANY = sample_result(30, 200)


def _ids(page: Page) -> list[str]:
    return page.locator(".rules tbody tr:visible th code").all_inner_texts()


def test_rules_sort_by_any_column_and_back(open_report: OpenReport) -> None:
    page = open_report(RESULT)
    by_id = {checks.rule.id: checks for checks in RESULT.checks}
    before = _ids(page)
    table = page.locator(".rules")
    table.get_by_role("button", name="fail").click()
    fails = [by_id[each].count(Verdict.FAIL) for each in _ids(page)]
    assert fails == sorted(fails, reverse=True)
    expect(table.get_by_role("columnheader", name="fail")).to_have_attribute(
        "aria-sort", "descending"
    )
    table.get_by_role("button", name="Severity").click()
    severities = [by_id[each].rule.severity for each in _ids(page)]
    assert severities == sorted(severities, reverse=True)
    table.get_by_role("button", name="Severity").click()
    table.get_by_role("button", name="Severity").click()
    assert _ids(page) == before


def test_two_hundred_rules_fold_to_those_with_findings(open_report: OpenReport) -> None:
    page = open_report(MANY)
    told = (Verdict.FAIL, Verdict.ERROR, Verdict.WAIVED, Verdict.KNOWN)
    loud = [c.rule.id for c in MANY.checks if any(map(c.count, told))]
    assert 20 < len(loud) < 200
    assert _ids(page) == loud
    passed = sum(c.count(Verdict.PASS) > 0 for c in MANY.checks if c.rule.id not in loud)
    idle = 200 - len(loud) - passed
    assert passed
    assert idle
    expect(page.locator("#rules-status")).to_have_text(
        f"{len(loud)} of 200 rules; "
        f"of the others, {passed} found nothing and {idle} applied to nothing"
    )
    page.get_by_role("button", name="Show all 200 rules").click()
    assert len(_ids(page)) == 200
    # However many there are, their table is no taller than the window, under its headings.
    assert page.locator(".rules").locator("xpath=..").evaluate("e => e.offsetHeight <= innerHeight")
    page.get_by_label("Find a rule").fill("cost sync-frequency-bounds-7")
    assert _ids(page) == ["sync-frequency-bounds-7"]
    assert axe(page, ".rules") == []


def test_more_than_twenty_rules_fold(open_report: OpenReport) -> None:
    for rules, shown, bars in ((19, 19, 0), (20, 20, 0), (21, 0, 1)):
        page = open_report(sample_result(0, rules))
        assert len(_ids(page)) == shown
        expect(page.locator(".rules-bar")).to_have_count(bars)


def test_rules_that_judged_nothing_are_told_apart_from_those_that_found_nothing(
    open_report: OpenReport,
) -> None:
    said = "0 of 30 rules; the others"
    page = open_report(sample_result(0, 30))
    expect(page.locator("#rules-status")).to_have_text(f"{said} applied to nothing")
    passing = tuple(
        replace(checks, verdicts=bytes([Verdict.PASS]) * len(checks.verdicts))
        for checks in MANY.checks
        if not checks.groups
    )[:30]
    page = open_report(replace(MANY, checks=passing, describe=lambda: ()))
    expect(page.locator("#rules-status")).to_have_text(f"{said} found nothing")


def test_paper_holds_every_rule(open_report: OpenReport) -> None:
    page = open_report(MANY)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert len(_ids(page)) == 200


def test_a_failed_count_has_a_rate(open_report: OpenReport) -> None:
    page = open_report(RESULT, scripts=False)
    checks = RESULT.checks[0]
    judged = checks.total - checks.count(Verdict.SKIP)
    cell = page.locator(".rules tbody tr").first.locator("td[data-label=fail]")
    failed = checks.count(Verdict.FAIL)
    assert cell.inner_text().split() == [str(failed), f"{100 * failed / judged:.1f}%"]
