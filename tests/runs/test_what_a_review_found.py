"""Ways to a false green, a lost file or a leak that a hostile review found, each closed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from auditor.reports import REPORTS
from tests.builders.command import KEYS, run

POLICY = """
policy: p
rules:
  - {id: a, severity: high, assert: {paused: false}}
"""
RECORD = {"id": "a", "group_id": "g", "service": "s", "schema": "x", "paused": True}
SECRET = "SECcanary456"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "p.yaml").write_text(POLICY)
    (tmp_path / "s.json").write_text(json.dumps([RECORD]))
    return tmp_path


AUDIT = ("audit", "-p", "p.yaml", "--snapshot", "s.json", "-q")


def test_a_waiver_does_not_name_what_is_missing(folder: Path) -> None:
    record = {name: value for name, value in RECORD.items() if name != "group_id"}
    (folder / "s.json").write_text(json.dumps([record]))
    (folder / "w.yaml").write_text(
        'waivers:\n- {rule: a, connections: {group: "*miss*"}, reason: r, owner: o,'
        " expires: 2090-01-01}\n"
    )
    done = run([*AUDIT, "--waivers", "w.yaml"], folder)
    # A record without its group is no connection: the listing is incomplete, and nothing is waived.
    assert done.returncode == 3
    assert "1 high violation of 1 rule" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        (["--report", "json=s.json"], "s.json"),
        (["--report", "markdown=p.yaml"], "p.yaml"),
        (["--history", "h", "--report", "json=h/history.ndjson"], "h/history.ndjson"),
        (["--history", "h", "--report", "json=h/open.json"], "h/open.json"),
    ],
)
def test_no_report_replaces_what_a_run_reads(folder: Path, arguments: list[str], kept: str) -> None:
    assert run([*AUDIT, "--history", "h"], folder).returncode == 1
    before = (folder / kept).read_bytes()
    done = run([*AUDIT, *arguments], folder)
    assert done.returncode == 2
    assert "would write its report there" in done.stderr
    assert (folder / kept).read_bytes() == before


def test_reports_are_not_written_among_saved_pages(folder: Path) -> None:
    (folder / "d").mkdir()
    (folder / "d" / "s.json").write_text(json.dumps([RECORD]))
    done = run(["audit", "-p", "p.yaml", "--snapshot", "d", "-o", "d"], folder)
    assert done.returncode == 2
    assert [path.name for path in (folder / "d").iterdir()] == ["s.json"]


@pytest.mark.parametrize("now", ["9999-12-31T23:59:59-23:00", "0001-01-01T00:00:00+23:00"])
def test_a_time_outside_all_time_is_not_a_time(folder: Path, now: str) -> None:
    done = run([*AUDIT, "--now", now], folder)
    assert (done.returncode, "is not a time" in done.stderr) == (2, True)


@pytest.mark.parametrize("left", ["bash_source", "x"])
def test_a_left_over_variable_does_not_answer_for_an_audit(folder: Path, left: str) -> None:
    done = run(AUDIT, folder, {"_FIVETRAN_AUDITOR_COMPLETE": left})
    assert (done.returncode, "VIOLATIONS" in done.stdout) == (1, True)


def test_a_credential_in_a_policy_or_a_variable_reaches_no_report(folder: Path) -> None:
    (folder / "q.yaml").write_text(
        "policy: q\nvars: {owner: nobody}\nrules:\n"
        f"  - {{id: c-{SECRET}, severity: high, why: {SECRET}, assert: {{paused: false}},"
        f' message: "ask {{var.owner}}", when: {{schema: {{not_equals: {SECRET}}}}}}}\n'
        f"  - {{id: e, severity: high, assert: {{schema: {{starts_with: {SECRET}}}}}}}\n"
    )
    every = [word for name in REPORTS for word in ("--report", name)]
    arguments = ["audit", "-p", "q.yaml", "--var", f"owner={SECRET}", "--snapshot", "s.json"]
    keys = {"FIVETRAN_API_KEY": "KEYcanary123", "FIVETRAN_API_SECRET": SECRET}
    done = run([*arguments, *every, "-v", "-o", "out"], folder, keys)
    assert done.returncode == 1
    told = [done.stdout, done.stderr, *(p.read_text() for p in (folder / "out").iterdir())]
    assert len(told) == 2 + len(REPORTS)
    assert not any(SECRET[1:].lower() in text.lower() for text in told)


@pytest.mark.parametrize("option", ["--group", "--schema"])
@pytest.mark.parametrize("command", [["audit"], ["fetch", "-o", "x.ndjson"]])
def test_a_filter_that_is_the_secret_is_refused(
    folder: Path, command: list[str], option: str
) -> None:
    secret = KEYS["FIVETRAN_API_SECRET"]
    done = run([*command, option, secret], folder, KEYS)
    assert (done.returncode, secret in done.stdout + done.stderr) == (2, False)


def test_a_group_that_is_shown_like_another_is_not_known(folder: Path) -> None:
    (folder / "p.yaml").write_text(
        "policy: p\nrules:\n  - {id: a, severity: high, per: private_link_id,"
        " when: {paused: false}, assert: {count: {gte: 1}}}\n"
    )
    first = RECORD | {"private_link_id": "aB3dE6gH9jK2mN5pQ8sT1vW4"}
    other = RECORD | {"id": "b", "private_link_id": "zY7xW4vU1tS8rQ5pO2nM9lK6"}
    (folder / "s.json").write_text(json.dumps([first]))
    assert run([*AUDIT, "--report", "json=base.json"], folder).returncode == 1
    (folder / "s.json").write_text(json.dumps([first | {"paused": False}, other]))
    assert run([*AUDIT, "--baseline", "base.json"], folder).returncode == 1
