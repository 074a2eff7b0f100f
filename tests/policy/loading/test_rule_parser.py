"""A rule: every key of a wrong type is refused at its position."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.policy.loading.rule_parser import RULE_KEYS
from tests.builders.judged import problems_of
from tests.builders.wrong_types import WRONG_TYPES

_RULE = {
    "id": "rule",
    "severity": "low",
    "assert": "{paused: false}",
}


_SOUND_IN_RULE = {
    "tags": ("[]",),
    "controls": ("{}",),
    "tests": ("[]",),
    "may_be_idle": ("true", "false"),
    "waivable": ("true", "false"),
}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (key, value)
        for key in RULE_KEYS
        for value in WRONG_TYPES
        if value not in _SOUND_IN_RULE.get(key, ())
    ],
)
def test_every_wrong_type_in_a_rule_is_refused(tmp_path: Path, key: str, value: str) -> None:
    entries = {k: v for k, v in _RULE.items() if k != key}
    body = "".join(f"    {k}: {v}\n" for k, v in entries.items())
    text = f"policy: p\nrules:\n  - # the rule\n{body}    {key}: {value}\n"
    problems = problems_of(tmp_path, text)
    line = text.count("\n")
    assert any(p.position.line == line for p in problems), problems
