"""Waivers and a baseline in a run: what they name, when they end, what is gone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from auditor.decoding.records import Decoder
from auditor.errors import UsageError
from auditor.model import Completeness
from auditor.policy import Ruleset
from auditor.run import audit
from auditor.sources import Event
from tests.builders.listed import (
    TODAY,
    Listed,
    baseline_from,
    record,
    waiver,
    waivers_in,
)
from tests.builders.scripted import BAD, GOOD, options

GROUP = ("group_id", "g1")


def test_a_waiver_names_what_was_listed_and_not_what_is_shown(house: Ruleset, tmp_path: Path):
    long = "x" * 300
    text = waiver(connections=f'{{id: "{long}"}}')
    source = Listed([record(long, sync_frequency=5), record("x" * 301, sync_frequency=5)])
    result = audit(source, house, options(waivers=waivers_in(tmp_path, text)))
    assert [f.verdict.label for f in result.findings] == ["waived", "fail"]
    assert result.connections.ids[0] == result.connections.ids[1] == "x" * 199 + "…"


@pytest.mark.parametrize(
    ("as_of", "verdict"),
    [
        (datetime(2026, 12, 31, 23, tzinfo=UTC), "waived"),
        (datetime(2027, 1, 1, tzinfo=UTC), "fail"),
    ],
)
def test_waivers_end_by_the_server_s_clock_whatever_now_says(
    house: Ruleset, tmp_path: Path, as_of: datetime, verdict: str
):
    ours = options(waivers=waivers_in(tmp_path, waiver()), now=TODAY)
    result = audit(Listed([BAD, GOOD], as_of=as_of), house, ours)
    # Groups are not seen whole where the clock is far off.
    assert result.findings[0].verdict.label == verdict
    assert result.judged_at == TODAY


def test_a_baseline_of_another_account_ends_the_run_before_it_begins(house: Ruleset):
    baseline = baseline_from(audit(Listed([BAD]), house, options()))
    asked: list[str] = []

    class Other(Listed):
        def events(self, decoder: Decoder) -> Iterator[Event]:
            asked.append("events")
            return super().events(decoder)

    with pytest.raises(UsageError, match="cannot be used for https://elsewhere"):
        audit(Other([BAD], base_url="https://elsewhere.test"), house, options(baseline=baseline))
    assert asked == []


@pytest.mark.parametrize(
    ("listed", "refused"),
    [
        ({}, True),
        ({"filters": (GROUP,)}, False),
        ({"completeness": Completeness.INCOMPLETE}, False),
    ],
    ids=["whole", "narrowed", "incomplete"],
)
def test_only_a_whole_listing_can_have_no_connection_in_common(
    house: Ruleset, listed: dict[str, Any], refused: bool
):
    baseline = baseline_from(audit(Listed([BAD]), house, options()))
    source = Listed([record("z")], **listed)
    if refused:
        with pytest.raises(UsageError, match="no connection in common"):
            audit(source, house, options(baseline=baseline))
    else:
        assert audit(source, house, options(baseline=baseline)).baseline is not None


@pytest.mark.parametrize(
    ("listed", "fate"),
    [
        ({}, "gone"),
        ({"completeness": Completeness.UNKNOWN}, "untold"),
        ({"completeness": Completeness.INCOMPLETE}, "untold"),
        ({"filters": (GROUP,)}, "untold"),
    ],
    ids=["whole", "unknown", "incomplete", "narrowed"],
)
def test_what_is_not_listed_is_gone_only_where_all_was(
    house: Ruleset, listed: dict[str, Any], fate: str
):
    baseline = baseline_from(audit(Listed([BAD, GOOD]), house, options()))
    result = audit(Listed([GOOD], **listed), house, options(baseline=baseline))
    assert result.baseline is not None
    use = result.baseline
    assert (use.fixed, use.gone, use.untold) == ((0, 1, 0) if fate == "gone" else (0, 0, 1))
