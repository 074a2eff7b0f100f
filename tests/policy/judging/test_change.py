"""A plan's effect on a judgement: what gates, what is known, what it fixes or improves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from auditor.decoding.gaps import NOT_IN_PLAN
from auditor.decoding.records import Shape
from auditor.model import Connections, Finding, Position, Verdict
from auditor.policy.judging.change import (
    PlanJudgement,
    changed,
    hidden_in,
    mode_of,
    veil,
    with_resources,
)
from auditor.policy.judging.judge import Judge, Judgement, PlanMode
from auditor.policy.language.rules import Ruleset
from auditor.sources.plan.attributes import Attributes, Held, State
from auditor.sources.plan.document import Change, ResourceChange
from auditor.sources.plan.lists import Altered, RowChanges, altered
from auditor.sources.plan.planned import Action, Planned
from tests.builders.judged import NOW, loaded, one_rule

Records = Mapping[str, Mapping[str, Any]]


def _judged(rules: Ruleset, records: Records, **mode: Any) -> Judgement:
    shape = Shape(*rules.reads())
    judge = Judge(rules, shape, NOW, str, PlanMode(**mode))
    judge.take(
        [shape.convert({"id": name, "group_id": "g"} | {**r}) for name, r in records.items()]
    )
    return judge.outcome(lambda _rule: True)


def _planned(name: str, action: Action = Action.UPDATE, **more: Any) -> Planned:
    return Planned(name, f"fivetran_connector.{name}", action, {}, touched=True, **more)


def _changed(
    rules: Ruleset, then: Records | None, now: Records, *touched: Planned, **mode: Any
) -> PlanJudgement:
    names = list(now)
    before = None if then is None else (_judged(rules, then), list(then))
    placed = {names.index(planned.identity): planned for planned in touched}
    ends = frozenset(index for index, planned in placed.items() if planned.ends)
    return changed(_judged(rules, now, ends=ends, **mode), names, placed, before)


def _told(change: PlanJudgement) -> list[tuple[str, str]]:
    """Return the verdict and the note of each finding, as a report has them."""
    names = _named(f"c{n}" for n in range(9))
    return [(f.verdict.label, f.note) for f in change.outcome.findings(names)]


SLOW, FAST, ODD = {"sync_frequency": 60}, {"sync_frequency": 5}, {"sync_frequency": "x"}


def _floor(folder: Path, more: str = "") -> Ruleset:
    return loaded(folder, one_rule(f"assert: {{sync_frequency: {{gte: 15}}}}{more}")).ruleset


def test_what_the_plan_does_not_touch_is_known_whether_it_failed_or_erred(tmp_path: Path):
    rules = _floor(tmp_path)
    now = {"a": FAST, "b": FAST, "c": ODD, "d": ODD}
    change = _changed(rules, None, now, _planned("b"), _planned("d"))
    assert _told(change) == [
        ("known", "not changed by this plan"),
        ("fail", ""),
        ("known", "could not be judged; not changed by this plan"),
        ("error", ""),
    ]
    counts = change.outcome.checks()[0].counts
    assert [counts[v] for v in (Verdict.FAIL, Verdict.ERROR, Verdict.KNOWN)] == [1, 1, 2]


def test_what_ends_is_asked_of_the_change_alone_and_gates(tmp_path: Path):
    """A connection that is destroyed is touched by that, whatever else the plan changes of it."""
    rules = loaded(
        tmp_path,
        one_rule("assert: {plan.action: {not_equals: delete}}")
        + "  - {id: floor, severity: low, assert: {sync_frequency: {gte: 15}}}\n",
    ).ruleset
    gone = Planned("a", "x", Action.DELETE, {})
    now = {"a": {**FAST, "plan": {"action": "delete"}}, "b": {**SLOW, "plan": {"action": "no-op"}}}
    change = _changed(rules, None, now, gone)
    assert _told(change) == [("fail", "")]
    first, second = change.outcome.checks()
    assert list(first.verdicts) == [Verdict.FAIL, Verdict.PASS]
    assert list(second.verdicts) == [Verdict.SKIP, Verdict.PASS]


def test_a_change_that_ends_a_connection_gates_whatever_else_its_rule_reads(tmp_path: Path):
    body = "when: {paused: false}\nassert: {plan.action: {not_equals: delete}}"
    rules = loaded(tmp_path, one_rule(body)).ruleset
    now = {"a": {"paused": False, "plan": {"action": "delete"}}}
    assert _told(_changed(rules, None, now, Planned("a", "x", Action.DELETE, {}))) == [("fail", "")]


def test_what_a_plan_leaves_as_it_is_is_known_by_rules_on_the_change_too(tmp_path: Path):
    rules = loaded(tmp_path, one_rule("assert: {plan.action: update}")).ruleset
    now = {"a": {"plan": {"action": "no-op"}}}
    same = Planned("a", "x", Action.NONE, {})
    assert _told(_changed(rules, None, now, same)) == [("known", "not changed by this plan")]


def test_a_connection_that_is_forgotten_lives_on_and_is_as_it_was(tmp_path: Path):
    """Over an account it is judged by every rule; only those on the change are about it."""
    rules, now = _floor(tmp_path), {"a": FAST}
    placed = {0: Planned("a", "x", Action.FORGET, {})}
    change = changed(_judged(rules, now), ["a"], placed, (_judged(rules, now), ["a"]))
    assert _told(change) == [("known", "not changed by this plan")]


def _named(names: Iterable[str]) -> Connections:
    ids = list(names)
    return Connections(ids, ["postgres"] * len(ids), ["s"] * len(ids), ["g"] * len(ids))


ALONE = _named("a")
COUNT = "per: group_id\nassert: "


@pytest.mark.parametrize(
    ("asserted", "then", "now", "told", "improved"),
    [
        ("{count: {lte: 1}}", 2, 3, ("fail", "it was 2 before this plan"), ""),
        (
            "{count: {lte: 1}}", 3, 2, ("known", "fewer than before this plan, when it was 3"),
            "rule: g: 3 before, 2 after; still broken",
        ),
        ("{count: {lte: 1}}", 2, 2, ("known", "already so before this plan, and no worse now"), ""),
        ("{count: {lte: 1}}", 1, 2, ("fail", ""), ""),
        ("{count: {gte: 9}}", 3, 2, ("fail", "it was 3 before this plan"), ""),
        (
            "{count: {gte: 9}}", 2, 3, ("known", "fewer than before this plan, when it was 2"),
            "rule: g: 2 before, 3 after; still broken",
        ),
        ("{count: {gte: 1, lte: 2}}", 5, 4, ("fail", "it was 5 before this plan"), ""),
        ("{count: {gte: 1, lte: 2}}", 4, 5, ("fail", "it was 4 before this plan"), ""),
        ("{count: {lte: 1, not_equals: 0}}", 5, 4, ("fail", "it was 5 before this plan"), ""),
        ("{count: {equals: 1}}", 5, 4, ("fail", "it was 5 before this plan"), ""),
        (
            "{max: {sync_frequency: {lte: 50}}}", 1200, 1100,
            ("known", "fewer than before this plan, when it was 1,200"),
            "rule: g: 1,200 before, 1,100 after; still broken",
        ),
    ],
)  # fmt: skip
def test_a_group_that_was_broken_gates_where_the_plan_makes_it_worse(
    tmp_path: Path, asserted: str, then: int, now: int, told: Any, improved: str
):
    rules = loaded(tmp_path, one_rule(f"{COUNT}{asserted}")).ruleset

    def records(number: int) -> dict[str, dict[str, Any]]:
        if "max" in asserted:
            return {"a": {"sync_frequency": number}}
        return {f"c{n}": {} for n in range(number)}

    after = records(now)
    change = _changed(rules, records(then), after, _planned(next(iter(after))))
    assert _told(change) == [told]
    assert change.improved == ((improved,) if improved else ())
    assert change.mended == ()


@pytest.mark.parametrize(
    ("asserted", "then", "now", "told"),
    [
        ("lte", (4, 2), (3, 2), ("known", "fewer than before this plan, when it was 4")),
        ("lte", (2, 1), (3, 1), ("fail", "it was 2 before this plan")),
        ("gte", (2, 9), (3, 9), ("known", "fewer than before this plan, when it was 2")),
        ("gte", (3, 9), (2, 9), ("fail", "it was 3 before this plan")),
        # A bound that moves with the number says nothing about which of both is worse.
        ("lte", (3, 2), (2, 1), ("fail", "it was 3 before this plan")),
    ],
)
def test_a_number_beside_a_field_is_worse_as_one_beside_a_value_is(
    tmp_path: Path, asserted: str, then: tuple[int, int], now: tuple[int, int], told: Any
):
    body = f"{COUNT}{{count: {{{asserted}: {{field: own.most}}}}}}"
    head = "facts: {own: {file: t.csv, key: group_id, columns: {most: number}}}\n"
    (tmp_path / "t.csv").write_text("group_id,most\ng,1\n")
    rules = loaded(tmp_path, one_rule(body, head=head)).ruleset

    def records(count: int, most: int) -> Records:
        return {f"c{n}": {"own": {"most": most}} for n in range(count)}

    change = _changed(rules, records(*then), records(*now), _planned("c0"))
    assert _told(change) == [told]


def test_a_share_that_grows_by_less_than_is_shown_of_it_has_grown(tmp_path: Path):
    body = f"{COUNT}{{share: {{lte: 0.1}}}}\nwhen: {{paused: true}}"
    rules = loaded(tmp_path, one_rule(body)).ruleset
    then = {f"c{n}": {"paused": n % 2 == 0} for n in range(1000)}
    now = {**then, "new": {"paused": True}}
    change = _changed(rules, then, now, _planned("new", Action.CREATE))
    (check,) = change.outcome.checks()[0].groups
    assert check.verdict is Verdict.FAIL
    (_, (outcome,)) = change.outcome.groups[0]
    assert (outcome.actual, outcome.note) == (
        "50.0% (501 of 1,001)", "it was 50.0% (500 of 1,000) before this plan",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("then", "now", "told", "improved"),
    [
        ("ab", "ab", ("known", "already so before this plan, and no worse now"), 0),
        ("ab", "abc", ("fail", "it was shared by 2 connections before this plan"), 0),
        ("ab", "ac", ("fail", "it was shared by 2 connections before this plan"), 0),
        (
            "abc", "ab",
            ("known", "fewer than before this plan, when it was shared by 3 connections"), 1,
        ),
        ("a", "ab", ("fail", ""), 0),
    ],
)  # fmt: skip
def test_a_duplicate_is_worse_by_each_connection_that_was_none_of_it(
    tmp_path: Path, then: str, now: str, told: Any, improved: int
):
    rules = loaded(tmp_path, one_rule(f"{COUNT}{{unique: schema}}")).ruleset

    def records(names: str) -> Records:
        return {name: {"schema": "x" if name in names else name} for name in "abc"}

    change = _changed(rules, records(then), records(now), _planned("a"))
    assert (_told(change), len(change.improved)) == ([told], improved)


@pytest.mark.parametrize(
    ("then", "touched", "told"),
    [
        (ODD, "b", ("known", "could not be judged; not changed by this plan")),
        (ODD, "a", ("error", "")),
        (SLOW, "b", ("error", "")),
    ],
)
def test_a_group_that_could_not_be_judged_before_is_known_where_nothing_of_it_changes(
    tmp_path: Path, then: Any, touched: str, told: Any
):
    body = f"{COUNT}{{max: {{sync_frequency: {{lte: 90}}}}}}"
    rules = loaded(tmp_path, one_rule(body)).ruleset
    now = {"a": ODD, "b": {**SLOW, "group_id": "other"}}
    change = _changed(rules, {"a": then, "b": now["b"]}, now, _planned(touched))
    assert _told(change) == [told]


def test_without_the_account_a_group_gates_where_the_plan_touches_what_broke_it(tmp_path: Path):
    rules = loaded(tmp_path, one_rule(f"{COUNT}{{count: {{lte: 1}}}}")).ruleset
    now: Records = {"a": {}, "b": {}, "c": {"group_id": "h"}}
    assert _told(_changed(rules, None, now, _planned("a"))) == [("fail", "")]
    known = [("known", "not changed by this plan")]
    assert _told(_changed(rules, None, now, _planned("c"))) == known


def test_what_is_mended_is_judged_and_broken_no_more(tmp_path: Path):
    rules = _floor(tmp_path, "\nwhen: {paused: {equals: false}}")
    bad = {**FAST, "paused": False}
    then = dict.fromkeys(("fixed", "skipped", "still", "unclear", "open", "ends", "gone"), bad)
    now = {
        "fixed": {**SLOW, "paused": False},
        "skipped": {**FAST, "paused": True},
        "still": bad,
        "unclear": {**ODD, "paused": False},
        "open": {"sync_frequency": NOT_IN_PLAN, "paused": False},
        "ends": bad,
        "fresh": bad,
    }
    touched = [_planned(name) for name in now if name != "ends"]
    change = _changed(rules, then, now, *touched, _planned("ends", Action.DELETE))
    assert change.mended == (
        "rule: fixed", "rule: skipped", "rule: ends is gone", "rule: gone is gone",
    )  # fmt: skip


def test_what_is_mended_is_told_of_the_rule_that_was_broken(tmp_path: Path):
    rules = loaded(
        tmp_path,
        one_rule("assert: {schema: {exists: true}}")
        + "  - {id: floor, severity: low, assert: {sync_frequency: {gte: 15}}}\n",
    ).ruleset
    then = {"a": FAST, "b": FAST, "c": ODD}
    then = {name: {**held, "schema": "s"} for name, held in then.items()}
    # What could not be judged was not broken.
    now = {**then, "a": {**SLOW, "schema": "s"}, "c": {**SLOW, "schema": "s"}}
    assert _changed(rules, then, now, _planned("a")).mended == ("floor: a",)


def test_a_connection_is_followed_by_the_id_that_the_account_knows_it_by(tmp_path: Path):
    new = _planned("terraform:x", real_id="a")
    change = _changed(_floor(tmp_path), {"a": FAST}, {"terraform:x": SLOW}, new)
    assert change.mended == ("rule: a",)


@pytest.mark.parametrize(
    ("now", "mended"),
    [
        (SLOW, ("rule: g: max of sync_frequency was 99",)),
        ({"sync_frequency": 98}, ()),
        (ODD, ()),
    ],
)
def test_a_group_is_mended_where_it_was_judged_and_holds(tmp_path: Path, now: Any, mended: Any):
    body = f"{COUNT}{{max: {{sync_frequency: {{lte: 90}}}}}}"
    rules = loaded(tmp_path, one_rule(body)).ruleset
    change = _changed(rules, {"a": {"sync_frequency": 99}}, {"a": now}, _planned("a"))
    assert change.mended == mended


# -- what is shown of a planned connection --------------------------------------------------------


def test_what_a_plan_marks_is_hidden_as_it_was_and_as_it_will_be():
    planned = _planned("a")
    always = {"config", "plan.before.config"}
    assert hidden_in(planned) == always
    planned.fields = {
        "schema": Held(State.KNOWN, "s", sensitive=frozenset({""})),
        "schedule": Held(State.KNOWN, {}, sensitive=frozenset({"days"})),
        "service": Held(State.KNOWN, "postgres"),
    }
    marked = {"schema", "schedule.days"}
    assert hidden_in(planned) == always | marked | {f"plan.before.{path}" for path in marked}


@pytest.mark.parametrize(
    ("held", "action", "before", "after"),
    [
        (Held(State.KNOWN, 5, "x", "f", 60), Action.UPDATE, "60", "5"),
        (Held(State.KEPT, 60, "x", "f", 60), Action.UPDATE, "", "60, as it was"),
        (Held(State.DEFAULT, 360, "x", "f", 60), Action.UPDATE, "60", "360 by default"),
        (Held(State.KNOWN, 5, "x", "f", None), Action.CREATE, "", "5"),
        (Held(State.KNOWN, 5, "x", "f"), Action.UPDATE, "", "5"),
        (
            Held(State.KNOWN, 5, "x", "f", 60, frozenset({""})),
            Action.UPDATE, "[sensitive]", "[sensitive]",
        ),
        (
            Held(State.KNOWN, 5, "x", "f", None, frozenset({""})),
            Action.UPDATE, "null", "[sensitive]",
        ),
    ],
)  # fmt: skip
def test_a_finding_names_the_attribute_that_would_mend_it_as_it_was_and_will_be(
    tmp_path: Path, held: Held, action: Action, before: str, after: str
):
    rules = _floor(tmp_path)
    planned = _planned("a", action)
    planned.fields = {"sync_frequency": held}
    (found,) = _found(rules, planned)
    (resource,) = found.resources
    (attribute,) = resource.attributes
    assert (attribute.field, attribute.address, attribute.name) == ("sync_frequency", "x", "f")
    assert (attribute.before, attribute.after) == (before, after)


def _found(rules: Ruleset, planned: Planned) -> Sequence[Finding]:
    findings = _judged(rules, {"a": FAST}).findings(ALONE)
    return list(with_resources(findings, {"a": planned}, {}, str, lambda _address, _name: None))


def _placed(folder: Path, asserted: str, record: dict[str, Any], *planned: Planned) -> Finding:
    """Return the finding of one rule on connections of which each has a resource."""
    rules = loaded(folder, one_rule(f"assert: {asserted}")).ruleset
    names = [each.identity for each in planned]
    judged = _judged(rules, dict.fromkeys(names, record))
    places = _named(names)
    by_id = {each.identity: each for each in planned}
    (found, *_) = with_resources(
        judged.findings(places), by_id, {}, str, lambda _address, _name: None
    )
    return found


def _set(value: Any, address: str = "x", attribute: str = "f") -> Held:
    return Held(State.KNOWN, value, address, attribute, value)


def test_what_no_resource_sets_has_no_attribute(tmp_path: Path):
    planned = _planned("a")
    planned.fields = {"sync_frequency": _set(5, address="")}
    found = _placed(tmp_path, "{sync_frequency: {gte: 15}}", FAST, planned)
    assert found.resources[0].attributes == ()
    assert found.message.endswith("expected at least 15 [update fivetran_connector.a]")


@pytest.mark.parametrize(
    ("asserted", "path", "name", "after"),
    [
        ("{config.host: x}", "config.host", "config.host", "[hidden]"),
        ("{config.ssh.user: x}", "config.ssh.user", "config.ssh.user", "[hidden]"),
        ("{config: {length: 9}}", "config", "config", "[hidden]"),
        # Of another object the resource has an attribute for each field.
        ("{schedule.cron: {contains: x}}", "schedule.cron", "cron_list", "a, b"),
    ],
)
def test_below_a_config_the_attribute_has_the_whole_path(
    tmp_path: Path, asserted: str, path: str, name: str, after: str
):
    planned = _planned("a")
    record = {"config": {"host": "h", "ssh": {"user": "u"}}, "schedule": {"cron": ["a", "b"]}}
    names = {"config": "config", "schedule": "cron_list"}
    planned.fields = {key: _set(held, attribute=names[key]) for key, held in record.items()}
    found = _placed(tmp_path, asserted, record, planned)
    (attribute,) = found.resources[0].attributes
    assert (attribute.field, attribute.name, attribute.after) == (path, name, after)


def test_three_attributes_are_named_in_the_message_and_no_more(tmp_path: Path):
    fields = ("paused", "sync_frequency", "schedule_type", "networking_method")
    planned = _planned("a")
    planned.fields = {name: _set(5, attribute=name) for name in fields}
    asserted = "{any: [" + ", ".join(f"{{{name}: {{exists: false}}}}" for name in fields) + "]}"
    record = {"paused": True, "sync_frequency": 5, "schedule_type": "auto"}
    found = _placed(tmp_path, asserted, {**record, "networking_method": "Directly"}, planned)
    assert [attribute.field for attribute in found.resources[0].attributes] == list(fields)
    assert found.message.endswith(
        "[update fivetran_connector.a; x: paused 5; x: sync_frequency 5; x: schedule_type 5]"
    )


@pytest.mark.parametrize(
    ("count", "more"), [(2, "and 1 more resource"), (3, "and 2 more resources")]
)
def test_the_other_resources_of_a_group_are_counted(tmp_path: Path, count: int, more: str):
    body = "per: group_id\nassert: {unique: [service, schema]}"
    rules = loaded(tmp_path, one_rule(body)).ruleset
    names = [f"c{n}" for n in range(count)]
    same = {"service": "postgres", "schema": "s"}
    judged = _judged(rules, dict.fromkeys(names, same))
    places = _named(names)
    by_id = {name: _planned(name) for name in names}
    (found,) = with_resources(judged.findings(places), by_id, {}, str, lambda _address, _name: None)
    assert found.message.endswith(f"[update fivetran_connector.c0; {more}]")


def test_a_resource_s_own_line_is_named_where_no_attribute_s_is(tmp_path: Path):
    """The line where an attribute is written comes first, then that of its resource."""
    rules = _floor(tmp_path)
    planned = _planned("a")

    def locate(address: str, attribute: str) -> Position | None:
        return Position("main.tf", 7 if attribute else 3, 1) if address != "x" else None

    def message() -> str:
        findings = _judged(rules, {"a": FAST}).findings(
            Connections(["a"], ["postgres"], ["s"], ["g"])
        )
        (found,) = with_resources(findings, {"a": planned}, {}, str, locate)
        return found.message.partition(" [")[2]

    assert message() == "update fivetran_connector.a; main.tf:3]"
    planned.fields = {"sync_frequency": _set(5, planned.address, "f")}
    assert message() == "update fivetran_connector.a; f 5, main.tf:7]"
    planned.fields = {"sync_frequency": _set(5)}
    assert message() == "update fivetran_connector.a; x: f 5]"


def test_a_finding_that_no_resource_is_behind_stays_as_it_is(tmp_path: Path):
    rules = _floor(tmp_path)
    names = _named("ab")
    findings = _judged(rules, {"a": FAST, "b": FAST}).findings(names)
    told = list(with_resources(findings, {"b": _planned("b")}, {}, str, lambda *_: None))
    assert told[0] == findings[0]
    assert [resource.address for resource in told[1].resources] == ["fivetran_connector.b"]


def test_what_is_set_comes_before_what_is_not(tmp_path: Path):
    rules = loaded(tmp_path, one_rule(f"{COUNT}{{unique: schema}}")).ruleset
    findings = _judged(rules, {"a": {"schema": "x"}, "b": {"schema": "x"}}).findings(_named("ab"))
    first, second = _planned("a"), _planned("b")
    second.fields = {"schema": _set("x")}
    (found,) = with_resources(findings, {"a": first, "b": second}, {}, str, lambda *_: None)
    assert [r.address for r in found.resources] == ["fivetran_connector.b", "fivetran_connector.a"]


def test_what_ends_has_a_resource_and_nothing_to_set(tmp_path: Path):
    planned = _planned("a", Action.DELETE)
    planned.fields = {"sync_frequency": _set(5)}
    found = _placed(tmp_path, "{sync_frequency: {gte: 15}}", FAST, planned)
    assert [(r.action, r.attributes) for r in found.resources] == [("delete", ())]


@pytest.mark.parametrize(
    ("asserted", "record", "fields"),
    [
        ("{plan.before.paused: true}", {"plan": {"before": {"paused": False}}}, ["paused"]),
        (
            "{plan.action: {not_equals: replace}}",
            {"plan": {"action": "replace"}},
            ["service", "config"],
        ),
        (
            "{plan.times_faster: {lte: 2}}",
            {"plan": {"times_faster": 12}},
            ["sync_frequency"],
        ),
        (
            "{setup_tests: {none_items: {status: FAILED}}}",
            {"setup_tests": [{"status": "FAILED"}]},
            [],
        ),
    ],
)
def test_a_field_of_the_plan_rests_on_what_the_connection_sets(
    tmp_path: Path, asserted: str, record: Any, fields: list[str]
):
    planned = _planned("a", Action.REPLACE, replace_reason=("service", "config.host"))
    names = ("paused", "service", "config", "sync_frequency")
    planned.fields = {name: _set("v", attribute=name) for name in names}
    found = _placed(tmp_path, asserted, record, planned)
    told = [attribute.field for resource in found.resources for attribute in resource.attributes]
    assert told == fields


# -- rows of other lists --------------------------------------------------------------------------


def _row(before: Any, after: Any, kind: str = "fivetran_destination", **more: Any) -> Altered:
    fresh = more.pop("fresh", before is None)
    address = f"{kind}.it"
    change = Change(before=before, after=after, **more)
    read = Attributes(ResourceChange(address), change, None, fresh=fresh)
    found = altered(
        kind, address, read, group="", action="create" if fresh else "update", ends=after is None
    )
    assert found is not None
    return found


US, EU = {"group_id": "g", "region": "US"}, {"group_id": "g", "region": "EU"}


def _with_rows(
    folder: Path, body: str, record: Mapping[str, Any], rows: RowChanges, verdict: str = "fail"
) -> Finding:
    rules = loaded(folder, one_rule(body)).ruleset
    (found,) = _judged(rules, {"a": record}).findings(
        Connections(["a"], ["postgres"], ["s"], ["g"])
    )
    found = structs.replace(found, verdict=Verdict[verdict.upper()])

    def locate(address: str, attribute: str) -> Position:
        return Position(f"{address}.tf", len(attribute) + 1, 1)

    (told,) = with_resources([found], {}, {"a": rows}, str, locate)
    return told


REGION = "assert: {destination.region: EU}"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_row(EU, US), ("update", "EU", "US")),
        (_row(None, US), ("create", "", "US")),
        (_row(EU, US, fresh=True), ("create", "EU", "US")),
        (_row({"group_id": "g"}, US), ("update", "", "US")),
        (_row(EU, US, after_sensitive={"region": True}), ("update", "[sensitive]", "[sensitive]")),
        (_row(US, {"group_id": "g"}, after_unknown={"region": True}), ("update", "US", ...)),
    ],
)
def test_a_finding_on_a_row_names_what_sets_it(tmp_path: Path, change: Altered, told: Any):
    record = {"destination": {"region": "US"}}
    found = _with_rows(tmp_path, REGION, record, {"destination": [change, change]})
    (resource,) = found.resources
    action, before, after = told
    assert (resource.address, resource.action) == ("fivetran_destination.it", action)
    assert resource.position == Position("fivetran_destination.it.tf", 1, 1)
    (attribute,) = resource.attributes
    assert (attribute.field, attribute.name) == ("destination.region", "region")
    assert attribute.address == "fivetran_destination.it"
    assert attribute.position == Position("fivetran_destination.it.tf", 7, 1)
    assert attribute.before == before
    assert after is ... or attribute.after == after


def test_a_field_below_an_attribute_of_a_row_names_the_attribute(tmp_path: Path):
    body = "assert: {external_logging.status.setup_state: connected}"
    record = {"external_logging": {"status": {"setup_state": "broken"}}}
    before, after = ({"group_id": "g", "status": held} for held in (None, {"setup_state": "x"}))
    rows = {"external_logging": [_row(before, after, "fivetran_external_logging")]}
    (attribute,) = _with_rows(tmp_path, body, record, rows).resources[0].attributes
    assert attribute.field == "external_logging.status.setup_state"
    assert (attribute.name, attribute.before, attribute.after) == ("status", "null", "an object")


@pytest.mark.parametrize(
    ("verdict", "count"), [("fail", 1), ("error", 1), ("waived", 1), ("known", 0)]
)
def test_a_row_has_no_part_in_what_was_known_before(tmp_path: Path, verdict: str, count: int):
    rows = {"destination": [_row(EU, US)]}
    record = {"destination": {"region": "US"}}
    assert len(_with_rows(tmp_path, REGION, record, rows, verdict).resources) == count


def test_a_row_of_a_fact_that_the_rule_does_not_read_is_left_out(tmp_path: Path):
    rows = {"destination": [_row(EU, US)]}
    assert _with_rows(tmp_path, "assert: {paused: false}", {"paused": True}, rows).resources == ()


def test_a_row_of_another_group_is_left_out_and_one_for_all_is_not(tmp_path: Path):
    hook, other = {"id": "w", "group_id": "g"}, {"id": "w", "group_id": "h"}
    body = "assert: {webhooks: {none_items: {active: true}}}"
    record = {"webhooks": [{"active": True}]}

    def addresses(*rows: Altered) -> list[str]:
        found = _with_rows(tmp_path, body, record, {"webhooks": list(rows)})
        return [resource.address for resource in found.resources]

    active = {"active": True}
    mine = _row(hook, {**hook, **active}, "fivetran_webhook")
    theirs = _row(other, {**other, **active}, "fivetran_webhook")
    every = _row({"id": "w"}, {"id": "w", "type": "account", **active}, "fivetran_webhook")
    assert addresses(mine) == addresses(every) == ["fivetran_webhook.it"]
    assert addresses(theirs) == []


def test_a_field_of_the_row_that_another_names_rests_on_what_names_it(tmp_path: Path):
    """A group by a fact's field names what sets that, too."""
    body = "per: destination.region\nassert: {count: {lte: 0}}"
    record = {"destination": {"region": "US"}}
    found = _with_rows(tmp_path, body, record, {"destination": [_row(EU, US)]})
    assert [a.field for a in found.resources[0].attributes] == ["destination.region"]


