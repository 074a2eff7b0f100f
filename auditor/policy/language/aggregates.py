"""Aggregates: one number made of a field's values over the members of a group.

To add one: a row here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from types import MappingProxyType

import msgspec


class Moves(Enum):
    """Where an aggregate can go when the group has more members than were seen."""

    UP = "it never falls"
    DOWN = "it never rises"
    EITHER = "it may fall or rise"


class Aggregate(msgspec.Struct, frozen=True):
    """One way to make a number of several.

    ``of`` is called with numbers; where ``of_none`` is None it is never called with none at all,
    and such a group skips. ``extreme`` says that single members hold it.
    """

    name: str
    doc: str
    of: Callable[[Sequence[float]], float]
    moves: Moves
    of_none: float | None = None
    extreme: bool = False


def _sum(numbers: Sequence[float]) -> float:
    # Whole numbers add up exactly; of others the sum is the same in whatever order they come.
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
