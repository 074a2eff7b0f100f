"""``auditor.yaml``, ``FIVETRAN_AUDITOR_*`` and the command line: who says what, and who wins."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.cli.config.command import Configurable, config_options
from auditor.cli.config.file import config_schema, read_config
from auditor.cli.config.settings import ANCHORS
from auditor.cli.main import COMMANDS, group
from auditor.errors import PolicyError
from tests.builders.command import KEYS, run

RECORD = {"id": "warm_lake", "service": "postgres", "schema": "orders", "group_id": "group_one"}
POLICY = """\
policy: house
vars: {least: 1, most: 1}
rules:
  - {id: the-rule, severity: medium, assert: {schema: sales}}
  - {id: least, severity: low, per: account, assert: {count: {gte: {var: least}}}}
  - {id: most, severity: low, per: account, assert: {count: {lte: {var: most}}}}
"""
SHARED = [
    name
    for name in COMMANDS
    if name != "audit"
    and isinstance(import_module(f"auditor.cli.commands.{name}").command, Configurable)
]


def configurable(name: str) -> Configurable:
    command = group.get_command(click.Context(group), name)
    assert isinstance(command, Configurable)
    return command


OPTIONS = config_options(click.Context(configurable("audit")))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a working folder with a policy and a snapshot that violates it once."""
    (tmp_path / "house.yaml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "saved.json").write_text(json.dumps([RECORD]), encoding="utf-8")
    return tmp_path


def configure(folder: Path, text: str, name: str = "auditor.yaml") -> None:
    (folder / name).write_text(text, encoding="utf-8")


def in_force(folder: Path, *arguments: str, env: dict[str, str] | None = None) -> dict[str, str]:
    """Return where each option in force comes from, by ``key: value``."""
    done = run(["audit", "--show-config", *arguments], folder, env)
    assert done.returncode == 0, done.stderr
    rows = [line.split("  # ") for line in done.stdout.splitlines() if "  # " in line]
    return {left.strip(): origin for left, origin in rows}


# -- who wins -----------------------------------------------------------------------------------


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


def test_what_is_in_force_says_where_it_comes_from(folder: Path):
    configure(
        folder,
        "# ours\npolicy: [house.yaml, cost]\nfail_on: high\npage_size: 500\nstrict: true\n"
        "report:\n  - html\n  - json=-\n",
    )
    env = {"FIVETRAN_AUDITOR_PAGE_SIZE": "200", "FIVETRAN_AUDITOR_STRICT": "false"}
    found = in_force(folder, "--timeout", "30", env=env)
    assert found == {
        **found,
        "policy: [house.yaml, cost]": "auditor.yaml:2",
        "fail_on: high": "auditor.yaml:3",
        "page_size: 200": "environment, FIVETRAN_AUDITOR_PAGE_SIZE",
        "strict: false": "environment, FIVETRAN_AUDITOR_STRICT",
        "report: [html, json=-]": "auditor.yaml:7",
        "timeout: 30": "command line",
        "max_wait: 120": "default",
        "output_dir: audit-report": "default",
    }
    assert not (folder / "audit-report").exists(), "it was only asked what it would do"


def test_what_is_in_force_can_be_saved_and_is_then_the_file(folder: Path):
    arguments = [
        "-p",
        "house.yaml",
        "--var",
        "least=1",
        "--var",
        'odd=null, "x: #',
        "--max",
        "low=2",
    ]
    arguments += ["--now", "2026-01-31T12:00:00+01:00", "--group", "007", "--only", "the-*", "-q"]
    before = in_force(folder, *arguments)
    done = run(["audit", "--show-config", *arguments], folder)
    configure(folder, done.stdout)
    after = in_force(folder)
    assert list(after) == list(before)
    assert {origin.partition(":")[0] for origin in after.values()} == {"auditor.yaml"}


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


def test_an_empty_variable_of_the_environment_is_none_and_an_unknown_one_is_named(folder: Path):
    assert in_force(folder, env={"FIVETRAN_AUDITOR_FAIL_ON": ""})["fail_on: low"] == "default"
    for name, right in (("STRCT", "STRICT"), ("POLICIES", "POLICY"), ("CONFG", "CONFIG")):
        for command in (["audit", "-p", "house.yaml"], ["validate", "house.yaml"]):
            done = run(command, folder, {f"FIVETRAN_AUDITOR_{name}": "1"})
            assert done.returncode == 2
            assert f"did you mean FIVETRAN_AUDITOR_{right}?" in done.stderr


def test_an_option_of_another_command_may_be_set(folder: Path):
    env = {"FIVETRAN_AUDITOR_FAIL_ON": "high"}
    assert run(["validate", "house.yaml"], folder, env).returncode == 0


@pytest.mark.parametrize("name", ["auditor.yml", ".auditor.yaml", ".auditor.yml"])
def test_a_file_that_looks_like_it_is_not_passed_over(folder: Path, name: str):
    configure(folder, "fail_on: none\n", name)
    done = run(["audit", "-p", "house.yaml", "--snapshot", "saved.json"], folder)
    assert done.returncode == 2
    assert f"{name} is not read; call it auditor.yaml" in done.stderr
    named = ["--config", name]
    assert run(["audit", "-p", "house.yaml", "--snapshot", "saved.json", *named], folder)


# -- a repository -------------------------------------------------------------------------------


@pytest.fixture(params=["folder", "file"])
def repository(folder: Path, request: pytest.FixtureRequest) -> Path:
    """Return a repository, a worktree's or a clone, with a policy, a snapshot, and a folder."""
    if request.param == "folder":
        (folder / ".git").mkdir()
    else:
        (folder / ".git").write_text("gitdir: elsewhere")
    (folder / "policies").mkdir()
    (folder / "house.yaml").rename(folder / "policies" / "house.yaml")
    (folder / "deep" / "deeper").mkdir(parents=True)
    return folder


def test_policies_and_defaults_are_looked_for_up_to_the_root_of_the_repository(repository: Path):
    configure(repository, "snapshot: saved.json\nfail_on: none\n")
    for below in (".", "deep", "deep/deeper", "policies"):
        done = run(["audit", "-q"], repository / below)
        assert done.returncode == 0, done.stderr
        assert "house.yaml)" in done.stdout
        assert "auditor.yaml sets " in done.stdout
        assert "fail_on" in done.stdout
        report = json.loads((repository / below / "audit-report" / "report.json").read_bytes())
        assert [p["name"] for p in report["policies"]] == ["house"]
        (note,) = report["notes"]
        assert "auditor.yaml sets " in note


def test_nothing_is_looked_for_above_the_repository_or_without_one(folder: Path):
    (folder / "policies").mkdir()
    (folder / "house.yaml").rename(folder / "policies" / "house.yaml")
    configure(folder, "fail_on: none\n")
    for name in ("plain", "clone"):
        (folder / name).mkdir()
    (folder / "clone" / ".git").mkdir()
    for name in ("plain", "clone"):
        found = in_force(folder / name)
        assert found["policy: [baseline]"] == "default"
        assert found["fail_on: low"] == "default"


def test_the_nearest_file_counts(repository: Path):
    configure(repository, "fail_on: none\n")
    configure(repository / "deep", "fail_on: high\n")
    assert in_force(repository / "deep" / "deeper")["fail_on: high"] == "../auditor.yaml:1"


@pytest.mark.parametrize("kind", ["file", "dangling"])
def test_policies_that_are_no_folder_are_not_replaced_by_a_pack(folder: Path, kind: str):
    if kind == "file":
        (folder / "policies").write_text("")
    else:
        (folder / "policies").symlink_to("gone")
    done = run(["audit", "--snapshot", "saved.json"], folder)
    assert done.returncode == 2
    assert "./policies is no folder of policies" in done.stderr


# -- where the key goes -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example",
        "https://api.fivetran.com.evil.example",
        "https://fivetran.com@evil.example",
        "https://notfivetran.com",
        "http://127.0.0.1.evil.example:8000",
    ],
)
def test_a_file_sends_the_key_to_no_host_but_fivetrans(folder: Path, url: str):
    configure(folder, f"base_url: {url}\n")
    done = run(["audit", "-p", "house.yaml"], folder, KEYS)
    assert done.returncode == 2
    assert "auditor.yaml:1:11" in done.stderr
    assert "base_url" in done.stderr


