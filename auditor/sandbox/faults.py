"""Faults to try by hand: a closed table of ways in which an endpoint goes wrong.

A fault is put on one endpoint: ``groups:forbidden``; without an endpoint it strikes the listing of
connections. In a list it strikes from the second page on, unless its line says otherwise. So that
there is a second page, a list with a fault hands out at most a third of its rows at a time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from auditor.errors import UsageError
from auditor.sandbox.answers import Answer, PageRequest, error, page, success, written_page
from auditor.sandbox.endpoints import CONNECTIONS, LIST_NAMES, NAMES
from auditor.sandbox.oddities import odd
from auditor.text import listed, nearest

#: Seconds that ``rate-limit`` asks for: long enough to see, short enough to wait for.
RETRY_AFTER = 2


_NOTHING = PageRequest((), 0, 1)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request to an endpoint with a fault: what is asked for, and what would be answered.

    ``walk`` is of nothing where one object is asked for. ``before`` says how often the fault has
    struck.
    """

    endpoint: str
    answer: Answer
    walk: PageRequest = _NOTHING
    before: int = 0


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: what it does, in a line, and what it answers instead.

    ``first_page`` says that it strikes the first page of a list too; ``lists_only`` that it is
    about pages and rows, which an answer about one thing has not.
    """

    doc: str
    answer: Callable[[Asked], Answer]
    first_page: bool = False
    lists_only: bool = False

    def strikes(self, walk: PageRequest) -> bool:
        """Whether this answer goes wrong: any but a first page, or the only one there is."""
        return self.first_page or walk.skip > 0 or walk.limit >= len(walk.items)


def narrowed(walk: PageRequest) -> PageRequest:
    """Return ``walk`` with pages so short that the list takes at least two, if it can."""
    return replace(walk, limit=max(1, min(walk.limit, -(-len(walk.items) // 3))))


def parse(texts: Iterable[str]) -> Mapping[str, Fault]:
    """Return the fault of each endpoint that ``texts`` name, as ``groups:forbidden``.

    Raises UsageError for an unknown endpoint or fault, for two faults on one endpoint, and for a
    fault of lists on an endpoint that answers with one object.
    """
    faults: dict[str, Fault] = {}
    for text in texts:
        endpoint, colon, name = text.rpartition(":")
        if not colon:
            endpoint = CONNECTIONS
        if endpoint not in NAMES:
            raise UsageError(f"no endpoint {endpoint!r}: {_suggestion(endpoint, NAMES)}")
        fault = FAULTS.get(name)
        if fault is None:
            raise UsageError(f"no fault {name!r}: {_suggestion(name, FAULTS)}")
        if fault.lists_only and endpoint not in LIST_NAMES:
            raise UsageError(
                f"{text}: {name} strikes lists, and {endpoint} is one object; write "
                + listed(name for name, other in FAULTS.items() if not other.lists_only)
            )
        if endpoint in faults:
            raise UsageError(f"{text}: {endpoint} has a fault already; write one for each endpoint")
        faults[endpoint] = fault
    return faults


def _suggestion(text: str, known: Iterable[str]) -> str:
    near = nearest(text, known)
    return f"did you mean {near}?" if near else f"write {listed(known)}"


def auth_failed() -> Answer:
    """Return 401, as for a key that is wrong, or no longer right."""
    return error(
        401,
        "AuthFailed",
        "Invalid API key or secret",
        ("WWW-Authenticate", 'Basic realm="Fivetran"'),
    )


def forbidden() -> Answer:
    """Return 403, as for a key whose user may not see this."""
    return error(403, "Forbidden", "User doesn't have permissions to access this resource")


def too_many(limit: int, seconds: int) -> Answer:
    """Return 429: ``limit`` requests were made in an hour, the next may be in ``seconds``."""
    return error(
        429,
        "TooManyRequests",
        f"Max {limit} api calls allowed in one-hour rolling time period",
        ("Retry-After", str(seconds)),
    )


def _expired_key(_asked: Asked) -> Answer:
    return auth_failed()


def _forbidden(_asked: Asked) -> Answer:
    return forbidden()


def _not_found(_asked: Asked) -> Answer:
    return error(404, "NotFound", "The requested resource does not exist")


def _broken_page(_asked: Asked) -> Answer:
    return error(500, "InternalServerError", "Something went wrong")


def _html_gateway(_asked: Asked) -> Answer:
    body = b"<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>"
    return Answer(502, body, content_type="text/html")


def _garbage(asked: Asked) -> Answer:
    # Still 200 and still called JSON: a proxy that mangles what passes through it.
    return replace(asked.answer, body=asked.answer.body.replace(b'":', b"';"))


def _no_items(_asked: Asked) -> Answer:
    return success(b'{"items":{}}')


def _cursor_loop(asked: Asked) -> Answer:
    # Without a cursor in the request there is none to repeat: lead to this page anyway.
    return written_page(asked.walk.page, asked.walk.skip or 1)


def _duplicate_id(asked: Asked) -> Answer:
    start = max(0, asked.walk.skip - 1)
    items = asked.walk.items[start : asked.walk.following]
    again = items if asked.walk.skip else [*items, *items[:1]]
    return written_page(again, asked.walk.next_skip)


def _moved(asked: Asked) -> Answer:
    return page(replace(asked.walk, items=asked.walk.items[1:]) if asked.before else asked.walk)


def _narrow(asked: Asked) -> Answer:
    return page(replace(asked.walk, items=asked.walk.items[1::2]))


def _empty(_asked: Asked) -> Answer:
    return written_page((), None)


def _undocumented(asked: Asked) -> Answer:
    rows = asked.walk.page
    changed = [
        json.dumps(odd(asked.endpoint, number, json.loads(row))).encode()
        for number, row in enumerate(rows, asked.walk.skip)
    ]
    return written_page(changed, asked.walk.next_skip)


def _cut_page(asked: Asked) -> Answer:
    return replace(asked.answer, cut=True)


def _rate_limit(asked: Asked) -> Answer:
    return asked.answer if asked.before % 2 else too_many(500, RETRY_AFTER)


FAULTS: Mapping[str, Fault] = MappingProxyType(
    {
        "expired-key": Fault("the key is refused (401), at once", _expired_key, first_page=True),
        "forbidden": Fault("the key may not see it (403), at once", _forbidden, first_page=True),
        "not-found": Fault("it is not there (404), at once", _not_found, first_page=True),
        "broken-page": Fault("a page answers 500 on every request", _broken_page),
        "html-gateway": Fault("a gateway answers 502 with an HTML page", _html_gateway),
        "garbage": Fault("a page answers 200 with a body that is not JSON", _garbage),
        "no-items": Fault("a page has an object where its rows should be", _no_items, False, True),
        "cursor-loop": Fault("a page's cursor leads to the same page", _cursor_loop, False, True),
        "duplicate-id": Fault("a row is listed twice", _duplicate_id, False, True),
        "moved": Fault(
            "a row is deleted after the first page, so another one slips out of the listing",
            _moved,
            first_page=True,
            lists_only=True,
        ),
        "narrow": Fault(
            "every other row is silently hidden, as from a key that may not see it",
            _narrow,
            first_page=True,
            lists_only=True,
        ),
        "empty": Fault("there are no rows, and no error", _empty, True, True),
        "undocumented": Fault(
            "some rows have undocumented values, types and fields",
            _undocumented,
            first_page=True,
            lists_only=True,
        ),
        "cut-page": Fault("the network connection closes in the middle of a page", _cut_page),
        "rate-limit": Fault(
            f"a page is refused once (429, retry after {RETRY_AFTER} s), then answers",
            _rate_limit,
        ),
    }
)
