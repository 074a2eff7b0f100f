"""The page over all accounts."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from auditor.model import Severity, Verdict
from auditor.reports import ACCOUNT_REPORTS
from auditor.reports.accounts import AccountOutcome, Accounts, JudgedAccount, placeholder, render
from tests.builders.browser import OpenReport
from tests.builders.html_page import axe
from tests.builders.slow import mostly_slow

FILES = (("html", "a/report.html"), ("json", "a/report.json"))


def page(*outcomes: AccountOutcome) -> str:
    return "".join(render(Accounts(outcomes, "1.2.3")))


def judged(connections: int = 10, **fails: int) -> JudgedAccount:
    """Return an account whose answer is made up; ``fails`` are violations by severity."""
    violations = {severity.label: fails.get(severity.label, 0) for severity in Severity}
    counts = {verdict.label: 0 for verdict in Verdict}
    counts |= {"pass": 90, "fail": sum(fails.values()), "error": fails.get("error", 0)}
    answer = "VIOLATIONS  exit 1: some violations; judged by house"
    return JudgedAccount(answer, "2026-03-14T09:26:53.5Z", connections, counts, violations, ())


EVERY = (
    AccountOutcome("good", 0, judged(7), "", FILES),
    AccountOutcome("bad", 1, judged(20, critical=2, low=3), "", FILES),
    AccountOutcome("unset", 2, None, "PRODUCTION_KEY is not set", FILES),
    AccountOutcome("unclear", 3, judged(0), ""),
    AccountOutcome("lost", 4, None, "no space is left"),
)


def test_what_it_shows_is_escaped() -> None:
    hostile = "<script>x</script>"
    shown = page(AccountOutcome(hostile, 1, None, hostile, (("json", "a/<b>.json"),)))
    assert "<script" not in shown
    assert 'href="a/%3Cb%3E.json"' in shown


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (0, "passed, exit 0"),
        (1, "violations, exit 1"),
        (2, "not judged, exit 2"),
        (3, "inconclusive, exit 3"),
        (4, "failed, exit 4"),
        (130, "failed, exit 130"),
    ],
)
def test_an_exit_code_is_reported_in_words(code: int, told: str) -> None:
    shown = page(AccountOutcome("a", code))
    assert f"<span>{told}</span>" in shown
    assert f'<h1 id="verdict">{told.partition(",")[0].capitalize()}</h1>' in shown


def test_an_account_without_a_code_makes_the_page_unfinished() -> None:
    done = AccountOutcome("a", 0)
    assert "did not finish" not in page(done)
    shown = page(done, AccountOutcome("b"))
    assert "The run did not finish: 1 of 2 accounts are done." in shown
    assert "<span>not finished</span>" in shown
    assert ">Inconclusive</h1>" in shown


@pytest.mark.parametrize(
    ("outcomes", "lead"),
    [
        ((AccountOutcome("a", 0),), "The account was judged."),
        ((AccountOutcome("a", 0), AccountOutcome("b", 1)), "All 2 accounts were judged."),
        (EVERY, "2 of 5 accounts could be judged as a whole."),
    ],
)
def test_only_what_was_judged_as_a_whole_counts_as_judged(
    outcomes: tuple[AccountOutcome, ...], lead: str
) -> None:
    assert f'<p class="lead">{lead}</p>' in page(*outcomes)


def test_where_others_were_judged_the_headline_says_so() -> None:
    assert ">Not judged</h1>" in page(EVERY[2])
    assert ">Not all judged</h1>" in page(EVERY[0], EVERY[2])


def test_a_placeholder_is_a_page_without_a_pass_and_known_again() -> None:
    text = placeholder("1.2.3")
    assert ">Inconclusive</h1>" in text
    assert "did not finish" in text
    assert "passed" not in re.sub("<(style|svg).*?</(style|svg)>", "", text, flags=re.DOTALL)
    known = ACCOUNT_REPORTS["accounts"]
    assert known.placeholder("1.2.3") == text
    assert known.begins(text.encode())
    assert known.begins(page(AccountOutcome("a", 0)).encode())
    assert known.begins(b"<!doctype html>\n<title>Fivetran audit: all accounts</title>")
    assert not known.begins(b"<!doctype html>\n<title>Fivetran audit</title>")


@pytest.mark.parametrize(
    ("width", "dark"), mostly_slow([(1280, False), (320, True), (390, False)], 2)
)
def test_it_is_for_everyone(open_report: OpenReport, width: int, dark: bool) -> None:
    long = AccountOutcome("a" * 63, 1, judged(1, high=1), "", (("json", f"{'a' * 63}/x.json"),))
    shown = open_report(page(*EVERY, long), width=width, dark=dark)
    assert shown.evaluate("document.documentElement.scrollWidth") == width
    assert [each for each in axe(shown) if each[0] != "skip-link"] == []
    names = shown.locator(".accounts tbody th a, .accounts tbody th:not(:has(a))")
    assert names.all_inner_texts() == ["lost", "unclear", "unset", "bad", "a" * 63, "good"]
    tiles = " ".join(shown.locator(".tiles").inner_text().split())
    assert tiles == (
        "Accounts judged 3 of 6 Connections judged 28 in 4 accounts"
        " Violations 6 of 366 checks Gate Exit code 4 the worst of all"
    )
    reasons = shown.locator(".reasons li")
    expect(reasons.nth(0)).to_have_text("1 account failed: lost")
    expect(reasons.nth(3)).to_have_text(f"2 accounts with violations: bad and {'a' * 63}")
    row = shown.locator(".accounts tbody tr").nth(3)
    expect(row).to_contain_text("some violations; judged by house")
    expect(row).to_contain_text("Judged as of 2026-03-14 09:26:53 UTC")
    expect(row.locator("td[data-label=critical]")).to_have_text("2")
    assert row.get_by_role("link").all_inner_texts() == ["bad", "a/report.html", "a/report.json"]


def test_many_accounts_are_counted_and_a_few_of_them_named() -> None:
    shown = page(*(AccountOutcome(f"n{number}", 0) for number in range(8)))
    assert "<li>8 accounts passed: n0, n1, n2, n3, n4 and 3 more</li>" in shown
