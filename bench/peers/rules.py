"""The names of the ten rules, and of what they read."""

from __future__ import annotations

RULES = tuple(f"R{number}" for number in range(1, 11))
#: What the rules read of a record, for peers that take no more than that.
READS = (
    "sync_frequency",
    "pause_after_trial",
    "schedule_type",
    "status",
    "schema",
    "service",
    "networking_method",
    "daily_sync_time",
    "succeeded_at",
    "setup_tests",
)
