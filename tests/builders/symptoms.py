"""How each flaw shows in the records, told apart from how the estate makes it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from auditor.sandbox.estate import REGULATED, Estate
from auditor.sandbox.services import ADVERTISING, DATABASES, LEDGERS
from auditor.sandbox.words import PEOPLE

Record = dict[str, Any]
NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?")
_PEOPLE = {id_ for id_, _, _ in PEOPLE}


def symptoms(estate: Estate) -> dict[str, set[str]]:
    """Return what is seen to be wrong: the names of ``Estate.flaws``, from the records alone."""
    seen: dict[str, set[str]] = {}
    regulated = {group["id"] for group in estate.groups if group["name"] == REGULATED}
    for record in estate.records:
        for name in _symptoms(record, estate.now, regulated):
            seen.setdefault(name, set()).add(record["id"])
    keys = Counter(_key(record) for record in estate.records)
    twice = {record["id"] for record in estate.records if keys[_key(record)] > 1}
    logged = {r["group_id"] for r in estate.records if r["service"] == "fivetran_log"}
    unlogged = {group["id"] for group in estate.groups} - logged
    return (
        seen
        | ({"loaded-twice": twice} if twice else {})
        | ({"group-without-log": unlogged} if unlogged else {})
    )


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
    late = _age(record["succeeded_at"], now) > 3 * timedelta(minutes=frequency)
    return late and not record["status"]["is_historical_sync"]


def _older(text: str, now: datetime, days: int) -> bool:
    return _age(text, now) > timedelta(days=days)


def _failed_last(record: Record, now: datetime) -> bool:
    failed, succeeded = record["failed_at"], record["succeeded_at"]
    return bool(failed and succeeded and _age(failed, now) < _age(succeeded, now))


def _test_failed(record: Record, _now: datetime) -> bool:
    tests = record.get("setup_tests", [])
    return any(test["status"] in ("FAILED", "JOB_FAILED") for test in tests)


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
    "public-database": lambda r, _: (
        r["service"] in DATABASES and r["networking_method"] == "Directly"
    ),
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
    "sunset-service": lambda r, _: r["service"] == "google_analytics",
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
    "daily-outside-window": lambda r, _: r.get("daily_sync_time", "00:00") > "05:00",
    "daily-without-time": lambda r, _: _auto(r, 1440) and "daily_sync_time" not in r,
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
    "personal-owner": lambda r, _: r["connected_by"] in _PEOPLE,
    "broken-setup": _status("setup_state", "broken"),
    "incomplete-setup": _status("setup_state", "incomplete"),
    "abandoned-setup": lambda r, now: (
        r["status"]["setup_state"] == "incomplete" and _older(r["created_at"], now, 14)
    ),
    "failed-setup-test": _test_failed,
    "never-synced": lambda r, now: r["succeeded_at"] is None and _older(r["created_at"], now, 14),
    "long-historical-sync": lambda r, now: (
        r["status"]["is_historical_sync"] and _older(r["created_at"], now, 14)
    ),
    "old-version": lambda r, _: r["service_version"] < 1,
    "low-sensitivity": lambda r, _: r["data_delay_sensitivity"] == "LOW",
    "quiet-ledger": lambda r, _: (
        r["service"] in LEDGERS and r["data_delay_sensitivity"] in ("LOW", "NORMAL")
    ),
    "late-alert": lambda r, _: r["data_delay_threshold"] > 1440,
    "paused-for-long": lambda r, now: r["paused"] and _older(r["succeeded_at"], now, 30),
    "rescheduled": _status("sync_state", "rescheduled"),
}
