"""Six weeks of one estate, as a careful person would write them down by hand.

The rules are those of ``builders/listed.py``: a sync every 15 minutes at most (medium), nothing
paused (high), one name a service and group (low), one paused connection at most in the account
(low), a PostgreSQL connection in every group (low). There is one group, so a run makes two checks
a connection and three more. Each week the whole command runs, with all its reports, a waiver file
and a baseline, and is compared with the week before.
"""

from __future__ import annotations

import csv
import json
import re
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from junitparser import JUnitXml

from tests.builders.command import run
from tests.builders.listed import HOUSE, record, waiver

REPORTS = ("html", "junit", "json", "markdown", "csv", "sarif", "gitlab")
#: Six weeks, the last of them now: waivers end by the real clock, whatever --now says.
TODAY = datetime.now(UTC).date()
MONDAYS = [TODAY - timedelta(weeks=5 - week) for week in range(6)]
A, B, C, D = (record(name) for name in "abcd")
FAST, PAUSED = {"sync_frequency": 5}, {"paused": True}


class Year:
    """The folder in which one estate is audited week after week."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "house.yaml").write_text(HOUSE)
        self.week = -1

    def audit(self, *records: dict[str, Any], more: tuple[str, ...] = ()) -> Week:
        self.week += 1
        answer = {"code": "Success", "data": {"items": records, "next_cursor": None}}
        (self.folder / "listing.json").write_text(json.dumps(answer))
        noon = datetime.combine(MONDAYS[self.week], time(12), UTC)
        reports = [word for name in REPORTS for word in ("--report", name)]
        done = run(
            ["audit", "-p", "house.yaml", "--snapshot", "listing.json", "--history", "history",
             "--now", noon.isoformat(), "-o", f"week{self.week}", *reports, *more],
            self.folder,
        )  # fmt: skip
        return Week(self.folder / f"week{self.week}", done.returncode, done.stdout + done.stderr)

    def compare(self, *more: str) -> tuple[int, dict[str, int]]:
        """Return the exit code and the changes since the week before."""
        names = [f"week{week}/report.json" for week in (self.week - 1, self.week)]
        done = run(["compare", *names, "--report", "json=-", *more], self.folder)
        counts = json.loads(done.stdout)["counts"]
        return done.returncode, {kind: count for kind, count in counts.items() if count}


class Week:
    """What one run left behind."""

    def __init__(self, folder: Path, code: int, told: str) -> None:
        self.folder, self.code, self.told = folder, code, told
        self.document: dict[str, Any] = json.loads((folder / "report.json").read_bytes())

    @property
    def counts(self) -> dict[str, int]:
        """The checks by verdict, on which every report agrees."""
        counts = {k: n for k, n in self.document["counts"].items() if n and k != "checks"}
        html = (self.folder / "report.html").read_text()
        legend = html.split('aria-label="Checks by verdict"', 1)[1].split("</ul>", 1)[0]
        shown = re.findall(r"<span>(\w+)</span></span> <b>([\d,]+)</b>", legend)
        assert {word: int(number) for word, number in shown if int(number)} == counts
        junit = JUnitXml.fromfile(str(self.folder / "junit.xml"))
        assert junit.failures == counts.get("fail", 0)
        markdown = (self.folder / "report.md").read_text()
        words = re.search(r"\| Checks \| [\d,]+ checks: (.*) \|", markdown)
        assert words is not None
        pairs = [part.split() for part in words[1].split(", ")]
        assert {word: int(number) for number, word in pairs if int(number)} == counts
        with (self.folder / "report.csv").open(newline="", encoding="utf-8-sig") as file:
            rows = [row["verdict"] for row in csv.DictReader(file)]
        told = {k: n for k, n in counts.items() if k not in {"pass", "skip"}}
        assert {word: rows.count(word) for word in told} == told
        return counts

    @property
    def trend(self) -> list[int]:
        """The violations of every week until now, on which page and document agree."""
        runs = self.document["history"]["runs"]
        totals = [sum(run["violations"].values()) for run in runs]
        html = (self.folder / "report.html").read_text()
        table = html.split('aria-label="Table of runs"', 1)[1].split("</table>", 1)[0]
        assert [int(n) for n in re.findall(r"<b>(\d+)</b>", table)] == totals[::-1]
        return totals

    @property
    def since(self) -> dict[tuple[str, str], date]:
        """Since when each finding is open, by its rule and the connections it is about."""
        return {
            (f["rule"], "".join(sorted(c["id"] for c in f["connections"]))): (
                datetime.fromisoformat(f["open_since"]).date()
            )
            for f in self.document["findings"]
        }


def test_six_weeks(tmp_path: Path):
    year = Year(tmp_path)

    # Week 0: the first look at an old estate. a syncs too often, b is paused: 2 of 9 checks.
    week = year.audit({**A, **FAST}, {**B, **PAUSED}, C)
    assert (week.code, week.counts) == (1, {"fail": 2, "pass": 7})
    assert week.trend == [2]
    assert week.since == {("sync-floor", "a"): MONDAYS[0], ("not-paused", "b"): MONDAYS[0]}

    # Week 1: it is adopted with that as the baseline; nothing else has changed.
    (tmp_path / "baseline.json").write_bytes((week.folder / "report.json").read_bytes())
    adopted = ("--baseline", "baseline.json")
    week = year.audit({**A, **FAST}, {**B, **PAUSED}, C, more=adopted)
    assert (week.code, week.counts) == (0, {"known": 2, "pass": 7})
    assert week.trend == [2, 0]
    assert set(week.since.values()) == {MONDAYS[0]}
    assert year.compare() == (0, {"known": 2})

    # Week 2: c is paused too. That is new, and breaks the account's own rule; both are waived,
    # the one until three days from now, the other until yesterday: that one has expired already.
    ends = (TODAY + timedelta(days=3)).isoformat()
    ended = (TODAY - timedelta(days=1)).isoformat()
    first = waiver(rule="not-paused", connections="{id: c}", expires=ends)
    second = waiver(rule="few-paused", connections="{id: [b, c]}", expires=ends)[9:]
    (tmp_path / "waivers.yaml").write_text(first + second)
    accepted = (*adopted, "--waivers", "waivers.yaml")
    week = year.audit({**A, **FAST}, {**B, **PAUSED}, {**C, **PAUSED}, more=accepted)
    assert (week.code, week.counts) == (0, {"known": 2, "waived": 2, "pass": 5})
    assert week.trend == [2, 0, 0]
    assert week.since == {
        ("sync-floor", "a"): MONDAYS[0],
        ("not-paused", "b"): MONDAYS[0],
        ("not-paused", "c"): MONDAYS[2],
        ("few-paused", "bc"): MONDAYS[2],
    }
    assert week.told.count("ends soon") == 2
    assert year.compare() == (0, {"accepted": 2, "waived": 2})

    # Week 3: the waiver of the single connection has expired, and nobody has done anything.
    (tmp_path / "waivers.yaml").write_text(first.replace(ends, ended) + second)
    week = year.audit({**A, **FAST}, {**B, **PAUSED}, {**C, **PAUSED}, more=accepted)
    assert (week.code, week.counts) == (1, {"known": 2, "waived": 1, "fail": 1, "pass": 5})
    assert week.trend == [2, 0, 0, 1]
    assert week.since["not-paused", "c"] == MONDAYS[2]
    assert "has expired" in week.told
    assert year.compare() == (1, {"again": 1, "accepted": 3})

    # Week 4: all is mended but a; a connection d has come, and is in order. 11 checks.
    week = year.audit({**A, **FAST}, B, C, D, more=accepted)
    assert (week.code, week.counts) == (0, {"known": 1, "pass": 10})
    assert week.trend == [2, 0, 0, 1, 0]
    assert week.since == {("sync-floor", "a"): MONDAYS[0]}
    assert year.compare() == (0, {"accepted": 1, "fixed": 3})

    # Week 5: b is broken again, which the baseline still knows; but it is open since this week.
    # The policy is made stricter: 30 minutes, and severer. a counts again, and d does newly.
    stricter = HOUSE.replace("severity: medium, assert: {sync_frequency: {gte: 15}}",
                             "severity: high, assert: {sync_frequency: {gte: 30}}")  # fmt: skip
    (tmp_path / "stricter.yaml").write_text(stricter)
    before = ("--snapshot", "listing.json", "--against", "./house.yaml")
    quick = {**D, "sync_frequency": 20}
    answer = {"code": "Success", "data": {"items": [{**A, **FAST}, B, C, quick]}}
    (tmp_path / "listing.json").write_text(json.dumps(answer))
    done = run(["compare", *before, "-p", "./stricter.yaml"], tmp_path)
    assert done.returncode == 1
    assert "1 new violation (1 high; 1 where the rule was changed); 1 violation of" in done.stdout

    (tmp_path / "house.yaml").write_text(stricter)
    week = year.audit({**A, **FAST}, {**B, **PAUSED}, C, quick, more=accepted)
    assert (week.code, week.counts) == (1, {"known": 1, "fail": 2, "pass": 8})
    assert week.trend == [2, 0, 0, 1, 0, 2]
    assert week.since == {
        ("sync-floor", "a"): MONDAYS[0],
        ("sync-floor", "d"): MONDAYS[5],
        ("not-paused", "b"): MONDAYS[5],
    }
    assert year.compare() == (1, {"new": 1, "again": 1, "known": 1})
    policies = [run["policies"] for run in week.document["history"]["runs"]]
    assert policies[0] == policies[4] != policies[5]
    html = (week.folder / "report.html").read_text()
    assert html.count("<small>policies: house changed</small>") == 1
    assert "2 violations: 2 more than in the run before" in html
