"""Locks that end with their process, however it ends; on a system without locks, no locks."""

from __future__ import annotations

import os
import time

try:
    import fcntl
except ImportError:  # Windows, and Python in a browser
    _HAVE_LOCKS = False
else:
    _HAVE_LOCKS = True

_PAUSE = 0.05


def try_lock(descriptor: int) -> int | None:
    """Lock a file until the returned object is closed; None where there are no locks.

    Raises BlockingIOError where another run has the lock.
    """
    if not _HAVE_LOCKS:
        return None
    lock = os.dup(descriptor)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise
    except OSError:  # a file system without locks
        os.close(lock)
        return None
    return lock


def wait_for_lock(descriptor: int, patience: float) -> int | None:
    """Lock a file as ``try_lock`` does, waiting up to ``patience`` seconds.

    Raises BlockingIOError after that.
    """
    end = time.monotonic() + patience
    while True:
        try:
            return try_lock(descriptor)
        except BlockingIOError:
            if time.monotonic() > end:
                raise BlockingIOError(
                    0, "another run has been writing there for a long time"
                ) from None
        time.sleep(_PAUSE)
