"""The library, as a notebook, an Airflow task or a Dagster asset calls it."""

from __future__ import annotations

import copy
import json
import math
import os
import pickle
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import auditor
from auditor import (
    AuditorError,
    Options,
    Outcome,
    Result,
    Ruleset,
    Severity,
    SnapshotSource,
    SourceError,
    UsageError,
    audit,
    load_policies,
    load_waivers,
    read_baseline,
    to_json,
    write_reports,
)
from auditor.decoding.records import Decoder
from auditor.model import Completeness
from auditor.policy.loading.load import load
from auditor.sources import End, Event, Page, Restart
from tests.builders.listed import HOUSE, TODAY, Listed, record

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
FLOOR = """\
policy: floor
vars: {floor: 15, on: true, ways: [manual, auto]}
rules:
  - {id: floor, severity: low, assert: {sync_frequency: {gte: {var: floor}}}}
  - {id: on, severity: low, assert: {paused: {not_equals: {var: on}}}}
  - {id: ways, severity: low, assert: {schedule_type: {in: {var: ways}}}}
"""


@pytest.fixture(name="house")
def _house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("house.yaml").write_text(HOUSE)
    Path("policies").mkdir()
    Path("policies/floor.yaml").write_text(FLOOR)
    answer = {
        "code": "Success",
        "data": {"items": [record("a"), record("b", paused=True)], "next_cursor": None},
    }
    Path("listing.json").write_text(json.dumps(answer))
    return tmp_path


def result() -> Result:
    return audit(Listed([record("a"), record("b", paused=True)]), load_policies("house.yaml"))


# -- what people pass --------------------------------------------------------------------------


def test_a_path_is_a_path(house: Path):
    for name in (house / "house.yaml", Path("house.yaml"), Path("policies"), house / "policies"):
        assert load_policies(name).rules
    source = SnapshotSource(Path("listing.json"))
    found = audit(source, load_policies(Path("house.yaml")), Options(now=NOW))
    (report,) = write_reports(found, house / "out", ["json"])
    assert read_baseline(report).report.connections.ids
    Path("w.yaml").write_text(
        "waivers:\n  - {rule: not-paused, connections: all, reason: x, owner: me,\n"
        "     expires: 2030-01-01}\n"
    )
    assert load_waivers(Path("w.yaml")).entries


@pytest.mark.parametrize(
    "variables",
    [{"floor": 30}, {"floor": "30"}, {"on": False}, {"on": "false"}, {"ways": ["manual"]},
     {"ways": ("manual", "auto")}],
)  # fmt: skip
def test_variables_are_what_python_has_for_them(variables: dict[str, Any], house: Path):
    name, value = next(iter(variables.items()))
    text = {True: "true", False: "false"}.get(value) if isinstance(value, bool) else None
    text = text or (",".join(value) if isinstance(value, (list, tuple)) else str(value))
    assert load_policies("policies/", variables=variables) == (
        load(["policies/"], variables={name: text}).ruleset
    )


@pytest.mark.parametrize("value", [None, math.nan, math.inf, object(), {"a": 1}, [1]])
def test_a_variable_that_is_not_a_value_is_a_usage_error(value: object, house: Path):
    with pytest.raises(UsageError, match="variable floor"):
        load_policies("policies/", variables={"floor": value})


@pytest.mark.parametrize("name", [None, 5, b"house.yaml", ["house.yaml"]])
def test_a_policy_that_is_not_a_name_is_a_usage_error(name: Any, house: Path):
    with pytest.raises(UsageError, match="names no policy"):
        load_policies(name)


@pytest.mark.parametrize(
    "wrong",
    [
        {"timeout": math.nan},
        {"timeout": math.inf},
        {"timeout": 0},
        {"timeout": -1.0},
        {"timeout": None},
        {"timeout": True},
        {"limits": None},
        {"limits": {Severity.LOW: None}},
        {"limits": {Severity.LOW: math.nan}},
        {"limits": {Severity.LOW: -1}},
        {"limits": {Severity.LOW: True}},
        {"limits": {"low": 3}},
        {"fail_on": "low"},
        {"now": datetime(2026, 3, 10)},  # noqa: DTZ001  # that is what is wrong with it
        {"now": "2026-03-10"},
    ],
    ids=str,
)
def test_options_that_would_let_anything_pass_are_refused(wrong: dict[str, Any]):
    with pytest.raises(UsageError, match=next(iter(wrong))):
        Options(**wrong)


def test_an_empty_ruleset_is_not_a_pass(house: Path):
    for rules in (Ruleset((), ()), None, load(["house.yaml"])):
        with pytest.raises(UsageError, match="no rule to judge by"):
            audit(Listed([record("a")]), rules)  # type: ignore[arg-type]


def test_a_working_folder_that_is_gone_is_a_usage_error(house: Path):
    (house / "gone").mkdir()
    os.chdir(house / "gone")
    (house / "gone").rmdir()
    try:
        with pytest.raises(AuditorError):
            load_policies("./house.yaml")
        with pytest.raises(AuditorError):
            load_policies(house / "house.yaml")
    finally:
        os.chdir(house)


