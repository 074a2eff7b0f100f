"""``python -m bench.curve``: seconds and MiB as connections, rules, findings, facts, groups grow.

Whole processes with three reports, medians in turn. It finds each bend, draws the curves to
``docs/images/curve.svg`` and writes the figures into ``docs/performance.md``. ``--quick`` is a
small run, which leaves its picture and its figures in ``build/curve``. With ``--check`` it ends
with 1 if a bar of memory is missed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.curve.axes import AXES, Axis, Input
from bench.curve.bends import Point
from bench.curve.page import Curve, replaced, said, table
from bench.curve.picture import Panel, draw
from bench.measuring import ROOT, measured
from bench.rows import HEADING, Row

TIMES = 5
#: Two runs of the same differ by so many MiB.
NOISE = 2.0
#: MiB at most, and the dream, at so many connections.
BARS = {100_000: (150, 80), 1_000_000: (600, 250)}
TITLE = "Seconds and MiB of an audit with three reports, as what it judges grows"


def main() -> int:
    """Measure, say each bend, write the picture and the figures."""
    parser = argparse.ArgumentParser("python -m bench.curve")
    parser.add_argument("--quick", action="store_true", help="a small run, into build/curve")
    parser.add_argument("--check", action="store_true", help="end with 1 if a bar is missed")
    options = parser.parse_args()
    curves = []
    for axis in AXES:
        with tempfile.TemporaryDirectory() as place:
            curves.append(_measured(axis, Path(place), quick=options.quick))
        for line in _told(curves[-1]):
            print(line, flush=True)
    figures = table(curves)
    if options.quick:
        build = ROOT / "build" / "curve"
        build.mkdir(parents=True, exist_ok=True)
        (build / "curve.svg").write_text(picture(curves), encoding="utf-8")
        (build / "figures.md").write_text(f"{figures}\n", encoding="utf-8")
        return 0
    (ROOT / "docs" / "images" / "curve.svg").write_text(picture(curves), encoding="utf-8")
    page = ROOT / "docs" / "performance.md"
    page.write_text(replaced(page.read_text(encoding="utf-8"), figures), encoding="utf-8")
    rows = list(_bars(curves[0]))
    print(f"\n{HEADING}", *rows, sep="\n")
    return int(options.check and not all(row.met for row in rows))


def picture(curves: Sequence[Curve]) -> str:
    """Return the curves as SVG."""
    rows = []
    for curve in curves:
        in_seconds, in_memory = curve.bends()
        rows.append(
            (
                Panel(f"{curve.name}, seconds", "seconds", curve.seconds, frozenset(in_seconds)),
                Panel(f"{curve.name}, MiB", "memory", curve.memory, frozenset(in_memory)),
            )
        )
    return draw(TITLE, rows)


def _measured(axis: Axis, folder: Path, *, quick: bool) -> Curve:
    (folder / axis.name).mkdir()
    inputs = axis.inputs(folder, quick=quick)
    commands = {str(each.amount): _audit(each, folder) for each in inputs}
    took = measured(commands, TIMES)
    found = [(each.amount, took[str(each.amount)]) for each in inputs]
    return Curve(
        axis.name,
        axis.said(quick=quick),
        [Point(amount, one.seconds, one.spread) for amount, one in found],
        [Point(amount, one.memory, NOISE) for amount, one in found],
    )


def _audit(each: Input, folder: Path) -> list[str]:
    words = ["audit", "--snapshot", str(each.pages), "-p", str(each.policy), "-q"]
    return [sys.executable, "-m", "auditor", *words, "-o", str(folder / "reports")]


def _told(curve: Curve) -> Iterator[str]:
    """Yield what was measured, for the terminal."""
    yield f"\n{curve.name} ({curve.held})"
    in_seconds, in_memory = curve.bends()
    for seconds, memory in zip(curve.seconds, curve.memory, strict=True):
        line = f"{seconds.amount:>12,.0f}{seconds.cost:>9.2f} s{memory.cost:>8.0f} MiB"
        for name, found in (("seconds", in_seconds), ("MiB", in_memory)):
            if seconds.amount in found:
                line += f"   bend: {name} {said(found[seconds.amount])} each from here on"
        yield line


def _bars(curve: Curve) -> Iterator[Row]:
    for point in curve.memory:
        if point.amount in BARS:
            bar, dream = BARS[int(point.amount)]
            what = f"memory at {point.amount:,.0f}, three reports"
            yield Row(what, "", point.cost, bar, dream, " MiB")


if __name__ == "__main__":
    sys.exit(main())
