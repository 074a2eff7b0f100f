"""Tests of one value that always hold, or never do: found when a policy loads.

A rule that can never fail is a green that was not earned; one that can never apply is worse.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec

from auditor.policy.language.aggregates import Bounds
from auditor.policy.language.conditions import Test
from auditor.policy.language.operands import Literal, Now, Reading
from auditor.policy.loading.problems import Problems


class _Bound(msgspec.Struct, frozen=True):
    value: Any
    outside: bool
    test: Test


def check_contradictions(tests: Iterable[Test], problems: Problems) -> None:
    """Record two tests of one value that must both hold but never can."""
    ends: dict[str, list[_Bound]] = {"least": [], "most": []}
    for bound, side in _bounds(tests):
        ends[side].append(bound)
    for low in ends["least"]:
        for high in ends["most"]:
            if not _comparable(low.value, high.value):
                continue
            empty = low.value > high.value or (
                low.value == high.value and (low.outside or high.outside)
            )
            if empty:
                first, second = sorted((low.test, high.test), key=lambda test: test.position)
                problems.add(
                    second.position,
                    f"{_said(first)} and {_said(second)} can never both hold",
                    _hint(low, high),
                )
                return


def _hint(low: _Bound, high: _Bound) -> str:
    """Return what to write for two bounds with no value in between."""
    operands = [bound.test.operand for bound in (low, high)]
    if low.test.reading is Reading.TIME_OF_DAY and low.value != high.value:
        least, most = (operand.text for operand in operands if isinstance(operand, Literal))
        return f'for a time over midnight write between: ["{least}", "{most}"]'
    return "for either of two ranges write any: with a condition for each"


def check_domain(tests: Iterable[Test], domain: Bounds, problems: Problems) -> None:
    """Record a test that holds for every possible number, or for none."""
    for test in tests:
        bounds = [(b, side) for b, side in _bounds([test]) if isinstance(b.value, int | float)]
        never = any(_never_holds(bound, side, domain) for bound, side in bounds)
        always = bool(bounds) and all(_always_holds(bound, side, domain) for bound, side in bounds)
        if always or never:
            holds = "none" if never else "every one"
            problems.add(
                test.position,
                f"{_said(test)} holds of {holds}: {domain.what} is {domain.range}",
                "write a bound that decides something",
            )


def _always_holds(bound: _Bound, side: str, domain: Bounds) -> bool:
    """Whether every number of ``domain`` is on the right side of ``bound``."""
    if side == "least":
        return bool(
            bound.value < domain.least or (bound.value == domain.least and not bound.outside)
        )
    return bool(bound.value > domain.most or (bound.value == domain.most and not bound.outside))


def _never_holds(bound: _Bound, side: str, domain: Bounds) -> bool:
    """Whether no number of ``domain`` is on the right side of ``bound``."""
    if side == "least":
        return bool(bound.value > domain.most or (bound.value == domain.most and bound.outside))
    return bool(bound.value < domain.least or (bound.value == domain.least and bound.outside))


def _bounds(tests: Iterable[Test]) -> Iterator[tuple[_Bound, str]]:
    """Yield what each test of one value bounds, and on which side."""
    for test in tests:
        if test.operator.bound is None or not isinstance(test.operand, Literal):
            continue
        interval = test.operator.bound(test.operand.value)
        if interval.least is not None:
            yield _Bound(interval.least, interval.above, test), "least"
        if interval.most is not None:
            yield _Bound(interval.most, interval.below, test), "most"


def _comparable(value: Any, other: Any) -> bool:
    kinds = (int, float), (datetime,), (timedelta,)
    if isinstance(value, Now) and isinstance(other, Now):
        return False  # Both move with the run; which is later is plain to see.
    return any(isinstance(value, kind) and isinstance(other, kind) for kind in kinds)


def _said(test: Test) -> str:
    assert isinstance(test.operand, Literal)
    return f"{test.operator.name}: {test.operand.text}"
