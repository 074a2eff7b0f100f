"""A Terraform plan over the listing: for every other connection its resource and its schedule.

Half of the schedules change, to a frequency that no rule allows; the rest of the plan is as it
was. It has the shape of ``terraform show -json``, with the state before and the configuration.

    python -m bench.plan FOLDER
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from bench.listing import pages_of

_PROVIDER = "registry.terraform.io/fivetran/fivetran"
_CONNECTOR, _SCHEDULE = "fivetran_connector", "fivetran_connector_schedule"
#: The versions of their schemas.
_VERSIONS = {_CONNECTOR: 4, _SCHEDULE: 0}


def write_plan(folder: Path) -> None:
    """Write ``plan.json`` beside the pages in ``folder``: as many resources as connections."""
    bodies = (json.loads(body)["data"]["items"] for body in pages_of(folder))
    records = islice((record for items in bodies for record in items), 0, None, 2)
    parts = [part for number, record in enumerate(records) for part in _parts(record, number)]
    plan = {
        "format_version": "1.2",
        "terraform_version": "1.15.5",
        "planned_values": {"root_module": {"resources": [part["planned"] for part in parts]}},
        "resource_changes": [part["change"] for part in parts],
        "prior_state": {
            "format_version": "1.0",
            "terraform_version": "1.15.5",
            "values": {"root_module": {"resources": [part["prior"] for part in parts]}},
        },
        "configuration": {
            "provider_config": {"fivetran": {"name": "fivetran", "full_name": _PROVIDER}},
            "root_module": {"resources": [part["configured"] for part in parts]},
        },
        "timestamp": "2026-01-01T00:00:00Z",
        "applyable": True,
        "complete": True,
        "errored": False,
    }
    (folder / "plan.json").write_text(json.dumps(plan))


def _parts(record: dict[str, Any], number: int) -> Iterator[dict[str, Any]]:
    """Yield what a plan says of a connection, and of its schedule, in each of its places."""
    connector = {
        "auth": None,
        "config": None,
        "connected_by": record["connected_by"],
        "created_at": "2024-01-01 00:00:00 +0000 UTC",
        "data_delay_sensitivity": record["data_delay_sensitivity"],
        "data_delay_threshold": record["data_delay_threshold"],
        "destination_schema": {"name": record["schema"], "prefix": None, "table": None},
        "group_id": record["group_id"],
        "hybrid_deployment_agent_id": None,
        "id": record["id"],
        "name": record["schema"],
        "networking_method": record["networking_method"],
        "private_link_id": None,
        "proxy_agent_id": None,
        "service": record["service"],
    }
    schedule = {
        "connector_id": record["id"],
        "daily_sync_time": record["daily_sync_time"],
        "id": record["id"],
        "pause_after_trial": str(record["pause_after_trial"]).lower(),
        "paused": str(record["paused"]).lower(),
        "schedule_type": record["schedule_type"],
        "sync_frequency": str(record["sync_frequency"]),
    }
    faster = schedule | {"sync_frequency": "5"} if number % 2 else schedule
    yield _part(_CONNECTOR, number, connector, connector)
    yield _part(_SCHEDULE, number, schedule, faster)


def _part(
    kind: str, number: int, before: dict[str, Any], after: dict[str, Any]
) -> dict[str, dict[str, Any]]:
    name = f"c{number}"
    place = {"address": f"{kind}.{name}", "mode": "managed", "type": kind, "name": name}
    owned = {**place, "provider_name": _PROVIDER}
    state = {**owned, "schema_version": _VERSIONS[kind], "sensitive_values": {}}
    change = {
        "actions": ["no-op"] if after == before else ["update"],
        "before": before,
        "after": after,
        "after_unknown": {},
        "before_sensitive": {},
        "after_sensitive": {},
    }
    expressions = {key: {"constant_value": value} for key, value in after.items()}
    configured = {**place, "provider_config_key": "fivetran", "expressions": expressions}
    return {
        "planned": {**state, "values": after},
        "prior": {**state, "values": before},
        "change": {**owned, "change": change},
        "configured": {**configured, "schema_version": _VERSIONS[kind]},
    }


if __name__ == "__main__":
    write_plan(Path(sys.argv[1]))
