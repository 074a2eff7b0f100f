"""A plan's effect on groups, destinations and the like, and on rules about facts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from auditor import PlanSource, audit, load_policies
from auditor.model import Result
from auditor.sources.api.walk import FivetranSource
from tests.builders.account_server import AccountServer
from tests.builders.account_server import connection as listed
from tests.builders.facts import IMPATIENT, KEY
from tests.builders.plans import PLANS, document, of_these

RULES = """\
policy: p
rules:
  - {id: home, severity: low, assert: {destination.region: GCP_EUROPE_WEST3}}
  - {id: daylight, severity: low, when: {destination.daylight_saving_time_enabled: true},
     assert: {service: postgres}}
  - {id: few, severity: low, per: destination.region, assert: {count: {lte: 1}}}
"""
HOME, AWAY, FAR = "GCP_EUROPE_WEST3", "GCP_US_EAST4", "AWS_US_EAST_1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules.yaml").write_text(RULES)
    return tmp_path


def _over(
    folder: Path,
    plan: Mapping[str, Any],
    regions: Mapping[str, str],
    lists: Mapping[str, Any] | None = None,
    written: Path | None = None,
) -> Result:
    """Lay a plan over a live account whose groups have destinations in ``regions``.

    ``written`` is the folder of the plan's configuration.
    """
    rows = [("orders_5153", "g_prod"), ("trial_d38c", "g_lab"), ("far", "g_far")]
    served: dict[str, Any] = {
        "/v1/connections": [
            listed(name, schema=name.partition("_")[0], group_id=group)
            for name, group in rows
            if group in regions
        ],
        "/v1/groups": [
            {"id": group, "name": group, "created_at": "2024-01-01T00:00:00Z"} for _, group in rows
        ],
        "/v1/destinations": [
            {
                "id": name,
                "group_id": name,
                "service": "snowflake",
                "region": region,
                "time_zone_offset": "0",
                "setup_status": "connected",
                "daylight_saving_time_enabled": False,
            }
            for name, region in regions.items()
        ],
        **(lists or {}),
    }
    (folder / "plan.json").write_text(json.dumps(plan))
    files = str(written) if written is not None else None
    source = PlanSource(str(folder / "plan.json"), folder=files)
    with AccountServer(served) as server:
        source.lay_over({"": FivetranSource(server.url, KEY, options=IMPATIENT)})
        return audit(source, load_policies(str(folder / "rules.yaml")))


def _found(result: Result) -> dict[tuple[str, str], str]:
    return {
        (f.rule.id, f.group or ",".join(c.schema for c in f.connections)): f.verdict.label
        for f in result.findings
    }


def _code(result: Result) -> int:
    return result.gate.exit_code


def _set(result: Result, rule: str, name: str) -> list[tuple[str, ...]]:
    """Return what sets a finding: resource, action, then each attribute with before and after."""
    (found,) = [
        f
        for f in result.findings
        if f.rule.id == rule and name in [c.schema for c in f.connections]
    ]
    return [
        (r.address, r.action, *(f"{a.name} {a.before or '-'} > {a.after}" for a in r.attributes))
        for r in found.resources
    ]


def test_facts_are_judged_as_the_plan_would_have_them(folder: Path):
    ran = _over(folder, document("warehouse"), {"g_prod": HOME, "g_far": FAR})
    assert _code(ran) == 1
    assert _found(ran) == {
        ("home", "orders"): "fail",  # by its destination, though nothing else of it changes
        ("home", "trial"): "fail",  # a destination that comes with it
        ("home", "far"): "known",
        ("few", AWAY): "fail",
    }
    # What brings a finding is named, with the attribute to change; of what was so, nothing is.
    assert _set(ran, "home", "orders") == [
        ("fivetran_destination.prod", "update", f"region {HOME} > {AWAY}"),
        ("fivetran_connector.orders", "no-op"),
    ]
    assert _set(ran, "home", "trial") == [
        ("fivetran_destination.lab", "create", f"region - > {AWAY}"),
        ("fivetran_connector.trial", "create"),
    ]
    assert _set(ran, "home", "far") == []
    (both,) = [f for f in ran.findings if f.rule.id == "few"]
    assert {r.address for r in both.resources} >= {
        "fivetran_destination.prod",
        "fivetran_destination.lab",
    }
    assert "fivetran_destination.prod" in next(f.message for f in ran.findings)
    # Whether the new destination saves daylight no plan holds.
    assert {rule.rule.id: rule.not_in_plan for rule in ran.checks if rule.not_in_plan} == {
        "daylight": 1
    }


def test_a_row_of_another_list_is_shown_where_it_is_written(folder: Path):
    written = PLANS.parent / "configs" / "warehouse" / "after"
    ran = _over(folder, document("warehouse"), {"g_prod": HOME}, written=written)
    (found,) = [
        f for f in ran.findings if (f.rule.id, f.connections[0].schema) == ("home", "orders")
    ]
    first = found.resources[0]
    assert first.address == "fivetran_destination.prod"
    spot = first.attributes[0].position
    assert spot is not None
    assert (Path(spot.file).name, spot.line) == ("main.tf", 12)
    assert "main.tf:12" in found.message


def test_what_was_so_before_a_destination_changes_is_known(folder: Path):
    ran = _over(folder, document("warehouse"), {"g_prod": FAR, "g_far": HOME})
    assert _found(ran)["home", "orders"] == "known"


def test_what_a_destination_mends_is_reported(folder: Path):
    regions = {"g_prod": AWAY, "g_lab": AWAY, "g_far": FAR}
    ran = _over(folder, document("warehouse-back"), regions)
    assert _code(ran) == 0
    assert _found(ran) == {("home", "far"): "known"}
    assert ran.plan is not None
    assert ran.plan.mended == (
        "home: orders_5153",
        "home: trial_d38c is gone",
        f"few: {AWAY}: count was 2",
    )


def test_a_destroyed_destination_is_absent(folder: Path):
    """By hand: the destination of `far` goes, and no connection with it."""
    plan = document("warehouse-back")
    (lab,) = [c for c in plan["resource_changes"] if c["address"].endswith("destination.lab")]
    lab["change"]["before"]["group_id"] = "g_far"
    ran = _over(folder, plan, {"g_prod": AWAY, "g_lab": AWAY, "g_far": HOME})
    assert _found(ran)["home", "far"] == "error"
    assert _code(ran) == 3


def test_a_destination_is_that_of_the_group_that_is_made_with_it(folder: Path):
    """As the provider's guide builds a pipeline from nothing, into an account that has others."""
    (folder / "rules.yaml").write_text(
        "policy: p\nrules:\n"
        "  - {id: home, severity: low, assert: {destination.region: GCP_EUROPE_WEST3}}\n"
        "  - {id: named, severity: low, assert: {group.name: Shop}}\n"
    )
    ran = _over(folder, document("guide"), {"g_far": HOME})
    assert _found(ran) == {
        **{("home", name): "fail" for name in ("shop_log", "blue", "green")},
        ("named", "far"): "known",
    }
    # Whose destination it is cannot be told where the group is known by no name.
    plan = document("guide")
    for resource in plan["configuration"]["root_module"]["resources"]:
        if resource["address"] == "fivetran_destination.shop":
            resource["expressions"]["group_id"] = {"references": ["local.group"]}
    ran = _over(folder, plan, {"g_far": HOME})
    assert {verdict for (rule, _), verdict in _found(ran).items() if rule == "home"} == {"error"}


