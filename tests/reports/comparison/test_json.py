"""A comparison as JSON: valid against its schema, whole, and the same as the comparison."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
from msgspec.structs import replace

from auditor.model import Outcome, Severity
from auditor.past.compare import Comparison, Fate, compare
from auditor.past.earlier import report_of
from auditor.reports.comparison.json import placeholder, render
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
    assert Outcome.INCONCLUSIVE.value in document["reasons"][0]
