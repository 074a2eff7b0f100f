"""Looking upward, from the working folder to the root of its repository."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from auditor.errors import UsageError
from auditor.model import Checkout


def upward(name: str) -> Path | None:
    """Return the nearest thing called ``name``, here or in a folder above; None if there is none.

    The search ends at the folder with ``.git``; without a repository it ends at the working folder.
    A broken link counts, because somebody put it there. Raises UsageError if the working folder is
    gone.
    """
    return next((path for path in _candidates(name) if os.path.lexists(path)), None)


def checkout() -> Checkout:
    """Return the repository that contains the working folder, or none."""
    try:
        here = Path.cwd()
    except OSError:
        return Checkout()
    root = next((f for f in (here, *here.parents) if os.path.lexists(f / ".git")), None)
    if root is None:
        return Checkout()
    folder = here.relative_to(root).as_posix()
    return Checkout(root.as_posix(), "" if folder == "." else folder)


def _candidates(name: str) -> Iterator[Path]:
    try:
        here = Path.cwd()
    except OSError as error:
        raise UsageError("the working folder no longer exists; change to another") from error
    folders = (here, *here.parents)
    depth = next((n for n, f in enumerate(folders) if os.path.lexists(f / ".git")), 0)
    for steps in range(depth + 1):
        yield Path(*[os.pardir] * steps, name)
