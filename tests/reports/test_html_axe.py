"""axe-core finds nothing, in whatever state a page is: widths, colours, with and without scripts.

The fast suite looks at a few; the slow one opens every page, and every view of one, at any width
and in any colours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from itertools import product
from typing import NamedTuple

import pytest
from msgspec.structs import replace
from playwright.sync_api import Page

from auditor.model import Outcome, Result, Verdict
from auditor.reports.accounts import AccountOutcome, Accounts
from auditor.reports.accounts import render as render_accounts
from auditor.reports.comparison import COMPARISONS
from auditor.reports.html import render
from tests.builders.browser import OpenReport
from tests.builders.html_page import axe
from tests.builders.sample_histories import with_history
from tests.builders.sample_results import narrowed, sample_result
from tests.reports.comparison.test_html import compared

WIDTHS = (320, 390, 768, 1280, 1920)
LOOKS = ("light", "dark", "forced colours")
#: What is done to a page of findings, as the fragment that says it.
VIEWS = {
    "as it opens": "",
    "filtered": "#severity=critical,high&q=status",
    "nothing selected": "#q=nothing-is-called-so",
    "a finding": "#finding=no-broken-connections%2Fconn_000007",
    "a connection": "#connection=conn_000001",
    "a rule": "#about=fresh",
    "a group": "#group=analytics_prod",
    "grouped": "#by=rule",
    "by control, unfolded": "#by=control&open=all",
    "connections": "#show=connections",
    "of a rule that is gone": "#rule=gone&q=age:old",
}


def one_finding() -> Result:
    result = sample_result(12, 3, outcome=Outcome.VIOLATIONS)
    passing = tuple(
        replace(c, verdicts=bytes([Verdict.PASS]) * len(c.verdicts), groups=())
        for c in result.checks
    )
    first = replace(passing[0], verdicts=bytes([Verdict.FAIL]) + passing[0].verdicts[1:])
    finding = replace(result.findings[0], connections=(result.connections[0],), rule=first.rule)
    return replace(result, checks=(first, *passing[1:]), describe=lambda: (finding,))


def page_of(result: Result) -> str:
    return "".join(render(result))


def accounts() -> str:
    outcomes = [
        AccountOutcome(f"of code {code}", code, error="An answer.") for code in (0, 1, 2, 3, 4)
    ]
    reports = (("html", "production/report.html"),)
    linked = AccountOutcome("production", 1, error="5 violations.", reports=reports)
    return "".join(render_accounts(Accounts((linked, *outcomes, AccountOutcome("b")), "1.0.0")))


PAGES: dict[str, Callable[[], str]] = {
    "inconclusive": lambda: page_of(with_history(sample_result(24, 8), 6)),
    "violations": lambda: page_of(sample_result(24, 8, outcome=Outcome.VIOLATIONS)),
    "passed": lambda: page_of(sample_result(24, 8, outcome=Outcome.PASSED)),
    "narrowed": lambda: page_of(narrowed(sample_result(12, 4))),
    "empty": lambda: page_of(sample_result(0)),
    "one finding": lambda: page_of(one_finding()),
    "many rules": lambda: page_of(sample_result(12, 40)),
    "comparison": lambda: "".join(COMPARISONS["html"].render(compared(12))),
    "accounts": accounts,
}


@cache
def text_of(name: str, *, scripts: bool) -> str:
    """Return a page. axe is a script too: without scripts, the page has none of its own."""
    text = PAGES[name]()
    return text if scripts else re.sub(r"<script>.*</script>", "", text, flags=re.DOTALL)


class State(NamedTuple):
    page: str
    width: int
    look: str
    view: str = "as it opens"
    scripts: bool = True

    def __str__(self) -> str:
        scripts = "" if self.scripts else ", no scripts"
        return f"{self.page}, {self.view}, {self.width}, {self.look}{scripts}"


def few() -> Iterator[State]:
    """Yield the states of the fast suite."""
    yield State("accounts", 320, "dark", scripts=False)
    yield State("inconclusive", 768, "light", "a connection")


def many() -> Iterator[State]:
    """Yield the states of the slow suite."""
    for view, look in product(VIEWS, LOOKS):
        for width in (320, 1280) if look != "forced colours" else (768,):
            yield State("inconclusive", width, look, view)
    for page, scripts in product(PAGES, (True, False)):
        for number, width in enumerate(WIDTHS):
            yield State(page, width, LOOKS[number % 3], scripts=scripts)


def seen(open_report: OpenReport, states: Iterator[State]) -> list[str]:
    """Return what is wrong in each of the states."""
    wrong: list[str] = []
    opened: dict[tuple[str, bool], Page] = {}
    for state in states:
        page = opened.get((state.page, state.scripts))
        if page is None:
            page = open_report(text_of(state.page, scripts=state.scripts))
            opened[state.page, state.scripts] = page
        page.bring_to_front()
        page.set_viewport_size({"width": state.width, "height": 700})
        page.emulate_media(
            color_scheme="dark" if state.look == "dark" else "light",
            forced_colors="active" if state.look == "forced colours" else "none",
        )
        if state.scripts:
            page.evaluate("fragment => { location.hash = fragment }", VIEWS[state.view] or "#")
            page.wait_for_timeout(20)
        wrong += [f"{state}: {found}" for found in axe(page)]
        if page.evaluate("document.documentElement.scrollWidth") > state.width:
            wrong.append(f"{state}: scrolls sideways")
    for page in opened.values():
        page.emulate_media(forced_colors="none")
    return wrong


def test_every_page_is_for_everyone(open_report: OpenReport) -> None:
    assert seen(open_report, few()) == []


def test_these_are_at_least_sixty_states() -> None:
    assert len(set(many())) >= 60


@pytest.mark.slow
@pytest.mark.parametrize("part", range(6))
def test_every_state_is_for_everyone(open_report: OpenReport, part: int) -> None:
    states = [state for number, state in enumerate(many()) if number % 6 == part]
    assert seen(open_report, iter(states)) == []
