"""Waivers in comments beside Terraform resources, read as strictly as those in a file.

# fivetran-auditor: waive RULE reason="…" owner=… expires=2027-06-30
"""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import replace

import msgspec

from auditor.acceptance.waivers import Waiver, WaiverReader, Waivers
from auditor.errors import PolicyError, Problem
from auditor.model import PolicyFile, Position
from auditor.policy.loading import nodes
from auditor.policy.loading.problems import Problems
from auditor.text import one_line, printable

_FORM = 'write: fivetran-auditor: waive RULE reason="…" owner=… expires=2027-06-30'
_KEYS = ("reason", "owner", "expires")


class Comment(msgspec.Struct, frozen=True):
    """A comment beside a resource, and the addresses of the connections that it applies to."""

    position: Position
    text: str
    addresses: tuple[str, ...]


def comment_waivers(comments: Iterable[Comment], folder: str) -> Waivers:
    """Return the waivers in ``comments``. Raises PolicyError with every problem found."""
    problems: list[Problem] = []
    entries: list[Waiver] = []
    digest = hashlib.sha256()
    for comment in comments:
        digest.update(f"{comment.position} {comment.text}\n".encode())
        waiver, wrong = _waiver(comment)
        problems += [_relocated(comment.position, problem) for problem in wrong]
        entries += [] if waiver is None else [waiver]
    if problems:
        raise PolicyError(problems)
    file = PolicyFile("waivers", f"comments in {printable(folder)}", digest.hexdigest())
    return Waivers(file, tuple(entries))


def together(waivers: Waivers | None, more: Waivers) -> Waivers | None:
    """Return the waivers of a file and of comments as one; None if there are none."""
    if waivers is None:
        return more if more.entries else None
    if not more.entries:
        return waivers
    digest = hashlib.sha256(f"{waivers.file.sha256}{more.file.sha256}".encode()).hexdigest()
    file = PolicyFile("waivers", f"{waivers.file.file} and {more.file.file}", digest)
    return Waivers(file, (*waivers.entries, *more.entries), waivers.warnings)


def _waiver(comment: Comment) -> tuple[Waiver | None, Sequence[Problem]]:
    try:
        words = shlex.split(comment.text)
    except ValueError:
        return None, [Problem(comment.position, "a quote in this comment is not closed", _FORM)]
    if words[:1] != ["waive"] or len(words) == 1:
        return None, [Problem(comment.position, "this comment waives nothing", _FORM)]
    _, rule, *pairs = words
    given: dict[str, object] = {"rule": rule, "connections": {"address": list(comment.addresses)}}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or key not in _KEYS:
            return None, [Problem(comment.position, f"{one_line(pair)} is not understood", _FORM)]
        if key in given:
            return None, [Problem(comment.position, f"{one_line(pair)} is given twice", _FORM)]
        given[key] = value
    # JSON is YAML: the code that reads a file reads a comment too.
    problems = Problems()
    root, _ = nodes.parse(json.dumps({"waivers": [given]}).encode(), comment.position.file)
    read = WaiverReader(problems).read(root)
    return replace(read[0], position=comment.position) if read else None, problems.errors


def _relocated(position: Position, problem: Problem) -> Problem:
    return problem._replace(position=position)
