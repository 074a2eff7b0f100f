"""Runs the tests of a module, or of a script of the page, on each of its mutants.

    python -m tests.proofs.mutant_run FILE SECONDS OWN... [-- OTHERS...]

It is started by ``mutation.py`` in a copy of the checkout, where the file is overwritten, and
forks for every mutant. Other people's packages are imported once, before it forks; ours and the
tests are imported anew each time, so that what happens at import is broken too. Writes a JSON line
for the tests as they are, and one for each mutant that was run.

``OWN`` are the module's own tests, ``OTHERS`` what stands beside them, of which only what is quick
is asked at first. The tests as they are say which of them run which line. A mutant gets those that
run its line, the quickest first, and then the module's other own: what a test starts as a process
is not seen. Where the line runs at import, or no test is seen to run it, it gets all. What survives
gets the slower tests of its line too, so that no verdict hangs on how fast a machine is.
"""

from __future__ import annotations

import ast
import compileall
import gc
import hashlib
import importlib
import json
import os
import resource
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from py_compile import PycInvalidationMode
from types import FrameType
from typing import Any

import pytest
from hypothesis import Phase, settings

from tests.builders.slow import take, tries
from tests.proofs.mutants import Mutant, mutants_of

#: Of other modules' tests those are asked that take no longer, in seconds.
_QUICK = 1.0
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
    """Takes the tests that killed before first, of ``chosen`` alone, and tells which fails."""

    def __init__(self, first: Sequence[str], chosen: Sequence[str] | None = None) -> None:
        self.chosen = chosen
        self.first = [*first, *(chosen or ())]
        self.failed = ""

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self) -> None:
        take(few=False)
        # A mutant that is found is found: it need be no smaller.
        settings.register_profile(
            "mutants",
            settings.get_profile("unhurried"),
            max_examples=tries(100),
            phases=(Phase.explicit, Phase.generate),
            database=None,
        )
        settings.load_profile("mutants")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if self.chosen is not None:
            chosen = set(self.chosen)
            items[:] = [item for item in items if item.nodeid in chosen]
        ranks: dict[str, int] = {}
        for name in self.first:
            ranks.setdefault(name, len(ranks))
        items.sort(key=lambda item: ranks.get(item.nodeid, len(ranks)))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed = report.nodeid


class _Watch:
    """Notes which lines of a file every test runs, and how long the test takes.

    What runs before the first test, as modules are imported, is noted under "". The file is
    imported then whatever the tests do: one that only functions import would run in a test.
    """

    def __init__(self, path: Path) -> None:
        self._path = str(path.resolve())
        self._name = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
        self._test = ""
        # Python has a line 0 for where a module begins, which is none of the file.
        self.lines: dict[str, set[int]] = {"": {0}}
        self.seconds: dict[str, float] = {}

    def pytest_sessionstart(self) -> None:
        sys.settrace(self._called)
        threading.settrace(self._called)

    def pytest_collection_finish(self) -> None:
        importlib.import_module(self._name)

    def pytest_sessionfinish(self) -> None:
        sys.settrace(None)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        sys.settrace(self._called)  # a test before may have taken it away
        self._test = item.nodeid
        self.lines[self._test] = set()
        begun = time.monotonic()
        done = yield
        self.seconds[self._test] = time.monotonic() - begun
        return done

    def _called(self, frame: FrameType, _event: str, _of: object) -> Any:
        if frame.f_code.co_filename != self._path:
            return None
        found = self.lines[self._test]
        found.add(frame.f_lineno)

        def ran(frame: FrameType, _event: str, _of: object) -> Any:
            found.add(frame.f_lineno)
            return ran

        return ran


def run(
    module: str, seconds: float, own: list[str], others: list[str]
) -> Iterator[dict[str, object]]:
    """Yield what came of the tests as they are, then of each mutant, in an order by chance.

    ``seconds`` is when no other mutant is begun. The order is the same each time: what fits is a
    fair sample of what there is.
    """
    ends = time.monotonic() + seconds
    path = Path(module)
    source = path.read_text(encoding="utf-8")
    tests = [*own, *others]
    _compile_beforehand()
    memory = _MEMORY[path.suffix]
    plain = source if path.suffix == ".js" else ast.unparse(ast.parse(source))
    path.write_text(plain, encoding="utf-8")
    try:
        begun = time.monotonic()
        code, failed, imported = _asked(partial(_tested_first, tests)) or (99, "", [])
        took = time.monotonic() - begun
        yield {"sound": code == 0, "seconds": round(took, 2), "by": failed}
        if code:
            return
        _import(imported)
        # pytest collects garbage as it ends: not what was there before it began.
        gc.collect()
        gc.freeze()
        reached = _reached(path, tests, own) if path.suffix == ".py" else {}
        patience = 10 + 6 * took
        killers: list[str] = []
        for mutant, text in sorted(mutants_of(module, source), key=_by_chance):
            if time.monotonic() > ends:
                break
            path.write_text(text, encoding="utf-8")
            killed, said = False, ""
            for chosen in _chosen(reached, _changed(plain, text)):
                if not killed and chosen != []:
                    files = tests if chosen is None else _files(chosen)
                    work = partial(_tested, files, killers, chosen)
                    killed, said = _forked(work, patience, memory)
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


