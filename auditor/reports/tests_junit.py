"""The JUnit report of ``test``: a suite per rule, a testcase per test."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from auditor.errors import ReportError
from auditor.output.disk import explain, replace_file, write_pipe, write_stdout
from auditor.policy.testing.examples_run import ExampleOutcome
from auditor.reports import junit
from auditor.reports.writer import Destination, parse_destination
from auditor.version import __version__

_FORMAT = "junit"
_FOLDER = Path("test-report")
_F = TypeVar("_F", bound=Callable[..., Any])


class TestReport(msgspec.Struct, frozen=True):
    """Where the report goes. A placeholder says that the run did not finish, until it has."""

    destination: Destination

    __test__ = False  # no class of tests, whatever its name

    @property
    def takes_stdout(self) -> bool:
        """Whether the report goes to standard output, so that nothing else may."""
        return self.destination.path is None

    def prepare(self) -> None:
        """Put the placeholder in its place. Raises ReportError when it cannot be written."""
        path = self.destination.path
        if path is not None and not _is_pipe(path):
            self._put(path, (junit.placeholder(__version__),))

    def write(self, outcomes: Iterable[ExampleOutcome]) -> None:
        """Write the report on ``outcomes``. Raises ReportError when it cannot be."""
        self._put(self.destination.path, render(outcomes))

    def _put(self, path: Path | None, chunks: Iterable[str]) -> None:
        try:
            if path is None:
                write_stdout(chunks)
            elif _is_pipe(path):
                write_pipe(path, chunks)
            else:
                target = path.resolve()
                target.parent.mkdir(parents=True, exist_ok=True)
                replace_file(target, chunks)
        except OSError as error:
            told = f"cannot write {self.destination}: {explain(error)}"
            raise ReportError(told) from error


def report_option(command: _F) -> _F:
    """Add ``--report``."""
    return click.option(
        "--report",
        metavar="junit[=PATH]",
        callback=_report,
        help=f"Write JUnit XML too, to {_FOLDER}/junit.xml unless named; =- is standard output.",
    )(command)


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


def _report(
    _context: click.Context, parameter: click.Parameter, value: str | None
) -> TestReport | None:
    if value is None:
        return None
    if value.partition("=")[0] != _FORMAT:
        raise click.BadParameter("test writes junit, and nothing else", param=parameter)
    return TestReport(parse_destination(value, _FOLDER))


def _is_pipe(path: Path) -> bool:
    """Whether nothing can be replaced at ``path``: a FIFO or a device."""
    return path.exists() and not path.is_file() and not path.is_dir()
