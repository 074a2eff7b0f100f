"""Linters and tools of other projects, from a separate environment (``make adoption``)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.adoption.github import ROOT
from tests.builders.command import environment

TOOLS = ROOT / ".venv" / "adoption" / "bin"
# How to reach the registry is the machine's own affair.
REGISTRY = ("PIP_", "UV_", "SSL_", "REQUESTS_CA_BUNDLE", "HTTP", "NO_PROXY", "http", "no_proxy")


def tool(name: str) -> Path:
    """Return where the tool is; leaves the test out where it is not, but fails in CI."""
    path = TOOLS / name
    if not path.exists():
        told = f"NOT TRIED WITH {name.upper()}: make adoption"
        if os.environ.get("CI"):
            pytest.fail(told)
        pytest.skip(told)
    return path


def use(
    name: str, *arguments: str | Path, folder: Path = ROOT, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a tool in ``folder`` and return what it said."""
    registry = {name: value for name, value in os.environ.items() if name.startswith(REGISTRY)}
    return subprocess.run(
        [tool(name), *arguments],
        cwd=folder,
        env=environment({**registry, **(env or {})}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def tracked() -> list[Path]:
    """Return what is, or is about to be, under version control, from the project's folder."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    names = filter(None, listed.stdout.split("\0"))
    return [Path(name) for name in names if (ROOT / name).is_file()]
