"""Running the tests of rules against the rules with one thing changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from auditor.facts.own import OwnFacts
from auditor.model import Rule
from auditor.policy.language.rules import GroupRule, PolicyRule
from auditor.policy.loading.examples import Example
from auditor.policy.testing.examples_run import judged
from auditor.policy.testing.mutants import Mutant, Notice, mutants, noticed_by


class Survivor(msgspec.Struct, frozen=True):
    """A change that no example of a rule notices, and an example that would, if one was found."""

    rule: Rule
    mutant: Mutant
    notice: Notice | None


class Mutated(msgspec.Struct, frozen=True):
    """The result of the changes: how many there were, and which nobody noticed."""

    changes: int
    survivors: tuple[Survivor, ...]


def mutate(
    entry: PolicyRule | GroupRule,
    examples: Sequence[Example],
    facts: Mapping[str, OwnFacts] | None = None,
) -> Mutated:
    """Return the changes of one rule that none of its ``examples`` notices.

    An example notices a change if the rule's verdict differs. Examples with their own variables are
    left out, because they test another rule. A change that no record can show does not count.
    """
    own = [example for example in examples if not example.varied]
    usual = [outcome.got for outcome in judged(entry, own, facts)]
    survivors: list[Survivor] = []
    changes = 0
    for mutant in mutants(entry):
        changes += 1
        found = zip(judged(mutant.rule, own, facts), usual, strict=True)
        if any(outcome.got is not was for outcome, was in found):
            continue
        may_differ, notice = noticed_by(entry, mutant)
        if may_differ:
            survivors.append(Survivor(entry.rule, mutant, notice))
        else:
            changes -= 1
    return Mutated(changes, tuple(survivors))
