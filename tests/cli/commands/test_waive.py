"""``waive``: what is accepted is written, and what the policies do not allow is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from auditor.errors import PolicyError
from tests.builders.command import run

POLICY = """policy: house
max_waiver: 90d
extends: [baseline]
override:
  data-fresh: {waivable: false}
  setup-connected: {max_waiver: 7d}
rules:
  - {id: unpaused, severity: high, assert: {paused: false}}
  - {id: sacred, severity: high, assert: {paused: false}, waivable: false}
"""
RECORD = (
    '[{"id": "warm_lake", "service": "s3", "schema": "orders", "group_id": "g", "paused": true}]'
)
SAID = ("--owner", "data", "--reason", "agreed")
#: What is said where no waivers are set: an audit would not read the file.
NOTE = "note: an audit reads it with --waivers waivers.yaml, or if auditor.yaml sets waivers\n"


@pytest.fixture
def house(tmp_path: Path) -> Path:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "house.yaml").write_text(POLICY)
    (tmp_path / "one.json").write_text(RECORD)
    return tmp_path


def waive(folder: Path, *words: str) -> tuple[int, str]:
    done = run(["waive", *words], folder)
    return done.returncode, done.stdout + done.stderr


def test_what_was_found_is_waived_and_the_next_run_says_so(house: Path) -> None:
    audit = ["audit", "--snapshot", "one.json", "--only", "unpaused", "-q"]
    assert run(audit, house).returncode == 1
    code, told = waive(house, "unpaused", "warm_lake", *SAID, "--expires", "30d")
    day = (datetime.now(UTC) + timedelta(days=30)).date()
    assert (code, told) == (
        0,
        f"waived unpaused for 1 connection through {day}: waivers.yaml:3:5\n{NOTE}",
    )
    done = run([*audit, "--waivers", "waivers.yaml"], house)
    assert done.returncode == 0, done.stdout
    assert "1 violation and none of them gates; " in done.stdout
    assert "; 1 violation waived;" in done.stdout
    assert done.stdout.count("waived") == 1
    code, told = waive(house, "unpaused", "warm_lake", *SAID, "--expires", "31d")
    assert code == 2
    assert "covers it already" in told
    code, told = waive(house, "unpaused", "cold_lake", "dry_lake", *SAID, "--expires", "31d")
    assert code == 0
    assert told.startswith("waived unpaused for 2 connections through ")
    # Where the file is set, an audit reads it.
    (house / "auditor.yaml").write_text("waivers: waivers.yaml\n")
    code, told = waive(house, "unpaused", "deep_lake", *SAID, "--expires", "31d")
    assert (code, told.count("\n")) == (0, 1)


def test_a_name_that_is_no_id_is_told_how_to_be_written(house: Path) -> None:
    for name, key in (
        ("orders", "schema"),
        ("Finance.public", "schema"),
        ("fivetran_connector.orders", "address"),
        ("module.team.fivetran_connector.orders", "address"),
    ):
        code, told = waive(house, "unpaused", name, "warm_lake", *SAID, "--expires", "30d")
        assert code == 0
        assert f"note: {name} does not look like an id" in told
        assert f"write {{{key}: {name}}} at waivers.yaml:" in told
        assert "note: warm_lake" not in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ("sacred", "a", *SAID, "--expires", "1d"),
            "sacred may not be waived (policies/house.yaml:9",
        ),
        (("data-fresh", "a", *SAID, "--expires", "1d"), "data-fresh may not be waived"),
        (("unpaused", "a", *SAID, "--expires", "91d"), "may last 90 days from now (max_waiver)"),
        (("setup-connected", "a", *SAID, "--expires", "8d"), "may last 7 days from now"),
        (("auto-schedule", "a", *SAID, "--expires", "91d"), "may last 90 days from now"),
        (("unpaused", "a", *SAID, "--expires", "2020-01-01"), "accepts nothing"),
        (("unpaused", "a", *SAID, "--expires", "soon"), "not a date; write its last day"),
        (("unpaused", "a", *SAID, "--expires", "999999w"), "that is no"),
        (("unpased", "a", *SAID, "--expires", "1d"), "no rule is called unpased (did you mean"),
        (("unpaused", "*", *SAID, "--expires", "1d"), "not a connection's id"),
        (("unpaused", "", *SAID, "--expires", "1d"), "is empty"),
        (("unpaused", "a", "--owner", " ", "--reason", "r", "--expires", "1d"), "--owner is empty"),
        (("unpaused", "a", "--reason", "r", "--expires", "1d"), "Missing option '--owner'"),
        (("unpaused", *SAID, "--expires", "1d"), "Missing argument 'CONNECTION"),
    ],
)
def test_what_is_not_allowed_is_not_written(words: tuple[str, ...], told: str, house: Path) -> None:
    code, said = waive(house, *words)
    assert code == 2
    assert told in said
    assert not (house / "waivers.yaml").exists()


@pytest.mark.parametrize(
    ("rule", "days", "told"),
    [
        ("sacred", 1, "sacred may not be waived"),
        ('"s*"', 1, "sacred may not be waived"),
        ('"*"', 60, "setup-connected may last 7 days"),
        ("unpaused", 91, "unpaused may last 90 days from now (max_waiver)"),
    ],
)
def test_a_waiver_that_was_written_all_the_same_stops_every_run(
    rule: str, days: int, told: str, house: Path
) -> None:
    day = (datetime.now(UTC) + timedelta(days=days)).date()
    (house / "w.yaml").write_text(
        f"waivers:\n- rule: {rule}\n  connections: all\n  reason: r\n  owner: o\n  expires: {day}\n"
    )
    for words in (["audit", "--snapshot", "one.json", "--waivers"], ["validate", "--waivers"]):
        done = run([*words, "w.yaml"], house)
        assert done.returncode == 2
        assert "w.yaml:2:3: " in done.stdout + done.stderr
        assert told in done.stdout + done.stderr
    assert "the run did not finish" in (house / "audit-report" / "report.json").read_text()


def test_a_waiver_within_its_term_or_past_it_stops_nothing(house: Path) -> None:
    last = (datetime.now(UTC) + timedelta(days=90)).date()
    for day in (last, "2020-01-01"):
        (house / "w.yaml").write_text(
            "waivers:\n- rule: unpaused\n  connections: all\n  reason: r\n  owner: o\n"
            f"  expires: {day}\n"
        )
        done = run(["audit", "--snapshot", "one.json", "--waivers", "w.yaml", "-q"], house)
        assert done.returncode in {0, 1, 3}, done.stderr
    assert PolicyError.exit_code == 2


def test_explain_says_what_may_be_waived(house: Path) -> None:
    for rule, told in (("sacred", "none"), ("setup-connected", "at most 7 days from now")):
        assert f"waivers       {told}" in run(["explain", rule], house).stdout
    notes = run(["audit", "--snapshot", "one.json"], house).stdout
    assert "sets max_waiver of setup-connected to 7d" in notes.replace("\n            ", " ")
