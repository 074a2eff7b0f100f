"""The HTML report as text: what is in the file before any script runs."""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from hashlib import sha256
from typing import Any

import lxml.html
import pytest
from msgspec.structs import replace

from auditor.model import Outcome, Result, Severity, Verdict
from auditor.reports.html import PLAIN_FINDINGS, placeholder, rate, render
from auditor.reports.page.island import island
from tests.builders.sample_results import HOSTILE, narrowed, sample_result


def _tree(result: Result) -> lxml.html.HtmlElement:
    return lxml.html.document_fromstring("".join(render(result)))


def _text(result: Result) -> str:
    """What a reader without scripts can read."""
    tree = _tree(result)
    for element in tree.xpath("//script|//style"):
        element.drop_tree()
    return " ".join(tree.text_content().split())


def _columns(result: Result) -> Any:
    return json.loads("".join(island(result)))


def _policy(page: str) -> str:
    tree = lxml.html.document_fromstring(page)
    return str(tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0])


def test_equal_results_give_equal_bytes() -> None:
    assert "".join(render(sample_result(seed=3))) == "".join(render(sample_result(seed=3)))


@pytest.mark.parametrize("outcome", Outcome)
def test_the_verdict_is_in_the_title_and_the_headline(outcome: Outcome) -> None:
    tree = _tree(sample_result(outcome=outcome))
    assert tree.findtext(".//title").lower().startswith(outcome.value)
    assert tree.findtext(".//h1").lower() == outcome.value


def test_the_file_says_what_the_verdict_rests_on() -> None:
    result = sample_result(60, complete=False)
    text = _text(result)
    for policy in result.policies:
        assert policy.file in text
        assert policy.sha256 in text
    for fact in (
        *result.gate.reasons,
        *result.listing.problems,
        "60 of 60 listed",
        f"{result.total} by {len(result.checks)} rules",
        "Exit code 3",
        "2026-03-14 09:26:53 UTC",
        result.source.location,
        f"fivetran-auditor {result.version}",
        *(f"{verdict.label} {count}" for verdict, count in result.counts.items()),
    ):
        assert fact in text, fact


def test_every_rule_is_in_the_file_with_its_counts() -> None:
    result = sample_result()
    rows = _tree(result).xpath("//table[@class='rules']/tbody/tr")
    order = (
        Verdict.FAIL, Verdict.ERROR, Verdict.WAIVED, Verdict.KNOWN, Verdict.SKIP, Verdict.PASS,
    )  # fmt: skip
    assert len(rows) == len(result.checks)
    for row, checks in zip(rows, result.checks, strict=True):
        assert checks.rule.id in row.text_content()
        shown = [int(cell.get("data-count")) for cell in row.xpath("td[contains(@class, 'n ')]")]
        assert shown == [checks.count(verdict) for verdict in order]
        idle = "applied to nothing" in row.text_content()
        assert idle == (checks.rule in result.idle_rules)


def test_a_rule_that_applied_to_nothing_is_named_at_the_top() -> None:
    assert "1 rule applied to nothing: no-sunset-services" in _text(sample_result())


def test_a_rule_that_may_be_idle_is_counted_at_the_top() -> None:
    result = sample_result()
    checks = [
        replace(c, rule=replace(c.rule, may_be_idle=c.rule in result.idle_rules))
        for c in result.checks
    ]
    result = replace(result, checks=tuple(checks))
    assert "1 rule applied to nothing, as its policy allows" in _text(result)
    (mark,) = _tree(result).xpath("//span[contains(@class, 'idle')]")
    assert mark.get("class") == "idle may"


def test_connections_that_were_not_judged_stand_out() -> None:
    result = sample_result(60)
    listing = replace(result.listing, connections=61)
    tile = _tree(replace(result, listing=listing)).xpath("//div[contains(@class, 'bad')]")[0]
    assert "60 of 61 listed" in " ".join(tile.text_content().split())


def test_a_narrowed_run_cannot_be_taken_for_a_full_one() -> None:
    result = narrowed(sample_result(outcome=Outcome.PASSED))
    text, tree = _text(result), _tree(result)
    assert "not a full run" in tree.findtext(".//title")
    assert "Not a full run" in tree.xpath("//section[@aria-labelledby='verdict']")[0].text_content()
    for fact in (*result.left_out, *result.warnings, result.clock_note):
        assert fact in text
    assert "not a full run" in text
    full = _text(sample_result(outcome=Outcome.PASSED))
    assert "Everything that was listed was judged" in full
    assert "full run" not in full


def test_what_a_run_was_narrowed_to_is_told_once() -> None:
    tree = _tree(narrowed(sample_result(outcome=Outcome.PASSED)))
    (told,) = tree.xpath("//section[@aria-labelledby='narrowed']//li[contains(., 'of the group')]")
    assert told.text_content() == "only connections of the group analytics_prod were listed"


def test_the_first_findings_are_plain_rows_and_the_cut_is_stated() -> None:
    result = sample_result(1000, outcome=Outcome.VIOLATIONS)
    rows = _tree(result).xpath("//tbody[@id='plain-rows']/tr")
    assert len(rows) == PLAIN_FINDINGS
    assert f"first {PLAIN_FINDINGS} of {len(result.findings):,} findings" in _text(result)
    assert all("fail" in row.text_content() for row in rows)


