"""The lists of the sandbox as facts: what rules find there is what was spoilt, list by list."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from auditor import audit, load_policies
from auditor.fields import FACT_LISTS, Kind
from auditor.model import Result, Verdict
from auditor.sandbox.endpoints import LIST_NAMES, OBJECT_NAMES
from auditor.sandbox.estate import SandboxEstate, build_estate
from auditor.sandbox.server import Sandbox
from auditor.sources.api.account import Credentials
from auditor.sources.api.client import HttpOptions
from auditor.sources.api.walk import FivetranSource

EVERY = "{id: {exists: true}}"

#: For each flaw that a list shows: when a rule applies, and what it asks.
RULES: Mapping[str, tuple[str, str]] = {
    "owner-gone": (
        "{connected_by: {exists: true, not_equals: _fivetran_system}}",
        "{owner: {exists: true}}",
    ),
    "inactive-owner": ("{owner: {exists: true}}", "{owner.active: true}"),
    "foreign-owner": (
        "{owner: {exists: true}}",
        '{owner.email: {ends_with: "@example.com"}}',
    ),
    "powerful-owner": (
        "{owner: {exists: true}}",
        "{owner.role: {not_equals: Account Administrator}}",
    ),
    "dead-link": ("{private_link: {exists: true}}", "{private_link.state: OK}"),
    "proxy-lost": ("{proxy_agent: {exists: true}}", "{proxy_agent.status: CONNECTED}"),
    "agent-offline": ("{hybrid_agent: {exists: true}}", "{hybrid_agent.online: true}"),
    "sunset-service": (
        "{connector_type: {exists: true}}",
        "{connector_type.service_status: {not_equals: sunset}}",
    ),
    "beta-service": (
        "{connector_type: {exists: true}}",
        "{connector_type.service_status: {not_equals: beta}}",
    ),
    "broken-destination": (EVERY, "{destination.setup_status: CONNECTED}"),
    "log-disabled": (EVERY, "{external_logging.enabled: true}"),
    "no-active-webhook": (
        EVERY,
        "{webhooks: {any_item: {active: true}}}",
    ),
}

#: A listed transformation names no group: one of dbt names its project, which has one, and one of
#: Quickstart its connections.
OF_TRANSFORMATIONS: Mapping[str, tuple[str, str]] = {
    "failed-transformation": (EVERY, "{transformations: {none_items: {status: FAILED}}}"),
    "paused-transformation": (EVERY, "{transformations: {none_items: {paused: true}}}"),
}


def judged(
    folder: Path,
    estate: SandboxEstate,
    asked: Mapping[str, tuple[str, str]] = RULES,
    **options: object,
) -> Result:
    rules = "".join(
        f"  - {{id: {name}, severity: low, when: {when}, assert: {condition}}}\n"
        for name, (when, condition) in asked.items()
    )
    policy = folder / "facts.yaml"
    policy.write_text(f"policy: facts\nrules:\n{rules}", encoding="utf-8")
    with Sandbox(estate, **options) as sandbox:  # type: ignore[arg-type]  # options by name
        key = Credentials(sandbox.key, sandbox.secret)
        source = FivetranSource(sandbox.url, key, options=HttpOptions(attempts=1))
        return audit(source, load_policies(str(policy)))


def having(result: Result, name: str, verdict: Verdict) -> set[str]:
    (checks,) = [each for each in result.checks if each.rule.id == name]
    found = zip(result.connections, checks.verdicts, strict=True)
    return {connection.id for connection, byte in found if Verdict(byte) is verdict}


def finds_what_was_spoilt(folder: Path, asked: Mapping[str, tuple[str, str]]) -> None:
    estate = build_estate(250)
    result = judged(folder, estate, asked)
    for name in asked:
        spoilt = {estate.lists.groups_of_rows.get(id_, id_) for id_ in estate.flaws[name]}
        wanted = {r["id"] for r in estate.records if {r["id"], r["group_id"]} & spoilt}
        assert having(result, name, Verdict.ERROR) == set(), name
        assert having(result, name, Verdict.FAIL) == wanted, name


def test_rules_on_facts_find_what_was_spoilt_and_nothing_else(tmp_path):
    finds_what_was_spoilt(tmp_path, RULES)


def test_transformations_are_of_their_projects_group_or_of_the_connections_they_name(tmp_path):
    estate = build_estate(250)
    result = judged(tmp_path, estate, OF_TRANSFORMATIONS)
    groups = {row["id"]: row["group_id"] for row in estate.lists.transformation_projects}

    def theirs(record):
        for row in estate.lists.transformations:
            made_of = row["transformation_config"]
            if "project_id" in made_of:
                if groups[made_of["project_id"]] == record["group_id"]:
                    yield row
            elif record["id"] in made_of["connection_ids"]:
                yield row

    failed = {r["id"] for r in estate.records if any(t["status"] == "FAILED" for t in theirs(r))}
    paused = {r["id"] for r in estate.records if any(t["paused"] for t in theirs(r))}
    assert having(result, "failed-transformation", Verdict.FAIL) == failed != set()
    assert having(result, "paused-transformation", Verdict.FAIL) == paused != set()
    for name in OF_TRANSFORMATIONS:
        assert having(result, name, Verdict.ERROR) == set(), name


def test_rules_on_facts_find_nothing_in_a_healthy_account(tmp_path):
    result = judged(tmp_path, build_estate(250, healthy=True))
    for name in RULES:
        assert not having(result, name, Verdict.ERROR) | having(result, name, Verdict.FAIL), name


@pytest.mark.parametrize("fault", ["forbidden", "not-found", "garbage", "cut-page", "no-items"])
@pytest.mark.parametrize(
    ("endpoint", "rule"),
    [
        ("users", "owner-gone"),
        ("private-links", "dead-link"),
        ("proxy", "proxy-lost"),
        ("hybrid-deployment-agents", "agent-offline"),
        ("metadata/connector-types", "beta-service"),
        ("destinations", "broken-destination"),
        ("external-logging", "log-disabled"),
        ("webhooks", "no-active-webhook"),
    ],
)
def test_a_list_that_cannot_be_read_is_an_error_of_whatever_reads_it(
    tmp_path, endpoint, rule, fault
):
    result = judged(tmp_path, build_estate(60), fault=f"{endpoint}:{fault}")
    assert not having(result, rule, Verdict.PASS)
    assert having(result, rule, Verdict.ERROR)
    spared = "dead-link" if rule != "dead-link" else "proxy-lost"
    assert not having(result, spared, Verdict.ERROR)


def test_every_fact_is_a_list_of_the_sandbox_with_the_types_that_the_catalogue_says():
    kinds = {
        Kind.STRING: str, Kind.INTEGER: int, Kind.BOOLEAN: bool, Kind.TIMESTAMP: str,
        Kind.TIME_OF_DAY: str, Kind.OBJECT: dict, Kind.ARRAY: list, Kind.ANY: object,
    }  # fmt: skip
    estate = build_estate(250)
    by_path = {
        "groups": estate.groups,
        "destinations": estate.lists.destinations,
        "users": estate.lists.users,
        "roles": estate.lists.roles,
        "metadata/connector-types": estate.connector_types,
        "private-links": estate.lists.private_links,
        "proxy": estate.lists.proxy_agents,
        "hybrid-deployment-agents": estate.lists.hybrid_agents,
        "external-logging": estate.lists.external_logging,
        "webhooks": estate.lists.webhooks,
        "transformations": estate.lists.transformations,
        "transformation-projects": estate.lists.transformation_projects,
        "account/info": (estate.lists.account,),
    }
    assert {fact.path.removeprefix("/v1/") for fact in FACT_LISTS.values()} == by_path.keys()
    for fact in FACT_LISTS.values():
        path = fact.path.removeprefix("/v1/")
        assert path in (OBJECT_NAMES if fact.single else LIST_NAMES)
        spelled = dict(fact.spelled)
        for field in fact.fields[1:]:
            key = field.path.removeprefix(f"{fact.name}[].").removeprefix(f"{fact.name}.")
            key = spelled.get(key, key)
            if "." in key or "[" in key:
                continue
            for row in by_path[path]:
                if field.always:
                    assert row.get(key) is not None, (field.path, row)
                if row.get(key) is not None:
                    assert isinstance(row[key], kinds[field.kind]), (field.path, row)
                    assert not field.values or row[key] in field.values, (field.path, row)
