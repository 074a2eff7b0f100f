"""``python -m bench.peers``: peers with the same rules and records, as one table.

A peer's verdicts are compared with ours, pair by pair, before it is timed. One that differs is told
and not timed; one that is not there is skipped with a word; one that takes more than 20 seconds for
10,000 records is not run with more. With ``--check`` it ends with 1 if a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from auditor.version import __version__
from bench.measuring import ROOT, Measured, measured
from bench.peers.table import DUCKDB, HERE, PEERS, POLARS, Peer
from bench.rows import HEADING, Row

COUNT, TRIAL = 100_000, 10_000
#: Seconds: what takes longer in the trial is not run with more; what never ends is ended; what
#: takes longer is run once.
LONG, ENDLESS, SLOW = 20.0, 300.0, 5.0
TIMES = 5
RULES = "bench/rules.yaml"
QUICK, OURS, REPORTS = "fast reference", "ours, verdicts only", "ours, three reports"
PYTHON = ROOT / ".venv" / "peers" / "bin" / "python"
NODE_MODULES = ROOT / ".venv" / "peers" / "node" / "node_modules"
#: Prints the version of each package whose modules are all there.
_PROBE = """
import importlib.metadata, importlib.util, json, sys
found = {}
for package, *modules in json.loads(sys.argv[1]):
    try:
        if all(importlib.util.find_spec(module) for module in modules):
            found[package] = importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        pass
