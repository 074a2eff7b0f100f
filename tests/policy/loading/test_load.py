"""Loading: every misspelt word and every wrong type is refused, where it stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor.errors import PolicyError, UsageError
from auditor.fields import FIELDS, Exposure, Kind
from auditor.policy.language.operators import FOREIGN_OPERATORS, OPERATORS
from auditor.policy.loading.documents import POLICY_KEYS, pack_names
from auditor.policy.loading.examples import KEYS as TEST_KEYS
from auditor.policy.loading.load import load
from auditor.policy.loading.resolve import OVERRIDE_KEYS
from auditor.policy.loading.rule_parser import RULE_KEYS
from auditor.resources import resource_folder
from auditor.suggest import AMBIGUOUS_PATTERNS, FOREIGN_KEYS
from tests.builders.judged import checks_of, loaded, one_rule, problems_of, written

BASE = """
policy: below
title: What is extended
vars: {floor: 15, private: [PrivateLink, SshTunnel]}
rules:
  - {id: old, severity: low, assert: {paused: false}}
  - {id: off, severity: low, assert: {paused: false}}
"""
#: A policy that uses the whole language.
KITCHEN_SINK = r"""
policy: house
title: How we run Fivetran
description: Everything at once
extends: [below.yaml]
override:
  old:
    {severity: high, title: New, message: "{schema}", why: w, fix: f, tags: [t], controls: {a: [b]}}
  off: {enabled: false, reason: we do not need it}
vars: {floor: 5}
reveal: [config.host]
extra_fields: [owner, status.owner]
rules:
  - id: everything
    title: Everything
    severity: medium
    when:
      schedule_type: auto
      sync_frequency: {exists: true}
      not: {service: [postgres, mysql]}
    assert:
      all:
        - any:
            - succeeded_at: {newer_than: {field: sync_frequency, times: 3, unit: minutes}}
            - succeeded_at: {older_than: 7d, before: now+6h, after: {field: failed_at}}
        - sync_frequency: {gte: {var: floor}, lte: 1440, gt: 1, lt: 2000}
        - sync_frequency: {not_equals: 5, not_in: [1]}
        - schema: {starts_with: raw_, ends_with: _x, glob: raw_*}
        - schema: {regex_search: '^r', regex_fullmatch: '[a-z_]+', equals_ignore_case: RAW}
        - schema: {contains: w, contains_any: [a], contains_all: [w], length: {gte: 3}}
        - networking_method: {var: private}
        - setup_tests: {any_item: {status: PASSED}, all_items: {title: {exists: true}}}
        - setup_tests: {none_items: {status: FAILED}, is_empty: false}
        - setup_tests: {count_items: {where: {status: PASSED}, is: {gte: 1}}}
        - schedule.days_of_week: {subset_of: [MONDAY, FRIDAY], any_item: {item: {in: [MONDAY]}}}
        - config.host: {json_schema: {type: string}}
        - owner: {equals: data}
        - daily_sync_time: {gte: 02:00}
        - paused: {equals: false}
    message: "{schema} and {var.floor} and {config.host}"
    why: Because
    fix: Mend it
    tags: [a, b]
    controls: {soc2: [A1.1]}
    tests:
      - given: {sync_frequency: 5, status.setup_state: broken}
        without: [daily_sync_time]
        expect: fail
        message: whatever
      - {given: {sync_frequency: null}, expect: skip}
  - {id: names, severity: low, per: [group_id, service], assert: {unique: [schema]}}
  - {id: amount, severity: low, per: group_id, assert: {count: {lte: 5}}, message: "{count}"}
  - {id: portion, severity: low, per: account, when: {paused: true}, assert: {share: {lte: 0.1}}}
