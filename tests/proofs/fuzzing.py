"""Broken input by the thousand: only our own errors may result, each with its location.

    python -m tests.proofs.fuzzing 1000000 [TARGET [SEED]]

Each target makes an input from a seed: a sound file with a few things wrong, a policy of the right
words in any order, or bytes as they come. No input may take a second of the processor, nor 200 MB
more than the process has to begin with. An input that ends otherwise is reported with its seed,
and belongs into a test by its name.
"""

from __future__ import annotations

import contextlib
import json
import random
import resource
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from auditor.acceptance.waivers import load_waivers
from auditor.decoding.json_values import UndecodableError
from auditor.decoding.records import Shape, WholeRecords
from auditor.errors import PolicyError, SourceError, UsageError
from auditor.model import Verdict
from auditor.policy import load_policies
from auditor.policy.language.operators import OPERATORS
from auditor.policy.loading.documents import pack_names
from auditor.resources import resource_folder
from auditor.run import Options, audit
from auditor.sources.api.client import HttpOptions
from auditor.sources.api.walk import FivetranSource
from auditor.sources.saved.source import SnapshotSource
from tests.builders.fault_server import Answer, FaultServer, Request, kept, response
from tests.builders.walks import CREDENTIALS

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
#: Seconds of the processor, and bytes, for one input.
SECONDS, BYTES = 1.0, 200 * 2**20

_PACKS = [(resource_folder("policies") / f"{name}.yaml").read_bytes() for name in pack_names()]
SOUND_RULES = b"""policy: p
vars: {least: 15, names: [a, b]}
reveal: [config.host]
extra_fields: [custodian]
rules:
  - id: one
    severity: high
    when: {service: {in: {var: names}}, paused: false}
    assert:
      any:
        - sync_frequency: {gte: {var: least}, lte: 1440}
        - not: {schema: {regex_search: "^x+$"}}
        - succeeded_at: {newer_than: 36h}
    message: "{schema} {{ {var.least} {service}"
  - {id: two, severity: low, per: group_id, assert: {count: {lte: 5}}}
"""
SOUND_WAIVERS = b"""extra_fields: [custodian]
waivers:
  - rule: one*
    connections: {group: g, service: [postgres, "my*"]}
    reason: known
    owner: me
    expires: 2026-06-30
    while: {sync_frequency: {lte: 360}}
  - {rule: two, connections: all, reason: r, owner: o, expires: "2026-06-30T12:00:00Z"}
"""
_RECORDS: list[dict[str, Any]] = [
    {
        "id": f"c{n}",
        "service": "postgres",
        "schema": f"s{n}",
        "group_id": "g",
        "paused": False,
        "sync_frequency": 360,
        "succeeded_at": "2026-01-15T11:00:00.123456Z",
        "status": {"setup_state": "connected", "tasks": [{"code": "x", "message": "y"}]},
        "connect_card": {"token": "t", "uri": "u"},
        "config": {"host": "h", "port": 5432},
    }
    for n in range(3)
]
_PAGE = json.dumps({"code": "Success", "data": {"items": _RECORDS, "next_cursor": "x"}}).encode()
_LINES = b"".join(json.dumps(r).encode() + b"\n" for r in _RECORDS)
_HEADER = (
    b'{"fivetran_auditor_snapshot":1,"taken_at":"2026-01-15T12:00:00Z",'
    b'"base_url":"","filters":{},"tool":"x"}\n'
)
_CLOSING = b'{"end":true,"connections":3,"walks":1,"completeness":"one_page","sha256":"00"}\n'
SOUND_LISTINGS = [_PAGE, _LINES, json.dumps(_RECORDS).encode(), _HEADER + _LINES + _CLOSING]
_JSON_TOKENS = [
    *b'null true false NaN Infinity 1e999 -0 [] {} [ ] { } , : " \\ \\ud800 \\u0000 \xff'.split(),
    b"[" * 3000,
    b"9" * 5000,
    b'"id":"c0",',
    b"\xef\xbb\xbf",
    b"\x00",
    b"\n",
    b'"next_cursor":',
]
_YAML_TOKENS = [
    *b"null true ~ no 017 .inf .nan [] {} [ ] { } , : - ? | > & * ! % @ ` # ' \" << ---".split(),
    *b"... var: field: not: all: any: item: count: per: exists: extends: override: rules:".split(),
    *b"connect_card.token config.password now-1h 36h *a &a !!x {x} {{ }} \xff \xe2\x80\xa8".split(),
    b"\n",
    b"\n  ",
    b"\t",
    b": ",
    b"- ",
    b"[" * 100,
    b"9" * 5000,
    b"\x00",
    b"x" * 3000,
]


