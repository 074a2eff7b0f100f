"""A loop over whole records, as one writes it in an afternoon, with the fastest parser to dicts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from bench.answer import answer
from bench.peers.records import records

_CUT = datetime.fromisoformat("2025-12-01T00:00:00+00:00")
_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)?").fullmatch
_DATABASES = {"postgres", "mysql", "sql_server"}
_PRIVATE = {"PrivateLink", "SshTunnel"}


def judge() -> Iterator[tuple[str, str]]:
    """Yield each violation."""
    for record in records():
        name, status, succeeded = record["id"], record["status"], record["succeeded_at"]
        if not 15 <= record["sync_frequency"] <= 1440:
            yield "R1", name
        if record["pause_after_trial"] is not False:
            yield "R2", name
        if record["schedule_type"] != "auto":
            yield "R3", name
        if status["setup_state"] != "connected":
            yield "R4", name
        if not _NAME(record["schema"]):
            yield "R5", name
        if record["service"] in _DATABASES and record["networking_method"] not in _PRIVATE:
            yield "R6", name
        if record["sync_frequency"] == 1440 and record.get("daily_sync_time") is None:
            yield "R7", name
        if succeeded is None or datetime.fromisoformat(succeeded) <= _CUT:
            yield "R8", name
        if any(test["status"] == "FAILED" for test in record["setup_tests"]):
            yield "R9", name
        if status["warnings"]:
            yield "R10", name


if __name__ == "__main__":
    answer(judge())
