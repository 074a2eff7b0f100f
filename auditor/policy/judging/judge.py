"""The judge: takes records page by page, and says what every check came to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

import msgspec
from msgspec.structs import replace

from auditor.decoding.records import Shape
from auditor.model import (
    Connection,
    Evidence,
    Finding,
    GroupCheck,
    Position,
    Rule,
    RuleChecks,
    Verdict,
)
from auditor.policy.judging.compiler import RawFinding, compile_judge
from auditor.policy.judging.evidence import Describer, shown
from auditor.policy.judging.groups import GroupOutcome, Groups
from auditor.policy.language.conditions import ITSELF, Test
from auditor.policy.language.operands import Literal
from auditor.policy.language.operators import OPERATORS
from auditor.policy.rules import ACCOUNT, GROUP_WORDS, GroupRule, PolicyRule, Ruleset
from auditor.text import printable

_VERDICTS = tuple(Verdict)
#: At least one connection.
_ANY = Test(ITSELF, OPERATORS["gte"], Literal(1, "1"), Position("", 1, 1))
_TOLD = frozenset({Verdict.FAIL, Verdict.ERROR, Verdict.WAIVED, Verdict.KNOWN})


class Violation(msgspec.Struct, frozen=True):
    """A check that failed: its rule, and the places in the listing of what it is about.

    With ``per``, ``group`` is the group's key as reports show it, ``key`` its values by path.
    """

    rule: Rule
    members: tuple[int, ...]
    group: str = ""
    key: Mapping[str, str] = msgspec.field(default_factory=dict)


#: What a violation comes to, and the note that says why; "" leaves it as it is.
Decision = tuple[Verdict, str]


class Judge:
    """Judges one walk of a listing by the rules in force, as of ``now``.

    ``clean`` makes any text from a record showable: credentials, control characters, length.
    """

    def __init__(
        self, ruleset: Ruleset, shape: Shape, now: datetime, clean: Callable[[str], str]
    ) -> None:
        self._rules = [entry for entry in ruleset.rules if isinstance(entry, PolicyRule)]
        self._groups = [Groups(entry) for entry in ruleset.rules if isinstance(entry, GroupRule)]
        self._order = {entry.rule.id: number for number, entry in enumerate(ruleset.rules)}
        self._now = now
        self._clean = clean
        self._count = 0
        self._verdicts: list[bytes] = []
        self._found: list[RawFinding] = []
        self._excuses = {
            entry.rule.id: Groups(_excuse(entry))
            for entry in ruleset.rules
            if isinstance(entry, GroupRule) and entry.unless is not None
        }
        taking = (*self._groups, *self._excuses.values())
        members = [(groups.rule, groups.take) for groups in taking]
        self._judge_page = compile_judge(self._rules, members, shape, now)

    def take(self, records: Sequence[Any]) -> None:
        """Judge one page of records."""
        verdicts: list[int] = []
        self._judge_page(records, self._count, verdicts.extend, self._found.append)
        self._count += len(records)
        self._verdicts.append(bytes(verdicts))

    def outcome(self, is_whole: Callable[[Rule], bool]) -> Judgement:
        """Return what the listing came to; ``is_whole`` says whether a rule's groups were."""
        groups = tuple(
            (groups.rule, tuple(self._outcomes(groups, is_whole))) for groups in self._groups
        )
        verdicts = b"".join(self._verdicts)
        return Judgement(
            self._order, tuple(self._rules), verdicts, self._found, groups, self._now, self._clean
        )

    def _outcomes(self, groups: Groups, is_whole: Callable[[Rule], bool]) -> Iterator[GroupOutcome]:
        outcomes = groups.outcomes(whole=is_whole(groups.rule.rule))
        excuse = self._excuses.get(groups.rule.rule.id)
        if excuse is None:
            return outcomes
        excused = {found.verdict for found in excuse.outcomes(whole=is_whole(excuse.rule.rule))}
        return (_unless(outcome, excused) for outcome in outcomes)


def _excuse(entry: GroupRule) -> GroupRule:
    """Return the rule that passes where a connection of the account meets ``entry.unless``."""
    account = replace(entry.rule, per=(ACCOUNT,))
    return GroupRule(account, entry.unless, None, (), count=_ANY)


def _unless(outcome: GroupOutcome, excused: set[Verdict]) -> GroupOutcome:
    """Return what ``outcome`` comes to where an excuse was found, or none, or nobody knows."""
    if excused == {Verdict.PASS}:
        return replace(outcome, verdict=Verdict.SKIP, members=())
    if excused == {Verdict.FAIL} or outcome.verdict is not Verdict.FAIL:
        return outcome
    actual = f"{outcome.actual}, and whether unless applies is not known"
    return replace(outcome, verdict=Verdict.ERROR, members=(), actual=actual)


