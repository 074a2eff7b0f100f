"""Truth tables of conditions over all possible values at the paths they read.

A table has a row for each combination of a class per path and a result per aspect, except those
that no record can have: nothing is below a missing value, and an array's items are the same for all
its tests. A condition is two sets of rows, those where it surely holds and those where it surely
fails. A set is the bits of one integer, so a whole table is computed at once.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from itertools import combinations, product
from typing import Any

import msgspec

from auditor.decoding.json_values import MISSING
from auditor.policy.analysis.domains import (
    Aspect,
    Domain,
    Split,
    Whatever,
    domain,
    is_showable,
    key_of,
    parts_of,
)
from auditor.policy.language.conditions import All, AnyOf, Condition, Named, Not, Test, tests_in
from auditor.policy.language.truth import Truth

#: A table with more rows than this is not made, and nothing is claimed.
MOST_ROWS = 1 << 16


class Rows(msgspec.Struct, frozen=True):
    """The rows in which a condition surely holds, and those in which it surely fails."""

    yes: int
    no: int


class Variable(msgspec.Struct, frozen=True):
    """A column of a table: the value at a path, or an aspect of it.

    ``blocks`` are sets of its classes, as bits, that the table's tests cannot distinguish; in the
    table one block follows another after ``stride`` rows. ``samples`` has one for each class.
    ``aspect`` is None for a path.
    """

    name: Hashable
    samples: Sequence[Any]
    blocks: tuple[int, ...]
    stride: int
    aspect: Aspect | None = None


class Space:
    """The possible values of every path that some conditions read, for all their tables."""

    def __init__(self, conditions: Iterable[Condition]) -> None:
        found: dict[str, list[Test]] = {}
        for condition in conditions:
            for test in _tests_in(condition):
                found.setdefault(test.path, []).append(test)
        self._domains: dict[str, Domain] = {
            path: domain(path, tests, possible_truths) for path, tests in found.items()
        }

    def of(self, path: str, key: Hashable) -> tuple[Domain, Split]:
        """Return the domain at ``path``, and how the test of this key divides it."""
        found = self._domains[path]
        return found, found.splits[key]

    def table(self, *conditions: Condition | None, most: int = MOST_ROWS) -> TruthTable | None:
        """Return the table of ``conditions``; None if it would have over ``most`` rows."""
        tests = {key_of(t): t for c in conditions if c is not None for t in _tests_in(c)}
        return _table(self, tests, most)


def _tests_in(condition: Condition) -> Iterator[Test]:
    for test in tests_in(condition):
        yield from parts_of(test)


def possible_truths(condition: Condition) -> tuple[Truth, ...]:
    """Return the truths that ``condition`` may have, whatever it is asked about."""
    table = Space([condition]).table(condition)
    if table is None:
        return (True, False, None)
    rows = table.rows(condition)
    sets = ((True, rows.yes), (False, rows.no), (None, table.every & ~(rows.yes | rows.no)))
    return tuple(truth for truth, found in sets if found)


class TruthTable:
    """The rows of some tests. ``every`` is the set of all rows that a record can have."""

    def __init__(
        self, variables: Mapping[Hashable, Variable], tests: Mapping[Hashable, Rows], size: int
    ) -> None:
        self.variables = variables
        self.size = size
        self.every = (1 << size) - 1
        impossible = _union((*self._rows_below_missing(), *self._of_no_items()))
        self._tests = tests
        if impossible:
            self.every &= ~impossible
            self._tests = {
                key: Rows(rows.yes & self.every, rows.no & self.every)
                for key, rows in tests.items()
            }

    @property
    def showable(self) -> int:
        """The rows of records that a file can express in full."""
        rows = self.every
        for variable in self.variables.values():
            for number, block in enumerate(variable.blocks):
                if variable.aspect is None and not is_showable(variable.samples[_lowest(block)]):
                    rows &= ~self._of_block(variable, number)
        return rows

    def rows(self, condition: Condition | None) -> Rows:
        """Return the rows of a condition whose tests the table has; None holds everywhere."""
        match condition:
            case None:
                return Rows(self.every, 0)
            case All(parts):
                yes, no = self.every, 0
                for part in parts:
                    rows = self.rows(part)
                    yes, no = yes & rows.yes, no | rows.no
                return Rows(yes, no)
            case AnyOf(parts):
                yes, no = 0, self.every
                for part in parts:
                    rows = self.rows(part)
                    yes, no = yes | rows.yes, no & rows.no
                return Rows(yes, no)
            case Not(part):
                rows = self.rows(part)
                return Rows(rows.no, rows.yes)
            case Named(_, part):
                return self.rows(part)
            case Test():
                several = parts_of(condition)
                if len(several) > 1:
                    return self.rows(All(several))
                return self._tests[key_of(*several)]

    def projections(self, rows: int) -> dict[Hashable, int]:
        """Return the classes of each variable that occur in ``rows``, as bits."""
        return {
            name: _union(
                block
                for number, block in enumerate(variable.blocks)
                if rows & self._of_block(variable, number)
            )
            for name, variable in self.variables.items()
        }

    def is_box(self, rows: int) -> bool:
        """Whether ``rows`` are all combinations of the classes that occur in them."""
        count = 1
        for variable in self.variables.values():
            numbers = range(len(variable.blocks))
            count *= sum(bool(rows & self._of_block(variable, number)) for number in numbers)
        return count == rows.bit_count()

    def choices(self, rows: int, most: int) -> Iterator[list[tuple[Variable, Any]]]:
        """Yield up to ``most`` of ``rows``, as a sample for each variable."""
        for _ in range(most):
            if not rows:
                return
            row = (rows & -rows).bit_length() - 1
            rows &= rows - 1
            yield [
                (variable, _sample(variable, variable.blocks[_digit(variable, row)]))
                for variable in self.variables.values()
            ]

    def _rows_below_missing(self) -> Iterator[int]:
        """Yield rows in which something is below a value that is missing, null or empty."""
        paths = [name for name in self.variables if isinstance(name, str) and "." in name]
        for path in paths:
            above = path
            while above := above.rpartition(".")[0]:
                if above in self.variables:
                    nothing = self._rows_where(self.variables[above], _is_missing_or_empty)
                    own = self.variables[path]
                    yield nothing & ~self._rows_where(own, _is_missing, some=True)

    def _of_no_items(self) -> Iterator[int]:
        """Yield rows in which two conditions have results that no items of one array can give."""
        by_path: dict[str, list[tuple[Condition, Variable]]] = {}
        for variable in self.variables.values():
            if variable.aspect is not None and variable.aspect.condition is not None:
                path = variable.aspect.name[0]
                by_path.setdefault(path, []).append((variable.aspect.condition, variable))
        for path, asked in by_path.items():
            for (first, one), (second, two) in combinations(asked, 2):
                vectors = possible_vectors((first, second))
                rows = 0
                for here, there in product(range(len(one.blocks)), range(len(two.blocks))):
                    pairs = product(_samples_in(one, here), _samples_in(two, there))
                    if not any(are_of_items(vectors, pair) for pair in pairs):
                        rows |= self._of_block(one, here) & self._of_block(two, there)
                yield rows & self._rows_where(self.variables[path], _is_array)

    def _rows_where(
        self, variable: Variable, fits: Callable[[Any], bool], *, some: bool = False
    ) -> int:
        """Return the rows in which every class of the block, or with ``some`` any, fits."""
        decides = any if some else all
        return _union(
            self._of_block(variable, number)
            for number in range(len(variable.blocks))
            if decides(map(fits, _samples_in(variable, number)))
        )

    def _of_block(self, variable: Variable, number: int) -> int:
        return _spread(1 << number, variable.stride, len(variable.blocks), self.size)


def possible_vectors(conditions: Sequence[Condition]) -> tuple[tuple[Truth, ...], ...]:
    """Return the possible results of several conditions on one and the same thing."""
    table = Space(conditions).table(*conditions)
    if table is None:
        return tuple(product((True, False, None), repeat=len(conditions)))
    found = [table.rows(condition) for condition in conditions]
    vectors = []
    for vector in product((True, False, None), repeat=len(conditions)):
        rows = table.every
        for truth, each in zip(vector, found, strict=True):
            unsure = table.every & ~(each.yes | each.no)
            rows &= each.yes if truth else unsure if truth is None else each.no
        if rows:
            vectors.append(vector)
    return tuple(vectors)


def are_of_items(vectors: Iterable[tuple[Truth, ...]], truths: Sequence[frozenset[Truth]]) -> bool:
    """Whether an array's items can give each condition exactly its ``truths``.

    ``vectors`` are the conditions' possible results on one item.
    """
    items = [v for v in vectors if all(t in of for t, of in zip(v, truths, strict=True))]
    return all({v[n] for v in items} == set(of) for n, of in enumerate(truths))


def _samples_in(variable: Variable, number: int) -> Iterator[Any]:
    """Yield the samples of one block."""
    block = variable.blocks[number]
    return (sample for n, sample in enumerate(variable.samples) if block >> n & 1)


def _is_missing_or_empty(sample: Any) -> bool:
    return sample is MISSING or sample is None or (type(sample) is dict and not sample)


def _is_missing(sample: Any) -> bool:
    return sample is MISSING


def _is_array(sample: Any) -> bool:
    return isinstance(sample.like if isinstance(sample, Whatever) else sample, list)


def _table(space: Space, tests: Mapping[Hashable, Test], most: int) -> TruthTable | None:
    found = {key: space.of(test.path, key) for key, test in tests.items()}
    parted: dict[Hashable, tuple[Sequence[Any], Aspect | None, list[int]]] = {}
    for where, split in found.values():
        _, _, sets = parted.setdefault(where.path, (where.samples, None, []))
        sets += (split.yes, split.no, split.open)
        if split.aspect is not None:
            aspect = split.aspect
            _, _, sets = parted.setdefault(aspect.name, (aspect.samples, aspect, []))
            sets += (split.aspect_yes, split.aspect_no)
    variables: dict[Hashable, Variable] = {}
    stride = 1
    for name, (samples, asked, sets) in parted.items():
        blocks = _blocks(len(samples), frozenset(sets))
        variables[name] = Variable(name, samples, blocks, stride, asked)
        stride *= len(blocks)
        if stride > most:
            return None
    spread = partial(_rows_of, variables, stride)
    return TruthTable(variables, {key: spread(*each) for key, each in found.items()}, stride)


def _rows_of(
    variables: Mapping[Hashable, Variable], size: int, where: Domain, split: Split
) -> Rows:
    """Return the rows of a test."""

    def rows(variable: Variable, classes: int) -> int:
        return _rows_with(variable.blocks, variable.stride, size, classes)

    own = variables[where.path]
    yes, no = rows(own, split.yes), rows(own, split.no)
    if isinstance(split.aspect, Aspect):
        opened, aspect = rows(own, split.open), variables[split.aspect.name]
        yes |= opened & rows(aspect, split.aspect_yes)
        no |= opened & rows(aspect, split.aspect_no)
    return Rows(yes, no)


# Of hundreds of rules most tables have the same few variables, at the same strides.
@lru_cache(maxsize=2048)
def _rows_with(blocks: tuple[int, ...], stride: int, size: int, classes: int) -> int:
    """Return the rows in which a variable is in a block that has one of ``classes``."""
    chosen = sum(1 << n for n, block in enumerate(blocks) if block & classes)
    return _spread(chosen, stride, len(blocks), size)


@lru_cache(maxsize=2048)
def _spread(chosen: int, stride: int, count: int, size: int) -> int:
    """Return the rows in which a variable of ``count`` blocks has one of the ``chosen``."""
    block, period = 0, stride * count
    run = (1 << stride) - 1
    while chosen:
        lowest = chosen & -chosen
        block |= run << (stride * (lowest.bit_length() - 1))
        chosen ^= lowest
    # Repeated to the table's size, doubling each time.
    while period < size:
        block |= block << period
        period *= 2
    return block & ((1 << size) - 1)


@lru_cache(maxsize=2048)
def _blocks(size: int, sets: frozenset[int]) -> tuple[int, ...]:
    """Return the classes divided so that each of ``sets`` has all of a block or none."""
    blocks = [(1 << size) - 1]
    for each in sets:
        parted = []
        for block in blocks:
            inside = block & each
            parted += [part for part in (inside, block ^ inside) if part]
        blocks = parted
    return tuple(sorted(blocks, key=_lowest))


def _sample(variable: Variable, block: int) -> Any:
    """Return the first sample of a block; of numbers a whole one, if there is one."""
    first = variable.samples[_lowest(block)]
    if type(first) is not float or first.is_integer():
        return first
    several = (sample for n, sample in enumerate(variable.samples) if block >> n & 1)
    return next((sample for sample in several if type(sample) is int), first)


def _lowest(bits: int) -> int:
    return (bits & -bits).bit_length() - 1


def _digit(variable: Variable, row: int) -> int:
    return row // variable.stride % len(variable.blocks)


def _union(sets: Iterable[int]) -> int:
    found = 0
    for each in sets:
        found |= each
    return found
