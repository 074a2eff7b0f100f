"""Other saved listings: every form is read, and none claims more than it can know."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from auditor.decoding.listed import Listed
from auditor.decoding.records import Decoder, Shape, WholeRecords
from auditor.errors import SourceError
from auditor.facts.shape import shape_of
from auditor.model import Completeness
from auditor.sources.saved.forms import Closing, ListingPart, parts
from auditor.sources.saved.input import LARGEST, Input
from auditor.sources.saved.snapshot_file import MARK
from auditor.sources.saved.source import SnapshotSource
from auditor.sources.stream import Page
from tests.builders.saved_listings import (
    TAKEN_AT,
    answer,
    lines,
    read,
    read_ids,
    record,
    records,
    save,
)

THREE = records(3)
IDS = ["c0", "c1", "c2"]
PAGES = [answer(records(2), "a"), answer(records(1, start=2))]
ONE = {"code": "Success", "message": "ok", "data": record(0)}


def pretty(value: Any) -> str:
    return json.dumps(value, indent=2)


FORMS = {
    "an answer": (json.dumps(answer(THREE)), Completeness.UNKNOWN),
    "an answer, pretty": (pretty(answer(THREE)), Completeness.UNKNOWN),
    "an answer, sorted keys": (json.dumps(answer(THREE), sort_keys=True), Completeness.UNKNOWN),
    "an answer, null cursor": (
        json.dumps({"code": "Success", "data": {"items": THREE, "next_cursor": None}}),
        Completeness.UNKNOWN,
    ),
    "an array": (json.dumps(THREE), Completeness.UNKNOWN),
    "an array, pretty": (pretty(THREE), Completeness.UNKNOWN),
    "an array, sorted keys": (json.dumps(THREE, sort_keys=True), Completeness.UNKNOWN),
    "an array of answers": (json.dumps(PAGES), Completeness.UNKNOWN),
    "an array of answers, pretty": (pretty(PAGES), Completeness.UNKNOWN),
    "records, one a line": (lines(THREE), Completeness.UNKNOWN),
    "records, no last line feed": (lines(THREE).rstrip(), Completeness.UNKNOWN),
    "records, CRLF and empty lines": (lines(THREE).replace("\n", "\r\n\r\n"), Completeness.UNKNOWN),
    "records, pretty, in a row": ("\n".join(map(pretty, THREE)), Completeness.UNKNOWN),
    "answers, one a line": (lines(PAGES), Completeness.UNKNOWN),
    "answers, in a row": ("".join(map(json.dumps, PAGES)), Completeness.UNKNOWN),
    "answers, pretty, in a row": ("\n".join(map(pretty, PAGES)), Completeness.UNKNOWN),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("wrap", ["plain", "gzip", "byte order mark"])
def test_every_form_is_read_whatever_its_name(tmp_path: Path, form: str, wrap: str):
    text, completeness = FORMS[form]
    data = text.encode()
    data = {"plain": data, "gzip": gzip.compress(data), "byte order mark": b"\xef\xbb\xbf" + data}[
        wrap
    ]
    path = tmp_path / "listing.txt"
    path.write_bytes(data)
    for found in (read(path), read_ids(path)):
        assert found.ids == IDS
        assert found.end.completeness is completeness
        assert found.problems == ()
        assert {page.as_of for page in found.pages} == {None}
    assert read(path).records == THREE
    assert SnapshotSource(str(path)).info.filters == ()


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(ONE),
        pretty(ONE),
        json.dumps(record(0)),
        pretty(record(0)),
        json.dumps([record(0)]),
    ],
)
def test_one_connection_is_read_and_says_nothing_of_the_rest(tmp_path: Path, text: str):
    path = tmp_path / "one.json"
    path.write_text(text)
    found = read_ids(path)
    assert found.ids == ["c0"]
    assert found.end.completeness is Completeness.UNKNOWN
    assert found.problems == ()


@pytest.mark.parametrize("form", FORMS)
def test_a_cut_form_is_never_a_quiet_pass(tmp_path: Path, form: str):
    """NDJSON cut between lines is the one form that cannot know; it says so."""
    data = FORMS[form][0].rstrip().encode()
    path = tmp_path / "cut"
    for length in range(0, len(data), 7):
        path.write_bytes(data[:length])
        try:
            found = read_ids(path)
        except SourceError:
            continue
        assert not found.complete or found.end.completeness is Completeness.UNKNOWN, length
        assert found.ids == IDS[: len(found.ids)]


# -- what is no listing ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "it is empty"),
        (b" \n\t ", "it is empty"),
        (b"\xef\xbb\xbf", "it is empty"),
        (gzip.compress(b"", mtime=0), "it is empty"),
        (b"<html>", "it is not JSON; expected"),
        (b'{"fivetran_auditor_snapshot":2,"taken_at":"2026-01-31T12:00:00Z"}', "line is cut"),
        (b"policy: house", "not JSON"),
        ("[]".encode("utf-16"), "UTF-16"),
        (b'[{"id":"a"}', "cut"),
        (b'[{"id":"a"},]', "not JSON"),
        (b'[,{"id":"a"}]', "not JSON"),
        (b'[{"id":"a"}{"id":"b"}]', "not JSON"),
        (b'[{"id":"a"}] x', "cut|follows"),
        (b'[{"id":"a"}] [{"id":"b"}]', "follows|not JSON"),
        (b'{"id":"a"', "not JSON"),
        (b'{"id":"a"},{"id":"b"}', "between two objects"),
        (b'{"id":"a"}]', "closes nothing"),
        (b'{"id":"a"}\n{"id":"b"},{"id":"c"}\n', "line 2"),
        (b'{"id":"a"}\n{"id":"b"\n', "line 2"),
        (b'{"id":"a"}\n{"a":[{}\n{"b":1}]},{"c":1}\n', "line 2"),
        (b'[{"id":NaN}]', "NaN"),
        (b'[{"id":"\xff"}]', "UTF-8"),
        (b"[" * 100_000, "nest|cut"),
        (b"\x1f\x8b\x08garbage", "gzip"),
        (gzip.compress(json.dumps(THREE).encode(), mtime=0)[:-4], "gzip"),
        (b'[{"code":"Success","data":{"items":[]}}, nul]', "not JSON"),
        (b'[{"code":"Success","data":{"items":[]}}', "cut"),
    ],
)
def test_what_is_no_listing_is_an_error_that_names_the_file(tmp_path: Path, data: bytes, says: str):
    path = tmp_path / "listing.json"
    path.write_bytes(data)
    with pytest.raises(SourceError, match=says) as caught:
        read_ids(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_empty_array_lists_nothing_and_knows_nothing(tmp_path: Path):
    path = tmp_path / "empty.json"
    path.write_text(" [ ] ")
    found = read(path)
    assert (found.records, found.end.completeness) == ([], Completeness.UNKNOWN)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({}, "record 1 is not a connection: its id is missing"),
        ([record(0), None, {"id": ""}], "record 2 is null"),
        (answer([record(0), 7]), "record 2 is a number"),
        (answer([], code="AuthFailed"), "AuthFailed"),
        ({"data": {"items": []}}, "its code is missing"),
        ({"code": "Success", "data": {"items": None}}, '"data.items" is null'),
        ({"code": "Success", "data": {}}, '"data.items" is missing'),
        ({"code": "Success", "data": None}, '"data" is null'),
        ({"code": "Success"}, '"data" is missing'),
        ({"code": "Success", "data": []}, '"data" is an array'),
        ([answer([], "a"), None], "its code is missing"),
        (answer([record(0)], 7), "next_cursor is a number"),
        (answer([record(0)]) | {"nextCursor": "x"}, "its nextCursor says that more follows"),
        (answer([record(0)], "more"), "fetch the rest"),
        ([record(0), record(1), record(0)], "listed twice, such as c0"),
        ([answer([record(0)], "a"), answer([record(0)])], "listed twice, such as c0"),
        ([answer([record(0)], "a"), answer([record(1)], "a"), answer([])], "same next_cursor"),
        ([answer([record(0)]), answer([record(1)])], "is not the last one"),
    ],
)
def test_what_is_wrong_with_a_listing_is_a_problem(tmp_path: Path, value: object, says: str):
    path = tmp_path / "listing.json"
    path.write_text(json.dumps(value))
    for found in (read(path), read_ids(path)):
        assert any(says in problem for problem in found.problems), found.problems
        assert len(found.ids) == len(set(found.ids))


def test_the_first_of_two_records_with_one_id_is_kept(tmp_path: Path):
    path = tmp_path / "listing.ndjson"
    path.write_text(lines([record(0, paused=True), record(1), record(0, paused=False)]))
    found = read(path)
    assert [r.get("paused") for r in found.records] == [True, None]


def test_an_empty_cursor_ends_the_listing_with_a_warning(tmp_path: Path):
    path = tmp_path / "listing.json"
    path.write_text(json.dumps(answer(THREE, "")))
    found = read(path)
    assert found.complete
    assert "next_cursor" in found.end.warnings[0]


def test_lone_surrogates_and_huge_numbers_are_read(tmp_path: Path):
    path = tmp_path / "listing.ndjson"
    path.write_text(
        '{"id":"c0","schema":"\\ud800"}\n{"id":"c1","sync_frequency":1e999}\n{"id":"c2"}\n'
    )
    found = read(path, Shape(["sync_frequency"]))
    assert found.ids == IDS
    assert found.records[0].schema == "\ud800"


# -- folders --------------------------------------------------------------------------------


def write_pages(folder: Path, count: int) -> None:
    for number in range(count):
        cursor = f"k{number}" if number + 1 < count else None
        page = answer([record(number)], cursor)
        (folder / f"page-{number}.json").write_text(json.dumps(page))


def test_a_folder_of_pages_is_one_walk_in_the_order_of_their_numbers(tmp_path: Path):
    write_pages(tmp_path, 12)
    (tmp_path / ".hidden").write_text("not ours")
    found = read(tmp_path)
    assert found.ids == [f"c{number}" for number in range(12)]
    assert found.end.completeness is Completeness.UNKNOWN
    assert found.problems == ()


@pytest.mark.parametrize(("gone", "says"), [(2, "page-1.json: a saved page that still has")])
def test_pages_that_do_not_end_are_incomplete(tmp_path: Path, gone: int, says: str):
    write_pages(tmp_path, 3)
    (tmp_path / f"page-{gone}.json").unlink()
    found = read(tmp_path)
    assert found.end.completeness is Completeness.INCOMPLETE
    assert len(found.records) == 2
    assert any(says in problem for problem in found.problems)


def test_a_file_that_is_no_listing_is_a_problem_of_the_folder(tmp_path: Path):
    write_pages(tmp_path, 2)
    (tmp_path / "README.md").write_text("# saved on Monday")
    (tmp_path / "sub").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "broken").symlink_to("nowhere")
    found = read(tmp_path)
    assert found.ids == ["c0", "c1"]
    assert found.end.completeness is Completeness.INCOMPLETE
    named = {name for name in ("README.md", "sub", "pipe", "broken") if name in str(found.problems)}
    assert len(named) == 4


def test_a_folder_without_files_is_an_error(tmp_path: Path):
    (tmp_path / ".hidden").touch()
    with pytest.raises(SourceError, match="holds no files"):
        read(tmp_path)


def test_a_folder_of_single_connections_or_of_a_mixture_does_not_know(tmp_path: Path):
    for number in range(3):
        one = {"code": "Success", "data": record(number)}
        (tmp_path / f"{number}.json").write_text(json.dumps(one))
    assert read(tmp_path).end.completeness is Completeness.UNKNOWN
    (tmp_path / "9.json").write_text(json.dumps(answer([record(9)])))
    found = read(tmp_path)
    assert found.end.completeness is Completeness.UNKNOWN
    assert found.ids == ["c0", "c1", "c2", "c9"]
    assert found.problems == ()


def test_a_folder_with_one_snapshot_is_that_snapshot(tmp_path: Path):
    save(tmp_path / "s.ndjson.gz", THREE)
    assert read(tmp_path).end.completeness is Completeness.SNAPSHOT
    assert SnapshotSource(str(tmp_path)).info.filters == (("group_id", "g1"),)
    save(tmp_path / "t.ndjson", records(1, start=5))
    assert read(tmp_path).end.completeness is Completeness.UNKNOWN


def test_hidden_files_of_a_folder_are_left_out_with_a_warning(tmp_path: Path):
    (tmp_path / "1.json").write_text(json.dumps(records(2)))
    assert read(tmp_path).end.warnings == ()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".2.json").write_text(json.dumps(records(1, start=5)))
    found = read(tmp_path)
    assert found.ids == ["c0", "c1"]
    (warning,) = found.end.warnings
    assert warning == f"{tmp_path}: 1 hidden file was not read, such as .2.json"


@pytest.mark.parametrize("path", ["/nowhere/listing.json", "a\0b"])
def test_a_path_that_is_not_there_is_an_error(path: str):
    with pytest.raises(SourceError, match="cannot be read"):
        read(path)
    assert SnapshotSource(path).info.filters == ()


# -- pipes ----------------------------------------------------------------------------------

PIPED = """
import json, sys
from auditor.decoding.records import Shape
from auditor.sources.saved.source import SnapshotSource
source = SnapshotSource("-")
print(json.dumps(source.info.filters))
events = list(source.events(Shape([])))
print(json.dumps([r.id for e in events[:-1] for r in e.records]), events[-1].completeness.name)
"""


def piped(data: bytes) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PIPED], input=data, capture_output=True, check=True, timeout=60
    )
    assert done.stderr == b""
    return done.stdout.decode().splitlines()


def test_standard_input_is_read_as_bytes(tmp_path: Path):
    native = save(tmp_path / "s.ndjson.gz", THREE).read_bytes()
    assert piped(native) == ['[["group_id", "g1"]]', f"{json.dumps(IDS)} SNAPSHOT"]
    assert piped(json.dumps(THREE).encode()) == ["[]", f"{json.dumps(IDS)} UNKNOWN"]


def test_a_named_pipe_is_opened_once(tmp_path: Path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    whole = save(tmp_path / "s.ndjson", THREE)
    with subprocess.Popen(["/bin/sh", "-c", f"cat '{whole}' > '{pipe}'"]):
        source = SnapshotSource(str(pipe))
        assert source.info.filters == (("group_id", "g1"),)
        events = list(source.events(Shape([])))
    assert sum(len(event.records) for event in events if isinstance(event, Page)) == 3


def _two_snapshots(folder: Path, **second: Any) -> Path:
    (folder / "two").mkdir()
    save(folder / "two" / "1.ndjson", records(1), walks=2)
    save(folder / "two" / "2.ndjson", records(1, start=1), walks=3, **second)
    return folder / "two"


def test_of_two_snapshots_nobody_knows_whether_they_are_all(tmp_path: Path):
    end = read(_two_snapshots(tmp_path)).end
    assert (end.completeness, end.walks, end.problems) == (Completeness.UNKNOWN, 1, ())


def test_snapshots_of_two_addresses_have_none(tmp_path: Path):
    folder = _two_snapshots(tmp_path)
    assert SnapshotSource(str(folder)).info.base_url == "https://api.fivetran.com"
    text = (folder / "2.ndjson").read_text().replace("api.fivetran.com", "eu.example")
    (folder / "2.ndjson").write_text(text)
    assert SnapshotSource(str(folder)).info.base_url == ""


def test_a_connection_that_is_there_three_times_is_one_that_is_repeated(tmp_path: Path):
    (tmp_path / "s.json").write_text(json.dumps([record(0), record(0), record(0), record(1)]))
    found = read_ids(tmp_path / "s.json")
    assert found.ids == ["c0", "c1"]
    assert found.end.problems[0].startswith("1 connection is listed twice, such as c0: ")


@pytest.mark.parametrize(("wrong", "more"), [(20, ""), (21, "1 more"), (1500, "1,480 more")])
def test_twenty_items_that_are_no_connections_are_named_and_the_others_counted(
    tmp_path: Path, wrong: int, more: str
):
    path = tmp_path / "s.json"
    path.write_text(json.dumps([record(0), *[7] * wrong]))
    problems = [text for text in read_ids(path).problems if "connection" in text]
    assert len(problems) == min(wrong, 20) + bool(more)
    if more:
        assert problems[-1] == f"{path}: {more} are not connections"


def _snapshot(path: Path, version: int, items: list[Any]) -> Path:
    """Write a snapshot as a release of that version did, whatever its lines hold."""
    header = {
        "fivetran_auditor_snapshot": version,
        "taken_at": "2026-01-31T12:00:00Z",
        "base_url": "https://api.fivetran.com",
        "filters": {},
        "tool": "",
    }
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in (header, *items))
    closing = {
        "end": True,
        "connections": len(items),
        "walks": 1,
        "completeness": "one_page",
        "sha256": sha256(text.encode()).hexdigest(),
    }
    path.write_text(f"{text}{json.dumps(closing)}\n")
    return path


def test_a_snapshot_without_lists_has_records_alone(tmp_path: Path):
    """What begins as a list of a later version does was a record then, whatever its keys."""
    odd = {"list": "users", "rows": [], **record(0)}
    found = read_ids(_snapshot(tmp_path / "s.ndjson", 1, [odd, record(1)]))
    assert (found.ids, found.problems) == (["c0", "c1"], ())
    assert found.end.completeness is Completeness.SNAPSHOT


def test_what_is_no_record_in_a_snapshot_is_named_by_its_number(tmp_path: Path):
    path = _snapshot(tmp_path / "s.ndjson", 2, [record(0), 7, record(1), {"id": None}])
    problems = [text for text in read_ids(path).problems if "record " in text]
    assert [text.removeprefix(f"{path}: ").split()[:2] for text in problems] == [
        ["record", "2"],
        ["record", "4"],
    ]


@pytest.mark.parametrize("code", [None, "success", "", 200, "Success "])
def test_an_answer_that_does_not_say_success_is_a_problem(tmp_path: Path, code: object):
    path = tmp_path / "s.json"
    path.write_text(json.dumps([answer(records(1)), {**answer(records(1, start=1)), "code": code}]))
    found = read_ids(path)
    assert found.ids == ["c0"]
    assert any("the saved response is an error: its code is " in text for text in found.problems)


@pytest.mark.parametrize("items", ["x", None, 7, {}])
def test_an_answer_with_items_is_a_list_whatever_else_it_holds(tmp_path: Path, items: object):
    """A record beside them is none: the list that was meant would be lost in silence."""
    path = tmp_path / "s.json"
    path.write_text(json.dumps({"code": "Success", "data": {**record(0), "items": items}}))
    found = read_ids(path)
    assert (found.ids, found.complete) == ([], False)


# -- what is read, piece by piece -------------------------------------------------------------

#: The sizes of the first block and of the others: how a file is cut changes nothing of it.
BLOCKS = [(40, 5), (60, 64), (1 << 20, 1 << 20)]


def pieces(
    data: bytes,
    blocks: tuple[int, int] = BLOCKS[-1],
    *,
    largest: int = LARGEST,
    decoder: Decoder | None = None,
) -> list[Any]:
    """Return what is read of an input called x: its items by their place, and what else is told."""
    first, block = blocks
    source = Input("x", io.BytesIO(data), first=first, block=block, largest=largest)
    decoder = decoder or WholeRecords()
    found: list[Any] = []
    for part in parts(source, decoder):
        if not isinstance(part, ListingPart):
            found.append(part)
        elif part.problem:
            found.append(part.problem)
        else:
            numbered = enumerate(part.items, part.first)
            found += [(part.label, n, decoder.ids([item])[0]) for n, item in numbered]
    return found


def placed(*labels: str) -> list[tuple[str, int, str]]:
    """Return where the three records are: all in one place, or two in one and one in another."""
    numbers = (1, 2, 3) if len(labels) == 1 else (1, 2, 1)
    where = (labels[0], labels[0], labels[-1])
    return list(zip(where, numbers, IDS, strict=True))


@pytest.mark.parametrize("blocks", BLOCKS)
@pytest.mark.parametrize(
    ("text", "found"),
    [
        *((FORMS[form][0], placed("x")) for form in FORMS if "answers" not in form),
        *(
            (FORMS[form][0], placed("x, answer 1", "x, answer 2"))
            for form in FORMS
            if "answers" in form and "line" not in form
        ),
        (lines(PAGES), placed("x, line 1", "x, line 2")),
        (lines(PAGES).replace("\n", "\r\n\n"), placed("x, line 1", "x, line 3")),
        (json.dumps(answer(THREE)) + "\n", placed("x")),
        (pretty(answer(THREE)) + " \n\n", placed("x")),
        ("\n " + json.dumps(THREE), placed("x")),
        ("\n " + lines(THREE), placed("x")),
        # A first line that ends with a bracket may still be half of a record.
        ('{"config": {}\n,"id": "c0"}', placed("x")[:1]),
        ('{"a": [{}\n,{}], "id": "c0"}', placed("x")[:1]),
    ],
)
def test_each_record_has_its_place_however_the_file_is_cut(
    text: str, found: list[object], blocks: tuple[int, int]
):
    assert pieces(text.encode(), blocks) == found


def test_lines_are_read_a_block_at_a_time():
    source = Input("x", io.BytesIO(lines(records(20)).encode()), block=400)
    next(parts(source, WholeRecords()))
    assert source.has_more()


def test_records_in_a_row_are_numbered_beyond_the_first_thousand():
    listing = records(2003)
    found = pieces("\n".join(map(pretty, listing)).encode())
    assert found == [("x", number + 1, f"c{number}") for number in range(2003)]


ANSWERS = [answer([record(0)], "a"), answer([record(1)])]
_ONE = len(json.dumps(ANSWERS[0]))
_LARGE = answer([record(0, pad="x" * 5 * _ONE)])


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        (json.dumps(ANSWERS[0]), ["x"]),
        ("".join(map(json.dumps, ANSWERS)), ["x, answer 1", "x, answer 2"]),
        (json.dumps(ANSWERS), ["x, answer 1", "x, answer 2"]),
    ],
)
def test_how_many_there_are_is_not_bounded(text: str, labels: list[str]):
    found = pieces(text.encode(), (64, 64), largest=_ONE)
    assert found == [(label, 1, f"c{n}") for n, label in enumerate(labels)]


@pytest.mark.parametrize("value", [_LARGE, [_LARGE], [_LARGE] * 2, record(0, pad=_LARGE)])
def test_one_value_is(value: object):
    with pytest.raises(SourceError, match=r"^x: one value takes more than 0\.00019\d+ MiB; exp"):
        pieces(json.dumps(value).encode(), (64, 64), largest=_ONE)


ANY_FORM = (
    "; expected a snapshot, an API response, or records: in an array, one per line, or one after "
    "the other"
)
BY_LINE = "; one JSON value per line"


@pytest.mark.parametrize("blocks", BLOCKS)
@pytest.mark.parametrize(
    ("data", "said"),
    [
        # A record over several lines is none of several records.
        (b'{"id": "\xff",\n"x": 1}', f"x: not UTF-8 at byte 8{ANY_FORM}"),
        (b'{"id":"c0","x":NaN}\n{"id":"c1"}\n', f"x, line 1: NaN is not JSON{BY_LINE}"),
        (b'{"id":"c0"}\n\n{"id":"\xff"}\n', f"x, line 3: not UTF-8 at byte 7{BY_LINE}"),
        (
            b'{"id":"c0"}\n' * 9 + b"{}{}\n",
            f"x, line 10: not JSON: Extra data at byte 2{BY_LINE}",
        ),
        (
            b'[{"code":"Success","data":{"items":[]}}, nul]',
            f"x: not JSON: an item is no object at byte 41{ANY_FORM}",
        ),
        (
            b'[{"code":"Success","data":{"items":[]}} {"code":1}]',
            f"x: not JSON: a comma is missing between two objects at byte 40{ANY_FORM}",
        ),
        (
            b'{"id":"c0"} x {"id":"c1"}',
            f"x: not JSON: there is something between two objects at byte 12{ANY_FORM}",
        ),
        (
            b' [{"id":"c0"},{"id":"c1"},x]',
            f"x: not JSON: Expecting value at byte 26{ANY_FORM}",
        ),
        (b"[1,2]x", f"x: not JSON: something follows the array at byte 5{ANY_FORM}"),
        (b'{"id":"c0"}x', f"x: not JSON: something follows that is no object at byte 11{ANY_FORM}"),
        (
            b'{"id":"c0"} {"id":tru}',
            f"x, record 2: not JSON: Expecting value at byte 6{ANY_FORM}",
        ),
        (
            b'[{"code":"Success","data":{"items":[]}},{"code":tru}]',
            f"x, answer 2: not JSON: Expecting value at byte 8{ANY_FORM}",
        ),
        (
            b'{"code":"Success","data":{"items":[]}}\n{"code":tru}\n',
            f"x, line 2: not JSON: Expecting value at byte 8{ANY_FORM}",
        ),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(
    data: bytes, said: str, blocks: tuple[int, int]
):
    with pytest.raises(SourceError) as caught:
        pieces(data, blocks, decoder=Shape([]))
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"code": "NotFound", "message": "a\nb"}, "an error: its code is NotFound (a b)"),
        ({"code": "NotFound", "message": None}, "an error: its code is NotFound"),
        ({"code": 7, "message": "no"}, "an error: its code is a number (no)"),
        ({"code": "Success", "data": {"name": "a"}}, '"data.items" is missing, not an array'),
        ({"code": "Success", "data": {"items": 7}}, '"data.items" is a number, not an array'),
        ({"code": "Success", "data": 7}, '"data" is a number, not an object'),
    ],
)
def test_an_answer_without_records_says_what_it_is(body: object, said: str):
    about = "the saved response is " if "error" in said else ""
    found = pieces(json.dumps([answer([record(0)], "a"), body]).encode())
    assert found == [("x, answer 1", 1, "c0"), f"x, answer 2: {about}{said}; fetch it again"]


def test_an_account_without_connections_lacks_none(tmp_path: Path):
    (tmp_path / "s.json").write_text(json.dumps(answer([])))
    assert read(tmp_path / "s.json").problems == ()


def test_a_snapshot_of_no_connections_has_its_time_as_well(tmp_path: Path):
    (page,) = read(save(tmp_path / "s.ndjson", [])).pages
    assert (page.records, page.as_of) == ([], TAKEN_AT)


# -- a snapshot, piece by piece ----------------------------------------------------------------

GROUPS = {"list": "groups", "rows": [{"id": "g1", "name": "P"}, 7]}
USERS = {"list": "users", "rows": [{"id": "u1"}]}


def snapshot_of(*items: object, version: int = 2, ends: str | None = None) -> bytes:
    """Return a snapshot whose closing line is right, or is ``ends``; a text is a line as it is."""
    head = {
        MARK: version,
        "taken_at": "2026-01-31T12:00:00Z",
        "base_url": "https://api.fivetran.com",
        "filters": {},
        "tool": "",
    }
    written = [item if isinstance(item, str) else json.dumps(item) for item in (head, *items)]
    text = "".join(f"{line}\n" for line in written).replace('{"list": ', '{"list":')
    said = {
        "end": True,
        "connections": sum('"list":' not in line for line in written[1:]),
        "walks": 3,
        "completeness": "one_page",
        "sha256": sha256(text.encode()).hexdigest(),
    }
    return (text + (f"{json.dumps(said)}\n" if ends is None else ends)).encode()


def header_first(data: bytes) -> list[tuple[int, int]]:
    """Return sizes of blocks: the header is known whole before anything is read."""
    first = data.index(b"\n") + 1
    return [(first, 7), (first + 1, 30), (first + 90, 200), (len(data), 1)]


WHOLE = Closing("x", Completeness.SNAPSHOT, 3)


@pytest.mark.parametrize(
    ("items", "found"),
    [
        ([], []),
        (THREE, placed("x")),
        ([USERS, *THREE], placed("x")),
        ([GROUPS, USERS, *THREE], ["group", *placed("x")]),
        ([USERS, GROUPS], ["group"]),
        # Lists come first: what follows a record is one, and not silently left out.
        ([*THREE, {**USERS, **record(3)}], [*placed("x"), ("x", 4, "c3")]),
        ([*THREE[:1], {**GROUPS, **record(1)}, *THREE[2:]], placed("x")),
    ],
)
def test_a_snapshot_is_read_line_by_line_however_it_is_cut(
    items: list[object], found: list[object]
):
    asked = sum('"id": "c' in json.dumps(item) for item in items)
    data = snapshot_of(*items)
    data = data.replace(b'"connections": %d' % (len(items) - 1), b'"connections": %d' % asked)
    for blocks in header_first(data):
        *told, closing = pieces(data, blocks, decoder=shape_of(["group.name"]))
        assert closing == WHOLE
        for listed in told:
            if isinstance(listed, Listed):
                assert (len(listed.rows), len(listed.doubts)) == (1, 1)
        assert [each.name if isinstance(each, Listed) else each for each in told] == found


@pytest.mark.parametrize("at", range(4))
@pytest.mark.parametrize("above", [[], [USERS], [GROUPS, USERS]])
@pytest.mark.parametrize("ends", [None, ""])
def test_a_line_of_a_snapshot_that_cannot_be_read_is_told_by_its_number(
    at: int, above: list[object], ends: str | None
):
    data = snapshot_of(*above, *THREE[:at], '{"id":', *THREE[at:], ends=ends)
    for blocks in header_first(data):
        with pytest.raises(SourceError, match=rf"^x, line {2 + len(above) + at}: not JSON"):
            pieces(data, blocks)


def test_a_list_of_a_snapshot_that_cannot_be_read_is_told():
    data = snapshot_of({"list": "users", "rows": 7}, *THREE)
    with pytest.raises(SourceError, match=r"^x: a list in the snapshot is damaged: "):
        pieces(data)


@pytest.mark.parametrize(
    ("data", "kept", "problem"),
    [
        (
            snapshot_of(*THREE).replace(b'"connections": 3', b'"connections": 1'),
            3,
            "the snapshot holds 3 connections and its closing line says 1",
        ),
        (
            snapshot_of(record(0)).replace(b'"connections": 1', b'"connections": 1200'),
            1,
            "the snapshot holds 1 connection and its closing line says 1,200",
        ),
        (
            snapshot_of(*THREE).replace(b'"service"', b'"servicf"', 1),
            3,
            "the snapshot was changed after it was saved: its hash does not match",
        ),
        *(
            (data, kept, "the snapshot has no closing line: it was cut, or something follows it")
            for data, kept in (
                (snapshot_of(ends=""), 0),
                (snapshot_of(*THREE, ends=""), 3),
                (snapshot_of(*THREE)[:-1], 3),
            )
        ),
    ],
)
def test_a_snapshot_that_is_not_whole_says_why(data: bytes, kept: int, problem: str):
    wanted = Closing("x", Completeness.INCOMPLETE, 1, f"x: {problem}; fetch again")
    for blocks in header_first(data):
        assert pieces(data, blocks) == [*placed("x")[:kept], wanted]
