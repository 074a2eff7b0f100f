"""A response of ``GET /v1/connections``: everything in it except its records.

If a response had two lists or cursors, the last would hide the other, so it is refused.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any, NamedTuple

from auditor.decoding.json_values import MISSING, UndecodableError, kind_of, parse

#: Keys that mean that more follows if they have a value, in any spelling: other APIs use them, and
#: a proxy may translate keys. A client that knew only one spelling would take the first page for
#: the last.
_SIGNS = frozenset(
    (
        *("cursor", "cursors", "next", "nextcursor", "nextpage", "nexttoken", "nextpagetoken"),
        *("nexturl", "nextlink", "nextoffset", "more", "hasmore", "hasnext", "hasnextpage"),
        *("moreresults", "remaining", "remainingitems", "truncated", "istruncated", "incomplete"),
        *("partial", "ispartial", "continuation", "continuationtoken"),
        *("token", "pagetoken", "page", "pagination", "paging", "links", "link", "meta"),
    )
)
#: For these a number or a text gives a position, and an object or an array says what follows.
_HOLDERS = frozenset({"page", "pagination", "paging", "links", "link", "meta", "cursors"})
#: Keys that say the same when they are false.
_DENIALS = frozenset(
    (
        *("last", "islast", "lastpage", "islastpage", "final", "isfinal", "end", "atend"),
        *("complete", "iscomplete", "completed", "done", "isdone", "finished", "exhausted"),
    )
)
#: Keys for the total number, as other APIs name it.
_TOTALS = frozenset(
    (
        *("total", "totalcount", "totalitems", "totalresults", "totalrecords", "totalelements"),
        *("totalrows", "totalhits", "totalsize", "recordstotal", "count", "itemcount"),
    )
)
#: Keys for the number of pages.
_PAGES = frozenset({"totalpages", "pagecount", "pages", "numpages", "numberofpages", "lastpage"})
_SAID = _SIGNS | _DENIALS | _TOTALS | _PAGES
#: The envelope's own keys, beside those of what follows: each may appear once.
_OWN = frozenset({"code", "message", "data", "items"})
_NOTHING: tuple[object, ...] = (MISSING, None, "", False, 0)
TWICE = "a key of the answer itself appears twice"
_REL_NEXT = re.compile(r"""\brel\s*=\s*["']?[^"';,]*\bnext\b""", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]{1,15}")
#: The beginning of a list that has a record.
_FILLED = re.compile(rb'"items"\s*:\s*\[\s*\{')


class Envelope(NamedTuple):
    """The API's answer. ``problem`` says why ``items`` is empty when it is not a list at all.

    ``next_cursor`` is whatever the body has there, MISSING included. ``elsewhere`` is a key in
    another place, or with another spelling, that says that more follows. ``total`` is the total
    number of connections that the response states, or None; ``pages`` that of pages.
    """

    code: object
    message: object
    items: list[Any]
    next_cursor: object
    problem: str = ""
    elsewhere: str = ""
    total: int | None = None
    pages: int | None = None


def envelope(answer: object, convert: Callable[[list[Any]], list[Any]]) -> Envelope:
    """Take a plain parsed response apart; ``convert`` turns its items into records."""
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
    more = ""
    if cursor in (MISSING, None, ""):  # As is said of nothing, a cursor of its own is no sign.
        more = next(chain(_signs(data, "data."), _signs(answer, "")), "")
    total, pages = (
        max(chain(_numbers(data, words), _numbers(answer, words)), default=None)
        for words in (_TOTALS, _PAGES)
    )
    return Envelope(code, message, convert(items), cursor, "", more, total, pages)


def _signs(said: Mapping[str, object], above: str) -> Iterator[str]:
    """Yield the keys of ``said``, at any depth, that say that more follows."""
    for key, value in said.items():
        word = _plain(key)
        if word in _DENIALS and _is_false(value):
            yield f"{above}{key}"
        if word not in _SIGNS or value in _NOTHING:
            continue
        if isinstance(value, dict):
            yield from _signs(value, f"{above}{key}.")
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, dict) and item.get("rel") == "next":
                    yield f"{above}{key}"
        elif word not in _HOLDERS or (isinstance(value, str) and word != "page"):
            yield f"{above}{key}"


def _numbers(said: Mapping[str, object], words: frozenset[str]) -> Iterator[int]:
    """Yield every number in ``said``, at any depth, that has one of the names ``words``."""
    for key, value in said.items():
        word = _plain(key)
        if word in words and type(value) is int:
            yield value
        elif word in words and isinstance(value, str) and _NUMBER.fullmatch(value):
            yield int(value)
        elif word in _HOLDERS and isinstance(value, dict):
            yield from _numbers(value, words)


def _is_false(value: object) -> bool:
    return value is False or (isinstance(value, str) and value.strip().lower() == "false")


def sign_in_headers(headers: Mapping[str, str]) -> str:
    """Return the header that says that more follows, "" where none does (RFC 8288 for ``Link``)."""
    for name, value in headers.items():
        word = name.lower()
        if word == "link" and _REL_NEXT.search(value):
            return "Link header"
        if word.startswith("x-next") and value.strip():
            return f"{name} header"
    return ""


def _plain(key: str) -> str:
    return key.replace("_", "").replace("-", "").lower()


def once(
    body: bytes,
    make: Callable[[list[tuple[str, Any]]], dict[str, Any]] = dict,
    *,
    out_of_range: float = math.inf,
) -> Any:
    """Return a parsed response. Raises UndecodableError if a key about the listing is repeated.

    In a record the last of two equal keys counts, so only the response itself is checked. ``make``
    makes an object from its pairs; ``out_of_range`` replaces numbers that no float can hold.
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
    for found, keys in doubled:
        # A key that we do not use, and that does not say what follows, may be repeated.
        said = any(key in _OWN or _plain(key) in _SAID for key in keys)
        if said and (found is answer or found is data):
            raise UndecodableError(TWICE, transient=False)
    return answer


def may_begin_empty(body: bytes) -> bool:
    """Whether the first value under a list's name, anywhere in a response, has no record."""
    return not _FILLED.match(body, body.find(b'"items"'))


def no_array(name: str, value: object) -> str:
    """Return the problem that ``name`` is not an array."""
    return f'"{name}" is {kind_of(value)}, not an array'