def test_a_policy_on_another_drive_has_its_whole_name(house: Path, monkeypatch: pytest.MonkeyPatch):
    def two_drives(*_: object) -> str:
        raise ValueError("path is on mount 'C:', start on mount 'D:'")

    monkeypatch.setattr(os.path, "relpath", two_drives)
    (policy,) = load_policies("house.yaml").policies
    assert policy.file == (house / "house.yaml").as_posix()


# -- a source that does not keep to its protocol ---------------------------------------------------


class Told(Listed):
    """A source that yields what it is given."""

    told: tuple[Event, ...] = ()

    def events(self, decoder: Decoder) -> Iterator[Event]:
        for event in self.told:
            records = decoder.array(json.dumps(self.records).encode())
            yield Page(records) if event is PAGE else event


PAGE = Page([])
END = End(Completeness.ONE_PAGE)


@pytest.mark.parametrize("after", [PAGE, Restart("it moved"), END])
def test_what_comes_after_the_end_is_inconclusive(after: Event, house: Path):
    source = Told([record("a")])
    source.told = (PAGE, END, after)
    found = audit(source, load_policies("house.yaml"))
    assert found.gate.outcome is Outcome.INCONCLUSIVE
    assert "went on after its end" in "".join(found.gate.reasons)


# -- what is true ----------------------------------------------------------------------------------


def test_only_a_pass_is_true(house: Path):
    failed = result()
    assert failed.gate.outcome is Outcome.VIOLATIONS
    assert not failed
    assert not failed.gate
    assert not failed.gate.outcome
    passed = audit(Listed([record("a")]), load_policies("house.yaml"))
    assert passed
    assert passed.gate
    assert passed.gate.outcome
    unknown = audit(Listed([]), load_policies("house.yaml"))
    assert unknown.gate.outcome is Outcome.INCONCLUSIVE
    assert not unknown


# -- what goes to another process ------------------------------------------------------------------


def test_a_result_goes_to_another_process(house: Path):
    found = result()
    for again in (pickle.loads(pickle.dumps(found)), copy.deepcopy(found), copy.copy(found)):
        assert again == found
        assert again.findings == found.findings
        assert again.counts == found.counts
        assert to_json(again) == to_json(found)
        assert pickle.loads(pickle.dumps(again)) == again


def test_the_document_is_the_reports(house: Path):
    found = result()
    (path,) = write_reports(found, "out", ["json"])
    assert to_json(found) == path.read_text(encoding="utf-8")
    assert json.loads(to_json(found))["gate"]["outcome"] == "violations"
    assert auditor.to_json is to_json


# -- judging in bounded time -----------------------------------------------------------------------


def test_judging_ends_with_the_time_for_the_listing(house: Path, monkeypatch: pytest.MonkeyPatch):
    class Live(Listed):
        live = True

    clock = iter([0.0, *[1.0] * 6, 601.0])
    last = [0.0]

    def monotonic() -> float:
        last[0] = next(clock, last[0])
        return last[0]

    monkeypatch.setattr("auditor.run.reader.time.monotonic", monotonic)
    found = audit(Live([record(f"c{n}") for n in range(3000)]), load_policies("house.yaml"))
    assert found.gate.outcome is Outcome.INCONCLUSIVE
    (problem,) = found.listing.problems
    told = r"was not judged within 600 s \(--timeout\); busy with page \d, after connection c\d+"
    assert re.search(told, problem)
    assert 0 < len(found.connections) < 3000
    assert found.total == len(found.connections) * 2 + sum(len(c.groups) for c in found.checks)
    assert not found


@pytest.mark.slow
def test_unique_items_of_many_objects_take_no_square_of_time(house: Path):
    Path("unique.yaml").write_text(
        "policy: unique\nrules:\n"
        "  - {id: unique, severity: low, assert: {config: {json_schema:"
        " {properties: {rows: {uniqueItems: true}}}}}}\n"
    )
    rules = load_policies("unique.yaml")
    rows: list[object] = [{"a": n, "b": [n, {"c": n}]} for n in range(60_000)]
    same = [{"b": [1, {"c": 1.0}], "a": 1}]
    mixed: list[object] = [1, True, "1", None, [1], {"a": 1}, [True], 0, False, 1.5]
    listing = [
        record("a", config={"rows": rows}),
        record("b", config={"rows": rows + same}),
        record("c", config={"rows": mixed}),
        record("d", config={"rows": [*mixed, 1.0]}),
        record("e", config={"rows": [*mixed, [1.0]]}),
        record("f", config={"rows": "none"}),
    ]
    found = audit(Listed(listing, as_of=TODAY), rules)
    assert [finding.connections[0].id for finding in found.findings] == ["b", "d", "e"]


def test_errors_have_one_root():
    assert issubclass(SourceError, AuditorError)
    assert issubclass(UsageError, AuditorError)
