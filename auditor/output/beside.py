"""A piece of work in a process of its own, while this one goes on.

Nothing rests on it. What the other process did not finish, for whatever reason, is done again by
this one, and only what happens here is told: the other process is silent, and its exit code says
nothing but that all was done.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from auditor.errors import Interrupted


@contextmanager
def beside(work: Callable[[], object]) -> Iterator[Callable[[], bool]]:
    """Begin ``work`` in another process, and yield what waits for it and says whether it was done.

    It is not where a second process would be no help, or none can be had: on one processor, beside
    other threads, or on a system that cannot count its processors (macOS, Windows). The other
    process has ended when the block has.
    """
    child = _begun(work) if _is_worth_it() else 0

    def done() -> bool:
        nonlocal child
        if not child:
            return False
        _, status = os.waitpid(child, 0)
        child = 0
        return status == 0

    try:
        yield done
    finally:
        if child:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGTERM)
            os.waitpid(child, 0)


def _is_worth_it() -> bool:
    count = getattr(os, "sched_getaffinity", None)
    # A lock that another thread holds would be held for ever in the copy of this process.
    return count is not None and len(count(0)) > 1 and threading.active_count() == 1


def _begun(work: Callable[[], object]) -> int:
    """Return the process that does ``work``, 0 where the system starts none."""
    try:
        child = os.fork()
    except OSError:
        return 0
    if not child:
        _work(work)
    return child


def _work(work: Callable[[], object]) -> NoReturn:
    code = 1
    try:
        # Ctrl-C is meant for both; the first process hears it, and ends this one.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, _end)
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(nothing, stream)
        work()
        code = 0
    finally:
        # Nothing is raised, flushed or tidied up here that is the first process's.
        os._exit(code)


def _end(number: int, _frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # what is unfinished is being removed
    raise Interrupted(number)
