"""The times of a run: one that rules compare with, and one that waivers expire by."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from auditor.clock import to_the_second
from auditor.model import Completeness, Result
from auditor.output.target import Target
from auditor.policy import Ruleset
from auditor.run import CLOCK_TOLERANCE, audit
from auditor.sources import End, Event, Page, Restart
from auditor.sources.plan.source import PlanSource
from auditor.sources.saved.snapshot_file import SnapshotHeader, SnapshotWriter
from auditor.sources.saved.source import SnapshotSource
from tests.builders.listed import (
    TODAY,
    Listed,
    record,
)
from tests.builders.plans import plan_file
from tests.builders.scripted import BAD, GOOD, Scripted, options


def test_only_what_was_saved_says_when_it_was_taken(house: Ruleset):
    taken = TODAY - timedelta(hours=1)
    for kind, told in (("api", None), ("snapshot", taken)):
        result = audit(Listed([GOOD], kind=kind, as_of=taken), house, options(now=TODAY))
        assert result.taken_at == told


LATER = TODAY + timedelta(days=40)


def judged_as_of(house: Ruleset, as_of: datetime | None, kind: str = "api", **more: Any) -> Result:
    return audit(Listed([GOOD], kind=kind, as_of=as_of), house, options(**more))


@pytest.mark.parametrize("seconds", [-300, -1, 0, 300])
def test_small_differences_of_clocks_are_nothing(house: Ruleset, seconds: int):
    result = judged_as_of(house, TODAY + timedelta(seconds=seconds))
    assert (result.judged_at, result.clock_note, result.warnings) == (TODAY, "", ())


@pytest.mark.parametrize("seconds", [-301, 301, 86_400])
def test_the_server_s_clock_counts_where_this_one_is_far_off(house: Ruleset, seconds: int):
    theirs = TODAY + timedelta(seconds=seconds)
    result = judged_as_of(house, theirs)
    assert result.judged_at == theirs
    (warning,) = result.warnings
    ours, said = "2026-03-10T12:00:00Z", theirs.isoformat().replace("+00:00", "Z")
    assert warning == (
        f"this machine's clock says {ours}, the server's {said}: the server's counts; set this"
        " machine's"
    )
    assert timedelta(minutes=5) == CLOCK_TOLERANCE


def test_a_snapshot_is_judged_as_of_its_time_and_says_so(house: Ruleset):
    taken = datetime(2026, 1, 1, 6, 30, tzinfo=timezone(timedelta(hours=5)))
    result = judged_as_of(house, taken, kind="snapshot")
    assert result.judged_at == taken
    assert result.clock_note == "judged as of 2026-01-01T01:30:00Z, when the snapshot was taken"
    assert result.warnings == ()


@pytest.mark.parametrize("kind", ["api", "snapshot"])
def test_now_outranks_every_clock_and_is_told_in_utc(house: Ruleset, kind: str):
    given = datetime(2026, 3, 11, 2, 0, tzinfo=timezone(timedelta(hours=-5)))
    result = judged_as_of(house, LATER, kind=kind, now=given)
    assert result.judged_at == given
    assert result.clock_note == "judged as of 2026-03-11T07:00:00Z, given with --now"


@pytest.mark.parametrize("kind", ["api", "snapshot"])
def test_without_a_time_of_the_source_this_clock_counts(house: Ruleset, kind: str):
    result = judged_as_of(house, None, kind=kind)
    assert (result.judged_at, result.clock_note) == (TODAY, "")


def test_the_time_of_the_first_page_is_that_of_all(house: Ruleset):
    def events(page: Callable[..., Page]) -> Iterator[Event]:
        yield page(GOOD, as_of=LATER)
        yield page(BAD, as_of=LATER + timedelta(hours=1))
        yield Restart("it moved")
        yield page(GOOD, as_of=LATER + timedelta(hours=2))
        yield End(Completeness.ONE_WALK)

    assert audit(Scripted(events), house, options()).judged_at == LATER


@pytest.mark.parametrize(
    ("age", "given", "doubt"),
    [
        (timedelta(days=7), {"max_age": timedelta(days=7)}, ""),
        (
            timedelta(days=7, seconds=1),
            {"max_age": timedelta(days=7)},
            "--max-age 7 days: the snapshot is more than 7 days old",
        ),
        (timedelta(days=1), {"strict": True}, ""),
        (
            timedelta(days=1, seconds=1),
            {"strict": True},
            "--strict: the snapshot is 24 hours old",
        ),
        (timedelta(days=2), {"strict": True, "max_age": timedelta(days=7)}, ""),
        (
            timedelta(days=8),
            {"strict": True, "max_age": timedelta(days=7)},
            "--max-age 7 days: the snapshot is 8 days old",
        ),
        (timedelta(days=400), {}, ""),
        (
            timedelta(seconds=1),
            {"max_age": timedelta(0)},
            "--max-age 0 seconds: the snapshot is 1 second old",
        ),
        (timedelta(minutes=-5), {"max_age": timedelta(0)}, ""),
        (timedelta(days=-1), {}, ""),
        (timedelta(hours=-1), {"max_age": timedelta(hours=1)}, ""),
        (
            None,
            {"max_age": timedelta(days=7)},
            "--max-age 7 days: the saved listing does not say when it was taken",
        ),
    ],
)
def test_a_snapshot_answers_for_the_account_up_to_its_greatest_age(
    house: Ruleset, age: timedelta | None, given: dict[str, Any], doubt: str
):
    as_of = None if age is None else TODAY - age
    result = judged_as_of(house, as_of, kind="snapshot", **given)
    reasons = [reason for reason in result.gate.reasons if "saved" in reason or "old" in reason]
    way_out = "; fetch again, or raise --max-age to judge it all the same"
    if as_of is None:
        way_out = "; save it with `fivetran-auditor fetch`, which notes the time"
    assert reasons == ([f"{doubt}{way_out}"] if doubt else [])
    live = judged_as_of(house, as_of, **given)
    assert not [reason for reason in live.gate.reasons if "--max-age" in reason]


@pytest.mark.parametrize(
    ("ahead", "given"),
    [
        (timedelta(days=1), {}),
        (timedelta(days=1), {"max_age": timedelta(days=7)}),
        (timedelta(days=1), {"strict": True}),
        # An hour's age cannot be told by clocks that are more than an hour apart.
        (timedelta(hours=1), {"max_age": timedelta(hours=1)}),
        (timedelta(minutes=5), {"max_age": timedelta(0)}),
    ],
    ids=str,
)
def test_nobody_knows_the_age_of_a_snapshot_that_is_still_to_be_taken(
    house: Ruleset, ahead: timedelta, given: dict[str, Any]
):
    coming = TODAY + ahead + timedelta(seconds=1)
    result = judged_as_of(house, coming, kind="snapshot", **given)
    assert result.gate.exit_code == 3
    (said,) = (reason for reason in result.gate.reasons if "a clock is wrong" in reason)
    assert f"taken at {to_the_second(coming)}" in said
    assert f"clock says {to_the_second(TODAY)}" in said


def snapshot(path: Path, age: timedelta, *records: dict[str, Any]) -> Path:
    """Write what was listed an ``age`` ago."""
    with SnapshotWriter(Target.named(path), SnapshotHeader(TODAY - age, "")) as writer:
        writer.add(list(records))
        writer.finish(walks=1, completeness=Completeness.ONE_PAGE)
    return path


WEEK, MONTH = timedelta(days=7), timedelta(days=30)
OLD = "--max-age 7 days: the snapshot is 30 days old"
UNDATED = "--max-age 7 days: the saved listing does not say when it was taken"


def doubts(result: Result) -> list[str]:
    return [each for each in result.gate.reasons if each.startswith("--max-age")]


def test_a_snapshot_of_no_connection_has_its_age_too(house: Ruleset, tmp_path: Path):
    source = SnapshotSource(snapshot(tmp_path / "s.ndjson", MONTH))
    result = audit(source, house, options(allow_empty=True, max_age=WEEK))
    assert [each.partition(";")[0] for each in doubts(result)] == [OLD]
    assert result.judged_at == result.taken_at == TODAY - MONTH
    young = SnapshotSource(snapshot(tmp_path / "s.ndjson", WEEK))
    assert audit(young, house, options(allow_empty=True, max_age=WEEK)).gate.exit_code == 0


@pytest.mark.parametrize("names", ["ab", "ba"])
def test_of_several_snapshots_the_oldest_counts(house: Ruleset, tmp_path: Path, names: str):
    for name, age in zip(names, (timedelta(0), MONTH), strict=True):
        snapshot(tmp_path / f"{name}.ndjson", age, record(name))
    result = audit(SnapshotSource(tmp_path), house, options(max_age=WEEK))
    assert [each.partition(";")[0] for each in doubts(result)] == [OLD]
    assert result.taken_at == TODAY - MONTH


def test_one_of_several_snapshots_may_be_from_the_future(house: Ruleset, tmp_path: Path):
    for name, age in (("a", timedelta(0)), ("b", -WEEK)):
        snapshot(tmp_path / f"{name}.ndjson", age, record(name))
    result = audit(SnapshotSource(tmp_path), house, options())
    assert result.gate.exit_code == 3
    assert f"taken at {to_the_second(TODAY + WEEK)}" in result.gate.reasons[0]


def test_what_does_not_say_its_time_beside_a_snapshot_may_be_of_any_age(
    house: Ruleset, tmp_path: Path
):
    snapshot(tmp_path / "a.ndjson", timedelta(0), GOOD)
    (tmp_path / "b.json").write_text(json.dumps([record("c")]))
    result = audit(SnapshotSource(tmp_path), house, options(max_age=WEEK))
    assert [each.partition(";")[0] for each in doubts(result)] == [UNDATED]
    assert result.taken_at is None


def test_what_cannot_be_read_has_no_age(house: Ruleset, tmp_path: Path):
    (tmp_path / "s.json").write_text("[{")
    source = SnapshotSource(tmp_path / "s.json")
    result = audit(source, house, options(strict=True, max_age=WEEK))
    assert result.gate.exit_code == 3
    assert doubts(result) == []


@pytest.mark.parametrize(
    ("first", "other", "doubt"),
    [
        ("live", MONTH, OLD),
        ("live", WEEK, None),
        ("live", None, UNDATED),
        (timedelta(0), MONTH, OLD),
        (timedelta(0), None, UNDATED),
        (MONTH, timedelta(0), OLD),
    ],
)
def test_a_plan_answers_for_every_account_that_it_is_laid_over(
    house: Ruleset,
    tmp_path: Path,
    first: timedelta | str,
    other: timedelta | None,
    doubt: str | None,
):
    def saved(name: str, age: timedelta | None) -> SnapshotSource:
        path = tmp_path / f"{name}.json"
        if age is None:
            path.write_text(json.dumps([record(name)]))
            return SnapshotSource(path)
        return SnapshotSource(snapshot(path, age, record(name)))

    def listed_now(page: Callable[..., Page]) -> Iterator[Event]:
        yield page(GOOD, as_of=TODAY)
        yield End(Completeness.ONE_PAGE)

    source = PlanSource(str(plan_file("accounts")))
    one = Scripted(listed_now, live=True) if isinstance(first, str) else saved("one", first)
    source.lay_over({"fivetran": one, "fivetran.eu": saved("two", other)})
    result = audit(source, house, options(max_age=WEEK))
    assert [each.partition(";")[0] for each in doubts(result)] == ([doubt] if doubt else [])
    # What is listed now says what time it is.
    assert result.judged_at == (TODAY if first == "live" else TODAY - max(first, other or first))


def test_an_old_answer_among_those_of_an_account_under_a_plan_is_noticed(house: Ruleset):
    def listed_now(page: Callable[..., Page]) -> Iterator[Event]:
        yield page(GOOD, as_of=TODAY)
        yield page(BAD, as_of=TODAY - timedelta(days=2))
        yield End(Completeness.ONE_WALK)

    source = PlanSource(str(plan_file("small")))
    source.lay_over({"": Scripted(listed_now, live=True)})
    (problem, *_) = audit(source, house, options()).listing.problems
    assert "either the response is old, or a clock is wrong" in problem
