"""Streams to nowhere: a broken one whose end nobody may notice, and one that nobody shall hear."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TextIO


def let_go(stream: TextIO) -> None:
    """Point a broken stream at nothing, so that the interpreter's exit does not trip over it."""
    with suppress(OSError, ValueError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, stream.fileno())
        os.close(nothing)


def silence_stderr() -> None:
    """Discard whatever is written to standard error from now on."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    sys.stderr = os.fdopen(nothing, "w", encoding="utf-8")  # open until the end
