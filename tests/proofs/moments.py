"""Runs of the command that are hit at one exact moment: killed, told to stop, refused by the disk.

What a run does to the disk, to the network and to its streams is a list of steps, and equal runs
have equal steps: whoever has seen a whole run can have another one hit at any of them.

    with Runs() as runs:
        whole = runs.run(arguments, folder)
        for number, step in enumerate(whole.steps):
            ended = runs.run(arguments, another_folder, Hit(number, "kill"))

``Runs`` forks each run off one process that has imported everything; ``run_afresh`` starts an
interpreter of its own. Nothing of the command is imported here: this module is read by that
interpreter before anything else.
"""

from __future__ import annotations

import builtins
import errno
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from types import FrameType, TracebackType
from typing import Any, NoReturn, Self

ROOT = Path(__file__).parents[2]
_ARMED = "TESTS_MOMENTS_ARMED"
_SIGNALS = {"kill": signal.SIGKILL, "half": signal.SIGKILL, "int": signal.SIGINT}
_SIGNALS |= {"term": signal.SIGTERM}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
# What the audit events are called here, with how many of their arguments are paths.
_EVENTS = {
    "os.rename": ("rename", 2),
    "os.remove": ("remove", 1),
    "os.mkdir": ("mkdir", 1),
    "os.chmod": ("chmod", 1),
    "os.truncate": ("truncate", 0),
    "fcntl.flock": ("flock", 0),
    "http.client.send": ("send", 0),
}


@dataclass(frozen=True)
class Hit:
    """What happens at step ``at`` (with ``calls``: at the call of a function of that number).

    ``kill``, ``int`` and ``term`` are signals just before the step; ``half`` writes half of what
    is to be written, and kills; the name of an errno is how the step fails.
    """

    at: int
    how: str
    calls: bool = False

    def __str__(self) -> str:
        return f"{self.how} at {'call' if self.calls else 'step'} {self.at}"


@dataclass(frozen=True)
class Ended:
    """A run that ended: ``steps`` are those begun, ``calls`` the functions called, if counted.

    ``code`` is negative for a signal that killed it.
    """

    code: int
    steps: tuple[str, ...]
    calls: int
    out: str
    err: str


# -- in the process that is hit --------------------------------------------------------------------


