"""Laws of a plan laid over an account: whatever the two are."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from auditor.decoding.records import Shape
from auditor.model import Result, Verdict
from auditor.policy import load_policies
from auditor.run import audit
from auditor.sources.plan.document import parse_plan
from auditor.sources.plan.estate import estate_of
from auditor.sources.plan.overlay import ListedAccount, Overlay, lay
from auditor.sources.plan.planned import Estate
from auditor.sources.plan.source import PlanSource
from auditor.sources.saved.source import SnapshotSource
from tests.builders.changes import (
    ACCOUNTS,
    ANY,
    FORMS,
    LIVE,
    OWN,
    SCHEDULE,
    Form,
    Rows,
    changes,
    listed,
    plan_of,
)
from tests.builders.plans import document
from tests.builders.slow import tries

_SHAPE = Shape(frozenset(ANY) - {"status"} | {"status.setup_state", "schema"})
_RULES = """\
policy: p
rules:
  - {id: slow, severity: low, when: {schedule_type: auto}, assert: {sync_frequency: {gte: 15}}}
  - {id: private, severity: low, when: {service: postgres},
     assert: {any: [{networking_method: SshTunnel}, {private_link_id: {exists: true}}]}}
  - {id: rare, severity: low, assert: {sync_frequency: {gt: 60}}}
  - {id: runs, severity: low, assert: {paused: false}}
  - {id: trial, severity: low, assert: {pause_after_trial: false, schedule_type: auto}}
  - {id: calm, severity: low, assert: {data_delay_sensitivity: NORMAL}}
  - {id: set-up, severity: low, assert: {status.setup_state: connected}}
  - {id: few, severity: low, per: group_id, when: {paused: false}, assert: {count: {lte: 1}}}
  - {id: differ, severity: low, per: [group_id, service], assert: {unique: [sync_frequency]}}
  - {id: some, severity: low, per: account, assert: {count: {gte: 2}}}
