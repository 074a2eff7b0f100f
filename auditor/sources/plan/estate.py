"""The connections in a plan, each with what is done to it and what it would hold.

Membership comes from ``resource_changes`` alone. Schedules, pause states and configs are joined to
their connections as far as that can be decided; the rest is reported, and makes the fields that it
sets unknown on every connection it could be for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from auditor.decoding.gaps import Gap
from auditor.sources.plan.accounts import ProviderAccounts
from auditor.sources.plan.attributes import ABSENT, Attributes, Held, State
from auditor.sources.plan.connections import (
    BESIDE,
    CONNECTIONS,
    HOLDERS,
    Fields,
    Setters,
    clear_secrets,
    config_fields,
    connection_fields,
    doubted,
    is_like_one,
    joined,
    pause_fields,
    schedule_fields,
    schema_config_fields,
    sent,
)
from auditor.sources.plan.document import (
    Change,
    Plan,
    ResourceChange,
    is_fivetran,
)
from auditor.sources.plan.lists import ROWS, Altered, altered
from auditor.sources.plan.planned import ENDS, SENSITIVE, Action, Anchors, Estate, Planned
from auditor.sources.plan.references import (
    Place,
    References,
    Texts,
    group_in,
    parse_expression,
    parse_where,
)
from auditor.text import listed, one_line

_ACTIONS: Mapping[tuple[str, ...], Action] = {
    ("no-op",): Action.NONE,
    ("create",): Action.CREATE,
    ("update",): Action.UPDATE,
    ("delete", "create"): Action.REPLACE,
    ("create", "delete"): Action.REPLACE,
    ("create", "forget"): Action.REPLACE,
    ("forget", "create"): Action.REPLACE,  # OpenTofu's, for `destroy = false`
    ("delete",): Action.DELETE,
    ("forget",): Action.FORGET,
}
_FRESH = frozenset({Action.CREATE, Action.REPLACE})
_CHANGES = frozenset({Action.CREATE, Action.UPDATE, Action.REPLACE, Action.OPEN})
_TYPES = CONNECTIONS | HOLDERS.keys() | ROWS.keys() | BESIDE


class Doubts(msgspec.Struct):
    """What resources send that may be for any of some connections: by field, values and origin."""

    among: list[Planned]
    setters: Setters = msgspec.field(default_factory=dict)
    changes: bool = False

    def add(self, address: str, fields: Fields, *, changes: bool) -> None:
        """Add what one resource sends."""
        self.changes = self.changes or changes
        for name, held in fields.items():
            if held.state is not State.KEPT:
                found = self.setters.setdefault(name, {})
                found.setdefault(repr(held.value), (address, held))


class _Entry(msgspec.Struct):
    """One instance of a Fivetran resource, decoded."""

    resource: ResourceChange
    change: Change
    action: Action
    place: Place
    account: str
    attributes: Attributes


def estate_of(plan: Plan, texts: Texts | None = None) -> Estate:
    """Return the connections of ``plan``; ``texts`` are those of its files, None for no files.

    Raises msgspec.MsgspecError for a damaged change.
    """
    return _Builder(plan, texts).build()


class _Builder:
    def __init__(self, plan: Plan, texts: Texts | None) -> None:
        self._plan = plan
        self._problems: list[str] = []
        self._warnings: list[str] = []
        self._remarks: list[str] = []
        self._doubts: dict[tuple[int, ...], Doubts] = {}
        managed = [c for c in plan.changes if is_fivetran(c) and c.mode == "managed"]
        live = [c for c in managed if not c.deposed]
        self._places = {c.address: _place(c) for c in live}
        kinds = CONNECTIONS | HOLDERS.keys()
        self._references = References(
            plan.configured,
            [self._places[c.address] for c in live if c.type in kinds],
            texts,
            reads=any(c.mode == "data" for c in plan.changes),
        )
        #: By the address of a resource, why its connection is not known.
        self._why: dict[str, str] = {}
        #: By the id of the places that something may be for, and by account: these, and what is
        #: there. All instances of a block may be for the same.
        self._reached: dict[tuple[int, str], tuple[Sequence[Place], list[Planned]]] = {}
        self._accounts = ProviderAccounts(plan)
        self._resources = len(managed)
        self._entries: list[_Entry] = []
        self._holders: dict[Place, _Entry] = {}
        self._changes = False
        for resource in managed:
            self._enter(resource)

    def build(self) -> Estate:
        """Return the estate."""
        found = [self._connection(e) for e in self._entries if e.resource.type in CONNECTIONS]
        connections = self._without_taken_over(found)
        index = _Index(connections, self._accounts)
        holders = [e for e in self._entries if e.resource.type in HOLDERS]
        self._holders = {entry.place: entry for entry in holders}
        # What ends comes first: its connection keeps the values, unless another resource sets them.
        for entry in sorted(holders, key=lambda e: (e.action not in ENDS, e.resource.address)):
            self._join(entry, index)
        # What is decided comes first: fields that may be set to the same value are in no doubt.
        for doubts in self._doubts.values():
            for planned in doubts.among:
                doubted(planned.fields, doubts.setters)
                planned.touched = planned.touched or doubts.changes
        for planned in connections:
            if planned.touched and planned.action is Action.NONE:
                planned.action = Action.UPDATE  # By its schedule, or the like.
        connections += index.outside.values()
        anchors = self._assign_accounts(connections)
        # By address, so that the order of resources in a plan makes no difference.
        connections.sort(key=lambda planned: planned.address)
        return Estate(
            connections,
            self._accounts.used([e.account for e in self._entries]),
            tuple(self._problems),
            tuple(self._warnings),
            tuple(self._remarks),
            self._resources,
            self._changes,
            frozenset(e.resource.address for e in self._entries if e.action is Action.NONE),
            tuple(filter(None, map(_altered, self._entries))),
            self._accounts,
            anchors,
        )

    def _assign_accounts(self, connections: Sequence[Planned]) -> dict[str, Anchors]:
        """Give each connection its account, uniting accounts that share a group.

        Return what each account has now.
        """
        sharing: dict[str, set[str]] = {}
        for entry in self._entries:
            for group in _groups_of(entry):
                sharing.setdefault(group, set()).add(entry.account)
        for names in sharing.values():
            self._accounts.unite(names)
        anchors: dict[str, Anchors] = {}
        for entry in self._entries:
            name = self._accounts.final(entry.account)
            there = anchors.setdefault(name, Anchors(entry.resource.address))
            there.groups |= _groups_of(entry)
        for planned in connections:
            planned.account = self._accounts.final(planned.account)
            there = anchors.setdefault(planned.account, Anchors(planned.address))
            there.connections |= {planned.real_id} - {""}
            there.groups |= {planned.shown("group_id")} - {"", SENSITIVE}
        return anchors

    def _enter(self, resource: ResourceChange) -> None:
        change = resource.decoded()
        action = _ACTIONS.get(tuple(change.actions), Action.OPEN)
        address = one_line(resource.address)
        if action is Action.OPEN:
            said = one_line(", ".join(change.actions) or "none")
            self._problems.append(
                f"{address}: the action {said} is not known; use a release of fivetran-auditor"
                " that knows it"
            )
        if action is not Action.NONE:
            self._changes = True
        if resource.deposed:
            self._enter_deposed(resource, change, action)
            return
        place = self._places[resource.address]
        configured = self._references.resource(place)
        attributes = Attributes(resource, change, configured, fresh=action in _FRESH)
        key = configured.provider_config_key if configured else ""
        account = self._accounts.of(key, resource.address)
        if resource.type not in _TYPES and action in _CHANGES:
            self._report_unknown_type(resource.type, address, attributes)
        self._entries.append(_Entry(resource, change, action, place, account, attributes))
        if resource.previous_address:
            self._remarks.append(f"{address}: moved from {one_line(resource.previous_address)}")
        if change.importing is not None:
            self._remarks.append(f"{address}: imported into Terraform")
        if _leaves_twin(change):
            self._remarks.append(f"{address}: what it was stays alive, outside Terraform")

    def _enter_deposed(self, resource: ResourceChange, change: Change, action: Action) -> None:
        """Enter what an earlier replacement has left behind: a connection that ends, or a remark.

        It is nothing that an address refers to.
        """
        if action not in ENDS:
            return  # It is gone already.
        address, called = one_line(resource.address), one_line(resource.deposed, 20)
        done = "destroyed" if action is Action.DELETE else "forgotten"
        self._remarks.append(f"{address}: an old object of it ({called}) is {done}")
        if resource.type in CONNECTIONS:
            place = _place(resource)
            configured = self._references.resource(place)
            place = msgspec.structs.replace(place, name=f"{place.name} ({called})")
            key = configured.provider_config_key if configured else ""
            account = self._accounts.of(key, resource.address)
            attributes = Attributes(resource, change, None, fresh=False)
            self._entries.append(_Entry(resource, change, action, place, account, attributes))

    def _report_unknown_type(self, type_name: str, address: str, attributes: Attributes) -> None:
        said = f"{address}: resources of the type {one_line(type_name, 60)} are not known, and"
        if is_like_one(type_name, attributes):
            self._problems.append(
                f"{said} what it makes of a connection was not judged; use a release of"
                " fivetran-auditor that knows them"
            )
        else:
            self._warnings.append(f"{said} were not looked at")

    # -- connections ------------------------------------------------------------------------

    def _connection(self, entry: _Entry) -> Planned:
        resource, change, action = entry.resource, entry.change, entry.action
        attributes = entry.attributes
        if action in ENDS:
            # A connection that ends is reported with its old values.
            change = msgspec.structs.replace(
                change, after=change.before, after_unknown=None, after_sensitive=None
            )
            attributes = Attributes(resource, change, None, fresh=False)
        fields, remarks = connection_fields(resource.type, attributes)
        self._remarks += remarks
        self._name_group(fields, entry)
        before = entry.attributes.before.get("id")
        real_id = before if isinstance(before, str) else ""
        if action is Action.NONE and not real_id:
            real_id = str(attributes.after.get("id") or "")
        known, hidden = real_id if action not in _FRESH else "", fields["id"].sensitive
        return Planned(
            identity=known if known and not hidden else f"terraform:{resource.address}",
            address=resource.address,
            action=action,
            fields=fields,
            account=entry.account,
            real_id=real_id,
            touched=action in _CHANGES,
            forgotten_twin=_leaves_twin(change),
            replace_reason=_reasons(change, resource),
            resources=[resource.address],
            place=entry.place,
            clear_secrets=() if action in ENDS else clear_secrets(entry.attributes),
        )

    def _name_group(self, fields: Fields, entry: _Entry) -> None:
        """Let connections share a group that is yet to be created."""
        held = fields.get("group_id")
        if held is None or type(held.value) is not Gap:
            return
        identity = _group_made(entry)
        if not identity:
            return
        reason = f"known only after apply, it is the id of {identity.removeprefix('terraform:')}"
        gap = msgspec.structs.replace(held.value, reason=reason, identity=identity)
        fields["group_id"] = msgspec.structs.replace(held, value=gap)

    def _without_taken_over(self, connections: list[Planned]) -> list[Planned]:
        """Return ``connections`` without those that another resource takes over."""
        holders: dict[str, list[Planned]] = {}
        for planned in connections:
            if planned.real_id and planned.action not in _FRESH:
                holders.setdefault(planned.real_id, []).append(planned)
        taken: set[int] = set()
        for name, several in holders.items():
            stays = [planned for planned in several if planned.action is not Action.FORGET]
            if len(stays) == 1:
                for planned in several:
                    if planned is not stays[0]:
                        taken.add(id(planned))
                        self._remarks.append(
                            f"{one_line(planned.address)}: forgotten; its connection is now"
                            f" {one_line(stays[0].address)}"
                        )
            elif len(several) > 1:
                addresses = listed([one_line(planned.address) for planned in several], "and")
                self._problems.append(
                    f"{addresses} are one connection, {one_line(name)}: what it would be is not"
                    " known; leave it to one of them"
                )
        return [planned for planned in connections if id(planned) not in taken]

    # -- what is joined to them -------------------------------------------------------------

    def _join(self, entry: _Entry, index: _Index) -> None:
        resource, action = entry.resource, entry.action
        fields = self._sent_by(entry)
        found = self._target(entry, index)
        address = one_line(resource.address)
        ends = action in ENDS
        if isinstance(found, Planned) and found.ends:
            return
        if found is None:
            self._warnings.append(
                f"{address}: it names a connection by an id that goes as the plan replaces it, and"
                f" sets nothing of the new one; write {HOLDERS[resource.type]} = TYPE.NAME.id"
            )
            return
        if ends:
            self._remarks.append(
                f"{address}: {'destroyed' if action is Action.DELETE else 'forgotten'};"
                " its connection keeps what it set"
            )
        if isinstance(found, Planned):
            fresh = found.action in _FRESH
            for dispute in joined(found.fields, fields, fresh=fresh):
                self._warnings.append(f"{one_line(found.address)}: {dispute}")
            if not ends:
                found.resources.append(resource.address)
                found.clear_secrets += clear_secrets(entry.attributes)
                found.touched = found.touched or action in _CHANGES
            return
        if ends or not (sent(fields.values()) or fields):
            return
        self._doubt(entry, fields, found)

    def _doubt(self, entry: _Entry, fields: Fields, among: Sequence[Planned]) -> None:
        address, attribute = one_line(entry.resource.address), HOLDERS[entry.resource.type]
        why = self._why.get(entry.resource.address, "")
        shows = f"{one_line(why)}, and the plan does not show" if why else "the plan does not show"
        form = f"{attribute} = TYPE.NAME.id, or TYPE.NAME[each.key].id with equal keys"
        if not among:
            self._problems.append(f"{address}: {shows} which connection it is for; write {form}")
            return
        which = (
            f"which of {len(among):,} connections it is for"
            if len(among) > 1
            else f"whether it is for {one_line(among[0].address)}"
        )
        self._warnings.append(f"{address}: {shows} {which}; write {form}")
        doubts = self._doubts.setdefault(tuple(map(id, among)), Doubts(list(among)))
        doubts.add(address, fields, changes=entry.action in _CHANGES)

    def _sent_by(self, entry: _Entry) -> Fields:
        attributes = entry.attributes
        if entry.action in ENDS:
            change = msgspec.structs.replace(
                entry.change, after=entry.change.before, after_unknown=None, after_sensitive=None
            )
            attributes = Attributes(entry.resource, change, None, fresh=False)
        match entry.resource.type:
            case "fivetran_connector_schedule":
                fields = schedule_fields(attributes)
            case "fivetran_connection_v2_pause_state":
                fields = pause_fields(attributes)
            case "fivetran_connection_config":
                fields = config_fields(attributes)
            case _:
                fields = schema_config_fields(attributes)
        if entry.action in ENDS:
            return {
                name: msgspec.structs.replace(held, state=State.KEPT)
                for name, held in fields.items()
                if held.value is not None
            }
        return fields

    def _target(
        self, entry: _Entry, index: _Index, through: frozenset[Place] = frozenset()
    ) -> Planned | list[Planned] | None:
        """Return the connection that a schedule or the like is for, or those it could be for.

        None for one that is replaced and disappears. ``through`` are the resources that led here.
        """
        attributes, resource = entry.attributes, entry.resource
        name = HOLDERS[resource.type]
        values = attributes.before if entry.action in ENDS else attributes.after
        known = values.get(name)
        if isinstance(known, str) and known:
            return index.by_id(known, entry)
        if entry.action not in _FRESH and not attributes.writes(name):
            known = attributes.before.get(name)  # Not written, and so kept.
            if isinstance(known, str) and known and not attributes.writes("connector_name"):
                return index.by_id(known, entry)
        schema, group = values.get("connector_name"), values.get("group_id")
        if isinstance(schema, str) and schema:
            return self._named(entry, index, schema, group)
        raw = attributes.expression(name)
        expression = parse_expression(raw) if raw is not None else None
        if expression is None:
            return index.candidates(entry.account)
        was = index.placed(attributes.before.get(name))
        found = self._references.target(expression, entry.place, name, was)
        if isinstance(found, Place):
            return self._at(found, index, through)
        if found.why:
            self._why[resource.address] = found.why
        if found.among is None:
            return index.candidates(entry.account)
        asked = id(found.among), entry.account
        if not through and asked in self._reached:
            return self._reached[asked][1]
        reached: dict[int, Planned] = {}
        for place in found.among:
            one = self._at(place, index, through)
            several = one if isinstance(one, list) else filter(None, [one])
            reached |= {id(each): each for each in several if index.may_be(each, entry.account)}
        planned = list(reached.values())
        if not through:
            self._reached[asked] = found.among, planned
        return planned

    def _at(
        self, place: Place, index: _Index, through: frozenset[Place]
    ) -> Planned | list[Planned] | None:
        """Return what the id of the resource at ``place`` identifies.

        A schedule, or the like, has the id of its connection.
        """
        planned, holder = index.at(place), self._holders.get(place)
        if planned is not None or holder is None or place in through:
            return planned or []
        return self._target(holder, index, through | {place})

    def _named(
        self, entry: _Entry, index: _Index, schema: str, group: object
    ) -> Planned | list[Planned]:
        if isinstance(group, str) and group:
            return index.by_name(group, schema, entry)
        identity = _group_made(entry)
        among = index.named(schema, entry.account)
        same = [
            planned
            for planned in among
            if identity
            and isinstance(gap := planned.fields.get("group_id", ABSENT).value, Gap)
            and gap.identity == identity
        ]
        decided = len(same) == 1 and isinstance(same[0].fields["schema"].value, str)
        return same[0] if decided else same or among


class _Index:
    """The connections of a plan by what names them."""

    def __init__(self, connections: list[Planned], accounts: ProviderAccounts) -> None:
        self.connections = connections
        self._accounts = accounts
        #: Connections that only a schedule or the like mentions.
        self.outside: dict[str, Planned] = {}
        self._by_id = {p.real_id: p for p in connections if p.real_id and p.action not in _FRESH}
        self._replaced = {
            p.real_id for p in connections if p.action in _FRESH and not p.forgotten_twin
        } - {""}
        self._at = {p.place: p for p in connections}
        self._by_known = {p.real_id: p.place for p in connections if p.real_id and not p.ends}
        self._open: dict[str, list[Planned]] = {}
        #: By name, None for a name that is not known yet.
        self._named: dict[str | None, list[Planned]] | None = None

    def at(self, place: Place) -> Planned | None:
        """Return the connection of an instance of a resource."""
        return self._at.get(place)

    def placed(self, known: object) -> Place | None:
        """Return the place of the connection that has an id now, None if it does not stay."""
        return self._by_known.get(known) if isinstance(known, str) else None

    def by_id(self, known: str, entry: _Entry) -> Planned | None:
        """Return the connection with this id; one outside the plan if none in it has it.

        None for one that is replaced: the new one has another id.
        """
        if known in self._replaced:
            return None
        found = self._by_id.get(known)
        return found or self._outside_connection(known, {"id": _known(known, entry)}, known, entry)

    def by_name(self, group: str, schema: str, entry: _Entry) -> Planned | list[Planned]:
        """Return the connection with this group and schema; one outside the plan if not in it."""
        among = self.named(schema, entry.account)
        found = [p for p in among if _in_group(p, group)]
        if found:
            decided = len(found) == 1 and all(
                isinstance(found[0].fields[name].value, str) for name in ("group_id", "schema")
            )
            return found[0] if decided else found
        fields = {
            "group_id": _known(group, entry, "group_id"),
            "schema": _known(schema, entry, "connector_name"),
        }
        return self._outside_connection(f"{group}/{schema}", fields, "", entry)

    def candidates(self, account: str) -> list[Planned]:
        """Return the connections that an id may be of which is not known yet."""
        if account not in self._open:
            self._open[account] = [p for p in self.connections if self.may_be(p, account)]
        return self._open[account]

    def may_be(self, planned: Planned, account: str) -> bool:
        """Whether an id that is not known yet may be this connection's."""
        stays = not planned.ends and planned.action is not Action.NONE
        return stays and self._accounts.may_be_one(planned.account, account)

    def named(self, schema: str, account: str) -> list[Planned]:
        """Return the connections that stay and have this name, or may come to have it."""
        if self._named is None:
            self._named = {}
            for planned in self.connections:
                name = planned.fields["schema"].value
                if not planned.ends:
                    key = name if isinstance(name, str) else None
                    self._named.setdefault(key, []).append(planned)
        found = (*self._named.get(schema, ()), *self._named.get(None, ()))
        return [p for p in found if self._accounts.may_be_one(p.account, account)]

    def _outside_connection(self, key: str, fields: Fields, real_id: str, entry: _Entry) -> Planned:
        if key not in self.outside:
            address = entry.resource.address
            hidden = bool(fields.get("id", ABSENT).sensitive)
            self.outside[key] = Planned(
                identity=f"terraform:{address}" if hidden or not real_id else real_id,
                address=address,
                action=Action.UPDATE if entry.action in _CHANGES else Action.NONE,
                fields=dict(fields),
                account=entry.account,
                real_id=real_id,
                managed=False,
            )
        return self.outside[key]


