"""The two times of a run: the one that rules compare with, and the one that ends waivers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from auditor.clock import apart, in_words, to_the_second
from auditor.run.options import Options

#: The local clock and the server's may differ by this much before the server's counts.
CLOCK_TOLERANCE = timedelta(seconds=300)
#: With --strict a saved listing may be this old, unless --max-age says otherwise.
_STRICT_AGE = timedelta(hours=24)


class RunClock:
    """The times of one run.

    ``live`` means that the account is listed now, by its API; ``saved`` that it was listed earlier.
    A plan by itself is neither. ``now`` is None until ``settle`` was called.
    """

    def __init__(self, options: Options, *, live: bool, saved: bool) -> None:
        self._options = options
        self._live = live
        self._saved = saved
        self.now: datetime | None = None
        self.today = options.clock()
        self.note = ""
        self.warnings: tuple[str, ...] = ()
        self._as_of: datetime | None = None

    def settle(self, as_of: datetime | None) -> datetime:
        """Return the one time that all rules compare with; the first call settles it.

        ``as_of`` is the time at the source, None if the source does not say.
        """
        if self.now is None:
            self.now = self._choose_now(as_of)
        return self.now

    def _choose_now(self, as_of: datetime | None) -> datetime:
        local = self._options.clock()
        self._as_of = as_of
        off = as_of is not None and abs(as_of - local) > CLOCK_TOLERANCE
        if as_of is not None and self._live and off:
            # By the later of the two: a server that is behind revives no waiver.
            self.today = max(local, as_of)
        if self._options.now is not None:
            self.note = f"judged as of {to_the_second(self._options.now)}, given with --now"
            return self._options.now
        if as_of is None:
            return local
        if not self._live:
            self.note = f"judged as of {to_the_second(as_of)}, when the snapshot was taken"
            return as_of
        if not off:
            return local
        ours, theirs = to_the_second(local), to_the_second(as_of)
        clocks = f"this machine's clock says {ours}, the server's {theirs}"
        self.warnings = (f"{clocks}: the server's counts; set this machine's",)
        return as_of

    @property
    def taken_at(self) -> datetime | None:
        """When a saved listing was taken; None for any other listing, and if it does not say."""
        return self._as_of if self._saved else None

    def problem_at(self, as_of: datetime | None) -> str:
        """Return why a page with this time cannot be trusted; "" if it can."""
        if as_of is None or not self._live:
            return ""
        return apart(as_of, self._options.clock())

    def too_old(self) -> Iterator[str]:
        """Yield why a saved listing is too old to speak for the account."""
        most, strict = self._options.max_age, self._options.strict
        if most is None and strict:
            most = _STRICT_AGE
        if most is None or not self._saved:
            return
        said = f"--max-age {in_words(most)}" if self._options.max_age else "--strict"
        way_out = "fetch again, or raise --max-age to judge it all the same"
        if self._as_of is None:
            yield f"{said}: the saved listing does not say when it was taken; {way_out}"
            return
        age = max(self._options.clock() - self._as_of, timedelta(0))
        if age > most:
            yield f"{said}: the snapshot is {in_words(age)} old; {way_out}"
