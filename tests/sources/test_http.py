"""One attempt: bodies that are cut, packed, huge or slow; connections that fail; proxies; TLS."""

from __future__ import annotations

import gc
import gzip
import random
import socket
import ssl
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from auditor.errors import UsageError
from tests.sources.fault_server import (
    HANG,
    KEEP,
    RESET,
    FaultServer,
    StartTls,
    Trickle,
    kept,
    page,
    record,
    response,
)
from tests.sources.walking import CREDENTIALS, refused, walk

HERE = Path(__file__).parent
_RANDOM = random.Random(7)
#: Some 4 kB, and hard to pack, so that a cut at any place cuts something.
BODY = page(record(n, noise=_RANDOM.randbytes(40).hex()) for n in range(24))
GOOD = response(page([record(1)]))
WAYS: dict[str, dict[str, Any]] = {
    "plain": {},
    "chunked": {"chunk": 300},
    "gzip": {"gzip": True},
    "gzip chunked": {"gzip": True, "chunk": 300},
    "gzip to the close": {"gzip": True, "length": False},
    "plain to the close": {"length": False},
}


def head_of(whole: bytes) -> int:
    return whole.index(b"\r\n\r\n") + 4


# -- whole bodies -----------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_a_whole_body_is_read_however_it_comes(way: str) -> None:
    with FaultServer([response(BODY, **WAYS[way])]) as server:
        assert len(walk(server).ids) == 24
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(BODY[:99]) + gzip.compress(BODY[99:]),
        gzip.compress(BODY, 0),
        gzip.compress(BODY) + gzip.compress(b""),
    ],
)
@pytest.mark.parametrize("name", ["gzip", "GZip", "x-gzip"])
def test_gzip_in_any_form(body: bytes, name: str) -> None:
    with FaultServer([response(body, 200, f"Content-Encoding: {name}")]) as server:
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
        assert "gzip body was cut" in done.message


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


def test_garbage_after_the_gzip_body_is_corrupt() -> None:
    body = gzip.compress(BODY) + b"garbage"
    done, _ = refused([response(body, 200, "Content-Encoding: gzip")])
    assert "corrupt" in done.message


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "zstd", "compress", "\x80"])
def test_a_packing_that_was_not_asked_for_is_refused(encoding: str) -> None:
    body = response(zlib.compress(BODY), 200, f"Content-Encoding: {encoding}")
    done, server = refused([body])
    assert "Content-Encoding" in done.message
    assert len(server.requests) == 1


# -- bodies that are no listing ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "not JSON"),
        (b"<html>\n<h1>Sign in</h1>\x1b[31m", r"it starts with: <html> <h1>Sign in</h1>\x1b[31m"),
        (b"<p>" * 1000, "it starts with: <p><p>"),
        (b"Basic c2VjcmV0c2VjcmV0c2VjcmV0", "not JSON"),
        (b'{"code":"Success","data":{"items":[{"id":"hunter2"', "not JSON"),
        (b"  \xef\xbb\xbf", "not JSON"),
        (CREDENTIALS.secret.encode(), "it starts with: [redacted]"),
    ],
)
def test_a_body_that_is_not_json_is_asked_for_again(body: bytes, says: str) -> None:
    done, server = refused([response(body)])
    assert says in done.message
    assert "hunter2" not in done.message
    assert "c2VjcmV0" not in done.message
    assert len(server.requests) == 5
    assert len(done.message) < 400


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


@pytest.mark.parametrize("how", [{}, {"gzip": True}, {"chunk": 4096}])
def test_a_body_over_the_cap_is_refused(how: dict[str, Any]) -> None:
    done, server = refused([response(b" " * 200_001, **how)], page_bytes=200_000)
    assert "larger than" in done.message
    assert "--page-size" in done.message
    assert len(server.requests) == 1


def test_a_body_of_exactly_the_cap_is_read() -> None:
    with FaultServer([response(BODY, gzip=True)]) as server:
        assert walk(server, page_bytes=len(BODY)).end


def test_a_bomb_is_refused_before_it_goes_off() -> None:
    member = gzip.compress(bytes(50 * 2**20))
    body = response(member * 200, 200, "Content-Encoding: gzip")  # 10 GiB in 10 MB
    done, _ = refused([body], page_bytes=2**20)
    assert "larger than 1 MiB" in done.message


def test_a_bomb_in_an_error_or_a_redirect_does_no_harm() -> None:
    bomb = gzip.compress(bytes(50 * 2**20)) * 20
    for status in (302, 401):
        body = response(bomb, status, "Content-Encoding: gzip", "Location: https://evil.example")
        done, _ = refused([body])
        assert f"HTTP {status}" in done.message


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


def test_many_headers_are_no_fault() -> None:
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
def test_two_lengths_are_none() -> None:
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


# -- what must never be sent, and where -------------------------------------------------------


def test_netrc_is_never_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (".netrc", "_netrc"):
        netrc = tmp_path / name
        netrc.write_text("default login thief password hunter2\n")
        netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with FaultServer([response(b"", 302, "Location: /elsewhere")]) as server:
        walk(server)
        assert [r.headers["authorization"] for r in server.requests] == [CREDENTIALS.authorization]


def test_cookies_are_not_kept() -> None:
    first = kept(page([record(1)], "a"), 200, "Set-Cookie: a=b; Path=/")
    with FaultServer([first, GOOD]) as server:
        assert walk(server).pages
        assert "cookie" not in server.requests[1].headers


