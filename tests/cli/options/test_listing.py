"""A connection is found by its id or its name; if none is, near names are suggested."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from auditor.cli.options.listing import saved_listing, seen_in
from auditor.cli.terminal.streams import Terminal
from auditor.errors import SourceError, UsageError
from auditor.policy.language.rules import Ruleset
from tests.builders.judged import loaded, one_rule


@pytest.fixture(name="ruleset")
def _ruleset(tmp_path: Path) -> Ruleset:
    return loaded(tmp_path, one_rule("assert: {paused: false}")).ruleset


def found(folder: Path, ruleset: Ruleset, records: Any, name: str) -> str:
    """Return the id of the connection that ``name`` names."""
    path = folder / "listing.json"
    path.write_text(records if isinstance(records, str) else json.dumps(records))
    source = saved_listing(str(path), [])
    terminal = Terminal.from_environment({})
    _, seen = seen_in(source, ruleset, name, terminal, timeout=60)
    return seen.connection.id


def record(name: str, schema: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "service": "s", "schema": schema, "group_id": "g", "paused": False, **more}


LISTING = [record("a", "orders"), record("b", "crm"), record("c", "crm"), record("crm_1", "a")]


def test_an_id_comes_before_a_name(tmp_path: Path, ruleset: Ruleset) -> None:
    assert found(tmp_path, ruleset, LISTING, "orders") == "a"
    assert found(tmp_path, ruleset, LISTING, "b") == "b"
    assert found(tmp_path, ruleset, LISTING, "a") == "a"


def test_a_name_of_several_is_reported_with_their_ids(tmp_path: Path, ruleset: Ruleset) -> None:
    with pytest.raises(UsageError, match=r"is the name of 2 connections; give an id: b .* or c"):
        found(tmp_path, ruleset, LISTING, "crm")


def test_of_many_only_some_are_named(tmp_path: Path, ruleset: Ruleset) -> None:
    many = [record(f"c{n}", "crm") for n in range(9)]
    with pytest.raises(UsageError, match=r"9 connections; give an id: c0 .* or 4 more"):
        found(tmp_path, ruleset, many, "crm")


def test_what_is_not_there_is_reported_with_the_nearest(tmp_path: Path, ruleset: Ruleset) -> None:
    with pytest.raises(
        UsageError, match=r"is called ordrs, of 4 connections \(did you mean orders"
    ):
        found(tmp_path, ruleset, LISTING, "ordrs")
    with pytest.raises(UsageError, match="give an id, or a connection's name"):
        found(tmp_path, ruleset, LISTING, "quite-another")


def test_what_a_broken_listing_did_not_show_is_not_known(tmp_path: Path, ruleset: Ruleset) -> None:
    page = {"code": "Success", "data": {"items": LISTING[:1], "next_cursor": "more"}}
    with pytest.raises(SourceError, match=r"no connection crm was seen, and .*"):
        found(tmp_path, ruleset, page, "crm")
    assert found(tmp_path, ruleset, page, "orders") == "a"


def test_options_of_the_api_cannot_reach_a_file() -> None:
    with pytest.raises(UsageError, match="--group cannot narrow or reach a --snapshot"):
        saved_listing("x.json", ["--group"])
