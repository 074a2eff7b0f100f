"""Every operator: what holds, what does not, and what it cannot judge."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from auditor.model import Verdict
from auditor.policy.language.conditions import evaluate, reach
from auditor.policy.language.operators import OPERATORS
from auditor.policy.language.rules import PolicyRule
from auditor.policy.language.semantics import Interval
from auditor.policy.language.values import Span
from tests.builders.judged import NOW, loaded, one_rule, problems_of, verdict_of

P, F, E = Verdict.PASS, Verdict.FAIL, Verdict.ERROR
TRUTH = {True: P, False: F, None: E}
HUGE = "9" * 400

#: A test, then JSON values for which it holds, does not hold, and cannot be judged.
_ON_DAYS = "{field: sync_frequency, unit: hours, days: schedule.days_of_week}"
CASES: dict[str, list[tuple[str, list[str], list[str], list[str]]]] = {
    "exists": [
        ("schema: {exists: true}", ['""', "1", "[]"], ["null"], []),
        ("schema: {exists: false}", ["null"], ['""', "{}"], []),
    ],
    "is_empty": [
        ("schema: {is_empty: true}", ['""'], ['"x"'], ["null", "[]", "{}", "0", "false"]),
        ("status.tasks: {is_empty: true}", ["[]"], ["[null]"], ['""', "{}", "null"]),
        ("config: {is_empty: false}", ['{"a":1}'], ["{}"], ['"x"', "[1]", "null"]),
        ("config.x: {is_empty: true}", ['""', "[]", "{}"], ['"x"', "[0]"], ["null", "0"]),
    ],
    "equals": [
        ("schema: x", ['"x"'], ['"X"', '""'], ["null", "1", "true", '["x"]']),
        ("sync_frequency: 60", ["60", "60.0", "6e1"], ["61", "60.5"], ['"60"', "true", "1e999"]),
        ("service_version: 1", ["1", "1.0"], ["0"], ["true", '"1"', HUGE]),
        ("paused: true", ["true"], ["false"], ["1", '"true"', "null"]),
        (
            "daily_sync_time: 02:00",
            ['"02:00"', '"02:00:00"'],
            ['"03:00"'],
            ['"2:00"', "2", '"24:00"'],
        ),
        ("config.x: 1", ["1", "1.0"], ["2"], ["true", '"1"', "[1]"]),
        ("config.x: 1.5", ["1.5"], ["1", "2"], ["true", '"1.5"', "null"]),
        ("config.x: true", ["true"], ["false"], ["1", '"true"', "null"]),
        ("config.x: a", ['"a"'], ['"true"'], ["true", "1", "null", '["a"]']),
        ("config.x: {equals: {field: schema}}", ['"s"'], ['"t"'], ["1", "null"]),
    ],
    "not_equals": [
        ("schema: {not_equals: x}", ['"X"', '""'], ['"x"'], ["null", "1"]),
        ("paused: {not_equals: true}", ["false"], ["true"], ["0", "null", '"false"']),
    ],
    "gt": [
        (
            "sync_frequency: {gt: 60}",
            ["61", "60.01"],
            ["60", "60.0", "-1e308"],
            ['"61"', "true", "1e999", HUGE],
        )
    ],
    "gte": [
        ("sync_frequency: {gte: 60}", ["60", "60.0"], ["59.999"], ["null", "-1e999"]),
        ("daily_sync_time: {gte: 14:00}", ['"14:00"', '"23:59"'], ['"02:00"'], ['"9:00"', "900"]),
    ],
    "lt": [("sync_frequency: {lt: 60}", ["59"], ["60"], ["[]"])],
    "lte": [("sync_frequency: {lte: 60}", ["60"], ["61"], ["{}", "-1e999"])],
    "between": [
        ("sync_frequency: {between: [15, 60]}", ["15", "60.0"], ["14.9", "61"], ['"15"', "true"]),
        (
            "daily_sync_time: {between: ['22:00', '05:00']}",
            ['"22:00"', '"23:59"', '"00:00"', '"05:00"'],
            ['"21:59"', '"05:01"'],
            ['"9:00"', "1320", "null"],
        ),
        ("daily_sync_time: {between: [01:00, 05:00]}", ['"03:00"'], ['"22:00"'], ["null"]),
        ("config.x: {between: [1, 1]}", ["1.0"], ["0", "2"], ['"1"', HUGE]),
    ],
    "in": [
        ("schema: [x, y]", ['"x"', '"y"'], ['"z"', '""'], ["null", "1", '["x"]']),
        ("config.x: {in: [true]}", ["true"], ["false"], ["1", '"true"', "null"]),
        ("config.x: [a, b]", ['"a"'], ['"c"'], ["true", "1", "null"]),
        ("config.x: [1, a]", ["1.0", '"a"'], ["2", '"b"'], ["true", "null", "[1]"]),
        ("schema: {in: {field: schedule.days_of_week}}", ['"FRIDAY"'], ['"x"'], ["null", "1"]),
    ],
    "not_in": [
        ("schema: {not_in: [x, y]}", ['"z"'], ['"x"'], ["null", "1"]),
        ("config.x: {not_in: [1]}", ["2"], ["1.0"], ['"1"', "true", "null"]),
    ],
    "contains": [
        ("schema: {contains: b}", ['"abc"'], ['"ABC"', '""'], ["null", '["b"]']),
        (
            "schedule.days_of_week: {contains: MONDAY}",
            ['["MONDAY"]', '[1,"MONDAY"]'],
            ["[]", '["FRIDAY"]'],
            ['"MONDAY"', "[1]", "null"],
        ),
        ("config.x: {contains: 1}", ["[1.0]"], ["[2]"], ["[true]", '"1"', "{}"]),
    ],
    "contains_any": [
        ("schema: {contains_any: [a, b]}", ['"xb"'], ['"x"'], ["null", "[]"]),
        (
            "config.x: {contains_any: {field: schedule.days_of_week}}",
            ['"on FRIDAY"', '["TUESDAY", 1]'],
            ['"x"', "[]"],
            ["null", "[1]"],
        ),
    ],
    "contains_all": [("schema: {contains_all: [a, b]}", ['"ba"'], ['"a"'], ["null"])],
    "subset_of": [
        (
            "schedule.days_of_week: {subset_of: [MONDAY, FRIDAY]}",
            ["[]", '["MONDAY"]'],
            ['["MONDAY","SUNDAY"]'],
            ['"MONDAY"', "[1]", "null"],
        )
    ],
    "starts_with": [
        (
            "schema: {starts_with: [raw_, stg_]}",
            ['"raw_x"', '"stg_"'],
            ['"x_raw_"', '""'],
            ["null", "1"],
        ),
        ("schema: {starts_with: raw_}", ['"raw_x"'], ['"RAW_x"', '""'], ["null", "1"]),
        ("service: {starts_with: {field: schema}}", ['"st"'], ['"ts"'], ["null", "1"]),
    ],
    "ends_with": [
        ("schema: {ends_with: [_x, _y]}", ['"a_y"'], ['"y_"'], ["null"]),
        ("schema: {ends_with: _x}", ['"raw_x"'], ['"x"'], ["null", "[]"]),
    ],
    "glob": [
        ("schema: {glob: [tmp_*, '?']}", ['"tmp_1"', '"x"'], ['"xtmp_"'], ["null", "1"]),
        (
            "schema: {glob: 'raw_?*'}",
            ['"raw_x"', '"raw_\\n"'],
            ['"raw_"', '"xraw_x"'],
            ["null", "1"],
        ),
        ("schema: {glob: '[ab]'}", ['"a"'], ['"c"', '"ab"'], []),
        ("daily_sync_time: {glob: '0?:00'}", ['"02:00"'], ['"12:00"'], ["null", "200"]),
    ],
    "regex_search": [
        ("schema: {regex_search: 'a.c'}", ['"xabcx"'], ['"ac"', '"a\\nc"'], ["null", "1"])
    ],
    "regex_fullmatch": [
        ("schema: {regex_fullmatch: [a+, b]}", ['"aa"', '"b"'], ['"ab"'], ["null"]),
        (
            "schema: {regex_fullmatch: 'a.c|d'}",
            ['"abc"', '"d"'],
            ['"xabc"', '"abc\\n"', '"dd"'],
            ["null", "[]"],
        ),
    ],
    "equals_ignore_case": [
        ("schema: {equals_ignore_case: [ab, C]}", ['"AB"', '"c"'], ['"abc"'], ["1"]),
        (
            "schema: {equals_ignore_case: straße}",
            ['"STRASSE"', '"Straße"'],
            ['"strase"'],
            ["null", "1"],
        ),
    ],
    "length": [
        ("schema: {length: 2}", ['"ab"', '"é!"'], ['"a"', '""'], ["null", "[1,2]", "2"]),
        (
            "setup_tests: {length: {gte: 1, lte: 2}}",
            ["[1]", "[1,{}]"],
            ["[]", "[1,2,3]"],
            ["{}", "null"],
        ),
        ("config: {length: {lt: 2}}", ["{}", '{"a":1}'], ['{"a":1,"b":2}'], ["[]", "null"]),
    ],
    "json_schema": [
        (
            "config.x: {json_schema: {type: object, required: [a]}}",
            ['{"a":1}'],
            ["{}", "[]"],
            ["null", '{"a":1e999}'],
        ),
        (
            "sync_frequency: {json_schema: {multipleOf: 0.5}}",
            ["1.5"],
            ["1.2"],
            ['"x"', HUGE, "1e999", "true"],
        ),
    ],
    "before": [
        (
            "succeeded_at: {before: 2026-01-15T12:00:00Z}",
            ['"2026-01-15T11:59:59.999Z"', '"2026-01-15T13:30:00+02:00"'],
            ['"2026-01-15T12:00:00Z"'],
            [
                '"2026-01-15"',
                "1",
                "null",
                '"2026-01-15T11:00:00"',
                '"2026-02-30T00:00:00Z"',
                '"2026-01-15T24:00:00Z"',
                '"2026-01-15T11:00:60Z"',
            ],
        ),
        (
            "status.rescheduled_for: {before: now+6h}",
            ['"2026-01-15T17:59:00Z"'],
            ['"2026-01-15T18:00:00Z"'],
            ['"soon"'],
        ),
    ],
    "after": [
        (
            "succeeded_at: {after: now-30d}",
            ['"2026-01-01T00:00:00Z"', '"2027-01-01T00:00:00Z"'],
            ['"2025-12-16T12:00:00Z"'],
            # In UTC the second one would be before all time.
            ["null", '"0001-01-01T00:00:00+23:00"'],
        ),
        (
            "succeeded_at: {after: {field: created_at}}",
            ['"2025-01-02T00:00:00Z"'],
            ['"2025-01-01T00:00:00Z"'],
            ["null", "1"],
        ),
    ],
    "older_than": [
        (
            "succeeded_at: {older_than: 7d}",
            ['"2026-01-08T11:59:59Z"'],
            ['"2026-01-08T12:00:00Z"', '"2026-01-15T12:05:00Z"'],
            ['"2026-01-15T12:05:01Z"', "null", '"x"'],
        ),
        (
            "succeeded_at: {older_than: {field: sync_frequency, times: 2, unit: minutes}}",
            ['"2026-01-15T09:59:59Z"'],
            ['"2026-01-15T10:00:00Z"'],
            ["null", '"2026-01-15T12:05:01Z"'],
        ),
        (
            f"succeeded_at: {{older_than: {_ON_DAYS}}}",
            ['"2026-01-08T23:59:59Z"'],
            ['"2026-01-09T00:00:00Z"', '"2026-01-15T12:05:00Z"'],
            ["null", '"2026-01-15T12:05:01Z"'],
        ),
    ],
    "newer_than": [
        (
            "succeeded_at: {newer_than: 90m}",
            ['"2026-01-15T10:30:00Z"', '"2026-01-15T12:05:00Z"'],
            ['"2026-01-15T10:29:59Z"'],
            ['"2026-01-15T12:05:01Z"', "1"],
        )
    ],
    "any_item": [
        (
            "setup_tests: {any_item: {status: FAILED}}",
            ['[{"status":"FAILED"},1]'],
            ["[]", '[{"status":"x"}]'],
            ["[{}]", "[1]", "{}", "null", '"FAILED"'],
        ),
        (
            "schedule.days_of_week: {any_item: MONDAY}",
            ['["MONDAY"]'],
            ['["FRIDAY"]', "[]"],
            ["[1]", "null"],
        ),
        ("config.x: {any_item: {starts_with: a}}", ['["ab"]'], ['["b"]'], ["[1]", "{}"]),
        (
            "config.x: {any_item: {newer_than: 7d}}",
            ['["2026-01-14T00:00:00Z"]'],
            ['["2025-01-14T00:00:00Z"]'],
            ['["soon"]', "[1]", "[null]"],
        ),
        (
            "config.x: {any_item: {all: [{item: {gt: 1}}, {item: {lt: 3}}]}}",
            ["[2]"],
            ["[1]"],
            ['["2"]'],
        ),
        (
            "config.x: {any_item: {deep.y: {any_item: {z: 1}}}}",
            ['[{"deep":{"y":[{"z":1}]}}]'],
            ['[{"deep":{"y":[]}}]'],
            ['[{"deep":[]}]'],
        ),
    ],
    "all_items": [
        (
            "setup_tests: {all_items: {status: PASSED, title: t}}",
            ["[]", '[{"status":"PASSED","title":"t"}]'],
            ['[{"status":"x"}]'],
            ['[{"status":"PASSED"}]', "null"],
        )
    ],
    "none_items": [
        (
            "setup_tests: {none_items: {status: [FAILED]}}",
            ["[]", '[{"status":"x"}]'],
            ['[{"status":"FAILED"}]'],
            ["[{}]", "{}", "null"],
        )
    ],
    "count_items": [
        (
            "setup_tests: {count_items: {where: {status: FAILED}, is: {lte: 1}}}",
            ["[]", '[{"status":"FAILED"}]', "[{}]"],
            ['[{"status":"FAILED"},{"status":"FAILED"}]'],
            ["[{},{}]", "[1,2]", '["FAILED","FAILED"]', "null"],
        ),
        (
            "config.x: {count_items: {where: {gt: 1}, is: 2}}",
            ["[2,3,0]"],
            ["[2]", "[]"],
            ['[2,3,"4"]', "{}"],
        ),
    ],
}


def test_every_operator_has_its_cases() -> None:
    assert CASES.keys() == OPERATORS.keys()


def _record(path: str, value: str) -> str:
    steps = path.split(".")
    for step in reversed(steps[1:]):
        value = f'{{"{step}":{value}}}'
    held = {
        "id": '"c"',
        "schema": '"s"',
        "sync_frequency": "60",
        "created_at": '"2025-01-01T00:00:00Z"',
        "schedule": '{"days_of_week":["FRIDAY","TUESDAY"]}',
        steps[0]: value,
    }
    return "{" + ",".join(f'"{key}":{text}' for key, text in held.items()) + "}"


@pytest.mark.parametrize(
    ("test", "values"),
    [
        (test, {P: holds, F: fails, E: doubts})
        for cases in CASES.values()
        for test, holds, fails, doubts in cases
    ],
    ids=[test for cases in CASES.values() for test, *_ in cases],
)
def test_an_operator(tmp_path: Path, test: str, values: dict[Verdict, list[str]]) -> None:
    """As it is compiled, and as it is read plainly."""
    rules = loaded(tmp_path, one_rule(f"assert:\n  {test}")).ruleset
    (rule,) = rules.rules
    assert isinstance(rule, PolicyRule)
    path = test.partition(":")[0]
    wanted = {text: verdict for verdict, texts in values.items() for text in texts}
    records = {text: _record(path, text) for text in wanted}
    assert {text: verdict_of(rules, record) for text, record in records.items()} == wanted
    read = {text: partial(reach, json.loads(record)) for text, record in records.items()}
    plain = {text: TRUTH[evaluate(rule.assertion, get, NOW)] for text, get in read.items()}
    assert plain == wanted


@pytest.mark.parametrize(
    "test", [test for name in CASES if name != "exists" for test, *_ in CASES[name]]
)
def test_a_missing_field_cannot_be_judged(tmp_path: Path, test: str) -> None:
    rules = loaded(tmp_path, one_rule(f"assert:\n  {test}")).ruleset
    assert verdict_of(rules, '{"id":"c"}') is E
    negated = loaded(tmp_path, one_rule(f"assert: {{not: {{{test}}}}}")).ruleset
    assert verdict_of(negated, '{"id":"c"}') is E


BOUNDED = [name for name, row in OPERATORS.items() if row.bound]


@pytest.mark.parametrize("name", BOUNDED)
def test_an_operator_with_a_bound_holds_within_it_alone_and_everywhere_in_it(name: str) -> None:
    row = OPERATORS[name]
    steps = [timedelta(hours=n) for n in range(5)]
    values, operand, compared = {
        "comparison": ([0, 1, 2, 3, 4], 2, lambda value: value),
        "moment": ([NOW + step for step in steps], NOW + steps[2], lambda value: value),
        "duration": ([NOW - step for step in steps], steps[2], lambda value: NOW - value),
    }["comparison" if row.family == "comparison" else row.form.name.lower()]
    if name == "between":
        operand = Span(1, 3)
    assert row.bound is not None
    interval = row.bound(operand)
    for value in values:
        assert row.holds(value, operand, NOW) is _is_within(interval, compared(value)), value


def _is_within(interval: Interval, value: Any) -> bool:
    least, most = interval.least, interval.most
    return (least is None or value > least or (value == least and not interval.above)) and (
        most is None or value < most or (value == most and not interval.below)
    )


def test_what_is_bounded_has_an_end_and_a_span_over_midnight_has_none() -> None:
    times = {"before", "after", "older_than", "newer_than"}
    assert set(BOUNDED) == {"gt", "gte", "lt", "lte", "between"} | times
    between = OPERATORS["between"].bound
    assert between is not None
    assert between(Span(1320, 300)) == Interval()


def test_a_variable_stands_wherever_a_value_may(tmp_path: Path) -> None:
    head = "vars: {low: 15, one: x, days: [MONDAY], week: 7d, thrice: 3}\n"
    body = """
