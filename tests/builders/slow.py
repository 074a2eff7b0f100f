"""Parametrisations of which the quick tests take a share, and the slow ones the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import pytest


def mostly_slow(
    values: Iterable[Any], quick: int, kind: Callable[[Any], str] = lambda _: ""
) -> list[Any]:
    """Return ``values`` for ``parametrize``: of each kind the first, and then one of ``quick``."""
    marked, seen = [], Counter[str]()
    for value in values:
        marks = [pytest.mark.slow] if seen[kind(value)] % quick else []
        marked.append(pytest.param(value, marks=marks))
        seen[kind(value)] += 1
    return marked
