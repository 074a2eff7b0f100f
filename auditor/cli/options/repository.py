"""Looking upward: from the working folder to the root of the repository that holds it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from auditor.errors import UsageError
from auditor.model import Checkout


def upward(name: str) -> Path | None:
    """Return the nearest thing called ``name``, here or in a folder above; None where none is.

    The last folder that is looked at is the one that holds ``.git``; without a repository it is
    the working folder. A link that leads nowhere counts: that it is there was meant. Raises
    UsageError where the working folder is gone.
    """
    return next((path for path in _candidates(name) if os.path.lexists(path)), None)


def checkout() -> Checkout:
    """Return the repository that holds the working folder; none where there is none."""
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
