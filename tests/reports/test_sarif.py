"""The SARIF report: valid against the official schema, stable, bounded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from auditor.errors import Problem
from auditor.model import Outcome, Position, Result, Severity, Verdict
from auditor.reports import REPORTS, sarif
from auditor.reports.claim import is_open
from auditor.reports.fingerprint import fingerprint
from auditor.reports.sarif import placeholder, relative_uri, render, render_problems
from tests.builders.full_result import full_result, narrow_result
from tests.builders.sample_results import HOSTILE, sample_result

SCHEMA = json.loads((Path(__file__).parent / "schemas" / "sarif-2.1.0.json").read_text("utf-8"))
VALIDATOR = jsonschema.Draft4Validator(SCHEMA)


def run_of(text: str) -> Any:
    log = json.loads(text)
    VALIDATOR.validate(log)
    (run,) = log["runs"]
    return run


def report(result: Result) -> Any:
    return run_of("".join(render(result)))


@pytest.mark.parametrize("connections", [0, 1, 40])
@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("hostile", [False, True])
def test_every_sample_is_valid(connections: int, outcome: Outcome, hostile: bool) -> None:
    result = sample_result(connections, 10, outcome=outcome, hostile=hostile)
    run = report(result)
    alerts = [f for f in result.findings if f.verdict in {Verdict.FAIL, Verdict.ERROR}]
    assert len(run["results"]) == len(alerts) + (outcome is Outcome.INCONCLUSIVE)
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is (outcome is not Outcome.INCONCLUSIVE)
    assert invocation["exitCode"] == result.gate.exit_code


def test_a_result_of_which_everything_is_set_is_valid() -> None:
    for result in (full_result(), narrow_result()):
        report(result)
        run_of("".join(sarif.render_suppressed(result)))


def test_a_rule_has_no_more_tags_than_github_takes() -> None:
    result = sample_result()
    tags = ("tag-0", *(f"tag-{n}" for n in range(50)))  # One twice takes no other's place.
    checks = tuple(replace(c, rule=replace(c.rule, tags=tags)) for c in result.checks)
    for rule in report(replace(result, checks=checks))["tool"]["driver"]["rules"][: len(checks)]:
        assert rule["properties"]["tags"] == list(tags[1:21])


def test_the_placeholder_was_not_successful() -> None:
    run = run_of(placeholder("1.2.3"))
    assert run["invocations"][0]["executionSuccessful"] is False
    (doubt,) = run["results"]
    assert doubt["ruleId"] == "inconclusive"
    assert "did not finish" in doubt["message"]["text"]
    assert run["tool"]["driver"]["version"] == "1.2.3"


def test_a_result_names_rule_place_and_connection() -> None:
    result = sample_result()
    finding = next(f for f in result.findings if f.verdict is Verdict.FAIL and not f.rule.per)
    run = report(result)
    found = next(
        r for r in run["results"] if r["fingerprints"]["fivetranAuditor/v1"] == fingerprint(finding)
    )
    assert run["tool"]["driver"]["rules"][found["ruleIndex"]]["id"] == finding.rule.id
    (location,) = found["locations"]
    assert location["physicalLocation"]["region"]["startLine"] == finding.rule.position.line
    assert location["logicalLocations"][0]["name"] == finding.connections[0].id
    assert found["message"]["text"] == finding.message


def test_waived_and_known_are_no_open_alerts() -> None:
    result = sample_result(300)
    run = report(result)
    assert {r["properties"]["verdict"] for r in run["results"][1:]} == {"fail", "error"}
    accepted = [f for f in result.findings if f.verdict in (Verdict.WAIVED, Verdict.KNOWN)]
    notes = run["invocations"][0]["toolExecutionNotifications"]
    said = f"{len(accepted)} findings accepted or allowed: no alerts"
    assert said in [note["message"]["text"] for note in notes]


def test_an_incomplete_listing_is_a_notification() -> None:
    result = sample_result(complete=False)
    notes = report(result)["invocations"][0]["toolExecutionNotifications"]
    said = [note["message"]["text"] for note in notes if note["level"] == "error"]
    assert set(result.listing.problems) <= set(said)


def test_no_more_results_than_a_host_takes() -> None:
    """GitHub's documentation, "SARIF results exceed one or more limits"."""
    assert sarif.MOST_RESULTS <= 25_000


def test_the_cut_is_stated_and_keeps_the_severest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif, "MOST_RESULTS", 10)
    result = sample_result(300)
    run = report(result)
    assert len(run["results"]) == 10
    assert {r["properties"]["severity"] for r in run["results"][1:]} == {"critical"}
    waiting = [f for f in result.findings if f.verdict in {Verdict.FAIL, Verdict.ERROR}]
    stated = f"9 of {len(waiting):,} open findings, severest first"
    notes = run["invocations"][0]["toolExecutionNotifications"]
    assert stated in [note["message"]["text"] for note in notes]
    assert run["properties"]["findings"] == len(result.findings)


def test_no_message_holds_a_link() -> None:
    def texts(node: Any) -> list[str]:
        if isinstance(node, list):
            return [text for item in node for text in texts(item)]
        if not isinstance(node, dict):
            return []
        own = [node["text"]] if "text" in node else []
        return own + [text for item in node.values() for text in texts(item)]

    found = texts(report(sample_result(100, 10, hostile=True)))
    assert len(found) > 100
    assert not [text for text in found if "](" in text]


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("policies/house.yaml", "policies/house.yaml"),
        ("./policies/my rules.yaml", "policies/my%20rules.yaml"),
        ("/srv/policies/a.yaml", "srv/policies/a.yaml"),
        ("../a.yaml", "a.yaml"),
        ("javascript:alert(1)", "javascript%3Aalert%281%29"),
        ("//host/a", "host/a"),
        ("", "policy"),
        # A byte that is no character.
        ("policies/caf\udce9.yaml", "policies/caf%3F.yaml"),
    ],
)
def test_uris(file: str, uri: str) -> None:
    assert relative_uri(file) == uri


