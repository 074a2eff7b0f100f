"""Laws of judging: they hold for any policy and any record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from auditor.decoding.records import Shape
from auditor.errors import PolicyError
from auditor.fields import FIELDS, Kind
from auditor.model import Verdict
from auditor.policy.judging.reasons import reasons_of
from auditor.policy.language.conditions import Named, evaluate, reach
from auditor.policy.language.rules import PolicyRule, Ruleset
from auditor.policy.loading.load import load
from tests.builders.judged import NOW, checks_of, named, outcome_of, written
from tests.builders.slow import tries
from tests.builders.strategies import PATHS, conditions, records

_QUICK = settings(
    max_examples=tries(60),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
_RULES = st.lists(st.tuples(st.none() | conditions(), conditions()), min_size=1, max_size=4)
_RECORDS = st.lists(records(), min_size=1, max_size=6)
_TRUTH = {True: Verdict.PASS, False: Verdict.FAIL, None: Verdict.ERROR}


#: What is said of a generated condition that could decide nothing; it is no policy, and no law's.
_DECIDES_NOTHING = ("holds of every one", "holds of none", "can never both hold", "unlike types")


def _sound(paths: list[str]) -> Ruleset:
    """Load policies; one that only holds a test which decides nothing is not looked at."""
    try:
        return load(paths).ruleset
    except PolicyError as error:
        told = [problem.message for problem in error.problems]
        assume(not all(any(word in text for word in _DECIDES_NOTHING) for text in told))
        raise


def _ruleset(folder: Path, rules: list[tuple[dict[str, Any] | None, dict[str, Any]]]) -> Ruleset:
    # JSON is YAML, so that what was generated is read as it was meant.
    body = [
        {"id": f"r{number}", "severity": "low", "assert": assertion}
        | ({} if when is None else {"when": when})
        for number, (when, assertion) in enumerate(rules)
    ]
    path = written(folder, json.dumps({"policy": "p", "rules": body}))
    return _sound([path])


#: Rules on groups: what their members are, and what must hold of them.
_GROUPED = st.lists(
    st.tuples(
        st.sampled_from(("group_id", "account", "service")),
        st.none() | conditions(),
        st.sampled_from(
            (
                {"count": {"gte": 1}},
                {"count": {"lte": 2}},
                {"share": {"lte": 0.5}},
                {"unique": ["schema"]},
                {"sum": {"sync_frequency": {"lte": 60}}},
                {"min": {"sync_frequency": {"gte": 1}}},
                {"max": {"service_version": {"between": [0, 1]}}},
            )
        ),
    ),
    max_size=2,
)


def _files(folder: Path, rules: list[Any], grouped: list[Any]) -> list[str]:
    """Return two policy files: the rules on single connections, and those on groups."""
    first = [
        {"id": f"r{n}", "severity": "low", "assert": a} | ({} if when is None else {"when": when})
        for n, (when, a) in enumerate(rules)
    ]
    second = [
        {"id": f"g{n}", "severity": "low", "per": per, "assert": a}
        | ({} if when is None else {"when": when})
        for n, (per, when, a) in enumerate(grouped)
    ] or [{"id": "g", "severity": "low", "per": "account", "assert": {"count": {"gte": 1}}}]
    paths = []
    for name, body in (("first", first), ("second", second)):
        path = folder / f"{name}.yaml"
        path.write_text(json.dumps({"policy": name, "rules": body}), encoding="utf-8")
        paths.append(str(path))
    return paths


def _verdicts(rules: Ruleset, texts: list[str], **options: Any) -> dict[str, bytes]:
    return {name: c.verdicts for name, c in checks_of(rules, texts, **options).items()}


@_QUICK
@given(_RULES, _RECORDS)
def test_the_compiled_judge_agrees_with_the_plain_reading(
    tmp_path: Path, rules: list[Any], texts: list[str]
) -> None:
    _agree(tmp_path, rules, texts)


def _agree(folder: Path, rules: list[Any], texts: list[str]) -> None:
    ruleset = _ruleset(folder, rules)
    shape = Shape(*ruleset.reads())
    items = shape.array(f"[{','.join(texts)}]".encode())
    verdicts = _verdicts(ruleset, texts)
    for entry in ruleset.rules:
        assert isinstance(entry, PolicyRule)
        for index, item in enumerate(items):

            def get(path: str, item: Any = item) -> Any:
                return reach(item, path)

            applies = True if entry.when is None else evaluate(entry.when, get, NOW)
            if applies is True:
                expected = _TRUTH[evaluate(entry.assertion, get, NOW)]
            else:
                expected = Verdict.SKIP if applies is False else Verdict.ERROR
            assert verdicts[entry.rule.id][index] == expected


@_QUICK
@given(
    _RULES,
    _GROUPED,
    _RECORDS,
    st.lists(st.integers(0, 4), max_size=3),
    st.randoms(use_true_random=False),
)
def test_pages_order_files_and_neighbours_change_no_verdict(
    tmp_path: Path,
    rules: list[Any],
    grouped: list[Any],
    texts: list[str],
    pages: list[int],
    random: Any,
) -> None:
    files = _files(tmp_path, rules, grouped)
    ruleset = _sound(files)
    together = _verdicts(ruleset, texts)
    assert _verdicts(_sound(files[::-1]), texts) == together
    assert _verdicts(ruleset, texts, pages=pages) == together
    shuffled = list(ruleset.rules)
    random.shuffle(shuffled)
    assert _verdicts(Ruleset(tuple(shuffled), ()), texts) == together
    for entry in ruleset.rules:
        assert _verdicts(Ruleset((entry,), ()), texts) == {entry.rule.id: together[entry.rule.id]}
    backwards = _verdicts(ruleset, texts[::-1])
    assert {name: row[::-1] for name, row in backwards.items()} == together


@_QUICK
@given(_RULES, _RECORDS, st.lists(st.integers(0, 4), max_size=3), st.sampled_from(("", "why")))
def test_what_is_described_page_by_page_is_what_is_described_at_the_end(
    tmp_path: Path, rules: list[Any], texts: list[str], pages: list[int], note: str
) -> None:
    ruleset = _ruleset(tmp_path, rules)
    names = named(*(f"c{n}" for n in range(len(texts))))
    told = []
    for described in (True, False):
        outcome = outcome_of(ruleset, texts, pages=pages, described=described)
        assert len(outcome.described) == (len(outcome.found) if described else 0)
        outcome = outcome.reconsidered(lambda _violation: (Verdict.WAIVED, note))
        told.append(([*outcome.findings(names)], reasons_of(outcome)))
    assert told[0] == told[1]


@_QUICK
@given(_RULES, _RECORDS)
def test_every_check_has_one_verdict_and_every_failure_a_finding(
    tmp_path: Path, rules: list[Any], texts: list[str]
) -> None:
    ruleset = _ruleset(tmp_path, rules)
    outcome = outcome_of(ruleset, texts)
    checks = {c.rule.id: c for c in outcome.checks()}
    for c in checks.values():
        assert sum(c.counts.values()) == c.total == len(texts)
    names = named(*(f"c{n}" for n in range(len(texts))))
    findings = outcome.findings(names)
    told = [(f.rule.id, f.verdict, int(f.connections[0].id[1:])) for f in findings]
    expected = [
        (name, Verdict(v), n)
        for name, c in checks.items()
        for n, v in enumerate(c.verdicts)
        if v in {Verdict.FAIL, Verdict.ERROR}
    ]
    assert told == expected
    for finding in findings:
        assert finding.message.strip()
        assert finding.evidence
        assert len(set(finding.evidence)) == len(finding.evidence)
        for evidence in finding.evidence:
            assert evidence.field
            assert evidence.actual.strip() or '""' in evidence.actual
            assert evidence.expected.strip()


@_QUICK
@given(conditions(), _RECORDS)
def test_a_double_negation_changes_nothing(
    tmp_path: Path, condition: dict[str, Any], texts: list[str]
) -> None:
    once = {"not": {"all": [condition, condition]}}
    verdicts = _verdicts(_ruleset(tmp_path, [(None, condition), (None, {"not": once})]), texts)
    assert verdicts["r0"] == verdicts["r1"]
    negated = _verdicts(_ruleset(tmp_path, [(None, once)]), texts)["r0"]
    swap = bytes.maketrans(bytes((Verdict.PASS, Verdict.FAIL)), bytes((Verdict.FAIL, Verdict.PASS)))
    assert negated.translate(swap) == verdicts["r0"]


@_QUICK
@given(conditions(), _RECORDS)
def test_a_condition_under_a_name_is_the_condition(
    tmp_path: Path, condition: dict[str, Any], texts: list[str]
) -> None:
    rules = [(None, condition), ({"schema": "a"}, {"not": {"any": [condition]}})]
    plain = _verdicts(_ruleset(tmp_path, rules), texts)
    under = {"condition": "it"}
    body = [
        {"id": "r0", "severity": "low", "assert": under},
        {"id": "r1", "severity": "low", "when": {"schema": "a"}, "assert": {"not": under}},
    ]
    policy = {"policy": "p", "conditions": {"it": condition}, "rules": body}
    ruleset = _sound([written(tmp_path, json.dumps(policy))])
    assert _verdicts(ruleset, texts) == plain
    shape = Shape(*ruleset.reads())
    for item in shape.array(f"[{','.join(texts)}]".encode()):

        def get(path: str, item: Any = item) -> Any:
            return reach(item, path)

        entry = ruleset.rules[0]
        assert isinstance(entry, PolicyRule)
        assert isinstance(entry.assertion, Named)
        whole, part = (evaluate(c, get, NOW) for c in (entry.assertion, entry.assertion.part))
        assert whole is part


@pytest.mark.slow
@settings(_QUICK, max_examples=3000, derandomize=False)
@given(_RULES, _RECORDS)
def test_the_compiled_judge_agrees_at_length(
    tmp_path: Path, rules: list[Any], texts: list[str]
) -> None:
    _agree(tmp_path, rules, texts)


# -- fail closed ----------------------------------------------------------------------------

#: A value of each type, to put in the place of one of another.
_RETYPED = {
    "text": '"x"',
    "number": "7",
    "boolean": "true",
    "array": "[]",
    "object": "{}",
}
_TYPE_OF = {
    Kind.STRING: "text",
    Kind.TIMESTAMP: "text",
    Kind.TIME_OF_DAY: "text",
    Kind.INTEGER: "number",
    Kind.BOOLEAN: "boolean",
    Kind.ARRAY: "array",
    Kind.OBJECT: "object",
}
_UNASKED = conditions().filter(lambda condition: '"exists"' not in json.dumps(condition))


def _without(record: str, path: str, value: str | None) -> str:
    """Return the record with the value at ``path`` replaced, or removed if None."""
    data = json.loads(record, parse_float=str)
    *above, last = path.split(".")
    holder = data
    for step in above:
        holder = holder.get(step)
        if not isinstance(holder, dict):
            return record
    if value is None:
        holder.pop(last, None)
    else:
        holder[last] = json.loads(value)
    return json.dumps(data)


@_QUICK
@given(_UNASKED, records(), st.sampled_from(PATHS), st.data())
def test_what_is_taken_from_a_record_never_makes_it_pass(
    tmp_path: Path, condition: dict[str, Any], record: str, path: str, data: st.DataObject
) -> None:
    """Missing and null change a verdict to error or not at all, where no rule asks ``exists``."""
    whole = _without(record, "unrelated", "1")
    fewer = _without(whole, path, data.draw(st.sampled_from((None, "null"))))
    rules = _ruleset(tmp_path, [(None, condition)])
    before, after = _verdicts(rules, [whole, fewer])["r0"]
    assert after in {before, Verdict.ERROR}


@_QUICK
@given(_UNASKED, records(), st.sampled_from(PATHS), st.data())
def test_a_value_of_another_type_never_makes_a_record_pass(
    tmp_path: Path, condition: dict[str, Any], record: str, path: str, data: st.DataObject
) -> None:
    field = FIELDS.get(path)
    if field is None or field.open:
        path, field = "schema", FIELDS["schema"]
    types = sorted(_RETYPED.keys() - {_TYPE_OF[field.kind]})
    whole = _without(record, "unrelated", "1")
    missing = _without(whole, path, None)
    other = _without(whole, path, _RETYPED[data.draw(st.sampled_from(types))])
    rules = _ruleset(tmp_path, [(None, condition)])
    rows = _verdicts(rules, [missing, other])["r0"]
    assert rows[0] == rows[1], "a wrong type is as good as nothing"


@_QUICK
@given(st.sampled_from(PATHS), st.booleans(), records())
def test_exists_is_never_an_error(tmp_path: Path, path: str, wanted: bool, record: str) -> None:
    rules = _ruleset(
        tmp_path, [(None, {path: {"exists": wanted}}), (None, {path: {"exists": not wanted}})]
    )
    verdicts = _verdicts(rules, [record])
    assert {verdicts["r0"][0], verdicts["r1"][0]} == {Verdict.PASS, Verdict.FAIL}