def _reached(path: Path, tests: list[str], own: list[str]) -> dict[int, list[list[str]]]:
    """Return the tests that run each line of a module, the quickest first; all of them at 0.

    They come in two lists: those that are asked of every mutant, and the slower ones.
    """

    def watched() -> object:
        watch = _Watch(path)
        if pytest.main([*_OPTIONS, *tests], plugins=[_Plugin([]), watch]):
            return {}
        every = sorted(watch.seconds, key=watch.seconds.__getitem__)
        in_place = {test for test in every if test.partition("::")[0] in own}
        slower = {test for test in every if watch.seconds[test] >= _QUICK} - in_place
        found: dict[int, list[str]] = {0: every}
        for test in every:
            for line in watch.lines[test] - watch.lines[""]:
                found.setdefault(line, []).append(test)
        for tests_of_line in found.values():
            beside = set(tests_of_line)
            tests_of_line += [test for test in every if test in in_place - beside]
        return {
            line: [
                [test for test in tests_of_line if test not in slower],
                [test for test in tests_of_line if test in slower],
            ]
            for line, tests_of_line in found.items()
        }

    return {int(line): found for line, found in (_asked(watched) or {}).items()}


def _chosen(reached: dict[int, list[list[str]]], lines: range) -> list[list[str] | None]:
    """Return the tests for what is changed at ``lines``; None means all, where none was watched."""
    if len(lines) == 1 and lines[0] in reached:
        return [*reached[lines[0]]]
    return [*reached.get(0, [None])]


def _changed(before: str, after: str) -> range:
    """Return the numbers of the lines of ``before`` that ``after`` has otherwise."""
    old, new = before.splitlines(), after.splitlines()
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    return range(start + 1, len(old) - end + 1)


def _files(tests: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(test.partition("::")[0] for test in tests))


def _by_chance(pair: tuple[Mutant, str]) -> str:
    return hashlib.sha256(repr(pair[0]).encode()).hexdigest()


def _tested(
    tests: list[str], first: list[str], chosen: Sequence[str] | None = None
) -> tuple[int, str]:
    plugin = _Plugin(first, chosen)
    code = pytest.main([*_OPTIONS, *tests], plugins=[plugin])
    return int(code), plugin.failed


def _tested_first(tests: list[str]) -> tuple[int, str, list[str]]:
    """Run the tests as they are, and keep what pytest compiles; return too what was imported."""
    sys.dont_write_bytecode = False
    code, failed = _tested(tests, [])
    return code, failed, list(sys.modules)


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


def _compile_beforehand() -> None:
    """Compile the checkout once; each file is compared by what it holds, so a mutant is compiled.

    The tests are compiled by pytest, which asks for their age: nothing changes them here.
    """
    by_hash = PycInvalidationMode.CHECKED_HASH
    compileall.compile_dir("auditor", quiet=2, invalidation_mode=by_hash)


def _import(names: list[str]) -> None:
    """Import what a run of the tests imports of other people's packages."""
    for name in names:
        root = name.partition(".")[0]
        if root in ("auditor", "tests", "conftest") or root.startswith("_"):
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                importlib.import_module(name)
        except ImportError:
            continue


def _asked(work: Callable[[], object]) -> Any:
    """Return what some work in a process of its own comes to, through JSON; None for nothing."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            quiet = os.open(os.devnull, os.O_RDWR)
            os.dup2(quiet, 1)
            os.dup2(quiet, 2)
            answer = work()
            with os.fdopen(writing, "w") as pipe:
                json.dump(answer, pipe)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return json.loads(text) if text else None


if __name__ == "__main__":
    at = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    for line in run(sys.argv[1], float(sys.argv[2]), sys.argv[3:at], sys.argv[at + 1 :]):
        print(json.dumps(line), flush=True)