"""


def _sink(folder: Path, text: str = KITCHEN_SINK) -> str:
    written(folder, BASE, "below.yaml")
    return written(folder, text)


def _refused(folder: Path, text: str) -> tuple[Any, ...]:
    with pytest.raises(PolicyError) as caught:
        load([_sink(folder, text)])
    return caught.value.problems


def test_the_whole_language_loads(tmp_path: Path) -> None:
    found = load([_sink(tmp_path)])
    assert [r.rule.id for r in found.ruleset.rules] == [
        "old",
        "everything",
        "names",
        "amount",
        "portion",
    ]
    assert found.ruleset.left_out[0].endswith("we do not need it")
    for name in OPERATORS:
        assert f"{name}:" in KITCHEN_SINK or name in {"equals", "in"}, f"{name} is not in the sink"


def test_every_pack_loads_without_a_warning() -> None:
    for name in pack_names():
        assert not load([name], strict=True).warnings


# -- one misspelt word at a time ------------------------------------------------------------

_OPEN = {"json_schema", *(path for path, field in FIELDS.items() if field.open)}
_FREE = {"vars", "override", "controls", "given", *_OPEN}


def _keys(text: str) -> list[tuple[int, int, str]]:
    """Return every key that the language gives a meaning to: line and column from 0, and name."""
    found: list[tuple[int, int, str]] = []

    def walk(node: yaml.Node, above: str) -> None:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if above not in _FREE:
                    found.append((key.start_mark.line, key.start_mark.column, key.value))
                below = "rule id" if above == "override" else key.value
                walk(value, above if above in _OPEN else below)
        elif isinstance(node, yaml.SequenceNode):
            for item in node.value:
                walk(item, above)

    walk(yaml.compose(text, Loader=yaml.SafeLoader), "")
    return found


def _misspelt(text: str, line: int, column: int, name: str) -> tuple[str, str]:
    """Return the text with one letter of a key doubled, and the wrong key."""
    last = name.rpartition(".")[2]
    wrong = name[: -len(last)] + last[0] + last
    lines = text.split("\n")
    head, tail = lines[line][:column], lines[line][column:]
    assert tail.startswith(name)
    lines[line] = head + wrong + tail.removeprefix(name)
    return "\n".join(lines), wrong


#: Any key may stand below config.
_SINK_KEYS = [found for found in _keys(KITCHEN_SINK) if found[2] != "config.host"]


@pytest.mark.parametrize(
    ("line", "column", "name"), _SINK_KEYS, ids=[f"{n}-{a}-{b}" for a, b, n in _SINK_KEYS]
)
def test_every_misspelt_key_is_refused(tmp_path: Path, line: int, column: int, name: str) -> None:
    text, wrong = _misspelt(KITCHEN_SINK, line, column, name)
    problems = _refused(tmp_path, text)
    on_line = [p for p in problems if p.position.line == line + 1] or problems
    told = " ".join(f"{p.message} {p.hint}" for p in on_line)
    if name == "policy":
        assert "this is no policy" in told
        return
    if name not in {"where", "is", "id"}:
        assert wrong in told
    assert name in told, told


def test_every_misspelt_key_of_the_packs_is_refused(tmp_path: Path) -> None:
    seen: set[str] = set()
    for pack in pack_names():
        text = (resource_folder("policies") / f"{pack}.yaml").read_text()
        for line, column, name in _keys(text):
            if name in seen or name.startswith("config."):
                continue
            seen.add(name)
            wrong, _ = _misspelt(text, line, column, name)
            try:
                load([written(tmp_path, wrong)])
            except PolicyError:
                continue
            pytest.fail(f"{pack}:{line + 1}: {name} can be misspelt")


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


# -- types ----------------------------------------------------------------------------------

_WRONG = ("3", "true", "null", "[]", "{}", "[3]", "{a: 3}", "''")
_RIGHT_TYPES = {
    "policy": (),
    "title": (),
    "description": (),
    "extends": ("[]",),
    "override": ("{}",),
    "vars": ("{}", "{a: 3}"),
    "reveal": ("[]",),
    "extra_fields": ("[]",),
    "rules": ("[]",),
}


@pytest.mark.parametrize(
    ("key", "value"),
    [(key, value) for key in POLICY_KEYS for value in _WRONG if value not in _RIGHT_TYPES[key]],
)
def test_every_wrong_type_in_a_policy_is_refused(tmp_path: Path, key: str, value: str) -> None:
    lines = [
        "policy: p",
        "rules:\n  - {id: r, severity: low, assert: {paused: false}}",
    ]
    text = "\n".join(li for li in lines if not li.startswith(f"{key}:")) + f"\n{key}: {value}\n"
    problems = problems_of(tmp_path, text)
    assert problems[-1].position.line == text.count("\n") or key == "policy", problems


_RULE = {
    "id": "rule",
    "severity": "low",
    "assert": "{paused: false}",
}
_SOUND_IN_RULE = {"tags": ("[]",), "controls": ("{}",), "tests": ("[]",)}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (key, value)
        for key in RULE_KEYS
        for value in _WRONG
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


_BY_KIND = {
    Kind.STRING: ("3", "true", "null", "[]", "[3]", "{}", "{gt: 3}", "{older_than: 7d}"),
    Kind.INTEGER: ("'3'", "x", "true", "null", "[]", "['3']", "{glob: x}", "{any_item: 3}"),
    Kind.BOOLEAN: ("no", "'true'", "1", "null", "[]", "[1]", "{gt: 1}", "[true, false]"),
    Kind.TIMESTAMP: ("2024-12-01T00:00:00Z", "{gt: x}", "{before: 2024-12-01}", "{older_than: 7}"),
    Kind.TIME_OF_DAY: ("2:00", "24:00", "120", "null", "{gt: 3}", "{older_than: 7d}"),
    Kind.ARRAY: (
        "x",
        "[x]",
        "[]",
        "3",
        "{equals: x}",
        "{gt: 3}",
        "{any_item: {}}",
        "{contains: null}",
    ),
    Kind.OBJECT: ("x", "[x]", "{}", "{equals: x}", "{contains: x}", "{any_item: {a: b}}"),
}


@pytest.mark.parametrize(
    ("path", "test"),
    [
        (path, test)
        for path, field in FIELDS.items()
        if "[]" not in path
        for test in _BY_KIND.get(field.kind, ())
    ],
)
def test_every_field_refuses_what_is_not_of_its_type(tmp_path: Path, path: str, test: str) -> None:
    problems = problems_of(tmp_path, one_rule(f"assert:\n  {path}: {test}"))
    assert {p.position.line for p in problems} == {6}


# -- nothing vacuous ------------------------------------------------------------------------


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
        ("{config.x: {json_schema: {$ref: 'file:///etc/passwd'}}}", "stands alone"),
        ("{config.x: {json_schema: {type: strin}}}", "not a JSON Schema"),
        ("{status.setup_state: Connected}", "is never Connected"),
        ("{status.setup_state: {not_in: [BROKEN]}}", "is never BROKEN"),
        ("{setup_tests: {any_item: {status: failed}}}", "is never failed"),
        ("{schedule.days_of_week: {contains: monday}}", "is never monday"),
    ],
)
def test_what_decides_nothing_or_cannot_be_decided_is_refused(
    tmp_path: Path, condition: str, told: str
) -> None:
    problems = problems_of(tmp_path, one_rule(f"assert: {condition}"))
    assert any(told in p.message for p in problems), problems


def test_a_new_value_is_a_warning_and_an_error_under_strict(tmp_path: Path) -> None:
    text = one_rule("assert: {status.setup_state: paused}")
    (warning,) = loaded(tmp_path, text).warnings
    assert "not documented" in warning.message
    (problem,) = problems_of(tmp_path, text, strict=True)
    assert problem.position.line == 5


def test_every_problem_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    text = "policy: p\nfoo: 1\nrules:\n  - {id: 1, severity: x, assert: {a: b}}\n  - {sev: low}\n"
    lines = [p.position.line for p in problems_of(tmp_path, text)]
    assert lines == sorted(lines)
    assert set(lines) == {2, 4, 5}
    assert len(lines) >= 6


def test_a_quadratic_pattern_on_a_megabyte_is_no_trouble(tmp_path: Path) -> None:
    for operator, pattern in (
        ("regex_search", "(a+)+$"),
        ("regex_fullmatch", "(a|aa)+"),
        ("regex_search", "(.*)(.*)(.*)[^a]x"),
        ("glob", "*a*a*a*b"),
    ):
        rules = loaded(tmp_path, one_rule(f"assert: {{schema: {{{operator}: '{pattern}'}}}}"))
        record = {"id": "c", "schema": "a" * 1_000_000 + "!"}
        assert checks_of(rules.ruleset, [record])["rule"].total == 1


def test_a_lone_surrogate_is_judged_and_is_no_question_mark(tmp_path: Path) -> None:
    rules = loaded(tmp_path, one_rule("assert: {schema: {regex_fullmatch: '[a-z?]+'}}")).ruleset
    assert checks_of(rules, ['{"id":"c","schema":"ab\\ud800"}'])["rule"].verdicts == b"\1"


# -- what a policy is not -------------------------------------------------------------------


def test_no_rule_at_all_is_an_error(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, "policy: p\nrules: []\n")
    assert "no rule at all" in problem.message


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
    with pytest.raises(PolicyError, match=r"stranger\.yaml:1:1: this is no policy"):
        load([f"{tmp_path}/"])


def test_an_empty_folder_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no policy in this folder"):
        load([str(tmp_path)])


def test_a_pack_is_not_a_file_and_a_file_no_pack(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean baseline"):
        load(["baselin"])
    with pytest.raises(UsageError, match="no such file"):
        load(["./baseline"])


@pytest.mark.parametrize("path", [p for p, f in FIELDS.items() if f.exposure is Exposure.SECRET])
def test_a_credential_is_asked_for_and_never_named(tmp_path: Path, path: str) -> None:
    assert loaded(tmp_path, one_rule(f"assert: {{{path}: {{exists: false}}}}")).ruleset.rules
    for body in (f"assert: {{paused: false}}\nmessage: '{{{path}}}'",):
        assert problems_of(tmp_path, one_rule(body))
    assert problems_of(tmp_path, one_rule("assert: {paused: false}", head=f"reveal: [{path}]\n"))


def test_the_sink_keys_are_all_there() -> None:
    names = {name for _, _, name in _SINK_KEYS}
    assert {*POLICY_KEYS} <= names
    assert {*RULE_KEYS} <= names
    assert {*OPERATORS} - {"in"} <= names | {"in"}
    assert not re.search(r"\t", KITCHEN_SINK)
