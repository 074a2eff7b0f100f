"""A loopback server that says exactly the bytes a test wants, and in the way it wants.

    with FaultServer([response(page([...])), RESET]) as server: ...

The script is one answer a request, in order (the last one repeats), or a function from the request
to an answer. It is about connections: any other list is empty, and neither in the script nor among
``requests``, unless ``others`` says so.

An answer is bytes or a step, or a sequence of them; after the last step the
connection is closed unless it is ``KEEP``.
"""

from __future__ import annotations

import gzip as gzip_module
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from auditor.fields import FACT_LISTS
from auditor.sources.api.reach import WITNESSES


class Step(Enum):
    RESET = auto()  # drop the connection with an RST
    HANG = auto()  # say nothing more until the server stops
    KEEP = auto()  # wait for the next request on the same connection


RESET, HANG, KEEP = Step.RESET, Step.HANG, Step.KEEP


@dataclass(frozen=True)
class Trickle:
    """Bytes one at a time, ``every`` so many seconds, for as long as the client listens."""

    data: bytes
    every: float = 0.01


@dataclass(frozen=True)
class StartTls:
    """From here on the connection is TLS, as behind a proxy's CONNECT; implies ``KEEP``."""

    context: ssl.SSLContext


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    headers: dict[str, str]
    connection: int

    @property
    def query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.target).query).items()}


Part = bytes | Step | Trickle | StartTls
Answer = Part | Sequence[Part]
Script = Sequence[Answer] | Callable[[Request], Answer]


class FaultServer:
    """Answers by script; ``requests`` holds what it was asked so far."""

    def __init__(
        self, script: Script, tls: ssl.SSLContext | None = None, *, others: bool = False
    ) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self._script = script
        self._others = others
        self._tls = tls
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._open: dict[int, socket.socket] = {}
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        with self._lock:
            for peer in self._open.values():
                with suppress(OSError):
                    peer.shutdown(socket.SHUT_RDWR)
        for thread in self._threads[1:]:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                self._open[self.connections] = peer
            thread = threading.Thread(target=self._serve, args=(self.connections,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, number: int) -> None:
        try:
            self._open[number].setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls:
                self._secure(number, self._tls)
            while (request := _read(self._open[number], number)) and self._answer(request):
                pass
        except OSError:
            pass  # the client went away, as it may
        finally:
            with self._lock:
                self._open.pop(number).close()

    def _secure(self, number: int, context: ssl.SSLContext) -> None:
        secure = context.wrap_socket(
            self._open[number], server_side=True, do_handshake_on_connect=False
        )
        with self._lock:
            self._open[number] = secure
        secure.do_handshake()

    def _answer(self, request: Request) -> bool:
        """Follow the script; return whether the connection stays open."""
        if not self._others and is_another_list(request):
            self._open[request.connection].sendall(EMPTY_LIST)
            return True
        with self._lock:
            number = len(self.requests)
            self.requests.append(request)
        peer, script = self._open[request.connection], self._script
        answer = script(request) if callable(script) else script[min(number, len(script) - 1)]
        for part in (
            answer if isinstance(answer, Sequence) and type(answer) is not bytes else [answer]
        ):
            match part:
                case bytes():
                    peer.sendall(part)
                case Trickle(data, every):
                    for byte in data:
                        peer.sendall(bytes([byte]))
                        if self._stopping.wait(every):
                            return False
                case Step.HANG:
                    self._stopping.wait()
                    return False
                case Step.RESET:
                    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return False
                case StartTls(context):
                    self._secure(request.connection, context)
                    return True
                case Step.KEEP:
                    return True
        return False


_NOTHING = b'{"code":"Success","data":{"items":[],"account_id":"acc"}}'
#: What is said of every list but the connections, where a test is not about them.
EMPTY_LIST = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(_NOTHING), _NOTHING)


def is_another_list(request: Request) -> bool:
    """Whether a request is for one of the lists that are read beside the connections."""
    paths = (*(fact.path for fact in FACT_LISTS.values()), *(each.path for each in WITNESSES))
    return urlsplit(request.target).path.endswith(paths)


def _read(peer: socket.socket, connection: int) -> Request | None:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        piece = peer.recv(65536)
        if not piece:
            return None
        head += piece
        if not head[:1].isalpha():  # a TLS greeting, say
            return Request("", "", {}, connection)
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {}
    for line in filter(None, lines):
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return Request(method, target, headers, connection)


# -- bytes to say -----------------------------------------------------------------------------


def page(items: Iterable[Any], cursor: Any = None, **extra: Any) -> bytes:
    """The API's envelope; without ``cursor`` there is no next_cursor, as on a last page."""
    data: dict[str, Any] = {"items": list(items)}
    if cursor is not None:
        data["next_cursor"] = cursor
    return json.dumps({"code": "Success", "data": data, **extra}).encode()


def record(number: int | str, **fields: Any) -> dict[str, Any]:
    identity = {"id": f"c{number}", "service": "postgres", "schema": f"s{number}", "group_id": "g"}
    return {**identity, "paused": False, **fields}


def kept(body: bytes = b"", status: int | str = 200, *headers: str, **how: Any) -> Answer:
    """A whole HTTP response on a connection that stays open."""
    return [response(body, status, *headers, keep=True, **how), KEEP]


def response(
    body: bytes = b"",
    status: int | str = 200,
    *headers: str,
    gzip: bool = False,
    chunk: int = 0,
    length: bool = True,
    keep: bool = False,
) -> bytes:
    """A whole HTTP response; ``chunk`` > 0 sends chunks of that many bytes.

    Unless it ends with ``keep`` the client is told that the connection closes: it would find
    out by chance only, some time after it asked again.
    """
    lines = [f"HTTP/1.1 {status if isinstance(status, str) else f'{status} Said'}", *headers]
    if not keep:
        lines.append("Connection: close")
    if gzip:
        body = gzip_module.compress(body, mtime=0)
        lines.append("Content-Encoding: gzip")
    if chunk:
        lines.append("Transfer-Encoding: chunked")
        pieces = [body[at : at + chunk] for at in range(0, len(body), chunk)]
        body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    elif length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
