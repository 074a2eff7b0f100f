"""How a run judges and gates, and what it reports while it runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from auditor.errors import UsageError
from auditor.model import Checkout, Pipeline, Severity
from auditor.redaction.fields import Scrubber

if TYPE_CHECKING:
    from auditor.acceptance.baseline import Baseline
    from auditor.acceptance.waivers import Waivers

#: The most seconds that a live listing may take.
DEFAULT_TIMEOUT = 600.0


class Options(msgspec.Struct, frozen=True):
    """How a run judges and gates; the defaults are the command's.

    ``fail_on`` is the least severity that makes a violation count, None for none. ``timeout`` is
    seconds for a live listing. ``now`` is a time to judge as of; ``clock`` is the run's own, and
    ``waivers`` expire by it. ``limits`` are the most violations of a severity that are allowed,
    whatever ``fail_on`` says. What ``baseline`` knows does not gate. ``notes`` are sentences that
    reports show. ``max_age`` is how old a saved listing may be; if it is None, a day with
    ``strict``. ``skip_unknown`` skips a check that depends on values unknown until a plan is
    applied. With ``parts`` the result can be split by a dimension, because it keeps the connections
    of each group of a ``per`` rule. ``lists`` are facts to read whether a rule reads them or not,
    ``dimensions`` maps names to the paths that reports show of each connection. ``pipeline`` is the
    CI run that reports link to, ``checkout`` the repository it runs in, ``docs_url`` the site with
    a page for each rule. ``again`` are the options of the command line, beside those of the source,
    without which a rule would be judged otherwise.
    """

    fail_on: Severity | None = Severity.LOW
    strict: bool = False
    allow_empty: bool = False
    timeout: float = DEFAULT_TIMEOUT
    now: datetime | None = None
    scrubber: Scrubber = msgspec.field(default_factory=Scrubber)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    limits: Mapping[Severity, int] = msgspec.field(default_factory=dict)
    waivers: Waivers | None = None
    baseline: Baseline | None = None
    notes: tuple[str, ...] = ()
    max_age: timedelta | None = None
    skip_unknown: bool = False
    lists: tuple[str, ...] = ()
    dimensions: Mapping[str, str] = msgspec.field(default_factory=dict)
    pipeline: Pipeline | None = None
    checkout: Checkout = Checkout()
    docs_url: str = ""
    parts: bool = False
    again: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise UsageError for a value that would let through what it is meant to stop."""
        if not (_is_number(self.timeout) and 0 < self.timeout < math.inf):
            raise UsageError(f"timeout: {self.timeout!r} is not a number of seconds above 0")
        if self.now is not None and not _is_moment(self.now):
            raise UsageError(
                f"now: {self.now!r} is not a time with a zone; give it one, such as UTC"
            )
        if self.fail_on is not None and not isinstance(self.fail_on, Severity):
            raise UsageError(
                f"fail_on: {self.fail_on!r} is neither a Severity nor None for no limit"
            )
        if not isinstance(self.limits, Mapping) or not all(
            isinstance(severity, Severity) and type(most) is int and most >= 0
            for severity, most in self.limits.items()
        ):
            raise UsageError(
                f"limits: {self.limits!r} allows no number of violations by Severity;"
                " write {Severity.LOW: 20}"
            )


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_moment(value: object) -> bool:
    return isinstance(value, datetime) and value.utcoffset() is not None


class Progress(msgspec.Struct, frozen=True):
    """How far a walk has come."""

    pages: int
    connections: int
    walk: int
