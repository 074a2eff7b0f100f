"""Policies as plain values, sound ones and ones with a fault, in their whole language."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from auditor.fields import FIELDS, Exposure, Field, Kind, item_of
from auditor.policy.language.operators import OPERATORS, OperandForm, Operator
from auditor.policy.loading.field_operands import UNIT_NAMES, kinds_of_other

VARIABLES: dict[str, Any] = {"floor": 15, "word": "auto", "yes": True, "words": ["a", "b"]}
EXTRA = "brand_new"

_RECORD = {path: field for path, field in FIELDS.items() if "[]" not in path}
_DAYS = "schedule.days_of_week"
_WORDS = st.sampled_from(("a", "x y", "no", "15", "true", "null", "2w", "14:00", "é", "auto"))
_NUMBERS = st.sampled_from((0, 1, 15, 0.5, -3, 1440))
_TIMES = st.sampled_from(("02:00", "23:59:00"))
_MOMENTS = st.sampled_from(
    ("now", "now+6h", "now-30d", "2026-01-31T00:00:00Z", "2026-01-31 10:00:00.5+01:00")
)
_DURATIONS = st.sampled_from(("90m", "36h", "7d", "2w", "999999s"))
_JSON_SCHEMAS = st.sampled_from(
    ({"type": "string"}, {"minLength": 1, "enum": ["a"]}, {"items": {"type": "integer"}})
)


def _value(field: Field) -> st.SearchStrategy[Any] | None:
    match field.kind:
        case Kind.STRING:
            return st.sampled_from(field.values) | st.just("new") if field.values else _WORDS
        case Kind.INTEGER:
            return _NUMBERS
        case Kind.BOOLEAN:
            return st.booleans()
        case Kind.TIME_OF_DAY:
            return _TIMES
        case Kind.ANY:
            return _WORDS | _NUMBERS | st.booleans()
        case _:
            return None


def _listed(items: st.SearchStrategy[Any] | None) -> st.SearchStrategy[Any] | None:
    return None if items is None else st.lists(items, min_size=1, max_size=3)


def _choice(items: st.SearchStrategy[Any] | None) -> st.SearchStrategy[Any] | None:
    """Several values to choose from; both booleans leave no choice."""
    listed = _listed(items)
    return None if listed is None else listed.filter(lambda found: not _is_either(found))


def _is_either(values: list[Any]) -> bool:
    return all(type(value) is bool for value in values) and len(set(values)) == 2


_OF_FORM: dict[OperandForm, st.SearchStrategy[Any]] = {
    OperandForm.BOOLEAN: st.booleans(),
    OperandForm.TEXT: _WORDS,
    OperandForm.GLOB: st.sampled_from(("*_prod", "a?c", "[ab]*")),
    OperandForm.PATTERN: st.sampled_from(("^[a-z]+$", "x", r"\d{4}")),
    OperandForm.MOMENT: _MOMENTS,
    OperandForm.DURATION: _DURATIONS,
    OperandForm.SCHEMA: _JSON_SCHEMAS,
}


def _literal(operator: Operator, field: Field) -> st.SearchStrategy[Any] | None:
    form = operator.form
    if form in _OF_FORM:
        found = _OF_FORM[form]
        several = st.lists(found, min_size=1, max_size=3)
        return found | several if operator.takes_alternatives else found
    item = item_of(field.path) if field.kind is Kind.ARRAY else field
    if form is OperandForm.ORDERED and field.kind is Kind.ANY:
        return _NUMBERS
    if form in {OperandForm.SCALAR, OperandForm.ORDERED}:
        return _value(field)
    if form is OperandForm.RANGE:
        ends = _NUMBERS if field.kind is Kind.ANY else _value(field)
        sorting = field.kind is not Kind.TIME_OF_DAY
        pairs = st.lists(ends, min_size=2, max_size=2) if ends is not None else None
        return pairs.map(sorted) if pairs is not None and sorting else pairs
    if form is OperandForm.SCALARS:
        return _choice(_value(item))
    needle = _WORDS if field.kind is Kind.STRING else _value(item)
    return needle if form is OperandForm.NEEDLE else _listed(needle)


def _items_of(array: Field) -> dict[str, Field]:
    base = f"{array.path}[]."
    below = {p.removeprefix(base): f for p, f in FIELDS.items() if p.startswith(base)}
    return {path: field for path, field in below.items() if "[]" not in path}


@st.composite
def numbers(draw: st.DrawFn) -> Any:
    """A number, or tests of one."""
    names = ("gt", "gte", "lt", "lte", "equals", "not_equals")
    tests = st.dictionaries(st.sampled_from(names), _NUMBERS, min_size=1, max_size=2)
    return draw(_NUMBERS | tests | st.lists(_NUMBERS, min_size=1, max_size=2))


@st.composite
def _operand(
    draw: st.DrawFn, operator: Operator, field: Field, around: dict[str, Field], depth: int
) -> Any:
    if operator.form is OperandForm.LENGTH:
        return draw(numbers())
    if operator.form is OperandForm.CONDITION:
        return draw(_items(field, depth))
    if operator.form is OperandForm.COUNT:
        return {"where": draw(_items(field, depth)), "is": draw(numbers())}
    literal = _literal(operator, field)
    others = [
        path
        for path, other in around.items()
        if other.kind in kinds_of_other(operator, field.kind)
        and other.exposure is not Exposure.SECRET
        and other is not field
    ]
    if others and (literal is None or draw(st.integers(0, 4)) == 0):
        named = {"field": draw(st.sampled_from(others))}
        if operator.form is OperandForm.DURATION:
            named |= {"unit": draw(st.sampled_from(UNIT_NAMES))}
            named |= draw(st.sampled_from(({}, {"times": 3}, {"times": 0.5})))
            if around.get(_DAYS) is FIELDS[_DAYS]:  # the connection's own, not an item's
                named |= draw(st.sampled_from(({}, {"days": _DAYS})))
        return named
    return draw(literal) if literal is not None else None


@st.composite
def _items(draw: st.DrawFn, array: Field, depth: int) -> Any:
    item = item_of(array.path) if array.kind is Kind.ARRAY else Field("", Kind.ANY, "", open=True)
    fields = _items_of(array) or {}
    if fields and draw(st.booleans()):
        return draw(_condition(fields, depth - 1))
    if item.kind is Kind.ANY and array.open and draw(st.booleans()):
        return {draw(st.sampled_from(("name", "deep.er"))): draw(_WORDS)}
    tests = draw(_tests(item, {}, depth - 1))
    return {"item": tests} if draw(st.booleans()) else tests


@st.composite
def _tests(draw: st.DrawFn, field: Field, around: dict[str, Field], depth: int) -> Any:
    value = None if field.exposure is Exposure.SECRET else _value(field)
    how = draw(st.integers(0, 5))
    if value is not None and how == 0:
        return draw(value)
    if value is not None and how == 1:
        return draw(st.lists(value, min_size=1, max_size=3).filter(lambda v: not _is_either(v)))
    fitting = [
        operator
        for operator in OPERATORS.values()
        if operator.fits(field)
        and (field.exposure is not Exposure.SECRET or operator.name == "exists")
        and (depth > 0 or not operator.of_items)
    ]
    tests = {}
    for operator in draw(st.lists(st.sampled_from(fitting), min_size=1, max_size=2)):
        operand = draw(_operand(operator, field, around, depth))
        if operand is not None:
            tests[operator.name] = operand
    return tests or {"exists": True}


@st.composite
def _condition(draw: st.DrawFn, fields: dict[str, Field], depth: int) -> Any:
    found: dict[str, Any] = {}
    for _ in range(draw(st.integers(1, 2))):
        how = draw(st.integers(0, 7))
        if how == 0 and depth > 0:
            word = draw(st.sampled_from(("all", "any")))
            inner = _condition(fields, depth - 1)
            found[word] = draw(st.lists(inner, min_size=1, max_size=2))
        elif how == 1 and depth > 0:
            found["not"] = {"any": [draw(_condition(fields, depth - 1))]}
        elif how == 2:
            path, field = draw(st.sampled_from(list(fields.items())))
            found["not"] = {path: {"exists": draw(st.booleans())}}
        elif how == 3 and fields is _RECORD:
            path = draw(st.sampled_from(("config.host", "config.a.b", "source_sync_details.x")))
            found[path] = draw(_tests(Field(path, Kind.ANY, "", open=True), fields, depth))
        elif how == 4 and fields is _RECORD:
            name = draw(st.sampled_from(("sync_frequency", "schedule_type", "paused")))
            of_kind = {"sync_frequency": "floor", "schedule_type": "word", "paused": "yes"}
            found[name] = {"var": of_kind[name]}
        else:
            path, field = draw(st.sampled_from(list(fields.items())))
            found[path] = draw(_tests(field, fields, depth))
    return found


def conditions() -> st.SearchStrategy[Any]:
    """A condition on a record."""
    return _condition(_RECORD, 2)


@st.composite
def _examples(draw: st.DrawFn, grouped: bool) -> Any:
    values = _WORDS | _NUMBERS | st.none() | st.booleans()
    paths = st.sampled_from(("paused", "sync_frequency", "status.setup_state", "config.host"))
    record = st.dictionaries(paths, values, max_size=2) | st.sampled_from(
        ({"status": {"setup_state": "broken"}}, {"config": {"x": 1}}, {"setup_tests": []})
    )
    example: dict[str, Any] = {"expect": draw(st.sampled_from(("pass", "fail", "skip", "error")))}
    if draw(st.booleans()):
        example["given"] = draw(st.lists(record, max_size=2)) if grouped else draw(record)
    if draw(st.booleans()):
        example["without"] = draw(st.lists(paths, max_size=2))
    if example["expect"] in {"fail", "error"} and draw(st.booleans()):
        example["message"] = "told"
    return example


@st.composite
def _rule(draw: st.DrawFn, number: int) -> Any:
    grouped = draw(st.integers(0, 3)) == 0
    rule: dict[str, Any] = {
        "id": f"rule-{number}",
        "severity": draw(st.sampled_from(("low", "medium", "high", "critical"))),
    }
    keys = st.sampled_from(("service", "group_id", "schema", "created_at"))
    if grouped:
        rule["per"] = draw(st.sampled_from(("account", ["account"])) | keys)
        unique = st.fixed_dictionaries({"unique": keys | st.lists(keys, min_size=1, max_size=2)})
        counted = st.dictionaries(
            st.sampled_from(("count", "share")), numbers(), min_size=1, max_size=1
        )
        summed = st.dictionaries(
            st.sampled_from(("sum", "min", "max")),
            st.fixed_dictionaries({"sync_frequency": numbers()}),
            min_size=1,
            max_size=1,
        )
        rule["assert"] = draw(unique | counted | summed)
        if rule["per"] in ("service", "schema") and draw(st.booleans()):
            rule["groups"] = {rule["per"]: {"starts_with": draw(_WORDS)}}
    else:
        rule["assert"] = draw(conditions())
    if draw(st.booleans()):
        rule["when"] = draw(conditions())
    if grouped and draw(st.booleans()):
        rule["unless"] = draw(conditions())
    told = {
        "title": "a title",
        "message": "{service} is wrong" if not grouped else "{count} are wrong",
        "why": "because",
        "fix": "do it",
        "tags": ["cost"],
        "controls": {"soc2": ["A1.1"]},
        "may_be_idle": True,
        "waivable": False,
        "max_waiver": "90d",
    }
    rule |= {key: told[key] for key in draw(st.sets(st.sampled_from(sorted(told)), max_size=3))}
    if draw(st.booleans()):
        rule["tests"] = draw(st.lists(_examples(grouped), max_size=2))
    return rule


@st.composite
def policies(draw: st.DrawFn) -> dict[str, Any]:
    """A policy that loads."""
    count = draw(st.integers(1, 2))
    rules = [draw(_rule(number)) for number in range(count)]
    named = {"usual": draw(conditions())} if draw(st.integers(0, 3)) == 0 else {}
    read = {name for name in VARIABLES if f"{{'var': '{name}'}}" in f"{rules}{named}"}
    policy: dict[str, Any] = {"policy": "house"}
    if read:
        policy["vars"] = {name: copy.deepcopy(VARIABLES[name]) for name in sorted(read)}
    policy["rules"] = rules
    if draw(st.integers(0, 3)) == 0:
        policy["extends"] = ["baseline"]
        policy["override"] = {
            "auto-schedule": {"severity": "high", "enabled": False, "reason": "x"}
        }
    if draw(st.integers(0, 3)) == 0:
        policy["extra_fields"] = [EXTRA]
        policy["rules"][0].setdefault("when", {})[EXTRA] = draw(_WORDS)
    if named:
        policy["conditions"] = named
        policy["rules"][0].setdefault("when", {})["condition"] = "usual"
    if draw(st.integers(0, 3)) == 0:
        policy["reveal"] = ["config.host", "setup_tests[].message"]
    if draw(st.booleans()):
        policy["title"] = "A house"
    return policy


# -- faults ---------------------------------------------------------------------------------


def _spots(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if isinstance(value, dict):
        for key, held in value.items():
            yield from _spots(held, (*path, key))
    elif isinstance(value, list):
        for index, held in enumerate(value):
            yield from _spots(held, (*path, index))


_ODD: tuple[Any, ...] = (
    *(None, True, 0, 15, -1.5, "", " ", "x", "AUTO", "Manual", "7 days", "0d", "now", "25:00"),
    *(
        "2026-13-01T00:00:00Z",
        "a\tb",
        "*",
        "account",
        "status",
        "config.host",
        "connect_card.token",
    ),
    *([], {}, [[]], [None], ["x"], [1], {"x": 1}, {"exists": True}, {"field": "service"}),
    *({"var": "floor"}, {"gte": 1}, {"field": "service", "unit": "days"}, {"any": []}),
    *({"paused": True, "schema": "a"}, {"not": {"paused": True}}, {"all": [{"paused": False}]}),
    *({"type": "string", "pattern": "x"}, {"where": {"x": 1}, "is": 1}),
)
_KEYS = (
    *("x", "", "Paused", "paused", "schema", "connect_card.token", "config.x", "config[].x", "all"),
    *("any", "not", "item", "exists", "gte", "older_than", "any_item", "unique", "count", "field"),
    *("var", "per", "when", "assert", "setup_tests.status", "setup_tests[].status", "succeeded_at"),
    *("extends", "severity", "override", "given", "times", EXTRA),
)


@st.composite
def faulty_policies(draw: st.DrawFn) -> Any:
    """A policy in which one or two things are another: most of them do not load."""
    policy = copy.deepcopy(draw(policies()))  # drawn values may be shared
    for _ in range(draw(st.integers(1, 2))):
        spots = list(_spots(policy))
        if not spots:
            return policy
        *above, last = draw(st.sampled_from(spots))
        holder: Any = policy
        for step in above:
            holder = holder[step]
        how = draw(st.integers(0, 4))
        if how == 0:
            del holder[last]
        elif how == 1 and isinstance(holder, dict):
            held = holder.pop(last)
            holder[draw(st.sampled_from(_KEYS))] = held
        elif how == 2 and isinstance(holder[last], str):
            holder[last] = draw(
                st.sampled_from((holder[last].upper(), holder[last].title(), f"{holder[last]}\n"))
            )
        elif how == 3:
            holder[last] = [holder[last]]
        else:
            holder[last] = copy.deepcopy(draw(st.sampled_from(_ODD)))
    return policy
