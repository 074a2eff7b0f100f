"""Runs with waivers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from auditor.model import Result
from auditor.policy import Ruleset
from auditor.run import Options, audit
from tests.builders.listed import (
    TODAY,
    Listed,
    check_sums,
    record,
    waivers_in,
)


def judged(
    house: Ruleset, folder: Path, text: str, records: list[dict[str, Any]], **more: Any
) -> Result:
    options = {"clock": lambda: TODAY, **more}
    source = options.pop("source", None) or Listed(records)
    result = audit(source, house, Options(waivers=waivers_in(folder, text), **options))
    check_sums(result)
    return result


FAST = [
    record("a", sync_frequency=5),
    record("b", sync_frequency=5, service="mysql"),
    record("c", sync_frequency=5, group_id="g2"),
]
