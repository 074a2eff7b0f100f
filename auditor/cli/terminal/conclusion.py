"""What ``audit`` and ``demo`` have in common: judge, write the reports, print the result."""

from __future__ import annotations

import gc
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from auditor.ci import Job
from auditor.cli.terminal.job import show_in
from auditor.cli.terminal.streams import Terminal
from auditor.cli.terminal.summary import answer, summary
from auditor.errors import ReportError
from auditor.model import Result
from auditor.policy import Ruleset
from auditor.reports.writer import ReportWriter
from auditor.run import Options, Progress, audit
from auditor.sources import Source
from auditor.text import plural

if TYPE_CHECKING:
    from auditor.past.history_folder import HistoryFolder


#: From so many findings on two reports are written at once: fewer take no longer than starting a
#: process.
_MANY = 5_000


class Reporting(msgspec.Struct, frozen=True):
    """How a run is reported and kept.

    ``chosen`` says how the policies were chosen, if nobody named any. ``history`` is where the run
    is kept, None for nowhere. ``job`` is the CI job on whose own pages the run is shown.
    """

    terminal: Terminal
    quiet: bool = False
    verbose: bool = False
    chosen: str = ""
    history: HistoryFolder | None = None
    job: Job = Job()


def audit_and_report(
    source: Source, ruleset: Ruleset, options: Options, writer: ReportWriter, reporting: Reporting
) -> tuple[Result, int]:
    """Run an audit, write its reports and print its summary; return the result and the exit code.

    A report that cannot be written makes the code 4, which outranks whatever was found.
    """
    terminal, started = reporting.terminal, time.monotonic()
    gc.freeze()  # What was loaded stays: the garbage collector need not look at it again.

    def show(progress: Progress) -> None:
        walk = f"walk {progress.walk}: " if progress.walk > 1 else ""
        seen = f"{plural(progress.pages, 'page')}, {plural(progress.connections, 'connection')}"
        terminal.progress(f"{walk}{seen}, {time.monotonic() - started:.0f} s")
        if progress.pages == 1:
            writer.load()  # While the second page is on its way.

    result = audit(source, ruleset, options, show)
    terminal.end_progress()
    paths: tuple[Path, ...] = ()
    failures: list[ReportError] = []
    try:
        if reporting.history is not None:
            result = reporting.history.record(result, options.clock())
    except ReportError as error:
        failures.append(error)
    try:
        paths = writer.write(result, at_once=len(result.findings) >= _MANY)
    except ReportError as error:
        failures.append(error)
    to_err, lost = writer.takes_stdout, ReportError.exit_code if failures else None
    if reporting.quiet:
        terminal.say(answer(result, lost), to_err=to_err)
    else:
        lines = summary(
            result,
            paths,
            chosen=reporting.chosen,
            verbose=reporting.verbose,
            lost=lost,
            layout=terminal.layout(to_err=to_err),
        )
        for line in lines:
            terminal.say(line, to_err=to_err)
    for failure in failures:
        terminal.complain(str(failure))
    for problem in show_in(reporting.job, result, writer.formats, terminal.scrubber.chunks):
        terminal.say(problem, to_err=True)
    return result, result.gate.exit_code if lost is None else lost
