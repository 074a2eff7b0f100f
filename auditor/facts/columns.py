"""The column types of the user's own facts: how a value of each is written and read."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from auditor.clock import parse_time_of_day, parse_timestamp
from auditor.fields import Kind

_WHOLE = re.compile(r"-?[0-9]{1,15}", re.ASCII)
_NUMBER = re.compile(
    r"-?(?:[0-9]{1,15}(?:\.[0-9]{0,15})?|\.[0-9]{1,15})(?:[eE][-+]?[0-9]{1,3})?", re.ASCII
)
#: Spreadsheets write them in capitals.
_BOOLEANS = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


class WrongValueError(ValueError):
    """A value is not of its column's type; the message says what the type takes."""


class ColumnType(msgspec.Struct, frozen=True):
    """A type that a column may have.

    ``kind`` is how a rule sees it. ``typed`` checks a JSON or YAML value, ``written`` parses a cell
    of a CSV file; both raise WrongValueError.
    """

    name: str
    kind: Kind
    typed: Callable[[Any], Any]
    written: Callable[[str], Any]


def _refuse(wanted: str) -> Any:
    raise WrongValueError(wanted)


def _text(value: Any) -> str:
    if type(value) is not str:
        _refuse("text, in quotes")
    # Otherwise no rule that names the value would match the row, and nobody would see why.
    if value != value.strip():
        _refuse("text that neither begins nor ends with a blank")
    return str(value)


def _integer(value: Any) -> int:
    if type(value) is not int or abs(value) >= 10**15:
        _refuse("a whole number")
    return int(value)


def _number(value: Any) -> float:
    if type(value) not in {int, float} or not math.isfinite(value) or abs(value) >= 10**300:
        _refuse("a number")
    number: float = value
    return number


def _boolean(value: Any) -> bool:
    if type(value) is not bool:
        _refuse("true or false")
    return bool(value)


def _timestamp(value: Any) -> str:
    if type(value) is not str or parse_timestamp(value) is None:
        _refuse("a time with its zone, such as 2026-01-31T00:00:00Z")
    return str(value)


def _time_of_day(value: Any) -> str:
    if type(value) is not str or parse_time_of_day(value) is None:
        _refuse("a time of day, such as 02:00")
    return str(value)


def _integer_written(text: str) -> int:
    return int(text) if _WHOLE.fullmatch(text) else _integer(None)


def _number_written(text: str) -> float:
    if _WHOLE.fullmatch(text):
        return int(text)
    return _number(float(text)) if _NUMBER.fullmatch(text) else _number(None)


def _boolean_written(text: str) -> bool:
    return _BOOLEANS[text] if text in _BOOLEANS else _boolean(None)


#: Every type, by its name in a policy.
COLUMN_TYPES: Mapping[str, ColumnType] = MappingProxyType(
    {
        each.name: each
        for each in (
            ColumnType("text", Kind.STRING, _text, _text),
            ColumnType("integer", Kind.INTEGER, _integer, _integer_written),
            ColumnType("number", Kind.INTEGER, _number, _number_written),
            ColumnType("boolean", Kind.BOOLEAN, _boolean, _boolean_written),
            ColumnType("timestamp", Kind.TIMESTAMP, _timestamp, _timestamp),
            ColumnType("time_of_day", Kind.TIME_OF_DAY, _time_of_day, _time_of_day),
        )
    }
)

#: What other tools call these types.
FOREIGN_TYPES: dict[str, str] = {
    **dict.fromkeys(("string", "str", "varchar", "char"), "text"),
    **dict.fromkeys(("int", "bigint", "long", "smallint"), "integer"),
    **dict.fromkeys(("float", "double", "decimal", "numeric", "real"), "number"),
    "bool": "boolean",
    **dict.fromkeys(("datetime", "date", "timestamptz"), "timestamp"),
    "time": "time_of_day",
}
