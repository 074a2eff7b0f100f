"""Rules with one thing changed: what their tests ought to notice.

Each bound is moved by a step, each operator is replaced by its neighbour or negated, each item of a
list and each ``not`` is removed, one at a time. A change that makes no difference to any record
does not count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import replace

from auditor.clock import iso
from auditor.model import Position, Verdict
from auditor.policy.analysis.claims import conditions_of, place, verdict_on
from auditor.policy.analysis.tables import Space, TruthTable
from auditor.policy.analysis.witnesses import Witness, reading, witness
from auditor.policy.language.conditions import (
    All,
    AnyOf,
    Condition,
    Get,
    Named,
    Nested,
    Not,
    Test,
)
from auditor.policy.language.operands import FieldOperand, Literal, Now, Reading
from auditor.policy.language.operators import OPERATORS, OperandForm
from auditor.policy.language.rules import GroupRule, PolicyRule
from auditor.policy.language.values import Span, is_number

_LAST_MINUTE = 24 * 60 - 1
#: The most rows of a table here: it is made for one change, not for each pair of rules.
_MOST_ROWS = 1 << 17
_UNITS = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
}


class Mutant(msgspec.Struct, frozen=True):
    """A rule with one change: where, and from what to what, in a policy's own words."""

    rule: PolicyRule | GroupRule
    position: Position
    change: str


class Notice(msgspec.Struct, frozen=True):
    """An example that would notice a change: a record, and the changed rule's verdict on it."""

    witness: Witness
    expect: Verdict

    @property
    def text(self) -> str:
        """The example as it is below ``tests:``."""
        return f"{{{self.witness.text}, expect: {self.expect.label}}}"


_Changed = tuple[Condition, Position, str]


def mutants(rule: PolicyRule | GroupRule) -> Iterator[Mutant]:
    """Yield ``rule`` with one thing changed, for each thing that can change."""
    conditions: tuple[str, ...] = ("when", "assertion")
    if isinstance(rule, GroupRule):
        conditions = ("when", "unless", "chosen", "count", "share")
    for name in conditions:
        condition = getattr(rule, name)
        step = _halved_bounds if name == "share" else _step
        for changed, position, change in _changed(condition, step) if condition is not None else ():
            yield Mutant(replace(rule, **{name: changed}), position, change)
    if not isinstance(rule, GroupRule):
        return
    if rule.measured is not None:
        for changed, position, change in _changed(rule.measured.condition, _step):
            measured = replace(rule.measured, condition=changed)
            yield Mutant(replace(rule, measured=measured), position, change)
    for name in ("keys", "unique"):
        paths = getattr(rule, name)
        for path, rest in _each_left_out(paths):
            change = f"{path} taken out of {'per' if name == 'keys' else name}"
            yield Mutant(replace(rule, **{name: rest}), rule.rule.position, change)


def noticed_by(rule: PolicyRule | GroupRule, mutant: Mutant) -> tuple[bool, Notice | None]:
    """Return whether any record may distinguish ``mutant`` from ``rule``, and an example.

    The example is None if none was found, or if the rule is on groups.
    """
    changed = mutant.rule
    pairs = list(_differing(rule, changed))
    if pairs and all(_are_alike(one, other) for one, other in pairs):
        return False, None
    if isinstance(rule, GroupRule) or isinstance(changed, GroupRule):
        return True, None
    several = (*conditions_of(rule), *conditions_of(changed))
    space = Space(several)
    whole = space.table(*several, most=_MOST_ROWS)
    if whole is not None and not any(_judged_apart(whole, rule, changed)):
        return False, None
    # Only what is changed, if the whole is too much: the rest stays as in the healthy record.
    table = whole or space.table(*(condition for pair in pairs for condition in pair))
    if table is None:
        return True, None
    rows = (
        _judged_apart(table, rule, changed) if whole is not None else _differing_rows(table, pairs)
    )
    for each in rows:
        found = witness(table, each, lambda get: _notices(rule, changed, get))
        if found is not None:
            return True, _short(rule, changed, found)
    return True, None


def _notices(rule: PolicyRule, changed: PolicyRule, get: Get) -> bool:
    return verdict_on(rule, get) is not verdict_on(changed, get)


