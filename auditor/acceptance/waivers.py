"""Waivers: accepted exceptions, each with a reason, an owner and an end.

A waiver file is YAML, read as strictly as a policy. This module defines a waiver and the
connections it matches; ``match.py`` applies waivers.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path

import msgspec

from auditor.clock import in_words, iso, parse_timestamp
from auditor.errors import PolicyError, Problem, UsageError
from auditor.files import read_file
from auditor.model import PolicyFile, Position, Rule
from auditor.policy.analysis.claims import idle_waiver, place
from auditor.policy.language.conditions import Condition, reads
from auditor.policy.language.english import sentence
from auditor.policy.language.patterns import glob
from auditor.policy.language.rules import PolicyRule, Ruleset
from auditor.policy.loading import nodes
from auditor.policy.loading.condition_parser import ConditionReader
from auditor.policy.loading.named_conditions import NamedConditions
from auditor.policy.loading.nodes import MappingNode, Node, ScalarNode, SequenceNode
from auditor.policy.loading.problems import Problems
from auditor.policy.loading.scope import Scope, named
from auditor.suggest import nearest
from auditor.text import listed, one_line, plural, printable

FILE_KEYS = ("waivers", "extra_fields")
WAIVER_KEYS = ("rule", "connections", "reason", "owner", "expires", "while")
REQUIRED_KEYS = WAIVER_KEYS[:-1]
#: The keys that select connections, and the field that each compares.
SELECTOR_PATHS = {
    "id": "id",
    "schema": "schema",
    "service": "service",
    "group": "group_id",
    "address": "plan.address",
}
#: The value of ``connections`` that means every connection.
ALL = "all"
HOW_TO_END = "write its last day, such as 2026-06-30, or a moment with its zone"
#: The most characters that a text of a waiver is shown with.
LONGEST = 500
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_GLOB = re.compile(r"[*?\[]")
_STAR = re.compile(r"[*?]")
_FOREIGN = {
    **dict.fromkeys(("rules", "rule_id", "id", "check", "policy"), "rule"),
    **dict.fromkeys(
        ("connection", "match", "target", "scope", "where", "resources"), "connections"
    ),
    **dict.fromkeys(("justification", "why", "comment", "description", "statement"), "reason"),
    **dict.fromkeys(("approver", "approved_by", "by", "contact", "team", "author"), "owner"),
    **dict.fromkeys(
        ("until", "expiry", "expiration", "expires_at", "expires_on", "end", "valid_until"),
        "expires",
    ),
    **dict.fromkeys(("when", "if", "condition", "value", "accepts"), "while"),
    **dict.fromkeys(("group_id", "destination", "destination_id"), "group"),
    **dict.fromkeys(("connection_id", "connector_id"), "id"),
    **dict.fromkeys(("name", "schema_name"), "schema"),
    **dict.fromkeys(("type", "connector", "connector_type"), "service"),
    **dict.fromkeys(("waiver", "exceptions", "exemptions", "ignores", "suppressions"), "waivers"),
}


class Selector(msgspec.Struct, frozen=True):
    """One selector of connections: a value is any of ``exact``, or matches any of ``globs``."""

    name: str
    exact: frozenset[str]
    globs: tuple[str, ...]

    @property
    def is_everything(self) -> bool:
        """Whether one of its globs matches every value."""
        return any(not text.strip("*") for text in self.globs)

    def chosen(self, values: Iterable[str]) -> list[str]:
        """Return those of ``values`` that the selector matches."""
        fits = [glob(text) for text in self.globs]
        return [v for v in values if v in self.exact or any(fit(v) for fit in fits)]


@dataclass(frozen=True, slots=True)
class Waiver:
    """An accepted exception.

    ``rule`` is an id or a glob. ``connections`` must all match; empty means every connection.
    ``expires`` is the last moment it holds; ``until`` says so in words. ``accepts`` is what must
    hold of the connection for the waiver to hold (``while``).
    """

    rule: str
    connections: tuple[Selector, ...]
    reason: str
    owner: str
    expires: datetime
    until: str
    position: Position
    accepts: Condition | None = None

    @property
    def while_true(self) -> str:
        """What must hold for the connection, in English; "" if nothing must."""
        return sentence(self.accepts) if self.accepts is not None else ""

    @property
    def note(self) -> str:
        """Why a finding is waived: by whom, until when, for what reason, and while what."""
        bound = f", while {self.while_true}" if self.accepts is not None else ""
        return f"waived by {self.owner} {self.until}{bound}: {self.reason}"

    @property
    def title(self) -> str:
        """The waiver's position, its rule and its owner."""
        return f"{self.position} (waiver of {one_line(self.rule)}, owner {one_line(self.owner)})"

    def fits(self, rule_ids: Iterable[str]) -> frozenset[str]:
        """Return the rules among ``rule_ids`` that the waiver is for."""
        matches = glob(self.rule)
        return frozenset(name for name in rule_ids if matches(name))

    def is_expired(self, now: datetime) -> bool:
        """Whether the waiver has ended by ``now``, the time of a real clock."""
        return now > self.expires


