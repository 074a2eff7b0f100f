"""Settling what several files say together: variables, and overrides of rules.

A file that extends another has the last word over it; two that do not extend each other may not
disagree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from auditor.errors import UsageError, about
from auditor.model import Position
from auditor.policy.loading import nodes
from auditor.policy.loading.documents import Document, check_keys
from auditor.policy.loading.named_conditions import CONDITION_NAME, Declaration
from auditor.policy.loading.nodes import MappingNode, Node, ScalarNode, SequenceNode
from auditor.policy.loading.problems import Problems
from auditor.suggest import nearest
from auditor.text import one_line

OVERRIDE_KEYS = (
    "severity",
    "enabled",
    "reason",
    "title",
    "message",
    "why",
    "fix",
    "tags",
    "controls",
    "may_be_idle",
    "waivable",
    "max_waiver",
)
_COMMAND_LINE = "--var"
#: How a list, a mapping and a quoted text begin: such a value is read as in a policy file.
_WRITTEN_OUT = ("[", "{", '"', "'")


class Override(msgspec.Struct, frozen=True):
    """What replaces a rule's own keys, and for each the file and position that say so."""

    entries: Mapping[str, tuple[ScalarNode, Node]]

    @property
    def files(self) -> tuple[str, ...]:
        """The files that override something, in the order they were settled."""
        return tuple(dict.fromkeys(key.position.file for key, _ in self.entries.values()))


