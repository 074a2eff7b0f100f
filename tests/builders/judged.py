"""Policies and records that a test writes, judged as a run judges them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from auditor.decoding.records import Shape
from auditor.errors import PolicyError, Problem
from auditor.model import Connections, Findings, RuleChecks, Verdict
from auditor.policy.judging.judge import Judge, Judgement
from auditor.policy.language.rules import Ruleset
from auditor.policy.loading.load import Loaded, load

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


def written(folder: Path, text: str | bytes, name: str = "policy.yaml") -> str:
    """Write a policy file; return its path."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def loaded(folder: Path, text: str, **options: Any) -> Loaded:
    """Load a policy that is written out."""
    return load([written(folder, text)], **options)


def one_rule(body: str, *, head: str = "") -> str:
    """Return a policy with one rule, ``rule``, whose own keys are ``body`` (indented by 4)."""
    lines = "\n".join(f"    {line}" for line in body.strip("\n").split("\n"))
    return f"policy: test\n{head}rules:\n  - id: rule\n    severity: low\n{lines}\n"


def problems_of(folder: Path, text: str | bytes, **options: Any) -> tuple[Problem, ...]:
    """Return what is wrong with a policy, which must be refused."""
    with pytest.raises(PolicyError) as caught:
        load([written(folder, text)], **options)
    assert caught.value.problems
    return caught.value.problems


def outcome_of(
    rules: Ruleset,
    records: Sequence[Mapping[str, Any] | str],
    *,
    pages: Sequence[int] = (),
    whole: bool = True,
    now: datetime = NOW,
    placed: bool = False,
    described: bool = False,
) -> Judgement:
    """Judge records as a run does: from JSON, page by page (``pages`` are their sizes).

    With ``described`` what was found on each page is described at once.
    """
    shape = Shape(*rules.reads())
    judge = Judge(rules, shape, now, lambda text: text, placed=placed)
    texts = [r if isinstance(r, str) else json.dumps(r) for r in records]
    start = 0
    for size in [*pages, len(texts)]:
        body = f"[{','.join(texts[start : start + size])}]".encode()
        judge.take(shape.array(body))
        if described:
            judge.describe()
        start += size
    return judge.outcome(lambda _rule: whole)


def checks_of(
    rules: Ruleset, records: Sequence[Mapping[str, Any] | str], **options: Any
) -> dict[str, RuleChecks]:
    """Return each rule's checks by its id."""
    return {c.rule.id: c for c in outcome_of(rules, records, **options).checks()}


def findings_of(
    rules: Ruleset, records: Sequence[Mapping[str, Any] | str], **options: Any
) -> Findings:
    """Return every finding; connections are named c0, c1, … in the order of the records."""
    outcome = outcome_of(rules, records, **options)
    return outcome.findings(named(*(f"c{n}" for n in range(len(records)))))


def named(*ids: str) -> Connections:
    """Return connections with these ids."""
    schemas = [f"s{n}" for n in range(len(ids))]
    return Connections(ids, ["postgres"] * len(ids), schemas, ["g"] * len(ids))


def verdict_of(rules: Ruleset, record: Mapping[str, Any] | str) -> Verdict:
    """Return the verdict of the only rule on one record."""
    (checks,) = checks_of(rules, [record]).values()
    return Verdict(checks.verdicts[0])
