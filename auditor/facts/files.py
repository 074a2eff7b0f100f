"""Reading a file of facts as strictly as a policy: every problem with its line and column.

CSV as in RFC 4180, a JSON array of objects, or NDJSON with one object per line; UTF-8. Nothing is
guessed and nothing is repaired: a file that an editor has mangled is refused, with what to do about
it.
"""

from __future__ import annotations

import csv
import json
import re
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import PurePath
from types import MappingProxyType
from typing import Any, NoReturn

import msgspec

from auditor.errors import Problem
from auditor.facts.columns import ColumnType, WrongValueError
from auditor.facts.keys import KeyFault, fault_of_key
from auditor.model import Position
from auditor.suggest import nearest
from auditor.text import listed, one_line
from auditor.text import nearest as most_like

#: The most bytes that are read of a file, and the most of its problems that are reported.
MAX_BYTES = 64 << 20
_MOST_PROBLEMS = 20
_CELL = 1 << 20
#: The most different texts that are kept only once, however many rows hold them.
_TEXTS = 5000
_BLANK = re.compile(r"[ \t\r\n]*")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_NDJSON_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")

Values = tuple[Any, ...]


class Declared(msgspec.Struct, frozen=True):
    """What a policy declares of a file: the column of its keys, and those that rules read.

    ``fault`` says what is wrong with a key, if anything.
    """

    file: str
    key: str
    columns: tuple[tuple[str, ColumnType], ...]
    fault: KeyFault = fault_of_key


