"""What a plan leaves open: no operator can judge it, and what is decided stays decided."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from auditor.decoding.gaps import NOT_IN_PLAN, Gap, Lack
from auditor.decoding.json_values import MISSING, parse
from auditor.decoding.records import Shape
from auditor.errors import PolicyError
from auditor.model import Connections, Verdict
from auditor.policy.judging.judge import Judge, PlanMode
from auditor.policy.judging.undecided import PlanAnswer, needs, plan_answer
from auditor.policy.language.conditions import evaluate, reach
from auditor.policy.language.rules import PolicyRule, Ruleset
from auditor.policy.loading.load import load
from tests.builders.judged import NOW, loaded, one_rule, written
from tests.builders.slow import tries
from tests.builders.strategies import conditions, records

_QUICK = settings(
    max_examples=tries(80),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
UNKNOWN = Gap(Lack.UNKNOWN, "known only after apply; write it")
_TOP = ("schema", "paused", "sync_frequency", "status", "config", "setup_tests", "succeeded_at")
_TRUTH = {True: Verdict.PASS, False: Verdict.FAIL}
_DECIDES_NOTHING = ("holds of every one", "holds of none", "can never both hold", "unlike types")


def _judged(rules: Ruleset, values: Mapping[str, Any], **mode: Any) -> tuple[Verdict, Any, Any]:
    shape = Shape(*rules.reads())
    judge = Judge(rules, shape, NOW, str, PlanMode(**mode))
    record = shape.convert({"id": "c", **values})
    judge.take([record])
    outcome = judge.outcome(lambda rule: True)
    return Verdict(outcome.verdicts[0]), outcome, record


def _rule(folder: Path, assertion: object, when: object = None) -> Ruleset:
    body = {"id": "r", "severity": "low", "assert": assertion}
    body |= {} if when is None else {"when": when}
    try:
        return load([written(folder, json.dumps({"policy": "p", "rules": [body]}))]).ruleset
    except PolicyError as error:
        # A generated condition that could decide nothing is no policy, and no law's.
        told = [problem.message for problem in error.problems]
        assume(not all(any(word in text for word in _DECIDES_NOTHING) for text in told))
        raise


@pytest.mark.parametrize(
    "test",
    [
        "{exists: true}",
        "{exists: false}",
        "{equals: 60}",
        "{not_equals: 60}",
        "{in: [60, 30]}",
        "{not_in: [60]}",
        "{gte: 15}",
        "{json_schema: {type: integer}}",
    ],
)
@pytest.mark.parametrize("gap", [NOT_IN_PLAN, UNKNOWN], ids=["not in plan", "unknown"])
def test_no_operator_can_be_asked_about_a_gap(tmp_path: Path, test: str, gap: Gap):
    rules = loaded(tmp_path, one_rule(f"assert: {{sync_frequency: {test}}}")).ruleset
    verdict, outcome, _ = _judged(rules, {"sync_frequency": gap})
    wanted = Verdict.SKIP if gap is NOT_IN_PLAN else Verdict.ERROR
    assert verdict is wanted
    assert outcome.checks()[0].not_in_plan == (gap is NOT_IN_PLAN)


def test_what_is_known_beside_a_gap_still_decides(tmp_path: Path):
    rules = loaded(
        tmp_path, one_rule("assert: {any: [{paused: true}, {status.setup_state: connected}]}")
    ).ruleset
    assert _judged(rules, {"paused": True, "status": NOT_IN_PLAN})[0] is Verdict.PASS
    assert _judged(rules, {"paused": False, "status": NOT_IN_PLAN})[0] is Verdict.SKIP
    assert _judged(rules, {"paused": UNKNOWN, "status": NOT_IN_PLAN})[0] is Verdict.ERROR


def test_an_error_that_no_plan_could_settle_is_one_no_more(tmp_path: Path):
    # Whatever the schedule comes to, that it is fresh no plan can tell.
    rules = loaded(
        tmp_path,
        one_rule("when: {paused: false}\nassert: {succeeded_at: {newer_than: 7d}}"),
    ).ruleset
    assert _judged(rules, {"paused": UNKNOWN, "succeeded_at": NOT_IN_PLAN})[0] is Verdict.SKIP
    assert _judged(rules, {"paused": True, "succeeded_at": NOT_IN_PLAN})[0] is Verdict.SKIP
    # A wrong type is an error, plan or not.
    assert _judged(rules, {"paused": "no", "succeeded_at": NOT_IN_PLAN})[0] is Verdict.ERROR


def test_below_a_gap_all_is_open_and_a_length_is_not_counted(tmp_path: Path):
    rules = loaded(tmp_path, one_rule("assert: {config: {length: {gte: 1}}}")).ruleset
    assert _judged(rules, {"config": {"host": UNKNOWN}})[0] is Verdict.ERROR
    assert _judged(rules, {"config": {"host": "h", "": NOT_IN_PLAN}})[0] is Verdict.SKIP
    assert _judged(rules, {"config": {"host": "h"}})[0] is Verdict.PASS


@pytest.mark.parametrize(
    ("test", "verdict"),
    [
        ("{contains: a}", Verdict.PASS),
        ("{contains: b}", Verdict.ERROR),
        ("{not: {config.x: {contains: b}}}", Verdict.ERROR),
        ("{any_item: {equals: a}}", Verdict.PASS),
        ("{all_items: {equals: a}}", Verdict.ERROR),
        ("{count_items: {where: {equals: a}, is: {gte: 1}}}", Verdict.PASS),
        ("{count_items: {where: {equals: a}, is: 1}}", Verdict.ERROR),
        ("{length: 2}", Verdict.ERROR),
        ("{is_empty: false}", Verdict.ERROR),
        ("{json_schema: {type: array}}", Verdict.ERROR),
    ],
)
def test_an_item_that_is_known_decides_where_one_is_enough(
    tmp_path: Path, test: str, verdict: Verdict
):
    asked = test if "not" in test else f"{{config.x: {test}}}"
    rules = loaded(tmp_path, one_rule(f"assert: {asked}")).ruleset
    assert _judged(rules, {"config": {"x": ["a", UNKNOWN]}})[0] is verdict
    of_another_type = Verdict.FAIL if "schema" in test else Verdict.ERROR
    assert _judged(rules, {"config": {"x": 5}})[0] is of_another_type


@pytest.mark.parametrize("first", [0, 1])
def test_what_a_check_wants_is_its_own_rules(tmp_path: Path, first: int):
    """Two rules read the same two fields; one cannot be told by a plan, the other could be."""
    bodies = (
        "when: {succeeded_at: {exists: true}}, assert: {paused: false}",
        "assert: {succeeded_at: {exists: true}, paused: false}",
    )
    rules = loaded(
        tmp_path,
        "policy: p\nrules:\n"
        + "".join(f"  - {{id: r{n}, severity: low, {bodies[n]}}}\n" for n in (first, 1 - first)),
    ).ruleset
    outcome = _take(rules, {"succeeded_at": NOT_IN_PLAN, "paused": UNKNOWN})
    told = {checks.rule.id: Verdict(*checks.verdicts) for checks in outcome.checks()}
    assert told == {"r0": Verdict.SKIP, "r1": Verdict.ERROR}


def test_an_unknown_field_can_be_skipped_and_is_counted(tmp_path: Path):
    rules = loaded(tmp_path, one_rule("assert: {sync_frequency: {gte: 15}}")).ruleset
    verdict, outcome, _ = _judged(rules, {"sync_frequency": UNKNOWN}, skip_unknown=True)
    assert verdict is Verdict.SKIP
    assert (outcome.checks()[0].left_unknown, outcome.checks()[0].not_in_plan) == (1, 0)


def test_a_sensitive_value_is_judged_and_shown_nowhere(tmp_path: Path):
    text = one_rule('assert: {schema: {starts_with: x}}\nmessage: "{schema} is no good name"')
    rules = loaded(tmp_path, text).ruleset
    verdict, outcome, _ = _judged(rules, {"schema": "hunter2"}, hidden={0: frozenset({"schema"})})
    assert verdict is Verdict.FAIL
    (finding,) = outcome.findings(Connections(["c"], ["s"], ["[sensitive]"], ["g"]))
    assert "hunter2" not in f"{finding}"
    assert "[sensitive] is no good name" in finding.message
    assert finding.evidence[0].actual == "[sensitive]"


def _take(rules: Ruleset, *values: Mapping[str, Any], whole: bool = True, **mode: Any) -> Any:
    """Return what several records come to, taken at once."""
    shape = Shape(*rules.reads())
    judge = Judge(rules, shape, NOW, str, PlanMode(**mode))
    judge.take([shape.convert({"id": f"c{n}", **held}) for n, held in enumerate(values)])
    return judge.outcome(lambda rule: whole)


def test_checks_that_differ_in_their_when_alone_are_settled_apart(tmp_path: Path):
    body = "when: {paused: false}\nassert: {succeeded_at: {newer_than: 7d}}"
    rules = loaded(tmp_path, one_rule(body)).ruleset
    stale = {"succeeded_at": NOT_IN_PLAN}
    outcome = _take(rules, {**stale, "paused": UNKNOWN}, {**stale, "paused": "no"})
    assert [Verdict(v) for v in outcome.verdicts] == [Verdict.SKIP, Verdict.ERROR]


@pytest.mark.parametrize(("value", "alike"), [(False, 0), (True, 1), (True, 1.0)], ids=str)
def test_a_number_is_not_taken_for_a_boolean_that_was_settled_before(
    tmp_path: Path, value: bool, alike: float
):
    """What no plan tells of the one is no excuse for the wrong type of the other."""
    body = f"when: {{paused: {str(value).lower()}}}\nassert: {{succeeded_at: {{newer_than: 7d}}}}"
    rules = loaded(tmp_path, one_rule(body)).ruleset
    stale = {"succeeded_at": NOT_IN_PLAN}
    outcome = _take(rules, {**stale, "paused": value}, {**stale, "paused": alike})
    assert [Verdict(v) for v in outcome.verdicts] == [Verdict.SKIP, Verdict.ERROR]
    outcome = _take(rules, {**stale, "paused": alike}, {**stale, "paused": value})
    assert [Verdict(v) for v in outcome.verdicts] == [Verdict.ERROR, Verdict.SKIP]


def test_what_the_unknown_may_still_decide_is_left_unknown_and_not_lost(tmp_path: Path):
    """One that even then would rest on what no plan holds is counted as that, and apart."""
    either = "{any: [{paused: true}, {status.setup_state: connected}]}"
    rules = loaded(tmp_path, one_rule(f"assert: {either}")).ruleset
    held = {"paused": UNKNOWN, "status": NOT_IN_PLAN}
    verdict, outcome, _ = _judged(rules, held, skip_unknown=True)
    assert verdict is Verdict.SKIP
    assert (outcome.checks()[0].left_unknown, outcome.checks()[0].not_in_plan) == (1, 0)
    # Whether it applies is not known; where it does, the wrong type is an error.
    body = f"when: {either}\nassert: {{sync_frequency: {{gte: 15}}}}"
    rules = loaded(tmp_path, one_rule(body)).ruleset
    assert _judged(rules, {**held, "sync_frequency": "x"})[0] is Verdict.ERROR


def test_a_rule_that_no_plan_can_apply_asks_for_nothing_unknown(tmp_path: Path):
    body = "when: {status.setup_state: connected}\nassert: {sync_frequency: {gte: 15}}"
    rules = loaded(tmp_path, one_rule(body)).ruleset
    verdict, outcome, _ = _judged(rules, {"status": NOT_IN_PLAN, "sync_frequency": UNKNOWN})
    assert (verdict, outcome.checks()[0].not_in_plan) == (Verdict.SKIP, 1)


def test_of_an_object_with_both_kinds_of_gaps_no_plan_can_tell(tmp_path: Path):
    rules = loaded(tmp_path, one_rule("assert: {config: {length: {gte: 1}}}")).ruleset
    verdict, outcome, _ = _judged(rules, {"config": {"host": UNKNOWN, "": NOT_IN_PLAN}})
    assert (verdict, outcome.checks()[0].not_in_plan) == (Verdict.SKIP, 1)


def test_a_plan_alone_counts_the_groups_that_it_does_not_see_whole(tmp_path: Path):
    rules = loaded(tmp_path, one_rule("per: group_id\nassert: {count: {lte: 1}}")).ruleset
    groups = [{"group_id": name} for name in ("g", "g", "h")]
    (checks,) = _take(rules, *groups, whole=False, partial=True).checks()
    assert [(g.group, g.verdict) for g in checks.groups] == [
        ("g", Verdict.FAIL),
        ("h", Verdict.SKIP),
    ]
    assert checks.not_in_plan == 1


def test_what_must_not_be_shown_is_told_like_no_other(tmp_path: Path):
    """What is told alike is written once; a hidden value and a shown one never are."""
    rules = loaded(tmp_path, one_rule("assert: {schema: {starts_with: x}}")).ruleset
    bad = [{"schema": "hunter2"}] * 3
    outcome = _take(rules, *bad, hidden={0: frozenset({"schema"})})
    found = outcome.findings(Connections(["c0", "c1", "c2"], ["s"] * 3, ["n"] * 3, ["g"] * 3))
    assert [f.evidence[0].actual for f in found] == ["[sensitive]", "hunter2", "hunter2"]
    assert found[0].alike not in {0, found[1].alike}
    assert found[1].alike == found[2].alike != 0


# -- what a plan can tell at all ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "answer", "missing"),
    [
        ("assert: {schema: x}", PlanAnswer.ALL, ()),
        ("assert: {succeeded_at: {newer_than: 7d}}", PlanAnswer.NOTHING, ("succeeded_at",)),
        ("assert: {setup_tests: {length: {lte: 3}}}", PlanAnswer.NOTHING, ("setup_tests",)),
        (
            "assert: {setup_tests: {none_items: {status: FAILED}}}",
            PlanAnswer.NOTHING,
            ("setup_tests",),
        ),
        (
            "assert: {any: [{paused: true}, {status.setup_state: connected}]}",
            PlanAnswer.SOME,
            ("status.setup_state",),
        ),
        (
            "when: {paused: false}\nassert: {status.setup_state: connected}",
            PlanAnswer.NOTHING,
            ("status.setup_state",),
        ),
        (
            "when: {status.setup_state: connected}\nassert: {paused: false}",
            PlanAnswer.NOTHING,
            ("status.setup_state",),
        ),
        ("per: group_id\nassert: {count: {lte: 1}}", PlanAnswer.GROUPS, ()),
    ],
)
def test_what_a_plan_can_tell_of_a_rule_is_known_beforehand(
    tmp_path: Path, body: str, answer: PlanAnswer, missing: tuple[str, ...]
):
    (entry,) = loaded(tmp_path, one_rule(body)).ruleset.rules
    assert plan_answer(entry, NOW) == (answer, missing)


@pytest.mark.parametrize(
    ("body", "lacking", "is_needed"),
    [
        ("assert: {sync_frequency: {gte: 15}}", "sync_frequency", True),
        ("assert: {sync_frequency: {gte: 15}}", "schema", False),
        ("assert: {sync_frequency: {exists: true, gte: 15}}", "sync_frequency", False),
        (
            "when: {sync_frequency: {exists: true}}\nassert: {sync_frequency: {gte: 15}}",
            "sync_frequency",
            False,
        ),
        ("when: {sync_frequency: {gte: 15}}\nassert: {paused: false}", "sync_frequency", True),
        # One of the two may be what decides: or not.
        ("assert: {any: [{paused: true}, {sync_frequency: {gte: 15}}]}", "sync_frequency", True),
        ("assert: {not: {sync_frequency: {gte: 15}}}", "sync_frequency", True),
        ("assert: {succeeded_at: {after: {field: failed_at}}}", "failed_at", True),
        ("assert: {succeeded_at: {after: {field: failed_at}}}", "succeeded_at", True),
    ],
)
def test_which_fields_a_check_cannot_do_without(
    tmp_path: Path, body: str, lacking: str, is_needed: bool
):
    (entry,) = loaded(tmp_path, one_rule(body)).ruleset.rules
    assert isinstance(entry, PolicyRule)
    assert needs(entry, lambda path: path == lacking, NOW) is is_needed


@pytest.mark.parametrize(
    ("succeeded", "failed", "verdict"),
    [
        ("2026-01-01T00:00:00Z", NOT_IN_PLAN, Verdict.SKIP),
        (NOT_IN_PLAN, "2026-01-01T00:00:00Z", Verdict.SKIP),
        ("2026-01-01T00:00:00Z", UNKNOWN, Verdict.ERROR),
        (NOT_IN_PLAN, UNKNOWN, Verdict.SKIP),
        # One that is missing is an error whatever the other comes to.
        (NOT_IN_PLAN, MISSING, Verdict.ERROR),
        (MISSING, NOT_IN_PLAN, Verdict.ERROR),
    ],
)
def test_of_two_fields_that_are_compared_either_may_be_open(
    tmp_path: Path, succeeded: Any, failed: Any, verdict: Verdict
):
    body = "assert: {succeeded_at: {after: {field: failed_at}}}"
    rules = loaded(tmp_path, one_rule(body)).ruleset
    held = {"succeeded_at": succeeded, "failed_at": failed}
    held = {path: value for path, value in held.items() if value is not MISSING}
    assert _judged(rules, held)[0] is verdict


T, F, U, N, W = True, False, UNKNOWN, NOT_IN_PLAN, "no"


@pytest.mark.parametrize(
    ("asked", "paused", "historical", "verdict"),
    [
        # What is not in the plan settles a check that no unknown could settle otherwise.
        ("all", T, N, Verdict.SKIP), ("all", F, N, Verdict.FAIL), ("all", U, N, Verdict.ERROR),
        ("any", T, N, Verdict.PASS), ("any", F, N, Verdict.SKIP), ("any", U, N, Verdict.ERROR),
        ("all", N, N, Verdict.SKIP), ("any", N, N, Verdict.SKIP),
        # A wrong type is an error of its own wherever nothing else decides.
        ("all", W, N, Verdict.ERROR), ("any", W, N, Verdict.ERROR),
        ("all", N, W, Verdict.ERROR), ("any", N, W, Verdict.ERROR),
        ("all", W, F, Verdict.FAIL), ("any", W, T, Verdict.PASS),
    ],
)  # fmt: skip
@pytest.mark.parametrize("denied", [False, True])
def test_what_is_open_and_what_is_wrong_are_joined_as_their_parts_are(
    tmp_path: Path, asked: str, paused: Any, historical: Any, verdict: Verdict, denied: bool
):
    both = f"{{{asked}: [{{not: {{paused: false}}}}, {{status.is_historical_sync: true}}]}}"
    both = f"{{not: {both}}}" if denied else both
    rules = loaded(tmp_path, one_rule(f"assert: {both}")).ruleset
    status = N if historical is N else {"is_historical_sync": historical}
    found, outcome, _ = _judged(rules, {"paused": paused, "status": status})
    reversed_ = {Verdict.PASS: Verdict.FAIL, Verdict.FAIL: Verdict.PASS}
    assert found is (reversed_.get(verdict, verdict) if denied else verdict)
    assert outcome.checks()[0].not_in_plan == (found is Verdict.SKIP)
    # Told to skip what is unknown, it skips that alone.
    left = _judged(rules, {"paused": paused, "status": status}, skip_unknown=True)[1]
    assert left.checks()[0].left_unknown == (U in (paused, historical) and found is Verdict.ERROR)


def _filled(value: Any, gaps: set[str], by: Any) -> Any:
    return {name: by if name in gaps else held for name, held in value.items()}


@_QUICK
@given(conditions(), records(), st.sets(st.sampled_from(_TOP), max_size=3), st.booleans())
def test_the_compiled_form_and_the_plain_reading_agree_on_gaps(
    tmp_path_factory: pytest.TempPathFactory,
    condition: dict[str, Any],
    text: str,
    names: set[str],
    unknown: bool,
):
    rules = _rule(tmp_path_factory.mktemp("rules"), condition)
    gap = UNKNOWN if unknown else NOT_IN_PLAN
    values = _filled({**dict.fromkeys(_TOP), **_decoded(text)}, names, gap)
    verdict, _, record = _judged(rules, values)
    (entry,) = rules.rules
    assert isinstance(entry, PolicyRule)
    truth = evaluate(entry.assertion, lambda path: reach(record, path), NOW)
    if truth is not None:
        assert verdict is _TRUTH[truth]
    else:
        assert verdict in {Verdict.ERROR, Verdict.SKIP}


@_QUICK
@given(conditions(), records(), records(), st.sets(st.sampled_from(_TOP), min_size=1, max_size=3))
def test_a_check_that_is_decided_stays_so_whatever_fills_its_gaps(
    tmp_path_factory: pytest.TempPathFactory,
    condition: dict[str, Any],
    text: str,
    other: str,
    names: set[str],
):
    rules = _rule(tmp_path_factory.mktemp("rules"), condition)
    values, later = _decoded(text), _decoded(other)
    before = _judged(rules, _filled({**dict.fromkeys(_TOP), **values}, names, NOT_IN_PLAN))[0]
    if before not in {Verdict.PASS, Verdict.FAIL}:
        return
    after = {**values, **{name: later.get(name, MISSING) for name in names}}
    known = {name: value for name, value in after.items() if value is not MISSING}
    assert _judged(rules, {**dict.fromkeys(set(_TOP) - names), **known})[0] is before


def _decoded(text: str) -> dict[str, Any]:
    value = parse(text.encode("utf-8", "surrogatepass").decode("utf-8", "replace").encode())
    return value if isinstance(value, dict) else {}
