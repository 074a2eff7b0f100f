"""The rows of *HTTP*: faulty statuses, waits, connections and bodies."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from typing import Any

from tests.builders.fault_server import (
    HANG,
    RESET,
    Answer,
    Script,
    Trickle,
    kept,
    page,
    response,
)
from tests.proofs.faults import Fault, Records, constant

_DATE = "Date: Thu, 15 Jan 2026 12:00:00 GMT"
_ERROR = b'{"code":"Odd","message":"so it is"}'
_PAUSES = (1.0, 2.0, 4.0, 8.0)
_CLEAN = "3 connections judged"


def _first(*answers: Answer) -> Any:
    """These answers, then the account."""
    return lambda a: [*answers, kept(page(a))]


def _second(answer: Answer) -> Any:
    """The account's first page, then this answer for ever."""
    return lambda a: [kept(page(a, "x")), answer]


def _h1() -> Iterator[Fault]:
    says = {
        400: "--page-size",
        401: "FIVETRAN_API_KEY and FIVETRAN_API_SECRET",
        402: "HTTP 402",
        403: "permission",
        404: "--base-url",
        405: "HTTP 405",
        406: "HTTP 406",
        410: "HTTP 410",
        418: "HTTP 418",
        451: "HTTP 451",
        501: "HTTP 501",
    }
    for status, word in says.items():
        yield Fault(
            f"H1 {status}",
            constant([kept(_ERROR, status)]),
            3,
            word,
            judged="",
            requests=1,
            naps=(),
        )
        yield Fault(
            f"H1 {status} on the second page",
            _second(kept(_ERROR, status)),
            3,
            word,
            requests=2,
            naps=(),
        )


def _h2_h3() -> Iterator[Fault]:
    for text, wait in (("1", 1), ("007", 7), ("120", 120), ("  5  ", 5)):
        yield Fault(
            f"H2 wait {text!r}",
            _first(kept(_ERROR, 429, f"Retry-After: {text}")),
            0,
            _CLEAN,
            naps=(wait,),
        )
    for text in ("121", "3600", "999999999"):
        yield Fault(
            f"H2 wait {text!r}",
            constant([kept(_ERROR, 429, f"Retry-After: {text}")]),
            3,
            f"asks to wait {int(text):,} s",
            judged="",
            requests=1,
            naps=(),
        )
    yield Fault(
        "H2 waits that add up",
        constant([kept(_ERROR, 429, "Retry-After: 50")]),
        3,
        "--max-wait leaves 20 s",
        judged="",
        naps=(50, 50),
    )
    for date in (
        "Thu, 15 Jan 2026 12:00:30 GMT",
        "Thursday, 15-Jan-26 12:00:30 GMT",
        "Thu Jan 15 12:00:30 2026",
        "Thu, 15 Jan 2026 14:00:30 +0200",
    ):
        yield Fault(
            f"H3 until {date}",
            _first(kept(_ERROR, 429, _DATE, f"Retry-After: {date}")),
            0,
            _CLEAN,
            naps=(30,),
        )
    for text in (
        None,
        "",
        "0",
        "-1",
        "+5",
        "1.5",
        "1e3",
        "0x10",
        "5 seconds",
        "soon",
        "\u00b2",
        "NaN",
        "Infinity",
        "9" * 5000,
        "0" * 5000,
        "Thu, 15 Jan 2026 11:59:00 GMT",
        "Thu, 15 Jan 2026 12:00:00 GMT",
        "Thu, 31 Feb 2026 12:00:00 GMT",
        "Thu, 15 Jan 99999999 12:00:00 GMT",
        "Thu, 15 Jan",
        ",,,",
    ):
        header = () if text is None else (f"Retry-After: {text}",)
        yield Fault(
            f"H3 after {str(text)[:30]!r}",
            constant([kept(_ERROR, 429, _DATE, *header)]),
            3,
            "on all 5 attempts",
            judged="",
            requests=5,
            naps=_PAUSES,
        )


