"""Joining: each record gets its row of every fact that rules read.

A key without a row leaves the fact absent. What could not be read is ``Unread``, and so is what
cannot be decided: a key that is not a text, or one that an undecodable item may hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from operator import attrgetter
from types import MappingProxyType
from typing import Any

import msgspec

from auditor.decoding.gaps import LACKS, Gap, below
from auditor.decoding.json_values import MISSING, Unread, kind_of
from auditor.decoding.listed import Listed
from auditor.decoding.records import Node, Shape
from auditor.fields import FactList
from auditor.text import plural


class Table(msgspec.Struct, frozen=True):
    """The rows of one fact by their key; ``absent`` is the value for any other key.

    ``find(key, absent)`` returns the row. ``key`` is the path of the field that names a row, "" if
    every connection has the same row, which is then ``absent``. ``keyless`` is the value for a
    connection whose key is null or missing. ``members`` are further rows of single connections, by
    their id.
    """

    name: str
    key: str
    find: Callable[[str, Any], Any]
    absent: Any
    keyless: Any = MISSING
    members: Mapping[str, list[Any]] = MappingProxyType({})


#: Joins facts to the records of a page.
Join = Callable[[Sequence[Any]], None]


def constant(name: str, value: Any) -> Table:
    """Return the table of a fact that is the same for every connection."""
    return Table(name, "", _same_for_all, value)


def unread(name: str, reason: str) -> Table:
    """Return the table of a fact that could not be read, for ``reason``."""
    return constant(name, Unread(reason))


def lacking(name: str, gap: Gap) -> Table:
    """Return the table of a fact that a plan leaves open for every connection."""
    return constant(name, gap)


def tabled(fact: FactList, rows: Sequence[Any], doubts: Sequence[str] = ()) -> Table:
    """Return the rows of one of the API's lists as a table.

    ``doubts`` are items that are not rows: a key without a row may belong to one of them.
    """
    if fact.single:
        return constant(fact.name, rows[0] if rows else MISSING)
    doubts = [*doubts, *_unnamed(fact, rows)]
    doubt = Unread(f"{fact.path}: {doubts[0]}{_more(doubts)}") if doubts else None
    if fact.several:
        return _arrays(fact, rows, doubt)
    found: dict[str, Any] = {}
    column = attrgetter(fact.column)
    for row in rows:
        name = column(row)
        if type(name) is not str:
            continue
        if name in found:
            row = Unread(f"{fact.path}: several rows have the {fact.column} {name}")  # noqa: PLW2901
        found[name] = row
    return Table(fact.name, fact.key, found.get, doubt or MISSING)


def _arrays(fact: FactList, rows: Sequence[Any], doubt: Unread | None) -> Table:
    """Return each group's rows as one array; rows of the whole account are in every array."""
    if doubt is not None:
        return constant(fact.name, doubt)
    shared = [row for row in rows if _is_shared(fact, row)]
    found: dict[str, list[Any]] = {}
    for row in rows:
        name = getattr(row, fact.column)
        if type(name) is str and not _is_shared(fact, row):
            found.setdefault(name, []).append(row)
    for array in found.values():
        array.extend(shared)
    return Table(fact.name, fact.key, found.get, shared)


def routed(fact: FactList, shape: Shape, listed: Listed, others: Listed) -> Table:
    """Return the arrays of a list whose rows may not say which group they belong to.

    ``shape`` decoded the rows. ``others`` is the list that ``fact.through`` names. A row that names
    no group, no project and no connections may belong to any group: it is in every array, as
    ``Unread``.
    """
    if listed.doubts:
        return tabled(fact, listed.rows, listed.doubts)
    groups = {row.id: row.group_id for row in others.rows}
    names_project = fact.through[1] if fact.through is not None else ""
    found: dict[str, list[Any]] = {}
    members: dict[str, list[Any]] = {}
    shared: list[Any] = []
    for row in listed.rows:
        group, project = getattr(row, fact.column), _inner(shape, row, names_project)
        if group is MISSING or group is None:
            group = groups.get(project) if type(project) is str else MISSING
        named = _inner(shape, row, fact.members)
        if type(group) is str:
            found.setdefault(group, []).append(row)
        elif project is MISSING and type(named) is list and set(map(type, named)) <= {str}:
            for id_ in dict.fromkeys(named):
                members.setdefault(id_, []).append(row)
        else:
            shared.append(Unread(_why_unplaced(fact, row, project, others)))
    for array in found.values():
        array.extend(shared)
    return Table(fact.name, fact.key, found.get, shared, members=members)


def _why_unplaced(fact: FactList, row: Any, project: Any, others: Listed) -> str:
    """Return why nobody can tell to which group ``row`` belongs."""
    name = f"{fact.path}: the group of the {fact.noun} {row.id} is not known"
    if type(project) is not str:
        return f"{name}: it names neither a group nor a project, nor connections"
    doubt = others.problem or "".join(others.doubts[:1])
    return f"{name}: its project {project} is not listed{doubt and f' ({doubt})'}"


