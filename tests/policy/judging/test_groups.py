"""Rules with ``per``: groups of connections, judged when the listing has ended."""

from __future__ import annotations

import math
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.decoding.gaps import Gap, Lack
from auditor.decoding.records import Shape
from auditor.errors import PolicyError
from auditor.model import Verdict
from auditor.policy import load_policies
from auditor.policy.judging.groups import Groups
from auditor.policy.judging.judge import Judge, PlanMode
from auditor.policy.judging.tree import explained
from auditor.policy.language.rules import GroupRule
from tests.builders.judged import (
    NOW,
    checks_of,
    findings_of,
    loaded,
    named,
    one_rule,
    outcome_of,
    problems_of,
)
from tests.builders.slow import tries

#: A table of bounds, a row for each group.
OWN = """facts:
  own:
    key: group_id
    columns: {most: number, team: text}
    rows: {g: {most: 2, team: a}}
"""

P, F, E, S = Verdict.PASS, Verdict.FAIL, Verdict.ERROR, Verdict.SKIP


def _record(**held: Any) -> dict[str, Any]:
    return {"id": "c", "service": "postgres", "schema": "s", "group_id": "g"} | held


def _rules(folder: Path, per: str, asserted: str, when: str = "", more: str = "") -> Any:
    body = f"per: {per}\nassert: {asserted}" + (f"\nwhen: {when}" if when else "")
    return loaded(folder, one_rule(f"{body}{more}")).ruleset


def _groups(rules: Any, records: list[Any], **options: Any) -> dict[str, Verdict]:
    checks = checks_of(rules, records, **options)["rule"]
    assert sum(checks.counts.values()) == checks.total == len(checks.groups)
    return {g.group: g.verdict for g in checks.groups}


def test_groups_form_from_all_records_and_when_chooses_members(tmp_path: Path) -> None:
    rules = _rules(tmp_path, "group_id", "{count: {gte: 1}}", "{service: fivetran_log}")
    records = [
        _record(group_id="a", service="fivetran_log"),
        _record(group_id="a"),
        _record(group_id="b"),
    ]
    assert _groups(rules, records) == {"a": P, "b": F}
    (finding,) = findings_of(rules, records)
    assert (finding.group, finding.evidence[0].actual, finding.connections) == ("b", "0", ())
    assert finding.message == "b: count is 0, expected that the number of connections is at least 1"


@pytest.mark.parametrize(
    ("bound", "members", "verdict"),
    [("{lte: 0.5}", 1, P), ("{lte: 0.5}", 2, P), ("{lte: 0.5}", 3, F), ("{lte: 0.5}", 0, S)],
)
def test_share_is_members_over_all(
    tmp_path: Path, bound: str, members: int, verdict: Verdict
) -> None:
    rules = _rules(tmp_path, "account", f"{{share: {bound}}}", "{paused: true}")
    records = [_record(paused=n < members) for n in range(4)]
    assert _groups(rules, records) == {"account": verdict}


@pytest.mark.parametrize(
    ("bound", "members", "verdict"),
    [("{gte: 0.5}", 2, P), ("{gte: 0.5}", 1, F), ("{gte: 0.5}", 0, F), ("{gt: 0}", 0, F)],
)
def test_a_share_that_asks_for_members_fails_without_any(
    tmp_path: Path, bound: str, members: int, verdict: Verdict
) -> None:
    rules = _rules(tmp_path, "account", f"{{share: {bound}}}", "{paused: false}")
    assert _groups(rules, [_record(paused=n >= members) for n in range(4)]) == {"account": verdict}
    # Of no connection at all there is no share.
    assert _groups(rules, []) == {"account": S}
    (unseen,) = findings_of(rules, [], whole=False)
    assert unseen.message == "cannot be judged: share is no member as far as listed in account"
    for finding in findings_of(rules, [_record(paused=n >= members) for n in range(4)]):
        assert finding.connections == tuple(finding.connections)[:members]
        assert finding.message == (
            f"account: share is {25 * members}.0% ({members} of 4), expected that"
            f" {finding.rule.expects}"
        )


def test_a_duplicated_key_is_one_finding_with_its_connections(tmp_path: Path) -> None:
    rules = _rules(tmp_path, "group_id", "{unique: [service, schema]}")
    schemas = ["x", "y", "x", "z", "y", "x"]
    records = [_record(schema=schema) for schema in schemas] + [_record(group_id="h", schema="x")]
    assert _groups(rules, records) == {"g, postgres, x": F, "g, postgres, y": F, "h": P}
    first, second = findings_of(rules, records)
    assert [c.id for c in first.connections] == ["c0", "c2", "c5"]
    assert [c.id for c in second.connections] == ["c1", "c4"]
    assert first.evidence[0].actual == "shared by 3 connections"


def test_unique_without_a_member_is_skipped(tmp_path: Path) -> None:
    rules = _rules(tmp_path, "account", "{unique: [schema]}", "{paused: true}")
    assert _groups(rules, [_record(paused=False)]) == {"account": S}


def test_several_keys_and_values_of_any_type(tmp_path: Path) -> None:
    rules = _rules(tmp_path, "[group_id, paused]", "{count: {lte: 1}}")
    records = [_record(paused=p) for p in (True, False, True, 1, 1.0)]
    assert _groups(rules, records) == {"g, true": F, "g, false": P, "g, 1": F}


def test_true_is_not_one_and_infinity_is_no_value(tmp_path: Path) -> None:
    rules = _rules(tmp_path, "account", "{unique: service_version}")
    assert _groups(rules, [_record(service_version=v) for v in (True, 1)]) == {"account": P}
    assert _groups(rules, [_record(service_version=v) for v in (1, 1.0)]) == {"1": F}
    huge = ['{"id":"a","service_version":1e999}', '{"id":"b","service_version":1e999}']
    assert _groups(rules, huge) == {"account": E}


