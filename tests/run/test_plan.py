"""A plan in a run: what it changes of the times, the origins, the names and what is said."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from auditor.decoding.records import Decoder, Shape
from auditor.model import Completeness, Outcome, PlanScope, Result, Verdict
from auditor.policy import Ruleset, load_policies
from auditor.redaction.fields import Scrubber
from auditor.run import audit
from auditor.run.options import Options
from auditor.sources import End, Event, Page, Source
from auditor.sources.plan.source import PlanSource
from tests.builders.listed import (
    TODAY,
    Listed,
    baseline_from,
    record,
)
from tests.builders.plans import change, document, plan_file
from tests.builders.scripted import KEY, SECRET, Scripted, options

RULES = """\
policy: p
rules:
  - {id: floor, severity: medium, assert: {sync_frequency: {gte: 15}}}
  - {id: few-fast, severity: low, per: group_id, when: {sync_frequency: {lt: 15}},
     assert: {count: {lte: 2}}}
"""
#: The account that the plan ``walk`` was made of, and one more connection.
ROWS = (
    ("orders_5153", "postgres", "orders", 60),
    ("crm_f8d2", "salesforce", "crm", 360),
    ("legacy_a005", "mysql", "legacy", 5),
    ("sheets_budget_4566", "google_sheets", "sheets.budget", 5),
    ("other", "github", "other", 60),
)


def account(**minutes: int) -> list[dict[str, Any]]:
    return [
        record(
            name,
            service=service,
            schema=schema,
            group_id="g_prod",
            sync_frequency=minutes.get(name, own),
            schedule_type="auto",
        )
        for name, service, schema, own in ROWS
    ]


class Live(Listed):
    """An account that is listed now."""

    live = True


def rules(folder: Path, text: str = RULES) -> Ruleset:
    path = folder / "p.yaml"
    path.write_text(text)
    return load_policies(str(path))


def judged(
    folder: Path,
    plan: str | Mapping[str, Any],
    over: Source | None = None,
    text: str = RULES,
    given: Options | None = None,
) -> Result:
    path = plan_file(plan) if isinstance(plan, str) else folder / "plan.json"
    if not isinstance(plan, str):
        path.write_text(json.dumps(plan))
    source = PlanSource(str(path))
    if over is not None:
        source.lay_over({"": over})
    return audit(source, rules(folder, text), given or options())


def scope(result: Result) -> PlanScope:
    assert result.plan is not None
    return result.plan


def test_a_plan_by_itself_is_of_no_time_and_over_nothing(tmp_path: Path):
    result = judged(tmp_path, "walk", given=options(max_age=timedelta(0)))
    assert scope(result) == PlanScope(nothing="", touched=3, over="", saved=False)
    assert (result.taken_at, result.clock_note, result.judged_at) == (None, "", TODAY)
    assert {f.rule.id: f.verdict.label for f in result.findings} == {"floor": "fail"}
    assert result.gate.reasons == ("2 medium violations of 1 rule",)


def test_a_plan_that_changes_nothing_says_so(tmp_path: Path):
    result = judged(tmp_path, "small-noop")
    assert scope(result).nothing == "nothing would change; nothing was judged"
    assert len(result.connections) == 0


def test_without_a_plan_a_run_says_nothing_of_one(tmp_path: Path):
    result = audit(Listed(account()), rules(tmp_path), options())
    assert (result.plan, result.notes) == (None, ())


@pytest.mark.parametrize("kind", [Listed, Live])
def test_over_an_account_a_plan_says_what_it_mends_and_what_it_betters(
    tmp_path: Path, kind: type[Listed]
):
    over = kind(account(orders_5153=5, crm_f8d2=5, other=5), base_url=f"https://{SECRET}.test")
    ours = options(scrubber=Scrubber(((KEY, SECRET),)))
    result = judged(tmp_path, "walk", over, given=ours)
    assert scope(result) == PlanScope(
        nothing="",
        touched=3,
        over="https://[redacted].test",
        saved=kind is Listed,
        mended=("floor: crm_f8d2", "floor: legacy_a005 is gone"),
        improved=("few-fast: g_prod: 5 before, 4 after; still broken",),
    )
    first, *_ = result.notes
    assert first.startswith("the plan was made by Terraform ")
    assert result.notes[-2:] == (
        "fixed by this change: 2 violations (floor: crm_f8d2; floor: legacy_a005 is gone)",
        "improved by this change: few-fast: g_prod: 5 before, 4 after; still broken",
    )


def test_what_mends_nothing_is_said_to_mend_nothing(tmp_path: Path):
    result = judged(tmp_path, "walk", Listed(account(legacy_a005=60)))
    assert (scope(result).mended, scope(result).improved) == ((), ())
    assert not [note for note in result.notes if "by this change" in note]


def test_many_that_it_mends_are_told_up_to_fifty(tmp_path: Path):
    text = "policy: p\nrules:\n" + "".join(
        f"  - {{id: r{n:02}, severity: low, assert: {{sync_frequency: {{gte: 15}}}}}}\n"
        for n in range(51)
    )
    (note,) = [
        note
        for note in judged(tmp_path, "walk", Listed(account()), text).notes
        if note.startswith("fixed by this change")
    ]
    assert note.startswith("fixed by this change: 51 violations (r00: legacy_a005 is gone; r01")
    assert "r49: legacy_a005 is gone)" in note or note.endswith("…")


@pytest.mark.parametrize(
    ("kind", "note", "warned"),
    [(Live, "", True), (Listed, "judged as of 2026-03-10T13:00:00Z, when the", False)],
)
def test_the_time_of_the_account_under_a_plan_counts(
    tmp_path: Path, kind: type[Listed], note: str, warned: bool
):
    at = TODAY + timedelta(hours=1)
    result = judged(tmp_path, "walk", kind(account(), as_of=at))
    assert result.judged_at == at
    assert result.clock_note.startswith(note)
    assert [text for text in result.warnings if "this machine's clock" in text] != [] or not warned


NAMED = "policy: p\nrules: [{id: r, severity: low, assert: {group.name: Prod}}]\n"


@pytest.mark.parametrize(
    ("over", "told"),
    [
        (Live, "/v1/groups was not read before the listing broke off"),
        (
            Listed,
            "the saved listing holds no groups; fivetran-auditor fetch --with groups saves them",
        ),
        (None, "a plan holds no groups; judge it with --over live"),
    ],
)
def test_why_a_list_is_lacking_depends_on_what_is_under_the_plan(
    tmp_path: Path, over: type[Listed] | None, told: str
):
    listed = over(account()) if over is not None else None
    (info,) = judged(tmp_path, "walk", listed, NAMED).facts
    assert info.problem == told


def test_what_a_plan_leaves_out_is_not_known_and_not_missing(tmp_path: Path):
    plan = document("walk")
    events = change(plan, "fivetran_connector.events")
    del events["after"]["service"]
    events["after_unknown"]["service"] = True
    services = judged(tmp_path, plan).connections.services
    assert "(not known)" in services
    assert "(missing)" not in services


@pytest.mark.parametrize(("skip", "verdict"), [(False, "error"), (True, "skip")])
def test_what_is_unknown_until_it_is_applied_is_an_error_unless_it_is_skipped(
    tmp_path: Path, skip: bool, verdict: str
):
    plan = document("walk")
    orders = change(plan, "fivetran_connector_schedule.orders")
    del orders["after"]["sync_frequency"]
    orders["after_unknown"]["sync_frequency"] = True
    result = judged(tmp_path, plan, given=options(skip_unknown=skip))
    (floor,) = [each for each in result.checks if each.rule.id == "floor"]
    place = list(result.connections.schemas).index("orders")
    assert Verdict(floor.verdicts[place]).label == verdict


def test_a_group_of_a_plan_by_itself_is_never_too_small(tmp_path: Path):
    text = "policy: p\nrules:\n" + "".join(
        f"  - {{id: {name}, severity: low, per: group_id, assert: {{count: {bound}}}}}\n"
        for name, bound in (("many", "{gte: 50}"), ("few", "{lte: 1}"))
    )
    found = {f.rule.id: f.verdict.label for f in judged(tmp_path, "walk", None, text).findings}
    assert found == {"few": "fail"}
    over = {f.rule.id for f in judged(tmp_path, "walk", Listed(account()), text).findings}
    assert over == {"many", "few"}


def test_a_sensitive_value_is_in_no_column(tmp_path: Path):
    plan = document("walk")
    events = change(plan, "fivetran_connector.events")
    events["after"]["networking_method"] = "hunter2"
    events["after_sensitive"] = {"networking_method": True}
    ours = options(dimensions={"net": "networking_method"})
    for over in (None, Listed(account())):
        result = judged(tmp_path, plan, over, given=ours)
        place = list(result.connections.schemas).index("events")
        net = result.connections.dimensions["net"]
        assert len(net) == len(result.connections)
        assert net[place] == "[sensitive]"
        assert list(net).count("[sensitive]") == 1


@pytest.mark.parametrize("hidden", [True, False])
def test_the_name_of_a_group_and_the_region_are_hidden_where_the_plan_hides_them(
    tmp_path: Path, hidden: bool
):
    plan = document("warehouse")
    (prod,) = [
        one["change"]
        for one in plan["resource_changes"]
        if one["address"] == "fivetran_destination.prod"
    ]
    prod["after"]["region"] = "hunter2"
    prod["after_sensitive"] = {"region": True} if hidden else {}
    plan["resource_changes"].append(
        {
            "address": "fivetran_group.prod",
            "mode": "managed",
            "type": "fivetran_group",
            "name": "prod",
            "provider_name": "registry.terraform.io/fivetran/fivetran",
            "change": {
                "actions": ["update"],
                "before": {"id": "g_prod", "name": "Prod"},
                "after": {"id": "g_prod", "name": "hunter2"},
                "after_unknown": {},
                "before_sensitive": {},
                "after_sensitive": {"name": True} if hidden else {},
            },
        }
    )
    over = Live(
        [record("orders_5153", schema="orders", group_id="g_prod"), record("x", group_id="g_x")],
        lists={
            "group": [{"id": "g_prod", "name": "Prod"}, {"id": "g_x", "name": "Other"}],
            "destination": [
                {"id": name, "group_id": name, "region": region}
                for name, region in (("g_prod", "AWS"), ("g_x", "GCP"))
            ],
        },
    )
    text = "policy: p\nrules: [{id: r, severity: low, assert: {destination.region: AWS}}]\n"
    result = judged(tmp_path, plan, over, text)
    names = dict(result.connections.group_names)
    assert names == ({"g_x": "Other"} if hidden else {"g_prod": "hunter2", "g_x": "Other"})
    regions = dict(
        zip(result.connections.ids, result.connections.dimensions["region"], strict=True)
    )
    assert regions["orders_5153"] == ("[sensitive]" if hidden else "hunter2")
    assert regions["x"] == "GCP"
    (found,) = [f for f in result.findings if f.connections[0].id == "orders_5153"]
    assert found.resources[0].address == "fivetran_destination.prod"
    assert ("hunter2" in found.message) is not hidden


def test_what_rules_ask_of_the_time_before_is_read_of_the_account(tmp_path: Path):
    text = (
        "policy: p\nrules:\n"
        "  - {id: delay, severity: low, when: {schema: orders},\n"
        "     assert: {plan.before.data_delay_sensitivity: HIGH}}\n"
        "  - {id: faster, severity: low, when: {plan.times_faster: {exists: true}},\n"
        "     assert: {plan.times_faster: {lte: 2}}}\n"
    )
    listed = [each | {"data_delay_sensitivity": "LOW"} for each in account()]
    plan = document("walk")
    # The plan does not know what the schedule was: it is only set by the resource from now on.
    change(plan, "fivetran_connector_schedule.orders").update(actions=["create"], before=None)
    result = judged(tmp_path, plan, Listed(listed), text)
    assert {f.rule.id: f.evidence[0].actual for f in result.findings} == {
        "delay": "LOW",
        "faster": "12.0",
    }


@pytest.mark.parametrize("field", ["plan.times_faster", "plan.before.networking_method"])
def test_without_a_plan_no_more_is_read_than_rules_ask_for(tmp_path: Path, field: str):
    seen: list[Decoder] = []

    class Source(Listed):
        def events(self, decoder: Decoder) -> Iterator[Event]:
            seen.append(decoder)
            return super().events(decoder)

    text = f"policy: p\nrules: [{{id: r, severity: low, assert: {{{field}: {{exists: false}}}}}}]\n"
    audit(Source(account()), rules(tmp_path, text), options())
    (shape,) = seen
    assert isinstance(shape, Shape)
    assert not {"sync_frequency", "networking_method"} & set(shape.root.children)


def test_a_deadline_leaves_a_plan_inconclusive_and_nothing_is_said_to_be_fixed(tmp_path: Path):
    path = tmp_path / "slow.yaml"
    path.write_text(
        "policy: p\nrules:\n  - {id: slow, severity: low, assert: {sync_frequency: {gte: 15}}}\n"
        "  - {id: few, severity: low, per: group_id, when: {sync_frequency: {lt: 15}},\n"
        "     assert: {count: {lte: 2}}}\n"
    )
    names = [f"c{n}" for n in range(250)] + ["orders_5153", "crm_f8d2", "legacy_a005"]

    def events(page: Callable[..., Page]) -> Iterator[Event]:
        yield page(*(record(name, sync_frequency=5, group_id="g_prod") for name in names))
        yield End(Completeness.ONE_WALK)

    asked = count(1)

    def clock() -> datetime:
        # It is asked for the second time as the first page is there: the deadline is over then.
        if next(asked) == 2:
            time.sleep(1.1)
        return TODAY

    source = PlanSource(str(plan_file("walk")))
    source.lay_over({"": Scripted(events, live=True)})
    ours = options(timeout=1.0, clock=clock, dimensions={"name": "schema"})
    result = audit(source, load_policies(str(path)), ours)
    assert result.gate.outcome is Outcome.INCONCLUSIVE
    assert result.listing.problems[0].startswith("the listing was not judged within 1 s")
    # What the plan changes comes last, and was not reached.
    assert len(result.connections) == 250
    assert min(source.placed) == 250
    assert len([f for f in result.findings if f.rule.id == "slow"]) == 250
    assert result.plan is not None
    assert (result.plan.mended, result.plan.improved) == ((), ())


def test_a_plan_over_a_listing_that_does_not_come_says_what_it_waited_for(house: Ruleset):
    never = threading.Event()

    class Slow(Scripted):
        waiting = "the second page"

    def events(page: Callable[..., Page]) -> Iterator[Event]:
        yield page()
        never.wait()

    source = PlanSource(str(plan_file("walk")))
    source.lay_over({"": Slow(events, live=True)})
    result = audit(source, house, options(timeout=0.2))
    never.set()
    assert "; waiting for the second page; " in result.gate.reasons[0]


def test_what_a_rule_that_the_baseline_lacks_finds_outside_the_plan_is_known(tmp_path: Path):
    floor, _, few = RULES.partition("  - {id: few-fast")
    over = Listed(account(other=5))
    fast = f"policy: p\nrules:\n  - {{id: few-fast{few}"
    before = baseline_from(judged(tmp_path, "walk", over, fast))
    result = judged(tmp_path, "walk", over, floor, options(baseline=before))
    known = [f.connections[0].id for f in result.findings if f.verdict is Verdict.KNOWN]
    assert "other" in known
    assert not any("since the baseline" in warning for warning in result.warnings)