@pytest.mark.parametrize("url", ["https://api.fivetran.com", "https://eu.api.fivetran.com"])
def test_a_file_may_name_a_host_of_fivetrans_or_this_machine(folder: Path, url: str):
    for allowed in (url, "http://127.0.0.1:8000", "http://localhost:1"):
        configure(folder, f"base_url: {allowed}\n")
        assert in_force(folder)[f"base_url: {json.dumps(allowed)}"] == "auditor.yaml:1"


def test_the_environment_and_the_command_line_may_name_any_host(folder: Path):
    url = "https://proxy.example"
    found = in_force(folder, env={"FIVETRAN_AUDITOR_BASE_URL": url})
    assert any(line.startswith("base_url:") and url in line for line in found)
    assert any(url in line for line in in_force(folder, "--base-url", url))


@pytest.mark.parametrize("name", ["audit", *SHARED])
def test_every_option_that_names_a_path_starts_at_the_files_folder(name: str):
    for key, parameter in configurable(name).keys.items():
        names_path = re.search(r"FILE|FOLDER|PATH|\.json", parameter.metavar or "")
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


# -- the file -----------------------------------------------------------------------------------


def test_every_problem_is_told_at_once_with_its_place(folder: Path):
    configure(
        folder,
        "policy: 3\nfail-on: high\nfail_on: hihg\nstrict: yes\npage_size: 5000\ntimeout: '5'\n"
        "group:\nmax: {urgent: 3, low: x}\nreport: [htm, html]\nvar: [a=b]\nnow: yesterday\n"
        "snapshot: {a: b}\nonly: []\nrules: []\nschema: a\nschema: b\n",
    )
    done = run(["audit"], folder)
    assert done.returncode == 2
    for spot, word in {
        "1:9": "quote it",
        "2:1": "did you mean fail_on?",
        "3:10": "did you mean high?",
        "4:9": "true or false",
        "5:12": "not in the range",
        "6:10": "takes a number",
        "7:7": "holds nothing",
        "8:7": "--max urgent=3",
        "8:18": "--max low=x",
        "9:10": "did you mean html?",
        "10:6": "takes a mapping",
        "11:6": "2026-01-31T12:00:00Z",
        "12:11": "takes a text",
        "13:7": "empty list",
        "14:1": "did you mean policy?",
        "16:1": "stands twice",
    }.items():
        told = done.stderr.split(f"auditor.yaml:{spot}: ", 1)
        assert len(told) == 2, f"nothing at {spot}: {done.stderr}"
        assert word in told[1].split("auditor.yaml:")[0], spot
    assert "16 errors in auditor.yaml; nothing was judged" in done.stderr
    assert not (folder / "audit-report").exists(), "where reports go could not be known"


