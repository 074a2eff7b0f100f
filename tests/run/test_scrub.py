"""Identities as reports show them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from auditor.policy import Ruleset
from auditor.redaction.fields import Scrubber
from auditor.run import audit
from tests.builders.listed import (
    Listed,
    record,
)
from tests.builders.scripted import GOOD, KEY, SECRET, options


def ids_of(house: Ruleset, *names: str, **more: Any) -> Sequence[str]:
    return list(audit(Listed([record(n) for n in names]), house, options(**more)).connections.ids)


def test_an_identity_is_shown_whole_up_to_two_hundred_characters(house: Ruleset):
    long, longer = "x" * 200, "x" * 201
    assert ids_of(house, long, "b", "c") == [long, "b", "c"]
    assert ids_of(house, longer) == ["x" * 199 + "…"]
    assert ids_of(house, "a", longer, "b") == ["a", "x" * 199 + "…", "b"]


def test_an_identity_comes_without_credentials_and_escapes(house: Ruleset):
    ours = Scrubber(((KEY, SECRET),))
    assert ids_of(house, "plain", f"at-{SECRET}", scrubber=ours) == ["plain", "at-[redacted]"]
    assert ids_of(house, "plain", "\x1b[2J", scrubber=ours) == ["plain", "\\x1b[2J"]
    assert ids_of(house, scrubber=ours) == []


def test_a_sentence_is_shown_whole_up_to_a_thousand_characters(house: Ruleset):
    whole, longer = "x" * 1000, "x" * 1001
    assert audit(Listed([GOOD]), house, options(notes=(whole, longer))).notes == (
        whole,
        "x" * 999 + "…",
    )


@pytest.mark.parametrize("held", [None, 7, ["a"], ""], ids=str)
@pytest.mark.parametrize(
    ("field", "column"),
    [("service", "services"), ("schema", "schemas"), ("group_id", "group_ids")],
)
def test_an_identity_that_is_no_text_is_missing(
    house: Ruleset, field: str, column: str, held: object
):
    result = audit(Listed([record("a", **{field: held}), GOOD]), house, options())
    assert list(getattr(result.connections, column)) == ["(missing)", GOOD[field]]