class Judgement(msgspec.Struct, frozen=True):
    """Every check of a walk, and its findings once somebody asks for them.

    ``verdicts`` has a row of bytes a connection, a byte for each of ``rules``. ``notes`` are those
    of findings, by rule and connection; a group's outcome has its own.
    """

    order: Mapping[str, int]
    rules: tuple[PolicyRule, ...]
    verdicts: bytes
    found: Sequence[RawFinding]
    groups: tuple[tuple[GroupRule, tuple[GroupOutcome, ...]], ...]
    now: datetime
    clean: Callable[[str], str]
    notes: Mapping[tuple[int, int], str] = msgspec.field(default_factory=dict)

    def reconsidered(self, decide: Callable[[Violation], Decision]) -> Judgement:
        """Return the outcome with every violation come to the verdict that ``decide`` gives it."""
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
        key = {path: str(v) for path, v in zip(entry.keys, outcome.key or (), strict=True)}
        violation = Violation(entry.rule, outcome.members, self._name(entry, outcome), key)
        verdict, note = decide(violation)
        return replace(outcome, verdict=verdict, note=note) if note else outcome

    def checks(self) -> tuple[RuleChecks, ...]:
        """Return every rule's checks, in policy order."""
        checks = [
            RuleChecks(entry.rule, self.verdicts[number :: len(self.rules)])
            for number, entry in enumerate(self.rules)
        ]
        for entry, outcomes in self.groups:
            groups = tuple(GroupCheck(self._name(entry, o), o.verdict) for o in outcomes)
            checks.append(RuleChecks(entry.rule, b"", groups))
        return tuple(sorted(checks, key=lambda checks: self.order[checks.rule.id]))

    def findings(self, connections: Sequence[Connection]) -> tuple[Finding, ...]:
        """Return every finding: severest first, then in policy order, then in listing order."""
        by_rule: dict[str, list[Finding]] = {rule_id: [] for rule_id in self.order}
        tellers = [
            (e.rule, Describer(e, self.now, self.clean).describe, by_rule[e.rule.id].append)
            for e in self.rules
        ]
        # A connection with several findings is the same value in each.
        known: dict[int, tuple[Connection, ...]] = {}
        error, notes = Verdict.ERROR.value, self.notes
        for number, index, verdict, values in self.found:
            rule, describe, tell = tellers[number]
            about = known.get(index)
            if about is None:
                about = known[index] = (connections[index],)
            evidence, message, advice = describe(values, failed=verdict != error)
            note = notes.get((number, index), "") if notes else ""
            tell(Finding(rule, _VERDICTS[verdict], about, evidence, message, "", note, advice))
        for entry, outcomes in self.groups:
            by_rule[entry.rule.id] += [
                self._finding(entry, o, connections) for o in outcomes if o.verdict in _TOLD
            ]
        ordered = sorted(filter(None, by_rule.values()), key=lambda found: -found[0].rule.severity)
        return tuple(chain.from_iterable(ordered))

    def _name(self, entry: GroupRule, outcome: GroupOutcome) -> str:
        if outcome.key is None:
            return f"no {outcome.field} ({outcome.actual})"
        named = [*zip(entry.keys, outcome.key, strict=True), *outcome.values]
        return ", ".join(self._shown(entry, path, value) for path, value in named) or ACCOUNT

    def _shown(self, entry: GroupRule, path: str, value: Any) -> str:
        return shown(path, value, entry.reveal, self.clean)

    def _finding(
        self, entry: GroupRule, outcome: GroupOutcome, connections: Sequence[Connection]
    ) -> Finding:
        rule = entry.rule
        evidence = (Evidence(outcome.field, outcome.actual, rule.expects),)
        advice = ""
        group = self._name(entry, outcome)
        if outcome.verdict is Verdict.ERROR:
            where = "" if outcome.key is None else f" in {group}"
            message = f"cannot be judged: {outcome.field} is {outcome.actual}{where}"
            advice = _advice(outcome)
        elif entry.message is not None:
            named = [*zip(entry.keys, outcome.key or (), strict=True), *outcome.values]
            known = {path: self._shown(entry, path, value) for path, value in named}
            known |= dict.fromkeys(GROUP_WORDS, outcome.actual)
            message = entry.message.filled(lambda path: known.get(path, ""))
        else:
            message = f"{group}: {outcome.field} is {outcome.actual}, expected that {rule.expects}"
        members = tuple(connections[index] for index in outcome.members)
        message = printable(message)
        return Finding(
            rule, outcome.verdict, members, evidence, message, group, outcome.note, advice
        )


def _advice(outcome: GroupOutcome) -> str:
    """Return what makes a check of a group that could not be judged one that can."""
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
