"""DuckDB: one statement over the lines, a column of truths for each rule."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import duckdb

from bench.answer import answer
from bench.peers.rules import RULES

_COLUMNS = {
    "id": "VARCHAR",
    "service": "VARCHAR",
    "schema": "VARCHAR",
    "status": "STRUCT(setup_state VARCHAR, warnings JSON[])",
    "pause_after_trial": "BOOLEAN",
    "sync_frequency": "INTEGER",
    "schedule_type": "VARCHAR",
    "setup_tests": "STRUCT(status VARCHAR)[]",
    "networking_method": "VARCHAR",
    "daily_sync_time": "VARCHAR",
    "succeeded_at": "TIMESTAMPTZ",
}
_JUDGE = r"""
CREATE TEMP TABLE verdicts AS SELECT id,
    NOT sync_frequency BETWEEN 15 AND 1440 AS R1,
    pause_after_trial AS R2,
    schedule_type <> 'auto' AS R3,
    status.setup_state <> 'connected' AS R4,
    NOT regexp_full_match("schema", '[a-z][a-z0-9_]*(\.[a-z0-9_]+)?') AS R5,
    service IN ('postgres', 'mysql', 'sql_server')
        AND coalesce(networking_method NOT IN ('PrivateLink', 'SshTunnel'), true) AS R6,
    sync_frequency = 1440 AND daily_sync_time IS NULL AS R7,
    coalesce(succeeded_at <= TIMESTAMPTZ '2025-12-01T00:00:00Z', true) AS R8,
    list_contains(list_transform(setup_tests, lambda test: test.status), 'FAILED') AS R9,
    len(status.warnings) > 0 AS R10
FROM read_json(?, format = 'newline_delimited', columns = ?)
"""


def main() -> None:
    """Judge the lines in the folder that the command line names."""
    connection = duckdb.connect()
    connection.execute(_JUDGE, [str(Path(sys.argv[1]) / "lines.ndjson"), _COLUMNS])
    if "--pairs" in sys.argv:
        each = (f"SELECT '{rule}', id FROM verdicts WHERE {rule}" for rule in RULES)
        answer(connection.execute(" UNION ALL ".join(each)).fetchall())
    else:
        counts = ", ".join(f"count_if({rule})" for rule in RULES)
        row = connection.execute(f"SELECT {counts} FROM verdicts").fetchone() or ()
        print(json.dumps(dict(zip(RULES, row, strict=True))))


if __name__ == "__main__":
    main()
