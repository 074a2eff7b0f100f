"""What a plan does to groups, destinations and the like, and what rules on facts make of it."""

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
from tests.builders.plans import document

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
) -> Result:
    """Lay a plan over a live account whose groups have destinations in ``regions``."""
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
    source = PlanSource(str(folder / "plan.json"))
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


def test_facts_are_judged_as_the_plan_would_have_them(folder: Path):
    ran = _over(folder, document("warehouse"), {"g_prod": HOME, "g_far": FAR})
    assert _code(ran) == 1
    assert _found(ran) == {
        ("home", "orders"): "fail",  # by its destination, though nothing else of it changes
        ("home", "trial"): "fail",  # a destination that comes with it
        ("home", "far"): "known",
        ("few", AWAY): "fail",
    }
    # Whether the new destination saves daylight no plan holds.
    assert {rule.rule.id: rule.not_in_plan for rule in ran.checks if rule.not_in_plan} == {
        "daylight": 1
    }


def test_what_was_so_before_a_destination_changes_is_known(folder: Path):
    ran = _over(folder, document("warehouse"), {"g_prod": FAR, "g_far": HOME})
    assert _found(ran)["home", "orders"] == "known"


def test_what_a_destination_mends_is_told(folder: Path):
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


def test_a_destination_that_ends_is_none(folder: Path):
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


def test_a_list_that_is_not_laid_over_is_a_problem_where_rules_read_it(folder: Path):
    """By hand: the stand-in has no webhooks."""
    plan = document("warehouse-back")
    (hook,) = [c for c in plan["resource_changes"] if c["address"].endswith("destination.prod")]
    hook |= {"type": "fivetran_webhook", "address": "fivetran_webhook.prod", "name": "prod"}
    regions = {"g_prod": AWAY, "g_lab": AWAY, "g_far": HOME}
    assert _code(_over(folder, plan, regions)) == 0
    (folder / "rules.yaml").write_text(
        "policy: p\nrules:\n  - {id: h, severity: low, assert: {webhooks: {length: {lte: 9}}}}\n"
    )
    ran = _over(folder, plan, regions, {"/v1/webhooks": []})
    assert _code(ran) == 3
    assert any("rules read webhooks" in reason for reason in ran.gate.reasons)
