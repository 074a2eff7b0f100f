"""A plan laid over an account as it is: what the account would hold once the plan is applied.

Created connections are added, destroyed ones removed, changed ones keep what the plan does not
send. A replaced one is new: its old values are gone, except for what the plan says about it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from auditor.decoding.gaps import NOT_IN_PLAN, Gap
from auditor.decoding.json_values import MISSING
from auditor.decoding.listed import Listed
from auditor.decoding.records import Node, Shape
from auditor.fields import FACT_LISTS
from auditor.model import Connections
from auditor.sources.plan.attributes import Held, State
from auditor.sources.plan.lists import Altered, RowChanges, rows_of, veiled_rows
from auditor.sources.plan.planned import SENSITIVE, Action, Anchors, Estate, Planned
from auditor.sources.plan.records import FACT, plan_fields, record_of
from auditor.text import listed, one_line, plural

_SENT = frozenset({State.KNOWN, State.UNKNOWN, State.DEFAULT})
_NEEDED = frozenset({Action.UPDATE, Action.REPLACE, Action.DELETE, Action.OPEN})
#: What changes with a frequency or a schedule's type without being sent.
_SCHEDULE = "schedule"


class ListedAccount(msgspec.Struct):
    """The listed connections of one account, in order, and which account it is.

    ``also`` are other names that the plan has for it. ``lists`` are its other lists that were read.
    """

    name: str
    records: list[Any] = msgspec.field(default_factory=list)
    lists: list[Listed] = msgspec.field(default_factory=list)
    problems: list[str] = msgspec.field(default_factory=list)
    warnings: list[str] = msgspec.field(default_factory=list)
    also: tuple[str, ...] = ()


class Overlay(msgspec.Struct):
    """What the account would hold; ``placed`` are the planned connections by position.

    ``rows`` are the changes of rows of facts, by the positions of the connections that have them,
    ``veiled`` the paths of facts with values that the plan marks as sensitive.
    """

    records: list[Any]
    identities: Connections
    placed: dict[int, Planned]
    accounts: list[str]
    problems: list[str]
    warnings: list[str]
    rows: dict[int, RowChanges] = msgspec.field(default_factory=dict)
    veiled: dict[int, frozenset[str]] = msgspec.field(default_factory=dict)


def lay(estate: Estate, accounts: Sequence[ListedAccount], shape: Shape) -> Overlay:
    """Return what ``accounts`` would hold once the plan of ``estate`` is applied.

    A plan that changes what the listing does not have is a problem; one made from other values than
    the listing's is a warning. Raises UsageError if neither the plan nor a listing shows which
    account a resource is in.
    """
    overlay = Overlay([], Connections([], [], [], []), {}, [], [], [])
    overlay.problems += _listed_twice(accounts)
    owners = _owners(estate, accounts)
    entries: list[tuple[Any, Planned | None, str]] = []
    for account in accounts:
        ours = [p for p in estate.connections if _belongs_to(p, account, accounts, owners)]
        entries += _overlaid(estate, account, ours, shape, overlay)
    ids: list[str] = []
    services: list[str] = []
    schemas: list[str] = []
    groups: list[str] = []
    for index, (record, planned, account_name) in enumerate(entries):
        overlay.records.append(record)
        overlay.accounts.append(account_name)
        if planned is not None:
            overlay.placed[index] = planned
        fresh = planned is not None and planned.identity.startswith("terraform:")
        ids.append(planned.identity if planned is not None and fresh else record.id)
        services.append(_name(record.service, planned, "service"))
        schemas.append(_name(record.schema, planned, "schema"))
        groups.append(_name(record.group_id, planned, "group_id"))
    overlay.rows = _rows_changed(estate, overlay.records, shape)
    overlay.veiled = _veiled(estate, overlay.records, shape)
    addresses = [planned.address if planned else "" for _, planned, _ in entries]
    overlay.identities = Connections(ids, services, schemas, groups, addresses)
    return overlay


def _rows_changed(estate: Estate, records: Sequence[Any], shape: Shape) -> dict[int, RowChanges]:
    """Return the rows that the plan changes, by the positions of the connections that have them."""
    by_row: dict[str, dict[str, list[Altered]]] = {}
    for change in estate.altered:
        if change.fact in shape.lists:
            keys = rows_of(change)
            for key in [""] if keys is None else keys:
                by_row.setdefault(change.fact, {}).setdefault(key, []).append(change)
    found: dict[int, RowChanges] = {}
    for fact, changes in by_row.items():
        named = None if "" in changes else changes.keys()
        for index, key in _connections_with(fact, named, records, shape):
            found.setdefault(index, {})[fact] = changes[key]
    return found


def _veiled(estate: Estate, records: Sequence[Any], shape: Shape) -> dict[int, frozenset[str]]:
    """Return the paths of facts that must not be shown, by the positions of their connections."""
    found: dict[int, frozenset[str]] = {}
    for change, path in veiled_rows(estate.altered, shape):
        for index, _ in _connections_with(change.fact, rows_of(change), records, shape):
            found[index] = found.get(index, frozenset()) | {path}
    return found


def _connections_with(
    fact: str, rows: Collection[str] | None, records: Sequence[Any], shape: Shape
) -> Iterator[tuple[int, str]]:
    """Yield the positions of connections that have one of ``rows`` of a fact, and which.

    For None, all of them, with "".
    """
    node = shape.root.children.get(FACT_LISTS[fact].key)
    if rows is None:
        yield from ((index, "") for index in range(len(records)))
    elif node is not None:
        for index, record in enumerate(records):
            key = getattr(record, node.attribute)
            key = key.identity if type(key) is Gap else key
            if type(key) is str and key in rows:
                yield index, key


def _owners(estate: Estate, accounts: Sequence[ListedAccount]) -> dict[str, ListedAccount]:
    """Return the listing for each account of the plan.

    It is found by name, or else by what the plan and just one of the listings have in common.
    """
    names = estate.accounts
    if len(names) <= 1:
        return dict.fromkeys(names, accounts[0])
    if len(accounts) == 1:
        estate.providers.check_one(names)
    found: dict[str, ListedAccount] = {}
    for name in names:
        key = estate.providers.configuration(name)
        among = [a for a in accounts if _is_named(a, key)] or list(accounts)
        if len(among) > 1 or not {name, key}.intersection((among[0].name, *among[0].also)):
            there = estate.anchors.get(name, Anchors(name))
            among = [account for account in among if _holds(account, there)]
            if len(among) != 1:
                raise estate.providers.refusal(name, names, there.address)
        found[name] = among[0]
    return found


def _is_named(account: ListedAccount, key: str) -> bool:
    """Whether a listing was named for a provider configuration, or for one in its ``for_each``."""
    return any(name == key or name.startswith(f"{key}[") for name in (account.name, *account.also))


def _holds(account: ListedAccount, there: Anchors) -> bool:
    """Whether a listing has a connection or a group that the plan says an account has."""
    groups = (_groups(account) or set()) | {record.group_id for record in account.records}
    ids = {record.id for record in account.records}
    return not (groups.isdisjoint(there.groups) and ids.isdisjoint(there.connections))


def _belongs_to(
    planned: Planned,
    account: ListedAccount,
    accounts: Sequence[ListedAccount],
    owners: Mapping[str, ListedAccount],
) -> bool:
    """Whether a connection is in ``account``; if the plan does not say, by its id."""
    if len(accounts) == 1 or planned.account in owners:
        return len(accounts) == 1 or owners[planned.account] is account
    by_id = [a for a in accounts if any(r.id == planned.real_id for r in a.records)]
    return account is (by_id or accounts)[0]


def _overlaid(
    estate: Estate, account: ListedAccount, ours: Sequence[Planned], shape: Shape, overlay: Overlay
) -> Iterator[tuple[Any, Planned | None, str]]:
    _check_account(account, ours, overlay)
    at, new = _matched(account, ours, overlay)
    drifted = 0
    for record in account.records:
        planned = at.get(record.id)
        if planned is None:
            yield record, None, account.name
            continue
        drifted += _has_drifted(planned, record, shape)
        for laid, by in _outcome(planned, record, shape, estate):
            yield laid, by, account.name
    for planned in new:
        yield record_of(shape, planned), planned, account.name
    if drifted:
        differ = f"{plural(drifted, 'connection')} of the plan differ{'' if drifted > 1 else 's'}"
        overlay.warnings.append(
            f"{differ} from the listing: something changed since the plan was made; what the plan"
            " sends counts"
        )


def _listed_twice(accounts: Sequence[ListedAccount]) -> Iterator[str]:
    """Yield why two listings cannot be of two accounts: an id belongs to one account only."""
    owner: dict[str, str] = {}
    for account in accounts:
        both = [r.id for r in account.records if owner.get(r.id, account.name) != account.name]
        if both:
            yield (
                f"the connection {one_line(both[0])} is listed for {one_line(owner[both[0]])} and"
                f" for {one_line(account.name)}: one listing was named for two accounts"
            )
        owner.update((record.id, account.name) for record in account.records)


def _check_account(account: ListedAccount, ours: Sequence[Planned], overlay: Overlay) -> None:
    """Add why the listing cannot be of the planned account, or that nothing shows it is.

    A plan does not name its account. The ids of what exists already show it, and those of the
    groups in which it creates connections, if the account's groups were listed.
    """
    ids = {record.id for record in account.records}
    there = [p for p in ours if p.managed and p.real_id and p.action is not Action.CREATE]
    lost = [p for p in there if p.real_id not in ids]
    if there and len(lost) == len(there):
        overlay.problems.append(
            f"the listing has none of the {plural(len(there), 'connection')} that the plan"
            " expects: it is of another account, or only a part of this one; name the listing of"
            " the account that was planned"
        )
        return
    left = [one_line(p.address) for p in lost if p.action not in _NEEDED]
    if left:
        overlay.warnings.append(
            f"the listing lacks {plural(len(left), 'connection')} that the plan does not change"
            f" ({listed(left[:5], 'and')})"
        )
    groups = {p.shown("group_id"): p for p in ours if not p.ends and p.action is not Action.NONE}
    groups.pop("", None)
    groups.pop(SENSITIVE, None)
    known = _groups(account)
    seen = {record.group_id for record in account.records}
    strange = [group for group in groups if known is not None and group not in known | seen]
    if strange:
        overlay.problems.append(
            f"{one_line(groups[strange[0]].address)}: the group {one_line(strange[0])} is not one"
            " of the account's: the listing is of another account, or the group is gone"
        )
    elif groups and not there and known is None and seen.isdisjoint(groups):
        overlay.warnings.append(
            "nothing in the plan tells that the listing is of its account: it only creates"
            " connections, in groups that no listed connection is in"
        )


def _groups(account: ListedAccount) -> set[Any] | None:
    """Return the ids of the account's groups; None if they were not listed in full."""
    for each in account.lists:
        if each.name == "group" and not each.problem and not each.doubts:
            return {row.id for row in each.rows}
    return None


