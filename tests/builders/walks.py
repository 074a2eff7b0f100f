"""Walks over a fault server, without waiting: naps are written down instead of slept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from auditor.decoding.records import Shape
from auditor.errors import SourceError
from auditor.sources.api.account import Credentials
from auditor.sources.api.client import HttpOptions
from auditor.sources.api.walk import FivetranSource
from auditor.sources.stream import End, Event, Page, Restart
from tests.builders.fault_server import FaultServer

CREDENTIALS = Credentials("key-K3Y9x", "secret-S3CR3T/7+x")
SHAPE = Shape(["paused"])


@dataclass
class Walk:
    """What came of a walk: its events, the error that ended it, and the pauses it made."""

    events: list[Event] = field(default_factory=list)
    error: SourceError | None = None
    naps: list[float] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        """The ids since the last restart, in order."""
        ids: list[str] = []
        for event in self.events:
            if isinstance(event, Restart):
                ids = []
            elif isinstance(event, Page):
                ids += SHAPE.ids(event.records)
        return ids

    @property
    def end(self) -> End:
        assert self.error is None, self.error
        assert isinstance(self.events[-1], End)
        return self.events[-1]

    @property
    def pages(self) -> list[Page]:
        return [event for event in self.events if isinstance(event, Page)]

    @property
    def message(self) -> str:
        """The error's text, which must be one clear line without a credential in it."""
        assert self.error is not None, self.events
        assert not isinstance(self.events[-1] if self.events else None, End)
        text = str(self.error)
        assert text.isprintable()
        assert "Traceback" not in text
        assert "://" not in text
        for value in (CREDENTIALS.key, CREDENTIALS.secret, CREDENTIALS.authorization[6:]):
            assert value not in text
        assert "verify=False" not in text
        assert "insecure" not in text
        return text


def walk(server: FaultServer | str, **options: Any) -> Walk:
    """Walk the listing at ``server``; HttpOptions and source options may be mixed."""
    done = Walk()
    source_options = {
        name: options.pop(name)
        for name in ("group", "schema", "page_size", "verify_listing")
        if name in options
    }
    patience = {"attempt_seconds": 20.0, "random": lambda: 1.0, "sleep": done.naps.append}
    url = server if isinstance(server, str) else server.url
    source = FivetranSource(
        url, CREDENTIALS, options=HttpOptions(**{**patience, **options}), **source_options
    )
    try:
        for event in source.events(SHAPE):
            done.events.append(event)
    except SourceError as error:
        done.error = error
    return done


def refused(script: Any, **options: Any) -> tuple[Walk, FaultServer]:
    """Serve ``script``, expect the walk to fail with exit 3, and return how."""
    with FaultServer(script) as server:
        done = walk(server, **options)
    if done.error is None:
        pytest.fail(f"the walk ended well: {done.events}")
    assert done.error.exit_code == 3
    return done, server
