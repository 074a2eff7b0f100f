"""A walk over every page of one list of the API.

Cursors look like offsets, so a listing can change during a walk: an id that comes twice proves it,
but an item that was pushed out of sight does not show. If it is proven the walk starts again, and
with ``verify`` walks are repeated until two in a row list the same items.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from auditor.clock import to_the_second
from auditor.decoding.envelope import Envelope
from auditor.decoding.json_values import MISSING, kind_of
from auditor.decoding.records import Decoder
from auditor.errors import SourceError
from auditor.model import Completeness
from auditor.sources.api.client import Client, Reply
from auditor.sources.stream import End, Page, Restart
from auditor.text import one_line, plural

_WALKS = 3
_EMPTY_IN_A_ROW = 3
_CURSOR_BYTES = 8 * 1024
#: The clocks of servers that answer in turn may differ by this much.
_SAME_TIME = timedelta(minutes=5)
#: The option that sets each of the API's filters.
FILTER_OPTIONS = {"group_id": "--group", "schema": "--schema"}
_SUPPORT = "run again, and tell Fivetran's support if this persists"


class _Walk(msgspec.Struct):
    """One walk from the first page: the cursors it used, the ids it saw.

    ``dated`` is the server's time on the last page that told it, and this machine's then.
    ``total`` and ``all_pages`` are the most items and pages that a response said there are.
    """

    pages: int = 0
    empty_in_a_row: int = 0
    total: int = 0
    all_pages: int = 0
    cursors: set[str] = msgspec.field(default_factory=set)
    ids: set[str] = msgspec.field(default_factory=set)
    dated: tuple[datetime, float] | None = None


class _MovedError(Exception):
    """The listing changed during the walk: an id came twice."""


class ListEndpoint(msgspec.Struct, frozen=True):
    """A list of the API: its path, what an item is called, and what to do about a walk of it.

    ``moving`` is for a list that changes while it is read, ``too_long`` for one without an end.
    """

    path: str
    noun: str
    moving: str
    too_long: str


class Walks:
    """Walks over every page of one list until one walk can be trusted.

    ``most_pages`` limits a walk. Each call of ``events`` starts from the beginning.
    """

    def __init__(
        self,
        base_url: str,
        resource: ListEndpoint,
        *,
        filters: tuple[tuple[str, str], ...] = (),
        page_size: int = 1000,
        verify: bool = False,
        most_pages: int = 10_000,
    ) -> None:
        self._base_url = base_url
        self._resource = resource
        self._filters = filters
        self._page_size = page_size
        self._verify = verify
        self._most_pages = most_pages

    @property
    def first(self) -> str:
        """The address of the first page."""
        return self._url(None)

    def events(self, client: Client, decoder: Decoder) -> Iterator[Page | Restart | End]:
        """Yield the pages of at most three walks. Raises SourceError where it cannot go on."""
        before: set[str] | None = None
        seen: set[str] = set()
        reason = ""
        for number in range(1, _WALKS + 1):
            if reason:
                yield Restart(reason)
            walk = _Walk()
            try:
                yield from self._pages(client, decoder, walk)
            except _MovedError as moved:
                before, reason = None, str(moved)
                seen |= walk.ids
                continue
            if (believed := self._completeness_of(walk, number, before)) is not None:
                yield End(
                    believed,
                    walks=number,
                    warnings=tuple(_lost(seen - walk.ids, self._resource.noun)),
                )
                return
            seen |= walk.ids
            reason = (
                "walking again, to verify the listing"
                if before is None
                else f"two walks differ in {plural(len(walk.ids ^ before), self._resource.noun)}"
            )
            before = walk.ids
        raise SourceError(
            f"{self.label}: the listing kept changing while it was read ({reason}, after "
            f"{_WALKS} walks); {self._resource.moving}"
        )

    def _completeness_of(
        self, walk: _Walk, number: int, before: set[str] | None
    ) -> Completeness | None:
        """Return how complete a whole walk is; None if another walk is needed to tell.

        One page is one moment. To verify, two walks in a row have to list the same items; only a
        first walk of one page needs no second, because nothing changed before it.
        """
        if walk.pages == 1 and (number == 1 or not self._verify):
            return Completeness.ONE_PAGE
        if not self._verify:
            return Completeness.ONE_WALK
        return Completeness.VERIFIED if walk.ids == before else None

    def _pages(self, client: Client, decoder: Decoder, walk: _Walk) -> Iterator[Page]:
        cursor: str | None = None
        while True:
            label = f"{self.label}, page {walk.pages + 1}"
            reply = client.get(self._url(cursor), decoder.page, label)
            with _located(label):
                try:
                    page = self._page(reply, decoder, walk, client)
                except _MovedError:
                    # A server that returns the same page for ever would do so on every walk.
                    _refuse_circle(_cursor(reply.value.next_cursor), walk)
                    raise
                try:
                    cursor = self._following(reply, walk)
                except SourceError:
                    # The page is judged even if no other can follow.
                    yield page
                    raise
            if cursor is not None:
                # Asked for before this page is judged, which takes a while.
                client.begin(self._url(cursor))
            yield page
            if cursor is None:
                return

    def _page(self, reply: Reply[Envelope], decoder: Decoder, walk: _Walk, client: Client) -> Page:
        envelope = reply.value
        _check(envelope, client, self._resource.noun)
        walk.pages += 1
        warnings = []
        if len(envelope.items) > self._page_size:
            warnings.append(
                f"page {walk.pages} has {plural(len(envelope.items), self._resource.noun)}, but"
                f" {self._page_size:,} were requested"
            )
        if envelope.next_cursor == "":
            warnings.append(f"page {walk.pages} has an empty next_cursor; read as the end")
        records, problems = decoder.sift(envelope.items)
        _remember(decoder.ids(records), walk, self._resource.noun)
        problems += self._unrequested(decoder, records)
        problems += filter(None, [reply.cached or _other_time(reply.date, walk)])
        found = tuple(f"page {walk.pages}: {problem}" for problem in problems)
        return Page(records, found, tuple(warnings), reply.date)

    def _unrequested(self, decoder: Decoder, records: list[Any]) -> Iterator[str]:
        """Yield what was listed but not requested: the filter was not applied."""
        for name, wanted in self._filters:
            values = decoder.values(records, name)
            if others := sum(value != wanted for value in values):
                option = FILTER_OPTIONS[name]
                yield (
                    f"{plural(others, 'connection')} of another {name} than {option} asks for: "
                    f"the filter was not applied; check --base-url, or leave {option} out"
                )

    def _following(self, reply: Reply[Envelope], walk: _Walk) -> str | None:
        """Return the cursor of the next page, or None at the end."""
        envelope = reply.value
        cursor = _cursor(envelope.next_cursor)
        walk.total = max(walk.total, envelope.total or 0)
        walk.all_pages = max(walk.all_pages, envelope.pages or 0)
        sign = envelope.elsewhere or reply.more
        if cursor is None and sign:
            raise SourceError(
                f"it has no data.next_cursor, but its {sign} says that more follows; "
                "check the proxies and caches between here and the API"
            )
        if cursor is None:
            if walk.total > len(walk.ids):
                raise SourceError(
                    f"it says that there are {walk.total:,}, and the walk listed "
                    f"{plural(len(walk.ids), self._resource.noun)}; {_SUPPORT}"
                )
            if walk.all_pages > walk.pages:
                raise SourceError(
                    f"it says that there are {walk.all_pages:,} pages, and the walk had "
                    f"{plural(walk.pages, 'page')}; {_SUPPORT}"
                )
            return None
        _refuse_circle(cursor, walk)
        walk.cursors.add(cursor)
        walk.empty_in_a_row = 0 if envelope.items else walk.empty_in_a_row + 1
        if walk.empty_in_a_row > _EMPTY_IN_A_ROW:
            raise SourceError(f"{walk.empty_in_a_row} empty pages in a row and no end; {_SUPPORT}")
        if walk.pages >= self._most_pages:
            raise SourceError(f"{plural(walk.pages, 'page')} and no end; {self._resource.too_long}")
        return cursor

    def _url(self, cursor: str | None) -> str:
        query = [*self._filters, ("limit", str(self._page_size))]
        if cursor is not None:
            query.append(("cursor", cursor))
        return f"{self._base_url}{self._resource.path}?{urlencode(query, quote_via=quote, safe='')}"

    @property
    def label(self) -> str:
        """The list's name in messages: its address without the scheme."""
        return label_of(self._base_url, self._resource.path)


