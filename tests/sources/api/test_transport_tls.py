"""What is sent to whom: no .netrc, no cookies, proxies that are hostile, certificates."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from auditor.errors import UsageError
from tests.builders.certificates import certificate, certified
from tests.builders.fault_server import (
    HANG,
    KEEP,
    RESET,
    Answer,
    FaultServer,
    StartTls,
    kept,
    page,
    record,
    response,
)
from tests.builders.walks import CREDENTIALS, walk

GOOD = response(page([record(1)]))
BODY = page(map(record, range(24)))

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
        (
            response(b"", 407, "Proxy-Authenticate: Basic"),
            "HTTP 407; check the user and password in the proxy variable",
            1,
        ),
        (response(b"", "403 hunter2 \x1b[31m"), "answered HTTP 403", 1),
        (response(b"", "403 Tunnel connection failed: 502"), "answered HTTP 403", 1),
        (b"Tunnel connection failed: 403 No\r\n\r\n", "is not HTTP", 5),
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


def test_a_proxy_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setenv("HTTPS_PROXY", f"http://someone:hunter2@127.0.0.1:{port}")
    done = walk(API)
    assert f"connection refused by the proxy 127.0.0.1:{port}, on all 5 attempts" in done.message


def test_a_proxy_that_speaks_no_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultServer([[b"HTTP/1.1 200 OK\r\n\r\n", KEEP], [b"hunter2" * 99, HANG]]) as proxy:
        proxied(monkeypatch, proxy)
        done = walk(API)
        assert proxy.connections == 1
    assert "TLS: no secure connection to api.fivetran.test:443" in done.message
    assert "hunter2" not in done.message


def test_a_proxy_that_does_its_work(monkeypatch: pytest.MonkeyPatch) -> None:
    tunnel: Answer = [b"HTTP/1.1 200 OK\r\n\r\n", StartTls(certified("loopback"))]
    with FaultServer([tunnel, kept(page([record(1)]))]) as proxy:
        proxied(monkeypatch, proxy)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", certificate("loopback"))
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
def test_an_invalid_proxy_is_a_usage_error(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(UsageError) as caught:
        walk(API)
    assert str(caught.value) == (
        "the proxy that the environment names (HTTPS_PROXY, ALL_PROXY) is not an "
        "http:// or https:// address; correct or unset it"
    )


@pytest.mark.parametrize("scheme", ["", "http://", "HTTP://"])
def test_a_proxy_may_be_named_without_its_scheme(
    monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    with FaultServer([response(b"", 403)]) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"{scheme}someone:hunter2@127.0.0.1:{proxy.port}")
        done = walk(API)
    assert f"the proxy 127.0.0.1:{proxy.port} answered HTTP 403" in done.message
    assert len(proxy.requests) == 1


def test_a_proxy_may_be_asked_over_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultServer([response(b"", 403)], tls=certified("loopback")) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"https://127.0.0.1:{proxy.port}")
        done = walk(API, attempts=1)
        assert proxy.connections == 1
    assert f"127.0.0.1:{proxy.port} is not trusted" in done.message


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


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_certificate_that_the_environment_trusts(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, certificate("loopback"))
    with FaultServer([GOOD], tls=certified("loopback")) as server:
        assert walk(server).ids == ["c1"]


@pytest.mark.parametrize(("name", "trusted"), [("loopback", False), ("elsewhere", True)])
def test_any_other_certificate_ends_the_run_at_once(
    monkeypatch: pytest.MonkeyPatch, name: str, trusted: bool
) -> None:
    if trusted:  # but made out to another name
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", certificate(name))
    with FaultServer([GOOD], tls=certified(name)) as server:
        done = walk(server)
        assert server.connections == 1
        assert server.requests == []
    said = "mismatch" if trusted else "self-signed certificate"
    assert f"TLS: the certificate of 127.0.0.1:{server.port} is not trusted: " in done.message
    assert said in done.message.replace("self signed", "self-signed")
    assert done.message.endswith(
        "; if your network has its own authority, name its file in REQUESTS_CA_BUNDLE"
    )
    assert done.naps == []


def test_an_untrusted_certificate_without_details_is_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def send(*_: object, **__: object) -> None:
        raise requests.exceptions.SSLError(ssl.SSLCertVerificationError("no"))

    monkeypatch.setattr(HTTPAdapter, "send", send)
    assert "is not trusted: it is for another name; if" in walk(API).message


def test_plain_http_on_a_tls_port_ends_the_run_at_once() -> None:
    with FaultServer([[response(b"", 400), HANG]]) as server:
        done = walk(server.url.replace("http:", "https:"))
        assert server.connections == 1
    assert "TLS: no secure connection" in done.message


def test_a_body_cut_under_tls_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certificate("loopback"))
    whole = response(BODY)
    with FaultServer([whole[:-9], [whole[:-9], RESET], whole], certified("loopback")) as server:
        assert len(walk(server).ids) == 24


def test_a_bundle_that_is_not_there_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such/file")
    with pytest.raises(UsageError, match="REQUESTS_CA_BUNDLE"):
        walk("https://127.0.0.1:1")
