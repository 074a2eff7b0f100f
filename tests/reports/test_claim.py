"""What a run may claim: no format says more than was judged.

Everything a claim depends on is crossed: how complete the listing is, what was left out, which
checks were made and what they came to, what the gate lets through. Every format is read for words
that say more.
"""

from __future__ import annotations

import json
import re
from itertools import product

import pytest
from junitparser import JUnitXml
from msgspec.structs import replace

from auditor.cli.terminal.summary import answer, summary
from auditor.gate import Bar, decide
from auditor.model import (
    NOT_READ,
    Completeness,
    Connections,
    Evidence,
    Finding,
    GroupCheck,
    Listing,
    Outcome,
    Part,
    PlanScope,
    PolicyFile,
    Position,
    Result,
    Rule,
    RuleChecks,
    Severity,
    SourceInfo,
    Verdict,
)
from auditor.reports import REPORTS
from auditor.reports.claim import claim, is_open, let_through
from tests.builders.sample_results import JUDGED_AT

V = Verdict
#: What the checks of one rule come to on three connections, by what it shows.
CHECKS = {
    "all pass": (V.PASS, V.PASS, V.PASS),
    "all skip": (V.SKIP, V.SKIP, V.SKIP),
    "a failure": (V.PASS, V.FAIL, V.SKIP),
    "waived": (V.PASS, V.WAIVED, V.PASS),
    "known": (V.PASS, V.KNOWN, V.PASS),
    "waived and failed": (V.WAIVED, V.FAIL, V.KNOWN),
    "an error": (V.PASS, V.ERROR, V.PASS),
    "nothing listed": (),
}
BARS = {
    "low": Bar(allow_empty=True),
    "high": Bar(Severity.HIGH, allow_empty=True),
    "max": Bar(limits={Severity.MEDIUM: 1}, allow_empty=True),
    "none": Bar(None, allow_empty=True),
}
LEFT_OUT = {
    "full": {},
    "filtered": {
        "source": SourceInfo("api", "https://api.fivetran.com", (("group_id", "g"),)),
        "narrowed_by": ("group_id=g",),
    },
    "selected": {"left_out": ("--only r: 1 rule of 2 left out (s)",), "narrowed_by": ("--only r",)},
}


def made(completeness: Completeness, checks: str, bar: str, left_out: str) -> Result:
    verdicts = CHECKS[checks]
    ids = tuple(f"id_{n}" for n in range(len(verdicts)))
    connections = Connections(ids, ("postgres",) * len(ids), ids, ("g",) * len(ids))
    rule = Rule(
        "r", "A rule", Severity.MEDIUM, "house", Position("house.yaml", 3, 5), "x is 1", fix="Fix."
    )
    found = tuple(
        Finding(rule, v, (connections[n],), (Evidence("x", "2", "1"),), "x is 2", note="a note")
        for n, v in enumerate(verdicts)
        if v not in {V.PASS, V.SKIP}
    )
    problems = ("page 2 is cut",) if completeness is Completeness.INCOMPLETE else ()
    listing = Listing(completeness, 2, len(ids), problems=problems)
    judged = (RuleChecks(rule, bytes(verdicts)),)
    base = Result(
        version="1.0.0",
        judged_at=JUDGED_AT,
        source=SourceInfo("api", "https://api.fivetran.com"),
        listing=listing,
        policies=(PolicyFile("house", "house.yaml", "b07d44e1" * 8),),
        connections=connections,
        checks=judged,
        gate=decide(listing, judged, BARS[bar]),
        describe=lambda: found,
    )
    fields = {name: getattr(base, name) for name in base.__struct_fields__}
    return Result(**{**fields, **LEFT_OUT[left_out]})


def texts(result: Result) -> dict[str, str]:
    """Return what every format says, in its reader's words."""
    said = {name: "".join(REPORTS[name].render(result)) for name in REPORTS}
    # What a script may say is not said yet; its words stand in the file all the same.
    said["html"] = re.sub(r"<(style|script)[^>]*>.*?</\1>", "", said["html"], flags=re.DOTALL)
    said["terminal"] = "\n".join(summary(result, ()))
    said["quiet"] = answer(result)
    return said


