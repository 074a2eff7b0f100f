"""The exit code of every way a run can end, from the command in its own process.

Each case says the code, a word that the user reads, and what the report files hold afterwards:
the run's outcome, a placeholder, or nothing because the options could not even be read.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from auditor.reports import REPORTS
from auditor.sandbox.estate import build_estate
from auditor.sandbox.server import FAKE_SECRET, Sandbox
from auditor.sandbox.words import SERVICE_ACCOUNTS
from tests.builders.command import KEYS, outcome_in, run

RECORD: dict[str, Any] = {
    "id": "warm_lake",
    "service": "postgres",
    "schema": "orders",
    "group_id": "group_one",
    "paused": False,
    "pause_after_trial": True,
    "schedule_type": "auto",
}
SAVED: dict[str, object] = {
    "one.json": [RECORD],
    "none.json": [],
    "twice.json": [RECORD, RECORD],
    "item.json": [RECORD, 17],
    "nameless.json": [RECORD, {**RECORD, "id": None}],
    "last-page.json": {"code": "Success", "data": {"items": [RECORD]}},
    "not-the-last.json": {"code": "Success", "data": {"items": [RECORD], "next_cursor": "more"}},
    "failed.json": {"code": "AuthFailed", "message": "Invalid API key or secret", "data": None},
    "no-items.json": {"code": "Success", "data": {}},
}
RAW = {
    "junk.json": b"<html>Bad Gateway</html>",
    "empty.json": b"",
    "cut.json": json.dumps([RECORD]).encode()[:-20],
    "nan.json": b'[{"id": "a", "paused": NaN}]',
    "latin.json": '[{"id": "caf\u00e9"}]'.encode("latin-1"),
    "closed.ndjson.gz": b"\x1f\x8b\x08\x00",
}


def _rule(body: str) -> str:
    return f"policy: house\nrules:\n  - {{id: the-rule, {body}}}\n"


POLICIES = {
    **{
        f"{severity}.yaml": _rule(f"severity: {severity}, assert: {{pause_after_trial: false}}")
        for severity in ("low", "medium", "high", "critical")
    },
    "met.yaml": _rule("severity: high, assert: {paused: false}"),
    "idle.yaml": _rule("severity: high, when: {service: no_such_service}, assert: {paused: true}"),
    "unsettled.yaml": _rule("severity: high, assert: {sync_frequency: {gte: 15}}"),
    "absent.yaml": _rule("severity: high, assert: {sync_frequency: {exists: true}}"),
    "both.yaml": _rule("severity: high, assert: {pause_after_trial: false}")
    + "  - {id: other, severity: low, assert: {sync_frequency: {gte: 15}}}\n",
    "grouped.yaml": _rule("severity: low, per: account, assert: {count: {gte: 2}}"),
    "variable.yaml": "vars: {least: 2}\n"
    + _rule("severity: low, per: account, assert: {count: {gte: {var: least}}}"),
    "warned.yaml": _rule("severity: low, assert: {schedule_type: {not_equals: hourly}}"),
    "misspelt.yaml": _rule("severity: high, assert: {pausd: false}"),
    "text.yaml": _rule('severity: high, assert: {paused: "no"}'),
    "operator.yaml": _rule("severity: high, assert: {paused: {eq: false}}"),
    "backtracking.yaml": _rule('severity: low, assert: {schema: {regex_search: "(?=a)"}}'),
    "severe.yaml": _rule("severity: urgent, assert: {paused: false}"),
    "no-rules.yaml": "policy: house\nrules: []\n",
    "unparsed.yaml": "policy: [house\n",
    "bytes.yaml": "policy: \x07house\n",
    "cycle.yaml": "extends: [./cycle-too.yaml]\n" + _rule("severity: low, assert: {paused: false}"),
    "cycle-too.yaml": "policy: too\nextends: [./cycle.yaml]\n",
}


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """Return a folder with saved listings and policies of every kind."""
    for name, value in SAVED.items():
        (tmp_path / name).write_text(json.dumps(value))
    for name, body in RAW.items():
        (tmp_path / name).write_bytes(body)
    for name, text in POLICIES.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "a-file").write_text("not a folder")
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "1.json").write_text(json.dumps(SAVED["last-page.json"]))
    (tmp_path / "bare").mkdir()
    (tmp_path / "linked").symlink_to("linked")
    return tmp_path


Serve = Callable[..., Sandbox]


@pytest.fixture(scope="session")
def serve() -> Iterator[Serve]:
    """Return a function that serves an account on loopback; equal options share a server."""
    running: dict[str, Sandbox] = {}
    with ExitStack() as stack:

        def started(count: int = 12, *, healthy: bool = False, **more: Any) -> Sandbox:
            key = repr((count, healthy, sorted(more.items())))
            if key not in running:
                estate = build_estate(count, 7, healthy=healthy)
                running[key] = stack.enter_context(Sandbox(estate, **more))
            return running[key]

        yield started


@dataclass(frozen=True)
class Case:
    """A command line and how it must end. ``served`` makes a sandbox, at ``{url}``."""

    name: str
    arguments: str
    code: int
    says: str
    reports: str
    env: dict[str, str] = field(default_factory=dict)
    served: dict[str, Any] | None = None
    given: bytes = b""

    def __str__(self) -> str:
        return self.name


def saved(name: str, arguments: str, code: int, says: str, reports: str = "", **more: Any) -> Case:
    """Return a case of ``audit --snapshot``; the reports say what the code says."""
    words = {0: "passed", 1: "violations", 2: "placeholder", 3: "inconclusive"}
    return Case(name, f"audit {arguments}", code, says, reports or words[code], **more)


def live(name: str, arguments: str, code: int, says: str, reports: str = "", **more: Any) -> Case:
    """Return a case of ``audit --base-url`` against a sandbox."""
    more.setdefault("env", KEYS)
    more.setdefault("served", {})
    return saved(name, f"--base-url {{url}} {arguments}", code, says, reports, **more)


GATE = [
    saved("met", "--snapshot one.json -p met.yaml", 0, "PASSED"),
    saved("met, quiet", "-q --snapshot one.json -p met.yaml", 0, "PASSED"),
    saved("met, verbose", "-v --snapshot one.json -p met.yaml", 0, "sha256"),
    saved("idle", "--snapshot one.json -p idle.yaml", 0, "applied to nothing"),
    saved("idle, strict", "--snapshot one.json -p idle.yaml --strict", 3, "applied to nothing"),
    saved("violated", "--snapshot one.json -p high.yaml", 1, "1 high violation"),
    saved("absent", "--snapshot one.json -p absent.yaml", 1, "1 high violation"),
    saved("unsettled", "--snapshot one.json -p unsettled.yaml", 3, "could not be evaluated"),
    saved("3 outranks 1", "--snapshot one.json -p both.yaml", 3, "1 high violation"),
    saved("bar none, unsettled", "--snapshot one.json -p both.yaml --fail-on none", 3, "evaluated"),
    saved("too few", "--snapshot one.json -p grouped.yaml", 1, "1 low violation"),
    saved("a variable's own", "--snapshot one.json -p variable.yaml", 1, "VIOLATIONS"),
    saved("a variable set", "--snapshot one.json -p variable.yaml --var least=1", 0, "PASSED"),
    saved(
        "two policies",
        "--snapshot one.json -p met.yaml -p grouped.yaml",
        2,
        "already exists at met.yaml:3:10",
    ),
    saved("unknown completeness", "--snapshot one.json -p met.yaml", 0, "completeness unknown"),
    saved("the same, strict", "--snapshot one.json -p met.yaml --strict", 3, "unknown"),
    saved("replayed", "--snapshot one.json -p met.yaml --now 2026-01-31T12:00:00Z", 0, "--now"),
    *(
        saved(
            f"{severity} on {bar}",
            f"--snapshot one.json -p {severity}.yaml --fail-on {bar}",
            int(bar != "none" and order.index(severity) >= order.index(bar)),
            "below the bar" if bar == "none" or order.index(severity) < order.index(bar) else bar,
        )
        for order in (("low", "medium", "high", "critical"),)
        for severity, bar in (
            ("low", "medium"),
            ("medium", "medium"),
            ("high", "critical"),
            ("critical", "critical"),
            ("critical", "none"),
        )
    ),
]
SNAPSHOTS = [
    saved("a page", "--snapshot last-page.json -p met.yaml", 0, "PASSED"),
    saved("a folder of pages", "--snapshot pages -p met.yaml", 0, "PASSED"),
    saved(
        "standard input",
        "--snapshot - -p met.yaml",
        0,
        "PASSED",
        given=json.dumps([RECORD]).encode(),
    ),
    saved("standard input, empty", "--snapshot - -p met.yaml", 3, "incomplete"),
    saved("no connection", "--snapshot none.json -p met.yaml", 3, "--allow-empty"),
    saved("no connection, allowed", "--snapshot none.json -p met.yaml --allow-empty", 0, "PASSED"),
    saved("not the last page", "--snapshot not-the-last.json -p met.yaml", 3, "next_cursor"),
    saved("an id twice", "--snapshot twice.json -p met.yaml", 3, "twice"),
    saved("an item that is none", "--snapshot item.json -p met.yaml", 3, "not a connection"),
    saved("an item without an id", "--snapshot nameless.json -p met.yaml", 3, "its id is null"),
    saved("an error saved", "--snapshot failed.json -p met.yaml", 3, "AuthFailed"),
    saved("no items", "--snapshot no-items.json -p met.yaml", 3, "items"),
    saved("no JSON", "--snapshot junk.json -p met.yaml", 3, "junk.json"),
    saved("an empty file", "--snapshot empty.json -p met.yaml", 3, "empty.json"),
    saved("a cut file", "--snapshot cut.json -p met.yaml", 3, "cut.json"),
    saved("not a number", "--snapshot nan.json -p met.yaml", 3, "nan.json"),
    saved("no UTF-8", "--snapshot latin.json -p met.yaml", 3, "UTF-8"),
    saved("cut gzip", "--snapshot closed.ndjson.gz -p met.yaml", 3, "closed.ndjson.gz"),
    saved("no such file", "--snapshot nothing.json -p met.yaml", 2, "nothing.json: no such file"),
    saved("an empty folder", "--snapshot bare -p met.yaml", 2, "bare: the folder holds no files"),
    saved(
        "a snapshot linked to itself",
        "--snapshot linked -p met.yaml",
        2,
        "linked: it cannot be read",
    ),
    saved(
        "a file in its path", "--snapshot a-file/x -p met.yaml", 2, "a-file/x: it cannot be read"
    ),
    saved("allowed, but cut", "--snapshot cut.json -p met.yaml --allow-empty", 3, "cut.json"),
]
ACCOUNT = [
    live("healthy", "-p baseline", 0, "PASSED", served={"healthy": True}),
    live(
        "healthy, strict",
        "--strict -p baseline -p cost -p governance -p reliability -p security"
        f" --var service_accounts={','.join(SERVICE_ACCOUNTS)}",
        0,
        "PASSED",
        served={"healthy": True},
    ),
    live("ill", "-p baseline", 1, "violations of"),
    live("ill, bar none", "-p baseline --fail-on none", 0, "below the bar"),
    live("nothing there", "-p met.yaml", 3, "--allow-empty", served={"count": 0}),
    live("nothing there, allowed", "-p met.yaml --allow-empty", 0, "PASSED", served={"count": 0}),
    live("no such group", "--group nobody -p met.yaml", 3, "404"),
    live("pages of five", "--page-size 5 -p idle.yaml", 0, "one walk, no anomaly seen"),
    live("verified", "--page-size 5 --verify-listing -p idle.yaml", 0, "2 walks"),
    live("refused", "-p met.yaml", 3, "FIVETRAN_API_KEY", served={"fault": "expired-key"}),
    live(
        "another key",
        "-p met.yaml",
        3,
        "FIVETRAN_API_KEY",
        env={**KEYS, "FIVETRAN_API_SECRET": "not-the-right-secret"},
    ),
    live("cursors go round", "-p met.yaml", 3, "cursor", served={"fault": "cursor-loop"}),
    live("ids twice", "-p met.yaml", 3, "after 3 walks", served={"fault": "duplicate-id"}),
    live("too long a wait", "--max-wait 0 -p met.yaml", 3, "429", served={"fault": "rate-limit"}),
    live(
        "out of time", "--timeout 0.2 -p met.yaml", 3, "--timeout", served={"fault": "broken-page"}
    ),
    live(
        "no API there",
        "-p met.yaml --timeout 0.2",
        3,
        "--timeout",
        served={"fault": "html-gateway"},
    ),
    live("no key", "-p met.yaml", 2, "FIVETRAN_API_KEY", env={}),
    live("half a key", "-p met.yaml", 2, "FIVETRAN_API_SECRET", env={"FIVETRAN_API_KEY": "abcdef"}),
    live(
        "a key that is no text",
        "-p met.yaml",
        2,
        "FIVETRAN_API_SECRET holds",
        env={**KEYS, "FIVETRAN_API_SECRET": "abcdefgh\udcff"},
    ),
    live(
        "the provider's names",
        "-p idle.yaml",
        0,
        "PASSED",
        env={
            "FIVETRAN_APIKEY": KEYS["FIVETRAN_API_KEY"],
            "FIVETRAN_APISECRET": KEYS["FIVETRAN_API_SECRET"],
        },
    ),
]
USAGE = [
    saved("plain http", "--base-url http://example.com -p met.yaml", 2, "https", env=KEYS),
    saved("no address", "--base-url example -p met.yaml", 2, "https://", env=KEYS),
    saved(
        "a user in it",
        "--base-url https://u:hunter22@x.test -p met.yaml",
        2,
        "must not hold",
        env=KEYS,
    ),
    saved("a file's address", "--base-url file:///etc/passwd -p met.yaml", 2, "https", env=KEYS),
    saved("an empty group", "--group '' -p met.yaml", 2, "--group", "none", env=KEYS),
    saved("no such option", "--nope", 2, "--nope", "none"),
    saved("an option misspelt", "--fail-onn low", 2, "--fail-on", "none"),
    saved("a word too many", "one.json", 2, "one.json", "none"),
    saved("no such severity", "--fail-on urgent", 2, "critical", "none"),
    saved("a page of none", "--page-size 0", 2, "--page-size", "none"),
    saved("no number", "--timeout soon", 2, "--timeout", "none"),
    saved("no time", "--snapshot one.json --now yesterday", 2, "2026-01-31T12:00:00Z", "none"),
    saved("no zone", "--snapshot one.json --now 2026-01-31T12:00:00", 2, "zone", "none"),
    saved("no such format", "--snapshot one.json --report htm", 2, "did you mean html", "none"),
    saved("no path", "--snapshot one.json --report json=", 2, "that is not a path", "none"),
    saved("a format twice", "--snapshot one.json --report json --report json", 2, "share", "none"),
    saved("one path", "--snapshot one.json --report json=x --report csv=x", 2, "share", "none"),
    saved("a filter on a file", "--snapshot one.json --group g -p met.yaml", 2, "--group"),
    saved("no value", "--snapshot one.json -p variable.yaml --var least", 2, "NAME=VALUE"),
    saved("no such variable", "--snapshot one.json -p variable.yaml --var most=1", 2, "least"),
    saved("no number for it", "--snapshot one.json -p variable.yaml --var least=x", 2, "least"),
    Case("no such command", "adit", 2, "adit", "none"),
    Case("no such demo", "demo --connections 0", 2, "--connections", "none"),
]
POLICY = [
    saved("no such pack", "--snapshot one.json -p basline", 2, "baseline"),
    saved("no such policy", "--snapshot one.json -p ./nothing.yaml", 2, "nothing.yaml"),
    saved("a field misspelt", "--snapshot one.json -p misspelt.yaml", 2, "paused"),
    saved("text for a boolean", "--snapshot one.json -p text.yaml", 2, "text.yaml:3:"),
    saved("another tool's name", "--snapshot one.json -p operator.yaml", 2, "equals"),
    saved("a regex that looks ahead", "--snapshot one.json -p backtracking.yaml", 2, "regex"),
    saved("a severity unknown", "--snapshot one.json -p severe.yaml", 2, "critical"),
    saved("no rules", "--snapshot one.json -p no-rules.yaml", 2, "rule"),
    saved("no YAML", "--snapshot one.json -p unparsed.yaml", 2, "unparsed.yaml:"),
    saved("a bell in it", "--snapshot one.json -p bytes.yaml", 2, "bytes.yaml"),
    saved("in a circle", "--snapshot one.json -p cycle.yaml", 2, "cycle"),
    saved("a folder without any", "--snapshot one.json -p ./bare", 2, "bare"),
    saved("a warning", "--snapshot one.json -p warned.yaml", 0, "hourly"),
    saved("a warning, strict", "--snapshot one.json -p warned.yaml --strict", 2, "hourly"),
]
UNWRITABLE = [
    saved("a file for a folder", "--snapshot one.json -p met.yaml -o a-file", 4, "a-file", "none"),
    saved("under a file", "--snapshot one.json -p met.yaml -o a-file/x", 4, "a-file/x", "none"),
    saved(
        "a folder for a file",
        "--snapshot one.json -p met.yaml --report json=pages",
        4,
        "pages",
        "none",
    ),
    saved(
        "a link to itself",
        "--snapshot one.json -p met.yaml --report json=linked",
        4,
        "circles",
        "none",
    ),
    saved(
        "no file system",
        "--snapshot one.json -p met.yaml --report json=/proc/x/y",
        4,
        "/proc/x/y",
        "none",
    ),
    saved(
        "a full device",
        "--snapshot one.json -p met.yaml --report json=/dev/full",
        4,
        "no space",
        "none",
    ),
    saved(
        "4 outranks 1",
        "--snapshot one.json -p high.yaml --report csv=/dev/full",
        4,
        "no space",
        "none",
    ),
    saved(
        "4 outranks 3",
        "--snapshot cut.json -p met.yaml --report csv=/dev/full",
        4,
        "no space",
        "none",
    ),
    saved(
        "the others are written",
        "--snapshot one.json -p high.yaml --report html --report junit --report json"
        " --report sarif=/dev/full",
        4,
        "sarif: /dev/full",
        "violations",
    ),
    saved(
        "the others are placeholders",
        "--snapshot one.json -p high.yaml --report html --report junit --report json"
        " --report sarif=a-file/x",
        4,
        "sarif: a-file/x",
        "placeholder",
    ),
]
HELP = [
    Case("version", "--version", 0, "fivetran-auditor", "none"),
    Case("help", "--help", 0, "Exit codes", "none"),
    Case("nothing", "", 2, "Usage: fivetran-auditor", "none"),
    Case("audit's help", "audit --help", 0, "--fail-on", "none"),
    Case("the demo", "demo --connections 20", 0, "The demo worked", "violations"),
    Case("the demo, healthy", "demo --connections 20 --healthy", 0, "exit 0", "passed"),
    Case("the demo, unwritable", "demo --connections 20 -o a-file", 4, "a-file", "none"),
]
CASES = [*GATE, *SNAPSHOTS, *ACCOUNT, *USAGE, *POLICY, *UNWRITABLE, *HELP]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_exit_code(case: Case, house: Path, serve: Serve):
    url = "" if case.served is None else serve(**case.served).url
    arguments = [word.format(url=url) for word in shlex.split(case.arguments)]
    done = run(arguments, house, case.env, case.given)
    told = done.stdout + done.stderr
    assert done.returncode == case.code, told
    assert case.says in told
    assert "Traceback" not in told
    assert FAKE_SECRET not in told
    assert "hunter22" not in told
    assert outcome_in(house / "audit-report") == case.reports
    if case.code in (2, 4) and done.stderr:
        assert done.stderr.startswith(("error: ", f"{case.arguments.split()[-1]}:")) or re.match(
            r"\S+:\d+:\d+: ", done.stderr
        )


def test_every_case_has_a_name_of_its_own():
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("--snapshot one.json -p met.yaml", 0),
        ("--snapshot one.json -p high.yaml", 1),
        ("--snapshot cut.json -p high.yaml", 3),
    ],
)
@pytest.mark.parametrize("formats", [*((name,) for name in REPORTS), tuple(REPORTS)], ids="+".join)
def test_no_format_changes_the_code(
    arguments: str, code: int, formats: tuple[str, ...], house: Path
):
    chosen = [word for name in formats for word in ("--report", name)]
    done = run(["audit", *arguments.split(), *chosen], house)
    assert done.returncode == code, done.stderr
    written = sorted(path.name for path in (house / "audit-report").iterdir())
    assert written == sorted(REPORTS[name].filename for name in formats)
    assert all(path.stat().st_size for path in (house / "audit-report").iterdir())


def test_a_report_of_an_earlier_run_is_gone_before_anything_can_go_wrong(house: Path):
    good = ["audit", "--snapshot", "one.json", "-p", "met.yaml"]
    assert run(good, house).returncode == 0
    assert outcome_in(house / "audit-report") == "passed"
    assert run([*good, "-p", "misspelt.yaml"], house).returncode == 2
    assert outcome_in(house / "audit-report") == "placeholder"


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ("--nope", "audit-report"),
        ("--fail-onn low", "audit-report"),
        ("--fail-on urgent", "audit-report"),
        ("--report html --report jnit", "audit-report"),
        ("--nope -o elsewhere", "elsewhere"),
        ("--output-dir=elsewhere --now yesterday", "elsewhere"),
        ("a-word-too-many", "audit-report"),
        ("--config broken.yaml", "audit-report"),
    ],
)
def test_options_that_cannot_be_read_leave_no_older_pass(house: Path, wrong: str, place: str):
    (house / "broken.yaml").write_text("fail_onn: low\n")
    good = ["audit", "--snapshot", "one.json", "-p", "met.yaml"]
    assert run([*good, "-o", place], house).returncode == 0
    assert outcome_in(house / place) == "passed"
    done = run([*good, *wrong.split()], house)
    assert done.returncode == 2
    assert outcome_in(house / place) == "placeholder"


def test_options_that_cannot_be_read_in_the_defaults_either(house: Path):
    good = ["audit", "--snapshot", "one.json", "-p", "met.yaml"]
    (house / "auditor.yaml").write_text("output_dir: out\n")
    assert run(good, house).returncode == 0
    assert run([*good, "--nope"], house).returncode == 2
    assert outcome_in(house / "out") == "placeholder"
    assert run(good, house).returncode == 0
    env = {"FIVETRAN_AUDITOR_FAIL_ON": "urgent", "FIVETRAN_AUDITOR_OUTPUT_DIR": "out"}
    assert run(good, house, env).returncode == 2
    assert outcome_in(house / "out") == "placeholder"


@pytest.mark.parametrize(
    "asked",
    [
        "--nope -p met.yaml --report json=met.yaml",
        "--nope --snapshot one.json --report json=one.json",
        "--nope --waivers waivers.json --report json=waivers.json",
        "--nope --report json=./link.json --snapshot one.json",
        "--nope --show-config --report json=old.json",
    ],
)
def test_options_that_cannot_be_read_cost_nothing_else(house: Path, asked: str):
    (house / "waivers.json").write_text('{"waivers": []}')
    (house / "old.json").write_text("{}")
    (house / "link.json").symlink_to("one.json")
    before = {path.name: path.read_bytes() for path in house.iterdir() if path.is_file()}
    run(["audit", *asked.split()], house)
    after = {path.name: path.read_bytes() for path in house.iterdir() if path.is_file()}
    assert after == before
    assert not (house / "audit-report").exists()


def test_the_same_run_leaves_the_same_bytes(house: Path):
    arguments = ["audit", "--snapshot", "one.json", "-p", "both.yaml"]
    arguments += ["--now", "2026-01-31T12:00:00Z", *(f"--report={name}" for name in REPORTS)]
    written = []
    for seed, zone in (("1", "UTC"), ("2", "Asia/Kathmandu")):
        done = run([*arguments, "-o", zone], house, {"PYTHONHASHSEED": seed, "TZ": zone})
        assert done.returncode == 3
        written.append({p.name: p.read_bytes() for p in (house / zone).iterdir()})
    assert len(written[0]) == len(REPORTS)
    assert written[0] == written[1]
