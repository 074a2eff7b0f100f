"""Records that show what a table says: made from its samples, and judged before being reported."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from auditor.decoding.json_values import MISSING
from auditor.policy.analysis.domains import FRESH, NOW, Whatever, is_showable
from auditor.policy.analysis.tables import (
    Space,
    TruthTable,
    Variable,
    are_of_items,
    possible_vectors,
)
from auditor.policy.language.conditions import (
    ITSELF,
    Condition,
    Get,
    evaluate,
    reach,
)
from auditor.policy.language.operands import Now, Reading
from auditor.policy.language.operators import TextPart
from auditor.policy.language.truth import Truth
from auditor.policy.loading.examples import in_words, laid_over
from auditor.text import listed

#: How many rows are tried before a claim goes without an example.
_TRIES = 48
#: How many conditions on the items of one array are looked at together.
_MOST_TOGETHER = 4
#: What stands for any text, and any key, in an example.
_SOME = "other"


class Witness(msgspec.Struct, frozen=True):
    """A record, written like an example beside a rule: laid over the healthy one."""

    given: Mapping[str, Any]
    without: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """``given: {sync_frequency: 5}, without: [paused]``."""
        words = [f"given: {in_words(dict(self.given))}"]
        words += [f"without: [{', '.join(self.without)}]"] if self.without else []
        return listed(words, ",") if len(words) == 1 else ", ".join(words)

    @property
    def record(self) -> dict[str, Any]:
        """The whole record."""
        return laid_over(self.given, self.without)


def reading(record: Any) -> Get:
    """Return a reader of a plain record, or of an item."""
    return lambda path: reach(record, path)


def witness(table: TruthTable, rows: int, shows: Callable[[Get], bool]) -> Witness | None:
    """Return a record of one of ``rows`` that ``shows`` confirms; None if none was found."""
    for choice in table.choices(rows, _TRIES):
        values = _values(choice)
        if values is None:
            continue
        there = {path: value for path, value in values.items() if value is not MISSING}
        gone = tuple(path for path, value in values.items() if value is MISSING)
        # Outer ones first: what is laid over an object would be lost with it.
        given = dict(sorted(there.items(), key=lambda entry: entry[0].count(".")))
        found = Witness(given, gone)
        if shows(reading(found.record)):
            return found
    return None


def item(*wanted: tuple[Condition, Truth]) -> Any:
    """Return an array's item on which each condition has its truth; MISSING if there is none."""
    conditions = [condition for condition, _ in wanted]
    table = Space(conditions).table(*conditions)
    if table is None:
        return MISSING
    found = table.every
    for condition, truth in wanted:
        rows = table.rows(condition)
        unsure = table.every & ~(rows.yes | rows.no)
        found &= rows.yes if truth else unsure if truth is None else rows.no
    for choice in table.choices(found, _TRIES):
        values = _values(choice)
        if values is None:
            continue
        made: Any = {}
        if ITSELF in values:
            made = values[ITSELF]
        else:
            _set_paths(made, values)
        fits = (evaluate(condition, reading(made), NOW) is truth for condition, truth in wanted)
        if made is not MISSING and all(fits):
            return made
    return MISSING


def _set_paths(holder: dict[str, Any], values: Mapping[str, Any]) -> None:
    for path, value in values.items():
        *above, last = path.split(".")
        inner = holder
        for step in above:
            inner = inner.setdefault(step, {})
            if not isinstance(inner, dict):
                return
        if value is not MISSING:
            inner[last] = value


def _values(choice: Iterable[tuple[Variable, Any]]) -> dict[str, Any] | None:
    """Return the value at each path; None if no record can have it, or show it."""
    samples: dict[str, Any] = {}
    asked: dict[str, dict[Hashable, tuple[Variable, Any]]] = {}
    for variable, sample in choice:
        if variable.aspect is None:
            samples[str(variable.name)] = sample
        else:
            path, what = variable.aspect.name
            asked.setdefault(path, {})[what] = (variable, sample)
    values: dict[str, Any] = {}
    for path, sample in samples.items():
        if not is_showable(sample):
            return None
        value = sample
        if isinstance(sample, Whatever):
            value = _like(sample.like, asked.get(path, {}))
            if value is MISSING:
                return None
        values[path] = value
    return values


def _like(like: Any, asked: Mapping[Hashable, tuple[Variable, Any]]) -> Any:
    """Return a value like ``like`` with the result ``asked``, if we know how to make one."""
    size = asked["size"][1] if "size" in asked else 1
    if isinstance(like, str):
        return _text({what: sample for what, (_, sample) in asked.items()})
    if isinstance(like, dict):
        return {f"{_SOME}{number or ''}": _SOME for number in range(size)}
    items = list(_items(asked.values()))
    if MISSING in items:
        return MISSING
    items = items or [_SOME]
    return items + [items[0]] * (size - len(items))


def _items(asked: Iterable[tuple[Variable, Any]]) -> Iterator[Any]:
    """Yield items on which several conditions have all the truths that each is to have."""
    several = [
        (variable.aspect.condition, list(truths))
        for variable, truths in asked
        if variable.aspect is not None and variable.aspect.condition is not None
    ]
    conditions = [condition for condition, _ in several]
    truths = [frozenset(found) for _, found in several]
    vectors = possible_vectors(conditions) if len(several) < _MOST_TOGETHER else ()
    if are_of_items(vectors, truths):
        together = [v for v in vectors if all(t in of for t, of in zip(v, truths, strict=True))]
        for vector in together if several else ():
            yield item(*zip(conditions, vector, strict=True))
        return
    for number in range(max((len(of) for of in truths), default=0)):
        yield item(*((each, of[number % len(of)]) for each, of in several))


def _text(asked: Mapping[Hashable, Any]) -> str:
    for clock in (Now, datetime):
        if isinstance(asked.get(clock), datetime):
            return str(asked[clock].isoformat().replace("+00:00", "Z"))
    minutes = asked.get(Reading.TIME_OF_DAY)
    if minutes is not None:
        return f"{minutes // 60:02}:{minutes % 60:02}"
    start, end, whole = (
        asked.get(part, FRESH) for part in (TextPart.START, TextPart.END, TextPart.ALL)
    )
    if whole != FRESH:
        return str(whole)
    text = ("" if start == FRESH else start) + _SOME + ("" if end == FRESH else end)
    size = asked.get("size", 0)
    return f"{text[:size]:x<{size}}" if size else text
