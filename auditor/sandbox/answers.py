"""What the API says: bodies, statuses, headers, cursors and pages, as plain values.

Shapes follow Fivetran's documentation: a success is ``{"code", "message", "data"}``, an error
``{"code", "message"}``, and the last page of a list has no ``next_cursor`` at all.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

JSON = "application/json;charset=utf-8"
DEFAULT_LIMIT, MOST_A_PAGE = 100, 1000

# Fivetran's sample cursors decode to {"skip": N}, without padding.
_SKIP = re.compile(r'\{"skip":([1-9][0-9]{0,9})\}', re.ASCII)


@dataclass(frozen=True, slots=True)
class Answer:
    """One response. ``cut`` says to close the connection after half of the body."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = JSON
    cut: bool = False


@dataclass(frozen=True, slots=True)
class PageRequest:
    """One request for a page: what is listed, as JSON texts, and which part is asked for."""

    items: Sequence[bytes]
    skip: int
    limit: int

    @property
    def following(self) -> int:
        """How many items are behind the reader after this page."""
        return self.skip + self.limit

    @property
    def page(self) -> Sequence[bytes]:
        """The items of this page."""
        return self.items[self.skip : self.following]

    @property
    def next_skip(self) -> int | None:
        """Where the next page starts; None after the last."""
        return self.following if self.following < len(self.items) else None


class InvalidInputError(Exception):
    """A parameter that the API refuses with 400; its text is the message."""


class NotThereError(Exception):
    """Something that is not there: 404, with ``code`` and a message for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def success(data: bytes, message: str = "Operation performed.") -> Answer:
    """Return 200 with ``data``, a JSON text."""
    return Answer(200, b'{"code":"Success","message":"%b","data":%b}' % (message.encode(), data))


def error(status: int, code: str, message: str, *headers: tuple[str, str]) -> Answer:
    """Return an error as the API writes one."""
    return Answer(status, json.dumps({"code": code, "message": message}).encode(), headers)


def page(walk: PageRequest) -> Answer:
    """Return the page that ``walk`` asks for, with a cursor unless it is the last."""
    return written_page(walk.page, walk.next_skip)


def written_page(items: Sequence[bytes], next_skip: int | None) -> Answer:
    """Return a page of ``items``; its cursor leads to ``next_skip``, None means the end."""
    cursor = b"" if next_skip is None else b',"next_cursor":"%b"' % cursor_to(next_skip).encode()
    return success(b'{"items":[%b]%b}' % (b",".join(items), cursor))


def cursor_to(skip: int) -> str:
    """Return the opaque cursor of the page that starts after ``skip`` items."""
    return base64.urlsafe_b64encode(b'{"skip":%d}' % skip).decode().rstrip("=")


def skip_of(cursor: str | None) -> int:
    """Return where the page at ``cursor`` starts. Raises InvalidInputError for any other text."""
    if cursor is None:
        return 0
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as cause:
        raise InvalidInputError("Invalid cursor") from cause
    match = _SKIP.fullmatch(text)
    if not match:
        raise InvalidInputError("Invalid cursor")
    return int(match[1])


def limit_of(limit: str | None) -> int:
    """Return the page size asked for. Raises InvalidInputError unless it is 1 to 1000."""
    if limit is None:
        return DEFAULT_LIMIT
    if not re.fullmatch(r"[0-9]{1,4}", limit, re.ASCII) or not 1 <= int(limit) <= MOST_A_PAGE:
        raise InvalidInputError(f"The limit must be a number from 1 to {MOST_A_PAGE}")
    return int(limit)
