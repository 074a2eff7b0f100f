"""Compiled templates: cached if possible, never used if they do not fit."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TEMPLATE = "marks.html.j2"
WRITE = (
    "from auditor.reports.page.parts import templates;"
    f" print(templates().get_template('{TEMPLATE}').module.severity('high'))"
)


def page(copy: Path, **env: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", WRITE],
        cwd=copy,
        env={"PATH": os.environ["PATH"], **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a checkout of its own, with nothing compiled."""
    leave = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "auditor", tmp_path / "auditor", ignore=leave)
    shutil.copytree(ROOT / "reports", tmp_path / "reports")
    return tmp_path


def kept(copy: Path) -> list[Path]:
    return list((copy / "auditor" / "reports" / "page" / "__pycache__").glob("template-*"))


def test_what_is_kept_gives_the_same_page(copy: Path):
    first = page(copy)
    (file,) = kept(copy)
    written = file.stat().st_mtime_ns
    assert page(copy) == first
    assert file.stat().st_mtime_ns == written


def test_a_changed_template_is_recompiled(copy: Path):
    page(copy)
    template = copy / "reports" / "templates" / TEMPLATE
    template.write_text(template.read_text().replace("<span", "<span data-changed", 1))
    assert "data-changed" in page(copy)


@pytest.mark.parametrize("length", [0, 5, 40, 400])
def test_a_broken_cache_file_is_recompiled(length: int, copy: Path):
    first = page(copy)
    (file,) = kept(copy)
    whole = file.read_bytes()
    file.write_bytes(whole[:length])
    assert page(copy) == first
    assert file.read_bytes() == whole


def test_nothing_is_kept_where_python_keeps_nothing(copy: Path):
    assert page(copy, PYTHONDONTWRITEBYTECODE="1")
    assert kept(copy) == []


def test_a_folder_in_the_way_costs_only_time(copy: Path):
    (copy / "auditor" / "reports" / "page" / "__pycache__").write_text("in the way")
    assert page(copy).startswith("<span")
