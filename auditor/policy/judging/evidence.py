"""From what a check left behind to a finding that people can act on.

A finding's values pass three filters on their way to text: the field's exposure, what looks like a
secret, and the caller's ``clean`` (credentials, control characters, length).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import partial
from itertools import chain
from typing import Any, NamedTuple

import msgspec

from auditor.decoding.gaps import LACKS, Gap
from auditor.decoding.json_values import CONCEALED, MISSING, UNREADABLE, Unread, kind_of
from auditor.fields import PLAN, SCHEMA_CONFIG
from auditor.model import Evidence
from auditor.policy.language.conditions import (
    All,
    AnyOf,
    Condition,
    Named,
    Nested,
    Not,
    Test,
    evaluate,
    joined,
    reach,
    tests_in,
)
from auditor.policy.language.english import wanted
from auditor.policy.language.operands import FieldOperand, Literal, Reading
from auditor.policy.language.operators import OperandForm
from auditor.policy.language.rules import PolicyRule
from auditor.policy.language.values import Takes, is_number
from auditor.redaction.fields import HIDDEN, REDACTED, guarded
from auditor.text import listed, plural, printable

_PACKED = msgspec.msgpack.Encoder().encode
_ITEMS_SHOWN = 3
#: How an unreadable value is shown, before the reason.
_NOT_READ = str(Unread("")).removesuffix(")")
_AHEAD = " (in the future)"
#: What stands for a value that a plan marks as sensitive.
SENSITIVE = "[sensitive]"
_KEPT = frozenset({HIDDEN, REDACTED, SENSITIVE})
_WANTED_TYPE = {
    Takes.SCALARS: "a text, number or boolean",
    Takes.NUMBERS: "a number",
    Takes.TEXT: "text",
    Takes.TEXT_OR_ARRAY: "text or an array",
    Takes.ARRAY: "an array",
    Takes.OBJECT: "an object",
    Takes.BOOLEANS: "true or false",
    Takes.SIZED: "a text, an array or an object",
}


class Clause(NamedTuple):
    """What a field holds, and what it should: ``kind`` is a type, or ""."""

    field: str
    verb: str
    actual: str
    kind: str
    expected: str
    #: Whether a plan leaves the field open; its value then says what to write.
    unknown: bool = False
    #: The field that this one is compared with, if there is nothing to compare it with.
    beside: Clause | None = None

    @property
    def needed(self) -> str:
        """What was expected, in words."""
        return f"{self.kind}, {self.expected}" if self.kind else self.expected

    def __str__(self) -> str:
        return f"{self.field} {self.verb} {self.actual}, expected {self.needed}"


#: A timestamp as the API writes it, and its fraction of a second.
_FRACTION = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.\d+(Z|[+-]\d\d:\d\d)")

#: The evidence of a check, a message, what to do about an error, and the evidence's number: checks
#: of one rule with equal text share both.
Description = tuple[tuple[Evidence, ...], str, str, int]


class Describer(msgspec.Struct, frozen=True):
    """Describes the findings of one rule, as of ``now``; ``clean`` makes any text fit to show."""

    entry: PolicyRule
    now: datetime
    clean: Callable[[str], str]
    #: What was said about earlier values: most violations of a rule look alike.
    known: dict[object, Description] = msgspec.field(default_factory=dict)
    #: Paths whose values are not shown, whatever the policy reveals.
    hidden: frozenset[str] = frozenset()
    #: The first values described with each number, in order, and the paths that were hidden.
    firsts: list[tuple[tuple[Any, ...], frozenset[str]]] = msgspec.field(default_factory=list)

    def discreet(self, hidden: frozenset[str]) -> Describer:
        """Return a describer of the same rule that hides the values at ``hidden``.

        It shares this one's numbers.
        """
        return msgspec.structs.replace(self, hidden=hidden)

    def describe(self, values: tuple[Any, ...], *, failed: bool) -> Description:
        """Return what decided a check that read ``values``, and the message.

        ``failed`` means that the check failed; otherwise it is an error. A check that could not be
        judged gets a message of its own: the rule's describes a violation, and none was seen.
        """
        key = self.hidden, _key(values[: len(self.entry.rule.reads)], failed=failed)
        described = self.known.get(key)
        if described is None:
            decided = self._decided(values, failed=failed)
            described = self.known[key] = (*decided, len(self.known) + 1)
            self.firsts.append((values, self.hidden))
        if described[1]:
            return described
        assert self.entry.message is not None
        read = dict(zip(self.entry.reads, values, strict=True))
        message = self.entry.message.filled(
            lambda path: _to_the_second(self.shown(path, read[path]))
        )
        return described[0], printable(message), described[2], described[3]

    def _decided(
        self, values: tuple[Any, ...], *, failed: bool
    ) -> tuple[tuple[Evidence, ...], str, str]:
        """Return the evidence and its message, "" if the rule's own message says it better."""
        get = Read(zip(self.entry.reads, values, strict=True)).__getitem__
        condition, when = self.entry.assertion, self.entry.when
        if when is not None and evaluate(when, get, self.now) is None:
            condition = when
        clauses = self._clauses(condition, get, failed=failed)
        clauses = list(dict.fromkeys(clauses)) if failed else _merged(clauses)
        evidence = tuple([Evidence(c.field, c.actual, c.needed) for c in clauses])
        if failed and self.entry.message is not None:
            return evidence, "", ""
        between = "; or " if failed and isinstance(condition, AnyOf) else "; "
        text = between.join(map(str, clauses))
        if failed:
            return evidence, text, ""
        advised = "; ".join(dict.fromkeys(map(advice, clauses)))
        return evidence, f"cannot be judged: {text}", advised

    def shown(self, path: str, value: Any) -> str:
        """Return ``value``, which is at ``path``, as a report may show it."""
        held = value is not MISSING and value is not None and type(value) is not Gap
        if held and covers(self.hidden, path):
            return SENSITIVE
        return shown(path, value, self.entry.reveal, self.clean)

    def masked_items(self, test: Test, operand: Nested) -> str:
        """Return what stands for an array of which nothing is shown, not even its length; or ""."""
        paths = [test.path, *_paths_of_items(test.path, operand)]
        masks = [
            SENSITIVE if covers(self.hidden, path) else guarded(path, "", self.entry.reveal)
            for path in paths
        ]
        return masks[0] if all(masks) else ""

    def _clauses(
        self,
        condition: Condition,
        get: Callable[[str], Any],
        *,
        failed: bool,
        negated: bool = False,
    ) -> list[Clause]:
        """Return the tests that made ``condition`` false or, without ``failed``, an error."""
        match condition:
            case Test():
                return [self.clause(condition, get, failed=failed, negated=negated)]
            case Not(part):
                return self._clauses(part, get, failed=failed, negated=not negated)
            case Named(_, part):
                return self._clauses(part, get, failed=failed, negated=negated)
            case All(parts) | AnyOf(parts):
                blamed = negated if failed else None
                found = [part for part in parts if evaluate(part, get, self.now) is blamed]
                clauses = [self._clauses(p, get, failed=failed, negated=negated) for p in found]
                return list(chain.from_iterable(clauses))

    def clause(
        self, test: Test, get: Callable[[str], Any], *, failed: bool, negated: bool
    ) -> Clause:
        """Return what ``test`` found and expected; without ``failed``, why it is undecided."""
        value, expected = get(test.path), wanted(test, negated=negated)
        operand, verb = test.operand, "is"
        if isinstance(operand, FieldOperand):
            expected = f"{expected} ({', '.join(self.beside(operand, get))})"
        if isinstance(operand, Nested) and test.takes(value):
            if test.operator.of_items:
                actual = self.masked_items(test, operand)
                if not actual:
                    actual, verb = self._items(test, operand, value, negated=negated), "holds"
            else:
                actual = self.shown(test.path, value)
                # If a value is hidden, so is its length.
                actual = actual if actual in _KEPT else f"of length {len(value):,}"
        else:
            actual = self.shown(test.path, value)
            verb = "holds" if type(value) is list and value else verb
        if type(value) is Gap:
            return Clause(test.path, "is", actual, "", expected, unknown=True)
        if failed or value is MISSING or value is None or type(value) in UNREADABLE:
            return Clause(test.path, verb, actual, "", expected)
        if type(value) is list:
            lost = next((item for item in value if type(item) is Unread), None)
            if lost is not None:  # Nobody knows whether it belongs to the array.
                return Clause(test.path, "is", str(lost), "", expected)
        if not test.takes(value):
            verb = "is"
        beside = self._lacking(operand, get) if isinstance(operand, FieldOperand) else None
        typed, kind = _doubted(test, value, actual, self.now)
        return Clause(test.path, verb, typed, kind, expected, beside=beside)

    def _lacking(self, operand: FieldOperand, get: Callable[[str], Any]) -> Clause | None:
        """Return what a test cannot be compared with: the first field that has no value."""
        for path in filter(None, (operand.path, operand.days)):
            other = get(path)
            if other is MISSING or other is None or other == "" or type(other) in LACKS:
                shown = self.shown(path, other)
                return Clause(path, "is", shown, "", "", unknown=type(other) is Gap)
        return None

    def beside(self, operand: FieldOperand, get: Callable[[str], Any]) -> list[str]:
        """Return the values of the fields that a test compares with: ``floors.minutes is 15``."""
        named = [path for path in (operand.path, operand.days) if path]
        return [f"{path} is {self.shown(path, get(path))}" for path in named]

    def _items(self, test: Test, operand: Nested, items: list[Any], *, negated: bool) -> str:
        """Return the items that decided a test of an array: each one's values and its number."""
        quantifier = test.operator.quantifier
        wants = (quantifier is not None and quantifier.wants) is not negated
        described: list[str] = []
        for number, item in enumerate(items, 1):
            if evaluate(operand.condition, partial(reach, item), self.now) is not wants:
                described.append(
                    f"{self._item(test, operand, item)} (item {number} of {len(items)})"
                )
        if not described:
            return plural(len(items), "item") if items else "no item"
        more = len(described) - _ITEMS_SHOWN
        return listed([*described[:_ITEMS_SHOWN], *([f"{more:,} more"] if more > 0 else [])], "and")

    def _item(self, test: Test, operand: Nested, item: Any) -> str:
        values = []
        for part in tests_in(operand.condition):
            full = joined(f"{test.path}[]", part.path)
            value = self.shown(full, reach(item, part.path))
            values.append(f"{part.path} {value}".strip())
        return " ".join(dict.fromkeys(values))


