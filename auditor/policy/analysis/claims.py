"""What is surely wrong with the meaning of rules, reported with both places and an example.

A claim holds for every possible record: documented or new, from a listing or from a plan. What the
tables cannot decide is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import islice, product
from typing import Any

import msgspec
from msgspec.structs import replace

from auditor.errors import PolicyError, Problem
from auditor.model import Position, Rule, Verdict
from auditor.policy.analysis.domains import NOW, compared_part, condition_key
from auditor.policy.analysis.groups import of_one, of_two
from auditor.policy.analysis.tables import Rows, Space, TruthTable
from auditor.policy.analysis.witnesses import Witness, witness
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
    tests_in,
)
from auditor.policy.language.english import sentence
from auditor.policy.language.operands import Literal, Reading
from auditor.policy.language.operators import TextPart
from auditor.policy.language.rules import GroupRule, PolicyRule
from auditor.policy.language.values import is_number
from auditor.policy.loading.load import Loaded
from auditor.text import one_line, shortened

_LONGEST = 160
#: The most pairs of rules that are decided by a joint table.
_MOST_PAIRS = 2000
#: Rules with more variables than this are not tried with all their values.
_MOST_VARIED = 3
#: A number beyond any that policies use, and the last time of day.
_FAR, _LAST_MINUTE = 1e12, 24 * 60 - 1


def analysed(loaded: Loaded, *, strict: bool = False) -> Loaded:
    """Return what was loaded, with claims about its rules among the warnings.

    With ``strict`` a claim is an error: raises PolicyError with all of them.
    """
    found = [
        claim._replace(source_line=loaded.line(claim.position))
        for claim in claims(loaded.ruleset.rules)
    ]
    if not found:
        return loaded
    warnings = tuple(sorted((*loaded.warnings, *found), key=lambda problem: problem.position))
    if strict:
        raise PolicyError(warnings)
    ruleset = replace(loaded.ruleset, warnings=tuple(map(str, warnings)))
    return replace(loaded, ruleset=ruleset, warnings=warnings)


def claims(rules: Sequence[PolicyRule | GroupRule]) -> list[Problem]:
    """Return the claims about ``rules``, as warnings, grouped by rule."""
    space = Space(condition for rule in rules for condition in conditions_of(rule))
    found = list(_items(rules))
    studied: list[_Studied] = []
    grouped: list[GroupRule] = []
    for rule in rules:
        if isinstance(rule, GroupRule):
            own = [*_of_groups(rule, space), *of_one(rule)]
            found += own
            if not own:
                grouped.append(rule)
            continue
        study = _studied(rule, space)
        if study is None:
            continue
        own = list(_alone(study))
        found += own
        if not own:
            studied.append(study)
    return [*found, *_together(studied, space), *of_two(grouped)]


def conditions_of(rule: PolicyRule | GroupRule) -> Iterator[Condition]:
    """Yield the conditions of a rule on single records."""
    several = (rule.when, rule.assertion) if isinstance(rule, PolicyRule) else _of_group(rule)
    yield from (condition for condition in several if condition is not None)


def verdict_on(rule: PolicyRule, get: Get) -> Verdict:
    """Return the verdict of ``rule`` on the record that ``get`` reads, by the plain reading."""
    applies = True if rule.when is None else evaluate(rule.when, get, NOW)
    if applies is not True:
        return Verdict.SKIP if applies is False else Verdict.ERROR
    truth = evaluate(rule.assertion, get, NOW)
    return Verdict.ERROR if truth is None else Verdict.PASS if truth else Verdict.FAIL


def idle_waiver(accepts: Condition, rules: Sequence[PolicyRule]) -> str:
    """Return why a waiver with this ``while`` waives nothing of ``rules``; "" if it may.

    ``rules`` are all that the waiver is for, and none is on groups.
    """
    space = Space([accepts, *(c for rule in rules for c in conditions_of(rule))])
    table = space.table(accepts)
    if table is not None and not table.rows(accepts).yes:
        return f"no record can meet its while: {_said(accepts)}"
    for rule in rules:
        table = space.table(accepts, *conditions_of(rule))
        if table is None or table.rows(accepts).yes & _verdicts(rule, table).failed:
            return ""
    names = ", ".join(rule.rule.id for rule in rules)
    return f"a record that meets its while never fails {names}" if rules else ""


# -- one rule -------------------------------------------------------------------------------------


class _Verdicts(msgspec.Struct, frozen=True):
    """The rows on which a rule surely applies, passes, fails and skips."""

    applies: int
    passed: int
    failed: int
    skipped: int


class _Studied(msgspec.Struct, frozen=True):
    """A rule, its table, and each path's possible values where it applies, passes and fails."""

    rule: PolicyRule
    table: TruthTable
    rows: _Verdicts
    applies: Mapping[Hashable, int]
    passed: Mapping[Hashable, int]
    failed: Mapping[Hashable, int]
    asserts: frozenset[Hashable]
    boxes: bool

    def is_whole(self, name: Hashable) -> bool:
        """Whether the rule can fail with every possible value of ``name``."""
        found = self.table.variables[name]
        return self.failed[name].bit_count() == sum(block.bit_count() for block in found.blocks)