def label_of(base_url: str, path: str) -> str:
    """Return an address as messages name it: without the scheme."""
    parts = urlsplit(base_url)
    return f"{parts.netloc}{parts.path}{path}"


@contextmanager
def _located(label: str) -> Iterator[None]:
    """Add the location to whatever error is raised inside."""
    try:
        yield
    except SourceError as error:
        raise SourceError(f"{label}: {error}") from error


def _lost(ids: set[str], noun: str) -> Iterator[str]:
    """Yield a warning of what an abandoned walk saw and the judged one did not."""
    if ids:
        listed = plural(len(ids), noun)
        example = one_line(min(ids))
        yield (
            f"{listed} that an abandoned walk listed {'is' if len(ids) == 1 else 'are'} not in the "
            f"one that was judged, such as {example}: deleted meanwhile, or hidden by a change"
        )


def _check(envelope: Envelope, client: Client, noun: str) -> None:
    """Refuse a response that is not the requested list."""
    if envelope.code is MISSING and envelope.problem.startswith("the body"):
        raise SourceError(f"HTTP 200, but {envelope.problem}, not an object; check --base-url")
    if envelope.code != "Success":
        code = envelope.code if isinstance(envelope.code, str) else kind_of(envelope.code)
        said = f": {envelope.message}" if isinstance(envelope.message, str) else ""
        raise SourceError(
            f"HTTP 200, but its code is not Success ({client.clean(code + said)}); check "
            "--base-url, and run again later"
        )
    if envelope.problem:
        raise SourceError(f"no list of {noun}s: {envelope.problem}; check --base-url")


