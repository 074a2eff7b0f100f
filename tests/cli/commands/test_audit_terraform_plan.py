"""``audit --terraform-plan``: what gates, what is reported, and what is never shown."""

from __future__ import annotations

import copy
import csv
import io
import json
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import auditor
from auditor.cli.main import main
from auditor.decoding.records import Shape
from auditor.policy import load_policies
from auditor.reports.csv import PLANNED
from auditor.run import audit as audit_of
from auditor.sandbox.estate import build_estate
from auditor.sandbox.server import Sandbox
from auditor.sources.plan.overlay import ListedAccount, lay
from auditor.sources.plan.planned import Estate
from auditor.sources.plan.source import PlanSource
from auditor.sources.saved.source import SnapshotSource
from tests.builders.account_server import AccountServer
from tests.builders.command import KEYS, run
from tests.builders.plans import PLANS, change, document, of_these, plan_file, schema_config
from tests.builders.slow import tries

HOUSE = """\
policy: house
rules:
  - id: floor
    severity: medium
    when: {schedule_type: auto, sync_frequency: {exists: true}}
    assert: {sync_frequency: {gte: 15}}
    message: "{schema} syncs every {sync_frequency} minutes"
  - id: private
    severity: high
    when: {service: [postgres, mysql, kafka]}
    assert: {networking_method: {in: [PrivateLink, SshTunnel]}}
  - id: connected
    severity: high
    assert: {status.setup_state: connected}
  - id: one-name
    severity: low
    per: group_id
    assert: {unique: [service, schema]}
  - id: few-fast
    severity: low
    per: group_id
    when: {sync_frequency: {lt: 15}}
    assert: {count: {lte: 2}}
"""
NEVER = "hunter2"


class Ran:
    """What a run said, and what its reports hold."""

    def __init__(self, code: int, out: str, err: str, folder: Path) -> None:
        self.code, self.out, self.err, self.folder = code, out, err, folder

    @property
    def report(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads((self.folder / "report.json").read_text())
        return read

    def verdicts(self) -> dict[tuple[str, str], str]:
        """Return each finding's verdict by its rule and its connection's name."""
        return {
            (f["rule"], ",".join(c["schema"] for c in f["connections"])): f["verdict"]
            for f in self.report["findings"]
        }


Audit = Callable[..., Ran]


@pytest.fixture
def audit(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch) -> Audit:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    (tmp_path / "house.yaml").write_text(HOUSE)

    def audit(plan: str | Mapping[str, Any], *options: str, policy: str = "house.yaml") -> Ran:
        path = plan if isinstance(plan, str) else _saved(tmp_path, plan)
        if not path.endswith((".json", ".ndjson")):
            path = str(plan_file(path))
        words = ["audit", "--terraform-plan", path, "-p", policy, "--report", "json", *options]
        with pytest.raises(SystemExit) as left:
            main(words)
        said = capsys.readouterr()
        code = left.value.code
        return Ran(code if isinstance(code, int) else 0, said.out, said.err, Path("audit-report"))

    return audit


def _saved(folder: Path, plan: Mapping[str, Any]) -> str:
    path = folder / "given.json"
    path.write_text(json.dumps(plan))
    return str(path)


def _account(**others: Any) -> str:
    """Write the account as the walk finds it; return the file."""
    rows = (
        ("orders_5153", "postgres", "orders", "PrivateLink", 60, "connected"),
        ("crm_f8d2", "salesforce", "crm", "Directly", 360, "connected"),
        ("legacy_a005", "mysql", "legacy", "SshTunnel", 5, "connected"),
        ("sheets_budget_4566", "google_sheets", "sheets.budget", "Directly", 5, "connected"),
        ("other", "github", "other", "Directly", 60, "broken"),
    )
    items = [
        {
            "id": name,
            "service": service,
            "schema": schema,
            "group_id": "g_prod",
            "paused": False,
            "pause_after_trial": False,
            "sync_frequency": minutes,
            "schedule_type": "auto",
            "status": {"setup_state": state},
            "networking_method": method,
            "created_at": "2024-01-01T00:00:00Z",
            **others.get(name, {}),
        }
        for name, service, schema, method, minutes, state in rows
        if others.get(name) != {}
    ]
    Path("account.json").write_text(json.dumps({"code": "Success", "data": {"items": items}}))
    return "account.json"


def test_the_walk_without_an_account_gates_on_what_it_touches(audit: Audit):
    ran = audit("walk")
    assert ran.code == 1
    assert ran.verdicts() == {("floor", "orders"): "fail", ("floor", "events"): "fail"}
    (orders,) = [f for f in ran.report["findings"] if f["connections"][0]["schema"] == "orders"]
    (resource,) = orders["resources"]
    assert resource["address"] == "fivetran_connector.orders"
    assert resource["attributes"] == [
        {
            "field": "sync_frequency",
            "address": "fivetran_connector_schedule.orders",
            "name": "sync_frequency",
            "before": "60",
            "after": "5",
            "position": None,
        }
    ]
    assert "fivetran_connector_schedule.orders: sync_frequency 60 -> 5" in ran.out
    assert ran.report["plan"]["unplanned_rules"] == ["connected", "one-name", "few-fast"]
    assert "fivetran_connector.legacy (legacy_a005): destroyed" in ran.out


def test_over_a_large_account_each_finding_names_its_own_connection(audit: Audit):
    # More than are judged between two looks at the clock.
    account = json.loads(Path(_account()).read_text())
    like = account["data"]["items"][-1]
    account["data"]["items"] += [
        {**like, "id": f"id{n}", "schema": f"s{n}", "sync_frequency": 5 if n % 100 == 99 else 60}
        for n in range(900)
    ]
    Path("account.json").write_text(json.dumps(account))
    ran = audit("walk", "--over", "account.json")
    assert ran.code == 1
    # One is created, and one destroyed.
    assert ran.report["listing"]["connections"] == len(account["data"]["items"])
    found = [f for f in ran.report["findings"] if f["rule"] == "floor"]
    names = {(c["id"], c["schema"]) for f in found for c in f["connections"]}
    assert {(f"id{n}", f"s{n}") for n in range(99, 900, 100)} < names
    assert len(names) == 9 + 3


def test_a_pass_claims_no_more_than_the_plan_holds(audit: Audit):
    ran = audit("modules", policy="slow.yaml") if _slow() else None
    assert ran is not None
    assert ran.code == 0
    assert "what the plan says of 8 connections was judged by 1 of 2 rules" in ran.out
    assert "8 checks not made: what they read is not in the plan" in ran.out


def _slow() -> bool:
    text = HOUSE.split("  - id: private", maxsplit=1)[0].replace("gte: 15", "gte: 5")
    text += "  - id: c\n    severity: low\n    assert: {status.setup_state: connected}\n"
    Path("slow.yaml").write_text(text)
    return True


def test_without_anything_to_judge_it_is_inconclusive(audit: Audit):
    Path("live.yaml").write_text(
        "policy: p\nrules:\n  - id: r\n    severity: low\n"
        "    assert: {status.setup_state: connected}\n"
    )
    ran = audit("walk", policy="live.yaml")
    assert ran.code == 3
    assert "the plan has nothing that the rules read" in ran.out


def test_strict_wants_every_check_made(audit: Audit):
    ran = audit("walk", "--strict")
    assert ran.code == 3
    assert "rest on what is not in the plan" in ran.out


def test_an_unknown_field_is_an_error_that_says_what_to_write(audit: Audit):
    ran = audit("small")
    assert ran.code == 3
    (finding,) = [f for f in ran.report["findings"] if f["rule"] == "private"][:1]
    assert finding["verdict"] == "error"
    assert "write networking_method of fivetran_connector." in finding["message"]
    skipped = audit("small", "--on-unknown", "skip")
    assert skipped.code == 3  # nothing else is decidable there
    assert "error" not in {f["verdict"] for f in skipped.report["findings"]}


def test_what_is_skipped_because_it_is_unknown_is_counted_and_not_called_idle(audit: Audit):
    """Skipping is asked for, and still no pass: where all is skipped, nothing was judged."""
    Path("unknown.yaml").write_text(
        "policy: unknown\nrules:\n"
        "  - {id: private, severity: high, assert: {networking_method: PrivateLink}}\n"
        "  - {id: named, severity: low, assert: {schema: {exists: true}}}\n"
    )
    ran = audit("small", "--on-unknown", "skip", policy="unknown.yaml")
    assert ran.code == 0, ran.out
    assert "2 checks rest on what is unknown until applied, and were skipped" in ran.out
    assert "unknown   2 checks unknown until applied, skipped: private" in ran.out
    assert "applied to nothing" not in ran.out
    alone = audit("small", "--on-unknown", "skip", "--only", "private", policy="unknown.yaml")
    assert alone.code == 3
    assert "so nothing was judged" in alone.out
    assert "No rule applied" not in alone.out


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("small-noop", "nothing would change; nothing was judged"),
        ("small-refresh-only", "nothing would change; nothing was judged"),
        ("small-destroy", "nothing was judged (connections: 2 destroyed)"),
    ],
)
def test_where_nothing_changes_nothing_is_claimed(audit: Audit, name: str, said: str):
    ran = audit(name, "--require-resources")
    assert ran.code == 0
    assert said in ran.out
    assert "judged by" not in ran.out.splitlines()[-1]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("small-errored", "the plan has errors"),
        ("small-target", "-target"),
    ],
)
def test_a_plan_that_is_not_whole_is_inconclusive(audit: Audit, name: str, said: str):
    ran = audit(name)
    assert ran.code == 3
    assert said in ran.out


