"""Keys that no value of a field can equal."""

from __future__ import annotations

import pytest

from auditor.facts.keys import faults_for
from auditor.fields import FIELDS


@pytest.mark.parametrize(
    ("path", "key", "exact", "said"),
    [
        (None, "anything*", True, ""),
        ("schema", "sales", True, ""),
        ("schema", "Sales", True, ""),
        ("schema", "sales_*", False, ""),
        ("schema", "sales_*", True, "the key sales_* is compared letter by letter"),
        ("schema", "sales_?", True, "the key sales_? is compared letter by letter"),
        ("schema", " sales", False, "the key ' sales' begins or ends with a blank"),
        (None, "sales ", False, "the key 'sales ' begins or ends with a blank"),
        ("id", "a\u200bb", False, "hides one"),
        ("service", "postgres", True, ""),
        ("service", "Postgres", False, "service is never Postgres"),
        # Its values may hold these signs.
        ("schedule.cron", "0 5 * * ?", True, ""),
        ("sync_frequency", "*", True, ""),
    ],
)
def test_a_key_that_nothing_can_equal_is_a_fault(
    path: str | None, key: str, exact: bool, said: str
) -> None:
    fault = faults_for(FIELDS[path] if path else None, exact=exact)(key)
    assert (fault is not None) == bool(said)
    if fault is not None:
        message, hint = fault
        assert said in message
        assert hint
