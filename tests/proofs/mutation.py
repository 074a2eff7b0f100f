"""The mutation gate: breaks the code that decides, a place at a time, and wants a test to fail.

    python -m tests.proofs.mutation             every mutant, some minutes; fails as a gate
    python -m tests.proofs.mutation sources.api.walk redaction    those of a module, of a room

mutmut makes the mutants and runs the tests that reach each of them; what it mutates and which
tests it takes stands in ``pyproject.toml``. A mutant that no test notices has to be in
``survivors.toml`` with the reason: by the module, the function, and the line before and after, so
that a change elsewhere in the file makes no entry stale.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
COPY = ROOT / "mutants"
LISTED = Path(__file__).with_name("survivors.toml")
LEAST_KILLED = 0.9

#: What mutmut calls a mutant that no test noticed; whatever else it says of one, a test run died.
_ALIVE = frozenset({"survived", "no tests"})
_NOT_RUN = frozenset({"not checked", "skipped"})


@dataclass(frozen=True, order=True)
class Mutant:
    """A mutant that survived: where, and what was changed into what."""

    module: str
    function: str
    change: str


def main(arguments: Sequence[str]) -> int:
    """Run every mutant, or those of the modules named; return 1 where the gate is shut."""
    if arguments == ["--modules"]:
        print(",".join(modules()))
        return 0
    strange = [name for name in arguments if not any(is_called(path, name) for path in modules())]
    if strange:
        told = ", ".join(_dotted(path).removeprefix("auditor.") for path in modules())
        print(f"no such module: {', '.join(strange)}; there are {told}")
        return 2
    chosen = [
        path
        for path in modules()
        if not arguments or any(is_called(path, name) for name in arguments)
    ]
    shutil.rmtree(COPY, ignore_errors=True)
    patterns = [f"{_dotted(path)}.*" for path in chosen] if arguments else []
    _mutmut("run", *patterns, told=True)
    results = {
        name: status for name, status in _results() if any(_is_of(name, path) for path in chosen)
    }
    return _judge(chosen, results)


def modules() -> list[str]:
    """Return the modules that are mutated, and of which every branch is to be taken."""
    options = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mutmut"]
    paths: list[str] = options["only_mutate"]
    return paths


def is_called(path: str, name: str) -> bool:
    """Whether ``name`` means the module at ``path``: itself, its room, or a part of either.

    ``auditor/sources/api/walk.py``, ``auditor.sources.api.walk``, ``sources.api``, ``api/walk.py``
    and ``walk`` all do: whole steps that follow each other. A bare name may mean several modules.
    """
    steps = name.removesuffix("/").removesuffix(".py").replace("/", ".").split(".")
    own = _dotted(path).split(".")
    starts = range(len(own) - len(steps) + 1)
    return any(own[start : start + len(steps)] == steps for start in starts)


def listed() -> dict[Mutant, str]:
    """Return the survivors that are accepted, each with its reason."""
    entries = tomllib.loads(LISTED.read_text())["survivors"]
    return {
        Mutant(entry["module"], entry["function"], change): entry["reason"]
        for entry in entries
        for change in entry["changes"]
    }


def _judge(chosen: Sequence[str], results: dict[str, str]) -> int:
    """Print how many died of every module and who lives without a reason; return the exit code."""
    unrun = [name for name, status in results.items() if status in _NOT_RUN]
    alive = [name for name, status in results.items() if status in _ALIVE]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = dict(zip(alive, pool.map(_shown, alive), strict=True))
    for path in chosen:
        own = [name for name in results if _is_of(name, path)]
        left = sum(name in found for name in own)
        if own:
            print(f"{path:34} {len(own) - left:5} of {len(own):5} killed {_share(own, left)}")
    print(f"{'in all':34} {len(results) - len(alive):5} of {len(results):5} killed", end=" ")
    print(_share(list(results), len(alive)))
    accepted = listed()
    strange = sorted(mutant for mutant in found.values() if mutant not in accepted)
    for mutant in strange:
        print(f"\nno test noticed, in {mutant.module}, {mutant.function}:\n{mutant.change}")
    gone = sorted(set(accepted) - set(found.values())) if len(chosen) == len(modules()) else []
    for mutant in gone:
        print(f"\nlisted, and no survivor now, in {mutant.module}, {mutant.function}:")
        print(mutant.change)
    if unrun:
        print(f"\n{len(unrun)} mutants were not run")
    if not results or unrun or strange:
        return 1
    return int(len(alive) > (1 - LEAST_KILLED) * len(results))


def _share(names: Sequence[str], left: int) -> str:
    return f"({100 * (len(names) - left) / len(names):.1f}%)" if names else ""


def _results() -> Iterator[tuple[str, str]]:
    """Yield the name of every mutant, and what mutmut says of it."""
    for line in _mutmut("results", "--all", "true").splitlines():
        name, _, status = line.strip().rpartition(": ")
        if name:
            yield name, status


def _shown(name: str) -> Mutant:
    """Return what the mutant changes, as the lines that go and the lines that come."""
    lines = _mutmut("show", name).splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("@@"))
    change = [line for line in lines[start + 1 :] if line.startswith(("-", "+"))]
    path = next(path for path in modules() if _is_of(name, path))
    function = name.removeprefix(f"{_dotted(path)}.").partition("__mutmut_")[0]
    function = function.removeprefix("x_").removeprefix("x\u01c1").replace("\u01c1", ".")
    return Mutant(path, function, "\n".join(f"{line[0]} {line[1:].strip()}" for line in change))


def _dotted(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _is_of(name: str, path: str) -> bool:
    return name.rpartition("__mutmut_")[0].rpartition(".")[0] == _dotted(path)


def _mutmut(*arguments: str, told: bool = False) -> str:
    """Run mutmut and return what it wrote; with ``told`` its end is shown where it fails."""
    done = subprocess.run(
        [Path(sys.executable).with_name("mutmut"), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = f"{done.stdout}\n{done.stderr}".replace("\r", "\n").splitlines()
        print("\n".join(lines[-30:] if told else lines[-1:]))
        print(f"mutmut {arguments[0]} ended with {done.returncode}")
        sys.exit(1)
    return done.stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
