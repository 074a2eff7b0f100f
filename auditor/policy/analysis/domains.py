"""The values that can be at a path, as classes that some tests cannot distinguish.

Every value, including null and a missing one, is in one class of its path. A test has one result
for a whole class, or it is *open* there and depends on an ``Aspect``: how a text starts, which
moment it names, which items an array holds. Aspects count as independent, and what has no class can
have any result. So too much may be thought possible, but what is impossible here is truly
impossible. Documented values are not exhaustive: an unknown text is always among the classes.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import combinations, pairwise
from typing import Any

import msgspec
from msgspec.structs import replace

from auditor.clock import FUTURE_TOLERANCE
from auditor.decoding.json_values import MISSING, Unread
from auditor.fields import Kind
from auditor.policy.language.conditions import (
    ITSELF,
    All,
    AnyOf,
    Condition,
    Named,
    Nested,
    Not,
    Test,
    evaluate,
    evaluate_test,
    tests_in,
)
from auditor.policy.language.operands import FieldOperand, Literal, Now, Reading
from auditor.policy.language.operators import OF_A_LIST, OPERATORS, OperandForm, TextPart
from auditor.policy.language.semantics import Quantifier
from auditor.policy.language.truth import Truth, negated
from auditor.policy.language.values import Span, is_number

#: The moment taken for now when times are relative to it; any other would do.
NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
#: A text that is in no policy.
FRESH = "\ue000another text\ue001"
_UNREAD = Unread("not known")
_TRUTHS: tuple[Truth, ...] = (True, False, None)
_MINUTES = 24 * 60
#: The characters with a special meaning in a glob.
_WILD = frozenset("*?[")
_MOMENT, _HOUR = timedelta(microseconds=1), timedelta(hours=1)
_BEGINNING, _END = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class Whatever(msgspec.Struct, frozen=True):
    """Any value like ``like`` that no test names: a text, or a non-empty array or object.

    ``gapped`` means that a plan leaves some of it open.
    """

    like: Any
    gapped: bool = False


class Aspect(msgspec.Struct, frozen=True):
    """Something that a test asks about a value: a variable of its own.

    ``name`` identifies it: the path, and the question. ``condition`` is the condition on an array's
    items, if the samples are its possible truths.
    """

    name: tuple[str, Hashable]
    samples: tuple[Any, ...]
    condition: Condition | None = None


class Split(msgspec.Struct, frozen=True):
    """How one test divides the classes at its path, as bits from the lowest.

    It holds in ``yes`` and fails in ``no``; in ``open`` an aspect of the value decides, with
    classes of its own. In the rest it cannot be evaluated.
    """

    yes: int
    no: int
    open: int = 0
    aspect: Aspect | None = None
    aspect_yes: int = 0
    aspect_no: int = 0


class Domain(msgspec.Struct, frozen=True):
    """The possible values at one path, and how each test, by its key, divides them."""

    path: str
    samples: tuple[Any, ...]
    splits: Mapping[Hashable, Split]


#: Returns the possible truths of a condition on an item.
Truths = Callable[[Condition], Sequence[Truth]]


#: Operands that are the same where they are equal.
_COMPARABLE = frozenset({Span, Now, str, bool, int, float, datetime, timedelta})


def key_of(test: Test) -> Hashable:
    """Return a key that two tests share only if they have the same result on every value."""
    return test.path, test.operator.name, test.reading, test.kind, _operand_key(test)


def condition_key(condition: Condition) -> Hashable:
    """Return a key that two conditions share only if they have the same result on every value."""
    match condition:
        case All(parts):
            return "all", tuple(map(condition_key, parts))
        case AnyOf(parts):
            return "any", tuple(map(condition_key, parts))
        case Not(part):
            return "not", condition_key(part)
        case Named(_, part):
            return condition_key(part)
        case Test():
            return key_of(condition)


def _operand_key(test: Test) -> Hashable:
    operand = test.operand
    if isinstance(operand, FieldOperand):
        return operand
    if isinstance(operand, Nested):
        count = condition_key(operand.count) if operand.count is not None else None
        return condition_key(operand.condition), count
    value = operand.value
    # A compiled pattern equals nothing but itself; 1 equals True in Python.
    if operand.written:
        return "patterns", operand.written
    if isinstance(value, tuple):
        return tuple((type(item).__name__, item) for item in value)
    if type(value) in _COMPARABLE:
        return type(value).__name__, value
    return "itself", id(value)


def parts_of(test: Test) -> tuple[Test, ...]:
    """Return the tests all of which hold where ``test`` does, and are errors where it is one."""
    operand = test.operand
    if not test.operator.each or not isinstance(operand, Literal):
        return (test,)
    operator = OPERATORS[test.operator.each]
    return tuple(
        [replace(test, operator=operator, operand=Literal(v, str(v))) for v in operand.value]
    )


def domain(path: str, tests: Iterable[Test], truths: Truths) -> Domain:
    """Return the classes of values at ``path``, as fine as its ``tests`` need."""
    asked = {key_of(test): test for test in tests}
    samples = tuple(_samples(asked.values()))
    aspects = _Aspects(path, list(asked.values()), truths)
    numbers = _numbers_among(samples)
    splits = {key: _split(test, samples, numbers, aspects) for key, test in asked.items()}
    return Domain(path, samples, splits)


def is_showable(sample: Any) -> bool:
    """Whether an example can contain a value of the class that ``sample`` stands for."""
    if isinstance(sample, Whatever):
        return not sample.gapped
    return not isinstance(sample, Unread) and sample != math.inf


# -- classes of values ----------------------------------------------------------------------


def _samples(tests: Iterable[Test]) -> Iterator[Any]:
    """Yield a value of each class, the field's usual ones first, numbers ascending."""
    texts: dict[str, None] = {}
    numbers: set[float] = set()
    kinds = set()
    for test in tests:
        kinds.add(test.kind)
        if test.reading is not Reading.PLAIN or not isinstance(test.operand, Literal):
            continue
        for value in _constants(test.operand.value):
            if isinstance(value, str):
                texts[value] = None
            elif is_number(value):
                numbers.add(value)
    booleans = (True, False)
    ordered = tuple(_numbers(sorted(numbers)))
    written = (*(text for text in texts if text), Whatever(FRESH))
    if Kind.BOOLEAN in kinds:
        yield from (*booleans, *written, *ordered)
    elif Kind.INTEGER in kinds:
        yield from (*ordered, *written, *booleans)
    else:
        yield from (*written, *ordered, *booleans)
    yield from (None, MISSING, "", [], {}, Whatever([FRESH]), Whatever({FRESH: FRESH}))
    yield from (Whatever([FRESH], gapped=True), Whatever({FRESH: FRESH}, gapped=True))
    yield from (math.inf, _UNREAD)