class FactsFileError(ValueError):
    """A file of facts that cannot be used, with every problem in it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, problems)))


def read_facts(data: bytes, declared: Declared) -> dict[str, Values]:
    """Return the rows of a file by their keys, in order. Raises FactsFileError."""
    suffix = PurePath(declared.file).suffix.lower()
    read = _FORMATS.get(suffix)
    reader = _FileRows(declared)
    if read is None:
        hint = f"a file of facts ends in {listed(_FORMATS)}"
        reader.refuse(1, 1, f"{suffix or 'no suffix'} is not a format for facts", hint)
    if len(data) > MAX_BYTES:
        reader.refuse(1, 1, f"it is larger than {MAX_BYTES >> 20} MiB", "leave out rows")
    read(reader, _text(data, reader))
    return reader.whole()


class _FileRows:
    """The rows of one file while it is read, and what is wrong with it."""

    def __init__(self, declared: Declared) -> None:
        self.declared = declared
        self.rows: dict[str, Values] = {}
        #: What rows call their columns, and where the first row of each kind has one.
        self.shapes: dict[tuple[str, ...], Callable[[str], tuple[int, int]]] = {}
        self._problems: list[Problem] = []
        #: The line of each row.
        self._lines = array("L")
        self._texts: dict[str, str] = {}

    def add(self, key: str, values: Values, line: int, at: Callable[[], tuple[int, int]]) -> None:
        """Take a row that begins at ``line``; ``at`` returns the position of its key."""
        fault = self.declared.fault(key) if key else None
        if key and key not in self.rows and fault is None:
            self.rows[key] = tuple([self._shared_text(v) if type(v) is str else v for v in values])
            self._lines.append(line)
        elif not key:
            self.note(*at(), f"the key {self.declared.key} is empty", "a row needs its key")
        elif key in self.rows:
            first = self._lines[list(self.rows).index(key)]
            message = f"the key {one_line(key)} is already at line {first:,}"
            self.note(*at(), message, "keep one of the rows")
        elif fault is not None:
            self.note(*at(), *fault)

    def _shared_text(self, text: str) -> str:
        """Return ``text``, or the equal text of an earlier row: teams and dates repeat."""
        if len(self._texts) < _TEXTS:
            return self._texts.setdefault(text, text)
        return self._texts.get(text, text)

    def note(self, line: int, column: int, message: str, hint: str = "") -> None:
        """Record a problem; if the whole file is wrong, the first few are enough."""
        if len(self._problems) < _MOST_PROBLEMS:
            position = Position(self.declared.file, line, column)
            self._problems.append(Problem(position, message, hint))
        else:
            raise FactsFileError(self._problems)

    def refuse(self, line: int, column: int, message: str, hint: str = "") -> NoReturn:
        """Record a problem that ends the reading."""
        position = Position(self.declared.file, line, column)
        raise FactsFileError([*self._problems, Problem(position, message, hint)])

    def whole(self) -> dict[str, Values]:
        """Return the rows. Raises FactsFileError if there was a problem, or no row."""
        if self._problems:
            raise FactsFileError(self._problems)
        seen = set(chain.from_iterable(self.shapes))
        unseen = [name for name, _ in self.declared.columns if name not in seen]
        if self.rows and seen and unseen:
            hint = nearest(unseen[0], seen) or f"rows have {listed(sorted(seen), 'and')}"
            self.refuse(1, 1, f"no row has a column {one_line(unseen[0])}", hint)
        if not self.rows:
            self.refuse(1, 1, "it has no rows", "a row is a line below the names of the columns")
        self._check_strays()
        if self._problems:
            raise FactsFileError(self._problems)
        return self.rows

    def _check_strays(self) -> None:
        """Note rows that have one of the columns under another name.

        Two names that any row has both of are two columns.
        """
        names = [name for name, _ in self.declared.columns]
        own = {self.declared.key, *names}
        beside: dict[str, set[str]] = {name: set() for name in names}
        for shape in self.shapes:
            for name in own.intersection(shape) - {self.declared.key}:
                beside[name].update(shape)
        for shape, place in self.shapes.items():
            absent = [name for name in names if name not in shape]
            for stray in shape if absent else ():
                if stray in own:
                    continue
                open_to = [name for name in absent if stray not in beside[name]]
                meant = most_like(stray.lower().replace("-", "_"), open_to)
                if meant:
                    message = f"{one_line(stray)} is not a column, and the row has no {meant}"
                    self.note(*place(stray), message, f"did you mean {meant}?")


def _text(data: bytes, reader: _FileRows) -> str:
    if data.startswith(_UTF16):
        reader.refuse(1, 1, "it is UTF-16", "save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        reader.refuse(line, column, "it is not UTF-8 here", "save it as UTF-8")
    if "\0" in text:
        line, column = _line_and_column(text, text.index("\0"))
        reader.refuse(line, column, "there is a NUL here", "save it as UTF-8 text")
    return text


def _line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Return the line and the column of ``offset``, each from 1."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


# -- CSV --------------------------------------------------------------------------------------


def _read_csv(reader: _FileRows, text: str) -> None:
    csv.field_size_limit(_CELL)
    table = csv.reader(_lines(text), strict=True)
    lines = _Lines(text)
    header = _next(table, reader)
    if header is None or not any(header):
        reader.refuse(1, 1, "it is empty", "the first line names the columns")
    places = _columns(reader, header, lines)
    key_place, declared, width = places[0], reader.declared.columns, len(header)
    while True:
        line = table.line_num + 1
        cells = _next(table, reader)
        if cells is None:
            return
        if not cells:
            continue  # a blank line
        if len(cells) != width:
            message = f"{len(cells)} cells, and {width} columns"
            reader.note(line, 1, message, "quote a cell that holds a comma")
            continue
        values: list[Any] = []
        for place, (name, column) in zip(places[1:], declared, strict=True):
            cell = cells[place]
            try:
                values.append(column.written(cell) if cell else None)
            except WrongValueError as error:
                shown = cell if cell == cell.strip() else repr(cell)
                message = f"{name} is {one_line(shown)}, expected {error}"
                reader.note(*lines.cell(line, place), message)
                break
        else:
            reader.add(cells[key_place], tuple(values), line, partial(lines.cell, line, key_place))


def _lines(text: str) -> Iterator[str]:
    """Yield the lines of ``text`` with their ends; StringIO would copy the whole of it."""
    return (match.group() for match in _LINE.finditer(text))


def _next(table: Iterator[list[str]], reader: _FileRows) -> list[str] | None:
    try:
        return next(table, None)
    except csv.Error as error:
        number: int = table.line_num  # type: ignore[attr-defined]  # as every csv.reader has
        what = str(error)
        hint = 'a quote inside a quoted cell is written twice: ""'
        if "unexpected end" in what:
            what, hint = "a quoted cell is never closed", 'end it with "'
        elif "field limit" in what:
            what, hint = f"a cell is longer than {_CELL:,} characters", "leave the column out"
        reader.refuse(max(number, 1), 1, f"not CSV: {what}", hint)


def _columns(reader: _FileRows, header: Sequence[str], lines: _Lines) -> list[int]:
    """Return the columns' positions: the key's and each declared one's."""
    for place, name in enumerate(header):
        if name in header[:place] and name:
            reader.refuse(*lines.cell(1, place), f"the column {one_line(name)} appears twice", "")
    wanted = [reader.declared.key, *(name for name, _ in reader.declared.columns)]
    missing = [name for name in wanted if name not in header]
    for name in missing:
        if len(header) == 1 and re.search(r"[;\t|]", header[0]):
            hint = "columns are separated by commas"
        else:
            hint = nearest(name, header) or f"its columns: {listed(map(one_line, header), 'and')}"
        reader.note(1, 1, f"no column is called {one_line(name)}", hint)
    if missing:
        reader.whole()
    return [header.index(name) for name in wanted]


class _Lines:
    """The lines of a CSV file, for finding the position of a cell."""

    def __init__(self, text: str) -> None:
        self._text = text

    def cell(self, line: int, place: int) -> tuple[int, int]:
        """Return the line and column of the cell at ``place`` of the row that begins at ``line``.

        Computed only for cells that are wrong, so that no positions are kept.
        """
        offset = 0
        for _ in range(line - 1):
            offset = self._text.index("\n", offset) + 1
        quoted = False
        for index in range(offset, len(self._text)):
            if place == 0:
                return _line_and_column(self._text, index)
            character = self._text[index]
            if character == '"':
                quoted = not quoted
            elif character == "," and not quoted:
                place -= 1
                offset = index + 1
        return _line_and_column(self._text, offset)


