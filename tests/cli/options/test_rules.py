"""Waivers, a baseline, chosen rules and limits through the command: exit codes and counts."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from junitparser import JUnitXml
from lxml import etree

from auditor.cli.options.rules import (
    ExceptionOptions,
    baseline_of,
    limits_of,
    selected,
    waivers_of,
)
from auditor.errors import UsageError
from auditor.model import Completeness, Severity
from auditor.output.target import Target
from auditor.policy import load_policies
from auditor.sandbox.estate import build_estate
from auditor.sandbox.server import Sandbox
from auditor.sources.saved.snapshot_file import SnapshotHeader, SnapshotWriter
from tests.builders.command import KEYS, outcome_in, run
from tests.builders.listed import HOUSE, record, waiver

FORMATS = ("json", "junit", "html", "markdown", "sarif", "csv", "gitlab", "github")


@pytest.fixture(name="house")
def _house(tmp_path: Path) -> Path:
    (tmp_path / "house.yaml").write_text(HOUSE)
    return tmp_path


class Estate:
    """A folder with a listing that changes, and the audits of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def saved(self, *records: dict[str, Any]) -> None:
        # A snapshot: of a saved answer nobody knows whether it is all there is.
        header = SnapshotHeader(datetime.now(UTC), "https://api.fivetran.com", (), "0.1.0")
        with SnapshotWriter(Target(self.folder / "listing.json"), header) as writer:
            writer.add(list(records))
            writer.finish(walks=1, completeness=Completeness.ONE_PAGE)

    def audit(self, *more: str, into: str = "out") -> tuple[int, dict[str, int], str]:
        """Return the exit code, the counts that every report agrees on, and what was said."""
        reports = [word for name in FORMATS for word in ("--report", name)]
        arguments = ["audit", "-p", "house.yaml", "--snapshot", "listing.json"]
        done = run([*arguments, *reports, "-o", into, *more], self.folder)
        told = done.stdout + done.stderr
        assert "Traceback" not in told
        return done.returncode, self.counts(into) if done.returncode in {0, 1, 3} else {}, told

    def counts(self, into: str) -> dict[str, int]:
        """Return the counts of the JSON report, and check that the others say the same."""
        document = self.report(into)
        stated = document["counts"]
        counts = {name: n for name, n in stated.items() if n and name != "checks"}
        assert sum(counts.values()) == stated["checks"]
        told = Counter(finding["verdict"] for finding in document["findings"])
        assert told == {k: n for k, n in counts.items() if k not in {"pass", "skip"}}
        folder = self.folder / into
        suites = JUnitXml.fromfile(str(folder / "junit.xml"))
        allowed = [e for e in etree.parse(folder / "junit.xml").iter("skipped") if is_allowed(e)]
        assert suites.failures + len(allowed) == counts.get("fail", 0)
        properties: Counter[str] = Counter()
        for suite in list(etree.parse(folder / "junit.xml").getroot())[1:]:
            said = {p.get("name"): p.get("value", "") for p in suite.iter("property")}
            properties.update({name: int(said[name]) for name in stated if name in said})
        assert {name: n for name, n in properties.items() if n and name != "checks"} == counts
        rows = csv.DictReader(
            io.StringIO((folder / "report.csv").read_text("utf-8-sig"), newline="")
        )
        verdicts = Counter(row["verdict"] for row in rows)
        assert all(verdicts[name] == n for name, n in told.items())
        return counts

    def report(self, into: str = "out") -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.folder / into / "report.json").read_text())
        return document

    def texts(self, into: str = "out") -> dict[str, str]:
        """Return the text of every report, by its file's name."""
        return {p.name: p.read_text() for p in (self.folder / into).iterdir() if p.is_file()}


def is_allowed(skipped: etree._Element) -> bool:
    return str(skipped.get("message")).startswith("allowed: ")


#: Waivers end by the real clock; a test that midnight overtakes still reads the same day.
TODAY = datetime.now(UTC).date()


def in_days(days: int) -> str:
    return (TODAY + timedelta(days=days)).isoformat()