@pytest.mark.parametrize(
    ("held", "group"),
    [
        ({"group_id": None}, "no group_id (null)"),
        ({"group_id": []}, "no group_id (an array)"),
        ({"group_id": {"a": 1}}, "no group_id (an object)"),
    ],
)
def test_a_record_without_a_key_is_an_error_that_names_it(
    tmp_path: Path, held: dict[str, Any], group: str
) -> None:
    rules = _rules(tmp_path, "group_id", "{count: {gte: 1}}")
    records = [_record(), _record(**held), _record(**held)]
    assert _groups(rules, records) == {"g": P, group: E}
    (finding,) = findings_of(rules, records)
    assert [c.id for c in finding.connections] == ["c1", "c2"]
    held_in_words = group.removeprefix("no group_id (").removesuffix(")")
    assert finding.message == f"cannot be judged: group_id is {held_in_words}"


@pytest.mark.parametrize(
    "asserted", ["{count: {gte: 1}}", "{share: {gt: 0.1}}", "{unique: schema}"]
)
def test_a_member_that_cannot_be_decided_is_an_error_that_names_it(
    tmp_path: Path, asserted: str
) -> None:
    rules = _rules(tmp_path, "group_id", asserted, "{paused: true}")
    records = [
        _record(paused=True),
        _record(),
        _record(paused="no"),
        _record(group_id="h", paused=True),
    ]
    assert _groups(rules, records) == {"g": E, "h": P}
    (finding,) = findings_of(rules, records)
    assert [c.id for c in finding.connections] == ["c1", "c2"]


def test_a_duplicate_stays_found_where_another_member_is_not_known(tmp_path: Path) -> None:
    rules = _rules(tmp_path, "group_id", "{unique: schema}")
    records = [_record(), _record(), _record(schema=None)]
    assert _groups(rules, records) == {"g, s": F, "g": E}


def test_several_values_are_compared_only_where_all_are_known(tmp_path: Path) -> None:
    rules = _rules(tmp_path, "group_id", "{unique: [service, schema]}")
    assert _groups(rules, [_record(), _record(schema=None)]) == {"g": E}
    (finding,) = findings_of(rules, [_record(), _record(schema=None)])
    assert [c.id for c in finding.connections] == ["c1"]
    assert finding.message == "cannot be judged: service, schema is not known for 1 connection in g"


@pytest.mark.parametrize(
    ("asserted", "records", "verdicts"),
    [
        ("{unique: schema}", 2, {"g, s": F}),
        ("{unique: schema}", 1, {"g": E}),
        ("{count: {gte: 1}}", 1, {"g": P}),
        ("{count: {gte: 2}}", 1, {"g": E}),
        ("{count: {lte: 1}}", 2, {"g": F}),
        ("{count: {lte: 2}}", 2, {"g": E}),
        ("{count: {gte: 1, lte: 3}}", 2, {"g": E}),
        ("{count: {gte: 1, lt: 3}}", 3, {"g": F}),
        ("{count: 2}", 2, {"g": E}),
        ("{share: {lte: 0.9}}", 2, {"g": E}),
    ],
)
def test_on_part_of_a_listing_only_what_cannot_change_is_a_verdict(
    tmp_path: Path, asserted: str, records: int, verdicts: dict[str, Verdict]
) -> None:
    rules = _rules(tmp_path, "group_id", asserted)
    assert _groups(rules, [_record()] * records, whole=False) == verdicts


@pytest.mark.parametrize("pages", [[], [1], [2, 1], [0, 3]])
def test_pages_do_not_matter(tmp_path: Path, pages: list[int]) -> None:
    rules = _rules(tmp_path, "group_id", "{unique: schema}", "{paused: false}")
    records = [_record(schema=s, paused=p) for s in "aab" for p in (True, False)]
    assert _groups(rules, records, pages=pages) == {"g, a": F}


def test_an_empty_account_is_one_group(tmp_path: Path) -> None:
    assert _groups(_rules(tmp_path, "account", "{count: {gte: 1}}"), []) == {"account": F}
    assert _groups(_rules(tmp_path, "group_id", "{count: {gte: 1}}"), []) == {}


def test_messages_name_the_group_and_what_was_counted(tmp_path: Path) -> None:
    more = "\nmessage: '{group_id} has {count} of {service}: {{{schema}}}'"
    rules = _rules(tmp_path, "[group_id, service]", "{unique: schema}", more=more)
    (finding,) = findings_of(rules, [_record(), _record()])
    assert finding.message == "g has shared by 2 connections of postgres: {s}"


def test_a_key_that_looks_like_a_secret_is_redacted(tmp_path: Path) -> None:
    rules = _rules(tmp_path, "connected_by", "{count: {lte: 0}}")
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIi"
    (finding,) = findings_of(rules, [_record(connected_by=token)])
    assert finding.group == "[redacted]"
    assert token not in repr(finding)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("per: config.region\nassert: {count: {gte: 1}}", "hidden in reports"),
        ("per: account\nassert: {unique: [config.host]}", "hidden in reports"),
        ("per: setup_tests\nassert: {count: {gte: 1}}", "is an array, so it cannot be a key"),
        ("per: status\nassert: {count: {gte: 1}}", "is an object, so it cannot be a key"),
        ("per: connect_card.token\nassert: {count: {gte: 1}}", "hidden in reports"),
        ("per: groupid\nassert: {count: {gte: 1}}", "no field is called groupid"),
        ("per: group_id\nassert: {paused: false}", "cannot be asserted of a group"),
        ("per: group_id\nassert: {count: {gte: 1}, share: {lte: 1}}", "asserts one of"),
        ("per: group_id\nassert: {count: {gte: {field: sync_frequency}}}", "may differ in sync"),
        ("per: account\nassert: {count: {gte: {field: group_id}}}", "group_id is text"),
        ("per: account\nassert: {count: {lte: {field: own.most}}}", "formed by nothing"),
        ("per: service\nassert: {share: {lte: {field: own.most}}}", "may differ in own.most"),
        ("per: group_id\nassert: {count: {in: {field: own.most}}}", "compared with a number"),
        ("per: group_id\nassert: {count: {lte: {field: own.team}}}", "own.team is text"),
        ("per: group_id\nassert: {count: {lte: {field: own.most, times: 2}}}", "belong to"),
        ("per: group_id\nassert: {count: {lte: {field: own.mots}}}", "no field is called"),
        ("per: group_id\nassert: {max: {sync_frequency: {lte: {field: setup_tests}}}}", "an array"),
        ("per: group_id\nassert: {count: '1'}", "is a whole number"),
        ("per: group_id\nassert: {count: {older_than: 7d}}", "cannot test"),
        ("per: [account, group_id]\nassert: {count: {gte: 1}}", "account cannot be combined"),
        ("assert: {unique: [schema]}", "judges several connections"),
        ("assert: {count: {gte: 1}}", "judges several connections"),
        ("per: group_id\nassert: {count: {gte: 1}}\nmessage: '{schema}'", "a message can show"),
    ],
)
def test_what_no_group_can_be_judged_by_is_refused(tmp_path: Path, body: str, told: str) -> None:
    problems = problems_of(tmp_path, one_rule(body, head=OWN))
    assert any(told in p.message for p in problems), problems


