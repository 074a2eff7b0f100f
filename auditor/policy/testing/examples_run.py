"""Running the tests of policies: the examples beside rules, and those of test files.

Pure: a loaded policy goes in, the outcome of each example comes out. The examples beside a rule are
judged with the variables of the policy as it was loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from auditor.decoding.records import Shape
from auditor.facts.join import Join, joining
from auditor.facts.own import OwnFacts
from auditor.facts.shape import shape_of
from auditor.model import Connections, Finding, Position, Rule, Verdict
from auditor.policy.judging.groups import on_number
from auditor.policy.judging.judge import Judge, Judgement
from auditor.policy.judging.tree import Explained, explained
from auditor.policy.language.rules import GroupRule, PolicyRule, Ruleset
from auditor.policy.loading.examples import NOW, Example
from auditor.policy.loading.load import Loaded
from auditor.text import printable, shortened

_MOST_SERIOUS = (Verdict.ERROR, Verdict.FAIL, Verdict.PASS, Verdict.SKIP)
_NEEDED = (Verdict.FAIL, Verdict.PASS, Verdict.SKIP)


class ExampleOutcome(msgspec.Struct, frozen=True):
    """The outcome of one example: its verdict, and the findings behind it."""

    rule: Rule
    example: Example
    got: Verdict
    findings: tuple[Finding, ...]

    @property
    def position(self) -> Position:
        """Where the example is."""
        return self.example.position

    @property
    def expected(self) -> Verdict:
        """The verdict it should have got."""
        return self.example.expect

    @property
    def messages(self) -> tuple[str, ...]:
        """What the findings say."""
        return tuple(finding.message for finding in self.findings)

    @property
    def says_as_expected(self) -> bool:
        """Whether one of the findings has the message that was expected, if any was."""
        return self.example.message is None or self.example.message in self.messages

    @property
    def passed(self) -> bool:
        """Whether verdict and message are those that were expected."""
        return self.got is self.expected and self.says_as_expected


class MissingTests(msgspec.Struct, frozen=True):
    """A rule, and the verdicts that it can have but no example expects."""

    rule: Rule
    missing: tuple[Verdict, ...]
    untested: bool


def run_examples(loaded: Loaded) -> tuple[ExampleOutcome, ...]:
    """Return the outcome of every example beside a rule in force, in policy order."""
    return tuple(
        outcome
        for entry, examples in loaded.examples
        for outcome in judged(entry, examples, loaded.ruleset.facts)
    )


def judged(
    entry: PolicyRule | GroupRule,
    examples: Iterable[Example],
    facts: Mapping[str, OwnFacts] | None = None,
) -> Iterator[ExampleOutcome]:
    """Yield the outcomes of ``examples`` by one rule, each as of its own time.

    ``facts`` are the user's own: an example that says nothing about them has the row that matches.
    """
    trial = Trial(entry, facts)
    for example in examples:
        judgement, _ = trial.judged(example.records, example.now)
        findings = tuple(judgement.findings(_identities(example.records)))
        yield ExampleOutcome(entry.rule, example, trial.verdict_of(judgement), findings)


class Trial:
    """Judges plain records by one rule."""

    def __init__(
        self, entry: PolicyRule | GroupRule, facts: Mapping[str, OwnFacts] | None = None
    ) -> None:
        self._entry = entry
        self._ruleset = Ruleset((entry,), (), facts=facts or {})
        self._shape = shape_of(*self._ruleset.reads(), self._ruleset.facts)
        own = self._ruleset.facts
        tables = [own[name].table(row) for name, row in self._shape.own.items()]
        self._join = joining(self._shape, {table.name: table for table in tables})

    def judged(
        self, records: Iterable[Mapping[str, object]], now: datetime = NOW
    ) -> tuple[Judgement, list[Any]]:
        """Return the judgement of ``records`` as of ``now``, and the records as rules see them."""
        judge = Judge(self._ruleset, self._shape, now, _clean, placed=True)
        seen = [_joined(record, self._shape, self._join) for record in records]
        judge.take(seen)
        return judge.outcome(_is_whole), seen

    def verdict(self, records: Iterable[Mapping[str, object]], now: datetime = NOW) -> Verdict:
        """Return the most serious verdict on ``records`` as of ``now``."""
        return self.verdict_of(self.judged(records, now)[0])

    @staticmethod
    def verdict_of(judgement: Judgement) -> Verdict:
        """Return the most serious verdict of a judgement by one rule."""
        (checks,) = judgement.checks()
        return next((verdict for verdict in _MOST_SERIOUS if checks.count(verdict)), Verdict.SKIP)

    def tried(
        self, records: Sequence[Mapping[str, object]], now: datetime = NOW
    ) -> tuple[tuple[Explained, ...], tuple[Finding, ...]]:
        """Return why the rule comes to its verdicts on ``records``, and what a report would say.

        A rule on groups has an explanation per group, others have one per record.
        """
        judgement, seen = self.judged(records, now)
        explanations: dict[tuple[object, ...], Explained] = {}
        for at, record in enumerate(seen):
            for each in explained(judgement, self._entry, at, record):
                about = at if isinstance(self._entry, PolicyRule) else each.group
                explanations.setdefault((about, each.verdict, each.members), each)
        return tuple(explanations.values()), tuple(judgement.findings(_identities(records)))


def _joined(record: Mapping[str, object], shape: Shape, join: Join) -> object:
    """Return ``record`` as it is judged, with the matching rows unless it has its own."""
    plain, joined = shape.convert(record), shape.convert(record)
    join([joined])
    for name in shape.own:
        if name in record:
            attribute = shape.root.children[name].attribute
            setattr(joined, attribute, getattr(plain, attribute))
    return joined


def gaps(loaded: Loaded, outcomes: Iterable[ExampleOutcome]) -> Iterator[MissingTests]:
    """Yield every rule in force that lacks a failing, a passing or a skipping example.

    A rule without ``when`` needs no skipping one, and a count of connections never skips.
    """
    expected: dict[str, set[Verdict]] = {}
    for outcome in outcomes:
        expected.setdefault(outcome.rule.id, set()).add(outcome.expected)
    for entry, _ in loaded.examples:
        seen = expected.get(entry.rule.id, set())
        missing = tuple(v for v in _NEEDED if v not in seen and _can_give(entry, v))
        if missing:
            yield MissingTests(entry.rule, missing, untested=not seen)


def _can_give(entry: PolicyRule | GroupRule, verdict: Verdict) -> bool:
    if verdict is not Verdict.SKIP:
        return True
    if not isinstance(entry, GroupRule):
        return entry.when is not None
    if entry.chosen is not None or entry.unless is not None:
        return True
    measured = entry.measured
    counts = (
        entry.count is not None
        or (measured is not None and measured.aggregate.of_none is not None)
        or (entry.share is not None and on_number(entry.share, 0) is False)
    )
    return entry.when is not None and not counts


def _identities(records: Iterable[Mapping[str, object]]) -> Connections:
    """Return what a report would show of the connections that ``records`` are of."""
    keys = ("id", "service", "schema", "group_id")
    rows = [[_clean(str(record.get(key))) for key in keys] for record in records]
    ids, services, schemas, group_ids = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Connections(ids, services, schemas, group_ids)


def _clean(text: str) -> str:
    # Shown as in a run, except for its credentials: a test has none.
    return shortened(printable(text))


def _is_whole(_rule: Rule) -> bool:
    return True