class _Steps:
    """Tells each step to ``log``, and strikes at the one that was chosen."""

    def __init__(self, folder: str, log: int, hit: Hit | None) -> None:
        self._folder = os.path.realpath(folder) + os.sep
        self._log = log
        self._hit = hit
        self._count = self.calls = 0
        self._write = os.write

    def arm(self) -> None:
        """From here on every step is recorded."""
        real_write, real_fsync, real_open = os.write, os.fsync, io.open
        steps = self

        class Raw(io.FileIO):
            what = "write"

            def write(self, data: Any, /) -> int:
                return steps.writing(self.what, super().write, data)

        def write(descriptor: int, data: Any, /) -> int:
            what = {1: "out", 2: "err"}.get(descriptor, "write")
            return self.writing(what, lambda part: real_write(descriptor, part), data)

        def fsync(descriptor: int) -> None:
            self.step("fsync")
            real_fsync(descriptor)

        def opened(file: Any, mode: str = "r", buffering: int = -1, *more: Any, **how: Any) -> Any:
            ours = isinstance(file, int) or self._ours(file) is not None
            if not ours or not set(mode) & set("wax") or "+" in mode:
                return real_open(file, mode, buffering, *more, **how)
            raw = Raw(file, mode.replace("b", "").replace("t", ""))
            buffered = io.BufferedWriter(raw, max(buffering, 1 << 13))
            return buffered if "b" in mode else io.TextIOWrapper(buffered, *more, **how)

        for name, number in (("out", 1), ("err", 2)):
            with suppress(OSError):
                raw = Raw(number, "wb", closefd=False)
                raw.what = name
                setattr(sys, f"std{name}", io.TextIOWrapper(io.BufferedWriter(raw), "utf-8"))
        os.write, os.fsync, io.open, builtins.open = write, fsync, opened, opened
        sys.addaudithook(self._hear)
        if self._hit is not None and self._hit.calls:
            sys.setprofile(self._profile)

    def step(self, what: str) -> None:
        """Begin a step: what it does has not happened yet."""
        if self._begin(what):
            self._strike()

    def writing(self, what: str, write: Callable[[Any], int], data: Any) -> int:
        """Begin a step that writes ``data``, and take it."""
        if self._begin(what):
            if self._hit is not None and self._hit.how == "half":
                write(bytes(data)[: len(data) // 2])
            self._strike()
        return write(data)

    def _begin(self, what: str) -> bool:
        self._write(self._log, f"{what}\n".encode())
        self._count += 1
        hit = self._hit
        return hit is not None and not hit.calls and hit.at == self._count - 1

    def _strike(self) -> None:
        assert self._hit is not None
        if (number := _SIGNALS.get(self._hit.how)) is not None:
            os.kill(os.getpid(), number)
        else:
            code = getattr(errno, self._hit.how)
            raise OSError(code, os.strerror(code))

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if not isinstance(path, int) and (name := self._ours(path)) is not None:
                self.step(f"{'open' if flags & _WRITES else 'read'} {name}")
        elif event in _EVENTS:
            word, count = _EVENTS[event]
            names = [self._ours(path) for path in arguments[:count]]
            if None not in names:
                self.step(" ".join([word, *map(str, names)]))

    def _ours(self, path: Any) -> str | None:
        """Return ``path`` within the folder; None where it is elsewhere."""
        whole = os.path.abspath(os.fsdecode(path))  # noqa: PTH100  # pathlib has no such function
        return whole.removeprefix(self._folder) if whole.startswith(self._folder) else None

    def _profile(self, frame: FrameType, event: str, _argument: object) -> None:
        # Not within a step: one that is told is taken.
        if event == "call" and frame.f_code.co_filename != __file__:
            self.calls += 1
            if self._hit is not None and self._hit.at == self.calls - 1:
                self._strike()


def arm_from_environment() -> None:
    """Arm this process as ``run_afresh`` has asked for."""
    asked = json.loads(os.environ.pop(_ARMED))
    log = os.open(asked["log"], os.O_WRONLY | os.O_APPEND)
    _Steps(asked["folder"], log, Hit(**asked["hit"]) if asked["hit"] else None).arm()


# -- the process that runs are forked from ---------------------------------------------------------


def _serve() -> None:
    """Run what each line of standard input asks for, and answer with a line."""
    import auditor  # noqa: PLC0415  # whoever only arms itself is spared it

    for module in walk_packages(auditor.__path__, "auditor."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    for line in sys.stdin:
        print(json.dumps(_forked(json.loads(line))), flush=True)


def _forked(asked: dict[str, Any]) -> dict[str, Any]:
    with (
        tempfile.TemporaryFile() as log,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
    ):
        child = os.fork()
        if not child:
            _run(asked, log.fileno(), out.fileno(), err.fileno())
        if asked["kill_after"] is not None:
            time.sleep(asked["kill_after"])
            os.kill(child, signal.SIGKILL)
        started = time.monotonic()
        _, status = os.waitpid(child, 0)
        took = time.monotonic() - started
        for file in (log, out, err):
            file.seek(0)
        steps = log.read().decode().splitlines()
        calls = int(steps.pop().split()[1]) if steps and steps[-1].startswith("calls ") else 0
        return {
            "ended": {
                "code": os.waitstatus_to_exitcode(status),
                "steps": steps,
                "calls": calls,
                "out": out.read().decode(),
                "err": err.read().decode(),
            },
            "took": took,
        }


def _run(asked: dict[str, Any], log: int, out: int, err: int) -> NoReturn:
    """Be the command; end as the interpreter would."""
    code: object = 99
    try:
        os.chdir(asked["folder"])
        nothing = os.open(os.devnull, os.O_RDONLY)
        for ours, theirs in ((nothing, 0), (out, 1), (err, 2)):
            os.dup2(ours, theirs)
        os.environ.clear()
        os.environ.update(asked["env"])
        sys.argv = ["fivetran-auditor", *asked["arguments"]]
        main = import_module("auditor.__main__").main
        # What it begins with, and would be too late for a signal at the first of its calls.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        steps = _Steps(asked["folder"], log, Hit(**asked["hit"]) if asked["hit"] else None)
        steps.arm()
        try:
            main()
        except SystemExit as ending:
            code = ending.code
        except BaseException:  # noqa: BLE001  # as the interpreter tells it
            traceback.print_exc()
            code = 1
        sys.setprofile(None)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        steps._write(log, f"calls {steps.calls}\n".encode())
    finally:
        os._exit(code if isinstance(code, int) else 99)


# -- in the test -----------------------------------------------------------------------------------


class Runs:
    """Runs of the command, each forked from one process that has imported everything."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.proofs.moments"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.communicate(timeout=60)

    def run(
        self,
        arguments: Sequence[str],
        folder: Path,
        hit: Hit | None = None,
        env: Mapping[str, str] | None = None,
        kill_after: float | None = None,
    ) -> Ended:
        """Run the command in ``folder``; with ``kill_after`` it is killed after so many seconds."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        asked = {
            "arguments": list(arguments),
            "folder": str(folder),
            "hit": asdict(hit) if hit else None,
            "env": dict(env or {}),
            "kill_after": kill_after,
        }
        print(json.dumps(asked), file=self._process.stdin, flush=True)
        answer = json.loads(self._process.stdout.readline())
        self.took = answer["took"]
        ended = answer["ended"]
        return Ended(**{**ended, "steps": tuple(ended["steps"])})


def run_afresh(
    command: Sequence[str], folder: Path, hit: Hit | None, env: Mapping[str, str], aside: Path
) -> Ended:
    """Run ``command`` as a process of its own; ``aside`` is a folder for what that takes."""
    aside.mkdir(exist_ok=True)
    log = aside / "steps"
    log.write_bytes(b"")
    (aside / "sitecustomize.py").write_text(
        "from tests.proofs.moments import arm_from_environment\narm_from_environment()\n"
    )
    asked = {"folder": str(folder), "log": str(log), "hit": asdict(hit) if hit else None}
    path = f"{aside}{os.pathsep}{ROOT}"
    done = subprocess.run(
        command,
        cwd=folder,
        env={**env, "PYTHONPATH": path, _ARMED: json.dumps(asked)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
        text=True,
    )
    steps = tuple(log.read_text().splitlines())
    return Ended(done.returncode, steps, 0, done.stdout, done.stderr)


if __name__ == "__main__":
    _serve()
