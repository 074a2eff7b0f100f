"""From the provider's resources to a connection's fields, as the API has them.

The attributes are those of the provider's releases up to 1.9.53, and of 0.7.1 and before, when a
connector held its own schedule. The provider creates every connection paused, sends ``config`` of
``fivetran_connection`` only then, and never sends what nobody wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from auditor.decoding.gaps import NOT_IN_PLAN, Gap, Lack
from auditor.fields import SCHEMA_CONFIG
from auditor.redaction.fields import is_named_secret
from auditor.sources.plan.attributes import (
    ABSENT,
    Attributes,
    Held,
    State,
    flag,
    moment,
    number,
    text,
)
from auditor.text import listed

Fields = dict[str, Held]
#: By field, each value that is sent, with a resource that sends it.
Setters = dict[str, dict[str, tuple[str, Held]]]

CONNECTIONS = frozenset({"fivetran_connector", "fivetran_connection", "fivetran_connection_v2"})
_V2 = "fivetran_connection_v2"
_SPLIT = "fivetran_connection"
#: Resources that say more about a connection: by type, the attribute that names it.
HOLDERS: Mapping[str, str] = {
    "fivetran_connector_schedule": "connector_id",
    "fivetran_connection_v2_pause_state": "connection_id",
    "fivetran_connection_config": "connection_id",
    "fivetran_connector_schema_config": "connector_id",
}
#: Resources whose removal changes nothing: the connection keeps what they set.
LASTING = frozenset(HOLDERS)

#: Resources that set nothing in a record: who may see a connection, which hosts it trusts.
BESIDE = frozenset(
    f"fivetran_{name}"
    for name in (
        "connector_certificates",
        "connector_fingerprints",
        "connector_sdk_package",
        "connector_membership",
        "dbt_git_project_config",
        "dbt_project",
        "dbt_transformation",
        "destination_certificates",
        "destination_fingerprints",
        "group_users",
        "local_processing_agent",
        "proxy",
        "team",
        "team_connector_membership",
        "team_group_membership",
        "team_user_membership",
        "user_connector_membership",
        "user_group_membership",
    )
)
#: How the types that are about connections begin, and the attributes that name one.
_LIKE = ("fivetran_connection", "fivetran_connector")
_NAMING_ONE = ("connection_id", "connector_id")

_Convert = Callable[[Any], Any] | None
#: Attributes with the API's own name and meaning, and how their values become the API's.
_SAME: Mapping[str, _Convert] = {
    "group_id": text,
    "service": text,
    "networking_method": text,
    "proxy_agent_id": text,
    "private_link_id": text,
    "hybrid_deployment_agent_id": text,
    "data_delay_sensitivity": text,
    "data_delay_threshold": number,
    "data_checks": flag,
    "destination_schema_names": text,
    "connect_card_config": None,
    "destination_configuration": None,
}
#: Known only to the service: no configuration can set it, so unknown is *not in the plan*.
_OF_THE_SERVICE: Mapping[str, _Convert] = {
    "connected_by": text,
    "created_at": moment,
    "succeeded_at": moment,
    "failed_at": moment,
    "service_version": number,
    "status": None,
}
#: Fields of a new connection that no plan has, whatever anyone writes.
IN_NO_PLAN = frozenset(_OF_THE_SERVICE) | {
    "id",
    "setup_tests",
    "source_sync_details",
    "connect_card",
    "external_secrets_manager_id",
    "external_secrets_keys_config",
}
_SCHEDULING: Mapping[str, _Convert] = {
    "sync_frequency": number,
    "schedule_type": text,
    "paused": flag,
    "pause_after_trial": flag,
    "daily_sync_time": text,
}
#: A new connection's values if nobody writes them (the provider's source, and Fivetran's
#: documentation of "Create a connection").
DEFAULTS: Mapping[str, Any] = {
    "paused": True,
    "sync_frequency": 360,
    "schedule_type": "auto",
    "pause_after_trial": False,
    "daily_sync_time": None,
    "data_delay_sensitivity": "NORMAL",
}
#: What is null if nobody writes it.
_NULL = ("proxy_agent_id", "private_link_id", "hybrid_deployment_agent_id")
#: Where a default can be changed: the resource that sets it, if not the connection's own.
_ELSEWHERE = {
    "paused": "paused of a schedule or pause state for it",
    "sync_frequency": "sync_frequency of a schedule for it",
    "schedule_type": "schedule_type of a schedule for it",
    "pause_after_trial": "pause_after_trial of a schedule for it",
}


def connection_fields(type_name: str, attributes: Attributes) -> tuple[Fields, list[str]]:
    """Return the fields that a connection's own resource sets, and remarks on it."""
    fields: Fields = {"id": _own_id(attributes), "schema": _schema(type_name, attributes)}
    remarks: list[str] = []
    for name, convert in _SAME.items():
        if attributes.has(name) or attributes.writes(name):
            held = attributes.read(name, convert)
            unset = held is None or (name in DEFAULTS and held.value is None)
            fields[name] = _unset(name, attributes) if held is None or unset else held
    for name, convert in _OF_THE_SERVICE.items():
        held = attributes.read(name, convert) if attributes.has(name) else None
        fields[name] = ABSENT if held is None or held.state is State.UNKNOWN else _whole(held)
    fields["config"] = _config(type_name, attributes)
    for name, convert in _SCHEDULING.items():
        held = attributes.read(name, convert) if attributes.has(name) else None
        if held is not None and not _unwritten_null(held, attributes, name):
            fields[name] = held
        elif attributes.fresh:
            fields[name] = _default(name, attributes)
        else:
            fields.setdefault(name, ABSENT)
    if attributes.has("schedule"):
        _apply_block(fields, attributes)
    if type_name == _V2 and attributes.fresh:
        held = fields["schedule_type"]
        if held.state is State.KNOWN and held.value == "manual":
            fields["schedule_type"] = msgspec.structs.replace(held, value="auto")
            remarks.append(
                f"{attributes.address}: schedule_type manual is not sent when a connection is"
                " created; it is auto until the second apply, and judged so"
            )
    _drop_ignored_time(fields, attributes)
    return fields, remarks