@given(st.text(max_size=30))
def test_any_path_makes_a_relative_uri(file: str) -> None:
    uri = relative_uri(file)
    assert uri.isascii()
    parts = urlsplit(uri)
    assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("", "", "", "")
    assert not uri.startswith("/")
    assert ".." not in uri.split("/")


def test_problems_of_a_policy_are_a_log_too() -> None:
    problems = [
        Problem(Position(bad, 3, 5), bad, bad, warning=n > 0) for n, bad in enumerate(HOSTILE)
    ]
    run = run_of("".join(render_problems(problems)))
    levels = [result["level"] for result in run["results"]]
    assert levels == ["error"] + ["warning"] * (len(HOSTILE) - 1)


@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("hostile", [False, True])
def test_what_does_not_gate_is_suppressed_where_it_is_asked_for(
    outcome: Outcome, hostile: bool
) -> None:
    result = sample_result(300, 10, outcome=outcome, hostile=hostile)
    usual, full = report(result), run_of("".join(REPORTS["sarif"].render(result, "suppressed")))
    opened = [alert for alert in full["results"] if "suppressions" not in alert]
    assert opened == usual["results"]
    closed = [alert for alert in full["results"] if "suppressions" in alert]
    assert len(closed) == sum(not is_open(finding, result) for finding in result.findings) > 0
    for alert in closed:
        (suppression,) = alert["suppressions"]
        assert (suppression["kind"], suppression["status"]) == ("external", "accepted")
        verdict = alert["properties"]["verdict"]
        start = "allowed: " if verdict == "fail" else verdict
        assert suppression["justification"].startswith(start)
    assert full["properties"]["shown"] == len(full["results"]) - (outcome is Outcome.INCONCLUSIVE)


def test_every_result_points_at_its_own_rule() -> None:
    """An inconclusive run's own result too, whose rule stands behind those of the policies."""
    run = report(sample_result(complete=False))
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert run["results"][0]["ruleId"] == "inconclusive"
    assert [rules[r["ruleIndex"]] for r in run["results"]] == [r["ruleId"] for r in run["results"]]


def test_where_nothing_was_cut_no_cut_is_told() -> None:
    result = sample_result(300)
    for text in (report(result), run_of("".join(sarif.render_suppressed(result)))):
        notes = text["invocations"][0]["toolExecutionNotifications"]
        assert not [n for n in notes if "severest first" in n["message"]["text"]]


def test_a_rule_s_tags_are_without_repetitions() -> None:
    result = sample_result()
    checks = result.checks[0]
    twice = replace(checks, rule=replace(checks.rule, tags=("cost", "state", "cost")))
    run = report(replace(result, checks=(twice, *result.checks[1:])))
    assert run["tool"]["driver"]["rules"][0]["properties"]["tags"] == ["cost", "state"]


@pytest.mark.parametrize(
    ("severity", "level", "least", "below"),
    [
        (Severity.LOW, "note", 0.1, 4.0),
        (Severity.MEDIUM, "warning", 4.0, 7.0),
        (Severity.HIGH, "error", 7.0, 9.0),
        (Severity.CRITICAL, "error", 9.0, 10.1),
    ],
)
def test_a_severity_has_the_score_that_github_reads_as_the_same(
    severity: Severity, level: str, least: float, below: float
) -> None:
    """GitHub's documentation of SARIF: over 9.0 is critical, 7.0 to 8.9 high, 4.0 to 6.9 medium."""
    result = sample_result()
    checks = result.checks[0]
    graded = replace(checks, rule=replace(checks.rule, severity=severity))
    run = report(replace(result, checks=(graded, *result.checks[1:])))
    rule = run["tool"]["driver"]["rules"][0]
    assert rule["defaultConfiguration"]["level"] == level
    assert least <= float(rule["properties"]["security-severity"]) < below


@pytest.mark.parametrize("outcome", [Outcome.VIOLATIONS, Outcome.INCONCLUSIVE])
def test_a_cut_of_what_is_suppressed_is_told_too(
    monkeypatch: pytest.MonkeyPatch, outcome: Outcome
) -> None:
    result = sample_result(300, outcome=outcome)
    waiting = sum(is_open(finding, result) for finding in result.findings)
    total = len(result.findings)
    assert waiting < total - 1
    # An inconclusive run has a result of its own.
    most = waiting + 1 + (outcome is Outcome.INCONCLUSIVE)
    monkeypatch.setattr(sarif, "MOST_RESULTS", most)
    run = run_of("".join(sarif.render_suppressed(result)))
    assert len(run["results"]) == most
    notes = [n["message"]["text"] for n in run["invocations"][0]["toolExecutionNotifications"]]
    said = f"{waiting + 1:,} of {total:,} findings, open ones and severest first"
    assert said in notes


def test_each_way_to_narrow_a_run_has_a_category_of_its_own() -> None:
    """Otherwise one closes the alerts of another."""
    ways = ((), ("schema=a",), ("schema=a", "b"), ("schema=ab",), ("b", "schema=a"))
    result = sample_result()
    runs = [report(replace(result, narrowed_by=way)) for way in ways]
    names = [run["automationDetails"]["id"] for run in runs]
    assert names[0] == "fivetran-auditor/"
    assert len(set(names)) == len(ways)
