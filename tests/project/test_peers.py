"""The peers that are measured beside us: the table is complete, and verdicts come first."""

from __future__ import annotations

import ast
import json
import random
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from bench.listing import _record, write_listing
from bench.measuring import Measured
from bench.peers import __main__ as peers
from bench.peers.table import DUCKDB, HERE, PEERS, POLARS, Peer
from bench.plain import check

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_a_peer_has_a_script_or_lacks_something(peer: Peer):
    assert bool(peer.script) != bool(peer.lacks)
    if peer.script:
        assert (HERE / peer.script).is_file()


def test_every_script_is_of_a_peer():
    shared = {"__init__.py", "__main__.py", "cel_rules.py", "records.py", "rules.py", "table.py"}
    there = {path.name for path in HERE.iterdir() if path.suffix in {".py", ".cjs"}}
    assert there - shared == {peer.script for peer in PEERS if peer.script}
    assert len({peer.name for peer in PEERS}) == len(PEERS)


def _imported(path: Path) -> set[str]:
    """Return the packages that a script imports, with what it imports of this folder."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "bench.peers.records":
            found.add("orjson")
        elif isinstance(node, ast.ImportFrom):
            found.add(str(node.module).partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"bench"}


@pytest.mark.parametrize(
    "peer", [p for p in PEERS if p.script.endswith(".py")], ids=lambda peer: peer.name
)
def test_a_peer_names_the_modules_that_its_script_imports(peer: Peer):
    as_command = {"check_jsonschema"}
    assert _imported(HERE / peer.script) == set(peer.modules) - as_command


def test_every_peer_is_locked():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = {line.partition(">")[0] for line in project["dependency-groups"]["peers"]}
    in_node = json.loads((HERE / "package.json").read_bytes())["dependencies"]
    assert {peer.package for peer in PEERS} == asked | set(in_node)
    lock = (HERE / "package-lock.json").read_text(encoding="utf-8")
    assert "://registry" not in lock
    for name, version in in_node.items():
        locked = json.loads(lock)["packages"][f"node_modules/{name}"]
        assert (locked["version"], locked["integrity"][:7]) == (version, "sha512-")


def test_the_rules_as_a_json_schema_say_what_the_plain_loop_says():
    schema = json.loads((HERE / "rules.schema.json").read_bytes())
    validator = Draft202012Validator(schema)
    chance = random.Random(7)
    records = [_record(chance, number, 0.3, 5) for number in range(200)]
    for record, moment in zip(
        records,
        ("2025-12-01T00:00:00Z", "2025-12-01T00:00:00.000000Z", "2025-12-01T00:00:00.1Z", None),
        strict=False,
    ):
        record["succeeded_at"] = moment
    found = {
        (record["id"], f"R{error.absolute_schema_path[1] + 1}")
        for record in records
        for error in validator.iter_errors(record)
    }
    expected = {(one["connection"], one["rule"]) for one in check(records)}
    assert found == expected
    assert {rule for _, rule in found} == {f"R{number}" for number in range(1, 11)}


def test_the_reference_and_the_auditor_answer_with_the_same_pairs(tmp_path: Path):
    write_listing(60, tmp_path)
    told = [
        set(subprocess.check_output(
            [sys.executable, "-m", f"bench.{name}", str(tmp_path), "--pairs"], cwd=ROOT, text=True
        ).splitlines())
        for name in ("quick", "verdicts")
    ]  # fmt: skip
    assert told[0] == told[1]
    assert len(told[0]) > 10


# -- what is told -------------------------------------------------------------------------------


def test_a_difference_is_reported_with_an_example():
    assert peers.difference({"R1 a"}, {"R1 a"}) == ""
    told = peers.difference({"R1 a", "R2 c"}, {"R1 a", "R1 b", "R3 b"})
    assert told == "not timed: differs, 1 more and 2 fewer, such as R2 c"
    assert peers.difference(set(), {"R3 b"}).endswith("0 more and 1 fewer, such as R3 b")


def test_a_peer_that_is_not_there_is_skipped_with_a_word(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr(peers, "PYTHON", tmp_path / "python")
    monkeypatch.setattr(peers, "NODE_MODULES", tmp_path)
    assert peers.versions_of(PEERS) == {}
    words = {peer.name: peers.word(peer, [], [], {}) for peer in PEERS}
    assert words.pop("Cedar").startswith("not run: cannot say R5")
    assert set(words.values()) == {"skipped: not installed"}


def test_a_peer_is_there_with_all_its_modules(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(peers, "PYTHON", Path(sys.executable))
    monkeypatch.setattr(peers, "NODE_MODULES", tmp_path)
    whole, half = Peer("whole", "click", "a.py", ("click",)), Peer("half", "pytest", "b.py", ("x",))
    assert list(peers.versions_of([whole, half, Peer("none", "x-y-z", "c.py")])) == ["click"]


def test_a_script_that_fails_is_reported():
    found, wrong = peers.pairs([sys.executable, "-c", "raise SystemExit('no such rule')"])
    assert (found, wrong) == (set(), "not timed: failed, no such rule")


def _took(**seconds: float) -> dict[str, Measured]:
    names = {"duckdb": DUCKDB, "polars": POLARS, "ours": peers.OURS, "reports": peers.REPORTS}
    return {names[name]: Measured(took, took, 1.0) for name, took in seconds.items()}


@pytest.mark.parametrize(
    ("others", "against", "met"),
    [
        ({"duckdb": 1.0, "polars": 2.0}, DUCKDB, [True, True]),
        ({"duckdb": 1.0, "polars": 0.7}, POLARS, [False, False]),
        ({"polars": 0.9}, POLARS, [True, True]),
    ],
)
def test_the_bars_are_about_the_faster_one(others: dict[str, float], against: str, met: list[bool]):
    rows = peers.rows(_took(ours=0.9, reports=2.2, **others))
    assert [row.met for row in rows] == met
    assert all(against in row.what for row in rows)


def test_without_either_there_is_no_row():
    assert peers.rows(_took(ours=0.9, reports=2.2)) == []


def test_a_bar_that_nobody_can_know_is_not_met():
    assert peers.untimed(_took(duckdb=1.0, polars=2.0)) == ""
    assert peers.untimed(_took(polars=2.0)).startswith(f"NOT MEASURED: {DUCKDB};")
    assert peers.untimed({}).startswith(f"NOT MEASURED: {DUCKDB} and {POLARS};")
