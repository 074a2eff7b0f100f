"""Work in a second process: done there, or done again here, and never left unfinished."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from auditor.output.beside import beside
from tests.builders.command import COMMAND, environment, in_bash, untraced

pytestmark = pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2,
    reason="a second process helps where there are two processors that can be counted",
)

# In a process with one thread, as the command is; the tests' own may have several.
_BEGIN = """
import os, signal, sys, time
from pathlib import Path
from auditor.output.beside import beside
place = Path(sys.argv[1])
"""
COUNT = 6_000


def _python(script: str, place: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _BEGIN + script, str(place)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert not done.stderr
    return done.stdout


def test_what_was_done_there_is_done(tmp_path: Path) -> None:
    script = """
with beside(lambda: b"%d" % os.getpid()) as answer:
    print(int(answer()) != os.getpid(), answer())
for nothing in (b"", None, "text"):
    with beside(lambda: nothing) as answer:
        print(answer())
"""
    assert _python(script, tmp_path) == "True None\n" + 3 * "b''\n"


def test_more_than_a_pipe_holds_is_handed_over_whole(tmp_path: Path) -> None:
    script = """
with beside(lambda: b"0123456789" * 100_000) as answer:
    print(answer() == b"0123456789" * 100_000)
"""
    assert _python(script, tmp_path) == "True\n"


def test_closed_streams_take_nothing_from_the_answer(tmp_path: Path) -> None:
    script = """
for stream in range(3):
    os.close(stream)
with beside(lambda: b"whole") as answer:
    place.write_bytes(answer())
os._exit(0)
"""
    assert _python(script, tmp_path / "answer") == ""
    assert (tmp_path / "answer").read_bytes() == b"whole"


def test_a_half_written_answer_is_none(tmp_path: Path) -> None:
    script = """
with beside(lambda: b"0123456789" * 100_000) as answer:
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    os.kill(int(children[0]), signal.SIGKILL)
    print(answer())
"""
    assert _python(script, tmp_path) == "None\n"


@pytest.mark.parametrize(
    "ill", ["1 / 0", "sys.exit(0)", "os.kill(os.getpid(), signal.SIGKILL)", "os._exit(3)"]
)
def test_what_ended_otherwise_is_not_done_and_says_nothing(ill: str, tmp_path: Path) -> None:
    script = f"""
def work():
    print("of no interest")
    {ill}
with beside(work) as answer:
    print(answer(), answer())
"""
    assert _python(script, tmp_path) == "None None\n"


def test_the_other_process_ends_with_the_block_and_tidies_up(tmp_path: Path) -> None:
    script = """
def work():
    try:
        place.write_text(str(os.getpid()))
        time.sleep(600)
    finally:
        place.with_name("tidy").touch()
try:
    with beside(work):
        while not (place.exists() and place.read_text()):
            time.sleep(0.01)
        raise KeyError
except KeyError:
    print("ended")
try:
    os.kill(int(place.read_text()), 0)
except ProcessLookupError:
    print("gone")
"""
    assert _python(script, tmp_path / "other") == "ended\ngone\n"
    assert (tmp_path / "tidy").exists()


def test_beside_other_threads_nothing_begins() -> None:
    ended = threading.Event()
    thread = threading.Thread(target=ended.wait)
    thread.start()
    try:
        with beside(lambda: b"") as answer:
            assert answer() is None
    finally:
        ended.set()
        thread.join()


@pytest.mark.parametrize("why", ["no process", "one processor"])
def test_where_none_can_be_had_nothing_begins(why: str, tmp_path: Path) -> None:
    script = f"""
def refuse():
    raise BlockingIOError(11, "no process")
if {why!r} == "no process":
    os.fork = refuse
else:
    os.sched_setaffinity(0, {{min(os.sched_getaffinity(0))}})
def work():
    place.touch()
    return b""
with beside(work) as answer:
    print(answer())
"""
    assert _python(script, tmp_path / "there") == "None\n"
    assert not (tmp_path / "there").exists()


# -- through the command ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def listing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a listing in which every connection breaks a rule, and the rule."""
    folder = tmp_path_factory.mktemp("many")
    records = [
        {"id": f"connection_{n}", "group_id": "one", "service": "s3", "schema": f"s{n}",
         "sync_frequency": 1}
        for n in range(COUNT)
    ]  # fmt: skip
    (folder / "listing.json").write_text(json.dumps(records))
    (folder / "rules.yaml").write_text(
        "policy: house\nrules:\n  - {id: slow, severity: high,"
        " assert: {sync_frequency: {gte: 15}}}\n"
    )
    return folder


_AUDIT = (
    "audit", "--snapshot", "listing.json", "-p", "rules.yaml", "--now", "2026-01-01T00:00:00Z",
)  # fmt: skip


def _ended(
    listing: Path, folder: Path, script: str, *, processors: int = 2
) -> tuple[int, str, str, dict[str, bytes]]:
    some = set(sorted(os.sched_getaffinity(0))[:processors])
    # A file of coverage would meet the limit too.
    done = subprocess.run(
        in_bash(script.format(f"auditor {shlex.join([*_AUDIT, '-o', str(folder)])}")),
        cwd=listing,
        env=untraced() if "ulimit" in script else environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=lambda: os.sched_setaffinity(0, some),
    )
    files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    said = done.stdout.replace(str(folder), "DIR"), done.stderr.replace(str(folder), "DIR")
    return done.returncode, *said, files


@pytest.mark.parametrize("script", ["{}", "export PYTHONDONTWRITEBYTECODE=1; ulimit -f 200; {}"])
def test_one_processor_and_two_give_the_same_files(
    script: str, listing: Path, tmp_path: Path
) -> None:
    one = _ended(listing, tmp_path / "one", script, processors=1)
    two = _ended(listing, tmp_path / "two", script)
    assert one == two
    assert one[0] == (1 if script == "{}" else 4)


def test_a_signal_ends_both(listing: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, *_AUDIT, "-o", str(tmp_path)],
        cwd=listing,
        env=environment(),
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    # As soon as one of the reports is begun: the placeholders are all there.
    last, begun = tmp_path / "report.json", tmp_path.glob
    while process.poll() is None and not (last.exists() and [*begun(".fivetran-auditor-*.tmp")]):
        time.sleep(0.001)
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=60)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"report.html", "junit.xml", "report.json"}
    assert process.returncode in {130, 1}, told
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
