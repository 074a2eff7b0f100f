"""Comparing two runs: what is new, fixed, unchanged, now accepted, or no longer judged.

A check is identified by its rule and its connection, or its rule and its group; messages, evidence
and the order of a report do not matter. Every finding of either run is in exactly one change.
Nothing counts as fixed that the newer run did not judge: a check is *unjudged* if its connection
was not listed, its rule was not in force, or it could not be evaluated. If the newer listing is
complete, a connection that was not listed is *gone*.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import Enum
from functools import cached_property

import msgspec

from auditor.errors import UsageError
from auditor.model import Connection, Evidence, Severity, Verdict
from auditor.past.earlier import NOTHING_FOUND, EarlierFinding, EarlierReport, EarlierRule
from auditor.text import one_line, plural

_ACCEPTED = frozenset({Verdict.WAIVED, Verdict.KNOWN})
_ACCOUNTS = frozenset({"api", "snapshot"})
_ACCOUNT = "account"
NO_CONNECTION = "(no connection)"


class Fate(Enum):
    """What became of a check, as texts and the JSON document call it; worst first."""

    NEW = "new"
    RAISED = "raised"
    AGAIN = "again"
    UNJUDGED = "unjudged"
    UNCHANGED = "unchanged"
    WAIVED = "waived"
    KNOWN = "known"
    ACCEPTED = "accepted"
    SETTLED = "settled"
    GONE = "gone"
    FIXED = "fixed"


#: What each change means, for people.
MEANINGS: Mapping[Fate, str] = {
    Fate.NEW: "a violation that was not found before",
    Fate.RAISED: "a violation whose rule has become more severe",
    Fate.AGAIN: "a violation that was accepted before and counts again",
    Fate.UNJUDGED: "not judged by the newer run, so nobody knows; never counted as fixed",
    Fate.UNCHANGED: "a violation before and after",
    Fate.WAIVED: "a violation that a waiver now covers",
    Fate.KNOWN: "a violation that the newer run's baseline knows",
    Fate.ACCEPTED: "accepted before and after",
    Fate.SETTLED: "could not be evaluated before and is not a violation now",
    Fate.GONE: "its connection is no longer there, according to a complete listing",
    Fate.FIXED: "a violation before; judged again and no longer one",
}
#: What makes the newer run worse than the older one.
WORSE = frozenset({Fate.NEW, Fate.RAISED, Fate.AGAIN})


class ComparisonOutcome(Enum):
    """Whether the newer run is worse, as a word."""

    HELD = "not worse"
    WORSE = "worse"
    INCONCLUSIVE = "inconclusive"

    @property
    def exit_code(self) -> int:
        """The exit code of the command that compares."""
        return {
            ComparisonOutcome.HELD: 0,
            ComparisonOutcome.WORSE: 1,
            ComparisonOutcome.INCONCLUSIVE: 3,
        }[self]


#: The note of a change behind which may be the rule, and not what it judged.
_CHANGED = "the rule was changed"
_NEW_RULE = "the rule is new"
_UNEVALUATED = "could not be evaluated before"
#: Where a violation that is new may have been there before; nobody looked, or looked differently.
_UNSEEN = {
    _NEW_RULE: f"where {_NEW_RULE}",
    _CHANGED: f"where {_CHANGED}",
    _UNEVALUATED: f"that {_UNEVALUATED}",
}
#: The note of a check that was skipped: nobody has judged what it found.
_SKIPPED = "the rule no longer applies to it"
#: A rule per this field has one group for each group of the account.
_GROUP = ("group_id",)


class Changed(msgspec.Struct, frozen=True):
    """A check that is a finding in either run.

    ``severity`` is that of the newer run if it has the rule. ``before`` and ``after`` are None if
    that run did not make the check. ``note`` says why, or is "". ``evidence`` is that of the run
    whose message it is.
    """

    change: Fate
    rule: str
    title: str
    severity: Severity
    before: Verdict | None
    after: Verdict | None
    connections: tuple[Connection, ...]
    group: str
    message: str
    note: str = ""
    per: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()

    @property
    def group_ids(self) -> tuple[str, ...]:
        """The groups it involves; for a group without such connections, that group itself."""
        touched = tuple(dict.fromkeys(each.group_id for each in self.connections))
        return touched or ((self.group,) if self.per == _GROUP else ())


class Tally(msgspec.Struct, frozen=True):
    """How many changes of each kind a rule, group or connection has, without zeros."""

    name: str
    label: str
    counts: Mapping[Fate, int]

    @property
    def worse(self) -> int:
        """How many of them make the newer run worse."""
        return sum(self.counts.get(change, 0) for change in WORSE)


class Comparison(msgspec.Struct, frozen=True, dict=True):
    """The differences between two runs. ``changes`` are worst first, then severest first.

    ``fail_on`` is the least severity at which a change for the worse counts, None for none.
    ``rules_changed`` expect or apply to something else than before, are worded otherwise, or have
    another severity.
    """

    earlier: EarlierReport
    later: EarlierReport
    changes: tuple[Changed, ...]
    fail_on: Severity | None
    connections_added: int
    connections_gone: int
    rules_added: tuple[str, ...]
    rules_gone: tuple[str, ...]
    rules_changed: tuple[str, ...]

    @cached_property
    def counts(self) -> Mapping[Fate, int]:
        """The number of changes of every kind, zeros included."""
        counted = Counter(changed.change for changed in self.changes)
        return {change: counted[change] for change in Fate}

    @cached_property
    def counting(self) -> tuple[Changed, ...]:
        """The changes for the worse that are severe enough to count."""
        bar = self.fail_on
        return tuple(
            c for c in self.changes if c.change in WORSE and bar is not None and c.severity >= bar
        )

    @property
    def answer(self) -> ComparisonOutcome:
        """Whether the newer run is worse; inconclusive when either run was."""
        if not (self.earlier.conclusive and self.later.conclusive):
            return ComparisonOutcome.INCONCLUSIVE
        return ComparisonOutcome.WORSE if self.counting else ComparisonOutcome.HELD

    @cached_property
    def reasons(self) -> tuple[str, ...]:
        """The reasons for the answer, as sentences."""
        return tuple(_reasons(self))

    @cached_property
    def by_rule(self) -> tuple[Tally, ...]:
        """One tally per rule with changes, worst first."""
        return _tallies((c, [(c.rule, c.title)]) for c in self.changes)

    @cached_property
    def by_group(self) -> tuple[Tally, ...]:
        """One tally per group, by its id; a change counts once in each group it involves."""
        return _tallies((c, _groups(c) or [(NO_CONNECTION, "")]) for c in self.changes)

    @cached_property
    def by_connection(self) -> tuple[Tally, ...]:
        """One tally per connection, by its id; a change counts once for each it is about."""
        return _tallies(
            (c, dict.fromkeys((x.id, f"{x.service}/{x.schema}") for x in c.connections))
            for c in self.changes
        )


def compare(
    earlier: EarlierReport, later: EarlierReport, fail_on: Severity | None = Severity.LOW
) -> Comparison:
    """Return what differs between ``earlier`` and ``later``.

    Raises UsageError if they are of two accounts, which cannot be compared.
    """
    _check_accounts(earlier, later)
    then, now = _Side(earlier), _Side(later)
    changes = [*_of_later(then, now), *_of_earlier(then, now)]
    order = {change: number for number, change in enumerate(Fate)}
    changes.sort(key=lambda c: (order[c.change], -c.severity))
    return Comparison(
        earlier,
        later,
        tuple(changes),
        fail_on,
        connections_added=len(now.index_of.keys() - then.index_of.keys()),
        connections_gone=len(then.index_of.keys() - now.index_of.keys()),
        rules_added=tuple(name for name in now.rules if name not in then.rules),
        rules_gone=tuple(name for name in then.rules if name not in now.rules),
        rules_changed=tuple(
            name
            for name, rule in now.rules.items()
            if _is_changed(name, then, now)
            or (name in then.rules and then.rules[name].severity is not rule.severity)
        ),
    )


def _is_changed(name: str, then: _Side, now: _Side) -> bool:
    """Whether a rule of the newer run is also in the older one, and says something else there."""
    old = then.rules.get(name)
    return old is not None and old.was_changed(now.rules[name])


#: A check from run to run: its rule, whether that is on groups, and its group or connection.
_Key = tuple[str, bool, str]


class _Side:
    """A run's checks, by the key that identifies them from run to run."""

    def __init__(self, report: EarlierReport) -> None:
        self.rules = {rule.id: rule for rule in report.rules}
        self.index_of = {name: index for index, name in enumerate(report.connections.ids)}
        self.findings = report.findings
        self._whole = report.whole
        self.found: dict[_Key, list[EarlierFinding]] = defaultdict(list)
        self.unsettled: dict[str, set[str]] = defaultdict(set)
        for finding in report.findings:
            self.found[self.key(finding)].append(finding)
            if finding.verdict is Verdict.ERROR:
                self.unsettled[finding.rule] |= {c.id for c in finding.connections}
        self._groups = {
            rule.id: {check.group: check.verdict for check in rule.groups} for rule in report.rules
        }

    def key(self, finding: EarlierFinding) -> _Key:
        """Return the key of a finding of this run."""
        per = bool(self.rules[finding.rule].per)
        return finding.rule, per, finding.group if per else finding.connections[0].id

    def verdict(self, finding: EarlierFinding, *, per: bool) -> Verdict | None:
        """Return this run's verdict of the check behind a finding of the other run.

        None if it did not make that check. ``per`` says that the check was on a group.
        """
        rule = self.rules.get(finding.rule)
        if rule is None or bool(rule.per) != per:
            return None
        if per:
            verdict = self._on_group(rule, finding)
            # Connections that were not listed may be there still, and be what was found.
            unseen = not self._whole and any(c.id not in self.index_of for c in finding.connections)
            return None if unseen and verdict in NOTHING_FOUND else verdict
        index = self.index_of.get(finding.connections[0].id)
        return None if index is None else Verdict(rule.verdicts[index])

    def lacks(self, finding: EarlierFinding, *, per: bool) -> bool:
        """Whether this run looked for all that the other's ``finding`` is about, and found none."""
        rule = self.rules.get(finding.rule)
        if not self._whole or rule is None or bool(rule.per) != per:
            return False
        return all(connection.id not in self.index_of for connection in finding.connections)

    def _on_group(self, rule: EarlierRule, finding: EarlierFinding) -> Verdict | None:
        checks = self._groups[rule.id]
        if finding.group in checks:
            return checks[finding.group]
        # A duplicate that is gone has no check of its own: what counts is whether its group was
        # judged.
        ids = {connection.id for connection in finding.connections}
        errors = {group for group, verdict in checks.items() if verdict is Verdict.ERROR}
        if is_unsettled(finding.group, ids, errors, self.unsettled[rule.id]):
            return Verdict.ERROR
        return None if ids.isdisjoint(self.index_of) else Verdict.PASS