@pytest.mark.parametrize("name", ["small", "small-noop", "walk"])
def test_a_plan_that_was_shortened_is_inconclusive(audit: Audit, name: str):
    """By hand: as a filter leaves it that takes out what it does not look for."""
    plan = document(name)
    first = plan["resource_changes"].pop(0)["address"]
    ran = audit(plan)
    assert ran.code == 3
    assert f"the plan was shortened: it lists {first} without saying" in ran.out
    assert "terraform show -json" in ran.out
    plan["resource_changes"].pop(0)
    assert f"{first} and 1 more without" in audit(plan).out


@pytest.mark.parametrize("none", [True, False])
def test_a_plan_without_its_changes_does_not_change_nothing(audit: Audit, none: bool):
    plan = document("small")
    plan |= {"resource_changes": []}
    if none:
        del plan["resource_changes"]
    ran = audit(plan)
    assert ran.code == 3
    assert "the plan was shortened" in ran.out


def test_a_plan_without_fivetran_is_said_to_be_so(audit: Audit):
    plan = of_these(document("walk"), []) | {"configuration": {}}
    ran = audit(plan)
    assert ran.code == 0
    assert "the plan holds no Fivetran resource; nothing was judged" in ran.out
    required = audit(plan, "--require-resources")
    assert required.code == 3
    assert "--require-resources" in required.out


def test_deferred_changes_and_unknown_actions_are_inconclusive(audit: Audit):
    plan = document("walk") | {"deferred_changes": [{"reason": "provider_config_unknown"}]}
    assert audit(plan).code == 3
    plan = document("walk")
    change(plan, "fivetran_connector.events")["actions"] = ["recycle"]
    ran = audit(plan)
    assert ran.code == 3
    assert "recycle" in ran.out


@pytest.mark.parametrize("name", ["state.json", "empty-state.json", "stream.ndjson"])
def test_what_is_not_a_plan_is_a_usage_error(audit: Audit, name: str):
    ran = audit(str(PLANS / name))
    assert ran.code == 2
    assert "terraform show -json tfplan" in ran.err


def test_a_cut_plan_is_inconclusive_and_has_reports(audit: Audit):
    Path("cut.json").write_bytes(plan_file("walk").read_bytes()[:3000])
    ran = audit("cut.json")
    assert ran.code == 3
    assert ran.report["gate"]["outcome"] == "inconclusive"


# -- over the account ----------------------------------------------------------------------------


def test_the_walk_over_the_account(audit: Audit):
    ran = audit("walk", "--over", _account())
    assert ran.code == 1
    assert ran.verdicts() == {
        ("floor", "orders"): "fail",
        ("floor", "events"): "fail",
        ("floor", "sheets.budget"): "known",
        ("connected", "other"): "known",
        ("few-fast", "orders,sheets.budget,events"): "fail",
    }
    assert ran.report["plan"]["mended"] == ["floor: legacy_a005 is gone"]
    fixed = "fixed by this change: 1 violation (floor: legacy_a005 is gone)"
    assert fixed in ran.report["notes"]
    # The plan holds more than it touches: sheets.budget stays as it is.
    assert ran.report["plan"]["touched"] == 3
    # What a plan cannot hold stays where the connection lives on, and is not made up elsewhere.
    letters = {rule["id"]: rule.get("verdicts") for rule in ran.report["rules"]}
    schemas = ran.report["connections"]["schema"]
    of = dict(zip(schemas, letters["connected"], strict=True))
    assert (of["orders"], of["events"], of["other"]) == ("p", "s", "k")
    assert "legacy" not in schemas


