"""Values that a plan leaves open are found at any depth."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from auditor.decoding.gaps import NOT_IN_PLAN, Gap, Lack, gaps_in
from auditor.decoding.json_values import MISSING

LATER = Gap(Lack.UNKNOWN, "unknown until applied")


class Record(msgspec.Struct):
    id: Any = MISSING
    config: Any = None


@pytest.mark.parametrize(
    ("value", "gaps"),
    [
        (LATER, [LATER]),
        ([1, LATER, "x"], [LATER]),
        ({"a": {"b": [LATER, NOT_IN_PLAN]}}, [LATER, NOT_IN_PLAN]),
        (Record(LATER, {"a": [NOT_IN_PLAN]}), [LATER, NOT_IN_PLAN]),
        (Record("a"), []),
        (None, []),
        ({}, []),
        ("unknown until applied", []),
    ],
)
def test_every_gap_is_found(value: Any, gaps: list[Gap]):
    assert sorted(gaps_in(value), key=str) == sorted(gaps, key=str)


def test_two_gaps_of_one_identity_will_be_equal():
    one, same = (Gap(Lack.UNKNOWN, "later", "fivetran_group.a.id") for _ in range(2))
    assert one == same
    assert one != Gap(Lack.UNKNOWN, "later", "fivetran_group.b.id")
