"""The account by control."""

from __future__ import annotations

from msgspec.structs import replace
from playwright.sync_api import expect

from auditor.model import Outcome, Verdict
from auditor.reports.page.controls import controls
from tests.builders.browser import OpenReport
from tests.builders.html_page import RESULT, axe, status
from tests.builders.sample_results import HOSTILE, sample_result


def test_every_check_of_a_rule_counts_under_each_of_its_controls() -> None:
    made = {(each.framework, each.name): each for each in controls(RESULT)}
    named = {(f, n) for c in RESULT.checks for f, names in c.rule.controls for n in names}
    assert set(made) == named
    assert list(made) == sorted(made)
    for (framework, name), each in made.items():
        mine = [c for c in RESULT.checks if name in dict(c.rule.controls).get(framework, ())]
        counted = (each.passed, each.failed, each.unjudged, each.accepted, each.skipped)
        assert sum(counted) == sum(c.total for c in mine)
        assert each.failed == sum(c.count(Verdict.FAIL) for c in mine)


def test_a_control_claims_no_more_than_its_checks_show() -> None:
    unjudged = [each for each in controls(RESULT) if each.unjudged]
    assert {each.stands for each in unjudged} == {"not judged in full"}
    failed = controls(sample_result(400, 10, outcome=Outcome.VIOLATIONS))
    assert {each.stands for each in failed} == {"violated"}
    passed = controls(sample_result(400, 10, outcome=Outcome.PASSED))
    assert {each.stands for each in passed} == {"with exceptions"}
    assert {each.stands for each in controls(sample_result(0))} == {"no check was made"}


def test_the_table_leads_to_the_findings_of_a_control(open_report: OpenReport) -> None:
    page = open_report(RESULT)
    rows = page.locator(".controls tbody tr")
    made = controls(RESULT)
    assert rows.count() == len(made)
    rows.first.get_by_role("link").first.click()
    expected = sum(
        made[0].name in dict(f.rule.controls).get(made[0].framework, ()) for f in RESULT.findings
    )
    assert status(page).startswith(f"{expected} of ")
    assert axe(page) == []


def test_without_controls_there_is_no_table(open_report: OpenReport) -> None:
    bare = [replace(c, rule=replace(c.rule, controls=())) for c in RESULT.checks]
    page = open_report(replace(RESULT, checks=tuple(bare)))
    expect(page.locator(".controls")).to_have_count(0)


def test_hostile_controls_stay_text(open_report: OpenReport) -> None:
    page = open_report(sample_result(20, hostile=True))
    expect(page.locator(".controls")).to_contain_text(HOSTILE[0])
    page.locator(".controls tbody a").first.click()
    assert page.evaluate("window.pwned") is None
    expect(page.locator(".problem")).to_have_text("")
