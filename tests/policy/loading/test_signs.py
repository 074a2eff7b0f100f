"""Texts that look like patterns or templates but would be compared literally."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.errors import PolicyError
from auditor.policy import load_policies
from tests.builders.judged import one_rule

REGEX = "with the signs of a regular expression"


def loads(tmp_path: Path, condition: str) -> str:
    """Return the problem of a rule with this condition, "" where it loads."""
    path = tmp_path / "rules.yaml"
    path.write_text(one_rule(f"assert: {{not: {condition}}}"), encoding="utf-8")
    try:
        load_policies(str(path))
    except PolicyError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("condition", "told", "hint"),
    [
        ('{schema: "^tmp_"}', REGEX, "regex_fullmatch"),
        ('{schema: "tmp_.+"}', REGEX, "regex_fullmatch"),
        ('{schema: "tmp_.*"}', REGEX, "regex_fullmatch"),
        ('{schema: "_old$"}', REGEX, "regex_fullmatch"),
        (r"{schema: 'v\d'}", REGEX, "regex_fullmatch"),
        ('{schema: {in: [a, "[a-z]_x"]}}', REGEX, "regex_fullmatch"),
        ('{schema: "(?i)tmp"}', REGEX, "regex_fullmatch"),
        ('{schema: "tmp_*"}', "with its * and ?", "glob"),
        ('{schema: {starts_with: "tmp_%"}}', "with its %", "with * where SQL has %"),
        ('{service: {not_equals: "%ads"}}', "with its %", "glob"),
        ('{schema: "${TEAM}_x"}', "and nothing is put in its place", "{var: NAME}"),
        ('{schema: "{{ team }}_x"}', "and nothing is put in its place", "{var: NAME}"),
        ('{schema: "%(team)s_x"}', "and nothing is put in its place", "{var: NAME}"),
        ('{schema: "$(team)_x"}', "and nothing is put in its place", "{var: NAME}"),
        ('{schema: {starts_with: "{group_id}_"}}', "braces and all", "{field: group_id}"),
        ('{schema: " tmp"}', "the blank that it begins or ends with", "remove it"),
        ('{schema: {not_in: [a, "tmp "]}}', "the blank that it begins or ends with", "remove it"),
        ('{schema: {starts_with: " tmp"}}', "the blank that it begins or ends with", "remove it"),
        ('{schema: {ends_with: "tmp "}}', "the blank that it begins or ends with", "remove it"),
    ],
)
def test_it_is_refused_with_what_to_write(tmp_path: Path, condition: str, told: str, hint: str):
    said = loads(tmp_path, condition)
    assert f"is compared letter by letter, {told}" in said or f"by letter, with {told}" in said
    assert hint in said


@pytest.mark.parametrize(
    "condition",
    [
        '{schema: {equals: "^tmp_"}}',
        '{schema: {equals: "tmp "}}',
        '{schema: {equals: "${TEAM}_x"}}',
        '{schema: {regex_search: "^tmp_[a-z]+$"}}',
        '{schema: {glob: "tmp_*"}}',
        '{schema: {starts_with: "tmp "}}',
        '{schema: {ends_with: " tmp"}}',
        '{schema: {contains: " "}}',
        '{schema: "50%_more"}',
        '{schema: "a.b"}',
        '{group.name: "[EU-prod] R&D (finance) + sales"}',
        '{owner.email: "ana+etl@example.com"}',
        '{schedule.cron: "*/5 * * * ?"}',
        '{config.database: "^main$"}',
    ],
)
def test_literal_text_under_equals_loads(tmp_path: Path, condition: str):
    assert loads(tmp_path, condition) == ""


def test_a_service_has_no_capital_letter(tmp_path: Path):
    said = loads(tmp_path, "{service: {in: [mysql, Postgres]}}")
    assert "service is never Postgres" in said
    assert "write postgres: it has no capital letters" in said
