"""The account by control."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace
from playwright.sync_api import expect

from auditor.model import Outcome, Verdict
from auditor.reports.page.controls import controls, hashes
from tests.builders.browser import OpenReport
from tests.builders.html_page import RESULT, axe, status
from tests.builders.paper import sheets
from tests.builders.sample_results import HOSTILE, sample_result


def test_every_check_of_a_rule_counts_under_each_of_its_controls() -> None:
    made = {(each.framework, each.name): each for each in controls(RESULT)}
    named = {(f, n) for c in RESULT.checks for f, names in c.rule.controls for n in names}
    assert set(made) == named
    for (framework, name), each in made.items():
        mine = [c for c in RESULT.checks if name in dict(c.rule.controls).get(framework, ())]
        counted = (
            each.passed, each.failed, each.unjudged, each.skipped, each.waived, each.known,
        )  # fmt: skip
        wanted = [sum(c.count(verdict) for c in mine) for verdict in Verdict]
        assert list(counted) == wanted
        assert sum(each.checks for each in each.exceptions) == each.waived + each.known


def test_numbers_in_names_count() -> None:
    names = ("A.8.12", "A.8.2", "A.5.9", "CC7", "CC6.10", "CC6.9", "9" * 5000, "")
    rule = replace(RESULT.checks[0].rule, controls=(("x", names),))
    made = controls(replace(RESULT, checks=(replace(RESULT.checks[0], rule=rule),)))
    ordered = ["", "9" * 5000, "A.5.9", "A.8.2", "A.8.12", "CC6.9", "CC6.10", "CC7"]
    assert [each.name for each in made] == ordered


def test_each_waiver_of_a_control_is_reported_with_owner_and_end() -> None:
    made = [each for each in controls(RESULT) if each.waived and each.known]
    assert made
    for each in made:
        told = dict(each.exceptions)
        assert told.pop("waived until 2026-06-30 by dana@example.com: migration under way")
        assert list(told.values()) == [each.known]


def test_of_very_many_waivers_the_rest_is_counted(open_report: OpenReport) -> None:
    result = sample_result(3000, 2)
    found = [
        replace(f, note=f"waived by {n} until 2026-06-30: r") if f.note else f
        for n, f in enumerate(result.findings)
    ]
    result = replace(result, describe=lambda: tuple(found))
    each = controls(result)[0]
    assert len(each.exceptions) == 50
    assert each.untold == each.waived + each.known - 50 > 0
    page = open_report(result)
    said = page.locator(".controls .stands").first.inner_text()
    assert f"and {each.untold:,} more exceptions; the JSON report lists them all" in said


def test_too_many_hashes_for_the_head_of_a_page_are_cut() -> None:
    (policy, *_) = RESULT.policies
    assert hashes(replace(RESULT, policies=(policy,) * 6))[5] == (policy.name, policy.sha256)
    cut = hashes(replace(RESULT, policies=(policy,) * 7))
    assert set(cut) == {(policy.name, policy.sha256[:16] + "…")}


@pytest.mark.usefixtures("pdftotext")
def test_every_sheet_of_the_annex_says_what_it_rests_on(
    open_report: OpenReport, tmp_path: Path
) -> None:
    many = tuple(("house", (f"D-{n}",)) for n in range(150))
    (first, *rest) = RESULT.checks
    first = replace(first, rule=replace(first.rule, controls=many))
    page = open_report(replace(RESULT, checks=(first, *rest)))
    page.evaluate("window.print = () => { window.printed = document.documentElement.className }")
    page.get_by_role("button", name="Print as an annex").click()
    assert "annex" in page.evaluate("window.printed").split()
    printed = sheets(page, tmp_path)
    assert len(printed) > 3
    for number, text in enumerate(printed, 1):
        assert f"Page {number} of {len(printed)}" in text
        assert "Findings" not in text
    # The last sheet may hold only what the run was, which says the same.
    listed = [text for text in printed if "house D-" in text]
    for text in listed:
        assert "judged as of 2026-03-14 09:26:53 UTC" in text
        assert f"listing: {RESULT.listing.completeness.value}, 400 of 400 connections" in text
        for policy in RESULT.policies:
            assert f"{policy.name} {policy.sha256}" in text
    assert {n for n in range(150) if any(f"house D-{n} " in text for text in listed)} == {
        *range(150)
    }
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(page.get_by_role("heading", name="Rules in force")).to_be_visible()


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
    assert axe(page, ".controls") == []


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
