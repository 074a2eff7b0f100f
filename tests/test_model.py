"""The values of a run: counts, order, what makes a listing complete and a finding open."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from auditor.model import (
    Completeness,
    Connection,
    Connections,
    Finding,
    GroupCheck,
    History,
    Listing,
    Position,
    Rule,
    RuleChecks,
    Severity,
    Verdict,
    allowed,
)

RULE = Rule("r", "R", Severity.LOW, "p", Position("p.yaml", 1, 1), "it is so", fix="mend it")
ONE, TWO = (Connection(name, "postgres", f"s-{name}", "g") for name in ("one", "two"))


def test_severities_and_verdicts_have_their_words_and_order():
    assert [s.label for s in sorted(Severity)] == ["low", "medium", "high", "critical"]
    assert [v.label for v in Verdict] == ["pass", "fail", "error", "skip", "waived", "known"]
    assert bytes(Verdict) == bytes(range(6))


@pytest.mark.parametrize(
    ("fail_on", "limits", "expected"),
    [
        (Severity.LOW, {}, [0, 0, 0, 0]),
        (Severity.HIGH, {}, [None, None, 0, 0]),
        (None, {}, [None] * 4),
        # A limit outranks the bar, above it and below.
        (Severity.HIGH, {Severity.LOW: 3, Severity.HIGH: 5}, [3, None, 5, 0]),
        (None, {Severity.CRITICAL: 0}, [None, None, None, 0]),
    ],
)
def test_how_many_violations_a_gate_lets_through(fail_on, limits, expected):
    assert [allowed(severity, fail_on, limits) for severity in Severity] == expected


def test_checks_are_counted_by_verdict_of_connections_and_of_groups():
    groups = (GroupCheck("a", Verdict.FAIL), GroupCheck("b", Verdict.KNOWN))
    checks = RuleChecks(RULE, bytes([0, 1, 1, 2, 4]), groups)
    assert checks.total == 7
    assert [checks.count(verdict) for verdict in Verdict] == [1, 3, 1, 0, 1, 1]


@pytest.mark.parametrize("completeness", Completeness)
@pytest.mark.parametrize("problems", [(), ("one is missing",)])
def test_a_listing_with_a_problem_or_without_an_end_is_not_complete(completeness, problems):
    listing = Listing(completeness, 1, 1, problems=problems)
    assert listing.complete is (completeness is not Completeness.INCOMPLETE and not problems)


def test_connections_are_columns_and_rows():
    columns = Connections(["one", "two"], ["postgres"] * 2, ["s-one", "s-two"], ["g", "g"])
    assert (len(columns), columns[1], list(columns)) == (2, TWO, [ONE, TWO])


def test_a_finding_is_open_since_its_connection_or_its_group_was():
    time, later = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    per = Rule("g", "G", Severity.LOW, "p", Position("p.yaml", 1, 1), "so", per=("group_id",))
    history = History((), {"r": {"one": time}, "g": {"g1": later}})
    on_one = Finding(RULE, Verdict.FAIL, (ONE,), (), "m")
    assert history.since(on_one) == time
    assert history.since(Finding(RULE, Verdict.FAIL, (TWO,), (), "m")) is None
    assert history.since(Finding(per, Verdict.FAIL, (TWO, ONE), (), "m", group="g1")) == later
    assert history.since(Finding(per, Verdict.FAIL, (), (), "m", group="g2")) is None


@pytest.mark.parametrize(
    ("verdict", "fix"),
    [(Verdict.FAIL, "mend it"), (Verdict.WAIVED, "mend it"), (Verdict.ERROR, "ask")],
)
def test_an_error_has_advice_and_all_else_the_rule_s_fix(verdict: Verdict, fix: str):
    assert Finding(RULE, verdict, (ONE,), (), "m", advice="ask").fix == fix


def test_a_pack_is_not_a_file_of_the_user():
    assert Position("pack:baseline", 1, 1).in_pack
    assert not Position("packs/a.yaml", 1, 1).in_pack
    assert str(Position("a.yaml", 3, 5)) == "a.yaml:3:5"


def test_a_check_is_skipped_where_its_rule_does_not_apply():
    assert RULE.skip_reason == "nothing to judge"
    when = Rule("r", "R", Severity.LOW, "p", RULE.position, "so", applies_when="paused is true")
    assert when.skip_reason == "applies only when paused is true"


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        ({}, ["g1", "g2", "g3"]),
        ({"g1": "Prod", "g2": "Dev"}, ["Prod", "Dev", "g3"]),
        ({"g1": "Prod", "g2": "Prod", "g3": "Dev"}, ["Prod (g1)", "Prod (g2)", "Dev"]),
        ({"g1": "g2"}, ["g2 (g1)", "g2", "g3"]),
        ({"g1": "g1", "g2": "Dev", "g9": "Dev"}, ["g1", "Dev", "g3"]),
        ({"g1": "a", "g2": "a", "g3": "a (g1)"}, ["a (g1)", "a (g2)", "a (g1) (g3)"]),
    ],
)
def test_a_group_bears_its_name_alone_where_no_other_is_called_so(names, labels):
    connections = Connections(["a", "b", "c"], ["s3"] * 3, ["x"] * 3, ["g1", "g2", "g3"], (), names)
    assert connections.groups == labels