# By hand, of the documented attributes: the stand-in has none of these resources.

MADE = {"references": ["fivetran_group.new.id", "fivetran_group.new"]}


def _resource(kind: str, actions: str, before: Any, after: Any, **more: Any) -> dict[str, Any]:
    """Return a plan that changes one resource of ``kind``; ``more`` is of the change."""
    plan = document("warehouse-back")
    (one,) = [c for c in plan["resource_changes"] if c["address"].endswith("destination.prod")]
    one |= {"type": kind, "address": f"{kind}.one", "name": "one"}
    one["change"] = {
        "actions": actions.split(),
        "before": before,
        "after": after,
        "after_unknown": {"id": True} if "create" in actions else {},
        "before_sensitive": False,
        "after_sensitive": {},
    } | more
    plan = of_these(plan, [one])
    plan["configuration"]["root_module"]["resources"] = [
        {"address": f"{kind}.one", "type": kind, "mode": "managed", "expressions": {}}
    ]
    return plan


def _ruled(folder: Path, *rules: str) -> None:
    lines = [f"  - {{id: r{n}, severity: low, {rule}}}" for n, rule in enumerate(rules)]
    (folder / "rules.yaml").write_text("\n".join(["policy: p", "rules:", *lines, ""]))


REGIONS = {"g_prod": AWAY, "g_lab": AWAY, "g_far": HOME}
HOOK = {"type": "group", "group_id": "g_prod", "url": "https://a", "events": ["sync_end"]}
LISTED_HOOK = HOOK | {"id": "h1", "active": True, "created_at": "2024-01-01T00:00:00Z"}
LISTED_HOOK |= {"created_by": "u"}
ACTIVE = "when: {webhooks: {exists: true}}, assert: {webhooks: {all_items: {active: true}}}"


