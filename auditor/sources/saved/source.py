"""A saved source: a snapshot, answers of the API, records; a file, a folder or a pipe.

A saved listing cannot be walked again, so what would repeat a walk of the API is a problem here: an
id twice, a chain of pages that does not end.
"""

from __future__ import annotations

import contextlib
import os
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from auditor.decoding.envelope import Envelope
from auditor.decoding.json_values import MISSING, kind_of
from auditor.decoding.listed import Listed
from auditor.decoding.records import Decoder
from auditor.errors import SourceError, UsageError
from auditor.model import Completeness, SourceInfo
from auditor.sources.saved.forms import Closing, ListingPart, parts, read_header
from auditor.sources.saved.input import (
    Input,
    input_name,
    is_regular,
    open_input,
    unreadable,
)
from auditor.sources.saved.snapshot_file import SnapshotHeader
from auditor.sources.stream import End, Event, Page
from auditor.text import one_line, plural, printable

#: Beyond this many of one kind, problems are counted, not listed.
_LISTED = 20
_HEADER_BYTES = 1 << 16
#: From so many bytes on, a folder is worth a second process. It has to hand over what it found, so
#: that more than half is read here.
_LARGE = 32 << 20
_HERE = 0.52
_DIGITS = re.compile(r"([0-9]+)")


class SnapshotSource:
    """Implements ``stream.Source`` over ``path``: a file, a folder, or ``-``, standard input."""

    live = False

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = os.fspath(path)
        self._opened: Input | None = None
        self._info: SourceInfo | None = None

    @property
    def info(self) -> SourceInfo:
        """The location as given, and the filters and base URL that a snapshot's header names."""
        if self._info is None:
            headers = self._headers()
            filters = sorted({pair for header in headers for pair in header.filters})
            addresses = {header.base_url for header in headers}
            base_url = printable(addresses.pop()) if len(addresses) == 1 else ""
            again = ("--snapshot", printable(self._path))
            self._info = SourceInfo("snapshot", self._path, tuple(filters), base_url, again=again)
        return self._info

    def events(self, decoder: Decoder) -> Iterator[Event]:
        """Yield the listing.

        Raises SourceError if a file is in none of the known forms. In a folder such a file is a
        problem of the listing, and the others are read.
        """
        listing = self.listing(decoder)
        yield from listing.events(listing.files)
        yield listing.end()

    def listing(self, decoder: Decoder) -> SavedListing:
        """Return the listing, before it is read. Raises SourceError for an empty folder."""
        folder = _is_folder(self._path)
        files = _files(self._path) if folder else [self._path]
        listing = SavedListing(decoder, files, self._open, of_folder=folder)
        if folder:
            listing.warnings += _left_out(self._path)
        return listing

    def _open(self, path: str) -> Input:
        opened, self._opened = self._opened, None
        if not (path == self._path or is_regular(path)):
            raise SourceError(f"{input_name(path)}: it is not a file; remove it from the folder")
        return opened or open_input(path)

    def _headers(self) -> list[SnapshotHeader]:
        """Return every header there is; a file without one, or an unreadable one, has none."""
        headers: list[SnapshotHeader] = []
        with contextlib.suppress(SourceError):
            for path in _files(self._path) if _is_folder(self._path) else [self._path]:
                header = self._header_of(path)
                headers += [header] if header else []
        return headers

    def _header_of(self, path: str) -> SnapshotHeader | None:
        try:
            if is_regular(path):
                with open_input(path, block=_HEADER_BYTES) as source:
                    return read_header(source)
            if path == self._path:
                # A pipe is read once: what was read here is where its events begin.
                self._opened = open_input(path)
                return read_header(self._opened)
        except SourceError:
            return None
        return None


def check_path(path: str) -> None:
    """Raise UsageError if ``path`` leads to nothing that could be read; it is not read here.

    A file that exists but is not a listing is another matter: its events raise SourceError.
    """
    if path == "-":
        return
    try:
        if _is_folder(path):
            _files(path)
        elif is_regular(path):
            Path(path).open("rb").close()
        else:  # What is read from a pipe is gone.
            Path(path).stat()
    except (FileNotFoundError, ValueError) as error:
        hint = "name a saved listing, a folder of them, or - for standard input"
        raise UsageError(f"{printable(path)}: no such file; {hint}") from error
    except OSError as error:
        raise UsageError(str(unreadable(printable(path), error))) from error
    except SourceError as error:
        raise UsageError(str(error)) from error


