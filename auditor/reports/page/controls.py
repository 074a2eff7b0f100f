"""The HTML page by control: framework, control, rules, and how their checks came out."""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

from auditor.model import Result, Rule, RuleChecks, Verdict

#: How many exceptions of a control are listed one by one.
_MOST_EXCEPTIONS = 50
#: How many hashes fit on a printed page in full, beside what they are of.
_MOST_WHOLE_HASHES = 6
_SHORT_HASH = 16


class Exceptions(NamedTuple):
    """What a waiver or the baseline accepts: ``note`` says whose it is and until when."""

    note: str
    checks: int


class Control(NamedTuple):
    """A control of a framework with the rules that name it; every check counts under each.

    ``unjudged`` are errors: a control with one is not shown to hold, nor is one without a check.
    ``exceptions`` are of waived and known checks, those of most checks first, and ``untold`` is how
    many more there are.
    """

    framework: str
    name: str
    rules: tuple[Rule, ...]
    passed: int
    failed: int
    unjudged: int
    waived: int
    known: int
    skipped: int
    exceptions: tuple[Exceptions, ...] = ()
    untold: int = 0

    @property
    def stands(self) -> str:
        """How the control's checks came out, in words that claim no more than they show."""
        if self.unjudged:
            return "not judged in full"
        if self.failed:
            return "violated"
        if self.waived or self.known:
            return "with exceptions"
        return "nothing failed" if self.passed else "no check was made"


def controls(result: Result) -> list[Control]:
    """Return the controls that rules in force name, sorted by framework and name."""
    of: dict[tuple[str, str], list[RuleChecks]] = {}
    for checks in result.checks:
        for framework, names in checks.rule.controls:
            for name in names:
                of.setdefault((framework, name), []).append(checks)
    accepted = _accepted(result) if of else {}
    return [_control(*key, of[key], accepted) for key in sorted(of, key=_in_order)]


def hashes(result: Result) -> list[tuple[str, str]]:
    """Return each policy's name and SHA-256, shortened if too many for the head of a page."""
    whole = len(result.policies) <= _MOST_WHOLE_HASHES
    return [(p.name, p.sha256 if whole else f"{p.sha256[:_SHORT_HASH]}…") for p in result.policies]


def _in_order(key: tuple[str, str]) -> tuple[str, list[tuple[bool, int, str]]]:
    """Sort ``A.8.2`` before ``A.8.12``: of two numbers the one with more digits is larger."""
    framework, name = key
    parts = re.findall(r"[0-9]+|[^0-9]+", name)
    return framework, [(not p[0].isdigit(), len(p) * p[0].isdigit(), p) for p in parts]


def _accepted(result: Result) -> dict[str, Counter[str]]:
    """Return how many checks of each rule each note accepts, by the rule's id."""
    notes: dict[str, Counter[str]] = {}
    for finding in result.findings:
        if finding.verdict in (Verdict.WAIVED, Verdict.KNOWN):
            notes.setdefault(finding.rule.id, Counter())[finding.note] += 1
    return notes


def _control(
    framework: str, name: str, named_by: list[RuleChecks], accepted: dict[str, Counter[str]]
) -> Control:
    def count(verdict: Verdict) -> int:
        return sum(checks.count(verdict) for checks in named_by)

    notes: Counter[str] = Counter()
    for checks in named_by:
        notes.update(accepted.get(checks.rule.id, {}))
    named = notes.most_common(_MOST_EXCEPTIONS)
    return Control(
        framework,
        name,
        tuple(checks.rule for checks in named_by),
        passed=count(Verdict.PASS),
        failed=count(Verdict.FAIL),
        unjudged=count(Verdict.ERROR),
        waived=count(Verdict.WAIVED),
        known=count(Verdict.KNOWN),
        skipped=count(Verdict.SKIP),
        exceptions=tuple(Exceptions(*each) for each in named),
        untold=len(notes) - len(named),
    )
