"""Waivers and a baseline in a run: what they name, when they end, what is gone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from auditor.decoding.records import Decoder
from auditor.errors import PolicyError, UsageError
from auditor.model import Completeness
from auditor.policy import Ruleset, load_policies
from auditor.redaction.fields import Scrubber
from auditor.run import audit
from auditor.sources import Event
from auditor.sources.plan.source import PlanSource
from tests.builders.listed import (
    TODAY,
    Listed,
    baseline_from,
    record,
    waiver,
    waivers_in,
)
from tests.builders.plans import plan_file
from tests.builders.scripted import BAD, GOOD, KEY, SECRET, options

GROUP = ("group_id", "g1")


def test_a_waiver_names_what_was_listed_and_not_what_is_shown(house: Ruleset, tmp_path: Path):
    long = "x" * 300
    text = waiver(connections=f'{{id: "{long}"}}')
    source = Listed([record(long, sync_frequency=5), record("x" * 301, sync_frequency=5)])
    result = audit(source, house, options(waivers=waivers_in(tmp_path, text)))
    assert [f.verdict.label for f in result.findings] == ["waived", "fail"]
    assert result.connections.ids[0] == result.connections.ids[1] == "x" * 199 + "…"


EVE, YEAR = datetime(2026, 12, 31, 23, 58, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "ours", "as_of", "verdict"),
    [
        ("api", TODAY, EVE, "waived"),
        ("api", TODAY, YEAR, "fail"),
        ("api", YEAR, EVE, "fail"),
        ("api", YEAR, TODAY, "fail"),
        ("api", YEAR, None, "fail"),
        # Five minutes are no difference.
        ("api", EVE, YEAR, "waived"),
        # When it was saved ends nothing.
        ("snapshot", TODAY, YEAR, "waived"),
        ("snapshot", YEAR, TODAY, "fail"),
    ],
)
def test_waivers_end_by_the_later_of_both_clocks_whatever_now_says(
    house: Ruleset,
    tmp_path: Path,
    kind: str,
    ours: datetime,
    as_of: datetime | None,
    verdict: str,
):
    given = options(waivers=waivers_in(tmp_path, waiver()), now=TODAY, clock=lambda: ours)
    result = audit(Listed([BAD, GOOD], kind=kind, as_of=as_of), house, given)
    # Groups are not seen whole where the clock is far off.
    assert result.findings[0].verdict.label == verdict
    assert result.judged_at == TODAY


def test_what_policies_do_not_allow_ends_the_run(tmp_path: Path):
    path = tmp_path / "terms.yaml"
    path.write_text(
        "policy: p\nrules:\n"
        "  - {id: sync-floor, severity: low, waivable: false, assert: {sync_frequency: 60}}\n"
    )
    rules, waivers = load_policies(str(path)), waivers_in(tmp_path, waiver())
    with pytest.raises(PolicyError, match="sync-floor may not be waived"):
        audit(Listed([BAD]), rules, options(waivers=waivers))
    # What has expired waives nothing, and breaks nothing.
    late = options(waivers=waivers, clock=lambda: YEAR)
    assert audit(Listed([BAD]), rules, late).gate.exit_code == 1


def test_sentences_about_waivers_come_whole_and_without_credentials(house: Ruleset, tmp_path: Path):
    folder = tmp_path / f"{'long' * 50}{SECRET}"
    folder.mkdir()
    ours = options(waivers=waivers_in(folder, waiver()), scrubber=Scrubber(((KEY, SECRET),)))
    (sentence,) = audit(Listed([BAD]), house, ours).accepted
    shown = str(folder).replace(SECRET, "[redacted]")
    assert f"1 violation waived by {shown}/waivers.yaml (1 of 1 waiver in force" in sentence


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


def test_a_baseline_of_another_account_ends_the_run_that_learns_of_it(house: Ruleset):
    def account(name: str) -> Listed:
        return Listed([BAD], lists={"account": [{"id": name, "name": name}]})

    baseline = baseline_from(audit(account("one"), house, options()))
    with pytest.raises(UsageError, match="a baseline of the account one"):
        audit(account("two"), house, options(baseline=baseline))
    assert audit(account("one"), house, options(baseline=baseline)).gate.exit_code == 0


@pytest.mark.parametrize(
    ("listed", "refused"),
    [
        ({}, True),
        ({"records": []}, False),
        ({"filters": (GROUP,)}, False),
        ({"completeness": Completeness.INCOMPLETE}, False),
    ],
    ids=["whole", "of nothing", "narrowed", "incomplete"],
)
def test_only_a_whole_listing_can_have_no_connection_in_common(
    house: Ruleset, listed: dict[str, Any], refused: bool
):
    baseline = baseline_from(audit(Listed([BAD]), house, options()))
    source = Listed(**{"records": [record("z")], **listed})
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


def test_a_plan_by_itself_tells_nothing_of_the_account(house: Ruleset, tmp_path: Path):
    """It has connections of its own, and what is not in it may be there all the same."""
    plan = PlanSource(str(plan_file("small")))
    baseline = baseline_from(
        audit(Listed([BAD], kind=plan.info.kind, base_url=""), house, options())
    )
    idle = waivers_in(tmp_path, waiver(connections="{id: nobody}"))
    result = audit(plan, house, options(baseline=baseline, waivers=idle))
    assert result.baseline is not None
    assert (result.baseline.gone, result.baseline.untold) == (0, 1)
    assert not [each for each in result.warnings if "matches nothing" in each]
    whole = audit(Listed([BAD]), house, options(waivers=idle))
    assert [each for each in whole.warnings if "matches nothing" in each]
