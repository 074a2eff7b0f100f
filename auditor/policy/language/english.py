"""Conditions in plain English, derived from the conditions themselves."""

from __future__ import annotations

from auditor.policy.language.conditions import ITSELF, All, AnyOf, Condition, Nested, Not, Test
from auditor.policy.language.operands import FieldOperand, Literal

#: How the phrases of operators begin, and how they are denied.
_DENIALS = {
    "is none of ": "is one of ",
    "is not ": "is ",
    "is ": "is not ",
    "has no item ": "has an item ",
    "has an item ": "has no item ",
    "has only items ": "has not only items ",
    "has ": "does not have ",
    "contains ": "does not contain ",
    "starts ": "does not start ",
    "ends ": "does not end ",
    "matches ": "does not match ",
    "holds only ": "holds more than ",
}
_PRESENCE = {"is set": "a value", "is not set": "no value"}
_SAME = {"equals": "is the same as {}", "not_equals": "is not the same as {}"}


def sentence(condition: Condition) -> str:
    """Return what ``condition`` requires: ``sync_frequency is at least 15 and at most 1440``."""
    match condition:
        case Test():
            return f"{condition.path} {predicate(condition)}".strip()
        case Not(Test() as test):
            return f"{test.path} {denied(predicate(test))}".strip()
        case Not(Not(part)):
            return sentence(part)
        case Not(part):
            return f"not ({sentence(part)})"
        case AnyOf(parts):
            return " or ".join(_part(part) for part in parts)
        case All(parts):
            return _joined(parts)


def predicate(test: Test) -> str:
    """Return what ``test`` requires of its field: ``is at least 15``."""
    operand, phrase = test.operand, test.operator.phrase
    if isinstance(operand, Nested):
        return _of_nested(test, operand)
    if isinstance(operand, FieldOperand):
        return _SAME.get(test.operator.name, phrase).format(operand.text)
    if "{}" not in phrase:
        return denied(phrase) if operand.value is False else phrase
    if test.operator.name == "not_in" and len(operand.value) == 1:
        phrase = "is not {}"
    return phrase.format(_quoted(operand))


def denied(text: str) -> str:
    """Return the contrary of a predicate: ``is set`` becomes ``is not set``."""
    for opening, denial in _DENIALS.items():
        if text.startswith(opening):
            return denial + text.removeprefix(opening)
    return f"not: {text}"


def wanted(test: Test, *, negated: bool = False) -> str:
    """Return what a report calls expected: ``at least 15``, ``a text that starts with raw_``."""
    text = denied(predicate(test)) if negated else predicate(test)
    if text in _PRESENCE:
        return _PRESENCE[text]
    for opening in ("is ", "has "):
        if text.startswith(opening):
            return text.removeprefix(opening)
    return f"a value that {text}"


def _of_nested(test: Test, operand: Nested) -> str:
    inner, phrase = operand.condition, test.operator.phrase
    if not test.operator.of_items:
        return phrase.format(bare(inner))
    if operand.count is None:
        return phrase.format(_of_items(inner, several=test.operator.name == "all_items"))
    bound = bare(operand.count, exactly="exactly ")
    several = not bound.endswith(" 1")
    return f"has {bound} {'items' if several else 'item'} {_of_items(inner, several=several)}"


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
    if isinstance(number, Test) and number.operator.name == "equals":
        return f"{exactly}{predicate(number).removeprefix('is ')}"
    return sentence(number).removeprefix("is ")


def _quoted(operand: Literal) -> str:
    """Return a literal as a sentence shows it; blanks at its ends need quotes to be seen."""
    return f'"{operand.text}"' if operand.text != operand.text.strip() else operand.text


def _part(condition: Condition) -> str:
    """Return a part of a larger sentence, in brackets where words alone would be ambiguous."""
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
