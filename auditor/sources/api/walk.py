"""The live API: the connections that it lists, and what its other lists say about them."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from auditor.decoding.records import Decoder
from auditor.errors import UsageError, about
from auditor.model import BASE_URL, SourceInfo
from auditor.redaction.fields import Scrubber
from auditor.sources.api.access import Access
from auditor.sources.api.account import Credentials, check_base_url
from auditor.sources.api.client import HttpOptions
from auditor.sources.api.listing import FILTER_OPTIONS, ListEndpoint, Walks
from auditor.sources.api.lists import Lists
from auditor.sources.api.reach import PROXY, Reach
from auditor.sources.api.transport import Transport
from auditor.sources.stream import End, Event
from auditor.text import listed

_CONNECTIONS = ListEndpoint(
    "/v1/connections",
    "connection",
    "run again when fewer connections change, or narrow it with --group",
    "raise --page-size, or narrow the listing with --group",
)


class FivetranSource:
    """The connections that the API lists for ``credentials``, and the lists beside them.

    ``group`` and ``schema`` are the API's own filters; ``page_size`` is 1 to 1000. Each call of
    ``events`` is a separate run. Raises UsageError for options that the API does not accept.
    """

    live = True

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        *,
        group: str | None = None,
        schema: str | None = None,
        page_size: int = 1000,
        verify_listing: bool = False,
        options: HttpOptions | None = None,
    ) -> None:
        with about("base_url"):
            self._base_url = check_base_url(base_url)
        self._credentials = credentials
        self._filters = tuple(_filters(group, schema))
        self._group = group
        if not 1 <= page_size <= 1000:
            raise UsageError("--page-size takes 1 to 1000, which is what the API allows")
        self._verify = verify_listing
        self._options = options or HttpOptions()
        self._walks = Walks(
            self._base_url,
            _CONNECTIONS,
            filters=self._filters,
            page_size=page_size,
            verify=verify_listing,
            most_pages=self._options.pages,
        )
        self._begun: Transport | None = None
        self._scrubber = Scrubber(((credentials.key, credentials.secret),))
        self._access: Access | None = None

    @property
    def info(self) -> SourceInfo:
        """The API's address and the filters in use."""
        words = [w for name, value in self._filters for w in (FILTER_OPTIONS[name], value)]
        if self._base_url != BASE_URL:
            words = ["--base-url", self._base_url, *words]
        return SourceInfo(
            "api", self._base_url, self._filters, base_url=self._base_url, again=tuple(words)
        )

    @property
    def reads(self) -> frozenset[str]:
        """The fields it reads in each record to check whether the key sees every connection."""
        return frozenset({PROXY}) if self._looks else frozenset()

    @property
    def _looks(self) -> bool:
        """Whether to check how much the key sees; for a part of the account nothing can tell."""
        return self._verify and not self._filters

    @property
    def waiting(self) -> str:
        """What it asks for now, and why the last attempts failed; "" if it asks for nothing."""
        clients = self._access.clients if self._access is not None else ()
        return listed(filter(None, (client.waiting for client in clients)), "and")

    def begin(self) -> None:
        """Ask for the first page now; the next call of ``events`` waits for it."""
        self._begun = self._connect()
        self._begun.begin(self._walks.first)

    def events(self, decoder: Decoder) -> Iterator[Event]:
        """Yield the listing and, among its pages, the lists that ``decoder`` wants as they arrive.

        Raises SourceError if the listing cannot go on; a list that cannot be read carries the
        reason.
        """
        transport, self._begun = self._begun or self._connect(), None
        self._access = access = Access(self._base_url, transport, self._options, self._scrubber)
        events: Iterator[Event] = self._walks.events(access.client(self._advise), decoder)
        if self._looks:
            events = Reach(access).verified(events, decoder)
        try:
            for event in Lists(access).beside(events, decoder.lists):
                if isinstance(event, End):
                    event = replace(event, warnings=(*event.warnings, *access.late()))  # noqa: PLW2901
                yield event
        finally:
            transport.close()

    def _connect(self) -> Transport:
        return Transport(
            self._base_url,
            self._credentials.authorization,
            attempt_seconds=self._options.attempt_seconds,
            body_bytes=self._options.page_bytes,
        )

    def _advise(self, status: int, code: str) -> str:
        if status == 401:
            key, secret = self._credentials.variables
            return f"the API did not accept {key} and {secret}; check both"
        if status == 404 and self._group and code.startswith("NotFound"):
            return "no such group; check --group, which takes a group's id, and --base-url"
        return ""


def _filters(group: str | None, schema: str | None) -> Iterator[tuple[str, str]]:
    for name, value in (("group_id", group), ("schema", schema)):
        if value is None:
            continue
        if not value or not value.isprintable():
            option = FILTER_OPTIONS[name]
            said = f"{option} is empty or holds a control character; correct it"
            raise UsageError(said, option=option.removeprefix("--"))
        yield name, value