def _verdicts(rule: PolicyRule, table: TruthTable) -> _Verdicts:
    return _of_rows(table.rows(rule.when), table.rows(rule.assertion))


def _of_rows(when: Rows, assertion: Rows) -> _Verdicts:
    return _Verdicts(when.yes, when.yes & assertion.yes, when.yes & assertion.no, when.no)


def _studied(rule: PolicyRule, space: Space) -> _Studied | None:
    table = space.table(rule.when, rule.assertion)
    if table is None:
        return None
    rows = _verdicts(rule, table)
    return _Studied(
        rule,
        table,
        rows,
        table.projections(rows.applies),
        table.projections(rows.passed),
        table.projections(rows.failed),
        frozenset(test.path for test in tests_in(rule.assertion)),
        table.is_box(rows.applies) and table.is_box(rows.passed),
    )


def _alone(study: _Studied) -> Iterator[Problem]:
    """Yield what is wrong with one rule: the most serious flaw, or parts that decide nothing."""
    rule, rows, table = study.rule, study.rows, study.table
    as_set = _as_set(rule)
    if not rows.applies:
        assert rule.when is not None
        message = f"{rule.rule.id} never applies{as_set}: no record can meet its when"
        yield _problem(place(rule.when), message, f"none has {_said(rule.when)}")
    elif not rows.failed and not rows.passed:
        example = _example(table, rows.applies, rule, Verdict.ERROR)
        message = (
            f"{rule.rule.id} can never be judged{as_set}: every record that it applies to is an"
            " error"
        )
        where = f" (its when is at {place(rule.when)})" if rule.when is not None else ""
        yield _problem(place(rule.assertion), message + where, _shown(example, "cannot be judged"))
    elif not rows.failed:
        example = _example(table, rows.passed, rule, Verdict.PASS)
        message = (
            f"{rule.rule.id} can never fail{as_set}: every record that it applies to meets its"
            " assert"
        )
        where = f" (its when is at {place(rule.when)})" if rule.when is not None else ""
        yield _problem(place(rule.assertion), message + where, _shown(example, "passes"))
    elif not rows.passed:
        example = _example(table, rows.failed, rule, Verdict.FAIL)
        if example is not None:
            message = (
                f"{rule.rule.id} always fails{as_set}: no record that it applies to can meet its"
                " assert"
            )
            where = f" (its when is at {place(rule.when)})" if rule.when is not None else ""
            yield _problem(place(rule.assertion), message + where, _shown(example, "fails"))
    else:
        yield from _redundant(study)


def _as_set(*rules: PolicyRule) -> str:
    """Return what a claim adds if it rests on the values of variables."""
    conditions = (condition for rule in rules for condition in conditions_of(rule))
    varies = any(test.varies for condition in conditions for test in tests_in(condition))
    return " as variables are set" if varies else ""


