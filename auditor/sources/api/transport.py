"""One GET over HTTP: a whole response, or the reason in plain words why there is none.

The library's adapter is used without its session: a session reads ``.netrc``, prepares redirects
and keeps cookies, none of which may happen to a request that carries the API key. The body is read
and unpacked here, because the library takes a truncated gzip stream for a complete one.
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import requests
import urllib3.exceptions
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_environ_proxies, select_proxy

from auditor.errors import UsageError
from auditor.sources.api.account import is_loopback
from auditor.sources.background import Background
from auditor.version import __version__

#: Bytes that are read from the connection, or unpacked, at a time.
_PIECE = 256 * 1024
#: Seconds that a request which is begun may take to be sent. Python runs one thread at a time.
_HEAD_START = 0.001
#: Bytes of an error's body that are read; the API's own have about a hundred.
_ERROR_BODY = 64 * 1024
#: Variables that name a file of certificates to trust, here and in other tools.
_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


class ExchangeError(Exception):
    """No whole response came; ``transient`` says whether the next attempt may get one."""

    def __init__(self, message: str, *, transient: bool) -> None:
        self.transient = transient
        super().__init__(message)


class Response(msgspec.Struct, frozen=True):
    """The server's response. An error's body is its first 64 KiB, or empty if it did not arrive."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Adapter(HTTPAdapter):
    """The library's adapter without its cookies: it reads them, and reports odd ones on stderr."""

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        """Return the response with its status, its headers and its body still to be read."""
        response = requests.Response()
        response.request, response.raw, response.status_code = req, resp, resp.status
        response.headers = CaseInsensitiveDict(resp.headers)
        return response


class Transport:
    """Makes single attempts at one server, on connections that are kept open in between.

    ``attempt_seconds`` limits an attempt from the name lookup to the body's last byte, however
    slowly it comes; ``body_bytes`` limits the unpacked body.
    """

    def __init__(
        self, base_url: str, authorization: str, *, attempt_seconds: float, body_bytes: int
    ) -> None:
        self._seconds = attempt_seconds
        self._begun: dict[str, Background[Response]] = {}
        self._limit = body_bytes
        # One for each list that may be read at the same time, and one for the connections.
        self._adapter = _Adapter(pool_maxsize=16)
        self._verify = _certificates(os.environ)
        self._proxies = _proxies(base_url)
        self._peers = _Peers(
            _host_and_port(base_url), _host_and_port(select_proxy(base_url, self._proxies) or "")
        )
        headers = {
            "Accept": "application/json;version=2",
            "Accept-Encoding": "gzip",
            "Authorization": authorization,
            "User-Agent": f"fivetran-auditor/{__version__}",
        }
        self._request = requests.Request("GET", base_url, headers=headers).prepare()

    def begin(self, url: str) -> None:
        """Ask for ``url`` now; the next ``get`` of it waits for this attempt.

        The caller has other things to do, which would delay a request that is not sent yet.
        """
        self._begun[url] = attempt = Background(lambda: self._exchange(url))
        attempt.ended(_HEAD_START)

    def get(self, url: str) -> Response:
        """Ask for ``url`` once. Raises ExchangeError."""
        attempt = self._begun.pop(url, None) or Background(lambda: self._exchange(url))
        # A socket's own timeout restarts with every byte, so a trickle would outlast it.
        if not attempt.ended(self._seconds):
            raise ExchangeError(f"no whole answer within {self._seconds:g} s", transient=True)
        return attempt.result()

    def close(self) -> None:
        """Close the connections that are idle."""
        self._adapter.close()

    def _exchange(self, url: str) -> Response:
        request = self._request.copy()
        request.prepare_url(url, None)
        try:
            response = self._adapter.send(
                request,
                stream=True,
                timeout=self._seconds,
                verify=self._verify,
                proxies=self._proxies,
            )
            try:
                return self._take(response)
            finally:
                response.close()
        except (
            requests.RequestException,
            urllib3.exceptions.HTTPError,
            http.client.HTTPException,
            OSError,
            ValueError,  # http.client's result for a chunk with a negative size.
        ) as error:
            raise _explained(error, self._peers) from error

    def _take(self, response: requests.Response) -> Response:
        encoding = response.headers.get("Content-Encoding", "")
        if response.status_code == 200:
            body = _body(response.raw, encoding, self._limit)
        else:
            try:
                body = _body(response.raw, encoding, _ERROR_BODY)
            except (ExchangeError, urllib3.exceptions.HTTPError, OSError, ValueError):
                body = b""  # The status alone is enough.
        return Response(response.status_code, response.headers, body)


def _certificates(environ: Mapping[str, str]) -> str | bool:
    """Return the file or folder of certificates to trust, or True for those of the library."""
    for name in _CA_VARIABLES:
        if path := environ.get(name):
            if not Path(path).exists():
                raise UsageError(f"{name} names a file that is not there; correct or unset it")
            return path
    return True


def _proxies(base_url: str) -> dict[str, str]:
    """Return the environment's proxies for ``base_url``; loopback is always reached directly."""
    if is_loopback(urlsplit(base_url).hostname or ""):
        return {}
    proxies = get_environ_proxies(base_url)
    if proxy := select_proxy(base_url, proxies):
        proxy = proxy if "://" in proxy else f"http://{proxy}"
        if not (proxy.lower().startswith(("http://", "https://")) and _host_and_port(proxy)):
            raise UsageError(
                "the proxy that the environment names (HTTPS_PROXY, ALL_PROXY) is not an "
                "http:// or https:// address; correct or unset it"
            )
        return {"all": proxy}
    return {}


