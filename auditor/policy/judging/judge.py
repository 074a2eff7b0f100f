"""The judge: takes records page by page, and says how every check came out."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

import msgspec
from msgspec.structs import replace

from auditor.decoding.gaps import Gap, Lack
from auditor.decoding.records import Shape
from auditor.model import (
    Connections,
    Evidence,
    Findings,
    GroupCheck,
    Rule,
    RuleChecks,
    RuleFindings,
    Statement,
    Verdict,
    about,
    group_label,
)
from auditor.policy.judging.compiler import RawFinding, compile_judge
from auditor.policy.judging.evidence import SENSITIVE, Describer, Description, covers, shown
from auditor.policy.judging.groups import GroupOutcome, Groups, GroupsPart, distinct
from auditor.policy.judging.undecided import Want, want_of
from auditor.policy.judging.undocumented import SeenValues, Undocumented, watched
from auditor.policy.language.rules import ACCOUNT, GROUP_WORDS, GroupRule, PolicyRule, Ruleset
from auditor.policy.language.truth import Truth
from auditor.policy.language.values import is_scalar
from auditor.text import printable

_VERDICTS = tuple(Verdict)
_NO_NAMES: Mapping[str, str] = MappingProxyType({})
_FINDINGS = frozenset({Verdict.FAIL, Verdict.ERROR, Verdict.WAIVED, Verdict.KNOWN})


class Violation(msgspec.Struct, frozen=True):
    """A check that failed: its rule, and the positions in the listing of what it is about.

    With ``per``, ``group`` is the group's key as reports show it, ``key`` its values by path.
    """

    rule: Rule
    members: tuple[int, ...]
    group: str = ""
    key: Mapping[str, str] = msgspec.field(default_factory=dict)


#: A violation's new verdict, and the note that says why; "" leaves it as it is.
Decision = tuple[Verdict, str]


class JudgedPart(msgspec.Struct, frozen=True):
    """A part of a walk that another judge has judged, its connections counted from 0.

    ``found`` has a column for each part of a ``RawFinding``. ``groups`` are in policy order, then
    those by which ``unless`` excuses. ``undocumented`` are values that were seen.
    """

    count: int
    verdicts: list[bytes]
    found: tuple[Sequence[Any], ...]
    groups: list[GroupsPart]
    undocumented: SeenValues


class Judge:
    """Judges one walk of a listing by the rules in force, as of ``now``.

    ``clean`` makes any text from a record fit to show: credentials, control characters, length.
    ``planned`` says how to treat what a plan leaves open; None without a plan. With ``placed`` each
    group's connections are kept.
    """

    def __init__(
        self,
        ruleset: Ruleset,
        shape: Shape,
        now: datetime,
        clean: Callable[[str], str],
        planned: PlanMode | None = None,
        *,
        placed: bool = False,
    ) -> None:
        self._rules = [entry for entry in ruleset.rules if isinstance(entry, PolicyRule)]
        self._groups = [
            Groups(entry, now, placed=placed)
            for entry in ruleset.rules
            if isinstance(entry, GroupRule)
        ]
        self._order = {entry.rule.id: number for number, entry in enumerate(ruleset.rules)}
        self._now = now
        self._clean = clean
        self._count = 0
        self._verdicts: list[bytes] = []
        self._found: list[RawFinding] = []
        self._describers = tuple([Describer(entry, now, clean) for entry in self._rules])
        self._described: list[Description] = []
        self._excuses = {
            entry.rule.id: Groups(_excuse_rule(entry), now, placed=placed)
            for entry in ruleset.rules
            if isinstance(entry, GroupRule) and entry.unless is not None
        }
        self._planned = planned
        self._taking = (*self._groups, *self._excuses.values())
        members = [
            (groups.rule, groups.take if planned is None else _taker(planned, groups))
            for groups in self._taking
        ]
        self._undocumented = Undocumented(watched(ruleset))
        fields = [each.field for each in self._undocumented.watched]
        note = self._undocumented.note if planned is None else self._note
        self._judge_page = compile_judge(self._rules, members, shape, now, fields, note)
        self._plan_skips = _PlanSkips(self._rules, planned, now) if planned is not None else None

    def take(self, records: Sequence[Any]) -> None:
        """Judge one page of records."""
        verdicts: list[int] = []
        found = self._found if self._plan_skips is None else []
        self._judge_page(records, self._count, verdicts.extend, found.append)
        if self._plan_skips is not None:
            page = range(self._count, self._count + len(records))
            self._found += self._plan_skips.findings_left(verdicts, page, found)
        self._count += len(records)
        self._verdicts.append(bytes(verdicts))

    def describe(self) -> None:
        """Describe what was found since the last call, rather than once somebody asks for it.

        Not with a plan, which may forbid a value to be shown.
        """
        if self._planned is None:
            found = self._found[len(self._described) :]
            self._described += described(found, self._describers)

    def _note(self, number: int, value: Any, index: int) -> None:
        """Note a value that is not documented, but for one that a plan forbids to be shown."""
        assert self._planned is not None
        path = self._undocumented.watched[number].field.path
        if not covers(self._planned.hidden.get(index, ()), path):
            self._undocumented.note(number, value, index)

    def part(self) -> JudgedPart:
        """Return what was judged, for another judge to join; not for a plan."""
        groups = [each.part() for each in self._taking]
        found = tuple(zip(*self._found, strict=True))
        return JudgedPart(self._count, self._verdicts, found, groups, self._undocumented.seen)

    def join(self, part: JudgedPart) -> None:
        """Add what another judge, by the same rules, has judged of the records that follow."""
        for groups, more in zip(self._taking, part.groups, strict=True):
            groups.join(more, self._count)
        self._verdicts += part.verdicts
        if part.found:
            numbers, indexes, verdicts, values = part.found
            at = map(self._count.__add__, indexes)
            self._found += zip(numbers, at, verdicts, values, strict=True)
        self._undocumented.join(part.undocumented, self._count)
        self._count += part.count

    def outcome(self, is_whole: Callable[[Rule], bool]) -> Judgement:
        """Return how the checks came out; ``is_whole`` says whether a rule's groups are whole."""
        planned, skips = self._planned, self._plan_skips
        groups = tuple(
            (groups.rule, tuple(self._outcomes(groups, is_whole))) for groups in self._groups
        )
        if planned is not None and planned.partial:
            groups = tuple((rule, tuple(map(_as_unseen, outcomes))) for rule, outcomes in groups)
        verdicts = b"".join(self._verdicts)
        return Judgement(
            self._order,
            tuple(self._rules),
            verdicts,
            self._found,
            groups,
            self._now,
            self._clean,
            self._describers,
            self._described,
            hidden=planned.hidden if planned is not None else {},
            not_in_plan=frozenset(skips.not_in_plan if skips is not None else ()),
            left_unknown=frozenset(skips.left_unknown if skips is not None else ()),
            undocumented=self._undocumented,
        )

    def _outcomes(self, groups: Groups, is_whole: Callable[[Rule], bool]) -> Iterator[GroupOutcome]:
        outcomes = groups.outcomes(whole=is_whole(groups.rule.rule))
        excuse = self._excuses.get(groups.rule.rule.id)
        if excuse is None:
            return outcomes
        excused = excuse.found(whole=is_whole(excuse.rule.rule))
        return (_with_excuse(o, excused.get(o.account)) for o in outcomes)