def test_six_weeks(house: Path):
    estate = Estate(house)
    a, b, c = record("a", sync_frequency=5), record("b", paused=True), record("c")
    # Each week's counts: five rules; two groups of checks are per group, one per account.
    estate.saved(a, b, c)
    code, counts, _ = estate.audit(into="week1")
    assert (code, counts) == (1, {"pass": 7, "fail": 2})

    # The first report is the baseline: what there is already is known.
    (house / "baseline.json").write_text((house / "week1" / "report.json").read_text())
    known = ("--baseline", "baseline.json")
    code, counts, told = estate.audit(*known)
    assert (code, counts) == (0, {"pass": 7, "known": 2})
    assert "2 violations known" in told
    assert "0 new, 0 fixed" in told

    # Someone pauses another: one new violation, and the account's own rule breaks too.
    estate.saved(a, b, {**c, "paused": True})
    code, counts, told = estate.audit(*known)
    assert (code, counts) == (1, {"pass": 5, "known": 2, "fail": 2})
    assert "1 high violation of 1 rule; 1 low violation of 1 rule" in told

    # It is accepted for a while, both of it.
    text = waiver(rule="not-paused", connections="{id: c}", expires=in_days(3))
    text += waiver(rule="few-paused", connections="{id: [b, c]}", expires=in_days(90))[9:]
    (house / "waivers.yaml").write_text(text)
    accepted = (*known, "--waivers", "waivers.yaml")
    code, counts, told = estate.audit(*accepted)
    assert (code, counts) == (0, {"pass": 5, "known": 2, "waived": 2})
    assert "ends soon" in told
    for name, report in estate.texts().items():
        # What is accepted is no annotation and no alert.
        if name not in {"annotations.txt", "report.sarif"}:
            assert "agreed with finance" in report, name

    # The waiver ends, and nobody has done anything.
    (house / "waivers.yaml").write_text(text.replace(in_days(3), in_days(-1)))
    code, counts, told = estate.audit(*accepted)
    assert (code, counts) == (1, {"pass": 5, "known": 2, "fail": 1, "waived": 1})
    for name, report in estate.texts().items():
        assert "has expired" in report, name
    assert "has expired" in told

    # Everything is mended: the waivers are for nothing, the baseline has two less.
    estate.saved({**a, "sync_frequency": 60}, {**b, "paused": False}, c)
    code, counts, told = estate.audit(*accepted)
    assert (code, counts) == (0, {"pass": 9})
    assert "0 new, 2 fixed" in told
    assert told.count("matches nothing") == 2


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ("--max medium=2 --max high=1 --max low=1", 0, "allowed by --max medium=2"),
        ("--max medium=1", 1, "2 medium violations of 1 rule, over --max medium=1"),
        ("--fail-on high --max medium=1", 1, "over --max medium=1"),
        ("--fail-on critical --max high=0", 1, "1 high violation of 1 rule, over --max high=0"),
        ("--fail-on none --max medium=2", 0, "2 medium violations allowed by --max medium=2"),
        ("--fail-on none", 0, "below the bar"),
        ("--max low=nine", 2, "write a severity (low, medium, high or critical) and a number"),
        ("--max lo=9", 2, "--max lo=9: write a severity"),
        ("--max low=-1", 2, "write a severity"),
        ("--max low=1 --max low=2", 2, "--max low is given twice"),
    ],
)
def test_limits(house: Path, arguments: str, code: int, said: str):
    estate = Estate(house)
    estate.saved(record("a", sync_frequency=5), record("b", sync_frequency=5, paused=True))
    found, _, told = estate.audit(*arguments.split())
    assert found == code, told
    assert said in told


def test_limits_are_in_the_reports(house: Path):
    estate = Estate(house)
    estate.saved(record("a", sync_frequency=5))
    assert estate.audit("--max", "medium=3")[0] == 0
    assert estate.report()["gate"]["limits"] == {"medium": 3}
    for name, report in estate.texts().items():
        if name != "gl-code-quality-report.json":
            assert "medium=3" in report, name


