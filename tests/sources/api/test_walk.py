"""The walk: every row of the pagination faults, and the law that nothing is lost or doubled."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import chain
from threading import Semaphore
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.errors import UsageError
from auditor.model import Completeness, SourceInfo
from auditor.sources.api.client import HttpOptions
from auditor.sources.api.walk import FivetranSource
from auditor.sources.stream import End, Page, Restart
from tests.builders.fault_server import Answer, FaultServer, Request, kept, page, record, response
from tests.builders.walks import CREDENTIALS, SHAPE, refused, walk


def say(*pages: bytes) -> list[Answer]:
    return [kept(body) for body in pages]


def listing(pages: list[list[int]]) -> Callable[[Request], Answer]:
    """Serve ``pages`` of records, cursors being page numbers."""

    def answer(request: Request) -> Answer:
        number = int(request.query.get("cursor", "0"))
        following = str(number + 1) if number + 1 < len(pages) else None
        return kept(page(map(record, pages[number]), following))

    return answer


def test_one_page_is_one_moment() -> None:
    with FaultServer(say(page([record(1), record(2)]))) as server:
        done = walk(server)
    assert done.ids == ["c1", "c2"]
    assert done.end == End(Completeness.ONE_PAGE)


def test_several_pages_are_one_walk() -> None:
    with FaultServer(listing([[1, 2], [3], [4]])) as server:
        done = walk(server)
        assert done.ids == ["c1", "c2", "c3", "c4"]
        assert done.end == End(Completeness.ONE_WALK)
        assert [request.query.get("cursor") for request in server.requests] == [None, "1", "2"]
        assert server.connections == 1


def test_what_was_asked_for_ahead_is_not_asked_for_again() -> None:
    asked = Semaphore(0)

    def answer(request: Request) -> Answer:
        asked.release()
        return listing([[1, 2], [3]])(request)

    with FaultServer(answer) as server:
        source = FivetranSource(server.url, CREDENTIALS)
        source.begin()
        assert asked.acquire(timeout=20)
        assert ids_of(source) == ["c1", "c2", "c3"]
        assert [request.query.get("cursor") for request in server.requests] == [None, "1"]
        # Each further run asks for itself.
        assert ids_of(source) == ["c1", "c2", "c3"]
        assert len(server.requests) == 4


def test_a_page_that_was_asked_for_ahead_is_tried_again() -> None:
    with FaultServer([kept(b"", 503), kept(page([record(1)]))]) as server:
        source = FivetranSource(
            server.url, CREDENTIALS, options=HttpOptions(random=lambda: 0.0, attempt_seconds=20)
        )
        source.begin()
        assert ids_of(source) == ["c1"]
        assert len(server.requests) == 2


def ids_of(source: FivetranSource) -> list[str]:
    """Return the ids that ``source`` lists."""
    pages = [event for event in source.events(SHAPE) if isinstance(event, Page)]
    return [record_.id for each in pages for record_ in each.records]


def test_what_is_asked_for() -> None:
    with FaultServer(say(page([]))) as server:
        walk(server, group="g&1", schema="s/ü", page_size=7)
        (request,) = server.requests
    assert request.method == "GET"
    assert urlsplit(request.target).path == "/v1/connections"
    assert request.query == {"group_id": "g&1", "schema": "s/ü", "limit": "7"}
    assert request.headers["accept"] == "application/json;version=2"
    assert request.headers["accept-encoding"] == "gzip"
    assert request.headers["user-agent"].startswith("fivetran-auditor/")
    assert request.headers["authorization"] == CREDENTIALS.authorization


def test_a_path_prefix_is_kept() -> None:
    with FaultServer(say(page([]))) as server:
        assert walk(f"{server.url}/fivetran/").end
        assert urlsplit(server.requests[0].target).path == "/fivetran/v1/connections"


def test_a_source_says_where_it_reads() -> None:
    source = FivetranSource("https://api.fivetran.com/", CREDENTIALS, group="g", schema="s")
    filters = (("group_id", "g"), ("schema", "s"))
    address = "https://api.fivetran.com"
    again = ("--group", "g", "--schema", "s")
    assert source.info == SourceInfo("api", address, filters, base_url=address, again=again)
    elsewhere = FivetranSource("http://127.0.0.1:9", CREDENTIALS)
    assert elsewhere.info.again == ("--base-url", "http://127.0.0.1:9")
    assert source.live
    assert source.waiting == ""


@pytest.mark.parametrize(
    "options",
    [
        {"group": ""},
        {"group": "a\nb"},
        {"schema": "\udcff"},
        {"page_size": 0},
        {"page_size": 1001},
    ],
)
def test_what_the_api_cannot_be_asked_is_a_usage_error(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        FivetranSource("https://api.fivetran.com", CREDENTIALS, **options)
    says = {
        "group": "--group is empty or holds a control character; correct it",
        "schema": "--schema is empty or holds a control character; correct it",
        "page_size": "--page-size takes 1 to 1000, which is what the API allows",
    }
    assert [str(caught.value)] == [says[name] for name in options]


@pytest.mark.parametrize("size", [1, 1000])
def test_the_least_and_the_most_that_may_be_asked_for(size: int) -> None:
    with FaultServer(say(page([record(1)]))) as server:
        assert walk(server, page_size=size, group="a b/c").ids == ["c1"]
        target = f"/v1/connections?group_id=a%20b%2Fc&limit={size}"
        assert [request.target for request in server.requests] == [target]


def test_pages_carry_the_servers_clock() -> None:
    body = page([record(1)])
    with FaultServer([response(body, 200, "Date: Tue, 15 Nov 1994 08:12:31 GMT")]) as server:
        assert walk(server).pages[0].as_of == datetime(1994, 11, 15, 8, 12, 31, tzinfo=UTC)
    with FaultServer([response(body, 200, "Date: yesterday")]) as server:
        assert walk(server).pages[0].as_of is None


# -- cursors ----------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [1, 2, 3, 4, 7, 12, 25, 50])
def test_cursors_that_run_in_a_circle(length: int) -> None:
    def answer(request: Request) -> Answer:
        number = int(request.query.get("cursor", "0"))
        return kept(page([record(len(server.requests))], str(number % length + 1)))

    with FaultServer(answer) as server:
        done = walk(server)
        assert "circle" in done.message
        assert len(server.requests) == length + 1
    assert len(done.ids) == length + 1, "every page that came is judged"


def test_a_server_that_says_one_page_for_ever_is_left_on_its_first_walk() -> None:
    done, server = refused(say(page([record(1)], "x")))
    assert done.message.endswith(
        ", page 2: its next_cursor was used before: the listing goes in circles; "
        "run again, and tell Fivetran's support if this persists"
    )
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("cursor", "says"),
    [
        (5, "a number"),
        (True, "a boolean"),
        (["x"], "an array"),
        ({"x": 1}, "an object"),
        ("x" * 8193, "8 KiB"),
        ("ü" * 4097, "8 KiB"),
        ("a\nb", "control"),
        ("a\x00b", "control"),
        ("a\x1bb", "control"),
        ("a\u202eb", "control"),
        ("a\ud800b", "control"),
    ],
)
def test_what_is_not_a_cursor_ends_the_walk(cursor: Any, says: str) -> None:
    done, server = refused(say(page([record(1)], cursor)))
    assert says in done.message
    assert len(server.requests) == 1
    assert done.ids == ["c1"]


@pytest.mark.parametrize(
    "cursor", ["x" * 8192, "&limit=1", "#", "a b", "%2e", "é/?", "../..", "+="]
)
def test_a_cursor_comes_back_as_it_was(cursor: str) -> None:
    with FaultServer(say(page([record(1)], cursor), page([record(2)]))) as server:
        assert walk(server).ids == ["c1", "c2"]
        assert server.requests[1].query == {"limit": "1000", "cursor": cursor}


def test_a_null_cursor_is_the_end() -> None:
    body = b'{"code":"Success","data":{"items":[],"next_cursor":null}}'
    with FaultServer(say(body)) as server:
        assert walk(server).end == End(Completeness.ONE_PAGE)


def test_an_empty_cursor_is_the_end_with_a_warning() -> None:
    with FaultServer(say(page([record(1)], ""))) as server:
        done = walk(server)
    assert done.end
    assert done.pages[0].warnings == ("page 1 has an empty next_cursor; read as the end",)


@pytest.mark.parametrize(
    ("above", "beside", "key"),
    [
        ({"next_cursor": "x"}, {}, "next_cursor"),
        ({"hasMore": True}, {}, "hasMore"),
        ({}, {"nextCursor": "x"}, "data.nextCursor"),
        ({"next": "x"}, {"cursor": "x", "next_cursor": ""}, "data.cursor"),
    ],
)
def test_a_cursor_in_another_place_is_not_an_end(
    above: dict[str, Any], beside: dict[str, Any], key: str
) -> None:
    data = {"items": [record(1)], **beside}
    done, server = refused(say(json.dumps({"code": "Success", "data": data, **above}).encode()))
    assert done.message.endswith(
        f"/v1/connections, page 1: it has no data.next_cursor, but its {key} says that more "
        "follows; check the proxies and caches between here and the API"
    )
    assert done.ids == ["c1"]
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("extra", "told"),
    [
        ({"total": 3}, "it says that there are 3, and the walk listed 2 connections"),
        ({"total_pages": 3}, "it says that there are 3 pages, and the walk had 2 pages"),
        ({"last": False}, "its data.last says that more follows"),
    ],
)
def test_a_walk_that_ends_before_the_end_that_was_said_is_not_a_whole_one(
    extra: dict[str, Any], told: str
) -> None:
    bodies = [page([record(1)], "a"), page([record(2)])]
    last = json.loads(bodies[1])
    last["data"] |= extra
    done, _ = refused(say(bodies[0], json.dumps(last).encode()))
    assert told in done.message
    assert done.ids == ["c1", "c2"]


@pytest.mark.parametrize("extra", [{"hasMore": False}, {"next": None}, {"cursor": ""}])
def test_what_says_that_nothing_follows_is_not_a_cursor(extra: dict[str, Any]) -> None:
    with FaultServer(say(page([record(1)], "a", hasMore=True), page([], **extra))) as server:
        assert walk(server).end == End(Completeness.ONE_WALK)


# -- pages ------------------------------------------------------------------------------------


def test_three_empty_pages_are_followed() -> None:
    with FaultServer(listing([[1], [], [], [], [2], [], [], [], [3], []])) as server:
        assert walk(server).ids == ["c1", "c2", "c3"]


def test_a_fourth_empty_page_in_a_row_is_given_up() -> None:
    done, server = refused(listing([[1], [], [], [], [], [2]]))
    assert "4 empty pages in a row" in done.message
    assert len(server.requests) == 5


def test_an_empty_listing_has_an_end() -> None:
    with FaultServer(say(page([]))) as server:
        assert walk(server).end == End(Completeness.ONE_PAGE)


def test_a_page_over_its_limit_is_taken_with_a_warning() -> None:
    with FaultServer(say(page(map(record, range(3))))) as server:
        done = walk(server, page_size=2)
    assert len(done.ids) == 3
    assert done.pages[0].warnings == ("page 1 has 3 connections, but 2 were requested",)


def test_a_full_page_is_nothing_to_warn_of() -> None:
    with FaultServer(say(page(map(record, range(2))))) as server:
        assert walk(server, page_size=2).pages[0].warnings == ()


def test_too_many_pages_are_given_up() -> None:
    def answer(request: Request) -> Answer:
        number = int(request.query.get("cursor", "0"))
        return kept(page([record(number)], str(number + 1)))

    done, server = refused(answer, pages=20)
    assert done.message.endswith(
        ", page 20: 20 pages and no end; raise --page-size, or narrow the listing with --group"
    )
    assert len(server.requests) == 20


def test_the_last_page_allowed_may_be_the_end() -> None:
    with FaultServer(listing([[1], [2], [3]])) as server:
        assert walk(server, pages=3).end


@pytest.mark.parametrize(
    "body",
    [
        b'{"code":"Success"}',
        b'{"code":"Success","data":null}',
        b'{"code":"Success","data":[]}',
        b'{"code":"Success","data":"x"}',
        b'{"code":"Success","data":{}}',
        b'{"code":"Success","data":{"items":null}}',
        b'{"code":"Success","data":{"items":{}}}',
        b'{"code":"Success","data":{"items":"x"}}',
        b'{"data":{"items":[]}}',
        b'{"code":null,"data":{"items":[]}}',
        b'{"code":5,"data":{"items":[]}}',
        b'{"code":"success","data":{"items":[]}}',
        b'{"code":"InvalidInput","message":"no such thing"}',
        b"[]",
        b"{}",
        b"null",
        b"5",
        b'"Success"',
    ],
)
def test_what_is_not_a_list_is_never_an_empty_one(body: bytes) -> None:
    done, server = refused(say(body))
    assert done.message
    assert done.events == []
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"code":"Odd","message":"no"}', "HTTP 200, but its code is not Success (Odd: no)"),
        (b'{"code":"Odd","message":5}', "HTTP 200, but its code is not Success (Odd)"),
        (b'{"code":5,"message":"no"}', "HTTP 200, but its code is not Success (a number: no)"),
        (b'{"data":{"items":[]}}', "HTTP 200, but its code is not Success (missing)"),
        (b'{"message":"no"}', "HTTP 200, but its code is not Success (missing: no)"),
    ],
)
def test_what_the_api_said_with_200(body: bytes, says: str) -> None:
    done, _ = refused(say(body))
    assert done.message.endswith(f", page 1: {says}; check --base-url, and run again later")


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"[]", "an array"), (b"null", "null"), (b"5", "a number"), (b'"Success"', "text")],
)
def test_an_answer_that_is_not_an_object_is_not_the_apis(body: bytes, kind: str) -> None:
    done, _ = refused(say(body))
    says = f"HTTP 200, but the body is {kind}, not an object; check --base-url"
    assert done.message.endswith(f"/v1/connections, page 1: {says}")


def test_what_is_wrong_with_a_list_is_said() -> None:
    done, _ = refused(say(b'{"code":"Success","data":{"items":{}}}'))
    where, _, said = done.message.partition(", page 1: no list of connections: ")
    assert where.endswith("/v1/connections")
    assert "items" in said
    assert said.endswith("; check --base-url")


def test_an_error_code_with_200_shows_what_the_api_said() -> None:
    body = b'{"code":"Odd","message":"first\\nsecond \\u001b[31m key-K3Y9x"}'
    done, _ = refused(say(body))
    assert r"Odd: first second \x1b[31m [redacted]" in done.message


def test_items_that_are_not_connections_are_problems_and_the_rest_is_kept() -> None:
    items: list[Any] = [
        record(1),
        None,
        "x",
        5,
        [],
        {},
        {"id": 7},
        {"id": None},
        {"id": ""},
        record(2),
    ]
    with FaultServer(say(page(items))) as server:
        done = walk(server)
    assert done.ids == ["c1", "c2"]
    assert len(done.pages[0].problems) == 8
    assert done.pages[0].problems[0] == "page 1: item 2 is null, not a connection"
    assert done.end


def test_a_filter_that_was_not_applied_is_a_problem_and_every_connection_is_kept() -> None:
    others = [record(1), record(2, schema="s1"), record(3, group_id=None), record(4)]
    with FaultServer(say(page(others[:2], "a"), page(others[2:]))) as server:
        done = walk(server, group="g", schema="s1")
    assert done.ids == ["c1", "c2", "c3", "c4"]
    said = (
        "page 2: {} of another {} than {option} asks for: the filter was not applied; "
        "check --base-url, or leave {option} out"
    )
    assert done.pages[1].problems == (
        "page 2: item 1 is not a connection: its group_id is null",
        said.format("1 connection", "group_id", option="--group"),
        said.format("2 connections", "schema", option="--schema"),
    )
    assert done.pages[0].problems == ()
    assert done.end


# -- a listing that moves ---------------------------------------------------------------------


@pytest.mark.parametrize("first", [[[1, 1], [2]], [[1, 2], [2, 3]], [[1], [2], [1]]])
def test_an_id_twice_starts_a_new_walk(first: list[list[int]]) -> None:
    bodies = [page(map(record, ids), f"a{n}") for n, ids in enumerate(first)]
    listed = [list(chain(*first[: n + 1])) for n in range(len(first))]
    moved = next(n for n, ids in enumerate(listed) if len(set(ids)) < len(ids))
    again = [page([record(1), record(2)], "b"), page([record(3)])]
    with FaultServer(say(*bodies[: moved + 1], *again)) as server:
        done = walk(server)
        assert server.requests[moved + 1].query == {"limit": "1000"}
    assert done.ids == ["c1", "c2", "c3"]
    said = f"the listing moved: page {moved + 1} lists a connection that came before"
    assert [event for event in done.events if isinstance(event, Restart)] == [Restart(said)]
    assert done.end == End(Completeness.ONE_WALK, walks=2)


def test_a_new_walk_of_one_page_is_one_moment() -> None:
    with FaultServer(say(page([record(1), record(1)]), page([record(1)]))) as server:
        assert walk(server).end == End(Completeness.ONE_PAGE, walks=2)


def test_after_three_walks_that_moved_it_is_given_up() -> None:
    done, server = refused(say(page([record(1), record(1)])))
    assert done.message.endswith(
        "/v1/connections: the listing kept changing while it was read "
        "(the listing moved: page 1 lists a connection that came before, after 3 walks); "
        "run again when fewer connections change, or narrow it with --group"
    )
    assert len(server.requests) == 3
    assert sum(isinstance(event, Restart) for event in done.events) == 2
    assert not done.ids


def test_verifying_a_single_page_takes_one_walk() -> None:
    with FaultServer(say(page([record(1)]))) as server:
        assert walk(server, verify_listing=True).end == End(Completeness.ONE_PAGE)
        assert len(server.requests) == 1


def test_verifying_takes_two_walks_that_agree() -> None:
    with FaultServer(listing([[1], [2]])) as server:
        done = walk(server, verify_listing=True)
        assert len(server.requests) == 4
    assert done.end == End(Completeness.VERIFIED, walks=2)
    assert done.ids == ["c1", "c2"]
    assert done.events[2] == Restart("walking again, to verify the listing")


def two_pages(*ids: int) -> list[bytes]:
    return [page([record(ids[0])], "a"), page(map(record, ids[1:]))]


def test_verifying_takes_a_third_walk_if_two_differ() -> None:
    bodies = [*two_pages(1, 2), *two_pages(1, 3), *two_pages(3, 1)]
    with FaultServer(say(*bodies)) as server:
        done = walk(server, verify_listing=True)
    assert (done.end.completeness, done.end.walks) == (Completeness.VERIFIED, 3)
    assert done.ids == ["c3", "c1"]
    assert Restart("two walks differ in 2 connections") in done.events


def test_the_first_and_the_third_walk_prove_nothing() -> None:
    done, server = refused(
        say(*two_pages(1, 2), *two_pages(1, 3), *two_pages(1, 2)), verify_listing=True
    )
    assert "kept changing" in done.message
    assert len(server.requests) == 6


def test_a_moved_walk_between_two_equal_ones_is_ignored() -> None:
    moved = page([record(1), record(1)])
    done, _ = refused(say(*two_pages(1, 2), moved, *two_pages(1, 2)), verify_listing=True)
    assert "kept changing" in done.message


def test_two_walks_after_one_that_moved_verify() -> None:
    moved = page([record(1), record(1)])
    with FaultServer(say(moved, *two_pages(1, 2), *two_pages(1, 2))) as server:
        assert walk(server, verify_listing=True).end == End(Completeness.VERIFIED, walks=3)


# -- the law ----------------------------------------------------------------------------------

sizes = st.lists(st.integers(0, 5), min_size=1, max_size=12).filter(
    lambda sizes: "0000" not in "".join(map(str, sizes))
)


def test_nothing_is_lost_or_doubled_whatever_the_pages_hold() -> None:
    pages: list[list[int]] = []
    with FaultServer(listing(pages)) as server:

        @settings(max_examples=60, deadline=None, database=None)
        @given(sizes, st.booleans())
        def law(sizes: list[int], verify: bool) -> None:
            numbers = iter(range(sum(sizes)))
            pages[:] = [[next(numbers) for _ in range(size)] for size in sizes]
            before = len(server.requests)
            done = walk(server, verify_listing=verify)
            assert done.ids == [f"c{number}" for number in range(sum(sizes))]
            twice = verify and len(sizes) > 1
            assert len(server.requests) - before == len(sizes) * (2 if twice else 1)
            assert (
                sum(isinstance(event, Page) for event in done.events)
                == len(server.requests) - before
            )

        law()


@pytest.mark.parametrize(
    ("options", "looks"),
    [
        ({}, False),
        ({"verify_listing": True}, True),
        ({"verify_listing": True, "group": "g"}, False),
        ({"verify_listing": True, "schema": "s"}, False),
        ({"group": "g"}, False),
    ],
)
def test_how_much_the_key_sees_is_looked_at_where_the_whole_account_is_verified(
    options: dict[str, Any], looks: bool
) -> None:
    source = FivetranSource("https://api.fivetran.com", CREDENTIALS, **options)
    assert bool(source.reads) is looks
