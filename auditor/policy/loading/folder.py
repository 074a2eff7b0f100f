"""A folder of policies: what is read, what cannot be, and what is passed over with a warning."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from auditor.errors import UsageError
from auditor.text import one_line

_SUFFIXES = (".yaml", ".yml")
_TESTS = (".test.yaml", ".test.yml")
#: Of editors at work, of git, and of Kubernetes, which links to what it keeps there.
_OTHERS = (".#", ".git", "..")


class PolicyFolder(msgspec.Struct, frozen=True):
    """The content of a folder and of those below it, each sorted.

    ``policies`` are to be read, ``tests`` are beside them, and ``hidden`` looks like a policy but
    is passed over.
    """

    policies: tuple[Path, ...]
    tests: tuple[Path, ...]
    hidden: tuple[Path, ...]


def read_folder(folder: Path) -> PolicyFolder:
    """Return the content of ``folder``.

    Linked folders are read too, each once. Raises UsageError for what is named like a policy but
    cannot be read as one (a broken link, a pipe, a folder), and OSError for a folder that may not
    be entered.
    """
    policies: list[Path] = []
    tests: list[Path] = []
    hidden: list[Path] = []
    for path in _below(folder, {os.path.realpath(folder)}, hidden):
        if is_policy(path):
            policies.append(path)
        elif path.name.lower().endswith(_TESTS):
            tests.append(path)
    return PolicyFolder(tuple(sorted(policies)), tuple(sorted(tests)), tuple(sorted(hidden)))


def is_policy(path: Path) -> bool:
    """Whether a file is named like a policy. A suffix in capitals counts too.

    Tests of policies are beside them, and are called ``….test.yaml``.
    """
    name = path.name.lower()
    return name.endswith(_SUFFIXES) and not name.endswith(_TESTS)


def would_be_read(path: Path) -> bool:
    """Whether a file at ``path``, below a folder of policies, would be read with them."""
    hidden = any(part.startswith(".") for part in path.parts)
    return path.suffix.lower() in _SUFFIXES and not hidden


def _below(folder: Path, seen: set[str], hidden: list[Path]) -> Iterator[Path]:
    """Yield the files below ``folder``; ``seen`` are the real folders that were entered."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            if not path.name.startswith(_OTHERS):
                hidden.extend(_hidden(path))
        elif _leads_nowhere(path):
            if path.suffix.lower() in {"", *_SUFFIXES}:
                raise UsageError(f"{one_line(str(path))}: this link is broken; fix or remove it")
        elif path.is_dir():
            if path.suffix.lower() in _SUFFIXES:
                raise UsageError(
                    f"{one_line(str(path))}: this is a folder with the name of a policy file;"
                    " rename it"
                )
            real = os.path.realpath(path)
            if real not in seen:
                seen.add(real)
                yield from _below(path, seen, hidden)
        elif path.is_file():
            yield path
        elif path.suffix.lower() in _SUFFIXES:
            raise UsageError(
                f"{one_line(str(path))}: this is a pipe or a device with the name of a policy"
                " file; name it explicitly, or remove it"
            )


def _hidden(path: Path) -> Iterator[Path]:
    """Yield ``path``, or what is below it, if it looks like a policy."""
    if path.is_symlink() or not path.is_dir():
        if path.suffix.lower() in _SUFFIXES:
            yield path
        return
    for _, _, names in os.walk(path, onerror=_raise):
        if any(name.lower().endswith(_SUFFIXES) for name in names):
            yield path
            return


def _raise(error: OSError) -> None:
    raise error


def _leads_nowhere(path: Path) -> bool:
    """Whether ``path`` is a link to nothing, or to itself."""
    try:
        return path.is_symlink() and not path.exists()
    except (OSError, RuntimeError):  # A circle of links.
        return True