@pytest.mark.parametrize(
    ("arguments", "rules", "left_out"),
    [
        ("--only sync-floor", ["sync-floor"], 4),
        ("--only *-p*", ["few-paused", "has-postgres", "not-paused"], 2),
        ("--skip *-p*", ["one-name", "sync-floor"], 3),
        ("--tag cost", ["sync-floor"], 4),
        ("--tag cost --tag state", ["not-paused", "sync-floor"], 3),
        ("--only *-floor --only not-* --tag state", ["not-paused"], 4),
        ("--only *", ["few-paused", "has-postgres", "not-paused", "one-name", "sync-floor"], 0),
    ],
)
def test_what_is_chosen_is_judged_and_the_rest_is_reported(
    house: Path, arguments: str, rules: list[str], left_out: int
):
    estate = Estate(house)
    estate.saved(record("a"))
    code, _, told = estate.audit(*arguments.split(), "--strict" if "only *" in arguments else "-v")
    assert code in {0, 3}
    report = estate.report()
    assert sorted(rule["id"] for rule in report["rules"]) == rules
    if not left_out:
        assert report["left_out"] == []
        return
    said = f"{arguments}: {left_out} rules of 5 left out"
    assert said in told
    for name, text in estate.texts().items():
        if name != "gl-code-quality-report.json":
            assert f"{left_out} rules of 5 left out" in text, name


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--only sync-flor", "no rule in force is called sync-flor (did you mean sync-floor?)"),
        ("--skip nothing*", "--skip nothing*: no rule in force is called nothing*"),
        ("--tag costs", "no rule in force has the tag costs (did you mean cost?)"),
        ("--only sync-floor --skip sync-*", "no rule is left, so there is nothing to judge"),
        ("--skip *", "no rule is left"),
        ("--waivers none.yaml", "none.yaml: cannot be read"),
        ("--baseline none.json", "none.json: cannot be read"),
        ("--baseline house.yaml", "house.yaml: not a JSON report of fivetran-auditor"),
        ("--waivers house.yaml", "house.yaml:1:1: error: this is a policy, not a waiver file"),
        ("-p waivers.yaml", "waivers.yaml:1:1: error: this is a waiver file, not a policy"),
        ("--baseline out/report.json", "this run would write its report there"),
        ("--waivers ./out/../out/report.html", "this run would write its report there"),
    ],
)
def test_what_cannot_be_is_a_usage_error(house: Path, arguments: str, said: str):
    estate = Estate(house)
    estate.saved(record("a", paused=True))
    (house / "waivers.yaml").write_text(waiver())
    code, _, told = estate.audit(*arguments.split())
    assert code == 2, told
    assert said in told


@pytest.mark.parametrize("option", ["--only", "--skip", "--tag", "--waivers", "--baseline"])
def test_an_empty_option_is_a_usage_error(house: Path, option: str):
    estate = Estate(house)
    estate.saved(record("a"))
    assert estate.audit(option, "")[0] == 2


def test_validate_knows_waivers(house: Path):
    (house / "waivers.yaml").write_text(waiver(rule="sync-flor", expires="2020-01-01"))
    done = run(["validate", "house.yaml", "--waivers", "waivers.yaml"], house)
    assert done.returncode == 0, done.stdout
    assert "waivers.yaml:2:5: warning: this waiver held through 2020-01-01" in done.stdout
    assert "no rule is called sync-flor (did you mean sync-floor?)" in done.stdout
    assert "5 rules in 1 file, 1 waiver, 2 warnings" in done.stdout
    strict = run(["validate", "house.yaml", "--waivers", "waivers.yaml", "--strict"], house)
    assert strict.returncode == 2
    (house / "waivers.yaml").write_text(waiver(owner=""))
    (house / "house.yaml").write_text(HOUSE.replace("gte: 15", "gt: '15'"))
    both = run(["validate", "house.yaml", "--waivers", "waivers.yaml"], house)
    assert both.returncode == 2
    assert "house.yaml:3:" in both.stdout
    assert "waivers.yaml:2:5: error: a waiver needs owner:" in both.stdout


