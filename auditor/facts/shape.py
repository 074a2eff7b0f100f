"""Which fields are decoded for the paths that rules read, of connections and of other lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from auditor.decoding.records import Shape
from auditor.fields import FACT_LISTS


class Keyed(Protocol):
    """Rows that a field names: those of the user's own facts."""

    @property
    def key(self) -> str:
        """The path of the field that names a row."""


_Names = Mapping[str, Keyed]


def fact_of(path: str, own: Iterable[str] = ()) -> str:
    """Return the name of the fact that ``path`` begins with; "" for a connection's own field."""
    name = path.partition(".")[0].partition("[")[0]
    return name if name in FACT_LISTS or name in own else ""


def shape_of(
    reads: Iterable[str],
    whole: Iterable[str] = (),
    own: _Names | None = None,
    *,
    also: Iterable[str] = (),
) -> Shape:
    """Return the shape of a connection joined with every fact that ``reads`` names.

    ``own`` are the user's own facts by name. ``also`` are lists that are wanted anyway, by their
    facts' names. The fields that name rows are read too, whether of the connection or of another
    fact.
    """
    own = own or {}
    paths = {*reads, *whole}
    names = {*facts_read(paths, own), *also}
    paths |= {key for key in (key_of(name, own) for name in names) if key}
    rows = {name: _row_shape(name, paths) for name in sorted(names)}
    return Shape(
        [path for path in paths if not fact_of(path, own)],
        [path for path in whole if not fact_of(path, own)],
        lists={name: shape for name, shape in rows.items() if name in FACT_LISTS},
        own={name: shape for name, shape in rows.items() if name not in FACT_LISTS},
    )


def facts_read(paths: Iterable[str], own: _Names | None = None) -> set[str]:
    """Return the facts that ``paths`` lead into, and those that name their rows."""
    own = own or {}
    found: set[str] = set()
    waiting = [fact_of(path, own) for path in paths]
    while waiting:
        name = waiting.pop()
        if name and name not in found:
            found.add(name)
            waiting.append(fact_of(key_of(name, own), own))
            waiting.append(through(name))
    return found


def through(name: str) -> str:
    """Return the fact that gives rows of ``name`` their group; "" if they name it themselves."""
    fact = FACT_LISTS.get(name)
    return fact.through[0] if fact is not None and fact.through is not None else ""


def key_of(name: str, own: _Names) -> str:
    """Return the path of the field that names a row of the fact ``name``; "" if it has none."""
    return own[name].key if name in own else FACT_LISTS[name].key


def _row_shape(name: str, paths: Iterable[str]) -> Shape:
    """Return the shape of one fact's rows, with those of ``paths`` that begin with it."""
    fact = FACT_LISTS.get(name)
    base = f"{name}[]" if fact is not None and fact.several else name
    below = {path.removeprefix(f"{base}.") for path in paths if path.startswith(f"{base}.")}
    if fact is None:
        return Shape(below, identity=(), base=base)
    below |= {column for column in (fact.column, *_shared(name)) if column}
    if fact.through is not None:
        below.add(fact.through[1])
    if fact.members:
        below.add(fact.members)
    return Shape(below, identity=(fact.identity,), base=base, noun=fact.noun)


def _shared(name: str) -> tuple[str, ...]:
    shared = FACT_LISTS[name].shared
    return (shared[0],) if shared is not None else ()
