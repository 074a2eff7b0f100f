"""A piece of work in a second process, while this one goes on.

Nothing depends on it. Whatever the second process does not finish, for any reason, this one does
again. Only this process reports: the other is silent, and hands over what its work came to, whole
or not at all.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from auditor.errors import Interrupted


@contextmanager
def beside(work: Callable[[], object]) -> Iterator[Callable[[], bytes | None]]:
    """Begin ``work`` in a second process; yield a function that waits for what it came to.

    That is the bytes that ``work`` returns, b"" if it returns anything else. It is None if the work
    was not done: where a second process would not help or cannot be had
    (on one processor, beside other threads, or on a system that cannot count its processors or its
    threads, as macOS and Windows), or if it failed. The process has ended when the block has.
    """
    child, answers = _begun(work) if _is_worth_it() else (0, -1)

    def answer() -> bytes | None:
        nonlocal child
        if not child:
            return None
        with open(answers, "rb", closefd=False) as pipe:
            came_to = pipe.read()
        _, status = os.waitpid(child, 0)
        child = 0
        return came_to if status == 0 else None

    try:
        yield answer
    finally:
        if child:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGTERM)
            os.waitpid(child, 0)
        if answers >= 0:
            os.close(answers)


def _is_worth_it() -> bool:
    count = getattr(os, "sched_getaffinity", None)
    if count is None or len(count(0)) < 2:
        return False
    # In a copy of this process, a lock that another thread holds would be held for ever.
    try:
        return len(list(Path("/proc/self/task").iterdir())) == 1
    except OSError:
        return False


def _begun(work: Callable[[], object]) -> tuple[int, int]:
    """Return the process that does ``work``, and where to read what it comes to.

    The process is 0 if the system starts none.
    """
    answers, says = os.pipe()
    try:
        child = os.fork()
    except OSError:
        child = 0
        os.close(answers)
        answers = -1
    else:
        if not child:
            _work(work, says)
    os.close(says)
    return child, answers


def _work(work: Callable[[], object], says: int) -> NoReturn:
    code = 1
    try:
        # Ctrl-C goes to both; the first process handles it, and ends this one.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, _end)
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in {0, 1, 2} - {says}:
            os.dup2(nothing, stream)
        with open(says, "wb") as pipe:
            came_to = work()
            pipe.write(came_to if isinstance(came_to, bytes) else b"")
        code = 0
    finally:
        # Nothing that belongs to the first process is raised, flushed or tidied up here.
        os._exit(code)


def _end(number: int, _frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # The unfinished file is being removed.
    raise Interrupted(number)
