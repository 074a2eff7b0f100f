"""How each flaw shows in the API's answers, independent of how the estate makes it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

from auditor.sandbox import details
from auditor.sandbox.estate import REGULATED, SandboxEstate
from auditor.sandbox.services import ADVERTISING, DATABASES, LEDGERS
from auditor.sandbox.words import SERVICE_ACCOUNTS

Record = dict[str, Any]
NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?")


def symptoms(estate: SandboxEstate) -> dict[str, set[str]]:
    """Return what is wrong, by the names of ``SandboxEstate.flaws``, seen in the answers alone."""
    seen: dict[str, set[str]] = {}
    regulated = {group["id"] for group in estate.groups if group["name"] == REGULATED}
    joined = Joined(estate)
    for record in estate.records:
        names = list(_symptoms(details.connection(estate, record), estate.now, regulated))
        for name in [*names, *joined.symptoms(record)]:
            seen.setdefault(name, set()).add(record["id"])
    for name, id_ in [*_wrong_rows(estate), *_overspent(estate)]:
        seen.setdefault(name, set()).add(id_)
    keys = Counter(_key(record) for record in estate.records)
    twice = {record["id"] for record in estate.records if keys[_key(record)] > 1}
    logged = {r["group_id"] for r in estate.records if r["service"] == "fivetran_log"}
    unlogged = {group["id"] for group in estate.groups} - logged
    return (
        seen
        | ({"loaded-twice": twice} if twice else {})
        | ({"group-without-log": unlogged} if unlogged else {})
    )


class Joined:
    """The lists that a connection names rows of, by id."""

    def __init__(self, estate: SandboxEstate) -> None:
        lists = estate.lists
        self.users = {row["id"]: row for row in lists.users}
        self.links = {row["id"]: row for row in lists.private_links}
        self.proxies = {row["id"]: row for row in lists.proxy_agents}
        self.agents = {row["id"]: row for row in lists.hybrid_agents}
        self.types = {row["id"]: row for row in estate.connector_types}

    def symptoms(self, record: Record) -> Iterator[str]:
        """Yield what is wrong with the rows that ``record`` names."""
        owner = record["connected_by"]
        if owner is not None and owner != "_fivetran_system":
            yield from self._of_owner(self.users.get(owner))
        link, proxy = record["private_link_id"], record["proxy_agent_id"]
        if link is not None and self.links[link]["state"] != "OK":
            yield "dead-link"
        if proxy is not None and self.proxies[proxy]["status"] != "CONNECTED":
            yield "proxy-lost"
        agent = record.get("hybrid_deployment_agent_id")
        if agent is not None and not self.agents[agent]["online"]:
            yield "agent-offline"
        status = self.types[record["service"]]["service_status"]
        if status != "general_availability":
            yield f"{status}-service"

    @staticmethod
    def _of_owner(owner: Record | None) -> Iterator[str]:
        if owner is None:
            yield "owner-gone"
            return
        if not owner["active"]:
            yield "inactive-owner"
        if not owner["email"].endswith("@example.com"):
            yield "foreign-owner"
        if owner["role"] == "Account Administrator":
            yield "powerful-owner"


def _wrong_rows(estate: SandboxEstate) -> Iterator[tuple[str, str]]:
    lists = estate.lists
    regions = {link["id"]: link["region"] for link in lists.private_links}
    for row in lists.destinations:
        if row["setup_status"] != "CONNECTED":
            yield "broken-destination", row["id"]
        if regions.get(row.get("private_link_id"), row["region"]) != row["region"]:
            yield "region-mismatch", row["id"]
    active = {row["group_id"] for row in lists.webhooks if row["active"]}
    for group in estate.groups:
        if group["id"] not in active:
            yield "no-active-webhook", group["id"]
    for row in lists.external_logging:
        if not row["enabled"]:
            yield "log-disabled", row["id"]
    for row in lists.transformations:
        if row["status"] == "FAILED":
            yield "failed-transformation", row["id"]
        if row["paused"]:
            yield "paused-transformation", row["id"]


def _overspent(estate: SandboxEstate) -> Iterator[tuple[str, str]]:
    used = {row["id"]: row["rows"] for row in estate.facts["mar_used"]}
    for record in estate.records:
        budgets = estate.facts["mar_budgets"]
        planned = [b["rows"] for b in budgets if fnmatchcase(record["schema"], b["schema"])][-1]
        if used[record["id"]] > planned:
            yield "over-budget", record["id"]


def _key(record: Record) -> tuple[str, str, str]:
    return record["group_id"], record["service"], record["schema"]


def _symptoms(record: Record, now: datetime, regulated: set[str]) -> Iterator[str]:
    for name, shows in BY_NAME.items():
        if shows(record, now):
            yield name
    if record["group_id"] in regulated and record.get("hybrid_deployment_agent_id") is None:
        yield "agent-missing"


def _age(text: str, now: datetime) -> timedelta:
    return now - datetime.fromisoformat(text)


def _auto(record: Record, *frequencies: int) -> bool:
    return record["schedule_type"] == "auto" and record["sync_frequency"] in frequencies


def _stale(record: Record, now: datetime) -> bool:
    frequency = record["sync_frequency"]
    if record["paused"] or frequency is None or record["succeeded_at"] is None:
        return False
    # Between the last sync of a Friday and the first of a Monday nothing is due.
    gap = timedelta(days=2 * ("days_of_week" in record.get("schedule", {}) and frequency < 1440))
    late = _age(record["succeeded_at"], now) > 3 * timedelta(minutes=frequency) + gap
    return late and not record["status"]["is_historical_sync"]


def _older(text: str, now: datetime, days: int) -> bool:
    return _age(text, now) > timedelta(days=days)


def _failed_last(record: Record, now: datetime) -> bool:
    failed, succeeded = record["failed_at"], record["succeeded_at"]
    return bool(failed and succeeded and _age(failed, now) < _age(succeeded, now))


def _tested(*statuses: str) -> Callable[[Record, datetime], bool]:
    return lambda r, _: any(test["status"] in statuses for test in r.get("setup_tests", []))


def _public(record: Record, _now: datetime) -> bool:
    direct = record["networking_method"] == "Directly"
    hybrid = record.get("hybrid_deployment_agent_id") is not None
    return record["service"] in DATABASES and direct and not hybrid


def _time_of_day(record: Record) -> str | None:
    return record.get("daily_sync_time") or record.get("schedule", {}).get("time_of_day")


def _stale_cron(record: Record, now: datetime) -> bool:
    if record["sync_frequency"] is not None or record["succeeded_at"] is None:
        return False
    idle = record["paused"] or record["status"]["is_historical_sync"]
    return not idle and _older(record["succeeded_at"], now, 4)


def _only_failed(record: Record, _now: datetime) -> bool:
    return record["failed_at"] is not None and record["succeeded_at"] is None


def _warehouse(record: Record) -> str | None:
    return record.get("destination_configuration", {}).get("virtual_warehouse")


def _status(key: str, *values: object) -> Callable[[Record, datetime], bool]:
    return lambda r, _: r["status"].get(key) in values


BY_NAME: dict[str, Callable[[Record, datetime], bool]] = {
    "public-database": _public,
    "plain-connection": lambda r, _: r["config"].get("always_encrypted") is False,
    "administrator": lambda r, _: r["config"].get("user") == "root",
    "unused-secrets-manager": lambda r, _: (
        "external_secrets_manager_id" in r and not r["external_secrets_keys_config"]
    ),
    "private-link-without-id": lambda r, _: (
        r["networking_method"] == "PrivateLink" and r["private_link_id"] is None
    ),
    "proxy-agent-without-id": lambda r, _: (
        r["networking_method"] == "ProxyAgent" and r["proxy_agent_id"] is None
    ),
    "schema-blocked": _status("schema_status", "blocked_on_customer", "blocked_on_capture"),
    "bad-schema-name": lambda r, _: not NAME.fullmatch(r["schema"]),
    "long-schema-name": lambda r, _: len(r["schema"]) > 63,
    "test-leftover": lambda r, _: r["schema"].endswith("_test"),
    "banned-service": lambda r, _: r["service"] == "dropbox",
    "shared-warehouse": lambda r, _: _warehouse(r) == "COMPUTE_WH",
    "source-naming": lambda r, _: r.get("destination_schema_names") == "SOURCE_NAMING",
    "stale": _stale,
    "stale-cron": _stale_cron,
    "only-failed": _only_failed,
    "manual-stopped": lambda r, now: (
        r["schedule_type"] == "manual" and _older(r["succeeded_at"], now, 7)
    ),
    "delayed": _status("update_state", "delayed"),
    "failed-after-success": _failed_last,
    "warning": lambda r, _: r["status"]["warnings"] != [],
    "task": lambda r, _: r["status"]["tasks"] != [],
    "daily-outside-window": lambda r, _: (_time_of_day(r) or "00:00") > "05:00",
    "daily-without-time": lambda r, _: _auto(r, 1440) and _time_of_day(r) is None,
    "one-minute-sync": lambda r, _: _auto(r, 1),
    "five-minute-sync": lambda r, _: _auto(r, 5),
    "eager-advertising": lambda r, _: (
        r["service"] in ADVERTISING and (r["sync_frequency"] or 1440) < 360
    ),
    "insecure-redirect": lambda r, _: (
        r.get("connect_card_config", {}).get("redirect_uri", "").startswith("http:")
    ),
    "pause-after-trial": lambda r, _: r["pause_after_trial"],
    "manual-schedule": lambda r, _: r["schedule_type"] == "manual",
    "unknown-owner": lambda r, _: r["connected_by"] is None,
    "personal-owner": lambda r, _: r["connected_by"] not in (None, *SERVICE_ACCOUNTS),
    "broken-setup": _status("setup_state", "broken"),
    "incomplete-setup": _status("setup_state", "incomplete"),
    "abandoned-setup": lambda r, now: (
        r["status"]["setup_state"] == "incomplete" and _older(r["created_at"], now, 14)
    ),
    "failed-setup-test": _tested("FAILED", "JOB_FAILED"),
    "test-warning": _tested("WARNING"),
    "never-synced": lambda r, now: r["succeeded_at"] is None and _older(r["created_at"], now, 14),
    "long-historical-sync": lambda r, now: (
        r["status"]["is_historical_sync"] and _older(r["created_at"], now, 14)
    ),
    "quiet-ledger": lambda r, _: (
        r["service"] in LEDGERS and r["data_delay_sensitivity"] in ("LOW", "NORMAL")
    ),
    "late-alert": lambda r, _: r["data_delay_threshold"] > 1440,
    "paused-for-long": lambda r, now: r["paused"] and _older(r["succeeded_at"], now, 30),
    "undocumented-words": _status("setup_state", "disconnected"),
    "rescheduled": _status("sync_state", "rescheduled"),
}

#: What only another list shows: of the connection's own row there, or of a row by itself.
ELSEWHERE = (
    "over-budget",
    "owner-gone",
    "inactive-owner",
    "foreign-owner",
    "powerful-owner",
    "dead-link",
    "proxy-lost",
    "agent-offline",
    "sunset-service",
    "beta-service",
    "broken-destination",
    "region-mismatch",
    "no-active-webhook",
    "log-disabled",
    "failed-transformation",
    "paused-transformation",
    "agent-missing",
    "loaded-twice",
    "group-without-log",
)
