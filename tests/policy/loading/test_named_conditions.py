"""Named conditions: written once, used wherever a condition is, reported if wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from auditor.acceptance.waivers import load_waivers
from auditor.errors import PolicyError
from auditor.model import Verdict
from auditor.policy.loading.load import load
from tests.builders.judged import (
    checks_of,
    findings_of,
    loaded,
    one_rule,
    problems_of,
    verdict_of,
    written,
)

P, F, E, S = Verdict.PASS, Verdict.FAIL, Verdict.ERROR, Verdict.SKIP
HEAD = """conditions:
  production: {schema: {starts_with: prod_}}
  quick: {sync_frequency: {lte: 15}}
  loud: {all: [{condition: production}, {condition: quick}]}
"""


def _record(**held: Any) -> dict[str, Any]:
    return {"id": "c", "service": "s", "schema": "prod_x", "group_id": "g"} | held


@pytest.mark.parametrize(
    ("body", "record", "verdict"),
    [
        ("when: {condition: loud}\nassert: {paused: false}", {"sync_frequency": 5}, F),
        ("when: {condition: loud}\nassert: {paused: false}", {"sync_frequency": 60}, S),
        ("when: {condition: loud}\nassert: {paused: false}", {}, E),
        ("assert: {condition: production}\nwhen: {condition: loud}", {"sync_frequency": 5}, P),
        ("assert: {not: {condition: loud}}", {"sync_frequency": 5}, F),
        ("assert: {any: [{condition: quick}, {paused: true}]}", {"sync_frequency": 99}, P),
        ("assert: {condition: loud, paused: false}", {"sync_frequency": 5}, F),
    ],
)
def test_a_name_works_wherever_a_condition_does(
    body: str, record: dict[str, Any], verdict: Verdict, tmp_path: Path
) -> None:
    rules = loaded(tmp_path, one_rule(body, head=HEAD)).ruleset
    assert verdict_of(rules, _record(paused=True, **record)) is verdict


def test_a_named_condition_works_in_rules_on_groups(tmp_path: Path) -> None:
    body = (
        "per: group_id\ngroups: {condition: mine}\nwhen: {condition: quick}\n"
        "unless: {condition: production}\nassert: {count: 0}"
    )
    head = f"{HEAD}  mine: {{group_id: g}}\n"
    rules = loaded(tmp_path, one_rule(body, head=head)).ruleset
    records = [_record(schema="x", sync_frequency=5), _record(group_id="h", schema="y")]
    (checks,) = checks_of(rules, records).values()
    assert [(c.group, c.verdict) for c in checks.groups] == [("g", F), ("h", S)]


def test_english_says_the_name_and_what_it_is(tmp_path: Path) -> None:
    body = "assert: {not: {condition: loud}}\nwhen: {condition: production}"
    rules = loaded(tmp_path, one_rule(body, head=HEAD)).ruleset
    (entry,) = rules.rules
    assert entry.rule.applies_when == "production (schema starts with prod_)"
    assert entry.rule.expects == (
        "not loud (production (schema starts with prod_) and quick (sync_frequency is at most 15))"
    )
    (finding,) = findings_of(rules, [_record(sync_frequency=5)])
    assert [e.field for e in finding.evidence] == ["schema", "sync_frequency"]


def test_the_file_that_extends_has_the_last_word_and_says_so(tmp_path: Path) -> None:
    rule = "{id: r, severity: low, assert: {condition: wanted}}"
    low = f"policy: low\nconditions: {{wanted: {{paused: true}}}}\nrules:\n  - {rule}\n"
    written(tmp_path, low, "low.yaml")
    top = "policy: top\nextends: [low.yaml]\nconditions: {wanted: {paused: false}}\n"
    path = written(tmp_path, top, "top.yaml")
    found = load([path]).ruleset
    assert verdict_of(found, _record(paused=True)) is F
    assert "redefines the condition wanted" in found.notes[0]
    same = written(tmp_path, top.replace("false", "true"), "same.yaml")
    assert not load([same]).ruleset.notes
    other = written(tmp_path, low.replace("id: r,", "id: q,"), "other.yaml")
    with pytest.raises(PolicyError) as caught:
        load([str(tmp_path / "low.yaml"), other])
    assert "sets the condition wanted too" in caught.value.problems[0].message


def test_a_condition_has_the_fields_and_variables_of_its_own_file(tmp_path: Path) -> None:
    low = (
        "policy: low\nvars: {team: data}\nextra_fields: [steward]\n"
        "conditions: {ours: {steward: {var: team}}}\n"
        "rules:\n  - {id: r, severity: low, assert: {condition: ours}}\n"
    )
    written(tmp_path, low, "low.yaml")
    top = (
        "policy: top\nextends: [low.yaml]\n"
        "rules:\n  - {id: q, severity: low, assert: {condition: ours}}\n"
    )
    found = load([written(tmp_path, top, "top.yaml")], variables={"team": "ops"}).ruleset
    verdicts = {k: c.verdicts[0] for k, c in checks_of(found, [_record(steward="ops")]).items()}
    assert verdicts == {"r": P, "q": P}


@pytest.mark.parametrize(
    ("head", "body", "message", "hint"),
    [
        (HEAD, "assert: {condition: produktion}", "no condition is called", "production"),
        ("", "assert: {condition: x}", "no condition is called x", "declare it under conditions:"),
        (HEAD, "assert: {condition: [loud, quick]}", "takes the name of one", "all: or any:"),
        (HEAD, "assert: {condition: 1}", "takes the name of one", "all: or any:"),
        (
            HEAD,
            "assert: {setup_tests: {any_item: {condition: quick}}}",
            "this is one on an item",
            "of the item",
        ),
        (
            "conditions: {a: {condition: b}, b: {not: {condition: a}}}\n",
            "assert: {condition: a}",
            "refers to itself: a → b → a",
            "",
        ),
        (
            "conditions: {'not a': {paused: true}}\n",
            "assert: {paused: true}",
            "not a is not a valid name for a condition",
            "a letter or a digit",
        ),
        ("conditions: {'': {paused: true}}\n", "assert: {paused: true}", "is not a valid name", ""),
        ("conditions: {a: {}}\n", "assert: {condition: a}", "an empty condition", ""),
        ("conditions: {a: {paussed: true}}\n", "assert: {condition: a}", "no field", "paused"),
        ("conditions: [a]\n", "assert: {paused: true}", "conditions: takes a mapping", ""),
        ("extra_fields: [condition]\n", "assert: {paused: true}", "not a field path", ""),
    ],
)
def test_what_is_refused(head: str, body: str, message: str, hint: str, tmp_path: Path) -> None:
    problem = problems_of(tmp_path, one_rule(body, head=head))[0]
    assert message in problem.message
    assert hint in problem.hint


def test_one_problem_is_reported_once_however_often_it_is_used(tmp_path: Path) -> None:
    text = one_rule(
        "assert: {condition: a}\nwhen: {condition: a}", head="conditions: {a: {nope: 1}}\n"
    )
    assert len(problems_of(tmp_path, text)) == 1


def test_what_nothing_uses_is_reported_and_its_problems_too(tmp_path: Path) -> None:
    text = one_rule("assert: {condition: quick}", head=HEAD)
    warned = loaded(tmp_path, text).warnings
    assert [w.message for w in warned] == ["no rule uses the condition loud"]
    broken = one_rule("assert: {paused: true}", head="conditions: {a: {nope: 1}}\n")
    assert "no field is called nope" in problems_of(tmp_path, broken)[0].message


def test_a_waiver_may_be_bound_to_a_named_condition(tmp_path: Path) -> None:
    rules = loaded(tmp_path, one_rule("assert: {condition: loud}", head=HEAD)).ruleset
    text = (
        "waivers:\n  - {rule: rule, connections: all, reason: r, owner: o, expires: 2027-01-01,"
        " while: {condition: quick}}\n"
    )
    path = written(tmp_path, text, "waivers.yaml")
    (waiver,) = load_waivers(path, conditions=rules.conditions).entries
    assert waiver.while_true == "quick (sync_frequency is at most 15)"
    with pytest.raises(PolicyError) as caught:
        load_waivers(path)
    assert "no condition is called quick" in caught.value.problems[0].message
