"""An answer apart from its records: what it must contain, and what says that more follows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from auditor.decoding.envelope import (
    TWICE,
    envelope,
    may_begin_empty,
    once,
    sign_in_headers,
)
from auditor.decoding.json_values import MISSING, UndecodableError


def taken(answer: Any) -> Any:
    return envelope(answer, lambda items: [len(items)])


def test_a_whole_answer():
    found = taken({"code": "Success", "data": {"items": [{}, {}], "next_cursor": "x"}})
    assert (found.code, found.message, found.items) == ("Success", MISSING, [2])
    assert (found.next_cursor, found.problem, found.elsewhere) == ("x", "", "")


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ([], "the body is an array"),
        (None, "the body is null"),
        ({}, '"data" is missing, not an object'),
        ({"data": []}, '"data" is an array, not an object'),
        ({"data": {}}, '"data.items" is missing, not an array'),
        ({"data": {"items": None}}, '"data.items" is null, not an array'),
        ({"data": {"items": {}, "next_cursor": "x"}}, '"data.items" is an object, not an array'),
    ],
)
def test_what_is_not_a_list_says_why(answer: Any, problem: str):
    found = taken(answer)
    assert (found.items, found.problem) == ([], problem)


SIGNS = ("nextCursor", "NEXT_CURSOR", "next-page", "hasMore", "has_more", "next_page_token", "more")


@pytest.mark.parametrize("name", SIGNS)
@pytest.mark.parametrize("above", ["data.", ""])
@pytest.mark.parametrize("value", ["x", True, 7], ids=str)
def test_another_spelling_of_more_is_seen(name: str, above: str, value: object):
    data: dict[str, Any] = {"items": []}
    answer: dict[str, Any] = {"data": data}
    (data if above else answer)[name] = value
    assert taken(answer).elsewhere == above + name
    # Where the documented cursor leads on, nothing is amiss; where it says the end, it is.
    assert taken({**answer, "data": {**data, "next_cursor": "y"}}).elsewhere == ""
    for end in (None, ""):
        assert taken({**answer, "data": {**data, "next_cursor": end}}).elsewhere == above + name


#: Every word for it, as it is looked up: without underscores and hyphens, in small letters.
MORE = (
    "cursor next nextcursor nextpage nexttoken nextpagetoken nexturl nextlink nextoffset more"
    " hasmore hasnext hasnextpage moreresults remaining remainingitems truncated istruncated"
    " incomplete partial ispartial continuation continuationtoken token pagetoken"
).split()
HOLDERS = "pagination paging links link meta cursors page".split()
NOT_THE_END = (
    "last islast lastpage islastpage final isfinal end atend complete iscomplete completed done"
    " isdone finished exhausted"
).split()
TOTALS = (
    "total totalcount totalitems totalresults totalrecords totalelements totalrows totalhits"
    " totalsize recordstotal count itemcount"
).split()
PAGES = "totalpages pagecount pages numpages numberofpages lastpage".split()


@pytest.mark.parametrize(
    ("words", "value", "sign"),
    [
        *((MORE, value, "{}") for value in ("x", True, 7)),
        (HOLDERS, 7, ""),
        (HOLDERS, True, ""),
        (HOLDERS[:-1], "/x", "{}"),
        (["page"], "2", ""),
        (HOLDERS, {"next": "/x"}, "{}.next"),
        (HOLDERS, {"self": "/x"}, ""),
        (HOLDERS, ["next", {"rel": "next"}], "{}"),
        (HOLDERS, ["next", {"rel": "self"}], ""),
        *((NOT_THE_END, value, "{}") for value in (False, "false", " False ")),
        (NOT_THE_END, True, ""),
        (["unheard_of"], "x", ""),
        (["unheard_of"], {"next": "/x"}, ""),
    ],
)
def test_every_word_for_more_is_known_and_no_other(words: list[str], value: object, sign: str):
    for word in words:
        assert taken({"data": {"items": [], word: value}}).elsewhere == (
            sign and f"data.{sign.format(word)}"
        ), word


@pytest.mark.parametrize(("words", "name"), [(TOTALS, "total"), (PAGES, "pages")])
def test_every_word_for_how_many_is_known_and_no_other(words: list[str], name: str):
    for word in words:
        for value in (5, "5", {"x": 5}):
            found = taken({"data": {"items": [], word: value, "size": 9, "of": {word: 8}}})
            assert getattr(found, name) == (None if isinstance(value, dict) else 5), word
    for word in HOLDERS:
        found = taken({"data": {"items": [], word: {words[0]: 5, "size": "9"}}})
        assert getattr(found, name) == 5


def test_what_an_answer_says_of_itself_is_kept():
    found = taken({"code": 7, "message": "m", "data": {"items": []}})
    assert (found.code, found.message, found.next_cursor) == (7, "m", MISSING)
    assert once(b'{"data":{"x":1e999}}', out_of_range=3) == {"data": {"x": 3}}


@pytest.mark.parametrize("value", [None, "", False, 0])
def test_what_says_that_nothing_follows_is_no_more(value: object):
    assert taken({"data": {"items": [], "hasMore": value}, "next": value}).elsewhere == ""


@pytest.mark.parametrize(
    ("beside", "sign"),
    [
        ({"meta": {"pagination": {"next": "/x"}}}, "data.meta.pagination.next"),
        ({"links": [{"rel": "self"}, {"rel": "next", "href": "/x"}]}, "data.links"),
        ({"links": [{"rel": "self"}]}, ""),
        ({"page": 2}, ""),
        ({"page": {"hasNext": True}}, "data.page.hasNext"),
        ({"pagination": {"total": 3}}, ""),
        ({"colour": {"next": "/x"}}, ""),
    ],
    ids=str,
)
def test_what_follows_is_seen_at_any_depth_that_speaks_of_pages(beside: Any, sign: str):
    assert taken({"data": {"items": [], **beside}}).elsewhere == sign


@pytest.mark.parametrize(
    ("answer", "total"),
    [
        ({}, None),
        ({"total": 7}, 7),
        ({"totalCount": 7, "count": 3}, 7),
        ({"meta": {"pagination": {"total_items": 9}}, "total": 2}, 9),
        ({"total": "7"}, 7),
        ({"total": "7 or so"}, None),
        ({"totalElements": 7}, 7),
        ({"total": True}, None),
        ({"total": 0}, 0),
    ],
    ids=str,
)
def test_how_many_there_are_in_all_is_the_most_that_is_said(answer: Any, total: int | None):
    assert taken({"data": {"items": [], **answer}}).total == total
    assert taken({"data": {"items": []}, **answer}).total == total


@pytest.mark.parametrize(
    ("answer", "pages"),
    [
        ({}, None),
        ({"total_pages": 3}, 3),
        ({"page": {"number": 1, "totalPages": "3"}}, 3),
        ({"meta": {"page_count": 2}, "lastPage": 4}, 4),
        ({"pages": [1, 2]}, None),
    ],
    ids=str,
)
def test_how_many_pages_there_are_is_the_most_that_is_said(answer: Any, pages: int | None):
    assert taken({"data": {"items": [], **answer}}).pages == pages
    assert taken({"data": {"items": []}, **answer}).pages == pages


@pytest.mark.parametrize("name", ["last", "is_last_page", "isLast", "complete", "done", "final"])
def test_what_says_that_this_is_not_the_end_says_that_more_follows(name: str):
    for value in (False, "false"):
        assert taken({"data": {"items": [], name: value}}).elsewhere == f"data.{name}"
        assert taken({"data": {"items": []}, "page": {name: value}}).elsewhere == f"page.{name}"
    for value in (True, None, "true", "/page/9", 0):
        assert taken({"data": {"items": [], name: value}}).elsewhere == ""


@pytest.mark.parametrize(
    ("headers", "sign"),
    [
        ({"Link": '<https://x/?page=2>; rel="next"'}, "Link header"),
        ({"link": "<https://x>; rel=next"}, "Link header"),
        ({"Link": '<https://x>; rel="prev last"'}, ""),
        ({"X-Next-Page": "2"}, "X-Next-Page header"),
        ({"x-next-cursor": "  "}, ""),
        ({"Content-Type": "next"}, ""),
        ({"Profile": '<https://x>; rel="next"'}, ""),
    ],
    ids=str,
)
def test_a_header_may_say_that_more_follows(headers: dict[str, str], sign: str):
    assert sign_in_headers(headers) == sign


def test_a_cursor_beside_the_data_is_seen():
    assert taken({"data": {"items": []}, "next_cursor": "x"}).elsewhere == "next_cursor"


@pytest.mark.parametrize(
    "body",
    [
        '{"data": {"items": []}, "data": {"items": []}}',
        '{"data": {"items": [], "items": []}}',
        '{"data": {"items": [], "next_cursor": null, "next_cursor": "x"}}',
        '{"data": {"items": []}, "hasMore": false, "hasMore": true}',
        '{"data": {"items": [], "total": 1, "total": 2}}',
        '{"code": "Success", "code": "AuthFailed", "data": {"items": []}}',
        '{"message": "a", "message": "b", "data": {"items": []}}',
        '{"x": 1, "x": 2, "data": {"items": []}, "data": {"items": []}}',
    ],
)
def test_an_answer_that_says_a_thing_twice_is_refused(body: str):
    with pytest.raises(UndecodableError) as caught:
        once(body.encode())
    assert str(caught.value) == TWICE
    assert not caught.value.transient


@pytest.mark.parametrize(
    "body",
    [
        '{"data": {"items": [{"id": "a", "id": "b", "next": 1, "next": 2}]}}',
        '{"request": "m", "request": "n", "data": {"items": []}}',
        '{"other": {"items": [], "items": []}, "data": {"items": []}}',
        '[{"items": 1, "items": 2}]',
    ],
)
def test_the_last_of_two_counts_where_it_is_not_about_the_listing(body: str):
    assert once(body.encode()) == json.loads(body)


@pytest.mark.parametrize(
    ("body", "empty"),
    [
        (b'{"data": {"items": []}}', True),
        (b'{"items" :\n [ ] }', True),
        (b'{"data": {}}', True),
        (b'{"items": [1]}', True),
        (b'{"data": {"items": [{"id": "a"}]}}', False),
        (b'{"items"\t:\r\n[\n {', False),
    ],
)
def test_a_list_that_begins_with_a_record_is_not_empty(body: bytes, empty: bool):
    assert may_begin_empty(body) is empty
