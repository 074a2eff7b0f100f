"""Policy files: which are read, and which word in them is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.errors import PolicyError, UsageError
from auditor.policy.loading.documents import POLICY_KEYS
from auditor.policy.loading.load import load
from tests.builders.judged import one_rule, problems_of, written
from tests.builders.wrong_types import WRONG_TYPES

_RIGHT_TYPES = {
    "policy": (),
    "title": (),
    "description": (),
    "extends": ("[]",),
    "override": ("{}",),
    "vars": ("{}", "{a: 3}"),
    "conditions": ("{}",),
    "reveal": ("[]",),
    "extra_fields": ("[]",),
    "facts": ("{}",),
    "rules": ("[]",),
    "max_waiver": (),
}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (key, value)
        for key in POLICY_KEYS
        for value in sorted({*WRONG_TYPES} - {*_RIGHT_TYPES[key]})
    ],
)
def test_every_wrong_type_in_a_policy_is_refused(tmp_path: Path, key: str, value: str) -> None:
    lines = [
        "policy: p",
        "rules:\n  - {id: r, severity: low, assert: {paused: false}}",
    ]
    text = "\n".join(li for li in lines if not li.startswith(f"{key}:")) + f"\n{key}: {value}\n"
    problems = problems_of(tmp_path, text)
    assert problems[-1].position.line == text.count("\n") or key == "policy", problems


def test_no_rule_at_all_is_an_error(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, "policy: p\nrules: []\n")
    assert "no rules in" in problem.message


def test_a_folder_is_loaded_whole_and_a_stranger_in_it_is_an_error(tmp_path: Path) -> None:
    written(tmp_path, one_rule("assert: {paused: false}"), "a.yaml")
    written(tmp_path, one_rule("assert: {paused: false}").replace("id: rule", "id: b"), "b.YML")
    written(
        tmp_path, one_rule("assert: {paused: false}").replace("id: rule", "id: c"), "team/c.yml"
    )
    written(tmp_path, "not: ours\n", "a.test.yaml")
    written(tmp_path, "not: ours\n", ".hidden.yaml")
    written(tmp_path, "# readme\n", "README.md")
    found = load([f"{tmp_path}/"]).ruleset
    assert sorted(r.rule.id for r in found.rules) == ["b", "c", "rule"]
    written(tmp_path, "kind: Policy\n", "team/stranger.yaml")
    with pytest.raises(PolicyError, match=r"stranger\.yaml:1:1: this is not a policy"):
        load([f"{tmp_path}/"])


def test_an_empty_folder_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no policy in this folder"):
        load([str(tmp_path)])


def test_a_pack_is_not_a_file_and_a_file_no_pack(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean baseline"):
        load(["baselin"])
    with pytest.raises(UsageError, match="no such file"):
        load(["./baseline"])
