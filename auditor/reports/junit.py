"""JUnit XML: one suite per rule, one testcase per check, for CI servers that show test results.

Valid against the XML schemas of Apache Ant and of Jenkins' xUnit plugin. They allow
``<properties>`` only inside a suite, and require ``hostname`` and ``time`` on every suite, a
timestamp without a zone (UTC here), and ``<system-out>`` and ``<system-err>`` at the end of each.

A check that was skipped is counted in the suite's properties and makes no testcase. The first
suite is the listing: one testcase that is an error when the run is inconclusive, so that no
file looks green that is not.

Some services cap the testcases of a file, so the report can be split: every part is a report of its
own, with its own counts and its own listing.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC
from functools import cache
from itertools import islice
from typing import NamedTuple

from auditor.model import (
    Connections,
    Finding,
    Outcome,
    Result,
    Rule,
    RuleChecks,
    RuleFindings,
    Verdict,
)
from auditor.reports.claim import let_through
from auditor.reports.facts import (
    UNFINISHED,
    acceptance,
    connections_in_words,
    facts,
    headline,
    listing_in_words,
    sentences,
)
from auditor.reports.links import rule_page
from auditor.text import plural

#: A rule with more passes than this has them summed up in one testcase.
MOST_PASSES = 1000

_CHUNK = 500
_PACKAGE = "fivetran-auditor"
MARK = f'package="{_PACKAGE}"'
_ELEMENTS = {
    Verdict.PASS: "",
    Verdict.FAIL: "failure",
    Verdict.ERROR: "error",
    Verdict.WAIVED: "skipped",
    Verdict.KNOWN: "skipped",
}
_PASS = bytes([Verdict.PASS])
_LINE_ENDS = {"\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n'
_FOOT = "</testsuites>\n"


def render(result: Result) -> Iterator[str]:
    """Yield the report on ``result``."""
    stamp = _stamp(result)
    yield _HEAD
    yield _listing_suite(result, stamp)
    for suite in _suites(result):
        yield _opening(suite.name, suite.number, stamp, suite.counts)
        yield suite.properties
        texts = (text for text, _ in suite.cases)
        while chunk := "".join(islice(texts, _CHUNK)):
            yield chunk
        yield _CLOSING
    yield _FOOT


def render_parts(result: Result, most: int) -> Iterator[tuple[int, Iterable[str]]]:
    """Yield the report on ``result`` as numbered parts of at most ``most`` testcases (2 or more).

    Names are unique across the parts, and each says *inconclusive* when the run is. The first part
    comes last: until it is written, its placeholder says that the run did not finish, however many
    other parts there are.
    """
    stamp, room = _stamp(result), most - 1
    parts = max(1, -(-sum(suite.counts.tests for suite in _suites(result)) // room))
    first: list[str] = []
    for number, pieces in enumerate(_filled(_suites(result), room), 1):
        chunks = [_HEAD, _listing_suite(result, stamp, (number, parts))]
        for piece in pieces:
            opening = _opening(piece.name, piece.number, stamp, piece.counts)
            chunks += [opening, piece.properties, *(text for text, _ in piece.cases), _CLOSING]
        chunks.append(_FOOT)
        if number == 1:
            first = chunks
        else:
            yield number, chunks
    yield 1, first


def placeholder(version: str) -> str:
    """Return a report of one testcase, an error that says the run did not finish."""
    return "".join(
        (
            _HEAD,
            _opening("listing", 0, "1970-01-01T00:00:00", _Counts(tests=1, errors=1)),
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


@cache
def _rare() -> re.Pattern[str]:
    """Return a pattern for line ends that a parser would change, and all that XML 1.0 forbids.

    From https://www.w3.org/TR/xml/#charsets. Compiling it takes 3 ms, and few reports need it.
    """
    return re.compile("[^ -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def escaped(text: str) -> str:
    """Return ``text`` for an attribute or a text node; what XML forbids becomes U+FFFD."""
    plain = "&" not in text and "<" not in text and ">" not in text and '"' not in text
    if plain and text.isprintable():
        return text
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = text.replace('"', "&quot;")
    if text.isprintable():  # Then there is nothing that XML forbids.
        return text
    return _rare().sub(lambda match: _LINE_ENDS.get(match[0], "\ufffd"), text)


# -- suites -------------------------------------------------------------------------------------

#: A testcase as text, and the name of the element inside it ("" for a pass).
_Case = tuple[str, str]


class _Counts(NamedTuple):
    """The counts that a suite states."""

    tests: int
    errors: int
    failures: int = 0
    skipped: int = 0


class _Suite(NamedTuple):
    """A suite, or the piece of one that fits in a part."""

    name: str
    number: int
    counts: _Counts
    properties: str
    cases: Iterable[_Case]


def _stamp(result: Result) -> str:
    return result.judged_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _listing_suite(result: Result, stamp: str, part: tuple[int, int] = (1, 1)) -> str:
    listing, gate = result.listing, result.gate
    number, parts = part
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
    about = {"part": f"{number} of {parts}"} if parts > 1 else {}
    name = "listing" if number == 1 else f"listing, part {number}"
    return "".join(
        (
            _opening("listing", 0, stamp, _Counts(tests=1, errors=int(not good))),
            _properties({**facts(result), **_group_names(result), **about}),
            _case("auditor.listing", name, body),
            _CLOSING,
        )
    )


def _suites(result: Result) -> Iterator[_Suite]:
    """Yield a suite per rule; its cases are made as they are read."""
    found = result.findings
    by_rule = {each.rule.id: each for each in found.by_rule}
    for number, checks in enumerate(result.checks, 1):
        none = RuleFindings(checks.rule, (), (), ())
        yield _suite(result, checks, by_rule.get(checks.rule.id, none), number)


def _suite(
    result: Result,
    checks: RuleChecks,
    findings: RuleFindings,
    number: int,
) -> _Suite:
    rule, counts = checks.rule, checks.counts
    passes, skips = counts[Verdict.PASS], counts[Verdict.SKIP]
    idle = skips == checks.total
    rolled = passes > MOST_PASSES and not checks.groups
    gates = rule.severity in result.gating
    if idle:
        cases: Iterable[_Case] = (_idle_case(checks),)
    elif checks.groups:
        connections = result.findings.connections
        rows = (findings.finding(row, connections) for row in range(len(findings)))
        cases = _group_cases(result, checks, rows)
    else:
        cases = _connection_cases(result, checks, findings, rolled=rolled)
    return _Suite(
        rule.id,
        number,
        _Counts(
            tests=checks.total - skips - (passes - 1 if rolled else 0) + idle,
            failures=counts[Verdict.FAIL] if gates else 0,
            errors=counts[Verdict.ERROR],
            skipped=counts[Verdict.WAIVED]
            + counts[Verdict.KNOWN]
            + idle
            + (0 if gates else counts[Verdict.FAIL]),
        ),
        _properties(
            {
                **_about(rule),
                "checks": str(checks.total),
                **{verdict.label: str(count) for verdict, count in counts.items()},
            }
        ),
        cases,
    )


def _about(rule: Rule) -> dict[str, str]:
    return {
        "title": rule.title,
        "severity": rule.severity.label,
        "policy": str(rule.position),
    }


def _filled(suites: Iterable[_Suite], room: int) -> Iterator[list[_Suite]]:
    """Yield the pieces of suites that fill one part after another, of ``room`` testcases each.

    There is at least one part. A rule's own counts are in its first piece only, so that a sum
    over all parts is right.
    """
    pieces: list[_Suite] = []
    free, is_first = room, True
    for suite in suites:
        cases, properties = iter(suite.cases), suite.properties
        while taken := list(islice(cases, free)):
            pieces.append(
                suite._replace(counts=_counted(taken), properties=properties, cases=taken)
            )
            properties, free = _properties({"continues": suite.name}), free - len(taken)
            if not free:
                yield pieces
                pieces, free, is_first = [], room, False
    if pieces or is_first:
        yield pieces


def _counted(cases: list[_Case]) -> _Counts:
    found = Counter(element for _, element in cases)
    return _Counts(len(cases), found["error"], found["failure"], found["skipped"])


def _idle_case(checks: RuleChecks) -> _Case:
    rule, why = checks.rule, f"applied to nothing: {checks.skip_reason}"
    return _case(rule.id, "applied to nothing", _skipped(why)), "skipped"


def _connection_cases(
    result: Result,
    checks: RuleChecks,
    findings: RuleFindings,
    *,
    rolled: bool,
) -> Iterator[_Case]:
    rule, unique, shared = checks.rule, _Unique(), _shared(checks.rule, result)
    listed, named = result.connections, result.findings.connections
    classnames = {group: escaped(f"{rule.id}.{group}") for group in set(listed.group_ids)}
    # Findings with the same statement share a text: each is escaped once.
    bodies = [
        (_body(said.verdict, [findings.saying(said)], shared), shared.elements[said.verdict])
        for said in findings.statements
    ]
    for place, says in zip(findings.about, findings.says, strict=True):
        assert isinstance(place, int)  # No rule on single connections is about several.
        body, element = bodies[says]
        name = unique(_name(named, place))
        yield _case(classnames[named.group_ids[place]], name, body), element
    if rolled:
        passed = plural(checks.count(Verdict.PASS), "connection")
        yield _case(rule.id, unique(f"{passed} passed"), ""), ""
        return
    for n in _indices(checks.verdicts, _PASS):
        yield _case(classnames[listed.group_ids[n]], unique(_name(listed, n)), ""), ""


def _name(of: Connections, place: int) -> str:
    """Return the name of a connection's testcase, escaped."""
    return escaped(f"{of.services[place]}/{of.schemas[place]} ({of.ids[place]})")


