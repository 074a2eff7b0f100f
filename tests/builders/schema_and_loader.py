"""What the schema and the loader say of one policy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from auditor.errors import PolicyError
from auditor.policy.loading import nodes
from auditor.policy.loading.load import load
from auditor.policy.schemas.policy import policy_schema

SCHEMA = policy_schema()


VALIDATOR = Draft202012Validator(SCHEMA)


def said(value: Any, folder: Path) -> tuple[list[str], list[str]]:
    """Return what the loader, and what the schema, has against ``value`` as a policy."""
    path = folder / "policy.yaml"
    data = json.dumps(value, ensure_ascii=False).encode()  # which is YAML too
    path.write_bytes(data)
    try:
        load([str(path)])
        problems: list[str] = []
    except PolicyError as error:
        problems = [str(problem) for problem in error.problems if not problem.warning]
    root, _ = nodes.parse(data, "policy.yaml")
    found = best_match(VALIDATOR.iter_errors(nodes.plain_value(root)))
    where = "/".join(map(str, found.absolute_path)) if found else ""
    return problems, [f"{where}: {found.message[:200]}"] if found else []


RULE = "{id: a, severity: low, assert: {paused: false}}"


def read(text: str) -> Any:
    root, problems = nodes.parse(text.encode(), "policy.yaml")
    assert not problems
    return nodes.plain_value(root)


def refused_by_both(value: Any, folder: Path) -> None:
    problems, refused = said(value, folder)
    assert problems
    assert refused
