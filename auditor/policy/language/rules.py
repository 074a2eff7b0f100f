"""Rules as a policy compiles them: what reports show of them, and what judges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from auditor.errors import UsageError
from auditor.facts.own import OwnFacts
from auditor.model import PolicyFile, Rule
from auditor.policy.language.aggregates import (
    AGGREGATES,
    AMOUNT,
    COUNT,
    SHARE,
    Aggregate,
    Bounds,
)
from auditor.policy.language.conditions import ITSELF, Condition, reads
from auditor.policy.language.messages import Message
from auditor.suggest import nearest
from auditor.text import one_line

#: The ``per`` that makes one group of all connections.
ACCOUNT = "account"
#: What a message of a ``per`` rule may name besides the paths of its groups.
GROUP_WORDS = ("count", "share", *AGGREGATES, "actual")


class PolicyRule(msgspec.Struct, frozen=True):
    """A rule on single connections.

    ``reads`` are the paths whose values a finding keeps: what its condition and message name.
    ``reveal`` are hidden paths whose values reports may show anyway.
    """

    rule: Rule
    when: Condition | None
    assertion: Condition
    message: Message | None
    reads: tuple[str, ...]
    reveal: frozenset[str]


class Measured(msgspec.Struct, frozen=True):
    """What an aggregate of the values at ``path`` has to be."""

    aggregate: Aggregate
    path: str
    condition: Condition

    @property
    def name(self) -> str:
        """Its name in reports: ``sum of sync_frequency``."""
        return f"{self.aggregate.name} of {self.path}"


def budgets_of(number: Condition | None) -> tuple[str, ...]:
    """Return the paths of the fields that the tests of a group's number compare it with."""
    found = (path for path, _ in reads(number) if path != ITSELF) if number is not None else ()
    return tuple(dict.fromkeys(found))


class GroupRule(msgspec.Struct, frozen=True):
    """A rule on groups: one of ``unique``, ``count``, ``share`` and ``measured`` is set.

    ``keys`` form the groups; without any there is one group, of all connections. ``reveal`` is as
    on ``PolicyRule``. If any connection of the account meets ``unless``, no group is judged; if
    ``chosen`` is set, only groups that meet it are. It reads what a group's connections have in
    common.
    """

    rule: Rule
    when: Condition | None
    message: Message | None
    keys: tuple[str, ...]
    unique: tuple[str, ...] = ()
    count: Condition | None = None
    share: Condition | None = None
    reveal: frozenset[str] = frozenset()
    unless: Condition | None = None
    measured: Measured | None = None
    chosen: Condition | None = None

    @property
    def compared(self) -> tuple[str, ...]:
        """The paths whose values are kept for each member."""
        return (self.measured.path,) if self.measured is not None else self.unique

    @property
    def number(self) -> Condition | None:
        """What the number that is counted or measured has to be; None with ``unique``."""
        return self.count or self.share or (self.measured.condition if self.measured else None)

    @property
    def counted(self) -> str:
        """What a finding calls what is counted, measured or compared."""
        if self.measured is not None:
            return self.measured.name
        return "share" if self.share is not None else ", ".join(self.unique) or "count"

    @property
    def domain(self) -> Bounds:
        """What that number can be."""
        return COUNT if self.count is not None else SHARE if self.share is not None else AMOUNT

    @property
    def budgets(self) -> tuple[str, ...]:
        """The paths of the fields that the number is compared with."""
        return budgets_of(self.number)

    @property
    def common(self) -> tuple[str, ...]:
        """The paths of what a group has in common: what chooses it, and its budgets."""
        found = (path.partition("[]")[0] for path, _ in reads(self.chosen)) if self.chosen else ()
        return tuple(dict.fromkeys((*found, *self.budgets)))


class Ruleset(msgspec.Struct, frozen=True):
    """The rules in force and where they came from.

    ``left_out`` says what was disabled, ``warnings`` what is probably a mistake, ``overridden``
    what was changed in a rule and where, ``disabled`` where a rule was disabled, by its id, all as
    sentences. ``unselected`` are the ids of rules that ``select`` left out, ``selected_by`` the
    options that made it. ``notes`` say what a file changed in a pack or another file. ``facts`` are
    the user's own, by name; ``conditions`` are the named ones.
    """

    rules: tuple[PolicyRule | GroupRule, ...]
    policies: tuple[PolicyFile, ...]
    left_out: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    overridden: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    disabled: Mapping[str, str] = msgspec.field(default_factory=dict)
    unselected: tuple[str, ...] = ()
    selected_by: str = ""
    notes: tuple[str, ...] = ()
    facts: Mapping[str, OwnFacts] = msgspec.field(default_factory=dict)
    conditions: Mapping[str, Condition] = msgspec.field(default_factory=dict)

    def rule(self, name: str) -> PolicyRule | GroupRule:
        """Return the rule in force with the id ``name``. Raises UsageError if there is none."""
        for entry in self.rules:
            if entry.rule.id == name:
                return entry
        known = [entry.rule.id for entry in self.rules]
        hint = self.disabled.get(name) or nearest(name, known) or "explain lists them"
        raise UsageError(f"no rule in force is called {one_line(name)} ({hint})")

    def reads(self) -> tuple[frozenset[str], frozenset[str]]:
        """Return every path to decode, and those needed with all their contents."""
        paths: set[str] = set()
        whole: set[str] = set()
        for entry in self.rules:
            for path, wholly in paths_of(entry):
                (whole if wholly else paths).add(path)
        return frozenset(paths), frozenset(whole)


def paths_of(entry: PolicyRule | GroupRule) -> Iterator[tuple[str, bool]]:
    """Yield each path that a rule reads, and whether it needs the value with all its contents."""
    conditions = [entry.when]
    if isinstance(entry, PolicyRule):
        conditions.append(entry.assertion)
        own = entry.reads
    else:
        own = (*entry.keys, *entry.compared, *entry.budgets)
        conditions += [entry.unless, entry.chosen]
    yield from ((path, False) for path in own)
    for condition in conditions:
        if condition is not None:
            yield from reads(condition)
