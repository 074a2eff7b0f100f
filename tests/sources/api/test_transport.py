"""Connections that fail, hang or trickle: tried again, left at the deadline, put in words."""

from __future__ import annotations

import errno
import gc
import random
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPSConnectionPool
from urllib3.exceptions import MaxRetryError

from tests.builders.bodies import BODY, WAYS, head_of
from tests.builders.fault_server import (
    HANG,
    RESET,
    FaultServer,
    Trickle,
    page,
    record,
    response,
)
from tests.builders.walks import refused, walk

GOOD = response(page([record(1)]))

# -- connections that fail --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"", "closed the connection"),
        (RESET, "closed the connection"),
        (b"HTTP/1.1 200 OK\r\nContent-", "on all 5 attempts"),
        (b"garbage\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 abc OK\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 20 OK\r\n\r\n", "not HTTP"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "not HTTP"),
        (b"\x00" * 100_000, "not HTTP"),
        (b"HTTP/1.1 200 " + b"x" * 70_000 + b"\r\n\r\n", "not HTTP"),
        (response(BODY, 200, *[f"X-{n}: {n}" for n in range(200)]), "too many headers"),
        (response(BODY, 200, "X: " + "x" * 70_000), "too many headers"),
        (response(b"zz\r\n", 200, "Transfer-Encoding: chunked", length=False), "cut"),
    ],
)
def test_a_connection_that_fails_is_tried_again(answer: Any, says: str) -> None:
    done, server = refused([answer])
    assert says in done.message
    assert "on all 5 attempts; check the network" in done.message
    assert len(server.requests) == 5
    assert done.naps == [1, 2, 4, 8]
    with FaultServer([answer, answer, GOOD]) as server:
        assert walk(server).ids == ["c1"]


def test_a_port_where_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    done = walk(f"http://127.0.0.1:{port}")
    assert f"connection refused by 127.0.0.1:{port}" in done.message
    assert len(done.naps) == 4


def test_a_name_that_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)  # a real look-up would leave loopback
    done = walk("https://api.fivetran.test")
    assert "the name of api.fivetran.test:443 was not found (DNS)" in done.message


def test_any_other_failure_names_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    def send(*_: object, **__: object) -> None:
        raise requests.ConnectionError(OSError(errno.EHOSTUNREACH, "No route to host"))

    monkeypatch.setattr(HTTPAdapter, "send", send)
    done = walk("https://api.fivetran.test")
    assert "the connection to api.fivetran.test:443 failed, on all 5 attempts" in done.message


def refusing(
    monkeypatch: pytest.MonkeyPatch, error: Exception, url: str = "https://api.fivetran.test"
) -> str:
    """Return what is said where the library raises ``error``."""

    def send(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(HTTPAdapter, "send", send)
    return walk(url, attempts=1, attempt_seconds=5).message


@pytest.mark.parametrize(
    ("url", "peer"),
    [
        ("https://api.fivetran.test/prefix", "api.fivetran.test:443"),
        ("https://api.fivetran.test:444", "api.fivetran.test:444"),
        ("http://localhost", "localhost:80"),
        ("http://[::1]:8080", "[::1]:8080"),
    ],
)
def test_a_server_is_named_with_its_port(
    monkeypatch: pytest.MonkeyPatch, url: str, peer: str
) -> None:
    said = refusing(monkeypatch, requests.ConnectionError(), url)
    assert f": the connection to {peer} failed;" in said


def test_what_is_wrapped_is_found_in_every_way_to_wrap(monkeypatch: pytest.MonkeyPatch) -> None:
    inner = ConnectionRefusedError()
    said = "connection refused by api.fivetran.test:443; check the network and run again"
    pool = HTTPSConnectionPool("api.fivetran.test")
    for outer in (
        requests.ConnectionError(inner),
        requests.ConnectionError(MaxRetryError(pool, "/", inner)),
    ):
        assert refusing(monkeypatch, outer).endswith(f": {said}")
    for link in ("__cause__", "__context__"):
        outer = requests.ConnectionError("x")
        setattr(outer, link, inner)
        assert refusing(monkeypatch, outer).endswith(f": {said}")


def test_causes_that_go_in_circles_are_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    inner = OSError(errno.EHOSTUNREACH, "No route to host")
    outer = requests.ConnectionError(inner)
    inner.__context__ = outer
    said = "the connection to api.fivetran.test:443 failed; check the network and run again"
    assert refusing(monkeypatch, outer).endswith(f": {said}")


def test_many_headers_are_not_a_fault() -> None:
    with FaultServer([response(BODY, 200, *[f"X-{n}: {n}" for n in range(90)])]) as server:
        assert walk(server).end


#: The library forgets a socket when a header's value makes no sense; it is closed when collected.
forgetful = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def _collected() -> Iterator[None]:
    yield
    gc.collect()


@forgetful
@pytest.mark.usefixtures("_collected")
def test_two_content_lengths_are_refused() -> None:
    done, _ = refused([response(BODY, 200, "Content-Length: 5, 6", length=False)])
    assert "not HTTP" in done.message


@forgetful
@pytest.mark.usefixtures("_collected")
@pytest.mark.parametrize("seed", range(40))
def test_no_bytes_whatever_crash_the_client(seed: int) -> None:
    dice = random.Random(seed)
    answer = bytearray(response(BODY, **dice.choice(list(WAYS.values()))))
    for _ in range(dice.randint(1, 30)):
        at = dice.randrange(min(len(answer), dice.choice([40, 200, len(answer)])))
        answer[at : at + dice.randint(0, 3)] = dice.randbytes(dice.randint(0, 3))
    with FaultServer([bytes(answer)]) as server:
        done = walk(server, attempts=1)
    if done.error:
        assert done.message


# -- slow ones --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        HANG,
        [response(BODY)[:200], HANG],
        [response(BODY, gzip=True)[:500], HANG],
        Trickle(response(BODY), every=0.02),
        Trickle(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, every=0.01),
        [response(BODY)[: head_of(response(BODY))], Trickle(BODY, every=0.02)],
        [response(BODY, gzip=True)[:200], Trickle(response(BODY, gzip=True)[200:], every=0.02)],
        [response(BODY, chunk=1)[:300], Trickle(response(BODY, chunk=1)[300:], every=0.02)],
        [response(b"", 503, "Content-Length: 4000", length=False), Trickle(BODY, every=0.02)],
    ],
)
def test_what_hangs_or_trickles_is_left_at_the_deadline(answer: Any) -> None:
    done, server = refused([answer], attempt_seconds=0.1, attempts=2)
    assert "no whole answer within 0.1 s, on all 2 attempts" in done.message or (
        "no answer from" in done.message
    )
    assert len(server.requests) == 2


def test_after_a_deadline_the_next_attempt_may_do() -> None:
    with FaultServer([HANG, Trickle(response(BODY), every=0.05), response(BODY)]) as server:
        assert len(walk(server, attempt_seconds=0.3).ids) == 24


def test_an_attempt_that_was_left_ends_by_itself() -> None:
    before = threading.enumerate()
    with FaultServer([HANG]) as server:
        assert walk(server, attempt_seconds=0.1, attempts=1).error
        for _ in range(1000):
            left = [t for t in threading.enumerate() if t.daemon and t not in before]
            if not left:
                return
            left[0].join(0.01)
    raise AssertionError("it still waits for an answer")
