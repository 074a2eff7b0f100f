"""The API without its sockets: a request in, an answer out.

It answers as Fivetran's does: basic auth, an hourly limit, filters, pages, errors. Records are
written as JSON once, so that a page costs a join.
"""

from __future__ import annotations

import base64
import hmac
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import ceil
from typing import Any
from urllib.parse import parse_qsl, unquote

import msgspec

from auditor.sandbox.answers import (
    Answer,
    InvalidInputError,
    Walk,
    error,
    limit_of,
    page,
    skip_of,
    success,
)
from auditor.sandbox.estate import Estate
from auditor.sandbox.faults import Fault, auth_failed, narrowed, too_many

#: What paid plans allow (Fivetran's documentation); reported when no other limit is set.
PAID_HOURLY_LIMIT = 20_000
_HOUR = 3600.0
_Query = Mapping[str, str]


class HourlyLimit:
    """Counts requests over a rolling hour; safe to share between threads.

    Without a ``limit`` nothing is refused, and the headers are those of a paid plan.
    """

    def __init__(self, limit: int | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._times: deque[float] = deque(maxlen=PAID_HOURLY_LIMIT if limit is None else limit)
        self._lock = threading.Lock()

    def take(self) -> tuple[Answer | None, tuple[tuple[str, str], ...]]:
        """Count a request; return a refusal or None, and the headers of either."""
        refusal = None
        with self._lock:
            now = self._clock()
            while self._times and now - self._times[0] >= _HOUR:
                self._times.popleft()
            if self._limit is not None and len(self._times) >= self._limit:
                oldest = self._times[0] if self._times else now
                refusal = too_many(self._limit, ceil(_HOUR - (now - oldest)))
            else:
                self._times.append(now)
            shown = PAID_HOURLY_LIMIT if self._limit is None else self._limit
            left = shown - len(self._times)
        return refusal, (("X-Rate-Limit", str(shown)), ("X-Rate-Limit-Remaining", str(left)))


class Api:
    """Answers requests about one estate. Every method is safe to call from several threads."""

    def __init__(
        self,
        estate: Estate,
        key: str,
        secret: str,
        *,
        hourly_limit: int | None = None,
        fault: Fault | None = None,
    ) -> None:
        self._credentials = base64.b64encode(f"{key}:{secret}".encode())
        self._limit = HourlyLimit(hourly_limit)
        self._fault = fault
        self._struck = 0
        self._lock = threading.Lock()
        self._index(estate)
        self._lists = {
            "/v1/groups": _texts(estate.groups),
            "/v1/destinations": _texts(estate.destinations),
            "/v1/users": _texts(estate.users),
            "/v1/metadata/connector-types": _texts(estate.connector_types),
        }

    def _index(self, estate: Estate) -> None:
        self._all = _texts(estate.records)
        self._by_id: dict[str, bytes] = {}
        self._by_group: dict[str, list[bytes]] = {group["id"]: [] for group in estate.groups}
        self._by_schema: dict[str, list[tuple[str, bytes]]] = {}
        for record, text in zip(estate.records, self._all, strict=True):
            self._by_id[record["id"]] = text
            self._by_group[record["group_id"]].append(text)
            self._by_schema.setdefault(record["schema"], []).append((record["group_id"], text))

    def answer(
        self, method: str, target: str, *, authorization: str, accept: str = "*/*"
    ) -> Answer:
        """Return the answer to a request for ``target``, a path with its query."""
        if not self._is_authorized(authorization):
            return auth_failed()
        refusal, rate = self._limit.take()
        answer = refusal or self._routed(method, target, accept)
        return replace(answer, headers=(*answer.headers, *rate))

    def _is_authorized(self, header: str) -> bool:
        scheme, _, credentials = header.partition(" ")
        given = credentials.strip().encode("utf-8", "surrogateescape")
        return scheme.lower() == "basic" and hmac.compare_digest(given, self._credentials)

    def _routed(self, method: str, target: str, accept: str) -> Answer:
        path, _, query = target.partition("?")
        respond = self._endpoint(path)
        if respond is None:
            return error(404, "NotFound", "The requested resource does not exist")
        if method != "GET":
            return error(405, "MethodNotAllowed", "Only GET is served here", ("Allow", "GET"))
        if not accepts_json(accept):
            return error(406, "NotAcceptable", "Accept application/json;version=2")
        try:
            return respond(dict(parse_qsl(query, keep_blank_values=True)))
        except InvalidInputError as cause:
            return error(400, "InvalidInput", str(cause))

    def _endpoint(self, path: str) -> Callable[[_Query], Answer] | None:
        if path == "/v1/connections":
            return self._connections
        if items := self._lists.get(path):
            return lambda query: page(_walk(items, query))
        if match := re.fullmatch(r"/v1/connections/([^/]+)", path):
            id_ = unquote(match[1])
            return lambda _query: self._connection(id_)
        if match := re.fullmatch(r"/v1/groups/([^/]+)/connections", path):
            group = unquote(match[1])
            return lambda query: self._connections({**query, "group_id": group})
        return None

    def _connection(self, id_: str) -> Answer:
        text = self._by_id.get(id_)
        if text is None:
            return error(404, "NotFound_Connector", f"Cannot find connection with id '{id_}'")
        return success(text)

    def _connections(self, query: _Query) -> Answer:
        group = query.get("group_id")
        if group is not None and group not in self._by_group:
            return error(404, "NotFound_Group", f"Cannot find group with id '{group}'")
        walk = _walk(self._selected(group, query.get("schema")), query)
        if self._fault is None:
            return page(walk)
        walk = narrowed(walk)
        if not self._fault.strikes(walk):
            return page(walk)
        with self._lock:
            before, self._struck = self._struck, self._struck + 1
        return self._fault.answer(walk, before)

    def _selected(self, group: str | None, schema: str | None) -> Sequence[bytes]:
        if schema is not None:
            found = self._by_schema.get(schema, [])
            return [text for owner, text in found if group in (None, owner)]
        return self._all if group is None else self._by_group[group]


def accepts_json(header: str) -> bool:
    """Whether an ``Accept`` header takes ``application/json``; parameters but ``q`` are ignored."""
    for choice in header.split(","):
        kind, *parameters = (part.strip().lower() for part in choice.split(";"))
        refused = any(re.fullmatch(r"q=0(\.0*)?", parameter) for parameter in parameters)
        if kind in ("application/json", "application/*", "*/*") and not refused:
            return True
    return False


def _walk(items: Sequence[bytes], query: _Query) -> Walk:
    return Walk(items, skip_of(query.get("cursor")), limit_of(query.get("limit")))


def _texts(records: Sequence[dict[str, Any]]) -> list[bytes]:
    encode = msgspec.json.Encoder().encode
    return [encode(record) for record in records]