def _paths_of_items(base: str, operand: Nested) -> Iterator[str]:
    """Yield the paths that tests of an array's items read, in arrays below them too."""
    for test in tests_in(operand.condition):
        path = joined(f"{base}[]", test.path)
        yield path
        if test.operator.of_items and isinstance(test.operand, Nested):
            yield from _paths_of_items(path, test.operand)


def _doubted(test: Test, value: Any, actual: str, now: datetime) -> tuple[str, str]:
    """Return what an undecidable value is, as of ``now``, and the type it should have."""
    kind = kind_of(value)
    typed = kind if type(value) in {list, dict} or kind == actual else f"{actual} ({kind})"
    if test.reading is not Reading.PLAIN:
        if type(value) is not str:
            return typed, f"a {test.reading.value}"
        read = test.reading(value)
        if read is None:
            return f"{actual} (no {test.reading.value} that can be read)", ""
        ahead = test.operator.form is OperandForm.DURATION and read > now
        return (f"{actual}{_AHEAD}" if ahead else actual), ""
    if not test.takes(value):
        return typed, _WANTED_TYPE.get(test.operator.accepts(test.kind), "a value")
    if isinstance(test.operand, Literal) and type(value) is not list:
        operand = test.operand.value
        return typed, kind_of(operand[0] if isinstance(operand, tuple) else operand)
    return actual, ""