def _constants(value: Any) -> Iterator[Any]:
    if isinstance(value, tuple):
        yield from value
    elif isinstance(value, Span):
        yield from (value.least, value.most)
    else:
        yield value


def _numbers(ends: Sequence[float]) -> Iterator[float]:
    """Yield each of ``ends``, a number between each two, one below all and one above."""
    if not ends:
        yield 60
        return
    yield from _finite(ends[0] - 1)
    for low, high in pairwise(ends):
        yield low
        between = (low + high) // 2 if high - low > 1 else low + (high - low) / 2
        if low < between < high:
            yield between
    yield ends[-1]
    yield from _finite(ends[-1] + 1)


def _finite(number: float) -> Iterator[float]:
    if is_number(number):
        yield number


# -- what a test makes of them ----------------------------------------------------------------

#: Forms that compare a value with named ones; values that are not named behave alike.
_NAMED = frozenset({OperandForm.SCALAR, OperandForm.SCALARS})
#: Forms for which one sample decides for its whole class.
_PLAIN = _NAMED | {OperandForm.ORDERED, OperandForm.RANGE, OperandForm.BOOLEAN}


def _numbers_among(samples: Sequence[Any]) -> range:
    """Return where the numbers are: they follow each other, ascending."""
    places = [place for place, sample in enumerate(samples) if is_number(sample)]
    return range(places[0], places[-1] + 1) if places else range(0)


