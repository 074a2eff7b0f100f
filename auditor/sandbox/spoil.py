"""Spoiling an estate: which connections, groups and rows of other lists get which of the flaws."""

from __future__ import annotations

import copy
import random
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import islice

from auditor.sandbox.flaws import FLAWS, LIST_FLAWS, Moment, Record
from auditor.sandbox.lists import FurtherLists
from auditor.sandbox.services import CONNECTOR_SDK, PLATFORM

#: From so many connections on, each flaw occurs; in one of so many orders each finds its own.
_ENOUGH = 60
_MOST_ORDERS = 20


def spoil(
    records: list[Record],
    setup_tests: dict[str, tuple[Record, ...]],
    rng: random.Random,
    now: datetime,
) -> Mapping[str, tuple[str, ...]]:
    """Spoil some of ``records`` in place; return the ids under each name, in listing order.

    No connection is spoilt twice, so that each flaw can be seen by itself. ``setup_tests`` takes
    what set-up tests found, by connection.
    """
    moment = Moment(rng, now, setup_tests)
    found: dict[str, set[int]] = {}
    lost = _lose_a_platform_connection(records)
    free = [
        number
        for number, record in enumerate(records)
        if record["service"] != PLATFORM.id and record is not lost
    ]
    chosen_for = _choose(records, free, rng)
    free = [number for number in free if number not in set().union(*chosen_for)]
    for flaw, chosen in zip(FLAWS, chosen_for, strict=True):
        for number in sorted(chosen):
            flaw.spoil(records[number], moment)
        for name in flaw.names:
            found[name] = found.get(name, set()) | chosen
    found["loaded-twice"] = _load_twice(records, free, max(1, len(records) * 5 // 1000))
    flaws = {
        name: tuple(records[number]["id"] for number in sorted(numbers))
        for name, numbers in found.items()
        if numbers
    }
    return flaws | ({"group-without-log": (lost["group_id"],)} if lost else {})


def _choose(records: list[Record], free: list[int], rng: random.Random) -> list[set[int]]:
    """Return which of ``free``, which is shuffled, get each flaw.

    Where the order leaves a flaw none that it fits, another is tried: few accounts need that.
    """
    for _ in range(_MOST_ORDERS):
        rng.shuffle(free)
        chosen: list[set[int]] = []
        left = free
        for flaw in FLAWS:
            wanted = max(1, round(len(records) * flaw.share / 1000))
            fitting: Iterable[int] = (n for n in left if flaw.fits(records[n]))
            if flaw.together:
                fitting = _of_one_group(list(fitting), records)
            chosen.append(set(islice(fitting, wanted)))
            left = [number for number in left if number not in chosen[-1]]
        if all(chosen) or len(records) < _ENOUGH:
            break
    return chosen


def spoil_lists(lists: FurtherLists, rng: random.Random) -> Mapping[str, tuple[str, ...]]:
    """Spoil rows of ``lists`` in place, each in a group of its own; return the ids by name."""
    found: dict[str, tuple[str, ...]] = {}
    struck: set[str] = set()
    for flaw in LIST_FLAWS:
        rows = [
            row
            for row in getattr(lists, flaw.rows)
            if flaw.fits(row) and lists.group_of(row) not in struck
        ]
        if rows:
            row = rows[rng.randrange(len(rows))]
            struck.add(lists.group_of(row))
            row.update(flaw.changes)
            found[flaw.name] = (row[flaw.named],)
    return found


def _of_one_group(numbers: list[int], records: list[Record]) -> list[int]:
    """Return those of ``numbers`` that are in the group with most of them."""
    groups = Counter(records[number]["group_id"] for number in numbers)
    largest = groups.most_common(1)[0][0] if groups else None
    return [number for number in numbers if records[number]["group_id"] == largest]


def _lose_a_platform_connection(records: list[Record]) -> Record | None:
    """Turn the platform connection of the last group into one to a harmless service."""
    platforms = [record for record in records if record["service"] == PLATFORM.id]
    if not platforms:
        return None
    record = platforms[-1]
    record["service"] = "hubspot"
    record["schema"] = record["schema"].replace(PLATFORM.id, "hubspot_portal")
    record["config"] = {"schema": record["schema"], "auth_type": "OAuth"}
    return record


def _load_twice(records: list[Record], free: list[int], wanted: int) -> set[int]:
    """Make the second connection of some pairs in one group per copy of the first."""
    first_of_group: dict[str, int] = {}
    twins: set[int] = set()
    for number in free:
        if len(twins) >= 2 * wanted:
            break
        copied = records[number]
        if copied["service"] == CONNECTOR_SDK.id:
            continue  # its package belongs to one connection
        partner = first_of_group.pop(copied["group_id"], None)
        if partner is None:
            first_of_group[copied["group_id"]] = number
            continue
        kept = {key: copied[key] for key in ("id", "created_at", "connected_by")}
        copied.clear()
        copied.update(copy.deepcopy(records[partner]), **kept)
        twins |= {partner, number}
    return twins
