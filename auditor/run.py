"""A run: records through rules into a result.

Data flows one way: a source yields pages, the judge judges them, and what is left is a result
that reports show and a gate that answers. A listing that did not end, a check that could not be
evaluated, or nothing to judge at all make a run inconclusive, never a pass.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec.structs import replace

from auditor.clock import apart, in_words, to_the_second
from auditor.errors import SourceError, UsageError
from auditor.facts.dimensions import SHOWN_WITH, Dimensions
from auditor.facts.gathered import ALWAYS, GatheredFacts, names_shown
from auditor.facts.shape import facts_read, shape_of
from auditor.fields import BEFORE, PLAN
from auditor.gate import Bar, decide
from auditor.model import (
    Account,
    Checkout,
    Completeness,
    Connection,
    Connections,
    Finding,
    Listing,
    Pipeline,
    PlanScope,
    Result,
    Rule,
    Severity,
)
from auditor.policy import Ruleset
from auditor.policy.judging.evidence import shown
from auditor.policy.judging.judge import Judge, Judgement
from auditor.policy.language.conditions import reach
from auditor.policy.scrub import scrubbed_findings, scrubbed_rules
from auditor.redaction.fields import Scrubber
from auditor.sources import End, Event, Listed, Page, Reading, Restart, Source
from auditor.text import is_plain, one_line, plural, printable, shortened
from auditor.version import __version__

if TYPE_CHECKING:
    from auditor.acceptance.apply import Accepted
    from auditor.acceptance.baseline import Baseline
    from auditor.acceptance.match import Watch
    from auditor.acceptance.waivers import Waivers
    from auditor.policy.judging.change import Changed
    from auditor.policy.judging.judge import PlanMode
    from auditor.policy.judging.tree import Explained
    from auditor.sources.plan.source import PlanSource

#: The local clock and the server's may differ by so much before the server's counts.
CLOCK_TOLERANCE = timedelta(seconds=300)
#: Seconds that a live listing may take in all.
DEFAULT_TIMEOUT = 600.0
#: With --strict a saved listing may be so old, where --max-age says nothing else.
_STRICT_AGE = timedelta(hours=24)
_NO_VALUE = "(missing)"
_NOT_KNOWN = "(not known)"
#: So many problems of a listing, and warnings, are told one by one.
_TOLD = 50
#: Records that are judged between two looks at the clock.
_AT_ONCE = 250


class Options(msgspec.Struct, frozen=True):
    """How a run judges and gates; the defaults are the command's.

    ``fail_on`` is the least severity that makes a violation count, None for none. ``timeout`` is
    seconds for a live listing. ``now`` replays a time, ``clock`` is the run's own, by which
    ``waivers`` expire. ``limits`` are the most violations of a severity that are allowed,
    whatever ``fail_on`` says. What ``baseline`` knows does not gate. ``notes`` are sentences that
    reports show. ``max_age`` is how old a saved listing may be; with ``strict`` a day, where it is
    None.
    ``skip_unknown`` makes a check that rests on what is unknown until a plan is applied a skip.
    ``lists`` are facts to read whether a rule reads them or not, ``dimensions`` the paths of what
    reports show of each connection, by name. ``pipeline`` is the CI run that reports link to,
    ``checkout`` the repository it stands in, ``docs_url`` where rules have pages of their own.
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

    def __post_init__(self) -> None:
        """Raise UsageError for a value that would let pass what it is there to stop."""
        if not (_is_number(self.timeout) and 0 < self.timeout < math.inf):
            raise UsageError(f"timeout: {self.timeout!r} is not a number of seconds above 0")
        if self.now is not None and not _is_moment(self.now):
            raise UsageError(f"now: {self.now!r} is not a time with a zone; give it one, as UTC")
        if self.fail_on is not None and not isinstance(self.fail_on, Severity):
            raise UsageError(f"fail_on: {self.fail_on!r} is no Severity, nor None for no limit")
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


