"""The trend in the HTML report, and since when each finding is open."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from auditor.model import Outcome
from auditor.reports.facts import pressing
from auditor.reports.html import render
from auditor.reports.page.trend import HEIGHT, measured
from auditor.text import plural
from tests.builders.browser import OpenReport
from tests.builders.html_page import axe, column
from tests.builders.sample_histories import with_history
from tests.builders.sample_results import HOSTILE, sample_result
from tests.builders.slow import mostly_slow

PLAIN = sample_result(60, 10, outcome=Outcome.VIOLATIONS)
RESULT = with_history(PLAIN, 30)
assert RESULT.history is not None
RUNS = RESULT.history.runs


def test_without_a_history_there_is_neither_trend_nor_column() -> None:
    text = "".join(render(PLAIN))
    assert 'id="trend-title"' not in text
    assert '"sinces"' not in text


@pytest.mark.parametrize("runs", [1, 2, 60])
def test_every_bar_fits_and_is_stacked(runs: int) -> None:
    history = with_history(PLAIN, runs).history
    assert history is not None
    trend = measured(history)
    assert [bar.run for bar in trend.bars] == list(history.runs)
    assert trend.top == max(run.total for run in history.runs)
    for bar in trend.bars:
        floor = HEIGHT
        for piece in bar.pieces:
            assert piece.y + piece.height == floor
            assert 0 < piece.height <= HEIGHT
            floor = piece.y
        assert floor >= 0
        assert [piece.look for piece in bar.pieces] == ["critical", "high", "medium", "low"]
        assert (floor == 0) == (bar.run.total == trend.top)


def test_a_history_without_violations_is_drawn(open_report: OpenReport) -> None:
    clean = with_history(sample_result(10, 3, outcome=Outcome.PASSED), 1)
    page = open_report(clean)
    assert page.get_by_text("0 violations in the first run of this history.").is_visible()


@pytest.mark.parametrize("width", [1280, 320])
@pytest.mark.parametrize("runs", [2, 8, 12, 60])
def test_the_days_below_the_bars_do_not_touch(
    open_report: OpenReport, runs: int, width: int
) -> None:
    page = open_report(with_history(PLAIN, runs), width=width)
    first, last = page.locator(".trend-foot text").evaluate_all(
        "texts => texts.map((text) => text.getBoundingClientRect().toJSON())"
    )
    apart = last["left"] - first["right"] >= 6 or last["top"] >= first["bottom"]
    assert apart, (first, last)


def test_the_day_of_all_runs_is_there_once() -> None:
    history = with_history(PLAIN, 3).history
    assert history is not None
    day = history.runs[-1].judged_at
    runs = tuple(
        replace(run, judged_at=day.replace(hour=hour)) for hour, run in enumerate(history.runs)
    )
    (shown,) = measured(replace(history, runs=runs)).dates
    assert (shown.text, shown.x) == (f"{day:%Y-%m-%d}", "0%")


@pytest.mark.parametrize(("width", "dark"), mostly_slow([(1280, False), (380, True)], 2))
def test_the_trend_is_drawn_for_everyone(open_report: OpenReport, dark: bool, width: int) -> None:
    page = open_report(RESULT, dark=dark, width=width)
    picture = page.get_by_role("img", name=re.compile("Violations by severity, run by run"))
    assert picture.locator("g").count() == 30
    page.get_by_text("The numbers", exact=True).click()
    rows = page.locator(".runs tbody tr")
    assert rows.count() == 30
    cells = [text.strip() for text in rows.first.locator("td.n").all_inner_texts()]
    last = RUNS[-1]
    severest = [str(count) for _, count in reversed(last.violations)]
    assert cells == [
        *severest, str(last.total), str(last.errors), str(last.waived), str(last.known),
        str(last.connections),
    ]  # fmt: skip
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert axe(page, ".trend") == []


def test_the_trend_is_there_without_scripts(open_report: OpenReport) -> None:
    page = open_report(RESULT, scripts=False)
    assert page.locator(".trend svg g").count() == 30
    since = RESULT.history and RESULT.history.since(RESULT.findings[0])
    assert since is not None
    words = page.locator("#plain-rows tr").first.inner_text()
    assert f"open since {since:%Y-%m-%d}" in words


def test_the_table_and_the_sheet_say_since_when(open_report: OpenReport) -> None:
    page = open_report(RESULT)
    history = RESULT.history
    assert history is not None
    shown = column(page, "since")
    rows = pressing(RESULT, len(RESULT.findings))
    days = [(RESULT.judged_at - since).days for f in rows if (since := history.since(f))]
    assert len(shown) > 10
    assert shown == [plural(n, "day") if n else "today" for n in days[: len(shown)]]
    page.get_by_role("button", name="Open").click()
    assert column(page, "since")[0] == plural(max(days), "day")
    assert page.locator(".rows .c-since").first.get_attribute("title").startswith("Open since 20")
    page.locator(".rows .row").first.click()
    age = (RUNS[-1].judged_at - RUNS[0].judged_at).days
    said = f"Open since {RUNS[0].judged_at:%Y-%m-%d %H:%M} UTC, {age} days before this run"
    assert page.locator("#sheet .since").inner_text() == said


def test_a_hostile_history_stays_text(open_report: OpenReport) -> None:
    result = with_history(sample_result(40, 10, hostile=True), 5)
    history = result.history
    assert history is not None
    runs = tuple(replace(run, policies=(HOSTILE[1],)) for run in history.runs)
    page = open_report(replace(result, history=replace(history, runs=runs)))
    assert page.evaluate("window.pwned") is None
