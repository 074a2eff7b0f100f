"""Conditions that always or never hold do not load."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.policy.loading.load import load_policies
from tests.builders.one_rule_files import policy, refused


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("per: account, assert: {share: {lte: 50}}", "lte: 50 holds of every one: a share is"),
        ("per: account, assert: {share: {gte: 0}}", "gte: 0 holds of every one"),
        ("per: account, assert: {share: {gt: 1}}", "gt: 1 holds of none"),
        ("per: account, assert: {count: {gte: 0}}", "gte: 0 holds of every one"),
        ("per: account, assert: {count: {between: [-3, -1]}}", "-3 and -1 holds of none"),
        ("per: account, assert: {share: {between: [0, 1]}}", "0 and 1 holds of every one"),
        ("per: account, assert: {count: {lt: 0}}", "lt: 0 holds of none"),
        ("per: account, assert: {share: {lte: 1}}", "lte: 1 holds of every one"),
        ("per: account, assert: {share: {gte: 1.5}}", "gte: 1.5 holds of none"),
        ("assert: {schema: {length: {gte: 0}}}", "gte: 0 holds of every one"),
        ("assert: {setup_tests: {length: {lte: -1}}}", "lte: -1 holds of none"),
        ("assert: {sync_frequency: {gte: 100, lte: 50}}", "can never both hold"),
        ("assert: {sync_frequency: {gt: 5, lt: 5}}", "can never both hold"),
        ("when: {sync_frequency: {gt: 9, lte: 9}}, assert: {paused: false}", "never both hold"),
        (
            'assert: {daily_sync_time: {gte: "22:00", lte: "05:00"}}',
            'for a time over midnight write between: ["22:00", "05:00"]',
        ),
        ('assert: {daily_sync_time: {gt: "05:00", lt: "05:00"}}', "write any: with a condition"),
        ("assert: {created_at: {older_than: 7d, newer_than: 3d}}", "can never both hold"),
        ("assert: {sync_frequency: {not_in: [1, x]}}", "sync_frequency is a whole number"),
        ("assert: {config.port: {not_in: [1, x]}}", "unlike types"),
        ("assert: {config: {json_schema: {typ: object}}}", "typ is not a keyword"),
        ("assert: {schema: {json_schema: {format: email}}}", "do not assert format"),
        (
            "assert: {config: {json_schema: {properties: {a: {requird: [b]}}}}}",
            "requird is not a keyword",
        ),
    ],
)
def test_what_holds_of_everything_or_of_nothing_is_refused(
    tmp_path: Path, rule: str, said: str
) -> None:
    assert said in refused(policy(tmp_path, rule))


@pytest.mark.parametrize(
    "rule",
    [
        "per: account, assert: {share: {lte: 0.5}}",
        "per: account, assert: {share: {lt: 1}}",
        "per: account, assert: {share: {gte: 1}}",
        "per: account, assert: {share: {lte: 0}}",
        "per: account, assert: {share: {gt: 0}}",
        "per: account, assert: {count: {lte: 0}}",
        "per: account, assert: {count: {gt: 0}}",
        "per: account, assert: {count: {between: [0, 5]}}",
        "assert: {schema: {length: {gte: 1}}}",
        "assert: {sync_frequency: {gte: 5, lte: 5}}",
        "assert: {created_at: {older_than: 3d, newer_than: 7d}}",
        'assert: {daily_sync_time: {gte: "05:00", lte: "22:00"}}',
        "assert: {any: [{sync_frequency: {gte: 100}}, {sync_frequency: {lte: 50}}]}",
        "assert: {config: {json_schema: {properties: {format: {type: string}}, enum: [{typ: 1}]}}}",
    ],
)
def test_what_decides_something_loads(tmp_path: Path, rule: str) -> None:
    assert load_policies(str(policy(tmp_path, rule))).rules
