"""A wrong value is told with where it was set: a line of auditor.yaml, a variable."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.builders.command import KEYS, run
from tests.builders.configured import configure

TIERS = """\
policy: tiers
facts: {tiers: {file: tiers.csv, key: schema, columns: {tier: integer}}}
rules: [{id: tier, severity: low, assert: {tiers.tier: 1}}]
"""
HOUSE = "policy: house.yaml\nsnapshot: saved.json\n"
ACCOUNT = "accounts:\n  eu: {key_from: EU_KEY, secret_from: EU_SECRET, policy: nope.yaml}\n"


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("policy: nope.yaml\n", "1:9", "nope.yaml: no such file or folder"),
        ("policy: [baseline, none/]\n", "1:20", "./none: no such file or folder"),
        ("policy: empty/\n", "1:9", "empty: no policy in this folder"),
        ("policy: nosuch\n", "1:9", "no pack is called nosuch"),
        ("snapshot: nope.json\n", "1:11", "nope.json: no such file"),
        (f"{HOUSE}waivers: nope.yaml\n", "3:10", "nope.yaml: cannot be read"),
        (f"{HOUSE}baseline: nope.json\n", "3:11", "nope.json: cannot be read"),
        ("terraform_plan: nope.json\n", "1:17", "nope.json: no such file"),
        (f"{HOUSE}facts: {{teirs: x.csv}}\n", "3:9", "facts teirs: no policy in force declares"),
        (f"{HOUSE}var: {{leest: 3}}\n", "3:7", "var leest: no policy in force declares it"),
        (f"{HOUSE}var: {{most: 2, least: few}}\n", "3:16", "var least: takes a number"),
        (f"{HOUSE}only: [the-rule, nope]\n", "3:18", "only nope: no rule in force"),
        (f"{HOUSE}with: nolist\n", "3:7", "with nolist: no such list"),
        (f"{HOUSE}max: {{bogus: 3}}\n", "3:7", "max bogus=3: write a severity"),
        (f"{HOUSE}dimensions: {{team: nope}}\n", "3:14", "dimensions team=nope: there is no"),
        (f"{HOUSE}run_url: here\n", "3:10", "run_url 'here': write an address"),
        ("base_url: http://api.fivetran.com\n", "1:11", "base_url is plain http"),
    ],
)
def test_a_wrong_setting_is_told_with_its_line(folder: Path, text: str, place: str, message: str):
    (folder / "empty").mkdir()
    configure(folder, text)
    done = run(["audit"], folder, KEYS)
    assert done.returncode == 2
    assert done.stderr.startswith(f"auditor.yaml:{place}: error: {message}"), done.stderr
    line = text.splitlines()[int(place.partition(":")[0]) - 1]
    assert f"\n    {line}\n" in done.stderr
    assert "1 error in auditor.yaml; nothing was judged" in done.stderr


def test_a_file_of_facts_is_told_with_the_line_that_names_it(folder: Path):
    (folder / "tiers.yaml").write_text(TIERS)
    configure(folder, "policy: tiers.yaml\nsnapshot: saved.json\nfacts: {tiers: nope.csv}\n")
    done = run(["audit"], folder)
    assert done.returncode == 2
    assert done.stderr.startswith("auditor.yaml:3:9: error: facts tiers: nope.csv cannot be read")
    done = run(["audit", "--facts", "tiers=none.csv"], folder)
    assert done.stderr.startswith("error: --facts tiers: none.csv cannot be read")


def test_an_estate_and_a_folder_for_a_plan_are_told_with_their_line(folder: Path):
    (folder / "plan.json").write_text(
        '{"format_version":"1.2","planned_values":{"root_module":{}},'
        '"configuration":{"root_module":{}},"resource_changes":[]}'
    )
    for key, column in (("over", 7), ("terraform_dir", 16)):
        configure(folder, f"policy: house.yaml\nterraform_plan: plan.json\n{key}: nope\n")
        done = run(["audit"], folder)
        assert done.returncode == 2
        assert done.stderr.startswith(f"auditor.yaml:3:{column}: error: nope: no such"), done.stderr


@pytest.mark.parametrize("command", ["test", "explain", "validate", "audit"])
def test_every_command_that_reads_the_file_says_it(folder: Path, command: str):
    configure(folder, "policy: nope.yaml\n")
    done = run([command], folder)
    assert done.returncode == 2
    assert "auditor.yaml:1:9: error: nope.yaml: no such file or folder" in (
        done.stdout + done.stderr
    )


def test_an_account_s_setting_has_its_own_line(folder: Path):
    configure(folder, ACCOUNT)
    wanted = f"auditor.yaml:2:{ACCOUNT.splitlines()[1].index('nope') + 1}"
    for words in (["audit", "--account", "eu"], ["validate"]):
        done = run(words, folder)
        assert done.returncode == 2
        assert f"{wanted}: error: nope.yaml: no such file" in done.stdout + done.stderr


def test_validate_goes_on_after_a_file_that_is_missing(folder: Path):
    (folder / "wrong.yaml").write_text("policy: wrong\nrules: [{id: x}]\n")
    configure(folder, f"policy: wrong.yaml\nwaivers: none.yaml\n{ACCOUNT}")
    done = run(["validate"], folder)
    assert done.returncode == 2
    assert "auditor.yaml:2:10: error: none.yaml: cannot be read" in done.stdout
    assert "wrong.yaml:2:9: error:" in done.stdout
    assert "nope.yaml: no such file" in done.stdout


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("VAR", "leest=3", "FIVETRAN_AUDITOR_VAR leest: no policy in force declares it"),
        ("WITH", "nolist", "FIVETRAN_AUDITOR_WITH nolist: no such list"),
        ("MAX", "bogus=3", "FIVETRAN_AUDITOR_MAX bogus=3: write a severity"),
        (
            "WAIVERS",
            "nope.yaml",
            "nope.yaml: cannot be read: No such file or directory (FIVETRAN_AUDITOR_WAIVERS in the",
        ),
    ],
)
def test_a_wrong_value_in_the_environment_is_told_with_its_variable(
    folder: Path, variable: str, value: str, message: str
):
    configure(folder, HOUSE)
    done = run(["audit"], folder, {f"FIVETRAN_AUDITOR_{variable}": value})
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {message}"), done.stderr


def test_a_configuration_that_is_missing_is_told_with_its_variable(folder: Path):
    done = run(["audit"], folder, {"FIVETRAN_AUDITOR_CONFIG": "none.yaml"})
    assert done.returncode == 2
    assert done.stderr == (
        "error: none.yaml: cannot be read: No such file or directory"
        " (FIVETRAN_AUDITOR_CONFIG in the environment)\n"
    )
    done = run(["audit", "--config", "none.yaml"], folder)
    assert done.stderr == "error: none.yaml: cannot be read: No such file or directory\n"


def test_an_address_is_told_by_whatever_set_it(folder: Path):
    done = run(["audit"], folder, {**KEYS, "FIVETRAN_AUDITOR_BASE_URL": "ftp://example.com"})
    assert done.stderr == "error: FIVETRAN_AUDITOR_BASE_URL must start with https://\n"
    done = run(["audit", "--base-url", "ftp://example.com"], folder, KEYS)
    assert done.stderr == "error: --base-url must start with https://\n"


def test_of_several_origins_the_one_in_force_is_named(folder: Path):
    configure(folder, f"{HOUSE}var: {{least: 1, leest: 2}}\n")
    done = run(["audit", "--var", "leest=3"], folder)
    assert done.stderr.startswith("error: --var leest: no policy in force")
    done = run(["audit", "--var", "least=3"], folder)
    assert done.stderr.startswith("auditor.yaml:3:17: error: var leest: no policy in force")
    configure(folder, "policy: house.yaml\n")
    done = run(["validate", "-p", "nope.yaml"], folder)
    assert done.stderr == "error: nope.yaml: no such file or folder\n"


def test_a_line_that_may_hold_a_credential_is_not_shown(folder: Path):
    configure(folder, f"{HOUSE}var: {{leest: 3, api_key: abc}}\n")
    done = run(["audit"], folder)
    assert done.stderr.startswith("auditor.yaml:3:7: error: var leest")
    assert "abc" not in done.stderr