class Variables(dict[str, Node]):
    """The value of every variable, by name; ``read`` are the names that have been used."""

    def __init__(self, values: Mapping[str, Node]) -> None:
        super().__init__(values)
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> Node:
        self.read.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value of ``name``, and mark it as used."""
        self.read.add(name)
        return super().get(name, default)


def check_read(documents: Mapping[str, Document], values: Variables, problems: Problems) -> None:
    """Record every variable that nothing uses: what it was meant to change stays as it was."""
    for document in documents.values():
        for key, _ in document.variables:
            if key.text not in values.read:
                hint = nearest(key.text, sorted(values.read & values.keys())) or "remove it"
                problems.add(key.position, f"nothing reads the variable {one_line(key.text)}", hint)


def variable_notes(documents: Mapping[str, Document], given: Mapping[str, str]) -> Iterator[str]:
    """Yield which variables have another value than in the file that declares them."""
    first: dict[str, tuple[str, Node]] = {}
    for label, document in documents.items():
        for key, node in document.variables:
            if key.text not in first:
                first[key.text] = (label, node)
            elif _plain(first[key.text][1]) != _plain(node):
                yield _set(str(key.position), key.text, _plain(node), *first[key.text])
    for name, text in given.items():
        label, declared = first.get(name, ("", None))
        if declared is None:
            continue
        value = _plain(_typed_like(declared, name, text))
        if value != _plain(declared):
            yield _set(_COMMAND_LINE, name, value, label, declared)


def _set(where: str, name: str, value: str, label: str, declared: Node) -> str:
    return f"{where} sets the variable {one_line(name)} to {value} ({label} has {_plain(declared)})"


def _plain(node: Node) -> str:
    if isinstance(node, SequenceNode):
        return f"[{', '.join(map(_plain, node.items))}]"
    return one_line(node.text) if isinstance(node, ScalarNode) else ""


def settle_variables(
    documents: Mapping[str, Document], given: Mapping[str, str], problems: Problems
) -> Variables:
    """Return the value of every variable.

    ``given`` are those of the command line, as text. Raises UsageError for a ``given`` name that no
    file declares, or a value of the wrong type.
    """
    settled: dict[str, tuple[str, Node]] = {}
    for label, document in documents.items():
        for key, node in document.variables:
            earlier = settled.get(key.text)
            if earlier is not None and earlier[0] not in files_below(label, documents):
                disagree(key, f"the variable {key.text}", earlier[0], problems)
                continue
            _check_variable(key, node, problems)
            settled[key.text] = (label, node)
    values = {name: node for name, (_, node) in settled.items()}
    for name, text in given.items():
        with about("var", name):
            if name not in values:
                hint = nearest(name, values) or "declare it under vars: in a policy"
                raise UsageError(f"--var {one_line(name)}: no policy in force declares it ({hint})")
            values[name] = _typed_like(values[name], name, text)
    return Variables(values)


def settle_conditions(
    documents: Mapping[str, Document], problems: Problems
) -> dict[str, Declaration]:
    """Return where each named condition is declared, by the file with the last word."""
    settled: dict[str, tuple[str, Declaration]] = {}
    for label, document in documents.items():
        for key, node in document.conditions:
            if not CONDITION_NAME.fullmatch(key.text):
                message = f"{one_line(key.text) or 'nothing'} is not a valid name for a condition"
                problems.add(
                    key.position,
                    message,
                    "a letter or a digit, then more of them, - and _, such as in_production",
                )
                continue
            earlier = settled.get(key.text)
            if earlier is not None and earlier[0] not in files_below(label, documents):
                disagree(key, f"the condition {key.text}", earlier[0], problems)
                continue
            settled[key.text] = (label, Declaration(key, node, document.extra_fields))
    return {name: declared for name, (_, declared) in settled.items()}


def condition_notes(documents: Mapping[str, Document]) -> Iterator[str]:
    """Yield which named conditions are redefined by a file that extends another."""
    first: dict[str, tuple[str, Any]] = {}
    for label, document in documents.items():
        for key, node in document.conditions:
            value = nodes.plain_value(node)
            where, earlier = first.setdefault(key.text, (label, value))
            if earlier != value:
                name = one_line(key.text)
                yield f"{key.position} redefines the condition {name} ({where} has it)"


def settle_overrides(
    documents: Mapping[str, Document], ids: Mapping[str, Position], problems: Problems
) -> dict[str, Override]:
    """Return what is overridden in each rule. ``ids`` are all rules and their positions."""
    settled: dict[str, dict[str, tuple[str, ScalarNode, Node]]] = {}
    for label, document in documents.items():
        below = files_below(label, documents)
        known = [name for name, position in ids.items() if position.file in below]
        for name, body in document.overrides:
            if not _is_override(name, body, known, label, ids, problems):
                continue
            entries = settled.setdefault(name.text, {})
            for key, value in body:  # type: ignore[union-attr]  # _is_override has checked it
                earlier = entries.get(key.text)
                if earlier is not None and earlier[0] not in below:
                    disagree(key, f"{key.text} of {name.text}", earlier[0], problems)
                    continue
                entries[key.text] = (label, key, value)
    return {
        name: Override({key: (at, value) for key, (_, at, value) in entries.items()})
        for name, entries in settled.items()
    }


def check_overrides(documents: Mapping[str, Document], problems: Problems) -> None:
    """Record each override that changes nothing: the rule, or a file below, already says so."""
    known: dict[tuple[str, str], tuple[Position, Any]] = {}
    for document in documents.values():
        for rule in document.rules:
            name = rule.get("id") if isinstance(rule, MappingNode) else None
            if not isinstance(rule, MappingNode) or not isinstance(name, ScalarNode):
                continue
            known |= {(name.text, key): (rule.position, value) for key, value in _UNSAID.items()}
            known |= {(name.text, k.text): (k.position, nodes.plain_value(v)) for k, v in rule}
    for document in documents.values():
        for name, body in document.overrides:
            for key, node in body if isinstance(body, MappingNode) else ():
                value = nodes.plain_value(node)
                place, earlier = known.get((name.text, key.text), (None, None))
                if place is not None and earlier == value and type(earlier) is type(value):
                    problems.warn(
                        key.position,
                        f"this changes nothing: {one_line(name.text)} has the same {key.text}"
                        f" already, at {place}",
                        "remove it, or write what you mean",
                    )
                known[name.text, key.text] = (key.position, value)


#: What a rule is unless it says otherwise.
_UNSAID: Mapping[str, Any] = {"enabled": True, "may_be_idle": False}


def _is_override(
    name: ScalarNode,
    body: Node,
    known: list[str],
    label: str,
    ids: Mapping[str, Position],
    problems: Problems,
) -> bool:
    if name.text not in known:
        if name.text in ids and ids[name.text].file == label:
            hint = "it is in this file: change it there"
        elif name.text in ids:
            hint = f"it is in {ids[name.text].file}, which this file does not extend"
        else:
            hint = nearest(name.text, known)
        problems.add(name.position, f"no rule to override is called {one_line(name.text)}", hint)
        return False
    if not isinstance(body, MappingNode) or not body.entries:
        problems.add(
            body.position, "an override must say what to replace", "such as {severity: high}"
        )
        return False
    for word in ("when", "assert", "per"):
        if body.get(word) is not None:
            problems.add(
                body.position,
                f"an override cannot replace {word}: it would be another rule under the same name",
                "disable this one and write your own",
            )
            return False
    reason = body.get("reason")
    if reason is not None and not (
        isinstance(reason, ScalarNode) and isinstance(reason.value, str)
    ):
        problems.add(reason.position, "reason: takes a text", "quote it")
    check_keys(body, OVERRIDE_KEYS, "override", problems)
    return all(key.text in OVERRIDE_KEYS for key, _ in body)


def files_below(label: str, documents: Mapping[str, Document]) -> set[str]:
    """Return the files that ``label`` extends, however far down."""
    found: set[str] = set()
    waiting = list(documents[label].extends)
    while waiting:
        name = waiting.pop()
        if name not in found and name in documents:
            found.add(name)
            waiting.extend(documents[name].extends)
    return found


def disagree(key: ScalarNode, what: str, other: str, problems: Problems) -> None:
    """Record that ``key`` repeats what a file says that is not extended."""
    problems.add(
        key.position,
        f"{other} sets {one_line(what)} too",
        "neither file extends the other, so neither takes precedence",
    )


def _check_variable(key: ScalarNode, node: Node, problems: Problems) -> None:
    """Record a variable that is not a value: null, a mapping, or a list of such."""
    items = node.items if isinstance(node, SequenceNode) else (node,)
    for item in items:
        if not isinstance(item, ScalarNode) or item.value is None:
            message = f"the variable {one_line(key.text)} is not a value"
            problems.add(item.position, message, "a variable is a value, or a list of values")


def _parsed_value(default: Node, name: str, text: str) -> Node:
    """Return a value that is written as in a policy file. Raises UsageError."""
    try:
        value, problems = nodes.parse(text.encode("utf-8", "surrogateescape"), _COMMAND_LINE)
    except nodes.YamlError as error:
        reason = error.problems[0].message
        raise UsageError(f"--var {one_line(name)}: cannot be read: {reason}") from error
    if problems:
        raise UsageError(f"--var {one_line(name)}: cannot be read: {problems[0].message}")
    items = value.items if isinstance(value, SequenceNode) else (value,)
    wanted = default.items if isinstance(default, SequenceNode) else (default,)
    kinds = {_kind(item) for item in wanted}
    if isinstance(value, SequenceNode) is not isinstance(default, SequenceNode):
        shape = "a list" if isinstance(default, SequenceNode) else "one value"
        raise UsageError(f"--var {one_line(name)}: takes {shape}, like its default")
    if not items or not {_kind(item) for item in items} <= kinds:
        raise UsageError(f"--var {one_line(name)}: takes {' or '.join(sorted(kinds))}")
    return value


def _kind(node: Node) -> str:
    value = node.value if isinstance(node, ScalarNode) else None
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "numbers"
    return "texts" if isinstance(value, str) else "nothing else"


def _typed_like(default: Node, name: str, text: str) -> Node:
    position = Position(_COMMAND_LINE, 1, 1)
    if text.lstrip().startswith(_WRITTEN_OUT):
        return _parsed_value(default, name, text)
    if isinstance(default, SequenceNode):
        parts = [part.strip() for part in text.split(",")]
        if not all(parts):
            raise UsageError(f"--var {one_line(name)}: takes a list such as a,b,c")
        first = default.items[0] if default.items else ScalarNode(position, "", "")
        return SequenceNode(position, tuple(_typed_like(first, name, part) for part in parts))
    value = nodes.scalar(text, position)
    wanted = default.value if isinstance(default, ScalarNode) else None
    if isinstance(wanted, str):
        return ScalarNode(position, text, text, plain=False)
    if not text:
        raise UsageError(f"--var {one_line(name)}: is empty")
    numbers = isinstance(wanted, int | float) and not isinstance(wanted, bool)
    fits = (
        isinstance(value.value, int | float) and not isinstance(value.value, bool)
        if numbers
        else type(value.value) is type(wanted)
    )
    if not fits:
        kind = "a number" if numbers else "true or false"
        raise UsageError(f"--var {one_line(name)}: takes {kind}, like its default")
    return value
