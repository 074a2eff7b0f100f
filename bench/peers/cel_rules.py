"""The ten rules in CEL: one expression, a list with a truth for each."""

from __future__ import annotations

_VIOLATED = (
    "sync_frequency < 15 || sync_frequency > 1440",
    "pause_after_trial != false",
    'schedule_type != "auto"',
    'status.setup_state != "connected"',
    '!schema.matches("^[a-z][a-z0-9_]*([.][a-z0-9_]+)?$")',
    (
        'service in ["postgres", "mysql", "sql_server"]'
        ' && !(networking_method in ["PrivateLink", "SshTunnel"])'
    ),
    "sync_frequency == 1440 && daily_sync_time == null",
    'succeeded_at == null || timestamp(succeeded_at) <= timestamp("2025-12-01T00:00:00Z")',
    'setup_tests.exists(test, test.status == "FAILED")',
    "size(status.warnings) > 0",
)
EXPRESSION = f"[{', '.join(_VIOLATED)}]"