# -- what a change of a row brings ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("then", "now", "told"),
    [
        ("EU", "US", ("fail", "")),
        ("US", "US", ("known", "not changed by this plan")),
        ("EU", None, ("error", "")),
        (None, "US", ("fail", "")),
        (None, None, ("known", "could not be judged; not changed by this plan")),
        ("US", None, ("known", "could not be judged; not changed by this plan")),
    ],
)
@pytest.mark.parametrize("changed_row", [True, False])
def test_a_row_s_change_gates_where_it_brings_a_finding_that_was_not_there(
    tmp_path: Path, then: Any, now: Any, told: tuple[str, str], changed_row: bool
):
    rules = loaded(tmp_path, one_rule(REGION)).ruleset

    def records(region: Any) -> Records:
        return {"a": {"destination": {"region": region} if region else {}}}

    judged = _judged(rules, records(now))
    before = _judged(rules, records(then)), ["a"]
    rows: dict[int, RowChanges] = {0: {"destination" if changed_row else "group": []}}
    change = changed(judged, ["a"], {}, before, rows)
    alone = changed(judged, ["a"], {}, None, rows)
    assert [verdict for verdict, _ in _told(alone)] == ["known"]
    if not changed_row:
        label = "known"
        assert [verdict for verdict, _ in _told(change)] == [label]
    else:
        assert _told(change) == [told]