def test_a_waiver_of_a_disabled_rule_is_told_who_disabled_it(house: Path):
    override = "override:\n  auto-schedule: {enabled: false, reason: Airflow schedules}\n"
    (house / "mine.yaml").write_text(f"policy: mine\nextends: [baseline]\n{override}")
    (house / "waivers.yaml").write_text(waiver(rule="auto-schedule"))
    told = "rule auto-schedule is disabled at mine.yaml:4:19: Airflow schedules"
    done = run(["validate", "mine.yaml", "--waivers", "waivers.yaml"], house)
    assert f"warning: {told}" in done.stdout
    assert "no rule is called" not in done.stdout
    estate = Estate(house)
    estate.saved(record("a"))
    policy = ("-p", "./mine.yaml", "--waivers", "waivers.yaml")
    done = run(["audit", "--snapshot", "listing.json", *policy], house)
    assert f"matches nothing: {told}" in done.stdout
    (house / "waivers.yaml").write_text(waiver(rule="auto-*"))
    done = run(["validate", "mine.yaml", "--waivers", "waivers.yaml"], house)
    assert f"warning: {told}" in done.stdout


def test_a_snapshot_and_the_api_it_is_of_share_a_baseline(house: Path):
    with Sandbox(build_estate(40, 7)) as sandbox:
        url = ("--base-url", sandbox.url)
        only = ("-p", "house.yaml", "--only", "sync-*", "--only", "not-*", "--skip", "sync-floor")
        assert run(["fetch", *url, "-o", "s.ndjson"], house, KEYS).returncode == 0
        saved = ["audit", *only, "--snapshot", "s.ndjson"]
        assert run([*saved, "-o", "old"], house).returncode == 1
        known = ["--baseline", "old/report.json"]
        live = run(["audit", *only, *url, *known], house, KEYS)
        assert live.returncode == 0, live.stdout
        assert "0 new, 0 fixed" in live.stdout
        header = SnapshotHeader(datetime.now(UTC), "https://api.fivetran.com").line()
        lines = (house / "s.ndjson").read_bytes().split(b"\n", 1)[1]
        (house / "s.ndjson").write_bytes(header + lines)
        other = run([*saved, *known], house)
        assert other.returncode == 2
        assert "cannot be used for https://api.fivetran.com" in other.stderr


def test_a_refused_baseline_leaves_no_report_that_looks_like_a_pass(house: Path):
    estate = Estate(house)
    estate.saved(record("a"))
    assert estate.audit(into="old")[0] == 0
    estate.saved(record("b"))
    code, _, told = estate.audit("--baseline", "old/report.json")
    assert code == 2
    assert "no connection in common" in told
    assert outcome_in(house / "out") == "placeholder"


# -- what the options stand for -------------------------------------------------------------------


def test_a_limit_is_a_severity_and_a_number():
    assert limits_of(("low=20", "critical=0", "high=999999999")) == {
        Severity.LOW: 20,
        Severity.CRITICAL: 0,
        Severity.HIGH: 999_999_999,
    }


@pytest.mark.parametrize(
    "text", ["low", "low=", "=3", "LOW=3", "urgent=3", "low=-1", "low=1.5", "low=1e3", "low= 3",
             "low=1000000000", "low=\u0663"]
)  # fmt: skip
def test_invalid_limits_are_refused(text: str):
    with pytest.raises(UsageError, match=r"write a severity \(low, medium, high or critical\)"):
        limits_of((text,))


def test_a_severity_has_one_limit():
    with pytest.raises(UsageError, match="--max low is given twice"):
        limits_of(("low=1", "medium=1", "low=1"))


def options(**given: Any) -> ExceptionOptions:
    none: ExceptionOptions = {
        "only": (), "skip": (), "tags": (), "limits": (), "waivers": None, "baseline": None,
    }  # fmt: skip
    return cast(ExceptionOptions, {**none, **given})


@pytest.mark.parametrize("option", ["only", "skip", "tags"])
def test_an_empty_choice_is_refused(house: Path, option: str):
    rules = load_policies(str(house / "house.yaml"))
    name = {"tags": "--tag"}.get(option, f"--{option}")
    with pytest.raises(UsageError, match=f"{name} is empty; leave the option out"):
        selected(rules, options(**{option: ("sync-floor", " ")}))


def test_empty_waivers_and_baseline_are_refused(tmp_path: Path):
    assert waivers_of(None, strict=True) is None
    assert baseline_of(None) is None
    for load in (lambda name: waivers_of(name, strict=False), baseline_of):
        with pytest.raises(UsageError, match="is empty; leave the option out"):
            load("  ")
        with pytest.raises(UsageError, match="gone"):
            load(str(tmp_path / "gone"))
