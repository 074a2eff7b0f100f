"""``test`` as a process: what it runs, what it says, the report it writes, its exit code."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from auditor.policy.loading.documents import pack_names
from tests.builders.command import run
from tests.builders.tested_house import CASES, HOUSE, WRONG


@pytest.fixture
def house(tmp_path: Path) -> Path:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "house.yaml").write_text(HOUSE)
    (folder / "house.test.yaml").write_text(CASES)
    return tmp_path


def test_the_folder_policies_is_tested_by_default(house):
    done = run(["test"], house)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "policies/house.yaml",
        "  ...",
        "policies/house.test.yaml",
        "  ..",
        "",
        "coverage: 1 of 1 rule fail, pass and, where they can, skip in a test",
        "",
        "5 passed",
    ]


def test_without_one_the_pack_baseline_is(tmp_path):
    done = run(["test"], tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("pack:baseline\n  ...")


def test_every_pack_passes(tmp_path):
    done = run(["test", "-q", *pack_names()], tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    count, word = done.stdout.split()
    assert int(count) > 200
    assert word == "passed"


def test_what_a_policy_extends_is_not_tested_under_its_variables(house):
    # Under the floor of 5 that house sets, baseline's own test of 5 minutes would fail.
    done = run(["test", "policies/", "baseline"], house)
    assert done.returncode == 0
    assert "pack:baseline" in done.stdout


def test_a_failure_says_where_what_was_given_expected_and_got(house):
    (house / "policies/house.yaml").write_text(HOUSE + WRONG)
    done = run(["test"], house)
    assert done.returncode == 1
    assert "  ...F\n" in done.stdout
    told = done.stdout.partition("FAILED ")[2].splitlines()
    assert told[0] == "policies/house.yaml:13:9 runs"
    rows = [line.split(maxsplit=1) for line in told[1:6]]
    assert rows[:4] == [
        ["given", "{paused: true}"],
        ["rule", "paused is false, when schedule_type is auto"],
        ["expected", "pass"],
        ["got", "fail"],
    ]
    assert "paused: true; wanted false" in done.stdout
    assert done.stdout.endswith("\n1 failed, 5 passed\n")


def test_verbose_tells_of_each_test(house):
    done = run(["test", "-v"], house)
    lines = [line.split("  ") for line in done.stdout.splitlines() if "PASSED" in line]
    assert len(lines) == 5
    assert lines[0] == ["PASSED", "policies/house.yaml:10:9", "runs fail"]
    assert lines[-1][-1] == "five minutes are allowed here"


def test_quiet_tells_the_count_alone(house):
    assert run(["test", "-q"], house).stdout == "5 passed\n"


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("sync-", "1 passed, 4 left out by -k"),
        ("RUNS", "4 passed, 1 left out by -k"),
        ("five minutes", "2 passed, 3 left out by -k"),
        ("r?ns", "4 passed, 1 left out by -k"),
        ("house.test", "2 passed, 3 left out by -k"),
    ],
)
def test_a_pattern_chooses_tests(house, pattern, told):
    done = run(["test", "-k", pattern], house)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == told
    assert "coverage" not in done.stdout


def test_where_no_policy_is_found_the_pack_is_tested_and_said_to_be(house, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    note = "note: only the shipped pack baseline was tested: no policy was named, and there is no"
    for words in (["test"], ["test", "-q"], ["test", "-k", "fresh"]):
        done = run(words, elsewhere)
        assert done.returncode == 0
        assert done.stdout.splitlines()[-1].startswith(note)
    done = run(["test", "-q", "--report", "junit=-"], elsewhere)
    assert note not in done.stdout
    assert note in done.stderr
    for words, folder in ((["test", "baseline"], elsewhere), (["test"], house)):
        assert "note" not in run(words, folder).stdout


def test_a_rule_without_tests_is_warned_of(house):
    untested = "  - {id: untested, severity: low, assert: {paused: false}}\n"
    half = untested.replace("untested", "half").replace("}}\n", "}, tests: [{expect: pass}]}\n")
    (house / "policies/house.yaml").write_text(HOUSE + untested + half)
    done = run(["test"], house)
    assert done.returncode == 0
    assert "coverage: 1 of 3 rules" in done.stdout
    assert "policies/house.yaml:13:5: warning: untested has no test" in done.stdout
    assert "policies/house.yaml:14:5: half has no test that fails" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["-k", "nowhere"], "-k nowhere: none of 5 tests matches"),
        (["basline"], "did you mean baseline?"),
        (["./nowhere.yaml"], "no such file"),
        (["./nowhere.test.yaml"], "no such file"),
        (["empty/"], "no policy in this folder"),
        (["bare.yaml"], "nothing was tested: there is no test in bare.yaml"),
        (["broken.yaml"], "no operator is called gtee"),
        (["broken.test.yaml"], "no rule in force is called rns"),
        (["--report", "html"], "no such format (it takes junit)"),
    ],
)
def test_nothing_tested_is_not_green(house, arguments, told):
    (house / "empty").mkdir()
    bare = "policy: bare\nrules:\n  - {id: a, severity: low, assert: {paused: false}}\n"
    (house / "bare.yaml").write_text(bare)
    (house / "broken.yaml").write_text(bare.replace("paused: false", "sync_frequency: {gtee: 1}"))
    (house / "broken.test.yaml").write_text(
        "policy: policies/house.yaml\ntests: [{expect: {rns: pass}}]\n"
    )
    done = run(["test", *arguments], house)
    assert done.returncode == 2, done.stderr
    assert told in done.stderr
    assert "passed" not in done.stdout


def test_a_test_file_can_be_named_by_itself(house):
    done = run(["test", "policies/house.test.yaml"], house)
    assert done.returncode == 0
    assert done.stdout.endswith("\n2 passed\n")


def test_a_folder_may_hold_tests_alone(house):
    (house / "tests").mkdir()
    (house / "tests/some.test.yaml").write_text(f"policy: ../policies/house.yaml\n{CASES}")
    for name in ("tests/", "tests"):
        done = run(["test", name], house)
        assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "2 passed"), done.stderr


def test_a_folder_s_tests_are_run_however_it_is_spelled(house):
    below = house / "policies/deep/lone.test.yaml"
    below.parent.mkdir()
    below.write_text(f"policy: ../house.yaml\n{CASES}".replace("pass", "fail"))
    for name in ("policies", "policies/", "./policies"):
        done = run(["test", "-q", name], house)
        assert (done.returncode, done.stdout) == (1, "2 failed, 5 passed\n")


def test_a_file_that_is_named_twice_is_tested_once(house):
    done = run(["test", "-q", "policies/", "policies/house.yaml", "./policies/"], house)
    assert done.stdout == "5 passed\n"


def test_colour_is_for_those_who_ask(house):
    assert "\x1b[" not in run(["test"], house).stdout
    assert "\x1b[32m5 passed" in run(["test"], house, {"FORCE_COLOR": "1"}).stdout
    assert "\x1b[" not in run(["test", "--no-color"], house, {"FORCE_COLOR": "1"}).stdout


LOOSE = """\
policy: loose
rules:
  - id: floor
    severity: low
    when: {paused: false}
    assert: {sync_frequency: {gte: 15}}
    tests:
      - {given: {sync_frequency: 60}, expect: pass}
      - {given: {sync_frequency: 5}, expect: fail}
      - {given: {paused: true}, expect: skip}
  - id: fleet
    severity: low
    assert: {group_id: {exists: true}}
    tests: [{expect: pass}]
