"""What the command ``test`` prints: outcomes, failures, coverage, and unnoticed changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditor.cli.terminal.streams import excerpt, style
from auditor.model import Verdict
from auditor.policy.testing.examples_run import ExampleOutcome, MissingTests
from auditor.policy.testing.mutation_run import Mutated
from auditor.policy.testing.suite import Suite, by_file
from auditor.text import listed, one_line, plural

#: Tests per line of dots.
_DOTS = 80


def lines_of(
    suite: Suite,
    chosen: Sequence[ExampleOutcome],
    by: str,
    *,
    narrowed: bool,
    quiet: bool,
    verbose: bool,
) -> Iterator[str]:
    """Yield the results of a suite's ``chosen`` tests; ``by`` says what excluded the others."""
    failed = [outcome for outcome in chosen if not outcome.passed]
    if not quiet:
        for warning in suite.warnings:
            yield excerpt(warning)
        yield from _lines(chosen) if verbose else _dots(chosen)
        for outcome in failed:
            yield from _failure(outcome)
        if not narrowed and suite.rules:
            yield ""
            yield from _coverage(suite)
        yield ""
    yield _count(len(failed), len(chosen) - len(failed), len(suite.outcomes) - len(chosen), by)


def lines_of_mutants(mutated: Sequence[Mutated], *, quiet: bool) -> Iterator[str]:
    """Yield how many changes the tests notice, and each one that they do not."""
    if not mutated:
        return
    survivors = [survivor for each in mutated for survivor in each.survivors]
    changes = sum(each.changes for each in mutated)
    for survivor in () if quiet else survivors:
        yield ""
        message = f"no test notices {survivor.mutant.change}"
        yield f"{survivor.mutant.position}: {survivor.rule.id}: {message}"
        if survivor.notice is not None:
            yield _row("would", f"- {survivor.notice.text}")
    if not quiet:
        yield ""
    share = f"{changes - len(survivors)} of {plural(changes, 'change')} noticed"
    yield style(share, "green") if not survivors else style(share, "red", "bold")


def lines_of_gaps(lacking: Sequence[MissingTests], require: Sequence[Verdict]) -> Iterator[str]:
    """Yield which rules lack a required test."""
    if not lacking:
        return
    names = listed([gap.rule.id for gap in lacking], "and")
    wanted = listed([verdict.label for verdict in require], "and")
    message = f"{plural(len(lacking), 'rule')} without a test that is required ({wanted}): {names}"
    yield style(message, "red", "bold")


def _dots(outcomes: Sequence[ExampleOutcome]) -> Iterator[str]:
    for file, own in by_file(outcomes).items():
        yield file
        marks = [style(".", "green") if o.passed else style("F", "red", "bold") for o in own]
        for start in range(0, len(marks), _DOTS):
            yield "  " + "".join(marks[start : start + _DOTS])


def _lines(outcomes: Sequence[ExampleOutcome]) -> Iterator[str]:
    for outcome in outcomes:
        word = style("PASSED", "green") if outcome.passed else style("FAILED", "red", "bold")
        name = f"  {style(outcome.example.name, 'dim')}" if outcome.example.name else ""
        yield f"{word}  {outcome.position}  {outcome.rule.id} {outcome.expected.label}{name}"


def _failure(outcome: ExampleOutcome) -> Iterator[str]:
    yield ""
    name = f" ({outcome.example.name})" if outcome.example.name else ""
    yield f"{style('FAILED', 'red', 'bold')} {outcome.position} {outcome.rule.id}{name}"
    yield _row("given", outcome.example.given.text)
    yield _row("rule", f"{outcome.rule.expects}{_when(outcome)}")
    yield _row("expected", style(outcome.expected.label, "green"))
    yield _row("got", style(outcome.got.label, "red" if not _agree(outcome) else "green"))
    if not outcome.says_as_expected:
        yield _row("message", f"expected  {one_line(outcome.example.message or '')}")
    for number, finding in enumerate(outcome.findings):
        label = "message" if number == 0 and outcome.says_as_expected else ""
        yield _row(label, finding.message if label else f"got       {finding.message}")
        for evidence in finding.evidence:
            yield _row("", f"{evidence.field}: {evidence.actual}; wanted {evidence.expected}")


def _when(outcome: ExampleOutcome) -> str:
    return f", when {outcome.rule.applies_when}" if outcome.rule.applies_when else ""


def _agree(outcome: ExampleOutcome) -> bool:
    return outcome.got is outcome.expected


def _row(label: str, text: str) -> str:
    return f"    {style(f'{label:<8}', 'dim')}  {text}"


def _coverage(suite: Suite) -> Iterator[str]:
    whole = suite.rules - len(suite.gaps)
    colour = "yellow" if suite.gaps else "green"
    share = style(f"{whole} of {plural(suite.rules, 'rule')}", colour)
    yield f"coverage: {share} fail, pass and, where they can, skip in a test"
    for gap in suite.gaps:
        if gap.untested:
            warning = style("warning", "yellow")
            yield f"{gap.rule.position}: {warning}: {gap.rule.id} has no test"
        else:
            lacks = listed((_ENDING[verdict] for verdict in gap.missing), "and no")
            yield f"{gap.rule.position}: {gap.rule.id} has no test that {lacks}"


_ENDING = {Verdict.FAIL: "fails", Verdict.PASS: "passes", Verdict.SKIP: "skips"}


def _count(failed: int, passed: int, left_out: int, by: str) -> str:
    parts = [style(f"{failed} failed", "red", "bold")] if failed else []
    parts.append(style(f"{passed} passed", "green" if not failed else "dim"))
    if left_out:
        parts.append(f"{left_out} left out{by}")
    return ", ".join(parts)
