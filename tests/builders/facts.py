"""Rules on facts, judged on an account with every list."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from auditor import audit, load_policies
from auditor.model import Result, Verdict
from auditor.sources.api.account import Credentials
from auditor.sources.api.client import HttpOptions
from auditor.sources.api.walk import FivetranSource
from tests.builders.account_server import AccountServer

KEY = Credentials("key-K3Y9x", "secret-S3CR3T/7+x")


IMPATIENT = HttpOptions(attempts=1, sleep=lambda _seconds: None)


def judged(
    folder: Path, rules: str, server: AccountServer, own: str = "", **options: Any
) -> Result:
    """Return the result of a policy of ``rules`` on the account that ``server`` serves."""
    path = folder / "policy.yaml"
    path.write_text(f"policy: p\n{own}\nrules:\n{rules}")
    source = FivetranSource(server.url, KEY, options=IMPATIENT, **options)
    return audit(source, load_policies(str(path)))


def rule(name: str, condition: str, when: str = "") -> str:
    when = f", when: {when}" if when else ""
    return f"  - {{id: {name}, severity: low{when}, assert: {condition}}}\n"


def labels(result: Result, name: str) -> list[str]:
    (checks,) = [each for each in result.checks if each.rule.id == name]
    return [Verdict(byte).label for byte in checks.verdicts]
