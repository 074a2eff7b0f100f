"""SARIF 2.1.0, for code scanning.

A result points at the rule's line in the policy file, which a repository holds, and names the
connection as a logical location. The rule of a shipped pack is in no file of the repository:
its result points at the line that overrides it or extends the pack, and where there is none, into
the packs, which have a base of their own.

What does not gate is not an open alert: it is left out and counted. An inconclusive run has a
result that says so; otherwise it would close the alerts of earlier runs; a narrowed run has a
category of its own for the same reason. Fingerprints have only our own name: a host makes its own
hash of the line, and warns about one that differs. GitHub takes at most 25,000 results of a run and
20 tags of a rule (GitHub's documentation, "SARIF results exceed one or more limits").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import chain
from typing import Any
from urllib.parse import quote

from auditor.errors import Problem
from auditor.model import (
    PACK,
    Checkout,
    Finding,
    Outcome,
    Position,
    Resource,
    Result,
    Rule,
    Severity,
    Verdict,
)
from auditor.reports.claim import is_open, let_through
from auditor.reports.facts import (
    MOST_CONNECTIONS,
    UNFINISHED,
    acceptance,
    facts,
    headline,
    is_accepted,
    repository_path,
    sentences,
    spot,
    written_at,
)
from auditor.reports.fingerprint import fingerprint
from auditor.reports.json_text import json_lines, json_text
from auditor.reports.links import rule_page
from auditor.text import plural
from auditor.version import __version__

MOST_RESULTS = 25_000
MARK = r'"tool": \{"driver":\{"name":"fivetran-auditor"'

# GitHub rejects a file in which a rule has more tags, and shows ten.
_MOST_TAGS = 20
_PACKS = "PACKS"
_CATEGORY = "fivetran-auditor"
# The file in which a repository names packs; a host wants a file for every result.
_DEFAULTS = "auditor.yaml"
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {
    Severity.LOW: "note",
    Severity.MEDIUM: "warning",
    Severity.HIGH: "error",
    Severity.CRITICAL: "error",
}
# GitHub derives its four severities from a score like that of CVSS.
_SCORES = {
    Severity.LOW: "3.0",
    Severity.MEDIUM: "5.0",
    Severity.HIGH: "8.0",
    Severity.CRITICAL: "9.5",
}
_NOWHERE = Checkout()
_Object = dict[str, Any]


def render(result: Result) -> Iterator[str]:
    """Yield the report on ``result``: its open findings."""
    return _rendered(result, suppressed=False)


def render_suppressed(result: Result) -> Iterator[str]:
    """Yield the report with what does not gate as suppressed results, each with its reason.

    For a reader that knows suppressions; a host that does not would open an alert for each.
    """
    return _rendered(result, suppressed=True)


def _rendered(result: Result, *, suppressed: bool) -> Iterator[str]:
    inconclusive = result.gate.outcome is Outcome.INCONCLUSIVE
    waiting = [finding for finding in result.findings if is_open(finding, result)]
    shown = waiting[: MOST_RESULTS - inconclusive]
    if suppressed:
        closed = [finding for finding in result.findings if not is_open(finding, result)]
        shown += closed[: MOST_RESULTS - inconclusive - len(shown)]
    numbers = {checks.rule.id: number for number, checks in enumerate(result.checks)}
    notes = _notes(result, len(waiting), len(shown), suppressed=suppressed)
    rules = [_rule(rule, rule_page(result, rule)) for rule in result.rules]
    run = {
        "tool": _tool(result.version, [*rules, *([_INCONCLUSIVE] if inconclusive else [])]),
        "automationDetails": {"id": _category(result)},
        "invocations": [
            {
                "executionSuccessful": not inconclusive,
                "exitCode": result.gate.exit_code,
                "toolExecutionNotifications": notes,
            }
        ],
        "columnKind": "unicodeCodePoints",
        "properties": {**facts(result), "findings": len(result.findings), "shown": len(shown)},
    }
    if any(rule.position.in_pack for rule in result.rules):
        packs = {"description": {"text": "the packs that fivetran-auditor ships"}}
        run["originalUriBaseIds"] = {_PACKS: packs}
    place, reasons = result.checkout, sentences(result.gate.reasons)
    results = (
        {**_result(finding, numbers[finding.rule.id], place), **_suppressions(finding, result)}
        for finding in shown
    )
    doubt = [_doubt(reasons, len(rules), place)] if inconclusive else []
    yield from _log(run, chain(doubt, results))


def placeholder(version: str) -> str:
    """Return a log of a run that was not successful: its one result says so."""
    run = {
        "tool": _tool(version, [_INCONCLUSIVE]),
        "automationDetails": {"id": f"{_CATEGORY}/"},
        "invocations": [
            {
                "executionSuccessful": False,
                "toolExecutionNotifications": [_note("error", UNFINISHED)],
            }
        ],
    }
    return "".join(_log(run, iter([_doubt(UNFINISHED, 0)])))


def render_problems(problems: Sequence[Problem]) -> Iterator[str]:
    """Yield a log of the problems in policy files, for a pull request that changes them."""
    run = {
        "tool": _tool(__version__, [_PROBLEM_RULE]),
        "invocations": [{"executionSuccessful": True}],
        "columnKind": "unicodeCodePoints",
    }
    yield from _log(run, map(_problem, problems))


def relative_uri(file: str, checkout: Checkout = _NOWHERE) -> str:
    """Return a policy file's path as a relative, percent-encoded URI.

    Nothing in it can be a scheme, a host or a way up: a viewer resolves it in the repository.
    """
    return quote(repository_path(file, checkout), errors="replace")


def _log(run: _Object, results: Iterator[_Object]) -> Iterator[str]:
    yield f'{{"$schema": {json_text(_SCHEMA)}, "version": "2.1.0", "runs": [{{\n'
    for name, value in run.items():
        yield f"{json_text(name)}: {json_text(value)},\n"
    yield '"results": ['
    yield from json_lines(results)
    yield "]\n}]}\n"


def _tool(version: str, rules: list[_Object]) -> _Object:
    return {"driver": {"name": "fivetran-auditor", "version": version, "rules": rules}}


def _notes(result: Result, waiting: int, shown: int, *, suppressed: bool) -> list[_Object]:
    """Return what a reader needs to know before trusting the results."""
    bad = result.gate.outcome is Outcome.INCONCLUSIVE
    notes = [_note("error", f"inconclusive: {reason}") for reason in result.gate.reasons if bad]
    notes += [_note("error", problem) for problem in result.listing.problems]
    notes += [_note("warning", text) for text in (*result.listing.warnings, *result.warnings)]
    notes += [_note("note", text) for text in (*result.left_out, *result.notes, *result.accepted)]
    total = len(result.findings)
    if suppressed:
        if shown < total:
            note = f"{shown:,} of {total:,} findings, open ones and severest first"
            notes.append(_note("warning", note))
        return notes
    if closed := total - waiting:
        notes.append(_note("note", f"{plural(closed, 'finding')} accepted or allowed: no alerts"))
    if shown < waiting:
        notes.append(_note("warning", f"{shown:,} of {waiting:,} open findings, severest first"))
    return notes


def _note(level: str, text: str) -> _Object:
    return {"level": level, "message": _message(text)}


def _message(text: str) -> _Object:
    # SARIF reads [text](target) in a message as a link.
    return {"text": text.replace("](", "] (")}


def _rule(rule: Rule, page: str) -> _Object:
    described: _Object = {
        "id": rule.id,
        "shortDescription": _message(rule.title or rule.id),
        "fullDescription": _message(rule.why or rule.expects),
        "help": _message(rule.fix or rule.expects),
        **({"helpUri": page} if page else {}),
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {
            "severity": rule.severity.label,
            "security-severity": _SCORES[rule.severity],
            "expects": rule.expects,
            "policy": str(rule.position),
        },
    }
    # The schema wants distinct tags.
    if tags := list(dict.fromkeys(rule.tags))[:_MOST_TAGS]:
        described["properties"]["tags"] = tags
    return described


def _result(finding: Finding, number: int, checkout: Checkout) -> _Object:
    rule, identity = finding.rule, fingerprint(finding)
    position = written_at(finding)
    own = spot(rule) or rule.position
    own = own if position != own else rule.position
    return {
        "ruleId": rule.id,
        "ruleIndex": number,
        "level": "error" if finding.verdict is Verdict.ERROR else _LEVELS[rule.severity],
        "message": _message(headline(finding)),
        "locations": [
            {
                "physicalLocation": _place(position or rule.position, checkout),
                "logicalLocations": [
                    {
                        "name": c.id,
                        "fullyQualifiedName": f"{c.group_id}/{c.service}/{c.schema} ({c.id})",
                        "kind": "resource",
                    }
                    for c in finding.connections[:MOST_CONNECTIONS]
                ]
                + [
                    {"name": r.address, "fullyQualifiedName": r.address, "kind": "resource"}
                    for r in finding.resources[:MOST_CONNECTIONS]
                ],
            }
        ],
        **(
            {"relatedLocations": [_of_rule(rule, own, checkout)]}
            if position and position != rule.position
            else {}
        ),
        "fingerprints": {"fivetranAuditor/v1": identity},
        "partialFingerprints": {"fivetranAuditor/v1": identity},
        "properties": {
            "verdict": finding.verdict.label,
            "severity": rule.severity.label,
            "group": finding.group,
            "connections": len(finding.connections),
            "evidence": [
                {"field": e.field, "actual": e.actual, "expected": e.expected}
                for e in finding.evidence
            ],
            "fix": finding.fix,
            **(
                {"terraform": [_resource(r) for r in finding.resources]}
                if finding.resources
                else {}
            ),
        },
    }


def _suppressions(finding: Finding, result: Result) -> _Object:
    """Return why a finding is not an open alert; nothing if it is one.

    A person has accepted waived and known findings; the rest are allowed by the run's options.
    """
    if is_open(finding, result):
        return {}
    why = acceptance(finding) if is_accepted(finding) else let_through(finding, result)
    return {"suppressions": [{"kind": "external", "status": "accepted", "justification": why}]}


#: The rule of the one result that says a run was inconclusive: without it, a run that saw nothing
#: would close the alerts of the runs before.
_INCONCLUSIVE: _Object = {
    "id": "inconclusive",
    "shortDescription": {"text": "The audit was inconclusive"},
    "fullDescription": {
        "text": "Not everything could be judged: alerts that are gone may be open."
    },
    "help": {"text": "Fix what the result names, and audit again."},
    "defaultConfiguration": {"level": "error"},
}


def _doubt(text: str, number: int, checkout: Checkout = _NOWHERE) -> _Object:
    """Return the result of an inconclusive run; it points at no line, as none is to blame."""
    return {
        "ruleId": _INCONCLUSIVE["id"],
        "ruleIndex": number,
        "level": "error",
        "message": _message(f"inconclusive: {text}"),
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": relative_uri(_DEFAULTS, checkout)},
                    "region": {"startLine": 1, "startColumn": 1},
                }
            }
        ],
        "fingerprints": {"fivetranAuditor/v1": _INCONCLUSIVE["id"]},
        "partialFingerprints": {"fivetranAuditor/v1": _INCONCLUSIVE["id"]},
    }


def _category(result: Result) -> str:
    """Return the category of a run: alerts are compared within one.

    A narrowed run has its own; otherwise it would close the alerts of what it left out.
    """
    if result.plan is not None:
        # A plan's alerts are not an account's: each would close the other's.
        return f"{_CATEGORY}/plan/"
    if not result.narrowed_by:
        return f"{_CATEGORY}/"
    chosen = sha256("\0".join(result.narrowed_by).encode()).hexdigest()[:12]
    return f"{_CATEGORY}/narrowed-{chosen}/"


_PROBLEM_RULE: _Object = {
    "id": "policy-problem",
    "shortDescription": {"text": "A policy file has a problem"},
    "help": {"text": "Nothing runs with a policy that has an error."},
}


def _problem(problem: Problem) -> _Object:
    hint = f" ({problem.hint})" if problem.hint else ""
    return {
        "ruleId": _PROBLEM_RULE["id"],
        "ruleIndex": 0,
        "level": "warning" if problem.warning else "error",
        "message": _message(f"{problem.message}{hint}"),
        "locations": [{"physicalLocation": _place(problem.position)}],
    }


def _place(position: Position, checkout: Checkout = _NOWHERE) -> _Object:
    uri = {"uri": relative_uri(position.file, checkout)}
    if position.in_pack:
        # With a base of its own, so that nobody looks for it in the repository.
        uri = {"uri": f"{relative_uri(position.file.removeprefix(PACK))}.yaml", "uriBaseId": _PACKS}
    return {
        "artifactLocation": uri,
        "region": {"startLine": position.line, "startColumn": position.column},
    }


def _of_rule(rule: Rule, position: Position, checkout: Checkout) -> _Object:
    """Return the position of a rule, for a result that points at another line."""
    text = f"{rule.id} is in {position.file}"
    return {"physicalLocation": _place(position, checkout), "message": _message(text)}


def _resource(resource: Resource) -> _Object:
    """Return a plan's resource, and what to change in it."""
    return {
        "address": resource.address,
        "action": resource.action,
        "attributes": [str(attribute) for attribute in resource.attributes],
    }