CASES = list(product(Completeness, CHECKS, ("low", "high"), LEFT_OUT))


@pytest.mark.parametrize(
    ("completeness", "checks", "bar", "left_out"),
    CASES,
    ids=[" ".join((c.name.lower(), *rest)) for c, *rest in CASES],
)
def test_no_format_says_more_than_was_judged(
    completeness: Completeness, checks: str, bar: str, left_out: str
):
    result = made(completeness, checks, bar, left_out)
    verdicts = CHECKS[checks]
    unmade = all(verdict is V.SKIP for verdict in verdicts)
    not_whole = completeness in {Completeness.ONE_WALK, Completeness.UNKNOWN}
    forbidden = ["everything was judged", "every connection was judged"]
    if not_whole or completeness is Completeness.INCOMPLETE or not verdicts:
        forbidden += ["everything that was listed", "everything in the snapshot"]
    if unmade:
        forbidden += ["was judged;", "judged by 1 rule", "judged 3 connections"]
        forbidden += ["nothing failed", "every check that was made passed"]
    if {V.FAIL, V.WAIVED, V.KNOWN, V.ERROR} & set(verdicts):
        forbidden += ["nothing failed", "there are none"]
    if result.gate.outcome is not Outcome.PASSED:
        forbidden += ["✅", "nothing failed"]
    for name, said in texts(result).items():
        low = said.lower()
        assert [word for word in forbidden if word in low] == [], name
        # Code Quality has no place for what a run rests on.
        if unmade and name != "gitlab":
            assert "no check was made" in low, name


@pytest.mark.parametrize("checks", CHECKS)
@pytest.mark.parametrize("completeness", Completeness, ids=lambda c: c.name.lower())
@pytest.mark.parametrize("bar", BARS)
def test_what_does_not_gate_is_red_nowhere(completeness: Completeness, checks: str, bar: str):
    result = made(completeness, checks, bar, "full")
    failed = sum(v is V.FAIL for v in CHECKS[checks])
    gates = failed if bar == "low" else 0
    assert sum(f.verdict is V.FAIL and is_open(f, result) for f in result.findings) == gates
    xml = JUnitXml.fromstring("".join(REPORTS["junit"].render(result)).encode())
    assert sum(suite.failures for suite in xml) == gates
    log = json.loads("".join(REPORTS["sarif"].render(result)))["runs"][0]
    alerts = [r for r in log["results"] if r["ruleId"] == "r"]
    errors = sum(v is V.ERROR for v in CHECKS[checks])
    assert len(alerts) == gates + errors
    issues = json.loads("".join(REPORTS["gitlab"].render(result)))
    loud = [i for i in issues if i["severity"] != "info" and i["check_name"] == "r"]
    assert len(loud) == gates + errors
    lines = "".join(REPORTS["github"].render(result)).splitlines()
    assert sum(
        line.startswith(("::warning", "::error")) and "title=medium" in line for line in lines
    ) == (gates + errors)


@pytest.mark.parametrize(
    ("bar", "why"),
    [
        ("low", ""),
        ("high", "allowed: below --fail-on high"),
        ("max", "allowed: within --max medium=1"),
        ("none", "allowed: below --fail-on none"),
    ],
)
def test_what_is_let_through_says_why(bar: str, why: str):
    result = made(Completeness.ONE_PAGE, "a failure", bar, "full")
    (finding,) = result.findings
    assert let_through(finding, result) == why
    if why:
        for name in ("junit", "gitlab", "github"):
            assert why in "".join(REPORTS[name].render(result)), name


def test_an_inconclusive_run_is_a_result_of_its_own():
    result = made(Completeness.INCOMPLETE, "all pass", "low", "full")
    log = json.loads("".join(REPORTS["sarif"].render(result)))["runs"][0]
    (doubt,) = log["results"]
    assert log["tool"]["driver"]["rules"][doubt["ruleIndex"]]["id"] == doubt["ruleId"]
    assert doubt["ruleId"] == "inconclusive"
    assert "page 2 is cut" in doubt["message"]["text"]


