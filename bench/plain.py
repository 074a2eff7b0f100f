"""The plain way, as a script of an afternoon: one ``json.load``, ten checks by hand, no report.

It judges the array that its first argument names, writes what it finds to the second as JSON, each
violation with its words and the value, and prints how many there are of each rule.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

_CUT = datetime.fromisoformat("2025-12-01T00:00:00+00:00")
_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)?").fullmatch
_DATABASES = {"postgres", "mysql", "sql_server"}
_PRIVATE = {"PrivateLink", "SshTunnel"}


def _violations(record: dict[str, Any]) -> Iterator[tuple[str, str, object]]:
    frequency, status = record["sync_frequency"], record["status"]
    succeeded, method = record["succeeded_at"], record["networking_method"]
    if not 15 <= frequency <= 1440:
        yield "R1", "sync_frequency is not 15 to 1440", frequency
    if record["pause_after_trial"] is not False:
        yield "R2", "it pauses after its trial", record["pause_after_trial"]
    if record["schedule_type"] != "auto":
        yield "R3", "schedule_type is not auto", record["schedule_type"]
    if status["setup_state"] != "connected":
        yield "R4", "it is not connected", status["setup_state"]
    if not _NAME(record["schema"]):
        yield "R5", "its schema is not named as we name them", record["schema"]
    if record["service"] in _DATABASES and method not in _PRIVATE:
        yield "R6", "a database without a private path", method
    if frequency == 1440 and record.get("daily_sync_time") is None:
        yield "R7", "it syncs daily and says no time", None
    if succeeded is None or datetime.fromisoformat(succeeded) <= _CUT:
        yield "R8", "it has not succeeded since 1 December", succeeded
    for test in record["setup_tests"]:
        if test["status"] == "FAILED":
            yield "R9", "a set-up test failed", test["title"]
            break
    if status["warnings"]:
        yield "R10", "it has warnings", len(status["warnings"])


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as file:  # noqa: PTH123  # as a plain script does
        records = json.load(file)
    violations = [
        {"connection": record["id"], "rule": rule, "message": message, "value": value}
        for record in records
        for rule, message, value in _violations(record)
    ]
    with open(sys.argv[2], "w") as file:  # noqa: PTH123  # as above
        json.dump(violations, file)
    print(json.dumps(Counter(violation["rule"] for violation in violations)))
