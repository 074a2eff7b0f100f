"""The summary of a run: readable in a CI log, pleasant on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from auditor.cli.terminal import style
from auditor.clock import iso
from auditor.model import Outcome, Result, RuleChecks, Severity, Verdict
from auditor.text import listed, one_line, plural

_WORST = 10
_OUTCOME = {
    Outcome.PASSED: ("PASSED", "green"),
    Outcome.VIOLATIONS: ("VIOLATIONS", "red"),
    Outcome.INCONCLUSIVE: ("INCONCLUSIVE", "yellow"),
}
_SEVERITY = {
    Severity.CRITICAL: ("red", "bold"),
    Severity.HIGH: ("red",),
    Severity.MEDIUM: ("yellow",),
    Severity.LOW: ("cyan",),
}


def summary(
    result: Result,
    reports: Sequence[Path],
    *,
    chosen: str = "",
    verbose: bool = False,
    lost: int | None = None,
) -> Iterator[str]:
    """Yield the lines of a summary; ``chosen`` says how the policies were, when by default.

    ``lost`` is the exit code of a run whose reports could not all be written.
    """
    yield style(f"Fivetran Auditor {result.version}", "bold")
    yield ""
    yield from _facts(result, chosen)
    yield ""
    yield _counts(result)
    yield ""
    yield from _worst(result, None if verbose else _WORST)
    yield from _notes(result, verbose=verbose)
    if reports:
        yield _row("reports", str(reports[0]))
        yield from (_row("", str(path)) for path in reports[1:])
        yield ""
    yield answer(result, lost)


def answer(result: Result, lost: int | None = None) -> str:
    """Return the gate's answer and its reasons, in one line; ``lost`` as in ``summary``."""
    word, colour = _OUTCOME[result.gate.outcome]
    if lost is not None:
        told = f"a report could not be written (the gate's own answer: {result.gate.outcome.value})"
        return f"{style('NOT REPORTED', 'red', 'bold')}  exit {lost}: {told}"
    reasons = "; ".join(one_line(reason, 400) for reason in result.gate.reasons)
    return f"{style(word, colour, 'bold')}  exit {result.gate.exit_code}: {reasons}"


def _facts(result: Result, chosen: str) -> Iterator[str]:
    listing = result.listing
    files = listed((f"{p.name} ({p.file})" for p in result.policies), "and")
    rules = f"{plural(len(result.checks), 'rule')} of {files}"
    yield _row("rules", rules)
    if chosen:
        yield _row("", f"no --policy was given: {chosen}")
    filters = "".join(f", {name} {value}" for name, value in result.source.filters)
    yield _row("source", f"{one_line(result.source.location)}{filters}")
    walks = f", {plural(listing.walks, 'walk')}" if listing.walks > 1 else ""
    pages = plural(listing.pages, "page")
    yield _row("listing", f"{listing.completeness.value} ({pages}{walks})")
    judged = f"{plural(len(result.connections), 'connection')}, {plural(result.total, 'check')}"
    yield _row("judged", f"{judged}, as of {iso(result.judged_at)}")
    if result.clock_note:
        yield _row("", one_line(result.clock_note))


def _counts(result: Result) -> str:
    cells = []
    for verdict in Verdict:
        count = result.counts[verdict]
        colour = {Verdict.FAIL: "red", Verdict.ERROR: "yellow", Verdict.PASS: "green"}.get(verdict)
        cell = f"{verdict.label} {count:,}"
        cells.append(style(cell, colour) if colour and count else style(cell, "dim"))
    return "  " + "   ".join(cells)


def _worst(result: Result, most: int | None) -> Iterator[str]:
    """Yield the rules that failed or erred, severest and most frequent first."""
    failing = sorted(
        (c for c in result.checks if c.count(Verdict.FAIL) or c.count(Verdict.ERROR)),
        key=lambda c: (-c.rule.severity, -c.count(Verdict.FAIL), -c.count(Verdict.ERROR)),
    )
    if not failing:
        return
    shown = failing[:most]
    width = max(len(c.rule.id) for c in shown)
    for checks in shown:
        yield _rule(checks, width)
    if len(failing) > len(shown):
        yield f"  and {plural(len(failing) - len(shown), 'more rule')}: see the report, or use -v"
    yield ""


def _rule(checks: RuleChecks, width: int) -> str:
    rule = checks.rule
    severity = style(f"{rule.severity.label:<8}", *_SEVERITY[rule.severity])
    fails, errors = checks.count(Verdict.FAIL), checks.count(Verdict.ERROR)
    unsettled = style(f" {plural(errors, 'error')}", "yellow") if errors else ""
    return f"  {severity} {fails:>7,}  {rule.id:<{width}}  {one_line(rule.title, 70)}{unsettled}"


def _notes(result: Result, *, verbose: bool) -> Iterator[str]:
    notes = [("left out", note) for note in result.left_out]
    notes += [("accepted", note) for note in result.accepted]
    notes += [("warning", note) for note in (*result.warnings, *result.listing.warnings)]
    idle = [rule.id for rule in result.idle_rules]
    if idle and len(result.connections):
        applied = "rule that applied" if len(idle) == 1 else "rules that applied"
        notes.append(("idle", f"{len(idle)} {applied} to nothing: {listed(idle, 'and')}"))
    if verbose:
        notes += [("policy", f"{p.file} sha256 {p.sha256}") for p in result.policies]
    for label, note in notes:
        yield _row(label, one_line(note, 400))
    if notes:
        yield ""


def _row(label: str, text: str) -> str:
    return f"  {style(f'{label:<9}', 'dim')} {text}"
