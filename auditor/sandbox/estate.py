"""A whole Fivetran account, made from a seed: the same one every time.

A healthy estate comes first, connection by connection; ``spoil.py`` then spoils some of it. Ages
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
from auditor.sandbox.company import Facts, company_facts, overspend
from auditor.sandbox.connector_types import connector_types
from auditor.sandbox.lists import FurtherLists, build_lists, destination_service
from auditor.sandbox.services import (
    ADVERTISING,
    CONNECTOR_SDK,
    LEDGERS,
    PLATFORM,
    SERVICES,
    WAYS,
    Service,
)
from auditor.sandbox.spoil import spoil, spoil_lists
from auditor.sandbox.words import SERVICE_ACCOUNTS, TEAMS, TOPICS, identifiers

#: Most that an estate may hold: beyond it the records no longer fit a workstation's memory.
MOST_CONNECTIONS = 2_000_000

#: The group whose connections all run through a hybrid deployment agent.
REGULATED = "patient_records"

_FREQUENCIES = (15, 30, 60, 120, 180, 360, 480, 720, 1440)
_FREQUENCY_ODDS = tuple(accumulate((3, 5, 14, 4, 6, 30, 4, 8, 26)))
_SERVICE_ODDS = tuple(accumulate(service.weight for service in SERVICES))
_EVERY_DAY = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
_WEEKDAYS = _EVERY_DAY[:5]
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class SandboxEstate:
    """An account: each list as its endpoint gives it, and the answers.

    ``records`` are connections, in listing order; ``setup_tests`` has what went wrong in their
    set-up tests, by connection: a listing does not show it, ``details.py`` does. ``lists`` are
    all the other lists, and ``facts`` what only the company itself knows. ``flaws`` maps the name
    of each kind of flaw to the ids of what it spoilt: connections, or rows of another list (groups
    where something is missing); it is empty when healthy.
    """

    now: datetime
    records: tuple[dict[str, Any], ...]
    groups: tuple[dict[str, Any], ...]
    connector_types: tuple[dict[str, Any], ...]
    lists: FurtherLists
    setup_tests: Mapping[str, tuple[dict[str, Any], ...]]
    facts: Facts
    flaws: Mapping[str, tuple[str, ...]]


def build_estate(
    connections: int = 250,
    seed: int = 7,
    *,
    healthy: bool = False,
    now: datetime | None = None,
) -> SandboxEstate:
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
    builder = _EstateBuilder(random.Random(seed), moment.astimezone(UTC), connections)  # noqa: S311  # not for secrets
    records = list(builder.records(connections))
    setup_tests: dict[str, tuple[dict[str, Any], ...]] = {}
    flaws = {} if healthy else spoil(records, setup_tests, builder.rng, builder.now)
    lists = build_lists(seed, builder.now, builder.groups, records)
    facts = company_facts(seed, builder.groups, records, lists)
    if not healthy:
        spoilt = {id_ for ids in flaws.values() for id_ in ids}
        flaws = {**flaws, **spoil_lists(lists, builder.rng), **overspend(facts, seed, spoilt)}
    return SandboxEstate(
        now=builder.now,
        records=tuple(records),
        groups=tuple(builder.groups),
        connector_types=tuple(connector_types()),
        lists=lists,
        setup_tests=setup_tests,
        facts=facts,
        flaws=flaws,
    )


class _EstateBuilder:
    """Makes one healthy account; every draw comes from one generator, in one order."""

    def __init__(self, rng: random.Random, now: datetime, connections: int) -> None:
        self.rng = rng
        self.now = now
        self.ids = identifiers(rng)
        # Five connections make a group; twelve groups make an account.
        self.groups = [self._group(team) for team in TEAMS[: _group_count(connections)]]
        self.warehouses = {
            group["id"]: destination_service(number) for number, group in enumerate(self.groups)
        }
        self._names: dict[str, int] = {}
        self._starts: dict[tuple[tuple[int, ...], tuple[str, ...]], list[datetime]] = {}

    def records(self, count: int) -> Iterator[dict[str, Any]]:
        """Yield ``count`` healthy connections, the platform connection of each group first."""
        for number in range(count):
            if number < len(self.groups):
                yield self._record(PLATFORM, self.groups[number])
            else:
                service = self.rng.choices(SERVICES, cum_weights=_SERVICE_ODDS)[0]
                yield self._record(service, self.groups[number % len(self.groups)])

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
            "connected_by": self._owner(service),
            "created_at": self._ago(days=rng.uniform(31, 1400)),
            "service_version": rng.randrange(4),
            "status": self._status(),
            "config": config,
            "data_delay_sensitivity": self._sensitivity(service),
            "data_delay_threshold": 0,
            "failed_at": None,
            "private_link_id": None,
            "proxy_agent_id": None,
            "networking_method": "Directly",
        }
        self._schedule(record)
        self._connect(record, service, group)
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

    def _owner(self, service: Service) -> str:
        # Fivetran adds the platform connection to every group by itself.
        return SERVICE_ACCOUNTS[-1 if service is PLATFORM else self.rng.randrange(2)]

    def _sensitivity(self, service: Service) -> str:
        if service.id in LEDGERS:
            return "HIGH"
        # The default was NORMAL until about September 2026, and is LOW since.
        return "NORMAL" if self.rng.random() < 0.3 else "LOW"

    def _status(self) -> dict[str, Any]:
        # Live records have no rescheduled_for unless it is set, and a schema status on every one.
        return {
            "setup_state": "connected",
            "schema_status": "ready",
            "sync_state": "syncing" if self.rng.random() < 0.08 else "scheduled",
            "update_state": "on_schedule",
            "is_historical_sync": False,
            "tasks": [],
            "warnings": [],
        }

    def _schedule(self, record: dict[str, Any]) -> None:
        """Set when the connection syncs, and when it last did: the last time it was due."""
        rng = self.rng
        record["schedule_type"] = "auto"
        draw = rng.random()
        if draw < 0.08:
            self._sync_irregularly(record, draw)
            return
        frequency = rng.choices(_FREQUENCIES, cum_weights=_FREQUENCY_ODDS)[0]
        if record["service"] in ADVERTISING:
            frequency = max(frequency, 360)
        record["sync_frequency"] = frequency
        if frequency == 1440:
            self._sync_daily(record, hour=rng.randrange(6))
        else:
            self._sync_by_interval(record, frequency)
        if rng.random() < 0.15:
            record["failed_at"] = self._ago(days=rng.uniform(5, 30))

    def _sync_irregularly(self, record: dict[str, Any], draw: float) -> None:
        """Sync without a single cadence, and so without a frequency."""
        record["sync_frequency"] = None
        if draw < 0.03:
            record["schedule"] = {"schedule_type": "CRON", "cron": "0 2,8,14,20 * * *"}
            self._succeed_at_last(record, (20, 14, 8, 2), _EVERY_DAY)
        elif draw < 0.05:
            record["schedule"] = {"schedule_type": "CRON", "cron": "0 5 * * MON-FRI"}
            self._succeed_at_last(record, (5,), _WEEKDAYS)
        else:
            record["schedule"] = {
                "schedule_type": "TIME_OF_DAY",
                "time_of_day": "03:00",
                "days_of_week": list(_WEEKDAYS),
            }
            self._succeed_at_last(record, (3,), _WEEKDAYS)

    def _sync_by_interval(self, record: dict[str, Any], frequency: int) -> None:
        ago = frequency * self.rng.uniform(0.05, 0.6)
        draw = self.rng.random()
        if draw >= 0.1:
            record["succeeded_at"] = self._ago(minutes=ago)
            if draw < 0.6:
                record["schedule"] = {"schedule_type": "INTERVAL", "interval": frequency}
            return
        record["schedule"] = {
            "schedule_type": "INTERVAL",
            "interval": frequency,
            "days_of_week": list(_WEEKDAYS),
        }
        # On a Saturday, a Sunday and early on a Monday the last sync was on Friday.
        then = self.now - timedelta(minutes=ago)
        if then.weekday() >= _SATURDAY:
            midnight = then.replace(hour=0, minute=0, second=0, microsecond=0)
            then = midnight - timedelta(days=then.weekday() - _SATURDAY, minutes=ago)
        record["succeeded_at"] = iso(then)

    def _sync_daily(self, record: dict[str, Any], hour: int) -> None:
        self._succeed_at_last(record, (hour,), _EVERY_DAY)
        draw = self.rng.random()
        # Either field says when; the older one is null unless somebody has set it.
        record["daily_sync_time"] = None if draw < 0.15 else f"{hour:02}:00"
        if draw < 0.3:
            record["schedule"] = {
                "schedule_type": "TIME_OF_DAY",
                "time_of_day": f"{hour:02}:00",
                "days_of_week": list(_EVERY_DAY),
            }

    def _succeed_at_last(
        self, record: dict[str, Any], hours: tuple[int, ...], days: tuple[str, ...]
    ) -> None:
        """Say that the last run to have ended succeeded; ``hours`` are the latest first."""
        starts = self._starts.get((hours, days))
        if starts is None:
            starts = self._starts[hours, days] = list(self._started(hours, days))
        took = timedelta(minutes=self.rng.uniform(5, 25))
        record["succeeded_at"] = iso(
            next(start + took for start in starts if start + took < self.now)
        )

    def _started(self, hours: tuple[int, ...], days: tuple[str, ...]) -> Iterator[datetime]:
        """Yield when the runs of the last eight days were due, the latest first."""
        midnight = self.now.replace(hour=0, minute=0, second=0, microsecond=0)
        for back in range(8):
            day = midnight - timedelta(days=back)
            if _EVERY_DAY[day.weekday()] in days:
                for hour in hours:
                    yield day + timedelta(hours=hour)

    def _connect(self, record: dict[str, Any], service: Service, group: dict[str, Any]) -> None:
        """Choose the way to the source: a private one where the service knows any."""
        if group["name"] == REGULATED:
            # An agent in the company's own network connects to the source from there: Directly.
            record["hybrid_deployment_agent_id"] = f"hybrid_{group['id']}"
        elif self.rng.random() < 0.5:
            record["hybrid_deployment_agent_id"] = None
        if service.ways and group["name"] != REGULATED:
            odds = [WAYS[way] for way in service.ways]
            record["networking_method"] = self.rng.choices(service.ways, odds)[0]
        way = record["networking_method"]
        if way == "SshTunnel":
            record["config"]["tunnel_host"] = "bastion.example.com"
            record["config"]["tunnel_port"] = 22
            record["config"]["tunnel_user"] = "fivetran"
        elif way == "PrivateLink":
            record["private_link_id"] = f"pl_{record['group_id']}"
        elif way == "ProxyAgent":
            record["proxy_agent_id"] = f"agent_{record['group_id']}"
        if service.kind == "Database":
            record["config"]["connection_type"] = way

    def _add_extras(self, record: dict[str, Any], service: Service, group: dict[str, Any]) -> None:
        """Add what only some records of the real API have."""
        rng = self.rng
        if rng.random() < 0.7:
            record["data_checks"] = rng.random() < 0.2
        if rng.random() < 0.6:
            record["destination_schema_names"] = "FIVETRAN_NAMING"
        if self.warehouses[group["id"]] == "snowflake" and rng.random() < 0.3:
            record["destination_configuration"] = {"virtual_warehouse": "LOADING_WH"}
        if service.kind == "Database" and rng.random() < 0.15:
            record["external_secrets_manager_id"] = "vault_primary"
            record["external_secrets_keys_config"] = {"password": f"{group['name']}/{service.id}"}
        if service is CONNECTOR_SDK:
            record["config"]["package_id"] = f"package_{record['id']}"
        if service.id == "google_ads":
            record["source_sync_details"] = {"last_synced": record["succeeded_at"]}

    def _ago(self, **span: float) -> str:
        moment = self.now - timedelta(**span)
        # The fraction is optional: the API leaves it out when it is zero.
        return iso(moment.replace(microsecond=0) if self.rng.random() < 0.1 else moment)


def _group_count(connections: int) -> int:
    return min(len(TEAMS), max(1, connections // 5), connections)
