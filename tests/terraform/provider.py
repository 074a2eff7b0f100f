"""A stand-in for the Fivetran provider of Terraform, for making plans and nothing else.

It serves the documented schemas of the resources that describe connections (provider 1.9.53, as
far as a policy on connections cares) and plans as Terraform's plugin framework plans, so that
`terraform plan` and `terraform show -json` give the shapes that the true provider's users see:

* on create, each computed attribute that the configuration does not set is unknown;
* on update, if anything differs, likewise, but for those that keep their state (flag K);
* an attribute that forces replacement (flag F) and differs replaces the resource.

`apply` stores what was planned, with made-up values for what was unknown; no network is touched.
`plan.py` starts this file; see the README.

FIVETRAN_DRIFT, a JSON object, makes what was applied differ when it is read again:
{"TYPE/ID": {"attribute": value}, "gone": ["ID", …]}.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent import futures
from dataclasses import dataclass, field
from typing import Any

import grpc
import msgpack
from tf.gen import grpc_controller_pb2_grpc as controller
from tf.gen import grpc_stdio_pb2_grpc as stdio
from tf.gen import tfplugin_pb2 as pb
from tf.gen import tfplugin_pb2_grpc as rpc
from tf.runner import _self_signed_cert

# ---------------------------------------------------------------------------------------------
# Schemas
# ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Attribute:
    """An attribute of a resource.

    ``kind`` is a type as Terraform writes it in JSON. ``flags``: R required, O optional,
    C computed, F forces replacement, K keeps the state's value where it would be unknown,
    S sensitive. ``nested`` holds the attributes of a nested object (``x = { … }``), or with
    ``mapped`` of each object in a map of them.
    """

    kind: Any
    flags: str
    default: Any = None
    nested: Mapping[str, Attribute] | None = None
    mapped: bool = False


@dataclass(frozen=True)
class Block:
    """A block that may occur any number of times, in any order: attributes, and blocks within."""

    attributes: Mapping[str, Attribute]
    blocks: Mapping[str, Block] = field(default_factory=dict)


@dataclass(frozen=True)
class Resource:
    """A resource or data source: schema version, attributes, and blocks (``x { … }``).

    ``blocks`` occur once, ``sets`` any number of times.
    """

    version: int
    attributes: Mapping[str, Attribute]
    blocks: Mapping[str, Mapping[str, Attribute]] = field(default_factory=dict)
    sets: Mapping[str, Block] = field(default_factory=dict)


def text(flags: str) -> Attribute:
    """An attribute that holds a text."""
    return Attribute("string", flags)


def number(flags: str) -> Attribute:
    """An attribute that holds a number."""
    return Attribute("number", flags)


def flag(flags: str, default: bool | None = None) -> Attribute:
    """An attribute that holds true or false."""
    return Attribute("bool", flags, default)


def nested(flags: str, **attributes: Attribute) -> Attribute:
    """An attribute that holds an object, each of whose own attributes may be left out."""
    return Attribute(None, flags, nested=attributes)


def mapped(**attributes: Attribute) -> Attribute:
    """An attribute that may hold a map of objects, each of whose attributes may be left out."""
    return Attribute(None, "O", nested=attributes, mapped=True)


_DESTINATION_SCHEMA = {
    "name": text("OF"),
    "table": text("OF"),
    "prefix": text("OF"),
    "table_group_name": text("OF"),
}

# `schedule`, a block of fivetran_connector_schedule and an attribute of fivetran_connection_v2.
_SCHEDULE = {
    "schedule_type": text("O"),
    "interval": number("O"),
    "time_of_day": text("O"),
    "days_of_week": Attribute(["set", "string"], "O"),
    "cron": text("O"),
}

_CODES = ["set", ["object", {"code": "string", "message": "string"}]]
_STATUS = [
    "object",
    {
        "setup_state": "string",
        "is_historical_sync": "bool",
        "sync_state": "string",
        "update_state": "string",
        "tasks": _CODES,
        "warnings": _CODES,
    },
]

# What fivetran_connector and fivetran_connection have in common.
_CONNECTION = {
    "id": text("C"),
    "name": text("C"),
    "connected_by": text("C"),
    "created_at": text("C"),
    "group_id": text("RF"),
    "service": text("RF"),
    "networking_method": text("OC"),
    "proxy_agent_id": text("O"),
    "private_link_id": text("O"),
    "hybrid_deployment_agent_id": text("O"),
    "data_delay_sensitivity": text("O"),
    "data_delay_threshold": number("OC"),
    "run_setup_tests": flag("OC"),
    "trust_certificates": flag("OC"),
    "trust_fingerprints": flag("OC"),
}

RESOURCES = {
    "fivetran_group": Resource(
        0,
        {
            "id": text("C"),
            "name": text("RF"),
            "created_at": text("C"),
            "last_updated": text("C"),
        },
    ),
    "fivetran_connector": Resource(
        4,
        _CONNECTION,
        {
            "destination_schema": _DESTINATION_SCHEMA,
            # The true block has hundreds of attributes.
            "config": {
                "host": text("O"),
                "port": number("O"),
                "user": text("O"),
                "password": text("OS"),
                "database": text("O"),
                "update_method": text("OC"),
                "is_account_level_connector": text("O"),
            },
            "auth": {"access_token": text("OS")},
            "timeouts": {"create": text("O"), "update": text("O")},
        },
    ),
    "fivetran_connection": Resource(
        1,
        # `config` is a text that holds JSON; it is not marked as sensitive.
        {**_CONNECTION, "config": text("O"), "data_checks": flag("OC")},
        {"destination_schema": _DESTINATION_SCHEMA},
    ),
    "fivetran_connection_config": Resource(
        0,
        {
            "id": text("CK"),
            "connection_id": text("RF"),
            "config": text("O"),
            "auth": text("O"),
            "run_setup_tests": flag("OC", default=True),
            "trust_certificates": flag("OC", default=False),
            "trust_fingerprints": flag("OC", default=False),
        },
    ),
    "fivetran_connection_v2": Resource(
        0,
        {
            "id": text("CK"),
            "name": text("C"),
            "connected_by": text("C"),
            "created_at": text("C"),
            "succeeded_at": text("C"),
            "failed_at": text("C"),
            "service_version": text("C"),
            "status": Attribute(_STATUS, "C"),
            "group_id": text("RF"),
            "service": text("RF"),
            "destination_schema_names": text("RF"),
            "config": Attribute("dynamic", "OC"),
            "auth": Attribute("dynamic", "OS"),
            "sync_frequency": number("OCK"),
            "schedule_type": text("OCK"),
            "daily_sync_time": text("OCK"),
            "schedule": nested("OC", **_SCHEDULE),
            "pause_after_trial": flag("OCK"),
            "data_checks": flag("OCK"),
            "networking_method": text("OCK"),
            "proxy_agent_id": text("OCK"),
            "private_link_id": text("OCK"),
            "hybrid_deployment_agent_id": text("OCK"),
            "data_delay_sensitivity": text("OCK"),
            "data_delay_threshold": number("OCK"),
            "connect_card_config": nested(
                "O",
                redirect_uri=text("OFS"),
                hide_setup_guide=flag("OF"),
                all_fields=flag("OF"),
            ),
            "destination_configuration": nested("O", virtual_warehouse=text("O")),
            "run_setup_tests": flag("O"),
            "trust_certificates": flag("O"),
            "trust_fingerprints": flag("O"),
        },
    ),
    "fivetran_connection_v2_pause_state": Resource(
        0, {"id": text("C"), "connection_id": text("RF"), "paused": flag("R")}
    ),
    "fivetran_connector_schedule": Resource(
        0,
        {
            "id": text("C"),
            "connector_id": text("OC"),
            "group_id": text("O"),
            "connector_name": text("O"),
            # Texts all: "60", "false".
            "sync_frequency": text("OC"),
            "schedule_type": text("OC"),
            "paused": text("OC"),
            "pause_after_trial": text("OC"),
            "daily_sync_time": text("OC"),
        },
        {"schedule": _SCHEDULE},
    ),
    "fivetran_connector_schema_config": Resource(
        3,
        {
            "id": text("C"),
            "connector_id": text("OC"),
            "group_id": text("O"),
            "connector_name": text("O"),
            "schema_change_handling": text("OC"),
            "schemas": mapped(
                enabled=flag("O"),
                tables=mapped(
                    enabled=flag("O"),
                    sync_mode=text("O"),
                    columns=mapped(enabled=flag("O"), hashed=flag("O"), is_primary_key=flag("O")),
                ),
            ),
            "schemas_json": text("O"),
            "validation_level": text("OC"),
        },
        {"timeouts": {"create": text("O"), "read": text("O"), "update": text("O")}},
        {
            "schema": Block(
                {"name": text("R"), "enabled": text("O")},
                {
                    "table": Block(
                        {"name": text("R"), "enabled": text("O"), "sync_mode": text("O")},
                        {
                            "column": Block(
                                {"name": text("R"), "enabled": text("O"), "hashed": text("O")}
                            )
                        },
                    )
                },
            )
        },
    ),
    "fivetran_destination": Resource(
        2,
        {
            "id": text("C"),
            "group_id": text("RF"),
            "service": text("RF"),
            "region": text("OCK"),
            "time_zone_offset": text("R"),
            "setup_status": text("C"),
            "networking_method": text("OC"),
            "private_link_id": text("O"),
            "proxy_agent_id": text("O"),
            "hybrid_deployment_agent_id": text("O"),
            "run_setup_tests": flag("OC"),
            "trust_certificates": flag("OC"),
            "trust_fingerprints": flag("OC"),
            "daylight_saving_time_enabled": flag("OC"),
        },
        {
            "config": {
                "host": text("O"),
                "port": number("O"),
                "user": text("O"),
                "password": text("OS"),
                "database": text("O"),
                "connection_type": text("O"),
            },
            "timeouts": {"create": text("O"), "update": text("O")},
        },
    ),
    "fivetran_private_link": Resource(
        0,
        {
            "id": text("CK"),
            "name": text("RF"),
            "region": text("RF"),
            "service": text("RF"),
            "config_map": Attribute(["map", "string"], "R"),
            "cloud_provider": text("CK"),
            "state": text("CK"),
            "state_summary": text("CK"),
            "host": text("CK"),
            "created_at": text("CK"),
            "created_by": text("CK"),
        },
    ),
}

DATA_SOURCES = {
    "fivetran_connection": Resource(
        0,
        {
            "id": text("R"),
            "name": text("C"),
            "group_id": text("C"),
            "service": text("C"),
            # The API's types, unlike the schedule resource's.
            "sync_frequency": number("C"),
            "paused": flag("C"),
            "schedule_type": text("C"),
        },
    ),
}

_PROVIDER = Resource(
    0,
    {
        "api_key": text("O"),
        "api_secret": text("OS"),
        "api_url": text("O"),
        "skip_plan_time_validation": flag("O"),
    },
)

# ---------------------------------------------------------------------------------------------
# Values, as they travel: MessagePack, in which an unknown value is an extension of type 0
# ---------------------------------------------------------------------------------------------

UNKNOWN = msgpack.ExtType(0, b"\x00")
Values = dict[str, Any]


def is_unknown(value: Any) -> bool:
    """Whether ``value`` is *known after apply*."""
    return isinstance(value, msgpack.ExtType)


def encoded(value: Any) -> pb.DynamicValue:
    """Return ``value`` as Terraform reads it."""
    return pb.DynamicValue(msgpack=msgpack.packb(value, use_bin_type=True))


def decoded(value: pb.DynamicValue) -> Any:
    """Return what Terraform sent."""
    if value.json:
        return json.loads(value.json)
    if not value.msgpack:
        return None
    return msgpack.unpackb(value.msgpack, raw=False, strict_map_key=False)


def _attributes(attributes: Mapping[str, Attribute]) -> list[pb.Schema.Attribute]:
    declared = []
    for name, attribute in attributes.items():
        flags = attribute.flags
        shape: Values = {"type": json.dumps(attribute.kind).encode()}
        if attribute.nested is not None:
            inside = _attributes(attribute.nested)
            many = pb.Schema.Object.MAP if attribute.mapped else pb.Schema.Object.SINGLE
            shape = {"nested_type": pb.Schema.Object(attributes=inside, nesting=many)}
        declared.append(
            pb.Schema.Attribute(
                name=name,
                required="R" in flags,
                optional="O" in flags,
                computed="C" in flags,
                sensitive="S" in flags,
                **shape,
            )
        )
    return declared


def _schema(resource: Resource) -> pb.Schema:
    blocks = [
        pb.Schema.NestedBlock(
            type_name=name,
            nesting=pb.Schema.NestedBlock.SINGLE,
            block=pb.Schema.Block(attributes=_attributes(attributes)),
        )
        for name, attributes in resource.blocks.items()
    ]
    blocks += _sets(resource.sets)
    block = pb.Schema.Block(attributes=_attributes(resource.attributes), block_types=blocks)
    return pb.Schema(version=resource.version, block=block)


def _sets(blocks: Mapping[str, Block]) -> list[pb.Schema.NestedBlock]:
    return [
        pb.Schema.NestedBlock(
            type_name=name,
            nesting=pb.Schema.NestedBlock.SET,
            block=pb.Schema.Block(
                attributes=_attributes(block.attributes), block_types=_sets(block.blocks)
            ),
        )
        for name, block in blocks.items()
    ]


# ---------------------------------------------------------------------------------------------
# Planning and applying
# ---------------------------------------------------------------------------------------------


@dataclass
class Planner:
    """Plans one resource; ``replaces`` collects the paths that force a replacement."""

    created: bool
    changed: bool
    replaces: list[list[str]] = field(default_factory=list)

    def plan(
        self,
        attributes: Mapping[str, Attribute],
        config: Values,
        prior: Values,
        proposed: Values,
        path: tuple[str, ...] = (),
    ) -> Values:
        """Return what the values will be, for the resource's own attributes or a block's."""
        planned = dict(proposed)
        for name, attribute in attributes.items():
            if "C" in attribute.flags and config.get(name) is None:
                planned[name] = self._unset(attribute, prior.get(name), proposed.get(name))
            elif (
                attribute.nested is not None
                and not attribute.mapped
                and isinstance(planned.get(name), dict)
            ):
                planned[name] = self.plan(
                    attribute.nested,
                    config.get(name) or {},
                    prior.get(name) or {},
                    planned[name],
                    (*path, name),
                )
            forced = "F" in attribute.flags and not self.created
            if forced and prior.get(name) != planned.get(name):
                self.replaces.append([*path, name])
        return planned

    def _unset(self, attribute: Attribute, prior: Any, proposed: Any) -> Any:
        """Return the plan for a computed attribute that the configuration leaves out."""
        if attribute.default is not None:
            return attribute.default
        if not self.created and not self.changed:
            return proposed
        keeps = "K" in attribute.flags and prior is not None
        return prior if keeps else UNKNOWN


def schema_name(values: Values) -> str:
    """Return the API's `schema` of a connection: prefix, name, name.table or name.group."""
    within = values.get("destination_schema") or {}
    config = values.get("config")
    if isinstance(config, list) and isinstance(config[1], dict):  # dynamic: [type, value]
        within = config[1] | {
            "name": config[1].get("schema"),
            "prefix": config[1].get("schema_prefix"),
        }
    first = within.get("prefix") or within.get("name") or ""
    second = within.get("table") or within.get("table_group_name") or ""
    return ".".join(part for part in (first, second) if part)


