"""The one writer: puts reports where they belong, whole or not at all.

What stood at a report's path before a run is a stale green, waiting to be uploaded. So every
path gets a placeholder, a whole report that says *inconclusive*, before the first record is
fetched; later the report takes its place in one step. A run that is killed leaves one or the
other, never half a report. Nothing but this module touches a report's file.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.errors import ReportError, UsageError
from auditor.reports import REPORTS
from auditor.reports.disk import explain, replace_file, write_pipe, write_stdout
from auditor.text import listed, printable

if TYPE_CHECKING:
    from auditor.model import Result

_STDOUT = frozenset({"-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"})


@dataclass(frozen=True, slots=True)
class Destination:
    """A format, and the file its report goes to; None is standard output."""

    format: str
    path: Path | None

    def __str__(self) -> str:
        where = "standard output" if self.path is None else printable(str(self.path))
        return f"{self.format}: {where}"


def parse_destination(text: str, folder: Path) -> Destination:
    """Read ``html``, ``html=path``, ``html=folder/`` or ``json=-``.

    Without a path the file is in ``folder``, under the format's own name.
    Raises UsageError for an unknown format, with the nearest one, and for an empty path.
    """
    name, equals, path = text.partition("=")
    if name not in REPORTS:
        near = get_close_matches(name.lower(), REPORTS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"it takes {listed(REPORTS)}"
        raise UsageError(f"--report {printable(text)}: no such format ({hint})")
    if not equals:
        return Destination(name, folder / REPORTS[name].filename)
    if not _names_a_file(path):
        raise UsageError(
            f"--report {printable(text)}: that is no path; write {name}=FILE, {name}=- for "
            f"standard output, or {name} alone for {REPORTS[name].filename} in the output folder"
        )
    if path.endswith("/"):
        return Destination(name, Path(path) / REPORTS[name].filename)
    return Destination(name, None if path in _STDOUT else Path(path))


#: The reports that a run writes when nobody names any.
DEFAULT_FORMATS = ("html", "junit", "json")


class ReportWriter:
    """Writes each destination's placeholder, then its report.

    A failure of one never stops the others, and all that failed are named in one ReportError.
    """

    def __init__(self, destinations: Sequence[Destination], version: str) -> None:
        self._destinations = tuple(destinations)
        self._version = version

    @property
    def takes_stdout(self) -> bool:
        """Whether a report goes to standard output, so that nothing else may."""
        return any(destination.path is None for destination in self._destinations)

    def prepare(self) -> None:
        """Put every report's placeholder in its place; folders are made as needed.

        Raises UsageError when two reports would go to one place, before anything is written,
        and ReportError that names every path that cannot be written.
        """
        self._refuse_shared()
        self._each(self._place)

    def write(self, result: Result) -> tuple[Path, ...]:
        """Write every report on ``result`` and return the files, in order, stdout left out.

        Raises ReportError that names every report that could not be written, after the others
        have been.
        """
        self._each(lambda destination: self._write(destination, result))
        return tuple(d.path for d in self._destinations if d.path is not None)

    def _each(self, act: Callable[[Destination], None]) -> None:
        failures: list[str] = []

        def attempt(destination: Destination) -> None:
            try:
                act(destination)
            except OSError as error:
                failures.append(f"{destination}: {explain(error)}")

        # A stack of callbacks runs each of them even where one ends in a bug, and then raises it.
        with ExitStack() as stack:
            for destination in reversed(self._destinations):
                stack.callback(attempt, destination)
        if failures:
            raise ReportError("\n".join(f"cannot write {failure}" for failure in failures))

    def _refuse_shared(self) -> None:
        taken: dict[object, Destination] = {}
        for destination in self._destinations:
            place = _place_of(destination.path)
            if place in taken:
                raise UsageError(
                    f"two reports cannot share one place: {taken[place]} and {destination}; "
                    "give one of them another path, as in --report FORMAT=PATH"
                )
            taken[place] = destination

    def _place(self, destination: Destination) -> None:
        if destination.path is None:
            write_stdout(())
        elif _is_special(destination.path):
            if not os.access(destination.path, os.W_OK):
                raise PermissionError(errno.EACCES, "")
        else:
            placeholder = REPORTS[destination.format].placeholder(self._version)
            _put(destination.path, (placeholder,))

    def _write(self, destination: Destination, result: Result) -> None:
        chunks = REPORTS[destination.format].render(result)
        if destination.path is None:
            write_stdout(chunks)
        elif _is_special(destination.path):
            write_pipe(destination.path, chunks)
        else:
            _put(destination.path, chunks)


def write_reports(
    result: Result, folder: str | Path = "audit-report", formats: Iterable[str] = DEFAULT_FORMATS
) -> tuple[Path, ...]:
    """Write reports on ``result`` into ``folder``, whole or not at all, and return their files.

    Raises UsageError for an unknown format, ReportError for a report that cannot be written.
    """
    destinations = [parse_destination(name, Path(folder)) for name in formats]
    return ReportWriter(destinations, result.version).write(result)


def _put(path: Path, chunks: Iterable[str]) -> None:
    # A link is followed: replacing it would leave the old report where it points.
    target = Path(os.path.realpath(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    replace_file(target, chunks)


def _names_a_file(path: str) -> bool:
    try:
        return bool(path) and b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        return False


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
