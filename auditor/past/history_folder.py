"""Where a history is kept: ``history.ndjson`` and ``open.json`` in one folder.

A run appends its line with a single write, and replaces ``open.json`` in one step, both under a
lock of the whole folder: runs at the same time wait for each other, and a run that is killed
leaves a line or none. What a crash of the machine, or a kill amid that write, tears off the last
line is passed over and told.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec.structs import replace

from auditor.errors import ReportError, UsageError
from auditor.model import History, PastRun, Result, SourceInfo
from auditor.output.disk import replace_file
from auditor.output.unfinished import clear
from auditor.past.history import (
    Open,
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
_LOCK = ".lock"
#: Seconds that a run waits for another one to finish writing.
_PATIENCE = 30.0
_PAUSE = 0.05


class HistoryFolder(msgspec.Struct, frozen=True):
    """The history in the folder ``path``."""

    path: Path

    def prepare(self, source: SourceInfo) -> None:
        """Make the folder, and see that a history of ``source`` can be kept there.

        Raises ReportError where it cannot be written, UsageError where it is another account's.
        """
        with self._locked():
            clear(self.path)
            lines = self.path / LINES
            # Looked at before it is opened: a FIFO would wait for its reader.
            if lines.exists() and not lines.is_file():
                raise OSError(0, f"{LINES} is no file")
            os.close(os.open(lines, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644))
            known = self._open()
        if known is not None and known.base_url and source.base_url not in ("", known.base_url):
            raise UsageError(
                f"--history {printable(str(self.path))} is of {one_line(known.base_url)}, not of"
                f" {one_line(source.base_url)}; keep a folder for each account"
            )

    def record(self, result: Result, ran_at: datetime) -> Result:
        """Keep ``result``, and return it with its history; ``ran_at`` is the real time.

        Raises ReportError where it cannot be kept.
        """
        with self._locked():
            runs, torn = self._runs()
            known = self._open()
            opened = still_open(known or Open(), result)
            self._append(line_of(result, ran_at))
            replace_file(self.path / OPEN, (open_text(opened),))
        since = opened.times(rule.id for rule in result.rules)
        history = History(trend([*runs, past_run(result)]), since)
        warnings = tuple(self._told(torn, damaged=known is None))
        return replace(result, history=history, warnings=(*result.warnings, *warnings))

    def _told(self, torn: int, *, damaged: bool) -> Iterator[str]:
        if torn:
            lines = plural(torn, "line")
            yield f"history: {lines} of {self.path / LINES} cannot be read and was passed over"
        if damaged:
            yield (
                f"history: {self.path / OPEN} could not be read: findings are open since this run"
            )

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path / _LOCK, os.O_WRONLY | os.O_CREAT, 0o644)
            try:
                _lock(descriptor)
                yield
            finally:
                # Closing it gives the lock up, as the end of the process would.
                os.close(descriptor)
        except OSError as error:
            why = error.strerror or str(error)
            raise ReportError(
                f"cannot keep the history in {printable(str(self.path))}: {why};"
                " choose another folder with --history"
            ) from error

    def _runs(self) -> tuple[list[PastRun], int]:
        """Return the runs that can be read, and how many lines cannot."""
        with suppress(FileNotFoundError):
            lines = (self.path / LINES).read_bytes().splitlines()
            runs = [run for line in lines if (run := run_of(line)) is not None]
            return runs, sum(map(bool, lines)) - len(runs)
        return [], 0

    def _open(self) -> Open | None:
        """Return what is open; None where the file is damaged."""
        try:
            return open_of((self.path / OPEN).read_bytes())
        except FileNotFoundError:
            return Open()

    def _append(self, line: bytes) -> None:
        descriptor = os.open(self.path / LINES, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            size = os.fstat(descriptor).st_size
            torn = size and os.pread(descriptor, 1, size - 1) != b"\n"
            data = b"\n" + line if torn else line
            if os.write(descriptor, data) != len(data):
                os.ftruncate(descriptor, size)
                raise OSError(0, "the disk is full")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _lock(descriptor: int) -> None:
    """Take the lock, waiting for whoever has it. Raises OSError after a while."""
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                raise BlockingIOError(0, "another run has been writing there for long") from None
            time.sleep(_PAUSE)
        else:
            return
