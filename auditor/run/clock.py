"""The two times of a run: the one that rules compare with, and the one that ends waivers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from auditor.clock import CLOCKS_APART, FUTURE_TOLERANCE, apart, in_words, to_the_second
from auditor.run.options import Options
from auditor.sources import Page

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
        #: When what was saved was taken, as each page of it says.
        self.taken: set[datetime | None] = set()

    def settle(self, as_of: datetime | None) -> datetime:
        """Return the one time that all rules compare with; the first call settles it.

        ``as_of`` is the time at the source, None if the source does not say.
        """
        if self.now is None:
            self.now = self._choose_now(as_of)
        return self.now

    def _choose_now(self, as_of: datetime | None) -> datetime:
        local = self._options.clock()
        server: datetime | None = None  # Its time, where it is far from this machine's.
        if as_of is not None and self._live and abs(as_of - local) > CLOCK_TOLERANCE:
            server = as_of
            # By the later of the two: a server that is behind revives no waiver.
            self.today = max(local, server)
        if self._options.now is not None:
            self.note = f"judged as of {to_the_second(self._options.now)}, given with --now"
            return self._options.now
        if as_of is None:
            return local
        if not self._live:
            self.note = f"judged as of {to_the_second(as_of)}, when the snapshot was taken"
            return as_of
        if server is None:
            return local
        ours, theirs = to_the_second(local), to_the_second(server)
        clocks = f"this machine's clock says {ours}, the server's {theirs}"
        self.warnings = (f"{clocks}: the server's counts; set this machine's",)
        return server

    def problem_of(self, page: Page) -> str:
        """Take note of a page's times; return why it cannot be trusted, "" if it can."""
        self.taken.update(page.taken or ([page.as_of] if self._saved else []))
        if page.as_of is None or not self._live:
            return ""
        return apart(page.as_of, self._options.clock())

    @property
    def _oldest(self) -> datetime | None:
        """When the oldest of what was saved was taken; None if something does not say."""
        known = [moment for moment in self.taken if moment is not None]
        return min(known, default=None) if len(known) == len(self.taken) else None

    @property
    def taken_at(self) -> datetime | None:
        """When a saved listing was taken; None for any other listing, and if it does not say."""
        return self._oldest if self._saved else None

    def doubts(self) -> Iterator[str]:
        """Yield why what was saved, by its time, does not speak for the account."""
        now = self._options.clock()
        latest = max((moment for moment in self.taken if moment is not None), default=now)
        most, said = self._options.max_age, "--strict"
        if most is not None:
            said = f"--max-age {in_words(most)}"
        elif self._options.strict:
            most = _STRICT_AGE
        # Clocks that are further apart than the greatest age to accept cannot tell that age.
        near = CLOCKS_APART if most is None else max(FUTURE_TOLERANCE, min(CLOCKS_APART, most))
        if latest - now > near:
            yield (
                f"the snapshot says that it was taken at {to_the_second(latest)}, and this "
                f"machine's clock says {to_the_second(now)}: a clock is wrong, and nobody can tell "
                "how old the snapshot is; set the clock, or fetch again"
            )
        if most is None or not self.taken:
            return
        oldest = self._oldest
        if oldest is None:
            yield (
                f"{said}: the saved listing does not say when it was taken; "
                "save it with `fivetran-auditor fetch`, which notes the time"
            )
            return
        age = max(now - oldest, timedelta(0))
        if age > most:
            aged = in_words(age)
            more = "more than " if aged == in_words(most) else ""
            yield (
                f"{said}: the snapshot is {more}{aged} old; fetch again, or raise --max-age to "
                "judge it all the same"
            )