def is_like_one(type_name: str, attributes: Attributes) -> bool:
    """Whether a resource of an unknown type may say something about a connection."""
    return type_name.startswith(_LIKE) or any(map(attributes.has, _NAMING_ONE))


def schedule_fields(attributes: Attributes) -> Fields:
    """Return what a schedule resource sends, and what stays as it was."""
    fields: Fields = {}
    for name, convert in _SCHEDULING.items():
        held = attributes.read(name, convert)
        if held is not None and not _unwritten_null(held, attributes, name):
            fields[name] = held
    _apply_block(fields, attributes)
    _drop_ignored_time(fields, attributes)
    return fields


def pause_fields(attributes: Attributes) -> Fields:
    """Return what a pause state sets."""
    held = attributes.read("paused", flag)
    return {} if held is None else {"paused": held}


def config_fields(attributes: Attributes) -> Fields:
    """Return the settings that a config resource sends, as a part of ``config``."""
    held = attributes.read("config", _settings)
    return {} if held is None or held.value is None else {"config": hidden(held)}


def schema_config_fields(attributes: Attributes) -> Fields:
    """Return what a schema config says: how changes are handled, and its tables and columns.

    They are arrays, so that a rule can test each; what one leaves out is not in the plan.
    """
    handling = attributes.read("schema_change_handling", text)
    value: dict[str, Any] = {}
    if handling is not None and handling.value is not None:
        value["schema_change_handling"] = handling.value
    found = [
        held
        for name, convert in (("schemas", None), ("schemas_json", _settings), ("schema", None))
        if attributes.has(name)
        and (held := attributes.read(name, convert)) is not None
        and held.value is not None
    ]
    for held in found:
        if type(held.value) is Gap:
            value |= {"tables": held.value, "columns": held.value}
            continue
        tables, columns = _tables_in(held.value)
        value["tables"] = [*value.get("tables", ()), *tables]
        value["columns"] = [*value.get("columns", ()), *columns]
    if not value:
        return {}
    states = {held.state for held in (handling, *found) if held is not None}
    state = State.KEPT if states == {State.KEPT} else State.KNOWN
    sensitive = frozenset({""}) if any(held.sensitive for held in found) else frozenset[str]()
    return {
        SCHEMA_CONFIG: Held(
            state, value, attributes.address, "schema_change_handling", sensitive=sensitive
        )
    }


