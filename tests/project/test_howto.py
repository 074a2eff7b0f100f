"""The scripts of the how-to pages do what the pages say."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from pathlib import Path

import pytest

from auditor.sandbox.estate import build_estate
from auditor.sandbox.server import Sandbox
from tests.builders.command import COMMAND, KEYS, run, shell

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(autouse=True)
def _jq() -> None:
    if shutil.which("jq") is None:
        if os.environ.get("CI"):
            pytest.fail("jq is not installed")
        pytest.skip("NOT TRIED: jq is not installed")


def script(page: str) -> str:
    """Return the first script on a page."""
    found = re.search(r"^```sh\n(.*?)^```$", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(("healthy", "code"), [(True, 0), (False, 1)])
def test_a_channel_is_told_of_what_is_not_green(tmp_path: Path, healthy: bool, code: int):
    stubs = tmp_path / "bin"
    stubs.mkdir()
    for name, text in {
        "fivetran-auditor": f'exec {shlex.join(COMMAND)} "$@"',
        "curl": f'printf "%s\\n" "$@" > {tmp_path}/sent',
    }.items():
        (stubs / name).write_text(f"#!/bin/sh\n{text}\n")
        (stubs / name).chmod(0o755)
    with Sandbox(build_estate(60, 7, healthy=healthy)) as sandbox:
        env = {
            **KEYS,
            "FIVETRAN_AUDITOR_BASE_URL": sandbox.url,
            "PATH": f"{stubs}:{os.environ['PATH']}",
            "SLACK_WEBHOOK": "https://hooks.example/1",
        }
        done = shell(f"set -eu\n{script('slack.md')}", tmp_path, env)
    assert done.returncode == code, done.stderr
    assert (tmp_path / "sent").exists() == (code != 0)
    told = json.loads((tmp_path / "audit-report/slack.json").read_text())["text"]
    assert told.startswith(f"Fivetran audit: {'passed' if healthy else 'violations'}. ")
    if code:
        assert "https://hooks.example/1" in (tmp_path / "sent").read_text().splitlines()


def test_findings_are_listed_for_who_owns_them(tmp_path: Path):
    with Sandbox(build_estate(60, 7)) as sandbox:
        assert run(["audit", "--base-url", sandbox.url], tmp_path, KEYS).returncode == 1
    done = shell(f"set -eu\n{script('owners.md')}", tmp_path)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    report = json.loads((tmp_path / "audit-report/report.json").read_text())
    failed = [entry for entry in report["findings"] if entry["verdict"] == "fail"]
    assert [row[0] for row in rows] == [entry["rule"] for entry in failed]
    assert {len(row) for row in rows} == {3}


def test_several_accounts_are_audited_as_the_page_says(tmp_path: Path):
    page = (DOCS / "accounts.md").read_text()
    blocks = dict(re.findall(r"^```(yaml|console)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))
    (tmp_path / "auditor.yaml").write_text(blocks["yaml"])
    (tmp_path / "policies").mkdir()
    rule = "{id: r, severity: critical, assert: {schema: {not_equals: nowhere}}}"
    (tmp_path / "policies/p.yaml").write_text(f"policy: p\nrules: [{rule}]\n")
    (tmp_path / "production-waivers.yaml").write_text("waivers: []\n")
    one, all_ = [line.split()[1:] for line in blocks["console"].splitlines()]
    key, secret = KEYS.values()
    env = {
        f"{name}_FIVETRAN_{kind}": value
        for name in ("PRODUCTION", "STAGING")
        for kind, value in (("KEY", key), ("SECRET", secret))
    }
    with Sandbox(build_estate(20, 7)) as sandbox:
        env["FIVETRAN_AUDITOR_BASE_URL"] = sandbox.url
        done = run(one, tmp_path, env)
        assert (done.returncode, done.stderr) == (0, "")
        assert [path.name for path in (tmp_path / "audit-report").iterdir()] == ["production"]
        done = run(all_, tmp_path, env)
        assert (done.returncode, done.stderr) == (0, "")
    made = sorted(path.name for path in (tmp_path / "audit-report").iterdir())
    assert made == ["index.html", "production", "staging"]
