"""Where text is to go, as the user said it."""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from auditor.text import printable

#: Names of descriptors that this process already has open. Opened by name they would be other
#: files: the file that standard error goes to would be replaced.
_OPEN = re.compile(r"/(?:dev|proc/self)/fd/([0-9]{1,6})")
_NAMES = {"-": 1, "/dev/stdout": 1, "/dev/stderr": 2}


class Target(NamedTuple):
    """The file at ``path``; if that is None, the open ``descriptor``."""

    path: Path | None
    descriptor: int = 1

    @classmethod
    def named(cls, name: str | Path | None) -> Target:
        """Return the target called ``name``: a path, ``-`` or None for standard output."""
        text = "-" if name is None else str(name)
        match = _OPEN.fullmatch(text)
        if match is not None:
            return cls(None, int(match[1]))
        number = _NAMES.get(text)
        return cls(Path(text)) if number is None else cls(None, number)

    def __str__(self) -> str:
        if self.path is not None:
            return printable(str(self.path))
        return {1: "standard output", 2: "standard error"}.get(
            self.descriptor, f"/dev/fd/{self.descriptor}"
        )

    @property
    def is_stdout(self) -> bool:
        """Whether this is standard output, so that nothing else may be written there."""
        return self.path is None and self.descriptor == 1

    @property
    def is_stream(self) -> bool:
        """Whether bytes are gone once written: a descriptor, a FIFO, a device, a socket.

        A folder is not: it is in the way. Raises OSError if that cannot be determined.
        """
        if self.path is None:
            return True
        try:
            mode = self.path.stat().st_mode
        except FileNotFoundError:
            return False
        return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def identities(path: Path | int) -> frozenset[object]:
    """Return a key that is the same for any two names of one file.

    ``path`` is a path or a descriptor. For a file that does not exist yet it is its location.
    """
    found: set[object] = set()
    if not isinstance(path, int):
        with suppress(OSError, ValueError):
            found.add(os.path.realpath(path))
    with suppress(OSError, ValueError):
        status = os.stat(path)  # noqa: PTH116  # a descriptor has no other
        if stat.S_ISREG(status.st_mode):
            found.add((status.st_dev, status.st_ino))
    return frozenset(found)
