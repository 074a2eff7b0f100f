"""Loading: every misspelt word and every wrong type is refused at its position."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor.errors import PolicyError
from auditor.fields import FIELDS
from auditor.policy.language.operators import OPERATORS
from auditor.policy.loading.documents import POLICY_KEYS, pack_names
from auditor.policy.loading.load import load
from auditor.policy.loading.rule_parser import RULE_KEYS
from auditor.resources import resource_folder
from tests.builders.judged import problems_of, written

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
conditions: {awake: {paused: false}}
max_waiver: 90d
reveal: [config.host]
extra_fields: [steward, status.steward]
facts: {tiers: {key: schema, columns: {tier: integer}, rows: {raw: 1}, default: {tier: 2}}}
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
            - succeeded_at:
                newer_than: {field: sync_frequency, unit: days, days: schedule.days_of_week}
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
        - steward: {equals: data}
        - daily_sync_time: {gte: 02:00}
        - condition: awake
        - paused: {equals: false}
    message: "{schema} and {var.floor} and {config.host}"
    why: Because
    fix: Mend it
    tags: [a, b]
    controls: {soc2: [A1.1]}
    may_be_idle: true
    waivable: true
    tests:
      - given: {sync_frequency: 5, status.setup_state: broken}
        without: [daily_sync_time]
        expect: fail
        message: whatever
      - {given: {sync_frequency: null}, expect: skip}
  - {id: names, severity: low, per: [group_id, service], assert: {unique: [schema]}}
  - id: amount
    severity: low
    per: group_id
    unless: {schema: everything}
    groups: {group_id: {glob: [prod_*, 'p?']}}
    assert: {count: {lte: 5}}
    message: "{count}"
  - id: total
    severity: low
    per: group_id
    when: {sync_frequency: {exists: true, between: [1, 1440]}}
    assert: {sum: {sync_frequency: {gte: 15}}}
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
        "total",
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
#: Below these stand names of the user's own, and keys of rows.
_FREE = {"vars", "override", "controls", "given", "facts", "rows", "conditions", *_OPEN}


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


#: Any key may stand below config, and facts and their rows are called as their author likes.
_ANYTHING = {"config.host", "tiers", "raw"}
_SINK_KEYS = [found for found in _keys(KITCHEN_SINK) if found[2] not in _ANYTHING]


@pytest.mark.parametrize(
    ("line", "column", "name"), _SINK_KEYS, ids=[f"{n}-{a}-{b}" for a, b, n in _SINK_KEYS]
)
def test_every_misspelt_key_is_refused(tmp_path: Path, line: int, column: int, name: str) -> None:
    text, wrong = _misspelt(KITCHEN_SINK, line, column, name)
    problems = _refused(tmp_path, text)
    on_line = [p for p in problems if p.position.line == line + 1] or problems
    told = " ".join(f"{p.message} {p.hint}" for p in on_line)
    if name == "policy":
        assert "this is not a policy" in told
        return
    if name not in {"where", "is", "id"}:
        assert wrong in told
    assert name in told, told


@pytest.mark.slow
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


# -- types ----------------------------------------------------------------------------------


# -- nothing vacuous ------------------------------------------------------------------------


def test_every_problem_of_a_file_is_reported_at_once(tmp_path: Path) -> None:
    text = "policy: p\nfoo: 1\nrules:\n  - {id: 1, severity: x, assert: {a: b}}\n  - {sev: low}\n"
    lines = [p.position.line for p in problems_of(tmp_path, text)]
    assert lines == sorted(lines)
    assert set(lines) == {2, 4, 5}
    assert len(lines) >= 6


# -- what a policy is not -------------------------------------------------------------------


def test_the_sink_keys_are_all_there() -> None:
    names = {name for _, _, name in _SINK_KEYS}
    assert {*POLICY_KEYS} <= names
    assert {*RULE_KEYS} <= names
    assert {*OPERATORS} - {"in"} <= names | {"in"}
    assert not re.search(r"\t", KITCHEN_SINK)