def test_the_walk_over_the_live_account_is_as_over_its_listing(
    audit: Audit, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("FIVETRAN_API_KEY", "key")
    monkeypatch.setenv("FIVETRAN_API_SECRET", "secret")
    saved = audit("walk", "--over", _account())
    items = json.loads(Path("account.json").read_text())["data"]["items"]
    groups = [{"id": "g_prod", "name": "Prod", "created_at": "2024-01-01T00:00:00Z"}]
    with AccountServer({"/v1/connections": items, "/v1/groups": groups}) as server:
        live = audit("walk", "--over", "live", "--base-url", server.url)
        # A default that narrows a listing is for other runs, as with a snapshot.
        Path("auditor.yaml").write_text("group: g_other\nschema: crm\n")
        whole = audit("walk", "--over", "live", "--base-url", server.url)
    assert (live.code, live.verdicts()) == (saved.code, saved.verdicts())
    assert live.report["plan"]["mended"] == saved.report["plan"]["mended"]
    assert (whole.code, whole.verdicts()) == (live.code, live.verdicts())
    assert whole.report["source"]["filters"] == []


def test_over_the_live_account_a_deadline_advises_what_a_plan_takes(
    audit: Audit, monkeypatch: pytest.MonkeyPatch
):
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    with Sandbox(build_estate(20, 7), latency=5) as slow:
        words = ("--base-url", slow.url, "--timeout", "0.3")
        ran = audit("walk", "--over", "live", *words)
    assert ran.code == 3
    assert "; raise --timeout" in ran.out
    assert "--group" not in ran.out + ran.err
    assert audit("walk", "--over", "live", *words, "--group", "g").code == 2


def test_a_plan_of_no_changes_over_an_account_judges_as_the_account_is(audit: Audit):
    plan = document("walk")
    quiet = [c for c in plan["resource_changes"] if c["change"]["actions"] == ["no-op"]]
    plan = of_these(plan, quiet)
    ran = audit(plan, "--over", _account())
    assert ran.code == 0
    alone = run(
        "audit --snapshot account.json -p house.yaml -o alone --report json".split(),
        Path.cwd(),
    )
    assert alone.returncode == 1
    before = json.loads(Path("alone/report.json").read_text())
    told = {(f["rule"], f["connections"][0]["id"]): f["message"] for f in before["findings"]}
    known = {(f["rule"], f["connections"][0]["id"]) for f in ran.report["findings"]}
    assert known == set(told)
    assert {f["verdict"] for f in ran.report["findings"]} == {"known"}


@pytest.mark.parametrize("over", [False, True])
def test_a_plan_of_many_connections_names_each(audit: Audit, over: bool):
    """By hand: `events` six hundred times, by a count."""
    plan = document("walk")
    made: list[dict[str, Any]] = []
    for one in plan["resource_changes"]:
        if not one["address"].endswith(".events"):
            continue
        for index in range(600):
            each = copy.deepcopy(one) | {"index": index, "address": f"{one['address']}[{index}]"}
            if one["type"] == "fivetran_connector":
                each["change"]["after"]["destination_schema"]["prefix"] = f"events_{index}"
            made.append(each)
    for resource in plan["configuration"]["root_module"]["resources"]:
        if resource["name"] == "events":
            resource["count_expression"] = {"constant_value": 600}
            if "connector_id" in resource["expressions"]:
                each_one = {"references": ["fivetran_connector.events", "count.index"]}
                resource["expressions"]["connector_id"] = each_one
    plan = of_these(plan, made)
    ran = audit(plan, *(["--over", _account()] if over else []))
    assert ran.code == 1
    listed = ran.report["connections"]
    assert len(listed["id"]) == 600 + 5 * over == len(set(listed["id"]))
    addresses = {
        (f["connections"][0]["schema"], f["resources"][0]["attributes"][0]["address"])
        for f in ran.report["findings"]
        if f["verdict"] == "fail" and f["rule"] == "floor"
    }
    assert addresses == {
        (f"events_{n}", f"fivetran_connector_schedule.events[{n}]") for n in range(600)
    }


def test_a_group_that_was_broken_and_is_no_worse_is_known(audit: Audit):
    fast = {"sync_frequency": 5}
    # Three were too fast, and one of them goes: less, and still broken with the one that comes.
    account = _account(other=fast | {"status": {"setup_state": "connected"}}, crm_f8d2=fast)
    ran = audit("walk", "--over", account)
    few = [f for f in ran.report["findings"] if f["rule"] == "few-fast"]
    assert [f["verdict"] for f in few] == ["known"]
    account = _account(other=fast, crm_f8d2=fast, orders_5153=fast)
    told = audit("walk", "--over", account).report["plan"]["improved"]
    assert told == ["few-fast: g_prod: 5 before, 4 after; still broken"]


def test_an_id_that_the_account_lacks_is_a_problem(audit: Audit):
    ran = audit("walk", "--over", _account(legacy_a005={}))
    assert ran.code == 3
    assert "legacy_a005, which the listing does not have" in ran.out


def test_what_changed_since_the_plan_is_a_warning_and_the_plan_counts(audit: Audit):
    ran = audit("walk", "--over", _account(orders_5153={"sync_frequency": 30}))
    assert "1 connection of the plan differ" in ran.out.replace("\n", " ")
    assert ran.verdicts()[("floor", "orders")] == "fail"


def test_two_accounts_are_never_mixed(audit: Audit):
    Path("us.json").write_text("[]")
    ran = audit("accounts", "--over", "us.json")
    assert ran.code == 2
    assert "--over fivetran=SNAPSHOT --over fivetran.eu=SNAPSHOT" in ran.err
    Path("per.yaml").write_text(
        "policy: p\nrules:\n  - id: r\n    severity: low\n    per: account\n"
        "    assert: {unique: [service, schema]}\n"
    )
    # One schema in two accounts is no duplicate.
    empty = json.dumps({"code": "Success", "data": {"items": []}})
    Path("us.json").write_text(empty)
    both = audit(
        "accounts", "--over", "fivetran=us.json", "--over", "fivetran.eu=us.json", policy="per.yaml"
    )
    assert both.code == 0
    groups = both.report["rules"][0]["groups"]
    assert [g["verdict"] for g in groups] == ["pass", "pass"]
    alone = audit("accounts", policy="per.yaml")
    assert alone.report["findings"] == []


def test_each_account_was_as_it_was_by_itself(audit: Audit):
    """Together they had more than one may have; neither is mended by what makes both grow."""
    rules = [
        f"  - {{id: r{most}, severity: low, per: account, assert: {{count: {{lte: {most}}}}}}}\n"
        for most in (3, 6)
    ]
    Path("few.yaml").write_text("policy: p\nrules:\n" + "".join(rules))
    for name, count in (("us", 4), ("eu", 3)):
        items = [
            {"id": f"{name}_{n}", "service": "s", "schema": f"n{n}", "group_id": f"g_{name}"}
            for n in range(count)
        ]
        answer = {"code": "Success", "data": {"items": items}}
        Path(f"{name}.json").write_text(json.dumps(answer))
    over = ("--over", "fivetran=us.json", "--over", "fivetran.eu=eu.json")
    ran = audit("accounts", *over, policy="few.yaml")
    assert ran.report["plan"]["mended"] == []
    assert {(f["rule"], f["group"], f["note"]) for f in ran.report["findings"]} == {
        ("r3", "fivetran", "it was 4 before this plan"),
        ("r3", "fivetran.eu", ""),
    }


def _ends_account(**others: Any) -> str:
    """Write the account that the plan ``ends`` is of; return the file."""
    rows = [("ads_d8b6", "ads"), ("billing_7ece", "billing"), ("stock_38aa", "stock")]
    rows += [("other", "other")]
    items = [
        {
            "id": name,
            "service": "postgres",
            "schema": schema,
            "group_id": "g_prod",
            "paused": False,
            "sync_frequency": 5,
            "schedule_type": "auto",
            "networking_method": "SshTunnel",
            **others.get(name, {}),
        }
        for name, schema in rows
    ]
    Path("ends.account.json").write_text(json.dumps({"code": "Success", "data": {"items": items}}))
    return "ends.account.json"


def test_what_is_forgotten_lives_on_in_the_account(audit: Audit):
    Path("few.yaml").write_text(
        "policy: p\nrules:\n"
        "  - {id: slow, severity: low, assert: {sync_frequency: {gte: 15}}}\n"
        "  - {id: few, severity: low, per: account, assert: {count: {lte: 3}}}\n"
        "  - {id: stays, severity: low, when: {plan.action: {exists: true}},\n"
        "     assert: {plan.action: {not_equals: forget}}}\n"
    )
    ran = audit("ends", "--over", _ends_account(), policy="few.yaml")
    # Of what is forgotten a rule on the change gates, and no other; it counts as it ever did.
    assert ran.verdicts()["slow", "ads"] == "known"
    assert ran.verdicts()["few", "ads,billing,stock,other"] == "known"
    assert ran.verdicts()["stays", "ads"] == "fail"
    assert ran.report["plan"]["mended"] == ["slow: billing_7ece"]
    assert ran.code == 1


def test_a_schedule_that_names_what_is_replaced_sets_nothing_of_the_new_connection(audit: Audit):
    Path("slow.yaml").write_text(
        "policy: p\nrules:\n  - {id: slow, severity: low, assert: {sync_frequency: {gte: 15}}}\n"
        "  - {id: paused, severity: low, assert: {paused: true}}\n"
    )
    for over in ((), ("--over", _ends_account())):
        ran = audit("ends", *over, policy="slow.yaml")
        assert ("slow", "billing") not in ran.verdicts()
        assert ran.report["connections"]["id"].count("billing_7ece") == 0
        assert "an id that goes as the plan replaces it" in ran.out


def test_two_resources_that_differ_are_an_error_over_an_account_too(audit: Audit):
    Path("runs.yaml").write_text(
        "policy: p\nrules:\n  - {id: runs, severity: low, assert: {paused: false}}\n"
    )
    for over in ((), ("--over", _ends_account())):
        ran = audit("ends", *over, policy="runs.yaml")
        assert ran.code == 3
        assert ran.verdicts()["runs", "stock"] == "error"
        (found,) = [f for f in ran.report["findings"] if f["verdict"] == "error"]
        assert "fivetran_connection_v2_pause_state.stock" in found["message"]
        assert "fivetran_connector_schedule.stock" in found["message"]


def test_one_connection_of_two_resources_is_a_problem_unless_one_lets_it_go(audit: Audit):
    """By hand: one id in two resources, as two import blocks would have it."""
    plan = document("walk")
    other = change(plan, "fivetran_connector.sheet")
    other["before"]["id"] = other["after"]["id"] = "crm_f8d2"
    change(plan, "fivetran_connector.crm")["actions"] = ["update"]
    ran = audit(plan)
    assert ran.code == 3
    assert "fivetran_connector.crm and fivetran_connector.sheet are one connection" in ran.out
    other |= {"actions": ["forget"], "after": None, "after_unknown": {}}
    ran = audit(plan, "--over", _account())
    assert "forgotten; its connection is now fivetran_connector.crm" in ran.out
    assert ran.code == 1


def test_a_listing_that_has_nothing_of_the_plan_is_another_accounts(audit: Audit):
    Path("other.json").write_text(
        json.dumps([{"id": "x", "service": "s", "schema": "x", "group_id": "g"}])
    )
    ran = audit("small-noop", "--over", "other.json")
    assert ran.code == 3
    assert "none of the 2 connections that the plan expects" in ran.out
    ran = audit("walk", "--over", _account(sheets_budget_4566={}))
    assert ran.code == 1
    assert "the listing lacks 1 connection that the plan does not change" in ran.out


def test_a_group_that_the_account_does_not_have_is_another_accounts(
    audit: Audit, monkeypatch: pytest.MonkeyPatch
):
    """What a plan only creates is in groups: those of the account, where they can be listed."""
    monkeypatch.setenv("FIVETRAN_API_KEY", "key")
    monkeypatch.setenv("FIVETRAN_API_SECRET", "secret")
    Path("some.yaml").write_text(
        "policy: p\nrules:\n  - {id: r, severity: low, assert: {service: {exists: true}}}\n"
    )
    there = [{"id": "x", "service": "s", "schema": "x", "group_id": "g_x"}]

    def over(*groups: str) -> Ran:
        rows = [{"id": name, "name": name, "created_at": "2024-01-01T00:00:00Z"} for name in groups]
        lists = {"/v1/connections": there, "/v1/groups": rows}
        with AccountServer({name: each for name, each in lists.items() if each}) as server:
            return audit("modules", "--over", "live", "--base-url", server.url, policy="some.yaml")

    ran = over("g_x", "g_elsewhere")
    assert ran.code == 3
    assert "the group g1 is not one of the account's" in ran.out.replace("\n", " ")
    assert over("g_x", "g1").code == 0
    unknown = over()
    assert unknown.code == 0
    assert "nothing in the plan tells that the listing is of its account" in unknown.out


def test_one_listing_cannot_be_two_accounts(audit: Audit):
    path = _account()
    ran = audit("accounts", "--over", f"fivetran={path}", "--over", f"fivetran.eu={path}")
    assert ran.code == 3
    assert "one listing was named for two accounts" in ran.out.replace("\n", " ")


def test_accounts_that_look_alike_are_named_or_refused(audit: Audit):
    Path("per.yaml").write_text(
        "policy: p\nrules:\n  - id: r\n    severity: low\n    per: account\n"
        "    assert: {unique: [service, schema]}\n"
    )
    path = _account()
    refused = audit("alike", "--over", path, policy="per.yaml")
    assert refused.code == 2
    assert "with one SNAPSHOT for both if they are one account" in refused.err
    both = [f"--over=fivetran={path}", f"--over=fivetran.eu={path}"]
    assert audit("alike", *both, policy="per.yaml").code == 1


def test_accounts_are_told_apart_through_modules(audit: Audit):
    ran = audit("keys", "--over", _account())
    assert ran.code == 2
    assert "--over module.eu:fivetran=SNAPSHOT --over module.us:fivetran=SNAPSHOT" in ran.err


@pytest.mark.parametrize(
    "options",
    [
        ["--snapshot", "x.json"],
        ["--group", "g"],
        ["--schema", "s"],
        ["--history", "h"],
        ["--page-size", "10"],
        ["--over", "a.json", "--over", "b.json"],
        ["--over", ""],
        ["--over", "missing.json"],
    ],
    ids=" ".join,
)
def test_options_that_make_no_sense_with_a_plan(audit: Audit, options: list[str]):
    assert audit("walk", *options).code == 2


def test_over_wants_a_plan(audit: Audit, capsys):
    with pytest.raises(SystemExit) as left:
        main(["audit", "--over", "live"])
    assert left.value.code == 2
    assert "--terraform-plan" in capsys.readouterr().err


# -- secrets -------------------------------------------------------------------------------------

EVERYTHING = [
    word
    for name in ("html", "junit", "markdown", "sarif", "csv", "github", "gitlab")
    for word in ("--report", name)
]
CURIOUS = """\
policy: curious
reveal: [config.password, config.host, config.secret_key]
rules:
  - {id: a, severity: low, assert: {config.password: {equals: "no"}}, message: "{config.password}"}
  - {id: b, severity: low, assert: {schema: {starts_with: "x"}}, message: "is {schema}"}
  - {id: c, severity: low, assert: {config: {length: {lte: 0}}}}
  - {id: d, severity: low, assert: {config.secret_key: {exists: false}}}
  - {id: e, severity: low, per: group_id, assert: {unique: [schema]}}
  - {id: f, severity: low, per: schema, assert: {count: {lte: 0}}, message: "{schema}"}
  - {id: g, severity: low, per: schema, assert: {count: {gte: 1}}}
"""


@pytest.mark.parametrize("over", [False, True])
@pytest.mark.parametrize("name", ["small", "secrets", "v2", "small-noop", "small-destroy", "guide"])
def test_a_secret_of_a_plan_comes_out_of_nothing(audit: Audit, name: str, over: bool):
    Path("curious.yaml").write_text(CURIOUS)
    beside = ["--over", _account()] if over else []
    ran = audit(name, "-v", *beside, *EVERYTHING, policy="curious.yaml")
    assert ran.code in {0, 1, 3}
    said = ran.out + ran.err
    written = [p.read_text(encoding="utf-8") for p in ran.folder.rglob("*") if p.is_file()]
    assert len(written) == 8
    assert NEVER in plan_file(name).read_text()
    assert not any(NEVER in text for text in (said, *written))
    if name == "secrets":
        assert ran.verdicts()["a", "db"] == "fail"  # judged all the same
        assert any("[sensitive]" in text for text in written)


def test_what_is_sensitive_is_in_no_column_either(audit: Audit):
    plan = document("walk")
    events = change(plan, "fivetran_connector.events")
    events["after"] |= {"networking_method": NEVER, "service": NEVER}
    events["after_sensitive"] = {"networking_method": True, "service": True}
    columns = ["--dimensions", "net=networking_method", "--dimensions", "kind=service"]
    for beside in ([], ["--over", _account()]):
        ran = audit(plan, *columns, *beside, *EVERYTHING)
        written = [p.read_text(encoding="utf-8") for p in ran.folder.rglob("*") if p.is_file()]
        assert not any(NEVER in text for text in (ran.out, *written))
        (net, kind) = ran.report["connections"]["dimensions"]
        place = ran.report["connections"]["schema"].index("events")
        assert net["values"][place] == kind["values"][place] == "[sensitive]"
        assert "PrivateLink" in net["values"]


@pytest.mark.parametrize("over", [False, True])
@pytest.mark.parametrize("name", ["walk", "guide", "secrets", "v2", "schedules", "moves"])
def test_what_is_sensitive_all_through_comes_out_of_nothing(audit: Audit, name: str, over: bool):
    """By hand: every text of every resource is a secret, and marked as one."""
    plan = document(name)
    for one in plan["resource_changes"]:
        inner = one["change"]
        inner |= {key: _secret(inner[key]) for key in ("before", "after")}
        inner |= {"before_sensitive": True, "after_sensitive": True}
    beside = ["--over", _account()] if over else []
    ran = audit(plan, "-v", "--dimensions", "n=networking_method", *beside, *EVERYTHING)
    written = [p.read_text(encoding="utf-8") for p in ran.folder.rglob("*") if p.is_file()]
    assert len(written) == 8
    assert not any(NEVER in text for text in (ran.out, ran.err, *written))


def _secret(value: Any) -> Any:
    """Return a value with a secret for each text in it."""
    if isinstance(value, dict):
        return {key: _secret(below) for key, below in value.items()}
    if isinstance(value, list):
        return [_secret(below) for below in value]
    return f"{NEVER}-{value}" if isinstance(value, str) else value


def test_a_plan_on_standard_input(tmp_path: Path):
    (tmp_path / "house.yaml").write_text(HOUSE)
    done = run(
        ["audit", "--terraform-plan", "-", "-p", "house.yaml"],
        tmp_path,
        given=plan_file("walk").read_bytes(),
    )
    assert done.returncode == 1
    assert "fivetran_connector_schedule.events: sync_frequency 5" in done.stdout


# -- files, comments and waivers -----------------------------------------------------------------

WALK = PLANS.parent / "configs" / "walk" / "after" / "main.tf"
ABOVE = 'resource "fivetran_connector_schedule" "orders" {'


def _folder(comment: str = "") -> str:
    text = WALK.read_text()
    assert ABOVE in text
    Path("infra").mkdir(exist_ok=True)
    Path("infra/main.tf").write_text(text.replace(ABOVE, f"{comment}\n{ABOVE}"))
    return "infra"


def test_findings_point_at_the_line_of_their_attribute(audit: Audit):
    ran = audit("walk", "--terraform-dir", _folder(), *EVERYTHING)
    lines = Path("infra/main.tf").read_text().splitlines()
    line = next(n for n, text in enumerate(lines, 1) if '= "5"' in text)
    assert f"sync_frequency 5, infra/main.tf:{line}" in ran.out
    sarif = json.loads((ran.folder / "report.sarif").read_text())
    places = [
        location["physicalLocation"]
        for result in sarif["runs"][0]["results"]
        for location in result["locations"]
    ]
    assert {
        "artifactLocation": {"uri": "infra/main.tf"},
        "region": {"startLine": line, "startColumn": 3},
    } in places
    assert f"file=infra/main.tf,line={line}" in (ran.folder / "annotations.txt").read_text()
    quality = json.loads((ran.folder / "gl-code-quality-report.json").read_text())
    assert ("infra/main.tf", line) in {
        (issue["location"]["path"], issue["location"]["lines"]["begin"]) for issue in quality
    }
    for name in ("report.html", "report.md", "junit.xml", "report.csv"):
        assert f"infra/main.tf:{line}" in (ran.folder / name).read_text(), name


def test_a_spreadsheet_has_columns_for_terraform(audit: Audit):
    ran = audit("walk", "--terraform-dir", _folder(), "--report", "csv")
    text = (ran.folder / "report.csv").read_text(encoding="utf-8-sig")
    rows = {(row["rule"], row["schema"]): row for row in csv.DictReader(io.StringIO(text))}
    orders = rows["floor", "orders"]
    line = next(
        n
        for n, text in enumerate(Path("infra/main.tf").read_text().splitlines(), 1)
        if '"5"' in text
    )
    assert {name: orders[name] for name in PLANNED} == {
        "address": "fivetran_connector.orders",
        "action": "update",
        "attribute": "fivetran_connector_schedule.orders: sync_frequency",
        "before": "60",
        "after": "5",
        "written_at": f"infra/main.tf:{orders['written_at'].rpartition(':')[2]}",
    }
    assert rows["floor", "events"]["written_at"] == f"infra/main.tf:{line}"
    alone = audit("walk", "--report", "csv")
    text = (alone.folder / "report.csv").read_text(encoding="utf-8-sig")
    assert {row["written_at"] for row in csv.DictReader(io.StringIO(text))} == {""}


def test_a_comment_beside_a_resource_waives(audit: Audit):
    comment = (
        '# fivetran-auditor: waive floor reason="month end" owner=data-team expires=2099-12-31'
    )
    ran = audit("walk", "--terraform-dir", _folder(comment))
    assert ran.verdicts()[("floor", "orders")] == "waived"
    assert ran.verdicts()[("floor", "events")] == "fail"
    (finding,) = [f for f in ran.report["findings"] if f["verdict"] == "waived"]
    assert "waived by data-team through 2099-12-31: month end" in finding["note"]
    assert ran.report["waivers"][0]["position"]["file"] == "infra/main.tf"


@pytest.mark.parametrize(
    ("comment", "said"),
    [
        ("waive floor reason=x owner=y", "a waiver needs expires"),
        ("waive floor reason=x owner=y expires=soon", "is not a date"),
        ('waive floor reason="x owner=y', "a quote in this comment is not closed"),
        ("waive floor reason=x owner=y expires=2099-01-01 until=x", "until=x is not understood"),
        ("waives floor", "this comment waives nothing"),
    ],
)
def test_a_comment_is_read_as_strictly_as_a_file(audit: Audit, comment: str, said: str):
    ran = audit("walk", "--terraform-dir", _folder(f"# fivetran-auditor: {comment}"))
    assert ran.code == 2
    assert said in ran.err
    assert "infra/main.tf:" in ran.err


def test_a_comment_that_has_ended_waives_nothing(audit: Audit):
    comment = "# fivetran-auditor: waive floor reason=x owner=y expires=2020-01-01"
    ran = audit("walk", "--terraform-dir", _folder(comment))
    assert ran.verdicts()[("floor", "orders")] == "fail"
    assert "has expired" in ran.out


def test_a_waiver_names_an_address(audit: Audit):
    Path("waivers.yaml").write_text(
        "waivers:\n  - rule: floor\n    connections: {address: fivetran_connector.events}\n"
        "    reason: agreed\n    owner: data\n    expires: 2099-01-01\n"
    )
    ran = audit("walk", "--waivers", "waivers.yaml")
    assert ran.verdicts()[("floor", "events")] == "waived"
    assert ran.verdicts()[("floor", "orders")] == "fail"


# -- the change itself ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        (
            "walk",
            {
                ("plan-destroys-nothing", "legacy"),
                ("plan-replaces-nothing", "crm"),
                ("plan-raises-no-frequency", "orders"),
            },
        ),
        ("walk-replace", {("plan-replaces-nothing", "orders")}),
        ("secrets", {("plan-holds-no-secret", "db")}),
        ("small-noop", set()),
        ("moves", set()),
    ],
)
def test_the_pack_for_a_change(audit: Audit, name: str, broken: set[tuple[str, str]]):
    ran = audit(name, policy="terraform")
    assert {key for key, verdict in ran.verdicts().items() if verdict == "fail"} == broken
    assert ran.code == (1 if broken else 0)
    assert NEVER not in ran.out


