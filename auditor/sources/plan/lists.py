"""What a plan does to an account's other lists: groups, destinations, links, webhooks and so on.

Rules read their rows as facts of connections. A row that a plan changes is replaced by its future
form, so that such a rule also judges what will be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec
from msgspec.structs import replace

from auditor.decoding.gaps import NOT_IN_PLAN
from auditor.decoding.listed import Listed
from auditor.decoding.records import Shape
from auditor.fields import FACT_LISTS
from auditor.sources.plan.attributes import Attributes, State
from auditor.text import listed, one_line

#: By type of resource: the fact that it is a row of, and the attribute that names the row.
ROWS: Mapping[str, tuple[str, str]] = {
    "fivetran_group": ("group", "id"),
    "fivetran_destination": ("destination", "group_id"),
    "fivetran_private_link": ("private_link", "id"),
    "fivetran_proxy_agent": ("proxy_agent", "id"),
    "fivetran_hybrid_deployment_agent": ("hybrid_agent", "id"),
    "fivetran_external_logging": ("external_logging", "group_id"),
    "fivetran_user": ("owner", "id"),
    "fivetran_webhook": ("webhooks", "id"),
    "fivetran_transformation": ("transformations", "id"),
    "fivetran_transformation_project": ("transformation_projects", "id"),
}
#: A row's values if nobody writes them.
_DEFAULTS: Mapping[str, Mapping[str, Any]] = {"transformations": {"paused": False}}
#: Fields that a row does not have itself: another list, or what it names, says where it belongs.
_ELSEWHERE: Mapping[str, str] = {"transformations": "group_id"}


class Altered(msgspec.Struct, frozen=True):
    """A resource of another list that a plan creates, changes or ends: ``action`` says which.

    ``was`` and ``will`` name its row before and after, "" for none or an unknown one. ``group``
    stands for the id of a group that the plan creates, if it is in one. A resource that is not
    ``laid`` over could be for any group.
    """

    address: str
    action: str
    fact: str
    was: str
    will: str
    attributes: Attributes
    group: str = ""
    laid: bool = True

    @property
    def groups(self) -> frozenset[str]:
        """The groups that the row is for, before and after, as far as that is known."""
        column = FACT_LISTS[self.fact].column
        held = (self.attributes.before.get(column), self.attributes.after.get(column), self.group)
        return frozenset(each for each in held if isinstance(each, str) and each)


#: The changes of a connection's rows, by fact; those of one fact are shared by all.
RowChanges: TypeAlias = dict[str, list[Altered]]


def altered(
    kind: str, address: str, attributes: Attributes, *, group: str, action: str, ends: bool
) -> Altered | None:
    """Return what a resource of ``kind`` means for another list; None if it is of none.

    ``group`` stands for the id of the group that the plan creates for it, "" for none.
    """
    if kind not in ROWS:
        return None
    fact, name = ROWS[kind]
    was, will = attributes.before.get(name), attributes.after.get(name)
    if will is None:
        # What is named by its group is created with it.
        made = group if name == "group_id" else f"terraform:{address}"
        will = made if attributes.fresh else was
    will = will if isinstance(will, str) and not ends else ""
    was = was if isinstance(was, str) else ""
    change = Altered(address, action, fact, was, will, attributes, group)
    return replace(change, laid=not will or _is_placed(change))


def _is_placed(change: Altered) -> bool:
    """Whether the group is known of a row of which a group may have several."""
    fact = FACT_LISTS[change.fact]
    if not fact.several or change.fact in _ELSEWHERE or change.group:
        return True
    held = change.attributes.read(fact.column)
    shared = change.attributes.read(fact.shared[0]) if fact.shared is not None else None
    if shared is not None and fact.shared is not None and shared.value == fact.shared[1]:
        return True
    return held is not None and isinstance(held.value, str)


def rows_of(change: Altered) -> frozenset[str] | None:
    """Return the keys of the rows that ``change`` is about; None for any connection's.

    If another fact names the row, or a group has several, the rows themselves say whose they are.
    """
    fact = FACT_LISTS[change.fact]
    if fact.several or "." in fact.key:
        return None
    return frozenset(filter(None, (change.was, change.will)))


def veiled_rows(changes: Iterable[Altered], shape: Shape) -> Iterator[tuple[Altered, str]]:
    """Yield the paths below facts with values that a plan marks as sensitive, with their change."""
    for change in changes:
        for name in shape.lists[change.fact].root.children if change.fact in shape.lists else ():
            for path in change.attributes.sensitive(name):
                yield change, ".".join(filter(None, (change.fact, name, path)))


def lay_lists(changes: Sequence[Altered], lists: Sequence[Listed], shape: Shape) -> list[Listed]:
    """Return ``lists`` as they would be. A list that could not be read stays as it is."""
    return [
        replace(each, rows=_changed_rows(each, shape.lists[each.name], mine))
        if (mine := [c for c in changes if c.fact == each.name and c.laid]) and not each.problem
        else each
        for each in lists
    ]


def unlaid(changes: Iterable[Altered], read: Iterable[str]) -> Iterator[str]:
    """Yield why rules that read the facts ``read`` cannot judge the plan's result."""
    wanted = frozenset(read)
    by_fact: dict[str, list[str]] = {}
    for change in changes:
        if not change.laid and change.fact in wanted:
            by_fact.setdefault(change.fact, []).append(one_line(change.address))
    for fact, addresses in by_fact.items():
        yield (
            f"the plan changes {listed(addresses[:5], 'and')}, but does not show the group, and"
            f" rules read {fact}: write group_id as fivetran_group.NAME.id, apply that first, or"
            " leave the rules out with --skip"
        )


def _changed_rows(each: Listed, shape: Shape, changes: Sequence[Altered]) -> list[Any]:
    fact = FACT_LISTS[each.name]
    named = fact.identity if fact.several else fact.column
    rows = {getattr(row, named): row for row in each.rows}
    for change in changes:
        live = rows.pop(change.was, None) if change.was else None
        if not change.will:
            continue
        placed = {fact.column: change.group} if fact.several and change.group else {}
        sent = _sent(change, shape) | placed
        if live is None or change.attributes.fresh:
            values: dict[str, Any] = dict.fromkeys(shape.root.children, NOT_IN_PLAN)
            values |= {**_DEFAULTS.get(each.name, {}), **sent, named: change.will}
            values.pop(_ELSEWHERE.get(each.name, ""), None)
            rows[change.will] = shape.convert(values)
        else:
            made = shape.convert(sent)
            names = [shape.root.children[name].attribute for name in sent]
            rows[change.will] = replace(live, **{name: getattr(made, name) for name in names})
    return list(rows.values())


def _sent(change: Altered, shape: Shape) -> dict[str, Any]:
    """Return the fields of a row that the plan sets, and gaps for those it leaves open."""
    held = {name: change.attributes.read(name) for name in shape.root.children}
    return {
        name: each.value
        for name, each in held.items()
        if each is not None and each.state is not State.KEPT
    }
