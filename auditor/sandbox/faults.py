"""Faults to try by hand: a closed table of ways in which a listing goes wrong.

A fault strikes from the second page on (``expired-key`` strikes at once). So that there is a
second page, a sandbox with a fault hands out at most a third of a list at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from auditor.sandbox.answers import Answer, Walk, error, page, written_page

#: Seconds that ``rate-limit`` asks for: long enough to see, short enough to wait for.
RETRY_AFTER = 2


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: what it does, in a line, and what it answers in place of a page.

    ``answer`` gets the page asked for and how often a page has been struck before.
    ``first_page`` says that it strikes the first page too.
    """

    doc: str
    answer: Callable[[Walk, int], Answer]
    first_page: bool = False

    def strikes(self, walk: Walk) -> bool:
        """Whether this page goes wrong: any but the first, or the only one there is."""
        return self.first_page or walk.skip > 0 or walk.limit >= len(walk.items)


def narrowed(walk: Walk) -> Walk:
    """Return ``walk`` with pages so short that the list takes at least two, if it can."""
    return replace(walk, limit=max(1, min(walk.limit, -(-len(walk.items) // 3))))


def auth_failed() -> Answer:
    """Return 401, as for a key that is wrong, or no longer right."""
    return error(
        401,
        "AuthFailed",
        "Invalid API key or secret",
        ("WWW-Authenticate", 'Basic realm="Fivetran"'),
    )


def too_many(limit: int, seconds: int) -> Answer:
    """Return 429: ``limit`` requests were made in an hour, the next may be in ``seconds``."""
    return error(
        429,
        "TooManyRequests",
        f"Max {limit} api calls allowed in one-hour rolling time period",
        ("Retry-After", str(seconds)),
    )


def _expired_key(_walk: Walk, _before: int) -> Answer:
    return auth_failed()


def _broken_page(_walk: Walk, _before: int) -> Answer:
    return error(500, "InternalServerError", "Something went wrong")


def _html_gateway(_walk: Walk, _before: int) -> Answer:
    body = b"<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>"
    return Answer(502, body, content_type="text/html")


def _cursor_loop(walk: Walk, _before: int) -> Answer:
    # Without a cursor in the request there is none to repeat: lead to this page anyway.
    return written_page(walk.items[walk.skip : walk.following], walk.skip or 1)


def _duplicate_id(walk: Walk, _before: int) -> Answer:
    start = max(0, walk.skip - 1)
    items = walk.items[start : walk.following]
    again = items if walk.skip else [*items, *items[:1]]
    return written_page(again, walk.following if walk.following < len(walk.items) else None)


def _cut_page(walk: Walk, _before: int) -> Answer:
    return replace(page(walk), cut=True)


def _rate_limit(walk: Walk, before: int) -> Answer:
    return page(walk) if before % 2 else too_many(500, RETRY_AFTER)


FAULTS: Mapping[str, Fault] = MappingProxyType(
    {
        "expired-key": Fault("the key is refused (401)", _expired_key, first_page=True),
        "broken-page": Fault("a page answers 500, however often it is asked for", _broken_page),
        "html-gateway": Fault("a gateway answers 502 with HTML", _html_gateway),
        "cursor-loop": Fault("a page's cursor leads to the same page", _cursor_loop),
        "duplicate-id": Fault("a connection is listed twice", _duplicate_id),
        "cut-page": Fault("the connection closes in the middle of a page", _cut_page),
        "rate-limit": Fault(
            f"a page is refused once (429, retry after {RETRY_AFTER} s), then answered",
            _rate_limit,
        ),
    }
)