class Seen(msgspec.Struct, frozen=True):
    """A connection that was looked for: its place in the listing, and its record as rules saw it.

    ``why`` has, for each rule in order, why it came to its verdict.
    """

    at: int
    connection: Connection
    record: Any
    why: tuple[tuple[Rule, tuple[Explained, ...]], ...]


class Look(msgspec.Struct, frozen=True):
    """A run, and what it saw of the connections that were looked for.

    ``records`` are those that were kept, by their place in the listing.
    """

    result: Result
    seen: tuple[Seen, ...]
    records: Mapping[int, Any]


class _Wanted(NamedTuple):
    """Which records a walk keeps: of the connections with this id, name or address, or all."""

    name: str
    whole: bool


class Progress(msgspec.Struct, frozen=True):
    """How far a walk has come."""

    pages: int
    connections: int
    walk: int


def audit(
    source: Source,
    ruleset: Ruleset,
    options: Options | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Result:
    """Judge every connection that ``source`` lists by the rules of ``ruleset``.

    A source that fails does not raise: the result says that the run is inconclusive and why, and
    shows what was judged until then. Raises UsageError for rules that are none, and for a baseline
    of another account; PolicyError for waivers that the policies do not allow.
    """
    return _read(source, ruleset, options or Options(), on_progress).result()


def look(
    source: Source,
    ruleset: Ruleset,
    wanted: str,
    options: Options | None = None,
    *,
    whole: bool = False,
) -> Look:
    """Judge as ``audit`` does, and keep what is seen of the connections that ``wanted`` names.

    That is an id, a name (``schema``), or the address of a plan's resource. With ``whole`` the
    records of all connections are kept. Raises as ``audit`` does.
    """
    return _read(source, ruleset, options or Options(), None, _Wanted(wanted, whole)).look()


def _read(
    source: Source,
    ruleset: Ruleset,
    options: Options,
    on_progress: Callable[[Progress], None] | None,
    wanted: _Wanted | None = None,
) -> _Audit:
    """Return a run that has read its source."""
    if not isinstance(ruleset, Ruleset) or not ruleset.rules:
        raise UsageError("there is no rule to judge by; load_policies returns some")
    if options.baseline is not None:
        options.baseline.check_source(source.info)
    if options.waivers is not None:
        from auditor.acceptance.waivers import (  # noqa: PLC0415  # for runs with waivers only
            check_terms,
        )

        check_terms(options.waivers, (entry.rule for entry in ruleset.rules), options.clock())
    run = _Audit(source, ruleset, options, on_progress, wanted)
    events = source.events(run.shape)
    if source.live:
        from auditor.sources.ahead import read_ahead  # noqa: PLC0415  # threads, for a wait only

        run.deadline = time.monotonic() + options.timeout
        events = read_ahead(events, source=source, timeout=options.timeout)
    run.read(events)
    return run


class _Audit:
    """One walk after another, until one ends."""

    def __init__(
        self,
        source: Source,
        ruleset: Ruleset,
        options: Options,
        on_progress: Callable[[Progress], None] | None,
        wanted: _Wanted | None = None,
    ) -> None:
        info = source.info
        self._plan = _plan_of(source)
        reads, whole = ruleset.reads()
        if options.waivers is not None:
            more, more_whole = options.waivers.reads()
            reads, whole = reads | more, whole | more_whole
        if self._plan is not None and any(path.startswith(PLAN) for path in reads):
            # What was before a plan, the account as it is tells where the plan does not.
            reads |= {path.removeprefix(f"{BEFORE}.") for path in reads} | {"sync_frequency"}
        if isinstance(source, Reading):
            reads |= source.reads
        also = (*ALWAYS, *options.lists)
        own = ruleset.facts
        dimensions = _dimensions(facts_read(reads | whole, own), options.dimensions)
        reads |= frozenset(dimensions.values())
        self.shape = shape_of(reads | names_shown(also), whole, own, also=also)
        # What the user's own files say may be shown: they were brought for that.
        reveal = frozenset(field.path for each in own.values() for field in each.fields())
        self._dimensions = Dimensions(
            dimensions,
            self.shape,
            lambda path, value: shown(path, value, reveal, self._clean),
            reach,
        )
        self._facts = GatheredFacts(
            self.shape,
            facts_read(reads | whole, own),
            info.kind if self._plan is None or not self._plan.alone else PLAN,
            [own[name].table(shape) for name, shape in self.shape.own.items()],
        )
        clean = options.scrubber.text
        self._info = replace(
            info,
            location=clean(info.location),
            filters=tuple((name, clean(value)) for name, value in info.filters),
        )
        self._ruleset = scrubbed_rules(ruleset, options.scrubber)
        self._options = options
        self._on_progress = on_progress
        self._now: datetime | None = None
        self._as_of: datetime | None = None
        self._today = options.clock()
        self._clock_note = ""
        self._clock_warning: tuple[str, ...] = ()
        self._wanted = wanted
        self._walk = _Gathered(wanted=wanted)
        self._kept: list[Page] = []
        self._walks = 1
        self._end: End | None = None
        self._broken = ""
        #: When judging has to stop, by the clock that never goes back; a saved listing has no end.
        self.deadline = math.inf

    def read(self, events: Iterator[Event]) -> None:
        """Judge every page of a listing; a failure of the source ends it, and is kept."""
        for step in (partial(self._follow, events), self._judge_kept):
            try:
                step()
            except SourceError as error:
                self._broken = self._broken or self._clean(str(error), limit=1000)

    def _follow(self, events: Iterator[Event]) -> None:
        """Take every event of a listing, and judge pages as soon as their facts are there."""
        for event in events:
            if self._end is not None:
                raise SourceError(f"the source went on after its end ({_kind(event)})")
            match event:
                case Page():
                    self._kept.append(event)
                case Restart():
                    self._walk, self._kept = _Gathered(wanted=self._wanted), []
                    self._dimensions = self._dimensions.restarted()
                    self._walks += 1
                case Listed():
                    self._facts.take(event)
                case End():
                    self._end = event
            if self._facts.complete:
                self._judge_kept()

    def look(self) -> Look:
        """Return what was found, and what was seen of the connections that were looked for."""
        from auditor.policy.judging.tree import (  # noqa: PLC0415  # for whoever asks why only
            explained,
        )

        result, judgement = self._judged()
        seen = [
            Seen(
                at,
                result.connections[at],
                record,
                tuple(
                    (entry.rule, tuple(explained(judgement, entry, at, record)))
                    for entry in self._ruleset.rules
                ),
            )
            for at, record in self._walk.kept.items()
            if self._walk.is_wanted(at)
        ]
        return Look(result, tuple(seen), self._walk.kept)

    def result(self) -> Result:
        """Return what was found."""
        return self._judged()[0]

    def _judged(self) -> tuple[Result, Judgement]:
        listing = self._listing()
        judge = self._walk.judge or self._judge(None)
        names = self._facts.group_names.items()
        connections = dataclasses.replace(
            self._walk.connections(self._tidy),
            group_names={self._clean(name): self._clean(text) for name, text in names},
            dimensions=self._dimensions.columns,
        )
        outcome = judge.outcome(partial(self._is_whole, listing))
        options, accepted = self._options, None
        change = self._change(outcome, listing) if self._plan is not None else None
        outcome = change.outcome if change is not None else outcome
        info = replace(self._info, account=self._account())
        if options.baseline is not None:
            options.baseline.check_source(info)
        if options.waivers is not None or options.baseline is not None:
            accepted = self._accepted(outcome, connections, listing)
            outcome = accepted.outcome
        checks = outcome.checks()
        scope = self._scope(change) if change is not None else None
        bar = Bar(
            options.fail_on,
            strict=options.strict,
            allow_empty=options.allow_empty,
            limits=options.limits,
            doubts=tuple(self._too_old()),
        )
        result = Result(
            version=__version__,
            judged_at=self._now or options.clock(),
            source=info,
            taken_at=self._as_of if self._is_saved else None,
            listing=listing,
            policies=self._ruleset.policies,
            connections=connections,
            checks=checks,
            gate=decide(listing, checks, bar, scope),
            describe=self._describing(outcome, connections),
            clock_note=self._clock_note,
            left_out=(*self._narrowed(), *self._ruleset.left_out),
            narrowed_by=(
                *(f"{name}={value}" for name, value in self._info.filters),
                *filter(None, [self._ruleset.selected_by]),
            ),
            warnings=(
                *self._ruleset.warnings,
                *self._clock_warning,
                *(self._clean(warning, limit=1000) for warning in self._facts.warnings()),
                *(accepted.warnings if accepted else ()),
            ),
            accepted=accepted.accepted if accepted else (),
            waivers=accepted.waivers if accepted else (),
            baseline=accepted.baseline if accepted else None,
            notes=tuple(
                self._clean(note, limit=1000)
                for note in (*options.notes, *self._ruleset.notes, *self._plan_notes(scope))
            ),
            plan=scope,
            pipeline=options.pipeline,
            checkout=options.checkout,
            docs_url=options.docs_url,
            facts=tuple(
                replace(info, problem=self._clean(info.problem, limit=1000))
                for info in (
                    *self._facts.infos(),
                    *(own.info for own in self._ruleset.facts.values()),
                )
            ),
        )
        return result, outcome

    def _account(self) -> Account | None:
        account = self._facts.account
        return account and Account(self._clean(account.id), self._clean(account.name))

    def _accepted(self, outcome: Judgement, shown: Connections, listing: Listing) -> Accepted:
        """Return the outcome with what waivers cover and a baseline knows."""
        from auditor.acceptance.apply import (  # noqa: PLC0415  # for runs with exceptions only
            Exceptions,
            Seen,
            accept,
        )

        walk, options = self._walk, self._options
        if (
            options.baseline is not None
            and listing.complete
            and not self._info.filters
            and walk.ids
            and self._plan is None
        ):
            options.baseline.check_connections(frozenset(shown.ids))
        known = listing.completeness is not Completeness.UNKNOWN
        seen = Seen(
            listed=walk.connections(list),
            shown=shown,
            holds=walk.watch.holds if walk.watch is not None else {},
            today=self._today,
            whole=listing.complete
            and known
            and not self._info.filters
            and (self._plan is None or not self._plan.alone),
            clean=partial(self._clean, limit=1000),
        )
        exceptions = Exceptions(options.waivers, options.baseline)
        return accept(outcome, exceptions, seen, self._ruleset)

    def _judge_kept(self) -> None:
        """Judge the pages that came before the facts that rules read."""
        kept, self._kept = self._kept, []
        for page in kept:
            self._take(page)

    def _take(self, page: Page) -> None:
        walk = self._walk
        if walk.judge is None:
            walk.judge = self._judge(page.as_of)
            walk.watch = self._watch(self._now or self._today)
        walk.pieces += 1
        walk.pages += page.is_answer
        # Said before the judging, which may end here.
        if page.as_of is not None and self._is_live:
            walk.problems += filter(None, [apart(page.as_of, self._options.clock())])
        for part in _parts(page):
            self._facts.join(part.records)
            self._dimensions.take(part.records)
            walk.take(part)
            if time.monotonic() > self.deadline:
                raise SourceError(
                    f"the listing was not judged within {self._options.timeout:,g} s (--timeout); "
                    f"busy with page {walk.pages:,}, after connection {one_line(walk.ids[-1])}, "
                    f"{plural(len(walk.ids), 'connection')} in all; raise --timeout, or narrow the "
                    "listing with --group"
                )
        if self._on_progress is not None:
            self._on_progress(Progress(walk.pieces, len(walk.ids), self._walks))

    def _watch(self, now: datetime) -> Watch | None:
        """Return what looks for the records that a waiver's ``while`` holds of."""
        if self._options.waivers is None:
            return None
        from auditor.acceptance.match import Watch  # noqa: PLC0415  # for runs with waivers only

        return Watch(self._options.waivers.entries, now)

    def _judge(self, as_of: datetime | None) -> Judge:
        if self._now is None:
            self._now = self._settle_clock(as_of)
        return Judge(self._ruleset, self.shape, self._now, self._clean, self._plan_mode())

    # -- a plan ---------------------------------------------------------------------------------

    def _plan_mode(self) -> PlanMode | None:
        plan = self._plan
        if plan is None:
            return None
        from auditor.policy.judging.change import mode_of  # noqa: PLC0415  # for plans only

        return mode_of(
            plan.placed,
            plan.accounts,
            partial=plan.alone,
            skip_unknown=self._options.skip_unknown,
        )

    def _change(self, outcome: Judgement, listing: Listing) -> Changed:
        """Return the outcome as the gate of a change has it."""
        from auditor.policy.judging.change import changed  # noqa: PLC0415  # for plans only

        plan, before = self._plan, None
        assert plan is not None
        if not plan.alone:
            assert self._now is not None
            judge = Judge(self._ruleset, self.shape, self._now, self._clean)
            self._facts.with_lists(plan.lists).join(plan.before)
            judge.take(plan.before)
            ids = self.shape.ids(plan.before)
            before = judge.outcome(partial(self._is_whole, listing)), ids
        return changed(outcome, self._walk.ids, plan.placed, before, plan.facts)

    def _scope(self, change: Changed) -> PlanScope:
        plan = self._plan
        assert plan is not None
        return PlanScope(
            nothing=plan.nothing,
            touched=len(plan.estate.touched),
            over=self._clean(plan.over, limit=1000),
            saved=self._is_saved,
            mended=tuple(self._clean(text, limit=1000) for text in change.mended),
            improved=tuple(self._clean(text, limit=1000) for text in change.improved),
        )

    def _plan_notes(self, scope: PlanScope | None) -> Iterator[str]:
        if self._plan is None or scope is None:
            return
        yield from self._plan.notes()
        if scope.mended:
            shown = "; ".join(_first(list(scope.mended), "fixed violation")[:_TOLD])
            yield f"fixed by this change: {plural(len(scope.mended), 'violation')} ({shown})"
        for text in scope.improved:
            yield f"improved by this change: {text}"

    def _describing(
        self, outcome: Judgement, connections: Connections
    ) -> Callable[[], tuple[Finding, ...]]:
        scrubber = self._options.scrubber

        def describe() -> tuple[Finding, ...]:
            findings = outcome.findings(connections)
            if self._plan is not None:
                findings = tuple(self._with_resources(findings, connections))
            return scrubbed_findings(findings, scrubber)

        return describe

    def _with_resources(
        self, findings: tuple[Finding, ...], connections: Connections
    ) -> Iterator[Finding]:
        from auditor.policy.judging.change import with_resources  # noqa: PLC0415  # for plans only

        assert self._plan is not None
        planned = {connections.ids[n]: each for n, each in self._plan.placed.items()}
        return with_resources(findings, planned, self._clean, self._plan.locate)

    @property
    def _is_live(self) -> bool:
        """Whether the account was listed by its API, alone or under a plan."""
        return self._info.kind == "api" or (self._plan is not None and self._plan.live)

    @property
    def _is_saved(self) -> bool:
        """Whether an account was listed before, and saved; a plan alone lists none."""
        alone = self._plan is not None and self._plan.alone
        return not self._is_live and not alone

    def _settle_clock(self, as_of: datetime | None) -> datetime:
        """Return the one time that all rules compare with; settle the one that waivers end by."""
        local = self._options.clock()
        self._as_of = as_of
        off = as_of is not None and abs(as_of - local) > CLOCK_TOLERANCE
        if as_of is not None and self._is_live and off:
            # By the later of the two: a server that is behind revives no waiver.
            self._today = max(local, as_of)
        if self._options.now is not None:
            self._clock_note = f"judged as of {to_the_second(self._options.now)}, given with --now"
            return self._options.now
        if as_of is None:
            return local
        if not self._is_live:
            self._clock_note = f"judged as of {to_the_second(as_of)}, when the snapshot was taken"
            return as_of
        if not off:
            return local
        ours, theirs = to_the_second(local), to_the_second(as_of)
        clocks = f"this machine's clock says {ours}, the server's {theirs}"
        self._clock_warning = (f"{clocks}: the server's counts; set this machine's",)
        return as_of

    def _listing(self) -> Listing:
        walk, end = self._walk, self._end
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
        return Listing(
            completeness=completeness,
            pages=walk.pages,
            connections=len(walk.ids),
            walks=end.walks if end else self._walks,
            problems=tuple(self._clean(p, limit=1000) for p in _first(problems, "problem")),
            warnings=tuple(self._clean(w, limit=1000) for w in _first(warnings, "warning")),
        )

    def _too_old(self) -> Iterator[str]:
        """Yield why a saved listing is too old to answer for the account."""
        most, strict = self._options.max_age, self._options.strict
        if most is None and strict:
            most = _STRICT_AGE
        if most is None or not self._is_saved or self._walk.judge is None:
            return
        said = f"--max-age {in_words(most)}" if self._options.max_age else "--strict"
        way_out = "fetch again, or raise --max-age to judge it all the same"
        if self._as_of is None:
            yield f"{said}: the saved listing does not say when it was taken; {way_out}"
        elif self._age() > most:
            yield f"{said}: the snapshot is {in_words(self._age())} old; {way_out}"

    def _age(self) -> timedelta:
        assert self._as_of is not None
        return max(self._options.clock() - self._as_of, timedelta(0))

    def _is_whole(self, listing: Listing, rule: Rule) -> bool:
        """Whether every connection of every group of ``rule`` was seen."""
        filters = {name for name, _ in self._info.filters}
        if filters == {"group_id"} and "group_id" in rule.per:
            filters = set()
        alone = self._plan is not None and self._plan.alone
        return listing.complete and not filters and not alone

    def _narrowed(self) -> Iterator[str]:
        for name, value in self._info.filters:
            yield f"only connections with {name} {one_line(value)} were listed"

    def _clean(self, text: str, limit: int = 200) -> str:
        return shortened(printable(self._options.scrubber.text(text)), limit)

    def _tidy(self, column: list[str]) -> Sequence[str]:
        """Return a column of identities that can be shown, looking at it as a whole first."""
        if "" in column:
            nothing = _NO_VALUE if self._plan is None else _NOT_KNOWN
            column = [value or nothing for value in column]
        joined = "".join(column)
        # A value can only be too long where the column is longer than its values allow.
        short = len(joined) <= 200 or max(map(len, column), default=0) <= 200
        if short and is_plain(joined) and not self._options.scrubber.touches(joined):
            return column
        return [self._clean(value) for value in column]


def _parts(page: Page) -> Iterator[Page]:
    """Yield a page a few records at a time: what each may take, and what they may all take."""
    for start in range(0, max(len(page.records), 1), _AT_ONCE):
        end = start + _AT_ONCE
        named = page.identities.part(start, end) if page.identities is not None else None
        part = Page(page.records[start:end], identities=named)
        # What a page says beside its records is said once.
        yield part if start else replace(page, records=part.records, identities=named)


def _kind(event: Event) -> str:
    return type(event).__name__.lower()


class _Gathered(msgspec.Struct):
    """What one walk has gathered so far."""

    judge: Judge | None = None
    watch: Watch | None = None
    pages: int = 0
    pieces: int = 0
    ids: list[str] = msgspec.field(default_factory=list)
    services: list[str] = msgspec.field(default_factory=list)
    schemas: list[str] = msgspec.field(default_factory=list)
    group_ids: list[str] = msgspec.field(default_factory=list)
    addresses: list[str] = msgspec.field(default_factory=list)
    problems: list[str] = msgspec.field(default_factory=list)
    warnings: list[str] = msgspec.field(default_factory=list)
    #: The records that somebody looks for, by their place in the listing.
    wanted: _Wanted | None = None
    kept: dict[int, Any] = msgspec.field(default_factory=dict)
    #: One string a distinct service and group, however many connections have it.
    _known: dict[str, str] = msgspec.field(default_factory=dict)

    def take(self, page: Page) -> None:
        """Judge some of a page and keep their identities."""
        assert self.judge is not None
        self.judge.take(page.records)
        self.problems += page.problems
        self.warnings += page.warnings
        known = self._known.setdefault
        records: list[Any] = page.records
        named = page.identities
        if named is not None:
            self.ids += named.ids
            self.schemas += named.schemas
            self.services += named.services
            self.group_ids += named.group_ids
            self.addresses += named.addresses
        else:
            self.ids += [record.id for record in records]
            self.schemas += _texts([record.schema for record in records])
            self.services += [known(s, s) for s in _texts([r.service for r in records])]
            self.group_ids += [known(g, g) for g in _texts([r.group_id for r in records])]
        if self.watch is not None:
            columns = (self.ids, self.services, self.schemas, self.group_ids, self.addresses)
            last = [column[max(len(column) - len(records), 0) :] for column in columns]
            self.watch.take(records, Connections(last[0], last[1], last[2], last[3], last[4]))

        if self.wanted is not None:
            start = len(self.ids) - len(records)
            for at, record in enumerate(records, start):
                if self.wanted.whole or self.is_wanted(at):
                    self.kept[at] = record

    def is_wanted(self, at: int) -> bool:
        """Whether the connection at this place is looked for."""
        named = {self.ids[at], self.schemas[at], *self.addresses[at : at + 1]}
        return self.wanted is not None and self.wanted.name in named - {""}

    def connections(self, tidy: Callable[[list[str]], Sequence[str]]) -> Connections:
        """Return the identities, each column made showable by ``tidy``."""
        return Connections(
            tidy(self.ids),
            tidy(self.services),
            tidy(self.schemas),
            tidy(self.group_ids),
            self.addresses or (),
        )


def _dimensions(read: Collection[str], given: Mapping[str, str]) -> dict[str, str]:
    """Return the paths of what is shown of connections: what rules read anyway, and ``given``."""
    return {name: path for fact, (name, path) in SHOWN_WITH.items() if fact in read} | dict(given)


def _texts(values: list[Any]) -> list[str]:
    """Return identities as text, "" where a record has none: no waiver can name that."""
    if set(map(type, values)) <= {str}:
        return values
    return [value if type(value) is str else "" for value in values]


def _first(texts: list[str], noun: str) -> list[str]:
    """Return the first of ``texts`` and how many more there are: a page may be all wrong."""
    rest = len(texts) - _TOLD
    return [*texts[:_TOLD], f"and {plural(rest, f'more {noun}')}"] if rest > 0 else texts


def _plan_of(source: Source) -> PlanSource | None:
    """Return ``source`` if it is a plan's."""
    if source.info.kind != "terraform-plan":
        return None
    from auditor.sources.plan.source import PlanSource  # noqa: PLC0415  # for plans only

    return source if isinstance(source, PlanSource) else None