def test_what_to_do_first_is_ordered_by_severity_then_count() -> None:
    result = sample_result(400, 10, outcome=Outcome.VIOLATIONS)
    shown = [
        link.get("href").removeprefix("#rule=").partition("&")[0]
        for link in _tree(result).xpath("//li[@class='todo']//h3/a")
    ]
    by_id = {checks.rule.id: checks for checks in result.checks}
    keys = [(-by_id[i].rule.severity, -by_id[i].count(Verdict.FAIL)) for i in shown]
    assert keys == sorted(keys)
    assert set(shown) == {
        i for i, c in by_id.items() if c.count(Verdict.FAIL) or c.count(Verdict.ERROR)
    }


def test_the_policy_allows_the_two_inline_texts_and_nothing_else() -> None:
    page = "".join(render(sample_result(hostile=True)))
    tree = lxml.html.document_fromstring(page)
    style, script = (
        "sha256-" + b64encode(sha256(tree.xpath(path)[0].text.encode()).digest()).decode()
        for path in ("//style", "//script[not(@type)]")
    )
    assert _policy(page).split("; ") == [
        "default-src 'none'",
        f"style-src '{style}'",
        f"script-src '{script}'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]


def test_nothing_is_loaded_and_nothing_runs_from_markup() -> None:
    tree = _tree(sample_result(hostile=True, complete=False))
    attributes = [(e.tag, name, value) for e in tree.iter() for name, value in e.attrib.items()]
    assert not [a for a in attributes if a[1].startswith("on") or a[1] in ("style", "src")]
    for tag, name, value in attributes:
        if name in ("href", "xlink:href", "action"):
            itself = not value or value.startswith("#")
            assert itself or tag == "link", (tag, name, value)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    result = sample_result(hostile=True)
    page = "".join(render(result))
    assert text in _text(result)
    if "<" in text:
        assert text not in page
    opened = re.findall(r"<script", page)
    assert len(opened) == page.count("</script>") == 2


def test_the_island_holds_every_verdict_and_every_finding() -> None:
    result = sample_result(60, hostile=True)
    data = _columns(result)
    for packed, checks in zip(data["verdicts"], result.checks, strict=True):
        assert b64decode(packed) == checks.verdicts
    assert data["verdict"] == "".join(str(int(f.verdict)) for f in result.findings)
    assert [data["rules"][r]["id"] for r in data["rule"]] == [f.rule.id for f in result.findings]
    assert data["ids"] == result.connections.ids


def test_the_island_cannot_end_its_element() -> None:
    text = "".join(island(sample_result(hostile=True)))
    assert not set("<>&\u2028\u2029") & set(text)


def test_a_report_on_nothing_is_a_report() -> None:
    for result in (sample_result(0), sample_result(1, 0), sample_result(0, 0)):
        assert result.gate.outcome.value in _text(result).lower()


def test_what_kept_a_run_from_an_answer_comes_first() -> None:
    result = sample_result(400, 10, outcome=Outcome.INCONCLUSIVE)
    shown = [
        link.get("href").removeprefix("#rule=").partition("&")[0]
        for link in _tree(result).xpath("//li[@class='todo']//h3/a")
    ]
    errors = [bool(c.count(Verdict.ERROR)) for i in shown for c in result.checks if c.rule.id == i]
    assert errors == sorted(errors, reverse=True)
    assert True in errors
    assert False in errors


def test_the_gate_says_from_which_severity_it_fails() -> None:
    result = sample_result(outcome=Outcome.PASSED)
    gate = replace(result.gate, fail_on=Severity.HIGH)
    assert "fails on high and above" in _text(replace(result, gate=gate))


def test_the_placeholder_says_inconclusive() -> None:
    page = placeholder("1.2.3")
    text = lxml.html.document_fromstring(page).text_content()
    assert "Inconclusive" in text
    assert "did not finish" in text
    assert "1.2.3" in text
    assert "script-src 'none'" in _policy(page)


@pytest.mark.parametrize(
    ("count", "of", "words"),
    [
        (1, 1, "100%"), (1, 2, "50.0%"), (2, 3, "66.7%"), (1, 1000, "0.1%"), (1, 100_000, "<0.1%"),
        (99_999, 100_000, ">99.9%"), (999, 1000, "99.9%"),
    ],
)  # fmt: skip
def test_a_rate_is_all_or_nothing_only_where_its_count_is(count: int, of: int, words: str) -> None:
    assert rate(count, of) == words


def test_failed_and_unjudged_counts_have_rates() -> None:
    result = sample_result(60, 8)
    rows = _tree(result).xpath("//table[contains(@class, 'rules')]/tbody/tr")
    for checks, row in zip(result.checks, rows, strict=True):
        judged = checks.total - checks.count(Verdict.SKIP)
        for verdict in (Verdict.FAIL, Verdict.ERROR, Verdict.PASS):
            (cell,) = row.xpath(f"td[@data-label='{verdict.label}']")
            count = checks.count(verdict)
            assert cell.xpath("small/text()") == ([rate(count, judged)] if count else [])
