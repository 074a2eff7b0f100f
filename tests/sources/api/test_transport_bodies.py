"""Bodies: whole in any packing; cut, corrupt, huge or no listing at all."""

from __future__ import annotations

import gzip
import io
import re
import tracemalloc
import zlib
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from auditor.sources.api.transport import Transport
from tests.builders.bodies import BODY, WAYS, head_of
from tests.builders.fault_server import (
    HANG,
    RESET,
    FaultServer,
    kept,
    page,
    record,
    response,
)
from tests.builders.walks import CREDENTIALS, refused, walk

# -- whole bodies -----------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_a_whole_body_is_read_however_it_comes(way: str) -> None:
    with FaultServer([response(BODY, **WAYS[way])]) as server:
        assert len(walk(server).ids) == 24
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(BODY[:99], mtime=0) + gzip.compress(BODY[99:], mtime=0),
        gzip.compress(BODY, 0, mtime=0),
        gzip.compress(BODY, mtime=0) + gzip.compress(b"", mtime=0),
    ],
)
@pytest.mark.parametrize("name", ["gzip", "GZip", "x-gzip"])
def test_gzip_in_any_form(body: bytes, name: str) -> None:
    with FaultServer([response(body, 200, f"Content-Encoding: {name}")]) as server:
        assert len(walk(server).ids) == 24


@pytest.mark.parametrize("name", ["identity", "Identity", ""])
def test_a_body_that_is_said_to_be_in_no_packing(name: str) -> None:
    with FaultServer([response(BODY, 200, f"Content-Encoding: {name}")]) as server:
        assert len(walk(server).ids) == 24


def test_a_byte_order_mark_is_fine() -> None:
    with FaultServer([response(b"\xef\xbb\xbf" + BODY)]) as server:
        assert len(walk(server).ids) == 24


@pytest.mark.parametrize("content_type", ["text/html", "", "application/xml; charset=utf-16"])
def test_what_parses_counts_whatever_it_is_called(content_type: str) -> None:
    with FaultServer([response(BODY, 200, f"Content-Type: {content_type}")]) as server:
        assert len(walk(server).ids) == 24


def test_one_connection_serves_all_pages_and_attempts() -> None:
    script = [
        kept(b"", 503),
        kept(page([record(1)], "a"), gzip=True),
        kept(page([record(2)], "b"), chunk=9),
        kept(page([record(3)])),
    ]
    with FaultServer(script) as server:
        assert walk(server).ids == ["c1", "c2", "c3"]
        assert server.connections == 1


# -- cut bodies -------------------------------------------------------------------------------


def cuts() -> list[Any]:
    found = []
    for way, how in WAYS.items():
        whole = response(BODY, **how)
        ends = [*range(head_of(whole), len(whole), 100), len(whole) - 1]
        if "chunked" in way:  # what follows the last chunk is not the body's
            ends = [end for end in ends if end < len(whole) - 7]
        found += [pytest.param(way, end, id=f"{way}-{end}") for end in ends]
    return found


@pytest.mark.parametrize(("way", "end"), cuts())
def test_a_cut_body_is_asked_for_again(way: str, end: int) -> None:
    whole = response(BODY, **WAYS[way])
    with FaultServer([whole[:end], whole]) as server:
        done = walk(server)
        assert len(server.requests) == 2
    assert len(done.ids) == 24
    assert done.naps == [1]


@pytest.mark.parametrize("way", WAYS)
def test_a_body_that_is_always_cut_is_given_up(way: str) -> None:
    done, server = refused([response(BODY, **WAYS[way])[:-200]])
    assert "on all 5 attempts" in done.message
    assert len(server.requests) == 5
    assert done.events == []


def test_a_body_may_lose_nothing_but_the_gzip_trailer() -> None:
    packed = gzip.compress(BODY)
    for lost in range(1, 9):
        done, _ = refused([response(packed[:-lost], 200, "Content-Encoding: gzip")], attempts=1)
        assert ": the gzip body was cut; check" in done.message


def test_a_reset_in_the_middle_is_asked_for_again() -> None:
    whole = response(BODY)
    with FaultServer([[whole[:2000], RESET], whole]) as server:
        assert len(walk(server).ids) == 24


@pytest.mark.parametrize("at", range(0, 1400, 100))
def test_corrupt_gzip_is_asked_for_again(at: int) -> None:
    packed = bytearray(gzip.compress(BODY))
    packed[at] ^= 0xFF
    bad = response(bytes(packed), 200, "Content-Encoding: gzip")
    with FaultServer([bad, response(BODY, gzip=True)]) as server:
        assert len(walk(server).ids) == 24
        # A flipped bit in the header's time or system is no fault of the body.
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    "answer",
    [
        response(b'{"code":', 401, "Content-Length: 50", length=False),
        response(BODY, 401, "Content-Encoding: gzip"),
        response(BODY, 401, "Content-Encoding: br"),
    ],
    ids=["cut", "corrupt", "packed"],
)
def test_an_error_whose_body_cannot_be_read_has_none(answer: bytes) -> None:
    with FaultServer([answer]) as server:
        transport = Transport(server.url, "", attempt_seconds=20, body_bytes=2**20)
        got = transport.get(server.url)
        transport.close()
    assert (got.status, got.body) == (401, b"")


