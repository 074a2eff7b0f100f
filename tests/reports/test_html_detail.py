"""Details in the HTML report: a finding, a connection, a rule; and what leaves the page as CSV."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from pathlib import Path
from urllib.parse import quote

from msgspec.structs import replace
from playwright.sync_api import Page, expect

from auditor import PlanSource, SnapshotSource, audit, load_policies
from auditor.model import Finding, Result, Verdict
from auditor.policy import Ruleset
from tests.builders.browser import OpenReport
from tests.builders.html_page import RESULT, axe, chip, column, go
from tests.builders.listed import record
from tests.builders.plans import PLANS, plan_file
from tests.builders.sample_results import HOSTILE, sample_result
from tests.builders.weeks import judged

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


def test_a_finding_of_a_plan_says_what_to_change_in_terraform(
    open_report: OpenReport, tmp_path: Path
) -> None:
    (tmp_path / "slow.yaml").write_text(
        "policy: p\nrules:\n  - {id: slow, severity: low, assert: {sync_frequency: {gte: 15}}}\n"
    )
    folder = str(PLANS.parent / "configs" / "walk" / "after")
    source = PlanSource(str(plan_file("walk")), folder=folder)
    result = audit(source, load_policies(str(tmp_path / "slow.yaml")))
    page = open_report(result, "#columns=rule,address,action,attribute,before,after,written")
    cells = page.locator(".rows .row").filter(has_text="60").first.inner_text()
    (finding,) = [f for f in result.findings if f.resources[0].attributes[0].before == "60"]
    (resource,) = finding.resources
    (attribute,) = resource.attributes
    assert attribute.position is not None
    line = f"{attribute.position.file}:{attribute.position.line}"
    told = (resource.address, "update", f"{attribute.address}: sync_frequency", "60", "5", line)
    for fact in told:
        assert fact in cells, fact
    page.locator(".rows .row").filter(has_text="60").first.click()
    text = page.get_by_role("dialog").inner_text()
    assert "In Terraform" in text
    for fact in told:
        assert fact in text, fact


def test_a_rule_links_to_its_own_page_where_it_has_one(open_report: OpenReport) -> None:
    rule = RESULT.rules[0].id
    for docs_url, count in (("https://wiki.test/{rule}", 1), ("", 0)):
        page = open_report(replace(RESULT, docs_url=docs_url), f"#about={rule}")
        links = page.get_by_role("dialog").get_by_role("link", name="why, and how to fix it")
        expect(links).to_have_count(count)
        if count:
            assert links.get_attribute("href") == f"https://wiki.test/{rule}"


def test_a_finding_has_a_link_of_its_own(open_report: OpenReport) -> None:
    found = [RESULT.findings[index] for index in (0, 40, -1)]
    links = [f"finding={quote(f'{f.rule.id}/{f.connections[0].id}')}" for f in found]
    page = open_report(RESULT, f"#{links[0]}")
    for finding, link in zip(found, links, strict=True):
        go(page, link)
        expect(page.get_by_role("dialog")).to_contain_text(finding.message)
        page.get_by_role("button", name="Close").click()
        expect(page.get_by_role("dialog")).to_be_hidden()


def test_findings_on_a_group_have_links_too(open_report: OpenReport) -> None:
    page = open_report(RESULT, "#rule=one-name-per-service")
    findings = [f for f in RESULT.findings if f.group]
    assert findings
    urls = []
    for position in range(len(findings)):
        page.locator(f"#row-{position}").click()
        urls.append(page.url)
        page.keyboard.press("Escape")
    for url, finding in zip(urls, findings, strict=True):
        go(page, url.partition("#")[2])
        expect(page.get_by_role("dialog")).to_contain_text(finding.connections[0].id)
        text = page.get_by_role("dialog").inner_text()
        assert finding.group in text
        assert all(c.id in text for c in finding.connections)


def test_a_finding_may_name_no_connection_and_no_field(open_report: OpenReport) -> None:
    rule = next(c.rule for c in RESULT.checks if c.rule.per)
    bare = Finding(rule, Verdict.FAIL, (), (), "no connection at all", "the account")
    page = open_report(replace(RESULT, describe=lambda: (bare,)))
    page.locator(".rows .row").first.click()
    text = page.get_by_role("dialog").inner_text()
    assert "no connection at all" in text
    assert "the account" in text
    again = open_report(replace(RESULT, describe=lambda: (bare,)), "#" + page.url.partition("#")[2])
    assert again.get_by_role("dialog").inner_text() == text


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
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page).to_have_url(re.compile("#verdict=fail&sort=connection$"))


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


def test_a_finding_about_a_group_without_members_belongs_to_it(
    open_report: OpenReport, house: Ruleset
) -> None:
    others = (record("b", service="mysql", group_id="g2"), record("c", service="s3", group_id="g2"))
    result = judged(house, 0, record("a"), *others)
    (finding,) = result.findings
    assert (finding.group, finding.connections) == ("g2", ())
    page = open_report(result)
    heat = page.locator("#heat")
    expect(heat.locator("thead th")).to_have_text(["Rule", "g2"])
    heat.get_by_role("link", name="1", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("1 finding")
    assert column(page, "rule") == ["has-postgres"]
    go(page, "within=g2")
    sheet = page.get_by_role("dialog")
    expect(sheet.locator(".legend b")).to_have_text(["1"])
    expect(sheet).not_to_contain_text("0 connections")
    go(page, "group=g1")
    expect(page.get_by_role("status")).to_have_text("0 of 1 finding")


def test_a_group_has_a_sheet_of_everything_about_it(open_report: OpenReport) -> None:
    connection = RESULT.findings[0].connections[0]
    group = connection.group_id
    page = open_report(RESULT, f"#connection={connection.id}")
    sheet = page.get_by_role("dialog")
    sheet.get_by_role("link", name=group, exact=True).click()
    expect(page).to_have_url(re.compile(f"#within={group}$"))
    members = [c for c in RESULT.connections if c.group_id == group]
    expect(sheet).to_contain_text(f"{len(members)} connections")
    about = [f for f in RESULT.findings if any(c.group_id == group for c in f.connections)]
    shown = dict(
        zip(
            sheet.locator(".legend .verdict").all_inner_texts(),
            map(int, sheet.locator(".legend b").all_inner_texts()),
            strict=True,
        )
    )
    assert shown == dict(Counter(f.verdict.label for f in about))
    rules = {f.rule.id: f.rule for f in about if f.verdict in (Verdict.FAIL, Verdict.ERROR)}
    todo = sheet.locator(".part", has=page.get_by_role("heading", name="Rules with something"))
    expect(todo.locator("tbody tr")).to_have_count(len(rules))
    # What a rule demands does not read as what was found.
    failed = {f.rule.title for f in about if f.verdict is Verdict.FAIL}
    said = [
        f"{'Violated' if rule.title in failed else 'Not judged'}: {rule.title}"
        for rule in rules.values()
    ]
    assert sorted(todo.locator("tbody div > a").all_inner_texts()) == sorted(said)
    whole = sheet.locator(".part", has=page.get_by_role("heading", name="as a whole"))
    (check,) = [c for c in RESULT.checks if c.rule.per]
    (verdict,) = [g.verdict for g in check.groups if g.group == group]
    expect(whole).to_contain_text(verdict.label)
    sheet.get_by_role("link", name="Show its connections").click()
    expect(page.get_by_role("status")).to_have_text(f"{len(members)} of 400 connections")


def test_connections_are_stepped_through_as_the_table_has_them(open_report: OpenReport) -> None:
    page = open_report(RESULT, "#show=connections&sort=-fail")
    names = column(page, "connection")
    page.locator(".rows .row").first.click()
    sheet = page.get_by_role("dialog")
    expect(sheet).to_contain_text("1 of 400")
    page.keyboard.press("ArrowRight")
    expect(sheet).to_contain_text("2 of 400")
    expect(sheet.locator("#sheet-title")).to_have_text(names[1])
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(sheet.locator("#sheet-title")).to_have_text(names[0])


def test_a_demand_never_reads_as_the_fact(open_report: OpenReport) -> None:
    failed = next(f for f in RESULT.findings if f.verdict is Verdict.FAIL)
    page = open_report(RESULT, f"#connection={failed.connections[0].id}")
    checks = page.locator("#sheet .checks tbody tr")
    for row in checks.all():
        verdict, text = row.locator("td").all_inner_texts()
        # Below a verdict that asks for something stands how severe its rule is.
        verdict = verdict.strip().partition("\n")[0].strip()
        said = {"fail": "Violated: ", "error": "Not judged: "}.get(verdict, "")
        assert text.startswith(said)
        assert text.startswith("Violated: ") == (verdict == "fail")
    for head in page.locator(".todo h3").all_text_contents():
        assert head.startswith(("Violated: ", "Not judged: "))


def test_a_link_to_what_is_not_there_says_so(open_report: OpenReport) -> None:
    page = open_report(RESULT, "#finding=fresh/no_such")
    for kind, fragment in (
        ("finding", "finding=fresh/no_such"),
        ("connection", "connection=no_such"),
        ("rule", "about=no_such"),
        ("group", "within=no_such"),
    ):
        go(page, fragment)
        sheet = page.get_by_role("dialog", name=f"No such {kind}")
        expect(sheet).to_be_visible()
        expect(sheet).to_contain_text(f"This report has no {kind} “")
        page.get_by_role("button", name="Close").click()
        expect(sheet).to_be_hidden()
        assert "no_such" not in page.url


# -- export -------------------------------------------------------------------------------------


def test_a_connection_says_how_much_there_is_to_do_on_it(open_report: OpenReport) -> None:
    """What failed and what could not be judged; what was accepted is not to be done."""
    of = {
        verdict: Counter(
            c.id for f in RESULT.findings if f.verdict is verdict for c in f.connections
        )
        for verdict in Verdict
    }
    failed, errors, waived = of[Verdict.FAIL], of[Verdict.ERROR], of[Verdict.WAIVED]
    name = next(each for each in failed if errors[each] and waived[each])
    page = open_report(RESULT, f"#connection={name}")
    told = page.locator("#sheet .facts-list div", has_text="To do here").locator("dd")
    expect(told).to_have_text(f"{failed[name] + errors[name]} open findings")


def exported(page: Page) -> list[list[str]]:
    with page.expect_download() as download:
        page.get_by_role("button", name="Export CSV").click()
    path = download.value.path()
    text = Path(path).read_bytes().decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def test_export_holds_what_is_shown_in_its_order(open_report: OpenReport) -> None:
    page = open_report(RESULT, "#verdict=fail&sort=connection&columns=connection,rule,message")
    head, *lines = exported(page)
    rows = [dict(zip(head, line, strict=True)) for line in lines]
    failed = [f for f in RESULT.findings if f.verdict is Verdict.FAIL]
    assert len(rows) == len(failed)
    assert [row["Connection"] for row in rows][:20] == column(page, "connection")[:20]
    assert {row["Judged as of"] for row in rows} == {"2026-03-14T09:26:53.000Z"}
    assert {row["Selection"] for row in rows} == {
        "verdict=fail&sort=connection&columns=connection,rule,message"
    }
    found = {f"{f.rule.id}/{f.connections[0].id}": f for f in failed if not f.group}
    single = [row for row in rows if row["Finding"] in found]
    assert len(single) == len(found)
    for row in single:
        f = found[row["Finding"]]
        assert row["What was found"] == f.message
        assert (row["Field"], row["Actual"], row["Expected"]) == (
            f.evidence[0].field, f.evidence[0].actual, f.evidence[0].expected,
        )  # fmt: skip
        assert row["Connection id"] == f.connections[0].id
        assert row["Severity"] == f.rule.severity.label
        assert row["Fix"] == f.fix


def test_export_holds_folded_groups_too(open_report: OpenReport) -> None:
    page = open_report(RESULT, "#by=owner")
    assert len(exported(page)) == 1 + len(RESULT.findings)
    # One that is in several groups is there once.
    go(page, "by=control")
    assert len(exported(page)) == 1 + len(RESULT.findings)


def test_export_lets_no_spreadsheet_run_anything(open_report: OpenReport) -> None:
    result = sample_result(60, hostile=True)
    head, *rows = exported(open_report(result))
    cells = {cell for row in rows for cell in row}
    assert len(rows) == len(result.findings)
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\0"))]
    messages = sorted(row[head.index("What was found")].removeprefix("'") for row in rows)
    assert messages == sorted(f.message for f in result.findings)
    assert f"'{HOSTILE[5]}" in cells
    assert HOSTILE[4] in cells


# -- how a finding was judged -------------------------------------------------------------------

_JUDGED = """
policy: p
conditions: {live: {paused: false}}
rules:
  - id: fresh
    severity: high
    when: {condition: live, service: postgres}
    assert:
      any:
        - sync_frequency: {gte: {field: data_delay_threshold}}
        - not: {condition: live}
  - id: counted
    severity: low
    per: group_id
    when: {paused: false}
    assert: {count: {lte: 1}}
