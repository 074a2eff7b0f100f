"""GitHub annotations, read as the runner reads a log: line by line."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import pytest
from msgspec.structs import replace

from auditor.errors import Problem
from auditor.model import Finding, Outcome, Position, Result, Severity, Verdict
from auditor.reports.github import MOST, MOST_PROBLEMS, placeholder, render, render_problems
from tests.builders.sample_results import HOSTILE, sample_result


@dataclass(frozen=True)
class Command:
    name: str
    properties: dict[str, str]
    text: str


def unescaped(text: str) -> str:
    for code, sign in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, sign)
    return text


def commands(text: str) -> list[Command]:
    """Read ``text`` as GitHub's runner does: ``::name key=value,…::text`` at a line's start."""
    found = []
    for line in text.splitlines():
        match = re.fullmatch(r"::(\w+) (.*?)::(.*)", line)
        assert match, line
        assert "##[" not in line
        pairs = [pair.partition("=") for pair in match[2].split(",")]
        properties = {key: unescaped(value) for key, _, value in pairs}
        found.append(Command(match[1], properties, unescaped(match[3])))
    return found


def report(result: Result) -> list[Command]:
    return commands("".join(render(result)))


@pytest.mark.parametrize("outcome", list(Outcome))
def test_the_first_is_the_run(outcome: Outcome) -> None:
    result = sample_result(outcome=outcome)
    run = report(result)[0]
    assert run.name == ("notice" if outcome is Outcome.PASSED else "error")
    assert run.text.startswith(f"{outcome.value}:")
    assert result.policies[0].sha256 in run.text


@pytest.mark.parametrize("hostile", [False, True])
def test_nothing_escapes_its_line(hostile: bool) -> None:
    result = sample_result(60, 10, hostile=hostile)
    found = report(result)
    assert {command.name for command in found} <= {"error", "warning", "notice"}
    keys = {key for command in found for key in command.properties}
    assert keys == {"title", "file", "line", "col"}


def test_an_annotation_says_what_and_where() -> None:
    result = sample_result(10)
    finding = result.findings[0]
    command = report(result)[1]
    assert command.properties["file"] == finding.rule.position.file
    assert command.properties["line"] == str(finding.rule.position.line)
    assert finding.rule.id in command.properties["title"]
    assert finding.message in command.text
    assert finding.rule.fix in command.text


def test_they_are_bounded_and_the_rest_is_counted() -> None:
    result = sample_result(500)
    found = report(result)
    waiting = result.counts[Verdict.FAIL] + result.counts[Verdict.ERROR]
    kinds = Counter(command.name for command in found)
    assert max(kinds.values()) == MOST
    assert f"and {waiting - len(found) + 1:,} more findings" in found[0].text
    # Of each kind those that come first are there.
    for kind, count in kinds.items():
        told = [command for command in found[1:] if command.name == kind]
        of_kind = [f for f in result.findings if _as(f) == kind]
        assert len(told) == min(len(of_kind), MOST - (found[0].name == kind)) <= count
        titles = [f"{f.rule.severity.label}: {f.rule.id}" for f in of_kind[: len(told)]]
        assert [command.properties["title"] for command in told] == titles


def _as(finding: Finding) -> str:
    """Return the kind of annotation of a finding that gates, "" for one that is accepted."""
    if finding.verdict in {Verdict.WAIVED, Verdict.KNOWN}:
        return ""
    kinds = {Severity.LOW: "notice", Severity.MEDIUM: "warning"}
    return kinds.get(finding.rule.severity, "error") if finding.verdict is Verdict.FAIL else "error"


def test_what_is_accepted_is_counted_and_not_annotated() -> None:
    result = sample_result(300, outcome=Outcome.PASSED)
    assert result.findings
    (run,) = report(result)
    assert f"{result.counts[Verdict.WAIVED]:,} waived" in run.text


def test_the_placeholder_is_an_error() -> None:
    (command,) = commands(placeholder("1.2.3"))
    assert command.name == "error"
    assert "inconclusive" in command.text


def test_problems_of_a_policy_are_annotations_too() -> None:
    problems = [
        Problem(Position(bad, 3, 5), bad, bad, warning=n > 0) for n, bad in enumerate(HOSTILE)
    ]
    found = commands("".join(render_problems(problems * 10)))
    assert [command.name for command in found[:2]] == ["error", "warning"]
    assert {key for command in found for key in command.properties} <= {
        "title", "file", "line", "col",
    }  # fmt: skip
    assert f"{len(problems) * 10 - MOST_PROBLEMS} more problems" in found[-1].text


def test_what_the_options_let_through_is_a_notice_that_says_why() -> None:
    result = sample_result(300)
    allowed = replace(result, gate=replace(result.gate, fail_on=None, limits=()))
    failed = [c for c in report(allowed)[1:] if c.text.startswith("allowed: ")]
    assert failed
    assert {c.name for c in failed} == {"notice"}
    assert all(c.text.startswith("allowed: below --fail-on none\n") for c in failed)