@pytest.mark.parametrize("command", ["audit", *SHARED])
def test_a_broken_file_stops_every_command_that_reads_it(folder: Path, command: str):
    configure(folder, "policy: house.yaml\npage-size: 3\n")
    done = run([command], folder, KEYS)
    assert done.returncode == 2
    assert "auditor.yaml:2:1: error: there is no option page-size" in done.stderr


@pytest.mark.parametrize(
    "line",
    [
        "api_key: {}",
        "api-secret: {}",
        "FIVETRAN_API_SECRET: {}",
        "token: {}",
        "password: {}",
        "credentials: [{}]",
        "api_key: &anchor {}",
        "api_key: !tag {}",
        "base_url: https://key:{}@api.fivetran.com",
        "api_key: a\napi_key: {}",
        '"api_key": [{}',
    ],
)
def test_a_credential_has_no_place_in_it_and_is_not_repeated(folder: Path, line: str):
    configure(folder, f"policy: house.yaml\n{line.format('Sup3rS3cretValue')}\n")
    done = run(["audit"], folder)
    assert done.returncode == 2
    assert "auditor.yaml:" in done.stderr
    assert "Sup3rS3cretValue" not in done.stdout + done.stderr
    if "[{}" not in line or "]" in line:
        assert "credential" in done.stderr


def test_what_is_in_force_shows_no_secret(folder: Path):
    arguments = ["--base-url", "https://user:Sup3rS3cretValue@host", "--var", "api_token=Sup3rS3"]
    done = run(["audit", "--show-config", *arguments], folder)
    assert "Sup3r" not in done.stdout + done.stderr
    assert done.stdout.count("[redacted]") == 2


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing yet\n   # policy: cost\n"])
def test_a_file_of_comments_sets_nothing(folder: Path, text: str):
    configure(folder, text)
    assert set(in_force(folder).values()) == {"default"}


@pytest.mark.parametrize("text", ["- policy\n", "policy\n", "{a: [}", "policy: x\n---\na: b\n"])
def test_what_is_no_mapping_is_refused(folder: Path, text: str):
    configure(folder, text)
    done = run(["audit", "--show-config"], folder)
    assert done.returncode == 2
    assert re.search(r"auditor\.yaml:[12]:\d+: error: ", done.stderr)


