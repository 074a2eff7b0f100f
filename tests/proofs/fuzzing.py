"""Broken input by the thousand: only our own errors come of it, each with its place.

    python -m tests.proofs.fuzzing 1000000

Each target makes an input from a seed: a sound file with a few things wrong, or bytes as they
come. An input that ends otherwise is reported with its seed, and belongs into a test by its name.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from auditor.errors import AuditorError, PolicyError, UsageError
from auditor.model import Verdict
from auditor.policy import load_policies
from auditor.policy.documents import pack_names
from auditor.policy.waivers import load_waivers
from auditor.records import Shape, UndecodableError, WholeRecords
from auditor.resources import resource_folder
from auditor.run import Options, audit
from auditor.sources.snapshot import SnapshotSource

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
#: Seconds for one input: what takes a hundredth may wait for others on a busy machine.
SOON = 20.0

_PACKS = [(resource_folder("policies") / f"{name}.yaml").read_bytes() for name in pack_names()]
_RULES = b"""policy: p
vars: {least: 15, names: [a, b]}
reveal: [config.host]
extra_fields: [owner]
rules:
  - id: one
    severity: high
    when: {service: {in: {var: names}}, paused: false}
    assert:
      any:
        - sync_frequency: {between: [15, 1440]}
        - not: {schema: {regex_search: "^x+$"}}
        - succeeded_at: {newer_than: 36h}
    message: "{schema} {{ {var.least} {service}"
  - {id: two, severity: low, per: group_id, assert: {count: {lte: 5}}}
"""
_WAIVERS = b"""extra_fields: [owner]
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
_SAVED = [_PAGE, _LINES, json.dumps(_RECORDS).encode(), _HEADER + _LINES + _CLOSING]
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
    saved.write_bytes(_SAVED[2])
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
    path, policy = folder / "saved.ndjson", folder / "rules.yaml"
    path.write_bytes(data)
    if not policy.exists():
        policy.write_bytes(_RULES)
    with suppress(AuditorError):
        result = audit(SnapshotSource(str(path)), _rules(policy), Options(clock=lambda: NOW))
        _consistent(result)


_LOADED: dict[Path, Any] = {}


def _rules(policy: Path) -> Any:
    if policy not in _LOADED:
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
    """``make`` turns a seed into an input, ``check`` fails on what is none of our errors.

    ``share`` is how many of a hundred inputs it gets: reading a whole pack takes its time.
    """

    make: Callable[[int], bytes]
    check: Callable[[Path, bytes], None]
    share: int


TARGETS: Mapping[str, Target] = {
    "policy bytes": Target(lambda seed: _bytes(_YAML_TOKENS, seed), _policy, 15),
    "policy": Target(lambda seed: mutated(_RULES, _YAML_TOKENS, seed), _policy, 12),
    "pack": Target(
        lambda seed: mutated(_PACKS[seed % len(_PACKS)], _YAML_TOKENS, seed), _policy, 3
    ),
    "waivers": Target(lambda seed: mutated(_WAIVERS, _YAML_TOKENS, seed), _waivers, 15),
    "snapshot": Target(
        lambda seed: mutated(_SAVED[seed % len(_SAVED)], _JSON_TOKENS, seed), _snapshot, 20
    ),
    "snapshot bytes": Target(lambda seed: _bytes(_JSON_TOKENS, seed), _snapshot, 10),
    "page": Target(lambda seed: mutated(_PAGE, _JSON_TOKENS, seed), _page, 25),
}


def attempt(target: Target, folder: Path, seed: int) -> None:
    """Try one input; fail if it takes too long, or ends in what is no error of ours."""
    started = time.monotonic()
    target.check(folder, target.make(seed))
    assert time.monotonic() - started < SOON


def main(inputs: int) -> int:
    """Try ``inputs`` inputs from fresh seeds; return 1 if any ended as none may."""
    failed = 0
    start = random.SystemRandom().randrange(2**60)
    with tempfile.TemporaryDirectory() as folder:
        for name, target in TARGETS.items():
            for seed in range(start, start + inputs * target.share // 100):
                try:
                    attempt(target, Path(folder), seed)
                except Exception as error:  # noqa: BLE001  # what it looks for
                    failed += 1
                    print(f"{name}, seed {seed}: {type(error).__name__}: {error}"[:500])
            print(f"{name}: done")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
