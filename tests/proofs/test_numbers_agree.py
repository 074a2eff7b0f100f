"""One result in every format: each count is what a recount finds."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from auditor.model import Outcome, Result, Verdict
from auditor.reports import REPORTS
from tests.builders.sample_results import sample_result
from tests.builders.slow import tries

Counts = Counter[str]


def recount(result: Result) -> Counts:
    """Count the checks of ``result`` from its bytes, not with its own methods."""
    found: Counts = Counter()
    for checks in result.checks:
        found.update(Verdict(byte).label for byte in checks.verdicts)
        found.update(group.verdict.label for group in checks.groups)
    return found


def rendered(name: str, result: Result) -> str:
    return "".join(REPORTS[name].render(result))


def in_words(text: str) -> Counts:
    """Read ``480 checks: 300 pass, 100 fail, …``."""
    match = re.search(r"checks?: ((?:[\d,]+ \w+(?:, )?)+)", text)
    assert match
    pairs = (part.split() for part in match[1].split(", "))
    return Counter({label: int(count.replace(",", "")) for count, label in pairs})


def by_json(text: str) -> Counts:
    document = json.loads(text)
    found = Counter(finding["verdict"] for finding in document["findings"])
    rules = document["rules"]
    for label in ("pass", "skip"):
        found[label] = sum(rule.get("verdicts", "").count(label[0]) for rule in rules)
        groups = [group["verdict"] for rule in rules for group in rule.get("groups", ())]
        found[label] += groups.count(label)
    stated = document["counts"]
    assert stated.pop("checks") == found.total()
    assert stated == {label: found[label] for label in stated}
    return found


def by_junit(text: str) -> Counts:
    _, *suites = etree.fromstring(text.encode())
    found: Counts = Counter()
    for suite in suites:
        stated = {p.get("name"): p.get("value", "") for p in suite.iter("property")}
        found.update({v.label: int(stated[v.label]) for v in Verdict})
        assert len(list(suite.iter("failure"))) == int(stated["fail"])
        assert len(list(suite.iter("error"))) == int(stated["error"])
    return found


def by_sarif(text: str) -> Counts:
    (run,) = json.loads(text)["runs"]
    alerts = [result for result in run["results"] if result["ruleId"] != "inconclusive"]
    found = Counter(result["properties"]["verdict"] for result in alerts)
    # What is accepted is no alert.
    labels = ("pass", "skip", "waived", "known")
    found.update({label: int(run["properties"][label]) for label in labels})
    return found


def by_csv(text: str) -> Counts:
    run, *findings = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    found = Counter(row["verdict"] for row in findings)
    for label in ("pass", "skip"):
        match = re.search(rf"; {label}=(\d+)", run["note"])
        assert match
        found[label] = int(match[1])
    return found


COUNTED = {
    "json": by_json,
    "junit": by_junit,
    "sarif": by_sarif,
    "csv": by_csv,
    "markdown": in_words,
    "github": in_words,
}


@pytest.mark.parametrize("name", COUNTED)
@pytest.mark.parametrize("connections", [0, 60, 1500])
@pytest.mark.parametrize("outcome", list(Outcome))
def test_counts_agree(name: str, connections: int, outcome: Outcome) -> None:
    result = sample_result(connections, 10, seed=connections, outcome=outcome)
    expected = {verdict.label: recount(result)[verdict.label] for verdict in Verdict}
    found = COUNTED[name](rendered(name, result))
    assert {label: found[label] for label in expected} == expected


@given(
    name=st.sampled_from(sorted(COUNTED)),
    connections=st.integers(0, 30),
    rules=st.integers(0, 12),
    seed=st.integers(0, 2**32),
    outcome=st.sampled_from(Outcome),
    flags=st.tuples(st.booleans(), st.booleans()),
)
@settings(max_examples=tries(200), deadline=None)
def test_counts_agree_for_any_result(
    name: str, connections: int, rules: int, seed: int, outcome: Outcome, flags: tuple[bool, bool]
) -> None:
    hostile, complete = flags
    result = sample_result(
        connections, rules, seed=seed, outcome=outcome, hostile=hostile, complete=complete
    )
    text = rendered(name, result)
    expected = {verdict.label: recount(result)[verdict.label] for verdict in Verdict}
    found = COUNTED[name](text)
    assert {label: found[label] for label in expected} == expected
    assert result.gate.outcome.value in text


def test_gitlab_has_an_issue_for_each() -> None:
    result = sample_result(300, 10, outcome=Outcome.VIOLATIONS)
    found = Counter(issue["categories"][0] for issue in json.loads(rendered("gitlab", result)))
    assert found == {
        label: count
        for label, count in recount(result).items()
        if label not in ("pass", "skip") and count
    }


@pytest.mark.parametrize("name", REPORTS)
def test_equal_results_give_equal_bytes(name: str) -> None:
    first, second = (rendered(name, sample_result(200, 10, hostile=True)) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("name", sorted({"json", "junit", "sarif", "csv", "markdown", "github"}))
def test_all_say_what_the_run_rests_on(name: str) -> None:
    result = sample_result()
    text = rendered(name, result)
    for said in (
        result.version,
        "2026-03-14T09:26:53",
        result.source.location,
        result.gate.outcome.value,
        *(policy.sha256 for policy in result.policies),
        *result.gate.reasons,
    ):
        assert said in text or said.replace("%", "%25").replace(":", "%3A") in text