def _group_names(result: Result) -> dict[str, str]:
    """Return the names of the groups whose ids end class names."""
    names = result.connections.group_names
    shown = dict.fromkeys(result.connections.group_ids)
    return {f"group.{group_id}": names[group_id] for group_id in shown if group_id in names}


def _group_cases(
    result: Result, checks: RuleChecks, findings: Iterable[Finding]
) -> Iterator[_Case]:
    rule, unique, shared = checks.rule, _Unique(), _shared(checks.rule, result)
    classname = escaped(f"{rule.id}.{'.'.join(rule.per)}")
    per_group: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        per_group[finding.group].append(finding)
    for check in checks.groups:
        if check.verdict is not Verdict.SKIP:
            body = _body(check.verdict, per_group[check.group], shared)
            text = _case(classname, unique(escaped(check.group or rule.id)), body)
            yield text, shared.elements[check.verdict]


class _Unique:
    """Gives each testcase of a suite a name of its own: a repeated one gets a number."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def __call__(self, name: str) -> str:
        taken, free, number = self._taken, name, 2
        if name not in taken:  # As nearly all are.
            taken.add(name)
            return name
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
    where: tuple[str, ...]
    elements: Mapping[Verdict, str]
    result: Result


def _shared(rule: Rule, result: Result) -> _Shared:
    elements = dict(_ELEMENTS)
    if rule.severity not in result.gating:
        elements[Verdict.FAIL] = "skipped"
    where = {"policy": str(rule.position), "more": rule_page(result, rule)}
    lines = tuple(f"{name}: {escaped(text)}" for name, text in where.items() if text)
    return _Shared(rule.severity.label, lines, elements, result)


def _body(verdict: Verdict, findings: list[Finding], shared: _Shared) -> str:
    """Return the element inside a testcase."""
    if verdict is Verdict.PASS:
        return ""
    if verdict is Verdict.WAIVED or verdict is Verdict.KNOWN:
        return _skipped("; ".join(dict.fromkeys(map(acceptance, findings))))
    if shared.elements[verdict] == "skipped":
        reasons = dict.fromkeys(let_through(finding, shared.result) for finding in findings)
        texts = "; ".join(map(headline, findings))
        return _skipped(f"{'; '.join(reasons)}: {texts}")
    message = escaped("; ".join(map(headline, findings)))
    lines = [message]
    for finding in findings:
        if finding.rule.per:
            about = (headline(finding), *connections_in_words(finding))
            lines += [escaped(f"  {line}") for line in about]
        lines += [
            escaped(f"  {e.field}: {e.actual} (expected: {e.expected})") for e in finding.evidence
        ]
    fixes = dict.fromkeys(finding.fix for finding in findings if finding.fix)
    lines += [f"fix: {escaped(fix)}" for fix in fixes]
    lines += shared.where
    return _outcome(shared.elements[verdict], message, shared.severity, "\n".join(lines))


# -- elements -------------------------------------------------------------------------------------

_CLOSING = "<system-out/>\n<system-err/>\n</testsuite>\n"


def _opening(name: str, number: int, stamp: str, counts: _Counts) -> str:
    return (
        f'<testsuite name="{escaped(name)}" package="{_PACKAGE}" id="{number}" '
        f'timestamp="{stamp}" hostname="localhost" tests="{counts.tests}" '
        f'failures="{counts.failures}" errors="{counts.errors}" skipped="{counts.skipped}" '
        'time="0">\n'
    )


def _properties(properties: Mapping[str, str]) -> str:
    rows = [
        f'<property name="{escaped(name)}" value="{escaped(value)}"/>\n'
        for name, value in properties.items()
    ]
    return f"<properties>\n{''.join(rows)}</properties>\n"


def _case(classname: str, name: str, body: str) -> str:
    """Return a testcase, from texts that are already escaped."""
    if not body:
        return f'<testcase classname="{classname}" name="{name}" time="0"/>\n'
    return f'<testcase classname="{classname}" name="{name}" time="0">{body}</testcase>\n'


def _outcome(element: str, message: str, kind: str, text: str) -> str:
    """Return a failure or an error, from texts that are already escaped."""
    return f'<{element} message="{message}" type="{kind}">{text}</{element}>'


def _skipped(message: str) -> str:
    # Azure Pipelines and Jenkins read the attribute, GitLab the text.
    text = escaped(message)
    return f'<skipped message="{text}">{text}</skipped>'
