"""A run that is told to stop, or that meets a bug: the code, and what is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from auditor.sandbox.estate import build_estate
from auditor.sandbox.server import FAKE_KEY, FAKE_SECRET, Sandbox
from tests.builders.command import COMMAND, KEYS, environment, outcome_in, run

# Slower than any test waits: whoever is asked for the second page is still walking.
NEVER = 30.0


@contextmanager
def walking(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start an audit of an account that does not answer, and wait until it has asked."""
    with Sandbox(build_estate(3, 7), latency=NEVER) as sandbox:
        process = subprocess.Popen(
            [*COMMAND, "audit", "--base-url", sandbox.url, *arguments],
            cwd=folder,
            env=environment(KEYS),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            until(lambda: bool(sandbox.requests))
            yield process
        finally:
            process.kill()
            process.communicate()


def until(ready: Callable[[], bool]) -> None:
    for _ in range(3000):
        if ready():
            return
        time.sleep(0.01)
    raise AssertionError("it never got there")


@pytest.mark.parametrize(
    ("number", "code", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_a_signal_ends_the_walk_and_leaves_placeholders(
    number: signal.Signals, code: int, word: str, tmp_path: Path
):
    with walking(tmp_path) as process:
        process.send_signal(number)
        out, err = process.communicate(timeout=10)
    assert process.returncode == code
    assert word in err
    assert (out, "Traceback" in err) == ("", False)
    assert outcome_in(tmp_path / "audit-report") == "placeholder"


def test_a_killed_run_leaves_placeholders(tmp_path: Path):
    with walking(tmp_path) as process:
        process.kill()
        process.communicate(timeout=10)
    assert process.returncode == -signal.SIGKILL
    assert outcome_in(tmp_path / "audit-report") == "placeholder"


def test_ctrl_c_reaches_the_whole_pipeline(tmp_path: Path):
    # As a terminal does it: the reader of the summary is gone before the summary is.
    with walking(tmp_path, "--report", "html", "--report", "junit", "--report", "json") as process:
        assert process.stdout is not None
        process.stdout.close()
        process.send_signal(signal.SIGINT)
        process.wait(timeout=10)
    assert process.returncode == 130
    assert outcome_in(tmp_path / "audit-report") == "placeholder"


#: A gate that takes a signal in a generator that is being closed, and then does what follows.
SWALLOWED = """
import os, signal
import auditor.run
real = auditor.run.decide
def closed():
    try:
        yield
    finally:
        os.kill(os.getpid(), signal.SIGTERM)
def decide(*arguments):
    generator = closed()
    next(generator)
    del generator
"""

# What a process meets when a part of it goes wrong: read by Python before anything else.
BROKEN = {
    "a report": """
import auditor.reports.json
def render(result):
    yield "half of a report"
    raise RuntimeError("the secret is {secret}")
auditor.reports.json.render = render
""",
    "the judge": """
import auditor.run
def decide(*arguments):
    raise KeyError("{secret}")
auditor.run.decide = decide
""",
    "a pipe of its own": """
import auditor.run
def decide(*arguments):
    raise BrokenPipeError(32, "Broken pipe")
auditor.run.decide = decide
""",
    "a signal while it tidies up": """
import os, signal, time
import auditor.reports.writer
def prepare(self, *arguments):
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(30)
    finally:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(30)
auditor.reports.writer.ReportWriter.prepare = prepare
""",
    "a signal where nothing can be raised": f"""
import time
{SWALLOWED}    time.sleep(30)
auditor.run.decide = decide
""",
    # As on Windows: the run goes on to its end.
    "the same without a timer": f"""
{SWALLOWED}    return real(*arguments)
auditor.run.decide = decide
del signal.setitimer
""",
    "a signal while an error is told": """
import os, signal
import auditor.cli.terminal.streams
real = auditor.cli.terminal.streams.Terminal.complain
def complain(self, text):
    auditor.cli.terminal.streams.Terminal.complain = real
    os.kill(os.getpid(), signal.SIGTERM)
    real(self, text)
auditor.cli.terminal.streams.Terminal.complain = complain
""",
    "a signal before anything else": """
import os, signal
import auditor.cli.terminal.streams
def from_environment():
    os.kill(os.getpid(), signal.SIGTERM)
auditor.cli.terminal.streams.Terminal.from_environment = from_environment
""",
    "a signal after everything else": """
import os, signal
import auditor.cli.terminal.streams
def close(self):
    os.kill(os.getpid(), signal.SIGTERM)
auditor.cli.terminal.streams.Terminal.close = close
""",
}


def broken(part: str, folder: Path) -> dict[str, str]:
    """Return an environment in which ``part`` of the command is broken."""
    place = folder / "broken"
    place.mkdir()
    (place / "sitecustomize.py").write_text(BROKEN[part].replace("{secret}", FAKE_SECRET))
    root = Path(__file__).parents[2]
    return {**KEYS, "PYTHONPATH": f"{place}{os.pathsep}{root}"}


@pytest.fixture
def saved(tmp_path: Path) -> list[str]:
    (tmp_path / "one.json").write_text(
        '[{"id": "a", "service": "s", "schema": "t", "group_id": "g", "paused": false}]'
    )
    (tmp_path / "met.yaml").write_text(
        "policy: p\nrules:\n  - {id: r, severity: low, assert: {paused: false}}\n"
    )
    return ["audit", "--snapshot", "one.json", "-p", "met.yaml"]


@pytest.mark.parametrize(
    ("part", "kind", "reports"),
    [
        ("a report", "RuntimeError", "the others"),
        ("the judge", "KeyError", "none of them"),
        ("a pipe of its own", "BrokenPipeError", "none of them"),
    ],
)
@pytest.mark.parametrize("verbose", [False, True])
def test_a_bug_is_4_and_says_so(
    part: str, kind: str, reports: str, verbose: bool, saved: list[str], tmp_path: Path
):
    done = run([*saved, *(["-v"] if verbose else [])], tmp_path, broken(part, tmp_path))
    assert done.returncode == 4
    assert f"error: {kind}: " in done.stderr
    assert "this is a bug in the auditor" in done.stderr
    assert ("Traceback" in done.stderr) is verbose
    assert ("run it with -v" in done.stderr) is not verbose
    assert "PASSED" not in done.stdout
    for secret in (FAKE_KEY, FAKE_SECRET):
        assert secret not in done.stdout + done.stderr
    json = (tmp_path / "audit-report" / "report.json").read_text()
    assert "the run did not finish" in json
    html = (tmp_path / "audit-report" / "report.html").read_text()
    assert ("did not finish" in html) is (reports == "none of them")
    assert not list((tmp_path / "audit-report").glob(".*"))


def test_a_second_signal_ends_at_once(saved: list[str], tmp_path: Path):
    # The first one is being tidied up, and would be for half a minute.
    done = run(saved, tmp_path, broken("a signal while it tidies up", tmp_path))
    assert done.returncode == 130
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("part", "told", "reports"),
    [
        (
            "a signal where nothing can be raised",
            "error: terminated: the run decided",
            "placeholder",
        ),
        ("the same without a timer", "error: terminated: the run decided", "passed"),
        ("a signal while an error is told", "error: terminated: the run decided", "placeholder"),
        ("a signal before anything else", "", "none"),
        ("a signal after everything else", "", "passed"),
    ],
)
def test_a_signal_is_its_code_wherever_it_comes(
    part: str, told: str, reports: str, saved: list[str], tmp_path: Path
):
    if "error" in part:
        saved[-1] = "nothing.yaml"
    done = run(saved, tmp_path, broken(part, tmp_path))
    assert done.returncode == 143
    assert done.stderr.startswith(told)
    assert done.stderr.count("\n") == bool(told)
    assert outcome_in(tmp_path / "audit-report") == reports
