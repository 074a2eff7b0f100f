"""How much of the account the key sees, as far as it can be known.

The API silently hides what a key's user may not see: a listing of half the account looks whole. But
agents and packages name, and proxies count, the connections that they serve, whoever asks. A
connection that they know and the listing lacks is proof that connections are hidden.

They are read before the listing, and again after it if they know of more. A connection that was
created or deleted meanwhile is named only once; a hidden one is named both times. Of two counts the
lower one is used for the same reason.

From Fivetran's REST documentation and its OpenAPI file of 2026-07: ``usage`` of hybrid deployment
agents, ``connector_count`` of proxy agents, ``connection_id`` of Connector SDK packages,
``/v1/account/info``, ``/v1/users/{id}`` and ``scope`` of ``/v1/roles``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from auditor.decoding.records import Decoder, Shape
from auditor.errors import SourceError
from auditor.model import Completeness
from auditor.sources.api.access import Access
from auditor.sources.api.listing import ListEndpoint
from auditor.sources.background import TICK, Background
from auditor.sources.stream import End, Event, Page, Restart
from auditor.text import one_line, plural

T = TypeVar("T")

#: The field of a connection that names its proxy agent.
PROXY = "proxy_agent_id"
_ACCOUNT = "ACCOUNT"
_MAY = "connections may be hidden from it"
_HIDDEN = "the API key does not see the whole account"
_WAY_OUT = "use a key whose user has a role for the whole account"


class _Known(msgspec.Struct, frozen=True):
    """What one list knows of connections.

    ``named`` has who names a connection, by its id; ``counted`` how many connections a proxy agent
    serves, by its id. ``problem`` says why the list could not be read.
    """

    named: Mapping[str, str] = msgspec.field(default_factory=dict)
    counted: Mapping[str, int] = msgspec.field(default_factory=dict)
    problem: str = ""


class _Witness(msgspec.Struct, frozen=True):
    """A list that knows of connections: where it is, which fields say so, and how to read them."""

    path: str
    noun: str
    reads: tuple[str, ...]
    knows: Callable[[list[Any]], _Known]


def _agents(rows: list[Any]) -> _Known:
    named: dict[str, str] = {}
    for row in rows:
        for use in row.usage if isinstance(row.usage, list) else ():
            connection = getattr(use, "connection_id", None)
            if isinstance(connection, str):
                named.setdefault(connection, row.id)
    return _Known(named)


def _packages(rows: list[Any]) -> _Known:
    return _Known({r.connection_id: r.id for r in rows if isinstance(r.connection_id, str)})


def _proxies(rows: list[Any]) -> _Known:
    counts = {row.id: row.connector_count for row in rows}
    return _Known(counted={id_: n for id_, n in counts.items() if type(n) is int})


#: Who knows of connections, regardless of who asks.
WITNESSES = (
    _Witness(
        "/v1/hybrid-deployment-agents",
        "hybrid deployment agent",
        ("usage[].connection_id",),
        _agents,
    ),
    _Witness("/v1/connector-sdk/packages", "Connector SDK package", ("connection_id",), _packages),
    _Witness("/v1/proxy", "proxy agent", ("connector_count",), _proxies),
)


class _Seen(msgspec.Struct):
    """What a walk has listed: ids, and connections by their proxy agent; None if not decoded."""

    ids: set[str] = msgspec.field(default_factory=set)
    proxied: Counter[str] | None = msgspec.field(default_factory=Counter)

    def take(self, decoder: Decoder, records: list[Any]) -> None:
        self.ids.update(decoder.ids(records))
        if self.proxied is None or not decoder.holds(PROXY):
            self.proxied = None
            return
        self.proxied.update(v for v in decoder.values(records, PROXY) if isinstance(v, str))

    def lacks(self, known: _Known) -> _Known:
        """Return what ``known`` has that was not listed."""
        named = {id_: by for id_, by in known.named.items() if id_ not in self.ids}
        proxied = self.proxied
        if proxied is None:
            return _Known(named)
        return _Known(named, {id_: n for id_, n in known.counted.items() if n > proxied[id_]})


class Reach:
    """Finds out what one key sees of its account."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def verified(self, events: Iterator[Event], decoder: Decoder) -> Iterator[Event]:
        """Yield ``events``; their end says what is hidden, and what could not be checked.

        Raises SourceError as ``events`` does.
        """
        key = Background(self._role)
        first = [Background(partial(self._ask, witness)) for witness in WITNESSES]
        asked = [_result(each) for each in first]
        seen = _Seen()
        for event in events:
            match event:
                case Page():
                    seen.take(decoder, event.records)
                case Restart():
                    seen = _Seen()
                case End():
                    yield self._judged(event, seen, asked, _result(key))
                    return
            yield event

    def _judged(self, end: End, seen: _Seen, asked: list[_Known], key: _KeyRole) -> End:
        hidden: list[str] = []
        unread = [known.problem for known in asked if known.problem]
        for witness, known in zip(WITNESSES, asked, strict=True):
            if seen.lacks(known) == _Known():
                continue
            again = self._ask(witness)
            unread += filter(None, [again.problem])
            hidden += _hidden_in_words(witness, seen.lacks(_in_both(known, again)), seen)
        unread += filter(None, [key.problem])
        warnings = [*end.warnings, *filter(None, [key.warning])]
        if unread:
            warnings.append(
                "whether the API key sees every connection could not be looked at in full: "
                f"{'; '.join(dict.fromkeys(unread))}"
            )
        if not hidden:
            return msgspec.structs.replace(end, warnings=tuple(warnings))
        problems = (*end.problems, f"{_HIDDEN}: {'; '.join(hidden)}; {_WAY_OUT}")
        return End(Completeness.INCOMPLETE, end.walks, problems, tuple(warnings))

    def _ask(self, witness: _Witness) -> _Known:
        """Return what a list knows of connections."""
        resource = ListEndpoint(witness.path, witness.noun, "run again", "ask Fivetran's support")
        shape = Shape(witness.reads, identity=("id",), base="row", noun=witness.noun)
        try:
            rows, doubts = self._access.rows(resource, shape, _advice)
        except SourceError as error:
            return _Known(problem=str(error))
        known = witness.knows(rows)
        return msgspec.structs.replace(known, problem=doubts[0]) if doubts else known

    def _role(self) -> _KeyRole:
        """Return what to report about the role of the key's user.

        The permissions of a system key cannot be read with the key itself.
        """
        try:
            info = self._access.object("/v1/account/info", _advice)
            user = info.get("user_id")
            if not isinstance(user, str):
                return _KeyRole()
            path = f"/v1/users/{quote(user, safe='')}"
            role = self._access.object(path, _advice).get("role")
            if not isinstance(role, str) or not role:
                return _KeyRole(f"the API key's user has no role of the account: {_MAY}")
            scopes = self._scopes(role)
        except SourceError as error:
            return _KeyRole(problem=str(error))
        if scopes is None:
            return _KeyRole(problem=f"/v1/roles does not list the key's own role, {one_line(role)}")
        if _ACCOUNT in scopes:
            return _KeyRole()
        return _KeyRole(
            f"the API key's user is {one_line(role)}, no role of the whole account: {_MAY}"
        )

    def _scopes(self, role: str) -> list[Any] | None:
        resource = ListEndpoint("/v1/roles", "role", "run again", "ask Fivetran's support")
        shape = Shape(("scope[]",), identity=("name",), base="row", noun="role")
        rows, _ = self._access.rows(resource, shape, _advice)
        found = (row.scope for row in rows if row.name == role)
        return next((scope for scope in found if isinstance(scope, list)), None)


