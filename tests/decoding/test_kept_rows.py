"""Rows of other lists in a snapshot: documented fields only, and no credentials."""

from __future__ import annotations

import json
from typing import Any

import pytest

from auditor.decoding.json_values import UndecodableError
from auditor.decoding.kept_rows import KeptRows, kept_rows
from auditor.fields import FACT_LISTS, Exposure

SEVERAL = next(name for name, fact in FACT_LISTS.items() if fact.several)


def full(name: str, value: object = "a value") -> dict[str, Any]:
    """Return a row with every documented key of a list, and one unknown key."""
    fact = FACT_LISTS[name]
    base = f"{name}[]." if fact.several else f"{name}."
    row: dict[str, Any] = {fact.identity: "one", "unheard_of": "x"}
    for field in fact.fields:
        path = field.path.removeprefix(base)
        if path != field.path and "." not in path and "[]" not in path:
            row.setdefault(path, value)
    return row


@pytest.mark.parametrize("name", FACT_LISTS)
def test_what_is_documented_is_kept_but_for_live_credentials(name: str):
    fact = FACT_LISTS[name]
    base = f"{name}[]." if fact.several else f"{name}."
    secret = {
        field.path.removeprefix(base) for field in fact.fields if field.exposure is Exposure.SECRET
    }
    row = full(name)
    kept = KeptRows(fact).convert(row)
    assert "unheard_of" not in kept
    assert secret.isdisjoint(kept)
    assert set(kept) >= {key for key in row if key not in {*secret, "unheard_of", fact.identity}}


@pytest.mark.parametrize("name", ["group", SEVERAL])
def test_a_row_without_its_identity_is_refused(name: str):
    fact = FACT_LISTS[name]
    rows = KeptRows(fact)
    items: list[Any] = [
        {fact.identity: "a"},
        {fact.identity: ""},
        {fact.identity: 7},
        {},
        "x",
        None,
    ]
    good, wrong = rows.sift(items)
    assert good == [{fact.identity: "a"}]
    assert wrong == [f"an item is no {fact.noun}"] * 5
    assert rows.ids(good) == ["a"]


def test_a_page_is_taken_apart_and_broken_ones_are_refused():
    (rows,) = kept_rows(["group"]).values()
    body = json.dumps({"code": "Success", "data": {"items": [full("group")], "next_cursor": "n"}})
    page = rows.page(body.encode())
    assert (len(page.items), page.next_cursor) == (1, "n")
    for broken in (b"{", b"\xff", b'{"data": {"items": [], "items": []}}'):
        with pytest.raises(UndecodableError):
            rows.page(broken)
