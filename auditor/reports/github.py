"""GitHub workflow annotations: commands in a job's log.

GitHub shows ten of each kind per step beside the policy's lines (its documentation, "Limits on
annotations"), so no more are written, severest first, and the rest are counted. The first command
is the run itself. Commands are read from the log line by line; nothing that a record or a policy
holds can end one or begin another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditor.errors import Problem
from auditor.model import Checkout, Finding, Outcome, Position, Result, Severity, Verdict
from auditor.reports.claim import let_through
from auditor.reports.facts import (
    UNFINISHED,
    connections_in_words,
    counts_in_words,
    evidence_in_words,
    facts,
    headline,
    is_accepted,
    repository_path,
    sentences,
    written_at,
)
from auditor.reports.links import rule_page
from auditor.text import broken_commands, plural, shortened

#: How many of each kind: errors, warnings, notices.
MOST = 10
#: How many of a policy's problems; whoever changes it wants to see them at least in the log.
MOST_PROBLEMS = 50
MARK = r"\A::(?:error|notice|warning) (?:title=Fivetran audit::|file=.*title=Fivetran policy::)"

_LONGEST = 8000

_TITLE = "Fivetran audit"
_COMMANDS = {
    Severity.LOW: "notice",
    Severity.MEDIUM: "warning",
    Severity.HIGH: "error",
    Severity.CRITICAL: "error",
}
_OUTCOMES = {Outcome.PASSED: "notice", Outcome.VIOLATIONS: "error", Outcome.INCONCLUSIVE: "error"}


def render(result: Result) -> Iterator[str]:
    """Yield the report on ``result``."""
    outcome = result.gate.outcome
    about = [f"{name}: {value}" for name, value in facts(result).items()]
    said = f"{outcome.value}: {sentences(result.gate.reasons)}"
    room = dict.fromkeys(("error", "warning", "notice"), MOST)
    room[_OUTCOMES[outcome]] -= 1
    shown, waiting = list[tuple[str, Finding]](), 0
    for finding in result.findings:
        if is_accepted(finding):
            continue
        kind = _kind(finding, result)
        if room[kind]:
            room[kind] -= 1
            shown.append((kind, finding))
        else:
            waiting += 1
    more = [f"and {plural(waiting, 'more finding')}: see the other reports"] if waiting else []
    yield _command(_OUTCOMES[outcome], "\n".join([said, counts_in_words(result), *more, *about]))
    for kind, finding in shown:
        yield _annotation(kind, finding, result)


def placeholder(version: str) -> str:
    """Return one error that says the run did not finish."""
    return _command("error", f"{UNFINISHED} (fivetran-auditor {version})")


def render_problems(problems: Sequence[Problem]) -> Iterator[str]:
    """Yield an annotation for each problem in policy files, up to ``MOST_PROBLEMS``."""
    for problem in problems[:MOST_PROBLEMS]:
        yield _command(
            "warning" if problem.warning else "error",
            "\n".join(filter(None, (problem.message, problem.hint))),
            **_where(problem.position, Checkout()),
            title="Fivetran policy",
        )
    if len(problems) > MOST_PROBLEMS:
        more = plural(len(problems) - MOST_PROBLEMS, "more problem")
        yield _command("warning", f"and {more}")


def _kind(finding: Finding, result: Result) -> str:
    if let_through(finding, result):
        return "notice"
    return "error" if finding.verdict is Verdict.ERROR else _COMMANDS[finding.rule.severity]


def _annotation(command: str, finding: Finding, result: Result) -> str:
    rule, position = finding.rule, written_at(finding)
    lines = [
        *filter(None, [let_through(finding, result)]),
        headline(finding),
        *connections_in_words(finding),
        *evidence_in_words(finding),
    ]
    if finding.fix:
        lines.append(f"fix: {finding.fix}")
    if rule.position.in_pack:
        lines.append(f"rule: {rule.position}")
    if page := rule_page(result, rule):
        lines.append(f"more: {page}")
    where = {} if position is None else _where(position, result.checkout)
    return _command(command, "\n".join(lines), **where, title=f"{rule.severity.label}: {rule.id}")


def _where(position: Position, checkout: Checkout) -> dict[str, str]:
    file = repository_path(position.file, checkout)
    return {"file": file, "line": str(position.line), "col": str(position.column)}


def _command(command: str, text: str, **properties: str) -> str:
    said = {"title": _TITLE, **properties}
    pairs = ",".join(f"{name}={_property(value)}" for name, value in said.items())
    return f"::{command} {pairs}::{_data(shortened(text, _LONGEST))}\n"


def _data(text: str) -> str:
    # Commands recognised anywhere in a line cannot be escaped.
    text = "".join(broken_commands([text]))
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
