"""``python -m bench.reports``: how long each format takes to write, and how large it is.

One process, one result of 100,000 connections by ten rules; seconds of the processor, the least of
three. Judging is timed beside it, since a report is to take less.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from auditor.model import Result, Verdict
from auditor.policy import load_policies
from auditor.reports import REPORTS, Format
from auditor.run import audit
from auditor.sources.saved.source import SnapshotSource
from bench.measuring import ROOT

COUNT = 100_000
RULES = "bench/rules.yaml"
SPLIT = 5000
TIMES = 3


def main() -> None:
    """Measure, and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "bench.listing", str(COUNT), folder]
        subprocess.run(command, cwd=ROOT, check=True)
        started = time.process_time()
        result = audit(SnapshotSource(str(Path(folder) / "pages")), load_policies(RULES))
        judged = time.process_time() - started
    started = time.process_time()
    found = len(result.findings)
    described = time.process_time() - started
    rules = len(result.checks)
    print(f"{COUNT:,} x {rules}: {result.counts[Verdict.FAIL]:,} fail, {found:,} findings")
    print(f"{'judging':<16} {judged:>6.2f} s")
    print(f"{'describing':<16} {described:>6.2f} s")
    for name, report in REPORTS.items():
        _measure(name, partial(_rendered, report, result))
        if report.options:
            _measure(f"{name}:split={SPLIT}", partial(_split, result))


def _measure(name: str, write: Callable[[], int]) -> None:
    taken = []
    for _ in range(TIMES):
        started = time.process_time()
        size = write()
        taken.append(time.process_time() - started)
    print(f"{name:<16} {min(taken):>6.2f} s {size / 1e6:>8.2f} MB", flush=True)


def _size(chunks: Iterable[str]) -> int:
    return sum(len(chunk.encode("utf-8", "replace")) for chunk in chunks)


def _rendered(report: Format, result: Result) -> int:
    return _size(report.render(result))


def _split(result: Result) -> int:
    return sum(_size(chunks) for _, chunks in REPORTS["junit"].render_parts(result, SPLIT))


if __name__ == "__main__":
    main()
