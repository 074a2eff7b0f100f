"""Snapshots with lists: judged like the live account, and missing lists are named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

from auditor.model import Account
from auditor.past.earlier import read_report
from tests.builders.account_server import ACCOUNT, AccountServer
from tests.builders.facts import rule

KEYS = {"FIVETRAN_API_KEY": "key-K3Y9x", "FIVETRAN_API_SECRET": "secret-S3CR3T"}
POLICY = "policy: p\nrules:\n" + rule("r", "{owner.active: true}") + rule("g", "{group.name: Prod}")


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "p.yaml").write_text(POLICY)
    return subprocess.run(
        [sys.executable, "-m", "auditor", *arguments],
        cwd=folder,
        env={**os.environ, **KEYS},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def verdicts(folder: Path, *arguments: str) -> dict[str, str]:
    done = run(folder, "audit", "-p", "p.yaml", "--report", "json=r.json", *arguments)
    assert done.returncode in {1, 3}, done.stderr
    report = json.loads((folder / "r.json").read_text())
    return {each["id"]: each["verdicts"] for each in report["rules"]}


def test_a_snapshot_with_lists_is_judged_as_the_account_was(tmp_path: Path):
    with AccountServer(ACCOUNT) as server:
        live = verdicts(tmp_path, "--base-url", server.url)
        saved = run(
            tmp_path,
            "fetch",
            "--base-url",
            server.url,
            "-o",
            "s.ndjson.gz",
            "--with",
            "users,webhooks",
        )
    assert saved.returncode == 0
    assert "2 rows of users" in saved.stdout
    assert verdicts(tmp_path, "--snapshot", "s.ndjson.gz") == live == {"r": "pfee", "g": "pfpe"}


def test_only_what_was_asked_for_is_saved_and_no_secret(tmp_path: Path):
    with AccountServer(ACCOUNT) as server:
        run(tmp_path, "fetch", "--base-url", server.url, "-o", "s.ndjson", "--with", "webhooks")
    text = (tmp_path / "s.ndjson").read_text()
    assert "example.com" not in text
    assert "S3CRET" not in text
    lists = [json.loads(line)["list"] for line in text.splitlines() if line.startswith('{"list"')]
    assert lists == ["account", "groups", "webhooks"]
    assert verdicts(tmp_path, "--snapshot", "s.ndjson") == {"r": "eeee", "g": "pfpe"}
    assert "fetch --with users" in (tmp_path / "r.json").read_text()


def test_a_list_that_was_asked_for_and_cannot_be_read_saves_nothing(tmp_path: Path):
    with AccountServer(ACCOUNT, {"/v1/users": (403, b"")}) as server:
        done = run(tmp_path, "fetch", "--base-url", server.url, "-o", "s.ndjson", "--with", "users")
    assert done.returncode == 3
    assert "/v1/users" in done.stderr
    assert not (tmp_path / "s.ndjson").exists()


def test_a_report_of_another_account_is_refused_as_a_baseline(tmp_path: Path):
    other = {**ACCOUNT, "/v1/account/info": {"account_id": "acc_2", "account_name": "Other"}}
    (tmp_path / "ok.yaml").write_text("policy: p\nrules:\n" + rule("g", "{schema: one}"))
    common = ("audit", "-p", "ok.yaml", "--report", "json=b.json")
    with AccountServer(ACCOUNT) as server:
        assert run(tmp_path, *common, "--base-url", server.url).returncode == 1
        history = ("--history", "h", "--base-url", server.url)
        assert run(tmp_path, "audit", "-p", "ok.yaml", *history).returncode == 1
        port = server.url
    saved = json.loads((tmp_path / "b.json").read_text())
    assert saved["source"]["account"] == {"id": "acc_1", "name": "Acme"}
    saved["source"]["base_url"] = ""
    (tmp_path / "b.json").write_text(json.dumps(saved))
    with AccountServer(other) as server:
        assert server.url != port
        at = ("audit", "-p", "ok.yaml", "--base-url", server.url)
        done = run(tmp_path, *at, "--baseline", "b.json")
        assert done.returncode == 2
        assert "Acme (acc_1) cannot be used for Other (acc_2)" in done.stderr
        opened = json.loads((tmp_path / "h" / "open.json").read_text())
        (tmp_path / "h" / "open.json").write_text(json.dumps({**opened, "base_url": ""}))
        done = run(tmp_path, *at, "--history", "h")
        assert done.returncode == 2
        assert "keep a folder for each account" in done.stderr


def test_names_are_read_back_from_a_report(tmp_path: Path):
    with AccountServer(ACCOUNT) as server:
        verdicts(tmp_path, "--base-url", server.url)
    report = read_report(tmp_path / "r.json")
    assert report.source.account == Account("acc_1", "Acme")
    assert report.connections.groups == ["Prod", "Dev", "Prod", "g3"]
    assert report.connections.dimensions["owner"] == ["ada@example.com", "bob@example.org", "", ""]
    assert {c.group for f in report.findings for c in f.connections} >= {"Dev (g2)"}


def test_a_list_that_a_cache_kept_is_told_whether_its_age_is_or_not(tmp_path: Path):
    """Both clocks agree, so that only the other answers show that this one is of yesterday."""
    old = format_datetime(datetime.now(UTC) - timedelta(hours=20, minutes=1), usegmt=True)
    with AccountServer(ACCOUNT, headers={"/v1/users": {"Date": old}}) as server:
        verdicts(tmp_path, "--base-url", server.url)
        saved = run(
            tmp_path, "fetch", "--base-url", server.url, "-o", "s.ndjson", "--with", "users"
        )
    told = (
        f"{server.url.removeprefix('http://')}/v1/users, page 1: the server's clock was 20 hours"
        " behind that of its other answers, so a cache answered; check the proxies and caches"
        " between here and the API"
    )
    assert json.loads((tmp_path / "r.json").read_text())["listing"]["warnings"] == [told]
    assert f"warning: {told}\n" in saved.stderr


def test_a_server_whose_clock_is_wrong_for_every_list_is_no_cache(tmp_path: Path):
    old = format_datetime(datetime.now(UTC) - timedelta(hours=3), usegmt=True)
    with AccountServer(ACCOUNT, headers={path: {"Date": old} for path in ACCOUNT}) as server:
        verdicts(tmp_path, "--base-url", server.url)
    assert json.loads((tmp_path / "r.json").read_text())["listing"]["warnings"] == []
