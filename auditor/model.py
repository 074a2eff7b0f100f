"""The values a run is made of: verdicts, rules, findings, the listing, the result.

Everything here is frozen and knows nothing about where records come from, how rules are written or
how reports look. Text in these values is ready to be shown: secrets are removed and control
characters escaped (``redaction/``, ``text.py``); a report still escapes for its own format.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, IntEnum
from functools import cached_property
from itertools import compress, groupby
from operator import attrgetter
from typing import TypeVar, overload

import msgspec

_T = TypeVar("_T")


class Verdict(IntEnum):
    """The result of a check. The number is the byte that a check takes in memory."""

    PASS = 0
    FAIL = 1
    ERROR = 2
    SKIP = 3
    WAIVED = 4
    KNOWN = 5

    #: The word that users, reports and the JSON document use.
    label: str


class Severity(IntEnum):
    """How much a violation matters; ``--fail-on`` compares them."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    #: The word that policies and reports use.
    label: str


# Needed for every finding, in every report.
for _member in (*Verdict, *Severity):
    _member.label = _member.name.lower()


class Completeness(Enum):
    """What is known about a listing: whether it is all there was."""

    ONE_PAGE = "complete: one page, one moment"
    VERIFIED = "complete: two walks in a row listed the same connections"
    SNAPSHOT = "complete: a snapshot with its closing line"
    ONE_WALK = (
        "one walk, no anomaly seen; a change meanwhile may have hidden a connection, "
        "which --verify-listing would show"
    )
    PLAN = "a plan that says it is complete"
    UNKNOWN = "completeness unknown"
    INCOMPLETE = "incomplete"


class Outcome(Enum):
    """The gate's answer, as a word."""

    PASSED = "passed"
    VIOLATIONS = "violations"
    INCONCLUSIVE = "inconclusive"

    def __bool__(self) -> bool:
        """Only a pass is true: ``if`` is how a task asks."""
        return self is Outcome.PASSED


#: How a shipped pack's file name begins in positions; no real file's name does.
PACK = "pack:"


class Position(msgspec.Struct, frozen=True, order=True):
    """A spot in a file; lines and columns count from 1."""

    file: str
    line: int
    column: int

    @property
    def in_pack(self) -> bool:
        """Whether the file is a shipped pack, not one of the user's: ``pack:baseline``."""
        return self.file.startswith(PACK)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Checkout(msgspec.Struct, frozen=True):
    """The repository that a run is in, so that a host finds the files that reports name.

    ``root`` is its folder, "" if there is none; ``folder`` is the working folder, from there.
    """

    root: str = ""
    folder: str = ""


