"""Files of one rule, and why one is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.errors import PolicyError, UsageError
from auditor.policy.loading.load import load_policies


def policy(folder: Path, rule: str, head: str = "", name: str = "house.yaml") -> Path:
    path = folder / name
    path.write_text(
        f"policy: {path.stem}\n{head}rules:\n  - {{id: {path.stem}-rule, severity: low, {rule}}}\n"
    )
    return path


def refused(path: Path, **variables: str) -> str:
    with pytest.raises((PolicyError, UsageError)) as raised:
        load_policies(str(path), variables=variables)
    return str(raised.value)
