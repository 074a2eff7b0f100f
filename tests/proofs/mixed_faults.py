"""Beyond the rows: faults on top of each other, HTTP at its edges, unexpected wording.

Each was thought of as somebody would who has not read the code; those that got past it once are
marked *got past*.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from tests.builders.fault_server import (
    HANG,
    KEEP,
    RESET,
    Answer,
    Request,
    Script,
    kept,
    page,
    record,
    response,
)
from tests.proofs.faults import Fault, Records, constant, said

_CLEAN = "3 connections judged"
_WAIT = kept(b'{"code":"TooManyRequests","message":"x"}', 429, "Retry-After: 1")
_NOT_HTTP = "is not HTTP"
_CUT = "the body was cut"
_NOT_JSON = "not JSON"


def _zipped(body: bytes) -> bytes:
    return gzip.compress(body, mtime=0)


def _raw(*head: str) -> Callable[[Records], Script]:
    """The account behind a head in its own words; ``{n}`` is the body's length."""

    def script(records: Records) -> Script:
        body = page(records)
        lines = [line.replace("{n}", str(len(body))) for line in head]
        return ["\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1") + body]

    return script


def _lengths(*lengths: str) -> Callable[[Records], Script]:
    return _raw("HTTP/1.1 200 OK", *(f"Content-Length: {length}" for length in lengths))


def _with_header(*headers: str) -> Callable[[Records], Script]:
    return lambda a: [response(page(a), 200, *headers)]


def _chunked(*headers: str, size: str = "", ext: str = "", trailer: str = "") -> Any:
    """The account in one chunk, of a size that may be a lie."""

    def script(records: Records) -> Script:
        body = page(records)
        head = ["HTTP/1.1 200 OK", "Transfer-Encoding: chunked", *headers, "Connection: close"]
        chunk = f"{size or f'{len(body):x}'}{ext}\r\n".encode("latin-1") + body + b"\r\n"
        return ["\r\n".join([*head, "", ""]).encode() + chunk + f"0\r\n{trailer}\r\n".encode()]

    return script


def _replaced(old: str, new: str, **fields: Any) -> Callable[[Records], Script]:
    """The account with ``new`` for every ``old`` in its JSON."""

    def script(records: Records) -> Script:
        body = page({**r, **fields} for r in records)
        assert old.encode() in body
        return [kept(body.replace(old.encode(), new.encode()))]

    return script


def _on_top() -> Iterator[Fault]:
    yield Fault(
        "M 429, then a cut page, then a duplicate, then the account",
        lambda a: [_WAIT, response(page(a))[:-20], kept(page([*a, a[0]])), kept(page(a))],
        0,
        _CLEAN,
        requests=4,
    )
    yield Fault(
        "M 503, 429, a reset, then the account",
        lambda a: [kept(b"", 503), _WAIT, RESET, kept(page(a))],
        0,
        _CLEAN,
        naps=(1, 1, 2),
    )
    yield Fault(
        "M a page, 429, then 401",
        lambda a: [kept(page(a, "x")), _WAIT, kept(b"{}", 401)],
        3,
        "FIVETRAN_API_KEY",
        requests=3,
    )
    yield Fault(
        "M a page, then an error with 200",
        lambda a: said(page(a, "x"), b'{"code":"AuthFailed","message":"no"}'),
        3,
        "AuthFailed: no",
    )
    yield Fault(
        "M a continue, then 503, then the account",
        lambda a: [b"HTTP/1.1 100 Continue\r\n\r\n" + response(b"", 503), kept(page(a))],
        0,
        _CLEAN,
    )
    yield Fault("M early hints", constant([b"HTTP/1.1 103 Hints\r\n\r\n"]), 3, "103", judged="")
    yield Fault(
        "M a wait until the end of time",
        constant(
            [
                kept(
                    b"",
                    429,
                    "Date: Thu, 15 Jan 2026 12:00:00 GMT",
                    "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT",
                )
            ]
        ),
        3,
        "asks to wait 251,633,822,399 s",
        judged="",
        requests=1,
    )
    yield Fault(
        "M an error's body is a bomb",
        constant([response(_zipped(bytes(30 * 2**20)), 403, "Content-Encoding: gzip")]),
        3,
        "permission",
        judged="",
    )
    yield Fault(
        "M an error's body has a chunk of a negative size: got past",
        constant(
            [
                response(b"-5\r\nabcde", 401, "Transfer-Encoding: chunked", length=False),
            ]
        ),
        3,
        "FIVETRAN_API_KEY",
        judged="",
        requests=1,
    )
    yield Fault(
        "M an error in lone surrogates",
        constant([kept(b'{"code":"\\ud800","message":"\\udfff\\u001b[31m"}', 403)]),
        3,
        r"\udfff\x1b[31m",
        judged="",
    )


