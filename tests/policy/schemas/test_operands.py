"""The schema of a value: documented ones are offered, others are free."""

from __future__ import annotations

from auditor.fields import FIELDS
from tests.builders.schema_and_loader import RULE, SCHEMA, VALIDATOR, read


def test_what_is_not_documented_is_free_and_what_is_documented_is_offered() -> None:
    value = SCHEMA["$defs"]["value.networking_method"]["anyOf"]
    assert value[0]["enum"] == list(FIELDS["networking_method"].values)
    rule = read(RULE) | {"assert": {"networking_method": "CarrierPigeon"}}
    assert VALIDATOR.is_valid({"policy": "x", "rules": [rule]})
