"""What holds for every test: no address but loopback, nothing changed in /dev, a browser.

A writer that is broken, and run by root, would put its report in the place of ``/dev/full``: the
tests write to devices, and a mutant of the writer is just that.

The tests of the HTML report need Chromium. Where it is missing they are left out, and said to be,
so that Python alone is enough for ``make test``; in CI they fail instead.
"""

from __future__ import annotations

import gc
import ipaddress
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, settings

from tests.builders.slow import take, tries

pytest_plugins = ["tests.builders.browser", "tests.builders.listed", "tests.builders.paper"]

_CHROMIUM = Path("/usr/bin/chromium")
_MEMORY = Path("/dev/shm")
#: Bytes, of which the tests need a part.
_ROOM = 4 * 2**30
#: Python tells of events until its very end, when nothing has its name any more.
_REACHES: Final = frozenset({"socket.connect", "socket.sendto", "socket.bind"})
#: Where in an event's arguments the path is that comes, changes or goes.
_CHANGES: Final = {"os.rename": 1, "os.link": 1, "os.symlink": 1, "os.remove": 0, "os.mkdir": 0}


class _PatientSys:
    """``sys`` for ``threading``, whose new threads are traced under coverage.

    Two threads that install a tracer at once are refused by Python, and the thread that was refused
    ends before it did anything. This one waits for its turn.
    """

    def __getattr__(self, name: str) -> Any:
        return getattr(sys, name)

    def settrace(self, hook: Callable[..., Any] | None) -> None:
        for _ in range(1000):
            try:
                return sys.settrace(hook)
            except RuntimeError:
                time.sleep(0.001)
        return None


if threading.gettrace() is not None:
    threading._sys = _PatientSys()  # type: ignore[attr-defined]


def _only_loopback(
    event: str, arguments: tuple[object, ...], watched: frozenset[str] = _REACHES
) -> None:
    """Refuse a socket's address that is neither local nor a file."""
    if event not in watched:
        return
    address = arguments[1]
    if isinstance(address, tuple) and not _is_loopback(str(address[0])):
        raise AssertionError(f"a test reaches beyond loopback: {event} {address}")


def _no_device_changed(
    event: str, arguments: tuple[object, ...], watched: Mapping[str, int] = _CHANGES
) -> None:
    """Refuse to make, replace or remove anything in /dev; writing to it is fine."""
    if event == "open":
        path, _, flags = arguments
        if not isinstance(flags, int) or not flags & os.O_CREAT or not _is_device(path):
            return
        if os.path.lexists(str(path)):
            return
    elif event not in watched or not _is_device(arguments[watched[event]]):
        return
    raise AssertionError(f"a test changes what is in /dev: {event} {arguments}")


def _is_device(path: object) -> bool:
    return isinstance(path, str | os.PathLike) and os.path.dirname(path) == "/dev"  # noqa: PTH120  # called at every file that is opened


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _keep_files_in_memory() -> None:
    """Let the tests' files be made in memory, where there is room and programs may run.

    What the auditor writes it writes down to the disk, file by file and folder by folder, and would
    wait for the disk for a good part of the suite. Nothing that a test sees is another there.
    """
    if "TMPDIR" in os.environ or not os.access(_MEMORY, os.W_OK | os.X_OK):
        return
    room = os.statvfs(_MEMORY)
    if room.f_bavail * room.f_frsize < _ROOM or room.f_flag & os.ST_NOEXEC:
        return
    os.environ["TMPDIR"] = str(_MEMORY)
    tempfile.tempdir = None


def pytest_configure(config: pytest.Config) -> None:
    # Collecting makes nothing but what stays: looking for garbage in it takes as long again.
    gc.disable()
    # The slow tests make whole environments, which is no affair of memory.
    quick = "not slow" in config.option.markexpr
    take(few=quick)
    if quick:
        _keep_files_in_memory()
    # Either would fail on a machine that is busy with something else.
    settings.register_profile(
        "unhurried",
        max_examples=tries(100),
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("unhurried")
    # An audit hook cannot be taken back; it ends with the process that runs the tests.
    sys.addaudithook(_only_loopback)
    sys.addaudithook(_no_device_changed)
    for name in list(os.environ):
        if name.startswith("FIVETRAN_"):
            del os.environ[name]


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if _CHROMIUM.exists() or os.environ.get("CI"):
        return
    missing = pytest.mark.skip(reason=f"NOT TESTED IN A BROWSER: {_CHROMIUM} is not installed")
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(missing)
