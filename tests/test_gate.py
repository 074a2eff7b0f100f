"""The gate: the outcome for each listing, check and threshold, and the sentences that say why."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from auditor.gate import Bar, decide, decide_part
from auditor.model import (
    Completeness,
    Gate,
    GroupCheck,
    Listing,
    Outcome,
    PlanScope,
    Position,
    Rule,
    RuleChecks,
    Severity,
    Verdict,
)

LOW, MEDIUM, HIGH, CRITICAL = Severity
PASS, FAIL, ERROR, SKIP, WAIVED, KNOWN = Verdict
WHOLE = Listing(Completeness.ONE_PAGE, pages=1, connections=3)
EMPTY = Listing(Completeness.ONE_PAGE, pages=1, connections=0)


def checks(identity: str, severity: Severity, *verdicts: Verdict, groups: str = "") -> RuleChecks:
    """Return a rule's checks: one a verdict, and a passing one a letter of ``groups``."""
    rule = Rule(identity, identity, severity, "house", Position("house.yaml", 3, 5), "x is y")
    return RuleChecks(rule, bytes(verdicts), tuple(GroupCheck(name, PASS) for name in groups))


def answer(*rules: RuleChecks, listing: Listing = WHOLE, **bar: Any) -> tuple[int, tuple[str, ...]]:
    """Return the exit code and the reasons, once the outcome's word is found to fit."""
    gate = decide(listing, rules, Bar(**bar))
    words = {0: Outcome.PASSED, 1: Outcome.VIOLATIONS, 3: Outcome.INCONCLUSIVE}
    assert gate.outcome is words[gate.exit_code]
    return gate.exit_code, gate.reasons


def test_a_pass_says_what_it_rests_on() -> None:
    one, other = checks("a", HIGH, PASS, PASS, SKIP), checks("b", LOW, PASS, PASS, PASS)
    assert answer(one, other) == (0, ("3 connections judged by 2 rules",))


def test_a_pass_without_a_check_says_that_nothing_was_judged() -> None:
    idle, empty = checks("a", HIGH, SKIP, SKIP, SKIP), checks("b", LOW)
    assert answer(idle, empty) == (0, ("none of 2 rules applied to 3 connections",))
    assert answer(idle) == (0, ("none of 1 rule applied to 3 connections",))


def test_the_answer_carries_the_bar_it_was_measured_by() -> None:
    limits = {LOW: 5, HIGH: 1}
    for rules, listing, outcome, code in (
        ((checks("a", HIGH, PASS),), WHOLE, Outcome.PASSED, 0),
        ((checks("a", HIGH, FAIL, FAIL),), WHOLE, Outcome.VIOLATIONS, 1),
        ((checks("a", HIGH, FAIL, FAIL),), EMPTY, Outcome.INCONCLUSIVE, 3),
    ):
        gate = decide(listing, rules, Bar(MEDIUM, limits=limits))
        carried = ((HIGH, 1), (LOW, 5))
        assert gate == Gate(outcome, code, MEDIUM, gate.reasons, carried, gate.doubts)
        assert gate.reasons


# -- violations -----------------------------------------------------------------------------------


@pytest.mark.parametrize("severity", Severity)
@pytest.mark.parametrize("fail_on", [*Severity, None])
def test_what_is_at_or_above_the_bar_counts(severity: Severity, fail_on: Severity | None) -> None:
    code, reasons = answer(checks("a", severity, FAIL, PASS, FAIL), fail_on=fail_on)
    if fail_on is not None and severity >= fail_on:
        assert (code, reasons) == (1, (f"2 {severity.label} violations of 1 rule",))
    else:
        least = fail_on.label if fail_on else "none"
        below = f"2 violations below the bar (--fail-on {least})"
        assert (code, reasons) == (0, ("3 connections judged by 1 rule", below))


def test_the_lowest_severity_counts_unless_said_otherwise() -> None:
    assert answer(checks("a", LOW, FAIL)) == (1, ("1 low violation of 1 rule",))


