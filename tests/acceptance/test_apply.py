"""Exceptions on a run: what is accepted, what has ended, and every sentence about them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from msgspec.structs import replace

from auditor.model import Completeness
from auditor.policy import Ruleset
from auditor.redaction.fields import Scrubber
from auditor.run import Options, audit
from tests.builders.listed import (
    TODAY,
    Listed,
    baseline_from,
    counts_of,
    json_of,
    record,
    waiver,
)
from tests.builders.waived import FAST, judged


def test_the_gate_and_the_result_say_how_many_are_waived(house: Ruleset, tmp_path: Path):
    result = judged(house, tmp_path, waiver(connections="all"), FAST)
    assert "3 violations waived" in result.gate.reasons
    (accepted,) = result.accepted
    assert accepted.startswith("3 violations waived by ")
    assert "(1 of 1 waiver in force, sha256:" in accepted


@pytest.mark.parametrize(
    ("expires", "now", "verdict"),
    [
        ("2026-03-10", datetime(2026, 3, 10, 23, 59, 59, tzinfo=UTC), "waived"),
        ("2026-03-10", datetime(2026, 3, 11, tzinfo=UTC), "fail"),
        ("2026-03-10T12:00:00Z", datetime(2026, 3, 10, 12, tzinfo=UTC), "waived"),
        ("2026-03-10T12:00:00Z", datetime(2026, 3, 10, 12, 0, 1, tzinfo=UTC), "fail"),
        ("2026-03-10T12:00:00+02:00", datetime(2026, 3, 10, 11, tzinfo=UTC), "fail"),
        ("9999-12-31", datetime(2026, 3, 10, tzinfo=UTC), "waived"),
    ],
)
def test_it_ends_with_its_last_moment(
    house: Ruleset, tmp_path: Path, expires: str, now: datetime, verdict: str
):
    result = judged(house, tmp_path, waiver(expires=expires), FAST[:1], clock=lambda: now)
    assert [f.verdict.label for f in result.findings] == [verdict]
    assert any("has expired" in w for w in result.warnings) is (verdict == "fail")


def test_it_ends_by_the_real_clock_whatever_time_is_replayed(house: Ruleset, tmp_path: Path):
    past = TODAY - timedelta(days=400)
    text = waiver(expires="2026-03-01")
    assert counts_of(judged(house, tmp_path, text, FAST[:1], now=past))["fail"] == 1
    future = TODAY + timedelta(days=4000)
    result = judged(house, tmp_path, waiver(), FAST[:1], now=future)
    assert counts_of(result)["waived"] == 1


@pytest.mark.parametrize("now", [None, TODAY - timedelta(days=400)])
@pytest.mark.parametrize(("kind", "verdict"), [("api", "fail"), ("snapshot", "waived")])
def test_where_this_clock_is_wrong_the_live_server_counts_and_no_snapshot(
    house: Ruleset, tmp_path: Path, kind: str, verdict: str, now: datetime | None
):
    source = Listed(FAST[:1], kind, as_of=TODAY + timedelta(days=400))
    result = judged(house, tmp_path, waiver(), [], source=source, now=now)
    # Groups are not seen whole where the clock is a year off: that makes the run inconclusive.
    assert result.findings[0].verdict.label == verdict


@pytest.mark.parametrize("hours", [0, 14, -13])  # In UTC, wherever this machine is.
@pytest.mark.parametrize(("days", "told"), [(0, True), (14, True), (15, False), (200, False)])
def test_one_that_ends_soon_is_named(
    house: Ruleset, tmp_path: Path, days: int, told: bool, hours: int
):
    end = (TODAY + timedelta(days=days)).date().isoformat()
    now = TODAY.astimezone(timezone(timedelta(hours=hours)))
    result = judged(house, tmp_path, waiver(expires=end), FAST[:1], clock=lambda: now)
    soon = [w for w in result.warnings if f"ends soon: it holds through {end}" in w]
    assert bool(soon) is told


def test_what_matches_nothing_is_named(house: Ruleset, tmp_path: Path):
    text = waiver(rule="sync-flor") + waiver(connections="{id: gone}").removeprefix("waivers:\n")
    result = judged(house, tmp_path, text, FAST[:1])
    first, second = result.warnings
    assert "matches nothing: no rule is called sync-flor (did you mean sync-floor?)" in first
    assert "waivers.yaml:7:5" in second
    assert "matches nothing" in second


@pytest.mark.parametrize(
    ("connections", "told"),
    [
        ("group: finance", "finance is the name of a group; group takes its id, g1"),
        ("group: [sales, finance]", "finance is the name of a group; group takes its id, g1"),
        ("group: g1", "remove it if the violation is fixed"),
        ("group: elsewhere", "remove it if the violation is fixed"),
        ("schema: finance", "remove it if the violation is fixed"),
    ],
)
def test_a_group_that_a_waiver_names_by_its_name_is_told_with_its_id(
    house: Ruleset, tmp_path: Path, connections: str, told: str
):
    groups = [
        {"id": each, "name": name, "created_at": "2026-01-01T00:00:00Z"}
        for each, name in (("g1", "finance"), ("g2", "sales"))
    ]
    source = Listed([record("a"), record("b", group_id="g2")], lists={"group": groups})
    text = waiver(connections=f"{{{connections}}}")
    (warning,) = judged(house, tmp_path, text, [], source=source).warnings
    assert warning.endswith(f"matches nothing: {told}")


@pytest.mark.parametrize(
    "source",
    [
        Listed([record("b")], filters=(("group_id", "g1"),)),
        Listed([record("b")], completeness=Completeness.UNKNOWN),
        Listed([record("b")], completeness=Completeness.INCOMPLETE),
    ],
)
def test_what_was_not_listed_is_not_held_against_a_waiver(
    house: Ruleset, tmp_path: Path, source: Listed
):
    result = judged(house, tmp_path, waiver(), [], source=source)
    assert not [w for w in result.warnings if "matches nothing" in w]


def test_a_credential_in_a_reason_is_scrubbed(house: Ruleset, tmp_path: Path):
    scrubber = Scrubber([("key-of-the-account", "secret-of-the-account")])
    text = waiver(reason="the secret is secret-of-the-account")
    result = judged(house, tmp_path, text, FAST[:1], scrubber=scrubber)
    assert "secret-of-the-account" not in json_of(result)


def test_of_several_waivers_those_in_force_are_counted(house: Ruleset, tmp_path: Path):
    text = waiver(expires="2026-03-09") + waiver(connections="{id: b}").removeprefix("waivers:\n")
    (accepted,) = judged(house, tmp_path, text, FAST).accepted
    assert "(1 of 2 waivers in force, sha256:" in accepted


def test_a_waiver_of_a_rule_that_was_not_selected_is_no_mistake(house: Ruleset, tmp_path: Path):
    fewer = replace(house, unselected=("not-here-today",))
    text = waiver(rule="not-here-today") + waiver(rule="nor-ever").removeprefix("waivers:\n")
    (warning,) = judged(fewer, tmp_path, text, FAST).warnings
    assert "matches nothing: no rule is called nor-ever" in warning


def test_a_waiver_that_covers_what_it_is_for_is_not_warned_of(house: Ruleset, tmp_path: Path):
    assert judged(house, tmp_path, waiver(), FAST).warnings == ()


def test_a_baseline_tells_each_of_its_findings_by_what_became_of_it(house: Ruleset, tmp_path: Path):
    before = baseline_from(audit(Listed(FAST), house, Options(now=TODAY, clock=lambda: TODAY)))
    # Of three, one is still there, one is slower now, and one is gone; a fourth is new.
    later = [FAST[0], {**FAST[1], "sync_frequency": 60}, record("e", sync_frequency=5)]
    options = Options(now=TODAY, clock=lambda: TODAY, baseline=before)
    (accepted,) = audit(Listed(later), house, options).accepted
    assert accepted == (
        "1 violation known from baseline.json of 2026-03-10T12:00:00Z; 1 new, 1 fixed, 1 gone"
    )


def test_a_credential_in_what_is_fixed_is_scrubbed(house: Ruleset, tmp_path: Path):
    named = record("a", schema="secret-of-the-account", sync_frequency=5)
    options = Options(now=TODAY, clock=lambda: TODAY)
    before = baseline_from(audit(Listed([named, FAST[1]]), house, options))
    scrubber = Scrubber([("key-of-the-account", "secret-of-the-account")])
    mended = [{**named, "sync_frequency": 60}, FAST[1]]
    cleaned = Options(now=TODAY, clock=lambda: TODAY, baseline=before, scrubber=scrubber)
    result = audit(Listed(mended), house, cleaned)
    assert "1 fixed" in result.accepted[0]
    assert result.baseline is not None
    assert len(result.baseline.ended) == 1
    assert "secret-of-the-account" not in repr(result.baseline)


@pytest.mark.parametrize(
    ("chosen", "covered"),
    [("all", "3 violations"), ("{id: a}", "1 violation"), ("{id: z}", "nothing")],
)
def test_of_one_that_has_ended_it_is_told_what_it_covered(
    house: Ruleset, tmp_path: Path, chosen: str, covered: str
):
    text = waiver(expires="2026-03-09", connections=chosen)
    warnings = judged(house, tmp_path, text, FAST).warnings
    told = f"has expired (it held through 2026-03-09); it covered {covered} here"
    assert warnings[0].endswith(told)


@pytest.mark.parametrize(("floor", "void"), [(5, "1 violation"), (15, "2 violations")])
def test_a_waiver_whose_value_no_longer_holds_is_told_with_how_many(
    house: Ruleset, tmp_path: Path, floor: int, void: str
):
    text = waiver(connections="all", **{"while": f"{{sync_frequency: {{gte: {floor}}}}}"})
    listed = [record("a", sync_frequency=1), record("b", sync_frequency=5)]
    (warning,) = judged(house, tmp_path, text, listed).warnings
    assert warning.endswith(f"is void for {void}: no longer sync_frequency is at least {floor}")


def test_what_is_doubtful_in_the_waiver_file_is_told_by_the_run(house: Ruleset, tmp_path: Path):
    text = waiver(**{"while": "{schedule_type: {not_equals: hourly}}"})
    warnings = judged(house, tmp_path, text, [record("a", schedule_type="auto")]).warnings
    assert any("hourly" in warning for warning in warnings)
