"""Mistakes in conditions, and what to write instead."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from auditor.fields import FIELDS
from auditor.policy.language.operators import FOREIGN_OPERATORS, OPERATORS
from auditor.policy.loading.documents import POLICY_KEYS
from auditor.policy.loading.examples import KEYS as TEST_KEYS
from auditor.policy.loading.resolve import OVERRIDE_KEYS
from auditor.policy.loading.rule_parser import RULE_KEYS
from auditor.suggest import AMBIGUOUS_PATTERNS, FOREIGN_FIELDS, FOREIGN_KEYS, VALUES_OF
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


# -- names that people bring ----------------------------------------------------------------------

#: What somebody wrote who knows the API, Terraform, dbt, Checkov, Custodian, Rego or jq; the hint;
#: and what it comes to when the hint is followed to the letter.
BROUGHT = [
    ("{service: {not: ftp}}", "not: {service: …}", "{not: {service: ftp}}"),
    ("{service: {any: ftp}}", "any: [{service: …}, …]", "{any: [{service: ftp}, {paused: false}]}"),
    (
        "{schema: {not_contains: x}}",
        "not: {schema: {contains: …}}",
        "{not: {schema: {contains: x}}}",
    ),
    (
        "{schema: {notContains: x}}",
        "not: {schema: {contains: …}}",
        "{not: {schema: {contains: x}}}",
    ),
    ("{schema: {not_like: 'x*'}}", "not: {schema: {glob: …}}", "{not: {schema: {glob: 'x*'}}}"),
    ("{schema: {not_startswith: x}}", "{starts_with: …}", "{not: {schema: {starts_with: x}}}"),
    ("{schema: {ni: [x]}}", "did you mean not_in?", "{schema: {not_in: [x]}}"),
    ("{schema: {absent: true}}", "did you mean exists: false?", "{schema: {exists: false}}"),
    ("{sync_frequency: {min: 5}}", "did you mean gte?", "{sync_frequency: {gte: 5}}"),
    ("{schema: {op: eq}}", "the operator is the key", "{schema: {equals: x}}"),
    ("{and: [{paused: false}]}", "write all: [", "{all: [{paused: false}]}"),
    ("{allOf: [{paused: false}]}", "write all: [", "{all: [{paused: false}]}"),
    ("{or: [{paused: false}]}", "write any: [", "{any: [{paused: false}]}"),
    ("{none_of: [{paused: true}]}", "write not: {any: [", "{not: {any: [{paused: true}]}}"),
    ("{destination_id: g}", "did you mean group_id?", "{group_id: g}"),
    ("{connector_type: postgres}", "did you mean service?", "{service: postgres}"),
    ("{type: postgres}", "did you mean service?", "{service: postgres}"),
    ("{created_by: u}", "did you mean connected_by?", "{connected_by: u}"),
    ("{connection_id: c}", "did you mean id?", "{id: c}"),
    ("{name: x}", "did you mean schema?", "{schema: x}"),
    ("{group: g}", "did you mean group_id?", "{group_id: g}"),
    ("{region: x}", "did you mean destination.region?", "{destination.region: x}"),
    ("{connected_by: {email: x}}", "owner.email", "{owner.email: x}"),
    ("{owner: {email: x}}", "owner.email", "{owner.email: x}"),
    ("{status: connected}", "status.setup_state?", "{status.setup_state: connected}"),
    ("{last_sync: {older_than: 7d}}", "succeeded_at?", "{succeeded_at: {older_than: 7d}}"),
    ("{frequency: 5}", "did you mean sync_frequency?", "{sync_frequency: 5}"),
    ("{failed_at: null}", "failed_at: {exists: false}", "{failed_at: {exists: false}}"),
    ("{enabled: true}", "write paused: false", "{paused: false}"),
    ("{schema: {regex_search: '(abc'}}", "backslash", "{schema: {regex_search: '\\(abc'}}"),
]


@pytest.mark.parametrize(("wrong", "hint", "followed"), BROUGHT)
def test_a_name_that_people_bring_gets_the_right_word(
    tmp_path: Path, wrong: str, hint: str, followed: str
) -> None:
    problems = problems_of(tmp_path, one_rule(f"assert: {wrong}"))
    assert hint in problems[0].hint, problems
    assert loaded(tmp_path, one_rule(f"assert: {followed}")).ruleset.rules


def test_look_around_alone_is_told_of_where_there_is_some(tmp_path: Path) -> None:
    for pattern, told in (("(?=abc)", True), (r"(a)\1", True), ("a)", False), ("[a", False)):
        (problem,) = problems_of(
            tmp_path, one_rule(f"assert: {{schema: {{regex_search: '{pattern}'}}}}")
        )
        assert ("look-around" in problem.hint) is told, problem


@pytest.mark.parametrize("foreign", [FOREIGN_FIELDS, VALUES_OF])
def test_every_field_that_a_hint_names_is_one(foreign: dict[str, str]) -> None:
    known = {path for path, field in FIELDS.items()} | {"config.host"}
    assert set(foreign.values()) <= known
    assert not foreign.keys() & (FIELDS.keys() - VALUES_OF.keys())


@pytest.mark.parametrize("sign", ['"', "\\", "\t", "\x1f"])
def test_a_path_that_no_decoder_can_read_is_refused(tmp_path: Path, sign: str) -> None:
    for head, path in (("", "config."), ("extra_fields: [fresh]\n", "fresh.")):
        name = json.dumps(f"{path}ho{sign}st")
        problems = problems_of(
            tmp_path, one_rule(f"assert: {{{name}: {{exists: true}}}}", head=head)
        )
        assert "cannot contain quotes" in problems[0].hint, problems
    head = f"extra_fields: [{json.dumps(f'ho{sign}st')}]\n"
    assert problems_of(tmp_path, one_rule("assert: {paused: false}", head=head))
