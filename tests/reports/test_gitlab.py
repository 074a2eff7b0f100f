"""GitLab Code Quality: the fields GitLab requires, and stable fingerprints."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from msgspec.structs import replace

from auditor.model import PACK, Outcome, PolicyFile, Position, Result, Verdict
from auditor.reports.fingerprint import fingerprint
from auditor.reports.gitlab import placeholder, render
from tests.builders.sample_results import sample_result

#: As GitLab documents the format ("Code Quality report format").
SCHEMA = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": r"^(?!\.?/)."},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {"begin": {"type": "integer", "minimum": 1}},
                    },
                },
            },
        },
    },
}


def issues(text: str) -> Any:
    found = json.loads(text)
    jsonschema.validate(found, SCHEMA)
    prints = [issue["fingerprint"] for issue in found]
    assert len(set(prints)) == len(prints)
    return found


def report(result: Result) -> Any:
    return issues("".join(render(result)))


@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("hostile", [False, True])
def test_an_issue_a_finding(outcome: Outcome, hostile: bool) -> None:
    result = sample_result(300, 10, outcome=outcome, hostile=hostile)
    found = report(result)
    if outcome is Outcome.INCONCLUSIVE:
        first = found.pop(0)
        assert (first["check_name"], first["severity"]) == ("inconclusive", "blocker")
    assert [issue["fingerprint"] for issue in found] == list(map(fingerprint, result.findings))


def test_nothing_found_is_an_empty_array() -> None:
    assert report(sample_result(3, 0, outcome=Outcome.PASSED)) == []


def test_what_is_accepted_is_info() -> None:
    result = sample_result(300, outcome=Outcome.PASSED)
    assert {finding.verdict for finding in result.findings} == {Verdict.WAIVED, Verdict.KNOWN}
    assert {issue["severity"] for issue in report(result)} == {"info"}


def test_the_placeholder_is_one_blocker() -> None:
    (issue,) = issues(placeholder("1.2.3"))
    assert issue["severity"] == "blocker"
    assert "inconclusive" in issue["description"]


def test_what_the_options_let_through_is_info_and_says_so() -> None:
    result = sample_result()
    gate = replace(result.gate, fail_on=None, limits=())
    for issue in report(replace(result, gate=gate)):
        if issue["categories"] == ["fail"]:
            assert issue["severity"] == "info"
            assert issue["description"].endswith("[allowed: below --fail-on none]")


def test_a_group_without_connections_is_named() -> None:
    result = sample_result()
    finding = replace(result.findings[0], connections=(), group="analytics, of nobody")
    *_, issue = report(replace(result, describe=lambda: (finding,)))
    assert "(analytics, of nobody)" in issue["description"]


def test_an_issue_without_a_line_points_at_the_user_s_first_policy() -> None:
    result = sample_result()
    pack = Position(f"{PACK}baseline", 3, 5)
    rule = replace(result.findings[0].rule, position=pack, named_at=None)
    found = replace(result.findings[0], rule=rule)
    policies = (
        PolicyFile("baseline", f"{PACK}baseline", "0" * 64),
        PolicyFile("house", "policies/house.yaml", "1" * 64),
    )
    for given, path in ((policies, "policies/house.yaml"), (policies[:1], "auditor.yaml")):
        *_, issue = report(replace(result, describe=lambda: (found,), policies=given))
        assert issue["location"] == {"path": path, "lines": {"begin": 1}}
