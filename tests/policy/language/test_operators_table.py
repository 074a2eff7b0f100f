"""The table of operators: the fields each may test, what it needs of a record, how it is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.fields import Kind, find
from auditor.policy.analysis.claims import claims
from auditor.policy.language.operators import OPERATORS
from auditor.policy.language.values import Takes
from tests.builders.judged import findings_of, loaded, one_rule, problems_of

#: A field of every documented kind, and one of none.
FIELDS = {
    "text": "schema",
    "number": "sync_frequency",
    "boolean": "paused",
    "moment": "succeeded_at",
    "time": "daily_sync_time",
    "object": "config",
    "array": "setup_tests",
    "any": "config.x",
}
#: Each family, and which kinds of fields its operators may test.
FAMILIES = {
    "presence": {
        "exists": "text number boolean moment time object array any",
        "is_empty": "text object array any",
    },
    "comparison": {
        "equals": "text number boolean time any",
        "not_equals": "text number boolean time any",
        **dict.fromkeys(("gt", "gte", "lt", "lte", "between"), "number time any"),
    },
    "membership": {
        "in": "text number boolean time any",
        "not_in": "text number boolean time any",
        "contains": "text array any",
        "contains_any": "text array any",
        "contains_all": "text array any",
        "subset_of": "array any",
    },
    "text": {
        "starts_with": "text any",
        "ends_with": "text any",
        "glob": "text time any",
        "regex_search": "text time any",
        "regex_fullmatch": "text time any",
        "equals_ignore_case": "text any",
    },
    "shape": {
        "length": "text object array any",
        "json_schema": "text number boolean time object array any",
    },
    "time": dict.fromkeys(("before", "after", "older_than", "newer_than"), "moment any"),
    "items": dict.fromkeys(("any_item", "all_items", "none_items", "count_items"), "array any"),
}


def test_every_operator_stands_in_its_family_and_tests_its_kinds_of_fields() -> None:
    found: dict[str, dict[str, str]] = {}
    for row in OPERATORS.values():
        kinds = [kind for kind, path in FIELDS.items() if (field := find(path)) and row.fits(field)]
        found.setdefault(row.family, {})[row.name] = " ".join(kinds)
    assert found == FAMILIES
    assert [(f, *rows) for f, rows in found.items()] == [(f, *rows) for f, rows in FAMILIES.items()]


@pytest.mark.parametrize(
    ("name", "path", "fits"),
    [
        # Of a fact only the fields that are named are decoded: of an object's own there are none.
        ("exists", "destination", True),
        ("is_empty", "destination", False),
        ("length", "destination", False),
        ("json_schema", "destination", False),
        ("is_empty", "transformations", True),
        ("length", "transformations", True),
        ("json_schema", "transformations", False),
        ("any_item", "transformations", True),
        ("length", "group.name", True),
        ("json_schema", "group.name", False),
    ],
)
def test_of_a_fact_nothing_is_asked_that_needs_it_whole(name: str, path: str, fits: bool) -> None:
    field = find(path)
    assert field is not None
    assert OPERATORS[name].fits(field) is fits


@pytest.mark.parametrize(
    ("name", "path", "whole"),
    [
        ("exists", "config", False),
        ("contains", "config.x", False),
        ("any_item", "config.x", False),
        ("is_empty", "config", True),
        ("is_empty", "config.x", True),
        ("is_empty", "schema", False),
        ("is_empty", "setup_tests", False),
        ("length", "config", True),
        ("length", "setup_tests[].nothing_documented", True),
        ("length", "schema", False),
        ("length", "setup_tests", False),
        ("json_schema", "schema", True),
        ("json_schema", "setup_tests", True),
        ("json_schema", "config", True),
    ],
)
def test_a_value_is_decoded_whole_where_its_contents_count(
    name: str, path: str, whole: bool
) -> None:
    assert OPERATORS[name].needs_whole(path) is whole


@pytest.mark.parametrize(
    ("name", "kind", "takes"),
    [
        ("equals", Kind.STRING, Takes.TEXT),
        ("equals", Kind.INTEGER, Takes.NUMBERS),
        ("equals", Kind.BOOLEAN, Takes.BOOLEANS),
        ("equals", Kind.TIME_OF_DAY, Takes.SCALARS),
        ("equals", Kind.ANY, Takes.SCALARS),
        ("contains", Kind.STRING, Takes.TEXT),
        ("contains", Kind.ARRAY, Takes.ARRAY),
        ("contains", Kind.ANY, Takes.TEXT_OR_ARRAY),
        ("length", Kind.OBJECT, Takes.OBJECT),
        ("length", Kind.ANY, Takes.SIZED),
        ("json_schema", Kind.TIME_OF_DAY, Takes.TEXT),
        ("json_schema", Kind.INTEGER, Takes.NUMBERS),
        ("json_schema", Kind.ANY, Takes.PRESENT),
        ("exists", Kind.STRING, Takes.ANYTHING),
        ("glob", Kind.TIME_OF_DAY, Takes.TEXT),
        ("gt", Kind.TIME_OF_DAY, Takes.NUMBERS),
    ],
)
def test_a_documented_field_has_values_of_its_own_type_alone(
    name: str, kind: Kind, takes: Takes
) -> None:
    assert OPERATORS[name].accepts(kind) is takes


def test_what_is_written_after_its_name_is_said() -> None:
    assert OPERATORS["equals"].operand == "a value of the field's type"
    assert OPERATORS["glob"].operand == "a text with * and ?, or a list of alternatives"


def test_what_is_written_in_its_place_by_a_slip_takes_the_same_operand() -> None:
    near = {name: row.near for name, row in OPERATORS.items() if row.near}
    pairs = [
        *(("equals", "not_equals"), ("gt", "gte"), ("lt", "lte"), ("in", "not_in")),
        *(("contains_any", "contains_all"), ("starts_with", "ends_with"), ("before", "after")),
        *(("older_than", "newer_than"), ("any_item", "all_items")),
    ]
    either = {one: (other,) for pair in pairs for one, other in (pair, pair[::-1])}
    assert near == {**either, "none_items": ("any_item",)}
    for name, others in near.items():
        for other in others:
            assert OPERATORS[other].form is OPERATORS[name].form
            assert OPERATORS[other].kinds == OPERATORS[name].kinds


@pytest.mark.parametrize(
    ("asked", "expects"),
    [
        ("{config.x: {not_equals: {field: schema}}}", "config.x is not the same as schema"),
        ("{not: {schema: {field: service}}}", "schema is not the same as service"),
        (
            "{schedule.days_of_week: {subset_of: [MONDAY, FRIDAY]}}",
            "schedule.days_of_week holds only MONDAY and FRIDAY",
        ),
        ("{schema: {contains_any: [a, b]}}", "schema contains a or b"),
        (
            "{schedule.days_of_week: {none_items: {starts_with: M}}}",
            "schedule.days_of_week has no item that starts with M",
        ),
        (
            "{schedule.days_of_week: {all_items: {starts_with: M}}}",
            "schedule.days_of_week has only items of which each starts with M",
        ),
        ("{schedule.days_of_week: {length: {gte: 2}}}",
         "schedule.days_of_week has a length of at least 2"),
    ],
)  # fmt: skip
def test_how_it_reads(tmp_path: Path, asked: str, expects: str) -> None:
    (entry,) = loaded(tmp_path, one_rule(f"assert: {asked}")).ruleset.rules
    assert entry.rule.expects == expects


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("{schema: {exists: true}}", "a value"),
        ("{service: {exists: false}}", "no value"),
        ("{not: {service: {exists: true}}}", "no value"),
        ("{service: {length: 3}}", "a length of 3"),
        ("{service: {is_empty: true}}", "empty"),
        ("{service: x}", "x"),
        ("{service: {starts_with: x}}", "a value that starts with x"),
    ],
)
def test_what_a_finding_shows_as_expected(tmp_path: Path, asked: str, expected: str) -> None:
    rules = loaded(tmp_path, one_rule(f"assert: {asked}")).ruleset
    (finding,) = findings_of(rules, [{"service": "postgres"}])
    assert [evidence.expected for evidence in finding.evidence] == [expected]


@pytest.mark.parametrize(
    ("test", "refused"),
    [
        ("connect_card: {exists: true}", ""),
        ("connect_card.token: {equals: x}", "only exists can test it"),
        ("connect_card.token: {length: 3}", "only exists can test it"),
        ("setup_tests: {length: {exists: true}}", "a count always has a value"),
        ("schema: {starts_with: ' a'}", "the blank that it begins or ends with"),
        ("schema: {starts_with: 'a '}", ""),
        ("schema: {ends_with: 'a '}", "the blank that it begins or ends with"),
        ("schema: {ends_with: ' a'}", ""),
        ("schema: {equals_ignore_case: ' a'}", "the blank that it begins or ends with"),
        ("schema: {equals_ignore_case: 'a '}", "the blank that it begins or ends with"),
        ("config.x: {in: [1, a]}", ""),
        ("config.x: {not_in: [1, a]}", "values of unlike types cannot be compared"),
    ],
)
def test_what_it_may_not_be_asked(tmp_path: Path, test: str, refused: str) -> None:
    policy = one_rule(f"assert: {{{test}}}")
    if not refused:
        assert loaded(tmp_path, policy).ruleset.rules
        return
    (problem,) = problems_of(tmp_path, policy)
    assert refused in problem.message


DAYS = "schedule.days_of_week"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("schema: {starts_with: a}", "schema: {starts_with: b}"),
        ("schema: {ends_with: a}", "schema: {ends_with: b}"),
        ("schema: {equals_ignore_case: a}", "schema: {equals_ignore_case: B}"),
        ("schema: {contains_all: [a, b]}", "not: {schema: {contains: a}}"),
        (f"{DAYS}: {{contains: MONDAY}}", f"{DAYS}: {{none_items: MONDAY}}"),
        (f"{DAYS}: {{contains_any: [MONDAY]}}", f"{DAYS}: {{none_items: MONDAY}}"),
        (f"{DAYS}: {{contains_all: [MONDAY]}}", f"{DAYS}: {{none_items: MONDAY}}"),
        (f"{DAYS}: {{subset_of: [MONDAY]}}", f"{DAYS}: {{any_item: FRIDAY}}"),
        (f"{DAYS}: {{all_items: MONDAY}}", f"{DAYS}: {{any_item: FRIDAY}}"),
        (f"{DAYS}: {{is_empty: true}}", f"{DAYS}: {{any_item: FRIDAY}}"),
    ],
)
def test_two_that_can_never_both_hold_are_told(tmp_path: Path, one: str, other: str) -> None:
    body = f"when: {{all: [{{{one}}}, {{{other}}}]}}\nassert: {{paused: false}}"
    (told,) = claims(loaded(tmp_path, one_rule(body)).ruleset.rules)
    assert told.message == "rule never applies: no record can meet its when"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("schema: {starts_with: a}", "schema: {ends_with: b}"),
        ("schema: {contains_any: [a, b]}", "not: {schema: {contains: a}}"),
        (f"{DAYS}: {{contains: MONDAY}}", f"{DAYS}: {{any_item: FRIDAY}}"),
        (f"{DAYS}: {{contains_any: [MONDAY, FRIDAY]}}", f"{DAYS}: {{none_items: MONDAY}}"),
        (f"{DAYS}: {{subset_of: [MONDAY, FRIDAY]}}", f"{DAYS}: {{none_items: FRIDAY}}"),
    ],
)
def test_of_two_that_can_both_hold_nothing_is_told(tmp_path: Path, one: str, other: str) -> None:
    body = f"when: {{all: [{{{one}}}, {{{other}}}]}}\nassert: {{paused: false}}"
    assert claims(loaded(tmp_path, one_rule(body)).ruleset.rules) == []
