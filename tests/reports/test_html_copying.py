"""What leaves the HTML report by a button: an issue as Markdown, a waiver as YAML."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from msgspec.structs import replace
from playwright.sync_api import Page, expect

from auditor import Options, SnapshotSource, audit, load_policies, load_waivers
from auditor.cli.main import main
from auditor.clock import iso
from auditor.errors import AuditorError
from auditor.model import Result, Verdict
from tests.builders.browser import OpenReport
from tests.builders.html_page import RESULT
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
