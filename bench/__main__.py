"""``python -m bench``: a table of what was measured, the bar, the dream, and whether they are met.

Ratios of whole processes within one run; single pairs vary by a third on a busy machine, so read
differences under a quarter as equal. Agreement of the verdicts is checked first. Rows that compare
what takes a fraction of a second go by the processor's seconds, which a busy machine moves less;
those say so. With ``--check`` it ends with 1 if a bar is missed; ``--full`` adds what takes
minutes.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from auditor.sandbox.server import FAKE_KEY, FAKE_SECRET
from bench.measuring import ROOT, measured
from bench.rows import HEADING, Row

FEW, SMALL, LARGE, HUGE = 250, 10_000, 100_000, 1_000_000
LATENCIES = {50: 100, 200: 40, 1000: 10}  # milliseconds a page, and how many pages
WALKED = 100  # records a page
LIBRARIES = "import click, msgspec, requests, yaml"
RULES = "bench/rules.yaml"
KEYS = {"FIVETRAN_API_KEY": FAKE_KEY, "FIVETRAN_API_SECRET": FAKE_SECRET}


def main() -> int:
    """Measure, print the table, and return 1 if a bar is missed and ``--check`` was said."""
    parser = argparse.ArgumentParser("python -m bench")
    parser.add_argument("--check", action="store_true", help="end with 1 if a bar is missed")
    parser.add_argument("--full", action="store_true", help=f"also {HUGE:,} connections")
    options = parser.parse_args()
    missed = False
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for count in (FEW, SMALL, LARGE):
            _listing(count, folder)
        _agree(folder / str(SMALL))
        print(HEADING)
        for row in chain(_rows(folder), _huge(folder) if options.full else ()):
            print(row, flush=True)
            missed = missed or not row.met
    return int(missed and options.check)


def _listing(count: int, folder: Path, *more: str) -> Path:
    """Write a listing."""
    _write("listing", str(count), str(folder / str(count)), *more)
    return folder / str(count)


def _write(module: str, *words: str) -> None:
    """Write the files of another module of the bench."""
    subprocess.run([sys.executable, "-m", f"bench.{module}", *words], cwd=ROOT, check=True)


def _rows(folder: Path) -> Iterator[Row]:
    small, large = folder / str(SMALL), folder / str(LARGE)
    took = measured({"ours": _audit(small), "plain": _plain(small)}, 9)
    ours, other = took["ours"].seconds, took["plain"].seconds
    yield Row(
        f"{SMALL:,} x 10, html + junit + json: json.load and a loop",
        f"{ours:.2f} : {other:.2f}",
        ours / other,
        0.9,
        0.7,
    )
    for latency, pages in LATENCIES.items():
        ours, other = _walked(folder / "walked", latency, pages)
        yield Row(
            f"sandbox, {pages} pages at {latency:,} ms, three reports: a bare walk",
            f"{ours:.2f} : {other:.2f}",
            ours / other,
            1.05,
            1.02,
        )
    command = str(Path(sys.executable).with_name("fivetran-auditor"))
    for option in ("--version", "--help"):
        yield _started(option, [command, option], "import click", 1.2, 1.0)
    few = _audit(folder / str(FEW))
    yield _started(f"{FEW} x 10, three reports", few, LIBRARIES, 1.6, 1.3)
    measures = measured({"ours": _python("verdicts", large), "quick": _python("quick", large)}, 5)
    ours, other = measures["ours"].seconds, measures["quick"].seconds
    yield Row(
        f"{LARGE:,} x 10, verdicts only: structs and a loop",
        f"{ours:.2f} : {other:.2f}",
        ours / other,
        2.0,
        1.3,
    )
    _write("facts", str(large))
    took = measured({name: _facts(large, name) for name in ("facts", "none")}, 5)
    ours, other = took["facts"].seconds, took["none"].seconds
    yield Row(
        f"{LARGE:,} x 10, five of them read facts: ten that read none",
        f"{ours:.2f} : {other:.2f}",
        ours / other,
        1.25,
        1.1,
    )
    measures = measured({"small": _audit(small), "large": _audit(large), "plain": _plain(large)}, 3)
    ours, other = measures["large"].seconds, measures["plain"].seconds
    yield Row(
        f"{LARGE:,} x 10, html + junit + json: json.load and a loop",
        f"{ours:.2f} : {other:.2f}",
        ours / other,
        0.34,
        0.25,
    )
    each = [measures["small"].seconds / SMALL, measures["large"].seconds / LARGE]
    yield Row(
        f"seconds a record, {LARGE:,} : {SMALL:,}",
        f"{measures['large'].seconds:.2f} : {measures['small'].seconds:.2f}",
        each[1] / each[0],
        1.15,
        1.0,
    )
    yield Row(f"memory at {LARGE:,}, three reports", "", measures["large"].memory, 150, 80, " MiB")
    yield from _planned(small)
    print(f"{LARGE / ours:,.0f} connections a second with three reports; the API serves 5,600.")


def _planned(folder: Path) -> Iterator[Row]:
    """Yield the rows of a plan over an account, with as many resources as there are connections."""
    _write("plan", str(folder))
    words = ["audit", "--terraform-plan", str(folder / "plan.json"), "-p", RULES, "-q"]
    words += ["--over", str(folder / "pages"), "-o", str(folder / "reports")]
    took = measured({"plan": [sys.executable, "-m", "auditor", *words]}, 5)["plan"]
    what = f"a plan of {SMALL:,} resources over {SMALL:,} connections"
    yield Row(f"{what}, three reports", "", took.seconds, 2, 1, " s")
    yield Row(f"memory of {what}", "", took.memory, 300, 300, " MiB")


def _huge(folder: Path) -> Iterator[Row]:
    """Yield the row of what no account has."""
    huge = _listing(HUGE, folder, "--forms", "pages", "--share", "0.02")
    took = measured({"huge": _audit(huge)}, 1, warm=False)["huge"]
    what = f"memory at {HUGE:,}, three reports, 2% violations"
    yield Row(what, f"{took.seconds:.2f}", took.memory, 600, 250, " MiB")


def _started(what: str, ours: list[str], imports: str, bar: float, dream: float) -> Row:
    """Compare a command with a process that only imports, by the processor's seconds."""
    took = measured({"ours": ours, "imports": [sys.executable, "-c", imports]}, 25)
    mine, other = took["ours"].processor, took["imports"].processor
    figures = f"{mine:.3f} : {other:.3f} cpu"
    return Row(f"{what}: {imports}", figures, mine / other, bar, dream)


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


def _walked(reports: Path, latency: int, pages: int) -> tuple[float, float]:
    """Return the seconds of an audit and of a bare walk of one account."""
    with _sandbox(latency, pages * WALKED) as url:
        words = ["audit", "--base-url", url, "--page-size", str(WALKED), "-p", "baseline", "-q"]
        commands = {
            "ours": [sys.executable, "-m", "auditor", *words, "-o", str(reports)],
            "bare": [sys.executable, "-m", "bench.walk", url, str(WALKED)],
        }
        took = measured(commands, 3, KEYS)
    return took["ours"].seconds, took["bare"].seconds


@contextmanager
def _sandbox(latency: int, connections: int) -> Iterator[str]:
    """Serve an account in a process of its own, and yield its address."""
    words = ["sandbox", "--port", "0", "--gzip"]
    words += ["--connections", str(connections), "--latency", str(latency)]
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
    sys.exit(main())
