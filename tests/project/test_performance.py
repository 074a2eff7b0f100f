"""The ledger of speed: every measured optimisation has its row, and every row is measured."""

from __future__ import annotations

import re
from pathlib import Path

from bench.ledger import TRICKS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")


def test_the_page_has_a_row_for_each_trick_and_no_other():
    table = PAGE.partition("## The ledger")[2].partition("\n\nTaken out")[0]
    rows = [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("| ")]
    assert sorted(rows[1:]) == sorted(trick.what for trick in TRICKS)


def test_every_place_that_a_trick_names_is_there():
    for trick in TRICKS:
        for path in re.findall(r"[\w/]+\.py", trick.where):
            assert list((ROOT / "auditor").rglob(path)), (trick.what, path)
