"""What leaves the HTML report by a button: an issue as Markdown, a waiver as YAML."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from msgspec.structs import replace
from playwright.sync_api import BrowserContext, Page, expect

from auditor import Options, SnapshotSource, audit, load_policies, load_waivers
from auditor.cli.main import main
from auditor.clock import iso
from auditor.errors import AuditorError
from auditor.model import Finding, Pipeline, Position, Result, Verdict
from auditor.reports.html import render
from tests.builders.browser import OpenReport
from tests.builders.html_page import RESULT
from tests.builders.sample_histories import with_history
from tests.builders.sample_results import sample_result


def copied(page: Page, button: str, within: str = "#sheet") -> str:
    page.locator(within).get_by_role("button", name=button).first.click()
    area = page.locator(f"{within} textarea").first
    expect(area).to_be_focused()
    expect(page.locator(f"{within} .copied [role=status]").first).to_contain_text("cop")
    return area.input_value()


def filled(text: str) -> str:
    for key, value in (("reason", "agreed"), ("owner", "data"), ("expires", "2099-01-01")):
        text = "\n".join(
            f"    {key}: {value}" if line.startswith(f"    {key}:") else line
            for line in text.split("\n")
        )
    return f"waivers:\n{text}"


def test_a_finding_is_copied_as_an_issue(open_report: OpenReport) -> None:
    finding = RESULT.findings[0]
    source = replace(RESULT.source, base_url="https://api.fivetran.com")
    docs = "https://wiki.test/{rule}"
    page = open_report(replace(RESULT, source=source, docs_url=docs), "#verdict=fail")
    page.locator(".rows .row").first.click()
    href = page.locator("#sheet").get_by_role("link", name="Open in Fivetran").first
    text = copied(page, "Copy as issue")
    shown = text.replace("\\", "")
    connection, evidence = finding.connections[0], finding.evidence[0]
    for fact in (
        finding.rule.title, finding.rule.id, finding.rule.fix, connection.id,
        connection.schema, connection.service, connection.group_id, evidence.field,
    ):  # fmt: skip
        assert fact in shown, fact
    assert str(href.get_attribute("href")) in text
    assert f"[More about the rule](https://wiki.test/{finding.rule.id})" in text
    assert "file:" not in text, "an address on this machine is none for others"


def test_a_rule_is_copied_with_all_its_findings_from_its_card(open_report: OpenReport) -> None:
    page = open_report(RESULT)
    text = copied(page, "Copy as issue", ".todo:first-child")
    rule = RESULT.findings[0].rule.id
    wanted = (Verdict.FAIL, Verdict.ERROR)
    all_of_it = [f for f in RESULT.findings if f.rule.id == rule and f.verdict in wanted]
    assert text.count("connection `") == 20
    assert f"and {len(all_of_it) - 20} more" in text


@pytest.mark.parametrize("hostile", [False, True])
def test_a_waiver_loads_once_its_gaps_are_filled(
    open_report: OpenReport, tmp_path: Path, hostile: bool
) -> None:
    result: Result = sample_result(60, hostile=True) if hostile else RESULT
    page = open_report(result, "#verdict=fail")
    page.locator(".rows .row").first.click()
    finding = next(f for f in result.findings if f.verdict is Verdict.FAIL)
    text = copied(page, "Copy as waiver")
    path = tmp_path / "waivers.yaml"
    path.write_text(f"waivers:\n{text}")
    with pytest.raises(AuditorError, match="reason"):
        load_waivers(path)
    path.write_text(filled(text))
    (waiver,) = load_waivers(path).entries
    assert waiver.rule == finding.rule.id
    assert waiver.owner == "data"


def test_a_waiver_of_a_card_names_every_connection_that_failed(
    open_report: OpenReport, tmp_path: Path
) -> None:
    page = open_report(RESULT)
    text = copied(page, "Copy as waiver", ".todo:first-child")
    rule = RESULT.findings[0].rule.id
    failed = [f for f in RESULT.findings if f.rule.id == rule and f.verdict is Verdict.FAIL]
    assert all(f'"{f.connections[0].id}"' in text for f in failed)
    path = tmp_path / "waivers.yaml"
    path.write_text(filled(text))
    assert len(load_waivers(path).entries) == 1


@pytest.mark.parametrize("hostile", [False, True])
def test_the_command_that_tells_why_names_the_rule_and_the_connection(
    open_report: OpenReport, hostile: bool
) -> None:
    result: Result = sample_result(60, hostile=True) if hostile else RESULT
    page = open_report(result, "#verdict=fail")
    page.locator(".rows .row").first.click()
    finding = next(f for f in result.findings if f.verdict is Verdict.FAIL)
    words = shlex.split(copied(page, "Copy the command that explains why"))
    file = finding.rule.position.file
    policy = file.removeprefix("pack:") if finding.rule.position.in_pack else f"./{file}"
    assert words == [
        *("fivetran-auditor", "explain", "-p", policy),
        *(finding.rule.id, finding.connections[0].id),
    ]
    expect(page.locator("#sheet .copied [role=status]")).to_have_text(re.compile("^Command that"))


def test_the_command_that_tells_why_names_the_policies_of_the_run(open_report: OpenReport) -> None:
    """And not the file that holds the rule: what extends it may set its variables."""
    source = replace(RESULT.source, again=("-p", "./house.yaml", "-p", "cost"))
    page = open_report(replace(RESULT, source=source), "#verdict=fail")
    page.locator(".rows .row").first.click()
    words = shlex.split(copied(page, "Copy the command that explains why"))
    assert words[2:6] == ["-p", "./house.yaml", "-p", "cost"]
    assert words.count("-p") == 2


def test_the_command_that_tells_why_is_run_as_it_is_copied(
    open_report: OpenReport, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It names the saved listing and the time that the run judged by."""
    folder = tmp_path / "it's saved"
    folder.mkdir()
    listing, policy = folder / "listing.json", tmp_path / "policy.yaml"
    held = {"id": "c0", "service": "s", "schema": "n", "group_id": "g", "paused": True}
    listing.write_text(json.dumps([held]))
    policy.write_text("policy: p\nrules: [{id: r, severity: low, assert: {paused: false}}]\n")
    ruleset = load_policies(policy)
    result = audit(SnapshotSource(str(listing)), ruleset, Options(now=RESULT.judged_at))
    page = open_report(result, "#finding=r%2Fc0")
    words = shlex.split(copied(page, "Copy the command that explains why"))
    assert words[4:8] == ["--snapshot", str(listing), "--now", iso(RESULT.judged_at)]
    with pytest.raises(SystemExit) as ended:
        main(words[1:])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert re.search(r"fails +assert +paused is false +true", told)
    assert f"judged as of {iso(RESULT.judged_at)}" in told


