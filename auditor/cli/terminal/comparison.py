"""A comparison on a terminal or in a log: the answer last, as after a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from auditor.cli.terminal.layout import INDENT, Layout, cells, padded
from auditor.cli.terminal.streams import style
from auditor.clock import to_the_second
from auditor.past.compare import (
    MEANINGS,
    WORSE,
    Changed,
    Comparison,
    ComparisonOutcome,
    Fate,
    Tally,
)
from auditor.past.earlier import EarlierReport
from auditor.text import listed, one_line, plural, printable

_MOST = 10
_LOG = Layout()
_ANSWERS = {
    ComparisonOutcome.HELD: ("NOT WORSE", "green"),
    ComparisonOutcome.WORSE: ("WORSE", "red"),
    ComparisonOutcome.INCONCLUSIVE: ("INCONCLUSIVE", "yellow"),
}
_COLOURS = {
    **dict.fromkeys(WORSE, "red"),
    Fate.UNJUDGED: "yellow",
    Fate.FIXED: "green",
}
#: What is not a change: the tables leave out rows that have nothing else.
_STILL = frozenset({Fate.UNCHANGED, Fate.ACCEPTED})
#: What is always counted; other kinds only if there are some.
_ALWAYS = frozenset({Fate.NEW, Fate.UNCHANGED, Fate.FIXED})


def summary(
    comparison: Comparison,
    reports: Sequence[Path],
    *,
    verbose: bool = False,
    lost: int | None = None,
    layout: Layout = _LOG,
) -> Iterator[str]:
    """Yield the lines; ``lost`` is the exit code where a report could not be written.

    ``layout`` is the room of a terminal; elsewhere nothing is cut or folded.
    """
    most = None if verbose else _MOST
    yield from _row("old", _side(comparison.earlier), layout)
    yield from _row("new", _side(comparison.later), layout)
    yield from _differences(comparison, layout)
    yield ""
    yield from _counts(comparison)
    yield ""
    yield from _table("rule", comparison.by_rule, most, layout)
    yield from _table("group", comparison.by_group, most, layout)
    yield from _table("connection", comparison.by_connection, most, layout)
    yield from _changes(comparison, most, layout)
    for number, path in enumerate(reports):
        yield from _row(
            "" if number else "reports", printable(str(path)), layout._replace(width=None)
        )
    if reports:
        yield ""
    yield answer(comparison, lost)


def answer(comparison: Comparison, lost: int | None = None) -> str:
    """Return the answer and its reasons, in one line."""
    word, colour = _ANSWERS[comparison.answer]
    if lost is not None:
        changes = f"a report could not be written (the answer itself: {comparison.answer.value})"
        return f"{style('NOT REPORTED', 'red', 'bold')}  exit {lost}: {changes}"
    reasons = "; ".join(one_line(reason, 400) for reason in comparison.reasons)
    return f"{style(word, colour, 'bold')}  exit {comparison.answer.exit_code}: {reasons}"


def _side(report: EarlierReport) -> str:
    when = to_the_second(report.judged_at) if report.judged_at else "did not finish"
    judged = f"{plural(len(report.connections), 'connection')}, {plural(len(report.rules), 'rule')}"
    return f"{one_line(report.name)} ({when}; {judged}; {report.outcome.value})"


def _differences(comparison: Comparison, layout: Layout) -> Iterator[str]:
    added, gone = comparison.connections_added, comparison.connections_gone
    if added or gone:
        yield from _row(
            "listed", f"connections: {added:,} only in new, {gone:,} only in old", layout
        )
    for label, names in (
        ("added", comparison.rules_added),
        ("removed", comparison.rules_gone),
        ("changed", comparison.rules_changed),
    ):
        if names:
            yield from _row(label, f"{plural(len(names), 'rule')}: {listed(names, 'and')}", layout)
    for label, report in (("old", comparison.earlier), ("new", comparison.later)):
        for note in report.left_out:
            yield from _row("left out", f"{label}: {one_line(note)}", layout)


def _counts(comparison: Comparison) -> Iterator[str]:
    for change, count in comparison.counts.items():
        if count or change in _ALWAYS:
            colour = _COLOURS.get(change) if count else "dim"
            text = f"{count:>8,}  {change.value:<10}"
            yield f"{style(text, colour) if colour else text}{style(MEANINGS[change], 'dim')}"


def _called(noun: str, tally: Tally) -> str:
    """Return what people call a rule, a group or a connection, with its id in files."""
    if noun == "rule" or not tally.label:
        return tally.name
    # A group's label ends with its id.
    return tally.label if noun == "group" else f"{tally.label} ({tally.name})"


def _table(noun: str, tallies: Sequence[Tally], most: int | None, layout: Layout) -> Iterator[str]:
    moved = [tally for tally in tallies if tally.counts.keys() - _STILL]
    if not moved:
        return
    shown = moved[:most]
    kinds = [change for change in Fate if any(change in tally.counts for tally in moved)]
    room = layout.beside(2 + 11 * len(kinds))
    names = [
        layout.middle_cut(one_line(_called(noun, tally), 80), room and max(room, 24))
        for tally in shown
    ]
    widest = max(cells(noun), *map(cells, names))
    heading = "  ".join(f"{kind.value:>9}" for kind in kinds)
    yield style(f"  {padded(noun, widest)}  {heading}", "dim")
    for name, tally in zip(names, shown, strict=True):
        numbers = "  ".join(f"{tally.counts.get(kind, 0) or '-':>9}" for kind in kinds)
        yield f"  {padded(name, widest)}  {numbers}"
    if len(moved) > len(shown):
        yield f"  and {plural(len(moved) - len(shown), f'more {noun}')}: use -v, or a report"
    yield ""


def _changes(comparison: Comparison, most: int | None, layout: Layout) -> Iterator[str]:
    """Yield what got worse, one by one, and what nobody knows."""
    changes = [c for c in comparison.changes if c.change in WORSE or c.change is Fate.UNJUDGED]
    shown = changes[:most]
    for changed in shown:
        word = style(f"{changed.change.value:<9}", _COLOURS[changed.change])
        yield f"  {word} {layout.cut(_words(changed), layout.beside(INDENT))}"
    if len(changes) > len(shown):
        yield f"  and {plural(len(changes) - len(shown), 'more change')}: use -v, or a report"
    if changes:
        yield ""


def _words(changed: Changed) -> str:
    first = changed.connections[0] if changed.connections else None
    more = len(changed.connections) - 1
    where = changed.group or (f"{first.service}/{first.schema} ({first.id})" if first else "")
    more_words = f" and {plural(more, 'more connection')}" if more > 0 and not changed.group else ""
    note = f" [{changed.note}]" if changed.note else ""
    what = f"{changed.severity.label} {changed.rule}, {where}{more_words}{note}"
    return one_line(f"{what}: {changed.message}", 300)


def _row(label: str, text: str, layout: Layout) -> Iterator[str]:
    return layout.row(label, text, _dim)


def _dim(text: str) -> str:
    return style(text, "dim")
