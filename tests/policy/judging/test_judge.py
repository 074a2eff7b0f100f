"""The judge: every rule on every record, page by page, whatever their number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from auditor.decoding.gaps import NOT_IN_PLAN
from auditor.decoding.json_values import Unread
from auditor.decoding.records import Shape
from auditor.model import Connections, Severity, Verdict
from auditor.policy.judging.judge import Judge, PlanMode, Violation, is_of_plan
from auditor.policy.judging.tree import explained
from auditor.policy.language.rules import Ruleset
from tests.builders.judged import (
    NOW,
    checks_of,
    findings_of,
    loaded,
    named,
    one_rule,
    outcome_of,
    verdict_of,
)

#: More than a byte counts.
MANY = 300


def many_rules(folder: Path, number: int = MANY) -> Ruleset:
    """Return rules of which ``rule-N`` finds records whose frequency is N."""
    text = "".join(
        f"  - {{id: rule-{n}, severity: {('low', 'medium', 'high', 'critical')[n % 4]},"
        f" assert: {{sync_frequency: {{not_equals: {n}}}}}}}\n"
        for n in range(number)
    )
    return loaded(folder, f"policy: p\nrules:\n{text}").ruleset


@pytest.mark.parametrize("wrong", [0, 1, 254, 255, 256, 257, 299])
def test_more_rules_than_a_byte_counts(tmp_path: Path, wrong: int):
    rules = many_rules(tmp_path)
    records = [{"sync_frequency": MANY}, {"sync_frequency": wrong}, {}]
    checks = checks_of(rules, records)
    assert len(checks) == MANY
    failed = [(name, n) for name, c in checks.items() for n in range(3) if c.verdicts[n] == 1]
    assert failed == [(f"rule-{wrong}", 1)]
    assert all(c.verdicts[2] == Verdict.ERROR for c in checks.values())
    (finding,) = [f for f in findings_of(rules, records) if f.verdict is Verdict.FAIL]
    assert (finding.rule.id, finding.connections[0].id) == (f"rule-{wrong}", "c1")
    assert finding.evidence[0].actual == str(wrong)


@pytest.mark.parametrize("pages", [(), (1,), (3, 0, 200), (256,), (255, 1, 1)], ids=str)
def test_more_records_than_a_byte_counts_in_any_pages(tmp_path: Path, pages: tuple[int, ...]):
    rules = many_rules(tmp_path, 2)
    records = [{"sync_frequency": 1 if n in {0, 255, 256, 511} else 7} for n in range(512)]
    checks = checks_of(rules, records, pages=pages)["rule-1"]
    assert [n for n, v in enumerate(checks.verdicts) if v] == [0, 255, 256, 511]
    found = findings_of(rules, records, pages=pages)
    assert [f.connections[0].id for f in found] == ["c0", "c255", "c256", "c511"]


def test_findings_stand_severest_first_then_by_policy_then_as_listed(tmp_path: Path):
    rules = loaded(
        tmp_path,
        "policy: p\nrules:\n"
        "  - {id: a, severity: low, assert: {paused: false}}\n"
        "  - {id: b, severity: critical, assert: {paused: false}}\n"
        "  - {id: c, severity: medium, per: account, when: {paused: true}, assert:"
        " {count: {lte: 1}}}\n"
        "  - {id: d, severity: critical, assert: {schema: x}}\n"
        "  - {id: e, severity: high, assert: {paused: true}}\n",
    ).ruleset
    records = [{"paused": True, "schema": "x"}, {"paused": True, "schema": "y"}]
    findings = findings_of(rules, records)
    assert {f.group for f in findings if not f.rule.per} == {""}
    found = [(f.rule.id, [c.id for c in f.connections]) for f in findings]
    assert found == [
        ("b", ["c0"]), ("b", ["c1"]), ("d", ["c1"]), ("c", ["c0", "c1"]), ("a", ["c0"]),
        ("a", ["c1"]),
    ]  # fmt: skip
    assert [c.rule.id for c in outcome_of(rules, records).checks()] == ["a", "b", "c", "d", "e"]
    assert [each.rule.id for each in findings.by_rule] == ["b", "d", "c", "a"]


def test_what_is_reconsidered_is_asked_of_violations_alone(tmp_path: Path):
    rules = many_rules(tmp_path, 4)
    records = [{"sync_frequency": n} for n in (0, 3, 9)] + [{"sync_frequency": None}]
    outcome = outcome_of(rules, records)
    asked = []

    def decide(violation):
        asked.append((violation.rule.id, violation.members))
        return (Verdict.WAIVED, "why") if violation.rule.severity is Severity.LOW else (1, "")

    changed = outcome.reconsidered(decide)
    assert asked == [("rule-0", (0,)), ("rule-3", (1,))]
    by_rule = {c.rule.id: c.verdicts for c in changed.checks()}
    assert by_rule["rule-0"] == bytes([Verdict.WAIVED, 0, 0, Verdict.ERROR])
    assert by_rule["rule-3"] == bytes([0, Verdict.FAIL, 0, Verdict.ERROR])
    assert outcome.checks()[0].verdicts[0] == Verdict.FAIL
    names = named(*(f"c{n}" for n in range(4)))
    told = [
        (f.rule.id, f.verdict, f.note)
        for f in changed.findings(names)
        if f.connections[0].id != "c3"
    ]
    assert told == [("rule-3", Verdict.FAIL, ""), ("rule-0", Verdict.WAIVED, "why")]


@pytest.mark.parametrize("last", range(4))
def test_the_violation_that_is_waived_is_the_one_that_was_meant(tmp_path: Path, last: int):
    """Of every rule and every connection, whatever stands beside it."""
    rules = many_rules(tmp_path, 4)
    records = [{"sync_frequency": n} for n in (9, 0, 1, 2, 3)]
    outcome = outcome_of(rules, records).reconsidered(
        lambda violation: (
            (Verdict.WAIVED, f"of {violation.rule.id}")
            if violation.rule.id == f"rule-{last}"
            else (Verdict.FAIL, "")
        )
    )
    table = {checks.rule.id: list(checks.verdicts) for checks in outcome.checks()}
    assert table == {
        f"rule-{n}": [
            (Verdict.WAIVED if n == last else Verdict.FAIL) if at == n + 1 else Verdict.PASS
            for at in range(5)
        ]
        for n in range(4)
    }
    names = named(*(f"c{n}" for n in range(5)))
    notes = {f.rule.id: (f.connections[0].id, f.note) for f in outcome.findings(names)}
    assert notes == {
        f"rule-{n}": (f"c{n + 1}", f"of rule-{n}" if n == last else "") for n in range(4)
    }


def test_no_rule_and_no_record_come_to_nothing(tmp_path: Path):
    assert checks_of(many_rules(tmp_path, 1), [])["rule-0"].total == 0
    rules = loaded(tmp_path, "policy: p\nrules:\n  - {id: g, severity: low, per: account, assert:"
                   " {count: {gte: 1}}}\n").ruleset  # fmt: skip
    (group,) = checks_of(rules, [])["g"].groups
    assert (group.group, group.verdict) == ("account", Verdict.FAIL)


# -- below what is no object ----------------------------------------------------------------------

ODD: list[Any] = ["text", 5, 0, True, False, [], [1], [{"host": "x"}], ""]


@pytest.mark.parametrize("config", ODD)
@pytest.mark.parametrize(
    "asked",
    [
        "assert: {config.host: {exists: false}}",
        "assert: {config.host: {exists: true}}",
        "assert: {not: {config.host: {exists: true}}}",
        "when: {config.host: {exists: true}}\nassert: {paused: false}",
        "assert: {config.a.b.c: {exists: false}}",
        "assert: {config.host: {json_schema: {enum: [1]}}}",
        "assert: {not: {config.host: {json_schema: {enum: [1]}}}}",
    ],
)
def test_below_another_type_nobody_can_say(tmp_path: Path, config: Any, asked: str) -> None:
    ruleset = loaded(tmp_path, one_rule(asked)).ruleset
    assert verdict_of(ruleset, {"config": config, "paused": False}) is Verdict.ERROR


@pytest.mark.parametrize(
    "record", [{}, {"config": None}, {"config": {}}, {"config": {"host": None}}]
)
def test_below_null_and_nothing_there_is_nothing(tmp_path: Path, record: dict[str, Any]) -> None:
    ruleset = loaded(tmp_path, one_rule("assert: {config.host: {exists: false}}")).ruleset
    assert verdict_of(ruleset, record) is Verdict.PASS


@pytest.mark.parametrize(
    ("items", "verdict"),
    [
        ([{"status": "PASSED"}], Verdict.FAIL),
        ([{}], Verdict.PASS),
        ([None], Verdict.PASS),
        (["text"], Verdict.ERROR),
        ([{}, 7], Verdict.ERROR),
        ([{"status": "PASSED"}, "text"], Verdict.FAIL),
    ],
)
def test_an_item_of_another_type_is_an_error(
    tmp_path: Path, items: list[Any], verdict: Verdict
) -> None:
    asked = "assert: {setup_tests: {all_items: {status: {exists: false}}}}"
    ruleset = loaded(tmp_path, one_rule(asked)).ruleset
    assert verdict_of(ruleset, {"setup_tests": items}) is verdict


@pytest.mark.parametrize(
    ("config", "verdict"),
    [
        ({"host": "x"}, Verdict.PASS),
        ({"host": "y"}, Verdict.FAIL),
        ({"host": None}, Verdict.ERROR),
        ({"": "x"}, Verdict.ERROR),
        ("host", Verdict.ERROR),
        (None, Verdict.ERROR),
    ],
)
def test_a_field_is_read_from_what_is_decoded_whole(
    tmp_path: Path, config: Any, verdict: Verdict
) -> None:
    asked = "assert: {config: {length: {gte: 1}}, config.host: x}"
    ruleset = loaded(tmp_path, one_rule(asked)).ruleset
    assert verdict_of(ruleset, {"config": config}) is verdict


def test_the_finding_says_what_stands_there_instead(tmp_path: Path) -> None:
    ruleset = loaded(tmp_path, one_rule("assert: {config.host: {exists: false}}")).ruleset
    outcome = outcome_of(ruleset, [{"config": "text"}])
    (finding,) = outcome.findings(Connections(["a"], ["s"], ["t"], ["g"]))
    assert "config is text, not an object" in finding.message


@pytest.mark.parametrize(
    "asked",
    [
        "{any_item: {exists: true}}",
        "{all_items: {exists: true}}",
        "{none_items: {exists: true}}",
        "{count_items: {where: {exists: true}, is: {gte: 1}}}",
        "{count_items: {where: {exists: true}, is: 0}}",
        "{any_item: {id: {exists: true}}}",
        "{length: {gte: 1}}",
        "{is_empty: true}",
    ],
)
def test_a_row_that_may_be_another_connections_decides_nothing(tmp_path: Path, asked: str) -> None:
    """Not even that it is there: whose the transformation is nobody knows."""
    rules = loaded(tmp_path, one_rule(f"assert: {{transformations: {asked}}}")).ruleset
    shape = Shape(*rules.reads())
    judge = Judge(rules, shape, NOW, str)
    judge.take([shape.convert({"transformations": [Unread("it names no group")]})])
    (checks,) = judge.outcome(lambda _rule: True).checks()
    assert Verdict(checks.verdicts[0]) is Verdict.ERROR


# -- groups that are reconsidered -----------------------------------------------------------------


def test_a_group_is_reconsidered_by_its_key_and_keeps_the_note(tmp_path: Path) -> None:
    body = "per: [group_id, service]\nassert: {count: {lte: 1}}"
    rules = loaded(tmp_path, one_rule(body)).ruleset
    records = [{"group_id": name, "service": "s"} for name in ("a", "a", "b", "c", "c")]
    asked = []

    def decide(violation: Violation) -> tuple[Verdict, str]:
        asked.append((violation.group, dict(violation.key), violation.members))
        return (
            (Verdict.WAIVED, "agreed") if violation.key["group_id"] == "a" else (Verdict.KNOWN, "")
        )

    outcome = outcome_of(rules, records).reconsidered(decide)
    assert asked == [
        ("a, s", {"group_id": "a", "service": "s"}, (0, 1)),
        ("c, s", {"group_id": "c", "service": "s"}, (3, 4)),
    ]
    (checks,) = outcome.checks()
    assert [(g.group, g.verdict) for g in checks.groups] == [
        ("a, s", Verdict.WAIVED),
        ("b, s", Verdict.PASS),
        ("c, s", Verdict.FAIL),
    ]
    names = named(*(f"c{n}" for n in range(5)))
    found = outcome.findings(names)
    assert [(f.group, f.verdict, f.note, f.advice, f.alike) for f in found] == [
        ("a, s", Verdict.WAIVED, "agreed", "", 1),
        ("c, s", Verdict.FAIL, "", "", 2),
    ]


def test_connections_in_no_group_are_told_with_what_is_missing(tmp_path: Path) -> None:
    body = "per: group_id\nassert: {count: {lte: 1}}\nmessage: '{group_id} has {count}'"
    rules = loaded(tmp_path, one_rule(body)).ruleset
    (finding,) = findings_of(rules, [{"group_id": None}])
    assert finding.verdict is Verdict.ERROR
    assert finding.advice.startswith("group_id forms the groups and is null here")
    assert finding.message == "cannot be judged: group_id is null"


def test_which_connections_a_group_has_is_kept_where_somebody_asks(tmp_path: Path) -> None:
    body = "per: group_id\nassert: {count: {lte: 1}}\nwhen: {paused: true}"
    rules = loaded(tmp_path, one_rule(body)).ruleset
    shape = Shape(*rules.reads())
    held = [("a", True), ("a", True), ("a", False), ("b", False), (None, True)]
    held += [("c", True), ("c", False)]
    records = [{"group_id": group, "paused": paused} for group, paused in held]
    about = {}
    for placed in (True, False):
        asked = {"placed": True} if placed else {}
        judge = Judge(rules, shape, NOW, str, **asked)
        judge.take([shape.convert(record) for record in records])
        (checks,) = judge.outcome(lambda _rule: True).checks()
        about[placed] = [tuple(group.about) for group in checks.groups]
    # Of what broke it, of the whole group where nothing did, of all that are in none.
    assert about == {True: [(0, 1), (3,), (5, 6), (4,)], False: [(), (), (), ()]}
    (checks,) = outcome_of(rules, records).checks()
    assert [tuple(group.about) for group in checks.groups] == about[False]


def test_an_excuse_leaves_nobody_to_blame(tmp_path: Path) -> None:
    """Neither where it holds nor where nobody knows whether it does."""
    body = "per: group_id\nunless: {config.log: {exists: true, equals: true}}\nassert: {count: 0}"
    rules = loaded(tmp_path, one_rule(body)).ruleset
    for log, verdict, actual in (
        (True, Verdict.SKIP, "1"),
        ("yes", Verdict.ERROR, "1, and whether unless applies is not known"),
    ):
        record = {"group_id": "g", "config": {"log": log}}
        outcome = outcome_of(rules, [record], placed=True)
        (told,) = explained(outcome, rules.rules[0], 0, {"group_id": "g"})
        assert (told.verdict, told.members) == (verdict, ())
        assert outcome.checks()[0].groups[0].about == (0,)
        for finding in outcome.findings(Connections(["c"], ["s"], ["n"], ["g"])):
            assert (finding.connections, finding.evidence[0].actual) == ((), actual)
            assert finding.message == f"cannot be judged: count is {actual} in g"


def test_what_makes_a_group_decidable_is_told_with_each_error(tmp_path: Path) -> None:
    body = "per: group_id\nwhen: {paused: true}\nassert: {count: {lte: 9}}"
    rules = loaded(tmp_path, one_rule(body)).ruleset
    (unsure,) = findings_of(rules, [{"group_id": "g", "paused": "yes"}])
    assert unsure.message == "cannot be judged: membership is not known for 1 connection in g"
    assert unsure.advice == (
        "whether these connections count is not known: write exists in the rule's when for what"
        " they lack"
    )
    assert [c.id for c in unsure.connections] == ["c0"]
    (part,) = findings_of(rules, [{"group_id": "g", "paused": False}], whole=False)
    assert part.message == "cannot be judged: count is 0 as far as listed in g"
    assert part.advice == (
        "judge the whole account: a part of it cannot decide a rule about groups"
    )
    (keyless,) = findings_of(rules, [{"group_id": [], "paused": False}])
    assert keyless.message == "cannot be judged: group_id is an array"
    assert keyless.advice == (
        "group_id forms the groups and is an array here: choose another per, or mend what the"
        " connections hold there"
    )
    assert keyless.group == "no group_id (an array)"


def test_a_message_about_the_account_names_what_was_counted(tmp_path: Path) -> None:
    body = "per: account\nassert: {count: {lte: 0}}\nmessage: '{count} of all, {actual}'"
    rules = loaded(tmp_path, one_rule(body)).ruleset
    (finding,) = findings_of(rules, [{}])
    assert finding.message == "1 of all, 1"


# -- a plan's connections -------------------------------------------------------------------------


def test_of_connections_that_a_plan_ends_only_what_the_plan_does_is_asked(tmp_path: Path) -> None:
    """On every page, and no group has them."""
    rules = loaded(
        tmp_path,
        "policy: p\nrules:\n"
        "  - {id: a, severity: low, assert: {paused: false}}\n"
        "  - {id: b, severity: low, assert: {schema: x}}\n"
        "  - {id: c, severity: low, assert: {plan.action: {not_equals: delete}}}\n"
        "  - {id: d, severity: low, when: {paused: true},"
        " assert: {plan.action: {not_equals: delete}}}\n"
        "  - {id: e, severity: low, per: account, assert: {count: {lte: 2}}}\n",
    ).ruleset
    shape = Shape(*rules.reads())
    judge = Judge(rules, shape, NOW, str, PlanMode(ends=frozenset({1, 2})))
    record = {"paused": True, "schema": "y", "plan": {"action": "delete"}}
    for _ in range(2):
        judge.take([shape.convert(record)] * 2)
    a, b, c, d, e = judge.outcome(lambda _rule: True).checks()
    fails = [Verdict.FAIL] * 4
    assert list(a.verdicts) == list(b.verdicts) == [
        Verdict.FAIL, Verdict.SKIP, Verdict.SKIP, Verdict.FAIL
    ]  # fmt: skip
    assert list(c.verdicts) == list(d.verdicts) == fails
    assert [group.verdict for group in e.groups] == [Verdict.PASS]


def test_groups_that_a_secret_names_are_told_apart_by_numbers(tmp_path: Path) -> None:
    """What is counted of them is right, what is measured of a secret is not known."""
    records = [
        {"schema": "s1", "group_id": "g", "sync_frequency": 5, "paused": False},
        {"schema": "s1", "group_id": "g", "sync_frequency": 5, "paused": False},
        {"schema": "s2", "group_id": "g", "sync_frequency": 5, "paused": False},
        {"schema": None, "group_id": "g", "sync_frequency": 5, "paused": False},
    ]
    hidden = dict.fromkeys(range(4), frozenset({"schema"}))

    def told(body: str, hidden: dict[int, frozenset[str]]) -> list[tuple[str, Verdict]]:
        rules = loaded(tmp_path, one_rule(body)).ruleset
        shape = Shape(*rules.reads())
        judge = Judge(rules, shape, NOW, str, PlanMode(hidden=hidden))
        judge.take([shape.convert(record) for record in records])
        (checks,) = judge.outcome(lambda _rule: True).checks()
        return [(group.group, group.verdict) for group in checks.groups]

    by_name = told("per: schema\nassert: {count: {lte: 1}}", hidden)
    assert [verdict for _, verdict in by_name] == [Verdict.FAIL, Verdict.PASS, Verdict.ERROR]
    assert [name for name, _ in by_name] == ["[sensitive]", "[sensitive]", "no schema (null)"]
    nobody = "per: schema\nassert: {count: {gte: 1}}\nwhen: {paused: true}"
    assert told(nobody, hidden)[:2] == [
        ("[sensitive] 1", Verdict.FAIL),
        ("[sensitive] 2", Verdict.FAIL),
    ]
    total = "per: group_id\nassert: {sum: {sync_frequency: {lte: 100}}}"
    assert told(total, hidden) == [("g", Verdict.PASS)]
    count = "per: group_id\nassert: {count: {lte: 9}}"
    assert told(count, hidden) == [("g", Verdict.PASS)]
    secret = {2: frozenset({"sync_frequency"})}
    assert told(total, secret) == [("g", Verdict.ERROR)]
    assert told(count, secret) == [("g", Verdict.PASS)]
    # What two share is as secret as it is of one of them.
    shared = "per: group_id\nassert: {unique: [schema]}"
    for one in range(2):
        found = told(shared, {one: frozenset({"schema"})})
        assert found[0] == ("g, [sensitive]", Verdict.FAIL)
    # A group is named where just another's connections have something to hide.
    assert told("per: schema\nassert: {count: {lte: 1}}", {2: frozenset({"schema"})})[0] == (
        "s1",
        Verdict.FAIL,
    )


def test_over_a_plan_a_policy_of_groups_alone_is_judged(tmp_path: Path) -> None:
    rules = loaded(tmp_path, one_rule("per: group_id\nassert: {count: {lte: 1}}")).ruleset
    shape = Shape(*rules.reads())
    judge = Judge(rules, shape, NOW, str, PlanMode(ends=frozenset({0})))
    judge.take([shape.convert({"group_id": "g"})] * 2)
    judgement = judge.outcome(lambda _rule: True)
    assert [group.verdict for group in judgement.checks()[0].groups] == [Verdict.PASS]


def test_what_no_plan_holds_is_skipped_where_it_is_missing(tmp_path: Path) -> None:
    """Of the second rule and of a later page, as of the first."""
    asked = ("schema: {starts_with: x}", "succeeded_at: {newer_than: 7d}", "paused: false")
    rules = loaded(
        tmp_path,
        "policy: p\nrules:\n"
        + "".join(
            f"  - {{id: r{n}, severity: low, assert: {{{a}}}}}\n" for n, a in enumerate(asked)
        ),
    ).ruleset
    shape = Shape(*rules.reads())
    judge = Judge(rules, shape, NOW, str, PlanMode())
    plain = {"schema": "x", "succeeded_at": "2026-01-15T11:00:00Z", "paused": False}
    records = [
        plain,
        {**plain, "succeeded_at": NOT_IN_PLAN},
        plain,
        {**plain, "paused": NOT_IN_PLAN},
    ]
    for record in records:
        judge.take([shape.convert(plain), shape.convert(record)])
    outcome = judge.outcome(lambda _rule: True)
    skipped = {c.rule.id: [n for n, v in enumerate(c.verdicts) if v] for c in outcome.checks()}
    assert skipped == {"r0": [], "r1": [3], "r2": [7]}
    assert {v for c in outcome.checks() for v in c.verdicts} == {Verdict.PASS, Verdict.SKIP}
    assert [c.not_in_plan for c in outcome.checks()] == [0, 1, 1]


def test_a_hidden_bound_bounds_nothing_and_a_hidden_key_still_chooses(tmp_path: Path) -> None:
    body = "per: [group_id, schema]\nassert: {max: {data_delay_threshold: {lte: {field: PATH}}}}"
    records = [{"group_id": "g", "schema": "s", "own": {"most": 9}, "data_delay_threshold": 5}]

    def judged(body: str, path: str) -> Verdict:
        head = "facts: {own: {key: group_id, columns: {most: number}, rows: {g: {most: 9}}}}\n"
        rules = loaded(tmp_path, one_rule(body, head=head)).ruleset
        shape = Shape(*rules.reads())
        judge = Judge(rules, shape, NOW, str, PlanMode(hidden={0: frozenset({path})}))
        judge.take([shape.convert(record) for record in records])
        (checks,) = judge.outcome(lambda _rule: True).checks()
        return checks.groups[0].verdict

    bounded = body.replace("PATH", "own.most")
    assert judged(bounded, "own.most") is Verdict.ERROR
    assert judged(bounded, "service") is Verdict.PASS
    # Of a secret number nothing is measured.
    assert judged(bounded, "data_delay_threshold") is Verdict.ERROR


def test_a_plan_that_does_not_show_a_whole_group_says_so(tmp_path: Path) -> None:
    rules = loaded(tmp_path, one_rule("per: group_id\nassert: {count: {lte: 1}}")).ruleset
    shape = Shape(*rules.reads())
    judge = Judge(rules, shape, NOW, str, PlanMode(partial=True), placed=True)
    record = shape.convert({"group_id": "g"})
    judge.take([record])
    outcome = judge.outcome(lambda _rule: False)
    (told,) = explained(outcome, rules.rules[0], 0, record)
    assert told.branches[-1].part.value == "a plan does not show the whole group"
    assert told.verdict is Verdict.SKIP


def test_true_and_one_name_two_groups_also_where_they_are_hidden(tmp_path: Path) -> None:
    rules = loaded(tmp_path, one_rule("per: service_version\nassert: {count: {gte: 2}}")).ruleset
    shape = Shape(*rules.reads())
    hidden = dict.fromkeys(range(3), frozenset({"service_version"}))
    judge = Judge(rules, shape, NOW, str, PlanMode(hidden=hidden))
    judge.take([shape.convert({"service_version": value}) for value in (True, 1, 1.0)])
    (checks,) = judge.outcome(lambda _rule: True).checks()
    assert [group.verdict for group in checks.groups] == [Verdict.FAIL, Verdict.PASS]


@pytest.mark.parametrize(
    ("path", "is_one"),
    [
        ("plan", True),
        ("plan.action", True),
        ("planned", False),
        ("config.plan.x", False),
        ("", False),
    ],
)
def test_which_facts_are_a_plans(path: str, is_one: bool) -> None:
    assert is_of_plan(path) is is_one


def test_what_a_plan_may_hide_is_not_described_early(tmp_path: Path):
    rules = loaded(tmp_path, one_rule("assert: {schema: x}")).ruleset
    shape = Shape(*rules.reads())
    judge = Judge(rules, shape, NOW, str, PlanMode(hidden={0: frozenset({"schema"})}))
    judge.take(shape.array(b'[{"schema": "private"}]'))
    judge.describe()
    outcome = judge.outcome(lambda _rule: True)
    assert outcome.described == []
    (finding,) = outcome.findings(Connections(["c"], ["s"], ["n"], ["g"]))
    assert "private" not in finding.message


def test_what_was_described_page_by_page_is_not_described_again(tmp_path: Path):
    rules = many_rules(tmp_path, 2)
    records = [{"sync_frequency": n} for n in (0, 7, 1)] + [{}]
    outcome = outcome_of(rules, records, pages=(2, 1), described=True)
    assert len(outcome.described) == len(outcome.found) == 4
    names = named("c0", "c1", "c2", "c3")
    found = [*replace(outcome, describers=()).findings(names)]
    assert found == [*findings_of(rules, records)]