def test_what_is_not_a_violation_offers_no_waiver(open_report: OpenReport) -> None:
    page = open_report(RESULT, "#verdict=error")
    page.locator(".rows .row").first.click()
    expect(page.locator("#sheet").get_by_role("button", name="Copy as issue")).to_be_visible()
    expect(page.locator("#sheet").get_by_role("button", name="Copy as waiver")).to_have_count(0)


def test_hostile_names_stay_text_in_an_issue(open_report: OpenReport) -> None:
    page = open_report(sample_result(60, hostile=True), "#verdict=fail")
    page.locator(".rows .row").first.click()
    text = copied(page, "Copy as issue")
    # What stands in code is shown as it is; in a table's cells there is nothing but code.
    plain = re.sub(
        r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", re.sub(r"^\|.*$", "", text, flags=re.MULTILINE)
    )
    assert "&lt;script" in plain
    assert not re.search(r"(?<!\\)[\[\]!|]", plain)
    assert not re.search(r"<(?!https?:)", plain)


# -- word by word -------------------------------------------------------------------------------

_POLICY = """
policy: p
rules:
  - id: often
    title: Syncs often
    severity: high
    why: It | goes `stale`.
    fix: Sync <more> often.
    tags: [owner:finops, "owner:data"]
    assert: {sync_frequency: {lte: 60}}
  - id: few
    severity: low
    per: service
    assert: {count: {lte: 2}}
"""


def _told(folder: Path, *ids: str, frequency: int = 120, service: str = "s3") -> Result:
    """Return the result of a run on these connections, whose report has a page for each."""
    (folder / "p.yaml").write_text(_POLICY)
    records = [
        {"id": i, "service": service, "schema": f"in `{i}`", "group_id": "g", "paused": False}
        | {"sync_frequency": frequency}
        for i in ids
    ]
    (folder / "listing.json").write_text(json.dumps(records))
    source = SnapshotSource(str(folder / "listing.json"))
    ruleset = load_policies(str(folder / "p.yaml"))
    result = audit(source, ruleset, Options(now=RESULT.judged_at))
    result = replace(result, source=replace(result.source, base_url="https://api.fivetran.com"))
    return _with(result, position=Position("p.yaml", 4, 5))