def _excuse_rule(entry: GroupRule) -> GroupRule:
    """Return a rule whose members, all in one group, are what meets ``entry.unless``."""
    account = replace(entry.rule, per=(ACCOUNT,))
    return GroupRule(account, entry.unless, None, ())


def _with_excuse(outcome: GroupOutcome, excused: Truth) -> GroupOutcome:
    """Return ``outcome`` given that an excuse was found, or none, or that nobody knows."""
    outcome = replace(outcome, excused=excused)
    if excused:
        return replace(outcome, verdict=Verdict.SKIP, members=())
    if excused is False or outcome.verdict is not Verdict.FAIL:
        return outcome
    actual = f"{outcome.actual}, and whether unless applies is not known"
    advice = (
        "whether a connection of the account meets unless is not known: judge the whole account, or"
        " write exists in unless for what its connections lack"
    )
    return replace(outcome, verdict=Verdict.ERROR, members=(), actual=actual, advice=advice)


class PlanMode(msgspec.Struct, frozen=True):
    """How to judge records that a plan makes, each by its position in the listing.

    ``ends`` are connections that the plan ends: only rules that read ``plan.*`` judge them, and
    groups leave them out. ``accounts`` keep those of several accounts apart, None for one.
    ``hidden`` are the paths whose values are never shown. ``partial`` means that the listing is the
    plan alone: groups that it does not show whole are skipped. ``skip_unknown`` turns what is
    unknown until applied from an error into a skip.
    """

    ends: frozenset[int] = frozenset()
    accounts: Sequence[str] | None = None
    hidden: Mapping[int, frozenset[str]] = msgspec.field(default_factory=dict)
    partial: bool = False
    skip_unknown: bool = False


