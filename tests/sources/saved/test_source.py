"""The auditor's own snapshots: what is written is read back, and nothing less passes for whole."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from auditor.decoding.listed import Listed
from auditor.decoding.records import WholeRecords
from auditor.errors import SourceError, UsageError
from auditor.facts.shape import shape_of
from auditor.model import Completeness
from auditor.output.target import Target
from auditor.sources.saved.snapshot_file import SnapshotWriter
from auditor.sources.saved.source import SnapshotSource, check_path
from tests.builders.saved_listings import (
    HEADER,
    TAKEN_AT,
    answer,
    read,
    read_ids,
    record,
    records,
    save,
)
from tests.builders.slow import tries

TEXT = st.text(
    st.characters(exclude_categories=()) | st.sampled_from("\u2028\u2029\x85\ud800\r\n\0")
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
RECORDS = st.lists(st.dictionaries(TEXT, JSON, max_size=5), max_size=6).map(
    lambda found: [{**r, **record(n)} for n, r in enumerate(found)]
)


def conceal_nothing(listing: list[dict[str, object]]) -> bool:
    return "connect_card" not in repr(listing)


@settings(
    max_examples=tries(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(listing=RECORDS.filter(conceal_nothing), zipped=st.booleans())
def test_what_is_saved_is_read_back(tmp_path: Path, listing: list[dict[str, object]], zipped: bool):
    found = read(save(tmp_path / ("s.ndjson" + ".gz" * zipped), listing))
    assert found.records == listing
    assert found.end.completeness is Completeness.SNAPSHOT
    assert found.problems == ()


def test_a_record_is_judged_as_of_when_it_was_saved(tmp_path: Path):
    path = save(tmp_path / "s.ndjson", records(3))
    assert {page.as_of for page in read(path).pages} == {TAKEN_AT}
    info = SnapshotSource(str(path)).info
    assert (info.kind, info.location) == ("snapshot", str(path))
    assert info.filters == (("group_id", "g1"),)


@pytest.mark.parametrize(
    ("walked", "known"),
    [
        (Completeness.ONE_PAGE, Completeness.SNAPSHOT),
        (Completeness.VERIFIED, Completeness.SNAPSHOT),
        (Completeness.ONE_WALK, Completeness.ONE_WALK),
    ],
)
def test_a_snapshot_claims_no_more_than_its_walk(
    tmp_path: Path, walked: Completeness, known: Completeness
):
    end = read(save(tmp_path / "s.ndjson", records(2), walks=2, completeness=walked)).end
    assert (end.completeness, end.walks) == (known, 2)


@pytest.mark.parametrize("zipped", [False, True])
def test_a_snapshot_cut_at_any_byte_is_not_complete(tmp_path: Path, zipped: bool):
    whole = save(tmp_path / ("s.ndjson" + ".gz" * zipped), records(2)).read_bytes()
    cut = tmp_path / "cut"
    for length in range(len(whole)):
        cut.write_bytes(whole[:length])
        try:
            found = read_ids(cut)
        except SourceError:
            continue
        assert found.end.problems, length
        assert found.end.completeness is Completeness.INCOMPLETE


def test_records_before_a_cut_are_still_yielded(tmp_path: Path):
    path = save(tmp_path / "s.ndjson", records(3))
    *kept, _ = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(kept))
    found = read(path)
    assert found.ids == ["c0", "c1", "c2"]
    assert "no closing line" in found.end.problems[0]


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        (b'"service":"postgres"', b'"service":"postgre2"', "hash does not match"),
        (b'"connections":3', b'"connections":4', "closing line says 4"),
        (b'"connections":3', b'"connections":2', "closing line says 2"),
        (b'"connections":3', b'"connections":0', "closing line says 0"),
        (b'"connections":3', b'"connections":-3', "closing line says -3"),
        (b'"group_id":"g1"},"tool"', b'"group_id":"g2"},"tool"', "hash does not match"),
        (b'"walks":1', b'"walks":true', "no closing line"),
        (b'"end":true', b'"end":null', "no closing line"),
    ],
)
def test_a_changed_snapshot_is_a_problem(tmp_path: Path, before: bytes, after: bytes, says: str):
    path = save(tmp_path / "s.ndjson", records(3))
    changed = path.read_bytes().replace(before, after)
    assert changed != path.read_bytes()
    path.write_bytes(changed)
    found = read(path)
    assert found.end.completeness is Completeness.INCOMPLETE
    assert says in found.end.problems[0]
    assert len(found.records) == 3


@pytest.mark.parametrize("more", [b"\n", b"x", b'{"id":"c9"}\n', b"{}\n", b"\0"])
def test_whatever_follows_the_closing_line_is_a_problem(tmp_path: Path, more: bytes):
    path = save(tmp_path / "s.ndjson", records(3))
    path.write_bytes(path.read_bytes() + more)
    found = read(path)
    assert found.end.completeness is Completeness.INCOMPLETE
    assert found.ids[:3] == ["c0", "c1", "c2"]


def test_a_line_taken_out_is_a_problem_and_a_repeated_one_too(tmp_path: Path):
    path = save(tmp_path / "s.ndjson", records(3))
    head, first, *rest = path.read_bytes().splitlines(keepends=True)
    for changed in ([head, *rest], [head, first, first, *rest]):
        path.write_bytes(b"".join(changed))
        assert not read(path).complete


HEAD = '{"fivetran_auditor_snapshot":1,"taken_at":"2026-01-31T12:00:00Z",'


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (
            '{"fivetran_auditor_snapshot":3,"taken_at":"2026-01-31T12:00:00Z","filters":{}}',
            "version 3",
        ),
        ('{"fivetran_auditor_snapshot":1,"taken_at":"today","filters":{}}', "taken_at"),
        ('{"fivetran_auditor_snapshot":1,"taken_at":"2026-01-31T12:00:00Z"}', "filters"),
        ('{"fivetran_auditor_snapshot":true}', "damaged"),
        ('{"fivetran_auditor_snapshot":1', "damaged"),
        pytest.param(HEAD + '"filters":' + 100_000 * "[", "damaged", id="nested"),
        (HEAD + '"filters":{"schema":["pg"]}}', '"filters" cannot be read'),
        (HEAD + '"filters":{},"base_url":{}}', '"base_url" or "tool" is not text'),
        (HEAD + '"filters":{},"tool":null}', '"base_url" or "tool" is not text'),
    ],
)
def test_a_header_that_cannot_be_read_ends_the_run(tmp_path: Path, line: str, says: str):
    path = tmp_path / "s.ndjson"
    path.write_text(line + "\n")
    with pytest.raises(SourceError, match=says):
        read(path)
    assert SnapshotSource(str(path)).info.filters == ()


# -- writing --------------------------------------------------------------------------------


def test_a_live_token_never_reaches_the_file(tmp_path: Path):
    card = {"token": "eyJ0eTOKEN", "uri": "https://fivetran.com/x?auth=eyJ0eTOKEN"}
    body = json.dumps(answer([record(1, connect_card=card), record(2, connect_card=None)]))
    path = save(tmp_path / "s.ndjson", WholeRecords().page(body.encode()).items)
    assert b"TOKEN" not in path.read_bytes()
    cards = [r["connect_card"] for r in read(path).records]
    assert cards == [{"token": "[redacted]", "uri": "[redacted]"}, None]


# -- saved pages ----------------------------------------------------------------------------


def pages(folder: Path, *answers: dict[str, object]) -> Path:
    """Save answers of the list endpoint as page-1.json and so on; return the folder."""
    folder.mkdir(exist_ok=True)
    for number, body in enumerate(answers, 1):
        (folder / f"page-{number}.json").write_text(json.dumps(body))
    return folder


def test_saved_pages_of_one_walk_are_read_without_a_problem(tmp_path: Path):
    folder = pages(tmp_path / "p", answer(records(2), "n1"), answer(records(2, 2)))
    found = read(folder)
    assert found.ids == ["c0", "c1", "c2", "c3"]
    assert found.problems == ()
    # Another tool may have filtered them: nobody says that this is all there is.
    assert found.end.completeness is Completeness.UNKNOWN


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        (
            [answer(records(1)), answer(records(1, 1))],
            "page-1.json: a saved page without a next_cursor is not the last one",
        ),
        (
            [answer(records(1), "n1"), answer(records(1, 1), "n2")],
            "page-2.json: a saved page that still has a next_cursor is the last one",
        ),
        (
            [answer(records(1), "n1"), answer(records(1, 1), "n1"), answer(records(1, 2))],
            "page-2.json: it has the same next_cursor as ",
        ),
        (
            [answer(records(1), 5), answer(records(1, 1))],
            "page-1.json: next_cursor is a number, not text",
        ),
        (
            [answer(records(2), "n1"), answer(records(2, 1))],
            "1 connection is listed twice, such as c1: the listing moved while it was saved",
        ),
        (
            [answer(records(3), "n1"), answer(records(3))],
            "3 connections are listed twice, such as c0: ",
        ),
    ],
)
def test_saved_pages_that_are_not_one_walk_are_a_problem(
    tmp_path: Path, answers: list[dict[str, object]], says: str
):
    found = read(pages(tmp_path / "p", *answers))
    assert found.end.completeness is Completeness.INCOMPLETE
    assert any(says in problem for problem in found.end.problems), found.end.problems
    assert len(set(found.ids)) == len(found.ids), "the first of each is judged, and no other"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"total": 3}, "there are 3 connections, and 2 connections are saved: fetch the rest"),
        ({"total_pages": 3}, "there are 3 pages, and 2 pages are saved: fetch the rest"),
        ({"page": {"last": False}}, "its data.page.last says that more follows"),
    ],
)
@pytest.mark.parametrize("number", [0, 1])
def test_a_saved_response_that_says_there_is_more_is_a_problem(
    tmp_path: Path, said: dict[str, object], told: str, number: int
):
    bodies = [answer(records(1), "n1"), answer(records(1, 1))]
    if "page" in said:
        number = 1  # of a page with a cursor it is true
    # The most that any of them says counts.
    for at, saying in ((number, said), (1 - number, dict.fromkeys(said.keys() - {"page"}, 1))):
        data = bodies[at]["data"]
        assert isinstance(data, dict)
        data |= saying
    found = read(pages(tmp_path / "p", *bodies))
    assert found.end.completeness is Completeness.INCOMPLETE
    assert any(told in problem for problem in found.end.problems), found.end.problems


def test_a_saved_response_that_says_there_is_no_more_is_none(tmp_path: Path):
    bodies = [answer(records(1), "n1"), answer(records(1, 1))]
    data = bodies[1]["data"]
    assert isinstance(data, dict)
    data |= {"total": 2, "total_pages": 2, "last": True}
    assert read(pages(tmp_path / "p", *bodies)).problems == ()


def test_an_empty_cursor_is_the_last_and_told(tmp_path: Path):
    found = read(pages(tmp_path / "p", answer(records(1), "n1"), answer(records(1, 1), "")))
    assert found.problems == ()
    (warning,) = found.end.warnings
    assert warning.endswith('next_cursor is ""; taken for the last page')


def test_of_many_that_are_no_connections_the_first_are_told_and_all_counted(tmp_path: Path):
    found = read(pages(tmp_path / "p", answer([record(0), *[5] * 30])))
    assert found.ids == ["c0"]
    told = found.problems
    assert "record 2 " in told[0]
    more = [problem for problem in told if problem.endswith(" more are not connections")]
    (rest,) = more
    assert rest.endswith(f": {30 - (len(told) - 1)} more are not connections")
    few = read(pages(tmp_path / "q", answer([record(0), 5, 5]))).problems
    assert [problem.partition(": record ")[2][0] for problem in few] == ["2", "3"]


def test_the_address_is_told_where_all_files_agree(tmp_path: Path):
    folder = tmp_path / "two"
    folder.mkdir()
    save(folder / "a.ndjson", records(1))
    save(folder / "b.ndjson", records(1, 1))
    assert SnapshotSource(str(folder)).info.base_url == "https://api.fivetran.com"
    other = (folder / "b.ndjson").read_bytes().replace(b"api.fivetran.com", b"else.example.com")
    (folder / "b.ndjson").write_bytes(other)
    assert SnapshotSource(str(folder)).info.base_url == ""


def test_a_folder_is_narrowed_where_any_of_its_files_is(tmp_path: Path):
    for name, filters in (("a", {}), ("b", {"schema": "crm"}), ("c", {"group_id": "g1"})):
        path = save(tmp_path / f"{name}.ndjson", records(1))
        first, rest = path.read_text().split("\n", 1)
        path.write_text(f"{json.dumps({**json.loads(first), 'filters': filters})}\n{rest}")
    narrowed = (("group_id", "g1"), ("schema", "crm"))
    assert SnapshotSource(str(tmp_path)).info.filters == narrowed


# -- folders, pipes, and what stands beside a snapshot --------------------------------------------


@pytest.mark.parametrize("beside", [records(1, 5), answer(records(1, 5)), record(5)], ids=str)
def test_a_snapshot_with_something_beside_it_is_no_longer_the_whole(tmp_path: Path, beside: object):
    save(tmp_path / "a.ndjson", records(1))
    (tmp_path / "b.json").write_text(json.dumps(beside))
    found = read(tmp_path)
    assert (found.ids, found.problems) == (["c0", "c5"], ())
    assert found.end.completeness is Completeness.UNKNOWN


def test_every_page_says_when_it_was_taken_and_what_is_an_answer(tmp_path: Path):
    save(tmp_path / "a.ndjson", records(1))
    (tmp_path / "b.json").write_text(json.dumps(answer(records(1, 1))))
    (tmp_path / "c.json").write_text(json.dumps(records(1, 2)))
    told = [(page.taken, page.is_answer) for page in read(tmp_path).pages if page.records]
    assert told == [((TAKEN_AT,), False), ((None,), True), ((None,), False)]


def test_where_to_find_it_again_and_what_narrowed_it_is_told_in_order(tmp_path: Path):
    path = tmp_path / "s.ndjson"
    filters = tuple((name, "x") for name in "hgfedcba")
    with SnapshotWriter(Target(path), replace(HEADER, filters=filters)) as writer:
        writer.finish(walks=1, completeness=Completeness.ONE_PAGE)
    info = SnapshotSource(path).info
    assert info.filters == filters[::-1]
    assert info.again == ("--snapshot", str(path))
    assert SnapshotSource(path).live is False


def test_lists_are_those_of_one_snapshot(tmp_path: Path):
    """Those of several would mix: nobody could tell whose they are."""
    path = tmp_path / "folder" / "s.ndjson"
    path.parent.mkdir()
    with SnapshotWriter(Target(path), HEADER) as writer:
        writer.add_list("groups", [{"id": "g1", "name": "Prod"}])
        writer.add(records(1))
        writer.finish(walks=1, completeness=Completeness.ONE_PAGE)
    shape = shape_of(["group.name"])
    for place, names in ((path, ["group"]), (path.parent, [])):
        events = SnapshotSource(place).events(shape)
        assert [event.name for event in events if isinstance(event, Listed)] == names


def test_what_is_no_file_in_a_folder_is_named_and_what_to_do(tmp_path: Path):
    save(tmp_path / "a.ndjson", records(1))
    (tmp_path / "b").mkdir()
    os.mkfifo(tmp_path / "c")
    assert read(tmp_path).end.problems == tuple(
        f"{tmp_path}/{name}: it is not a file; remove it from the folder" for name in "bc"
    )


def test_files_are_read_by_the_numbers_in_their_names(tmp_path: Path):
    # Those whose numbers are the same are in the order of their names, whichever came first.
    names = "p10 p9b p9 p 10 9 p09 q1r2 q1r10 q01r3 s09 s9".split()
    for number, name in enumerate(names):
        (tmp_path / name).write_text(json.dumps(record(number)))
    wanted = "9 10 p p09 p9 p9b p10 q1r2 q01r3 q1r10 s09 s9".split()
    assert [names[int(name[1:])] for name in read(tmp_path).ids] == wanted


def test_hidden_files_are_told_by_the_first_of_their_names(tmp_path: Path):
    (tmp_path / "a.json").write_text("[]")
    for name in "cgbhdfe":
        (tmp_path / f".{name}").touch()
    (warning,) = read(tmp_path).end.warnings
    assert warning == f"{tmp_path}: 7 hidden files were not read, such as .b"


def test_a_folder_that_is_called_as_standard_input_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "-").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(json.dumps(records(1)).encode())))
    assert read("-").ids == ["c0"]
    check_path("-")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("none", "none: no such file; name a saved listing, a folder of them, or - for standard"),
        ("a\0b", r"a\\x00b: no such file; name a saved listing"),
        ("empty", "empty: the folder holds no files; name a saved listing"),
        ("x" * 300, "x: it cannot be read: File name too long"),
    ],
)
def test_a_path_that_leads_nowhere_is_told_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, said: str
):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=said):
        check_path(path)


def test_a_path_that_leads_somewhere_is_fine_whatever_is_there(tmp_path: Path):
    check_path("-")
    (tmp_path / "s.json").write_text("no listing")
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "s.json", tmp_path / "pipe"):
        check_path(str(path))


def test_that_one_of_two_is_saved_is_told_in_the_singular(tmp_path: Path):
    body = answer(records(1))
    data = body["data"]
    assert isinstance(data, dict)
    data["total"] = 2
    (problem,) = read(pages(tmp_path / "p", body)).problems
    assert problem == (
        "a saved response says that there are 2 connections, and 1 connection is saved: fetch the"
        " rest, or use `fivetran-auditor fetch`"
    )


@pytest.mark.parametrize(("more", "here"), [(0, 8), (1, 8), (-1, 11)])
def test_a_folder_of_32_mib_is_divided_at_a_file_near_its_middle(
    tmp_path: Path, more: int, here: int
) -> None:
    sizes = [(32 << 20) // 16] * 6 + [(32 << 20) // 8] * 4
    sizes[-1] += (32 << 20) - sum(sizes) + more
    names = [f"{number}.json" for number, _ in enumerate(sizes, 1)]
    for name, size in zip(names, sizes, strict=True):
        with (tmp_path / name).open("wb") as file:
            file.truncate(size)
    (tmp_path / "0.json").symlink_to("nothing")
    listing = SnapshotSource(tmp_path).listing(WholeRecords())
    first, second = listing.halves()
    assert [Path(name).name for name in (*first, *second)] == ["0.json", *names]
    assert len(first) == here
