"""The report formats: what ``--report`` takes, in one closed table.

A format is a module with two pure functions: ``render(result)`` yields the report as text, and
``placeholder(version)`` is a whole report that says a run did not finish. The table names the
modules and imports none of them, so that the command line can list its formats for nothing.

A format that takes options has a function for each, and its module says by ``MARK`` what a report
of ours holds near its start.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from auditor.errors import Problem
    from auditor.model import Result
    from auditor.past.compare import Comparison


class Format(NamedTuple):
    """One format: its name on the command line, its file in the output folder, what it is for.

    ``options`` are what it takes after a colon, each with its meaning; all of them are counts.
    ``home`` is the package in which the module of its name is.
    """

    name: str
    filename: str
    doc: str
    options: Mapping[str, str] = MappingProxyType({})
    home: str = __name__

    def render(self, result: Result | Comparison) -> Iterable[str]:
        """Yield the report on ``result``, piece by piece."""
        chunks: Iterable[str] = self._module().render(result)
        return chunks

    def render_parts(
        self, result: Result | Comparison, most: int
    ) -> Iterable[tuple[int, Iterable[str]]]:
        """Yield the report as numbered parts, in the order in which they are to be written.

        Only for a format that takes ``split``; ``most`` is at least 2.
        """
        parts: Iterable[tuple[int, Iterable[str]]] = self._module().render_parts(result, most)
        return parts

    @property
    def mark(self) -> str:
        """What the first characters of a report of ours hold; only where there are options."""
        mark: str = self._module().MARK
        return mark

    def placeholder(self, version: str) -> str:
        """Return a whole report, in this format, that says the run did not finish."""
        text: str = self._module().placeholder(version)
        return text

    def render_problems(self, problems: Sequence[Problem], version: str) -> Iterable[str]:
        """Return what ``validate`` found, in this format; only SARIF and GitHub's have one."""
        chunks: Iterable[str] = self._module().render_problems(problems, version)
        return chunks

    def _module(self) -> ModuleType:
        return import_module(f"{self.home}.{self.name}")


#: Every format by its name. A format's module bears its name.
REPORTS: Mapping[str, Format] = MappingProxyType(
    {
        format_.name: format_
        for format_ in (
            Format("html", "report.html", "one page for people: what to do first, every finding"),
            Format(
                "junit",
                "junit.xml",
                "test results for a CI server: a suite per rule",
                MappingProxyType({"split": "testcases a file holds at most, in several files"}),
            ),
            Format("json", "report.json", "everything, for programs; read by compare, --baseline"),
            Format("sarif", "report.sarif", "SARIF 2.1.0 for code scanning"),
            Format("markdown", "report.md", "a summary for a pull request or a job page"),
            Format("csv", "report.csv", "a row per finding, for a spreadsheet"),
            Format("github", "annotations.txt", "GitHub workflow annotations, for the job's log"),
            Format("gitlab", "gl-code-quality-report.json", "GitLab Code Quality"),
        )
    }
)