class Judgement(msgspec.Struct, frozen=True):
    """Every check of a walk, and its findings once somebody asks for them.

    ``verdicts`` has a row of bytes per connection, with a byte for each of ``rules``, as
    ``describers`` has a describer, which knows once they are asked for what findings have equal
    text. ``described`` is what was said about ``found`` already, if anything. ``notes`` are
    those of findings, by rule and connection; a group's outcome has its own. ``hidden``, by a
    connection's position, are paths whose values are not shown; ``not_in_plan`` and
    ``left_unknown`` are the checks, by rule and connection, that were skipped for these reasons.
    ``undocumented`` are values that were read and that no documentation names.
    """

    order: Mapping[str, int]
    rules: tuple[PolicyRule, ...]
    verdicts: bytes
    found: Sequence[RawFinding]
    groups: tuple[tuple[GroupRule, tuple[GroupOutcome, ...]], ...]
    now: datetime
    clean: Callable[[str], str]
    describers: tuple[Describer, ...]
    described: Sequence[Description] = ()
    notes: Mapping[tuple[int, int], str] = msgspec.field(default_factory=dict)
    hidden: Mapping[int, frozenset[str]] = msgspec.field(default_factory=dict)
    not_in_plan: frozenset[tuple[int, int]] = frozenset()
    left_unknown: frozenset[tuple[int, int]] = frozenset()
    undocumented: Undocumented = msgspec.field(default_factory=Undocumented)

    def reconsidered(self, decide: Callable[[Violation], Decision]) -> Judgement:
        """Return the outcome with the verdict that ``decide`` gives to each violation."""
        verdicts, found, notes = bytearray(self.verdicts), list(self.found), dict(self.notes)
        for slot, (number, index, was, values) in enumerate(self.found):
            if was != Verdict.FAIL:
                continue
            verdict, note = decide(Violation(self.rules[number].rule, (index,)))
            if note:
                verdicts[index * len(self.rules) + number] = verdict
                found[slot] = (number, index, verdict.value, values)
                notes[number, index] = note
        groups = tuple(
            (entry, tuple(self._reconsidered(entry, outcome, decide) for outcome in outcomes))
            for entry, outcomes in self.groups
        )
        return replace(self, verdicts=bytes(verdicts), found=found, notes=notes, groups=groups)

    def _reconsidered(
        self, entry: GroupRule, outcome: GroupOutcome, decide: Callable[[Violation], Decision]
    ) -> GroupOutcome:
        if outcome.verdict is not Verdict.FAIL:
            return outcome
        assert outcome.key is not None  # Of connections in no group there are only errors.
        key = {path: str(v) for path, v in zip(entry.keys, outcome.key, strict=True)}
        violation = Violation(entry.rule, outcome.members, self.group_of(entry, outcome), key)
        verdict, note = decide(violation)
        return replace(outcome, verdict=verdict, note=note) if note else outcome

    def checks(self) -> tuple[RuleChecks, ...]:
        """Return every rule's checks, in policy order."""
        not_in_plan = Counter(number for number, _ in self.not_in_plan)
        left_unknown = Counter(number for number, _ in self.left_unknown)
        checks = [
            RuleChecks(
                entry.rule,
                self.verdicts[number :: len(self.rules)],
                not_in_plan=not_in_plan[number],
                left_unknown=left_unknown[number],
            )
            for number, entry in enumerate(self.rules)
        ]
        for entry, outcomes in self.groups:
            groups = tuple(
                GroupCheck(self.group_of(entry, o), o.verdict, o.about) for o in outcomes
            )
            unseen = sum(outcome.unseen for outcome in outcomes)
            checks.append(RuleChecks(entry.rule, b"", groups, not_in_plan=unseen))
        return tuple(sorted(checks, key=lambda checks: self.order[checks.rule.id]))

    def findings(self, connections: Connections) -> Findings:
        """Return every finding: severest first, then in policy order, then in listing order."""
        columns = [_RuleColumns(entry.rule) for entry in self.rules]
        takes, notes = [column.take for column in columns], self.notes
        said = self.described or described(self.found, self.describers, self.hidden)
        for (number, index, verdict, _), description in zip(self.found, said, strict=True):
            note = notes.get((number, index), "") if notes else ""
            takes[number](index, verdict, note, description)
        by_rule = {column.rule.id: column.findings() for column in columns}
        for entry, outcomes in self.groups:
            by_rule[entry.rule.id] = self._of_groups(entry, outcomes, connections.group_names)
        found = [by_rule[rule_id] for rule_id in self.order if len(by_rule[rule_id])]
        found.sort(key=lambda each: -each.rule.severity)
        return Findings(tuple(found), connections)

    def group_of(
        self, entry: GroupRule, outcome: GroupOutcome, names: Mapping[str, str] = _NO_NAMES
    ) -> str:
        """Return a group's key as reports show it; as its message does, with the groups' names."""
        if outcome.key is None:
            return f"no {outcome.field} ({outcome.actual})"
        named = [*zip(entry.keys, outcome.key, strict=True), *outcome.values]
        words = [self._shown(entry, path, value, outcome, names) for path, value in named]
        return ", ".join([*words, *filter(None, (outcome.account,))]) or ACCOUNT

    def _shown(
        self,
        entry: GroupRule,
        path: str,
        value: Any,
        outcome: GroupOutcome,
        names: Mapping[str, str] = _NO_NAMES,
    ) -> str:
        if self.hidden and any(covers(self.hidden.get(n, ()), path) for n in outcome.members):
            return SENSITIVE
        text = shown(path, value, entry.reveal, self.clean)
        return group_label(text, names.get(text, "")) if path == "group_id" else text

    def _of_groups(
        self, entry: GroupRule, outcomes: Sequence[GroupOutcome], names: Mapping[str, str]
    ) -> RuleFindings:
        """Return the findings on the groups of a rule; ``names`` are Fivetran's groups', by id."""
        found = [outcome for _, outcome in numbered(outcomes)]
        statements = [self._statement(entry, o, number, names) for number, o in numbered(outcomes)]
        where = [about(outcome.members) for outcome in found]
        return RuleFindings(entry.rule, statements, range(len(found)), where)

    def _statement(
        self, entry: GroupRule, outcome: GroupOutcome, number: int, names: Mapping[str, str]
    ) -> Statement:
        """Return what the finding on a group says: that with ``number`` among the rule's."""
        rule = entry.rule
        beside = [
            f"{path} is {self._shown(entry, path, value, outcome)}"
            for path, value in outcome.beside
            if path != outcome.field
        ]
        expects = f"{rule.expects} ({', '.join(beside)})" if beside else rule.expects
        advice = ""
        spoken = self.group_of(entry, outcome, names)
        if outcome.verdict is Verdict.ERROR:
            where = "" if outcome.key is None else f" in {spoken}"
            message = f"cannot be judged: {outcome.field} is {outcome.actual}{where}"
            advice = advice_for(outcome)
        elif entry.message is not None:
            assert outcome.key is not None  # Of connections in no group there are only errors.
            named = [
                *zip(entry.keys, outcome.key, strict=True),
                *outcome.values,
                *outcome.beside,
            ]
            known = {path: self._shown(entry, path, value, outcome, names) for path, value in named}
            known |= dict.fromkeys(GROUP_WORDS, outcome.actual)
            # A rule that --mutate changed may lack what its message shows.
            message = entry.message.filled(lambda path: known.get(path, ""))
        else:
            message = f"{spoken}: {outcome.field} is {outcome.actual}, expected that {expects}"
        return Statement(
            outcome.verdict,
            (Evidence(outcome.field, outcome.actual, expects),),
            printable(message),
            self.group_of(entry, outcome),
            outcome.note,
            advice,
            alike=number,
        )


