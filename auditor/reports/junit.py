"""JUnit XML: a suite a rule, a testcase a check, for the CI servers that show test results.

Valid against the XML schemas of Apache Ant and of Jenkins' xUnit plugin. They allow
``<properties>`` inside a suite only, want ``hostname`` and ``time`` on every suite, a timestamp
without a zone (UTC here), and ``<system-out>`` and ``<system-err>`` at the end of each.

A check that was skipped is counted in the suite's properties and makes no testcase. The first
suite is the listing: one testcase that is an error when the run is inconclusive, so that no
file looks green that is not.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC
from typing import NamedTuple

from auditor.model import Finding, Outcome, Result, Rule, RuleChecks, Verdict
from auditor.reports.facts import (
    UNFINISHED,
    acceptance,
    connections_in_words,
    facts,
    listing_in_words,
    sentences,
)
from auditor.text import plural

#: A rule with more passes than this has them rolled up into one testcase.
MOST_PASSES = 1000

_CHUNK = 500
_PASS = bytes([Verdict.PASS])
# Markup, line ends that a parser would change in an attribute, and all that XML 1.0 forbids
# (https://www.w3.org/TR/xml/#charsets).
_SPECIAL = re.compile("[^ !#-%'-;=?-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_RARE = re.compile("[^ -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LINE_ENDS = {"\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n'
_FOOT = "</testsuites>\n"


def render(result: Result) -> Iterator[str]:
    """Yield the report on ``result``."""
    stamp = result.judged_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    findings: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in result.findings:
        findings[finding.rule.id].append(finding)
    yield _HEAD
    yield _listing_suite(result, stamp)
    for number, checks in enumerate(result.checks, 1):
        yield from _suite(result, checks, findings[checks.rule.id], number, stamp)
    yield _FOOT


def placeholder(version: str) -> str:
    """Return a report of one testcase, an error that says the run did not finish."""
    return "".join(
        (
            _HEAD,
            _opening("listing", 0, "1970-01-01T00:00:00", tests=1, errors=1),
            _properties({"version": version, "outcome": Outcome.INCONCLUSIVE.value}),
            _case(
                "auditor.listing",
                "listing",
                _outcome("error", UNFINISHED, "incomplete", UNFINISHED),
            ),
            _CLOSING,
            _FOOT,
        )
    )


def escaped(text: str) -> str:
    """Return ``text`` for an attribute or a text node; what XML forbids becomes U+FFFD."""
    if _SPECIAL.search(text) is None:
        return text
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = text.replace('"', "&quot;")
    return _RARE.sub(lambda match: _LINE_ENDS.get(match[0], "\ufffd"), text)


# -- suites -------------------------------------------------------------------------------------


def _listing_suite(result: Result, stamp: str) -> str:
    listing, gate = result.listing, result.gate
    said = listing_in_words(result)
    good = listing.complete and gate.outcome is not Outcome.INCONCLUSIVE
    body = ""
    if not good:
        reasons = (*listing.problems, *gate.reasons)
        body = _outcome(
            "error",
            escaped(f"inconclusive: {sentences(reasons)}"),
            "inconclusive" if listing.complete else "incomplete",
            "\n".join(map(escaped, (said, *reasons))),
        )
    return "".join(
        (
            _opening("listing", 0, stamp, tests=1, errors=int(not good)),
            _properties(facts(result)),
            _case("auditor.listing", "listing", body),
            _CLOSING,
        )
    )


def _suite(
    result: Result, checks: RuleChecks, findings: list[Finding], number: int, stamp: str
) -> Iterator[str]:
    rule, counts = checks.rule, checks.counts
    passes, skips = counts[Verdict.PASS], counts[Verdict.SKIP]
    idle = skips == checks.total
    rolled = passes > MOST_PASSES and not checks.groups
    accepted = counts[Verdict.WAIVED] + counts[Verdict.KNOWN]
    yield _opening(
        rule.id,
        number,
        stamp,
        tests=checks.total - skips - (passes - 1 if rolled else 0) + idle,
        failures=counts[Verdict.FAIL],
        errors=counts[Verdict.ERROR],
        skipped=accepted + idle,
    )
    yield _properties(
        {
            "title": rule.title,
            "severity": rule.severity.label,
            "policy": str(rule.position),
            "checks": str(checks.total),
            **{verdict.label: str(count) for verdict, count in counts.items()},
        }
    )
    if idle:
        why = f"applied to nothing: {rule.skip_reason}"
        yield _case(rule.id, "applied to nothing", _skipped(why))
    elif checks.groups:
        yield from _group_cases(checks, findings)
    else:
        yield from _connection_cases(result, checks, findings, rolled=rolled)
    yield _CLOSING


def _connection_cases(
    result: Result, checks: RuleChecks, findings: list[Finding], *, rolled: bool
) -> Iterator[str]:
    rule, unique, shared = checks.rule, _Unique(), _shared(checks.rule)
    listed = result.connections
    classnames = {group: escaped(f"{rule.id}.{group}") for group in set(listed.group_ids)}
    for start in range(0, len(findings), _CHUNK):
        cases = []
        for finding in findings[start : start + _CHUNK]:
            connection = finding.connections[0]
            name = f"{connection.service}/{connection.schema} ({connection.id})"
            body = _body(finding.verdict, [finding], shared)
            cases.append(_case(classnames[connection.group_id], unique(escaped(name)), body))
        yield "".join(cases)
    if rolled:
        passed = plural(checks.count(Verdict.PASS), "connection")
        yield _case(rule.id, unique(f"{passed} passed"), "")
        return
    indices = _indices(checks.verdicts, _PASS)
    for start in range(0, len(indices), _CHUNK):
        cases = []
        for n in indices[start : start + _CHUNK]:
            name = f"{listed.services[n]}/{listed.schemas[n]} ({listed.ids[n]})"
            cases.append(_case(classnames[listed.group_ids[n]], unique(escaped(name)), ""))
        yield "".join(cases)


def _group_cases(checks: RuleChecks, findings: list[Finding]) -> Iterator[str]:
    rule, unique, shared = checks.rule, _Unique(), _shared(checks.rule)
    classname = escaped(f"{rule.id}.{'.'.join(rule.per)}")
    per_group: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        per_group[finding.group].append(finding)
    for check in checks.groups:
        if check.verdict is not Verdict.SKIP:
            body = _body(check.verdict, per_group[check.group], shared)
            yield _case(classname, unique(escaped(check.group or rule.id)), body)


class _Unique:
    """Gives each testcase of a suite a name of its own: a repeated one gets a number."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def __call__(self, name: str) -> str:
        taken, free, number = self._taken, name, 2
        while free in taken:
            free, number = f"{name} #{number}", number + 1
        taken.add(free)
        return free


