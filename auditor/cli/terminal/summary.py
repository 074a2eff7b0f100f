"""The summary of a run: readable in a CI log, pleasant on a terminal.

A function from a result to lines. What the gate answered is the last of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from auditor.cli.terminal.layout import cells, cut, folded, middle_cut, padded
from auditor.cli.terminal.streams import style
from auditor.clock import in_words, to_the_second
from auditor.model import Outcome, Result, Rule, RuleChecks, Severity, Verdict
from auditor.reports.claim import claim, is_open
from auditor.reports.facts import trend_in_words
from auditor.text import listed, one_line, plural, printable

_WORST = 10
_LONGEST_NOTE = 400
_LABEL = 9
_INDENT = _LABEL + 3
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
_COLOURS = {Verdict.FAIL: "red", Verdict.ERROR: "yellow", Verdict.PASS: "green"}
_PART = re.compile(r"(.*)-([0-9]+)\.xml")


def summary(
    result: Result,
    reports: Sequence[Path],
    *,
    chosen: str = "",
    verbose: bool = False,
    lost: int | None = None,
    width: int | None = None,
) -> Iterator[str]:
    """Yield the lines of a summary; ``chosen`` says how the policies were, when by default.

    ``lost`` is the exit code of a run whose reports could not all be written. ``width`` is the
    columns of a terminal; elsewhere nothing is cut or folded.
    """
    yield style(f"Fivetran Auditor {result.version}", "bold")
    yield ""
    yield from _facts(result, chosen, width)
    yield ""
    yield _counts(result)
    yield ""
    yield from _worst(result, None if verbose else _WORST, width)
    if result.plan is not None:
        yield from _of_plan(result, None if verbose else _WORST, width)
    yield from _notes(result, verbose=verbose, width=width)
    if reports:
        yield from _places(reports, width)
        yield ""
    yield from _answer_lines(result, lost, width)


def answer(result: Result, lost: int | None = None) -> str:
    """Return the gate's answer and what it rests on, in one line; ``lost`` as in ``summary``."""
    policies = listed((f"{one_line(p.name)} ({printable(p.file)})" for p in result.policies), "and")
    notes = (f"judged by {policies}", *_age(result), *map(one_line, result.notes))
    judged = "; ".join(notes)
    return f"{next(_answer_lines(result, lost, None))}; {judged}"


def _answer_lines(result: Result, lost: int | None, width: int | None) -> Iterator[str]:
    word, colour = _OUTCOME[result.gate.outcome]
    code = result.gate.exit_code
    reasons = [one_line(reason, _LONGEST_NOTE) for reason in result.gate.reasons]
    claimed = claim(result)
    if result.gate.outcome is Outcome.PASSED:
        said = claimed.sentence.removesuffix(".")
        reasons = [f"{said[0].lower()}{said[1:]}", *reasons]
    elif claimed.unmade:
        reasons.append("no check was made")
    if lost is not None:
        word, colour, code = "NOT REPORTED", "red", lost
        own = result.gate.outcome.value
        reasons = [f"a report could not be written (the gate's own answer: {own})"]
    indent = cells(f"{word}  exit {code}: ")
    said = "; ".join(reasons)
    if width is None or indent + cells(said) <= width:
        first, rest = said, []
    else:
        first, *rest = [line for reason in reasons for line in folded(reason, width, indent)]
    yield f"{style(word, colour, 'bold')}  exit {code}: {first}"
    for line in rest:
        yield f"{' ' * indent}{line}"


def _facts(result: Result, chosen: str, width: int | None) -> Iterator[str]:
    listing = result.listing
    files = listed((f"{one_line(p.name)} ({printable(p.file)})" for p in result.policies), "and")
    rules = f"{plural(len(result.checks), 'rule')} of {files}"
    yield from _row("rules", rules, width)
    if chosen:
        yield from _row("", f"no --policy was given: {chosen}", width)
    filters = "".join(f", {name} {one_line(value)}" for name, value in result.source.filters)
    yield from _row("source", f"{one_line(result.source.location)}{filters}", width)
    if result.source.account is not None:
        yield from _row("account", one_line(str(result.source.account)), width)
    walks = f", {plural(listing.walks, 'walk')}" if listing.walks > 1 else ""
    pages = plural(listing.pages, "page")
    yield from _row("listing", f"{listing.completeness.value} ({pages}{walks})", width)
    judged = f"{plural(len(result.connections), 'connection')}, {plural(result.total, 'check')}"
    yield from _row("judged", f"{judged}, as of {to_the_second(result.judged_at)}", width)
    if result.clock_note:
        yield from _row("", one_line(result.clock_note), width)
    for note in _age(result):
        yield from _row("", note, width)
    own = [f"{each.name} ({plural(each.rows, 'row')} of {each.origin})" for each in result.facts]
    if own:
        yield from _row("facts", one_line(listed(own, "and"), _LONGEST_NOTE), width)


def _age(result: Result) -> Iterator[str]:
    """Yield how old a saved listing is: it answers for the account as it was then."""
    saved = result.plan.saved if result.plan is not None else result.source.kind != "api"
    if not saved or not result.listing.connections:
        return
    if result.taken_at is None:
        yield "the saved listing does not say when it was taken"
    else:
        age = max(datetime.now(UTC) - result.taken_at, timedelta(0))
        yield f"the snapshot is {in_words(age)} old"


def _counts(result: Result) -> str:
    cells = []
    for verdict in Verdict:
        count = result.counts[verdict]
        cell = f"{verdict.label} {count:,}"
        colour = _COLOURS.get(verdict)
        cells.append(style(cell, colour) if colour and count else style(cell, "dim"))
    return "  " + "   ".join(cells)


