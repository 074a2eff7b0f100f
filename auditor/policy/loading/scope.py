"""What a condition may name, and what one of its tests is about."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

import msgspec

from auditor.facts.columns import ColumnType
from auditor.facts.shape import fact_of
from auditor.fields import FACT_LISTS, Exposure, Field, Kind, can_be_named, find
from auditor.policy.language.conditions import ITSELF, Condition
from auditor.policy.loading.nodes import MappingNode, Node, ScalarNode


class ConditionNames(Protocol):
    """The named conditions that a file's conditions may use."""

    def find(self, name: ScalarNode) -> Condition | None:
        """Return what the condition ``name`` stands for; None when a problem was noted."""


class Scope(msgspec.Struct, frozen=True):
    """What a file's conditions may name: variables, undocumented fields, and other conditions.

    ``facts`` are the fields of the user's own facts, by path, ``columns`` the types of those that
    are columns, and ``fact_keys`` the fields that name their rows, by the facts' names.
    """

    vars: Mapping[str, Node] = msgspec.field(default_factory=dict)
    extra_fields: frozenset[str] = frozenset()
    facts: Mapping[str, Field] = msgspec.field(default_factory=dict)
    fact_keys: Mapping[str, str] = msgspec.field(default_factory=dict)
    columns: Mapping[str, ColumnType] = msgspec.field(default_factory=dict)
    conditions: ConditionNames | None = None

    def is_fact(self, path: str) -> bool:
        """Whether ``path`` leads into a fact, and not into a connection's record."""
        return bool(fact_of(path)) or path in self.facts

    def find(self, path: str) -> Field | None:
        """Return the field at ``path``, as documented or as the policy declares it."""
        if not can_be_named(path):
            return None
        known = find(path) or self.facts.get(path)
        if known is not None:
            return known
        below = tuple(f"{top}{step}" for top in self.extra_fields for step in (".", "[]"))
        if path not in self.extra_fields and not path.startswith(below):
            return None
        return Field(path, Kind.ANY, "", open=True, exposure=Exposure.HIDDEN)

    def is_common(self, path: str, keys: Collection[str]) -> bool:
        """Whether connections with the same values at ``keys`` have the same value at ``path``."""
        name = fact_of(path, self.fact_keys)
        if path in keys or not name:
            return path in keys
        key = self.fact_keys[name] if name in self.fact_keys else FACT_LISTS[name].key
        return not key or self.is_common(key, keys)


class Subject(msgspec.Struct, frozen=True):
    """What a test is about: the field, and its path from the record or the item looked at.

    ``base`` is the path of that item, "" for the record itself.
    """

    path: str
    field: Field
    base: str = ""

    @property
    def is_number(self) -> bool:
        """Whether it is a number that the rule makes, and no field holds."""
        return self.path == ITSELF and not self.base


#: A number of items or characters.
NUMBER = Subject(ITSELF, Field(ITSELF, Kind.INTEGER, "A number."))
#: What is counted or measured of a group.
GROUP_NUMBER = Subject(ITSELF, Field(ITSELF, Kind.INTEGER, "A number of a group."))


def named(node: Node, word: str) -> ScalarNode | None:
    """Return NAME of a node that is just ``{word: NAME}``."""
    if isinstance(node, MappingNode) and len(node.entries) == 1:
        ((key, value),) = node.entries
        if key.text == word and isinstance(value, ScalarNode):
            return value
    return None