@pytest.mark.parametrize(
    ("plan", "found"),
    [
        # One that comes, for a group; one for the whole account; one that is switched off.
        (("create", None, HOOK | {"active": False}), {"orders"}),
        (("create", None, HOOK | {"type": "account", "group_id": None, "active": False}), None),
        (("update", LISTED_HOOK, LISTED_HOOK | {"active": False}), {"orders"}),
        (("update", LISTED_HOOK, LISTED_HOOK | {"url": "https://b"}), set()),
        (("delete", LISTED_HOOK, None), set()),
    ],
    ids=["a group's", "the account's", "switched off", "elsewhere", "gone"],
)
def test_webhooks_are_laid_over(folder: Path, plan: tuple[str, Any, Any], found: set[str] | None):
    _ruled(folder, ACTIVE)
    served = {"/v1/webhooks": [LISTED_HOOK]}
    ran = _over(folder, _resource("fivetran_webhook", *plan), REGIONS, served)
    names = {"orders", "trial", "far"} if found is None else found
    assert _found(ran) == {("r0", name): "fail" for name in names}
    assert _code(ran) == (1 if names else 0)
    for name in names:
        assert _set(ran, "r0", name) == [("fivetran_webhook.one", plan[0])]


def test_a_destroyed_webhook_is_absent(folder: Path):
    _ruled(folder, "assert: {webhooks: {length: {gte: 1}}}")
    plan = _resource("fivetran_webhook", "delete", LISTED_HOOK, None)
    ran = _over(folder, plan, REGIONS, {"/v1/webhooks": [LISTED_HOOK]})
    assert _found(ran) == {
        ("r0", "orders"): "fail",  # it had one
        ("r0", "trial"): "known",
        ("r0", "far"): "known",
    }


def test_a_webhook_whose_group_nobody_knows_is_a_problem_where_rules_read_it(folder: Path):
    plan = _resource("fivetran_webhook", "create", None, HOOK | {"group_id": None, "active": True})
    plan["resource_changes"][0]["change"]["after_unknown"]["group_id"] = True
    resources = plan["configuration"]["root_module"]["resources"]
    resources[0]["expressions"] = {"group_id": {"references": ["local.group"]}}
    _ruled(folder, ACTIVE)
    ran = _over(folder, plan, REGIONS, {"/v1/webhooks": []})
    assert _code(ran) == 3
    assert any("rules read webhooks" in reason for reason in ran.gate.reasons)
    # In a group that the plan makes it is nobody's that is there.
    resources[0]["expressions"] = {"group_id": MADE}
    assert _code(_over(folder, plan, REGIONS, {"/v1/webhooks": []})) == 0
    # A rule that reads none of it is judged.
    (folder / "rules.yaml").write_text(RULES)
    resources[0]["expressions"] = {"group_id": {"references": ["local.group"]}}
    assert _code(_over(folder, plan, REGIONS)) == 0


def test_external_logging_is_the_groups(folder: Path):
    _ruled(folder, "assert: {external_logging: {exists: true}}")
    plan = _resource(
        "fivetran_external_logging",
        "delete",
        {"id": "g_prod", "group_id": "g_prod", "service": "cloudwatch", "enabled": True},
        None,
    )
    logged = {"id": "g_prod", "service": "cloudwatch", "enabled": True}
    ran = _over(folder, plan, REGIONS, {"/v1/external-logging": [logged]})
    assert _found(ran)["r0", "orders"] == "fail"
    assert _found(ran)["r0", "far"] == "known"
    plan = _resource(
        "fivetran_external_logging",
        "create",
        None,
        {"group_id": "g_far", "service": "cloudwatch", "enabled": True},
    )
    ran = _over(folder, plan, REGIONS, {"/v1/external-logging": [logged]})
    assert ("r0", "far") not in _found(ran)
    assert ran.plan is not None
    assert ran.plan.mended == ("r0: far",)


USER = {
    "id": "owner_of_all",
    "email": "a@example.com",
    "given_name": "A",
    "family_name": "B",
    "role": "Account Reviewer",
    "verified": True,
    "invited": False,
    "active": True,
    "created_at": "2024-01-01T00:00:00Z",
}
ROLES = [
    {"name": name, "is_custom": False, "is_deprecated": name == "Old", "scope": ["ACCOUNT"]}
    for name in ("Account Reviewer", "Old")
]


def _owned(folder: Path, plan: Mapping[str, Any], *rules: str) -> Result:
    _ruled(folder, *rules)
    lists = {
        "/v1/connections": [
            listed(name, schema=name, group_id="g_prod", connected_by="owner_of_all")
            for name in ("orders_5153", "far")
        ],
        "/v1/users": [USER],
        "/v1/roles": ROLES,
    }
    return _over(folder, plan, REGIONS, lists)


