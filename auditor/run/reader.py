"""Reads a source: takes its events, and judges pages as soon as rules have their facts."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from auditor.errors import SourceError
from auditor.model import Completeness, Listing
from auditor.run.options import Progress
from auditor.run.scrub import SENTENCE, first, scrubbed, sentences
from auditor.run.setup import Setup
from auditor.run.walk import Walk, WalkPart, Wanted
from auditor.sources import End, Event, Listed, Page, Restart
from auditor.sources.stream import more_time
from auditor.text import one_line, plural

if TYPE_CHECKING:
    from auditor.acceptance.match import Watch

#: How many records are judged between two looks at the clock.
_AT_ONCE = 250


class SecondHalf(msgspec.Struct, frozen=True):
    """Pages that a second process has read and judged.

    ``pages`` are as they were read, ``taken`` is when they say that they were saved.
    """

    pages: list[Any]
    walk: WalkPart
    taken: Collection[datetime | None]


class Reader:
    """Reads one source, walk after walk, until one ends.

    ``walk`` is the last walk. ``deadline`` is when judging has to stop, in monotonic time.
    """

    def __init__(
        self,
        run: Setup,
        deadline: float,
        on_progress: Callable[[Progress], None] | None = None,
        wanted: Wanted | None = None,
    ) -> None:
        self._run = run
        self._deadline = deadline
        self._on_progress = on_progress
        self.walk = Walk(run.dimensions.renewed(), wanted)
        self._walks = 1
        #: Pages that came before the facts that rules need.
        self._waiting: list[Page] = []
        self._end: End | None = None
        self._broken = ""

    def read(self, events: Iterator[Event | SecondHalf]) -> None:
        """Judge every page of a listing; a failure of the source ends it, and is recorded."""
        for step in (partial(self.follow, events), self._judge_waiting):
            try:
                step()
            except SourceError as error:
                self._broken = self._broken or self._clean(str(error))

    def follow(self, events: Iterator[Event | SecondHalf]) -> None:
        """Judge every page whose facts are known. Raises SourceError where a listing breaks off."""
        for event in events:
            if self._end is not None:
                kind = type(event).__name__.lower()
                raise SourceError(f"the source went on after its end ({kind})")
            match event:
                case Page():
                    self._waiting.append(event)
                case Restart():
                    self.walk = Walk(self.walk.dimensions.renewed(), self.walk.wanted)
                    self._waiting = []
                    self._walks += 1
                case Listed():
                    self._run.facts.take(event)
                case SecondHalf():
                    self.walk.join(event.walk)
                    self._run.clock.taken.update(event.taken)
                    self._report()
                case End():
                    self._end = event
            if self._run.facts.complete:
                self._judge_waiting()

    def _judge_waiting(self) -> None:
        pages, self._waiting = self._waiting, []
        for page in pages:
            self._judge(page)

    def _judge(self, page: Page) -> None:
        walk, run = self.walk, self._run
        if walk.judge is None:
            walk.judge = run.judge(page.as_of)
            walk.watch = self._watch(run.clock.settle(page.as_of))
        walk.pieces += 1
        walk.pages += page.is_answer
        # Reported before judging, which may end here.
        walk.problems += filter(None, [run.clock.problem_of(page)])
        for part in _parts(page):
            run.facts.join(part.records)
            walk.take(part)
            if time.monotonic() > self._deadline:
                after = f", after connection {one_line(walk.ids[-1])}" if walk.ids else ""
                raise SourceError(
                    f"the listing was not judged within {run.options.timeout:,g} s (--timeout); "
                    f"busy with page {walk.pages:,}{after}, "
                    f"{plural(len(walk.ids), 'connection')} in all; {more_time(run.info)}"
                )
        if run.plan.live:
            walk.judge.describe()  # While the next page is on its way.
        self._report()

    def _report(self) -> None:
        if self._on_progress is not None:
            self._on_progress(Progress(self.walk.pieces, len(self.walk.ids), self._walks))

    def _watch(self, now: datetime) -> Watch | None:
        """Return what finds the records for which a waiver's ``while`` holds."""
        waivers = self._run.options.waivers
        if waivers is None:
            return None
        from auditor.acceptance.match import Watch  # noqa: PLC0415  # for runs with waivers only

        return Watch(waivers.entries, now)

    def listing(self) -> Listing:
        """Return how the reading went, and whether the listing is whole."""
        walk, end = self.walk, self._end
        problems, warnings = list(walk.problems), list(walk.warnings)
        completeness = Completeness.INCOMPLETE
        if self._broken:
            problems.append(self._broken)
        elif end is None:
            problems.append("the listing stopped without an end")
        else:
            completeness = end.completeness
            problems += end.problems
            warnings += end.warnings
        scrubber = self._run.options.scrubber
        return Listing(
            completeness=completeness,
            pages=walk.pages,
            connections=len(walk.ids),
            walks=end.walks if end else self._walks,
            problems=sentences(first(problems, "problem"), scrubber),
            warnings=sentences(first(warnings, "warning"), scrubber),
        )

    def _clean(self, text: str) -> str:
        return scrubbed(text, self._run.options.scrubber, SENTENCE)


def _parts(page: Page) -> Iterator[Page]:
    """Yield a page a few records at a time, so that no page overruns the deadline by much."""
    # A page's own notes are told once, with its first records, whether it has some or none.
    yield replace(page, **_cut(page, 0))
    for start in range(_AT_ONCE, len(page.records), _AT_ONCE):
        yield Page(**_cut(page, start))


def _cut(page: Page, start: int) -> dict[str, Any]:
    """Return the next records of a page, and their identities if it names them."""
    end, named = start + _AT_ONCE, page.identities
    return {
        "records": page.records[start:end],
        "identities": named.part(start, end) if named is not None else None,
    }
