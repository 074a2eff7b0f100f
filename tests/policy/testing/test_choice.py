"""Which tests are chosen: by an expression of words, or by a line."""

from __future__ import annotations

import pytest

from auditor.errors import UsageError
from auditor.policy.testing.choice import by_expression, by_line
from auditor.policy.testing.examples_run import ExampleOutcome, run_examples
from tests.builders.judged import loaded

POLICY = """\
policy: p
rules:
  - id: sync-floor
    severity: low
    assert: {sync_frequency: {gte: 15}}
    tests:
      - {given: {sync_frequency: 5}, expect: fail}
      - given: {sync_frequency: 15}
        expect: pass
  - id: runs
    severity: low
    assert: {paused: false}
    tests: [{expect: pass}]
"""


@pytest.fixture(name="outcomes")
def _outcomes(tmp_path_factory: pytest.TempPathFactory) -> tuple[ExampleOutcome, ...]:
    return run_examples(loaded(tmp_path_factory.mktemp("house"), POLICY))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("sync", 2),
        ("SYNC", 2),
        ("r?ns", 1),
        ("", 3),
        ("sync or runs", 3),
        ("sync and runs", 0),
        ("not sync", 1),
        ("not not sync", 2),
        ("not sync and runs or sync", 3),
        ("not (sync or runs)", 0),
        ("(sync)and(floor)", 2),
        ("sync floor", 0),
    ],
)
def test_words_choose(outcomes: tuple[ExampleOutcome, ...], text: str, count: int) -> None:
    assert sum(map(by_expression(text), outcomes)) == count


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("sync and", "at its end a word, not or an opening bracket is wanted"),
        ("and sync", "at and a word"),
        ("(sync", "at its end a closing bracket is wanted"),
        ("sync not", "at not and, or, or the end is wanted"),
        ("(sync) runs", "at runs and, or, or the end is wanted"),
        ("not", "at its end a word"),
        ("()", "at ) a word"),
    ],
)
def test_what_is_not_an_expression_is_reported(text: str, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        by_expression(text)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("line", "found"),
    [(1, []), (3, [7, 8]), (5, [7, 8]), (7, [7]), (8, [8]), (9, [8]), (10, [13]), (99, [13])],
)
def test_a_line_chooses(outcomes: tuple[ExampleOutcome, ...], line: int, found: list[int]) -> None:
    assert [outcome.position.line for outcome in by_line(outcomes, line)] == found
