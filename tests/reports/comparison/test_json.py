"""A comparison as JSON: valid against its schema, whole, and the same as the comparison."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
from msgspec.structs import replace

from auditor.model import Outcome, PolicyFile, Severity
from auditor.past.compare import Comparison, Fate, compare
from auditor.past.earlier import EarlierReport, report_of
from auditor.policy import Ruleset
from auditor.reports.comparison.json import MARK, placeholder, render
from auditor.run import Options, audit
from tests.builders.listed import TODAY, Listed, record
from tests.builders.sample_results import sample_result

SCHEMA = json.loads(
    files("auditor.reports.comparison").joinpath("comparison.schema.json").read_text("utf-8")
)
VALIDATOR = jsonschema.Draft202012Validator(
    SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
)


def compared(*, hostile: bool = False, fail_on: Severity | None = Severity.LOW) -> Comparison:
    old, new = (
        report_of(sample_result(120, 9, seed=seed, hostile=hostile), f"{seed}.json")
        for seed in (1, 2)
    )
    return compare(old, new, fail_on)


def read(text: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(text)
    VALIDATOR.validate(document)
    return document


@pytest.mark.parametrize("hostile", [False, True])
@pytest.mark.parametrize("fail_on", [Severity.MEDIUM, None])
def test_the_document_is_the_comparison(hostile: bool, fail_on: Severity | None):
    comparison = compared(hostile=hostile, fail_on=fail_on)
    document = read("".join(render(comparison)))
    assert document["answer"] == comparison.answer.value
    assert document["exit_code"] == comparison.answer.exit_code
    assert document["fail_on"] == (fail_on.label if fail_on else None)
    told = Counter(change["change"] for change in document["changes"])
    assert {k: n for k, n in document["counts"].items() if n} == dict(told)
    assert len(document["changes"]) == len(comparison.changes) > 50
    for written, changed in zip(document["changes"], comparison.changes, strict=True):
        assert (written["rule"], written["group"]) == (changed.rule, changed.group)
        assert [c["id"] for c in written["connections"]] == [c.id for c in changed.connections]
        assert written["before"] == (changed.before.label if changed.before is not None else None)
    for name, tallies in (
        ("by_rule", comparison.by_rule),
        ("by_group", comparison.by_group),
        ("by_connection", comparison.by_connection),
    ):
        assert [(t["name"], sum(t["counts"].values())) for t in document[name]] == [
            (t.name, sum(t.counts.values())) for t in tallies
        ]


def test_times_are_reported_in_utc():
    comparison = compared()
    there = datetime.fromisoformat("2026-01-31T23:30:00-05:00")
    moved = replace(comparison, earlier=replace(comparison.earlier, judged_at=there))
    document = read("".join(render(moved)))
    assert document["old"]["judged_at"] == "2026-02-01T04:30:00Z"
    assert datetime.fromisoformat(document["new"]["judged_at"]).tzinfo == UTC


def test_a_change_stands_on_a_line_of_its_own():
    text = "".join(render(compared()))
    lines = [line for line in text.splitlines() if line.startswith('{"change":')]
    assert len(lines) == len(compared().changes)


def test_a_placeholder_is_a_comparison_that_came_to_nothing():
    document = read(placeholder("9.9"))
    assert (document["answer"], document["exit_code"]) == ("inconclusive", 3)
    assert document["tool"]["version"] == "9.9"
    assert set(document["counts"]) == {change.value for change in Fate}
    assert not any(document["counts"].values())
    assert document["old"] is document["new"] is None
    assert document["connections"] == {"added": 0, "gone": 0}
    assert document["rules"] == {"added": [], "gone": [], "changed": []}
    assert Outcome.INCONCLUSIVE.value in document["reasons"][0]


def test_the_whole_document_of_a_small_comparison(house: Ruleset):
    def report(name: str, *records: dict[str, Any]) -> EarlierReport:
        options = Options(now=TODAY, clock=lambda: TODAY)
        found = report_of(audit(Listed(list(records)), house, options), name)
        policy = PolicyFile("house", "policies/house.yaml", "0" * 64, "House rules")
        return replace(found, version=f"9.{name[0]}", policies=(policy,))

    old = report("1.json", record("a", sync_frequency=5), record("b", paused=True), record("c"))
    source = replace(old.source, filters=(("schema", "x"),))
    old = replace(old, source=source, left_out=("one rule",))
    other = record("d", service="mysql", group_id="g2")
    new = report("2.json", record("a"), record("c", sync_frequency=1), other, record("e"))
    old = replace(old, rules=(replace(new.rules[0], id="left"), *old.rules))
    new = replace(new, source=source, rules=(*new.rules, replace(new.rules[0], id="added")))
    text = "".join(render(compare(old, new)))
    assert re.match(MARK, text)
    assert read(text) == DOCUMENT
    assert [*read(text)] == [*DOCUMENT]


DOCUMENT: dict[str, Any] = {
    "schema_version": "1.2",
    "kind": "comparison",
    "tool": {"name": "fivetran-auditor", "version": "9.2"},
    "answer": "worse",
    "exit_code": 1,
    "fail_on": "low",
    "reasons": ["2 new violations (1 medium, 1 low)", "1 fixed", "1 gone"],
    "counts": {
        "new": 2,
        "raised": 0,
        "again": 0,
        "unjudged": 0,
        "unchanged": 0,
        "waived": 0,
        "known": 0,
        "accepted": 0,
        "settled": 0,
        "gone": 1,
        "fixed": 1,
    },
    "old": {
        "name": "1.json",
        "version": "9.1",
        "judged_at": "2026-03-10T12:00:00Z",
        "source": {
            "kind": "api",
            "location": "https://api.fivetran.com",
            "base_url": "https://api.fivetran.com",
            "filters": [{"name": "schema", "value": "x"}],
        },
        "outcome": "violations",
        "reasons": ["1 high violation of 1 rule", "1 medium violation of 1 rule"],
        "left_out": ["one rule"],
        "policies": [
            {
                "name": "house",
                "title": "House rules",
                "file": "policies/house.yaml",
                "sha256": "0" * 64,
            }
        ],
        "connections": 3,
        "rules": 6,
    },
    "new": {
        "name": "2.json",
        "version": "9.2",
        "judged_at": "2026-03-10T12:00:00Z",
        "source": {
            "kind": "api",
            "location": "https://api.fivetran.com",
            "base_url": "https://api.fivetran.com",
            "filters": [{"name": "schema", "value": "x"}],
        },
        "outcome": "violations",
        "reasons": ["1 medium violation of 1 rule", "1 low violation of 1 rule"],
        "left_out": [],
        "policies": [
            {
                "name": "house",
                "title": "House rules",
                "file": "policies/house.yaml",
                "sha256": "0" * 64,
            }
        ],
        "connections": 4,
        "rules": 6,
    },
    "connections": {"added": 2, "gone": 1},
    "rules": {"added": ["added"], "gone": ["left"], "changed": []},
    "by_rule": [
        {"name": "sync-floor", "label": "Sync floor", "counts": {"new": 1, "fixed": 1}},
        {"name": "has-postgres", "label": "Has postgres", "counts": {"new": 1}},
        {"name": "not-paused", "label": "Not paused", "counts": {"gone": 1}},
    ],
    "by_group": [
        {"name": "g1", "label": "g1", "counts": {"new": 1, "gone": 1, "fixed": 1}},
        {"name": "g2", "label": "g2", "counts": {"new": 1}},
    ],
    "by_connection": [
        {"name": "c", "label": "postgres/c", "counts": {"new": 1}},
        {"name": "b", "label": "postgres/b", "counts": {"gone": 1}},
        {"name": "a", "label": "postgres/a", "counts": {"fixed": 1}},
    ],
    "changes": [
        {
            "change": "new",
            "rule": "sync-floor",
            "title": "Sync floor",
            "severity": "medium",
            "before": "pass",
            "after": "fail",
            "connections": [{"id": "c", "service": "postgres", "schema": "c", "group_id": "g1"}],
            "group": "",
            "message": "sync_frequency is 1, expected at least 15",
            "note": "",
        },
        {
            "change": "new",
            "rule": "has-postgres",
            "title": "Has postgres",
            "severity": "low",
            "before": None,
            "after": "fail",
            "connections": [],
            "group": "g2",
            "message": "g2: count is 0, expected that the number of connections is at least 1",
            "note": "",
        },
        {
            "change": "gone",
            "rule": "not-paused",
            "title": "Not paused",
            "severity": "high",
            "before": "fail",
            "after": None,
            "connections": [{"id": "b", "service": "postgres", "schema": "b", "group_id": "g1"}],
            "group": "",
            "message": "paused is true, expected false",
            "note": "",
        },
        {
            "change": "fixed",
            "rule": "sync-floor",
            "title": "Sync floor",
            "severity": "medium",
            "before": "fail",
            "after": "pass",
            "connections": [{"id": "a", "service": "postgres", "schema": "a", "group_id": "g1"}],
            "group": "",
            "message": "sync_frequency is 5, expected at least 15",
            "note": "",
        },
    ],
}
