"""The JSON report: everything a run knows, for programs; ``compare`` and ``--baseline`` read it.

The document is versioned and described by the JSON Schema in ``report.schema.json``, beside this
module. It says what was judged, not just what was found: ``connections`` holds the identities as
columns, and a rule's ``verdicts`` has one letter per connection, in their order. Each finding and
each rule takes one line, so that two reports can be compared line by line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from auditor.clock import iso
from auditor.model import (
    BaselineUse,
    Completeness,
    Connection,
    Connections,
    Evidence,
    FactsInfo,
    Finding,
    Gate,
    History,
    Listing,
    Outcome,
    Part,
    Pipeline,
    PlanScope,
    PolicyFile,
    Position,
    Resource,
    Result,
    RuleChecks,
    Verdict,
    WaiverUse,
    places_of,
)
from auditor.reports.claim import claim
from auditor.reports.fingerprint import fingerprint_of
from auditor.reports.json_text import json_lines, json_text
from auditor.reports.links import addresses, rule_page

#: Grows by a minor step when something is added, by a major one when something changes.
SCHEMA_VERSION = "1.4"
MARK = r'\A\{\n"schema_version": .*\n"tool": \{"name":"fivetran-auditor"'
#: The letter for a verdict in a rule's ``verdicts``.
LETTERS = {verdict: verdict.label[0] for verdict in Verdict}

_SLICE = 10_000
_TO_LETTERS = bytes.maketrans(bytes(LETTERS), "".join(LETTERS.values()).encode())
_Object = dict[str, Any]


def render(result: Result) -> Iterator[str]:
    """Yield the report on ``result``."""
    yield from _document(
        _head(
            version=result.version,
            judged_at=iso(result.judged_at),
            clock_note=result.clock_note,
            source=_source(result),
            listing=_listing(result.listing),
            policies=[_policy(policy) for policy in result.policies],
            **({"facts": [_facts(each) for each in result.facts]} if result.facts else {}),
            gate=_gate(result.gate),
            claim=claim(result).sentence,
            counts=_counts(result.counts, result.total),
            left_out=result.left_out,
            **({"notes": result.notes} if result.notes else {}),
            accepted=result.accepted,
            waivers=[_waiver(use) for use in result.waivers],
            baseline=_baseline(result.baseline) if result.baseline is not None else None,
            warnings=result.warnings,
            idle_rules=[rule.id for rule in result.idle_rules],
            **({"plan": _plan(result, result.plan)} if result.plan is not None else {}),
            **({"history": _history(result.history)} if result.history is not None else {}),
            **({"groups": groups} if (groups := _groups(result)) else {}),
            **({"part": _part(result.part)} if result.part is not None else {}),
        ),
        result.connections,
        (_rule(checks, rule_page(result, checks.rule)) for checks in result.checks),
        _found(result),
    )


def to_json(result: Result) -> str:
    """Return the JSON document of ``result``, as ``report.json`` holds it."""
    return "".join(render(result))


def placeholder(version: str) -> str:
    """Return a report, of the same schema, that says the run did not finish."""
    unfinished = "the run did not finish"
    nothing = dict.fromkeys(Verdict, 0)
    head = _head(
        version=version,
        judged_at=None,
        clock_note="",
        source=None,
        listing=_listing(Listing(Completeness.INCOMPLETE, 0, 0, 0, (unfinished,))),
        policies=[],
        gate=_gate(Gate(Outcome.INCONCLUSIVE, 3, None, (unfinished,))),
        counts=_counts(nothing, 0),
        left_out=(),
        accepted=(),
        waivers=[],
        baseline=None,
        warnings=(),
        idle_rules=[],
    )
    return "".join(_document(head, Connections((), (), (), ()), (), ()))


# -- the document ---------------------------------------------------------------------------------


def _head(*, version: str, **rest: object) -> _Object:
    tool = {"name": "fivetran-auditor", "version": version}
    return {"schema_version": SCHEMA_VERSION, "tool": tool, **rest}


def _document(
    head: _Object,
    connections: Connections,
    rules: Iterable[_Object],
    findings: Iterable[object],
) -> Iterator[str]:
    yield "{\n"
    for name, value in head.items():
        yield f"{json_text(name)}: {json_text(value)},\n"
    yield '"connections": {'
    yield from _column("id", connections.ids)
    yield ","
    yield from _column("service", connections.services)
    yield ","
    yield from _column("schema", connections.schemas)
    yield ","
    yield from _column("group_id", connections.group_ids)
    if connections.dimensions:
        yield ',"dimensions": ['
        for number, (name, values) in enumerate(connections.dimensions.items()):
            yield f'{"," if number else ""}{{"name": {json_text(name)},'
            yield from _column("values", values)
            yield "}"
        yield "]"
    yield '},\n"rules": ['
    # A rule's line has a letter per connection: one line at a time is enough.
    yield from json_lines(rules, at_once=1)
    yield '],\n"findings": ['
    yield from json_lines(findings)
    yield "]\n}\n"


def _column(name: str, values: Sequence[str]) -> Iterator[str]:
    """Yield a column in pieces: a million connections are never one string."""
    yield f'"{name}": ['
    for start in range(0, len(values), _SLICE):
        piece = json_text(list(values[start : start + _SLICE]))[1:-1]
        yield f",{piece}" if start else piece
    yield "]"


# -- its parts -----------------------------------------------------------------------------------


def _source(result: Result) -> _Object:
    source, account = result.source, result.source.account
    return {
        "kind": source.kind,
        "location": source.location,
        "base_url": source.base_url,
        "filters": [{"name": name, "value": value} for name, value in source.filters],
        **({"account": {"id": account.id, "name": account.name}} if account else {}),
        **_pipeline(result.pipeline),
    }


def _pipeline(pipeline: Pipeline | None) -> _Object:
    """Return the CI run, as far as it is known."""
    if pipeline is None:
        return {}
    return {"pipeline": {"url": pipeline.url, "commit": pipeline.commit}}


def _listing(listing: Listing) -> _Object:
    return {
        "completeness": listing.completeness.name.lower(),
        "complete": listing.complete,
        "description": listing.completeness.value,
        "pages": listing.pages,
        "connections": listing.connections,
        "walks": listing.walks,
        "problems": listing.problems,
        "warnings": listing.warnings,
    }


def _policy(policy: PolicyFile) -> _Object:
    return {
        "name": policy.name,
        "title": policy.title,
        "file": policy.file,
        "sha256": policy.sha256,
    }


def _groups(result: Result) -> list[_Object]:
    names = result.connections.group_names
    return [{"id": group_id, "name": name} for group_id, name in names.items()]


def _facts(facts: FactsInfo) -> _Object:
    return {
        "name": facts.name,
        "origin": facts.origin,
        "rows": facts.rows,
        "sha256": facts.sha256,
        "problem": facts.problem,
    }


def _gate(gate: Gate) -> _Object:
    return {
        "outcome": gate.outcome.value,
        "exit_code": gate.exit_code,
        "fail_on": gate.fail_on.label if gate.fail_on else None,
        "limits": {severity.label: most for severity, most in gate.limits},
        "reasons": gate.reasons,
    }


def _waiver(use: WaiverUse) -> _Object:
    return {
        "rule": use.rule,
        "position": _position(use.position),
        "reason": use.reason,
        "owner": use.owner,
        "expires": iso(use.expires),
        "while": use.accepts,
        "expired": use.expired,
        "matched": use.matched,
        "void": use.void,
        "covered": use.covered,
    }


def _baseline(use: BaselineUse) -> _Object:
    return {
        "file": use.file,
        "judged_at": iso(use.judged_at),
        "known": use.known,
        "raised": use.raised,
        "new": use.new,
        "fixed": use.fixed,
        "gone": use.gone,
        "waived": use.waived,
        "untold": use.untold,
    }


def _counts(counts: Mapping[Verdict, int], total: int) -> _Object:
    return {"checks": total, **{verdict.label: counts[verdict] for verdict in Verdict}}


def _position(position: Position) -> _Object:
    return {"file": position.file, "line": position.line, "column": position.column}


def _rule(checks: RuleChecks, page: str) -> _Object:
    rule = checks.rule
    judged: _Object = (
        {"groups": [{"group": g.group, "verdict": g.verdict.label} for g in checks.groups]}
        if rule.per
        else {"verdicts": checks.verdicts.translate(_TO_LETTERS).decode()}
    )
    return {
        "id": rule.id,
        "title": rule.title,
        "severity": rule.severity.label,
        "policy": rule.policy,
        "position": _position(rule.position),
        "expects": rule.expects,
        "applies_when": rule.applies_when,
        "why": rule.why,
        "fix": rule.fix,
        **({"url": page} if page else {}),
        "tags": rule.tags,
        "controls": [{"framework": name, "ids": ids} for name, ids in rule.controls],
        "per": rule.per,
        "reads": rule.reads,
        "waivable": rule.waivable,
        "max_waiver": None if rule.max_waiver is None else int(rule.max_waiver.total_seconds()),
        "counts": _counts(checks.counts, checks.total),
        **({"not_in_plan": checks.not_in_plan} if checks.not_in_plan else {}),
        **({"left_unknown": checks.left_unknown} if checks.left_unknown else {}),
        **judged,
    }


def _history(history: History) -> _Object:
    return {
        "runs": [
            {
                "judged_at": iso(run.judged_at),
                "outcome": run.outcome.value,
                "full": run.full,
                "connections": run.connections,
                "violations": {severity.label: count for severity, count in run.violations},
                "error": run.errors,
                "waived": run.waived,
                "known": run.known,
                "policies": run.policies,
            }
            for run in history.runs
        ]
    }


def _part(part: Part) -> _Object:
    return {
        "dimension": part.dimension,
        "value": part.value,
        "connections": part.listed,
        "outcome": part.whole.outcome.value,
        "exit_code": part.whole.exit_code,
    }


def _plan(result: Result, plan: PlanScope) -> _Object:
    return {
        "touched": plan.touched,
        "over": plan.over,
        "nothing": plan.nothing,
        "not_in_plan": result.not_in_plan,
        "unplanned_rules": [rule.id for rule in result.unplanned_rules],
        "mended": plan.mended,
        "improved": plan.improved,
    }


class _Found(msgspec.Struct, gc=False):
    """A finding as in the document.

    ``open_since`` is left out without a history, ``url`` if the API is not Fivetran's own.
    """

    fingerprint: str
    rule: str
    severity: str
    position: _Object
    verdict: str
    connections: tuple[Connection, ...]
    group: str
    message: str
    evidence: tuple[Evidence, ...]
    fix: str
    note: str
    resources: tuple[Resource, ...] | msgspec.UnsetType
    open_since: str | msgspec.UnsetType
    url: str | msgspec.UnsetType


def _found(result: Result) -> Iterator[_Found]:
    """Yield every finding; what the findings of a rule share is made once."""
    labels = {verdict: verdict.label for verdict in Verdict}
    history, connections = result.history, result.findings.connections
    for each in result.findings.by_rule:
        rule = each.rule
        severity, position = rule.severity.label, _position(rule.position)
        address = addresses(result, rule)
        fixes = [each.saying(said).fix for said in each.statements]
        for row, (places, says) in enumerate(zip(each.about, each.says, strict=True)):
            said = each.statements[says]
            about = tuple([connections[place] for place in places_of(places)])
            yield _Found(
                fingerprint_of(rule, said.group, about),
                rule.id,
                severity,
                position,
                labels[said.verdict],
                about,
                said.group,
                said.message,
                said.evidence,
                fixes[says],
                said.note,
                said.resources or msgspec.UNSET,
                msgspec.UNSET
                if history is None
                else _open_since(each.finding(row, connections), history),
                (address(about[0]) if len(about) == 1 else "") or msgspec.UNSET,
            )


def _open_since(finding: Finding, history: History) -> str | msgspec.UnsetType:
    since = history.since(finding)
    return iso(since) if since is not None else msgspec.UNSET
