"""What the quick tests take a share of, and the slow ones the whole.

``tries`` is for laws: ``make test-slow`` runs them again, with every example. ``mostly_slow`` is
for long tables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import pytest

_SHARE = 4
_FEWEST = 10
_quick = False


def take(*, few: bool) -> None:
    """Say whether the tests that are imported from here on take ``few`` examples or all."""
    global _quick  # noqa: PLW0603  # one a process, set as it begins
    _quick = few


def tries(number: int) -> int:
    """Return how many of ``number`` examples are tried, for ``max_examples``."""
    return min(number, max(number // _SHARE, _FEWEST)) if _quick else number


def mostly_slow(
    values: Iterable[Any], quick: int, kind: Callable[[Any], str] = lambda _: ""
) -> list[Any]:
    """Return ``values`` for ``parametrize``: of each kind the first, and then one of ``quick``."""
    marked, seen = [], Counter[str]()
    for value in values:
        marks = [pytest.mark.slow] if seen[kind(value)] % quick else []
        several = value if type(value) is tuple else (value,)
        marked.append(pytest.param(*several, marks=marks))
        seen[kind(value)] += 1
    return marked