def _redundant(study: _Studied) -> Iterator[Problem]:
    """Yield each part of a rule that can be removed without changing any verdict."""
    table, rule = study.table, study.rule
    when, assertion = rule.when, rule.assertion
    for number, (part, less) in enumerate(_without(assertion)):
        if _of_rows(table.rows(when), table.rows(less)) != study.rows:
            continue
        if _is_sure(part, rule, "assertion", number):
            alone = table.rows(less) == table.rows(assertion)
            cause = "" if alone or when is None else f", since its when at {place(when)} has it"
            yield _idle_part(rule.rule, part, f"in its assert{cause}")
            return
    for number, (part, less) in enumerate(_without(when) if when is not None else ()):
        if _of_rows(table.rows(less), table.rows(assertion)) != study.rows:
            continue
        if _is_sure(part, rule, "when", number):
            yield _idle_part(rule.rule, part, "in its when")
            return


def _idle(rule: PolicyRule, place_of: str, number: int, table: TruthTable) -> bool:
    """Whether the rule judges every record alike without the part of this number."""
    condition = getattr(rule, place_of)
    _, less = next(islice(_without(condition), number, None))
    changed = replace(rule, **{place_of: less})
    return _verdicts(changed, table) == _verdicts(rule, table)


def _idle_part(rule: Rule, part: Condition, where: str) -> Problem:
    message = f"{rule.id}: {_said(part)} decides nothing {where} (the rule is at {rule.position})"
    return _problem(place(part), message, "without it every record is judged the same: remove it")


def _without(condition: Condition) -> Iterator[tuple[Condition, Condition]]:
    """Yield each part of ``condition``, the last first, and the condition without it."""
    match condition:
        case All(parts) | AnyOf(parts):
            for number in reversed(range(len(parts))):
                rest = parts[:number] + parts[number + 1 :]
                if rest:
                    yield parts[number], type(condition)(rest)
                for part, less in _without(parts[number]):
                    yield part, type(condition)((*parts[:number], less, *parts[number + 1 :]))
        case Not(part):
            for inner, less in _without(part):
                yield inner, Not(less)
        case _:
            # A named condition is written once for many rules.
            return


def _varies(part: Condition, others: Iterable[Condition]) -> list[Test]:
    """Return the tests of ``others`` with a variable, at a path that ``part`` asks for."""
    asked = {test.path for test in tests_in(part)}
    tests = (test for condition in others for test in tests_in(condition))
    return [test for test in tests if test.varies and test.path in asked]


def _is_sure(part: Condition, rule: PolicyRule, place_of: str, number: int) -> bool:
    """Whether a part decides nothing, whatever the variables' values."""
    varying = _varies(part, conditions_of(rule))
    if len(varying) > _MOST_VARIED or any(test.varies for test in tests_in(part)):
        return False
    for values in product(*(_at_extremes(test) for test in varying)):
        others = dict(zip(map(id, varying), values, strict=True))
        changed = replace(
            rule,
            when=_with_tests(rule.when, others) if rule.when is not None else None,
            assertion=_with_tests(rule.assertion, others),
        )
        table = Space(conditions_of(changed)).table(changed.when, changed.assertion)
        if table is None or not _idle(changed, place_of, number, table):
            return False
    return all(_at_extremes(test) for test in varying)


def _at_extremes(test: Test) -> list[Test]:
    """Return ``test`` with values far apart in place of its variable's; none if not a number."""
    operand = test.operand
    if not isinstance(operand, Literal) or not is_number(operand.value):
        return []
    ends = (0, _LAST_MINUTE) if test.reading is Reading.TIME_OF_DAY else (-_FAR, _FAR)
    return [replace(test, operand=replace(operand, value=end)) for end in ends]