def test_a_revealed_path_may_be_a_key(tmp_path: Path) -> None:
    body = "per: config.region\nassert: {count: {lte: 1}}"
    rules = loaded(tmp_path, one_rule(body, head="reveal: [config.region]\n")).ruleset
    records = [_record(config={"region": region}) for region in ("eu", "us", "eu")]
    assert _groups(rules, records) == {"eu": F, "us": P}


def test_what_is_kept_grows_with_members_and_not_with_records(tmp_path: Path) -> None:
    (rule,) = _rules(tmp_path, "group_id", "{unique: schema}", "{paused: true}").rules
    assert isinstance(rule, GroupRule)
    groups = Groups(rule, NOW, placed=False)
    for index in range(1000):
        groups.take(index, ("g",), False, ("s",))
    (group,) = groups._groups.values()
    assert (group.total, len(group.members), len(group.seen)) == (1000, 0, 0)


def test_what_will_be_equal_once_it_is_known_names_one_group(tmp_path: Path) -> None:
    """The id of a group that a plan creates: it is not known, only whose it will be."""

    def created(reason: str, identity: str) -> Gap:
        return Gap(Lack.UNKNOWN, reason, identity)

    rules = _rules(tmp_path, "group_id", "{count: {lte: 1}}")
    shape = Shape(*rules.reads())
    judge = Judge(rules, shape, NOW, str)
    named = [created("by a", "fivetran_group.x"), created("by b", "fivetran_group.x")]
    named += [created("by a", "fivetran_group.y"), created("by c", "")]
    judge.take([shape.convert(_record(group_id=held)) for held in named])
    (checks,) = judge.outcome(lambda _rule: True).checks()
    assert [(group.group, group.verdict) for group in checks.groups] == [
        ("fivetran_group.x", F),
        ("fivetran_group.y", P),
        ("no group_id (by c)", E),
    ]


def test_values_without_a_double_so_far_may_have_one(tmp_path: Path) -> None:
    rules = _rules(tmp_path, "group_id", "{unique: schema}")
    (finding,) = findings_of(rules, [_record()], whole=False)
    assert finding.message == "cannot be judged: schema is unique as far as listed in g"


def test_a_connection_is_in_its_group_whoever_is_in_none(tmp_path: Path) -> None:
    rules = _rules(tmp_path, "group_id", "{count: {lte: 9}}")
    records = [_record(group_id=None), _record(), _record(group_id=True), _record(group_id=1)]
    outcome = outcome_of(rules, records, placed=True)
    told = [
        [(why.group, why.verdict) for why in explained(outcome, rules.rules[0], at, record)]
        for at, record in enumerate(records)
    ]
    assert told == [[("no group_id (null)", E)], [("g", P)], [("true", P)], [("1", P)]]


def test_of_a_group_that_a_plan_shows_in_part_all_connections_are_meant(tmp_path: Path) -> None:
    rules = _rules(tmp_path, "group_id", "{count: {lte: 9}}", "{paused: true}")
    shape = Shape(*rules.reads())
    judge = Judge(rules, shape, NOW, str, PlanMode(partial=True), placed=True)
    judge.take([shape.convert(_record(paused=paused)) for paused in (True, "no", False)])
    (checks,) = judge.outcome(lambda _rule: True).checks()
    assert [(group.verdict, group.about) for group in checks.groups] == [(S, (0, 1, 2))]


def test_an_unknown_assertion_of_a_group_is_refused_and_not_dropped(tmp_path: Path) -> None:
    with pytest.raises(PolicyError):
        _rules(tmp_path, "group_id", "{uniqe: [schema]}")


def test_a_per_that_is_refused_is_the_only_problem(tmp_path: Path) -> None:
    """The assertion is one on a group all the same: that it needs a per would be no help."""
    path = tmp_path / "policy.yaml"
    rule = "{id: r, severity: low, per: config.host, assert: {unique: service}}"
    path.write_text(f"policy: p\nrules:\n  - {rule}\n", encoding="utf-8")
    with pytest.raises(PolicyError) as caught:
        load_policies(str(path))
    (problem,) = caught.value.problems
    assert "cannot name a group" in problem.message


# -- unless: an excuse for every group ------------------------------------------------------

_LOG = "{service: fivetran_log, config.account: {exists: true, equals: true}}"


def _logs(folder: Path, more: str = "") -> Any:
    when = "{service: fivetran_log}"
    return _rules(folder, "group_id", "{count: {gte: 1}}", when, f"\nunless: {_LOG}{more}")