def test_a_narrowed_run_closes_no_alert_of_a_full_one():
    ids = []
    for left_out in LEFT_OUT:
        result = made(Completeness.ONE_PAGE, "all pass", "low", left_out)
        log = json.loads("".join(REPORTS["sarif"].render(result)))["runs"][0]
        ids.append(log["automationDetails"]["id"])
    assert ids[0] == "fivetran-auditor/"
    assert len(set(ids)) == 3


@pytest.mark.parametrize(
    ("completeness", "checks", "left_out", "sentence"),
    [
        ("ONE_PAGE", "all pass", "full", "Everything that was listed was judged. Nothing failed."),
        (
            "ONE_WALK",
            "all pass",
            "full",
            "Everything that one walk over several pages listed was judged. Nothing failed.",
        ),
        (
            "UNKNOWN",
            "waived",
            "full",
            (
                "Everything that was saved was judged; whether more exists is unknown. "
                "1 violation and none of them gates: 1 waived."
            ),
        ),
        (
            "ONE_PAGE",
            "known",
            "full",
            ("Everything that was listed was judged. 1 violation and none of them gates: 1 known."),
        ),
        (
            "VERIFIED",
            "all pass",
            "selected",
            (
                "Everything that was listed was judged; not a full run: something was left out. "
                "Nothing failed."
            ),
        ),
        ("ONE_PAGE", "nothing listed", "full", "No check was made. No connection was listed."),
        (
            "ONE_PAGE",
            "all pass",
            "filtered",
            (
                "Everything that was listed was judged; not a full run: something was left out. "
                "Nothing failed."
            ),
        ),
        (
            "SNAPSHOT",
            "all skip",
            "full",
            (
                "No rule applied to anything: no check was made. "
                "Nothing was judged of 3 connections."
            ),
        ),
        (
            "UNKNOWN",
            "all skip",
            "selected",
            (
                "No rule applied to anything: no check was made. Nothing was judged of 3"
                " connections; whether more exists than was saved is unknown; not a full run:"
                " something was left out."
            ),
        ),
        (
            "INCOMPLETE",
            "all skip",
            "full",
            "No check was made. Not everything could be judged: do not read this as a pass.",
        ),
    ],
)
def test_the_sentence(completeness: str, checks: str, left_out: str, sentence: str):
    assert claim(made(Completeness[completeness], checks, "low", left_out)).sentence == sentence


def test_all_that_failed_and_does_not_gate_is_one_number():
    result = made(Completeness.ONE_PAGE, "waived and failed", "high", "full")
    assert claim(result).sentence == (
        "Everything that was listed was judged."
        " 3 violations and none of them gates: 1 allowed, 1 waived, 1 known."
    )


def test_a_limit_of_one_severity_lets_no_other_through():
    """What passes by ``--fail-on`` says that, whatever is allowed of another severity."""
    bar = Bar(Severity.HIGH, limits={Severity.LOW: 3}, allow_empty=True)
    result = made(Completeness.ONE_PAGE, "a failure", "high", "full")
    result = replace(result, gate=decide(result.listing, result.checks, bar))
    (finding,) = result.findings
    assert let_through(finding, result) == "allowed: below --fail-on high"


def test_where_rules_had_nothing_to_do_it_is_not_said_that_nothing_was_listed():
    result = made(Completeness.ONE_PAGE, "all pass", "low", "full")
    nothing = replace(result, checks=(), gate=decide(result.listing, (), BARS["low"]))
    assert claim(nothing).sentence == "No check was made. Nothing was judged of 3 connections."


def test_of_an_account_without_connections_a_rule_about_all_of_it_claims_no_listing():
    result = made(Completeness.ONE_PAGE, "nothing listed", "low", "full")
    rule = replace(result.checks[0].rule, per=("account",))
    for verdict, sentence in (
        (V.FAIL, "1 of 1 check failed. No connection was listed."),
        (V.PASS, "No connection was listed. Nothing failed."),
    ):
        checks = (RuleChecks(rule, b"", (GroupCheck("account", verdict),)),)
        gate = decide(result.listing, checks, BARS["low"])
        assert claim(replace(result, checks=checks, gate=gate)).sentence == sentence


