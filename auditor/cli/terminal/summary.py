"""The summary of a run: readable in a CI log, pleasant on a terminal.

A function from a result to lines, the last of which is the gate's answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from auditor.cli.terminal.layout import INDENT, Layout, cells, padded
from auditor.cli.terminal.streams import linked, style
from auditor.clock import FUTURE_TOLERANCE, in_words, to_the_second
from auditor.model import (
    Finding,
    Outcome,
    Result,
    Rule,
    RuleChecks,
    Severity,
    Verdict,
    group_label,
)
from auditor.reports.brief import first_findings, waiting, worst
from auditor.reports.claim import accepted_in_words, claim, is_open
from auditor.reports.facts import beside, trend_in_words, where_in_words
from auditor.reports.links import link
from auditor.text import listed, one_line, plural, printable

_WORST = 10
_LONGEST_NOTE = 400
_LOG = Layout()
#: How many findings of each rule are named in a log; a terminal takes as many as fit.
_NAMED = 3
_MOST_NAMED = 10
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
#: The column where a finding begins, below its rule.
_DEEPER = 14
#: The lines of a summary besides its rules and their findings.
_REST = 24
_PART = re.compile(r"(.*)-([0-9]+)\.xml")
#: The name of a part by a dimension, before and after the value.
_BY_VALUE = re.compile(r"(.*\.[^.=]*=)[^.]*(\.[^.]*)")


def summary(
    result: Result,
    reports: Sequence[Path],
    *,
    chosen: str = "",
    verbose: bool = False,
    lost: int | None = None,
    layout: Layout = _LOG,
) -> Iterator[str]:
    """Yield the lines of a summary; ``chosen`` says how default policies were chosen.

    ``lost`` is the exit code of a run whose reports could not all be written. ``layout``
    is the room of a terminal; elsewhere nothing is cut or folded.
    """
    yield style(f"Fivetran Auditor {result.version}", "bold")
    yield ""
    yield from _facts(result, chosen, layout)
    yield ""
    yield _counts(result)
    yield ""
    yield from _worst(result, None if verbose else _WORST, layout)
    if result.plan is not None:
        yield from _of_plan(result, None if verbose else _WORST, layout)
    yield from _notes(result, verbose=verbose, layout=layout)
    if reports:
        yield from _places(reports, layout)
        yield ""
    yield from _answer_lines(result, lost, layout)


def answer(result: Result, lost: int | None = None) -> str:
    """Return the gate's answer and what it rests on, in one line; ``lost`` as in ``summary``."""
    policies = listed((f"{one_line(p.name)} ({printable(p.file)})" for p in result.policies), "and")
    # A snapshot's own time goes without saying: its age is there.
    odd = result.clock_note if result.judged_at != result.taken_at else ""
    notes = (f"judged by {policies}", odd, *_age(result), *map(one_line, result.notes))
    judged = "; ".join(filter(None, notes))
    return f"{next(_answer_lines(result, lost, _LOG))}; {judged}"


def _answer_lines(result: Result, lost: int | None, layout: Layout) -> Iterator[str]:
    word, colour = _OUTCOME[result.gate.outcome]
    code = result.gate.exit_code
    reasons = [one_line(reason, _LONGEST_NOTE) for reason in result.gate.reasons]
    claimed = claim(result)
    if result.gate.outcome is Outcome.PASSED:
        # How many were waived, known or allowed is among the gate's reasons.
        said = claimed.sentence.removesuffix(".").removesuffix(f": {accepted_in_words(result)}")
        said = f"{said[0].lower()}{said[1:]}"
        reasons = [said, *(each for each in reasons if each.lower() not in said.lower())]
    elif claimed.unmade:
        reasons.append("no check was made")
    if lost is not None:
        word, colour, code = "NOT REPORTED", "red", lost
        own = result.gate.outcome.value
        reasons = [f"a report could not be written (the gate's own answer: {own})"]
    indent = cells(f"{word}  exit {code}: ")
    said = "; ".join(reasons)
    said = layout.clean(said)
    if layout.width is None or indent + cells(said) <= layout.width:
        first, rest = said, []
    else:
        first, *rest = [line for reason in reasons for line in layout.folded(reason, indent)]
    yield f"{style(word, colour, 'bold')}  exit {code}: {first}"
    for line in rest:
        yield f"{' ' * indent}{line}"


