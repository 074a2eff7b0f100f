"""What a row of the HTML report shows: connection, message, field, expected, actual."""

from __future__ import annotations

from msgspec.structs import replace
from playwright.sync_api import Page, expect

from auditor.model import Connections, Evidence, Result
from tests.builders.browser import OpenReport
from tests.builders.html_page import choose, column, go, status, widen
from tests.builders.sample_results import sample_result

SAMPLE = sample_result(60, 8)
#: As rules with a message of their own tell it.
TOLD = tuple(
    replace(f, message=f"{f.connections[0].schema}: {f.rule.title or f.rule.id}")
    for f in SAMPLE.findings
)
RESULT = replace(SAMPLE, describe=lambda: TOLD)
FIRST = RESULT.findings[0]


def with_names(result: Result, names: dict[str, str]) -> Result:
    """Return ``result`` with groups that go by names."""
    old = result.connections
    named = Connections(old.ids, old.services, old.schemas, old.group_ids, (), names)
    of_id = {each.id: each for each in named}
    findings = tuple(
        replace(f, connections=tuple(of_id[c.id] for c in f.connections)) for f in result.findings
    )
    return replace(result, connections=named, describe=lambda: findings)


NAMED = with_names(RESULT, {"analytics_prod": "Analytics", "growth": "Twin", "sales_ops": "Twin"})


def cut(page: Page, selector: str) -> list[str]:
    """The texts that have no room of their own, of those that ``selector`` finds."""
    texts: list[str] = page.locator(selector).evaluate_all(
        "all => all.filter((e) => e.offsetParent && e.scrollWidth > e.clientWidth)"
        ".map((e) => e.innerText)"
    )
    return texts


def test_a_row_tells_field_expected_and_actual_at_any_width(open_report: OpenReport) -> None:
    page = open_report(RESULT)
    row = page.locator("#row-0")
    connection, seen = FIRST.connections[0], FIRST.evidence[0]
    # The connection stands beside it: the message goes on where its name ends.
    says = FIRST.message.removeprefix(f"{connection.schema}: ")
    told = (connection.schema, FIRST.rule.id, says)
    for width in (1280, 1024, 768, 390):
        widen(page, width)
        shown = tuple(row.locator(name).inner_text() for name in (".name", ".c-rule", ".says"))
        assert shown == told, width
        parts = [row.locator(f".seen .{name}").text_content() for name in ("at", "wanted", "was")]
        assert parts == [seen.field, seen.expected, seen.actual]
        assert cut(page, "#row-0 :is(.name, .at, .was)") == []
        box, grid = row.locator(".c-message").bounding_box(), page.locator(".grid").bounding_box()
        assert box
        assert grid
        assert box["x"] + box["width"] <= grid["x"] + grid["width"]
        assert page.locator(".grid").evaluate("grid => grid.scrollWidth - grid.clientWidth") <= 0


def test_what_is_cut_in_a_row_is_whole_where_it_is_pointed_at(open_report: OpenReport) -> None:
    long = "one of " + ", ".join(f"method_{n}" for n in range(60))
    seen = (Evidence("networking_method", '"Directly"', long),)
    first = replace(FIRST, evidence=seen)
    page = open_report(replace(RESULT, describe=lambda: (first, *RESULT.findings[1:])))
    row = page.locator("#row-0")
    assert cut(page, "#row-0 .wanted") != []
    assert cut(page, "#row-0 :is(.at, .was)") == []
    row.locator(".seen").hover()
    assert long in (row.locator(".c-message").get_attribute("title") or "")
    row.click()
    expect(page.get_by_role("dialog")).to_contain_text(long)


def test_a_time_is_told_as_its_age_and_whole_where_it_is_pointed_at(
    open_report: OpenReport,
) -> None:
    seen = (Evidence("succeeded_at", "2026-03-02T04:11:09.123456Z", "newer"),)
    first = replace(FIRST, evidence=seen)
    page = open_report(replace(RESULT, describe=lambda: (first, *RESULT.findings[1:])))
    was = page.locator("#row-0 .was")
    assert was.text_content() == "12 days ago, 2026-03-02 04:11 UTC"
    assert was.get_attribute("title") == "2026-03-02T04:11:09.123456Z"


def test_groups_go_by_their_names_and_are_found_by_their_ids(open_report: OpenReport) -> None:
    page = open_report(NAMED)
    heads = page.locator("#heat thead a").all_inner_texts()
    assert {"Analytics", "Twin (growth)", "Twin (sales_ops)"} <= set(heads)
    assert "analytics_prod" not in " ".join(heads)
    under = page.locator(".rows .of-group").all_inner_texts()
    assert "Analytics" in under
    assert not any("analytics_prod" in each for each in under)
    choose(page, "group", "Analytics")
    wanted = status(page)
    page.get_by_role("button", name="Clear filters").click()
    page.get_by_label("Search", exact=True).fill("group:analytics_prod")
    expect(page.get_by_role("status").first).to_have_text(wanted)


def test_a_link_to_a_group_may_name_it_by_its_id(open_report: OpenReport) -> None:
    page = open_report(NAMED)
    sheet = page.get_by_role("dialog")
    for called in ("analytics_prod", "Analytics", "Analytics (analytics_prod)"):
        go(page, f"group={called}")
        assert set(page.locator(".rows .of-group").all_inner_texts()) == {"Analytics"}, called
        go(page, f"within={called}")
        expect(sheet).to_contain_text("Analytics")
        expect(sheet).to_contain_text("analytics_prod")
        go(page)
        expect(sheet).to_be_hidden()
        assert len(set(page.locator(".rows .of-group").all_inner_texts())) > 1


def test_a_judged_group_goes_by_its_name(open_report: OpenReport) -> None:
    names = {each: f"The {each}" for each in RESULT.connections.group_ids}
    page = open_report(with_names(RESULT, names), "#rule=one-name-per-service&columns=group,rule")
    judged = {names[f.group] for f in RESULT.findings if f.group}
    assert judged == set(column(page, "group"))
    page.locator("#row-0").click()
    expect(page.get_by_role("dialog")).to_contain_text("Group judged")


def test_values_in_the_message_are_not_repeated(open_report: OpenReport) -> None:
    (seen,) = FIRST.evidence[:1]
    told = replace(
        FIRST,
        evidence=(seen,),
        message=f"{seen.field} is {seen.actual}, expected {seen.expected}",
    )
    page = open_report(replace(RESULT, describe=lambda: (told, *RESULT.findings[1:])))
    assert page.locator("#row-0 .says").inner_text() == told.message
    assert not page.locator("#row-0 .seen").is_visible()
    assert page.locator("#row-1 .seen").is_visible()
