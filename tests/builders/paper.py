"""A page of the browser on paper: what each sheet says, as pdftotext reads it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Page

PDFTOTEXT = shutil.which("pdftotext")


@pytest.fixture
def pdftotext() -> None:
    """Skip where nothing reads a PDF; CI fails instead."""
    if PDFTOTEXT is None:
        assert not os.environ.get("CI"), "pdftotext is not installed (poppler-utils)"
        pytest.skip("NOT TRIED ON PAPER: pdftotext is not installed")


def sheets(page: Page, folder: Path, paper: str = "A4") -> list[str]:
    """Print ``page``, and return the text of each sheet, cell by cell, with blanks as one."""
    file = folder / "printed.pdf"
    page.emulate_media(media="print")
    page.pdf(path=file, format=paper, print_background=True)
    page.emulate_media(media="screen")
    assert PDFTOTEXT is not None
    done = subprocess.run(
        [PDFTOTEXT, "-raw", file, "-"], capture_output=True, text=True, check=True
    )
    # Each sheet ends with a form feed.
    return [" ".join(text.split()) for text in done.stdout.split("\f")[:-1]]
