"""Recognising a saved listing by its content, and taking it apart.

Besides the auditor's own snapshots people have answers of the API (of a list or of one connection),
arrays of records or of answers, and the same one per line or one after another, compact or
pretty-printed, gzipped or not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from hashlib import sha256
from itertools import islice
from typing import Any, Union

import msgspec

from auditor.decoding.envelope import Envelope
from auditor.decoding.json_values import UndecodableError, kind_of
from auditor.decoding.listed import Listed
from auditor.decoding.records import Decoder
from auditor.errors import SourceError
from auditor.fields import FACT_LISTS
from auditor.model import Completeness
from auditor.sources.saved.input import Input
from auditor.sources.saved.snapshot_file import (
    MARK,
    ClosingLine,
    SnapshotHeader,
    parse_closing,
    parse_header,
    parse_list,
)
from auditor.sources.saved.split import array_batches, first_key, line_blocks, objects
from auditor.text import one_line, plural

#: The keys of the API's envelope; a record begins with none of them.
_ANSWER_KEY = re.compile(rb'"(?:code|message|data)"\s*:')
_HEADER = re.compile(rb'\s*\{\s*"' + MARK.encode() + rb'"\s*:')
_BATCH = 1000
_FORMS = (
    "expected a snapshot, an API response, or records: "
    "in an array, one per line, or one after the other"
)


class ListingPart(msgspec.Struct, frozen=True):
    """Some of a listing: records as decoded, not yet sifted.

    ``first`` is the number of the first of them in ``label``. ``answer`` is the answer of the list
    endpoint that they are, None where they are none. ``problem`` says why the place holds no
    records.
    """

    label: str
    items: list[Any]
    first: int = 1
    answer: Envelope | None = None
    problem: str = ""
    as_of: datetime | None = None


class Closing(msgspec.Struct, frozen=True):
    """The end of one of our snapshots: whole, or what is wrong with it."""

    label: str
    completeness: Completeness
    walks: int = 1
    problem: str = ""


def parts(source: Input, decoder: Decoder) -> Iterator[ListingPart | Closing | Listed]:
    """Yield the content of ``source``. Raises SourceError if it is in none of the known forms."""
    try:
        yield from _recognised(source, decoder)
    except UndecodableError as error:
        raise SourceError(f"{source.name}: {error}; {_FORMS}") from error


def read_header(source: Input) -> SnapshotHeader | None:
    """Return the header of one of our snapshots, None for anything else.

    Raises SourceError for a header that cannot be read.
    """
    if not _HEADER.match(source.start):
        return None
    line, line_feed, _ = source.start.partition(b"\n")
    try:
        if not line_feed:
            raise ValueError("its first line is cut")
        return parse_header(line)
    except ValueError as error:
        raise SourceError(f"{source.name}: {error}") from error


def _recognised(source: Input, decoder: Decoder) -> Iterator[ListingPart | Closing | Listed]:
    text = source.start.lstrip()
    header = read_header(source)
    if header is not None:
        return _snapshot(source, decoder, header)
    if not text:
        raise SourceError(f"{source.name}: it is empty; {_FORMS}")
    if text.startswith(b"["):
        return _array(source, decoder)
    if not text.startswith(b"{"):
        raise SourceError(f"{source.name}: it is not JSON; {_FORMS}")
    if _is_lines(source, decoder):
        return _lines(source, decoder)
    return _document(source, decoder)


# -- the forms ------------------------------------------------------------------------------


def _snapshot(
    source: Input, decoder: Decoder, header: SnapshotHeader
) -> Iterator[ListingPart | Closing | Listed]:
    """Yield a snapshot's lists, and its records.

    Its last line is held back until it is known to be the last.
    """
    # A listing of nothing has its time as well.
    yield ListingPart(source.name, [], as_of=header.taken_at)
    digest, count, held = sha256(), 0, b""
    above = 0  # Lines before the first record; the header is the first of them.
    for lines, terminated in line_blocks(source):  # noqa: B007  # the last one's is wanted
        if held:
            lines.insert(0, held)
        held = lines.pop()
        if not lines:
            continue
        digest.update(b"\n".join(lines) + b"\n")
        records = lines
        if not above:
            records, above = lines[1:], 1
        while records and not count and (found := _list_of(source, records[0], header)):
            yield from _listed(*found, decoder)
            records, above = records[1:], above + 1
        if records:
            items = _decoded_lines(source.name, records, decoder, count + above + 1)
            yield ListingPart(source.name, items, count + 1, as_of=header.taken_at)
            count += len(records)
    closing = parse_closing(held) if terminated else None
    if closing is None and terminated and above:
        items = _decoded_lines(source.name, [held], decoder, count + above + 1)
        yield ListingPart(source.name, items, count + 1, as_of=header.taken_at)
    yield _closing(source.name, closing, count, digest.hexdigest())


def _list_of(source: Input, line: bytes, header: SnapshotHeader) -> tuple[str, list[Any]] | None:
    try:
        return parse_list(line) if header.version > 1 else None
    except (ValueError, AttributeError, RecursionError) as error:
        raise SourceError(f"{source.name}: a list in the snapshot is damaged: {error}") from error


def _listed(resource: str, rows: list[Any], decoder: Decoder) -> Iterator[Listed]:
    """Yield a saved list, if it is wanted."""
    for name, wanted in decoder.lists.items():
        if FACT_LISTS[name].resource == resource:
            good, problems = wanted.sift([wanted.convert(row) for row in rows])
            yield Listed(name, good, doubts=tuple(problems))


def _closing(label: str, closing: ClosingLine | None, count: int, digest: str) -> Closing:
    if closing is None:
        problem = "the snapshot has no closing line: it was cut, or something follows it"
    elif closing.connections != count:
        problem = (
            f"the snapshot holds {plural(count, 'connection')} and its closing line says "
            f"{closing.connections:,}"
        )
    elif closing.sha256 != digest:
        problem = "the snapshot was changed after it was saved: its hash does not match"
    else:
        return Closing(label, _as_saved(closing.completeness), closing.walks)
    return Closing(label, Completeness.INCOMPLETE, problem=f"{label}: {problem}; fetch again")


def _as_saved(completeness: Completeness) -> Completeness:
    """Return how complete a snapshot is: no more than the walk it came from."""
    whole = completeness in (Completeness.ONE_PAGE, Completeness.VERIFIED)
    return Completeness.SNAPSHOT if whole else completeness


def _array(source: Input, decoder: Decoder) -> Iterator[ListingPart]:
    inside = source.start.lstrip()[1:]
    at = len(source.start) - len(inside)
    source.read()
    source.give_back(inside)
    if _ANSWER_KEY.match(first_key(inside)):
        for number, body in enumerate(_array_of_answers(source, at), 1):
            yield _numbered_answer(f"{source.name}, answer {number}", body, decoder)
        return
    first = 1
    for items in array_batches(source, decoder.array, at):
        yield ListingPart(source.name, items, first)
        first += len(items)


def _array_of_answers(source: Input, at: int) -> Iterable[bytes]:
    """Take an array apart: at once if all of it can be held, else answer by answer.

    Its items begin at the byte ``at``.
    """
    body = source.read_document()
    try:
        answers = msgspec.json.decode(b"[" + body, type=list[msgspec.Raw])
        return [bytes(answer) for answer in answers]
    except (msgspec.MsgspecError, RecursionError):
        source.give_back(body)  # Splitting it shows what is wrong, if it is not just too much.
    return objects(source, in_array=True, at=at)


def _lines(source: Input, decoder: Decoder) -> Iterator[ListingPart]:
    """Yield one JSON value per line; the first one shows whether they are records or answers."""
    answers = bool(_ANSWER_KEY.match(first_key(source.start)))
    line, first = 1, 1
    for lines, _ in line_blocks(source):
        if answers:
            for number, body in enumerate(lines, line):
                if body.strip():
                    yield _numbered_answer(f"{source.name}, line {number}", body, decoder)
        else:
            items = _decoded_lines(source.name, lines, decoder, line)
            yield ListingPart(source.name, items, first)
            first += len(items)
        line += len(lines)


def _decoded_lines(name: str, lines: list[bytes], decoder: Decoder, line: int) -> list[Any]:
    """Decode each line alone: a line with two values, or half of one, must not pass for one."""
    decode, items = decoder.single, []
    for number, body in enumerate(lines, line):
        try:
            if body.strip():
                items.append(decode(body))
        except UndecodableError as error:
            raise SourceError(f"{name}, line {number}: {error}; one JSON value per line") from error
    return items


def _document(source: Input, decoder: Decoder) -> Iterator[ListingPart]:
    """Yield the one value that the input is, or several one after another."""
    is_answer = bool(_ANSWER_KEY.match(first_key(source.start)))
    body = source.read_document()
    try:
        if is_answer:
            yield _answer(source.name, body, decoder)
        else:
            yield ListingPart(source.name, [decoder.single(body)])
        return
    except UndecodableError as error:
        if not error.transient:
            raise
    source.give_back(body)
    pieces = objects(source, in_array=False)
    if is_answer:
        for number, piece in enumerate(pieces, 1):
            yield _numbered_answer(f"{source.name}, answer {number}", piece, decoder)
        return
    first = 1
    while batch := list(islice(pieces, _BATCH)):
        try:
            # Each piece ends where it closes, so that between commas it stays what it is.
            items = decoder.array(b"[" + b",".join(batch) + b"]")
        except UndecodableError:
            items = _decoded_each(source.name, batch, decoder, first)
        yield ListingPart(source.name, items, first)
        first += len(batch)


def _decoded_each(name: str, batch: list[bytes], decoder: Decoder, first: int) -> list[Any]:
    """Decode values one by one, so that an error names the one that is wrong."""
    items = []
    for number, body in enumerate(batch, first):
        try:
            items.append(decoder.single(body))
        except UndecodableError as error:
            raise SourceError(f"{name}, record {number}: {error}; {_FORMS}") from error
    return items


# -- one answer -----------------------------------------------------------------------------


class _Held(msgspec.Struct):
    items: Union[msgspec.Raw, msgspec.UnsetType] = msgspec.UNSET
    id: Union[msgspec.Raw, msgspec.UnsetType] = msgspec.UNSET


class _Answer(msgspec.Struct):
    data: msgspec.Raw


def _numbered_answer(label: str, body: bytes, decoder: Decoder) -> ListingPart:
    """Return one of several answers, as ``_answer`` does; an error names the one that is wrong."""
    try:
        return _answer(label, body, decoder)
    except UndecodableError as error:
        raise SourceError(f"{label}: {error}; {_FORMS}") from error


def _answer(label: str, body: bytes, decoder: Decoder) -> ListingPart:
    """Return a saved answer of the API: of the list endpoint, or of one connection."""
    answer = decoder.page(body)
    if answer.code != "Success":
        held = f"its code is {_shown(answer.code)}"
        said = f" ({one_line(answer.message)})" if isinstance(answer.message, str) else ""
        problem = f"{label}: the saved response is an error: {held}{said}; fetch it again"
        return ListingPart(label, [], problem=problem)
    if not answer.problem:
        return ListingPart(label, answer.items, answer=answer)
    record = _data_of_one(body)
    if record:
        return ListingPart(label, [decoder.single(record)])
    return ListingPart(label, [], problem=f"{label}: {answer.problem}; fetch it again")


def _shown(code: object) -> str:
    return one_line(code) if isinstance(code, str) else kind_of(code)


def _data_of_one(body: bytes) -> bytes:
    """Return ``data`` if it is a connection and not a list; b"" otherwise."""
    try:
        data = bytes(msgspec.json.decode(body, type=_Answer).data)
        held = msgspec.json.decode(data, type=_Held)
    except (msgspec.MsgspecError, RecursionError):
        return b""
    return data if held.items is msgspec.UNSET and held.id is not msgspec.UNSET else b""


def _is_lines(source: Input, decoder: Decoder) -> bool:
    """Whether the first line is a JSON value of its own with more behind it."""
    source.look_for(b"\n")
    line, _, rest = source.start.lstrip().partition(b"\n")
    if not line.rstrip().endswith(b"}"):
        return False
    if not rest.strip() and not source.has_more():
        return False
    try:
        decoder.single(line)
    except UndecodableError as error:
        return not error.transient
    return True