def test_violations_are_counted_by_severity_severest_first() -> None:
    rules = (
        checks("a", LOW, FAIL),
        checks("b", CRITICAL, FAIL, FAIL),
        checks("c", LOW, PASS, FAIL, FAIL),
        checks("d", LOW, PASS),
        checks("e", HIGH, PASS, WAIVED, KNOWN),
    )
    assert answer(*rules) == (1, ("2 critical violations of 1 rule", "3 low violations of 2 rules"))


def test_what_is_waived_or_known_is_reported_and_no_violation() -> None:
    rules = checks("a", CRITICAL, WAIVED, KNOWN, WAIVED), checks("b", LOW, PASS, KNOWN, KNOWN)
    told = ("3 connections judged by 2 rules", "2 violations waived", "3 violations known")
    assert answer(*rules) == (0, told)


# -- how many are allowed -------------------------------------------------------------------------


@pytest.mark.parametrize("fail_on", [LOW, CRITICAL, None])
def test_a_limit_outranks_the_bar(fail_on: Severity | None) -> None:
    two = checks("a", HIGH, FAIL, FAIL)
    judged = "3 connections judged by 1 rule"
    allowed = (judged, "2 high violations allowed by --max high=2")
    assert answer(two, fail_on=fail_on, limits={HIGH: 2}) == (0, allowed)
    over = ("2 high violations of 1 rule, over --max high=1",)
    assert answer(two, fail_on=fail_on, limits={HIGH: 1}) == (1, over)


def test_a_limit_holds_for_its_own_severity_alone() -> None:
    rules = checks("a", HIGH, FAIL), checks("b", LOW, FAIL)
    assert answer(*rules, limits={HIGH: 1}) == (1, ("1 low violation of 1 rule",))
    told = (
        "3 connections judged by 2 rules",
        "1 high violation allowed by --max high=1",
        "1 violation below the bar (--fail-on critical)",
    )
    assert answer(*rules, fail_on=CRITICAL, limits={HIGH: 1}) == (0, told)


def test_what_is_allowed_is_reported_severest_first() -> None:
    rules = checks("a", LOW, FAIL), checks("b", CRITICAL, FAIL)
    told = (
        "3 connections judged by 2 rules",
        "1 critical violation allowed by --max critical=2",
        "1 low violation allowed by --max low=2",
    )
    assert answer(*rules, limits={LOW: 2, CRITICAL: 2}) == (0, told)


def test_an_unused_limit_is_not_mentioned() -> None:
    assert answer(checks("a", HIGH, PASS), limits={HIGH: 1, LOW: 0}) == (
        0,
        ("3 connections judged by 1 rule",),
    )


# -- nothing certain ------------------------------------------------------------------------------


@pytest.mark.parametrize("completeness", Completeness)
def test_a_problem_of_the_listing_is_inconclusive_whatever_it_is_called(
    completeness: Completeness,
) -> None:
    listing = Listing(completeness, pages=1, connections=3, problems=("page 2: cut", "page 3: no"))
    said = ("the listing is incomplete: page 2: cut", "the listing is incomplete: page 3: no")
    assert answer(checks("a", LOW, PASS), listing=listing) == (3, said)


def test_an_incomplete_listing_is_inconclusive_without_a_problem() -> None:
    listing = Listing(Completeness.INCOMPLETE, pages=1, connections=3)
    assert answer(checks("a", LOW, PASS), listing=listing) == (3, ("the listing is incomplete",))


@pytest.mark.parametrize("completeness", [c for c in Completeness if c.name != "INCOMPLETE"])
def test_any_other_listing_settles(completeness: Completeness) -> None:
    listing = Listing(completeness, pages=1, connections=1)
    said = ("1 connection judged by 1 rule",)
    assert answer(checks("a", LOW, PASS), listing=listing) == (0, said)


def test_nothing_listed_is_inconclusive_unless_it_is_allowed() -> None:
    code, (reason,) = answer(checks("a", LOW), listing=EMPTY)
    assert code == 3
    assert reason.startswith("no connection was listed, so nothing was judged: check the key's")
    assert reason.endswith("and the filters, or pass --allow-empty if there are none")
    allowed = ("no connection was listed, which --allow-empty accepts",)
    assert answer(checks("a", LOW), listing=EMPTY, allow_empty=True) == (0, allowed)


