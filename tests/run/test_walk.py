"""One walk: whom a waiver's ``while`` sees, and which connections are kept for a look."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from auditor.policy import Ruleset
from auditor.run import audit, look
from auditor.run.setup import set_up
from auditor.run.walk import Walk
from auditor.sources import Page
from auditor.sources.plan.source import PlanSource
from tests.builders.listed import (
    TODAY,
    Listed,
    by_verdict,
    record,
    waiver,
    waivers_in,
)
from tests.builders.plans import plan_file
from tests.builders.scripted import options

#: Each differs from the others in every identity; there are two pages.
THREE = [
    {
        "id": f"id{n}",
        "service": f"service{n}",
        "schema": f"schema{n}",
        "group_id": f"group{n}",
        "paused": False,
        "sync_frequency": 5,
    }
    for n in range(3)
]


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("field", ["id", "service", "schema", "group"])
def test_a_while_is_asked_of_the_connections_that_the_waiver_names(
    house: Ruleset, tmp_path: Path, field: str, number: int
):
    named = waiver(connections=f"{{{field}: {field}{number}}}", **{"while": "{sync_frequency: 5}"})
    result = audit(Listed(THREE), house, options(waivers=waivers_in(tmp_path, named)))
    assert by_verdict(result)["waived"] == {("sync-floor", "", (f"id{number}",))}


def test_a_while_is_asked_of_the_resource_that_the_waiver_names(house: Ruleset, tmp_path: Path):
    for address, waived in (("fivetran_connector.events", 1), ("fivetran_connector.none", 0)):
        named = waiver(
            connections=f"{{address: {address}}}", **{"while": "{sync_frequency: {lte: 5}}"}
        )
        ours = options(waivers=waivers_in(tmp_path, named))
        result = audit(PlanSource(str(plan_file("walk"))), house, ours)
        assert len(by_verdict(result).get("waived", ())) == waived


@pytest.mark.parametrize(
    ("name", "places"),
    [("id0", [0]), ("schema2", [2]), ("service1", []), ("group1", []), ("", []), ("id", [])],
)
@pytest.mark.parametrize("whole", [True, False])
def test_a_connection_is_found_by_its_id_or_name(
    house: Ruleset, name: str, places: list[int], whole: bool
):
    listed = [*THREE, record("nameless", schema=None)]
    found = look(Listed(listed), house, name, options(), whole=whole)
    assert [(each.at, each.connection.id) for each in found.seen] == [
        (place, f"id{place}") for place in places
    ]
    assert [each.record.sync_frequency for each in found.seen] == [5] * len(places)
    assert list(found.records) == (list(range(4)) if whole else places)


def test_a_connection_of_a_plan_is_found_by_its_address(house: Ruleset):
    source = PlanSource(str(plan_file("walk")))
    found = look(source, house, "fivetran_connector.events", options())
    assert [each.connection.schema for each in found.seen] == ["events"]
    assert look(source, house, "fivetran_connector", options()).seen == ()


def test_what_a_part_is_warned_of_is_the_walks(house: Ruleset):
    run = set_up(Listed(THREE), house, options())
    walks = [Walk(run.dimensions.renewed()) for _ in range(2)]
    for walk, said in zip(walks, ("first", "second"), strict=True):
        walk.judge = run.judge(TODAY)
        walk.take(Page(run.shape.array(json.dumps(THREE).encode()), (said,), (f"{said}?",)))
    walks[0].join(walks[1].part())
    assert walks[0].problems == ["first", "second"]
    assert walks[0].warnings == ["first?", "second?"]