#: Where to get what no listing has.
_ELSEWHERE = {
    PLAN: f"{PLAN}.* comes only from a Terraform plan: write exists: true in the rule's when, and"
    " the rule skips the connections of a listing",
    SCHEMA_CONFIG: f"{SCHEMA_CONFIG}.* comes only from a Terraform plan: for a live connection it"
    " would take a request each (GET /v1/connections/ID/schemas), which is not made; write exists:"
    " true in the rule's when",
}


def advice(clause: Clause) -> str:
    """Return how to make an undecidable check decidable."""
    if clause.beside is not None and not clause.kind:
        return advice(clause.beside)
    field = clause.field or "the item"
    if clause.unknown:
        return f"{field} is {clause.actual}, or pass --on-unknown skip"
    if clause.actual == "missing" and field.partition(".")[0] in _ELSEWHERE:
        return _ELSEWHERE[field.partition(".")[0]]
    if clause.actual.startswith(_NOT_READ):
        return f"{field} could not be read: {clause.actual.removeprefix(_NOT_READ)[:-1]}"
    if clause.actual in {"missing", "null"}:
        return (
            f"{field} is {clause.actual}: write {field}: {{exists: true}} in the rule's when to"
            " skip such connections, or in its assert to fail them"
        )
    if clause.actual == '""':
        return (
            f"{field} is empty, which decides nothing: give it a value, or write"
            f" {field}: {{is_empty: false}} in the rule's when"
        )
    if clause.actual.endswith(_AHEAD):
        return (
            f"{field} is ahead of the time that the run judges by: set this machine's clock, or"
            " pass --now, or use before and after for a time that may be in the future"
        )
    if clause.kind:
        todo = "test for what the API sends there, or skip it in when"
        return f"{field} is not {clause.kind}: {todo}"
    return f"{field} cannot be compared as the rule asks: test for what the API sends there"