def _with(result: Result, **changes: object) -> Result:
    """Return ``result`` with ``changes`` made to all of its rules."""
    rules = {c.rule.id: replace(c.rule, **changes) for c in result.checks}
    checks = tuple(replace(c, rule=rules[c.rule.id]) for c in result.checks)
    found = tuple(replace(f, rule=rules[f.rule.id]) for f in result.findings)
    return replace(result, checks=checks, describe=lambda: found)


def _line(name: str) -> str:
    link = f"https://fivetran.com/dashboard/connections/{name}/status"
    told = f"connection `` in `{name}` `` (`{name}`), service `s3`, group `g`"
    return f"  - {told}, [open in Fivetran]({link})\n"


_HEAD = "Rule `often`, severity high, expects: sync\\_frequency is at most 60\n\n"
_FOUND = "- sync\\_frequency is 120, expected at most 60"
_ADVICE = "**Fix:** Sync &lt;more> often.\n\n**Why:** It \\| goes \\`stale\\`.\n\n"
_JUDGED = "Judged as of 2026-03-14 09:26 UTC by `p.yaml:4:5`\n"


def test_an_issue_of_one_finding_says_what_and_where_and_how_to_fix_it(
    open_report: OpenReport, tmp_path: Path
) -> None:
    page = open_report(_told(tmp_path, "c0"), "#finding=often%2Fc0")
    assert copied(page, "Copy as issue") == (
        "## Violated: Syncs often: in \\`c0\\`\n\n" + _HEAD + f"{_FOUND}\n" + _line("c0") + "\n"
        "| Field | Expected | Actual |\n|---|---|---|\n"
        "| `sync_frequency` | `at most 60` | `120` |\n\n" + _ADVICE + _JUDGED
    )


def test_an_issue_of_several_findings_tells_each_and_shows_the_evidence_of_none(
    open_report: OpenReport, tmp_path: Path
) -> None:
    result = with_history(_told(tmp_path, "c0", "c1"), 2)
    page = open_report(replace(result, docs_url="https://wiki.test/{rule}"))
    assert copied(page, "Copy as issue", ".todo[data-rule=often]") == (
        "## Violated: Syncs often\n\n" + _HEAD + f"{_FOUND}, open since 2026-03-07\n" + _line("c0")
        + f"{_FOUND}, open since 2026-03-14\n" + _line("c1") + "\n" + _ADVICE
        + "[More about the rule](https://wiki.test/often)\n\n" + _JUDGED
    )  # fmt: skip


def test_an_issue_of_a_rule_without_advice_has_none_and_names_every_connection(
    open_report: OpenReport, tmp_path: Path
) -> None:
    page = open_report(_told(tmp_path, "c0", "c1", "c-2", frequency=5))
    assert copied(page, "Copy as issue", ".todo[data-rule=few]") == (
        "## Violated: Few\n\n"
        "Rule `few`, severity low, expects: the number of connections is at most 2\n\n"
        "- s3: count is 3, expected that the number of connections is at most 2\n"
        + "".join(map(_line, ("c0", "c1", "c-2"))) + "\n"
        "| Field | Expected | Actual |\n|---|---|---|\n"
        "| `count` | `the number of connections is at most 2` | `3` |\n\n" + _JUDGED
    )  # fmt: skip


@pytest.mark.parametrize("count", [20, 21])
def test_an_issue_says_how_many_it_does_not_name(
    open_report: OpenReport, tmp_path: Path, count: int
) -> None:
    page = open_report(_told(tmp_path, *(f"c{n}" for n in range(count))))
    more = count - 20
    text = copied(page, "Copy as issue", ".todo[data-rule=often]")
    assert text.count(_FOUND) == 20
    assert re.findall("^ *- and .*", text, re.MULTILINE) == [f"- and {more} more"] * more
    text = copied(page, "Copy as issue", ".todo[data-rule=few]")
    assert text.count("connection `") == 20
    assert re.findall("^ *- and .*", text, re.MULTILINE) == [f"  - and {more} more"] * more