def is_unsettled(
    group: str, ids: Collection[str], errors: Collection[str], unsettled: Collection[str]
) -> bool:
    """Whether a group without a check of its own is part of what a run could not evaluate.

    ``ids`` are the connections that it was about, ``errors`` the groups of its rule that are
    errors, and ``unsettled`` the connections that those name.
    """
    within = _ACCOUNT in errors or any(group.startswith(f"{error}, ") for error in errors)
    return within or not frozenset(ids).isdisjoint(unsettled)


def _of_later(then: _Side, now: _Side) -> Iterator[Changed]:
    """Yield what became of every check that is a finding in the newer run."""
    for finding in now.findings:
        rule = now.rules[finding.rule]
        per = bool(rule.per)
        same = then.found.get(now.key(finding), [])
        known = _covering(same, finding)
        found = [known] if known is not None else same
        before = found[0].verdict if found else then.verdict(finding, per=per)
        change, note = _change(then, now, finding, known, before)
        yield Changed(
            change,
            finding.rule,
            rule.title,
            finding.severity,
            before,
            finding.verdict,
            finding.connections,
            finding.group,
            finding.message,
            note,
            rule.per,
            finding.evidence,
        )


def _of_earlier(then: _Side, now: _Side) -> Iterator[Changed]:
    """Yield what became of every finding of the older run that the newer one does not have."""
    for finding in then.findings:
        rule = then.rules[finding.rule]
        per = bool(rule.per)
        if then.key(finding) in now.found:
            continue
        after = now.verdict(finding, per=per)
        if after is None and now.lacks(finding, per=per):
            change, note = Fate.GONE, ""
        elif after is None or after is Verdict.ERROR:
            change, note = Fate.UNJUDGED, _why_unjudged(now, finding, after)
        else:
            change = Fate.SETTLED if finding.verdict is Verdict.ERROR else Fate.FIXED
            note = _CHANGED if _is_changed(finding.rule, then, now) else ""
            note = _SKIPPED if after is Verdict.SKIP else note
        named = now.rules.get(finding.rule, rule)
        yield Changed(
            change,
            finding.rule,
            named.title,
            named.severity,
            finding.verdict,
            after,
            finding.connections,
            finding.group,
            finding.message,
            note,
            rule.per,
            finding.evidence,
        )


