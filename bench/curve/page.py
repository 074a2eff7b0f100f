"""The figures as a table that stands between two markers of ``docs/performance.md``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bench.curve.bends import Bend, Point, bends

BEGIN, END = "<!-- curve: made by make bench-curve -->", "<!-- /curve -->"
DASH = "\N{EN DASH}"
PICTURE = (
    "![Seconds and MiB of an audit, as connections, rules, findings, facts and groups grow]"
    "(images/curve.svg)"
)


@dataclass(frozen=True, slots=True)
class Curve:
    """What grew, what stayed the same, and what it cost: seconds and MiB at the same amounts."""

    name: str
    held: str
    seconds: Sequence[Point]
    memory: Sequence[Point]

    def bends(self) -> tuple[dict[float, Bend], dict[float, Bend]]:
        """Return the bends of seconds and of memory by their amounts."""
        found = [
            {bend.amount: bend for bend in bends(each)} for each in (self.seconds, self.memory)
        ]
        return found[0], found[1]


def _by_amount(points: Sequence[Point]) -> dict[float, Bend]:
    return {bend.amount: bend for bend in bends(points)}


def table(curves: Sequence[Curve]) -> str:
    """Return the figures in Markdown. What each further one costs is told of the step before it."""
    return "\n".join(
        [
            "| what grows | | seconds | MiB | each, µs | each, KiB | bends after it |",
            "|---|---:|---:|---:|---:|---:|---|",
            *(line for curve in curves for line in _lines(curve)),
        ]
    )


def _lines(curve: Curve) -> Iterator[str]:
    in_seconds, in_memory = curve.bends()
    steps = [
        ("", ""),
        *zip(_each(curve.seconds, 1e6, 1), _each(curve.memory, 1024, 2), strict=True),
    ]
    for number, (seconds, memory, step) in enumerate(
        zip(curve.seconds, curve.memory, steps, strict=True)
    ):
        what = f"**{curve.name}**: {curve.held}" if not number else ""
        told = [
            f"{name} {said(found[seconds.amount])}"
            for name, found in (("seconds", in_seconds), ("MiB", in_memory))
            if seconds.amount in found
        ]
        yield (
            f"| {what} | {seconds.amount:,.0f} | {seconds.cost:.2f} | {memory.cost:.0f}"
            f" | {step[0]} | {step[1]} | {', '.join(told)} |"
        )


def _each(points: Sequence[Point], times: float, digits: int) -> Iterator[str]:
    """Yield what a further one costs in each step; a dash where the noise may be all of it."""
    for first, last in pairwise(points):
        cost = last.cost - first.cost
        told = abs(cost) > first.noise + last.noise
        yield f"{cost / (last.amount - first.amount) * times:,.{digits}f}" if told else DASH


def said(bend: Bend) -> str:
    """Return how much more or less each further one costs from a bend on."""
    if bend.before <= 0 or bend.after < 0:
        return "rise" if bend.after > bend.before else "fall"
    return f"{bend.share:+.0%}"


def replaced(text: str, figures: str) -> str:
    """Return a page with the picture and ``figures`` between its markers.

    Raises ValueError for a page without them.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no {BEGIN} … {END}")
    return f"{before}{BEGIN}\n{PICTURE}\n\n{figures}\n{END}{after}"
