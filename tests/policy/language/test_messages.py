"""A message is substitution, once, and nothing more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from auditor.model import Finding
from tests.builders.judged import findings_of, loaded, one_rule

BASE = {"id": "c", "schema": "Orders", "service": "postgres", "sync_frequency": 5, "paused": True}


def _finding(folder: Path, body: str, head: str = "", **held: Any) -> Finding:
    rules = loaded(folder, one_rule(body, head=head)).ruleset
    (finding,) = findings_of(rules, [BASE | held])
    return finding


@pytest.mark.parametrize(
    ("message", "filled"),
    [
        ("{schema} and {sync_frequency}", "Orders and 5"),
        ("{{schema}} {{{schema}}}", "{schema} {Orders}"),
        ("{var.floor}, {var.few}", "15, a or b"),
        ("{service_version} {succeeded_at}", "missing null"),
        ("{ schema }", "Orders"),
        ("{{7*7}} %s %(x)s $x {{%schema%}}", "{7*7} %s %(x)s $x {%schema%}"),
        ("{config.host}", "[hidden]"),
    ],
)
def test_a_message_is_substitution_and_nothing_more(
    tmp_path: Path, message: str, filled: str
) -> None:
    head = "vars: {floor: 15, few: [a, b]}\n"
    reads = "{sync_frequency: {gte: {var: floor}}}, {schema: {var: few}}, {id: {exists: true}}"
    body = f"when: {{any: [{reads}]}}\nassert: {{paused: false}}\nmessage: '{message}'"
    held = {"succeeded_at": None, "config": {"host": "h"}}
    assert _finding(tmp_path, body, head, **held).message == filled


def test_a_record_cannot_fill_a_message_with_another(tmp_path: Path) -> None:
    body = "assert: {paused: false}\nmessage: '{schema}'"
    finding = _finding(tmp_path, body, schema="{config.password} {{x}}", config={"password": "p"})
    assert finding.message == "{config.password} {{x}}"
