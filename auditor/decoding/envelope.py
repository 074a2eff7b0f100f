"""An answer of ``GET /v1/connections``: what it holds beside its records.

Of two lists or cursors in one answer the last would hide the other, so such an answer is refused.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from auditor.decoding.json_values import MISSING, UndecodableError, kind_of, parse

#: Where other APIs say that more follows. A proxy may translate keys, and a client that knew one
#: spelling only would take the first page for the last.
MORE = (
    *("nextCursor", "NextCursor", "NEXT_CURSOR", "cursor", "next", "nextPage", "next_page"),
    *("nextPageToken", "next_page_token", "hasMore", "has_more"),
)
_SAID_ONCE = {"data", "items", "next_cursor", *MORE}
TWICE = "a key of the answer itself stands there twice"
#: How a list begins that holds a record.
_FILLED = re.compile(rb'"items"\s*:\s*\[\s*\{')


class Envelope(NamedTuple):
    """The API's answer. ``problem`` says why ``items`` is empty when it is not a list at all.

    ``next_cursor`` is whatever the body holds there, MISSING included. ``elsewhere`` is a key in
    another place, or of another spelling, that says that more follows.
    """

    code: object
    message: object
    items: list[Any]
    next_cursor: object
    problem: str = ""
    elsewhere: str = ""


def envelope(answer: object, convert: Callable[[list[Any]], list[Any]]) -> Envelope:
    """Take a plain parsed answer apart; ``convert`` makes records of its items."""
    if not isinstance(answer, dict):
        return Envelope(MISSING, MISSING, [], MISSING, f"the body is {kind_of(answer)}")
    code, message = answer.get("code", MISSING), answer.get("message", MISSING)
    data = answer.get("data", MISSING)
    if not isinstance(data, dict):
        problem = f'"data" is {kind_of(data)}, not an object'
        return Envelope(code, message, [], MISSING, problem)
    items, cursor = data.get("items", MISSING), data.get("next_cursor", MISSING)
    if not isinstance(items, list):
        return Envelope(code, message, [], cursor, no_array("data.items", items))
    more = elsewhere(lambda key: answer.get(key, MISSING), lambda key: data.get(key, MISSING))
    return Envelope(code, message, convert(items), cursor, elsewhere=more)


def elsewhere(answer: Callable[[str], Any], data: Callable[[str], Any]) -> str:
    """Return the key that says that more follows, where ``data.next_cursor`` does not."""
    if data("next_cursor") not in (MISSING, None, ""):
        return ""
    for get, above, names in ((data, "data.", MORE), (answer, "", ("next_cursor", *MORE))):
        for name in names:
            if get(name) not in (MISSING, None, "", False, 0):
                return above + name
    return ""


def once(
    body: bytes,
    make: Callable[[list[tuple[str, Any]]], dict[str, Any]] = dict,
    *,
    out_of_range: float = math.inf,
) -> Any:
    """Return a parsed answer. Raises UndecodableError where it says a thing of the listing twice.

    In a record the last of two equal keys counts, so that only the answer itself is looked at.
    ``make`` makes an object of its pairs, ``out_of_range`` stands for what no float holds.
    """
    doubled: list[tuple[dict[str, Any], set[str]]] = []

    def note(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = make(pairs)
        if len(found) != len(pairs):
            counts = Counter(key for key, _ in pairs)
            doubled.append((found, {key for key, count in counts.items() if count > 1}))
        return found

    answer = parse(body, hook=note, out_of_range=out_of_range)
    data = answer.get("data") if isinstance(answer, dict) else None
    if any(_SAID_ONCE & keys for found, keys in doubled if found is answer or found is data):
        raise UndecodableError(TWICE, transient=False)
    return answer


def may_begin_empty(body: bytes) -> bool:
    """Whether what is called a list first, anywhere in an answer, holds no record."""
    return not _FILLED.match(body, body.find(b'"items"'))


def no_array(name: str, value: object) -> str:
    """Return the problem that ``name`` is no array."""
    return f'"{name}" is {kind_of(value)}, not an array'
