"""From the text of a message to its parts, with every problem at its place.

A message is split when its policy loads, never evaluated: nothing in a policy reaches a template
engine or ``str.format``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from auditor.fields import FIELDS
from auditor.policy.language.messages import Message
from auditor.policy.loading.literals import written
from auditor.policy.loading.nodes import Node, ScalarNode
from auditor.policy.loading.problems import Problems
from auditor.suggest import nearest
from auditor.text import one_line

_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


def read_message(
    node: ScalarNode,
    known: Callable[[str], bool],
    variables: Mapping[str, Node],
    problems: Problems,
    names: Iterable[str] = FIELDS,
) -> Message | None:
    """Return the message at ``node``; None if a problem was recorded.

    ``known`` says whether a path may be in it, and ``names`` are those to suggest. ``{{`` and
    ``}}`` are braces.
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
            _complain(node, token, name, variables, problems, names)
    parts.append(text + node.text[end:])
    return Message(tuple(parts)) if sound else None


def _complain(
    node: ScalarNode,
    token: str,
    name: str,
    variables: Mapping[str, Node],
    problems: Problems,
    names: Iterable[str],
) -> None:
    if token in {"{", "}"}:
        problems.add(node.position, f"a {token} is unmatched in the message", f"write {token * 2}")
    elif name.startswith("var."):
        hint = nearest(name[4:], variables) or "declare it under vars:"
        problems.add(node.position, f"no variable is called {one_line(name[4:])}", hint)
    else:
        hint = nearest(name, [path for path in names if "[]" not in path])
        problems.add(
            node.position,
            f"no field that a message can show is called {one_line(name) or 'nothing'}",
            hint or "write {field.path}, {var.name}, or {{ for a brace",
        )
