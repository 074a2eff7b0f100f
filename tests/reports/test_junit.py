"""The JUnit report: read by others' parsers, valid against others' schemas, counts that agree."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path

import junitparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from msgspec.structs import replace

from auditor.model import (
    Connections,
    Evidence,
    Finding,
    Findings,
    GroupCheck,
    Outcome,
    Result,
    RuleChecks,
    Verdict,
)
from auditor.reports.junit import MOST_PASSES, escaped, placeholder, render
from tests.builders.full_result import full_result, narrow_result
from tests.builders.sample_results import narrowed, sample_result
from tests.builders.slow import tries

SCHEMAS = Path(__file__).parent / "schemas"
ANT = etree.XMLSchema(file=str(SCHEMAS / "ant-junit.xsd"))
JENKINS = etree.XMLSchema(file=str(SCHEMAS / "jenkins-junit.xsd"))


def parsed(text: str) -> etree._Element:
    root = etree.fromstring(text.encode("utf-8"))
    ANT.assertValid(root)
    JENKINS.assertValid(root)
    for suite in root:
        cases = suite.findall("testcase")
        assert cases, "a suite without a testcase"
        assert int(suite.get("tests", "")) == len(cases)
        for attribute, element in (
            ("failures", "failure"),
            ("errors", "error"),
            ("skipped", "skipped"),
        ):
            assert int(suite.get(attribute, "")) == len(suite.findall(f"testcase/{element}"))
    return root


def report(result: Result) -> etree._Element:
    return parsed("".join(render(result)))


def properties(suite: etree._Element) -> dict[str, str]:
    return {p.get("name", ""): p.get("value", "") for p in suite.iter("property")}


def forced(result: Result, verdicts: bytes) -> Result:
    """Return ``result`` with one rule, whose verdicts are ``verdicts``; findings are dropped."""
    checks = (RuleChecks(result.checks[0].rule, verdicts),)
    return replace(result, checks=checks, describe=lambda: ())


def failing(result: Result, findings: tuple[Finding, ...]) -> Result:
    """Return ``result`` with one rule, of which each of ``findings`` is a failure, and no more."""
    verdicts = bytes([Verdict.FAIL]) * len(findings)
    return replace(
        result, checks=(RuleChecks(findings[0].rule, verdicts),), describe=lambda: findings
    )


@pytest.mark.parametrize("connections", [0, 1, 60, 2500])
@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("hostile", [False, True])
def test_every_sample_is_valid(connections: int, outcome: Outcome, hostile: bool) -> None:
    root = report(sample_result(connections, 10, outcome=outcome, hostile=hostile))
    names = [(c.get("classname"), c.get("name")) for c in root.iter("testcase")]
    assert len(set(names)) == len(names)


def test_a_result_of_which_everything_is_set_is_valid() -> None:
    report(full_result())
    report(narrow_result())


def test_another_parser_counts_what_we_count(tmp_path: Path) -> None:
    result = sample_result(300, 10)
    path = tmp_path / "junit.xml"
    path.write_text("".join(render(result)), encoding="utf-8")
    found: Counter[str] = Counter()
    for suite in list(junitparser.JUnitXml.fromfile(str(path)))[1:]:
        for case in suite:
            found[type(case.result[0]).__name__ if case.result else "Pass"] += 1
    counts = result.counts
    assert found["Failure"] == counts[Verdict.FAIL]
    assert found["Error"] == counts[Verdict.ERROR]
    assert found["Pass"] == counts[Verdict.PASS]
    idle = len(result.idle_rules)
    assert found["Skipped"] == counts[Verdict.WAIVED] + counts[Verdict.KNOWN] + idle


def test_every_suite_states_every_verdict() -> None:
    result = sample_result(300, 10)
    listing, *suites = report(result)
    assert properties(listing)["checks"] == str(result.total)
    for suite, checks in zip(suites, result.checks, strict=True):
        stated = properties(suite)
        assert suite.get("name") == checks.rule.id
        assert stated["severity"] == checks.rule.severity.label
        assert stated["policy"] == str(checks.rule.position)
        for verdict, count in checks.counts.items():
            assert stated[verdict.label] == str(count)


def test_a_failure_says_what_where_and_what_to_do() -> None:
    result = sample_result()
    finding = next(f for f in result.findings if f.verdict is Verdict.FAIL and not f.rule.per)
    connection = finding.connections[0]
    name = f"{connection.service}/{connection.schema} ({connection.id})"
    suite = report(result).find(f"testsuite[@name='{finding.rule.id}']")
    assert suite is not None
    case = next(case for case in suite.iter("testcase") if case.get("name") == name)
    assert case.get("classname") == f"{finding.rule.id}.{connection.group_id}"
    failure = case.find("failure")
    assert failure is not None
    assert failure.get("message") == finding.message
    evidence = finding.evidence[0]
    for said in (evidence.actual, evidence.expected, finding.rule.fix, str(finding.rule.position)):
        assert said in (failure.text or "")


def test_findings_in_the_same_words_have_each_its_own_evidence() -> None:
    result = sample_result(60, 1, outcome=Outcome.VIOLATIONS)
    evidence = [Evidence("status", str(n), "connected") for n in range(len(result.findings))]
    alike = tuple(
        replace(finding, verdict=Verdict.FAIL, message="broken", note="", evidence=(each,))
        for finding, each in zip(result.findings, evidence, strict=True)
    )
    told = [case.text or "" for case in report(failing(result, alike)).iter("failure")]
    assert len(told) > 1
    for text, each in zip(told, evidence, strict=True):
        assert f"status: {each.actual} (expected: connected)" in text


def test_a_waiver_is_skipped_with_its_reason() -> None:
    result = sample_result(300)
    finding = next(f for f in result.findings if f.verdict is Verdict.WAIVED)
    messages = [skipped.get("message") for skipped in report(result).iter("skipped")]
    assert finding.note in messages


@pytest.mark.parametrize("result", [sample_result(complete=False), sample_result(0, 0)])
def test_an_inconclusive_run_is_an_error(result: Result) -> None:
    case = report(result)[0].find("testcase")
    assert case is not None
    assert case.get("name") == "listing"
    error = case.find("error")
    assert error is not None
    for problem in (*result.listing.problems, *result.gate.reasons):
        assert problem.rstrip(".") in (error.get("message") or "")


@pytest.mark.parametrize(("complete", "kind"), [(True, "inconclusive"), (False, "incomplete")])
def test_the_listing_says_whether_it_is_incomplete_or_the_run_inconclusive(
    complete: bool, kind: str
) -> None:
    result = sample_result(complete=complete, outcome=Outcome.INCONCLUSIVE)
    error = report(result)[0].find("testcase/error")
    assert error is not None
    assert error.get("type") == kind


def test_an_incomplete_listing_is_an_error_whatever_the_gate_says() -> None:
    passed = sample_result(outcome=Outcome.PASSED)
    assert report(passed)[0].find("testcase/error") is None
    broken = replace(passed, listing=sample_result(complete=False).listing)
    assert report(broken)[0].find("testcase/error") is not None


def test_the_time_of_a_suite_is_in_utc_whatever_the_zone() -> None:
    there = datetime(2026, 3, 1, 1, 30, 15, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    root = report(replace(sample_result(), judged_at=there))
    assert {suite.get("timestamp") for suite in root} == {"2026-02-28T20:00:15"}


def test_a_run_that_passed_has_no_error() -> None:
    root = report(sample_result(outcome=Outcome.PASSED))
    assert not list(root.iter("error", "failure"))


def test_an_idle_rule_says_so() -> None:
    result = forced(sample_result(outcome=Outcome.PASSED), bytes([Verdict.SKIP]) * 60)
    (case,) = report(result)[1].findall("testcase")
    skipped = case.find("skipped")
    assert skipped is not None
    assert "applied to nothing" in (skipped.get("message") or "")


@pytest.mark.parametrize(("passes", "cases"), [(MOST_PASSES, MOST_PASSES), (MOST_PASSES + 1, 1)])
def test_many_passes_are_rolled_up(passes: int, cases: int) -> None:
    result = sample_result(passes, 1, outcome=Outcome.PASSED)
    suite = report(forced(result, bytes(passes)))[1]
    found = suite.findall("testcase")
    assert len(found) == cases
    assert properties(suite)["pass"] == str(passes)
    if cases == 1:
        assert found[0].get("name") == f"{passes:,} connections passed"


def test_groups_are_not_rolled_up() -> None:
    result = sample_result()
    checks = next(c for c in result.checks if c.rule.per)
    many = tuple(GroupCheck(f"g{n}", Verdict.PASS) for n in range(MOST_PASSES + 1))
    root = report(replace(result, checks=(replace(checks, groups=many),), describe=lambda: ()))
    assert [case.get("name") for case in root[1].findall("testcase")] == [g.group for g in many]


def test_a_group_has_one_testcase_whatever_it_holds() -> None:
    result = sample_result(300)
    checks = next(c for c in result.checks if c.rule.per)
    suite = report(result).find(f"testsuite[@name='{checks.rule.id}']")
    assert suite is not None
    shown = [g.group for g in checks.groups if g.verdict is not Verdict.SKIP]
    assert [case.get("name") for case in suite.findall("testcase")] == shown


def test_names_are_unique_even_where_groups_are_not() -> None:
    result = sample_result()
    checks = next(c for c in result.checks if c.rule.per)
    thrice = (GroupCheck("a", Verdict.PASS),) * 3
    root = report(replace(result, checks=(replace(checks, groups=thrice),), describe=lambda: ()))
    assert [case.get("name") for case in root[1].findall("testcase")] == ["a", "a #2", "a #3"]


def test_names_are_unique_where_two_connections_are_shown_alike() -> None:
    """Their ids were cut: one is found, the other passes."""
    result = sample_result(30)
    same = [["cut…"] * 30] * 3
    alike = Connections(*same, result.connections.group_ids)
    found = Findings(result.findings.by_rule, alike)
    root = report(replace(result, connections=alike, describe=lambda: found))
    for suite in root.findall("testsuite"):
        names = [case.get("name") for case in suite.findall("testcase")]
        assert len(set(names)) == len(names)


def test_what_the_run_rests_on_is_stated() -> None:
    result = narrowed(sample_result())
    stated = properties(report(result)[0])
    assert stated["outcome"] == result.gate.outcome.value
    assert stated["filter.group_id"] == "analytics_prod"
    assert stated["clock_note"] == result.clock_note
    assert result.policies[0].sha256 in stated["policy.1"]
    assert result.left_out[0] == stated["left_out.1"]


def test_the_placeholder_is_an_error() -> None:
    root = parsed(placeholder("1.2.3"))
    assert len(root) == 1
    assert len(list(root.iter("testcase"))) == len(list(root.iter("error"))) == 1
    assert "inconclusive" in (next(root.iter("error")).get("message") or "")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a b", "a b"),
        ("a&b", "a&amp;b"),
        ("a<b", "a&lt;b"),
        ("a>b", "a&gt;b"),
        ('a"b', "a&quot;b"),
        ("a\tb\nc\rd", "a&#9;b&#10;c&#13;d"),
        ("a\x00b\ufffe&", "a\ufffdb\ufffd&amp;"),
    ],
)
def test_what_xml_would_read_otherwise_is_escaped(text: str, written: str) -> None:
    assert escaped(text) == written


@given(st.text(st.characters(), max_size=20))
@settings(max_examples=tries(300))
def test_any_text_survives_as_xml(text: str) -> None:
    spot = escaped(text)
    root = etree.fromstring(f'<a b="{spot}">{spot}</a>'.encode())
    # https://www.w3.org/TR/xml/#charsets
    allowed = "".join(
        c if c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff"
        else "\ufffd"
        for c in text
    )  # fmt: skip
    assert root.get("b") == allowed
    assert (root.text or "") == allowed
