"""Writing text where the user said: whole or not at all, and never over what the run reads."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from auditor.errors import ReportError
from auditor.output.disk import (
    encoded,
    explain,
    real,
    replace_file,
    write_descriptor,
    write_pipe,
    write_stdout,
)
from auditor.output.target import Target
from auditor.text import broken_commands

# Opening a FIFO would wait for its other end.
_AT_ONCE = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
#: Seconds that a reader may take nothing.
_STALLED = 60.0


def put(target: Target, chunks: Iterable[str], *, commands: bool = False) -> None:
    """Write ``chunks`` to ``target``: a file in one step, with its folder; a stream as they come.

    A stream may be a job's log: text that it would take for a command is made harmless, unless
    ``commands`` says that the text consists of commands. If it raises OSError, a file is as it was;
    ``explain`` says why.
    """
    if not target.is_stream:
        assert target.path is not None
        place = real(target.path)
        place.parent.mkdir(parents=True, exist_ok=True)
        replace_file(place, chunks)
        return
    harmless = broken_commands(chunks, whole_lines=not commands)
    if target.path is not None:
        write_pipe(target.path, harmless)
    elif target.is_stdout:
        write_stdout(harmless)
    else:
        write_descriptor(target.descriptor, encoded(harmless))


def append(path: Path, chunks: Iterable[str], most: int) -> None:
    """Append ``chunks`` to the file ``path``, whole or not at all. Raises OSError.

    For a file that other programs create and write to as well. It gets no larger than ``most``
    bytes; a FIFO that nobody reads is an error.
    """
    place = real(path)
    data = b"".join(encoded(chunks))
    descriptor = os.open(place, os.O_WRONLY | os.O_APPEND | os.O_CREAT | _AT_ONCE, 0o644)
    try:
        size = os.fstat(descriptor).st_size
        if size + len(data) > most:
            raise OSError(errno.EFBIG, "")
        try:
            write_descriptor(descriptor, [data], _STALLED)
        except OSError:
            with suppress(OSError):
                os.ftruncate(descriptor, size)
            raise
    finally:
        os.close(descriptor)


def put_document(target: Target, chunks: Iterable[str], elsewhere: str) -> None:
    """Write ``chunks`` as ``put`` does. Raises ReportError, which ends with ``elsewhere``."""
    try:
        put(target, chunks)
    except OSError as error:
        raise ReportError(f"cannot write {target}: {explain(error, elsewhere)}") from error


def try_stream(target: Target) -> None:
    """Raise OSError if a stream surely cannot be written to; writes nothing."""
    if target.path is not None:
        if not os.access(target.path, os.W_OK):
            raise PermissionError(errno.EACCES, "")
    elif target.is_stdout:
        write_stdout(())
    else:
        os.fstat(target.descriptor)


def remove_old(path: Path) -> None:
    """Remove a file that may be gone already. Raises OSError."""
    path.unlink(missing_ok=True)


def remove(path: Path) -> None:
    """Remove the file that ``path`` leads to, as far as that is possible."""
    with suppress(OSError):
        place = real(path)
        if place.is_file():
            place.unlink()