def _host_and_port(url: str) -> str:
    """Return ``host:port`` of ``url``, or "" if it has none."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    except ValueError:
        return ""
    host = parts.hostname or ""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}" if host else ""


# -- bodies -----------------------------------------------------------------------------------


def _body(raw: Any, encoding: str, limit: int) -> bytes:
    """Return the whole body, unpacked; ``raw`` is the library's response beneath."""
    pieces: Iterator[bytes] = iter(lambda: raw.read(_PIECE, decode_content=False), b"")
    match encoding.strip().lower():
        case "" | "identity":
            pass
        case "gzip" | "x-gzip":
            pieces = _unpacked(pieces)
        case _:
            raise ExchangeError(
                "the body has an encoding that was not requested (Content-Encoding); check what "
                "is between here and the API",
                transient=False,
            )
    whole, size = [], 0
    for piece in pieces:
        whole.append(piece)
        size += len(piece)
        if size > limit:
            raise ExchangeError(
                f"the body is larger than {limit / 2**20:g} MiB; ask for less with --page-size",
                transient=False,
            )
    # Version 1 of the underlying library does not check it.
    if raw.length_remaining:
        raise ExchangeError("the body was cut", transient=True)
    return b"".join(whole)


def _unpacked(pieces: Iterator[bytes]) -> Iterator[bytes]:
    member = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        for piece in pieces:
            rest = piece
            while rest:
                if member.eof:
                    member = zlib.decompressobj(zlib.MAX_WBITS | 16)
                yield member.decompress(rest, _PIECE)
                rest = member.unconsumed_tail or member.unused_data
    except zlib.error as error:
        raise ExchangeError("the gzip body is corrupt", transient=True) from error
    if not member.eof:
        raise ExchangeError("the gzip body was cut", transient=True)


# -- faults in words --------------------------------------------------------------------------


class _Peers(msgspec.Struct, frozen=True):
    """The servers of a request, as ``host:port``; ``proxy`` is empty without one."""

    server: str
    proxy: str


def _explained(error: BaseException, peers: _Peers) -> ExchangeError:
    causes = list(_causes(error))
    peer = peers.server
    if any(isinstance(cause, urllib3.exceptions.ProxyError) for cause in causes):
        peer = f"the proxy {peers.proxy}"
        if refusal := next(filter(None, map(_tunnel_refusal, causes)), ""):
            transient = refusal.startswith("5")
            advice = "; check the user and password in the proxy variable" * (refusal == "407")
            return ExchangeError(f"{peer} answered HTTP {refusal}{advice}", transient=transient)
    for kinds, words, transient in _FAULTS:
        for cause in causes:
            if isinstance(cause, kinds):
                return ExchangeError(words(peer, cause), transient=transient)
    return ExchangeError(f"the connection to {peer} failed", transient=True)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield ``error`` and the errors wrapped in it; the libraries wrap in four ways."""
    waiting, seen = [error], set()
    while waiting:
        cause = waiting.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        inner = (getattr(cause, "reason", None), *cause.args, cause.__cause__, cause.__context__)
        waiting.extend(item for item in inner if isinstance(item, BaseException))


def _tunnel_refusal(cause: BaseException) -> str:
    """Return the status from the only form in which ``http.client`` reports it."""
    text = str(cause) if type(cause) is OSError else ""
    return text.partition("Tunnel connection failed: ")[2][:3]


def _certificate(peer: str, cause: BaseException) -> str:
    detail = getattr(cause, "verify_message", "") or "it is for another name"
    return (
        f"TLS: the certificate of {peer} is not trusted: {detail}; if your network has its own "
        "authority, name its file in REQUESTS_CA_BUNDLE"
    )


_Words = Callable[[str, BaseException], str]
#: The first row that matches any of the causes applies; the flag says whether to try again.
_FAULTS: tuple[tuple[tuple[type[BaseException], ...], _Words, bool], ...] = (
    ((ssl.SSLCertVerificationError,), _certificate, False),
    (
        (ssl.SSLEOFError, ssl.SSLZeroReturnError),
        lambda peer, _: f"{peer} closed the connection",
        True,
    ),
    (
        (ssl.SSLError, urllib3.exceptions.SSLError),
        lambda peer, _: (
            f"TLS: no secure connection to {peer} could be agreed on; "
            "check --base-url and the proxy variables"
        ),
        False,
    ),
    ((socket.gaierror,), lambda peer, _: f"the name of {peer} was not found (DNS)", True),
    ((ConnectionRefusedError,), lambda peer, _: f"connection refused by {peer}", True),
    (
        (TimeoutError, requests.Timeout, urllib3.exceptions.TimeoutError),
        lambda peer, _: f"no answer from {peer} in time",
        True,
    ),
    (
        (http.client.IncompleteRead, urllib3.exceptions.IncompleteRead),
        lambda _peer, _: "the body was cut",
        True,
    ),
    ((ConnectionError,), lambda peer, _: f"{peer} closed the connection", True),
    (
        (http.client.HTTPException, urllib3.exceptions.InvalidHeader, ValueError),
        lambda peer, _: f"what {peer} answered is not HTTP, or has too many headers",
        True,
    ),
)
