"""The account's other lists: who owns connections, what they run through, who hears of them.

They are made after the connections, and agree with them: what a connection names is in its list,
except the owner who has gone. Fields, types and words follow Fivetran's OpenAPI file of 2026-07.
Every row has a generator of its own, so that no row depends on what else an account holds.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from auditor.clock import iso
from auditor.sandbox.services import CONNECTOR_SDK
from auditor.sandbox.words import (
    ADMINISTRATOR,
    AUDITOR,
    GUEST,
    LEAVER,
    OUT_OF_SERVICE,
    PEOPLE,
    SERVICE_ACCOUNTS,
    SYSTEM_KEY,
    TEAM_MEMBER,
)

Row = dict[str, Any]

#: Destinations in turn: the service, the region that data is processed in, and the service of the
#: private link to it. BigQuery is reached through Google's API: it has no way to choose.
_DESTINATIONS: tuple[tuple[str, str, str | None], ...] = (
    ("snowflake", "AWS_EU_WEST_1", "SNOWFLAKE_AWS"),
    ("big_query", "GCP_EUROPE_WEST3", None),
    ("databricks", "AZURE_WESTEUROPE", "DATABRICKS_AZURE"),
    ("snowflake", "AZURE_EASTUS2", "SNOWFLAKE_AZURE"),
    ("redshift", "AWS_US_EAST_1", "REDSHIFT_AWS"),
    ("postgres_warehouse", "AZURE_UKSOUTH", "POSTGRES_WAREHOUSE_AZURE"),
)
_DEPLOYMENTS = ("KUBERNETES", "DOCKER", "PODMAN")
_LOG_SERVICES: Mapping[str, str] = {
    "AWS": "cloudwatch",
    "AZURE": "azure_monitor_log",
    "GCP": "stackdriver",
}
_MODEST, _READER, _MIGHTY = "Account Analyst", "Account Reviewer", "Account Administrator"
_EVENTS = ("sync_end", "connection_failure", "pause_connector")
_ACCOUNT = "quiet_meridian"

#: What looks like the key and the secret of a system key, and opens nothing. No consumer may keep
#: either: a test can look for them in what it wrote.
FAKE_SYSTEM_KEY = "SystemKeyThatIsNone0"
FAKE_SYSTEM_SECRET = "SystemSecretThatOpensNothingAtAll000"


def destination_service(number: int) -> str:
    """Return the service of the destination of group ``number``."""
    return _DESTINATIONS[number % len(_DESTINATIONS)][0]


@dataclass(frozen=True, slots=True)
class FurtherLists:
    """Every list but the connections, the groups and the connector types, as it is answered.

    ``account_logging`` is None where an account has none, which the API answers with 404.
    ``groups_of_rows`` says which group a row without a ``group_id`` belongs to.
    """

    account: Row
    account_logging: Row | None
    destinations: tuple[Row, ...]
    users: tuple[Row, ...]
    roles: tuple[Row, ...]
    teams: tuple[Row, ...]
    webhooks: tuple[Row, ...]
    external_logging: tuple[Row, ...]
    private_links: tuple[Row, ...]
    proxy_agents: tuple[Row, ...]
    hybrid_agents: tuple[Row, ...]
    transformations: tuple[Row, ...]
    transformation_projects: tuple[Row, ...]
    system_keys: tuple[Row, ...]
    secrets_managers: tuple[Row, ...]
    packages: tuple[Row, ...]
    groups_of_rows: Mapping[str, str]

    def group_of(self, row: Row) -> str:
        """Return the id of the group that a destination, a webhook or the like belongs to."""
        return str(row.get("group_id") or self.groups_of_rows.get(row["id"], row["id"]))


def build_lists(
    seed: int, now: datetime, groups: Sequence[Row], records: Sequence[Row]
) -> FurtherLists:
    """Return the lists of a healthy account around ``records``, always the same ones.

    What ``records`` name with ``OUT_OF_SERVICE`` at its end is down; and the owners that people
    worry about are users only where they own something.
    """
    return _ListsBuilder(seed, now, groups, _Named(records)).lists()


class _Named:
    """What connections name: links, agents, proxies, owners, and who runs through them."""

    def __init__(self, records: Sequence[Row]) -> None:
        self.links: dict[str, str] = {}
        self.proxies: dict[str, str] = {}
        self.proxied: Counter[str] = Counter()
        self.hybrids: dict[str, list[Row]] = {}
        self.owners: set[str | None] = set()
        self.managed = False
        self.packaged: list[Row] = []
        self.first_of_group: dict[str, str] = {}
        for record in records:
            self._read(record)

    def _read(self, record: Row) -> None:
        group = record["group_id"]
        self.owners.add(record["connected_by"])
        self.first_of_group.setdefault(group, record["id"])
        if (link := record["private_link_id"]) is not None:
            self.links[link] = group
        if (proxy := record["proxy_agent_id"]) is not None:
            self.proxies[proxy] = group
            self.proxied[proxy] += 1
        if (agent := record.get("hybrid_deployment_agent_id")) is not None:
            self.hybrids.setdefault(agent, []).append(record)
        if record["service"] == CONNECTOR_SDK.id:
            self.packaged.append(record)
        self.managed |= "external_secrets_manager_id" in record


@dataclass(frozen=True, slots=True)
class _Draw:
    """The generator of one row."""

    rng: random.Random
    now: datetime

    def ago(self, low: float, high: float) -> str:
        """Return a time between ``low`` and ``high`` days ago."""
        return iso(self.now - timedelta(days=self.rng.uniform(low, high)))


@dataclass(frozen=True, slots=True)
class _ListsBuilder:
    seed: int
    now: datetime
    groups: Sequence[Row]
    named: _Named
    _groups_of_rows: dict[str, str] = field(default_factory=dict)

    def lists(self) -> FurtherLists:
        return FurtherLists(
            account={"account_id": _ACCOUNT, "account_name": "Example Company"},
            account_logging=None,
            destinations=tuple(self._destinations()),
            users=tuple(self._users()),
            roles=tuple(_roles()),
            teams=tuple(_teams()),
            webhooks=tuple(self._webhooks()),
            external_logging=tuple(self._external_logging()),
            private_links=tuple(self._private_links()),
            proxy_agents=tuple(self._proxy_agents()),
            hybrid_agents=tuple(self._hybrid_agents()),
            transformations=tuple(self._transformations()),
            transformation_projects=tuple(self._projects()),
            system_keys=tuple(self._system_keys()),
            secrets_managers=tuple(self._secrets_managers()),
            packages=tuple(self._packages()),
            groups_of_rows=self._groups_of_rows,
        )

    def _draw(self, *names: str) -> _Draw:
        rng = random.Random(":".join((str(self.seed), *names)))  # noqa: S311  # not for secrets
        return _Draw(rng, self.now)

    def _place(self, group: str) -> tuple[str, str, str | None]:
        number = next(n for n, row in enumerate(self.groups) if row["id"] == group)
        return _DESTINATIONS[number % len(_DESTINATIONS)]

    def _destinations(self) -> Iterator[Row]:
        for group in self.groups:
            service, region, link = self._place(group["id"])
            row: Row = {
                "id": group["id"],
                "group_id": group["id"],
                "service": service,
                "region": region,
                "time_zone_offset": "0",
                "setup_status": "CONNECTED",
                "daylight_saving_time_enabled": False,
            }
            if link is not None:
                row["networking_method"] = "PrivateLink"
                row["private_link_id"] = f"pl_{group['id']}_out"
            # Optional, and null where an account has none of it.
            if self._draw("destinations", group["id"]).rng.random() < 0.5:
                row["hybrid_deployment_agent_id"] = row["proxy_agent_id"] = None
            yield row

    def _users(self) -> Iterator[Row]:
        for id_ in (*SERVICE_ACCOUNTS[:2], AUDITOR):
            yield self._user(id_, "Service", "Account", _READER if id_ == AUDITOR else _MODEST)
        yield self._user(ADMINISTRATOR, "Ada", "Founder", _MIGHTY)
        yield self._user(TEAM_MEMBER, "Lee", "Member", "Destination Reviewer")
        for id_, given, family in PEOPLE:
            yield self._user(id_, given, family, _READER)
        if LEAVER in self.named.owners:
            yield self._user(LEAVER, "Pat", "Leaver", _READER) | {"active": False}
        if GUEST in self.named.owners:
            guest = self._user(GUEST, "Guest", "Visitor", _READER)
            yield guest | {"email": f"{GUEST}@agency.example.net"}

    def _user(self, id_: str, given: str, family: str, role: str) -> Row:
        draw = self._draw("users", id_)
        return {
            "id": id_,
            "email": f"{id_}@example.com",
            "given_name": given,
            "family_name": family,
            "verified": True,
            "invited": False,
            "picture": None,
            "phone": None,
            "logged_in_at": draw.ago(0.1, 16),
            "created_at": draw.ago(300, 1500),
            "active": True,
            "role": role,
        }

    def _webhooks(self) -> Iterator[Row]:
        for group in self.groups:
            yield {
                "id": f"webhook_{group['id']}",
                "type": "group",
                "group_id": group["id"],
                "url": f"https://hooks.example.com/fivetran/{group['name']}",
                "events": list(_EVENTS),
                "active": True,
                "secret": "******",
                "created_at": self._draw("webhooks", group["id"]).ago(100, 900),
                "created_by": SERVICE_ACCOUNTS[0],
            }

    def _external_logging(self) -> Iterator[Row]:
        for group in self.groups:
            cloud = self._place(group["id"])[1].partition("_")[0]
            yield {
                "id": group["id"],
                "service": _LOG_SERVICES[cloud],
                "enabled": True,
                "status": {"tasks": [], "setup_state": "connected"},
            }

    def _private_links(self) -> Iterator[Row]:
        for link, group in sorted(self.named.links.items()):
            cloud = self._place(group)[1].partition("_")[0]
            yield self._private_link(link, group, f"SOURCE_{cloud}")
        for group_ in self.groups:
            service = self._place(group_["id"])[2]
            if service is not None:
                yield self._private_link(f"pl_{group_['id']}_out", group_["id"], service)

    def _private_link(self, id_: str, group: str, service: str) -> Row:
        dead = id_.endswith(OUT_OF_SERVICE)
        region = self._place(group)[1]
        row = {
            "id": id_,
            "name": id_,
            "region": region,
            "service": service,
            "state": "FAIL" if dead else "OK",
            "state_summary": "The endpoint was rejected." if dead else "",
            "cloud_provider": region.partition("_")[0],
            "config": {"connection_service_name": f"service.{id_}.example.com"},
            "created_at": self._draw("private-links", id_).ago(100, 900),
            "created_by": SERVICE_ACCOUNTS[0],
        }
        return row if dead else row | {"host": f"{id_}.link.example.com"}

    def _proxy_agents(self) -> Iterator[Row]:
        for id_, group in sorted(self.named.proxies.items()):
            yield {
                "id": id_,
                "account_id": _ACCOUNT,
                "display_name": id_,
                "region": self._place(group)[1],
                "version": "1.14.2",
                "status": "NOT_CONNECTED" if id_.endswith(OUT_OF_SERVICE) else "CONNECTED",
                "connector_count": self.named.proxied[id_],
                "destination_count": 0,
                "registered_at": self._draw("proxy", id_).ago(100, 900),
                "created_by": SERVICE_ACCOUNTS[0],
            }

    def _hybrid_agents(self) -> Iterator[Row]:
        for id_, used in sorted(self.named.hybrids.items()):
            draw, silent = self._draw("hybrid", id_), id_.endswith(OUT_OF_SERVICE)
            keys = ("schema", "service")
            yield {
                "id": id_,
                "display_name": id_,
                "group_id": used[0]["group_id"],
                "version": "4.2.0",
                "enabled": True,
                "online": not silent,
                "deployment_type": _DEPLOYMENTS[draw.rng.randrange(len(_DEPLOYMENTS))],
                "registered_at": draw.ago(100, 900),
                "updated_at": draw.ago(10, 90),
                "last_used_at": draw.ago(20, 60) if silent else draw.ago(0.001, 0.02),
                "created_by": SERVICE_ACCOUNTS[0],
                "usage": [
                    {"connection_id": one["id"], **{key: one[key] for key in keys}} for one in used
                ],
            }

    def _transformations(self) -> Iterator[Row]:
        for group in self.groups:
            first = self.named.first_of_group.get(group["id"])
            dbt = {
                "project_id": f"project_{group['id']}",
                "name": f"{group['name']} models",
                "steps": [{"name": "run", "command": "dbt run"}],
            }
            quick = {
                "package_name": "fivetran_log",
                "connection_ids": [first] if first else [],
                "upgrade_available": False,
            }
            daily = {"schedule_type": "TIME_OF_DAY", "time_of_day": "04:00", "days_of_week": []}
            after = {"schedule_type": "INTEGRATED", "connection_ids": quick["connection_ids"]}
            yield self._transformation("DBT_CORE", group, daily, dbt)
            yield self._transformation("QUICKSTART", group, after, quick)

    def _transformation(self, kind: str, group: Row, schedule: Row, settings: Row) -> Row:
        id_ = f"{kind.partition('_')[0].lower()}_{group['id']}"
        self._groups_of_rows[id_] = group["id"]
        draw = self._draw("transformations", id_)
        started = self.now - timedelta(hours=draw.rng.uniform(1, 20))
        return {
            "id": id_,
            "type": kind,
            "status": "SUCCEEDED",
            "paused": False,
            "schedule": schedule,
            "created_at": draw.ago(50, 500),
            "created_by_id": SERVICE_ACCOUNTS[1],
            "last_started_at": iso(started),
            "last_ended_at": iso(started + timedelta(minutes=draw.rng.uniform(1, 30))),
            "output_model_names": [f"{group['name']}_daily"],
            "transformation_config": settings,
        }

    def _projects(self) -> Iterator[Row]:
        for group in self.groups:
            yield {
                "id": f"project_{group['id']}",
                "type": "DBT_CORE",
                "group_id": group["id"],
                "created_at": self._draw("projects", group["id"]).ago(500, 900),
                "created_by_id": SERVICE_ACCOUNTS[1],
            }

    def _system_keys(self) -> Iterator[Row]:
        scopes: tuple[tuple[str, str, str, str, Row], ...] = (
            (SYSTEM_KEY, "pipelines", "CONNECTOR", "READ", {}),
            ("amiable_warden", "orchestrator", "TRANSFORMATION", "MANAGE", {"group_ids": []}),
        )
        for id_, name, resource, level, filter_ in scopes:
            draw = self._draw("system-keys", id_)
            yield {
                "id": id_,
                "name": name,
                "key": FAKE_SYSTEM_KEY,
                "secret": FAKE_SYSTEM_SECRET,
                "permissions": [
                    {"resource_type": resource, "access_level": level, "resource_filter": filter_}
                ],
                "created_at": draw.ago(100, 200),
                "updated_at": draw.ago(20, 90),
                "expired_at": iso(self.now + timedelta(days=draw.rng.uniform(60, 90))),
                "last_used_at": draw.ago(0.01, 2),
            }

    def _secrets_managers(self) -> Iterator[Row]:
        if self.named.managed:
            yield {
                "id": "vault_primary",
                "type": "HASHICORP_VAULT",
                "name": "Primary vault",
                "is_hybrid_deployment": False,
                "created_at": self._draw("secrets-managers").ago(200, 600),
                "updated_at": self._draw("secrets-managers").ago(10, 60),
            }

    def _packages(self) -> Iterator[Row]:
        for record in self.named.packaged:
            draw, id_ = self._draw("packages", record["id"]), record["config"]["package_id"]
            yield {
                "id": id_,
                "connection_id": record["id"],
                "created_by": SERVICE_ACCOUNTS[0],
                "last_updated_by": SERVICE_ACCOUNTS[0],
                "created_at": draw.ago(100, 200),
                "updated_at": draw.ago(5, 90),
                "file_sha256_hash": hashlib.sha256(id_.encode()).hexdigest(),
            }


def _roles() -> Iterator[Row]:
    standard = (
        (_MIGHTY, "ACCOUNT"),
        (_MODEST, "ACCOUNT"),
        (_READER, "ACCOUNT"),
        ("Destination Administrator", "DESTINATION"),
        ("Destination Reviewer", "DESTINATION"),
        ("Connector Creator", "CONNECTOR"),
        ("Team Manager", "TEAM"),
    )
    for name, scope in standard:
        yield _role(name, scope)
    yield _role("Pipeline Operator", "CONNECTOR") | {"is_custom": True}
    yield _role("Connector Collaborator", "CONNECTOR") | {
        "is_deprecated": True,
        "replacement_role_name": "Connector Creator",
    }


def _role(name: str, scope: str) -> Row:
    return {
        "name": name,
        "description": f"What a {name} may do.",
        "scope": [scope],
        "is_custom": False,
        "is_deprecated": False,
        "replacement_role_name": None,
    }


def _teams() -> Iterator[Row]:
    for id_, name in (("serene_quarry", "Data platform"), ("nimble_trellis", "Analysts")):
        yield {"id": id_, "name": name, "description": f"{name}.", "role": _READER}