def _slug(value: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", value.lower()).strip("_") or "made"


def connection_id(group_id: str, schema: str) -> str:
    """Return the id that a connection of this group and schema gets, always the same."""
    digest = hashlib.sha256(f"{group_id}/{schema}".encode()).hexdigest()
    return f"{_slug(schema)}_{digest[:4]}"


def _made_id(type_name: str, values: Values) -> str:
    if "service" in values and schema_name(values):
        return connection_id(values["group_id"], schema_name(values))
    told = sorted((k, v) for k, v in values.items() if v is not None and not is_unknown(v))
    digest = hashlib.sha256(repr((type_name, told)).encode()).hexdigest()
    name = values.get("name")
    label = name if isinstance(name, str) else type_name.removeprefix("fivetran_")
    return f"{_slug(label)}_{digest[:4]}"


def _made_value(name: str, attribute: Attribute, values: Values) -> Any:
    """Return what the service would have answered for an attribute that was unknown."""
    if attribute.kind == _STATUS:
        return {
            "setup_state": "incomplete",
            "is_historical_sync": True,
            "sync_state": "paused",
            "update_state": "on_schedule",
            "tasks": [],
            "warnings": [],
        }
    if attribute.kind == "bool":
        return False
    if attribute.kind == "number":
        return 360 if name == "sync_frequency" else 0
    if attribute.kind != "string":
        return None
    if name == "sync_frequency":
        # The schedule resource's state has "" where the API has null.
        schedule = values.get("schedule") or {}
        return "" if schedule.get("schedule_type", "INTERVAL") != "INTERVAL" else "360"
    if name == "connector_id" and values.get("connector_name"):
        return connection_id(values["group_id"], values["connector_name"])
    answers = {
        "paused": "true",
        "pause_after_trial": "false",
        "schedule_type": "auto",
        "daily_sync_time": "",
        "networking_method": "Directly",
        "data_delay_sensitivity": "NORMAL",
        "created_at": "2024-01-01 00:00:00 +0000 UTC",
        "connected_by": "user_of_the_key",
        "service_version": "1",
    }
    return answers.get(name)


def _fill(attributes: Mapping[str, Attribute], values: Values, whole: Values) -> None:
    for name, attribute in attributes.items():
        if is_unknown(values.get(name)):
            values[name] = _made_value(name, attribute, whole)


def applied(type_name: str, planned: Values) -> Values:
    """Return the state after an apply: the plan, with a value for everything."""
    resource, values = RESOURCES[type_name], dict(planned)
    if is_unknown(values.get("id")):
        values["id"] = _made_id(type_name, values)
    if "destination_schema" in resource.blocks or type_name == "fivetran_connection_v2":
        values["name"] = schema_name(values)
    _fill(resource.attributes, values, dict(values))
    for name, attributes in resource.blocks.items():
        if isinstance(values.get(name), dict):
            values[name] = dict(values[name])
            _fill(attributes, values[name], values)
    for owner in ("connector_id", "connection_id"):
        if values.get(owner):
            values["id"] = values[owner]
    return values


# ---------------------------------------------------------------------------------------------
# The plugin protocol, version 6
# ---------------------------------------------------------------------------------------------


class Provider(rpc.ProviderServicer):
    """What Terraform asks of a provider."""

    def GetMetadata(self, request: Any, context: Any) -> Any:
        metadata = pb.GetMetadata
        return metadata.Response(
            resources=[metadata.ResourceMetadata(type_name=name) for name in RESOURCES],
            data_sources=[metadata.DataSourceMetadata(type_name=name) for name in DATA_SOURCES],
        )

    def GetProviderSchema(self, request: Any, context: Any) -> Any:
        return pb.GetProviderSchema.Response(
            provider=_schema(_PROVIDER),
            resource_schemas={name: _schema(resource) for name, resource in RESOURCES.items()},
            data_source_schemas={name: _schema(data) for name, data in DATA_SOURCES.items()},
        )

    def ValidateProviderConfig(self, request: Any, context: Any) -> Any:
        return pb.ValidateProviderConfig.Response()

    def ValidateResourceConfig(self, request: Any, context: Any) -> Any:
        return pb.ValidateResourceConfig.Response()

    def ValidateDataResourceConfig(self, request: Any, context: Any) -> Any:
        return pb.ValidateDataResourceConfig.Response()

    def ConfigureProvider(self, request: Any, context: Any) -> Any:
        return pb.ConfigureProvider.Response()

    def UpgradeResourceState(self, request: Any, context: Any) -> Any:
        state = json.loads(request.raw_state.json)
        for name, attribute in RESOURCES[request.type_name].attributes.items():
            value = state.get(name)
            if attribute.kind == "dynamic" and isinstance(value, dict) and "type" in value:
                state[name] = [json.dumps(value["type"]).encode(), value["value"]]
        return pb.UpgradeResourceState.Response(upgraded_state=encoded(state))

    def ReadResource(self, request: Any, context: Any) -> Any:
        state = decoded(request.current_state)
        drift = json.loads(os.environ.get("FIVETRAN_DRIFT", "{}"))
        if state and state.get("id") in drift.get("gone", []):
            state = None
        elif state:
            state.update(drift.get(f"{request.type_name}/{state.get('id')}", {}))
        return pb.ReadResource.Response(new_state=encoded(state))

    def ReadDataSource(self, request: Any, context: Any) -> Any:
        state = decoded(request.config) | {
            "name": "legacy_db",
            "group_id": "g1",
            "service": "postgres",
            "sync_frequency": 60,
            "paused": False,
            "schedule_type": "auto",
        }
        return pb.ReadDataSource.Response(state=encoded(state))

    def PlanResourceChange(self, request: Any, context: Any) -> Any:
        prior, proposed = decoded(request.prior_state), decoded(request.proposed_new_state)
        if proposed is None:
            return pb.PlanResourceChange.Response(planned_state=encoded(None))
        resource, config = RESOURCES[request.type_name], decoded(request.config) or {}
        planner = Planner(created=prior is None, changed=proposed != prior)
        planned = planner.plan(resource.attributes, config, prior or {}, proposed)
        for name, attributes in resource.blocks.items():
            if isinstance(planned.get(name), dict):
                before = (prior or {}).get(name) or {}
                inside = config.get(name) or {}
                planned[name] = planner.plan(attributes, inside, before, planned[name], (name,))
        paths = [
            pb.AttributePath(steps=[pb.AttributePath.Step(attribute_name=step) for step in path])
            for path in planner.replaces
        ]
        return pb.PlanResourceChange.Response(
            planned_state=encoded(planned), requires_replace=paths
        )

    def ApplyResourceChange(self, request: Any, context: Any) -> Any:
        planned = decoded(request.planned_state)
        state = None if planned is None else applied(request.type_name, planned)
        return pb.ApplyResourceChange.Response(new_state=encoded(state))

    def ImportResourceState(self, request: Any, context: Any) -> Any:
        """Import anything, as a MySQL connection named imported_db in the group g_imported."""
        resource = RESOURCES[request.type_name]
        found = {
            "id": request.id,
            "name": "imported_db",
            "group_id": "g_imported",
            "service": "mysql",
            "networking_method": "Directly",
            "connected_by": "user_of_the_key",
            "created_at": "2024-01-01 00:00:00 +0000 UTC",
        }
        state: Values = dict.fromkeys((*resource.attributes, *resource.blocks))
        state |= {name: value for name, value in found.items() if name in state}
        if "destination_schema" in state:
            state["destination_schema"] = dict.fromkeys(_DESTINATION_SCHEMA)
            state["destination_schema"]["prefix"] = "imported_db"
        imported = pb.ImportResourceState.ImportedResource(
            type_name=request.type_name, state=encoded(state)
        )
        return pb.ImportResourceState.Response(imported_resources=[imported])

    def MoveResourceState(self, request: Any, context: Any) -> Any:
        return pb.MoveResourceState.Response()

    def GetFunctions(self, request: Any, context: Any) -> Any:
        return pb.GetFunctions.Response()

    def StopProvider(self, request: Any, context: Any) -> Any:
        return pb.StopProvider.Response()


class Controller(controller.GRPCControllerServicer):
    """Ends the process when Terraform is done."""

    def Shutdown(self, request: Any, context: Any) -> Any:
        os._exit(0)


class Output(stdio.GRPCStdioServicer):
    """Says nothing, for as long as Terraform listens."""

    def StreamStdio(self, request: Any, context: Any) -> Iterator[Any]:
        while True:
            time.sleep(3600)
            yield


def serve() -> None:
    """Serve on a socket of one's own, and tell Terraform which: the plugin handshake."""
    server = grpc.server(futures.ThreadPoolExecutor(16))
    rpc.add_ProviderServicer_to_server(Provider(), server)
    controller.add_GRPCControllerServicer_to_server(Controller(), server)
    stdio.add_GRPCStdioServicer_to_server(Output(), server)
    certificate, credentials = _self_signed_cert()
    socket = os.path.join(tempfile.mkdtemp(), "provider.sock")
    server.add_secure_port(f"unix://{socket}", credentials)
    server.start()
    shown = base64.b64encode(certificate).decode().rstrip("=")
    print("|".join(["1", "6", "unix", socket, "grpc", shown]), flush=True)
    server.wait_for_termination(600)


if __name__ == "__main__":
    sys.exit(serve())
