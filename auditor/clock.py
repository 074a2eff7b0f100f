"""Timestamps and durations, read strictly.

The API writes ``2024-12-01T15:43:29.013729Z``, the fraction optional (Fivetran's documentation).
A time without a zone, a bare date, ``:60``, ``24:00`` or 30 February is not a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec

_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
UNITS_BY_NAME = {
    "seconds": _UNITS["s"],
    "minutes": _UNITS["m"],
    "hours": _UNITS["h"],
    "days": _UNITS["d"],
    "weeks": _UNITS["w"],
}
#: The days of the week as the API names them, in their order.
WEEKDAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
_DURATION = re.compile(r"([0-9]{1,6})([smhdw])", re.ASCII)
_TIME_OF_DAY = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])(?::00)?", re.ASCII)
_RELATIVE = re.compile(r"now(?:([+-])([0-9]{1,6}[smhdw]))?", re.ASCII)

#: A timestamp this far ahead of ``now`` cannot be an age: clocks differ, but not by so much.
FUTURE_TOLERANCE = timedelta(minutes=5)
#: How far a server's clock and this machine's may be apart for answers to be trusted.
CLOCKS_APART = timedelta(hours=24)


def parse_timestamp(text: str) -> datetime | None:
    """Return the aware time that ``text`` says, or None if it is not one."""
    try:
        moment = msgspec.convert(text, datetime)
    except (msgspec.ValidationError, UnicodeEncodeError):
        return None
    if moment.tzinfo is None:
        return None
    if not 1 < moment.year < 9999:  # In UTC it may be before or after all time.
        try:
            moment.astimezone(UTC)
        except OverflowError:
            return None
    return moment


def parse_time_of_day(text: str) -> int | None:
    """Return the minutes since midnight of ``14:00`` or, as the API may answer, ``14:00:00``."""
    match = _TIME_OF_DAY.fullmatch(text)
    return int(match[1]) * 60 + int(match[2]) if match else None


def parse_duration(text: str) -> timedelta | None:
    """Return ``90m``, ``36h``, ``7d`` or ``2w`` as a duration, or None."""
    match = _DURATION.fullmatch(text)
    return int(match[1]) * _UNITS[match[2]] if match else None


def longest_gap(days: Iterable[object]) -> timedelta | None:
    """Return the longest time from one chosen day of the week to the next, whatever their zone.

    ``[FRIDAY, MONDAY]`` leaves four days from Monday to Friday, ``[SUNDAY]`` a week. Choosing none
    or all leaves no gap. None if something is not a day.
    """
    named = list(days)
    if not all(day in WEEKDAYS for day in named):
        return None
    chosen = [number for number, day in enumerate(WEEKDAYS) if day in named]
    if len(chosen) in {0, len(WEEKDAYS)}:
        return timedelta(0)
    first, *rest = chosen
    following = (*rest, first + len(WEEKDAYS))
    return timedelta(days=max(b - a for a, b in zip((first, *rest), following, strict=True)))


def parse_relative(text: str) -> timedelta | None:
    """Return the offset from now that ``now``, ``now+6h`` or ``now-30d`` says, or None."""
    match = _RELATIVE.fullmatch(text)
    if not match:
        return None
    offset = parse_duration(match[2] or "0s")
    assert offset is not None
    return -offset if match[1] == "-" else offset


def apart(server: datetime, local: datetime) -> str:
    """Return why a server with this clock is not trusted, "" if it is.

    No two clocks are a day apart by accident: the answer is an old one, or a clock is wrong.
    """
    if abs(server - local) <= CLOCKS_APART:
        return ""
    return (
        f"the server's clock says {to_the_second(server)} and this machine's "
        f"{to_the_second(local)}: either the response is old, or a clock is wrong"
    )


def iso(moment: datetime) -> str:
    """Return ``moment`` in UTC as the API writes times: ``2026-01-31T12:00:00Z``."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def to_the_second(moment: datetime) -> str:
    """Return ``moment`` for sentences; ``iso`` is for machines."""
    return iso(moment.replace(microsecond=0))


def in_words(duration: timedelta) -> str:
    """Return a duration of at least 0 in its largest unit, rounded down: ``91 days``."""
    seconds = int(duration.total_seconds())
    for name, size in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= size * 2 or (seconds == size):
            count = seconds // size
            return f"{count:,} {name}{'' if count == 1 else 's'}"
    return f"{seconds} second{'' if seconds == 1 else 's'}"