def _with_tests(condition: Condition, others: Mapping[int, Test]) -> Condition:
    """Return ``condition`` with some tests replaced."""
    match condition:
        case All(parts) | AnyOf(parts):
            return type(condition)(tuple(_with_tests(part, others) for part in parts))
        case Not(part):
            return Not(_with_tests(part, others))
        case Named(name, part):
            return Named(name, _with_tests(part, others))
        case Test():
            return others.get(id(condition), condition)


def _items(rules: Iterable[PolicyRule | GroupRule]) -> Iterator[Problem]:
    """Yield each item of a list of alternatives that another item already covers."""
    seen: set[Position] = set()
    for rule in rules:
        for condition in conditions_of(rule):
            for test in _all_tests(condition):
                found = None if test.varies or test.position in seen else _idle_item(test)
                if found is not None:
                    seen.add(test.position)
                    item, cover = found
                    said = f"{rule.rule.id}: {item} decides nothing in its list, since {cover} is"
                    yield _problem(test.position, f"{said} there", "take it out")


def _all_tests(condition: Condition) -> Iterator[Test]:
    """Yield every test of ``condition``, including those of items."""
    for test in tests_in(condition):
        yield test
        if isinstance(test.operand, Nested):
            yield from _all_tests(test.operand.condition)


def _idle_item(test: Test) -> tuple[str, str] | None:
    """Return a redundant item of a test's list, and the item that covers it."""
    operand = test.operand
    if not isinstance(operand, Literal) or not isinstance(operand.value, tuple):
        return None
    part, texts = compared_part(test) or (None, operand.written)
    items: Sequence[Any] = texts or operand.value
    for number, item in enumerate(items):
        for other, cover in enumerate(items):
            same = type(item) is type(cover) and item == cover
            if (same and other < number) or (not same and _covers(part, cover, item)):
                return _quoted_item(item), _quoted_item(cover)
    return None


def _covers(part: TextPart | None, cover: Any, item: Any) -> bool:
    """Whether every text that matches ``item`` also matches ``cover``, in the same part."""
    if part is TextPart.START:
        return bool(item.startswith(cover))
    return part is TextPart.END and bool(item.endswith(cover))


def _quoted_item(item: object) -> str:
    return str(item).lower() if isinstance(item, bool) else one_line(str(item))


def _of_groups(rule: GroupRule, space: Space) -> Iterator[Problem]:
    for word, condition in (("when", rule.when), ("unless", rule.unless), ("groups", rule.chosen)):
        table = space.table(condition) if condition is not None else None
        if condition is None or table is None:
            continue
        rows = table.rows(condition)
        if not rows.yes:
            message = f"{rule.rule.id}: no record can meet its {word}"
            yield _problem(place(condition), message, f"none has {_said(condition)}")
            continue
        for part, less in _without(condition):
            if not _varies(part, [condition]) and table.rows(less) == rows:
                yield _idle_part(rule.rule, part, f"in its {word}")
                break


def _of_group(rule: GroupRule) -> tuple[Condition | None, ...]:
    return (rule.when, rule.unless, rule.chosen)


# -- two rules ------------------------------------------------------------------------------------


def _together(studied: Sequence[_Studied], space: Space) -> Iterator[Problem]:
    """Yield what is wrong with two rules, among those that share a path."""
    asked = 0
    by_path: dict[Hashable, list[int]] = {}
    for number, study in enumerate(studied):
        for name in study.asserts:
            by_path.setdefault(name, []).append(number)
    pairs = {
        (min(number, other), max(number, other))
        for number, study in enumerate(studied)
        for name in study.applies
        if isinstance(name, str)
        for other in by_path.get(name, ())
        if number != other
    }
    for number, other in sorted(pairs):
        one, two = studied[number], studied[other]
        if one.rule.rule.position.in_pack and two.rule.rule.position.in_pack:
            # A pack stands by itself, whatever other packs are chosen with it.
            continue
        names = one.applies.keys() & two.applies.keys()
        if not all(one.applies[name] & two.applies[name] for name in names):
            continue
        parted = not all(one.passed[name] & two.passed[name] for name in names)
        doubtful = len(names) > 1 and not (one.boxes and two.boxes)
        implied = [
            (weak, strong) for weak, strong in ((two, one), (one, two)) if _may_imply(weak, strong)
        ]
        if not (parted or doubtful or implied):
            continue
        asked += 1
        if asked > _MOST_PAIRS:
            return
        table = space.table(*conditions_of(one.rule), *conditions_of(two.rule))
        if table is not None:
            yield from _of_pair(one, two, implied, table)


