"""The data inside a comparison's page: every change is there, and text stays text."""

from __future__ import annotations

import json

from msgspec.structs import replace

from auditor.reports.comparison.html import LOOKS
from auditor.reports.comparison.island import island
from tests.reports.comparison.test_html import compared


def test_the_page_holds_every_change() -> None:
    comparison = compared(60)
    data = json.loads("".join(island(comparison, LOOKS)))
    assert [data["words"][n] for n in data["verdict"]] == [
        c.change.value for c in comparison.changes
    ]
    assert [data["rules"][n]["id"] for n in data["rule"]] == [c.rule for c in comparison.changes]
    assert [data["notes"][n] for n in data["note"]] == [c.note for c in comparison.changes]
    named = {each.id for c in comparison.changes for each in c.connections}
    assert set(data["ids"]) == named
    tallied = [sum(rule["counts"]) for rule in data["rules"]]
    assert sum(tallied) == len(comparison.changes)


def test_a_report_from_elsewhere_brings_no_link_of_its_own() -> None:
    comparison = compared(40)
    rules = tuple(replace(rule, url="javascript:alert(1)") for rule in comparison.later.rules)
    later = replace(comparison.later, rules=rules)
    assert "javascript:" not in "".join(island(replace(comparison, later=later), LOOKS))