def _h4_h5_h6() -> Iterator[Fault]:
    for status, attempts in ((409, 3), (500, 5), (502, 5), (503, 5), (504, 5)):
        yield Fault(
            f"H4 {status} for ever",
            _second(kept(_ERROR, status)),
            3,
            f"HTTP {status} (Odd: so it is), on all {attempts} attempts",
            requests=attempts + 1,
            naps=_PAUSES[: attempts - 1],
        )
        yield Fault(
            f"H4 {status} but for the last attempt",
            _first(*[kept(_ERROR, status)] * (attempts - 1)),
            0,
            _CLEAN,
            requests=attempts,
            naps=_PAUSES[: attempts - 1],
        )
    broken: dict[str, Answer] = {
        "closed": b"",
        "reset": RESET,
        "a status line cut": b"HTTP/1.1 20",
        "headers cut": b"HTTP/1.1 200 OK\r\nContent-",
        "garbage": b"garbage\r\n\r\n",
        "no number": b"HTTP/1.1 abc OK\r\n\r\n",
        "ssh": b"SSH-2.0-OpenSSH_9.6\r\n",
        "zeros": b"\x00" * 100_000,
        "a long status line": b"HTTP/1.1 200 " + b"x" * 70_000 + b"\r\n\r\n",
        "200 headers": response(page([]), 200, *[f"X-{n}: {n}" for n in range(200)]),
        "a long header": response(page([]), 200, "X: " + "x" * 70_000),
    }
    for name, answer in broken.items():
        yield Fault(
            f"H5 {name}, for ever",
            _second(answer),
            3,
            "on all 5 attempts; check the network",
            requests=6,
            naps=_PAUSES,
        )
        yield Fault(f"H5 {name}, once", _first(answer), 0, _CLEAN, requests=2, naps=(1,))
    whole = response(page([{"id": "c1", "paused": False}] * 9))
    slow: dict[str, Answer] = {
        "hangs at once": HANG,
        "hangs in the headers": [whole[:30], HANG],
        "hangs in the body": [whole[:200], HANG],
        "trickles its headers": Trickle(whole, every=0.02),
        "trickles its body": [whole[: whole.index(b"{")], Trickle(b" " * 999, every=0.02)],
        "trickles 100 Continue": Trickle(b"HTTP/1.1 100 Continue\r\n\r\n" * 99, every=0.01),
    }
    for name, answer in slow.items():
        yield Fault(
            f"H6 {name}",
            _second(answer),
            3,
            "on all 2 attempts",
            requests=3,
            http={"attempt_seconds": 0.4, "attempts": 2},
        )
    yield Fault(
        "H6 the whole run's time is over",
        lambda a: [kept(page(a, "x")), HANG],
        3,
        "--timeout",
        run={"timeout": 0.3},
        http={"attempt_seconds": 0.6, "attempts": 1},
    )


def _h8() -> Iterator[Fault]:
    targets = {
        "another host": ("https://evil.example/v1/connections?token=hunter2", "evil.example"),
        "with a user": ("https://user:hunter2@evil.example/", "evil.example"),
        "the same host": ("/v1/connections?hunter2", "the same host"),
        "no scheme": ("//evil.example/hunter2", "evil.example"),
        "no address": ("http://[hunter2", "cannot be read"),
        "a file": ("file:///etc/passwd", "redirect"),
        "a script": ("javascript:alert(1)", "redirect"),
        "nowhere": ("", "the same host"),
    }
    for status in (301, 302, 303, 307, 308):
        for name, (location, says) in targets.items():
            yield Fault(
                f"H8 {status} to {name}",
                _second(kept(_ERROR, status, f"Location: {location}")),
                3,
                says,
                requests=2,
            )


def _h10() -> Iterator[Fault]:
    for content_type in ("text/html", "", "application/xml; charset=utf-16", "\x80"):
        yield Fault(
            f"H10 called {content_type!r}",
            lambda a, t=content_type: [response(page(a), 200, f"Content-Type: {t}")],
            0,
            _CLEAN,
        )
    bodies = {
        "HTML": (b"<html><h1>Sign in</h1>", "it starts with: <html>"),
        "nothing": (b"", "not JSON"),
        "blanks": (b" \r\n", "not JSON"),
        "an escape": (b"\x1b]0;x\x07", r"\x1b]0;x\x07"),
        "cut JSON": (b'{"code":"Success","data":{"items":[', "not JSON"),
        "two answers": (b"{}{}", "not JSON"),
        "a prefix": (b")]}'\n{}", "not JSON"),
        "single quotes": (b"{'code':'Success'}", "not JSON"),
        "a comma too many": (b'{"code":"Success","data":{"items":[],}}', "not JSON"),
    }
    for name, (body, says) in bodies.items():
        yield Fault(f"H10 {name}, for ever", _second(kept(body)), 3, says, requests=6, naps=_PAUSES)
        yield Fault(f"H10 {name}, once", _first(kept(body)), 0, _CLEAN, requests=2)


