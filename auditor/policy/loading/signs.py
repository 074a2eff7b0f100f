"""Signs that a text which is compared letter by letter was meant as a pattern or a template.

Such a text equals nothing that there is: whatever forbids it passes for ever, and whatever asks for
it in ``when`` never applies. ``equals:`` says that its signs are meant.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from auditor.fields import find

_FIELD = re.compile(r"\{([A-Za-z_][\w.]*)\}")
_MEANT = "equals: says that they are meant"


class _Sign(NamedTuple):
    """A way to write patterns or templates elsewhere: how it is told, and what to write here."""

    looks: re.Pattern[str]
    told: str
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
#: Operators that look at one end of a text alone: a blank within is part of what they look for.
_BEGINNING, _END, _WITHIN = "starts_with", "ends_with", "contains"


def sign_in(text: str, operator: str) -> tuple[str, str] | None:
    """Return what of ``text`` is taken for no sign by ``operator``, and what to write instead."""
    name = _FIELD.search(text)
    if name is not None and find(name[1]) is not None:
        return (
            "braces and all",
            f"write {{field: {name[1]}}}; equals: says that the braces are meant",
        )
    for sign in _SIGNS:
        if sign.looks.search(text):
            return sign.told, sign.hint
    if _has_blank_at_end(text, operator):
        return (
            "with the blank that it begins or ends with",
            "remove it; equals: says that it is meant",
        )
    return None


def _has_blank_at_end(text: str, operator: str) -> bool:
    name = operator.removeprefix("not_")
    first = text != text.lstrip() and name not in {_END, _WITHIN}
    last = text != text.rstrip() and name not in {_BEGINNING, _WITHIN}
    return first or last
