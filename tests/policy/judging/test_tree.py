"""Why a check got its verdict: a tree whose root says what the judge says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from auditor.decoding.gaps import NOT_IN_PLAN, Gap, Lack
from auditor.decoding.records import Shape
from auditor.errors import PolicyError
from auditor.model import Verdict
from auditor.policy.judging.judge import Judge, Judgement, PlanMode
from auditor.policy.judging.tree import Branch, Explained, TreePart, explained
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
    judge = Judge(ruleset, shape, NOW, lambda text: text, placed=True)
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
    assert part.asked or part.truth is None
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


def _verdict_of(branches: Sequence[Branch]) -> Verdict:
    for branch in branches:
        if branch.part.truth is None:
            return Verdict.ERROR
        if branch.part.truth is False:
            return Verdict.SKIP if branch.key == "when" else Verdict.FAIL
    return Verdict.PASS


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
            assert _verdict_of(each.branches) is each.verdict
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


# -- whole explanations ---------------------------------------------------------------------------


#: Rules beside the one that is asked of.
BESIDE = """\
  - {id: lone, severity: low, assert: {paused: true}}
  - {id: each, severity: low, per: group_id, assert: {count: 9}}
"""


def told_of(
    folder: Path, body: str, rows: list[dict[str, Any]], head: str = "", **plan: Any
) -> list[str]:
    """Return all that is said of each connection; ``plan`` is how a plan's records are judged."""
    policy = one_rule(body, head=head).replace("rules:\n", f"rules:\n{BESIDE}", 1)
    ruleset = loaded(folder, policy).ruleset
    shape = Shape(*ruleset.reads())
    whole = plan.pop("whole", True)
    decide = plan.pop("decide", None)
    mode = PlanMode(**plan) if plan else None
    judge = Judge(ruleset, shape, NOW, lambda text: text.replace("Q", "q"), mode, placed=True)
    items = [shape.convert({"id": f"c{n}", **row}) for n, row in enumerate(rows)]
    judge.take(items)
    outcome = judge.outcome(lambda _rule: whole)
    outcome = outcome.reconsidered(decide) if decide else outcome
    lines = []
    for at, item in enumerate(items):
        for each in explained(outcome, ruleset.rule("rule"), at, item):
            about = " ".join(filter(None, (each.group, str([*each.members]), each.note)))
            lines.append(f"{at}: {each.verdict.label} {about}")
            for branch in each.branches:
                lines += [f"{branch.key}:", *_drawn(branch.part, 1)]
    return lines


def _drawn(part: TreePart, depth: int) -> Iterator[str]:
    margin = "  " * depth
    yield margin + outline(part)[0].removesuffix(f" [{part.value}]")
    if part.value:
        yield f"{margin}  = {part.value}"
    if part.why:
        yield f"{margin}  ! {part.why.partition(':')[0]}"
    for child in part.parts:
        yield from _drawn(child, depth + 1)


G, LATER = {"group_id": "g"}, Gap(Lack.UNKNOWN, "known only after apply; write it")
HIDES = {"hidden": {0: frozenset({"schema"})}}
SECRET = {**G, "schema": "hunter2"}
ITEMS = [
    {"status": status, "title": title}
    for status, title in (("P", 1), ("F", "T"), ("P", "P"), (3, "F"), ("F", "F"))
]
OWN = "facts: {own: {key: group_id, columns: {most: integer}, rows: {g: {most: 2}}}}\n"