def test_garbage_after_the_gzip_body_is_corrupt() -> None:
    body = gzip.compress(BODY) + b"garbage"
    done, _ = refused([response(body, 200, "Content-Encoding: gzip")])
    assert ": the gzip body is corrupt, on all 5 attempts" in done.message


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "zstd", "compress", "\x80"])
def test_a_packing_that_was_not_asked_for_is_refused(encoding: str) -> None:
    body = response(zlib.compress(BODY), 200, f"Content-Encoding: {encoding}")
    done, server = refused([body])
    assert done.message.endswith(
        ": the body has an encoding that was not requested (Content-Encoding); check what "
        "is between here and the API"
    )
    assert len(server.requests) == 1


# -- bodies that are no listing ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", ""),
        (b"  \xef\xbb\xbf\n", ""),
        (b"<html>\n<h1>Sign in</h1>\x1b[31m", r"; it starts with: <html> <h1>Sign in</h1>\x1b[31m"),
        (b"\xef\xbb\xbf \r\n\tXylophones ", "; it starts with: Xylophones"),
        (b"<p>" * 1000, f"; it starts with: {('<p>' * 27)[:79]}\u2026"),
        (b"Basic c2VjcmV0c2VjcmV0c2VjcmV0", "; it starts with: [redacted]"),
        # What is JSON, or was, may hold anything.
        (b'{"code":"Success","data":{"items":[{"id":"hunter2"', ""),
        (b'\n["hunter2", ', ""),
        (CREDENTIALS.secret.encode(), "; it starts with: [redacted]"),
    ],
)
def test_a_body_that_is_not_json_is_asked_for_again(body: bytes, says: str) -> None:
    done, server = refused([response(body)])
    _, _, told = done.message.partition(": the body is not an API response: ")
    again = "on all 5 attempts; check the network and run again"
    assert re.fullmatch(rf"not JSON: [^;]+ at byte \d+{re.escape(says)}, {again}", told)
    assert "hunter2" not in done.message
    assert "c2VjcmV0" not in done.message
    assert len(server.requests) == 5


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (BODY.replace(b"false", b"NaN", 1), "NaN"),
        (BODY.replace(b"false", b"-Infinity", 1), "Infinity"),
        (BODY.replace(b"postgres", b"\xff\xfe", 1), "UTF-8"),
        (BODY.replace(b"postgres", b"\xed\xa0\x80", 1), "UTF-8"),
        (BODY.replace(b"false", b"[" * 100_000 + b"]" * 100_000, 1), "nested"),
    ],
)
def test_a_body_that_will_never_do_is_asked_for_once(body: bytes, says: str) -> None:
    done, server = refused([response(body)])
    assert says in done.message
    assert len(server.requests) == 1


def test_what_is_not_text_is_shown_as_far_as_it_is() -> None:
    done, _ = refused([response(b"\xff<p>")])
    assert done.message.endswith(": not UTF-8 at byte 0; it starts with: \ufffd<p>")


@pytest.mark.parametrize("how", [{}, {"gzip": True}, {"chunk": 4096}])
def test_a_body_over_the_cap_is_refused(how: dict[str, Any]) -> None:
    done, server = refused([response(b" " * 200_001, **how)], page_bytes=200_000)
    size = f"{200_000 / 2**20:g} MiB"
    assert done.message.endswith(f": the body is larger than {size}; ask for less with --page-size")
    assert len(server.requests) == 1


@pytest.mark.parametrize("how", [{"length": False}, {"chunk": 4096}])
def test_a_body_over_the_cap_is_not_read_to_its_end(how: dict[str, Any]) -> None:
    # There is none: whoever waits for it waits until the deadline.
    endless = response(b" " * 2_000_000, **how).removesuffix(b"0\r\n\r\n")
    done, _ = refused([[endless, HANG]], page_bytes=1_000_000, attempt_seconds=5)
    assert "the body is larger than" in done.message


def test_a_body_of_exactly_the_cap_is_read() -> None:
    with FaultServer([response(BODY, gzip=True)]) as server:
        assert walk(server, page_bytes=len(BODY)).end


BOMB = gzip.compress(bytes(50 * 2**20)) * 4


@pytest.mark.parametrize(
    ("status", "says"), [(200, "larger than 1 MiB"), (302, "evil.example"), (401, "HTTP 401")]
)
def test_a_bomb_is_refused_before_it_goes_off(status: int, says: str) -> None:
    headers = ("Content-Encoding: gzip", "Location: https://evil.example")
    with FaultServer([response(BOMB, status, *headers)]) as server:
        walk(server, page_bytes=2**20)  # what is imported on first use is not the bomb's
        tracemalloc.start()
        try:
            done = walk(server, page_bytes=2**20)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert says in done.message
    assert peak < 5 * 2**20


def test_a_cut_that_the_library_beneath_does_not_see_is_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Cut(io.BytesIO):
        """As the library's first version gives it: the end of the stream, and no error."""

        length_remaining = 5

        def read(self, size: int | None = -1, decode_content: bool = True) -> bytes:
            return super().read(size)

    def send(*_: object, **__: object) -> requests.Response:
        answer = requests.Response()
        answer.status_code, answer.raw = 200, Cut(BODY)
        return answer

    monkeypatch.setattr(HTTPAdapter, "send", send)
    done = walk("https://api.fivetran.test")
    assert "the body was cut, on all 5 attempts" in done.message
    Cut.length_remaining = 0
    assert len(walk("https://api.fivetran.test").ids) == 24
