"""Whole processes, timed in turn, so that what slows the machine down slows all of them down."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Measured:
    """What one command took: seconds by the clock and by the processor (medians), MiB at most.

    ``spread`` is how many seconds by the clock the middle half of the runs lie apart.
    """

    seconds: float
    processor: float
    memory: float
    spread: float = 0.0


def measured(
    commands: Mapping[str, Sequence[str]],
    times: int,
    env: Mapping[str, str] | None = None,
    *,
    warm: bool = True,
) -> dict[str, Measured]:
    """Run each command in turn, ``times`` times over, after one run of each that warms up."""
    if warm:
        for command in commands.values():
            _run(command, env)
    runs: dict[str, list[Measured]] = {name: [] for name in commands}
    for _ in range(times):
        for name, command in commands.items():
            runs[name].append(_run(command, env))
    return {
        name: Measured(
            median(run.seconds for run in of),
            median(run.processor for run in of),
            max(run.memory for run in of),
            _spread(sorted(run.seconds for run in of)),
        )
        for name, of in runs.items()
    }


def _spread(seconds: Sequence[float]) -> float:
    return seconds[3 * len(seconds) // 4] - seconds[len(seconds) // 4]


def _run(command: Sequence[str], env: Mapping[str, str] | None) -> Measured:
    told = subprocess.run(
        [sys.executable, "-m", "bench.once", *command],
        cwd=ROOT,
        env={**_plain(), **(env or {})},
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    code, seconds, processor, memory = json.loads(told)
    if code not in (0, 1):
        raise RuntimeError(f"exit {code}: {' '.join(command)}")
    return Measured(seconds, processor, memory)


def _plain() -> dict[str, str]:
    """Return the environment as users have it: modules are compiled once, output is buffered."""
    developers = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")
    return {name: value for name, value in os.environ.items() if name not in developers}
