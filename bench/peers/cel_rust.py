"""CEL in Rust: the compiled program, with the fields that it reads and no other."""

from __future__ import annotations

from collections.abc import Iterator

import cel

from bench.answer import answer
from bench.peers.cel_rules import EXPRESSION
from bench.peers.records import records
from bench.peers.rules import READS, RULES


def judge() -> Iterator[tuple[str, str]]:
    """Yield each violation."""
    program = cel.compile(EXPRESSION)
    for record in records():
        verdicts = program.execute({name: record[name] for name in READS})
        for rule, violated in zip(RULES, verdicts, strict=True):
            if violated:
                yield rule, record["id"]


if __name__ == "__main__":
    answer(judge())
