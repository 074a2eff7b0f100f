"""A waiver file: what it may say, and where each mistake in it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.acceptance.waivers import load_waivers
from auditor.errors import PolicyError, UsageError
from tests.builders.listed import (
    waiver,
    waivers_in,
)
from tests.builders.waiver_mistakes import PROBLEMS


@pytest.mark.parametrize("case", PROBLEMS)
def test_what_is_wrong_is_told_with_its_spot(case: str, tmp_path: Path):
    text, told = PROBLEMS[case]
    with pytest.raises(PolicyError) as caught:
        waivers_in(tmp_path, text)
    assert told in str(caught.value)
    assert all(str(p.position).startswith(str(tmp_path)) for p in caught.value.problems)


def test_every_problem_is_told_at_once(tmp_path: Path):
    text = waiver(rule="", owner="") + waiver(expires="soon").removeprefix("waivers:\n")
    with pytest.raises(PolicyError) as caught:
        waivers_in(tmp_path, text)
    assert len(caught.value.problems) == 3


def test_a_file_that_is_not_there(tmp_path: Path):
    with pytest.raises(UsageError, match="cannot be read"):
        load_waivers(tmp_path / "none.yaml")


def test_a_doubtful_value_is_a_warning_and_with_strict_an_error(tmp_path: Path):
    text = waiver(**{"while": "{schedule_type: {not_equals: hourly}}"})
    assert len(waivers_in(tmp_path, text).warnings) == 1
    with pytest.raises(PolicyError, match="hourly"):
        load_waivers(tmp_path / "waivers.yaml", strict=True)


def test_a_file_without_waivers_is_fine(tmp_path: Path):
    assert waivers_in(tmp_path, "waivers: []\n").entries == ()
    assert waivers_in(tmp_path, "waivers:\n").entries == ()


# -- whom it covers -------------------------------------------------------------------------------


# -- while ----------------------------------------------------------------------------------------


# -- the end --------------------------------------------------------------------------------------


# -- laws -----------------------------------------------------------------------------------------
