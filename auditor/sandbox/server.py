"""The API on a socket: HTTP/1.1 with keep-alive, a thread per connection, loopback only."""

from __future__ import annotations

import gzip as gzip_format
import ipaddress
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import TCPServer, ThreadingMixIn
from types import TracebackType
from typing import Any, Self

from auditor.errors import UsageError
from auditor.sandbox.answers import Answer, error
from auditor.sandbox.api import Api
from auditor.sandbox.estate import SandboxEstate
from auditor.sandbox.faults import parse
from auditor.sandbox.reach import WHOLE, reach_of

#: Made up, and of the length of real ones. They open nothing but a sandbox.
FAKE_KEY = "SandboxNotAKey00"
FAKE_SECRET = "SandboxSecretThatOpensNothing000"

# Level 1 is a third of the work of the default, for a tenth more bytes.
_GZIP_LEVEL = 1
_SECONDS_TO_STOP = 5.0
_SECONDS_BETWEEN_LOOKS = 0.05


@dataclass(eq=False)
class Sandbox:
    """Serves an estate on loopback while its ``with`` block runs.

    ``port`` 0 takes a free one. ``latency`` is in seconds and delays each response. ``gzip``
    compresses for clients that accept it. ``hourly_limit`` refuses what goes beyond it within a
    rolling hour. ``fault`` is a name in ``FAULTS``, for the listing of connections, or one with its
    endpoint before it (``groups:forbidden``), or several of these. ``reach`` says whose key it is,
    by a name in ``REACHES``. Raises UsageError for what cannot be served.
    """

    estate: SandboxEstate
    _: KW_ONLY
    host: str = "127.0.0.1"
    port: int = 0
    key: str = FAKE_KEY
    secret: str = field(default=FAKE_SECRET, repr=False)
    latency: float = 0.0
    gzip: bool = False
    hourly_limit: int | None = None
    fault: str | Sequence[str] | None = None
    reach: str = WHOLE
    _requests: list[str] = field(default_factory=list, init=False, repr=False)
    _server: _Server | None = field(default=None, init=False, repr=False)
    _thread: threading.Thread | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        if not _is_loopback(self.host):
            raise UsageError(
                f"a sandbox on {self.host}: its key is public, so it serves loopback only; "
                "write 127.0.0.1"
            )
        parse(self._fault_texts())
        reach_of(self.reach)
        if self.latency < 0:
            raise UsageError(f"a latency of {self.latency} s: write 0 or more")
        if self.hourly_limit is not None and self.hourly_limit < 1:
            raise UsageError(f"an hourly limit of {self.hourly_limit}: write 1 or more")

    def _fault_texts(self) -> Sequence[str]:
        return (self.fault,) if isinstance(self.fault, str) else self.fault or ()

    @property
    def url(self) -> str:
        """The base URL, without a slash at its end; of a running sandbox."""
        if self._server is None:
            raise UsageError("the sandbox is not running: use its url inside its with block")
        return f"http://{self.host}:{self._server.server_port}"

    @property
    def requests(self) -> tuple[str, ...]:
        """The target (path and query) of every request so far, in order of arrival."""
        return tuple(self._requests)

    def __enter__(self) -> Self:
        if self._server is not None:
            raise UsageError("the sandbox is running already: use its url, or make another")
        api = Api(
            self.estate,
            self.key,
            self.secret,
            hourly_limit=self.hourly_limit,
            faults=parse(self._fault_texts()),
            reach=self.reach,
        )
        try:
            self._server = _Server((self.host, self.port), _Handler)
        except (OSError, OverflowError) as error_:
            raise UsageError(
                f"cannot serve on {self.host}:{self.port}: {error_}; "
                "choose another port, or 0 for a free one"
            ) from error_
        self._server.serve(api, self._requests, self.latency, compress=self.gzip)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_SECONDS_BETWEEN_LOOKS,), daemon=True
        )
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error_: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._server is not None and self._thread is not None:
            self._server.stop()
            self._thread.join(_SECONDS_TO_STOP)
            self._server = self._thread = None


class _Server(ThreadingMixIn, HTTPServer):
    """Listens, and knows its open connections so that it can end them."""

    request_queue_size = 128

    def serve(self, api: Api, requests: list[str], latency: float, *, compress: bool) -> None:
        """Say what to serve; to be called before ``serve_forever``."""
        self.api, self.requests = api, requests
        self.latency, self.compress = latency, compress
        self.stopping = threading.Event()
        self._open: dict[threading.Thread, socket.socket] = {}
        self._lock = threading.Lock()

    def server_bind(self) -> None:
        """Bind without the name look-up of HTTPServer, which can take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", self.socket.getsockname()[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Handle a connection on a thread of its own."""
        thread = threading.Thread(
            target=self.process_request_thread, args=(request, client_address), daemon=True
        )
        with self._lock:
            self._open[thread] = request
        thread.start()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection to its end, and forget it."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                del self._open[threading.current_thread()]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet of clients that go away; anything else is a bug and is shown."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def stop(self) -> None:
        """End the listener, every open connection and every thread."""
        self.stopping.set()
        self.shutdown()
        with self._lock:
            connections = dict(self._open)
        for thread, connection in connections.items():
            with suppress(OSError):  # it may have ended by itself in between
                connection.shutdown(socket.SHUT_RDWR)
            thread.join(_SECONDS_TO_STOP)
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    """Reads a request, asks the API, writes its answer."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # a page must not wait for an acknowledgement
    wbufsize = -1
    server: _Server

    def __getattr__(self, name: str) -> Callable[[], None]:
        # The parent looks for do_GET and the like: every method, known or not, gets an answer.
        if name.startswith("do_"):
            return self._respond
        raise AttributeError(name)

    def _respond(self) -> None:
        self.server.requests.append(self.path)
        answer = self.server.api.answer(
            self.command,
            self.path,
            authorization=self.headers.get("Authorization", ""),
            accept=self.headers.get("Accept", "*/*"),
        )
        # A body that nobody reads would be taken for the next request.
        if self.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in self.headers:
            self.close_connection = True
        if self.server.latency:
            self.server.stopping.wait(self.server.latency)
        compress = self.server.compress and "gzip" in self.headers.get("Accept-Encoding", "")
        self._write(answer, compress=compress)

    def _write(self, answer: Answer, *, compress: bool = False) -> None:
        body, headers = answer.body, [*answer.headers, ("Content-Type", answer.content_type)]
        if compress:
            body = gzip_format.compress(body, _GZIP_LEVEL, mtime=0)
            headers += [("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")]
        self.send_response(answer.status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        if answer.cut:
            body, self.close_connection = body[: len(body) // 2], True
        elif self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what is not HTTP as the API answers anything: in JSON."""
        self.close_connection = True
        self._write(error(code, "InvalidInput", message or explain or "Bad request"))

    def version_string(self) -> str:
        """Return the ``Server`` header."""
        return "fivetran-auditor sandbox"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the parent's name
        """Log nothing: ``Sandbox.requests`` has it."""


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.IPv4Address(host).is_loopback
    except ipaddress.AddressValueError:
        return False
