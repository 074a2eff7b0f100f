"""``explain``: the rules in force, and all there is to say of one of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.builders.command import run

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


def test_what_a_policy_changes_of_another_is_told(folder: Path):
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
