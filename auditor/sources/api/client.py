"""Requests with retries: what is worth another attempt, how long to wait, what to report.

One table of statuses, one loop. Only a 429 may say how long to wait; everything else backs off with
full jitter, so that many runs do not retry at the same time.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from random import SystemRandom
from typing import Generic, TypeVar
from urllib.parse import urlsplit

import msgspec

from auditor.clock import apart, in_words
from auditor.decoding.envelope import sign_in_headers
from auditor.decoding.json_values import UndecodableError
from auditor.errors import SourceError
from auditor.redaction.fields import REDACTED, Scrubber, looks_secret
from auditor.sources.api.transport import ExchangeError, Response, Transport
from auditor.text import one_line, plural

T = TypeVar("T")

#: How many attempts a request with this status gets in total.
_ATTEMPTS = {409: 3, 429: 5, 500: 5, 502: 5, 503: 5, 504: 5}
_ADVICE = {
    400: "the API did not understand the request; check --group, --schema and --page-size",
    403: "the API key lacks the permission to list connections",
    404: "there is no such address; check --base-url, which ends before /v1",
    407: "the proxy asks for a user and password; check the proxy variable",
    409: "run again later",
    429: "run again later",
}
_LATER = "run again later"
#: Bytes of a body that is not JSON to quote in a message.
_LOOKED_AT = 4096
#: Seconds. The first pause is a random part of a second; the range doubles with each further one.
_LONGEST_PAUSE = 30.0
#: A response that was cached for longer does not show the account as it is now.
_OLDEST_ANSWER = timedelta(minutes=5)
_SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)
_NUMBER = re.compile(r"[0-9]+", re.ASCII)
#: Where one HTTP date ends and another one follows; a date itself has a comma.
_BETWEEN_DATES = re.compile(r"(?<=GMT)\s*,")


class HttpOptions(msgspec.Struct, frozen=True):
    """Limits on patience and size.

    In seconds, attempts per page, decoded bytes per page, and pages per walk. ``max_wait``
    (--max-wait) bounds the total of all waits that the API asks for.
    """

    attempt_seconds: float = 60.0
    max_wait: float = 120.0
    attempts: int = 5
    page_bytes: int = 64 * 2**20
    pages: int = 10_000
    sleep: Callable[[float], None] = time.sleep
    #: A generator of its own: the shared one is not ours to advance.
    random: Callable[[], float] = SystemRandom().random


class Reply(msgspec.Struct, Generic[T], frozen=True):
    """What was read from a body, and the server's time when it was sent.

    ``age`` is how many seconds the response was in a cache (RFC 9111, 5.1), 0 if not stated.
    ``more`` is the header that says that more follows, "" if there is none.
    """

    value: T
    date: datetime | None
    age: int = 0
    more: str = ""

    @property
    def cached(self) -> str:
        """Why the response does not show the account as it is now, "" where no cache says so."""
        if self.age <= _OLDEST_ANSWER.total_seconds():
            return ""
        return (
            f"a cache answered with what was listed {plural(self.age // 60, 'minute')} ago "
            "(Age); check the proxies and caches between here and the API"
        )


class _Setback(msgspec.Struct, frozen=True):
    """Why an attempt failed, and how many attempts such a failure gets in total.

    ``wait`` is how many seconds the API asks to wait, if it does.
    """

    reason: str
    attempts: int
    advice: str = ""
    wait: int | None = None


class Dated(msgspec.Struct, frozen=True):
    """By how much the server's clock was ahead of this machine's when it answered ``label``."""

    label: str
    ahead: timedelta


class Client:
    """Sends requests to one server, with retries.

    ``advise`` may return better advice for a status and the API's own code than the table here, or
    "". Every message goes through ``scrubber``. With ``current`` an old response is an error.
    ``dated`` has every answer that tells the server's time.
    """

    def __init__(
        self,
        transport: Transport,
        options: HttpOptions,
        scrubber: Scrubber,
        advise: Callable[[int, str], str],
        *,
        current: bool = False,
    ) -> None:
        self._transport = transport
        self._options = options
        self._scrubber = scrubber
        self._advise = advise
        self._current = current
        self._patience = options.max_wait
        self.dated: list[Dated] = []
        self._asked = self._setback = ""

    @property
    def waiting(self) -> str:
        """What it asks for now, and why the last attempt failed; "" if it asks for nothing."""
        failure = self._setback
        return f"{self._asked} (last failure: {failure})" if failure else self._asked

    def begin(self, url: str) -> None:
        """Ask for ``url`` now: the first attempt of the next ``get`` of it is under way."""
        self._transport.begin(url)

    def get(self, url: str, read: Callable[[bytes], T], label: str) -> Reply[T]:
        """Return what ``read`` makes of the body at ``url``; ``label`` names it in messages.

        ``read`` raises UndecodableError. Raises SourceError.
        """
        self._asked = label
        try:
            return self._got(url, read, label)
        finally:
            self._asked = self._setback = ""

    def _got(self, url: str, read: Callable[[bytes], T], label: str) -> Reply[T]:
        failures = 0
        while True:
            cause: Exception | None = None
            try:
                answer = self._transport.get(url)
                if answer.status == 200:
                    reply = self._read(answer, read)
                    if reply.date is not None:
                        self.dated.append(Dated(label, reply.date - datetime.now(UTC)))
                    if self._current and (old := reply.cached or _clock_difference(reply.date)):
                        raise self._error(f"{label}: {old}")
                    return reply
                setback = self._refused(answer)
            except (ExchangeError, UndecodableError) as error:
                setback, cause = self._failed(error), error
            self._setback = self._scrubber.text(setback.reason)
            if setback.wait is not None:
                self._wait(setback, label)
                continue
            failures += 1
            if failures >= setback.attempts:
                tries = f", on all {failures} attempts" if failures > 1 else ""
                advice = f"; {setback.advice}" if setback.advice else ""
                raise self._error(f"{label}: {setback.reason}{tries}{advice}") from cause
            ceiling = min(_LONGEST_PAUSE, 2.0 ** (failures - 1))
            self._options.sleep(ceiling * self._options.random())

    def clean(self, text: str, limit: int = 200) -> str:
        """Return ``text`` from the server as it may be shown: no credential, one line, short."""
        return one_line(self._scrubber.text(text), limit)

    def _read(self, answer: Response, read: Callable[[bytes], T]) -> Reply[T]:
        try:
            return Reply(
                read(answer.body),
                sent(answer.headers),
                seconds_in_caches(answer.headers),
                sign_in_headers(answer.headers),
            )
        except UndecodableError as error:
            raise UndecodableError(
                f"the body is not an API response: {error}{self._start(answer.body)}",
                transient=error.transient,
            ) from error

    def _start(self, body: bytes) -> str:
        """Return the start of a body that is not JSON; one that is, or was, may hold anything."""
        # Longer than what is shown: cutting before scrubbing could leave all but the end of a
        # credential.
        start = body[:_LOOKED_AT].decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
        if start[:1] in {"", "{", "["}:
            return ""
        start = self._scrubber.text(start)[:320]
        return f"; it starts with: {REDACTED if looks_secret(start) else one_line(start, 80)}"

    def _failed(self, error: ExchangeError | UndecodableError) -> _Setback:
        if error.transient:
            return _Setback(str(error), self._options.attempts, "check the network and run again")
        return _Setback(str(error), 1)

    def _refused(self, answer: Response) -> _Setback:
        status, headers = answer.status, answer.headers
        code, message = _api_error(answer.body)
        said = self.clean(f"{code}: {message}" if code and message else code or message)
        reason = f"HTTP {status} ({said})" if said else f"HTTP {status}"
        if 300 <= status < 400 and "Location" in headers:
            # Scrubbed first: a host is lowercased, which would disguise a credential.
            target = self.clean(_host(self._scrubber.text(headers["Location"])))
            advice = "redirects are never followed with an API key; check --base-url"
            return _Setback(f"HTTP {status}, a redirect to {target}", 1, advice)
        advice = self._advise(status, code) or _ADVICE.get(status, "")
        if status in _ATTEMPTS:
            attempts = min(_ATTEMPTS[status], self._options.attempts)
            wait = retry_after(headers) if status == 429 else None
            return _Setback(reason, attempts, advice or _LATER, wait)
        return _Setback(
            reason, 1, advice or "that is not a response to a list request; check --base-url"
        )

    def _wait(self, setback: _Setback, label: str) -> None:
        wait = setback.wait or 0
        if wait > self._patience:
            raise self._error(
                f"{label}: {setback.reason}: it asks to wait {wait:,} s, and --max-wait leaves "
                f"{self._patience:,.0f} s; run again later, or raise --max-wait"
            )
        self._patience -= wait
        self._options.sleep(wait)

    def _error(self, message: str) -> SourceError:
        return SourceError(self._scrubber.text(message))


def behind(dated: Iterable[Dated], others: Iterable[Dated]) -> Iterator[str]:
    """Yield which of ``dated`` a server with the clock of ``others`` did not send when asked.

    However wrong a server's clock is, it is as wrong for one list as for the next.
    """
    clock = max((each.ahead for each in others), default=None)
    late = {each.label: each.ahead for each in dated}
    for label, ahead in sorted(late.items()):
        if clock is not None and clock - ahead > _OLDEST_ANSWER:
            yield (
                f"{label}: the server's clock was {in_words(clock - ahead)} behind that of its "
                "other answers, so a cache answered; check the proxies and caches between here "
                "and the API"
            )


def _clock_difference(date: datetime | None) -> str:
    return apart(date, datetime.now(UTC)) if date is not None else ""


def retry_after(headers: Mapping[str, str]) -> int | None:
    """Return the whole seconds that ``Retry-After`` asks for, or None if it is not usable.

    A date is relative to the response's own ``Date``, because clocks differ (RFC 9110, 10.2.3).
    """
    text = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(text):
        return int(text) or None
    until, since = http_date(text), sent(headers)
    if until is None or since is None:
        return None
    seconds = int((until - since).total_seconds())
    return seconds if seconds > 0 else None


def seconds_in_caches(headers: Mapping[str, str]) -> int:
    """Return the most seconds that ``Age`` says, 0 if it says none.

    Caches in a row may each add a header of their own, which the library joins; the number may have
    more digits than any time, or a fraction.
    """
    ages = _NUMBER.findall(headers.get("Age", ""))
    return max((int(age[:10]) for age in ages), default=0)


def sent(headers: Mapping[str, str]) -> datetime | None:
    """Return the earliest time that ``Date`` says, or None: a proxy may add one of its own."""
    dates = map(http_date, _BETWEEN_DATES.split(headers.get("Date", "")))
    return min(filter(None, dates), default=None)


def http_date(text: str) -> datetime | None:
    """Return an HTTP date as an aware time in UTC, or None."""
    try:
        moment = parsedate_to_datetime(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _api_error(body: bytes) -> tuple[str, str]:
    """Return the ``code`` and ``message`` of the API's error body, each "" if there is none."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return "", ""
    if not isinstance(answer, dict):
        return "", ""
    code, message = answer.get("code"), answer.get("message")
    return code if isinstance(code, str) else "", message if isinstance(message, str) else ""


def _host(location: str) -> str:
    try:
        return urlsplit(location).hostname or "another path on the same host"
    except ValueError:
        return "an address that cannot be read"