def test_the_pack_asks_the_same_over_an_account(audit: Audit):
    ran = audit("walk", "--over", _account(), policy="terraform")
    assert set(ran.verdicts()) == {
        ("plan-destroys-nothing", "legacy"),
        ("plan-replaces-nothing", "crm"),
        ("plan-raises-no-frequency", "orders"),
    }


def test_the_pack_has_nothing_to_say_of_a_listing(audit: Audit):
    _account()
    done = run(["audit", "--snapshot", "account.json", "-p", "terraform"], Path.cwd())
    assert done.returncode == 0
    assert "no check was made" in done.stdout
    told = " ".join(done.stdout.split())
    assert (
        "2 rules that applied to nothing: plan-replaces-nothing and plan-destroys-nothing" in told
    )
    assert "so did 3 that may be idle" in told


# -- what explain says ---------------------------------------------------------------------------


Explain = Callable[..., str]


@pytest.fixture
def explain(capsys: pytest.CaptureFixture[str]) -> Explain:
    def explain(*words: str, code: int = 0) -> str:
        with pytest.raises(SystemExit) as left:
            main(["explain", *words])
        said = capsys.readouterr()
        assert (left.value.code or 0) == code, said.err
        return said.err if code else said.out

    return explain


def _again(ran: Ran) -> list[str]:
    """Return the words of the page that ask ``explain`` about the same run."""
    found = re.search(r'"again":(\[.*?\])', (ran.folder / "report.html").read_text())
    assert found is not None
    words: list[str] = json.loads(found[1])
    return words


