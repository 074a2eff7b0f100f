"""The curves as one picture: a row for each thing that grows, seconds beside MiB.

SVG by hand, in the colours of the page it stands on: light, or dark where the reader prefers it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from bench.curve.bends import Point

WIDTH, _TOP, _ROW = 640, 46, 150
_LEFT, _PANEL, _GAP, _HEIGHT = 52, 236, 76, 84
_BEND = "a bend: each further one costs over 15% more, or less, than before"
_STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #3c4043 }
  .title { font-weight: 600; fill: #1f2328 }
  .grid { stroke: #d8dde3; stroke-width: 1 }
  .seconds { stroke: #0b57d0 } .seconds circle { fill: #0b57d0 }
  .memory { stroke: #9a3c00 } .memory circle { fill: #9a3c00 }
  polyline { fill: none; stroke-width: 2 } circle { stroke: none }
  .bend { fill: none !important; stroke: inherit; stroke-width: 2 }
  .back { fill: #ffffff }
  @media (prefers-color-scheme: dark) {
    text { fill: #b6bdc6 } .title { fill: #f0f3f6 }
    .grid { stroke: #3a414a } .back { fill: #0d1117 }
    .seconds { stroke: #7cacf8 } .seconds circle { fill: #7cacf8 }
    .memory { stroke: #f0a36b } .memory circle { fill: #f0a36b }
  }
"""


@dataclass(frozen=True, slots=True)
class Panel:
    """One curve: what is on it, its unit (``seconds`` or ``memory`` is its colour), its bends."""

    title: str
    colour: str
    points: Sequence[Point]
    bends: frozenset[float] = frozenset()


def draw(title: str, rows: Sequence[tuple[Panel, Panel]]) -> str:
    """Return the picture of ``rows``, each two panels beside each other."""
    height = _TOP + _ROW * len(rows)
    panels = [
        line
        for number, row in enumerate(rows)
        for column, panel in enumerate(row)
        for line in _panel(panel, _LEFT + column * (_PANEL + _GAP), _TOP + number * _ROW)
    ]
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{_STYLE}</style>",
        f'<rect class="back" width="{WIDTH}" height="{height}"/>',
        '<g class="seconds"><circle class="bend" cx="16" cy="18" r="5"/></g>',
        f'<text x="28" y="22">{_BEND}</text>',
        *panels,
        "</svg>\n",
    ]
    return "\n".join(lines)


def ticks(most: float) -> list[float]:
    """Return round numbers from 0 to the first that ``most`` does not exceed: two to six."""
    if most <= 0:
        return [0.0, 1.0]
    size = 10.0 ** math.floor(math.log10(most))
    step = next(part * size for part in (0.2, 0.25, 0.5, 1, 2, 5, 10) if most <= 4 * part * size)
    count = math.ceil(most / step - 1e-9)
    return [round(number * step, 12) for number in range(count + 1)]


def number(value: float) -> str:
    """Return a number as an axis has room for it: 250k, 1M."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def _panel(panel: Panel, left: int, top: int) -> Iterator[str]:
    across = ticks(max(point.amount for point in panel.points))
    up = ticks(max(point.cost for point in panel.points))
    bottom = top + 24 + _HEIGHT

    def x(amount: float) -> str:
        return f"{left + amount / across[-1] * _PANEL:.1f}"

    def y(cost: float) -> str:
        return f"{bottom - cost / up[-1] * _HEIGHT:.1f}"

    yield f'<text class="title" x="{left}" y="{top + 12}">{escape(panel.title)}</text>'
    for cost in up:
        yield f'<path class="grid" d="M{left} {y(cost)}h{_PANEL}"/>'
        yield _text(f"{left - 6}", f"{float(y(cost)) + 4:.1f}", "end", number(cost))
    for amount in across:
        yield _text(x(amount), f"{bottom + 18}", "middle", number(amount))
    yield f'<g class="{escape(panel.colour)}">'
    line = " ".join(f"{x(point.amount)},{y(point.cost)}" for point in panel.points)
    yield f'<polyline points="{line}"/>'
    for point in panel.points:
        place = f'cx="{x(point.amount)}" cy="{y(point.cost)}"'
        yield f'<circle {place} r="3"/>'
        if point.amount in panel.bends:
            yield f'<circle class="bend" {place} r="7"/>'
    yield "</g>"


def _text(x: str, y: str, anchor: str, text: str) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'
