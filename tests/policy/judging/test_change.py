"""What a plan does to a judgement: what gates, what is known, what it mends or improves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from auditor.decoding.gaps import NOT_IN_PLAN
from auditor.decoding.records import Shape
from auditor.model import Connection, Finding, Verdict
from auditor.policy.judging.change import PlanJudgement, changed, hidden_in, with_resources
from auditor.policy.judging.judge import Judge, Judgement, PlanMode
from auditor.policy.language.rules import Ruleset
from auditor.sources.plan.attributes import Held, State
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
    names = [Connection(f"c{n}", "postgres", "s", "g") for n in range(9)]
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


def test_a_share_that_grows_by_less_than_is_shown_of_it_has_grown(tmp_path: Path):
    body = f"{COUNT}{{share: {{lte: 0.1}}}}\nwhen: {{paused: true}}"
    rules = loaded(tmp_path, one_rule(body)).ruleset
    then = {f"c{n}": {"paused": n % 2 == 0} for n in range(1000)}
    now = {**then, "new": {"paused": True}}
    change = _changed(rules, then, now, _planned("new", Action.CREATE))
    (check,) = change.outcome.checks()[0].groups
    assert check.verdict is Verdict.FAIL
    (entry, (outcome,)) = change.outcome.groups[0]
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
    findings = _judged(rules, {"a": FAST}).findings([Connection("a", "postgres", "s", "g")])
    return list(with_resources(findings, {"a": planned}, {}, str, lambda _address, _name: None))


def _placed(folder: Path, asserted: str, record: dict[str, Any], *planned: Planned) -> Finding:
    """Return the finding of one rule on connections of which each has a resource."""
    rules = loaded(folder, one_rule(f"assert: {asserted}")).ruleset
    names = [each.identity for each in planned]
    judged = _judged(rules, dict.fromkeys(names, record))
    places = [Connection(name, "postgres", "s", "g") for name in names]
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


def test_below_a_config_the_attribute_has_the_whole_path(tmp_path: Path):
    planned = _planned("a")
    planned.fields = {"config": _set({"host": "h"}, attribute="config")}
    found = _placed(tmp_path, "{config.host: x}", {"config": {"host": "h"}}, planned)
    (attribute,) = found.resources[0].attributes
    assert (attribute.field, attribute.name, attribute.after) == (
        "config.host",
        "config.host",
        "[hidden]",
    )


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
    places = [Connection(name, "postgres", "s", "g") for name in names]
    by_id = {name: _planned(name) for name in names}
    (found,) = with_resources(judged.findings(places), by_id, {}, str, lambda _address, _name: None)
    assert found.message.endswith(f"[update fivetran_connector.c0; {more}]")