def _connections() -> Iterator[Fault]:
    ways: dict[str, Callable[[Records], Script]] = {
        "closed between pages": lambda a: [
            [response(page(a[:1], "x"), keep=True)],
            response(page(a[1:])),
        ],
        "with a second answer behind the first": lambda a: [
            [response(page(a[:1], "x"), keep=True) + response(page(a[1:2]), keep=True), KEEP],
            kept(page(a[1:])),
        ],
        "with garbage behind the answer": lambda a: [
            [response(page(a[:1], "x"), keep=True) + b"garbage", KEEP],
            kept(page(a[1:])),
        ],
        "reset behind the answer": lambda a: [[response(page(a)), RESET]],
        "left hanging behind the answer": lambda a: [[response(page(a), keep=True), HANG]],
    }
    for name, script in ways.items():
        yield Fault(f"M a connection {name}", script, 0, _CLEAN)


def _heads() -> Iterator[Fault]:
    lines = {
        "HTTP/1.0 200 OK": "",
        "HTTP/1.9 200 OK": "",
        "HTTP/1.1 200": "",
        "HTTP/2.0 200 OK": _NOT_HTTP,
        "http/1.1 200 OK": _NOT_HTTP,
        "ICY 200 OK": _NOT_HTTP,
        "HTTP/1.1 2000 OK": _NOT_HTTP,
        "HTTP/1.1 000 OK": _NOT_HTTP,
        "HTTP/1.1 -200 OK": _NOT_HTTP,
        "HTTP/1.1 \u00b2\u2070\u2070 OK".encode().decode("latin-1"): _NOT_HTTP,
    }
    for line, says in lines.items():
        yield Fault(
            f"M the status line {line!a}",
            _raw(line),
            3 if says else 0,
            says or _CLEAN,
            judged="" if says else "c1 c2 c3",
            requests=5 if says else 1,
        )
    for name, first in {
        "HTTP/0.9": b"",
        "an HTTP/2 preface": b"\x00\x00\x12\x04" + bytes(23),
        "a blank line before": b"\r\n",
    }.items():
        yield Fault(
            f"M {name}",
            lambda a, f=first: [f + (response(page(a)) if f == b"\r\n" else page(a))],
            3,
            _NOT_HTTP,
            judged="",
            requests=5,
        )
    headers = {
        "folded": "X-Fold: a\r\n  b\r\n\tc",
        "without a colon": "garbage",
        "with a blank before the colon": "X : y",
        "without a name": ": y",
        "in Latin": "X: \u00e9\u00ff",
        "with a NUL": "X: a\0b",
        "with a bare CR": "X: a\rY: b",
        "of 60 KB": "X: " + "x" * 60_000,
        "that upgrades": "Upgrade: h2c\r\nConnection: upgrade",
        "that refreshes": "Refresh: 0; url=http://evil.example",
        "that leads elsewhere": "Location: http://evil.example",
        "of a range": "Content-Range: bytes 0-10/99",
        "of another charset": "Content-Type: application/json; charset=utf-16",
        "of no charset": 'Content-Type: application/json; charset="\0',
        "of a cookie without end: got past": "Set-Cookie: a=b; max-age=" + "9" * 400,
        "of odd cookies": 'Set-Cookie: =; ; ;=; "\r\nSet-Cookie2: a="b; max-age=z; port="1,x"',
        "of a thousand cookies": "Set-Cookie: " + "a=b; " * 1000,
        "of an odd Keep-Alive": "Keep-Alive: timeout=-1, max=x",
    }
    for name, header in headers.items():
        yield Fault(f"M a header {name}", _with_header(header), 0, _CLEAN, requests=1)
    for number, code in ((90, 0), (101, 3)):
        yield Fault(
            f"M {number} headers",
            _with_header(*(f"X-{n}: n" for n in range(number))),
            code,
            "too many headers" if code else _CLEAN,
            judged="" if code else "c1 c2 c3",
        )
    yield Fault(
        "M a header of 100 KB", _with_header("X: " + "x" * 100_000), 3, _NOT_HTTP, judged=""
    )
    yield Fault(
        "M lines that end in LF",
        lambda a: [response(page(a)).replace(b"\r\n", b"\n")],
        0,
        _CLEAN,
    )


