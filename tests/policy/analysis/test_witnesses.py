"""Records that show what a table says: each is judged before it is shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from auditor.decoding.json_values import MISSING
from auditor.policy.analysis.domains import NOW
from auditor.policy.analysis.tables import Space
from auditor.policy.analysis.witnesses import Witness, item, reading, witness
from auditor.policy.language.conditions import Condition, evaluate
from auditor.policy.language.rules import PolicyRule
from auditor.policy.loading.load import load_policies
from tests.builders.judged import written


def _condition(folder: Path, condition: Any) -> Condition:
    body = [{"id": "a", "severity": "low", "assert": condition}]
    (rule,) = load_policies(written(folder, json.dumps({"policy": "p", "rules": body}))).rules
    assert isinstance(rule, PolicyRule)
    return rule.assertion


@pytest.mark.parametrize(
    "condition",
    [
        {"paused": True, "sync_frequency": {"gt": 60}},
        {"sync_frequency": {"exists": False}},
        {"schema": {"starts_with": "prod_", "ends_with": "_x"}},
        {"schema": {"equals_ignore_case": "ABC"}},
        {"schema": {"length": {"gte": 30}}},
        {"schema": {"is_empty": True}},
        {"succeeded_at": {"newer_than": "1d"}},
        {"created_at": {"before": "2020-01-01T00:00:00Z"}},
        {"daily_sync_time": {"between": ["22:00", "05:00"]}},
        {"setup_tests": {"any_item": {"status": "FAILED"}}},
        {"setup_tests": {"none_items": {"status": "FAILED"}, "length": {"gte": 3}}},
        {"config.list": {"all_items": {"starts_with": "x"}}},
        {"config": {"exists": False}},
        {"external_secrets_keys_config": {"length": {"gte": 2}}},
    ],
)
def test_a_record_is_found_and_meets_it(tmp_path: Path, condition: Any) -> None:
    asked = _condition(tmp_path, condition)
    table = Space([asked]).table(asked)
    assert table is not None
    for rows, truth in ((table.rows(asked).yes, True), (table.rows(asked).no, False)):

        def shows(get: Any, truth: bool = truth) -> bool:
            return evaluate(asked, get, NOW) is truth

        found = witness(table, rows, shows)
        assert found is not None
        assert shows(reading(found.record))


def test_what_cannot_be_shown_is_not_made_up(tmp_path: Path) -> None:
    asked = _condition(tmp_path, {"schema": {"regex_fullmatch": "[0-9]{17}"}})
    table = Space([asked]).table(asked)
    assert table is not None
    assert (
        witness(table, table.rows(asked).yes, lambda get: evaluate(asked, get, NOW) is True) is None
    )


def test_an_item_gets_the_requested_truth(tmp_path: Path) -> None:
    asked = _condition(tmp_path, {"paused": True})
    assert item((asked, True)) == {"paused": True}
    assert item((asked, False))["paused"] is False
    assert evaluate(asked, reading(item((asked, None))), NOW) is None
    never = _condition(tmp_path, {"all": [{"paused": True}, {"paused": False}]})
    assert item((never, True)) is MISSING


def test_it_reads_as_an_example_does() -> None:
    assert Witness({"paused": True}).text == "given: {paused: true}"
    found = Witness({"status.setup_state": "broken"}, ("schema",))
    assert found.text == 'given: {status.setup_state: "broken"}, without: [schema]'
    assert found.record["status"]["setup_state"] == "broken"
    assert "schema" not in found.record