def _short(rule: PolicyRule, changed: PolicyRule, found: Witness) -> Notice:
    """Return the example without what the healthy record has anyway."""
    expect = verdict_on(rule, reading(found.record))
    for path in (*found.given, *found.without):
        shorter = Witness(
            {name: value for name, value in found.given.items() if name != path},
            tuple(name for name in found.without if name != path),
        )
        get = reading(shorter.record)
        if verdict_on(rule, get) is expect and _notices(rule, changed, get):
            found = shorter
    return Notice(found, expect)


_CONDITIONS = ("when", "assertion", "unless", "chosen", "count", "share")


def _differing(
    rule: PolicyRule | GroupRule, changed: PolicyRule | GroupRule
) -> Iterator[tuple[Condition, Condition]]:
    """Yield each condition of ``rule`` that differs in ``changed``, and the changed one."""
    for name in _CONDITIONS:
        one, other = getattr(rule, name, None), getattr(changed, name, None)
        if one is not None and other is not None and one is not other:
            yield one, other


def _are_alike(one: Condition, other: Condition) -> bool:
    """Whether no example can distinguish two conditions."""
    table = Space((one, other)).table(one, other, most=_MOST_ROWS)
    return table is not None and not any(_differing_rows(table, [(one, other)]))


def _differing_rows(
    table: TruthTable, pairs: Iterable[tuple[Condition, Condition]]
) -> tuple[int, int]:
    """Return the rows in which two conditions differ: those where both are decided, and all."""
    sure = differ = 0
    for one, other in pairs:
        first, second = table.rows(one), table.rows(other)
        sure |= (first.yes & second.no) | (first.no & second.yes)
        differ |= (first.yes ^ second.yes) | (first.no ^ second.no)
    return sure & table.showable, differ & table.showable


def _judged_apart(table: TruthTable, rule: PolicyRule, changed: PolicyRule) -> tuple[int, int]:
    """Return the rows that two rules judge differently: where both judge, and all of them.

    An error is noticed as well, but says less to a reader.
    """
    differ, errors = table.showable, 0
    verdicts: list[tuple[int, ...]] = []
    for entry in (rule, changed):
        when, assertion = table.rows(entry.when), table.rows(entry.assertion)
        known = when.yes & assertion.yes, when.yes & assertion.no, when.no
        error = table.every & ~(known[0] | known[1] | known[2])
        verdicts.append((*known, error))
        errors |= error
    for one, other in zip(*verdicts, strict=True):
        differ &= ~(one & other)
    return differ & ~errors, differ


# -- one change -----------------------------------------------------------------------------------

_Step = Callable[[float], Iterable[float]]


def _step(bound: float) -> Iterable[float]:
    """Return the bounds beside one: the next whole numbers, or a tenth away for others."""
    if bound == int(bound):
        return (bound - 1, bound + 1)
    return (bound * 0.9, bound * 1.1)


def _halved_bounds(bound: float) -> Iterable[float]:
    """Return the bounds halfway to none and to all, for a share."""
    return [end for end in (bound / 2, (bound + 1) / 2) if end != bound]


def _changed(condition: Condition, step: _Step) -> Iterator[_Changed]:
    """Yield ``condition`` with one thing changed, and the change."""
    match condition:
        case All(parts) | AnyOf(parts):
            for number, part in enumerate(parts):
                around = parts[:number], parts[number + 1 :]
                for changed, position, change in _changed(part, step):
                    yield type(condition)((*around[0], changed, *around[1])), position, change
                rest = (*around[0], *around[1])
                if isinstance(condition, AnyOf) and rest:
                    yield AnyOf(rest), place(part), "this alternative taken out"
        case Not(part):
            yield part, place(part), "not: taken out"
            for changed, position, change in _changed(part, step):
                yield Not(changed), position, change
        case Named(name, part):
            for changed, position, change in _changed(part, step):
                yield Named(name, changed), position, change
        case Test():
            yield from _of_test(condition, step)


