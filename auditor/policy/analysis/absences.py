"""The fields that a connection may lack, and that a check cannot do without."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import chain

import msgspec

from auditor.fields import find
from auditor.model import Position
from auditor.policy.judging.undecided import needs
from auditor.policy.language.conditions import tests_in
from auditor.policy.language.operands import FieldOperand
from auditor.policy.language.rules import GroupRule, PolicyRule


class Absence(msgspec.Struct, frozen=True):
    """A field that a connection may lack, and the rules that cannot be judged without it."""

    path: str
    rules: tuple[tuple[str, Position], ...]


def absences(rules: Sequence[PolicyRule | GroupRule], now: datetime) -> list[Absence]:
    """Return the documented fields that a connection may lack and that a check needs.

    Each comes with the rules that read it, and where. Left out are a pack's rules, rules on
    groups, and every rule that decides without the field: it asks ``exists``, or its ``when``
    leaves such a connection out.
    """
    found: dict[str, list[tuple[str, Position]]] = {}
    for rule in rules:
        if isinstance(rule, GroupRule) or rule.rule.position.in_pack:
            continue
        for path, position in _optional(rule):
            if needs(rule, _lacking(path), now):
                found.setdefault(path, []).append((rule.rule.id, position))
    return [Absence(path, tuple(of)) for path, of in found.items()]


def _optional(rule: PolicyRule) -> Iterable[tuple[str, Position]]:
    """Yield each path of ``rule`` that a connection may lack, and where it is read first."""
    read: dict[str, Position] = {}
    tests = chain(tests_in(rule.when) if rule.when is not None else (), tests_in(rule.assertion))
    for test in tests:
        read.setdefault(test.path, test.position)
        if isinstance(test.operand, FieldOperand):
            read.setdefault(test.operand.path, test.position)
    for path, position in read.items():
        if _may_lack(path):
            yield path, position


def _lacking(path: str) -> Callable[[str], bool]:
    """Return the paths that are missing along with ``path``: without a row, all of a fact's."""
    field = find(path)
    root = path.partition(".")[0].removesuffix("[]")
    if field is None or not field.joined or not field.always:
        root = path
    return lambda other: other == root or other.startswith((f"{root}.", f"{root}["))


def _may_lack(path: str) -> bool:
    """Whether a connection may lack the field: the API may leave it out, or a fact has no row.

    Every connection has ``status``, and with it the documented fields inside.
    """
    field, above = find(path), find(path.rpartition(".")[0])
    if field is None or field.joined:
        return field is not None
    return not (field.always or (above is not None and above.always and not above.open))
