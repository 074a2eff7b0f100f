"""What makes a listing credible: whole walks, no sign of more, a current answer."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from auditor.model import Completeness
from auditor.output.target import Target
from auditor.sources.saved.snapshot_file import SnapshotHeader, SnapshotWriter
from auditor.sources.saved.source import SnapshotSource
from tests.builders.command import KEYS, run
from tests.builders.fault_server import FaultServer, kept, page, record
from tests.builders.walks import SHAPE, walk

SUCCESS = {"code": "Success"}


def envelope(data: dict[str, Any], **beside: Any) -> bytes:
    return json.dumps({**SUCCESS, "data": {"items": [record(1)], **data}, **beside}).encode()


# -- walks -----------------------------------------------------------------------------------------


def test_a_second_walk_of_one_page_that_lost_connections_is_not_verified() -> None:
    bodies = [page([record(1)], "a"), page([record(2)]), page([record(1)]), page([record(1)])]
    with FaultServer([kept(body) for body in bodies]) as server:
        done = walk(server, verify_listing=True)
    assert done.end is not None
    assert (done.end.completeness, done.end.walks) == (Completeness.VERIFIED, 3)
    (warning,) = done.end.warnings
    assert warning.startswith("1 connection that an abandoned walk listed is not in the one")


def test_a_first_walk_of_one_page_needs_no_second() -> None:
    with FaultServer([kept(page([record(1)]))]) as server:
        done = walk(server, verify_listing=True)
    assert done.end is not None
    assert (done.end.completeness, done.end.walks) == (Completeness.ONE_PAGE, 1)


def test_what_an_abandoned_walk_saw_and_the_judged_one_did_not_is_reported() -> None:
    moved = [page([record(1), record(2)], "a"), page([record(2), record(3)])]
    with FaultServer([kept(body) for body in (*moved, page([record(1)]))]) as server:
        done = walk(server)
    assert done.end is not None
    assert done.end.completeness is Completeness.ONE_PAGE
    (warning,) = done.end.warnings
    assert warning.startswith("2 connections that an abandoned walk listed are not in")


# -- signs that more follows -----------------------------------------------------------------------

SIGNS = {
    "a cursor in a pagination": {"pagination": {"next_cursor": "x"}},
    "a cursor in a pagination, deeper": {"meta": {"pagination": {"nextCursor": "x"}}},
    "another spelling": {"Next-Cursor": "x"},
    "has_next": {"has_next": True},
    "hasNextPage": {"hasNextPage": True},
    "truncated": {"is_truncated": True},
    "a continuation": {"ContinuationToken": "abc"},
    "links": {"links": [{"rel": "self", "href": "/a"}, {"rel": "next", "href": "/b"}]},
    "links by name": {"links": {"next": "/b"}},
    "paging as text": {"paging": "https://api.fivetran.com/v1/connections?cursor=x"},
    "more pages": {"more": 3},
}


@pytest.mark.parametrize("where", ["in the data", "beside it"])
@pytest.mark.parametrize("sign", SIGNS.values(), ids=SIGNS)
def test_a_sign_that_more_follows_is_inconclusive(sign: dict[str, Any], where: str) -> None:
    body = envelope(sign) if where == "in the data" else envelope({}, **sign)
    with FaultServer([kept(body)]) as server:
        done = walk(server)
    assert "says that more follows" in str(done.error)


CALM = {
    "no more": {"has_more": False, "next": None, "pagination": {"next_cursor": ""}},
    "a page's number": {"page": 1, "pagination": {"page": 1, "total": 1}},
    "what nobody knows": {"request_id": "abc", "took_ms": 12, "warnings": []},
    "links to itself": {"links": [{"rel": "self", "href": "/a"}]},
    "as many as there are": {"total": 1, "meta": {"total_count": 1}},
}


@pytest.mark.parametrize("said", CALM.values(), ids=CALM)
def test_what_says_nothing_of_more_is_let_be(said: dict[str, Any]) -> None:
    for body in (envelope(said), envelope({}, **said)):
        with FaultServer([kept(body)]) as server:
            done = walk(server)
        assert done.error is None
        assert done.ids == ["c1"]


@pytest.mark.parametrize(
    "header", ['Link: </b>; rel="next"', "link: <a>; rel=prev, <b>; rel=next", "X-Next-Page: 2"]
)
def test_a_header_that_says_that_more_follows_is_inconclusive(header: str) -> None:
    with FaultServer([kept(page([record(1)]), 200, header)]) as server:
        done = walk(server)
    assert "header says that more follows" in str(done.error)


@pytest.mark.parametrize("header", ['Link: </a>; rel="self"', "X-Next-Page: ", "X-Request-Id: 2"])
def test_other_headers_are_let_be(header: str) -> None:
    with FaultServer([kept(page([record(1)]), 200, header)]) as server:
        assert walk(server).error is None


@pytest.mark.parametrize("said", [{"total": 500}, {"meta": {"totalCount": 2}}, {"count": 2}])
def test_a_total_is_compared_with_the_whole_walk(said: dict[str, Any]) -> None:
    with FaultServer([kept(envelope(said))]) as server:
        assert "and the walk listed 1 connection" in str(walk(server).error)
    two = [envelope({"next_cursor": "a", "total": 2}), page([record(2)])]
    with FaultServer([kept(body) for body in two]) as server:
        assert walk(server).error is None


# -- an answer of now ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "problem"),
    [
        ("300", False),
        ("301", True),
        ("abc", False),
        ("0, 90000", True),
        ("90000, 0", True),
        ("0, 12", False),
        ("900.5", True),
        ("99999999999", True),
        ("000000000000300", False),
    ],
)
def test_an_answer_from_a_cache_is_not_the_account_now(age: str, problem: bool) -> None:
    with FaultServer([kept(page([record(1)]), 200, f"Age: {age}")]) as server:
        done = walk(server)
    assert bool(done.pages[0].problems) is problem
    assert all("a cache answered" in text for text in done.pages[0].problems)


@pytest.mark.parametrize("command", ["audit", "fetch"])
@pytest.mark.parametrize("days", [-20, 20, -20_000])
def test_a_clock_that_is_a_day_off_is_inconclusive(tmp_path: Path, command: str, days: int) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(days=days), usegmt=True)
    with FaultServer([kept(page([record(1)]), 200, f"Date: {date}")]) as server:
        done = run([command, "--base-url", server.url], tmp_path, KEYS)
    assert done.returncode == 3
    assert "a clock is wrong" in done.stdout + done.stderr


def test_of_two_dates_the_earlier_counts() -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    old = now - timedelta(days=40)
    dates = [f"Date: {format_datetime(moment, usegmt=True)}" for moment in (now, old)]
    for headers in (dates, dates[::-1]):
        with FaultServer([kept(page([record(1)]), 200, *headers)]) as server:
            assert walk(server).pages[0].as_of == old


@pytest.mark.parametrize(
    ("minutes", "odd"),
    [
        ((0, 0, 0), []),
        ((0, 4, 12), [3]),
        ((-600, -600, -600), []),  # a clock that is wrong, and goes
        ((0, -4, 1), []),
        ((0, -1200, 0), [2, 3]),
        ((-120, 0, 0), [2]),
        ((1200, 0, None), [2]),
        ((0, None, -1200), [3]),
    ],
)
def test_pages_of_other_times_are_not_the_account_now(
    minutes: tuple[int | None, ...], odd: list[int]
) -> None:
    start = datetime.now(UTC)
    answers = []
    for number, off in enumerate(minutes, 1):
        date = format_datetime(start + timedelta(minutes=off or 0), usegmt=True)
        headers = [f"Date: {date}"] if off is not None else []
        cursor = str(number) if number < len(minutes) else None
        answers.append(kept(page([record(number)], cursor), 200, *headers))
    with FaultServer(answers) as server:
        done = walk(server)
    assert [number for number, each in enumerate(done.pages, 1) if each.problems] == odd
    for each in done.pages:
        assert all("a cache answered one of the two" in text for text in each.problems)


def test_a_later_page_from_a_cache_that_says_no_age_is_inconclusive(tmp_path: Path) -> None:
    (tmp_path / "house.yaml").write_text(RUNNING.replace("true", "false"))
    now = datetime.now(UTC)
    dates = [format_datetime(now - timedelta(hours=h), usegmt=True) for h in (0, 20)]
    pages = [page([{**record(1), "paused": False}], "x"), page([{**record(2), "paused": False}])]
    answers = [kept(p, 200, f"Date: {d}") for p, d in zip(pages, dates, strict=True)]
    with FaultServer(answers) as server:
        words = ["audit", "-p", "house.yaml", "--base-url", server.url]
        done = run(words, tmp_path, KEYS)
    assert done.returncode == 3
    assert "page 2: the server's clock says" in done.stdout


WAIVER = """waivers:
  - {rule: running, connections: {id: c1}, reason: tried out, owner: me, expires: 2026-01-01}
