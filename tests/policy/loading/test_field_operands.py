"""Another field as an operand: of the record, or of the current item."""

from __future__ import annotations

from pathlib import Path

from auditor.model import Verdict
from tests.builders.judged import loaded, one_rule, verdict_of

P, F, E = Verdict.PASS, Verdict.FAIL, Verdict.ERROR


def test_a_field_operand_of_an_item_is_the_items_own(tmp_path: Path) -> None:
    body = "assert: {config.x: {all_items: {a: {equals: {field: b}}}}}"
    rules = loaded(tmp_path, one_rule(body)).ruleset
    assert verdict_of(rules, '{"id":"c","b":2,"config":{"x":[{"a":1,"b":1}]}}') is P
    assert verdict_of(rules, '{"id":"c","b":1,"config":{"x":[{"a":1,"b":2}]}}') is F
    assert verdict_of(rules, '{"id":"c","b":1,"config":{"x":[{"a":1}]}}') is E
