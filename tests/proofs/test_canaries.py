"""Canaries: secrets planted where secrets are, and searched for in all that is written."""

from __future__ import annotations

import base64
import json
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from auditor.reports import REPORTS
from tests.builders.canaries import BASIC, CANARIES, ECHOES, KEY, SECRET, leaked, with_canaries
from tests.builders.command import COMMAND, environment, run
from tests.builders.every_report import texts_of
from tests.builders.fault_server import (
    HANG,
    Answer,
    FaultServer,
    Request,
    kept,
    page,
    record,
    response,
)

CREDENTIALS = {"FIVETRAN_API_KEY": KEY, "FIVETRAN_API_SECRET": SECRET}

_TELLING = """policy: curious
extra_fields: [unknown_field]
vars: {seen: x}
rules:
  - id: host
    severity: high
    assert: {config.host: {equals: {var: seen}}}
    message: "{config.host} {config.password} {config.connection_string} {unknown_field}"
  - {id: password, severity: high, assert: {config.password: {equals: x}}}
  - {id: whole, severity: high, assert: {config: {json_schema: {type: object, maxProperties: 1}}}}
  - {id: details, severity: high, assert: {source_sync_details.host: {in: [x]}}}
  - id: tasks
    severity: high
    assert: {status.tasks: {is_empty: true}}
  - {id: note, severity: high, assert: {unknown_field: {regex_fullmatch: nothing}}}
  - {id: token, severity: high, assert: {connect_card.token: {exists: false}}}
  - {id: uri, severity: high, assert: {connect_card.uri: {exists: false}}}
  - {id: tests, severity: low, assert: {setup_tests: {all_items: {message: {equals: x}}}}}
"""
_REVEALING = _TELLING.replace("extra_fields", "reveal: [config.host]\nextra_fields")


def full_record() -> dict[str, Any]:
    """A record with a canary at every path."""
    return with_canaries(record(1))


def audit(
    folder: Path, url: str, *more: str, env: dict[str, str] | None = None, policy: str = ""
) -> tuple[int, str]:
    """Run the command with every report; return its code and all that it wrote anywhere."""
    (folder / "policy.yaml").write_text(policy or _PAUSED)
    reports = [f"--report={name}" for name in REPORTS]
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    done = run(
        ["audit", "-v", "-p", "./policy.yaml", f"--base-url={url}", *reports, *more],
        folder,
        {**CREDENTIALS, "TMPDIR": str(temporary), **(env or {})},
    )
    written = done.stdout + done.stderr
    assert "Traceback" not in written
    (folder / "policy.yaml").unlink()
    return done.returncode, written + "\n".join(texts_of(folder).values())


_PAUSED = "policy: p\nrules:\n  - {id: r, severity: low, assert: {paused: false}}\n"


@pytest.mark.parametrize("policy", [_TELLING, _PAUSED])
def test_no_canary_of_a_record_is_in_any_report(policy: str, tmp_path: Path) -> None:
    with FaultServer([kept(page([full_record()]))]) as server:
        code, text = audit(tmp_path, server.url, policy=policy)
    assert code in {0, 1, 3}, text[:2000]
    assert leaked(text, list(CANARIES.values())) == []


def test_what_is_revealed_is_shown_and_nothing_else(tmp_path: Path) -> None:
    with FaultServer([kept(page([full_record()]))]) as server:
        code, text = audit(tmp_path, server.url, policy=_REVEALING)
    assert code in {1, 3}, text[:2000]
    assert leaked(text, list(CANARIES.values())) == [CANARIES["config.host"]]


