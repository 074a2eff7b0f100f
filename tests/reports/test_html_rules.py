"""The table of rules in the HTML report: it sorts, folds and is searched; rates beside counts."""

from __future__ import annotations

from msgspec.structs import replace
from playwright.sync_api import Page, expect

from auditor.model import Severity, Verdict
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


def _arrows(page: Page) -> list[tuple[str | None, str]]:
    heads = page.locator(".rules thead th")
    return [
        (head.get_attribute("aria-sort"), head.locator(".arrow").inner_text())
        for head in heads.all()
    ]


_READ_ROWS = """body => [...body.rows].map((row) =>
    [...row.cells].map((cell) => [cell.textContent.trim(), cell.dataset.count ?? ""]))"""


def test_a_column_sorts_one_way_then_the_other_and_then_as_it_was(open_report: OpenReport) -> None:
    """Counts as numbers, severities by rank, words without case; the headings say how."""
    rule = RESULT.checks[2].rule
    first = replace(RESULT.checks[2], rule=replace(rule, title="a Title", expects="A demand"))
    checks = (*RESULT.checks[:2], first, *RESULT.checks[3:])
    page = open_report(replace(RESULT, checks=checks))
    body = page.locator(".rules tbody")
    before = body.evaluate(_READ_ROWS)
    ranks = [severity.label for severity in sorted(Severity)]

    def key(at: int, row: list[list[str]]) -> object:
        text, count = row[at]
        return int(count) if count else ranks.index(text) if at == 1 else text.lower()

    assert any(key(at, before[0]) != before[0][at][0].lower() for at in range(3, 9))
    plain = [("none", "")] * 9
    for at in range(9):
        heading = page.locator(".rules thead button").nth(at)
        downwards = at == 1 or at > 2
        for descending in (downwards, not downwards):
            heading.click()
            ordered = sorted(before, key=lambda row: key(at, row), reverse=descending)
            assert body.evaluate(_READ_ROWS) == ordered
            told = ("descending", "↓") if descending else ("ascending", "↑")
            assert _arrows(page) == [*plain[:at], told, *plain[at + 1 :]]
        if at % 2:
            # Another column's order takes the place of this one.
            heading.click()
            assert body.evaluate(_READ_ROWS) == before
            assert _arrows(page) == plain


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


def test_what_is_looked_for_is_shown_and_nothing_else(open_report: OpenReport) -> None:
    page = open_report(MANY)
    loud = _ids(page)
    said, every = page.locator("#rules-status"), [c.rule.id for c in MANY.checks]
    folded = said.inner_text()
    toggle = page.locator(".rules-bar button")
    expect(toggle).to_have_text("Show all 200 rules")
    search = page.get_by_label("Find a rule")
    assert search.get_attribute("placeholder") == "Find in 200 rules"
    search.fill("  Setup-Tests-Pass  ")
    found = [each for each in every if each.startswith("setup-tests-pass")]
    assert set(found) - set(loud), "a rule that found nothing is found"
    assert _ids(page) == found
    expect(said).to_have_text(f"{len(found)} of 200 rules")
    expect(toggle).to_be_hidden()
    search.fill("setup-tests-pass no-such-word")
    assert _ids(page) == []
    expect(said).to_have_text("0 of 200 rules")
    search.fill(" ")
    assert _ids(page) == loud
    expect(said).to_have_text(folded)
    expect(toggle).to_be_visible()
    toggle.click()
    assert _ids(page) == every
    expect(toggle).to_have_text("Show only rules with findings")
    expect(said).to_have_text("200 of 200 rules")
    toggle.click()
    assert _ids(page) == loud
    expect(said).to_have_text(folded)


def test_where_every_rule_found_something_nothing_is_said_of_others(
    open_report: OpenReport,
) -> None:
    told = (Verdict.FAIL, Verdict.ERROR, Verdict.WAIVED, Verdict.KNOWN)
    loud = tuple(c for c in MANY.checks if any(map(c.count, told)))[:30]
    page = open_report(replace(MANY, checks=loud, describe=lambda: ()))
    expect(page.locator("#rules-status")).to_have_text("30 of 30 rules")


def test_a_rule_stays_in_sight_for_any_one_kind_of_finding(open_report: OpenReport) -> None:
    quiet = [c for c in sample_result(4, 40).checks if not c.groups][:30]
    kinds = (Verdict.FAIL, Verdict.ERROR, Verdict.WAIVED, Verdict.KNOWN, Verdict.PASS, Verdict.SKIP)
    checks = tuple(
        replace(c, verdicts=bytes([kinds[n] if n < len(kinds) else Verdict.SKIP]) * 4)
        for n, c in enumerate(quiet)
    )
    page = open_report(replace(sample_result(4, 40), checks=checks, describe=lambda: ()))
    assert _ids(page) == [c.rule.id for c in checks[:4]]
    expect(page.locator("#rules-status")).to_have_text(
        "4 of 30 rules; of the others, 1 found nothing and 25 applied to nothing"
    )


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
    before = _ids(page)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert len(_ids(page)) == 200
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert _ids(page) == before


def test_a_failed_count_has_a_rate(open_report: OpenReport) -> None:
    page = open_report(RESULT, scripts=False)
    checks = RESULT.checks[0]
    judged = checks.total - checks.count(Verdict.SKIP)
    cell = page.locator(".rules tbody tr").first.locator("td[data-label=fail]")
    failed = checks.count(Verdict.FAIL)
    assert cell.inner_text().split() == [str(failed), f"{100 * failed / judged:.1f}%"]
