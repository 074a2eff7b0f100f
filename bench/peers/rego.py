"""regopy, Rego in C++: a bundle built once, asked for each record which rules it violates.

Its function for times of RFC 3339 fails, so days are compared as text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import regopy

from bench.answer import answer
from bench.peers.records import records
from bench.peers.rules import READS

_POLICY = """
package bench

violated contains "R1" if input.sync_frequency < 15
violated contains "R1" if input.sync_frequency > 1440
violated contains "R2" if input.pause_after_trial != false
violated contains "R3" if input.schedule_type != "auto"
violated contains "R4" if input.status.setup_state != "connected"
violated contains "R5" if not regex.match(`^[a-z][a-z0-9_]*([.][a-z0-9_]+)?$`, input.schema)
violated contains "R6" if {
    input.service in {"postgres", "mysql", "sql_server"}
    not input.networking_method in {"PrivateLink", "SshTunnel"}
}
violated contains "R7" if {
    input.sync_frequency == 1440
    input.daily_sync_time == null
}
violated contains "R8" if input.succeeded_at == null
violated contains "R8" if substring(input.succeeded_at, 0, 10) < "2025-12-01"
violated contains "R8" if regex.match(`^2025-12-01T00:00:00([.]0+)?Z$`, input.succeeded_at)
violated contains "R9" if {
    some test in input.setup_tests
    test.status == "FAILED"
}
violated contains "R10" if count(input.status.warnings) > 0
"""


def judge() -> Iterator[tuple[str, str]]:
    """Yield each violation."""
    interpreter = regopy.Interpreter()
    interpreter.add_module("bench", _POLICY)
    bundle = interpreter.build("data.bench.violated")
    for record in records():
        interpreter.set_input(regopy.Input({name: record[name] for name in READS}))
        told = interpreter.query_bundle(bundle)
        for rule in json.loads(str(told))["expressions"][0]:
            yield rule, record["id"]


if __name__ == "__main__":
    answer(judge())