class Waivers(msgspec.Struct, frozen=True):
    """The waivers of one file, in its order."""

    file: PolicyFile
    entries: tuple[Waiver, ...]
    warnings: tuple[Problem, ...] = ()

    def reads(self) -> tuple[frozenset[str], frozenset[str]]:
        """Return every path that a ``while`` reads, and those needed with all their content."""
        paths: set[str] = set()
        whole: set[str] = set()
        for waiver in self.entries:
            for path, wholly in reads(waiver.accepts) if waiver.accepts is not None else ():
                (whole if wholly else paths).add(path)
        return frozenset(paths), frozenset(whole)


def load_waivers(
    path: Path | str,
    *,
    strict: bool = False,
    conditions: Mapping[str, Condition] | None = None,
) -> Waivers:
    """Return the waivers in the file at ``path``.

    ``conditions`` are those that a ``while`` may name: a ruleset's own. With ``strict`` a warning
    stops the load too. Raises PolicyError with every problem found,
    UsageError for a file that cannot be read.
    """
    label = printable(str(path))
    try:
        data = read_file(path, nodes.MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{label}: cannot be read: {reason}") from error
    return read_waivers(data, label, strict=strict, conditions=conditions)


def read_waivers(
    data: bytes,
    label: str,
    *,
    strict: bool = False,
    conditions: Mapping[str, Condition] | None = None,
) -> Waivers:
    """Return the waivers in ``data``, which positions name by ``label``; raises PolicyError."""
    problems = Problems()
    problems.knows(label, data)
    entries: tuple[Waiver, ...] = ()
    try:
        root, found = nodes.parse(data, label)
        problems.extend(found)
        entries = WaiverReader(problems, conditions).read(root)
    except nodes.YamlError as error:
        problems.extend(error.problems)
    if problems.errors or (strict and problems.warnings):
        found = problems.errors + problems.warnings
        raise PolicyError(sorted(found))
    file = PolicyFile("waivers", label, hashlib.sha256(data).hexdigest())
    return Waivers(file, entries, tuple(problems.warnings))


def is_waiver_file(path: Path | str) -> bool:
    """Whether the file at ``path`` says that it holds waivers, whatever its name.

    A path that cannot be read as YAML, or is not a file, is not one.
    """
    if not str(path).endswith((".yaml", ".yml")):
        return False
    try:
        if not Path(path).is_file():
            return False
        root, _ = nodes.parse(read_file(path, nodes.MAX_BYTES + 1), str(path))
    except (OSError, nodes.YamlError):
        return False
    if not isinstance(root, MappingNode) or root.get("policy") is not None:
        return False
    return root.get("waivers") is not None


def rule_problem(waiver: Waiver, ids: Iterable[str], disabled: Mapping[str, str]) -> str:
    """Return what is wrong with a waiver's rule when it is not one of ``ids``; "" when it is one.

    ``disabled`` says where each rule that is not in force was disabled, by its id.
    """
    known = list(ids)
    if waiver.fits(known):
        return ""
    if off := sorted(waiver.fits(disabled)):
        more = f", and {plural(len(off) - 1, 'more rule')} like it" if len(off) > 1 else ""
        return f"{disabled[off[0]]}{more}"
    hint = nearest(waiver.rule, known)
    message = f" ({hint})" if hint else ""
    return f"no rule is called {one_line(waiver.rule)}{message}"


def end_of(text: str) -> tuple[datetime, str] | None:
    """Return the last moment that ``expires`` says, with ``through …``; None for no date."""
    try:
        if DATE.fullmatch(text):
            return datetime.combine(date.fromisoformat(text), time.max, UTC), f"through {text}"
        moment = parse_timestamp(text)
        return None if moment is None else (moment.astimezone(UTC), f"until {iso(moment)}")
    except (ValueError, OverflowError):
        return None


def term_problem(waiver: Waiver, rule: Rule, now: datetime) -> tuple[str, str] | None:
    """Return why the policies do not allow ``waiver`` for ``rule``, and what to do; None if so.

    Days count as a whole: what may end 90 days from now may end at the end of that day.
    """
    if not rule.waivable:
        where = rule.named_at or rule.position
        return f"{rule.id} may not be waived ({where}: waivable: false)", "mend the violation"
    if rule.max_waiver is None:
        return None
    last = (now.astimezone(UTC) + rule.max_waiver).date()
    if waiver.expires.date() <= last:
        return None
    most = in_words(rule.max_waiver)
    bound = f"a waiver of {rule.id} may last {most} from now (max_waiver)"
    problem = f"{bound}; this one lasts {waiver.until}"
    return problem, f"let it end on {last} at the latest"


def check_terms(waivers: Waivers, rules: Iterable[Rule], now: datetime) -> None:
    """Raise PolicyError with every waiver that the policies of ``rules`` do not allow.

    ``now`` is the time of a real clock. An expired waiver has no effect, and is no problem here.
    """
    by_id = {rule.id: rule for rule in rules}
    problems = [
        Problem(waiver.position, *problem)
        for waiver in waivers.entries
        if not waiver.is_expired(now)
        for name in sorted(waiver.fits(by_id))
        if (problem := term_problem(waiver, by_id[name], now))
    ]
    if problems:
        raise PolicyError(problems)


def idle_whiles(waivers: Waivers, ruleset: Ruleset) -> Iterator[Problem]:
    """Yield a warning for each waiver whose ``while`` no violation of its rule can satisfy."""
    rules = {entry.rule.id: entry for entry in ruleset.rules}
    for waiver in waivers.entries:
        if waiver.accepts is None:
            continue
        meant = [rules[name] for name in sorted(waiver.fits(rules))]
        single = [entry for entry in meant if isinstance(entry, PolicyRule)]
        # A group's violation is waived by its connections' values, whatever the group is.
        problem = idle_waiver(waiver.accepts, single if len(single) == len(meant) else ())
        if problem:
            rule = f"; the rule is at {single[0].rule.position}" if single else ""
            where = place(waiver.accepts)
            yield Problem(where, problem, f"it waives nothing{rule}", warning=True)


class WaiverReader:
    """Reads the waivers of one file."""

    def __init__(
        self, problems: Problems, conditions: Mapping[str, Condition] | None = None
    ) -> None:
        self._problems = problems
        self._named = NamedConditions({}, Scope(), problems, conditions)

    def read(self, root: Node) -> tuple[Waiver, ...]:
        """Return the waivers of a whole file; they are none to use if a problem was recorded."""
        if isinstance(root, MappingNode) and (listing := root.get("waivers")) is not None:
            return self._waivers(root, listing)
        policy = isinstance(root, MappingNode) and root.get("policy") is not None
        message = "this is a policy, not a waiver file" if policy else "this is not a waiver file"
        hint = "pass it with --policy" if policy else "it is a mapping with waivers: [...]"
        self._problems.add(root.position, message, hint)
        return ()

    def _waivers(self, root: MappingNode, listing: Node) -> tuple[Waiver, ...]:
        self._check_keys(root, FILE_KEYS, "waiver file")
        extra = root.get("extra_fields")
        if not isinstance(listing, SequenceNode):
            # ``waivers:`` with nothing below it is what remains when the last one is removed.
            if not isinstance(listing, ScalarNode) or listing.value is not None:
                problem = "waivers: takes a list"
                self._problems.add(listing.position, problem, "one each after a dash")
            return ()
        fields = frozenset(self._texts(extra, "extra_fields") if extra is not None else ())
        conditions = ConditionReader(
            Scope(extra_fields=fields, conditions=self._named), self._problems
        )
        read = [self._waiver(node, conditions) for node in listing.items]
        return tuple(waiver for waiver in read if waiver is not None)

    def _waiver(self, node: Node, conditions: ConditionReader) -> Waiver | None:
        if not isinstance(node, MappingNode):
            hint = f"a waiver is a mapping with {listed(REQUIRED_KEYS, 'and')}"
            self._problems.add(node.position, "this is not a waiver", hint)
            return None
        self._check_keys(node, WAIVER_KEYS, "waiver")
        for key in REQUIRED_KEYS:
            if node.get(key) is None:
                self._problems.add(node.position, f"a waiver needs {key}:", _NEEDED[key])
        rule, owner = self._text(node, "rule"), self._text(node, "owner")
        reason, end = self._text(node, "reason"), self._end(node.get("expires"))
        chosen, accepted = self._connections(node.get("connections")), node.get("while")
        accepts = self._condition(accepted, conditions) if accepted is not None else None
        if end is None or chosen is None:
            return None
        expires, until = end
        return Waiver(rule, chosen, reason, owner, expires, until, node.position, accepts)

    def _condition(self, node: Node, conditions: ConditionReader) -> Condition | None:
        variable = _variable(node)
        if variable is None:
            return conditions.condition(node)
        self._problems.add(variable.position, "a waiver cannot use variables", "write the value")
        return None

    def _connections(self, node: Node | None) -> tuple[Selector, ...] | None:
        if node is None:
            return None
        if isinstance(node, ScalarNode) and node.text == ALL:
            return ()
        if not isinstance(node, MappingNode) or not node.entries:
            hint = (
                f"such as {{group: finance, service: postgres}}; for every connection write {ALL}"
            )
            if ids := _ids_in(node):
                hint = f"write {{id: {one_line(ids)}}}, or another choice, {hint}"
            self._problems.add(node.position, "connections: says which ones", hint)
            return None
        self._check_keys(node, tuple(SELECTOR_PATHS), "choice of connections")
        selectors = tuple(self._selector(key.text, value) for key, value in node)
        if all(selector.is_everything for selector in selectors):
            hint = f"write connections: {ALL} if you mean that"
            self._problems.add(node.position, "this selects every connection", hint)
        return selectors

    def _selector(self, name: str, node: Node) -> Selector:
        texts = self._texts(node, name)
        # An address has brackets of its own: fivetran_connector.db["orders"].
        brackets = name == "address"
        is_glob = (_STAR if brackets else _GLOB).search
        globs = [text for text in texts if is_glob(text)]
        exact = frozenset(texts).difference(globs)
        escaped = tuple(text.replace("[", "[[]") if brackets else text for text in globs)
        return Selector(name, exact, escaped)

    def _end(self, node: Node | None) -> tuple[datetime, str] | None:
        """Return the last moment of a waiver, and ``through 2026-06-30``."""
        if node is None:
            return None
        text = node.text if isinstance(node, ScalarNode) else ""
        found = end_of(text)
        if found is None:
            message = f"expires: {one_line(text) or 'this'} is not a date"
            self._problems.add(node.position, message, f"every waiver ends: {HOW_TO_END}")
        return found

    def _text(self, node: MappingNode, key: str) -> str:
        value = node.get(key)
        if value is None:
            return ""
        if isinstance(value, ScalarNode) and isinstance(value.value, str) and value.text.strip():
            if self._problems.is_cut_by_comment(value.position, value.text):
                self._problems.add(value.position, f"{key}: is cut at the #", "quote the text")
            return one_line(value.text, LONGEST)
        hint = f"quote it; {_NEEDED[key]}" if isinstance(value, ScalarNode) else _NEEDED[key]
        self._problems.add(value.position, f"{key}: takes a text", hint)
        return ""

    def _texts(self, node: Node, key: str) -> list[str]:
        """Return a text or a list of texts; empty if a problem was recorded."""
        items = node.items if isinstance(node, SequenceNode) else (node,)
        texts = [
            item.text
            for item in items
            if isinstance(item, ScalarNode) and isinstance(item.value, str) and item.text
        ]
        if items and len(texts) == len(items):
            return texts
        hint = "quote a number; an empty text or list selects nothing"
        self._problems.add(node.position, f"{one_line(key)}: takes a text, or a list of them", hint)
        return []

    def _check_keys(self, node: MappingNode, known: tuple[str, ...], what: str) -> None:
        for key, _ in node:
            if key.text not in known:
                message = f"a {what} has no key {one_line(key.text)}"
                self._problems.add(key.position, message, nearest(key.text, known, _FOREIGN))


_NEEDED: Mapping[str, str] = {
    "rule": "a rule's id, or a glob such as sync-*",
    "connections": f"such as {{id: …}}, schema, service, group, address; or {ALL}",
    "reason": "say why it is accepted",
    "owner": "say who answers for it",
    "expires": "the last day, such as 2026-06-30",
}


def _variable(node: Node) -> ScalarNode | None:
    """Return the first variable named at or below ``node``."""
    if isinstance(node, ScalarNode):
        return None
    if (variable := named(node, "var")) is not None:
        return variable
    below = node.items if isinstance(node, SequenceNode) else [value for _, value in node]
    return next(filter(None, map(_variable, below)), None)


def _ids_in(node: Node) -> str:
    """Return the ids that stand where a choice of connections should, as YAML; "" for none."""
    if isinstance(node, ScalarNode):
        return node.text if node.text.strip("* ") else ""
    items = node.items if isinstance(node, SequenceNode) else ()
    ids = [_ids_in(item) if isinstance(item, ScalarNode) else "" for item in items]
    return f"[{', '.join(ids)}]" if ids and all(ids) else ""
