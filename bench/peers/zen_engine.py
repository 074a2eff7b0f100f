"""ZEN, the expressions of GoRules: one compiled expression with a truth for each rule."""

from __future__ import annotations

from collections.abc import Iterator

import zen

from bench.answer import answer
from bench.peers.records import records
from bench.peers.rules import RULES

_VIOLATED = (
    "sync_frequency < 15 or sync_frequency > 1440",
    "pause_after_trial != false",
    'schedule_type != "auto"',
    'status.setup_state != "connected"',
    'not matches(schema, "^[a-z][a-z0-9_]*([.][a-z0-9_]+)?$")',
    (
        'service in ["postgres", "mysql", "sql_server"]'
        ' and networking_method not in ["PrivateLink", "SshTunnel"]'
    ),
    "sync_frequency == 1440 and daily_sync_time == null",
    'succeeded_at == null or not d(succeeded_at).isAfter("2025-12-01T00:00:00Z")',
    'some(setup_tests, #.status == "FAILED")',
    "len(status.warnings) > 0",
)


def judge() -> Iterator[tuple[str, str]]:
    """Yield each violation."""
    expression = zen.compile_expression(f"[{', '.join(_VIOLATED)}]")
    for record in records():
        for rule, violated in zip(RULES, expression.evaluate(record), strict=True):
            if violated:
                yield rule, record["id"]


if __name__ == "__main__":
    answer(judge())
