"""A folder that runs add to one at a time: a file that grows line by line, and other files.

A line is added with a single write and the other files are replaced in one step, both under a lock
on the whole folder. Concurrent runs wait for each other, and a run that is killed leaves a whole
line or none. On a system without locks, concurrent runs may lose each other's other files.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from auditor.output.disk import replace_file
from auditor.output.locks import wait_for_lock
from auditor.output.unfinished import clear

LOCK = ".lock"
#: Seconds that a run waits for another one to finish writing.
_PATIENCE = 30.0
# Opening a FIFO would wait for its other end.
_AT_ONCE = getattr(os, "O_NONBLOCK", 0)


class Journal(NamedTuple):
    """The folder at ``path``, while this run has it to itself."""

    path: Path

    def prepare(self, name: str) -> None:
        """Remove what killed runs have left, and check that lines can be added. Raises OSError."""
        clear(self.path)
        os.close(_opened(self.path / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND))

    def read(self, name: str) -> bytes:
        """Return the content of a file. Raises OSError: FileNotFoundError if it does not exist."""
        descriptor = _opened(self.path / name, os.O_RDONLY)
        with os.fdopen(descriptor, "rb") as file:
            return file.read()

    def append(self, name: str, line: bytes) -> None:
        """Add a line, whole or not at all; the last one may be torn. Raises OSError."""
        descriptor = _opened(self.path / name, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        try:
            size = os.fstat(descriptor).st_size
            torn = size and _last_byte(descriptor, size) != b"\n"
            data = b"\n" + line if torn else line
            if os.write(descriptor, data) != len(data):
                os.ftruncate(descriptor, size)
                raise OSError(0, "the disk is full")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def replace(self, name: str, chunks: Iterable[str]) -> None:
        """Replace a file's content by ``chunks`` in one step. Raises OSError."""
        replace_file(self.path / name, chunks)


@contextmanager
def open_journal(path: Path, patience: float | None = None) -> Iterator[Journal]:
    """Create the folder if needed and lock other runs out of it. Raises OSError."""
    path.mkdir(parents=True, exist_ok=True)
    descriptor = _opened(path / LOCK, os.O_WRONLY | os.O_CREAT)
    try:
        lock = wait_for_lock(descriptor, _PATIENCE if patience is None else patience)
        try:
            yield Journal(path)
        finally:
            # Closing it releases the lock, as the end of the process would.
            if lock is not None:
                os.close(lock)
    finally:
        os.close(descriptor)


def _opened(path: Path, flags: int) -> int:
    """Open a file without waiting. Raises OSError where it is not a file."""
    try:
        descriptor = os.open(path, flags | _AT_ONCE | getattr(os, "O_BINARY", 0), 0o666)
    except OSError as error:
        if error.errno in {errno.ENXIO, errno.EISDIR}:
            raise OSError(0, f"{path.name} is not a file") from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(0, f"{path.name} is not a file")
    return descriptor


def _last_byte(descriptor: int, size: int) -> bytes:
    os.lseek(descriptor, size - 1, os.SEEK_SET)
    return os.read(descriptor, 1)