def test_another_file_is_read_instead(folder: Path):
    configure(folder, "fail_on: high\n")
    configure(folder, "page_size: 7\n", "other.yaml")
    found = in_force(folder, "--config", "other.yaml")
    assert found["page_size: 7"] == "other.yaml:1"
    assert found["fail_on: low"] == "default"
    assert in_force(folder, env={"FIVETRAN_AUDITOR_CONFIG": "other.yaml"}) == found
    assert in_force(folder, "--config", "/dev/null")["fail_on: low"] == "default"


def test_paths_in_it_start_at_its_own_folder(folder: Path):
    (folder / "ci").mkdir()
    configure(
        folder,
        "policy: ../house.yaml\nsnapshot: ../saved.json\nfail_on: none\n"
        "output_dir: out\nreport: [html, json=found.json]\n",
        "ci/ours.yaml",
    )
    done = run(["audit", "-q", "--config", "ci/ours.yaml"], folder)
    assert done.returncode == 0, done.stderr
    assert (folder / "ci" / "out" / "report.html").is_file()
    assert (folder / "ci" / "found.json").is_file()


@pytest.mark.parametrize("name", ["missing.yaml", "", ".", "missing/auditor.yaml"])
def test_a_file_that_was_named_must_be_there(folder: Path, name: str):
    done = run(["audit", "--show-config", "--config", name], folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--config" in done.stderr or "cannot be read" in done.stderr


def test_a_link_to_nothing_is_no_missing_file(folder: Path):
    (folder / "auditor.yaml").symlink_to("elsewhere.yaml")
    assert run(["audit", "--show-config"], folder).returncode == 2


# -- one source of truth ------------------------------------------------------------------------


def test_every_option_of_audit_can_be_configured():
    options = {
        key_of
        for option in configurable("audit").params
        if isinstance(option, click.Option)
        for key_of in [max(option.opts, key=len).lstrip("-").replace("-", "_")]
    }
    assert set(OPTIONS) == options - {"config", "show_config", "help"}
    assert set(config_schema(OPTIONS)["properties"]) == set(OPTIONS)


def test_the_commands_that_share_options_are_those_of_the_docs():
    assert set(SHARED) == {"fetch", "validate", "test", "explain", "compare"}


@pytest.mark.parametrize("name", SHARED)
def test_what_commands_share_means_the_same(name: str):
    ours = OPTIONS
    for key, parameter in configurable(name).keys.items():
        assert key in ours, f"{name} reads {key}, which no file can hold"
        if isinstance(parameter, click.Option):
            assert {**parameter.to_info_dict(), "help": ""} == {
                **ours[key].to_info_dict(),
                "help": "",
            }


def test_a_policy_of_the_file_is_what_validate_test_and_explain_look_at(folder: Path):
    configure(folder, "policy: house.yaml\n")
    assert "3 rules in 1 file" in run(["validate"], folder).stdout
    assert "the-rule" in run(["explain"], folder).stdout
    assert "house.yaml" in run(["test"], folder).stderr


def test_the_example_in_the_docs_is_right():
    page = Path(__file__).parents[3] / "docs" / "configuration.md"
    (example,) = re.findall(r"^```yaml\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    jsonschema.validate(yaml.safe_load(example), config_schema(OPTIONS))


def test_the_schema_is_printed_for_editors(folder: Path):
    assert json.loads(run(["schema", "--config"], folder).stdout) == config_schema(OPTIONS)
    assert "waivers" in json.loads(run(["schema", "--waivers"], folder).stdout)["properties"]
    assert run(["schema", "--config", "--waivers"], folder).returncode == 2


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(config_schema(OPTIONS))
    assert config_schema(OPTIONS)["properties"]["fail_on"]["enum"][-1] == "none"


_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2000),
    st.floats(-2, 700, allow_nan=False),
    st.sampled_from(["", "html", "high", "none", "baseline", "x", "12", "2026-01-31T12:00:00Z"]),
    st.lists(st.sampled_from(["html", "junit", "low", 3, None]), max_size=2),
    st.dictionaries(st.sampled_from(["low", "high", "x"]), st.sampled_from([1, "y", None, [2]])),
)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(document=st.dictionaries(st.sampled_from([*OPTIONS, "rules"]), _VALUES, min_size=1))
def test_what_is_read_fits_the_schema_and_what_the_schema_refuses_is_refused(
    tmp_path: Path, document: dict[str, Any]
):
    path = tmp_path / "auditor.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    context = click.Context(configurable("audit"), resilient_parsing=True)
    fits = jsonschema.Draft202012Validator(config_schema(OPTIONS)).is_valid(document)
    with suppress(PolicyError):
        found = read_config(path, context, OPTIONS)
        assert set(found) == set(document)
        assert fits
