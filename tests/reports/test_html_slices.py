"""Long work on the page is done in slices: the page responds, and the result is the same."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from auditor.model import Verdict
from tests.builders.browser import OpenReport
from tests.builders.html_page import column, go, settled, status
from tests.builders.sample_results import sample_result

# More findings than go through a loop in one go.
MANY = sample_result(5_000, 8)
# A clock by which each step takes longer than the page may go on for.
SLOW = "let time = performance.now(); performance.now = () => (time += 100);"
TYPE = """query => {
    const search = document.querySelector('#explorer input[type=search]');
    search.value = query;
    search.dispatchEvent(new Event('input', {bubbles: true}));
    return document.querySelector('.grid').hasAttribute('aria-busy');
}"""


def slow_page(open_report: OpenReport) -> Page:
    page = open_report(MANY)
    page.evaluate(SLOW)
    return page


def holding(text: str) -> int:
    return sum(
        any(text in each for c in f.connections for each in (c.schema, c.service, c.group_id))
        for f in MANY.findings
    )


def test_a_search_lets_go_and_ends_as_one_in_one_go(open_report: OpenReport) -> None:
    page = slow_page(open_report)
    assert page.evaluate(TYPE, "shopify")
    settled(page)
    assert status(page) == f"{holding('shopify')} of {len(MANY.findings):,} findings"
    assert all("shopify" in each for each in column(page, "connection"))


@pytest.mark.slow
def test_what_is_typed_next_takes_the_place_of_what_was_typed_before(
    open_report: OpenReport,
) -> None:
    page = slow_page(open_report)
    assert page.evaluate(f"() => {{ ({TYPE})('shopify'); return ({TYPE})('kafka'); }}")
    settled(page)
    assert status(page) == f"{holding('kafka')} of {len(MANY.findings):,} findings"


@pytest.mark.slow
def test_a_sort_in_slices_is_the_sort_in_one_go(open_report: OpenReport) -> None:
    columns = ("connection", "message", "rule", "severity")
    quick = open_report(MANY)
    wanted = {}
    for each in columns:
        go(quick, f"sort={each}&verdict=fail")
        wanted[each] = column(quick, each)
        assert len(wanted[each]) > 5
    slow = slow_page(open_report)
    for each in columns:
        go(slow, "verdict=fail")
        settled(slow)
        slow.locator(f".head [data-column={each}]").click()
        assert column(slow, each) == wanted[each]


def test_groups_in_slices_hold_every_finding_once(open_report: OpenReport) -> None:
    page = slow_page(open_report)
    page.get_by_label("Group by").select_option("rule")
    expect(page.get_by_role("status")).to_contain_text("in 7 groups")
    found = {}
    for head in page.locator(".rows .group").all():
        found[head.locator("b").inner_text()] = int(
            head.locator(".n").inner_text().replace(",", "")
        )
    shown = (Verdict.FAIL, Verdict.ERROR, Verdict.WAIVED, Verdict.KNOWN)
    wanted = {c.rule.id: sum(map(c.count, shown)) for c in MANY.checks}
    assert found == {rule: count for rule, count in wanted.items() if count}


def test_what_is_opened_meanwhile_waits_and_knows_its_place(open_report: OpenReport) -> None:
    page = slow_page(open_report)
    page.evaluate(f"() => {{ ({TYPE})('shopify'); document.querySelector('#row-0').click(); }}")
    sheet = page.get_by_role("dialog")
    expect(sheet).to_be_visible()
    settled(page)
    first = MANY.findings[0]
    assert first.connections[0].schema in sheet.inner_text()


@pytest.mark.slow
def test_an_export_in_slices_has_every_row(open_report: OpenReport) -> None:
    page = slow_page(open_report)
    with page.expect_download() as download:
        page.get_by_role("button", name="Export CSV").click()
    text = download.value.path().read_bytes().decode("utf-8-sig")
    assert text.endswith("\r\n")
    assert text.count("\r\n") == len(MANY.findings) + 1
