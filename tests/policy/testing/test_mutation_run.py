"""Tests of rules are run against the rules with one thing changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.policy.loading.examples import Example
from auditor.policy.loading.load import load
from auditor.policy.testing.files import run_test_file
from auditor.policy.testing.mutation_run import mutate
from tests.builders.judged import loaded, one_rule
from tests.builders.slow import mostly_slow

ROOT = Path(__file__).parents[3]
PACKS = sorted(path for path in (ROOT / "policies").glob("*.yaml") if ".test" not in path.name)


def test_a_change_that_no_example_notices_is_reported_with_one_that_would(tmp_path: Path) -> None:
    rule = one_rule(
        "assert: {sync_frequency: {gte: 15}}\n"
        "tests:\n"
        "  - {given: {sync_frequency: 60}, expect: pass}\n"
        "  - {given: {sync_frequency: 5}, expect: fail}"
    )
    ((entry, examples),) = loaded(tmp_path, rule).examples
    found = mutate(entry, examples)
    assert found.changes == 3
    assert [s.mutant.change for s in found.survivors] == [
        "gte taken for gt",
        "gte: 15 made 14",
        "gte: 15 made 16",
    ]
    told = [s.notice.text for s in found.survivors if s.notice is not None]
    assert told == [
        "{given: {sync_frequency: 15}, expect: pass}",
        "{given: {sync_frequency: 14}, expect: fail}",
        "{given: {sync_frequency: 15}, expect: pass}",
    ]
    lines = "\n".join(f"      - {text}" for text in told)
    whole = loaded(tmp_path, f"{rule.rstrip()}\n{lines}\n")
    ((entry, examples),) = whole.examples
    assert mutate(entry, examples).survivors == ()


def test_a_changed_rule_may_lack_what_its_message_shows(tmp_path: Path) -> None:
    rule = one_rule(
        "per: account\n"
        "assert: {unique: [service, schema]}\n"
        'message: "{service} {schema} is {actual}"\n'
        "tests: [{given: [{service: s3, schema: a}, {service: s3, schema: a}], expect: fail}]"
    )
    ((entry, examples),) = loaded(tmp_path, rule).examples
    assert [s.mutant.change for s in mutate(entry, examples).survivors] == [
        "service taken out of unique",
        "schema taken out of unique",
    ]


def test_examples_with_variables_of_their_own_test_another_rule(tmp_path: Path) -> None:
    rule = one_rule(
        "assert: {paused: false}\ntests: [{given: {paused: true}, expect: fail}]",
    )
    ((entry, (example,)),) = loaded(tmp_path, rule).examples
    assert mutate(entry, [example]).survivors == ()
    varied = Example(example.position, example.given, example.expect, varied=True)
    assert len(mutate(entry, [varied]).survivors) == 1


@pytest.mark.parametrize("pack", mostly_slow(PACKS, len(PACKS)), ids=lambda path: path.stem)
def test_the_tests_of_the_packs_notice_every_change(pack: Path) -> None:
    found = load([pack.stem])
    examples = {entry.rule.id: list(own) for entry, own in found.examples}
    beside = pack.with_suffix(".test.yaml")
    for outcome in run_test_file(beside) if beside.is_file() else ():
        examples[outcome.rule.id].append(outcome.example)
    for entry in found.ruleset.rules:
        result = mutate(entry, examples[entry.rule.id], found.ruleset.facts)
        assert [s.mutant.change for s in result.survivors] == [], entry.rule.id
