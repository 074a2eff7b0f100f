"""Why a check came to its verdict: the rule's condition as a tree, with the truth of each part.

Each part's truth is that of the plain reading (``language/conditions.py``), and each value is shown
as in a finding (``evidence.py``), so what is masked there is masked here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from auditor.model import Verdict
from auditor.policy.judging.evidence import Describer, advice
from auditor.policy.judging.groups import GroupOutcome, on_number, with_budgets
from auditor.policy.judging.judge import Judgement, advice_for
from auditor.policy.language.conditions import (
    All,
    AnyOf,
    Condition,
    Get,
    Named,
    Nested,
    Not,
    Test,
    evaluate,
    joined,
    reach,
)
from auditor.policy.language.english import sentence
from auditor.policy.language.operands import FieldOperand
from auditor.policy.language.rules import GroupRule, PolicyRule
from auditor.policy.language.truth import Truth, all_of, any_of, negated
from auditor.text import listed, plural

#: The most items of an array that are shown with the result of each part of their condition.
ITEMS_SHOWN = 3


class TreePart(msgspec.Struct, frozen=True):
    """A part of a condition, in plain English, and its result on one record.

    ``value`` is the record's value, as a report may show it; ``why`` says what to do about a part
    that cannot be judged. ``asked`` is False if another part had already decided.
    """

    text: str
    truth: Truth
    value: str = ""
    why: str = ""
    parts: tuple[TreePart, ...] = ()
    asked: bool = True


class Branch(msgspec.Struct, frozen=True):
    """A condition of a rule, under its key: ``when``, ``assert``, ``groups``."""

    key: str
    part: TreePart


class Explained(msgspec.Struct, frozen=True):
    """A rule's verdict on one connection, or on its group, and each condition that decided it.

    ``group`` is the group's name, "" for a rule on single connections. ``members`` are the
    positions in the listing of what the verdict is about. ``note`` says what the conditions do not.
    """

    verdict: Verdict
    branches: tuple[Branch, ...]
    group: str = ""
    members: tuple[int, ...] = ()
    note: str = ""


def explained(
    judgement: Judgement, entry: PolicyRule | GroupRule, at: int, record: Any
) -> Iterator[Explained]:
    """Yield why ``entry`` came to its verdict on ``record``, at position ``at`` of the listing.

    The judge was asked to keep each group's connections (``placed``). A rule with ``unique`` may
    come to several verdicts on one group: the connection's own first. One that a plan ends is in
    no group.
    """
    describer = _describer(judgement, entry, at)
    get = partial(reach, record)
    if isinstance(entry, PolicyRule):
        number = next(n for n, e in enumerate(judgement.rules) if e.rule.id == entry.rule.id)
        verdict = Verdict(judgement.verdicts[at * len(judgement.rules) + number])
        branches = of_record(entry, get, describer)
        yield Explained(verdict, branches, members=(at,), note=_note(judgement, number, at))
        return
    for outcome in _outcomes(judgement, entry, at):
        branches = tuple(_of_group(entry, outcome, get, describer, at))
        name = judgement.group_of(entry, outcome)
        yield Explained(outcome.verdict, branches, name, outcome.members)


def of_record(entry: PolicyRule, get: Get, describer: Describer) -> tuple[Branch, ...]:
    """Return the conditions of a rule on a single record that ``get`` reads."""
    if entry.when is None:
        return (Branch("assert", tree(entry.assertion, get, describer)),)
    applies = tree(entry.when, get, describer)
    if applies.truth is True:
        return (
            Branch("when", applies),
            Branch("assert", tree(entry.assertion, get, describer)),
        )
    unasked = TreePart(_said(entry.assertion, describer), None, asked=False)
    return Branch("when", applies), Branch("assert", unasked)


class Outline(msgspec.Struct, frozen=True):
    """A part of a condition as in the rule, whatever a record holds.

    It is a ``test``, reversed if ``denied``, or it ``joins`` the results of its ``parts``.
    """

    text: str
    test: Test | None = None
    denied: bool = False
    parts: tuple[Outline, ...] = ()
    joins: Callable[[Iterable[Truth]], Truth] = all_of


def outline(condition: Condition, *, negation: bool = False) -> Outline:
    """Return the parts of ``condition`` or, with ``negation``, of its contrary."""
    match condition:
        case Test():
            text = sentence(Not(condition) if negation else condition)
            return Outline(text, condition, negation)
        case Not(part):
            return outline(part, negation=not negation)
        case _ if negation:
            return Outline("not", parts=(outline(condition),), joins=_contrary)
        case Named(name, part):
            return Outline(name, parts=(outline(part),))
        case All((only,)) | AnyOf((only,)):
            return outline(only)
        case All(parts):
            return Outline("all of", parts=tuple(map(outline, parts)))
        case AnyOf(parts):
            return Outline("any of", parts=tuple(map(outline, parts)), joins=any_of)


def _contrary(truths: Iterable[Truth]) -> Truth:
    return negated(all_of(truths))


def tree(condition: Condition, get: Get, describer: Describer, *, base: str = "") -> TreePart:
    """Return the result of ``condition`` on what ``get`` reads, part by part.

    ``base`` is the path of the array whose item is read, "" for a record.
    """
    return _grown(outline(condition), get, describer, base)


def _grown(outlined: Outline, get: Get, describer: Describer, base: str) -> TreePart:
    if outlined.test is not None:
        return _of_test(outlined, outlined.test, get, describer, base)
    parts = tuple([_grown(part, get, describer, base) for part in outlined.parts])
    return TreePart(outlined.text, outlined.joins(part.truth for part in parts), parts=parts)


def _of_test(outlined: Outline, test: Test, get: Get, describer: Describer, base: str) -> TreePart:
    value = get(test.path)
    truth = evaluate(test, get, describer.now)
    text = describer.clean(outlined.text)
    result = negated(truth) if outlined.denied else truth
    full = _below(base, test)
    if test.operator.of_items and test.takes(value):
        assert isinstance(test.operand, Nested)
        return _of_items(full, test.operand, value, TreePart(text, result), describer)

    def read(path: str) -> Any:
        return get(path.removeprefix(base).removeprefix(".") if base else path)

    clause = describer.clause(full, read, failed=truth is not None, negated=outlined.denied)
    words = [f"{clause.actual} ({clause.kind} is wanted)" if clause.kind else clause.actual]
    if isinstance(full.operand, FieldOperand):
        words += describer.beside(full.operand, read)
    why = advice(clause) if truth is None and not base else ""
    return TreePart(text, result, "; ".join(words), why)


def _below(base: str, test: Test) -> Test:
    """Return ``test`` with whole paths, by which values are masked, if it is of an item."""
    if not base:
        return test
    operand = test.operand
    if isinstance(operand, FieldOperand):
        operand = replace(operand, path=joined(base, operand.path))
    return replace(test, path=joined(base, test.path), operand=operand)


def _of_items(
    test: Test, operand: Nested, items: list[Any], bare: TreePart, describer: Describer
) -> TreePart:
    """Return a test of an array with the items that decided it, or the first if all did."""
    if masked := describer.masked_items(test, operand):
        return replace(bare, value=masked)
    decided = deciding(test, operand, items, describer.now)
    parts = []
    for position, item in decided[:ITEMS_SHOWN]:
        part = tree(operand.condition, partial(reach, item), describer, base=f"{test.path}[]")
        parts.append(TreePart(f"item {position} of {len(items)}", part.truth, parts=(part,)))
    more = len(decided) - len(parts)
    value = plural(len(items), "item") if items else "no item"
    value = f"{value}, {more:,} not shown" if more else value
    return replace(bare, value=value, parts=tuple(parts))


def deciding(
    test: Test, operand: Nested, items: list[Any], now: datetime
) -> Sequence[tuple[int, Any]]:
    """Return the items that decided a test of an array, with their places from 1; or all."""
    truths = [evaluate(operand.condition, partial(reach, item), now) for item in items]
    quantifier = test.operator.quantifier
    settles = quantifier.settled_by if quantifier is not None else True
    numbered = list(zip(enumerate(items, 1), truths, strict=True))
    settled = [each for each, truth in numbered if truth is settles]
    unsure = [each for each, truth in numbered if truth is None]
    chosen = settled if quantifier is not None else [*settled, *unsure]
    return chosen or unsure or list(enumerate(items, 1))


def _said(condition: Condition, describer: Describer) -> str:
    return describer.clean(sentence(condition))


def _describer(judgement: Judgement, entry: PolicyRule | GroupRule, at: int) -> Describer:
    """Return what shows one connection's values under the policy of ``entry``."""
    bare = PolicyRule(entry.rule, None, All(()), None, (), entry.reveal)
    hidden = judgement.hidden.get(at, frozenset())
    return Describer(bare, judgement.now, judgement.clean, hidden=hidden)


