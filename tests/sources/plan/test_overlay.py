"""Laws of a plan laid over an account: whatever the two are."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
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

Row = dict[str, Any]
Rows = dict[str, Row]

#: What a connector sends, and what its schedule does.
_OWN = {
    "networking_method": ("Directly", "PrivateLink", "SshTunnel"),
    "private_link_id": (None, "pl_1", "pl_2"),
    "data_delay_sensitivity": ("LOW", "NORMAL"),
}
_SCHEDULE = {
    "sync_frequency": (1, 5, 15, 60, 360),
    "schedule_type": ("auto", "manual"),
    "paused": (True, False),
    "pause_after_trial": (True, False),
}
#: What never changes in place, and what no plan holds.
_FIXED = {"service": ("postgres", "mysql", "github"), "group_id": ("g1", "g2")}
_LIVE = {"status": ({"setup_state": "connected"}, {"setup_state": "broken"}, None)}
_NAMES = [f"c{n}" for n in range(6)]
_ANY = {name: st.sampled_from(v) for name, v in (_OWN | _SCHEDULE | _FIXED | _LIVE).items()}
_ACCOUNTS = st.dictionaries(st.sampled_from(_NAMES), st.fixed_dictionaries(_ANY), max_size=6)
_SHAPE = Shape(frozenset(_ANY) - {"status"} | {"status.setup_state", "schema"})
_RULES = """\
policy: p
rules:
  - {id: slow, severity: low, when: {schedule_type: auto}, assert: {sync_frequency: {gte: 15}}}
  - {id: private, severity: low, when: {service: postgres},
     assert: {any: [{networking_method: SshTunnel}, {private_link_id: {exists: true}}]}}
  - {id: set-up, severity: low, assert: {status.setup_state: connected}}
  - {id: few, severity: low, per: group_id, when: {paused: false}, assert: {count: {lte: 1}}}
  - {id: differ, severity: low, per: [group_id, service], assert: {unique: [sync_frequency]}}
  - {id: some, severity: low, per: account, assert: {count: {gte: 2}}}