def test_no_group_is_judged_where_a_connection_meets_unless(tmp_path: Path) -> None:
    rules = _logs(tmp_path)
    log = _record(group_id="a", service="fivetran_log", config={"account": True})
    assert _groups(rules, [log, _record(group_id="b")]) == {"a": S, "b": S}
    assert _groups(rules, [_record(group_id="b"), log]) == {"b": S, "a": S}
    own = {**log, "config": {"account": False}}
    assert _groups(rules, [own, _record(group_id="b")]) == {"a": P, "b": F}
    assert _groups(rules, [_record(group_id="b")]) == {"b": F}


def test_an_excuse_that_cannot_be_decided_excuses_nobody(tmp_path: Path) -> None:
    rules = _logs(tmp_path)
    odd = _record(group_id="a", service="fivetran_log", config={"account": "yes"})
    assert _groups(rules, [odd, _record(group_id="b")]) == {"a": P, "b": E}
    (finding,) = findings_of(rules, [odd, _record(group_id="b")])
    assert "whether unless applies is not known" in finding.message


def test_an_excuse_that_was_found_holds_whatever_another_comes_to(tmp_path: Path) -> None:
    rules = _logs(tmp_path)
    odd = _record(group_id="a", service="fivetran_log", config={"account": "yes"})
    log = _record(group_id="a", service="fivetran_log", config={"account": True})
    assert _groups(rules, [odd, log, _record(group_id="b")]) == {"a": S, "b": S}


def test_an_excuse_may_stand_where_nobody_looked(tmp_path: Path) -> None:
    rules = _logs(tmp_path)
    log = _record(group_id="a", service="fivetran_log", config={"account": True})
    assert _groups(rules, [_record(group_id="b")], whole=False) == {"b": E}
    assert _groups(rules, [log, _record(group_id="b")], whole=False) == {"a": S, "b": S}


def test_a_group_that_was_seen_whole_may_have_its_excuse_in_another(tmp_path: Path) -> None:
    """With --group the group is whole and the account is not."""
    rules = _logs(tmp_path)
    shape = Shape(*rules.reads())
    judge = Judge(rules, shape, NOW, str)
    judge.take([shape.convert(_record(group_id="b"))])
    (checks,) = judge.outcome(lambda rule: "group_id" in rule.per).checks()
    assert [group.verdict for group in checks.groups] == [E]


def test_an_excuse_is_one_accounts_own(tmp_path: Path) -> None:
    rules = _logs(tmp_path)
    shape = Shape(*rules.reads())
    judge = Judge(rules, shape, NOW, str, PlanMode(accounts=("one", "one", "two")))
    log = _record(group_id="a", service="fivetran_log", config={"account": True})
    records = [log, _record(group_id="b"), _record(group_id="b")]
    judge.take([shape.convert(record) for record in records])
    (checks,) = judge.outcome(lambda _rule: True).checks()
    assert [(g.group, g.verdict) for g in checks.groups] == [
        ("a, one", S),
        ("b, one", S),
        ("b, two", F),
    ]


def test_what_unless_reads_is_decoded_and_told(tmp_path: Path) -> None:
    rules = _logs(tmp_path)
    assert "config.account" in rules.reads()[0] | rules.reads()[1]
    (entry,) = rules.rules
    assert "of no connection of the account service is fivetran_log" in entry.rule.applies_when
    alone = _rules(tmp_path, "group_id", "{count: {gte: 1}}", "", f"\nunless: {_LOG}")
    assert alone.rules[0].rule.applies_when.startswith("of no connection of the account")


def test_unless_goes_with_per(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, one_rule("assert: {paused: false}\nunless: {paused: true}"))
    assert "needs per" in problem.message
    assert problem.hint == "choose connections with when"


# -- groups: which groups are meant ---------------------------------------------------------


def _of_production(folder: Path, asserted: str = "{count: {lte: 1}}", when: str = "") -> Any:
    chosen = "\ngroups: {group_id: {starts_with: prod_}}"
    return _rules(folder, "[group_id, service]", asserted, when, chosen)


def test_groups_that_are_not_chosen_are_skipped_with_that_reason(tmp_path: Path) -> None:
    rules = _of_production(tmp_path)
    records = [_record(group_id=g) for g in ("prod_a", "test_a", "prod_a", "test_a", "prod_b")]
    verdicts = _groups(rules, records)
    assert verdicts == {"prod_a, postgres": F, "test_a, postgres": S, "prod_b, postgres": P}
    (checks,) = checks_of(rules, records).values()
    assert checks.skip_reason == "applies only when group_id starts with prod_"
    assert _groups(rules, records, whole=False)["test_a, postgres"] is S


def test_a_group_of_which_it_is_not_known_whether_it_is_meant_is_an_error(tmp_path: Path) -> None:
    more = "\ngroups: {config.tier: {gte: 2}}"
    head = "reveal: [config.tier]\n"
    body = f"per: config.tier\nassert: {{count: {{lte: 1}}}}{more}"
    rules = loaded(tmp_path, one_rule(body, head=head)).ruleset
    records = [_record(config={"tier": tier}) for tier in (2, 1, "two", 2)]
    assert _groups(rules, records) == {"2": F, "1": S, "two": E}
    (_, finding) = findings_of(rules, records)
    assert "whether the rule is about this group is not known" in finding.advice


def test_each_group_says_whether_it_was_chosen(tmp_path: Path) -> None:
    body = "per: config.tier\ngroups: {config.tier: {gte: 2}}\nassert: {count: {lte: 1}}"
    (rule,) = loaded(tmp_path, one_rule(body, head="reveal: [config.tier]\n")).ruleset.rules
    assert isinstance(rule, GroupRule)
    groups = Groups(rule, NOW, placed=False)
    for index, tier in enumerate((2, 1, "two")):
        groups.take(index, (tier,), True, (), (tier,))
    told = [(o.key, o.verdict, o.chosen, o.field) for o in groups.outcomes(whole=True)]
    assert told == [
        ((2,), P, True, "count"),
        ((1,), S, False, "group"),
        (("two",), E, None, "config.tier"),
    ]