def _note(judgement: Judgement, number: int, at: int) -> str:
    if (number, at) in judgement.not_in_plan:
        return "skipped: no plan holds what the rule reads"
    if (number, at) in judgement.left_unknown:
        return "skipped: what decides it is unknown until the plan is applied"
    return judgement.notes.get((number, at), "")


# -- groups ---------------------------------------------------------------------------------------


def _outcomes(judgement: Judgement, entry: GroupRule, at: int) -> Sequence[GroupOutcome]:
    """Return the outcomes of the group of the connection at ``at``, its own finding first."""
    outcomes = next(o for e, o in judgement.groups if e.rule.id == entry.rule.id)
    own = [outcome for outcome in outcomes if at in outcome.everyone]
    return sorted(own, key=lambda outcome: at not in outcome.members)


def _of_group(
    entry: GroupRule, outcome: GroupOutcome, get: Get, describer: Describer, at: int
) -> Iterator[Branch]:
    why = advice_for(outcome) if outcome.verdict is Verdict.ERROR else ""
    if outcome.key is None:
        text = f"the group is the connections of one {listed(entry.keys, 'and')}"
        yield Branch("per", TreePart(text, None, f"{outcome.field} is {outcome.actual}", why))
        return
    asked = True
    if entry.chosen is not None:
        chosen = tree(entry.chosen, get, describer)
        yield Branch("groups", chosen)
        asked = chosen.truth is True
    if entry.unless is not None:
        met = f"a connection of the account meets: {_said(entry.unless, describer)}"
        yield Branch("unless", TreePart(met, outcome.excused))
        asked = asked and outcome.excused is not True
    if entry.when is not None:
        yield Branch("when", tree(entry.when, get, describer))
    judged = asked and outcome.verdict is not Verdict.SKIP
    parts = tuple(_of_number(entry, outcome)) if judged else ()
    truth = {Verdict.PASS: True, Verdict.ERROR: None, Verdict.SKIP: None}.get(
        outcome.verdict, False
    )
    value = "" if not asked else _measured(outcome, at)
    if judged:
        beside = [f"{path} is {describer.shown(path, held)}" for path, held in outcome.beside]
        value = "; ".join([value, *(said for said in beside if said != value)])
    expects = describer.clean(entry.rule.expects)
    yield Branch("assert", TreePart(expects, truth, value, why, parts, asked=judged))


def _measured(outcome: GroupOutcome, at: int) -> str:
    if outcome.verdict is Verdict.SKIP:
        return outcome.actual
    others = outcome.values and outcome.members and at not in outcome.members
    return f"{outcome.field} is {outcome.actual}{', none of them this one' if others else ''}"


def _of_number(entry: GroupRule, outcome: GroupOutcome) -> Iterator[TreePart]:
    """Yield each test of what was counted or measured, where there are several."""
    condition = with_budgets(entry, outcome.beside)
    if not isinstance(condition, All) or outcome.number is None:
        return
    for part in condition.parts:
        yield TreePart(f"{entry.counted} {sentence(part)}", on_number(part, outcome.number))
