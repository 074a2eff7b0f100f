"""What a condition got wrong, and what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.fields import FIELDS
from auditor.policy.language.operators import FOREIGN_OPERATORS, OPERATORS
from auditor.policy.loading.documents import POLICY_KEYS
from auditor.policy.loading.examples import KEYS as TEST_KEYS
from auditor.policy.loading.resolve import OVERRIDE_KEYS
from auditor.policy.loading.rule_parser import RULE_KEYS
from auditor.suggest import AMBIGUOUS_PATTERNS, FOREIGN_KEYS
from tests.builders.judged import loaded, one_rule, problems_of


@pytest.mark.parametrize("name", sorted(FOREIGN_OPERATORS))
def test_the_operators_of_other_tools_are_translated(tmp_path: Path, name: str) -> None:
    body = f"assert: {{schema: {{{name!r}: x}}}}"
    (problem,) = problems_of(tmp_path, one_rule(body))
    assert problem.hint == f"did you mean {FOREIGN_OPERATORS[name]}?"
    assert FOREIGN_OPERATORS[name].partition(":")[0] in OPERATORS


@pytest.mark.parametrize("name", sorted(AMBIGUOUS_PATTERNS))
def test_a_pattern_that_may_or_may_not_anchor_is_asked_about(tmp_path: Path, name: str) -> None:
    (problem,) = problems_of(tmp_path, one_rule(f"assert: {{schema: {{{name!r}: x}}}}"))
    assert "regex_search" in problem.hint
    assert "regex_fullmatch" in problem.hint


def test_the_keys_of_other_tools_are_translated() -> None:
    ours = {*POLICY_KEYS, *RULE_KEYS, *OVERRIDE_KEYS, *TEST_KEYS}
    assert set(FOREIGN_KEYS.values()) <= ours


@pytest.mark.parametrize("path", [p for p, f in FIELDS.items() if "[]" not in p])
def test_every_field_can_be_asked_for_and_not_misspelt(tmp_path: Path, path: str) -> None:
    assert loaded(tmp_path, one_rule(f"assert: {{{path}: {{exists: true}}}}")).ruleset.rules
    head, _, last = path.rpartition(".")
    wrong = f"{head}.{last[0]}{last}" if head else f"{last[0]}{last}"
    if any(FIELDS[p].open for p in FIELDS if wrong.startswith(f"{p}.")):
        return
    problems = problems_of(tmp_path, one_rule(f"assert:\n  {wrong}: {{exists: true}}"))
    assert (problems[0].position.line, problems[0].position.column) == (6, 7)
    assert f"did you mean {path}?" in problems[0].hint
