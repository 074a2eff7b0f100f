"""Values that stand in a policy: each fits the type of its field, or is refused."""

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
    ("path", "test"),
    [
        (path, test)
        for path, field in FIELDS.items()
        if "[]" not in path
        for test in _BY_KIND.get(field.kind, ())
    ],
)
def test_every_field_refuses_what_is_not_of_its_type(tmp_path: Path, path: str, test: str) -> None:
    problems = problems_of(tmp_path, one_rule(f"assert:\n  {path}: {test}"))
    assert {p.position.line for p in problems} == {6}


def test_a_new_value_is_a_warning_and_an_error_under_strict(tmp_path: Path) -> None:
    text = one_rule("assert: {status.setup_state: paused}")
    (warning,) = loaded(tmp_path, text).warnings
    assert "not documented" in warning.message
    (problem,) = problems_of(tmp_path, text, strict=True)
    assert problem.position.line == 5
