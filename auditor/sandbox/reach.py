"""Whose key a sandbox gives out, and how much of the account it sees: a closed table.

A key inherits what its user may see, and the API hides the rest without a word. What gives it away
stays as it is in the real API: agents and proxies count and name connections that no list has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from auditor.errors import UsageError
from auditor.sandbox.words import AUDITOR, SYSTEM_KEY, TEAM_MEMBER
from auditor.text import listed

if TYPE_CHECKING:
    from auditor.sandbox.estate import SandboxEstate

WHOLE = "account"


def _everything(estate: SandboxEstate) -> SandboxEstate:
    return estate


def _of_a_team(estate: SandboxEstate) -> SandboxEstate:
    """Return what a team's member sees: the second group, the fourth and so on."""
    seen = {group["id"] for group in estate.groups[1::2]}
    lists = replace(
        estate.lists,
        destinations=tuple(row for row in estate.lists.destinations if row["id"] in seen),
    )
    return replace(
        estate,
        groups=estate.groups[1::2],
        records=tuple(row for row in estate.records if row["group_id"] in seen),
        lists=lists,
    )


@dataclass(frozen=True, slots=True)
class KeyKind:
    """One kind of key: in a line, whom ``account/info`` says it belongs to, and what it sees.

    ``closed`` are first words of endpoints that it gets 403 from.
    """

    doc: str
    bearer: Mapping[str, str]
    view: Callable[[SandboxEstate], SandboxEstate] = _everything
    closed: frozenset[str] = field(default_factory=frozenset)


REACHES: Mapping[str, KeyKind] = MappingProxyType(
    {
        WHOLE: KeyKind("the key of a user who sees the whole account", {"user_id": AUDITOR}),
        "team": KeyKind(
            "the key of a team member: every other group is silently hidden",
            {"user_id": TEAM_MEMBER},
            _of_a_team,
        ),
        "system": KeyKind(
            "a system key: it belongs to no user and may not list system keys (403)",
            {"system_key_id": SYSTEM_KEY},
            closed=frozenset({"system-keys"}),
        ),
    }
)


def reach_of(name: str) -> KeyKind:
    """Return the kind of key called ``name``. Raises UsageError if there is none."""
    if name not in REACHES:
        raise UsageError(f"no reach {name!r}: write {listed(REACHES)}")
    return REACHES[name]
