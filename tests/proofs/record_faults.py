"""The rows of *Records* and *Clock*: listed records with unexpected values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.builders.fault_server import Script, kept, page
from tests.proofs.faults import Fault, Records

_CLEAN = "3 connections judged"
_FREQUENCY = """policy: house
rules:
  - {id: often, severity: high, assert: {sync_frequency: {gte: 15}}}
  - {id: running, severity: high, assert: {paused: false}}
"""
_WHOLE = """
policy: whole
rules:
  - {id: an-object, severity: high, assert: {config: {json_schema: {maxProperties: 0}}}}
  - {id: no-legacy, severity: high, assert: {config.nested.legacy: {exists: false}}}
"""
_TEXT = """policy: house
rules:
  - {id: known, severity: high, assert: {service: {not_in: [mysql]}}}
  - {id: running, severity: high, assert: {paused: false}}
"""
_RECENT = """policy: house
rules:
  - {id: recent, severity: high, assert: {succeeded_at: {newer_than: 7d}}}
  - {id: running, severity: high, assert: {paused: false}}
"""
_STALE = _RECENT.replace("newer_than: 7d", "older_than: 1s")


def _with(**fields: Any) -> Any:
    """The account, with these fields in each record but None removing them."""

    def script(records: Records) -> Script:
        changed = [{**r, **fields} for r in records]
        gone = [name for name, value in fields.items() if value is ...]
        return [kept(page({k: v for k, v in r.items() if k not in gone} for r in changed))]

    return script


def _raw(old: str, new: str, **fields: Any) -> Any:
    """The account with ``new`` for ``old`` in its JSON, once a record."""

    def script(records: Records) -> Script:
        body = page({**r, **fields} for r in records).decode()
        assert old in body
        return [kept(body.replace(old, new).encode("utf-8", "surrogatepass"))]

    return script


def _unsettled(name: str, script: Any, rules: str = _FREQUENCY) -> Fault:
    return Fault(name, script, 3, "3 checks could not be evaluated", rules=rules)


def _types() -> Iterator[Fault]:
    yield _unsettled("R1 a field is missing", _with(sync_frequency=...))
    yield Fault(
        "R1 a field is missing, and a rule asks",
        _with(sync_frequency=...),
        0,
        _CLEAN,
        rules=_FREQUENCY.replace("{gte: 15}", "{exists: false}"),
    )
    yield Fault(
        "R1 the field of one rule is missing in every record, the other breaks",
        lambda a: [kept(page([{**a[0], "paused": True}, *a[1:]]))],
        3,
        "1 high violation",
        rules=_FREQUENCY,
    )
    yield _unsettled("R1 paused itself is missing", _with(paused=...), _TEXT)
    yield _unsettled("R2 null", _with(sync_frequency=None))
    yield Fault(
        "R2 null is as missing",
        _with(sync_frequency=None),
        0,
        _CLEAN,
        rules=_FREQUENCY.replace("{gte: 15}", "{exists: false}"),
    )
    for value in ("360", "", True, False, [], [360], {}, {"minutes": 360}):
        yield _unsettled(f"R3 {value!r} for a number", _with(sync_frequency=value))
    for value in (0, 1, "false", "", [], [False], {}, None):
        yield _unsettled(f"R3 {value!r} for a boolean", _with(paused=value), _TEXT)
    for value in (0, True, [], ["postgres"], {}, None):
        # What has no text where its identity should be is no connection, whatever a rule asks.
        problem = "is not a connection: its service is"
        yield Fault(f"R3 {value!r} for text", _with(service=value), 3, problem, rules=_TEXT)
    for value in ("a service of tomorrow", "POSTGRES", " postgres", "\u0430\u0440i", "x" * 300):
        yield Fault(f"R4 {value[:20]!r}", _with(service=value), 0, _CLEAN, rules=_TEXT)
    yield Fault(
        "R4 a value that breaks", _with(service="mysql"), 1, "3 high violations", rules=_TEXT
    )
    yield Fault("R5 a new field", _with(tomorrow={"a": [1, {"b": None}]}), 0, _CLEAN)
    yield Fault("R5 a thousand new fields", _with(**{f"n{n}": n for n in range(1000)}), 0, _CLEAN)
    yield Fault("R5 a field in other letters", _with(Paused=True, PAUSED=True), 0, _CLEAN)


def _json() -> Iterator[Fault]:
    first = '"paused": '
    yield Fault(
        "R6 a key twice, the last counts", _raw(first, '"paused": true, ' + first), 0, _CLEAN
    )
    yield Fault(
        "R6 a key twice, the last breaks",
        _twice,
        1,
        "3 high violations",
    )
    doubled = '{"nested": {"legacy": 1, "a": 1, "a": 2}}'
    for how, more in (("", ""), (", on a page that is read slowly", r', "note": "\ud800"')):
        yield Fault(
            f"R6 a key twice in an object that a rule reads whole{how}",
            _raw('"here"', doubled + more, config="here"),
            1,
            "6 high violations of 2 rules",
            rules=_WHOLE,
        )
    for number in ("NaN", "Infinity", "-Infinity"):
        yield Fault(
            f"R7 {number} in what no rule reads",
            _raw('"x"', number, note="x"),
            3,
            number.lstrip("-"),
            judged="",
            requests=1,
        )
    for number in ("1e999", "-1e999", "9" * 5000, "1" + "0" * 400):
        yield _unsettled(
            f"R7 {number[:8]}, {len(number)} long, is read",
            _raw("360", number, sync_frequency=360),
        )
        yield Fault(
            f"R7 {number[:8]}, {len(number)} long, is not read",
            _raw("360", number, sync_frequency=360),
            0,
            _CLEAN,
        )
    yield Fault(
        "R8 a string of 10 MB is read", _with(service="x" * 10_000_000), 0, _CLEAN, rules=_TEXT
    )
    yield Fault("R8 a string of 10 MB is not read", _with(note="x" * 10_000_000), 0, _CLEAN)
    for depth, code in ((100, 0), (100_000, 3)):
        deep = "[" * depth + "]" * depth
        yield Fault(
            f"R9 nested {depth} deep",
            _raw('"x"', deep, note="x"),
            code,
            _CLEAN if code == 0 else "nested",
            judged="c1 c2 c3" if code == 0 else "",
        )
    for name, text in {
        "a lone surrogate": r"\ud800",
        "the other surrogate": r"\udfff",
        "a pair the wrong way": r"\udc00\ud800",
        "a NUL": r"\u0000",
        "an escape": r"\u001b[31mred",
        "bidirectional": r"\u202eabc",
        "line separators": r"\u2028\u2029",
        "a noncharacter": r"\uffff",
    }.items():
        for key in ("schema", "service", "group_id", "note"):
            yield Fault(
                f"R10 {name} in {key}",
                _raw('"odd"', f'"{text}"', **{key: "odd"}),
                0,
                _CLEAN,
                rules=_TEXT,
            )


def _twice(records: Records) -> Script:
    body = page(records).decode()
    return [kept(body.replace('"paused": false', '"paused": false, "paused": true').encode())]


def _clock() -> Iterator[Fault]:
    for text in (
        "2026-01-15T11:00:00",
        "2026-01-15",
        "2026-01-15T11:00:60Z",
        "2026-01-14T24:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-01-15T11:00Zulu",
        "2026-01-15T11:00:00+25:00",
        "0000-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "1768474800",
        "yesterday",
        "now",
        "",
        " 2026-01-15T11:00:00Z",
        "2026-01-15T12:05:01Z",
        "2027-01-15T12:00:00Z",
        "9999-12-31T23:59:59Z",
        "\u0662\u0660\u0662\u0666-01-15T11:00:00Z",
    ):
        yield _unsettled(f"clock {text!r} is no age", _with(succeeded_at=text), _RECENT)
        yield _unsettled(f"clock {text!r} is not old", _with(succeeded_at=text), _STALE)
    yield _unsettled("clock a number is no time", _with(succeeded_at=1768474800), _RECENT)
    for text in (
        "2026-01-15T11:00:00Z",
        "2026-01-15T11:00:00+00:00",
        "2026-01-15T13:00:00+02:00",
        "2026-01-15T12:04:59Z",
        *(f"2026-01-15T11:00:00.{'1' * n}Z" for n in range(1, 10)),
    ):
        yield Fault(f"clock {text} is read", _with(succeeded_at=text), 0, _CLEAN, rules=_RECENT)
    fields = {"succeeded_at": "2026-01-15T11:00:00Z"}
    for date, code, says in (
        ("Thu, 15 Jan 2026 12:04:00 GMT", 0, ""),
        ("Thu, 15 Jan 2026 12:06:00 GMT", 0, "the server's counts"),
        ("Fri, 16 Jan 2026 11:30:00 GMT", 0, "the server's counts"),
        ("Wed, 14 Jan 2026 23:00:00 GMT", 3, "the server's counts"),
        ("Sun, 15 Feb 2026 12:00:00 GMT", 4, "the server's counts"),
        ("Mon, 15 Dec 2025 12:00:00 GMT", 4, "the server's counts"),
        ("yesterday", 0, ""),
    ):

        def script(a: Records, date: str = date) -> Script:
            return [kept(page({**r, **fields} for r in a), 200, f"Date: {date}")]

        yield Fault(
            f"clock the server says {date}",
            script,
            min(code, 3),
            {0: _CLEAN, 3: "3 checks could not", 4: "a clock is wrong"}[code],
            rules=_RECENT,
            warns=says,
        )


RECORDS = [*_types(), *_json()]
CLOCK = list(_clock())
