"""``auditor.yaml``, ``FIVETRAN_AUDITOR_*`` and the command line, and which of them wins."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.cli.config.file import config_schema, read_config
from auditor.errors import PolicyError
from tests.builders.command import KEYS, run
from tests.builders.configured import (
    OPTIONS,
    SHARED,
    configurable,
    configure,
    in_force,
)
from tests.builders.slow import tries

# -- who wins -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["auditor.yml", ".auditor.yaml", ".auditor.yml"])
def test_a_file_that_looks_like_it_is_not_passed_over(folder: Path, name: str):
    configure(folder, "fail_on: none\n", name)
    done = run(["audit", "-p", "house.yaml", "--snapshot", "saved.json"], folder)
    assert done.returncode == 2
    assert f"{name} is not read; call it auditor.yaml" in done.stderr
    named = ["--config", name]
    assert run(["audit", "-p", "house.yaml", "--snapshot", "saved.json", *named], folder)


# -- a repository -------------------------------------------------------------------------------


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


# -- the file -----------------------------------------------------------------------------------


def test_every_problem_is_reported_at_once_with_its_place(folder: Path):
    configure(
        folder,
        "policy: 3\nfail-on: high\nfail_on: hihg\nstrict: yes\npage_size: 5000\ntimeout: '5'\n"
        "group: ' '\nmax: {urgent: 3, low: x}\nreport: [htm, html]\nvar: [a=b]\nnow: yesterday\n"
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
        "7:8": "is empty",
        "8:7": "max urgent=3",
        "8:18": "max low=x",
        "9:10": "did you mean html?",
        "10:6": "takes a mapping",
        "11:6": "2026-01-31T12:00:00Z",
        "12:11": "takes one value, not a mapping",
        "13:7": "empty list",
        "14:1": "did you mean policy?",
        "16:1": "appears twice",
    }.items():
        told = done.stderr.split(f"auditor.yaml:{spot}: ", 1)
        assert len(told) == 2, f"nothing at {spot}: {done.stderr}"
        assert word in told[1].split("auditor.yaml:")[0], spot
    assert "16 errors in auditor.yaml; nothing was judged" in done.stderr
    assert not (folder / "audit-report").exists(), "where reports go could not be known"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("group: [a, b]", "1:8: error: group: takes one value, not a list"),
        ("report: {html: a.html}", "1:9: error: report: takes one value, not a mapping"),
        ("report: [{html: a.html}]", "1:10: error: report: takes one value, not a mapping"),
    ],
)
def test_what_is_no_single_value_is_not_asked_to_be_quoted(folder: Path, line: str, told: str):
    configure(folder, f"{line}\n")
    done = run(["audit"], folder)
    assert done.returncode == 2
    assert f"auditor.yaml:{told}\n" in done.stderr


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


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing yet\n   # policy: cost\n"])
def test_a_file_of_comments_sets_nothing(folder: Path, text: str):
    configure(folder, text)
    assert set(in_force(folder).values()) == {"default"}


@pytest.mark.parametrize("text", ["- policy\n", "policy\n", "{a: [}", "policy: x\n---\na: b\n"])
def test_what_is_not_a_mapping_is_refused(folder: Path, text: str):
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


def test_a_link_to_nothing_is_not_a_missing_file(folder: Path):
    (folder / "auditor.yaml").symlink_to("elsewhere.yaml")
    assert run(["audit", "--show-config"], folder).returncode == 2


# -- one source of truth ------------------------------------------------------------------------


def test_validate_test_and_explain_use_the_policy_in_the_file(folder: Path):
    configure(folder, "policy: house.yaml\n")
    assert "3 rules in 1 file" in run(["validate"], folder).stdout
    assert "the-rule" in run(["explain"], folder).stdout
    assert "house.yaml" in run(["test"], folder).stderr


def test_the_examples_in_the_docs_are_right():
    page = Path(__file__).parents[3] / "docs" / "configuration.md"
    examples = re.findall(r"^```yaml\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    assert len(examples) == 2
    for example in examples:
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
    max_examples=tries(300),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
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
        assert set(found.settings) == set(document)
        assert fits
