"""A long file that is kept only if it is finished, and can be started again at any time."""

from __future__ import annotations

import errno
import gzip
import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from types import TracebackType
from typing import BinaryIO, Self, cast

from auditor.output.disk import real, write_descriptor, write_pipe_bytes, write_stdout_bytes
from auditor.output.target import Target
from auditor.output.unfinished import Unfinished, begin, clear

_PRIVATE = 0o600
_COPIED = 1 << 20


class Draft:
    """Bytes to be written to ``target``, readable by their owner only.

    Until ``deliver`` they are in a temporary file beside it, and leaving the ``with`` block before
    that removes it: the old file stays. Where nothing can be replaced (standard output, a pipe)
    everything is sent at the end. A file named .gz is compressed. Every method raises OSError.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._stream = target.is_stream
        self._temporary: Unfinished | None = None
        self._zipped = False
        if target.path is not None and not self._stream:
            place = real(target.path)
            if place.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            self._zipped = target.path.name.endswith(".gz")
            place.parent.mkdir(parents=True, exist_ok=True)
            clear(place.parent)
            self._temporary = begin(place.parent, "part", _PRIVATE)
            self._file: BinaryIO = os.fdopen(self._temporary.descriptor, "wb")
        else:
            self._file = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115  # ``discard``
        self._out: BinaryIO = self._file

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.discard()

    def restart(self) -> None:
        """Forget what was written."""
        if self._out is not self._file:
            self._out.close()  # or it would write its last bytes when it is garbage-collected
        self._file.seek(0)
        self._file.truncate()
        if self._zipped:
            # No name and no time inside: the same bytes give the same file.
            zipped = gzip.GzipFile("", "wb", compresslevel=6, fileobj=self._file, mtime=0)
            self._out = cast(BinaryIO, zipped)

    def write(self, data: bytes) -> None:
        """Add ``data``."""
        self._out.write(data)

    def deliver(self) -> None:
        """Move everything that was written to its place, in one step."""
        if self._out is not self._file:
            self._out.close()
        self._file.flush()
        if self._temporary is not None:
            assert self._target.path is not None
            os.fsync(self._file.fileno())
            self._temporary.take(real(self._target.path))
        elif self._target.path is not None:
            write_pipe_bytes(self._target.path, self._blocks())
        elif self._target.is_stdout:
            write_stdout_bytes(self._blocks())
        else:
            write_descriptor(self._target.descriptor, self._blocks())

    def discard(self) -> None:
        """Remove what was not delivered."""
        # What cannot be flushed now is discarded anyway.
        for part in (self._out, self._file):
            with suppress(OSError):
                part.close()
        if self._temporary is not None:
            self._temporary.end()

    def _blocks(self) -> Iterator[bytes]:
        self._file.seek(0)
        while block := self._file.read(_COPIED):
            yield block
