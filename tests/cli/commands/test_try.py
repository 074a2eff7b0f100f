"""``try``: a rule's verdict on a made-up record, and why."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.builders.command import run

HOUSE = """\
policy: house
facts:
  tiers: {key: schema, columns: {tier: integer}, rows: {orders: 1}}
rules:
  - id: floor
    title: Not too often
    severity: high
    when: {service: postgres}
    assert: {sync_frequency: {gte: 15}}
  - {id: important, severity: low, assert: {tiers.tier: {lte: 2}}}
  - {id: inside, severity: low, assert: {config.host: {ends_with: .internal}}}
  - {id: few, severity: low, per: group_id, assert: {count: {lte: 1}}}
  - {id: recent, severity: low, assert: {succeeded_at: {newer_than: 7d}}}
"""


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    (tmp_path / "house.yaml").write_text(HOUSE)
    return tmp_path


def tried(folder: Path, *words: str, given: bytes = b"") -> subprocess.CompletedProcess[str]:
    return run(["try", *words, "-p", "./house.yaml"], folder, given=given)


def verdict(folder: Path, *words: str, given: bytes = b"") -> str:
    done = tried(folder, *words, given=given)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[1].rpartition(" ")[2]


def test_a_made_up_record_is_judged_and_the_verdict_explained(folder: Path) -> None:
    done = tried(folder, "floor", "--given", "{sync_frequency: 5}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "floor  Not too often",
        "{sync_frequency: 5}: fail",
        "",
        "  holds             when    service is postgres            postgres",
        "  fails             assert  sync_frequency is at least 15  5",
        "",
        "  a report says  sync_frequency is 5, expected at least 15",
        "",
        "judged as of 2026-01-15T12:00:00Z",
    ]


def test_nothing_given_is_the_healthy_record(folder: Path) -> None:
    assert verdict(folder, "floor") == "pass"
    assert verdict(folder, "floor", "--without", "sync_frequency") == "error"
    assert verdict(folder, "floor", "--given", '{"service": "mysql"}') == "skip"


def test_a_record_comes_from_a_file_or_from_standard_input(folder: Path) -> None:
    record = {"sync_frequency": 5, "config": {"host": "hunter2-of-the-database"}}
    (folder / "r.json").write_text(json.dumps(record))
    assert verdict(folder, "floor", "--given", "@r.json") == "fail"
    piped = json.dumps(record).encode()
    assert verdict(folder, "floor", "--given", "-", given=piped) == "fail"
    for words in (("--given", "@r.json"), ("--given", "-")):
        done = tried(folder, "inside", *words, given=piped)
        assert "hunter2" not in done.stdout + done.stderr
        assert "[hidden]" in done.stdout


def test_facts_of_ones_own_are_joined_or_given(folder: Path) -> None:
    assert verdict(folder, "important") == "pass"
    assert verdict(folder, "important", "--given", "{tiers.tier: 3}") == "fail"
    assert verdict(folder, "important", "--given", "{schema: unheard_of}") == "error"


def test_a_rule_on_groups_takes_a_list(folder: Path) -> None:
    done = tried(folder, "few", "--given", "[{group_id: a}, {group_id: a}, {group_id: b}]")
    assert done.returncode == 0, done.stderr
    told = [line for line in done.stdout.splitlines() if line.startswith("in ")]
    assert [line.rpartition(" ")[2] for line in told] == ["fail", "pass"]
    one = tried(folder, "few", "--given", "{group_id: a}")
    assert (one.returncode, one.stdout) == (2, "")
    assert "takes a list of records" in one.stderr


def test_the_time_is_that_of_examples_unless_it_is_given(folder: Path) -> None:
    assert verdict(folder, "recent") == "pass"
    assert verdict(folder, "recent", "--now", "2026-03-01T00:00:00Z") == "fail"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("flor",), "no rule in force is called flor (did you mean floor?)"),
        (("floor", "--given", "{sync_freq: 5}"), "no field is called sync_freq"),
        (("floor", "--given", "{paused: true"), "--given:1:14: error: not YAML"),
        (("floor", "--given", " "), "--given is empty"),
        (("floor", "--given", "@none.json"), "@none.json: cannot be read"),
        (("floor", "--without", "sync_freq"), "--without:1:1: error: no field is called sync_freq"),
        (("floor", "--given", "5"), "given: takes the fields of one record"),
        ((), "Missing argument 'RULE'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_wrong_is_reported(folder: Path, words: tuple[str, ...], said: str) -> None:
    done = tried(folder, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
