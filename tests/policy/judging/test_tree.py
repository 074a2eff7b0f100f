"""Why a check got its verdict: a tree whose root says what the judge says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from auditor.decoding.records import Shape
from auditor.errors import PolicyError
from auditor.model import Verdict
from auditor.policy.judging.judge import Judge, Judgement
from auditor.policy.judging.tree import Explained, TreePart, explained, verdict_of
from auditor.policy.language.rules import Ruleset
from auditor.policy.language.truth import Truth, all_of, any_of
from tests.builders.judged import NOW, loaded, one_rule
from tests.builders.slow import tries
from tests.builders.strategies import conditions, records

_QUICK = settings(
    max_examples=tries(60),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
_GROUPED = (
    {"count": {"gte": 1, "lte": 2}},
    {"share": {"lte": 0.5}},
    {"unique": ["schema"]},
    {"sum": {"sync_frequency": {"lte": 60}}},
    {"max": {"service_version": {"between": [0, 1]}}},
)


def _judged(ruleset: Ruleset, texts: list[str], *, whole: bool = True) -> tuple[Judgement, Any]:
    shape = Shape(*ruleset.reads())
    judge = Judge(ruleset, shape, NOW, lambda text: text)
    items = shape.array(f"[{','.join(texts)}]".encode())
    judge.take(items)
    return judge.outcome(lambda _rule: whole), items


def why(folder: Path, body: str, record: dict[str, Any], head: str = "") -> Explained:
    """Return why the one rule came to its verdict on ``record``."""
    ruleset = loaded(folder, one_rule(body, head=head)).ruleset
    outcome, (item,) = _judged(ruleset, [json.dumps({"id": "c", **record})])
    (told,) = explained(outcome, ruleset.rules[0], 0, item)
    return told


def outline(part: TreePart, depth: int = 0) -> list[str]:
    word = {True: "+", False: "-", None: "?"}[part.truth] if part.asked else "."
    held = f" [{part.value}]" if part.value else ""
    line = f"{'  ' * depth}{word} {part.text}{held}"
    return [line, *(text for child in part.parts for text in outline(child, depth + 1))]


def told(folder: Path, body: str, record: dict[str, Any], head: str = "") -> list[str]:
    branches = why(folder, body, record, head).branches
    return [line for branch in branches for line in (f"{branch.key}:", *outline(branch.part))]


# -- laws -----------------------------------------------------------------------------------------


def _ruleset(folder: Path, rules: list[dict[str, Any]]) -> Ruleset | None:
    path = json.dumps({"policy": "p", "rules": rules})
    try:
        return loaded(folder, path).ruleset
    except PolicyError:
        return None  # a generated condition that decides nothing


def _agrees(part: TreePart) -> None:
    """A joint says what its parts come to, all the way down."""
    truths = [child.truth for child in part.parts]
    expected: Truth = part.truth
    if part.text == "all of":
        expected = all_of(truths)
    elif part.text == "any of":
        expected = any_of(truths)
    elif part.text == "not":
        (inner,) = truths
        expected = None if inner is None else not inner
    assert part.truth is expected
    for child in part.parts:
        _agrees(child)


@_QUICK
@given(
    st.lists(st.tuples(st.none() | conditions(), conditions()), min_size=1, max_size=3),
    st.lists(records(), min_size=1, max_size=4),
)
def test_the_root_says_what_the_compiled_judge_says(
    tmp_path: Path, rules: list[Any], texts: list[str]
) -> None:
    ruleset = _ruleset(
        tmp_path,
        [
            {"id": f"r{n}", "severity": "low", "assert": a}
            | ({} if when is None else {"when": when})
            for n, (when, a) in enumerate(rules)
        ],
    )
    assume(ruleset is not None)
    assert ruleset is not None
    outcome, items = _judged(ruleset, texts)
    for entry in ruleset.rules:
        for at, item in enumerate(items):
            (each,) = explained(outcome, entry, at, item)
            assert verdict_of(each.branches) is each.verdict
            for branch in each.branches:
                _agrees(branch.part)


@_QUICK
@given(
    st.sampled_from(("group_id", "service", "account")),
    st.none() | conditions(),
    st.sampled_from(_GROUPED),
    st.booleans(),
    st.lists(records(), min_size=1, max_size=5),
)
def test_the_root_says_what_a_group_came_to(
    tmp_path: Path,
    per: str,
    when: dict[str, Any] | None,
    assertion: dict[str, Any],
    whole: bool,
    texts: list[str],
) -> None:
    rule = {"id": "r", "severity": "low", "per": per, "assert": assertion}
    ruleset = _ruleset(tmp_path, [rule | ({} if when is None else {"when": when})])
    assume(ruleset is not None)
    assert ruleset is not None
    outcome, items = _judged(ruleset, texts, whole=whole)
    (entry,) = ruleset.rules
    ((_, outcomes),) = outcome.groups
    for at, item in enumerate(items):
        found = list(explained(outcome, entry, at, item))
        assert found
        for each in found:
            last = each.branches[-1].part
            assert each.verdict in {o.verdict for o in outcomes}
            assert last.asked is (each.verdict is not Verdict.SKIP)
            if last.asked:
                truth = {Verdict.PASS: True, Verdict.FAIL: False, Verdict.ERROR: None}
                assert last.truth is truth[each.verdict]
        # A finding that is about the connection is told before those about others.
        own = [at in each.members for each in found]
        assert own == sorted(own, reverse=True)


# -- what is shown --------------------------------------------------------------------------------


def test_each_test_has_its_value_and_its_truth(tmp_path: Path) -> None:
    body = "when: {service: postgres}\nassert: {sync_frequency: {gte: 15}, paused: false}"
    record = {"service": "postgres", "sync_frequency": 5, "paused": False}
    assert told(tmp_path, body, record) == [
        "when:",
        "+ service is postgres [postgres]",
        "assert:",
        "- all of",
        "  - sync_frequency is at least 15 [5]",
        "  + paused is false [false]",
    ]


def test_what_was_not_asked_is_said_to_be(tmp_path: Path) -> None:
    body = "when: {service: postgres}\nassert: {sync_frequency: {gte: 15}}"
    assert told(tmp_path, body, {"service": "mysql"}) == [
        "when:",
        "- service is postgres [mysql]",
        "assert:",
        ". sync_frequency is at least 15",
    ]


def test_a_named_condition_is_shown_by_name_with_its_parts(tmp_path: Path) -> None:
    head = "conditions: {production: {service: [postgres, mysql], paused: false}}\n"
    body = "assert: {not: {condition: production}}"
    assert told(tmp_path, body, {"service": "mysql", "paused": True}, head) == [
        "assert:",
        "+ not",
        "  - production",
        "    - all of",
        "      + service is postgres or mysql [mysql]",
        "      - paused is false [true]",
    ]


def test_a_negation_of_one_test_is_said_as_its_contrary(tmp_path: Path) -> None:
    body = "assert: {not: {not: {not: {schema: {starts_with: tmp_}}}}}"
    assert told(tmp_path, body, {"schema": "tmp_x"}) == [
        "assert:",
        "- schema does not start with tmp_ [tmp_x]",
    ]


def test_items_that_decided_are_shown_with_their_number(tmp_path: Path) -> None:
    items = [{"status": s} for s in ("PASSED", "FAILED", "PASSED", "FAILED", "FAILED", "FAILED")]
    body = "assert: {setup_tests: {all_items: {status: PASSED}}}"
    assert told(tmp_path, body, {"setup_tests": items}) == [
        "assert:",
        "- setup_tests has only items where status is PASSED [6 items, 1 not shown]",
        "  - item 2 of 6",
        "    - status is PASSED [FAILED]",
        "  - item 4 of 6",
        "    - status is PASSED [FAILED]",
        "  - item 5 of 6",
        "    - status is PASSED [FAILED]",
    ]
    assert told(tmp_path, body, {"setup_tests": []})[1].endswith("[no item]")


def test_what_a_field_is_compared_with_is_shown_too(tmp_path: Path) -> None:
    body = "assert: {succeeded_at: {after: {field: failed_at}}}"
    record = {"succeeded_at": "2026-01-01T00:00:00Z", "failed_at": "2026-01-02T00:00:00Z"}
    assert told(tmp_path, body, record)[1] == (
        "- succeeded_at is after failed_at"
        " [2026-01-01T00:00:00Z; failed_at is 2026-01-02T00:00:00Z]"
    )


def test_what_cannot_be_judged_says_what_is_there_and_what_to_do(tmp_path: Path) -> None:
    found = why(tmp_path, "assert: {sync_frequency: {gte: 15}}", {"sync_frequency": "60"})
    (branch,) = found.branches
    assert found.verdict is Verdict.ERROR
    assert outline(branch.part) == [
        "? sync_frequency is at least 15 [60 (text) (a number is wanted)]"
    ]
    assert "sync_frequency is not a number" in branch.part.why
    missing = why(tmp_path, "assert: {sync_frequency: {gte: 15}}", {}).branches[0].part
    assert missing.value == "missing"
    assert "sync_frequency: {exists: true}" in missing.why


def test_hidden_values_stay_hidden(tmp_path: Path) -> None:
    secret = "hunter2-of-the-database"
    body = (
        "assert:\n  any:\n"
        "    - config.host: {ends_with: .internal}\n"
        "    - config.list: {any_item: {name: {equals: a}}}\n"
        "    - setup_tests: {any_item: {message: {equals: {field: title}}}}\n"
    )
    record = {
        "config": {"host": secret, "list": [{"name": secret}]},
        "setup_tests": [{"message": secret, "title": "a"}],
    }
    lines = told(tmp_path, body, record)
    assert not any(secret in line for line in lines)
    assert sum("[hidden]" in line for line in lines) == 3
    swapped = body.replace("message: {equals: {field: title}}", "title: {equals: {field: message}}")
    assert not any(secret in line for line in told(tmp_path, swapped, record))


def test_a_group_shows_what_chose_it_and_what_was_counted(tmp_path: Path) -> None:
    text = one_rule(
        "per: group_id\ngroups: {group_id: {starts_with: g}}\nwhen: {paused: true}\n"
        "assert: {count: {gte: 1, lte: 1}}"
    )
    ruleset = loaded(tmp_path, text).ruleset
    rows = [("g1", True), ("g1", True), ("h1", True), ("g2", False)]
    texts = [
        json.dumps({"id": f"c{n}", "group_id": g, "paused": p}) for n, (g, p) in enumerate(rows)
    ]
    outcome, items = _judged(ruleset, texts)

    def lines(at: int) -> tuple[Verdict, str, list[str]]:
        (each,) = explained(outcome, ruleset.rules[0], at, items[at])
        parts = [line for b in each.branches for line in (f"{b.key}:", *outline(b.part))]
        return each.verdict, each.group, parts

    assert lines(0) == (
        Verdict.FAIL,
        "g1",
        [
            "groups:",
            "+ group_id starts with g [g1]",
            "when:",
            "+ paused is true [true]",
            "assert:",
            "- the number of connections is at least 1 and at most 1 [count is 2]",
            "  + count is at least 1",
            "  - count is at most 1",
        ],
    )
    verdict, _, parts = lines(2)
    assert verdict is Verdict.SKIP
    assert parts[1] == "- group_id starts with g [h1]"
    assert parts[-1].startswith(". the number of connections")
    assert lines(3)[0] is Verdict.FAIL
    assert "- paused is true [false]" in lines(3)[2]


def test_an_excuse_of_the_account_is_a_branch_of_its_own(tmp_path: Path) -> None:
    text = one_rule("per: group_id\nunless: {service: fivetran_log}\nassert: {count: {gte: 9}}")
    ruleset = loaded(tmp_path, text).ruleset
    for service, verdict, truth in (
        ("fivetran_log", Verdict.SKIP, True),
        ("postgres", Verdict.FAIL, False),
    ):
        outcome, (item,) = _judged(
            ruleset, [json.dumps({"id": "c", "group_id": "g", "service": service})]
        )
        (each,) = explained(outcome, ruleset.rules[0], 0, item)
        assert each.verdict is verdict
        first = each.branches[0]
        assert (first.key, first.part.truth) == ("unless", truth)
        assert each.branches[-1].part.asked is (verdict is Verdict.FAIL)


def test_a_connection_without_a_key_is_told_why_it_is_in_no_group(tmp_path: Path) -> None:
    ruleset = loaded(tmp_path, one_rule("per: schema\nassert: {count: {lte: 9}}")).ruleset
    outcome, (item,) = _judged(ruleset, ['{"id": "c"}'])
    (each,) = explained(outcome, ruleset.rules[0], 0, item)
    assert each.verdict is Verdict.ERROR
    assert outline(each.branches[0].part) == [
        "? the group is the connections of one schema [schema is missing]"
    ]


def test_a_group_without_a_member_says_so(tmp_path: Path) -> None:
    body = "per: group_id\nwhen: {paused: true}\nassert: {share: {lte: 0.5}}"
    ruleset = loaded(tmp_path, one_rule(body)).ruleset
    outcome, (item,) = _judged(ruleset, ['{"id": "c", "group_id": "g", "paused": false}'])
    (each,) = explained(outcome, ruleset.rules[0], 0, item)
    assert each.verdict is Verdict.SKIP
    (last,) = outline(each.branches[-1].part)
    assert last.endswith("[no member]")
