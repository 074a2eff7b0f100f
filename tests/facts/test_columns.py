"""Columns of the user's own facts: what a value of each type is, in a cell and in JSON."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pytest

from auditor.facts.columns import COLUMN_TYPES, FOREIGN_TYPES, WrongValueError

#: By type: cells that say a value, and cells that say none.
CELLS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "text": ({"": "", "x": "x", "7": "7", "true": "true"}, (" x", "x ", "\t")),
    "integer": (
        {"0": 0, "-7": -7, "007": 7, "999999999999999": 10**15 - 1},
        ("", "1.0", "1e3", "+1", " 1", "1 ", "\u0663", "1" + "0" * 15, "x"),
    ),
    "number": (
        {"1": 1, "1.5": 1.5, ".5": 0.5, "-1.": -1.0, "1e3": 1000.0, "1E-2": 0.01},
        ("", "x", "1,5", "nan", "inf", "1e999", "0x1", "1_000", "."),
    ),
    "boolean": (
        {
            **dict.fromkeys(("true", "True", "TRUE"), True),
            **dict.fromkeys(("false", "False", "FALSE"), False),
        },
        ("", "yes", "1", "0", "tRue", " true"),
    ),
    "timestamp": (
        {"2026-01-31T00:00:00+05:00": "2026-01-31T00:00:00+05:00"},
        ("", "2026-01-31", "2026-01-31T00:00:00", "2026-02-30T00:00:00Z", "soon"),
    ),
    "time_of_day": ({"02:00": "02:00", "23:59": "23:59"}, ("", "24:00", "2:00", "0200")),
}
#: By type: values of JSON that are of it, and values that are not.
TYPED: dict[str, tuple[tuple[Any, ...], tuple[Any, ...]]] = {
    "text": (("", "x"), (1, True, None, [], {}, " x", "x\n")),
    "integer": ((0, -7, 10**15 - 1), (1.0, True, "1", None, 10**15, [])),
    "number": ((0, 1.5, -(10**20)), (True, "1", None, math.inf, math.nan, 10**300)),
    "boolean": ((True, False), (0, 1, "true", None)),
    "timestamp": (
        ("2026-01-31T00:00:00Z",),
        ("2026-01-31", 1_700_000_000, None, True, datetime(2026, 1, 31, tzinfo=UTC)),
    ),
    "time_of_day": (("02:00",), ("2:00", 200, None)),
}


def test_every_type_has_its_cases():
    assert set(CELLS) == set(TYPED) == set(COLUMN_TYPES)
    assert set(FOREIGN_TYPES.values()) <= set(COLUMN_TYPES)
    assert set(FOREIGN_TYPES).isdisjoint(COLUMN_TYPES)


@pytest.mark.parametrize(
    ("name", "elsewhere"),
    [
        ("text", "char str string varchar"),
        ("integer", "bigint int long smallint"),
        ("number", "decimal double float numeric real"),
        ("boolean", "bool"),
        ("timestamp", "date datetime timestamptz"),
        ("time_of_day", "time"),
    ],
)
def test_what_others_call_a_type_leads_to_it(name: str, elsewhere: str):
    assert sorted(word for word, known in FOREIGN_TYPES.items() if known == name) == (
        elsewhere.split()
    )


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_says_a_value_of_its_column_or_is_refused(name: str):
    read = COLUMN_TYPES[name].written
    sound, wrong = CELLS[name]
    for cell, value in sound.items():
        found = read(cell)
        assert (found, type(found)) == (value, type(value)), cell
    for cell in wrong:
        with pytest.raises(WrongValueError):
            read(cell)


@pytest.mark.parametrize("name", TYPED)
def test_a_value_is_of_its_type_or_is_refused(name: str):
    take = COLUMN_TYPES[name].typed
    sound, wrong = TYPED[name]
    assert [take(value) for value in sound] == list(sound)
    for value in wrong:
        with pytest.raises(WrongValueError):
            take(value)
