"""The HTML report in a browser: what a reader does with it, in real Chromium.

Every page here also fails its test when it asks the network for anything, logs anything or
violates its own Content-Security-Policy (``conftest.py``).
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from urllib.parse import quote

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Locator, Page, expect

from auditor.model import Outcome, Result, Severity, Verdict
from auditor.reports.html import placeholder, render
from tests.reports.conftest import OpenReport
from tests.reports.sample_results import HOSTILE, narrowed, sample_result

RESULT = sample_result(400, 10)
AXE_RUN = """axe.run().then((results) => results.violations.map(
    (each) => [each.id, each.help, ...each.nodes.slice(0, 3).map((node) => node.html)]))"""


def status(page: Page) -> str:
    return page.get_by_role("status").inner_text()


def chip(page: Page, label: str) -> Locator:
    return page.locator(f".chip[data-label={label}]")


def column(page: Page, name: str) -> list[str]:
    """The texts of one column, of the rows that are drawn."""
    return [text.strip() for text in page.locator(f".rows .c-{name}").all_inner_texts()]


def count(result: Result, **wanted: object) -> int:
    """How many findings have these properties; ``service`` and ``group`` of any connection."""

    def fits(finding: object, name: str, value: object) -> bool:
        if name in ("service", "group_id"):
            return any(getattr(c, name) == value for c in finding.connections)
        if name == "rule":
            return finding.rule.id == value
        if name == "severity":
            return finding.rule.severity is value
        return getattr(finding, name) is value

    return sum(all(fits(f, name, value) for name, value in wanted.items()) for f in result.findings)


# -- opening ----------------------------------------------------------------------------------


def test_it_opens_with_every_finding_and_draws_only_what_is_in_view(
    open_report: OpenReport,
) -> None:
    page = open_report(RESULT)
    assert status(page) == f"{len(RESULT.findings)} findings"
    grid = page.get_by_role("grid", name="Findings")
    assert grid.get_attribute("aria-rowcount") == str(len(RESULT.findings) + 1)
    assert 10 < page.locator(".rows .row").count() < 60
    assert column(page, "rule")[0] == RESULT.findings[0].rule.id
    expect(page.locator("#plain")).to_be_hidden()


def test_scrolling_to_the_end_shows_the_last_finding(open_report: OpenReport) -> None:
    page = open_report(RESULT)
    page.locator(".grid").evaluate("grid => grid.scrollTop = grid.scrollHeight")
    expect(page.locator(f"#row-{len(RESULT.findings) - 1}")).to_be_visible()
    last = RESULT.findings[-1]
    assert column(page, "rule")[-1] == last.rule.id
    assert column(page, "connection")[-1] == last.connections[0].schema


def test_without_scripts_the_essentials_stand(open_report: OpenReport) -> None:
    page = open_report(RESULT, scripts=False)
    expect(page.get_by_role("heading", level=1)).to_have_text("Inconclusive")
    for reason in RESULT.gate.reasons:
        expect(page.get_by_text(reason)).to_be_visible()
    assert page.locator("#plain-rows tr:visible").count() == 200
    expect(page.locator("#explorer")).to_be_hidden()
    expect(page.get_by_role("button")).to_have_count(0)
    assert page.locator(".rules tbody tr:visible").count() == len(RESULT.checks)


def test_a_run_without_findings_says_so(open_report: OpenReport) -> None:
    page = open_report(sample_result(1, 1, outcome=Outcome.PASSED))
    expect(page.get_by_text("No findings: every check passed or was skipped.")).to_be_visible()
    expect(page.get_by_role("grid")).to_be_hidden()
    expect(page.locator("#pictures")).to_be_hidden()


def test_a_run_on_nothing_opens(open_report: OpenReport) -> None:
    page = open_report(sample_result(0))
    page.locator("[data-show=connections]").click()
    expect(page.get_by_text("No connections were judged.")).to_be_visible()


# -- filters, sorting, the URL ----------------------------------------------------------------


def test_verdicts_and_severities_filter(open_report: OpenReport) -> None:
    page = open_report(RESULT)
    chip(page, "error").click()
    errors = count(RESULT, verdict=Verdict.ERROR)
    assert status(page) == f"{errors} of {len(RESULT.findings)} findings"
    assert set(column(page, "verdict")) == {"error"}
    chip(page, "high").click()
    both = count(RESULT, verdict=Verdict.ERROR, severity=Severity.HIGH)
    assert status(page).startswith(f"{both} of ")
    chip(page, "error").click()
    assert status(page).startswith(f"{count(RESULT, severity=Severity.HIGH)} of ")
    page.get_by_role("button", name="Clear filters").click()
    assert status(page) == f"{len(RESULT.findings)} findings"


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("rule", "rule", "one-name-per-service"),
        ("service", "service", "postgres"),
        ("group", "group_id", "growth"),
    ],
)
def test_rule_service_and_group_filter(
    open_report: OpenReport, name: str, key: str, value: str
) -> None:
    page = open_report(RESULT)
    page.get_by_label(f"Filter by {name}").select_option(value)
    expected = count(RESULT, **{key: value})
    assert 0 < expected < len(RESULT.findings)
    assert status(page).startswith(f"{expected} of ")


@pytest.mark.parametrize(
    "query", ["CONN_000123", "salesforce growth", "2880", "is missing", "dana@example.com", "fresh"]
)
def test_search_finds_words_anywhere(open_report: OpenReport, query: str) -> None:
    page = open_report(RESULT)
    page.get_by_label("Search").fill(query)

    def text(f: object) -> str:
        parts = [f.rule.id, f.rule.title, f.rule.policy, *f.rule.tags, f.message, f.note, f.group]
        parts += [part for c in f.connections for part in (c.id, c.service, c.schema, c.group_id)]
        parts += [part for e in f.evidence for part in (e.field, e.actual, e.expected)]
        return "\n".join(parts).lower()

    expected = sum(all(w in text(f) for w in query.lower().split()) for f in RESULT.findings)
    assert 0 < expected < len(RESULT.findings)
    assert status(page).startswith(f"{expected} of ")


def test_a_search_without_a_hit_says_so(open_report: OpenReport) -> None:
    page = open_report(RESULT)
    page.get_by_label("Search").fill("no such thing")
    expect(page.get_by_text("No finding matches these filters.")).to_be_visible()
    assert status(page).startswith("0 of ")


def test_columns_sort_both_ways_and_back(open_report: OpenReport) -> None:
    result = sample_result(25, 10)  # few enough for all rows to be drawn
    page = open_report(result, "#verdict=fail")
    page.locator(".grid").evaluate("grid => grid.style.maxHeight = 'none'")
    expect(page.locator(".rows .row")).to_have_count(count(result, verdict=Verdict.FAIL))

    def key(text: str) -> tuple[int, float, str]:
        return (0, float(text), "") if re.fullmatch(r"[\d.]+", text) else (1, 0, text.lower())

    for name in ("rule", "connection", "service", "group", "actual"):
        unsorted = column(page, name)
        head = page.locator(f".head [data-column={name}]")
        header = page.locator(f".head .c-{name}")
        head.click()
        assert header.get_attribute("aria-sort") == "ascending"
        assert column(page, name) == sorted(unsorted, key=key) != unsorted
        assert f"sort={name}" in page.url
        head.click()
        assert header.get_attribute("aria-sort") == "descending"
        assert column(page, name) == sorted(unsorted, key=key, reverse=True)
        head.click()
        assert header.get_attribute("aria-sort") == "none"
        assert column(page, name) == unsorted


def test_the_url_keeps_the_state_and_restores_it(open_report: OpenReport) -> None:
    page = open_report(RESULT)
    page.get_by_label("Search").fill("prod")
    chip(page, "fail").click()
    page.get_by_label("Filter by service").select_option("postgres")
    page.locator("[data-column=group]").click()
    page.get_by_text("Columns", exact=True).click()
    page.get_by_label("Message").check()
    page.get_by_label("Group", exact=True).uncheck()
    seen = (status(page), column(page, "message"), page.locator(".head").inner_text())
    assert column(page, "group") == []
    again = open_report(RESULT, "#" + page.url.partition("#")[2])
    assert (
        status(again), column(again, "message"), again.locator(".head").inner_text(),
    ) == seen  # fmt: skip
    assert again.get_by_label("Search").input_value() == "prod"
    assert chip(again, "fail").get_attribute("aria-pressed") == "true"


def test_a_rule_to_do_leads_to_its_findings(open_report: OpenReport) -> None:
    page = open_report(RESULT)
    page.locator(".todo h3 a").first.click()
    rule = RESULT.findings[0].rule.id
    expected = count(RESULT, rule=rule, verdict=Verdict.FAIL) + count(
        RESULT, rule=rule, verdict=Verdict.ERROR
    )
    expect(page.get_by_role("status")).to_have_text(
        f"{expected} of {len(RESULT.findings)} findings"
    )
    expect(page.locator("#findings-title")).to_be_in_viewport()
    page.go_back()
    expect(page.get_by_role("status")).to_have_text(f"{len(RESULT.findings)} findings")


def test_a_cell_of_the_heat_map_counts_what_it_leads_to(open_report: OpenReport) -> None:
    page = open_report(RESULT)
    cell = page.locator(".heat td a").nth(7)
    number = cell.inner_text()
    cell.click()
    expect(page.get_by_role("status")).to_have_text(f"{number} of {len(RESULT.findings)} findings")
    page.locator("#by-service a").nth(1).click()
    number = page.locator("#by-service a b").nth(1).inner_text()
    expect(page.get_by_role("status")).to_have_text(f"{number} of {len(RESULT.findings)} findings")


# -- one finding, one connection, one rule ------------------------------------------------------


def test_a_row_opens_into_everything_known_of_the_finding(open_report: OpenReport) -> None:
    finding = next(f for f in RESULT.findings if f.verdict is Verdict.WAIVED)
    page = open_report(RESULT, "#verdict=waived")
    page.locator(".rows .row").first.click()
    sheet = page.get_by_role("dialog", name=finding.rule.title)
    text = sheet.inner_text()
    rule, connection, evidence = finding.rule, finding.connections[0], finding.evidence[0]
    for fact in (
        finding.message, finding.note, rule.why, rule.fix, rule.expects, rule.applies_when,
        str(rule.position), connection.id, connection.service, connection.schema,
        connection.group_id, evidence.field, evidence.actual, evidence.expected, "waived",
        rule.severity.label,
    ):  # fmt: skip
        assert fact in text, fact
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(page).to_have_url(re.compile("#verdict=waived$"))


@pytest.mark.parametrize("index", [0, 40, -1])
def test_a_finding_has_a_link_of_its_own(open_report: OpenReport, index: int) -> None:
    finding = RESULT.findings[index]
    identity = f"{finding.rule.id}/{finding.connections[0].id}"
    page = open_report(RESULT, f"#finding={quote(identity)}")
    assert finding.message in page.get_by_role("dialog").inner_text()
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_findings_on_a_group_have_links_too(open_report: OpenReport) -> None:
    page = open_report(RESULT, "#rule=one-name-per-service")
    findings = [f for f in RESULT.findings if f.group]
    urls = []
    for position in range(len(findings)):
        page.locator(f"#row-{position}").click()
        urls.append(page.url)
        page.keyboard.press("Escape")
    for url, finding in zip(urls, findings, strict=True):
        page.evaluate("url => { location.hash = url }", url.partition("#")[2])
        expect(page.get_by_role("dialog")).to_contain_text(finding.connections[0].id)
        text = page.get_by_role("dialog").inner_text()
        assert finding.group in text
        assert all(c.id in text for c in finding.connections)


def test_a_link_to_a_finding_that_is_gone_says_so(open_report: OpenReport) -> None:
    page = open_report(RESULT, "#finding=fresh/fixed_long_ago")
    expect(page.get_by_role("dialog", name="No such finding")).to_be_visible()


def test_next_and_previous_walk_the_findings_as_they_are_sorted(open_report: OpenReport) -> None:
    page = open_report(RESULT, "#verdict=fail&sort=connection")
    schemas = column(page, "connection")[:3]
    page.locator(".rows .row").first.click()
    for schema in schemas[1:]:
        page.get_by_role("button", name="Next").click()
        expect(page.get_by_role("dialog")).to_contain_text(schema)
    page.get_by_role("button", name="Previous").click()
    expect(page.get_by_role("dialog")).to_contain_text(schemas[1])
    page.keyboard.press("Escape")
    page.go_back()
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_a_connection_shows_all_its_checks_the_passes_too(open_report: OpenReport) -> None:
    identity = RESULT.findings[0].connections[0].id
    at = list(RESULT.connections.ids).index(identity)
    page = open_report(RESULT, f"#connection={identity}")
    rows = page.locator("#sheet .checks tbody tr").all_inner_texts()
    assert len(rows) == len(RESULT.checks)
    for checks in RESULT.checks:
        row = next(r for r in rows if checks.rule.title in r)
        if checks.verdicts:
            assert row.split()[0] == Verdict(checks.verdicts[at]).label


def test_a_rule_shows_all_its_connections_the_passes_too(open_report: OpenReport) -> None:
    checks = next(c for c in RESULT.checks if c.rule.id == "fresh")
    page = open_report(RESULT, "#about=fresh")
    assert checks.rule.expects in page.get_by_role("dialog").inner_text()
    page.get_by_role("link", name="Show every connection it judged").click()
    expect(page.get_by_role("status")).to_have_text("400 connections, under fresh")
    assert column(page, "verdict")[:9] == [Verdict(v).label for v in checks.verdicts[:9]]
    chip(page, "pass").click()
    passed = checks.count(Verdict.PASS)
    expect(page.get_by_role("status")).to_have_text(f"{passed} of 400 connections, under fresh")


# -- export -------------------------------------------------------------------------------------


def exported(page: Page) -> list[list[str]]:
    with page.expect_download() as download:
        page.get_by_role("button", name="Export CSV").click()
    path = download.value.path()
    text = Path(path).read_bytes().decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def test_export_holds_what_is_shown_in_its_order(open_report: OpenReport) -> None:
    page = open_report(RESULT, "#verdict=fail&sort=connection&columns=connection,rule,message")
    head, *rows = exported(page)
    assert head == ["Rule", "Connection", "Message"]
    failed = [f for f in RESULT.findings if f.verdict is Verdict.FAIL]
    expected = [[f.rule.id, f.connections[0].schema, f.message] for f in failed]
    single = {f.rule.id for f in failed if not f.group}
    assert len(rows) == len(failed)
    assert sorted(r for r in rows if r[0] in single) == sorted(
        r for r in expected if r[0] in single
    )
    assert [row[1] for row in rows][:20] == column(page, "connection")[:20]


def test_export_lets_no_spreadsheet_run_anything(open_report: OpenReport) -> None:
    result = sample_result(60, hostile=True)
    every = "severity,verdict,rule,connection,service,group,actual,expected,field,message,id,note"
    _, *rows = exported(open_report(result, f"#columns={every}"))
    cells = {cell for row in rows for cell in row}
    assert len(rows) == len(result.findings)
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\0"))]
    messages = sorted(row[9].removeprefix("'") for row in rows)
    assert messages == sorted(f.message for f in result.findings)
    assert f"'{HOSTILE[5]}" in cells
    assert HOSTILE[4] in cells


# -- hostile text, accessibility, sizes, paper --------------------------------------------------


def test_hostile_text_runs_nowhere(open_report: OpenReport) -> None:
    result = sample_result(60, hostile=True, complete=False)
    every = "rule,connection,service,group,actual,expected,field,message,id,owner,fix,note,policy"
    page = open_report(result, f"#columns={every}&q=%3Cscript%3E&service={quote(HOSTILE[1])}")
    for fragment in (
        f"#connection={quote(result.connections.ids[1])}",
        f"#about={result.checks[0].rule.id}",
        f"#finding={quote(HOSTILE[0])}",
        f"#finding={quote(result.checks[0].rule.id + '/' + result.findings[0].connections[0].id)}",
        "#show=connections&columns=connection,id&rule=<img src=x onerror=window.pwned=5>",
        "#sort=__proto__&columns=constructor&show=toString&hasOwnProperty=1&q=%00",
    ):
        page.evaluate("fragment => { location.hash = fragment }", fragment)
        page.wait_for_timeout(20)
    assert page.evaluate("window.pwned") is None
    assert page.locator("img, iframe, object, embed, form, base").count() == 0
    assert page.locator("script").count() == 2
    assert page.evaluate("document.title").startswith("Inconclusive")


@pytest.mark.parametrize(
    ("result", "fragment"),
    [
        (RESULT, ""),
        (narrowed(sample_result(outcome=Outcome.PASSED)), ""),
        (sample_result(outcome=Outcome.VIOLATIONS), "#finding=fresh/conn_000001"),
        (RESULT, "#connection=conn_000007"),
        (RESULT, "#show=connections&rule=fresh"),
    ],
    ids=["inconclusive", "narrowed", "finding", "connection", "rule"],
)
def test_axe_finds_nothing(open_report: OpenReport, result: Result, fragment: str) -> None:
    page = open_report(result, fragment)
    page.evaluate(AXE_SCRIPT)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate(AXE_RUN) == []


@pytest.mark.parametrize("width", [375, 1024, 1920])
def test_no_width_scrolls_sideways(open_report: OpenReport, width: int) -> None:
    hostile = "".join(render(sample_result(hostile=True, complete=False)))
    for report in (RESULT, hostile.replace(HOSTILE[2], "W" * 200)):
        page = open_report(report, width=width)
        for fragment in (
            "",
            "#show=connections",
            "#about=fresh",
            "#columns=message,fix,note,policy",
        ):
            page.evaluate("fragment => { location.hash = fragment }", fragment)
            expect(page.locator("#sheet")).to_be_visible(visible="about" in fragment)
            assert page.evaluate("document.documentElement.scrollWidth") == width
            assert page.evaluate("document.getElementById('sheet').scrollWidth") <= width


def test_the_table_works_from_the_keyboard(open_report: OpenReport) -> None:
    page = open_report(RESULT)
    page.locator("body").press("/")
    expect(page.get_by_label("Search")).to_be_focused()
    page.keyboard.type("fail")
    grid = page.get_by_role("grid")
    grid.focus()
    active = "grid => grid.getAttribute('aria-activedescendant')"
    for key, row in (
        ("ArrowDown", 1), ("ArrowDown", 2), ("ArrowUp", 1), ("Home", 0),
        ("End", None), ("Home", 0), ("PageDown", None), ("Home", 0), ("ArrowUp", 0),
    ):  # fmt: skip
        page.keyboard.press(key)
        name = grid.evaluate(active)
        expect(page.locator(f"#{name}")).to_be_in_viewport()
        assert row is None or name == f"row-{row}"
    page.keyboard.press("ArrowDown")
    schema = column(page, "connection")[1]
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text(schema)
    page.keyboard.press("Escape")
    expect(grid).to_be_focused()
    assert grid.evaluate(active) == "row-1"


def test_print_shows_what_is_folded_or_virtual_on_screen(open_report: OpenReport) -> None:
    page = open_report(RESULT, "#severity=critical&verdict=fail", dark=True)
    assert page.pdf(format="A4").startswith(b"%PDF")
    critical = count(RESULT, severity=Severity.CRITICAL, verdict=Verdict.FAIL)
    assert page.locator("#plain-rows tr").count() == critical
    page.emulate_media(media="print")
    expect(page.locator("#plain-rows tr").first).to_be_visible()
    expect(page.locator("#explorer")).to_be_hidden()
    expect(page.locator(".todo").last).to_be_visible()


def test_the_theme_can_be_chosen(open_report: OpenReport) -> None:
    page = open_report(RESULT)
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)
    page.get_by_role("button", name="Theme: system").click()
    assert page.evaluate(background) != light
    page.get_by_role("button", name="Theme: dark").click()
    assert page.evaluate(background) == light


def test_the_placeholder_opens_and_is_accessible(open_report: OpenReport) -> None:
    page = open_report(placeholder("1.0.0"), width=375)
    expect(page.get_by_role("heading", level=1)).to_have_text("Inconclusive")
    page.evaluate(AXE_SCRIPT)
    assert page.evaluate(AXE_RUN) == []


@pytest.mark.slow
def test_a_hundred_thousand_connections_open_filter_and_scroll(open_report: OpenReport) -> None:
    result = sample_result(115_000, 10)
    assert len(result.findings) > 150_000
    page = open_report(result)
    total = f"{len(result.findings):,} findings"
    assert status(page) == total
    page.get_by_label("Search").fill("conn_099999")
    expected = sum(f.connections[0].id == "conn_099999" for f in result.findings if not f.group)
    assert status(page).startswith(f"{expected} of ")
    page.get_by_label("Search").fill("")
    grid = page.get_by_role("grid")
    grid.focus()
    page.keyboard.press("End")
    name = f"row-{len(result.findings) - 1}"
    assert grid.evaluate("grid => grid.getAttribute('aria-activedescendant')") == name
    expect(page.locator(f"#{name}")).to_be_in_viewport()
    assert column(page, "connection")[-1] == result.findings[-1].connections[0].schema
    assert page.locator(".rows .row").count() < 60
