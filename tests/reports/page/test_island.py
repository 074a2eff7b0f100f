"""The data inside the page: read back as the page's script reads it, every finding is there."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

import pytest
from msgspec.structs import replace

from auditor.clock import iso
from auditor.model import Evidence, Finding, Result, Verdict
from auditor.reports.page.island import island
from tests.builders.sample_histories import with_history
from tests.builders.sample_results import narrowed, sample_result


def read(result: Result) -> dict[str, Any]:
    text = "".join(island(result))
    assert not set("<>&\u2028\u2029") & set(text)
    found: dict[str, Any] = json.loads(text)
    return found


def evidence_of(data: dict[str, Any], number: int) -> list[tuple[str, str, str]]:
    """Return the evidence of a finding, as the script looks it up."""
    entries = data["evidence"][number]
    entries = entries if isinstance(entries, list) else [entries]
    return [
        (
            data["fields"][data["fieldOf"][entry]],
            data["actual"][entry],
            data["expected"][data["expectedOf"][entry]],
        )
        for entry in entries
    ]


def message_of(data: dict[str, Any], number: int, finding: Finding) -> str:
    text: str = data["messages"][data["message"][number]]
    first = finding.connections[0] if finding.connections else None
    for mark, value in (
        ("\x01", first.id if first else ""),
        ("\x02", first.schema if first else ""),
        ("\x03", finding.evidence[0].actual if finding.evidence else ""),
    ):
        text = text.replace(mark, value)
    return text


@pytest.mark.parametrize(
    "result",
    [
        sample_result(),
        sample_result(60, 4, hostile=True),
        narrowed(sample_result()),
        sample_result(0, 3),
        sample_result(300, 300),
    ],
    ids=["plain", "hostile", "narrowed", "nothing listed", "more rules than a byte counts"],
)
def test_every_finding_is_read_back(result: Result):
    data = read(result)
    assert [rule["id"] for rule in data["rules"]] == [c.rule.id for c in result.checks]
    assert [dict(zip(Verdict, rule["counts"], strict=True)) for rule in data["rules"]] == [
        c.counts for c in result.checks
    ]
    assert [b64decode(text) for text in data["verdicts"]] == [c.verdicts for c in result.checks]
    assert data["groupChecks"] == [
        [[check.group, int(check.verdict)] for check in c.groups] for c in result.checks
    ]
    assert [data["services"][n] for n in data["serviceOf"]] == list(result.connections.services)
    assert [data["groups"][n] for n in data["groupOf"]] == list(result.connections.group_ids)
    assert len(data["message"]) == len(result.findings)
    for number, finding in enumerate(result.findings):
        assert message_of(data, number, finding) == finding.message
        assert evidence_of(data, number) == [
            (e.field, e.actual, e.expected) for e in finding.evidence
        ]
        assert data["notes"][data["note"][number]] == finding.note
        assert data["group"].get(str(number), "") == finding.group


def test_a_message_that_two_findings_share_names_neither_the_other_nor_another_value():
    """What one of them is called, and what a second field holds, may stand in it by accident."""
    result = sample_result(40, 6)
    rule = next(c.rule for c in result.checks if c.count(Verdict.FAIL) > 1 and not c.rule.per)
    one, other = [f for f in result.findings if f.rule is rule][:2]
    evidence = Evidence("a", "Directly", "Tunnel"), Evidence("b", "1440", "60")
    for named in ("schema", "id"):
        text = f"{getattr(one.connections[0], named)} is 1440, and Directly"
        shared = [replace(f, evidence=evidence, message=text) for f in (one, other)]
        data = read(replace(result, describe=lambda shared=shared: tuple(shared)))
        assert [message_of(data, n, f) for n, f in enumerate(shared)] == [text, text], named


def test_since_when_each_finding_is_open():
    result = with_history(sample_result(40, 6), 9)
    data = read(result)
    assert result.history is not None
    told = [data["sinces"][n] for n in data["since"]]
    times = [result.history.since(finding) for finding in result.findings]
    assert told == [iso(time) if time else "" for time in times]
    assert len(set(told)) > 1
    assert "since" not in read(sample_result(40, 6))


def test_advice_is_where_there_is_some():
    result = sample_result()
    findings = (replace(result.findings[0], advice="do this"), *result.findings[1:])
    data = read(replace(result, describe=lambda: findings))
    assert [data["advices"][n] for n in data["advice"].values()][0] == "do this"  # noqa: RUF015
    assert list(data["advice"])[0] == "0"  # noqa: RUF015
