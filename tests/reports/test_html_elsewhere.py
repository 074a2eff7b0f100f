"""The HTML page where others show it: Jenkins, a frame without downloads, a mailer, a phone."""

from __future__ import annotations

from collections.abc import Iterator

import lxml.html
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from auditor.model import Outcome, Verdict
from auditor.reports.comparison import COMPARISONS
from auditor.reports.html import PLAIN_FINDINGS, render
from tests.builders.browser import OpenReport
from tests.builders.html_page import RESULT
from tests.builders.sample_histories import with_history
from tests.builders.sample_results import sample_result
from tests.builders.served import JENKINS, served
from tests.builders.slow import mostly_slow
from tests.reports.comparison.test_html import compared

#: What each shape is painted with, and whether that is the black that nobody chose.
_PAINTED = """shapes => shapes.map((shape) => {
    const style = getComputedStyle(shape);
    const paint = shape.tagName === "line" ? style.stroke : style.fill;
    return [shape.outerHTML.slice(0, 80), paint];
})"""


@pytest.fixture
def page(contexts: dict[bool, BrowserContext]) -> Iterator[Page]:
    opened = contexts[True].new_page()
    yield opened
    opened.close()


def test_jenkins_shows_text_and_colours(page: Page) -> None:
    result = with_history(RESULT, 30)
    with served({"/r": "".join(render(result))}, JENKINS) as address:
        page.goto(f"{address}/r")
        # Neither scripts nor the style sheet: what is there is markup.
        expect(page.locator("#explorer")).to_be_hidden()
        assert (
            page.evaluate("getComputedStyle(document.querySelector('.tiles')).display") == "block"
        )
        expect(page.locator("h1")).to_have_text("Inconclusive")
        shapes = page.locator("main svg :is(rect, line)")
        painted = shapes.evaluate_all(_PAINTED)
        assert len(painted) > 12
        assert [each for each in painted if each[1] in ("rgb(0, 0, 0)", "none")] == []
        icons = page.locator("main svg.icon").evaluate_all(
            "icons => icons.map((icon) => getComputedStyle(icon).color)"
        )
        assert len(icons) > 20
        assert "rgb(0, 0, 0)" not in icons
        rules = page.locator("table.rules tbody tr")
        assert rules.count() == len(RESULT.checks)
        assert (
            f"The first {PLAIN_FINDINGS} of {len(RESULT.findings)} findings"
            in page.locator("#plain-note").inner_text()
        )


def test_a_style_sheet_paints_over_the_attributes(open_report: OpenReport) -> None:
    page = open_report(RESULT, dark=True)
    fill = "getComputedStyle(document.querySelector('.fill-fail')).fill"
    assert page.evaluate(fill) == "rgb(240, 101, 90)"
    banner = page.locator(".verdict-head .icon")
    assert banner.evaluate("icon => getComputedStyle(icon).color") == "rgb(255, 255, 255)"


@pytest.mark.parametrize(
    "allowed", mostly_slow(["allow-scripts", "allow-scripts allow-downloads"], 2)
)
def test_a_frame_that_may_forbid_downloads_says_so(page: Page, allowed: str) -> None:
    frame = f'<!doctype html><title>x</title><iframe src="/r" sandbox="{allowed}"></iframe>'
    style = "<style>iframe { width: 1200px; height: 900px }</style>"
    saved: list[str] = []
    page.on("download", lambda download: saved.append(download.suggested_filename))
    with served({"/": frame + style, "/r": "".join(render(RESULT))}) as address:
        page.goto(address)
        inner = page.frame_locator("iframe")
        inner.get_by_role("button", name="Export CSV").click()
        expect(inner.get_by_role("status").first).to_contain_text("this frame blocks downloads")
        page.wait_for_timeout(100)
    assert bool(saved) is ("allow-downloads" in allowed)


def test_a_page_under_a_sandbox_of_its_own_says_so(page: Page) -> None:
    with served({"/r": "".join(render(RESULT))}, "sandbox allow-scripts") as address:
        page.goto(f"{address}/r")
        page.get_by_role("button", name="Export CSV").click()
        expect(page.get_by_role("status").first).to_contain_text("this frame blocks downloads")


def test_a_page_of_its_own_saves_without_a_word_of_frames(open_report: OpenReport) -> None:
    page = open_report(RESULT)
    with page.expect_download():
        page.get_by_role("button", name="Export CSV").click()
    assert "frame" not in page.get_by_role("status").first.inner_text()


def test_a_mailers_preview_says_what_it_leaves_out() -> None:
    result = sample_result(1000, 12, outcome=Outcome.VIOLATIONS)
    tree = lxml.html.document_fromstring("".join(render(result)))
    # Mailers keep text, tables and links; they drop the head, styles, scripts and most attributes.
    for element in [*tree.xpath("//head|//script|//style|//svg|//dialog")]:
        element.drop_tree()
    for element in tree.iter():
        for name in set(element.attrib) - {"href"}:
            del element.attrib[name]
    text = " ".join(tree.text_content().split())
    assert text.index("Violations") < 200
    for checks in result.checks:
        assert checks.rule.id in text
    assert f"The first {PLAIN_FINDINGS} of {len(result.findings):,} findings" in text
    assert "more rules with something to do" in text or "more rule with something to do" in text
    counts = {v: sum(c.count(v) for c in result.checks) for v in Verdict}
    assert f"{counts[Verdict.FAIL]:,} of {result.total:,} checks failed" in text


@pytest.mark.parametrize("width", mostly_slow([320, 390, 639], 3))
def test_without_scripts_a_phone_shows_cards(open_report: OpenReport, width: int) -> None:
    page = open_report(RESULT, width=width, scripts=False)
    comparison = "".join(COMPARISONS["html"].render(compared(40)))
    for shown in (page, open_report(comparison, width=width, scripts=False)):
        tables = shown.locator("main table").all()
        assert len(tables) >= 3
        for table in tables:
            box = table.bounding_box()
            if box is None:
                continue
            assert box["x"] + box["width"] <= width
            row = table.locator("tbody tr").first
            assert row.evaluate("row => getComputedStyle(row).display") == "flex"
        # What a card's numbers are stands before each.
        number = shown.locator("td.n:not(.zero)").first
        label = number.evaluate("cell => getComputedStyle(cell, '::before').content")
        assert label.strip('" ')


def test_a_wide_window_shows_tables(open_report: OpenReport) -> None:
    page = open_report(RESULT, width=641, scripts=False)
    row = page.locator("#plain-rows tr").first
    assert row.evaluate("row => getComputedStyle(row).display") == "table-row"