def test_an_issue_links_to_the_run_and_from_a_served_report_to_the_page(
    open_report: OpenReport, tmp_path: Path, contexts: dict[bool, BrowserContext]
) -> None:
    result = replace(_told(tmp_path, "c0"), pipeline=Pipeline("https://ci.test/runs/7"))
    page = open_report(result, "#finding=often%2Fc0")
    assert copied(page, "Copy as issue").endswith(f"{_JUDGED}\n<https://ci.test/runs/7>\n")
    served, body = contexts[True].new_page(), "".join(render(result))
    served.route("**/*", lambda route: route.fulfill(body=body, content_type="text/html"))
    served.goto("http://reports.test/all.html#finding=often%2Fc0")
    text = copied(served, "Copy as issue")
    served.close()
    assert text.endswith(f"{_JUDGED}\n<http://reports.test/all.html#finding=often%2Fc0>\n")


def _entry(rule: str, connections: str, owner: str) -> str:
    return (
        f"  - rule: {rule}\n    connections: {connections}\n"
        "    reason:   # why this is accepted\n"
        f"    owner: {owner}\n"
        "    expires:   # the last day it holds, as 2027-06-30\n"
    )


def test_a_waiver_names_one_connection_several_or_all(
    open_report: OpenReport, tmp_path: Path
) -> None:
    """A text is what it is, whatever a glob or YAML would take it for."""
    result = _told(tmp_path, "c*[0]?", *(f"c{n}" for n in range(1, 21)))
    result = _with(result, tags=("owner:o\u2028\x85",))
    bare = Finding(result.rules[1], Verdict.FAIL, (), (), "none at all", "s3")
    found = (*result.findings[:-1], bare)
    page = open_report(replace(result, describe=lambda: found))
    page.locator("#row-0").click()
    first, owner = '"c[*][[]0][?]"', r'"o\u2028\u0085"'
    assert copied(page, "Copy as waiver") == _entry(
        "often", f"{{id: {first}}}  # in `c*[0]?`", owner
    )
    page.keyboard.press("Escape")
    quoted = [first, *(f'"c{n}"' for n in range(1, 21))]
    named = ["in `c*[0]?`", *(f"in `c{n}`" for n in range(1, 20))]
    assert copied(page, "Copy as waiver", ".todo[data-rule=often]") == _entry(
        "often", f"{{id: [{', '.join(quoted)}]}}  # {', '.join(named)}", owner
    )
    assert copied(page, "Copy as waiver", ".todo[data-rule=few]") == _entry("few", "all", owner)


@pytest.mark.parametrize(
    ("file", "policy"),
    [
        ("p.yaml", "./p.yaml"),
        ("rules:1/p.yaml", "./rules:1/p.yaml"),
        ("../p.yaml", "../p.yaml"),
        ("/etc/p.yaml", "/etc/p.yaml"),
        (".p.yaml", "./.p.yaml"),
    ],
)
def test_the_command_that_tells_why_names_a_policy_by_its_path(
    open_report: OpenReport, tmp_path: Path, file: str, policy: str
) -> None:
    result = _with(_told(tmp_path, "-c"), position=Position(file, 4, 5))
    page = open_report(result, "#finding=often%2F-c")
    words = shlex.split(copied(page, "Copy the command that explains why"))
    assert words[:4] == ["fivetran-auditor", "explain", "-p", policy]
    # What begins with a dash would be read as an option.
    assert words[-3:] == ["--", "often", "-c"]


def test_a_waiver_of_a_rule_without_an_owner_asks_for_one(
    open_report: OpenReport, tmp_path: Path
) -> None:
    page = open_report(_with(_told(tmp_path, "c0"), tags=("cost",)), "#finding=often%2Fc0")
    assert copied(page, "Copy as waiver") == _entry(
        "often", '{id: "c0"}  # in `c0`', "  # who answers for it"
    )


@pytest.mark.parametrize("may", [True, False])
def test_where_nothing_can_be_copied_it_is_said_and_the_text_is_selected(
    open_report: OpenReport, tmp_path: Path, may: bool
) -> None:
    page = open_report(_told(tmp_path, "c0"), "#finding=often%2Fc0")
    page.evaluate(
        """may => {
            navigator.clipboard.writeText = () => Promise.reject(new Error("denied"));
            document.execCommand = () => may;
        }""",
        may,
    )
    text = copied(page, "Copy as waiver")
    said = "Waiver: copied." if may else "Waiver: press Ctrl+C to copy."
    expect(page.locator("#sheet .copied [role=status]")).to_have_text(said)
    area = page.locator("#sheet textarea")
    assert area.evaluate("area => area.value.slice(area.selectionStart, area.selectionEnd)") == text
    assert area.get_attribute("readonly") is not None
    assert int(area.get_attribute("rows") or 0) == text.count("\n") + 1
    copied(page, "Copy as issue")
    assert area.get_attribute("rows") == "14", "a long text is scrolled"
