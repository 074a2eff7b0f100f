"""Waiting in the background: one page ahead, deadlines, signals, and a caller that leaves."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from itertools import count
from types import FrameType

import pytest

from auditor.errors import Interrupted, SourceError
from auditor.facts.shape import shape_of
from auditor.model import Completeness
from auditor.sources.api.client import HttpOptions
from auditor.sources.api.walk import FivetranSource
from auditor.sources.background import Background, in_background
from auditor.sources.stream import End, Event, Page, Restart
from tests.builders.fault_server import (
    HANG,
    Answer,
    FaultServer,
    Request,
    kept,
    page,
    record,
)
from tests.builders.walks import CREDENTIALS, SHAPE

PAGE = Page(records=[1, 2])
END = End(Completeness.ONE_WALK)


def listed_by(server: FaultServer, timeout: float = 600) -> Iterator[Event]:
    source = FivetranSource(server.url, CREDENTIALS, options=HttpOptions())
    return in_background(source.events(SHAPE), timeout=timeout)


class Endless:
    """Serves pages without end, and lets a test wait for a request."""

    def __init__(self) -> None:
        self.asked = threading.Semaphore(0)

    def __call__(self, request: Request) -> Answer:
        self.asked.release()
        number = int(request.query.get("cursor", "0"))
        return kept(page([record(number)], str(number + 1)))


def test_work_that_hangs_does_not_hold_up_the_exit() -> None:
    never, threads = threading.Event(), list[threading.Thread]()

    def work() -> bool:
        threads.append(threading.current_thread())
        return never.wait()

    future = Background(work)
    assert not future.ended(0.01)
    never.set()
    assert future.result() is True
    assert future.ended(0)
    assert [thread.daemon for thread in threads] == [True]


def test_everything_comes_in_order() -> None:
    events: list[Event] = [PAGE, Page([3]), Restart("moved"), PAGE, END]
    assert list(in_background(iter(events))) == events


def test_a_source_that_says_nothing_ends_quietly() -> None:
    assert list(in_background(iter(()))) == []


def test_a_listing_has_ten_minutes_and_not_a_moment_more() -> None:
    never = threading.Event()

    def events() -> Iterator[Event]:
        never.wait()
        yield END

    times = iter([7.0])
    with pytest.raises(SourceError, match="within 600 s"):
        next(in_background(events(), clock=lambda: next(times, 607.0)))
    never.set()


def test_an_error_comes_after_what_came_before_it() -> None:
    def events() -> Iterator[Event]:
        yield PAGE
        raise SourceError("no more")

    got = in_background(events())
    assert next(got) == PAGE
    with pytest.raises(SourceError, match="no more"):
        next(got)


@pytest.mark.parametrize("error", [TimeoutError("own"), KeyError("bug"), Interrupted(2)])
def test_any_error_is_raised_where_the_caller_is(error: BaseException) -> None:
    def events() -> Iterator[Event]:
        yield PAGE
        raise error

    got = in_background(events())
    next(got)
    with pytest.raises(type(error)):
        next(got)


def test_exactly_one_page_is_asked_for_ahead() -> None:
    script = Endless()
    with FaultServer(script) as server:
        events = listed_by(server)
        for held in range(1, 6):
            next(events)
            # The caller holds page `held`: the one after it is asked for, and no other.
            for _ in range(2 if held == 1 else 1):
                assert script.asked.acquire(timeout=20)
            assert not script.asked.acquire(timeout=0.03)
            assert len(server.requests) == held + 1


def test_a_caller_who_leaves_ends_the_walk() -> None:
    script = Endless()
    with FaultServer(script) as server:
        events = listed_by(server)
        next(events)
        for _ in range(2):
            assert script.asked.acquire(timeout=20)
        events.close()  # type: ignore[attr-defined]  # it is a generator
        assert not script.asked.acquire(timeout=0.05)
        assert len(server.requests) == 2


def test_nothing_is_fetched_before_the_first_event_is_wanted() -> None:
    with FaultServer(Endless()) as server:
        listed_by(server)
        assert server.connections == 0


def test_a_deadline_says_what_was_reached() -> None:
    first = kept(page([record(1), record(2)], "a"))
    with FaultServer([first, HANG]) as server:
        events = listed_by(server, timeout=0.4)
        next(events)
        with pytest.raises(SourceError) as caught:
            next(events)
    assert str(caught.value) == (
        "the listing was not read to its end within 0.4 s (--timeout); "
        "reached 1 page with 2 connections; "
        "raise --timeout, or narrow the listing with --group"
    )


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ([kept(b"", 503)], "{place}, page 1 (last failure: HTTP 503)"),
        ([b""], "{place}, page 1 (last failure: "),
        ([kept(page([record(1)], "a")), kept(b"", 503)], "page 2 (last failure: HTTP 503)"),
        ([kept(b"", 503), kept(page([record(1)], "a"))], "{place}, page 2; raise --timeout"),
        ([], "{place}, page 1; raise --timeout"),
    ],
    ids=["a status", "a connection", "a later page", "one that was got over", "none at all"],
)
def test_a_deadline_names_what_it_hides(answers: list[Answer], told: str) -> None:
    asked = threading.Event()
    waiting = list(answers)

    def serve(_: Request) -> Answer:
        if waiting:
            return waiting.pop(0)
        asked.set()
        return HANG

    with FaultServer(serve) as server:
        options = HttpOptions(sleep=lambda _: None)
        source = FivetranSource(server.url, CREDENTIALS, options=options)
        # The deadline comes when the server says nothing more.
        events = in_background(
            source.events(SHAPE),
            source=source,
            timeout=10,
            clock=lambda: 100.0 if asked.is_set() else 0.0,
        )
        with pytest.raises(SourceError) as caught:
            list(events)
        place = f"{server.url.removeprefix('http://')}/v1/connections"
    assert f"; waiting for {place}" in str(caught.value)
    assert told.format(place=place) in str(caught.value)


def test_a_deadline_names_the_list_that_did_not_come() -> None:
    asked, late = threading.Event(), threading.Event()

    def serve(request: Request) -> Answer:
        if request.target.startswith("/v1/connections"):
            return kept(page([record(1)]))
        asked.set()
        return HANG

    with FaultServer(serve, others=True) as server:
        source = FivetranSource(server.url, CREDENTIALS)
        shape = shape_of(["owner.active"])
        events = in_background(
            source.events(shape), source=source, clock=lambda: 1000.0 if late.is_set() else 0.0
        )
        assert isinstance(next(events), Page)
        assert asked.wait(20)
        late.set()
        with pytest.raises(SourceError) as caught:
            list(events)
    place = f"{server.url.removeprefix('http://')}/v1/users"
    assert f"1 page with 1 connection; waiting for {place}, page 1; raise" in str(caught.value)


def test_a_deadline_holds_for_pages_that_come_steadily() -> None:
    ticks = count()
    pages = in_background(iter([PAGE] * 1000), timeout=100, clock=lambda: float(next(ticks)))
    with pytest.raises(SourceError, match="--timeout"):
        list(pages)


def test_after_a_restart_the_count_is_that_of_the_new_walk() -> None:
    never = threading.Event()

    def events() -> Iterator[Event]:
        yield from (PAGE, PAGE, Restart("moved"), PAGE)
        never.wait()

    with pytest.raises(SourceError, match="reached 1 page with 2 connections"):
        list(in_background(events(), timeout=0.2))
    never.set()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_answered_however_the_network_hangs(number: signal.Signals) -> None:
    def stop(received: int, _frame: FrameType | None) -> None:
        raise Interrupted(received)

    asked = threading.Event()

    def answer(_: Request) -> Answer:
        asked.set()
        return HANG

    def press() -> None:
        asked.wait()
        os.kill(os.getpid(), number)

    before = signal.signal(number, stop)
    try:
        with FaultServer(answer) as server:
            pressing = threading.Thread(target=press)
            pressing.start()
            events = listed_by(server)
            with pytest.raises(Interrupted) as caught:
                next(events)
            pressing.join()
    finally:
        signal.signal(number, before)
    assert caught.value.exit_code == 128 + number


def test_work_whose_thread_ended_before_it_began_is_done_by_who_waits() -> None:
    seen: list[object] = []

    def broken(frame: object, event: str, argument: object) -> None:
        seen.append(event)
        raise ValueError("a tracer")

    before, hook = threading.gettrace(), threading.excepthook
    threading.excepthook = lambda told: seen.append(told.exc_type)
    threading.settrace(broken)
    try:
        future = Background(lambda: 7)
        future._thread.join()
    finally:
        threading.settrace(before)  # type: ignore[arg-type]  # None takes it away
        threading.excepthook = hook
    assert seen
    assert future.ended(5)
    assert future.result() == 7
