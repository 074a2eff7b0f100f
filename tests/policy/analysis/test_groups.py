"""What is reported of rules on groups, and never contradicted by judging groups."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from auditor.errors import PolicyError
from auditor.model import Verdict
from auditor.policy.analysis.claims import claims
from auditor.policy.language.rules import Ruleset
from auditor.policy.loading.load import load_policies
from tests.builders.judged import outcome_of, written
from tests.builders.slow import tries


def _rules(folder: Path, *rules: str) -> Ruleset:
    lines = [f"  - {{id: {chr(97 + n)}, severity: low, {rule}}}" for n, rule in enumerate(rules)]
    return load_policies(written(folder, "\n".join(["policy: p", "rules:", *lines, ""])))


def told(folder: Path, *rules: str) -> list[str]:
    """Return what is reported of the rules, the first called a, the second b."""
    return [problem.message for problem in claims(_rules(folder, *rules).rules)]


ACTIVE = "per: group_id, when: {paused: false}"


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("per: account, assert: {unique: [service, id]}", "can never fail: no two connections"),
        ("per: [service, id], assert: {unique: [schema]}", "can never fail: no two connections"),
        ("per: group_id, assert: {unique: [group_id, schema]}", "a: group_id decides nothing"),
        ("per: group_id, assert: {share: {lte: 0.5}}", "a fails for every group: without a when"),
        ("per: group_id, assert: {share: {gte: 0.5}}", "a can never fail: without a when"),
        ("per: group_id, assert: {count: {gte: 1}}", "a can never fail: without a when"),
        ("per: group_id, assert: {count: 0}", "a fails for every group: without a when"),
    ],
)
def test_a_rule_that_no_group_can_fail_or_satisfy(tmp_path: Path, rule: str, said: str) -> None:
    (message,) = told(tmp_path, rule)
    assert said in message


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("count: {gte: 5}", "count: {lte: 3}"),
        ("share: {gte: 0.6}", "share: {lt: 0.5}"),
        ("sum: {sync_frequency: {gt: 100}}", "sum: {sync_frequency: {between: [5, 100]}}"),
        ("count: [2, 4]", "count: [3, 5]"),
    ],
)
def test_two_rules_that_no_group_satisfies(tmp_path: Path, first: str, second: str) -> None:
    (message,) = told(tmp_path, f"{ACTIVE}, assert: {{{first}}}", f"{ACTIVE}, assert: {{{second}}}")
    assert message.startswith("no group can satisfy b and a, at ")


@pytest.mark.parametrize(
    ("strong", "weak"),
    [
        ("count: {lte: 3}", "count: {lte: 5}"),
        ("share: {lte: 0.1}", "share: {lt: 0.2}"),
        ("min: {sync_frequency: {gte: 60}}", "min: {sync_frequency: {gt: 15}}"),
        ("unique: [schema]", "unique: [schema, service]"),
        ("unique: [schema]", "unique: [schema]"),
        ("count: {gt: 2}", "count: {gte: 3}"),
    ],
)
def test_a_rule_that_says_nothing_of_its_own(tmp_path: Path, strong: str, weak: str) -> None:
    rules = (f"{ACTIVE}, assert: {{{strong}}}", f"{ACTIVE}, assert: {{{weak}}}")
    (message,) = told(tmp_path, *rules)
    assert message.startswith("b is redundant: every group that fails it also fails a, at ")
    lines = [
        f"  - {{id: a, severity: low, {rules[0]}}}",
        f"  - {{id: b, severity: high, {rules[1]}}}",
    ]
    ruleset = load_policies(written(tmp_path, "\n".join(["policy: p", "rules:", *lines, ""])))
    found = [problem.message for problem in claims(ruleset.rules)]
    # Where both say the same the lesser one says nothing; a graver one is a second tier.
    assert all(text.startswith("a is redundant") for text in found)


@pytest.mark.parametrize(
    "rules",
    [
        ("per: account, assert: {count: {gte: 1}}",),
        (f"{ACTIVE}, assert: {{count: {{gte: 1}}}}",),
        (f"{ACTIVE}, assert: {{count: {{gte: 5}}}}", "per: service, assert: {count: {lte: 3}}"),
        (
            f"{ACTIVE}, assert: {{count: {{gte: 5}}}}",
            "per: group_id, when: {paused: true}, assert: {count: {lte: 3}}",
        ),
        (f"{ACTIVE}, assert: {{count: {{gte: 1}}}}", f"{ACTIVE}, assert: {{count: {{lte: 3}}}}"),
        (f"{ACTIVE}, assert: {{unique: [schema]}}", f"{ACTIVE}, assert: {{unique: [service]}}"),
        (
            f"{ACTIVE}, assert: {{min: {{sync_frequency: {{gte: 60}}}}}}",
            f"{ACTIVE}, assert: {{max: {{sync_frequency: {{lte: 30}}}}}}",
        ),
        (
            f"{ACTIVE}, assert: {{share: {{lte: 0.5}}}}",
            f"{ACTIVE}, assert: {{share: {{gte: 0.2}}}}",
        ),
        (
            f"{ACTIVE}, assert: {{sum: {{sync_frequency: {{gt: 1}}}}}}",
            f"{ACTIVE}, assert: {{sum: {{sync_frequency: {{lt: 2}}}}}}",
        ),
    ],
)
def test_sound_rules_are_not_accused(tmp_path: Path, rules: tuple[str, ...]) -> None:
    assert told(tmp_path, *rules) == []


_COUNTS = st.dictionaries(
    st.sampled_from(("gt", "gte", "lt", "lte", "equals", "not_equals")),
    st.integers(0, 4),
    min_size=1,
    max_size=2,
)
_SHARES = st.dictionaries(
    st.sampled_from(("gt", "gte", "lt", "lte")),
    st.sampled_from((0.25, 0.5, 0.75)),
    min_size=1,
    max_size=2,
)
_MEASURED = st.one_of(
    _COUNTS.map(lambda tests: {"count": tests}),
    _SHARES.map(lambda tests: {"share": tests}),
    _COUNTS.map(lambda tests: {"sum": {"sync_frequency": tests}}),
    _COUNTS.map(lambda tests: {"max": {"sync_frequency": tests}}),
    st.lists(
        st.sampled_from(("schema", "service", "group_id")), min_size=1, max_size=2, unique=True
    ).map(lambda paths: {"unique": paths}),
)
_RECORDS = st.lists(
    st.fixed_dictionaries(
        {
            "group_id": st.sampled_from(("g", "h")),
            "service": st.sampled_from(("a", "b")),
            "schema": st.sampled_from(("x", "y")),
            "paused": st.booleans(),
            "sync_frequency": st.sampled_from((0, 1, 2, 3, 4, 2.5, None)),
        }
    ),
    min_size=1,
    max_size=6,
)


@settings(
    max_examples=tries(150),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(st.tuples(_MEASURED, _MEASURED), st.sampled_from((None, False, True)), _RECORDS)
def test_what_is_reported_is_never_contradicted(
    tmp_path: Path, assertions: tuple[Any, Any], when: bool | None, records: list[dict[str, Any]]
) -> None:
    rules = [
        {"id": name, "severity": "low", "per": "group_id", "assert": assertion}
        | ({} if when is None else {"when": {"paused": when}})
        for name, assertion in zip("ab", assertions, strict=True)
    ]
    path = written(tmp_path, json.dumps({"policy": "p", "rules": rules}))
    try:
        ruleset = load_policies(path)
    except PolicyError:
        assume(False)
    found = [problem.message for problem in claims(ruleset.rules)]
    texts = [json.dumps({"id": f"c{n}", **record}) for n, record in enumerate(records)]
    verdicts: dict[str, dict[Any, set[Verdict]]] = {"a": {}, "b": {}}
    for entry, outcomes in outcome_of(ruleset, texts).groups:
        for outcome in outcomes:
            verdicts[entry.rule.id].setdefault(outcome.key, set()).add(outcome.verdict)
    for message in found:
        _hold(message, verdicts)


def _hold(message: str, verdicts: dict[str, dict[Any, set[Verdict]]]) -> None:
    name = message[0]
    if "can never fail" in message:
        assert not any(Verdict.FAIL in each for each in verdicts[name].values())
    elif "fails for every group" in message:
        assert not any(Verdict.PASS in each for each in verdicts[name].values())
    elif message.startswith("no group can satisfy"):
        for key, each in verdicts["a"].items():
            assert not (each == {Verdict.PASS} and verdicts["b"][key] == {Verdict.PASS})
    elif "is redundant" in message:
        other = "a" if name == "b" else "b"
        for key, each in verdicts[name].items():
            assert Verdict.FAIL not in each or Verdict.FAIL in verdicts[other][key]


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        ("per: account, unique: [schema]", "per: group_id, unique: [schema]", "b is redundant"),
        ("per: group_id, unique: [schema]", "per: account, unique: [schema]", "a is redundant"),
        ("per: service, unique: [schema]", "per: account, unique: [schema, service]", "b is"),
        ("per: group_id, unique: [schema]", "per: service, unique: [schema]", ""),
        ("per: account, unique: [schema, service]", "per: group_id, unique: [schema]", ""),
    ],
)
def test_what_is_unique_in_the_whole_is_unique_in_each_part(
    tmp_path: Path, one: str, other: str, told: str
) -> None:
    rules = []
    for name, text in (("a", one), ("b", other)):
        per, unique = text.split(", ", 1)
        rules.append(f"  - {{id: {name}, severity: low, {per}, assert: {{{unique}}}}}\n")
    ruleset = load_policies(written(tmp_path, f"policy: p\nrules:\n{''.join(rules)}"))
    found = [problem.message for problem in claims(ruleset.rules)]
    assert len(found) == bool(told)
    assert all(message.startswith(told) for message in found)
