"""The command as a process of its own, and what its report files say afterwards."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from auditor.reports.facts import UNFINISHED
from auditor.sandbox.server import FAKE_KEY, FAKE_SECRET
from tests.builders.forked import TRACED, run_forked

KEPT = ("PATH", "HOME", "LANG", "SYSTEMROOT", "VIRTUAL_ENV", TRACED)
# Variables that Python reads when it starts, and never again.
_AT_START = ("PYTHON", "LC_", "LANG")
_LONGEST = 60.0
KEYS = {"FIVETRAN_API_KEY": FAKE_KEY, "FIVETRAN_API_SECRET": FAKE_SECRET}
COMMAND = (sys.executable, "-m", "auditor")


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an environment that says nothing of CI, colour or an account, and ``more``."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {**kept, **(more or {})}


def untraced(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return ``environment(more)`` for a process without coverage."""
    return {name: value for name, value in environment(more).items() if name != TRACED}


def run(
    arguments: Sequence[str],
    folder: Path,
    env: Mapping[str, str] | None = None,
    given: bytes = b"",
) -> subprocess.CompletedProcess[str]:
    """Run the command in ``folder`` with ``given`` on its standard input."""
    theirs, words = environment(env), [*COMMAND, *arguments]
    if not any(name.startswith(_AT_START) for name in (env or ())):
        code, out, err = run_forked(arguments, folder, theirs, given, _LONGEST)
    else:
        done = subprocess.run(
            words,
            cwd=folder,
            env=theirs,
            input=given,
            capture_output=True,
            timeout=_LONGEST,
            check=False,
        )
        code, out, err = done.returncode, done.stdout, done.stderr
    return subprocess.CompletedProcess(words, code, out.decode(), err.decode())


def in_bash(script: str) -> list[str]:
    """Return what runs ``script`` in bash, where ``auditor`` is the command."""
    return ["bash", "-c", f'auditor() {{ {shlex.join(COMMAND)} "$@"; }}\n{script}']


def file_limit(blocks: int) -> str:
    """Return what lets no file of the script's grow longer than ``blocks`` KiB.

    A module that Python compiles is no exception: cut short, it would stay behind and fail every
    later run.
    """
    return f"export PYTHONDONTWRITEBYTECODE=1; ulimit -f {blocks}"


def shell(
    script: str, folder: Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``script`` as ``in_bash`` does, in ``folder``."""
    return subprocess.run(
        in_bash(script),
        cwd=folder,
        env=environment(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
        text=True,
    )


def outcome_in(folder: Path) -> str:
    """Return the outcome that the three default reports in ``folder`` agree on.

    ``none`` when there is no report, ``placeholder``, or the word of the gate.
    """
    names = ("report.html", "junit.xml", "report.json")
    there = [(folder / name).is_file() for name in names]
    if not any(there):
        return "none"
    assert all(there), f"some reports are missing: {sorted(folder.iterdir())}"
    said = {
        _in_html(folder / "report.html"),
        _in_junit(folder / "junit.xml"),
        _in_json(folder / "report.json"),
    }
    assert len(said) == 1, f"the reports disagree: {said}"
    assert not list(folder.glob(".*")), "a temporary file was left behind"
    return said.pop()


def _in_json(path: Path) -> str:
    document: dict[str, Any] = json.loads(path.read_bytes())
    if document["gate"]["reasons"] == ["the run did not finish"]:
        return "placeholder"
    counts = document["counts"]
    assert counts["checks"] == sum(counts.values()) - counts["checks"]
    word: str = document["gate"]["outcome"]
    return word


def _in_junit(path: Path) -> str:
    suites = ET.parse(path).getroot().findall("testsuite")
    listing = next(suite for suite in suites if suite.get("name") == "listing")
    error = listing.find("testcase/error")
    if error is not None and UNFINISHED in error.get("message", ""):
        return "placeholder"
    said = {p.get("name"): p.get("value") for p in listing.iter("property")}["outcome"]
    assert said is not None
    broken = any(int(suite.get("errors", "0")) for suite in suites)
    failed = any(int(suite.get("failures", "0")) for suite in suites)
    assert said != "inconclusive" or broken
    assert said != "violations" or (failed and not broken)
    assert said != "passed" or not broken
    return said


def _in_html(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    assert text.rstrip().endswith("</html>")
    title = text.split("<title>", 1)[1].split("</title>", 1)[0]
    if "did not finish" in title:
        return "placeholder"
    words = [word for word in ("passed", "violations", "inconclusive") if word in title.lower()]
    assert len(words) == 1, title
    return words[0]
