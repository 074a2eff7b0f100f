"""Access to one account: everything read from it uses the same address, key and limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from auditor.decoding.envelope import once
from auditor.decoding.json_values import UndecodableError, kind_of, utf8
from auditor.decoding.records import Decoder
from auditor.errors import SourceError
from auditor.redaction.fields import Scrubber
from auditor.sources.api.client import Client, HttpOptions, behind
from auditor.sources.api.listing import ListEndpoint, Walks, label_of
from auditor.sources.api.transport import Transport
from auditor.sources.stream import End, Page, Restart

#: Returns advice for a status and the API's own code; "" for the client's usual advice.
Advise = Callable[[int, str], str]


class Access(msgspec.Struct, frozen=True):
    """What all requests to one account share; ``scrubber`` removes the key from messages.

    ``clients`` are those that were made so far.
    """

    base_url: str
    transport: Transport
    options: HttpOptions
    scrubber: Scrubber
    clients: list[Client] = msgspec.field(default_factory=list)

    def client(self, advise: Advise, *, current: bool = False) -> Client:
        """Return a client with its own patience; with ``current`` an old response is an error."""
        client = Client(self.transport, self.options, self.scrubber, advise, current=current)
        self.clients.append(client)
        return client

    def late(self) -> Iterator[str]:
        """Yield which answers are older than others, though no header says that a cache gave them.

        Not the first client's: pages of connections wait here for their judge, and what their dates
        say is told of them.
        """
        dated = [each for client in self.clients[1:] for each in client.dated]
        return behind(dated, [each for client in self.clients for each in client.dated])

    def rows(
        self, resource: ListEndpoint, decoder: Decoder, advise: Advise
    ) -> tuple[list[Any], list[str]]:
        """Return the rows of a list, and why any item of it is not one. Raises SourceError.

        A list of several pages is walked until two walks in a row list the same rows: a row that is
        not there says something of connections, and a change meanwhile may have hidden it.
        """
        walks = Walks(self.base_url, resource, verify=True, most_pages=self.options.pages)
        rows: list[Any] = []
        doubts: list[str] = []
        for event in walks.events(self.client(advise, current=True), decoder):
            match event:
                case Page():
                    rows += event.records
                    doubts += event.problems
                case Restart():
                    rows, doubts = [], []
                case End():
                    return rows, doubts
        raise SourceError("the list stopped without its end")

    def object(self, path: str, advise: Advise) -> dict[str, Any]:
        """Return the one object that the API has at ``path``. Raises SourceError."""
        url = f"{self.base_url}{path}"
        return self.client(advise, current=True).get(url, _object, self.label(path)).value

    def label(self, path: str) -> str:
        """Return the address of ``path`` as messages name it."""
        return label_of(self.base_url, path)


def _object(body: bytes) -> dict[str, Any]:
    """Return the object in an answer of the API. Raises UndecodableError."""
    answer = once(utf8(body))
    data = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(data, dict):
        raise UndecodableError(f'"data" is {kind_of(data)}', transient=False)
    if answer.get("code") != "Success":
        raise UndecodableError("its code is not Success", transient=False)
    return data
