"""Messages: fields and variables, and nothing else is read into them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.builders.judged import one_rule, problems_of


@pytest.mark.parametrize(
    "message",
    ["{nope}", "{schema.x}", "{var.x}", "{}", "{", "}", "a } b", "{schema!r}", "{schema:>9}",
     "{0}", "{schema[0]}", "{setup_tests[].title}", "{setup_tests.title}", "{__class__}",
     "{count}"],
)  # fmt: skip
def test_what_a_message_cannot_say_is_refused(tmp_path: Path, message: str) -> None:
    body = f"assert: {{paused: false}}\nmessage: '{message}'"
    assert {p.position.line for p in problems_of(tmp_path, one_rule(body))} == {6}


def test_of_a_group_what_its_message_can_say_is_suggested(tmp_path: Path) -> None:
    body = "per: group_id\nassert: {count: {gte: 1}}\nmessage: '{group.name} has none'"
    (problem,) = problems_of(tmp_path, one_rule(body))
    assert problem.hint == "one of group_id, actual, count, max, min, share, sum"