def _covering(same: Iterable[EarlierFinding], finding: EarlierFinding) -> EarlierFinding | None:
    """Return the one of ``same`` that was about all connections of ``finding``."""
    ids = {connection.id for connection in finding.connections}
    return next((e for e in same if ids <= {c.id for c in e.connections}), None)


def _change(
    then: _Side,
    now: _Side,
    finding: EarlierFinding,
    known: EarlierFinding | None,
    before: Verdict | None,
) -> tuple[Fate, str]:
    """Return the change of a finding of the newer run, and a note if it needs one."""
    after = finding.verdict
    if after is Verdict.ERROR:
        return Fate.UNJUDGED, "could not be evaluated"
    if after in _ACCEPTED:
        if before in _ACCEPTED:
            return Fate.ACCEPTED, ""
        return (Fate.WAIVED if after is Verdict.WAIVED else Fate.KNOWN), finding.note
    if before in _ACCEPTED:
        return Fate.AGAIN, f"was {before.label}"
    if before is not Verdict.FAIL:
        return Fate.NEW, _why_new(then, now, finding, before)
    if known is None:
        return Fate.NEW, "about connections that were not in it before"
    if finding.severity > known.severity:
        return Fate.RAISED, f"was {known.severity.label}"
    return Fate.UNCHANGED, ""


