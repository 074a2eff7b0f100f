"""What a Terraform plan does not say about a field: a value in place of one that is not known.

A record that comes from a plan holds a ``Gap`` wherever the plan leaves a field open. No operator
can be evaluated on one, not even ``exists``: neither a value nor its absence is known.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

import msgspec

from auditor.decoding.json_values import MISSING, UNREADABLE, Astray, kind_of


class Lack(Enum):
    """Why there is no value."""

    UNKNOWN = "unknown until applied"
    NOT_IN_PLAN = "not in the plan"


class Gap(msgspec.Struct, frozen=True, gc=False):
    """A field that a plan leaves open, and what a finding says about it.

    ``identity`` identifies what the value will be if that is known all the same: the id of a group
    that the plan creates. Two gaps with the same identity will be equal.
    """

    lack: Lack
    reason: str
    identity: str = ""


#: For fields that no plan has, or that this one leaves to the account.
NOT_IN_PLAN = Gap(Lack.NOT_IN_PLAN, Lack.NOT_IN_PLAN.value)


#: For a value of which nothing is known, not even whether it exists.
LACKS = UNREADABLE | {Gap}


def gaps_in(value: Any) -> list[Gap]:
    """Return every gap in ``value``: itself, or within its arrays and objects."""
    found: list[Gap] = []
    waiting = [value]
    while waiting:
        held = waiting.pop()
        if type(held) is Gap:
            found.append(held)
        elif type(held) is list:
            waiting.extend(held)
        elif type(held) is dict:
            waiting.extend(held.values())
        elif isinstance(held, msgspec.Struct):
            waiting.extend(getattr(held, name) for name in held.__struct_fields__)
    return found


def below(above: str, holder: Any) -> Any:
    """Return what a path finds below ``holder``, which is at ``above`` and is not an object.

    Below null and nothing there is nothing. Below a text, a number or an array nobody can say: the
    API has another shape than the rule reads.
    """
    if holder is MISSING or holder is None:
        return MISSING
    return holder if type(holder) in LACKS else Astray(f"{above} is {kind_of(holder)}")
