"""Values in a policy: each fits the type of its field, or is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.fields import FIELDS, Kind
from tests.builders.judged import loaded, one_rule, problems_of

_BY_KIND = {
    Kind.STRING: ("3", "true", "null", "[]", "[3]", "{}", "{gt: 3}", "{older_than: 7d}"),
    Kind.INTEGER: ("'3'", "x", "true", "null", "[]", "['3']", "{glob: x}", "{any_item: 3}"),
    Kind.BOOLEAN: ("no", "'true'", "1", "null", "[]", "[1]", "{gt: 1}", "[true, false]"),
    Kind.TIMESTAMP: ("2024-12-01T00:00:00Z", "{gt: x}", "{before: 2024-12-01}", "{older_than: 7}"),
    Kind.TIME_OF_DAY: ("2:00", "24:00", "120", "null", "{gt: 3}", "{older_than: 7d}"),
    Kind.ARRAY: (
        "x",
        "[x]",
        "[]",
        "3",
        "{equals: x}",
        "{gt: 3}",
        "{any_item: {}}",
        "{contains: null}",
    ),
    Kind.OBJECT: ("x", "[x]", "{}", "{equals: x}", "{contains: x}", "{any_item: {a: b}}"),
}


@pytest.mark.parametrize(
    ("kind", "test"), [(kind, test) for kind, tests in _BY_KIND.items() for test in tests]
)
def test_every_field_refuses_what_is_not_of_its_type(tmp_path: Path, kind: Kind, test: str) -> None:
    paths = [path for path, field in FIELDS.items() if field.kind is kind and "[]" not in path]
    assert paths
    for path in paths:
        problems = problems_of(tmp_path, one_rule(f"assert:\n  {path}: {test}"))
        assert {p.position.line for p in problems} == {6}, path


def test_a_new_value_is_a_warning_and_an_error_under_strict(tmp_path: Path) -> None:
    text = one_rule("assert: {status.setup_state: paused}")
    (warning,) = loaded(tmp_path, text).warnings
    assert "not documented" in warning.message
    (problem,) = problems_of(tmp_path, text, strict=True)
    assert problem.position.line == 5


@pytest.mark.parametrize(
    ("test", "told"),
    [
        ("service: {not_in: [1, x]}", "service"),
        ("config.port: {not_in: [1, x]}", "values of unlike types"),
        ("paused: {in: [true, false]}", "the only values are true and false"),
        ("created_at: {before: now+36526d}", "over 100 years from now"),
        ("created_at: {after: now-36526d}", "over 100 years from now"),
        ("created_at: {older_than: 0d}", "takes a duration"),
        ("schema: {glob: '*'}", "matches every text"),
        ("schema: {regex_search: '.*'}", "matches every text"),
        ("schema: {regex_search: ''}", "holds for every text"),
        ("schema: {glob: [raw_*, '*']}", "matches every text"),
    ],
)
def test_what_decides_nothing_or_cannot_be_meant_is_refused(
    tmp_path: Path, test: str, told: str
) -> None:
    problems = problems_of(tmp_path, one_rule(f"assert:\n  {test}"))
    assert told in str([problem.message for problem in problems])


@pytest.mark.parametrize(
    "test",
    [
        "config.port: {in: [1, x]}",
        "config.flag: {in: [true, 1]}",
        "config.flag: {in: [1, 0]}",
        "config.flag: {not_in: [1, 0]}",
        "created_at: {before: now+36525d}",
        "created_at: {after: now-36525d}",
        "created_at: {older_than: 1s}",
        "schema: {glob: '?*'}",
        "schema: {glob: 'raw_*'}",
        "schema: {regex_search: '^[a-z_ ]*$'}",
        "schema: {regex_search: '.'}",
    ],
)
def test_what_decides_something_is_taken(tmp_path: Path, test: str) -> None:
    assert len(loaded(tmp_path, one_rule(f"assert:\n  {test}")).ruleset.rules) == 1