def _lengths_and_chunks() -> Iterator[Fault]:
    for length in ("{n}", "+{n}", "{n} ", "", "-1", "abc", "{n}.0", "1e3", "0x10", "{n}, {n}"):
        yield Fault(f"M Content-Length {length!r}", _lengths(length), 0, _CLEAN, requests=1)
    yield Fault("M Content-Length twice the same", _lengths("{n}", "{n}"), 0, _CLEAN)
    for lengths, says in (
        (("0",), _NOT_JSON),
        (("1_0",), _NOT_JSON),
        (("9" * 30,), _CUT),
        (("9{n}",), _CUT),
        (("10",), _NOT_JSON),
        (("10", "{n}"), _NOT_HTTP),
        (("{n}", "10"), _NOT_HTTP),
        (("{n}, 10",), _NOT_HTTP),
    ):
        yield Fault(
            f"M Content-Length {' and '.join(lengths)}",
            _lengths(*lengths),
            3,
            says,
            judged="",
            requests=5,
            leaks=True,
        )
    good = {
        "and a length": _chunked("Content-Length: 5"),
        "and a length too large": _chunked("Content-Length: 99999"),
        "with an extension": _chunked(ext=';a=b;c="d"'),
        "with trailers": _chunked(trailer="X-T: 1\r\nX-U: 2\r\n"),
        "with a thousand trailers": _chunked(trailer="X-T: x\r\n" * 1000),
        "said twice": _chunked("Transfer-Encoding: chunked"),
    }
    for name, script in good.items():
        yield Fault(f"M chunks {name}", script, 0, _CLEAN, requests=1)
    for size, says in {
        "f" * 40: _CUT,
        "8000000000000000": _CUT,
        "-5": _NOT_HTTP,
        "zz": _CUT,
        "_1": _CUT,
        "5": _CUT,
        "\u00b2": _CUT,
        " ": _CUT,
    }.items():
        note = ": got past" if size == "-5" else ""
        yield Fault(
            f"M a chunk of the size {size!a}{note}",
            _chunked(size=size),
            3,
            says,
            judged="",
            requests=5,
        )
    for name, how in {"a trailer": {"trailer": "X: " + "x" * 70_000}, "an extension": {}}.items():
        script = _chunked(**how) if how else _chunked(ext=";" + "x" * 100_000)
        yield Fault(f"M {name} without end", script, 3, _NOT_HTTP, judged="")
    yield Fault(
        "M chunks of gzip that nobody unpacks",
        lambda a: [
            response(_zipped(page(a)), 200, "Transfer-Encoding: gzip, chunked", length=False)
        ],
        3,
        "not UTF-8",
        judged="",
    )