def _inner(shape: Shape, row: Any, path: str) -> Any:
    """Return the value of a row at ``path``, within objects; MISSING if it is missing or null."""
    node, value = shape.root, row
    for step in path.split("."):
        if type(value) is not node.struct:
            return MISSING if value is None or value is MISSING else Unread(path)
        node = node.children[step]
        value = getattr(value, node.attribute)
    return MISSING if value is None else value


def _same_for_all(_key: str, absent: Any) -> Any:
    """Find the same row for every key."""
    return absent


def _is_shared(fact: FactList, row: Any) -> bool:
    return fact.shared is not None and getattr(row, fact.shared[0]) == fact.shared[1]


def _unnamed(fact: FactList, rows: Iterable[Any]) -> list[str]:
    """Return what is wrong with rows that no key can find."""
    column = attrgetter(fact.column)
    return [
        f"the {fact.column} of a {fact.noun} is {kind_of(column(row))}"
        for row in rows
        if type(column(row)) is not str and not _is_shared(fact, row)
    ]


def _more(doubts: Sequence[str]) -> str:
    return f", and {plural(len(doubts) - 1, 'more such item')}" if len(doubts) > 1 else ""


def joining(shape: Shape, tables: Mapping[str, Table]) -> Join:
    """Return a function that joins ``tables`` to records of ``shape``, one per list."""
    program = _JoinProgram(shape)
    for name in _in_order(tables):
        program.add(tables[name])
    return program.function()


def _in_order(tables: Mapping[str, Table]) -> list[str]:
    """Return the names of tables, each after the one that its key comes from."""
    ordered: list[str] = []

    def take(name: str) -> None:
        above = tables[name].key.partition(".")[0]
        if above in tables and above not in ordered:
            take(above)
        if name not in ordered:
            ordered.append(name)

    for name in tables:
        take(name)
    return ordered


class _JoinProgram:
    """The text of the joining function, and the names that it uses."""

    def __init__(self, shape: Shape) -> None:
        self._root = shape.root
        self._lines: list[str] = []
        self._names: dict[str, Any] = {}

    def add(self, table: Table) -> None:
        """Add one table: its row is looked up for every record."""
        number = len(self._names)
        node = self._root.children[table.name]
        self._names[f"absent_{number}"] = table.absent
        if not table.key:
            self._lines.append(f"r.{node.attribute} = absent_{number}")
            return
        self._names[f"find_{number}"] = table.find
        self._names[f"odd_{number}"] = _other_key(table)
        found = f"find_{number}(k, absent_{number}) if type(k) is str else odd_{number}(k)"
        self._lines += [f"k = {self._value(table.key)}", f"r.{node.attribute} = {found}"]
        if table.members:
            self._names[f"members_{number}"] = table.members
            self._names["with_members"] = _with_members
            held = f"r.{node.attribute}"
            self._lines += [
                f"m = members_{number}.get(r.id)",
                f"if m is not None: {held} = with_members({held}, m)",
            ]

    def function(self) -> Join:
        """Return the function."""
        if not self._lines:
            return _join_nothing
        body = (f"  {line}" for line in self._lines)
        text = "\n".join(["def join(records):", " for r in records:", *body])
        # Safe like the judge's own text: made only of names that the program chose.
        exec(compile(text, "<facts>", "exec"), self._names)  # noqa: S102
        join: Join = self._names["join"]
        return join

    def _value(self, path: str) -> str:
        node: Node = self._root
        expression = "r"
        for step in path.split("."):
            child = node.children[step]
            if node is self._root:
                expression = f"r.{child.attribute}"
            else:
                kind = f"kind_{len(self._names)}"
                self._names[kind] = node.struct
                held = f"h{len(self._names)}"
                self._lines.append(f"{held} = {expression}")
                beside = f"below_{len(self._names)}"
                self._names[beside] = partial(below, node.path)
                expression = (
                    f"{held}.{child.attribute} if type({held}) is {kind} else {beside}({held})"
                )
            node = child
        return expression


def _join_nothing(_records: Sequence[Any]) -> None:
    """Join nothing: no rule reads a fact."""


def _with_members(rows: Any, members: list[Any]) -> Any:
    """Return a connection's rows with those that name it; an unknown list stays unknown."""
    if type(rows) is list:
        return [*rows, *members]
    return members if rows is MISSING else rows


def _other_key(table: Table) -> Callable[[Any], Any]:
    """Return the value of a fact for a key that is not a text."""

    def odd(value: Any) -> Any:
        if value is MISSING or value is None:
            return table.keyless
        if type(value) is Gap and value.identity:
            return table.find(value.identity, value)  # its creator may be planned as well
        if type(value) in LACKS:
            return value
        return Unread(f"{table.key} is {kind_of(value)}, which names no row")

    return odd
