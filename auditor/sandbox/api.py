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
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import ceil
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, unquote

import msgspec

from auditor.sandbox import details
from auditor.sandbox.answers import (
    Answer,
    InvalidInputError,
    NotThereError,
    PageRequest,
    error,
    limit_of,
    page,
    skip_of,
    success,
)
from auditor.sandbox.endpoints import LIST_NAMES, LISTINGS, Endpoint, find
from auditor.sandbox.estate import SandboxEstate
from auditor.sandbox.faults import Asked, Fault, auth_failed, forbidden, narrowed, too_many
from auditor.sandbox.reach import WHOLE, reach_of

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
    """Answers requests about one estate. Every method is safe to call from several threads.

    ``faults`` are by the name of their endpoint. Raises UsageError for an unknown ``reach``.
    """

    def __init__(
        self,
        estate: SandboxEstate,
        key: str,
        secret: str,
        *,
        hourly_limit: int | None = None,
        faults: Mapping[str, Fault] = MappingProxyType({}),
        reach: str = WHOLE,
    ) -> None:
        self._credentials = base64.b64encode(f"{key}:{secret}".encode())
        self._limit = HourlyLimit(hourly_limit)
        self._faults = faults
        self._struck: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._reach = reach_of(reach)
        self._estate = self._reach.view(estate)
        self._index(self._estate)
        self._listings = {listing.name: _Rows(listing, self._estate) for listing in LISTINGS}

    def _index(self, estate: SandboxEstate) -> None:
        self._all = _texts(estate.records)
        self._by_id: dict[str, int] = {}
        self._by_group: dict[str, list[bytes]] = {group["id"]: [] for group in estate.groups}
        self._by_schema: dict[str, list[tuple[str, bytes]]] = {}
        self._by_proxy: dict[str, list[bytes]] = {
            row["id"]: [] for row in estate.lists.proxy_agents
        }
        for number, (record, text) in enumerate(zip(estate.records, self._all, strict=True)):
            self._by_id[record["id"]] = number
            self._by_group[record["group_id"]].append(text)
            self._by_schema.setdefault(record["schema"], []).append((record["group_id"], text))
            if record["proxy_agent_id"] is not None:
                used = b'{"connection_id":%b}' % msgspec.json.encode(record["id"])
                self._by_proxy[record["proxy_agent_id"]].append(used)

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
        found = find(path)
        if found is None:
            return error(404, "NotFound", "The requested resource does not exist")
        if method != "GET":
            return error(405, "MethodNotAllowed", "Only GET is served here", ("Allow", "GET"))
        if not accepts_json(accept):
            return error(406, "NotAcceptable", "Accept application/json;version=2")
        name, id_ = found[0], unquote(found[1])
        if name.partition("/")[0] in self._reach.closed:
            return forbidden()
        try:
            return self._answered(name, id_, dict(parse_qsl(query, keep_blank_values=True)))
        except InvalidInputError as cause:
            return error(400, "InvalidInput", str(cause))

    def _answered(self, name: str, id_: str, query: _Query) -> Answer:
        fault = self._faults.get(name)
        asked = self._asked(name, id_, query)
        if fault is None:
            return asked.answer
        if name in LIST_NAMES:
            walk = narrowed(asked.walk)
            asked = replace(asked, walk=walk, answer=page(walk))
        if not fault.strikes(asked.walk):
            return asked.answer
        with self._lock:
            before = self._struck[name]
            self._struck[name] += 1
        return fault.answer(replace(asked, before=before))

    def _asked(self, name: str, id_: str, query: _Query) -> Asked:
        """Return what is asked for and its answer, without any fault."""
        try:
            if name not in LIST_NAMES:
                return Asked(name, success(self._object(name, id_)))
            items = self._items(name, id_, query)
        except NotThereError as cause:
            return Asked(name, error(404, cause.code, str(cause)))
        walk = PageRequest(items, skip_of(query.get("cursor")), limit_of(query.get("limit")))
        return Asked(name, page(walk), walk)

    def _items(self, name: str, id_: str, query: _Query) -> Sequence[bytes]:
        match name:
            case "connections":
                return self._connections(query.get("group_id"), query.get("schema"))
            case "groups/{id}/connections":
                return self._connections(id_, query.get("schema"))
            case "proxy/{id}/connections":
                if id_ not in self._by_proxy:
                    raise NotThereError("NotFound", "Proxy Agent not found")
                return self._by_proxy[id_]
        return self._listings[name].selected(query)

    def _object(self, name: str, id_: str) -> bytes:
        match name:
            case "account/info":
                return _text({**self._estate.lists.account, **self._reach.bearer})
            case "external-logging/account":
                if self._estate.lists.account_logging is None:
                    raise NotThereError("NotFound", "Log service not found")
                return _text(self._estate.lists.account_logging)
            case "connections/{id}":
                return _text(details.connection(self._estate, self._record(id_)))
            case "connections/{id}/schemas":
                schemas = details.schemas(self._record(id_))
                if schemas is None:
                    raise NotThereError(
                        "NotFound_SchemaConfig", f"Connection '{id_}' has no schema config yet"
                    )
                return _text(schemas)
        return self._listings[name.removesuffix("/{id}")].one(id_)

    def _record(self, id_: str) -> dict[str, Any]:
        number = self._by_id.get(id_)
        if number is None:
            raise NotThereError("NotFound_Connector", f"Cannot find connection with id '{id_}'")
        return self._estate.records[number]

    def _connections(self, group: str | None, schema: str | None) -> Sequence[bytes]:
        if group is not None and group not in self._by_group:
            raise NotThereError("NotFound_Group", f"Cannot find group with id '{group}'")
        if schema is not None:
            found = self._by_schema.get(schema, [])
            return [text for owner, text in found if group in (None, owner)]
        return self._all if group is None else self._by_group[group]


