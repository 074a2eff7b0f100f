"""The sandbox's account and the shipped packs agree on services and set-up tests."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import yaml

from auditor.decoding.records import Shape
from auditor.model import Verdict
from auditor.policy.judging.judge import Judge
from auditor.policy.loading.documents import pack_names
from auditor.policy.loading.load import load
from auditor.resources import resource_folder
from auditor.sandbox import details
from auditor.sandbox.connector_types import connector_types
from auditor.sandbox.estate import build_estate

NOW = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)
KINDS = {row["id"]: row["type"] for row in connector_types()}
STATUS = {row["id"]: row["service_status"] for row in connector_types()}
#: The lists of services in the packs, by their variable: the types that their services have.
LISTS = {
    "databases": {"Database", "Warehouse"},
    "ad_services": {"Marketing"},
    "tier_one_services": {"Finance"},
    "banned_services": {"File"},
}
#: What a pack lists and Fivetran's OpenAPI file of 2026-07 has not: older names, of connections
#: that go on. A pack may name them; a misspelt service is none of them.
OLDER = {
    "clarity",
    "db2",
    "dynamics_365_fo",
    "ehr",
    "google_analytics_mcf",
    "hana_sap_hva_b1",
    "hana_sap_hva_ecc",
    "hana_sap_hva_ecc_netweaver",
    "hana_sap_hva_s4",
    "hana_sap_hva_s4_netweaver",
    "redshift_db",
    "sap_hana",
    "sap_s4hana",
}


def variable(name: str) -> set[str]:
    """Return the services of a pack's list; the test of a list that no pack has is skipped."""
    for path in sorted(resource_folder("policies").glob("*.yaml")):
        values = yaml.safe_load(path.read_text(encoding="utf-8")).get("vars") or {}
        if name in values:
            return set(values[name])
    pytest.skip(f"no pack has a list called {name}")


@pytest.mark.parametrize("name", LISTS)
def test_what_a_pack_lists_is_a_connector_type_of_that_kind(name):
    listed = variable(name) - OLDER
    assert {service for service in listed if KINDS.get(service) not in LISTS[name]} == set()


def test_every_database_of_the_sandbox_is_in_the_packs_list():
    known = {service for service, kind in KINDS.items() if kind in LISTS["databases"]}
    assert known - variable("databases") == set()


def test_what_a_pack_calls_retired_is_no_longer_offered():
    for service in variable("retired_services"):
        assert STATUS.get(service, "sunset") == "sunset"


def test_rules_on_setup_tests_judge_nothing_on_a_listing_and_find_much_in_details():
    estate = build_estate(250, now=NOW)
    ruleset = load(list(pack_names())).ruleset
    rules = [rule for rule in ruleset.rules if "setup_tests" in str(rule.when)]
    assert rules
    shape = Shape(*ruleset.reads())

    def failing(records):
        judge = Judge(ruleset, shape, estate.now, lambda text: text)
        judge.take([shape.convert(record) for record in records])
        checks = {one.rule.id: one for one in judge.outcome(lambda _rule: True).checks()}
        return [checks[rule.rule.id] for rule in rules]

    for checks in failing(estate.records):
        assert checks.count(Verdict.SKIP) == checks.total
    for checks in failing([details.connection(estate, record) for record in estate.records]):
        assert checks.count(Verdict.FAIL) > 0
        assert checks.count(Verdict.PASS) > 100
