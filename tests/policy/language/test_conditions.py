"""Conditions on missing fields: what is decided nevertheless, and what cannot be."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from itertools import product
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from auditor.decoding.gaps import NOT_IN_PLAN
from auditor.decoding.json_values import MISSING, Astray, Unread
from auditor.model import Verdict
from auditor.policy.language.conditions import Condition, Test, evaluate, joined, reach, reads
from auditor.policy.language.operands import Reading
from auditor.policy.language.rules import PolicyRule
from auditor.policy.language.truth import Truth
from auditor.policy.language.values import LARGEST
from tests.builders.judged import NOW, loaded, one_rule, verdict_of
from tests.builders.truths import TESTS, TRUTHS, VERDICT, verdict_on_record


@pytest.mark.parametrize(("when", "asserted"), list(product(TRUTHS, repeat=2)))
def test_when_decides_first(tmp_path: Path, when: Truth, asserted: Truth) -> None:
    got = verdict_on_record(tmp_path, f"{{{TESTS[asserted]}}}", f"{{{TESTS[when]}}}")
    assert got is {True: VERDICT[asserted], False: Verdict.SKIP, None: Verdict.ERROR}[when]


@pytest.mark.parametrize(
    ("condition", "record", "truth"),
    [
        ("{setup_tests: {all_items: {status: PASSED}}}", {"setup_tests": []}, True),
        ("{setup_tests: {none_items: {status: PASSED}}}", {"setup_tests": []}, True),
        ("{setup_tests: {any_item: {status: PASSED}}}", {"setup_tests": []}, False),
        ("{succeeded_at: {exists: true, newer_than: 7d}}", {"succeeded_at": None}, False),
        ("{succeeded_at: {exists: true, newer_than: 7d}}", {"succeeded_at": "soon"}, None),
        ("{succeeded_at: {newer_than: 7d}}", {"succeeded_at": None}, None),
    ],
)
def test_what_the_contract_says(
    tmp_path: Path, condition: str, record: dict[str, object], truth: Truth
) -> None:
    rules = loaded(tmp_path, one_rule(f"assert: {condition}")).ruleset
    assert verdict_of(rules, {"id": "c"} | record) is VERDICT[truth]


class Renamed(msgspec.Struct, frozen=True, rename={"kind": "type"}):
    """A struct whose attribute has another name than its key."""

    kind: int


ITEMS = [
    ("any_item", "status: FAILED", ["FAILED", None], True),
    ("any_item", "status: FAILED", ["PASSED", None], None),
    ("none_items", "status: FAILED", ["PASSED", None], None),
    ("none_items", "status: FAILED", ["FAILED", None], False),
    ("all_items", "status: PASSED", ["FAILED", None], False),
    ("all_items", "status: PASSED", ["PASSED", None], None),
]


@pytest.mark.parametrize(("operator", "test", "held", "truth"), ITEMS)
def test_items_that_cannot_be_judged(
    tmp_path: Path, operator: str, test: str, held: list[str | None], truth: Truth
) -> None:
    rules = loaded(tmp_path, one_rule(f"assert: {{setup_tests: {{{operator}: {{{test}}}}}}}"))
    record = {"id": "c", "setup_tests": [{"status": status} for status in held]}
    assert verdict_of(rules.ruleset, record) is VERDICT[truth]


@pytest.mark.parametrize(
    ("bound", "truth"), [("{lte: 1}", None), ("{lte: 2}", True), ("{gte: 3}", False), ("2", None)]
)
def test_a_count_of_items_is_settled_where_the_unsure_do_not_matter(
    tmp_path: Path, bound: str, truth: Truth
) -> None:
    count = f"{{where: {{status: FAILED}}, is: {bound}}}"
    rules = loaded(tmp_path, one_rule(f"assert: {{setup_tests: {{count_items: {count}}}}}")).ruleset
    record = {"id": "c", "setup_tests": [{"status": "FAILED"}, {"status": None}, {"status": "x"}]}
    assert verdict_of(rules, record) is VERDICT[truth]


def condition(folder: Path, text: str) -> Condition:
    (entry,) = loaded(folder, one_rule(f"assert: {text}")).ruleset.rules
    assert isinstance(entry, PolicyRule)
    return entry.assertion


#: By the plain reading of a condition, the one that the compiled rules are held to.
PLAIN: list[tuple[str, dict[str, object], Truth]] = [
    ("{sync_frequency: {gte: 15}}", {"sync_frequency": 15}, True),
    ("{sync_frequency: {gte: 15}}", {"sync_frequency": 5}, False),
    ("{sync_frequency: {gte: 15}}", {"sync_frequency": LARGEST}, True),
    ("{sync_frequency: {gte: 15}}", {"sync_frequency": -LARGEST}, False),
    ("{sync_frequency: {gte: 15}}", {"sync_frequency": "15"}, None),
    ("{sync_frequency: {gte: 15}}", {"sync_frequency": None}, None),
    ("{sync_frequency: {gte: 15}}", {}, None),
    ("{sync_frequency: {exists: false}}", {}, True),
    ("{sync_frequency: {exists: true}}", {}, False),
    ("{not: {paused: true}}", {"paused": False}, True),
    ("{not: {paused: true}}", {"paused": "no"}, None),
    ("{any: [{paused: true}, {schema: x}]}", {"paused": None, "schema": "x"}, True),
    ("{any: [{paused: true}, {schema: x}]}", {"paused": None, "schema": "y"}, None),
    ("{all: [{paused: true}, {schema: x}]}", {"paused": None, "schema": "y"}, False),
    ("{succeeded_at: {newer_than: 7d}}", {"succeeded_at": "2026-01-10T00:00:00Z"}, True),
    ("{succeeded_at: {newer_than: 7d}}", {"succeeded_at": "2026-01-01T00:00:00Z"}, False),
    ("{succeeded_at: {newer_than: 7d}}", {"succeeded_at": "last week"}, None),
    (
        "{succeeded_at: {after: {field: failed_at}}}",
        {"succeeded_at": "2026-01-10T00:00:00Z", "failed_at": "2026-01-09T23:59:59Z"},
        True,
    ),
    (
        "{succeeded_at: {after: {field: failed_at}}}",
        {"succeeded_at": "2026-01-10T00:00:00Z", "failed_at": "2026-01-10T00:00:00Z"},
        False,
    ),
    (
        "{succeeded_at: {after: {field: failed_at}}}",
        {"succeeded_at": "2026-01-10T00:00:00Z", "failed_at": None},
        None,
    ),
]


@pytest.mark.parametrize(("text", "record", "truth"), PLAIN)
def test_the_plain_reading_and_the_compiled_one_are_what_the_contract_says(
    tmp_path: Path, text: str, record: dict[str, object], truth: Truth
) -> None:
    read = condition(tmp_path, text)
    # Moments are prepared by the decoder; to the plain reading they come as texts, and are read.
    assert evaluate(read, lambda path: reach(record, path), NOW) is truth
    rules = loaded(tmp_path, one_rule(f"assert: {text}")).ruleset
    assert verdict_of(rules, {"id": "c", **record}) is VERDICT[truth]


def test_a_condition_reads_what_it_names_and_what_it_compares_with(tmp_path: Path) -> None:
    assert list(
        reads(
            condition(
                tmp_path,
                "{all: [{succeeded_at: {after: {field: failed_at}}},"
                " {setup_tests: {any_item: {status: FAILED}}}, {not: {paused: true}}]}",
            )
        )
    ) == [
        ("succeeded_at", False),
        ("failed_at", False),
        ("setup_tests", False),
        ("setup_tests[].status", False),
        ("paused", False),
    ]


@pytest.mark.parametrize(
    ("base", "path", "whole"), [("a", "b", "a.b"), ("", "b", "b"), ("a", "", "a"), ("", "", "")]
)
def test_a_path_below_another(base: str, path: str, whole: str) -> None:
    assert joined(base, path) == whole


GAP = NOT_IN_PLAN
ASTRAY = Astray("config is a text")


@pytest.mark.parametrize(
    ("text", "record", "truth"),
    [
        # Of what a plan leaves open nothing can be asked, not even whether it is there.
        ("{schema: x}", {"schema": GAP}, None),
        ("{schema: {exists: true}}", {"schema": GAP}, None),
        ("{schema: {exists: false}}", {"schema": GAP}, None),
        ("{config.a: {exists: true}}", {"config": {"a": ASTRAY}}, None),
        ("{config.a: {exists: false}}", {"config": {"a": Unread("403")}}, None),
        # An operator on a whole value needs all of it; one on an item does not.
        ("{config.a: {json_schema: {type: array}}}", {"config": {"a": [1, GAP]}}, None),
        ("{config.a: {json_schema: {type: array}}}", {"config": {"a": [1, 2]}}, True),
        ("{config.a: {any_item: x}}", {"config": {"a": ["x", GAP]}}, True),
        ("{config.a: {contains: x}}", {"config": {"a": ["x"]}}, True),
        ("{config.a: {length: {gte: 2}}}", {"config": {"a": ["x", "y"]}}, True),
        ("{config.a: {length: {gte: 2}}}", {"config": {"a": "x"}}, False),
        (
            "{config.a: {count_items: {where: {b: 1}, is: {gte: 2}}}}",
            {"config": {"a": [{"b": 1}, {"b": 2}, {"b": 1}]}},
            True,
        ),
        (
            "{config.a: {count_items: {where: {b: 1}, is: {gte: 2}}}}",
            {"config": {"a": [{"b": 1}, {"b": 2}]}},
            False,
        ),
        ("{config.a: {all_items: {b.c: 1}}}", {"config": {"a": [{"b": {"c": 1}}]}}, True),
        ("{config.a: {all_items: {b.c: 1}}}", {"config": {"a": [{"b": {"c": 2}}]}}, False),
        ("{config.a: {all_items: {b.c: 1}}}", {"config": {"a": [{"b": "c"}]}}, None),
    ],
)
def test_the_plain_reading_of_gaps_and_of_what_is_nested(
    tmp_path: Path, text: str, record: dict[str, object], truth: Truth
) -> None:
    read = condition(tmp_path, text)
    assert evaluate(read, lambda path: reach(record, path), NOW) is truth


def test_the_days_of_a_schedule_are_read_whole_and_count(tmp_path: Path) -> None:
    beside = "{field: sync_frequency, unit: minutes, days: schedule.days_of_week}"
    read = condition(tmp_path, f"{{succeeded_at: {{newer_than: {beside}}}}}")
    assert list(reads(read)) == [
        ("succeeded_at", False),
        ("sync_frequency", False),
        ("schedule.days_of_week", True),
    ]
    # Four days ago: not within an hour, but the longest gap between Mondays comes on top.
    held = {"succeeded_at": NOW - timedelta(days=4), "sync_frequency": 60}
    for days, truth in ((["MONDAY"], True), (MISSING, False), ("MONDAY", None)):
        record = {**held, "schedule": {"days_of_week": days}}
        moment = replace(read, reading=Reading.PLAIN)
        assert evaluate(moment, partial(reach, record), NOW) is truth, days


@pytest.mark.parametrize(
    ("value", "path", "found"),
    [
        ({"a": {"b": 1}}, "a.b", 1),
        ({"a": {"b": 1}}, "", {"a": {"b": 1}}),
        ({"a": None}, "a.b", MISSING),
        ({}, "a", MISSING),
        ({"a": "x"}, "a.b", Astray("a is text")),
        ({"a": {"b": 5}}, "a.b.c", Astray("a.b is a number")),
        (5, "a", Astray("the item is a number")),
        ({"a": GAP}, "a.b", GAP),
        (Renamed(5), "type", 5),
        ({"a": Renamed(5)}, "a.type", 5),
        ({"a": Renamed(5)}, "a.kind", Astray("a is an object")),
    ],
)
def test_what_a_path_reaches(value: object, path: str, found: object) -> None:
    assert reach(value, path) == found


def test_a_length_reads_nothing_below_the_value(tmp_path: Path) -> None:
    read = condition(tmp_path, "{config.a: {length: {gte: 2}}}")
    assert list(reads(read)) == [("config.a", True)]


def test_an_operand_is_the_one_that_is_written_unless_it_is_said_to_vary(tmp_path: Path) -> None:
    read = condition(tmp_path, "{sync_frequency: {gte: 15}}")
    assert isinstance(read, Test)
    assert not Test(read.path, read.operator, read.operand, read.position).varies
