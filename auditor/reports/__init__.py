"""The report formats: what ``--report`` takes, in one closed table.

A format is a module with two pure functions: ``render(result)`` yields the report as text, and
``placeholder(version)`` is a whole report that says a run did not finish. The table names the
modules and imports none of them, so that the command line can list the formats without loading
them.

A format that takes options has a function for each. ``MARK`` in its module is a pattern that
matches the start of every report of ours, and hardly anything else. Every report on a run can be
split by a dimension without the format knowing: ``parts.py`` makes a result of each part.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from importlib import import_module
from types import MappingProxyType, ModuleType
from typing import Any, NamedTuple


class Format(NamedTuple):
    """One format: its name on the command line, its file in the output folder, what it is for.

    ``options`` are what it takes after a colon, each with its meaning; all of them are counts.
    ``variants`` are words that it takes there, each with the function that then renders. ``home``
    is the package of its module, which is named ``module`` or else like the format; its function
    ``entry`` renders. ``by_dimension`` says whether its reports can be split by a dimension of a
    run's connections.
    """

    name: str
    filename: str
    doc: str
    options: Mapping[str, str] = MappingProxyType({})
    home: str = __name__
    module: str = ""
    entry: str = "render"
    variants: Mapping[str, str] = MappingProxyType({})
    by_dimension: bool = False

    def render(self, result: Any, variant: str = "") -> Iterable[str]:
        """Yield the report on ``result`` in pieces; the type of ``result`` depends on the table."""
        entry = self.variants[variant] if variant else self.entry
        chunks: Iterable[str] = getattr(self._module(), entry)(result)
        return chunks

    def render_parts(self, result: Any, most: int) -> Iterable[tuple[int, Iterable[str]]]:
        """Yield the report as numbered parts, in the order in which to write them.

        Only for a format that takes ``split``; ``most`` is at least 2.
        """
        parts: Iterable[tuple[int, Iterable[str]]] = self._module().render_parts(result, most)
        return parts

    def begins(self, head: bytes) -> bool:
        """Whether ``head`` is the beginning of a report of ours in this format.

        A format without a mark is never recognised.
        """
        mark = getattr(self._module(), "MARK", None)
        return mark is not None and re.search(mark, head.decode("utf-8", "replace")) is not None

    def placeholder(self, version: str) -> str:
        """Return a whole report, in this format, that says the run did not finish."""
        text: str = self._module().placeholder(version)
        return text

    def load(self) -> None:
        """Load what rendering needs: what takes long, a module does in its function ``load``."""
        getattr(self._module(), "load", _nothing)()

    def _module(self) -> ModuleType:
        return import_module(f"{self.home}.{self.module or self.name}")


def _nothing() -> None:
    """Load nothing: importing the module was enough."""


#: Every format by its name. A format's module bears its name.
REPORTS: Mapping[str, Format] = MappingProxyType(
    {
        format_.name: format_._replace(by_dimension=True)
        for format_ in (
            Format("html", "report.html", "one page for people: what to do first, every finding"),
            Format(
                "junit",
                "junit.xml",
                "test results for a CI server: one suite per rule",
                MappingProxyType(
                    {"split": "at most this many test cases per file, in several files"}
                ),
            ),
            Format("json", "report.json", "everything, for programs; read by compare, --baseline"),
            Format(
                "sarif",
                "report.sarif",
                "SARIF 2.1.0 for code scanning",
                variants=MappingProxyType({"suppressed": "render_suppressed"}),
            ),
            Format("markdown", "report.md", "a summary for a pull request or a job page"),
            Format(
                "csv",
                "report.csv",
                "one row per finding, for a spreadsheet",
                variants=MappingProxyType({"semicolon": "render_semicolon"}),
            ),
            Format("github", "annotations.txt", "GitHub workflow annotations, for the job's log"),
            Format("gitlab", "gl-code-quality-report.json", "GitLab Code Quality"),
            Format("lines", "report.txt", "one line per finding, for a log and grep"),
            Format("slack", "slack.json", "a message for a Slack webhook (Block Kit)"),
            Format("teams", "teams.json", "a message for a Teams webhook (Adaptive Card)"),
        )
    }
)

#: What ``test`` writes about the tests it ran.
TEST_REPORTS: Mapping[str, Format] = MappingProxyType(
    {
        "junit": Format(
            "junit", "junit.xml", "test results: one suite per rule", module="tests_junit"
        )
    }
)

#: What ``validate`` writes about problems in files.
PROBLEM_REPORTS: Mapping[str, Format] = MappingProxyType(
    {
        "sarif": Format(
            "sarif", "policies.sarif", "SARIF 2.1.0 for code scanning", entry="render_problems"
        ),
        "github": Format(
            "github", "annotations.txt", "GitHub workflow annotations", entry="render_problems"
        ),
    }
)

#: What is written about several accounts that were audited in one run.
ACCOUNT_REPORTS: Mapping[str, Format] = MappingProxyType(
    {
        "accounts": Format("accounts", "index.html", "the outcome of each account, for people"),
        "accounts_json": Format("accounts_json", "accounts.json", "the same, for programs"),
    }
)
