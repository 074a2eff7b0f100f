"""What a Terraform plan does to a judgement: what gates, what is known, where to change it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from auditor.facts.shape import facts_read, key_of
from auditor.fields import BEFORE, FACT_LISTS, PLAN
from auditor.model import Attribute, Finding, Position, Resource, Verdict
from auditor.policy.judging.evidence import SENSITIVE, covers, shown
from auditor.policy.judging.groups import GroupOutcome, with_budgets
from auditor.policy.judging.judge import Judgement, PlanMode, is_of_plan
from auditor.policy.language.conditions import Test, tests_in
from auditor.policy.language.operands import Literal
from auditor.policy.language.rules import GroupRule
from auditor.policy.language.semantics import Interval
from auditor.redaction.fields import HIDDEN
from auditor.sources.plan.attributes import Held, State
from auditor.sources.plan.lists import Altered, RowChanges
from auditor.sources.plan.planned import Action, Planned
from auditor.text import plural, printable

_NOTHING = frozenset[str]()
#: Settings of a planned connection may be secrets in clear text, and are never shown.
_NEVER_SHOWN = frozenset({"config", "plan.before.config"})
#: Facts of the plan itself: it changes nothing about what was known before.
_TOLD_OF_ROWS = frozenset({Verdict.FAIL, Verdict.ERROR, Verdict.WAIVED})
#: The most attributes that a finding's message names.
_NAMED = 3
#: Where an attribute is written: a resource's address, and the attribute's name.
Locate = Callable[[str, str], Position | None]


def mode_of(
    planned: Mapping[int, Planned],
    accounts: Sequence[str] | None,
    *,
    partial: bool,
    skip_unknown: bool,
    veiled: Mapping[int, frozenset[str]] | None = None,
) -> PlanMode:
    """Return how to judge records, of which those at ``planned`` come from a plan.

    ``veiled`` are further paths whose values are not shown, by place.
    """
    # Over an account, a forgotten connection lives on there; a plan by itself knows no more of it.
    gone = {Action.DELETE, Action.FORGET} if partial else {Action.DELETE}
    return PlanMode(
        ends=frozenset(index for index, each in planned.items() if each.action in gone),
        accounts=accounts,
        hidden=_hidden(planned, veiled or {}),
        partial=partial,
        skip_unknown=skip_unknown,
    )


def _hidden(
    planned: Mapping[int, Planned], veiled: Mapping[int, frozenset[str]]
) -> dict[int, frozenset[str]]:
    """Return the paths that are not shown, by place."""
    hidden = {index: hidden_in(each) for index, each in planned.items()}
    return hidden | {n: hidden.get(n, _NOTHING) | paths for n, paths in veiled.items()}


def veil(
    columns: Mapping[str, list[str]],
    paths: Mapping[str, str],
    planned: Mapping[int, Planned],
    veiled: Mapping[int, frozenset[str]],
) -> dict[str, list[str]]:
    """Return columns of the values at ``paths`` of each connection, without sensitive ones."""
    hidden = _hidden(planned, veiled)
    shown_columns = {name: list(column) for name, column in columns.items()}
    for name, path in paths.items():
        for index, marked in hidden.items():
            if shown_columns[name][index] and covers(marked, path):
                shown_columns[name][index] = SENSITIVE
    return shown_columns


def hidden_in(planned: Planned) -> frozenset[str]:
    """Return the paths of a planned connection that contain a sensitive value."""
    marked = [
        f"{name}.{below}" if below else name
        for name, held in planned.fields.items()
        for below in held.sensitive
    ]
    if not marked:
        return _NEVER_SHOWN
    return _NEVER_SHOWN.union(marked, (f"plan.before.{path}" for path in marked))


def with_resources(
    findings: Iterable[Finding],
    planned: Mapping[str, Planned],
    rows: Mapping[str, RowChanges],
    clean: Callable[[str], str],
    locate: Locate,
) -> Iterator[Finding]:
    """Yield ``findings`` with the resources behind them, and what to change there.

    ``planned`` has the resources of connections, by id, and ``rows`` those of the facts that
    findings rest on.
    """
    for finding in findings:
        fields = [evidence.field for evidence in finding.evidence]
        of_connections = [
            _resource(planned[c.id], fields, clean, locate)
            for c in finding.connections
            if c.id in planned
        ]
        asked = [*fields, *finding.rule.per]
        everything = [*of_connections, *_of_rows(finding, asked, rows, clean, locate)]
        # What to change comes first.
        resources = tuple(sorted(everything, key=lambda resource: not resource.attributes))
        if not resources:
            yield finding
            continue
        message = f"{finding.message} {_in_brackets(resources, clean)}"
        yield replace(finding, message=printable(message), resources=resources)


def _in_brackets(resources: Sequence[Resource], clean: Callable[[str], str]) -> str:
    """Return where Terraform sets what a finding is about, for its message."""
    first = resources[0]
    own = f"{first.address}: "
    parts = [f"{first.action} {first.address}"]
    parts += [str(attribute).removeprefix(own) for attribute in first.attributes[:_NAMED]]
    if not first.attributes and first.position:
        parts.append(f"{first.position.file}:{first.position.line}")
    if len(resources) > 1:
        parts.append(f"and {plural(len(resources) - 1, 'more resource')}")
    return f"[{clean('; '.join(parts))}]"


def _resource(
    planned: Planned, fields: Sequence[str], clean: Callable[[str], str], locate: Locate
) -> Resource:
    hidden = hidden_in(planned)
    attributes: dict[str, Attribute] = {}
    for path in () if planned.ends else _fields_behind(fields, planned):
        name, _, below = path.partition(".")
        held = planned.fields.get(name)
        if held is None or not held.address:
            continue
        attribute = f"{held.attribute}.{below}" if below and name == "config" else held.attribute
        attributes[path] = Attribute(
            field=path,
            address=clean(held.address),
            name=clean(attribute),
            before=_before_text(path, held, below, hidden, clean, planned),
            after=_after_text(path, held, below, hidden, clean),
            position=locate(held.address, attribute),
        )
    return Resource(
        clean(planned.address),
        planned.action.value,
        tuple(attributes.values()),
        locate(planned.address, ""),
    )


def _of_rows(
    finding: Finding,
    fields: Sequence[str],
    rows: Mapping[str, RowChanges],
    clean: Callable[[str], str],
    locate: Locate,
) -> Iterator[Resource]:
    """Yield the resources of the rows that a finding rests on, each once."""
    if finding.verdict not in _TOLD_OF_ROWS:
        return
    read = facts_read(fields)
    behind = {
        row.address: row
        for connection in finding.connections
        for fact, changes in rows.get(connection.id, {}).items()
        if fact in read
        for row in changes
        if not FACT_LISTS[fact].several or not row.groups or connection.group_id in row.groups
    }
    for row in behind.values():
        named = {path: name for path in fields if (name := _name_in(row.fact, path))}
        attributes = [_of_row(row, path, name, clean, locate) for path, name in named.items()]
        yield Resource(
            clean(row.address),
            row.action,
            tuple(filter(None, attributes)),
            locate(row.address, ""),
        )


def _name_in(fact: str, path: str) -> str:
    """Return the attribute of a fact's row that a field rests on, "" for none.

    A field of another fact's row rests on the attribute that names it, such as an owner's role.
    """
    first, _, rest = path.partition(".")
    if first != fact and first in FACT_LISTS:
        first, _, rest = key_of(first, {}).partition(".")
    return rest.partition(".")[0] if first == fact else ""


def _of_row(
    row: Altered, path: str, name: str, clean: Callable[[str], str], locate: Locate
) -> Attribute | None:
    held = row.attributes.read(name)
    if held is None:
        return None
    place = f"{row.fact}.{name}"
    hidden = frozenset(f"{place}.{below}" if below else place for below in held.sensitive)
    unset = held.before is msgspec.UNSET
    return Attribute(
        field=path,
        address=clean(row.address),
        name=clean(name),
        before="" if unset else _shown(place, held.before, hidden, clean),
        after=_after_text(place, held, "", hidden, clean),
        position=locate(row.address, name),
    )


def _fields_behind(fields: Sequence[str], planned: Planned) -> list[str]:
    """Return the connection's fields that a finding rests on, with those of the plan resolved."""
    found: list[str] = []
    for path in fields:
        if path == f"{PLAN}.action":
            found += [reason.partition(".")[0] for reason in planned.replace_reason]
        elif path == f"{PLAN}.times_faster":
            found.append("sync_frequency")
        else:
            found.append(path.removeprefix(f"{BEFORE}."))
    return list(dict.fromkeys(found))


