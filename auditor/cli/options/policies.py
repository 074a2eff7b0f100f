"""Which policies a command loads where nobody named any."""

from __future__ import annotations

from pathlib import Path

DEFAULT_PACK = "baseline"
POLICY_FOLDER = "policies"


def policy_names(chosen: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """Return the policies to load, and how they were chosen when nobody did."""
    if chosen:
        return chosen, ""
    if Path(POLICY_FOLDER).is_dir():
        return (f"./{POLICY_FOLDER}",), f"./{POLICY_FOLDER}, which is there"
    return (DEFAULT_PACK,), f"the shipped pack {DEFAULT_PACK}; choose with --policy"