def _agrees(ran: Ran, explain: Explain) -> set[str]:
    """Ask ``explain`` about a connection of every verdict of each rule; return the verdicts.

    Of those that the plan makes, about each, and about every violation of a group.
    """
    words, ids = _again(ran), ran.report["connections"]["id"]
    letters = {
        (rule["id"], name): letter
        for rule in ran.report["rules"]
        for name, letter in zip(ids, rule.get("verdicts", ""), strict=False)
    }
    first = {(rule, letter): name for (rule, name), letter in reversed(letters.items())}
    wanted = {(rule, name) for (rule, _), name in first.items()}
    wanted |= {each for each in letters if each[1].startswith("terraform:")}
    expected = {each: letters[each] for each in wanted} | {
        (finding["rule"], each["id"]): finding["verdict"][0]
        for finding in ran.report["findings"]
        for each in finding["connections"]
        if finding["group"]
    }
    told = {}
    for rule, name in expected:
        found = re.search(r": (\w+)$", explain(*words, rule, name), re.MULTILINE)
        assert found is not None
        told[rule, name] = found[1].replace("known", "k").replace("skip", "s")[0]
    assert told == expected
    return set(told.values())


def test_explain_agrees_with_a_run_over_a_snapshot(audit: Audit, explain: Explain):
    """Of what the plan changes, of what it leaves unchanged, and of whole groups."""
    ran = audit("walk", "--over", _account(), "--report", "html")
    assert _again(ran)[2:4] == ["--over", "account.json"]
    assert _agrees(ran, explain) == {"p", "f", "s", "k"}
    # The group as it would be, and not as it is beneath the plan.
    few = explain(*_again(ran), "few-fast", "other")
    assert re.search(r"the number of connections is at most 2 +count is 3", few)
    without = _again(ran)[:2] + _again(ran)[4:]
    assert ": skip" in explain(*without, "few-fast", "orders")


