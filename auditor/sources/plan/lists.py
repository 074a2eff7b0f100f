"""What a plan does to an account's further lists: to groups, destinations, links and agents.

Rules read their rows as facts of connections. A row that a plan changes is laid over as it would
be, so that such a rule judges what will be too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from auditor.decoding.gaps import NOT_IN_PLAN
from auditor.decoding.listed import Listed
from auditor.decoding.records import Shape
from auditor.fields import FACT_LISTS
from auditor.sources.plan.attributes import Attributes, State
from auditor.text import listed, one_line

#: By type of resource: the fact whose row it is, and the attribute that names the row.
ROWS: Mapping[str, tuple[str, str]] = {
    "fivetran_group": ("group", "id"),
    "fivetran_destination": ("destination", "group_id"),
    "fivetran_private_link": ("private_link", "id"),
    "fivetran_proxy_agent": ("proxy_agent", "id"),
    "fivetran_hybrid_deployment_agent": ("hybrid_agent", "id"),
}
#: Those that are not laid over row by row.
UNLAID: Mapping[str, str] = {
    "fivetran_webhook": "webhooks",
    "fivetran_external_logging": "external_logging",
    "fivetran_transformation": "transformations",
    "fivetran_user": "owner",
}


class Altered(msgspec.Struct, frozen=True):
    """A resource of a further list that a plan creates, changes or ends.

    ``was`` and ``will`` name its row before and after, "" for none, or none that is known. One
    that is not ``laid`` over has none.
    """

    address: str
    fact: str
    was: str
    will: str
    attributes: Attributes
    laid: bool = True


def altered(
    kind: str, address: str, attributes: Attributes, *, made: str, ends: bool
) -> Altered | None:
    """Return what a resource of ``kind`` means for a further list; None for no list's.

    ``made`` is what stands for the key of its row where it has none yet.
    """
    if kind in UNLAID:
        return Altered(address, UNLAID[kind], "", "", attributes, laid=False)
    if kind not in ROWS:
        return None
    fact, name = ROWS[kind]
    was, will = attributes.before.get(name), attributes.after.get(name)
    if will is None:
        will = made if attributes.fresh else was
    return Altered(
        address,
        fact,
        was if isinstance(was, str) else "",
        will if isinstance(will, str) and not ends else "",
        attributes,
    )


def touched_rows(changes: Iterable[Altered]) -> dict[str, frozenset[str]]:
    """Return the keys of the rows that ``changes`` are about, by fact."""
    keys: dict[str, set[str]] = {}
    for change in changes:
        keys.setdefault(change.fact, set()).update(filter(None, (change.was, change.will)))
    return {fact: frozenset(names) for fact, names in keys.items()}


def lay_lists(changes: Sequence[Altered], lists: Sequence[Listed], shape: Shape) -> list[Listed]:
    """Return ``lists`` as they would be. A list that could not be read stays as it is."""
    return [
        replace(each, rows=_laid(each, shape.lists[each.name], mine))
        if (mine := [c for c in changes if c.fact == each.name and c.laid]) and not each.problem
        else each
        for each in lists
    ]


def unlaid(changes: Iterable[Altered], read: Iterable[str]) -> Iterator[str]:
    """Yield why rules that read the facts ``read`` cannot judge what would be."""
    wanted = frozenset(read)
    by_fact: dict[str, list[str]] = {}
    for change in changes:
        if not change.laid and change.fact in wanted:
            by_fact.setdefault(change.fact, []).append(one_line(change.address))
    for fact, addresses in by_fact.items():
        yield (
            f"the plan changes {listed(addresses[:5], 'and')}, and rules read {fact}, which is"
            " judged as it is now: apply that first, or leave the rules out with --skip"
        )


def _laid(each: Listed, shape: Shape, changes: Sequence[Altered]) -> list[Any]:
    column = FACT_LISTS[each.name].column
    rows = {getattr(row, column): row for row in each.rows}
    for change in changes:
        live = rows.pop(change.was, None) if change.was else None
        if not change.will:
            continue
        if live is None or change.attributes.fresh:
            values = dict.fromkeys(shape.root.children, NOT_IN_PLAN) | _sent(change, shape)
            rows[change.will] = shape.convert(values | {column: change.will})
        else:
            made = shape.convert(_sent(change, shape))
            names = [shape.root.children[name].attribute for name in _sent(change, shape)]
            rows[change.will] = replace(live, **{name: getattr(made, name) for name in names})
    return list(rows.values())


def _sent(change: Altered, shape: Shape) -> dict[str, Any]:
    """Return the fields of a row that the plan sets, and gaps for those it does not tell."""
    held = {name: change.attributes.read(name) for name in shape.root.children}
    return {
        name: each.value
        for name, each in held.items()
        if each is not None and each.state is not State.KEPT
    }