def mutated(sound: bytes, tokens: list[bytes], seed: int) -> bytes:
    """Return ``sound`` with a few things wrong, the same ones for the same ``seed``."""
    dice = random.Random(seed)
    data = sound
    for _ in range(dice.choice((1, 1, 1, 2, 3, 8))):
        start = dice.randrange(len(data) + 1)
        end = min(len(data), start + dice.choice((0, 1, 1, 2, 5, 20, 200)))
        match dice.randrange(6):
            case 0:
                put = b""
            case 1:
                put = data[start:end] * 2
            case 2:
                other = dice.randrange(len(data) + 1)
                put = data[other : other + dice.randrange(40)]
            case 3:
                put = dice.randbytes(dice.randrange(1, 5))
            case 4:
                words = data.split()
                put = dice.choice(words) if words else b"x"
            case _:
                put = dice.choice(tokens)
        data = data[:start] + put + data[end:]
    return data


def _bytes(tokens: list[bytes], seed: int) -> bytes:
    dice = random.Random(seed)
    pieces = [dice.choice([*tokens, b" ", b"a"]) for _ in range(dice.randrange(30))]
    return b"".join(pieces) if dice.randrange(4) else dice.randbytes(dice.randrange(200))


_KEYS = (
    *"policy title extends override vars rules reveal extra_fields id severity when assert".split(),
    *"message why fix tags controls tests per given expect without all any not var field".split(),
    *"times unit item where is".split(),
    *OPERATORS,
    *"schema service paused sync_frequency succeeded_at status.tasks setup_tests config".split(),
    *"config.host connect_card.token schedule.days_of_week daily_sync_time group_id nope".split(),
)
_LEAVES = (
    *(None, True, False, 0, 15, -1, 1.5, 10**30, "", "a", "x*", "(", "36h", "now-1d", "60"),
    *("2026-01-15", "{schema}", "{var.least}", "high", "fail", "account", "postgres", "\u2028"),
)


def _spelt(dice: random.Random, depth: int = 0) -> Any:
    """Return a value made of the language's own words, in no order that it knows."""
    how = dice.randrange(10)
    if depth > 6 or how < 3:
        return dice.choice((*_LEAVES, *_KEYS))
    if how < 5:
        return [_spelt(dice, depth + 1) for _ in range(dice.randrange(4))]
    return {dice.choice(_KEYS): _spelt(dice, depth + 1) for _ in range(dice.randrange(5))}


def _words(seed: int) -> bytes:
    """A policy whose rules are such values; JSON is YAML."""
    dice = random.Random(seed)
    rules: list[Any] = [
        {
            "id": f"r{number}",
            "severity": "high",
            "assert": _spelt(dice),
            **{dice.choice(_KEYS): _spelt(dice) for _ in range(dice.randrange(3))},
        }
        for number in range(dice.randrange(1, 4))
    ]
    whole = {"policy": "p", "vars": {"least": 15}, "rules": rules}
    if not dice.randrange(4):
        whole[dice.choice(_KEYS)] = _spelt(dice)
    return json.dumps(whole).encode()


def _policy(folder: Path, data: bytes) -> None:
    path = folder / "policy.yaml"
    path.write_bytes(data)
    try:
        rules = load_policies(str(path))
    except PolicyError as error:
        _placed(error)
        return
    except UsageError:
        return
    assert rules.rules
    saved = folder / "sound.json"
    saved.write_bytes(SOUND_LISTINGS[2])
    result = audit(SnapshotSource(str(saved)), rules, Options(clock=lambda: NOW))
    _consistent(result)


