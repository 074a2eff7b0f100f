"""A piece of work in a second process, while this one goes on.

Nothing depends on it. Whatever the second process does not finish, for any reason, this one does
again. Only this process reports: the other is silent, and its exit code says only whether all was
done.
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
    """Begin ``work`` in a second process; yield a function that waits, and says if it was done.

    It is not done where a second process would not help or cannot be had: on one processor, beside
    other threads, or on a system that cannot count its processors (macOS, Windows). The process has
    ended when the block has.
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
    # In a copy of this process, a lock that another thread holds would be held for ever.
    return count is not None and len(count(0)) > 1 and threading.active_count() == 1


def _begun(work: Callable[[], object]) -> int:
    """Return the process that does ``work``, 0 if the system starts none."""
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
        # Ctrl-C goes to both; the first process handles it, and ends this one.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, _end)
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(nothing, stream)
        work()
        code = 0
    finally:
        # Nothing that belongs to the first process is raised, flushed or tidied up here.
        os._exit(code)


def _end(number: int, _frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # The unfinished file is being removed.
    raise Interrupted(number)