def _may_imply(weak: _Studied, strong: _Studied) -> bool:
    """Whether all that fails ``weak`` may fail ``strong``, as far as single paths tell.

    A more severe rule that fails less has something of its own to say.
    """
    if weak.rule.rule.severity > strong.rule.rule.severity:
        return False
    # What only the stronger rule reads may be anything in a record that fails the weaker.
    return all(
        not weak.failed[name] & ~classes if name in weak.failed else strong.is_whole(name)
        for name, classes in strong.failed.items()
    )


def _of_pair(
    one: _Studied, two: _Studied, implied: Iterable[tuple[_Studied, _Studied]], table: TruthTable
) -> Iterator[Problem]:
    first, second = _verdicts(one.rule, table), _verdicts(two.rule, table)
    decided = (first.passed | first.failed) & (second.passed | second.failed)
    # A rule that forbids whatever it applies to forbids; it does not contradict.
    possible = first.passed & second.applies and second.passed & first.applies
    if possible and not first.passed & second.passed:

        def comes_under_both(get: Get) -> bool:
            verdicts = {verdict_on(one.rule, get), verdict_on(two.rule, get)}
            return Verdict.SKIP not in verdicts and Verdict.ERROR not in verdicts

        example = witness(table, decided, comes_under_both)
        if example is not None:
            late, early = _ordered(one, two)
            message = (
                f"no connection can satisfy {late.rule.rule.id} and {early.rule.rule.id}, at"
                f" {place(early.rule.assertion)}, where both apply{_as_set(late.rule, early.rule)}"
            )
            shown = _shown(example, "falls under both and fails one")
            yield _problem(place(late.rule.assertion), message, shown)
        return
    if _as_set(one.rule, two.rule) and condition_key(one.rule.assertion) != condition_key(
        two.rule.assertion
    ):
        return  # with another value of a variable each may say something of its own
    for weak, strong in implied:
        fails, covered = (second, first) if weak is two else (first, second)
        # What the stronger rule forbids, the weaker one still covers when that is waived.
        if covered.passed & fails.applies and not fails.failed & ~covered.failed:
            example = _example(table, fails.failed, weak.rule, Verdict.FAIL)
            message = (
                f"{weak.rule.rule.id} is redundant: whatever fails it also fails"
                f" {strong.rule.rule.id}, at {place(strong.rule.assertion)}, as well"
            )
            shown = _shown(example, "fails both")
            yield _problem(place(weak.rule.assertion), message, shown)
            return


def _ordered(one: _Studied, two: _Studied) -> tuple[_Studied, _Studied]:
    """Return the rule to name first: a person's own before a pack's."""
    if two.rule.rule.position.in_pack and not one.rule.rule.position.in_pack:
        return one, two
    return two, one


# -- telling --------------------------------------------------------------------------------------


def place(condition: Condition) -> Position:
    """Return the position of a condition: that of its first test."""
    return min(test.position for test in tests_in(condition))


def _example(table: TruthTable, rows: int, rule: PolicyRule, verdict: Verdict) -> Witness | None:
    shows: Callable[[Get], bool] = lambda get: verdict_on(rule, get) is verdict  # noqa: E731
    return witness(table, rows, shows)


def _shown(example: Witness | None, comes_to: str) -> str:
    return f"{example.text} {comes_to}" if example is not None else ""


def _said(condition: Condition) -> str:
    part = condition.part if isinstance(condition, Named) else condition
    return shortened(sentence(part), _LONGEST)


def _problem(position: Position, message: str, hint: str) -> Problem:
    return Problem(position, message, hint, warning=True)
