"""A planned connection, and everything that a plan makes of an account, as values."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

import msgspec

from auditor.sources.plan.accounts import ProviderAccounts
from auditor.sources.plan.attributes import ABSENT
from auditor.sources.plan.connections import Fields
from auditor.sources.plan.document import Plan
from auditor.sources.plan.lists import Altered
from auditor.sources.plan.references import Place


class Action(Enum):
    """What a plan does to an object."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    FORGET = "forget"
    NONE = "no-op"
    OPEN = "unknown"


#: Actions that take a connection out of the plan.
ENDS = frozenset({Action.DELETE, Action.FORGET})
#: Shown in place of a part of a connection's identity that must not be shown.
SENSITIVE = "[sensitive]"


class Planned(msgspec.Struct):
    """A connection of a plan.

    ``identity`` is its id, or ``terraform:ADDRESS`` if it has none yet. ``real_id`` is its id in
    the account now, "" for none. ``group`` and ``schema`` name one that is outside the plan and has
    no known id. ``touched`` means that the plan changes its fields.
    """

    identity: str
    address: str
    action: Action
    fields: Fields
    account: str = ""
    real_id: str = ""
    touched: bool = False
    managed: bool = True
    forgotten_twin: bool = False
    replace_reason: tuple[str, ...] = ()
    resources: list[str] = msgspec.field(default_factory=list)
    place: Place | None = None
    clear_secrets: tuple[str, ...] = ()

    @property
    def called(self) -> str:
        """Its name in messages: the id in the account, if that may be shown."""
        hidden = self.fields.get("id", ABSENT).sensitive
        return self.identity if hidden else self.real_id or self.identity

    @property
    def ends(self) -> bool:
        """Whether the connection is destroyed or forgotten: reported, but not judged."""
        return self.action in ENDS

    def shown(self, name: str) -> str:
        """Return a field of its identity as reports show it; "" if not known."""
        held = self.fields.get(name, ABSENT)
        if "" in held.sensitive:
            return SENSITIVE
        return held.value if isinstance(held.value, str) else ""


class Anchors(msgspec.Struct):
    """What exists of one account before the plan is applied, as far as the plan shows."""

    address: str
    connections: set[str] = msgspec.field(default_factory=set)
    groups: set[str] = msgspec.field(default_factory=set)


class Estate(msgspec.Struct):
    """What a plan would make of an account, as far as the plan shows."""

    connections: list[Planned]
    accounts: tuple[str, ...]
    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    remarks: tuple[str, ...]
    resources: int
    changes: bool
    #: The addresses of resources that the plan leaves unchanged, and so sends nothing of.
    quiet: frozenset[str] = frozenset()
    #: What the plan does to groups, destinations and the like.
    altered: tuple[Altered, ...] = ()
    #: What is known about ``accounts``.
    providers: ProviderAccounts = msgspec.field(default_factory=lambda: ProviderAccounts(Plan()))
    #: By account, one of its resources, and the ids of the groups and connections that it has now.
    anchors: Mapping[str, Anchors] = msgspec.field(default_factory=dict)

    @property
    def touched(self) -> list[Planned]:
        """The connections whose fields the plan changes."""
        return [planned for planned in self.connections if planned.touched]