def _of_test(test: Test, step: _Step) -> Iterator[_Changed]:
    at, operator, operand = test.position, test.operator, test.operand
    for name in operator.near:
        yield replace(test, operator=OPERATORS[name]), at, f"{operator.name} taken for {name}"
    if operator.form is OperandForm.BOOLEAN and isinstance(operand, Literal):
        flipped = replace(operand, value=not operand.value)
        yield replace(test, operand=flipped), at, f"{operator.name}: {operand.text} denied"
    elif not operator.near:
        yield Not(test), at, f"{operator.name} denied"
    for changed, change in _operands(test, step):
        yield replace(test, operand=changed), at, f"{operator.name}: {change}"
    if isinstance(operand, Nested):
        for inner, position, change in _changed(operand.condition, step):
            yield replace(test, operand=replace(operand, condition=inner)), position, change
        for inner, position, change in _changed(operand.count, step) if operand.count else ():
            yield replace(test, operand=replace(operand, count=inner)), position, change


def _operands(test: Test, step: _Step) -> Iterator[tuple[Literal | FieldOperand, str]]:
    """Yield the operand of ``test`` with one thing changed, and the change."""
    operand = test.operand
    if isinstance(operand, FieldOperand) and test.operator.form is OperandForm.DURATION:
        for times in (operand.times * 0.5, operand.times * 2):
            yield replace(operand, times=times), f"times {operand.times:g} made {times:g}"
    elif isinstance(operand, Literal):
        for value, change in _literals(test, operand.value, step):
            text = change.rpartition(" made ")[2]
            yield replace(operand, value=value, text=text, written=_rest(operand, value)), change


def _rest(operand: Literal, value: Any) -> tuple[str, ...]:
    """Return the patterns that remain of those written."""
    if not operand.written:
        return ()
    left = {id(item) for item in value}
    pairs = zip(operand.value, operand.written, strict=True)
    return tuple(text for item, text in pairs if id(item) in left)


def _literals(test: Test, value: Any, step: _Step) -> Iterator[tuple[Any, str]]:
    if isinstance(value, tuple):
        for number, (item, rest) in enumerate(_each_left_out(value), 1):
            said = f"item {number}" if callable(item) else _said(test, item)
            yield type(value)(rest), f"{said} taken out"
    elif isinstance(value, Span):
        for end in ("least", "most"):
            bound = getattr(value, end)
            for moved in _moved(test, bound, step):
                made = replace(value, **{end: moved})
                # Only times of day may cross midnight.
                if test.reading is Reading.TIME_OF_DAY or not made.is_wrapped:
                    yield made, f"{_said(test, bound)} made {_said(test, moved)}"
    elif test.operator.bound is not None:
        for moved in _moved(test, value, step):
            yield moved, f"{_said(test, value)} made {_said(test, moved)}"


def _moved(test: Test, value: Any, step: _Step) -> Iterator[Any]:
    """Yield a bound moved down and up."""
    if test.reading is Reading.TIME_OF_DAY and is_number(value):
        yield from (end for end in (value - 1, value + 1) if 0 <= end <= _LAST_MINUTE)
    elif is_number(value):
        yield from step(value)
    elif isinstance(value, Now):
        unit = _unit(value.offset)
        yield from (Now(value.offset - unit), Now(value.offset + unit))
    elif isinstance(value, timedelta):
        unit = _unit(value)
        yield from (moved for moved in (value - unit, value + unit) if moved > timedelta(0))
    elif isinstance(value, datetime):
        yield from (value - _UNITS["d"], value + _UNITS["d"])


def _unit(length: timedelta) -> timedelta:
    """Return the largest unit, up to a day, that divides ``length``."""
    units = [unit for name, unit in _UNITS.items() if name != "w" and not length % unit]
    return units[0] if units else _UNITS["s"]


def _each_left_out(items: tuple[Any, ...]) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """Yield each of several items, and the others."""
    if len(items) > 1:
        for number, item in enumerate(items):
            yield item, items[:number] + items[number + 1 :]


def _said(test: Test, value: Any) -> str:
    """Return an operand as a policy writes it."""
    if test.reading is Reading.TIME_OF_DAY and is_number(value):
        return f"{int(value) // 60:02}:{int(value) % 60:02}"
    if isinstance(value, Now):
        sign = "" if not value.offset else "+" if value.offset > timedelta(0) else "-"
        return f"now{sign}{_length(abs(value.offset))}" if value.offset else "now"
    if isinstance(value, timedelta):
        return _length(value)
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _length(length: timedelta) -> str:
    unit = _unit(length)
    (name,) = (name for name, known in _UNITS.items() if known == unit)
    return f"{length // unit}{name}"