def _before_text(
    path: str,
    held: Held,
    below: str,
    hidden: frozenset[str],
    clean: Callable[[str], str],
    planned: Planned,
) -> str:
    unchanged = held.state is State.KEPT or planned.action is Action.CREATE
    if unchanged or held.before is msgspec.UNSET:
        return ""
    return _shown(path, _value_below(held.before, below), hidden, clean)


def _after_text(
    path: str, held: Held, below: str, hidden: frozenset[str], clean: Callable[[str], str]
) -> str:
    value = _value_below(held.value, below)
    text = _shown(path, value, hidden, clean)
    if held.state is State.DEFAULT:
        return f"{text} by default"
    return f"{text}, as it was" if held.state is State.KEPT else text


def _shown(path: str, value: Any, hidden: frozenset[str], clean: Callable[[str], str]) -> str:
    if value is not None and covers(hidden, path):
        return HIDDEN if path.partition(".")[0] == "config" else SENSITIVE
    return shown(path, value, frozenset(), clean)


def _value_below(value: Any, below: str) -> Any:
    for step in below.split(".") if below else ():
        value = value.get(step) if isinstance(value, dict) else None
    return value


# -- what gates ---------------------------------------------------------------------------------


class PlanJudgement(msgspec.Struct, frozen=True):
    """A judgement for the gate of a change, and what the change fixes, as sentences."""

    outcome: Judgement
    mended: tuple[str, ...] = ()
    improved: tuple[str, ...] = ()