class SavedListing:
    """What is known about a listing while its ``files`` are read, each opened by ``open_file``."""

    def __init__(
        self,
        decoder: Decoder,
        files: Sequence[str],
        open_file: Callable[[str], Input],
        *,
        of_folder: bool,
    ) -> None:
        self.files = files
        self.problems: list[str] = []
        self.warnings: list[str] = []
        self._of_folder = of_folder
        self._open = open_file
        self._decoder = decoder
        self._seen: set[str] = set()
        self._repeated: list[str] = []
        self._pages: list[tuple[str, Envelope]] = []
        self._closings: list[Closing] = []
        self._loose = False

    def events(self, files: Iterable[str]) -> Iterator[Event]:
        """Yield what ``files`` hold, without an end.

        Raises SourceError if a file is in none of the known forms; a folder's is a problem of the
        listing, and the others are read.
        """
        for path in files:
            try:
                with self._open(path) as source:
                    for part in parts(source, self._decoder):
                        if not isinstance(part, Listed):
                            yield from self.take(part)
                        elif not self._of_folder:  # lists of several snapshots would mix
                            yield part
            except SourceError as error:
                if not self._of_folder:
                    raise
                self.problems.append(str(error))

    def halves(self) -> tuple[Sequence[str], Sequence[str]]:
        """Return the files to read here, and those that a second process may read meanwhile.

        Of a small listing the second are none: starting a process would take longer.
        """
        ends = list(accumulate(map(_size, self.files)))
        middle = bisect_right(ends, ends[-1] * _HERE) if ends[-1] >= _LARGE else len(ends)
        return self.files[:middle], self.files[middle:]

    @property
    def pages(self) -> list[tuple[str, Envelope]] | None:
        """The pages that were read, without their records; None if there was anything else."""
        plain = not (self.problems or self._repeated or self._closings or self._loose)
        return self._pages if plain else None

    def join(self, pages: list[tuple[str, Envelope]], ids: list[str]) -> bool:
        """Add ``pages`` that were read elsewhere, with their ``ids``.

        They are not added, and the answer is no, if any of their connections was here before.
        """
        if not self._seen.isdisjoint(ids):
            return False
        self._seen.update(ids)
        self._pages += pages
        return True

    def take(self, part: ListingPart | Closing) -> Iterator[Page]:
        """Yield the page that ``part`` makes, if it makes one."""
        if isinstance(part, Closing):
            self._closings.append(part)
            if part.problem:
                self.problems.append(part.problem)
            return
        if part.problem:
            self.problems.append(part.problem)
            return
        if part.answer is not None:
            self._pages.append((part.label, part.answer._replace(items=[])))
        elif part.as_of is None:
            self._loose = True
        good, problems = self._sifted(part)
        yield Page(
            self._first_seen(good),
            problems,
            as_of=part.as_of,
            is_answer=part.answer is not None,
            taken=(part.as_of,),
        )

    def end(self) -> End:
        """Return the end of the listing, with everything that is wrong with it as a whole."""
        self.warnings += self._check_chain()
        self.problems += self._lacking()
        if self._repeated:
            self.problems.append(self._repetition())
        walks = self._closings[0].walks if len(self._closings) == 1 else 1
        return End(self._completeness(), walks, tuple(self.problems), tuple(self.warnings))

    def _completeness(self) -> Completeness:
        if self.problems:
            return Completeness.INCOMPLETE
        if self._loose or bool(self._pages) == bool(self._closings) or len(self._closings) > 1:
            return Completeness.UNKNOWN
        if self._closings:
            return self._closings[0].completeness
        # A last page by itself looks like a whole listing, and so does what another tool filtered.
        return Completeness.UNKNOWN

    def _sifted(self, part: ListingPart) -> tuple[list[Any], tuple[str, ...]]:
        good, problems = self._decoder.sift(part.items)
        if not problems:
            return good, ()
        found: list[str] = []
        for number, item in enumerate(part.items, part.first):
            wrong = self._decoder.sift([item])[1] if len(found) < _LISTED else []
            found += (f"{part.label}: record {number} {_reason(problem)}" for problem in wrong)
        if len(problems) > len(found):
            found.append(f"{part.label}: {len(problems) - len(found):,} more are not connections")
        return good, tuple(found)

    def _first_seen(self, records: list[Any]) -> list[Any]:
        ids = self._decoder.ids(records)
        new = set(ids)
        if len(new) == len(ids) and self._seen.isdisjoint(new):
            self._seen |= new
            return records
        kept = []
        for name, record in zip(ids, records, strict=True):
            if name in self._seen:
                self._repeated.append(name)
            else:
                self._seen.add(name)
                kept.append(record)
        return kept

    def _repetition(self) -> str:
        count = plural(len(set(self._repeated)), "connection is", "connections are")
        example = one_line(self._repeated[0])
        return (
            f"{count} listed twice, such as {example}: the listing moved while it was saved, or "
            "a file is there twice. The first of each was judged; fetch again"
        )

    def _lacking(self) -> Iterator[str]:
        """Yield why there is more than what was saved: a response says how much there is."""
        answers = [answer for _, answer in self._pages]
        for noun, stated, saved in (
            ("connection", [answer.total for answer in answers], len(self._seen)),
            ("page", [answer.pages for answer in answers], len(answers)),
        ):
            most = max(filter(None, stated), default=0)
            if most > saved:
                yield (
                    f"a saved response says that there are {plural(most, noun)}, and "
                    f"{plural(saved, noun)} {'is' if saved == 1 else 'are'} saved: fetch the rest,"
                    " or use `fivetran-auditor fetch`"
                )

    def _check_chain(self) -> list[str]:
        """Check that the saved pages are one walk from its first page to its last."""
        warnings: list[str] = []
        used: dict[str, str] = {}
        for number, (label, answer) in enumerate(self._pages, 1):
            cursor, last = answer.next_cursor, number == len(self._pages)
            if cursor == "":
                warnings.append(f'{label}: next_cursor is ""; taken for the last page')
            if cursor in (MISSING, None, ""):
                if answer.elsewhere:
                    self.problems.append(
                        f"{label}: it has no data.next_cursor, but its {answer.elsewhere} says "
                        "that more follows: fetch the rest, or use `fivetran-auditor fetch`"
                    )
                elif not last:
                    self.problems.append(
                        f"{label}: a saved page without a next_cursor is not the last one: "
                        "pages of more than one walk, or in another order; fetch again"
                    )
                continue
            if not isinstance(cursor, str):
                self.problems.append(
                    f"{label}: next_cursor is {kind_of(cursor)}, not text; fetch again"
                )
                continue
            if cursor in used:
                self.problems.append(
                    f"{label}: it has the same next_cursor as {used[cursor]}: a page is "
                    "there twice, or one is missing; fetch again"
                )
            used.setdefault(cursor, label)
            if last:
                self.problems.append(
                    f"{label}: a saved page that still has a next_cursor is the last one: "
                    "fetch the rest, or use `fivetran-auditor fetch`"
                )
        return warnings