def _merged(clauses: Iterable[Clause]) -> list[Clause]:
    """Return the clauses, with those that say the same about a field merged."""
    wants: dict[Clause, list[str]] = {}
    for clause in dict.fromkeys(clauses):
        wants.setdefault(clause._replace(expected=""), []).append(clause.expected)
    return [same._replace(expected=listed(w, "and")) for same, w in wants.items()]


def _to_the_second(text: str) -> str:
    """Return a timestamp to the second: a sentence has no use for more."""
    found = _FRACTION.fullmatch(text)
    return found[1] + found[2] if found else text


def shown(path: str, value: Any, reveal: frozenset[str], clean: Callable[[str], str]) -> str:
    """Return ``value``, which is at ``path``, as a report may show it."""
    if type(value) is Gap:
        return clean(value.reason)
    if value is MISSING:
        return "missing"
    if value is None:
        return "null"
    if type(value) in UNREADABLE:
        return str(value)  # The client has already cleaned what a server said.
    if value == "":
        return '""'
    return clean(guarded(path, _text(value), reveal))


def covers(hidden: Iterable[str], path: str) -> bool:
    """Whether ``path`` is one of the paths ``hidden``, or below one."""
    plain = path.replace("[]", "")
    return any(plain == above or plain.startswith(f"{above}.") for above in hidden)


def _key(values: tuple[Any, ...], *, failed: bool) -> object:
    """Return a key that values share if they are reported alike.

    True == 1 == 1.0 in Python, and arrays have no hash, so the key is how values are written.
    """
    try:
        return failed, _PACKED(values)
    except (TypeError, ValueError, OverflowError, RecursionError):
        pass  # A missing field, an integer of any length, half a character.
    try:
        return failed, repr(values)
    except RecursionError:  # An array nested almost too deeply to be read.
        return failed, id(values)


class Read(dict[str, Any]):
    """What a check read, by path."""

    def __missing__(self, path: str) -> Any:
        return MISSING


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value) if is_number(value) else "a number out of range"
    if isinstance(value, list):
        scalars = all(isinstance(item, str | int | float | bool) for item in value)
        return ", ".join(map(_text, value)) or "empty" if scalars else plural(len(value), "item")
    return str(CONCEALED) if value is CONCEALED else "an object"