def _packings() -> Iterator[Fault]:
    def packed(pack: Callable[[bytes], bytes], name: str = "gzip") -> Callable[[Records], Script]:
        return lambda a: [response(pack(page(a)), 200, f"Content-Encoding: {name}")]

    halves: Callable[[bytes], bytes] = lambda b: _zipped(b[:50]) + _zipped(b[50:])  # noqa: E731
    yield Fault("M gzip in two members", packed(halves), 0, _CLEAN)
    yield Fault("M gzip in capitals", packed(_zipped, "GZIP"), 0, _CLEAN)
    yield Fault("M gzip by its old name", packed(_zipped, "x-gzip"), 0, _CLEAN)
    yield Fault("M packed as nothing", packed(bytes, " "), 0, _CLEAN)
    bad: dict[str, tuple[Callable[[bytes], bytes], str]] = {
        "two members, the second cut": (lambda b: halves(b)[:-5], "gzip body was cut"),
        "the account twice": (lambda b: _zipped(b) * 2, _NOT_JSON),
        "behind it zeros": (lambda b: _zipped(b) + bytes(20), "corrupt"),
        "not at all": (bytes, "corrupt"),
        "an empty body": (lambda _: b"", "gzip body was cut"),
        "of nothing": (lambda _: _zipped(b""), _NOT_JSON),
        "with a wrong sum": (
            lambda b: _zipped(b)[:-8] + bytes(4) + _zipped(b)[-4:],
            "corrupt",
        ),
        "with a wrong size": (lambda b: _zipped(b)[:-4] + bytes(4), "corrupt"),
    }
    for name, (pack, says) in bad.items():
        yield Fault(f"M gzip, {name}", packed(pack), 3, says, judged="", requests=5)
    yield Fault("M gzip of gzip", packed(lambda b: _zipped(_zipped(b))), 3, "not UTF-8", judged="")
    yield Fault(
        "M gzip that nobody mentions",
        lambda a: [response(_zipped(page(a)))],
        3,
        "not UTF-8",
        judged="",
        requests=1,
    )
    for name in ("none", "utf-8", "gzip, identity", "aws-chunked", "compress", "\u00e9"):
        yield Fault(
            f"M packed as {name!a}", packed(_zipped, name), 3, "Content-Encoding", judged=""
        )


def _cursors() -> Iterator[Fault]:
    for cursor in (
        "\u00e9\u4e2d",
        "%",
        "%00",
        "100%",
        "a%20b",
        "a+b",
        "\\",
        '"',
        "'",
        " ",
        "0" * 5000,
    ):
        yield Fault(
            f"M the cursor {cursor[:8]!a}",
            lambda a, c=cursor: _answering(c, a),
            0,
            _CLEAN,
            requests=2,
        )
    for cursor in (10**30, -0.0, {"a": 1}, [None]):
        yield Fault(
            f"M the cursor {cursor}",
            lambda a, c=cursor: said(page(a, c)),
            3,
            "not text",
            requests=1,
        )
    for key in ("nextCursor", "NextCursor", "cursor", "next", "next_page_token"):
        yield Fault(
            f"M a cursor called {key}: got past",
            lambda a, k=key: said(_page_with(a[:1], {}, {k: "x"}), page(a[1:])),
            3,
            f"its data.{key} says that more follows",
            judged="c1",
            requests=1,
        )
    for key in ("next_cursor", "nextCursor", "cursor"):
        yield Fault(
            f"M {key} beside data: got past",
            lambda a, k=key: said(_page_with(a[:1], {k: "x"}, {}), page(a[1:])),
            3,
            f"its {key} says that more follows",
            judged="c1",
        )
    yield Fault(
        "M more to come, and no cursor: got past",
        lambda a: said(_page_with(a[:1], {}, {"has_more": True})),
        3,
        "its data.has_more says",
        judged="c1",
    )
    yield Fault(
        "M a page in slow words, and a cursor under another name: got past",
        lambda a: said(_page_with([{**a[0], "note": "\ud800"}], {}, {"nextCursor": "x"})),
        3,
        "its data.nextCursor says",
        judged="c1",
    )
    yield Fault(
        "M nothing more under other names",
        lambda a: said(
            _page_with(a, {"next": None, "next_cursor": ""}, {"has_more": False, "cursor": ""})
        ),
        0,
        _CLEAN,
    )
    yield Fault(
        "M other names beside the right one",
        lambda a: said(
            _page_with(a[:1], {"next": "/2"}, {"has_more": True, "next_cursor": "x"}), page(a[1:])
        ),
        0,
        _CLEAN,
        requests=2,
    )
    yield Fault(
        "M cursors that are ignored", lambda a: said(page(a[:2], "x")), 3, "circle", judged="c1 c2"
    )
    yield Fault("M cursors that are ignored, always fresh", _fresh, 3, "kept changing", requests=6)
    yield Fault(
        "M pages that repeat a part, then do not",
        lambda a: said(page(a[:2], "x"), page(a[1:]), page(a[:2], "y"), page(a[2:])),
        0,
        _CLEAN,
        requests=4,
    )


def _page_with(records: Records, beside: dict[str, Any], data: dict[str, Any]) -> bytes:
    return json.dumps({"code": "Success", **beside, "data": {"items": records, **data}}).encode()


