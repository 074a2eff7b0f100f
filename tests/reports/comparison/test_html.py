"""The page and the text of a comparison: for everyone, hostile text stays text, long ones fit."""

from __future__ import annotations

from functools import cache

import pytest

from auditor.model import Outcome
from auditor.past.compare import Change, Comparison, compare
from auditor.past.earlier import report_of
from auditor.reports.comparison import COMPARISONS
from auditor.reports.comparison.html import MOST_CHANGES
from auditor.reports.markdown import LONGEST
from tests.builders.browser import OpenReport
from tests.builders.html_page import axe
from tests.builders.sample_results import sample_result


@cache
def compared(connections: int = 150, *, hostile: bool = False) -> Comparison:
    """Return a comparison of two made-up runs over the same connections, with every change."""
    kind = Outcome.INCONCLUSIVE
    old, new = (
        sample_result(connections, 9, seed=seed, outcome=kind, hostile=hostile) for seed in (1, 2)
    )
    return compare(report_of(old, "old.json"), report_of(new, "new.json"))


def page_of(comparison: Comparison) -> str:
    return "".join(COMPARISONS["html"].render(comparison))


def test_the_sample_has_nearly_everything():
    missing = {change for change, count in compared().counts.items() if not count}
    assert missing == {Change.RAISED, Change.GONE}  # both runs listed the same


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (380, True)])
def test_it_is_for_everyone(open_report: OpenReport, dark: bool, width: int) -> None:
    comparison = compared(40)
    page = open_report(page_of(comparison), dark=dark, width=width)
    assert page.locator("h1").inner_text() == "Inconclusive"
    for folded in page.locator("details.kind").all():
        folded.evaluate("element => element.open = true")
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shown = page.locator("details.kind tbody tr").count()
    assert shown == len(comparison.changes)


def test_hostile_text_stays_text(open_report: OpenReport) -> None:
    page = open_report(page_of(compared(hostile=True)))
    assert page.evaluate("window.pwned") is None
    assert page.locator("script").count() == 0


def test_a_large_one_is_cut_and_says_so() -> None:
    large = compared(4000)
    text = page_of(large)
    fixed = large.counts[Change.FIXED]
    assert fixed > MOST_CHANGES
    assert f"The first {MOST_CHANGES:,} of {fixed:,}" in text
    markdown = "".join(COMPARISONS["markdown"].render(large))
    assert len(markdown) <= LONGEST
    assert "shown, worst first; the JSON document holds them all" in markdown


@pytest.mark.parametrize("name", list(COMPARISONS))
def test_equal_comparisons_give_equal_text(name: str) -> None:
    texts = {"".join(COMPARISONS[name].render(compared())) for _ in range(2)}
    compared.cache_clear()
    assert texts == {"".join(COMPARISONS[name].render(compared()))}
