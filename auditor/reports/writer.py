"""The one writer: puts reports where they belong, whole or not at all.

What stood at a report's path before a run is a stale green, waiting to be uploaded. So every
path gets a placeholder, a whole report that says *inconclusive*, before the first record is
fetched; later the report takes its place in one step. A run that is killed leaves one or the
other, never half a report. Nothing but this module touches a report's file.

A report in several files has one placeholder, in the place of its first part; what an earlier run
left under the name of another part is removed, since nobody knows how many parts there will be.
Only what is ours by its content is, and no file that this run is to write.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.errors import Interrupted, ReportError, UsageError
from auditor.output.disk import begins_with, explain, replace_file, write_pipe, write_stdout
from auditor.output.unfinished import clear
from auditor.reports import REPORTS, Format
from auditor.reports.destinations import Destination, parse_destination

if TYPE_CHECKING:
    from auditor.model import Result
    from auditor.past.compare import Comparison

__all__ = ["DEFAULT_FORMATS", "Destination", "ReportWriter", "parse_destination", "write_reports"]

#: The reports that a run writes when nobody names any.
DEFAULT_FORMATS = ("html", "junit", "json")


class ReportWriter:
    """Writes each destination's placeholder, then its report.

    A failure of one never stops the others, and all that failed are named in one ReportError.
    ``formats`` is the table that the destinations' formats are in.
    """

    def __init__(
        self,
        destinations: Sequence[Destination],
        version: str,
        formats: Mapping[str, Format] = REPORTS,
    ) -> None:
        self._destinations = tuple(destinations)
        self._version = version
        self._formats = formats

    @property
    def takes_stdout(self) -> bool:
        """Whether a report goes to standard output, so that nothing else may."""
        return any(destination.path is None for destination in self._destinations)

    def prepare(self) -> None:
        """Put every report's placeholder in its place, remove old parts, make folders as needed.

        Raises UsageError when two reports would go to one place, before anything is written,
        and ReportError that names every path that cannot be written.
        """
        self._refuse_shared()
        self.clear()
        self._each(self._place)

    def write(self, result: Result | Comparison) -> tuple[Path, ...]:
        """Write every report on ``result`` and return the files, in order, stdout left out.

        Raises ReportError that names every report that could not be written, after the others
        have been.
        """
        written: list[Path] = []
        self._each(lambda destination: written.extend(self._write(destination, result)))
        return tuple(written)

    def clear(self) -> None:
        """Remove what killed runs have left where the reports go."""
        paths = [destination.path for destination in self._destinations]
        for folder in {Path(os.path.realpath(path)).parent for path in paths if path is not None}:
            clear(folder)

    def _each(self, act: Callable[[Destination], None]) -> None:
        failures: list[str] = []

        def attempt(destination: Destination) -> None:
            try:
                act(destination)
            except OSError as error:
                failures.append(f"{destination}: {explain(error)}")
            except Interrupted:
                stack.pop_all()
                raise

        # A stack of callbacks runs each of them even where one ends in a bug, and then raises it.
        with ExitStack() as stack:
            for destination in reversed(self._destinations):
                stack.callback(attempt, destination)
        if failures:
            raise ReportError("\n".join(f"cannot write {failure}" for failure in failures))

    def _refuse_shared(self) -> None:
        taken: dict[object, Destination] = {}
        for destination in self._destinations:
            place = _place_of(destination.path and destination.first)
            other = taken.get(place) or self._split_into(destination)
            if other is not None:
                raise UsageError(
                    f"two reports cannot share one place: {other} and {destination}; "
                    "give one of them another path, as in --report FORMAT=PATH"
                )
            taken[place] = destination

    def _split_into(self, destination: Destination) -> Destination | None:
        """Return the report of which some part may take the place of ``destination``."""
        for other in self._destinations:
            if other is not destination and other.split and destination.path is not None:
                path = destination.first
                if _place_of(path) != _place_of(other.path) and other.is_part(path):
                    return other
        return None

    def _place(self, destination: Destination) -> None:
        if destination.path is None:
            write_stdout(())
        elif _is_special(destination.first):
            if not os.access(destination.first, os.W_OK):
                raise PermissionError(errno.EACCES, "")
        else:
            placeholder = self._formats[destination.format].placeholder(self._version)
            try:
                _put(destination.first, (placeholder,))
            except OSError:
                # No report is better than one of an earlier run, and removing takes no space.
                _remove(destination.first)
                raise
            finally:
                if self._formats[destination.format].options:
                    self._remove_old_parts(destination)

    def _remove_old_parts(self, destination: Destination) -> None:
        mark = self._formats[destination.format].mark.encode()
        ours = {_place_of(d.first) for d in self._destinations if d.path is not None}
        kept: OSError | None = None
        for path in destination.parts_there():
            if _place_of(path) not in ours and begins_with(path, mark):
                try:
                    path.unlink(missing_ok=True)
                except OSError as error:
                    kept = error
        if kept is not None:
            raise kept

    def _write(self, destination: Destination, result: Result | Comparison) -> list[Path]:
        """Write one report and return its files, in order."""
        report = self._formats[destination.format]
        if destination.path is None:
            write_stdout(report.render(result))
            return []
        if not destination.split:
            _put_or_pipe(destination.path, report.render(result))
            return [destination.path]
        numbers = []
        for number, chunks in report.render_parts(result, destination.split):
            _put_or_pipe(destination.part(number), chunks)
            numbers.append(number)
        return [destination.part(number) for number in sorted(numbers)]


def write_reports(
    result: Result, folder: str | Path = "audit-report", formats: Iterable[str] = DEFAULT_FORMATS
) -> tuple[Path, ...]:
    """Write reports on ``result`` into ``folder``, whole or not at all, and return their files.

    Raises UsageError for an unknown format, ReportError for a report that cannot be written.
    """
    destinations = [parse_destination(name, Path(folder)) for name in formats]
    writer = ReportWriter(destinations, result.version)
    writer.clear()
    return writer.write(result)


def _put_or_pipe(path: Path, chunks: Iterable[str]) -> None:
    if _is_special(path):
        write_pipe(path, chunks)
    else:
        _put(path, chunks)


def _put(path: Path, chunks: Iterable[str]) -> None:
    # A link is followed: replacing it would leave the old report where it points.
    target = Path(os.path.realpath(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    replace_file(target, chunks)


def _remove(path: Path) -> None:
    with suppress(OSError):
        target = Path(os.path.realpath(path))
        if target.is_file():
            target.unlink()


def _place_of(path: Path | None) -> object:
    """Return what two paths to one place have in common."""
    if path is None:
        return None
    with suppress(OSError):
        status = path.stat()
        return status.st_dev, status.st_ino
    return os.path.realpath(path)


def _is_special(path: Path) -> bool:
    """Whether ``path`` is a FIFO, a device or a socket: written directly, it cannot be replaced.

    A folder is not: it is in the way.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)
