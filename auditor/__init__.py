"""Fivetran Auditor: policy as code for Fivetran connections.

The library is what the command line is made of:

    from auditor import SnapshotSource, audit, load_policies

    result = audit(SnapshotSource("connections.ndjson.gz"), load_policies("baseline"))
    print(result.gate.outcome, result.counts)

A source that fails does not raise: the result's gate is then inconclusive and says why. Errors that
are raised derive from ``AuditorError``. Names are imported when they are used, so importing this
package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from auditor.version import __version__

if TYPE_CHECKING:
    from auditor.acceptance.baseline import read_baseline
    from auditor.acceptance.waivers import load_waivers
    from auditor.errors import AuditorError, PolicyError, ReportError, SourceError, UsageError
    from auditor.model import (
        Completeness,
        Connection,
        Evidence,
        Finding,
        Gate,
        Listing,
        Outcome,
        Result,
        Rule,
        Severity,
        Verdict,
    )
    from auditor.policy.language.rules import Ruleset
    from auditor.policy.loading.load import load_policies
    from auditor.reports.json import to_json
    from auditor.reports.writer import write_reports
    from auditor.run import Options, Progress, audit
    from auditor.sources.api.account import Credentials, credentials_from
    from auditor.sources.api.walk import FivetranSource
    from auditor.sources.plan.source import PlanSource
    from auditor.sources.saved.source import SnapshotSource

_HOMES = MappingProxyType(
    {
        **dict.fromkeys(
            ("AuditorError", "PolicyError", "ReportError", "SourceError", "UsageError"),
            "auditor.errors",
        ),
        **dict.fromkeys(
            (
                "Completeness",
                "Connection",
                "Evidence",
                "Finding",
                "Gate",
                "Listing",
                "Outcome",
                "Result",
                "Rule",
                "Severity",
                "Verdict",
            ),
            "auditor.model",
        ),
        **dict.fromkeys(("Options", "Progress", "audit"), "auditor.run"),
        **dict.fromkeys(("Credentials", "credentials_from"), "auditor.sources.api.account"),
        "FivetranSource": "auditor.sources.api.walk",
        "PlanSource": "auditor.sources.plan.source",
        "Ruleset": "auditor.policy.language.rules",
        "SnapshotSource": "auditor.sources.saved.source",
        "load_policies": "auditor.policy.loading.load",
        "load_waivers": "auditor.acceptance.waivers",
        "read_baseline": "auditor.acceptance.baseline",
        "to_json": "auditor.reports.json",
        "write_reports": "auditor.reports.writer",
    }
)

__all__ = [
    "AuditorError",
    "Completeness",
    "Connection",
    "Credentials",
    "Evidence",
    "Finding",
    "FivetranSource",
    "Gate",
    "Listing",
    "Options",
    "Outcome",
    "PlanSource",
    "PolicyError",
    "Progress",
    "ReportError",
    "Result",
    "Rule",
    "Ruleset",
    "Severity",
    "SnapshotSource",
    "SourceError",
    "UsageError",
    "Verdict",
    "__version__",
    "audit",
    "credentials_from",
    "load_policies",
    "load_waivers",
    "read_baseline",
    "to_json",
    "write_reports",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