assert:
  all:
    - sync_frequency: {gte: {var: low}}
    - schema: [{var: one}, y]
    - schema: {var: one}
    - schedule.days_of_week: {subset_of: {var: days}, any_item: {var: days}}
    - succeeded_at: {newer_than: {var: week}}
    - succeeded_at: {newer_than: {field: sync_frequency, times: {var: thrice}, unit: days}}
"""
    rules = loaded(tmp_path, one_rule(body, head=head)).ruleset
    record = {
        "id": "c",
        "schema": "x",
        "sync_frequency": 15,
        "schedule": {"days_of_week": ["MONDAY"]},
        "succeeded_at": "2026-01-14T12:00:00Z",
    }
    assert verdict_of(rules, record) is P
    assert verdict_of(rules, record | {"schema": "z"}) is F


@pytest.mark.parametrize(
    ("test", "values"),
    [
        ("schema: {in: {field: config.y}}", ['"s"', "null", "5", '{"s": 1}']),
        ("schema: {contains_all: {field: config.y}}", ['"s"', "null", '{"s": 1}']),
        ("schema: {starts_with: {field: config.y}}", ["null", "5", '["s"]']),
        ("config.x: {equals: {field: config.y}}", ["null", '["s"]', "{}"]),
        ("created_at: {before: {field: config.y}}", ["null", "5", '"soon"', '["s"]']),
    ],
)
def test_a_field_of_another_type_is_no_operand(
    tmp_path: Path, test: str, values: list[str]
) -> None:
    for body in (f"assert: {{{test}}}", f"assert: {{not: {{{test}}}}}"):
        rules = loaded(tmp_path, one_rule(body)).ruleset
        for value in values:
            assert verdict_of(rules, _record("config", f'{{"x":"s","y":{value}}}')) is E, value


def test_items_nested_deeply_are_told_apart(tmp_path: Path) -> None:
    rules = loaded(tmp_path, one_rule("assert: {config.x: {json_schema: {uniqueItems: true}}}"))
    deep, unlike = "[" * 900 + "]" * 900, "[" * 900 + "1" + "]" * 900
    assert verdict_of(rules.ruleset, f'{{"id":"c","config":{{"x":[{deep},{deep}]}}}}') is F
    assert verdict_of(rules.ruleset, f'{{"id":"c","config":{{"x":[{deep},{unlike}]}}}}') is P


def test_variables_that_are_lists_are_laid_flat_in_a_list(tmp_path: Path) -> None:
    head = "vars: {one: [a, b], two: [tmp_*], ends: [15, 60], low: 15}\n"
    body = """
