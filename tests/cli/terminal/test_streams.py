"""What the command writes where: closed and full streams, pipes, colour, progress, injection."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import termios
from collections.abc import Mapping
from pathlib import Path

import pytest

from auditor.sandbox.estate import build_estate
from auditor.sandbox.server import Sandbox
from tests.builders.command import COMMAND, KEYS, environment, file_limit, outcome_in, run, shell
from tests.builders.slow import mostly_slow

MET = "audit --snapshot one.json -p met.yaml"
VIOLATED = "audit --snapshot one.json -p violated.yaml"
RULES = """policy: house
rules:
  - {id: unpaused, severity: high, assert: {paused: VALUE}, message: "{schema} is paused"}
"""
# Colour, title, clipboard, bell, C1, bidirectional override, CI commands, line ends.
HOSTILE = (
    "x\x1b[31m\x1b]0;owned\x07\x1b]52;c;aGk=\x07\x9b31m\u202e"
    "\n::error::hi\r\n##[command]hi\n##vso[task.complete]hi\x00"
)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    record = {"id": "a", "service": "s3", "schema": "orders", "group_id": "g", "paused": False}
    (tmp_path / "one.json").write_text(json.dumps([record]))
    (tmp_path / "hostile.json").write_text(
        json.dumps([{"id": HOSTILE, "service": HOSTILE, "schema": HOSTILE, "paused": False}])
    )
    (tmp_path / "met.yaml").write_text(RULES.replace("VALUE", "false"))
    (tmp_path / "violated.yaml").write_text(RULES.replace("VALUE", "true"))
    return tmp_path


# -- streams that are closed, full or gone ------------------------------------------------------


@pytest.mark.parametrize(
    "script",
    [
        "auditor {} >&-",
        "auditor {} 2>&-",
        "auditor {} >&- 2>&-",
        "auditor {} <&-",
        "auditor {} <&- >&- 2>&-",
        "auditor {} >/dev/full",
        "auditor {} 2>/dev/full",
        "auditor {} >/dev/full 2>&1",
        "auditor {} | true; exit ${{PIPESTATUS[0]}}",
        "auditor {} | head -0; exit ${{PIPESTATUS[0]}}",
        "auditor {} | head -1; exit ${{PIPESTATUS[0]}}",
        "auditor {} 2>&1 | true; exit ${{PIPESTATUS[0]}}",
        "auditor {} -v | true; exit ${{PIPESTATUS[0]}}",
    ],
)
@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    mostly_slow([(VIOLATED, 1, "violations"), (MET, 0, "passed")], 2),
)
def test_a_lost_summary_changes_nothing(
    script: str, arguments: str, code: int, word: str, house: Path
):
    done = shell(script.format(arguments), house)
    assert done.returncode == code, done.stderr
    assert outcome_in(house / "audit-report") == word
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.parametrize(
    "script",
    [
        "auditor {} --report FORMAT=- >&-",
        "auditor {} --report FORMAT=- >/dev/full",
        "auditor {} --report FORMAT=/dev/stdout >/dev/full",
        "auditor {} --report FORMAT=- | true; exit ${{PIPESTATUS[0]}}",
    ],
)
@pytest.mark.parametrize("format_name", mostly_slow(["json", "html", "csv"], 3))
def test_a_report_lost_on_stdout_is_4(script: str, format_name: str, house: Path):
    # More than a pipe holds, so that a reader that is gone is noticed.
    many = [{"id": f"connection_{n}", "schema": "x" * 200, "paused": True} for n in range(2000)]
    (house / "one.json").write_text(json.dumps(many))
    done = shell(script.format(MET).replace("FORMAT", format_name), house)
    assert done.returncode == 4, done.stderr
    assert f"cannot write {format_name}: standard output" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("script", ["auditor {} | true", "auditor {} >/dev/full", "auditor {} >&-"])
@pytest.mark.parametrize("arguments", mostly_slow(["--help", "audit --help", "--version"], 3))
def test_help_nobody_reads_ends_in_peace(script: str, arguments: str, house: Path):
    done = shell(f"{script.format(arguments)}; exit ${{PIPESTATUS[0]}}", house)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_a_disk_that_fills_up_keeps_the_placeholders(house: Path):
    # A file of more than 64 KiB is refused; every placeholder is shorter.
    many = [{"id": f"connection_{n}", "schema": "orders", "paused": True} for n in range(3000)]
    (house / "one.json").write_text(json.dumps(many))
    done = shell(f"trap '' XFSZ; {file_limit(64)}; auditor {MET}", house)
    assert done.returncode == 4, done.stderr
    for name in ("report.html", "junit.xml", "report.json"):
        assert f"{name}: the file is larger than a limit allows" in done.stderr
    assert outcome_in(house / "audit-report") == "placeholder"


def test_a_pipe_is_a_report_file(house: Path):
    done = shell(
        f"mkfifo pipe; cat pipe > got.json & auditor {VIOLATED} --report json=pipe; code=$?;"
        " wait; exit $code",
        house,
    )
    assert done.returncode == 1
    assert json.loads((house / "got.json").read_text())["gate"]["outcome"] == "violations"


# -- who gets stdout ----------------------------------------------------------------------------


@pytest.mark.parametrize("quiet", [False, True])
def test_a_report_on_stdout_has_it_alone(quiet: bool, house: Path):
    flags = ["-q"] if quiet else []
    done = run([*VIOLATED.split(), "--report", "json=-", *flags], house)
    assert done.returncode == 1
    assert json.loads(done.stdout)["gate"]["outcome"] == "violations"
    assert "VIOLATIONS  exit 1" in done.stderr


def test_the_summary_is_on_stdout(house: Path):
    done = run(VIOLATED.split(), house)
    assert done.stderr == ""
    assert done.stdout.endswith("VIOLATIONS  exit 1: 1 high violation of 1 rule\n")


def test_quiet_is_the_answer_alone(house: Path):
    done = run([*VIOLATED.split(), "-q"], house)
    said = "VIOLATIONS  exit 1: 1 high violation of 1 rule; judged by house (violated.yaml)"
    said += "; the saved listing does not say when it was taken\n"
    assert (done.stdout, done.stderr) == (said, "")


def test_a_lost_report_never_looks_like_a_pass(house: Path):
    done = run([*MET.split(), "--report", "csv=/dev/full"], house)
    assert done.returncode == 4
    assert "exit 0" not in done.stdout
    assert "exit 4" in done.stdout


def test_the_summary_counts_as_the_report_does(house: Path):
    done = run(["demo", "--connections", "60"], house)
    counts = json.loads((house / "audit-report" / "report.json").read_text())["counts"]
    told = re.search(r"^  pass .*$", done.stdout, re.MULTILINE)
    assert told is not None
    words = told[0].replace(",", "").split()
    assert dict(zip(words[::2], map(int, words[1::2]), strict=True)) == {
        name: count for name, count in counts.items() if name != "checks"
    }
    assert f"60 connections, {counts['checks']:,} checks" in done.stdout


# -- colour -------------------------------------------------------------------------------------


def on_a_terminal(
    arguments: list[str],
    folder: Path,
    env: Mapping[str, str] | None = None,
    columns: int = 0,
) -> tuple[int, str]:
    """Run the command with a terminal for its three streams; return the code and what it shows.

    Without ``columns`` the terminal does not say how wide it is.
    """
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40 if columns else 0, columns))
    settings = termios.tcgetattr(theirs)
    settings[1] &= ~termios.OPOST  # line ends as they are written
    termios.tcsetattr(theirs, termios.TCSANOW, settings)
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=folder,
        env=environment(env),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 1 << 16):
            shown += piece
    except OSError:  # a terminal whose other side is closed
        pass
    finally:
        os.close(ours)
    return process.wait(timeout=60), shown.decode()


COLOUR = re.compile(r"\x1b\[[0-9;]+m")


@pytest.mark.parametrize(
    ("env", "arguments", "coloured"),
    [
        ({"TERM": "xterm"}, "", True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, "", False),
        ({"TERM": "xterm", "NO_COLOR": ""}, "", True),
        ({"TERM": "dumb"}, "", False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, "", True),
        ({"TERM": "xterm", "FORCE_COLOR": "1", "NO_COLOR": "1"}, "", False),
        ({"TERM": "xterm"}, "--no-color", False),
        ({"TERM": "xterm", "FORCE_COLOR": "1"}, "--no-color", False),
        ({"TERM": "xterm", "CI": "true"}, "", True),
    ],
)
def test_colour_on_a_terminal(env: dict[str, str], arguments: str, coloured: bool, house: Path):
    code, shown = on_a_terminal([*VIOLATED.split(), *arguments.split()], house, env)
    assert code == 1
    assert bool(COLOUR.search(shown)) is coloured
    assert "VIOLATIONS" in COLOUR.sub("", shown)


@pytest.mark.parametrize(
    ("env", "coloured"),
    [
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": ""}, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_colour_in_a_pipe(env: dict[str, str], coloured: bool, house: Path):
    for arguments in (VIOLATED, "audit --snapshot one.json -p nothing"):
        done = run(arguments.split(), house, {"TERM": "xterm", **env})
        assert bool(COLOUR.search(done.stdout + done.stderr)) is coloured


@pytest.mark.parametrize(
    ("env", "arguments", "links"),
    [
        ({"TERM": "xterm"}, "", True),
        ({"TERM": "xterm"}, "--no-color", True),
        ({"TERM": "linux"}, "", False),
        ({"TERM": "xterm", "CI": "true"}, "", False),
        ({"TERM": "xterm", "FORCE_HYPERLINK": "0"}, "", False),
        ({"TERM": "linux", "FORCE_HYPERLINK": "1"}, "", True),
    ],
)
def test_the_report_is_a_link_where_the_terminal_takes_one(
    env: dict[str, str], arguments: str, links: bool, house: Path
):
    _, shown = on_a_terminal([*VIOLATED.split(), *arguments.split()], house, env)
    uri = (house / "audit-report" / "report.html").as_uri()
    assert (f"\x1b]8;;{uri}\x1b\\audit-report/report.html\x1b]8;;\x1b\\" in shown) is links
    assert ("\x1b]8" in shown) is links
    done = run(VIOLATED.split(), house, {"TERM": "xterm"})
    assert "\x1b" not in done.stdout


def test_a_credential_that_a_terminal_folds_is_gone(house: Path):
    """A policy's name is not a record's text: only the terminal's own code looks at it."""
    secret = "Kq7vZp2mXw9tRb4nLc6jKq7vZp2mXw9tRb4nLc6j" * 3
    (house / f"{secret}.yaml").write_text((house / "violated.yaml").read_text())
    words = ["audit", "--snapshot", "one.json", "-p", f"{secret}.yaml"]
    env = {"TERM": "xterm", "FIVETRAN_API_KEY": "key_of_the_run", "FIVETRAN_API_SECRET": secret}
    _, shown = on_a_terminal(words, house, env, columns=60)
    assert "[redacted].yaml" in shown
    assert not any(secret[n : n + 12] in shown for n in range(len(secret) - 11))


