"""Precedence: the command line, the environment, the file."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click
import pytest

from auditor.cli.config.file import config_schema
from auditor.cli.config.settings import ANCHORS
from tests.builders.command import run
from tests.builders.configured import (
    OPTIONS,
    SHARED,
    configurable,
    configure,
    in_force,
)


@pytest.mark.parametrize(
    ("file", "env", "typed", "code"),
    [
        ("", "", "", 1),
        ("high", "", "", 0),
        ("high", "medium", "", 1),
        ("low", "high", "", 0),
        ("low", "low", "high", 0),
        ("high", "high", "low", 1),
    ],
)
def test_the_nearest_word_decides_the_gate(
    folder: Path, file: str, env: str, typed: str, code: int
):
    configure(
        folder, "policy: house.yaml\nsnapshot: saved.json\n" + f"fail_on: {file}\n" * bool(file)
    )
    arguments = ["audit", "-q", *(["--fail-on", typed] if typed else [])]
    done = run(arguments, folder, {"FIVETRAN_AUDITOR_FAIL_ON": env})
    assert done.returncode == code, done.stderr
    report = json.loads((folder / "audit-report" / "report.json").read_bytes())
    assert report["gate"]["exit_code"] == code


def test_variables_and_limits_are_merged_by_name(folder: Path):
    configure(folder, "policy: house.yaml\nvar: {least: 5, most: 7}\nmax: {low: 3, medium: 2}\n")
    env = {"FIVETRAN_AUDITOR_VAR": "most=8"}
    found = in_force(folder, "--var", "least=6", "--max", "low=0", env=env)
    assert found["least: 6"] == "command line"
    assert found["most: 8"] == "environment, FIVETRAN_AUDITOR_VAR"
    assert found["low: 0"] == "command line"
    assert found["medium: 2"] == "auditor.yaml:3"
    done = run(["audit", "--snapshot", "saved.json", "--max", "low=0", "--var", "most=0"], folder)
    assert done.returncode == 1
    assert "2 low violations" in done.stdout, "least is 5 by the file, most 0 by the command line"
    assert "--max" not in done.stderr


def test_a_variable_holds_a_list(folder: Path):
    configure(folder, "policy: baseline\nvar: {databases: [mysql, postgres]}\n")
    assert in_force(folder)['databases: "mysql,postgres"'] == "auditor.yaml:2"


def test_lists_are_replaced(folder: Path):
    configure(folder, "policy: [house.yaml, cost]\nreport: [csv]\n")
    found = in_force(folder, "-p", "baseline")
    assert found["policy: [baseline]"] == "command line"
    assert found["report: [csv]"] == "auditor.yaml:2"


def test_an_empty_environment_variable_is_ignored_and_an_unknown_one_named(folder: Path):
    assert in_force(folder, env={"FIVETRAN_AUDITOR_FAIL_ON": ""})["fail_on: low"] == "default"
    for name, right in (("STRCT", "STRICT"), ("POLICIES", "POLICY"), ("CONFG", "CONFIG")):
        for command in (["audit", "-p", "house.yaml"], ["validate", "house.yaml"]):
            done = run(command, folder, {f"FIVETRAN_AUDITOR_{name}": "1"})
            assert done.returncode == 2
            assert f"did you mean FIVETRAN_AUDITOR_{right}?" in done.stderr


def test_an_option_of_another_command_may_be_set(folder: Path):
    env = {"FIVETRAN_AUDITOR_FAIL_ON": "high"}
    assert run(["validate", "house.yaml"], folder, env).returncode == 0


@pytest.mark.parametrize("name", ["audit", *SHARED])
def test_every_option_that_names_a_path_starts_at_the_files_folder(name: str):
    for key, parameter in configurable(name).keys.items():
        names_path = re.search(r"FILE|FOLDER|PATH|SNAPSHOT|\.json", parameter.metavar or "")
        is_path = isinstance(parameter.type, click.Path)
        assert bool(names_path or is_path) is (key in ANCHORS), key


def test_a_wrong_value_in_the_environment_names_its_variable(folder: Path):
    done = run(["audit", "-p", "house.yaml"], folder, {"FIVETRAN_AUDITOR_PAGE_SIZE": "many"})
    assert done.returncode == 2
    assert "FIVETRAN_AUDITOR_PAGE_SIZE" in done.stderr


def test_a_default_for_the_api_does_not_stop_a_snapshot_but_a_demand_does(folder: Path):
    configure(folder, "policy: house.yaml\nfail_on: none\ngroup: finance\npage_size: 10\n")
    assert run(["audit", "--snapshot", "saved.json"], folder).returncode == 0
    done = run(["audit", "--snapshot", "saved.json", "--group", "finance"], folder)
    assert (done.returncode, "--group cannot" in done.stderr) == (2, True)
    configure(folder, "policy: house.yaml\nsnapshot: saved.json\ngroup: finance\n")
    assert run(["audit"], folder).returncode == 2


def test_every_option_of_audit_can_be_configured():
    options = {
        key_of
        for option in configurable("audit").params
        if isinstance(option, click.Option)
        for key_of in [max(option.opts, key=len).lstrip("-").replace("-", "_")]
    }
    # Which account is meant is said where the command is run.
    assert set(OPTIONS) == options - {"config", "show_config", "account", "all_accounts", "help"}
    assert set(config_schema(OPTIONS)["properties"]) == {*OPTIONS, "accounts"}


def test_the_commands_that_share_options_are_those_of_the_docs():
    assert set(SHARED) == {"fetch", "validate", "test", "explain", "try", "waive", "compare"}


@pytest.mark.parametrize("name", SHARED)
def test_what_commands_share_means_the_same(name: str):
    ours = OPTIONS
    for key, parameter in configurable(name).keys.items():
        assert key in ours, f"{name} reads {key}, which no file can hold"
        if isinstance(parameter, click.Option):
            # Without a value ``explain --facts`` lists them, which no file asks for.
            alike = {"help": "", "flag_value": None}
            assert {**parameter.to_info_dict(), **alike} == {**ours[key].to_info_dict(), **alike}
