"""A working folder for the tests of commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.builders.configured import POLICY, RECORD


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a working folder with a policy and a snapshot that violates it once."""
    (tmp_path / "house.yaml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "saved.json").write_text(json.dumps([RECORD]), encoding="utf-8")
    return tmp_path
