"""A comparison as one self-contained page: the report's page, with a row for each change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from markupsafe import Markup

from auditor.past.compare import (
    MEANINGS,
    WORSE,
    Changed,
    Comparison,
    ComparisonOutcome,
    Fate,
    Tally,
)
from auditor.reports import html
from auditor.reports.comparison.island import island
from auditor.reports.page.parts import asset, content_policy, page_script, templates

#: How many changes of one kind, and tallies of one table, are on the page.
MOST_CHANGES = 300
MOST_TALLIES = 15
MARK = r"<title>[^<]* · Fivetran audit(?:s compared</title>| · )"
_HEADLINES = {
    ComparisonOutcome.HELD: ("Nothing got worse", "passed"),
    ComparisonOutcome.WORSE: ("Worse", "violations"),
    ComparisonOutcome.INCONCLUSIVE: ("Inconclusive", "inconclusive"),
}
#: The verdict whose colour and sign a change uses.
LOOKS = {
    Fate.NEW: "fail",
    Fate.RAISED: "fail",
    Fate.AGAIN: "fail",
    Fate.UNJUDGED: "error",
    Fate.UNCHANGED: "known",
    Fate.WAIVED: "waived",
    Fate.KNOWN: "waived",
    Fate.ACCEPTED: "waived",
    Fate.SETTLED: "skip",
    Fate.GONE: "skip",
    Fate.FIXED: "pass",
}


class ChangeKind(NamedTuple):
    """One kind of change on the page; its segment of a bar of 1,000 units begins at ``start``."""

    word: str
    look: str
    meaning: str
    checks: int
    start: int
    width: int
    shown: Sequence[Changed]
    is_open: bool


class TallyTable(NamedTuple):
    """A table of tallies: a column for each kind of change that occurs in it.

    ``link`` is the page's filter that shows a row's changes, "" for none.
    """

    title: str
    first: str
    kinds: Sequence[Fate]
    rows: Sequence[Tally]
    more: int
    link: str


def render(comparison: Comparison) -> Iterable[str]:
    """Yield the page of ``comparison``; equal comparisons give equal text."""
    style = asset("report.css") + asset("comparison.css") + asset("paper.css")
    script = page_script()
    headline, look = _HEADLINES[comparison.answer]
    return (
        templates()
        .get_template("comparison.html.j2")
        .generate(
            comparison=comparison,
            headline=headline,
            look=look,
            kinds=_kinds(comparison),
            looks=LOOKS,
            tables=_tables(comparison),
            csp=content_policy(style, script),
            style=Markup(style),  # noqa: S704 — the project's own files
            script=Markup(script),  # noqa: S704 — the project's own files
            island=map(Markup, island(comparison, LOOKS)),
        )
    )


def placeholder(version: str) -> str:
    """Return the page that stands in until the comparison is made."""
    return html.placeholder(version)


def _kinds(comparison: Comparison) -> list[ChangeKind]:
    total, seen, kinds = len(comparison.changes) or 1, 0, []
    for change, count in comparison.counts.items():
        start, end = (round(n * 1000 / total) for n in (seen, seen + count))
        # Changes are in the order of their kinds.
        shown = comparison.changes[seen : seen + min(count, MOST_CHANGES)]
        is_open = change in WORSE or change is Fate.UNJUDGED
        look, meaning = LOOKS[change], MEANINGS[change]
        kinds.append(
            ChangeKind(change.value, look, meaning, count, start, end - start, shown, is_open)
        )
        seen += count
    return kinds


def _tables(comparison: Comparison) -> list[TallyTable]:
    tables = []
    for title, first, link, tallies in (
        ("By rule", "Rule", "rule", comparison.by_rule),
        ("By group", "Group", "", comparison.by_group),
        ("By connection", "Connection", "connection", comparison.by_connection),
    ):
        kinds = [change for change in Fate if any(change in tally.counts for tally in tallies)]
        rows = tallies if title == "By rule" else tallies[:MOST_TALLIES]
        if rows:
            tables.append(TallyTable(title, first, kinds, rows, len(tallies) - len(rows), link))
    return tables