def _matched(
    account: ListedAccount, ours: Sequence[Planned], overlay: Overlay
) -> tuple[dict[str, Planned], list[Planned]]:
    """Return the planned connections by the id that the account knows them by, and the others."""
    by_id = {record.id: record for record in account.records}
    by_name = {(record.group_id, record.schema): record for record in account.records}
    at: dict[str, Planned] = {}
    new: list[Planned] = []
    for planned in ours:
        live = by_id.get(planned.real_id)
        if live is None and not planned.managed and not planned.real_id:
            live = by_name.get((planned.shown("group_id"), planned.shown("schema")))
        if live is not None and live.id in at:
            first = one_line(at[live.id].address)
            overlay.problems.append(
                f"{first} and {one_line(planned.address)} are for one connection,"
                f" {one_line(live.id)}, which the plan does not show; name it by its id in both"
            )
        elif live is not None and planned.action is not Action.CREATE:
            at[live.id] = planned
            if not planned.managed:
                planned.identity = live.id
        elif planned.action is Action.CREATE:
            new.append(planned)
        elif planned.action in _NEEDED:
            overlay.problems.append(
                f"{one_line(planned.address)}: the plan changes the connection"
                f" {one_line(planned.called)}, which the listing does not"
                " have: it is another account's, or was made before or after; list and plan again"
            )
            new += [] if planned.ends else [planned]
    return at, new