def test_when_chooses_members_of_the_chosen_groups(tmp_path: Path) -> None:
    rules = _of_production(tmp_path, "{count: {gte: 1}}", "{paused: false}")
    records = [_record(group_id="prod_a", paused=True), _record(group_id="test_a", paused=True)]
    assert _groups(rules, records) == {"prod_a, postgres": F, "test_a, postgres": S}
    (entry,) = rules.rules
    assert entry.rule.applies_when == "group_id starts with prod_, and paused is false"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("groups: {group_id: g}\nassert: {paused: false}", "needs per"),
        (
            "per: group_id\ngroups: {service: s3}\nassert: {count: 1}",
            "the connections of a group may differ in service: groups are formed by group_id",
        ),
        (
            "per: account\ngroups: {group_id: g}\nassert: {count: 1}",
            "groups are formed by nothing",
        ),
        ("per: group_id\ngroups: {}\nassert: {count: 1}", "an empty condition"),
        ("per: group_id\ngroups: {grupp: g}\nassert: {count: 1}", "no field is called grupp"),
    ],
)
def test_what_groups_cannot_be_chosen_by_is_refused(tmp_path: Path, body: str, told: str) -> None:
    problems = problems_of(tmp_path, one_rule(body))
    assert any(told in problem.message for problem in problems), problems


# -- aggregates -----------------------------------------------------------------------------


def _frequencies(*held: Any) -> list[dict[str, Any]]:
    return [_record(sync_frequency=value) for value in held]


@pytest.mark.parametrize(
    ("asserted", "held", "verdict", "actual", "blamed"),
    [
        ("{sum: {sync_frequency: {lte: 100}}}", (60, 30), P, "", 0),
        ("{sum: {sync_frequency: {lte: 100}}}", (60, 60, 5), F, "125", 3),
        ("{sum: {sync_frequency: {gte: 1}}}", (0.1, 0.2), F, "0.3", 2),
        ("{min: {sync_frequency: {gte: 15}}}", (60, 5, 5), F, "5", 2),
        ("{min: {sync_frequency: {gte: 15}}}", (60, 15), P, "", 0),
        ("{max: {sync_frequency: {between: [15, 60]}}}", (60, 1440), F, "1,440", 1),
        ("{max: {sync_frequency: 60}}", (60, 15), P, "", 0),
        ("{sum: {sync_frequency: {lt: 0}}}", (10**400, 1), E, "no number for 1 connection", 1),
        ("{sum: {sync_frequency: {lt: 1}}}", (1e308, 1e308), E, "inf", 2),
        ("{min: {sync_frequency: {gte: 15}}}", (60, None, "5"), E, "no number for 2", 2),
    ],
)
def test_an_aggregate_of_the_members(
    asserted: str, held: Any, verdict: Verdict, actual: str, blamed: int, tmp_path: Path
) -> None:
    rules = _rules(tmp_path, "group_id", asserted)
    assert _groups(rules, _frequencies(*held)) == {"g": verdict}
    for finding in findings_of(rules, _frequencies(*held)):
        assert finding.evidence[0].actual.startswith(actual)
        assert len(finding.connections) == blamed
        assert finding.message


def test_a_member_without_a_number_is_named_and_one_left_out_is_not(tmp_path: Path) -> None:
    rules = _rules(tmp_path, "group_id", "{sum: {sync_frequency: {lte: 100}}}")
    (finding,) = findings_of(rules, _frequencies(60, None, 30))
    assert [c.id for c in finding.connections] == ["c1"]
    assert "sync_frequency: {exists: true}" in finding.advice
    present = "{sync_frequency: {exists: true}}"
    rules = _rules(tmp_path, "group_id", "{sum: {sync_frequency: {lte: 100}}}", present)
    assert _groups(rules, _frequencies(60, None, 30)) == {"g": P}


def test_of_no_member_there_is_a_sum_and_no_extreme(tmp_path: Path) -> None:
    for name, verdict in (("sum", P), ("min", S), ("max", S)):
        rules = _rules(
            tmp_path, "group_id", f"{{{name}: {{sync_frequency: {{lte: 1}}}}}}", "{paused: true}"
        )
        assert _groups(rules, [_record(paused=False, sync_frequency=60)]) == {"g": verdict}


@pytest.mark.parametrize(
    ("asserted", "verdict"),
    [
        ("{max: {sync_frequency: {gte: 30}}}", P),
        ("{max: {sync_frequency: {lte: 30}}}", F),
        ("{max: {sync_frequency: {lte: 90}}}", E),
        ("{max: {sync_frequency: {gte: 90}}}", E),
        ("{min: {sync_frequency: {lte: 30}}}", P),
        ("{min: {sync_frequency: {gte: 30}}}", F),
        ("{min: {sync_frequency: {gt: 15}}}", F),
        ("{min: {sync_frequency: {gt: 14}}}", E),
        ("{max: {sync_frequency: {lt: 60}}}", F),
        ("{max: {sync_frequency: {lt: 61}}}", E),
        ("{min: {sync_frequency: {gte: 10}}}", E),
        ("{sum: {sync_frequency: {gte: 10}}}", E),
        ("{sum: {sync_frequency: {lte: 10}}}", E),
    ],
)
def test_only_what_no_further_member_can_change_is_judged(
    asserted: str, verdict: Verdict, tmp_path: Path
) -> None:
    rules = _rules(tmp_path, "group_id", asserted)
    assert _groups(rules, _frequencies(15, 60), whole=False) == {"g": verdict}