def test_explain_agrees_with_a_run_over_the_live_account(
    audit: Audit, explain: Explain, monkeypatch: pytest.MonkeyPatch
):
    estate = build_estate(30, 8)
    group = estate.records[0]["group_id"]
    text = plan_file("v2").read_text().replace('"g1"', f'"{group}"')
    with Sandbox(estate) as sandbox:
        monkeypatch.setenv("FIVETRAN_API_KEY", sandbox.key)
        monkeypatch.setenv("FIVETRAN_API_SECRET", sandbox.secret)
        live = ("--over", "live", "--base-url", sandbox.url, "--report", "html")
        ran = audit(json.loads(text), *live)
        words = _again(ran)
        assert words[:6] == ["--terraform-plan", words[1], *live[2:4], *live[:2]]
        # What is live has gone on since: it is judged as of now, like the account by itself.
        assert "--now" not in words
        assert {"p", "f", "k"} <= _agrees(ran, explain)


@pytest.mark.parametrize("over", [False, True])
@pytest.mark.parametrize("set_by", ["option", "environment", "file", None])
def test_explain_agrees_on_what_is_unknown(
    audit: Audit, explain: Explain, monkeypatch: pytest.MonkeyPatch, over: bool, set_by: str | None
):
    Path("unknown.yaml").write_text(
        "policy: unknown\nrules:\n"
        "  - {id: private, severity: high, assert: {networking_method: PrivateLink}}\n"
        "  - {id: named, severity: low, assert: {schema: {exists: true}}}\n"
    )
    if set_by == "environment":
        monkeypatch.setenv("FIVETRAN_AUDITOR_ON_UNKNOWN", "skip")
    if set_by == "file":
        Path("auditor.yaml").write_text("on_unknown: skip\n")
    beside = ["--on-unknown", "skip"] if set_by == "option" else []
    beside += ["--over", _account()] if over else []
    ran = audit("small", *beside, "--report", "html", policy="unknown.yaml")
    monkeypatch.delenv("FIVETRAN_AUDITOR_ON_UNKNOWN", raising=False)
    assert ("--on-unknown" in _again(ran)) is (set_by in {"option", "environment"})
    assert ("s" if set_by else "e") in _agrees(ran, explain)


def test_explain_agrees_with_a_run_over_two_accounts(audit: Audit, explain: Explain):
    for name in ("us", "eu"):
        items = [
            {"id": f"{name}_{n}", "service": "s", "schema": f"n{n}", "group_id": f"g_{name}"}
            for n in range(3)
        ]
        answer = {"code": "Success", "data": {"items": items}}
        Path(f"{name}.json").write_text(json.dumps(answer))
    Path("few.yaml").write_text(
        "policy: p\nrules:\n"
        "  - {id: few, severity: low, per: account, assert: {count: {lte: 3}}}\n"
        "  - {id: odd, severity: low, assert: {schema: {not_equals: n1}}}\n"
    )
    over = ("--over", "fivetran=us.json", "--over", "fivetran.eu=eu.json")
    ran = audit("accounts", *over, "--report", "html", policy="few.yaml")
    assert tuple(_again(ran)[2:6]) == over
    assert {"p", "f", "k"} <= _agrees(ran, explain)


def test_explain_reads_the_files_beside_a_plan(audit: Audit, explain: Explain):
    comment = (
        '# fivetran-auditor: waive floor reason="month end" owner=data-team expires=2099-12-31'
    )
    folder = _folder(comment)
    ran = audit("walk", "--terraform-dir", folder, "--report", "html")
    words = _again(ran)
    assert words[2:4] == ["--terraform-dir", folder]
    assert "w" in _agrees(ran, explain)
    told = explain(*words, "floor", "orders")
    assert "waived by data-team through 2099-12-31: month end" in told
    messages = {f["connections"][0]["schema"]: f["message"] for f in ran.report["findings"]}
    assert "infra/main.tf:" in messages["events"]
    assert messages["events"] in explain(*words, "floor", "events").splitlines()