def _h11() -> Iterator[Fault]:
    ways: dict[str, dict[str, Any]] = {
        "plain": {},
        "chunked": {"chunk": 50},
        "gzip": {"gzip": True},
        "gzip chunked": {"gzip": True, "chunk": 50},
        "gzip to the close": {"gzip": True, "length": False},
    }
    for way, how in ways.items():
        for lost in (9, 40, 90):
            yield Fault(
                f"H11 {way} without its last {lost}, for ever",
                lambda a, h=how, n=lost: [kept(page(a, "x")), response(page(a), **h)[:-n]],
                3,
                "on all 5 attempts",
                requests=6,
            )
            yield Fault(
                f"H11 {way} without its last {lost}, once",
                lambda a, h=how, n=lost: [response(page(a), **h)[:-n], response(page(a), **h)],
                0,
                _CLEAN,
                requests=2,
            )
    for at in range(0, 90, 10):
        yield Fault(f"H11 gzip with a wrong byte {at}", _flipped(at), 0, _CLEAN)
    yield Fault(
        "H11 garbage behind the gzip body",
        lambda a: [_packed(gzip.compress(page(a)) + b"garbage")],
        3,
        "corrupt",
        judged="",
        requests=5,
    )
    for name in ("br", "deflate", "zstd", "gzip, gzip"):
        yield Fault(
            f"H11 packed as {name}",
            lambda a, e=name: [response(zlib.compress(page(a)), 200, f"Content-Encoding: {e}")],
            3,
            "Content-Encoding",
            judged="",
            requests=1,
        )


def _flipped(at: int) -> Any:
    def script(records: Records) -> Script:
        packed = bytearray(gzip.compress(page(records), mtime=0))
        packed[at] ^= 0xFF
        return [_packed(bytes(packed)), response(page(records), gzip=True)]

    return script


def _packed(body: bytes) -> bytes:
    return response(body, 200, "Content-Encoding: gzip")


def _h12_h13_h14() -> Iterator[Fault]:
    bomb = gzip.compress(bytes(20 * 2**20))
    yield Fault(
        "H12 a gzip bomb",
        lambda a: [kept(page(a, "x")), _packed(bomb)],
        3,
        "larger than 1 MiB",
        requests=2,
        http={"page_bytes": 2**20},
    )
    for status in (101, 102, 103, 199, 204, 304):
        yield Fault(
            f"H13 {status}",
            _second(response(b"", status, length=False)),
            3,
            f"HTTP {status}",
            requests=2,
        )
    for status in (201, 202, 203, 205, 206, 207, 226, 299, 300, 305, 999):
        yield Fault(
            f"H13 {status}, with the account",
            lambda a, s=status: [kept(page(a), s)],
            3,
            f"HTTP {status}",
            judged="",
            requests=1,
        )
    yield Fault(
        "H13 a continue before the answer",
        lambda a: [b"HTTP/1.1 100 Continue\r\n\r\n" + response(page(a))],
        0,
        _CLEAN,
    )
    for name, wrong in {
        "a stray byte": b"\xff",
        "an overlong slash": b"\xc0\xaf",
        "a surrogate": b"\xed\xa0\x80",
        "latin-1": b"caf\xe9",
    }.items():
        for place in (b"postgres", b"code"):
            yield Fault(
                f"H14 {name} in {place.decode()}",
                lambda a, w=wrong, p=place: [kept(page(a).replace(p, p[:2] + w, 1))],
                3,
                "UTF-8",
                judged="",
                requests=1,
            )
    yield Fault("H14 a byte order mark", lambda a: [kept(b"\xef\xbb\xbf" + page(a))], 0, _CLEAN)


HTTP = [*_h1(), *_h2_h3(), *_h4_h5_h6(), *_h8(), *_h10(), *_h11(), *_h12_h13_h14()]
