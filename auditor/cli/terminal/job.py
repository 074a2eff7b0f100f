"""What a run shows on its CI job's own pages, unasked: GitHub's step summary and annotations.

Nobody named these as reports, so one that cannot be written is reported but does not change the
exit code. What was requested as a report is not shown a second time.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

from auditor.ci import Job
from auditor.model import Result
from auditor.output.disk import explain
from auditor.output.target import Target
from auditor.output.write import append, put
from auditor.reports import REPORTS

_Clean = Callable[[Iterable[str]], Iterable[str]]
#: A step's summary that is longer is not shown at all, whoever wrote which part of it.
_MOST = 1 << 20
_ELSEWHERE = "give the job a place for it, or pass --no-ci"


def show_in(
    job: Job, result: Result, formats: Collection[str], clean: _Clean = iter
) -> Iterator[str]:
    """Show ``result`` on the pages of ``job``; yield why something could not be.

    ``formats`` are those that the run writes anyway.
    """
    if job.service != "github":
        return
    if job.summary and "markdown" not in formats:
        try:
            append(Path(job.summary), clean(REPORTS["markdown"].render(result)), _MOST)
        except OSError as error:
            why = explain(error, _ELSEWHERE)
            if error.errno == errno.EFBIG:
                why = "with it the step's would be longer than the 1 MiB that GitHub shows"
            yield f"the step summary could not be written: {why}"
    if "github" not in formats:
        try:
            # The runner reads both streams; standard output may be a report's.
            put(Target(None, 2), clean(REPORTS["github"].render(result)), commands=True)
        except OSError as error:
            yield f"annotations could not be written: {explain(error, _ELSEWHERE)}"
