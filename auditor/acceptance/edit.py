"""Adding a waiver to its file: everything else in the file stays as it is, comments included.

The text is changed only where the new waiver goes, and then read back as every run reads it. Unless
that gives the old waivers and the new one, nothing is written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace

import msgspec

from auditor.acceptance.waivers import DATE, LONGEST, Waiver, Waivers, read_waivers
from auditor.errors import PolicyError, UsageError
from auditor.policy.language.conditions import Condition
from auditor.policy.loading import nodes
from auditor.policy.loading.nodes import MappingNode, SequenceNode
from auditor.text import one_line

_INDENT = "  "
# Text that every YAML reader, old ones included, reads as text without quotes.
_PLAIN = re.compile(
    r"[A-Za-z][A-Za-z0-9_./@+-]*(?: [A-Za-z0-9_(][A-Za-z0-9_.,;()/@+-]*)*", re.ASCII
)
_NO_TEXT = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_EMPTY = re.compile(r"(waivers[ \t]*:)[ \t]*(?:~|null|Null|NULL|\[[ \t]*\])?([ \t]+#.*|[ \t]*)")
_HEAD = "# Accepted exceptions: each with a reason, an owner and its last day.\nwaivers:\n"
_BY_HAND = "write the waiver by hand, or give each its own - on a line of its own"


class NewWaiver(msgspec.Struct, frozen=True):
    """The waiver to write: a rule's id, the ids of connections, and single-line texts."""

    rule: str
    connections: tuple[str, ...]
    reason: str
    owner: str
    expires: str


def with_waiver(
    data: bytes | None,
    label: str,
    new: NewWaiver,
    conditions: Mapping[str, Condition] | None = None,
) -> tuple[str, Waivers]:
    """Return the text of the file with ``new`` as its last waiver, and the waivers it then has.

    ``data`` is the content of the file, None if there is no file; ``conditions`` are those that the
    policies name. Raises PolicyError for a file that cannot be read, UsageError for one that is
    written so that nothing can be added safely.
    """
    before = read_waivers(data, label, conditions=conditions) if data is not None else None
    text = data.decode("utf-8-sig") if data is not None else _HEAD
    end = "\r\n" if "\r\n" in text else "\n"
    lines = (text if text.endswith("\n") else text + end).splitlines(keepends=True)
    at, indent = _place(text.encode(), label, lines)
    entry = [f"{indent}{line}{end}" for line in _entry(new)]
    after_text = "".join([*lines[:at], *entry, *lines[at:]])
    if data is not None and data.startswith(b"\xef\xbb\xbf"):
        after_text = f"\ufeff{after_text}"
    after = _read_again(after_text, label, conditions)
    known = before.entries if before is not None else ()
    if [*map(_said, after.entries[:-1])] != [*map(_said, known)]:
        raise UsageError(f"{label}: nothing can be added to this file safely; {_BY_HAND}")
    return after_text, after


def _read_again(text: str, label: str, conditions: Mapping[str, Condition] | None) -> Waivers:
    try:
        return read_waivers(text.encode(), label, conditions=conditions)
    except PolicyError as error:
        raise UsageError(
            f"{label}: nothing can be added to this file safely; {_BY_HAND}"
        ) from error


def _said(waiver: Waiver) -> tuple[Waiver, str]:
    """Return everything a waiver says; two compiled patterns are never equal, their words are."""
    return replace(waiver, accepts=None), waiver.while_true


def _place(data: bytes, label: str, lines: list[str]) -> tuple[int, str]:
    """Return before which line a waiver goes, and its indent; empty a list that is written out."""
    root, _ = nodes.parse(data, label)
    assert isinstance(root, MappingNode)
    key, listing = next((key, value) for key, value in root if key.text == "waivers")
    if isinstance(listing, SequenceNode) and listing.items:
        last = listing.items[-1].position.line - 1
        dash = re.match(r"([ \t]*)-[ \t]", lines[last])
        if dash is None:
            raise UsageError(f"{label}:{last + 1}: this list is written in one line; {_BY_HAND}")
        return _end_of(lines, last, len(dash[1])), dash[1]
    at = key.position.line - 1
    line = lines[at].rstrip("\r\n")
    empty = _EMPTY.fullmatch(line)
    if empty is None:
        raise UsageError(f"{label}:{at + 1}: this list is not understood; {_BY_HAND}")
    lines[at] = f"{empty[1]}{empty[2].rstrip()}{lines[at][len(line) :]}"
    return at + 1, _INDENT


def _end_of(lines: list[str], start: int, indent: int) -> int:
    """Return the line after the item that begins at ``start``: all of it is indented deeper."""
    end = start + 1
    for number in range(start + 1, len(lines)):
        text = lines[number].rstrip()
        if text and len(text) - len(text.lstrip()) <= indent:
            break
        end = number + 1 if text else end
    return end


def _entry(new: NewWaiver) -> list[str]:
    ids = [_scalar(name) for name in new.connections]
    chosen = ids[0] if len(ids) == 1 else f"[{', '.join(ids)}]"
    return [
        f"- rule: {_scalar(new.rule)}",
        f"{_INDENT}connections: {{id: {chosen}}}",
        f"{_INDENT}reason: {_scalar(new.reason)}",
        f"{_INDENT}owner: {_scalar(new.owner)}",
        f"{_INDENT}expires: {_scalar(new.expires)}",
    ]


def _scalar(text: str) -> str:
    """Return ``text`` as YAML: unquoted if nobody could read anything else in it."""
    line = one_line(text, LONGEST)
    plain = _PLAIN.fullmatch(line) and line.lower() not in _NO_TEXT
    return line if plain or DATE.fullmatch(line) else json.dumps(line, ensure_ascii=False)
