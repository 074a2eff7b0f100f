"""GitLab Code Quality: an array of issues, compared between branches by their fingerprints.

The format has no place for anything but issues (GitLab's documentation of Code Quality), so what a
run rests on is left to the other reports; an inconclusive run is an issue of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from auditor.model import Finding, Outcome, Position, Result, Severity
from auditor.reports.claim import let_through
from auditor.reports.facts import (
    UNFINISHED,
    acceptance,
    connections_in_words,
    headline,
    is_accepted,
    repository_path,
    sentences,
    unsaid_problems,
    written_at,
)
from auditor.reports.fingerprint import LENGTH, fingerprint
from auditor.reports.json_text import json_lines
from auditor.text import shortened

_SEVERITIES = {
    Severity.LOW: "minor",
    Severity.MEDIUM: "major",
    Severity.HIGH: "critical",
    Severity.CRITICAL: "blocker",
}
_LONGEST = 1000
MARK = r'\A\[(?:\n\{"description":.*"check_name":|\n\]\n\Z)'
# GitLab wants a path for every issue; this is the file in which a repository names packs.
_DEFAULTS = "auditor.yaml"
_Object = dict[str, Any]


def render(result: Result) -> Iterator[str]:
    """Yield the report on ``result``."""
    yield "["
    yield from json_lines(_issues(result))
    yield "\n]\n"


def placeholder(version: str) -> str:  # noqa: ARG001  # the format has no place for it
    """Return one blocker that says the run did not finish."""
    return "".join(("[", *json_lines([_inconclusive(UNFINISHED, "policies")]), "\n]\n"))


def _issues(result: Result) -> Iterator[_Object]:
    if result.gate.outcome is Outcome.INCONCLUSIVE:
        reasons = sentences((*result.gate.reasons, *unsaid_problems(result)))
        file = repository_path(_own(result).file, result.checkout)
        yield _inconclusive(f"inconclusive: {reasons}", file)
    own = _own(result)
    yield from (_issue(finding, own, result) for finding in result.findings)


def _own(result: Result) -> Position:
    """Return the user's first policy, or else where a repository could name a pack."""
    own = (Position(p.file, 1, 1) for p in result.policies)
    return next((position for position in own if not position.in_pack), Position(_DEFAULTS, 1, 1))


def _issue(finding: Finding, own: Position, result: Result) -> _Object:
    rule, position = finding.rule, written_at(finding) or own
    where = "; ".join(connections_in_words(finding)) or finding.group
    why = acceptance(finding) if is_accepted(finding) else let_through(finding, result)
    note = f" [{why}]" if why else ""
    return {
        "description": shortened(f"{headline(finding)} ({where}){note}", _LONGEST),
        "check_name": rule.id,
        "fingerprint": fingerprint(finding),
        "severity": "info" if why else _SEVERITIES[rule.severity],
        "location": _location(repository_path(position.file, result.checkout), position.line),
        "categories": [finding.verdict.label],
    }


def _inconclusive(text: str, file: str) -> _Object:
    return {
        "description": shortened(text, _LONGEST),
        "check_name": "inconclusive",
        "fingerprint": sha256(b"inconclusive").hexdigest()[:LENGTH],
        "severity": "blocker",
        "location": _location(file, 1),
        "categories": ["inconclusive"],
    }


def _location(file: str, line: int) -> _Object:
    return {"path": file, "lines": {"begin": line}}