# -- the worst rules -------------------------------------------------------------------------------


def _worst(result: Result, most: int | None, width: int | None) -> Iterator[str]:
    """Yield the rules that failed or erred, severest and most frequent first."""
    failing = sorted(
        (c for c in result.checks if c.count(Verdict.FAIL) or c.count(Verdict.ERROR)),
        key=lambda c: (-c.rule.severity, -c.count(Verdict.FAIL), -c.count(Verdict.ERROR)),
    )
    if not failing:
        return
    shown = failing[:most]
    verdicts = [v for v in (Verdict.FAIL, Verdict.ERROR) if any(c.count(v) for c in shown)]
    numbers = {
        v: [v.label, *(f"{c.count(v):,}" if c.count(v) else "-" for c in shown)] for v in verdicts
    }
    counts = [
        "  ".join(column[line].rjust(max(map(len, column))) for column in numbers.values())
        for line in range(len(shown) + 1)
    ]
    room = None if width is None else width - 2 - 8 - 2 - len(counts[0]) - 2
    ids = [middle_cut(c.rule.id, room and max(room // 2, 12)) for c in shown]
    widest = max(map(cells, ids))
    yield style(f"  {'severity':<8}  {counts[0]}  rule", "dim")
    for checks, line, identity in zip(shown, counts[1:], ids, strict=True):
        left = None if room is None else room - widest - 2
        yield _rule(checks, line, padded(identity, widest), left)
    if len(failing) > len(shown):
        yield f"  and {plural(len(failing) - len(shown), 'more rule')}: see the report, or use -v"
    yield ""


def _rule(checks: RuleChecks, counts: str, identity: str, room: int | None) -> str:
    rule = checks.rule
    severity = style(f"{rule.severity.label:<8}", *_SEVERITY[rule.severity])
    title = cut(one_line(rule.title, 70), room)
    return f"  {severity}  {counts}  {identity}  {title}".rstrip()


def _of_plan(result: Result, most: int | None, width: int | None) -> Iterator[str]:
    """Yield the findings that stand in a plan's way, each with what to change in Terraform."""
    found = [f for f in result.findings if is_open(f, result)]
    for finding in found[:most]:
        yield from _row(
            finding.rule.severity.label,
            one_line(f"{finding.rule.id}: {finding.message}", _LONGEST_NOTE),
            width,
        )
    if most is not None and len(found) > most:
        yield f"  and {plural(len(found) - most, 'more finding')}: see the report, or use -v"
    if found:
        yield ""


# -- notes and places ------------------------------------------------------------------------------


def _idle(rules: Sequence[Rule]) -> str:
    """Return which rules applied to nothing; of those that may be idle, how many."""
    odd = [rule.id for rule in rules if not rule.may_be_idle]
    rest = len(rules) - len(odd)
    if not odd:
        applied = "rule that may be idle" if rest == 1 else "rules that may be idle"
        return f"{rest} {applied} applied to nothing"
    applied = "rule that applied" if len(odd) == 1 else "rules that applied"
    more = f"; so did {rest} that may be idle" if rest else ""
    return f"{len(odd)} {applied} to nothing: {listed(odd, 'and')}{more}"


def _notes(result: Result, *, verbose: bool, width: int | None) -> Iterator[str]:
    notes = [("left out", note) for note in result.left_out]
    notes += [("note", note) for note in result.notes]
    notes += [("accepted", note) for note in result.accepted]
    notes += [("warning", note) for note in (*result.warnings, *result.listing.warnings)]
    unplanned = [rule.id for rule in result.unplanned_rules]
    if result.not_in_plan:
        only = f"; all of {listed(unplanned, 'and')}" if unplanned else ""
        notes.append(("unplanned", f"{plural(result.not_in_plan, 'check')} not in the plan{only}"))
    if result.idle_rules and len(result.connections):
        notes.append(("idle", _idle(result.idle_rules)))
    if result.history is not None:
        notes.append(("trend", trend_in_words(result.history)))
    if verbose:
        notes += [("policy", f"{p.file} sha256 {p.sha256}") for p in result.policies]
    for label, note in notes:
        yield from _row(label, one_line(note, _LONGEST_NOTE), width)
    if notes:
        yield ""


def _places(reports: Sequence[Path], width: int | None) -> Iterator[str]:
    """Yield where the reports are, a line each; the parts of one report share a line."""
    runs: list[list[Path]] = []
    for path in reports:
        if runs and _is_next_part(runs[-1][-1], path):
            runs[-1].append(path)
        else:
            runs.append([path])
    for number, run in enumerate(runs):
        more = f" to {printable(run[-1].name)}" if len(run) > 1 else ""
        room = None if width is None else width - _INDENT
        text = middle_cut(f"{printable(str(run[0]))}{more}", room)
        yield from _row("" if number else "reports", text, None)


def _is_next_part(path: Path, other: Path) -> bool:
    first, second = _PART.fullmatch(path.name), _PART.fullmatch(other.name)
    if first is None or second is None or path.parent != other.parent:
        return False
    return first[1] == second[1] and int(second[2]) == int(first[2]) + 1


def _row(label: str, text: str, width: int | None) -> Iterator[str]:
    first, *rest = folded(text, width, _INDENT)
    # Blanks are not styled: behind a style, blanks would not be seen as the start of a line.
    head = f"{label:<{_LABEL}}"
    yield f"  {style(head, 'dim') if label else head} {first}"
    for line in rest:
        yield f"{' ' * _INDENT}{line}"
