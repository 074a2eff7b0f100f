"""The mutation gate: breaks the code that decides, one place at a time; a test has to fail.

    python -m tests.proofs.mutation                     every mutant; fails as a gate
    python -m tests.proofs.mutation past gate           those of a room, of a module
    python -m tests.proofs.mutation --since main        those of what changed since a commit
    python -m tests.proofs.mutation --within 15         no longer than 15 minutes
    python -m tests.proofs.mutation --page              those of the page's scripts, in Chromium

A module is held by the tests in its own place (``tests/past/test_compare*.py``), and by those that
``[tool.mutants.also]`` in ``pyproject.toml`` names. ``mutants.py`` says what is broken. A mutant
that no test notices has to be in ``survivors.toml`` with the reason: by the module, the function,
and the line before and after, so that a change elsewhere in the file makes no entry stale.

A module in the list ``held`` there has 90% of its mutants killed and the others listed; that is
asked of it. Of another module it is told what lives, loudly, and nothing is asked of it yet.

It ends with 0 if the gate is open, 1 if it is shut, 2 for a name that is none, and 3 if what was
run is sound and the time did not suffice for all: that is not a pass.
"""

from __future__ import annotations

import argparse
import ast
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import chain
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from tests.project.test_mirror import MODULES, WITHOUT
from tests.proofs.mutants import mutants_of

ROOT = Path(__file__).parents[2]
LISTED = Path(__file__).with_name("survivors.toml")
LEAST_KILLED = 0.9
#: A change of what every mutant goes through counts as a change of these: small, and what decides.
_FEW = ("auditor/gate.py", "auditor/policy/language/truth.py", "auditor/sources/api/account.py")


@dataclass(frozen=True, order=True)
class Mutant:
    """A mutant that survived: where, and what was changed into what."""

    module: str
    function: str
    change: str


@dataclass
class Tally:
    """What came of a module's mutants."""

    module: str
    of: int
    killed: int = 0
    alive: list[Mutant] = field(default_factory=list)
    broken: str = ""

    @property
    def run(self) -> int:
        return self.killed + len(self.alive)


def main(arguments: Sequence[str]) -> int:
    """Run every mutant, or those that are chosen; return the exit code."""
    asked = _parser().parse_args(arguments)
    if asked.modules:
        print(",".join(every_branch()))
        return 0
    every = scripts() if asked.page else modules()
    strange = [name for name in asked.names if not any(is_called(path, name) for path in every)]
    if strange:
        told = ", ".join(_dotted(path).removeprefix("auditor.") for path in every)
        print(f"no such module: {', '.join(strange)}; there are {told}")
        return 2
    chosen = [
        path
        for path in every
        if not asked.names or any(is_called(path, name) for name in asked.names)
    ]
    if asked.since:
        chosen = _changed(
            asked.since, chosen if asked.page or asked.names else [*every, *scripts()]
        )
    if not chosen:
        print("nothing that is mutated has changed: no mutants to run")
        return 0
    tallies = _run(chosen, asked.within * 60 if asked.within else math.inf, asked.jobs)
    return _judge(tallies)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mutation", description=__doc__, add_help=True)
    parser.add_argument("names", nargs="*", help="modules, or rooms")
    parser.add_argument("--since", metavar="COMMIT", help="only what changed since then")
    parser.add_argument("--page", action="store_true", help="the page's scripts, not the modules")
    parser.add_argument("--within", metavar="MINUTES", type=float)
    parser.add_argument("--jobs", metavar="N", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument(
        "--modules", action="store_true", help="print those with every branch taken"
    )
    return parser


def modules() -> list[str]:
    """Return the modules that are mutated."""
    left_out = set(_expanded("without"))
    return [path for path in _expanded("modules") if path not in left_out]


def scripts() -> list[str]:
    """Return the scripts of the page that are mutated."""
    return _expanded("scripts")


def every_branch() -> list[str]:
    """Return the modules whose branches must all be taken."""
    return _expanded("every_branch")


def _expanded(key: str) -> list[str]:
    patterns: list[str] = _settings()[key]
    found = {str(path.relative_to(ROOT)) for pattern in patterns for path in ROOT.glob(pattern)}
    return sorted(path for path in found if not path.endswith("__init__.py") or _defines(path))


def _defines(path: str) -> bool:
    """Whether a package's own file has functions or classes, and is more than names."""
    body = ast.parse((ROOT / path).read_text(encoding="utf-8")).body
    return any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in body)


