"""Operands: how a value is read, and a moment that is relative to now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from auditor.policy.language.operands import FieldOperand, Literal, Now, Reading

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@pytest.mark.parametrize("value", ["x", 1, None, [], {}])
def test_a_plain_value_stays_as_it_is(value: object):
    assert Reading.PLAIN(value) is value


@pytest.mark.parametrize(
    ("reading", "text", "read"),
    [
        (Reading.TIMESTAMP, "2026-01-15T17:00:00+05:00", NOW),
        (Reading.TIME_OF_DAY, "14:30", 870),
        (Reading.TIME_OF_DAY, "14:30:00", 870),
    ],
)
def test_a_text_is_read_as_what_it_says(reading: Reading, text: str, read: object):
    assert reading(text) == read


@pytest.mark.parametrize("reading", [Reading.TIMESTAMP, Reading.TIME_OF_DAY])
@pytest.mark.parametrize("value", ["soon", "", 1430, True, None, ["14:30"]])
def test_what_is_not_readable_so_is_none(reading: Reading, value: object):
    assert reading(value) is None


@pytest.mark.parametrize(
    ("offset", "moment"),
    [
        (timedelta(0), NOW),
        (timedelta(days=-30), datetime(2025, 12, 16, 12, tzinfo=UTC)),
        (timedelta(hours=6), datetime(2026, 1, 15, 18, tzinfo=UTC)),
        (timedelta(days=999_999 * 7), LAST),
        (timedelta(days=-999_999 * 7), FIRST),
    ],
)
def test_a_moment_is_known_when_now_is(offset: timedelta, moment: datetime):
    assert Now(offset).at(NOW) == moment
    assert Literal(Now(offset), "then").at(NOW) == moment


def test_another_zone_of_now_is_the_same_moment():
    there = NOW.astimezone(timezone(timedelta(hours=-9)))
    assert Now(timedelta(days=1)).at(there) == Now(timedelta(days=1)).at(NOW)


def test_any_other_literal_is_its_value():
    assert Literal(("a", "b"), "a or b").at(NOW) == ("a", "b")


@pytest.mark.parametrize(
    ("now", "offset", "moment"),
    [
        (LAST - timedelta(hours=1), timedelta(hours=6), LAST),
        (LAST, timedelta(microseconds=1), LAST),
        (FIRST + timedelta(hours=1), timedelta(hours=-6), FIRST),
        (LAST, timedelta(0), LAST),
    ],
)
def test_where_the_calendar_ends_a_short_way_is_enough(
    now: datetime, offset: timedelta, moment: datetime
):
    assert Now(offset).at(now) == moment


def test_a_field_is_taken_once_and_as_it_is_unless_more_is_said():
    operand = FieldOperand("sync_frequency", Reading.PLAIN, "sync_frequency")
    assert (operand.times, operand.unit, operand.days) == (1.0, "", "")
