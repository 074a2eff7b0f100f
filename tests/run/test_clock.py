"""The times of a run: one that rules compare with, and one that waivers expire by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from auditor.model import Completeness, Result
from auditor.policy import Ruleset
from auditor.run import CLOCK_TOLERANCE, audit
from auditor.sources import End, Event, Page, Restart
from tests.builders.listed import (
    TODAY,
    Listed,
)
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
            "--max-age 7 days: the snapshot is 7 days old",
        ),
        (timedelta(days=1), {"strict": True}, ""),
        (timedelta(days=1, seconds=1), {"strict": True}, "--strict: the snapshot is 24 hours old"),
        (timedelta(days=2), {"strict": True, "max_age": timedelta(days=7)}, ""),
        (
            timedelta(days=8),
            {"strict": True, "max_age": timedelta(days=7)},
            "--max-age 7 days: the snapshot is 8 days old",
        ),
        (timedelta(days=400), {}, ""),
        (timedelta(days=-1), {"max_age": timedelta(0)}, ""),
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
    assert reasons == ([f"{doubt}{way_out}"] if doubt else [])
    live = judged_as_of(house, as_of, **given)
    assert not [reason for reason in live.gate.reasons if "--max-age" in reason]
