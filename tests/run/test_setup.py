"""A narrowed listing: which groups it judges, and how it is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from auditor.model import Verdict
from auditor.policy import Ruleset
from auditor.redaction.fields import Scrubber
from auditor.run import audit
from tests.builders.listed import (
    Listed,
)
from tests.builders.scripted import GOOD, KEY, SECRET, options

GROUP, SCHEMA = ("group_id", "g1"), ("schema", "b")


@pytest.mark.parametrize(
    ("filters", "per_group", "per_account"),
    [
        ((), Verdict.PASS, Verdict.PASS),
        ((GROUP,), Verdict.PASS, Verdict.ERROR),
        ((SCHEMA,), Verdict.ERROR, Verdict.ERROR),
        # Two narrowings at once: one connection of a group is not the whole group.
        ((GROUP, SCHEMA), Verdict.ERROR, Verdict.ERROR),
    ],
    ids=["whole", "group", "schema", "group and schema"],
)
def test_a_group_is_judged_where_all_of_it_was_listed(
    house: Ruleset, filters: Any, per_group: Verdict, per_account: Verdict
):
    result = audit(Listed([GOOD], filters=filters), house, options())
    found = {c.rule.id: [check.verdict for check in c.groups] for c in result.checks}
    assert found["one-name"] == [per_group]
    assert found["few-paused"] == [per_account]
    assert result.gate.exit_code == (3 if Verdict.ERROR in (per_group, per_account) else 0)


def test_what_narrows_is_told_without_credentials(house: Ruleset, tmp_path: Path):
    filters = (("group_id", "g1"), ("schema", f"a {SECRET}"))
    ours = options(scrubber=Scrubber(((KEY, SECRET),)), notes=(f"a file set {KEY}",))
    result = audit(Listed([GOOD], filters=filters), house, ours)
    assert result.left_out == (
        "only connections with group_id g1 were listed",
        "only connections with schema a [redacted] were listed",
    )
    assert result.narrowed_by == ("group_id=g1", "schema=a [redacted]")
    assert result.notes == ("a file set [redacted]",)
