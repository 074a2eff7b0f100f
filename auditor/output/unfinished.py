"""Unfinished files: beside what they will replace, and removed when their run ends.

A run that is killed cannot clean up. So each of these files is locked while its run uses it, and
the lock ends with the process, however it ends. A file that can be locked has no run any more, and
the next run that writes into the folder removes it. Where files cannot be locked they stay; look
for ``.fivetran-auditor-*``.
"""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from auditor.errors import Interrupted
from auditor.output.locks import try_lock

_NAME = re.compile(r"\.fivetran-auditor-[0-9a-f]{12}\.(tmp|part)")
# For writing, because a network file system gives no lock otherwise.
_LOOK = os.O_WRONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)


class Unfinished(NamedTuple):
    """A new file at ``path``, to be written through ``descriptor``, which its writer closes."""

    path: Path
    descriptor: int
    lock: int | None

    def take(self, target: Path) -> None:
        """Give the file its real name, in one step. Raises OSError."""
        self.path.replace(target)
        # The file is complete and in its place; not every file system can sync a folder.
        with suppress(OSError):
            folder = os.open(target.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def end(self) -> None:
        """Remove the file, unless it already has its real name, and release the lock."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
        if self.lock is not None:
            os.close(self.lock)


def begin(folder: Path, ending: str = "tmp", mode: int = 0o666) -> Unfinished:
    """Create a file in ``folder`` with ``mode`` less the umask. Raises OSError."""
    while True:
        path = folder / f".fivetran-auditor-{os.urandom(6).hex()}.{ending}"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        except Interrupted:
            # A signal that came with the call is raised once the file is there.
            path.unlink(missing_ok=True)
            raise
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
        # Another run removed it as a leftover before it was locked: try again.
        os.close(descriptor)


def clear(folder: Path) -> None:
    """Remove what killed runs have left in ``folder``, as far as that is possible."""
    with suppress(OSError):
        # Only names are needed, and there may be many.
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
