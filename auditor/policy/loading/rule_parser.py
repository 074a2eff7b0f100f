"""From one rule's node to the rule."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta

import msgspec
from msgspec.structs import replace

from auditor.fields import Exposure, Kind
from auditor.model import Position, Rule, Severity
from auditor.policy.language.aggregates import AGGREGATES, AMOUNT, COUNT, SHARE, Aggregate
from auditor.policy.language.conditions import Condition, reads, tests_in
from auditor.policy.language.english import sentence
from auditor.policy.language.messages import Message
from auditor.policy.language.operands import FieldOperand
from auditor.policy.language.rules import (
    ACCOUNT,
    GROUP_WORDS,
    GroupRule,
    Measured,
    PolicyRule,
    budgets_of,
)
from auditor.policy.loading.condition_parser import ConditionReader
from auditor.policy.loading.documents import Document, check_keys, longest_waiver
from auditor.policy.loading.examples import Example, Known, read_examples
from auditor.policy.loading.literals import written
from auditor.policy.loading.messages import read_message
from auditor.policy.loading.nodes import MappingNode, Node, ScalarNode, SequenceNode
from auditor.policy.loading.problems import Problems
from auditor.policy.loading.resolve import Override
from auditor.policy.loading.scope import Scope
from auditor.redaction.fields import exposure
from auditor.suggest import nearest
from auditor.text import listed, one_line, printable

RULE_KEYS = (
    "id",
    "title",
    "severity",
    "per",
    "groups",
    "when",
    "unless",
    "assert",
    "message",
    "why",
    "fix",
    "tags",
    "controls",
    "may_be_idle",
    "waivable",
    "max_waiver",
    "tests",
)
GROUP_ASSERTIONS = ("unique", "count", "share", *AGGREGATES)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_SEVERITIES = {severity.label: severity for severity in Severity}


class ReadRule(msgspec.Struct, frozen=True):
    """A rule, and the examples that are beside it."""

    rule: PolicyRule | GroupRule
    examples: tuple[Example, ...]


class _GroupAssertion(msgspec.Struct, frozen=True):
    """What is asserted of a group: one of these."""

    unique: tuple[str, ...] = ()
    count: Condition | None = None
    share: Condition | None = None
    measured: Measured | None = None

    @property
    def number(self) -> Condition | None:
        """The tests of what is counted or measured."""
        return self.count or self.share or (self.measured.condition if self.measured else None)


class RuleReader:
    """Reads the rules of one file."""

    def __init__(
        self,
        document: Document,
        scope: Scope,
        problems: Problems,
        named_at: Position | None = None,
        max_waiver: timedelta | None = None,
    ) -> None:
        self._document = document
        self._named_at = named_at
        self._max_waiver = max_waiver
        self._problems = problems
        self._scope = replace(scope, extra_fields=document.extra_fields)
        # Values from the user's own files may be shown: that is what they are for.
        self._reveal = document.reveal | frozenset(scope.facts)
        self._conditions = ConditionReader(self._scope, problems)

    def read(self, node: MappingNode, override: Override | None) -> ReadRule | None:
        """Return the rule at ``node``; None when a problem was noted in its place."""
        check_keys(node, RULE_KEYS, "rule", self._problems)
        entries = {key.text: value for key, value in node}
        if override is not None:
            entries |= {name: value for name, (_, value) in override.entries.items()}
        grouped = "per" in entries
        per = self._per(entries.get("per"))
        when = self._when(entries.get("when"))
        unless = self._of_groups(node, "unless", "choose connections with when", grouped=grouped)
        meant = "groups: chooses groups, so it needs per"
        chosen = self._of_groups(node, "groups", meant, grouped=grouped)
        self._check_common(node, chosen, per)
        group = self._group(node, entries.get("assert")) if grouped else None
        self._check_budgets(group, per)
        assertion = None if grouped else self._assertion(node, entries.get("assert"))
        rule = self._described(node, entries, (when, unless, chosen), group or assertion, per)
        if rule is not None and rule.position.in_pack:
            rule = replace(rule, named_at=_overridden_at(override) or self._named_at)
        message = self._message(entries.get("message"), per, group)
        examples = read_examples(
            entries.get("tests"),
            self._problems,
            grouped=grouped,
            known=Known(self._scope.find, self._scope.columns),
        )
        if rule is None or (grouped and per is None):
            return None
        if group is not None:
            entry = GroupRule(
                rule,
                when,
                message,
                per or (),
                group.unique,
                group.count,
                group.share,
                self._reveal,
                unless,
                group.measured,
                chosen,
            )
            return ReadRule(entry, examples)
        if assertion is None:
            return None
        kept = tuple(dict.fromkeys((*rule.reads, *(message.paths if message else ()))))
        return ReadRule(PolicyRule(rule, when, assertion, message, kept, self._reveal), examples)

    # -- conditions -------------------------------------------------------------------------

    def _when(self, node: Node | None) -> Condition | None:
        return self._conditions.condition(node) if node is not None else None

    def _of_groups(
        self, rule: MappingNode, word: str, hint: str, *, grouped: bool
    ) -> Condition | None:
        """Return the condition at ``word``, which a rule may have only with ``per``."""
        found = next(((key, value) for key, value in rule if key.text == word), None)
        if found is None:
            return None
        key, value = found
        if grouped:
            return self._conditions.condition(value)
        message = f"{word}: is about groups of connections, so it needs per"
        self._problems.add(key.position, message, hint)
        return None

    def _check_common(
        self, rule: MappingNode, chosen: Condition | None, per: tuple[str, ...] | None
    ) -> None:
        """Record a path that selects groups although a group's members need not share its value."""
        if chosen is None or per is None:
            return
        (node,) = (value for key, value in rule if key.text == "groups")
        for path, _ in reads(chosen):
            hint = "use a path of per:, or a fact about one; when: chooses connections"
            self._is_common(node.position, path, per, hint)

    def _is_common(self, position: Position, path: str, per: tuple[str, ...], hint: str) -> bool:
        """Whether all connections of a group have the same at ``path``; a problem is recorded."""
        if self._scope.is_common(path, per):
            return True
        keys = listed(per, "and") or "nothing"
        message = f"the connections of a group may differ in {path}: groups are formed by {keys}"
        self._problems.add(position, message, hint)
        return False

    def _check_budgets(self, group: _GroupAssertion | None, per: tuple[str, ...] | None) -> None:
        """Note a bound that the connections of one group need not share."""
        number = group.number if group is not None else None
        for test in tests_in(number) if number is not None else ():
            if not isinstance(test.operand, FieldOperand) or per is None:
                continue
            path = test.operand.path
            hint = "compare with a path of per:, or with a fact about one"
            if (
                self._is_common(test.position, path, per, hint)
                and exposure(path, self._reveal) is not Exposure.SHOWN
            ):
                message = f"{path} is hidden in reports, and findings would show it as the bound"
                self._problems.add(test.position, message, "reveal: it if it holds no secret")

    def _assertion(self, rule: MappingNode, node: Node | None) -> Condition | None:
        if node is None:
            self._problems.add(rule.position, "a rule needs an assert", "say what must hold")
            return None
        if isinstance(node, MappingNode):
            for key, _ in node:
                if key.text in GROUP_ASSERTIONS and self._scope.find(key.text) is None:
                    self._problems.add(
                        key.position,
                        f"{key.text} judges several connections",
                        "say which with per: group_id, or per: account",
                    )
                    return None
        return self._conditions.condition(node)

    def _per(self, node: Node | None) -> tuple[str, ...] | None:
        """Return the paths that form groups, () for the account; None without ``per``."""
        if node is None:
            return None
        names = node.items if isinstance(node, SequenceNode) else (node,)
        if len(names) == 1 and isinstance(names[0], ScalarNode) and names[0].text == ACCOUNT:
            return ()
        return self._keys(node, "per: takes a field path, several, or account") or None

    def _keys(self, node: Node, message: str) -> tuple[str, ...]:
        """Return the paths at ``node``; none, with a problem recorded, if one cannot be a key."""
        names = node.items if isinstance(node, SequenceNode) else (node,)
        keys: list[str] = []
        for name in names:
            if not isinstance(name, ScalarNode) or not isinstance(name.value, str):
                self._problems.add(name.position, message)
            elif self._is_key(name):
                keys.append(name.text)
        if not names:
            self._problems.add(node.position, message)
        return tuple(keys) if len(keys) == len(names) else ()

    def _is_key(self, name: ScalarNode) -> bool:
        found = self._conditions.path(name)
        if found is None:
            return False
        if name.text == ACCOUNT:
            message = "account cannot be combined: it makes one group of all connections"
            self._problems.add(name.position, message, "leave out the other keys, or account")
            return False
        if found.kind in {Kind.OBJECT, Kind.ARRAY}:
            self._problems.add(
                name.position,
                f"{name.text} is {found.kind.value}, so it cannot be a key",
                "name a field that holds one value",
            )
            return False
        if exposure(name.text, self._reveal) is not Exposure.SHOWN:
            self._problems.add(
                name.position,
                f"{name.text} is hidden in reports, so it cannot name a group",
                "reveal: it if it holds no secret",
            )
            return False
        return True

    def _group(self, rule: MappingNode, node: Node | None) -> _GroupAssertion | None:
        if not isinstance(node, MappingNode) or len(node.entries) != 1:
            self._problems.add(
                (node or rule).position,
                f"a rule with per asserts one of {listed(GROUP_ASSERTIONS, 'and')}",
                "such as count: {gte: 1}, share: {lte: 0.1} or unique: [service, schema]",
            )
            return None
        ((key, value),) = node.entries
        if key.text not in GROUP_ASSERTIONS:
            self._problems.add(
                key.position,
                f"{one_line(key.text)} cannot be asserted of a group",
                f"assert {listed(GROUP_ASSERTIONS)}; choose connections with when",
            )
            return None
        if key.text == "unique":
            names = self._keys(value, "unique: takes a field path, or several")
            return _GroupAssertion(unique=names) if names else None
        aggregate = AGGREGATES.get(key.text)
        if aggregate is not None:
            measured = self._measured(aggregate, value)
            return _GroupAssertion(measured=measured) if measured is not None else None
        number = self._conditions.number(value, COUNT if key.text == "count" else SHARE)
        if number is None:
            return None
        is_count = key.text == "count"
        return _GroupAssertion(count=number) if is_count else _GroupAssertion(share=number)

    def _measured(self, aggregate: Aggregate, node: Node) -> Measured | None:
        """Return what an aggregate of one field has to be; None when a problem was noted."""
        if not isinstance(node, MappingNode) or len(node.entries) != 1:
            self._problems.add(
                node.position,
                f"{aggregate.name}: takes one field and the tests of a number",
                f"write {aggregate.name}: {{sync_frequency: {{lte: 1440}}}}",
            )
            return None
        ((key, value),) = node.entries
        found = self._conditions.path(key)
        if found is None:
            return None
        if found.kind not in {Kind.INTEGER, Kind.ANY}:
            message = f"{key.text} is {found.kind.value}, so it has no {aggregate.name}"
            self._problems.add(key.position, message, "name a field that holds a number")
            return None
        if exposure(key.text, self._reveal) is not Exposure.SHOWN:
            message = f"{key.text} is hidden in reports, and so is what is made of it"
            self._problems.add(key.position, message, "reveal: it if it holds no secret")
            return None
        condition = self._conditions.number(value, AMOUNT)
        return Measured(aggregate, key.text, condition) if condition is not None else None

    # -- what reports show ------------------------------------------------------------------

    def _described(
        self,
        node: MappingNode,
        entries: Mapping[str, Node],
        applies: tuple[Condition | None, Condition | None, Condition | None],
        judged: _GroupAssertion | Condition | None,
        per: tuple[str, ...] | None,
    ) -> Rule | None:
        name, severity = self._id(node, entries), self._severity(node, entries)
        title = self._text(entries, "title")
        why, fix = self._text(entries, "why"), self._text(entries, "fix")
        tags = tuple(self._texts(entries.get("tags"), "tags"))
        controls = tuple(self._controls(entries.get("controls")))
        may_be_idle = self._switch(entries, "may_be_idle", default=False)
        waivable = self._switch(entries, "waivable", default=True)
        terms = [longest_waiver(entries.get("max_waiver"), self._problems), self._max_waiver]
        if name is None or severity is None or judged is None:
            return None
        return Rule(
            id=name,
            title=title or name.replace("-", " ").replace("_", " ").capitalize(),
            severity=severity,
            policy=self._document.file.name,
            position=node.position,
            expects=_expects(judged),
            applies_when=_applies_when(*applies),
            why=why,
            fix=fix,
            tags=tags,
            controls=controls,
            per=() if per is None else per or (ACCOUNT,),
            reads=() if isinstance(judged, _GroupAssertion) else tuple(_paths(applies[0], judged)),
            may_be_idle=may_be_idle,
            waivable=waivable,
            max_waiver=min(filter(None, terms), default=None),
        )

    def _id(self, node: MappingNode, entries: Mapping[str, Node]) -> str | None:
        name = entries.get("id")
        if name is None:
            self._problems.add(node.position, "a rule needs an id", "write id: a-short-name")
            return None
        if not isinstance(name, ScalarNode) or not isinstance(name.value, str):
            self._problems.add(name.position, "id: takes a text", "quote it")
            return None
        if not _ID.fullmatch(name.text):
            self._problems.add(
                name.position,
                f"{one_line(name.text) or 'nothing'} is not a valid id",
                "a letter or a digit, then more of them, - and _, such as sync-frequency-bounds",
            )
            return None
        return name.text

    def _severity(self, node: MappingNode, entries: Mapping[str, Node]) -> Severity | None:
        value = entries.get("severity")
        if value is None:
            self._problems.add(node.position, "a rule needs a severity", listed(_SEVERITIES))
            return None
        found = _SEVERITIES.get(value.text) if isinstance(value, ScalarNode) else None
        if found is None:
            text = value.text if isinstance(value, ScalarNode) else "this"
            hint = nearest(text, _SEVERITIES, _FOREIGN_SEVERITIES)
            self._problems.add(value.position, f"{one_line(text)} is not a severity", hint)
        return found

    def _message(
        self, node: Node | None, per: tuple[str, ...] | None, group: _GroupAssertion | None
    ) -> Message | None:
        if node is None:
            return None
        if not isinstance(node, ScalarNode) or not isinstance(node.value, str):
            hint = (
                "a text that starts with { needs quotes" if not isinstance(node, ScalarNode) else ""
            )
            self._problems.add(node.position, "message: takes a text", hint or "quote it")
            return None
        if not node.text.strip():
            self._problems.add(node.position, "message: is empty", "leave it out, or say it")
            return None
        self._check_comment(node, "message")
        if per is not None:
            shown = (*group.unique, *budgets_of(group.number)) if group else ()
            names = dict.fromkeys((*per, *shown, *sorted(GROUP_WORDS)))
            known = names.__contains__
            return read_message(node, known, self._scope.vars, self._problems, names)
        return read_message(node, self._is_shown, self._scope.vars, self._problems)

    def _is_shown(self, path: str) -> bool:
        found = self._scope.find(path) if path and "[]" not in path else None
        return found is not None and found.exposure is not Exposure.SECRET

    def _text(self, entries: Mapping[str, Node], key: str) -> str:
        node = entries.get(key)
        if node is None:
            return ""
        if isinstance(node, ScalarNode) and isinstance(node.value, str) and node.text.strip():
            self._check_comment(node, key)
            return printable(" ".join(node.text.split()))
        if isinstance(node, ScalarNode) and isinstance(node.value, str):
            self._problems.add(node.position, f"{key}: is empty", "leave it out, or say it")
            return ""
        hint = "a text that starts with { or [ needs quotes"
        hint = hint if not isinstance(node, ScalarNode) else "quote it"
        self._problems.add(node.position, f"{key}: takes a text", hint)
        return ""

    def _check_comment(self, node: ScalarNode, key: str) -> None:
        if node.plain and self._problems.is_cut_by_comment(node.position, node.text):
            self._problems.add(node.position, f"{key}: is cut at the #", "quote the text")

    def _switch(self, entries: Mapping[str, Node], key: str, *, default: bool) -> bool:
        node = entries.get(key)
        if node is None:
            return default
        if isinstance(node, ScalarNode) and type(node.value) is bool:
            return node.value
        self._problems.add(node.position, f"{key}: takes true or false")
        return default

    def _texts(self, node: Node | None, key: str) -> Iterator[str]:
        if node is None:
            return
        if not isinstance(node, SequenceNode):
            message = f"{key}: takes a list of texts"
            self._problems.add(node.position, message, f"write [{one_line(written(node))}]")
            return
        for item in node.items:
            if isinstance(item, ScalarNode) and isinstance(item.value, str) and item.text.strip():
                yield one_line(item.text)
            else:
                self._problems.add(item.position, f"{key}: takes texts", "quote it")

    def _controls(self, node: Node | None) -> Iterator[tuple[str, tuple[str, ...]]]:
        if node is None:
            return
        if not isinstance(node, MappingNode):
            self._problems.add(
                node.position,
                "controls: maps a framework to its controls",
                "such as {soc2: [CC6.1]}",
            )
            return
        for key, value in node:
            yield one_line(key.text), tuple(self._texts(value, one_line(key.text)))


