"""The project's pages as tests read them: what they show, and a folder in which it is done."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

from tests.builders.command import COMMAND


def fits(printed: str, shown: str) -> bool:
    """Whether ``printed`` is what a page shows, where ``…`` stands for what was left out."""
    pattern = re.escape(shown.strip()).replace("…\\\n", "(?:.*\n)*?").replace("…", "(?:.|\n)*")
    return re.fullmatch(pattern, printed.strip()) is not None


def on_path(folder: Path, **programs: str) -> str:
    """Write the programs, each a line of shell, beside the auditor; return the PATH to them."""
    place = folder / "bin"
    place.mkdir(exist_ok=True)
    for name, text in {**programs, "fivetran-auditor": f'exec {shlex.join(COMMAND)} "$@"'}.items():
        (place / name).write_text(f"#!/bin/sh\n{text}\n")
        (place / name).chmod(0o755)
    return f"{place}:{os.environ['PATH']}"