"""


def test_mutate_tells_what_no_test_notices(tmp_path):
    (tmp_path / "loose.yaml").write_text(LOOSE)
    done = run(["test", "loose.yaml", "--mutate"], tmp_path)
    assert done.returncode == 1
    assert "loose.yaml:6:31: floor: no test notices gte taken for gt" in done.stdout
    assert "would     - {given: {sync_frequency: 15}, expect: pass}" in done.stdout
    assert done.stdout.endswith("\n2 of 5 changes noticed\n")
    done = run(["test", "loose.yaml", "--mutate", "-k", "fleet", "-q"], tmp_path)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "1 of 1 change noticed")


def test_require_fails_a_rule_without_the_tests(tmp_path):
    (tmp_path / "loose.yaml").write_text(LOOSE)
    assert run(["test", "loose.yaml"], tmp_path).returncode == 0
    assert run(["test", "loose.yaml", "--require", "pass,skip"], tmp_path).returncode == 0
    done = run(["test", "loose.yaml", "--require", "pass,fail"], tmp_path)
    assert done.returncode == 1
    last = "1 rule without a test that is required (pass and fail): fleet"
    assert done.stdout.splitlines()[-1] == last


BARE = """\
policy: bare
rules:
  - id: tested
    severity: low
    assert: {paused: false}
    tests: [{given: {paused: true}, expect: fail}]
  - id: untested
    severity: low
    assert: {schedule_type: auto}