"""

_SETTINGS = settings(max_examples=tries(50), deadline=None, derandomize=True)


def _estate(plan: Mapping[str, Any]) -> Estate:
    return estate_of(parse_plan(json.dumps(plan).encode(), "plan.json"))


def _laid(plan: Mapping[str, Any], rows: Rows) -> Overlay:
    records = [_SHAPE.convert(row) for row in listed(rows)]
    return lay(_estate(plan), [ListedAccount("fivetran", records)], _SHAPE)


def _told(overlay: Overlay) -> Rows:
    """Return what an overlay holds, by name: of what is created no live field is known."""
    names = {key: _SHAPE.root.children[key].attribute for key in ANY}
    return {
        record.schema: {key: getattr(record, name) for key, name in names.items()}
        for record in overlay.records
    }


def _expected(before: Rows, after: Rows) -> Rows:
    told = {record["schema"]: record for record in listed(after)}
    kept = {name: _SHAPE.convert(row) for name, row in told.items()}
    names = {key: _SHAPE.root.children[key].attribute for key in ANY}
    return {
        name: {key: getattr(record, attribute) for key, attribute in names.items()}
        for name, record in kept.items()
    }


@_SETTINGS
@given(changes(), FORMS)
def test_a_plan_over_an_account_gives_what_it_would_be(
    change: tuple[Rows, Rows], forms: dict[str, Form]
):
    before, after = change
    overlay = _laid(plan_of(before, after, forms), before)
    told, expected = _told(overlay), _expected(before, after)
    for name in after.keys() - before.keys():
        del told[name]["status"], expected[name]["status"]
    assert told == expected
    assert overlay.problems == []
    assert {p.real_id for p in overlay.placed.values() if p.touched} - {""} == {
        name for name in before.keys() & after.keys() if before[name] != after[name]
    }


@_SETTINGS
@given(changes(), FORMS)
def test_a_plan_and_then_its_inverse_give_the_account(
    change: tuple[Rows, Rows], forms: dict[str, Form]
):
    """The inverse recreates what the plan destroys, with what a plan can say about it."""
    before, after = change
    once = _laid(plan_of(before, after, forms), before)
    between = [replace(record, id=record.schema) for record in once.records]
    inverse = _estate(plan_of(after, before, forms))
    back = lay(inverse, [ListedAccount("fivetran", between)], _SHAPE)
    told, expected = _told(back), _expected(after, before)
    for name in before.keys() - after.keys():
        del told[name]["status"], expected[name]["status"]
    assert told == expected


@_SETTINGS
@given(changes(), ACCOUNTS, FORMS)
def test_what_a_plan_does_not_change_stays_as_the_account_has_it(
    change: tuple[Rows, Rows], other: Rows, forms: dict[str, Form]
):
    """The account may have changed since the plan was made."""
    before, after = change
    same = {name for name in before if before[name] == after.get(name)}
    names = (*OWN, *SCHEDULE, *LIVE)
    drifted = {
        name: row | ({key: other[name][key] for key in names} if name in same & set(other) else {})
        for name, row in before.items()
    }
    told = _told(_laid(plan_of(before, after, forms), drifted))
    assert {name: told[name] for name in same} == _expected({}, {n: drifted[n] for n in same})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("laws")
    (folder / "rules.yaml").write_text(_RULES)
    return folder


def _judged(folder: Path, rows: Rows | None, plan: Mapping[str, Any] | None) -> Result:
    """Judge an account, or a plan over it; without an account, a plan alone."""
    rules = load_policies(str(folder / "rules.yaml"))
    (folder / "account.json").write_text(json.dumps(listed(rows or {})))
    account = SnapshotSource(str(folder / "account.json"))
    if plan is None:
        return audit(account, rules)
    (folder / "plan.json").write_text(json.dumps(plan))
    source = PlanSource(str(folder / "plan.json"))
    if rows is not None:
        source.lay_over({"": account})
    return audit(source, rules)


_KNOWN = {Verdict.FAIL.value: Verdict.KNOWN.value, Verdict.ERROR.value: Verdict.KNOWN.value}


@_SETTINGS
@given(ACCOUNTS.filter(bool), FORMS)
def test_a_plan_of_no_changes_judges_as_the_account_does(
    folder: Path, rows: Rows, forms: dict[str, Form]
):
    """Moves and imports that change nothing do not count as a change."""
    alone, over = _judged(folder, rows, None), _judged(folder, rows, plan_of(rows, rows, forms))
    for was, planned in zip(alone.checks, over.checks, strict=True):
        known = bytes(_KNOWN.get(verdict, verdict) for verdict in was.verdicts)
        assert planned.verdicts == known
        assert [g.verdict for g in planned.groups] == [
            Verdict(_KNOWN.get(g.verdict.value, g.verdict.value)) for g in was.groups
        ]
    assert over.gate.exit_code == 0


@_SETTINGS
@given(changes().filter(lambda change: bool(change[1])), FORMS)
def test_what_would_be_is_judged_as_it_will_be(
    folder: Path, change: tuple[Rows, Rows], forms: dict[str, Form]
):
    """The verdicts over an account are those of the account once the plan was applied.

    But for what a plan cannot hold of a connection that it creates, and for what was broken before
    and is no worse, which is known.
    """
    before, after = change
    over = _judged(folder, before, plan_of(before, after, forms))
    then = _judged(folder, after, None)
    made = after.keys() - before.keys()
    for planned, later in zip(over.checks, then.checks, strict=True):
        if planned.groups or later.groups:
            broken = [g for g in planned.groups if g.verdict in (Verdict.FAIL, Verdict.KNOWN)]
            assert len(broken) == len([g for g in later.groups if g.verdict is Verdict.FAIL])
            continue
        by_name = _by_name(over, planned.verdicts)
        for name, verdict in zip(then.connections.schemas, later.verdicts, strict=True):
            if planned.rule.id == "set-up" and name in made:
                assert by_name[name] == Verdict.SKIP.value
                continue
            untouched = before.get(name) == after[name]
            assert by_name[name] == (_KNOWN.get(verdict, verdict) if untouched else verdict)


@_SETTINGS
@given(ACCOUNTS.filter(bool), FORMS)
def test_a_connection_planned_and_the_same_one_listed_get_the_same_verdicts(
    folder: Path, rows: Rows, forms: dict[str, Form]
):
    """Of a plan alone, for rules on each connection that read what both hold."""
    rows = {name: row | {"status": None} for name, row in rows.items()}
    planned, there = _judged(folder, None, plan_of({}, rows, forms)), _judged(folder, rows, None)
    for mine, theirs in zip(planned.checks, there.checks, strict=True):
        if not mine.rule.per and mine.rule.id != "set-up":
            by_name = _by_name(planned, mine.verdicts)
            told = dict(zip(there.connections.schemas, theirs.verdicts, strict=True))
            assert by_name == told


def _by_name(result: Result, verdicts: bytes) -> dict[str, int]:
    """Return a rule's verdicts by the resource's name, or its id without one."""
    places = zip(result.connections.addresses, result.connections.ids, strict=True)
    found = [(re.search(r"fivetran_\w+\.(\w+)", address), id_) for address, id_ in places]
    names = [match[1] if match is not None else id_ for match, id_ in found]
    return dict(zip(names, verdicts, strict=True))


@_SETTINGS
@given(changes(), FORMS, st.randoms(use_true_random=False))
def test_the_order_of_resources_and_of_the_listing_changes_nothing(
    change: tuple[Rows, Rows], forms: dict[str, Form], random: Any
):
    before, after = change
    plan = plan_of(before, after, forms)
    mixed = copy.deepcopy(plan)
    random.shuffle(mixed["resource_changes"])
    for module in _modules(mixed["configuration"]["root_module"]):
        random.shuffle(module.get("resources", []))
    names = list(before)
    random.shuffle(names)
    one, other = _laid(plan, before), _laid(mixed, {name: before[name] for name in names})
    assert _told(one) == _told(other)
    assert sorted(one.warnings) == sorted(other.warnings)
    assert _touched(one) == _touched(other)
    # What comes stands in the same order.
    assert [i for i in one.identities.ids if i.startswith("terraform:")] == [
        i for i in other.identities.ids if i.startswith("terraform:")
    ]


def _modules(module: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield module
    for call in module.get("module_calls", {}).values():
        yield from _modules(call["module"])


def _touched(overlay: Overlay) -> dict[str, tuple[object, ...]]:
    return {
        p.address: (p.action, p.touched, sorted(p.resources), p.identity)
        for p in overlay.placed.values()
    }


@pytest.mark.parametrize("ours", [0, 1])
def test_what_is_in_no_known_account_is_in_the_one_that_lists_it(ours: int):
    """Once a destroyed resource has left the configuration, nothing names its account."""
    plan = document("accounts")
    gone = {
        "address": "fivetran_connector.gone",
        "mode": "managed",
        "type": "fivetran_connector",
        "name": "gone",
        "provider_name": "registry.terraform.io/fivetran/fivetran",
        "change": {"actions": ["delete"], "before": {"id": "gone_1"}, "after": None},
    }
    plan["resource_changes"].append(gone)
    rows = [[{"id": "us_1"}], [{"id": "eu_1"}]]
    rows[ours].append({"id": "gone_1"})
    listings = [
        ListedAccount(name, [_SHAPE.convert(row) for row in held])
        for name, held in zip(("fivetran", "fivetran.eu"), rows, strict=True)
    ]
    overlay = lay(_estate(plan), listings, _SHAPE)
    assert overlay.problems == []
    assert {"us_1", "eu_1"} <= set(overlay.identities.ids)
    assert "gone_1" not in overlay.identities.ids


@pytest.mark.parametrize("first", [0, 1])
def test_a_name_is_of_one_connection_of_its_group(first: int):
    """A schedule may name its connection by a group and a name, which others have too."""
    schedule = {
        "address": "fivetran_connector_schedule.crm",
        "mode": "managed",
        "type": "fivetran_connector_schedule",
        "name": "crm",
        "provider_name": "registry.terraform.io/fivetran/fivetran",
        "change": {
            "actions": ["create"],
            "before": None,
            "after": {"group_id": "g2", "connector_name": "crm", "sync_frequency": "5"},
            "after_unknown": {"id": True, "connector_id": True},
        },
    }
    plan = {"format_version": "1.2", "resource_changes": [schedule], "configuration": {}}
    rows = [
        {"id": f"c{n}", "schema": "crm", "group_id": f"g{n}", "sync_frequency": 60} for n in (1, 2)
    ]
    records = [_SHAPE.convert(row) for row in (rows[first], rows[1 - first])]
    overlay = lay(_estate(plan), [ListedAccount("fivetran", records)], _SHAPE)
    assert {record.id: record.sync_frequency for record in overlay.records} == {"c1": 60, "c2": 5}