def _split(test: Test, samples: Sequence[Any], numbers: range, aspects: _Aspects) -> Split:
    yes = no = opened = 0
    asked: Iterable[int] = range(len(samples))
    within = _within_bound(test, samples, numbers)
    if within is not None:
        # Not asked one by one: many rules have many bounds, and each of them is a number here.
        yes = _bits(within)
        no = _bits(numbers) ^ yes
        asked = (*range(numbers.start), *range(numbers.stop, len(samples)))
    decide = _decider(test, samples)
    # A text stands only for itself, unless it is read as something else or compared with a field.
    texts_are_closed = test.reading is Reading.PLAIN and not isinstance(test.operand, FieldOperand)
    for number in asked:
        sample, bit = samples[number], 1 << number
        if not (texts_are_closed and type(sample) is str) and _is_open(test, sample):
            opened |= bit
            continue
        truth = decide(sample)
        if truth is True:
            yes |= bit
        elif truth is False:
            no |= bit
    if not opened:
        return Split(yes, no)
    aspect, holds = aspects.of(test)
    found = [holds(sample) for sample in aspect.samples]
    bits = [sum(1 << n for n, truth in enumerate(found) if truth is t) for t in (True, False)]
    return Split(yes, no, opened, aspect, *bits)


def _is_open(test: Test, sample: Any) -> bool:
    """Whether ``test`` may differ between values of the class that ``sample`` stands for."""
    value = sample.like if isinstance(sample, Whatever) else sample
    if isinstance(value, Unread):
        return False
    if isinstance(test.operand, FieldOperand):
        return test.takes(value) if test.reading is Reading.PLAIN else isinstance(value, str)
    if test.reading is not Reading.PLAIN:
        return isinstance(value, str)
    if test.operator.presence_only or (test.operator.whole and _is_gapped(sample)):
        return False
    if test.operator.form in _PLAIN and not (isinstance(value, list) and test.takes(value)):
        return False
    if test.operator.form is OperandForm.BOOLEAN:
        return False
    stands_for_more = isinstance(sample, Whatever) or is_number(sample)
    return stands_for_more and test.takes(value)


def _is_gapped(sample: Any) -> bool:
    return isinstance(sample, Whatever) and sample.gapped


def _bits(places: range) -> int:
    return (1 << places.stop) - (1 << places.start) if places else 0


def _within_bound(test: Test, samples: Sequence[Any], numbers: range) -> range | None:
    """Return the ``numbers`` for which a test of a bound holds; None for another test."""
    operand, bound = test.operand, test.operator.bound
    if bound is None or not isinstance(operand, Literal) or test.reading is not Reading.PLAIN:
        return None
    if isinstance(operand.value, Now | datetime | timedelta):
        return None
    interval = bound(operand.value)
    values = samples[numbers.start : numbers.stop]
    first, last = 0, len(values)
    if interval.least is not None:
        first = (bisect_right if interval.above else bisect_left)(values, interval.least)
    if interval.most is not None:
        last = (bisect_left if interval.below else bisect_right)(values, interval.most)
    return numbers[first:last]


def _decider(test: Test, samples: Sequence[Any]) -> Callable[[Any], Truth]:
    """Return a function from a sample to the result of ``test``; not all ask the operator."""
    operand = test.operand

    def ask(sample: Any) -> Truth:
        if test.operator.whole and _is_gapped(sample):
            return None
        value = sample.like if isinstance(sample, Whatever) else sample
        return evaluate_test(test, lambda _: value, NOW)

    if not isinstance(operand, Literal) or test.reading is not Reading.PLAIN:
        return ask
    if test.operator.form in _NAMED:
        named = {(type(v) is str, v) for v in _constants(operand.value)}
        # Values that are not named behave alike.
        unlike = [s for s in samples if is_number(s) and (False, s) not in named]
        others = {str: ask(FRESH), int: ask(unlike[0]) if unlike else None}

        def by_name(sample: Any) -> Truth:
            kind = str if type(sample) is str else int if is_number(sample) else None
            if kind is None or (kind is str, sample) in named:
                return ask(sample)
            return others[kind]

        return by_name
    return _by_text(test, operand, ask)


