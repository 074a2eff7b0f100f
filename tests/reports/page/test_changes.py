"""What a run says about an earlier one: tiles, what has ended by name, each rule's line."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace
from playwright.sync_api import expect

from auditor.model import BaselineUse, Ended, History, Result, Unjudged, Verdict
from auditor.reports.facts import unjudged
from auditor.reports.page.changes import MOST_NAMED, changes, sparks
from auditor.reports.page.island import new_findings
from tests.builders.browser import OpenReport
from tests.builders.sample_histories import WEEK, with_history
from tests.builders.sample_results import JUDGED_AT, sample_result

RESULT = sample_result(60, 6)


def _ended(count: int, *, gone: int = 0) -> tuple[Ended, ...]:
    connections = RESULT.connections
    rules = [rule.id for rule in RESULT.rules]
    return tuple(
        Ended(
            rules[n % 3],
            connections.schemas[n % 60],
            connections.ids[n % 60],
            gone=n < gone,
            since=JUDGED_AT - timedelta(days=n),
        )
        for n in range(count)
    )


def _remembering(result: Result, runs: int, ended: tuple[Ended, ...] = ()) -> Result:
    remembered = with_history(result, runs)
    assert remembered.history is not None
    return replace(remembered, history=replace(remembered.history, ended=ended))


def test_the_numbers_of_a_baseline_are_those_of_its_use() -> None:
    use = BaselineUse(
        "old.json", JUDGED_AT - WEEK, known=7, raised=2, new=3, fixed=5, waived=1, untold=4, gone=2,
        ended=_ended(7, gone=2),
    )  # fmt: skip
    found = changes(replace(RESULT, baseline=use), [])
    assert found is not None
    assert (found.new, found.raised, found.fixed, found.gone) == (3, 2, 5, 2)
    assert (found.still_open, found.waived, found.untold) == (7, 1, 4)
    assert sum(each.fixed for each in found.ended) == 5
    assert sum(each.gone for each in found.ended) == 2


def test_a_history_tells_new_from_open_and_what_it_lost_from_sight() -> None:
    result = _remembering(RESULT, 5, _ended(4, gone=1))
    history = result.history
    assert history is not None
    first = RESULT.rules[0].id
    lost = {**history.open_since, first: {**history.open_since[first], "unlisted": JUDGED_AT}}
    result = replace(result, history=replace(history, open_since=lost))
    fresh = new_findings(result)
    assert fresh
    found = changes(result, fresh)
    assert found is not None
    failed = sum(f.verdict.label == "fail" for f in result.findings)
    assert (found.new, found.still_open, found.untold) == (len(fresh), failed - len(fresh), 1)
    assert (found.fixed, found.gone) == (3, 1)
    assert unjudged(result) == [Unjudged(first, "unlisted", "unlisted")]
    # What was not listed has no sheet that its name could open.
    assert [each.shown for each in found.unjudged] == [(Unjudged(first, "unlisted"),)]
    assert unjudged(RESULT) == unjudged(_remembering(RESULT, 1)) == ()
    assert changes(RESULT, None) is None
    assert changes(_remembering(RESULT, 1), None) is None


def test_what_has_ended_is_named_severest_first_and_what_is_cut_is_counted() -> None:
    # Three rules take turns.
    found = changes(_remembering(RESULT, 3, _ended(3 * MOST_NAMED + 50)), [])
    assert found is not None
    severities = [each.rule.severity for each in found.ended]
    assert severities == sorted(severities, reverse=True)
    assert [len(each.shown) for each in found.ended] == [MOST_NAMED] * 3
    assert sum(each.fixed + each.gone for each in found.ended) == 3 * MOST_NAMED + 50


def test_a_rule_that_ended_everywhere_leaves_room_for_the_others() -> None:
    connections = RESULT.connections
    severest = max(RESULT.rules, key=lambda rule: rule.severity)
    other = next(rule for rule in RESULT.rules if rule is not severest)
    many = tuple(Ended(severest.id, f"name_{n}", f"id_{n}") for n in range(1_000))
    one = Ended(other.id, connections.schemas[0], connections.ids[0])
    found = changes(_remembering(RESULT, 3, (*many, one)), [])
    assert found is not None
    assert [(len(each.shown), each.fixed) for each in found.ended] == [(MOST_NAMED, 1_000), (1, 1)]


def _use(lost: tuple[Unjudged, ...], ended: tuple[Ended, ...] = ()) -> BaselineUse:
    return BaselineUse(
        "old.json", JUDGED_AT - WEEK, known=7, raised=0, new=3, fixed=len(ended), waived=0,
        untold=len(lost), ended=ended, unjudged=lost,
    )  # fmt: skip


def test_what_was_lost_from_sight_is_named_by_rule_and_what_is_cut_is_counted() -> None:
    ids, first = RESULT.connections.ids, RESULT.rules[0].id
    count = MOST_NAMED + 7
    lost = tuple(Unjudged("no-rule-any-more", "name", ids[n % 60]) for n in range(count))
    lost += (Unjudged(first, "known", ids[0]), Unjudged(first, "a group"))
    found = changes(replace(RESULT, baseline=_use(lost)), [])
    assert found is not None
    assert [(each.id, each.total, len(each.shown)) for each in found.unjudged] == [
        (first, 2, 2),
        ("no-rule-any-more", count, MOST_NAMED),
    ]
    assert [each.rule for each in found.unjudged] == [RESULT.rules[0], None]


def test_a_connection_s_sheet_says_what_became_of_it(open_report: OpenReport) -> None:
    failed = next(f for f in RESULT.findings if f.verdict is Verdict.FAIL and not f.group)
    (connection,) = failed.connections
    others = [rule.id for rule in RESULT.rules if rule.id != failed.rule.id]
    fixed = Ended(others[0], connection.schema, connection.id, since=JUDGED_AT - WEEK)
    lost = (
        Unjudged(others[1], connection.schema, connection.id),
        Unjudged("no-rule-any-more", connection.schema, connection.id),
    )
    result = replace(RESULT, baseline=_use(lost, (fixed,)))
    page = open_report(result, f"#connection={connection.id}")
    since = page.locator("#sheet .part").filter(has_text="Since the baseline of 2026-03-07")
    new = [f for f in RESULT.findings if f.verdict is Verdict.FAIL and connection in f.connections]
    changed = [row.partition("\t")[0] for row in since.locator("tbody tr").all_inner_texts()]
    assert changed == ["new"] * len(new) + ["fixed"] + ["no longer judged"] * 2
    expect(since).to_contain_text("was open since 2026-03-07")
    expect(since).to_contain_text("no-rule-any-more")
    gone = page.get_by_role("region", name="No longer judged", include_hidden=True)
    expect(gone).to_contain_text("not a rule of this run")


def test_a_long_name_of_what_has_ended_widens_no_phone(open_report: OpenReport) -> None:
    rule, name = RESULT.rules[0].id, "quarterly_revenue_by_region_" * 4
    ended, lost = Ended(rule, name, RESULT.connections.ids[0]), Unjudged(rule, name)
    page = open_report(replace(RESULT, baseline=_use((lost,), (ended,))), width=390)
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_a_rule_has_a_line_with_gaps_where_it_was_not_judged() -> None:
    result = with_history(RESULT, 6)
    assert result.history is not None
    first = RESULT.rules[0].id
    runs = list(result.history.runs)
    runs[2] = replace(
        runs[2], by_rule={r: n for r, n in (runs[2].by_rule or {}).items() if r != first}
    )
    runs[4] = replace(runs[4], filters=("group_id=a",))
    history = History(tuple(runs), {})
    spark = sparks(history, RESULT.rules)[first]
    assert [len(line.split()) for line in spark.lines] == [2, 2]
    now = (runs[-1].by_rule or {})[first]
    assert spark.words.startswith(f"{now:,} fail now")
    assert spark.words.partition(" in the first of ")[2].startswith("4 runs; ")
    assert sparks(None, RESULT.rules) == {}
    assert sparks(History(tuple(runs[-1:]), {}), RESULT.rules) == {}


def test_an_ended_finding_is_named_and_opens_its_connection(
    open_report: OpenReport,
) -> None:
    page = open_report(_remembering(RESULT, 4, _ended(7, gone=2)))
    ended = page.get_by_role("region", name="Fixed since the run before")
    expect(ended.get_by_text("gone", exact=True)).to_have_count(2)
    tile = page.locator(".changes .tile", has_text="Fixed")
    expect(tile).to_contain_text("5")
    expect(tile).to_contain_text("another 2 gone")
    ended.locator(".names a").first.click()
    expect(page.get_by_role("dialog")).to_contain_text("6 checks")


def test_the_trend_names_the_run_that_is_walked_to(open_report: OpenReport) -> None:
    page = open_report(with_history(RESULT, 4))
    picture = page.get_by_role("img", name="Violations by severity")
    picture.focus()
    page.keyboard.press("End")
    said = page.locator(".trend-said")
    expect(said).to_contain_text(f"{JUDGED_AT:%Y-%m-%d} 09:26 UTC")
    page.keyboard.press("ArrowLeft")
    expect(said).to_contain_text(f"{JUDGED_AT - WEEK:%Y-%m-%d} 09:26 UTC")
    page.locator("g[data-said]").first.hover()
    expect(said).to_contain_text(f"{JUDGED_AT - 3 * WEEK:%Y-%m-%d} 09:26 UTC")


@pytest.mark.parametrize(("count", "height"), [(0, 18.0), (1, 10.0), (60, 10.0)])
def test_a_level_line_is_half_way_up_and_none_at_the_bottom(count: int, height: float) -> None:
    result = with_history(RESULT, 3)
    assert result.history is not None
    first = RESULT.rules[0].id
    runs = tuple(replace(run, by_rule={first: count}) for run in result.history.runs)
    spark = sparks(History(runs, {}), RESULT.rules)[first]
    (line,) = spark.lines
    assert {float(point.partition(",")[2]) for point in line.split()} == {height}