class Connection(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A connection's identity, all that a result keeps of a record.

    ``group_name`` is "" if it is not known.
    """

    id: str
    service: str
    schema: str
    group_id: str
    group_name: str = ""

    @property
    def group(self) -> str:
        """The group as people know it: its name with its id, or the id alone."""
        return group_label(self.group_id, self.group_name)


def group_label(group_id: str, name: str) -> str:
    """Return how reports name a group: ``Production (keen_maple)``."""
    return f"{name} ({group_id})" if name else group_id


class Rule(msgspec.Struct, frozen=True):
    """A rule as reports show it; its condition stays with the policy that compiled it.

    ``expects`` is the assertion in plain English, ``applies_when`` the ``when`` ("" without one).
    ``per`` is empty for a rule on single connections, else the paths that form its groups
    (``("account",)`` for all connections together). ``named_at`` is where a file of the user's
    overrides the rule of a pack, or extends the pack; None if no file does. ``may_be_idle`` means
    that a healthy account may have nothing that the rule applies to. With ``waivable`` False no
    waiver may cover it, and none may end later than ``max_waiver`` from now, None for any end.
    """

    id: str
    title: str
    severity: Severity
    policy: str
    position: Position
    expects: str
    applies_when: str = ""
    why: str = ""
    fix: str = ""
    tags: tuple[str, ...] = ()
    controls: tuple[tuple[str, tuple[str, ...]], ...] = ()
    per: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    named_at: Position | None = None
    may_be_idle: bool = False
    waivable: bool = True
    max_waiver: timedelta | None = None

    @property
    def skip_reason(self) -> str:
        """Why a check of this rule is skipped: its ``when`` did not apply."""
        return f"applies only when {self.applies_when}" if self.applies_when else "nothing to judge"


class Evidence(msgspec.Struct, frozen=True, gc=False):
    """One field that decided a finding: what it holds and what the rule wanted, as text."""

    field: str
    actual: str
    expected: str


class Attribute(msgspec.Struct, frozen=True, gc=False):
    """What to change in Terraform for one field of a finding, as text that can be shown.

    ``name`` of the resource at ``address`` sets ``field``, from ``before`` ("" for a new object) to
    ``after``. ``position`` is where it is written, None where no folder was given.
    """

    field: str
    address: str
    name: str
    before: str
    after: str
    position: Position | None = None

    def __str__(self) -> str:
        differs = self.before and self.before != self.after
        change = f"{self.before} -> {self.after}" if differs else self.after
        where = f", {self.position.file}:{self.position.line}" if self.position else ""
        return f"{self.address}: {self.name} {change}{where}"


class Resource(msgspec.Struct, frozen=True, gc=False):
    """A connection's resource in a Terraform plan, what is done to it, and what sets its fields."""

    address: str
    action: str
    attributes: tuple[Attribute, ...] = ()
    position: Position | None = None


class Finding(msgspec.Struct, frozen=True, gc=False):
    """A check whose verdict is fail, error, waived or known.

    ``connections`` holds one connection, or with ``per`` every one the finding is about; ``group``
    is then the group's key as text. ``note`` is why a failure is waived or known, or why a waiver
    or baseline for it does not hold. ``advice`` is how to make an error decidable. ``resources``
    are its connections' resources in a Terraform plan. Findings of one rule with the same number in
    ``alike`` have the same evidence and the same reason; 0 says nothing.
    """

    rule: Rule
    verdict: Verdict
    connections: tuple[Connection, ...]
    evidence: tuple[Evidence, ...]
    message: str
    group: str = ""
    note: str = ""
    advice: str = ""
    resources: tuple[Resource, ...] = ()
    alike: int = 0

    @property
    def fix(self) -> str:
        """What to do: the rule's fix ends a violation, but an error's advice comes first."""
        return self.advice if self.verdict is Verdict.ERROR else self.rule.fix


class Statement(msgspec.Struct, frozen=True, gc=False):
    """All that a finding says beside its rule and its connections; many findings say the same."""

    verdict: Verdict
    evidence: tuple[Evidence, ...]
    message: str
    group: str = ""
    note: str = ""
    advice: str = ""
    resources: tuple[Resource, ...] = ()
    alike: int = 0


#: The place of a finding's connection in a table of them; of several connections, or none, a tuple.
Places = int | tuple[int, ...]


def places_of(about: Places) -> tuple[int, ...]:
    """Return the places of a finding's connections, however many."""
    return (about,) if isinstance(about, int) else about


def about(places: Sequence[int]) -> Places:
    """Return ``places`` as a finding has them."""
    return places[0] if len(places) == 1 else tuple(places)


class RuleFindings(msgspec.Struct, frozen=True):
    """The findings of one rule, as columns: ``says`` has the number of each one's statement.

    ``about`` has the places of its connections.
    """

    rule: Rule
    statements: Sequence[Statement]
    says: Sequence[int]
    about: Sequence[Places]

    def __len__(self) -> int:
        return len(self.says)

    def each(self, of_statement: Callable[[Statement], _T]) -> list[_T]:
        """Return a column of what ``of_statement`` makes of each finding's statement."""
        return list(map([*map(of_statement, self.statements)].__getitem__, self.says))

    def chosen(self, rows: Sequence[int]) -> RuleFindings:
        """Return the findings in ``rows``."""
        says = [self.says[row] for row in rows]
        kept = {number: place for place, number in enumerate(sorted(set(says)))}
        return RuleFindings(
            self.rule,
            [self.statements[number] for number in kept],
            [kept[number] for number in says],
            [self.about[row] for row in rows],
        )

    def finding(self, row: int, connections: Connections) -> Finding:
        """Return a finding by its row, given the table of connections."""
        members = tuple([connections[place] for place in places_of(self.about[row])])
        return self.saying(self.statements[self.says[row]], members)

    def saying(self, said: Statement, connections: tuple[Connection, ...] = ()) -> Finding:
        """Return a finding of the rule that says ``said`` about ``connections``."""
        return Finding(
            self.rule,
            said.verdict,
            connections,
            said.evidence,
            said.message,
            said.group,
            said.note,
            said.advice,
            said.resources,
            said.alike,
        )


class ReasonLine(msgspec.Struct, frozen=True):
    """A part of a rule's condition: the key that it is under (``when``), its English, its path.

    ``key`` is "" below another part, ``depth`` how far below; ``path`` is "" for what joins others.
    """

    key: str
    depth: int
    text: str
    path: str = ""


class Reason(msgspec.Struct, frozen=True):
    """The result of each line of a rule, a letter each, and the value that was there ("" for none).

    A part holds (``t``), fails (``f``), cannot be judged (``u``), was not evaluated (``n``),
    chooses the members of a group (``c``), or is a field that the test above compares with
    (``v``). Below a test of an array there are lines for some items; those without an item are
    ``x``.
    """

    truths: str
    values: tuple[str, ...]


class RuleReasons(msgspec.Struct, frozen=True):
    """Why a rule's findings got their verdicts: ``of`` has a reason by ``Finding.alike``.

    It is empty for a rule of one line, about which a finding says everything.
    """

    lines: tuple[ReasonLine, ...]
    of: Mapping[int, Reason]


#: How the note begins on a violation that the baseline knows but that counts again.
RAISED = "not known from"


class PolicyFile(msgspec.Struct, frozen=True):
    """A policy in force: its name, the file as the user named it, and the file's SHA-256."""

    name: str
    file: str
    sha256: str
    title: str = ""


class Account(msgspec.Struct, frozen=True):
    """The account that the records are of; ``name`` may be empty."""

    id: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.id})" if self.name else self.id


