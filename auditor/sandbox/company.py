"""What the made-up company knows of its account, and no API tells: floors, budgets and regions.

They are rows for the facts that the shipped packs leave to their users, by these facts' names.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from auditor.sandbox.lists import FurtherLists
from auditor.sandbox.services import ADVERTISING, BY_ID

Row = dict[str, Any]
Facts = Mapping[str, tuple[Row, ...]]

#: The flaw of a connection that has loaded more rows than were planned for it.
OVER_BUDGET = "over-budget"
#: The fewest minutes between two syncs, of an advertising platform and of any other service.
_ADVERTISING_FLOOR, _FLOOR = 360, 15
#: Planned monthly active rows by the connection's name: the last glob that fits counts.
_BUDGETS = {"*": 500_000, "finance_*": 800_000, "data_science_*": 2_000_000}
#: What is used of a budget, and what is more than any of them.
_USED, _OVERSPENT = (1_000, 450_000), (2_100_000, 4_000_000)


def company_facts(
    seed: int, groups: Sequence[Row], records: Sequence[Row], lists: FurtherLists
) -> Facts:
    """Return the facts of a healthy account, by name: each connection keeps to them.

    A row has the key first. The data of each group stays in the region where it is.
    """
    regions = {row["group_id"]: row["region"] for row in lists.destinations}
    draw = random.Random(f"rows {seed}")  # noqa: S311  # not for secrets
    return {
        "sync_floors": tuple(
            {"service": id_, "minutes": _ADVERTISING_FLOOR if id_ in ADVERTISING else _FLOOR}
            for id_ in BY_ID
        ),
        "mar_used": tuple({"id": r["id"], "rows": draw.randint(*_USED)} for r in records),
        "mar_budgets": tuple({"schema": glob, "rows": rows} for glob, rows in _BUDGETS.items()),
        "data_regions": tuple({"name": g["name"], "region": regions[g["id"]]} for g in groups),
    }


def overspend(facts: Facts, seed: int, spoilt: Collection[str]) -> Mapping[str, tuple[str, ...]]:
    """Let some connections load more than was planned, in place; return their ids by the flaw.

    None of those in ``spoilt`` do, so that each flaw can be seen by itself.
    """
    draw = random.Random(f"overspent {seed}")  # noqa: S311  # not for secrets
    free = [row for row in facts["mar_used"] if row["id"] not in spoilt]
    wanted = max(1, len(facts["mar_used"]) * 4 // 1000)
    chosen = draw.sample(free, min(wanted, len(free)))
    for row in chosen:
        row["rows"] = draw.randint(*_OVERSPENT)
    ids = {row["id"] for row in chosen}
    found = tuple(row["id"] for row in facts["mar_used"] if row["id"] in ids)
    return {OVER_BUDGET: found} if found else {}


def files(facts: Facts) -> Iterator[tuple[str, str]]:
    """Yield the name of each file of facts and its text: CSV, as ``--facts`` reads it."""
    for name, rows in facts.items():
        # Names, ids, globs and numbers: nothing in them has to be quoted.
        lines = [",".join(rows[0])] if rows else []
        lines += [",".join(map(str, row.values())) for row in rows]
        yield f"{name}.csv", "".join(f"{line}\n" for line in lines)