def _waivers(folder: Path, data: bytes) -> None:
    path = folder / "waivers.yaml"
    path.write_bytes(data)
    try:
        waivers = load_waivers(path)
    except PolicyError as error:
        _placed(error)
        return
    for waiver in waivers.entries:
        assert waiver.rule
        assert waiver.owner
        assert waiver.reason


def _snapshot(folder: Path, data: bytes) -> None:
    path = folder / "saved.ndjson"
    path.write_bytes(data)
    rules = _rules(folder)
    with suppress(SourceError, UsageError):
        result = audit(SnapshotSource(str(path)), rules, Options(clock=lambda: NOW))
        _consistent(result)


_LOADED: dict[Path, Any] = {}


def _rules(folder: Path) -> Any:
    policy = folder / "rules.yaml"
    if policy not in _LOADED:
        policy.write_bytes(SOUND_RULES)
        _LOADED.clear()
        _LOADED[policy] = load_policies(str(policy))
    return _LOADED[policy]


_SHAPE = Shape(
    ["paused", "sync_frequency", "status.tasks[].code", "connect_card.token"], ["config"]
)
_WHOLE = WholeRecords()


def _page(_folder: Path, data: bytes) -> None:
    """What a live run reads of a page and what a snapshot of it holds are the same connections."""
    try:
        live = _SHAPE.page(data)
    except UndecodableError:
        live = None
    try:
        saved = _WHOLE.page(data)
    except UndecodableError:
        # What a rule does not read is not looked at closely: a live run may take the page.
        return
    assert live is not None, "a page that can be saved can be judged"
    assert bool(live.problem) == bool(saved.problem)
    kept, wrong = _SHAPE.sift(live.items)
    records, others = _WHOLE.sift(saved.items)
    assert _SHAPE.ids(kept) == _WHOLE.ids(records)
    assert wrong == others


@contextmanager
def _served(answer: Answer) -> Iterator[FivetranSource]:
    """An account whose first page is ``answer``; what follows it is sound."""

    def script(request: Request) -> Answer:
        return kept(_LAST) if "cursor" in request.query else answer

    patience = HttpOptions(attempts=2, sleep=lambda _: None, attempt_seconds=20.0, max_wait=3.0)
    with FaultServer(script) as server:
        yield FivetranSource(server.url, CREDENTIALS, options=patience)


def _judged(folder: Path, answer: Answer) -> None:
    rules = _rules(folder)
    with _served(answer) as source:
        _consistent(audit(source, rules, Options(clock=lambda: NOW)))


def _listing(folder: Path, data: bytes) -> None:
    """A page as a live run meets it."""
    _judged(folder, kept(data))


def _http(folder: Path, data: bytes) -> None:
    """An answer with something wrong in its head, its chunks, its packing or its body."""
    _judged(folder, data)


_LAST = b'{"code":"Success","data":{"items":[{"id":"last","paused":false}]}}'
_ANSWERS = [
    response(_PAGE, 200, "Content-Type: application/json", "Date: Thu, 15 Jan 2026 12:00:00 GMT"),
    response(_PAGE, chunk=100),
    response(_PAGE, gzip=True),
    response(_PAGE, gzip=True, chunk=50),
    response(b'{"code":"X","message":"y"}', 429, "Retry-After: 1"),
    response(b'{"code":"X"}', 302, "Location: https://example.invalid/x", "Set-Cookie: a=b"),
]
_HTTP_TOKENS = [
    *b"chunked gzip HTTP/1.1 200 -5 0 : ; ffffffffffff 1e9 _ Content-Length: \xff \x00".split(),
    b"\r\n",
    b"\n",
    b"\r\n ",
    b"\r\n\r\n",
    b"9" * 5000,
    b"Transfer-Encoding: chunked\r\n",
    b"Content-Encoding: gzip\r\n",
    b"Content-Length: 5\r\n",
    b"Set-Cookie: a=b; max-age=" + b"9" * 400 + b"\r\n",
]