# -- progress -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("env", "arguments", "shows"),
    [
        ({"TERM": "xterm"}, "", True),
        ({"TERM": "xterm"}, "-q", False),
        ({"TERM": "xterm", "CI": "1"}, "", False),
        ({"TERM": "dumb"}, "", False),
    ],
)
def test_progress_is_for_a_terminal_and_is_cleared(
    env: dict[str, str], arguments: str, shows: bool, house: Path
):
    with Sandbox(build_estate(12, 7)) as sandbox:
        words = ["audit", "--base-url", sandbox.url, "--page-size", "5", "--fail-on", "none"]
        _, shown = on_a_terminal(
            [*words, *arguments.split(), "-p", "met.yaml"], house, {**KEYS, **env}
        )
    assert ("2 pages, 10 connections" in shown) is shows
    # What stays on the screen: each line as it is after its last return.
    lines = [line.split("\r\x1b[2K")[-1] for line in shown.split("\n")]
    assert not any("pages, 10 connections" in line for line in lines)
    assert ("\r" in shown) is shows


def test_progress_is_not_for_a_pipe(house: Path):
    with Sandbox(build_estate(12, 7)) as sandbox:
        words = ["audit", "--base-url", sandbox.url, "--page-size", "5", "-p", "met.yaml"]
        done = run([*words, "--fail-on", "none"], house, KEYS)
    assert done.stderr == ""
    assert "\r" not in done.stdout


