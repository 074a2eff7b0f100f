"""CEL in Python: the compiled program, with the fields that it reads and no other."""

from __future__ import annotations

from collections.abc import Iterator

import celpy

from bench.answer import answer
from bench.peers.cel_rules import EXPRESSION
from bench.peers.records import records
from bench.peers.rules import READS, RULES


def judge() -> Iterator[tuple[str, str]]:
    """Yield each violation."""
    environment = celpy.Environment()
    program = environment.program(environment.compile(EXPRESSION))
    for record in records():
        verdicts = program.evaluate({name: celpy.json_to_cel(record[name]) for name in READS})
        for rule, violated in zip(RULES, verdicts, strict=True):
            if violated:
                yield rule, record["id"]


if __name__ == "__main__":
    answer(judge())
