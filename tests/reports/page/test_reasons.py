"""The reason for each finding's verdict, in the page's data: forms that many share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from auditor import SnapshotSource, audit
from auditor.model import Result
from auditor.reports.page.island import island
from tests.builders.judged import loaded, one_rule


def audited(folder: Path, body: str, *made: dict[str, Any]) -> Result:
    listing = folder / "listing.json"
    listing.write_text(
        json.dumps(
            [
                {"id": f"c{n}", "service": "s", "schema": f"n{n}", "group_id": "g", **record}
                for n, record in enumerate(made)
            ]
        )
    )
    return audit(SnapshotSource(str(listing)), loaded(folder, one_rule(body)).ruleset)


def columns(result: Result) -> tuple[Any, list[str]]:
    data = json.loads("".join(island(result)))
    (rule,) = data["reasons"]
    return rule, data["reasonTexts"]


def test_findings_share_a_form_whatever_their_evidence_and_their_names_are(tmp_path: Path) -> None:
    body = (
        "when: {schema: {starts_with: n}, schedule_type: auto}\nassert: {sync_frequency: {gte: 60}}"
    )
    made = [{"schedule_type": "auto", "sync_frequency": n} for n in range(1, 31)]
    (lines, forms, of), texts = columns(audited(tmp_path, body, *made))
    assert [line[2] for line in lines] == [
        "all of",
        "schema starts with n",
        "schedule_type is auto",
        "sync_frequency is at least 60",
    ]
    assert forms == [["tttf", -3, -2, 0, -1]]
    assert of == []  # every finding has the first
    assert texts == ["auto"]


def test_each_finding_has_the_number_of_its_form(tmp_path: Path) -> None:
    body = "assert: {sync_frequency: {gte: 15, lte: 60}}"
    made = [{"sync_frequency": n} for n in (5, 1440, 30, 1)]
    (_, forms, of), texts = columns(audited(tmp_path, body, *made))
    assert [form[0] for form in forms] == ["fft", "ftf"]
    assert of == [0, 1, 0]
    assert not texts


def test_values_are_bounded_and_truths_stay(tmp_path: Path) -> None:
    body = "when: {service_version: {gte: 0}, paused: false}\nassert: {sync_frequency: {gte: 60}}"
    made = [{"paused": False, "service_version": n, "sync_frequency": 5} for n in range(300)]
    (_, forms, of), texts = columns(audited(tmp_path, body, *made))
    assert len(forms) == 201
    assert forms[-1] == ["tttf", -3, -4, -4, -1]
    assert of[:3] == [0, 1, 2]
    assert of[200:] == [200] * 100
    assert len(texts) == 201  # "false", and 200 versions


def test_two_tests_of_one_field_each_have_their_own_value(tmp_path: Path) -> None:
    body = "assert: {schema: {length: {gte: 5}, starts_with: a}}"
    (_, forms, _), texts = columns(audited(tmp_path, body, {}, {}))
    assert forms == [["fff", -3, -1, -2]]  # its length is the first evidence; its name, the name
    body = "assert: {schedule.cron: {length: {gte: 5}, starts_with: a}}"
    (_, forms, _), texts = columns(audited(tmp_path, body, {"schedule": {"cron": "5 *"}}))
    assert (forms, texts) == ([["fff", -3, -1, 0]], ["5 *"])


def test_a_finding_that_is_told_by_itself_has_no_form(tmp_path: Path) -> None:
    result = audited(
        tmp_path, "assert: {sync_frequency: {gte: 15, lte: 60}}", *[{"sync_frequency": 5}] * 2
    )
    first, second = result.findings
    alone = replace(result, describe=lambda: (replace(first, alike=0), second))
    (_, forms, of), _ = columns(alone)
    assert len(forms) == 1
    assert of == [-1, 0]


def test_a_result_that_knows_no_reasons_has_no_columns(tmp_path: Path) -> None:
    result = audited(tmp_path, "assert: {paused: false}", {"paused": True})
    for without in (replace(result, reason=dict), replace(result, describe=tuple)):
        assert "reasons" not in json.loads("".join(island(without)))
