"""polars: expressions over a lazy frame of the lines, whose schema is given."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import polars as pl

from bench.answer import answer
from bench.peers.rules import RULES

_SCHEMA = {
    "id": pl.String,
    "service": pl.String,
    "schema": pl.String,
    "status": pl.Struct(
        {"setup_state": pl.String, "warnings": pl.List(pl.Struct({"code": pl.String}))}
    ),
    "pause_after_trial": pl.Boolean,
    "sync_frequency": pl.Int64,
    "schedule_type": pl.String,
    "setup_tests": pl.List(pl.Struct({"status": pl.String})),
    "networking_method": pl.String,
    "daily_sync_time": pl.String,
    "succeeded_at": pl.String,
}
_DATABASES, _PRIVATE = ["postgres", "mysql", "sql_server"], ["PrivateLink", "SshTunnel"]
_FAILED = pl.element().struct.field("status") == "FAILED"


def _violated() -> list[pl.Expr]:
    status, frequency = pl.col("status").struct, pl.col("sync_frequency")
    succeeded = pl.col("succeeded_at").str.to_datetime(time_zone="UTC", time_unit="us")
    cut = pl.lit("2025-12-01T00:00:00Z").str.to_datetime(time_zone="UTC", time_unit="us")
    return [
        ~frequency.is_between(15, 1440),
        pl.col("pause_after_trial"),
        pl.col("schedule_type") != "auto",
        status.field("setup_state") != "connected",
        ~pl.col("schema").str.contains(r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)?$"),
        pl.col("service").is_in(_DATABASES)
        & ~pl.col("networking_method").is_in(_PRIVATE).fill_null(value=False),
        (frequency == 1440) & pl.col("daily_sync_time").is_null(),
        (succeeded <= cut).fill_null(value=True),
        pl.col("setup_tests").list.eval(_FAILED).list.any(),
        status.field("warnings").list.len() > 0,
    ]


def main() -> None:
    """Judge the lines in the folder that the command line names."""
    lines = pl.scan_ndjson(Path(sys.argv[1]) / "lines.ndjson", schema=_SCHEMA)
    named = [made.alias(rule) for rule, made in zip(RULES, _violated(), strict=True)]
    verdicts = lines.select("id", *named).collect()
    if "--pairs" in sys.argv:
        answer((rule, name) for rule in RULES for name in verdicts.filter(pl.col(rule))["id"])
    else:
        print(json.dumps({rule: int(verdicts[rule].sum()) for rule in RULES}))


if __name__ == "__main__":
    main()