def _remember(ids: list[str], walk: _Walk, noun: str) -> None:
    """Add ``ids`` to what the walk saw; raise _MovedError if one of them comes twice."""
    before = len(walk.ids)
    walk.ids.update(ids)
    if len(walk.ids) != before + len(ids):
        raise _MovedError(f"the listing moved: page {walk.pages} lists a {noun} that came before")


def _other_time(date: datetime | None, walk: _Walk) -> str:
    """Return why a page was not sent when it was asked for, by the page before; "" if it was.

    A clock that is wrong is wrong on each page alike. One that jumps from a page to the next shows
    an answer that some cache kept, even one that does not say its ``Age``.
    """
    if date is None:
        return ""
    before, walk.dated = walk.dated, (date, time.time())
    if before is None:
        return ""
    last, asked = before
    waited = timedelta(seconds=max(0.0, walk.dated[1] - asked))
    if -_SAME_TIME <= date - last <= waited + _SAME_TIME:
        return ""
    return (
        f"the server's clock says {to_the_second(date)}, and on the page before "
        f"{to_the_second(last)}: a cache answered one of the two; check the proxies and caches "
        "between here and the API"
    )


def _refuse_circle(cursor: str | None, walk: _Walk) -> None:
    """Raise SourceError if the walk used ``cursor`` already."""
    if cursor in walk.cursors:
        raise SourceError(
            f"its next_cursor was used before: the listing goes in circles; {_SUPPORT}"
        )


def _cursor(value: object) -> str | None:
    """Return the cursor that a page gives, or None at the end."""
    if value is None or value is MISSING or value == "":
        return None
    if not isinstance(value, str):
        raise SourceError(f"its next_cursor is {kind_of(value)}, not text; {_SUPPORT}")
    if len(value.encode("utf-8", "surrogatepass")) > _CURSOR_BYTES:
        raise SourceError(f"its next_cursor is longer than 8 KiB; {_SUPPORT}")
    if not value.isprintable():
        raise SourceError(f"its next_cursor holds control characters; {_SUPPORT}")
    return value
