"""One fault of an account's server, the run that meets it, and the result it must have.

The account has three connections that meet the rules. A fault's script tells the same account in
its own broken way; it is told twice, the second time with a connection that breaks a rule. Where
the first telling ends in a pass, the second must not: what could hide a violation is no pass.
"""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from auditor.model import Result, Verdict
from auditor.policy import load_policies
from auditor.redaction.fields import Scrubber
from auditor.run import Options, audit
from auditor.sources.api.account import Credentials
from auditor.sources.api.client import HttpOptions
from auditor.sources.api.walk import FivetranSource
from tests.builders.canaries import KEY, SECRET, with_canaries
from tests.builders.fault_server import Answer, FaultServer, Script, kept, page, record

CREDENTIALS = Credentials(KEY, SECRET)
NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
Records = Sequence[dict[str, Any]]
#: The rules of most faults: one that reads a field of each record, one about the account.
RULES = """policy: house
rules:
  - {id: running, severity: high, assert: {paused: false}}
  - {id: three, severity: low, per: account, assert: {count: {gte: 1}}}
"""


@dataclass(frozen=True)
class Fault:
    """``script`` tells the account; ``says`` is a word of the reasons.

    ``judged`` are the ids whose judgement is shown, as a set; ``holds`` is what the server holds.
    ``requests`` is how often it may be asked in all.
    """

    name: str
    script: Callable[[Records], Script]
    code: int
    says: str
    judged: str = "c1 c2 c3"
    holds: str = "c1 c2 c3"
    requests: int | None = None
    naps: tuple[float, ...] | None = None
    rules: str = RULES
    run: Mapping[str, Any] = field(default_factory=dict)
    source: Mapping[str, Any] = field(default_factory=dict)
    http: Mapping[str, Any] = field(default_factory=dict)
    warns: str = ""
    #: A record is spoilt by the script itself: a telling with a violation would add nothing.
    once: bool = False
    #: The library leaves a socket to the collector, which says so.
    leaks: bool = False


@dataclass(frozen=True)
class Met:
    """What came of a fault; ``keys`` are what the server was shown as a key and its secret."""

    result: Result
    requests: int
    naps: tuple[float, ...]
    keys: frozenset[str]


def account(*, violating: bool = False) -> list[dict[str, Any]]:
    """Return the three connections; the last one breaks a rule where ``violating``."""
    return [with_canaries(r) for r in (record(1), record(2), record(3, paused=violating))]


def meet(fault: Fault, folder: Path, *, violating: bool = False) -> Met:
    """Run an audit against the fault, without sleeping."""
    if not fault.leaks:
        return _meet(fault, folder, violating=violating)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        met = _meet(fault, folder, violating=violating)
        gc.collect()
    return met


def _meet(fault: Fault, folder: Path, *, violating: bool) -> Met:
    policy = folder / "policy.yaml"
    policy.write_text(fault.rules, encoding="utf-8")
    naps: list[float] = []
    patience: dict[str, Any] = {
        "attempt_seconds": 20.0,
        "random": lambda: 1.0,
        "sleep": naps.append,
    }
    with FaultServer(fault.script(account(violating=violating))) as server:
        source = FivetranSource(
            server.url,
            CREDENTIALS,
            options=HttpOptions(**{**patience, **fault.http}),
            **fault.source,
        )
        scrubber = Scrubber(((KEY, SECRET),))
        options = Options(**{"clock": lambda: NOW, "scrubber": scrubber, **fault.run})
        result = audit(source, load_policies(str(policy)), options)
        asked = list(server.requests)
    keys = frozenset(request.headers.get("authorization", "none") for request in asked)
    return Met(result, len(asked), tuple(naps), keys)


def judged_ids(result: Result) -> set[str]:
    """Return the ids that every rule on single connections has a verdict for."""
    for checks in result.checks:
        if not checks.rule.per:
            assert len(checks.verdicts) == len(result.connections)
            assert set(checks.verdicts) <= set(map(int, Verdict))
    return set(result.connections.ids)


# -- ways to tell an account --------------------------------------------------------------------


def whole(records: Records) -> Answer:
    """All of the account on one page."""
    return kept(page(records))


def said(*pages: bytes) -> list[Answer]:
    """Pages as whole answers, in order."""
    return [kept(body) for body in pages]


def constant(script: Script) -> Callable[[Records], Script]:
    """Send something that is not an account at all."""
    return lambda _records: script
