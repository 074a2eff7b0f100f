"""From resources to connections: what is known of each field, and what belongs to what."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.decoding.gaps import Gap
from auditor.sources.plan.planned import Action, Planned
from auditor.sources.plan.records import facts_of
from tests.builders.plans import change, connection, document, estate, schema_config, values
from tests.builders.slow import tries


def test_a_created_connection_takes_the_documented_defaults():
    crm = connection(estate("walk"), "fivetran_connector.crm")
    assert values(crm, "paused", "sync_frequency", "schedule_type", "pause_after_trial") == {
        "paused": ("DEFAULT", True),
        "sync_frequency": ("DEFAULT", 360),
        "schedule_type": ("DEFAULT", "auto"),
        "pause_after_trial": ("DEFAULT", False),
    }
    assert crm.identity == "terraform:fivetran_connector.crm"
    assert (crm.action, crm.replace_reason) == (Action.REPLACE, ("service",))


def test_a_schedule_has_the_apis_types_and_its_own_address():
    events = connection(estate("walk"), "fivetran_connector.events")
    assert values(events, "sync_frequency", "paused") == {
        "sync_frequency": ("KNOWN", 5),
        "paused": ("KNOWN", False),
    }
    assert events.fields["sync_frequency"].address == "fivetran_connector_schedule.events"


def test_what_a_changed_schedule_does_not_set_stays_as_it_was():
    orders = connection(estate("walk"), "fivetran_connector.orders")
    assert orders.touched
    assert orders.action is Action.UPDATE  # by its schedule, though its own resource is a no-op
    assert values(orders, "sync_frequency", "schedule_type", "paused") == {
        "sync_frequency": ("KNOWN", 5),
        "schedule_type": ("KEPT", "auto"),
        "paused": ("KNOWN", False),
    }
    assert orders.fields["sync_frequency"].before == 60
    assert facts_of(orders)["changed"] == ["sync_frequency"]


def test_the_schedule_of_a_replaced_connection_sends_what_it_sets():
    orders = connection(estate("walk-replace"), "fivetran_connector.orders")
    assert orders.replace_reason == ("replace_by_request",)
    assert values(orders, "sync_frequency", "schedule_type") == {
        "sync_frequency": ("KNOWN", 60),
        "schedule_type": ("DEFAULT", "auto"),
    }


def test_what_no_plan_holds_is_a_gap_and_what_could_be_written_says_so():
    a = connection(estate("small"), "fivetran_connector.a")
    for name in ("status", "succeeded_at", "id", "connected_by", "created_at"):
        assert a.fields[name].state.name == "NOT_IN_PLAN", name
    networking = a.fields["networking_method"]
    assert networking.state.name == "UNKNOWN"
    assert "write networking_method of fivetran_connector.a" in networking.value.reason
    assert a.fields["group_id"].value.identity == "terraform:fivetran_group.g"


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("interval", {"sync_frequency": 5, "schedule_type": "auto", "daily_sync_time": None}),
        ("daily", {"sync_frequency": None, "schedule_type": "auto", "daily_sync_time": "03:00"}),
        ("cron", {"sync_frequency": None, "schedule_type": "auto", "daily_sync_time": None}),
        ("manual", {"sync_frequency": None, "schedule_type": "manual", "daily_sync_time": None}),
    ],
)
def test_a_schedule_block_is_read_as_the_api_would_say_it(kind: str, wanted: dict[str, Any]):
    planned = connection(estate("schedules"), f'fivetran_connector.c["{kind}"]')
    assert {name: planned.fields[name].value for name in wanted} == wanted


def test_a_schedule_of_a_connection_outside_the_plan_is_a_record_of_its_own():
    found = estate("schedules")
    by_hand = connection(found, "fivetran_connector_schedule.elsewhere")
    assert (by_hand.identity, by_hand.real_id, by_hand.touched) == ("made_by_hand",) * 2 + (True,)
    assert by_hand.fields["sync_frequency"].value == 5
    by_name = connection(found, "fivetran_connector_schedule.by_name")
    assert by_name.identity == "terraform:fivetran_connector_schedule.by_name"
    assert (by_name.shown("group_id"), by_name.shown("schema")) == ("g_other", "by_hand_too")
    by_data = connection(found, "fivetran_connector_schedule.by_data")
    assert by_data.identity == "known_by_data"


def test_modules_counts_keys_variables_and_outputs_are_followed():
    found = estate("modules")
    joined = {p.address: p.resources[1:] for p in found.connections}
    sales = 'module.team["sales"].fivetran_connector'
    assert joined[f"{sales}.db"] == [f"{sales}_schedule.db"]
    assert joined["fivetran_connector.root"] == [
        "module.schedule.fivetran_connector_schedule.given"
    ]
    assert "fivetran_connector_schedule.of_single" in joined["module.single.fivetran_connector.db"]
    assert joined["fivetran_connector.many[1]"] == ["fivetran_connector_schedule.many[1]"]
    assert found.warnings == found.problems == ()


def test_an_ambiguous_target_leaves_differing_fields_unknown():
    found = estate("forms")
    c = connection(found, 'fivetran_connector.c["b"]')
    frequency = c.fields["sync_frequency"]
    assert isinstance(frequency.value, Gap)
    assert "fivetran_connector_schedule.splat" in frequency.value.reason
    assert c.fields["paused"].value is False  # no undecided resource sets it
    assert any("t[0]" in text for text in found.warnings)


def test_two_resources_that_disagree_are_both_named():
    a = connection(estate("forms"), 'fivetran_connector.c["a"]')
    told = a.fields["paused"].value.reason
    assert "fivetran_connection_v2_pause_state.x" in told
    assert "fivetran_connector_schedule.s" in told


def test_a_position_among_values_is_never_taken_for_a_key():
    found = estate("forms")
    assert all("schedule.t[" not in r for p in found.connections for r in p.resources)


@pytest.mark.parametrize("waits", [True, False])
def test_data_that_is_read_later_may_have_the_id_of_any(waits: bool):
    """By hand: one connection, or that of a data source, which may wait for the other."""
    plan = document("small")
    for resource in plan["configuration"]["root_module"]["resources"]:
        if resource["address"].endswith("schedule.locals"):
            data, one = "data.fivetran_connection.x.id", "fivetran_connector.a.id"
            resource["expressions"]["connector_id"] = {"references": [data, one]}
    read = {
        "address": "data.fivetran_connection.x",
        "mode": "data",
        "change": {"actions": ["read"]},
    }
    plan["resource_changes"] += [read] * waits
    other = connection(estate(plan), "fivetran_connector.b")
    assert (other.fields["sync_frequency"].state.name == "UNKNOWN") is waits


def test_an_undecided_schedule_that_could_be_for_none_is_a_problem():
    plan = document("small")
    plan["resource_changes"] = [
        c for c in plan["resource_changes"] if c["address"].endswith("schedule.locals")
    ]
    (problem,) = estate(plan).problems
    assert "fivetran_connector_schedule.locals" in problem
    assert "connector_id = TYPE.NAME.id" in problem


def test_a_v2_connection_is_auto_until_the_second_apply():
    found = estate("v2")
    api = connection(found, "fivetran_connection_v2.api")
    assert api.fields["schedule_type"].value == "auto"
    assert any("second apply" in text for text in found.remarks)
    assert values(api, "schema", "paused") == {
        "schema": ("KNOWN", "api"),
        "paused": ("KNOWN", False),
    }


def test_settings_in_json_are_read_and_joined_and_always_sensitive():
    db = connection(estate("secrets"), "fivetran_connection.db")
    config = db.fields["config"]
    assert config.value["host"] == "db.internal"
    assert config.value["port"] == 5432
    assert config.sensitive == {""}


def test_moves_imports_and_what_is_forgotten_are_reported():
    found = estate("moves")
    moved = connection(found, "fivetran_connector.new_name")
    assert not moved.touched
    assert connection(found, "fivetran_connector.imported").touched
    assert connection(found, "fivetran_connector.forgotten").action is Action.FORGET
    kept = connection(found, "fivetran_connector.kept")
    assert not kept.touched
    assert values(kept, "sync_frequency") == {"sync_frequency": ("KEPT", 5)}
    assert any("its connection keeps what it set" in text for text in found.remarks)


def test_two_accounts_are_told_apart_and_two_names_of_one_are_one():
    found = estate("accounts")
    assert found.accounts == ("fivetran", "fivetran.eu")
    assert {p.address: p.account for p in found.connections} == {
        "fivetran_connector.eu": "fivetran.eu",
        "fivetran_connector.us": "fivetran",
        "fivetran_connector.us_too": "fivetran",
    }


@pytest.mark.parametrize("action", ["recycle", "read"])
def test_an_action_that_is_not_known_is_a_problem_and_is_judged(action: str):
    """Only data is read."""
    plan = document("walk")
    change(plan, "fivetran_connector.events")["actions"] = [action]
    found = estate(plan)
    assert any(f"the action {action} is not known" in text for text in found.problems)
    assert connection(found, "fivetran_connector.events").touched


@pytest.mark.parametrize("actions", [["create", "forget"], ["forget", "create"]])
def test_what_is_replaced_may_stay_alive(actions: list[str]):
    plan = document("walk-replace")
    change(plan, "fivetran_connector.orders")["actions"] = actions
    found = estate(plan)
    assert found.problems == ()
    orders = connection(found, "fivetran_connector.orders")
    assert (orders.action, orders.forgotten_twin) == (Action.REPLACE, True)
    assert "fivetran_connector.orders: what it was stays alive, outside Terraform" in found.remarks


def _left_behind(plan: dict[str, Any], address: str, **change: Any) -> None:
    """Add what an earlier replacement has left of a resource, with another id."""
    twin = copy.deepcopy(next(c for c in plan["resource_changes"] if c["address"] == address))
    before = {**(twin["change"]["before"] or twin["change"]["after"]), "id": "old_one"}
    twin["deposed"] = "abcd1234"
    twin["change"] |= {"actions": ["delete"], "before": before, "after": None, "after_unknown": {}}
    twin["change"] |= change
    plan["resource_changes"].append(twin)


@pytest.mark.parametrize(("action", "done"), [("delete", "destroyed"), ("forget", "forgotten")])
def test_a_deposed_connection_ends_beside_the_one_of_its_address(action: str, done: str):
    plan = document("walk")
    _left_behind(plan, "fivetran_connector.crm", actions=[action])
    found = estate(plan)
    assert f"fivetran_connector.crm: an old object of it (abcd1234) is {done}" in found.remarks
    assert found.problems == ()
    (old,) = [p for p in found.connections if p.real_id == "old_one"]
    assert (old.address, old.action, old.identity) == (
        "fivetran_connector.crm",
        Action(action),
        "old_one",
    )
    others = [p for p in found.connections if p is not old]
    assert others == estate("walk").connections


def test_a_deposed_object_that_is_gone_or_is_no_connection_is_none():
    plan = document("walk")
    _left_behind(plan, "fivetran_connector.crm", actions=["no-op"])
    assert not any("old object" in text for text in estate(plan).remarks)
    _left_behind(plan, "fivetran_connector_schedule.orders")
    found = estate(plan)
    assert any("an old object of it (abcd1234) is destroyed" in text for text in found.remarks)
    assert found.connections == estate("walk").connections


# By hand: the shapes of provider 0.7.1 and before, when a connector held its own schedule, and
# blocks were lists.
_OLD = {
    "address": "fivetran_connector.old",
    "mode": "managed",
    "type": "fivetran_connector",
    "name": "old",
    "provider_name": "registry.terraform.io/fivetran/fivetran",
    "change": {
        "actions": ["create"],
        "before": None,
        "after": {
            "group_id": "g1",
            "service": "postgres",
            "sync_frequency": "5",
            "paused": "false",
            "pause_after_trial": "true",
            "schedule_type": "auto",
            "destination_schema": [{"prefix": "old", "name": None, "table": None}],
            "config": [{"host": "h", "password": "hunter2"}],
        },
        "after_unknown": {"id": True, "status": True, "succeeded_at": True},
        "before_sensitive": False,
        "after_sensitive": {"config": [{"password": True}]},
    },
}


def test_the_shapes_of_old_providers_are_read():
    old = connection(
        estate({"format_version": "0.2", "resource_changes": [_OLD], "configuration": {}}),
        "fivetran_connector.old",
    )
    assert values(old, "sync_frequency", "paused", "pause_after_trial", "schema", "status") == {
        "sync_frequency": ("KNOWN", 5),
        "paused": ("KNOWN", False),
        "pause_after_trial": ("KNOWN", True),
        "schema": ("KNOWN", "old"),
        "status": old.fields["status"] and ("NOT_IN_PLAN", old.fields["status"].value),
    }
    assert old.fields["config"].value["host"] == "h"


def _told(planned: Planned) -> object:
    fields = {n: (h.state, repr(h.value), h.address) for n, h in planned.fields.items()}
    return planned.identity, planned.action, planned.touched, sorted(planned.resources), fields


@settings(max_examples=tries(25), deadline=None, derandomize=True)
@given(st.sampled_from(["walk", "forms", "modules", "schedules", "secrets", "moves"]), st.data())
def test_the_order_of_resources_changes_nothing(name: str, data: st.DataObject):
    plan = document(name)
    mixed = {**plan, "resource_changes": data.draw(st.permutations(plan["resource_changes"]))}
    one, other = estate(plan), estate(mixed)
    assert list(map(_told, one.connections)) == list(map(_told, other.connections))
    assert sorted(one.warnings) == sorted(other.warnings)


_COLUMNS = {"email": {"hashed": True}, "ssn": {"enabled": False, "hashed": None}}
_TABLES = {"people": {"enabled": True, "sync_mode": "HISTORY", "columns": _COLUMNS}}


@pytest.mark.parametrize(
    "form",
    [
        {"schemas": {"public": {"enabled": True, "tables": _TABLES}}},
        {"schemas_json": json.dumps({"public": {"enabled": True, "tables": _TABLES}})},
        {
            "schema": [
                {
                    "name": "public",
                    "table": [
                        {
                            "name": "people",
                            "enabled": "true",
                            "sync_mode": "HISTORY",
                            "column": [
                                {"name": "email", "hashed": "true", "enabled": ""},
                                {"name": "ssn", "enabled": "false", "hashed": ""},
                            ],
                        }
                    ],
                }
            ]
        },
    ],
    ids=["a map", "JSON", "blocks"],
)
def test_a_schema_config_is_part_of_its_connection(form: dict[str, Any]):
    plan = schema_config(schema_change_handling="BLOCK_ALL", **form)
    held = connection(estate(plan), "fivetran_connector.orders").fields["schema_config"].value
    assert held["schema_change_handling"] == "BLOCK_ALL"
    (table,) = held["tables"]
    assert table == {
        "schema": "public",
        "name": "people",
        "enabled": True,
        "sync_mode": "HISTORY",
    }
    email, ssn = held["columns"]
    assert (email["table"], email["name"], email["hashed"]) == ("people", "email", True)
    assert ssn["enabled"] is False
    assert isinstance(ssn["hashed"], Gap) or ssn["hashed"] is None


def test_a_name_may_be_that_of_a_connection_whose_name_is_not_known_yet():
    """By hand: `prefix` is what something else will be called."""
    plan = document("secrets")
    named = change(plan, "fivetran_connection.db")
    named["after"]["destination_schema"]["prefix"] = None
    named["after_unknown"]["destination_schema"] = {"prefix": True}
    found = estate(plan)
    db = connection(found, "fivetran_connection.db")
    told = db.fields["sync_frequency"].value
    assert isinstance(told, Gap)
    assert "fivetran_connector_schedule.named" in told.reason
    assert "fivetran_connector_schedule.named" not in {p.address for p in found.connections}


@pytest.mark.parametrize(
    ("us", "eu", "accounts"),
    [
        ({"constant_value": "a"}, {"constant_value": "b"}, 2),
        ({"constant_value": "a"}, {"constant_value": "a"}, 1),
        ({"references": ["var.key"]}, {"references": ["var.key"]}, 1),  # they share a group
        ({"references": ["var.key"]}, {"references": ["var.other"]}, 2),
        ({}, {}, 2),  # a function hides what it comes to
        (None, None, 2),  # the module's own default, which is not looked at
    ],
)
def test_a_providers_credentials_are_followed_out_of_modules(us: Any, eu: Any, accounts: int):
    plan = document("keys")
    calls = plan["configuration"]["root_module"]["module_calls"]
    for name, given_key in (("us", us), ("eu", eu)):
        calls[name]["expressions"].pop("key")
        if given_key is not None:
            calls[name]["expressions"]["key"] = given_key
    assert len(estate(plan).accounts) == accounts


def test_the_id_of_what_is_for_a_connection_is_the_connections():
    """As the provider's guides have it: the schedule waits for the columns by their id."""
    found = estate("guide")
    joined = {p.address: p.resources[1:] for p in found.connections}
    assert joined == {
        "fivetran_connector.log": [
            "fivetran_connector_schedule.log",
            "fivetran_connector_schema_config.log",
        ],
        **{
            f'fivetran_connector.team["{key}"]': [
                f'fivetran_connector_schedule.team["{key}"]',
                f'fivetran_connector_schema_config.team["{key}"]',
            ]
            for key in ("blue", "green")
        },
    }
    assert found.warnings == found.problems == ()
    log = connection(found, "fivetran_connector.log")
    columns = {c["name"]: c for c in log.fields["schema_config"].value["columns"]}
    assert columns["customer_email"]["hashed"] is False
    blue = connection(found, 'fivetran_connector.team["blue"]').fields
    assert blue["sync_frequency"].value == 5
    assert blue["schema_config"].value["columns"][0]["hashed"] is True