class _Rows:
    """The rows of one list, written once, and found by id or by a filter."""

    def __init__(self, listing: Endpoint, estate: SandboxEstate) -> None:
        self._listing, self._estate = listing, estate
        self._rows = listing.rows(estate)
        self._texts = _texts(self._rows)

    def selected(self, query: _Query) -> Sequence[bytes]:
        """Return the rows that the filters in ``query`` let through, as JSON texts."""
        wanted = {
            field: query[name] for name, field in self._listing.filters.items() if name in query
        }
        if not wanted:
            return self._texts
        return [
            text
            for row, text in zip(self._rows, self._texts, strict=True)
            if all(self._value(row, field) == value for field, value in wanted.items())
        ]

    def _value(self, row: dict[str, Any], field: str) -> str:
        if field == "group_id":
            return self._estate.lists.group_of(row)
        value: Any = row
        for key in field.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        return ("false", "true")[value] if isinstance(value, bool) else str(value)

    def one(self, id_: str) -> bytes:
        """Return the row with ``id_``, in detail. Raises NotThereError if there is none."""
        for row in self._rows:
            if row["id"] == id_:
                return _text(self._listing.detail(self._estate, row))
        raise NotThereError(self._listing.code, f"{self._listing.noun} not found")


def accepts_json(header: str) -> bool:
    """Whether an ``Accept`` header takes ``application/json``; parameters but ``q`` are ignored."""
    for choice in header.split(","):
        kind, *parameters = (part.strip().lower() for part in choice.split(";"))
        refused = any(re.fullmatch(r"q=0(\.0*)?", parameter) for parameter in parameters)
        if kind in ("application/json", "application/*", "*/*") and not refused:
            return True
    return False


def _text(row: dict[str, Any]) -> bytes:
    return msgspec.json.encode(row)


def _texts(rows: Sequence[dict[str, Any]]) -> list[bytes]:
    encode = msgspec.json.Encoder().encode
    return [encode(row) for row in rows]