def _by_text(test: Test, operand: Literal, ask: Callable[[Any], Truth]) -> Callable[[Any], Truth]:
    """Return a function that asks the operator about texts; a policy may name thousands."""
    takes_text, wanted, holds = test.takes(FRESH), operand.at(NOW), test.operator.holds

    def by_text(sample: Any) -> Truth:
        if type(sample) is not str:
            return ask(sample)
        return holds(sample, wanted, NOW) if takes_text else None

    return by_text


# -- aspects ----------------------------------------------------------------------------------

Holds = Callable[[Any], Truth]


class _Aspects:
    """What the tests at one path ask about a value beyond its class."""

    def __init__(self, path: str, tests: Sequence[Test], truths: Truths) -> None:
        self._path = path
        self._tests = tests
        self._truths = truths
        self._known: dict[Hashable, Aspect] = {}

    def of(self, test: Test) -> tuple[Aspect, Holds]:
        """Return what ``test`` asks about a value, and its result for each sample."""
        operand, operator = test.operand, test.operator
        if isinstance(operand, Nested):
            if operator.quantifier is not None and operand.count is None:
                return self._quantified(operand.condition, operator.quantifier)
            if operator.form is OperandForm.LENGTH:
                sizes = self._aspect("size", lambda: _sizes(self._tests))
                return sizes, lambda n: evaluate(operand.condition, lambda _: n, NOW)
        if isinstance(operand, Literal) and test.reading is not Reading.PLAIN:
            return self._read(test, operand)
        parted = compared_part(test)
        if parted is not None:
            return self._part(*parted)
        named = _of_each_item(test)
        if named is not None and operator.settled_by_each is not None:
            return self._quantified(named, operator.settled_by_each)
        return Aspect((self._path, key_of(test)), _TRUTHS), lambda truth: truth

    def _aspect(self, name: Hashable, samples: Callable[[], Iterable[Any]]) -> Aspect:
        full = (self._path, name)
        if full not in self._known:
            self._known[full] = Aspect(full, tuple(samples()))
        return self._known[full]

    def _part(self, part: TextPart, wanted: tuple[str, ...]) -> tuple[Aspect, Holds]:
        aspect = self._aspect(part, lambda: _parts(part, self._tests))
        if part is TextPart.ALL:
            folded = {text.casefold() for text in wanted}
            return aspect, lambda text: text in folded
        if part is TextPart.START:
            return aspect, lambda text: text.startswith(wanted)
        return aspect, lambda text: text.endswith(wanted)

    def _read(self, test: Test, operand: Literal) -> tuple[Aspect, Holds]:
        """Return the aspect of a test of times: moments, ages and times of day are separate."""
        if test.reading is Reading.TIME_OF_DAY:
            samples = self._aspect(Reading.TIME_OF_DAY, lambda: _times_of_day(self._tests))
        elif isinstance(operand.value, Now | timedelta):
            samples = self._aspect(Now, lambda: _ages(self._tests))
        elif isinstance(operand.value, datetime):
            samples = self._aspect(datetime, lambda: _moments(self._tests))
        else:
            return Aspect((self._path, key_of(test)), _TRUTHS), lambda truth: truth
        value = operand.at(NOW)

        def holds(read: Any) -> Truth:
            return test.operator.holds(read, value, NOW) if test.takes(read) else None

        return samples, holds

    def _quantified(self, condition: Condition, by: Quantifier) -> tuple[Aspect, Holds]:
        """Return the aspect that says which truths a condition has on an array's items."""
        denied = False
        while isinstance(condition, Not):
            condition, denied = condition.part, not denied
        possible = self._truths(condition)
        found = [set(c) for size in (1, 2, 3) for c in combinations(possible, size)]
        name = (self._path, condition_key(condition))
        aspect = Aspect(name, tuple(map(frozenset, found)), condition)

        def holds(known: frozenset[Truth]) -> Truth:
            truths = set(map(negated, known)) if denied else known
            if by.settled_by in truths:
                return by.comes_to
            return None if None in truths else not by.comes_to

        return aspect, holds


