"""Named conditions: written once under ``conditions:``, and used wherever a condition may be.

A named condition is read when it is first used, with the fields and variables in force where it is
declared; unused ones are read at the end, so that they cannot hide a problem.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from auditor.policy.language.conditions import Condition
from auditor.policy.loading.condition_parser import ConditionReader
from auditor.policy.loading.nodes import Node, ScalarNode
from auditor.policy.loading.problems import Problems
from auditor.policy.loading.scope import Scope
from auditor.suggest import nearest
from auditor.text import one_line

#: What a condition may be called: a word of its own in a sentence.
CONDITION_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


class Declaration(msgspec.Struct, frozen=True):
    """Where a condition is declared: its name, its node, the fields its file adds."""

    key: ScalarNode
    node: Node
    extra_fields: frozenset[str]


class NamedConditions:
    """The named conditions of all files in force. Implements ``scope.ConditionNames``.

    ``known`` are conditions that were already read, by the policies that waivers belong to.
    """

    def __init__(
        self,
        declared: Mapping[str, Declaration],
        scope: Scope,
        problems: Problems,
        known: Mapping[str, Condition] | None = None,
    ) -> None:
        self._declared = declared
        self._scope = replace(scope, conditions=self)
        self._problems = problems
        self._read: dict[str, Condition | None] = dict(known or {})
        self._under_way: list[str] = []
        self._used: set[str] = set()

    def find(self, name: ScalarNode) -> Condition | None:
        """Return what the condition ``name`` stands for; None when a problem was noted."""
        text = name.text
        self._used.add(text)
        if text in self._under_way:
            start = self._under_way.index(text)
            circle = " → ".join([*self._under_way[start:], text])
            message = f"the condition refers to itself: {circle}"
            self._problems.add(name.position, message, "say what it is")
            return None
        if text not in self._read and text not in self._declared:
            names = [*self._declared, *self._read]
            hint = nearest(text, names) or "declare it under conditions: in a policy"
            message = f"no condition is called {one_line(text) or 'nothing'}"
            self._problems.add(name.position, message, hint)
            return None
        return self._found(text)

    def finish(self) -> dict[str, Condition]:
        """Read the unused ones, warn about them, and return every condition by its name."""
        for name in self._declared:
            self._found(name)
        for name, declared in self._declared.items():
            # A rule that could not be read may use any of them.
            if name not in self._used and not self._problems.errors:
                hint = nearest(name, sorted(self._used)) or "remove it, or use it in a condition"
                message = f"no rule uses the condition {one_line(name)}"
                self._problems.warn(declared.key.position, message, hint)
        return {name: found for name, found in self._read.items() if found is not None}

    def _found(self, name: str) -> Condition | None:
        if name not in self._read:
            declared = self._declared[name]
            scope = replace(self._scope, extra_fields=declared.extra_fields)
            self._under_way.append(name)
            self._read[name] = ConditionReader(scope, self._problems).condition(declared.node)
            self._under_way.pop()
        return self._read[name]
