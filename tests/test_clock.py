"""Times and durations: units, zones and ends of days, each by hand."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.clock import (
    UNITS_BY_NAME,
    WEEKDAYS,
    apart,
    in_words,
    iso,
    longest_gap,
    parse_duration,
    parse_relative,
    parse_time_of_day,
    parse_timestamp,
    to_the_second,
)
from auditor.policy import load_policies
from auditor.run import audit
from tests.builders.listed import TODAY, Listed, counts_of, record
from tests.builders.scripted import options

CHATHAM = timezone(timedelta(hours=12, minutes=45))
NEW_YORK = timezone(timedelta(hours=-5))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1s", 1),
        ("90m", 5_400),
        ("36h", 129_600),
        ("1d", 86_400),
        ("7d", 604_800),
        ("1w", 604_800),
        ("2w", 1_209_600),
        ("0d", 0),
        ("999999s", 999_999),
    ],
)
def test_a_duration_is_so_many_seconds(text: str, seconds: int):
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    ["", "7", "d", "7 d", "7D", "-7d", "+7d", "1.5h", "1000000s", "7d ", "\u0667d", "1y"],
)
def test_invalid_durations_are_refused(text: str):
    assert parse_duration(text) is None
    assert parse_relative(f"now-{text}") is None


def test_units_have_their_lengths():
    assert {name: unit.total_seconds() for name, unit in UNITS_BY_NAME.items()} == {
        "seconds": 1,
        "minutes": 60,
        "hours": 3_600,
        "days": 86_400,
        "weeks": 604_800,
    }


@pytest.mark.parametrize(
    ("text", "hours"),
    [("now", 0), ("now+6h", 6), ("now-6h", -6), ("now-2w", -336), ("now+30d", 720), ("now-0s", 0)],
)
def test_a_time_relative_to_now_is_so_many_hours_off(text: str, hours: int):
    assert parse_relative(text) == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", "Now", "now +6h", "now6h", "now+", "6h", "now+6h+6h"])
def test_what_is_not_relative_to_now(text: str):
    assert parse_relative(text) is None


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31T12:00:00Z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31T12:00:00+05:00", datetime(2026, 1, 31, 7, tzinfo=UTC)),
        ("2026-01-31T00:30:00+12:45", datetime(2026, 1, 30, 11, 45, tzinfo=UTC)),
        ("2026-01-31T23:00:00-05:00", datetime(2026, 2, 1, 4, tzinfo=UTC)),
        ("2024-12-01T15:43:29.013729Z", datetime(2024, 12, 1, 15, 43, 29, 13_729, tzinfo=UTC)),
        ("2024-02-29T00:00:00Z", datetime(2024, 2, 29, tzinfo=UTC)),
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_a_time_is_the_moment_that_its_zone_says(text: str, moment: datetime):
    assert parse_timestamp(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-01-31",
        "2026-01-31T12:00:00",
        "2026-01-31T12:00:60Z",
        "2026-01-31T24:00:00Z",
        "2026-02-30T00:00:00Z",
        "2025-02-29T00:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "2026-01-31T12:00:00Z ",
        "\ud800",
    ],
)
def test_what_says_no_moment(text: str):
    assert parse_timestamp(text) is None


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("00:00", 0),
        ("00:59", 59),
        ("01:00", 60),
        ("14:00", 840),
        ("14:00:00", 840),
        ("23:59", 1439),
    ],
)
def test_a_time_of_day_is_minutes_since_midnight(text: str, minutes: int):
    assert parse_time_of_day(text) == minutes


@pytest.mark.parametrize("text", ["24:00", "2:00", "02:60", "14:00:01", "14:00Z", "1\uff14:00"])
def test_invalid_times_of_day_are_refused(text: str):
    assert parse_time_of_day(text) is None


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 1, 31, 12, tzinfo=UTC), "2026-01-31T12:00:00Z"),
        (datetime(2026, 1, 31, 12, tzinfo=NEW_YORK), "2026-01-31T17:00:00Z"),
        (datetime(2026, 1, 1, 0, 30, tzinfo=CHATHAM), "2025-12-31T11:45:00Z"),
    ],
)
def test_every_time_is_written_in_utc(moment: datetime, text: str):
    assert iso(moment) == to_the_second(moment) == text


def test_people_read_no_fractions_and_machines_do():
    moment = datetime(2026, 1, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    assert to_the_second(moment) == "2026-01-31T23:59:59Z"
    assert iso(moment) == "2026-01-31T23:59:59.999999Z"


@given(
    st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 12, 31)),  # noqa: DTZ001
    st.integers(-14 * 60, 14 * 60),
)
def test_what_is_written_is_read_back(naive: datetime, offset: int):
    moment = naive.replace(tzinfo=timezone(timedelta(minutes=offset)))
    assert parse_timestamp(iso(moment)) == moment


_ZONES = st.integers(-14, 14).map(lambda hours: timezone(timedelta(hours=hours)))


@pytest.mark.parametrize(
    ("days", "gap"),
    [
        (WEEKDAYS[:5], 3),
        (WEEKDAYS[:6], 2),
        (("SUNDAY",), 7),
        (("MONDAY", "FRIDAY"), 4),
        (("FRIDAY", "MONDAY", "FRIDAY"), 4),
        (("MONDAY", "TUESDAY"), 6),
        (("TUESDAY", "THURSDAY", "SATURDAY"), 3),
        (WEEKDAYS, 0),
        ((), 0),
    ],
)
def test_the_longest_gap(days, gap):
    assert longest_gap(days) == timedelta(days=gap)


def test_days_are_named_as_the_api_names_them():
    names = "MONDAY TUESDAY WEDNESDAY THURSDAY FRIDAY SATURDAY SUNDAY".split()
    assert [longest_gap([name]) for name in names] == [timedelta(weeks=1)] * 7
    assert longest_gap(iter(names[::-1])) == timedelta(0)
    assert longest_gap(iter(["SUNDAY", "WEDNESDAY", "FRIDAY"])) == timedelta(days=3)


@pytest.mark.parametrize(("ahead", "verdict"), [(0, "pass"), (300, "pass"), (301, "error")])
def test_a_time_that_is_more_than_five_minutes_ahead_is_no_age(
    tmp_path: Path, ahead: int, verdict: str
):
    path = tmp_path / "p.yaml"
    path.write_text(
        "policy: p\nrules: [{id: r, severity: low, assert: {succeeded_at: {newer_than: 1d}}}]\n"
    )
    at = iso(TODAY + timedelta(seconds=ahead))
    result = audit(Listed([record("a", succeeded_at=at)]), load_policies(str(path)), options())
    assert counts_of(result) == {verdict: 1}


@pytest.mark.parametrize("odd", ["monday", "FUNDAY", "", None, 1, ["MONDAY"]])
def test_what_is_not_a_day_has_no_gap(odd):
    assert longest_gap(["MONDAY", odd]) is None


@given(
    st.sets(st.sampled_from(WEEKDAYS), min_size=1, max_size=6),
    st.integers(0, 3650),
    st.integers(0, 1439),
    _ZONES,
)
def test_no_two_chosen_days_are_further_apart(days, day, minute, zone):
    """From a minute of a chosen day to the same minute of the next is at most the gap."""
    moment = datetime(2026, 1, 1, tzinfo=UTC).astimezone(zone) + timedelta(days=day, minutes=minute)
    gap = longest_gap(days)
    if WEEKDAYS[moment.weekday()] in days:
        later = (moment + timedelta(days=n) for n in range(1, 8))
        following = next(m for m in later if WEEKDAYS[m.weekday()] in days)
        assert following - moment <= gap
        assert gap <= timedelta(days=7)


@pytest.fixture(name="tokyo")
def _tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let this machine be in Tokyo."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("tokyo")
def test_the_zone_of_this_machine_changes_nothing():
    assert datetime(2026, 1, 31, 12, tzinfo=UTC).astimezone().utcoffset() == timedelta(hours=9)
    assert iso(datetime(2026, 1, 31, 12, tzinfo=UTC)) == "2026-01-31T12:00:00Z"
    last = parse_timestamp("9999-12-31T20:00:00Z")
    assert last == datetime(9999, 12, 31, 20, tzinfo=UTC)


DAY = timedelta(days=1)
NOON = datetime(2026, 1, 31, 12, 0, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize("between", [timedelta(0), timedelta(minutes=5), DAY, -DAY])
def test_clocks_less_than_a_day_apart_are_believed(between: timedelta):
    assert apart(NOON + between, NOON) == ""


@pytest.mark.parametrize(
    ("between", "server"),
    [
        (DAY + timedelta(seconds=1), "2026-02-01T12:00:01Z"),
        (-DAY - timedelta(seconds=1), "2026-01-30T11:59:59Z"),
    ],
)
def test_clocks_more_than_a_day_apart_are_reported_with_both(between: timedelta, server: str):
    assert apart(NOON + between, NOON) == (
        f"the server's clock says {server} and this machine's 2026-01-31T12:00:00Z: "
        "either the response is old, or a clock is wrong"
    )


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (59.9, "59 seconds"),
        (60, "1 minute"),
        (61, "61 seconds"),
        (119, "119 seconds"),
        (120, "2 minutes"),
        (3_600, "1 hour"),
        (3_601, "60 minutes"),
        (7_199, "119 minutes"),
        (7_200, "2 hours"),
        (86_400, "1 day"),
        (86_401, "24 hours"),
        (172_799, "47 hours"),
        (172_800, "2 days"),
        (1_000 * 86_400, "1,000 days"),
    ],
)
def test_a_duration_is_given_in_its_largest_unit_with_a_plural(seconds: float, words: str):
    assert in_words(timedelta(seconds=seconds)) == words