def test_allowing_nothing_does_not_allow_an_incomplete_listing() -> None:
    for listing in (
        Listing(Completeness.INCOMPLETE, pages=0, connections=0),
        Listing(Completeness.ONE_PAGE, pages=0, connections=0, problems=("cut",)),
    ):
        code, reasons = answer(listing=listing, allow_empty=True)
        assert code == 3
        assert len(reasons) == 1
        assert answer(listing=listing) == (code, reasons), "why is said once"


def test_a_check_that_could_not_be_evaluated_names_its_rule() -> None:
    one, other = checks("a", LOW, PASS, ERROR, ERROR), checks("b", LOW, PASS, PASS, PASS)
    assert answer(one, other) == (3, ("2 checks could not be evaluated (a)",))


def test_three_rules_with_errors_are_named() -> None:
    rules = [checks(name, LOW, ERROR) for name in "abcd"]
    assert answer(*rules) == (3, ("4 checks could not be evaluated (a, b and c)",))


def test_inconclusive_outranks_violations_and_tells_them_too() -> None:
    rules = checks("a", HIGH, FAIL), checks("b", LOW, ERROR)
    said = ("1 check could not be evaluated (b)", "1 high violation of 1 rule")
    assert answer(*rules) == (3, said)


# -- strict ---------------------------------------------------------------------------------------


def test_strict_asks_that_every_rule_applied_to_something() -> None:
    idle, busy = checks("idle", LOW, SKIP, SKIP), checks("busy", LOW, SKIP, PASS)
    assert answer(idle, busy)[0] == 0
    said = ("--strict: 1 rule applied to nothing (idle)",)
    assert answer(idle, busy, strict=True) == (3, said)
    more = checks("none", LOW), checks("grouped", LOW, groups="g")
    said = ("--strict: 2 rules applied to nothing (idle and none)",)
    assert answer(idle, busy, *more, strict=True) == (3, said)
    assert answer(busy, strict=True) == (0, ("3 connections judged by 1 rule",))


def test_strict_lets_a_rule_be_idle_that_may_be() -> None:
    idle, busy = checks("idle", LOW, SKIP, SKIP), checks("busy", LOW, SKIP, PASS)
    quiet = replace(idle, rule=replace(idle.rule, id="quiet", may_be_idle=True))
    assert answer(quiet, busy, strict=True)[0] == 0
    said = ("--strict: 1 rule applied to nothing (idle)",)
    assert answer(quiet, idle, busy, strict=True) == (3, said)


@pytest.mark.parametrize(
    ("completeness", "said"),
    [
        (Completeness.UNKNOWN, "whether the listing is complete is unknown"),
        (Completeness.ONE_WALK, "one walk over several pages may not have listed everything"),
    ],
)
def test_strict_asks_that_the_listing_is_known_to_be_complete(
    completeness: Completeness, said: str
) -> None:
    listing = Listing(completeness, pages=2, connections=3)
    code, (reason,) = answer(checks("a", LOW, PASS), listing=listing, strict=True)
    assert (code, reason.partition(";")[0]) == (3, f"--strict: {said}")
    assert answer(checks("a", LOW, PASS), listing=listing)[0] == 0


# -- plans ----------------------------------------------------------------------------------------


def planned(
    *rules: RuleChecks, scope: PlanScope, listing: Listing = WHOLE, **bar: Any
) -> tuple[int, tuple[str, ...]]:
    """Return the exit code and the reasons of a run over a plan."""
    gate = decide(listing, rules, Bar(**bar), scope)
    return gate.exit_code, gate.reasons


def test_a_pass_over_a_plan_says_what_it_left_out() -> None:
    rule = replace(checks("r", LOW, PASS, SKIP, SKIP), not_in_plan=1, left_unknown=1)
    touching = "it touches 2 connections"
    assert planned(rule, checks("idle", LOW, SKIP), scope=PlanScope(touched=2)) == (
        0,
        (
            f"what the plan says of 3 connections was judged by 1 of 2 rules; {touching}",
            "1 check not made: what they read is not in the plan",
            "1 check skipped by --on-unknown: unknown until applied",
        ),
    )