def _facts(result: Result, chosen: str, layout: Layout) -> Iterator[str]:
    listing = result.listing
    files = listed((f"{one_line(p.name)} ({printable(p.file)})" for p in result.policies), "and")
    rules = f"{plural(len(result.checks), 'rule')} of {files}"
    yield from _row("rules", rules, layout)
    if chosen:
        yield from _row("", f"no --policy was given: {chosen}", layout)
    names = result.connections.group_names
    filters = "".join(
        f", group {group_label(one_line(value), names.get(value, ''))}"
        if name == "group_id"
        else f", {name} {one_line(value)}"
        for name, value in result.source.filters
    )
    yield from _row("source", f"{one_line(result.source.location)}{filters}", layout)
    if result.source.account is not None:
        yield from _row("account", one_line(str(result.source.account)), layout)
    walks = f", {plural(listing.walks, 'walk')}" if listing.walks > 1 else ""
    pages = f" ({plural(listing.pages, 'page')}{walks})" if listing.pages else ""
    yield from _row("listing", f"{listing.completeness.value}{pages}", layout)
    judged = f"{plural(len(result.connections), 'connection')}, {plural(result.total, 'check')}"
    if result.total and claim(result).unmade:
        judged = f"nothing of {judged}"
    yield from _row("judged", f"{judged}, as of {to_the_second(result.judged_at)}", layout)
    if result.clock_note:
        yield from _row("", one_line(result.clock_note), layout)
    for note in _age(result):
        yield from _row("", note, layout)
    own = [f"{each.name} ({plural(each.rows, 'row')} of {each.origin})" for each in result.facts]
    if own:
        yield from _row("facts", one_line(listed(own, "and"), _LONGEST_NOTE), layout)


def _age(result: Result) -> Iterator[str]:
    """Yield the age of a saved listing: it speaks for the account as it was then."""
    saved = result.plan.saved if result.plan is not None else result.source.kind != "api"
    if not saved or not result.listing.connections:
        return
    if result.taken_at is None:
        yield "the saved listing does not say when it was taken"
    else:
        age = datetime.now(UTC) - result.taken_at
        if age < -FUTURE_TOLERANCE:
            yield f"the snapshot says that it was taken {in_words(-age)} from now"
        else:
            yield f"the snapshot is {in_words(max(age, timedelta(0)))} old"


def _counts(result: Result) -> str:
    cells = []
    for verdict in Verdict:
        count = result.counts[verdict]
        cell = f"{verdict.label} {count:,}"
        colour = _COLOURS.get(verdict)
        cells.append(style(cell, colour) if colour and count else style(cell, "dim"))
    return "  " + "   ".join(cells)


# -- the worst rules -------------------------------------------------------------------------------


