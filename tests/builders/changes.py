"""Plans of any change to an account, in each form that a configuration may take.

By hand, after the plans that Terraform made: what an update does not set is unknown, and so is the
id of a connector that changes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from hypothesis import strategies as st

Row = dict[str, Any]
Rows = dict[str, Row]
Key = str | int | None

#: What a connection sends, and what its schedule does.
OWN = {
    "networking_method": ("Directly", "PrivateLink", "SshTunnel"),
    "private_link_id": (None, "pl_1", "pl_2"),
    "data_delay_sensitivity": ("LOW", "NORMAL"),
}
SCHEDULE = {
    "sync_frequency": (1, 5, 15, 60, 360),
    "schedule_type": ("auto", "manual"),
    "paused": (True, False),
    "pause_after_trial": (True, False),
}
#: What never changes in place, and what no plan holds.
FIXED = {"service": ("postgres", "mysql", "github"), "group_id": ("g1", "g2")}
LIVE = {"status": ({"setup_state": "connected"}, {"setup_state": "broken"}, None)}
NAMES = [f"c{n}" for n in range(6)]
ANY = {name: st.sampled_from(v) for name, v in (OWN | SCHEDULE | FIXED | LIVE).items()}
ACCOUNTS = st.dictionaries(st.sampled_from(NAMES), st.fixed_dictionaries(ANY), max_size=6)

_DEFAULTS = {"sync_frequency": 360, "schedule_type": "auto", "paused": True}
_DEFAULTS |= {"pause_after_trial": False, "data_delay_sensitivity": "NORMAL"}
_PROVIDER = "registry.terraform.io/fivetran/fivetran"


class Form(NamedTuple):
    """How a connection is written.

    ``where`` are the modules it is in, ``key`` its own instance key. ``kind`` is the resource, and
    ``named`` how its schedule names it. ``apart`` gives it a pause state beside the schedule.
    ``unset`` is what is not written, as far as that changes nothing, ``hidden`` what is sensitive.
    What does not change need not be ``managed`` by Terraform at all.
    """

    where: tuple[tuple[str, Key], ...]
    key: Key
    kind: str
    named: str
    apart: bool
    unset: frozenset[str]
    hidden: frozenset[str]
    moved: bool
    imported: bool
    managed: bool


FORMS = st.fixed_dictionaries(
    {
        name: st.builds(
            Form,
            where=st.sampled_from(
                ((), (("m", None),), (("team", 'k".[0]'),), (("deep", 1), ("in", "ü")))
            ),
            key=st.sampled_from((None, 0, 7, 'a "b".c[1]', "0", "é ")),
            kind=st.sampled_from(
                ("fivetran_connector", "fivetran_connection", "fivetran_connection_v2")
            ),
            named=st.sampled_from(("reference", "key", "id", "name")),
            apart=st.booleans(),
            unset=st.frozensets(st.sampled_from((*OWN, *SCHEDULE))),
            hidden=st.frozensets(st.sampled_from((*OWN, *SCHEDULE, "destination_schema"))),
            moved=st.booleans(),
            imported=st.booleans(),
            managed=st.booleans(),
        )
        for name in NAMES
    }
)


@st.composite
def changes(draw: st.DrawFn) -> tuple[Rows, Rows]:
    """Return an account before and after: some go, some come, some change in place."""
    before, other = draw(ACCOUNTS), draw(ACCOUNTS)
    after = {}
    for name in NAMES:
        if name not in before:
            if name in other:
                after[name] = other[name] | {"status": None}
        elif draw(st.booleans()) or name in other:
            sent = {key: other[name][key] for key in (*OWN, *SCHEDULE)} if name in other else {}
            after[name] = before[name] | sent
    return before, after


def listed(rows: Rows) -> list[Row]:
    """Return an account's items, each with its name as its id."""
    return [{"id": name, "schema": name, **row} for name, row in rows.items()]


