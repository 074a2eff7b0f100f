"""The schema of a condition refuses what the loader refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.builders.schema_and_loader import RULE, read, refused_by_both, said

#: Rules, by the condition that their ``assert`` is, that neither takes.
FAULTY_CONDITIONS = {
    "no test": "{}",
    "a misspelt field": "{pausd: false}",
    "a field of another case": "{Paused: false}",
    "an operator as a field": "{gte: 15}",
    "through an array": "{setup_tests.status: FAILED}",
    "brackets": '{"setup_tests[].status": FAILED}',
    "null": "{paused: null}",
    "no is text": "{paused: no}",
    "a quoted number": '{sync_frequency: "60"}',
    "an unquoted text": "{schema: 2024}",
    "a value of another case": "{schedule_type: AUTO}",
    "one of a list of another case": "{schedule_type: [auto, Manual]}",
    "of another case, by operator": "{status.setup_state: {not_equals: Broken}}",
    "of another case, in items": "{setup_tests: {any_item: {status: failed}}}",
    "of another case, as an item": "{schedule.days_of_week: {contains: monday}}",
    "an empty list": "{service: []}",
    "both booleans": "{paused: [true, false]}",
    "an empty test": "{paused: {}}",
    "an operator of another tool": "{sync_frequency: {eq: 15}}",
    "a bare regex": "{schema: {regex: x}}",
    "a number as text": "{schema: {starts_with: 5}}",
    "an empty text": '{schema: {contains: ""}}',
    "a glob of everything": '{schema: {glob: "*"}}',
    "a backspace": '{schema: {regex_search: "\\bx"}}',
    "gt of a timestamp": "{succeeded_at: {gt: 5}}",
    "a timestamp as a value": "{succeeded_at: 2026-01-31T00:00:00Z}",
    "a moment without a zone": "{succeeded_at: {after: 2026-01-31T00:00:00}}",
    "a bare date": "{succeeded_at: {after: 2026-01-31}}",
    "a duration in words": "{succeeded_at: {newer_than: 7 days}}",
    "a duration of nothing": "{succeeded_at: {newer_than: 0d}}",
    "a duration and a line break": '{succeeded_at: {newer_than: "7d\\n"}}',
    "a duration of no unit": "{succeeded_at: {newer_than: {field: sync_frequency}}}",
    "a duration that is a time": "{succeeded_at: {newer_than: {field: created_at, unit: days}}}",
    "a unit that is none": "{succeeded_at: {newer_than: {field: sync_frequency, unit: years}}}",
    "nothing times": "{succeeded_at: {newer_than: {field: sync_frequency, times: 0, unit: days}}}",
    "times beside a plain operator": "{schema: {equals: {field: service, times: 2}}}",
    "an operand that is no field": "{schema: {equals: {field: nothing}}}",
    "an operand of another type": "{schema: {equals: {field: paused}}}",
    "an operand that is secret": "{schema: {equals: {field: connect_card.token}}}",
    "a time of day that is none": '{daily_sync_time: "25:00"}',
    "a secret's value": "{connect_card.token: abc}",
    "an operator of a secret": "{connect_card.token: {is_empty: true}}",
    "a value of an array": "{setup_tests: FAILED}",
    "an object's value": "{status: {setup_state: broken}}",
    "items without a condition": "{setup_tests: {any_item: {}}}",
    "items of which nobody knows the field": "{setup_tests: {any_item: {stat: FAILED}}}",
    "an item that is an object": "{setup_tests: {any_item: FAILED}}",
    "a count without its number": "{setup_tests: {count_items: {where: {status: FAILED}}}}",
    "a length in words": "{schema: {length: long}}",
    "a length that exists": "{schema: {length: {exists: true}}}",
    "a schema of nothing": "{config: {json_schema: {}}}",
    "a schema with a pattern": "{config.host: {json_schema: {pattern: x}}}",
    "all of nothing": "{all: []}",
    "any of a mapping": "{any: {paused: true}}",
    "not of two": "{not: {paused: true, schema: x}}",
    "not of two operators": "{not: {sync_frequency: {gte: 1, lte: 2}}}",
    "a group's word": "{count: 3}",
    "a list of conditions": "[{paused: false}]",
}


@pytest.mark.parametrize("text", FAULTY_CONDITIONS.values(), ids=FAULTY_CONDITIONS)
@pytest.mark.parametrize("around", ["%s", "{any: [%s]}", "{paused: false, all: [%s]}"])
def test_neither_takes_a_faulty_condition(text: str, around: str, folder: Path) -> None:
    rule = {"id": "a", "severity": "low", "assert": read(around % text)}
    refused_by_both({"policy": "x", "rules": [rule]}, folder)


@pytest.mark.parametrize(
    "rule",
    [
        "{brand_new: x}",
        "{brand_new.deep: {gte: {field: brand_new.other}}}",
        "{setup_tests: {any_item: {status: FAILED}}, brand_new: {any_item: {x: 1}}}",
        "{not: {brand_new: 1}}",
    ],
)
def test_extra_fields_may_be_named(rule: str, folder: Path) -> None:
    value = {"policy": "x", "rules": [read(RULE) | {"assert": read(rule)}]}
    refused_by_both(value, folder)
    assert said(value | {"extra_fields": ["brand_new"]}, folder) == ([], [])
