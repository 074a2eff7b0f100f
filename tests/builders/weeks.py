"""One account judged week after week, and what is open in it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from auditor.model import Result
from auditor.past.history import (
    Open,
)
from auditor.policy import Ruleset
from auditor.run import Options, audit
from tests.builders.listed import TODAY, Listed, record

WEEK = timedelta(days=7)


DAYS = [(TODAY + n * WEEK).isoformat().replace("+00:00", "Z") for n in range(6)]


def judged(house: Ruleset, week: int, *records: dict[str, Any], **listed: Any) -> Result:
    """Return what is found in week ``week``."""
    now = TODAY + week * WEEK
    return audit(Listed(list(records), **listed), house, Options(now=now, clock=lambda: now))


BAD, GOOD = record("a", sync_frequency=5), record("a")


def since(opened: Open) -> Mapping[str, str]:
    return opened.since.get("sync-floor", {})
