"""Why a rule gave its verdict on a connection, as lines for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from auditor.cli.terminal.layout import Layout, cells, padded
from auditor.cli.terminal.streams import style
from auditor.model import Verdict
from auditor.policy.judging.tree import Explained, TreePart

#: The word for each truth, and its style.
_WORDS = {True: ("holds", "green"), False: ("fails", "red"), None: ("cannot be judged", "yellow")}
_NOT_EVALUATED = "not evaluated"
_WIDTH = len("cannot be judged")
#: The widest text up to which values are aligned in a column.
_WIDEST = 60
_COLOURS = {Verdict.PASS: "green", Verdict.FAIL: "red", Verdict.ERROR: "yellow"}


def verdict(word: Verdict) -> str:
    """Return a verdict's word in its colour."""
    return style(word.label, _COLOURS.get(word, "dim"), "bold")


def tree_lines(explained: Explained, layout: Layout) -> Iterator[str]:
    """Yield the conditions of a rule, one line per part: its truth, its test, the value."""
    keys = max((len(branch.key) for branch in explained.branches), default=0)
    # A check that was skipped lacks nothing that anybody could mend.
    doubted = explained.verdict is not Verdict.SKIP
    rows = [
        row
        for branch in explained.branches
        for row in _below(branch.part, 0, branch.key, doubted=doubted)
    ]
    widths = [2 * row.depth + cells(row.text) for row in rows if row.part.value]
    column = min(max(widths, default=0), _WIDEST)
    for key, depth, text, part, doubted in rows:
        word, colour = _WORDS[part.truth] if part.asked else (_NOT_EVALUATED, "dim")
        line = f"  {style(f'{word:<{_WIDTH}}', colour)}  {key:<{keys}}  {'  ' * depth}"
        held = f"  {style(part.value, 'bold')}" if part.value else ""
        yield f"{line}{padded(text, column - 2 * depth) if held else text}{held}"
        indent = _WIDTH + keys + 2 * depth + 8
        for advice in layout.folded(part.why, indent) if part.why and doubted else ():
            yield f"{' ' * indent}{style(advice, 'dim')}"
    if explained.note:
        yield f"  {style(explained.note, 'dim')}"


class _Row(NamedTuple):
    key: str
    depth: int
    text: str
    part: TreePart
    #: Whether the whole cannot be judged because this part cannot.
    doubted: bool


def _below(part: TreePart, depth: int, key: str = "", *, doubted: bool) -> Iterator[_Row]:
    doubted = doubted and part.truth is None
    text, shown = part.text, part
    if len(part.parts) == 1 and part.parts[0].truth is part.truth and not part.value:
        # A condition with one part takes one line: the only test of an item, a named condition's.
        (shown,) = part.parts
        text = f"{text}: {shown.text}"
    yield _Row(key, depth, text, shown, doubted)
    for child in shown.parts:
        yield from _below(child, depth + 1, doubted=doubted)
