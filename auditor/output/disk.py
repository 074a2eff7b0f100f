r"""Writing bytes: to a file in one step, to a pipe, to standard output.

Text is written as UTF-8 with ``\n`` at line ends on every system.
"""

from __future__ import annotations

import errno
import io
import os
import select
import stat
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from auditor.output.unfinished import begin

_BUFFER = 1 << 18
_AT_ONCE = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
_SENT_OFF = 1 << 20
_LOOKED_AT = 4 << 10
#: Seconds to wait for a FIFO's reader to open it, and then for it to go on reading.
_PATIENCE = 10.0
_STALLED = 60.0
_PAUSE = 0.02
#: What a report's error message ends with.
ELSEWHERE = "choose another folder with --output-dir"
_REASONS = {
    errno.ENOSPC: "no space is left there; free some, or {}",
    errno.EDQUOT: "the disk quota is used up; free some space, or {}",
    errno.EFBIG: "the file is larger than a limit allows; raise it (ulimit -f), or {}",
    errno.EACCES: "permission denied; make the folder writable, or {}",
    errno.EPERM: "not permitted; make the folder writable, or {}",
    errno.EROFS: "the file system is read-only; {}",
    errno.EISDIR: "a folder is in the way; remove it, or give a file's name",
    errno.ENOTDIR: "a part of the path is a file, not a folder; remove it, or choose another path",
    errno.EEXIST: "a part of the path is a file, not a folder; remove it, or choose another path",
    errno.ELOOP: "the symbolic links go in circles; choose another path",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
    errno.ENOENT: "the folder cannot be made, or is gone; choose another path",
    errno.EBUSY: "the file is a mount point and cannot be replaced; mount its folder instead",
    errno.ENXIO: "no process reads from it; start the reader first",
    errno.EPIPE: "the reader went away before the end",
    errno.ETIMEDOUT: "its reader has stopped reading; fix the reader",
    errno.EBADF: "it is closed; write to a file instead",
}


def explain(error: OSError, elsewhere: str = ELSEWHERE) -> str:
    """Return why something could not be written, and what to do, without the path."""
    why = error.strerror or str(error)
    return _REASONS.get(error.errno or 0, f"{why}; {{}}").format(elsewhere)


def encoded(chunks: Iterable[str]) -> Iterator[bytes]:
    """Yield ``chunks`` in UTF-8; a lone surrogate becomes U+FFFD."""
    for chunk in chunks:
        try:
            yield chunk.encode()
        except UnicodeEncodeError:
            pairs = chunk.encode("utf-16-le", "surrogatepass")
            yield pairs.decode("utf-16-le", "replace").encode()


def head_of(path: Path) -> bytes:
    """Return the first bytes of the file ``path``; empty if it is not a file. Raises OSError."""
    if not path.is_file():
        return b""
    with path.open("rb") as file:
        return file.read(_LOOKED_AT)


def real(path: Path) -> Path:
    """Return where ``path`` leads, following links: what they point to is what is meant.

    Not ``Path.resolve``, which fails with a RuntimeError of its own where links go in circles.
    """
    return Path(os.path.realpath(path))


def replace_file(target: Path, chunks: Iterable[str]) -> None:
    """Replace ``target`` by ``chunks`` in one step: it holds the old content or all of the new.

    ``target`` is not a symbolic link, and its folder exists. An existing file keeps its mode; a new
    one gets 0666 less the umask. If it raises OSError, it leaves nothing behind.
    """
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "")
    # Beside the target, because a rename works only within one file system.
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
    """Yield ``pieces``; the system writes the ones before, so that little is left at the end."""
    waiting = 0
    for piece in pieces:
        yield piece
        waiting += len(piece)
        if waiting > _SENT_OFF and hasattr(os, "posix_fadvise"):
            waiting = 0
            with suppress(OSError):  # a file system need not take advice
                # This does not drop unwritten data from memory; it starts writing it.
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)


def write_pipe(path: Path, chunks: Iterable[str]) -> None:
    """Write ``chunks`` as ``write_pipe_bytes`` does. Raises OSError."""
    write_pipe_bytes(path, encoded(chunks))


def write_pipe_bytes(
    path: Path,
    pieces: Iterable[bytes],
    *,
    patience: float | None = None,
    stalled: float | None = None,
) -> None:
    """Write ``pieces`` to a FIFO or a device, where nothing can be replaced. Raises OSError.

    Waits ``patience`` seconds for a FIFO's reader, and ``stalled`` seconds for it to go on reading.
    """
    descriptor = _opened(path, _PATIENCE if patience is None else patience)
    try:
        write_descriptor(descriptor, pieces, _STALLED if stalled is None else stalled)
    finally:
        os.close(descriptor)


def write_stdout(chunks: Iterable[str]) -> None:
    """Write ``chunks`` as ``write_stdout_bytes`` does. Raises OSError."""
    write_stdout_bytes(encoded(chunks))


def write_stdout_bytes(pieces: Iterable[bytes]) -> None:
    """Write ``pieces`` to standard output. Raises OSError where it is closed, full or gone.

    The bytes bypass Python's buffer: what it cannot flush would fail again when the interpreter
    exits, and change the exit code.
    """
    stream = sys.stdout
    if stream is None or stream.closed:
        raise OSError(errno.EBADF, "")
    stream.flush()
    try:
        descriptor = stream.fileno()
    except io.UnsupportedOperation:
        for data in pieces:
            stream.write(data.decode())
        stream.flush()
    else:
        write_descriptor(descriptor, pieces)


def write_descriptor(
    descriptor: int, pieces: Iterable[bytes], stalled: float | None = None
) -> None:
    """Write ``pieces`` to an open descriptor, bypassing Python's buffers. Raises OSError.

    A slow reader is waited for, unless nothing moves for ``stalled`` seconds.
    """
    for data in pieces:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(descriptor, rest) :]
            except BlockingIOError:
                # Another process that shares the pipe may have made it non-blocking.
                _, ready, _ = select.select([], [descriptor], [], stalled)
                if not ready:
                    raise TimeoutError(errno.ETIMEDOUT, "") from None


def _opened(path: Path, patience: float) -> int:
    """Open a FIFO or a device without blocking: a FIFO without a reader would block for ever."""
    end = time.monotonic() + patience
    while True:
        try:
            return os.open(path, os.O_WRONLY | _AT_ONCE)
        except OSError as error:
            if error.errno != errno.ENXIO or not path.is_fifo() or time.monotonic() > end:
                raise
        time.sleep(_PAUSE)
