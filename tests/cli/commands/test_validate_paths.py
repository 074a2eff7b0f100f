"""``validate``: policies, waiver files and test files, as a shell or pre-commit names them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.builders.command import run

POLICY = "policy: p\nrules:\n  - {id: r, severity: low, assert: {paused: false}}\n"
WAIVER = """waivers:
  - rule: r
    connections: {schema: s}
    reason: it is being moved
    owner: data@example.com
    expires: 2099-01-01
"""
TESTS = "tests:\n  - {name: t, given: {paused: true}, expect: {r: fail}}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies/p.yaml").write_text(POLICY)
    (tmp_path / "policies/p.test.yaml").write_text(TESTS)
    (tmp_path / "accepted.yaml").write_text(WAIVER)
    return tmp_path


@pytest.mark.parametrize(
    ("paths", "told"),
    [
        ([], "1 rule in 1 file, 1 test file"),
        (["policies/p.yaml"], "1 rule in 1 file, 1 test file"),
        (["policies/p.test.yaml"], "1 test in policies/p.test.yaml"),
        (["accepted.yaml"], "1 rule in 1 file, 1 waiver, 1 test file"),
        (
            ["accepted.yaml", "policies/p.test.yaml", "policies/p.yaml"],
            "1 rule in 1 file, 1 waiver, 1 test in policies/p.test.yaml",
        ),
        (
            ["./policies", "accepted.yaml", "accepted.yaml"],
            "1 rule in 1 file, 1 waiver, 1 test file",
        ),
        (["./policies", "policies/p.yaml", "cost"], "10 rules in 2 files, 1 test file"),
    ],
)
def test_files_of_every_kind_may_be_named(folder: Path, paths: list[str], told: str):
    done = run(["validate", *paths], folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"fine: {told}\n", "")


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("accepted.yaml", "rule: r", "rule: q", "accepted.yaml:2:5: warning"),
        ("accepted.yaml", "owner", "ownr", "accepted.yaml:5:5: error"),
        ("accepted.yaml", "expires: ", "expires: [", "accepted.yaml:7:1: error"),
        ("policies/p.test.yaml", "r: fail", "q: fail", "policies/p.test.yaml:2:47: error"),
        ("policies/p.test.yaml", "given", "givn", "policies/p.test.yaml:2:15: error"),
        ("policies/p.yaml", "false", "no", "policies/p.yaml:3:45: error"),
    ],
)
def test_what_is_wrong_in_one_is_reported_with_its_place(
    folder: Path, name: str, old: str, new: str, told: str
):
    path = folder / name
    path.write_text(path.read_text().replace(old, new))
    alone = run(["validate", "--strict", name], folder)
    together = run(
        ["validate", "--strict", "accepted.yaml", "policies/p.test.yaml", "policies/p.yaml"], folder
    )
    assert (alone.returncode, together.returncode) == (2, 2)
    assert told in alone.stdout
    assert together.stdout.count(told) == 1


def test_a_test_that_fails_is_not_a_mistake_of_the_file(folder: Path):
    path = folder / "policies/p.test.yaml"
    path.write_text(TESTS.replace("fail", "pass"))
    assert run(["validate", "policies/p.test.yaml"], folder).returncode == 0
    assert run(["test", "policies/p.test.yaml"], folder).returncode == 1


@pytest.mark.parametrize("words", [[], ["policies/p.yaml"], ["-p", "policies"]])
def test_a_test_file_that_does_not_load_is_found_beside_its_policy(folder: Path, words: list[str]):
    path = folder / "policies/p.test.yaml"
    path.write_text(TESTS.replace("given", "givn"))
    (folder / "policies/deep").mkdir()
    (folder / "policies/deep/lone.test.yaml").write_text("tests: []\n")
    done = run(["validate", *words], folder)
    assert done.returncode == 2
    assert "policies/p.test.yaml:2:15: error: " in done.stdout
    assert "did you mean given?" in done.stdout
    alone = words == ["policies/p.yaml"]
    assert ("policies/deep/lone.test.yaml:1:1: error" in done.stdout) is not alone
    assert "fine" not in done.stdout


def test_tests_beside_a_policy_are_loaded_once_for_all_accounts_and_not_judged(folder: Path):
    (folder / "policies/p.test.yaml").write_text(TESTS.replace("fail", "pass"))
    account = "  {0}: {{key_from: {1}_KEY, secret_from: {1}_SECRET, fail_on: low, strict: {2}}}\n"
    (folder / "auditor.yaml").write_text(
        "accounts:\n" + account.format("one", "ONE", "true") + account.format("two", "TWO", "false")
    )
    done = run(["validate"], folder)
    assert done.returncode == 0
    assert done.stdout.count("test file") == 1


def test_waivers_that_are_named_come_before_those_of_the_configuration(folder: Path):
    (folder / "auditor.yaml").write_text("waivers: other.yaml\n")
    (folder / "other.yaml").write_text(WAIVER.replace("rule: r", "rule: q"))
    assert "warning" not in run(["validate", "accepted.yaml"], folder).stdout
    assert "other.yaml:2:5: warning" in run(["validate"], folder).stdout
