"""CSV: one row per finding, for a spreadsheet.

The first row is the run itself (``type`` is ``run``): its outcome, reasons and facts. Text that a
spreadsheet would take for a formula gets a leading apostrophe. A byte-order mark comes first:
without it Excel does not read the file as UTF-8.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from auditor.model import Connection, Finding, Outcome, Result
from auditor.reports.facts import (
    UNFINISHED,
    connections_in_words,
    evidence_in_words,
    facts,
    sentences,
    spot,
    written_at,
)
from auditor.reports.fingerprint import fingerprint
from auditor.reports.links import addresses

COLUMNS = (
    "type", "verdict", "severity", "rule", "title", "connection_id", "service", "schema",
    "group_id", "group", "connections", "message", "field", "actual", "expected", "evidence",
    "fix", "note", "policy", "line", "fingerprint", "group_name", "url",
)  # fmt: skip
MARK = rf"\A\ufeff?{'[,;]'.join(COLUMNS)}(?:[,;]|\r?\n)"
#: The extra columns of a finding in a Terraform plan.
PLANNED = ("address", "action", "attribute", "before", "after", "written_at")

#: What tells Excel that the text is UTF-8; other readers know it as ``utf-8-sig``.
_MARKED = "\ufeff"
_CHUNK = 500
# What makes a cell a formula (OWASP, "CSV Injection"), in its full-width forms too.
_FORMULA = frozenset("=+-@\t\r\n\0\uff1d\uff0b\uff0d\uff20")


def render(result: Result) -> Iterator[str]:
    """Yield the report on ``result``."""
    return _rendered(result, ",")


def render_semicolon(result: Result) -> Iterator[str]:
    """Yield the report with semicolons: Excel wants them where numbers have a decimal comma."""
    return _rendered(result, ";")


def _rendered(result: Result, delimiter: str) -> Iterator[str]:
    about = "; ".join(f"{name}={value}" for name, value in facts(result).items())
    run = _run(result.gate.outcome, sentences(result.gate.reasons), about)
    listed = result.connections
    own = COLUMNS if result.plan is None else (*COLUMNS, *PLANNED)
    more = [f"dimension.{name}" if name in own else name for name in listed.dimensions]
    heading = [*own, *_safe(more)]
    yield _MARKED + _text([heading, [*run, *([""] * (len(heading) - len(run)))]], delimiter)
    address = {rule.id: addresses(result, rule) for rule in result.rules}
    # A part's findings have the places of the whole run's connections.
    columns = result.findings.connections.dimensions.values()
    findings = result.findings.placed()
    while chunk := list(islice(findings, _CHUNK)):
        rows = []
        for places, finding in chunk:
            one = places[0] if len(places) == 1 else None
            shown = ["" if one is None else column[one] for column in columns]
            rows.append([*_row(result, finding, address[finding.rule.id]), *_safe(shown)])
        yield _text(rows, delimiter)


def placeholder(version: str) -> str:
    """Return the header and one row that says the run did not finish."""
    return _MARKED + _text([COLUMNS, _run(Outcome.INCONCLUSIVE, UNFINISHED, f"version={version}")])


def _run(outcome: Outcome, message: str, note: str) -> list[str]:
    filled = {"type": "run", "verdict": outcome.value, "message": message, "note": note}
    return _safe(filled.get(column, "") for column in COLUMNS)


def _row(result: Result, finding: Finding, address: Callable[[Connection], str]) -> list[str | int]:
    rule, members = finding.rule, finding.connections
    one = members[0] if len(members) == 1 else None
    first = finding.evidence[0] if finding.evidence else None
    texts = (
        "finding",
        finding.verdict.label,
        rule.severity.label,
        rule.id,
        rule.title,
        one.id if one else "",
        one.service if one else "",
        one.schema if one else "",
        one.group_id if one else "",
        finding.group,
        "" if one else "; ".join(connections_in_words(finding)),
        finding.message,
        first.field if first else "",
        first.actual if first else "",
        first.expected if first else "",
        "; ".join(evidence_in_words(finding)),
        finding.fix,
        finding.note,
        rule.position.file,
    )
    url = address(one) if one else ""
    name = one.group_name if one else ""
    planned = _planned(finding) if result.plan is not None else ()
    return [
        *_safe(texts),
        rule.position.line,
        fingerprint(finding),
        *_safe((name, url, *planned)),
    ]


def _planned(finding: Finding) -> tuple[str, ...]:
    """Return what Terraform does and where to change it; before and after are the first field's."""
    resources = finding.resources
    attributes = [attribute for resource in resources for attribute in resource.attributes]
    first = attributes[0] if attributes else None
    at = written_at(finding) if resources else None
    beside = at is not None and at != spot(finding.rule)
    return (
        "; ".join(resource.address for resource in resources),
        "; ".join(dict.fromkeys(resource.action for resource in resources)),
        "; ".join(f"{attribute.address}: {attribute.name}" for attribute in attributes),
        first.before if first else "",
        first.after if first else "",
        f"{at.file}:{at.line}" if at is not None and beside else "",
    )


def _safe(texts: Iterable[str]) -> list[str]:
    # A spreadsheet ignores blanks before a formula.
    return [f"'{text}" if _is_formula(text) else text for text in texts]


def _is_formula(text: str) -> bool:
    return bool(text) and (text[0] in _FORMULA or text.lstrip()[:1] in _FORMULA)


def _text(rows: Iterable[Iterable[object]], delimiter: str = ",") -> str:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return out.getvalue()