"""


def _judged(folder: Path, count: int = 3) -> Result:
    (folder / "p.yaml").write_text(_JUDGED)
    records = [
        {
            "id": f"conn_{n}", "service": "postgres", "schema": f"orders_{n}", "group_id": "g",
            "paused": False, "sync_frequency": 5, "data_delay_threshold": 60 + n,
        }
        for n in range(count)
    ]  # fmt: skip
    (folder / "listing.json").write_text(json.dumps(records))
    source = SnapshotSource(str(folder / "listing.json"))
    return audit(source, load_policies(str(folder / "p.yaml")))


def test_a_finding_shows_how_it_was_judged_part_by_part(
    open_report: OpenReport, tmp_path: Path
) -> None:
    page = open_report(_judged(tmp_path), "#finding=fresh%2Fconn_2")
    told = page.get_by_role("dialog").locator(".reason")
    expect(told).to_be_visible()
    lines = [re.sub(r"\s+", " ", text).strip() for text in told.locator(".line").all_inner_texts()]
    assert lines == [
        "holds all of",
        "holds live: paused is false false",
        "holds service is postgres postgres",
        "fails any of",
        "fails sync_frequency is at least data_delay_threshold 5",
        "data_delay_threshold is 62",
        "fails not",
        "holds live: paused is false false",
    ]
    assert told.locator(".branch").all_inner_texts() == ["Applies when", "Expects"]
    # A list in a list: a screen reader says how deep a part is.
    nested = told.locator("> li > ul > li > ul > li > .line").all_inner_texts()
    assert [text.split()[0] for text in nested] == ["data_delay_threshold", "holds"]
    assert [each for each in axe(page, "#sheet") if each[0] != "skip-link"] == []
    # A finding on a group shows what chose its members.
    go(page, "finding=counted%2F%40g%2Fconn_0")
    expect(told.locator(".line")).to_have_count(2)
    lines = told.locator(".line").all_inner_texts()
    assert [re.sub(r"\s+", " ", text).strip() for text in lines] == [
        "chooses members paused is false",
        "fails the number of connections is at most 1 3",
    ]


def test_a_finding_shows_the_items_that_decided(open_report: OpenReport, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(
        "policy: p\nrules:\n  - id: r\n    severity: low\n"
        "    assert: {setup_tests: {none_items: {status: FAILED}}}\n"
    )
    tests = [{"title": "t", "status": status} for status in ("PASSED", "FAILED")]
    record = {"id": "c", "service": "s", "schema": "n", "group_id": "g", "setup_tests": tests}
    (tmp_path / "listing.json").write_text(json.dumps([record]))
    source = SnapshotSource(str(tmp_path / "listing.json"))
    page = open_report(audit(source, load_policies(str(tmp_path / "p.yaml"))), "#finding=r%2Fc")
    told = page.get_by_role("dialog").locator(".reason .line").all_inner_texts()
    assert [re.sub(r"\s+", " ", text).strip() for text in told][1:] == [
        "holds item 2 of 2",
        "holds status is FAILED FAILED",
    ]


def test_a_value_is_that_of_the_finding_or_of_its_connection(
    open_report: OpenReport, tmp_path: Path
) -> None:
    (tmp_path / "p.yaml").write_text(
        """
