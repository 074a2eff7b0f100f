"""The HTML page's account by control: framework, control, rules, and what their checks came to."""

from __future__ import annotations

from typing import NamedTuple

from auditor.model import Result, Rule, RuleChecks, Verdict


class Control(NamedTuple):
    """A control of a framework with the rules that name it; every check counts under each.

    ``unjudged`` are errors: a control with one is not shown to hold, nor is one of which no check
    was made.
    """

    framework: str
    name: str
    rules: tuple[Rule, ...]
    passed: int
    failed: int
    unjudged: int
    accepted: int
    skipped: int

    @property
    def stands(self) -> str:
        """What the control's checks came to, in words that claim no more than they show."""
        if self.unjudged:
            return "not judged in full"
        if self.failed:
            return "violated"
        if self.accepted:
            return "with exceptions"
        return "nothing failed" if self.passed else "no check was made"


def controls(result: Result) -> list[Control]:
    """Return the controls that rules in force name, by framework and then by their own names."""
    of: dict[tuple[str, str], list[RuleChecks]] = {}
    for checks in result.checks:
        for framework, names in checks.rule.controls:
            for name in names:
                of.setdefault((framework, name), []).append(checks)
    return [_control(*key, of[key]) for key in sorted(of)]


def _control(framework: str, name: str, named_by: list[RuleChecks]) -> Control:
    def count(*verdicts: Verdict) -> int:
        return sum(checks.count(verdict) for checks in named_by for verdict in verdicts)

    return Control(
        framework,
        name,
        tuple(checks.rule for checks in named_by),
        passed=count(Verdict.PASS),
        failed=count(Verdict.FAIL),
        unjudged=count(Verdict.ERROR),
        accepted=count(Verdict.WAIVED, Verdict.KNOWN),
        skipped=count(Verdict.SKIP),
    )