#: The address of Fivetran's API.
BASE_URL = "https://api.fivetran.com"


class SourceInfo(msgspec.Struct, frozen=True):
    """Where the records came from. ``filters`` are the API's own (``group_id``, ``schema``).

    ``base_url`` is the API that they first came from; "" if not known. ``account`` is None if not
    known. ``again`` are the options that select the source and its rules again, none for the live
    account.
    """

    kind: str
    location: str
    filters: tuple[tuple[str, str], ...] = ()
    base_url: str = ""
    account: Account | None = None
    again: tuple[str, ...] = ()


class Pipeline(msgspec.Struct, frozen=True):
    """The CI run that an audit was part of; ``url`` and ``commit`` may be "".

    ``url`` is an http or https address without credentials, ``commit`` hexadecimal.
    """

    url: str
    commit: str = ""


class FactsInfo(msgspec.Struct, frozen=True):
    """Where the facts of one name came from, and whether they could be read.

    ``origin`` is a list of the API, or a file as the user named it, whose ``sha256`` is given.
    ``problem`` says why it could not be read.
    """

    name: str
    origin: str
    rows: int
    sha256: str = ""
    problem: str = ""


class Listing(msgspec.Struct, frozen=True):
    """How the walk went. ``problems`` say what is missing; any of them makes a run inconclusive.

    ``warnings`` are oddities that cost nothing (an empty ``next_cursor``, a page over its limit).
    """

    completeness: Completeness
    pages: int
    connections: int
    walks: int = 1
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """False if something that exists was, or may have been, left unjudged."""
        return self.completeness is not Completeness.INCOMPLETE and not self.problems


def allowed(
    severity: Severity, fail_on: Severity | None, limits: Mapping[Severity, int]
) -> int | None:
    """Return how many violations of ``severity`` a gate lets through; None for any number."""
    counts = fail_on is not None and severity >= fail_on
    return limits.get(severity, 0 if counts else None)


