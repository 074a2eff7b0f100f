"""``audit``: what each option does, from the command line to the report."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from auditor.sandbox.estate import build_estate
from auditor.sandbox.server import Sandbox
from tests.builders.command import KEYS, outcome_in, run
from tests.builders.fault_server import FaultServer, kept, page
from tests.builders.listed import HOUSE, record

AUDIT = ("audit", "-p", "house.yaml", "--snapshot", "listing.json", "--report", "json=-", "-q")


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    (tmp_path / "house.yaml").write_text(HOUSE)
    answer = {"code": "Success", "data": {"items": [record("a")], "next_cursor": None}}
    (tmp_path / "listing.json").write_text(json.dumps(answer))
    return tmp_path


def report(folder: Path, *words: str, code: int = 0) -> dict[str, Any]:
    done = run([*AUDIT, *words], folder)
    assert done.returncode == code, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.mark.parametrize(
    ("words", "walks"), [((), 1), (("--strict",), 2), (("--verify-listing",), 2)], ids=str
)
def test_strict_verifies_the_listing(folder: Path, words: tuple[str, ...], walks: int):
    (folder / "any.yaml").write_text(
        "policy: any\nrules:\n  - {id: named, severity: low, assert: {id: {exists: true}}}\n"
    )
    with Sandbox(build_estate(20, 7)) as sandbox:
        done = run(
            ["audit", "-p", "./any.yaml", f"--base-url={sandbox.url}", "--page-size=5", "-q",
             "--report=json=-", *words],
            folder,
            KEYS,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["listing"]["walks"] == walks


def test_a_group_is_called_by_its_name(folder: Path):
    (folder / "logs.yaml").write_text(
        "policy: logs\nrules:\n"
        "  - {id: told, severity: low, per: group_id, assert: {count: {gte: 99}},"
        ' message: "{group_id} has too few"}\n'
        "  - {id: derived, severity: low, per: [group_id, service], assert: {count: {gte: 99}}}\n"
    )
    estate = build_estate(20, 7)
    group = next(row for row in estate.groups if row["id"] == estate.records[0]["group_id"])
    with Sandbox(estate) as sandbox:
        done = run(
            ["audit", "-p", "./logs.yaml", f"--base-url={sandbox.url}", f"--group={group['id']}",
             "-v", "--report=json"],
            folder,
            KEYS,
        )  # fmt: skip
    label = f"{group['name']} ({group['id']})"
    assert done.returncode == 1
    assert f"only connections of the group {label} were listed" in done.stdout
    assert f", group {label}\n" in done.stdout
    report = json.loads((folder / "audit-report/report.json").read_bytes())
    said = [(f["rule"], f["group"], f["message"]) for f in report["findings"]]
    assert ("told", group["id"], f"{label} has too few") in said
    derived = [(key, message) for rule, key, message in said if rule == "derived"]
    assert derived
    for key, message in derived:
        assert key.startswith(f"{group['id']}, ")
        assert message.startswith(f"{label}, ")


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ("2026-03-10T12:00:00Z", "2026-03-10T12:00:00Z"),
        ("2026-03-10T12:00:00+05:00", "2026-03-10T07:00:00Z"),
        ("2026-03-10T23:30:00-08:00", "2026-03-11T07:30:00Z"),
    ],
)
def test_now_is_the_moment_of_its_zone(folder: Path, now: str, said: str):
    document = report(folder, "--now", now)
    assert document["judged_at"] == said
    assert document["clock_note"] == f"judged as of {said}, given with --now"


def test_each_policy_has_the_hash_of_its_own_file(folder: Path):
    (folder / "second.yaml").write_text(
        "policy: second\nextends: [./house.yaml]\n"
        "rules:\n  - {id: named, severity: low, assert: {id: {exists: true}}}\n"
    )
    document = report(folder, "-p", "second.yaml")
    found = {policy["name"]: policy["sha256"] for policy in document["policies"]}
    assert found == {
        name: hashlib.sha256((folder / f"{name}.yaml").read_bytes()).hexdigest()
        for name in ("house", "second")
    }


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--group", "g"), "--group"),
        (("--schema", "s"), "--schema"),
        (("--page-size", "5"), "--page-size"),
        (("--verify-listing",), "--verify-listing"),
        (("--timeout", "5", "--group", "g"), "--group and --timeout"),
    ],
    ids=" ".join,
)
def test_what_asks_the_api_cannot_narrow_a_snapshot(
    folder: Path, words: tuple[str, ...], named: str
):
    done = run([*AUDIT, *words], folder)
    assert done.returncode == 2
    assert f"{named} cannot narrow or reach a --snapshot" in done.stderr


def test_a_policy_that_is_refused_leaves_no_older_pass(folder: Path):
    words = ["audit", "-p", "house.yaml", "--snapshot", "listing.json"]
    assert run(words, folder).returncode == 0
    assert outcome_in(folder / "audit-report") == "passed"
    (folder / "house.yaml").write_text(HOUSE.replace("paused: false", "pausd: false"))
    assert run(words, folder).returncode == 2
    assert outcome_in(folder / "audit-report") == "placeholder"


def test_explain_judges_as_the_run_did_with_the_words_of_its_page(folder: Path):
    (folder / "limit.yaml").write_text(
        "policy: limit\nvars: {most: 1440}\n"
        "facts: {floors: {key: service, columns: {minutes: integer}, rows: {s: 5}}}\n"
        "rules:\n  - {id: r, severity: low, when: {floors.minutes: {gte: 60}},"
        " assert: {sync_frequency: {lte: {var: most}}}}\n"
    )
    (folder / "floors.csv").write_text("service,minutes\ns,60\n")
    item = {**record("a"), "service": "s", "sync_frequency": 60}
    answer = {"code": "Success", "data": {"items": [item], "next_cursor": None}}
    (folder / "listing.json").write_text(json.dumps(answer))
    chosen = ["--var", "most=15", "--facts", "floors=floors.csv"]
    words = ["-p", "./limit.yaml", "--snapshot", "listing.json"]
    done = run(["audit", *words, *chosen, "-q", "--report=html=page.html"], folder)
    assert done.returncode == 1, done.stderr
    found = re.search(r'"again":(\[.*?\])', (folder / "page.html").read_text())
    assert found is not None
    again = json.loads(found[1])
    assert again[:6] == ["--snapshot", "listing.json", *chosen]
    assert again[6:8] == ["-p", "./limit.yaml"]
    told = run(["explain", *again, "r", "a"], folder)
    assert "sync_frequency is at most 15" in told.stdout
    assert "fails" in told.stdout


def test_explain_is_told_of_the_policy_that_extends_the_rules_own_and_of_the_environment(
    folder: Path,
):
    """The file that holds a rule has its variables' defaults, which another file may replace."""
    (folder / "limit.yaml").write_text(
        "policy: limit\nvars: {most: 1440, least: 0}\nrules:\n  - {id: r, severity: low,"
        " assert: {sync_frequency: {between: [{var: least}, {var: most}]}}}\n"
    )
    (folder / "ours.yaml").write_text("policy: ours\nextends: [./limit.yaml]\nvars: {most: 15}\n")
    answer = {"code": "Success", "data": {"items": [record("a")], "next_cursor": None}}
    (folder / "listing.json").write_text(json.dumps(answer))
    words = ["--snapshot", "listing.json", "-q", "--report=html=page.html"]
    chosen = {"FIVETRAN_AUDITOR_POLICY": "./ours.yaml", "FIVETRAN_AUDITOR_VAR": "least=5"}
    done = run(["audit", *words], folder, chosen)
    assert done.returncode == 1, done.stderr
    found = re.search(r'"again":(\[.*?\])', (folder / "page.html").read_text())
    assert found is not None
    told = run(["explain", *json.loads(found[1]), "r", "a"], folder)
    assert "sync_frequency is between 5 and 15" in told.stdout
    assert "fails" in told.stdout


