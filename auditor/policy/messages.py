"""Messages: text with ``{field.path}`` and ``{var.name}``, and nothing more.

A message is split when its policy loads, never evaluated: nothing in a policy reaches a template
engine or ``str.format``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import msgspec

from auditor.fields import FIELDS
from auditor.policy.nodes import Node, Scalar
from auditor.policy.operands import written
from auditor.policy.problems import Problems
from auditor.policy.suggest import nearest
from auditor.text import one_line

_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


class Message(msgspec.Struct, frozen=True):
    """Text and the paths between: ``parts`` alternate, text first."""

    parts: tuple[str, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths whose values the message shows."""
        return self.parts[1::2]

    def filled(self, show: Callable[[str], str]) -> str:
        """Return the message with what ``show`` says of each path."""
        return "".join(show(p) if i % 2 else p for i, p in enumerate(self.parts))


def read_message(
    node: Scalar,
    known: Callable[[str], bool],
    variables: Mapping[str, Node],
    problems: Problems,
) -> Message | None:
    """Return the message at ``node``; None when a problem was noted.

    ``known`` says whether a path may stand in it. ``{{`` and ``}}`` are braces.
    """
    parts, text, end, sound = [], "", 0, True
    for match in _TOKEN.finditer(node.text):
        text += node.text[end : match.start()]
        end = match.end()
        token, name = match[0], (match[1] or "").strip()
        if token in {"{{", "}}"}:
            text += token[0]
        elif name.startswith("var.") and name[4:] in variables:
            text += written(variables[name[4:]])
        elif match[1] is not None and known(name):
            parts += [text, name]
            text = ""
        else:
            sound = False
            _complain(node, token, name, variables, problems)
    parts.append(text + node.text[end:])
    return Message(tuple(parts)) if sound else None


def _complain(
    node: Scalar, token: str, name: str, variables: Mapping[str, Node], problems: Problems
) -> None:
    if token in {"{", "}"}:
        problems.add(node.position, f"a {token} stands alone in the message", f"write {token * 2}")
    elif name.startswith("var."):
        hint = nearest(name[4:], variables) or "declare it under vars:"
        problems.add(node.position, f"no variable is called {one_line(name[4:])}", hint)
    else:
        hint = nearest(name, [path for path in FIELDS if "[]" not in path])
        problems.add(
            node.position,
            f"no field that a message can show is called {one_line(name) or 'nothing'}",
            hint or "write {field.path}, {var.name}, or {{ for a brace",
        )
