"""Histories for the tests of reports: made up, but consistent and always the same."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec.structs import replace

from auditor.model import History, Outcome, Result
from auditor.past.history import past_run

WEEK = timedelta(days=7)


def _more(by_rule: Mapping[str, int] | None, violations: int) -> dict[str, int]:
    """Return the violations of each rule, with more of the first."""
    found = dict(by_rule or {})
    first = next(iter(found))
    return {**found, first: found[first] + violations}


def with_history(result: Result, runs: int) -> Result:
    """Return ``result`` as the last of so many weekly runs.

    Every fifth one before was inconclusive, every seventh narrowed, and in the middle the policies
    changed. The findings are open since one of the runs, each in its turn.
    """
    last = past_run(result)
    earlier = [
        replace(
            last,
            judged_at=last.judged_at - WEEK * back,
            violations=tuple((severity, count + back) for severity, count in last.violations),
            by_rule=_more(last.by_rule, back * len(last.violations)),
            outcome=Outcome.INCONCLUSIVE if back % 5 == 0 else Outcome.VIOLATIONS,
            full=back % 7 != 0,
            policies=last.policies if back < runs // 2 else ("other",),
        )
        for back in range(runs - 1, 0, -1)
    ]
    times = [run.judged_at for run in (*earlier, last)]
    since: dict[str, dict[str, datetime]] = {}
    for number, finding in enumerate(result.findings):
        name = finding.group if finding.rule.per else finding.connections[0].id
        since.setdefault(finding.rule.id, {})[name] = times[number % len(times)]
    return replace(result, history=History((*earlier, last), since))
