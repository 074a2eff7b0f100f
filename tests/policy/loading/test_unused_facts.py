"""Unused parts of the user's own facts: columns that no rule reads, rows that others hide."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.policy.loading.unused_facts import unused
from tests.builders.judged import loaded

HEAD = """\
policy: p
facts:
  team:
    key: schema
    match: %s
    columns: {name: text, cost: integer}
    rows: {%s}
rules:
  - {id: r, severity: low, assert: %s}
"""
READ = "{team.name: a, team.cost: 1}"


def told(folder: Path, assertion: str, *keys: str, match: str = "glob") -> list[str]:
    rows = ", ".join(f'"{key}": {{name: a, cost: 1}}' for key in keys or ("x",))
    found = unused(loaded(folder, HEAD % (match, rows, assertion)).ruleset)
    assert all(problem.warning for problem in found)
    return [problem.message for problem in found]


@pytest.mark.parametrize(
    ("assertion", "said"),
    [
        (READ, []),
        ("{team.name: a}", ["no rule reads cost of the facts team"]),
        ("{team: {exists: true}}", ["no rule reads name and cost of the facts team"]),
        ("{paused: false}", ["no rule reads the facts team"]),
    ],
)
def test_what_no_rule_reads_is_reported(tmp_path: Path, assertion: str, said: list[str]):
    assert told(tmp_path, assertion) == said


@pytest.mark.parametrize(
    ("keys", "hidden"),
    [
        (("finance_*", "f*"), {"finance_*": "f*"}),
        (("f*", "finance_*"), {}),
        (("finance", "f*"), {"finance": "f*"}),
        (("a?", "*"), {"a?": "*"}),
        (("ab", "a?"), {}),  # of another glob than one of stars nobody says what it fits
        (("a*", "*b"), {}),
    ],
    ids=str,
)
def test_a_row_that_a_later_one_always_hides_is_reported(
    tmp_path: Path, keys: tuple[str, ...], hidden: dict[str, str]
):
    found = told(tmp_path, READ, *keys)
    assert len(found) == len(hidden)
    for row, wider in hidden.items():
        assert found[0].startswith(f"the row {row} of ")
        assert f"{wider}, which comes later, fits all that it fits" in found[0]
    assert told(tmp_path, READ, *keys, match="exact") == []


@pytest.mark.parametrize(("count", "last"), [(20, "the row"), (21, "and 1 more such row of team")])
def test_twenty_rows_are_named_and_the_others_counted(tmp_path: Path, count: int, last: str):
    found = told(tmp_path, READ, *(f"a{n}" for n in range(count)), "a*")
    assert len(found) == min(count, 20) + (count > 20)
    assert found[-1].startswith(last)
