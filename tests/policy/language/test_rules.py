"""What a ruleset reads: every path that is decoded, and those that are needed whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.builders.judged import loaded, one_rule


@pytest.mark.parametrize(
    ("body", "paths", "whole"),
    [
        ("assert: {paused: false}", {"paused"}, set()),
        ("assert: {paused: false}\nwhen: {schema: x}", {"paused", "schema"}, set()),
        ("assert: {paused: false}\nmessage: '{status.setup_state}'",
         {"paused", "status.setup_state"}, set()),
        ("assert: {created_at: {before: {field: succeeded_at}}}",
         {"created_at", "succeeded_at"}, set()),
        ("assert: {setup_tests: {any_item: {status: FAILED}}}",
         {"setup_tests", "setup_tests[].status"}, set()),
        ("assert: {config: {length: 3}}", set(), {"config"}),
        ("assert: {config: {exists: true}}", {"config"}, set()),
        ("assert: {unique: [service, schema]}\nper: group_id",
         {"group_id", "service", "schema"}, set()),
        ("assert: {count: {gte: 1}}\nper: [group_id, service]\nwhen: {paused: true}",
         {"group_id", "service", "paused"}, set()),
        ("assert: {count: {gte: 1}}\nper: account", set(), set()),
    ],
)  # fmt: skip
def test_what_is_decoded(tmp_path: Path, body: str, paths: set[str], whole: set[str]):
    found, found_whole = loaded(tmp_path, one_rule(body)).ruleset.reads()
    assert (found - found_whole, found_whole) == (paths, whole)
