"""GitLab Code Quality: an array of issues, compared between branches by their fingerprints.

The format has no place for anything but issues (GitLab's documentation of Code Quality), so that
what a run rests on is left to the other reports; an inconclusive run is an issue of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from auditor.model import Finding, Outcome, Result, Severity
from auditor.reports.facts import (
    UNFINISHED,
    acceptance,
    connections_in_words,
    is_accepted,
    repository_path,
    sentences,
    told,
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
        reasons = sentences((*result.gate.reasons, *result.listing.problems))
        file = result.policies[0].file if result.policies else "policies"
        yield _inconclusive(f"inconclusive: {reasons}", file)
    yield from map(_issue, result.findings)


def _issue(finding: Finding) -> _Object:
    rule = finding.rule
    where = "; ".join(connections_in_words(finding)) or finding.group
    note = f" [{acceptance(finding)}]" if is_accepted(finding) else ""
    return {
        "description": shortened(f"{told(finding)} ({where}){note}", _LONGEST),
        "check_name": rule.id,
        "fingerprint": fingerprint(finding),
        "severity": "info" if is_accepted(finding) else _SEVERITIES[rule.severity],
        "location": _location(rule.position.file, rule.position.line),
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
    return {"path": repository_path(file), "lines": {"begin": line}}
