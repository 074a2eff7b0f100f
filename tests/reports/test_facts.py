"""What every report says about a run: its facts, and how they are worded."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from msgspec.structs import replace

from auditor.model import Checkout, History, Outcome, Position, Severity, Verdict
from auditor.past.history import past_run
from auditor.reports.facts import (
    MOST_CONNECTIONS,
    acceptance,
    beside,
    connections_in_words,
    counts_in_words,
    evidence_in_words,
    facts,
    headline,
    pressing,
    repository_path,
    sentences,
    spot,
    trend_in_words,
    unsaid_problems,
)
from tests.builders.sample_results import narrowed, sample_result

RESULT = sample_result()
FINDING = RESULT.findings[0]


def test_a_listing_problem_that_a_reason_states_is_not_repeated():
    result = sample_result(60, complete=False)
    (problem, *_) = result.listing.problems
    gate = replace(result.gate, reasons=(f"the listing is incomplete: {problem}",))
    assert problem not in unsaid_problems(replace(result, gate=gate))
    silent = replace(result, gate=replace(gate, reasons=("something else",)))
    assert unsaid_problems(silent) == result.listing.problems


def test_the_facts_are_the_run_s():
    result = narrowed(sample_result())
    found = facts(result)
    assert found["outcome"] == result.gate.outcome.value
    assert found["exit_code"] == str(result.gate.exit_code)
    assert found["checks"] == str(result.total)
    assert sum(int(found[v.label]) for v in Verdict) == result.total
    for name, texts in (
        ("reason", result.gate.reasons),
        ("left_out", result.left_out),
        ("warning", (*result.listing.warnings, *result.warnings)),
    ):
        assert [v for k, v in found.items() if k.startswith(f"{name}.")] == list(texts)
    assert all(found.values())
    for policy in result.policies:
        assert any(policy.sha256 in value for value in found.values())


def test_a_limit_and_the_bar_are_facts():
    gate = replace(RESULT.gate, fail_on=None, limits=((Severity.HIGH, 3), (Severity.LOW, 0)))
    found = facts(replace(RESULT, gate=gate))
    assert (found["fail_on"], found["max.high"], found["max.low"]) == ("none", "3", "0")


def test_counts_name_every_verdict():
    words = counts_in_words(RESULT)
    assert words.startswith(f"{RESULT.total:,} checks: ")
    for verdict, count in RESULT.counts.items():
        assert f"{count:,} {verdict.label}" in words


def trend(*totals: int, **before: object) -> str:
    """Return the words for runs with so many violations; ``before`` is of the last but one."""
    run = replace(past_run(RESULT), outcome=Outcome.VIOLATIONS, full=True)
    runs = [
        replace(
            run,
            judged_at=run.judged_at - timedelta(days=7 * (len(totals) - n)),
            violations=((Severity.LOW, total),),
            **{"by_rule": {"a": total, "b": 0}, **(before if n == len(totals) - 2 else {})},
        )
        for n, total in enumerate(totals)
    ]
    return trend_in_words(History(tuple(runs), {}))


@pytest.mark.parametrize(
    ("totals", "said"),
    [
        ((1,), "1 violation in the first run of this history."),
        ((5, 7), "7 violations: 2 more than in the run before ("),
        ((7, 5), "5 violations: 2 fewer than in the run before ("),
        ((5, 5), "5 violations: as many as in the run before ("),
        ((9, 2000, 1), "1 violation: 1,999 fewer than in the run before ("),
    ],
)
def test_a_trend_is_told_from_the_run_before(totals: tuple[int, ...], said: str):
    words = trend(*totals)
    assert words.startswith(said)
    if len(totals) > 2:
        assert f"{totals[0]:,} in the first of {len(totals)} comparable runs (" in words


@pytest.mark.parametrize(
    ("totals", "accepted", "told"),
    [
        ((7, 5), 0, False),
        ((7, 5), 1, True),
        ((7, 5), 2, True),
        ((5, 7), 2, False),
        ((5, 5), 2, False),
    ],
)
def test_what_was_accepted_since_is_not_reported_as_fixed(
    totals: tuple[int, int], accepted: int, told: bool
):
    now = past_run(RESULT)
    words = trend(*totals, waived=now.waived, known=now.known - accepted)
    many = "1 more is" if accepted == 1 else f"{accepted} more are"
    assert words.endswith(f"; {many} waived or known than before.") is told


@pytest.mark.parametrize(
    ("before", "doubt"),
    [
        ({}, ""),
        ({"outcome": Outcome.INCONCLUSIVE}, ", which was inconclusive"),
        ({"policies": ("another",)}, ", which used other policies"),
    ],
    ids=str,
)
def test_a_run_before_that_may_not_have_seen_the_same_is_doubted(before, doubt: str):
    words = trend(5, 7, **before)
    assert words.startswith("7 violations: 2 more than in the run before (")
    assert words.endswith(f"{doubt}).")


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ({"filters": ("group_id=g1",)}, None),
        ({"by_rule": {"other": 5}}, None),
        ({"by_rule": None, "full": False}, None),
        ({"by_rule": None}, "7 violations: 2 more than in the run before ("),
        ({"by_rule": {"a": 3}}, "7 violations by the 1 rule that both judged: 4 more than in"),
        (
            {"by_rule": {"a": 3, "b": 2, "z": 9}},
            "7 violations by the 2 rules that both judged: 2 more than in",
        ),
        ({"by_rule": {"b": 9, "c": 1}}, "0 violations by the 1 rule that both judged: 9 fewer"),
    ],
    ids=str,
)
def test_runs_are_compared_over_what_both_judged(before: dict[str, object], said: str | None):
    words = trend(5, 7, **before)
    if said is None:
        assert words.startswith("7 violations; not compared with the run before (")
    else:
        assert words.startswith(said)


def test_the_first_run_that_is_told_of_is_one_alike():
    words = trend(9, 5, 7, filters=("group_id=g1",))
    assert words.startswith("7 violations; not compared")
    assert "9" not in words.partition(";")[2].partition("(")[0]
    assert "9 in the first of 3 comparable runs" in trend(9, 5, 7)


def test_texts_become_sentences():
    assert sentences(["one", "two.", "three?", "four!"]) == "one. two. three? four!"
    assert sentences([]) == ""


@pytest.mark.parametrize(
    ("verdict", "note", "told", "head"),
    [
        (Verdict.WAIVED, "waived by me: x", "waived by me: x", "m"),
        (Verdict.KNOWN, "of last week", "known: of last week", "m"),
        (Verdict.KNOWN, "", "known", "m"),
        (Verdict.FAIL, "its waiver is void", "fail: its waiver is void", "m (its waiver is void)"),
        (Verdict.FAIL, "", "fail", "m"),
    ],
)
def test_a_note_is_shown_once_where_it_belongs(verdict, note, told, head):
    finding = replace(FINDING, verdict=verdict, note=note, message="m")
    assert (acceptance(finding), headline(finding)) == (told, head)


def test_what_is_pressing_comes_first():
    found = pressing(RESULT, 10_000)
    assert Counter(found) == Counter(RESULT.findings)
    accepted = [f.verdict in {Verdict.WAIVED, Verdict.KNOWN} for f in found]
    assert accepted == sorted(accepted)
    assert True in accepted
    assert pressing(RESULT, 3) == found[:3]


def test_many_connections_are_cut_and_counted():
    one = FINDING.connections[0]
    words = connections_in_words(replace(FINDING, connections=(one,) * (MOST_CONNECTIONS + 2)))
    assert len(words) == MOST_CONNECTIONS + 1
    assert words[-1] == "and 2 more connections"
    assert words[0] == f"{one.service}/{one.schema} ({one.id}) in group {one.group_id}"
    assert len(connections_in_words(replace(FINDING, connections=(one,) * MOST_CONNECTIONS))) == (
        MOST_CONNECTIONS
    )


def test_evidence_gives_the_actual_and_the_expected_value():
    for words, evidence in zip(evidence_in_words(FINDING), FINDING.evidence, strict=True):
        assert words == f"{evidence.field}: {evidence.actual} (expected: {evidence.expected})"


def test_a_rule_s_spot_is_in_a_file_of_the_user():
    ours, pack = Position("rules/a.yaml", 3, 5), Position("pack:cost", 9, 1)
    rule = replace(FINDING.rule, position=ours, named_at=None)
    assert spot(rule) == ours
    assert spot(replace(rule, position=pack)) is None
    assert spot(replace(rule, position=pack, named_at=ours)) == ours


@pytest.mark.parametrize(
    ("file", "path"),
    [
        ("rules/a.yaml", "rules/a.yaml"),
        ("./rules//a.yaml", "rules/a.yaml"),
        ("/abs/a.yaml", "abs/a.yaml"),
        ("../../a.yaml", "a.yaml"),
        ("..", "policy"),
        ("", "policy"),
    ],
)
def test_a_path_is_as_a_repository_has_it(file: str, path: str):
    assert repository_path(file) == path


@pytest.mark.parametrize(
    ("folder", "file", "path"),
    [
        ("", "rules/a.yaml", "rules/a.yaml"),
        ("services/data", "rules/a.yaml", "services/data/rules/a.yaml"),
        ("services/data", "../../policies/a.yaml", "policies/a.yaml"),
        ("services/data", "/repo/policies/a.yaml", "policies/a.yaml"),
        ("services/data", "../../../outside.yaml", "outside.yaml"),
        ("services/data", "/repository/a.yaml", "repository/a.yaml"),
    ],
)
def test_a_path_starts_at_the_root_of_the_repository(folder: str, file: str, path: str):
    assert repository_path(file, Checkout("/repo", folder)) == path


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("core: paused is true", "paused is true"),
        ("core syncs every 5 minutes", "syncs every 5 minutes"),
        ("core's name is odd", "core's name is odd"),
        ("corer is odd", "corer is odd"),
        ("paused is true on core", "paused is true on core"),
        ("core", "core"),
        ("core ", "core "),
    ],
)
def test_a_connection_named_beside_the_message_is_not_repeated(message, said):
    (one,) = (replace(FINDING.connections[0], schema="core"),)
    finding = replace(FINDING, connections=(one,), message=message, note="", group="")
    assert beside(finding) == said
    # Of several, or of a group, the name tells which one is meant.
    assert beside(replace(finding, connections=(one, one))) == message
    assert beside(replace(finding, group="g")) == message
