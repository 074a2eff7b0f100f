"""A baseline: an earlier report whose findings are known, so that only new ones gate.

A finding is recognised by its rule and its connection, or its rule and its group; its message,
evidence and position in the report may change. A finding about a group is known as long as it
involves no connection that the earlier one did not list.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec.structs import replace

from auditor.clock import to_the_second
from auditor.errors import UsageError
from auditor.model import Severity, SourceInfo, Verdict
from auditor.past.earlier import EarlierReport, read_report

#: The verdicts that a baseline makes known. A waived finding had an end, and an error was never
#: judged.
_COUNTED = frozenset({Verdict.FAIL, Verdict.KNOWN})
_ACCOUNTS = frozenset({"api", "snapshot"})


class Remembered(msgspec.Struct, frozen=True):
    """A finding of the baseline: the connections it was about, and how severe its rule was."""

    connections: frozenset[str]
    severity: Severity


class Baseline(msgspec.Struct, frozen=True):
    """The findings of ``report``, by rule and connection id and by rule and group.

    ``waived`` are those that were waived then: they are not known, but may be fixed since.
    """

    report: EarlierReport
    single: Mapping[tuple[str, str], Remembered]
    grouped: Mapping[tuple[str, str], tuple[Remembered, ...]]
    waived: Baseline | None = None

    @property
    def title(self) -> str:
        """The file and the time of its run, as sentences name it."""
        assert self.report.judged_at is not None
        return f"{self.report.name} of {to_the_second(self.report.judged_at)}"

    def check_source(self, source: SourceInfo) -> None:
        """Raise UsageError if the baseline is, or may be, of another account than ``source``."""
        then = self.report.source
        if then.kind != source.kind and not {then.kind, source.kind} <= _ACCOUNTS:
            raise UsageError(
                f"{self.report.name}: a baseline from another kind of source cannot be used here"
                f" ({then.kind}, {source.kind}); use one from a run like this"
            )
        if then.account and source.account and then.account.id != source.account.id:
            raise UsageError(
                f"{self.report.name}: a baseline of the account {then.account} cannot be used for"
                f" {source.account}; use one of the same account"
            )
        if then.base_url and source.base_url and then.base_url != source.base_url:
            raise UsageError(
                f"{self.report.name}: a baseline of {then.base_url} cannot be used for"
                f" {source.base_url}; use one of the same account"
            )

    def check_connections(self, ids: frozenset[str]) -> None:
        """Raise UsageError if none of the connections ``ids`` was in the baseline's run."""
        if ids.isdisjoint(self.report.connections.ids):
            raise UsageError(
                f"{self.report.name}: the baseline has no connection in common with what was"
                " listed: it is of another account; use one of the same account"
            )


def read_baseline(path: Path | str) -> Baseline:
    """Return the baseline at ``path``. Raises UsageError for a report that cannot be one."""
    return baseline_of(read_report(path))


def baseline_of(report: EarlierReport) -> Baseline:
    """Return ``report`` as a baseline. Raises UsageError when it cannot be one."""
    if report.judged_at is None:
        raise UsageError(
            f"{report.name}: that run did not finish, so it cannot be a baseline; audit again"
        )
    if not report.conclusive:
        why = f" ({report.reasons[0]})" if report.reasons else ""
        raise UsageError(
            f"{report.name}: that run was inconclusive{why}: what it did not judge would look"
            " new; take a baseline of a run that judged everything"
        )
    if not report.connections.ids:
        raise UsageError(
            f"{report.name}: that run judged no connection, so it cannot be a baseline"
        )
    waived = _remembered(report, frozenset({Verdict.WAIVED}))
    return replace(_remembered(report, _COUNTED), waived=waived)


def _remembered(report: EarlierReport, verdicts: frozenset[Verdict]) -> Baseline:
    """Return the findings of ``report`` with one of ``verdicts``."""
    single: dict[tuple[str, str], Remembered] = {}
    grouped: dict[tuple[str, str], tuple[Remembered, ...]] = {}
    per = {rule.id for rule in report.rules if rule.per}
    for finding in report.findings:
        if finding.verdict not in verdicts:
            continue
        ids = frozenset(connection.id for connection in finding.connections)
        remembered = Remembered(ids, finding.severity)
        if finding.rule in per:
            key = (finding.rule, finding.group)
            grouped[key] = (*grouped.get(key, ()), remembered)
        else:
            single |= {(finding.rule, name): remembered for name in ids}
    return Baseline(report, single, grouped)
