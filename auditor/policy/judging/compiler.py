"""Conditions compiled to Python: fast, and the same as their plain reading.

A condition becomes two expressions: one that is true where the condition *surely holds*, one that
is true where it *surely fails*. What is neither could not be evaluated. The two are duals (the
sure truth of ``all`` is the *and* of its parts, its sure falsehood their *or*; ``not`` swaps
them), so Kleene's logic needs no third value, a wrong type needs no branch, and whatever nobody
thought of is an error and never a pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from itertools import count
from typing import Any

import msgspec

from auditor.clock import FUTURE_TOLERANCE, parse_time_of_day, parse_timestamp
from auditor.decoding.gaps import LACKS, below, gaps_in
from auditor.decoding.json_values import MISSING
from auditor.decoding.records import Node, Shape
from auditor.fields import Field
from auditor.model import Verdict
from auditor.policy.language.conditions import (
    ITSELF,
    All,
    AnyOf,
    Condition,
    Named,
    Nested,
    Not,
    Test,
)
from auditor.policy.language.operands import FieldOperand, Literal, Now, Reading
from auditor.policy.language.operators import OperandForm
from auditor.policy.language.rules import GroupRule, PolicyRule
from auditor.policy.language.semantics import Quantifier
from auditor.policy.language.truth import Truth
from auditor.policy.language.values import LARGEST, Takes

_READ = "{0} is not None"
_AGED = "{0} is not None and {0} <= HORIZON"
#: What a value has to be before a source may be evaluated on it.
_GUARDS = {
    Takes.ANYTHING: "type({0}) not in LACKS",
    Takes.NUMBERS: _READ,
    Takes.MOMENTS: _READ,
    Takes.TEXT: "type({0}) is str",
    Takes.BOOLEANS: "type({0}) is bool",
}
_OF_TYPE = {str: Takes.TEXT, bool: Takes.BOOLEANS, int: Takes.NUMBERS, float: Takes.NUMBERS}
_NUMBERS = frozenset({int, float})
#: A source that calls its operand costs more than all the rest, and is evaluated once.
_CALLS = "{operand}("
#: What a number is, and an item that no condition looks into.
_PLAIN = Node("", "", "")
_INLINE = (str, int, float, bool)
_LARGEST = int(LARGEST)

#: What a check leaves that did not pass: rule, connection, verdict, and the values it read.
RawFinding = tuple[int, int, int, tuple[Any, ...]]
#: Judges a page: takes records, the index of the first, and where rows of verdicts and findings go.
JudgePage = Callable[
    [Sequence[Any], int, Callable[[tuple[int, ...]], None], Callable[[RawFinding], None]], None
]
#: Takes a record of a group: its index, key, membership, what is compared or measured, and what its
#: whole group has in common.
TakeMember = Callable[[int, tuple[Any, ...], Truth, tuple[Any, ...], tuple[Any, ...]], None]
#: Takes a value that is not documented: the number of its field, the value, the record's index.
NoteValue = Callable[[int, Any, int], None]


class Sure(msgspec.Struct, frozen=True):
    """Two Python expressions: where a condition surely holds, and where it surely fails."""

    holds: str
    fails: str


def compile_judge(
    rules: Sequence[PolicyRule],
    groups: Sequence[tuple[GroupRule, TakeMember]],
    shape: Shape,
    now: datetime,
    watched: Sequence[Field] = (),
    note: NoteValue | None = None,
) -> JudgePage:
    """Return a function that judges a page of the shape's records by all rules at once.

    A row has a verdict for each of ``rules``, in order; members go to their group's function. What
    is not documented in a field that is ``watched`` goes to ``note``.
    """
    return _Program(shape, now).page(rules, groups, watched, note)


class _Program:
    """The text of the functions, and the names it uses."""

    def __init__(self, shape: Shape, now: datetime) -> None:
        self.shape = shape
        self.now = now
        self.names: dict[str, Any] = {
            "MISSING": MISSING,
            "LACKS": LACKS,
            "NUMERIC": _NUMBERS,
            "NOW": now,
            "HORIZON": Now(FUTURE_TOLERANCE).at(now),
            "read_timestamp": parse_timestamp,
            "read_time_of_day": parse_time_of_day,
        }

    def page(
        self,
        rules: Sequence[PolicyRule],
        groups: Sequence[tuple[GroupRule, TakeMember]],
        watched: Sequence[Field],
        note: NoteValue | None,
    ) -> JudgePage:
        """Return the function that judges a page."""
        loop = _Locals(self, self.shape.root, "r", exact=True)
        body: list[str] = []
        for number, rule in enumerate(rules):
            body += self._rule(number, rule, loop)
        for group, take in groups:
            body += self._member(group, self.name(take), loop)
        if note is not None:
            named = self.name(note)
            for number, field in enumerate(watched):
                body += self._watch(field, f"{named}({number}, {{}}, n)", loop)
        row = "".join(f"c{number}, " for number in range(len(rules)))
        lines = [*loop.lines, *body, f"add(({row}))", "n += 1"]
        return self._define(
            "records, n, add, found", ["for r in records:", *(f" {line}" for line in lines)]
        )

    def name(self, value: Any) -> str:
        """Return a name for ``value`` in the program."""
        name = f"given_{len(self.names)}"
        self.names[name] = value
        return name

    def constant(self, value: Any) -> str:
        """Return an expression for an operand's value."""
        if type(value) in _INLINE:
            return repr(value)
        if isinstance(value, tuple):
            return self.name(frozenset(value))
        return self.name(value)

    def function(self, condition: Condition, node: Node) -> Callable[[Any], Truth]:
        """Return ``condition`` as a function of an item that ``node`` describes, or a number."""
        item = _Locals(self, node, "r", exact=False)
        sure = self.condition(condition, item)
        judged = f"return True if {sure.holds} else False if {sure.fails} else None"
        return self._define("r", [*item.lines, *item.answers(), judged])

    def quantifier(
        self, quantifier: Quantifier, condition: Condition, node: Node
    ) -> Callable[..., Truth]:
        """Return ``quantifier`` of ``condition`` as a function of the items of an array.

        The first item that settles it ends the loop. If an item could not be evaluated, neither can
        the whole, unless another item settles it.
        """
        item = _Locals(self, node, "r", exact=False)
        sure = self.condition(condition, item)
        settles, leaves = (
            (sure.holds, sure.fails) if quantifier.settled_by else (sure.fails, sure.holds)
        )
        settled = quantifier.comes_to
        inside = [
            *item.lines,
            *item.answers(),
            f"if {settles}: return {settled}",
            f"if not {leaves}: unsure = True",
        ]
        return self._define(
            "items",
            [
                "if type(items) is not list: return None",
                "unsure = False",
                "for r in items:",
                *(f" {line}" for line in inside),
                f"return None if unsure else {not settled}",
            ],
        )

    def _define(self, parameters: str, lines: list[str]) -> Callable[..., Any]:
        text = "\n".join([f"def judge({parameters}):", *(f" {line}" for line in lines)])
        # The text is made of names that the program chose and of literals in repr(): nothing in it
        # comes from a policy as code.
        exec(text, self.names)  # noqa: S102
        function: Callable[..., Any] = self.names["judge"]
        return function

    # -- rules ------------------------------------------------------------------------------

    def _rule(self, number: int, rule: PolicyRule, local: _Locals) -> list[str]:
        kept = "".join(f"{local.of(path)}, " for path in rule.reads)
        asserted = self.condition(rule.assertion, local)

        def noted(verdict: Verdict) -> list[str]:
            return [
                f" c{number} = {verdict.value}",
                f" found(({number}, n, {verdict.value}, ({kept})))",
            ]

        judged = [
            *local.answers(),
            f"if {asserted.holds}: c{number} = {Verdict.PASS.value}",
            f"elif {asserted.fails}:",
            *noted(Verdict.FAIL),
            "else:",
            *noted(Verdict.ERROR),
        ]
        if rule.when is None:
            return judged
        applies = self.condition(rule.when, local)
        return [
            *local.answers(),
            f"if {applies.holds}:",
            *(f" {line}" for line in judged),
            f"elif {applies.fails}: c{number} = {Verdict.SKIP.value}",
            "else:",
            *noted(Verdict.ERROR),
        ]

    def _member(self, group: GroupRule, take: str, local: _Locals) -> list[str]:
        key = "".join(f"{local.of(path)}, " for path in group.keys)
        values = "".join(f"{local.of(path)}, " for path in group.compared)
        common = "".join(f"{local.of(path)}, " for path in group.common)
        if group.when is None:
            return [f"{take}(n, ({key}), True, ({values}), ({common}))"]
        applies = self.condition(group.when, local)
        member = f"True if {applies.holds} else False if {applies.fails} else None"
        return [*local.answers(), f"{take}(n, ({key}), {member}, ({values}), ({common}))"]

    def _watch(self, field: Field, noted: str, local: _Locals) -> list[str]:
        """Return the lines that note a value of ``field`` which is not documented."""
        path, items, within = field.path.partition("[]")
        known, kind = self.name(frozenset(field.values)), type(field.values[0]).__name__
        value = local.of(path)

        def look(value: str) -> str:
            return f"if type({value}) is {kind} and {value} not in {known}: {noted.format(value)}"

        if not items:
            return [look(value)]
        item = _Locals(self, local.item_of(path), "r", exact=False)
        noting = look(item.of(within.removeprefix(".")))
        lines = [f" {line}" for line in (*item.lines, noting)]
        at_items = self.name(self._define("items, n", ["for r in items:", *lines]))
        return [f"if type({value}) is list and {value}: {at_items}({value}, n)"]

    # -- conditions -------------------------------------------------------------------------

    def condition(self, condition: Condition, local: _Locals) -> Sure:
        """Return where ``condition`` surely holds and where it surely fails."""
        match condition:
            case All(parts):
                return _joined([self.condition(p, local) for p in parts], "and", "or")
            case AnyOf(parts):
                return _joined([self.condition(p, local) for p in parts], "or", "and")
            case Not(part):
                sure = self.condition(part, local)
                return Sure(sure.fails, sure.holds)
            case Named(_, part):
                return self.condition(part, local)
            case Test():
                return self._test(condition, local)

    def _test(self, test: Test, local: _Locals) -> Sure:
        value, operand = local.of(test.path, test.reading), test.operand
        if isinstance(operand, Literal):
            guard = _guard(test, operand)
            if test.operator.source and guard is not None:
                return self._inline(test, operand, local, guard)
        call = self.name(self._call(test, local))
        other = ""
        if isinstance(operand, FieldOperand):
            other = f", {local.of(operand.path, operand.reading)}"
            if operand.days:
                other += f", {local.of(operand.days)}"
        return local.answer(f"{call}({value}{other})")

    def _inline(self, test: Test, operand: Literal, local: _Locals, guard: str) -> Sure:
        value = local.of(test.path, test.reading)
        if test.operator.identity and type(operand.value) is bool:
            return Sure(f"{value} is {operand.value}", f"{value} is {not operand.value}")
        if guard is _READ and test.reading is Reading.PLAIN:
            value = local.number(test.path)
        source, wanted = test.operator.source, operand.at(self.now)
        several = (
            wanted if test.operator.takes_alternatives and isinstance(wanted, tuple) else (wanted,)
        )
        alternatives = [source.format(value=value, operand=self.constant(one)) for one in several]
        holds = " or ".join(alternatives)
        guard = guard.format(value)
        if source.startswith(_CALLS):
            return local.answer(f"{holds} if {guard} else None")
        return Sure(f"({guard} and ({holds}))", f"({guard} and not ({holds}))")

    def _call(self, test: Test, local: _Locals) -> Callable[..., Truth]:
        """Return ``test`` as a function of the value and of a field operand's value."""
        operator, operand, now = test.operator, test.operand, self.now
        takes, holds = operator.accepts(test.kind).admits, operator.holds
        if isinstance(operand, FieldOperand):

            def with_field(value: Any, other: Any, days: Any = MISSING) -> Truth:
                if not takes(value):
                    return None
                return holds(value, operator.from_field(other, operand, days), now)

            return with_field
        if isinstance(operand, Nested) and operator.quantifier is not None:
            item = local.item_of(test.path)
            return self.quantifier(operator.quantifier, operand.condition, item)
        fixed = self._functions(operand, test, local)
        if operator.whole:
            # Most arrays are empty: what comes of one is worked out once.
            empty = holds([], fixed, now) if takes([]) else None
            return lambda v: (
                empty if v == [] else holds(v, fixed, now) if takes(v) and not gaps_in(v) else None
            )
        return lambda v: holds(v, fixed, now) if takes(v) else None

    def _functions(self, operand: Literal | Nested, test: Test, local: _Locals) -> Any:
        if isinstance(operand, Literal):
            return operand.at(self.now)
        judge = self.function(operand.condition, local.item_of(test.path))
        return (judge,) if operand.count is None else (judge, self.function(operand.count, _PLAIN))