def _why_new(then: _Side, now: _Side, finding: EarlierFinding, before: Verdict | None) -> str:
    if before is Verdict.ERROR:
        return _UNEVALUATED
    if finding.rule not in then.rules:
        return _NEW_RULE
    if finding.connections and all(c.id not in then.index_of for c in finding.connections):
        return "the connection was not listed before"
    if before is Verdict.SKIP:
        return "the rule did not apply to it before"
    return _CHANGED if _is_changed(finding.rule, then, now) else ""


def _why_unjudged(now: _Side, finding: EarlierFinding, after: Verdict | None) -> str:
    if after is Verdict.ERROR:
        return "could not be evaluated"
    rule = now.rules.get(finding.rule)
    if rule is None:
        return "the rule is not in the newer run"
    if finding.connections and all(c.id not in now.index_of for c in finding.connections):
        return "the connection is not in the newer run"
    return "the newer run does not have this check"


def _check_accounts(earlier: EarlierReport, later: EarlierReport) -> None:
    then, now = earlier.source, later.source
    if then.account and now.account and then.account.id != now.account.id:
        raise UsageError(
            f"{earlier.name} is of the account {one_line(str(then.account))} and {later.name} of"
            f" {one_line(str(now.account))}: two accounts cannot be compared"
        )
    if then.base_url and now.base_url and then.base_url != now.base_url:
        raise UsageError(
            f"{earlier.name} is of {one_line(then.base_url)} and {later.name} of"
            f" {one_line(now.base_url)}: two accounts cannot be compared"
        )
    finished = bool(then.kind and now.kind)
    if finished and then.kind != now.kind and not {then.kind, now.kind} <= _ACCOUNTS:
        raise UsageError(
            f"{earlier.name} is of the kind {one_line(then.kind)} and {later.name} of"
            f" {one_line(now.kind)}: compare two runs of one kind"
        )
    old, new = earlier.connections.ids, later.connections.ids
    if old and new and frozenset(old).isdisjoint(new):
        raise UsageError(
            f"{earlier.name} and {later.name} have no connection in common: they are of two"
            " accounts, which cannot be compared"
        )


