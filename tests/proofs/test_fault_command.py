"""Faults met by the command itself, in its own process, with every report."""

from __future__ import annotations

import gc
import os
import sys
import warnings
from functools import partial
from pathlib import Path

import pytest

from auditor.cli.main import main
from auditor.reports import REPORTS
from auditor.run import Options
from auditor.sources.api.client import HttpOptions
from tests.builders.canaries import CANARIES, ECHOES, KEY, SECRET, leaked
from tests.builders.certificates import certified
from tests.builders.command import KEYS, run
from tests.builders.every_report import said_by_all, texts_of
from tests.builders.fault_server import FaultServer, response
from tests.proofs.faults import NOW, RULES, Fault, account
from tests.proofs.test_faults import FAULTS

_OUTCOMES = {0: "passed", 1: "violations", 3: "inconclusive"}
CANARY_KEYS = {"FIVETRAN_API_KEY": KEY, "FIVETRAN_API_SECRET": SECRET}
_BY_NAME = {fault.name: fault for fault in FAULTS}
CHOSEN = [
    "P1 the same page for ever",
    "P2 a circle of 7",
    "P3 5 empty pages between",
    "P4 nothing at all",
    "P5 an id twice, then a quiet walk",
    "P7 next_cursor is 1",
    "P9 items null, on the second page",
    "P10 no code",
    "P13 the item None at 0",
    "H1 401 on the second page",
    "H2 wait '121'",
    "H8 302 to another host",
    "H11 gzip without its last 9, once",
    "H13 201, with the account",
    "H14 a byte order mark",
    "R6 a key twice, the last breaks",
    "R7 NaN in what no rule reads",
    "R10 a lone surrogate in schema",
]


@pytest.mark.parametrize("name", CHOSEN)
def test_the_command_answers_as_the_run_does(name: str, tmp_path: Path) -> None:
    fault = _BY_NAME[name]
    policy = tmp_path / "policy.yaml"
    policy.write_text(RULES)
    reports = [f"--report={name}" for name in REPORTS]
    with FaultServer(fault.script(account())) as server:
        done = run(
            ["audit", "-p", str(policy), f"--base-url={server.url}", *reports], tmp_path, KEYS
        )
    assert done.returncode == fault.code, done.stderr
    assert said_by_all(tmp_path / "audit-report") == _OUTCOMES[fault.code]
    assert "Traceback" not in done.stdout + done.stderr
    assert fault.says in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_command_meets_every_fault(
    fault: Fault,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Its exit code and its words; no secret is in them or in a file it leaves."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    for name, value in (*CANARY_KEYS.items(), ("TMPDIR", str(tmp_path)), ("COLUMNS", "10000")):
        monkeypatch.setenv(name, value)
    patience = {"attempt_seconds": 20.0, "random": lambda: 1.0, "sleep": lambda _: None}
    # What it does to its own process stays out of ours.
    monkeypatch.setattr("auditor.cli.main.signal.signal", lambda *_: None)
    monkeypatch.setattr(gc, "freeze", lambda: None)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    # The time and the patience are the run's only doors that have no option.
    monkeypatch.setattr(
        "auditor.sources.api.client.HttpOptions",
        lambda **given: HttpOptions(**{**given, **patience, **fault.http}),
    )
    monkeypatch.setattr("auditor.cli.commands.audit.Options", partial(Options, clock=lambda: NOW))
    policy = tmp_path / "policy.yaml"
    policy.write_text(fault.rules)
    arguments = ["-p", str(policy), "-o", str(tmp_path / "reports")]
    arguments += [f"--report={name}" for name in REPORTS]
    for name, value in {**fault.source, **fault.run}.items():
        option = f"--{name.replace('_', '-')}"
        arguments.append(option if value is True else f"{option}={value}")
    with FaultServer(fault.script(account())) as server, warnings.catch_warnings():
        if fault.leaks:
            warnings.simplefilter("ignore", ResourceWarning)
        with pytest.raises(SystemExit) as ended:
            main(["audit", "-v", f"--base-url={server.url}", *arguments])
        gc.collect()
    policy.unlink()
    said = "".join(capfd.readouterr())
    assert ended.value.code == fault.code, said
    assert "Traceback" not in said
    assert fault.says in said
    assert said_by_all(tmp_path / "reports") == _OUTCOMES[fault.code]
    written = "\n".join((said, *texts_of(tmp_path).values()))
    assert leaked(written, [*CANARIES.values(), *ECHOES]) == []


def test_a_certificate_that_nobody_trusts(tmp_path: Path) -> None:
    with FaultServer([response()], tls=certified("loopback")) as server:
        done = run(["audit", f"--base-url={server.url}"], tmp_path, KEYS)
        assert server.requests == []
    assert done.returncode == 3
    assert "certificate" in done.stdout
    assert "insecure" not in done.stdout + done.stderr


def test_a_port_where_nobody_listens(tmp_path: Path) -> None:
    with FaultServer([response()]) as server:
        url = server.url
    done = run(["audit", f"--base-url={url}", "--timeout=3"], tmp_path, KEYS)
    assert done.returncode == 3
    # Whether the attempts came to an end or the time did.
    assert "connection refused" in done.stdout


@pytest.mark.parametrize("line", ["root:hunter2:19000:0:::", "hunter2", "db: hunter2", "[hunter2"])
def test_a_configuration_that_leads_elsewhere_shows_nothing(line: str, tmp_path: Path) -> None:
    (tmp_path / "shadow").write_text(f"{line}\n")
    (tmp_path / "auditor.yaml").symlink_to("shadow")
    done = run(["audit", "--snapshot", "saved.json"], tmp_path)
    assert done.returncode == 2
    assert "hunter2" not in done.stdout + done.stderr
    assert "auditor.yaml: a link" in done.stderr
