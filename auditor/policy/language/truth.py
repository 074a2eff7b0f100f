"""Three-valued truth (Kleene): true, false, and None if something could not be evaluated."""

from __future__ import annotations

from collections.abc import Iterable

Truth = bool | None


def all_of(truths: Iterable[Truth]) -> Truth:
    """Kleene's conjunction: false wins over error, error over true; true over nothing."""
    outcome: Truth = True
    for truth in truths:
        if truth is False:
            return False
        if truth is None:
            outcome = None
    return outcome


def any_of(truths: Iterable[Truth]) -> Truth:
    """Kleene's disjunction: true wins over error, error over false; false over nothing."""
    outcome: Truth = False
    for truth in truths:
        if truth is True:
            return True
        if truth is None:
            outcome = None
    return outcome


def negated(truth: Truth) -> Truth:
    """Kleene's negation: the negation of an error is an error."""
    return None if truth is None else not truth
