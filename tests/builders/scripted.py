"""A source that yields what it is told to, and the options of a run over it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from auditor.decoding.records import Decoder
from auditor.model import SourceInfo
from auditor.run import Options
from auditor.sources import Event, Page
from tests.builders.listed import (
    TODAY,
    record,
)

KEY, SECRET = "key-of-the-account", "secret-of-the-account"
#: Makes the events of a source; ``page`` decodes records as an answer's are.
Make = Callable[[Callable[..., Page]], Iterator[Event]]


class Scripted:
    """A source that yields a given list of events."""

    live = False

    def __init__(self, make: Make, kind: str = "api", live: bool = False) -> None:
        self.info = SourceInfo(kind, "somewhere")
        self.live = live
        self._make = make

    def events(self, decoder: Decoder) -> Iterator[Event]:
        def page(*records: dict[str, Any], **more: Any) -> Page:
            return Page(decoder.array(json.dumps(records).encode()), **more)

        return self._make(page)


def options(**more: Any) -> Options:
    return Options(**{"clock": lambda: TODAY, **more})


BAD, GOOD = record("a", sync_frequency=5), record("b")