class _Locals:
    """The local names of one function, each loaded once.

    ``exact`` means that ``subject`` is always the node's struct and needs no check.
    """

    def __init__(self, program: _Program, node: Node, subject: str, *, exact: bool) -> None:
        self.lines: list[str] = []
        self._program = program
        self._node = node
        self._subject = subject
        self._exact = exact
        self._loaded: dict[tuple[str, Reading], str] = {}
        self._numbers: dict[str, str] = {}
        self._answers: list[str] = []
        self._fresh = count()

    def of(self, path: str, reading: Reading = Reading.PLAIN) -> str:
        """Return the local name of the value at ``path``, read as ``reading``."""
        if path == ITSELF and reading is Reading.PLAIN:
            return self._subject
        name = self._loaded.get((path, reading))
        if name is None:
            expression = self._load(path) if reading is Reading.PLAIN else self._read(path, reading)
            name = self._loaded[path, reading] = self._bind(expression, self.lines)
        return name

    def number(self, path: str) -> str:
        """Return the local name of the value at ``path`` if it is a number, else None."""
        name = self._numbers.get(path)
        if name is None:
            value = self.of(path)
            # The same as ``is_number``; comparing integers with integers is several times faster.
            is_number = f"type({value}) in NUMERIC and {-_LARGEST} <= {value} <= {_LARGEST}"
            expression = f"{value} if {is_number} else None"
            name = self._numbers[path] = self._bind(expression, self.lines)
        return name

    def answer(self, expression: str) -> Sure:
        """Return the two tests of ``expression``, a three-valued truth that is evaluated once."""
        name = self._bind(expression, self._answers)
        return Sure(f"{name} is True", f"{name} is False")

    def answers(self) -> list[str]:
        """Return the lines that the conditions since the last call depend on."""
        lines, self._answers = self._answers, []
        return lines

    def node_of(self, path: str) -> Node:
        """Return the shape's node at ``path``."""
        node = self._node
        for step in path.split(".") if path else ():
            node = node.children[step]
        return node

    def item_of(self, path: str) -> Node:
        """Return the shape's node of what the array at ``path`` holds."""
        return self.node_of(path).items or _PLAIN

    def _bind(self, expression: str, lines: list[str]) -> str:
        name = f"v{next(self._fresh)}"
        lines.append(f"{name} = {expression}")
        return name

    def _read(self, path: str, reading: Reading) -> str:
        value = self.of(path)
        return f"read_{reading.name.lower()}({value}) if type({value}) is str else None"

    def _load(self, path: str) -> str:
        above, _, key = path.rpartition(".")
        parent, holder = self.node_of(above), self.of(above) if above else self._subject
        child = parent.children[key]
        beside = self._program.name(partial(below, parent.path))
        # Below what a plan leaves open all is open, and below a text nothing can be said.
        else_ = f"MISSING if {holder} is MISSING or {holder} is None else {beside}({holder})"
        if parent.whole:
            return f"{holder}.get({key!r}, MISSING) if type({holder}) is dict else {else_}"
        if self._exact and not above:
            return f"{holder}.{child.attribute}"
        kind = self._program.name(parent.struct)
        return f"{holder}.{child.attribute} if type({holder}) is {kind} else {else_}"


def _joined(parts: list[Sure], holds: str, fails: str) -> Sure:
    return Sure(
        "(" + f" {holds} ".join(part.holds for part in parts) + ")",
        "(" + f" {fails} ".join(part.fails for part in parts) + ")",
    )


def _guard(test: Test, operand: Literal) -> str | None:
    """Return the check of a value's type, None if it varies."""
    if test.operator.form is OperandForm.DURATION:
        return _AGED
    takes = {test.operator.accepts(test.kind)}
    if takes == {Takes.SCALARS}:
        values = operand.value if isinstance(operand.value, tuple) else (operand.value,)
        takes = {_OF_TYPE[type(value)] for value in values}
    return _GUARDS.get(takes.pop()) if len(takes) == 1 else None
