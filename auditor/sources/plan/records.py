"""From a planned connection to the record that the rules in force read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from auditor.decoding.gaps import NOT_IN_PLAN, Gap
from auditor.decoding.records import Node, Shape
from auditor.fields import PLAN
from auditor.sources.plan.attributes import ABSENT, Held, State
from auditor.sources.plan.planned import Action, Planned

#: The fact that a plan adds to a connection.
FACT = PLAN
#: A key for the settings that no plan names, so that nothing can count them.
_MORE = ""


def record_of(shape: Shape, planned: Planned) -> Any:
    """Return what the plan says about a connection, as ``shape`` decodes it.

    What the plan does not have is a gap, and so is whatever it does not name in ``config``.
    """
    values = {name: held.value for name, held in planned.fields.items()}
    filled = {
        key: _filled(node, values[key]) if key in values else NOT_IN_PLAN
        for key, node in shape.root.children.items()
    }
    if FACT in filled:
        filled[FACT] = plan_fields(shape, planned, {})
    return shape.convert(filled)


def plan_fields(shape: Shape, planned: Planned, live: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields under ``plan.*``; ``live`` are the account's values, if it was listed.

    Earlier values that neither of them has are gaps.
    """
    facts = facts_of(planned)
    if planned.action is Action.CREATE:
        return facts
    before = shape.root.children[FACT].children.get("before")
    was = {**{name: live[name] for name in live if name not in facts["before"]}, **facts["before"]}
    if before is not None:
        open_fields = before.children.keys() - was.keys() - _nulls_before(planned)
        was |= dict.fromkeys(open_fields, NOT_IN_PLAN)
    facts["before"] = was
    faster = _times_faster(was.get("sync_frequency"), planned)
    if faster is not None:
        facts["times_faster"] = faster
    return facts


def _nulls_before(planned: Planned) -> set[str]:
    return {name for name, held in planned.fields.items() if held.before is None}


def facts_of(planned: Planned) -> dict[str, Any]:
    """Return what a plan does to a connection: the fields under ``plan.*``."""
    changed = [name for name, held in planned.fields.items() if _differs(held, planned)]
    facts: dict[str, Any] = {
        "action": planned.action.value,
        "address": planned.address,
        "changed": sorted(changed) if planned.touched else [],
    }
    if planned.replace_reason:
        facts["replace_reason"] = list(planned.replace_reason)
    if planned.action is not Action.CREATE:
        facts["before"] = {
            name: held.before
            for name, held in planned.fields.items()
            if _is_known(held.before) and held.before is not None
        }
    if planned.clear_secrets:
        facts["secrets_in_clear"] = list(planned.clear_secrets)
    return facts


def _differs(held: Held, planned: Planned) -> bool:
    """Whether a field is set to another value than before."""
    if held.state is State.UNKNOWN:
        return planned.action is Action.UPDATE
    return held.state is State.KNOWN and _is_known(held.before) and held.before != held.value


def _is_known(value: Any) -> bool:
    return isinstance(value, (str, int, float, bool, list, dict)) or value is None


def _times_faster(was: Any, planned: Planned) -> Any:
    """Return how many times as often a connection syncs; a gap without the old frequency."""
    held = planned.fields.get("sync_frequency", ABSENT)
    if type(held.value) is Gap:
        return held.value if held.state is State.UNKNOWN else None
    if type(held.value) is not int or held.value <= 0:
        return None
    if was is None and held.before is msgspec.UNSET:
        return NOT_IN_PLAN
    return was / held.value if type(was) is int and was > 0 else None


def _filled(node: Node, value: Any) -> Any:
    """Return ``value`` with a gap for what the plan does not name below ``config``."""
    if not isinstance(value, dict) or node.path.partition(".")[0] != "config":
        return value
    filled = {
        key: _filled(child, value[key]) if key in value else NOT_IN_PLAN
        for key, child in node.children.items()
    }
    return {**value, **filled, _MORE: NOT_IN_PLAN} if node.whole else filled
