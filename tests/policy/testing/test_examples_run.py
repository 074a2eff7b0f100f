"""Tests of rules: what passes, what fails, and what is wrong with a test itself."""

from __future__ import annotations

import pytest

from auditor.model import Verdict
from auditor.policy.loading.load import load
from auditor.policy.testing.examples_run import gaps, run_examples
from tests.builders.examples import FREQUENT, beside

GROUPS = """\
policy: house
rules:
  - id: logged
    severity: low
    per: group_id
    when: {service: fivetran_log}
    assert: {count: {gte: 1}}
    tests:
"""


@pytest.mark.parametrize(
    ("test", "got", "passed"),
    [
        ("{given: {sync_frequency: 5}, expect: fail}", Verdict.FAIL, True),
        ("{given: {sync_frequency: 5}, expect: pass}", Verdict.FAIL, False),
        ("{given: {sync_frequency: 15}, expect: pass}", Verdict.PASS, True),
        ("{given: {sync_frequency: null}, expect: error}", Verdict.ERROR, True),
        ("{given: {sync_frequency: null}, expect: fail}", Verdict.ERROR, False),
        ("{without: [sync_frequency], expect: error}", Verdict.ERROR, True),
        ("{given: {schedule_type: manual}, expect: skip}", Verdict.SKIP, True),
        ("{given: {schedule_type: manual}, expect: pass}", Verdict.SKIP, False),
        ("{expect: pass}", Verdict.PASS, True),
    ],
)
def test_a_verdict_is_compared(folder, test, got, passed):
    (outcome,) = beside(folder, FREQUENT, test)
    assert (outcome.got, outcome.passed) == (got, passed)
    assert outcome.rule.id == "not-too-often"


def test_a_message_is_compared_to_the_letter(folder):
    right, wrong = beside(
        folder,
        FREQUENT,
        "{given: {sync_frequency: 5}, expect: fail, message: orders syncs every 5 minutes}",
        "{given: {sync_frequency: 5}, expect: fail, message: orders syncs every 5 minute}",
    )
    assert right.passed
    assert not wrong.passed
    assert wrong.got is Verdict.FAIL
    assert wrong.messages == ("orders syncs every 5 minutes",)


def test_an_outcome_tells_where_what_and_why(folder):
    (outcome,) = beside(
        folder, FREQUENT, "{given: {sync_frequency: 5}, without: [paused], expect: pass}"
    )
    assert str(outcome.position) == "house.yaml:10:9"
    assert outcome.example.given.text == "{sync_frequency: 5} without paused"
    assert outcome.findings[0].evidence[0].actual == "5"


@pytest.mark.parametrize(
    ("test", "got"),
    [
        ("{given: [{service: fivetran_log}], expect: pass}", Verdict.PASS),
        ("{given: [{service: postgres}], expect: fail}", Verdict.FAIL),
        # One group that has none is a failure, whatever the others have.
        ("{given: [{service: fivetran_log}, {group_id: other}], expect: pass}", Verdict.FAIL),
        ("{given: [{group_id: null}, {service: postgres}], expect: fail}", Verdict.ERROR),
        ("{given: [], expect: skip}", Verdict.SKIP),
    ],
)
def test_of_several_groups_the_most_serious_verdict_counts(folder, test, got):
    (outcome,) = beside(folder, GROUPS, test)
    assert outcome.got is got


def test_records_of_a_group_get_ids_of_their_own(folder):
    (outcome,) = beside(folder, GROUPS, "{given: [{}, {id: mine}, {}], expect: fail}")
    ids = [record["id"] for record in outcome.example.given.records]
    assert ids == ["sample_connection_1", "mine", "sample_connection_3"]


def test_an_example_may_set_what_the_policy_declares_and_what_is_open(folder):
    policy = FREQUENT.replace("vars:", "extra_fields: [steward]\nvars:")
    outcomes = beside(
        folder,
        policy,
        "{given: {steward: {name: me}, config.anything.deep: 1, config: {more: 2}}, expect: pass}",
    )
    assert outcomes[0].passed


def test_gaps_are_the_verdicts_no_example_expects(folder):
    policy = FREQUENT + "      - {expect: pass}\n"
    policy += "  - {id: untested, severity: low, assert: {paused: false}}\n"
    policy += GROUPS.partition("rules:\n")[2] + "      - {given: [], expect: skip}\n"
    (folder / "house.yaml").write_text(policy)
    loaded = load(["./house.yaml"])
    found = {gap.rule.id: gap for gap in gaps(loaded, run_examples(loaded))}
    assert found["not-too-often"].missing == (Verdict.FAIL, Verdict.SKIP)
    assert found["untested"].missing == (Verdict.FAIL, Verdict.PASS)
    assert found["untested"].untested
    # A count cannot skip, so none is missed.
    assert found["logged"].missing == (Verdict.FAIL, Verdict.PASS)


@pytest.mark.parametrize(("bound", "may_skip"), [("lte", True), ("gte", False)])
def test_a_share_is_skipped_where_none_satisfies_it(folder, bound, may_skip):
    policy = "policy: p\nrules:\n"
    policy += "  - {id: shared, severity: low, per: group_id, when: {paused: true},"
    policy += f" assert: {{share: {{{bound}: 0.5}}}}}}\n"
    (folder / "house.yaml").write_text(policy)
    loaded = load(["./house.yaml"])
    (gap,) = gaps(loaded, run_examples(loaded))
    assert (Verdict.SKIP in gap.missing) is may_skip


# -- test files -----------------------------------------------------------------------------------


# -- the healthy record ---------------------------------------------------------------------------
