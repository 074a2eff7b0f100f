"""``python -m bench``: a table of what was measured, the goal, and whether it is met.

Ratios of whole processes within one run; single pairs vary by a third on a busy machine, so read
differences under a quarter as equal. Agreement of the verdicts is checked first.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from auditor.sandbox.server import FAKE_KEY, FAKE_SECRET
from bench.facts import write_facts
from bench.measuring import ROOT, measured

SMALL, LARGE = 10_000, 100_000
LATENCY, WALKED = 50, 100  # milliseconds a page, records a page
RULES = "bench/rules.yaml"
KEYS = {"FIVETRAN_API_KEY": FAKE_KEY, "FIVETRAN_API_SECRET": FAKE_SECRET}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    what: str
    figures: str
    value: float
    goal: float
    unit: str = "x"

    def __str__(self) -> str:
        met = "met" if self.value <= self.goal else "MISSED"
        value, goal = f"{self.value:.2f}{self.unit}", f"{self.goal:g}{self.unit}"
        return f"{self.what:<58} {self.figures:>19} {value:>10} {goal:>8}  {met}"


def main() -> None:
    """Measure, and print the table."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for count in (SMALL, LARGE):
            # In a process of its own: what starts large makes its children look large.
            command = [sys.executable, "-m", "bench.listing", str(count), str(folder / str(count))]
            subprocess.run(command, cwd=ROOT, check=True)
        _agree(folder / str(SMALL))
        print(f"{'':<58} {'seconds':>19} {'':>10} {'goal':>8}")
        for row in _rows(folder):
            print(row, flush=True)


def _rows(folder: Path) -> Iterator[Row]:
    small, large = folder / str(SMALL), folder / str(LARGE)
    took = measured({"ours": _audit(small), "plain": _plain(small)}, 9)
    ours, other = took["ours"].seconds, took["plain"].seconds
    yield Row(
        f"{SMALL:,} x 10, html + junit + json: json.load and a loop",
        f"{ours:.2f} : {other:.2f}",
        ours / other,
        1.0,
    )
    ours, other = _walked(folder / "walked")
    pages = SMALL // WALKED
    yield Row(
        f"sandbox, {pages} pages at {LATENCY} ms, three reports: a bare walk",
        f"{ours:.2f} : {other:.2f}",
        ours / other,
        1.1,
    )
    versions = {
        "ours": [str(Path(sys.executable).with_name("fivetran-auditor")), "--version"],
        "click": [sys.executable, "-c", "import click"],
    }
    measures = measured(versions, 25)
    ours, other = measures["ours"].seconds, measures["click"].seconds
    yield Row("--version: import click", f"{ours:.3f} : {other:.3f}", ours / other, 1.3)
    measures = measured({"ours": _python("verdicts", large), "quick": _python("quick", large)}, 5)
    ours, other = measures["ours"].seconds, measures["quick"].seconds
    yield Row(
        f"{LARGE:,} x 10, verdicts only: structs and a loop",
        f"{ours:.2f} : {other:.2f}",
        ours / other,
        2.0,
    )
    write_facts(large)
    took = measured({name: _facts(large, name) for name in ("facts", "none")}, 5)
    ours, other = took["facts"].seconds, took["none"].seconds
    yield Row(
        f"{LARGE:,} x 10, five of them read facts: ten that read none",
        f"{ours:.2f} : {other:.2f}",
        ours / other,
        1.25,
    )
    measures = measured({"small": _audit(small), "large": _audit(large)}, 3)
    each = [measures["small"].seconds / SMALL, measures["large"].seconds / LARGE]
    yield Row(
        f"seconds a record, {LARGE:,} : {SMALL:,}",
        f"{measures['large'].seconds:.2f} : {measures['small'].seconds:.2f}",
        each[1] / each[0],
        1.15,
    )
    yield Row(f"memory at {LARGE:,}, three reports", "", measures["large"].memory, 150, " MiB")
    took_one = measures["large"].seconds
    print(
        f"\n{LARGE / took_one:,.0f} connections a second with three reports; the API serves 5,600."
    )


def _audit(folder: Path) -> list[str]:
    words = ["audit", "--snapshot", str(folder / "pages"), "-p", RULES, "-q"]
    return [sys.executable, "-m", "auditor", *words, "-o", str(folder / "reports")]


def _facts(folder: Path, policy: str) -> list[str]:
    words = ["--snapshot", str(folder / "facts.ndjson"), "-p", str(folder / f"{policy}.yaml")]
    reports = ["-q", "-o", str(folder / f"reports-{policy}")]
    return [sys.executable, "-m", "auditor", "audit", *words, *reports]


def _plain(folder: Path) -> list[str]:
    files = [str(folder / "whole.json"), str(folder / "violations.json")]
    return [sys.executable, "bench/plain.py", *files]


def _python(module: str, argument: Path) -> list[str]:
    return [sys.executable, "-m", f"bench.{module}", str(argument)]


def _walked(reports: Path) -> tuple[float, float]:
    """Return the seconds of an audit and of a bare walk of one account."""
    with _sandbox() as url:
        words = ["audit", "--base-url", url, "--page-size", str(WALKED), "-p", "baseline", "-q"]
        commands = {
            "ours": [sys.executable, "-m", "auditor", *words, "-o", str(reports)],
            "bare": [sys.executable, "-m", "bench.walk", url, str(WALKED)],
        }
        took = measured(commands, 3, KEYS)
    return took["ours"].seconds, took["bare"].seconds


@contextmanager
def _sandbox() -> Iterator[str]:
    """Serve an account in a process of its own, and yield its address."""
    words = ["sandbox", "--port", "0", "--connections", str(SMALL), "--latency", str(LATENCY)]
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "auditor", *words], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            told = process.stdout.readline()
            yield next(word for word in told.split() if word.startswith("http")).rstrip(".")
        finally:
            process.terminate()


def _agree(folder: Path) -> None:
    """Refuse to compare what does not do the same work."""
    commands = [
        _plain(folder),
        _python("quick", folder),
        _python("verdicts", folder),
    ]
    found = [
        json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout)
        for command in commands
    ]
    if any(other != found[0] for other in found):
        raise RuntimeError(f"the verdicts differ: {found}")
    print(f"{sum(found[0].values()):,} violations in {SMALL:,} connections, told alike by all.\n")


if __name__ == "__main__":
    main()
