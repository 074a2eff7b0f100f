"""Work in the background, and reading a source there.

A separate thread does the waiting, so that the caller can leave at a deadline or for a signal. The
threads are daemons; one that hangs in a dead network never holds up the exit.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from threading import Thread
from typing import TypeVar

from auditor.errors import SourceError
from auditor.sources.stream import Asking, Event, Page, Restart, Source, more_time
from auditor.text import plural

T = TypeVar("T")

#: Seconds. On Windows a signal is noticed only between two waits.
TICK = 0.25


class Background(Future[T]):
    """Work that a daemon thread does; the future returns what it returns, or raises it."""

    def __init__(self, work: Callable[[], T]) -> None:
        super().__init__()
        self._work = work
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def ended(self, seconds: float) -> bool:
        """Wait at most ``seconds``; return whether the work ended.

        A thread may end before it does anything (a tracer or a profiler may raise in it): its work
        is then done here, rather than waited for until the deadline.
        """
        deadline = time.monotonic() + seconds
        while not wait((self,), min(TICK, max(0, deadline - time.monotonic()))).done:
            if not self._thread.is_alive() and not self.done():
                self._run()
            elif time.monotonic() >= deadline:
                break
        return self.done()

    def _run(self) -> None:
        try:
            self.set_result(self._work())
        except BaseException as error:  # noqa: BLE001 - raised again where the future is read
            self.set_exception(error)


def in_background(
    events: Iterator[Event],
    *,
    source: Source | None = None,
    timeout: float = 600.0,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Event]:
    """Yield ``events`` as the caller wants them, each waited for in a thread.

    ``timeout`` is seconds for the whole listing. Raises SourceError when they are over, and
    whatever ``events`` raises. ``source`` is where the events come from: what it was waiting for is
    named, which a deadline would hide.
    """
    deadline = clock() + timeout
    pages = connections = 0
    while True:
        following = Background(lambda: next(events, None))
        left = deadline - clock()
        while left > 0 and not following.ended(min(TICK, left)):
            left = deadline - clock()
        if left <= 0:
            raise SourceError(
                f"the listing was not read to its end within {timeout:,g} s (--timeout); "
                f"reached {plural(pages, 'page')} with {plural(connections, 'connection')}; "
                f"{_waiting(source)}{more_time(None if source is None else source.info)}"
            )
        event = following.result()
        if event is None:
            return
        if isinstance(event, Page):
            pages, connections = pages + 1, connections + len(event.records)
        elif isinstance(event, Restart):
            pages = connections = 0
        yield event


def _waiting(source: object) -> str:
    waiting = source.waiting if isinstance(source, Asking) else ""
    return f"waiting for {waiting}; " if waiting else ""
