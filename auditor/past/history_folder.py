"""The folder of a history: ``history.ndjson`` and ``open.json``.

A run adds its line and replaces ``open.json`` under a lock on the whole folder
(``output/journal.py``). A last line that is torn, because the machine crashed or the run was killed
during the write, is skipped and reported.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec.structs import replace

from auditor.errors import ReportError, UsageError
from auditor.model import History, PastRun, Result, SourceInfo
from auditor.output.disk import explain
from auditor.output.journal import Journal, open_journal
from auditor.past.history import (
    Open,
    ended,
    found_again,
    is_late,
    line_of,
    open_of,
    open_text,
    past_run,
    run_of,
    still_open,
    trend,
)
from auditor.text import one_line, plural, printable

LINES = "history.ndjson"
OPEN = "open.json"


class HistoryFolder(msgspec.Struct, frozen=True):
    """The history in the folder ``path``."""

    path: Path

    def prepare(self, source: SourceInfo) -> None:
        """Create the folder, and check that a history of ``source`` can be kept there.

        Raises ReportError if it cannot be written, UsageError if it is another account's.
        """
        with self._locked() as journal:
            journal.prepare(LINES)
            known = _open(journal)
        if known is not None and known.base_url and source.base_url not in ("", known.base_url):
            raise UsageError(
                f"--history {printable(str(self.path))} is of {one_line(known.base_url)}, not of"
                f" {one_line(source.base_url)}; keep a folder for each account"
            )

    def record(self, result: Result, ran_at: datetime) -> Result:
        """Keep ``result``, and return it with its history; ``ran_at`` is the real time.

        Raises ReportError if it cannot be kept, UsageError if it is another account's.
        """
        with self._locked() as journal:
            runs, torn = _runs(journal)
            known = _open(journal)
            self._check_account(known, result)
            before = known or Open()
            opened = still_open(before, result)
            journal.append(LINES, line_of(result, ran_at))
            journal.replace(OPEN, (open_text(opened),))
        compared = trend(runs, past_run(result))
        rules = dict.fromkeys(rule.id for rule in result.rules)
        if len(compared) > 1:
            # What the run before judged, and this one did not, is no longer in sight.
            rules |= dict.fromkeys(sorted(compared[-2].by_rule or ()))
        history = History(
            compared,
            opened.times(rules),
            tuple(ended(before, opened, result)),
            found_again(before, result),
        )
        later = sum(run.judged_at > result.judged_at for run in runs)
        ahead = before.as_of if is_late(before, result) and not later else ""
        lost = "could not be read" if known is None else ""
        if known == Open() and runs:
            lost = "is gone, and the runs before this one are not"
        warnings = tuple(self._notes(torn, later, ahead, lost))
        return replace(result, history=history, warnings=(*result.warnings, *warnings))

    def _check_account(self, known: Open | None, result: Result) -> None:
        """Raise UsageError if the history is of another account than ``result``."""
        account = result.source.account
        if known is None or account is None or known.account in ("", account.id):
            return
        raise UsageError(
            f"--history {printable(str(self.path))} is of the account {one_line(known.account)},"
            f" not of {account}; keep a folder for each account"
        )

    def _notes(self, torn: int, later: int, ahead: str, lost: str) -> Iterator[str]:
        """Yield what reports say of the folder.

        ``ahead`` is the time of its open findings where none of its lines is as of such a time, and
        ``lost`` why they are not known.
        """
        if later:
            yield (
                f"history: {plural(later, 'run')} as of a later time than this one "
                f"{'is' if later == 1 else 'are'} no part of its trend, and it closes nothing"
            )
        if ahead:
            path = printable(str(self.path / OPEN))
            yield (
                f"history: {path} is as of {ahead}, later than this run and any other that is "
                "kept, so it opens and closes nothing; remove the file if that time is wrong"
            )
        if torn:
            what = f"{plural(torn, 'line')} of {printable(str(self.path / LINES))}"
            yield f"history: {what} cannot be read and {'was' if torn == 1 else 'were'} skipped"
        if lost:
            path = printable(str(self.path / OPEN))
            yield f"history: {path} {lost}: findings are open since this run"

    @contextmanager
    def _locked(self) -> Iterator[Journal]:
        try:
            with open_journal(self.path) as journal:
                yield journal
        except OSError as error:
            why = explain(error, "choose another folder with --history")
            raise ReportError(
                f"cannot keep the history in {printable(str(self.path))}: {why}"
            ) from error


def _runs(journal: Journal) -> tuple[list[PastRun], int]:
    """Return the runs that can be read, and how many lines could not be."""
    with suppress(FileNotFoundError):
        lines = journal.read(LINES).splitlines()
        runs = [run for line in lines if (run := run_of(line)) is not None]
        return runs, sum(map(bool, lines)) - len(runs)
    return [], 0


def _open(journal: Journal) -> Open | None:
    """Return the open findings; None if the file is damaged."""
    try:
        return open_of(journal.read(OPEN))
    except FileNotFoundError:
        return Open()