"""


@pytest.mark.parametrize(
    ("where", "count"), [("loose.yaml:8", 1), ("loose.yaml:5", 3), ("./loose.yaml:11", 1)]
)
def test_a_line_chooses_tests(tmp_path, where, count):
    (tmp_path / "loose.yaml").write_text(LOOSE)
    done = run(["test", where], tmp_path)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == f"{count} passed, {4 - count} left out"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["loose.yaml:1"], "loose.yaml:1: none of 4 tests is at that line"),
        (["loose.yaml:8", "loose.yaml:1"], "loose.yaml:1: none of 4 tests is at that line"),
        (["loose.yaml:99"], "loose.yaml:99: the file ends at line"),
        (["bare.yaml:7"], "bare.yaml:7: none of 1 test is at that line"),
        (["bare.yaml", "loose.yaml:8"], "bare.yaml has no :LINE"),
        (["loose.yaml", "-k", "a and"], "-k a and: at its end"),
        (
            ["loose.yaml", "--require", "passed"],
            "--require: passed is not one of pass, fail and skip",
        ),
        (["loose.yaml", "--require", "pass", "-k", "floor"], "--require checks every rule"),
        (["loose.test.yaml", "--mutate"], "--mutate changes the rules of policies"),
    ],
)
def test_what_asks_for_nothing_is_not_green(tmp_path, words, told):
    (tmp_path / "loose.yaml").write_text(LOOSE)
    (tmp_path / "bare.yaml").write_text(BARE)
    if words[0] == "loose.test.yaml":
        case = "{name: b, given: {paused: true}, expect: {floor: skip}}"
        (tmp_path / "loose.test.yaml").write_text(f"tests:\n  - {case}\n")
    done = run(["test", *words], tmp_path)
    assert done.returncode == 2, done.stdout
    assert told in done.stderr


# -- a test of a real connection ------------------------------------------------------------------

RULES = """\
policy: house
rules:
  - {id: floor, severity: low, assert: {sync_frequency: {gte: 15}}}
  - {id: inside, severity: low, assert: {config.host: {ends_with: .internal}}}
  - {id: one-name, severity: low, per: group_id, assert: {unique: [service, schema]}}
"""
LISTING = [
    {"id": "c1", "service": "mysql", "schema": "crm", "group_id": "g", "sync_frequency": 5},
    {"id": "c2", "service": "mysql", "schema": "crm", "group_id": "g", "sync_frequency": 60},
    {
        "id": "c3",
        "service": "mysql",
        "schema": "orders",
        "group_id": "h",
        "sync_frequency": 60,
        "config": {"host": "hunter2.example.com"},
    },
]


@pytest.fixture(name="listed")
def _listed(tmp_path: Path) -> Path:
    (tmp_path / "house.yaml").write_text(RULES)
    (tmp_path / "listing.json").write_text(json.dumps(LISTING))
    return tmp_path


def record(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return run(["test", "./house.yaml", "--snapshot", "listing.json", "--record", *words], folder)


@pytest.mark.parametrize(
    ("connection", "rule", "verdict"),
    [
        ("c1", "floor", "fail"),
        ("orders", "floor", "pass"),
        ("c3", "inside", "fail"),
        ("c1", "inside", "error"),
        ("c2", "one-name", "fail"),
        ("c3", "one-name", "pass"),
    ],
)
def test_what_record_prints_is_a_test_that_passes(
    listed: Path, connection: str, rule: str, verdict: str
):
    done = record(listed, connection, rule)
    assert done.returncode == 0, done.stderr
    assert f"expect: {{{rule}: {verdict}}}" in done.stdout
    assert "hunter2" not in done.stdout
    (listed / "house.test.yaml").write_text(done.stdout)
    ran = run(["test", "./house.yaml", "-v"], listed)
    assert ran.returncode == 0, ran.stdout
    assert "1 passed" in ran.stdout


def test_a_test_of_a_packs_rule_names_the_pack(listed: Path):
    words = ["test", "baseline", "--snapshot", "listing.json"]
    done = run([*words, "--record", "c1", "sync-frequency-bounds"], listed)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("policy: baseline\n")
    (listed / "any.test.yaml").write_text(done.stdout)
    assert run(["test", "./any.test.yaml"], listed).returncode == 0


def test_a_test_of_a_rule_that_is_extended_names_the_file(listed: Path):
    (listed / "ours.yaml").write_text("policy: ours\nextends: [./house.yaml]\n")
    words = ["test", "./ours.yaml", "--snapshot", "listing.json", "--record", "c1", "floor"]
    done = run(words, listed)
    assert done.stdout.startswith("policy: ours.yaml\n"), done.stderr
    (listed / "any.test.yaml").write_text(done.stdout)
    assert run(["test", "./any.test.yaml"], listed).returncode == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--record", "c9", "floor", "--snapshot", "listing.json"), "no connection is called c9"),
        (("--record", "c1", "flor", "--snapshot", "listing.json"), "did you mean floor?"),
        (("--record", "crm", "floor", "--snapshot", "listing.json"), "the name of 2 connections"),
        (("--record", "c1", "floor", "--mutate"), "--mutate cannot be used with --record"),
        (("--snapshot", "listing.json"), "--snapshot without --record"),
    ],
)
def test_what_makes_no_sense_with_record_is_reported(
    listed: Path, words: tuple[str, ...], said: str
):
    done = run(["test", "./house.yaml", *words], listed)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