@pytest.mark.parametrize("over", [False, True])
@pytest.mark.parametrize("name", ["legacy_a005", "legacy", "fivetran_connector.legacy"])
def test_explain_says_that_a_plan_ends_a_connection(
    audit: Audit, explain: Explain, name: str, over: bool
):
    words = ["--terraform-plan", str(plan_file("walk")), *(["--over", _account()] if over else [])]
    said = explain("-p", "house.yaml", *words, "floor", name, code=2)
    assert f"the plan ends {name}, so only rules on the change itself judge it" in said
    unknown = explain("-p", "house.yaml", *words, "floor", f"{name}s", code=2)
    assert "no connection is called" in unknown
    told = explain("-p", "terraform", *words, "plan-destroys-nothing", name)
    assert re.search(": fail$", told, re.MULTILINE)


def test_explain_counts_what_a_plan_over_an_account_shows(audit: Audit, explain: Explain):
    lacks = _account(other={"status": "odd"})
    words = ("-p", "house.yaml", "--terraform-plan", str(plan_file("walk")), "--over", lacks)
    told = dict(line.split(None, 2)[1:] for line in explain(*words).splitlines())
    assert told["floor"] == "5 judged"
    assert told["connected"] == "2 judged, 1 cannot be judged, 2 not in the plan"
    assert told["few-fast"] == "1 judged"
    (line,) = explain(*words, "floor").splitlines()
    assert line.split() == ["medium", "floor", "5", "judged"]
    small = ("-p", "house.yaml", "--terraform-plan", str(plan_file("small-errored")))
    told = dict(line.split(None, 2)[1:] for line in explain(*small).splitlines())
    assert told["private"] == "1 unknown until applied"
    assert told["listing"].startswith("is incomplete: the plan has errors")
    Path("none.json").write_text(json.dumps(document("small-destroy")))
    told = dict(
        line.split(None, 2)[1:]
        for line in explain("-p", "house.yaml", "--terraform-plan", "none.json").splitlines()
    )
    assert set(told.values()) == {"nothing to judge"}


def test_explain_claims_nothing_of_a_plan_that_cannot_be_read(audit: Audit, explain: Explain):
    Path("cut.json").write_bytes(plan_file("walk").read_bytes()[:3000])
    for over in ([], ["--over", _account()]):
        said = explain("-p", "house.yaml", "--terraform-plan", "cut.json", *over, code=3)
        assert "cut.json: the plan is cut or damaged" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--over", "live"), "--over: name the plan with --terraform-plan FILE"),
        (("floor", "orders", "--over", "live"), "--over: name the plan"),
        (("--terraform-dir", ".", "--terraform-plan"), "--terraform-dir: name the plan"),
        (("--terraform-plan", "p", "--group", "g"), "--group cannot be used with"),
        (("--terraform-plan", "p", "--page-size", "5"), "--page-size cannot apply to a plan"),
        (("--terraform-plan", "-", "--over", "-"), "cannot both read standard input"),
        (("flor", "--terraform-plan", "p", "--over", "live"), "did you mean floor?"),
    ],
    ids=" ".join,
)
def test_explain_refuses_what_makes_no_sense_with_a_plan(
    audit: Audit, explain: Explain, words: tuple[str, ...], said: str
):
    assert said in explain("-p", "house.yaml", *words, code=2)


def test_what_a_file_says_of_plans_is_left_alone_without_one(audit: Audit, explain: Explain):
    _account()
    Path("auditor.yaml").write_text("over: [account.json]\non_unknown: skip\n")
    assert "floor" in explain("-p", "house.yaml")
    words = ("-p", "house.yaml", "few-fast", "other")
    assert "count is 2" in explain(*words, "--snapshot", "account.json")
    assert "count is 3" in explain(*words, "--terraform-plan", str(plan_file("walk")))


def test_explain_says_what_a_plan_can_tell(audit: Audit, explain: Explain):
    def explained(*words: str) -> str:
        return explain("-p", "house.yaml", "--terraform-plan", *words)

    told = dict(line.split(None, 2)[1:] for line in explained().splitlines())
    assert told["floor"] == "a plan can tell"
    assert told["connected"] == "no plan can tell: none holds status.setup_state"
    assert told["one-name"].startswith("only with --over")
    told = dict(line.split(None, 2)[1:] for line in explained(str(plan_file("walk"))).splitlines())
    assert told["floor"] == "3 judged, 1 not in the plan"
    assert told["connected"] == "4 not in the plan"


def test_a_rule_on_schemas_judges_a_plan_and_says_so_of_a_listing(audit: Audit):
    Path("columns.yaml").write_text(
        "policy: p\nrules:\n  - id: hashed\n    severity: high\n    assert:\n"
        "      schema_config.columns:\n        none_items:\n"
        "          name: {regex_search: 'email|ssn'}\n          enabled: {not_equals: false}\n"
        "          hashed: false\n"
    )
    columns = {"email": {"enabled": True, "hashed": False}, "ssn": {"enabled": False}}
    tables = {"people": {"columns": columns}}
    ran = audit(schema_config(schemas={"public": {"tables": tables}}), policy="columns.yaml")
    assert ran.verdicts() == {("hashed", "orders"): "fail"}
    assert "name email" in ran.report["findings"][0]["evidence"][0]["actual"]
    _account()
    done = run("audit --snapshot account.json -p columns.yaml --report json".split(), Path.cwd())
    assert done.returncode == 3
    said = json.loads(Path("audit-report/report.json").read_text())["findings"][0]["fix"]
    assert "GET /v1/connections/ID/schemas" in said


# -- laws ----------------------------------------------------------------------------------------

_HELD = {
    "service": ("postgres", "mysql", "github"),
    "networking_method": ("Directly", "PrivateLink", "SshTunnel"),
    "private_link_id": (None, "pl_1"),
    "sync_frequency": (5, 15, 60, 360, 1440),
    "schedule_type": ("auto", "manual"),
    "paused": (True, False),
    "pause_after_trial": (True, False),
    "data_delay_sensitivity": ("LOW", "NORMAL"),
}
_ASKED = """\
policy: asked
rules:
  - {id: a, severity: low, assert: {networking_method: {not_equals: Directly}}}
  - {id: b, severity: low, when: {private_link_id: {exists: true}},
     assert: {networking_method: PrivateLink}}
  - {id: c, severity: low, when: {schedule_type: auto},
     assert: {sync_frequency: {gte: 15, lte: 360}}}
  - {id: d, severity: low, assert: {any: [{paused: true}, {pause_after_trial: false}]}}
  - {id: e, severity: low, assert: {not: {data_delay_sensitivity: LOW}}}
  - {id: f, severity: low, when: {service: [postgres, mysql]}, assert: {schema: {starts_with: db_}}}
"""


@settings(max_examples=tries(60), deadline=None, derandomize=True)
@given(st.fixed_dictionaries({name: st.sampled_from(held) for name, held in _HELD.items()}))
def test_a_connection_planned_and_the_same_one_listed_get_the_same_verdicts(
    tmp_path_factory: pytest.TempPathFactory, held: dict[str, Any]
):
    folder = tmp_path_factory.mktemp("law")
    (folder / "asked.yaml").write_text(_ASKED)
    rules = load_policies(str(folder / "asked.yaml"))
    listed = {"id": "c", "group_id": "g_prod", "schema": "db_x", **held}
    (folder / "listed.json").write_text(json.dumps([listed]))
    plan = document("walk")
    plan = of_these(plan, [c for c in plan["resource_changes"] if c["address"].endswith(".events")])
    connector = change(plan, "fivetran_connector.events")
    connector["after"]["destination_schema"]["prefix"] = "db_x"
    schedule = change(plan, "fivetran_connector_schedule.events")
    for name in ("sync_frequency", "schedule_type", "paused", "pause_after_trial"):
        value = held[name]
        schedule["after"][name] = value if isinstance(value, str) else str(value).lower()
        schedule["after_unknown"].pop(name, None)
    for name in ("service", "networking_method", "private_link_id", "data_delay_sensitivity"):
        connector["after"][name] = held[name]
    (folder / "plan.json").write_text(json.dumps(plan))
    of_plan = audit_of(PlanSource(str(folder / "plan.json")), rules)
    of_list = audit_of(SnapshotSource(str(folder / "listed.json")), rules)
    assert [c.verdicts for c in of_plan.checks] == [c.verdicts for c in of_list.checks]


