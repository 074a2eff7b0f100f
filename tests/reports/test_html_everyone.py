"""The HTML report for everyone: hostile text, assistive technology, any width, keyboard, paper."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from msgspec.structs import replace
from playwright.sync_api import expect

from auditor.model import Connections, Severity, Verdict
from auditor.reports.facts import pressing
from auditor.reports.html import placeholder, render
from tests.builders.browser import OpenReport
from tests.builders.html_page import RESULT, axe, column, count, status
from tests.builders.sample_results import HOSTILE, sample_result
from tests.builders.slow import mostly_slow


def test_hostile_text_runs_nowhere(open_report: OpenReport) -> None:
    result = sample_result(60, hostile=True, complete=False)
    every = "rule,connection,service,group,actual,expected,field,message,id,owner,fix,note,policy"
    page = open_report(result, f"#columns={every}&q=%3Cscript%3E&service={quote(HOSTILE[1])}")
    for fragment in (
        f"#connection={quote(result.connections.ids[1])}",
        f"#about={result.checks[0].rule.id}",
        f"#finding={quote(HOSTILE[0])}",
        f"#finding={quote(result.checks[0].rule.id + '/' + result.findings[0].connections[0].id)}",
        "#show=connections&columns=connection,id&rule=<img src=x onerror=window.pwned=5>",
        "#sort=__proto__&columns=constructor&show=toString&hasOwnProperty=1&q=%00",
    ):
        page.evaluate("fragment => { location.hash = fragment }", fragment)
        page.wait_for_timeout(20)
    assert page.evaluate("window.pwned") is None
    assert page.locator("img, iframe, object, embed, form, base").count() == 0
    assert page.locator("script").count() == 2
    assert page.evaluate("document.title").startswith("Inconclusive")


@pytest.mark.parametrize("width", mostly_slow([360, 1280], 2))
def test_axe_finds_nothing_in_what_opens(open_report: OpenReport, width: int) -> None:
    page = open_report(RESULT, width=width)
    page.locator(".facet[data-name=service] summary").click()
    page.locator(".facet[data-name=service] input[type=checkbox]").first.check()
    assert axe(page, ".facet[data-name=service]") == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Copy as waiver").first.click()
    assert axe(page, ".todos") == []
    page.locator("h1").click()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    assert axe(page, "#keys") == []


@pytest.mark.parametrize("width", mostly_slow([360, 1280], 2))
def test_chosen_columns_are_all_there_at_any_width(open_report: OpenReport, width: int) -> None:
    page = open_report(RESULT, "#columns=rule,connection,owner,expected", width=width)
    first = page.locator("#row-0")
    for name in ("rule", "connection", "owner", "expected"):
        expect(first.locator(f".c-{name}")).to_be_visible()


@pytest.mark.parametrize("width", [320, 390])
def test_a_phone_shows_all_of_a_finding_s_bar(open_report: OpenReport, width: int) -> None:
    page = open_report(sample_result(3_000, 30), "#severity=critical", width=width)
    page.locator(".rows .row").first.click()
    close = page.get_by_role("button", name="Close").bounding_box()
    assert close is not None
    assert close["x"] + close["width"] <= width
    assert page.locator("#sheet").evaluate("sheet => sheet.scrollWidth") <= width


@pytest.mark.parametrize("width", mostly_slow([375, 1024, 1920], 3))
def test_no_width_scrolls_sideways(open_report: OpenReport, width: int) -> None:
    hostile = "".join(render(sample_result(hostile=True, complete=False)))
    for report in (RESULT, hostile.replace(HOSTILE[2], "W" * 200)):
        page = open_report(report, width=width)
        for fragment in (
            "",
            "#show=connections",
            "#about=fresh",
            "#columns=message,fix,note,policy",
        ):
            page.evaluate("fragment => { location.hash = fragment }", fragment)
            expect(page.locator("#sheet")).to_be_visible(visible="about" in fragment)
            assert page.evaluate("document.documentElement.scrollWidth") == width
            assert page.evaluate("document.getElementById('sheet').scrollWidth") <= width


@pytest.mark.parametrize(
    "name", mostly_slow(["w" * 250, "word " * 50, "名" * 250, "\u0627" * 250], 4)
)
def test_long_names_stay_in_their_card(open_report: OpenReport, name: str) -> None:
    estate = RESULT.connections
    named = Connections(estate.ids, estate.services, [name] * len(estate), [name] * len(estate))
    at = {identity: place for place, identity in enumerate(estate.ids)}
    found = tuple(
        replace(f, connections=tuple(named[at[c.id]] for c in f.connections))
        for f in RESULT.findings
    )
    page = open_report(replace(RESULT, connections=named, describe=lambda: found))
    for part in page.locator(".todo :is(.where, .names li)").all()[:12]:
        card, inner = page.locator(".todos").first.bounding_box(), part.bounding_box()
        assert card is not None
        assert inner is not None
        assert inner["x"] + inner["width"] <= card["x"] + card["width"]


def test_the_table_works_from_the_keyboard(open_report: OpenReport) -> None:
    page = open_report(RESULT)
    page.locator("body").press("/")
    expect(page.get_by_label("Search")).to_be_focused()
    page.keyboard.type("fail")
    grid = page.get_by_role("grid")
    grid.focus()
    active = "grid => grid.getAttribute('aria-activedescendant')"
    for key, row in (
        ("ArrowDown", 1), ("ArrowDown", 2), ("ArrowUp", 1), ("Home", 0),
        ("End", None), ("Home", 0), ("PageDown", None), ("Home", 0), ("ArrowUp", 0),
    ):  # fmt: skip
        page.keyboard.press(key)
        name = grid.evaluate(active)
        expect(page.locator(f"#{name}")).to_be_in_viewport()
        assert row is None or name == f"row-{row}"
    page.keyboard.press("ArrowDown")
    schema = column(page, "connection")[1]
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text(schema)
    page.keyboard.press("Escape")
    expect(grid).to_be_focused()
    assert grid.evaluate(active) == "row-1"


def test_print_shows_what_is_folded_or_virtual_on_screen(open_report: OpenReport) -> None:
    page = open_report(RESULT, "#severity=critical&verdict=fail", dark=True)
    assert page.pdf(format="A4").startswith(b"%PDF")
    critical = count(RESULT, severity=Severity.CRITICAL, verdict=Verdict.FAIL)
    assert page.locator("#plain-rows tr").count() == critical
    page.emulate_media(media="print")
    expect(page.locator("#plain-rows tr").first).to_be_visible()
    expect(page.locator("#explorer")).to_be_hidden()
    expect(page.locator(".todo").last).to_be_visible()


def test_the_theme_can_be_chosen(open_report: OpenReport) -> None:
    page = open_report(RESULT)
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)
    page.get_by_role("button", name="Theme: system").click()
    assert page.evaluate(background) != light
    page.get_by_role("button", name="Theme: dark").click()
    assert page.evaluate(background) == light


def test_the_placeholder_opens_and_is_accessible(open_report: OpenReport) -> None:
    page = open_report(placeholder("1.0.0"), width=375)
    expect(page.get_by_role("heading", level=1)).to_have_text("Inconclusive")
    assert axe(page) == []


@pytest.mark.slow
def test_a_hundred_thousand_connections_open_filter_and_scroll(open_report: OpenReport) -> None:
    result = sample_result(115_000, 10)
    assert len(result.findings) > 150_000
    page = open_report(result)
    total = f"{len(result.findings):,} findings"
    assert status(page) == total
    page.get_by_label("Search").fill("conn_099999")
    expected = sum(f.connections[0].id == "conn_099999" for f in result.findings if not f.group)
    assert status(page).startswith(f"{expected} of ")
    page.get_by_label("Search").fill("")
    grid = page.get_by_role("grid")
    grid.focus()
    page.keyboard.press("End")
    name = f"row-{len(result.findings) - 1}"
    assert grid.evaluate("grid => grid.getAttribute('aria-activedescendant')") == name
    expect(page.locator(f"#{name}")).to_be_in_viewport()
    last = pressing(result, len(result.findings))[-1]
    assert column(page, "connection")[-1] == last.connections[0].schema
    assert page.locator(".rows .row").count() < 60