# -- how the records of a plan are judged ---------------------------------------------------------


@pytest.mark.parametrize("partial", [True, False])
@pytest.mark.parametrize("skip_unknown", [True, False])
def test_what_ends_and_what_is_hidden_is_known_by_place(partial: bool, skip_unknown: bool):
    gone, forgotten, kept = (
        _planned(name, action)
        for name, action in (("a", Action.DELETE), ("b", Action.FORGET), ("c", Action.UPDATE))
    )
    kept.fields = {"schema": Held(State.KNOWN, "s", sensitive=frozenset({""}))}
    placed = {0: gone, 1: forgotten, 4: kept}
    veiled = {4: frozenset({"destination.region"}), 5: frozenset({"owner.role"})}
    mode = mode_of(placed, ["x"], partial=partial, skip_unknown=skip_unknown, veiled=veiled)
    # Over an account, a connection that the plan forgets lives on there.
    assert mode.ends == ({0, 1} if partial else {0})
    assert (mode.accounts, mode.partial, mode.skip_unknown) == (["x"], partial, skip_unknown)
    never = {"config", "plan.before.config"}
    marked = {"schema", "plan.before.schema", "destination.region"}
    assert mode.hidden == {0: never, 1: never, 4: never | marked, 5: {"owner.role"}}
    alone = mode_of(placed, None, partial=partial, skip_unknown=skip_unknown)
    assert alone.hidden[4] == mode.hidden[4] - {"destination.region"}