def test_resources_that_name_each_other_in_a_circle_are_undecided():
    """By hand: no Terraform makes such a plan."""
    plan = document("guide")
    for resource in plan["configuration"]["root_module"]["resources"]:
        if resource["address"] == "fivetran_connector_schema_config.log":
            circle = {"references": ["fivetran_connector_schedule.log.id"]}
            resource["expressions"]["connector_id"] = circle
    assert len(estate(plan).problems) == 2


@pytest.mark.parametrize(
    ("kind", "after", "problems", "warnings"),
    [
        ("fivetran_connection_v3", {"group_id": "g", "service": "s"}, 1, 0),
        ("fivetran_sync_window", {"connection_id": "orders_5153"}, 1, 0),
        ("fivetran_banner", {"text": "t"}, 0, 1),
        ("fivetran_team_connector_membership", {"connection_id": "orders_5153"}, 0, 0),
        ("fivetran_connector_fingerprints", {"connector_id": "orders_5153"}, 0, 0),
        ("aws_connection_v3", {"connection_id": "x"}, 0, 0),
    ],
)
def test_a_type_that_is_not_known_is_said_to_be_so(
    kind: str, after: dict[str, Any], problems: int, warnings: int
):
    """By hand: no release of the provider has some of these."""
    plan = document("walk")
    new = copy.deepcopy(plan["resource_changes"][0])
    new |= {"address": f"{kind}.new", "type": kind, "name": "new"}
    new["change"] |= {"actions": ["create"], "before": None, "after": after}
    plan["resource_changes"].append(new)
    found = estate(plan)
    said = [f"{kind}.new: resources of the type {kind} are not known"]
    assert [text.partition(", and")[0] for text in found.problems] == said * problems
    assert [text.partition(", and")[0] for text in found.warnings] == said * warnings
    new["change"]["actions"] = ["no-op"]
    assert estate(plan).problems == ()
