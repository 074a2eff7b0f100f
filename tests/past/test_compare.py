"""Comparing: what became of every finding, by rule and connection, and when it is worse."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from auditor.errors import UsageError
from auditor.model import Account, Completeness, Outcome, Result, Severity, Verdict
from auditor.past.compare import MEANINGS, WORSE, Comparison, ComparisonOutcome, Fate, compare
from auditor.past.earlier import EarlierReport, EarlierRule, parse_report, report_of
from auditor.policy import Ruleset, load_policies
from auditor.reports import json as report_json
from auditor.run import Options, audit
from tests.builders.listed import (
    HOUSE,
    TODAY,
    Listed,
    baseline_from,
    json_of,
    record,
    waiver,
    waivers_in,
)


def _written(folder: Path, text: str) -> str:
    path = folder / "house.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def judged(house: Ruleset, *records: dict[str, Any], **options: Any) -> Result:
    return audit(Listed(list(records)), house, Options(now=TODAY, clock=lambda: TODAY, **options))


def compared(old: Result, new: Result, fail_on: Severity | None = Severity.LOW) -> Comparison:
    """Compare two results by way of their JSON reports, and see that memory says the same."""
    read = [parse_report(json_of(r).encode(), n) for r, n in ((old, "old"), (new, "new"))]
    found = compare(*read, fail_on)
    direct = compare(report_of(old, "old"), report_of(new, "new"), fail_on)
    assert found.changes == direct.changes
    assert found.reasons == direct.reasons
    return found


def told(comparison: Comparison) -> dict[tuple[str, str], str]:
    """Return each change by its rule, and its group or connection."""
    return {(c.rule, c.group or c.connections[0].id): c.change.value for c in comparison.changes}


def test_new_fixed_and_unchanged(house: Ruleset):
    old = judged(house, record("a", sync_frequency=5), record("b", paused=True), record("c"))
    new = judged(house, record("a", sync_frequency=5), record("b"), record("c", sync_frequency=1))
    found = compared(old, new)
    assert told(found) == {
        ("sync-floor", "a"): "unchanged",
        ("not-paused", "b"): "fixed",
        ("sync-floor", "c"): "new",
    }
    assert [c.change.value for c in found.changes] == ["new", "unchanged", "fixed"]
    assert (found.answer, found.answer.exit_code) == (ComparisonOutcome.WORSE, 1)
    assert found.reasons == ("1 new violation (1 medium)", "1 fixed")
    assert [(t.name, t.counts) for t in found.by_rule] == [
        ("sync-floor", {Fate.NEW: 1, Fate.UNCHANGED: 1}),
        ("not-paused", {Fate.FIXED: 1}),
    ]
    assert [t.name for t in found.by_connection] == ["c", "a", "b"]
    assert found.by_group[0].counts == {Fate.NEW: 1, Fate.UNCHANGED: 1, Fate.FIXED: 1}


def test_only_what_counts_makes_it_worse(house: Ruleset):
    old, new = judged(house, record("a")), judged(house, record("a", sync_frequency=5))
    assert compared(old, new, Severity.MEDIUM).answer is ComparisonOutcome.WORSE
    milder = compared(old, new, Severity.HIGH)
    assert milder.answer is ComparisonOutcome.HELD
    assert milder.reasons[-1] == "1 of them below the bar (--fail-on high)"
    assert compared(old, new, None).answer is ComparisonOutcome.HELD


def test_what_was_not_judged_is_never_fixed(house: Ruleset, tmp_path: Path):
    bad = {"sync_frequency": 5, "paused": True}
    old = judged(house, record("a", **bad), record("b", **bad), record("c"))
    fewer = load_policies(_written(tmp_path, HOUSE.replace("not-paused", "is-running")))
    some = [record("b", sync_frequency="5"), record("c")]
    listed = Listed(some, completeness=Completeness.UNKNOWN)
    new = audit(listed, fewer, Options(now=TODAY, clock=lambda: TODAY))
    found = compared(old, new)
    notes = {(c.rule, c.connections[0].id): c.note for c in found.changes if not c.group}
    by_key = told(found)
    assert [by_key["sync-floor", name] for name in "ab"] == ["unjudged", "unjudged"]
    assert [by_key["not-paused", name] for name in "ab"] == ["unjudged", "unjudged"]
    assert notes["sync-floor", "a"] == "the connection is not in the newer run"
    assert notes["sync-floor", "b"] == "could not be evaluated"
    assert notes["not-paused", "b"] == "the rule is not in the newer run"
    severities = [c.severity for c in found.changes if c.change is Fate.UNJUDGED]
    assert severities == sorted(severities, reverse=True)
    assert {Severity.HIGH, Severity.MEDIUM} <= set(severities)
    assert found.answer is ComparisonOutcome.INCONCLUSIVE
    assert (found.rules_gone, found.rules_added) == (("not-paused",), ("is-running",))
    assert (found.connections_gone, found.connections_added) == (1, 0)


def test_what_a_changed_rule_makes_of_a_finding_is_told(house: Ruleset, tmp_path: Path):
    milder = load_policies(_written(tmp_path, HOUSE.replace("gte: 15", "gte: 5")))
    old, new = (judged(rules, record("a", sync_frequency=5)) for rules in (house, milder))
    for found, fate in ((compared(old, new), "fixed"), (compared(new, old), "new")):
        assert found.rules_changed == ("sync-floor",)
        (changed,) = found.changes
        assert (changed.change.value, changed.note) == (fate, "the rule was changed")
    assert compared(old, new).reasons[-1] == "1 fixed (1 where the rule was changed)"
    assert compared(new, old).reasons == (
        "1 new violation (1 medium; 1 where the rule was changed)",
    )
    assert compared(old, old).rules_changed == ()


def test_a_rule_with_another_severity_was_changed_and_its_findings_were_not(
    house: Ruleset, tmp_path: Path
):
    """What gates is then another matter, and the rule that is to blame is named."""
    lower = load_policies(_written(tmp_path, HOUSE.replace("severity: high", "severity: low", 1)))
    old, new = (judged(rules, record("a", sync_frequency=5)) for rules in (house, lower))
    found = compared(old, new)
    (name,) = found.rules_changed
    assert [rule.severity for rule in new.rules if rule.id == name] == [Severity.LOW]
    assert {(c.change.value, c.note) for c in found.changes} == {("unchanged", "")}


def test_only_what_was_fixed_counts_as_fixed_by_a_changed_rule(house: Ruleset, tmp_path: Path):
    longer = load_policies(_written(tmp_path, HOUSE.replace("gte: 15", "lte: 100")))
    records = [record("a", sync_frequency=5), record("b", sync_frequency=360)]
    found = compared(judged(house, *records), judged(longer, *records))
    assert told(found) == {("sync-floor", "a"): "fixed", ("sync-floor", "b"): "new"}
    assert found.reasons[-1] == "1 fixed (1 where the rule was changed)"


@pytest.mark.parametrize("expects", [("", "paused is false"), ("paused is false", ""), ("", "")])
def test_what_an_old_report_does_not_say_of_a_rule_is_no_change(expects: tuple[str, str]):
    then, now = (EarlierRule("r", "", Severity.LOW, (), b"", (), expects=text) for text in expects)
    assert not then.was_changed(now)
    assert replace(then, expects="a").was_changed(replace(now, expects="b"))
    assert not replace(then, expects="a").was_changed(replace(now, expects="a"))


def test_nobody_knows_the_order_of_a_run_that_did_not_finish(house: Ruleset):
    done = report_of(judged(house, record("a")), "done")
    ended = parse_report(report_json.placeholder("1").encode(), "ended")
    for pair in ((done, ended), (ended, done)):
        assert not [r for r in compare(*pair, Severity.LOW).reasons if "later time" in r]


def test_reports_in_the_wrong_order_are_told(house: Ruleset):
    first, second = (
        audit(Listed([record("a")]), house, Options(now=TODAY + timedelta(hours=n)))
        for n in range(2)
    )
    assert compared(first, second).reasons == ("no new violation",)
    assert compared(second, first).reasons[-1] == (
        "old is as of a later time than new: the older report comes first"
    )


def test_accepted_and_not_any_more(house: Ruleset, tmp_path: Path):
    waivers = waivers_in(tmp_path, waiver())
    bad = [record("a", sync_frequency=5), record("b", sync_frequency=5)]
    plain = judged(house, *bad)
    accepted = judged(house, *bad, waivers=waivers, baseline=baseline_from(plain))
    key_a, key_b = ("sync-floor", "a"), ("sync-floor", "b")
    first = compared(plain, accepted)
    assert told(first) == {key_a: "waived", key_b: "known"}
    assert first.answer is ComparisonOutcome.HELD
    assert told(compared(accepted, accepted)) == {key_a: "accepted", key_b: "accepted"}
    again = compared(accepted, plain)
    assert told(again) == {key_a: "again", key_b: "again"}
    assert again.answer is ComparisonOutcome.WORSE
    assert again.reasons[0] == "2 violations no longer accepted (2 medium)"


def test_a_severer_rule_is_worse(house: Ruleset, tmp_path: Path):
    severer = load_policies(_written(tmp_path, HOUSE.replace("medium", "critical")))
    bad = record("a", sync_frequency=5)
    found = compared(judged(house, bad), judged(severer, bad))
    assert told(found) == {("sync-floor", "a"): "raised"}
    assert found.changes[0].severity is Severity.CRITICAL
    assert found.reasons == ("1 violation of rules made more severe (1 critical)",)
    assert found.answer is ComparisonOutcome.WORSE
    assert told(compared(judged(severer, bad), judged(house, bad))) == {
        ("sync-floor", "a"): "unchanged"
    }


def test_a_duplicate_is_followed_by_its_group(house: Ruleset):
    twins = [record("a", schema="x"), record("b", schema="x")]
    old = judged(house, *twins, record("c"))
    (change,) = compared(judged(house, record("a"), record("b")), old).changes
    key = (change.rule, change.group)
    assert change.change is Fate.NEW
    # A third one is more than what was there; one less is still there.
    third = judged(house, *twins, record("c", schema="x"))
    assert told(compared(old, third)) == {key: "new"}
    assert compared(old, third).changes[0].note == "about connections that were not in it before"
    assert told(compared(third, old)) == {key: "unchanged"}
    # Renaming or deleting one mends it; when none of them is left, it is gone.
    assert told(compared(old, judged(house, twins[0], record("c")))) == {key: "fixed"}
    assert told(compared(old, judged(house, record("c")))) == {key: "gone"}


def test_an_error_is_told_and_settled(house: Ruleset):
    unclear, clear = record("a", sync_frequency="x"), record("a")
    first = compared(judged(house, clear), judged(house, unclear))
    assert told(first) == {("sync-floor", "a"): "unjudged"}
    assert first.answer.exit_code == 3
    assert told(compared(judged(house, unclear), judged(house, clear))) == {
        ("sync-floor", "a"): "settled"
    }
    broken = compared(judged(house, unclear), judged(house, record("a", sync_frequency=5)))
    assert told(broken) == {("sync-floor", "a"): "new"}
    assert broken.changes[0].note == "could not be evaluated before"


def test_two_accounts_are_refused(house: Ruleset):
    old = report_of(judged(house, record("a")), "old.json")
    new = report_of(judged(house, record("b")), "new.json")
    with pytest.raises(UsageError, match="no connection in common"):
        compare(old, new)
    other = replace(old, source=replace(old.source, base_url="https://eu.example"))
    with pytest.raises(UsageError, match="two accounts cannot be compared"):
        compare(other, old)
    plan = replace(old, source=replace(old.source, kind="plan", base_url=""))
    with pytest.raises(UsageError, match="two runs of one kind"):
        compare(plan, old)


def test_an_inconclusive_run_is_inconclusive(house: Ruleset):
    whole = judged(house, record("a"))
    cut = audit(
        Listed([record("a")], completeness=Completeness.INCOMPLETE), house, Options(now=TODAY)
    )
    for pair in ((whole, cut), (cut, whole)):
        found = compared(*pair)
        assert found.answer.exit_code == 3
        assert "was inconclusive" in found.reasons[0]


_VALUES = st.fixed_dictionaries(
    {
        "sync_frequency": st.sampled_from([5, 60, "x"]),
        "paused": st.booleans(),
        "schema": st.sampled_from(["x", "y", "z"]),
        "group_id": st.sampled_from(["g1", "g2"]),
    }
)
_ESTATES = st.dictionaries(st.sampled_from("abcde"), _VALUES, max_size=5)


@given(old=_ESTATES, new=_ESTATES, data=st.data())
def test_every_finding_is_in_one_change(
    house: Ruleset, old: dict[str, Any], new: dict[str, Any], data: st.DataObject
):
    # One connection that both have, or they would be two accounts.
    both = record("always")
    runs = []
    for estate in (old, new):
        records = [both, *(record(name, **values) for name, values in estate.items())]
        runs.append(judged(house, *data.draw(st.permutations(records))))
    found = compared(*runs)
    earlier, later = (Counter(_keys(report_of(run, "r"))) for run in runs)
    changed = Counter((c.rule, c.group or c.connections[0].id) for c in found.changes)
    assert changed == earlier | later
    for c in found.changes:
        if c.change in {Fate.FIXED, Fate.SETTLED}:
            assert c.after in {Verdict.PASS, Verdict.SKIP}
        if c.change in WORSE:
            assert c.after is Verdict.FAIL
    assert sum(found.counts.values()) == len(found.changes)
    assert sum(sum(t.counts.values()) for t in found.by_rule) == len(found.changes)
    # Nothing is worse than itself, in whatever order and words.
    same = compare(report_of(runs[1], "a"), _reworded(report_of(runs[1], "b")))
    assert {c.change for c in same.changes} <= {Fate.UNCHANGED, Fate.UNJUDGED}


def _keys(report: EarlierReport) -> list[tuple[str, str]]:
    return [(f.rule, f.group or f.connections[0].id) for f in report.findings]


def _reworded(report: EarlierReport) -> EarlierReport:
    findings = [replace(f, message="other words", evidence=()) for f in reversed(report.findings)]
    later = datetime(2027, 1, 1, tzinfo=UTC)
    return replace(report, judged_at=later, findings=tuple(findings))


@pytest.mark.parametrize("held", [None, "x", []], ids=str)
def test_what_cannot_be_evaluated_is_not_fixed(house: Ruleset, held: object):
    """On a connection, on a group, and in the numbers and the answer."""
    old = judged(house, record("a", paused=True), record("b", paused=True), record("c"))
    assert {f.rule.id for f in old.findings} == {"not-paused", "few-paused"}
    found = compared(old, judged(house, record("a", paused=held), record("b"), record("c")))
    assert told(found) == {
        ("not-paused", "a"): "unjudged",
        ("not-paused", "b"): "fixed",
        ("few-paused", "account"): "unjudged",
    }
    assert (found.counts[Fate.FIXED], found.counts[Fate.UNJUDGED]) == (1, 2)
    assert found.answer is ComparisonOutcome.INCONCLUSIVE
    assert found.reasons[-2:] == ("1 fixed", "2 checks not judged by the newer run")


def test_what_does_not_apply_any_more_is_fixed_and_says_so(house: Ruleset, tmp_path: Path):
    narrow = HOUSE.replace("severity: high, ", "severity: high, when: {service: postgres}, ")
    rules = load_policies(_written(tmp_path, narrow))
    old = judged(rules, record("a", paused=True), record("b"))
    new = judged(rules, record("a", paused=True, service="mysql"), record("b"))
    (change,) = [c for c in compared(old, new).changes if c.rule == "not-paused"]
    assert (change.change, change.note) == (
        Fate.FIXED,
        "the rule no longer applies to it",
    )
    assert "1 fixed (1 where the rule no longer applies to it)" in compared(old, new).reasons


def test_a_rule_with_other_groups_was_changed(house: Ruleset, tmp_path: Path):
    wider = load_policies(_written(tmp_path, HOUSE.replace("per: account", "per: group_id")))
    old, new = (judged(rules, record("a"), record("b")) for rules in (house, wider))
    (name,) = compared(old, new).rules_changed
    assert [rule.per for rule in new.rules if rule.id == name] == [("group_id",)]


def test_a_change_counts_once_in_each_group_and_once_for_each_connection(
    house: Ruleset, tmp_path: Path
):
    """One change on four connections of two groups."""
    text = HOUSE.replace("per: group_id, assert: {unique", "per: account, assert: {unique")
    rules = load_policies(_written(tmp_path, text))
    same = {"schema": "x"}
    bad = [record(n, **same, group_id=g) for n, g in (("a", "g1"), ("b", "g1"), ("c", "g1"))]
    bad.append(record("d", **same, group_id="g2"))
    found = compared(judged(rules, record("a"), record("d", group_id="g2")), judged(rules, *bad))
    (change,) = found.changes
    assert len(change.connections) == 4
    assert {t.name: t.counts for t in found.by_group} == {
        "g1": {Fate.NEW: 1},
        "g2": {Fate.NEW: 1},
    }
    assert {t.name: t.counts for t in found.by_connection} == {n: {Fate.NEW: 1} for n in "abcd"}
    assert [(t.name, t.worse) for t in found.by_rule] == [("one-name", 1)]
    # Each has its own name, whichever connection comes first.
    named = tuple(replace(c, group_name=f"the {c.group_id}") for c in change.connections)
    told_by = replace(found, changes=(replace(change, connections=named),)).by_group
    assert {t.name: t.label for t in told_by} == {"g1": "the g1 (g1)", "g2": "the g2 (g2)"}


def test_a_change_about_no_connection_belongs_to_its_group(house: Ruleset):
    old = judged(house, record("a"), record("b", service="mysql"))
    new = judged(house, record("a", service="mysql"), record("b", service="mysql"))
    found = compared(old, new)
    assert [(t.name, t.counts) for t in found.by_group] == [("g1", {Fate.NEW: 1})]
    assert found.by_connection == ()
    assert [(c.change, c.note) for c in found.changes] == [(Fate.NEW, "")]


def test_changes_stand_worst_first_and_then_severest_first(house: Ruleset):
    old = judged(house, record("a", paused=True), record("b", sync_frequency=5), record("c"))
    new = judged(
        house, record("a"), record("b"), record("c", sync_frequency=5), record("d", paused=True)
    )
    found = compared(old, new)
    assert [(c.change.value, c.severity.label) for c in found.changes] == [
        ("new", "high"),
        ("new", "medium"),
        ("fixed", "high"),
        ("fixed", "medium"),
    ]
    assert found.reasons == ("2 new violations (1 high, 1 medium)", "2 fixed")


@pytest.mark.parametrize(
    ("bar", "counting", "below"),
    [
        (Severity.LOW, 3, ""),
        (Severity.MEDIUM, 2, "1 of them below the bar (--fail-on medium)"),
        (Severity.HIGH, 1, "2 of them below the bar (--fail-on high)"),
        (Severity.CRITICAL, 0, "3 of them below the bar (--fail-on critical)"),
        (None, 0, "3 of them below the bar (--fail-on none)"),
    ],
)
def test_the_bar_is_met_by_its_own_severity(
    house: Ruleset, bar: Severity | None, counting: int, below: str
):
    new = [record("b", schema="a"), record("c", paused=True), record("d", sync_frequency=5)]
    old = judged(house, *(record(name) for name in "abcd"))
    found = compared(old, judged(house, record("a"), *new), bar)
    assert len(found.counting) == counting
    assert found.answer.exit_code == bool(counting)
    assert [r for r in found.reasons if "below" in r] == ([below] if below else [])


@given(
    old=st.lists(_VALUES, min_size=1, max_size=5),
    new=st.lists(_VALUES, min_size=1, max_size=5),
    known=st.booleans(),
)
def test_a_baseline_and_a_comparison_come_to_the_same_numbers(
    house: Ruleset, old: list[dict[str, Any]], new: list[dict[str, Any]], known: bool
) -> None:
    """Of the same two runs ``audit --baseline`` and ``compare`` say the same is fixed and gone."""

    def listed(values: list[dict[str, Any]], name: str) -> Listed:
        records = [record(f"{name}{n}", **each) for n, each in enumerate(values)]
        completeness = Completeness.ONE_PAGE if known else Completeness.UNKNOWN
        return Listed([record("same"), *records], completeness=completeness)

    first = audit(listed(old, "x"), house, Options(now=TODAY, clock=lambda: TODAY))
    assume(first.gate.outcome is not Outcome.INCONCLUSIVE)
    for name in ("x", "y"):
        baseline = baseline_from(first)
        options = Options(now=TODAY, clock=lambda: TODAY, baseline=baseline)
        second = audit(listed(new, name), house, options)
        use = second.baseline
        assert use is not None
        counts = compare(report_of(first, "old"), report_of(second, "new")).counts
        assert (use.fixed, use.gone) == (counts[Fate.FIXED], counts[Fate.GONE])
        assert len(use.ended) == use.fixed + use.gone


def _twins(group: str | None, *more: dict[str, Any]) -> list[dict[str, Any]]:
    same = {"schema": "x", "group_id": group}
    return [record("a", **same), record("b", **same), *more]


def test_a_duplicate_is_not_fixed_where_one_of_it_is_in_no_group_any_more(tmp_path: Path):
    text = HOUSE.replace("per: group_id, assert: {unique", "per: schedule_type, assert: {unique")
    rules = load_policies(_written(tmp_path, text))
    auto = {"schema": "x", "schedule_type": "auto"}
    old = judged(rules, record("a", **auto), record("b", **auto))
    lost = record("b", schema="x", schedule_type=None)
    found = compared(old, judged(rules, record("a", **auto), lost))
    assert told(found)["one-name", "auto, postgres, x"] == "unjudged"


def test_what_cannot_be_judged_in_one_group_says_nothing_of_another(tmp_path: Path):
    """The group g10 is not in g1, however alike their names begin."""
    text = HOUSE.replace("[service, schema]", "[sync_frequency]")
    rules = load_policies(_written(tmp_path, text))
    old = judged(rules, *_twins("g10", record("c")))
    mended = [record("a", group_id="g10"), record("b", group_id="g10", sync_frequency=90)]
    new = judged(rules, *mended, record("c", sync_frequency=[60]))
    assert told(compared(old, new))["one-name", "g10, 60"] == "fixed"
    new = judged(rules, *mended, record("c", group_id="g10", sync_frequency=[60]))
    assert told(compared(old, new))["one-name", "g10, 60"] == "unjudged"


def test_a_note_speaks_of_connections_only_where_it_is_true_of_all(house: Ruleset, tmp_path: Path):
    found = compared(judged(house, record("a", schema="x")), judged(house, *_twins("g1")))
    assert [(c.change.value, c.note) for c in found.changes] == [("new", "")]
    per = "per: account, when: {paused: true}, assert: {count: {lte: 1}}"
    text = HOUSE.replace(per, "assert: {paused: {exists: true}}")
    other = load_policies(_written(tmp_path, text))
    paused = [record("a", paused=True), record("b", paused=True), record("c")]
    left = judged(other, record("a", paused=True), record("c"))
    (change,) = [c for c in compared(judged(house, *paused), left).changes if c.group]
    assert change.note == "the newer run does not have this check"


def test_a_change_is_as_severe_as_the_newer_run_has_the_rule(house: Ruleset, tmp_path: Path):
    severer = load_policies(_written(tmp_path, HOUSE.replace("medium", "critical")))
    (fixed,) = compared(
        judged(house, record("a", sync_frequency=5)), judged(severer, record("a"))
    ).changes
    assert (fixed.change, fixed.severity) == (Fate.FIXED, Severity.CRITICAL)


def test_each_reason_counts_the_severities_of_its_own_changes(house: Ruleset, tmp_path: Path):
    bad = record("a", sync_frequency=5)
    accepted = judged(house, bad, record("b"), waivers=waivers_in(tmp_path, waiver()))
    worse = compared(accepted, judged(house, bad, record("b", paused=True)))
    assert worse.reasons == (
        "1 new violation (1 high)",
        "1 violation no longer accepted (1 medium)",
    )


def test_connections_that_are_gone_and_added_are_counted_apart(house: Ruleset):
    old = judged(house, record("a"), record("b"), record("c"))
    found = compared(old, judged(house, record("c"), record("d")))
    assert (found.connections_gone, found.connections_added) == (2, 1)


def test_a_group_is_told_by_the_name_that_people_know_it_by(house: Ruleset):
    found = compared(judged(house, record("a")), judged(house, record("a", paused=True)))
    named = tuple(replace(c, group_name="Finance") for c in found.changes[0].connections)
    told_by = replace(found, changes=(replace(found.changes[0], connections=named),)).by_group
    assert [(t.name, t.label) for t in told_by] == [("g1", "Finance (g1)")]
    assert [(t.name, t.label) for t in found.by_group] == [("g1", "g1")]


@pytest.mark.parametrize(
    ("then", "now", "told"),
    [
        (
            {"account": Account("a1", "Acme")},
            {"account": Account("b2", "Beta")},
            "old is of the account Acme (a1) and new of Beta (b2): two accounts cannot be compared",
        ),
        ({"account": Account("a1", "Acme")}, {"account": Account("a1", "Acme Ltd")}, ""),
        ({"account": Account("a1")}, {"account": None}, ""),
        ({"account": None}, {"account": Account("a1")}, ""),
        (
            {"base_url": "https://eu.example"},
            {"base_url": "https://us.example"},
            (
                "old is of https://eu.example and new of https://us.example:"
                " two accounts cannot be compared"
            ),
        ),
        ({"base_url": "https://eu.example"}, {"base_url": "", "kind": "snapshot"}, ""),
        ({"base_url": ""}, {"base_url": "https://us.example"}, ""),
        (
            {"kind": "plan", "base_url": ""},
            {"kind": "snapshot", "base_url": ""},
            "old is of the kind plan and new of snapshot: compare two runs of one kind",
        ),
        (
            {"kind": "api"},
            {"kind": "plan"},
            "old is of the kind api and new of plan: compare two runs",
        ),
        ({"kind": "plan"}, {"kind": "plan"}, ""),
        ({"kind": ""}, {"kind": "plan"}, ""),
        ({"kind": "plan"}, {"kind": ""}, ""),
    ],
    ids=str,
)
def test_runs_of_two_accounts_or_kinds_are_refused(
    house: Ruleset, then: dict[str, Any], now: dict[str, Any], told: str
):
    run = report_of(judged(house, record("a"), record("b")), "old")
    old = replace(run, source=replace(run.source, **then))
    new = replace(run, name="new", source=replace(run.source, **now))
    if not told:
        compare(old, new)
        return
    with pytest.raises(UsageError) as caught:
        compare(old, new)
    assert str(caught.value).startswith(told)


def test_runs_without_a_connection_in_common_are_of_two_accounts_unless_one_has_none(
    house: Ruleset,
):
    a, b, ab, none = (
        report_of(judged(house, *map(record, names)), names or "none")
        for names in ("a", "b", "ab", "")
    )
    with pytest.raises(UsageError) as caught:
        compare(a, b)
    assert str(caught.value) == (
        "a and b have no connection in common: they are of two accounts, which cannot be compared"
    )
    for pair in ((a, ab), (ab, b), (a, none), (none, a), (none, none)):
        compare(*pair)


def test_what_a_run_of_another_account_says_first_is_why_it_was_inconclusive(house: Ruleset):
    whole = report_of(judged(house, record("a")), "old\nname")
    cut = replace(whole, outcome=Outcome.INCONCLUSIVE, reasons=("it was cut", "and more"))
    assert compare(cut, whole).reasons == (
        "old name was inconclusive: it was cut",
        "no new violation",
    )
    silent = replace(cut, reasons=())
    assert compare(whole, silent).reasons == ("old name was inconclusive", "no new violation")
    for pair in ((cut, whole), (whole, cut), (cut, cut)):
        assert compare(*pair).answer is ComparisonOutcome.INCONCLUSIVE
    assert compare(whole, whole).answer.exit_code == 0
    # A run that did not finish has no time, whatever its outcome.
    torn = replace(whole, judged_at=None)
    assert compare(torn, whole).answer.exit_code == 3


def test_each_change_is_told_with_what_it_was_and_why(house: Ruleset, tmp_path: Path):
    """Every note, on a connection."""
    bad = record("a", sync_frequency=5)
    waived = judged(house, bad, waivers=waivers_in(tmp_path, waiver()))
    plain, clear = judged(house, bad), judged(house, record("a"))
    severer = load_policies(_written(tmp_path, HOUSE.replace("medium", "critical")))
    lesser = load_policies(_written(tmp_path, HOUSE.replace("sync-floor", "sync-other")))
    narrow = HOUSE.replace("medium, ", "medium, when: {service: postgres}, ")
    some = load_policies(_written(tmp_path, narrow))
    other = judged(some, record("a", sync_frequency=5, service="mysql"))
    unclear = judged(house, record("a", sync_frequency="x"))
    both = judged(house, record("b"), record("a", sync_frequency=5))

    def one(old: Result, new: Result) -> tuple[object, ...]:
        (change,) = [c for c in compared(old, new).changes if c.rule == "sync-floor"]
        label = None if change.before is None else change.before.label
        after = None if change.after is None else change.after.label
        return change.change.value, label, after, change.note

    assert one(clear, plain) == ("new", "pass", "fail", "")
    assert one(other, plain) == ("new", "skip", "fail", "the rule did not apply to it before")
    assert one(unclear, plain) == ("new", "error", "fail", "could not be evaluated before")
    assert one(judged(house, record("b")), both) == (
        "new", None, "fail", "the connection was not listed before",
    )  # fmt: skip
    assert one(judged(lesser, bad), plain) == ("new", None, "fail", "the rule is new")
    # What nobody looked for may have been there before, which the answer's reasons say.
    for before, why in (
        (clear, ""),
        (unclear, "; 1 that could not be evaluated before"),
        (judged(lesser, bad), "; 1 where the rule is new"),
    ):
        assert f"1 new violation (1 medium{why})" in compared(before, plain).reasons
    assert one(plain, judged(severer, bad)) == ("raised", "fail", "fail", "was medium")
    assert one(waived, plain) == ("again", "waived", "fail", "was waived")
    known = judged(house, bad, baseline=baseline_from(plain))
    assert one(known, plain) == ("again", "known", "fail", "was known")
    assert one(plain, waived)[0] == "waived"
    assert one(plain, waived)[3].startswith("waived by data-platform")
    assert one(plain, known)[3].startswith("known from baseline.json of ")
    assert one(known, waived) == ("accepted", "known", "waived", "")
    assert one(plain, unclear) == ("unjudged", "fail", "error", "could not be evaluated")
    assert one(clear, unclear) == ("unjudged", "pass", "error", "could not be evaluated")
    assert one(plain, judged(lesser, bad)) == (
        "unjudged", "fail", None, "the rule is not in the newer run",
    )  # fmt: skip
    assert one(both, judged(house, record("b"))) == ("gone", "fail", None, "")
    assert compared(both, judged(house, record("b"))).reasons == ("no new violation", "1 gone")
    assert one(plain, clear) == ("fixed", "fail", "pass", "")
    assert one(plain, other) == ("fixed", "fail", "skip", "the rule no longer applies to it")
    assert one(unclear, clear) == ("settled", "error", "pass", "")
    assert one(plain, plain) == ("unchanged", "fail", "fail", "")


def test_tallies_stand_worst_first_and_then_by_name(house: Ruleset, tmp_path: Path):
    """Whatever makes the run worse comes first, then each kind of change in its order."""
    names = "abcdef"
    old = judged(
        house, *(record(n, paused=n in "ef", sync_frequency=5 if n == "d" else 60) for n in names)
    )
    new = judged(
        house,
        record("a"),
        record("b", paused=True),
        record("c", paused=True, sync_frequency=5),
        record("d", sync_frequency=5),
        record("e"),
        record("f"),
    )
    found = compared(old, new)
    assert [(t.name, t.label, t.worse) for t in found.by_connection] == [
        ("c", "postgres/c", 3),
        ("b", "postgres/b", 2),
        ("d", "postgres/d", 0),
        ("e", "postgres/e", 0),
        ("f", "postgres/f", 0),
    ]
    assert [(t.name, t.label) for t in found.by_rule] == [
        ("not-paused", "Not paused"),
        ("sync-floor", "Sync floor"),
        ("few-paused", "Few paused"),
    ]


def test_a_change_of_a_group_by_another_field_is_about_no_group(tmp_path: Path):
    text = HOUSE.replace(
        "per: group_id, when: {service: postgres}", "per: service, when: {paused: true}"
    )
    rules = load_policies(_written(tmp_path, text))
    old = judged(rules, record("a", paused=True), record("b", service="mysql"))
    new = judged(rules, record("a", paused=True), record("b"))
    found = compared(old, new)
    assert {(c.group, c.change.value, c.group_ids) for c in found.changes if c.group} == {
        ("mysql", "gone", ())
    }
    assert [(t.name, t.label) for t in found.by_group] == [("g1", "g1"), ("(no connection)", "")]


def test_every_change_has_a_meaning():
    assert [*MEANINGS] == [*Fate]


def test_a_duplicate_of_the_account_is_not_fixed_while_the_account_cannot_be_judged(tmp_path: Path):
    text = HOUSE.replace(
        "per: group_id, assert: {unique: [service, schema]",
        "per: account, assert: {unique: [sync_frequency]",
    )
    rules = load_policies(_written(tmp_path, text))
    old = judged(rules, record("a"), record("b"), record("c", sync_frequency=30))
    apart = [record("a"), record("b", sync_frequency=90)]
    assert told(compared(old, judged(rules, *apart, record("c", sync_frequency=30)))) == {
        ("one-name", "60"): "fixed"
    }
    unclear = told(compared(old, judged(rules, *apart, record("c", sync_frequency=[30]))))
    assert unclear["one-name", "60"] == "unjudged"


def test_what_was_found_on_a_connection_is_not_gone_by_a_rule_on_groups(
    house: Ruleset, tmp_path: Path
):
    single, grouped = (
        "assert: {sync_frequency: {gte: 15}}",
        "per: group_id, assert: {count: {gte: 1}}",
    )
    other = load_policies(_written(tmp_path, HOUSE.replace(single, grouped)))
    old = judged(house, record("a", sync_frequency=5), record("b"))
    (change,) = compared(old, judged(other, record("b"))).changes
    assert (change.change, change.note) == (
        Fate.UNJUDGED,
        "the connection is not in the newer run",
    )
    (change,) = compared(old, judged(other, record("a"), record("b"))).changes
    assert (change.change, change.note) == (
        Fate.UNJUDGED,
        "the newer run does not have this check",
    )
    # And the other way round: what was found on a group is not of its connections.
    grouped = grouped.replace("gte: 1", "gte: 3")
    other = load_policies(_written(tmp_path, HOUSE.replace(single, grouped)))
    old = judged(other, record("a"), record("b"))
    for later in ([record("b")], [record("a"), record("b", sync_frequency=5)]):
        changes = compared(old, judged(house, *later)).changes
        assert {c.change for c in changes if c.group} == {Fate.UNJUDGED}


def test_a_group_that_lists_no_connection_is_not_told_to_lack_one(house: Ruleset):
    old = judged(house, record("a"), record("b", service="mysql", group_id="g2"))
    listed = Listed([record("a")], completeness=Completeness.UNKNOWN)
    new = audit(listed, house, Options(now=TODAY, clock=lambda: TODAY))
    (change,) = [c for c in compared(old, new).changes if c.group == "g2"]
    assert (change.change, change.note) == (
        Fate.UNJUDGED,
        "the newer run does not have this check",
    )


def test_a_share_is_not_mended_where_what_it_was_of_was_not_listed(tmp_path: Path):
    few = "per: account, when: {paused: true}, assert: {count: {lte: 1}}"
    share = "per: group_id, when: {paused: true}, assert: {share: {lte: 0.5}}"
    rules = load_policies(_written(tmp_path, HOUSE.replace(few, share)))

    def run(*records: dict[str, Any]) -> Result:
        listed = Listed(list(records), filters=(("group_id", "g1"),))
        return audit(listed, rules, Options(now=TODAY, clock=lambda: TODAY))

    paused = {"paused": True}
    old = run(record("a", **paused), record("b", **paused), record("c"))
    unseen = {c.group: c for c in compared(old, run(record("c"))).changes}["g1"]
    assert (unseen.change, unseen.note) == (
        Fate.UNJUDGED,
        "the connection is not in the newer run",
    )
    seen = compared(old, run(record("a"), record("b"), record("c"))).changes
    assert {c.group: (c.change, c.after) for c in seen}["g1"] == (Fate.FIXED, Verdict.SKIP)


def test_a_duplicate_of_which_one_was_not_listed_and_another_is_unclear_is_unjudged(tmp_path: Path):
    rules = load_policies(
        _written(tmp_path, HOUSE.replace("[service, schema]", "[sync_frequency]"))
    )

    def run(*records: dict[str, Any]) -> Result:
        listed = Listed(list(records), filters=(("group_id", "g1"),))
        return audit(listed, rules, Options(now=TODAY, clock=lambda: TODAY))

    old = run(record("a"), record("b"), record("c", sync_frequency=30))
    for records, after, note in (
        ([record("a", sync_frequency=[60])], Verdict.ERROR, "could not be evaluated"),
        ([record("a")], None, "the newer run does not have this check"),
    ):
        changes = compared(old, run(*records, record("c", sync_frequency=30))).changes
        (change,) = [c for c in changes if c.group == "g1, 60"]
        assert (change.change, change.after, change.note) == (Fate.UNJUDGED, after, note)
