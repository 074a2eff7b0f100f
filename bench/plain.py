"""The plain way, as a script of an afternoon: one ``json.load``, ten checks by hand, no report.

It judges the array that its first argument names, writes what it finds to the second as JSON, each
violation with its words and the value, and prints how many there are of each rule.
"""

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


def check(records: list[dict[str, Any]]) -> list[dict[str, Any]]:  # noqa: C901  # plain
    """Return every violation."""
    found: list[dict[str, Any]] = []

    def note(rule: str, message: str, value: object) -> None:
        found.append({"connection": record["id"], "rule": rule, "message": message, "value": value})

    for record in records:
        frequency, status = record["sync_frequency"], record["status"]
        succeeded, method = record["succeeded_at"], record["networking_method"]
        if not 15 <= frequency <= 1440:
            note("R1", "sync_frequency is not 15 to 1440", frequency)
        if record["pause_after_trial"] is not False:
            note("R2", "it pauses after its trial", record["pause_after_trial"])
        if record["schedule_type"] != "auto":
            note("R3", "schedule_type is not auto", record["schedule_type"])
        if status["setup_state"] != "connected":
            note("R4", "it is not connected", status["setup_state"])
        if not _NAME(record["schema"]):
            note("R5", "its schema is not named as we name them", record["schema"])
        if record["service"] in _DATABASES and method not in _PRIVATE:
            note("R6", "a database without a private path", method)
        if frequency == 1440 and record.get("daily_sync_time") is None:
            note("R7", "it syncs daily and says no time", None)
        if succeeded is None or datetime.fromisoformat(succeeded) <= _CUT:
            note("R8", "it has not succeeded since 1 December", succeeded)
        for test in record["setup_tests"]:
            if test["status"] == "FAILED":
                note("R9", "a set-up test failed", test["title"])
                break
        if status["warnings"]:
            note("R10", "it has warnings", len(status["warnings"]))
    return found


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as file:  # noqa: PTH123  # as a plain script does
        records = json.load(file)
    violations = check(records)
    with open(sys.argv[2], "w") as told:  # noqa: PTH123  # as above
        json.dump(violations, told)
    print(json.dumps(Counter(violation["rule"] for violation in violations)))