class Gate(msgspec.Struct, frozen=True):
    """The answer a pipeline acts on, with its reasons as sentences.

    ``limits`` are how many violations of a severity are allowed, whatever ``fail_on`` says.
    ``doubts`` are the reasons that leave every connection undecided, such as an incomplete listing;
    a check that could not be evaluated leaves only its own.
    """

    outcome: Outcome
    exit_code: int
    fail_on: Severity | None
    reasons: tuple[str, ...]
    limits: tuple[tuple[Severity, int], ...] = ()
    doubts: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether the gate let the run through."""
        return bool(self.outcome)


#: The value of a dimension that could not be read.
NOT_READ = "not read"


class Part(msgspec.Struct, frozen=True):
    """What one of several reports, split by a dimension, is about.

    It has the connections whose ``dimension`` is ``value``: "" for those that have none, NOT_READ
    if it could not be read. ``listed`` is how many connections the run listed, ``places`` has those
    of the part's own among them, and ``whole`` is the gate's answer on all of them.
    """

    dimension: str
    value: str
    listed: int
    places: Sequence[int]
    whole: Gate


@dataclass(frozen=True, slots=True)
class Connections(Sequence[Connection]):
    """The identities of all judged connections, as columns: a million take one list each.

    ``addresses`` are those in a Terraform plan, "" for a connection that is not in it; there are
    none without a plan.
    """

    ids: Sequence[str]
    services: Sequence[str]
    schemas: Sequence[str]
    group_ids: Sequence[str]
    addresses: Sequence[str] = ()
    #: The names of groups by their ids, as far as they are known.
    group_names: Mapping[str, str] = field(default_factory=dict)
    #: What else reports show of connections, as columns by their names.
    dimensions: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> Connection:  # type: ignore[override]  # no slices
        group_id = self.group_ids[index]
        return Connection(
            self.ids[index],
            self.services[index],
            self.schemas[index],
            group_id,
            self.group_names.get(group_id, ""),
        )

    def __iter__(self) -> Iterator[Connection]:
        names = (self.group_names.get(group_id, "") for group_id in self.group_ids)
        return map(Connection, self.ids, self.services, self.schemas, self.group_ids, names)

    def places(self) -> dict[str, int]:
        """Return each connection's place in the listing, by id; the first of equal ids counts."""
        backwards = range(len(self.ids) - 1, -1, -1)
        return dict(zip(reversed(self.ids), backwards, strict=True))

    def chosen(self, places: Sequence[int]) -> Connections:
        """Return those at ``places``, with everything shown beside them."""

        def of(column: Sequence[str]) -> Sequence[str]:
            return [column[place] for place in places] if column else column

        return Connections(
            of(self.ids),
            of(self.services),
            of(self.schemas),
            of(self.group_ids),
            of(self.addresses),
            self.group_names,
            {name: of(column) for name, column in self.dimensions.items()},
        )

    def part(self, start: int, end: int) -> Connections:
        """Return those from ``start`` to before ``end``, without what is shown beside them."""
        return Connections(
            self.ids[start:end],
            self.services[start:end],
            self.schemas[start:end],
            self.group_ids[start:end],
            self.addresses[start:end],
        )

    @property
    def groups(self) -> list[str]:
        """Each connection's group as people know it; no two groups share a name.

        That is the group's name if no other group has it, else the name with the id, or the id
        alone if there is no name.
        """
        present = set(self.group_ids)
        whole = {each: group_label(each, self.group_names.get(each, "")) for each in present}
        named = Counter(filter(None, map(self.group_names.get, present)))
        taken = present.union(whole.values())
        label_of = {
            each: name
            for each in present
            if named[name := self.group_names.get(each, "")] == 1
            and (name == each or name not in taken)
        }
        return [label_of.get(each) or whole[each] for each in self.group_ids]


class GroupCheck(msgspec.Struct, frozen=True):
    """One check of a ``per`` rule: the group's key as text, and its verdict.

    ``about`` are the positions in the listing of the connections that it is about: those of its
    finding, else all of the group. It is empty if they were not kept.
    """

    group: str
    verdict: Verdict
    about: tuple[int, ...] = ()


