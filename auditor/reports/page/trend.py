"""The trend of a history as a picture: a bar per run, stacked by severity, in round units.

``reports/templates/trend.html.j2`` draws what is measured here; a table says the same in words.
"""

from __future__ import annotations

from typing import NamedTuple

from auditor.model import History, Outcome, PastRun, Severity
from auditor.reports.facts import trend_in_words
from auditor.text import plural

#: Units of the picture: a run's share of its width, and its height.
SLOT, HEIGHT = 10, 100
#: A few runs do not become blocks.
_LEAST_SLOTS = 20


class Piece(NamedTuple):
    """A rectangle of the picture."""

    look: str
    y: int
    height: int


class TrendBar(NamedTuple):
    """A run in the picture: where it is, what it is made of, and what it says.

    ``changed`` says that other policies were in force than at the run before.
    """

    run: PastRun
    x: int
    pieces: tuple[Piece, ...]
    changed: bool
    words: str


class Trend(NamedTuple):
    """The whole picture. ``top`` is the number of violations that its height stands for."""

    bars: tuple[TrendBar, ...]
    width: int
    top: int
    words: str


def measured(history: History) -> Trend:
    """Return the picture of ``history``, which has at least one run."""
    runs = history.runs
    top = max(1, *(run.total for run in runs))
    policies = [set(run.policies) for run in runs]
    bars = tuple(
        TrendBar(
            run,
            number * SLOT,
            _pieces(run, top),
            number > 0 and policies[number] != policies[number - 1],
            _words(run),
        )
        for number, run in enumerate(runs)
    )
    return Trend(bars, max(len(runs), _LEAST_SLOTS) * SLOT, top, trend_in_words(history))


def _pieces(run: PastRun, top: int) -> tuple[Piece, ...]:
    """Return the run's bar from the bottom: the severest at its foot, each seen if it is there."""
    pieces: list[Piece] = []
    floor, seen = HEIGHT, 0
    for severity, count in sorted(run.violations, reverse=True):
        if count:
            seen += count
            ceiling = min(floor - 1, HEIGHT - round(HEIGHT * seen / top))
            ceiling = max(ceiling, 0)
            pieces.append(Piece(severity.label, ceiling, floor - ceiling))
            floor = ceiling
    return tuple(pieces)


def _words(run: PastRun) -> str:
    counts = [f"{count:,} {severity.label}" for severity, count in _severest(run) if count]
    parts = [plural(run.total, "violation") + (f" ({', '.join(counts)})" if counts else "")]
    if run.outcome is Outcome.INCONCLUSIVE:
        parts.append("inconclusive")
    if not run.full:
        parts.append("not a full run")
    return f"{run.judged_at:%Y-%m-%d %H:%M} UTC: {', '.join(parts)}"


def _severest(run: PastRun) -> list[tuple[Severity, int]]:
    return sorted(run.violations, reverse=True)
