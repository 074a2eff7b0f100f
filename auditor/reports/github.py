"""GitHub workflow annotations: commands in a job's log.

GitHub shows a few of them beside the policy's lines, so that at most ``MOST`` are written and the
rest is counted. The first command is the run itself. Commands are read from the log line by line;
nothing that a record or a policy holds can end one or begin another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditor.errors import Problem
from auditor.model import Finding, Outcome, Position, Result, Severity, Verdict
from auditor.reports.claim import let_through
from auditor.reports.facts import (
    UNFINISHED,
    connections_in_words,
    counts_in_words,
    evidence_in_words,
    facts,
    headline,
    is_accepted,
    pressing,
    repository_path,
    sentences,
    written_at,
)
from auditor.text import broken_commands, plural, shortened

MOST = 50
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
    yield _command(_OUTCOMES[outcome], "\n".join([said, counts_in_words(result), *about]))
    shown = [finding for finding in pressing(result, MOST) if not is_accepted(finding)]
    for finding in shown:
        yield _annotation(finding, result)
    waiting = sum(not is_accepted(finding) for finding in result.findings) - len(shown)
    if waiting:
        more = f"and {plural(waiting, 'more finding')}: see the other reports"
        yield _command("warning", more)


def placeholder(version: str) -> str:
    """Return one error that says the run did not finish."""
    return _command("error", f"{UNFINISHED} (fivetran-auditor {version})")


def render_problems(problems: Sequence[Problem]) -> Iterator[str]:
    """Yield an annotation for each problem in policy files, up to ``MOST``."""
    for problem in problems[:MOST]:
        yield _command(
            "warning" if problem.warning else "error",
            "\n".join(filter(None, (problem.message, problem.hint))),
            **_where(problem.position),
            title="Fivetran policy",
        )
    if len(problems) > MOST:
        yield _command("warning", f"and {plural(len(problems) - MOST, 'more problem')}")


def _annotation(finding: Finding, result: Result) -> str:
    rule, position = finding.rule, written_at(finding)
    command = "error" if finding.verdict is Verdict.ERROR else _COMMANDS[rule.severity]
    if allowed := let_through(finding, result):
        command = "notice"
    lines = [
        *filter(None, [allowed]),
        headline(finding),
        *connections_in_words(finding),
        *evidence_in_words(finding),
    ]
    if finding.fix:
        lines.append(f"fix: {finding.fix}")
    if rule.position.in_pack:
        lines.append(f"rule: {rule.position}")
    where = {} if position is None else _where(position)
    return _command(command, "\n".join(lines), **where, title=f"{rule.severity.label}: {rule.id}")


def _where(position: Position) -> dict[str, str]:
    file, line, column = repository_path(position.file), position.line, position.column
    return {"file": file, "line": str(line), "col": str(column)}


def _command(command: str, text: str, **properties: str) -> str:
    said = {"title": _TITLE, **properties}
    pairs = ",".join(f"{name}={_property(value)}" for name, value in said.items())
    return f"::{command} {pairs}::{_data(shortened(text, _LONGEST))}\n"


def _data(text: str) -> str:
    # What is read wherever it stands in a line cannot be escaped.
    text = "".join(broken_commands([text]))
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