def _worst(result: Result, most: int | None, layout: Layout) -> Iterator[str]:
    """Yield the rules that failed or erred, severest and most frequent first."""
    failing = worst(result)
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
    room = layout.beside(2 + 8 + 2 + len(counts[0]) + 2)
    ids = [layout.middle_cut(c.rule.id, room and max(room // 2, 12)) for c in shown]
    widest = max(map(cells, ids))
    most_named = None if most is None else _share(len(shown), layout)
    # What blocks a plan is reported with what to change.
    named = {} if result.plan is not None else first_findings(result, shown, most_named)
    yield style(f"  {'severity':<8}  {counts[0]}  rule", "dim")
    for checks, line, identity in zip(shown, counts[1:], ids, strict=True):
        left = None if room is None else room - widest - 2
        yield _rule(checks, line, padded(identity, widest), layout, left)
        yield from _findings(result, named.get(checks.rule.id, []), checks, layout)
    if len(failing) > len(shown):
        yield f"  and {plural(len(failing) - len(shown), 'more rule')}: see the report, or use -v"
    yield ""


def _rule(checks: RuleChecks, counts: str, identity: str, layout: Layout, room: int | None) -> str:
    rule = checks.rule
    severity = style(f"{rule.severity.label:<8}", *_SEVERITY[rule.severity])
    title = layout.cut(one_line(rule.title, 70), room)
    return f"  {severity}  {counts}  {identity}  {title}".rstrip()


def _share(rules: int, layout: Layout) -> int:
    """Return how many findings of each of ``rules`` rules are named."""
    if layout.height is None:
        return _NAMED
    # Each rule has its share of the lines that the rules and the rest of the summary leave.
    return min(max((layout.height - _REST) // rules - 2, 1), _MOST_NAMED)


def _findings(
    result: Result, named: Sequence[Finding], checks: RuleChecks, layout: Layout
) -> Iterator[str]:
    """Yield one line per finding: the connection, what was found, and since when."""
    for finding in named:
        since = result.history.since(finding) if result.history is not None else None
        tail = f", since {since:%Y-%m-%d}" if since is not None else ""
        where = one_line(where_in_words(finding), _LONGEST_NOTE)
        said = one_line(beside(finding), _LONGEST_NOTE)
        room = layout.beside(_DEEPER + cells(tail))
        # In a narrow window ids give way: the line is for what was found.
        if room is not None and cells(f"{where}: {said}") > room:
            where = one_line(where_in_words(finding, briefly=True), _LONGEST_NOTE)
        text = layout.cut(f"{where}: {said}", room)
        one = finding.connections[0] if len(finding.connections) == 1 else None
        url = link(result, finding.rule, one) if one is not None else ""
        # Only a name that is shown in full is a link.
        name = layout.clean(where)
        if text.startswith(name):
            text = f"{linked(name, url)}{text[len(name) :]}"
        mark = style("?", "yellow") if finding.verdict is Verdict.ERROR else style("-", "dim")
        yield f"{' ' * (_DEEPER - 2)}{mark} {text}{tail}"
    if named and (more := waiting(checks, named)) > 0:
        yield f"{' ' * (_DEEPER - 2)}  {style(f'and {more:,} more', 'dim')}"


def _of_plan(result: Result, most: int | None, layout: Layout) -> Iterator[str]:
    """Yield the findings that block a plan, each with what to change in Terraform."""
    found = [f for f in result.findings if is_open(f, result)]
    for finding in found[:most]:
        yield from _row(
            finding.rule.severity.label,
            one_line(f"{finding.rule.id}: {finding.message}", _LONGEST_NOTE),
            layout,
        )
    if most is not None and len(found) > most:
        yield f"  and {plural(len(found) - most, 'more finding')}: see the report, or use -v"
    if found:
        yield ""


# -- notes and places ------------------------------------------------------------------------------


def _idle(rules: Sequence[Rule]) -> str:
    """Return the rules that applied to nothing; those that may be idle are only counted."""
    odd = [rule.id for rule in rules if not rule.may_be_idle]
    rest = len(rules) - len(odd)
    if not odd:
        allow = "its policy allows" if rest == 1 else "their policies allow"
        return f"{plural(rest, 'rule')} applied to nothing, as {allow}"
    applied = "rule that applied" if len(odd) == 1 else "rules that applied"
    more = f"; so did {rest} that may be idle" if rest else ""
    return f"{len(odd)} {applied} to nothing: {listed(odd, 'and')}{more}"


def _notes(result: Result, *, verbose: bool, layout: Layout) -> Iterator[str]:
    notes = [("left out", note) for note in result.left_out]
    notes += [("note", note) for note in result.notes]
    notes += [("accepted", note) for note in result.accepted]
    notes += [("warning", note) for note in (*result.warnings, *result.listing.warnings)]
    unplanned = [rule.id for rule in result.unplanned_rules]
    if result.not_in_plan:
        only = f"; all of {listed(unplanned, 'and')}" if unplanned else ""
        notes.append(("unplanned", f"{plural(result.not_in_plan, 'check')} not in the plan{only}"))
    if result.left_unknown:
        skipped = plural(result.left_unknown, "check")
        of = [c.rule.id for c in result.checks if c.left_unknown]
        notes.append(("unknown", f"{skipped} unknown until applied, skipped: {listed(of, 'and')}"))
    if result.idle_rules and len(result.connections):
        notes.append(("idle", _idle(result.idle_rules)))
    if result.history is not None:
        notes.append(("trend", trend_in_words(result.history)))
    if verbose:
        notes += [("policy", f"{p.file} sha256 {p.sha256}") for p in result.policies]
    for label, note in notes:
        yield from _row(label, one_line(note, _LONGEST_NOTE), layout)
    if notes:
        yield ""


def _places(reports: Sequence[Path], layout: Layout) -> Iterator[str]:
    """Yield where the reports are, one line each; the parts of one report share a line."""
    runs: list[list[Path]] = []
    for path in reports:
        if runs and _is_next_part(runs[-1][-1], path):
            runs[-1].append(path)
        else:
            runs.append([path])
    for number, run in enumerate(runs):
        more = f" to {printable(run[-1].name)}" if len(run) > 1 else ""
        text = layout.middle_cut(f"{printable(str(run[0]))}{more}", layout.beside(INDENT))
        url = _address(run[0]) if len(run) == 1 else ""
        yield from _row("" if number else "reports", linked(text, url), _LOG)


def _address(path: Path) -> str:
    """Return the address of a file, for a link; "" if its name is not text."""
    try:
        return path.absolute().as_uri()
    except (UnicodeEncodeError, OSError):
        return ""


def _is_next_part(path: Path, other: Path) -> bool:
    if (first := _BY_VALUE.fullmatch(path.name)) and (second := _BY_VALUE.fullmatch(other.name)):
        return path.parent == other.parent and first[1] == second[1]
    first, second = _PART.fullmatch(path.name), _PART.fullmatch(other.name)
    if first is None or second is None or path.parent != other.parent:
        return False
    return first[1] == second[1] and int(second[2]) == int(first[2]) + 1


def _row(label: str, text: str, layout: Layout) -> Iterator[str]:
    return layout.row(label, text, _dim)


def _dim(text: str) -> str:
    return style(text, "dim")