def changed(
    outcome: Judgement,
    ids: Sequence[str],
    placed: Mapping[int, Planned],
    before: tuple[Judgement, Sequence[str]] | None,
    rows: Mapping[int, RowChanges] | None = None,
) -> PlanJudgement:
    """Return ``outcome`` with everything that the plan does not touch as known, and what it fixes.

    ``ids`` name the connections that were judged, ``placed`` are those of the plan by place.
    ``before`` is the judgement of the account as it is, with its ids; None for a plan alone.
    ``rows`` are the changes of rows of facts, by the place of the connections that have these: of
    them it brings what a rule on the fact finds, unless that was found before.
    """
    touched = frozenset(n for n, each in placed.items() if each.touched)
    ends = frozenset(n for n, each in placed.items() if each.ends)
    of_changes = [any(map(is_of_plan, entry.reads)) for entry in outcome.rules]
    brought = _caused_by_facts(outcome, ids, before, rows)
    verdicts, found, notes = bytearray(outcome.verdicts), [], dict(outcome.notes)
    size = len(outcome.rules)
    for number, index, verdict, values in outcome.found:
        mine = index in touched or (index in ends and of_changes[number])
        mine = mine or (number, index) in brought
        if not mine:
            verdicts[index * size + number] = Verdict.KNOWN.value
            notes[number, index] = _UNTOUCHED if verdict == Verdict.FAIL else UNDECIDED
        found.append((number, index, verdict if mine else Verdict.KNOWN.value, values))
    earlier = _groups(before[0]) if before is not None else {}
    improved: list[tuple[GroupRule, GroupOutcome, str]] = []
    groups = tuple(
        (
            entry,
            tuple(_regraded(entry, o, earlier, ids, touched, before, improved) for o in outcomes),
        )
        for entry, outcomes in outcome.groups
    )
    regraded = replace(outcome, verdicts=bytes(verdicts), found=found, notes=notes, groups=groups)
    mended = _fixed(regraded, ids, placed, before) if before is not None else ()
    less = [f"{entry.rule.id}: {outcome.group_of(entry, o)}: {note}" for entry, o, note in improved]
    return PlanJudgement(regraded, tuple(mended), tuple(less))


def _caused_by_facts(
    outcome: Judgement,
    ids: Sequence[str],
    before: tuple[Judgement, Sequence[str]] | None,
    rows: Mapping[int, RowChanges] | None,
) -> set[tuple[int, int]]:
    """Return the findings, by rule and connection, that the change of a fact's row brings."""
    if before is None or not rows:
        return set()
    earlier, ids_before = before
    was = {(number, ids_before[index]): verdict for number, index, verdict, _ in earlier.found}
    # A fact may depend on another, as a role on its owner: then both count.
    names = [facts_read(entry.reads) for entry in outcome.rules]
    return {
        (number, index)
        for number, index, verdict, _ in outcome.found
        if not names[number].isdisjoint(rows.get(index, ()))
        and was.get((number, ids[index])) not in {verdict, Verdict.FAIL.value}
    }


_GATING = frozenset({Verdict.FAIL.value, Verdict.ERROR.value})
_UNTOUCHED = "not changed by this plan"
#: The note on what could not be judged, before the plan as after it.
UNDECIDED = "could not be judged; not changed by this plan"
#: The rule's id, the group's key and what is shared in it, as text.
_GroupKey = tuple[str, str, str]


def _groups(judgement: Judgement) -> dict[_GroupKey, GroupOutcome]:
    return {
        _key_of(entry, outcome): outcome
        for entry, outcomes in judgement.groups
        for outcome in outcomes
    }


def _key_of(entry: GroupRule, outcome: GroupOutcome) -> _GroupKey:
    return entry.rule.id, f"{outcome.account} {outcome.key!r}", repr(outcome.values)