def _settings() -> dict[str, Any]:
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text())
    settings: dict[str, Any] = whole["tool"]["mutants"]
    return settings


def held_by(path: str) -> tuple[list[str], list[str]]:
    """Return the test files that hold a module: those in its place, and those named for it.

    Of a module without any they are those where it is said to be tested, in ``test_mirror.py``.
    """
    if path.endswith(".js"):
        table = _settings()["in_the_browser"]
        return table.get(Path(path).stem, table["else"]), []
    place = Path(next(place for place, module in MODULES.items() if module == ROOT / path))
    folder = ROOT / "tests" / place.parent
    own = [folder / f"test_{place.name}.py", *sorted(folder.glob(f"test_{place.name}_*.py"))]
    named = [str(test.relative_to(ROOT)) for test in own if test.is_file()]
    also = [
        str(found.relative_to(ROOT))
        for pattern, tests in dict(_settings()["also"]).items()
        if fnmatchcase(str(place), pattern)
        for test in tests
        for found in sorted(ROOT.glob(test))
    ]
    if not named and not also:
        named = [f"tests/{test}" for test in re.findall(r"[\w/]+\.py", WITHOUT.get(str(place), ""))]
    return named, [name for name in dict.fromkeys(also) if name not in named]


def is_called(path: str, name: str) -> bool:
    """Whether ``name`` means the module at ``path``: itself, its room, or a part of either.

    ``auditor/sources/api/walk.py``, ``auditor.sources.api.walk``, ``sources.api``, ``api/walk.py``
    and ``walk`` all do: whole steps that follow each other. A bare name may mean several modules.
    """
    steps = _dotted(name.removesuffix("/")).split(".")
    own = _dotted(path).split(".")
    starts = range(len(own) - len(steps) + 1)
    return any(own[start : start + len(steps)] == steps for start in starts)


def listed() -> dict[Mutant, str]:
    """Return the survivors that are accepted, each with its reason."""
    entries = tomllib.loads(LISTED.read_text())["survivors"]
    return {
        Mutant(entry["module"], entry["function"], change.strip()): entry["reason"]
        for entry in entries
        for change in entry["changes"]
    }


def _changed(since: str, chosen: Sequence[str]) -> list[str]:
    """Return the modules whose file or tests changed since a commit, what is not committed too.

    Since a commit that is not known, or since one where nothing else is, a few that decide are run.
    """
    base = _git("merge-base", "HEAD", since) or _git("rev-parse", "--verify", f"{since}^{{commit}}")
    if base and base == _git("rev-parse", "HEAD") and not _git("status", "--porcelain"):
        base = _git("rev-parse", "--verify", "HEAD~1^{commit}")
    if not base:
        print(f"MUTANTS: git knows no commit before this one ({since}): {len(_FEW)} modules of all")
        return [path for path in chosen if path in _FEW]
    touched = set(_git("diff", "--name-only", base).splitlines())
    touched.update(_git("ls-files", "--others", "--exclude-standard").splitlines())
    found = [path for path in chosen if touched.intersection([path, *chain(*held_by(path))])]
    print(f"mutants of what changed since {base[:12]}: {len(found)} of {len(chosen)} modules")
    return found


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else ""


def _run(chosen: Sequence[str], seconds: float, jobs: int) -> list[Tally]:
    """Run the modules' mutants, each in a copy of the checkout; return what came of them, in order.

    The time that is left is shared by the modules that are left.
    """
    ends = time.monotonic() + seconds
    waiting = list(chosen)
    copies: SimpleQueue[Path] = SimpleQueue()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        for number in range(jobs):
            copies.put(_copy(Path(folder) / str(number)))

        def one(path: str) -> Tally:
            copy = copies.get()
            share = (ends - time.monotonic()) * jobs / max(len(waiting), jobs)
            try:
                return _run_module(path, copy, share)
            finally:
                waiting.remove(path)
                copies.put(copy)

        with ThreadPoolExecutor(jobs) as pool:
            tallies = []
            for tally in pool.map(one, chosen):
                print(_line(tally), flush=True)
                tallies.append(tally)
    return tallies


