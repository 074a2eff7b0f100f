"""The options of a run: a value that would defeat its purpose is refused."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.errors import UsageError
from auditor.model import Severity
from auditor.run import Options


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan"), True, "60", None])
def test_a_timeout_is_a_number_of_seconds_above_none(seconds: Any):
    with pytest.raises(UsageError, match="is not a number of seconds above 0"):
        Options(timeout=seconds)


@pytest.mark.parametrize("most", [-1, True, 1.0, None])
def test_a_limit_is_a_number_of_violations(most: Any):
    with pytest.raises(UsageError, match="allows no number of violations"):
        Options(limits={Severity.LOW: most})
