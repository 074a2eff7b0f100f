"""What the page says about each rule with something to do."""

from __future__ import annotations

import dataclasses
import re
from urllib.parse import unquote

from msgspec.structs import replace
from playwright.sync_api import expect

from auditor.model import Account, BaselineUse, Finding, Outcome, Pipeline, Verdict
from auditor.reports.html import render
from auditor.reports.page.cards import affected, cards, finding_id
from auditor.reports.page.island import new_findings
from tests.builders.browser import OpenReport
from tests.builders.html_page import RESULT, status
from tests.builders.sample_histories import with_history
from tests.builders.sample_results import JUDGED_AT, sample_result

DATED = with_history(RESULT, 30)


def test_a_card_counts_connections_new_findings_and_days() -> None:
    fresh = new_findings(DATED)
    assert fresh
    made = cards(DATED, fresh)
    for name, card in made.items():
        mine = [f for f in DATED.findings if f.rule.id == name]
        unsettled = [f for f in mine if f.verdict in (Verdict.FAIL, Verdict.ERROR)]
        ids = {c.id for f in unsettled for c in f.connections}
        new = sum(DATED.findings[n].rule.id == name for n in fresh)
        assert DATED.history is not None
        oldest = max((JUDGED_AT - (DATED.history.since(f) or JUDGED_AT)).days for f in unsettled)
        assert card.line.startswith(f"{len(ids)} of 400 connections · {new or 'none'} new · ")
        assert f"oldest {oldest} day" in card.line
        assert len(card.chips) + card.more == len(ids)


def test_two_groups_of_one_name_are_two() -> None:
    ids = RESULT.connections.group_ids
    alike = dataclasses.replace(RESULT.connections, group_names=dict.fromkeys(ids, "Production"))
    for name, card in cards(replace(RESULT, connections=alike), None).items():
        of_rule = (f for f in RESULT.findings if f.rule.id == name)
        open_ones = (f for f in of_rule if f.verdict in (Verdict.FAIL, Verdict.ERROR))
        groups = {c.group_id for f in open_ones for c in f.connections}
        *_, line = card.line.split(" · ")
        named = re.findall(r"Production \((\w+)\)", line)
        more = re.findall(r"and (\d+) more group", line)
        assert set(named) <= groups
        assert len(named) + sum(map(int, more)) == len(groups)


def test_without_a_history_or_a_baseline_nothing_is_called_new() -> None:
    assert new_findings(RESULT) is None
    assert not any(" new" in card.line for card in cards(RESULT, None).values())


def test_with_a_baseline_what_it_does_not_know_is_new() -> None:
    use = BaselineUse("old.json", JUDGED_AT, 0, 1, 1, 0, 0, 0)
    first, second, *rest = RESULT.findings
    raised = replace(second, note="not known from old.json: its rule was less severe then")
    expired = replace(first, note="its waiver has expired, it held until 2026-01-01")
    told = replace(RESULT, baseline=use, describe=lambda: (expired, raised, *rest))
    fresh = new_findings(told)
    assert fresh is not None
    assert 0 in fresh, "an expired waiver does not make a violation an old one"
    assert 1 not in fresh
    assert {told.findings[n].verdict for n in fresh} == {Verdict.FAIL}


def test_the_worst_connections_come_first_and_their_chips_open(open_report: OpenReport) -> None:
    weights: dict[str, int] = {}
    for f in RESULT.findings:
        if f.verdict in (Verdict.FAIL, Verdict.ERROR):
            for c in f.connections:
                weights[c.id] = weights.get(c.id, 0) + 1000**f.rule.severity
    rule = RESULT.findings[0].rule
    card = cards(RESULT, None)[rule.id]
    shown = [unquote(chip.href).rpartition("/")[2] for chip in card.chips]
    assert [weights[each] for each in shown] == sorted(
        (weights[f.connections[0].id] for f in _open(rule.id)), reverse=True
    )[: len(shown)]
    page = open_report(RESULT)
    page.locator(".todo .names a").first.click()
    expect(page.get_by_role("dialog")).to_contain_text(shown[0])
    expect(page.get_by_role("dialog")).to_contain_text(rule.title)


def _open(rule_id: str) -> list[Finding]:
    wanted = (Verdict.FAIL, Verdict.ERROR)
    return [f for f in RESULT.findings if f.rule.id == rule_id and f.verdict in wanted]


def test_a_chip_of_a_group_leads_to_the_finding_of_the_group(open_report: OpenReport) -> None:
    chip = next(
        chip for chip in cards(RESULT, None)["one-name-per-service"].chips if "%40" in chip.href
    )
    page = open_report(RESULT, chip.href)
    group = next(f for f in RESULT.findings if finding_id(f) == unquote(chip.href[9:])).group
    expect(page.get_by_role("dialog")).to_contain_text(group)


def test_the_header_identifies_the_run(open_report: OpenReport) -> None:
    source = replace(DATED.source, account=Account("quiet_meridian", "Example"))
    run = Pipeline("https://ci.example.com/run/7?a=1&b=2", "0123456789abcdef")
    page = open_report(replace(DATED, source=source, pipeline=run))
    said = page.locator(".identity").inner_text().replace("\n", " ")
    new = len(new_findings(DATED) or ())
    for words in (
        "Account Example (quiet_meridian)", "Policies baseline, house", "Commit 0123456789ab",
        f"Affected {affected(DATED)} of 400 connections", f"New {new} violations",
    ):  # fmt: skip
        assert words in said
    assert page.get_by_role("link", name="in CI").get_attribute("href") == run.url
    page.locator(".chip[data-label=new]").click()
    assert status(page).startswith(f"{new} of ")


def test_only_an_address_becomes_a_link() -> None:
    run = Pipeline("javascript:alert(1)", "")
    assert "in CI" not in "".join(render(replace(RESULT, pipeline=run)))


def test_changes_since_a_baseline_are_in_tiles(open_report: OpenReport) -> None:
    use = BaselineUse("old.json", JUDGED_AT, known=7, raised=2, new=3, fixed=5, waived=1, untold=4)
    page = open_report(replace(RESULT, baseline=use), scripts=False)
    tiles = page.locator(".changes .tile")
    shown = {t.split("\n")[0]: t.split("\n")[1].split()[0] for t in tiles.all_inner_texts()}
    assert shown == {"New": "3", "Fixed": "5", "Still open": "7", "No longer judged": "4"}
    expect(tiles.last).to_have_class("tile doubtful")
    expect(open_report(RESULT, scripts=False).locator(".changes")).to_have_count(0)


def test_only_what_failed_is_affected() -> None:
    """By a rule on connections or on groups; what could not be judged, or is accepted, is not."""
    found = [f for f in RESULT.findings if f.verdict is Verdict.FAIL]
    ids = {c.id for f in found for c in f.connections}
    others = {c.id for f in RESULT.findings for c in f.connections} - ids
    assert others
    assert affected(RESULT) == len(ids)


def test_a_run_that_affects_nothing_claims_no_number() -> None:
    text = "".join(render(sample_result(9, outcome=Outcome.PASSED)))
    assert not re.search("Affected", text)
