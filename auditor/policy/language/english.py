"""Conditions in plain English, derived from the conditions themselves."""

from __future__ import annotations

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
from auditor.policy.language.operands import FieldOperand, Literal
from auditor.policy.language.operators import OperandForm, Phrase


def sentence(condition: Condition) -> str:
    """Return what ``condition`` requires: ``sync_frequency is at least 15 and at most 1440``."""
    match condition:
        case Test():
            return f"{condition.path} {predicate(condition)}".strip()
        case Not(Test() as test):
            return f"{test.path} {predicate(test, denied=True)}".strip()
        case Not(Not(part)):
            return sentence(part)
        case Not(Named(name, part)):
            return f"not {name} ({sentence(part)})"
        case Not(part):
            return f"not ({sentence(part)})"
        case Named(name, part):
            return f"{name} ({sentence(part)})"
        case AnyOf(parts):
            return " or ".join(_part(part) for part in parts)
        case All(parts):
            return _joined(parts)


def predicate(test: Test, *, denied: bool = False) -> str:
    """Return what ``test`` requires of its field: ``is at least 15``; or its contrary."""
    operator, operand = test.operator, test.operand
    if isinstance(operand, Nested):
        return _of_nested(test, operand, denied=denied)
    if isinstance(operand, FieldOperand):
        phrase = operator.phrase_of_field or operator.phrase
        return _said(phrase, denied=denied).format(operand.text)
    if operator.form is OperandForm.BOOLEAN:
        return _said(operator.phrase, denied=(operand.value is False) is not denied)
    phrase = operator.phrase
    if operator.phrase_of_one is not None and len(operand.value) == 1:
        phrase = operator.phrase_of_one
    return _said(phrase, denied=denied).format(_quoted(operand))


def wanted(test: Test, *, negated: bool = False) -> str:
    """Return what a report shows as expected: ``at least 15``, ``a text that starts with raw_``."""
    operator, operand = test.operator, test.operand
    if operator.expected is not None:
        refused = isinstance(operand, Literal) and operand.value is False
        return _said(operator.expected, denied=refused is not negated)
    text = predicate(test, denied=negated)
    for opening in ("is ", "has "):
        if text.startswith(opening):
            return text.removeprefix(opening)
    return f"a value that {text}"


def _said(phrase: Phrase, *, denied: bool) -> str:
    return phrase.denied if denied else phrase.said


def _of_nested(test: Test, operand: Nested, *, denied: bool) -> str:
    inner, operator = operand.condition, test.operator
    phrase = _said(operator.phrase, denied=denied)
    if not operator.of_items:
        return phrase.format(bare(inner))
    if operand.count is None:
        return phrase.format(_of_items(inner, several=operator.plural))
    bound = bare(operand.count, exactly="exactly ")
    several = not bound.endswith(" 1")
    items = "items" if several else "item"
    return phrase.format(f"{bound} {items} {_of_items(inner, several=several)}")


def _of_items(condition: Condition, *, several: bool) -> str:
    """Return which items are meant: ``where status is FAILED``, ``that are MONDAY``."""
    text = sentence(condition)
    if not (isinstance(condition, Test) and condition.path == ITSELF):
        return f"where {text}"
    if not several:
        return f"that {text}"
    verb, _, rest = text.partition(" ")
    return f"that are {rest}" if verb == "is" else f"of which each {text}"


def bare(number: Condition, exactly: str = "") -> str:
    """Return tests of a number without their verb: ``at least 1 and at most 3``."""
    if isinstance(number, Test) and number.operator.identity:
        return f"{exactly}{predicate(number).removeprefix('is ')}"
    return sentence(number).removeprefix("is ")


def _quoted(operand: Literal) -> str:
    """Return a literal for use in a sentence; blanks at its ends need quotes to be seen."""
    return f'"{operand.text}"' if operand.text != operand.text.strip() else operand.text


def _part(condition: Condition) -> str:
    """Return a part of a larger sentence, in brackets if it would be ambiguous without."""
    text = sentence(condition)
    return f"({text})" if isinstance(condition, All) and len(condition.parts) > 1 else text


def _joined(parts: tuple[Condition, ...]) -> str:
    """Join parts with *and*, naming a field and its verb once where consecutive tests share it."""
    words: list[str] = []
    previous, verb = None, False
    for part in parts:
        if isinstance(part, Test) and part.path == previous:
            text = predicate(part)
            words.append(text.removeprefix("is ") if verb else text)
            verb = text.startswith("is ")
            continue
        previous = part.path if isinstance(part, Test) else None
        verb = isinstance(part, Test) and predicate(part).startswith("is ")
        text = sentence(part)
        words.append(f"({text})" if isinstance(part, AnyOf) else text)
    return " and ".join(words)
