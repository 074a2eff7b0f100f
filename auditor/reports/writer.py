"""The one writer: puts reports where they belong, whole or not at all.

What stood at a report's path before a run is a stale green, waiting to be uploaded. So every path
gets a placeholder, a whole report that says *inconclusive*, before the first record is fetched;
later the report replaces it in one step. A run that is killed leaves one or the other, never half a
report. Everything is written through ``output/``.

A report in several files has one placeholder, in place of its first part, or of the whole report if
a dimension makes the parts. What an earlier run left under the name of another part is removed,
because nobody knows yet which parts there will be. Only files that are ours by their content are
removed, and none that this run will write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditor.errors import Interrupted, ReportError, UsageError
from auditor.output.beside import beside
from auditor.output.disk import explain, head_of, real
from auditor.output.inputs import Inputs, refusal
from auditor.output.target import Target, identities
from auditor.output.unfinished import clear
from auditor.output.write import put, remove, remove_old, try_stream
from auditor.reports import REPORTS, Format
from auditor.reports.destinations import Destination, parse_destination
from auditor.text import one_line, printable

if TYPE_CHECKING:
    from auditor.model import Result

__all__ = ["DEFAULT_FORMATS", "Destination", "ReportWriter", "parse_destination", "write_reports"]

#: The reports that a run writes when nobody names any.
DEFAULT_FORMATS = ("html", "junit", "json")
#: The format that consists of a log's commands.
_COMMANDS = "github"
_Clean = Callable[[Iterable[str]], Iterable[str]]


class ReportWriter:
    """Writes each destination's placeholder, then its report.

    One failure never stops the others, and one ReportError names all that failed. ``formats`` is
    the table of the destinations' formats. ``clean`` removes the run's credentials from text in
    pieces, wherever the pieces end.
    """

    def __init__(
        self,
        destinations: Sequence[Destination],
        version: str,
        formats: Mapping[str, Format] = REPORTS,
        clean: _Clean = iter,
    ) -> None:
        self._destinations = tuple(destinations)
        self._version = version
        self._formats = formats
        self._clean = clean

    @property
    def formats(self) -> frozenset[str]:
        """The formats that are written."""
        return frozenset(destination.format for destination in self._destinations)

    @property
    def takes_stdout(self) -> bool:
        """Whether a report goes to standard output, so that nothing else may."""
        return any(destination.path is None for destination in self._destinations)

    def outdate(self, inputs: Inputs | None = None) -> None:
        """Put placeholders over reports that earlier runs left at these places, if possible.

        Called as soon as the places are known: whatever goes wrong afterwards, with options or
        policies, no older report can be taken for this run's. It creates nothing new, and leaves
        alone what is not a report of ours or is one of ``inputs``.
        """
        for destination in self._destinations:
            if destination.path is None or self._read_as(destination, inputs or Inputs()):
                continue
            format_ = self._formats[destination.format]
            with suppress(OSError):
                old = [destination.first]
                old += destination.parts_there() if destination.in_parts else ()
                if any(format_.begins(head_of(path)) for path in old):
                    self._place(destination)

    def prepare(self, inputs: Inputs | None = None) -> None:
        """Put every report's placeholder in its place, remove old parts, create folders as needed.

        Raises UsageError if two reports would go to one place, or one would replace one of
        ``inputs``, before anything new is made; ReportError that names every path that cannot be
        written.
        """
        inputs = inputs or Inputs()
        try:
            self.refuse_clashes()
            for destination in self._destinations:
                if what := self._read_as(destination, inputs):
                    raise refusal(str(destination), what)
        except UsageError:
            self.outdate(inputs)
            raise
        self.clear()
        self._for_each(self._place)

    def refuse_clashes(self) -> None:
        """Raise UsageError if two reports would go to one place, by name or by a link."""
        self._refuse_shared()
        self._refuse_links()

    def load(self) -> None:
        """Load what the reports need, so that nothing has to be loaded once there is a result."""
        for name in self.formats:
            self._formats[name].load()

    def write(self, result: Any, *, at_once: bool = False) -> tuple[Path, ...]:
        """Write every report on ``result`` and return the files, in order, stdout left out.

        With ``at_once`` a second process writes the first one, if possible. Raises ReportError that
        names every report that could not be written, after the others have been.
        """
        written: dict[Destination, list[Path]] = {}

        def write(destination: Destination) -> None:
            written[destination] = self._write(destination, result)

        others = self._destinations[1:]
        first = self._destinations[0] if at_once and others else None
        if first is None or not _is_one_file(first):
            self._for_each(write)
        else:
            with beside(partial(self._write, first, result)) as answer:

                def write_beside(destination: Destination) -> None:
                    if destination is first and answer() is not None:
                        written[first] = [first.first]
                    else:
                        write(destination)

                self._for_each(write_beside, (*others, first))
        return tuple(path for each in self._destinations for path in written.get(each, ()))

    def clear(self) -> None:
        """Remove what killed runs have left in the reports' folders."""
        paths = [destination.path for destination in self._destinations]
        with suppress(OSError):  # The working folder may be gone.
            for folder in {real(path).parent for path in paths if path is not None}:
                clear(folder)

    def _for_each(
        self, act: Callable[[Destination], None], order: Sequence[Destination] | None = None
    ) -> None:
        failures: dict[Destination, str] = {}

        def attempt(destination: Destination) -> None:
            try:
                act(destination)
            except OSError as error:
                failures[destination] = f"cannot write {destination}: {explain(error)}"
            except ReportError as error:
                failures[destination] = f"cannot write {destination}: {error}"
            except Interrupted:
                stack.pop_all()
                raise

        # A stack of callbacks runs each of them even if one ends in a bug, which it then raises.
        with ExitStack() as stack:
            for destination in reversed(order or self._destinations):
                stack.callback(attempt, destination)
        if failures:
            failed = [failures[each] for each in self._destinations if each in failures]
            raise ReportError("\n".join(failed))

    def _refuse_shared(self) -> None:
        taken: list[tuple[frozenset[object], Destination]] = []
        for destination in self._destinations:
            places = _places(destination)
            others = (other for known, other in taken if not known.isdisjoint(places))
            other = next(others, None) or self._split_into(destination)
            if other is not None:
                raise UsageError(
                    f"two reports cannot share one path: {other} and {destination}; "
                    "give one of them another path, as in --report FORMAT=PATH"
                )
            taken.append((places, destination))

    def _split_into(self, destination: Destination) -> Destination | None:
        """Return a report one of whose parts may be written at ``destination``."""
        for other in self._destinations:
            if other is not destination and other.in_parts and destination.path is not None:
                assert other.path is not None
                path = destination.first
                apart = identities(path).isdisjoint(identities(other.path))
                if apart and other.is_part(path):
                    return other
        return None

    def _refuse_links(self) -> None:
        """Refuse a link to where another report of the run, or another part, may be written."""
        led_to: set[Path] = set()
        for destination in self._destinations:
            for link in _links(destination):
                place, is_part = real(link), link != destination.first
                shared = any(other.is_part(place) for other in self._split)
                if is_part:
                    there = identities(link)
                    shared |= place in led_to
                    shared |= any(not there.isdisjoint(_places(o)) for o in self._destinations)
                    led_to.add(place)
                if shared:
                    raise UsageError(
                        f"two reports cannot share one path: {destination} may be written to "
                        f"{printable(str(link))}, a link to another report; remove the link"
                    )

    @property
    def _split(self) -> Iterator[Destination]:
        return (each for each in self._destinations if each.in_parts)

    def _read_as(self, destination: Destination, inputs: Inputs) -> str:
        """Return the run's input that the report would replace, "" for none."""
        read = inputs.read_as(destination.target)
        return read or (_part_read(destination, inputs) if destination.in_parts else "")

    def _place(self, destination: Destination) -> None:
        if destination.target.is_stream:
            try_stream(destination.target)
            return
        placeholder = self._formats[destination.format].placeholder(self._version)
        try:
            put(destination.target, (placeholder,))
        except OSError:
            # No report is better than an old one, and removing takes no space.
            remove(destination.first)
            with suppress(OSError):  # The error that is reported is why there is no placeholder.
                self._remove_old_parts(destination)
            raise
        self._remove_old_parts(destination)

    def _remove_old_parts(self, destination: Destination) -> None:
        format_ = self._formats[destination.format]
        if not format_.by_dimension:
            return
        ours = {name for each in self._destinations for name in _places(each)}
        kept: OSError | None = None
        for path in destination.parts_there(numbered=bool(format_.options)):
            if ours.isdisjoint(identities(path)) and format_.begins(head_of(path)):
                try:
                    remove_old(path)
                except OSError as error:
                    kept = error
        if kept is not None:
            raise kept

    def _write(self, destination: Destination, result: Any) -> list[Path]:
        """Write one report and return its files, in order."""
        report = self._formats[destination.format]
        if destination.split:
            numbers = []
            for number, chunks in report.render_parts(result, destination.split):
                put(Target(destination.part(number)), self._clean(chunks))
                numbers.append(number)
            return [destination.part(number) for number in sorted(numbers)]
        others = self._write_parts(destination, result) if destination.by else []
        # The whole comes last: until then its placeholder says that the run did not finish.
        self._put(destination, destination.target, result)
        return [] if destination.path is None else [destination.path, *others]

    def _write_parts(self, destination: Destination, result: Any) -> list[Path]:
        """Write the part for each value of a dimension and return their files."""
        from auditor.reports.parts import (  # noqa: PLC0415  # for reports that are split only
            MOST_PARTS,
            count,
            parts,
        )

        if destination.by not in result.connections.dimensions:
            raise ReportError(f"this run has no dimension {one_line(destination.by)}")
        if result.plan is not None:
            raise ReportError("a report on a plan is not split by a dimension")
        made = count(result, destination.by)
        if made > MOST_PARTS:
            self._put(destination, destination.target, result)
            raise ReportError(
                f"{destination.by} would make {made:,} parts, {MOST_PARTS:,} at most; the whole"
                " report is there"
            )
        written = []
        for value, part in parts(result, destination.by):
            path = destination.part_of(value)
            self._put(destination, Target(path), part)
            written.append(path)
        return written

    def _put(self, destination: Destination, target: Target, result: Any) -> None:
        report = self._formats[destination.format]
        chunks = self._clean(report.render(result, destination.variant))
        put(target, chunks, commands=report.name == _COMMANDS)


