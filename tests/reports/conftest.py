"""A browser for the tests of the HTML report: one Chromium for all, a fresh page a report."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from auditor.model import Result
from auditor.reports.html import render

_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
# The system's browser; where there is none, the one that Playwright installed.
_CHROMIUM = shutil.which("chromium")
_WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
    window.violations.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`));
"""

OpenReport = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=_CHROMIUM, args=_FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def contexts(browser: Browser) -> dict[bool, BrowserContext]:
    """A context with scripts and one without: a page in one of them costs little."""
    made = {on: browser.new_context(java_script_enabled=on) for on in (True, False)}
    for context in made.values():
        context.set_default_timeout(30_000)
        context.add_init_script(_WATCH)
    return made


@pytest.fixture
def open_report(contexts: dict[bool, BrowserContext], tmp_path: Path) -> Iterator[OpenReport]:
    """Open the report of a result; whatever it logs, fetches or breaks fails the test."""
    complaints: list[str] = []
    pages: list[Page] = []

    def opened(
        result: Result | str,
        fragment: str = "",
        *,
        width: int = 1280,
        dark: bool = False,
        scripts: bool = True,
    ) -> Page:
        path = tmp_path / f"report-{len(pages)}.html"
        text = result if isinstance(result, str) else "".join(render(result))
        path.write_text(text, encoding="utf-8")
        page = contexts[scripts].new_page()
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="dark" if dark else "light", reduced_motion="reduce")
        allowed = (path.as_uri(), "data:", "blob:")
        page.on(
            "request",
            lambda request: (
                None if request.url.startswith(allowed) else complaints.append(request.url)
            ),
        )
        page.on("console", lambda message: complaints.append(message.text))
        page.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
        for event in ("popup", "websocket", "worker"):
            page.on(event, lambda _, event=event: complaints.append(f"{event} opened"))
        # The page's own export is made by its script; whatever else comes down is from a record.
        page.on(
            "download",
            lambda download: (
                None if download.url.startswith("blob:") else complaints.append(download.url)
            ),
        )
        page.on(
            "framenavigated",
            lambda frame: (
                None if frame.url.startswith(allowed) else complaints.append(f"to {frame.url}")
            ),
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path.as_uri() + fragment)
        pages.append(page)
        return page

    yield opened
    for page in pages:
        complaints += page.evaluate("window.violations ?? []")
        page.close()
    assert complaints == []
