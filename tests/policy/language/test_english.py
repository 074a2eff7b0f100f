"""Conditions in English: what a rule expects reads as a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.builders.judged import loaded, one_rule


@pytest.mark.parametrize(
    ("assertion", "expects"),
    [
        (
            "{sync_frequency: {gte: 15, lte: 1440}}",
            "sync_frequency is at least 15 and at most 1440",
        ),
        ("{schema: {exists: true, starts_with: raw_}}", "schema is set and starts with raw_"),
        ("{schema: {exists: false}}", "schema is not set"),
        ("{schema: {is_empty: false}}", "schema is not empty"),
        ("{schema: {not_in: [a, b]}}", "schema is none of a or b"),
        ("{schema: {not_in: [a]}}", "schema is not a"),
        ("{schema: {contains_all: [a, b, c]}}", "schema contains all of a, b and c"),
        ("{not: {schema: {ends_with: x}}}", "schema does not end with x"),
        ("{not: {not: {paused: true}}}", "paused is true"),
        ("{not: {all: [{paused: true}, {schema: a}]}}", "not (paused is true and schema is a)"),
        ("{any: [{paused: true}, {schema: a}]}", "paused is true or schema is a"),
        (
            "{service: x, any: [{paused: true}, {schema: a}]}",
            "service is x and (paused is true or schema is a)",
        ),
        ("{sync_frequency: 0x1F}", "sync_frequency is 31"),
        (
            "{schema: {length: {gt: 1, lt: 9}}}",
            "schema has a length of more than 1 and less than 9",
        ),
        ("{schema: {length: 5}}", "schema has a length of 5"),
        ("{succeeded_at: {after: now-30d}}", "succeeded_at is after 30d ago"),
        ("{succeeded_at: {before: now+6h}}", "succeeded_at is before 6h from now"),
        ("{schema: {field: service}}", "schema is the same as service"),
        (
            "{succeeded_at: {newer_than: {field: sync_frequency, times: 3, unit: minutes}}}",
            "succeeded_at is not older than 3 times sync_frequency in minutes",
        ),
        ("{setup_tests: {any_item: {title: a}}}", "setup_tests has an item where title is a"),
        (
            "{schedule.days_of_week: {all_items: [MONDAY, FRIDAY]}}",
            "schedule.days_of_week has only items that are MONDAY or FRIDAY",
        ),
        (
            "{setup_tests: {count_items: {where: {title: a}, is: {lte: 1}}}}",
            "setup_tests has at most 1 item where title is a",
        ),
        (
            "{setup_tests: {count_items: {where: {title: a}, is: 2}}}",
            "setup_tests has exactly 2 items where title is a",
        ),
    ],
)
def test_what_a_rule_expects_reads_as_english(tmp_path: Path, assertion: str, expects: str) -> None:
    rule = loaded(tmp_path, one_rule(f"assert: {assertion}")).ruleset.rules[0].rule
    assert rule.expects == expects