"""
RUNNING = """policy: house
rules:
  - {id: running, severity: high, assert: {paused: true}}
"""


def test_a_server_that_is_behind_revives_no_waiver(tmp_path: Path) -> None:
    (tmp_path / "house.yaml").write_text(RUNNING)
    (tmp_path / "waivers.yaml").write_text(WAIVER)
    with FaultServer([kept(page([record(1)]), 200, "Date: Thu, 01 Jan 1970 00:00:00 GMT")]) as at:
        words = ["audit", "-p", "house.yaml", "--waivers", "waivers.yaml", "--base-url", at.url]
        done = run(words, tmp_path, KEYS)
    assert done.returncode == 3
    report = json.loads((tmp_path / "audit-report" / "report.json").read_text())
    assert (report["counts"]["fail"], report["counts"]["waived"]) == (1, 0)


# -- what is a connection --------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["service", "schema", "group_id"])
@pytest.mark.parametrize("value", [None, 7, "", ...])
def test_what_lacks_a_part_of_its_identity_is_not_a_connection(missing: str, value: object) -> None:
    item = {**record(1), missing: value}
    if value is ...:
        del item[missing]
    with FaultServer([kept(page([record(2), item]))]) as server:
        done = walk(server)
    assert done.ids == ["c2", "c1"]
    (problem,) = done.pages[0].problems
    assert f"item 2 is not a connection: its {missing} is " in problem


def test_a_list_of_groups_is_not_a_list_of_connections(tmp_path: Path) -> None:
    groups = [{"id": "g1", "name": "one", "created_at": "2026-01-01T00:00:00Z"}]
    (tmp_path / "house.yaml").write_text(RUNNING.replace("paused: true", "id: g1"))
    (tmp_path / "groups.json").write_bytes(page(groups))
    words = ["audit", "-p", "house.yaml", "--snapshot", "groups.json"]
    done = run(words, tmp_path)
    assert done.returncode == 3
    assert "is not a connection: its service is missing" in done.stdout


# -- saved -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("cursor", [None, "a"])
def test_a_saved_answer_alone_is_never_called_complete(tmp_path: Path, cursor: str | None) -> None:
    bodies = [page([record(1)], cursor), *([page([record(2)])] if cursor else [])]
    (tmp_path / "saved.json").write_bytes(b"\n".join(bodies))
    *_, end = SnapshotSource(str(tmp_path / "saved.json")).events(SHAPE)
    assert end.completeness is Completeness.UNKNOWN  # type: ignore[union-attr]


def snapshot(folder: Path, age: timedelta) -> None:
    """Save a snapshot that is so old."""
    header = SnapshotHeader(datetime.now(UTC) - age, "https://api.fivetran.com", (), "0.1.0")
    with SnapshotWriter(Target(folder / "s.ndjson"), header) as writer:
        writer.add([record(1, paused=True)])
        writer.finish(walks=1, completeness=Completeness.ONE_PAGE)


@pytest.mark.parametrize(
    ("days", "options", "code", "said"),
    [
        (91, [], 0, "the snapshot is 91 days old"),
        (91, ["-q"], 0, "the snapshot is 91 days old"),
        (91, ["--max-age", "7d"], 3, "--max-age 7 days: the snapshot is 91 days old"),
        (91, ["--max-age", "52w"], 0, "the snapshot is 91 days old"),
        (91, ["--strict"], 3, "--strict: the snapshot is 91 days old"),
        (91, ["--strict", "--max-age", "52w"], 0, "the snapshot is 91 days old"),
        (0, ["--strict"], 0, "old"),
        (0, ["--max-age", "7days"], 2, "7days is not a duration; write 90m, 36h, 7d or 2w"),
    ],
)
def test_an_old_snapshot_says_its_age(
    tmp_path: Path, days: int, options: list[str], code: int, said: str
) -> None:
    snapshot(tmp_path, timedelta(days=days))
    (tmp_path / "house.yaml").write_text(RUNNING)
    done = run(["audit", "-p", "house.yaml", "--snapshot", "s.ndjson", *options], tmp_path)
    assert done.returncode == code, done.stdout + done.stderr
    assert said in done.stdout + done.stderr


def test_what_does_not_say_when_it_was_taken_has_no_age(tmp_path: Path) -> None:
    (tmp_path / "house.yaml").write_text(RUNNING)
    (tmp_path / "saved.json").write_bytes(page([record(1, paused=True)]))
    words = ["audit", "-p", "house.yaml", "--snapshot", "saved.json"]
    done = run(words, tmp_path)
    assert done.returncode == 0
    assert "does not say when it was taken" in done.stdout
    assert run([*words, "--max-age", "1d"], tmp_path).returncode == 3