@pytest.mark.parametrize("typed", [True, False])
def test_explain_is_told_of_a_configuration_that_was_named(folder: Path, typed: bool):
    (folder / "limit.yaml").write_text(
        "policy: limit\nvars: {most: 1440}\nrules:\n"
        "  - {id: r, severity: low, assert: {sync_frequency: {lte: {var: most}}}}\n"
    )
    (folder / "ours.yaml").write_text("var: {most: 15}\n")
    answer = {"code": "Success", "data": {"items": [record("a")], "next_cursor": None}}
    (folder / "listing.json").write_text(json.dumps(answer))
    words = ["-p", "./limit.yaml", "--snapshot", "listing.json", "-q", "--report=html=page.html"]
    words += ["--config", "ours.yaml"] if typed else []
    done = run(["audit", *words], folder, {} if typed else {"FIVETRAN_AUDITOR_CONFIG": "ours.yaml"})
    assert done.returncode == 1, done.stderr
    found = re.search(r'"again":(\[.*?\])', (folder / "page.html").read_text())
    assert found is not None
    told = run(["explain", *json.loads(found[1]), "r", "a"], folder)
    assert "sync_frequency is at most 15" in told.stdout
    assert "fails" in told.stdout


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--history", "house.yaml"), 4, "cannot keep the history in house.yaml"),
        (("--baseline", "none.json"), 2, "none.json: cannot be read"),
        (("--waivers", "none.yaml"), 2, "none.yaml: cannot be read"),
        (("--only", "none"), 2, "--only none: no rule in force"),
        (("--report", "json=/proc/none/report.json"), 4, "cannot write json"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_nothing_is_asked_of_the_api_for_a_run_that_cannot_be(
    folder: Path, words: tuple[str, ...], code: int, said: str
):
    with FaultServer([kept(page([record("a")]))]) as server:
        done = run(["audit", "-p./house.yaml", f"--base-url={server.url}", *words], folder, KEYS)
        assert server.connections == 0
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
