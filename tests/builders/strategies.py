"""Generated conditions, and records that fit them, miss them, or have unexpected types."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from auditor.fields import FIELDS, Exposure, Field, Kind, find

#: Fields that generated rules read: every kind, a nested one, an open object, an array's items.
PATHS = (
    "schema",
    "paused",
    "sync_frequency",
    "daily_sync_time",
    "succeeded_at",
    "failed_at",
    "status",
    "status.setup_state",
    "status.is_historical_sync",
    "status.tasks",
    "setup_tests",
    "schedule.days_of_week",
    "config",
    "config.deep.value",
    "config.list",
)
_ARRAY_ITEMS = {
    "setup_tests": ("title", "status"),
    "status.tasks": ("code",),
    "config.list": ("name", "deep.value", "list"),
    "config.list[].list": ("name",),
}

_TEXTS = ("", "a", "A", "connected", "broken", "raw_x", "MONDAY", "FAILED", "02:00", "60", "true")
_TIMES = (
    "2026-01-15T11:59:00Z",
    "2026-01-15T12:04:59Z",
    "2026-01-15T12:05:01Z",
    "2026-01-14T12:00:00+02:00",
    "2025-01-15T12:00:00.123456789Z",
    "2026-02-30T00:00:00Z",
    "0001-01-01T00:00:00+23:00",
    "2026-01-15",
)
_ODD = ("\ud800", "é\u202e", "x" * 300)
#: Values in JSON's own words, so that 1e999 and integers of any length can be said.
_WORDS = (
    "null",
    "true",
    "false",
    "0",
    "1",
    "1.0",
    "60",
    "60.5",
    "-1",
    "1e999",
    "-1e999",
    "9" * 420,
)


def _json_texts() -> st.SearchStrategy[str]:
    scalars = st.sampled_from(_WORDS) | st.sampled_from((*_TEXTS, *_TIMES, *_ODD)).map(json.dumps)
    return st.recursive(
        scalars,
        lambda inner: (
            st.lists(inner, max_size=3).map(lambda i: f"[{','.join(i)}]")
            | st.dictionaries(
                st.sampled_from(("title", "status", "code", "name", "deep", "value", "list", "x")),
                inner,
                max_size=3,
            ).map(_object)
        ),
        max_leaves=6,
    )


def _object(entries: dict[str, str]) -> str:
    return "{" + ",".join(f"{json.dumps(k)}:{v}" for k, v in entries.items()) + "}"


ANY_JSON = _json_texts()


def _fitting(field: Field) -> st.SearchStrategy[str]:
    if field.kind is Kind.STRING:
        return st.sampled_from(_TEXTS).map(json.dumps)
    if field.kind is Kind.BOOLEAN:
        return st.sampled_from(("true", "false"))
    if field.kind is Kind.INTEGER:
        return st.sampled_from(("0", "1", "1.0", "60", "1440"))
    if field.kind is Kind.TIMESTAMP:
        return st.sampled_from(_TIMES).map(json.dumps)
    if field.kind is Kind.TIME_OF_DAY:
        return st.sampled_from(("02:00", "14:30:00", "24:00", "2:00")).map(json.dumps)
    if field.kind is Kind.ARRAY:
        item = st.sampled_from(
            ('{"title":"a","status":"FAILED"}', '{"status":"PASSED"}', '"MONDAY"', "{}", "1")
        )
        return st.lists(item, max_size=3).map(lambda items: f"[{','.join(items)}]")
    return ANY_JSON


@st.composite
def records(draw: st.DrawFn) -> str:
    """A record as JSON text: every field fits, is missing, is null, or is anything at all."""
    held: dict[str, Any] = {"id": json.dumps("c"), "service": '"postgres"', "group_id": '"g"'}
    nested: dict[str, dict[str, str]] = {"status": {}, "schedule": {}, "config": {}}
    for path in PATHS:
        above, _, key = path.rpartition(".")
        if path in nested or above.startswith("config"):
            continue
        how = draw(st.integers(0, 5))
        if how == 0:
            continue
        field = FIELDS[path]
        value = "null" if how == 1 else draw(ANY_JSON) if how == 2 else draw(_fitting(field))
        (nested[above] if above else held)[key] = value
    if draw(st.booleans()):
        nested["config"]["deep"] = _object({"value": draw(ANY_JSON)})
    if draw(st.booleans()):
        nested["config"]["list"] = draw(ANY_JSON)
    for name, inner in nested.items():
        how = draw(st.integers(0, 7))
        if how:
            held[name] = _object(inner) if how > 1 else draw(ANY_JSON)
    return _object(held)


# -- conditions -----------------------------------------------------------------------------


def _found(path: str) -> Field:
    return find(path) or Field(path, Kind.ANY, "", open=True, exposure=Exposure.HIDDEN)


_NUMBERS = st.sampled_from((0, 1, 1.0, 2, 60, 60.5, -1))
_NUMBER_TESTS = st.one_of(
    _NUMBERS,
    st.dictionaries(
        st.sampled_from(("gt", "gte", "lt", "lte", "equals", "not_equals")),
        _NUMBERS,
        min_size=1,
        max_size=2,
    ),
    st.lists(_NUMBERS, min_size=1, max_size=2),
)
_NEEDLES = st.sampled_from(("a", "raw_", "connected", "MONDAY", "0"))
_SCHEMAS: tuple[dict[str, Any], ...] = (
    {"type": "string"},
    {"minLength": 2},
    {"minimum": 1},
    {"minItems": 1},
    {"required": ["x"]},
)
_DURATIONS = st.sampled_from(("1m", "36h", "7d", "2w", "999999w"))
_MOMENTS = st.sampled_from(
    ("now", "now+6h", "now-30d", "2026-01-15T11:59:00Z", "2025-01-15T12:00:00Z")
)


def _scalars(field: Field) -> st.SearchStrategy[Any]:
    if field.values:
        return st.sampled_from(field.values)
    if field.kind is Kind.STRING:
        return st.sampled_from(("a", "A", "connected", "60", "x"))
    if field.kind is Kind.BOOLEAN:
        return st.booleans()
    if field.kind is Kind.INTEGER:
        return _NUMBERS
    if field.kind is Kind.TIME_OF_DAY:
        return st.sampled_from(("02:00", "14:30"))
    return st.sampled_from(("a", "60", 60, 1, 1.0, True, False, 60.5))


Choices = dict[str, st.SearchStrategy[Any]]


def _selects(values: list[Any]) -> bool:
    """Whether a list leaves a boolean out: true and false together are all there is."""
    return {(bool, True), (bool, False)} != {(type(value), value) for value in values}


def _of_one_value(field: Field) -> Choices:
    scalars, kind = _scalars(field), field.kind
    several = st.lists(scalars, min_size=1, max_size=3).filter(_selects)
    choices: Choices = {}
    if kind in {Kind.STRING, Kind.INTEGER, Kind.BOOLEAN, Kind.TIME_OF_DAY, Kind.ANY}:
        choices |= dict.fromkeys(("equals", "not_equals"), scalars)
        choices |= dict.fromkeys(("in", "not_in"), several)
    if kind in {Kind.INTEGER, Kind.ANY}:
        choices |= dict.fromkeys(("gt", "gte", "lt", "lte"), _NUMBERS)
        choices["between"] = st.lists(_NUMBERS, min_size=2, max_size=2).map(sorted)
    if kind is Kind.TIME_OF_DAY:
        choices |= dict.fromkeys(("gt", "gte", "lt", "lte"), st.sampled_from(("02:00", "14:30")))
        clock = st.sampled_from(("02:00", "14:30", "14:31", "23:59"))
        choices["between"] = st.lists(clock, min_size=2, max_size=2)
    if kind in {Kind.TIMESTAMP, Kind.ANY}:
        choices |= dict.fromkeys(("older_than", "newer_than"), _DURATIONS)
        choices |= dict.fromkeys(("before", "after"), _MOMENTS)
    if kind in {Kind.STRING, Kind.ANY}:
        choices |= _of_documented_texts(field) if field.values else _of_texts()
    return choices


def _of_texts() -> Choices:
    parts = _NEEDLES | st.lists(_NEEDLES, min_size=1, max_size=3)
    choices: Choices = dict.fromkeys(("starts_with", "ends_with", "equals_ignore_case"), parts)
    choices["contains"] = _NEEDLES
    needles = st.lists(_NEEDLES, min_size=1, max_size=2)
    choices |= dict.fromkeys(("contains_any", "contains_all"), needles)
    globs = st.sampled_from(("raw_*", "?", "[ab]*", "*a"))
    choices["glob"] = globs | st.lists(globs, min_size=1, max_size=3)
    patterns = st.sampled_from(("[a-z]+", "^a", "0$", r"\bx", "(a|b)"))
    return choices | dict.fromkeys(
        ("regex_search", "regex_fullmatch"),
        patterns | st.lists(patterns, min_size=1, max_size=2),
    )


def _of_documented_texts(field: Field) -> Choices:
    """Return parts of documented values: a part that none of them has is wrong, or doubtful."""

    def some(cut: Callable[[str], str]) -> st.SearchStrategy[str]:
        return st.sampled_from(sorted({cut(str(value)) for value in field.values}))

    middle = some(lambda value: value[1:4])
    patterns = some(lambda value: f"{value[:3]}.*") | some(lambda value: f"({value}|a)")
    return {
        "starts_with": some(lambda value: value[:3]),
        "ends_with": some(lambda value: value[-3:]),
        "equals_ignore_case": some(str.swapcase),
        "contains": middle,
        "contains_any": st.lists(middle, min_size=1, max_size=2),
        "contains_all": st.lists(middle, min_size=1, max_size=1),
        "glob": some(lambda value: f"{value[:3]}*"),
        "regex_search": patterns,
        "regex_fullmatch": patterns,
    }


def _of_fields(path: str, field: Field) -> Choices:
    choices: Choices = {}
    if field.kind is Kind.TIMESTAMP:
        multiple = st.builds(
            lambda times, unit, days: (
                {"field": "sync_frequency", "times": times, "unit": unit} | days
            ),
            st.sampled_from((1, 3, 0.5)),
            st.sampled_from(("minutes", "weeks")),
            st.sampled_from(({}, {"days": "schedule.days_of_week"})),
        )
        choices |= dict.fromkeys(("older_than", "newer_than"), _DURATIONS | multiple)
        other = st.just({"field": "failed_at" if path == "succeeded_at" else "succeeded_at"})
        choices |= dict.fromkeys(("before", "after"), _MOMENTS | other)
    if field.kind is Kind.ANY:
        others = st.sampled_from(("schema", "paused", "sync_frequency"))
        other = others.map(lambda name: {"field": name})
        choices |= dict.fromkeys(("equals", "not_equals"), _scalars(field) | other)
        choices |= dict.fromkeys(("gt", "lte"), _NUMBERS | st.just({"field": "sync_frequency"}))
        choices["in"] = st.just({"field": "schedule.days_of_week"})
    return choices


def _of_arrays(path: str, base: str) -> Choices:
    choices: Choices = {}
    if path not in {"setup_tests", "status.tasks"}:
        items = st.sampled_from(("MONDAY", "FRIDAY"))
        choices["subset_of"] = st.lists(items, min_size=1, max_size=2)
        choices["contains"] = items
    full = f"{base}.{path}" if base else path
    if full in _ARRAY_ITEMS:
        nested = conditions(base=f"{full}[]")
        choices |= dict.fromkeys(("any_item", "all_items", "none_items"), nested)
        choices["count_items"] = st.builds(
            lambda where, bound: {"where": where, "is": bound}, nested, _NUMBER_TESTS
        )
    return choices


@st.composite
def operators(draw: st.DrawFn, path: str, field: Field, base: str) -> Any:
    """Tests of ``path``: operators and operands that the loader accepts."""
    choices: Choices = {"exists": st.booleans()} | _of_one_value(field)
    if field.kind in {Kind.STRING, Kind.ARRAY, Kind.OBJECT, Kind.ANY}:
        choices |= {"is_empty": st.booleans(), "length": _NUMBER_TESTS}
    if field.kind is not Kind.TIMESTAMP:
        choices["json_schema"] = st.sampled_from(_SCHEMAS)
    if not base:
        choices |= _of_fields(path, field)
    if field.kind in {Kind.ARRAY, Kind.ANY}:
        choices |= _of_arrays(path, base)
    names = draw(st.lists(st.sampled_from(sorted(choices)), min_size=1, max_size=2, unique=True))
    return {name: draw(choices[name]) for name in names}


@st.composite
def conditions(draw: st.DrawFn, base: str = "", depth: int = 2) -> dict[str, Any]:
    """A condition that the loader accepts, over the record or over the items at ``base``."""
    how = draw(st.integers(0, 9)) if depth else 9
    if how <= 1:
        parts = draw(st.lists(conditions(base=base, depth=depth - 1), min_size=1, max_size=3))
        return {"any" if how else "all": parts}
    if how == 2:
        return {"not": {"any": [draw(conditions(base=base, depth=depth - 1))]}}
    if how == 3:
        return {"not": {"all": [draw(conditions(base=base, depth=depth - 1)) for _ in range(2)]}}
    paths = _ARRAY_ITEMS[base.removesuffix("[]")] if base else PATHS
    names = draw(st.lists(st.sampled_from(paths), min_size=1, max_size=2, unique=True))
    return {
        name: draw(operators(name, _found(f"{base}.{name}" if base else name), base))
        for name in names
    }
