"""Where a curve bends: a step whose slope differs from the one before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

#: As a share of the slope before.
TOLERANCE = 0.15


@dataclass(frozen=True, slots=True)
class Point:
    """A cost at an amount, and the ``noise`` of its measurement: by so much two runs may differ.

    Costs are seconds or MiB, and a noise is in the same unit.
    """

    amount: float
    cost: float
    noise: float = 0.0


@dataclass(frozen=True, slots=True)
class Bend:
    """The amount from which on a unit costs ``after``, and no more ``before``."""

    amount: float
    before: float
    after: float

    @property
    def share(self) -> float:
        """How much more a unit costs, as a share of what it cost before."""
        return self.after / self.before - 1 if self.before else float("inf")


def bends(points: Sequence[Point], tolerance: float = TOLERANCE) -> Iterator[Bend]:
    """Yield each bend of a curve whose amounts rise.

    What the noise of the three points in question can explain is no bend.
    """
    steps = list(pairwise(points))
    for (first, middle), (_, last) in pairwise(steps):
        before, after = _slope(first, middle), _slope(middle, last)
        doubt = _doubt(first, middle) + _doubt(middle, last)
        if abs(after - before) > tolerance * abs(before) + doubt:
            yield Bend(middle.amount, before, after)


def _slope(first: Point, last: Point) -> float:
    return (last.cost - first.cost) / (last.amount - first.amount)


def _doubt(first: Point, last: Point) -> float:
    return (first.noise + last.noise) / (last.amount - first.amount)
