"""What a run reads, so that it overwrites none of it.

A report that replaces a policy, a waiver file or a baseline takes the gate away from the next run.
Code that opens a file for a run records it here, and before anything is written every target is
checked against these records.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from auditor.errors import UsageError
from auditor.output.target import Target, identities
from auditor.text import one_line

_STDIN = 0


class _File(NamedTuple):
    what: str
    path: Path | int


class _Folder(NamedTuple):
    what: str
    path: Path
    takes: Callable[[Path], bool]


class Inputs:
    """The files that a run reads, each with its role in the run: ``--waivers``, a policy."""

    def __init__(self) -> None:
        self._files: dict[_File, None] = {}
        self._folders: list[_Folder] = []

    def add(self, what: str, name: str | Path | None) -> None:
        """Record a file by its name, ``-`` for standard input; None is ignored."""
        if name is not None:
            stdin = str(name) in {"-", "/dev/stdin"}
            self._files[_File(what, _STDIN if stdin else Path(name))] = None

    def add_folder(self, what: str, path: Path, takes: Callable[[Path], bool]) -> None:
        """Record a folder of which this and the next run read every file that ``takes`` accepts.

        ``takes`` is called with the path relative to the folder.
        """
        self._folders.append(_Folder(what, path, takes))

    def read_as(self, target: Target) -> str:
        """Return the role of the file at ``target``; "" if the run does not read it."""
        with suppress(OSError):
            if target.path is not None and target.is_stream:
                return ""  # nothing that is read later is lost
        own = identities(target.descriptor if target.path is None else target.path)
        for what, path in self._files:
            if not own.isdisjoint(identities(path)):
                name = "standard input" if path == _STDIN else one_line(str(path))
                return f"{what} {name}"
        if target.path is not None:
            for what, folder, takes in self._folders:
                if (inside := _below(target.path, folder)) is not None and takes(inside):
                    return f"{what} {one_line(str(folder))}"
        return ""

    def refuse(self, name: str, target: Target, noun: str = "report") -> None:
        """Raise UsageError, with both names, where the run reads what is at ``target``."""
        if what := self.read_as(target):
            raise refusal(name, what, noun)


def _below(path: Path, folder: Path) -> Path | None:
    """Return ``path`` relative to ``folder``; None if it is not in it."""
    with suppress(OSError, ValueError):
        return Path(os.path.realpath(path)).relative_to(os.path.realpath(folder))
    return None


def refusal(name: str, what: str, noun: str = "report") -> UsageError:
    """Return the error for a ``noun`` called ``name`` that would overwrite an input, ``what``."""
    return UsageError(f"{what}: this run would write its {noun} there ({name}); write it elsewhere")
