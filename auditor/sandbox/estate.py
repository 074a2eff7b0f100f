"""A whole Fivetran account, made from a seed: the same one every time.

A healthy estate comes first, connection by connection; ``spoiling.py`` then spoils some of it. Ages
are what rules judge, so every time is relative to ``now``, which defaults to the present minute.
Nothing here belongs to anybody: hosts end in ``example.com``, tokens are not tokens.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any

from auditor.clock import iso
from auditor.errors import UsageError
from auditor.sandbox.services import (
    ADVERTISING,
    BY_ID,
    LEDGERS,
    PLATFORM,
    SERVICES,
    SUNSET,
    Service,
)
from auditor.sandbox.spoiling import spoil
from auditor.sandbox.words import PEOPLE, TEAMS, TOPICS, identifiers

#: Most that an estate may hold: beyond it the records no longer fit a workstation's memory.
MOST_CONNECTIONS = 2_000_000

#: The group whose connections all run through a hybrid deployment agent.
REGULATED = "patient_records"

#: Who sets connections up in a healthy estate. ``_fivetran_system`` is Fivetran's own.
SERVICE_ACCOUNTS = ("svc_terraform", "svc_orchestrator", "_fivetran_system")

_DESTINATIONS = (
    "snowflake",
    "big_query",
    "databricks",
    "snowflake",
    "redshift",
    "postgres_warehouse",
)
_REGIONS = ("GCP_US_EAST4", "AWS_EU_WEST_1", "AZURE_EASTUS2", "AWS_US_EAST_1")
_FREQUENCIES = (15, 30, 60, 120, 180, 360, 480, 720, 1440)
_FREQUENCY_ODDS = tuple(accumulate((3, 5, 14, 4, 6, 30, 4, 8, 26)))
_SERVICE_ODDS = tuple(accumulate(service.weight for service in SERVICES))
_WEEKDAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY")
_EVERY_DAY = (*_WEEKDAYS, "SATURDAY", "SUNDAY")


@dataclass(frozen=True, slots=True)
class Estate:
    """An account: each list as its endpoint gives it, and the answers.

    ``records`` are connections, in listing order. ``flaws`` maps the name of each kind of flaw
    to the ids of what it spoilt (group ids for ``group-without-log``); it is empty when healthy.
    """

    now: datetime
    records: tuple[dict[str, Any], ...]
    groups: tuple[dict[str, Any], ...]
    destinations: tuple[dict[str, Any], ...]
    users: tuple[dict[str, Any], ...]
    connector_types: tuple[dict[str, Any], ...]
    flaws: Mapping[str, tuple[str, ...]]


def build_estate(
    connections: int = 250,
    seed: int = 7,
    *,
    healthy: bool = False,
    now: datetime | None = None,
) -> Estate:
    """Return the estate that ``connections``, ``seed`` and ``now`` name, always the same one.

    A healthy estate has nothing that anybody would want to change, though it has every null and
    every missing field of the real API. Otherwise some connections are spoilt; from 60 on, each
    kind of flaw occurs at least once, and most connections stay healthy.

    ``now`` is aware; without it the present is taken, to the minute: an hourly step would make
    fifteen-minute syncs look an hour old. Raises UsageError for a count out of range, and for a
    ``now`` without a zone.
    """
    if not 0 <= connections <= MOST_CONNECTIONS:
        raise UsageError(
            f"a sandbox of {connections} connections: write a count from 0 to {MOST_CONNECTIONS:,}"
        )
    moment = now or datetime.now(UTC).replace(second=0, microsecond=0)
    if moment.tzinfo is None:
        raise UsageError(f"a sandbox as of {moment}: give the time a zone, such as UTC")
    builder = _Builder(random.Random(seed), moment.astimezone(UTC), connections)  # noqa: S311  # not for secrets
    records = list(builder.records(connections))
    flaws = {} if healthy else spoil(records, builder.rng, builder.now)
    return Estate(
        now=builder.now,
        records=tuple(records),
        groups=tuple(builder.groups),
        destinations=tuple(builder.destinations()),
        users=tuple(builder.users()),
        connector_types=tuple(_connector_types()),
        flaws=flaws,
    )


class _Builder:
    """Makes one healthy account; every draw comes from one generator, in one order."""

    def __init__(self, rng: random.Random, now: datetime, connections: int) -> None:
        self.rng = rng
        self.now = now
        self.ids = identifiers(rng)
        # Five connections make a group; twelve groups make an account.
        self.groups = [self._group(team) for team in TEAMS[: _group_count(connections)]]
        self.warehouses = {
            group["id"]: _DESTINATIONS[number % len(_DESTINATIONS)]
            for number, group in enumerate(self.groups)
        }
        self._names: dict[str, int] = {}

    def records(self, count: int) -> Iterator[dict[str, Any]]:
        """Yield ``count`` healthy connections, the platform connection of each group first."""
        for number in range(count):
            if number < len(self.groups):
                yield self._record(PLATFORM, self.groups[number])
            else:
                service = self.rng.choices(SERVICES, cum_weights=_SERVICE_ODDS)[0]
                yield self._record(service, self.groups[number % len(self.groups)])

    def destinations(self) -> Iterator[dict[str, Any]]:
        """Yield the destination of every group, under the group's id."""
        for number, group in enumerate(self.groups):
            yield {
                "id": group["id"],
                "group_id": group["id"],
                "service": self.warehouses[group["id"]],
                "region": _REGIONS[number % len(_REGIONS)],
                "time_zone_offset": "0",
                "setup_status": "connected",
                "daylight_saving_time_enabled": False,
                "networking_method": "PrivateLink",
                "private_link_id": f"pl_{group['id']}",
                "hybrid_deployment_agent_id": None,
                "config": {"host": "warehouse.example.com", "user": "loader", "password": "******"},
            }

    def users(self) -> Iterator[dict[str, Any]]:
        """Yield the people and the service accounts (but not Fivetran's own)."""
        service_accounts = [(id_, "Service", "Account") for id_ in SERVICE_ACCOUNTS[:-1]]
        for id_, given, family in (*service_accounts, *PEOPLE):
            yield {
                "id": id_,
                "email": f"{id_}@example.com",
                "given_name": given,
                "family_name": family,
                "verified": True,
                "invited": False,
                "picture": None,
                "phone": None,
                "logged_in_at": self._ago(hours=self.rng.uniform(1, 400)),
                "created_at": self._ago(days=self.rng.uniform(300, 1500)),
                "active": True,
                "role": "Account Administrator" if given == "Service" else "Account Reviewer",
            }

    def _group(self, team: str) -> dict[str, Any]:
        created = self._ago(days=self.rng.uniform(1500, 2000))
        return {"id": next(self.ids), "name": team, "created_at": created}

    def _record(self, service: Service, group: dict[str, Any]) -> dict[str, Any]:
        rng, team = self.rng, group["name"]
        schema, table = self._name(service, team)
        config = service.settings(
            {
                "team": team,
                "schema": schema,
                "table": table,
                "number": f"{rng.randrange(10_000):04}",
            }
        )
        record: dict[str, Any] = {
            "id": next(self.ids),
            "service": service.id,
            "schema": f"{schema}.{table}" if service.table else schema,
            "group_id": group["id"],
            "paused": False,
            "pause_after_trial": False,
            "connected_by": SERVICE_ACCOUNTS[rng.randrange(len(SERVICE_ACCOUNTS))],
            "created_at": self._ago(days=rng.uniform(31, 1400)),
            "service_version": 1 + rng.randrange(3),
            "status": self._status(service),
            "config": config,
            "data_delay_sensitivity": "HIGH" if service.id in LEDGERS else "NORMAL",
            "data_delay_threshold": 0,
            "failed_at": None,
            "private_link_id": None,
            "proxy_agent_id": None,
            "networking_method": "Directly",
        }
        self._schedule(record)
        if service.private:
            self._connect_privately(record)
        self._add_extras(record, service, group)
        return record

    def _name(self, service: Service, team: str) -> tuple[str, str]:
        """Return a schema nothing else has, and the table for services that load one."""
        name = f"{team}_{service.id}"
        number = self._names.get(name, 0)
        self._names[name] = number + 1
        topic = TOPICS[number % len(TOPICS)]
        if number and not service.table:
            name = f"{name}_{topic}"
        again = number // len(TOPICS)
        return (f"{name}_{again + 1}" if again else name), topic

    def _status(self, service: Service) -> dict[str, Any]:
        status: dict[str, Any] = {
            "setup_state": "connected",
            "sync_state": "syncing" if self.rng.random() < 0.08 else "scheduled",
            "update_state": "on_schedule",
            "is_historical_sync": False,
            "rescheduled_for": None,
            "tasks": [],
            "warnings": [],
        }
        if service.kind == "Database" and self.rng.random() < 0.5:
            status["schema_status"] = "ready"
        return status

    def _schedule(self, record: dict[str, Any]) -> None:
        """Set when the connection syncs, and when it last did: well within one interval."""
        rng = self.rng
        record["schedule_type"] = "auto"
        draw = rng.random()
        if draw < 0.06:
            # No single cadence, so no frequency: a cron expression, or only some days.
            record["sync_frequency"] = None
            record["schedule"] = (
                {"schedule_type": "CRON", "cron": "0 2,8,14,20 * * *"}
                if draw < 0.03
                else {
                    "schedule_type": "TIME_OF_DAY",
                    "time_of_day": "03:00",
                    "days_of_week": list(_WEEKDAYS),
                }
            )
            record["succeeded_at"] = self._ago(hours=rng.uniform(1, 10))
            return
        frequency = rng.choices(_FREQUENCIES, cum_weights=_FREQUENCY_ODDS)[0]
        if record["service"] in ADVERTISING:
            frequency = max(frequency, 360)
        record["sync_frequency"] = frequency
        if frequency == 1440:
            self._sync_daily(record, hour=rng.randrange(6))
        else:
            record["succeeded_at"] = self._ago(minutes=frequency * rng.uniform(0.05, 0.6))
            if rng.random() < 0.6:
                record["schedule"] = {"schedule_type": "INTERVAL", "interval": frequency}
        if rng.random() < 0.15:
            record["failed_at"] = self._ago(days=rng.uniform(3, 30))

    def _sync_daily(self, record: dict[str, Any], hour: int) -> None:
        started = self.now.replace(hour=hour, minute=0, second=0, microsecond=0)
        done = started + timedelta(minutes=self.rng.uniform(5, 25))
        record["daily_sync_time"] = f"{hour:02}:00"
        record["succeeded_at"] = iso(done if done < self.now else done - timedelta(days=1))
        if self.rng.random() < 0.3:
            record["schedule"] = {
                "schedule_type": "TIME_OF_DAY",
                "time_of_day": f"{hour:02}:00",
                "days_of_week": list(_EVERY_DAY),
            }

    def _connect_privately(self, record: dict[str, Any]) -> None:
        draw = self.rng.random()
        if draw < 0.45:
            record["networking_method"] = "SshTunnel"
            record["config"]["tunnel_host"] = "bastion.example.com"
            record["config"]["tunnel_port"] = 22
        elif draw < 0.8:
            record["networking_method"] = "PrivateLink"
            record["private_link_id"] = f"pl_{record['group_id']}"
        else:
            record["networking_method"] = "ProxyAgent"
            record["proxy_agent_id"] = f"agent_{record['group_id']}"

    def _add_extras(self, record: dict[str, Any], service: Service, group: dict[str, Any]) -> None:
        """Add what only some records of the real API have."""
        rng = self.rng
        if group["name"] == REGULATED:
            record["hybrid_deployment_agent_id"] = f"hybrid_{group['id']}"
        elif rng.random() < 0.5:
            record["hybrid_deployment_agent_id"] = None
        if rng.random() < 0.35:
            record["setup_tests"] = [
                {"title": title, "status": "PASSED", "message": ""}
                for title in ("Validating credentials", "Checking permissions")
            ]
        if rng.random() < 0.6:
            record["destination_schema_names"] = "FIVETRAN_NAMING"
        if self.warehouses[group["id"]] == "snowflake" and rng.random() < 0.3:
            record["destination_configuration"] = {"virtual_warehouse": "LOADING_WH"}
        if service.kind == "Database" and rng.random() < 0.15:
            record["external_secrets_manager_id"] = "vault_primary"
            record["external_secrets_keys_config"] = {"password": f"{group['name']}/{service.id}"}
        if service.id == "google_ads":
            record["source_sync_details"] = {"last_synced": record["succeeded_at"]}

    def _ago(self, **span: float) -> str:
        moment = self.now - timedelta(**span)
        # The fraction is optional: the API leaves it out when it is zero.
        return iso(moment.replace(microsecond=0) if self.rng.random() < 0.1 else moment)


def _group_count(connections: int) -> int:
    return min(len(TEAMS), max(1, connections // 5), connections)


def _connector_types() -> Iterator[dict[str, Any]]:
    for service in sorted(BY_ID.values(), key=lambda service: service.id):
        yield {
            "id": service.id,
            "name": service.name,
            "type": service.kind,
            "description": f"{service.name} is a source of the sandbox.",
            "connector_class": "standard",
            "service_status": "sunset" if service is SUNSET else "general_availability",
            "link_to_docs": f"https://fivetran.com/docs/connectors/{service.id}",
        }