def _outcome(
    planned: Planned, live: Any, shape: Shape, estate: Estate
) -> Iterator[tuple[Any, Planned | None]]:
    """Yield what becomes of a connection: itself, changed or not, another one, or nothing."""
    if planned.action is Action.DELETE:
        if FACT in shape.root.children:
            yield _merged(planned, live, shape, estate), planned
    elif planned.action is Action.FORGET or not planned.touched:
        yield _with_facts(planned, live, shape), planned
    elif planned.action is Action.REPLACE:
        if planned.forgotten_twin:
            yield live, None
        fresh = record_of(shape, planned)
        if FACT in shape.root.children:
            node = shape.root.children[FACT]
            fresh = replace(fresh, **{node.attribute: _facts(planned, live, shape)})
        yield fresh, planned
    else:
        yield _merged(planned, live, shape, estate), planned


def _merged(planned: Planned, live: Any, shape: Shape, estate: Estate) -> Any:
    """Return a connection that lives on with what the plan sends to it."""
    changes: dict[str, Any] = {}
    children = shape.root.children
    if planned.ends:
        return _with_facts(planned, live, shape)
    for key, node in children.items():
        held = planned.fields.get(key)
        if held is None or not _is_sent(held, estate):
            continue
        changes[node.attribute] = _laid_value(
            node, getattr(live, node.attribute), held.value, shape
        )
    schedule = children.get(_SCHEDULE)
    if schedule is not None and schedule.attribute not in changes and _reschedules(planned, estate):
        changes[schedule.attribute] = NOT_IN_PLAN
    if FACT in children:
        changes[children[FACT].attribute] = _facts(planned, live, shape)
    return replace(live, **changes)


