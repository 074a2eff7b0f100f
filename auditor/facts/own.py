"""The user's own facts: rows in a policy, or in a file beside it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import translate
from functools import cached_property
from typing import Any

import msgspec

from auditor.decoding.json_values import MISSING
from auditor.decoding.records import Shape
from auditor.facts.columns import ColumnType
from auditor.facts.join import Table, constant
from auditor.fields import Field, Kind
from auditor.model import FactsInfo, Position
from auditor.text import printable

#: The values of a row, one for each declared column.
Values = tuple[Any, ...]
_WILD = re.compile(r"[*?\[]")
_LAST_WILD = re.compile(r".*[*?\[\]]", re.DOTALL)
#: Up to this many globs with the same beginning are tried one after the other.
_FEW = 8


class OwnFacts(msgspec.Struct, frozen=True, dict=True):
    """Facts that a policy declares under ``name``.

    ``key`` is the path of the field that names a row. ``rows`` are in the order of the file;
    optional facts may have none. With ``globs`` their keys are globs, and the last match wins.
    ``default`` is the row for any other key. ``file`` is how the user named the file, "" for rows
    in the policy.
    """

    name: str
    position: Position
    key: str
    columns: tuple[tuple[str, ColumnType], ...]
    rows: Mapping[str, Values]
    globs: bool = False
    default: Values | None = None
    file: str = ""
    sha256: str = ""

    def fields(self) -> Iterator[Field]:
        """Yield what a rule may name: the facts as a whole, and each column."""
        yield Field(self.name, Kind.OBJECT, f"The row of {self.origin} that fits.", joined=True)
        for name, column in self.columns:
            doc = f"The column {name} of {self.origin}."
            yield Field(f"{self.name}.{name}", column.kind, doc, joined=True)

    @property
    def origin(self) -> str:
        """The file or policy that holds the rows."""
        return self.file or str(self.position)

    @property
    def info(self) -> FactsInfo:
        """What reports say about the rows."""
        return FactsInfo(self.name, printable(self.origin), len(self.rows), self.sha256)

    def table(self, row: Shape) -> Table:
        """Return the rows in the form of ``row``, the shape of what is read of them."""
        numbers = {name: number for number, (name, _) in enumerate(self.columns)}
        wanted = [(node.attribute, numbers[name]) for name, node in row.root.children.items()]

        def made(values: Values) -> Any:
            return row.record(**{attribute: values[number] for attribute, number in wanted})

        absent = MISSING if self.default is None else made(self.default)
        if not self.rows:
            return constant(self.name, absent)  # No value finds a row: there are none.
        find = self._finder(made)
        return Table(self.name, self.key, find, absent, keyless=absent)

    def has_row_of(self, keys: Iterable[str]) -> bool:
        """Whether there is a row for any of ``keys``."""
        if not self.globs:
            return not self.rows.keys().isdisjoint(keys)
        return any(self._patterns.last(key) is not None for key in keys)

    @cached_property
    def _patterns(self) -> Globs:
        """The keys as globs, prepared once: for a hundred thousand this takes time and memory."""
        return Globs(self.rows)

    def _finder(self, made: Callable[[Values], Any]) -> Callable[[str, Any], Any]:
        if not self.globs:
            return {key: made(values) for key, values in self.rows.items()}.get
        globs, rows, known = self._patterns, self.rows, dict[str, Any]()

        def find(key: str, absent: Any) -> Any:
            found = known.get(key)
            if found is None:
                row = globs.last(key)
                found = known[key] = absent if row is None else made(rows[row])
            return found

        return find


class Globs:
    """Ordered globs; the last match of a text counts.

    A glob is tried only on a text with its literal beginning and, if many begin alike, its literal
    end. So a list of a hundred thousand takes no longer than the few that may match.
    """

    def __init__(self, globs: Sequence[str] | Mapping[str, Any]) -> None:
        self._globs = list(globs)
        self._plain: dict[str, int] = {}
        #: By the length of the text before the first wildcard, and by that text.
        self._starts: dict[int, dict[str, list[int]]] = {}
        #: Of many with one beginning: by the length of the text after the last wildcard, and by it.
        self._ends: dict[str, dict[int, dict[str, list[int]]]] = {}
        self._compiled: dict[int, Callable[[str], object]] = {}
        for number, glob in enumerate(self._globs):
            wild = _WILD.search(glob)
            if wild is None:
                self._plain[glob] = number
            else:
                start = glob[: wild.start()]
                self._starts.setdefault(len(start), {}).setdefault(start, []).append(number)

    def last(self, text: str) -> str | None:
        """Return the last glob that matches the whole of ``text``; None if none does."""
        best = self._plain.get(text, -1)
        for numbers in self._candidates(text):
            for number in reversed(numbers):
                if number < best:
                    break
                if self._fits(number, text):
                    best = number
                    break
        return self._globs[best] if best >= 0 else None

    def _candidates(self, text: str) -> Iterator[list[int]]:
        for length, starts in self._starts.items():
            start = text[:length]
            numbers = starts.get(start)
            if numbers is None:
                continue
            if len(numbers) <= _FEW:
                yield numbers
                continue
            if start not in self._ends:
                self._ends[start] = self._by_end(numbers)
            for below, ends in self._ends[start].items():
                if (alike := ends.get(text[-below:] if below else "")) is not None:
                    yield alike

    def _by_end(self, numbers: Iterable[int]) -> dict[int, dict[str, list[int]]]:
        found: dict[int, dict[str, list[int]]] = {}
        for number in numbers:
            # What follows a bracket that is never closed, and so is no wildcard, is an end as well.
            end = _LAST_WILD.sub("", self._globs[number])
            found.setdefault(len(end), {}).setdefault(end, []).append(number)
        return found

    def _fits(self, number: int, text: str) -> bool:
        glob = self._globs[number]
        start, star, end = glob.partition("*")
        if star and not _WILD.search(start) and not _WILD.search(end):
            # Its beginning was looked up.
            return len(text) >= len(start) + len(end) and text.endswith(end)
        match = self._compiled.get(number)
        if match is None:
            match = self._compiled[number] = re.compile(translate(glob)).match
        return match(text) is not None
