"""Reading a file that a person named, whatever it turns out to be."""

from __future__ import annotations

import errno
import io
import os
import select
import stat
from pathlib import Path
from typing import BinaryIO

#: Seconds to wait for a FIFO's first bytes.
_PATIENCE = 10.0
_BLOCK = 1 << 20
_AT_ONCE = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)


def read_file(path: Path | str, most: int, *, patience: float | None = None) -> bytes:
    """Return the first ``most`` bytes of a file or a FIFO.

    Opening never blocks, and a FIFO to which nobody writes for ``patience`` seconds is an error.
    Raises OSError.
    """
    descriptor = os.open(path, os.O_RDONLY | _AT_ONCE)
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        pieces, size = [], 0
        while size < most:
            if not stat.S_ISREG(mode):
                _await_writer(descriptor, patience)
            piece = os.read(descriptor, min(most - size, _BLOCK))
            if not piece:
                break
            pieces.append(piece)
            size += len(piece)
        return b"".join(pieces)
    finally:
        os.close(descriptor)


def open_file(path: Path | str, *, patience: float | None = None) -> BinaryIO:
    """Open a file or a FIFO for reading; a FIFO once somebody writes to it. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | _AT_ONCE)
    try:
        if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            _await_writer(descriptor, patience)
        if hasattr(os, "set_blocking"):
            os.set_blocking(descriptor, True)
        return io.BufferedReader(io.FileIO(descriptor))
    except BaseException:
        os.close(descriptor)
        raise


def _await_writer(descriptor: int, patience: float | None) -> None:
    waits = _PATIENCE if patience is None else patience
    if not select.select([descriptor], [], [], waits)[0]:
        raise TimeoutError(errno.ETIMEDOUT, "nobody writes to it")
