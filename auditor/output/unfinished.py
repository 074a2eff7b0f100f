"""Files that are not whole yet: beside what they will replace, and gone when their run is.

A run that is killed cannot clear up. So each of these files is locked for as long as its run has
it, and the lock ends with the process however that ends: one that can be locked is nobody's any
more, and the next run that writes into the folder removes it. Where nothing can be locked they
stay, for whoever looks for ``.fivetran-auditor-*``.
"""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from auditor.output.locks import try_lock

_NAME = re.compile(r"\.fivetran-auditor-[0-9a-f]{12}\.(tmp|part)")
# For writing, since a network's file system gives no lock for less.
_LOOK = os.O_WRONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)


class Unfinished(NamedTuple):
    """A new file at ``path``, to be written through ``descriptor``, which its writer closes."""

    path: Path
    descriptor: int
    lock: int | None

    def take(self, target: Path) -> None:
        """Give the file its real name, in one step. Raises OSError."""
        self.path.replace(target)
        # It is whole and in its place; not every file system can sync a folder.
        with suppress(OSError):
            folder = os.open(target.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def end(self) -> None:
        """Remove the file, unless it has its real name by now, and give up the lock."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
        if self.lock is not None:
            os.close(self.lock)


def begin(folder: Path, ending: str = "tmp", mode: int = 0o666) -> Unfinished:
    """Make a new file in ``folder``; ``mode`` is less the umask. Raises OSError."""
    while True:
        path = folder / f".fivetran-auditor-{os.urandom(6).hex()}.{ending}"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        try:
            lock = try_lock(descriptor)
            if lock is None or os.fstat(lock).st_nlink:
                return Unfinished(path, descriptor, lock)
            os.close(lock)
        except BlockingIOError:
            pass
        except BaseException:
            os.close(descriptor)
            path.unlink(missing_ok=True)
            raise
        # Before it was locked, another run took it for left over: once more.
        os.close(descriptor)


def clear(folder: Path) -> None:
    """Remove what killed runs have left in ``folder``, as far as that is possible."""
    with suppress(OSError):
        # Names are enough, and there may be many.
        for name in os.listdir(folder):  # noqa: PTH208
            if _NAME.fullmatch(name):
                with suppress(OSError):
                    _remove_if_left(folder / name)


def _remove_if_left(path: Path) -> None:
    descriptor = os.open(path, _LOOK)
    try:
        lock = try_lock(descriptor) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
        if lock is not None:
            path.unlink()
            os.close(lock)
    finally:
        os.close(descriptor)