def _placed(error: PolicyError) -> None:
    assert error.problems
    for problem in error.problems:
        assert problem.position.file
        assert problem.position.line >= 1
        assert problem.position.column >= 1
        assert problem.message
        assert len(str(problem)) < 5000


def _consistent(result: Any) -> None:
    for checks in result.checks:
        assert sum(checks.counts.values()) == checks.total
    for finding in result.describe():
        assert finding.message
    if result.gate.exit_code == 0:
        assert result.connections
        assert result.listing.complete
        assert not any(checks.count(Verdict.ERROR) for checks in result.checks)


@dataclass(frozen=True)
class Target:
    """``make`` turns a seed into an input, ``check`` fails on any error that is not ours.

    ``share`` is how many of a hundred inputs it gets: reading a whole pack takes its time.
    """

    make: Callable[[int], bytes]
    check: Callable[[Path, bytes], None]
    share: int


TARGETS: Mapping[str, Target] = {
    "policy bytes": Target(lambda seed: _bytes(_YAML_TOKENS, seed), _policy, 13),
    "policy words": Target(_words, _policy, 10),
    "policy": Target(lambda seed: mutated(SOUND_RULES, _YAML_TOKENS, seed), _policy, 10),
    "pack": Target(
        lambda seed: mutated(_PACKS[seed % len(_PACKS)], _YAML_TOKENS, seed), _policy, 3
    ),
    "waivers": Target(lambda seed: mutated(SOUND_WAIVERS, _YAML_TOKENS, seed), _waivers, 15),
    "snapshot": Target(
        lambda seed: mutated(SOUND_LISTINGS[seed % len(SOUND_LISTINGS)], _JSON_TOKENS, seed),
        _snapshot,
        20,
    ),
    "snapshot bytes": Target(lambda seed: _bytes(_JSON_TOKENS, seed), _snapshot, 10),
    "page": Target(lambda seed: mutated(_PAGE, _JSON_TOKENS, seed), _page, 15),
    "listing": Target(lambda seed: mutated(_PAGE, _JSON_TOKENS, seed), _listing, 2),
    "http": Target(
        lambda seed: mutated(_ANSWERS[seed % len(_ANSWERS)], _HTTP_TOKENS, seed), _http, 2
    ),
}


def attempt(target: Target, folder: Path, seed: int) -> None:
    """Try one input; fail if it ends in an error that is not ours."""
    target.check(folder, target.make(seed))


def _allow(more: int) -> None:
    """Let the process have so many bytes more than it has: what stays of inputs adds up."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + more, hard))


def _warm_up(target: Target, folder: Path, seed: int) -> None:
    """Try one input without a limit: what is imported and kept for threads is no input's doing."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
    with contextlib.suppress(Exception):  # whatever it finds is found again, and told
        attempt(target, folder, seed)


def _too_long(_number: int, _frame: object) -> None:
    raise AssertionError(f"it takes more than {SECONDS:g} s")


def main(inputs: int, names: Sequence[str], start: int) -> int:
    """Try ``inputs`` inputs, shared out among all targets; return 1 if any ended as none may.

    Of them only those of the targets ``names`` are tried, from the seed ``start`` on.
    """
    failed = 0
    signal.signal(signal.SIGVTALRM, _too_long)
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            target = TARGETS[name]
            _warm_up(target, Path(folder), start)
            for seed in range(start, start + inputs * target.share // 100):
                _allow(BYTES)
                signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
                try:
                    attempt(target, Path(folder), seed)
                except (Exception, MemoryError) as error:  # noqa: BLE001  # what it looks for
                    failed += 1
                    print(f"{name}, seed {seed}: {type(error).__name__}: {error}"[:500])
                finally:
                    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            print(f"{name}: done", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    _, _count, *_rest = sys.argv
    _seed = int(_rest[1]) if _rest[1:] else random.SystemRandom().randrange(2**60)
    sys.exit(main(int(_count), _rest[:1] or list(TARGETS), _seed))