def plan_of(before: Rows, after: Rows, forms: Mapping[str, Form]) -> dict[str, Any]:
    """Return the plan that makes ``after`` of ``before``."""
    made = _Plan()
    for name in NAMES:
        was, will = before.get(name), after.get(name)
        if was != will or (was is not None and forms[name].managed):
            _Connection(made, name, was, will, forms[name]).write()
    return {
        "format_version": "1.2",
        "terraform_version": "1.15.5",
        "complete": True,
        "resource_changes": made.changes,
        "configuration": {
            "provider_config": {"fivetran": {"name": "fivetran", "full_name": _PROVIDER}},
            "root_module": made.root,
        },
    }


class _Plan:
    def __init__(self) -> None:
        self.changes: list[dict[str, Any]] = []
        self.root: dict[str, Any] = {}

    def configure(self, where: tuple[tuple[str, Key], ...], resource: dict[str, Any]) -> None:
        """Add a resource to the configuration of its module."""
        module = self.root
        for name, _ in where:
            call = module.setdefault("module_calls", {}).setdefault(name, {"source": f"./{name}"})
            module = call.setdefault("module", {})
        module.setdefault("resources", []).append(resource)


class _Connection:
    """A connection of a plan, with what belongs to it."""

    def __init__(
        self, plan: _Plan, name: str, was: Row | None, will: Row | None, form: Form
    ) -> None:
        self.plan, self.name, self.was, self.will = plan, name, was, will
        manual = was is None and will is not None and will["schedule_type"] == "manual"
        # Such a v2 is auto until the second apply.
        kind = "fivetran_connector" if manual else form.kind
        named = form.named
        if (named == "key" and form.key is None) or (named == "id" and was is None):
            named = "reference"
        self.form = form._replace(kind=kind, named=named)
        self.is_v2 = kind == "fivetran_connection_v2"
        self.apart = form.apart or self.is_v2

    def write(self) -> None:
        """Add its resources."""
        on_schedule = [name for name in SCHEDULE if name != "paused" or not self.apart]
        own = [*OWN, *(on_schedule if self.is_v2 else ())]
        changed = self._resource(self.form.kind, own, texts=False, of=False)
        # The id of a connector that changes is unknown, and so is what refers to it.
        lost = self.will is not None and (self.was is None or (changed and not self.is_v2))
        if not self.is_v2:
            kind = "fivetran_connector_schedule"
            self._resource(kind, on_schedule, texts=True, of=True, lost=lost)
        if self.apart:
            kind = "fivetran_connection_v2_pause_state"
            self._resource(kind, ["paused"], texts=False, of=True, lost=lost)

    def _resource(
        self, kind: str, fields: list[str], *, texts: bool, of: bool, lost: bool = False
    ) -> bool:
        """Add a resource that sends ``fields``, ``of`` a connection; return whether it changes."""
        required = {"paused"} if "pause_state" in kind else set()
        unset = {n for n in self.form.unset if n in fields and n not in required and self._same(n)}
        attribute = "connection_id" if "pause_state" in kind else "connector_id"
        fixed = {"id": self.name}
        unknown = {"id": True}
        if not of:
            fixed |= {"name": self.name, **self._naming(kind)}
            unknown |= {"name": True}
            if self.is_v2:
                unknown |= {"status": True, "succeeded_at": True}
        else:
            fixed[attribute] = self.name
            if self._named_by_name(kind):
                row = self.was or self.will or {}
                fixed |= {"group_id": row["group_id"], "connector_name": self.name}
        was, will = (self._values(row, fields, texts, fixed) for row in (self.was, self.will))
        by_reference = of and not (self._named_by_name(kind) or self.form.named == "id")
        changed = was != will or (lost and by_reference and was is not None)
        keeps = self.is_v2 and not of and was is not None
        after_unknown = {}
        if will is not None and changed:
            if was is None or not keeps:
                # Required, and so written, attributes stay.
                gone = {*unknown, *unset, *({attribute} if by_reference and lost else ())}
                if was is None and self._named_by_name(kind):
                    gone.add(attribute)
                after_unknown = dict.fromkeys(gone, True)
                will = {key: value for key, value in will.items() if key not in gone}
            else:
                after_unknown = dict.fromkeys(unknown.keys() - {"id"}, True)
                will = {key: value for key, value in will.items() if key not in after_unknown}
        self._add(kind, was, will, after_unknown, changed=changed)
        written = {n: {"constant_value": 0} for n in (*fields, *fixed) if n not in {"id", "name"}}
        if of:
            written[attribute] = self._reference()
            if self._named_by_name(kind):
                del written[attribute]
            elif self.form.named == "id":
                written[attribute] = {"constant_value": self.name}
        self._configure(kind, {n: each for n, each in written.items() if n not in unset})
        return changed

    def _same(self, name: str) -> bool:
        """Whether an attribute may as well not be written."""
        if self.was is None or self.will is None:
            row = self.will or self.was or {}
            return name in _DEFAULTS and row[name] == _DEFAULTS[name]
        return self.was[name] == self.will[name] is not None

    def _named_by_name(self, kind: str) -> bool:
        return self.form.named == "name" and kind == "fivetran_connector_schedule"

    def _naming(self, kind: str) -> Row:
        row = self.will or self.was or {}
        fixed = {name: row[name] for name in FIXED}
        if kind == "fivetran_connection_v2":
            return fixed | {"config": {"schema_prefix": self.name}}
        return fixed | {"destination_schema": {"prefix": self.name}}

    def _values(self, row: Row | None, fields: list[str], texts: bool, fixed: Row) -> Row | None:
        if row is None:
            return None
        return fixed | {name: _text(row[name]) if texts else row[name] for name in fields}

    def _reference(self) -> Row:
        thing = f"{self.form.kind}.{self.name}"
        if self.form.named == "key":
            by = "count.index" if isinstance(self.form.key, int) else "each.key"
            return {"references": [thing, by]}
        one = f"{thing}{_key(self.form.key)}"
        return {"references": list(dict.fromkeys([f"{one}.id", one, thing]))}

    def _add(
        self, kind: str, was: Row | None, will: Row | None, unknown: Row, *, changed: bool
    ) -> None:
        form = self.form
        module = ".".join(f"module.{name}{_key(key)}" for name, key in form.where)
        address = f"{kind}.{self.name}{_key(form.key)}"
        actions = "create" if was is None else "delete" if will is None else "update"
        hidden = {name: True for name in form.hidden if name in (will or was or {})}
        one: Row = {
            "address": f"{module}.{address}" if module else address,
            "mode": "managed",
            "type": kind,
            "name": self.name,
            "provider_name": _PROVIDER,
            "change": {
                "actions": [actions if changed or will is None or was is None else "no-op"],
                "before": was,
                "after": will,
                "after_unknown": unknown,
                "before_sensitive": hidden if was is not None else False,
                "after_sensitive": hidden if will is not None else False,
            },
        }
        one |= {"module_address": module} if module else {}
        one |= {"index": form.key} if form.key is not None else {}
        if was is not None and will is not None:
            one |= {"previous_address": f"{kind}.old_{self.name}"} if form.moved else {}
            one["change"] |= {"importing": {"id": self.name}} if form.imported else {}
        self.plan.changes.append(one)

    def _configure(self, kind: str, expressions: Row) -> None:
        if self.will is None:
            return  # what is destroyed is configured no more
        one: Row = {
            "address": f"{kind}.{self.name}",
            "mode": "managed",
            "type": kind,
            "name": self.name,
            "provider_config_key": "fivetran",
            "expressions": expressions,
        }
        if isinstance(self.form.key, int):
            one["count_expression"] = {"constant_value": 9}
        elif self.form.key is not None:
            one["for_each_expression"] = {"references": ["local.keys"]}
        self.plan.configure(self.form.where, one)


def _key(key: Key) -> str:
    return "" if key is None else f"[{json.dumps(key, ensure_ascii=False)}]"


def _text(value: Any) -> Any:
    return str(value).lower() if isinstance(value, (int, bool)) else value
