"""Choosing rules: what is left, what is said about the rest, and what chooses nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.errors import UsageError
from auditor.policy.language.rules import Ruleset
from auditor.policy.loading.select import select
from tests.builders.judged import loaded

RULES = {
    "sync-floor": "[cost]",
    "sync-ceiling": "[cost, state]",
    "not-paused": "[state]",
    "names": "[]",
}


def ruleset(folder: Path, rules: dict[str, str] = RULES) -> Ruleset:
    text = "".join(
        f"  - {{id: {name}, severity: low, tags: {tags}, assert: {{paused: false}}}}\n"
        for name, tags in rules.items()
    )
    return loaded(folder, f"policy: p\nrules:\n{text}").ruleset


def ids(rules: Ruleset) -> list[str]:
    return [entry.rule.id for entry in rules.rules]


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ({"only": ["sync-floor"]}, ["sync-floor"]),
        ({"only": ["names", "sync-*"]}, ["sync-floor", "sync-ceiling", "names"]),
        ({"skip": ["sync-*"]}, ["not-paused", "names"]),
        ({"tags": ["cost"]}, ["sync-floor", "sync-ceiling"]),
        ({"tags": ["cost", "state"]}, ["sync-floor", "sync-ceiling", "not-paused"]),
        # Two narrowings at once: both have to let a rule through.
        ({"only": ["sync-*", "names"], "tags": ["state"]}, ["sync-ceiling"]),
        ({"only": ["sync-*"], "skip": ["sync-floor"]}, ["sync-ceiling"]),
        ({"tags": ["state"], "skip": ["not-*"]}, ["sync-ceiling"]),
    ],
    ids=str,
)
def test_what_is_left_and_what_is_said_of_the_rest(given, left, tmp_path: Path):
    rules = ruleset(tmp_path)
    found = select(rules, **given)
    assert ids(found) == left
    gone = [name for name in RULES if name not in left]
    assert list(found.unselected) == gone
    (note,) = found.left_out
    assert f"{len(gone)} rule" in note
    assert f" of 4 left out ({gone[0]}" in note
    option, (first, *_) = next(iter(given.items()))
    assert f"--{option.rstrip('s')} {first}" in note
    assert note.startswith(f"{found.selected_by}: ")


def test_what_leaves_nothing_out_changes_nothing(tmp_path: Path):
    rules = ruleset(tmp_path)
    assert select(rules) is rules
    assert select(rules, only=["*"]) is rules


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"only": ["sync-flor"]},
            "no rule in force is called sync-flor (did you mean",
        ),
        ({"skip": ["x*"]}, "--skip x*: no rule in force is called x*"),
        ({"tags": ["cots"]}, "--tag cots: no rule in force has the tag cots (did you mean cost?)"),
        ({"only": ["sync-*"], "tags": ["cost"], "skip": ["sync-*"]}, "no rule is left"),
    ],
    ids=["only", "skip", "tags", "nothing is left"],
)
def test_what_chooses_nothing_is_refused(given, said: str, tmp_path: Path):
    with pytest.raises(UsageError) as caught:
        select(ruleset(tmp_path), **given)
    assert said in str(caught.value)


def test_ten_are_named_and_the_others_counted(tmp_path: Path):
    names = {f"rule-{n}": "[]" for n in range(12)}
    rules = ruleset(tmp_path, {**names, "kept": "[]"})
    (note,) = select(rules, only=["kept"]).left_out
    assert "12 rules of 13 left out (rule-0, rule-1," in note
    assert note.endswith("rule-9 and 2 more)")
    (note,) = select(rules, only=["kept", "rule-0", "rule-1"]).left_out
    assert note.endswith("rule-10 and rule-11)")
