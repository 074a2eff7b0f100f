"""The options of a run: a value that would defeat its purpose is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from auditor.errors import UsageError
from auditor.model import Severity
from auditor.run import Options


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan"), True, "60", None])
def test_a_timeout_is_a_number_of_seconds_above_none(seconds: Any):
    with pytest.raises(UsageError, match="is not a number of seconds above 0"):
        Options(timeout=seconds)


@pytest.mark.parametrize(
    "limits",
    [
        *({Severity.LOW: most} for most in (-1, True, 1.0, None)),
        {"low": 1},
        {Severity.HIGH: 1, "low": 1},
        [(Severity.LOW, 1)],
        None,
        5,
    ],
    ids=str,
)
def test_limits_are_numbers_of_violations_by_severity(limits: Any):
    with pytest.raises(UsageError, match="allows no number of violations by Severity"):
        Options(limits=limits)


NAIVE = datetime(2026, 3, 10, tzinfo=UTC).replace(tzinfo=None)


@pytest.mark.parametrize("now", [NAIVE, NAIVE.date(), NAIVE.isoformat(), 0], ids=str)
def test_a_time_to_judge_as_of_has_a_zone(now: Any):
    with pytest.raises(UsageError, match="is not a time with a zone"):
        Options(now=now)


@pytest.mark.parametrize("severity", ["high", 3, True, ""])
def test_what_gates_is_a_severity_or_nothing(severity: Any):
    with pytest.raises(UsageError, match="neither a Severity nor None"):
        Options(fail_on=severity)


def test_a_run_of_which_nothing_is_said_lets_nothing_through():
    ours = Options()
    assert ours.fail_on is Severity.LOW
    assert {ours.strict, ours.allow_empty, ours.skip_unknown, ours.parts} == {False}
    assert (ours.timeout, dict(ours.limits), dict(ours.dimensions)) == (600, {}, {})
    assert ours.clock().tzinfo is UTC
