"""Broken policies, waivers, snapshots and pages: some hundreds, and 50,000 where it may be slow."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
