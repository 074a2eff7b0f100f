"""The history's trend as a picture: one bar per run, stacked by severity, in round units.

``reports/templates/trend.html.j2`` draws the measurements; a table says the same in words.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from auditor.model import History, Outcome, PastRun, Severity
from auditor.reports.facts import trend_in_words
from auditor.text import plural

#: Units of the picture: a run's share of its width, and its height.
SLOT, HEIGHT = 10, 100
#: Two dates nearer than this, in percent, are on two lines: on a narrow phone they would overlap.
_APART = 65
#: Keeps a few runs from becoming blocks.
_LEAST_SLOTS = 20


class Piece(NamedTuple):
    """A rectangle of the picture."""

    look: str
    y: int
    height: int


class TrendBar(NamedTuple):
    """A run in the picture: its position, its pieces, and its text.

    ``changed`` says how the policies differ from those of the run before, "" if they do not.
    """

    run: PastRun
    x: int
    pieces: tuple[Piece, ...]
    changed: str
    words: str


class Day(NamedTuple):
    """A run's day under its bar: the text's position, in percent, and its line."""

    text: str
    x: str
    anchor: str
    line: int


class Trend(NamedTuple):
    """The whole picture. ``top`` is the number of violations at its full height."""

    bars: tuple[TrendBar, ...]
    width: int
    top: int
    words: str
    dates: tuple[Day, ...]


def measured(history: History) -> Trend:
    """Return the picture of ``history``, which has at least one run."""
    runs = history.runs
    top = max(1, *(run.total for run in runs))
    changed = ["", *(_changed(*pair) for pair in pairwise(runs))]
    bars = tuple(
        TrendBar(
            run, number * SLOT, _pieces(run, top), changed[number], _words(run, changed[number])
        )
        for number, run in enumerate(runs)
    )
    width = max(len(runs), _LEAST_SLOTS) * SLOT
    return Trend(bars, width, top, trend_in_words(history), _days(bars, width))


def _days(bars: tuple[TrendBar, ...], width: int) -> tuple[Day, ...]:
    """Return the days of the first and the last run; if they are near, one above the other.

    One day is there once.
    """
    first = Day(f"{bars[0].run.judged_at:%Y-%m-%d}", "0%", "start", 1)
    left, right = (100 * (bars[-1].x + edge) / width for edge in (0, SLOT))
    text = f"{bars[-1].run.judged_at:%Y-%m-%d}"
    if text == first.text:
        return (first,)
    if right < _APART:
        return first, Day(text, f"{left:.1f}%", "start", 2)
    return first, Day(text, f"{right:.1f}%", "end", 1)


def _changed(before: PastRun, run: PastRun) -> str:
    """Return how the policies differ from one run to the next, in words; "" for no difference."""
    if set(before.policies) == set(run.policies):
        return ""
    then = dict(zip(before.policy_names, before.policies, strict=False))
    now = dict(zip(run.policy_names, run.policies, strict=False))
    named = (
        ("changed", [name for name in now if name in then and now[name] != then[name]]),
        ("added", [name for name in now if name not in then]),
        ("removed", [name for name in then if name not in now]),
    )
    parts = [f"{', '.join(names)} {what}" for what, names in named if names]
    return f"policies: {'; '.join(parts)}" if parts else "other policies"


def _pieces(run: PastRun, top: int) -> tuple[Piece, ...]:
    """Return the run's bar from the bottom: severest first, each visible if there is any."""
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


def _words(run: PastRun, changed: str) -> str:
    counts = [f"{count:,} {severity.label}" for severity, count in _severest(run) if count]
    parts = [plural(run.total, "violation") + (f" ({', '.join(counts)})" if counts else "")]
    if run.outcome is Outcome.INCONCLUSIVE:
        parts.append("inconclusive")
    if not run.full:
        parts.append("not a full run")
    if changed:
        parts.append(changed)
    return f"{run.judged_at:%Y-%m-%d %H:%M} UTC: {', '.join(parts)}"


def _severest(run: PastRun) -> list[tuple[Severity, int]]:
    return sorted(run.violations, reverse=True)
