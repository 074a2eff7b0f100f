"""Which policies a command loads if none are named."""

from __future__ import annotations

from auditor.cli.options.repository import upward
from auditor.errors import UsageError
from auditor.text import one_line

DEFAULT_PACK = "baseline"
POLICY_FOLDER = "policies"


def none_own(done: str) -> str:
    """Return what to say if no policy of the user's own was found, and the pack's was ``done``.

    Without it "fine" or "passed" would be about nothing of theirs.
    """
    return (
        f"note: only the shipped pack {DEFAULT_PACK} was {done}: no policy was named, and there is"
        f" no folder {POLICY_FOLDER} here; name your policies, or run this in their repository"
    )


def policy_names(chosen: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """Return the policies to load, and how they were chosen if none were named.

    Raises UsageError if ``policies`` exists but is not a folder: a pack must not silently replace
    what was meant to judge.
    """
    if chosen:
        return chosen, ""
    found = upward(POLICY_FOLDER)
    if found is None:
        return (DEFAULT_PACK,), f"the shipped pack {DEFAULT_PACK}; choose with --policy"
    name = found.as_posix() if found.parts[0] == ".." else f"./{found.as_posix()}"
    if not found.is_dir():
        raise UsageError(
            f"{one_line(name)} is not a folder of policies; fix it, or choose with --policy"
        )
    return (name,), f"{name}, which is there"
