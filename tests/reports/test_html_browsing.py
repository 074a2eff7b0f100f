"""Browsing the HTML report in real Chromium: opening, filters, sorting, the URL.

Every page here also fails its test when it asks the network for anything, logs anything or
violates its own Content-Security-Policy (``conftest.py``).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import timedelta
from operator import ge, gt, le, lt
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from auditor import audit, load_policies
from auditor.model import Finding, Outcome, Severity, Verdict
from auditor.reports.facts import pressing
from auditor.reports.parts import parts
from auditor.run import Options
from auditor.sources.saved.source import SnapshotSource
from tests.builders.browser import OpenReport
from tests.builders.html_page import RESULT, chip, choose, column, count, go, settled, status, widen
from tests.builders.sample_histories import with_history
from tests.builders.sample_results import JUDGED_AT, sample_result

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
    # What is accepted comes last, as it does without scripts.
    last = pressing(RESULT, len(RESULT.findings))[-1]
    assert last.verdict in (Verdict.WAIVED, Verdict.KNOWN)
    assert column(page, "rule")[-1] == last.rule.id
    assert column(page, "connection")[-1] == last.connections[0].schema


def test_without_scripts_the_essentials_are_there(open_report: OpenReport) -> None:
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
    expect(page.locator(".empty")).to_have_text("There are none: every check that was made passed.")
    expect(page.locator(".empty")).to_be_visible()
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
    # All but one are not all.
    of = Counter(c.id for f in RESULT.findings for c in f.connections)
    go(page, f"q=-id:{next(name for name, found in of.items() if found == 1)}")
    assert status(page) == f"{len(RESULT.findings) - 1} of {len(RESULT.findings)} findings"


def test_rule_service_and_group_filter(open_report: OpenReport) -> None:
    page = open_report(RESULT)
    for name, key, value in (
        ("rule", "rule", "one-name-per-service"),
        ("service", "service", "postgres"),
        ("group", "group_id", "growth"),
    ):
        expected = count(RESULT, **{key: value})
        assert 0 < expected < len(RESULT.findings)
        box = choose(page, name, value)
        assert status(page).startswith(f"{expected} of ")
        shown = box.locator("xpath=..").locator(".n").inner_text()
        assert shown == str(expected), "the count beside a choice is what it selects"
        box.uncheck()
        assert status(page) == f"{len(RESULT.findings)} findings"
        page.keyboard.press("Escape")


def test_choices_of_a_filter_add_up_and_those_of_others_narrow(open_report: OpenReport) -> None:
    page = open_report(RESULT)
    chip(page, "error").click()
    choose(page, "service", "postgres")
    choose(page, "service", "mysql")
    expected = sum(
        f.verdict is Verdict.ERROR
        and any(c.service in ("postgres", "mysql") for c in f.connections)
        for f in RESULT.findings
    )
    assert status(page).startswith(f"{expected} of ")
    assert "service=postgres,mysql" in page.url
    boxes = page.locator(".facet[data-name=service] .choices label")
    for text in boxes.all_inner_texts():
        name, _, shown = text.rpartition("\n")
        alone = sum(
            f.verdict is Verdict.ERROR and any(c.service == name.strip() for c in f.connections)
            for f in RESULT.findings
        )
        assert int(shown) == alone, name


def test_among_connections_a_count_is_of_connections_and_a_rule_has_none(
    open_report: OpenReport,
) -> None:
    result = sample_result(60, 12)
    checks = next(c for c in result.checks if c.count(Verdict.FAIL) > 9 and not c.rule.per)
    page = settled(open_report(result, f"#show=connections&rule={checks.rule.id}&service=postgres"))
    of = zip(result.connections.services, checks.verdicts, strict=True)
    expected = Counter(Verdict(verdict) for service, verdict in of if service == "postgres")
    assert 0 < expected[Verdict.FAIL] < checks.count(Verdict.FAIL)
    for verdict in Verdict:
        assert chip(page, verdict.label).locator(".n").inner_text() == str(expected[verdict])
    facet = page.locator(".facet[data-name=rule]")
    facet.locator("summary").click()
    assert {*facet.locator(".choices .n").all_inner_texts()} == {""}
    facet.locator("input[type=search]").fill("one-name")
    expect(facet.locator("input[value=one-name-per-service]")).to_be_visible()
    # What chooses findings alone is told of, as a word of the search is.
    go(page, "show=connections&severity=high&service=mysql")
    expect(page.locator(".problem")).to_have_text("severity: filters findings, not connections")
    assert status(page) == f"{result.connections.services.count('mysql')} of 60 connections"
    # Of two verdicts, either will do.
    go(page, "show=connections&verdict=error,waived")
    wanted = {Verdict.ERROR, Verdict.WAIVED}
    ids = {result.connections.ids[n] for each in result.checks for n in each.places(wanted)}
    ids |= {c.id for f in result.findings if f.verdict in wanted for c in f.connections}
    assert status(page) == f"{len(ids)} of 60 connections"


def test_a_filter_with_many_choices_can_be_searched(open_report: OpenReport) -> None:
    page = open_report(RESULT)
    facet = page.locator(".facet[data-name=service]")
    facet.locator("summary").click()
    facet.get_by_label("Find in Service").fill("sales")
    assert facet.locator(".choices label").all_inner_texts()[0].startswith("salesforce")
    expect(facet.locator(".choices label")).to_have_count(1)


def test_a_card_s_tags_and_owner_filter(open_report: OpenReport) -> None:
    page = open_report(RESULT)
    for name, text, word in (
        ("tag", "reliability", "reliability"),
        ("owner", "security", "owner:security"),
    ):
        found = sum(word in f.rule.tags for f in RESULT.findings)
        assert found > 0
        page.locator(f".todos a.{name}", has_text=text).first.click()
        assert status(page) == f"{found} of {len(RESULT.findings)} findings"
        go(page)
        assert status(page) == f"{len(RESULT.findings)} findings"
        go(page, f"q={name}:{text}")
        assert status(page) == f"{found} of {len(RESULT.findings)} findings"


# -- the query ----------------------------------------------------------------------------------


#: A query, and whether it finds a finding.
QUERIES: dict[str, Callable[[Finding], bool]] = {
    "severity:critical": lambda f: f.rule.severity is Severity.CRITICAL,
    "severity:>=high": lambda f: f.rule.severity >= Severity.HIGH,
    "verdict:error,waived": lambda f: f.verdict in (Verdict.ERROR, Verdict.WAIVED),
    "owner:finops 2880": lambda f: "owner:finops" in f.rule.tags and "2880" in f.message,
    "-owner:finops": lambda f: "owner:finops" not in f.rule.tags,
    "group:growth -service:postgres": lambda f: (
        any(c.group_id == "growth" for c in f.connections)
        and not any(c.service == "postgres" for c in f.connections)
    ),
    '"is missing"': lambda f: "is missing" in f.message,
    "field:succeeded_at": lambda f: any(e.field == "succeeded_at" for e in f.evidence),
    "control:soc2": lambda f: any(name == "soc2" for name, _ in f.rule.controls),
    "nonsense:growth": lambda _: False,
}


def searched(page: Page, queries: Iterable[str]) -> dict[str, str]:
    """How many findings the page says that each of the queries finds."""
    found = {}
    for query in queries:
        page.get_by_label("Search").fill(query)
        found[query] = status(page).partition(" of ")[0]
    return found


def test_a_query_names_what_it_asks_for(open_report: OpenReport) -> None:
    wanted = {query: str(sum(map(fits, RESULT.findings))) for query, fits in QUERIES.items()}
    assert searched(open_report(RESULT), QUERIES) == wanted


def test_a_query_for_an_age_asks_when_findings_were_first_seen(open_report: OpenReport) -> None:
    dated = with_history(RESULT, 30)
    assert dated.history is not None
    page = open_report(dated)
    ages = [
        JUDGED_AT - since for f in dated.findings if (since := dated.history.since(f)) is not None
    ]
    # Every run was a week after the one before: some are just as old as is asked.
    for query, holds, span in (
        (">30d", gt, timedelta(days=30)),
        (">=35d", ge, timedelta(days=35)),
        ("35d", ge, timedelta(days=35)),
        (">840h", gt, timedelta(hours=840)),
        ("<2w", lt, timedelta(weeks=2)),
        ("<=2w", le, timedelta(weeks=2)),
    ):
        page.get_by_label("Search").fill(f"age:{query}")
        fitting = sum(holds(age, span) for age in ages)
        assert 0 < fitting < len(dated.findings)
        assert status(page).startswith(f"{fitting} of "), query
    page.get_by_label("Search").fill("age:old")
    expect(page.get_by_role("alert")).to_have_text("age:old is not an age; write age:>30d")
    assert status(page).startswith("0 of ")
    bare = open_report(RESULT, "#q=age:>30d")
    expect(bare.get_by_role("alert")).to_contain_text("needs a run with a history")


def test_what_a_search_hit_is_marked(open_report: OpenReport) -> None:
    page = open_report(RESULT, "#q=growth -verdict:waived")
    assert {text.lower() for text in page.locator(".rows mark").all_inner_texts()} == {"growth"}
    page.get_by_label("Search").fill("")
    expect(page.locator(".rows mark")).to_have_count(0)


# -- groups -------------------------------------------------------------------------------------


def test_findings_are_in_groups_that_count_and_fold(open_report: OpenReport) -> None:
    page = open_report(RESULT)
    failed = [f for f in RESULT.findings if f.verdict is Verdict.FAIL]
    heads = page.locator(".rows .group")
    for name in ("rule", "severity", "owner", "group", "control"):
        go(page, "verdict=fail")
        page.get_by_label("Group by").select_option(name)
        assert f"by={name}" in page.url
        keys = Counter(key for f in failed for key in _keys(f, name))
        lines = [head.split("\n") for head in heads.all_inner_texts()]
        assert {line[1]: int(line[2]) for line in lines} == keys
        order = [int(line[2]) for line in lines]
        if name == "severity":
            order = [Severity[line[1].upper()] for line in lines]
        assert order == sorted(order, reverse=True), "the most first, or the worst"
        expect(page.locator(".rows .row:not(.group)")).to_have_count(0)
        first = heads.first
        expect(first).to_have_attribute("aria-expanded", "false")
        first.click()
        expect(first).to_have_attribute("aria-expanded", "true")
        expect(page.locator("#row-1")).not_to_have_class("group")
        page.get_by_role("button", name="Expand all").click()
        expect(page.get_by_role("treegrid")).to_have_attribute(
            "aria-rowcount", str(1 + len(keys) + sum(keys.values()))
        )
        assert "open=all" in page.url


def test_a_group_says_how_much_of_it_is_open_and_what_was_accepted(open_report: OpenReport) -> None:
    page = settled(open_report(RESULT, "#by=severity"))
    lines = [head.split("\n") for head in page.locator(".rows .group").all_inner_texts()]
    assert len(lines) > 2
    for _, severity, _, said in lines:
        looks = Counter(
            severity if f.verdict in (Verdict.FAIL, Verdict.ERROR) else f.verdict.label
            for f in RESULT.findings
            if f.rule.severity.label == severity
        )
        order = (severity, "waived", "known")
        assert said == ", ".join(f"{looks[look]} {look}" for look in order if looks[look])
        assert len(looks) == 3


def test_groups_fold_and_open_from_the_keyboard(open_report: OpenReport) -> None:
    page = open_report(RESULT, "#by=rule")
    page.get_by_role("treegrid").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#row-1")).to_have_attribute("aria-expanded", "true")
    expect(page.locator("#row-1")).to_have_class(re.compile("active"))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("treegrid")).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#row-1")).to_have_attribute("aria-expanded", "false")


def _keys(finding: Finding, name: str) -> set[str]:
    """The groups that a finding is in."""
    rule = finding.rule
    owners = {tag.removeprefix("owner:") for tag in rule.tags if tag.startswith("owner:")}
    controls = {f"{framework} {each}" for framework, ids in rule.controls for each in ids}
    return {
        "rule": {rule.id},
        "severity": {rule.severity.label},
        "owner": owners or {"(none)"},
        "control": controls or {"(none)"},
        "group": {c.group_id for c in finding.connections},
    }[name]


def test_search_finds_words_anywhere(open_report: OpenReport) -> None:
    def text(f: Finding) -> str:
        parts = [f.rule.id, f.rule.title, f.rule.policy, *f.rule.tags, f.message, f.note, f.group]
        parts += [part for c in f.connections for part in (c.id, c.service, c.schema, c.group_id)]
        parts += [part for e in f.evidence for part in (e.field, e.actual, e.expected)]
        return "\n".join(parts).lower()

    texts = [text(finding) for finding in RESULT.findings]
    wanted = {
        query: str(sum(all(word in each for word in query.lower().split()) for each in texts))
        for query in (
            "CONN_000123", "salesforce growth", "2880", "is missing", "dana@example.com", "fresh",
        )
    }  # fmt: skip
    assert not {"0", str(len(RESULT.findings))} & set(wanted.values())
    assert searched(open_report(RESULT), wanted) == wanted


def test_a_search_without_a_hit_says_so(open_report: OpenReport) -> None:
    page = open_report(RESULT)
    page.get_by_label("Search").fill("no such thing")
    expect(page.get_by_text("No finding matches these filters.")).to_be_visible()
    assert status(page).startswith("0 of ")


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("sevrity:high", "no filter “sevrity”, so “sevrity:high” was searched for as text"),
        ("severity:hihg", "This report has no severity “hihg”"),
        ("group:no_such_group", "This report has no group “no_such_group”"),
        ("plain", ""),
        ("severity:high no-such-word", ""),
        ("-sevrity:high no-such-word", ""),
    ],
)
def test_a_search_without_a_hit_tells_a_filter_that_there_is_not(
    open_report: OpenReport, query: str, told: str
) -> None:
    page = open_report(RESULT)
    page.get_by_label("Search").fill(query)
    expect(page.get_by_text("No finding matches these filters.")).to_be_visible()
    problem = page.locator("#search-problem")
    expect(problem).to_contain_text(told) if told else expect(problem).to_be_empty()
    page.get_by_label("Search").fill("severity:high")
    expect(problem).to_be_empty()


def test_columns_sort_both_ways_and_back(open_report: OpenReport) -> None:
    result = sample_result(25, 10)  # few enough for all rows to be drawn
    page = open_report(result, "#verdict=fail&columns=connection,service,group,rule")
    page.locator(".grid").evaluate("grid => grid.style.maxHeight = 'none'")
    expect(page.locator(".rows .row")).to_have_count(count(result, verdict=Verdict.FAIL))

    def key(text: str) -> tuple[int, float, str]:
        return (0, float(text), "") if re.fullmatch(r"[\d.]+", text) else (1, 0, text.lower())

    for name in ("rule", "connection", "service", "group"):
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


def test_messages_sort_by_what_their_rows_show(open_report: OpenReport) -> None:
    page = open_report(RESULT, "#rule=no-broken-connections&sort=message")
    shown = column(page, "message")
    assert shown == sorted(shown, key=str.lower)
    assert len(set(shown)) > 1
    page.get_by_label("Search").fill("nothing has this")
    expect(page.get_by_text("No finding matches these filters.")).to_be_visible()


def test_a_query_of_messages_reaches_over_the_name_that_they_begin_with(
    open_report: OpenReport,
) -> None:
    finding = next(f for f in RESULT.findings if f.connections and f.verdict is Verdict.FAIL)
    name = finding.connections[0].schema
    page = open_report(RESULT)
    search = page.get_by_label("Search")
    whole = finding.message.partition('"')[0]  # a quote ends what a query quotes
    for query in (whole, name, f"{name[-3:]}: {finding.evidence[0].field}"):
        found = sum(query.lower() in f.message.lower() for f in RESULT.findings)
        search.fill(f'message:"{query}"')
        expect(page.get_by_role("status")).to_contain_text(f"{found} of ")


def test_the_url_keeps_the_state_and_restores_it(open_report: OpenReport) -> None:
    page = open_report(RESULT)
    page.get_by_label("Search").fill("prod")
    chip(page, "fail").click()
    choose(page, "service", "postgres")
    page.locator("[data-column=rule]").click()
    choose(page, "service", "postgres").press("Escape")
    page.get_by_text("Columns", exact=True).click()
    page.get_by_label("Expected", exact=True).check()
    page.get_by_label("Rule", exact=True).uncheck()
    seen = (status(page), column(page, "expected"), page.locator(".head").inner_text())
    assert column(page, "rule") == []
    again = open_report(RESULT, "#" + page.url.partition("#")[2])
    assert (
        status(again), column(again, "expected"), again.locator(".head").inner_text(),
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


def test_back_leads_from_the_connections_to_the_findings(open_report: OpenReport) -> None:
    page = open_report(RESULT)
    chip(page, "fail").click()
    page.locator("[data-column=rule]").click()
    seen, rules = status(page), column(page, "rule")
    tab = page.locator("[data-show=connections]")
    tab.click()
    page.get_by_label("Search").fill("prod")
    found = status(page)
    assert "connections" in found
    tab.click()  # No other table, and no step.
    page.go_back()
    expect(page.get_by_role("status")).to_have_text(seen)
    assert column(page, "rule") == rules
    assert page.get_by_label("Search").input_value() == ""
    expect(tab).to_have_attribute("aria-pressed", "false")
    page.go_forward()
    expect(page.get_by_role("status")).to_have_text(found)
    # A sheet over it closes to it, and Back then leads to the findings.
    page.locator(".rows .row").first.click()
    expect(page.locator("dialog[open]")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(page.get_by_role("status")).to_have_text(found)
    page.go_back()
    expect(page.get_by_role("status")).to_have_text(seen)


def test_pictures_count_what_is_open(open_report: OpenReport) -> None:
    page = open_report(RESULT)
    found = [f for f in RESULT.findings if f.verdict in (Verdict.FAIL, Verdict.ERROR)]
    _, *groups = page.locator(".heat thead th").all_inner_texts()
    rows = page.locator(".heat tbody tr").evaluate_all(
        "rows => rows.map((row) => [...row.cells].map((cell) => cell.textContent))"
    )
    by_cell = Counter((f.rule.id, g) for f in found for g in {c.group_id for c in f.connections})
    assert len(rows) > 5
    for rule, *cells in rows:
        assert list(map(int, cells)) == [by_cell[rule, group] for group in groups], rule
    of_services = Counter(name for f in found for name in {c.service for c in f.connections})
    of_severities = Counter(f.rule.severity.label for f in found)
    for picture, counts in (("by-service", of_services), ("by-severity", of_severities)):
        bars = [text.split("\n") for text in page.locator(f"#{picture} a").all_inner_texts()]
        assert len(bars) > 3
        assert {name.strip(): int(number) for name, number in bars} == {
            name.strip(): counts[name.strip()] for name, _ in bars
        }
        numbers = [int(number) for _, number in bars]
        assert picture == "by-severity" or numbers == sorted(numbers, reverse=True)


def test_a_cell_of_the_heat_map_counts_what_it_leads_to(open_report: OpenReport) -> None:
    page = open_report(RESULT)
    cell = page.locator(".heat td a").nth(7)
    number = cell.inner_text()
    cell.click()
    expect(page.get_by_role("status")).to_have_text(f"{number} of {len(RESULT.findings)} findings")
    page.locator("#by-service a").nth(1).click()
    number = page.locator("#by-service a b").nth(1).inner_text()
    expect(page.get_by_role("status")).to_have_text(f"{number} of {len(RESULT.findings)} findings")


# -- dimensions -----------------------------------------------------------------------------------


def test_a_fact_from_a_file_is_a_column_a_filter_and_a_grouping(
    open_report: OpenReport, tmp_path: Path
) -> None:
    (tmp_path / "teams.csv").write_text("schema,team\n*,\nshop_*,finance\nads_*,<b>Ads</b>\n")
    (tmp_path / "p.yaml").write_text(
        "policy: p\nfacts:\n  tiers:\n    {file: teams.csv, key: schema, match: glob,"
        " columns: {team: text}}\nrules:\n  - {id: r, severity: low, assert: {paused: true}}\n"
    )
    names = ["shop_one", "shop_two", "ads_one", "stray"]
    one = {"service": "s", "group_id": "g", "paused": False}
    records = [{**one, "id": name, "schema": name} for name in names]
    (tmp_path / "s.json").write_text(json.dumps(records))
    options = Options(dimensions={"team": "tiers.team"}, parts=True)
    ruleset = load_policies(str(tmp_path / "p.yaml"))
    result = audit(SnapshotSource(tmp_path / "s.json"), ruleset, options)
    page = open_report(result)
    page.get_by_text("Columns", exact=True).click()
    expect(page.get_by_label("team", exact=True)).to_be_checked()
    assert column(page, "in0") == ["finance", "finance", "<b>Ads</b>", ""]
    page.locator(".head [data-column=in0]").click()
    expect(page.locator(".rows .c-in0").first).to_have_text("")
    assert column(page, "in0") == ["", "<b>Ads</b>", "finance", "finance"]
    page.get_by_label("Group by").select_option("in.team")
    heads = page.locator(".rows .group").all_inner_texts()
    assert sorted(head.split("\n")[1:3] for head in heads) == [
        ["(none)", "1"],
        ["<b>Ads</b>", "1"],
        ["finance", "2"],
    ]
    page.get_by_label("Group by").select_option("")
    choose(page, "in.team", "finance")
    assert column(page, "connection") == ["shop_one", "shop_two"]
    (part,) = [each for value, each in parts(result, "team") if value == "finance"]
    page = open_report(part)
    assert status(page) == "2 findings"
    expect(page.get_by_text("are in this part")).to_be_visible()
    expect(page.get_by_text("2 of 4 connections, those with team finance")).to_be_visible()


def test_the_table_of_controls_breaks_no_heading_and_hides_none(open_report: OpenReport) -> None:
    page = open_report(sample_result(60, 12))
    table = page.get_by_role("region", name="Table of controls")
    for width in (768, 1280):
        widen(page, width)
        assert table.evaluate("box => box.scrollWidth <= box.clientWidth")
        heads = table.locator("thead tr:last-child th.n").evaluate_all(
            """heads => heads.map((head) => {
                const range = document.createRange();
                range.selectNodeContents(head);
                const tops = [...range.getClientRects()].map(({ top }) => Math.round(top));
                return [head.innerText, new Set(tops).size];
            })"""
        )
        assert len(heads) == 6
        # A line for each word.
        assert all(lines <= len(text.split()) for text, lines in heads), width