def _regraded(
    entry: GroupRule,
    outcome: GroupOutcome,
    earlier: Mapping[_GroupKey, GroupOutcome],
    ids: Sequence[str],
    touched: frozenset[int],
    before: tuple[Judgement, Sequence[str]] | None,
    improved: list[tuple[GroupRule, GroupOutcome, str]],
) -> GroupOutcome:
    """Return a group's outcome as known, unless the plan causes or worsens it."""
    if outcome.verdict.value not in _GATING:
        return outcome
    if before is None:
        mine = not touched.isdisjoint(outcome.members)
        return outcome if mine else replace(outcome, verdict=Verdict.KNOWN, note=_UNTOUCHED)
    was = earlier.get(_key_of(entry, outcome))
    if outcome.verdict is Verdict.ERROR:
        mine = not touched.isdisjoint(outcome.members)
        same = was is not None and was.verdict is Verdict.ERROR
        return (
            outcome if mine or not same else replace(outcome, verdict=Verdict.KNOWN, note=UNDECIDED)
        )
    if was is None or was.verdict is not Verdict.FAIL:
        return outcome
    worse = _growth(entry, was, outcome, before[1], ids)
    if worse:
        return replace(outcome, note=f"it was {was.actual} before this plan")
    if worse is False:
        progress = f"{was.actual} before, {outcome.actual} after; still broken"
        improved.append((entry, outcome, progress))
        note = f"fewer than before this plan, when it was {was.actual}"
        return replace(outcome, verdict=Verdict.KNOWN, note=note)
    note = "already so before this plan, and no worse now"
    return replace(outcome, verdict=Verdict.KNOWN, note=note)


def _growth(
    entry: GroupRule,
    was: GroupOutcome,
    now: GroupOutcome,
    ids_before: Sequence[str],
    ids: Sequence[str],
) -> bool | None:
    """Return whether a group's violation has grown; None if it is as it was."""
    if entry.unique:
        old = {ids_before[index] for index in was.members}
        new = {ids[index] for index in now.members}
        return True if new - old else False if old - new else None
    # What is shown of a number is rounded: 50.04% and 50.01% are both 50.0%.
    if now.number == was.number:
        return None
    assert was.number is not None
    assert now.number is not None
    more = now.number > was.number
    asked = with_budgets(entry, now.beside) if now.beside == was.beside else entry.number
    assert asked is not None
    bounds = [_bound_of(test) for test in tests_in(asked)]
    ends = [(each.least is None, each.most is None) for each in bounds if each is not None]
    if len(ends) == len(bounds):
        if all(no_least for no_least, _ in ends):
            return more  # a ceiling: more is worse
        if all(no_most for _, no_most in ends):
            return not more  # a floor: less is worse
    return True  # For other bounds, a change that leaves it broken is no improvement.


def _bound_of(test: Test) -> Interval | None:
    """Return where ``test`` can hold; None if it bounds nothing."""
    if test.operator.bound is None or not isinstance(test.operand, Literal):
        return None
    return test.operator.bound(test.operand.value)


def _fixed(
    outcome: Judgement,
    ids: Sequence[str],
    placed: Mapping[int, Planned],
    before: tuple[Judgement, Sequence[str]],
) -> Iterator[str]:
    """Yield what was broken and no longer is, on groups and on connections in the plan."""
    earlier, ids_before = before
    at = {name: index for index, name in enumerate(ids)}
    by_real = {p.real_id: index for index, p in placed.items()}
    size = len(outcome.rules)
    for number, index, verdict, _ in earlier.found:
        if verdict != Verdict.FAIL:
            continue
        name = ids_before[index]
        now = by_real.get(name, at.get(name))
        rule = outcome.rules[number].rule.id
        if now is None or (now in placed and placed[now].action is Action.DELETE):
            yield f"{rule}: {name} is gone"
        elif (number, now) not in outcome.not_in_plan and (
            outcome.verdicts[now * size + number] in {Verdict.PASS, Verdict.SKIP}
        ):
            yield f"{rule}: {name}"
    after = {
        _key_of(entry, o)
        for entry, outcomes in outcome.groups
        for o in outcomes
        if o.verdict in {Verdict.FAIL, Verdict.KNOWN, Verdict.ERROR}
    }
    for entry, outcomes in earlier.groups:
        for each in outcomes:
            if each.verdict is Verdict.FAIL and _key_of(entry, each) not in after:
                # What the plan marks as sensitive names no group, even if the account reveals it.
                veiled = any(covers(h, key) for h in outcome.hidden.values() for key in entry.keys)
                group = SENSITIVE if veiled else earlier.group_of(entry, each)
                yield f"{entry.rule.id}: {group}: {each.field} was {each.actual}"
