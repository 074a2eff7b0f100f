"""A history of runs: one short line per run, and since when each finding has been open.

Everything here is pure; ``past/history_folder.py`` keeps it in a folder. A finding is identified by
its rule and its connection, or its rule and its group, as in a comparison. It stays open until a
run has judged the check and found nothing, or has seen that the connection is gone. What a run did
not judge stays as it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

import msgspec

from auditor.clock import iso, parse_timestamp
from auditor.model import (
    Completeness,
    Ended,
    Outcome,
    PastRun,
    Result,
    RuleChecks,
    Severity,
    Verdict,
)
from auditor.text import printable

#: The version of both files; a reader ignores members that it does not know.
FORMAT = 1
#: The most runs that are drawn.
MOST_RUNS = 60
_FOUND = frozenset({Verdict.FAIL, Verdict.ERROR, Verdict.WAIVED, Verdict.KNOWN})
_FOUND_BYTES = re.compile(b"[" + bytes(_FOUND) + b"]")
_COUNTED = (Verdict.FAIL, Verdict.ERROR, Verdict.WAIVED, Verdict.KNOWN)


# -- the line of a run ----------------------------------------------------------------------------


class _PolicyLine(msgspec.Struct, frozen=True):
    name: str
    sha256: str


class _Line(msgspec.Struct, frozen=True, omit_defaults=True):
    format: int
    ran_at: str
    judged_at: str
    version: str
    source: str
    base_url: str
    policies: list[_PolicyLine]
    full: bool
    outcome: str
    exit_code: int
    connections: int
    counts: dict[str, int]
    violations: dict[str, int]
    rules: dict[str, dict[str, int | str]]
    account: str = ""
    filters: list[str] = []
    #: Every rule that was judged: those without a finding have no counts in ``rules``.
    judged: list[str] | None = None


def past_run(result: Result) -> PastRun:
    """Return the trend's point for ``result``."""
    return PastRun(
        judged_at=result.judged_at.astimezone(UTC).replace(microsecond=0),
        outcome=result.gate.outcome,
        full=not result.left_out,
        connections=len(result.connections),
        violations=tuple(
            (
                severity,
                sum(c.count(Verdict.FAIL) for c in result.checks if c.rule.severity is severity),
            )
            for severity in Severity
        ),
        errors=result.counts[Verdict.ERROR],
        waived=result.counts[Verdict.WAIVED],
        known=result.counts[Verdict.KNOWN],
        policies=tuple(policy.sha256 for policy in result.policies),
        filters=tuple(
            printable(f"{name}={value}") for name, value in sorted(result.source.filters)
        ),
        by_rule={checks.rule.id: checks.count(Verdict.FAIL) for checks in result.checks},
        policy_names=tuple(policy.name for policy in result.policies),
    )


def line_of(result: Result, ran_at: datetime) -> bytes:
    """Return the line that the history keeps of ``result``, its end included.

    ``ran_at`` is the real time, which may differ from the time of judging.
    """
    run = past_run(result)
    line = _Line(
        format=FORMAT,
        ran_at=_seconds(ran_at),
        judged_at=_seconds(run.judged_at),
        version=result.version,
        source=printable(f"{result.source.kind}: {result.source.location}"),
        base_url=result.source.base_url,
        policies=[_PolicyLine(p.name, p.sha256) for p in result.policies],
        full=run.full,
        outcome=run.outcome.value,
        exit_code=result.gate.exit_code,
        connections=run.connections,
        counts={verdict.label: count for verdict, count in result.counts.items()},
        violations={severity.label: count for severity, count in run.violations},
        rules={
            checks.rule.id: {"severity": checks.rule.severity.label, **counts}
            for checks in result.checks
            if (counts := {v.label: n for v in _COUNTED if (n := checks.count(v))})
        },
        account=result.source.account.id if result.source.account else "",
        filters=list(run.filters),
        judged=[checks.rule.id for checks in result.checks],
    )
    return msgspec.json.encode(line) + b"\n"


def run_of(line: bytes) -> PastRun | None:
    """Return the run in a line of the history; None if the line has none."""
    try:
        entry = msgspec.json.decode(line, type=_Line)
        judged_at = parse_timestamp(entry.judged_at)
        if entry.format != FORMAT or judged_at is None:
            return None
        return PastRun(
            judged_at=judged_at,
            outcome=Outcome(entry.outcome),
            full=entry.full,
            connections=entry.connections,
            violations=tuple((s, entry.violations.get(s.label, 0)) for s in Severity),
            errors=entry.counts.get(Verdict.ERROR.label, 0),
            waived=entry.counts.get(Verdict.WAIVED.label, 0),
            known=entry.counts.get(Verdict.KNOWN.label, 0),
            policies=tuple(policy.sha256 for policy in entry.policies),
            filters=tuple(entry.filters),
            by_rule=None
            if entry.judged is None
            else {rule: _failed(entry, rule) for rule in entry.judged},
            policy_names=tuple(printable(policy.name) for policy in entry.policies),
        )
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _failed(entry: _Line, rule: str) -> int:
    count = entry.rules.get(rule, {}).get(Verdict.FAIL.label, 0)
    if type(count) is not int:
        raise ValueError(f"{rule} failed {count} times")
    return count


def trend(before: Iterable[PastRun], run: PastRun) -> tuple[PastRun, ...]:
    """Return the last runs up to ``run``, oldest first with ``run`` last.

    Runs as of a later time are no part of it. Runs of the same time keep their order.
    """
    known = sorted((r for r in before if r.judged_at <= run.judged_at), key=lambda r: r.judged_at)
    return (*known, run)[-MOST_RUNS:]


# -- since when each finding is open --------------------------------------------------------------


