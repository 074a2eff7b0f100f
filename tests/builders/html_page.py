"""What the browser tests of the HTML report read off a page, and the result most of them open."""

from __future__ import annotations

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Locator, Page, expect

from auditor.model import Finding, Result
from tests.builders.sample_results import sample_result

RESULT = sample_result(400, 10)
# What passes is judged all the same, and not described: that takes most of the time.
_AXE_RUN = """(within) => axe.run(within, {resultTypes: ["violations"]}).then((results) =>
    results.violations.map((each) =>
        [each.id, each.help, ...each.nodes.slice(0, 3).map((node) => node.html)]))"""


def settled(page: Page) -> Page:
    """``page`` with its table as it was asked for: what takes long is done in slices."""
    expect(page.locator(".grid")).not_to_have_attribute("aria-busy", "true", timeout=30_000)
    return page


def go(page: Page, fragment: str = "") -> None:
    """Let the page show what ``fragment`` asks for: everything, where that is nothing."""
    page.evaluate("fragment => { location.hash = fragment }", fragment)


def widen(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})


def status(page: Page) -> str:
    page = settled(page)
    return page.get_by_role("status").inner_text()


def chip(page: Page, label: str) -> Locator:
    return page.locator(f".chip[data-label={label}]")


def choose(page: Page, facet: str, value: str) -> Locator:
    """Check a choice of a filter that folds, and return its box."""
    menu = page.locator(f".facet[data-name='{facet}']")
    if menu.get_attribute("open") is None:
        menu.locator("summary").click()
    box = menu.locator(f"input[value='{value}']")
    box.check()
    return box


def column(page: Page, name: str) -> list[str]:
    """The texts of one column, of the rows that are drawn; the first line of each cell."""
    texts = settled(page).locator(f".rows .c-{name}").all_inner_texts()
    return [text.strip().partition("\n")[0] for text in texts]


def count(result: Result, **wanted: object) -> int:
    """How many findings have these properties; ``service`` and ``group`` of any connection."""

    def fits(finding: Finding, name: str, value: object) -> bool:
        if name in ("service", "group_id"):
            return any(getattr(c, name) == value for c in finding.connections)
        if name == "rule":
            return finding.rule.id == value
        if name == "severity":
            return finding.rule.severity is value
        return getattr(finding, name) is value

    return sum(all(fits(f, name, value) for name, value in wanted.items()) for f in result.findings)


def axe(page: Page, within: str = "html") -> list[list[str]]:
    """What axe-core finds on the page: each violation's id, what it means, some elements.

    ``within`` narrows it to what has opened, where the rest was looked at already: contrast and
    sizes are measured element by element, which takes most of the time.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found: list[list[str]] = page.evaluate(_AXE_RUN, within)
    return found
