"""jsonschema: the rules as the parts of an ``allOf``, each record on its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from jsonschema import Draft202012Validator

from bench.answer import answer
from bench.peers.records import records
from bench.peers.rules import RULES


def judge() -> Iterator[tuple[str, str]]:
    """Yield each violation."""
    schema = json.loads(Path(__file__).with_name("rules.schema.json").read_text())
    validator = Draft202012Validator(schema)
    for record in records():
        parts = {error.absolute_schema_path[1] for error in validator.iter_errors(record)}
        for part in parts:
            yield RULES[part], record["id"]


if __name__ == "__main__":
    answer(judge())