def test_a_pass_over_an_account_as_the_plan_would_leave_it_says_so() -> None:
    rules = checks("a", LOW, PASS, PASS, PASS), checks("b", LOW, PASS, PASS, PASS)
    said = (
        "3 connections judged by 2 rules, as the plan would leave them; it touches 1 connection",
    )
    assert planned(*rules, scope=PlanScope(touched=1, over="live")) == (0, said)


def test_a_plan_with_nothing_to_judge_passes_with_its_reason_even_if_strict() -> None:
    scope = PlanScope(nothing="the plan holds no Fivetran connection")
    for strict in (False, True):
        done = planned(checks("a", LOW), scope=scope, listing=EMPTY, strict=strict)
        assert done == (0, ("the plan holds no Fivetran connection",))


def test_a_plan_that_holds_nothing_that_rules_read_judged_nothing() -> None:
    rules = replace(checks("a", LOW, SKIP), not_in_plan=1), checks("b", LOW, SKIP)
    said = ("the plan has nothing that the rules read, so nothing was judged; add --over",)
    assert planned(*rules, scope=PlanScope(touched=1)) == (3, said)
    # A plan that changes no connection, or of which one check was made, is another matter.
    passed = checks("c", LOW, PASS)
    assert planned(*rules, scope=PlanScope())[0] == 0
    assert planned(*rules, passed, scope=PlanScope(touched=1))[0] == 0
    assert planned(checks("b", LOW, SKIP), scope=PlanScope(touched=1))[0] == 0


def test_a_plan_of_which_every_check_was_left_unknown_judged_nothing() -> None:
    rules = replace(checks("a", LOW, SKIP), left_unknown=1), checks("b", LOW, SKIP)
    said = (
        "all that the rules read is unknown until applied, so nothing was judged; leave out"
        " --on-unknown to see what to write"
    )
    assert planned(*rules, scope=PlanScope(touched=1)) == (3, (said,))
    assert planned(*rules, scope=PlanScope())[0] == 0
    assert planned(*rules, checks("c", LOW, PASS), scope=PlanScope(touched=1))[0] == 0


def test_strict_does_not_call_a_rule_idle_whose_checks_were_left_unknown() -> None:
    rules = replace(checks("a", LOW, SKIP), left_unknown=1), checks("b", LOW, PASS)
    said = ("--strict: 1 check rests on what is unknown until applied",)
    assert planned(*rules, scope=PlanScope(touched=1), strict=True) == (3, said)
    both = replace(checks("a", LOW, SKIP, SKIP), left_unknown=2), rules[1]
    said = ("--strict: 2 checks rest on what is unknown until applied",)
    assert planned(*both, scope=PlanScope(touched=1), strict=True) == (3, said)


def test_strict_asks_that_a_plan_holds_what_rules_read() -> None:
    rules = (
        replace(checks("a", LOW, PASS, SKIP, SKIP), not_in_plan=2),
        replace(checks("b", LOW, SKIP, PASS), not_in_plan=1),
    )
    said = ("--strict: 3 checks rest on what is not in the plan",)
    assert planned(*rules, scope=PlanScope(touched=1), strict=True) == (3, said)
    assert planned(*rules, scope=PlanScope(touched=1))[0] == 0


def test_strict_does_not_call_a_rule_idle_that_no_plan_can_tell() -> None:
    unplanned, idle = replace(checks("a", LOW, SKIP), not_in_plan=1), checks("b", LOW, SKIP)
    code, said = planned(
        unplanned, idle, checks("c", LOW, PASS), scope=PlanScope(touched=1), strict=True
    )
    assert code == 3
    assert "--strict: 1 rule applied to nothing (b)" in said


def test_a_problem_of_a_plan_is_said_in_its_own_words() -> None:
    listing = Listing(Completeness.INCOMPLETE, pages=1, connections=1, problems=("it errored",))
    assert planned(checks("a", LOW, PASS), scope=PlanScope(touched=1), listing=listing) == (
        3,
        ("it errored",),
    )