def _in_group(planned: Planned, group: str) -> bool:
    """Whether a connection is, or may be, in a group that exists."""
    held = planned.fields.get("group_id", ABSENT).value
    # A gap with an identity is a group that the plan creates, so it does not exist yet.
    return held == group or (isinstance(held, Gap) and not held.identity)


def _altered(entry: _Entry) -> Altered | None:
    """Return what a resource means for another list; None for one that is left as it is."""
    if entry.action not in _CHANGES | {Action.DELETE}:
        return None
    resource, ends = entry.resource, entry.action is Action.DELETE
    known = isinstance(entry.attributes.after.get("group_id"), str)
    made = "" if known else _group_made(entry)
    return altered(
        resource.type,
        resource.address,
        entry.attributes,
        group=made,
        action=entry.action.value,
        ends=ends,
    )


def _groups_of(entry: _Entry) -> set[str]:
    """Return what identifies the groups of a resource: each belongs to one account only."""
    named = "id" if entry.resource.type == "fivetran_group" else "group_id"
    values = (entry.attributes.before.get(named), entry.attributes.after.get(named))
    made = _group_made(entry) if named == "group_id" else f"terraform:{entry.resource.address}"
    return {value for value in (*values, made) if isinstance(value, str) and value}


def _group_made(entry: _Entry) -> str:
    """Return what stands for the id of a group that the plan creates, "" for no such group."""
    raw = entry.attributes.expression("group_id")
    expression = parse_expression(raw) if raw is not None else None
    group = group_in(expression) if expression is not None else ""
    module = entry.resource.module_address
    return f"terraform:{module}.{group}" if group and module else f"terraform:{group}" * bool(group)


def _known(value: str, entry: _Entry, name: str = "") -> Held:
    """Return what a schedule or the like says about its connection."""
    name = name or HOLDERS[entry.resource.type]
    sensitive = entry.attributes.sensitive(name)
    return Held(State.KNOWN, value, entry.resource.address, name, sensitive=sensitive)


def _place(change: ResourceChange) -> Place:
    return Place(parse_where(change.module_address), f"{change.type}.{change.name}", change.index)


def _leaves_twin(change: Change) -> bool:
    """Whether what is replaced stays alive, outside Terraform."""
    return set(change.actions) == {"create", "forget"}


def _reasons(change: Change, resource: ResourceChange) -> tuple[str, ...]:
    """Return why an object is replaced: the attributes that force it, or the plan's own word."""
    if _ACTIONS.get(tuple(change.actions)) is not Action.REPLACE:
        return ()
    paths = [".".join(map(str, path)) for path in change.replace_paths if isinstance(path, list)]
    return tuple(dict.fromkeys(paths)) or tuple(filter(None, (resource.action_reason,)))
