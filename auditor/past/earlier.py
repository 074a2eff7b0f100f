"""Reading reports of earlier runs, for ``--baseline`` and ``compare``.

Only our own JSON report is read, in the major version that this tool writes. Members added by a
later minor version are ignored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from auditor.clock import parse_timestamp
from auditor.errors import UsageError
from auditor.files import read_file
from auditor.model import (
    Account,
    Completeness,
    Connection,
    Connections,
    Evidence,
    GroupCheck,
    Outcome,
    PolicyFile,
    Result,
    Rule,
    Severity,
    SourceInfo,
    Verdict,
)
from auditor.text import one_line, plural

#: The verdicts of a check that is no finding.
NOTHING_FOUND = frozenset({Verdict.PASS, Verdict.SKIP})
#: The major version of the documents that are read.
MAJOR = 1
_TOOL = "fivetran-auditor"
_T = TypeVar("_T")
_MAX_BYTES = 2 << 30
_SEVERITIES = {severity.label: severity for severity in Severity}
_VERDICTS = {verdict.label: verdict for verdict in Verdict}
_LETTERS = {verdict.label[0]: verdict for verdict in Verdict}
_TO_BYTES = {ord(letter): verdict.value for letter, verdict in _LETTERS.items()}


class EarlierRule(msgspec.Struct, frozen=True):
    """A rule as it was then, and its checks: ``verdicts`` has a byte per connection.

    A ``per`` rule has its checks in ``groups`` instead, as in ``model.RuleChecks``. The rest is its
    text and the fields it reads, empty if the report does not say.
    """

    id: str
    title: str
    severity: Severity
    per: tuple[str, ...]
    verdicts: bytes
    groups: tuple[GroupCheck, ...]
    policy: str = ""
    position: str = ""
    expects: str = ""
    applies_when: str = ""
    why: str = ""
    fix: str = ""
    tags: tuple[str, ...] = ()
    controls: tuple[tuple[str, tuple[str, ...]], ...] = ()
    reads: tuple[str, ...] = ()

    url: str = ""

    def was_changed(self, later: Rule | EarlierRule) -> bool:
        """Whether ``later``, of the same id, expects or applies to something else in its words.

        So does a rule that has other groups.
        """
        if not self.expects or not later.expects:
            return False  # Older reports do not say.
        said = (self.expects, self.applies_when, self.per)
        return said != (later.expects, later.applies_when, later.per)


class EarlierFinding(msgspec.Struct, frozen=True):
    """A finding as it was then; the members are those of ``model.Finding``."""

    rule: str
    severity: Severity
    verdict: Verdict
    connections: tuple[Connection, ...]
    group: str
    message: str
    note: str
    evidence: tuple[Evidence, ...]


class EarlierReport(msgspec.Struct, frozen=True):
    """What an earlier run judged and found.

    ``name`` is the file as the user named it. If that run did not finish, ``judged_at`` is None and
    ``source`` has no kind. ``whole`` says that it listed all connections of the account.
    """

    name: str
    version: str
    judged_at: datetime | None
    source: SourceInfo
    outcome: Outcome
    exit_code: int
    reasons: tuple[str, ...]
    left_out: tuple[str, ...]
    policies: tuple[PolicyFile, ...]
    connections: Connections
    rules: tuple[EarlierRule, ...]
    findings: tuple[EarlierFinding, ...]
    whole: bool

    @property
    def conclusive(self) -> bool:
        """Whether that run judged everything there was to judge."""
        return self.judged_at is not None and self.outcome is not Outcome.INCONCLUSIVE


def read_report(path: Path | str) -> EarlierReport:
    """Return the JSON report at ``path``. Raises UsageError for any other file."""
    name = str(path)
    try:
        size = Path(path).stat().st_size
        if size > _MAX_BYTES:
            raise UsageError(f"{name}: over {_MAX_BYTES:,} bytes is not a report of this tool")
        data = read_file(path, _MAX_BYTES)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{name}: cannot be read: {reason}") from error
    return parse_report(data, name)


def parse_report(data: bytes, name: str) -> EarlierReport:
    """Return the JSON report in ``data``, which messages call ``name``. Raises UsageError."""
    try:
        head = msgspec.json.decode(data, type=_Head)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise UsageError(
            f"{name}: not a JSON report of {_TOOL} ({one_line(str(error))}); write one with"
            " --report json"
        ) from error
    if head.tool.name != _TOOL:
        raise UsageError(f"{name}: a report of {one_line(head.tool.name)}, not of {_TOOL}")
    if head.schema_version.partition(".")[0] != str(MAJOR):
        raise UsageError(
            f"{name}: a report of version {one_line(head.schema_version)}, written by {_TOOL}"
            f" {one_line(head.tool.version)}; this one reads version {MAJOR}: audit again with it"
        )
    try:
        return _report(msgspec.json.decode(data, type=_Document), name)
    except (msgspec.MsgspecError, ValueError, KeyError) as error:
        raise UsageError(
            f"{name}: the report is damaged ({one_line(str(error))}); audit again"
        ) from error


def report_of(result: Result, name: str) -> EarlierReport:
    """Return ``result`` as if its JSON report had been read back from ``name``."""
    return EarlierReport(
        name=name,
        version=result.version,
        judged_at=result.judged_at,
        source=result.source,
        outcome=result.gate.outcome,
        exit_code=result.gate.exit_code,
        reasons=result.gate.reasons,
        left_out=result.left_out,
        policies=result.policies,
        connections=result.connections,
        rules=tuple(
            EarlierRule(
                id=c.rule.id,
                title=c.rule.title,
                severity=c.rule.severity,
                per=c.rule.per,
                verdicts=c.verdicts,
                groups=c.groups,
                policy=c.rule.policy,
                position=str(c.rule.position),
                expects=c.rule.expects,
                applies_when=c.rule.applies_when,
                why=c.rule.why,
                fix=c.rule.fix,
                tags=c.rule.tags,
                controls=c.rule.controls,
                reads=c.rule.reads,
            )
            for c in result.checks
        ),
        findings=tuple(
            EarlierFinding(
                rule=finding.rule.id,
                severity=finding.rule.severity,
                verdict=finding.verdict,
                connections=finding.connections,
                group=finding.group,
                message=finding.message,
                note=finding.note,
                evidence=finding.evidence,
            )
            for finding in result.findings
        ),
        whole=_is_whole(
            complete=result.listing.complete,
            completeness=result.listing.completeness.name.lower(),
            filters=result.source.filters,
            plan_alone=result.plan is not None and not result.plan.over,
        ),
    )


def _is_whole(
    *, complete: bool, completeness: str, filters: Collection[object], plan_alone: bool
) -> bool:
    """Whether a connection that was not listed no longer exists."""
    known = completeness != Completeness.UNKNOWN.name.lower()
    return complete and known and not filters and not plan_alone


# -- the document as it is in the file --------------------------------------------------------


class _Tool(msgspec.Struct, frozen=True):
    name: str
    version: str


class _Head(msgspec.Struct, frozen=True):
    schema_version: str
    tool: _Tool


class _Filter(msgspec.Struct, frozen=True):
    name: str
    value: str


class _Account(msgspec.Struct, frozen=True):
    id: str
    name: str = ""


class _Source(msgspec.Struct, frozen=True):
    kind: str
    location: str
    filters: list[_Filter]
    base_url: str = ""
    account: _Account | None = None


class _Gate(msgspec.Struct, frozen=True):
    outcome: str
    exit_code: int
    reasons: list[str]


class _EarlierListing(msgspec.Struct, frozen=True):
    completeness: str = ""
    complete: bool = False


class _EarlierPlan(msgspec.Struct, frozen=True):
    over: str = ""


class _EarlierPolicy(msgspec.Struct, frozen=True):
    name: str
    file: str
    sha256: str
    title: str = ""


class _Dimension(msgspec.Struct, frozen=True):
    name: str
    values: list[str]


class _Columns(msgspec.Struct, frozen=True):
    id: list[str]
    service: list[str]
    schema: list[str]
    group_id: list[str]
    dimensions: list[_Dimension] = []


class _GroupName(msgspec.Struct, frozen=True):
    id: str
    name: str


class _EarlierGroup(msgspec.Struct, frozen=True):
    group: str
    verdict: str


class _Position(msgspec.Struct, frozen=True):
    file: str
    line: int
    column: int


class _Control(msgspec.Struct, frozen=True):
    framework: str
    ids: list[str]


class _Rule(msgspec.Struct, frozen=True):
    id: str
    title: str
    severity: str
    per: list[str]
    verdicts: str = ""
    groups: list[_EarlierGroup] = []
    policy: str = ""
    position: _Position | None = None
    expects: str = ""
    applies_when: str = ""
    why: str = ""
    fix: str = ""
    tags: list[str] = []
    controls: list[_Control] = []
    reads: list[str] = []
    url: str = ""


class _Connection(msgspec.Struct, frozen=True):
    id: str
    service: str
    schema: str
    group_id: str
    group_name: str = ""


class _Evidence(msgspec.Struct, frozen=True):
    field: str
    actual: str
    expected: str


class _Finding(msgspec.Struct, frozen=True):
    rule: str
    severity: str
    verdict: str
    connections: list[_Connection]
    group: str
    message: str
    note: str
    evidence: list[_Evidence]


class _Document(msgspec.Struct, frozen=True):
    tool: _Tool
    judged_at: str | None
    source: _Source | None
    gate: _Gate
    left_out: list[str]
    policies: list[_EarlierPolicy]
    connections: _Columns
    rules: list[_Rule]
    findings: list[_Finding]
    groups: list[_GroupName] = []
    listing: _EarlierListing = _EarlierListing()
    plan: _EarlierPlan | None = None


def _report(document: _Document, name: str) -> EarlierReport:
    columns, source, gate = document.connections, document.source, document.gate
    if len({len(columns.id), len(columns.service), len(columns.schema), len(columns.group_id)}) > 1:
        raise ValueError("the columns of connections differ in length")
    judged_at = parse_timestamp(document.judged_at) if document.judged_at is not None else None
    if judged_at is None and document.judged_at is not None:
        raise ValueError(f"judged_at is not a time: {document.judged_at}")
    filters = tuple((f.name, f.value) for f in source.filters) if source else ()
    rules = tuple(_rule(rule, len(columns.id)) for rule in document.rules)
    findings = tuple(map(_finding, document.findings))
    _check_findings(rules, findings)
    return EarlierReport(
        name=name,
        version=document.tool.version,
        judged_at=judged_at,
        source=SourceInfo(
            source.kind,
            source.location,
            filters,
            source.base_url,
            Account(source.account.id, source.account.name) if source.account else None,
        )
        if source
        else SourceInfo("", ""),
        outcome=Outcome(gate.outcome),
        exit_code=gate.exit_code,
        reasons=tuple(gate.reasons),
        left_out=tuple(document.left_out),
        policies=tuple(PolicyFile(p.name, p.file, p.sha256, p.title) for p in document.policies),
        connections=Connections(
            columns.id,
            columns.service,
            columns.schema,
            columns.group_id,
            group_names={group.id: group.name for group in document.groups},
            dimensions={each.name: each.values for each in columns.dimensions},
        ),
        rules=rules,
        findings=findings,
        whole=_is_whole(
            complete=document.listing.complete,
            completeness=document.listing.completeness,
            filters=filters,
            plan_alone=document.plan is not None and not document.plan.over,
        ),
    )


def _rule(rule: _Rule, connections: int) -> EarlierRule:
    if not rule.per and len(rule.verdicts) != connections:
        raise ValueError(f"the verdicts of {rule.id} are not one per connection")
    if not set(rule.verdicts) <= _LETTERS.keys():
        raise ValueError(f"{rule.id} has an unknown verdict")
    return EarlierRule(
        id=rule.id,
        title=rule.title,
        severity=_named(_SEVERITIES, rule.severity, "severity"),
        per=tuple(rule.per),
        verdicts=rule.verdicts.translate(_TO_BYTES).encode("latin-1"),
        groups=tuple(
            GroupCheck(g.group, _named(_VERDICTS, g.verdict, "verdict")) for g in rule.groups
        ),
        policy=rule.policy,
        position=f"{place.file}:{place.line}:{place.column}" if (place := rule.position) else "",
        expects=rule.expects,
        applies_when=rule.applies_when,
        why=rule.why,
        fix=rule.fix,
        tags=tuple(rule.tags),
        controls=tuple((each.framework, tuple(each.ids)) for each in rule.controls),
        reads=tuple(rule.reads),
        url=rule.url,
    )


def _finding(finding: _Finding) -> EarlierFinding:
    return EarlierFinding(
        rule=finding.rule,
        severity=_named(_SEVERITIES, finding.severity, "severity"),
        verdict=_named(_VERDICTS, finding.verdict, "verdict"),
        connections=tuple(
            Connection(c.id, c.service, c.schema, c.group_id, c.group_name)
            for c in finding.connections
        ),
        group=finding.group,
        message=finding.message,
        note=finding.note,
        evidence=tuple(Evidence(e.field, e.actual, e.expected) for e in finding.evidence),
    )


def _check_findings(rules: Sequence[EarlierRule], findings: Iterable[EarlierFinding]) -> None:
    """Raise ValueError where the findings are not those of the verdicts.

    A check that failed and is told of nowhere would look as if it had been mended.
    """
    per = {rule.id: bool(rule.per) for rule in rules}
    told: Counter[tuple[str, Verdict]] = Counter()
    for finding in findings:
        if finding.rule not in per:
            raise ValueError(f"a finding of {finding.rule}, which is none of the rules")
        if not per[finding.rule] and len(finding.connections) != 1:
            raise ValueError(f"a finding of {finding.rule} is not of one connection")
        told[finding.rule, finding.verdict] += 1
    for rule in rules:
        grouped = Counter(check.verdict for check in rule.groups)
        for verdict in Verdict:
            checks = rule.verdicts.count(verdict) + grouped[verdict]
            found = told[rule.id, verdict]
            if found != (0 if verdict in NOTHING_FOUND else checks):
                what = f"{plural(found, 'finding')} of {plural(checks, 'check')}"
                raise ValueError(f"{rule.id}: {what} that came to {verdict.label}")


def _named(table: Mapping[str, _T], word: str, what: str) -> _T:
    if word not in table:
        raise ValueError(f"{word} is not a {what}")
    return table[word]
