"""``compare``: its two forms, its exit codes, its reports, and what it refuses."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from auditor.policy import load_policies
from auditor.reports import REPORTS
from auditor.run import Options, audit
from tests.builders.command import run
from tests.builders.listed import HOUSE, TODAY, Listed, json_of, record, waiver

SCHEMA = json.loads(
    files("auditor.reports.comparison").joinpath("comparison.schema.json").read_text("utf-8")
)
VALIDATOR = jsonschema.Draft202012Validator(
    SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
)
PAIR = ("compare", "old.json", "new.json")
FORMATS = ("--report", "html", "--report", "json", "--report", "markdown")


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    """A folder with a policy, and reports of an estate that is broken in other ways each time."""
    (tmp_path / "house.yaml").write_text(HOUSE)
    one, two = {"sync_frequency": 5}, {"paused": True}
    _report(tmp_path, "old.json", record("a", **one), record("b", **two), record("c"))
    _report(tmp_path, "new.json", record("a", **one), record("b"), record("c", **two))
    _report(tmp_path, "mended.json", record("a"), record("b"), record("c"))
    _report(tmp_path, "doubtful.json", record("a", sync_frequency="x"), record("b"), record("c"))
    return tmp_path


def _listing(folder: Path, *records: dict[str, Any]) -> None:
    answer = {"code": "Success", "data": {"items": records, "next_cursor": None}}
    (folder / "listing.json").write_text(json.dumps(answer))


def _report(folder: Path, name: str, *records: dict[str, Any]) -> None:
    house = load_policies(str(folder / "house.yaml"))
    result = audit(Listed(list(records)), house, Options(now=TODAY, clock=lambda: TODAY))
    (folder / name).write_text(json_of(result))


def _document(folder: Path, name: str = "audit-report/comparison.json") -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / name).read_bytes())
    VALIDATOR.validate(document)
    return document


def test_the_schema_is_a_schema():
    VALIDATOR.check_schema(SCHEMA)


def test_a_rule_that_was_changed_is_told_in_every_format(folder: Path):
    (folder / "house.yaml").write_text(HOUSE.replace("gte: 15", "gte: 5"))
    _report(folder, "milder.json", record("a", sync_frequency=5), record("b"), record("c"))
    done = run(["compare", "old.json", "milder.json", *FORMATS], folder)
    assert done.returncode == 0, done.stderr
    assert "  changed   1 rule: sync-floor\n" in done.stdout
    assert done.stdout.endswith("2 fixed (1 where the rule was changed)\n")
    document = _document(folder)
    assert document["rules"]["changed"] == ["sync-floor"]
    notes = {change["rule"]: change["note"] for change in document["changes"]}
    assert notes == {"sync-floor": "the rule was changed", "not-paused": ""}
    reports = folder / "audit-report"
    assert "Rules that were changed: <code>sync-floor<" in (reports / "comparison.html").read_text(
        "utf-8"
    )
    assert "Rules that were changed: `sync-floor`" in (reports / "comparison.md").read_text("utf-8")


def test_something_got_worse(folder: Path):
    done = run([*PAIR, *FORMATS], folder)
    assert done.returncode == 1, done.stderr
    last = done.stdout.rstrip().splitlines()[-1]
    assert last == "WORSE  exit 1: 1 new violation (1 high); 1 fixed"
    document = _document(folder)
    assert (document["answer"], document["exit_code"]) == ("worse", 1)
    assert {k: n for k, n in document["counts"].items() if n} == {
        "new": 1, "unchanged": 1, "fixed": 1,
    }  # fmt: skip
    assert [(c["change"], c["rule"], c["connections"][0]["id"]) for c in document["changes"]] == [
        ("new", "not-paused", "c"),
        ("unchanged", "sync-floor", "a"),
        ("fixed", "not-paused", "b"),
    ]
    page = (folder / "audit-report" / "comparison.html").read_text()
    assert "<title>Worse" in page
    assert "default-src &#39;none&#39;" in page
    text = (folder / "audit-report" / "comparison.md").read_text()
    assert "| new | 1 |" in text
    assert "### Fixed: " in text


@pytest.mark.parametrize(
    ("arguments", "code", "answer"),
    [
        (("old.json", "old.json"), 0, "not worse"),
        (("old.json", "mended.json"), 0, "not worse"),
        (("old.json", "new.json", "--fail-on", "critical"), 0, "not worse"),
        (("old.json", "new.json", "--fail-on", "none"), 0, "not worse"),
        (("old.json", "new.json", "--fail-on", "high"), 1, "worse"),
        (("old.json", "doubtful.json"), 3, "inconclusive"),
        (("doubtful.json", "new.json"), 3, "inconclusive"),
    ],
)
def test_the_answer(folder: Path, arguments: tuple[str, ...], code: int, answer: str):
    done = run(["compare", *arguments, "--report", "json=-"], folder)
    assert done.returncode == code, done.stderr
    document = json.loads(done.stdout)
    VALIDATOR.validate(document)
    assert (document["answer"], document["exit_code"]) == (answer, code)
    assert f"exit {code}" in done.stderr


def test_a_report_that_did_not_finish_is_inconclusive(folder: Path):
    (folder / "unfinished.json").write_text(REPORTS["json"].placeholder("9.9"))
    for pair in (("unfinished.json", "new.json"), ("old.json", "unfinished.json")):
        done = run(["compare", *pair, *FORMATS], folder)
        assert done.returncode == 3, done.stderr
        assert "the run did not finish" in done.stdout
        assert _document(folder)["answer"] == "inconclusive"
        assert "Inconclusive" in (folder / "audit-report" / "comparison.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("old.json",), "name two JSON reports, the older first"),
        (("old.json", "house.yaml"), "house.yaml: not a JSON report"),
        (("old.json", "missing.json"), "missing.json: cannot be read"),
        (("old.json", "two.json"), "a report of version 2.0"),
        (("old.json", "new.json", "--against", "baseline"), "--against need --snapshot"),
        (("old.json", "new.json", "-p", "baseline"), "need --snapshot"),
        (("old.json", "new.json", "--snapshot", "listing.json"), "compare two reports, or one"),
        (("--snapshot", "listing.json"), "--snapshot needs --against"),
        (("--snapshot", "-", "--against", "baseline"), "save it to a file first"),
        (("--snapshot", "listing.json", "--against", "no-such-pack"), "no-such-pack"),
        (("--snapshot", "gone.json", "--against", "baseline"), "gone.json: no such file"),
        (("old.json", "new.json", "--report", "csv"), "no such format"),
        (
            ("old.json", "new.json", "--report", "json=new.json"),
            "this run would write its report there",
        ),
    ],
)
def test_what_is_refused(folder: Path, arguments: tuple[str, ...], said: str):
    two = json.loads((folder / "new.json").read_bytes()) | {"schema_version": "2.0"}
    (folder / "two.json").write_text(json.dumps(two))
    done = run(["compare", *arguments], folder)
    assert done.returncode == 2, done.stdout
    assert said in done.stderr


def test_what_a_policy_change_would_newly_fail(folder: Path):
    slow, quick = record("a", sync_frequency=1440), record("b", sync_frequency=20)
    _listing(folder, slow, quick)
    (folder / "stricter.yaml").write_text(HOUSE.replace("gte: 15", "gte: 30"))
    forms = ("--snapshot", "listing.json", "--against", "./house.yaml", "-p", "./stricter.yaml")
    done = run(["compare", *forms, *FORMATS], folder)
    assert done.returncode == 1, done.stderr
    document = _document(folder)
    assert [(c["change"], c["connections"][0]["id"]) for c in document["changes"]] == [("new", "b")]
    assert (document["old"]["name"], document["new"]["name"]) == (
        "./house.yaml", "./stricter.yaml",
    )  # fmt: skip
    back = ("--snapshot", "listing.json", "--against", "./stricter.yaml", "-p", "./house.yaml")
    assert run(["compare", *back], folder).returncode == 0


def test_a_stale_answer_does_not_outlive_a_failure(folder: Path):
    assert run(["compare", "old.json", "old.json", *FORMATS], folder).returncode == 0
    done = run(["compare", "old.json", "missing.json", *FORMATS], folder)
    assert done.returncode == 2
    assert _document(folder)["answer"] == "inconclusive"
    assert "did not finish" in (folder / "audit-report" / "comparison.html").read_text()
    assert "inconclusive" in (folder / "audit-report" / "comparison.md").read_text()


def test_a_report_that_cannot_be_written_is_4(folder: Path):
    (folder / "taken").mkdir()
    done = run([*PAIR, "--report", "json=taken"], folder)
    assert done.returncode == 4
    assert "taken" in done.stderr


def test_the_same_reports_give_the_same_bytes(folder: Path):
    for into in ("one", "two"):
        run([*PAIR, *FORMATS, "-o", into], folder)
    for name in ("comparison.html", "comparison.json", "comparison.md"):
        assert (folder / "one" / name).read_bytes() == (folder / "two" / name).read_bytes()


@pytest.mark.parametrize(
    ("now", "change"),
    [("2026-03-10T12:00:00Z", "unchanged"), ("2026-03-10T23:30:00-08:00", "unchanged"),
     ("2026-03-01T12:00:00Z", "")],
)  # fmt: skip
def test_a_listing_is_judged_as_of_now(folder: Path, now: str, change: str):
    _listing(folder, record("a", succeeded_at="2026-03-01T10:00:00Z"))
    (folder / "fresh.yaml").write_text(
        "policy: p\nrules:\n"
        "  - {id: fresh, severity: low, assert: {succeeded_at: {newer_than: 7d}}}\n"
    )
    forms = ("--snapshot", "listing.json", "--against", "./fresh.yaml", "-p", "./fresh.yaml")
    run(["compare", *forms, "--now", now, "--report", "json"], folder)
    document = _document(folder)
    assert [c["change"] for c in document["changes"]] == ([change] if change else [])
    moment = datetime.fromisoformat(now).astimezone(UTC).isoformat().replace("+00:00", "Z")
    assert document["old"]["judged_at"] == document["new"]["judged_at"] == moment


def test_what_a_waiver_covers_is_not_worse(folder: Path):
    _listing(folder, record("a", sync_frequency=20))
    (folder / "stricter.yaml").write_text(HOUSE.replace("gte: 15", "gte: 30"))
    (folder / "waivers.yaml").write_text(waiver(expires="2999-12-31"))
    forms = ("--snapshot", "listing.json", "--against", "./house.yaml", "-p", "./stricter.yaml")
    assert run(["compare", *forms, "--report", "json"], folder).returncode == 1
    assert [c["change"] for c in _document(folder)["changes"]] == ["new"]
    done = run(["compare", *forms, "--report", "json", "--waivers", "waivers.yaml"], folder)
    assert done.returncode == 0, done.stdout
    assert [c["change"] for c in _document(folder)["changes"]] == ["waived"]