assert:
  any:
    - schema: [{var: one}, {var: one}, x]
    - schema: {glob: [{var: two}, 'z*']}
    - sync_frequency: {between: {var: ends}}
    - sync_frequency: {between: [{var: low}, 20]}
"""
    rules = loaded(tmp_path, one_rule(body, head=head)).ruleset
    record = {"id": "c", "schema": "q", "sync_frequency": 5}
    assert verdict_of(rules, record) is F
    for schema in ("a", "b", "x", "tmp_1", "zoo"):
        assert verdict_of(rules, record | {"schema": schema}) is P
    assert verdict_of(rules, record | {"sync_frequency": 60}) is P


@pytest.mark.parametrize(
    ("test", "message", "hint"),
    [
        ("sync_frequency: {between: [60, 15]}", "60 is more than 15", "[15, 60]"),
        ("sync_frequency: {between: 60}", "takes the least and the most", "[15, 1440]"),
        ("sync_frequency: {between: [1, 2, 3]}", "takes the least and the most", "[15, 1440]"),
        ("sync_frequency: {between: ['1', 2]}", "is a whole number, not 1", "without quotes"),
        ("daily_sync_time: {between: [25:00, 02:00]}", "is a time of day", "HH:MM"),
        ("schema: {between: [a, b]}", "between cannot test schema", "equals"),
        ("schema: {glob: []}", "an empty list decides nothing", "name the values"),
        ("schema: {glob: [a, '*']}", "matches every text", "exists: true"),
        ("schema: {starts_with: [a, '']}", "holds for every text", "write the text"),
        ("schema: {starts_with: [a, [b]]}", "starts_with: takes a text", ""),
        ("schema: {starts_with: [a, 1]}", "starts_with: takes a text", "quote it"),
        ("schema: {range: [a, b]}", "no operator is called range", "between"),
    ],
)
def test_what_lists_and_ranges_may_not_hold(
    test: str, message: str, hint: str, tmp_path: Path
) -> None:
    (problem,) = problems_of(tmp_path, one_rule(f"assert: {{{test}}}"))
    assert message in problem.message
    assert hint in problem.hint


@pytest.mark.parametrize(
    ("test", "sentence"),
    [
        ("sync_frequency: {between: [15, 60]}", "sync_frequency is between 15 and 60"),
        (
            "not: {daily_sync_time: {between: ['22:00', '05:00']}}",
            "daily_sync_time is not between 22:00 and 05:00",
        ),
        ("schema: {starts_with: [a_, b_, c_]}", "schema starts with a_, b_ or c_"),
        ("not: {schema: {glob: [a*, b*]}}", "schema does not match a* or b*"),
    ],
)
def test_how_lists_and_ranges_read(test: str, sentence: str, tmp_path: Path) -> None:
    (entry,) = loaded(tmp_path, one_rule(f"assert: {{{test}}}")).ruleset.rules
    assert entry.rule.expects == sentence


@pytest.mark.parametrize(
    ("held", "verdict"),
    [
        ({"sync_frequency": 0}, P),
        ({"sync_frequency": 0.5}, P),
        ({"sync_frequency": -1}, E),
        ({"sync_frequency": True}, E),
        ({"sync_frequency": "60"}, E),
        ({"sync_frequency": None}, E),
        ({"sync_frequency": 1e300}, E),
        ({"schedule": {"days_of_week": "MONDAY"}}, E),
        ({"schedule": {"days_of_week": {"MONDAY": True}}}, E),
        ({"schedule": {"days_of_week": ["MONDAI"]}}, E),
        ({"schedule": {"days_of_week": None}}, F),
        ({"schedule": None}, F),
    ],
)
def test_an_age_is_compared_with_a_field_that_is_a_duration_and_days_that_are_days(
    tmp_path: Path, held: dict[str, Any], verdict: Verdict
) -> None:
    """Nothing is no duration at all, and no day chosen leaves no gap; anything else is an error."""
    rules = loaded(tmp_path, one_rule(f"assert: {{succeeded_at: {{older_than: {_ON_DAYS}}}}}"))
    record = {
        "id": "c",
        "succeeded_at": "2026-01-15T11:00:00Z",
        "sync_frequency": 60,
        "schedule": {"days_of_week": []},
    }
    assert verdict_of(rules.ruleset, record | held) is verdict