# -- injection ----------------------------------------------------------------------------------

OBEYED = re.compile(r"^\s*::|##\[|##vso\[", re.MULTILINE)
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize(
    "arguments",
    [
        "audit --snapshot hostile.json -p violated.yaml -v",
        "audit --snapshot hostile.json -p violated.yaml --report github=- -v",
        "audit --snapshot ::error::x -p violated.yaml",
        "audit --snapshot one.json -p ::error::x",
        "audit --snapshot one.json -p HOSTILE",
        "audit --snapshot HOSTILE -p violated.yaml",
        "audit --report HOSTILE",
        "audit --HOSTILE",
        "audit --group g --base-url HOSTILE",
        "HOSTILE",
        "audit --snapshot one.json -p HOSTILE.yaml",
        "audit --snapshot one.json -p met.yaml --var HOSTILE",
        "audit --snapshot one.json -p met.yaml --now HOSTILE",
        "audit --snapshot one.json -p met.yaml --report json=one.json/HOSTILE",
    ],
)
def test_no_text_from_outside_is_obeyed(force: bool, arguments: str, house: Path):
    hostile = HOSTILE.replace("\x00", "")
    words = [word.replace("HOSTILE", hostile) for word in arguments.split()]
    done = run(words, house, {**KEYS, **({"FORCE_COLOR": "1"} if force else {})})
    assert done.returncode in (1, 2, 3, 4)
    ours = {"github=-"} & set(words)
    told = done.stderr if ours else done.stdout + done.stderr
    assert not CONTROLS.search(COLOUR.sub("", told) if force else told)
    assert "\x1b[31m\x1b" not in told
    assert not OBEYED.search(COLOUR.sub("", told))
    if ours:
        assert not re.search(r"##\[|\n::error::hi", done.stdout)


def test_a_hostile_policy_is_quoted_harmlessly(house: Path):
    text = RULES.replace("paused: VALUE", '"\\u202e::x\\e[31m": ##[command]').replace(
        "unpaused", "::error::x"
    )
    (house / "odd.yaml").write_text(f"{text}::error::z: ##[group]\n")
    done = run("audit --snapshot one.json -p odd.yaml".split(), house)
    assert done.returncode == 2
    assert not OBEYED.search(done.stderr)
    assert not CONTROLS.search(done.stderr)