def write_reports(
    result: Result, folder: str | Path = "audit-report", formats: Iterable[str] = DEFAULT_FORMATS
) -> tuple[Path, ...]:
    """Write reports on ``result`` into ``folder``, whole or not at all, and return their files.

    Raises UsageError for an unknown format and for two reports with one path, ReportError for a
    report that cannot be written.
    """
    destinations = [parse_destination(name, Path(folder)) for name in formats]
    writer = ReportWriter(destinations, result.version)
    writer.refuse_clashes()
    writer.clear()
    return writer.write(result)


def _is_one_file(destination: Destination) -> bool:
    """Whether the report is one file, and no stream; of what cannot be looked at nobody knows."""
    with suppress(OSError):
        return not (destination.in_parts or destination.target.is_stream)
    return False


def _links(destination: Destination) -> list[Path]:
    """Return the names of a report and its parts that are links, as far as can be told."""
    if destination.path is None:
        return []
    links: list[Path] = []
    for names in ([destination.first], destination.parts_there() if destination.in_parts else ()):
        with suppress(OSError):
            links += (name for name in names if name.is_symlink())
    return links


def _part_read(destination: Destination, inputs: Inputs) -> str:
    """Return which of ``inputs`` a part's name leads to, "" for none."""
    with suppress(OSError):  # There is no folder yet, and so no part.
        there = (inputs.read_as(Target(path)) for path in destination.parts_there())
        return next(filter(None, there), "")
    return ""


def _places(destination: Destination) -> frozenset[object]:
    """Return what identifies a report's place, shared by two in the same place."""
    target = destination.target
    if target.path is None:
        return identities(target.descriptor) | {target.descriptor}
    return identities(target.path)