print(json.dumps(found))
"""


@dataclass(frozen=True, slots=True)
class Answered:
    """What a run with ``--pairs`` came to: its seconds, and a word on what is wrong with it."""

    seconds: float
    wrong: str = ""


def main() -> int:
    """Compare, measure, print the table; return 1 if a bar is missed and ``--check`` was said."""
    parser = argparse.ArgumentParser("python -m bench.peers")
    parser.add_argument("--count", type=int, default=COUNT, help="how many records")
    parser.add_argument("--check", action="store_true", help="end with 1 if a bar is missed")
    options = parser.parse_args()
    versions = versions_of(PEERS)
    with tempfile.TemporaryDirectory() as place:
        sizes = sorted({min(TRIAL, options.count), options.count})
        folders = [_listing(size, Path(place)) for size in sizes]
        words = _words(folders, versions)
        took = _took(folders[-1], [peer for peer in PEERS if not words[peer.name]])
    print(f"Ten rules over {options.count:,} records; whole processes, medians.\n")
    print(f"{'':<28}{'seconds':>9}{'MiB':>8}{'ratio':>8}  version")
    for line in _lines(took, words, versions):
        print(line)
    missed = False
    print(f"\n{HEADING}")
    for row in rows(took):
        print(row)
        missed = missed or not row.met
    if lacking := untimed(took):
        print(lacking)
        missed = True
    return int(missed and options.check)


def untimed(took: Mapping[str, Measured]) -> str:
    """Return which of DuckDB and polars was not timed, so that nobody knows the faster; or ""."""
    names = " and ".join(name for name in (DUCKDB, POLARS) if name not in took)
    return names and f"NOT MEASURED: {names}; the bars are about the faster of the two"


def rows(took: Mapping[str, Measured]) -> list[Row]:
    """Return what has a bar: ours against the faster of DuckDB and polars, where one was timed."""
    others = {name: took[name].seconds for name in (DUCKDB, POLARS) if name in took}
    if not others:
        return []
    name = min(others, key=lambda each: others[each])
    return [
        Row(
            f"{what}: {name}",
            f"{took[what].seconds:.2f} : {others[name]:.2f}",
            took[what].seconds / others[name],
            bar,
            dream,
        )
        for what, bar, dream in ((REPORTS, 2.5, 1.5), (OURS, 1.0, 0.7))
    ]


def versions_of(peers: Sequence[Peer]) -> dict[str, str]:
    """Return the version of each package that is there, with all that its script needs."""
    found: dict[str, str] = {}
    if PYTHON.exists():
        asked = [[peer.package, *peer.modules] for peer in peers if not peer.in_node]
        command = [str(PYTHON), "-c", _PROBE, json.dumps(asked)]
        found = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    for peer in peers:
        told = NODE_MODULES / peer.package / "package.json"
        if peer.in_node and shutil.which("node") and told.exists():
            found[peer.package] = json.loads(told.read_bytes())["version"]
    return found


def _words(folders: Sequence[Path], versions: Mapping[str, str]) -> dict[str, str]:
    """Return a word for each peer that is not to be timed, and "" for the others."""
    quick, ours = (sys.executable, "-m", "bench.quick"), (sys.executable, "-m", "bench.verdicts")
    expected = [pairs([*ours, str(folder)])[0] for folder in folders]
    for folder, each in zip(folders, expected, strict=True):
        if difference(pairs([*quick, str(folder)])[0], each):
            raise RuntimeError("the fast reference and the auditor differ")
    print(f"{len(expected[-1]):,} violations. Comparing the verdicts ...", flush=True)
    return {peer.name: word(peer, folders, expected, versions) for peer in PEERS}


def word(
    peer: Peer,
    folders: Sequence[Path],
    expected: Sequence[set[str]],
    versions: Mapping[str, str],
) -> str:
    """Return why a peer is not to be timed, "" if its pairs are the ``expected`` of each folder."""
    if peer.lacks:
        return f"not run: {peer.lacks}"
    if peer.package not in versions:
        return "skipped: not installed"
    for folder, each in zip(folders, expected, strict=True):
        answered = _answered(peer, folder, each)
        if answered.wrong:
            return answered.wrong
        if folder is not folders[-1] and answered.seconds > LONG:
            return f"not run with more: {answered.seconds:.1f} s for {_count_of(folder):,}"
    return ""


def _answered(peer: Peer, folder: Path, expected: set[str]) -> Answered:
    started = time.perf_counter()
    try:
        found, failed = pairs(_command(peer, folder))
    except subprocess.TimeoutExpired:
        return Answered(ENDLESS, f"ended after {ENDLESS:.0f} s for {_count_of(folder):,}")
    seconds = time.perf_counter() - started
    return Answered(seconds, failed or difference(found, expected))


def difference(found: set[str], expected: set[str]) -> str:
    """Return how two sets of pairs differ, in words: "" where they do not."""
    more, fewer = found - expected, expected - found
    if not more and not fewer:
        return ""
    example = min(more or fewer)
    return f"not timed: differs, {len(more):,} more and {len(fewer):,} fewer, such as {example}"


def pairs(command: Sequence[str]) -> tuple[set[str], str]:
    """Return the lines that a command prints with ``--pairs``, and why there are none."""
    with subprocess.Popen(
        [*command, "--pairs"],
        cwd=ROOT,
        env={**os.environ, **_ENVIRONMENT},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            told, errors = process.communicate(timeout=ENDLESS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # with what it started itself
            raise
    if process.returncode:
        last = errors.strip().splitlines()[-1:] or [f"exit {process.returncode}"]
        return set(), f"not timed: failed, {last[0][:120]}"
    return set(told.splitlines()), ""


def _took(folder: Path, peers: Sequence[Peer]) -> dict[str, Measured]:
    """Measure all in turn; those that take long once, after the others."""
    print("Measuring ...\n", flush=True)
    python, pages = sys.executable, str(folder / "pages")
    reports = ["-m", "auditor", "audit", "--snapshot", pages, "-p", RULES, "-q", "-o"]
    commands = {
        QUICK: [python, "-m", "bench.quick", str(folder)],
        OURS: [python, "-m", "bench.verdicts", str(folder)],
        REPORTS: [python, *reports, str(folder / "reports")],
    }
    theirs = {peer.name: _command(peer, folder) for peer in peers}
    once = measured(theirs, 1, _ENVIRONMENT, warm=False)
    fast = {name: command for name, command in theirs.items() if once[name].seconds < SLOW}
    return {**once, **measured({**commands, **fast}, TIMES, _ENVIRONMENT)}


_ENVIRONMENT = {"NODE_PATH": str(NODE_MODULES)}


def _command(peer: Peer, folder: Path) -> list[str]:
    if peer.in_node:
        return ["node", str(HERE / peer.script), str(folder)]
    return [str(PYTHON), "-m", f"bench.peers.{peer.script.removesuffix('.py')}", str(folder)]


def _listing(count: int, place: Path) -> Path:
    folder = place / str(count)
    command = [sys.executable, "-m", "bench.listing", str(count), str(folder)]
    subprocess.run([*command, "--forms", "pages,whole,lines"], cwd=ROOT, check=True)
    return folder


def _count_of(folder: Path) -> int:
    """Return how many records a folder holds, which is its name."""
    return int(folder.name)


def _lines(
    took: Mapping[str, Measured], words: Mapping[str, str], versions: Mapping[str, str]
) -> Iterator[str]:
    """Yield the lines of the table: ours, then the peers by their seconds, then the others."""
    told = {OURS: __version__, REPORTS: __version__, QUICK: ""}
    told |= {peer.name: versions.get(peer.package, "") for peer in PEERS}
    names = [QUICK, OURS, REPORTS]
    names += sorted(took.keys() - set(names), key=lambda name: took[name].seconds)
    for name in names:
        one = took[name]
        ratio = one.seconds / took[QUICK].seconds
        yield f"{name:<28}{one.seconds:>9.2f}{one.memory:>8.0f}{ratio:>8.1f}  {told[name]}"
    for name, word in words.items():
        if word:
            yield f"{name:<28}{'':>25}  {' '.join(filter(None, (told[name], word)))}"


if __name__ == "__main__":
    sys.exit(main())