def _tables_in(schemas: Any) -> tuple[list[Any], list[Any]]:
    tables: list[Any] = []
    columns: list[Any] = []
    for schema, held in _named(schemas):
        for table, inner in _named(held.get("tables") or held.get("table")):
            about = {"schema": schema, "name": table}
            tables.append(about | _converted(inner, {"enabled": flag, "sync_mode": text}))
            for column, leaf in _named(inner.get("columns") or inner.get("column")):
                about = {"schema": schema, "table": table, "name": column}
                columns.append(about | _converted(leaf, {"enabled": flag, "hashed": flag}))
    return tables, columns


def _named(held: Any) -> Iterator[tuple[Any, Mapping[str, Any]]]:
    """Yield the entries of a map by name, or of blocks that contain their names."""
    if isinstance(held, dict) and isinstance(held.get("name"), str):
        held = [held]  # One block.
    if isinstance(held, dict):
        yield from ((name, below) for name, below in held.items() if isinstance(below, dict))
    elif isinstance(held, list):
        yield from ((below.get("name"), below) for below in held if isinstance(below, dict))


def _converted(held: Mapping[str, Any], wanted: Mapping[str, _Convert]) -> dict[str, Any]:
    return {
        name: NOT_IN_PLAN if held.get(name) is None else convert(held[name])
        for name, convert in wanted.items()
        if convert is not None
    }


def joined(fields: Fields, more: Mapping[str, Held], *, fresh: bool) -> list[str]:
    """Lay ``more``, from a schedule or the like, over a connection's ``fields``.

    A new connection takes what is sent, but not what was merely kept from another. If two resources
    disagree, neither counts: the field is unknown, and both are named.
    """
    disputes: list[str] = []
    for name, held in more.items():
        if fresh and held.state is State.KEPT:
            continue
        present = fields.get(name, ABSENT)
        if name == "config":
            fields[name] = _both_configs(present, held)
        elif _is_set(present) and _is_set(held) and present.address != held.address:
            if present.value != held.value or type(present.value) is not type(held.value):
                reason = f"set twice: {present.address} and {held.address} differ; leave it to one"
                gap = Gap(Lack.UNKNOWN, reason)
                fields[name] = msgspec.structs.replace(held, state=State.UNKNOWN, value=gap)
                disputes.append(f"{name} is {reason}")
        elif not (_is_set(present) and held.state is State.KEPT):
            fields[name] = held
    return disputes


def doubted(fields: Fields, setters: Setters) -> None:
    """Make every field unknown that a resource may set to another value."""
    for name, found in setters.items():
        present = fields.get(name, ABSENT).value
        others = [
            (address, held)
            for address, held in found.values()
            if type(present) is not type(held.value) or present != held.value
        ]
        if others:
            addresses = listed([address for address, _ in others[:3]], "and")
            reason = (
                f"not known: the plan does not show whether {addresses} set it here; write there"
                " connector_id or connection_id as TYPE.NAME.id"
            )
            gap = Gap(Lack.UNKNOWN, reason)
            fields[name] = msgspec.structs.replace(others[0][1], state=State.UNKNOWN, value=gap)


def hidden(held: Held) -> Held:
    """Return ``held`` as something that is never shown."""
    return msgspec.structs.replace(held, sensitive=frozenset({""}))


def schema_of(block: Mapping[str, Any]) -> Any:
    """Return the API's ``schema``: a prefix, or else a name followed by a table or table group.

    If a part of it is a gap, so is the whole; None if there is no part.
    """
    prefix, name = block.get("prefix"), block.get("name")
    if prefix not in (None, ""):
        return prefix
    parts = [name, block.get("table") or block.get("table_group_name")]
    gap = next((part for part in parts if type(part) is Gap), None)
    if gap is not None:
        return gap
    return ".".join(part for part in parts if isinstance(part, str) and part) or None


#: The parts of a connection's name; the first that is there is the one to change.
_NAMING = ("schema_prefix", "prefix", "schema", "name")


# -- a connection's own -----------------------------------------------------------------------


