r"""Bytes on their way out: to a file in one step, to a pipe, to standard output.

Text is written as UTF-8 with ``\n`` at line ends on every system.
"""

from __future__ import annotations

import errno
import io
import os
import select
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from auditor.output.unfinished import begin

_BUFFER = 1 << 18
_SENT_OFF = 1 << 20
_LOOKED_AT = 1 << 10
_ELSEWHERE = "or choose another folder with --output-dir"
_REASONS = {
    errno.ENOSPC: f"no space is left there; free some, {_ELSEWHERE}",
    errno.EDQUOT: f"the disk quota is used up; free some space, {_ELSEWHERE}",
    errno.EFBIG: f"the file is larger than a limit allows; raise it (ulimit -f), {_ELSEWHERE}",
    errno.EACCES: f"permission denied; make the folder writable, {_ELSEWHERE}",
    errno.EPERM: f"not permitted; make the folder writable, {_ELSEWHERE}",
    errno.EROFS: "the file system is read-only; choose another folder with --output-dir",
    errno.EISDIR: "a folder is in the way; remove it, or give a file's name",
    errno.ENOTDIR: "a part of the path is a file, not a folder; remove it, or choose another path",
    errno.EEXIST: "a part of the path is a file, not a folder; remove it, or choose another path",
    errno.ELOOP: "the symbolic links go in circles; choose another path",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
    errno.ENOENT: "the folder cannot be made, or is gone; choose another path",
    errno.EBUSY: "the file is a mount point and cannot be replaced; mount its folder instead",
    errno.ENXIO: "nobody reads there; start the reader first",
    errno.EPIPE: "the reader went away before the end",
    errno.EBADF: "it is closed; send the report to a file instead",
}


def explain(error: OSError) -> str:
    """Return why a report could not be written, and what to do, without the path."""
    why = error.strerror or str(error)
    return _REASONS.get(error.errno or 0) or f"{why}; choose another folder with --output-dir"


def encoded(chunks: Iterable[str]) -> Iterator[bytes]:
    """Yield ``chunks`` in UTF-8; a lone surrogate becomes U+FFFD."""
    for chunk in chunks:
        try:
            yield chunk.encode()
        except UnicodeEncodeError:
            pairs = chunk.encode("utf-16-le", "surrogatepass")
            yield pairs.decode("utf-16-le", "replace").encode()


def begins_with(path: Path, mark: bytes) -> bool:
    """Whether the first bytes of the file ``path`` hold ``mark``; False where it is no file."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return mark in file.read(_LOOKED_AT)


def replace_file(target: Path, chunks: Iterable[str]) -> None:
    """Make ``target`` hold ``chunks``, in one step: what stood there, or all of it.

    ``target`` is no symbolic link. A file that is there keeps its mode; a new one gets 0644
    less the umask. Raises OSError, and then leaves nothing behind.
    """
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "")
    # Beside the target, since a rename works within one file system only.
    temporary = begin(target.parent)
    try:
        with os.fdopen(temporary.descriptor, "wb", _BUFFER) as file:
            file.writelines(_sent_off(encoded(chunks), temporary.descriptor))
            file.flush()
            with suppress(FileNotFoundError):
                temporary.path.chmod(stat.S_IMODE(target.stat().st_mode))
            os.fsync(temporary.descriptor)
        temporary.take(target)
    finally:
        temporary.end()


def _sent_off(pieces: Iterable[bytes], descriptor: int) -> Iterator[bytes]:
    """Yield ``pieces``, and let the system begin with those before: at the end little is left."""
    waiting = 0
    for piece in pieces:
        yield piece
        waiting += len(piece)
        if waiting > _SENT_OFF and hasattr(os, "posix_fadvise"):
            waiting = 0
            with suppress(OSError):  # a file system need not take advice
                # What is not on the disk yet is not dropped from memory by this, but sent there.
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)


def write_pipe(path: Path, chunks: Iterable[str]) -> None:
    """Write ``chunks`` to a FIFO or a device, where nothing can be replaced. Raises OSError."""
    descriptor = os.open(path, os.O_WRONLY)
    try:
        _write_descriptor(descriptor, chunks)
    finally:
        os.close(descriptor)


def write_stdout(chunks: Iterable[str]) -> None:
    """Write ``chunks`` to standard output. Raises OSError where it is closed, full or gone.

    The bytes pass Python's buffer by: what it cannot get rid of would fail a second time when
    the interpreter ends, and change the exit code.
    """
    stream = sys.stdout
    if stream is None or stream.closed:
        raise OSError(errno.EBADF, "")
    stream.flush()
    try:
        descriptor = stream.fileno()
    except io.UnsupportedOperation:
        for data in encoded(chunks):
            stream.write(data.decode())
        stream.flush()
    else:
        _write_descriptor(descriptor, chunks)


def _write_descriptor(descriptor: int, chunks: Iterable[str]) -> None:
    for data in encoded(chunks):
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(descriptor, rest) :]
            except BlockingIOError:
                # Whoever shares the pipe may have made it non-blocking.
                select.select([], [descriptor], [])
