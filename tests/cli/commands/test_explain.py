"""``explain``: the rules in force, and everything about one of them."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from auditor.cli.commands.explain import _paragraph
from auditor.cli.terminal.layout import Layout
from auditor.sandbox.estate import build_estate
from auditor.sandbox.server import Sandbox
from tests.builders.command import run
from tests.builders.plans import PLANS

HOUSE = """\
policy: house
title: The house's rules
vars: {floor: 15}
rules:
  - id: sync-floor
    title: Not too often
    severity: high
    when: {service: postgres}
    assert: {sync_frequency: {gte: {var: floor}}}
    why: Each sync costs.
    fix: Sync less often.
    tags: [cost, load]
    controls: {CIS: ["1.2", "3"]}
    tests:
      - {given: {sync_frequency: 15, service: postgres}, expect: pass}
      - {given: {sync_frequency: 5, service: postgres}, expect: fail}
  - {id: one-name, severity: low, per: group_id, assert: {unique: [service, schema]}}
"""


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    (tmp_path / "house.yaml").write_text(HOUSE)
    (tmp_path / "ours.yaml").write_text(
        "policy: ours\nextends: [./house.yaml]\n"
        "override:\n  one-name: {severity: critical}\n"
        "  sync-floor: {enabled: false, reason: not ours}\n"
    )
    return tmp_path


def test_all_rules_with_their_places(folder: Path):
    done = run(["explain", "-p", "house.yaml"], folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:3] == [
        "house: The house's rules (house.yaml, 2 rules)",
        "  high      sync-floor  Not too often  :5",
        "  low       one-name    One name  :17",
    ]


def test_a_long_text_folds_beside_its_label() -> None:
    text = " and ".join(f"field_{n} is set" for n in range(20))
    (logged,) = _paragraph("applies when", text, Layout())
    first, *rest = (
        re.sub(r"\x1b\[[0-9;]*m", "", line) for line in _paragraph("why", text, Layout(80))
    )
    assert logged.endswith(text)
    assert len(rest) > 2
    assert {line[:16] for line in rest} == {" " * 16}
    assert max(map(len, (first, *rest))) <= 80
    assert " ".join(line[16:] for line in (first, *rest)) == text


def test_one_rule_in_full(folder: Path):
    done = run(["explain", "sync-floor", "-p", "house.yaml", "--var", "floor=30"], folder)
    assert done.returncode == 0, done.stderr
    told = {line[:16].strip(): line[16:] for line in done.stdout.splitlines() if line[:2] == "  "}
    assert done.stdout.splitlines()[:2] == [
        "sync-floor  Not too often",
        "high, house, house.yaml:5:5",
    ]
    assert "30" in told["requires that"]
    assert "postgres" in told["applies when"]
    assert told["why"] == "Each sync costs."
    assert told["fix"] == "Sync less often."
    assert told["tags"] == "cost, load"
    assert told["controls"] == "CIS 1.2, 3"
    assert "sync_frequency" in told["reads"]
    assert "    fail   " in done.stdout
    assert "sync_frequency 5" in done.stdout


def test_what_a_policy_changes_of_another_is_reported(folder: Path):
    done = run(["explain", "-p", "ours.yaml"], folder)
    assert done.returncode == 0, done.stderr
    assert "  critical  one-name" in done.stdout
    assert "left out: " in done.stdout
    assert "not ours" in done.stdout
    gone = run(["explain", "sync-floor", "-p", "ours.yaml"], folder)
    assert gone.returncode == 2
    assert "no rule in force is called sync-floor" in gone.stderr
    assert "not ours" in gone.stderr


def test_a_misspelt_rule_is_told_the_nearest(folder: Path):
    done = run(["explain", "sync-flor", "-p", "house.yaml"], folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no rule in force is called sync-flor (did you mean sync-floor?)" in done.stderr


# -- why a rule came to its verdict ---------------------------------------------------------------

RECORDS = [
    {"id": "c1", "service": "postgres", "schema": "orders", "group_id": "g1", "sync_frequency": 5},
    {"id": "c2", "service": "mysql", "schema": "crm", "group_id": "g1", "sync_frequency": 60},
    {"id": "c3", "service": "mysql", "schema": "crm", "group_id": "g1", "sync_frequency": 60},
]


def _saved(folder: Path, records: Any = RECORDS) -> str:
    (folder / "listing.json").write_text(json.dumps(records))
    return "listing.json"


def _why(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return run(["explain", *words, "-p", "house.yaml", "--snapshot", _saved(folder)], folder)


@pytest.mark.parametrize("name", ["c1", "orders"], ids=["by id", "by name"])
def test_why_a_rule_failed_on_a_connection(folder: Path, name: str):
    done = _why(folder, "sync-floor", name)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:5] == [
        "sync-floor  Not too often",
        "postgres orders (c1), g1: fail",
        "",
        "  holds             when    service is postgres            postgres",
        "  fails             assert  sync_frequency is at least 15  5",
    ]
    assert lines[-1].startswith("judged as of 20")


def test_why_a_rule_was_skipped(folder: Path):
    lines = _why(folder, "sync-floor", "c2").stdout.splitlines()
    assert lines[1].endswith("mysql crm (c2), g1: skip")
    assert lines[3].split() == ["fails", "when", "service", "is", "postgres", "mysql"]
    assert lines[4].split()[:3] == ["not", "evaluated", "assert"]


def test_why_a_group_failed_names_its_other_members(folder: Path):
    done = _why(folder, "one-name", "c3")
    assert done.returncode == 0, done.stderr
    assert "shared by 2 connections" in done.stdout
    assert "  with mysql crm (c2)" in done.stdout.splitlines()
    other = _why(folder, "one-name", "c1").stdout
    assert "none of them this one" in other


def test_one_saved_record_is_a_listing(folder: Path):
    (folder / "one.json").write_text(json.dumps(RECORDS[0]))
    done = run(
        ["explain", "sync-floor", "c1", "-p", "house.yaml", "--snapshot", "one.json"], folder
    )
    assert done.returncode == 0, done.stderr
    assert "orders (c1), g1: fail" in done.stdout


def test_the_live_account_is_asked_unless_a_file_is_named(folder: Path):
    estate = build_estate(20, 7)
    wanted = next(r for r in estate.records if r["service"] == "postgres")
    with Sandbox(estate) as sandbox:
        keys = {"FIVETRAN_API_KEY": sandbox.key, "FIVETRAN_API_SECRET": sandbox.secret}
        words = ["explain", "sync-floor", str(wanted["id"]), "-p", "house.yaml"]
        done = run([*words, "--base-url", sandbox.url], folder, keys)
    assert done.returncode == 0, done.stderr
    assert f"postgres {wanted['schema']} ({wanted['id']})" in done.stdout
    assert "service is postgres" in done.stdout


def test_a_plan_is_asked_by_the_address_of_a_resource(folder: Path):
    plan = str(PLANS / "small.json")
    document = json.loads(Path(plan).read_text())
    address = next(
        change["address"]
        for change in document["resource_changes"]
        if change["type"] == "fivetran_connector"
    )
    done = run(
        ["explain", "sync-floor", address, "-p", "house.yaml", "--terraform-plan", plan], folder
    )
    assert done.returncode == 0, done.stderr
    assert "service is postgres" in done.stdout
    absent = run(["explain", "sync-floor", "c", "-p", "house.yaml", "--terraform-plan"], folder)
    assert absent.returncode == 2
    assert "name the plan that CONNECTION is in" in absent.stderr
    words = ["explain", "sync-floor", "c", "-p", "house.yaml", "--terraform-plan", plan]
    both = run([*words, "--snapshot", _saved(folder)], folder)
    assert both.returncode == 2
    assert "--snapshot cannot be used with --terraform-plan" in both.stderr


def test_a_connection_that_a_plan_ends_is_in_no_group(folder: Path):
    asked = "per: group_id, when: {plan.action: {not_equals: create}}, assert: {count: {lte: 5}}"
    (folder / "few.yaml").write_text(
        f"policy: few\nrules:\n  - {{id: few, severity: low, {asked}}}\n"
    )
    plan = str(PLANS / "walk.json")
    words = ["explain", "few", "fivetran_connector.legacy", "-p", "few.yaml"]
    done = run([*words, "--terraform-plan", plan], folder)
    assert done.returncode == 0, done.stderr
    assert "legacy_a005), g_prod: no group counts it, because the plan ends it" in done.stdout


def test_an_unknown_rule_is_reported_before_any_request(folder: Path):
    done = _why(folder, "sync-flor", "c1")
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean sync-floor?" in done.stderr


def test_a_listing_without_a_connection_is_said_to_be_missing(folder: Path):
    done = run(["explain", "sync-floor", "--snapshot", _saved(folder), "-p", "house.yaml"], folder)
    assert done.returncode == 2
    assert "--snapshot: name a rule and a connection" in done.stderr


def test_why_is_judged_as_of_a_time_that_is_given(folder: Path):
    done = _why(folder, "sync-floor", "c1", "--now", "2026-01-31T12:00:00Z")
    assert done.stdout.splitlines()[-1] == "judged as of 2026-01-31T12:00:00Z, given with --now"


def test_why_is_judged_with_the_facts_of_another_file(folder: Path):
    (folder / "house.yaml").write_text(
        "policy: house\nfacts:\n  tiers: {file: tiers.csv, key: schema, columns: {tier: integer}}\n"
        "rules:\n  - {id: tier, severity: low, assert: {tiers.tier: {lte: 2}}}\n"
    )
    (folder / "tiers.csv").write_text("schema,tier\norders,1\n")
    (folder / "other.csv").write_text("schema,tier\norders,9\n")
    (folder / "one.json").write_text(
        '{"id": "c1", "service": "postgres", "schema": "orders", "group_id": "g"}'
    )
    words = ["explain", "tier", "orders", "-p", "./house.yaml", "--snapshot", "one.json"]
    assert ": pass" in run(words, folder).stdout
    done = run([*words, "--facts", "tiers=other.csv"], folder)
    assert ": fail" in done.stdout
    assert "tiers.tier is at most 2  9" in done.stdout
    wrong = run([*words, "--facts", "tirs=other.csv"], folder)
    assert (wrong.returncode, "did you mean tiers?" in wrong.stderr) == (2, True)
    # Alone it lists the facts, as ever; those of the file that auditor.yaml names.
    (folder / "auditor.yaml").write_text("facts: {tiers: other.csv}\n")
    listed = run(["explain", "-p", "./house.yaml", "--config", "auditor.yaml", "--facts"], folder)
    assert "tiers  1 row of other.csv" in listed.stdout
    assert ": fail" in run([*words, "--config", "auditor.yaml"], folder).stdout
