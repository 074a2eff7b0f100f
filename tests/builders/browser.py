"""A browser for the tests of the HTML report: one Chromium for all, a fresh page per report."""

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


class Watched:
    """A page of the browser that opens one report after another, and what each of them did.

    Whatever a report logs, fetches, opens or breaks is a complaint. A page of its own for each
    would take longer to open than the report.
    """

    def __init__(self, context: BrowserContext) -> None:
        self.page = context.new_page()
        self.complaints: list[str] = []
        self._allowed: tuple[str, ...] = ()
        note, page = self.complaints.append, self.page
        page.on("request", lambda request: self._visit(request.url, request.url))
        page.on("framenavigated", lambda frame: self._visit(frame.url, f"to {frame.url}"))
        page.on("console", lambda message: note(message.text))
        page.on("dialog", lambda dialog: (note(dialog.message), dialog.dismiss()))
        page.on("pageerror", lambda error: note(str(error)))
        for event in ("popup", "websocket", "worker"):
            page.on(event, lambda _, event=event: note(f"{event} opened"))
        # The page's own export is made by its script; whatever else comes down is from a record.
        page.on(
            "download",
            lambda download: None if download.url.startswith("blob:") else note(download.url),
        )

    def open(self, url: str, *, width: int, dark: bool) -> Page:
        """Open ``url`` in a window of 900 pixels' height."""
        self._allowed = (url.partition("#")[0], "data:", "blob:")
        self.page.bring_to_front()  # where another is in front, this one draws nothing
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.emulate_media(
            media="screen", color_scheme="dark" if dark else "light", reduced_motion="reduce"
        )
        self.page.goto(url)
        return self.page

    def leave(self) -> list[str]:
        """Return the complaints about the report; it stays until another one is opened."""
        told = [*self.complaints, *self.page.evaluate("window.violations ?? []")]
        self.complaints.clear()
        return told

    def _visit(self, url: str, complaint: str) -> None:
        if not url.startswith(self._allowed):
            self.complaints.append(complaint)


@pytest.fixture(scope="session")
def idle(browser: Browser) -> dict[bool, list[Watched]]:
    """Return the pages that show no report, those with scripts and those without."""
    return {True: [], False: []}


@pytest.fixture(scope="session")
def contexts(browser: Browser) -> dict[bool, BrowserContext]:
    """Return a context with scripts and one without."""
    made = {on: browser.new_context(java_script_enabled=on) for on in (True, False)}
    for context in made.values():
        context.set_default_timeout(30_000)
        context.add_init_script(_WATCH)
    return made


@pytest.fixture
def open_report(
    contexts: dict[bool, BrowserContext], idle: dict[bool, list[Watched]], tmp_path: Path
) -> Iterator[OpenReport]:
    """Open the report of a result; whatever it logs, fetches or breaks fails the test."""
    opened: list[tuple[bool, Watched]] = []

    def open_one(
        result: Result | str,
        fragment: str = "",
        *,
        width: int = 1280,
        dark: bool = False,
        scripts: bool = True,
    ) -> Page:
        path = tmp_path / f"report-{len(opened)}.html"
        text = result if isinstance(result, str) else "".join(render(result))
        path.write_text(text, encoding="utf-8")
        watched = idle[scripts].pop() if idle[scripts] else Watched(contexts[scripts])
        opened.append((scripts, watched))
        return watched.open(path.as_uri() + fragment, width=width, dark=dark)

    yield open_one
    complaints: list[str] = []
    for scripts, watched in opened:
        complaints += watched.leave()
        idle[scripts].append(watched)
    assert complaints == []