def _with_facts(planned: Planned, live: Any, shape: Shape) -> Any:
    node = shape.root.children.get(FACT)
    if node is None:
        return live
    return replace(live, **{node.attribute: _facts(planned, live, shape)})


def _facts(planned: Planned, live: Any, shape: Shape) -> Any:
    held = {
        key: value
        for key, node in shape.root.children.items()
        if isinstance(value := getattr(live, node.attribute), (str, int, float, bool, list))
    }
    facts = plan_fields(shape, planned, held)
    return getattr(shape.convert({FACT: facts}), shape.root.children[FACT].attribute)


def _laid_value(node: Node, live: Any, value: Any, shape: Shape) -> Any:
    """Return ``value`` as decoded at ``node``; settings that the plan does not name stay."""
    if not isinstance(value, dict):
        return value
    if isinstance(live, dict):
        return {**live, **value}
    if node.struct is not None and type(live) is node.struct:
        given = {
            child.attribute: _laid_value(child, getattr(live, child.attribute), value[key], shape)
            for key, child in node.children.items()
            if key in value
        }
        return replace(live, **given)
    built = shape.convert({node.key: value})
    return getattr(built, node.attribute)


def _is_sent(held: Held, estate: Estate) -> bool:
    """Whether the plan sends a field: not if its resource is left unchanged.

    If such a resource has an unknown value, it disagrees with another one, which is sent.
    """
    quiet = held.address in estate.quiet and held.state is not State.UNKNOWN
    return held.state in _SENT and not quiet


def _reschedules(planned: Planned, estate: Estate) -> bool:
    return any(
        _is_sent(held, estate)
        for name in ("sync_frequency", "schedule_type", "daily_sync_time")
        if (held := planned.fields.get(name)) is not None
    )


def _has_drifted(planned: Planned, live: Any, shape: Shape) -> bool:
    """Whether the plan was made from other values than the listing's."""
    for key, node in shape.root.children.items():
        held: Held | None = planned.fields.get(key)
        if held is None or held.before is msgspec.UNSET or not planned.touched:
            continue
        now = getattr(live, node.attribute)
        simple = isinstance(held.before, (str, int, bool)) and isinstance(now, (str, int, bool))
        if simple and now is not MISSING and now != held.before and key != "created_at":
            return True
    return False


def _name(value: Any, planned: Planned | None, name: str) -> str:
    held = planned.fields.get(name) if planned is not None else None
    if held is not None and "" in held.sensitive:
        return SENSITIVE
    return value if type(value) is str else ""