@pytest.mark.parametrize(
    ("body", "rows", "options", "told"),
    [
        (
            """
            when: {schema: {exists: true}}
            assert:
              any:
                - schema: {length: 3}
                - schema: {equals: {field: service}}
                - service: {equals: {field: schema}}
            """,
            [{**SECRET, "service": "s"}] * 2,
            HIDES,
            """
            0: fail [0]
            when:
              + schema is set
                = [sensitive]
            assert:
              - any of
                - schema has a length of 3
                  = [sensitive]
                - schema is the same as service
                  = [sensitive]; service is s
                - service is the same as schema
                  = s; schema is [sensitive]
            1: fail [1]
            when:
              + schema is set
                = hunter2
            assert:
              - any of
                - schema has a length of 3
                  = of length 7
                - schema is the same as service
                  = hunter2; service is s
                - service is the same as schema
                  = s; schema is hunter2
            """,
        ),
        (
            """
            assert: {setup_tests: {any_item: {message: x, status: {equals: {field: title}}}}}
            """,
            [{"setup_tests": [{"message": "hunter2", "status": "S", "title": "hunter4"}]}] * 2,
            {
                "hidden": {
                    0: frozenset({"setup_tests.message", "setup_tests.title"}),
                    1: frozenset({"setup_tests"}),
                }
            },
            """
            0: fail [0]
            assert:
              - setup_tests has an item where message is x and status is the same as title
                = 1 item
                - item 1 of 1
                  - all of
                    - message is x
                      = [sensitive]
                    - status is the same as title
                      = S; setup_tests[].title is [sensitive]
            1: fail [1]
            assert:
              - setup_tests has an item where message is x and status is the same as title
                = [sensitive]
            """,
        ),
        (
            """
            when: {paused: true}
            assert: {not: {any: [{schema: {starts_with: Q}}, {paused: false}]}}
            """,
            [{"paused": False}, {"paused": True, "schema": "Q"}],
            {},
            """
            0: skip [0]
            when:
              - paused is true
                = false
            assert:
              . not (schema starts with q or paused is false)
            1: fail [1]
            when:
              + paused is true
                = true
            assert:
              - not
                + any of
                  + schema starts with q
                    = q
                  - paused is false
                    = true
            """,
        ),
        (
            """
            per: schema
            groups: {schema: {starts_with: h}}
            when: {schema: {ends_with: '2'}}
            assert: {count: {lte: 1}}
            """,
            [SECRET, SECRET],
            HIDES,
            """
            0: pass [sensitive] [0]
            groups:
              + schema starts with h
                = [sensitive]
            when:
              + schema ends with 2
                = [sensitive]
            assert:
              + the number of connections is at most 1
                = count is 1
            1: pass hunter2 [1]
            groups:
              + schema starts with h
                = hunter2
            when:
              + schema ends with 2
                = hunter2
            assert:
              + the number of connections is at most 1
                = count is 1
            """,
        ),
        (
            """
            per: service
            assert: {count: {lte: 1}}
            """,
            [{"service": "s"}] * 2 + [{}],
            {"accounts": ["a", "b", "b"]},
            """
            0: pass s, a [0]
            assert:
              + the number of connections is at most 1
                = count is 1
            1: pass s, b [1]
            assert:
              + the number of connections is at most 1
                = count is 1
            2: error no service (missing) [2]
            per:
              ? the group is the connections of one service
                = service is missing
                ! service forms the groups and is missing here
            """,
        ),
        (
            """
            per: service
            assert: {count: {lte: 1}}
            """,
            [{"service": "s"}] * 2,
            {"ends": frozenset({0})},
            """
            1: pass s [1]
            assert:
              + the number of connections is at most 1
                = count is 1
            """,
        ),
        (
            """
            assert: {schema: x}
            """,
            [{"schema": NOT_IN_PLAN}, {"schema": LATER}],
            {"skip_unknown": True},
            """
            0: skip [0] skipped: no plan holds what the rule reads
            assert:
              ? schema is x
                = not in the plan
                ! schema is not in the plan, or pass --on-unknown skip
            1: skip [1] skipped: what decides it is unknown until the plan is applied
            assert:
              ? schema is x
                = known only after apply; write it
                ! schema is known only after apply; write it, or pass --on-unknown skip
            """,
        ),
        (
            """
            assert: {schema: x}
            """,
            [{"schema": LATER}],
            {"partial": True},
            """
            0: error [0]
            assert:
              ? schema is x
                = known only after apply; write it
                ! schema is known only after apply; write it, or pass --on-unknown skip
            """,
        ),
        (
            """
            assert: {schema: x}
            """,
            [{"schema": "y"}],
            {"decide": lambda _: (Verdict.WAIVED, "until Friday")},
            """
            0: waived [0] until Friday
            assert:
              - schema is x
                = y
            """,
        ),
        (
            """
            per: group_id
            assert: {unique: schema}
            """,
            [{**G, "schema": s} for s in ("a", "a", "c", "c")],
            {},
            """
            0: fail g, a [0, 1]
            assert:
              - schema is unique
                = schema is shared by 2 connections
            0: fail g, c [2, 3]
            assert:
              - schema is unique
                = schema is shared by 2 connections, none of them this one
            1: fail g, a [0, 1]
            assert:
              - schema is unique
                = schema is shared by 2 connections
            1: fail g, c [2, 3]
            assert:
              - schema is unique
                = schema is shared by 2 connections, none of them this one
            2: fail g, c [2, 3]
            assert:
              - schema is unique
                = schema is shared by 2 connections
            2: fail g, a [0, 1]
            assert:
              - schema is unique
                = schema is shared by 2 connections, none of them this one
            3: fail g, c [2, 3]
            assert:
              - schema is unique
                = schema is shared by 2 connections
            3: fail g, a [0, 1]
            assert:
              - schema is unique
                = schema is shared by 2 connections, none of them this one
            """,
        ),
        (
            """
            per: group_id
            assert: {unique: schema}
            """,
            [{**G, "schema": "a"}],
            {},
            """
            0: pass g []
            assert:
              + schema is unique
                = schema is unique
            """,
        ),
        (
            """
            per: group_id
            assert: {unique: schema}
            """,
            [{**G, "schema": s} for s in ("a", "a", "b")],
            {"decide": lambda _: (Verdict.KNOWN, "in March")},
            """
            0: known g, a [0, 1]
            assert:
              - schema is unique
                = schema is shared by 2 connections
            1: known g, a [0, 1]
            assert:
              - schema is unique
                = schema is shared by 2 connections
            2: known g, a [0, 1]
            assert:
              - schema is unique
                = schema is shared by 2 connections, none of them this one
            """,
        ),
        (
            """
            per: group_id
            unless: {paused: true}
            assert: {unique: schema}
            """,
            [{**G, "schema": "a", "paused": p} for p in (False, "no")],
            {},
            """
            0: error g, a []
            unless:
              ? a connection of the account meets: paused is true
            assert:
              ? schema is unique
                = schema is shared by 2 connections, and whether unless applies is not known
                ! whether a connection of the account meets unless is not known
            1: error g, a []
            unless:
              ? a connection of the account meets: paused is true
            assert:
              ? schema is unique
                = schema is shared by 2 connections, and whether unless applies is not known
                ! whether a connection of the account meets unless is not known
            """,
        ),
        (
            """
            per: group_id
            groups: {group_id: g}
            unless: {schema: {starts_with: Q}}
            when: {paused: true}
            assert: {count: 0}
            """,
            [{**G, "paused": True, "schema": "Q"}, {"group_id": "h", "paused": False}],
            {},
            """
            0: skip g []
            groups:
              + group_id is g
                = g
            unless:
              + a connection of the account meets: schema starts with q
            when:
              + paused is true
                = true
            assert:
              . the number of connections is 0
            1: skip h []
            groups:
              - group_id is g
                = h
            unless:
              + a connection of the account meets: schema starts with q
            when:
              - paused is true
                = false
            assert:
              . the number of connections is 0
            """,
        ),
        (
            """
            per: group_id
            groups: {group_id: g}
            unless: {schema: {starts_with: Q}}
            when: {paused: true}
            assert: {count: 0}
            """,
            [{**G, "paused": True, "schema": "s"}],
            {},
            """
            0: fail g [0]
            groups:
              + group_id is g
                = g
            unless:
              - a connection of the account meets: schema starts with q
            when:
              + paused is true
                = true
            assert:
              - the number of connections is 0
                = count is 1
            """,
        ),
        (
            """
            per: group_id
            groups: {group_id: h}
            unless: {paused: true}
            assert: {count: 0}
            """,
            [{**G, "paused": False}],
            {},
            """
            0: skip g []
            groups:
              - group_id is h
                = g
            unless:
              - a connection of the account meets: paused is true
            assert:
              . the number of connections is 0
            """,
        ),
        (
            """
            per: config.tier
            groups: {config.tier: {gte: 2}}
            assert: {count: 0}
            """,
            [{"config": {"tier": "two"}}],
            {"head": "reveal: [config.tier]\n"},
            """
            0: error two []
            groups:
              ? config.tier is at least 2
                = two (text) (a number is wanted)
                ! config.tier is not a number
            assert:
              . the number of connections is 0
                ! whether the rule is about this group is not known
            """,
        ),
        (
            """
            per: [group_id, service]
            assert: {count: 0}
            """,
            [G],
            {},
            """
            0: error no service (missing) [0]
            per:
              ? the group is the connections of one group_id and service
                = service is missing
                ! service forms the groups and is missing here
            """,
        ),
        (
            """
            assert: {setup_tests: {any_item: {status: {equals: {field: title}}}}}
            """,
            [{"setup_tests": ITEMS[1::2]}],
            {},
            """
            0: error [0]
            assert:
              ? setup_tests has an item where status is the same as title
                = 2 items
                ? item 2 of 2
                  ? status is the same as title
                    = 3 (a number) (text is wanted); setup_tests[].title is F
            """,
        ),
        (
            """
            per: group_id
            assert: {count: {gte: 1, lte: {field: own.most}}}
            """,
            [{**G, "own": {"most": 1}}] * 2,
            {"head": OWN},
            """
            0: fail g [0, 1]
            assert:
              - the number of connections is at least 1 and at most own.most
                = count is 2; own.most is 1
                + count is at least 1
                - count is at most 1
            1: fail g [0, 1]
            assert:
              - the number of connections is at least 1 and at most own.most
                = count is 2; own.most is 1
                + count is at least 1
                - count is at most 1
            """,
        ),
        (
            """
            per: group_id
            assert: {count: {gte: 1, lte: {field: own.most}}}
            """,
            [G],
            {"head": OWN},
            """
            0: error g [0]
            assert:
              ? the number of connections is at least 1 and at most own.most
                = own.most is missing
                ! own.most is no bound for this group
                + count is at least 1
                ? count is at most own.most
            """,
        ),
        (
            """
            per: group_id
            assert: {max: {sync_frequency: {gte: 1, lte: 50}}}
            """,
            [{**G, "sync_frequency": "x"}],
            {},
            """
            0: error g [0]
            assert:
              ? the max of sync_frequency is at least 1 and at most 50
                = sync_frequency is no number for 1 connection
                ! these connections have no number there
            """,
        ),
        (
            """
            per: group_id
            when: {paused: true}
            assert: {count: {lte: 1}}
            """,
            [{**G, "paused": "x"}, {**G, "paused": False}],
            {},
            """
            0: error g [0]
            when:
              ? paused is true
                = x (text) (true or false is wanted)
                ! paused is not true or false
            assert:
              ? the number of connections is at most 1
                = membership is not known for 1 connection
                ! whether these connections count is not known
            1: error g [0]
            when:
              - paused is true
                = false
            assert:
              ? the number of connections is at most 1
                = membership is not known for 1 connection
                ! whether these connections count is not known
            """,
        ),
        (
            """
            per: group_id
            when: {paused: true}
            assert: {share: {lte: 0.5}}
            """,
            [{**G, "paused": False}],
            {},
            """
            0: skip g []
            when:
              - paused is true
                = false
            assert:
              . the share of connections is at most 0.5
                = no member
            """,
        ),
        (
            """
            assert: {setup_tests: {count_items: {where: {status: F}, is: 0}}}
            """,
            [{"setup_tests": held} for held in (ITEMS, ITEMS[:1], ITEMS[3:4] * 5, [], "x")],
            {},
            """
            0: fail [0]
            assert:
              - setup_tests has exactly 0 items where status is F
                = 5 items
                + item 2 of 5
                  + status is F
                    = F
                + item 5 of 5
                  + status is F
                    = F
                ? item 4 of 5
                  ? status is F
                    = 3 (a number) (text is wanted)
            1: pass [1]
            assert:
              + setup_tests has exactly 0 items where status is F
                = 1 item
                - item 1 of 1
                  - status is F
                    = P
            2: error [2]
            assert:
              ? setup_tests has exactly 0 items where status is F
                = 5 items, 2 not shown
                ? item 1 of 5
                  ? status is F
                    = 3 (a number) (text is wanted)
                ? item 2 of 5
                  ? status is F
                    = 3 (a number) (text is wanted)
                ? item 3 of 5
                  ? status is F
                    = 3 (a number) (text is wanted)
            3: pass [3]
            assert:
              + setup_tests has exactly 0 items where status is F
                = no item
            4: error [4]
            assert:
              ? setup_tests has exactly 0 items where status is F
                = x (text) (an array is wanted)
                ! setup_tests is not an array
            """,
        ),
        (
            """
            assert: {not: {setup_tests: {any_item: {status: {equals: {field: title}}}}}}
            """,
            [{"setup_tests": ITEMS}, {"setup_tests": ITEMS[1:2]}],
            {},
            """
            0: fail [0]
            assert:
              - setup_tests has no item where status is the same as title
                = 5 items
                + item 3 of 5
                  + status is the same as title
                    = P; setup_tests[].title is P
                + item 5 of 5
                  + status is the same as title
                    = F; setup_tests[].title is F
            1: pass [1]
            assert:
              + setup_tests has no item where status is the same as title
                = 1 item
                - item 1 of 1
                  - status is the same as title
                    = F; setup_tests[].title is T
            """,
        ),
        (
            """
            assert: {config.a: {all_items: {b: {any_item: {equals: 1}}}}}
            """,
            [{"config": {"a": [{"b": [2]}]}}],
            {"head": "reveal: [config.a]\n"},
            """
            0: fail [0]
            assert:
              - config.a has only items where b has an item that is 1
                = 1 item
                - item 1 of 1
                  - b has an item that is 1
                    = [hidden]
            """,
        ),
    ],
)
def test_all_that_is_told_of_a_connection(
    tmp_path: Path, body: str, rows: list[dict[str, Any]], options: dict[str, Any], told: str
) -> None:
    assert told_of(tmp_path, dedent(body), rows, **options) == dedent(told).strip().split("\n")