policy: p
rules:
  - {id: often, severity: high, assert: {sync_frequency: {lte: 60}}}
  - {id: delay, severity: low, assert: {data_delay_threshold: {lte: 60}}}
  - id: owned
    severity: low
    when: {group_id: g1, service: s3, schema: {glob: "orders_*"}, id: {glob: "c*"}}
    assert: {all: [{succeeded_at: {exists: true}}, {sync_frequency: {lte: 60}}]}
"""
    )
    records = [
        {"id": f"c{n}", "service": "s3", "schema": f"orders_{n}", "group_id": f"g{n}"}
        | {"sync_frequency": 120, "data_delay_threshold": "x", "paused": False}
        for n in range(2)
    ]
    (tmp_path / "listing.json").write_text(json.dumps(records))
    source = SnapshotSource(str(tmp_path / "listing.json"))
    page = open_report(audit(source, load_policies(str(tmp_path / "p.yaml"))))
    sheet = page.get_by_role("dialog")
    for rule, lines in (
        ("often", ["fails sync_frequency is at most 60 120"]),
        ("delay", ["cannot be judged data_delay_threshold is at most 60 x (text)"]),
        (
            "owned",
            [
                "holds all of",
                "holds group_id is g1 g1",
                "holds service is s3 s3",
                "holds schema matches orders_* orders_1",
                "holds id matches c* c1",
                "fails all of",
                "fails succeeded_at is set missing",
                "fails sync_frequency is at most 60 120",
            ],
        ),
    ):
        go(page, f"finding={rule}%2Fc1")
        told = sheet.locator(".reason .line")
        expect(told).to_have_count(len(lines))
        shown = [re.sub(r"\s+", " ", text).strip() for text in told.all_inner_texts()]
        assert shown == lines


def test_a_page_that_does_not_keep_all_says_so_and_gives_the_command(
    open_report: OpenReport, tmp_path: Path
) -> None:
    page = open_report(_judged(tmp_path, 260), "#finding=fresh%2Fconn_259")
    text = page.get_by_role("dialog").inner_text()
    assert "data_delay_threshold is not kept" in re.sub(r"\s+", " ", text)
    assert "This page does not keep every value; run: fivetran-auditor explain -p" in text
    assert "fresh conn_259" in text


def test_a_finding_without_a_reason_gives_the_command_too(
    open_report: OpenReport, tmp_path: Path
) -> None:
    result = _judged(tmp_path)
    found = [replace(f, alike=0) if f.rule.id == "fresh" else f for f in result.findings]
    page = open_report(replace(result, describe=lambda: tuple(found)), "#finding=fresh%2Fconn_0")
    text = page.get_by_role("dialog").inner_text()
    told = "This page does not keep how the finding was judged; run: fivetran-auditor explain -p"
    assert told in text.partition("How it was judged")[2]


def test_a_connection_s_sheet_leads_to_what_its_group_and_its_owners_have_to_do(
    open_report: OpenReport,
) -> None:
    waiting = {Verdict.FAIL, Verdict.ERROR}
    failed = next(
        f for f in RESULT.findings if f.verdict in waiting and "owner:finops" in f.rule.tags
    )
    (connection,) = failed.connections
    page = open_report(RESULT, f"#connection={connection.id}")
    sheet = page.get_by_role("dialog")
    open_ = [f for f in RESULT.findings if f.verdict in waiting]
    for row, found in (
        ("Group", [f for f in open_ if connection.group_id in {c.group_id for c in f.connections}]),
        ("finops", [f for f in open_ if "owner:finops" in f.rule.tags]),
        ("To do here", [f for f in open_ if connection in f.connections]),
    ):
        go(page, f"connection={connection.id}")
        facts = sheet.locator(".facts-list > div").filter(has_text=row)
        words = f"{len(found):,} open finding{'s' * (len(found) != 1)}"
        facts.get_by_role("link", name=words, exact=True).click()
        expect(page.get_by_role("status")).to_have_text(
            f"{len(found):,} of {len(RESULT.findings):,} findings"
        )