# -- proxies ----------------------------------------------------------------------------------

API = "https://api.fivetran.test"


def proxied(
    monkeypatch: pytest.MonkeyPatch, server: FaultServer, variable: str = "HTTPS_PROXY"
) -> None:
    monkeypatch.setenv(variable, f"http://someone:hunter2@127.0.0.1:{server.port}")


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
@pytest.mark.parametrize(
    ("answer", "says", "asked"),
    [
        (response(b"", 407, "Proxy-Authenticate: Basic"), "HTTP 407; check the user", 1),
        (response(b"", "403 hunter2 \x1b[31m"), "answered HTTP 403", 1),
        (response(b"", 502), "answered HTTP 502, on all 5", 5),
        (response(b"", 302, "Location: https://evil.example"), "answered HTTP 302", 1),
        (b"", "closed the connection", 5),
        (RESET, "closed the connection", 5),
        (b"hunter2\r\n\r\n", "on all 5 attempts", 5),
    ],
)
def test_a_hostile_proxy(
    monkeypatch: pytest.MonkeyPatch, variable: str, answer: Any, says: str, asked: int
) -> None:
    with FaultServer([answer]) as proxy:
        proxied(monkeypatch, proxy, variable)
        done = walk(API)
    assert says in done.message
    assert "hunter2" not in done.message
    assert "someone" not in done.message
    assert len(proxy.requests) == asked
    assert {request.method for request in proxy.requests} == {"CONNECT"}
    assert all("authorization" not in request.headers for request in proxy.requests)


def test_a_proxy_that_speaks_no_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultServer([[b"HTTP/1.1 200 OK\r\n\r\n", KEEP], [b"hunter2" * 99, HANG]]) as proxy:
        proxied(monkeypatch, proxy)
        done = walk(API)
        assert proxy.connections == 1
    assert "TLS: no secure connection to api.fivetran.test:443" in done.message
    assert "hunter2" not in done.message


def test_a_proxy_that_does_its_work(monkeypatch: pytest.MonkeyPatch) -> None:
    tunnel = [b"HTTP/1.1 200 OK\r\n\r\n", StartTls(certified("loopback"))]
    with FaultServer([tunnel, kept(page([record(1)]))]) as proxy:
        proxied(monkeypatch, proxy)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(HERE / "loopback.pem"))
        assert walk(API).ids == ["c1"]
    connect, get = proxy.requests
    assert (connect.method, connect.target) == ("CONNECT", "api.fivetran.test:443")
    assert connect.headers["proxy-authorization"].startswith("Basic ")
    assert get.headers["authorization"] == CREDENTIALS.authorization
    assert "proxy-authorization" not in get.headers


def test_loopback_is_never_asked_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultServer([GOOD]) as proxy, FaultServer([GOOD]) as server:
        for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            proxied(monkeypatch, proxy, variable)
        assert walk(server).ids == ["c1"]
        assert proxy.connections == 0


@pytest.mark.parametrize(
    "proxy", ["ftp://u:hunter2@x", "socks5://u:hunter2@x", "http://u:hunter2@", "http://[hunter2"]
)
def test_a_proxy_that_is_none_is_a_usage_error(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(UsageError, match="HTTPS_PROXY") as caught:
        walk(API)
    assert "hunter2" not in str(caught.value)


def test_no_proxy_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def unknown(host: object, *_: object, **__: object) -> None:
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with FaultServer([GOOD]) as proxy:
        proxied(monkeypatch, proxy)
        monkeypatch.setenv("NO_PROXY", "fivetran.test")
        monkeypatch.setattr(socket, "getaddrinfo", unknown)
        assert "DNS" in walk(API, attempts=1).message
        assert proxy.connections == 0
    assert asked == ["api.fivetran.test"]


# -- TLS --------------------------------------------------------------------------------------


def certified(name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(HERE / f"{name}.pem")
    return context


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_certificate_that_the_environment_trusts(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, str(HERE / "loopback.pem"))
    with FaultServer([GOOD], tls=certified("loopback")) as server:
        assert walk(server).ids == ["c1"]


@pytest.mark.parametrize(("name", "trusted"), [("loopback", False), ("elsewhere", True)])
def test_any_other_certificate_ends_the_run_at_once(
    monkeypatch: pytest.MonkeyPatch, name: str, trusted: bool
) -> None:
    if trusted:  # but made out to another name
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(HERE / f"{name}.pem"))
    with FaultServer([GOOD], tls=certified(name)) as server:
        done = walk(server)
        assert server.connections == 1
        assert server.requests == []
    assert "TLS: the certificate of 127.0.0.1" in done.message
    assert done.naps == []


def test_plain_http_on_a_tls_port_ends_the_run_at_once() -> None:
    with FaultServer([[response(b"", 400), HANG]]) as server:
        done = walk(server.url.replace("http:", "https:"))
        assert server.connections == 1
    assert "TLS: no secure connection" in done.message


def test_a_body_cut_under_tls_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(HERE / "loopback.pem"))
    whole = response(BODY)
    with FaultServer([whole[:-9], [whole[:-9], RESET], whole], certified("loopback")) as server:
        assert len(walk(server).ids) == 24


def test_a_bundle_that_is_not_there_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such/file")
    with pytest.raises(UsageError, match="REQUESTS_CA_BUNDLE"):
        walk("https://127.0.0.1:1")
