"""Decoding an answer: the fast and the slow path agree, and nothing in it is overlooked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from auditor.decoding.json_values import MISSING, UndecodableError
from auditor.decoding.records import Decoder, Shape, WholeRecords

# With half a character in a field that nothing reads, the fast decoder refuses a page.
HALF = r'"note": "\ud800", '
RECORD = '{"id": "c0", "service": "pg", "schema": "s", "group_id": "g", %s}'


def shape() -> Shape:
    return Shape(["config", "config.kept", "status.setup_state"], ["config"])


def page_of(record: str) -> bytes:
    return f'{{"code": "Success", "data": {{"items": [{record}]}}}}'.encode()


@pytest.mark.parametrize(
    "held",
    [
        '"config": {"kept": {"x": 1, "x": 2}, "list": [{"y": 1, "y": 1}]}',
        '"config": {"kept": 1, "kept": {"x": 1, "x": 2}}',
        '"config": {"a": 1}, "config": {"b": 2}',
        '"status": {"setup_state": "a", "setup_state": "b"}',
        '"items": 1, "items": 2, "next_cursor": "a", "next_cursor": "b"',
    ],
)
def test_a_page_that_is_read_slowly_is_the_same(held: str) -> None:
    decoder = shape()
    fast = decoder.page(page_of(RECORD % held))
    slow = decoder.page(page_of(RECORD % (HALF + held)))
    assert slow == fast
    (record,) = slow.items
    kept = [record.config, *getattr(record.config, "values", list)()]
    assert all(type(value) in {dict, list, int, type(MISSING)} for value in kept)


#: Answers that say a thing of the listing twice.
TWICE = {
    "a list and an empty one": '{"data": {"items": [{"id": "a"}], "items": []}}',
    "an empty list and one": '{"data": {"items": [], "items": [{"id": "a"}]}}',
    "two lists": '{"data": {"items": [{"id": "a"}], "items": [{"id": "b"}]}}',
    "null and a list": '{"data": {"items": null, "items": [{"id": "a"}]}}',
    "two empty lists": '{"data": {"items": [], "items": []}}',
    "a list under a key with an escape": (
        r'{"data": {"\u0069tems": [{"id": "a"}], "items": [{"id": "b"}]}}'
    ),
    "a cursor and null": '{"data": {"items": [], "next_cursor": "x", "next_cursor": null}}',
    "null and a cursor": '{"data": {"items": [], "next_cursor": null, "next_cursor": "x"}}',
    "a cursor under a key with an escape": (
        r'{"data": {"items": [{"id": "b"}], "\u006eext_cursor": "x", "next_cursor": null}}'
    ),
    "more and no more": ('{"data": {"items": [{"id": "a"}], "has_more": true, "has_more": false}}'),
    "a cursor beside the data": '{"next_cursor": "x", "next_cursor": null, "data": {"items": []}}',
    "data with a cursor, and without": (
        '{"data": {"next_cursor": "x"}, "data": {"items": [{"id": "b"}]}}'
    ),
    "data with a list, and without": '{"data": {"items": [{"id": "b"}]}, "data": {"items": []}}',
}


@pytest.mark.parametrize("half", ["", HALF])
@pytest.mark.parametrize("decoder", [Shape([]), WholeRecords()], ids=["a shape", "whole"])
@pytest.mark.parametrize("answer", TWICE.values(), ids=TWICE)
def test_an_answer_that_says_a_thing_twice_is_refused(
    answer: str, decoder: Decoder, half: str
) -> None:
    with pytest.raises(UndecodableError, match="appears twice"):
        decoder.page(answer.replace("{", "{" + half, 1).encode())


@pytest.mark.parametrize("decoder", [Shape(["paused"]), WholeRecords()], ids=["a shape", "whole"])
@pytest.mark.parametrize(
    "record",
    [
        '{"id": "a", "paused": true, "paused": false}',
        '{"id": "a", "paused": false, "config": {"items": [], "items": [], "next_cursor": "x"}}',
    ],
)
def test_in_a_record_the_last_of_two_counts(record: str, decoder: Decoder) -> None:
    (listed,) = decoder.page(page_of(record)).items
    alone = decoder.single(record.encode())
    assert decoder.values([listed, alone], "paused") == [False, False]
    # As the API answers for one connection: nothing of a listing is said twice.
    answer = decoder.page(f'{{"code": "Success", "data": {record}}}'.encode())
    assert answer.problem == '"data.items" is missing, not an array'


def test_what_an_answer_says_of_itself_is_said_once() -> None:
    for said in ('"code": "Success", "code": "AuthFailed"', '"message": "m", "message": "n"'):
        for data in ("", ', "data": {"items": []}', ', "data": {"items": [{"id": "a"}]}'):
            for decoder in (Shape([]), WholeRecords()):
                with pytest.raises(UndecodableError, match="appears twice"):
                    decoder.page(f"{{{said}{data}}}".encode())


def test_what_was_met_before_is_nothing_to_the_next_page() -> None:
    decoder = shape()
    for _ in range(2):
        decoder.convert({"id": "a"})
        with pytest.raises(UndecodableError):
            decoder.page(page_of(RECORD % HALF.strip(", "))[:-9])
        assert decoder.ids(decoder.array(b'[{"id": "a"}, {"id": "b"}]')) == ["a", "b"]
        assert len(decoder.page(page_of(RECORD % '"config": {}')).items) == 1


@pytest.mark.parametrize("cursor", ["x", "", None, 5, True, ["x"], {"x": 1}])
def test_a_cursor_is_returned_as_written(cursor: Any) -> None:
    body = json.dumps({"code": "Success", "data": {"items": [], "next_cursor": cursor}}).encode()
    for decoder in (Shape([]), WholeRecords()):
        found = decoder.page(body)
        assert found.next_cursor == cursor
        assert found.problem == ""