class RuleChecks(msgspec.Struct, frozen=True, dict=True):
    """Every check of one rule.

    ``verdicts`` holds a byte per connection, in listing order, for a rule on connections; it is
    empty for a ``per`` rule, whose checks are in ``groups``. Of the skips, ``not_in_plan`` rest on
    what no plan has, ``left_unknown`` on what is unknown until applied.
    """

    rule: Rule
    verdicts: bytes
    groups: tuple[GroupCheck, ...] = ()
    not_in_plan: int = 0
    left_unknown: int = 0

    def count(self, verdict: Verdict) -> int:
        """How many of the rule's checks have this ``verdict``."""
        return self.counts[verdict]

    @cached_property
    def counts(self) -> Mapping[Verdict, int]:
        """The number of checks of every verdict, zeros included."""
        groups = [group.verdict for group in self.groups]
        return {
            verdict: self.verdicts.count(verdict) + groups.count(verdict) for verdict in Verdict
        }

    def places(self, verdicts: Collection[Verdict]) -> list[int]:
        """Return the positions of the connections whose checks have one of ``verdicts``."""
        chosen = bytes(verdict in verdicts for verdict in range(256))
        return list(compress(range(len(self.verdicts)), self.verdicts.translate(chosen)))

    @property
    def skip_reason(self) -> str:
        """Why the skips are skips: ``when`` did not apply, or a plan lacks what the rule reads."""
        open_in_plan = self.not_in_plan + self.left_unknown
        reasons = [self.rule.skip_reason] if self.count(Verdict.SKIP) > open_in_plan else []
        reads = ", ".join(self.rule.reads or self.rule.per)
        of = f" ({reads})" if reads else ""
        if self.not_in_plan:
            reasons.append(f"not in the plan{of}")
        if self.left_unknown:
            reasons.append(f"unknown until applied{of}")
        return "; or ".join(reasons) or self.rule.skip_reason

    @property
    def total(self) -> int:
        """How many checks the rule made."""
        return len(self.verdicts) + len(self.groups)


class Beside(msgspec.Struct, frozen=True):
    """The violations of two runs that can be compared: ``now`` and ``then``.

    ``rules`` is how many rules both judged; None if both judged the same ones.
    """

    now: int
    then: int
    rules: int | None


class PastRun(msgspec.Struct, frozen=True):
    """A run as the history keeps it, and as the trend draws it.

    ``violations`` has the failures of every severity, ``policies`` the SHA-256 of every policy in
    force and ``policy_names`` their names, in the same order. ``full`` is False if connections or
    rules were left out. ``filters`` are those of the listing, and ``by_rule`` has the failures of
    every rule that was judged; None if an older history does not say.
    """

    judged_at: datetime
    outcome: Outcome
    full: bool
    connections: int
    violations: tuple[tuple[Severity, int], ...]
    errors: int
    waived: int
    known: int
    policies: tuple[str, ...]
    filters: tuple[str, ...] = ()
    by_rule: Mapping[str, int] | None = None
    policy_names: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """How many checks failed."""
        return sum(count for _, count in self.violations)

    def beside(self, earlier: PastRun) -> Beside | None:
        """Return what this run and an earlier one found by the rules that both judged.

        None if the two cannot be compared: they listed different parts of the account, or have no
        rule in common.
        """
        if self.filters != earlier.filters:
            return None
        if self.by_rule is None or earlier.by_rule is None:
            alike = self.full and earlier.full and set(self.policies) == set(earlier.policies)
            return Beside(self.total, earlier.total, None) if alike else None
        both = self.by_rule.keys() & earlier.by_rule.keys()
        if not both:
            return None
        now = sum(self.by_rule[rule] for rule in both)
        then = sum(earlier.by_rule[rule] for rule in both)
        same = len(both) == len(self.by_rule) == len(earlier.by_rule)
        return Beside(now, then, None if same else len(both))


