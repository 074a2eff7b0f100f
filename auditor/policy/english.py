"""Conditions in plain English, derived from the conditions themselves."""

from __future__ import annotations

from auditor.policy.conditions import (
    All,
    AnyOf,
    Condition,
    Literal,
    Nested,
    Not,
    Test,
)


def sentence(condition: Condition) -> str:
    """Return what ``condition`` requires: ``sync_frequency is at least 15 and at most 1440``."""
    match condition:
        case Test():
            return f"{condition.path} {predicate(condition)}".strip()
        case Not(part):
            return f"not ({sentence(part)})"
        case AnyOf(parts):
            return " or ".join(_part(part) for part in parts)
        case All(parts):
            return _joined(parts)


def predicate(test: Test) -> str:
    """Return what ``test`` requires of its field: ``is at least 15``."""
    operand, phrase = test.operand, test.operator.phrase
    if isinstance(operand, Literal) and operand.value is False:
        return _denied(phrase) if "{}" not in phrase else phrase.format("false")
    if isinstance(operand, Nested):
        inner = sentence(operand.condition)
        text = phrase.format(inner)
        return f"{text} that {sentence(operand.count)}" if operand.count else text
    return phrase.format(operand.text)


def wanted(test: Test, *, negated: bool = False) -> str:
    """Return what a report calls expected: ``at least 15``, ``one that starts with raw_``."""
    text = predicate(test)
    for opening in ("is ", "has "):
        if text.startswith(opening):
            text = text.removeprefix(opening)
            break
    else:
        text = f"one that {text}"
    return f"not {text}" if negated else text


def _part(condition: Condition) -> str:
    """Return a part of a larger sentence, in brackets where words alone would be ambiguous."""
    text = sentence(condition)
    return f"({text})" if isinstance(condition, All) and len(condition.parts) > 1 else text


def _joined(parts: tuple[Condition, ...]) -> str:
    """Join parts with *and*, naming a field once where consecutive tests share it."""
    words: list[str] = []
    previous = None
    for part in parts:
        if isinstance(part, Test) and part.path == previous:
            words.append(predicate(part))
            continue
        previous = part.path if isinstance(part, Test) else None
        text = sentence(part)
        words.append(f"({text})" if isinstance(part, AnyOf) else text)
    return " and ".join(words)


def _denied(phrase: str) -> str:
    return phrase.replace("is ", "is not ", 1)
