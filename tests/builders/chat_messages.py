"""What the tests of the chat formats share: a run's link, every part of a message, long results."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from auditor.model import Result
from tests.builders.sample_results import sample_result

RUN = "https://github.com/acme/pipelines/actions/runs/17"


def elements(block: Any) -> Iterator[dict[str, Any]]:
    """Yield every object below ``block``, itself included."""
    if isinstance(block, list):
        for item in block:
            yield from elements(item)
    elif isinstance(block, dict):
        yield block
        yield from elements(list(block.values()))


def overlong(letter: str) -> Result:
    """Return a result whose every text is 5,000 times ``letter``, with many rules and reasons."""
    long = letter * 5000
    result = sample_result(100, 40)
    checks = tuple(
        replace(c, rule=replace(c.rule, id=f"{n}{long}", title=long))
        for n, c in enumerate(result.checks)
    )
    rules = {old.rule.id: new.rule for old, new in zip(result.checks, checks, strict=True)}
    findings = tuple(
        replace(
            f,
            rule=rules[f.rule.id],
            message=long,
            group=long if f.group else "",
            connections=tuple(replace(c, schema=long, group_name=long) for c in f.connections),
        )
        for f in result.findings
    )
    gate = replace(result.gate, reasons=(long,) * 50)
    return replace(result, checks=checks, gate=gate, describe=lambda: findings)
