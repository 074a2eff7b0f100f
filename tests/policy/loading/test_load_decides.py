"""A rule that decides nothing does not load; what weakens a policy is reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.policy.loading.load import load, load_policies
from tests.builders.one_rule_files import policy, refused

# -- letters that look like a pattern -----------------------------------------------------------


@pytest.mark.parametrize(
    "assertion",
    [
        'schema: "tmp_*"',
        'schema: ["tmp_*", x]',
        'not: {schema: "tmp_*"}',
        'service: {not_in: ["*_ads"]}',
        'service: {in: ["?x"]}',
        'schema: {starts_with: "tmp_*"}',
        'schema: {not_equals: "a*"}',
        'schema: {contains: "*"}',
        'schema: {equals_ignore_case: "A*"}',
        "schema: {var: pattern}",
        "schema: [{var: pattern}, x]",
    ],
)
@pytest.mark.parametrize("where", ["when", "assert"])
def test_a_pattern_written_as_a_value_is_refused(
    tmp_path: Path, assertion: str, where: str
) -> None:
    rule = f"assert: {{{assertion}}}"
    if where == "when":
        rule = f"when: {{{assertion}}}, assert: {{paused: false}}"
    head = 'vars: {pattern: "x*"}\n' if "var:" in assertion else ""
    assert "write glob: for a pattern; equals: says" in refused(policy(tmp_path, rule, head))


def test_a_template_written_as_a_value_is_refused(tmp_path: Path) -> None:
    said = refused(policy(tmp_path, 'assert: {schema: {starts_with: "{group_id}_"}}'))
    assert "write {field: group_id}; equals: says that the braces are meant" in said


@pytest.mark.parametrize(
    "assertion",
    [
        'schema: {equals: "a*b"}',
        'schema: {equals: "{group_id}"}',
        'schema: {glob: "a*"}',
        'schema: {regex_search: "a*b"}',
        'schema.cron: "0 * * * *"'.replace("schema", "schedule"),
        'config.query: "select * from t"',
        'schema: "{nothing}"',
    ],
)
def test_what_is_meant_so_can_be_said(tmp_path: Path, assertion: str) -> None:
    assert load_policies(str(policy(tmp_path, f"assert: {{{assertion}}}"))).rules


# -- bounds ---------------------------------------------------------------------------------------


# -- variables ------------------------------------------------------------------------------------

FLOOR = "assert: {sync_frequency: {gte: {var: floor}}}"


def test_a_variable_that_nothing_reads_is_refused(tmp_path: Path) -> None:
    said = refused(
        policy(tmp_path, "assert: {paused: false}", "extends: [baseline]\nvars: {sync_flor: 60}\n")
    )
    assert "nothing reads the variable sync_flor (did you mean sync_floor?)" in said


@pytest.mark.parametrize(
    "rule",
    [
        FLOOR,
        'assert: {paused: false}, message: "{var.floor}"',
    ],
)
def test_what_is_read_anywhere_is_read(tmp_path: Path, rule: str) -> None:
    assert load_policies(str(policy(tmp_path, rule, "vars: {floor: 5}\n"))).rules


def test_what_a_disabled_rule_reads_is_read(tmp_path: Path) -> None:
    policy(tmp_path, FLOOR, "vars: {floor: 5}\n", "below.yaml")
    head = "extends: [below.yaml]\noverride: {below-rule: {enabled: false, reason: not ours}}\n"
    assert load_policies(str(policy(tmp_path, "assert: {paused: false}", head))).rules


@pytest.mark.parametrize(
    ("given", "items"),
    [
        ("a,b", ["a", "b"]),
        ("[a, b]", ["a", "b"]),
        ('["a,b"]', ["a,b"]),
        ("a, b", ["a", "b"]),
    ],
)
def test_a_list_is_read_as_a_policy_file_reads_it(
    tmp_path: Path, given: str, items: list[str]
) -> None:
    path = policy(tmp_path, "assert: {service: {in: {var: known}}}", "vars: {known: [x]}\n")
    (rule,) = load_policies(str(path), variables={"known": given}).rules
    assert rule.assertion.operand.value == tuple(items)  # type: ignore[union-attr]


@pytest.mark.parametrize("given", ["[a, b", "[]", "{a: 1}", "[1]", '"x"', "[a, [b]]"])
def test_a_value_that_should_be_a_list_is_refused(tmp_path: Path, given: str) -> None:
    path = policy(tmp_path, "assert: {service: {in: {var: known}}}", "vars: {known: [x]}\n")
    assert refused(path, known=given).startswith("--var known: ")


# -- what was made weaker -------------------------------------------------------------------------


def test_what_a_policy_changes_of_another_is_reported(tmp_path: Path) -> None:
    head = (
        "extends: [baseline]\nvars: {sync_floor: 1}\n"
        "override:\n  setup-connected: {severity: low}\n"
    )
    notes = load_policies(str(policy(tmp_path, "assert: {paused: false}", head))).notes
    assert any("sets the variable sync_floor to 1 (" in n and n.endswith(" has 15)") for n in notes)
    assert any("sets the severity of setup-connected to low" in n for n in notes)


def test_what_the_command_line_changes_is_reported(tmp_path: Path) -> None:
    path = policy(tmp_path, FLOOR, "vars: {floor: 5}\n")
    (note,) = load_policies(str(path), variables={"floor": "1"}).notes
    assert note == f"--var sets the variable floor to 1 ({path} has 5)"
    assert load_policies(str(path), variables={"floor": "5"}).notes == ()


def test_to_disable_a_rule_wants_a_reason(tmp_path: Path) -> None:
    head = "extends: [baseline]\noverride: {auto-schedule: {enabled: false}}\n"
    loaded = load([str(policy(tmp_path, "assert: {paused: false}", head))])
    (warning,) = loaded.warnings
    assert "auto-schedule is disabled without a reason" in str(warning)