def test_the_answer_on_a_part_is_no_better_than_what_it_rests_on() -> None:
    """Doubts of the run are the part's, its errors are its own, and no limit is left of one."""
    failing, erring = checks("a", HIGH, FAIL, FAIL), checks("b", LOW, PASS, ERROR)
    whole = decide(WHOLE, (failing, erring), Bar(LOW, limits={HIGH: 1}))
    assert (whole.outcome, whole.doubts) == (Outcome.INCONCLUSIVE, ())
    clean = decide_part(whole, {HIGH}, (checks("a", HIGH, PASS), checks("b", LOW, PASS)), 1)
    assert (clean.outcome, clean.exit_code) == (Outcome.PASSED, 0)
    assert clean.reasons == ("1 connection judged by 2 rules",)
    one = decide_part(whole, {HIGH}, (checks("a", HIGH, FAIL),), 1)
    assert (one.outcome, one.reasons) == (Outcome.VIOLATIONS, ("1 high violation of 1 rule",))
    own = decide_part(whole, {HIGH}, (checks("b", LOW, ERROR),), 1, ["whose it is, is not known"])
    assert own.outcome is Outcome.INCONCLUSIVE
    assert own.reasons == ("whose it is, is not known", "1 check could not be evaluated (b)")
    idle = decide(WHOLE, (checks("a", HIGH, SKIP),), Bar(LOW, strict=True))
    assert decide_part(idle, (), (checks("a", HIGH, SKIP),), 1).reasons == idle.doubts != ()


def test_one_check_that_a_plan_cannot_tell_rests_and_several_rest() -> None:
    rule = replace(checks("a", LOW, PASS, SKIP), not_in_plan=1)
    said = ("--strict: 1 check rests on what is not in the plan",)
    assert planned(rule, scope=PlanScope(touched=1), strict=True) == (3, said)


def test_a_pass_names_the_rules_that_judged_and_not_those_that_applied_to_nothing() -> None:
    rules = checks("a", LOW, PASS, PASS), checks("b", LOW, SKIP, SKIP), checks("c", LOW, SKIP, PASS)
    said = "3 connections judged by 2 of 3 rules"
    assert answer(*rules) == (0, (said,))
    over = f"{said}, as the plan would leave them; it touches 1 connection"
    assert planned(*rules, scope=PlanScope(touched=1, over=True)) == (0, (over,))


def test_a_plan_of_no_connection_of_the_account_says_what_it_judged_all_the_same() -> None:
    done = planned(checks("a", LOW, groups="g"), scope=PlanScope(), listing=EMPTY, allow_empty=True)
    said = "what the plan says of 0 connections was judged by 1 rule; it touches 0 connections"
    assert done == (0, (said,))


def test_a_doubt_about_what_was_listed_is_not_a_pass_whatever_was_judged() -> None:
    doubts = ("the snapshot is 40 days old", "the clock is off")
    assert answer(checks("a", LOW, PASS), doubts=doubts) == (3, doubts)
    assert answer(checks("a", LOW, FAIL), doubts=doubts[:1])[0] == 3


def test_a_part_has_the_limits_that_are_left_the_severest_first() -> None:
    low, high = checks("l", LOW, FAIL), checks("h", HIGH, FAIL, FAIL)
    whole = decide(WHOLE, (low, high), Bar(LOW, limits={LOW: 5, HIGH: 1}))
    assert whole.outcome is Outcome.VIOLATIONS
    part = decide_part(whole, {HIGH}, (low, checks("h", HIGH, PASS)), 1)
    assert part.outcome is Outcome.PASSED
    assert part.reasons == (
        "1 connection judged by 2 rules",
        "1 low violation allowed by --max low=5",
    )
    assert part.limits == ((HIGH, 0), (LOW, 5))


def test_a_plan_to_which_no_rule_applied_was_judged_by_none() -> None:
    said = planned(checks("a", LOW, SKIP, SKIP), scope=PlanScope(touched=1))
    assert said == (0, ("none of 1 rule applied to 3 connections",))