def _own_id(attributes: Attributes) -> Held:
    hidden = attributes.sensitive("id")
    if not attributes.fresh:
        value = attributes.before.get("id") or attributes.after.get("id")
        if isinstance(value, str) and value:
            return Held(State.KEPT, value, attributes.address, "id", value, hidden)
    return msgspec.structs.replace(
        ABSENT, address=attributes.address, attribute="id", sensitive=hidden
    )


def _schema(type_name: str, attributes: Attributes) -> Held:
    name = attributes.before.get("name") if not attributes.fresh else None
    within = "config" if type_name == _V2 else "destination_schema"
    held = attributes.read(within)
    sensitive = frozenset[str]()
    if held is not None:
        keys = ("schema_prefix", "schema", "prefix", "name", "table", "table_group_name")
        if "" in held.sensitive or held.sensitive & set(keys):
            sensitive = frozenset({""})
    if isinstance(name, str) and name:
        return Held(State.KEPT, name, attributes.address, "name", name, sensitive)
    if held is None or not isinstance(held.value, (dict, Gap)):
        named = attributes.after.get("name")  # Of a resource that is not changed, or imported.
        if isinstance(named, str) and named:
            return Held(State.KEPT, named, attributes.address, "name", named, sensitive)
        return msgspec.structs.replace(ABSENT, address=attributes.address, attribute=within)
    block = held.value
    if isinstance(block, Gap):
        return msgspec.structs.replace(held, sensitive=sensitive)
    if type_name == _V2:
        block = {**block, "prefix": block.get("schema_prefix"), "name": block.get("schema")}
    value = schema_of(block)
    if type(value) is Gap:
        return Held(State.UNKNOWN, value, attributes.address, within, sensitive=sensitive)
    if value is None:
        return msgspec.structs.replace(ABSENT, address=attributes.address, attribute=within)
    named = next((key for key in _NAMING if block.get(key) not in (None, "")), "")
    written = f"{within}.{named}" if named else within
    return Held(State.KNOWN, value, attributes.address, written, sensitive=sensitive)


def _config(type_name: str, attributes: Attributes) -> Held:
    if type_name == _SPLIT:
        # Sent when the connection is created, and never again.
        held = attributes.read("config", _settings)
        if held is not None and not attributes.fresh and held.before is not msgspec.UNSET:
            held = msgspec.structs.replace(held, state=State.KEPT, value=held.before)
    else:
        held = attributes.read("config", _without_nulls)
    if held is None or held.value is None:
        return ABSENT
    return hidden(msgspec.structs.replace(held, value=_without_nulls(held.value)))


def _unset(name: str, attributes: Attributes) -> Held:
    """Return a field that nothing sets."""
    if not attributes.fresh:
        return ABSENT
    if name in DEFAULTS:
        return _default(name, attributes)
    if name in _NULL:
        return Held(State.DEFAULT, None, attributes.address, name)
    if attributes.unknown(name):
        return attributes.gap(name)
    return ABSENT


def _default(name: str, attributes: Attributes) -> Held:
    written = _ELSEWHERE.get(name, name) if not attributes.has(name) else name
    return Held(State.DEFAULT, DEFAULTS[name], attributes.address, written)


def _unwritten_null(held: Held, attributes: Attributes, name: str) -> bool:
    """Whether there is nothing: the resource does not set it and has no value for it."""
    return held.value is None and not attributes.writes(name) and held.state is not State.KEPT


def _whole(held: Held) -> Held:
    """Return a field of the service's, with null for unknown parts of it."""
    return held if not _holds_gap(held.value) else ABSENT


def _holds_gap(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_gap, value.values()))
    if isinstance(value, list):
        return any(map(_holds_gap, value))
    return type(value) is Gap


# -- schedules --------------------------------------------------------------------------------


def _apply_block(fields: Fields, attributes: Attributes) -> None:
    """Lay a ``schedule`` block over the plain attributes, over which it takes precedence."""
    held = attributes.read("schedule", _without_nulls)
    if held is None or held.value in (None, {}, []):
        return
    if not isinstance(held.value, (dict, Gap)):
        gap = Gap(Lack.UNKNOWN, f"of a shape that is not known; write schedule of {held.address}")
        held = msgspec.structs.replace(held, state=State.UNKNOWN, value=gap)
    fields["schedule"] = held
    if isinstance(held.value, Gap):
        for name in _IN_BLOCK:
            fields[name] = held
        return
    values = _block_values(held.value)
    was = _block_values(held.before) if _is_dict(held.before) else {}
    for name, inner in _IN_BLOCK.items():
        value = values[name]
        state = State.UNKNOWN if type(value) is Gap else held.state
        before = was.get(name, fields[name].before if name in fields else msgspec.UNSET)
        fields[name] = Held(state, value, held.address, f"schedule.{inner}", before, held.sensitive)