_FOREIGN_SEVERITIES = {
    **dict.fromkeys(("error", "err", "major", "warn_high"), "high"),
    **dict.fromkeys(("warning", "warn", "moderate", "minor"), "medium"),
    **dict.fromkeys(("info", "informational", "note", "hint", "trivial"), "low"),
    **dict.fromkeys(("blocker", "fatal", "crit", "severe"), "critical"),
}


def _overridden_at(override: Override | None) -> Position | None:
    """Return where a file of the user's overrides a rule, if one does."""
    positions = [key.position for key, _ in override.entries.values()] if override else []
    return next((position for position in positions if not position.in_pack), None)


def _applies_when(
    when: Condition | None, unless: Condition | None, chosen: Condition | None
) -> str:
    parts = [sentence(condition) for condition in (chosen, when) if condition is not None]
    if unless is not None:
        parts.append(f"of no connection of the account {sentence(unless)}")
    return ", and ".join(parts)


def _expects(judged: _GroupAssertion | Condition) -> str:
    if not isinstance(judged, _GroupAssertion):
        return sentence(judged)
    if judged.unique:
        if len(judged.unique) == 1:
            return f"{judged.unique[0]} is unique"
        return f"{listed(judged.unique, 'and')} together are unique"
    if judged.count is not None:
        return f"the number of connections {sentence(judged.count)}"
    if judged.measured is not None:
        return f"the {judged.measured.name} {sentence(judged.measured.condition)}"
    assert judged.share is not None
    return f"the share of connections {sentence(judged.share)}"


def _paths(when: Condition | None, assertion: Condition) -> Iterator[str]:
    """Yield each path that a rule's conditions read, once; items come with their array."""
    found: dict[str, None] = {}
    for condition in (when, assertion):
        for path, _ in reads(condition) if condition is not None else ():
            found.setdefault(path.partition("[]")[0])
    yield from found