class Open(msgspec.Struct, frozen=True):
    """Open findings, by rule and by connection or group, with the time since when.

    ``as_of`` is the latest time of judging that counted, ``base_url`` the account's API and
    ``account`` its id; "" if not known yet. Times are texts that sort chronologically.
    """

    since: Mapping[str, Mapping[str, str]] = msgspec.field(default_factory=dict)
    as_of: str = ""
    base_url: str = ""
    account: str = ""

    def times(self, rules: Iterable[str]) -> dict[str, dict[str, datetime]]:
        """Return the times of the open findings of ``rules``."""
        read: dict[str, datetime] = {}
        found: dict[str, dict[str, datetime]] = {}
        for rule in rules:
            names = self.since.get(rule, {})
            for time in set(names.values()) - read.keys():
                moment = parse_timestamp(time)
                assert moment is not None
                read[time] = moment
            found[rule] = {name: read[time] for name, time in names.items()}
        return found


def is_late(before: Open, result: Result) -> bool:
    """Whether ``result`` is as of an earlier time than ``before``, so that it changes nothing."""
    return _seconds(result.judged_at) < before.as_of


def still_open(before: Open, result: Result) -> Open:
    """Return the findings open after ``result``: of two times for one finding, the older counts.

    A run as of an earlier time than ``before`` opens and closes nothing, because what came later is
    known already.
    """
    now = _seconds(result.judged_at)
    late = is_late(before, result)
    known = result.listing.completeness is not Completeness.UNKNOWN
    whole = result.listing.complete and known and not result.source.filters
    index_of = {name: index for index, name in enumerate(result.connections.ids)}
    after = {rule: dict(names) for rule, names in before.since.items()}
    for checks in result.checks:
        names = after.setdefault(checks.rule.id, {})
        found = set(_found(checks, result.connections.ids))
        if not late:
            for name in [n for n in names if n not in found]:
                if _is_closed(checks, name, index_of, whole=whole):
                    del names[name]
        for name in found:
            if name in names:
                names[name] = min(names[name], now)
            elif not late:
                names[name] = now
    return Open(
        since={rule: names for rule, names in after.items() if names},
        as_of=max(now, before.as_of),
        base_url=result.source.base_url or before.base_url,
        account=result.source.account.id if result.source.account else before.account,
    )


def found_again(before: Open, result: Result) -> dict[str, frozenset[str]]:
    """Return what is open ``before`` ``result`` since the very time that it is as of, by rule.

    By its time alone it would be new: so is everything in a snapshot that is judged twice.
    """
    now = _seconds(result.judged_at)
    found = {
        rule: frozenset(name for name, time in names.items() if time == now)
        for rule, names in before.since.items()
    }
    return {rule: names for rule, names in found.items() if names}


def ended(before: Open, after: Open, result: Result) -> Iterator[Ended]:
    """Yield what was open ``before`` and is not ``after`` ``result``, by rule and then by name.

    A group is identified by its key, whatever its members: if the key is gone, it counts as judged.
    """
    schemas = dict(zip(result.connections.ids, result.connections.schemas, strict=True))
    for checks in result.checks:
        rule, is_group = checks.rule.id, bool(checks.rule.per)
        names = before.since.get(rule, {})
        for name in sorted(names.keys() - after.since.get(rule, {}).keys()):
            yield Ended(
                rule,
                name if is_group else schemas.get(name) or name,
                "" if is_group else name,
                gone=not is_group and name not in schemas,
                since=parse_timestamp(names[name]),
            )


def _found(checks: RuleChecks, ids: Iterable[str]) -> Iterator[str]:
    """Yield the connections and groups that a rule's findings are about."""
    if checks.rule.per:
        yield from (check.group for check in checks.groups if check.verdict in _FOUND)
        return
    column = list(ids)
    yield from (column[match.start()] for match in _FOUND_BYTES.finditer(checks.verdicts))


def _is_closed(checks: RuleChecks, name: str, index_of: Mapping[str, int], *, whole: bool) -> bool:
    """Whether a run without a finding there has judged it, or knows that it is gone."""
    if not checks.rule.per:
        return name in index_of or whole
    return any(check.group == name for check in checks.groups) or (
        whole and not any(check.verdict is Verdict.ERROR for check in checks.groups)
    )


class _OpenDocument(msgspec.Struct, frozen=True, omit_defaults=True):
    format: int
    as_of: str
    base_url: str
    #: By rule and time, the findings open since then.
    open: dict[str, dict[str, list[str]]]
    account: str = ""


def open_text(opened: Open) -> str:
    """Return ``opened`` as the text of its file; the same state gives the same text."""
    by_rule: dict[str, dict[str, list[str]]] = {}
    for rule, names in sorted(opened.since.items()):
        times = by_rule[rule] = {}
        for name, time in sorted(names.items(), key=lambda item: (item[1], item[0])):
            times.setdefault(time, []).append(name)
    document = _OpenDocument(FORMAT, opened.as_of, opened.base_url, by_rule, opened.account)
    return msgspec.json.encode(document).decode() + "\n"


def open_of(data: bytes) -> Open | None:
    """Return the open findings in the file's bytes; None if they cannot be read."""
    try:
        document = msgspec.json.decode(data, type=_OpenDocument)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    times = {time for found in document.open.values() for time in found} | {document.as_of}
    if document.format != FORMAT or None in map(parse_timestamp, times):
        return None
    since = {
        rule: {name: time for time, names in found.items() for name in names}
        for rule, found in document.open.items()
    }
    return Open(since, document.as_of, document.base_url, document.account)


def _seconds(moment: datetime) -> str:
    """Return a time that sorts as text: in UTC, to the second."""
    return iso(moment.astimezone(UTC).replace(microsecond=0))
