"""Plans that Terraform made (``tests/terraform/make.py``), and what is read from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from auditor.sources.plan.document import parse_plan
from auditor.sources.plan.estate import estate_of
from auditor.sources.plan.planned import Estate, Planned

PLANS = Path(__file__).parents[1] / "terraform" / "plans"


def plan_file(name: str) -> Path:
    """Return the file of a plan."""
    return PLANS / f"{name}.json"


def document(name: str) -> dict[str, Any]:
    """Return a plan as plain JSON, to be changed by hand."""
    read: dict[str, Any] = json.loads(plan_file(name).read_text(encoding="utf-8"))
    return read


def estate(plan: str | dict[str, Any]) -> Estate:
    """Return what a plan would make of an account."""
    body = plan_file(plan).read_bytes() if isinstance(plan, str) else json.dumps(plan).encode()
    return estate_of(parse_plan(body, "plan.json"))


def connection(found: Estate, address: str) -> Planned:
    """Return the one connection at an address."""
    (planned,) = [p for p in found.connections if p.address == address]
    return planned


def values(planned: Planned, *names: str) -> dict[str, tuple[str, object]]:
    """Return what a connection's fields are known to be: a state's name and a value."""
    return {n: (planned.fields[n].state.name, planned.fields[n].value) for n in names}


def change(found: dict[str, Any], address: str) -> dict[str, Any]:
    """Return one resource's change in a plan's JSON."""
    (one,) = [c for c in found["resource_changes"] if c["address"] == address]
    inner: dict[str, Any] = one["change"]
    return inner


def of_these(plan: dict[str, Any], changes: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a plan of other changes, without the lists that would show what was left out."""
    return {
        **{name: plan[name] for name in plan if name not in {"planned_values", "prior_state"}},
        "resource_changes": changes,
    }


def schema_config(**after: Any) -> dict[str, Any]:
    """Return the walk's plan with a schema config of ``orders``.

    It is written by hand, of the documented attributes: the stand-in has no such resource.
    """
    plan = document("walk")
    plan["resource_changes"].append(
        {
            "address": "fivetran_connector_schema_config.orders",
            "mode": "managed",
            "type": "fivetran_connector_schema_config",
            "name": "orders",
            "provider_name": "registry.terraform.io/fivetran/fivetran",
            "change": {
                "actions": ["create"],
                "before": None,
                "after": {"connector_id": "orders_5153", **after},
                "after_unknown": {"id": True},
                "before_sensitive": False,
                "after_sensitive": {},
            },
        }
    )
    return plan