@settings(max_examples=tries(60), deadline=None)
@given(
    st.lists(st.integers(-5, 5) | st.floats(-5, 5), min_size=1, max_size=6),
    st.sampled_from(("sum", "min", "max")),
    st.integers(-6, 6),
    st.integers(0, 6),
)
def test_an_aggregate_is_what_python_makes_of_the_values(
    held: list[float], name: str, least: int, width: int
) -> None:
    bound = f"{{between: [{least}, {least + width}]}}"
    body = f"per: group_id\nassert: {{{name}: {{config.n: {bound}}}}}"
    with TemporaryDirectory() as folder:
        rules = loaded(Path(folder), one_rule(body, head="reveal: [config.n]\n")).ruleset
    number = {"sum": math.fsum, "min": min, "max": max}[name](held)
    records = [_record(config={"n": value}) for value in held]
    expected = P if least <= number <= least + width else F
    assert _groups(rules, records) == {"g": expected}
    assert _groups(rules, records[::-1]) == {"g": expected}


@pytest.mark.parametrize(
    ("asserted", "told"),
    [
        ("{sum: 5}", "takes one field and the tests of a number"),
        ("{sum: {sync_frequency: 5, service_version: 1}}", "takes one field"),
        ("{sum: {schema: {lte: 5}}}", "schema is text, so it has no sum"),
        ("{max: {config.host: {lte: 5}}}", "is hidden in reports"),
        ("{min: {sync_frequenzy: {lte: 5}}}", "no field is called"),
        ("{min: {sync_frequency: {}}}", "an empty test"),
        ("{min: {sync_frequency: {gte: 5, lte: 1}}}", "can never both hold"),
        ("{avg: {sync_frequency: {gte: 5}}}", "cannot be asserted of a group"),
    ],
)
def test_what_cannot_be_aggregated_is_refused(asserted: str, told: str, tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, one_rule(f"per: group_id\nassert: {asserted}"))
    assert told in problem.message


def test_a_message_may_name_the_aggregate(tmp_path: Path) -> None:
    more = "\nmessage: '{group_id} has {sum}'"
    rules = _rules(tmp_path, "group_id", "{sum: {sync_frequency: {lte: 1}}}", "", more)
    (finding,) = findings_of(rules, _frequencies(60, 1000))
    assert finding.message == "g has 1,060"
    assert rules.rules[0].rule.expects == "the sum of sync_frequency is at most 1"


@pytest.mark.parametrize(
    ("held", "shown"),
    [
        ((0.1, 0.2), "0.3"),
        ((10**17, 1), "100,000,000,000,000,001"),
        ((1.5e16, 0.5), "1.5e+16"),
        ((1234.5,), "1,234.5"),
    ],
)
def test_a_sum_is_told_with_the_digits_that_it_has(tmp_path: Path, held: Any, shown: str) -> None:
    rules = _rules(tmp_path, "group_id", "{sum: {sync_frequency: {lt: 0}}}")
    (finding,) = findings_of(rules, _frequencies(*held))
    assert finding.evidence[0].actual == shown


def test_of_an_account_among_several_every_connection_is_in_its_own_group(tmp_path: Path) -> None:
    """However many of the accounts have connections: a check of none at all would be one more."""
    (rule,) = _rules(tmp_path, "account", "{count: {lte: 1}}").rules
    for accounts in (["one"], ["one", "two"]):
        groups = Groups(rule, NOW, placed=False)
        for index, account in enumerate(accounts):
            groups.take(index, (), True, (), (), account)
        outcomes = list(groups.outcomes(whole=True))
        assert [(o.account, o.verdict) for o in outcomes] == [(name, P) for name in accounts]


def test_a_share_is_told_to_a_tenth_of_a_percent(tmp_path: Path) -> None:
    rules = _rules(tmp_path, "account", "{share: {lte: 0.1}}", "{paused: true}")
    (finding,) = findings_of(rules, [_record(paused=n == 0) for n in range(3)])
    assert finding.evidence[0].actual == "33.3% (1 of 3)"


# -- budgets --------------------------------------------------------------------------------


def _budgeted(folder: Path, asserted: str, *, more: str = "") -> Any:
    body = f"per: group_id\nwhen: {{paused: false}}\nassert: {asserted}{more}"
    return loaded(folder, one_rule(body, head=OWN)).ruleset


def _members(held: Any, count: int = 3, paused: int = 0) -> list[dict[str, Any]]:
    own = {} if held is ... else {"own": {"most": held}}
    every = [_record(paused=False, sync_frequency=n, **own) for n in range(1, count + 1)]
    return every + [_record(paused=True, **own) for _ in range(paused)]


def test_one_column_chooses_the_groups_and_another_bounds_them(tmp_path: Path) -> None:
    rules = _budgeted(tmp_path, "{count: {lte: {field: own.most}}}", more="\ngroups: {own.team: a}")
    held = {"g": (2, "a"), "h": (3, "a"), "i": (2, "b"), "j": (2, None)}
    records = [
        record | {"group_id": group, "own": {"most": most, "team": team}}
        for group, (most, team) in held.items()
        for record in _members(0)
    ]
    assert _groups(rules, records) == {"g": F, "h": P, "i": S, "j": E}


def test_each_group_has_its_own_bound(tmp_path: Path) -> None:
    more = "\nmessage: '{group_id} has {count} of {own.most}'"
    rules = _budgeted(tmp_path, "{count: {lte: {field: own.most}}}", more=more)
    assert rules.rules[0].rule.expects == "the number of connections is at most own.most"
    records = _members(3) + [r | {"group_id": "h", "own": {"most": 2}} for r in _members(0)]
    assert _groups(rules, records) == {"g": P, "h": F}
    (finding,) = findings_of(rules, records)
    assert finding.message == "h has 3 of 2"
    assert [c.id for c in finding.connections] == ["c3", "c4", "c5"]
    evidence = finding.evidence[0]
    assert (evidence.field, evidence.actual) == ("count", "3")
    assert evidence.expected == ("the number of connections is at most own.most (own.most is 2)")


