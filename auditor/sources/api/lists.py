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
from auditor.sources.api.access import Access, Advise
from auditor.sources.api.listing import ListEndpoint
from auditor.sources.background import TICK, Background
from auditor.sources.stream import End, Event, Page

#: Pages passed on while lists are still being read; the judge keeps them until then.
_PAGES_AHEAD = 64


class Lists:
    """Reads the other lists of one account."""

    def __init__(self, access: Access) -> None:
        self._access = access

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
        advise = partial(_advice, fact)
        try:
            if fact.single:
                return Listed(name, self._single_row(fact, decoder, advise))
            resource = ListEndpoint(
                fact.path, fact.noun, "run again when less changes", "ask Fivetran's support"
            )
            rows, doubts = self._access.rows(resource, decoder, advise)
        except SourceError as error:
            return Listed(name, problem=str(error))
        return Listed(name=fact.name, rows=rows, doubts=tuple(doubts))

    def _single_row(self, fact: FactList, decoder: Decoder, advise: Advise) -> list[Any]:
        """Return the single row of what exists once per account."""
        data = self._access.object(fact.path, advise)
        for name, spelled in fact.spelled:
            if spelled in data:
                data[name] = data.pop(spelled)
        rows, problems = decoder.sift([decoder.convert(data)])
        if problems:
            raise SourceError(f"{self._access.label(fact.path)}: {problems[0]}")
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
    if status == 401:
        return "the API did not accept the key and the secret; check both"
    if status == 403:
        return f"the API key lacks the permission to read {fact.resource}"
    if status in {400, 404}:
        return f"this API has no list of {fact.resource}; check --base-url"
    return ""
