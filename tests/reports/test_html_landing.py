"""Where the reader of the HTML report lands: focus, Back, steps through findings, keys."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from auditor.model import Verdict
from tests.builders.browser import OpenReport
from tests.builders.html_page import RESULT, column, count, status


def _steps(page: Page) -> int:
    return int(page.evaluate("history.length"))


def test_a_link_to_findings_moves_the_focus_and_back_restores_the_place(
    open_report: OpenReport,
) -> None:
    page = open_report(RESULT)
    cell = page.locator(".heat td a").first
    cell.scroll_into_view_if_needed()
    before = page.evaluate("scrollY")
    cell.click()
    expect(page.locator("#findings-title")).to_be_focused()
    expect(page.locator("#findings-title")).to_be_in_viewport()
    page.go_back()
    expect(cell).to_be_focused()
    expect(page.get_by_role("status")).to_have_text(f"{len(RESULT.findings)} findings")
    page.wait_for_function(f"Math.abs(scrollY - {before}) < 40")


def test_back_finds_the_row_that_was_active(open_report: OpenReport) -> None:
    page = open_report(RESULT)
    grid = page.get_by_role("grid")
    grid.focus()
    page.keyboard.press("End")
    active = grid.get_attribute("aria-activedescendant")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.locator("#sheet").get_by_role("link", name=re.compile("_")).first.click()
    page.go_back()
    page.go_back()
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(grid).to_have_attribute("aria-activedescendant", active or "")


def test_closing_leaves_no_step_behind(open_report: OpenReport) -> None:
    page = open_report(RESULT, "#verdict=fail")
    page.locator(".rows .row").first.click()
    page.locator("#sheet .facts-list a").first.click()
    expect(page.get_by_role("dialog")).to_contain_text("10 checks")
    page.get_by_role("button", name="Close").click()
    expect(page).to_have_url(re.compile("#verdict=fail$"))
    assert page.evaluate("history.state?.depth ?? 0") == 0
    page.go_forward()
    expect(page.get_by_role("dialog")).to_be_visible()


def test_a_sheet_that_was_opened_by_its_address_closes_in_place(open_report: OpenReport) -> None:
    page = open_report(RESULT, "#about=fresh")
    steps = _steps(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert _steps(page) == steps
    assert "about" not in page.url


def test_next_and_previous_know_their_ends(open_report: OpenReport) -> None:
    page = open_report(RESULT, "#severity=critical&verdict=error,fail&sort=connection")
    of = int(status(page).split()[0])
    page.locator(".rows .row").first.click()
    bar = page.locator(".sheet-bar")
    expect(bar).to_contain_text(f"1 of {of}")
    expect(page.get_by_role("button", name="Previous")).to_be_disabled()
    for at in range(2, of + 1):
        page.keyboard.press("j")
        expect(bar).to_contain_text(f"{at} of {of}")
    expect(page.get_by_role("button", name="Next")).to_be_disabled()
    page.keyboard.press("j")
    expect(bar).to_contain_text(f"{of} of {of}")
    page.keyboard.press("k")
    expect(bar).to_contain_text(f"{of - 1} of {of}")


def test_next_walks_through_folded_groups(open_report: OpenReport) -> None:
    page = open_report(RESULT, "#by=severity&verdict=fail")
    page.locator(".rows .group").first.click()
    page.locator("#row-1").click()
    failed = count(RESULT, verdict=Verdict.FAIL)
    expect(page.locator(".sheet-bar")).to_contain_text(f"1 of {failed}")


def test_keys_move_without_a_mouse_and_say_what_they_do(open_report: OpenReport) -> None:
    page = open_report(RESULT)
    page.keyboard.press("j")
    grid = page.get_by_role("grid")
    expect(grid).to_be_focused()
    page.keyboard.press("j")
    assert grid.get_attribute("aria-activedescendant") == "row-1"
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keys")
    expect(keys).to_contain_text("Next and previous finding")
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    page.keyboard.press("/")
    page.keyboard.type("j?k")
    assert page.get_by_label("Search").input_value() == "j?k"


def test_a_filter_on_what_is_not_there_says_so(open_report: OpenReport) -> None:
    page = open_report(RESULT, "#rule=retired-rule")
    expect(page.get_by_role("alert")).to_have_text("This report has no rule “retired-rule”")
    assert column(page, "rule") == []


def test_the_way_to_the_findings_keeps_the_filters(open_report: OpenReport) -> None:
    page = open_report(RESULT, "#severity=critical")
    wanted = status(page)
    page.get_by_role("link", name="Skip to the findings").press("Enter")
    expect(page.locator("#findings-title")).to_be_focused()
    expect(page).to_have_url(re.compile("#severity=critical$"))
    assert status(page) == wanted


def test_a_link_with_a_modifier_is_the_browser_s(open_report: OpenReport) -> None:
    page = open_report(RESULT)
    left = page.locator(".heat td a").first.evaluate(
        """link => {
            // Says whether the page left the click alone, and opens no window.
            let left;
            const look = (event) => { left = !event.defaultPrevented; event.preventDefault(); };
            addEventListener("click", look, { once: true });
            link.dispatchEvent(
                new MouseEvent("click", { bubbles: true, cancelable: true, ctrlKey: true }));
            return left;
        }"""
    )
    assert left
    expect(page.locator("#findings-title")).not_to_be_focused()


def test_a_filter_or_a_grouping_that_is_not_there_says_so_until_the_next_change(
    open_report: OpenReport,
) -> None:
    page = open_report(RESULT, "#in.team=payments&by=in.region&bogus=")
    told = page.get_by_role("alert")
    expect(told).to_have_text(
        "This report has no filter “in.team”; This report has no groups by “in.region”"
    )
    page.get_by_label("Group by").select_option("rule")
    expect(told).to_be_hidden()


def test_back_and_forward_have_the_filters_and_the_focus_of_their_step(
    open_report: OpenReport,
) -> None:
    page = open_report(RESULT)
    everything = status(page)
    page.locator(".rules a[href='#about=fresh']").press("Enter")
    page.get_by_role("dialog").locator("a[href='#rule=fresh']").press("Enter")
    title = page.locator("#findings-title")
    expect(title).to_be_focused()
    wanted = status(page)
    assert wanted != everything
    page.go_back()
    expect(page.get_by_role("dialog")).to_be_visible()
    expect(page).to_have_url(re.compile("#about=fresh$"))
    expect(page.get_by_role("status").first).to_have_text(everything)
    page.go_forward()
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(title).to_be_focused()
    assert status(page) == wanted
