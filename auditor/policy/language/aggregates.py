"""Aggregates: one number computed from a field's values over a group's members, and its range.

To add one, add a row here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from types import MappingProxyType

import msgspec


class Bounds(msgspec.Struct, frozen=True):
    """The numbers that something can be, both ends included; ``range`` says so in words."""

    what: str
    least: float
    most: float
    range: str = "any number"


COUNT = Bounds("a number of things", 0, math.inf, "0 or more")
SHARE = Bounds("a share", 0, 1, "between 0 and 1: 0.5 is half")
AMOUNT = Bounds("an amount", -math.inf, math.inf)


class Moves(Enum):
    """How an aggregate can change when the group has more members than were seen."""

    UP = "it never falls"
    DOWN = "it never rises"
    EITHER = "it may fall or rise"


class Aggregate(msgspec.Struct, frozen=True):
    """One way to make one number from several.

    ``of`` is called with numbers; if ``of_none`` is None it is never called with no numbers, and
    such a group is skipped. ``extreme`` means that single members have that value.
    """

    name: str
    doc: str
    of: Callable[[Sequence[float]], float]
    moves: Moves
    of_none: float | None = None
    extreme: bool = False


def _sum(numbers: Sequence[float]) -> float:
    # Whole numbers add up exactly; for others, fsum gives the same sum in any order.
    return sum(numbers) if all(type(n) is int for n in numbers) else math.fsum(numbers)


#: Every aggregate by its name.
AGGREGATES: Mapping[str, Aggregate] = MappingProxyType(
    {
        row.name: row
        for row in (
            Aggregate("sum", "The members' values, added up.", _sum, Moves.EITHER, of_none=0),
            Aggregate("min", "The least of the members' values.", min, Moves.DOWN, extreme=True),
            Aggregate("max", "The most of the members' values.", max, Moves.UP, extreme=True),
        )
    }
)
