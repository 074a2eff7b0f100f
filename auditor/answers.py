"""An answer of ``GET /v1/connections``: what it holds beside its records.

Of two lists or cursors in one answer the last would hide the other, so such an answer is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from auditor.json_values import MISSING, UndecodableError, kind_of, parse

#: Where other APIs say that more follows. A proxy may translate keys, and a client that knew one
#: spelling only would take the first page for the last.
MORE = (
    *("nextCursor", "NextCursor", "NEXT_CURSOR", "cursor", "next", "nextPage", "next_page"),
    *("nextPageToken", "next_page_token", "hasMore", "has_more"),
)
TWICE = "a key of the answer itself stands there twice"
_ONCE = (b'"items"', b'"next_cursor"')
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
        return Envelope(code, message, [], MISSING, _not_object("data", data))
    items, cursor = data.get("items", MISSING), data.get("next_cursor", MISSING)
    if not isinstance(items, list):
        return Envelope(code, message, [], cursor, _not_array("data.items", items))
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


def once(body: bytes) -> Any:
    """Return a parsed answer. Raises UndecodableError where it says its list or its cursor twice.

    Records may hold these words as well, so that only a look at the answer itself tells.
    """
    answer = parse(body, hook=_marked)
    data = answer.get("data") if isinstance(answer, dict) else None
    if _Twice in {type(answer), type(data)}:
        raise UndecodableError(TWICE, transient=False)
    return answer


def may_say_twice(body: bytes) -> bool:
    """Whether an answer may say its list or its cursor twice; ``once`` tells."""
    # Each key is found at once from one end or the other: one pass over the body, not two.
    return any(body.find(key, 0, max(body.rfind(key), 0)) >= 0 for key in _ONCE)


def may_begin_empty(body: bytes) -> bool:
    """Whether the first list in an answer may be an empty one; ``once`` tells."""
    return not _FILLED.match(body, body.find(_ONCE[0]))


class _Twice(dict[str, Any]):
    """An object in which a key stands twice."""


def _marked(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else _Twice(found)


def _not_object(name: str, value: object) -> str:
    return f'"{name}" is {kind_of(value)}, not an object'


def _not_array(name: str, value: object) -> str:
    return f'"{name}" is {kind_of(value)}, not an array'
