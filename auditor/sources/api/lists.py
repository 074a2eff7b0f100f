"""The other lists: each is read by its own thread, while pages of connections come in.

A list that cannot be read does not end the run: whatever needs it gets the reason and the address.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from auditor.decoding.listed import Listed
from auditor.decoding.records import Decoder
from auditor.errors import SourceError
from auditor.fields import FACT_LISTS, FactList
from auditor.redaction.fields import Scrubber
from auditor.sources.ahead import TICK, Background
from auditor.sources.api.client import Client, HttpOptions
from auditor.sources.api.listing import Resource, Walks, label_of, read_object, read_whole
from auditor.sources.api.transport import Transport
from auditor.sources.stream import End, Event, Page

#: Pages that are handed on while lists are still being read; the judge keeps them until then.
_PAGES_AHEAD = 64


class Lists:
    """Reads the further lists of one account."""

    def __init__(
        self, base_url: str, transport: Transport, options: HttpOptions, scrubber: Scrubber
    ) -> None:
        self._base_url = base_url
        self._transport = transport
        self._options = options
        self._scrubber = scrubber

    def beside(self, events: Iterator[Event], wanted: Mapping[str, Decoder]) -> Iterator[Event]:
        """Yield ``events`` and, among them, each list of ``wanted`` once it has been read.

        All of them come before the end. Raises SourceError as ``events`` does, after them.
        """
        waiting = [Background(partial(self._read, *each)) for each in wanted.items()]
        pages = 0
        try:
            for event in events:
                if isinstance(event, End):
                    break
                yield event
                pages += isinstance(event, Page)
                yield from _done(waiting, patiently=pages >= _PAGES_AHEAD)
            else:
                event = None
        except SourceError:
            yield from _done(waiting, patiently=True)
            raise
        yield from _done(waiting, patiently=True)
        if event is not None:
            yield event

    def _read(self, name: str, decoder: Decoder) -> Listed:
        """Return the list that facts of ``name`` come from: its rows, or why there are none."""
        fact = FACT_LISTS[name]
        client = Client(self._transport, self._options, self._scrubber, partial(_advice, fact))
        try:
            if fact.single:
                return Listed(name, self._one(fact, client, decoder))
            return self._walked(fact, client, decoder)
        except SourceError as error:
            return Listed(name, problem=str(error))

    def _walked(self, fact: FactList, client: Client, decoder: Decoder) -> Listed:
        resource = Resource(
            fact.path, fact.noun, "run again when less changes", "ask Fivetran's support"
        )
        walks = Walks(self._base_url, resource, most_pages=self._options.pages)
        rows, doubts = read_whole(walks, client, decoder)
        return Listed(name=fact.name, rows=rows, doubts=tuple(doubts))

    def _one(self, fact: FactList, client: Client, decoder: Decoder) -> list[Any]:
        """Return the single row of what exists once per account."""
        data = read_object(self._base_url, fact.path, client)
        for name, spelled in fact.spelled:
            if spelled in data:
                data[name] = data.pop(spelled)
        rows, problems = decoder.sift([decoder.convert(data)])
        if problems:
            raise SourceError(f"{label_of(self._base_url, fact.path)}: {problems[0]}")
        return rows


def _done(waiting: list[Background[Listed]], *, patiently: bool) -> Iterable[Listed]:
    """Yield the lists that have been read; with ``patiently`` wait for the others."""
    while patiently and not all(each.ended(TICK) for each in waiting):
        pass
    done = [each for each in waiting if each.done()]
    for each in done:
        waiting.remove(each)
    for each in done:
        yield each.result()


def _advice(fact: FactList, status: int, code: str) -> str:  # noqa: ARG001  # as a client asks
    """Return advice on a status for which the client's own advice is about connections."""
    if status in {401, 403}:
        return f"the API key lacks the permission to read {fact.resource}"
    if status in {400, 404}:
        return f"this API has no list of {fact.resource}; check --base-url"
    return ""
