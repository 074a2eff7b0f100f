"""The pack ``account`` over the sandbox: it finds what was spoilt in the lists, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from auditor import audit
from auditor.model import Result, Verdict
from auditor.policy.language.rules import Ruleset
from auditor.policy.loading.load import Loaded, load
from auditor.sandbox.estate import SandboxEstate, build_estate
from auditor.sandbox.server import Sandbox
from auditor.sources.api.account import Credentials
from auditor.sources.api.client import HttpOptions
from auditor.sources.api.walk import FivetranSource
from tests.builders.account_server import ACCOUNT, AccountServer
from tests.builders.facts import IMPATIENT, KEY

#: The flaws of the sandbox that each rule finds.
FINDS: Mapping[str, str] = {
    "owner-still-there": "owner-gone",
    "owner-active": "inactive-owner",
    "owner-in-the-company": "foreign-owner",
    "owner-no-administrator": "powerful-owner",
    "links-work": "dead-link",
    "proxy-agents-connected": "proxy-lost",
    "hybrid-agents-online": "agent-offline",
    "types-stay": "sunset-service",
    "types-are-ripe": "beta-service",
    "destinations-connected": "broken-destination",
    "link-in-the-destinations-region": "region-mismatch",
    "somebody-is-told": "no-active-webhook",
    "logs-are-sent": "log-disabled",
    "transformations-succeed": "failed-transformation",
    "transformations-not-paused": "paused-transformation",
}
#: What each list is read by.
READ_BY: Mapping[str, set[str]] = {
    "users": {name for name in FINDS if name.startswith("owner")},
    "private-links": {"links-work", "link-in-the-destinations-region"},
    "proxy": {"proxy-agents-connected"},
    "hybrid-deployment-agents": {"hybrid-agents-online"},
    "metadata/connector-types": {"types-stay", "types-are-ripe", "private-where-it-can-be"},
    "destinations": {"destinations-connected", "link-in-the-destinations-region"},
    "webhooks": {"somebody-is-told"},
    "external-logging": {"logs-are-sent"},
    "transformations": {"transformations-succeed", "transformations-not-paused"},
}


@cache
def pack() -> Loaded:
    return load(["account"], strict=True)


def judged(estate: SandboxEstate, ruleset: Ruleset | None = None, **options: object) -> Result:
    with Sandbox(estate, **options) as sandbox:  # type: ignore[arg-type]  # options by name
        key = Credentials(sandbox.key, sandbox.secret)
        source = FivetranSource(sandbox.url, key, options=HttpOptions(attempts=1))
        return audit(source, ruleset or pack().ruleset)


def having(result: Result, verdict: Verdict) -> dict[str, set[str]]:
    ids = [connection.id for connection in result.connections]
    found = {}
    for checks in result.checks:
        having = zip(ids, checks.verdicts, strict=True)
        found[checks.rule.id] = {id_ for id_, byte in having if Verdict(byte) is verdict}
    return {name: ids for name, ids in found.items() if ids}


def test_a_violating_account_shows_each_flaw_where_it_is_and_no_error():
    estate = build_estate(250)
    result = judged(estate)
    failing = having(result, Verdict.FAIL)
    assert having(result, Verdict.ERROR) == {}
    for name, flaw in FINDS.items():
        spoilt = {estate.lists.groups_of_rows.get(id_, id_) for id_ in estate.flaws[flaw]}
        touched = {r["id"] for r in estate.records if {r["id"], r["group_id"]} & spoilt}
        assert set() < failing[name] <= touched, name


def test_a_healthy_account_passes():
    result = judged(build_estate(250, healthy=True))
    assert having(result, Verdict.ERROR) == having(result, Verdict.FAIL) == {}


@pytest.mark.parametrize("endpoint", READ_BY)
def test_a_list_that_may_not_be_read_is_an_error_of_what_reads_it(endpoint: str):
    result = judged(build_estate(60), fault=f"{endpoint}:forbidden")
    wrong = having(result, Verdict.ERROR)
    assert wrong.keys() >= READ_BY[endpoint] - {"private-where-it-can-be"}
    assert result.gate.exit_code == 3
    others = {name for names in READ_BY.values() for name in names} - READ_BY[endpoint]
    assert not wrong.keys() & others - {"private-where-it-can-be"}


def test_an_account_with_nothing_of_the_kind_has_idle_rules_and_no_error():
    account = {path: [] for path in ACCOUNT}
    account |= {"/v1/account/info": {"account_id": "acc"}}
    account |= {"/v1/connections": [{"id": "c", "service": "s3", "schema": "s", "group_id": "g"}]}
    with AccountServer(account) as server:
        source = FivetranSource(server.url, KEY, options=IMPATIENT)
        result = audit(source, pack().ruleset)
    assert having(result, Verdict.ERROR) == {}
    assert set(having(result, Verdict.FAIL)) <= {"somebody-is-told"}


def test_data_that_leaves_its_region_is_found_once_somebody_says_where_it_stays(tmp_path: Path):
    estate = build_estate(250)
    groups = {row["id"]: row["name"] for row in estate.groups}
    regions = {row["group_id"]: row["region"] for row in estate.lists.destinations}
    stays, leaves, *_ = sorted(regions)
    rows = [f"{groups[stays]},{regions[stays]}", f"{groups[leaves]},NOWHERE_1"]
    (tmp_path / "regions.csv").write_text("\n".join(["name,region", *rows]))
    ruleset = load(["account"], facts={"data_regions": str(tmp_path / "regions.csv")}).ruleset
    assert "data-stays-in-its-region" not in having(judged(estate), Verdict.FAIL)
    result = judged(estate, ruleset=ruleset)
    of_group = {g: {r["id"] for r in estate.records if r["group_id"] == g} for g in regions}
    assert having(result, Verdict.FAIL)["data-stays-in-its-region"] == of_group[leaves] != set()
    assert having(result, Verdict.PASS)["data-stays-in-its-region"] == of_group[stays] != set()
