"""The JUnit report of ``test``: one suite per rule, one testcase per test."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from auditor.policy.testing.examples_run import ExampleOutcome
from auditor.reports import junit

MARK = junit.MARK


def render(outcomes: Iterable[ExampleOutcome]) -> Iterator[str]:
    """Yield the report on ``outcomes``."""
    suites: dict[str, list[ExampleOutcome]] = {}
    for outcome in outcomes:
        suites.setdefault(outcome.rule.id, []).append(outcome)
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n'
    for number, (name, own) in enumerate(suites.items()):
        failures = sum(not outcome.passed for outcome in own)
        yield (
            f'<testsuite name="{junit.escaped(name)}" package="fivetran-auditor" id="{number}"'
            f' timestamp="1970-01-01T00:00:00" hostname="localhost" tests="{len(own)}"'
            f' failures="{failures}" errors="0" skipped="0" time="0">\n<properties/>\n'
        )
        taken: dict[str, int] = {}
        for outcome in own:
            yield _case(outcome, taken)
        yield "<system-out/>\n<system-err/>\n</testsuite>\n"
    yield "</testsuites>\n"


def placeholder(version: str) -> str:
    """Return a report that says the run did not finish."""
    return junit.placeholder(version)


def _case(outcome: ExampleOutcome, taken: dict[str, int]) -> str:
    example = outcome.example
    name = f"{example.name or example.given.text}: {outcome.expected.label}"
    taken[name] = taken.get(name, 0) + 1
    name = f"{name} #{taken[name]}" if taken[name] > 1 else name
    classname = f"{outcome.position.file}.{outcome.rule.id}"
    opening = (
        f'<testcase classname="{junit.escaped(classname)}" name="{junit.escaped(name)}" time="0"'
    )
    if outcome.passed:
        return f"{opening}/>\n"
    said = f"expected {outcome.expected.label}, got {outcome.got.label}"
    if not outcome.says_as_expected:
        said = f"{said}, with another message than {example.message}"
    lines = [said, f"at {outcome.position}", f"given {example.given.text}", *outcome.messages]
    text = junit.escaped("\n".join(lines))
    return (
        f'{opening}><failure message="{junit.escaped(said)}" type="{outcome.rule.severity.label}">'
        f"{text}</failure></testcase>\n"
    )
