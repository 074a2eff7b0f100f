"""``fivetran-auditor sandbox``: a process that serves until it is told to stop."""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
import sys

import pytest
import requests

from auditor.cli.commands.sandbox import _completed
from auditor.sandbox.faults import FAULTS
from tests.builders.command import COMMAND, run

RUN = [*COMMAND, "sandbox"]


def said(process: subprocess.Popen[str], start: str) -> str:
    """Return the next line of output that begins with ``start``, without it."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip().startswith(start):
            return line.strip().removeprefix(start)
    raise AssertionError(f"it never said {start}")


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_lines_it_prints_work_and_a_signal_ends_it(ending):
    options = ["--port", "0", "--connections", "60", "--seed", "3", "--healthy", "--gzip"]
    with subprocess.Popen([*RUN, *options], stdout=subprocess.PIPE, text=True) as process:
        try:
            key = said(process, "export FIVETRAN_API_KEY=")
            secret = said(process, "export FIVETRAN_API_SECRET=")
            url = said(process, "export FIVETRAN_AUDITOR_BASE_URL=")
            answer = requests.get(f"{url}/v1/connections", auth=(key, secret), timeout=10)
            assert len(answer.json()["data"]["items"]) == 60
            assert answer.headers["Content-Encoding"] == "gzip"
        finally:
            process.send_signal(ending)
        assert "stopped" in process.communicate(timeout=10)[0]
    assert process.returncode == 0


def test_a_fault_is_announced():
    options = ["--port", "0", "--fault", "html-gateway", "--fault", "users/{id}:forbidden"]
    start = "It goes wrong on purpose, at "
    with subprocess.Popen([*RUN, *options], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert said(process, start) == f"connections: {FAULTS['html-gateway'].doc}."
            assert said(process, start) == f"users/{{id}}: {FAULTS['forbidden'].doc}."
        finally:
            process.terminate()


def test_whose_key_it_is_can_be_chosen():
    options = ["--port", "0", "--connections", "60", "--reach", "team"]
    with subprocess.Popen([*RUN, *options], stdout=subprocess.PIPE, text=True) as process:
        try:
            key = said(process, "export FIVETRAN_API_KEY=")
            secret = said(process, "export FIVETRAN_API_SECRET=")
            url = said(process, "export FIVETRAN_AUDITOR_BASE_URL=")
            answer = requests.get(f"{url}/v1/connections", auth=(key, secret), timeout=10)
            assert 0 < len(answer.json()["data"]["items"]) < 60
        finally:
            process.terminate()


def test_what_only_the_company_knows_is_written_and_the_line_that_uses_it_works(tmp_path):
    """The printed command finds what each of the three rules on such facts looks for."""
    options = ["--port", "0", "--write-facts", "our facts"]
    with subprocess.Popen(
        [*RUN, *options], stdout=subprocess.PIPE, text=True, cwd=tmp_path
    ) as process:
        try:
            keys = {
                name: said(process, f"export {name}=")
                for name in (
                    "FIVETRAN_API_KEY",
                    "FIVETRAN_API_SECRET",
                    "FIVETRAN_AUDITOR_BASE_URL",
                )
            }
            line = said(process, "fivetran-auditor audit -p cost")
            while line.endswith("\\"):
                line = line.removesuffix("\\") + said(process, "")
            words = ["audit", "-p", "cost", *shlex.split(line), "--report", "json=found.json"]
            assert run(words, tmp_path, keys).returncode == 1
        finally:
            process.terminate()
    rules = json.loads((tmp_path / "found.json").read_text())["rules"]
    failed = {rule["id"]: rule["counts"]["fail"] for rule in rules}
    for name in ("sync-floors-hold", "mar-budgets-hold", "data-stays-in-its-region"):
        assert failed[name] > 0
    # They are the user's now: those of another account do not take their place.
    again = run(["sandbox", *options, "--seed", "8"], tmp_path)
    assert again.returncode == 2
    assert "mar_used.csv is there, and is another" in again.stderr


def test_faults_are_completed():
    offers = _completed(None, None, "users/{id}:f")  # type: ignore[arg-type]  # neither is read
    assert offers == ["users/{id}:forbidden"]
    assert "groups:" in _completed(None, None, "gr")  # type: ignore[arg-type]
    assert _completed(None, None, "html") == ["html-gateway"]  # type: ignore[arg-type]


def test_help_names_every_fault(tmp_path):
    told = run(["sandbox", "--help"], tmp_path)
    assert told.returncode == 0
    text = re.sub(r"\s+|-(?=\s)", "", told.stdout)
    for name, fault in FAULTS.items():
        assert name.replace("-", "") in text.replace("-", "")
        assert re.sub(r"\s+", "", fault.doc).replace("-", "") in text.replace("-", "")


@pytest.mark.parametrize(
    "options",
    [
        ["--port", "70000"],
        ["--latency", "-1"],
        ["--fault", "rain"],
        ["--fault", "grups:forbidden"],
        ["--fault", "users/{id}:moved"],
        ["--reach", "galaxy"],
        ["--hourly-limit", "0"],
    ],
)
def test_wrong_options_are_usage_errors(options, tmp_path):
    told = run(["sandbox", *options], tmp_path)
    assert told.returncode == 2
    assert options[0] in told.stderr


def test_the_command_is_light_to_import():
    program = (
        "import sys, click; import auditor.cli.commands.sandbox;"
        "print({'msgspec', 'requests', 'http.server', 'auditor.sandbox.estate'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