"""
_SETTINGS = settings(max_examples=50, deadline=None, derandomize=True)


@st.composite
def _changes(draw: st.DrawFn) -> tuple[Rows, Rows]:
    """Return an account before and after: some go, some come, some change in place."""
    before, other = draw(_ACCOUNTS), draw(_ACCOUNTS)
    after = {}
    for name in _NAMES:
        if name not in before:
            if name in other:
                after[name] = other[name] | {"status": None}
        elif draw(st.booleans()) or name in other:
            sent = {key: other[name][key] for key in (*_OWN, *_SCHEDULE)} if name in other else {}
            after[name] = before[name] | sent
    return before, after


def _listed(rows: Rows) -> list[Row]:
    return [{"id": name, "schema": name, **row} for name, row in rows.items()]


def _plan(before: Rows, after: Rows) -> dict[str, Any]:
    """Return the plan that makes ``after`` of ``before``: a connector and a schedule for each."""
    changes, resources = [], []
    for name in _NAMES:
        was, will = before.get(name), after.get(name)
        if was is None and will is None:
            continue
        connector = f"fivetran_connector.{name}"
        changes += [
            _change(connector, _connector(name, was), _connector(name, will), {"id": True}),
            _change(
                f"fivetran_connector_schedule.{name}",
                _schedule(name, was),
                _schedule(name, will) if was else _schedule("", will),
                {"id": True, "connector_id": True},
            ),
        ]
        named = {"references": [f"{connector}.id", connector]}
        for address in (connector, f"fivetran_connector_schedule.{name}"):
            written = [*_OWN, *_FIXED] if address == connector else [*_SCHEDULE]
            expressions: dict[str, Any] = {each: {"constant_value": 0} for each in written}
            if address != connector:
                expressions["connector_id"] = named
            kind = address.partition(".")[0]
            held = {"address": address, "type": kind, "provider_config_key": "fivetran"}
            resources.append(held | {"expressions": expressions})
    provider = {"name": "fivetran", "full_name": "registry.terraform.io/fivetran/fivetran"}
    return {
        "format_version": "1.2",
        "terraform_version": "1.15.5",
        "complete": True,
        "resource_changes": changes,
        "configuration": {
            "provider_config": {"fivetran": provider},
            "root_module": {"resources": resources},
        },
    }


def _connector(name: str, row: Row | None) -> Row | None:
    if row is None:
        return None
    held = {key: row[key] for key in (*_OWN, *_FIXED)}
    return held | {"id": name, "name": name, "destination_schema": {"prefix": name}}


def _schedule(name: str, row: Row | None) -> Row | None:
    if row is None:
        return None
    texts = {key: _text(row[key]) for key in _SCHEDULE}
    return {"id": name, "connector_id": name, **texts}


def _text(value: Any) -> Any:
    return str(value).lower() if isinstance(value, (int, bool)) else value


def _change(address: str, was: Row | None, will: Row | None, unknown: Mapping[str, bool]) -> Row:
    actions = "create" if was is None else "delete" if will is None else "update"
    actions = "no-op" if was == will else actions
    if actions == "create" and will is not None:
        will = {key: value for key, value in will.items() if key not in {*unknown, "name"}}
    return {
        "address": address,
        "mode": "managed",
        "type": address.partition(".")[0],
        "name": address.partition(".")[2],
        "provider_name": "registry.terraform.io/fivetran/fivetran",
        "change": {
            "actions": [actions],
            "before": was,
            "after": will,
            "after_unknown": dict(unknown) if actions == "create" else {},
        },
    }


def _estate(plan: Mapping[str, Any]) -> Estate:
    return estate_of(parse_plan(json.dumps(plan).encode(), "plan.json"))


def _laid(plan: Mapping[str, Any], rows: Rows) -> Overlay:
    records = [_SHAPE.convert(row) for row in _listed(rows)]
    return lay(_estate(plan), [ListedAccount("fivetran", records)], _SHAPE)


def _told(overlay: Overlay) -> Rows:
    """Return what an overlay holds, by name: of what is created no live field is known."""
    names = {key: _SHAPE.root.children[key].attribute for key in _ANY}
    return {
        record.schema: {key: getattr(record, name) for key, name in names.items()}
        for record in overlay.records
    }


def _expected(before: Rows, after: Rows) -> Rows:
    told = {record["schema"]: record for record in _listed(after)}
    kept = {name: _SHAPE.convert(row) for name, row in told.items()}
    names = {key: _SHAPE.root.children[key].attribute for key in _ANY}
    return {
        name: {key: getattr(record, attribute) for key, attribute in names.items()}
        for name, record in kept.items()
    }


@_SETTINGS
@given(_changes())
def test_a_plan_over_an_account_gives_what_it_would_be(change: tuple[Rows, Rows]):
    before, after = change
    overlay = _laid(_plan(before, after), before)
    told, expected = _told(overlay), _expected(before, after)
    for name in after.keys() - before.keys():
        del told[name]["status"], expected[name]["status"]
    assert told == expected
    assert overlay.problems == []


@_SETTINGS
@given(_changes())
def test_a_plan_and_then_its_inverse_give_the_account(change: tuple[Rows, Rows]):
    """What the plan destroys the inverse makes anew: with what a plan can say of it."""
    before, after = change
    once = _laid(_plan(before, after), before)
    between = [replace(record, id=record.schema) for record in once.records]
    back = lay(_estate(_plan(after, before)), [ListedAccount("fivetran", between)], _SHAPE)
    told, expected = _told(back), _expected(after, before)
    for name in before.keys() - after.keys():
        del told[name]["status"], expected[name]["status"]
    assert told == expected


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("laws")
    (folder / "rules.yaml").write_text(_RULES)
    return folder


def _judged(folder: Path, rows: Rows, plan: Mapping[str, Any] | None) -> Result:
    (folder / "account.json").write_text(json.dumps(_listed(rows)))
    account = SnapshotSource(str(folder / "account.json"))
    rules = load_policies(str(folder / "rules.yaml"))
    if plan is None:
        return audit(account, rules)
    (folder / "plan.json").write_text(json.dumps(plan))
    source = PlanSource(str(folder / "plan.json"))
    source.lay_over({"": account})
    return audit(source, rules)


_KNOWN = {Verdict.FAIL.value: Verdict.KNOWN.value, Verdict.ERROR.value: Verdict.KNOWN.value}


@_SETTINGS
@given(_ACCOUNTS.filter(bool))
def test_a_plan_of_no_changes_judges_as_the_account_does(folder: Path, rows: Rows):
    alone, over = _judged(folder, rows, None), _judged(folder, rows, _plan(rows, rows))
    for listed, planned in zip(alone.checks, over.checks, strict=True):
        known = bytes(_KNOWN.get(verdict, verdict) for verdict in listed.verdicts)
        assert planned.verdicts == known
        assert [g.verdict for g in planned.groups] == [
            Verdict(_KNOWN.get(g.verdict.value, g.verdict.value)) for g in listed.groups
        ]
    assert over.gate.exit_code == 0


@_SETTINGS
@given(_changes().filter(lambda change: bool(change[1])))
def test_what_would_be_is_judged_as_it_will_be(folder: Path, change: tuple[Rows, Rows]):
    """The verdicts over an account are those of the account once the plan was applied.

    But for what a plan cannot hold of a connection that it creates, and for what was broken before
    and is no worse, which is known.
    """
    before, after = change
    over = _judged(folder, before, _plan(before, after))
    then = _judged(folder, after, None)
    made = after.keys() - before.keys()
    for planned, listed in zip(over.checks, then.checks, strict=True):
        if planned.groups or listed.groups:
            broken = {g.group for g in planned.groups if g.verdict in (Verdict.FAIL, Verdict.KNOWN)}
            assert broken == {g.group for g in listed.groups if g.verdict is Verdict.FAIL}
            continue
        by_name = dict(zip(over.connections.schemas, planned.verdicts, strict=True))
        for name, verdict in zip(then.connections.schemas, listed.verdicts, strict=True):
            if planned.rule.id == "set-up" and name in made:
                assert by_name[name] == Verdict.SKIP.value
                continue
            untouched = before.get(name) == after[name]
            assert by_name[name] == (_KNOWN.get(verdict, verdict) if untouched else verdict)


@_SETTINGS
@given(_changes(), st.randoms(use_true_random=False))
def test_the_order_of_resources_and_of_the_listing_changes_nothing(
    change: tuple[Rows, Rows], random: Any
):
    before, after = change
    plan = _plan(before, after)
    mixed = copy.deepcopy(plan)
    random.shuffle(mixed["resource_changes"])
    names = list(before)
    random.shuffle(names)
    one, other = _laid(plan, before), _laid(mixed, {name: before[name] for name in names})
    assert _told(one) == _told(other)
    assert sorted(one.warnings) == sorted(other.warnings)
