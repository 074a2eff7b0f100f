"""Signs that a text compared letter by letter was meant as a pattern or a template.

No value equals such a text: a rule that forbids it always passes, and a ``when`` that asks for it
never applies. ``equals:`` says that the signs are meant.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from auditor.fields import find
from auditor.policy.language.operators import OperandForm, Operator, TextPart

_FIELD = re.compile(r"\{([A-Za-z_][\w.]*)\}")
_MEANT = "equals: says that they are meant"


class _Sign(NamedTuple):
    """How patterns or templates are written elsewhere: its name, and what to write here."""

    looks: re.Pattern[str]
    name: str
    hint: str


#: The first that is found counts.
_SIGNS = (
    _Sign(
        re.compile(r"\$\{|\{\{|\$\(|%\(\w+\)s"),
        "and nothing is put in its place",
        f"write {{var: NAME}} and set it with vars: or --var; {_MEANT}",
    ),
    _Sign(
        re.compile(r"^\^.|.\$$|\.[*+?]|\\[dwsDWSbB.]|\[[^\]]*(?:a-z|A-Z|0-9)[^\]]*\]|\(\?[:i]"),
        "with the signs of a regular expression",
        f"write regex_fullmatch: or regex_search: for a pattern; {_MEANT}",
    ),
    _Sign(re.compile(r"[*?]"), "with its * and ?", f"write glob: for a pattern; {_MEANT}"),
    _Sign(
        re.compile(r"^%.|.%$"),
        "with its %",
        f"write glob: for a pattern, with * where SQL has %; {_MEANT}",
    ),
)
#: Forms of what may be anywhere in a text: a blank at its ends is part of what is looked for.
_WITHIN = frozenset({OperandForm.NEEDLE, OperandForm.NEEDLES})


def sign_in(text: str, operator: Operator) -> tuple[str, str] | None:
    """Return what in ``text`` means nothing to ``operator``, and what to write instead."""
    name = _FIELD.search(text)
    if name is not None and find(name[1]) is not None:
        return (
            "braces and all",
            f"write {{field: {name[1]}}}; equals: says that the braces are meant",
        )
    for sign in _SIGNS:
        if sign.looks.search(text):
            return sign.name, sign.hint
    if _has_blank_at_end(text, operator):
        return (
            "with the blank that it begins or ends with",
            "remove it; equals: says that it is meant",
        )
    return None


def _has_blank_at_end(text: str, operator: Operator) -> bool:
    """Whether a blank is at an end of the text that is an end of the value, too."""
    if operator.form in _WITHIN:
        return False
    first = text != text.lstrip() and operator.part is not TextPart.END
    last = text != text.rstrip() and operator.part is not TextPart.START
    return first or last
