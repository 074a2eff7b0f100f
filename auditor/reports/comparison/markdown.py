"""A comparison in Markdown, for a pull request's comment: what got worse first, and short."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditor.clock import to_the_second
from auditor.past.compare import MEANINGS, Changed, Comparison, ComparisonOutcome, Fate, Tally
from auditor.past.earlier import EarlierReport
from auditor.reports.facts import UNFINISHED
from auditor.reports.markdown import LONGEST, code, prose
from auditor.text import plural

_MOST_TALLIES = 50
_MOST_CHANGES = 1000
_RESERVE = 400
MARK = r"\A## \S+ Fivetran audits compared: "
_HEADINGS = {
    ComparisonOutcome.HELD: "✅ Fivetran audits compared: nothing got worse",
    ComparisonOutcome.WORSE: "❌ Fivetran audits compared: worse",
    ComparisonOutcome.INCONCLUSIVE: "⚠️ Fivetran audits compared: inconclusive",
}
#: How many are listed one by one; the rest are counted.
_LISTED = tuple(c for c in Fate if c not in (Fate.UNCHANGED, Fate.ACCEPTED))


def render(comparison: Comparison) -> Iterator[str]:
    """Yield the comparison, at most ``LONGEST`` characters of it."""
    room, written = LONGEST - _RESERVE, 0
    for piece in _pieces(comparison):
        if len(piece) <= room:
            room -= len(piece)
            yield piece
    changes = [changed for changed in comparison.changes if changed.change in _LISTED]
    for piece in _sections(changes[:_MOST_CHANGES]):
        if len(piece) > room:
            break
        room, written = room - len(piece), written + 1
        yield piece
    if written < len(changes):
        yield (
            f"\n{written:,} of {plural(len(changes), 'change')} shown, worst first; "
            "the JSON document lists them all.\n"
        )


def placeholder(version: str) -> str:
    """Return a text that says nothing was compared."""
    heading = _HEADINGS[ComparisonOutcome.INCONCLUSIVE]
    return f"## {heading}\n\n{UNFINISHED}.\n\nfivetran-auditor {version}\n"


def _pieces(comparison: Comparison) -> Iterator[str]:
    yield f"## {_HEADINGS[comparison.answer]}\n\n"
    yield from (f"- {prose(reason)}\n" for reason in comparison.reasons[:20])
    yield "\n| Change | Checks | |\n|---|---:|---|\n"
    for change, count in comparison.counts.items():
        if count or change in (Fate.NEW, Fate.FIXED, Fate.UNCHANGED):
            yield f"| {change.value} | {count:,} | {MEANINGS[change]} |\n"
    yield "\n| Run | Old | New |\n|---|---|---|\n"
    old, new = _side(comparison.earlier), _side(comparison.later)
    for name, cell in old.items():
        yield f"| {name} | {cell} | {new[name]} |\n"
    yield from _listed("New rules", comparison.rules_added)
    yield from _listed("Rules that are gone", comparison.rules_gone)
    yield from _listed("Rules that were changed", comparison.rules_changed)
    yield from _tallies("By rule", comparison.by_rule)
    yield from _tallies("By group", comparison.by_group)
    yield from _tallies("By connection", comparison.by_connection)


def _side(report: EarlierReport) -> dict[str, str]:
    policies = [f"{code(p.name)} ({code(p.file)})" for p in report.policies[:20]]
    return {
        "Report": code(report.name),
        "Judged at": to_the_second(report.judged_at) if report.judged_at else "did not finish",
        "Outcome": report.outcome.value,
        "Source": code(report.source.location),
        "Connections": f"{len(report.connections):,}",
        "Rules": f"{len(report.rules):,}",
        "Policies": "<br>".join(policies),
        "Left out": "<br>".join(prose(text) for text in report.left_out[:20]),
    }


def _listed(title: str, names: Sequence[str]) -> Iterator[str]:
    if names:
        more = f" and {len(names) - _MOST_TALLIES:,} more" if len(names) > _MOST_TALLIES else ""
        yield f"\n{title}: {', '.join(map(code, names[:_MOST_TALLIES]))}{more}\n"


def _tallies(title: str, tallies: Sequence[Tally]) -> Iterator[str]:
    kinds = [change for change in Fate if any(change in tally.counts for tally in tallies)]
    if not kinds:
        return
    yield f"\n| {title} | {' | '.join(kind.value for kind in kinds)} |\n"
    yield f"|---|{'---:|' * len(kinds)}\n"
    for tally in tallies[:_MOST_TALLIES]:
        counts = " | ".join(f"{tally.counts.get(kind, 0):,}" for kind in kinds)
        label = tally.label if tally.label != tally.name else ""
        # A group's label ends with its id.
        named = label.endswith(f"({tally.name})")
        called = "" if named else f"{code(tally.name)}{'<br>' if label else ''}"
        yield f"| {called}{prose(label)} | {counts} |\n"
    if len(tallies) > _MOST_TALLIES:
        yield f"\nand {len(tallies) - _MOST_TALLIES:,} more\n"


def _sections(changes: Sequence[Changed]) -> Iterator[str]:
    """Yield one piece of text per change; the first of a kind brings the heading."""
    kind = None
    for changed in changes:
        heading = ""
        if changed.change is not kind:
            kind = changed.change
            heading = (
                f"\n### {kind.value.capitalize()}: {MEANINGS[kind]}\n\n"
                "| Severity | Rule | Connection | Message |\n|---|---|---|---|\n"
            )
        yield f"{heading}{_row(changed)}"


def _row(changed: Changed) -> str:
    shown = changed.connections[:3]
    names = [f"{code(f'{c.service}/{c.schema}')} ({code(c.id)})" for c in shown]
    if len(changed.connections) > len(shown):
        names.append(f"and {len(changed.connections) - len(shown):,} more")
    if changed.group:
        names.insert(0, code(changed.group))
    note = f" ({prose(changed.note)})" if changed.note else ""
    cells = (
        changed.severity.label,
        code(changed.rule),
        "<br>".join(names),
        f"{prose(changed.message)}{note}",
    )
    return f"| {' | '.join(cells)} |\n"
