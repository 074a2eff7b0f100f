"""One thing is changed at a time; a change that no record can show does not count."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.policy.language.rules import GroupRule, PolicyRule, Ruleset
from auditor.policy.loading.load import load_policies
from auditor.policy.testing.mutants import Notice, mutants, noticed_by
from tests.builders.judged import verdict_of, written


def _rule(folder: Path, rule: str) -> PolicyRule | GroupRule:
    text = f"policy: p\nrules:\n  - {{id: a, severity: low, {rule}}}\n"
    (entry,) = load_policies(written(folder, text)).rules
    return entry


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        (
            "assert: {sync_frequency: {gte: 15}}",
            ["gte taken for gt", "gte: 15 made 14", "gte: 15 made 16"],
        ),
        ("assert: {paused: {exists: true}}", ["exists: true denied"]),
        (
            "assert: {not: {paused: true}}",
            ["not: taken out", "equals taken for not_equals"],
        ),
        (
            "assert: {service: [a, b]}",
            ["in taken for not_in", "in: a taken out", "in: b taken out"],
        ),
        (
            "assert: {created_at: {newer_than: 36h}}",
            [
                "newer_than taken for older_than",
                "newer_than: 36h made 35h",
                "newer_than: 36h made 37h",
            ],
        ),
        (
            "assert: {created_at: {after: now-1d}}",
            ["after taken for before", "after: now-1d made now-2d", "after: now-1d made now"],
        ),
        (
            "assert: {daily_sync_time: {between: ['23:59', '05:00']}}",
            [
                "between denied",
                "between: 23:59 made 23:58",
                "between: 05:00 made 04:59",
                "between: 05:00 made 05:01",
            ],
        ),
        (
            "assert: {schema: {glob: ['a*', 'b*']}}",
            ["glob denied", "glob: item 1 taken out", "glob: item 2 taken out"],
        ),
        (
            "assert: {any: [{paused: true}, {schema: {regex_search: x}}]}",
            [
                "equals taken for not_equals",
                "this alternative taken out",
                "regex_search denied",
                "this alternative taken out",
            ],
        ),
        (
            "assert: {setup_tests: {none_items: {status: FAILED}}}",
            ["none_items taken for any_item", "equals taken for not_equals"],
        ),
        (
            "per: [service, group_id], when: {paused: true}, assert: {share: {lte: 0.5}}",
            [
                "equals taken for not_equals",
                "lte taken for lt",
                "lte: 0.5 made 0.25",
                "lte: 0.5 made 0.75",
                "service taken out of per",
                "group_id taken out of per",
            ],
        ),
        (
            "assert: {failed_at: {newer_than: {field: sync_frequency, times: 3, unit: minutes}}}",
            [
                "newer_than taken for older_than",
                "newer_than: times 3 made 1.5",
                "newer_than: times 3 made 6",
            ],
        ),
    ],
)
def test_each_thing_is_changed_by_itself(tmp_path: Path, rule: str, changes: list[str]) -> None:
    entry = _rule(tmp_path, rule)
    found = list(mutants(entry))
    assert [mutant.change for mutant in found] == changes
    assert all(mutant.rule != entry for mutant in found)
    assert all(mutant.position.line == 3 for mutant in found)


@pytest.mark.parametrize(
    "rule",
    [
        "when: {paused: false}, assert: {sync_frequency: {gte: 15, lte: 1440}}",
        "assert: {service: [a, b]}",
        "assert: {daily_sync_time: {between: ['22:00', '05:00']}}",
        "assert: {schema: {length: {lte: 63}}}",
        "when: {created_at: {older_than: 7d}}, assert: {succeeded_at: {exists: true}}",
        "assert: {setup_tests: {none_items: {status: [FAILED, JOB_FAILED]}}}",
    ],
)
def test_the_example_that_is_reported_tells_the_change(tmp_path: Path, rule: str) -> None:
    entry = _rule(tmp_path, rule)
    assert isinstance(entry, PolicyRule)
    for mutant in mutants(entry):
        may_differ, notice = noticed_by(entry, mutant)
        assert may_differ, mutant.change
        assert isinstance(notice, Notice), mutant.change
        assert verdict_of(Ruleset((entry,), ()), notice.witness.record) is notice.expect
        changed = verdict_of(Ruleset((mutant.rule,), ()), notice.witness.record)
        assert changed is not notice.expect
        assert notice.text.endswith(f", expect: {notice.expect.label}}}")


def test_a_change_that_no_record_can_show_does_not_count(tmp_path: Path) -> None:
    rule = "when: {service: [a, b]}, assert: {any: [{service: [a, b, c]}, {paused: true}]}"
    entry = _rule(tmp_path, rule)
    told = {mutant.change: noticed_by(entry, mutant)[0] for mutant in mutants(entry)}
    assert told["in: c taken out"] is False
    assert told["in: a taken out"] is True


def test_a_change_that_is_not_looked_into_may_be_one(tmp_path: Path) -> None:
    entry = _rule(tmp_path, "assert: {schema: {regex_search: [x, y]}}")
    *_, last = mutants(entry)
    may_differ, _ = noticed_by(entry, last)
    assert may_differ


def test_a_rule_on_groups_is_told_apart_by_its_conditions(tmp_path: Path) -> None:
    rule = "per: service, when: {any: [{paused: true}, {paused: true}]}, assert: {count: {lte: 3}}"
    entry = _rule(tmp_path, rule)
    told = [(m.change, noticed_by(entry, m)) for m in mutants(entry)]
    assert ("this alternative taken out", (False, None)) in told
    assert ("lte taken for lt", (True, None)) in told