def test_a_column_beside_the_connections_shows_nothing_that_the_plan_marks():
    planned = _planned("a")
    planned.fields = {"schedule": Held(State.KNOWN, {}, sensitive=frozenset({"days"}))}
    columns = {"days": ["m", "", "t", "w"], "team": ["x", "y", "", "z"]}
    paths = {"days": "schedule.days", "team": "tiers.team"}
    veiled = {2: frozenset({"tiers"}), 3: frozenset({"tiers"})}
    assert veil(columns, paths, {0: planned, 1: planned}, veiled) == {
        "days": ["[sensitive]", "", "t", "w"],
        "team": ["x", "y", "", "[sensitive]"],
    }
    assert columns["days"][0] == "m"


def test_a_group_that_is_mended_is_not_named_by_what_the_plan_marks(tmp_path: Path):
    rules = loaded(tmp_path, one_rule("per: schema\nassert: {count: {lte: 1}}")).ruleset
    then = {"a": {"schema": "x"}, "b": {"schema": "x"}, "c": {"schema": "z"}}
    now = {"a": {"schema": "y"}, "b": {"schema": "x"}, "c": {"schema": "z"}}

    def mended(*hidden: frozenset[str]) -> tuple[str, ...]:
        by_place = dict(enumerate(hidden))
        return _changed(rules, then, now, _planned("a"), hidden=by_place).mended

    assert mended() == mended(frozenset({"config"})) == ("rule: x: count was 2",)
    marked = mended(frozenset({"config"}), frozenset({"schema"}))
    assert marked == ("rule: [sensitive]: count was 2",)