class Ended(msgspec.Struct, frozen=True):
    """A finding of an earlier run that no longer exists.

    ``name`` is the connection as people know it, or the group that was judged; ``id`` is the
    connection's id, "" for a group. ``gone`` means that a whole listing no longer has it; otherwise
    it was judged, and nothing was found. ``since`` is when the finding was first seen, None if that
    is not known.
    """

    rule: str
    name: str
    id: str = ""
    gone: bool = False
    since: datetime | None = None


class Unjudged(msgspec.Struct, frozen=True):
    """A finding of an earlier run; this run cannot tell whether it is fixed.

    ``name`` and ``id`` are as in ``Ended``; ``rule`` may no longer be in force.
    """

    rule: str
    name: str
    id: str = ""


class History(msgspec.Struct, frozen=True):
    """The runs of a history, oldest first with this one last, and since when findings are open.

    ``open_since`` has the time at which a finding was first seen, by its rule's id and then by its
    connection's id, or by its group, for the rules of this run and of the one before. ``ended`` is
    what was open until this run. ``again`` has, by rule, what an earlier run found as of the very
    time of this one, as of the same snapshot.
    """

    runs: tuple[PastRun, ...]
    open_since: Mapping[str, Mapping[str, datetime]]
    ended: tuple[Ended, ...] = ()
    again: Mapping[str, frozenset[str]] = {}

    def since(self, finding: Finding) -> datetime | None:
        """Return when ``finding`` was first seen without having been fixed since."""
        return self.open_since.get(finding.rule.id, {}).get(_name(finding))

    def is_new(self, finding: Finding) -> bool:
        """Whether the last of the runs was the first to find ``finding``."""
        seen = self.again.get(finding.rule.id, ())
        return self.since(finding) == self.runs[-1].judged_at and _name(finding) not in seen


def _name(finding: Finding) -> str:
    """Return what a history knows ``finding`` by."""
    return finding.group if finding.rule.per else finding.connections[0].id


class PlanScope(msgspec.Struct, frozen=True):
    """What a run over a Terraform plan covers.

    ``nothing`` is why there was nothing to judge ("" if there was something). ``touched`` are the
    connections that the plan changes: only their violations gate. ``over`` names the account that
    the plan was laid over, "" for none; ``saved`` means a saved listing of it. ``mended`` are the
    violations that the plan ends, as sentences, ``improved`` those of groups that it reduces.
    """

    nothing: str = ""
    touched: int = 0
    over: str = ""
    saved: bool = False
    mended: tuple[str, ...] = ()
    improved: tuple[str, ...] = ()


class WaiverUse(msgspec.Struct, frozen=True):
    """A waiver, and what became of it in a run.

    ``expires`` is the last moment it holds, ``accepts`` what it holds while, in English ("" for
    anything). ``matched`` counts the violations it is for, ``void`` those among them for which
    ``accepts`` does not hold, ``covered`` those that it waives and none before it does.
    """

    rule: str
    position: Position
    reason: str
    owner: str
    expires: datetime
    accepts: str
    expired: bool
    matched: int
    void: int
    covered: int


