"""Work in the background, and reading a source one page ahead.

A thread of its own does the waiting, so that whoever waits for it can leave: at a deadline, or
for a signal. The threads are daemons; one that hangs in a dead network never holds up the exit.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from threading import Thread
from typing import TypeVar

from auditor.errors import SourceError
from auditor.sources.stream import Asking, Event, Page, Restart
from auditor.text import plural

T = TypeVar("T")

#: Seconds. On Windows a signal is only seen between two waits.
_TICK = 0.25


def in_background(work: Callable[[], T]) -> Future[T]:
    """Start ``work`` in a daemon thread; the future returns what it returns, or raises it."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again where the future is read
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return future


def ended(future: Future[T], seconds: float) -> bool:
    """Wait at most ``seconds`` for ``future``; return whether it came to an end."""
    return future in wait((future,), seconds).done


def read_ahead(
    events: Iterator[Event],
    *,
    source: object = None,
    timeout: float = 600.0,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Event]:
    """Yield ``events``, fetching the next one while the caller is busy with this one.

    Never more than one is fetched ahead. ``timeout`` is seconds for the whole listing. Raises
    SourceError when they are over, and whatever ``events`` raises. ``source`` is theirs: what it
    last failed at is what a deadline would hide.
    """
    deadline = clock() + timeout
    pages = connections = 0
    ahead = in_background(lambda: next(events, None))
    while True:
        left = deadline - clock()
        while left > 0 and not ended(ahead, min(_TICK, left)):
            left = deadline - clock()
        if left <= 0:
            raise SourceError(
                f"the listing was not read to its end within {timeout:,g} s (--timeout); "
                f"reached {plural(pages, 'page')} with {plural(connections, 'connection')}; "
                f"{_last_failure(source)}raise --timeout, or narrow the listing with --group"
            )
        event = ahead.result()
        if event is None:
            return
        ahead = in_background(lambda: next(events, None))
        if isinstance(event, Page):
            pages, connections = pages + 1, connections + len(event.records)
        elif isinstance(event, Restart):
            pages = connections = 0
        yield event


def _last_failure(source: object) -> str:
    setback = source.setback if isinstance(source, Asking) else ""
    return f"last failure: {setback}; " if setback else ""