def test_a_plan_and_then_its_inverse_give_the_account(audit: Audit):
    """The schedule goes from 60 to 5 minutes, and back: the account is as before."""
    shape = Shape(
        frozenset({"sync_frequency", "paused", "networking_method", "status.setup_state"})
    )
    items = json.loads(Path(_account()).read_text())["data"]["items"]
    before = [shape.convert(item) for item in items]
    there = _only_orders(PlanSource(str(plan_file("walk"))).estate)
    back = _only_orders(PlanSource(str(plan_file("walk-back"))).estate)
    once = lay(there, [ListedAccount("fivetran", before)], shape)
    assert [r.sync_frequency for r in once.records][:1] == [5]
    twice = lay(back, [ListedAccount("fivetran", once.records)], shape)
    assert twice.records == before


def _only_orders(estate: Estate) -> Estate:
    estate.connections = [p for p in estate.connections if p.real_id == "orders_5153"]
    return estate


def test_the_library_lays_a_plan_over_an_account(audit: Audit):
    _account()
    source = auditor.PlanSource(str(plan_file("walk")))
    source.lay_over({"": auditor.SnapshotSource("account.json")})
    result = auditor.audit(source, auditor.load_policies("house.yaml"))
    assert result.gate.exit_code == 1
    assert result.plan is not None
    assert result.plan.mended == ("floor: legacy_a005 is gone",)


def test_a_destruction_that_empties_a_group_is_reported_and_gates(audit: Audit):
    Path("some.yaml").write_text(
        "policy: p\nrules:\n"
        "  - {id: some, severity: low, per: account, assert: {count: {gte: 1}}}\n"
    )
    rows = [
        {"id": name, "service": "postgres", "schema": name, "group_id": "g"}
        for name in ("a_0adc", "b_4f84")
    ]
    Path("two.json").write_text(json.dumps({"code": "Success", "data": {"items": rows}}))
    ran = audit("small-destroy", "--over", "two.json", policy="some.yaml")
    assert ran.code == 1
    assert "count is 0" in ran.out
    Path("none.yaml").write_text(
        "policy: p\nrules:\n  - {id: r, severity: low, assert: {service: postgres}}\n"
    )
    gone = audit("small-destroy", "--over", "two.json", policy="none.yaml")
    assert gone.code == 0
    assert "--allow-empty" not in gone.out


def test_a_plan_of_opentofu_is_judged_and_its_silence_on_completeness_reported(audit: Audit):
    """By hand: OpenTofu's plans have another registry, and neither applyable nor complete."""
    text = plan_file("walk").read_text().replace("registry.terraform.io", "registry.opentofu.org")
    plan = json.loads(text)
    for name in ("applyable", "complete"):
        del plan[name]
    plan["resource_changes"].append(
        {
            "address": "ephemeral.x",
            "mode": "ephemeral",
            "type": "fivetran_token",
            "name": "x",
            "change": {"actions": ["open"], "before": None, "after": None},
        }
    )
    ran = audit(plan)
    assert ran.code == 1
    assert "made by OpenTofu" in ran.out
    assert "-target would not be seen" in ran.out
    assert ran.report["listing"]["completeness"] == "unknown"


def test_a_default_is_said_to_be_one(audit: Audit):
    Path("hourly.yaml").write_text(
        "policy: p\nrules:\n  - {id: r, severity: low, assert: {sync_frequency: {lte: 60}}}\n"
    )
    ran = audit("walk", policy="hourly.yaml")
    (finding,) = [f for f in ran.report["findings"] if f["verdict"] == "fail"]
    assert "sync_frequency of a schedule for it 360 by default" in finding["message"]


MANY = """\
policy: house
rules:
  - id: floor
    severity: high
    when: {schema: many_1}
    assert: {sync_frequency: {gte: 15}}
"""


@pytest.mark.parametrize(
    ("index", "said"),
    [
        ("count.index", ""),
        ("1 - count.index", "may name another instance than that of its own key"),
    ],
)
def test_an_index_that_is_computed_joins_nothing_where_the_files_show_it(
    audit: Audit, index: str, said: str
):
    """Terraform writes one and the same plan for both; the faster schedule is for either."""
    plan = document("modules")
    change(plan, "fivetran_connector_schedule.many[0]")["after"]["sync_frequency"] = "5"
    shutil.copytree(PLANS.parent / "configs" / "modules", "files")
    main_tf = Path("files/main.tf")
    text = main_tf.read_text()
    assert "many[count.index].id" in text
    main_tf.write_text(text.replace("many[count.index].id", f"many[{index}].id"))
    Path("many.yaml").write_text(MANY)
    assert audit(plan, policy="many.yaml").code == 0  # By equal keys: nothing shows more.
    ran = audit(plan, "--terraform-dir", "files", policy="many.yaml")
    assert ran.code == (3 if said else 0)
    if not said:
        return
    (line,) = [each for each in ran.out.splitlines() if "schedule.many[0]" in each and said in each]
    assert "files/main.tf:56:3" in line
    assert "which of 2 connections it is for; write connector_id = TYPE.NAME.id" in line


def test_an_index_that_named_another_so_far_joins_nothing(audit: Audit):
    """By hand: the connections are there, and change; the schedules are crossed."""
    plan = document("modules")
    for number in (0, 1):
        connector = change(plan, f"fivetran_connector.many[{number}]")
        connector |= {"actions": ["update"], "before": connector["after"] | {"id": f"id_{number}"}}
        schedule = change(plan, f"fivetran_connector_schedule.many[{number}]")
        before = schedule["after"] | {"connector_id": f"id_{1 - number}"}
        schedule |= {"actions": ["update"], "before": before}
        schedule["after"]["sync_frequency"] = "5" if number == 0 else "60"
    Path("many.yaml").write_text(MANY)
    ran = audit(plan, policy="many.yaml")
    assert ran.code == 3
    so_far = "so far it is for fivetran_connector.many[1], not for fivetran_connector.many[0]"
    assert f"fivetran_connector_schedule.many[0]: {so_far}, and the plan does not show" in ran.out


def test_what_a_replacement_has_left_behind_is_destroyed_by_the_plan(audit: Audit):
    """By hand: a deposed object of a connection that is created anew."""
    Path("many.yaml").write_text(
        "policy: house\nrules:\n"
        "  - {id: ends, severity: high, when: {plan.action: {exists: true}},\n"
        "     assert: {plan.action: {not_equals: delete}}}\n"
    )
    plan = document("modules")
    assert audit(plan, policy="many.yaml").code == 0
    root = next(c for c in plan["resource_changes"] if c["address"] == "fivetran_connector.root")
    old = {"actions": ["delete"], "before": root["change"]["after"] | {"id": "old_one"}}
    plan["resource_changes"].append({**root, "deposed": "abcd1234", "change": old})
    ran = audit(plan, policy="many.yaml")
    assert ran.code == 1
    (finding,) = ran.report["findings"]
    assert finding["connections"][0]["id"] == "old_one"
