"""Runs the tests of a module, or of a script of the page, on each of its mutants.

    python -m tests.proofs.mutant_run FILE SECONDS TESTS...

It is started by ``mutation.py`` in a copy of the checkout, where the file is overwritten, and
forks for every mutant. Other people's packages are imported once, before it forks; ours and the
tests are imported anew each time, so that what happens at import is broken too. Writes a JSON line
for the tests as they are, and one for each mutant that was run.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import resource
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import Phase, settings

from tests.proofs.mutants import Mutant, mutants_of

#: A mutant that makes a list without an end is stopped there. Chromium reserves more than it takes.
_MEMORY = {".py": 3 << 30, ".js": resource.RLIM_INFINITY}
_OPTIONS = [
    "-x",
    "-q",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:randomly",
    "-p",
    "no:xdist",
    "-m",
    "not slow",
    "--hypothesis-seed=0",
    "-W",
    "ignore::pytest.PytestAssertRewriteWarning",
]


class _Plugin:
    """Takes the tests that killed before first, and tells which fails."""

    def __init__(self, first: list[str]) -> None:
        self.first = first
        self.failed = ""

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self) -> None:
        # A mutant that is found is found: it need be no smaller.
        settings.register_profile(
            "mutants",
            settings.get_profile("unhurried"),
            phases=(Phase.explicit, Phase.generate),
            database=None,
        )
        settings.load_profile("mutants")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        ranks = {name: rank for rank, name in enumerate(self.first)}
        items.sort(key=lambda item: ranks.get(item.nodeid, len(ranks)))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed = report.nodeid


def run(module: str, seconds: float, tests: list[str]) -> Iterator[dict[str, object]]:
    """Yield what came of the tests as they are, then of each mutant, in an order by chance.

    ``seconds`` is when no other mutant is begun. The order is the same each time: what fits is a
    fair sample of what there is.
    """
    ends = time.monotonic() + seconds
    path = Path(module)
    source = path.read_text(encoding="utf-8")
    _import_beforehand(tests)
    memory = _MEMORY[path.suffix]
    begun = time.monotonic()
    killed, said = _forked(partial(_tested, tests, []), 600, memory)
    took = time.monotonic() - begun
    yield {"sound": not killed, "seconds": round(took, 2), "by": said}
    if killed:
        return
    patience = 10 + 6 * took
    killers: list[str] = []
    try:
        for mutant, text in sorted(mutants_of(module, source), key=_by_chance):
            if time.monotonic() > ends:
                break
            path.write_text(text, encoding="utf-8")
            killed, said = _forked(partial(_tested, tests, killers), patience, memory)
            if killed and said:
                killers = [said, *(name for name in killers if name != said)][:20]
            yield {
                "function": mutant.function,
                "change": mutant.change,
                "killed": killed,
                "by": said,
            }
    finally:
        path.write_text(source, encoding="utf-8")


def _by_chance(pair: tuple[Mutant, str]) -> str:
    return hashlib.sha256(repr(pair[0]).encode()).hexdigest()


def _tested(tests: list[str], first: list[str]) -> tuple[int, str]:
    plugin = _Plugin(first)
    code = pytest.main([*_OPTIONS, *tests], plugins=[plugin])
    return int(code), plugin.failed


def _forked(work: Callable[[], tuple[int, str]], patience: float, memory: int) -> tuple[bool, str]:
    """Return whether the tests failed in a process of their own, and which; too long is failed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 99
        try:
            os.setsid()
            os.close(reading)
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
            quiet = os.open(os.devnull, os.O_RDWR)
            for number in (0, 1, 2):
                os.dup2(quiet, number)
            code, said = work()
            os.write(writing, said.encode()[:4000])
        finally:
            os._exit(code)
    os.close(writing)
    ends = time.monotonic() + patience
    status: int | None = None
    while status is None and time.monotonic() < ends:
        done, raw = os.waitpid(child, os.WNOHANG)
        if done:
            status = os.waitstatus_to_exitcode(raw)
        else:
            time.sleep(0.01)
    _end_session(child)
    if status is None:
        os.waitpid(child, 0)
    with os.fdopen(reading, "rb", closefd=True) as pipe:
        os.set_blocking(pipe.fileno(), False)
        said = (pipe.read() or b"").decode(errors="replace")
    if status == pytest.ExitCode.NO_TESTS_COLLECTED:
        return False, "no tests"
    return status != 0, said if status is not None else "too long"


def _end_session(child: int) -> None:
    """End what the tests started and left behind, and the child where it still runs."""
    try:
        os.killpg(child, signal.SIGKILL)
    except ProcessLookupError:
        return


def _import_beforehand(tests: list[str]) -> None:
    """Import what a run of the tests imports of other people's packages."""
    for name in _imported(lambda: _tested(tests, [])):
        root = name.partition(".")[0]
        if root in ("auditor", "tests", "conftest") or root.startswith("_"):
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                importlib.import_module(name)
        except ImportError:
            continue


def _imported(work: Callable[[], object]) -> list[str]:
    """Return the modules that are there after some work in a process of its own."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            quiet = os.open(os.devnull, os.O_RDWR)
            os.dup2(quiet, 1)
            os.dup2(quiet, 2)
            work()
            with os.fdopen(writing, "w") as pipe:
                json.dump(list(sys.modules), pipe)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    names: list[str] = json.loads(text) if text else []
    return names


if __name__ == "__main__":
    for line in run(sys.argv[1], float(sys.argv[2]), sys.argv[3:]):
        print(json.dumps(line), flush=True)
