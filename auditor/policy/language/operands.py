"""What comes after an operator, ready for comparison, and how a value is read for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

import msgspec

from auditor.clock import parse_time_of_day, parse_timestamp


class Reading(Enum):
    """How a value is read before an operator sees it."""

    PLAIN = "plain"
    TIMESTAMP = "timestamp"
    TIME_OF_DAY = "time of day"

    def __call__(self, value: Any) -> Any:
        """Return ``value`` in this reading; None if it cannot be read that way."""
        return READERS[self](value)


def _timestamp(value: Any) -> datetime | None:
    return parse_timestamp(value) if type(value) is str else None


def _time_of_day(value: Any) -> int | None:
    return parse_time_of_day(value) if type(value) is str else None


#: What each reading does with a value.
READERS: Mapping[Reading, Callable[[Any], Any]] = {
    Reading.PLAIN: lambda value: value,
    Reading.TIMESTAMP: _timestamp,
    Reading.TIME_OF_DAY: _time_of_day,
}


class Now(msgspec.Struct, frozen=True):
    """A moment relative to the run's ``now``."""

    offset: timedelta

    def at(self, now: datetime) -> datetime:
        """Return the moment, or the calendar's first or last if it is beyond."""
        try:
            return now + self.offset
        except OverflowError:
            first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
            return last if self.offset > timedelta(0) else first


class Literal(msgspec.Struct, frozen=True):
    """An operand written in the policy.

    ``value`` is prepared for the operator (a tuple, a compiled pattern, a duration), ``text`` is
    what a person wrote. ``written`` are the patterns as written, for an operator that matches them.
    """

    value: Any
    text: str
    written: tuple[str, ...] = ()

    def at(self, now: datetime) -> Any:
        """Return the value as of ``now``."""
        return self.value.at(now) if isinstance(self.value, Now) else self.value


class FieldOperand(msgspec.Struct, frozen=True):
    """An operand that is another field of the same record.

    For durations it counts ``times`` a ``unit``; ``days`` is the path of the only days of the week
    on which something happens, so that the longest gap between them is added.
    """

    path: str
    reading: Reading
    text: str
    times: float = 1.0
    unit: str = ""
    days: str = ""
