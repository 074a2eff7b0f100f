"""Ten rules as a policy and as a hand-written loop: the same verdicts, record by record."""

from __future__ import annotations

import random
import re
from datetime import datetime
from pathlib import Path
from typing import Any

from auditor.model import Verdict
from tests.builders.judged import checks_of, loaded

POLICY = r"""
policy: ten
rules:
  - {id: R1, severity: medium, assert: {sync_frequency: {gte: 15, lte: 1440}}}
  - {id: R2, severity: high, assert: {pause_after_trial: false}}
  - {id: R3, severity: high, assert: {schedule_type: auto}}
  - {id: R4, severity: critical, assert: {status.setup_state: connected}}
  - {id: R5, severity: low, assert: {schema: {regex_fullmatch: '[a-z][a-z0-9_]*(\.[a-z0-9_]+)?'}}}
  - id: R6
    severity: high
    when: {service: [postgres, mysql, sql_server]}
    assert: {networking_method: [PrivateLink, SshTunnel]}
  - id: R7
    severity: low
    when: {sync_frequency: 1440}
    assert: {daily_sync_time: {exists: true}}
  - id: R8
    severity: medium
    assert: {succeeded_at: {exists: true, after: "2024-12-01T00:00:00Z"}}
  - {id: R9, severity: medium, assert: {setup_tests: {none_items: {status: FAILED}}}}
  - {id: R10, severity: low, assert: {status.warnings: {is_empty: true}}}
"""
_CUT = datetime.fromisoformat("2024-12-01T00:00:00+00:00")
_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)?")


def _record(draw: random.Random, number: int) -> dict[str, Any]:
    record = {
        "id": f"c{number}",
        "service": draw.choice(("postgres", "mysql", "sql_server", "salesforce", "s3")),
        "schema": draw.choice(("orders", "raw.orders_2", "Orders", "9lives", "a.b.c", "é", "")),
        "group_id": "g",
        "sync_frequency": draw.choice((1, 5, 14, 15, 60, 60.0, 1440, 1441)),
        "pause_after_trial": draw.random() < 0.3,
        "schedule_type": draw.choice(("auto", "manual")),
        "status": {
            "setup_state": draw.choice(("connected", "broken", "incomplete", "new")),
            "warnings": [{"code": "w"}] * draw.choice((0, 0, 1, 3)),
        },
        "networking_method": draw.choice(("PrivateLink", "SshTunnel", "Directly", "Other")),
        "succeeded_at": draw.choice(
            (None, "2024-12-01T00:00:00Z", "2024-12-01T00:00:00.000001Z", "2024-11-30T23:59:59Z")
        ),
        "setup_tests": [
            {"title": "t", "status": draw.choice(("PASSED", "FAILED", "SKIPPED"))}
            for _ in range(draw.randrange(3))
        ],
    }
    if draw.random() < 0.5:
        record["daily_sync_time"] = draw.choice((None, "02:00"))
    return record


def _by_hand(c: dict[str, Any]) -> list[Verdict]:
    def judged(holds: bool) -> Verdict:
        return Verdict.PASS if holds else Verdict.FAIL

    is_database = c["service"] in {"postgres", "mysql", "sql_server"}
    is_daily = c["sync_frequency"] == 1440
    success = c["succeeded_at"]
    return [
        judged(15 <= c["sync_frequency"] <= 1440),
        judged(c["pause_after_trial"] is False),
        judged(c["schedule_type"] == "auto"),
        judged(c["status"]["setup_state"] == "connected"),
        judged(_NAME.fullmatch(c["schema"]) is not None),
        judged(c["networking_method"] in {"PrivateLink", "SshTunnel"})
        if is_database
        else Verdict.SKIP,
        judged(c.get("daily_sync_time") is not None) if is_daily else Verdict.SKIP,
        judged(success is not None and datetime.fromisoformat(success) > _CUT),
        judged(not any(test["status"] == "FAILED" for test in c["setup_tests"])),
        judged(not c["status"]["warnings"]),
    ]


def test_a_policy_says_what_the_loop_says(tmp_path: Path) -> None:
    draw = random.Random(7)
    records = [_record(draw, number) for number in range(500)]
    checks = checks_of(loaded(tmp_path, POLICY).ruleset, records, pages=[7, 100])
    by_rule = [checks[f"R{number}"].verdicts for number in range(1, 11)]
    for index, record in enumerate(records):
        assert [Verdict(row[index]) for row in by_rule] == _by_hand(record), record
    for rule, row in enumerate(by_rule, 1):
        assert {Verdict.PASS, Verdict.FAIL} <= set(row), f"R{rule} never differs"