def _answering(cursor: str, records: Records) -> Script:
    def answer(request: Request) -> Answer:
        given = request.query.get("cursor")
        if given is None:
            return kept(page(records[:1], cursor))
        return kept(page(records[1:])) if given == cursor else kept(b"", 400)

    return answer


def _fresh(records: Records) -> Script:
    numbers = count()
    return lambda _request: kept(page(records, f"x{next(numbers)}"))


def _listings() -> Iterator[Fault]:
    group, schema = {"group": "g"}, {"schema": "zzz"}
    yield Fault("M the group that was asked for", lambda a: said(page(a)), 0, _CLEAN, source=group)
    for name, spoil in {
        "one more of another group: got past": lambda a: [*a, record(4, group_id="h")],
        "a group in other letters": lambda a: [*a, record(4, group_id="G")],
        "one without its group": lambda a: [*a, {"id": "c4", "paused": False}],
        "one whose group is a number": lambda a: [*a, record(4, group_id=7)],
    }.items():
        yield Fault(
            f"M a group was asked for, and {name}",
            lambda a, s=spoil: said(page(s(a))),
            3,
            "1 connection of another group_id than --group asks for",
            judged="c1 c2 c3 c4",
            source=group,
        )
    yield Fault(
        "M a schema was asked for, and all came: got past",
        lambda a: said(page(a)),
        3,
        "3 connections of another schema than --schema asks for",
        source=schema,
    )
    yield Fault(
        "M a group was asked for, and another came on page 2",
        lambda a: said(page(a, "x"), page([record(4, group_id="h")])),
        3,
        "page 2: 1 connection of another group_id",
        judged="c1 c2 c3 c4",
        source=group,
    )
    for name, item in {"a float": 1.5, "true": True, "a list": ["c1"], "an object": {}}.items():
        yield Fault(
            f"M an id that is {name}",
            lambda a, i=item: said(page([{**a[0], "id": i}, *a])),
            3,
            "item 1 is not a connection: its id is",
        )
    yield Fault(
        "M an id in capitals is another",
        lambda a: said(page([*a, record(4, id="C1")])),
        0,
        "4 connections judged",
        judged="c1 c2 c3 C1",
        holds="c1 c2 c3 C1",
    )
    yield Fault(
        "M a hundred thousand items that are none: got past",
        constant(said(page([{}] * 100_000))),
        3,
        "and 99,950 more problems",
        judged="",
        once=True,
    )
    bodies: dict[str, tuple[Callable[[Records], Any], str]] = {
        "an array of records": (list, "the body is an array"),
        "an array of answers": (lambda a: [json.loads(page(a))], "the body is an array"),
        "data in data": (lambda a: {"code": "Success", "data": {"data": {"items": a}}}, "items"),
        "data in an array": (lambda a: {"code": "Success", "data": [{"items": a}]}, "an array"),
        "items by number": (
            lambda a: {"code": "Success", "data": {"items": dict(enumerate(a))}},
            '"data.items" is an object',
        ),
        "a list beside data": (lambda a: {"code": "Success", "items": a, "data": {}}, "missing"),
    }
    for name, (build, says) in bodies.items():
        yield Fault(
            f"M {name}",
            lambda a, b=build: said(json.dumps(b(a)).encode()),
            3,
            says,
            judged="",
            requests=1,
        )