#: The fields that a ``schedule`` block decides, and which part of it does.
_IN_BLOCK = {
    "sync_frequency": "interval",
    "schedule_type": "schedule_type",
    "daily_sync_time": "time_of_day",
}


def _block_values(block: Mapping[str, Any]) -> dict[str, Any]:
    """Return the API's plain fields for a ``schedule``."""
    kind = block.get("schedule_type", "INTERVAL" if "interval" in block else None)
    if type(kind) is Gap:
        return dict.fromkeys(_IN_BLOCK, kind)
    return {
        "sync_frequency": number(block.get("interval")) if kind == "INTERVAL" else None,
        "schedule_type": "manual" if kind == "MANUAL" else "auto",
        "daily_sync_time": block.get("time_of_day") if kind == "TIME_OF_DAY" else None,
    }


def _drop_ignored_time(fields: Fields, attributes: Attributes) -> None:
    """Remove a daily time that is not sent: only a frequency of a day has one."""
    time, frequency = fields.get("daily_sync_time"), fields.get("sync_frequency")
    if time is None or frequency is None or time.attribute != "daily_sync_time":
        return
    if time.state is State.KNOWN and type(frequency.value) is int and frequency.value != 1440:
        if attributes.fresh and "service" in attributes.after:
            fields["daily_sync_time"] = _default("daily_sync_time", attributes)
        else:
            del fields["daily_sync_time"]


# -- configs ----------------------------------------------------------------------------------


def _settings(value: Any) -> Any:
    """Return the settings that are JSON in a text; a gap if it is not JSON."""
    if value is None or type(value) is Gap:
        return value
    if not isinstance(value, str):
        return _without_nulls(value)
    try:
        decoded = msgspec.json.decode(value)
    except (msgspec.MsgspecError, RecursionError):
        return Gap(Lack.UNKNOWN, "not JSON; write config with jsonencode({…})")
    return _without_nulls(decoded) if isinstance(decoded, dict) else None


def _without_nulls(value: Any) -> Any:
    """Return a block without what is not set in it."""
    if not isinstance(value, dict):
        return value
    return {name: _without_nulls(below) for name, below in value.items() if below is not None}


def _both_configs(present: Held, more: Held) -> Held:
    if not (_is_dict(present.value) and _is_dict(more.value)):
        return more
    return msgspec.structs.replace(more, value={**present.value, **more.value})


def _is_dict(value: Any) -> bool:
    return isinstance(value, dict)


def _is_set(held: Held) -> bool:
    """Whether a resource sends the field."""
    return held.state in {State.KNOWN, State.UNKNOWN} and bool(held.address)


def clear_secrets(attributes: Attributes) -> tuple[str, ...]:
    """Return the settings, such as ``config.password``, that hold a secret as plain text.

    Such a secret is written out in the configuration, or is in a text that nothing marks.
    """
    found: list[str] = []
    for name in ("config", "auth"):
        held = attributes.read(name, _settings) if attributes.has(name) else None
        if held is None or "" in held.sensitive or not _is_dict(held.value):
            continue
        in_text = isinstance(attributes.after.get(name), str)
        constants = () if in_text else attributes.constants(name)
        found += [
            path
            for path in _scalars(held.value, name)
            if (in_text or path in constants or path.partition(".")[2] not in held.sensitive)
            and is_named_secret(path)
        ]
    return tuple(found)


def _scalars(value: Any, path: str) -> Iterator[str]:
    """Yield the path of each text and number below ``path``."""
    if isinstance(value, dict):
        for name, below in value.items():
            yield from _scalars(below, f"{path}.{name}")
    elif isinstance(value, (str, int, float)) and not isinstance(value, bool) and value != "":
        yield path


def sent(fields: Iterable[Held]) -> bool:
    """Whether any of ``fields`` is sent."""
    return any(map(_is_set, fields))