_ASKED = {
    "count": "{{count: {{{}: {}}}}}",
    "share": "{{share: {{{}: {}}}}}",
    "sum": "{{sum: {{sync_frequency: {{{}: {}}}}}}}",
    "min": "{{min: {{sync_frequency: {{{}: {}}}}}}}",
    "max": "{{max: {{sync_frequency: {{{}: {}}}}}}}",
}


@settings(max_examples=tries(80), deadline=None)
@given(
    st.sampled_from(sorted(_ASKED)),
    st.sampled_from(("gt", "gte", "lt", "lte", "equals", "not_equals")),
    st.sampled_from((0.25, 0.5, 0.75)) | st.integers(1, 7),
    st.integers(0, 4),
    st.integers(0, 3),
    st.booleans(),
)
def test_a_bound_of_a_field_is_the_bound_written_out(
    name: str, operator: str, bound: float, members: int, others: int, whole: bool
) -> None:
    """The field's value, in a table or in the rule: the same verdict, of a part of a group too."""
    if name == "share" and bound >= 1:
        bound = 1 / (bound + 1)
    with TemporaryDirectory() as folder:
        by_field = _budgeted(Path(folder), _ASKED[name].format(operator, "{field: own.most}"))
        by_value = _budgeted(Path(folder), _ASKED[name].format(operator, bound))
    records = _members(bound, members, others) or [_record(paused=True, own={"most": bound})]
    found = _groups(by_field, records, whole=whole)
    assert found == _groups(by_value, records, whole=whole)


@pytest.mark.parametrize(
    ("asserted", "held", "told"),
    [
        ("{count: {lte: {field: own.most}}}", ..., "own.most is missing"),
        ("{count: {lte: {field: own.most}}}", None, "own.most is null"),
        ("{count: {lte: {field: own.most}}}", "9", "own.most is text"),
        ("{count: {lte: {field: own.most}}}", True, "own.most is a boolean"),
        ("{count: {gte: {field: own.most}}}", -1, "own.most is -1, and a number of things is 0"),
        ("{share: {lte: {field: own.most}}}", 50, "own.most is 50, and a share is between 0 and 1"),
        ("{max: {sync_frequency: {lte: {field: own.most}}}}", None, "own.most is null"),
        ("{count: {gte: 1, lte: {field: own.most}}}", None, "own.most is null"),
    ],
)
def test_a_group_without_a_bound_cannot_be_judged(
    tmp_path: Path, asserted: str, held: Any, told: str
) -> None:
    rules = _budgeted(tmp_path, asserted)
    for whole in (True, False):
        assert _groups(rules, _members(held), whole=whole) == {"g": E}
        (finding,) = findings_of(rules, _members(held), whole=whole)
        assert finding.message.startswith(f"cannot be judged: {told}")
        assert "groups: {own.most: {exists: true}}" in finding.advice
        assert finding.evidence[0].expected == rules.rules[0].rule.expects


def test_what_fails_whatever_the_bound_is_fails_without_one(tmp_path: Path) -> None:
    rules = _budgeted(tmp_path, "{count: {gte: 9, lte: {field: own.most}}}")
    assert _groups(rules, _members(None)) == {"g": F}
    (finding,) = findings_of(rules, _members(None))
    assert (finding.evidence[0].field, finding.evidence[0].actual) == ("count", "3")


def test_members_without_a_number_are_named_where_the_bound_is_missing_too(tmp_path: Path) -> None:
    rules = _budgeted(tmp_path, "{sum: {sync_frequency: {lte: {field: own.most}}}}")
    records = [*_members(None, 1), _record(paused=False, sync_frequency="x", own={"most": None})]
    (finding,) = findings_of(rules, records)
    assert [c.id for c in finding.connections] == ["c1"]
    assert finding.message == "cannot be judged: sync_frequency is no number for 1 connection in g"


def test_connections_of_a_group_with_two_bounds_are_named(tmp_path: Path) -> None:
    rules = _budgeted(tmp_path, "{count: {lte: {field: own.most}}}")
    records = [*_members(3, 2), *_members(4, 2), *_members(5, 1)]
    assert _groups(rules, records) == {"g": E}
    (finding,) = findings_of(rules, records)
    assert [c.id for c in finding.connections] == ["c0", "c2"]
    assert finding.message == (
        "cannot be judged: own.most is 3 of one connection and 4 of another in g"
    )
    assert finding.advice == ("a group has one bound: give all its connections the same own.most")
    (finding,) = findings_of(rules, [*_members(None, 1), *_members("x", 1)])
    assert "own.most is null of one connection and text of another in g" in finding.message
    # As numbers they would be equal, and the bound of the second is none.
    (finding,) = findings_of(rules, [*_members(2, 1), *_members(1, 1), *_members(True, 1)])
    assert "own.most is 2 of one connection and 1 of another in g" in finding.message
    (finding,) = findings_of(rules, [*_members(1, 1), *_members(True, 1)])
    assert "own.most is 1 of one connection and a boolean of another in g" in finding.message
    shape = Shape(*rules.reads())
    judge = Judge(rules, shape, NOW, str)
    planned = Gap(Lack.UNKNOWN, "known only after apply")
    judge.take([shape.convert(r) for r in [*_members(3, 1), *_members(planned, 1)]])
    (finding,) = judge.outcome(lambda _rule: True).findings(named("a", "b"))
    assert "own.most is 3 of one connection and known only after apply of" in finding.message


@pytest.mark.parametrize(
    ("asserted", "held", "verdict"),
    [
        ("{count: {gte: {field: own.most}}}", 0, P),
        ("{share: {gte: {field: own.most}}}", 0, P),
        ("{share: {lte: {field: own.most}}}", 1, P),
        ("{share: {lt: {field: own.most}}}", 1, F),
        ("{share: {lte: {field: own.most}}}", 1.1, E),
    ],
)
def test_a_bound_may_be_the_least_and_the_most_there_can_be(
    tmp_path: Path, asserted: str, held: float, verdict: Verdict
) -> None:
    assert _groups(_budgeted(tmp_path, asserted), _members(held)) == {"g": verdict}