def _indices(verdicts: bytes, wanted: bytes) -> list[int]:
    indices, position = [], verdicts.find(wanted)
    while position >= 0:
        indices.append(position)
        position = verdicts.find(wanted, position + 1)
    return indices


# -- what a testcase holds ------------------------------------------------------------------------


class _Shared(NamedTuple):
    """What all findings of a rule say, escaped once."""

    severity: str
    advice: str


def _shared(rule: Rule) -> _Shared:
    fix = f"fix: {escaped(rule.fix)}\n" if rule.fix else ""
    return _Shared(rule.severity.label, f"{fix}policy: {escaped(str(rule.position))}")


def _body(verdict: Verdict, findings: list[Finding], shared: _Shared) -> str:
    """Return the element inside a testcase."""
    if verdict is Verdict.PASS:
        return ""
    if verdict is Verdict.WAIVED or verdict is Verdict.KNOWN:
        return _skipped("; ".join(dict.fromkeys(map(acceptance, findings))) or verdict.label)
    element = "failure" if verdict is Verdict.FAIL else "error"
    message = escaped("; ".join([f.message for f in findings]) or f"came to {verdict.label}")
    lines = [message]
    for finding in findings:
        if finding.rule.per:
            about = (finding.message, *connections_in_words(finding))
            lines += [escaped(f"  {line}") for line in about]
        lines += [
            escaped(f"  {e.field}: {e.actual} (expected: {e.expected})") for e in finding.evidence
        ]
    lines.append(shared.advice)
    return _outcome(element, message, shared.severity, "\n".join(lines))


# -- elements -------------------------------------------------------------------------------------

_CLOSING = "<system-out/>\n<system-err/>\n</testsuite>\n"


def _opening(
    name: str,
    number: int,
    stamp: str,
    *,
    tests: int,
    failures: int = 0,
    errors: int = 0,
    skipped: int = 0,
) -> str:
    return (
        f'<testsuite name="{escaped(name)}" package="fivetran-auditor" id="{number}" '
        f'timestamp="{stamp}" hostname="localhost" tests="{tests}" failures="{failures}" '
        f'errors="{errors}" skipped="{skipped}" time="0">\n'
    )


def _properties(properties: Mapping[str, str]) -> str:
    rows = [
        f'<property name="{escaped(name)}" value="{escaped(value)}"/>\n'
        for name, value in properties.items()
    ]
    return f"<properties>\n{''.join(rows)}</properties>\n"


def _case(classname: str, name: str, body: str) -> str:
    """Return a testcase, of texts that are escaped already."""
    opening = f'<testcase classname="{classname}" name="{name}" time="0"'
    return f"{opening}>{body}</testcase>\n" if body else f"{opening}/>\n"


def _outcome(element: str, message: str, kind: str, text: str) -> str:
    """Return a failure or an error, of texts that are escaped already."""
    return f'<{element} message="{message}" type="{kind}">{text}</{element}>'


def _skipped(message: str) -> str:
    return f'<skipped message="{escaped(message)}"/>'