def described(
    found: Iterable[RawFinding],
    describers: Sequence[Describer],
    hidden: Mapping[int, frozenset[str]] | None = None,
) -> Iterator[Description]:
    """Yield what the rule's describer says about each of ``found``.

    ``hidden``, by a connection's position, are paths whose values are not shown.
    """
    describes, error = [each.describe for each in describers], Verdict.ERROR.value
    for number, index, verdict, values in found:
        describe = describes[number]
        if hidden and index in hidden:
            describe = describers[number].discreet(hidden[index]).describe
        yield describe(values, failed=verdict != error)


class _RuleColumns:
    """Collects the findings of a rule on single connections."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self._numbers: dict[tuple[int, str, str, int], int] = {}
        self._statements: list[Statement] = []
        self._says = array("I")
        self._about = array("I")

    def take(self, index: int, verdict: int, note: str, described: Description) -> None:
        """Take what was found on the connection at ``index``."""
        evidence, message, advice, alike = described
        key = alike, message, note, verdict
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._statements)
            said = Statement(
                _VERDICTS[verdict], evidence, message, note=note, advice=advice, alike=alike
            )
            self._statements.append(said)
        self._says.append(number)
        self._about.append(index)

    def findings(self) -> RuleFindings:
        return RuleFindings(self.rule, self._statements, self._says, self._about)


def numbered(outcomes: Sequence[GroupOutcome]) -> Iterator[tuple[int, GroupOutcome]]:
    """Yield the outcomes that are findings, with their numbers: no two have equal text."""
    return enumerate((outcome for outcome in outcomes if outcome.verdict in _FINDINGS), 1)


def advice_for(outcome: GroupOutcome) -> str:
    """Return how to make an undecidable check of a group decidable."""
    if outcome.advice:
        return outcome.advice
    if outcome.key is None:
        return (
            f"{outcome.field} forms the groups and is {outcome.actual} here: choose another per, or"
            " mend what the connections hold there"
        )
    if outcome.members:
        return (
            "whether these connections count is not known: write exists in the rule's when for"
            " what they lack"
        )
    return "judge the whole account: a part of it cannot decide a rule about groups"


class _PlanSkips:
    """Finds the checks without a verdict that only lack what a plan leaves open."""

    def __init__(self, rules: Sequence[PolicyRule], planned: PlanMode, now: datetime) -> None:
        self._rules = rules
        self._planned = planned
        self._now = now
        self._known: dict[object, Want] = {}
        self._of_changes = [any(map(is_of_plan, entry.reads)) for entry in rules]
        self.not_in_plan: set[tuple[int, int]] = set()
        self.left_unknown: set[tuple[int, int]] = set()

    def findings_left(
        self, verdicts: list[int], page: range, found: Sequence[RawFinding]
    ) -> list[RawFinding]:
        """Return the findings of a page that stay; the others become skips in ``verdicts``."""
        size, kept = len(self._rules), []
        for each in found:
            number, index, verdict, values = each
            if index in self._planned.ends and not self._of_changes[number]:
                continue
            want = self._want(number, values) if verdict == Verdict.ERROR else None
            skipped = self._skipped(want)
            if skipped is None:
                kept.append(each)
                continue
            skipped.add((number, index))
            verdicts[page.index(index) * size + number] = Verdict.SKIP.value
        for index in self._planned.ends:
            if index in page:
                for number in range(size):
                    if not self._of_changes[number]:
                        verdicts[page.index(index) * size + number] = Verdict.SKIP.value
        return kept

    def _skipped(self, want: Want | None) -> set[tuple[int, int]] | None:
        if want is Want.NOT_IN_PLAN:
            return self.not_in_plan
        skips = want is Want.UNKNOWN and self._planned.skip_unknown
        return self.left_unknown if skips else None

    def _want(self, number: int, values: tuple[Any, ...]) -> Want:
        # What a check lacks depends on what it tests and what is open: few connections differ in
        # it. A message may read more, of which every connection has its own.
        tested = values[: len(self._rules[number].rule.reads)]
        lacks = tuple([held.lack if type(held) is Gap else held for held in tested])
        key = number, distinct(lacks)
        try:
            if key in self._known:
                return self._known[key]
        except TypeError:  # An array, or an object.
            return self._settled(number, values)
        known = self._known[key] = self._settled(number, values)
        return known

    def _settled(self, number: int, values: tuple[Any, ...]) -> Want:
        entry = self._rules[number]
        read = dict(zip(entry.reads, values, strict=True))
        return want_of(entry, read.__getitem__, self._now)


def is_of_plan(path: str) -> bool:
    """Whether a path is one of the facts of a plan."""
    return path == "plan" or path.startswith("plan.")


def _taker(planned: PlanMode, groups: Groups) -> Callable[..., None]:
    """Return what takes a member of a group: none that ends, each in its own account's groups.

    A group that a sensitive value names has a number for a name.
    """
    veils: dict[tuple[object, ...], Gap] = {}
    budgets = groups.rule.budgets

    def veiled(path: str, value: Any, hidden: frozenset[str]) -> Any:
        if not is_scalar(value) or not covers(hidden, path):
            return value
        name = f"{SENSITIVE} {len(veils) + 1}"
        return veils.setdefault(distinct((path, value)), Gap(Lack.UNKNOWN, name, name))

    def take(
        index: int,
        key: tuple[Any, ...],
        member: bool | None,
        values: tuple[Any, ...],
        common: tuple[Any, ...] = (),
    ) -> None:
        if index in planned.ends:
            return
        hidden = planned.hidden.get(index)
        if hidden:
            pairs = zip(groups.rule.keys, key, strict=True)
            key = tuple([veiled(path, value, hidden) for path, value in pairs])
            if budgets:
                pairs = zip(groups.rule.common, common, strict=True)
                common = tuple([veiled(p, v, hidden) if p in budgets else v for p, v in pairs])
            if groups.rule.measured is not None and covers(hidden, groups.rule.measured.path):
                values = (
                    Gap(Lack.UNKNOWN, SENSITIVE),
                )  # Values that are not shown are not counted.
        account = planned.accounts[index] if planned.accounts is not None else ""
        groups.take(index, key, member, values, common, account)

    return take


def _as_unseen(outcome: GroupOutcome) -> GroupOutcome:
    """Return a group that a plan does not show whole as a skip."""
    if outcome.verdict is not Verdict.ERROR:
        return outcome
    actual = "a plan does not show the whole group"
    return replace(outcome, verdict=Verdict.SKIP, actual=actual, unseen=True)