# -- JSON -------------------------------------------------------------------------------------


class _Object(dict[str, Any]):
    """An object of the file, and the first key that it has twice."""

    doubled: str | None = None


def _object(pairs: list[tuple[str, Any]]) -> _Object:
    found = _Object(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        found.doubled = next(k for k, _ in pairs if k in seen or seen.add(k))  # type: ignore[func-returns-value]
    return found


class _ConstantError(ValueError):
    """A word that JSON does not know, such as NaN, where a number should be."""


def _constant(name: str) -> NoReturn:
    raise _ConstantError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)


def _read_json(reader: _FileRows, text: str) -> None:
    start = _skip(text, 0)
    if text[start : start + 1] != "[":
        hint = "write an array of objects, or one object per line in a file that ends in .ndjson"
        reader.refuse(*_line_and_column(text, start), "it is not an array of rows", hint)
    counted = _Counted(text)
    offset = _skip(text, start + 1)
    if text[offset : offset + 1] == "]":
        offset += 1
    else:
        while True:
            value, end = _decode(reader, text, offset)
            _row(reader, value, text, offset, counted.line(offset))
            after = _skip(text, end)
            mark = text[after : after + 1]
            if mark == "]":
                offset = after + 1
                break
            if mark != ",":
                reader.refuse(*_line_and_column(text, after), "a comma or ] is missing", "")
            offset = _skip(text, after + 1)
    end = _skip(text, offset)
    if end != len(text):
        reader.refuse(*_line_and_column(text, end), "more follows after the array", "remove it")


def _read_ndjson(reader: _FileRows, text: str) -> None:
    for number, found in enumerate(_NDJSON_LINE.finditer(text), 1):
        line = found.group()
        if line.strip():
            start = _skip(line, 0)
            value, end = _decode(reader, line, start, number)
            after = _skip(line, end)
            if after != len(line):
                reader.refuse(number, after + 1, "more follows after the object", "one per line")
            _row(reader, value, line, start, number)


class _Counted:
    """The lines of a text, counted once while moving forward."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._line = 1
        self._offset = 0

    def line(self, offset: int) -> int:
        """Return the line of ``offset``, which is never before the last one."""
        self._line += self._text.count("\n", self._offset, offset)
        self._offset = offset
        return self._line


def _skip(text: str, offset: int) -> int:
    match = _BLANK.match(text, offset)
    return match.end() if match else offset


def _decode(reader: _FileRows, text: str, offset: int, line: int = 0) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, offset)
    except json.JSONDecodeError as error:
        at, column = _line_and_column(text, error.pos)
        reader.refuse(line or at, column, f"not JSON: {error.msg}", "")
    except (ValueError, RecursionError) as error:
        at, column = _line_and_column(text, offset)
        if isinstance(error, _ConstantError):
            message = str(error)
        elif isinstance(error, RecursionError):
            message = "nested too deeply"
        else:
            message = "an integer has more digits than can be read"
        reader.refuse(line or at, column, f"not a row: {message}", "")


def _row(reader: _FileRows, value: Any, text: str, offset: int, line: int) -> None:
    """Take one decoded row, which is at ``offset``, in ``line``."""

    def place(name: str) -> tuple[int, int]:
        at = text.find(json.dumps(name, ensure_ascii=False), offset)
        at = at if at >= 0 else offset
        return line + text.count("\n", offset, at), _line_and_column(text, at)[1]

    if type(value) is not _Object:
        reader.note(
            line,
            _line_and_column(text, offset)[1],
            "a row is an object",
            'write {"schema": "orders"}',
        )
        return
    if value.doubled is not None:
        message = f"the key {one_line(value.doubled)} appears twice in this row"
        reader.note(*place(value.doubled), message)
        return
    declared = reader.declared
    reader.shapes.setdefault(tuple(value), place)
    key = value.get(declared.key)
    if type(key) is not str:
        held = "missing" if declared.key not in value else "no text"
        hint = nearest(declared.key, value) if held == "missing" else "put it in quotes"
        reader.note(*place(declared.key), f"the key {declared.key} is {held}", hint)
        return
    values: list[Any] = []
    for name, column in declared.columns:
        cell = value.get(name)
        try:
            values.append(None if cell is None else column.typed(cell))
        except WrongValueError as error:
            message = f"{name} is {one_line(json.dumps(cell)[:80])}, expected {error}"
            reader.note(*place(name), message)
            return
    reader.add(key, tuple(values), line, partial(place, declared.key))


_FORMATS: Mapping[str, Callable[[_FileRows, str], None]] = MappingProxyType(
    {".csv": _read_csv, ".json": _read_json, ".ndjson": _read_ndjson, ".jsonl": _read_ndjson}
)
