"""The plain way: one ``json.load``, ten checks by hand, violations counted by rule; no report."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from datetime import datetime
from typing import Any

_CUT = datetime.fromisoformat("2025-12-01T00:00:00+00:00")
_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)?").fullmatch
_DATABASES = {"postgres", "mysql", "sql_server"}
_PRIVATE = {"PrivateLink", "SshTunnel"}


def main() -> None:
    """Print the number of violations of each rule in the array that the argument names."""
    with open(sys.argv[1], "rb") as file:  # noqa: PTH123  # as a plain script does
        records: list[dict[str, Any]] = json.load(file)
    found: list[tuple[str, str]] = []
    for record in records:
        found += [(record["id"], rule) for rule in _violated(record)]
    print(json.dumps(Counter(rule for _, rule in found)))


def _violated(record: dict[str, Any]) -> list[str]:
    broken = []
    frequency, status, succeeded = (
        record["sync_frequency"],
        record["status"],
        record["succeeded_at"],
    )
    if not 15 <= frequency <= 1440:
        broken.append("R1")
    if record["pause_after_trial"] is not False:
        broken.append("R2")
    if record["schedule_type"] != "auto":
        broken.append("R3")
    if status["setup_state"] != "connected":
        broken.append("R4")
    if not _NAME(record["schema"]):
        broken.append("R5")
    if record["service"] in _DATABASES and record["networking_method"] not in _PRIVATE:
        broken.append("R6")
    if frequency == 1440 and record["daily_sync_time"] is None:
        broken.append("R7")
    if succeeded is None or datetime.fromisoformat(succeeded) <= _CUT:
        broken.append("R8")
    if any(test["status"] == "FAILED" for test in record["setup_tests"]):
        broken.append("R9")
    if status["warnings"]:
        broken.append("R10")
    return broken


if __name__ == "__main__":
    main()
