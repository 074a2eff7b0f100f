"""The summary of all accounts of a run, for programs; the page beside it is for people.

The document is versioned and described by ``accounts.schema.json``, beside this module. Each
account takes one line; its own reports, which are named here, have the details.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.reports.accounts import AccountOutcome, Accounts
from auditor.reports.json_text import json_lines, json_text

#: Grows by a minor step when something is added, by a major one when something changes.
SCHEMA_VERSION = "1.0"
MARK = r'\A\{\n"schema_version": .*\n"kind": "accounts"'


def placeholder(version: str) -> str:
    """Return the summary of a run that did not finish."""
    return "".join(render(Accounts((), version)))


def render(accounts: Accounts) -> Iterator[str]:
    """Yield the summary; it is inconclusive until the last account is done."""
    head = {
        "schema_version": SCHEMA_VERSION,
        "kind": "accounts",
        "tool": {"name": "fivetran-auditor", "version": accounts.version},
        "finished": accounts.finished,
        "outcome": accounts.word,
        "exit_code": accounts.exit_code,
        "doubts": accounts.doubts,
        "warnings": accounts.warnings,
    }
    yield "{\n"
    for name, value in head.items():
        yield f"{json_text(name)}: {json_text(value)},\n"
    yield '"accounts": ['
    yield from json_lines(map(_account, accounts.outcomes))
    yield "\n]\n}\n"


def _account(outcome: AccountOutcome) -> dict[str, object]:
    judged = outcome.judged
    return {
        "name": outcome.name,
        "outcome": outcome.word,
        "exit_code": outcome.code,
        "answer": outcome.answer,
        "judged_at": judged and judged.judged_at,
        "connections": judged and judged.connections,
        "counts": judged and dict(judged.counts),
        "violations": judged and dict(judged.violations),
        "reasons": judged.reasons if judged else tuple(filter(None, [outcome.error])),
        "reports": [{"format": format_, "path": path} for format_, path in outcome.reports],
    }
