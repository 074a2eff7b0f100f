"""docs/sandbox.md says what the sandbox does."""

from __future__ import annotations

import re
from pathlib import Path

from auditor.sandbox.endpoints import LISTINGS, NAMES
from auditor.sandbox.estate import build_estate
from auditor.sandbox.faults import FAULTS
from auditor.sandbox.reach import REACHES

PAGE = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")


def section(heading: str) -> str:
    return PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def rows(heading: str) -> list[list[str]]:
    lines = [line for line in section(heading).splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def names(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def test_every_endpoint_is_on_the_page():
    table = rows("What it answers")
    assert sorted(name for row in table for name in names(row[0])) == sorted(NAMES)
    filters = {name for row in table for name in names(row[1])}
    assert filters == {"schema", "group_id"} | {key for one in LISTINGS for key in one.filters}


def test_every_fault_is_on_the_page():
    assert {names(row[0])[0]: row[1] for row in rows("Faults")} == {
        name: fault.doc for name, fault in FAULTS.items()
    }
    last = section("Faults").rpartition("affect lists")[0].rpartition("\n\n")[2]
    assert set(names(last)) == {name for name, fault in FAULTS.items() if fault.lists_only}


def test_every_reach_is_on_the_page():
    assert {names(row[0])[0]: row[1] for row in rows("What the API key can see")} == {
        name: reach.doc for name, reach in REACHES.items()
    }


def test_every_flaw_is_on_the_page():
    told = [name for row in rows("Flaws") for name in names(row[1])]
    assert sorted(told) == sorted(build_estate(250).flaws)
