"""Why findings came to their verdicts, for a reader of many: a rule's parts once, then letters.

A finding's tree (``tree.py``) differs from others of its rule only in the parts' truths and in the
record's values. So a rule's parts are lines that are stored once, and findings with equal text
share a letter and a value for each line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

import msgspec

from auditor.model import Reason, ReasonLine, RuleReasons, Verdict
from auditor.policy.judging.evidence import Describer, Description, Read, shown
from auditor.policy.judging.groups import GroupOutcome, on_number, with_budgets
from auditor.policy.judging.judge import Judgement, numbered
from auditor.policy.judging.tree import (
    ITEMS_SHOWN,
    Outline,
    TreePart,
    deciding,
    outline,
    tree,
)
from auditor.policy.language.conditions import (
    All,
    Condition,
    Get,
    Nested,
    Test,
    evaluate_test,
    joined,
    reach,
)
from auditor.policy.language.english import sentence
from auditor.policy.language.operands import FieldOperand
from auditor.policy.language.rules import GroupRule
from auditor.policy.language.truth import Truth, all_of, negated

#: Letters of ``Reason.truths``.
_LETTERS = {True: "t", False: "f", None: "u"}
_NOT_ASKED, _CHOOSES, _FIELD, _NO_LINE = "n", "c", "v", "x"


def reasons_of(judgement: Judgement) -> Mapping[str, RuleReasons]:
    """Return why the findings came to their verdicts, by their rule's id.

    The findings have been described: only then is it known which of them have equal text.
    """
    reasons = {each.entry.rule.id: _of_records(each) for each in judgement.describers}
    for entry, outcomes in judgement.groups:
        reasons[entry.rule.id] = _of_groups(entry, numbered(outcomes), judgement.clean)
    return reasons


def _of_records(describer: Describer) -> RuleReasons:
    """Return the reasons of what ``describer`` has described of a rule on single records."""
    entry = describer.entry
    branches = [
        (key, outline(condition))
        for key, condition in (("when", entry.when), ("assert", entry.assertion))
        if condition is not None
    ]
    lines = [line for key, top in branches for line in _lines(key, top, describer.clean)]
    if len(lines) == 1:
        # A rule with one test has nothing to add to its findings' text.
        return RuleReasons(tuple(lines), {})
    letters = _letters_of([top for _, top in branches], describer)
    looks = [look for _, top in branches for look in _looks(top)]
    values: dict[frozenset[str], Callable[[Get, Description], tuple[str, ...]]] = {}
    reasons = {}
    described = zip(describer.firsts, describer.known.values(), strict=True)
    for (read, hidden), description in described:
        get = Read(zip(entry.reads, read, strict=True)).__getitem__
        if hidden not in values:
            values[hidden] = _values_of(describer.discreet(hidden), looks)
        reasons[description[-1]] = Reason(letters(get), values[hidden](get, description))
    return RuleReasons(tuple(lines), reasons)


def _lines(
    key: str, top: Outline, clean: Callable[[str], str], depth: int = 0
) -> Iterator[ReasonLine]:
    if _is_one_line(top):
        (part,) = top.parts
        top = Outline(f"{top.text}: {part.text}", part.test, part.denied, part.parts, part.joins)
    yield ReasonLine(key, depth, clean(top.text), top.test.path if top.test is not None else "")
    for path in _beside(top.test):
        yield ReasonLine("", depth + 1, path, path)
    items = _items_below(top.test)
    for _ in range(ITEMS_SHOWN if items is not None else 0):
        yield ReasonLine("", depth + 1, "item")
        assert items is not None
        yield from _item_lines(items.part, items.base, clean, depth + 2)
    for part in top.parts:
        yield from _lines("", part, clean, depth + 1)


def _item_lines(
    top: Outline, base: str, clean: Callable[[str], str], depth: int
) -> Iterator[ReasonLine]:
    path = joined(base, top.test.path) if top.test is not None else ""
    yield ReasonLine("", depth, clean(top.text), path)
    for part in top.parts:
        yield from _item_lines(part, base, clean, depth + 1)


class _Items(msgspec.Struct, frozen=True):
    """The lines below a test of an array: items, and for each the ``part`` that is asked of it.

    There are ``size`` lines, as many for each item that may be shown.
    """

    test: Test
    operand: Nested
    part: Outline

    @property
    def base(self) -> str:
        """The path of an item."""
        return f"{self.test.path}[]"

    @property
    def size(self) -> int:
        """How many lines there are."""
        return ITEMS_SHOWN * (1 + _count(self.part))

    def rows(self, get: Get, describer: Describer) -> list[tuple[str, str]]:
        """Return the letter and the value of each line, those of items that are not there too."""
        value = get(self.test.path)
        found: list[tuple[str, str]] = []
        if self.test.takes(value) and not describer.masked_items(self.test, self.operand):
            decided = deciding(self.test, self.operand, value, describer.now)
            for position, item in decided[:ITEMS_SHOWN]:
                grown = tree(
                    self.operand.condition, partial(reach, item), describer, base=self.base
                )
                found.append((_LETTERS[grown.truth], f"{position} of {len(value)}"))
                found += _item_rows(self.part, grown)
        return found + [(_NO_LINE, "")] * (self.size - len(found))


def _item_rows(top: Outline, grown: TreePart) -> Iterator[tuple[str, str]]:
    yield _LETTERS[grown.truth], grown.value
    for part, below in zip(top.parts, grown.parts, strict=False):
        yield from _item_rows(part, below)


def _count(top: Outline) -> int:
    return 1 + sum(map(_count, top.parts))


def _items_below(test: Test | None) -> _Items | None:
    """Return what stands below a test of an array; None below another."""
    if test is None or not test.operator.of_items:
        return None
    assert isinstance(test.operand, Nested)
    return _Items(test, test.operand, outline(test.operand.condition))


def _looks(top: Outline) -> Iterator[Outline | str | _Items]:
    """Yield what the lines show: what a test looks at, a field beside it, items, or nothing."""
    if _is_one_line(top):
        (top,) = top.parts
    yield top
    yield from _beside(top.test)
    items = _items_below(top.test)
    if items is not None:
        yield items
    for part in top.parts:
        yield from _looks(part)


def _beside(test: Test | None) -> tuple[str, ...]:
    """Return the fields that a test compares with."""
    if test is None or not isinstance(test.operand, FieldOperand):
        return ()
    return tuple(filter(None, (test.operand.path, test.operand.days)))


def _letters_of(tops: Sequence[Outline], describer: Describer) -> Callable[[Get], str]:
    """Return a function for the truth of every line, even those that no longer matter.

    After a condition that does not hold the next one is not asked.
    """
    writers = [
        (
            _letter_writer(top, describer),
            "".join(
                _NO_LINE * look.size if isinstance(look, _Items) else _NOT_ASKED
                for look in _looks(top)
            ),
        )
        for top in tops
    ]

    def letters_of(get: Get) -> str:
        letters: list[str] = []
        asked = True
        for tell, unasked in writers:
            if asked:
                asked = tell(get, letters) is True
            else:
                letters.append(unasked)
        return "".join(letters)

    return letters_of


def _letter_writer(top: Outline, describer: Describer) -> Callable[[Get, list[str]], Truth]:
    """Return a function that adds the letters of a part and those below, and returns its truth."""
    if _is_one_line(top):
        (top,) = top.parts
    test, denied, joins = top.test, top.denied, top.joins
    below = [_letter_writer(part, describer) for part in top.parts]
    beside, items = _FIELD * len(_beside(test)), _items_below(test)

    def of_test(get: Get, letters: list[str]) -> Truth:
        assert test is not None
        truth = evaluate_test(test, get, describer.now)
        truth = negated(truth) if denied else truth
        letters.append(_LETTERS[truth] + beside)
        if items is not None:
            letters += [letter for letter, _ in items.rows(get, describer)]
        return truth

    def of_parts(get: Get, letters: list[str]) -> Truth:
        own: list[str] = []
        truth = joins([tell(get, own) for tell in below])
        letters += (_LETTERS[truth], *own)
        return truth

    return of_parts if test is None else of_test


def _is_one_line(top: Outline) -> bool:
    """Whether a part shares a line with the one below it, as both have the same result."""
    return len(top.parts) == 1 and top.joins is all_of


def _values_of(
    describer: Describer, looks: Sequence[Outline | str | _Items]
) -> Callable[[Get, Description], tuple[str, ...]]:
    """Return a function for the value of every line, "" if it has none.

    A value that the finding already has is not computed again.
    """
    nested = frozenset(_nested(looks))
    known: dict[object, str] = {}

    def shown(path: str, get: Get, said: Mapping[str, str]) -> str:
        if path in said:
            return said[path]
        value = get(path)
        key = path, type(value), value
        try:
            text = known.get(key)
        except TypeError:  # An array, or an object.
            return describer.shown(path, value)
        if text is None:
            text = known[key] = describer.shown(path, value)
        return text

    def finder(look: Outline | str) -> Callable[[Get, Mapping[str, str]], str]:
        """Return what finds the value of a line."""
        if isinstance(look, str):
            return partial(shown, look)
        if look.test is None:
            return _nothing
        if isinstance(look.test.operand, Nested):
            return partial(_described, describer, look, look.test)
        return partial(shown, look.test.path)

    ways = [each if isinstance(each, _Items) else finder(each) for each in looks]

    def values(get: Get, description: Description) -> tuple[str, ...]:
        # A finding has one value of each field: of a length or of items it is another one.
        said = {each.field: each.actual for each in description[0] if each.field not in nested}
        found: list[str] = []
        for each in ways:
            if isinstance(each, _Items):
                found += [value for _, value in each.rows(get, describer)]
            else:
                found.append(each(get, said))
        return tuple(found)

    return values


def _nothing(_get: Get, _said: Mapping[str, str]) -> str:
    return ""


def _described(
    describer: Describer, top: Outline, test: Test, get: Get, _said: Mapping[str, str]
) -> str:
    failed = evaluate_test(test, get, describer.now) is not None
    return describer.clause(test, get, failed=failed, negated=top.denied).actual


def _nested(looks: Iterable[Outline | str | _Items]) -> Iterator[str]:
    """Yield the fields whose length or items are asked for."""
    for each in looks:
        if isinstance(each, Outline) and each.test and isinstance(each.test.operand, Nested):
            yield each.test.path


# -- groups ---------------------------------------------------------------------------------------


def _of_groups(
    entry: GroupRule,
    outcomes: Iterable[tuple[int, GroupOutcome]],
    clean: Callable[[str], str],
) -> RuleReasons:
    """Return the reasons of a rule's numbered ``outcomes`` on groups."""
    parts = _parts(entry.number)
    name = entry.counted
    lines = [ReasonLine("assert", 0, clean(entry.rule.expects), name)]
    lines += [ReasonLine("", 1, clean(sentence(part))) for part in parts]
    if entry.when is not None:
        lines.insert(0, ReasonLine("when", 0, clean(sentence(entry.when))))
    if entry.unless is not None:
        met = f"a connection of the account meets: {sentence(entry.unless)}"
        lines.insert(0, ReasonLine("unless", 0, clean(met)))
    if entry.chosen is not None:
        lines.insert(0, ReasonLine("groups", 0, clean(sentence(entry.chosen))))
    reasons = {}
    for number, outcome in outcomes:
        letters = _LETTERS[outcome.chosen] if entry.chosen is not None else ""
        letters += _LETTERS[outcome.excused] if entry.unless is not None else ""
        letters += _CHOOSES if entry.when is not None else ""
        letters += "u" if outcome.verdict is Verdict.ERROR else "f"
        letters += "".join(_LETTERS[truth] for truth in _of_number(entry, outcome, len(parts)))
        before = len(lines) - len(parts) - 1
        actual = outcome.actual
        value = actual if outcome.field == name else f"{outcome.field} is {actual}"
        beside = [
            f"{path} is {shown(path, held, entry.reveal, clean)}" for path, held in outcome.beside
        ]
        value = "; ".join([value, *(said for said in beside if said != value)])
        values = (*[""] * before, value, *[""] * len(parts))
        reasons[number] = Reason(letters, values)
    return RuleReasons(tuple(lines), reasons)


def _parts(condition: Condition | None) -> tuple[Condition, ...]:
    """Return the tests of what is counted or measured, where there are several."""
    return condition.parts if isinstance(condition, All) else ()


def _of_number(entry: GroupRule, outcome: GroupOutcome, count: int) -> Sequence[Truth]:
    """Return what each of ``count`` tests comes to on the number of a group."""
    if outcome.number is None:
        return [None] * count
    return [on_number(p, outcome.number) for p in _parts(with_budgets(entry, outcome.beside))]