class _KeyRole(msgspec.Struct, frozen=True):
    """What is known about the key itself; ``problem`` says why its role could not be read."""

    warning: str = ""
    problem: str = ""


def _result(work: Background[T]) -> T:
    """Wait for ``work``; return its result."""
    while not work.ended(TICK):
        pass
    return work.result()


def _in_both(first: _Known, again: _Known) -> _Known:
    """Return what a list knew both times; of two counts the lower one."""
    counts = {id_: min(n, again.counted.get(id_, 0)) for id_, n in first.counted.items()}
    return _Known({id_: by for id_, by in first.named.items() if id_ in again.named}, counts)


def _hidden_in_words(witness: _Witness, hidden: _Known, seen: _Seen) -> Iterator[str]:
    if hidden.named:
        id_ = min(hidden.named)
        count, verb = plural(len(hidden.named), "connection"), _verb(len(hidden.named))
        yield (
            f"{count} that a {witness.noun} names {verb} not listed, such as {one_line(id_)}"
            f" (of {one_line(hidden.named[id_])})"
        )
    if hidden.counted and seen.proxied is not None:
        id_ = min(hidden.counted)
        more = sum(n - seen.proxied[id_] for id_, n in hidden.counted.items())
        yield (
            f"{plural(more, 'connection')} that a {witness.noun} counts {_verb(more)} not listed,"
            f" such as of {one_line(id_)}"
        )


def _verb(count: int) -> str:
    return "was" if count == 1 else "were"


def _advice(status: int, code: str) -> str:  # noqa: ARG001  # as a client asks
    """Return advice on a status for which the client's own advice is about connections."""
    if status in {401, 403}:
        return "the API key may not read it"
    return "this API has none" if status in {400, 404} else ""
