"""The catalogue of fields: what is found at a path, and what may be shown of it."""

from __future__ import annotations

import pytest

from auditor.fields import FACT_LISTS, FIELDS, IDENTITY, Exposure, Kind, children, find, item_of


def test_a_documented_field_is_found_with_all_above_it():
    for path, field in FIELDS.items():
        assert find(path) is field, path
        above, dot, _ = path.rpartition(".")
        assert not dot or above.removesuffix("[]") in FIELDS, f"{path}: its parent is missing"
        assert field.doc.endswith("."), path


@pytest.mark.parametrize("path", ["", "Paused", "pausd", "paused.x", "setup_tests.status", "x.y"])
def test_what_is_not_documented_is_not_found(path: str):
    assert find(path) is None


@pytest.mark.parametrize("path", ["config.host", "config.a.b.c", "config.list[].x", "config.l[]"])
def test_below_an_open_object_is_anything_and_hidden_as_it_is(path: str):
    field = find(path)
    assert field is not None
    assert (field.path, field.kind, field.open) == (path, Kind.ANY, True)
    assert field.exposure is FIELDS["config"].exposure is Exposure.HIDDEN


def test_the_live_credentials_are_secret():
    secret = {path for path, field in FIELDS.items() if field.exposure is Exposure.SECRET}
    assert secret >= {"connect_card.token", "connect_card.uri"}


def test_an_identity_is_always_there_and_shown():
    for path in IDENTITY:
        field = FIELDS[path]
        assert (field.kind, field.always, field.exposure) == (Kind.STRING, True, Exposure.SHOWN)


def test_children_are_one_step_below():
    tops = [field.path for field in children("")]
    assert set(IDENTITY) <= set(tops)
    assert not [path for path in tops if "." in path or "[]" in path]
    assert "status.setup_state" in [field.path for field in children("status")]
    assert "setup_tests[].status" in [field.path for field in children("setup_tests[]")]
    assert list(children("paused")) == []


def test_items_are_documented_described_below_or_anything():
    described = item_of("setup_tests")
    assert (described.kind, described.open) == (Kind.OBJECT, False)
    days = item_of("schedule.days_of_week")
    assert (days.kind, "MONDAY" in days.values) == (Kind.STRING, True)
    assert item_of("config.list").kind is Kind.ANY


def test_a_row_of_every_list_has_a_name_that_takes_an_s():
    nouns = {name: fact.noun for name, fact in FACT_LISTS.items()}
    assert (nouns["proxy_agent"], nouns["external_logging"]) == ("proxy agent", "log service")
    # As in "no list of …s" and "2 …s".
    assert not [noun for noun in nouns.values() if noun.endswith(("s", "y", "ing"))]
