"""``python -m auditor`` as a fork of a process that has everything imported already.

To start Python and to import take longer than most runs in the tests. A fork has that behind it,
and is a process of its own in all that a test can see: its arguments, folder, environment, streams,
exit code and end. What depends on the start of Python itself is started anew, by ``command.py``.

Under coverage a fork is traced from its first line of ours on, as a process that was started is.
What a module does when it is imported is behind it by then; the process that runs the tests is
traced while it imports the same modules.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

# With it ``make coverage`` sees what the command runs, from its start.
TRACED = "COVERAGE_PROCESS_CONFIG"
_REQUEST = 2**20
_server: socket.socket | None = None
_lock = threading.Lock()


def run_forked(
    arguments: Sequence[str], folder: Path, env: Mapping[str, str], given: bytes, timeout: float
) -> tuple[int, bytes, bytes]:
    """Return the exit code, the output and the errors of the command.

    The code is negative where a signal ended it, as that of ``subprocess``. Raises TimeoutExpired.
    """
    mask = os.umask(0)
    os.umask(mask)
    request = json.dumps([list(arguments), str(folder), dict(env), mask]).encode()
    into, out, err = os.pipe(), os.pipe(), os.pipe()
    ours, theirs = socket.socketpair()
    fds = [into[0], out[1], err[1], theirs.fileno()]
    try:
        with _lock:
            socket.send_fds(_started(), [len(request).to_bytes(4, "big"), request], fds)
    finally:
        for fd in fds[:3]:
            os.close(fd)
        theirs.close()
    told: dict[int, bytes] = {}
    threads = [
        threading.Thread(target=_write, args=(into[1], given)),
        *(threading.Thread(target=_read, args=(fd, told)) for fd in (out[0], err[0])),
    ]
    for thread in threads:
        thread.start()
    with ours:
        pid = int.from_bytes(ours.recv(4), "big")
        ours.settimeout(timeout)
        try:
            status = int.from_bytes(ours.recv(4), "big")
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(list(arguments), timeout) from None
        finally:
            for thread in threads:
                thread.join()
    return os.waitstatus_to_exitcode(status), told[out[0]], told[err[0]]


def _started() -> socket.socket:
    """Return the way to this process's server, which ends with this process."""
    global _server  # noqa: PLW0603  # one a process, made when it is first asked for
    if _server is None:
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.builders.forked", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                cwd=Path(__file__).parents[2],
                # The forks are traced; what serves them would write a file of its own for each.
                env={name: value for name, value in os.environ.items() if name != TRACED},
            )
        _server = ours
        atexit.register(_end, ours, process)
    return _server


def _end(way: socket.socket, process: subprocess.Popen[bytes]) -> None:
    way.close()
    process.wait()


def _write(fd: int, given: bytes) -> None:
    try:
        while given:
            given = given[os.write(fd, given) :]
    except BrokenPipeError:
        return  # the command read no more
    finally:
        os.close(fd)


def _read(fd: int, told: dict[int, bytes]) -> None:
    with open(fd, "rb", closefd=True) as pipe:  # a descriptor
        told[fd] = pipe.read()


def _serve(way: socket.socket) -> None:
    """Fork for every request until the requests end; also returns in each fork."""
    import auditor  # noqa: PLC0415  # the whole of it, in the server alone

    for module in pkgutil.walk_packages(auditor.__path__, "auditor."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    importlib.import_module("coverage")  # for the forks that are traced
    while True:
        size, fds, _, _ = socket.recv_fds(way, 4, 4)
        if not size:
            os._exit(0)
        wanted = int.from_bytes(size, "big")
        request = b""
        while len(request) < wanted:
            request += way.recv(min(wanted - len(request), _REQUEST))
        nanny = os.fork()
        if nanny:
            for fd in fds:
                os.close(fd)
            os.waitpid(nanny, 0)  # it ends once the command has begun
            continue
        way.close()
        if _is_command(fds):
            _become(*json.loads(request), fds)
            return


def _is_command(fds: Sequence[int]) -> bool:
    """Return True in the command's own process; the one that waits for it tells how it ended."""
    if os.fork():
        os._exit(0)
    pid = os.fork()
    if not pid:
        return True
    tell = socket.socket(fileno=fds[3])
    tell.sendall(pid.to_bytes(4, "big"))
    for fd in fds[:3]:
        os.close(fd)
    tell.sendall(os.waitpid(pid, 0)[1].to_bytes(4, "big"))
    os._exit(0)


def _become(
    arguments: list[str], folder: str, env: dict[str, str], mask: int, fds: Sequence[int]
) -> None:
    """Take the place of a process that was started with these."""
    for number, fd in enumerate(fds[:3]):
        os.dup2(fd, number)
    for fd in fds:
        os.close(fd)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    os.umask(mask)
    os.chdir(folder)
    sys.argv = ["auditor", *arguments]
    sys.path[0] = folder
    if TRACED in env:
        importlib.import_module("coverage").process_startup()


def _end_as_python_does(code: object) -> None:
    """End with ``code``; return where Python has to say something about it.

    Left out is to take every module and value apart: that touches all the memory that the fork
    shares with what it was forked from, and takes longer than most commands.
    """
    if not isinstance(code, int | None):
        return
    threading._shutdown()  # type: ignore[attr-defined]  # as Python does, in this order
    atexit._run_exitfuncs()
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):
        return
    os._exit(code or 0)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
    try:
        runpy.run_module("auditor", run_name="__main__", alter_sys=True)
    except SystemExit as ending:
        _end_as_python_does(ending.code)
        raise
