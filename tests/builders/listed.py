"""Listings, policies and runs for the tests of waivers and baselines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from auditor.acceptance.baseline import Baseline, baseline_of
from auditor.acceptance.waivers import Waivers, load_waivers
from auditor.decoding.listed import Listed as Facts
from auditor.decoding.records import Decoder
from auditor.model import Completeness, Result, SourceInfo
from auditor.past.earlier import parse_report
from auditor.policy import Ruleset, load_policies
from auditor.reports import REPORTS
from auditor.sources import End, Event, Page

#: The time at which everything is judged, and by which waivers end, unless a test says more.
TODAY = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)

HOUSE = """\
policy: house
rules:
  - {id: sync-floor, severity: medium, assert: {sync_frequency: {gte: 15}}, tags: [cost]}
  - {id: not-paused, severity: high, assert: {paused: false}, tags: [state]}
  - {id: one-name, severity: low, per: group_id, assert: {unique: [service, schema]}}
  - {id: few-paused, severity: low, per: account, when: {paused: true}, assert: {count: {lte: 1}}}
  - {id: has-postgres, severity: low, per: group_id, when: {service: postgres},
     assert: {count: {gte: 1}}}
"""


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Ruleset:
    """Return the rules of ``HOUSE``."""
    path = tmp_path_factory.mktemp("house") / "house.yaml"
    path.write_text(HOUSE)
    return load_policies(str(path))


def record(name: str, **more: Any) -> dict[str, Any]:
    """Return a connection in which there is nothing to find, with ``more`` laid over it."""
    healthy = {"service": "postgres", "schema": name, "group_id": "g1", "paused": False}
    return {"id": name, **healthy, "sync_frequency": 60, **more}


@dataclass
class Listed:
    """A source of the records that it is given."""

    records: list[dict[str, Any]]
    kind: str = "api"
    base_url: str = "https://api.fivetran.com"
    filters: tuple[tuple[str, str], ...] = ()
    completeness: Completeness = Completeness.ONE_PAGE
    as_of: datetime | None = None
    #: Other lists by their facts' names: their rows, or why they could not be read.
    lists: Mapping[str, list[dict[str, Any]] | str] = field(default_factory=dict)
    live = False

    @property
    def info(self) -> SourceInfo:
        return SourceInfo(self.kind, self.base_url or "a file", self.filters, self.base_url)

    def events(self, decoder: Decoder) -> Iterator[Event]:
        for name, rows in self.lists.items():
            shape = decoder.lists[name]
            told = rows if isinstance(rows, str) else ""
            found, doubts = shape.sift([shape.convert(row) for row in rows if not told])
            yield Facts(name, found, doubts=tuple(doubts), problem=told)
        items = decoder.array(json.dumps(self.records).encode())
        good, problems = decoder.sift(items)
        half = len(good) // 2
        yield Page(good[:half], as_of=self.as_of)
        yield Page(good[half:], tuple(problems), as_of=self.as_of)
        yield End(self.completeness)


def waivers_in(folder: Path, text: str) -> Waivers:
    """Return the waivers that ``text`` says, from a file in ``folder``."""
    path = folder / "waivers.yaml"
    path.write_text(text, encoding="utf-8")
    return load_waivers(path)


def waiver(**more: str) -> str:
    """Return the text of a file of one waiver; ``more`` replaces or adds what it says."""
    said = {
        "rule": "sync-floor",
        "connections": "{id: a}",
        "reason": "agreed with finance",
        "owner": "data-platform",
        "expires": "2026-12-31",
        **more,
    }
    return "waivers:\n  - " + "\n    ".join(f"{k}: {v}" for k, v in said.items() if v) + "\n"


def baseline_from(result: Result, name: str = "baseline.json") -> Baseline:
    """Return ``result``, written as a JSON report and read back, as a baseline."""
    return baseline_of(parse_report(json_of(result).encode(), name))


def json_of(result: Result) -> str:
    return "".join(REPORTS["json"].render(result))


def counts_of(result: Result) -> dict[str, int]:
    """Return the number of checks by verdict, without zeros."""
    return {verdict.label: count for verdict, count in result.counts.items() if count}


def by_verdict(result: Result) -> dict[str, set[tuple[str, str, tuple[str, ...]]]]:
    """Return the findings by verdict: rule, group and connections of each."""
    found: dict[str, set[tuple[str, str, tuple[str, ...]]]] = {}
    for f in result.findings:
        at = (f.rule.id, f.group, tuple(c.id for c in f.connections))
        found.setdefault(f.verdict.label, set()).add(at)
    return found


def check_sums(result: Result) -> None:
    """Assert that the findings and the checks agree."""
    told = Counter(finding.verdict for finding in result.findings)
    for verdict, count in result.counts.items():
        if verdict.label not in {"pass", "skip"}:
            assert told[verdict] == count, verdict
