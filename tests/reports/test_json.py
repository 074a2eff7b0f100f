"""The JSON report: valid against its published schema, whole, and the same bytes every time."""

from __future__ import annotations

import json
from datetime import timedelta
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
from msgspec.structs import replace

from auditor.model import (
    History,
    Outcome,
    PastRun,
    Position,
    Result,
    Severity,
    Verdict,
    WaiverUse,
)
from auditor.reports.json import LETTERS, placeholder, render, to_json
from tests.builders.full_result import full_result, narrow_result
from tests.builders.sample_results import narrowed, sample_result

SCHEMA = json.loads(files("auditor.reports").joinpath("report.schema.json").read_text("utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(
    SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
)


def document(result: Result) -> Any:
    found = json.loads("".join(render(result)))
    VALIDATOR.validate(found)
    return found


def test_the_schema_is_a_schema_and_closed_everywhere() -> None:
    VALIDATOR.check_schema(SCHEMA)

    def objects(node: object) -> list[dict[str, Any]]:
        if isinstance(node, list):
            return [found for item in node for found in objects(item)]
        if not isinstance(node, dict):
            return []
        own = [node] if node.get("type") == "object" else []
        return own + [found for item in node.values() for found in objects(item)]

    for node in objects(SCHEMA):
        assert node["additionalProperties"] is False


@pytest.mark.parametrize("connections", [0, 1, 60, 1300])
@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("hostile", [False, True])
def test_every_sample_is_valid(connections: int, outcome: Outcome, hostile: bool) -> None:
    result = sample_result(connections, 10, outcome=outcome, hostile=hostile)
    found = document(result)
    assert found["gate"]["outcome"] == outcome.value
    assert len(found["findings"]) == len(result.findings)


def test_a_result_of_which_everything_is_set_is_valid() -> None:
    document(full_result())
    document(narrow_result())


def test_what_may_be_waived_is_said_of_each_rule() -> None:
    result = sample_result(20, 3)
    first, second, third = result.checks
    bounded = replace(first, rule=replace(first.rule, max_waiver=timedelta(days=14)))
    barred = replace(second, rule=replace(second.rule, waivable=False))
    found = document(replace(result, checks=(bounded, barred, third)))
    told = [(rule["waivable"], rule["max_waiver"]) for rule in found["rules"]]
    assert told == [(True, 14 * 86_400), (False, None), (True, None)]


def test_a_run_without_rules_or_records() -> None:
    found = document(sample_result(0, 0))
    assert (found["rules"], found["findings"]) == ([], [])


def test_the_placeholder_is_inconclusive_and_valid() -> None:
    found = json.loads(placeholder("1.2.3"))
    VALIDATOR.validate(found)
    assert found["gate"]["outcome"] == "inconclusive"
    assert found["gate"]["exit_code"] == 3
    assert found["listing"]["complete"] is False
    assert found["tool"]["version"] == "1.2.3"


def test_it_says_what_was_judged_and_how() -> None:
    result = sample_result(40, 8, seed=3)
    found = document(result)
    listed = list(zip(*found["connections"].values(), strict=True))
    assert listed == [(c.id, c.service, c.schema, c.group_id) for c in result.connections]
    letters = {letter: verdict for verdict, letter in LETTERS.items()}
    for rule, checks in zip(found["rules"], result.checks, strict=True):
        if rule["per"]:
            judged = [Verdict[group["verdict"].upper()] for group in rule["groups"]]
            assert judged == [group.verdict for group in checks.groups]
        else:
            assert bytes(letters[letter] for letter in rule["verdicts"]) == checks.verdicts
        assert rule["counts"]["checks"] == checks.total


def test_a_rule_on_groups_has_groups_even_where_there_are_none() -> None:
    result = sample_result()
    checks = next(c for c in result.checks if c.rule.per)
    found = document(replace(result, checks=(replace(checks, groups=()),), describe=lambda: ()))
    assert found["rules"][0]["groups"] == []
    assert "verdicts" not in found["rules"][0]


def test_a_narrowed_run_says_so() -> None:
    result = narrowed(sample_result())
    found = document(result)
    assert found["source"]["filters"] == [{"name": "group_id", "value": "analytics_prod"}]
    assert found["left_out"] == list(result.left_out)
    assert found["clock_note"] == result.clock_note


def test_an_incomplete_listing_says_what_is_missing() -> None:
    found = document(sample_result(complete=False))
    assert found["listing"]["complete"] is False
    assert found["listing"]["problems"]


def test_a_lone_surrogate_does_not_spoil_it() -> None:
    result = replace(sample_result(), warnings=("broken \ud800 text",))
    assert document(result)["warnings"] == ["broken \ud800 text"]


def test_equal_results_give_equal_text() -> None:
    assert list(render(sample_result(seed=5))) == list(render(sample_result(seed=5)))


def test_a_long_column_is_whole_and_never_one_string() -> None:
    result = sample_result(25_001, 1)
    pieces = list(render(result))
    assert json.loads("".join(pieces))["connections"]["id"] == list(result.connections.ids)
    assert max(map(len, pieces)) < 500_000


def test_a_rule_is_a_piece_of_its_own() -> None:
    """It has a letter for each connection: of a million, one is long enough."""
    pieces = list(render(sample_result(3, 8)))
    assert sorted({piece.count('"waivable"') for piece in pieces}) == [0, 1]


def test_the_document_is_what_is_written() -> None:
    result = sample_result(3, 8)
    assert to_json(result) == "".join(render(result))


def test_a_finding_takes_one_line() -> None:
    result = sample_result(2000, 8)
    text = "".join(render(result))
    assert text.count('\n{"fingerprint":') == len(result.findings) > 1000


def test_fingerprints_name_findings() -> None:
    found = document(sample_result(300, 10))["findings"]
    prints = [finding["fingerprint"] for finding in found]
    assert len(set(prints)) == len(prints)


def test_the_bar_is_told_and_none_where_there_is_none() -> None:
    result = sample_result()
    for bar, told in ((Severity.HIGH, "high"), (None, None)):
        gate = replace(result.gate, fail_on=bar, limits=((Severity.LOW, 3),))
        told_gate = document(replace(result, gate=gate))["gate"]
        assert (told_gate["fail_on"], told_gate["limits"]) == (told, {"low": 3})


def test_every_number_of_a_run_of_the_history_is_its_own() -> None:
    result = sample_result()
    run = PastRun(
        judged_at=result.judged_at,
        outcome=Outcome.VIOLATIONS,
        full=False,
        connections=9,
        violations=tuple((severity, int(severity)) for severity in Severity),
        errors=5,
        waived=6,
        known=7,
        policies=(),
    )
    (told,) = document(replace(result, history=History((run,), {})))["history"]["runs"]
    assert [told[name] for name in ("connections", "error", "waived", "known")] == [9, 5, 6, 7]
    assert told["full"] is False
    assert told["violations"] == {severity.label: int(severity) for severity in Severity}


def test_every_number_of_a_waiver_is_its_own() -> None:
    result = sample_result()
    use = WaiverUse(
        rule="r",
        position=Position("waivers.yaml", 2, 5),
        reason="agreed",
        owner="data",
        expires=result.judged_at,
        accepts="",
        expired=True,
        matched=4,
        void=2,
        covered=1,
    )
    (told,) = document(replace(result, waivers=(use,)))["waivers"]
    assert [told[name] for name in ("matched", "void", "covered")] == [4, 2, 1]
    assert told["expired"] is True


@pytest.mark.parametrize(("not_in_plan", "left_unknown"), [(0, 0), (2, 0), (0, 3), (2, 3)])
def test_checks_that_a_plan_leaves_open_are_counted_by_why(
    not_in_plan: int, left_unknown: int
) -> None:
    result = sample_result()
    checks = replace(result.checks[0], not_in_plan=not_in_plan, left_unknown=left_unknown)
    told = document(replace(result, checks=(checks, *result.checks[1:])))["rules"][0]
    assert told.get("not_in_plan", 0) == not_in_plan
    assert told.get("left_unknown", 0) == left_unknown
