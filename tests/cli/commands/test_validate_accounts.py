"""``validate`` without a path: the configuration's files, for each of its accounts too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.builders.command import run
from tests.builders.listed import waiver

POLICY = (
    "policy: {0}\nvars: {{floor: 5}}\nrules:\n"
    "  - {{id: {0}, severity: low, when: {{sync_frequency: {{exists: true}}}},"
    " assert: {{sync_frequency: {{gte: {{var: floor}}}}}}}}\n"
)
ACCOUNT = "  {0}:\n    key_from: {1}_KEY\n    secret_from: {1}_SECRET\n"
ONE, TWO = ACCOUNT.format("one", "ONE"), ACCOUNT.format("two", "TWO")


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    for name in ("all", "own"):
        (tmp_path / f"{name}.yaml").write_text(POLICY.format(name))
    return tmp_path


def configured(folder: Path, two: str) -> None:
    """Let the account called two set ``two``; the other sets nothing."""
    text = f"policy: [./all.yaml]\naccounts:\n{ONE}{TWO}{two}"
    (folder / "auditor.yaml").write_text(text)


@pytest.mark.parametrize(
    ("two", "fine"),
    [
        ("", "fine: 1 rule in 1 file"),
        ("    policy: [./own.yaml, baseline]\n", "1 file, and for two 13 rules in 2 files"),
        ("    waivers: w.yaml\n", "1 file, and for two 1 rule in 1 file, 1 waiver, 1 warning"),
    ],
)
def test_what_an_account_sets_is_counted_with_its_name(folder: Path, two: str, fine: str):
    configured(folder, two)
    (folder / "w.yaml").write_text(waiver(expires="2999-12-31", rule="own"))
    done = run(["validate"], folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip().endswith(fine)


@pytest.mark.parametrize("wrong", ["policy: [./own.yaml]", "waivers: w.yaml"])
def test_what_is_wrong_for_one_account_is_wrong(folder: Path, wrong: str):
    configured(folder, f"    {wrong}\n")
    own = folder / "own.yaml"
    own.write_text(own.read_text().replace("low", "lwo"))
    (folder / "w.yaml").write_text("waivers: [{rul: x}]\n")
    for words, code in ((["validate"], 2), (["validate", "--account", "one"], 0)):
        assert run(words, folder).returncode == code
    told = run(["validate", "--report", "sarif=-"], folder)
    assert told.returncode == 2
    (found,) = json.loads(told.stdout)["runs"]
    places = {
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for result in found["results"]
    }
    assert places == {"own.yaml" if "own" in wrong else "w.yaml"}


def test_a_wrong_setting_of_one_account_is_reported_with_its_line(folder: Path):
    configured(folder, "    var: {flor: 9}\n")
    done = run(["validate"], folder)
    assert (done.returncode, done.stderr) == (2, "")
    assert "auditor.yaml:9:11: error: var flor: no policy in force declares it" in done.stdout
    assert "did you mean floor?" in done.stdout


def test_what_the_command_line_names_is_all_that_is_checked(folder: Path):
    configured(folder, "    policy: [./nowhere.yaml]\n")
    assert run(["validate"], folder).returncode == 2
    for words in (["all.yaml"], ["-p", "./all.yaml"]):
        done = run(["validate", *words], folder)
        assert (done.returncode, done.stdout) == (0, "fine: 1 rule in 1 file\n")


def test_an_option_of_the_command_line_holds_for_each_account(folder: Path):
    configured(folder, "    policy: [./own.yaml]\n    var: {floor: 9}\n")
    assert run(["validate", "--var", "floor=7"], folder).returncode == 0
    done = run(["validate", "--var", "floor=x"], folder)
    assert done.returncode == 2
