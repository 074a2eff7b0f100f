"""Broken policies, waivers, snapshots and pages: some hundreds, and 50,000 in the slow test."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.acceptance.waivers import load_waivers
from auditor.decoding.records import WholeRecords
from auditor.policy import load_policies
from auditor.run import audit
from auditor.sources.saved.source import SnapshotSource
from tests.proofs.fuzzing import SOUND_LISTINGS, SOUND_RULES, SOUND_WAIVERS, TARGETS, attempt

_QUICK = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
_SEEDS = st.integers(0, 2**62)


@pytest.mark.parametrize("name", TARGETS)
def test_broken_input_ends_in_our_own_errors(name: str, tmp_path: Path) -> None:
    @_QUICK
    @given(_SEEDS)
    def law(seed: int) -> None:
        attempt(TARGETS[name], tmp_path, seed)

    law()


@pytest.mark.parametrize("name", TARGETS)
@_QUICK
@given(data=st.binary(max_size=300))
def test_any_bytes_end_in_our_own_errors(name: str, tmp_path: Path, data: bytes) -> None:
    TARGETS[name].check(tmp_path, data)


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_fifty_thousand_broken_inputs(name: str) -> None:
    """In a process of its own, which bounds the time and the memory of each."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.proofs.fuzzing", "50000", name, "0"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == f"{name}: done\n"


def test_what_is_broken_was_sound(tmp_path: Path) -> None:
    """What is refused for another reason than what was broken in it proves nothing."""
    (tmp_path / "p.yaml").write_bytes(SOUND_RULES)
    assert len(load_policies(str(tmp_path / "p.yaml")).rules) == 2
    (tmp_path / "w.yaml").write_bytes(SOUND_WAIVERS)
    assert len(load_waivers(tmp_path / "w.yaml").entries) == 2
    rules = load_policies(str(tmp_path / "p.yaml"))
    for number, saved in enumerate(SOUND_LISTINGS):
        (tmp_path / "s.ndjson").write_bytes(saved)
        result = audit(SnapshotSource(str(tmp_path / "s.ndjson")), rules)
        assert len(result.connections) == 3, number


def test_the_shares_are_all_there_is() -> None:
    assert sum(target.share for target in TARGETS.values()) == 100


@pytest.mark.parametrize("name", TARGETS)
def test_an_empty_file_ends_in_our_own_errors(name: str, tmp_path: Path) -> None:
    TARGETS[name].check(tmp_path, b"")


# -- what was found -----------------------------------------------------------------------------


@pytest.mark.parametrize("number", [b"1e999", b"-1e999", b"9" * 5000])
@pytest.mark.parametrize("key", [b'"id": "c0"', b'"service": "postgres"', b'"schema": "s0"'])
def test_a_number_out_of_range_is_not_text_in_a_snapshot(
    key: bytes, number: bytes, tmp_path: Path
) -> None:
    """It was saved as text, so that a rule on text passed what it could not judge live."""
    name = key.split(b":")[0]
    record = b'{"id": "c0", "service": "postgres", "schema": "s0"}'
    page = b'{"code": "Success", "data": {"items": [' + record + b"]}}"
    spoilt = page.replace(key, name + b": " + number)
    (saved,) = WholeRecords().page(spoilt).items
    assert not isinstance(saved[name.decode().strip('"')], str)
    TARGETS["page"].check(tmp_path, spoilt)
    assert json.loads(json.dumps(saved, allow_nan=False)) == saved
