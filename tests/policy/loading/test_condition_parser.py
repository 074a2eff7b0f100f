"""Conditions: what decides nothing, or cannot be decided, is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.fields import FIELDS, Exposure
from tests.builders.judged import loaded, one_rule, problems_of


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("{}", "an empty condition"),
        ("{all: []}", "an empty list"),
        ("{any: []}", "an empty list"),
        ("{any: {paused: true}}", "takes a list"),
        ("{not: {}}", "an empty condition"),
        ("{not: {paused: true, schema: x}}", "exactly one test"),
        ("{not: {sync_frequency: {gt: 1, lt: 3}}}", "exactly one test"),
        ("{schema: {}}", "an empty test"),
        ("{schema: []}", "an empty list"),
        ("{schema: {in: []}}", "an empty list"),
        ("{schema: {contains: ''}}", "holds for every text"),
        ("{schema: {starts_with: ''}}", "holds for every text"),
        ("{schema: {regex_search: ''}}", "holds for every text"),
        ("{schema: {regex_search: 'a*'}}", "matches every text"),
        ("{schema: {regex_fullmatch: '.*'}}", "matches every text"),
        ("{schema: {glob: '**'}}", "matches every text"),
        ('{schema: {regex_search: "\\bx"}}', "a control character"),
        ('{schema: {glob: "a\\tb"}}', "a control character"),
        ("{schema: {regex_search: '(?=a)b'}}", "linear time"),
        ("{schema: {regex_search: '(?<!a)b'}}", "linear time"),
        (r"{schema: {regex_search: '(a)\1'}}", "linear time"),
        ("{schema: {regex_search: '(a{1000}){1000}'}}", "linear time"),
        ("{sync_frequency: {gte: {field: sync_frequency}}}", "compared with itself"),
        ("{schema: {length: {gte: {field: sync_frequency}}}}", "compared with a number"),
        ("{created_at: {after: now+999999w}}", "over 100 years"),
        ("{setup_tests.status: FAILED}", "is an array"),
        ("{'setup_tests[].status': FAILED}", "is an array"),
        ("{status.tasks.code: x}", "is an array"),
        ("{setup_tests: {contains: FAILED}}", "is an object"),
        ("{setup_tests: {any_item: FAILED}}", "is an object"),
        ("{schema: {field: setup_tests}}", "is an array"),
        ("{schema: {field: connect_card.token}}", "a live credential"),
        ("{connect_card.token: x}", "a live credential"),
        ("{connect_card: {is_empty: false}}", "a live credential"),
        ("{config.x: {json_schema: {pattern: (a+)+$}}}", "no patterns"),
        ("{config.x: {json_schema: {$ref: 'file:///etc/passwd'}}}", "cannot refer to others"),
        ("{config.x: {json_schema: {type: strin}}}", "not a JSON Schema"),
        ("{status.setup_state: Connected}", "is never Connected"),
        ("{status.setup_state: {not_in: [BROKEN]}}", "is never BROKEN"),
        ("{setup_tests: {any_item: {status: failed}}}", "is never failed"),
        ("{schedule.days_of_week: {contains: monday}}", "is never monday"),
        ("{not: {service: {glob: 'Post*'}}}", "has no capital letters"),
        ("{not: {service: {contains_any: [my, Postgres]}}}", "has no capital letters"),
        ("{not: {service: {starts_with: Post}}}", "has no capital letters"),
        ("{not: {networking_method: {starts_with: [direct, Private]}}}", "starts with direct"),
        ("{not: {networking_method: {glob: '*link'}}}", "matches *link"),
        ("{not: {status.setup_state: {regex_search: Broken}}}", "matches Broken somewhere"),
        ("{setup_tests: {none_items: {status: {glob: '*failed'}}}}", "matches *failed"),
    ],
)
def test_what_decides_nothing_or_cannot_be_decided_is_refused(
    tmp_path: Path, condition: str, told: str
) -> None:
    problems = problems_of(tmp_path, one_rule(f"assert: {condition}"))
    assert any(told in p.message for p in problems), problems


@pytest.mark.parametrize(
    "condition",
    [
        "{not: {service: {glob: '[Pp]ost*'}}}",
        "{not: {service: {equals_ignore_case: Postgres}}}",
        "{not: {service: {regex_search: '(?i)Postgres'}}}",
        "{networking_method: {glob: '*Link'}}",
        "{not: {status.setup_state: {regex_search: '(?i)Broken'}}}",
        "{networking_method: {equals_ignore_case: directly}}",
        "{not: {schema: {contains: Tmp}}}",
    ],
)
def test_a_part_that_some_value_may_have_is_taken(tmp_path: Path, condition: str) -> None:
    found = loaded(tmp_path, one_rule(f"assert: {condition}"))
    assert not [each for each in found.warnings if "documented" in str(each)]


@pytest.mark.parametrize("test", ["starts_with: dead", "glob: 'dead*'", "regex_search: dead"])
def test_a_part_that_no_documented_value_has_is_a_warning(tmp_path: Path, test: str) -> None:
    found = loaded(tmp_path, one_rule(f"assert: {{not: {{status.setup_state: {{{test}}}}}}}"))
    (warning,) = [each for each in found.warnings if "documented" in str(each)]
    assert "no documented value of status.setup_state" in warning.message


_CREDENTIALS = [
    path for path, field in FIELDS.items() if field.exposure is Exposure.SECRET and "[]" not in path
]


@pytest.mark.parametrize("path", _CREDENTIALS)
def test_a_credential_is_asked_for_and_never_named(tmp_path: Path, path: str) -> None:
    array, of_items, inner = path.partition("[].")
    asked = f"{{any_item: {{{inner}: {{exists: false}}}}}}" if of_items else "{exists: false}"
    assert loaded(tmp_path, one_rule(f"assert: {{{array}: {asked}}}")).ruleset.rules
    for body in (f"assert: {{paused: false}}\nmessage: '{{{path}}}'",):
        assert problems_of(tmp_path, one_rule(body))
    assert problems_of(tmp_path, one_rule("assert: {paused: false}", head=f"reveal: ['{path}']\n"))
