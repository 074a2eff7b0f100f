"""Settling what several files say together: variables, and overrides of rules.

A file that extends another has the last word over it; two that do not extend each other may not
disagree.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from auditor.errors import UsageError
from auditor.model import Position
from auditor.policy.loading import nodes
from auditor.policy.loading.documents import Document, check_keys
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
)
_COMMAND_LINE = "--var"


class Override(msgspec.Struct, frozen=True):
    """What replaces a rule's own keys, and the file and position that say so for each."""

    entries: Mapping[str, tuple[ScalarNode, Node]]

    @property
    def files(self) -> tuple[str, ...]:
        """The files that override something, in the order they were settled."""
        return tuple(dict.fromkeys(key.position.file for key, _ in self.entries.values()))


def settle_variables(
    documents: Mapping[str, Document], given: Mapping[str, str], problems: Problems
) -> dict[str, Node]:
    """Return the value of every variable. ``given`` are those of the command line, as text.

    Raises UsageError for a ``given`` name that no file declares, or a value of the wrong type.
    """
    settled: dict[str, tuple[str, Node]] = {}
    for label, document in documents.items():
        for key, node in document.variables:
            earlier = settled.get(key.text)
            if earlier is not None and earlier[0] not in _below(label, documents):
                _disagree(key, f"the variable {key.text}", earlier[0], problems)
                continue
            _check_variable(key, node, problems)
            settled[key.text] = (label, node)
    values = {name: node for name, (_, node) in settled.items()}
    for name, text in given.items():
        if name not in values:
            hint = nearest(name, values) or "declare it under vars: in a policy"
            raise UsageError(f"--var {one_line(name)}: no policy in force declares it ({hint})")
        values[name] = _typed_like(values[name], name, text)
    return values


def settle_overrides(
    documents: Mapping[str, Document], ids: Mapping[str, Position], problems: Problems
) -> dict[str, Override]:
    """Return what is overridden of each rule. ``ids`` are all rules and where they stand."""
    settled: dict[str, dict[str, tuple[str, ScalarNode, Node]]] = {}
    for label, document in documents.items():
        below = _below(label, documents)
        known = [name for name, position in ids.items() if position.file in below]
        for name, body in document.overrides:
            if not _is_override(name, body, known, label, ids, problems):
                continue
            entries = settled.setdefault(name.text, {})
            for key, value in body:  # type: ignore[union-attr]  # _is_override has checked it
                earlier = entries.get(key.text)
                if earlier is not None and earlier[0] not in below:
                    _disagree(key, f"{key.text} of {name.text}", earlier[0], problems)
                    continue
                entries[key.text] = (label, key, value)
    return {
        name: Override({key: (at, value) for key, (_, at, value) in entries.items()})
        for name, entries in settled.items()
    }


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
            hint = "it stands in this file: change it there"
        elif name.text in ids:
            hint = f"it stands in {ids[name.text].file}, which this file does not extend"
        else:
            hint = nearest(name.text, known)
        problems.add(name.position, f"no rule to override is called {one_line(name.text)}", hint)
        return False
    if not isinstance(body, MappingNode) or not body.entries:
        problems.add(body.position, "an override says what to replace", "as {severity: high}")
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


def _below(label: str, documents: Mapping[str, Document]) -> set[str]:
    """Return the files that ``label`` extends, however far down."""
    found: set[str] = set()
    waiting = list(documents[label].extends)
    while waiting:
        name = waiting.pop()
        if name not in found and name in documents:
            found.add(name)
            waiting.extend(documents[name].extends)
    return found


def _disagree(key: ScalarNode, what: str, other: str, problems: Problems) -> None:
    problems.add(
        key.position,
        f"{other} sets {one_line(what)} too",
        "neither file extends the other, so neither has the last word",
    )


def _check_variable(key: ScalarNode, node: Node, problems: Problems) -> None:
    """Note a variable that holds no value: null, a mapping, or a list of such."""
    items = node.items if isinstance(node, SequenceNode) else (node,)
    for item in items:
        if not isinstance(item, ScalarNode) or item.value is None:
            message = f"the variable {one_line(key.text)} is no value"
            problems.add(item.position, message, "a variable is a value, or a list of values")


def _typed_like(default: Node, name: str, text: str) -> Node:
    position = Position(_COMMAND_LINE, 1, 1)
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
        raise UsageError(f"--var {one_line(name)}: takes {kind}, as its default is")
    return value
