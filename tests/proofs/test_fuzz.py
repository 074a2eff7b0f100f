"""Broken policies, waivers, snapshots and pages: some hundreds, and 50,000 where it may be slow."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.records import WholeRecords
from tests.proofs.fuzzing import TARGETS, Target, attempt

_QUICK = settings(
    max_examples=60,
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
def test_fifty_thousand_broken_inputs(name: str, tmp_path: Path) -> None:
    target: Target = TARGETS[name]
    for seed in range(50_000 * target.share // 100):
        attempt(target, tmp_path, seed)


@pytest.mark.parametrize("name", TARGETS)
def test_an_empty_file_ends_in_our_own_errors(name: str, tmp_path: Path) -> None:
    TARGETS[name].check(tmp_path, b"")


# -- what was found -----------------------------------------------------------------------------


@pytest.mark.parametrize("number", [b"1e999", b"-1e999", b"9" * 5000])
@pytest.mark.parametrize("key", [b'"id": "c0"', b'"service": "postgres"', b'"schema": "s0"'])
def test_a_number_out_of_range_is_no_text_in_a_snapshot(
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