def _of_each_item(test: Test) -> Test | None:
    """Return what a test of an array asks of each item: whether it is one of the named values."""
    operand = test.operand
    if not isinstance(operand, Literal) or test.kind is not Kind.ARRAY:
        return None
    values = tuple(_constants(operand.value))
    kinds = {bool if type(v) is bool else float if is_number(v) else str for v in values}
    if len(kinds) != 1:
        return None  # an item of one type cannot be compared with a value of another
    return Test(ITSELF, OF_A_LIST, replace(operand, value=values), test.position)


def compared_part(test: Test) -> tuple[TextPart, tuple[str, ...]] | None:
    """Return the part of a text that ``test`` compares, and with what; None for other tests.

    A glob with a single ``*``, at its end or start, compares just the rest.
    """
    operand = test.operand
    if not isinstance(operand, Literal):
        return None
    if test.operator.part is not None:
        return test.operator.part, tuple(_constants(operand.value))
    if test.operator.form is not OperandForm.GLOB:
        return None
    for part, wild in ((TextPart.START, r"(.+)\*"), (TextPart.END, r"\*(.+)")):
        found = [re.fullmatch(wild, text, re.DOTALL) for text in operand.written]
        texts = [match[1] for match in found if match and not _WILD & set(match[1])]
        if texts and len(texts) == len(operand.written):
            return part, tuple(texts)
    return None


def _parts(part: TextPart, tests: Iterable[Test]) -> Iterator[str]:
    """Yield each text that ``part`` of a value is compared with, and one unlike any of them."""
    found = dict.fromkeys(
        text
        for test in tests
        if (parted := compared_part(test)) is not None and parted[0] is part
        for text in parted[1]
    )
    yield from dict.fromkeys(text.casefold() for text in found) if part is TextPart.ALL else found
    yield FRESH


def _sizes(tests: Iterable[Test]) -> list[int]:
    ends = {1}
    for test in tests:
        if test.operator.form is OperandForm.LENGTH and isinstance(test.operand, Nested):
            for inner in tests_in(test.operand.condition):
                operand = inner.operand
                values = _constants(operand.value) if isinstance(operand, Literal) else ()
                for value in values:
                    if is_number(value):
                        ends |= {math.floor(value) + step for step in (-1, 0, 1, 2)}
    return sorted(end for end in ends if end > 0)


def _times_of_day(tests: Iterable[Test]) -> list[int | None]:
    ends = {0, _MINUTES - 1}
    for test in tests:
        if test.reading is Reading.TIME_OF_DAY and isinstance(test.operand, Literal):
            for value in _constants(test.operand.value):
                if is_number(value):
                    ends |= {int(value) + step for step in (-1, 0, 1)}
    return [*sorted(end for end in ends if 0 <= end < _MINUTES), None]


def _ages(tests: Iterable[Test]) -> list[datetime | None]:
    """Return moments that tests of times relative to now can distinguish."""
    ends = {NOW, NOW + FUTURE_TOLERANCE}
    for test in tests:
        value = test.operand.value if isinstance(test.operand, Literal) else None
        if isinstance(value, Now):
            ends.add(value.at(NOW))
        elif isinstance(value, timedelta):
            try:
                ends.add(NOW - value)
            except OverflowError:
                continue  # Before all time, where no value can be.
    return _between(ends)


def _moments(tests: Iterable[Test]) -> list[datetime | None]:
    values = (test.operand.value for test in tests if isinstance(test.operand, Literal))
    return _between({value for value in values if isinstance(value, datetime)})


def _between(ends: set[datetime]) -> list[datetime | None]:
    """Return each of ``ends`` and what is between them, the most telling first."""
    inner = [end for end in sorted(ends) if _BEGINNING < end < _END]
    found: dict[datetime | None, None] = {}
    for step in (-_HOUR, _HOUR, timedelta(0), -_MOMENT, _MOMENT):
        for end in inner:
            if _BEGINNING - end < step < _END - end:
                found[end + step] = None
    return [*found, _BEGINNING, _END, None]
