"""One line per finding, for a terminal, a log and ``grep``.

``severity rule connection: message``, severest first, in the style of compilers; the first line is
the run, and the first word of every line says what it is. Nothing is cut.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.model import Finding, Result, Verdict
from auditor.reports.claim import claim, let_through
from auditor.reports.facts import UNFINISHED, acceptance, headline, is_accepted, where_in_words
from auditor.text import one_line

MARK = r"\A(?:passed|violations|inconclusive): "
#: A value that a rule reads may be long; it stays on one line, however long.
_LONGEST = 4000


def render(result: Result) -> Iterator[str]:
    """Yield the report on ``result``."""
    reasons = "; ".join(result.gate.reasons)
    said = f"{claim(result).sentence} {reasons}".rstrip()
    yield f"{result.gate.outcome.value}: {one_line(said, _LONGEST)}\n"
    for finding in result.findings:
        yield f"{_line(finding, result)}\n"


def placeholder(version: str) -> str:
    """Return the one line of a run that did not finish."""
    return f"{UNFINISHED} (fivetran-auditor {version})\n"


def _line(finding: Finding, result: Result) -> str:
    severity = finding.rule.severity.label
    word = severity if finding.verdict is Verdict.FAIL else f"{finding.verdict.label} {severity}"
    why = acceptance(finding) if is_accepted(finding) else let_through(finding, result)
    since = result.history.since(finding) if result.history is not None else None
    tail = "".join(
        [f" [{why}]" if why else "", f" (since {since:%Y-%m-%d})" if since is not None else ""]
    )
    where = where_in_words(finding) or "the account"
    said = f"{word} {finding.rule.id} {where}: {headline(finding)}{tail}"
    return one_line(said, _LONGEST)