@pytest.mark.parametrize(
    ("other", "verdict", "told"),
    [
        ({"least": 1, "most": 5, "team": "b"}, P, ""),
        ({"least": 1, "most": 4, "team": "a"}, E, "own.most is 5 of one connection and 4 of"),
        ({"least": 2, "most": 5, "team": "a"}, E, "own.least is 1 of one connection and 2 of"),
        ({"least": 2, "most": 4, "team": "b"}, E, "own.least is 1 of one connection and 2 of"),
    ],
)
def test_of_what_a_group_has_in_common_only_its_bounds_are_compared(
    tmp_path: Path, other: dict[str, Any], verdict: Verdict, told: str
) -> None:
    head = """facts:
  own:
    key: group_id
    columns: {least: number, most: number, team: text}
    rows: {g: {least: 1, most: 5, team: a}}
"""
    bounds = "{gte: {field: own.least}, lte: {field: own.most}}"
    body = f"per: group_id\ngroups: {{own.team: a}}\nassert: {{count: {bounds}}}"
    rules = loaded(tmp_path, one_rule(body, head=head)).ruleset
    records = [_record(own={"least": 1, "most": 5, "team": "a"}), _record(own=other)]
    assert _groups(rules, records) == {"g": verdict}
    assert all(told in finding.message for finding in findings_of(rules, records))


# -- groups of the parts of a listing ------------------------------------------------------------

_BOUND = st.sampled_from([1, 2, 2.0, True, "x", None])
_MEMBER = st.fixed_dictionaries(
    {"paused": st.sampled_from([True, False, "x"]), "service": st.sampled_from(["s3", "jira"])},
    optional={
        "group_id": st.sampled_from(["g", "h", 1, None]),
        "schema": st.sampled_from(["s", 1, True]),
        "sync_frequency": st.sampled_from([1, 1.5, "x"]),
        "own": st.fixed_dictionaries(
            {"least": _BOUND, "most": _BOUND, "team": st.sampled_from("ab")}
        ),
    },
)


@pytest.fixture(scope="module")
def every_kind(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return rules of every kind on groups, and one on connections."""
    text = """policy: p
facts:
  own:
    key: group_id
    columns: {least: number, most: number, team: text}
    rows: {g: {least: 1, most: 5, team: a}}
rules:
  - {id: a, severity: low, per: group_id, groups: {own.team: a},
     assert: {count: {gte: {field: own.least}, lte: {field: own.most}}}}
  - {id: b, severity: low, per: group_id, when: {paused: true}, assert: {share: {lte: 0.5}}}
  - {id: c, severity: low, per: [group_id, service], when: {paused: true},
     assert: {unique: [schema]}}
  - {id: d, severity: low, per: service, assert: {sum: {sync_frequency: {lte: 2}}}}
  - {id: e, severity: low, per: account, when: {service: s3}, unless: {schema: s},
     assert: {count: {lte: 1}}}
  - {id: f, severity: low, assert: {paused: false}}
"""
    return loaded(tmp_path_factory.mktemp("kinds"), text).ruleset


def _own(least: Any, most: Any, team: str = "a") -> dict[str, Any]:
    return {"own": {"least": least, "most": most, "team": team}}


#: Values of each kind that come again, once and twice, and bounds of which some later one differs.
_AGAIN = [
    {"paused": True, "service": "s3", "group_id": "g", "schema": "s", **_own(1, 5)},
    {"paused": False, "service": "jira", "group_id": "h", "sync_frequency": 1, **_own(1, 5, "b")},
    {"paused": True, "service": "s3", "group_id": "g", "schema": "s", **_own(1, 5)},
    {"paused": True, "service": "s3", "group_id": 1, "sync_frequency": "x"},
    {"paused": "x", "service": "s3", "group_id": "i", "schema": True, **_own(1, 5)},
    {"paused": True, "service": "s3", "group_id": "g", "schema": "t", **_own(2, 5)},
    {"paused": True, "service": "s3", "group_id": "g", "schema": "s", **_own(1, 6)},
    {"paused": True, "service": "s3", "group_id": "i", "sync_frequency": 1.5, **_own(1, 4)},
    {"paused": True, "service": "s3", "schema": "s", "sync_frequency": 1},
    {"paused": True, "service": "s3", "group_id": "g", "schema": "t", **_own(1, 5)},
]


@pytest.mark.parametrize("placed", [True, False])
@pytest.mark.parametrize("cut", range(len(_AGAIN) + 1))
def test_what_comes_again_in_a_later_part_is_found(cut: int, placed: bool, every_kind: Any) -> None:
    for start in range(len(_AGAIN)):
        _same_in_parts(_AGAIN[start:] + _AGAIN[:start], cut, every_kind, placed=placed)


@given(records=st.lists(_MEMBER, max_size=7), cut=st.integers(0, 7), placed=st.booleans())
def test_groups_of_some_parts_are_those_of_the_whole(
    records: list[Any], cut: int, placed: bool, every_kind: Any
) -> None:
    _same_in_parts(records, cut, every_kind, placed=placed)


def _same_in_parts(records: list[Any], cut: int, rules: Any, *, placed: bool) -> None:
    shape = Shape(*rules.reads())
    taken = [shape.convert({"id": "c", **record}) for record in records]
    whole, first, second, third = (Judge(rules, shape, NOW, str, placed=placed) for _ in range(4))
    whole.take(taken)
    first.take(taken[:cut])
    second.take(taken[cut : cut + 2])
    third.take(taken[cut + 2 :])
    first.join(second.part())
    first.join(third.part())
    for complete in (True, False):
        one, two = (each.outcome(lambda _, known=complete: known) for each in (whole, first))
        assert (one.groups, one.verdicts, one.found) == (two.groups, two.verdicts, two.found)
