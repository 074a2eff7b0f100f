"""What a rule is about, and what a ruleset reads: every path decoded, and those needed whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from auditor.errors import UsageError
from auditor.policy.language.aggregates import AMOUNT, COUNT, SHARE, Bounds
from auditor.policy.language.rules import GroupRule, Ruleset
from tests.builders.judged import findings_of, loaded, one_rule

_OWN = """facts:
  own:
    key: group_id
    columns: {most: number, least: number}
    rows: {g: {most: 2, least: 1}}
"""


@pytest.mark.parametrize(
    ("body", "paths", "whole"),
    [
        ("assert: {paused: false}", {"paused"}, set()),
        ("assert: {paused: false}\nwhen: {schema: x}", {"paused", "schema"}, set()),
        ("assert: {paused: false}\nmessage: '{status.setup_state}'",
         {"paused", "status.setup_state"}, set()),
        ("assert: {created_at: {before: {field: succeeded_at}}}",
         {"created_at", "succeeded_at"}, set()),
        ("assert: {setup_tests: {any_item: {status: FAILED}}}",
         {"setup_tests", "setup_tests[].status"}, set()),
        ("assert: {config: {length: 3}}", set(), {"config"}),
        ("assert: {config: {exists: true}}", {"config"}, set()),
        ("assert: {unique: [service, schema]}\nper: group_id",
         {"group_id", "service", "schema"}, set()),
        ("assert: {count: {gte: 1}}\nper: [group_id, service]\nwhen: {paused: true}",
         {"group_id", "service", "paused"}, set()),
        ("assert: {count: {gte: 1}}\nper: account", set(), set()),
        ("assert: {count: {gte: 1}}\nper: account\nunless: {service: s3}", {"service"}, set()),
        ("assert: {sum: {sync_frequency: {lte: 9}}}\nper: group_id",
         {"group_id", "sync_frequency"}, set()),
        ("assert: {count: {gte: 1}}\nper: group_id\ngroups: {destination.region: {exists: true}}",
         {"group_id", "destination.region"}, set()),
        ("assert: {count: {lte: {field: own.most}}}\nper: group_id",
         {"group_id", "own.most"}, set()),
    ],
)  # fmt: skip
def test_what_is_decoded(tmp_path: Path, body: str, paths: set[str], whole: set[str]):
    found, found_whole = loaded(tmp_path, one_rule(body, head=_OWN)).ruleset.reads()
    assert (found - found_whole, found_whole) == (paths, whole)


@pytest.mark.parametrize(
    ("asserted", "counted", "domain", "compared", "common"),
    [
        ("{count: {lte: 1}}", "count", COUNT, (), ()),
        ("{share: {lte: 0.5}}", "share", SHARE, (), ()),
        ("{sum: {sync_frequency: {lte: 9}}}", "sum of sync_frequency", AMOUNT,
         ("sync_frequency",), ()),
        ("{count: {gte: {field: own.least}, lte: {field: own.most}}}", "count", COUNT, (),
         ("own.least", "own.most")),
        ("{sum: {sync_frequency: {lte: {field: own.most}}}}", "sum of sync_frequency", AMOUNT,
         ("sync_frequency",), ("own.most",)),
        ("{share: {gt: 0.1, gte: {field: own.most}, lte: {field: own.most}}}", "share", SHARE, (),
         ("own.most",)),
    ],
)  # fmt: skip
def test_what_is_counted_of_a_group_and_compared_with(
    tmp_path: Path,
    asserted: str,
    counted: str,
    domain: Bounds,
    compared: tuple[str, ...],
    common: tuple[str, ...],
):
    group = _group(tmp_path, f"per: group_id\nwhen: {{paused: true}}\nassert: {asserted}")
    assert (group.counted, group.compared, group.budgets) == (counted, compared, common)
    assert group.domain == domain
    assert group.common == common
    assert group.number is not None


def test_values_that_have_to_differ_are_compared_and_no_number_is(tmp_path: Path):
    group = _group(tmp_path, "per: group_id\nassert: {unique: [service, schema]}")
    assert (group.counted, group.number) == ("service, schema", None)
    assert group.compared == ("service", "schema")
    assert group.budgets == group.common == ()


@pytest.mark.parametrize(
    ("chosen", "common"),
    [
        ("{destination.region: {exists: true}}", ("destination.region", "own.most")),
        # Of an array the items come with it.
        ("{transformations: {any_item: {paused: true}}}", ("transformations", "own.most")),
        ("{own.most: {gte: 1}}", ("own.most",)),
    ],
)
def test_what_a_group_has_in_common_is_what_chooses_it_and_its_budgets(
    tmp_path: Path, chosen: str, common: tuple[str, ...]
):
    bound = "assert: {count: {lte: {field: own.most}}}"
    group = _group(tmp_path, f"per: group_id\ngroups: {chosen}\n{bound}")
    assert group.common == common


def _group(folder: Path, body: str) -> GroupRule:
    (group,) = loaded(folder, one_rule(body, head=_OWN)).ruleset.rules
    assert isinstance(group, GroupRule)
    return group


def test_the_account_is_one_group_and_a_message_names_what_is_counted(tmp_path: Path):
    body = "per: account\nassert: {{{}}}\nmessage: '{{{}}} of {{actual}}'"
    records = [{"sync_frequency": 5, "paused": True}, {"sync_frequency": 15, "paused": False}]
    for asserted, word, told in [
        ("count: {gt: 2}", "count", "2 of 2"),
        ("share: {gt: 0.5}", "share", "50.0% (1 of 2) of 50.0% (1 of 2)"),
        ("sum: {sync_frequency: {gt: 20}}", "sum", "20 of 20"),
    ]:
        when = "\nwhen: {paused: true}" if word == "share" else ""
        rules = loaded(tmp_path, one_rule(body.format(asserted, word) + when)).ruleset
        (finding,) = findings_of(rules, records)
        assert (finding.group, finding.message) == ("account", told)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("sync-flor", "no rule in force is called sync-flor (did you mean sync-floor?)"),
        ("old", "no rule in force is called old (disabled in policy.yaml)"),
        ("x\ny", "no rule in force is called x y (one of sync-floor, naming)"),
    ],
)
def test_of_a_rule_that_is_not_in_force_it_is_said_why(tmp_path: Path, name: str, told: str):
    text = "policy: p\nrules:\n" + "".join(
        f"  - {{id: {rule}, severity: low, assert: {{paused: false}}}}\n"
        for rule in ("sync-floor", "naming")
    )
    found = loaded(tmp_path, text).ruleset
    rules = Ruleset(found.rules, found.policies, disabled={"old": "disabled in policy.yaml"})
    assert rules.rule("naming").rule.id == "naming"
    with pytest.raises(UsageError, match=f"^{re.escape(told)}$"):
        rules.rule(name)


def test_a_ruleset_of_no_rules_disables_changes_and_names_nothing():
    rules = Ruleset((), ())
    with pytest.raises(UsageError, match=r"called x \(explain lists them\)$"):
        rules.rule("x")
    assert rules.disabled == rules.overridden == rules.facts == rules.conditions == {}
