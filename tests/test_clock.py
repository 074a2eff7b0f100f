"""Reading durations, and how long chosen days of the week are apart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.clock import WEEKDAYS, longest_gap

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


@pytest.mark.parametrize("odd", ["monday", "FUNDAY", "", None, 1, ["MONDAY"]])
def test_what_is_no_day_has_no_gap(odd):
    assert longest_gap(["MONDAY", odd]) is None


@given(
    st.sets(st.sampled_from(WEEKDAYS), min_size=1, max_size=6),
    st.integers(0, 3650),
    st.integers(0, 1439),
    _ZONES,
)
def test_no_two_chosen_days_are_further_apart(days, day, minute, zone):
    """From a minute of a chosen day the same minute of a chosen day is no further than the gap."""
    moment = datetime(2026, 1, 1, tzinfo=UTC).astimezone(zone) + timedelta(days=day, minutes=minute)
    gap = longest_gap(days)
    if WEEKDAYS[moment.weekday()] in days:
        later = (moment + timedelta(days=n) for n in range(1, 8))
        following = next(m for m in later if WEEKDAYS[m.weekday()] in days)
        assert following - moment <= gap
        assert gap <= timedelta(days=7)