def _reason(problem: str) -> str:
    """Return a problem without the item's number, which counts from where it was decoded."""
    return problem.removeprefix("item 1 ")


def _size(path: str) -> int:
    """Return the size of a file, 0 if it cannot be told."""
    try:
        return Path(path).stat().st_size
    except (OSError, ValueError):
        return 0


def _is_folder(path: str) -> bool:
    try:
        return path != "-" and Path(path).is_dir()
    except (OSError, ValueError):
        return False


def _files(folder: str) -> list[str]:
    """Return the files of a folder, page-2 before page-10; hidden ones are left out."""
    try:
        names = [entry.name for entry in Path(folder).iterdir()]
    except OSError as error:
        raise unreadable(printable(folder), error) from error
    shown = sorted(name for name in names if not name.startswith("."))
    shown.sort(key=_in_numbers)
    if not shown:
        raise SourceError(f"{printable(folder)}: the folder holds no files; name a saved listing")
    return [str(Path(folder) / name) for name in shown]


def _left_out(folder: str) -> list[str]:
    """Return a warning about the hidden files of a folder, if it has any."""
    with contextlib.suppress(OSError):
        hidden = sorted(
            entry.name
            for entry in Path(folder).iterdir()
            if entry.name.startswith(".") and is_regular(str(entry))
        )
        if hidden:
            count = plural(len(hidden), "hidden file was", "hidden files were")
            return [f"{printable(folder)}: {count} not read, such as {one_line(hidden[0])}"]
    return []


def _in_numbers(name: str) -> list[Any]:
    """Return the texts of a name and the numbers between them, each in its place."""
    pieces = _DIGITS.split(name)
    return [int(piece) if place % 2 else piece for place, piece in enumerate(pieces)]