@pytest.mark.parametrize(
    ("plan", "not_in_plan", "said"),
    [
        (PlanScope(touched=1), 0, "Everything in the plan was judged. Nothing failed."),
        (
            PlanScope(touched=1),
            1,
            (
                "Everything in the plan was judged; 1 check rests on what is not in the plan, and"
                " was not made. Nothing failed."
            ),
        ),
        (
            PlanScope(touched=1),
            2,
            (
                "Everything in the plan was judged; 2 checks rest on what is not in the plan, and"
                " were not"
                " made. Nothing failed."
            ),
        ),
        (
            PlanScope(touched=1, over="account.ndjson"),
            0,
            "Everything that was listed was judged, with the plan laid over it. Nothing failed.",
        ),
        # What was judged all the same is not made nothing by it.
        (
            PlanScope(nothing="the plan changes no connection", over="account.ndjson"),
            0,
            "The plan changes no connection. Nothing failed.",
        ),
    ],
)
def test_of_a_plan_it_is_said_what_it_holds_and_what_it_could_not_tell(
    plan: PlanScope, not_in_plan: int, said: str
):
    result = made(Completeness.ONE_PAGE, "all pass", "low", "full")
    checks = (replace(result.checks[0], not_in_plan=not_in_plan),)
    gate = decide(result.listing, checks, BARS["low"], plan)
    assert claim(replace(result, checks=checks, gate=gate, plan=plan)).sentence == said


def test_of_a_plan_without_a_check_it_is_said_why():
    plan = PlanScope(nothing="the plan changes no connection")
    result = made(Completeness.ONE_PAGE, "nothing listed", "low", "full")
    said = claim(replace(result, plan=plan)).sentence
    assert said == "The plan changes no connection. No check was made."


def test_of_a_plan_that_no_rule_applied_to_no_listing_is_doubted():
    """What is under a plan is known to be what it is laid over."""
    result = made(Completeness.UNKNOWN, "all skip", "low", "full")
    said = claim(replace(result, plan=PlanScope(touched=1, over="account.ndjson"))).sentence
    assert said == (
        "No rule applied to anything: no check was made. Nothing was judged of 3 connections."
    )


@pytest.mark.parametrize(
    ("checks", "heading"),
    [("all pass", "Passed"), ("a failure", "Violations"), ("an error", "Inconclusive")],
)
def test_the_heading_is_the_outcome(checks: str, heading: str):
    assert claim(made(Completeness.ONE_PAGE, checks, "low", "full")).heading == heading


def test_that_one_walk_may_have_missed_some_is_said_of_what_nobody_judged_too():
    said = claim(made(Completeness.ONE_WALK, "all skip", "low", "full")).sentence
    assert said == (
        "No rule applied to anything: no check was made. Nothing was judged of 3 connections; one"
        " walk over several pages may not have listed everything."
    )


@pytest.mark.parametrize(
    ("checks", "said"),
    [
        ("all pass", "every check that was made passed."),
        ("all skip", "no rule applied to anything: no check was made."),
        ("nothing listed", "no check was made."),
    ],
)
def test_in_place_of_findings_it_is_said_why_there_are_none(checks: str, said: str):
    result = made(Completeness.ONE_PAGE, checks, "low", "full")
    assert claim(result).no_findings == f"There are none: {said}"
    assert claim(result).unmade == (checks != "all pass")


@pytest.mark.parametrize(
    ("value", "which"),
    [
        ("data", "with team data"),
        ("", "without team"),
        (NOT_READ, "whose team could not be read"),
    ],
)
@pytest.mark.parametrize(
    ("left_out", "narrowed"),
    [("full", ""), ("filtered", "; not a full run: something was left out")],
)
def test_a_part_claims_nothing_of_the_rest_and_says_what_that_came_to(
    value: str, which: str, left_out: str, narrowed: str
):
    whole = made(Completeness.ONE_PAGE, "a failure", "low", "full")
    result = made(Completeness.ONE_PAGE, "all pass", "low", left_out)
    filters = (*result.source.filters, ("dimension.team", value))
    part = replace(
        result,
        source=replace(result.source, filters=filters),
        part=Part("team", value, 7, range(3), whole.gate),
    )
    assert claim(part).sentence == (
        f"Of this part, everything that was listed was judged{narrowed}. Nothing failed. This part"
        f" has 3 of 7 connections, those {which}; the whole run's outcome is violations (exit 1)."
    )
