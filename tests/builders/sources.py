"""The package's own source, read once: many tests look through it."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

PACKAGE = Path(__file__).parents[2] / "auditor"


@cache
def syntax_trees() -> Mapping[Path, ast.Module]:
    """Return the syntax of every module of the package, in order of their paths."""
    return MappingProxyType(
        {
            path: ast.parse(path.read_text(encoding="utf-8"))
            for path in sorted(PACKAGE.rglob("*.py"))
        }
    )