def _groups(changed: Changed) -> list[tuple[str, str]]:
    """Return the groups that a change involves, each with its name for people."""
    known = {each.group_id: each.group for each in changed.connections}
    return [(group, known.get(group, group)) for group in changed.group_ids]


def _tallies(
    changes: Iterable[tuple[Changed, Iterable[tuple[str, str]]]],
) -> tuple[Tally, ...]:
    counts: dict[str, Counter[Fate]] = defaultdict(Counter)
    labels: dict[str, str] = {}
    for changed, names in changes:
        for name, label in names:
            counts[name][changed.change] += 1
            labels.setdefault(name, label)
    tallies = [Tally(name, labels[name], dict(found)) for name, found in counts.items()]
    order = list(Fate)

    def worst(tally: Tally) -> tuple[object, ...]:
        return (-tally.worse, *(-tally.counts.get(change, 0) for change in order), tally.name)

    return tuple(sorted(tallies, key=worst))


def _reasons(comparison: Comparison) -> Iterator[str]:
    """Yield the reasons for the answer."""
    for report in (comparison.earlier, comparison.later):
        if not report.conclusive:
            why = f": {report.reasons[0]}" if report.reasons else ""
            yield f"{one_line(report.name)} was inconclusive{why}"
    worse = [c for c in comparison.changes if c.change in WORSE]
    counting = len(comparison.counting)
    for change in (Fate.NEW, Fate.RAISED, Fate.AGAIN):
        found = [c for c in worse if c.change is change]
        if found:
            told = [_by_severity(found)]
            noted = Counter(c.note for c in found)
            told += [f"{noted[note]:,} {said}" for note, said in _UNSEEN.items() if noted[note]]
            yield f"{_WORDS[change](len(found))} ({'; '.join(told)})"
    if len(worse) > counting:
        least = comparison.fail_on.label if comparison.fail_on else "none"
        yield f"{len(worse) - counting:,} of them below the bar (--fail-on {least})"
    if not worse:
        yield "no new violation"
    counts = comparison.counts
    if counts[Fate.FIXED]:
        notes = Counter(c.note for c in comparison.changes if c.change is Fate.FIXED)
        how = ", ".join(f"{notes[n]:,} where {n}" for n in (_CHANGED, _SKIPPED) if notes[n])
        yield f"{counts[Fate.FIXED]:,} fixed{how and f' ({how})'}"
    if counts[Fate.GONE]:
        yield f"{counts[Fate.GONE]:,} gone"
    if counts[Fate.UNJUDGED]:
        yield f"{plural(counts[Fate.UNJUDGED], 'check')} not judged by the newer run"
    then, now = comparison.earlier, comparison.later
    if then.judged_at and now.judged_at and then.judged_at > now.judged_at:
        yield (
            f"{one_line(then.name)} is as of a later time than {one_line(now.name)}: the older"
            " report comes first"
        )


_WORDS = {
    Fate.NEW: lambda n: plural(n, "new violation"),
    Fate.RAISED: lambda n: f"{plural(n, 'violation')} of rules made more severe",
    Fate.AGAIN: lambda n: f"{plural(n, 'violation')} no longer accepted",
}


def _by_severity(changes: Iterable[Changed]) -> str:
    """Return how many of ``changes``, severest first, have each severity."""
    counted = Counter(changed.severity for changed in changes)
    return ", ".join(f"{count:,} {severity.label}" for severity, count in counted.items())