def test_a_snapshot_holds_no_live_credential(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    with FaultServer([kept(page([full_record()]))]) as server:
        done = run(
            ["fetch", f"--base-url={server.url}", "-o", "s.ndjson"],
            tmp_path,
            {**CREDENTIALS, "TMPDIR": str(tmp_path / "tmp")},
        )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    text = said + "\n".join(texts_of(tmp_path).values())
    live = [canary for path, canary in CANARIES.items() if path.startswith("connect_card")]
    assert leaked(text, [*live, *ECHOES]) == []
    assert leaked(said, list(CANARIES.values())) == []
    assert (tmp_path / "s.ndjson").stat().st_mode & 0o077 == 0


# -- the credentials, sent back -----------------------------------------------------------------

_ALL = " ".join(ECHOES)
_RECORD: dict[str, Any] = {
    "id": f"c1 {_ALL}",
    "service": f"s {_ALL}",
    "schema": f"n {_ALL}",
    "group_id": f"g {_ALL}",
    "paused": True,
    "unknown_field": _ALL,
}
_SHOWING = """policy: p
extra_fields: [unknown_field]
reveal: [unknown_field]
rules:
  - id: r
    severity: low
    assert: {paused: false, unknown_field: {equals: x}, service: {equals: y}}
    message: "{id} {schema} {service} {unknown_field}"
  - {id: g, severity: low, per: group_id, assert: {count: {gte: 9}}}
  - {id: u, severity: low, per: unknown_field, assert: {count: {gte: 9}}}
"""
_SAID = json.dumps({"code": f"Odd {_ALL}", "message": _ALL}).encode()
BACK: dict[str, tuple[Answer, int]] = {
    "in a record": (kept(page([_RECORD])), 1),
    "in a cursor": (kept(page([_RECORD], _ALL + "\n")), 3),
    "in 200 with another code": (kept(_SAID), 3),
    "in 401": (kept(_SAID, 401), 3),
    "in 403 as text": (kept(_ALL.encode(), 403), 3),
    "in 404": (kept(_SAID, 404), 3),
    "in a reason": (response(b"", f"400 {_ALL}"), 3),
    "in a header": (kept(_SAID, 400, f"X-Echo: {_ALL}", f"WWW-Authenticate: {BASIC}"), 3),
    "in a redirect": (kept(b"", 302, f"Location: https://{KEY}:{SECRET}@evil.example/{_ALL}"), 3),
    "in a redirect's host": (kept(b"", 302, f"Location: https://{BASIC.rstrip('=')}.example"), 3),
    "in Content-Encoding": (kept(b"x", 200, f"Content-Encoding: {_ALL}"), 3),
    "in Date": (kept(page([_RECORD]), 200, f"Date: {_ALL}"), 1),
    "in HTML": (kept(f"<p>{_ALL}</p>".encode(), 501), 3),
    "in an item": (kept(page([_ALL, _RECORD])), 3),
}


@pytest.mark.parametrize("name", BACK)
def test_credentials_that_come_back_are_never_shown(name: str, tmp_path: Path) -> None:
    answer, expected = BACK[name]
    with FaultServer([answer]) as server:
        code, text = audit(tmp_path, server.url, policy=_SHOWING)
    assert code == expected, text[:2000]
    assert leaked(text, ECHOES) == []


def test_a_body_that_is_not_json_shows_no_credential(tmp_path: Path) -> None:
    with FaultServer([kept(_ALL.encode())]) as server:
        code, text = audit(tmp_path, server.url, "--timeout=0.5")
    assert code == 3
    assert leaked(text, ECHOES) == []


# -- addresses ----------------------------------------------------------------------------------

_USER = "pr0xy-C4nary"


@pytest.mark.parametrize(
    "url",
    [
        f"https://{_USER}:{_USER}@127.0.0.1:1",
        f"https://127.0.0.1:1/?token={_USER}",
        f"https://127.0.0.1:1/#{_USER}",
        f"ftp://{_USER}@127.0.0.1",
        f"http://{_USER}@example.test",
        f"https://{_USER}@[bad",
        f"https://127.0.0.1:{_USER}",
    ],
)
def test_the_user_part_of_an_address_is_never_shown(url: str, tmp_path: Path) -> None:
    code, text = audit(tmp_path, url)
    assert code == 2
    assert leaked(text, [_USER, *ECHOES]) == []


@pytest.mark.parametrize(
    "answer",
    [
        response(b"", f"407 {_USER}", "Proxy-Authenticate: Basic"),
        response(b"", 403),
        response(f"{_USER}".encode(), 302, f"Location: http://{_USER}@x/"),
    ],
)
def test_the_user_part_of_a_proxy_is_never_shown(answer: Any, tmp_path: Path) -> None:
    with FaultServer([answer]) as proxy:
        env = {"HTTPS_PROXY": f"http://{_USER}:{_USER}@127.0.0.1:{proxy.port}"}
        code, text = audit(tmp_path, "https://api.fivetran.test", env=env)
    assert code == 3
    assert leaked(text, [_USER, base64.b64encode(f"{_USER}:{_USER}".encode()).decode()]) == []


def test_no_process_list_shows_a_credential(tmp_path: Path) -> None:
    asked = threading.Event()

    def answer(_request: Request) -> Answer:
        asked.set()
        return HANG

    (tmp_path / "policy.yaml").write_text(_PAUSED)
    with (
        FaultServer(answer) as server,
        subprocess.Popen(
            [*COMMAND, "audit", "-p", "./policy.yaml", f"--base-url={server.url}"],
            cwd=tmp_path,
            env=environment(CREDENTIALS),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process,
    ):
        try:
            assert asked.wait(30)
            listed = Path(f"/proc/{process.pid}/cmdline").read_bytes().decode()
            listed += Path(f"/proc/{process.pid}/comm").read_text()
        finally:
            process.kill()
    assert "audit" in listed
    assert leaked(listed, ECHOES) == []