def _copy(folder: Path) -> Path:
    """Copy what git knows of the checkout, and what it might; return the folder."""
    for name in _git("ls-files", "--cached", "--others", "--exclude-standard").splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def _run_module(path: str, copy: Path, seconds: float) -> Tally:
    tally = Tally(path, sum(1 for _ in mutants_of(path, (ROOT / path).read_text(encoding="utf-8"))))
    if seconds <= 0:
        return tally
    # Processes that tests start have a home of their own, and run what is broken as well.
    environ = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "tests.proofs.mutant_run", path, str(seconds)]
    own, others = held_by(path)
    with subprocess.Popen(
        [*command, *own, "--", *others],
        cwd=copy,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            said = json.loads(line)
            if "sound" in said:
                tally.broken = "" if said["sound"] else f"its tests fail as they are: {said['by']}"
            elif said["killed"]:
                tally.killed += 1
            else:
                tally.alive.append(Mutant(path, said["function"], said["change"]))
    if process.returncode:
        tally.broken = f"the run ended with {process.returncode}"
    return tally


def _line(tally: Tally) -> str:
    share = f"({100 * tally.killed / tally.run:.1f}%)" if tally.run else ""
    left = f", {tally.of - tally.run} NOT RUN" if tally.run < tally.of else ""
    return f"{tally.module:44} {tally.killed:5} of {tally.run:5} killed {share}{left}"


def held() -> list[str]:
    """Return the modules that the gate is run for."""
    paths: list[str] = tomllib.loads(LISTED.read_text())["held"]
    return paths


def _judge(tallies: Sequence[Tally]) -> int:
    """Print how many died in all and who lives without a reason; return the exit code."""
    accepted = listed()
    whole = Tally("in all", sum(tally.of for tally in tallies))
    whole.killed = sum(tally.killed for tally in tallies)
    whole.alive = sorted(mutant for tally in tallies for mutant in tally.alive)
    print(_line(whole))
    asked = set(held())
    for mutant in whole.alive:
        if mutant.module not in asked:
            print(f"\nalive, in {mutant.module}, {mutant.function}:\n{mutant.change}")
    unheld = [tally.module for tally in tallies if tally.module not in asked]
    if unheld:
        print(f"\nNOT HELD YET, whatever lives in them: {', '.join(unheld)}")
    strange = [
        mutant for mutant in whole.alive if mutant.module in asked and mutant not in accepted
    ]
    for mutant in strange:
        print(f"\nno test noticed, in {mutant.module}, {mutant.function}:\n{mutant.change}")
    gone = [
        mutant
        for tally in tallies
        if tally.run == tally.of
        for mutant in sorted(set(accepted) - set(tally.alive))
        if mutant.module == tally.module
    ]
    for mutant in gone:
        print(f"\nlisted, and no survivor now, in {mutant.module}, {mutant.function}:")
        print(mutant.change)
    few = [tally for tally in tallies if tally.module in asked and not _suffices(tally)]
    for tally in few:
        print(f"\nfewer than {LEAST_KILLED:.0%} of its mutants are killed: {tally.module}")
    broken = [tally for tally in tallies if tally.broken]
    for tally in broken:
        print(f"\nnot judged: {tally.module}: {tally.broken}")
    if strange or few or any(tally.module in asked for tally in broken):
        return 1
    if whole.run < whole.of:
        print(f"\nNOT ALL MUTANTS WERE RUN: {whole.of - whole.run} of {whole.of} are not judged.")
        print(
            "The time did not suffice. This is no pass: run make mutants with the modules' names."
        )
        return 3
    return 0


def _suffices(tally: Tally) -> bool:
    """Whether the share that was killed is enough; of a few, one may live.

    Those that were not run count as killed here: a part of a module says nothing of its share, and
    that they were not run is said elsewhere.
    """
    return len(tally.alive) <= (1 - LEAST_KILLED) * max(tally.of, 10)


def _dotted(path: str) -> str:
    return path.removesuffix(".py").removesuffix(".js").removesuffix("/__init__").replace("/", ".")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