def test_an_owner_is_as_the_plan_would_have_it_and_so_is_the_owners_role(folder: Path):
    plan = _resource("fivetran_user", "update", USER, USER | {"role": "Old"})
    ran = _owned(
        folder,
        plan,
        'assert: {owner.role: {not_in: ["Old"]}}',
        "assert: {role.is_deprecated: false}",
    )
    verdicts = {rule: verdict for (rule, _), verdict in _found(ran).items()}
    assert verdicts == {"r0": "fail", "r1": "fail"}
    told = [("fivetran_user.one", "update", "role Account Reviewer > Old")]
    for name in ("orders_5153", "far"):
        assert (_set(ran, "r0", name), _set(ran, "r1", name)) == (told, told)
    gone = _owned(
        folder, _resource("fivetran_user", "delete", USER, None), "assert: {owner: {exists: true}}"
    )
    assert set(_found(gone).values()) == {"fail"}


PROJECT = {
    "id": "p1",
    "type": "DBT_GIT",
    "group_id": "g_prod",
    "created_at": "2024-01-01T00:00:00Z",
}
MODEL = {
    "type": "DBT_CORE",
    "schedule": {"schedule_type": "INTERVAL", "interval": 5, "cron": None, "days_of_week": None},
    "transformation_config": {"project_id": "p1", "name": "m", "connection_ids": None},
}


def test_transformations_are_laid_over_by_their_project_or_their_connections(folder: Path):
    _ruled(
        folder,
        "when: {transformations: {exists: true}},"
        " assert: {transformations: {none_items: {schedule.interval: {lt: 15}}}}",
        "when: {transformations: {exists: true}},"
        " assert: {transformations: {none_items: {paused: false}}}",
    )
    served = {"/v1/transformations": [], "/v1/transformation-projects": [PROJECT]}
    ran = _over(
        folder, _resource("fivetran_transformation", "create", None, MODEL), REGIONS, served
    )
    assert _found(ran) == {("r0", "orders"): "fail", ("r1", "orders"): "fail"}
    quick = MODEL | {
        "type": "QUICKSTART",
        "transformation_config": {"project_id": None, "connection_ids": ["far"]},
    }
    ran = _over(
        folder, _resource("fivetran_transformation", "create", None, quick), REGIONS, served
    )
    assert _found(ran) == {("r0", "far"): "fail", ("r1", "far"): "fail"}


def test_projects_are_laid_over(folder: Path):
    _ruled(folder, "assert: {transformation_projects: {length: {lte: 1}}}")
    plan = _resource(
        "fivetran_transformation_project",
        "create",
        None,
        {"type": "DBT_GIT", "group_id": "g_prod"},
    )
    ran = _over(folder, plan, REGIONS, {"/v1/transformation-projects": [PROJECT]})
    assert _found(ran) == {("r0", "orders"): "fail"}


NEVER = "hunter2"


def test_what_is_sensitive_of_a_fact_is_judged_and_never_shown(folder: Path):
    plan = document("warehouse")
    for change in plan["resource_changes"]:
        inner = change["change"]
        if change["type"] == "fivetran_destination":
            inner["after"]["region"] = NEVER
            inner["after_sensitive"] = {"region": True}
    ran = _over(folder, plan, {"g_prod": HOME, "g_far": FAR})
    assert _found(ran)["home", "orders"] == "fail"
    assert NEVER not in "".join(f.message for f in ran.findings)
    assert NEVER not in repr([[str(e) for e in f.evidence] for f in ran.findings])
    assert _set(ran, "home", "orders") == [
        ("fivetran_destination.prod", "update", "region [sensitive] > [sensitive]"),
        ("fivetran_connector.orders", "no-op"),
    ]
    assert "[sensitive]" in ran.connections.dimensions["region"]
    assert NEVER not in repr((ran.connections.dimensions, ran.connections.group_names))
    assert NEVER not in repr(ran.plan)


def test_a_sensitive_name_of_a_group_is_judged_and_never_shown(folder: Path):
    plan = document("guide")
    for change in plan["resource_changes"]:
        if change["type"] == "fivetran_group":
            change["change"]["after"]["name"] = NEVER
            change["change"]["after_sensitive"] = {"name": True}
    _ruled(folder, "assert: {group.name: Shop}", "assert: {group.name: {equals: hunter2}}")
    ran = _over(folder, plan, {"g_far": HOME})
    made = {("r0", name): "fail" for name in ("shop_log", "blue", "green")}
    assert _found(ran) == {**made, ("r0", "far"): "known", ("r1", "far"): "known"}
    assert NEVER not in "".join(f.message for f in ran.findings if f.rule.id == "r0")
    assert NEVER not in ran.connections.group_names.values()