class BaselineUse(msgspec.Struct, frozen=True):
    """A baseline, and what became of its findings in a run.

    ``known`` violations are still there; so are ``raised`` ones, but they count again because their
    rule has become more severe; ``new`` ones are not in the baseline. Of the baseline's findings
    ``fixed`` were judged and no longer exist, ``gone`` are of connections that a whole listing does
    not have, ``waived`` are waived now, and ``untold`` are unknown to this run: the rule was not
    judged, the check is an error, or a narrowed run did not list the connection. ``ended`` are the
    fixed and the gone, one by one, ``unjudged`` the unknown ones.
    """

    file: str
    judged_at: datetime
    known: int
    raised: int
    new: int
    fixed: int
    waived: int
    untold: int
    gone: int = 0
    ended: tuple[Ended, ...] = ()
    unjudged: tuple[Unjudged, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Findings(Sequence[Finding]):
    """Findings as columns: a hundred thousand take less memory than their connections do.

    A finding is made when it is asked for. What goes through all of them goes by ``by_rule``, and
    by each distinct statement once.
    """

    by_rule: tuple[RuleFindings, ...]
    connections: Connections

    @classmethod
    def of(cls, findings: Iterable[Finding], connections: Connections) -> Findings:
        """Return findings on ``connections`` as columns; those of a rule follow each other."""
        places = connections.places()
        by_rule = []
        for rule, group in groupby(findings, key=attrgetter("rule")):
            numbers: dict[Statement, int] = {}
            says: list[int] = []
            where: list[Places] = []
            for each in group:
                said = Statement(
                    each.verdict,
                    each.evidence,
                    each.message,
                    each.group,
                    each.note,
                    each.advice,
                    each.resources,
                    each.alike,
                )
                says.append(numbers.setdefault(said, len(numbers)))
                where.append(about([places[connection.id] for connection in each.connections]))
            by_rule.append(RuleFindings(rule, tuple(numbers), says, where))
        return cls(tuple(by_rule), connections)

    def __len__(self) -> int:
        return sum(map(len, self.by_rule))

    def __iter__(self) -> Iterator[Finding]:
        return (finding for _, finding in self.placed())

    def placed(self) -> Iterator[tuple[tuple[int, ...], Finding]]:
        """Yield each finding after the places of its connections: two may be shown with one id."""
        for each in self.by_rule:
            for row, where in enumerate(each.about):
                yield places_of(where), each.finding(row, self.connections)

    @overload
    def __getitem__(self, index: int) -> Finding: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Finding, ...]: ...

    def __getitem__(self, index: int | slice) -> Finding | tuple[Finding, ...]:
        row = range(len(self))[index]
        if isinstance(row, range):
            return tuple([self[each] for each in row])
        for each in self.by_rule:
            if row < len(each):
                return each.finding(row, self.connections)
            row -= len(each)
        raise IndexError(index)

    def where(self, holds: Callable[[Statement], bool]) -> Iterator[tuple[int, Statement]]:
        """Yield the position of each finding whose statement ``holds``, and the statement."""
        start = 0
        for each in self.by_rule:
            said = {number: s for number, s in enumerate(each.statements) if holds(s)}
            if said:
                yield from (
                    (position, said[number])
                    for position, number in enumerate(each.says, start)
                    if number in said
                )
            start += len(each)

    def __eq__(self, other: object) -> bool:
        return tuple(self) == tuple(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # equal to a tuple that has another


class Described(msgspec.Struct, frozen=True):
    """Findings that are already described."""

    findings: Sequence[Finding]

    def __call__(self) -> Sequence[Finding]:
        """Return the findings."""
        return self.findings


class _Reasoned(msgspec.Struct, frozen=True):
    """Reasons that are already worked out."""

    reasons: Mapping[str, RuleReasons]

    def __call__(self) -> Mapping[str, RuleReasons]:
        return self.reasons


def no_reasons() -> Mapping[str, RuleReasons]:
    """Return the reasons of a result without any."""
    return {}


class Result(msgspec.Struct, frozen=True, dict=True, eq=False):
    """What a run found. Equal inputs give an equal result: nothing here depends on duration.

    ``checks`` has one entry per rule in force, in policy order. ``judged_at`` is the time that
    rules compare with; ``clock_note`` says where it came from when that is not the run's own clock.
    ``taken_at`` is when a saved listing was taken, None for the live account and if it does not
    say. ``left_out`` names what was narrowed (options, disabled rules), as sentences,
    ``narrowed_by`` the options among them as given, and ``accepted`` what waivers and a baseline
    took out of the gate; ``waivers`` and ``baseline`` are the same in numbers. ``notes`` are what
    else a reader needs to know: what a file set, what a policy changed in another. ``history`` is
    None for a run that keeps none. ``facts`` are the other lists and files that rules read.
    ``pipeline`` is the CI run, None outside of one, ``checkout`` the repository it ran in.
    ``docs_url`` is where rules have pages of their own, "" for nowhere: an address with ``{rule}``
    in it, or a site built from the project's docs. ``part`` is set for one of several reports, None
    for the whole run.
    """

    version: str
    judged_at: datetime
    source: SourceInfo
    listing: Listing
    policies: tuple[PolicyFile, ...]
    connections: Connections
    checks: tuple[RuleChecks, ...]
    gate: Gate
    describe: Callable[[], Sequence[Finding]]
    clock_note: str = ""
    taken_at: datetime | None = None
    left_out: tuple[str, ...] = ()
    narrowed_by: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()
    waivers: tuple[WaiverUse, ...] = ()
    baseline: BaselineUse | None = None
    history: History | None = None
    plan: PlanScope | None = None
    facts: tuple[FactsInfo, ...] = ()
    pipeline: Pipeline | None = None
    checkout: Checkout = Checkout()
    docs_url: str = ""
    part: Part | None = None
    reason: Callable[[], Mapping[str, RuleReasons]] = no_reasons

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Result):
            return NotImplemented
        # Two functions are never equal; what they return follows from the rest.
        names = (name for name in self.__struct_fields__ if name not in {"describe", "reason"})
        return all(getattr(self, name) == getattr(other, name) for name in names)

    __hash__ = None  # type: ignore[assignment]  # as anything that holds a mapping

    def __bool__(self) -> bool:
        """Whether the gate let the run through: a result is not true merely by being there."""
        return bool(self.gate)

    def __reduce__(self) -> tuple[Callable[..., Result], tuple[object, ...]]:
        """Take the findings along, described: their describer stays in this process."""
        values = {name: getattr(self, name) for name in self.__struct_fields__}
        values["describe"] = Described(self.findings)
        values["reason"] = _Reasoned(self.reasons)
        return type(self), tuple(values.values())

    @cached_property
    def findings(self) -> Findings:
        """Every finding: severest first, then in policy order, then in listing order."""
        found = self.describe()
        return found if isinstance(found, Findings) else Findings.of(found, self.connections)

    @cached_property
    def reasons(self) -> Mapping[str, RuleReasons]:
        """Why findings got their verdicts, by their rule's id, for the rules that know.

        Worked out when first asked for: few reports show it.
        """
        described = self.findings  # Describing them shows which are alike.
        return self.reason() if described else {}

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules in force, in policy order."""
        return tuple(checks.rule for checks in self.checks)

    @cached_property
    def counts(self) -> Mapping[Verdict, int]:
        """The number of checks of every verdict, zeros included."""
        per_rule = [checks.counts for checks in self.checks]
        return {verdict: sum(counts[verdict] for counts in per_rule) for verdict in Verdict}

    @property
    def total(self) -> int:
        """How many checks were made."""
        return sum(self.counts.values())

    @cached_property
    def gating(self) -> frozenset[Severity]:
        """The severities with more failed checks than the gate lets through.

        In an inconclusive run too: what would not gate is not red there either.
        """
        failed = dict.fromkeys(Severity, 0)
        for checks in self.checks:
            failed[checks.rule.severity] += checks.count(Verdict.FAIL)
        gate, limits = self.gate, dict(self.gate.limits)
        return frozenset(
            severity
            for severity, count in failed.items()
            if (most := allowed(severity, gate.fail_on, limits)) is not None and count > most
        )

    @property
    def idle_rules(self) -> tuple[Rule, ...]:
        """The rules that applied to nothing: all their checks are skips."""
        return tuple(
            c.rule
            for c in self.checks
            if c.count(Verdict.SKIP) == c.total and not (c.not_in_plan or c.left_unknown)
        )

    @property
    def unplanned_rules(self) -> tuple[Rule, ...]:
        """The rules without a verdict because no plan has what they read."""
        return tuple(
            c.rule for c in self.checks if c.count(Verdict.SKIP) == c.total and c.not_in_plan
        )

    @property
    def not_in_plan(self) -> int:
        """How many checks rest on what no plan has."""
        return sum(checks.not_in_plan for checks in self.checks)

    @property
    def left_unknown(self) -> int:
        """How many checks ``--on-unknown skip`` skipped: what they rest on is not known yet."""
        return sum(checks.left_unknown for checks in self.checks)