def _words() -> Iterator[Fault]:
    """JSON at its edges."""
    for key in ("next_cursor", "items", "paused", "id"):
        escaped = f"\\u{ord(key[0]):04x}{key[1:]}"
        yield Fault(
            f"M the key {key} with an escape in it",
            lambda a, k=key, e=escaped: [
                kept(page(a[:1], "x").replace(f'"{k}"'.encode(), f'"{e}"'.encode())),
                kept(page(a[1:])),
            ],
            0,
            _CLEAN,
            requests=2,
        )
    twice = "appears twice"
    for name, old, new in (
        ("its list twice, the last empty: got past", "}]}}", '}], "items": []}}'),
        ("its list twice, the first empty", '"items"', '"items": [], "items"'),
        ("a cursor and none: got past", "}]}}", '}], "next_cursor": "x", "next_cursor": null}}'),
        ("its data twice: got past", "}]}}", '}]}, "data": {"items": []}}'),
    ):
        yield Fault(f"M an answer that says {name}", _replaced(old, new), 3, twice, judged="")
    yield Fault(
        "M records that hold the answer's own words",
        _replaced('"x"', '{"items": [], "next_cursor": "y"}', note="x"),
        0,
        _CLEAN,
    )
    for name, value in {
        "a raw line feed": '"a\nb"',
        "a bad escape": r'"\q"',
        "half an escape": r'"\u12"',
        "a leading zero": "07",
        "a plus": "+7",
        "a bare point": "1.",
        "hexadecimals": "0x7",
        "a comma too many": "[7,]",
    }.items():
        yield Fault(
            f"M {name} in what no rule reads",
            _replaced('"unread"', value, note="unread"),
            3,
            _NOT_JSON,
            judged="",
            requests=5,
        )
    for name, change in {
        "a NUL behind it": lambda b: b + b"\0",
        "a comment before it": lambda b: b"/* x */" + b,
        "a form feed before it": lambda b: b"\x0c" + b,
        "two marks before it": lambda b: b"\xef\xbb\xbf" * 2 + b,
        "a mark inside it": lambda b: b.replace(b'"data"', b'\xef\xbb\xbf"data"'),
        "another answer behind it": lambda b: b + b"\n" + b,
        "UTF-16 without its mark: got past": lambda b: b.decode().encode("utf-16-le"),
        "UTF-16 in the other order": lambda b: b.decode().encode("utf-16-be"),
    }.items():
        yield Fault(
            f"M JSON, {name}",
            lambda a, c=change: said(c(page(a))),
            3,
            _NOT_JSON,
            judged="",
            requests=5,
        )
    for encoding in ("utf-16", "utf-32"):
        yield Fault(
            f"M JSON in {encoding}",
            lambda a, e=encoding: said(page(a).decode().encode(e)),
            3,
            "not UTF-8",
            judged="",
            requests=1,
        )
    yield Fault("M JSON, blanks behind it", lambda a: said(page(a) + b"\n\r\n \t"), 0, _CLEAN)


_FREQUENCY = """policy: house
rules:
  - {id: often, severity: high, assert: {sync_frequency: {gte: 15}}}
  - {id: running, severity: high, assert: {paused: false}}
"""
_RECENT = """policy: house
rules:
  - {id: recent, severity: high, assert: {succeeded_at: {newer_than: 7d}}}
  - {id: running, severity: high, assert: {paused: false}}
"""


def _values() -> Iterator[Fault]:
    for number, code in {
        "360.0": 0,
        "3.6e2": 0,
        "15.0000000000000000001": 0,
        "-0": 1,
        "1e-400": 1,
        "14.999": 1,
        "1E400": 3,
        "-1E400": 3,
    }.items():
        yield Fault(
            f"M the number {number}",
            _replaced("777", number, sync_frequency=777),
            code,
            (_CLEAN, "3 high violations", "", "3 checks could not be evaluated")[code],
            rules=_FREQUENCY,
        )
    dates = {
        "Thu, 15 Jan 2026 12:00:00": 0,
        "Thu, 15 Jan 2026 12:00:00 +9999": 0,
        "2026-01-15T12:00:00Z": 0,
        "Thu, 15 Jan 2026 25:00:00 GMT": 0,
        "Thu, 15 Jan 1234567890123456789012 12:00:00 GMT": 0,
        "0": 0,
        "x" * 50_000: 0,
        "\u00e9": 0,
        "Fri, 31 Dec 9999 23:59:59 GMT": 3,
        "Thu, 01 Jan 1970 00:00:00 GMT": 3,
    }
    for date, code in dates.items():
        yield Fault(
            f"M the server's clock says {date[:48]!a}",
            lambda a, d=date: [
                response(
                    page({**r, "succeeded_at": "2026-01-15T11:00:00Z"} for r in a),
                    200,
                    f"Date: {d}",
                )
            ],
            code,
            (_CLEAN, "3 high violations", "", "a clock is wrong")[code],
            rules=_RECENT,
            warns="the server's counts" if code else "",
        )


MIXED = [
    *_on_top(),
    *_connections(),
    *_heads(),
    *_lengths_and_chunks(),
    *_packings(),
    *_cursors(),
    *_listings(),
    *_words(),
    *_values(),
]
