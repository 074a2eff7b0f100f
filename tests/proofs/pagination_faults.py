"""The rows of *Pagination*: faulty cursors, pages and items."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from tests.builders.fault_server import Answer, Request, Script, kept, page, record
from tests.proofs.faults import Fault, Records, constant, said

_GROUPS = """policy: house
rules:
  - {id: running, severity: high, assert: {paused: false}}
  - {id: three, severity: low, per: account, assert: {count: {equals: 3}}}
"""


def envelope(**data: Any) -> bytes:
    return json.dumps({"code": "Success", "data": data}).encode()


def _circle(length: int) -> Callable[[Records], Script]:
    def script(records: Records) -> Script:
        asked = count(1)

        def answer(request: Request) -> Answer:
            number = int(request.query.get("cursor", "0"))
            at = next(asked)
            shown = records[at - 1] if at <= 3 else record(at)
            return kept(page([shown], str(number % length + 1)))

        return answer

    return script


def _one_each(*cursors: Any) -> Callable[[Records], Script]:
    """A record a page, with these cursors; the last page has none."""

    def script(records: Records) -> Script:
        pages = [page([r], c) for r, c in zip(records, (*cursors, *"yz"), strict=False)]
        return said(*pages[: len(cursors)], page(records[len(cursors) :]))

    return script


def _p1() -> Iterator[Fault]:
    yield Fault(
        "P1 the cursor just used, with records",
        lambda a: said(page(a[:1], "x"), page(a[1:], "x")),
        3,
        "circle",
        requests=2,
    )
    yield Fault(
        "P1 the cursor just used, without records",
        lambda a: said(page(a, "x"), page([], "x")),
        3,
        "circle",
        requests=2,
    )
    yield Fault(
        "P1 the same page for ever",
        lambda a: said(page(a, "x")),
        3,
        "circle",
        requests=2,
    )


def _p2() -> Iterator[Fault]:
    for length in range(2, 51):
        yield Fault(
            f"P2 a circle of {length}",
            _circle(length),
            3,
            "circle",
            judged=" ".join(f"c{n}" for n in range(1, length + 2)),
            requests=length + 1,
        )


def _p3() -> Iterator[Fault]:
    for empty in range(1, 6):
        pages = [page([], f"e{n}") for n in range(empty)]
        for where in ("first", "between", "last"):
            cut = {"first": 0, "between": 2, "last": 3}[where]

            def script(a: Records, cut: int = cut, pages: list[bytes] = pages) -> Script:
                before = [page(a[:cut], "b")] if cut else []
                return said(*before, *pages, page(a[cut:]))

            good = empty <= 3
            yield Fault(
                f"P3 {empty} empty pages {where}",
                script,
                0 if good else 3,
                "3 connections judged" if good else "4 empty pages in a row",
                judged="c1 c2 c3" if good else " ".join(f"c{n}" for n in range(1, cut + 1)),
            )


def _p4_p5_p6() -> Iterator[Fault]:
    nothing = constant(said(page([])))
    yield Fault("P4 nothing at all", nothing, 3, "no connection was listed", judged="", once=True)
    yield Fault(
        "P4 nothing, which is allowed",
        nothing,
        0,
        "--allow-empty",
        judged="",
        holds="",
        run={"allow_empty": True},
        rules=_GROUPS.split("  - {id: three", maxsplit=1)[0],
        once=True,
    )
    yield Fault(
        "P4 an empty last page", lambda a: said(page(a, "x"), page([])), 0, "3 connections judged"
    )
    yield Fault(
        "P5 an id twice, then a quiet walk",
        lambda a: said(page(a[:2], "x"), page(a[1:]), page(a[:2], "x"), page(a[2:])),
        0,
        "3 connections judged",
        rules=_GROUPS,
        requests=4,
    )
    yield Fault(
        "P5 an id twice on one page, always",
        lambda a: said(page([*a, a[0]])),
        3,
        "kept changing",
        judged="",
        requests=3,
        rules=RULES_PER_RECORD,
    )
    yield Fault(
        "P5 an id twice with another content",
        lambda a: said(page([{**a[0], "paused": False}, a[0], *a[1:]])),
        3,
        "kept changing",
        judged="",
    )
    verify = {"verify_listing": True}

    def two(a: Records, k: int) -> tuple[bytes, bytes]:
        return page(a[:k], "x"), page(a[k:])

    yield Fault(
        "P6 two walks agree",
        lambda a: said(*two(a, 1), *two(a, 2)),
        0,
        "3 connections judged",
        source=verify,
        requests=4,
        rules=_GROUPS,
    )
    yield Fault(
        "P6 hidden once, then seen twice",
        lambda a: said(page(a[:1], "x"), page(a[2:]), *two(a, 1), *two(a, 2)),
        0,
        "3 connections judged",
        source=verify,
        requests=6,
        rules=_GROUPS,
    )
    yield Fault(
        "P6 every walk another listing",
        lambda a: said(*two(a, 1), page(a[:1], "x"), page(a[2:]), *two(a, 1)),
        3,
        "kept changing",
        source=verify,
        requests=6,
    )
    yield Fault(
        "P6 the walk that verifies is cut short",
        lambda a: [*said(*two(a, 1), page(a[:1], "x")), kept(b"", 404)],
        3,
        "404",
        judged="c1",
        source=verify,
    )


RULES_PER_RECORD = "policy: house\nrules:\n  - {id: r, severity: high, assert: {paused: false}}\n"


def _p7() -> Iterator[Fault]:
    for cursor, warns in ((None, ""), ("", "empty next_cursor")):
        yield Fault(
            f"P7 next_cursor is {cursor!r}",
            lambda a, c=cursor: said(envelope(items=a, next_cursor=c)),
            0,
            "3 connections judged",
            warns=warns,
        )
    for cursor in (0, 1, -1, 1.5, True, False, [], ["x"], {}, {"cursor": "x"}):
        yield Fault(
            f"P7 next_cursor is {cursor!r}",
            lambda a, c=cursor: said(envelope(items=a, next_cursor=c)),
            3,
            "not text",
            requests=1,
        )


def _p8() -> Iterator[Fault]:
    yield Fault("P8 pages shorter than the limit", _one_each("x", "y"), 0, "3 connections judged")
    yield Fault(
        "P8 a page longer than the limit",
        lambda a: said(page(a)),
        0,
        "3 connections judged",
        source={"page_size": 2},
        warns="2 were requested",
    )
    for how in ({}, {"gzip": True}, {"chunk": 999}):
        yield Fault(
            f"P8 a page over the cap {how}",
            lambda a, h=how: [kept(page([*a, record(4, noise="x" * 70_000)]), **h)],
            3,
            "larger than",
            judged="",
            http={"page_bytes": 2**16},
            requests=1,
        )
    yield Fault(
        "P8 the second page is over the cap",
        lambda a: said(page(a[:2], "x"), page([a[2], record(4, noise="x" * 70_000)])),
        3,
        "larger than",
        judged="c1 c2",
        http={"page_bytes": 2**16},
    )


def _p9_p10() -> Iterator[Fault]:
    bodies = {
        "no data": b'{"code":"Success"}',
        "data null": b'{"code":"Success","data":null}',
        "data an array": b'{"code":"Success","data":[]}',
        "data an array of records": b'{"code":"Success","data":[{"id":"c1","paused":false}]}',
        "data text": b'{"code":"Success","data":"x"}',
        "data a number": b'{"code":"Success","data":5}',
        "data false": b'{"code":"Success","data":false}',
        "no items": b'{"code":"Success","data":{}}',
        "items null": b'{"code":"Success","data":{"items":null}}',
        "items an object": b'{"code":"Success","data":{"items":{}}}',
        "items text": b'{"code":"Success","data":{"items":"x"}}',
        "items a number": b'{"code":"Success","data":{"items":0}}',
        "items false": b'{"code":"Success","data":{"items":false}}',
        "items elsewhere": b'{"code":"Success","items":[],"data":{"Items":[]}}',
        "an array": b"[]",
        "an empty object": b"{}",
        "null": b"null",
        "a number": b"5",
        "text": b'"Success"',
        "true": b"true",
    }
    for name, body in bodies.items():
        says = "no list of connections" if b"Success" in body and body[:1] == b"{" else "Success"
        if not body.startswith(b"{"):
            says = "200"
        yield Fault(f"P9 {name}", constant(said(body)), 3, says, judged="", requests=1, once=True)
        yield Fault(
            f"P9 {name}, on the second page",
            lambda a, b=body: said(page(a, "x"), b),
            3,
            "page 2",
        )
    for code in (None, 0, True, "", "success", "SUCCESS", "Error", "Success ", [], ["Success"]):
        yield Fault(
            f"P10 the code is {code!r}",
            lambda a, c=code: said(page(a).replace(b'"Success"', json.dumps(c).encode())),
            3,
            "not Success",
            judged="",
            requests=1,
        )
    yield Fault(
        "P10 no code",
        lambda a: said(page(a).replace(b'"code": "Success", ', b"")),
        3,
        "not Success",
        judged="",
    )


def _endless(records: Records) -> Script:
    def answer(request: Request) -> Answer:
        number = int(request.query.get("cursor", "0"))
        return kept(page([records[number] if number < 3 else record(number + 1)], str(number + 1)))

    return answer


def _p11_p12_p13() -> Iterator[Fault]:
    yield Fault(
        "P11 pages without an end",
        _endless,
        3,
        "20 pages and no end",
        judged=" ".join(f"c{n}" for n in range(1, 21)),
        requests=20,
        http={"pages": 20},
    )
    for cursor, says in {
        "x" * 8193: "8 KiB",
        "ü" * 4097: "8 KiB",
        "a\nb": "control",
        "a\r\nHost: x": "control",
        "\x00": "control",
        "\x1b[31m": "control",
        "\x7f": "control",
        "\u202e": "control",
        "\u2028": "control",
        "\ud800": "control",
    }.items():
        yield Fault(
            f"P12 the cursor {cursor[:6]!r}",
            lambda a, c=cursor: said(page(a, c)),
            3,
            says,
            requests=1,
        )
    for cursor in ("x" * 8192, "&limit=1", "#x", "a b", "%0a", "é/?", "../..", "+=", "null", "0"):
        yield Fault(
            f"P12 a cursor to encode {cursor[:8]!r}",
            lambda a, c=cursor: _only_for(c, a),
            0,
            "3 connections judged",
        )
    for item in (None, "x", 5, 1.5, True, [], [[]], {}, {"id": 7}, {"id": None}, {"id": ""}):
        for place in (0, 3):
            yield Fault(
                f"P13 the item {item!r} at {place}",
                lambda a, i=item, p=place: said(page([*a[:p], i, *a[p:]])),
                3,
                "item",
            )


def _only_for(cursor: str, records: Records) -> Script:
    def answer(request: Request) -> Answer:
        given = request.query.get("cursor")
        if given is None:
            return kept(page(records[:2], cursor))
        return kept(page(records[2:])) if given == cursor else kept(b"", 400)

    return answer


PAGINATION = [
    *_p1(),
    *_p2(),
    *_p3(),
    *_p4_p5_p6(),
    *_p7(),
    *_p8(),
    *_p9_p10(),
    *_p11_p12_p13(),
]
