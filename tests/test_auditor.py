"""The library: its names, each from its own module, and nothing loaded before it is used."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

import auditor
from tests.builders.command import environment


@pytest.mark.parametrize("name", auditor.__all__)
def test_a_name_is_the_one_of_its_home(name: str):
    found = getattr(auditor, name)
    if name != "__version__":
        assert getattr(import_module(found.__module__), name) is found
    assert name in dir(auditor)


def test_another_name_is_told_as_python_does():
    with pytest.raises(AttributeError, match="module 'auditor' has no attribute 'nothing'"):
        _ = auditor.nothing


def test_to_import_it_loads_nothing_else():
    script = "import auditor, sys; print(*[m for m in sys.modules if m.startswith('auditor')])"
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment(), capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert set(done.stdout.split()) == {"auditor", "auditor.version"}
